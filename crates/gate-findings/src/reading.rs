//! Telling the format from the content, and reading a report from its first byte to its last.

use std::collections::BTreeMap;
use std::io::Read;

use gate_model::finding::{Counts, Finding};
use gate_model::level::Level;

use crate::collector::Collector;
use crate::error::{Absence, At, ReportError};
use crate::json::detect::{self, Shape};
use crate::place::Place;
use crate::source::Source;
use crate::{jsonlines, junit, sarif};

/// A format of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// SARIF 2.1.0 (OASIS).
    Sarif,
    /// `JUnit` XML, as test runners write it.
    JUnit,
    /// One `gate.finding/1` after another.
    JsonLines,
}

impl Format {
    /// The name in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sarif => "SARIF",
            Self::JUnit => "JUnit XML",
            Self::JsonLines => "JSON Lines",
        }
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a gate wants to know of a report.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// The level from which findings are kept; lower ones are counted.
    pub fail_on: Level,
    /// By rule id, the level that a report cannot go below.
    pub floors: &'a BTreeMap<String, Level>,
    /// Whether results that the report marks as suppressed are only counted.
    pub honour_suppressions: bool,
    /// Whether a tool may report errors of its own beside its results.
    pub accept_errors: bool,
    /// Where the repository is.
    pub place: Place<'a>,
}

/// A report that was read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What it was.
    pub format: Format,
    /// The digest of its bytes, `b3:…`, in the context [`gate_model::digest::REPORT`].
    pub digest: String,
    /// The findings whose level, after the floor, is at least `fail_on`, in the order of the report.
    pub findings: Vec<Finding>,
    /// The results that are no such findings.
    pub counts: Counts,
    /// All results: `findings` and `counts` together.
    pub total: u64,
    /// The tools that wrote it, each once, in the order of the report.
    pub tools: Vec<String>,
    /// What a reader of the decision should know: levels that were mapped, suppressions that were not honoured.
    pub notes: Vec<String>,
    /// What the tools say about themselves: their own errors and warnings, as sentences.
    pub notices: Vec<String>,
}

/// Reads the report called `name` (a word for messages) from `input`, to its end.
///
/// The input is read once and forwards only, so a pipe will do.
///
/// # Errors
/// A [`ReportError`] with place, field, defect and remedy. Nothing of a report that fails is returned.
pub fn read(input: &mut dyn Read, name: &str, options: &Options<'_>) -> Result<Report, ReportError> {
    read_unnamed(input, options).map_err(|error| error.about(name))
}

fn read_unnamed(input: &mut dyn Read, options: &Options<'_>) -> Result<Report, ReportError> {
    let mut source = Source::open(input)?;
    let mut collector = Collector::new(*options);
    let (format, source) = match source.first_byte()? {
        None => {
            let at = At::new(source.place(0), String::new());
            return Err(ReportError::DidNotRun { at, absence: Absence::Empty });
        }
        Some(b'<') => (Format::JUnit, junit::read(source, &mut collector)?),
        Some(_) => match detect::shape(&mut source)? {
            Shape::Sarif => (Format::Sarif, sarif::read(source, &mut collector)?),
            Shape::Findings => (Format::JsonLines, jsonlines::read(source, &mut collector)?),
        },
    };
    Ok(collector.finish(format, source.digest()))
}

/// Reads `text` as the tests of the readers do: suppressions honoured, no floors, the root at `/ci/repo`.
#[cfg(test)]
pub(crate) fn read_text(text: &str, fail_on: Level) -> Result<Report, ReportError> {
    let (floors, roots) = (BTreeMap::new(), ["/ci/repo".to_owned()]);
    let place = Place { roots: &roots, ..Place::NOWHERE };
    let options =
        Options { fail_on, floors: &floors, honour_suppressions: true, accept_errors: false, place };
    read(&mut text.as_bytes(), "test", &options)
}
