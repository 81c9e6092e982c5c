use std::collections::BTreeMap;

use gate_model::level::Level;

use crate::place::{Checkout, Lines, Place};
use crate::reading::read_text;
use crate::{Absence, Format, Options, Report, ReportError, read};

fn suite(inner: &str) -> String {
    format!("<testsuites><testsuite name=\"s\">{inner}</testsuite></testsuites>")
}

fn report(text: &str) -> Report {
    read_text(text, Level::Warning).unwrap()
}

fn absence(text: &str) -> Option<Absence> {
    match read_text(text, Level::Warning) {
        Err(ReportError::DidNotRun { absence, .. }) => Some(absence),
        _ => None,
    }
}

#[test]
fn failures_and_errors_are_findings_and_the_rest_is_not() {
    let report = report(&suite(
        r#"<testcase classname="c" name="passes"/>
        <testcase classname="c" name="skipped"><skipped message="x"/></testcase>
        <testcase classname="c" name="fails" file="./tests\a.py" line="7"><failure message="m &lt;&#62;" type="T">text</failure></testcase>
        <testcase classname="c" name="errs"><error><![CDATA[ a < b & ]]>&amp;&#x21;</error></testcase>
        <testcase name="flaky"><flakyFailure message="x"/><rerunFailure/><system-out>y</system-out></testcase>
        <error message="no start"/>"#,
    ));
    let seen: Vec<_> =
        report.findings.iter().map(|f| (f.rule.as_str(), f.message.as_str(), f.level)).collect();
    assert_eq!(
        seen,
        [
            ("c/fails", "m <>", Level::Error),
            ("c/errs", "a < b & &!", Level::Error),
            ("s", "no start", Level::Error),
        ]
    );
    assert_eq!((report.findings[0].path.as_deref(), report.findings[0].line), (Some("tests/a.py"), Some(7)));
    assert_eq!((report.parts[0].format, report.total), (Format::JUnit, 3));
    assert!(report.notes[0].contains("taken as 'error'"));
}

#[test]
fn a_root_of_one_suite_and_nested_suites_are_read() {
    let report = report(
        r#"<?xml version="1.0" encoding="UTF-8"?><!-- c --><testsuite name="a" failures="1"><properties><property/></properties>
        <testsuite name="b" file="b.py" failures="1"><testcase name="t"><failure/></testcase></testsuite></testsuite>
        "#,
    );
    assert_eq!((report.findings[0].rule.as_str(), report.findings[0].path.as_deref()), ("t", Some("b.py")));
}

#[test]
fn cases_within_an_unknown_element_are_not_overlooked() {
    assert_eq!(report(&suite("<group><testcase name=\"t\"><failure/></testcase></group>")).total, 1);
}

#[test]
fn what_captured_output_says_does_not_count() {
    let output = "<![CDATA[</system-out><testcase name=\"x\"><failure/></testcase>]]> &lt;failure/>";
    let report = report(&suite(&format!(
        "<testcase name=\"t\"><system-out>{output}</system-out></testcase><system-err>{output}</system-err>"
    )));
    assert_eq!(report.total, 0);
}

#[test]
fn captured_output_may_be_longer_than_any_limit() {
    let long = "x\n".repeat(9 << 20);
    let report = report(&suite(&format!(
        "<testcase name=\"t\"><system-out>{long}</system-out><system-err><![CDATA[{long}]]>{long}</system-err><failure/></testcase>"
    )));
    assert_eq!(report.total, 1);
    let error =
        read_text(&suite(&format!("<testcase name=\"t\"><failure>{long}</failure></testcase>")), Level::None);
    assert!(matches!(error, Err(ReportError::TooLarge { .. })));
}

#[test]
fn a_run_without_tests_did_not_run() {
    assert_eq!(absence("<testsuites/>"), Some(Absence::NoTests));
    assert_eq!(absence(&suite("")), Some(Absence::NoTests));
    assert_eq!(report(&suite("<error message=\"import failed\"/>")).total, 1);
}

