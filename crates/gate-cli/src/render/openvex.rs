//! A decision as `OpenVEX` 0.2.0: what is known of vulnerabilities in this repository.
//!
//! A waiver whose reason begins with one of `OpenVEX`'s justifications says that the vulnerability does not matter here:
//! `vulnerable_code_not_in_execute_path: the parser is never fed`. Such a finding is `not_affected`. Of every other one
//! nobody has said so, so that it is `under_investigation`: that somebody accepts a risk for a while is no justification.
//!
//! Findings that name neither a package nor a vulnerability by a well-known id are no matter of VEX and are left out. Of a
//! decision without any other there is no document, since one has at least one statement.

use gate_model::decision::{Decision, OptOut};
use gate_model::finding::Finding;
use serde_json::{Value, json};

use super::words::instant;
use crate::escape::inert;

/// The justifications of `OpenVEX`.
const JUSTIFICATIONS: [&str; 5] = [
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
];

/// How ids of vulnerabilities begin.
const IDS: [&str; 8] = ["CVE-", "GHSA-", "RUSTSEC-", "PYSEC-", "GO-", "OSV-", "MAL-", "DSA-"];

/// The document of `decision`, if there is anything to state.
pub(super) fn document(decision: &Decision) -> Option<Value> {
    let statements = statements(decision);
    (!statements.is_empty()).then(|| {
        json!({
            "@context": "https://openvex.dev/ns/v0.2.0",
            "@id": format!("urn:gate:decision:{}:{}:{}", encode(&decision.gate), decision.at, identity(decision)),
            "author": "gate",
            "timestamp": instant(decision.at),
            "version": 1,
            "tooling": concat!("gate ", env!("CARGO_PKG_VERSION")),
            "statements": statements,
        })
    })
}

fn statements(decision: &Decision) -> Vec<Value> {
    let waived = decision.waived.iter().map(|waived| {
        let grant = decision.grants.iter().find(|grant| grant.id == waived.grant);
        (&waived.finding, grant)
    });
    let blocking = decision.blocking.iter().map(|finding| (finding, None));
    let vulnerabilities = waived.chain(blocking).filter(|(finding, _)| is_vulnerability(finding));
    let mut statements: Vec<Value> = Vec::new();
    for (finding, grant) in vulnerabilities {
        let statement = statement(decision, finding, grant);
        // One package may be found in many places, and statements are a set.
        if !statements.contains(&statement) {
            statements.push(statement);
        }
    }
    statements
}

fn is_vulnerability(finding: &Finding) -> bool {
    finding.package.is_some() || IDS.iter().any(|id| finding.rule.starts_with(id))
}

/// What tells decisions of one instant apart.
fn identity(decision: &Decision) -> String {
    encode(decision.report.as_ref().unwrap_or(&decision.policy.digest))
}

fn statement(decision: &Decision, finding: &Finding, grant: Option<&OptOut>) -> Value {
    let mut statement = json!({
        "vulnerability": {"name": inert(&finding.rule)},
        "products": [product(decision, finding)],
        "timestamp": instant(decision.at),
        "status": "under_investigation",
    });
    match grant.and_then(|grant| Some((grant, justification(&grant.reason)?))) {
        Some((grant, justification)) => {
            statement["status"] = json!("not_affected");
            statement["justification"] = json!(justification);
            let by =
                format!("opt-out {} by {} until {}: {}", grant.id, grant.by, grant.expires, grant.reason);
            statement["status_notes"] = json!(inert(&by));
        }
        None if grant.is_none() => statement["status_notes"] = json!("it blocks"),
        None => statement["status_notes"] = json!("accepted for a while, without a justification"),
    }
    statement
}

/// The justification that a reason begins with.
fn justification(reason: &str) -> Option<&'static str> {
    let word = reason.trim_start().split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next()?;
    JUSTIFICATIONS.into_iter().find(|known| *known == word)
}

/// The repository, with the package as its part; the package alone where the repository is not known.
fn product(decision: &Decision, finding: &Finding) -> Value {
    let package = finding.package.as_ref().map(|package| {
        let is_purl = package.starts_with("pkg:") && !package.contains(char::is_whitespace);
        let id = if is_purl { inert(package) } else { format!("pkg:generic/{}", encode(package)) };
        json!({"@id": id})
    });
    let repository = decision.context.repository.as_ref().map(|path| format!("https://{}", encode(path)));
    match (repository, package) {
        (Some(id), Some(package)) => json!({"@id": id, "subcomponents": [package]}),
        (Some(id), None) => json!({"@id": id}),
        (None, Some(package)) => package,
        (None, None) => json!({"@id": format!("urn:gate:gate:{}", encode(&decision.gate))}),
    }
}

