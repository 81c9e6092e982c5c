//! Somebody asks, or reviews, by a policy of their own: a text that is in nobody's work tree but theirs. What comes of it
//! counts only as far as the policy that judges the gate gives as much, and replay agrees.

use gate_ledger::entry::{Entry, Kind};
use gate_model::action::Action;
use gate_model::decision::Verdict;
use gate_model::grant::Status;
use gate_model::payload::{Ask, ReviewVerdict};
use serde_json::json;

use crate::ledger::{Forgery, assert_agrees, replay};
use crate::world::{World, ask};

/// One gate for each thing that a rule asks for before it grants.
const POLICY: &str = r#"
version = 1

[gates.approved]
[[gates.approved.allow]]
actions = ["skip"]
who = ["*"]
max_ttl = "7d"
approvals = { count = 1, from = ["github:erin"], assurance = "asserted" }

[gates.counted]
[[gates.counted.allow]]
actions = ["skip"]
who = ["*"]
max_ttl = "7d"
max_uses = 1

[gates.rationed]
[[gates.rationed.allow]]
actions = ["skip"]
who = ["*"]
max_ttl = "7d"
quota = { max = 1, per = "7d", by = "principal" }

[gates.urgent]
[[gates.urgent.allow]]
actions = ["skip"]
who = ["*"]
max_ttl = "7d"
break_glass = true
review_within = "1d"
reviewers = ["github:erin"]
"#;

fn skip(gate: &str) -> Ask {
    Ask { break_glass: gate == "urgent", ..ask(Action::Skip, 3_600) }
}

/// Asks by a text in which `line` of the gate's rule reads `instead`, and puts the policy back.
fn ask_by_own_rules(world: &World, gate: &str, line: &str, instead: &str) {
    assert!(POLICY.contains(line));
    world.write("gate.toml", &POLICY.replace(line, instead));
    assert_eq!(world.ask(gate, skip(gate)).status, Status::Granted);
    world.write("gate.toml", POLICY);
}

#[track_caller]
fn blocks(world: &World, gate: &str, why: &str) {
    let decision = world.run(gate, 1);
    assert_eq!(decision.decision, Verdict::Fail, "{:?}", decision.reasons);
    assert!(decision.reasons.iter().any(|reason| reason.contains(why)), "{:?}", decision.reasons);
    assert_agrees(&world.entries());
}

#[track_caller]
fn passes(world: &World, gate: &str) {
    let decision = world.run(gate, 1);
    assert_eq!(decision.decision, Verdict::Skip, "{:?}", decision.reasons);
    assert_agrees(&world.entries());
}

#[test]
fn approvals_that_the_requesters_own_rules_do_not_ask_for_are_missing() {
    let world = World::new(POLICY);
    let line = "approvals = { count = 1, from = [\"github:erin\"], assurance = \"asserted\" }";
    ask_by_own_rules(&world, "approved", line, "");
    blocks(&world, "approved", "needs approvals: 0 of 1 are there");
    // Approved by somebody who approves by the requester's own rules alone.
    let world = World::new(POLICY);
    world.write("gate.toml", &POLICY.replace("from = [\"github:erin\"]", "from = [\"github:mallory\"]"));
    let id = world.ask("approved", skip("approved")).id.unwrap().to_string();
    assert_eq!(world.approve(&world.act("mallory", &id, "why not")).status, Status::Granted);
    world.write("gate.toml", POLICY);
    blocks(&world, "approved", "needs approvals: 0 of 1 are there");
    // Erin's approval is one by either policy.
    let world = World::new(POLICY);
    world.write(
        "gate.toml",
        &POLICY.replace("assurance = \"asserted\" }", "assurance = \"asserted\" } # edited"),
    );
    let id = world.ask("approved", skip("approved")).id.unwrap().to_string();
    assert_eq!(world.approve(&world.act("erin", &id, "right")).status, Status::Granted);
    world.write("gate.toml", POLICY);
    passes(&world, "approved");
}

#[test]
fn uses_that_the_requesters_own_rules_do_not_limit_are_too_many() {
    let world = World::new(POLICY);
    ask_by_own_rules(&world, "counted", "max_uses = 1", "");
    blocks(&world, "counted", "asks for fewer uses");
    let world = World::new(POLICY);
    ask_by_own_rules(&world, "counted", "max_uses = 1", "max_uses = 1 # edited");
    passes(&world, "counted");
}

#[test]
fn grants_that_the_requesters_own_rules_do_not_count_fill_the_quota_all_the_same() {
    let world = World::new(POLICY);
    let line = "quota = { max = 1, per = \"7d\", by = \"principal\" }";
    ask_by_own_rules(&world, "rationed", line, "");
    passes(&world, "rationed");
    world.pass(3_600);
    ask_by_own_rules(&world, "rationed", line, "quota = { max = 9, per = \"7d\", by = \"principal\" }");
    blocks(&world, "rationed", "has a quota of 1 in 7d");
    // The one that did not count took a place, too; once it is older there is one again.
    world.pass(6 * 86_400);
    ask_by_own_rules(&world, "rationed", line, "");
    blocks(&world, "rationed", "has a quota of 1 in 7d");
    world.pass(7 * 86_400);
    ask_by_own_rules(&world, "rationed", line, "");
    passes(&world, "rationed");
}

