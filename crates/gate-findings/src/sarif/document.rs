//! The outermost object (§3.13) and the list of runs.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::run;
use crate::collector::Collector;
use crate::error::{Absence, At, ReportError};
use crate::json::cursor::Cursor;
use crate::json::wire::fold_list;

const REMEDY: &str = "gate reads SARIF 2.1.0; choose it as the tool's output format, or convert the report";

pub(super) fn read(cursor: &mut Cursor<'_>, collector: &mut Collector<'_>) -> Result<(), ReportError> {
    let start = cursor.at();
    cursor.enter_object()?;
    let (mut has_version, mut is_sarif, mut has_runs) = (false, false, false);
    while let Some(key) = cursor.key()? {
        match key.as_str() {
            "version" => {
                check_version(cursor)?;
                has_version = true;
            }
            "$schema" => {
                let schema: Option<String> = cursor.take()?;
                is_sarif |= schema.is_some_and(|uri| uri.contains("sarif"));
            }
            "runs" => {
                read_runs(cursor, collector)?;
                has_runs = true;
            }
            "inlineExternalProperties" => check_inline(cursor)?,
            _ => cursor.skip()?,
        }
    }
    match (has_runs, has_version, is_sarif) {
        (true, true, _) => Ok(()),
        (true, false, _) => {
            let defect = "it has no 'version', so it is not SARIF 2.1.0".to_owned();
            Err(ReportError::Malformed { at: start, defect, remedy: REMEDY })
        }
        (false, true, _) | (false, _, true) => {
            Err(ReportError::DidNotRun { at: start, absence: Absence::NoRuns })
        }
        (false, false, false) => {
            let defect = "it has no 'runs' and is not SARIF".to_owned();
            Err(ReportError::Malformed { at: start, defect, remedy: REMEDY })
        }
    }
}

/// Release candidates of 2.1.0 (`2.1.0-rtm.5`) mean the same; any other version may not.
fn check_version(cursor: &mut Cursor<'_>) -> Result<(), ReportError> {
    let at = cursor.at();
    let version: String = cursor.take()?;
    if version == "2.1.0" || version.starts_with("2.1.0-") {
        return Ok(());
    }
    let version = gate_model::text::visible(crate::wording::cut(&version, 40));
    Err(ReportError::Malformed {
        at,
        defect: format!("SARIF version '{version}' is not known"),
        remedy: REMEDY,
    })
}

fn read_runs(cursor: &mut Cursor<'_>, collector: &mut Collector<'_>) -> Result<(), ReportError> {
    let no_runs = cursor.did_not_run(Absence::NoRuns);
    if !cursor.enter_array_or_null()? {
        return Err(no_runs);
    }
    let mut any = false;
    while cursor.element()? {
        run::read(cursor, collector)?;
        any = true;
    }
    if any { Ok(()) } else { Err(no_runs) }
}

/// What of a run may stand outside of it (§3.15.3, §4), and matters: the results, whether the tool failed, and the levels
/// of its rules.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Parts {
    #[serde(deserialize_with = "any_element")]
    results: bool,
    #[serde(deserialize_with = "any_element")]
    invocations: bool,
    #[serde(deserialize_with = "any_element")]
    extensions: bool,
    conversion: Option<IgnoredAny>,
    driver: Option<IgnoredAny>,
}

/// Refuses a run of which such a part is elsewhere. No known tool writes one; not to see it would be a pass that nobody
/// gave.
pub(super) fn refuse_parts(parts: &Parts, at: Box<At>) -> Result<(), ReportError> {
    let found = [
        ("results", parts.results),
        ("invocations", parts.invocations),
        ("tool.extensions", parts.extensions),
        ("conversion", parts.conversion.is_some()),
        ("tool.driver", parts.driver.is_some()),
    ];
    match found.into_iter().find(|(_, is_there)| *is_there) {
        Some((part, _)) => Err(ReportError::DidNotRun { at, absence: Absence::Elsewhere { part } }),
        None => Ok(()),
    }
}

/// External properties may be written into the document (§3.13.6).
fn check_inline(cursor: &mut Cursor<'_>) -> Result<(), ReportError> {
    if !cursor.enter_array_or_null()? {
        return Ok(());
    }
    while cursor.element()? {
        let at = cursor.at();
        refuse_parts(&cursor.take::<Parts>()?, at)?;
    }
    Ok(())
}

/// Whether an array has an element.
fn any_element<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    fold_list(deserializer, false, |any, _: IgnoredAny| *any = true)
}
