//! What somebody wrote into a ledger who can write entries, keep the chain whole, and sign nothing: each attack
//! is one entry that replay names.

use gate_judge::replay::Replayer;
use gate_ledger::entry::{Entry, Kind};
use gate_ledger::verify::Seen;
use gate_model::action::Action;
use gate_model::finding::Finding;
use gate_model::payload::{Ask, ReviewVerdict};
use serde_json::{Value, json};

use crate::ledger::{Forgery, assert_agrees, assert_forged, replay, restart, without};
use crate::world::{MOVING, POLICY, World, ask, finding, waive};

/// Adds one entry made from the entry `from`; it must be the one that replay names.
#[track_caller]
fn added(entries: &[Entry], words: &str, forge: impl FnOnce(Forgery) -> Forgery) {
    assert_agrees(entries);
    let forged = forge(Forgery::of(entries)).entries();
    assert_forged(&forged, entries.len() as u64, words);
}

/// A ledger with a grant at 2, and a decision that used it at 3.
fn used(gate: &str, asked: Ask, run: impl FnOnce(&World)) -> Vec<Entry> {
    let world = World::new(POLICY);
    world.ask(gate, asked);
    run(&world);
    world.entries()
}

fn skipped() -> Vec<Entry> {
    used("lint", ask(Action::Skip, 3_600), |world| drop(world.run("lint", 1)))
}

fn overridden() -> Vec<Entry> {
    used("tests", ask(Action::Override, 3_600), |world| drop(world.run("tests", 1)))
}

fn waived() -> Vec<Entry> {
    let findings = vec![finding("A", "src/a", 1), finding("A", "src/a", 2)];
    used("vulnerabilities", waive("A", "src/*", 2), |world| drop(world.scan("vulnerabilities", 1, findings)))
}

/// A ledger with a plain run of `lint` at 2.
fn ran(status: u8) -> Vec<Entry> {
    let world = World::new(POLICY);
    world.run("lint", status);
    world.entries()
}

fn ttl(data: &mut Value, text: &str, seconds: u64) {
    data["ttl"] = json!({"text": text, "seconds": seconds});
}

#[test]
fn a_grant_that_no_rule_allows() {
    added(&skipped(), "cannot be opted out of", |forgery| {
        forgery.grant(2, |draft| draft.gate = Some("secrets".to_owned()))
    });
    added(&skipped(), "does not allow waive", |forgery| {
        forgery.grant(2, |draft| draft.data["action"] = json!("waive"))
    });
}

#[test]
fn a_grant_that_lasts_longer_than_its_rule_allows() {
    added(&skipped(), "allows at most --ttl 1d", |forgery| {
        forgery.grant(2, |draft| ttl(&mut draft.data, "30d", 30 * 86_400))
    });
    added(&skipped(), "'1h' is not 7200 seconds", |forgery| {
        forgery.grant(2, |draft| ttl(&mut draft.data, "1h", 7_200))
    });
    added(&skipped(), "does not end a time to live after its start", |forgery| {
        forgery.add(2, |draft, at| {
            restart(&mut draft.data, at);
            draft.data["expires"] = json!(at.plus(7_200).unwrap());
        })
    });
}

#[test]
fn a_grant_that_begins_at_another_time_than_it_was_made() {
    for (later, earlier) in [(3_600, 0), (0, 3_600)] {
        added(&skipped(), "says that it was judged at", |forgery| {
            forgery.add(2, |draft, at| restart(&mut draft.data, at.minus(earlier).plus(later).unwrap()))
        });
    }
}

#[test]
fn a_grant_without_the_limits_of_its_rule() {
    added(&overridden(), "has another number of uses than rule 1 gives", |forgery| {
        forgery.grant(2, |draft| without(&mut draft.data, "max_uses"))
    });
    added(&overridden(), "allows at most --uses 2", |forgery| {
        forgery.grant(2, |draft| draft.data["max_uses"] = json!(9))
    });
    added(&skipped(), "has another scope than rule 1 gives", |forgery| {
        forgery.grant(2, |draft| without(&mut draft.data["scope"], "commit"))
    });
    added(&skipped(), "names rule 2, and rule 1 is the one that allows it", |forgery| {
        forgery.grant(2, |draft| draft.data["rule"] = json!(2))
    });
}

