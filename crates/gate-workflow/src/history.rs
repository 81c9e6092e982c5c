//! What the ledger says about earlier opt-outs, as the policy asks for it: quotas and overdue reviews.

use std::cell::RefCell;
use std::ops::ControlFlow;

use gate_ledger::entry::{Entry, Kind};
use gate_ledger::store::{StoreError, View};
use gate_model::payload::GrantData;
use gate_model::principal::Principal;
use gate_model::time::Timestamp;
use gate_policy::{Earlier, Policy, Rule};

use crate::records;

/// The history of one gate, read inside the admission's transaction.
///
/// The policy's questions have plain answers, so a failure of the store is kept here; [`Past::settled`]
/// gives it back, and then no verdict made with this history counts.
pub struct Past<'a> {
    view: &'a View<'a>,
    policy: &'a Policy,
    digest: &'a str,
    gate: &'a str,
    now: Timestamp,
    /// Entries from this seq on do not exist yet: replay asks for the history of an earlier moment.
    before: u64,
    failure: RefCell<Option<StoreError>>,
}

impl<'a> Past<'a> {
    /// The history of `gate` up to `now`, as a verdict under `policy` with `digest` needs it.
    pub const fn new(
        view: &'a View<'a>,
        policy: &'a Policy,
        digest: &'a str,
        gate: &'a str,
        now: Timestamp,
    ) -> Self {
        Self { view, policy, digest, gate, now, before: u64::MAX, failure: RefCell::new(None) }
    }

    /// The same history as it was when the entry `seq` was about to be written.
    #[must_use]
    pub const fn before(mut self, seq: u64) -> Self {
        self.before = seq;
        self
    }

    /// Whether every answer was a true one.
    ///
    /// # Errors
    /// The first failure of the store.
    pub fn settled(self) -> Result<(), StoreError> {
        self.failure.into_inner().map_or(Ok(()), Err)
    }

    fn keep<T>(&self, result: Result<T, StoreError>, otherwise: T) -> T {
        result.unwrap_or_else(|error| {
            self.failure.borrow_mut().get_or_insert(error);
            otherwise
        })
    }

    /// How many grants count against the rule's quota since `since`. Counting stops at the quota's end.
    fn count(&self, rule: &Rule, by: &Principal, since: Timestamp) -> Result<u64, StoreError> {
        let Some(quota) = &rule.quota else { return Ok(0) };
        let mut count = 0;
        self.view.admitted(Some(self.gate), since, &mut |entry: &Entry| {
            if entry.seq < self.before && self.counts(rule, by, entry) {
                count += 1;
            }
            if count >= quota.max { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(count)
    }

    /// Whether the grant `entry` counts against the rule's quota; what cannot be read does.
    fn counts(&self, rule: &Rule, by: &Principal, entry: &Entry) -> bool {
        let Ok(data) = records::data::<GrantData>(entry) else { return true };
        let Ok(actor) = records::actor(entry) else { return true };
        let earlier = Earlier {
            same_policy: data.policy.digest == self.digest,
            rule: data.rule,
            action: data.ask.action,
            by: &actor,
        };
        gate_policy::counts_against(self.policy, rule, by, earlier)
    }

    fn same_person(&self, a: &Principal, b: &Principal) -> bool {
        gate_policy::is_same_person(self.policy, a, b)
    }

    fn overdue(&self, by: &Principal) -> Result<Option<u64>, StoreError> {
        for entry in self.view.owing(Some(self.gate))? {
            let due = entry.seq < self.before
                && records::actor(&entry).is_ok_and(|actor| self.same_person(by, &actor))
                && is_overdue(self.view, &entry, self.now, self.before)?;
            if due {
                return Ok(Some(records::id_of(&entry)));
            }
        }
        Ok(None)
    }
}

/// Whether the review that the grant `entry` owes is overdue at `now`, as entries before `before` show it.
///
/// # Errors
/// A failure of the store.
pub fn is_overdue(view: &View<'_>, entry: &Entry, now: Timestamp, before: u64) -> Result<bool, StoreError> {
    let Some(deadline) = deadline_of(entry) else { return Ok(false) };
    let reviewed = |later: &Entry| later.kind == Kind::Review && later.seq < before;
    Ok(deadline <= now && !view.life(records::id_of(entry))?.iter().any(reviewed))
}

/// By when the grant `entry` must be reviewed.
pub fn deadline_of(entry: &Entry) -> Option<Timestamp> {
    records::data::<GrantData>(entry).ok()?.owes.map(|owes| owes.by)
}

impl gate_policy::History for Past<'_> {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn used(&self, rule: &Rule, by: &Principal, since: Timestamp) -> u64 {
        self.keep(self.count(rule, by, since), u64::MAX)
    }

    fn overdue_review(&self, by: &Principal) -> Option<u64> {
        self.keep(self.overdue(by), None)
    }
}
