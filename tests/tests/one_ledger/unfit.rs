//! Places that hold no ledger, helpers of another version, and disks that are full: the gate is enforced, the message says
//! what to do, and what was recorded is there afterwards.

use std::process::Command;

use crate::helpers::{is_enforced, with_helper};
use crate::support::Ran;
use crate::town::{Runner, Town};

/// Nothing is decided, granted or sent.
#[track_caller]
fn is_stopped(town: &Town, words: &[&str]) {
    let a = town.runner("a");
    a.check(&["lint", "--", "true"]).exits(125).says(words);
    for ran in [a.skip(&["lint", "--reason", "x"]), a.log(&["sync"])] {
        assert!([4, 5].contains(&ran.code), "{}: {}", ran.code, ran.stderr);
        ran.says(words);
    }
}

#[test]
fn a_helper_of_a_later_version_lets_nothing_pass() {
    let later = r#"{"answer":"hello","can":[],"schema":"gate.remote/2"}"#;
    let script = format!("#!/bin/sh\nwhile read -r ask; do echo '{later}'; done\n");
    is_stopped(&with_helper(&script), &["gate.remote/2", "install tools and helper of one version"]);
}

#[test]
fn a_helper_that_never_stops_talking_lets_nothing_pass() {
    let hello = r#"{"answer":"hello","can":[],"schema":"gate.remote/1"}"#;
    let entries =
        format!("#!/bin/sh\nread -r ask\necho '{hello}'\nread -r ask\nexec yes '{{\"actor\":1}}'\n");
    is_stopped(&with_helper(&entries), &["nothing of it was taken"]);
    let endless = "#!/bin/sh\nread -r ask\ntr '\\0' x </dev/zero\n";
    is_enforced(&with_helper(endless), &["the remote's helper"]);
}

/// Every tool finds out that what is there is not this ledger.
#[track_caller]
fn is_no_ledger(town: &Town, words: &[&str]) {
    for runner in [town.runner("a"), town.runner("fresh")] {
        runner.check(&["lint", "--policy-ref", "refs/heads/main", "--", "false"]).exits(125).says(words);
        runner.skip(&["lint", "--reason", "x", "--policy-ref", "refs/heads/main"]).exits(4).says(words);
        runner.log(&["sync"]).exits(4).says(words);
    }
}

#[test]
fn a_branch_that_holds_no_ledger_is_none() {
    let town = Town::git();
    town.runner("a").check(&["lint", "--", "true"]).exits(0);
    let tree = town.at_host(&["hash-object", "-w", "-t", "tree", "/dev/null"]);
    let env = ["-c", "user.name=x", "-c", "user.email=x@example.com"];
    let commit = [&env[..], &["commit-tree", "-m", "something else", tree.trim()]].concat();
    let commit = town.at_host(&commit);
    town.at_host(&["update-ref", "refs/heads/gate-ledger", commit.trim()]);
    is_no_ledger(&town, &["ledger"]);
}

#[test]
fn entries_of_a_format_that_is_not_known_are_not_passed_over() {
    let town = Town::shell(&crate::helpers::toy(""));
    town.runner("a").check(&["lint", "--", "true"]).exits(0);
    let lines = town.lines();
    let (rest, newest) = lines.trim_end().rsplit_once('\n').unwrap();
    let later = newest.replace("\"v\":1", "\"v\":2");
    assert_ne!(later, newest);
    std::fs::write(town.house.outside("lines/lines"), format!("{rest}\n{later}\n")).unwrap();
    let fresh = town.runner("fresh");
    fresh.check(&["lint", "--policy-ref", "refs/heads/main", "--", "false"]).exits(125);
    fresh.log(&["sync"]).exits(4).says(&["entry"]);
}

/// The tool where no file may grow beyond `blocks` of 512 bytes, as on a disk that is full.
fn on_a_full_disk(runner: &Runner<'_>, blocks: u32, tool: &str, args: &[&str]) -> Ran {
    let command = runner.command(tool, args);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"")).arg("sh");
    shell.arg(command.get_program()).args(command.get_args()).env_clear();
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.current_dir(command.get_current_dir().unwrap());
    Ran::of(shell.output().unwrap())
}

#[test]
fn a_full_disk_lets_nothing_pass_and_loses_nothing() {
    for blocks in [0, 64] {
        let town = Town::git();
        let grant = ["lint", "--reason", "once", "--uses", "1", "--action", "override"];
        town.runner("laptop").skip(&grant).exits(0);
        town.runner("a").check(&["lint", "--", "true"]).exits(0);
        let before = town.entries().len();
        let a = town.runner("a");
        let ran = on_a_full_disk(&a, blocks, "gate-check", &["lint", "--", "false"]);
        let spent = || town.entries().iter().filter(|entry| entry["data"].get("spends").is_some()).count();
        match ran.code {
            // There was room for it after all.
            0 => assert_eq!(spent(), 1, "{}", ran.stderr),
            1 | 125 => assert!(!ran.stderr.is_empty()),
            other => panic!("{other}: {}", ran.stderr),
        }
        let asked = on_a_full_disk(&a, blocks, "gate-skip", &["lint", "--reason", "no room"]);
        assert!([0, 4, 5].contains(&asked.code), "{}: {}", asked.code, asked.stderr);
        // With room again everything that was there is, and the machine goes on.
        assert!(town.entries().len() >= before);
        town.runner("a").check(&["lint", "--", "true"]).exits(0);
        Ran::of(town.runner("a").command("gate-verify", &["--replay"]).output().unwrap()).exits(0);
    }
}
