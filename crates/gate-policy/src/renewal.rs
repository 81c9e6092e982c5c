//! Renewing an opt-out: what must be true of the one that is renewed.
//!
//! A renewal is a request like any other: who, for how long, with whose approval and within which quota, the rules of
//! its own moment say. It asks for what was granted before, and takes its place; nothing of the time that was left is
//! added. Which renewal in a row it is stands in the request, so that a rule can bound it wherever a grant is derived
//! again; here is said, once, what the ledger must know for that to be true.

use gate_model::payload::Ask;
use gate_model::principal::Principal;
use gate_model::request::Renews;
use gate_model::text::visible;
use gate_model::time::Timestamp;

use crate::admission::{AuthorizationRequest, Past};
use crate::person::is_same_person;
use crate::policy::Policy;

/// An opt-out that was granted, as far as a renewal asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewable {
    /// The entry hash of its grant (`b3:…`).
    pub grant: String,
    /// What was granted.
    pub ask: Ask,
    /// Who asked for it.
    pub by: Principal,
    /// When it ends.
    pub expires: Timestamp,
    /// The entry that ended it before that.
    pub ended: Option<u64>,
}

impl Renewable {
    /// What a request says that renews it; `id` is its ID.
    pub fn renews(&self, id: u64) -> Renews {
        Renews::of(id, self.grant.clone(), self.ask.renews.as_ref())
    }
}

/// How many seconds are left of what the request renews, if it may; nothing where it renews nothing.
///
/// # Errors
/// Why it cannot be renewed.
pub(crate) fn seconds_left(
    policy: &Policy,
    authorization: &AuthorizationRequest<'_>,
    past: &dyn Past,
) -> Result<Option<u64>, String> {
    let Some(renews) = &authorization.ask.renews else { return Ok(None) };
    let why = |why: String| format!("opt-out {} cannot be renewed: {why}; ask anew instead", renews.id);
    let known = past.granted(renews.id);
    let renewed =
        known.ok_or_else(|| why(format!("gate '{}' has granted none of that ID", authorization.gate)))?;
    speaks_against(policy, authorization, renews, &renewed).map_or(Ok(()), |text| Err(why(text)))?;
    let left = renewed.expires.seconds_since(past.now());
    match u64::try_from(left).ok().filter(|_| renewed.expires > past.now()) {
        Some(left) => Ok(Some(left)),
        None => Err(why(format!("it ended at {}", renewed.expires.to_second()))),
    }
}

fn speaks_against(
    policy: &Policy,
    authorization: &AuthorizationRequest<'_>,
    renews: &Renews,
    renewed: &Renewable,
) -> Option<String> {
    let AuthorizationRequest { ask, by, .. } = authorization;
    let terms = |ask: &Ask| (ask.action, ask.max_uses, ask.break_glass);
    let same_terms = terms(ask) == terms(&renewed.ask)
        && (&ask.scope, &ask.findings) == (&renewed.ask.scope, &renewed.ask.findings);
    let true_to = renewed.renews(renews.id);
    if let Some(end) = renewed.ended {
        return Some(format!("entry {end} ended it"));
    }
    if !is_same_person(policy, by, &renewed.by) {
        return Some(format!("it is {}'s, and only they can", visible(&renewed.by.id)));
    }
    if renews.grant != true_to.grant {
        return Some("the request means another grant".to_owned());
    }
    if renews.number != true_to.number {
        return Some(format!("this would be renewal {} in a row, not {}", true_to.number, renews.number));
    }
    (!same_terms)
        .then(|| "a renewal keeps action, scope, findings and uses, and this asks for others".to_owned())
}

/// Whether a renewal that waited can be granted still. Asked when the last approval comes in.
///
/// # Errors
/// The sentence for the denial.
pub fn renewal_allows(
    policy: &Policy,
    authorization: &AuthorizationRequest<'_>,
    past: &dyn Past,
) -> Result<(), String> {
    seconds_left(policy, authorization, past).map(drop)
}
