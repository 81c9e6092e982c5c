//! Which opt-outs of a gate count, here and now.
//!
//! A grant is never used on trust. Each live one is derived again from its own entry: the policy that
//! admitted it must be in the ledger and allow it, today's policy must allow it too, nobody may have revoked
//! it, its signature and approvals must hold, its scope must cover the run, and uses must be left. What
//! fails is set aside with the reason, so that a decision can say why an opt-out did not count.

mod weigh;

use std::ops::ControlFlow;

use gate_ledger::entry::Entry;
use gate_ledger::store::{StoreError, View};
use gate_model::action::Action;
use gate_model::context::Context;
use gate_model::decision::OptOut;
use gate_model::finding::Evidence;
use gate_model::payload::{GrantData, RequestData};
use gate_model::principal::{Assurance, Principal};
use gate_model::request::Request;
use gate_model::scope::Scope;
use gate_model::time::Timestamp;

use crate::approval;
use crate::history;
use crate::policies::Policies;
use crate::policy_source::Loaded;
use crate::records;
use weigh::{Objection, weigh};

/// An opt-out that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// The opt-out's ID.
    pub id: u64,
    /// The seq of its grant.
    pub seq: u64,
    /// What it does.
    pub action: Action,
    /// Who asked for it.
    pub by: Principal,
    /// Why.
    pub reason: String,
    /// When it ends.
    pub expires: Timestamp,
    /// What it is bound to.
    pub scope: Scope,
    /// What a waiver accepts.
    pub findings: Vec<Evidence>,
    /// How many uses are left, where they are limited.
    pub uses_left: Option<u64>,
    /// The risk that its rule accepts in so many words, which every decision repeats.
    pub accepted_risk: Option<String>,
}

impl Live {
    /// The opt-out as a decision mentions it.
    pub fn mention(&self, note: Option<String>) -> OptOut {
        OptOut {
            id: self.id,
            action: self.action,
            by: self.by.id.clone(),
            reason: self.reason.clone(),
            expires: self.expires,
            note,
        }
    }
}

/// A live grant that does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// The opt-out's ID.
    pub id: u64,
    /// What it would do, where that could be read.
    pub action: Option<Action>,
    /// Who asked for it, where that could be read.
    pub by: Option<String>,
    /// Why it was asked for, where that could be read.
    pub reason: Option<String>,
    /// When it ends, where that could be read.
    pub expires: Option<Timestamp>,
    /// Why it does not count, as a sentence's end: `is for commit …`.
    pub why: String,
    /// Whether it merely belongs elsewhere (another commit, a later time): nothing is wrong with it.
    pub elsewhere: bool,
}

/// Every live grant of a gate, sorted into what counts and what does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// What counts, oldest first.
    pub live: Vec<Live>,
    /// What does not, and why.
    pub set_aside: Vec<SetAside>,
    /// Break-glass opt-outs of the gate whose review is overdue, as sentences.
    pub overdue: Vec<String>,
}

impl Standing {
    /// The live opt-outs with `action`, oldest first.
    pub fn of(&self, action: Action) -> impl Iterator<Item = &Live> {
        self.live.iter().filter(move |live| live.action == action)
    }
}

/// What the standing of a gate is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The gate.
    pub gate: &'a str,
    /// The policy in force.
    pub today: &'a Loaded,
    /// Where the gate runs.
    pub context: &'a Context,
    /// The instant.
    pub now: Timestamp,
    /// The newest entry before a command started: what was made after it counts only where somebody signed it
    /// meanwhile, so that a command cannot excuse itself.
    pub seen: Option<Seen>,
}

/// The entry that was newest when a gate's run began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its position.
    pub seq: u64,
    /// Its time.
    pub at: Timestamp,
}

/// Why a grant at `seq`, which counts by `request`, could be the work of a command that ran since `seen`, or of whoever
/// keeps an old signature for it: a request that was signed before may have been granted before, and who can write the
/// ledger's file can take that grant away.
pub(crate) fn excuses_itself(
    seen: Seen,
    first: u64,
    grant: u64,
    by: &Principal,
    request: Option<&Request>,
) -> Option<&'static str> {
    if grant <= seen.seq {
        return None;
    }
    if by.assurance != Assurance::Signed {
        return Some("was made while the command ran, without a signature");
    }
    let is_new = request.is_some_and(|request| request.requested_at > seen.at);
    (first > seen.seq && !is_new)
        .then_some("was made while the command ran, with a request that was signed before")
}

/// Sorts the live grants of a gate.
///
/// # Errors
/// A failure of the store. A grant that cannot be read is set aside, not an error.
pub fn read(
    view: &View<'_>,
    policies: &mut Policies,
    question: &Question<'_>,
) -> Result<Standing, StoreError> {
    let mut standing = Standing::default();
    for entry in view.live_grants(question.gate, question.now)? {
        match examine(view, policies, question, &entry)? {
            Examined::Counts(live) => standing.live.push(*live),
            Examined::Aside(aside) => standing.set_aside.push(aside),
            Examined::Over => {}
        }
    }
    standing.overdue = overdue(view, question.gate, question.now)?;
    standing.live.sort_by_key(|live| live.seq);
    standing.set_aside.sort_by_key(|aside| aside.id);
    Ok(standing)
}

