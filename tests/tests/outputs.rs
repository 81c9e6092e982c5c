//! Several outputs of one decision, and what a run says about what blocks.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and may start programs"
)]

mod support;

use std::fmt::Write as _;

use support::{House, POLICY};

/// `number` findings of ten rules, the last of them the only error.
fn findings(number: usize) -> String {
    let mut text = String::new();
    for at in 1..=number {
        let (level, rule) =
            if at == number { ("error", "E1".to_owned()) } else { ("warning", format!("W{}", at % 10)) };
        let finding = serde_json::json!({
            "rule": rule, "level": level, "path": format!("src/f{}.py", at % 7), "line": at,
            "message": format!("finding {at}"), "fingerprint": format!("f{at}"),
        });
        writeln!(text, "{finding}").unwrap();
    }
    writeln!(text, "{{\"schema\":\"gate.end/1\",\"count\":{number}}}").unwrap();
    text
}

#[test]
fn one_decision_is_written_in_every_format_and_used_once() {
    let house = House::new(POLICY);
    house.write("scan.jsonl", findings(1));
    let blocked = house.check(&["scan", "scan.jsonl"]).exits(1);
    house.write("d.json", &blocked.stdout);
    house.skip(&["d.json", "--reason", "one time", "--uses", "1"]).exits(0);
    let formats =
        "github,json=a.json,markdown=a.md,sarif=a.sarif,junit=a.xml,gitlab=a.gl,html=a.html,text=a.txt";
    let ran = house.check(&["scan", "scan.jsonl", "--format", formats]).exits(0);
    assert!(ran.out().starts_with("::notice "), "{}", ran.out());
    for (file, start) in [
        ("a.json", "{"),
        ("a.md", "<h3>"),
        ("a.sarif", "{"),
        ("a.xml", "<?xml"),
        ("a.gl", "["),
        ("a.html", "<!DOCTYPE"),
        ("a.txt", "scan: pass"),
    ] {
        assert!(house.read(file).starts_with(start), "{file}: {}", house.read(file));
    }
    // The one use is spent: whatever was written, it was one decision.
    house.check(&["scan", "scan.jsonl"]).exits(1);
}

#[test]
fn an_output_is_no_input_no_link_and_no_other_output() {
    let house = House::new(POLICY);
    let scan = findings(1);
    house.write("scan.jsonl", &scan);
    house.write("kept.txt", "kept");
    house.write("gate.toml.sig", "word");
    std::os::unix::fs::symlink(house.path("kept.txt"), house.path("link.md")).unwrap();
    for format in [
        "markdown=scan.jsonl",
        "sarif=gate.toml",
        "html=gate.toml.sig",
        "junit=.gate/ledger.db",
        "junit=.gate/ledger.db-wal",
        "markdown=link.md",
        "json=a,markdown=a",
        "json=a,markdown=./a",
        "markdown=decision.json",
        "markdown=",
        "github,azure",
        "pdf=a.pdf",
    ] {
        let args = ["scan", "scan.jsonl", "--decision", "decision.json", "--format", format];
        house.check(&args).exits(2);
    }
    assert_eq!((house.read("scan.jsonl"), house.read("kept.txt")), (scan, "kept".to_owned()));
    assert_eq!(house.read("gate.toml"), POLICY);
    house.check(&["--list", "--format", "markdown=list.md"]).exits(2);
    house.check(&["scan", "scan.jsonl"]).exits(1);
}

#[test]
fn a_name_that_is_refused_empties_nothing_and_a_dash_is_no_file() {
    let house = House::new(POLICY);
    house.write("scan.jsonl", findings(1));
    for formats in
        ["json=kept.json,markdown=kept.json", "json=kept.json,html=./kept.json", "json=kept.json,sarif=-"]
    {
        house.write("kept.json", "kept");
        house.check(&["scan", "scan.jsonl", "--format", formats]).exits(2);
        assert_eq!(house.read("kept.json"), "kept", "{formats}");
    }
    house
        .check(&["scan", "scan.jsonl", "--decision", "-"])
        .exits(2)
        .says(&["'-' is no file", "--format json"]);
    assert!(!house.path("-").exists());
    house.check(&["scan", "scan.jsonl", "--decision", "./-"]).exits(1);
    assert!(house.path("-").exists());
}

#[test]
fn a_run_names_the_worst_and_the_one_command_for_all() {
    let house = House::new(POLICY);
    house.write("made.jsonl", findings(40));
    let ran = ["scan", "--findings", "out.jsonl", "--decision", "d", "--", "cp", "made.jsonl", "out.jsonl"];
    let ran = house.check(&ran).exits(1);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines[1], "  error E1 src/f5.py:40: finding 40");
    assert_eq!(lines[11], "  and 30 more");
    let command = ran.stderr.lines().map(str::trim).find(|line| line.starts_with("gate-skip ./d")).unwrap();
    assert_eq!(command, "gate-skip ./d", "whoever pastes it is asked why");
    house.skip(&["./d", "--reason", "in review"]).exits(0);
    house.check(&["scan", "made.jsonl"]).exits(0);
}

#[test]
fn the_command_for_a_few_names_them_all() {
    let house = House::new(POLICY);
    house.write("scan.jsonl", findings(3));
    let decision = house.check(&["scan", "scan.jsonl"]).exits(1).json();
    let argv: Vec<String> = serde_json::from_value(decision["suggest_all"]["argv"].clone()).unwrap();
    assert_eq!(argv.iter().filter(|word| *word == "--waive").count(), 3);
    let mut words: Vec<&str> = argv[1..].iter().map(String::as_str).collect();
    words.extend(["--reason", "all of it is in review"]);
    house.skip(&words).exits(0);
    house.check(&["scan", "scan.jsonl"]).exits(0);
}

#[test]
fn annotations_of_a_run_go_beside_the_output_of_its_command() {
    let house = House::new(POLICY);
    house.write("made.jsonl", findings(12));
    let words = ["scan", "--findings", "o.jsonl", "--format", "github,markdown=s.md", "--", "sh", "-c"];
    let ran = house.check(&[&words[..], &["cp made.jsonl o.jsonl; echo mine"]].concat()).exits(1);
    assert_eq!(ran.out(), "mine\n");
    assert!(ran.stderr.contains("::error file=src/f5.py,line=12"), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("finding 12").count(), 1, "nothing is told twice: {}", ran.stderr);
    assert!(house.read("s.md").contains("<code>E1</code>"));
}

#[test]
fn the_report_of_many_findings_is_what_jenkins_takes() {
    let house = House::new(POLICY);
    house.write("scan.jsonl", findings(500));
    let xml = house.check(&["scan", "scan.jsonl", "--format", "junit"]).exits(1).out();
    assert_eq!(xml.matches("<failure").count(), 501);
    assert!(xml.contains(">finding 500\nsrc/f3.py:500\nfingerprint "), "{xml}");
}
