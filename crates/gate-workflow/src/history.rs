//! What stands before a verdict, read from the store: the answers to all that a verdict may ask.
//!
//! A grant under a quota records how many places were taken before it. The next admission of its sort starts from
//! there: it adds what was granted since and takes away what has left the window, so that its cost does not grow
//! with the window. Replay counts from the beginning and compares.

use gate_judge::repository::Whose;
use std::cell::RefCell;
use std::ops::ControlFlow;

use gate_ledger::entry::Entry;
use gate_ledger::store::{StoreError, View};
use gate_model::payload::{GrantData, QuotaUsed};
use gate_model::principal::Principal;
use gate_model::request::SeenHead;
use gate_model::time::Timestamp;
use gate_policy::{Earlier, Past, Quota, QuotaBy, Renewable, Rule};

use crate::debts::{self, Debt};
use crate::policies::Policies;
use crate::renewal;
use gate_judge::lifting::Trust;
use gate_judge::records;

/// How many of the newest grants are searched for one that starts a count; then every grant in the window is
/// counted.
const MAX_SEARCHED: u32 = 256;

/// What stands before a verdict on one gate, read inside the admission's transaction.
///
/// The rules' questions have plain answers, so a failure of the store is kept here; [`StoredPast::settled`]
/// gives it back, and then no verdict made with these answers counts.
pub struct StoredPast<'a> {
    view: &'a View<'a>,
    today: Trust<'a>,
    digest: &'a str,
    gate: &'a str,
    /// The repository whose gate it is; where that is unknown, every gate of the name counts.
    here: Whose<'a>,
    now: Timestamp,
    /// Only grants before this position count.
    before: Option<u64>,
    failure: RefCell<Option<StoreError>>,
    counted: RefCell<Counted>,
}

/// What was counted, for each rule with a quota that was asked about.
#[derive(Debug, Default)]
pub struct Counted(Vec<(u64, QuotaUsed)>);

impl Counted {
    /// What was counted for the quota of the rule `number`; nothing where it has none.
    pub fn of(&self, number: u64) -> Option<QuotaUsed> {
        self.0.iter().find(|(rule, _)| *rule == number).map(|(_, used)| *used)
    }
}

/// A quota that is being counted: for whom, since when.
#[derive(Clone, Copy)]
struct Count<'r> {
    rule: &'r Rule,
    quota: &'r Quota,
    by: &'r Principal,
    since: Timestamp,
}

/// A grant from which the count can start.
struct Milestone {
    seq: u64,
    /// What it recorded: the grants before it.
    before: QuotaUsed,
    /// How many count from it on, itself included.
    onward: u64,
}

impl<'a> StoredPast<'a> {
    /// What stands before a verdict on `gate` at `now`, as a verdict under the policy `today` with `digest` needs it.
    pub const fn new(
        view: &'a View<'a>,
        today: Trust<'a>,
        digest: &'a str,
        gate: &'a str,
        now: Timestamp,
    ) -> Self {
        let failure = RefCell::new(None);
        let counted = RefCell::new(Counted(Vec::new()));
        let here = Whose::UNKNOWN;
        Self { view, today, digest, gate, here, now, before: None, failure, counted }
    }

    /// The same for the gate of this repository.
    #[must_use]
    pub fn within(self, here: Whose<'a>) -> Self {
        Self { here, ..self }
    }

    /// The same as it stood before the grant at `seq`, whose instant is `now`.
    pub(crate) fn before(self, seq: u64) -> Self {
        Self { before: Some(seq), ..self }
    }

    /// What was counted, if every answer was a true one.
    ///
    /// # Errors
    /// The first failure of the store.
    pub fn settled(self) -> Result<Counted, StoreError> {
        self.failure.into_inner().map_or_else(|| Ok(self.counted.into_inner()), Err)
    }

    /// Whether everything so far could be read: an answer that only looks like one decides nothing.
    ///
    /// # Errors
    /// The first failure of the store.
    pub fn sound(&self) -> Result<(), StoreError> {
        self.failure.take().map_or(Ok(()), Err)
    }

    fn keep<T>(&self, result: Result<T, StoreError>, otherwise: T) -> T {
        result.unwrap_or_else(|error| {
            self.failure.borrow_mut().get_or_insert(error);
            otherwise
        })
    }

    /// How many grants count against the rule's quota since `since`; for a full one, at least its size.
    fn count(&self, rule: &Rule, by: &Principal, since: Timestamp) -> Result<u64, StoreError> {
        let Some(quota) = &rule.quota else { return Ok(0) };
        let count = Count { rule, quota, by, since };
        // What a grant recorded was counted up to its own position, which may be another.
        let milestone = if self.before.is_none() { self.milestone(count)? } else { None };
        let used = match milestone {
            Some(milestone) => {
                let left = self.left_behind(count, &milestone)?;
                milestone.onward + milestone.before.used.saturating_sub(left)
            }
            None => self.in_window(count)?,
        };
        self.counted.borrow_mut().0.push((rule.number, QuotaUsed { used, since }));
        Ok(used)
    }

