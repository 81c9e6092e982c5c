//! A decision as SARIF 2.1.0 (OASIS standard, errata 01).
//!
//! What was accepted is a result with a suppression: kind `external`, status `accepted`, and the opt-out as
//! justification (section 3.35). Some platforms open an alert for it all the same: they are written without such results.

use std::collections::HashMap;

use gate_model::decision::Decision;
use gate_model::finding::Finding;
use gate_model::score::Score;
use serde::Serialize;
use serde_json::{Value, json};

use super::items::{Item, Standing, of, why};
use super::words::instant;
use crate::escape::inert;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// A SARIF log with one run.
#[derive(Debug, Serialize)]
pub(super) struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Value,
    automation_details: Value,
    invocations: [Value; 1],
    column_kind: &'static str,
    results: Vec<Value>,
    properties: Value,
}

/// The log of `decision`, with what was accepted or without.
pub(super) fn log(decision: &Decision, omit_waived: bool) -> Log {
    let mut rules = Rules { gate: &decision.gate, index: HashMap::new(), descriptors: Vec::new() };
    let items = of(decision);
    let shown = items.iter().filter(|item| !omit_waived || !matches!(item.standing, Standing::Accepted(_)));
    let results = shown.map(|item| result(item, &mut rules)).collect();
    let driver =
        json!({"name": "gate", "version": env!("CARGO_PKG_VERSION"), "rules": rules.into_descriptors()});
    let run = Run {
        tool: json!({"driver": driver}),
        // Uploads of different gates must not replace each other (section 3.17.3).
        automation_details: json!({"id": format!("gate/{}/", inert(&decision.gate))}),
        invocations: [invocation(decision)],
        column_kind: "unicodeCodePoints",
        results,
        properties: json!({"gate": inert(&decision.gate), "decision": decision.decision.as_str()}),
    };
    Log { schema: SCHEMA, version: "2.1.0", runs: [run] }
}

/// The judging itself: it succeeded whatever it found; a gate that did not run has a result that says so.
fn invocation(decision: &Decision) -> Value {
    let told = |level: &str, text: &str| json!({"level": level, "message": {"text": message(text)}});
    let notices = decision.notices.iter().map(|notice| told("warning", notice));
    let notifications: Vec<Value> = std::iter::once(told("note", &why(decision))).chain(notices).collect();
    json!({
        "executionSuccessful": true,
        "endTimeUtc": instant(decision.at),
        "toolExecutionNotifications": notifications,
    })
}

/// The rules in the order in which results name them; a result points to its rule by index (section 3.27.6).
struct Rules<'a> {
    gate: &'a str,
    index: HashMap<String, usize>,
    descriptors: Vec<(Value, Option<Score>)>,
}

impl Rules<'_> {
    fn index_of(&mut self, finding: &Finding) -> usize {
        let rule = inert(&finding.rule);
        let next = self.descriptors.len();
        let index = *self.index.entry(rule.clone()).or_insert(next);
        if index == next {
            self.descriptors.push((descriptor(self.gate, finding, &rule), None));
        }
        let highest = &mut self.descriptors[index].1;
        *highest = (*highest).max(finding.security_severity);
        index
    }

    fn into_descriptors(self) -> Vec<Value> {
        let with_severity = |(mut descriptor, severity): (Value, Option<Score>)| {
            if let Some(severity) = severity {
                descriptor["properties"] = json!({"security-severity": severity, "tags": ["security"]});
            }
            descriptor
        };
        self.descriptors.into_iter().map(with_severity).collect()
    }
}

/// A rule with the texts that platforms show beside its results. What the tool itself says of the rule is in its own
/// report.
fn descriptor(gate: &str, finding: &Finding, rule: &str) -> Value {
    let by = finding.tool.as_ref().map(|tool| format!(" of {tool}")).unwrap_or_default();
    let text = if finding.message.is_empty() { &finding.rule } else { &finding.message };
    let help = format!(
        "A finding{by} that the gate '{gate}' judged. Mend what it points at; where that has to wait and the policy \
         allows it, gate-skip {gate} asks for a waiver of the single finding that ends by itself."
    );
    json!({
        "id": rule,
        "shortDescription": {"text": message(&format!("{}{by}", finding.rule))},
        "fullDescription": {"text": message(text)},
        "help": {"text": inert(&help)},
    })
}

fn result(item: &Item, rules: &mut Rules<'_>) -> Value {
    let finding = &item.finding;
    let text = if finding.message.is_empty() { &finding.rule } else { &finding.message };
    let mut result = json!({
        "ruleId": inert(&finding.rule),
        "ruleIndex": rules.index_of(finding),
        "level": finding.level.as_str(),
        "message": {"text": message(text)},
        "partialFingerprints": {"gate/v1": inert(&finding.fingerprint)},
    });
    // GitHub drops the whole file for one result without a place, and asks for a line in each; "." is the repository.
    let path = finding.path.as_deref().unwrap_or(".");
    result["locations"] = json!([{"physicalLocation": place(path, finding.line.unwrap_or(1))}]);
    if let Standing::Accepted(by) = &item.standing {
        let accepted = json!({"kind": "external", "status": "accepted", "justification": inert(by)});
        result["suppressions"] = json!([accepted]);
    }
    if let Some(severity) = finding.security_severity {
        result["properties"]["security-severity"] = json!(severity);
    }
    let named = [("package", &finding.package), ("tool", &finding.tool), ("fix", &finding.fix)];
    for (name, value) in
        named.into_iter().filter_map(|(name, value)| value.as_ref().map(|value| (name, value)))
    {
        result["properties"][name] = json!(inert(value));
    }
    result
}

fn place(path: &str, line: u64) -> Value {
    let artifact = json!({"uri": uri(path), "uriBaseId": "%SRCROOT%"});
    json!({"artifactLocation": artifact, "region": {"startLine": line.max(1)}})
}

/// A relative URI reference (RFC 3986, section 4.2) of `path`. A colon is encoded too, so that no first
/// segment reads as a scheme; `//host` in front would name a host.
fn uri(path: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    let encode = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    let encoded: String = path.bytes().map(encode).collect();
    if encoded.starts_with("//") { encoded.replacen('/', "%2F", 2) } else { encoded }
}

/// `text` as a plain text message. `[text](target)` would be a link (section 3.11.6) and `{0}` a placeholder
/// (section 3.11.5). Both are escaped as the standard says, but only where they would be one: most viewers
/// show the escapes, so common text stays free of them.
fn message(text: &str) -> String {
    let mut text = inert(text);
    if text.contains("](") {
        text = text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]");
    }
    let placeholder = text.split('{').skip(1).any(|rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        digits > 0 && rest.as_bytes().get(digits) == Some(&b'}')
    });
    if placeholder { text.replace('{', "{{").replace('}', "}}") } else { text }
}

#[cfg(test)]
#[path = "sarif_tests.rs"]
mod tests;
