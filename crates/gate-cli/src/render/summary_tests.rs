use super::{decision, grant, verification};
use crate::render::samples;
use gate_model::action::Action;
use gate_model::decision::Verdict;
use gate_model::grant::{Approvals, Owes, Status};
use gate_model::verification::{Anchored, Begun, FirstBad, Replay, Warning};

fn now() -> gate_model::time::Timestamp {
    samples::view().now
}

#[test]
fn a_decision_in_one_line() {
    let cases = [
        (Verdict::Pass, "gate-check: lint: pass (status 1; 1 waived; entry 42)\n"),
        (Verdict::Fail, "gate-check: lint: fail: 1 finding blocks (status 1; 1 waived; entry 42)\n"),
        (
            Verdict::Skip,
            "gate-check: lint: skip: by opt-out 41 of alice@example.com until 2026-11-22T20:30:35Z (in 4h) (status 1; \
             1 waived; entry 42)\n",
        ),
        (Verdict::Hold, "gate-check: lint: hold: 1 finding blocks (status 1; 1 waived; entry 42)\n"),
    ];
    for (verdict, expected) in cases {
        assert_eq!(decision("gate-check", &samples::decision(verdict), now()), expected);
    }
}

#[test]
fn what_was_not_recorded_is_said() {
    let mut unrecorded = samples::decision(Verdict::Pass);
    unrecorded.recorded = None;
    unrecorded.waived.clear();
    unrecorded.suppressed = 2;
    unrecorded.unneeded = vec![samples::opt_out(7, Action::Waive)];
    unrecorded.ending = vec![samples::opt_out(8, Action::Waive)];
    assert_eq!(
        decision("gate-check", &unrecorded, now()),
        "gate-check: lint: pass (status 1; 2 suppressed by the report; 1 opt-out not needed; opt-out 8 \
         ends 2026-11-22T20:30:35Z (in 4h); not recorded)\n"
    );
}

#[test]
fn nothing_is_told_twice() {
    let mut failed = samples::decision(Verdict::Fail);
    (failed.blocking, failed.waived) = (Vec::new(), Vec::new());
    failed.reasons = vec!["the command ended with status 1".into()];
    let expected = "gate-check: lint: fail: the command ended with status 1 (entry 42)\n";
    assert_eq!(decision("gate-check", &failed, now()), expected);
    let mut skipped = samples::decision(Verdict::Skip);
    skipped.waived.clear();
    skipped.ending = vec![skipped.grants[0].clone()];
    let line = decision("gate-check", &skipped, now());
    assert_eq!(line.matches("2026-11-22T20:30:35Z").count(), 1, "{line}");
    skipped.ending.extend([samples::opt_out(8, Action::Waive), samples::opt_out(9, Action::Waive)]);
    let line = decision("gate-check", &skipped, now());
    assert!(line.contains("; 2 opt-outs end soon, the next is 8: 2026-11-22T20:30:35Z (in 4h)"), "{line}");
}

#[test]
fn an_answer_in_one_line() {
    let mut granted = samples::grant(Status::Granted);
    let expected = "gate-skip: lint: granted: skip until 2026-11-22T20:30:35Z (in 4h) (opt-out 41)\n";
    assert_eq!(grant("gate-skip", &granted, now()), expected);
    granted.owes = Some(Owes { what: "review".into(), by: samples::at("2026-11-23T16:30:35Z") });
    assert!(
        grant("gate-skip", &granted, now())
            .contains("(in 4h) owes a review by 2026-11-23T16:30:35Z (in 1d) (opt")
    );
    let mut pending = samples::grant(Status::Pending);
    pending.approvals =
        Some(Approvals { needed: 2, given: vec!["bob".into()], from: vec!["group:security".into()] });
    let expected = "gate-skip: lint: pending: skip needs 1 approval from group:security (opt-out 41)\n";
    assert_eq!(grant("gate-skip", &pending, now()), expected);
    let mut denied = samples::grant(Status::Denied);
    denied.id = None;
    denied.gate = None;
    assert_eq!(grant("gate-skip", &denied, now()), "gate-skip: denied: rule 1 of lint allows it\n");
}

#[test]
fn a_verification_in_one_line() {
    let expected = "gate-verify: ok: 42 entries; unanchored; genesis: unpinned\n";
    assert_eq!(verification("gate-verify", &samples::verification(true)), expected);
    let mut bad = samples::verification(false);
    bad.first_bad =
        Some(FirstBad { seq: 42, reason: "hash-mismatch: edited".into(), code: "hash-mismatch".into() });
    bad.anchored = Some(Anchored { size: 40, origin: "example.com/x/1dea".into(), witnesses: vec![] });
    bad.genesis.pinned = true;
    bad.from = Some(Begun { size: 30, origin: "example.com/x/1dea".into() });
    bad.replay = Some(Replay { judged: 3, ..Replay::default() });
    bad.warnings.push(Warning {
        code: "reformatted".into(),
        message: String::new(),
        count: Some(2),
        seq: Some(1),
    });
    assert_eq!(
        verification("gate-verify", &bad),
        "gate-verify: not ok: entry 42: hash-mismatch: edited; before it: 42 entries; 40 of 42 entries by \
         example.com/x/1dea; from entry 30, those before it not looked at; 3 verdicts judged again: each as recorded; reformatted\n"
    );
}

#[test]
fn hostile_text_stays_on_its_line() {
    for verdict in [Verdict::Fail, Verdict::Skip, Verdict::Hold] {
        let line = decision("gate-check", &samples::hostile_decision(verdict), now());
        assert_eq!(line.matches('\n').count(), 1);
        crate::render::tests::assert_inert(&line);
    }
    crate::render::tests::assert_inert(&grant("gate-skip", &samples::hostile_grant(Status::Pending), now()));
}

#[test]
fn lost_races_and_a_clock_that_is_behind_are_said() {
    let mut late = samples::decision(Verdict::Pass);
    late.waived.clear();
    (late.lost, late.clock_ahead) = (2, Some(90));
    assert_eq!(
        decision("gate-check", &late, now()),
        "gate-check: lint: pass (status 1; the newest entry is 90 s ahead of this machine's clock, and opt-outs end that \
         much earlier; others wrote to the remote first, 2 times, and it was judged again; entry 42)\n"
    );
}
