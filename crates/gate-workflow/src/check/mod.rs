//! Running and judging a gate: what may happen before it, what it came to, and the entry that records it.
//!
//! Where there is no usable ledger the gate is enforced as if there were no opt-outs, and nothing is
//! recorded; a gate with `require_ledger` stops instead, before anything starts. An opt-out that cannot be
//! recorded is not used: the entry and the use are one transaction.

mod failure;
mod plan;

use std::time::{Duration, Instant};

use gate_ledger::entry::Kind;
use gate_ledger::store::{Access, Head, Transaction, View};
use gate_model::context::Context;
use gate_model::decision::{Decision, Verdict};
use gate_model::payload::Mode;
use gate_model::principal::Principal;
use gate_model::request::SeenHead;
use gate_model::time::Timestamp;
use gate_policy::Gate;

use crate::judgement::{self, Before, Outcome, Ruling};
use crate::policies::{self, Policies};
use crate::records;
use crate::setting::Setting;
use crate::standing::{self, Question, Standing};
use crate::verdict::{self, Circumstances};

pub use failure::CheckError;
use failure::Failed;

/// A clock that moved by more than this against the time that really passed is recorded, in seconds.
const CLOCK_TOLERANCE: i64 = 300;

/// How often a paused gate is looked at again.
const POLL: Duration = Duration::from_millis(500);

/// A gate about to be decided.
pub struct Checker<'a> {
    /// Policy, ledger, facts.
    pub setting: &'a Setting<'a>,
    /// The gate's name.
    pub name: &'a str,
    /// The gate's rules.
    pub gate: &'a Gate,
}

/// What came before the gate's own run.
pub enum Begun {
    /// A pause or a skip decided.
    Settled(Box<Decision>),
    /// The gate has to run.
    Go(Started),
}

/// A gate whose run has begun.
#[derive(Debug)]
pub struct Started {
    /// The newest entry at the start; `None` where no ledger could be used.
    seen: Option<SeenHead>,
    wall: Timestamp,
    monotonic: Instant,
    /// Whether a command runs between start and end; its grants to itself do not count.
    commanded: bool,
}

/// How the attempt to record a pause's or a skip's decision ended.
enum Settled {
    By(Box<Decision>),
    NotRecorded,
    LookAgain,
}

/// An outcome on its way through a transaction that may fail. A large report is never held twice: judging moves it
/// into the ruling, and what could not be recorded is taken out of that again.
enum Work {
    Waiting(Outcome),
    Judged(Ruling),
}

impl Work {
    /// Judges it and lets `record` look at the ruling.
    fn judged<T>(&mut self, standing: &Standing, record: impl FnOnce(&Ruling) -> T) -> T {
        // What stands here meanwhile did not run, so that nothing could pass by it.
        let meanwhile = Self::Waiting(Outcome::DidNotRun("it is being judged".to_owned()));
        let ruling = std::mem::replace(self, meanwhile).into_ruling(standing);
        let done = record(&ruling);
        *self = Self::Judged(ruling);
        done
    }

    fn into_ruling(self, standing: &Standing) -> Ruling {
        match self {
            Self::Waiting(outcome) => judgement::judge(standing, outcome),
            Self::Judged(ruling) => ruling,
        }
    }

    fn into_outcome(self, status: Option<u8>) -> Outcome {
        match self {
            Self::Waiting(outcome) => outcome,
            Self::Judged(ruling) => ruling.into_outcome(status),
        }
    }
}

/// What the gate came to, with what the record needs beside it.
#[derive(Debug)]
pub struct Finished {
    /// The outcome.
    pub outcome: Outcome,
    /// How it came about.
    pub mode: Mode,
    /// The program that was run.
    pub program: Option<String>,
    /// Its status.
    pub status: Option<u8>,
    /// The report's digest.
    pub report: Option<String>,
    /// Sentences about the report that the decision should repeat.
    pub notes: Vec<String>,
    /// What the tools say about themselves.
    pub notices: Vec<String>,
}

impl<'a> Checker<'a> {
    /// A checker for the gate `name`.
    ///
    /// # Errors
    /// [`CheckError::UnknownGate`].
    pub fn new(setting: &'a Setting<'a>, name: &'a str) -> Result<Self, CheckError> {
        let gate = setting.loaded.policy.gate(name)?;
        Ok(Self { setting, name, gate })
    }

    /// Applies pauses and skips, and notes what the ledger looks like before a command starts. A pause, or a
    /// request of this place that waits for approvals, is waited for as long as `patience` says.
    ///
    /// # Errors
    /// A [`CheckError`]; then nothing may start.
    pub fn begin(
        &self,
        commanded: bool,
        patience: Duration,
        warnings: &mut Vec<String>,
    ) -> Result<Begun, CheckError> {
        let deadline = Instant::now() + patience;
        loop {
            let Some((head, standing)) = self.look(warnings)? else { return self.go(None, commanded) };
            let impatient = Instant::now() >= deadline;
            match judgement::before(&standing) {
                Before::Run if impatient || !self.is_pending(warnings)? => {
                    return self.go(Some(head), commanded);
                }
                Before::Run => rest_until(deadline),
                Before::Hold(_) if !impatient => rest_until(deadline),
                Before::Hold(_) | Before::Skip(_) => match self.settle(commanded, warnings)? {
                    Settled::By(decision) => return Ok(Begun::Settled(decision)),
                    Settled::NotRecorded => return self.go(None, commanded),
                    // The last use went to another run, or the pause ended in this moment.
                    Settled::LookAgain => {}
                },
            }
        }
    }

