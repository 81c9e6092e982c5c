//! Renewals: what the tools record agrees with itself, and what somebody forged does not.

use gate_ledger::entry::{Entry, Kind};
use gate_ledger::store::{Access, Ledger};
use gate_model::action::Action;
use gate_model::decision::Verdict;
use gate_model::grant::{Grant, Status};
use gate_workflow::renewal::{self, Words};
use serde_json::json;

use crate::ledger::{Forgery, assert_agrees, assert_forged};
use crate::world::{POLICY, World, ask, finding, waive};

const RENEWABLE: &str = r#"
[gates.slow]
[[gates.slow.allow]]
actions = ["skip", "override"]
who = ["*"]
max_ttl = "4h"
max_renewals = 2

[gates.leads]
[[gates.leads.allow]]
actions = ["waive"]
who = ["*"]
max_ttl = "14d"
max_renewals = 1
approvals = { count = 1, from = ["group:leads"], assurance = "asserted" }
"#;

fn world() -> World {
    World::new(&format!("{POLICY}{RENEWABLE}"))
}

fn renew(world: &World, id: u64) -> Grant {
    let words = Words { reason: "it takes longer".to_owned(), ticket: None, ttl: None };
    let (gate, asked) = {
        let ledger = Ledger::open(&world.ledger_path(), Access::Read).unwrap();
        renewal::asked(&ledger.view(), &id.to_string(), &words).unwrap()
    };
    world.ask(&gate, asked)
}

fn id(grant: &Grant) -> u64 {
    assert_eq!(grant.status, Status::Granted, "{:?}", grant.reasons);
    grant.id.unwrap()
}

/// A ledger with an override at 2, its renewal at 3, and the end of the first at 4.
fn renewed() -> Vec<Entry> {
    let world = world();
    let first = id(&world.ask("slow", ask(Action::Override, 3_600)));
    id(&renew(&world, first));
    world.entries()
}

#[test]
fn a_renewal_takes_the_place_of_what_it_renews() {
    let world = world();
    let first = id(&world.ask("slow", ask(Action::Override, 3_600)));
    world.pass(3_000);
    let second = id(&renew(&world, first));
    world.pass(1_800);
    let decision = world.run("slow", 1);
    assert_eq!(decision.decision, Verdict::Override);
    assert_eq!(decision.grants.iter().map(|one| one.id).collect::<Vec<_>>(), [second]);
    let third = id(&renew(&world, second));
    let fourth = renew(&world, third);
    assert_eq!(fourth.status, Status::Denied);
    assert!(fourth.reasons[0].contains("this would be number 3"), "{:?}", fourth.reasons);
    world.revoke(&world.act("dave", &third.to_string(), "done"));
    assert_eq!(world.run("slow", 1).decision, Verdict::Fail, "nothing comes back to life");
    let ends = world.entries().iter().filter(|entry| entry.kind == Kind::Revocation).count();
    assert_eq!(ends, 3);
    assert_agrees(&world.entries());
}

#[test]
fn a_renewal_that_waits_leaves_the_one_before_until_it_is_approved() {
    let world = world();
    let asked = world.ask("leads", waive("A", "src/*", 1));
    let first = id(&world.approve(&world.act("erin", &asked.id.unwrap().to_string(), "ok")));
    let (one, two) =
        (|| vec![finding("A", "src/a", 1)], || [finding("A", "src/a", 1), finding("A", "src/b", 1)]);
    let waiting = renew(&world, first);
    assert_eq!(waiting.status, Status::Pending, "approvals are given anew");
    assert_eq!(world.judge("leads", one()).waived[0].grant, first);
    let second = id(&world.approve(&world.act("erin", &waiting.id.unwrap().to_string(), "ok")));
    assert_eq!(world.judge("leads", one()).waived[0].grant, second);
    assert_eq!(world.judge("leads", two().to_vec()).decision, Verdict::Fail, "they never both cover");
    assert_agrees(&world.entries());
}

