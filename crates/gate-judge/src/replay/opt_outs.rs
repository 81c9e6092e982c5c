//! The opt-outs of a ledger: requests, grants, and what became of them.
//!
//! What is certainly over is forgotten, so that memory follows what is live and not the ledger's age. Clocks
//! may jump, so "certainly" means: it had ended a month before anything that the last few thousand entries
//! say about the time. For quotas a few bytes of each grant stay.

use crate::repository::Whose;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};

use gate_ledger::entry::Entry;
use gate_model::action::Action;
use gate_model::time::Timestamp;

use super::Position;
use super::life::{Deed, Granted, OptOut};
use super::of_gate::{Debt, OfGate};
use super::past::Admission;
use super::report::Doubt;
use super::wire::Facts;

/// How long after its end an opt-out is kept, in seconds.
const KEPT_AFTER_END: u64 = 31 * 86_400;

/// How many entries in a row say what time it certainly is.
const BLOCK: u64 = 4096;

/// Every opt-out that a later entry can still name.
#[derive(Debug, Default)]
pub(super) struct OptOuts {
    by_id: HashMap<u64, OptOut>,
    gates: HashMap<String, OfGate>,
    /// Opt-outs whose first entry or whose grant cannot be read, and why.
    lost: HashMap<u64, Doubt>,
    /// Digests of the nonces that were used.
    nonces: HashSet<[u8; 16]>,
    ends: BinaryHeap<Reverse<(Timestamp, u64)>>,
    calm: Calm,
}

/// What time it certainly was: the earliest that the entries of two blocks say.
#[derive(Debug, Default)]
struct Calm {
    passed: u64,
    earliest: Option<Timestamp>,
    before: Option<Timestamp>,
}

impl Calm {
    /// Takes the time of an entry; at the end of a block gives the time that it certainly was.
    fn pass(&mut self, at: Timestamp) -> Option<Timestamp> {
        let earliest = self.earliest.map_or(at, |earliest| earliest.min(at));
        (self.earliest, self.passed) = (Some(earliest), self.passed + 1);
        if self.passed < BLOCK {
            return None;
        }
        let certain = self.before.map_or(earliest, |before| before.min(earliest));
        *self = Self { passed: 0, earliest: None, before: Some(earliest) };
        Some(certain)
    }
}

impl OptOuts {
    /// The opt-out `id`.
    pub(super) fn get(&self, id: u64) -> Option<&OptOut> {
        self.by_id.get(&id)
    }

    /// The same, to be written to.
    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut OptOut> {
        self.by_id.get_mut(&id)
    }

    /// Why the opt-out `id` cannot be known, where its entry cannot be read.
    pub(super) fn lost(&self, id: u64) -> Option<&Doubt> {
        self.lost.get(&id)
    }

    /// The opt-outs of a gate.
    pub(super) fn of_gate(&self, gate: &str) -> Option<&OfGate> {
        self.gates.get(gate)
    }

    /// Files what a first entry began.
    pub(super) fn begin(&mut self, id: u64, opt_out: OptOut) {
        if let Some(asked) = &opt_out.request {
            self.ends.push(Reverse((asked.data.lapses, id)));
        }
        self.by_id.insert(id, opt_out);
    }

    /// Files an opt-out that cannot be read.
    pub(super) fn lose(&mut self, id: u64, why: Doubt) {
        self.lost.entry(id).or_insert(why);
    }

    /// Counts a grant of `gate` against the quotas of its rules.
    pub(super) fn admit(&mut self, gate: &str, admission: Admission<'_>) {
        self.gate_mut(gate).admissions.add(admission);
    }

    fn gate_mut(&mut self, gate: &str) -> &mut OfGate {
        if !self.gates.contains_key(gate) {
            self.gates.insert(gate.to_owned(), OfGate::default());
        }
        self.gates.entry(gate.to_owned()).or_default()
    }

    /// Files a grant of the opt-out `id`, which is there.
    pub(super) fn granted(&mut self, id: u64, granted: Granted) {
        let Some(opt_out) = self.by_id.get_mut(&id) else { return };
        self.ends.push(Reverse((granted.data.expires, id)));
        let of_gate = self.gates.entry(opt_out.gate.clone()).or_default();
        of_gate.enlist(id, &granted.data);
        if granted.data.ask.action == Action::Pause {
            of_gate.pauses.insert(id);
        }
        if let Some(owes) = &granted.data.owes {
            let whose = Whose::of_grant(&granted.data).into();
            let by = opt_out.requester.clone();
            of_gate.debts.insert(id, Debt { by, deadline: owes.by, whose });
        }
        opt_out.grant = Some(Granted { approvals: std::mem::take(&mut opt_out.approvals), ..granted });
    }