    /// Whether a request for this gate and this place waits for approvals.
    fn is_pending(&self, warnings: &mut Vec<String>) -> Result<bool, CheckError> {
        let found = self.read(warnings, |view| {
            let now = self.setting.now().max(view.head()?.at);
            Ok(standing::pending(view, &self.question(now, None)?)?)
        })?;
        Ok(found.is_some_and(|open| !open.is_empty()))
    }

    fn go(&self, head: Option<Head>, commanded: bool) -> Result<Begun, CheckError> {
        if commanded {
            self.setting.begin_facts()?;
        }
        Ok(Begun::Go(Started {
            seen: head.map(|head| SeenHead { seq: head.seq, hash: head.hash.to_string() }),
            wall: self.setting.now(),
            monotonic: Instant::now(),
            commanded,
        }))
    }

    /// The ledger's head and the gate's standing; `None` where no ledger can be used and none is required.
    fn look(&self, warnings: &mut Vec<String>) -> Result<Option<(Head, Standing)>, CheckError> {
        self.read(warnings, |view| {
            let head = view.head()?;
            Ok((head, self.standing_at(view, self.setting.now().max(head.at))?))
        })
    }

    /// What `look` finds in the ledger; `None` where no ledger can be used and none is required.
    fn read<T>(
        &self,
        warnings: &mut Vec<String>,
        look: impl FnOnce(&View<'_>) -> Result<T, Failed>,
    ) -> Result<Option<T>, CheckError> {
        let kept = match self.setting.take(Access::Read) {
            Ok(kept) => kept,
            Err(unusable) => return self.without_ledger(unusable, warnings),
        };
        match look(&kept.ledger.view()) {
            Ok(found) => {
                self.setting.keep(kept);
                Ok(Some(found))
            }
            Err(failed) => self.without(failed, warnings),
        }
    }

    fn standing_at(&self, view: &View<'_>, now: Timestamp) -> Result<Standing, Failed> {
        if view.live_grants(self.name, now)?.is_empty() {
            let overdue = standing::overdue(view, self.name, now)?;
            return Ok(Standing { overdue, ..Standing::default() });
        }
        Ok(standing::read(view, &mut Policies::default(), &self.question(now, None)?)?)
    }

    fn question(&self, now: Timestamp, seen: Option<u64>) -> Result<Question<'_>, CheckError> {
        let (today, context) = (&self.setting.loaded, self.context()?);
        Ok(Question { gate: self.name, today, context, now, seen })
    }

    fn context(&self) -> Result<&Context, CheckError> {
        Ok(&self.setting.facts()?.context)
    }

    fn principal(&self) -> Result<&Principal, CheckError> {
        Ok(&self.setting.facts()?.principal)
    }

    /// Records a pause's or a skip's decision, if it still stands inside the transaction.
    fn settle(&self, commanded: bool, warnings: &mut Vec<String>) -> Result<Settled, CheckError> {
        let mode = if commanded { Mode::Run } else { Mode::Judge };
        let facts = Circumstances { mode, ..self.circumstances()? };
        let mut held = None;
        let settled = self.setting.transact(|transaction| {
            let standing = self.standing_within(transaction, None)?;
            let mut ruling = match judgement::before(&standing) {
                Before::Run => return Ok(Settled::LookAgain),
                Before::Hold(live) => judgement::by_opt_out(Verdict::Hold, live),
                Before::Skip(live) => judgement::by_opt_out(Verdict::Skip, live),
            };
            ruling.overdue.clone_from(&standing.overdue);
            if ruling.verdict == Verdict::Hold {
                held = Some(self.compose(&standing, ruling.clone(), &facts, transaction.now()));
            }
            let seq = self.record(transaction, &ruling, &facts)?;
            let decision = self.compose(&standing, ruling, &facts, transaction.now());
            Ok(Settled::By(Box::new(Decision { recorded: Some(seq), ..decision })))
        });
        let failed = match settled {
            Ok(settled) => return Ok(settled),
            Err(failed) => failed,
        };
        self.without::<()>(failed, warnings)?;
        // A skip that cannot be recorded is not used; a pause that was seen holds all the same.
        Ok(held.map_or(Settled::NotRecorded, |decision| Settled::By(Box::new(decision))))
    }

