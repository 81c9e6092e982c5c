//! Judging again: whether each admission, act and decision of a ledger came out as the rules of its moment
//! say.
//!
//! Purpose: `gate-verify --replay` hands every entry to a [`Replayer`], in order, whatever it was read from.
//! Each verdict is derived anew from what stands before it: the policy text that it names (its digest is
//! computed again), the keys of that text, the requests, approvals and grants so far, the quotas that they
//! filled, the debts that they left. What comes out otherwise is a disagreement: a grant that should not have
//! been, a denial that should have been a grant, a use outside its scope, a pass with findings that block.
//!
//! Invariants: nothing is read but the entries, and each once; no clock, no store. What a ledger written by
//! these tools holds never disagrees. What cannot be judged (a `judge` of another build) is *not judged* and
//! never counts as agreement; neither does what rests on it. Memory is kept for what later judgements can
//! need: live opt-outs, the times of grants for quotas, nonces, debts, and the newest entries' hashes.
//!
//! Not here: whether the chain is whole, which gate-ledger verifies at the same time. What a ledger cannot
//! show is taken as recorded: asserted names, tokens of CI systems (they are not kept), contents of reports.
//!
//! Each verdict is judged at the instant that it says it was made at. That must lie between the times of its
//! neighbours: see [`crate::moment`].

mod acts;
mod admissions;
mod archived;
mod asking;
mod decisions;
mod erasure;
mod findings;
mod heads;
mod life;
mod of_gate;
mod openings;
mod opt_outs;
mod past;
mod policy_log;
mod refusals;
mod report;
mod terms;
mod uses;
mod wire;

use std::collections::HashSet;

use gate_ledger::entry::{Entry, EntryError, EntryHash, Kind};
use gate_ledger::redaction;
use gate_ledger::verify::Seen;
use gate_model::JUDGE;
use gate_model::decision::PolicyUsed;
use gate_model::time::Timestamp;
use gate_model::verification::{Replay, Warning};
use gate_policy::Past;
use serde::Deserialize;

use crate::moment::{Clock, Moment};
use crate::repository::Whose;

use archived::Archived;
pub use openings::{ListError, Listed, Openings};

use heads::Heads;
use opt_outs::OptOuts;
use past::FoldedPast;
use policy_log::PolicyLog;
use report::{Doubt, Judged, Report};

/// What judging a ledger again came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// How many entries were judged, which of them come out otherwise, and what could not be judged.
    pub replay: Replay,
    /// What is odd but not wrong: `worktree-policy`, `refused-policy`, `superseded-policy`, `token-not-kept`.
    pub warnings: Vec<Warning>,
}

/// Judges the entries of one ledger again, in order from its first.
#[derive(Default)]
pub struct Replayer {
    state: State,
    report: Report,
    openings: Option<Box<dyn Openings>>,
}

/// What earlier entries say that later ones are judged by.
#[derive(Debug, Default)]
struct State {
    clock: Clock,
    heads: Heads,
    policy_log: PolicyLog,
    opt_outs: OptOuts,
    genesis: Option<EntryHash>,
    /// Where entries are missing that were archived.
    archived: Option<Archived>,
    /// The opt-outs of which something was erased.
    erased: HashSet<u64>,
    /// What the entry before granted in place of another opt-out, which the next one has to end.
    renewing: Option<Renewing>,
}

/// A renewal that was granted. What it renews ends with the revocation right behind it, and with nothing else: who uses
/// an opt-out and who judges its use again ask the same.
#[derive(Debug, Clone, Copy)]
struct Renewing {
    renewed: u64,
    renewal: u64,
    /// The entry of the grant.
    seq: u64,
}

impl Renewing {
    fn ends_with(self, entry: &Entry) -> bool {
        let renewal = entry.data.get("renewed").and_then(serde_json::Value::as_u64);
        entry.kind == Kind::Revocation
            && entry.reference == Some(self.renewed)
            && renewal == Some(self.renewal)
    }

    fn unended(self) -> Doubt {
        Doubt::Wrong(format!("renews opt-out {}, and the entry behind it does not end that", self.renewed))
    }
}

/// Where a verdict stands.
#[derive(Debug, Clone, Copy)]
struct Position<'a> {
    seq: u64,
    gate: Option<&'a str>,
    /// The repository where an entry says that it was made.
    repository: Option<&'a str>,
    moment: Moment,
}

