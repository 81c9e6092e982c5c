//! What the ledger says about earlier grants, as the policy asks for it: quotas and overdue reviews, exactly as
//! they stood at one position.
//!
//! [`crate::history`] answers the same questions from a store. Here a grant of the past is some forty bytes, so
//! that none has to be forgotten: a policy to come may ask about any time.

use std::cell::Cell;
use std::collections::HashMap;

use gate_model::action::Action;
use gate_model::principal::Principal;
use gate_model::time::Timestamp;
use gate_policy::{Earlier, History, QuotaBy, Rule};

use super::books::Used;
use super::of_gate::{Debt, OfGate};

/// A grant as quotas count it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Admission<'a> {
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
}

#[derive(Debug)]
struct Kept {
    at: Timestamp,
    /// The latest time up to here: clocks go back, and a walk back through time must know where to end.
    latest: Timestamp,
    what: Option<KeptWhat>,
}

#[derive(Debug)]
struct KeptWhat {
    policy: Option<u32>,
    rule: u64,
    action: Action,
    by: u32,
}

/// The grants of one gate, in order.
#[derive(Debug, Default)]
pub(super) struct Admissions {
    grants: Vec<Kept>,
    people: Vec<Principal>,
    numbers: HashMap<Principal, u32>,
    /// Whether a grant was met of which nobody can tell whether it counts, since its name was erased.
    unsure: Cell<bool>,
}

impl Admissions {
    pub(super) fn add(&mut self, admission: Admission<'_>) {
        let Admission { at, what } = admission;
        let latest = self.grants.last().map_or(at, |last| last.latest.max(at));
        let what = what.and_then(|what| {
            let policy = what.policy.map(u32::try_from).transpose().ok()?;
            Some(KeptWhat { policy, rule: what.rule, action: what.action, by: self.number(what.by)? })
        });
        self.grants.push(Kept { at, latest, what });
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

    /// How many grants since `since` count against the rule's quota. Counting stops at the quota's end.
    fn used(&self, used: &Used, rule: &Rule, by: &Principal, since: Timestamp) -> u64 {
        let Some(quota) = &rule.quota else { return 0 };
        let mut count = 0;
        for kept in self.grants.iter().rev().take_while(|kept| kept.latest >= since) {
            if count >= quota.max {
                break;
            }
            if kept.at >= since && self.counts(used, rule, by, kept) {
                count += 1;
            }
        }
        count
    }

    /// Whether the answers since the last time rest on grants of people whose names were erased.
    pub(super) fn was_unsure(&self) -> bool {
        self.unsure.take()
    }

    fn counts(&self, used: &Used, rule: &Rule, by: &Principal, kept: &Kept) -> bool {
        let Some(what) = &kept.what else { return true };
        let Some(actor) = self.people.get(what.by as usize) else { return true };
        let same_policy = what.policy.is_some_and(|policy| policy as usize == used.number);
        let earlier = Earlier { rule: what.rule, action: what.action, by: actor, same_policy };
        let counts = gate_policy::counts_against(used.policy(), rule, by, earlier);
        let by_person = rule.quota.as_ref().is_some_and(|quota| quota.by != QuotaBy::Gate);
        if by_person && (actor.is_erased() || by.is_erased()) && actor.id != by.id {
            self.unsure.set(true);
        }
        counts
    }
}

/// The history of one gate at one position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Past<'a> {
    /// The gate's opt-outs so far.
    pub(super) of_gate: Option<&'a OfGate>,
    /// The policy that asks.
    pub(super) used: &'a Used,
    /// The instant.
    pub(super) now: Timestamp,
}

impl History for Past<'_> {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn used(&self, rule: &Rule, by: &Principal, since: Timestamp) -> u64 {
        self.of_gate.map_or(0, |of_gate| of_gate.admissions.used(self.used, rule, by, since))
    }

    fn overdue_review(&self, by: &Principal) -> Option<u64> {
        let mut debts = self.of_gate?.debts.iter();
        let policy = self.used.policy();
        let is_due =
            |debt: &Debt| debt.deadline <= self.now && gate_policy::is_same_person(policy, by, &debt.by);
        debts.find(|(_, debt)| is_due(debt)).map(|(id, _)| *id)
    }
}
