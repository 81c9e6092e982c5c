//! Which opt-outs of a gate count, here and now.
//!
//! A grant is never used on trust. Each live one is derived again from its own entry: the policy that
//! admitted it must be in the ledger and allow it, today's policy must allow it too, nobody may have ended
//! it, its signature and approvals must hold, its scope must cover the run, and uses must be left. What
//! fails is set aside with the reason, so that a decision can say why an opt-out did not count.

use gate_ledger::entry::Entry;
use gate_model::action::Action;
use gate_model::context::Context;
use gate_model::decision::OptOut;
use gate_model::finding::{Evidence, WaiverTerms};
use gate_model::payload::GrantData;
use gate_model::principal::{Assurance, Principal};
use gate_model::scope::Scope;
use gate_model::text::visible;
use gate_model::time::Timestamp;

use crate::records;
use crate::repository;

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
    /// What its rules say of a waiver beyond that.
    pub terms: WaiverTerms,
    /// How many uses are left, where they are limited.
    pub uses_left: Option<u64>,
    /// The risk that its rule accepts in so many words, which every decision repeats.
    pub accepted_risk: Option<String>,
    /// What stands in a pause's life as its end and does not count, as sentences.
    pub doubts: Vec<String>,
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
pub struct EffectiveOptOuts {
    /// What counts, oldest first.
    pub live: Vec<Live>,
    /// What does not, and why.
    pub set_aside: Vec<SetAside>,
    /// Break-glass opt-outs of the gate whose review is overdue, as sentences.
    pub overdue: Vec<String>,
}

impl EffectiveOptOuts {
    /// The live opt-outs with `action`, oldest first.
    pub fn of(&self, action: Action) -> impl Iterator<Item = &Live> {
        self.live.iter().filter(move |live| live.action == action)
    }
}

/// Where and when a run asks which opt-outs count.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The facts of the run.
    pub context: &'a Context,
    /// The instant.
    pub now: Timestamp,
    /// The newest entry before a command started: what was made after it counts only where somebody signed it
    /// meanwhile, so that a command cannot excuse itself.
    pub since: Option<Seen>,
}

/// A grant as a ledger has it.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// The opt-out's ID.
    pub id: u64,
    /// The seq of its grant.
    pub seq: u64,
    /// What the grant says.
    pub data: &'a GrantData,
    /// Who asked for it.
    pub by: &'a Principal,
    /// The approvals in its life.
    pub approvals: &'a [Approved],
}

/// An approval, as far as a run asks when it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approved {
    seq: u64,
    is_signed: bool,
    /// When it was written, where it was signed to travel.
    stated_at: Option<Timestamp>,
}

impl Approved {
    /// The approval in `entry`; what cannot be read was signed by nobody.
    pub fn of(entry: &Entry) -> Self {
        let is_signed = records::actor(entry).is_ok_and(|by| by.assurance == Assurance::Signed);
        let stated_at = entry.data.pointer("/statement/stated_at").and_then(serde_json::Value::as_str);
        Self { seq: entry.seq, is_signed, stated_at: stated_at.and_then(|at| Timestamp::parse(at).ok()) }
    }

    /// Why it does not count for a run that began at `seen`.
    fn excuses(self, seen: Seen) -> Option<String> {
        let said =
            |how: &str| Some(format!("rests on approval {}, made while the command ran {how}", self.seq));
        match self.stated_at {
            _ if self.seq <= seen.seq => None,
            _ if !self.is_signed => said("and without a signature"),
            Some(at) if at <= seen.at => said("with a signature from before"),
            _ => None,
        }
    }
}

/// Whether a grant is for this run, apart from whether it is right.
///
/// # Errors
/// Why not, as a sentence's end.
pub fn applies(held: &Held<'_>, run: &Run<'_>) -> Result<(), String> {
    let GrantData { ask, not_before, expires, .. } = held.data;
    if run.now < *not_before {
        return Err(format!("counts from {} on", not_before.to_second()));
    }
    if run.now >= *expires {
        return Err(format!("ended at {}", expires.to_second()));
    }
    if let Some(why) = run.since.and_then(|seen| excuses_itself(held, seen)) {
        return Err(why);
    }
    // A pause is the safe side: it holds even where the facts of the run contradict each other.
    if ask.action != Action::Pause
        && let Some(conflict) = run.context.conflicts.first()
    {
        return Err(format!("does not count, since the facts of this run contradict each other: {conflict}"));
    }
    gate_policy::scope_holds(ask.action, &ask.scope, run.context).map_err(|out| out.0)?;
    // A pause has no scope, and is one of the repository's gate all the same.
    if ask.action == Action::Pause && !repository::pauses_here(held.data, run.context) {
        let theirs = repository::of_grant(held.data).map(visible).unwrap_or_default();
        return Err(format!("is for repository {theirs}"));
    }
    Ok(())
}

/// When a gate's run began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The position of the entry that was newest then.
    pub seq: u64,
    /// The instant.
    pub at: Timestamp,
}

/// Why a grant could be the work of a command that ran since `seen`, or of whoever keeps an old signature for it: a
/// request that was signed before may have been granted before, and who can write the ledger's file can take that grant
/// away. A command can read its job's token, or fetch one, and so act under the job's `oidc` identity as it can under an
/// asserted one. Only a signature shows that somebody else agreed.
fn excuses_itself(held: &Held<'_>, seen: Seen) -> Option<String> {
    if let Some(why) = held.approvals.iter().find_map(|approval| approval.excuses(seen)) {
        return Some(why);
    }
    if held.seq <= seen.seq {
        return None;
    }
    if held.by.assurance != Assurance::Signed {
        return Some("was made while the command ran, without a signature".to_owned());
    }
    let is_new = held.data.request.as_ref().is_some_and(|request| request.requested_at > seen.at);
    (held.id > seen.seq && !is_new)
        .then(|| "was made while the command ran, with a request that was signed before".to_owned())
}