#[test]
fn a_grant_beyond_the_quota() {
    let world = World::new(POLICY);
    world.ask("tests", ask(Action::Override, 3_600));
    world.ask("tests", ask(Action::Override, 3_600));
    added(&world.entries(), "has a quota of 2 in 1d", |forgery| forgery.grant(3, |_| {}));
}

#[test]
fn a_grant_to_somebody_whom_no_rule_names() {
    let world = World::new(POLICY);
    world.set("GITHUB_ACTOR", "carol");
    world.ask("lint", ask(Action::Pause, 3_600));
    added(&world.entries(), "is for group:leads", |forgery| {
        forgery.grant(2, |draft| draft.actor["id"] = json!("github:mallory"))
    });
}

/// Its policy commits to nothing, so that no name of it can have been erased.
#[test]
fn a_grant_that_pretends_that_its_name_was_erased() {
    let world = World::new(POLICY);
    world.set("GITHUB_ACTOR", "carol");
    world.ask("lint", ask(Action::Pause, 3_600));
    let entries = world.entries();
    let pseudonym = format!("b3:{}", "5".repeat(64));
    let forged = Forgery::of(&entries).edit(2, |draft| draft.actor["id"] = json!(pseudonym)).entries();
    assert_forged(&forged, 2, "is for group:leads");
}

/// A request at 2, and an approval by erin at 3.
fn half_approved() -> (World, String) {
    let world = World::new(POLICY);
    let id = world.ask("deploy", ask(Action::Skip, 3_600)).id.unwrap().to_string();
    world.approve(&world.act("erin", &id, "fine"));
    (world, id)
}

#[test]
fn an_approval_by_the_requester_or_by_a_stranger() {
    let (world, _) = half_approved();
    for (who, words) in
        [("github:dave", "the requester cannot decide"), ("github:mallory", "this is for group:leads")]
    {
        added(&world.entries(), words, |forgery| forgery.add(3, |draft, _| draft.actor["id"] = json!(who)));
    }
}

#[test]
fn one_person_who_approves_twice_by_two_names() {
    let (world, _) = half_approved();
    added(&world.entries(), "has approved already", |forgery| {
        forgery.add(3, |draft, _| draft.actor["id"] = json!("github:erin-work"))
    });
}

#[test]
fn an_approval_of_another_request() {
    let (world, _) = half_approved();
    world.ask("deploy", ask(Action::Skip, 3_600));
    added(&world.entries(), "approves another entry than request 4", |forgery| {
        forgery.add(3, |draft, _| {
            draft.reference = Some(4);
            draft.actor["id"] = json!("github:carol");
        })
    });
}

/// A request at 2, approved by erin at 3 and by carol at 4, and granted at 5.
fn approved() -> Vec<Entry> {
    let (world, id) = half_approved();
    world.approve(&world.act("carol", &id, "fine"));
    world.entries()
}

#[test]
fn a_grant_without_its_approvals() {
    let entries = approved();
    // Without carol's approval the grant stands where it stood, on one approval.
    let forged = Forgery::of(&entries).edit(4, |draft| draft.actor["id"] = json!("github:mallory")).entries();
    let found = replay(&forged).replay.disagreements;
    assert_eq!(found.iter().map(|one| one.seq).collect::<Vec<_>>(), [4, 5]);
    assert!(found[1].reason.contains("lacks approvals: 1 of 2 are there"), "{found:?}");
    assert_forged(
        &Forgery::of(&entries).edit(5, |draft| draft.reference = None).entries(),
        5,
        "names approvals, and no request",
    );
    assert_forged(
        &Forgery::of(&entries)
            .edit(5, |draft| {
                draft.reference = None;
                without(&mut draft.data, "approvals");
            })
            .entries(),
        5,
        "lacks the approvals that rule 1 needs",
    );
}

