//! A ruling as the document that `gate-check` prints and as the payload that the ledger keeps.

use gate_findings::evidence;
use gate_model::JUDGE;
use gate_model::context::Context;
use gate_model::decision::{DID_NOT_COUNT, Decision, PolicyUsed, ReportPart, SCHEMA, Verdict};
use gate_model::payload::{DecisionData, Judged, Mode};
use gate_model::principal::Principal;
use gate_model::request::SeenHead;
use gate_model::time::Timestamp;
use gate_policy::Gate;

use crate::judgement::{self, Ruling};
use crate::standing::EffectiveOptOuts;
use crate::suggest::{self, Ways};

/// How many bytes of findings an entry keeps at most. Every later decision reads the newest entry, so a large
/// report must not make it large; the digest of the report stands for the rest.
const MAX_FINDING_BYTES: usize = 64 * 1024;
/// How many findings are grouped for an entry.
const MAX_GROUPED: usize = 20_000;

/// A clock that moved by more than this against the time that really passed is recorded, in seconds.
pub const CLOCK_TOLERANCE: i64 = 300;

/// Who and where, and what happened around the judgement.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// How the decision came about.
    pub mode: Mode,
    /// Where it ran.
    pub context: Context,
    /// Who ran it.
    pub principal: Principal,
    /// The program that was run.
    pub program: Option<String>,
    /// Its status.
    pub status: Option<u8>,
    /// The report's digest.
    pub report: Option<String>,
    /// The files of a report in more than one.
    pub parts: Vec<ReportPart>,
    /// Sentences about the report, and about how the facts of the run are known.
    pub notes: Vec<String>,
    /// What the tools say about themselves.
    pub notices: Vec<String>,
    /// When the gate's run began, and what was the newest entry then.
    pub begun: Option<Begun>,
    /// By how many seconds the clock moved on its own.
    pub clock_jump: Option<i64>,
}

/// How the ledger stood when a gate's run began.
#[derive(Debug, Clone)]
pub struct Begun {
    /// The instant at which pauses and skips were looked for.
    pub at: Timestamp,
    /// The newest entry.
    pub seen: SeenHead,
}

impl Circumstances {
    /// Circumstances in which nothing ran yet.
    pub const fn bare(mode: Mode, context: Context, principal: Principal) -> Self {
        Self {
            mode,
            context,
            principal,
            program: None,
            status: None,
            report: None,
            parts: Vec::new(),
            notes: Vec::new(),
            notices: Vec::new(),
            begun: None,
            clock_jump: None,
        }
    }
}

/// The rules that a ruling was made under.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The gate's name.
    pub name: &'a str,
    /// The gate.
    pub gate: &'a Gate,
    /// The policy's digest and source.
    pub used: &'a PolicyUsed,
    /// How many seconds before its end an opt-out is mentioned.
    pub warn_before: u64,
}

/// The document; `recorded` is filled in once the entry is written.
pub fn decision(
    rules: &Rules<'_>,
    standing: &EffectiveOptOuts,
    ruling: Ruling,
    facts: &Circumstances,
    now: Timestamp,
) -> Decision {
    let mut reasons = reasons(rules.gate, &ruling, facts, now);
    reasons.extend(standing.set_aside.iter().filter(|aside| !aside.elsewhere).map(|aside| {
        let what = aside.action.map_or("an opt-out".to_owned(), |action| format!("a {action}"));
        format!("{what} (opt-out {}){DID_NOT_COUNT}it {}", aside.id, aside.why)
    }));
    let proceed = judgement::proceeds(ruling.verdict, rules.gate, now);
    let ways = match proceed {
        Some(true) => Ways::default(),
        _ => suggest::ways_past(rules.name, rules.gate, &ruling, &facts.context),
    };
    Decision {
        schema: SCHEMA.to_owned(),
        decision: ruling.verdict,
        proceed,
        observed_until: rules.gate.observed(now),
        gate: rules.name.to_owned(),
        suggest: ways.each,
        suggest_all: ways.all,
        ending: judgement::ending(standing, now, rules.warn_before),
        grants: ruling.used.iter().map(|live| live.mention(None)).collect(),
        blocking: ruling.blocking,
        waived: ruling.waived,
        below_threshold: ruling.counts.below_threshold,
        passed: ruling.counts.passed,
        suppressed: ruling.counts.suppressed,
        absent: ruling.counts.absent,
        unneeded: ruling.unneeded,
        would_use: Vec::new(),
        reasons,
        notices: facts.notices.clone(),
        policy: rules.used.clone(),
        report: facts.report.clone(),
        reports: facts.parts.clone(),
        status: facts.status,
        context: facts.context.clone(),
        at: now,
        judge: JUDGE,
        recorded: None,
        waiting: false,
        lost: 0,
        clock_ahead: None,
    }
}