#[test]
fn fewer_failures_than_declared_are_a_cut_report() {
    let case = "<testcase name=\"t\"><failure/></testcase>";
    let text =
        |attributes: &str| format!("<testsuites {attributes}><testsuite>{case}</testsuite></testsuites>");
    assert_eq!(report(&text("failures=\"1\" errors=\"\"")).total, 1);
    // Tools do not agree what is a failure and what an error.
    assert_eq!(report(&text("failures=\"0\" errors=\"1\"")).total, 1);
    assert_eq!(
        absence(&text("failures=\"2\" errors=\"1\"")),
        Some(Absence::FewerThanDeclared { declared: 2, seen: 1 })
    );
    assert!(
        read_text(&text("failures=\"many\""), Level::None)
            .unwrap_err()
            .to_string()
            .contains("testsuites@failures: 'many'")
    );
}

#[test]
fn truncated_xml_did_not_run() {
    let whole = suite("<testcase name=\"t\"><failure message=\"a &amp; b\">x</failure></testcase>");
    for cut in 1..whole.len() {
        assert_eq!(absence(&whole[..cut]), Some(Absence::Truncated), "{}", &whole[..cut]);
    }
}

#[test]
fn hostile_xml_is_refused() {
    let deep = format!("<testsuites>{}", "<a>".repeat(200));
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><testsuites/>";
    for (text, words) in [
        (bomb, "a document type declaration"),
        (&suite("<testcase name=\"t\"><failure>&b;</failure></testcase>"), "unknown entity 'b'"),
        (&suite("<testcase name=\"&b;\"/>"), "unknown entity"),
        (&suite("<testcase name=\"a\" name=\"b\"/>"), "testcase: "),
        (&suite("<testcase name=\"a\"></testsuite>"), "line 1"),
        (&deep, "nested 128 levels"),
        ("<?xml version=\"1.0\" encoding=\"UTF-7\"?><testsuites/>", "encoding that is not known"),
        ("\u{feff}<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><testsuites/>", "other than the one"),
        ("<checkstyle/>", "the root element is 'checkstyle'"),
        ("<testsuites/><testsuites/>", "a second root element"),
        ("<testsuites/>text", "text outside of the root"),
        ("<html", "truncated"),
        ("<!-- a", "truncated"),
    ] {
        let error = read_text(text, Level::Warning).unwrap_err().to_string();
        assert!(error.contains(words), "{text}\n{error}");
        assert_eq!(error.lines().count(), 2);
    }
}

#[test]
fn nesting_below_the_limit_is_fine() {
    let nested = |levels: usize| {
        let inner = "<group>".repeat(levels) + "<testcase name=\"t\"/>" + &"</group>".repeat(levels);
        read_text(&suite(&inner), Level::Warning)
    };
    assert!(nested(124).is_ok());
    assert!(matches!(nested(125), Err(ReportError::TooDeep { .. })));
}

#[test]
fn the_fingerprint_does_not_depend_on_numbers_in_the_message() {
    let print = |message: &str| {
        let text = suite(&format!("<testcase name=\"t\"><failure message=\"{message}\"/></testcase>"));
        report(&text).findings[0].fingerprint.clone()
    };
    assert_eq!(
        print("thread 't' (105) panicked at a.rs:8:9, 0xdeadbeef"),
        print("thread 't' (9) panicked at a.rs:17:1, 0x1f")
    );
    assert_ne!(print("thread 't' (105) panicked"), print("thread 't' (105) stopped"));
}

#[test]
fn a_failure_within_a_nested_case_counts() {
    for inner in [
        "<testcase name=\"b\"><testcase name=\"c\"><failure/></testcase></testcase>",
        "<testcase name=\"b\"><testsuite name=\"x\"><testcase name=\"c\"><error/></testcase></testsuite></testcase>",
        "<testcase name=\"b\"><details><testcase name=\"c\"><failure/></testcase></details></testcase>",
        "<testcase name=\"b\"><details><failure/></details></testcase>",
        "<testcase name=\"b\"><skipped><failure/></skipped></testcase>",
    ] {
        assert_eq!(report(&suite(inner)).total, 1, "{inner}");
    }
    // Repeated attempts are the tool's own, and captured output is text.
    let quiet = "<testcase name=\"b\"><flakyFailure><failure/></flakyFailure><system-out><failure/></system-out></testcase>";
    assert_eq!(report(&suite(quiet)).total, 0);
}

