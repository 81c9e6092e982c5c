//! The life of an opt-out: its request, who approved it, its grant, its uses, its end.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use gate_ledger::entry::{Entry, EntryHash};
use gate_model::payload::{Ask, GrantData, RequestData};
use gate_model::principal::{Assurance, Principal};
use gate_policy::Subject;

use crate::recorded::Recorded;
use crate::signatures::{self, Known, Mark};

use super::report::Doubt;

/// An opt-out, from its first entry on.
#[derive(Debug)]
pub(super) struct OptOut {
    /// The gate.
    pub(super) gate: String,
    /// Who asked for it.
    pub(super) requester: Principal,
    /// Every entry of its life: what a signed statement may name.
    pub(super) marks: Vec<Mark>,
    /// The request, where it had one.
    pub(super) request: Option<Asked>,
    /// Who approved.
    pub(super) approvers: Vec<Principal>,
    /// The newest approval without a signature.
    pub(super) approved_unsigned: Option<u64>,
    /// The approvals while it waits.
    pub(super) approvals: Vec<Entry>,
    /// The grant.
    pub(super) grant: Option<Granted>,
    /// The entry that ended it before its time: a revocation or a rejection.
    pub(super) ended: Option<u64>,
    /// The entry that reviewed it.
    pub(super) reviewed: Option<u64>,
    /// What was wrong with its request or its grant: what rests on it is no better.
    pub(super) flaw: Option<Doubt>,
}

/// A request that waits, or waited.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) entry: Entry,
    pub(super) data: RequestData,
}

/// A grant with what its uses are judged by.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) seq: u64,
    pub(super) hash: EntryHash,
    pub(super) data: GrantData,
    /// The policy it was admitted under, unless that is what is wrong with it.
    pub(super) then: Option<Rc<Recorded>>,
    /// Whether its approvals sufficed.
    pub(super) approved: Result<(), String>,
    /// The entries of the decisions that spent it.
    pub(super) spent: Vec<u64>,
    /// What its requester's signature is judged by.
    pub(super) proof: Proof,
}

/// A requester's signature, judged by the keys of one policy after another; each is asked once.
#[derive(Debug, Default)]
pub(super) struct Proof {
    /// The grant's entry, where its requester signed.
    signed: Option<(Box<Entry>, Known)>,
    /// By the seq of the policy's entry.
    answers: RefCell<HashMap<u64, Result<(), String>>>,
}

impl Proof {
    /// The proof of a grant. `known` is asked only for a signed one.
    pub(super) fn of(entry: &Entry, by: &Principal, known: Known) -> Self {
        let is_signed = by.assurance == Assurance::Signed;
        Self { signed: is_signed.then(|| (Box::new(entry.clone()), known)), answers: RefCell::default() }
    }

    /// Whether it holds by the keys that `policy` trusts.
    pub(super) fn holds(&self, data: &GrantData, by: &Principal, policy: &Recorded) -> Result<(), String> {
        let Some((entry, known)) = &self.signed else { return Ok(()) };
        let judge = || {
            let trust = (&policy.policy, policy.data.files.as_slice());
            let proven = signatures::requester(known, trust, entry, data.request.as_ref(), by);
            proven.map_err(|error| error.to_string())
        };
        self.answers.borrow_mut().entry(policy.seq).or_insert_with(judge).clone()
    }
}

impl OptOut {
    /// The opt-out as the rules see what somebody does with it; `ask` is what its request or its grant asks for.
    pub(super) fn asked<'a>(&'a self, ask: &'a Ask, author: Option<&'a str>) -> Subject<'a> {
        let (gate, requester, approvers) = (self.gate.as_str(), &self.requester, self.approvers.as_slice());
        Subject { gate, ask, requester, approvers, author }
    }

    /// An opt-out that begins with `entry`.
    pub(super) fn new(entry: &Entry, requester: Principal, flaw: Option<Doubt>) -> Self {
        Self {
            gate: entry.gate.clone().unwrap_or_default(),
            requester,
            marks: vec![Mark::of(entry)],
            request: None,
            approvers: Vec::new(),
            approved_unsigned: None,
            approvals: Vec::new(),
            grant: None,
            ended: None,
            reviewed: None,
            flaw,
        }
    }
}
