//! Ends of pauses that somebody forged who can write entries, keep the chain whole, and sign nothing: the gate stays
//! paused, and replay agrees.

use gate_ledger::entry::{Entry, Kind};
use gate_ledger::store::{Access, Ledger};
use gate_model::action::Action;
use gate_model::decision::Verdict;
use gate_model::payload::{Ask, ReviewVerdict};
use gate_workflow::ownership::guardian;
use gate_workflow::policies::Policies;
use serde_json::json;

use crate::ledger::{Forgery, assert_agrees, replay};
use crate::world::{POLICY, World, ask};

/// Pauses that owe a review, and pauses that somebody approves.
const REVIEWED: &str = r#"
version = 1
[gates.lint]
[[gates.lint.allow]]
actions = ["pause"]
who = ["github:carol"]
assurance = "asserted"
break_glass = true
max_ttl = "2d"
review_within = "1d"
reviewers = ["github:erin", "github:frank"]

[gates.tests]
[[gates.tests.allow]]
actions = ["pause"]
who = ["*"]
max_ttl = "2d"
approvals = { count = 1, from = ["github:erin"], assurance = "asserted" }
"#;

/// A world in which carol paused `lint`, with the pause at 2.
fn paused(policy: &str, ask: Ask) -> World {
    let world = World::new(policy);
    world.set("GITHUB_ACTOR", "carol");
    world.ask("lint", ask);
    world.set("GITHUB_ACTOR", "dave");
    world
}

/// The entries with one more, which is made from the last of `honest`.
fn forged(honest: &[Entry], forge: impl FnOnce(Forgery) -> Forgery) -> Vec<Entry> {
    forge(Forgery::of(honest)).entries()
}

/// Puts `entries` in the ledger's place: the gate must be paused still, and replay must name `wrong` and nothing else.
#[track_caller]
fn holds(world: &World, gate: &str, entries: &[Entry], wrong: &[u64]) {
    world.rewrite(entries);
    world.pass(300);
    let decision = world.run(gate, 0);
    assert_eq!(decision.decision, Verdict::Hold, "{:?}", decision.reasons);
    let words = format!("entry {} would end the pause", wrong.last().unwrap());
    assert!(decision.reasons.iter().any(|reason| reason.starts_with(&words)), "{:?}", decision.reasons);
    let found = replay(&world.entries()).replay;
    let named: Vec<u64> = found.disagreements.iter().map(|one| one.seq).collect();
    assert_eq!(named, wrong, "{:?}", found.disagreements);
}

#[test]
fn a_forged_revocation_of_a_stranger_ends_no_pause() {
    let world = paused(POLICY, ask(Action::Pause, 3_600));
    let pause = world.entries();
    world.resume("lint", &world.act("erin", "", "over"));
    let honest = world.entries();
    let stranger =
        Forgery::of(&honest).edit(3, |draft| draft.actor["id"] = json!("github:mallory")).entries();
    holds(&world, "lint", &stranger, &[3]);
    // Known less well than whoever paused, about another entry, under a policy that nobody recorded, and no words at all.
    let other =
        Forgery::of(&honest).data(3, |data| data["subject"] = json!(pause[1].hash.to_string())).entries();
    holds(&world, "lint", &other, &[3]);
    let none = format!("b3:{}", "0".repeat(64));
    let unknown = Forgery::of(&honest).data(3, |data| data["policy"]["digest"] = json!(none)).entries();
    holds(&world, "lint", &unknown, &[3]);
    let empty = Forgery::of(&honest).data(3, |data| *data = json!({})).entries();
    holds(&world, "lint", &empty, &[3]);
    let signed = Forgery::of(&honest).edit(3, |draft| draft.actor["assurance"] = json!("signed")).entries();
    holds(&world, "lint", &signed, &[3]);
}

#[test]
fn a_policy_of_the_forgers_own_lets_nobody_end_a_pause() {
    let world = paused(POLICY, ask(Action::Pause, 3_600));
    let leads = "actions = [\"pause\"]\nwho = [\"group:leads\"]";
    let own = POLICY.replace(leads, &leads.replace("group:leads", "*"));
    world.write("gate.toml", &own);
    world.resume("lint", &world.act("mallory", "", "my own rules"));
    world.write("gate.toml", POLICY);
    let entries = world.entries();
    world.pass(60);
    assert_eq!(world.run("lint", 0).decision, Verdict::Hold);
    assert_agrees(&world.entries());
    // Under the rules that she wrote it ended.
    world.rewrite(&entries);
    world.write("gate.toml", &own);
    assert_eq!(world.run("lint", 0).decision, Verdict::Pass);
    assert_agrees(&world.entries());
}

#[test]
fn a_forged_rejection_by_a_reviewer_ends_no_pause() {
    let broken = Ask { break_glass: true, ..ask(Action::Pause, 3_600) };
    let world = paused(REVIEWED, broken);
    world.review(&world.act("erin", "2", "no"), ReviewVerdict::Rejected);
    let honest = world.entries();
    for who in ["github:carol", "github:mallory"] {
        let forged = Forgery::of(&honest).edit(3, |draft| draft.actor["id"] = json!(who)).entries();
        holds(&world, "lint", &forged, &[3]);
    }
    let odd = Forgery::of(&honest).data(3, |data| data["verdict"] = json!("whatever")).entries();
    holds(&world, "lint", &odd, &[3]);
    // The reviewer's own word does.
    world.rewrite(&honest);
    world.pass(60);
    assert_eq!(world.run("lint", 0).decision, Verdict::Pass);
    assert_agrees(&world.entries());
}