impl Position<'_> {
    /// The instant at which the verdict here says that it was made.
    fn instant(&self, said: Timestamp) -> Result<Timestamp, Doubt> {
        self.moment.includes(said).map(|()| said).map_err(Doubt::Wrong)
    }

    fn gate(&self) -> Result<&str, Doubt> {
        self.gate.ok_or_else(|| Doubt::wrong("names no gate"))
    }
}

impl Replayer {
    /// A replayer that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, with the openings of what the entries commit to. Without them all of it counts as erased.
    #[must_use]
    pub fn with_openings(mut self, openings: Option<Box<dyn Openings>>) -> Self {
        self.openings = openings;
        self
    }

    fn revealed(&mut self, mut entry: Entry) -> Result<Entry, String> {
        if !redaction::may_hold(&entry.body) {
            return Ok(entry);
        }
        match &mut self.openings {
            Some(openings) => openings.reveal(&mut entry)?,
            None => ().reveal(&mut entry)?,
        }
        Ok(entry)
    }

    /// Entries up to `before` are missing, policies apart, since they were archived. What may rest on them is not
    /// judged.
    pub fn gap(&mut self, before: u64) {
        self.state.archived = Some(Archived::behind(before));
    }

    /// Takes the next entry, its personal texts put back where they are known.
    pub fn entry(&mut self, entry: &Entry) {
        let moment = self.state.clock.moment(entry.kind, entry.at);
        let repository = entry.data.pointer("/context/repository").and_then(serde_json::Value::as_str);
        let at = Position { seq: entry.seq, gate: entry.gate.as_deref(), repository, moment };
        self.state.note_erased(entry);
        self.renewing(|renewing| renewing.ends_with(entry));
        let judged = match entry.kind {
            Kind::Genesis => {
                self.state.genesis.get_or_insert(entry.hash);
                None
            }
            Kind::Policy => Some(self.state.policy_log.file(entry)),
            Kind::Decision => Some(self.decision(at, wire::Facts::deserialize(&*entry.data), &entry.data)),
            Kind::Request => Some(self.state.request(at, entry, &mut self.report)),
            Kind::Grant => Some(self.state.grant(at, entry, &mut self.report)),
            Kind::Denial => Some(self.state.denial(at, entry, &mut self.report)),
            Kind::Approval => Some(self.state.approval(at, entry, &mut self.report)),
            Kind::Revocation => Some(self.state.revocation(at, entry, &mut self.report)),
            Kind::Review => Some(self.state.review(at, entry, &mut self.report)),
            Kind::Import | Kind::Archive | Kind::Note => None,
        };
        let judged = judged.map(|judged| self.state.excuse(entry, judged));
        let named = entry.reference.into_iter().chain(named_grants(&entry.data)).chain(renewed(entry)).min();
        let judged = judged.map(|judged| self.state.behind_archive((entry.kind, entry.at), named, judged));
        self.state.opt_outs.take_nonce(entry);
        self.pass(entry.seq, entry.kind, entry.hash, entry.at, moment, judged);
    }

    /// Takes the next entry as a verification sees it. The same as [`Replayer::entry`] of an entry read from
    /// `seen.body`, but decisions, which are most of a ledger, are read straight from their bytes.
    ///
    /// # Errors
    /// Where `seen.body` is not the body of an entry. That is a disagreement too, so that nothing is passed
    /// over by a caller who leaves such an entry to the verification.
    pub fn seen(&mut self, seen: &Seen<'_>) -> Result<(), EntryError> {
        if seen.kind == Kind::Decision
            && let Ok(line) = serde_json::from_slice::<wire::Line<'_>>(seen.body)
        {
            self.renewing(|_| false);
            let moment = self.state.clock.moment(seen.kind, line.at);
            let gate = line.gate.as_ref().map(wire::Text::as_str);
            let at = Position { seq: seen.seq, gate, repository: None, moment };
            let judged = self.facts(at, &line.data);
            let named = line.data.grants.iter().copied().min();
            let judged = self.state.behind_archive((seen.kind, line.at), named, judged);
            self.pass(seen.seq, seen.kind, seen.hash, line.at, moment, Some(judged));
            return Ok(());
        }
        // What is not a plain decision goes the long way, which also says what is wrong with it.
        let read = Entry::from_body(seen.body);
        match read {
            Ok(entry) => match self.revealed(entry) {
                Ok(entry) => self.entry(&entry),
                Err(reason) => self.report.add(seen.seq, Err(Doubt::Wrong(reason))),
            },
            Err(error) => {
                self.report.add(seen.seq, Err(Doubt::Wrong(format!("cannot be read: {error}"))));
                return Err(error);
            }
        }
        Ok(())
    }

