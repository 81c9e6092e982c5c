//! Each line of the table of exit codes, as a shell sees it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

mod support;

use support::{House, POLICY, result, sarif};

fn lint(script: &str) -> Vec<&str> {
    vec!["lint", "--", "sh", "-c", script]
}

#[test]
fn zero_is_proceed_passed_skipped_overridden_waived_granted_planned_and_listed() {
    let house = House::new(POLICY);
    house.check(&["lint", "--", "true"]).exits(0);
    house.check(&["--list"]).exits(0);
    house.check(&["lint", "--plan"]).exits(0);
    house.granted(&["lint", "--action", "override"]);
    house.check(&["lint", "--", "false"]).exits(0);
    house.granted(&["lint"]);
    house.check(&["lint", "--", "false"]).exits(0);
    house.write("scan.sarif", sarif(&[result("R1", "error", "src/a.py", 3)]));
    house.granted(&["scan", "--waive", "rule=R1,path=src/a.py"]);
    house.check(&["scan", "scan.sarif"]).exits(0);
    house.write("clean.sarif", sarif(&[]));
    house.check(&["scan", "clean.sarif"]).exits(0);
}

#[test]
fn one_is_a_negative_verdict_blocked_or_denied() {
    let house = House::new(POLICY);
    house.write("scan.sarif", sarif(&[result("R1", "error", "src/a.py", 3)]));
    house.check(&["scan", "scan.sarif"]).exits(1);
    house.skip(&["secrets", "--reason", "please"]).exits(1);
    // A plan that was made is 0, whatever it foresees.
    let plan = house.check(&["scan", "--plan", "scan.sarif"]).exits(0).json();
    assert_eq!((&plan["decision"], &plan["proceed"]), (&"fail".into(), &false.into()));
}

#[test]
fn two_is_an_error_of_usage_policy_or_input_and_nothing_is_decided() {
    let house = House::new(POLICY);
    for args in [
        &["lint"][..],
        &[][..],
        &["nope", "--", "true"][..],
        &["lint", "--wait", "5", "x.sarif"][..],
        &["lint", "--no-such-option"][..],
        &["scan", "missing.sarif"][..],
        &["scan", "."][..],
        &["lint", "--plan", "--at", "yesterday"][..],
    ] {
        let code = house.check(args).code;
        let expected = if args.contains(&"--") { 125 } else { 2 };
        assert_eq!(code, expected, "{args:?}");
    }
    for args in [
        &["lint"][..],
        &["nope", "--reason", "x"][..],
        &["lint", "--reason", ""][..],
        &["approve", "99"][..],
        &["approve", "not-an-id"][..],
        &["revoke", "0", "--reason", "x"][..],
        &["missing.json", "--reason", "x"][..],
        &["lint", "--reason", "x", "--ttl", "4"][..],
        &["lint", "--reason", "x", "--uses", "0"][..],
        &["scan", "--reason", "x", "--waive", "rule=R1"][..],
    ] {
        assert_eq!(house.skip(args).code, 2, "{args:?}");
    }
    assert_eq!(house.entries().len(), 1, "nothing but the genesis");
}

#[test]
fn a_missing_ledger_is_an_error_of_what_was_given_and_a_directory_in_its_place_is_not_trusted() {
    let house = House::without_ledger(POLICY);
    house.skip(&["lint", "--reason", "x"]).exits(2).says(&["gate-skip: ", "gate-log init"]);
    std::fs::create_dir_all(house.path(".gate/ledger.db")).unwrap();
    house.skip(&["lint", "--reason", "x"]).exits(4);
}

#[test]
fn three_is_pending() {
    let policy = r#"
version = 1
[groups]
leads = ["github:bob", "github:carol"]
[gates.lint]
[[gates.lint.allow]]
actions = ["skip"]
who = ["*"]
max_ttl = "1h"
approvals = { count = 1, from = ["group:leads"], assurance = "asserted" }
"#;
    let house = House::new(policy);
    let asked = house.skip_as("alice", &["lint", "--reason", "x"]).exits(3);
    assert_eq!(asked.json()["status"], "pending");
}

#[test]
fn four_is_a_ledger_that_cannot_be_read_as_one_or_trusted() {
    let house = House::without_ledger(POLICY);
    house.write(".gate/ledger.db", "this is no database, and long enough not to be an empty one".repeat(40));
    house.skip(&["lint", "--reason", "x"]).exits(4);
    let pinned = format!("[ledger]\ngenesis = \"b3:{}\"\n", "0".repeat(64));
    let house = House::new(&POLICY.replacen("version = 1\n", &format!("version = 1\n{pinned}"), 1));
    house.skip(&["lint", "--reason", "x"]).exits(4).says(&["genesis"]);
    house.check(&["deploy", "--plan"]).exits(4);
    house.check(&["deploy", "--", "true"]).exits(125);
}