#[test]
fn a_grant_of_something_else_than_was_approved() {
    let forged =
        Forgery::of(&approved()).data(5, |data| data["scope"]["commit"] = json!("2".repeat(40))).entries();
    assert_forged(&forged, 5, "it grants something else than was requested");
    let forged = Forgery::of(&approved()).data(5, |data| data["approvals"] = json!([3])).entries();
    assert_forged(&forged, 5, "names other approvals than were given");
}

#[test]
fn a_second_grant_on_the_same_approvals() {
    added(&approved(), "which waited no longer", |forgery| forgery.grant(5, |_| {}));
}

#[test]
fn a_request_that_waits_longer_than_its_rule_says() {
    let (world, _) = half_approved();
    let entries = world.entries();
    let forged = Forgery::of(&entries).data(2, |data| data["lapses"] = json!("2027-01-01T00:00:00.000000Z"));
    assert_forged(&forged.entries(), 2, "lapses at 2027-01-01");
    world.pass(8 * 86_400);
    world.run("lint", 0);
    added(&world.entries(), "lapsed at", |forgery| {
        forgery.add(3, |draft, _| draft.actor["id"] = json!("github:carol"))
    });
}

#[test]
fn a_request_that_nobody_may_make() {
    let (world, _) = half_approved();
    added(&world.entries(), "should have been denied", |forgery| {
        forgery.add(2, |draft, at| {
            draft.data["action"] = json!("pause");
            draft.data["lapses"] = json!(at.plus(7 * 86_400).unwrap());
        })
    });
}

#[test]
fn a_use_after_the_opt_out_was_revoked() {
    let world = World::new(POLICY);
    let id = world.ask("lint", ask(Action::Skip, 3_600)).id.unwrap().to_string();
    world.run("lint", 1);
    world.revoke(&world.act("dave", &id, "done"));
    added(&world.entries(), "was ended by entry 4", |forgery| forgery.decision(3, |_| {}));
}

#[test]
fn a_use_after_the_opt_out_ended() {
    let world = World::new(POLICY);
    world.ask("lint", ask(Action::Skip, 3_600));
    world.run("lint", 1);
    world.pass(3_600);
    world.run("tests", 0);
    added(&world.entries(), "ended at 2026-11-22T11:01:00", |forgery| forgery.decision(3, |_| {}));
}

#[test]
fn a_use_outside_the_scope() {
    added(&skipped(), "is for commit 1111", |forgery| {
        forgery.decision(3, |data| data["context"]["commit"] = json!("2".repeat(40)))
    });
    added(&skipped(), "is for repository github.com/acme/pay", |forgery| {
        forgery.decision(3, |data| data["context"]["repository"] = json!("github.com/acme/other"))
    });
    added(&skipped(), "contradict each other", |forgery| {
        forgery.decision(3, |data| data["context"]["conflicts"] = json!(["two systems"]))
    });
}

#[test]
fn a_use_of_another_gates_opt_out() {
    added(&skipped(), "is no live grant of this gate", |forgery| {
        forgery.add(3, |draft, _| draft.gate = Some("tests".to_owned()))
    });
    added(&skipped(), "is no live grant of this gate", |forgery| {
        forgery.decision(3, |data| data["grants"] = json!([1]))
    });
}

#[test]
fn a_use_beyond_the_uses() {
    let world = World::new(POLICY);
    world.ask("tests", ask(Action::Override, 3_600));
    world.run("tests", 1);
    world.run("tests", 1);
    added(&world.entries(), "had no use left", |forgery| forgery.decision(3, |_| {}));
    let forged = Forgery::of(&world.entries()).data(3, |data| without(data, "spends")).entries();
    assert_forged(&forged, 3, "spends nothing, and used up a use of opt-out 2");
}

