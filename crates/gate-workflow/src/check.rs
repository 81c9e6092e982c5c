//! Running and judging a gate: what may happen before it, what it came to, and the entry that records it.
//!
//! Where there is no usable ledger the gate is enforced as if there were no opt-outs, and nothing is
//! recorded; a gate with `require_ledger` stops instead, before anything starts. An opt-out that cannot be
//! recorded is not used: the entry and the use are one transaction.

use std::time::{Duration, Instant};

use gate_findings::ReportError;
use gate_ledger::entry::Kind;
use gate_ledger::store::{Access, AppendError, Head, StoreError, Transaction};
use gate_model::context::Context;
use gate_model::decision::{Decision, Verdict};
use gate_model::exit::Exit;
use gate_model::payload::Mode;
use gate_model::principal::Principal;
use gate_model::request::SeenHead;
use gate_model::time::Timestamp;
use gate_policy::Gate;

use crate::judgement::{self, Before, Outcome, Ruling};
use crate::ledger_access::Unusable;
use crate::policies::{self, Policies, RecordError};
use crate::records;
use crate::setting::{LOCK_WAIT, Setting, SettingError};
use crate::standing::{self, Question, Standing};
use crate::verdict::{self, Circumstances};

/// A clock that moved by more than this against the time that really passed is recorded, in seconds.
const CLOCK_TOLERANCE: i64 = 300;

/// How often a paused gate is looked at again.
const POLL: Duration = Duration::from_millis(500);

