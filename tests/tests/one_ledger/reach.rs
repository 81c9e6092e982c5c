//! Remotes that cannot be reached, or not written to: the gate is enforced without opt-outs, and what is known holds.

use crate::town::Town;

/// A town whose host is gone after the runner `a` has seen a skip.
fn cut_off() -> Town {
    let town = Town::git();
    town.runner("laptop").skip(&["lint", "--reason", "known", "--uses", "1"]).exits(0);
    town.runner("a").log(&["sync"]).exits(0);
    std::fs::rename(town.host(), town.house.outside("away.git")).unwrap();
    town
}

#[test]
fn a_gate_whose_remote_is_out_of_reach_is_enforced_without_opt_outs() {
    let town = cut_off();
    let (ran, decision) = town.runner("a").decide(&["false"]);
    ran.exits(1).says(&["as if there were no opt-outs"]);
    assert_eq!(decision["recorded"], serde_json::Value::Null);
    assert_eq!(decision["would_use"][0]["reason"], "known");
    town.runner("a").check(&["lint", "--", "true"]).exits(0);
}

#[test]
fn a_gate_that_requires_its_ledger_stops_without_its_remote() {
    cut_off().runner("a").check(&["deploy", "--", "true"]).exits(125).says(&["require_ledger"]);
}

#[test]
fn a_pause_that_the_working_copy_knows_holds_out_of_reach() {
    let town = Town::git();
    town.runner("laptop").skip(&["lint", "--action", "pause", "--reason", "freeze", "--ttl", "1h"]).exits(0);
    town.runner("a").log(&["sync"]).exits(0);
    std::fs::rename(town.host(), town.house.outside("away.git")).unwrap();
    let (ran, decision) = town.runner("a").decide(&["true"]);
    ran.exits(75);
    assert_eq!(decision["decision"], "hold");
}

#[test]
fn nothing_is_granted_out_of_reach() {
    cut_off().runner("a").skip(&["lint", "--reason", "x"]).exits(5).says(&["cannot be reached"]);
}

#[test]
fn the_text_under_review_cannot_hide_its_guard_behind_a_remote_that_nobody_reaches() {
    let town = cut_off();
    let fresh = town.runner("fresh");
    fresh.check(&["lint", "--", "true"]).exits(125).says(&["cannot tell who guards"]);
    // A revision is no text under review.
    fresh.check(&["lint", "--policy-ref", "refs/heads/main", "--", "true"]).exits(0);
}

#[test]
fn a_run_that_may_not_write_uses_no_opt_out_and_names_what_it_would_have_used() {
    let town = Town::git();
    town.runner("laptop").skip(&["lint", "--reason", "for the fork", "--action", "override"]).exits(0);
    town.close();
    let before = town.entries().len();
    let (ran, decision) = town.runner("fork").decide(&["false"]);
    ran.exits(1).says(&["forks may not write"]);
    assert_eq!(decision["would_use"][0]["reason"], "for the fork");
    assert_eq!(decision["grants"], serde_json::json!([]));
    town.runner("fork").check(&["deploy", "--", "true"]).exits(125).says(&["forks may not write"]);
    assert_eq!(town.entries().len(), before);
}

#[test]
fn a_skip_that_cannot_be_recorded_at_the_remote_is_not_used() {
    let town = Town::git();
    town.runner("laptop").skip(&["lint", "--reason", "skip it"]).exits(0);
    town.close();
    let (ran, decision) = town.runner("fork").decide(&["false"]);
    ran.exits(1);
    assert_eq!(decision["would_use"][0]["action"], "skip");
}
