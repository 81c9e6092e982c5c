//! What people see: who went past a gate and who did not, what a failure says, what an approver accepts, scripts of completions.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

mod support;

use serde_json::Value;
use support::{House, POLICY, Ran, result, sarif};

const WAITING: &str = r#"
version = 1
[gates.scan]
[[gates.scan.allow]]
actions = ["waive"]
who = ["*"]
assurance = "asserted"
max_ttl = "8h"
approvals = { count = 1, from = ["github:bob"], assurance = "asserted" }
"#;

fn log(house: &House, args: &[&str]) -> Ran {
    Ran::of(house.tool("gate-log", args).output().unwrap())
}

#[test]
fn what_was_held_or_blocked_all_the_same_went_past_nothing() {
    let house = House::new(POLICY);
    house.check(&["lint", "--", "true"]).exits(0);
    house.granted(&["lint", "--action", "pause"]);
    house.check(&["lint", "--", "true"]).exits(75);
    // A waiver that covers one finding of two.
    house.write("r.sarif", sarif(&[result("R1", "error", "a.py", 1), result("R2", "error", "b.py", 1)]));
    house.granted(&["scan", "--waive", "rule=R1,path=a.py"]);
    house.check(&["scan", "r.sarif"]).exits(1);
    let stats = log(&house, &["stats", "-q"]).exits(0).json();
    assert_eq!((&stats["total"]["uses"], &stats["total"]["rate"]), (&Value::from(0), &Value::from(0.0)));
    house.write("r.sarif", sarif(&[result("R1", "error", "a.py", 1)]));
    house.check(&["scan", "r.sarif"]).exits(0);
    assert_eq!(log(&house, &["stats", "-q"]).json()["total"]["uses"], 1);
}

#[test]
fn the_summary_names_who_overrode_and_not_who_waived() {
    let house = House::new(POLICY);
    house.write("r.sarif", sarif(&[result("R1", "error", "a.py", 1), result("R2", "error", "b.py", 1)]));
    house.skip_as("alice", &["scan", "--waive", "rule=R1,path=a.py", "--reason", "false positive"]).exits(0);
    let down = ["scan", "--action", "override", "--ttl", "1h", "--reason", "production is down"];
    house.skip_as("carol", &down).exits(0);
    let ran = house.check_as("dave", &["scan", "r.sarif"]).exits(0);
    let line = ran.stderr.lines().next().unwrap_or_default();
    assert!(line.contains("override") && line.contains("github:carol") && !line.contains("alice"), "{line}");
}

#[test]
fn the_text_of_each_failure_in_junit_is_what_is_wrong() {
    let house = House::new(POLICY);
    let many: Vec<Value> = (0..12).map(|n| result(&format!("R{n}"), "error", "a.c", n + 1)).collect();
    house.write("r.sarif", sarif(&many));
    let xml = house.check(&["scan", "r.sarif", "--format", "junit"]).exits(1).out();
    let texts: Vec<&str> = xml
        .split("<failure")
        .skip(1)
        .filter_map(|rest| rest.split_once('>')?.1.split_once("</failure>"))
        .map(|(text, _)| text)
        .collect();
    assert_eq!(texts.len(), 13);
    assert!(texts[0].contains("R9 in a.c") && texts[0].contains("and 2 more"), "{}", texts[0]);
    assert!(
        texts[1..].iter().enumerate().all(|(n, text)| text.contains(&format!("R{n} in a.c"))),
        "{texts:?}"
    );
}

#[test]
fn who_approves_sees_the_findings_that_are_accepted() {
    let house = House::new(WAITING);
    house
        .skip_as("carol", &["scan", "--waive", "rule=PICKLE,path=src/load.py", "--reason", "reviewed"])
        .exits(3);
    let due = log(&house, &["due", "-q"]).exits(0).json();
    assert_eq!(due["requests"][0]["findings"][0]["rule"], "PICKLE");
    log(&house, &["due", "--format", "text"]).exits(0).says(&["request"]);
    assert!(log(&house, &["due", "--format", "text"]).out().contains("PICKLE up to error in src/load.py"));
    let id = due["requests"][0]["id"].to_string();
    let answer = house.skip_as("bob", &["approve", &id, "--format", "text"]).exits(0).out();
    assert!(answer.contains("PICKLE") && answer.contains("src/load.py"), "{answer}");
}

#[test]
fn each_tool_completes_its_options_in_each_shell_without_a_policy() {
    let house = House::without_ledger("version = 1\n");
    for (tool, word) in [
        ("gate-check", "findings"),
        ("gate-skip", "approve"),
        ("gate-log", "stats"),
        ("gate-verify", "replay"),
    ] {
        for shell in ["bash", "zsh", "fish"] {
            let script =
                Ran::of(house.tool(tool, &["--completions", shell]).output().unwrap()).exits(0).out();
            assert!(script.contains(word) && script.contains(tool), "{tool} {shell}");
        }
        let odd = Ran::of(house.tool(tool, &["--completions", "csh"]).output().unwrap());
        odd.exits(2).says(&["csh"]);
    }
}
