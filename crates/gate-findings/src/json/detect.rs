//! Telling SARIF from JSON Lines by the members of the first object.

use std::borrow::Cow;

use super::cursor::shown;
use super::scan::{Scan, Step};
use crate::error::{Absence, At, ReportError};
use crate::limits;
use crate::source::Source;

/// What a JSON report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Sarif,
    Findings,
}

const REMEDY: &str = "gate reads SARIF 2.1.0, JUnit XML and JSON Lines of gate.finding/1; \
                      choose one of these as the tool's output format";

/// What the members seen so far say.
enum Verdict {
    Is(Shape),
    /// The object ends, or is broken, without a member that decides.
    Undecided,
    Short,
}

/// The shape of the report that `source` stands at; nothing of it is passed.
pub(crate) fn shape(source: &mut Source<'_>) -> Result<Shape, ReportError> {
    match source.first_byte()? {
        Some(b'{') | None => {}
        Some(b'[') => return Err(unrecognised(source, "it is a JSON array".to_owned())),
        Some(byte) => return Err(unrecognised(source, format!("it begins with {}", shown(byte)))),
    }
    loop {
        match members(source.window()) {
            Verdict::Is(shape) => return Ok(shape),
            Verdict::Undecided => {
                return Err(unrecognised(
                    source,
                    "none of the members of its first object is known".to_owned(),
                ));
            }
            Verdict::Short if source.window().len() > limits::RESULT => {
                let at = At::new(source.place(0), String::new());
                let what = "the members before any that is known have".to_owned();
                return Err(ReportError::TooLarge { at, what, limit: limits::RESULT, remedy: REMEDY });
            }
            Verdict::Short if source.more()? => {}
            Verdict::Short => {
                let at = At::new(source.place(source.window().len()), String::new());
                return Err(ReportError::DidNotRun { at, absence: Absence::Truncated });
            }
        }
    }
}

fn unrecognised(source: &Source<'_>, defect: String) -> ReportError {
    ReportError::Malformed { at: At::new(source.place(0), String::new()), defect, remedy: REMEDY }
}

fn members(window: &[u8]) -> Verdict {
    let mut rest = &window[1..];
    loop {
        rest = trim(rest);
        match rest.first() {
            None => return Verdict::Short,
            Some(b'"') => {}
            Some(_) => return Verdict::Undecided,
        }
        let Some((key, after)) = value(rest) else { return Verdict::Short };
        let key: Cow<'_, str> = serde_json::from_slice(key).unwrap_or_default();
        if let Some(shape) = decided_by(&key) {
            return Verdict::Is(shape);
        }
        rest = trim(after);
        match rest.split_first() {
            None => return Verdict::Short,
            Some((b':', after)) => rest = trim(after),
            Some(_) => return Verdict::Undecided,
        }
        let Some((_, after)) = value(rest) else { return Verdict::Short };
        rest = trim(after);
        match rest.split_first() {
            None => return Verdict::Short,
            Some((b',', after)) => rest = after,
            Some(_) => return Verdict::Undecided,
        }
    }
}

fn decided_by(key: &str) -> Option<Shape> {
    match key {
        "runs" | "$schema" | "version" | "inlineExternalProperties" => Some(Shape::Sarif),
        "schema" | "rule" | "level" | "message" | "path" | "line" | "fingerprint" | "package" | "tool" => {
            Some(Shape::Findings)
        }
        _ => None,
    }
}

/// The value at the start of `bytes`, and what follows. Too deep is told later, with its place.
fn value(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    match Scan::default().step(bytes, usize::MAX) {
        Step::End(length) => Some(bytes.split_at(length)),
        Step::Short | Step::Deep(_) => None,
    }
}

fn trim(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii_start()
}
