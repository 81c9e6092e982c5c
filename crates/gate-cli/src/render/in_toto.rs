//! A decision as an unsigned in-toto statement (v1), to be signed by whoever can: `cosign attest-blob`, `actions/attest`. Its
//! predicate is a Simple Verification Result (SVR v0.2), or a verification summary (VSA v1) of SLSA.
//!
//! What was verified is the commit, where it is known, and the reports that were judged, by their digests. The digests of
//! gate are BLAKE3 in a context of its own, so that they are named `gate-blake3` and not `blake3`. Properties are what
//! holds: a gate that blocks has none of `PASSED`, `WAIVED`, …, only `GATE_<NAME>_JUDGED`.
//!
//! A summary knows two results, and who reads one may ask no further. So it is `PASSED` only where the gate ran and nothing
//! blocked; what went past the gate unverified, by a skip or an override, is `FAILED` there. The levels are the properties
//! and none of SLSA's own, of which gate verified nothing (<https://slsa.dev/spec/v1.0/verification_summary>).

use gate_model::decision::{Decision, Verdict};
use serde_json::{Value, json};

use super::openvex::encode;
use super::words::instant;
use crate::escape::inert;

/// Who verified.
const VERIFIER: &str = concat!("urn:gate:verifier:", env!("CARGO_PKG_VERSION"));

/// The statement of `decision` as a Simple Verification Result.
pub(super) fn verification_result(decision: &Decision) -> Value {
    let predicate = json!({
        "verifier": {"id": VERIFIER, "policies": [policy(decision)]},
        "timeCreated": instant(decision.at),
        "properties": properties(decision),
    });
    statement(decision, "https://in-toto.io/attestation/svr/v0.2", &predicate)
}

/// The statement of `decision` as a verification summary of SLSA.
pub(super) fn verification_summary(decision: &Decision) -> Value {
    let passed = decision.decision == Verdict::Pass;
    let levels = if passed { properties(decision) } else { vec!["FAILED".to_owned()] };
    let mut policy = policy(decision);
    policy["uri"] = json!(inert(&format!("urn:gate:policy:{}", encode(&decision.policy.digest))));
    let predicate = json!({
        "verifier": {"id": VERIFIER},
        "timeVerified": instant(decision.at),
        "resourceUri": resource(decision),
        "policy": policy,
        "verificationResult": if passed { "PASSED" } else { "FAILED" },
        "verifiedLevels": levels,
    });
    statement(decision, "https://slsa.dev/verification_summary/v1", &predicate)
}

fn statement(decision: &Decision, kind: &str, predicate: &Value) -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects(decision),
        "predicateType": kind,
        "predicate": predicate,
    })
}

/// The policy as a resource (in-toto's `ResourceDescriptor`).
fn policy(decision: &Decision) -> Value {
    json!({
        "name": inert(&format!("gate.toml of {}", decision.policy.source)),
        "digest": digest(&decision.policy.digest),
    })
}

/// What was verified, as a URI: the repository at its commit, as SPDX writes them; the gate, where neither is known.
fn resource(decision: &Decision) -> String {
    let Some(repository) = &decision.context.repository else {
        return format!("urn:gate:gate:{}", encode(&decision.gate));
    };
    let commit = decision.context.commit.as_ref().map_or_else(String::new, |id| format!("@{}", encode(id)));
    format!("git+https://{}{commit}", encode(repository))
}

/// The commit and the reports; the policy where there is neither, since a statement is about something.
fn subjects(decision: &Decision) -> Vec<Value> {
    let context = &decision.context;
    let repository = context.repository.as_deref().unwrap_or("repository");
    let commit = context.commit.as_ref();
    let commit = commit.map(|id| json!({"name": inert(repository), "digest": {"gitCommit": inert(id)}}));
    let part = |name: &str, of: &str| json!({"name": inert(name), "digest": digest(of)});
    let one = decision.report.iter().filter(|_| decision.reports.is_empty()).map(|of| part("report", of));
    let parts = decision.reports.iter().map(|report| part(&report.name, &report.digest));
    let mut subjects: Vec<Value> = commit.into_iter().chain(one).chain(parts).collect();
    if subjects.is_empty() {
        subjects.push(part("gate.toml", &decision.policy.digest));
    }
    subjects
}

fn digest(of: &str) -> Value {
    json!({"gate-blake3": inert(of.strip_prefix("b3:").unwrap_or(of))})
}

/// What holds, in words that begin with the gate.
fn properties(decision: &Decision) -> Vec<String> {
    let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let gate: String = decision.gate.chars().map(word).collect();
    let with_waivers = !decision.waived.is_empty();
    let held = match decision.decision {
        Verdict::Pass if with_waivers => Some("PASSED_WITH_WAIVERS"),
        Verdict::Pass => Some("PASSED"),
        Verdict::Override => Some("OVERRIDDEN"),
        Verdict::Skip => Some("SKIPPED"),
        Verdict::Fail | Verdict::Hold | Verdict::Run => None,
    };
    let recorded = decision.recorded.is_some().then_some("RECORDED");
    let proceeds = (decision.proceed == Some(true)).then_some("PROCEEDS");
    let all = std::iter::once("JUDGED").chain(held).chain(proceeds).chain(recorded);
    all.map(|property| format!("GATE_{gate}_{property}")).collect()
}

#[cfg(test)]
mod tests {
    use gate_model::decision::Verdict;
    use serde_json::json;

    use serde_json::Value;

