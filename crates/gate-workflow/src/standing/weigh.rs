//! Whether a live grant counts here and now, and what speaks against it.
//!
//! What belongs to another place or time, what a command could have brought about itself, and what cannot be derived
//! again does not count. Invariant: a doubt never lets an opt-out count; only a pause holds in spite of one.

use gate_ledger::entry::{Entry, Kind};
use gate_ledger::redaction;
use gate_ledger::store::{StoreError, View};
use gate_model::action::Action;
use gate_model::payload::GrantData;
use gate_model::principal::Principal;

use gate_judge::derivation::Derived;
use gate_judge::records;
use gate_judge::standing::{Approved, Held, Run, applies};

use super::Question;
use crate::derivation;
use crate::policies::Policies;

/// Why a grant that is live does not count.
pub(super) struct Objection {
    pub(super) why: String,
    /// Whether it may count in another place or at another time.
    pub(super) elsewhere: bool,
}

/// Whether a live grant counts for the question: what its rules say of it, or what speaks against it.
pub(super) fn weigh(
    view: &View<'_>,
    policies: &mut Policies,
    question: &Question<'_>,
    (entry, data, by): (&Entry, &GrantData, &Principal),
    life: &[Entry],
) -> Result<Result<Derived, Objection>, StoreError> {
    let approvals = life.iter().filter(|entry| entry.kind == Kind::Approval);
    let approvals: Vec<Approved> = approvals.map(Approved::of).collect();
    let held = Held { id: records::id_of(entry), seq: entry.seq, data, by, approvals: &approvals };
    let run = Run { context: question.context, now: question.now, since: question.seen };
    if let Err(why) = applies(&held, &run) {
        return Ok(Err(Objection { why, elsewhere: true }));
    }
    // What was erased cannot be derived again, so it does not count. A pause is the safe side: nobody lifts one by
    // erasing who made it.
    let may_lack = by.is_erased() || redaction::may_hold(&entry.body);
    if may_lack && redaction::has_erased(entry.kind, &entry.actor, &entry.data) {
        let why = "rests on a name or a reason that was erased; ask again".to_owned();
        let is_pause = data.ask.action == Action::Pause;
        return Ok(if is_pause { Ok(Derived::default()) } else { Err(Objection { why, elsewhere: false }) });
    }
    let here = (question.today, question.context);
    let derived = derivation::grant(view, policies, here, entry, data, by, life)?;
    Ok(derived.map_err(|why| Objection { why: why.to_string(), elsewhere: false }))
}