    /// The newest grant from which to count. It is searched by position, not by time: a clock that went back
    /// must not hide a grant.
    fn milestone(&self, count: Count<'_>) -> Result<Option<Milestone>, StoreError> {
        let (mut found, mut onward, mut searched) = (None, 0, 0);
        self.view.granted(self.gate, &mut |entry: &Entry| {
            let data = records::data::<GrantData>(entry).ok();
            onward += u64::from(entry.at >= count.since && self.counts(count, entry, data.as_ref()));
            found = data.and_then(|data| self.recorded(count, entry, &data)).map(|before| Milestone {
                seq: entry.seq,
                before,
                onward,
            });
            searched += 1;
            if found.is_some() || searched == MAX_SEARCHED {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        Ok(found)
    }

    /// The time of the oldest entry of which all later ones are in the ledger; nothing where none was archived.
    fn oldest(&self) -> Option<Timestamp> {
        let first = || -> Result<Option<Timestamp>, StoreError> {
            let before = self.view.front()?.before;
            if before == 0 {
                return Ok(None);
            }
            Ok(self.view.entry(before)?.map(|entry| entry.at))
        };
        // Without an answer nothing counts: the failure is kept.
        self.keep(first(), None)
    }

    /// What the grant `entry` recorded, if it is the same count for an earlier window: under this policy, by this
    /// rule, in this repository, and for this very principal where the quota is not the whole gate's.
    fn recorded(&self, count: Count<'_>, entry: &Entry, data: &GrantData) -> Option<QuotaUsed> {
        let used = data.quota.filter(|used| used.since <= count.since)?;
        // What left the window since then is counted, so that all of it has to be in the ledger still.
        if self.oldest().is_some_and(|oldest| used.since < oldest) {
            return None;
        }
        let same = data.policy.digest == self.digest
            && data.rule == count.rule.number
            && Whose::of_grant(data) == self.here
            && (count.quota.by == QuotaBy::Gate
                || records::actor(entry).is_ok_and(|actor| actor == *count.by));
        same.then_some(used)
    }

    /// How many of the grants that the milestone has counted are older than the window now.
    fn left_behind(&self, count: Count<'_>, milestone: &Milestone) -> Result<u64, StoreError> {
        let mut left = 0;
        self.view.admitted(self.gate, milestone.before.since, Some(count.since), &mut |entry: &Entry| {
            let data = records::data::<GrantData>(entry).ok();
            left += u64::from(entry.seq < milestone.seq && self.counts(count, entry, data.as_ref()));
            ControlFlow::Continue(())
        })?;
        Ok(left)
    }

    /// Counts every grant in the window, no further than the quota goes.
    fn in_window(&self, count: Count<'_>) -> Result<u64, StoreError> {
        let mut used = 0;
        self.view.admitted(self.gate, count.since, None, &mut |entry: &Entry| {
            let data = records::data::<GrantData>(entry).ok();
            used += u64::from(self.counts(count, entry, data.as_ref()));
            if used >= count.quota.max { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(used)
    }

    /// Whether the grant `entry` counts against the rule's quota; what cannot be read does.
    fn counts(&self, count: Count<'_>, entry: &Entry, data: Option<&GrantData>) -> bool {
        if self.before.is_some_and(|before| entry.seq >= before) {
            return false;
        }
        let Some(data) = data else { return true };
        let Ok(actor) = records::actor(entry) else { return true };
        let earlier = Earlier {
            same_policy: data.policy.digest == self.digest,
            rule: data.rule,
            action: data.ask.action,
            by: &actor,
            elsewhere: Whose::of_grant(data).is_apart(self.here),
        };
        gate_policy::counts_against(self.today.0, count.rule, count.by, earlier)
    }

    fn may_owe(&self, by: &Principal, debtor: &Principal) -> bool {
        gate_policy::may_be_one_person(self.today.0, by, debtor)
    }

    /// The debt that closes the gate to `by`. One whose grant does not say who owes it is everybody's.
    fn overdue(&self, by: &Principal) -> Result<Option<u64>, StoreError> {
        let (policies, today) = (&mut Policies::default(), Some(self.today));
        let debts = debts::overdue(self.view, policies, today, self.gate, self.now)?;
        let is_theirs =
            |debt: &&Debt| debt.read.as_ref().map_or(true, |(_, debtor)| self.may_owe(by, debtor));
        let mut of_here = debts.iter().filter(|debt| debt.is_of(self.here));
        Ok(of_here.find(is_theirs).map(Debt::id))
    }
}

impl Past for StoredPast<'_> {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn genesis(&self) -> Option<String> {
        let genesis = self.view.entry(0).map(|entry| entry.map(|genesis| genesis.hash.to_string()));
        self.keep(genesis, None)
    }

    fn seen(&self, head: &SeenHead) -> Option<Timestamp> {
        let found = self.view.entry(head.seq);
        self.keep(found, None).filter(|entry| entry.hash.to_string() == head.hash).map(|entry| entry.at)
    }

    fn took(&self, nonce: &str) -> bool {
        let taken = self.view.with_nonce(nonce).map(|holders| holders.iter().any(records::takes_nonce));
        self.keep(taken, true)
    }

    fn used(&self, rule: &Rule, by: &Principal, since: Timestamp) -> u64 {
        self.keep(self.count(rule, by, since), u64::MAX)
    }

    fn granted(&self, id: u64) -> Option<Renewable> {
        self.keep(renewal::renewable(self.view, self.today, self.gate, id), None)
    }

    fn overdue_review(&self, by: &Principal) -> Option<u64> {
        self.keep(self.overdue(by), None)
    }
}
