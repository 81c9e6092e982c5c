//! A decision as SARIF 2.1.0 (OASIS standard, errata 01).
//!
//! What was accepted is a result with a suppression: kind `external`, status `accepted`, and the opt-out as
//! justification (section 3.35).

use std::collections::HashMap;

use gate_model::decision::Decision;
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
    invocations: [Value; 1],
    column_kind: &'static str,
    results: Vec<Value>,
    properties: Value,
}

/// The log of `decision`.
pub(super) fn log(decision: &Decision) -> Log {
    let mut rules = Rules::default();
    let results = of(decision).iter().map(|item| result(item, &mut rules)).collect();
    let driver = json!({"name": "gate", "version": env!("CARGO_PKG_VERSION"), "rules": rules.descriptors});
    let run = Run {
        tool: json!({"driver": driver}),
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
#[derive(Default)]
struct Rules {
    index: HashMap<String, usize>,
    descriptors: Vec<Value>,
}

impl Rules {
    fn index_of(&mut self, rule: &str) -> usize {
        if let Some(index) = self.index.get(rule) {
            return *index;
        }
        let index = self.descriptors.len();
        self.index.insert(rule.to_owned(), index);
        self.descriptors.push(json!({"id": rule}));
        index
    }
}

fn result(item: &Item, rules: &mut Rules) -> Value {
    let finding = &item.finding;
    let rule = inert(&finding.rule);
    let text = if finding.message.is_empty() { &finding.rule } else { &finding.message };
    let mut result = json!({
        "ruleId": rule,
        "ruleIndex": rules.index_of(&rule),
        "level": finding.level.as_str(),
        "message": {"text": message(text)},
        "partialFingerprints": {"gate/v1": inert(&finding.fingerprint)},
    });
    // GitHub drops the whole file for one result without a place; "." is the repository itself.
    let (path, line) = finding.path.as_deref().map_or((".", Some(1)), |path| (path, finding.line));
    result["locations"] = json!([{"physicalLocation": place(path, line)}]);
    if let Standing::Accepted(by) = &item.standing {
        let accepted = json!({"kind": "external", "status": "accepted", "justification": inert(by)});
        result["suppressions"] = json!([accepted]);
    }
    let named = [("package", &finding.package), ("tool", &finding.tool)];
    for (name, value) in
        named.into_iter().filter_map(|(name, value)| value.as_ref().map(|value| (name, value)))
    {
        result["properties"][name] = json!(inert(value));
    }
    result
}

fn place(path: &str, line: Option<u64>) -> Value {
    let mut place = json!({"artifactLocation": {"uri": uri(path), "uriBaseId": "%SRCROOT%"}});
    if let Some(line) = line.filter(|line| *line > 0) {
        place["region"] = json!({"startLine": line});
    }
    place
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