#[test]
fn an_opt_out_used_for_what_it_is_not() {
    added(&overridden(), "uses the override of opt-out 2 for the verdict 'skip'", |forgery| {
        forgery.decision(3, |data| {
            data["decision"] = json!("skip");
            without(data, "status");
            without(data, "seen_head");
            without(data, "begun_at");
        })
    });
    added(&overridden(), "uses the override of opt-out 2 for the verdict 'pass'", |forgery| {
        forgery.decision(3, |data| {
            data["decision"] = json!("pass");
            data["status"] = json!(0);
        })
    });
    for verdict in ["skip", "hold"] {
        added(&ran(0), &format!("has the verdict '{verdict}' without a"), |forgery| {
            forgery.decision(2, |data| {
                data["decision"] = json!(verdict);
                data["proceed"] = json!(verdict == "skip");
                without(data, "status");
                without(data, "seen_head");
                without(data, "begun_at");
            })
        });
    }
}

#[test]
fn a_command_that_excused_itself() {
    let world = World::new(POLICY);
    world.run("lint", 1);
    world.ask("lint", ask(Action::Override, 3_600));
    added(&world.entries(), "was made while the command ran, without a signature", |forgery| {
        let seen = json!({"seq": 1, "hash": world.entries()[1].hash.to_string()});
        forgery.decision(2, |data| {
            data["decision"] = json!("override");
            data["proceed"] = json!(true);
            data["grants"] = json!([3]);
            data["seen_head"] = seen;
        })
    });
}

#[test]
fn a_waiver_that_reaches_further_than_its_evidence() {
    added(&waived(), "waives 3 findings by opt-out 2, which covers 2 of them", |forgery| {
        forgery.decision(3, |data| {
            data["waived"] = json!(3);
            data["findings"][0]["count"] = json!(3);
        })
    });
    for (member, value) in [("path", json!("lib/a")), ("rule", json!("B"))] {
        added(&waived(), "which covers 0 of them", |forgery| {
            forgery.decision(3, |data| data["findings"][0][member] = value)
        });
    }
    added(&waived(), "is no live grant of this gate", |forgery| {
        forgery.decision(3, |data| {
            data["grants"] = json!([1]);
            data["findings"][0]["grant"] = json!(1);
        })
    });
    added(&waived(), "which is no waiver that it used", |forgery| {
        forgery.decision(3, |data| without(data, "grants"))
    });
}

#[test]
fn a_move_that_no_waiver_follows() {
    let moved = |policy: &str, gate: &str| {
        let world = World::new(policy);
        let mut asked = waive("A", "src/old.py", 1);
        asked.findings[0].fingerprint = Some("A-src/old.py".to_owned());
        world.ask(gate, asked);
        let other = Finding { fingerprint: "A-src/old.py".to_owned(), ..finding("A", "src/new.py", 1) };
        world.judge(gate, if gate == "moving" { vec![other] } else { vec![finding("A", "src/old.py", 1)] });
        world.entries()
    };
    let why = "as moved from 'src/old.py', which it does not follow";
    added(&moved(POLICY, "vulnerabilities"), why, |forgery| {
        forgery.decision(3, |data| {
            data["findings"][0]["path"] = json!("src/new.py");
            data["findings"][0]["moved_from"] = json!("src/old.py");
        })
    });
    let moving = moved(&format!("{POLICY}{MOVING}"), "moving");
    added(&moving, "as moved from 'src/else.py', which it does not follow", |forgery| {
        forgery.decision(3, |data| data["findings"][0]["moved_from"] = json!("src/else.py"))
    });
    added(&moving, "which covers 0 of them", |forgery| {
        forgery.decision(3, |data| without(&mut data["findings"][0], "moved_from"))
    });
    added(&moving, why, |forgery| {
        forgery.decision(3, |data| {
            let mut copy = data["findings"][0].clone();
            copy["path"] = json!("src/copy.py");
            without(&mut copy, "grant");
            without(&mut copy, "moved_from");
            data["findings"].as_array_mut().unwrap().push(copy);
            data["blocking"] = json!(1);
            data["decision"] = json!("fail");
            data["proceed"] = json!(false);
        })
    });
}