#[test]
fn a_renewal_of_what_was_revoked_meanwhile_is_not_granted() {
    let world = world();
    let asked = world.ask("leads", waive("A", "src/*", 1));
    let first = id(&world.approve(&world.act("erin", &asked.id.unwrap().to_string(), "ok")));
    let waiting = renew(&world, first);
    world.revoke(&world.act("dave", &first.to_string(), "it was fixed"));
    let answer = world.approve(&world.act("erin", &waiting.id.unwrap().to_string(), "ok"));
    assert_eq!(answer.status, Status::Denied);
    assert!(answer.reasons[0].contains("cannot be renewed: entry"), "{:?}", answer.reasons);
    assert_agrees(&world.entries());
}

#[test]
fn two_renewals_of_one_opt_out_are_not_both_granted() {
    let world = world();
    let asked = world.ask("leads", waive("A", "src/*", 1));
    let first = id(&world.approve(&world.act("erin", &asked.id.unwrap().to_string(), "ok")));
    let waiting = [renew(&world, first), renew(&world, first)].map(|grant| grant.id.unwrap().to_string());
    let answers = waiting.map(|id| world.approve(&world.act("erin", &id, "ok")).status);
    assert_eq!(answers, [Status::Granted, Status::Denied]);
    assert_agrees(&world.entries());
}

#[test]
fn forged_renewals_are_named() {
    assert_agrees(&renewed());
    let forged = |change: fn(&mut serde_json::Value)| Forgery::of(&renewed()).data(3, change).entries();
    let fresh = forged(|data| data["renews"]["number"] = json!(2));
    let found = crate::ledger::replay(&fresh).replay.disagreements;
    assert!(
        found.iter().any(|one| one.seq == 3 && one.reason.contains("renewal 1 in a row, not 2")),
        "{found:?}"
    );
    for (member, value) in
        [("action", json!("skip")), ("scope", json!({"repository": "github.com/acme/pay"}))]
    {
        let mut entries = Forgery::of(&renewed());
        entries = entries.data(3, |data| data[member] = value);
        let found = crate::ledger::replay(&entries.entries()).replay.disagreements;
        assert!(found.iter().any(|one| one.seq == 3), "{member}: {found:?}");
    }
    let by = Forgery::of(&renewed()).edit(3, |draft| draft.actor["id"] = json!("github:mallory")).entries();
    let found = crate::ledger::replay(&by).replay.disagreements;
    assert!(found.iter().any(|one| one.seq == 3 && one.reason.contains("only they can")), "{found:?}");
}

#[test]
fn an_end_that_claims_a_renewal_is_named() {
    let world = world();
    world.ask("slow", ask(Action::Override, 3_600));
    world.ask("slow", ask(Action::Override, 3_600));
    let honest = world.entries();
    let end = renewed().remove(4);
    let grant = honest[2].hash.to_string();
    let at = honest[3].at.plus(1).unwrap();
    let forged =
        Forgery::of(&honest).append(&end, at, |draft| draft.data["subject"] = json!(grant)).entries();
    assert_forged(&forged, 4, "opt-out 3 does not renew it");
}

#[test]
fn a_renewal_that_leaves_out_the_end_of_what_it_renews_is_named() {
    let world = world();
    let first = id(&world.ask("slow", ask(Action::Override, 3_600)));
    let used = world.run("slow", 1);
    assert_eq!(used.decision, Verdict::Override);
    id(&renew(&world, first));
    let honest = world.entries();
    let cut = Forgery::of(&honest[..5]).decision(3, |_| {}).entries();
    assert_forged(&cut, 4, "renews opt-out 2, and the entry behind it does not end that");
}

/// Where somebody wrote that they renew what is not theirs, its uses are as right for replay as they were for the run.
#[test]
fn a_forged_renewal_ends_nothing_for_replay_that_it_does_not_end_for_a_run() {
    let world = world();
    let first = id(&world.ask("slow", ask(Action::Override, 3_600)));
    id(&renew(&world, first));
    let forged =
        Forgery::of(&world.entries()[..4]).edit(3, |draft| draft.actor["id"] = json!("github:mallory"));
    world.rewrite(&forged.entries());
    let decision = world.run("slow", 1);
    assert_eq!(decision.grants.iter().map(|one| one.id).collect::<Vec<_>>(), [first]);
    let found = crate::ledger::replay(&world.entries()).replay.disagreements;
    assert!(found.iter().all(|one| one.seq == 3) && !found.is_empty(), "{found:?}");
}
