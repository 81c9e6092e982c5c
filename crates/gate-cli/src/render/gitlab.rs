//! A decision as a code quality report of GitLab ("Code Quality report format"): an array of issues with
//! description, `check_name`, fingerprint, severity and location, each of them required.

use std::collections::HashMap;

use gate_model::decision::Decision;
use gate_model::level::Level;
use serde::Serialize;

use super::items::{Item, Standing, gate_rule, noted, of};
use crate::escape::inert;

#[derive(Debug, Serialize)]
pub(super) struct Issue {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Debug, Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Debug, Serialize)]
struct Lines {
    begin: u64,
}

/// One issue for each item, in their order.
pub(super) fn report(decision: &Decision) -> Vec<Issue> {
    let mut seen = HashMap::new();
    let mut items = of(decision);
    let rule = gate_rule(&decision.gate);
    // Where the gate itself is an item, its reasons name the contradiction.
    if items.iter().all(|item| item.finding.rule != rule) {
        items.extend(decision.context.contradiction().map(|told| noted(rule, told)));
    }
    items.extend(decision.notices.iter().map(|notice| noted(gate_rule(&decision.gate), notice.clone())));
    items.into_iter().map(|item| issue(item, &mut seen)).collect()
}

fn issue(item: Item, seen: &mut HashMap<String, u64>) -> Issue {
    let finding = item.finding;
    let text = if finding.message.is_empty() { &finding.rule } else { &finding.message };
    let (description, severity) = match &item.standing {
        Standing::Blocks => (text.clone(), severity(finding.level)),
        Standing::Observed(until) => (format!("{until}: {text}"), severity(finding.level)),
        Standing::Accepted(by) => (format!("{by}: {text}"), "info"),
    };
    Issue {
        description: inert(&description),
        check_name: inert(&finding.rule),
        fingerprint: unique(&finding.fingerprint, seen),
        severity,
        // GitLab refuses an issue without a place; "." is the repository itself.
        location: Location {
            path: finding
                .path
                .as_deref()
                .filter(|path| !path.is_empty())
                .map_or_else(|| ".".to_owned(), inert),
            lines: Lines { begin: finding.line.unwrap_or(1).max(1) },
        },
    }
}

/// GitLab merges issues with one fingerprint, but several identical findings are several.
fn unique(fingerprint: &str, seen: &mut HashMap<String, u64>) -> String {
    let times = seen.entry(fingerprint.to_owned()).or_insert(0);
    *times += 1;
    if *times == 1 { inert(fingerprint) } else { format!("{}/{times}", inert(fingerprint)) }
}

const fn severity(level: Level) -> &'static str {
    match level {
        Level::Error => "critical",
        Level::Warning => "major",
        Level::Note => "minor",
        Level::None => "info",
    }
}

#[cfg(test)]
mod tests {
    use crate::escape::json::json;
    use crate::render::samples;
    use gate_model::decision::Verdict;

    #[test]
    fn each_issue_has_what_gitlab_requires_and_fingerprints_differ() {
        let mut decision = samples::decision(Verdict::Fail);
        decision.blocking.push(decision.blocking[0].clone());
        let report: serde_json::Value = serde_json::from_str(&json(&super::report(&decision))).unwrap();
        assert_eq!(
            report[0],
            serde_json::json!({
                "check_name": "B101",
                "description": "Use of assert detected.",
                "fingerprint": "f1",
                "location": {"lines": {"begin": 12}, "path": "src/app.py"},
                "severity": "critical",
            })
        );
        assert_eq!(report[1]["fingerprint"], "f1/2");
        assert_eq!(report[2]["severity"], "info");
        let waived = "waived by opt-out 41 (waive by alice@example.com: fix is in review): CVE in log4j";
        assert_eq!(report[2]["description"], waived);
        assert_eq!(report[2]["location"]["path"], ".");
    }

    #[test]
    fn a_pass_is_an_empty_list() {
        let mut decision = samples::decision(Verdict::Pass);
        decision.blocking.clear();
        decision.waived.clear();
        assert_eq!(json(&super::report(&decision)), "[]");
    }
}
