//! Reports of scanners and test runs, and the MATCH that accepts findings of them.

use std::collections::BTreeMap;

use gate_findings::match_syntax::{self as syntax, Match};
use gate_findings::matching::{Waiver, assign};
use gate_findings::place::{NoCheckout, Place};
use gate_findings::{Format, Options, Report, ReportError, evidence, read};
use gate_model::finding::Finding;
use gate_model::level::Level;

use super::{assert_message, text};

/// SARIF.
pub fn sarif(data: &[u8]) {
    report(data, Format::Sarif);
}

/// `JUnit` XML.
pub fn junit(data: &[u8]) {
    report(data, Format::JUnit);
}

/// JSON Lines of findings.
pub fn json_lines(data: &[u8]) {
    report(data, Format::JsonLines);
}

/// Every result is a finding or is counted; a report that was cut is none; what it names can be waived, and one
/// finding more blocks.
fn report(data: &[u8], usual: Format) {
    let all = match open(data, Level::None) {
        Ok(report) => report,
        Err(error) => return assert_message(&error),
    };
    let counts = &all.counts;
    let sum = all.findings.len() as u64 + counts.below_threshold + counts.suppressed + counts.absent;
    assert_eq!(sum, all.total, "a result was dropped in silence");
    all.findings.iter().for_each(assert_inert);
    let errors = open(data, Level::Error).expect("the same report");
    assert_eq!((errors.total, &errors.digest), (all.total, &all.digest));
    assert!(
        errors.findings.iter().all(|finding| finding.level == Level::Error && all.findings.contains(finding))
    );
    if all.parts[0].format == usual {
        let kept = data.trim_ascii_end().len().saturating_sub(1);
        assert!(open(&data[..kept], Level::None).is_err(), "a report without its last byte was accepted");
    }
    assert_waivable(&all.findings);
}

fn open(mut data: &[u8], fail_on: Level) -> Result<Report, ReportError> {
    let floors = BTreeMap::new();
    read(
        &mut data,
        "report",
        &Options {
            fail_on: fail_on.into(),
            floors: &floors,
            honour_suppressions: true,
            accept_errors: false,
            accept_empty: false,
            place: Place::NOWHERE,
        },
    )
}

fn assert_inert(finding: &Finding) {
    let texts = [Some(&finding.rule), Some(&finding.fingerprint), finding.path.as_ref()];
    let more = [finding.package.as_ref(), finding.tool.as_ref(), Some(&finding.message)];
    for text in texts.into_iter().chain(more).flatten() {
        assert!(!text.chars().any(gate_model::text::is_refused), "{text:?}");
    }
}

/// The exact evidence of findings covers them, reads back from its own MATCH, and covers no finding more.
fn assert_waivable(findings: &[Finding]) {
    let exact = evidence::of(findings);
    for one in &exact {
        let wanted = Match::from(one);
        assert_eq!(syntax::parse(&wanted.to_string()).as_ref(), Ok(&wanted), "{wanted}");
    }
    let waiver = [Waiver::of(1, &exact)];
    let covered = assign(findings, &waiver, &NoCheckout).covered_by;
    assert!(covered.iter().all(|by| *by == Some(1)), "exact evidence does not cover what it names");
    let more: Vec<Finding> = findings.iter().chain(findings.first()).cloned().collect();
    let blocked = assign(&more, &waiver, &NoCheckout).covered_by.iter().filter(|by| by.is_none()).count();
    assert_eq!(blocked, usize::from(!findings.is_empty()), "one finding more than was accepted");
}

/// A MATCH reads back from its own writing, which is one word of a shell.
pub fn match_syntax(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match syntax::parse(text) {
        Ok(wanted) => {
            let written = wanted.to_string();
            assert_eq!(syntax::parse(&written).as_ref(), Ok(&wanted), "{written}");
            assert!(!written.chars().any(|c| c.is_whitespace() || c.is_control()), "{written:?}");
        }
        Err(error) => assert_message(&error),
    }
}
