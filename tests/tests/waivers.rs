//! How far a waiver reaches: into another file, until a fix is there, up to a severity.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

mod support;

use support::{House, POLICY};

const MOVING: &str = r#"
[gates.moving]
[[gates.moving.allow]]
actions = ["waive"]
who = ["*"]
max_ttl = "14d"
follow_moves = true
"#;

/// SARIF with one result of the rule R for each path and line; `code` is quoted where it is not empty.
fn sarif(places: &[(&str, u64)], code: &str) -> String {
    let quoted = if code.is_empty() { String::new() } else { format!(r#","snippet":{{"text":"{code}"}}"#) };
    let result = |(path, line): &(&str, u64)| {
        format!(
            r#"{{"ruleId":"R","level":"error","message":{{"text":"m"}},"locations":[{{"physicalLocation":{{
            "artifactLocation":{{"uri":"{path}"}},"region":{{"startLine":{line}{quoted}}}}}}}]}}"#
        )
    };
    let results: Vec<String> = places.iter().map(result).collect();
    let driver = r#""tool":{"driver":{"name":"pyscan"}}"#;
    format!(r#"{{"version":"2.1.0","runs":[{{{driver},"results":[{}]}}]}}"#, results.join(","))
}

/// A house in which what `gate` finds in `src/a.py` is accepted; `code` is quoted by the report or not.
fn accepted(gate: &str, code: &str) -> House {
    let house = House::new(&format!("{POLICY}{MOVING}"));
    std::fs::create_dir_all(house.path("src")).unwrap();
    house.write("src/a.py", "import os\nx = eval(y)\nprint(x)\n");
    house.write("r.sarif", sarif(&[("src/a.py", 2)], code));
    house.check(&[gate, "r.sarif", "--decision", "d.json"]).exits(1);
    house.skip(&["d.json", "--reason", "accepted"]).exits(0);
    house.check(&[gate, "r.sarif"]).exits(0);
    house
}

#[test]
fn a_file_that_was_renamed_keeps_its_waivers_where_the_rule_says_so() {
    for code in ["", "x = eval(y)"] {
        let house = accepted("moving", code);
        house.sh("mkdir lib && mv src/a.py lib/b.py").exits(0);
        house.write("r.sarif", sarif(&[("lib/b.py", 2)], code));
        let decision = house.check(&["moving", "r.sarif"]).exits(0).json();
        assert_eq!(decision["waived"][0]["moved_from"], "src/a.py");
        let text = house.check(&["moving", "r.sarif", "--format", "github"]).exits(0).out();
        assert!(text.contains("moved from src/a.py"), "{text}");
        house.sh("gate-verify --replay").exits(0);
        let strict = accepted("scan", code);
        strict.sh("mkdir lib && mv src/a.py lib/b.py").exits(0);
        strict.write("r.sarif", sarif(&[("lib/b.py", 2)], code));
        strict.check(&["scan", "r.sarif"]).exits(1);
    }
}