#[test]
fn a_pass_with_findings_that_block() {
    added(&waived(), "has the verdict 'pass', and 2 findings block", |forgery| {
        forgery.decision(3, |data| {
            data["blocking"] = json!(2);
            data["waived"] = json!(0);
            without(&mut data["findings"][0], "grant");
            without(data, "grants");
        })
    });
    added(&waived(), "counts 0 blocking and 1 waived, and lists 0 and 2", |forgery| {
        forgery.decision(3, |data| data["waived"] = json!(1))
    });
    added(&waived(), "counts 0 blocking and 0 waived, and lists 9007199254740991", |forgery| {
        forgery.decision(3, |data| {
            data["waived"] = json!(0);
            data["findings"][0]["count"] = json!(9_007_199_254_740_991_u64);
            without(&mut data["findings"][0], "grant");
        })
    });
}

#[test]
fn findings_blocked_that_a_waiver_covers() {
    added(&waived(), "waives 0 findings, and the waivers in force cover 2", |forgery| {
        forgery.decision(3, |data| {
            data["decision"] = json!("fail");
            data["proceed"] = json!(false);
            data["blocking"] = json!(2);
            data["waived"] = json!(0);
            without(&mut data["findings"][0], "grant");
            without(data, "grants");
        })
    });
}

#[test]
fn levels_that_somebody_lowered() {
    added(&waived(), "fails on error, and its policy on warning", |forgery| {
        forgery.decision(3, |data| data["fail_on"] = json!("error"))
    });
    added(&waived(), "has CVE-1 at warning, and the policy's floor is error", |forgery| {
        forgery.decision(3, |data| {
            data["findings"][0]["rule"] = json!("CVE-1");
            data["findings"][0]["level"] = json!("warning");
        })
    });
    let world = World::new(POLICY);
    world.judge("secrets", vec![]);
    added(&world.entries(), "leaves out 4 suppressed findings", |forgery| {
        forgery.decision(2, |data| data["suppressed"] = json!(4))
    });
}

#[test]
fn verdicts_that_do_not_follow() {
    added(&ran(1), "has the verdict 'pass', and the command failed", |forgery| {
        forgery.decision(2, |data| {
            data["decision"] = json!("pass");
            data["proceed"] = json!(true);
        })
    });
    added(&ran(1), "proceeds with the verdict 'fail'", |forgery| {
        forgery.decision(2, |data| data["proceed"] = json!(true))
    });
    added(&ran(0), "is a plan, which is never recorded", |forgery| {
        forgery.decision(2, |data| data["decision"] = json!("run"))
    });
    added(&ran(0), "has neither a report nor the status of a command", |forgery| {
        forgery.decision(2, |data| data["mode"] = json!("judge"))
    });
    added(&ran(0), "judged by its report 'scan.sarif'", |forgery| {
        forgery.add(2, |draft, _| draft.gate = Some("vulnerabilities".to_owned()))
    });
    added(&waived(), "the command ended with status 2, and its work is done with 0, 1", |forgery| {
        forgery.decision(3, |data| data["status"] = json!(2))
    });
}

#[test]
fn an_override_of_a_gate_that_did_not_run() {
    added(&overridden(), "has the verdict 'override', and the gate did not run", |forgery| {
        forgery.decision(3, |data| data["did_not_run"] = json!("it was interrupted"))
    });
    added(&overridden(), "a command that did not run: the command was not found", |forgery| {
        forgery.decision(3, |data| data["status"] = json!(127))
    });
}

/// A plain run at 2, and a pause at 3.
fn paused() -> Vec<Entry> {
    let world = World::new(POLICY);
    world.run("lint", 0);
    world.judge("lint", vec![]);
    world.set("GITHUB_ACTOR", "carol");
    world.ask("lint", ask(Action::Pause, 3_600));
    world.entries()
}

#[test]
fn a_pause_that_nobody_honoured() {
    for decision in [2, 3] {
        added(&paused(), "passes over the pause of opt-out 4, which was in force", |forgery| {
            forgery.decision(decision, |_| {})
        });
    }
    added(&paused(), "does not say when the gate began", |forgery| {
        forgery.decision(2, |data| without(data, "seen_head"))
    });
}

