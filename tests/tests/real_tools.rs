//! Reports of real tools, judged by `gate-check` as a pipeline would.
//!
//! Each tool is run on the sample code in testdata, where `scripts/partners` could install it; where it could
//! not, its test says that it was skipped. Reports that the same tools made of the same code, recorded in
//! testdata, are judged in every run; both must come to the same verdict.

mod workshop;

use std::path::Path;

use serde_json::Value;
use workshop::{Ran, Workshop, partner, testdata};

const POLICY: &str = r#"
version = 1

[ledger]
path = ".gate/ledger.db"

[gates.scan]
[[gates.scan.allow]]
actions = ["waive"]
who     = ["*"]
max_ttl = "14d"

[gates.tests]
findings_exit = [0, 1, 100]
"#;

/// A shop with a ledger and a policy, and the sample code in it.
fn shop(sample: &str) -> Workshop {
    let shop = Workshop::new(POLICY);
    shop.copy(&testdata(&format!("sample/{sample}")));
    shop.commit();
    assert_eq!(shop.run(&["gate-log", "init"]).status, 0);
    shop
}

/// What a report must come to.
struct Expected<'a> {
    /// The report, in testdata/recorded.
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
        ("test_payments::test_total_of_nothing_is_one", "error"),
        ("test_payments::test_receipt_is_stored", "error"),
    ],
    below_threshold: 0,
};

const NEXTEST: Expected<'_> = Expected {
    report: "nextest.xml",
    gate: "tests",
    blocking: &[("sample::tests::total_of_nothing_is_one", "error")],
    below_threshold: 0,
};

impl Expected<'_> {
    /// Compares a decision with what was expected.
    fn check(&self, decision: &Value) {
        let word = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        let found: Vec<(String, String)> = decision["blocking"]
            .as_array()
            .expect("a decision lists what blocks")
            .iter()
            .map(|finding| (word(finding, "rule"), word(finding, "level")))
            .collect();
        let expected: Vec<(String, String)> =
            self.blocking.iter().map(|(rule, level)| ((*rule).to_owned(), (*level).to_owned())).collect();
        assert_eq!(found, expected, "{}: what blocks", self.report);
        assert_eq!(decision["below_threshold"], self.below_threshold, "{}", self.report);
        assert_eq!(decision["decision"], "fail", "{}", self.report);
        assert_eq!(decision["proceed"], false, "{}", self.report);
        assert!(decision["recorded"].is_u64(), "{}: every judgement is an entry", self.report);
    }

    /// Judges the recorded report.
    fn recorded(&self) {
        let shop = shop("python");
        let report = testdata(&format!("recorded/{}", self.report));
        let ran = shop.run(&["gate-check", self.gate, &text(&report)]);
        assert_eq!(ran.status, 1, "{}: {}", self.report, ran.stderr);
        self.check(&ran.json());
    }

    /// Runs the tool behind the gate, and judges the report that it wrote to `report`.
    fn live(&self, shop: &Workshop, report: &str, status: u8, command: &[&str]) {
        let mut argv = vec!["gate-check", self.gate, "--findings", report, "--decision", "decision.json", "--"];
        argv.extend(command);
        let ran = shop.run(&argv);
        assert_eq!(ran.status, status, "{}: {}{}", self.report, ran.stdout, ran.stderr);
        self.check(&shop.json("decision.json"));
    }
}

fn text(path: &Path) -> String {
    path.to_str().expect("paths of the checkout are UTF-8").to_owned()
}

#[test]
fn recorded_reports_block_on_what_the_tools_found() {
    for expected in [BANDIT, SEMGREP, HADOLINT, PYTEST, NEXTEST] {
        expected.recorded();
    }
}

#[test]
fn recorded_reports_of_clean_code_pass() {
    let shop = shop("python");
    let clean = [("scan", "bandit-clean.sarif"), ("scan", "hadolint-clean.sarif"), ("tests", "pytest-clean.xml")];
    for (gate, report) in clean {
        let ran = shop.run(&["gate-check", gate, &text(&testdata(&format!("recorded/{report}")))]);
        assert_eq!(ran.status, 0, "{report}: {}", ran.stderr);
        let decision = ran.json();
        assert_eq!(decision["decision"], "pass", "{report}");
        assert_eq!(decision["blocking"].as_array().map(Vec::len), Some(0), "{report}");
    }
}

