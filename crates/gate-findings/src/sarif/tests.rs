use std::collections::BTreeMap;

use gate_model::exit::Ends;
use gate_model::finding::{Finding, Identity};
use gate_model::level::Level;

use crate::place::{Checkout, Lines, Place};
use crate::reading::read_text;
use crate::{Absence, Options, Report, ReportError, read};

/// A document with one run, whose members `run` are given; the tool may be left out.
fn document(run: &str) -> String {
    if !run.contains("\"tool\":") {
        return document(&format!("{run},\"tool\":{{\"driver\":{{\"name\":\"T\"}}}}"));
    }
    format!("{{\"version\":\"2.1.0\",\"runs\":[{{{run}}}]}}")
}

const TOOL: &str = r#""tool":{"driver":{"name":"T","rules":[
    {"id":"R0","defaultConfiguration":{"level":"error"},"messageStrings":{"m":{"text":"'{0}' {{is}} {1}"}}},
    {"id":"R1","defaultConfiguration":{"level":"note"},"guid":"g1"},
    {"id":"R2"}]},
    "extensions":[{"name":"X","rules":[{"id":"X0","defaultConfiguration":{"level":"error"}}]}]}"#;

fn results(results: &str) -> String {
    document(&format!("{TOOL},\"results\":[{results}]"))
}

fn report(text: &str) -> Report {
    read_text(text, Level::None).unwrap()
}

fn finding(result: &str) -> Finding {
    report(&results(result)).findings.pop().unwrap()
}

fn absence(text: &str) -> Option<Absence> {
    match read_text(text, Level::None) {
        Err(ReportError::DidNotRun { absence, .. }) => Some(absence),
        _ => None,
    }
}

fn message(text: &str) -> String {
    read_text(text, Level::None).unwrap_err().to_string()
}

