//! `JUnit` XML, as pytest, cargo-nextest, Maven Surefire, Jest and go-junit-report write it. There is no standard;
//! what these have in common is read:
//!
//! ```text
//! <testsuites> <testsuite failures="1" errors="0">
//!   <testcase classname="tests.test_a" name="test_x" file="tests/test_a.py" line="7">
//!     <failure message="assert 1 == 2" type="AssertionError">…</failure>
//!   </testcase>
//! </testsuite> </testsuites>
//! ```
//!
//! Each `failure` or `error` of a test case is one finding of level error, however deep within the case it stands; its rule is `classname/name`. One of a suite
//! itself is a finding of the suite. Tests that passed or were skipped are no findings, and neither is a failure
//! that a later attempt made good (`flakyFailure` and the like). A case whose `status` or `result` says that it failed,
//! and one of which only failed attempts are shown (`rerunFailure`), is a finding without a `failure` within it, too.
//!
//! A report without any test case did not run, unless the gate accepts that, and neither did one whose suites declare
//! more failures than it shows.
//! Totals are compared over the whole report, repeated attempts included, and by the larger of `failures` and
//! `errors`: writers differ in what they count where. A document type declaration is refused, so no entity can grow; entities are the five of XML and characters
//! by number.

mod suites;
mod wellformed;
mod xml;

use crate::collector::Collector;
use crate::error::{Absence, ReportError};
use crate::source::Source;
use suites::Suites;
use xml::{Item, Xml};

/// Reads a `JUnit` document to the end of the input. Where it is without a test case, the second part says so.
pub(crate) fn read<'r>(
    source: Source<'r>,
    collector: &mut Collector<'_>,
) -> Result<(Source<'r>, Option<ReportError>), ReportError> {
    let mut xml = Xml::new(source);
    let mut suites = Suites::default();
    loop {
        match xml.next(suites.wants_text())? {
            Item::Start(element) => {
                if suites.start(&element, &xml, collector)? {
                    xml.skip_text()?;
                }
            }
            Item::End => suites.end(&xml, collector)?,
            Item::Text(text) => suites.text(&text),
            Item::Eof => break,
        }
    }
    let untested = suites.is_empty().then(|| xml.did_not_run(Absence::NoTests, String::new()));
    collector.note("JUnit has no levels: a failure or an error is taken as 'error'".to_owned());
    Ok((xml.into_source(), untested))
}

#[cfg(test)]
mod tests;
