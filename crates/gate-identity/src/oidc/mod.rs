//! CI tokens: OIDC ID tokens of GitHub Actions, GitLab CI and others, verified offline against pinned keys.
//!
//! Purpose: turn a token into a principal of assurance `oidc` and the facts that its issuer vouches for.
//!
//! Invariants: the issuer's keys come from the policy, never from the token or the network; the pinned key
//! decides the algorithm; a token counts for one issuer, one audience and a bounded time; no error and no
//! answer holds the token. Pure: the caller gives the clock.
//!
//! Non-goals: fetching keys or tokens, and access tokens.
//!
//! The signature is checked with `ring` directly. The crate `jsonwebtoken` would add nothing to that: its
//! checks of times read the system's clock, duplicate members pass it, and without a backend it needs a
//! process-wide provider of our own around the same calls of `ring`, and panics where that is missing.

mod algorithm;
mod error;
mod json;
mod jwks;
mod members;
mod provider;
mod token;

use std::collections::BTreeMap;

use gate_model::context::{Context, Run};
use gate_model::issuer::Mapping;
use gate_model::principal::{Assurance, Principal};
use gate_model::time::Timestamp;
use serde_json::Value;

pub use error::OidcError;
pub use jwks::JwksError;
pub use token::MAX_TOKEN;

use jwks::KeySet;
use members::{Members, wrong_type};
use token::Token;

/// By how many seconds the issuer's clock and ours may differ.
pub const MAX_SKEW: i64 = 60;

/// How many seconds a token may be made to live: a day, longer than the jobs that GitHub and GitLab run.
pub const MAX_LIFETIME: i64 = 86_400;

/// An issuer whose tokens count, as the policy writes it.
#[derive(Debug, Clone, Copy)]
pub struct Issuer<'a> {
    /// The token's `iss`, byte for byte.
    pub issuer: &'a str,
    /// What the token's `aud` must be or hold.
    pub audience: &'a str,
    /// The issuer's JSON Web Key Set.
    pub jwks_text: &'a str,
    /// Claims that a token must have, each with exactly one of these values; numbers and booleans as JSON writes
    /// them. A name that begins with `/` is a JSON pointer (RFC 6901) into the claims.
    pub claims: &'a BTreeMap<String, Vec<String>>,
    /// How its claims are read; nothing: as its address says, or as the claims' names say.
    pub map: Option<&'a Mapping>,
}

/// What a verified token says. Nothing here is the token, or could be used as one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Claims {
    /// The issuer, as pinned.
    pub issuer: String,
    /// The token's `sub`.
    pub subject: String,
    /// Who acts: `github:<actor>`, `gitlab:<user_login>`, or a workload such as `azure:<sub>`; of assurance `oidc`.
    pub principal: Principal,
    /// The account that started the run.
    pub actor: String,
    /// The repository as `host/path`.
    pub repository: Option<String>,
    /// The ref's full name; of a change its own ref. `None` where the token names a branch that is not the run's:
    /// the source of a merge request, or the target of what a change started.
    pub git_ref: Option<String>,
    /// The number of the change that the run is for.
    pub change: Option<String>,
    /// Whether the run is for a change, whether or not its number is known: then no branch is the run's.
    pub of_change: bool,
    /// The branch that a merge request wants to merge. Only ever compared.
    pub source_branch: Option<String>,
    /// The commit's object id: GitHub's `sha`, which is the merge that CI made for a pull request.
    pub commit: Option<String>,
    /// The deployment environment.
    pub environment: Option<String>,
    /// The pipeline run: GitHub's `run_id`, GitLab's `pipeline_id`.
    pub run: Option<Run>,
    /// GitHub's `job_workflow_ref`, GitLab's `job_id`.
    pub job: Option<String>,
    /// What started the run: GitHub's `event_name`, GitLab's `pipeline_source`.
    pub event: Option<String>,
    /// The token's `jti`, unique to it.
    pub token_id: Option<String>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends (exclusive, without the skew).
    pub expires: Timestamp,
}

impl Claims {
    /// The facts that the token vouches for.
    pub fn context(&self) -> Context {
        Context {
            provider: Some(self.principal.via.clone()),
            repository: self.repository.clone(),
            git_ref: self.git_ref.clone(),
            commit: self.commit.clone(),
            change: self.change.clone(),
            environment: self.environment.clone(),
            run: self.run.clone(),
            assurance: Some(Assurance::Oidc),
            ..Context::default()
        }
    }
}

