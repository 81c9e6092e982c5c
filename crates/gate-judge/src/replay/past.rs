//! What stands before one position, folded from the entries up to there: the answers to all that a verdict may ask.
//!
//! gate-workflow answers the same questions from a store, and a test asks both about random histories. Here a grant of the past is some eighty bytes, so
//! that none has to be forgotten: a policy to come may ask about any time.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;
use std::rc::Rc;

use gate_model::action::Action;
use gate_model::principal::Principal;
use gate_model::request::SeenHead;
use gate_model::time::Timestamp;
use gate_policy::{Earlier, Past, QuotaBy, Renewable, Rule};

use crate::repository::{Named, Whose};

use super::State;
use super::of_gate::{Debt, OfGate};
use super::policy_log::Used;

/// A grant as quotas count it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Admission<'a> {
    /// The position of its entry.
    pub(super) seq: u64,
    /// The time of its entry.
    pub(super) at: Timestamp,
    /// What it was; nothing where its entry cannot be read. Then it counts against every quota.
    pub(super) what: Option<What<'a>>,
}

/// Who was granted what by which rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct What<'a> {
    /// The number of the policy; nothing where the grant names none that is known.
    pub(super) policy: Option<usize>,
    pub(super) rule: u64,
    pub(super) action: Action,
    pub(super) by: &'a Principal,
    pub(super) whose: Whose<'a>,
}

#[derive(Debug)]
struct Kept {
    seq: u64,
    at: Timestamp,
    what: Option<KeptWhat>,
}

#[derive(Debug)]
struct KeptWhat {
    policy: Option<u32>,
    rule: u64,
    action: Action,
    by: u32,
    whose: Rc<Named>,
}

/// The policy that asks, and the repository whose gate it is.
type Ours<'a> = (&'a Used, Whose<'a>);

/// Counts that differ in nothing but where their windows begin.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Sort {
    policy: usize,
    rule: u64,
    whose: Named,
    /// For whom; nothing where the quota is the whole gate's.
    by: Option<Principal>,
}

/// A count over the first so many grants.
#[derive(Debug)]
struct Counted {
    since: Timestamp,
    grants: usize,
    count: u64,
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// The grants of one gate, in order.
#[derive(Debug, Default)]
pub(super) struct Admissions {
    grants: Vec<Kept>,
    people: Vec<Principal>,
    numbers: HashMap<Principal, u32>,
    /// The names of repositories that were met.
    repositories: BTreeSet<Rc<Named>>,
    /// The places of the grants by their times: clocks go back.
    by_time: BTreeSet<(Timestamp, usize)>,
    /// What the last count of each sort came to. The next one starts there, so that judging many grants again does
    /// not count each of them again and again.
    counted: RefCell<HashMap<Sort, Counted>>,
    /// Whether a grant was met of which nobody can tell whether it counts, since its name was erased.
    unsure: Cell<bool>,
}

impl Admissions {
    pub(super) fn add(&mut self, admission: Admission<'_>) {
        let Admission { seq, at, what } = admission;
        let what = what.and_then(|what| {
            let policy = what.policy.map(u32::try_from).transpose().ok()?;
            let by = self.number(what.by)?;
            let whose = self.repository(what.whose);
            Some(KeptWhat { policy, rule: what.rule, action: what.action, by, whose })
        });
        self.by_time.insert((at, self.grants.len()));
        self.grants.push(Kept { seq, at, what });
    }

    /// The names of a repository, kept once.
    fn repository(&mut self, whose: Whose<'_>) -> Rc<Named> {
        let named = Named::from(whose);
        if let Some(known) = self.repositories.get(&named) {
            return Rc::clone(known);
        }
        let named = Rc::new(named);
        self.repositories.insert(Rc::clone(&named));
        named
    }

    /// The number of a principal; nothing where there are more than can be counted.
    fn number(&mut self, by: &Principal) -> Option<u32> {
        if let Some(number) = self.numbers.get(by) {
            return Some(*number);
        }
        let number = u32::try_from(self.people.len()).ok()?;
        self.people.push(by.clone());
        self.numbers.insert(by.clone(), number);
        Some(number)
    }

    /// How many grants since `since` count against the rule's quota.
    fn used(&self, here: Ours<'_>, rule: &Rule, by: &Principal, since: Timestamp) -> u64 {
        let Some(quota) = &rule.quota else { return 0 };
        let by_whom = (quota.by != QuotaBy::Gate).then(|| by.clone());
        let sort = Sort { policy: here.0.number, rule: rule.number, whose: here.1.into(), by: by_whom };
        let counts =
            |place: usize| self.grants.get(place).is_some_and(|kept| self.counts(here, rule, by, kept));
        let mut counted = self.counted.borrow_mut();
        let earlier = counted.get(&sort).filter(|earlier| earlier.since <= since && !self.unsure.get());
        let count = match earlier {
            Some(earlier) => {
                let left = self.places(earlier.since, Some(since)).filter(|place| *place < earlier.grants);
                let left = number(left.filter(|place| counts(*place)).count());
                let new = (earlier.grants..self.grants.len()).filter(|place| self.grants[*place].at >= since);
                earlier.count.saturating_sub(left) + number(new.filter(|place| counts(*place)).count())
            }
            None => number(self.places(since, None).filter(|place| counts(*place)).count()),
        };
        if !self.unsure.get() {
            counted.insert(sort, Counted { since, grants: self.grants.len(), count });
        }
        count
    }

