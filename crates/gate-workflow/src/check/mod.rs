//! Running and judging a gate: what may happen before it, what it came to, and the entry that records it.
//!
//! Where there is no ledger the gate is enforced as if there were no opt-outs, and nothing is recorded; a gate with
//! `require_ledger` stops instead, before anything starts, and so does every gate whose ledger cannot be trusted. An opt-out that cannot be
//! recorded is not used: the entry and the use are one transaction.

mod concluding;
mod failure;
mod plan;
mod sighting;
mod trailers;
mod work;

use std::cell::RefCell;
use std::time::{Duration, Instant};

use gate_ledger::entry::Kind;
use gate_ledger::store::{Access, Ledger, Transaction, View};
use gate_model::context::Context;
use gate_model::decision::{Decision, ReportPart, Verdict};
use gate_model::payload::{DecisionData, Mode};
use gate_model::principal::Principal;
use gate_model::time::Timestamp;
use gate_policy::Gate;

use crate::ledger_access::Unusable;
use crate::policies::{self, Policies};
use crate::remedy;
use crate::remote;
use crate::trailers::Due;
use crate::workspace::Workspace;
use gate_judge::judgement::{self, Before, Outcome, Ruling};
use gate_judge::records;
use gate_judge::standing::{EffectiveOptOuts, Live, Seen};

use crate::standing::{self, Grants, Question, Witness};
use gate_judge::verdict::{self, Circumstances};

pub use failure::CheckError;
use failure::Failed;
use sighting::Sighting;

/// How often a verdict is begun again because the gate's waivers changed meanwhile.
const TRIES: u32 = 16;

/// How often a paused gate is looked at again.
const POLL: Duration = Duration::from_millis(500);
/// The longest time after which it is looked at again where a remote has to be asked.
const POLL_REMOTE: Duration = Duration::from_secs(8);

/// A gate about to be decided.
pub struct Checker<'a> {
    /// Policy, ledger, facts.
    pub workspace: &'a Workspace<'a>,
    /// The gate's name.
    pub name: &'a str,
    /// The gate's rules.
    pub gate: &'a Gate,
    /// What has become of the commit's trailers, where the decision should say it.
    told: RefCell<Vec<String>>,
    /// The commit's trailers that could not be admitted, since nothing can be recorded.
    unadmitted: RefCell<Vec<Due>>,
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
    /// What the ledger held at the start; `None` where no ledger could be used.
    seen: Option<Sighting>,
    /// What was known of the gate's opt-outs then.
    known: Box<Known>,
    wall: Timestamp,
    monotonic: Instant,
    /// Whether a command runs between start and end; its grants to itself do not count.
    commanded: bool,
}

/// What is known of a gate's opt-outs, also where the ledger cannot be used, or written to.
#[derive(Debug, Default)]
struct Known {
    standing: EffectiveOptOuts,
    /// When it was looked at, and its newest entry.
    begun: Option<verdict::Begun>,
}

/// What became of a decision.
enum Recorded {
    There(u64),
    /// It need not reach the remote now.
    Waits(Box<DecisionData>),
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
    /// The files of a report in more than one.
    pub parts: Vec<ReportPart>,
    /// Sentences about the report that the decision should repeat.
    pub notes: Vec<String>,
    /// What the tools say about themselves.
    pub notices: Vec<String>,
}

impl Finished {
    /// What came to `outcome`, with nothing more known of it.
    pub const fn new(mode: Mode, outcome: Outcome) -> Self {
        Self {
            outcome,
            mode,
            program: None,
            status: None,
            report: None,
            parts: Vec::new(),
            notes: Vec::new(),
            notices: Vec::new(),
        }
    }
}

impl<'a> Checker<'a> {
    /// A checker for the gate `name`.
    ///
    /// # Errors
    /// [`CheckError::UnknownGate`].
    pub fn new(workspace: &'a Workspace<'a>, name: &'a str) -> Result<Self, CheckError> {
        let gate = workspace.loaded.policy.gate(name)?;
        Ok(Self { workspace, name, gate, told: RefCell::default(), unadmitted: RefCell::default() })
    }

