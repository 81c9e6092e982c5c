//! Decisions, judged again: the verdict must follow from the facts beside it, and from the opt-outs that were in
//! force, in their order: pause, skip, the judgement with its waivers, override.

use std::collections::BTreeSet;

use gate_model::action::Action;
use gate_model::decision::Verdict;
use gate_model::finding::Counts;
use gate_model::payload::Mode;
use gate_model::time::Timestamp;
use gate_policy::Gate;

use crate::judgement;
use crate::standing::Seen;
use crate::verdict::CLOCK_TOLERANCE;

use super::heads::Found;
use super::of_gate::OfGate;
use super::report::{Doubt, Judged, Report};
use super::uses::{Here, InForce};
use super::wire::{Facts, Text};
use super::{Position, State, findings, known_judge};

/// What a gate came to by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    /// A pause or a skip decided before it ran.
    NotAsked,
    /// It did not run, or nobody can tell what it found.
    DidNotRun,
    /// It ran, and would pass without any override.
    Passes,
    /// It ran, and blocks.
    Blocks,
}

impl State {
    /// Judges a decision.
    pub(super) fn decision(&mut self, at: Position<'_>, facts: &Facts<'_>, report: &mut Report) -> Judged {
        known_judge(facts.judge)?;
        let used = self.policy_log.used(facts.policy.digest.as_str(), facts.policy.source.as_str())?;
        let seen = facts.seen_head.as_ref().map_or(at.seq, |seen| seen.seq);
        let repository = facts.context.repository.as_ref().map(Text::as_str);
        self.note_oddities(at, (seen, repository), &used, report);
        let name = at.gate()?;
        let gate = used.policy().gate(name).map_err(|error| Doubt::Wrong(error.to_string()))?;
        let came = came_to(gate, facts)?;
        let now = judged(at, facts)?;
        follows(came, facts, judgement::proceeds(facts.decision, gate, now))?;
        let begun = self.begun(at, facts, came)?;
        // What ended while the gate ran counted when it began.
        self.opt_outs.strike_over(name, begun.map_or(now, |begun| now.min(begun.at)));
        let is_plain = facts.grants.is_empty() && facts.spends.is_none() && facts.waived == 0;
        if is_plain && !self.opt_outs.of_gate(name).is_some_and(OfGate::has_live) {
            // No opt-out is used, and none was there to be used: nearly every decision ends here.
            return rests_on_nothing(facts);
        }
        let context = facts.context.context();
        let here = Here {
            at,
            gate: name,
            now,
            today: &used,
            context: &context,
            commanded_since: commanded_since(facts, came, begun),
        };
        let live = self.used_opt_outs(here, facts)?;
        rests_on_right_ones(facts, &live)?;
        Self::covered(facts, &live)?;
        if facts.waited.is_some() {
            return self.waited(here, facts, begun, is_plain);
        }
        self.passes_over_none(here, facts, came, begun)
    }

    /// A decision that waited was judged without opt-outs, perhaps far from the ledger: it may pass over one that would
    /// have let it through, never over a pause.
    fn waited(&self, here: Here<'_>, facts: &Facts<'_>, begun: Option<Seen>, is_plain: bool) -> Judged {
        if !is_plain || !matches!(facts.decision, Verdict::Pass | Verdict::Fail) {
            return Err(Doubt::wrong("waited to be recorded, and uses an opt-out"));
        }
        let pause = begun.and_then(|begun| self.in_force_since(here, begun, Action::Pause).next());
        pause.map_or(Ok(()), |live| Err(self.passes_over(live)))
    }

    /// When the gate began, and the entry that was newest then.
    fn begun(&self, at: Position<'_>, facts: &Facts<'_>, came: Came) -> Result<Option<Seen>, Doubt> {
        let (Some(seen), Some(now)) = (&facts.seen_head, facts.begun_at) else {
            return match (came, &facts.seen_head, facts.begun_at) {
                (Came::NotAsked, None, None) => Ok(None),
                _ => {
                    Err(Doubt::wrong("does not say when the gate began, and which entry was the newest then"))
                }
            };
        };
        let missing = || Doubt::Wrong(format!("has seen entry {} with another hash than it has", seen.seq));
        if seen.seq >= at.seq {
            return Err(missing());
        }
        match self.heads.find(seen.seq, seen.hash.as_str()) {
            Found::There(time) => {
                can_have_begun(now, time, facts)?;
                Ok(Some(Seen { seq: seen.seq, at: now }))
            }
            // Nothing of that time can be looked up by now, and nothing needs to be.
            Found::Old(_) => Ok(None),
            Found::Other => Err(missing()),
        }
    }

