//! Bad input gets one clear message with place and remedy, exit 2 (4 for a broken ledger), and nothing is
//! recorded that did not happen.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

mod support;

use serde_json::{Value, json};
use support::{House, POLICY, result, sarif};

/// Each bad report: what it is, and its bytes.
fn bad_reports() -> Vec<(&'static str, Vec<u8>)> {
    let good = sarif(&[result("R1", "error", "src/a.py", 1)]);
    let deep = |n: usize| {
        format!(
            "{{\"version\":\"2.1.0\",\"runs\":[{{\"tool\":{{\"driver\":{{\"name\":\"x\"}}}},\"results\":[],\"properties\":{}1{}}}]}}",
            "[".repeat(n),
            "]".repeat(n)
        )
    };
    let utf32: Vec<u8> = good.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    vec![
        ("empty", Vec::new()),
        ("white space", b" \n\t\n".to_vec()),
        ("truncated JSON", good.as_bytes()[..good.len() / 2].to_vec()),
        ("trailing text", format!("{good} trailing").into_bytes()),
        ("a word", b"hello".to_vec()),
        ("NUL bytes", vec![0; 64]),
        ("random bytes", (0..=255).rev().collect()),
        ("Latin-1", b"{\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"caf\xe9\"}},\"results\":[]}]}".to_vec()),
        ("UTF-32", utf32),
        ("128 levels", deep(128).into_bytes()),
        ("100000 levels", deep(100_000).into_bytes()),
        ("another version", good.replace("2.1.0", "3.0.0").into_bytes()),
        ("no runs", br#"{"version":"2.1.0","runs":[]}"#.to_vec()),
        ("runs is null", br#"{"version":"2.1.0","runs":null}"#.to_vec()),
        ("no results", br#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}}}]}"#.to_vec()),
        (
            "an execution that failed",
            br#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"invocations":[{"executionSuccessful":false}],"results":[]}]}"#.to_vec(),
        ),
        ("a level that is none", good.replace("\"error\"", "\"fatal\"").into_bytes()),
        ("JSON of another kind", b"{\"a\":1}".to_vec()),
        ("a JSON list", b"[1,2]".to_vec()),
        ("malformed XML", b"<testsuites><testsuite></testsuites>".to_vec()),
        ("truncated XML", b"<testsuites><testsuite name=\"a\"><testcase".to_vec()),
        ("an entity bomb", b"<!DOCTYPE a [<!ENTITY b \"x\">]><testsuites>&b;</testsuites>".to_vec()),
        ("XML of another kind", b"<html></html>".to_vec()),
        ("a JSON line without rule", b"{\"level\":\"error\",\"message\":\"m\"}\n".to_vec()),
        ("a JSON line with a bad level", b"{\"rule\":\"r\",\"level\":\"fatal\",\"message\":\"m\"}\n".to_vec()),
        ("a count that does not agree", b"{\"rule\":\"r\",\"level\":\"note\",\"message\":\"m\"}\n{\"schema\":\"gate.end/1\",\"count\":2}\n".to_vec()),
    ]
}

#[test]
fn a_bad_report_is_exit_2_from_a_file_and_from_standard_input_and_nothing_is_recorded() {
    let house = House::new(POLICY);
    house.granted(&["scan", "--action", "override"]);
    let before = house.entries().len();
    for (what, bytes) in bad_reports() {
        house.write("bad", &bytes);
        let named = house.check(&["scan", "bad"]);
        assert_eq!(named.code, 2, "{what}: {} {}", named.out(), named.stderr);
        assert!(named.stderr.starts_with("gate-check: "), "{what}: {}", named.stderr);
        assert!(named.stderr.contains("bad"), "{what} names no file: {}", named.stderr);
        assert!(named.stdout.is_empty(), "{what}");
        let piped = house.check_stdin(&["scan", "-"], &bytes);
        assert_eq!(piped.code, 2, "{what}: {}", piped.stderr);
        assert!(piped.stderr.contains("standard input"), "{what}: {}", piped.stderr);
        let planned = house.check(&["scan", "--plan", "bad"]);
        assert_eq!(planned.code, 2, "{what}: {}", planned.stderr);
    }
    assert_eq!(house.entries().len(), before);
}

#[test]
fn the_same_report_written_by_a_command_is_125_and_recorded_as_a_gate_that_did_not_run() {
    let house = House::new(POLICY);
    house.granted(&["scan", "--action", "override"]);
    for (what, bytes) in bad_reports() {
        house.write("bad", &bytes);
        let ran = house.check(&["scan", "--findings", "o", "--", "cp", "bad", "o"]);
        assert_eq!(ran.code, 125, "{what}: {}", ran.stderr);
        assert!(house.last_decision()["data"]["did_not_run"].is_string(), "{what}");
    }
}

#[test]
fn a_byte_order_mark_is_no_error() {
    let house = House::new(POLICY);
    house.write("bom.sarif", format!("\u{feff}{}", sarif(&[])));
    house.check(&["scan", "bom.sarif"]).exits(0);
}

#[test]
fn a_report_that_is_missing_a_directory_or_unreadable() {
    let house = House::new(POLICY);
    house.check(&["scan", "missing.sarif"]).exits(2).says(&["missing.sarif", "SARIF"]);
    std::fs::create_dir(house.path("dir.sarif")).unwrap();
    house.check(&["scan", "dir.sarif"]).exits(2).says(&["dir.sarif"]);
}

#[test]
fn a_bad_policy_is_exit_2_with_a_place() {
    let house = House::new(POLICY);
    for (what, text) in [
        ("malformed", "version = 1\n[gates.lint\n"),
        ("an unknown key", "version = 1\n[gates.lint]\nseverty = \"low\"\n"),
        ("a doubled gate", "version = 1\n[gates.lint]\n[gates.lint]\n"),
        ("a reserved name", "version = 1\n[gates.approve]\n"),
        ("no max_ttl", "version = 1\n[gates.lint]\n[[gates.lint.allow]]\nactions=[\"skip\"]\nwho=[\"*\"]\n"),
        ("a newer version", "version = 2\n"),
        ("no version", "[gates.lint]\n"),
        ("empty", ""),
        ("a wrong type", "version = 1\n[gates.lint]\nseverity = 3\n"),
    ] {
        house.write("gate.toml", text);
        let ran = house.check(&["lint", "--plan"]);
        assert_eq!(ran.code, 2, "{what}: {}", ran.stderr);
        assert!(ran.stderr.contains("gate.toml"), "{what}: {}", ran.stderr);
        assert!(ran.stderr.contains(':') && ran.stderr.starts_with("gate-check: "), "{what}: {}", ran.stderr);
        assert_eq!(house.skip(&["lint", "--reason", "x"]).code, 2, "{what}");
        assert_eq!(house.check(&["lint", "--", "touch", "ran"]).code, 125, "{what}");
    }
    house.write("gate.toml", b"version = 1\n# caf\xe9\n");
    house.check(&["lint", "--plan"]).exits(2).says(&["gate.toml", "UTF-8"]);
    std::fs::remove_file(house.path("gate.toml")).unwrap();
    house.check(&["lint", "--plan"]).exits(2).says(&["no policy", "gate-log init"]);
    std::fs::create_dir(house.path("gate.toml")).unwrap();
    house.check(&["lint", "--plan"]).exits(2).says(&["gate.toml"]);
    assert!(!house.path("ran").exists());
    assert_eq!(house.entries().len(), 1);
}

#[test]
fn a_file_that_is_not_a_ledger_decides_nothing() {
    let text = "hello, this is not a database\n".repeat(500).into_bytes();
    let header = [b"SQLite format 3\0".as_slice(), &[0; 8176]].concat();
    for (what, bytes, code) in [("text", text, 4), ("a header alone", header, 4), ("empty", Vec::new(), 4)] {
        let house = House::without_ledger(POLICY);
        house.write(".gate/ledger.db", &bytes);
        let asked = house.skip(&["lint", "--reason", "x"]);
        assert_eq!(asked.code, code, "{what}: {}", asked.stderr);
        assert!(asked.stderr.contains("ledger.db"), "{what}: {}", asked.stderr);
        house.check(&["lint", "--", "sh", "-c", "exit 7"]).exits(125);
        house.check(&["deploy", "--", "true"]).exits(125);
        assert_eq!(std::fs::read(house.path(".gate/ledger.db")).unwrap(), bytes, "{what} was changed");
    }
}

#[test]
fn another_programs_database_is_no_ledger() {
    let house = House::without_ledger(POLICY);
    std::fs::create_dir(house.path(".gate")).unwrap();
    house.sh("sqlite3 .gate/ledger.db 'create table t(x); insert into t values(1)'").exits(0);
    house.skip(&["lint", "--reason", "x"]).exits(4);
}

#[test]
fn a_newer_ledger_is_refused() {
    let house = House::new(POLICY);
    house.sh("sqlite3 .gate/ledger.db 'PRAGMA user_version = 99'").exits(0);
    house.skip(&["lint", "--reason", "x"]).exits(4);
}

#[test]
fn hostile_decisions_are_errors_and_waive_nothing() {
    let house = House::new(POLICY);
    house.write("scan.sarif", sarif(&[result("R1", "error", "src/a.py", 1)]));
    let good: Value = house.check(&["scan", "scan.sarif"]).exits(1).json();
    let with = |edit: &dyn Fn(&mut Value)| {
        let mut decision = good.clone();
        edit(&mut decision);
        decision.to_string().into_bytes()
    };
    let text = good.to_string();
    let before = house.entries().len();
    for (what, bytes) in [
        ("empty", Vec::new()),
        ("truncated", text.as_bytes()[..text.len() / 2].to_vec()),
        ("two documents", format!("{text}\n{text}").into_bytes()),
        ("not JSON", b"gate-check: blocked".to_vec()),
        ("another schema", with(&|d| d["schema"] = json!("gate.decision/2"))),
        ("another document", br#"{"schema":"gate.grant/1","status":"granted","reasons":[]}"#.to_vec()),
        ("no such gate", with(&|d| d["gate"] = json!("nope"))),
        ("a gate that is an escape", with(&|d| d["gate"] = json!("\u{1b}[31m"))),
        ("a rule that is an escape", with(&|d| d["blocking"][0]["rule"] = json!("\u{1b}[31m"))),
        ("a level that is none", with(&|d| d["blocking"][0]["level"] = json!("fatal"))),
        ("deep", format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)).into_bytes()),
    ] {
        let ran = house.skip_stdin(&["-", "--reason", "x"], &bytes);
        assert!(
            ran.code == 2 || (what == "a rule that is an escape" && ran.code == 1),
            "{what}: {} {} {}",
            ran.code,
            ran.out(),
            ran.stderr
        );
        assert!(!ran.stderr.contains('\u{1b}'), "{what}");
        assert!(ran.stderr.starts_with("gate-skip: "), "{what}: {}", ran.stderr);
    }
    assert!(house.of_kind("grant").is_empty());
    assert!(house.entries().len() <= before + 1);
}

#[test]
fn a_forged_decision_cannot_ask_for_more_than_the_rule_allows() {
    let policy =
        POLICY.replacen("actions = [\"waive\"]\n", "actions = [\"waive\"]\nmax_level = \"warning\"\n", 1);
    let house = House::new(&policy);
    house.write("scan.sarif", sarif(&[result("R1", "error", "src/a.py", 1)]));
    let mut decision: Value = house.check(&["scan", "scan.sarif"]).exits(1).json();
    house.skip_stdin(&["-", "--reason", "x"], decision.to_string().as_bytes()).exits(1);
    decision["blocking"][0]["level"] = json!("warning");
    house.skip_stdin(&["-", "--reason", "x"], decision.to_string().as_bytes()).exits(0);
    house.check(&["scan", "scan.sarif"]).exits(1);
    // A path that is a glob is taken literally.
    decision["blocking"][0]["path"] = json!("src/**");
    decision["blocking"][0]["fingerprint"] = json!("");
    house.skip_stdin(&["-", "--reason", "x"], decision.to_string().as_bytes());
    house.write("w.sarif", sarif(&[result("R1", "warning", "src/b.py", 1)]));
    house.check(&["scan", "w.sarif"]).exits(1);
}

#[test]
fn messages_name_the_tool_and_a_remedy() {
    let house = House::without_ledger(POLICY);
    for ran in [
        house.check(&["scan", "missing.sarif"]),
        house.check(&["lint"]),
        house.check(&["lint", "--plan", "--at", "soon"]),
        house.check(&["deploy", "--plan"]),
    ] {
        assert!(ran.stderr.starts_with("gate-check: "), "{}", ran.stderr);
        let has_remedy = ran.stderr.trim_end().lines().count() >= 2 || ran.stderr.contains("; ");
        assert!(has_remedy, "no remedy: {}", ran.stderr);
    }
}