#[test]
fn totals_are_compared_over_the_whole_report_as_their_writers_count() {
    let cases = "<testcase name=\"a\"><failure/><rerunFailure/><rerunFailure/></testcase><testcase name=\"b\"><error/></testcase>";
    for (root, inner, is_fine) in [
        ("failures=\"4\"", "", true),
        ("failures=\"2\" errors=\"1\"", "", true),
        ("", "failures=\"4\"", true),
        ("", "failures=\"5\"", false),
        ("failures=\"5\"", "", false),
        ("failures=\"1\"", "errors=\"7\"", false),
    ] {
        let text = format!("<testsuites {root}><testsuite {inner}>{cases}</testsuite></testsuites>");
        assert_eq!(absence(&text).is_none(), is_fine, "{text}");
    }
    let split = "<testsuites><testsuite failures=\"1\"><testcase name=\"a\"/></testsuite><testsuite failures=\"2\"><testcase name=\"b\"><failure/></testcase></testsuite></testsuites>";
    assert_eq!(absence(split), Some(Absence::FewerThanDeclared { declared: 3, seen: 1 }));
}

#[test]
fn what_is_not_well_formed_is_refused() {
    let whole = |inner: &str| format!("<testsuite name=\"s\"><testcase name=\"t\"/>{inner}</testsuite>");
    for text in [
        whole("<a>"),
        whole("<a></b>"),
        whole("</a>"),
        whole("<a x=\"1\" x=\"2\"/>"),
        whole("<a x=\"1\"y=\"2\"/>"),
        whole("<a x=1/>"),
        whole("<a x/>"),
        whole("<a x=\"<\"/>"),
        whole("<a x=\"&nope;\"/>"),
        whole("<a x=\"a & b\"/>"),
        whole("<1a/>"),
        whole("< a/>"),
        whole("<a / >"),
        whole("&nope;"),
        whole("a & b"),
        whole("&#0;"),
        whole("&#xD800;"),
        whole("&#x1F;"),
        whole("&#+65;"),
        whole("]]>"),
        whole("\u{1}"),
        whole("\u{ffff}"),
        whole("<!-- a -- b -->"),
        whole("<!-- a --->"),
        whole("<![CDATA[ \u{b} ]]>"),
        whole("<?xml version=\"1.0\"?>"),
        whole("<? x?>"),
        whole("<system-out>&nope;</system-out>"),
        whole("<system-out>a & b</system-out>"),
        whole("<system-out>&amp</system-out>"),
        whole("<system-out>]]></system-out>"),
        whole("<system-out>\u{2}</system-out>"),
        whole("<system-out><![CDATA[\u{fffe}]]></system-out>"),
        whole("") + "x",
        whole("") + "<testsuite/>",
        whole("") + "<![CDATA[]]>",
        whole("") + "&#32;",
        whole("") + "</testsuite>",
        format!(" <?xml version=\"1.0\"?>{}", whole("")),
        format!("<?xml?>{}", whole("")),
        format!("<?xml encoding=\"UTF-8\"?>{}", whole("")),
        format!("<?xml version=\"1.0\" standalone=\"maybe\"?>{}", whole("")),
        format!("<?xml version=\"1.0\"?><?xml version=\"1.0\"?>{}", whole("")),
    ] {
        assert!(read_text(&text, Level::Warning).is_err(), "{text}");
    }
    for text in [
        whole("<a x='1' b:x=\"&#65;&#x42;&lt; > \"  />&quot;<!-- - --><?pi a > b?>"),
        whole("<system-out>&lt;<![CDATA[ ]] > & < ]]>]] > &#x10FFFF;</system-out >"),
        whole("<\u{e9}t\u{e9}/>"),
        format!(
            "\u{feff}<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n<!-- c -->{}\n<?pi?> ",
            whole("")
        ),
        format!("  {}", whole("")),
    ] {
        assert!(
            read_text(&text, Level::Warning).is_ok(),
            "{text}: {:?}",
            read_text(&text, Level::Warning).err()
        );
    }
}

#[test]
fn an_element_with_a_hundred_thousand_attributes_is_refused_at_once() {
    let many = (0..100_000).fold(String::new(), |many, n| many + &format!(" a{n}=\"\""));
    assert!(read_text(&suite(&format!("<testcase{many}/>")), Level::Warning).is_err());
}

