//! Documents for the tests of the renderers: a plain one with known text, and a hostile one.

use gate_model::action::Action;
use gate_model::context::{Context, Run};
use gate_model::decision::{Decision, OptOut, PolicyUsed, ReportPart, SCHEMA, Suggestion, Verdict, Waived};
use gate_model::finding::{Evidence, Finding};
use gate_model::grant::{self, Approvals, Grant, Owes, Status};
use gate_model::level::Level;
use gate_model::principal::{Assurance, Principal};
use gate_model::request::SeenHead;
use gate_model::scope::Scope;
use gate_model::time::Timestamp;
use gate_model::verification::{self, Genesis, Verification, Warning};

use super::View;

pub(super) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub(super) fn view() -> View {
    View { width: None, colour: false, now: at("2026-11-22T16:30:35Z") }
}

/// What an attacker would put into a name, a reason or a report.
pub(super) const HOSTILE: &str = "::set-output name=a::b\r\n::error::x \u{1b}]0;t\u{7}\u{1b}[2J\u{9b}31m\u{202e}\u{200b}##vso[task.complete result=Succeeded] \
     ##[set-env name=A]b <script>alert(1)</script> ]]> &amp; ' \" =cmd|'/C calc'!A0 | a |\n| --- | [l](javascript:x) ![i](x) @team \
     `c` %0A::error::y, {0} \\ www.evil.example\u{ffff}";

fn finding(rule: &str, message: &str) -> Finding {
    Finding {
        rule: rule.into(),
        level: Level::Error,
        message: message.into(),
        path: None,
        line: None,
        fingerprint: "f1".into(),
        fingerprints: std::collections::BTreeMap::new(),
        around: None,
        identified_by: None,
        package: None,
        tool: None,
        fix: None,
        security_severity: None,
    }
}

pub(super) fn opt_out(id: u64, action: Action) -> OptOut {
    OptOut {
        id,
        action,
        by: "alice@example.com".into(),
        reason: "fix is in review".into(),
        expires: at("2026-11-22T20:30:35Z"),
        note: None,
    }
}

/// One finding that blocks, one that is waived, as far as `verdict` allows.
pub(super) fn decision(verdict: Verdict) -> Decision {
    let blocking = Finding {
        path: Some("src/app.py".into()),
        line: Some(12),
        ..finding("B101", "Use of assert detected.")
    };
    let waived = Finding {
        package: Some("log4j-core".into()),
        fingerprint: "f2".into(),
        ..finding("CVE-2021-44228", "CVE in log4j")
    };
    Decision {
        schema: SCHEMA.into(),
        decision: verdict,
        proceed: verdict.proceeds(),
        observed_until: None,
        gate: "lint".into(),
        blocking: vec![blocking],
        waived: vec![Waived { finding: waived, grant: 41, moved_from: None }],
        below_threshold: 3,
        passed: 1,
        suppressed: 0,
        absent: 0,
        grants: vec![opt_out(41, Action::Waive)],
        unneeded: Vec::new(),
        would_use: Vec::new(),
        ending: Vec::new(),
        reasons: vec!["1 finding blocks.".into()],
        notices: Vec::new(),
        suggest: vec![Suggestion {
            purpose: "accept this finding".into(),
            command: "gate-skip lint --waive rule=B101,path=src/app.py --reason WHY".into(),
            argv: ["gate-skip", "lint", "--waive", "rule=B101,path=src/app.py", "--reason", "WHY"]
                .map(Into::into)
                .into(),
        }],
        suggest_all: None,
        policy: PolicyUsed { digest: "b3:00".into(), source: "worktree".into() },
        report: None,
        reports: Vec::new(),
        status: Some(1),
        context: Context { commit: Some("c0ffee".into()), ..Context::default() },
        at: at("2026-11-22T16:30:35.123456Z"),
        judge: 1,
        recorded: Some(42),
        waiting: false,
        lost: 0,
        clock_ahead: None,
    }
}

