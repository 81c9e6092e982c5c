//! A CI token beside CI's variables: what the token states is known, and what the variables state otherwise
//! is a contradiction, which no opt-out survives.

use gate_checkout::facts::Facts;
use gate_identity::oidc::{self, Issuer, OidcError};
use gate_model::context::Context;
use gate_model::principal::Assurance;
use gate_model::time::Timestamp;

use crate::policy_source::Loaded;

/// Why a token does not count.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It does not hold.
    #[error(transparent)]
    Oidc(#[from] OidcError),
    /// The policy trusts no issuer.
    #[error("the policy names no issuer ([[identity.oidc]])")]
    NoIssuer,
}

/// The facts with what `token` proves.
///
/// # Errors
/// A [`TokenError`]: a token that is there and does not hold is never passed over.
pub fn prove(facts: Facts, token: &str, loaded: &Loaded, now: Timestamp) -> Result<Facts, TokenError> {
    let issuers: Vec<Issuer<'_>> = loaded
        .policy
        .identity
        .oidc
        .iter()
        .filter_map(|issuer| {
            let keys = loaded.files.iter().find(|file| file.path == issuer.jwks)?;
            Some(Issuer {
                issuer: &issuer.issuer,
                audience: &issuer.audience,
                jwks_text: &keys.text,
                claims: &issuer.claims,
            })
        })
        .collect();
    if issuers.is_empty() {
        return Err(TokenError::NoIssuer);
    }
    let claims = oidc::verify(token, &issuers, now)?;
    let context = merged(facts.context.clone(), claims.context());
    Ok(Facts { principal: claims.principal, context, ..facts })
}

/// What the token states replaces what was asserted; where both speak and differ, that is a conflict.
fn merged(asserted: Context, proven: Context) -> Context {
    let mut conflicts = asserted.conflicts.clone();
    let mut settle = |what: &str, said: Option<String>, proven: Option<String>| match (said, proven) {
        (Some(said), Some(proven)) => {
            if said != proven {
                conflicts.push(format!(
                    "the variables say that the {what} is {said}, and the token says {proven}"
                ));
            }
            Some(proven)
        }
        // What only a variable states stays out of a context that claims to be proven.
        (_, proven) => proven,
    };
    let repository = settle("repository", asserted.repository, proven.repository);
    let git_ref = settle("ref", asserted.git_ref, proven.git_ref);
    let environment = settle("environment", asserted.environment, proven.environment);
    // A token names the commit that CI checked out; behind a pull request's merge, the request's own counts.
    let checked_out = asserted.merge.clone().or_else(|| asserted.commit.clone());
    let stated = settle("commit", checked_out, proven.commit);
    Context {
        provider: proven.provider,
        repository,
        git_ref,
        commit: asserted.commit.or(stated),
        merge: asserted.merge,
        environment,
        run: proven.run.or(asserted.run),
        dirty: asserted.dirty,
        assurance: Some(Assurance::Oidc),
        conflicts,
    }
}
