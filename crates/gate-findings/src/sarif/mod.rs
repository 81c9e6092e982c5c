//! SARIF 2.1.0 (OASIS Standard, with errata 01), as real tools write it.
//!
//! The document is walked member by member, results one by one, so its size does not matter. Members may come in
//! any order: a result that needs what comes later (the rules that give its level, the bases of its path) waits
//! for the end of its run, with just what a finding needs.
//!
//! What counts as what:
//! - a run without `results`, a failed invocation, no runs: the scan did not run (§3.14.11, §3.14.23, §3.20.14);
//! - `baselineState` `absent`: counted (§3.27.24);
//! - `suppressions`: suppressed where there is at least one and all are accepted; a missing status means accepted
//!   (§3.27.23, §3.35.3);
//! - the level: the result's own, else none where `kind` says that nothing failed, else an invocation's override,
//!   else the rule's default, else warning (§3.27.10);
//! - the security severity: the property `security-severity` of the result or of its rule, the higher one;
//! - a fix: a result with `fixes`, or the words of Trivy, Grype and OSV-Scanner;
//! - the rule: `ruleId`, `rule.id`, else the id of the rule that an index or guid refers to (§3.27.5–7, §3.52).
//!
//! Not read: taxonomies, code flows, what a fix is, nested graphs. They decide nothing.

mod components;
mod document;
mod invocations;
mod notifications;
mod package;
mod pending;
mod places;
mod result;
mod run;

use crate::collector::Collector;
use crate::error::ReportError;
use crate::json::cursor::Cursor;
use crate::source::Source;

/// Reads a SARIF document to the end of the input.
pub(crate) fn read<'r>(source: Source<'r>, collector: &mut Collector<'_>) -> Result<Source<'r>, ReportError> {
    let mut cursor = Cursor::new(source);
    document::read(&mut cursor, collector)?;
    cursor.finish()
}

#[cfg(test)]
mod tests;
