//! Whether what would end an opt-out before its time may do so.
//!
//! For a skip, an override and a waiver the safe side is that it ends, so that whatever stands in its life as an end is
//! one. For a pause the safe side is that it holds: somebody who can write the ledger, and nothing else, must not be
//! able to let a gate go on. So an end of a pause is derived at each use as its grant is: the policy of its own moment
//! and today's let this person end it, and where they signed, their signature holds. One that does not derive ends
//! nothing, and the decision says so.
//!
//! Not here: finding an end in a store, which gate-workflow does.

use gate_ledger::entry::{Entry, EntryHash, Kind};
use gate_ledger::redaction;
use gate_model::payload::{GrantData, ReviewData, ReviewVerdict, RevocationData, TrustedFile};
use gate_model::principal::Principal;
use gate_policy::{Actor, Policy, Subject};

use crate::acts;
use crate::approvals;
use crate::recorded::Recorded;
use crate::records;
use crate::signatures::Mark;
use crate::statement;

/// The keys and rules that an end is judged by.
pub type Trust<'a> = (&'a Policy, &'a [TrustedFile]);

/// An opt-out, as its end is judged.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// Its ID.
    pub id: u64,
    /// Its grant, else its request.
    pub hash: EntryHash,
    /// What the rules see of it.
    pub subject: Subject<'a>,
    /// The entries that a signed statement about it may name.
    pub marks: &'a [Mark],
}

impl Ended<'_> {
    /// Whether the revocation in `entry` may end it.
    ///
    /// # Errors
    /// Why not, as a sentence's end.
    pub(crate) fn by_revocation(
        self,
        trust: Trust<'_>,
        (entry, data, by): (&Entry, &RevocationData, &Principal),
    ) -> Result<(), String> {
        if data.subject != self.hash.to_string() || data.action != self.subject.ask.action {
            return Err(format!("ends another entry than opt-out {} is", self.id));
        }
        let (reason, ticket) = (Some(data.reason.as_str()), data.ticket.as_deref());
        let actor = Actor { by, context: &data.context, reason, ticket };
        gate_policy::may_revoke(trust.0, actor, self.subject).map_err(|reasons| refused(&reasons))?;
        self.is_stated(trust, entry, by)
    }

    /// Whether the review in `entry` is one of the grant that rule `number` gave.
    ///
    /// # Errors
    /// Why not, as a sentence's end.
    pub(crate) fn by_review(
        self,
        trust: Trust<'_>,
        number: u64,
        (entry, data, by): (&Entry, &ReviewData, &Principal),
    ) -> Result<(), String> {
        if data.subject != self.hash.to_string() {
            return Err(format!("reviews another entry than the grant of opt-out {}", self.id));
        }
        let actor = Actor { by, context: &data.context, reason: Some(&data.reason), ticket: None };
        acts::rule_of_review(trust.0, self.subject.gate, number)
            .and_then(|rule| gate_policy::may_review(trust.0, rule, actor, self.subject))
            .map_err(|reasons| refused(&reasons))?;
        self.is_stated(trust, entry, by)
    }

    /// Whether the review in `entry` settles what the grant `data` owes, whatever its verdict: by `then`, the policy that
    /// it was made under, and by one of the `others`, which its author did not choose.
    ///
    /// # Errors
    /// Why not, as a sentence's end.
    pub fn settled_by<'t>(
        self,
        then: Trust<'_>,
        others: impl Iterator<Item = Trust<'t>>,
        data: &GrantData,
        entry: &Entry,
    ) -> Result<(), String> {
        self.reviewed_by(then, data, entry)
            .map_err(|why| format!("{why} (by the policy it was made under)"))?;
        let mut refusal = "rests on no policy but its own".to_owned();
        for other in others {
            match self.reviewed_by(other, data, entry) {
                Ok(()) => return Ok(()),
                Err(why) => refusal = format!("{why} (by today's policy)"),
            }
        }
        Err(refusal)
    }

    /// Whether the review in `entry` is one that a policy lets its author give.
    pub(crate) fn reviewed_by(self, trust: Trust<'_>, data: &GrantData, entry: &Entry) -> Result<(), String> {
        // Whose name or reason was erased, as the policy foresees, cannot be asked again, and owes nobody a second answer.
        if redaction::has_erased(entry.kind, &entry.actor, &entry.data) && trust.0.ledger.commit.any() {
            return Ok(());
        }
        let by = records::actor(entry).map_err(|error| error.to_string())?;
        let review: ReviewData = records::data(entry).map_err(|error| error.to_string())?;
        if data.owes.is_none() {
            return Err(format!("is about opt-out {}, which owes no review", self.id));
        }
        self.by_review(trust, data.rule, (entry, &review, &by))
    }

    /// Whether `entry` ends a pause that `data` granted.
    ///
    /// # Errors
    /// Why not, as a sentence's end.
    pub fn by(self, trust: Trust<'_>, data: &GrantData, entry: &Entry) -> Result<(), String> {
        match entry.kind {
            Kind::Revocation => {
                let by = records::actor(entry).map_err(|error| error.to_string())?;
                let revocation = records::data(entry).map_err(|error| error.to_string())?;
                self.by_revocation(trust, (entry, &revocation, &by))
            }
            Kind::Review => {
                let review: ReviewData = records::data(entry).map_err(|error| error.to_string())?;
                if review.verdict != ReviewVerdict::Rejected {
                    return Err(format!("does not reject opt-out {}", self.id));
                }
                self.reviewed_by(trust, data, entry)
            }
            _ => Err("is no end".to_owned()),
        }
    }

    fn is_stated(self, trust: Trust<'_>, entry: &Entry, by: &Principal) -> Result<(), String> {
        statement::holds(trust, entry, by, self.marks)
            .map_err(|error| format!("has a signature that does not hold: {error}"))
    }
}

/// Somebody who may not has done it.
pub(crate) fn refused(reasons: &[String]) -> String {
    format!("should have been refused: {}", reasons.join("; "))
}

/// A pause in the ledger: its grant's entry, what that says, who asked for it.
pub type Pause<'a> = (&'a Entry, &'a GrantData, &'a Principal);

/// Who approved a grant, as far as the policy of its admission lets each of them: somebody who wrote an approval that
/// counts for nothing is no approver.
pub fn counting(then: &Recorded, (grant, data, by): Pause<'_>, life: &[Entry]) -> Vec<Principal> {
    let gate = then.policy.gate(grant.gate.as_deref().unwrap_or_default()).ok();
    let Some(rule) = gate.and_then(|gate| gate.rule(data.rule)) else { return Vec::new() };
    let given = life.iter().filter(|entry| entry.kind == Kind::Approval && entry.seq < grant.seq);
    given.filter_map(|entry| approvals::counts_alone(&then.policy, rule, by, entry)).collect()
}

/// Whether the revocation in `entry` was signed as a resume. Whoever resumes a gate signs for the newest of its pauses,
/// and with it for those before; a signature from before a pause never ends it.
pub fn is_resume(entry: &Entry) -> bool {
    let act = entry.data.get("statement").and_then(|statement| statement.get("act"));
    act.is_some_and(|act| act == "resume")
}