#[test]
fn a_rejection_of_what_owes_no_review_ends_no_pause() {
    let world = paused(POLICY, ask(Action::Pause, 3_600));
    world.resume("lint", &world.act("erin", "", "over"));
    let honest = world.entries();
    let review = Forgery::of(&honest).edit(3, |draft| {
        draft.kind = Kind::Review;
        draft.data["verdict"] = json!("rejected");
    });
    holds(&world, "lint", &review.entries(), &[3]);
    let denial = Forgery::of(&honest).edit(3, |draft| draft.kind = Kind::Denial).entries();
    world.rewrite(&denial);
    world.pass(60);
    assert_eq!(world.run("lint", 0).decision, Verdict::Hold);
    assert_eq!(replay(&world.entries()).replay.disagreements.len(), 1);
}

#[test]
fn somebody_who_forged_an_approval_is_no_approver_and_ends_no_pause() {
    let world = World::new(REVIEWED);
    let id = world.ask("tests", ask(Action::Pause, 3_600)).id.unwrap().to_string();
    world.approve(&world.act("erin", &id, "right"));
    world.revoke(&world.act("erin", &id, "over"));
    let honest = world.entries();
    assert_agrees(&honest);
    // Behind the grant at 4, and before it, where it stands among the approvals that the grant names.
    let behind =
        forged(&honest[..5], |forgery| {
            forgery
                .append(&honest[3], honest[4].at, |draft| draft.actor["id"] = json!("github:mallory"))
                .append(&honest[5], honest[5].at, |draft| draft.actor["id"] = json!("github:mallory"))
        });
    holds(&world, "tests", &behind, &[5, 6]);
    world.rewrite(&honest);
    world.pass(60);
    assert_eq!(world.run("tests", 0).decision, Verdict::Pass);
}

#[test]
fn a_resume_by_somebody_who_may_ends_every_pause_and_the_next_one_holds() {
    let world = paused(POLICY, ask(Action::Pause, 3_600));
    world.set("GITHUB_ACTOR", "erin");
    world.ask("lint", ask(Action::Pause, 7_200));
    world.resume("lint", &world.act("frank", "", "over"));
    assert_eq!(world.run("lint", 0).decision, Verdict::Pass);
    world.set("GITHUB_ACTOR", "carol");
    world.ask("lint", ask(Action::Pause, 3_600));
    assert_eq!(world.run("lint", 0).decision, Verdict::Hold);
    assert_agrees(&world.entries());
}

/// The end of a pause counts as long as whoever gave it may give it, as a grant does.
#[test]
fn a_pause_holds_again_where_nobody_would_let_its_ender_end_it_today() {
    let world = paused(POLICY, ask(Action::Pause, 3_600));
    world.resume("lint", &world.act("frank", "", "over"));
    assert_eq!(world.run("lint", 0).decision, Verdict::Pass);
    world.write("gate.toml", &POLICY.replace(", \"github:frank\"", ""));
    assert_eq!(world.run("lint", 0).decision, Verdict::Hold);
    world.resume("lint", &world.act("erin", "", "over, I say"));
    assert_eq!(world.run("lint", 0).decision, Verdict::Pass);
    assert_agrees(&world.entries());
}

/// A row that claims the digest of a policy and holds another text stops whoever reads the work tree's policy, and takes
/// nothing away from what was judged by the text.
#[test]
fn a_damaged_policy_under_the_digest_of_another_drops_no_pause_and_no_grant() {
    let world = paused(POLICY, ask(Action::Pause, 3_600));
    let entries = forged(&world.entries(), |forgery| {
        forgery.add(1, |draft, _| draft.data["text"] = json!("version = 1"))
    });
    world.rewrite(&entries);
    let ledger = Ledger::open(&world.ledger_path(), Access::Read).unwrap();
    let digest = entries[1].data["digest"].as_str().unwrap();
    let kept = Policies::default().get(&ledger.view(), digest).unwrap().unwrap();
    assert_eq!(kept.data.text, POLICY);
    assert!(
        guardian(&ledger.view(), None).unwrap_err().to_string().contains("cannot tell who guards the policy")
    );
    let found = replay(&entries).replay.disagreements;
    assert_eq!(found.iter().map(|one| one.seq).collect::<Vec<_>>(), [3]);
}

/// What is left out of a rehearsal's answer is the ID that it never had, not the remedy for what is there.
#[test]
fn a_rehearsal_keeps_the_command_that_would_help() {
    let world = World::new(REVIEWED);
    world.set("GITHUB_ACTOR", "carol");
    let pause = || Ask { break_glass: true, ..ask(Action::Pause, 3_600) };
    let before = world.rehearse("lint", pause());
    assert!(before.id.is_none() && before.seq.is_none() && before.owes.is_some());
    assert!(!before.reasons.join(" ").contains("gate-skip"), "{:?}", before.reasons);
    let id = world.ask("lint", pause()).id.unwrap();
    world.pass(2 * 86_400);
    let denied = world.rehearse("lint", pause()).reasons.join(" ");
    assert!(denied.contains(&format!("gate-skip review {id}")), "{denied}");
}
