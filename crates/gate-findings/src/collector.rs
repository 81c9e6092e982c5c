//! Where the readers put what they find: findings at or above the threshold are kept, all else is counted.

use gate_model::finding::{Counts, Finding};
use gate_model::level::Level;
use gate_model::score::{FailOn, Score};

use crate::error::{At, ReportError};
use crate::limits;
use crate::reading::{Options, Part, Report};
use crate::wording;

/// More tools than this in one report are not listed.
const TOOLS: usize = 64;
/// More notes than this, and more of what tools say about themselves, are left out.
const NOTES: usize = 64;
const NOTICES: usize = 16;

pub(crate) struct Collector<'o> {
    pub(crate) options: Options<'o>,
    findings: Vec<Finding>,
    counts: Counts,
    tools: Vec<String>,
    notes: Vec<String>,
    notices: Vec<String>,
    /// Notices that are only counted.
    more_notices: u64,
    /// Results that a person has to judge.
    waiting: u64,
    memory: usize,
    messages: usize,
    without_message: u64,
    /// Suppressed by the report, and judged all the same.
    not_honoured: u64,
}

impl<'o> Collector<'o> {
    pub(crate) fn new(options: Options<'o>) -> Self {
        Self {
            options,
            findings: Vec::new(),
            counts: Counts::default(),
            tools: Vec::new(),
            notes: Vec::new(),
            notices: Vec::new(),
            more_notices: 0,
            waiting: 0,
            memory: 0,
            messages: 0,
            without_message: 0,
            not_honoured: 0,
        }
    }

    pub(crate) const fn count_absent(&mut self) {
        self.counts.absent += 1;
    }

    pub(crate) const fn count_below(&mut self) {
        self.counts.below_threshold += 1;
    }

    /// Counts a result that says that nothing is wrong.
    pub(crate) const fn count_pass(&mut self) {
        self.counts.passed += 1;
        self.counts.below_threshold += 1;
    }

    /// Takes note of a result that a person has to judge.
    pub(crate) const fn note_waiting(&mut self) {
        self.waiting += 1;
    }

    pub(crate) const fn count_suppressed(&mut self) {
        self.counts.suppressed += 1;
    }

    /// Takes note of a result that the report suppresses and that is judged all the same.
    pub(crate) const fn note_suppressed(&mut self) {
        self.not_honoured += 1;
    }

    /// `level`, raised to the policy's floor for the rule. A rule with a hierarchical id (SARIF §3.27.5, `CA1000/1`)
    /// has the floors of its parents too.
    pub(crate) fn floored(&self, rule: &str, level: Level) -> Level {
        if self.options.floors.is_empty() {
            return level;
        }
        gate_model::level::floored(self.options.floors, rule, level)
    }

    /// Whether a finding of this level and security severity is at or above the gate's threshold.
    pub(crate) fn reaches(&self, level: Level, severity: Option<Score>) -> bool {
        self.options.fail_on.blocks(level, severity)
    }

    /// Whether a result of this level is below the threshold, whatever its security severity and its rule.
    pub(crate) fn is_surely_below(&self, level: Level) -> bool {
        let FailOn::Level(least) = self.options.fail_on else { return false };
        // A floor may reach the rule by a name that is not seen yet.
        self.options.floors.is_empty() && level < least
    }

    /// Sets level and security severity, with the policy's `floor` for the rule. Where the policy says how grave a rule
    /// is, a severity that a report gives cannot make it harmless.
    pub(crate) fn grade(&self, finding: &mut Finding, level: Level, floor: Level, severity: Option<Score>) {
        finding.level = level.max(floor);
        let counts = matches!(self.options.fail_on, FailOn::Level(_)) || floor < Level::Warning;
        finding.security_severity = severity.filter(|_| counts);
    }

    /// Keeps a finding, or counts it where it is below the threshold.
    pub(crate) fn take(&mut self, finding: Finding, at: impl FnOnce() -> Box<At>) -> Result<(), ReportError> {
        if self.reaches(finding.level, finding.security_severity) {
            return self.keep(finding, at);
        }
        self.count_below();
        Ok(())
    }