/// semgrep writes the same placeholder as every finding's fingerprint: it must never become evidence, or a
/// waiver for one finding would reach the others of its rule.
#[test]
fn semgrep_s_placeholder_is_no_fingerprint() {
    let shop = shop("python");
    let ran = shop.run(&["gate-check", "scan", &text(&testdata("recorded/semgrep.sarif"))]);
    let decision = ran.json();
    let prints: Vec<&str> = decision["blocking"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|finding| finding["fingerprint"].as_str().unwrap_or_default())
        .collect();
    assert!(prints.iter().all(|print| !print.is_empty() && !print.contains("requires login")), "{prints:?}");
    assert_ne!(prints.first(), prints.get(1));
}

#[test]
fn bandit_behind_a_gate() {
    let Some(bandit) = partner("bandit") else { return };
    let command = [&*bandit, "-q", "-f", "sarif", "-o", "scan.sarif", "payments.py"];
    BANDIT.live(&shop("python"), "scan.sarif", 1, &command);
}

#[test]
fn semgrep_behind_a_gate_that_it_does_not_fail_by_itself() {
    let Some(semgrep) = partner("semgrep") else { return };
    let shop = shop("python");
    shop.copy(&testdata("sample/semgrep.yml"));
    // It exits with 0 although it found something; the gate does not.
    let scan = [&*semgrep, "scan", "-q", "--metrics=off", "--disable-version-check", "--config", "semgrep.yml"];
    let command = [&scan[..], &["--sarif", "--output", "scan.sarif", "payments.py"]].concat();
    SEMGREP.live(&shop, "scan.sarif", 1, &command);
}

#[test]
fn hadolint_behind_a_gate() {
    let Some(hadolint) = partner("hadolint") else { return };
    let command = ["sh", "-c", "\"$0\" -f sarif Dockerfile > scan.sarif", &hadolint];
    HADOLINT.live(&shop("docker"), "scan.sarif", 1, &command);
}

#[test]
fn pytest_behind_a_gate() {
    let Some(pytest) = partner("pytest") else { return };
    let command = [&*pytest, "-q", "-p", "no:cacheprovider", "--junitxml=junit.xml", "test_payments.py"];
    PYTEST.live(&shop("python"), "junit.xml", 1, &command);
}

#[test]
fn nextest_behind_a_gate_keeps_its_own_status() {
    let Some(nextest) = partner("cargo-nextest") else { return };
    let command = [&*nextest, "nextest", "run", "--offline", "--profile", "ci"];
    NEXTEST.live(&shop("rust"), "target/nextest/ci/junit.xml", 100, &command);
}

/// The main job, with the real scanner: what blocked is waived from the decision, the gate passes, the waiver
/// outlives a shift of the lines, and one more finding blocks again.
#[test]
fn waivers_of_a_real_scan_follow_the_finding_and_reach_no_further() {
    let Some(bandit) = partner("bandit") else { return };
    let shop = shop("python");
    let scan = || {
        shop.run(&[
            "gate-check", "scan", "--findings", "scan.sarif", "--decision", "decision.json", "--",
            &bandit, "-q", "-f", "sarif", "-o", "scan.sarif", "payments.py",
        ])
    };
    assert_eq!(scan().status, 1);
    let granted = shop.run(&["gate-skip", "decision.json", "--reason", "fixes are in review", "--ttl", "7d"]);
    assert_eq!(granted.status, 0, "{}", granted.stderr);
    // The scanner still exits with 1, which is its word for findings: the gate's own verdict is what counts.
    let Ran { status, stderr, .. } = scan();
    assert_eq!(status, 0, "{stderr}");
    let decision = shop.json("decision.json");
    assert_eq!(decision["decision"], "pass");
    assert_eq!(decision["waived"].as_array().map(Vec::len), Some(2));

    let code = shop.read("payments.py");
    shop.write("payments.py", &format!("# One line more,\n# and another.\n{code}"));
    shop.commit();
    assert_eq!(scan().status, 0, "the same findings, further down");

    let more = "\n\ndef resend(address: str) -> int:\n    return subprocess.call('resend ' + address, shell=True)\n";
    shop.write("payments.py", &format!("{code}{more}"));
    shop.commit();
    assert_eq!(scan().status, 1, "one more finding of a waived rule");
    let decision = shop.json("decision.json");
    assert_eq!(decision["blocking"].as_array().map(Vec::len), Some(1));
}