#[test]
fn an_opt_out_that_was_passed_over() {
    let entries = skipped();
    let seen = json!({"seq": 3, "hash": entries[3].hash.to_string()});
    added(&entries, "passes over the skip of opt-out 2", |forgery| {
        forgery.decision(3, |data| {
            data["decision"] = json!("fail");
            data["proceed"] = json!(false);
            data["status"] = json!(1);
            data["seen_head"] = seen;
            data["begun_at"] = data["judged_at"].clone();
            without(data, "grants");
        })
    });
    added(&overridden(), "passes over the override of opt-out 2", |forgery| {
        forgery.decision(3, |data| {
            data["decision"] = json!("fail");
            data["proceed"] = json!(false);
            without(data, "grants");
            without(data, "spends");
        })
    });
}

#[test]
fn a_head_that_was_never_there() {
    added(&ran(0), "has seen entry 2 with another hash", |forgery| {
        forgery.decision(2, |data| data["seen_head"]["hash"] = json!(format!("b3:{}", "0".repeat(64))))
    });
    added(&ran(0), "has seen entry 9 with another hash", |forgery| {
        forgery.decision(2, |data| data["seen_head"]["seq"] = json!(9))
    });
}

#[test]
fn a_denial_that_should_have_been_a_grant() {
    let world = World::new(POLICY);
    world.ask("lint", ask(Action::Skip, 30 * 86_400));
    added(&world.entries(), "denies what rule 1 grants", |forgery| {
        forgery.add(2, |draft, _| ttl(&mut draft.data, "1h", 3_600))
    });
    added(&world.entries(), "missing field `action`", |forgery| {
        forgery.add(2, |draft, _| without(&mut draft.data, "action"))
    });
}

#[test]
fn a_refusal_of_what_is_allowed() {
    let (world, id) = half_approved();
    world.approve(&world.act("mallory", &id, "let me"));
    added(&world.entries(), "refuses what is allowed", |forgery| {
        forgery.add(4, |draft, _| draft.actor["id"] = json!("github:carol"))
    });
}

#[test]
fn a_refusal_of_an_act_that_was_not_possible() {
    let (world, id) = half_approved();
    world.approve(&world.act("mallory", &id, "let me"));
    added(&world.entries(), "was not possible any more", |forgery| {
        forgery.add(4, |draft, _| draft.data["act"] = json!("review"))
    });
}

/// Who has approved may not approve again, but may reject.
#[test]
fn a_refusal_with_another_act_than_was_refused() {
    let (world, id) = half_approved();
    world.approve(&world.act("erin", &id, "again"));
    let entries = world.entries();
    assert_agrees(&entries);
    let forged = Forgery::of(&entries).data(4, |data| data["act"] = json!("reject")).entries();
    assert_forged(&forged, 4, "refuses what is allowed");
}

#[test]
fn a_quota_that_was_counted_short() {
    let world = World::new(POLICY);
    for _ in 0..2 {
        world.ask("tests", ask(Action::Override, 3_600));
    }
    let entries = world.entries();
    assert_agrees(&entries);
    let forged = Forgery::of(&entries).data(3, |data| data["quota"]["used"] = json!(0)).entries();
    assert_forged(&forged, 3, "says that 0 places of its quota were taken");
    let forged = Forgery::of(&entries)
        .data(3, |data| data["quota"]["since"] = json!("2026-11-22T10:00:00.000000Z"))
        .entries();
    assert_forged(&forged, 3, "and 1 were since 2026-11-21T10:0");
}

#[test]
fn a_rejection_by_somebody_who_may_not() {
    let (world, id) = half_approved();
    world.reject(&world.act("frank", &id, "no"));
    let entries = world.entries();
    for (who, words) in
        [("github:dave", "the requester cannot decide"), ("github:x", "this is for group:leads")]
    {
        let forged = Forgery::of(&entries).edit(4, |draft| draft.actor["id"] = json!(who)).entries();
        assert_forged(&forged, 4, words);
    }
}

#[test]
fn a_pause_that_a_stranger_ended() {
    let world = World::new(POLICY);
    world.set("GITHUB_ACTOR", "carol");
    world.ask("lint", ask(Action::Pause, 3_600));
    world.resume("lint", &world.act("erin", "", "over"));
    let entries = world.entries();
    assert_agrees(&entries);
    let forged = Forgery::of(&entries).edit(3, |draft| draft.actor["id"] = json!("github:mallory")).entries();
    assert_forged(&forged, 3, "neither requested nor approved it");
    let twice = Forgery::of(&entries).add(3, |_, _| {}).entries();
    assert_forged(&twice, 4, "which had ended before");
}