/// The reviews of the gate that are overdue at `now`, which every decision of the gate repeats.
///
/// # Errors
/// A failure of the store.
pub fn overdue(view: &View<'_>, gate: &str, now: Timestamp) -> Result<Vec<String>, StoreError> {
    let mut sentences = Vec::new();
    for entry in view.owing(Some(gate))? {
        if !history::is_overdue(view, &entry, now)? {
            continue;
        }
        let (id, by) = (records::id_of(&entry), records::actor(&entry).map(|by| by.id).unwrap_or_default());
        let deadline = history::deadline_of(&entry).map(|deadline| deadline.to_string()).unwrap_or_default();
        sentences.push(format!(
            "the review of break-glass opt-out {id} by {by} is overdue since {deadline}: gate-skip review {id}"
        ));
    }
    Ok(sentences)
}

/// The requests for this gate and this place that still wait for approvals, newest first.
///
/// # Errors
/// A failure of the store.
pub fn pending(view: &View<'_>, question: &Question<'_>) -> Result<Vec<u64>, StoreError> {
    let mut waiting = Vec::new();
    view.requests(Some(question.gate), &mut |entry: &Entry| {
        let data = records::data::<RequestData>(entry).ok();
        let is_here = |data: &RequestData| {
            question.now < data.lapses && gate_policy::scope_holds(&data.ask.scope, question.context).is_ok()
        };
        if data.as_ref().is_some_and(is_here) {
            waiting.push(entry.seq);
        }
        ControlFlow::Continue(())
    })?;
    let mut open = Vec::new();
    for id in waiting {
        let ended = view.life(id)?.iter().any(approval::ends_request);
        if !ended {
            open.push(id);
        }
    }
    Ok(open)
}

enum Examined {
    Counts(Box<Live>),
    Aside(SetAside),
    /// Revoked, rejected by its reviewer, or spent: its life is over.
    Over,
}

fn examine(
    view: &View<'_>,
    policies: &mut Policies,
    question: &Question<'_>,
    entry: &Entry,
) -> Result<Examined, StoreError> {
    let id = records::id_of(entry);
    let read = records::data::<GrantData>(entry).and_then(|data| Ok((data, records::actor(entry)?)));
    let (data, by) = match read {
        Ok(read) => read,
        Err(error) => return Ok(Examined::Aside(unreadable(id, error.to_string()))),
    };
    let life = view.life(id)?;
    if life.iter().any(records::ends_opt_out) {
        return Ok(Examined::Over);
    }
    let uses_left = match data.ask.max_uses {
        None => None,
        Some(max) => Some(max.saturating_sub(uses(view, question.gate, id, entry.seq)?)),
    };
    if uses_left == Some(0) {
        return Ok(Examined::Over);
    }
    let accepted_risk = match weigh(view, policies, question, (entry, &data, &by), &life)? {
        Ok(accepted_risk) => accepted_risk,
        Err(objection) => return Ok(Examined::Aside(aside(id, data, by, objection))),
    };
    Ok(Examined::Counts(Box::new(Live { uses_left, accepted_risk, ..live(id, entry.seq, data, by) })))
}

/// An opt-out that counts, with what its grant says.
fn live(id: u64, seq: u64, data: GrantData, by: Principal) -> Live {
    let GrantData { ask, expires, .. } = data;
    Live {
        id,
        seq,
        action: ask.action,
        by,
        reason: ask.reason,
        expires,
        scope: ask.scope,
        findings: ask.findings,
        uses_left: None,
        accepted_risk: None,
    }
}

/// A grant that does not count, with what it says.
fn aside(id: u64, data: GrantData, by: Principal, objection: Objection) -> SetAside {
    SetAside {
        id,
        action: Some(data.ask.action),
        by: Some(by.id),
        reason: Some(data.ask.reason),
        expires: Some(data.expires),
        why: objection.why,
        elsewhere: objection.elsewhere,
    }
}

/// A grant that does not count, since it cannot be read.
const fn unreadable(id: u64, why: String) -> SetAside {
    SetAside { id, action: None, by: None, reason: None, expires: None, why, elsewhere: false }
}

/// How many decisions have spent the opt-out `id` since its grant.
fn uses(view: &View<'_>, gate: &str, id: u64, since: u64) -> Result<u64, StoreError> {
    let spends = |entry: &Entry| {
        let list = entry.data.get("spends").and_then(serde_json::Value::as_array);
        list.is_some_and(|ids| ids.iter().any(|spent| spent.as_u64() == Some(id)))
    };
    Ok(view.spends(gate, since)?.iter().filter(|entry| spends(entry)).count() as u64)
}
