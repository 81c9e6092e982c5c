//! Deriving a grant again at its use, from what the ledger holds: see [`gate_judge::derivation`].

use gate_judge::approvals::{Given, suffice};
use gate_judge::derivation::{
    Backing, Derived, Underivable, allowed_today, at_once, earned, in_time, terms, waits,
};
use gate_judge::moment::{Clock, Moment};
use gate_judge::policy_text::Loaded;
use gate_judge::records;
use gate_judge::repository::Whose;
use gate_judge::signatures::{self, Known};
use gate_ledger::entry::Entry;
use gate_ledger::store::{StoreError, View};
use gate_model::context::Context;
use gate_model::payload::{GrantData, RequestData};
use gate_model::principal::Principal;
use gate_model::time::Timestamp;
use gate_policy::Rule;

use crate::history::StoredPast;
use crate::policies::Policies;

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
    let is_same = then.data.digest == today.used.digest;
    let at_once = if is_same { at_once(&today.policy, gate, data, by, context) } else { None };
    let told = || terms(&then.policy, gate, data, by, context);
    let terms = match at_once.as_ref().map_or_else(told, |derived| Ok(derived.terms)) {
        Ok(terms) => terms,
        Err(reason) => return Ok(Err(reason)),
    };
    let past = StoredPast::new(view, today.trust(), &today.used.digest, gate, data.not_before)
        .within(Whose::of_grant(data))
        .before(entry.seq);
    let known = data.request.as_ref().map(|request| Known::of(&past, request)).unwrap_or_default();
    // The digest is over the keys, too: where it is one policy, a signature that holds by it holds.
    for trust in [then.trust(), today.trust()].into_iter().take(if is_same { 1 } else { 2 }) {
        if let Err(reason) = signatures::requester(&known, trust, entry, data.request.as_ref(), by) {
            return past.settled().map(|_| Err(reason.into()));
        }
    }
    past.sound()?;
    if let Err(reason) = in_time(moment_of(view, policies, entry)?, data) {
        return Ok(Err(Underivable::Terms(reason)));
    }
    if let Some(objection) = objection(view, policies, (entry, data), &known)? {
        return Ok(Err(Underivable::Then(objection)));
    }
    if let Some(earlier) = admitted_before(view, entry, data)? {
        return Ok(Err(Underivable::Reused(earlier)));
    }
    let request = entry.reference.map(|seq| view.entry(seq)).transpose()?.flatten();
    if let Err(reason) = suffice(&then, entry, data, by, request.as_ref(), life) {
        return Ok(Err(Underivable::Approvals(reason)));
    }
    if let Some(derived) = at_once {
        return Ok(Ok(derived));
    }
    let given = Given { requester: by, request: request.as_ref(), life, granted: entry.seq };
    let backing = Backing { given, past: &past };
    let has = |rule: &Rule| if is_same { Ok(()) } else { earned(today.trust(), rule, data, by, &backing) };
    let derived = allowed_today(&today.policy, gate, data, by, context, terms, &has);
    past.settled().map(|_| derived)
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
    (entry, data): (&Entry, &GrantData),
    known: &Known,
) -> Result<Option<String>, StoreError> {
    let Some(request) = &data.request else { return Ok(None) };
    let (digest, now) = match entry.reference {
        None => (data.policy.digest.clone(), data.not_before),
        Some(id) => match admitted(view, policies, id)? {
            Ok(found) => found,
            Err(why) => return Ok(Some(why)),
        },
    };
    Ok(signatures::objections(request, &entry.ledger, known, &digest, now).into_iter().next())
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
    let moment = moment_of(view, policies, &entry)?;
    Ok(waits(moment, &asked, approvals).map(|()| (asked.policy.digest.clone(), asked.judged_at)))
}

/// How many entries before one can have been written by its transaction, with the entry that was newest before them.
const OF_ONE_TRANSACTION: u64 = 4;

/// When the verdict in `entry` was made, as far as the entries before it show.
fn moment_of(view: &View<'_>, policies: &mut Policies, entry: &Entry) -> Result<Moment, StoreError> {
    let mut clock = Clock::default();
    if let Some(last) = entry.seq.checked_sub(1) {
        let first = entry.seq.saturating_sub(OF_ONE_TRANSACTION);
        for (kind, at) in policies.times(view, first, last)? {
            let moment = clock.moment(kind, at);
            clock.pass(kind, at, moment);
        }
    }
    Ok(clock.moment(entry.kind, entry.at))
}