#[test]
fn a_debt_that_somebody_struck_out() {
    let world = World::new(POLICY);
    let broken = || Ask { break_glass: true, ..ask(Action::Override, 3_600) };
    let id = world.ask("deploy", broken()).id.unwrap().to_string();
    let entries = world.entries();
    let forged = Forgery::of(&entries).data(2, |data| without(data, "owes")).entries();
    assert_forged(&forged, 2, "owes a review by 2026-11-23T10:01:00");
    world.review(&world.act("carol", &id, "right"), ReviewVerdict::Accepted);
    let entries = world.entries();
    let forged = Forgery::of(&entries).edit(3, |draft| draft.actor["id"] = json!("github:dave")).entries();
    assert_forged(&forged, 3, "the requester cannot decide");
    assert_forged(&Forgery::of(&entries).add(3, |_, _| {}).entries(), 4, "which owes none");
}

#[test]
fn break_glass_again_with_a_review_overdue() {
    let world = World::new(POLICY);
    world.ask("deploy", Ask { break_glass: true, ..ask(Action::Override, 3_600) });
    world.pass(2 * 86_400);
    world.run("lint", 0);
    let again = |forgery: Forgery| {
        forgery.add(2, |draft, at| {
            restart(&mut draft.data, at);
            draft.data["owes"]["by"] = json!(at.plus(86_400).unwrap());
        })
    };
    added(&world.entries(), "overdue review of 2", again);
}

#[test]
fn a_policy_whose_text_was_edited_under_its_digest() {
    let entries = skipped();
    let forged =
        Forgery::of(&entries).data(1, |data| data["text"] = json!(POLICY.replace("24h", "10d"))).entries();
    let found = replay(&forged).replay.disagreements;
    assert_eq!(found.iter().map(|one| one.seq).collect::<Vec<_>>(), [1, 2, 3], "{found:?}");
    assert!(found[0].reason.contains("does not have the digest that it claims"), "{found:?}");
    // A second entry under the same digest does not take the text away from what was judged by it.
    added(&entries, "does not have the digest that it claims", |forgery| {
        forgery.add(1, |draft, _| draft.data["text"] = json!(POLICY.replace("24h", "10d")))
    });
}

/// Live such a text is refused, so that replay must not take it for right either.
#[test]
fn a_work_trees_text_that_brings_the_first_owners_is_no_policy_that_takes_effect() {
    let world = World::new(POLICY);
    world.run("lint", 0);
    let owned = format!("{POLICY}\n[policy]\nowners = [\"alice@example.com\"]\n");
    world.write("gate.toml", &owned);
    world.record_as_revision();
    let entries = world.entries();
    assert_agrees(&entries);
    for source in ["worktree", "owner:SHA256:x"] {
        let forged = Forgery::of(&entries).data(3, |data| data["source"] = json!(source)).entries();
        let found = replay(&forged).replay.disagreements;
        assert_eq!(found.iter().map(|one| one.seq).collect::<Vec<_>>(), [3]);
        assert!(found[0].reason.contains("brings the ledger's first owners"), "{found:?}");
    }
}

#[test]
fn a_policy_that_no_entry_holds() {
    added(&ran(0), "names policy b3:00", |forgery| {
        forgery.decision(2, |data| data["policy"]["digest"] = json!(format!("b3:{}", "0".repeat(64))))
    });
    added(&ran(0), "says that its policy came from 'rev:", |forgery| {
        forgery.decision(2, |data| data["policy"]["source"] = json!(format!("rev:{}", "1".repeat(40))))
    });
    // The policy comes, but after the verdict.
    let world = World::new(POLICY);
    world.run("lint", 0);
    world.write("gate.toml", &POLICY.replace("24h", "23h"));
    world.run("lint", 0);
    let entries = world.entries();
    let later = entries[3].data["digest"].clone();
    let forged = Forgery::of(&entries).data(2, |data| data["policy"]["digest"] = later).entries();
    assert_forged(&forged, 2, "which no entry before it holds");
}

