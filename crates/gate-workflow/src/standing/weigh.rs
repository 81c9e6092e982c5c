//! Whether a live grant counts here and now, and what speaks against it.
//!
//! What belongs to another place or time, what a command could have brought about itself, and what cannot be derived
//! again does not count. Invariant: a doubt never lets an opt-out count; only a pause holds in spite of one.

use gate_ledger::entry::{Entry, Kind};
use gate_ledger::store::{StoreError, View};
use gate_ledger::veil;
use gate_model::action::Action;
use gate_model::payload::GrantData;
use gate_model::principal::{Assurance, Principal};

use gate_judge::records;
use gate_judge::standing::excuses_itself;

use super::Question;
use crate::derivation;
use crate::policies::Policies;

/// Why a grant that is live does not count.
pub(super) struct Objection {
    pub(super) why: String,
    /// Whether it may count in another place or at another time.
    pub(super) elsewhere: bool,
}

/// Whether a live grant counts for the question: the risk that its rule accepts, if any, or what speaks against it.
pub(super) fn weigh(
    view: &View<'_>,
    policies: &mut Policies,
    question: &Question<'_>,
    (entry, data, by): (&Entry, &GrantData, &Principal),
    life: &[Entry],
) -> Result<Result<Option<String>, Objection>, StoreError> {
    if let Err(why) = here_and_now(question, entry, data, by) {
        return Ok(Err(Objection { why, elsewhere: true }));
    }
    if let Some(approval) = approved_meanwhile(question, life) {
        let why = format!("rests on approval {approval}, made while the command ran and without a signature");
        return Ok(Err(Objection { why, elsewhere: true }));
    }
    // What was erased cannot be derived again, so it does not count. A pause is the safe side: nobody lifts one by
    // erasing who made it.
    if veil::has_erased(entry.kind, &entry.actor, &entry.data) {
        let why = "rests on a name or a reason that was erased; ask again".to_owned();
        let is_pause = data.ask.action == Action::Pause;
        return Ok(if is_pause { Ok(None) } else { Err(Objection { why, elsewhere: false }) });
    }
    let here = (question.today, question.context);
    let derived = derivation::grant(view, policies, here, entry, data, by, life)?;
    Ok(derived
        .map(|derived| derived.accepted_risk)
        .map_err(|why| Objection { why: why.to_string(), elsewhere: false }))
}

/// The approval in a grant's life that the command could have given itself.
fn approved_meanwhile(question: &Question<'_>, life: &[Entry]) -> Option<u64> {
    let seen = question.seen?;
    let is_signed = |entry: &Entry| records::actor(entry).is_ok_and(|by| by.assurance == Assurance::Signed);
    life.iter()
        .find(|entry| entry.kind == Kind::Approval && entry.seq > seen.seq && !is_signed(entry))
        .map(|entry| entry.seq)
}

/// Whether the grant is for this time and this place, apart from whether it is right.
fn here_and_now(
    question: &Question<'_>,
    entry: &Entry,
    data: &GrantData,
    by: &Principal,
) -> Result<(), String> {
    if question.now < data.not_before {
        return Err(format!("counts from {} on", data.not_before));
    }
    // A command can read its job's token, or fetch one, and so act under the job's `oidc` identity as it can
    // under an asserted one. Only a signature shows that somebody else agreed.
    if let Some(seen) = question.seen
        && let Some(why) = excuses_itself(seen, records::id_of(entry), entry.seq, by, data.request.as_ref())
    {
        return Err(why.to_owned());
    }
    // A pause is the safe side: it holds even where the facts of the run contradict each other.
    if data.ask.action != Action::Pause
        && let Some(conflict) = question.context.conflicts.first()
    {
        return Err(format!("does not count, since the facts of this run contradict each other: {conflict}"));
    }
    gate_policy::scope_holds(data.ask.action, &data.ask.scope, question.context).map_err(|out| out.0)
}
