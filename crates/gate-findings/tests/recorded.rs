//! Reports that real tools wrote of the sample code in `data/sample`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use gate_findings::evidence;
use gate_findings::matching::{Waiver, assign};
use gate_findings::place::{NoCheckout, Place};
use gate_findings::{Format, Options, Report, read};
use gate_model::digest;
use gate_model::finding::Evidence;
use gate_model::level::Level;

const BANDIT: &[u8] = include_bytes!("data/bandit.sarif");
const SEMGREP: &[u8] = include_bytes!("data/semgrep.sarif");
const HADOLINT: &[u8] = include_bytes!("data/hadolint.sarif");
const PYTEST: &[u8] = include_bytes!("data/pytest.xml");
const NEXTEST: &[u8] = include_bytes!("data/nextest.xml");

fn judged(mut bytes: &[u8], fail_on: Level) -> Report {
    let floors = BTreeMap::new();
    let options = Options {
        fail_on: fail_on.into(),
        floors: &floors,
        honour_suppressions: true,
        accept_errors: false,
        accept_empty: false,
        place: Place::NOWHERE,
    };
    let copy = bytes;
    let report = read(&mut bytes, "recorded", &options).unwrap();
    assert_eq!(report.digest, digest::of(digest::REPORT, copy));
    report
}

fn lines(report: &Report) -> Vec<String> {
    let line = |f: &gate_model::finding::Finding| {
        format!("{} {} {}:{}", f.rule, f.level, f.path.as_deref().unwrap_or("-"), f.line.unwrap_or(0))
    };
    report.findings.iter().map(line).collect()
}

#[test]
fn bandit() {
    let report = judged(BANDIT, Level::Warning);
    assert_eq!(
        lines(&report),
        ["B602 error app/jobs.py:7", "B324 error app/jobs.py:11", "B307 warning app/jobs.py:16"]
    );
    assert_eq!((report.counts.below_threshold, report.total), (2, 5));
    assert_eq!((report.parts[0].format, report.tools), (Format::Sarif, vec!["Bandit".to_owned()]));
}

#[test]
fn semgrep_has_levels_in_its_rules_only_and_no_real_fingerprints() {
    let report = judged(SEMGREP, Level::Warning);
    assert_eq!(lines(&report), ["shell-true warning app/jobs.py:7", "no-eval error app/jobs.py:16"]);
    assert!(report.findings.iter().all(|f| f.fingerprint.starts_with("gate2:")));
    assert_eq!(judged(SEMGREP, Level::Error).counts.below_threshold, 1);
}

#[test]
fn hadolint() {
    let report = judged(HADOLINT, Level::Warning);
    assert_eq!(lines(&report).len(), 4);
    assert_eq!((report.counts.below_threshold, report.tools), (2, vec!["Hadolint".to_owned()]));
}

#[test]
fn pytest() {
    let report = judged(PYTEST, Level::Warning);
    assert_eq!(
        lines(&report),
        [
            "tests.test_jobs/test_fails error tests/test_jobs.py:7",
            "tests.test_jobs/test_errors error tests/test_jobs.py:17",
            "tests.test_jobs/test_values[a,b] error tests/test_jobs.py:26",
            "tests.test_jobs/test_values[x=1 \\xe9] error tests/test_jobs.py:26",
        ]
    );
    assert!(report.findings[0].message.starts_with("AssertionError: texts differ: <&>\n"));
}

#[test]
fn nextest_counts_a_flaky_test_as_passed() {
    let report = judged(NEXTEST, Level::Warning);
    assert_eq!(lines(&report), ["nx/tests::panics error -:0"]);
}

#[test]
fn evidence_of_a_report_waives_it_and_only_it() {
    for bytes in [BANDIT, SEMGREP, HADOLINT, PYTEST, NEXTEST] {
        let report = judged(bytes, Level::Note);
        let evidence = evidence::of(&report.findings);
        let waivers = [Waiver::of(3, &evidence)];
        assert!(assign(&report.findings, &waivers, &NoCheckout).covered_by.iter().all(|by| *by == Some(3)));
        let other = judged(if bytes == BANDIT { PYTEST } else { BANDIT }, Level::Note);
        assert_eq!(assign(&other.findings, &waivers, &NoCheckout).unused, [3]);
    }
}

#[test]
fn evidence_survives_being_written_as_match_arguments() {
    for bytes in [BANDIT, PYTEST] {
        for evidence in evidence::of(&judged(bytes, Level::Note).findings) {
            let written = gate_findings::match_syntax::Match::from(&evidence).to_string();
            let read = gate_findings::match_syntax::parse(&written).unwrap();
            // A person who writes a MATCH means no line.
            let evidence = Evidence { lines: Vec::new(), around: Vec::new(), ..evidence };
            assert_eq!(read.evidence(Level::None, 0), evidence, "{written}");
        }
    }
}