    /// How many grants since `since` count against the rule's quota that were written before the position `before`.
    fn used_before(&self, before: u64, here: Ours<'_>, rule: &Rule, by: &Principal, since: Timestamp) -> u64 {
        let earlier = self.places(since, None).filter_map(|place| self.grants.get(place));
        let earlier = earlier.filter(|kept| kept.seq < before && self.counts(here, rule, by, kept));
        number(earlier.count())
    }

    /// The places of the grants from `since` on and, where there is an `until`, before that.
    fn places(&self, since: Timestamp, until: Option<Timestamp>) -> impl Iterator<Item = usize> {
        let end = until.map_or(Bound::Unbounded, |until| Bound::Excluded((until, 0)));
        self.by_time.range((Bound::Included((since, 0)), end)).map(|(_, place)| *place)
    }

    /// Whether the answers since the last time rest on grants of people whose names were erased.
    pub(super) fn was_unsure(&self) -> bool {
        self.unsure.take()
    }

    fn counts(&self, (used, here): Ours<'_>, rule: &Rule, by: &Principal, kept: &Kept) -> bool {
        let Some(what) = &kept.what else { return true };
        let Some(actor) = self.people.get(what.by as usize) else { return true };
        let same_policy = what.policy.is_some_and(|policy| policy as usize == used.number);
        let elsewhere = what.whose.whose().is_apart(here);
        let earlier = Earlier { rule: what.rule, action: what.action, by: actor, same_policy, elsewhere };
        let counts = gate_policy::counts_against(used.policy(), rule, by, earlier);
        let by_person = !elsewhere && rule.quota.as_ref().is_some_and(|quota| quota.by != QuotaBy::Gate);
        if by_person && (actor.is_erased() || by.is_erased()) && actor.id != by.id {
            self.unsure.set(true);
        }
        counts
    }
}

/// What stands before a verdict on one gate.
#[derive(Debug, Clone, Copy)]
pub(super) struct FoldedPast<'a> {
    /// What the entries so far came to.
    pub(super) state: &'a State,
    /// The gate.
    pub(super) gate: &'a str,
    /// The policy that asks.
    pub(super) used: &'a Used,
    /// The repository whose gate it is.
    pub(super) here: Whose<'a>,
    /// The instant.
    pub(super) now: Timestamp,
    /// Only grants before this position count.
    pub(super) before: Option<u64>,
}

impl FoldedPast<'_> {
    fn of_gate(&self) -> Option<&OfGate> {
        self.state.opt_outs.of_gate(self.gate)
    }
}

impl Past for FoldedPast<'_> {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn genesis(&self) -> Option<String> {
        self.state.genesis.map(|genesis| genesis.to_string())
    }

    fn seen(&self, head: &SeenHead) -> Option<Timestamp> {
        self.state.heads.seen(head)
    }

    fn took(&self, nonce: &str) -> bool {
        self.state.opt_outs.is_nonce_used(nonce)
    }

    fn used(&self, rule: &Rule, by: &Principal, since: Timestamp) -> u64 {
        self.of_gate().map_or(0, |of_gate| match self.before {
            None => of_gate.admissions.used((self.used, self.here), rule, by, since),
            Some(before) => of_gate.admissions.used_before(before, (self.used, self.here), rule, by, since),
        })
    }

    fn granted(&self, id: u64) -> Option<Renewable> {
        let opt_out = self.state.opt_outs.get(id).filter(|opt_out| opt_out.gate == self.gate)?;
        let granted = opt_out.grant.as_ref()?;
        Some(Renewable {
            grant: granted.hash.to_string(),
            ask: granted.data.ask.clone(),
            by: opt_out.requester.clone(),
            expires: granted.data.expires,
            ended: opt_out.ended(id, self.used),
        })
    }

    fn overdue_review(&self, by: &Principal) -> Option<u64> {
        let of_gate = self.of_gate()?;
        let policy = self.used.policy();
        let is_due = |id: u64, debt: &Debt| {
            let is_reviewed = || {
                self.state
                    .opt_outs
                    .get(id)
                    .is_some_and(|opt_out| opt_out.is_reviewed(id, &self.used.recorded))
            };
            debt.deadline <= self.now
                && !debt.whose.whose().is_apart(self.here)
                && gate_policy::may_be_one_person(policy, by, &debt.by)
                && !is_reviewed()
        };
        let (id, debt) = of_gate.debts.iter().find(|(id, debt)| is_due(**id, debt))?;
        if (debt.by.is_erased() || by.is_erased()) && debt.by.id != by.id {
            of_gate.admissions.unsure.set(true);
        }
        Some(*id)
    }
}
