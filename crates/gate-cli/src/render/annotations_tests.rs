use super::{azure, github, of_decision, of_grant, of_verification};
use crate::render::samples;
use gate_model::action::Action;
use gate_model::decision::Verdict;
use gate_model::grant::Status;
use gate_model::verification::FirstBad;

fn now() -> gate_model::time::Timestamp {
    samples::view().now
}

#[test]
fn github_shows_what_blocks_at_its_line_and_what_is_waived() {
    let mut decision = samples::decision(Verdict::Fail);
    decision.ending = vec![samples::opt_out(41, Action::Waive)];
    let expected = "\
::error file=src/app.py,line=12,title=lint%3A B101::Use of assert detected.
::warning title=gate/lint::opt-out 41 (waive by alice@example.com: fix is in review) ends 2026-11-22T20:30:35Z (in 4h)
::notice title=lint%3A CVE-2021-44228::CVE in log4j [log4j-core] (waived by opt-out 41 (waive by alice@example.com: fix is in review))
";
    assert_eq!(github(&of_decision(&decision, now())), expected);
}

#[test]
fn azure_shows_the_same_in_its_own_commands() {
    let expected = "\
##vso[task.logissue type=error;sourcepath=src/app.py;linenumber=12;code=lint: B101;]Use of assert detected.
notice: lint: CVE-2021-44228: CVE in log4j [log4j-core] (waived by opt-out 41 (waive by alice@example.com: fix is in review))
";
    assert_eq!(azure(&of_decision(&samples::decision(Verdict::Fail), now())), expected);
}

#[test]
fn at_most_ten_of_a_kind_and_the_last_says_how_many_more() {
    let mut decision = samples::decision(Verdict::Fail);
    for (findings, shown, last) in [(10, 10, None), (11, 10, Some("2 more")), (500, 10, Some("491 more"))] {
        decision.blocking = vec![decision.blocking[0].clone(); findings];
        let text = github(&of_decision(&decision, now()));
        let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("::error")).collect();
        assert_eq!(errors.len(), shown);
        match last {
            Some(more) => assert!(errors[9].contains(more), "{}", errors[9]),
            None => assert!(!text.contains("more of this kind")),
        }
    }
}

#[test]
fn a_gate_without_findings_is_annotated_itself() {
    for (verdict, kind) in [
        (Verdict::Fail, "::error"),
        (Verdict::Hold, "::error"),
        (Verdict::Skip, "::warning"),
        (Verdict::Override, "::warning"),
    ] {
        let mut decision = samples::decision(verdict);
        decision.blocking.clear();
        decision.waived.clear();
        let text = github(&of_decision(&decision, now()));
        assert_eq!(text, format!("{kind} title=gate/lint::{}: 1 finding blocks.\n", verdict.as_str()));
    }
}

#[test]
fn an_override_leaves_no_error() {
    let text = github(&of_decision(&samples::decision(Verdict::Override), now()));
    assert!(!text.contains("::error"), "{text}");
    assert!(text.contains("(overridden by opt-out 41"), "{text}");
}

#[test]
fn a_denial_is_an_error_and_a_bad_entry_too() {
    let denied = github(&of_grant(&samples::grant(Status::Denied), now()));
    assert_eq!(denied, "::error title=lint%3A denied::rule 1 of lint allows it\n");
    let mut bad = samples::verification(false);
    bad.first_bad =
        Some(FirstBad { seq: 17, reason: "hash-mismatch: edited".into(), code: "hash-mismatch".into() });
    let expected = "\
::error title=ledger::entry 17 is bad: hash-mismatch: edited
::warning title=ledger::unanchored: no checkpoint was given
";
    assert_eq!(github(&of_verification(&bad)), expected);
}

#[test]
fn a_ledger_that_is_not_ok_is_an_error_whatever_else_is_known() {
    let mut odd = samples::verification(false);
    odd.warnings.clear();
    assert_eq!(github(&of_verification(&odd)), "::error title=ledger::the ledger is not ok\n");
}
