//! Reports of real tools, judged by `gate-check` as a pipeline would.
//!
//! Each tool is run on the sample code in testdata, where `scripts/partners` could install it; where it could
//! not, its test says that it was skipped. Reports that the same tools made of the same code, recorded in
//! testdata, are judged in every run; both must come to the same verdict.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, and one that is skipped says so"
)]

mod partners;
mod support;

use partners::{check_with_toolchain, copy, partner, recorded, testdata};
use serde_json::Value;
use support::{House, Ran};

const POLICY: &str = r#"
version = 1

[gates.scan]
[[gates.scan.allow]]
actions = ["waive"]
who     = ["*"]
max_ttl = "14d"

[gates.tests]
findings_exit = [0, 1, 100]
"#;

/// What a report must come to.
struct Expected<'a> {
    /// The recorded report.
    report: &'a str,
    gate: &'a str,
    /// Rule and level of each finding that blocks, in the report's order.
    blocking: &'a [(&'a str, &'a str)],
    below_threshold: u64,
}

const BANDIT: Expected<'_> = Expected {
    report: "bandit.sarif",
    gate: "scan",
    blocking: &[("B324", "error"), ("B602", "error")],
    below_threshold: 2,
};

/// No result has a level: that of one rule's configuration is an error, that of the other a warning.
const SEMGREP: Expected<'_> = Expected {
    report: "semgrep.sarif",
    gate: "scan",
    blocking: &[("weak-digest", "warning"), ("shell-from-argument", "error")],
    below_threshold: 0,
};

const HADOLINT: Expected<'_> = Expected {
    report: "hadolint.sarif",
    gate: "scan",
    blocking: &[
        ("DL3006", "warning"),
        ("DL3003", "warning"),
        ("DL3008", "warning"),
        ("DL3014", "warning"),
        ("DL3025", "warning"),
    ],
    below_threshold: 1,
};

/// A failure and an error block; a passed and a skipped test are no findings.
const PYTEST: Expected<'_> = Expected {
    report: "pytest.xml",
    gate: "tests",
    blocking: &[
        ("test_payments/test_total_of_nothing_is_one", "error"),
        ("test_payments/test_receipt_is_stored", "error"),
    ],
    below_threshold: 0,
};

const NEXTEST: Expected<'_> = Expected {
    report: "nextest.xml",
    gate: "tests",
    blocking: &[("sample/tests::total_of_nothing_is_one", "error")],
    below_threshold: 0,
};

impl Expected<'_> {
    /// Compares a decision with what was expected.
    #[track_caller]
    fn check(&self, decision: &Value) {
        let found: Vec<(&str, &str)> = blocking(decision)
            .iter()
            .map(|finding| (finding["rule"].as_str().unwrap(), finding["level"].as_str().unwrap()))
            .collect();
        assert_eq!(found, self.blocking, "{}: what blocks", self.report);
        assert_eq!(decision["below_threshold"], self.below_threshold, "{}", self.report);
        assert_eq!(decision["decision"], "fail", "{}", self.report);
        assert_eq!(decision["proceed"], false, "{}", self.report);
        assert!(decision["recorded"].is_u64(), "{}: every judgement is an entry", self.report);
    }

    /// Runs the tool behind the gate, and judges the report that it wrote to `report`.
    #[track_caller]
    fn live(&self, house: &House, report: &str, status: i32, command: &[&str]) {
        let gate = ["--findings", report, "--decision", "decision.json", "--"];
        let argv = [&[self.gate], &gate[..], command].concat();
        check_with_toolchain(house, &argv).exits(status);
        self.check(&decision(house));
    }
}

fn blocking(decision: &Value) -> &[Value] {
    decision["blocking"].as_array().unwrap()
}

fn decision(house: &House) -> Value {
    serde_json::from_str(&house.read("decision.json")).unwrap()
}

/// A repository with sample code.
fn house_of(sample: &str) -> House {
    let house = House::new(POLICY);
    copy(&house, &format!("sample/{sample}"));
    house.commit("sample code");
    house
}

#[test]
fn recorded_reports_block_on_what_the_tools_found() {
    let house = House::new(POLICY);
    for expected in [BANDIT, SEMGREP, HADOLINT, PYTEST, NEXTEST] {
        expected.check(&house.check(&[expected.gate, &recorded(expected.report)]).exits(1).json());
    }
}