#[test]
fn a_judge_of_another_build_is_not_judged_and_neither_is_what_rests_on_it() {
    let entries = skipped();
    let forged = Forgery::of(&entries).data(2, |data| data["judge"] = json!(7)).entries();
    let judged = replay(&forged).replay;
    assert_eq!((judged.judged, judged.disagreements.len()), (1, 0));
    let reasons: Vec<(u64, &str)> =
        judged.not_judged.iter().map(|one| (one.seq, one.reason.as_str())).collect();
    let unknown = "judge 7 is unknown to this build, which knows up to 1";
    assert_eq!(reasons, [(2, unknown), (3, "rests on an opt-out that is not judged")]);
    assert_eq!(judged.unknown, 2, "a ledger with these is not ok");
    // Its data may look like nothing that this build knows.
    let strange = Forgery::of(&forged).data(2, |data| *data = json!({"judge": 7})).entries();
    assert_eq!(replay(&strange).replay, judged);
    for number in [0, 8, 4_294_967_296_u64] {
        let forged = Forgery::of(&ran(0)).data(2, |data| data["judge"] = json!(number)).entries();
        let judged = replay(&forged).replay;
        assert_eq!((judged.judged, judged.disagreements.len(), judged.not_judged.len()), (1, 0, 1));
    }
}

#[test]
fn what_rests_on_a_forged_grant_is_named_too() {
    let entries = skipped();
    let forged = Forgery::of(&entries).data(2, |data| ttl(data, "30d", 30 * 86_400)).entries();
    let found = replay(&forged).replay.disagreements;
    assert_eq!(found.iter().map(|one| one.seq).collect::<Vec<_>>(), [2, 3], "{found:?}");
    assert!(found[1].reason.contains("rests on opt-out 2"), "{found:?}");
}

#[test]
fn data_that_cannot_be_read() {
    for seq in [1, 2, 3] {
        let forged = Forgery::of(&skipped()).data(seq, |data| *data = json!({"nothing": true})).entries();
        let found = replay(&forged).replay.disagreements;
        assert!(found[0].seq == seq && found[0].reason.contains("cannot be read"), "{found:?}");
    }
    assert_forged(&Forgery::of(&ran(0)).edit(2, |draft| draft.gate = None).entries(), 2, "names no gate");
    let forged = Forgery::of(&ran(0)).edit(2, |draft| draft.gate = Some("nothing".into())).entries();
    assert_forged(&forged, 2, "the policy has no gate 'nothing'");
}

#[test]
fn an_opt_out_that_was_over_long_ago_is_forgotten_and_a_debt_is_not() {
    let world = World::new(POLICY);
    world.ask("lint", ask(Action::Skip, 3_600));
    world.run("lint", 1);
    let broken = Ask { break_glass: true, ..ask(Action::Override, 3_600) };
    let id = world.ask("deploy", broken).id.unwrap().to_string();
    world.review(&world.act("carol", &id, "right"), ReviewVerdict::Accepted);
    let entries = world.entries();
    let unsettled = || Forgery::of(&entries).edit(5, |draft| draft.kind = Kind::Note).notes(13_000, 900);
    assert_agrees(&unsettled().add(5, |draft, _| draft.kind = Kind::Review).entries());
    let forged = unsettled().add(3, |_, _| {}).entries();
    assert_forged(&forged, forged.len() as u64 - 1, "which is no live grant of this gate");
}

#[test]
fn bytes_that_are_no_entry_are_never_passed_over() {
    let mut replayer = Replayer::new();
    for (kind, body) in [(Kind::Decision, "{}"), (Kind::Grant, "[]"), (Kind::Note, "")] {
        let hash = gate_ledger::entry::hash(body.as_bytes());
        assert!(replayer.seen(&Seen { seq: 4, kind, hash, body: body.as_bytes() }).is_err());
    }
    assert_eq!(replayer.finish().replay.disagreements.len(), 3);
}