    /// The opt-outs that a decision names, each of which must have counted.
    fn used_opt_outs<'a>(&'a self, here: Here<'a>, facts: &Facts<'_>) -> Result<Vec<InForce<'a>>, Doubt> {
        let ids: BTreeSet<u64> = facts.grants.iter().copied().collect();
        if ids.len() != facts.grants.len() {
            return Err(Doubt::wrong("names an opt-out twice"));
        }
        let live: Vec<InForce<'_>> =
            facts.grants.iter().map(|id| self.usable(here, *id)).collect::<Result<_, _>>()?;
        // A run that blocks all the same, or that nobody enforces, took nobody past, so it spends nothing.
        let took_past = facts.decision.proceeds() == Some(true);
        let limited = live.iter().filter(|live| live.has_limit() && took_past);
        let limited: BTreeSet<u64> = limited.map(|live| live.id).collect();
        let spends: Vec<u64> = facts.spends.iter().flatten().copied().collect();
        let spent: BTreeSet<u64> = spends.iter().copied().collect();
        if limited == spent && spends.len() == spent.len() {
            return Ok(live);
        }
        Err(Doubt::Wrong(format!("spends {}, and used up a use of {}", listed(&spent), listed(&limited))))
    }

    fn passes_over(&self, live: InForce<'_>) -> Doubt {
        let (action, id) = (live.action(), live.id);
        self.against(id, format!("passes over the {action} of opt-out {id}, which was in force"))
    }

    /// Whether an opt-out was in force that comes before what decided.
    fn passes_over_none(&self, here: Here<'_>, facts: &Facts<'_>, came: Came, begun: Option<Seen>) -> Judged {
        let passed_over = match (came, facts.decision) {
            (Came::NotAsked, Verdict::Skip) => self.in_force(here, Action::Pause).next(),
            (Came::NotAsked, _) => None,
            _ => begun.and_then(|begun| {
                let first = self.in_force_since(here, begun, Action::Pause).next();
                first.or_else(|| self.in_force_since(here, begun, Action::Skip).next())
            }),
        };
        if let Some(live) = passed_over {
            return Err(self.passes_over(live));
        }
        if came == Came::Blocks {
            self.as_few_as_possible(here, facts)?;
        }
        if came == Came::Blocks
            && facts.decision == Verdict::Fail
            && let Some(live) = self.in_force(here, Action::Override).next()
        {
            return Err(self.passes_over(live));
        }
        Ok(())
    }
}

/// Where a command ran: the newest entry before it.
fn commanded_since(facts: &Facts<'_>, came: Came, begun: Option<Seen>) -> Option<Seen> {
    // Nothing has run yet where a pause or a skip decides, so no command can have excused itself.
    let ran = came != Came::NotAsked && facts.mode != Mode::Judge;
    let at = facts.begun_at.unwrap_or_else(|| facts.judged_at.minus(u64::MAX));
    let seen = |seq| begun.unwrap_or(Seen { seq, at });
    facts.seen_head.as_ref().map(|head| seen(head.seq)).filter(|_| ran)
}

/// Whether the gate can have begun at `now`, where the newest entry was of the time `seen`: not before that, nor after it
/// was judged, but for what the clock went back meanwhile. Up to [`CLOCK_TOLERANCE`] nobody records that.
fn can_have_begun(now: Timestamp, seen: Timestamp, facts: &Facts<'_>) -> Judged {
    let back = CLOCK_TOLERANCE.saturating_sub(facts.clock_jump.unwrap_or_default()).max(0).unsigned_abs();
    let latest = facts.judged_at.plus(back).map_or(seen, |latest| latest.max(seen));
    if (seen..=latest).contains(&now) {
        return Ok(());
    }
    Err(Doubt::Wrong(format!(
        "says that its gate began at {now}, and stands where that was from {seen} to {latest}"
    )))
}

/// The instant at which the gate was judged. A decision that waited was recorded later than that, however much.
fn judged(at: Position<'_>, facts: &Facts<'_>) -> Result<Timestamp, Doubt> {
    if facts.waited.is_some() && facts.judged_at <= at.moment.latest {
        return Ok(facts.judged_at);
    }
    at.instant(facts.judged_at)
}

fn listed(ids: &BTreeSet<u64>) -> String {
    if ids.is_empty() {
        return "nothing".to_owned();
    }
    ids.iter().map(|id| format!("opt-out {id}")).collect::<Vec<_>>().join(", ")
}

/// What the gate came to by itself, where its facts can be true together.
fn came_to(gate: &Gate, facts: &Facts<'_>) -> Result<Came, Doubt> {
    match facts.decision {
        Verdict::Run => Err(Doubt::wrong("is a plan, which is never recorded")),
        Verdict::Hold | Verdict::Skip => not_asked(facts).map(|()| Came::NotAsked),
        Verdict::Pass | Verdict::Fail | Verdict::Override => {
            findings::add_up(gate, facts)?;
            match (&facts.did_not_run, &facts.report) {
                (Some(_), _) => did_not_run(facts).map(|()| Came::DidNotRun),
                (None, Some(_)) => reported(gate, facts),
                (None, None) => ran(gate, facts),
            }
        }
    }
}

/// A pause or a skip decides before anything runs.
fn not_asked(facts: &Facts<'_>) -> Judged {
    let nothing = facts.status.is_none()
        && facts.report.is_none()
        && facts.did_not_run.is_none()
        && facts.fail_on.is_none()
        && has_no_findings(facts);
    if nothing { Ok(()) } else { Err(Doubt::wrong("decides before the gate ran, and says what it came to")) }
}

