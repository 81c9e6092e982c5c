//! What replay would name, the live path does not use: each forged grant is put into a ledger, and opens nothing there.

use gate_ledger::entry::{Entry, Kind};
use gate_model::action::Action;
use gate_model::decision::Verdict;
use gate_model::payload::{Ask, ReviewVerdict, Verb};
use serde_json::json;

use crate::golden::Workshop;
use crate::ledger::{Forgery, assert_agrees, assert_forged, replay, restart, without};
use crate::world::{POLICY, World, ask};

/// Lets the forged entries be the ledger at the time of the newest one, and runs `gate` there.
fn runs(world: &World, entries: &[Entry], gate: &str) -> Verdict {
    world.rewrite(entries);
    world.set_now(entries.last().unwrap().at);
    world.run(gate, 1).decision
}

/// The forged entries' last grant is named by replay for a reason with `words`, and a failing command stays one.
#[track_caller]
fn neither_agrees_nor_counts(world: &World, entries: &[Entry], gate: &str, words: &str) {
    let grant = entries.iter().rfind(|entry| entry.kind == Kind::Grant).unwrap().seq;
    let found = replay(entries).replay.disagreements;
    assert!(found.iter().any(|one| one.seq == grant && one.reason.contains(words)), "{found:#?}");
    assert_eq!(runs(world, entries, gate), Verdict::Fail);
}

/// A workshop in which alice has signed a skip of `prod`, at the end of the ledger, and used it.
fn skipped() -> (Workshop, Vec<Entry>) {
    let workshop = Workshop::new();
    workshop.signed("alice", "prod", Ask { ticket: Some("OPS-1".into()), ..ask(Action::Skip, 3_600) });
    let entries = workshop.world.entries();
    assert_agrees(&entries);
    assert_eq!(runs(&workshop.world, &entries, "prod"), Verdict::Skip, "the honest one counts");
    (workshop, entries)
}

/// The forged ledger holds no earlier use of the nonce: whoever writes the file took the grant itself and dated it anew.
#[test]
fn a_signed_request_that_is_granted_after_its_time() {
    let (workshop, entries) = skipped();
    let late = entries.last().unwrap().at.plus(8 * 86_400).unwrap();
    let forged = Forgery::of(&entries[..entries.len() - 1]).entries();
    let forged = Forgery::of(&forged).append(&entries[entries.len() - 1], late, |draft| {
        restart(&mut draft.data, late);
    });
    let words = "this request could be submitted until";
    neither_agrees_nor_counts(&workshop.world, &forged.entries(), "prod", words);
}

#[test]
fn a_grant_that_starts_at_another_time_than_it_was_made() {
    let (workshop, entries) = skipped();
    let (before, grant) = entries.split_at(entries.len() - 1);
    let made = grant[0].at.plus(2 * 3_600).unwrap();
    // Within the request's time, but not when the entry was made: an hour later than that it would be over.
    let forged = Forgery::of(before).append(&grant[0], made, |draft| {
        restart(&mut draft.data, made.minus(1_800));
    });
    neither_agrees_nor_counts(&workshop.world, &forged.entries(), "prod", "says that it was judged at");
}

#[test]
fn a_break_glass_grant_that_owes_nothing() {
    let world = World::new(POLICY);
    world.ask("deploy", Ask { break_glass: true, ..ask(Action::Override, 3_600) });
    let entries = world.entries();
    let last = entries.len() as u64 - 1;
    let forged = Forgery::of(&entries).data(last, |data| without(data, "owes"));
    neither_agrees_nor_counts(&world, &forged.entries(), "deploy", "does not say so");
}

/// A request of `prod` that alice signed and bob's signature let through, at the end of the ledger.
fn approved() -> (Workshop, Vec<Entry>) {
    let workshop = Workshop::new();
    let id = workshop.signed("alice", "prod", ask(Action::Override, 3_600)).id.unwrap().to_string();
    workshop.world.approve(&workshop.act("bob", Verb::Approve, &id, None));
    let entries = workshop.world.entries();
    assert_agrees(&entries);
    assert_eq!(runs(&workshop.world, &entries, "prod"), Verdict::Override, "the honest one counts");
    (workshop, entries)
}

#[test]
fn a_second_grant_of_a_request_that_was_granted() {
    let (workshop, entries) = approved();
    let last = entries.len() as u64 - 1;
    let spent = workshop.world.entries();
    let forged = Forgery::of(&spent).grant(last, |_| {});
    neither_agrees_nor_counts(&workshop.world, &forged.entries(), "prod", "waited no longer");
}

#[test]
fn a_grant_of_a_request_that_lapsed() {
    let (workshop, entries) = approved();
    let (before, grant) = entries.split_at(entries.len() - 1);
    let late = grant[0].at.plus(8 * 86_400).unwrap();
    let forged = Forgery::of(before).append(&grant[0], late, |draft| restart(&mut draft.data, late));
    neither_agrees_nor_counts(&workshop.world, &forged.entries(), "prod", "lapsed at");
}