/// Why a gate could not be decided.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The policy has no such gate.
    #[error(transparent)]
    UnknownGate(#[from] gate_policy::UnknownGate),
    /// The gate requires its ledger, and that cannot be used.
    #[error("gate '{gate}' requires its ledger (require_ledger): {source}")]
    LedgerRequired {
        /// The gate.
        gate: String,
        /// Why the ledger cannot be used.
        source: Unusable,
    },
    /// The gate requires its ledger, and the store failed.
    #[error("gate '{gate}' requires its ledger (require_ledger): {source}")]
    StoreRequired {
        /// The gate.
        gate: String,
        /// The failure.
        source: StoreError,
    },
    /// The ledger changed under the command in a way that only an attack or a mishap explains.
    #[error(
        "the ledger was replaced or cut while the command ran: {0}\n\
         its result does not count; look at the ledger with: gate-verify"
    )]
    Tampered(String),
    /// The facts of the run cannot be gathered.
    #[error(transparent)]
    Facts(#[from] SettingError),
    /// The report cannot be judged.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A document could not be written.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl CheckError {
    /// The exit code outside run mode.
    pub fn exit(&self) -> Exit {
        match self {
            Self::UnknownGate(_) => Exit::Usage,
            Self::LedgerRequired { source, .. } => source.exit(),
            Self::StoreRequired { source, .. } => source.exit(),
            Self::Tampered(_) => Exit::Distrust,
            Self::Facts(error) => error.exit(),
            Self::Report(error) => error.exit(),
            Self::Record(_) => Exit::Failure,
        }
    }
}

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
        let ledger = match self.setting.open(Access::Read) {
            Ok(ledger) => ledger,
            Err(unusable) => return Ok(self.without_ledger(unusable, warnings)?.unwrap_or(false)),
        };
        let view = ledger.view();
        let context = self.context()?;
        let found = view.head().and_then(|head| {
            let now = self.setting.now().max(head.at);
            let question =
                Question { gate: self.name, today: &self.setting.loaded, context, now, seen: None };
            standing::pending(&view, &question)
        });
        match found {
            Ok(open) => Ok(!open.is_empty()),
            Err(source) => Ok(self.without_store(source, warnings)?.unwrap_or(false)),
        }
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
        let kept = match self.setting.take(Access::Read) {
            Ok(kept) => kept,
            Err(unusable) => return self.without_ledger(unusable, warnings),
        };
        let now = self.setting.now();
        match self.standing_at(&kept.ledger.view(), now) {
            Ok(found) => {
                self.setting.keep(kept);
                Ok(Some(found))
            }
            Err(Failed::Store(source)) => self.without_store(source, warnings),
            Err(Failed::Ledger(source)) => self.without_ledger(source, warnings),
            Err(Failed::Check(error)) => Err(error),
        }
    }

    fn standing_at(
        &self,
        view: &gate_ledger::store::View<'_>,
        clock: Timestamp,
    ) -> Result<(Head, Standing), Failed> {
        let head = view.head()?;
        let now = clock.max(head.at);
        if view.live_grants(self.name, now)?.is_empty() {
            let overdue = standing::overdue(view, self.name, now)?;
            return Ok((head, Standing { overdue, ..Standing::default() }));
        }
        let context = self.context()?;
        let question = Question { gate: self.name, today: &self.setting.loaded, context, now, seen: None };
        let standing = standing::read(view, &mut Policies::default(), &question)?;
        Ok((head, standing))
    }

    fn context(&self) -> Result<&Context, CheckError> {
        Ok(&self.setting.facts()?.context)
    }

    fn principal(&self) -> Result<&Principal, CheckError> {
        Ok(&self.setting.facts()?.principal)
    }

    fn without_ledger<T>(
        &self,
        source: Unusable,
        warnings: &mut Vec<String>,
    ) -> Result<Option<T>, CheckError> {
        if self.gate.require_ledger {
            return Err(CheckError::LedgerRequired { gate: self.name.to_owned(), source });
        }
        warn_once(warnings, without_opt_outs(&source.to_string()));
        Ok(None)
    }

    fn without_store<T>(
        &self,
        source: StoreError,
        warnings: &mut Vec<String>,
    ) -> Result<Option<T>, CheckError> {
        if self.gate.require_ledger {
            return Err(CheckError::StoreRequired { gate: self.name.to_owned(), source });
        }
        warn_once(warnings, without_opt_outs(&source.to_string()));
        Ok(None)
    }

    /// Records a pause's or a skip's decision, if it still stands inside the transaction.
    fn settle(&self, commanded: bool, warnings: &mut Vec<String>) -> Result<Settled, CheckError> {
        let mode = if commanded { Mode::Run } else { Mode::Judge };
        let facts = Circumstances { mode, ..self.circumstances()? };
        let mut held = None;
        let settled = self.transact(|transaction| {
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
        match settled {
            Ok(settled) => return Ok(settled),
            Err(Failed::Check(error)) => return Err(error),
            Err(Failed::Store(source)) => self.without_store::<()>(source, warnings)?,
            Err(Failed::Ledger(source)) => self.without_ledger::<()>(source, warnings)?,
        };
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
        // A large report is never held twice: the closure takes the outcome, and leaves the ruling.
        let mut outcome = Some(finished.outcome);
        let mut ruled = None;
        let recorded = self.transact(|transaction| {
            check_ancestor(transaction, started)?;
            let seen = started.commanded.then(|| started.seen.as_ref().map(|seen| seen.seq)).flatten();
            let standing = self.standing_within(transaction, seen)?;
            let lost = || Outcome::DidNotRun("its outcome was judged before".to_owned());
            let ruling = judgement::judge(&standing, outcome.take().unwrap_or_else(lost));
            let (_, ruling, _) = ruled.insert((standing, ruling, transaction.now()));
            self.record(transaction, ruling, &facts)
        });
        match (recorded, ruled) {
            (Ok(seq), Some((standing, ruling, now))) => {
                let decision = self.compose(&standing, ruling, &facts, now);
                Ok(Decision { recorded: Some(seq), ..decision })
            }
            (Ok(_), None) => Ok(self.unrecorded(Outcome::DidNotRun("it was not judged".to_owned()), &facts)),
            (Err(failed), ruled) => {
                self.excuse(failed, started, warnings)?;
                let judged =
                    |(_, ruling, _): (Standing, Ruling, Timestamp)| ruling.into_outcome(facts.status);
                let lost = || Outcome::DidNotRun("its outcome was lost".to_owned());
                let outcome = outcome.or_else(|| ruled.map(judged)).unwrap_or_else(lost);
                Ok(self.unrecorded(outcome, &facts))
            }
        }
    }

    /// Whether a failure to record is one after which the gate is enforced without opt-outs.
    fn excuse(
        &self,
        failed: Failed,
        started: &Started,
        warnings: &mut Vec<String>,
    ) -> Result<(), CheckError> {
        match failed {
            Failed::Check(error) => Err(error),
            // Good before the command and broken after it: whoever did that did it while the command ran.
            Failed::Store(source) if started.commanded && source.exit() == Exit::Distrust => {
                Err(CheckError::Tampered(source.to_string()))
            }
            Failed::Store(source) => self.without_store::<()>(source, warnings).map(drop),
            Failed::Ledger(source) if started.commanded && was_taken_away(&source) => {
                Err(CheckError::Tampered(source.to_string()))
            }
            Failed::Ledger(source) => self.without_ledger::<()>(source, warnings).map(drop),
        }
    }

    /// The decision where nothing can be recorded: as if there were no opt-outs.
    fn unrecorded(&self, outcome: Outcome, facts: &Circumstances) -> Decision {
        let standing = Standing::default();
        let ruling = judgement::judge(&standing, outcome);
        self.compose(&standing, ruling, facts, self.setting.now())
    }

    /// What would happen at `at` (now, where it is left out). Records nothing.
    ///
    /// # Errors
    /// A [`CheckError`].
    pub fn plan(
        &self,
        finished: Option<Finished>,
        at: Option<Timestamp>,
        warnings: &mut Vec<String>,
    ) -> Result<Decision, CheckError> {
        let clock = at.unwrap_or_else(|| self.setting.now());
        let looked = match self.setting.open(Access::Read) {
            Ok(ledger) => match self.planned_standing(&ledger.view(), at, clock) {
                Ok(found) => Some(found),
                Err(Failed::Store(source)) => self.without_store(source, warnings)?,
                Err(Failed::Ledger(source)) => self.without_ledger(source, warnings)?,
                Err(Failed::Check(error)) => return Err(error),
            },
            Err(unusable) => self.without_ledger(unusable, warnings)?,
        };
        let (standing, now) = looked.unwrap_or((Standing::default(), clock));
        let quick = self.setting.quick_facts();
        let mut facts = Circumstances::bare(Mode::Judge, quick.context, quick.principal);
        if let Some(finished) = &finished {
            facts.report.clone_from(&finished.report);
            facts.notes.clone_from(&finished.notes);
        }
        let ruling = match (judgement::before(&standing), finished) {
            (Before::Hold(live), _) => judgement::by_opt_out(Verdict::Hold, live),
            (Before::Skip(live), _) => judgement::by_opt_out(Verdict::Skip, live),
            (Before::Run, Some(finished)) => judgement::judge(&standing, finished.outcome),
            (Before::Run, None) => judgement::would_run(&standing),
        };
        Ok(self.compose(&standing, ruling, &facts, now))
    }

    /// With `--at` the instant is the one asked for, even where newer entries exist.
    fn planned_standing(
        &self,
        view: &gate_ledger::store::View<'_>,
        at: Option<Timestamp>,
        clock: Timestamp,
    ) -> Result<(Standing, Timestamp), Failed> {
        let now = match at {
            Some(at) => at,
            None => clock.max(view.head()?.at),
        };
        if view.live_grants(self.name, now)?.is_empty() {
            let overdue = standing::overdue(view, self.name, now)?;
            return Ok((Standing { overdue, ..Standing::default() }, now));
        }
        let context = self.context()?;
        let question = Question { gate: self.name, today: &self.setting.loaded, context, now, seen: None };
        Ok((standing::read(view, &mut Policies::default(), &question)?, now))
    }

    fn standing_within(&self, transaction: &Transaction<'_>, seen: Option<u64>) -> Result<Standing, Failed> {
        let context = self.context()?;
        let now = transaction.now();
        let question = Question { gate: self.name, today: &self.setting.loaded, context, now, seen };
        Ok(standing::read(&transaction.view(), &mut Policies::default(), &question)?)
    }

    fn transact<T>(&self, work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Failed>) -> Result<T, Failed> {
        let mut ledger = self.setting.open(Access::Append).map_err(Failed::Ledger)?;
        let done = ledger.append(LOCK_WAIT, self.setting.place.clock, work).map_err(|error| match error {
            AppendError::Store(source) => Failed::Store(source),
            AppendError::Work(failed) => failed,
        })?;
        ledger.close()?;
        Ok(done)
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
        Ok(Circumstances::bare(Mode::Run, self.context()?.clone(), self.principal()?.clone()))
    }

    fn circumstances_of(&self, started: &Started, finished: &Finished) -> Result<Circumstances, CheckError> {
        let passed = i64::try_from(started.monotonic.elapsed().as_secs()).unwrap_or(i64::MAX);
        let jump = self.setting.now().seconds_since(started.wall).saturating_sub(passed);
        Ok(Circumstances {
            mode: finished.mode,
            program: finished.program.clone(),
            status: finished.status,
            report: finished.report.clone(),
            notes: finished.notes.clone(),
            seen: started.seen.clone(),
            clock_jump: (jump.abs() > CLOCK_TOLERANCE).then_some(jump),
            ..self.circumstances()?
        })
    }
}

/// A failure inside a transaction: the store's, after which the gate is enforced without opt-outs, or one
/// that ends the check.
enum Failed {
    Store(StoreError),
    Ledger(Unusable),
    Check(CheckError),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<CheckError> for Failed {
    fn from(error: CheckError) -> Self {
        Self::Check(error)
    }
}

impl From<RecordError> for Failed {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Store(error) => Self::Store(error),
            RecordError::Json(_) => Self::Check(CheckError::Record(error)),
        }
    }
}