#[test]
fn recorded_reports_of_clean_code_pass() {
    let house = House::new(POLICY);
    let clean =
        [("scan", "bandit-clean.sarif"), ("scan", "hadolint-clean.sarif"), ("tests", "pytest-clean.xml")];
    for (gate, report) in clean {
        let decision = house.check(&[gate, &recorded(report)]).exits(0).json();
        assert_eq!(decision["decision"], "pass", "{report}");
        assert!(blocking(&decision).is_empty(), "{report}");
    }
}

/// semgrep writes the same placeholder as every finding's fingerprint: it must never become evidence, or a
/// waiver for one finding would reach the others of its rule.
#[test]
fn the_placeholder_of_semgrep_is_no_fingerprint() {
    let house = House::new(POLICY);
    let decision = house.check(&["scan", &recorded("semgrep.sarif")]).exits(1).json();
    let prints: Vec<&str> =
        blocking(&decision).iter().map(|finding| finding["fingerprint"].as_str().unwrap()).collect();
    assert!(prints.iter().all(|print| !print.is_empty() && !print.contains("requires login")), "{prints:?}");
    assert_ne!(prints.first(), prints.get(1));
}

#[test]
fn bandit_behind_a_gate() {
    let Some(bandit) = partner("bandit") else { return };
    let command = [&*bandit, "-q", "-f", "sarif", "-o", "scan.sarif", "payments.py"];
    BANDIT.live(&house_of("python"), "scan.sarif", 1, &command);
}

/// semgrep exits with 0 although it found something; the gate does not.
#[test]
fn semgrep_behind_a_gate_that_it_does_not_fail_by_itself() {
    let Some(semgrep) = partner("semgrep") else { return };
    let house = house_of("python");
    house.write("semgrep.yml", std::fs::read(testdata("sample/semgrep.yml")).unwrap());
    let scan =
        [&*semgrep, "scan", "-q", "--metrics=off", "--disable-version-check", "--config", "semgrep.yml"];
    let command = [&scan[..], &["--sarif", "--output", "scan.sarif", "payments.py"]].concat();
    SEMGREP.live(&house, "scan.sarif", 1, &command);
    assert_eq!(decision(&house)["status"], 0);
}

#[test]
fn hadolint_behind_a_gate() {
    let Some(hadolint) = partner("hadolint") else { return };
    let command = ["sh", "-c", "\"$0\" -f sarif Dockerfile > scan.sarif", &hadolint];
    HADOLINT.live(&house_of("docker"), "scan.sarif", 1, &command);
}

#[test]
fn pytest_behind_a_gate() {
    let Some(pytest) = partner("pytest") else { return };
    let command = [&*pytest, "-q", "-p", "no:cacheprovider", "--junitxml=junit.xml", "test_payments.py"];
    PYTEST.live(&house_of("python"), "junit.xml", 1, &command);
}

#[test]
fn nextest_behind_a_gate_keeps_its_own_status() {
    let Some(nextest) = partner("cargo-nextest") else { return };
    let command = [&*nextest, "nextest", "run", "--offline", "--profile", "ci"];
    NEXTEST.live(&house_of("rust"), "target/nextest/ci/junit.xml", 100, &command);
}

/// The main job, with the real scanner: what blocked is waived from the decision, the gate passes, the waivers
/// follow their findings down the file, and one more finding blocks again.
#[test]
fn waivers_of_a_real_scan_follow_the_finding_and_reach_no_further() {
    let Some(bandit) = partner("bandit") else { return };
    let house = house_of("python");
    let scan = || -> Ran {
        let gate = ["scan", "--findings", "scan.sarif", "--decision", "decision.json", "--"];
        house
            .check(&[&gate[..], &[&*bandit, "-q", "-f", "sarif", "-o", "scan.sarif", "payments.py"]].concat())
    };
    scan().exits(1);
    house.skip(&["./decision.json", "--reason", "fixes are in review", "--ttl", "7d"]).exits(0);
    // bandit's own status is still 1, its word for findings: what counts is the gate's verdict.
    scan().exits(0);
    assert_eq!(decision(&house)["decision"], "pass");
    assert_eq!(decision(&house)["waived"].as_array().map(Vec::len), Some(2));

    let code = house.read("payments.py");
    house.write("payments.py", format!("# One line more,\n# and another.\n{code}"));
    house.commit("comments");
    scan().exits(0);

    let more =
        "\n\ndef resend(address: str) -> int:\n    return subprocess.call('resend ' + address, shell=True)\n";
    house.write("payments.py", format!("{code}{more}"));
    house.commit("one more finding of a waived rule");
    scan().exits(1);
    assert_eq!(blocking(&decision(&house)).len(), 1);
}
