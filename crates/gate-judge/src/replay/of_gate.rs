//! The opt-outs of one gate, by what a decision asks about them.

use crate::repository::Named;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

use gate_model::action::Action;
use gate_model::payload::GrantData;
use gate_model::principal::Principal;
use gate_model::time::Timestamp;

use super::past::Admissions;

/// The opt-outs of one gate.
#[derive(Debug, Default)]
pub(super) struct OfGate {
    /// The grants that may be live: to be found by a decision that should have applied them.
    live: HashMap<Action, Candidates>,
    /// When each of them ends.
    ends: BinaryHeap<Reverse<(Timestamp, u64)>>,
    /// When which rule granted what to whom.
    pub(super) admissions: Admissions,
    /// The pauses, live or not.
    pub(super) pauses: BTreeSet<u64>,
    /// The grants that owe a review.
    pub(super) debts: BTreeMap<u64, Debt>,
}

/// Grants with one action, by the commit that they are bound to.
#[derive(Debug, Default)]
struct Candidates {
    anywhere: BTreeSet<u64>,
    by_commit: HashMap<String, BTreeSet<u64>>,
}

/// A review that is owed.
#[derive(Debug)]
pub(super) struct Debt {
    pub(super) by: Principal,
    pub(super) deadline: Timestamp,
    /// The repository whose gate it is.
    pub(super) whose: Named,
}

impl OfGate {
    /// Whether any grant may be live.
    pub(super) fn has_live(&self) -> bool {
        !self.live.is_empty()
    }

    /// The opt-outs with `action` that may be live where `commit` is run.
    pub(super) fn candidates(&self, action: Action, commit: Option<&str>) -> impl Iterator<Item = u64> {
        let live = self.live.get(&action);
        let anywhere = live.into_iter().flat_map(|live| &live.anywhere);
        let here = live.and_then(|live| live.by_commit.get(commit?)).into_iter().flatten();
        anywhere.chain(here).copied()
    }

    pub(super) fn enlist(&mut self, id: u64, data: &GrantData) {
        let live = self.live.entry(data.ask.action).or_default();
        match &data.ask.scope.commit {
            Some(commit) => live.by_commit.entry(commit.clone()).or_default().insert(id),
            None => live.anywhere.insert(id),
        };
        self.ends.push(Reverse((data.expires, id)));
    }

    pub(super) fn strike(&mut self, id: u64, data: &GrantData) {
        let action = data.ask.action;
        let Some(live) = self.live.get_mut(&action) else { return };
        live.anywhere.remove(&id);
        if let Some(commit) = &data.ask.scope.commit
            && let Some(here) = live.by_commit.get_mut(commit)
        {
            here.remove(&id);
            if here.is_empty() {
                live.by_commit.remove(commit);
            }
        }
        if live.anywhere.is_empty() && live.by_commit.is_empty() {
            self.live.remove(&action);
        }
    }

    /// The next grant that has ended by `now`.
    pub(super) fn next_over(&mut self, now: Timestamp) -> Option<u64> {
        let Reverse((end, id)) = self.ends.peek().copied()?;
        if end > now {
            return None;
        }
        self.ends.pop();
        Some(id)
    }
}
