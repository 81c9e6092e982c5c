//! What a gate came to, judged behind all that was recorded meanwhile, and the entry that records it.

use gate_findings::place::Checkout;
use gate_judge::judgement::{self, Before, Matched, Outcome, Ruling};
use gate_judge::records;
use gate_judge::standing::EffectiveOptOuts;
use gate_judge::verdict::{self, CLOCK_TOLERANCE, Circumstances};
use gate_ledger::store::{Transaction, View};
use gate_model::decision::{Decision, OptOut};
use gate_model::payload::{DecisionData, GrantData};

use super::failure::{self, Failed};
use super::sighting::{Sighting, Watch};
use super::work::Work;
use super::{CheckError, Checker, Finished, Recorded, Started, TRIES};
use crate::policies::Policies;
use crate::standing::{self, Grants};

impl Checker<'_> {
    /// Judges what the gate came to and records the decision. `checkout` is what the report is about.
    ///
    /// # Errors
    /// A [`CheckError`]; then the result of the gate does not count.
    pub fn conclude(
        &self,
        started: &Started,
        finished: Finished,
        checkout: &dyn Checkout,
        warnings: &mut Vec<String>,
    ) -> Result<Decision, CheckError> {
        let facts = self.circumstances_of(started, &finished)?;
        let Some(sighting) = &started.seen else {
            let work = Work::waiting(finished.outcome, checkout);
            return self.unrecorded(work, &started.known.standing, &facts, warnings);
        };
        // At a working copy nobody waits for the lock but this machine's own.
        if started.commanded && self.workspace.remote().is_none() {
            self.match_scopes();
        }
        let mut work = Work::waiting(finished.outcome, checkout);
        // Mostly they are the same in the transaction, which then need not be begun twice.
        work.match_waivers(&started.known.standing);
        let mut known = EffectiveOptOuts::default();
        for _ in 0..TRIES {
            let recorded = self.workspace.transact(|transaction| {
                work.reopen(facts.status);
                known = self.standing_behind(transaction, sighting, started.commanded)?;
                let recorded = work.judged(&known, |ruling| self.record(transaction, ruling, &facts));
                Ok((recorded.transpose()?, transaction.now()))
            });
            match recorded {
                Ok((Some(recorded), now)) => {
                    let ruling = work.into_ruling(&known);
                    // It is recorded: what would have counted is only told.
                    let would_use = self
                        .not_used(&known, &ruling, (&facts, checkout), warnings)
                        .unwrap_or_else(|error| {
                            failure::warn_once(warnings, error.to_string());
                            Vec::new()
                        });
                    let decision = Decision { would_use, ..self.compose(&known, ruling, &facts, now) };
                    return match recorded {
                        Recorded::There(seq) => Ok(Decision { recorded: Some(seq), ..decision }),
                        Recorded::Waits(data) => self.wait(&data, decision, &facts, warnings),
                    };
                }
                // The lock is free again: now the waivers can be matched, however long that takes.
                Ok((None, _)) => work.match_waivers(&known),
                Err(failed) => {
                    self.excuse(failed, started, warnings)?;
                    return self.unrecorded(work, &known, &facts, warnings);
                }
            }
        }
        Err(CheckError::Restless(TRIES))
    }

    /// The gate's standing behind what was seen before the command started, which must still be in the ledger as it was.
    fn standing_behind(
        &self,
        transaction: &Transaction<'_>,
        sighting: &Sighting,
        commanded: bool,
    ) -> Result<EffectiveOptOuts, Failed> {
        let (view, mut watch) = (transaction.view(), sighting.again());
        let grants = Grants::find(&view, self.name, sighting.instant().min(transaction.now()))?;
        let question = self.question(transaction.now(), commanded.then(|| sighting.seen()))?;
        let known =
            standing::sort(&view, &mut Policies::default(), &question, &grants, &mut |grant, life| {
                watch.grant(&view, grant, life)
            })?;
        check_unchanged(&view, sighting, watch)?;
        Ok(known)
    }

    /// Matches the scopes of what was granted while the command ran, before everybody has to wait for the lock: their
    /// globs are remembered. Nothing is decided here, and what cannot be read is passed over: the transaction reads it
    /// again, by the same index, and tells. Whoever breaks it for just this moment has others wait for as long as the
    /// globs take, which is bounded, and gets nothing past the gate.
    fn match_scopes(&self) {
        let (Ok(ledger), Ok(context)) = (self.workspace.open_at_rest(), self.context()) else { return };
        let view = ledger.view();
        for seq in view.live_positions(self.name, self.workspace.now()).into_iter().flatten() {
            let Ok(Some(entry)) = view.entry(seq) else { continue };
            if let Ok(grant) = records::data::<GrantData>(&entry) {
                let _remembered = gate_policy::scope_holds(grant.ask.action, &grant.ask.scope, context);
            }
        }
    }

    /// The decision where nothing can be recorded: as if there were no opt-outs. `known` are those that would have
    /// counted.
    fn unrecorded(
        &self,
        work: Work<'_>,
        known: &EffectiveOptOuts,
        facts: &Circumstances,
        warnings: &mut Vec<String>,
    ) -> Result<Decision, CheckError> {
        let checkout = work.checkout;
        let outcome = work.into_outcome(facts.status);
        let (would_use, outcome) = self.would_use(known, (outcome, checkout), facts, warnings)?;
        let standing = EffectiveOptOuts::default();
        let ruling = judgement::judge(&standing, outcome, &Matched::default());
        let begun = facts.begun.as_ref().map(|begun| begun.at);
        let now = begun.map_or(self.workspace.now(), |begun| begun.max(self.workspace.now()));
        let data = verdict::data(&ruling, self.gate, &self.workspace.loaded.used, facts, now);
        let decision = self.compose(&standing, ruling, facts, now);
        let decision = Decision { would_use, ..decision };
        // Without an entry that was seen nobody could judge it again.
        if self.workspace.lets_wait() && data.seen_head.is_some() {
            return self.wait(&data, decision, facts, warnings);
        }
        Ok(decision)
    }

    /// The opt-outs that would have let `outcome` pass: of `known`, and what the commit's trailers would have given. The
    /// outcome comes back as it was.
    fn would_use(
        &self,
        known: &EffectiveOptOuts,
        (outcome, checkout): (Outcome, &dyn Checkout),
        facts: &Circumstances,
        warnings: &mut Vec<String>,
    ) -> Result<(Vec<OptOut>, Outcome), CheckError> {
        let hoped = self.hoped_for(warnings)?;
        let standing = hoped.as_ref().unwrap_or(known);
        let (mut would_use, outcome) = foreseen(standing, outcome, checkout, facts.status);
        for opt_out in would_use.iter_mut().filter(|one| known.live.iter().all(|live| live.id != one.id)) {
            opt_out.note =
                Some("a trailer of the commit asks for it, and it is yet to be admitted".to_owned());
        }
        Ok((would_use, outcome))
    }

    /// The same beside a ruling that could be recorded, or may wait: nothing, unless trailers could not be admitted.
    fn not_used(
        &self,
        known: &EffectiveOptOuts,
        ruling: &Ruling,
        (facts, checkout): (&Circumstances, &dyn Checkout),
        warnings: &mut Vec<String>,
    ) -> Result<Vec<OptOut>, CheckError> {
        if self.unadmitted.borrow().is_empty() {
            return Ok(Vec::new());
        }
        let outcome = ruling.clone().into_outcome(facts.status);
        Ok(self.would_use(known, (outcome, checkout), facts, warnings)?.0)
    }

    /// Lets a decision that used no opt-out wait until somebody sends it. One that cannot is made all the same.
    fn wait(
        &self,
        data: &DecisionData,
        decision: Decision,
        facts: &Circumstances,
        warnings: &mut Vec<String>,
    ) -> Result<Decision, CheckError> {
        match self.workspace.wait_for_sync(self.name, &facts.principal, data) {
            Ok(waiting) => Ok(Decision { waiting, ..decision }),
            Err(problem) => {
                self.without_ledger::<()>(problem.into(), warnings)?;
                Ok(decision)
            }
        }
    }

    fn circumstances_of(&self, started: &Started, finished: &Finished) -> Result<Circumstances, CheckError> {
        let passed = i64::try_from(started.monotonic.elapsed().as_secs()).unwrap_or(i64::MAX);
        let jump = self.workspace.now().seconds_since(started.wall).saturating_sub(passed);
        Ok(Circumstances {
            mode: finished.mode,
            program: finished.program.clone(),
            status: finished.status,
            report: finished.report.clone(),
            parts: finished.parts.clone(),
            notes: [self.workspace.facts()?.notes.as_slice(), &finished.notes].concat(),
            notices: finished.notices.clone(),
            begun: started.seen.as_ref().map(Sighting::begun).or_else(|| started.known.begun.clone()),
            clock_jump: (jump.abs() > CLOCK_TOLERANCE).then_some(jump),
            ..self.circumstances()?
        })
    }
}

