//! The precedence of opt-outs, as pure functions: pause, then skip, then the judgement with its waivers,
//! then override.
//!
//! An override rescues a command that failed or findings that block. It never rescues a gate that did not
//! run: a command that could not be started, was interrupted, or left no usable report.

use std::collections::{BTreeMap, HashSet};

use gate_findings::matching::{self, Assignment, Lapsed, Waiver};
use gate_findings::place::Checkout;
use gate_model::action::Action;
use gate_model::decision::{OptOut, Verdict, Waived};
use gate_model::finding::{Counts, Evidence, Finding, WaiverTerms};
use gate_model::text::count;
use gate_model::time::{Timestamp, format_duration};
use gate_policy::Gate;

use crate::standing::{EffectiveOptOuts, Live};

/// What can be said before the gate runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Before<'a> {
    /// A pause holds the gate.
    Hold(&'a Live),
    /// A skip lets the pipeline past.
    Skip(&'a Live),
    /// The gate has to run.
    Run,
}

/// Applies pauses and skips.
pub fn before(standing: &EffectiveOptOuts) -> Before<'_> {
    let last_to_end = standing.of(Action::Pause).max_by_key(|live| live.expires);
    match (last_to_end, standing.of(Action::Skip).next()) {
        (Some(pause), _) => Before::Hold(pause),
        (None, Some(skip)) => Before::Skip(skip),
        (None, None) => Before::Run,
    }
}

/// What the gate came to by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A command ran and ended with this status (as the shell would see it); its status is the result.
    Ran(u8),
    /// A report was judged.
    Report {
        /// The findings at or above the gate's `fail_on`.
        findings: Vec<Finding>,
        /// What the report left out, and what did not matter.
        counts: Counts,
    },
    /// The gate did not run, or nobody can tell what it found.
    DidNotRun(String),
}

/// Why a report cannot be the whole of what a command with `status` found: it failed, and none of what the report shows
/// (`findings` at or above `fail_on`, and what [`Counts::may_be_wrong`]) can be the reason.
pub fn unexplained(status: u8, findings: u64, counts: &Counts) -> Option<String> {
    (status != 0 && findings == 0 && counts.may_be_wrong() == 0).then(|| {
        format!("the command ended with status {status}, and its report shows nothing that explains it")
    })
}

/// A verdict with what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Ruling {
    /// The verdict.
    pub verdict: Verdict,
    /// The findings that block.
    pub blocking: Vec<Finding>,
    /// The findings that a waiver covers.
    pub waived: Vec<Waived>,
    /// What the report left out.
    pub counts: Counts,
    /// The opt-outs that were used.
    pub used: Vec<Live>,
    /// The opt-outs that were not needed, or matched nothing.
    pub unneeded: Vec<OptOut>,
    /// Why, as sentences.
    pub reasons: Vec<String>,
    /// Why the gate did not run, where it did not.
    pub did_not_run: Option<String>,
    /// Whether a report was judged, not a command's status.
    pub judged_report: bool,
    /// Reviews of this gate that are overdue, as sentences.
    pub overdue: Vec<String>,
}

impl Ruling {
    /// The outcome that was judged, taken back out of the ruling. `status` is the command's.
    pub fn into_outcome(self, status: Option<u8>) -> Outcome {
        if let Some(why) = self.did_not_run {
            return Outcome::DidNotRun(why);
        }
        if let (Some(status), false) = (status, self.judged_report) {
            return Outcome::Ran(status);
        }
        let mut findings = self.blocking;
        findings.extend(self.waived.into_iter().map(|waived| waived.finding));
        Outcome::Report { findings, counts: self.counts }
    }
}

/// Whether the pipeline proceeds past `gate` with this verdict at `now`; nothing where only a run would tell. A gate that
/// is observed stops nobody by what it came to. A pause is somebody's word and holds all the same.
pub fn proceeds(verdict: Verdict, gate: &Gate, now: Timestamp) -> Option<bool> {
    if verdict == Verdict::Fail && gate.observed(now).is_some() { Some(true) } else { verdict.proceeds() }
}

