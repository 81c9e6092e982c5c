use super::{entries, entry, entry_line};
use crate::render::samples::{HOSTILE, view};
use serde_json::{Value, json};

fn grant() -> Value {
    json!({
        "actor": {"assurance": "asserted", "id": "github:carol", "via": "github"},
        "at": "2026-11-22T14:30:35.123456Z",
        "data": {"action": "skip", "reason": "flaky", "scope": {"commit": "c0ffee"}, "approvals": [3, 5],
                 "findings": [{"rule": "B101", "count": 1}]},
        "gate": "lint", "hash": "b3:41", "kind": "grant", "ledger": "1dea", "prev": "b3:40", "ref": 41, "seq": 41, "v": 1,
    })
}

fn decision() -> Value {
    json!({"at": "2026-11-22T15:30:35.000000Z", "data": {"decision": "skip", "grants": [41], "reasons": ["it is skipped."]},
           "gate": "lint", "kind": "decision", "seq": 42})
}

#[test]
fn a_list_is_a_table() {
    let expected = "\
┌─────┬──────────────────────┬──────────┬──────┬──────────────┬────────────────────────────┐
│ seq ┆ at                   ┆ kind     ┆ gate ┆ actor        ┆ what                       │
╞═════╪══════════════════════╪══════════╪══════╪══════════════╪════════════════════════════╡
│ 41  ┆ 2026-11-22T14:30:35Z ┆ grant    ┆ lint ┆ github:carol ┆ skip: flaky                │
│ 42  ┆ 2026-11-22T15:30:35Z ┆ decision ┆ lint ┆              ┆ skip by 41: it is skipped. │
└─────┴──────────────────────┴──────────┴──────┴──────────────┴────────────────────────────┘
";
    assert_eq!(entries(&[grant(), decision()], &view()), expected);
    assert_eq!(entries(&[], &view()), "");
}

#[test]
fn a_followed_entry_is_a_line() {
    let line = "42  2026-11-22T15:30:35Z  decision  lint  skip by 41: it is skipped.\n";
    assert_eq!(entry_line(&decision()), line);
}

#[test]
fn one_entry_shows_every_member() {
    let expected = "\
entry 41: grant
  actor.assurance        asserted
  actor.id               github:carol
  actor.via              github
  at                     2026-11-22T14:30:35.123456Z (1h ago)
  data.action            skip
  data.approvals         3, 5
  data.findings.0.count  1
  data.findings.0.rule   B101
  data.reason            flaky
  data.scope.commit      c0ffee
  gate                   lint
  hash                   b3:41
  kind                   grant
  ledger                 1dea
  prev                   b3:40
  ref                    41
  seq                    41
  v                      1
";
    assert_eq!(entry(&grant(), &view()), expected);
}

#[test]
fn a_policy_is_shown_line_by_line() {
    let policy = json!({"seq": 1, "kind": "policy", "data": {"text": "version = 1\n::error::x\n\u{1b}[2J"}});
    let text = entry(&policy, &view());
    assert!(
        text.contains("  data.text\n    | version = 1\n    | :\\u{3a}error::x\n    | \\u{1b}[2J\n"),
        "{text}"
    );
}

#[test]
fn an_entry_of_any_shape_is_shown_inert() {
    let name = HOSTILE.to_owned();
    let odd = [
        json!(null),
        json!([1, {"a": HOSTILE}]),
        json!({"seq": HOSTILE, "at": HOSTILE, "data": {name: [HOSTILE]}}),
        json!({"seq": -1, "data": HOSTILE, "actor": [HOSTILE]}),
    ];
    for value in &odd {
        for text in [entry(value, &view()), entry_line(value), entries(std::slice::from_ref(value), &view())]
        {
            crate::render::tests::assert_inert(&text);
        }
    }
}

#[test]
fn an_opt_out_is_named_once_and_a_denial_says_what_was_wanted_and_why_not() {
    let mut skipped = decision();
    skipped["data"]["reasons"] = json!(["the gate is skipped by carol (opt-out 41): flaky"]);
    assert!(entry_line(&skipped).ends_with("lint  skip: the gate is skipped by carol (opt-out 41): flaky\n"));
    let mut denied = grant();
    (denied["kind"], denied["data"]["reasons"]) = (json!("denial"), json!(["rule 1 needs a ticket"]));
    assert!(entry_line(&denied).ends_with("skip: flaky; rule 1 needs a ticket\n"), "{}", entry_line(&denied));
}