    /// Admits what the commit asks for, applies pauses and skips, and notes what the ledger looks like before a command
    /// starts. A pause, or a request of this place that waits for approvals, is waited for as long as `patience` says.
    ///
    /// # Errors
    /// A [`CheckError`]; then nothing may start.
    pub fn begin(
        &self,
        commanded: bool,
        patience: Duration,
        warnings: &mut Vec<String>,
    ) -> Result<Begun, CheckError> {
        self.admit_trailers(warnings)?;
        let deadline = Instant::now() + patience;
        let mut paused = None;
        loop {
            let (sighting, standing) = match (self.look(warnings), paused.take()) {
                (Ok(Some(seen)), _) => seen,
                (Ok(None), None) => return self.begin_unseen(commanded),
                (Err(error), None) => return Err(error),
                // A pause that was read holds, whatever became of the ledger since.
                (Ok(None), Some(held)) => return self.hold(held, commanded).map(Begun::Settled),
                (Err(error), Some(held)) => {
                    failure::warn_once(warnings, error.to_string());
                    return self.hold(held, commanded).map(Begun::Settled);
                }
            };
            let impatient = Instant::now() >= deadline;
            match judgement::before(&standing) {
                Before::Run if impatient || !self.is_pending(warnings)? => {
                    let known = Known { standing, begun: None };
                    return self.go(Some(sighting), known, commanded);
                }
                Before::Run => self.rest_until(deadline),
                Before::Hold(live) if !impatient => {
                    let ruling = ruled_by(&standing, Verdict::Hold, live);
                    self.rest_until(deadline);
                    paused = Some((standing, ruling));
                }
                Before::Hold(_) | Before::Skip(_) => match self.settle(&standing, commanded, warnings)? {
                    Settled::By(decision) => return Ok(Begun::Settled(decision)),
                    Settled::NotRecorded => {
                        let known = Known { standing, begun: Some(sighting.begun()) };
                        return self.go(None, known, commanded);
                    }
                    // The last use went to another run, or the pause ended in this moment.
                    Settled::LookAgain => {}
                },
            }
        }
    }

    /// Whether a request for this gate and this place waits for approvals.
    fn is_pending(&self, warnings: &mut Vec<String>) -> Result<bool, CheckError> {
        let found = self.read(warnings, |view| {
            let now = self.workspace.now().max(view.head()?.at);
            Ok(standing::pending(view, &self.question(now, None)?)?)
        })?;
        Ok(found.is_some_and(|open| !open.is_empty()))
    }

    /// Begins without the ledger. A pause that the working copy of a remote knows holds all the same.
    fn begin_unseen(&self, commanded: bool) -> Result<Begun, CheckError> {
        let known = self.known()?;
        match judgement::before(&known.standing) {
            Before::Hold(live) => {
                let ruling = ruled_by(&known.standing, Verdict::Hold, live);
                self.hold((known.standing, ruling), commanded).map(Begun::Settled)
            }
            Before::Run | Before::Skip(_) => self.go(None, known, commanded),
        }
    }

    fn rest_until(&self, deadline: Instant) {
        // Whoever keeps a remote is not asked by all who wait at the same moment.
        let pause = if self.workspace.remote().is_some() { remote::jittered(POLL_REMOTE) } else { POLL };
        std::thread::sleep(pause.min(deadline.saturating_duration_since(Instant::now())));
    }

    fn go(&self, seen: Option<Sighting>, known: Known, commanded: bool) -> Result<Begun, CheckError> {
        if commanded {
            self.workspace.begin_facts()?;
            self.workspace.seal_remote();
        }
        let (wall, monotonic, known) = (self.workspace.now(), Instant::now(), Box::new(known));
        Ok(Begun::Go(Started { seen, known, wall, monotonic, commanded }))
    }

    /// The gate's standing in the working copy of a remote that is out of reach; none is known of any other ledger.
    fn known(&self) -> Result<Known, CheckError> {
        let Some(ledger) = self.workspace.open_stale().map_err(CheckError::Suspect)? else {
            return Ok(Known::default());
        };
        let view = ledger.view();
        let known = view.head().map_err(Failed::from).and_then(|head| {
            let at = self.workspace.now().max(head.at);
            let begun = Some(verdict::Begun { at, seen: head.into() });
            Ok(Known { standing: self.standing_at(&view, at, &mut |_, _| Ok(()))?, begun })
        });
        known.map_err(|failed| match failed {
            Failed::Store(source) => CheckError::Unsound(source),
            Failed::Ledger(source) => CheckError::Suspect(source),
            Failed::Check(error) => error,
        })
    }

