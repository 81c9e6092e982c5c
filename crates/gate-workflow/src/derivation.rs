//! Deriving a grant again: from its request, its approvals, its signatures and the rule that it names.
//!
//! The same derivation serves each use of a grant (under the policy of its moment and today's) and replay
//! (under the policy of its moment alone).

use std::ops::ControlFlow;

use gate_ledger::entry::Entry;
use gate_ledger::store::{StoreError, View};
use gate_model::action::Action;
use gate_model::context::Context;
use gate_model::grant::Owes;
use gate_model::payload::{GrantData, RequestData};
use gate_model::principal::Principal;
use gate_model::time::Timestamp;
use gate_policy::{Approvals, Petition, Policy, Rule, Trial};

use crate::approval;
use crate::moment::{Clock, Moment};
use crate::policies::{NoPolicy, Policies};
use crate::policy_source::Loaded;
use crate::records;
use crate::signatures::{self, Known, Unproven};

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
    if let Err(reason) = in_time(moment_of(view, entry)?, data) {
        return Ok(Err(Underivable::Terms(reason)));
    }
    if let Some(objection) = objection(view, policies, entry, data)? {
        return Ok(Err(Underivable::Then(objection)));
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

/// What spoke against the grant's signed request when it was admitted, as far as the document itself tells: that instant
/// is the grant's start, or the one from which its request waited.
fn objection(
    view: &View<'_>,
    policies: &mut Policies,
    entry: &Entry,
    data: &GrantData,
) -> Result<Option<String>, StoreError> {
    let Some(request) = &data.request else { return Ok(None) };
    let (digest, now) = match entry.reference {
        None => (data.policy.digest.clone(), data.not_before),
        Some(id) => match admitted(view, policies, id)? {
            Ok(found) => found,
            Err(why) => return Ok(Some(why)),
        },
    };
    let known = Known::read(view, request)?;
    Ok(signatures::objections(request, &entry.ledger, &known, &digest, now).into_iter().next())
}

/// Under which policy, and when, the request at `id` was admitted; the inner error says why that cannot be told.
fn admitted(
    view: &View<'_>,
    policies: &mut Policies,
    id: u64,
) -> Result<Result<(String, Timestamp), String>, StoreError> {
    let Some(entry) = view.entry(id)? else { return Ok(Err(format!("there is no request {id}"))) };
    let asked = match records::data::<RequestData>(&entry) {
        Ok(asked) => asked,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let then = match policies.get(view, &asked.policy.digest)? {
        Ok(then) => then,
        Err(reason) => return Ok(Err(reason.to_string())),
    };
    let gate = then.policy.gate(entry.gate.as_deref().unwrap_or_default()).ok();
    let rule = gate.and_then(|gate| gate.rule(asked.rule));
    let Some(approvals) = rule.and_then(|rule| rule.approvals.as_ref()) else {
        return Ok(Err(format!("request {id} waits under a rule that its policy does not have")));
    };
    let moment = moment_of(view, &entry)?;
    Ok(asked_at(moment, &asked, approvals).map(|now| (asked.policy.digest.clone(), now)))
}

/// How many entries before one can have been written by its transaction, with the entry that was newest before them.
const OF_ONE_TRANSACTION: u64 = 4;

/// When the verdict in `entry` was made, as far as the entries before it show.
fn moment_of(view: &View<'_>, entry: &Entry) -> Result<Moment, StoreError> {
    let mut clock = Clock::default();
    if let Some(last) = entry.seq.checked_sub(1) {
        let first = entry.seq.saturating_sub(OF_ONE_TRANSACTION);
        view.scan(first, Some(last), false, &mut |earlier: Entry| {
            let moment = clock.moment(earlier.kind, earlier.at);
            clock.pass(earlier.kind, earlier.at, moment);
            ControlFlow::Continue(())
        })?;
    }
    Ok(clock.moment(entry.kind, entry.at))
}

/// Whether the grant begins when it was made, and ends a time to live later.
///
/// # Errors
/// Why not.
pub(crate) fn in_time(moment: Moment, data: &GrantData) -> Result<(), String> {
    if !moment.allows(data.not_before) {
        return Err(format!("counts from {} on, and was made at {}", data.not_before, moment.latest));
    }
    if data.not_before.plus(data.ask.ttl.seconds) != Some(data.expires) {
        return Err("does not end a time to live after its start".to_owned());
    }
    Ok(())
}

/// The instant from which a request waits, which its end tells.
///
/// # Errors
/// Where that cannot have been the instant.
pub(crate) fn asked_at(
    moment: Moment,
    data: &RequestData,
    approvals: &Approvals,
) -> Result<Timestamp, String> {
    let now = data.lapses.minus(approvals.within);
    if moment.allows(now) && now.plus(approvals.within) == Some(data.lapses) {
        return Ok(now);
    }
    Err(format!("lapses at {}, not as rule {} says", data.lapses, data.rule))
}

/// Whether the grant owes the review that its rule asks for.
///
/// # Errors
/// Why not.
pub(crate) fn owes(data: &GrantData, rule: &Rule) -> Result<(), String> {
    let due = rule.review_within.and_then(|within| data.not_before.plus(within));
    let due = due.map(|by| Owes { what: "review".to_owned(), by });
    if due == data.owes {
        return Ok(());
    }
    Err(match due {
        Some(owes) => format!("owes a review by {}, and does not say so", owes.by),
        None => "says that it owes a review, and its rule asks for none".to_owned(),
    })
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
    owes(data, rule).map_err(Underivable::Terms)?;
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
