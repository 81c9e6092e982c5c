//! `gate.toml`, and the globs over refs in it.

use gate_model::time::MAX_SECONDS;
use gate_policy::{Diagnostic, MAX_BYTES, Policy, RefGlob, Severity, lint, parse, parse_bytes, run_tests};

use super::{assert_message, text};

/// A policy that parses is bounded in everything and is left alone by a comment; one that does not says where.
pub fn policy(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match parse_bytes(data) {
        Ok(policy) => {
            for found in lint(&policy) {
                assert_placed(&found, &text);
            }
            assert_eq!(run_tests(&policy).len(), policy.tests.len());
            assert_bounded(&policy);
            assert_commented(&policy, &text);
        }
        Err(found) => {
            assert!(found.iter().any(|one| one.severity == Severity::Error), "refused without an error");
            for one in found {
                assert_placed(&one, &text);
            }
        }
    }
}

/// No rule grants for ever, and none without somebody and something.
fn assert_bounded(policy: &Policy) {
    for rule in policy.gates.values().flat_map(|gate| &gate.allow) {
        assert!((1..=MAX_SECONDS).contains(&rule.max_ttl), "{rule:?}");
        assert!(!rule.actions.is_empty() && !rule.who.is_empty(), "{rule:?}");
        assert!(!rule.break_glass || rule.review_within.is_some(), "a break-glass rule that owes nothing");
    }
}

/// A comment behind a policy changes nothing of what it says.
fn assert_commented(policy: &Policy, text: &str) {
    let commented = format!("{text}\n# the end\n");
    match parse(&commented) {
        Ok(again) => {
            assert_eq!((&again.gates, &again.groups), (&policy.gates, &policy.groups));
            assert_eq!((&again.owners, &again.ledger), (&policy.owners, &policy.ledger));
        }
        Err(_) => assert!(commented.len() > MAX_BYTES, "a comment made the policy unreadable"),
    }
}

fn assert_placed(found: &Diagnostic, text: &str) {
    assert_message(found);
    assert!(found.line >= 1 && found.column >= 1, "{found:?}");
    assert!(found.line <= text.split('\n').count(), "{found:?}");
}

/// Three lines, two globs and a name: a glob that contains another matches all that the other matches.
pub fn ref_glob(data: &[u8]) {
    let Some(lines) = text(data).map(|text| text.split('\n').collect::<Vec<_>>()) else { return };
    let [outer, inner, name] = lines[..] else { return };
    match (RefGlob::new(outer), RefGlob::new(inner)) {
        (Ok(outer), Ok(inner)) => {
            let reaches = outer.contains(&inner) && inner.is_match(name);
            assert!(!reaches || outer.is_match(name), "{outer} contains {inner}, which matches {name}");
            assert!(outer.contains(&outer) || outer.as_str().contains(['*', '?', '[', '{', '\\']));
        }
        (Err(error), _) | (_, Err(error)) => assert!(!error.to_string().is_empty()),
    }
}