/// The payload of the entry that is judged at `now`.
pub fn data(
    ruling: &Ruling,
    gate: &Gate,
    used: &PolicyUsed,
    facts: &Circumstances,
    now: Timestamp,
) -> DecisionData {
    let (groups, ungrouped) = grouped(ruling);
    let (findings, oversized) = bounded(groups);
    // A run that blocks all the same, or that nobody enforces, took nobody past, so it spends nothing.
    let limited = ruling.used.iter().filter(|live| live.uses_left.is_some());
    let spends: Vec<u64> =
        limited.filter(|_| ruling.verdict.proceeds() == Some(true)).map(|live| live.id).collect();
    let judges_findings = facts.report.is_some();
    DecisionData {
        decision: ruling.verdict,
        proceed: judgement::proceeds(ruling.verdict, gate, now).unwrap_or(false),
        mode: facts.mode,
        program: facts.program.clone(),
        status: facts.status,
        did_not_run: ruling.did_not_run.clone(),
        report: facts.report.clone(),
        fail_on: judges_findings.then_some(gate.fail_on),
        blocking: ruling.blocking.len() as u64,
        waived: ruling.waived.len() as u64,
        counts: ruling.counts,
        findings,
        omitted: ungrouped + oversized,
        grants: ruling.used.iter().map(|live| live.id).collect(),
        spends: (!spends.is_empty()).then_some(spends),
        mark: None,
        reasons: reasons(gate, ruling, facts, now),
        policy: used.clone(),
        judge: JUDGE,
        judged_at: now,
        context: facts.context.clone(),
        seen_head: facts.begun.as_ref().map(|begun| begun.seen.clone()),
        begun_at: facts.begun.as_ref().map(|begun| begun.at),
        clock_jump: facts.clock_jump,
    }
}

/// The findings of a ruling, identical ones together, each group with the grant that covers it; and how many
/// findings were left out of the grouping. An entry holds far fewer groups than [`MAX_GROUPED`], so grouping
/// more of a large report would only cost memory.
fn grouped(ruling: &Ruling) -> (Vec<Judged>, u64) {
    let blocking = ruling.blocking.iter().map(|finding| (finding, None, None));
    let waived = ruling.waived.iter();
    let waived = waived.map(|one| (&one.finding, Some(one.grant), one.moved_from.as_deref()));
    let all = ruling.blocking.len() + ruling.waived.len();
    let groups = evidence::group(waived.chain(blocking).take(MAX_GROUPED));
    (groups, all.saturating_sub(MAX_GROUPED) as u64)
}

fn reasons(gate: &Gate, ruling: &Ruling, facts: &Circumstances, now: Timestamp) -> Vec<String> {
    let mut reasons = ruling.reasons.clone();
    if let (Verdict::Fail, Some(until)) = (ruling.verdict, gate.observed(now)) {
        reasons
            .push(format!("the gate is observed until {}, and stops nobody before that", until.to_second()));
    }
    reasons.extend(facts.notes.iter().chain(&facts.notices).cloned());
    reasons.extend(facts.context.contradiction());
    reasons.extend(ruling.overdue.iter().cloned());
    if gate.allow.is_empty() && judgement::proceeds(ruling.verdict, gate, now) == Some(false) {
        reasons.push("the policy has no allow rule for this gate: it cannot be opted out of".to_owned());
    }
    for rule in &gate.allow {
        if let Some(risk) = &rule.i_accept {
            reasons
                .push(format!("rule {} of this gate reaches everything, accepted as: {risk}", rule.number));
        }
    }
    reasons
}

/// As many groups as fit into an entry, and how many findings did not.
fn bounded(groups: Vec<Judged>) -> (Vec<Judged>, u64) {
    let mut bytes = 0;
    let mut kept = Vec::new();
    let mut omitted = 0;
    for group in groups {
        bytes += size_of_group(&group);
        if bytes <= MAX_FINDING_BYTES {
            kept.push(group);
        } else {
            omitted += group.finding.count;
        }
    }
    (kept, omitted)
}

/// An upper bound of the group's bytes in JSON: each byte of text may become six.
fn size_of_group(group: &Judged) -> usize {
    let finding = &group.finding;
    let texts = [&finding.path, &finding.package, &finding.fingerprint, &finding.tool];
    let text: usize = texts.iter().map(|text| text.as_ref().map_or(0, String::len)).sum();
    let named: usize = finding.fingerprints.iter().map(|(name, value)| 2 + name.len() + value.len()).sum();
    let moved = group.moved_from.as_ref().map_or(0, String::len);
    160 + 6 * (finding.rule.len() + text + named + moved)
}