#[test]
fn a_review_that_the_requesters_own_rules_do_not_ask_for_is_owed() {
    let due = "review_within = \"1d\"";
    for instead in ["review_within = \"300d\"", "review_within = \"25h\""] {
        let world = World::new(POLICY);
        ask_by_own_rules(&world, "urgent", due, instead);
        blocks(&world, "urgent", "asks for a review by");
    }
    let world = World::new(POLICY);
    ask_by_own_rules(&world, "urgent", due, "review_within = \"2h\"");
    passes(&world, "urgent");
}

/// A world in which dave broke the glass of `urgent`, with the grant at 2; it is over, and its review is overdue.
fn indebted() -> World {
    let world = World::new(POLICY);
    assert_eq!(world.ask("urgent", skip("urgent")).status, Status::Granted);
    world.pass(2 * 86_400);
    world
}

#[track_caller]
fn owes(world: &World) {
    let decision = world.run("urgent", 0);
    let overdue = "the review of break-glass opt-out 2 by github:dave is overdue";
    assert!(decision.reasons.iter().any(|reason| reason.starts_with(overdue)), "{:?}", decision.reasons);
    let denied = world.ask("urgent", skip("urgent"));
    assert_eq!(denied.status, Status::Denied, "{:?}", denied.reasons);
}

#[track_caller]
fn owes_nothing(world: &World) {
    let decision = world.run("urgent", 0);
    assert!(!decision.reasons.iter().any(|reason| reason.contains("overdue")), "{:?}", decision.reasons);
    assert_eq!(world.ask("urgent", skip("urgent")).status, Status::Granted);
}

#[test]
fn a_review_by_rules_of_the_reviewers_own_settles_nothing() {
    let world = indebted();
    let own = POLICY.replace("reviewers = [\"github:erin\"]", "reviewers = [\"github:mallory\"]");
    world.write("gate.toml", &own);
    world.review(&world.act("mallory", "2", "fine, I say"), ReviewVerdict::Accepted);
    world.write("gate.toml", POLICY);
    owes(&world);
    // It can be reviewed still, and then it is.
    world.review(&world.act("erin", "2", "it was an emergency"), ReviewVerdict::Accepted);
    owes_nothing(&world);
    assert_agrees(&world.entries());
}

#[test]
fn a_review_counts_by_the_rules_of_its_grant_or_by_those_of_today() {
    let world = indebted();
    world.review(&world.act("erin", "2", "it was an emergency"), ReviewVerdict::Accepted);
    // Erin has left since.
    world.write(
        "gate.toml",
        &POLICY.replace("reviewers = [\"github:erin\"]", "reviewers = [\"github:frank\"]"),
    );
    owes_nothing(&world);
    assert_agrees(&world.entries());
    // Frank came after the grant.
    let world = indebted();
    world.write(
        "gate.toml",
        &POLICY.replace("reviewers = [\"github:erin\"]", "reviewers = [\"github:frank\"]"),
    );
    world.review(&world.act("frank", "2", "it was an emergency"), ReviewVerdict::Accepted);
    owes_nothing(&world);
    assert_agrees(&world.entries());
}

/// Puts in the ledger a review that somebody forged who can write entries and keep the chain whole, and nothing else.
#[track_caller]
fn forged(honest: &[Entry], forge: impl FnOnce(Forgery) -> Forgery) {
    let world = indebted();
    let entries = forge(Forgery::of(honest)).entries();
    let review = entries.iter().rfind(|entry| entry.kind == Kind::Review).unwrap().seq;
    world.rewrite(&entries);
    owes(&world);
    let decision = world.run("urgent", 0);
    let doubt = format!("entry {review} is a review that does not count");
    assert!(decision.reasons.iter().any(|reason| reason.starts_with(&doubt)), "{:?}", decision.reasons);
    world.review(&world.act("erin", "2", "it was an emergency"), ReviewVerdict::Accepted);
    owes_nothing(&world);
    let found = replay(&world.entries()).replay;
    let named: Vec<u64> = found.disagreements.iter().map(|one| one.seq).collect();
    assert_eq!(named, [review], "{:?}", found.disagreements);
}

#[test]
fn a_forged_review_settles_nothing() {
    let world = indebted();
    world.review(&world.act("erin", "2", "it was an emergency"), ReviewVerdict::Accepted);
    let honest = world.entries();
    for who in ["github:dave", "github:mallory"] {
        forged(&honest, |forgery| forgery.edit(3, |draft| draft.actor["id"] = json!(who)));
    }
    forged(&honest, |forgery| forgery.edit(3, |draft| draft.actor["assurance"] = json!("signed")));
    let genesis = honest[0].hash.to_string();
    forged(&honest, |forgery| forgery.data(3, |data| data["subject"] = json!(genesis)));
    let none = format!("b3:{}", "0".repeat(64));
    forged(&honest, |forgery| forgery.data(3, |data| data["policy"]["digest"] = json!(none)));
    forged(&honest, |forgery| forgery.data(3, |data| *data = json!({})));
}
