//! What several machines do with one ledger at the same time.

use crate::support::Ran;
use crate::town::{Runner, Town};

/// What became of the same command on several machines at once.
pub(crate) fn at_once(runners: &[Runner<'_>], tool: &str, args: &[&str]) -> Vec<i32> {
    let started: Vec<_> = runners.iter().map(|runner| runner.start(tool, args)).collect();
    let ended = started.into_iter().map(|child| Ran::of(child.wait_with_output().unwrap()));
    ended.map(|ran| if ran.code > 1 { panic!("{}", ran.stderr) } else { ran.code }).collect()
}

pub(crate) fn only_one_machine_gets_the_single_use(town: &Town) {
    town.runner("laptop").skip(&["lint", "--reason", "once", "--uses", "1", "--action", "override"]).exits(0);
    let runners: Vec<_> = ["a", "b", "c"].iter().map(|name| town.runner(name)).collect();
    let mut codes = at_once(&runners, "gate-check", &["lint", "--", "false"]);
    codes.sort_unstable();
    assert_eq!(codes, [0, 1, 1]);
    let spent = town.entries().into_iter().filter(|entry| entry["data"].get("spends").is_some()).count();
    assert_eq!(spent, 1);
    assert_eq!(town.count("decision"), 3);
}

#[test]
fn only_one_machine_gets_a_single_use_through_git() {
    only_one_machine_gets_the_single_use(&Town::git());
}

#[test]
fn only_one_machine_gets_a_single_use_through_a_helper_of_ones_own() {
    only_one_machine_gets_the_single_use(&Town::shell(&crate::helpers::toy("")));
}

#[test]
fn sixteen_machines_at_once_each_write_their_entry_once() {
    let town = Town::git();
    let names: Vec<String> = (0..16).map(|number| format!("m{number}")).collect();
    let runners: Vec<_> = names.iter().map(|name| town.runner(name)).collect();
    let codes = at_once(&runners, "gate-skip", &["lint", "--reason", "all at once"]);
    assert!(codes.iter().all(|code| *code == 0), "{codes:?}");
    assert_eq!(town.count("grant"), 16);
}

#[test]
fn what_one_machine_grants_another_one_uses_and_a_third_one_reads() {
    let town = Town::git();
    let (laptop, runner) = (town.runner("laptop"), town.runner("runner"));
    let id = laptop.skip(&["lint", "--reason", "the linter is broken"]).exits(0).id();
    let (ran, decision) = runner.decide(&["false"]);
    ran.exits(0);
    assert_eq!(decision["decision"], "skip");
    assert_eq!(decision["grants"][0]["id"].to_string(), id);
    laptop.skip(&["revoke", &id, "--reason", "mended"]).exits(0);
    runner.check(&["lint", "--", "false"]).exits(1);
    let verified = Ran::of(town.runner("auditor").command("gate-log", &["sync"]).output().unwrap());
    assert_eq!(verified.exits(0).json()["received"], 7);
    let auditor = town.runner("auditor");
    let replayed = Ran::of(auditor.command("gate-verify", &["--replay"]).output().unwrap()).exits(0);
    assert_eq!(replayed.json()["replay"]["disagreements"].as_array().map_or(0, Vec::len), 0);
}

#[test]
fn a_ledger_is_made_at_a_remote_once() {
    let town = Town::git();
    let pinned = town.house.read("gate.toml");
    let line = pinned.lines().find(|line| line.starts_with("genesis = ")).unwrap();
    town.house.write("gate.toml", town.policy(""));
    town.runner("second").log(&["init"]).exits(2).says(&["gate-log init --remote"]);
    // Who lost the line is shown it again. Whether to trust a ledger that somebody made is for a person to say.
    let there = ["holds a ledger already, made at 20", line];
    town.runner("second").log(&["init", "--remote"]).exits(2).says(&there);
    town.house.write("gate.toml", &pinned);
    let again = town.runner("second").log(&["init", "--remote"]).exits(0);
    assert_eq!(again.json()["created"], false);
    assert!(!again.stderr.contains("pin the ledger"), "it is pinned: {}", again.stderr);
    let other = pinned.replace(line, &format!("genesis = \"b3:{}\"", "0".repeat(64)));
    town.house.write("gate.toml", other);
    town.runner("second")
        .log(&["init", "--remote"])
        .exits(2)
        .says(&["pins the ledger whose genesis is b3:000"]);
}

#[test]
fn a_clone_of_the_branch_is_an_export_that_verifies() {
    let town = Town::git();
    town.runner("a").check(&["lint", "--", "true"]).exits(0);
    let script = format!(
        "git clone -q --branch gate-ledger {} ../clone && cat ../clone/entries/*/* | gate-verify -",
        town.host().display()
    );
    town.house.sh(&script).exits(0);
}

#[test]
fn events_of_several_machines_are_recorded_in_one_ledger() {
    let town = Town::git();
    for name in ["a", "b"] {
        let runner = town.runner(name);
        let events = "{\"deployed\":1}\n{\"deployed\":2}\n";
        let appended = crate::support::feed(runner.command("gate-log", &["append"]), events.as_bytes());
        assert_eq!(appended.exits(0).json()["recorded"], 2);
    }
    assert_eq!(town.count("note"), 4);
    let refused = crate::support::feed(town.runner("a").command("gate-log", &["append"]), b"{}\n[]\n");
    refused.exits(2).says(&["1 entry before it was recorded"]);
    assert_eq!(town.count("note"), 5);
}

#[test]
fn first_runs_of_one_machine_at_once_begin_one_working_copy() {
    let town = Town::git();
    let runner = town.runner("new");
    let started: Vec<_> = (0..6).map(|_| runner.start("gate-check", &["lint", "--", "true"])).collect();
    for child in started {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(town.count("decision"), 6);
}