#[test]
fn the_level_comes_from_the_result_then_kind_then_rule_then_warning() {
    for (result, level) in [
        (r#"{"ruleId":"R0","level":"note"}"#, Level::Note),
        (r#"{"ruleId":"R0"}"#, Level::Error),
        (r#"{"ruleId":"R0","level":null,"kind":"fail"}"#, Level::Error),
        (r#"{"ruleId":"R0","level":"none"}"#, Level::None),
        (r#"{"ruleId":"R0","kind":"pass","level":"error"}"#, Level::Error),
        (r#"{"ruleId":"R2"}"#, Level::Warning),
        (r#"{"ruleId":"unknown"}"#, Level::Warning),
        (r#"{"ruleIndex":1}"#, Level::Note),
        (r#"{"rule":{"index":0}}"#, Level::Error),
        (r#"{"rule":{"id":"R1"}}"#, Level::Note),
        (r#"{"rule":{"guid":"g1"}}"#, Level::Note),
        (r#"{"rule":{"index":0,"toolComponent":{"index":0}}}"#, Level::Error),
        (r#"{"rule":{"id":"X0","toolComponent":{"name":"X"}}}"#, Level::Error),
        (r#"{"ruleId":"R0/sub/1"}"#, Level::Error),
        // An index to a milder rule does not count against the id.
        (r#"{"ruleId":"R0","ruleIndex":1}"#, Level::Error),
        (r#"{"ruleId":"R0","ruleIndex":-1}"#, Level::Error),
        (r#"{"ruleId":"R0","ruleIndex":99}"#, Level::Error),
    ] {
        assert_eq!(finding(result).level, level, "{result}");
    }
}

#[test]
fn the_rule_is_named_by_id_index_or_the_tool() {
    for (result, rule) in [
        (r#"{"ruleId":"A"}"#, "A"),
        (r#"{"rule":{"id":"A"}}"#, "A"),
        (r#"{"ruleIndex":1}"#, "R1"),
        (r#"{"rule":{"index":0,"toolComponent":{"index":0}}}"#, "X0"),
        (r#"{"rule":{"guid":"g1"}}"#, "R1"),
        (r#"{"message":{"text":"x"}}"#, "T"),
    ] {
        assert_eq!(finding(result).rule, rule, "{result}");
    }
    assert!(message(&results(r#"{"ruleIndex":7}"#)).contains("rule 7 of 3"));
    for tool in [r#"{"driver":{}}"#, r#"{"driver":{"name":""}}"#, "{}", r#"{"extensions":[{"name":"X"}]}"#] {
        let text = document(&format!("\"results\":[],\"tool\":{tool}"));
        assert!(message(&text).contains("the tool has no name"), "{tool}");
    }
}

#[test]
fn members_of_a_run_may_come_in_any_order() {
    let parts = [
        TOOL,
        r#""artifacts":[{"location":{"uri":"a.py","uriBaseId":"SUB"}}]"#,
        r#""originalUriBaseIds":{"SUB":{"uri":"file:///ci/repo/sub/"}}"#,
        r#""invocations":[{"executionSuccessful":true,"ruleConfigurationOverrides":[
            {"descriptor":{"id":"R2"},"configuration":{"level":"error"}},
            {"descriptor":{"index":0},"configuration":{"level":"none"}}]}]"#,
        r#""results":[
            {"ruleIndex":2,"provenance":{"invocationIndex":0},"message":{"text":"two"},"locations":[{"physicalLocation":{"artifactLocation":{"index":0}}}]},
            {"ruleId":"R1"},
            {"ruleId":"R0","provenance":{"invocationIndex":0},"message":{"id":"m","arguments":["a","b"]}},
            {"message":{"text":"x"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"b.py","uriBaseId":"SUB"}}}]}]"#,
    ];
    let expected = read_text(&document(&parts.join(",")), Level::Note).unwrap();
    let seen: Vec<_> = expected
        .findings
        .iter()
        .map(|f| (f.rule.as_str(), f.level, f.path.as_deref(), f.message.as_str(), f.tool.as_deref()))
        .collect();
    assert_eq!(
        seen,
        [
            ("R2", Level::Error, Some("sub/a.py"), "two", Some("T")),
            ("R1", Level::Note, None, "", Some("T")),
            ("T", Level::Warning, Some("sub/b.py"), "x", Some("T")),
        ]
    );
    assert_eq!((expected.counts.below_threshold, expected.total), (1, 4));
    for rotation in 1..parts.len() {
        let mut parts = parts;
        parts.rotate_left(rotation);
        let report = read_text(&document(&parts.join(",")), Level::Note).unwrap();
        assert_eq!(
            (report.findings, report.counts),
            (expected.findings.clone(), expected.counts),
            "{rotation}"
        );
        parts.reverse();
        let report = read_text(&document(&parts.join(",")), Level::Note).unwrap();
        assert_eq!(
            (report.findings, report.counts),
            (expected.findings.clone(), expected.counts),
            "-{rotation}"
        );
    }
}

#[test]
fn overrides_count_for_their_invocation_alone() {
    let run = |result: &str| {
        document(&format!(
            r#"{TOOL},"invocations":[{{}},{{"ruleConfigurationOverrides":[
               {{"descriptor":{{"id":"R1"}},"configuration":{{"level":"error"}}}}]}}],"results":[{result}]"#
        ))
    };
    for (result, level) in [
        (r#"{"ruleId":"R1","provenance":{"invocationIndex":0}}"#, Level::Note),
        (r#"{"ruleId":"R1","provenance":{"invocationIndex":1}}"#, Level::Error),
        (r#"{"ruleId":"R1"}"#, Level::Note),
        (r#"{"ruleId":"R1","level":"note"}"#, Level::Note),
    ] {
        assert_eq!(report(&run(result)).findings[0].level, level, "{result}");
    }
}

#[test]
fn suppressions_count_only_where_all_are_accepted() {
    for (suppressions, is_suppressed) in [
        ("[]", false),
        ("null", false),
        (r#"[{"kind":"inSource"}]"#, true),
        (r#"[{"kind":"external","status":"accepted"}]"#, true),
        (r#"[{"kind":"external","status":"underReview"}]"#, false),
        (r#"[{"kind":"inSource"},{"kind":"external","status":"rejected"}]"#, false),
        (r#"[{"kind":"external","status":"rejected"},{"kind":"inSource"}]"#, false),
        (r#"[{"kind":"external","state":"accepted"}]"#, true),
        (r#"[{"kind":"external","state":"rejected"}]"#, false),
        (r#"[{"kind":"external","state":"underReview"},{"kind":"inSource"}]"#, false),
        (r#"[{"kind":"external","status":"accepted","state":"rejected"}]"#, false),
    ] {
        let report = report(&results(&format!(r#"{{"ruleId":"R0","suppressions":{suppressions}}}"#)));
        assert_eq!((report.counts.suppressed == 1, report.total), (is_suppressed, 1), "{suppressions}");
        assert_eq!(report.findings.is_empty(), is_suppressed);
    }
    assert!(
        message(&results(r#"{"suppressions":[{"status":"maybe"}]}"#))
            .contains("runs[0].results[0].suppressions[0].status")
    );
}

#[test]
fn suppressions_that_are_not_honoured_leave_a_note() {
    let floors = BTreeMap::new();
    let options = Options {
        fail_on: Level::Warning.into(),
        floors: &floors,
        honour_suppressions: false,
        accept_errors: false,
        accept_empty: false,
        place: Place::NOWHERE,
    };
    let text = results(r#"{"ruleId":"R0","suppressions":[{"kind":"inSource"}]},{"ruleId":"R0"}"#);
    let report = read(&mut text.as_bytes(), "r", &options).unwrap();
    assert_eq!((report.findings.len(), report.counts.suppressed), (2, 0));
    assert!(report.notes[0].starts_with("1 of the report's own suppressions"), "{:?}", report.notes);
}

#[test]
fn what_is_absent_is_counted() {
    let report = report(&results(
        r#"{"ruleId":"R0","baselineState":"absent"},{"ruleId":"R0","baselineState":"unchanged"}"#,
    ));
    assert_eq!((report.counts.absent, report.findings.len(), report.total), (1, 1, 2));
}

#[test]
fn a_pass_is_no_finding_whatever_the_threshold() {
    let report = report(&results(
        r#"{"ruleId":"R0","kind":"pass"},{"ruleId":"R0","kind":"notApplicable","level":"none"}"#,
    ));
    assert_eq!((report.findings.len(), report.counts.below_threshold), (0, 2));
}

#[test]
fn a_floor_cannot_be_lowered() {
    let floors = BTreeMap::from([("R1".to_owned(), Level::Error)]);
    let options = Options {
        fail_on: Level::Error.into(),
        floors: &floors,
        honour_suppressions: true,
        accept_errors: false,
        accept_empty: false,
        place: Place::NOWHERE,
    };
    for result in [
        r#"{"ruleId":"R1"}"#,
        r#"{"ruleId":"R1","level":"none"}"#,
        r#"{"ruleId":"Z","rule":{"id":"R1"},"level":"note"}"#,
        r#"{"ruleId":"Z","rule":{"id":"R1/sub"},"level":"note"}"#,
        r#"{"ruleId":"Z","ruleIndex":1,"level":"note"}"#,
        r#"{"ruleId":"Z","ruleIndex":0,"rule":{"index":1},"level":"note"}"#,
        r#"{"rule":{"guid":"g1"},"level":"note"}"#,
        r#"{"ruleId":"R1/a/b/c","level":"none"}"#,
        r#"{"ruleId":"R1","kind":"open"}"#,
        r#"{"ruleIndex":1,"level":"note"}"#,
        r#"{"ruleId":"R1/x"}"#,
    ] {
        for text in [results(result), document(&format!("\"results\":[{result}],{TOOL}"))] {
            let report = read(&mut text.as_bytes(), "r", &options).unwrap();
            assert_eq!(report.findings.first().map(|f| f.level), Some(Level::Error), "{text}");
        }
    }
}

#[test]
fn a_scan_that_did_not_run_is_told_apart() {
    let failed = Absence::Failed { how: "'executionSuccessful' is false".to_owned() };
    for (text, expected) in [
        ("", Absence::Empty),
        (" \n", Absence::Empty),
        ("\u{feff}", Absence::Empty),
        (r#"{"version":"2.1.0"}"#, Absence::NoRuns),
        (r#"{"version":"2.1.0","runs":[]}"#, Absence::NoRuns),
        (r#"{"version":"2.1.0","runs":null}"#, Absence::NoRuns),
        (&document(TOOL), Absence::NoResults),
        (&document(r#""results":null"#), Absence::NoResults),
        (
            r#"{"version":"2.1.0","runs":[{"results":[],"tool":{"driver":{"name":"T"}}},{}]}"#,
            Absence::NoResults,
        ),
        (
            &document(
                r#""results":[],"invocations":[{"executionSuccessful":true},{"executionSuccessful":false}]"#,
            ),
            failed.clone(),
        ),
        (&document(r#""invocations":[{"executionSuccessful":false}],"results":[]"#), failed),
        (
            &document(r#""results":[],"externalPropertyFileReferences":{"results":[{"itemCount":3}]}"#),
            Absence::Elsewhere { part: "results" },
        ),
        (
            &document(r#""results":[],"externalPropertyFileReferences":{"invocations":[{"itemCount":3}]}"#),
            Absence::Elsewhere { part: "invocations" },
        ),
        (
            &document(
                r#""results":[],"externalPropertyFileReferences":{"driver":{"itemCount":1},"results":[]}"#,
            ),
            Absence::Elsewhere { part: "tool.driver" },
        ),
        (
            r#"{"inlineExternalProperties":[{"results":[{}]}],"version":"2.1.0","runs":[{"results":[]}]}"#,
            Absence::Elsewhere { part: "results" },
        ),
        (
            r#"{"inlineExternalProperties":[{},{"invocations":[{"executionSuccessful":false}]}],"version":"2.1.0","runs":[]}"#,
            Absence::Elsewhere { part: "invocations" },
        ),
        (r#"{"version":"2.1.0","runs":[{"results":["#, Absence::Truncated),
    ] {
        assert_eq!(absence(text), Some(expected), "{text}");
    }
    let error = read_text("", Level::None).unwrap_err();
    assert!(error.did_not_run());
    assert_eq!(error.exit().code(), 2);
}

#[test]
fn errors_name_place_field_and_remedy() {
    for (text, words) in [
        (results(r#"{"ruleId":"a","level":"fatal"}"#), "runs[0].results[0].level: unknown variant `fatal`"),
        (
            results(r#"{"ruleId":3}"#),
            "runs[0].results[0].ruleId: invalid type: integer `3`, expected a string",
        ),
        (results(r#"{"ruleId":"a","ruleId":"b"}"#), "duplicate field `ruleId`"),
        (
            results(r#"{"locations":[{"physicalLocation":{"region":{"startLine":"x"}}}]}"#),
            "results[0].locations[0].physicalLocation.region.startLine",
        ),
        (results("[\"a\"]"), "runs[0].results[0]: not a result object"),
        (results("{}x"), "runs[0].results"),
        (results("{},"), "runs[0].results"),
        (document("\"results\":[],\"results\":[]"), "runs[0].results: this member is there twice"),
        (document("\"results\":[],\"r\\u0065sults\":[]"), "this member is there twice"),
        (
            r#"{"version":"2.1.0","runs":[{"results":[],"tool":{"driver":{"name":"T"}}}],"runs":[]}"#
                .to_owned(),
            "runs: this member is there twice",
        ),
        (r#"{"version":"2.2.0","runs":[]}"#.to_owned(), "SARIF version '2.2.0' is not known"),
        (r#"{"$schema":"http://cyclonedx.org/schema","specVersion":"1.5"}"#.to_owned(), "is not SARIF"),
        (document("\"results\":[]") + "{}", "more text after the end"),
        (document("\"results\":[],\"x\":[1,]"), "runs[0].x"),
        (document("\"results\":{}"), "'{' instead of an array"),
        (r#"{"vulnerabilities":[]}"#.to_owned(), "none of the members"),
        ("[]".to_owned(), "it is a JSON array"),
        ("hello".to_owned(), "it begins with 'h'"),
    ] {
        let message = message(&text);
        assert!(message.contains(words), "{text}\n{message}");
        assert!(message.starts_with("report 'test': line ") && message.lines().count() == 2, "{message}");
    }
}

#[test]
fn places_are_exact() {
    let text = "{\"version\":\"2.1.0\",\n \"runs\":[{\n\"results\":[{},\n  {\"level\":\"x\"}]}]}";
    let error = read_text(text, Level::None).unwrap_err();
    let place = error.at().place.unwrap();
    let offset = usize::try_from(place.offset).unwrap();
    assert_eq!((place.line, &text[offset - 2..=offset]), (4, "\"x\""));
}

#[test]
fn nesting_is_refused_from_128_levels_on() {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    for (depth, is_fine) in [(127, true), (128, false), (100_000, false)] {
        for text in [
            // Above it are the document, runs, the run, results, the result and its properties.
            results(&format!("{{\"ruleId\":\"R0\",\"properties\":{{\"x\":{}}}}}", nested(depth - 6))),
            // The same in strings is no nesting.
            results(&format!("{{\"x\":\"{}\",\"properties\":{{\"x\":{}}}}}", nested(500), nested(depth - 6))),
            // Above it are the document, runs and the run.
            document(&format!("\"results\":[],\"graphs\":{}", nested(depth - 3))),
            document("\"results\":[]").replacen('{', &format!("{{\"x\":{},", nested(depth - 1)), 1),
        ] {
            let result = read_text(&text, Level::None);
            assert_eq!(result.is_ok(), is_fine, "{depth}: {:?}", result.err());
            assert!(is_fine || matches!(result, Err(ReportError::TooDeep { .. })));
        }
    }
}

#[test]
fn all_fingerprints_are_kept_and_one_stands_for_them() {
    for (members, expected) in [
        (r#""partialFingerprints":{"a/v1":"one","a/v2":"two"}"#, "two"),
        (r#""partialFingerprints":{"a/v10":"ten","a/v9":"nine"}"#, "ten"),
        (r#""partialFingerprints":{"primaryLocationLineHash":"39fa:1"}"#, "39fa:1"),
        (r#""partialFingerprints":{"a":"x"},"fingerprints":{"matchBasedId/v1":"requires login"}"#, "x"),
    ] {
        let found = finding(&format!("{{\"ruleId\":\"R\",{members}}}"));
        assert_eq!(found.fingerprint, expected, "{members}");
        assert_eq!(found.identified_by, Some(Identity::Fingerprint));
    }
    let one = finding(r#"{"ruleId":"R","partialFingerprints":{"b/v1":"1","a/v1":"2"}}"#);
    let other = finding(r#"{"ruleId":"R","partialFingerprints":{"a/v1":"2"},"fingerprints":{"b/v1":"1"}}"#);
    assert_eq!((&one.fingerprint, &one.fingerprints), (&other.fingerprint, &other.fingerprints));
    assert!(one.fingerprint.starts_with("gate2:") && one.fingerprints.len() == 2);
    for members in [
        r#""fingerprints":{"matchBasedId/v1":"requires login"}"#,
        r#""partialFingerprints":{"commitSha":"abc","author":"x"}"#,
        r#""partialFingerprints":{"primaryLocationStartColumnFingerprint":"4"}"#,
        r#""partialFingerprints":{},"fingerprints":null"#,
    ] {
        assert!(
            finding(&format!("{{\"ruleId\":\"R\",{members}}}")).fingerprint.starts_with("gate2:"),
            "{members}"
        );
    }
}

#[test]
fn the_fingerprint_that_stands_in_survives_lines_that_move_and_nothing_else() {
    let at = |rule: &str, uri: &str, line: u64, snippet: &str, message: &str| {
        let result = format!(
            r#"{{"ruleId":"{rule}","message":{{"text":"{message}"}},"locations":[{{"physicalLocation":{{
            "artifactLocation":{{"uri":"{uri}"}},"region":{{"startLine":{line},"snippet":{{"text":"{snippet}"}}}}}}}}]}}"#
        );
        finding(&result).fingerprint
    };
    let one = at("R", "a.py", 3, "x = eval(y)", "m");
    assert_eq!(one, at("R", "./a.py", 90, "  x = eval(y)\\n", "other words"));
    for other in [
        at("S", "a.py", 3, "x = eval(y)", "m"),
        at("R", "b.py", 3, "x = eval(y)", "m"),
        at("R", "a.py", 3, "x = eval(z)", "m"),
    ] {
        assert_ne!(one, other);
    }
    assert_ne!(at("R", "a.py", 3, "", "m"), at("R", "a.py", 3, "", "n"));
    assert_eq!(at("R", "a.py", 3, "", "set on line 12"), at("R", "a.py", 9, "", "set on line 15"));
}

#[test]
fn the_path_is_the_first_location_with_a_file() {
    let found = finding(
        r#"{"ruleId":"R","locations":[{"message":{"text":"no place"}},{"physicalLocation":{"region":{"startLine":1}}},
           {"physicalLocation":{"artifactLocation":{"uri":"file:///ci/repo/src/b%20c.js"},"region":{"startLine":7}}},
           {"physicalLocation":{"artifactLocation":{"uri":"other.js"}}}]}"#,
    );
    assert_eq!((found.path.as_deref(), found.line), (Some("src/b c.js"), Some(7)));
    let nowhere = finding(r#"{"ruleId":"R","locations":[]}"#);
    assert_eq!((nowhere.path, nowhere.line), (None, None));
    let windows = finding(
        r#"{"ruleId":"R","locations":[{"physicalLocation":{"artifactLocation":{"uri":"src\\a.cs"},"region":{"startLine":0}}}]}"#,
    );
    assert_eq!((windows.path.as_deref(), windows.line), (Some("src/a.cs"), None));
}

#[test]
fn packages_come_from_where_tools_put_them() {
    let named = |tool: &str, result: &str| {
        let text = document(&format!(r#""results":[{result}],"tool":{{"driver":{{"name":"{tool}"}}}}"#));
        report(&text).findings.pop().unwrap().package
    };
    let trivy = r#"{"ruleId":"CVE-1","message":{"text":"Package: libssl3\nInstalled Version: 3"}}"#;
    assert_eq!(named("Trivy", trivy).as_deref(), Some("libssl3"));
    assert_eq!(named("other", trivy), None);
    let property = r#"{"ruleId":"CVE-1","properties":{"n":[1,{}],"purl":"pkg:npm/x","packageName":"x"}}"#;
    assert_eq!(named("any", property).as_deref(), Some("x"));
    let logical = r#"{"ruleId":"CVE-1","locations":[{"logicalLocations":[{"name":"f"},{"fullyQualifiedName":"pkg:npm/y@1"}]}]}"#;
    assert_eq!(named("any", logical).as_deref(), Some("pkg:npm/y@1"));
}

#[test]
fn several_runs_are_one_report() {
    let text = r#"{"version":"2.1.0","runs":[
        {"results":[{"ruleId":"A"}],"tool":{"driver":{"name":"one"}}},
        {"tool":{"driver":{"name":"two"}},"results":[{"ruleId":"B","level":"note"},{"ruleId":"C"}]}]}"#;
    let report = read_text(text, Level::Warning).unwrap();
    let seen: Vec<_> = report.findings.iter().map(|f| (f.rule.as_str(), f.tool.as_deref())).collect();
    assert_eq!(seen, [("A", Some("one")), ("C", Some("two"))]);
    assert_eq!((report.total, report.tools), (3, vec!["one".to_owned(), "two".to_owned()]));
}

#[test]
fn text_from_a_report_cannot_write_to_a_terminal() {
    let found = finding(r#"{"ruleId":"a\u001b[31m\nb","message":{"text":"x\u0007\ty"}}"#);
    assert_eq!(found.message, "x\u{fffd}\ty");
    assert!(found.rule.starts_with("a\u{fffd}[31m\u{fffd}b…"), "{}", found.rule);
    assert!(!found.rule.contains(char::is_control), "{:?}", found.rule);
    assert!(!message(&results(r#"{"level":"\u001b]0;x\u0007"}"#)).contains('\u{1b}'));
}

#[test]
fn rules_and_paths_that_differ_in_a_control_character_stay_two() {
    let rule = |rule: &str| finding(&format!(r#"{{"ruleId":"{rule}"}}"#)).rule;
    let same = [r"a\u001bb", r"a\u0000b", r"a\nb", r"a\u009bb", r"a\ufffdb", "ab"];
    for (number, one) in same.iter().enumerate() {
        for other in &same[number + 1..] {
            assert_ne!(rule(one), rule(other), "{one} and {other}");
        }
    }
    let uri = |uri: &str| {
        let place = format!(r#"{{"physicalLocation":{{"artifactLocation":{{"uri":"{uri}"}}}}}}"#);
        finding(&format!(r#"{{"ruleId":"R","locations":[{place}]}}"#)).path
    };
    assert_ne!(uri("src/a%1bb"), uri("src/a%07b"));
}

#[test]
fn a_mark_of_utf_8_is_passed_over_and_utf_16_is_read() {
    assert_eq!(report(&format!("\u{feff}{}", results("{}"))).total, 1);
    let wide: Vec<u8> = results("{}").encode_utf16().flat_map(u16::to_be_bytes).collect();
    let floors = BTreeMap::new();
    let options = Options {
        fail_on: Level::None.into(),
        floors: &floors,
        honour_suppressions: true,
        accept_errors: false,
        accept_empty: false,
        place: Place::NOWHERE,
    };
    assert_eq!(read(&mut wide.as_slice(), "w", &options).unwrap().total, 1);
}

#[test]
fn a_huge_result_is_refused_and_a_huge_member_that_is_not_read_is_not() {
    let long = "x".repeat(17 << 20);
    let error = message(&results(&format!("{{\"message\":{{\"text\":\"{long}\"}}}}")));
    assert!(error.contains("more than 16777216 bytes"), "{error}");
    let many = vec!["{\"a\":[1,2,3]}"; 100_000].join(",");
    assert_eq!(report(&document(&format!("\"graphs\":[{many}],\"results\":[]"))).total, 0);
    assert!(
        message(&document(&format!("\"graphs\":[{many},{{]],\"results\":[]")))
            .contains("runs[0].graphs[100000]")
    );
}

#[test]
fn what_is_seen_does_not_depend_on_how_the_bytes_arrive() {
    // The first result is below the threshold, and broken where nobody looks.
    let text = results(r#"{"ruleId":"R0","level":"none","message":7},{"ruleId":"R0"}"#);
    let floors = BTreeMap::new();
    let options = Options {
        fail_on: Level::Warning.into(),
        floors: &floors,
        honour_suppressions: true,
        accept_errors: false,
        accept_empty: false,
        place: Place::NOWHERE,
    };
    for cut in 0..text.len() {
        let (one, two) = text.as_bytes().split_at(cut);
        let report = read(&mut std::io::Read::chain(one, two), "r", &options).unwrap();
        assert_eq!((report.findings.len(), report.total), (1, 2), "{cut}");
    }
}

#[test]
fn what_waits_for_a_person_counts_as_a_failure_and_is_named() {
    for (result, level) in [
        (r#"{"ruleId":"R0","kind":"review"}"#, Level::Error),
        (r#"{"ruleId":"R2","kind":"open","level":"none"}"#, Level::Warning),
        (r#"{"ruleId":"R2","kind":"open","level":"error"}"#, Level::Error),
        (r#"{"ruleId":"R1","kind":"review"}"#, Level::Note),
    ] {
        let report = report(&results(result));
        assert_eq!(report.findings[0].level, level, "{result}");
        assert!(report.notes[0].starts_with("1 results wait for a person"), "{:?}", report.notes);
    }
}

#[test]
fn a_tool_that_says_it_failed_did_not_run() {
    for (members, words) in [
        (r#""exitCode":2"#, "'exitCode' is 2"),
        (r#""exitCode":-1.0"#, "'exitCode' is -1"),
        (
            r#""executionSuccessful":true,"exitSignalName":"SIGKILL","exitCode":137"#,
            "'exitSignalName' is SIGKILL",
        ),
        (r#""executionSuccessful":true,"exitSignalNumber":9"#, "'exitSignalNumber' is 9"),
        (r#""processStartFailureMessage":"no such program""#, "no such program"),
    ] {
        for text in [
            document(&format!("\"results\":[],\"invocations\":[{{}},{{{members}}}]")),
            document(&format!("\"conversion\":{{\"invocation\":{{{members}}}}},\"results\":[]")),
        ] {
            match absence(&text) {
                Some(Absence::Failed { how }) => assert!(how.contains(words), "{text}: {how}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
    for fine in [
        r#""exitCode":1,"executionSuccessful":true"#,
        r#""exitCode":0"#,
        r#""exitSignalName":null,"exitSignalNumber":0,"processStartFailureMessage":"""#,
    ] {
        assert_eq!(report(&document(&format!("\"results\":[],\"invocations\":[{{{fine}}}]"))).total, 0);
    }
}

#[test]
fn errors_of_the_tool_block_unless_the_gate_lives_with_them_and_are_told_either_way() {
    let floors = BTreeMap::new();
    let lists = [
        "toolExecutionNotifications",
        "toolConfigurationNotifications",
        "toolNotifications",
        "configurationNotifications",
    ];
    for list in lists {
        let text = document(&format!(
            r#""results":[],"invocations":[{{"executionSuccessful":true,"{list}":[
               {{"level":"note","message":{{"text":"fine"}}}},{{"message":{{"text":"old\nrules"}}}},
               {{"level":"error","message":{{"text":"broken.py was not looked at"}}}}]}}]"#
        ));
        let complained = Absence::Complained { error: "broken.py was not looked at".to_owned() };
        assert_eq!(absence(&text), Some(complained), "{list}");
        let options = Options {
            fail_on: Level::Warning.into(),
            floors: &floors,
            honour_suppressions: true,
            accept_errors: true,
            accept_empty: false,
            place: Place::NOWHERE,
        };
        let told = read(&mut text.as_bytes(), "r", &options).unwrap().notices;
        let expected = [
            "T reports an error of its own: broken.py was not looked at",
            "T reports a warning of its own: old rules",
        ];
        assert_eq!(told, expected, "{list}");
    }
}

#[test]
fn a_notification_without_a_level_has_that_of_its_description_or_of_an_override() {
    let by_default = |tool: &str, descriptor: &str| {
        document(&format!(
            r#""results":[],"invocations":[{{"toolExecutionNotifications":[{{"message":{{"text":"half"}},"descriptor":{descriptor}}}]}}],"tool":{tool}"#
        ))
    };
    let described = r#"{"id":"N","guid":"g","defaultConfiguration":{"level":"error"}}"#;
    let driver = format!(r#"{{"driver":{{"name":"T","notifications":[{{"id":"M"}},{described}]}}}}"#);
    let extension =
        format!(r#"{{"driver":{{"name":"T"}},"extensions":[{{"name":"X","notifications":[{described}]}}]}}"#);
    let complained = || Some(Absence::Complained { error: "half".to_owned() });
    for (tool, descriptor) in [
        (&driver, r#"{"id":"N"}"#),
        (&driver, r#"{"id":"N/of/it"}"#),
        (&driver, r#"{"guid":"g"}"#),
        (&driver, r#"{"index":1}"#),
        (&extension, r#"{"id":"N","toolComponent":{"index":0}}"#),
        (&extension, r#"{"index":0,"toolComponent":{"index":0}}"#),
        (&extension, r#"{"index":0,"toolComponent":{"name":"X"}}"#),
    ] {
        assert_eq!(absence(&by_default(tool, descriptor)), complained(), "{descriptor}");
    }
    for (tool, descriptor) in
        [(&driver, r#"{"id":"M"}"#), (&driver, r#"{"index":0}"#), (&extension, r#"{"index":0}"#)]
    {
        assert_eq!(absence(&by_default(tool, descriptor)), None, "{descriptor}");
    }
    let overridden = document(
        r#""results":[],"invocations":[{"toolExecutionNotifications":[{"message":{"text":"half"},"descriptor":{"id":"N"}}],
           "notificationConfigurationOverrides":[{"configuration":{"level":"error"},"descriptor":{"id":"N"}}]}]"#,
    );
    assert_eq!(absence(&overridden), complained());
}

#[test]
fn a_document_without_version_or_tool_is_no_sarif() {
    let tool = r#""tool":{"driver":{"name":"T"}}"#;
    assert!(message(&format!("{{\"runs\":[{{{tool},\"results\":[]}}]}}")).contains("it has no 'version'"));
    let schema = r#""$schema":"https://example.com/sarif-2.1.0.json""#;
    assert!(
        message(&format!("{{{schema},\"runs\":[{{{tool},\"results\":[]}}]}}"))
            .contains("it has no 'version'")
    );
    let unnamed = r#"{"version":"2.1.0","runs":[{"results":[]}]}"#;
    assert!(message(unnamed).contains("this run names no tool"));
}

/// A floor holds for a rule by whatever name a result gives it, so that each name leads to the rule.
#[test]
fn a_guid_leads_to_its_rule_in_whatever_component_that_is() {
    let tool = r#""tool":{"driver":{"name":"T","rules":[{"id":"D","guid":"g0"}]},
        "extensions":[{"name":"A"},{"name":"B","guid":"gB","rules":[{"id":"X","guid":"g1"}]}]}"#;
    let rule = |reference: &str| {
        let read =
            document(&format!(r#"{tool},"results":[{{"message":{{"text":"m"}},"rule":{reference}}}]"#));
        report(&read).findings.pop().unwrap().rule
    };
    assert_eq!(rule(r#"{"guid":"g0"}"#), "D");
    assert_eq!(rule(r#"{"guid":"g1"}"#), "X");
    assert_eq!(rule(r#"{"guid":"g1","toolComponent":{"name":"A"}}"#), "X");
    assert_eq!(rule(r#"{"guid":"g1","toolComponent":{"guid":"gB"}}"#), "X");
    assert_eq!(rule(r#"{"guid":"g0","toolComponent":{"index":1}}"#), "D");
}

#[test]
fn look_ups_by_guid_and_by_name_of_a_component_take_one_step() {
    let many = |text: &dyn Fn(usize) -> String| (0..20_000).map(text).collect::<Vec<_>>().join(",");
    let rules = many(&|n| format!(r#"{{"id":"R{n}","guid":"g{n}"}}"#));
    let by_guid = many(&|n| format!(r#"{{"rule":{{"guid":"g{}"}}}}"#, 19_999 - n));
    let text =
        document(&format!(r#""tool":{{"driver":{{"name":"T","rules":[{rules}]}}}},"results":[{by_guid}]"#));
    assert_eq!(report(&text).findings[1].rule, "R19998");
    let extensions = many(&|n| format!(r#"{{"name":"X{n}","rules":[{{"id":"E{n}","guid":"e"}}]}}"#));
    let by_name =
        many(&|n| format!(r#"{{"ruleId":"nowhere","rule":{{"toolComponent":{{"name":"X{n}"}}}}}}"#));
    let text = document(&format!(
        r#""tool":{{"driver":{{"name":"T"}},"extensions":[{extensions}]}},"results":[{by_name}]"#
    ));
    assert_eq!(report(&text).total, 20_000);
}

#[test]
fn a_package_identifies_its_findings_whatever_the_message_says() {
    let text = |fixed: &str| {
        let words = format!(
            "Package: libfoo\\nInstalled Version: 1.0\\nVulnerability CVE-1\\nSeverity: HIGH\\nFixed Version: {fixed}"
        );
        finding(&format!(r#"{{"ruleId":"CVE-1","message":{{"text":"{words}"}}}}"#))
    };
    let (one, two) = (text(""), text("1.1 or later"));
    assert_eq!((one.package.as_deref(), one.identified_by), (Some("libfoo"), Some(Identity::Package)));
    assert_eq!(one.fingerprint, two.fingerprint);
}

/// A file whose lines are all these.
#[derive(Debug)]
struct Source(&'static [&'static str]);

impl Checkout for Source {
    fn has(&self, path: &str) -> bool {
        path == "a.py"
    }

    fn is_gone(&self, path: &str) -> bool {
        !self.has(path)
    }

    fn named(&self, _: &str) -> Option<String> {
        None
    }

    fn lines(&self, path: &str, number: u64) -> Option<Lines> {
        let at = |number: usize| self.0.get(number).copied().unwrap_or_default().to_owned();
        let number = usize::try_from(number).unwrap() - 1;
        let before = [number.checked_sub(1).map_or_else(String::new, at), String::new()];
        let after = [at(number + 1), String::new()];
        self.has(path).then(|| Lines { line: at(number), before, after, ..Lines::default() })
    }
}

#[test]
fn where_no_code_is_quoted_the_checkout_has_it_and_other_words_do_not_matter() {
    let floors = BTreeMap::new();
    let fingerprint = |source: &Source, line: u64, message: &str| {
        let options = Options {
            fail_on: Level::None.into(),
            floors: &floors,
            honour_suppressions: true,
            accept_errors: false,
            accept_empty: false,
            place: Place { checkout: source, ..Place::NOWHERE },
        };
        let text = results(&format!(
            r#"{{"ruleId":"R","message":{{"text":"{message}"}},"locations":[{{"physicalLocation":{{
            "artifactLocation":{{"uri":"a.py"}},"region":{{"startLine":{line}}}}}}}]}}"#
        ));
        let found = read(&mut text.as_bytes(), "r", &options).unwrap().findings.pop().unwrap();
        assert_eq!(found.identified_by, Some(Identity::Code));
        assert!(found.around.is_some_and(|around| around.len() == 20));
        found.fingerprint
    };
    let one = fingerprint(&Source(&["a=1", "b=eval(x)"]), 2, "unsafe");
    assert_eq!(one, fingerprint(&Source(&["#new", "a=1", "b=eval(x)"]), 3, "unsafe; use literal_eval"));
    assert_ne!(one, fingerprint(&Source(&["a=1", "b=eval(y)"]), 2, "unsafe"));
    let quoted = r#"{"ruleId":"R","locations":[{"physicalLocation":{"artifactLocation":{"uri":"a.py"},
        "region":{"startLine":9,"snippet":{"text":"b = eval(x)"}}}}]}"#;
    assert_eq!(
        one,
        finding(quoted).fingerprint,
        "a version of the tool that begins to quote code ends no waiver"
    );
}

#[test]
fn absolute_paths_below_the_working_directory_are_of_the_repository() {
    let run = |directory: &str, uri: &str| {
        let text = document(&format!(
            r#""invocations":[{{"workingDirectory":{{"uri":"{directory}"}}}}],"results":[{{"ruleId":"R","locations":[
            {{"physicalLocation":{{"artifactLocation":{{"uri":"{uri}"}}}}}}]}}]"#
        ));
        report(&text).findings.pop().unwrap().path.unwrap()
    };
    assert_eq!(run("file:///home/builder/job/7/", "file:///home/builder/job/7/src/a.py"), "src/a.py");
    assert_eq!(run("file:///home/builder/job/7", "src/a.py"), "src/a.py");
    assert_eq!(run("file:///ci/repo/services/x/", "src/a.py"), "services/x/src/a.py");
    assert_eq!(run("file:///ci/repo/", "src/a.py"), "src/a.py");
    assert_eq!(run("file:///home/builder/job/7/", "file:///usr/lib/a.py"), "/usr/lib/a.py");
}