/// A ruling that rests on one opt-out alone, made before anything ran.
pub fn by_opt_out(verdict: Verdict, live: &Live) -> Ruling {
    let what = if verdict == Verdict::Hold { "is paused" } else { "is skipped" };
    let reason = format!(
        "the gate {what} until {} by {} (opt-out {}): {}",
        live.expires.to_second(),
        live.by.id,
        live.id,
        live.reason
    );
    Ruling {
        verdict,
        blocking: Vec::new(),
        waived: Vec::new(),
        counts: Counts::default(),
        used: vec![live.clone()],
        unneeded: Vec::new(),
        reasons: std::iter::once(reason).chain(live.doubts.iter().cloned()).collect(),
        did_not_run: None,
        judged_report: false,
        overdue: Vec::new(),
    }
}

/// Which waivers cover which findings. Matching may take long, so it is done before the transaction that judges, for the
/// waivers that stood then.
#[derive(Debug, Default)]
pub struct Matched {
    /// The waivers that were matched: each with the position of its grant, what it accepts and on which terms.
    waivers: Vec<(u64, u64, WaiverTerms, Vec<Evidence>)>,
    /// What covers each finding. Empty where no waiver was matched.
    assignment: Assignment,
    /// How many findings that block a waiver covered until it lapsed for them.
    lapsed: BTreeMap<(u64, Lapsed), u64>,
}

impl Matched {
    /// Matches the waivers of `standing` with what was found in the `checkout`; an outcome without a report has nothing to
    /// match.
    pub fn of(standing: &EffectiveOptOuts, outcome: &Outcome, checkout: &dyn Checkout) -> Self {
        let Outcome::Report { findings, .. } = outcome else { return Self::default() };
        let offered: Vec<Waiver<'_>> = standing
            .of(Action::Waive)
            .map(|live| Waiver { grant: live.id, evidence: &live.findings, terms: live.terms })
            .collect();
        let assignment = matching::assign(findings, &offered, checkout);
        let waivers =
            standing.of(Action::Waive).map(|live| (live.id, live.seq, live.terms, live.findings.clone()));
        let lapsed = matching::lapsed(findings, &offered, &assignment);
        Self { waivers: waivers.collect(), assignment, lapsed }
    }

    /// Whether the waivers of `standing` are the ones that were matched.
    pub fn is_of(&self, standing: &EffectiveOptOuts) -> bool {
        let now =
            standing.of(Action::Waive).map(|live| (live.id, live.seq, live.terms, live.findings.as_slice()));
        now.eq(self.waivers.iter().map(|(id, seq, terms, found)| (*id, *seq, *terms, found.as_slice())))
    }
}

/// Judges what the gate came to. `matched` is of the standing's waivers, or of none: then none counts.
pub fn judge(standing: &EffectiveOptOuts, outcome: Outcome, matched: &Matched) -> Ruling {
    let mut ruling = match outcome {
        Outcome::Ran(status) => ran(status),
        Outcome::Report { findings, counts } => report(standing, findings, counts, matched),
        Outcome::DidNotRun(why) => did_not_run(why),
    };
    if ruling.verdict == Verdict::Fail && ruling.did_not_run.is_none() {
        rescue(standing, &mut ruling);
    }
    name_unneeded(standing, &mut ruling);
    ruling.overdue.clone_from(&standing.overdue);
    ruling
}

/// A plan of a gate that has to run: opt-outs that its result may need are named.
pub fn would_run(standing: &EffectiveOptOuts) -> Ruling {
    let mut ruling = bare(Verdict::Run, "the gate would run, and its result would count".to_owned());
    for live in standing.of(Action::Override).chain(standing.of(Action::Waive)) {
        ruling.reasons.push(format!(
            "{} by {} (opt-out {}) is live: {}",
            live.action, live.by.id, live.id, live.reason
        ));
    }
    ruling
}

fn ran(status: u8) -> Ruling {
    let (verdict, reason) = match status {
        0 => (Verdict::Pass, "the command succeeded".to_owned()),
        _ => (Verdict::Fail, format!("the command ended with status {status}")),
    };
    bare(verdict, reason)
}

fn did_not_run(why: String) -> Ruling {
    let mut ruling = bare(Verdict::Fail, format!("the gate did not run: {why}"));
    ruling.did_not_run = Some(why);
    ruling
}

const fn bare_with(verdict: Verdict, reasons: Vec<String>, counts: Counts) -> Ruling {
    Ruling {
        verdict,
        blocking: Vec::new(),
        waived: Vec::new(),
        counts,
        used: Vec::new(),
        unneeded: Vec::new(),
        reasons,
        did_not_run: None,
        judged_report: false,
        overdue: Vec::new(),
    }
}