#[test]
fn an_approval_where_the_facts_contradicted_each_other() {
    let (workshop, entries) = approved();
    let approval = entries.len() as u64 - 2;
    let forged = Forgery::of(&entries)
        .data(approval, |data| data["context"]["conflicts"] = json!(["two systems"]))
        .entries();
    let found = replay(&forged).replay.disagreements;
    assert!(
        found[0].seq == approval && found[0].reason.contains("facts of this run contradict each other"),
        "{found:#?}"
    );
    assert_eq!(runs(&workshop.world, &forged, "prod"), Verdict::Fail);
}

/// What a reviewer rejected is over: for the next run, for who looks at what is due, and for whoever judges again.
#[test]
fn an_opt_out_that_its_reviewer_rejected() {
    let world = World::new(POLICY);
    let id = world.ask("deploy", Ask { break_glass: true, ..ask(Action::Override, 3_600) }).id.unwrap();
    assert_eq!(world.run("deploy", 1).decision, Verdict::Override);
    let used = world.entries();
    world.review(&world.act("carol", &id.to_string(), "was wrong"), ReviewVerdict::Rejected);
    assert_eq!(world.run("deploy", 1).decision, Verdict::Fail);
    let entries = world.entries();
    assert_agrees(&entries);
    let use_of_it = used.len() as u64 - 1;
    let forged = Forgery::of(&entries).decision(use_of_it, |_| {}).entries();
    assert_forged(&forged, entries.len() as u64, "was ended by entry");
}

#[test]
fn an_opt_out_that_its_reviewer_accepted_lives_on() {
    let world = World::new(POLICY);
    let id = world.ask("deploy", Ask { break_glass: true, ..ask(Action::Override, 3_600) }).id.unwrap();
    world.review(&world.act("carol", &id.to_string(), "was right"), ReviewVerdict::Accepted);
    assert_eq!(world.run("deploy", 1).decision, Verdict::Override);
    assert_agrees(&world.entries());
}

/// A run that says it came to its end with a status that only something cut off has.
#[test]
fn a_status_of_what_did_not_run() {
    let world = World::new(POLICY);
    world.ask("tests", ask(Action::Override, 3_600));
    world.run("tests", 1);
    let entries = world.entries();
    let last = entries.len() as u64 - 1;
    for status in [124, 125, 126, 127, 129, 139, 160, 192] {
        let forged = Forgery::of(&entries).data(last, |data| data["status"] = json!(status)).entries();
        assert_forged(&forged, last, "a command that did not run");
        assert_eq!(world.run("tests", status).decision, Verdict::Fail);
    }
}

/// A scanner that fails and reports nothing found something that its report does not say.
#[test]
fn a_report_without_anything_beside_a_command_that_failed() {
    let world = World::new(POLICY);
    world.scan("vulnerabilities", 0, Vec::new());
    let entries = world.entries();
    let last = entries.len() as u64 - 1;
    let failed = |counts: &[(&str, u64)]| {
        let forged = Forgery::of(&entries).data(last, |data| {
            data["status"] = json!(1);
            for (name, count) in counts {
                data[*name] = json!(count);
            }
        });
        forged.entries()
    };
    let nothing = failed(&[("below_threshold", 0), ("suppressed", 0)]);
    assert_forged(&nothing, last, "shows nothing that explains it");
    // One that lies below the threshold, or was suppressed, may be why.
    assert_agrees(&failed(&[("below_threshold", 1), ("passed", 0), ("suppressed", 0)]));
    assert_forged(
        &failed(&[("below_threshold", 1), ("passed", 1), ("suppressed", 0)]),
        last,
        "shows nothing that explains it",
    );
    assert_agrees(&failed(&[("below_threshold", 0), ("suppressed", 1)]));
}

/// Whoever signs nothing cannot end what was signed, and one who may pause nowhere here cannot resume.
#[test]
fn a_resume_by_one_who_may_not_pause() {
    let workshop = Workshop::new();
    let pause = workshop.signed("bob", "prod", ask(Action::Pause, 3_600)).id.unwrap().to_string();
    let act = workshop.act("alice", Verb::Resume, &pause, None);
    workshop.world.resume("prod", &act);
    let entries = workshop.world.entries();
    assert_agrees(&entries);
    let last = entries.len() as u64 - 1;
    let forged = Forgery::of(&entries)
        .edit(last, |draft| {
            draft.actor = json!({"id": "alice@example.com", "assurance": "asserted", "via": "github"});
            without(&mut draft.data, "statement");
        })
        .entries();
    assert_forged(&forged, last, "needs a signature");
}
