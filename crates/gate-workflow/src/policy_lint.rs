//! What is odd about a policy together with the keys that it trusts.
//!
//! The linter of gate-policy sees the text alone; here it learns who could sign what. Keys are not dated: a policy
//! is checked without a clock, and a key that is valid only later is no mistake.

use gate_identity::ssh::Namespace;
use gate_identity::ssh::allowed_signers::{AllowedSigners, Naming};
use gate_policy::{Diagnostic, Signing};

use crate::policy_source::Loaded;
use crate::signatures::{self, Unproven};

/// The findings about a policy and its keys, in the order of their places.
pub fn lint(loaded: &Loaded) -> Vec<Diagnostic> {
    let mut found = gate_policy::lint(&loaded.policy);
    match signatures::trusted_signers(&loaded.policy, &loaded.files) {
        Ok(signers) => {
            let could = |name: &str, signing| could_sign(&signers, name, signing);
            found.extend(gate_policy::lint_keys(&loaded.policy, &could));
        }
        // Where no file of keys is named nobody signs, and the linter of the text says so.
        Err(Unproven::NoSigners) => {}
        Err(malformed) => {
            let error = Diagnostic::error(&loaded.text, 0..0, "malformed-signers", malformed.to_string());
            found.push(error.help("mend the file: as it is, no signature counts"));
        }
    }
    found.sort_by_key(|diagnostic| diagnostic.span.start);
    found
}

/// A requester may be known by a pattern; whoever approves, reviews or owns may not.
fn could_sign(signers: &AllowedSigners, name: &str, signing: Signing) -> bool {
    let namespace = match signing {
        Signing::Request => Namespace::Request,
        Signing::Approval => Namespace::Approval,
        Signing::Review => Namespace::Review,
        Signing::Policy => Namespace::Policy,
    };
    match signers.naming(name, namespace) {
        Some(Naming::Literal) => true,
        Some(Naming::Pattern) => signing == Signing::Request,
        None => false,
    }
}
