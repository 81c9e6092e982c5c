//! The instant of a verdict: each says its own, is judged again at it, and cannot choose one that its neighbours deny.

use gate_ledger::entry::{Entry, Kind};
use gate_model::action::Action;
use gate_model::decision::Verdict;
use gate_model::payload::{Ask, ReviewVerdict};
use gate_model::time::Timestamp;
use serde_json::json;

use crate::ledger::{Forgery, assert_agrees, assert_forged, replay};
use crate::world::{POLICY, World, ask};

/// One entry of each kind of verdict.
fn each_verdict() -> Vec<Entry> {
    let world = World::new(POLICY);
    let skip = || ask(Action::Skip, 3_600);
    let id = |grant: gate_model::grant::Grant| grant.id.unwrap().to_string();
    world.ask("secrets", skip());
    let waiting = id(world.ask("deploy", skip()));
    world.approve(&world.act("mallory", &waiting, "let me"));
    world.approve(&world.act("erin", &waiting, "fine"));
    world.reject(&world.act("carol", &waiting, "no"));
    let granted = id(world.ask("lint", skip()));
    world.revoke(&world.act("dave", &granted, "done"));
    let owing = id(world.ask("deploy", Ask { break_glass: true, ..ask(Action::Override, 3_600) }));
    world.review(&world.act("carol", &owing, "right"), ReviewVerdict::Accepted);
    world.pass(60);
    world.run("tests", 0);
    world.entries()
}

#[test]
fn a_verdict_that_says_another_instant_than_its_neighbours_allow() {
    let entries = each_verdict();
    assert_agrees(&entries);
    let judged: Vec<&Entry> = entries.iter().filter(|entry| entry.data.get("judged_at").is_some()).collect();
    let kinds: Vec<Kind> = judged.iter().map(|entry| entry.kind).collect();
    let expected = [
        Kind::Denial,
        Kind::Request,
        Kind::Denial,
        Kind::Approval,
        Kind::Denial,
        Kind::Revocation,
        Kind::Review,
    ];
    assert_eq!(kinds, [expected.as_slice(), &[Kind::Decision]].concat());
    for entry in judged {
        for other in [entry.at.minus(3_600), entry.at.plus(3_600).unwrap()] {
            let forged = Forgery::of(&entries).data(entry.seq, |data| data["judged_at"] = json!(other));
            let found = replay(&forged.entries()).replay.disagreements;
            // What rests on a request is no better than that.
            assert!(
                found
                    .iter()
                    .any(|one| one.seq == entry.seq && one.reason.contains("says that it was judged at")),
                "{:?}: {found:#?}",
                entry.kind
            );
        }
    }
}

#[test]
fn a_verdict_that_does_not_say_its_instant() {
    let entries = each_verdict();
    for entry in entries.iter().filter(|entry| entry.data.get("judged_at").is_some()) {
        let forged = Forgery::of(&entries).data(entry.seq, |data| {
            data.as_object_mut().unwrap().remove("judged_at").unwrap();
        });
        let found = replay(&forged.entries()).replay.disagreements;
        let is_named = found.iter().any(|one| one.seq == entry.seq && one.reason.contains("cannot be read"));
        assert!(is_named, "{:?}: {found:#?}", entry.kind);
    }
}

/// A run at 2, a pause of an hour at 3, and the pause's time.
fn paused() -> (Vec<Entry>, Timestamp) {
    let world = World::new(POLICY);
    world.run("lint", 0);
    world.set("GITHUB_ACTOR", "carol");
    world.ask("lint", ask(Action::Pause, 3_600));
    let entries = world.entries();
    let at = entries[3].at;
    (entries, at)
}

/// The run again, decided at `end` and begun at `begin` after the pause was recorded.
fn run(entries: &[Entry], begin: Timestamp, end: Timestamp) -> Vec<Entry> {
    let seen = json!({"seq": 3, "hash": entries[3].hash.to_string()});
    let again = Forgery::of(entries).append(&entries[2], end, |draft| {
        draft.data["seen_head"] = seen;
        draft.data["begun_at"] = json!(begin);
    });
    again.entries()
}

#[test]
fn a_run_that_began_under_a_pause_and_ended_after_it() {
    let (entries, pause) = paused();
    let after = |seconds| pause.plus(seconds).unwrap();
    let words = "passes over the pause of opt-out 3";
    assert_forged(&run(&entries, after(1), after(2)), 4, words);
    assert_forged(&run(&entries, after(3_599), after(7_200)), 4, words);
    assert_agrees(&run(&entries, after(3_600), after(7_200)));
}

#[test]
fn a_run_that_says_it_began_when_the_pause_was_over() {
    let (entries, pause) = paused();
    let after = |seconds| pause.plus(seconds).unwrap();
    let words = "says that its gate began at";
    assert_forged(&run(&entries, after(3_600), after(600)), 4, words);
    assert_forged(&run(&entries, pause.minus(1), after(600)), 4, words);
    let unsaid = Forgery::of(&run(&entries, after(3_600), after(7_200))).data(4, |data| {
        data.as_object_mut().unwrap().remove("begun_at").unwrap();
    });
    assert_forged(&unsaid.entries(), 4, "does not say when the gate began");
}

#[test]
fn clocks_that_went_back_while_a_gate_ran() {
    for seconds in [1, 299, 301, 86_400] {
        let world = World::new(POLICY);
        world.ask("lint", ask(Action::Override, 3_600));
        world.pass(600);
        let now = world.now();
        assert_eq!(
            world.run_while("lint", 1, || world.set_now(now.minus(seconds))).decision,
            Verdict::Override
        );
        assert_agrees(&world.entries());
    }
}
