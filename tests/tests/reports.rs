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

/// A result of `rule` at `path`, without any code.
fn at(path: &str, line: u64, more: &str) -> String {
    format!(
        r#"{{"ruleId":"R","level":"error","message":{{"text":"m"}},{more}"locations":[{{"physicalLocation":{{
        "artifactLocation":{{"uri":"{path}"}},"region":{{"startLine":{line}}}}}}}]}}"#
    )
}

fn results(results: &[String]) -> String {
    run(&format!("\"results\":[{}]", results.join(",")))
}

/// Judges, and waives all that blocks.
fn accept(house: &House, report: &str) {
    house.check(&["scan", report, "--decision", "d.json"]).exits(1);
    house.skip(&["d.json", "--reason", "accepted"]).exits(0);
    house.check(&["scan", report]).exits(0);
}

#[test]
fn a_waiver_of_one_service_does_not_cover_the_same_file_of_another() {
    let house = House::new(POLICY);
    for service in ["pay", "ship"] {
        std::fs::create_dir_all(house.path(&format!("services/{service}"))).unwrap();
        house.write(&format!("services/{service}/s.sarif"), results(&[at("app.py", 3, "")]));
    }
    house.sh("cd services/pay && gate-check scan s.sarif --decision d.json").exits(1);
    house.sh("cd services/pay && gate-skip d.json --reason accepted && gate-check scan s.sarif").exits(0);
    let ran = house.sh("cd services/ship && gate-check scan s.sarif").exits(1);
    assert_eq!(ran.json()["blocking"][0]["path"], "services/ship/app.py");
}

#[test]
fn a_workspace_behind_a_link_is_the_repository() {
    let house = House::new(POLICY);
    let link = house.outside("workspace");
    std::os::unix::fs::symlink(house.path(""), &link).unwrap();
    let uri = format!("file://{}/src/a.py", link.display());
    house.write("a.sarif", results(&[at(&uri, 1, "")]));
    let ran = house.sh(&format!("cd {} && gate-check scan a.sarif", link.display())).exits(1);
    assert_eq!(ran.json()["blocking"][0]["path"], "src/a.py");
}

#[test]
fn an_accepted_secret_that_is_replaced_by_another_blocks() {
    let house = House::new(POLICY);
    let secret = |value: &str| {
        let more = format!(r#""fingerprints":{{"asset/v0":"square","secret/v0":"{value}"}},"#);
        results(&[at("src/cfg.py", 4, &more)])
    };
    house.write("a.sarif", secret("aaaa"));
    house.write("b.sarif", secret("bbbb"));
    accept(&house, "a.sarif");
    house.check(&["scan", "b.sarif"]).exits(1);
    house.write("c.sarif", results(&[at("a.py", 3, r#""partialFingerprints":{"h/v1":"1"},"#)]));
    house.write("d.sarif", results(&[at("a.py", 5, r#""partialFingerprints":{"h/v1":"1","h/v2":"2"},"#)]));
    accept(&house, "c.sarif");
    house.check(&["scan", "d.sarif"]).exits(0);
}

#[test]
fn a_line_of_the_checkout_identifies_what_no_report_quotes() {
    let house = House::new(POLICY);
    std::fs::create_dir(house.path("src")).unwrap();
    house.write("src/a.py", "a = 1\nb = eval(x)\n");
    house.write("a.sarif", results(&[at("src/a.py", 2, "")]));
    accept(&house, "a.sarif");
    house.write("src/a.py", "# new\na = 1\nb = eval( x )\n");
    house.write("b.sarif", results(&[at("src/a.py", 3, "")]).replace("\"m\"", "\"other words\""));
    house.check(&["scan", "b.sarif"]).exits(0);
    house.write("src/a.py", "a = 1\nb = eval(y)\n");
    let ran = house.check(&["scan", "a.sarif"]).exits(1);
    assert_eq!(ran.json()["blocking"][0]["identified_by"], "code");
}

#[test]
fn of_three_alike_findings_the_new_one_in_the_middle_blocks() {
    let house = House::new(POLICY);
    house.write("a.sarif", results(&[at("a.py", 20, ""), at("a.py", 100, "")]));
    accept(&house, "a.sarif");
    house.write("b.sarif", results(&[at("a.py", 21, ""), at("a.py", 60, ""), at("a.py", 101, "")]));
    let ran = house.check(&["scan", "b.sarif"]).exits(1);
    assert_eq!(ran.json()["blocking"][0]["line"], 60);
}