fn did_not_run(facts: &Facts<'_>) -> Judged {
    if facts.report.is_none() && has_no_findings(facts) {
        return Ok(());
    }
    Err(Doubt::wrong("says that the gate did not run, and what it found"))
}

fn has_no_findings(facts: &Facts<'_>) -> bool {
    let sums = [facts.blocking, facts.waived, facts.omitted];
    sums == [0; 3] && facts.counts() == Counts::default() && facts.findings.is_empty()
}

fn reported(gate: &Gate, facts: &Facts<'_>) -> Result<Came, Doubt> {
    match (facts.mode, facts.status) {
        (Mode::Judge, None) => {}
        (Mode::Findings, Some(status)) => {
            let findings = facts.blocking.saturating_add(facts.waived);
            let unexplained = || judgement::unexplained(status, findings, &facts.counts());
            let why = gate.did_not_run(status, true).or_else(unexplained);
            if let Some(why) = why {
                return Err(Doubt::Wrong(format!("judges a report of what did not run: {why}")));
            }
        }
        _ => return Err(Doubt::wrong("has a report, and a mode and status that do not go with one")),
    }
    Ok(if facts.blocking == 0 { Came::Passes } else { Came::Blocks })
}

fn ran(gate: &Gate, facts: &Facts<'_>) -> Result<Came, Doubt> {
    let (Mode::Run, Some(status)) = (facts.mode, facts.status) else {
        return Err(Doubt::wrong("has neither a report nor the status of a command"));
    };
    if !has_no_findings(facts) {
        return Err(Doubt::wrong("has findings and no report that they come from"));
    }
    let proceeds = facts.decision.proceeds() == Some(true);
    if let (Some(report), true) = (&gate.report, proceeds) {
        let report = gate_model::text::visible(report);
        return Err(Doubt::Wrong(format!(
            "lets a command past by its status, and this gate is judged by its report '{report}'"
        )));
    }
    if let Some(why) = gate.did_not_run(status, false) {
        return Err(Doubt::Wrong(format!("judges the status of a command that did not run: {why}")));
    }
    Ok(if status == 0 { Came::Passes } else { Came::Blocks })
}

/// Whether the verdict follows from what the gate came to, and whether somebody proceeds who may.
fn follows(came: Came, facts: &Facts<'_>, proceeds: Option<bool>) -> Judged {
    let verdict = facts.decision;
    if proceeds != Some(facts.proceed) {
        let proceeds = if facts.proceed { "proceeds" } else { "does not proceed" };
        return Err(Doubt::Wrong(format!("{proceeds} with the verdict '{}'", verdict.as_str())));
    }
    let follows = match came {
        Came::NotAsked => matches!(verdict, Verdict::Hold | Verdict::Skip),
        Came::DidNotRun => verdict == Verdict::Fail,
        Came::Passes => verdict == Verdict::Pass,
        Came::Blocks => matches!(verdict, Verdict::Fail | Verdict::Override),
    };
    if follows {
        return Ok(());
    }
    let came = match came {
        Came::NotAsked => "nothing ran".to_owned(),
        Came::DidNotRun => "the gate did not run".to_owned(),
        Came::Passes => "nothing blocks".to_owned(),
        Came::Blocks if facts.report.is_some() => format!("{} findings block", facts.blocking),
        Came::Blocks => "the command failed".to_owned(),
    };
    Err(Doubt::Wrong(format!("has the verdict '{}', and {came}", verdict.as_str())))
}

/// The action of the one opt-out that a verdict rests on by itself.
const fn resting_on(verdict: Verdict) -> Option<Action> {
    match verdict {
        Verdict::Hold => Some(Action::Pause),
        Verdict::Skip => Some(Action::Skip),
        Verdict::Override => Some(Action::Override),
        Verdict::Pass | Verdict::Fail | Verdict::Run => None,
    }
}

fn rests_on_nothing(facts: &Facts<'_>) -> Judged {
    match resting_on(facts.decision) {
        None => Ok(()),
        Some(action) => {
            Err(Doubt::Wrong(format!("has the verdict '{}' without a {action}", facts.decision.as_str())))
        }
    }
}

/// Whether the opt-outs that were used are those that such a verdict uses.
fn rests_on_right_ones(facts: &Facts<'_>, live: &[InForce<'_>]) -> Judged {
    let needed = resting_on(facts.decision);
    let others = || live.iter().filter(|live| live.action() != Action::Waive);
    if let Some(live) = others().find(|live| Some(live.action()) != needed) {
        let (action, verdict) = (live.action(), facts.decision.as_str());
        return Err(Doubt::Wrong(format!(
            "uses the {action} of opt-out {} for the verdict '{verdict}'",
            live.id
        )));
    }
    match (needed, others().count()) {
        (None, _) | (Some(_), 1) => Ok(()),
        (Some(_), 0) => rests_on_nothing(facts),
        (Some(action), _) => Err(Doubt::Wrong(format!("uses more than one {action}"))),
    }
}
