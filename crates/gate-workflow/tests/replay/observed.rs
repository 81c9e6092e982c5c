//! Gates that are observed: what they come to is recorded and stops nobody, until their time is over.

use gate_model::action::Action;
use gate_model::decision::Verdict;
use serde_json::json;

use crate::ledger::{Forgery, assert_agrees, assert_forged};
use crate::world::{World, ask, finding};

/// A gate that is observed until an hour after the worlds of these tests begin.
const TRIAL: &str = "\
version = 1
[gates.lint]
mode = \"observe\"
until = \"2026-11-22T11:00:00Z\"
[[gates.lint.allow]]
actions = [\"skip\", \"override\", \"waive\", \"pause\"]
who = [\"*\"]
max_ttl = \"1d\"
max_uses = 5
";

#[test]
fn a_trial_stops_nobody_and_ends() {
    let world = World::new(TRIAL);
    for decision in
        [world.run("lint", 3), world.miss("lint"), world.judge("lint", vec![finding("A", "src/a", 1)])]
    {
        assert_eq!((decision.decision, decision.proceed), (Verdict::Fail, Some(true)));
        assert!(decision.only_observed().is_some() && decision.suggest.is_empty(), "{decision:?}");
    }
    world.pass(3_600);
    let decision = world.run("lint", 3);
    assert_eq!(
        (decision.decision, decision.proceed, decision.observed_until),
        (Verdict::Fail, Some(false), None)
    );
    assert_agrees(&world.entries());
}

#[test]
fn a_pause_holds_an_observed_gate_and_no_use_is_spent_by_what_nobody_enforces() {
    let world = World::new(TRIAL);
    world.ask("lint", ask(Action::Pause, 600));
    assert_eq!(world.run("lint", 0).proceed, Some(false));
    world.pass(600);
    let asked = gate_model::payload::Ask { max_uses: Some(1), ..crate::world::waive("A", "src/*", 1) };
    world.ask("lint", asked);
    let both = vec![finding("A", "src/a", 1), finding("B", "src/b", 1)];
    let decision = world.judge("lint", both);
    assert_eq!((decision.waived.len(), decision.proceed), (1, Some(true)));
    // It is there still for a run that it lets past.
    assert_eq!(world.judge("lint", vec![finding("A", "src/a", 1)]).decision, Verdict::Pass);
    assert_agrees(&world.entries());
}

#[test]
fn a_trial_that_is_over_or_was_ignored_is_named() {
    let world = World::new(TRIAL);
    world.run("lint", 1);
    let forged = Forgery::of(&world.entries()).decision(2, |data| data["proceed"] = json!(false)).entries();
    assert_forged(&forged, world.entries().len() as u64, "does not proceed with the verdict 'fail'");
    let world = World::new(TRIAL);
    world.pass(3_600);
    world.run("lint", 1);
    let forged = Forgery::of(&world.entries()).decision(2, |data| data["proceed"] = json!(true)).entries();
    assert_forged(&forged, world.entries().len() as u64, "proceeds with the verdict 'fail'");
}
