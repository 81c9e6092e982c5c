//! What the tools record is judged again without a disagreement.

use gate_model::action::Action;
use gate_model::decision::Verdict;
use gate_model::finding::Finding;
use gate_model::grant::Status;
use gate_model::payload::{Ask, ReviewVerdict};
use gate_model::principal::Principal;
use gate_model::scope::Scope;
use gate_workflow::admission::{self, Asking};

use crate::ledger::assert_agrees;
use crate::world::{MOVING, POLICY, World, ask, finding, waive};

fn id(grant: &gate_model::grant::Grant) -> String {
    grant.id.unwrap().to_string()
}

#[test]
fn plain_runs_and_reports_agree() {
    let world = World::new(POLICY);
    assert_eq!(world.run("lint", 0).decision, Verdict::Pass);
    assert_eq!(world.run("lint", 1).decision, Verdict::Fail);
    assert_eq!(world.miss("lint").decision, Verdict::Fail);
    assert_eq!(world.judge("vulnerabilities", vec![]).decision, Verdict::Pass);
    assert_eq!(world.scan("vulnerabilities", 1, vec![finding("A", "src/a", 1)]).decision, Verdict::Fail);
    let replayed = assert_agrees(&world.entries());
    assert_eq!(replayed.replay.judged, 6);
    let warning = &replayed.warnings[0];
    assert_eq!((warning.code.as_str(), warning.count, warning.seq), ("worktree-policy", Some(5), Some(2)));
    assert_eq!(replayed.warnings.len(), 1);
}

#[test]
fn skips_overrides_and_waivers_agree() {
    let world = World::new(POLICY);
    let commit = world.ask("lint", ask(Action::Skip, 3_600));
    assert_eq!(world.run("lint", 1).decision, Verdict::Skip);
    world.revoke(&world.act("dave", &id(&commit), "no longer needed"));
    assert_eq!(world.run("lint", 1).decision, Verdict::Fail);
    world.ask("lint", ask(Action::Override, 3_600));
    assert_eq!(world.run("lint", 1).decision, Verdict::Override);
    assert_eq!(world.run("lint", 0).decision, Verdict::Pass);
    assert_eq!(world.miss("lint").decision, Verdict::Fail);
    world.pass(7_200);
    assert_eq!(world.run("lint", 1).decision, Verdict::Fail);

    world.ask("vulnerabilities", waive("A", "src/*", 2));
    world.ask("vulnerabilities", Ask { max_uses: Some(1), ..waive("B", "src/b", 1) });
    let two = || vec![finding("A", "src/a", 1), finding("A", "src/a", 9)];
    assert_eq!(world.judge("vulnerabilities", two()).decision, Verdict::Pass);
    let three = [two(), vec![finding("A", "src/z", 3)]].concat();
    assert_eq!(world.scan("vulnerabilities", 0, three).decision, Verdict::Fail);
    let mixed = || [two(), vec![finding("B", "src/b", 3)]].concat();
    assert_eq!(world.scan("vulnerabilities", 1, mixed()).decision, Verdict::Pass);
    assert_eq!(world.scan("vulnerabilities", 1, mixed()).decision, Verdict::Fail);
    assert_agrees(&world.entries());
}

#[test]
fn findings_that_moved_agree() {
    let world = World::new(&format!("{POLICY}{MOVING}"));
    let at = |path: &str, line| Finding { fingerprint: "f".to_owned(), ..finding("A", path, line) };
    let mut accepted = waive("A", "src/old.py", 2);
    accepted.findings[0].fingerprint = Some("f".to_owned());
    world.ask("moving", accepted);
    let judged = world.judge("moving", vec![at("src/new.py", 3), at("src/new.py", 9)]);
    assert_eq!(judged.decision, Verdict::Pass);
    assert!(judged.waived.iter().all(|waived| waived.moved_from.as_deref() == Some("src/old.py")));
    for blocked in [
        vec![at("src/new.py", 3), at("src/other.py", 9)],
        vec![at("src/new.py", 3), at("src/old.py", 9)],
        vec![at("src/new.py", 3), at("src/new.py", 5), at("src/new.py", 9)],
    ] {
        assert_eq!(world.judge("moving", blocked).decision, Verdict::Fail);
    }
    assert_agrees(&world.entries());
}

#[test]
fn uses_quotas_and_denials_agree() {
    let world = World::new(POLICY);
    assert_eq!(world.ask("tests", ask(Action::Override, 3_600)).status, Status::Granted);
    for expected in [Verdict::Override, Verdict::Override, Verdict::Fail] {
        assert_eq!(world.run("tests", 1).decision, expected);
    }
    assert_eq!(world.ask("tests", ask(Action::Override, 3_600)).status, Status::Granted);
    assert_eq!(world.ask("tests", ask(Action::Override, 3_600)).status, Status::Denied);
    assert_eq!(world.ask("tests", ask(Action::Override, 86_400)).status, Status::Denied);
    assert_eq!(world.ask("secrets", ask(Action::Skip, 60)).status, Status::Denied);
    // The first is older than the quota's window by now.
    world.pass(86_400 - 7 * 60);
    assert_eq!(world.ask("tests", ask(Action::Override, 3_600)).status, Status::Granted);
    assert_agrees(&world.entries());
}