    /// Files a review of the opt-out `id` that its own policy lets its author give. Where the grant's policy does, too, the
    /// debt is settled; else it depends on who asks.
    pub(super) fn review(&mut self, id: u64, entry: &Entry) {
        let Some(opt_out) = self.by_id.get_mut(&id) else { return };
        opt_out.reviews.push(Deed::new(entry, Vec::new()));
        let then = opt_out.grant.as_ref().and_then(|granted| granted.then.clone());
        if then.is_some_and(|then| opt_out.is_reviewed(id, &then)) {
            self.settle(id, entry.seq);
        }
    }

    /// Settles the debt of the opt-out `id`.
    pub(super) fn settle(&mut self, id: u64, seq: u64) {
        let Some(opt_out) = self.by_id.get_mut(&id) else { return };
        opt_out.reviewed.get_or_insert(seq);
        if let Some(of_gate) = self.gates.get_mut(&opt_out.gate) {
            of_gate.debts.remove(&id);
        }
    }

    /// Counts a decision as one use of each opt-out that it says it spent.
    pub(super) fn spend(&mut self, at: Position<'_>, facts: &Facts<'_>) {
        let Some(spends) = &facts.spends else { return };
        let spent: BTreeSet<u64> = spends.iter().copied().collect();
        for id in spent {
            let opt_out = self.by_id.get_mut(&id).filter(|opt_out| at.gate == Some(opt_out.gate.as_str()));
            if let Some(granted) = opt_out.and_then(|opt_out| opt_out.grant.as_mut()) {
                granted.spent.push(at.seq);
            }
        }
    }

    /// Whether a signed request was used before.
    pub(super) fn is_nonce_used(&self, nonce: &str) -> bool {
        self.nonces.contains(&digest(nonce))
    }

    /// Takes note of the nonce of the entry's request, if the entry uses it up.
    pub(super) fn take_nonce(&mut self, entry: &Entry) {
        if !crate::records::takes_nonce(entry) {
            return;
        }
        if let Some(nonce) = crate::records::nonce_of(entry) {
            self.nonces.insert(digest(nonce));
        }
    }

    /// Takes the grants of `gate` that are over at `now`, or used up or revoked, from those that may be live.
    ///
    /// Only [`OfGate::candidates`] rests on this: what a decision names is looked up and judged whatever its
    /// time, so a clock that jumped does no harm.
    pub(super) fn strike_over(&mut self, gate: &str, now: Timestamp) {
        let Some(of_gate) = self.gates.get_mut(gate) else { return };
        while let Some(id) = of_gate.next_over(now) {
            if let Some(granted) = self.by_id.get(&id).and_then(|opt_out| opt_out.grant.as_ref()) {
                of_gate.strike(id, &granted.data);
            }
        }
    }

    /// Forgets what is certainly over now that an entry was written at `at`.
    pub(super) fn forget(&mut self, at: Timestamp) {
        let Some(certain) = self.calm.pass(at) else { return };
        let limit = certain.minus(KEPT_AFTER_END);
        while let Some(Reverse((end, id))) = self.ends.peek().copied()
            && end < limit
        {
            self.ends.pop();
            self.forget_one(id, limit);
        }
    }

    /// A granted request has two ends; the later one counts. What owes a review waits for it.
    fn forget_one(&mut self, id: u64, limit: Timestamp) {
        let Some(opt_out) = self.by_id.get(&id) else { return };
        let granted = opt_out.grant.as_ref();
        let is_live = granted.is_some_and(|granted| granted.data.expires >= limit);
        let owes = granted.is_some_and(|granted| granted.data.owes.is_some()) && opt_out.reviewed.is_none();
        if is_live || owes {
            return;
        }
        if let (Some(granted), Some(of_gate)) = (granted, self.gates.get_mut(&opt_out.gate)) {
            of_gate.strike(id, &granted.data);
            of_gate.pauses.remove(&id);
        }
        self.by_id.remove(&id);
    }
}

/// The nonce is anything that somebody signed; a digest has one size.
fn digest(nonce: &str) -> [u8; 16] {
    let hash = gate_ledger::entry::hash(nonce.as_bytes());
    let mut half = [0; 16];
    half.copy_from_slice(&hash.0[..16]);
    half
}

#[cfg(test)]
mod tests {
    use gate_model::time::Timestamp;

    use super::{BLOCK, Calm};

    fn at(hour: u64) -> Timestamp {
        Timestamp::parse("2026-01-01T00:00:00Z").unwrap().plus(hour * 3_600).unwrap()
    }

    #[test]
    fn a_clock_in_the_future_does_not_make_a_ledger_forget() {
        let mut calm = Calm::default();
        let certain: Vec<Timestamp> = (0..2 * BLOCK).filter_map(|n| calm.pass(at(n))).collect();
        assert_eq!(certain, [at(0), at(0)]);
        // One machine is years ahead, the others are not.
        let certain: Vec<Timestamp> = (0..2 * BLOCK)
            .filter_map(|n| calm.pass(if n % 2 == 0 { at(90_000) } else { at(20_000 + n) }))
            .collect();
        assert_eq!(certain, [at(BLOCK), at(20_001)]);
    }
}