#[test]
fn names_that_a_linter_makes_of_absolute_paths_are_those_of_the_repository() {
    let one = |root: &str| {
        report(&format!(
            "<testsuites><testsuite name=\"{root}/src/a.py\"><testcase name=\"tool.F401\" classname=\"{root}/src/a\" line=\"1\"><failure message=\"unused\"/></testcase></testsuite></testsuites>"
        ))
    };
    let found = &one("/ci/repo").findings[0];
    assert_eq!((found.rule.as_str(), found.path.as_deref()), ("src/a/tool.F401", Some("src/a.py")));
    assert_eq!(one("/elsewhere").findings[0].rule, "/elsewhere/src/a/tool.F401");
}

#[test]
fn a_case_that_says_that_it_failed_in_another_way_is_a_finding() {
    for case in [
        r#"<testcase name="a" status="failed"/>"#,
        r#"<testcase name="a" status="fail"><system-out>x</system-out></testcase>"#,
        r#"<testcase name="a" result="Failure"/>"#,
        r#"<testcase name="a"><rerunFailure message="x"/></testcase>"#,
        r#"<testcase name="a"><rerunError/><rerunError/></testcase>"#,
    ] {
        let text = format!("<testsuite><testcase name=\"b\"/>{case}</testsuite>");
        let rules: Vec<_> = report(&text).findings.into_iter().map(|finding| finding.rule).collect();
        assert_eq!(rules, ["a"], "{case}");
    }
    // Said twice, it is one finding; and what ended well is none.
    let both = r#"<testsuite><testcase name="a" status="failed"><failure message="m"/><rerunFailure/></testcase></testsuite>"#;
    let found = report(both).findings;
    assert_eq!(found.iter().map(|finding| finding.message.as_str()).collect::<Vec<_>>(), ["m"]);
    for well in [r#"status="run" result="completed""#, r#"status="passed""#, r#"status="notrun""#] {
        assert_eq!(report(&format!("<testsuite><testcase name=\"a\" {well}/></testsuite>")).findings, []);
    }
}

/// A checkout with one file.
#[derive(Debug)]
struct Holds(&'static str);

impl Checkout for Holds {
    fn has(&self, path: &str) -> bool {
        path == self.0
    }

    fn is_gone(&self, path: &str) -> bool {
        !self.has(path)
    }

    fn named(&self, _: &str) -> Option<String> {
        None
    }

    fn lines(&self, _: &str, _: u64) -> Option<Lines> {
        None
    }
}

#[test]
fn a_name_that_is_a_place_in_the_checkout_keeps_no_line_in_the_rule() {
    let seen = |case: &str| {
        let floors = BTreeMap::new();
        let options = Options {
            fail_on: Level::Warning.into(),
            floors: &floors,
            honour_suppressions: true,
            accept_errors: false,
            accept_empty: false,
            place: Place { checkout: &Holds("src/a.go"), ..Place::NOWHERE },
        };
        let text = suite(&format!("<testcase {case}><failure message=\"m\"/></testcase>"));
        let found = read(&mut text.as_bytes(), "r", &options).unwrap().findings.pop().unwrap();
        (found.rule, found.path, found.line)
    };
    let is = |rule: &str, path: Option<&str>, line| (rule.to_owned(), path.map(str::to_owned), line);
    let path = Some("src/a.go");
    for (case, expected) in [
        (r#"name="errcheck" classname="src/a.go:12:5""#, is("src/a.go/errcheck", path, Some(12))),
        (r#"name="src/a.go:20""#, is("src/a.go", path, Some(20))),
        (r#"name="./src/a.go:20" line="7""#, is("src/a.go", path, Some(7))),
        // A test's name is left alone, whatever it looks like.
        (r#"name="127.0.0.1:8080" classname="t""#, is("t/127.0.0.1:8080", None, None)),
        (r#"name="src/b.go:20""#, is("src/b.go:20", None, None)),
        (r#"name="src/a.go:x""#, is("src/a.go:x", None, None)),
        (r#"name="src/a.go""#, is("src/a.go", None, None)),
    ] {
        assert_eq!(seen(case), expected, "{case}");
    }
}