#[test]
fn five_is_a_failure_of_input_or_output() {
    let house = House::new(POLICY);
    house.write("clean.sarif", sarif(&[]));
    house.sh("gate-check scan clean.sarif > /dev/full").exits(5);
    house.sh("gate-check --list > /dev/full").exits(5);
    house.check(&["scan", "clean.sarif", "--decision", "no/such/dir/d.json"]).exits(5);
    house.check(&["lint", "--decision", "no/such/dir/d.json", "--", "true"]).exits(125);
}

#[test]
fn seventy_five_is_held_in_every_mode() {
    let house = House::new(POLICY);
    house.granted(&["lint", "--action", "pause"]);
    house.granted(&["scan", "--action", "pause"]);
    house.write("clean.sarif", sarif(&[]));
    house.check(&["lint", "--", "touch", "ran"]).exits(75);
    assert!(!house.path("ran").exists(), "a paused gate starts nothing");
    house.check(&["lint", "--plan"]).exits(75);
    house.check(&["scan", "clean.sarif"]).exits(75);
    house.check(&["scan", "--plan", "clean.sarif"]).exits(75);
}

#[test]
fn every_status_of_a_command_passes_through() {
    let house = House::new(POLICY);
    // Each run records durably; a sample with all that means something to somebody.
    for status in [0, 1, 2, 3, 4, 5, 64, 75, 100, 124, 125, 126, 127, 128, 129, 130, 137, 143, 200, 254, 255]
    {
        let ran = house.check(&lint(&format!("exit {status}")));
        assert_eq!(ran.code, status);
        assert_eq!(house.last_decision()["data"]["status"], status);
    }
}

#[test]
fn a_command_that_cannot_be_found_or_executed_or_dies_by_a_signal_is_as_in_env() {
    let house = House::new(POLICY);
    house.check(&["lint", "--", "/nonexistent/tool"]).exits(127);
    house.check(&["lint", "--", "no-such-tool-anywhere"]).exits(127);
    house.write("plain.txt", "text");
    house.check(&["lint", "--", "./plain.txt"]).exits(126);
    house.check(&["lint", "--", "."]).exits(126);
    for (signal, status) in [("TERM", 143), ("KILL", 137), ("SEGV", 139), ("HUP", 129)] {
        house.check(&lint(&format!("kill -{signal} $$"))).exits(status);
    }
}

#[test]
fn our_own_malfunctions_in_run_mode_are_125_and_nothing_starts() {
    let house = House::without_ledger(POLICY);
    house.check(&["deploy", "--", "touch", "ran"]).exits(125).says(&["require_ledger"]);
    house.check(&["nope", "--", "touch", "ran"]).exits(125);
    house.write("gate.toml", "version = 1\nbroken");
    house.check(&["lint", "--", "touch", "ran"]).exits(125);
    std::fs::remove_file(house.path("gate.toml")).unwrap();
    house.check(&["lint", "--", "touch", "ran"]).exits(125);
    assert!(!house.path("ran").exists());
}

#[test]
fn only_the_decision_tells_a_commands_75_from_ours() {
    let house = House::new(POLICY);
    house.check(&["lint", "--decision", "d.json", "--", "sh", "-c", "exit 75"]).exits(75);
    let decision: serde_json::Value = serde_json::from_str(&house.read("d.json")).unwrap();
    assert_eq!((&decision["decision"], &decision["status"]), (&"fail".into(), &75.into()));
    house.granted(&["lint", "--action", "pause"]);
    house.check(&["lint", "--decision", "d.json", "--", "sh", "-c", "exit 75"]).exits(75);
    let decision: serde_json::Value = serde_json::from_str(&house.read("d.json")).unwrap();
    assert_eq!(decision["decision"], "hold");
    assert!(decision.get("status").is_none());
}

#[test]
fn findings_block_with_1_even_where_the_scanner_exits_0() {
    let house = House::new(POLICY);
    house.write("new.sarif", sarif(&[result("R1", "error", "src/a.py", 3)]));
    for status in ["0", "1"] {
        let script = format!("cp new.sarif out.sarif; exit {status}");
        house.check(&["scan", "--findings", "out.sarif", "--", "sh", "-c", &script]).exits(1);
    }
}