/// Text as a part of a URI (RFC 3986).
pub(super) fn encode(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use gate_model::decision::Verdict;

    use serde_json::Value;

    use super::{JUSTIFICATIONS, document, justification};
    use crate::render::samples;

    /// The members that `OpenVEX` 0.2.0 knows, no others; which of them must be there; and identifiers that are IRIs.
    fn assert_valid(document: &Value) {
        let known = |of: &Value, members: &[&str]| {
            assert!(of.as_object().unwrap().keys().all(|key| members.contains(&key.as_str())), "{of}");
        };
        let is_iri = |id: &Value| {
            let id = id.as_str().unwrap();
            assert!(
                id.split_once(':').is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty()),
                "{id}"
            );
            assert!(
                !id.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"{}|\\^`".contains(c)),
                "{id}"
            );
        };
        known(document, &["@context", "@id", "author", "timestamp", "version", "tooling", "statements"]);
        assert_eq!(document["@context"], "https://openvex.dev/ns/v0.2.0");
        is_iri(&document["@id"]);
        assert!(
            document["author"].is_string() && document["timestamp"].is_string() && document["version"] == 1
        );
        let statements = document["statements"].as_array().unwrap();
        assert!(!statements.is_empty());
        for (number, statement) in statements.iter().enumerate() {
            let members =
                ["vulnerability", "products", "timestamp", "status", "status_notes", "justification"];
            known(statement, &members);
            known(&statement["vulnerability"], &["name"]);
            assert!(!statement["vulnerability"]["name"].as_str().unwrap().is_empty());
            for product in statement["products"].as_array().unwrap() {
                known(product, &["@id", "subcomponents"]);
                is_iri(&product["@id"]);
                let parts = product["subcomponents"].as_array().map_or(&[][..], Vec::as_slice);
                for part in parts {
                    is_iri(&part["@id"]);
                }
            }
            let justified =
                statement["justification"].as_str().is_some_and(|word| JUSTIFICATIONS.contains(&word));
            assert_eq!(statement["status"] == "not_affected", justified);
            assert!(justified || statement["status"] == "under_investigation");
            assert!(!statements[..number].contains(statement), "statements are a set");
        }
    }

    #[test]
    fn every_document_is_valid_whatever_was_judged() {
        for verdict in [Verdict::Pass, Verdict::Fail, Verdict::Override, Verdict::Hold] {
            for mut decision in [samples::decision(verdict), samples::hostile_decision(verdict)] {
                document(&decision).iter().for_each(assert_valid);
                decision.context.repository = None;
                document(&decision).iter().for_each(assert_valid);
            }
        }
        assert!(document(&samples::hostile_decision(Verdict::Fail)).is_some());
    }

    #[test]
    fn only_a_waiver_with_a_justification_says_not_affected() {
        let mut decision = samples::decision(Verdict::Fail);
        let written = document(&decision).unwrap();
        let statements = written["statements"].as_array().unwrap();
        assert_eq!(statements.len(), 1, "a finding of a linter is no vulnerability");
        assert_eq!(statements[0]["status"], "under_investigation");
        decision.grants[0].reason = "vulnerable_code_not_in_execute_path: never called".into();
        decision.waived.push(decision.waived[0].clone());
        let written = document(&decision).unwrap();
        let statement = &written["statements"][0];
        assert_eq!(written["statements"].as_array().unwrap().len(), 1);
        assert_eq!(statement["status"], "not_affected");
        assert_eq!(statement["justification"], "vulnerable_code_not_in_execute_path");
        assert_eq!(statement["vulnerability"]["name"], "CVE-2021-44228");
        assert!(statement["impact_statement"].is_null(), "the schema takes one of the two");
    }

    #[test]
    fn nothing_to_state_is_no_document() {
        let mut decision = samples::decision(Verdict::Fail);
        decision.waived.clear();
        assert_eq!(document(&decision), None);
        let pass = samples::decision(Verdict::Pass);
        assert!(document(&pass).unwrap()["statements"].as_array().is_some_and(|all| !all.is_empty()));
    }

    #[test]
    fn a_reason_begins_with_a_justification_or_has_none() {
        for (reason, expected) in [
            ("component_not_present", Some("component_not_present")),
            (" inline_mitigations_already_exist, see WAF", Some("inline_mitigations_already_exist")),
            ("we think component_not_present", None),
            ("component_not_present_at_all", None),
            ("", None),
        ] {
            assert_eq!(justification(reason), expected, "{reason}");
        }
    }
}