#[test]
fn approvals_rejections_and_refused_acts_agree() {
    let world = World::new(POLICY);
    let wanted = world.ask("deploy", ask(Action::Skip, 3_600));
    assert_eq!(wanted.status, Status::Pending);
    let refused = [("dave", "I am in a hurry"), ("mallory", "please")];
    for (who, why) in refused {
        assert_eq!(world.approve(&world.act(who, &id(&wanted), why)).status, Status::Denied);
    }
    assert_eq!(world.approve(&world.act("erin", &id(&wanted), "fine")).status, Status::Pending);
    assert_eq!(world.approve(&world.act("erin-work", &id(&wanted), "fine again")).status, Status::Denied);
    assert_eq!(world.run("deploy", 1).decision, Verdict::Fail);
    assert_eq!(world.approve(&world.act("carol", &id(&wanted), "fine")).status, Status::Granted);
    assert_eq!(world.run("deploy", 1).decision, Verdict::Skip);

    let second = world.ask("deploy", ask(Action::Skip, 3_600));
    assert_eq!(second.status, Status::Denied, "the quota counts grants that were approved");
    world.pass(8 * 86_400);
    let third = world.ask("deploy", ask(Action::Skip, 3_600));
    let fourth = world.ask("deploy", ask(Action::Skip, 3_600));
    assert_eq!(world.reject(&world.act("mallory", &id(&third), "no")).status, Status::Denied);
    assert_eq!(world.reject(&world.act("frank", &id(&third), "no")).status, Status::Denied);
    let fifth = world.ask("deploy", ask(Action::Skip, 3_600));
    for (request, last) in [(&fourth, Status::Granted), (&fifth, Status::Denied)] {
        assert_eq!(world.approve(&world.act("erin", &id(request), "fine")).status, Status::Pending);
        assert_eq!(world.approve(&world.act("carol", &id(request), "fine")).status, last);
    }
    assert_eq!(world.revoke(&world.act("erin", &id(&fourth), "bad idea")).status, Status::Revoked);
    assert_agrees(&world.entries());
}

#[test]
fn a_request_that_lapsed_and_a_policy_that_moved_on_agree() {
    let world = World::new(POLICY);
    let wanted = world.ask("deploy", ask(Action::Skip, 3_600));
    assert_eq!(world.approve(&world.act("erin", &id(&wanted), "fine")).status, Status::Pending);
    world.write("gate.toml", &POLICY.replace("count = 2, from", "count = 3, from"));
    assert_eq!(world.approve(&world.act("carol", &id(&wanted), "fine")).status, Status::Pending);
    world.write(
        "gate.toml",
        &POLICY.replace("who = [\"*\"]\nmax_ttl = \"1d\"", "who = [\"github:x\"]\nmax_ttl = \"1d\""),
    );
    assert_eq!(world.approve(&world.act("frank", &id(&wanted), "fine")).status, Status::Denied);
    world.write("gate.toml", POLICY);
    assert_eq!(world.run("deploy", 1).decision, Verdict::Fail);
    let replayed = assert_agrees(&world.entries());
    assert_eq!(replayed.warnings.len(), 1);
}

#[test]
fn break_glass_and_its_debt_agree() {
    let world = World::new(POLICY);
    let broken = || Ask { break_glass: true, ..ask(Action::Override, 3_600) };
    let first = world.ask("deploy", broken());
    assert!(first.owes.is_some());
    assert_eq!(world.run("deploy", 3).decision, Verdict::Override);
    world.pass(25 * 3_600);
    assert_eq!(world.ask("deploy", broken()).status, Status::Denied, "the review is overdue");
    let act = world.act("dave", &id(&first), "fine by me");
    assert_eq!(world.review(&act, ReviewVerdict::Accepted).status, Status::Denied);
    let act = world.act("carol", &id(&first), "it was right");
    assert_eq!(world.review(&act, ReviewVerdict::Accepted).status, Status::Reviewed);
    assert_eq!(world.ask("deploy", broken()).status, Status::Granted);
    assert_agrees(&world.entries());
}

