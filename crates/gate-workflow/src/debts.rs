//! Reviews that break-glass grants owe, and whether somebody gave them: see [`gate_judge::lifting`].
//!
//! A review settles a debt only where the policy that it was made under lets its author review this grant, and where they
//! signed, their signature holds. Whoever reviews chooses that policy, so the one that the grant was made under, or
//! today's, must let them, too. A review that does not derive settles nothing, and whoever reads of the debt reads why.

use gate_judge::lifting::{Ended, Trust};
use gate_judge::recorded::Recorded;
use gate_judge::records;
use gate_judge::repository::Whose;
use gate_ledger::entry::{Entry, Kind};
use gate_ledger::store::{StoreError, View};
use gate_model::payload::GrantData;
use gate_model::principal::Principal;
use gate_model::time::Timestamp;
use gate_policy::Subject;

use crate::lifting;
use crate::policies::Policies;

/// A grant that owes a review which nobody gave.
#[derive(Debug)]
pub(crate) struct Debt {
    /// The grant.
    pub(crate) grant: Entry,
    /// What the grant says and who asked for it; where it cannot be read, why.
    pub(crate) read: Result<(GrantData, Principal), records::Malformed>,
    /// What would have settled it and does not, as sentences.
    pub(crate) doubts: Vec<String>,
}

impl Debt {
    /// What `grant` owes.
    pub(crate) fn new(grant: Entry) -> Self {
        let read = records::data::<GrantData>(&grant).and_then(|data| Ok((data, records::actor(&grant)?)));
        Self { grant, read, doubts: Vec::new() }
    }

    /// The opt-out's ID.
    pub(crate) fn id(&self) -> u64 {
        records::id_of(&self.grant)
    }

    /// Whether it is of a gate of the repository `here`, as far as anybody can tell.
    pub(crate) fn is_of(&self, here: Whose<'_>) -> bool {
        self.read.as_ref().map_or(true, |(data, _)| !Whose::of_grant(data).is_apart(here))
    }

    /// By when the review is due; nothing where the grant does not say it in words that this build reads.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.read.as_ref().ok().and_then(|(data, _)| data.owes.as_ref()).map(|owes| owes.by)
    }

    /// Whether it is due at `now`. A deadline that cannot be read has passed.
    fn is_due(&self, now: Timestamp) -> bool {
        self.deadline().is_none_or(|deadline| deadline <= now)
    }
}

/// The debts of all gates, in the order of the ledger.
///
/// # Errors
/// A failure of the store.
pub(crate) fn open(
    view: &View<'_>,
    policies: &mut Policies,
    today: Option<Trust<'_>>,
) -> Result<Vec<Debt>, StoreError> {
    unsettled(view, policies, today, view.owing(None)?.into_iter().map(Debt::new))
}

/// The debts of gates of this name that are due at `now`, in whatever repository. Of what is not due yet nobody asks whether
/// it is settled.
///
/// # Errors
/// A failure of the store.
pub(crate) fn overdue(
    view: &View<'_>,
    policies: &mut Policies,
    today: Option<Trust<'_>>,
    gate: &str,
    now: Timestamp,
) -> Result<Vec<Debt>, StoreError> {
    let owing = view.owing(Some(gate))?.into_iter().map(Debt::new);
    unsettled(view, policies, today, owing.filter(|debt| debt.is_due(now)))
}

fn unsettled(
    view: &View<'_>,
    policies: &mut Policies,
    today: Option<Trust<'_>>,
    owing: impl Iterator<Item = Debt>,
) -> Result<Vec<Debt>, StoreError> {
    let mut debts = Vec::new();
    for debt in owing {
        debts.extend(settled(view, policies, today, debt)?.err());
    }
    Ok(debts)
}

/// The review that settled what `debt` says is owed, else the debt, with what would have settled it and does not.
///
/// # Errors
/// A failure of the store.
pub(crate) fn settled(
    view: &View<'_>,
    policies: &mut Policies,
    today: Option<Trust<'_>>,
    mut debt: Debt,
) -> Result<Result<Entry, Debt>, StoreError> {
    let life = view.life(debt.id())?;
    for review in life.iter().filter(|entry| entry.kind == Kind::Review) {
        match settled_by(view, policies, today, &debt, (&life, review))? {
            Ok(()) => return Ok(Ok(review.clone())),
            Err(why) => {
                let review = review.seq;
                debt.doubts.push(format!("entry {review} is a review that does not count: it {why}"));
            }
        }
    }
    Ok(Err(debt))
}

fn settled_by(
    view: &View<'_>,
    policies: &mut Policies,
    today: Option<Trust<'_>>,
    debt: &Debt,
    (life, review): (&[Entry], &Entry),
) -> Result<Result<(), String>, StoreError> {
    let (data, by) = match &debt.read {
        Ok((data, by)) => (data, by),
        Err(error) => return Ok(Err(format!("is about a grant that cannot be read: {error}"))),
    };
    let then = match lifting::policy_of(view, policies, review)? {
        Ok(then) => then,
        Err(why) => return Ok(Err(why)),
    };
    let granted = policies.get(view, &data.policy.digest)?.ok();
    let gate = debt.grant.gate.as_deref().unwrap_or_default();
    let marks = lifting::marks(view, (gate, &debt.grant), life, review)?;
    let subject = Subject { gate, ask: &data.ask, requester: by, approvers: &[], author: None };
    let ended = Ended { id: debt.id(), hash: debt.grant.hash, subject, marks: &marks };
    let others = granted.as_deref().map(Recorded::trust).into_iter().chain(today);
    Ok(ended.settled_by(then.trust(), others, data, review))
}