fn bare(verdict: Verdict, reason: String) -> Ruling {
    bare_with(verdict, vec![reason], Counts::default())
}

fn report(standing: &EffectiveOptOuts, findings: Vec<Finding>, counts: Counts, matched: &Matched) -> Ruling {
    let mut ruling = bare_with(Verdict::Pass, Vec::new(), counts);
    ruling.judged_report = true;
    let Assignment { covered_by, moved_from, .. } = &matched.assignment;
    if covered_by.iter().all(Option::is_none) {
        // The common case of a large report: nothing is moved.
        ruling.blocking = findings;
    } else {
        let covered_by = covered_by.iter().copied().chain(std::iter::repeat(None));
        for (number, (finding, grant)) in findings.into_iter().zip(covered_by).enumerate() {
            let moved_from = || moved_from.get(&number).cloned();
            match grant {
                Some(grant) => ruling.waived.push(Waived { finding, grant, moved_from: moved_from() }),
                None => ruling.blocking.push(finding),
            }
        }
    }
    let used: HashSet<u64> = ruling.waived.iter().map(|waived| waived.grant).collect();
    ruling.used = standing.of(Action::Waive).filter(|live| used.contains(&live.id)).cloned().collect();
    if !ruling.blocking.is_empty() {
        ruling.verdict = Verdict::Fail;
    }
    ruling.reasons.push(report_in_words(&ruling));
    ruling.reasons.extend(alike_in_words(matched.assignment.elsewhere.len()));
    ruling.reasons.extend(matched.lapsed.iter().map(|((grant, why), count)| {
        format!("opt-out {grant} covers {} no longer: {}", in_words(*count), why.as_str())
    }));
    ruling
}

/// Why findings block that look as if somebody had accepted them.
fn alike_in_words(findings: usize) -> Option<String> {
    match findings {
        0 => None,
        1 => Some("1 finding is like an accepted one, which stood elsewhere in the file".to_owned()),
        many => Some(format!("{many} findings are like accepted ones, which stood elsewhere in the file")),
    }
}

fn in_words(findings: u64) -> String {
    count(findings, "finding")
}

fn report_in_words(ruling: &Ruling) -> String {
    let findings = |count: usize| in_words(count as u64);
    match (ruling.blocking.len(), ruling.waived.len()) {
        (0, 0) => "no finding blocks".to_owned(),
        (0, waived) => format!("no finding blocks; {} waived", findings(waived)),
        (1, 0) => "1 finding blocks".to_owned(),
        (blocking, 0) => format!("{blocking} findings block"),
        (1, waived) => format!("1 finding blocks; {} waived", findings(waived)),
        (blocking, waived) => format!("{blocking} findings block; {} waived", findings(waived)),
    }
}

fn rescue(standing: &EffectiveOptOuts, ruling: &mut Ruling) {
    let Some(live) = standing.of(Action::Override).next() else { return };
    ruling.verdict = Verdict::Override;
    ruling.reasons.push(format!("overridden by {} (opt-out {}): {}", live.by.id, live.id, live.reason));
    ruling.used.push(live.clone());
}

/// Names the skips, overrides and waivers of this scope that this decision did not use.
fn name_unneeded(standing: &EffectiveOptOuts, ruling: &mut Ruling) {
    let used: HashSet<u64> = ruling.used.iter().map(|live| live.id).collect();
    ruling.unneeded = standing
        .live
        .iter()
        .filter(|live| !used.contains(&live.id))
        .map(|live| {
            let note = match (live.action, &ruling.did_not_run) {
                (_, Some(_)) => "the gate did not run",
                (Action::Waive, _) => "no finding of this report matches it, or others cover them",
                _ if ruling.verdict == Verdict::Pass => "the gate passed by itself",
                _ => "another opt-out was used",
            };
            live.mention(Some(note.to_owned()))
        })
        .collect();
}

/// The live opt-outs that end within `warn_before` seconds.
pub fn ending(standing: &EffectiveOptOuts, now: Timestamp, warn_before: u64) -> Vec<OptOut> {
    let limit = now.plus(warn_before);
    let soon = |live: &&Live| limit.is_none_or(|limit| live.expires <= limit);
    let note = |live: &Live| {
        let left = u64::try_from(live.expires.seconds_since(now)).unwrap_or(0);
        format!("ends in {}", format_duration(left))
    };
    standing.live.iter().filter(soon).map(|live| live.mention(Some(note(live)))).collect()
}