/// The opt-outs of `known` that would have let `outcome` pass, and the outcome as it was.
fn foreseen(
    known: &EffectiveOptOuts,
    outcome: Outcome,
    checkout: &dyn Checkout,
    status: Option<u8>,
) -> (Vec<OptOut>, Outcome) {
    if let Before::Skip(live) = judgement::before(known) {
        return (vec![live.mention(None)], outcome);
    }
    let matched = Matched::of(known, &outcome, checkout);
    let ruling = judgement::judge(known, outcome, &matched);
    (ruling.used.iter().map(|live| live.mention(None)).collect(), ruling.into_outcome(status))
}

fn check_unchanged(view: &View<'_>, sighting: &Sighting, watch: Watch) -> Result<(), Failed> {
    match sighting.changed(view, &watch.end(view)?)? {
        None => Ok(()),
        // It comes to the same, but is no reason to suspect anybody.
        Some((seq, _)) if was_archived(view, seq) => Err(Failed::Check(CheckError::Archived(seq))),
        Some((seq, how)) => Err(Failed::Check(CheckError::Tampered(format!("entry {seq} {how}")))),
    }
}

/// Whether the ledger's statement says that `seq` was moved to a segment. One that cannot be read says nothing.
fn was_archived(view: &View<'_>, seq: u64) -> bool {
    let statement = view.archive().ok().flatten();
    statement.is_some_and(|(_, statement)| statement.segment_of(seq).is_some())
}
