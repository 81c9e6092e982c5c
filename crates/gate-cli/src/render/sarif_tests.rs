use super::{log, message, uri};
use crate::escape::json::json;
use crate::render::samples;
use gate_model::decision::Verdict;
use serde_json::Value;

fn written(decision: &gate_model::decision::Decision) -> Value {
    serde_json::from_str(&json(&log(decision, false))).unwrap()
}

/// The structure that SARIF 2.1.0 demands of the members we write.
fn assert_valid(log: &Value) {
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert!(run["tool"]["driver"]["name"].is_string());
    assert!(["utf16CodeUnits", "unicodeCodePoints"].contains(&run["columnKind"].as_str().unwrap()));
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(!rules[index][text]["text"].as_str().unwrap().is_empty(), "{text}");
        }
        assert!(["none", "note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        assert!(result["partialFingerprints"].as_object().unwrap().values().all(Value::is_string));
        // GitHub drops the whole file for one result without a place.
        assert!(!result["locations"].as_array().unwrap().is_empty());
        for location in result["locations"].as_array().unwrap() {
            let uri = location["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
            assert!(uri.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~/%".contains(&b)), "{uri}");
            assert!(location["physicalLocation"]["region"]["startLine"].as_u64().unwrap() >= 1);
        }
        for suppression in result["suppressions"].as_array().unwrap_or(&Vec::new()) {
            assert_eq!(
                (&suppression["kind"], &suppression["status"]),
                (&"external".into(), &"accepted".into())
            );
            assert!(suppression["justification"].is_string());
        }
    }
}

#[test]
fn each_gate_is_an_analysis_of_its_own_and_grave_rules_say_so() {
    let mut decision = samples::decision(Verdict::Fail);
    decision.blocking[0].security_severity = "7.5".parse().ok();
    let more =
        gate_model::finding::Finding { security_severity: "9".parse().ok(), ..decision.blocking[0].clone() };
    decision.blocking.push(more);
    let log = written(&decision);
    assert_valid(&log);
    assert_eq!(log["runs"][0]["automationDetails"]["id"], "gate/lint/");
    assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][0]["properties"]["security-severity"], "9.0");
}

#[test]
fn waived_findings_can_be_left_out() {
    let decision = samples::decision(Verdict::Fail);
    let text = json(&log(&decision, true));
    let log: Value = serde_json::from_str(&text).unwrap();
    assert_valid(&log);
    assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), 1);
    assert!(!text.contains("suppressions"));
}

#[test]
fn waived_findings_are_suppressed_results_and_blocking_ones_are_not() {
    let log = written(&samples::decision(Verdict::Fail));
    assert_valid(&log);
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    assert_eq!(
        results[0],
        serde_json::json!({
            "ruleId": "B101", "ruleIndex": 0, "level": "error", "message": {"text": "Use of assert detected."},
            "partialFingerprints": {"gate/v1": "f1"},
            "locations": [{"physicalLocation": {
                "artifactLocation": {"uri": "src/app.py", "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 12}}}],
        })
    );
    assert_eq!(
        results[1]["suppressions"],
        serde_json::json!([{"kind": "external", "status": "accepted",
            "justification": "waived by opt-out 41 (waive by alice@example.com: fix is in review)"}])
    );
    assert_eq!(results[1]["properties"]["package"], "log4j-core");
}

#[test]
fn an_overridden_finding_is_suppressed() {
    let log = written(&samples::decision(Verdict::Override));
    let suppression = &log["runs"][0]["results"][0]["suppressions"][0];
    assert!(suppression["justification"].as_str().unwrap().starts_with("overridden by opt-out 41"));
}

#[test]
fn a_gate_that_did_not_pass_never_looks_like_a_clean_report() {
    for verdict in [Verdict::Fail, Verdict::Hold] {
        let mut decision = samples::decision(verdict);
        decision.blocking.clear();
        decision.waived.clear();
        let log = written(&decision);
        assert_valid(&log);
        let result = &log["runs"][0]["results"][0];
        assert_eq!((&result["ruleId"], &result["level"]), (&"gate/lint".into(), &"error".into()));
        assert!(result.get("suppressions").is_none());
    }
}

#[test]
fn hostile_text_is_valid_and_inert() {
    for verdict in [Verdict::Pass, Verdict::Fail, Verdict::Override, Verdict::Hold, Verdict::Run] {
        assert_valid(&written(&samples::hostile_decision(verdict)));
    }
}

#[test]
fn paths_are_relative_references() {
    assert_eq!(uri("src/a b.py"), "src/a%20b.py");
    assert_eq!(uri("javascript:x"), "javascript%3Ax");
    assert_eq!(uri("//evil.example/x"), "%2F%2Fevil.example/x");
    assert_eq!(uri("a?b#c%2F"), "a%3Fb%23c%252F");
}

#[test]
fn messages_hold_no_link_and_no_placeholder() {
    assert_eq!(message("see [docs](http://x)"), "see \\[docs\\](http://x)");
    assert_eq!(message("a[0] = {}; {x}"), "a[0] = {}; {x}");
    assert_eq!(message("{0} and {1}"), "{{0}} and {{1}}");
}
