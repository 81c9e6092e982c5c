//! What is odd about a policy together with the keys that it trusts.
//!
//! The linter of gate-policy sees the text alone; here it learns who could sign what, and whether the issuers' keys can be read. Keys are not dated: a policy
//! is checked without a clock, and a key that is valid only later is no mistake.

use gate_identity::oidc;
use gate_identity::ssh::Namespace;
use gate_identity::ssh::allowed_signers::{AllowedSigners, Naming};
use gate_model::time::Timestamp;
use gate_policy::{Diagnostic, Signing};

use crate::policy_text::Loaded;
use crate::signatures::{self, Unproven};

/// The findings about a policy and its keys as they stand at `now`, in the order of their places.
pub fn lint(loaded: &Loaded, now: Timestamp) -> Vec<Diagnostic> {
    let mut found = gate_policy::lint(&loaded.policy);
    found.extend(gate_policy::lint_trials(&loaded.policy, now));
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
    found.extend(malformed_key_sets(loaded));
    found.sort_by_key(|diagnostic| diagnostic.span.start);
    found
}

/// The issuers whose file of keys cannot verify any token, each file once.
fn malformed_key_sets(loaded: &Loaded) -> Vec<Diagnostic> {
    let is_named = |path: &str| loaded.policy.identity.oidc.iter().any(|issuer| issuer.jwks == path);
    let files = loaded.files.iter().filter(|file| is_named(&file.path));
    let problem = |text: &str| match oidc::count_keys(text) {
        Ok(0) => Some("it holds no signing key with an id of a kind that is known".to_owned()),
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    };
    let wrong = files.filter_map(|file| Some((&file.path, problem(&file.text)?)));
    let told = wrong.map(|(path, problem)| {
        let message = format!("the key set '{path}' cannot be used: {problem}");
        let place = place_of(&loaded.text, path);
        Diagnostic::error(&loaded.text, place, "malformed-key-set", message)
            .help("save the issuer's JWKS document there as it is published: as it is, no token counts")
    });
    told.collect()
}

/// Where the policy names the file, as far as it is written there as it reads.
fn place_of(text: &str, path: &str) -> std::ops::Range<usize> {
    let quoted = ['"', '\''].iter().find_map(|quote| text.find(&format!("{quote}{path}{quote}")));
    quoted.map_or(0..0, |start| start..start + path.len() + 2)
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