#[test]
fn what_is_accepted_at_a_brace_is_what_was_said_of_it() {
    let said = |message: &str, quoted: &str| {
        sarif(&[("package.json", 1)], quoted).replace(r#""text":"m""#, &format!(r#""text":"{message}""#))
    };
    for quoted in ["", "{"] {
        let house = House::new(POLICY);
        house.write("package.json", "{\n  \"name\": \"pay\"\n}\n");
        house.write("r.sarif", said("left-pad 1.3 has the licence WTFPL", quoted));
        house.check(&["scan", "r.sarif", "--decision", "d.json"]).exits(1);
        house.skip(&["d.json", "--reason", "accepted"]).exits(0);
        house.write("r.sarif", said("left-pad 1.4 has the licence WTFPL", quoted));
        house.check(&["scan", "r.sarif"]).exits(0);
        house.write("r.sarif", said("evil-lib 2.0 has the licence AGPL-3.0", quoted));
        house.check(&["scan", "r.sarif"]).exits(1);
        house.sh("gate-verify --replay").exits(0);
    }
}

#[test]
fn a_copy_a_second_place_and_a_link_to_the_old_one_are_no_moves() {
    let house = accepted("moving", "");
    let blocks = |places: &[(&str, u64)], count: usize| {
        house.write("r.sarif", sarif(places, ""));
        let decision = house.check(&["moving", "r.sarif"]).exits(1).json();
        assert_eq!(decision["blocking"].as_array().unwrap().len(), count, "{places:?}");
    };
    house.sh("cp src/a.py src/copy.py").exits(0);
    blocks(&[("src/copy.py", 2)], 1);
    blocks(&[("src/copy.py", 2), ("src/a.py", 2)], 1);
    house.sh("mv src/a.py src/b.py").exits(0);
    blocks(&[("src/copy.py", 2), ("src/b.py", 2)], 2);
    // What the report still says of the old file is older than the checkout.
    blocks(&[("src/b.py", 2), ("src/a.py", 2)], 2);
    for way in ["ln -s b.py src/a.py", "rm src/a.py; mv src away; ln -s away src"] {
        house.sh(way).exits(0);
        blocks(&[("away/b.py", 2)], 1);
    }
    house.sh("gate-verify --replay").exits(0);
}

const LAPSING: &str = r#"
[gates.lapsing]
[[gates.lapsing.allow]]
actions = ["waive"]
who = ["*"]
max_ttl = "14d"
lapse_when = ["fix-available", "severity-raised"]

[gates.scored]
fail_on = "security-severity >= 7"
[[gates.scored.allow]]
actions = ["waive"]
who = ["*"]
max_ttl = "14d"
"#;

/// A line of JSON Lines about one package, with `more` members.
fn line(more: &str) -> String {
    format!("{{\"rule\":\"CVE-1\",\"level\":\"warning\",\"package\":\"libfoo\",\"message\":\"m\"{more}}}\n")
}

#[test]
fn a_waiver_lapses_when_a_fix_is_there_and_when_the_severity_rises() {
    let house = House::new(&format!("{POLICY}{LAPSING}"));
    house.write("r.jsonl", line(",\"security_severity\":\"5.0\""));
    house.check(&["lapsing", "r.jsonl", "--decision", "d.json"]).exits(1);
    house.skip(&["d.json", "--reason", "no fix yet"]).exits(0);
    for (more, code, why) in [
        (",\"security_severity\":5", 0, ""),
        (",\"security_severity\":\"4.9\",\"fix\":false", 0, ""),
        ("", 0, ""),
        (",\"security_severity\":5.1", 1, "the security severity is higher"),
        (",\"security_severity\":5,\"fix\":\"1.2\"", 1, "there is a fix"),
    ] {
        house.write("r.jsonl", line(more));
        let ran = house.check(&["lapsing", "r.jsonl"]).exits(code);
        let reasons = ran.json()["reasons"].to_string();
        assert!(
            reasons.contains(why) && (code == 0) == reasons.contains("1 finding waived"),
            "{more}: {reasons}"
        );
    }
    house.check(&["lapsing", "r.jsonl", "--decision", "d.json"]).exits(1);
    house.skip(&["d.json", "--reason", "all the same"]).exits(1).says(&["waives what has no fix yet"]);
    house.sh("gate-verify --replay").exits(0);
}

#[test]
fn a_severity_that_was_not_known_has_risen_only_where_the_rule_cares() {
    let house = House::new(&format!("{POLICY}{LAPSING}"));
    for (gate, code) in [("lapsing", 1), ("scan", 0)] {
        house.write("r.jsonl", line(""));
        house.check(&[gate, "r.jsonl", "--decision", "d.json"]).exits(1);
        house.skip(&["d.json", "--reason", "accepted"]).exits(0);
        house.write("r.jsonl", line(",\"security_severity\":9.8"));
        house.check(&[gate, "r.jsonl"]).exits(code);
    }
    // Written by hand, a waiver names the severity that was last seen.
    house.skip(&["lapsing", "--waive", "rule=CVE-1,package=libfoo", "--reason", "accepted"]).exits(0);
    house.check(&["lapsing", "r.jsonl"]).exits(0);
    house.write("r.jsonl", line(",\"security_severity\":9.9"));
    house.check(&["lapsing", "r.jsonl"]).exits(1);
    house.sh("gate-verify --replay").exits(0);
}

#[test]
fn a_gate_may_fail_on_the_security_severity() {
    let house = House::new(&format!("{POLICY}{LAPSING}"));
    house.write("r.jsonl", line(",\"security_severity\":6.9"));
    assert_eq!(house.check(&["scored", "r.jsonl"]).exits(0).json()["below_threshold"], 1);
    house.write("r.jsonl", line(",\"security_severity\":7"));
    let decision = house.check(&["scored", "r.jsonl"]).exits(1).json();
    assert_eq!(decision["blocking"][0]["security_severity"], "7.0");
    house.write("r.jsonl", line(""));
    house.check(&["scored", "r.jsonl"]).exits(1);
    house.sh("gate-verify --replay").exits(0);
}