    /// What the ledger holds and the gate's standing; `None` where no ledger can be used and none is required.
    fn look(&self, warnings: &mut Vec<String>) -> Result<Option<(Sighting, EffectiveOptOuts)>, CheckError> {
        self.read(warnings, |view| {
            let head = view.head()?;
            let now = self.workspace.now().max(head.at);
            let mut watch = Sighting::watch(self.name, head, now);
            let standing = self.standing_at(view, now, &mut |grant, life| watch.grant(view, grant, life))?;
            Ok((watch.end(view)?, standing))
        })
    }

    /// What `look` finds in the ledger; `None` where no ledger can be used and none is required.
    fn read<T>(
        &self,
        warnings: &mut Vec<String>,
        look: impl Fn(&View<'_>) -> Result<T, Failed>,
    ) -> Result<Option<T>, CheckError> {
        let looking =
            |ledger: &Ledger| ledger.hold_still().map_err(Failed::from).and_then(|()| look(&ledger.view()));
        // Whatever goes wrong in a ledger as it lies is found again on the ordinary way.
        let mut read = None;
        if let Some(ledger) = self.workspace.at_rest()
            && let Ok(found) = looking(&ledger)
        {
            read = Some(found);
            if ledger.is_still() {
                return Ok(read);
            }
        }
        let ledger = match self.workspace.open_to_judge(Access::Read) {
            Ok(ledger) => ledger,
            // Where the gate goes on without a ledger, what was read as it lay is all that there is now, and a pause in it
            // holds. Nothing of it that lets anybody pass counts before it is judged once more in a transaction, which a
            // ledger that is gone cannot give.
            Err(unusable) => return Ok(self.without_ledger(unusable, warnings)?.or(read)),
        };
        match looking(&ledger) {
            Ok(found) => Ok(Some(found)),
            Err(failed) => self.without(failed, warnings),
        }
    }

    /// The gate's standing at `now`; `witness` sees each grant that is live then.
    fn standing_at(
        &self,
        view: &View<'_>,
        now: Timestamp,
        witness: Witness<'_>,
    ) -> Result<EffectiveOptOuts, Failed> {
        let (today, grants) = (&self.workspace.loaded, Grants::find(view, self.name, now)?);
        let mut policies = Policies::default();
        // Without any, nothing has to be found out about this run, unless somebody owes a review.
        if grants.is_empty() && !standing::owes(view, &mut policies, today, self.name, now)? {
            return Ok(EffectiveOptOuts::default());
        }
        Ok(standing::sort(view, &mut policies, &self.question(now, None)?, &grants, witness)?)
    }

    fn question(&self, now: Timestamp, seen: Option<Seen>) -> Result<Question<'_>, CheckError> {
        let (today, context) = (&self.workspace.loaded, self.context()?);
        Ok(Question { gate: self.name, today, context, now, seen })
    }

    fn context(&self) -> Result<&Context, CheckError> {
        Ok(&self.workspace.facts()?.context)
    }

    fn principal(&self) -> Result<&Principal, CheckError> {
        Ok(&self.workspace.facts()?.principal)
    }

    /// Records a pause's or a skip's decision, if it still stands inside the transaction; `seen` is what was read before.
    fn settle(
        &self,
        seen: &EffectiveOptOuts,
        commanded: bool,
        warnings: &mut Vec<String>,
    ) -> Result<Settled, CheckError> {
        let facts = self.circumstances_before(commanded)?;
        let mut newest = None;
        let settled = self.workspace.transact(|transaction| {
            let standing = newest.insert(self.standing_within(transaction)?);
            let Some(ruling) = ruled_before(standing) else { return Ok(Settled::LookAgain) };
            let recorded = match self.record(transaction, &ruling, &facts)? {
                Recorded::There(seq) => Some(seq),
                Recorded::Waits(_) => None,
            };
            let decision = self.compose(standing, ruling, &facts, transaction.now());
            Ok(Settled::By(Box::new(Decision { recorded, ..decision })))
        });
        let failed: Failed = match settled {
            Ok(settled) => return Ok(settled),
            Err(failed) => failed,
        };
        // A skip that cannot be recorded is not used; a pause that was seen holds all the same.
        let seen = newest.as_ref().unwrap_or(seen);
        if let Before::Hold(live) = judgement::before(seen) {
            failure::warn_once(warnings, failed.to_string());
            let ruling = ruled_by(seen, Verdict::Hold, live);
            return self.hold((seen.clone(), ruling), commanded).map(Settled::By);
        }
        self.without::<()>(failed, warnings)?;
        Ok(Settled::NotRecorded)
    }