/// A decision with hostile text wherever text can stand.
pub(super) fn hostile_decision(verdict: Verdict) -> Decision {
    let h = || HOSTILE.to_owned();
    let finding = Finding {
        rule: h(),
        level: Level::Error,
        message: h(),
        path: Some(h()),
        line: Some(1),
        fingerprint: h(),
        fingerprints: [(h(), h())].into(),
        around: None,
        identified_by: None,
        package: Some(h()),
        tool: Some(h()),
        fix: Some(h()),
        security_severity: None,
    };
    let opt_out = OptOut { by: h(), reason: h(), note: Some(h()), ..opt_out(41, Action::Waive) };
    Decision {
        gate: h(),
        blocking: vec![finding.clone(); 12],
        waived: vec![Waived { finding, grant: 41, moved_from: None }],
        grants: vec![opt_out.clone()],
        unneeded: vec![opt_out.clone()],
        would_use: Vec::new(),
        ending: vec![opt_out],
        reasons: vec![h(), h()],
        notices: vec![h()],
        suggest: vec![Suggestion { purpose: h(), command: h(), argv: vec![h()] }; 12],
        suggest_all: Some(Suggestion { purpose: h(), command: h(), argv: vec![h()] }),
        policy: PolicyUsed { digest: h(), source: h() },
        report: Some(h()),
        reports: vec![ReportPart { name: h(), digest: h() }],
        context: Context {
            provider: Some(h()),
            repository: Some(h()),
            git_ref: Some(h()),
            commit: Some(h()),
            environment: Some(h()),
            change: Some(h()),
            run: Some(Run { id: h(), attempt: Some(2), url: Some(h()) }),
            conflicts: vec![h()],
            ..Context::default()
        },
        ..decision(verdict)
    }
}

pub(super) fn grant(status: Status) -> Grant {
    Grant {
        schema: grant::SCHEMA.into(),
        status,
        id: Some(41),
        gate: Some("lint".into()),
        action: Some(Action::Skip),
        scope: Some(Scope { commit: Some("c0ffee".into()), ..Scope::default() }),
        findings: Vec::new(),
        not_before: Some(at("2026-11-22T16:30:35Z")),
        expires: Some(at("2026-11-22T20:30:35Z")),
        max_uses: Some(1),
        renews: None,
        by: Some(Principal::asserted("github", "carol")),
        approvals: None,
        owes: None,
        reasons: vec!["rule 1 of lint allows it.".into()],
        seq: Some(41),
    }
}

pub(super) fn hostile_grant(status: Status) -> Grant {
    let h = || HOSTILE.to_owned();
    Grant {
        gate: Some(h()),
        scope: Some(Scope { commit: Some(h()), git_ref: Some(h()), ..Scope::default() }),
        findings: vec![Evidence {
            rule: h(),
            level: Level::Error,
            count: 2,
            path: Some(h()),
            package: Some(h()),
            fingerprint: Some(h()),
            fingerprints: std::collections::BTreeMap::from([(h(), h())]),
            tool: Some(h()),
            security_severity: Some("7.5".parse().unwrap()),
            fixable: true,
            lines: vec![7],
            around: vec![h()],
        }],
        by: Some(Principal { id: h(), assurance: Assurance::Signed, via: h(), key: Some(h()), issuer: None }),
        approvals: Some(Approvals { needed: 2, given: vec![h()], from: vec![h()] }),
        owes: Some(Owes { what: h(), by: at("2026-11-23T16:30:35Z") }),
        reasons: vec![h()],
        ..grant(status)
    }
}

pub(super) fn verification(ok: bool) -> Verification {
    Verification {
        schema: verification::SCHEMA.into(),
        ok,
        entries: 42,
        head: Some(SeenHead { seq: 41, hash: "b3:41".into() }),
        ledger: Some("1dea".into()),
        genesis: Genesis { hash: Some("b3:00".into()), pinned: false },
        from: None,
        archived: None,
        anchored: None,
        first_bad: None,
        warnings: vec![Warning {
            code: "unanchored".into(),
            message: "no checkpoint was given".into(),
            count: None,
            seq: None,
        }],
        replay: None,
    }
}