/// Reads an issuer's JSON Web Key Set as [`verify`] would, and counts the keys in it that a token can name.
///
/// # Errors
/// What is wrong with the key set: no token of its issuer would count.
pub fn count_keys(jwks_text: &str) -> Result<usize, JwksError> {
    KeySet::parse(jwks_text).map(|keys| keys.len())
}

/// Verifies a token against the pinned issuers at the instant `now`.
///
/// Where several entries pin the token's issuer (for several audiences, say), one that holds is enough.
///
/// # Errors
/// The first thing that is wrong, in the order form, algorithm, issuer, key, signature, audience, times,
/// required claims, provider; where several entries pin the issuer, the first entry's.
pub fn verify(token: &str, issuers: &[Issuer<'_>], now: Timestamp) -> Result<Claims, OidcError> {
    let token = Token::parse(token)?;
    let named = Members { part: "claims", object: &token.claims }.required_text("iss")?;
    let mut refusal = None;
    for issuer in issuers.iter().filter(|issuer| issuer.issuer == named) {
        match verify_for(&token, issuer, now) {
            Ok(claims) => return Ok(claims),
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    Err(refusal.unwrap_or_else(|| OidcError::Issuer(inert(named))))
}

fn verify_for(token: &Token<'_>, issuer: &Issuer<'_>, now: Timestamp) -> Result<Claims, OidcError> {
    let keys = KeySet::parse(issuer.jwks_text)
        .map_err(|source| OidcError::Jwks { issuer: issuer.issuer.to_owned(), source })?;
    let unknown = || OidcError::UnknownKey { key: inert(&token.kid), issuer: issuer.issuer.to_owned() };
    let key = keys.find(&token.kid).ok_or_else(unknown)?;
    token.algorithm.verify(key, token.signed, &token.signature)?;
    // From here on the claims are the issuer's own words.
    let claims = Members { part: "claims", object: &token.claims };
    check_audience(&claims, issuer.audience)?;
    check_times(&claims, now)?;
    check_required(&claims, issuer.claims)?;
    provider::read(issuer, &claims)
}

/// `aud` is one name or a list of them (RFC 7519 section 4.1.3).
fn check_audience(claims: &Members<'_>, wanted: &str) -> Result<(), OidcError> {
    let is_wanted = |value: &Value| value.as_str() == Some(wanted);
    let meant = match claims.object.get("aud") {
        None => return Err(OidcError::Missing { part: "claims", name: "aud".to_owned() }),
        Some(one @ Value::String(_)) => is_wanted(one),
        Some(Value::Array(several)) if several.iter().all(Value::is_string) => several.iter().any(is_wanted),
        Some(_) => return Err(wrong_type("aud", "text or a list of texts")),
    };
    if meant { Ok(()) } else { Err(OidcError::Audience(wanted.to_owned())) }
}

/// `nbf - skew <= now < exp + skew`, the same for `iat`, and a bounded life.
fn check_times(claims: &Members<'_>, now: Timestamp) -> Result<(), OidcError> {
    const SKEW_MICROS: i64 = MAX_SKEW * 1_000_000;
    let issued = claims.required_instant("iat")?;
    let expires = claims.required_instant("exp")?;
    for (claim, at) in [("iat", Some(issued)), ("nbf", claims.instant("nbf")?)] {
        if let Some(at) = at.filter(|at| at.micros() > now.micros().saturating_add(SKEW_MICROS)) {
            return Err(OidcError::Future { claim, at: at.to_string() });
        }
    }
    if now.micros() >= expires.micros().saturating_add(SKEW_MICROS) {
        return Err(OidcError::Expired(expires.to_string()));
    }
    let lifetime = expires.seconds_since(issued);
    if (1..=MAX_LIFETIME).contains(&lifetime) { Ok(()) } else { Err(OidcError::Lifetime(lifetime)) }
}

fn check_required(claims: &Members<'_>, required: &BTreeMap<String, Vec<String>>) -> Result<(), OidcError> {
    for (claim, wanted) in required {
        let found = match claims.find(claim) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Some(value.to_string()),
            _ => None,
        };
        if !found.as_ref().is_some_and(|found| wanted.contains(found)) {
            let found = found.map_or_else(|| "absent".to_owned(), |found| format!("'{}'", inert(&found)));
            return Err(OidcError::Required { claim: claim.clone(), wanted: wanted.join("' or '"), found });
        }
    }
    Ok(())
}

/// Text from a token: cut to 128 characters and inert on a terminal.
fn inert(text: &str) -> String {
    gate_model::text::visible(&text.chars().take(128).collect::<String>())
}