    /// The decision of a pause that was seen, with the standing it was seen in, and cannot be recorded.
    fn hold(
        &self,
        (standing, ruling): (EffectiveOptOuts, Ruling),
        commanded: bool,
    ) -> Result<Box<Decision>, CheckError> {
        let facts = self.circumstances_before(commanded)?;
        Ok(Box::new(self.compose(&standing, ruling, &facts, self.workspace.now())))
    }

    fn standing_within(&self, transaction: &Transaction<'_>) -> Result<EffectiveOptOuts, Failed> {
        let (view, question) = (transaction.view(), self.question(transaction.now(), None)?);
        Ok(standing::read(&view, &mut Policies::default(), &question)?)
    }

    fn record(
        &self,
        transaction: &mut Transaction<'_>,
        ruling: &Ruling,
        facts: &Circumstances,
    ) -> Result<Recorded, Failed> {
        let before = transaction.head().seq;
        policies::ensure_recorded(
            transaction,
            (&self.workspace.loaded, self.workspace.repository().map_err(CheckError::from)?),
            &facts.principal,
        )?;
        let used = &self.workspace.loaded.used;
        let mut data = verdict::data(ruling, self.gate, used, facts, transaction.now());
        let is_plain = ruling.used.is_empty() && matches!(ruling.verdict, Verdict::Pass | Verdict::Fail);
        if is_plain && self.workspace.lets_wait() && transaction.head().seq == before {
            return Ok(Recorded::Waits(Box::new(data)));
        }
        if self.workspace.remote().is_some() && data.spends.is_some() {
            data.mark = Some(remote::mark().map_err(Unusable::from)?);
        }
        let draft = records::draft(Kind::Decision, Some(self.name), None, &facts.principal, &data)?;
        Ok(Recorded::There(transaction.append(&draft)?.seq))
    }

    fn compose(
        &self,
        standing: &EffectiveOptOuts,
        ruling: Ruling,
        facts: &Circumstances,
        now: Timestamp,
    ) -> Decision {
        let rules = verdict::Rules {
            name: self.name,
            gate: self.gate,
            used: &self.workspace.loaded.used,
            warn_before: self.workspace.loaded.policy.warn_before,
        };
        let mut decision = verdict::decision(&rules, standing, ruling, facts, now);
        decision.reasons.extend(self.told.borrow().iter().cloned());
        let under = |suggestion| remedy::suggested(suggestion, &self.workspace.loaded);
        Decision {
            suggest: decision.suggest.into_iter().map(under).collect(),
            suggest_all: decision.suggest_all.map(under),
            lost: self.workspace.lost(),
            clock_ahead: self.workspace.lead(now),
            ..decision
        }
    }

    fn circumstances_before(&self, commanded: bool) -> Result<Circumstances, CheckError> {
        let mode = if commanded { Mode::Run } else { Mode::Judge };
        Ok(Circumstances { mode, ..self.circumstances()? })
    }

    fn circumstances(&self) -> Result<Circumstances, CheckError> {
        let bare = Circumstances::bare(Mode::Run, self.context()?.clone(), self.principal()?.clone());
        Ok(Circumstances { notes: self.workspace.facts()?.notes.clone(), ..bare })
    }
}

/// What a pause or a skip decides before the gate runs.
fn ruled_before(standing: &EffectiveOptOuts) -> Option<Ruling> {
    match judgement::before(standing) {
        Before::Run => None,
        Before::Hold(live) => Some(ruled_by(standing, Verdict::Hold, live)),
        Before::Skip(live) => Some(ruled_by(standing, Verdict::Skip, live)),
    }
}

/// What the opt-out `live` of `standing` decides.
fn ruled_by(standing: &EffectiveOptOuts, verdict: Verdict, live: &Live) -> Ruling {
    Ruling { overdue: standing.overdue.clone(), ..judgement::by_opt_out(verdict, live) }
}
