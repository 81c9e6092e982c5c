//! Deriving a grant again: from its request, its approvals, its signatures and the rule that it names.
//!
//! The same derivation serves each use of a grant (under the policy of its moment and today's) and replay
//! (under the policy of its moment alone).

use gate_ledger::entry::Entry;
use gate_ledger::store::{StoreError, View};
use gate_model::action::Action;
use gate_model::context::Context;
use gate_model::payload::GrantData;
use gate_model::principal::Principal;
use gate_policy::{Petition, Policy, Rule, Trial};

use crate::approval;
use crate::policies::{NoPolicy, Policies};
use crate::policy_source::Loaded;
use crate::records;
use crate::signatures::{self, Unproven};

/// A grant that was derived again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Derived {
    /// The risk that the rule accepts in so many words.
    pub accepted_risk: Option<String>,
}

/// Why a grant could not be derived again, as a sentence's end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Underivable {
    /// Its policy is missing or damaged.
    #[error("cannot be derived again: {0}")]
    Policy(#[from] NoPolicy),
    /// The policy that it names did not allow it.
    #[error("was not allowed by the policy it was admitted under: {0}")]
    Then(String),
    /// Today's policy does not allow it.
    #[error("is not allowed by today's policy: {0}")]
    Today(String),
    /// Its own terms do not fit what was asked for.
    #[error("has terms that do not fit what was asked for: {0}")]
    Terms(String),
    /// Its signed request was admitted before.
    #[error("rests on a signed request that entry {0} has used up")]
    Reused(u64),
    /// A signature does not hold.
    #[error("has a signature that does not hold: {0}")]
    Unproven(#[from] Unproven),
    /// Approvals are missing.
    #[error("lacks approvals: {0}")]
    Approvals(String),
}

/// Derives `entry` again under the policy of its admission and under today's, for a use in the context `here`.
///
/// # Errors
/// A failure of the store; the inner result says why the grant does not hold.
pub fn grant(
    view: &View<'_>,
    policies: &mut Policies,
    here: (&Loaded, &Context),
    entry: &Entry,
    data: &GrantData,
    by: &Principal,
    life: &[Entry],
) -> Result<Result<Derived, Underivable>, StoreError> {
    let (today, context) = here;
    let then = match policies.get(view, &data.policy.digest)? {
        Ok(then) => then,
        Err(reason) => return Ok(Err(reason.into())),
    };
    let gate = entry.gate.as_deref().unwrap_or_default();
    if let Err(reason) = terms(&then.policy, gate, data, by, context) {
        return Ok(Err(reason));
    }
    let signers = [then.data.files.as_slice(), today.files.as_slice()];
    for (policy, files) in [&then.policy, &today.policy].into_iter().zip(signers) {
        if let Err(reason) = signatures::requester(view, policy, files, entry, data.request.as_ref(), by)? {
            return Ok(Err(reason.into()));
        }
    }
    if let Some(earlier) = admitted_before(view, entry, data)? {
        return Ok(Err(Underivable::Reused(earlier)));
    }
    if let Err(reason) = approval::suffice(view, &then, entry, data, by, life)? {
        return Ok(Err(Underivable::Approvals(reason)));
    }
    Ok(allowed_today(&today.policy, gate, data, by, context))
}

/// The entry that used up the nonce of the grant's signed request before the grant, its own request aside: what is
/// signed once is granted once, and a copy of its grant is none.
fn admitted_before(view: &View<'_>, entry: &Entry, data: &GrantData) -> Result<Option<u64>, StoreError> {
    let Some(request) = &data.request else { return Ok(None) };
    let holders = view.with_nonce(&request.nonce)?;
    let is_earlier = |holder: &&Entry| {
        holder.seq < entry.seq && Some(holder.seq) != entry.reference && records::takes_nonce(holder)
    };
    Ok(holders.iter().find(is_earlier).map(|holder| holder.seq))
}

/// Whether the rule that the grant names allowed these very terms.
///
/// # Errors
/// Why not.
pub fn terms(
    then: &Policy,
    gate: &str,
    data: &GrantData,
    by: &Principal,
    here: &Context,
) -> Result<(), Underivable> {
    let rule = permitted(then, gate, data, by, Some(data.rule), here).map_err(Underivable::Then)?;
    if data.not_before.plus(data.ask.ttl.seconds) != Some(data.expires) {
        return Err(Underivable::Terms("it does not end a ttl after its start".to_owned()));
    }
    match (rule.max_uses, data.ask.max_uses) {
        (Some(max), Some(uses)) if uses > max => {
            Err(Underivable::Terms(format!("{uses} uses, and the rule allows {max}")))
        }
        // A pause ends by its time and is not used up, so a rule's limit of uses does not reach it.
        (Some(_), None) if data.ask.action == Action::Pause => Ok(()),
        (Some(max), None) => Err(Underivable::Terms(format!("no limit of uses, and the rule allows {max}"))),
        _ => Ok(()),
    }
}

/// Whether some rule of today's policy allows the grant to be used in the context `here`.
///
/// # Errors
/// Why not.
pub fn allowed_today(
    today: &Policy,
    gate: &str,
    data: &GrantData,
    by: &Principal,
    here: &Context,
) -> Result<Derived, Underivable> {
    let rule = permitted(today, gate, data, by, None, here).map_err(Underivable::Today)?;
    Ok(Derived { accepted_risk: rule.i_accept.clone() })
}

fn permitted<'p>(
    policy: &'p Policy,
    gate: &str,
    data: &GrantData,
    by: &Principal,
    rule: Option<u64>,
    here: &Context,
) -> Result<&'p Rule, String> {
    let petition = Petition { gate, ask: &data.ask, by, context: &data.context };
    let found = gate_policy::allows_use(policy, &petition, rule, here);
    found.map(|(rule, _)| rule).map_err(|trials| in_words(&trials))
}

/// Trials as one clause.
pub fn in_words(trials: &[Trial]) -> String {
    trials.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
