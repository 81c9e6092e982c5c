//! The life of an opt-out: its request, who approved it, its grant, its uses, its end.

use std::cell::RefCell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::rc::Rc;

use gate_ledger::entry::{Entry, EntryHash};
use gate_model::payload::{Ask, GrantData, RequestData};
use gate_model::principal::{Assurance, Principal};
use gate_model::time::Timestamp;
use gate_policy::Subject;

use crate::life::{Life, Over, Turn};
use crate::lifting::Ended;
use crate::recorded::Recorded;
use crate::signatures::{self, Known, Mark};
use crate::standing::Approved;

use super::policy_log::Used;
use super::report::Doubt;

/// An opt-out, from its first entry on.
#[derive(Debug)]
pub(super) struct OptOut {
    /// The gate.
    pub(super) gate: String,
    /// Who asked for it.
    pub(super) requester: Principal,
    /// How its life stands.
    pub(super) life: Life,
    /// Every entry of its life: what a signed statement may name.
    pub(super) marks: Vec<Mark>,
    /// The request, where it had one.
    pub(super) request: Option<Asked>,
    /// Who approved.
    pub(super) approvers: Vec<Principal>,
    /// When each of its approvals was given.
    pub(super) approved: Vec<Approved>,
    /// The approvals while it waits.
    pub(super) approvals: Vec<Entry>,
    /// The grant.
    pub(super) grant: Option<Granted>,
    /// What ended it by the policy of its own moment, where it is a pause. Whether it did is asked of each policy in force.
    pub(super) lifts: Vec<Deed>,
    /// The entry that reviewed it, whoever asks.
    pub(super) reviewed: Option<u64>,
    /// Reviews that count for whose policy lets their author review.
    pub(super) reviews: Vec<Deed>,
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
    /// When it was appended.
    pub(super) at: Timestamp,
    pub(super) data: GrantData,
    /// The policy it was admitted under, unless that is what is wrong with it.
    pub(super) then: Option<Rc<Recorded>>,
    /// Whether its approvals sufficed.
    pub(super) approved: Result<(), String>,
    /// The entries of the decisions that spent it.
    pub(super) spent: Vec<u64>,
    /// What its requester's signature is judged by.
    pub(super) proof: Proof,
    /// The approvals that it rests on.
    pub(super) approvals: Vec<Entry>,
    /// Whether it has what rules of later policies ask for, by the policy's entry and the rule's number.
    pub(super) earned: RefCell<HashMap<(u64, u64), Result<(), String>>>,
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

/// What somebody did to an opt-out; each policy that comes to ask whether it counts is asked once.
#[derive(Debug)]
pub(super) struct Deed {
    entry: Entry,
    /// The pauses beside those of its life that its signed statement may name.
    newer: Vec<Mark>,
    /// By the seq of the policy's entry.
    answers: RefCell<HashMap<u64, bool>>,
}

/// What a deed may have done.
#[derive(Debug, Clone, Copy)]
enum Question {
    /// Did it end a pause?
    Ends,
    /// Did it review what owes a review?
    Reviews,
}

impl Deed {
    /// The deed in `entry`.
    pub(super) fn new(entry: &Entry, newer: Vec<Mark>) -> Self {
        Self { entry: entry.clone(), newer, answers: RefCell::default() }
    }

    fn counts(&self, (id, opt_out): (u64, &OptOut), policy: &Recorded, question: Question) -> bool {
        let judge = || {
            let marks = [opt_out.marks.as_slice(), &self.newer].concat();
            let granted = opt_out.grant.as_ref().zip(opt_out.to_end(id, &marks));
            granted.is_some_and(|(granted, ended)| {
                let (trust, data) = (policy.trust(), &granted.data);
                let answer = match question {
                    Question::Ends => ended.by(trust, data, &self.entry),
                    Question::Reviews => ended.reviewed_by(trust, data, &self.entry),
                };
                answer.is_ok()
            })
        };
        *self.answers.borrow_mut().entry(policy.seq).or_insert_with(judge)
    }
}

impl Granted {
    /// What a signed statement about it names.
    pub(super) const fn mark(&self) -> Mark {
        Mark { hash: self.hash, at: self.at }
    }
}

impl OptOut {
    /// Takes the next entry of its life, and says whether that stands in it as an end.
    pub(super) fn pass(&mut self, entry: &Entry) -> bool {
        self.marks.push(Mark::of(entry));
        self.life.pass(entry)
    }

    /// Whether the entry `turn` lifts it for whom `today` is in force; its ID is `id`.
    fn is_lifted(&self, id: u64, turn: Turn, today: &Used) -> bool {
        let mut lifts = self.lifts.iter().filter(|lift| lift.entry.seq == turn.seq);
        lifts.any(|lift| lift.counts((id, self), &today.recorded, Question::Ends))
    }

    /// Why it, whose ID is `id`, is over at `now` for whom `today` is in force.
    pub(super) fn over(&self, id: u64, now: Timestamp, today: &Used) -> Option<Over> {
        let Ok(over) = self.life.over(now, |turn| Ok::<_, Infallible>(self.is_lifted(id, turn, today)));
        over
    }

    /// The entry that ended it, whose ID is `id`, for whom `today` is in force.
    pub(super) fn ended(&self, id: u64, today: &Used) -> Option<u64> {
        self.ended_in(&self.life, id, today)
    }

    /// The same as it was when the entry `seq` was the newest.
    pub(super) fn ended_up_to(&self, id: u64, seq: u64, today: &Used) -> Option<u64> {
        self.ended_in(&self.life.up_to(seq), id, today)
    }

    fn ended_in(&self, life: &Life, id: u64, today: &Used) -> Option<u64> {
        let Ok(ended) = life.ended(|turn| Ok::<_, Infallible>(self.is_lifted(id, turn, today)));
        ended.map(|turn| turn.seq)
    }

    /// Whether nobody owes a review of it any more, as whom `today` is in force sees it; its ID is `id`.
    pub(super) fn is_reviewed(&self, id: u64, today: &Recorded) -> bool {
        let counts = |review: &Deed| review.counts((id, self), today, Question::Reviews);
        self.reviewed.is_some() || self.reviews.iter().any(counts)
    }

    /// The opt-out as its end is judged, with what a signed statement about it may name.
    pub(super) fn to_end<'a>(&'a self, id: u64, marks: &'a [Mark]) -> Option<Ended<'a>> {
        let (hash, ask) = match (&self.grant, &self.request) {
            (Some(granted), _) => (granted.hash, &granted.data.ask),
            (None, Some(asked)) => (asked.entry.hash, &asked.data.ask),
            (None, None) => return None,
        };
        Some(Ended { id, hash, subject: self.asked(ask, None), marks })
    }

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
            life: Life::of(entry, &[]),
            marks: vec![Mark::of(entry)],
            request: None,
            approvers: Vec::new(),
            approved: Vec::new(),
            approvals: Vec::new(),
            grant: None,
            lifts: Vec::new(),
            reviewed: None,
            reviews: Vec::new(),
            flaw,
        }
    }
}
