//! How grave a report says that its findings are, and whether there is a fix.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

use std::collections::BTreeMap;

use gate_findings::place::Place;
use gate_findings::{Options, Report, read};
use gate_model::level::Level;
use gate_model::score::FailOn;

fn judged(text: &str, fail_on: &str, floors: &[(&str, Level)]) -> Report {
    let floors: BTreeMap<String, Level> =
        floors.iter().map(|(rule, level)| ((*rule).into(), *level)).collect();
    let options = Options {
        fail_on: fail_on.parse::<FailOn>().unwrap(),
        floors: &floors,
        honour_suppressions: true,
        accept_errors: false,
        accept_empty: false,
        place: Place::NOWHERE,
    };
    read(&mut text.as_bytes(), "r", &options).unwrap()
}

fn sarif(tool: &str, rules: &str, results: &str) -> String {
    format!(
        r#"{{"version":"2.1.0","runs":[{{"results":[{results}],"tool":{{"driver":{{"name":"{tool}","rules":[{rules}]}}}}}}]}}"#
    )
}

fn rules_of(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.rule.as_str()).collect()
}

const RULES: &str = r#"{"id":"HIGH","properties":{"security-severity":"9.8"}},
    {"id":"LOW","properties":{"security-severity":3.1,"tags":["security"]}},
    {"id":"NONE"},{"id":"ODD","properties":{"security-severity":"very"}}"#;

#[test]
fn a_threshold_of_security_severity_tells_results_of_one_level_apart() {
    let results = r#"{"ruleId":"HIGH","level":"note"},{"ruleId":"LOW","level":"error"},{"ruleId":"NONE"},
        {"ruleId":"NONE","level":"note"},{"ruleId":"ODD"},
        {"ruleId":"LOW","properties":{"security-severity":"7.0"}},{"ruleId":"HIGH","properties":{"security-severity":"1"}}"#;
    let report = judged(&sarif("t", RULES, results), "security-severity >= 7", &[]);
    assert_eq!(rules_of(&report), ["HIGH", "NONE", "ODD", "LOW", "HIGH"]);
    assert_eq!((report.counts.below_threshold, report.total), (2, 7));
    assert_eq!(report.findings[4].security_severity.unwrap().to_string(), "9.8", "the higher one counts");
    let by_level = judged(&sarif("t", RULES, results), "error", &[]);
    assert_eq!(rules_of(&by_level), ["LOW"]);
    let lines = r#"{"rule":"A","level":"warning","security_severity":"7.0"}
        {"rule":"B","level":"error","security_severity":6.9}
        {"rule":"C","level":"warning"}"#;
    assert_eq!(rules_of(&judged(lines, "security-severity >= 7", &[])), ["A", "C"]);
}

#[test]
fn a_floor_of_the_policy_is_not_undone_by_a_low_score() {
    let results = r#"{"ruleId":"LOW","level":"note"},{"ruleId":"LOW/sub"}"#;
    let report = judged(&sarif("t", RULES, results), "security-severity >= 7", &[("LOW", Level::Error)]);
    assert_eq!(rules_of(&report), ["LOW", "LOW/sub"]);
    assert!(report.findings.iter().all(|f| f.level == Level::Error && f.security_severity.is_none()));
}

#[test]
fn a_fix_is_read_where_the_format_says_so() {
    let fix = |text: &str| judged(text, "none", &[]).findings[0].fix.clone();
    let trivy = |version: &str| {
        let message = format!(
            "Package: a\\nInstalled Version: 1\\nVulnerability CVE-1\\nSeverity: HIGH\\nFixed Version: {version}\\nLink: x"
        );
        let help = r#"{"id":"CVE-1","help":{"text":"Package: b\nFixed Version: 9.9"}}"#;
        sarif("Trivy", help, &format!(r#"{{"ruleId":"CVE-1","message":{{"text":"{message}"}}}}"#))
    };
    assert_eq!(fix(&trivy("1.1, 2.0")).as_deref(), Some("1.1, 2.0"));
    assert_eq!(fix(&trivy("")), None, "the message of the result is nearer than the help for its rule");
    let grype = |version: &str| {
        let help = format!(
            r#"{{"id":"CVE-1-a","help":{{"text":"Vulnerability CVE-1\nFix Version: {version}\nType: deb"}}}}"#
        );
        let message = "A high vulnerability in deb package: a, version 1 was found at: /x";
        sarif("grype", &help, &format!(r#"{{"ruleId":"CVE-1-a","message":{{"text":"{message}"}}}}"#))
    };
    assert_eq!((fix(&grype("1.2")).as_deref(), fix(&grype(""))), (Some("1.2"), None));
    let osv = |help: &str| {
        let rule = format!(r#"{{"id":"CVE-1","help":{{"markdown":"{help}"}}}}"#);
        let message = "Package 'a@1' is vulnerable to 'CVE-1'.";
        sarif("osv-scanner", &rule, &format!(r#"{{"ruleId":"CVE-1","message":{{"text":"{message}"}}}}"#))
    };
    assert_eq!(fix(&osv("## Remediation\\n\\n### Fixed Versions\\n\\n| a |")).as_deref(), Some("available"));
    assert_eq!(fix(&osv("## Remediation\\n\\nIf you believe")), None);
    let own = |fixes: &str| sarif("t", "", &format!(r#"{{"ruleId":"A",{fixes}"message":{{"text":"m"}}}}"#));
    assert_eq!(fix(&own(r#""fixes":[{"artifactChanges":[]}],"#)).as_deref(), Some("available"));
    assert_eq!(
        (fix(&own(r#""fixes":[],"#)), fix(&own(r#""fixes":null,"#)), fix(&own(""))),
        (None, None, None)
    );
}
