//! A CI token beside CI's variables: what the token states is known, and what the variables state otherwise
//! is a contradiction, which no opt-out survives.

use gate_checkout::facts::Facts;
use gate_identity::oidc::{self, Claims, Issuer, OidcError};
use gate_model::context::Context;
use gate_model::principal::Assurance;
use gate_model::time::Timestamp;

use crate::policy_source::Loaded;
use crate::setting::TOKEN_VARIABLE;

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

/// The facts with what `token` proves. One that does not hold proves nothing: the facts stay what they would be
/// without it, asserted, and [`Facts::notes`] says why. So it can neither open a gate nor stop a command that passes,
/// and a key that an issuer retired breaks no pipeline that needs no proof.
pub fn prove(facts: Facts, token: &str, loaded: &Loaded, now: Timestamp) -> Facts {
    match claims(token, loaded, now) {
        Ok(claims) => {
            let context = merged(facts.context.clone(), claims.context());
            Facts { principal: claims.principal, context, ..facts }
        }
        Err(error) => {
            let mut notes = facts.notes;
            notes.push(format!(
                "the token in {TOKEN_VARIABLE} does not count, so this run is only asserted: {error}"
            ));
            Facts { notes, ..facts }
        }
    }
}

fn claims(token: &str, loaded: &Loaded, now: Timestamp) -> Result<Claims, TokenError> {
    let mut issuers = Vec::new();
    for issuer in &loaded.policy.identity.oidc {
        let keys = loaded.files.iter().find(|file| file.path == issuer.jwks);
        issuers.push(Issuer {
            issuer: &issuer.issuer,
            audience: &issuer.audience,
            jwks_text: keys.map_or("", |keys| &keys.text),
            claims: &issuer.claims,
        });
    }
    if issuers.is_empty() {
        return Err(TokenError::NoIssuer);
    }
    Ok(oidc::verify(token, &issuers, now)?)
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