    use super::{verification_result as statement, verification_summary};
    use crate::render::samples;

    /// What a statement (v1) and its two predicates (SVR v0.2, VSA v1) ask for.
    fn assert_valid(statement: &Value) {
        assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
        let subjects = statement["subject"].as_array().unwrap();
        assert!(!subjects.is_empty());
        let digested = |of: &Value| {
            of["digest"].as_object().is_some_and(|all| !all.is_empty() && all.values().all(Value::is_string))
        };
        for subject in subjects {
            assert!(
                digested(subject) && subject["name"].as_str().is_some_and(|name| !name.is_empty()),
                "{subject}"
            );
        }
        let predicate = &statement["predicate"];
        let is_uri = |uri: &Value| {
            uri.as_str().is_some_and(|uri| uri.contains(':') && !uri.contains(char::is_whitespace))
        };
        assert!(is_uri(&predicate["verifier"]["id"]));
        let words =
            |of: &Value| of.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(Value::is_string));
        match statement["predicateType"].as_str().unwrap() {
            "https://in-toto.io/attestation/svr/v0.2" => {
                assert!(
                    predicate["timeCreated"].as_str().unwrap().ends_with('Z')
                        && words(&predicate["properties"])
                );
                assert!(predicate["verifier"]["policies"].as_array().unwrap().iter().all(digested));
            }
            "https://slsa.dev/verification_summary/v1" => {
                assert!(
                    predicate["timeVerified"].as_str().unwrap().ends_with('Z')
                        && words(&predicate["verifiedLevels"])
                );
                assert!(is_uri(&predicate["resourceUri"]) && is_uri(&predicate["policy"]["uri"]));
                assert!(digested(&predicate["policy"]));
                assert!(["PASSED", "FAILED"].contains(&predicate["verificationResult"].as_str().unwrap()));
            }
            other => panic!("{other}"),
        }
    }

    #[test]
    fn every_statement_is_valid_whatever_was_judged() {
        for verdict in [Verdict::Pass, Verdict::Fail, Verdict::Skip, Verdict::Override, Verdict::Hold] {
            for decision in [samples::decision(verdict), samples::hostile_decision(verdict)] {
                assert_valid(&statement(&decision));
                assert_valid(&verification_summary(&decision));
            }
        }
    }

    #[test]
    fn a_statement_is_about_the_commit_and_says_only_what_holds() {
        let pass = statement(&samples::decision(Verdict::Pass));
        assert!(pass["subject"].as_array().unwrap().iter().any(|one| one["digest"]["gitCommit"].is_string()));
        let properties = pass["predicate"]["properties"].to_string();
        assert!(properties.contains("GATE_LINT_PASSED_WITH_WAIVERS"), "{properties}");
        assert!(pass["predicate"]["verifier"]["policies"][0]["digest"]["gate-blake3"].is_string());
        for verdict in [Verdict::Fail, Verdict::Hold] {
            let no = statement(&samples::decision(verdict))["predicate"]["properties"].to_string();
            assert!(!no.contains("PASSED") && !no.contains("PROCEEDS"), "{no}");
        }
    }

    #[test]
    fn a_summary_passes_only_what_ran_and_was_not_blocked() {
        let of = |verdict| verification_summary(&samples::decision(verdict));
        let pass = of(Verdict::Pass);
        assert_eq!(pass["predicateType"], "https://slsa.dev/verification_summary/v1");
        assert_eq!(pass["predicate"]["verificationResult"], "PASSED");
        let levels = pass["predicate"]["verifiedLevels"].as_array().unwrap();
        assert!(levels.contains(&json!("GATE_LINT_PASSED_WITH_WAIVERS")));
        assert!(levels.iter().all(|level| !level.as_str().unwrap().starts_with("SLSA_")), "{levels:?}");
        for member in ["/verifier/id", "/timeVerified", "/resourceUri", "/policy/uri", "/policy/digest"] {
            assert!(pass["predicate"].pointer(member).is_some(), "{member}");
        }
        for verdict in [Verdict::Fail, Verdict::Hold, Verdict::Skip, Verdict::Override] {
            let no = of(verdict);
            assert_eq!(no["predicate"]["verificationResult"], "FAILED", "{verdict:?}");
            assert_eq!(no["predicate"]["verifiedLevels"], json!(["FAILED"]), "{verdict:?}");
        }
    }

    #[test]
    fn a_resource_is_the_repository_at_its_commit_or_the_gate() {
        let mut decision = samples::decision(Verdict::Pass);
        decision.context.repository = Some("example.com/a b".into());
        decision.context.commit = Some("c0ffee".into());
        assert_eq!(super::resource(&decision), "git+https://example.com/a%20b@c0ffee");
        decision.context.repository = None;
        assert_eq!(super::resource(&decision), "urn:gate:gate:lint");
    }

    #[test]
    fn a_statement_always_has_a_subject() {
        let mut decision = samples::decision(Verdict::Pass);
        decision.context.commit = None;
        decision.report = None;
        decision.reports = Vec::new();
        assert_eq!(statement(&decision)["subject"].as_array().unwrap().len(), 1);
        decision.reports =
            vec![gate_model::decision::ReportPart { name: "a.xml".into(), digest: "b3:aa".into() }];
        decision.report = Some("b3:bb".into());
        let expected = json!([{"name": "a.xml", "digest": {"gate-blake3": "aa"}}]);
        assert_eq!(statement(&decision)["subject"], expected);
    }
}
