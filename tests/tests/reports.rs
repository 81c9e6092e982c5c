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
    house.write("src/a.py", "# new\nc = 2\nb = eval(x)\nd = 3\n");
    house.check(&["scan", "b.sarif"]).exits(1);
    house.write("src/a.py", "a = 1\nb = eval(y)\n");
    let ran = house.check(&["scan", "a.sarif"]).exits(1);
    assert_eq!(ran.json()["blocking"][0]["identified_by"], "code");
}

#[test]
fn the_same_code_elsewhere_in_the_file_does_not_inherit_a_waiver() {
    let house = House::new(POLICY);
    let first = "import os\n\ndef first(x):\n    y = x + 1\n    eval(x)\n    return y\n";
    let second = "\ndef second(z):\n    z.close()\n    eval(x)\n    print(z)\n";
    house.write("a.py", first);
    house.write("a.sarif", results(&[at("a.py", 5, "")]));
    accept(&house, "a.sarif");
    house.write("a.py", format!("#!/usr/bin/python3\n# new\n{first}{second}"));
    house.write("both.sarif", results(&[at("a.py", 11, ""), at("a.py", 7, "")]));
    let ran = house.check(&["scan", "both.sarif"]).exits(1);
    assert_eq!(
        (&ran.json()["blocking"][0]["line"], &ran.json()["waived"][0]["line"]),
        (&json!(11), &json!(7))
    );
    // The accepted one is gone: there would be room for it in the waiver's count.
    house.write("a.py", format!("import os\n# much\n# was\n# rewritten\n{second}"));
    house.write("second.sarif", results(&[at("a.py", 8, "")]));
    let ran = house.check(&["scan", "second.sarif"]).exits(1);
    assert_eq!(
        ran.json()["reasons"][1],
        "1 finding is like an accepted one, which stood elsewhere in the file"
    );
    Ran::of(house.tool("gate-verify", &["--replay"]).output().unwrap()).exits(0);
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

/// JUnit of one suite with a test that fails.
fn failing(name: &str) -> String {
    format!(
        r#"<testsuite><testcase classname="c" name="{name}"><failure message="x"/></testcase></testsuite>"#
    )
}

const PASSING: &str = r#"<testsuite><testcase classname="c" name="fine"/></testsuite>"#;

fn rules(ran: &Ran) -> Vec<String> {
    let json = ran.json();
    let blocking = json["blocking"].as_array().unwrap().iter();
    blocking.map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn files_folders_and_patterns_are_one_decision_and_no_file_counts_twice() {
    let house = House::new(POLICY);
    for (path, text) in [
        ("a/r/TEST-1.xml", failing("1")),
        ("a/r/TEST-2.xml", failing("2")),
        ("a/r/TEST-1.txt", "a log".to_owned()),
        ("b/r/out.sarif", run(r#""results":[{"ruleId":"A","level":"error"}]"#)),
    ] {
        house.write(path, text);
    }
    for (named, expected) in [
        (&["a/r/TEST-2.xml", "a/r/TEST-1.xml"][..], &["c/2", "c/1"][..]),
        (&["a"], &["c/1", "c/2"]),
        (&["a/r/*.xml", "a/r", "a/r/TEST-1.xml"], &["c/1", "c/2"]),
        (&["*/r/*.{xml,sarif}"], &["c/1", "c/2", "A"]),
        (&["b", "a"], &["A", "c/1", "c/2"]),
    ] {
        let ran = house.check(&[&["scan"], named].concat()).exits(1);
        assert_eq!(rules(&ran), expected, "{named:?}");
        house.check(&[&["scan", "--plan"], named].concat()).exits(0);
    }
    let entries = house.sh("gate-log --kind decision -q").out().lines().count();
    assert_eq!(entries, 5, "one decision each");
}

#[test]
fn the_digest_of_many_reports_can_be_made_again_from_the_files() {
    let house = House::new(POLICY);
    house.write("r/1.xml", failing("1"));
    house.write("r/2.xml", failing("2"));
    let ran = house.check(&["scan", "r"]).exits(1);
    let again = house.sh(
        "b3sum --no-names --derive-key 'gate v1 report' r/2.xml r/1.xml | sed 's/^/b3:/' | LC_ALL=C sort |
         b3sum --no-names --derive-key 'gate v1 reports' | sed 's/^/b3:/'",
    );
    assert_eq!(ran.json()["report"], again.out().trim());
    let names: Vec<_> = ran.json()["reports"].as_array().unwrap().iter().map(|r| r["name"].clone()).collect();
    assert_eq!(names, ["r/1.xml", "r/2.xml"]);
    house.sh("gate-verify --replay -q").exits(0);
}

#[test]
fn what_stands_for_no_report_has_not_passed() {
    let house = House::new(POLICY);
    house.write("r/1.xml", PASSING);
    house.write("empty/log.txt", "");
    house.write("zero/1.xml", "");
    house.write("zero/2.xml", PASSING);
    for named in [&["gone/*.xml"][..], &["empty"], &["r", "gone/*"], &["r/1.xml", "gone.xml"], &["zero"]] {
        house.check(&[&["scan"], named].concat()).exits(2);
    }
    house.sh("ln -s r link").exits(0);
    house.check(&["scan", "link"]).exits(2).says(&["link to a folder"]);
    house.write("lure/*.xml", PASSING);
    house.write("lure/1.xml", failing("1"));
    house.check(&["scan", "lure/*.xml"]).exits(1);
}

#[test]
fn every_report_of_many_is_of_this_run() {
    let house = House::new(POLICY);
    house.write("out/TEST-old.xml", PASSING);
    house.write("new.xml", PASSING);
    house.write("bad.xml", failing("1"));
    for (named, script, code) in [
        (&["fresh"][..], "mkdir fresh; cp new.xml fresh/", 0),
        (&["fresh/*.xml"], "cp bad.xml new.xml fresh/", 1),
        (&["fresh"], "cp new.xml fresh/", 125),
        (&["fresh"], "rm -r fresh; mkdir fresh; cp new.xml fresh/", 0),
        (&["out/*.xml"], "cp new.xml out/TEST-new.xml", 125),
        (&["out/*.xml"], "cp new.xml out/TEST-new.xml; cp new.xml out/TEST-old.xml", 0),
        (&["later/*.xml"], "true", 125),
        (&["a.xml", "b.xml"], "cp new.xml a.xml", 125),
        (&["a.xml", "b.xml"], "cp new.xml a.xml; cp bad.xml b.xml", 1),
        (&["linked"], "ln -sfn out linked", 125),
        (&["linked2/*.xml"], "mkdir linked2; ln -s ../new.xml linked2/", 125),
        (&["fresh/*.xml", "none/*.xml"], "touch fresh/*", 125),
    ] {
        let named: Vec<&str> = named.iter().flat_map(|file| ["--findings", file]).collect();
        let ran = house.check(&[&["scan"], &named[..], &["--", "sh", "-c", script]].concat());
        assert_eq!(ran.code, code, "{named:?} {script}: {}", ran.stderr);
    }
    house.sh("gate-verify --replay -q").exits(0);
}

#[test]
fn a_policy_names_a_folder_or_a_pattern_of_reports() {
    let house = House::new(&POLICY.replace("[gates.scan]\n", "[gates.scan]\nreport = \"out/*.xml\"\n"));
    house.write("new.xml", PASSING);
    let script = "mkdir -p out; cp new.xml out/; cp new.xml more.xml";
    let check = |named: &[&str]| {
        let named: Vec<&str> = named.iter().flat_map(|file| ["--findings", file]).collect();
        house.check(&[&["scan"], &named[..], &["--", "sh", "-c", script]].concat())
    };
    check(&["out/*.xml"]).exits(0);
    check(&["more.xml", "out/*.xml"]).exits(0);
    check(&["more.xml"]).exits(125).says(&["--findings 'out/*.xml'"]);
}

#[test]
fn a_suite_without_tests_is_fine_beside_one_that_has_some_and_alone_where_the_gate_says_so() {
    let lenient = "[gates.linted]\nempty = \"pass\"\n";
    let house = House::new(&format!("{POLICY}{lenient}"));
    house.write("empty.xml", "<testsuites tests=\"0\"/>");
    house.write("full.xml", PASSING);
    house.write("clean.sarif", run(r#""results":[]"#));
    house.write("zero.xml", "");
    house.check(&["scan", "empty.xml", "full.xml"]).exits(0);
    house.check(&["scan", "empty.xml"]).exits(2).says(&["no test case", "empty = \"pass\""]);
    house.check(&["scan", "empty.xml", "clean.sarif"]).exits(2).says(&["empty.xml"]);
    let ran = house.check(&["linted", "empty.xml"]).exits(0);
    assert!(ran.out().contains("no test case ran, which this gate accepts"), "{}", ran.out());
    house.check(&["linted", "zero.xml"]).exits(2);
    let script = "cp empty.xml out.xml; exit 1";
    house.check(&["linted", "--findings", "out.xml", "--", "sh", "-c", script]).exits(125);
}

#[test]
fn a_command_that_fails_beside_results_that_all_say_pass_has_no_report() {
    let house = House::new(POLICY);
    house.write("p.sarif", run(r#""results":[{"ruleId":"A","kind":"pass"}]"#));
    let script = "cp p.sarif o.sarif; exit 1";
    house.check(&["scan", "--findings", "o.sarif", "--", "sh", "-c", script]).exits(125);
    let ran = house.sh("gate-log --kind decision -n 1 -q");
    assert!(ran.out().contains("did_not_run"), "{}", ran.out());
}

#[test]
fn what_is_not_utf_8_is_read_all_the_same() {
    let house = House::new(POLICY);
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let found = run(r#""results":[{"ruleId":"Ä","level":"error"}]"#);
    house.write("powershell.sarif", [&b"\xFF\xFE"[..], &utf16(&found)].concat());
    house.write("plain.xml", utf16(&format!("<?xml version='1.0' encoding='UTF-16'?>{}", failing("ä"))));
    let declared = |label: &str, name: &[u8]| {
        let text = format!("<?xml version='1.0' encoding='{label}'?>{}", failing("@"));
        let (before, after) = text.split_once('@').unwrap();
        [before.as_bytes(), name, after.as_bytes()].concat()
    };
    house.write("latin.xml", declared("ISO-8859-1", b"\xE4"));
    house.write("japan.xml", declared("Shift_JIS", b"\x82\xA0"));
    house.write("dotnet.xml", declared("utf-16", "ä".as_bytes()));
    for (report, rule) in [
        ("powershell.sarif", "Ä"),
        ("plain.xml", "c/ä"),
        ("latin.xml", "c/ä"),
        ("japan.xml", "c/あ"),
        ("dotnet.xml", "c/ä"),
    ] {
        assert_eq!(rules(&house.check(&["scan", report]).exits(1)), [rule], "{report}");
    }
    house.write("liar.xml", declared("UTF-8", b"\xE4"));
    house.write("unknown.xml", declared("UTF-7", b"x"));
    for report in ["liar.xml", "unknown.xml"] {
        house.check(&["scan", report]).exits(2);
    }
}