    /// Names a renewal whose next entry does not end what it renews.
    fn renewing(&mut self, ends: impl FnOnce(Renewing) -> bool) {
        if let Some(renewing) = self.state.renewing.take().filter(|renewing| !ends(*renewing)) {
            self.report.add(renewing.seq, Err(renewing.unended()));
        }
    }

    /// Puts a question to what stands before the next entry, as a verdict at `now` on `gate` of the repository `here`
    /// may, under the policy that `used` names. Nothing where no entry so far holds that policy. This is how tests compare
    /// what is folded with what a store answers.
    pub fn past<T>(
        &self,
        (gate, here): (&str, Whose<'_>),
        used: &PolicyUsed,
        now: Timestamp,
        question: impl FnOnce(&dyn Past) -> T,
    ) -> Option<T> {
        let used = &self.state.policy_log.used(&used.digest, &used.source).ok()?;
        Some(question(&FoldedPast { state: &self.state, gate, used, here, now, before: None }))
    }

    /// What it all came to.
    #[must_use]
    pub fn finish(mut self) -> Replayed {
        // A renewal and the revocation behind it are one transaction: no ledger ends between them.
        self.renewing(|_| false);
        self.report.finish()
    }

    fn decision(
        &mut self,
        at: Position<'_>,
        facts: Result<wire::Facts<'_>, serde_json::Error>,
        data: &serde_json::Value,
    ) -> Judged {
        match facts {
            Ok(facts) => self.facts(at, &facts),
            Err(error) => Err(unreadable(data, &error)),
        }
    }

    fn facts(&mut self, at: Position<'_>, facts: &wire::Facts<'_>) -> Judged {
        let judged = self.state.decision(at, facts, &mut self.report);
        self.state.opt_outs.spend(at, facts);
        judged
    }

    fn pass(
        &mut self,
        seq: u64,
        kind: Kind,
        hash: EntryHash,
        at: Timestamp,
        moment: Moment,
        judged: Option<Judged>,
    ) {
        if let Some(judged) = judged {
            self.report.add(seq, judged);
        }
        self.state.clock.pass(kind, at, moment);
        self.state.heads.pass(seq, hash, at);
        self.state.opt_outs.forget(at);
    }
}

impl State {
    /// The judgement on an entry, or that it may rest on what was archived.
    fn behind_archive(&mut self, entry: (Kind, Timestamp), named: Option<u64>, judged: Judged) -> Judged {
        let Self { archived, policy_log, .. } = self;
        match archived {
            Some(archived) => archived.excuse(entry, named, || policy_log.longest(), judged),
            None => judged,
        }
    }
}

/// The opt-outs that a decision used.
fn named_grants(data: &serde_json::Value) -> impl Iterator<Item = u64> {
    let grants = data.get("grants").and_then(serde_json::Value::as_array);
    grants.into_iter().flatten().filter_map(serde_json::Value::as_u64)
}

/// The opt-out that the request or the grant in `entry` renews.
fn renewed(entry: &Entry) -> Option<u64> {
    entry.data.pointer("/renews/id")?.as_u64()
}

/// Checks that this build has the judge that made a verdict.
///
/// The one version so far is judged by the code around this. A second one, where the same facts get another
/// verdict, is told apart here and keeps the first beside it.
fn known_judge(judge: u64) -> Result<(), Doubt> {
    if (1..=u64::from(JUDGE)).contains(&judge) {
        return Ok(());
    }
    Err(Doubt::Unjudged(format!("judge {judge} is unknown to this build, which knows up to {JUDGE}")))
}

/// What to say of `data` that its kind's type cannot read: an unknown judge may have other members.
fn unreadable(data: &serde_json::Value, error: &dyn std::fmt::Display) -> Doubt {
    let judge = data.get("judge").and_then(serde_json::Value::as_u64);
    match judge.map(known_judge) {
        Some(Err(unknown)) => unknown,
        _ => Doubt::Wrong(format!("cannot be read: {error}")),
    }
}