    /// Keeps a finding whatever its level; [`Self::settle`] may take it out again.
    pub(crate) fn keep(
        &mut self,
        mut finding: Finding,
        at: impl FnOnce() -> Box<At>,
    ) -> Result<(), ReportError> {
        if self.messages + finding.message.len() > limits::MESSAGES_MEMORY {
            finding.message = String::new();
            self.without_message += 1;
        }
        self.messages += finding.message.len();
        self.memory += footprint(&finding);
        if self.memory > limits::FINDINGS_MEMORY {
            return Err(too_many(self.findings.len(), at()));
        }
        self.findings.push(finding);
        Ok(())
    }

    /// The number of findings kept so far: the next one's index.
    pub(crate) const fn kept(&self) -> usize {
        self.findings.len()
    }

    /// Goes through the findings from index `first` on. `settle` completes each and says whether it stays; one
    /// that does not is counted as below the threshold.
    pub(crate) fn settle(
        &mut self,
        first: usize,
        mut settle: impl FnMut(usize, &mut Finding) -> Result<bool, ReportError>,
    ) -> Result<(), ReportError> {
        let mut end = first;
        for index in first..self.findings.len() {
            self.memory = self.memory.saturating_sub(footprint(&self.findings[index]));
            if settle(index, &mut self.findings[index])? {
                self.memory += footprint(&self.findings[index]);
                self.findings.swap(end, index);
                end += 1;
            } else {
                self.counts.below_threshold += 1;
            }
        }
        self.findings.truncate(end);
        Ok(())
    }

    pub(crate) fn tool(&mut self, name: &str) {
        let name = wording::name(name);
        if self.tools.len() < TOOLS && !self.tools.contains(&name) {
            self.tools.push(name);
        }
    }

    pub(crate) fn note(&mut self, note: String) {
        if self.notes.len() < NOTES && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Hands on what a tool says about itself.
    pub(crate) fn notice(&mut self, notice: String) {
        if self.notices.len() >= NOTICES {
            self.more_notices += 1;
        } else if !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }

    pub(crate) fn finish(mut self, parts: Vec<Part>, digest: String) -> Report {
        if self.not_honoured > 0 {
            self.notes.push(format!(
                "{} of the report's own suppressions are not honoured: this gate judges what they hide",
                self.not_honoured
            ));
        }
        if self.without_message > 0 {
            self.notes
                .push(format!("the messages of {} findings are left out, for room", self.without_message));
        }
        if self.waiting > 0 {
            self.notes.push(format!(
                "{} results wait for a person to judge them (kind 'review' or 'open'): they count as findings",
                self.waiting
            ));
        }
        if self.more_notices > 0 {
            self.notices
                .push(format!("the tools report {} more errors or warnings of their own", self.more_notices));
        }
        let counted = self.counts.below_threshold + self.counts.suppressed + self.counts.absent;
        let total = self.findings.len() as u64 + counted;
        let Self { findings, counts, tools, notes, notices, .. } = self;
        Report { parts, digest, findings, counts, total, tools, notes, notices }
    }
}

/// What a finding takes of memory, with what an allocator adds to each string.
fn footprint(finding: &Finding) -> usize {
    let allocated = |length: usize| if length == 0 { 0 } else { (length + 8).next_multiple_of(16).max(32) };
    let optional = [&finding.path, &finding.package, &finding.tool, &finding.fix];
    let strings = [&finding.rule, &finding.message, &finding.fingerprint];
    size_of::<Finding>()
        + strings.into_iter().chain(optional.into_iter().flatten()).map(|s| allocated(s.len())).sum::<usize>()
}

fn too_many(kept: usize, at: Box<At>) -> ReportError {
    ReportError::TooLarge {
        at,
        what: format!("the findings up to here ({kept}) take"),
        limit: limits::FINDINGS_MEMORY,
        remedy: "have the tool report fewer: limit its paths or rules, or raise the gate's 'fail_on'",
    }
}