/// A name of another kind, which nobody can tell apart from the debtor's.
#[test]
fn a_debt_follows_its_maker_to_another_identity() {
    let world =
        World::new(&POLICY.replace("oncall = [\"github:dave\"]", "oncall = [\"github:dave\", \"os:dave\"]"));
    let broken = || Ask { break_glass: true, ..ask(Action::Override, 3_600) };
    let first = world.ask("deploy", broken());
    let as_another = || {
        world.pass(60);
        world.with(|workspace| {
            let context = workspace.facts().unwrap().context.clone();
            let by = Principal::asserted("os", "dave");
            let gate = "deploy".to_owned();
            let asking = Asking { gate, ask: broken(), by, context, request: None };
            admission::request(workspace, &asking).unwrap()
        })
    };
    assert_eq!(as_another().status, Status::Granted, "the review is not overdue yet");
    world.pass(86_400 - 90);
    let denied = as_another();
    assert_eq!(denied.status, Status::Denied, "{denied:?}");
    assert!(denied.reasons[1].contains(&format!("overdue review of {}", id(&first))), "{denied:?}");
    assert_agrees(&world.entries());
}

#[test]
fn pauses_agree_also_when_they_come_while_the_gate_runs() {
    let world = World::new(POLICY);
    let pause = |actor: &str| {
        world.set("GITHUB_ACTOR", actor);
        let grant = world.ask("lint", ask(Action::Pause, 7_200));
        world.set("GITHUB_ACTOR", "dave");
        grant
    };
    assert_eq!(world.run_while("lint", 0, || drop(pause("carol"))).decision, Verdict::Pass);
    assert_eq!(world.run("lint", 0).decision, Verdict::Hold);
    pause("erin");
    world.ask("lint", ask(Action::Skip, 3_600));
    assert_eq!(world.judge("lint", vec![]).decision, Verdict::Hold);
    assert_eq!(world.resume("lint", &world.act("mallory", "", "let me")).status, Status::Denied);
    assert_eq!(world.resume("lint", &world.act("frank", "", "the freeze is over")).status, Status::Revoked);
    assert_eq!(world.run("lint", 0).decision, Verdict::Skip);
    pause("carol");
    world.pass(7_200);
    assert_eq!(world.run("lint", 0).decision, Verdict::Pass);
    assert_agrees(&world.entries());
}

#[test]
fn a_command_that_excuses_itself_agrees() {
    let world = World::new(POLICY);
    let excused = world.run_while("lint", 1, || drop(world.ask("lint", ask(Action::Override, 3_600))));
    assert_eq!(excused.decision, Verdict::Fail);
    let skipped = world.run_while("lint", 1, || drop(world.ask("lint", ask(Action::Skip, 3_600))));
    assert_eq!(skipped.decision, Verdict::Override);
    assert_agrees(&world.entries());
}

#[test]
fn a_scope_that_a_rule_narrowed_agrees_although_an_earlier_rule_would_take_it() {
    // The first rule wants an environment in so many words; the second pins the one of the run.
    let policy = "version = 1\n[gates.g]\n\
        [[gates.g.allow]]\nactions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"1h\"\nscopes = [\"ref\"]\n\
        [[gates.g.allow]]\nactions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"1h\"\nrefs = [\"refs/heads/**\"]\n";
    let world = World::new(policy);
    assert_eq!(world.ask("g", ask(Action::Skip, 0)).status, Status::Granted);
    let scope = Scope { git_ref: Some("refs/heads/main".into()), ..Scope::default() };
    assert_eq!(world.ask("g", Ask { scope, ..ask(Action::Skip, 0) }).status, Status::Granted);
    let entries = world.entries();
    assert_eq!((&entries[2].data["rule"], &entries[3].data["rule"]), (&2.into(), &1.into()));
    assert_agrees(&entries);
}

#[test]
fn clocks_that_jump_agree() {
    let world = World::new(POLICY);
    let start = world.now();
    world.pass(3_600);
    world.ask("lint", ask(Action::Override, 3_600));
    let ahead = world.now();
    world.set_now(start);
    assert_eq!(world.run("lint", 1).decision, Verdict::Override);
    world.set_now(start);
    world.ask("tests", ask(Action::Override, 7_200));
    world.write("gate.toml", &POLICY.replace("severity = \"high\"", "severity = \"low\""));
    world.set_now(ahead);
    assert_eq!(world.run("lint", 1).decision, Verdict::Override);
    world.set_now(start);
    assert_eq!(world.run("tests", 1).decision, Verdict::Override);
    world.pass(3 * 86_400);
    assert_eq!(world.run("tests", 1).decision, Verdict::Fail);
    assert_agrees(&world.entries());
}

#[test]
fn a_run_whose_facts_contradict_each_other_agrees() {
    let world = World::new(POLICY);
    world.ask("lint", ask(Action::Skip, 3_600));
    world.set("GITLAB_CI", "true");
    world.set("CI_PROJECT_PATH", "other/project");
    assert_eq!(world.run("lint", 1).decision, Verdict::Fail);
    assert_eq!(world.ask("lint", ask(Action::Skip, 3_600)).status, Status::Denied);
    assert_agrees(&world.entries());
}