impl From<serde_json::Error> for Failed {
    fn from(error: serde_json::Error) -> Self {
        RecordError::Json(error).into()
    }
}

/// Whether a ledger that was usable before the command is missing or not trustworthy after it.
fn was_taken_away(unusable: &Unusable) -> bool {
    matches!(unusable.exit(), Exit::Usage | Exit::Distrust)
}

fn without_opt_outs(why: &str) -> String {
    format!("{why}\nthe gate is enforced as if there were no opt-outs, and nothing is recorded")
}

fn rest_until(deadline: Instant) {
    std::thread::sleep(POLL.min(deadline.saturating_duration_since(Instant::now())));
}

fn warn_once(warnings: &mut Vec<String>, warning: String) {
    if !warnings.contains(&warning) {
        warnings.push(warning);
    }
}

/// The head that was seen before the command started must still be in the ledger.
fn check_ancestor(transaction: &Transaction<'_>, started: &Started) -> Result<(), Failed> {
    let Some(seen) = &started.seen else { return Ok(()) };
    let tampered = |why: String| Err(Failed::Check(CheckError::Tampered(why)));
    match transaction.view().entry(seen.seq)? {
        Some(entry) if entry.hash.to_string() == seen.hash => Ok(()),
        Some(_) => tampered(format!("entry {} is another one than before", seen.seq)),
        None => tampered(format!("entry {} is gone", seen.seq)),
    }
}