    /// Judges what the gate came to and records the decision.
    ///
    /// # Errors
    /// A [`CheckError`]; then the result of the gate does not count.
    pub fn conclude(
        &self,
        started: &Started,
        finished: Finished,
        warnings: &mut Vec<String>,
    ) -> Result<Decision, CheckError> {
        let facts = self.circumstances_of(started, &finished)?;
        if started.seen.is_none() {
            return Ok(self.unrecorded(finished.outcome, &facts));
        }
        let mut work = Work::Waiting(finished.outcome);
        let recorded = self.setting.transact(|transaction| {
            check_ancestor(transaction, started)?;
            let seen = started.commanded.then(|| started.seen.as_ref().map(|seen| seen.seq)).flatten();
            let standing = self.standing_within(transaction, seen)?;
            let seq = work.judged(&standing, |ruling| self.record(transaction, ruling, &facts))?;
            Ok((seq, standing, transaction.now()))
        });
        match recorded {
            Ok((seq, standing, now)) => {
                let decision = self.compose(&standing, work.into_ruling(&standing), &facts, now);
                Ok(Decision { recorded: Some(seq), ..decision })
            }
            Err(failed) => {
                self.excuse(failed, started, warnings)?;
                Ok(self.unrecorded(work.into_outcome(facts.status), &facts))
            }
        }
    }

    /// The decision where nothing can be recorded: as if there were no opt-outs.
    fn unrecorded(&self, outcome: Outcome, facts: &Circumstances) -> Decision {
        let standing = Standing::default();
        let ruling = judgement::judge(&standing, outcome);
        self.compose(&standing, ruling, facts, self.setting.now())
    }

    fn standing_within(&self, transaction: &Transaction<'_>, seen: Option<u64>) -> Result<Standing, Failed> {
        let question = self.question(transaction.now(), seen)?;
        Ok(standing::read(&transaction.view(), &mut Policies::default(), &question)?)
    }

    fn record(
        &self,
        transaction: &mut Transaction<'_>,
        ruling: &Ruling,
        facts: &Circumstances,
    ) -> Result<u64, Failed> {
        policies::ensure_recorded(transaction, &self.setting.loaded, &facts.principal)?;
        let data = verdict::data(ruling, self.gate, &self.setting.loaded.used, facts);
        let draft = records::draft(Kind::Decision, Some(self.name), None, &facts.principal, &data)?;
        Ok(transaction.append(&draft)?.seq)
    }

    fn compose(
        &self,
        standing: &Standing,
        ruling: Ruling,
        facts: &Circumstances,
        now: Timestamp,
    ) -> Decision {
        let rules = verdict::Rules {
            name: self.name,
            gate: self.gate,
            used: &self.setting.loaded.used,
            warn_before: self.setting.loaded.policy.warn_before,
        };
        verdict::decision(&rules, standing, ruling, facts, now)
    }

    fn circumstances(&self) -> Result<Circumstances, CheckError> {
        let bare = Circumstances::bare(Mode::Run, self.context()?.clone(), self.principal()?.clone());
        Ok(Circumstances { notes: self.setting.facts()?.notes.clone(), ..bare })
    }

    fn circumstances_of(&self, started: &Started, finished: &Finished) -> Result<Circumstances, CheckError> {
        let passed = i64::try_from(started.monotonic.elapsed().as_secs()).unwrap_or(i64::MAX);
        let jump = self.setting.now().seconds_since(started.wall).saturating_sub(passed);
        Ok(Circumstances {
            mode: finished.mode,
            program: finished.program.clone(),
            status: finished.status,
            report: finished.report.clone(),
            notes: [self.setting.facts()?.notes.as_slice(), &finished.notes].concat(),
            notices: finished.notices.clone(),
            seen: started.seen.clone(),
            clock_jump: (jump.abs() > CLOCK_TOLERANCE).then_some(jump),
            ..self.circumstances()?
        })
    }
}

fn rest_until(deadline: Instant) {
    std::thread::sleep(POLL.min(deadline.saturating_duration_since(Instant::now())));
}

/// The head that was seen before the command started must still be in the ledger.
fn check_ancestor(transaction: &Transaction<'_>, started: &Started) -> Result<(), Failed> {
    let Some(seen) = &started.seen else { return Ok(()) };
    let tampered = |why: String| Err(Failed::Check(CheckError::Tampered(why)));
    match transaction.view().entry(seen.seq)? {
        Some(entry) if entry.hash.to_string() == seen.hash => Ok(()),
        Some(_) => tampered(format!("entry {} is another one than before", seen.seq)),
        // It comes to the same, but is no reason to suspect anybody.
        None if was_archived(&transaction.view(), seen.seq) => {
            Err(Failed::Check(CheckError::Archived(seen.seq)))
        }
        None => tampered(format!("entry {} is gone", seen.seq)),
    }
}

/// Whether the ledger's statement says that `seq` was moved to a segment. One that cannot be read says nothing.
fn was_archived(view: &View<'_>, seq: u64) -> bool {
    let statement = view.archive().ok().flatten();
    statement.is_some_and(|(_, statement)| statement.segment_of(seq).is_some())
}
