//! What a report says is heard, whatever format it is in and whatever is made of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

mod support;

use serde_json::json;
use support::{House, POLICY, Ran};

const ACCEPTING: &str = r#"
[gates.grumbling]
report_errors = "accept"
"#;

/// SARIF of one run with these members.
fn run(members: &str) -> String {
    format!(r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"pyscan"}}}},{members}}}]}}"#)
}

fn grumbling() -> String {
    run(r#""invocations":[{"executionSuccessful":true,"toolExecutionNotifications":[
        {"level":"error","message":{"text":"broken.py was not looked at"}}]}],"results":[]"#)
}

#[test]
fn a_scan_whose_tool_reports_an_error_of_its_own_did_not_run() {
    let house = House::new(POLICY);
    house.write("new.sarif", grumbling());
    house.check(&["scan", "new.sarif"]).exits(2).says(&["broken.py was not looked at", "report_errors"]);
    let script = "cp new.sarif o.sarif; exit 7 || true";
    house.check(&["scan", "--findings", "o.sarif", "--", "sh", "-c", script]).exits(7);
    let script = "cp new.sarif o.sarif; (exit 7) || true";
    house.check(&["scan", "--findings", "o.sarif", "--", "sh", "-c", script]).exits(125).says(&["broken.py"]);
}

#[test]
fn what_a_tool_says_about_itself_is_in_the_summary_and_in_every_format() {
    let house = House::new(&format!("{POLICY}{ACCEPTING}"));
    house.write("new.sarif", grumbling());
    let words = "pyscan reports an error of its own: broken.py was not looked at";
    for format in ["json", "text", "sarif", "junit", "github", "gitlab", "azure", "markdown", "html"] {
        let ran = house.check(&["grumbling", "new.sarif", "--format", format]).exits(0).says(&[words]);
        assert!(ran.out().replace("&#58;", ":").contains(words), "{format}: {}", ran.out());
    }
    let decision = house.check(&["grumbling", "new.sarif"]).json();
    assert_eq!(decision["notices"], json!([words]));
}

#[test]
fn a_gate_that_accepts_errors_of_its_tool_is_named_by_the_linter() {
    let house = House::new(&format!("{POLICY}{ACCEPTING}"));
    let ran = Ran::of(house.tool("gate-verify", &["policy", "--format", "json"]).output().unwrap());
    assert!(ran.out().contains("accepts-errors"), "{}", ran.out());
}

#[test]
fn results_that_wait_for_a_person_block() {
    let house = House::new(POLICY);
    house.write("r.sarif", run(r#""results":[{"ruleId":"A","kind":"review"},{"ruleId":"B","kind":"open"}]"#));
    let ran = house.check(&["scan", "r.sarif"]).exits(1);
    assert_eq!(ran.json()["blocking"].as_array().unwrap().len(), 2);
    assert!(ran.out().contains("wait for a person"));
}

#[test]
fn a_fifo_in_a_reports_place_is_refused_without_waiting() {
    let house = House::new(POLICY);
    house.sh("mkfifo pipe").exits(0);
    house.check(&["scan", "pipe"]).exits(2).says(&["not a regular file"]);
    house.check(&["scan", "/dev/zero"]).exits(2).says(&["not a regular file"]);
}

#[test]
fn a_waiver_whose_braces_multiply_is_refused_at_the_request() {
    let house = House::new(POLICY);
    let wide = format!("rule=R,path=src/{},count=1", "%7B%2C%2C%2C%2C%2C%2C%2C%2C%2C%7D".repeat(10));
    house.skip(&["scan", "--waive", &wide, "--reason", "x"]).exits(2).says(&["more than 64 alternatives"]);
    let deep = "rule=R,path=src/%7Ba%7Bb%7Bc%7D%7D%7D,count=1";
    house.skip(&["scan", "--waive", deep, "--reason", "x"]).exits(2).says(&["nested more than 2 deep"]);
}
