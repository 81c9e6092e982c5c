//! Annotations: what CI systems show beside the code and on a run's page.
//!
//! GitHub shows at most ten annotations of a kind for each step and drops the rest without a word. So of a
//! kind with more than ten, nine are written, and the tenth says how many there are besides. Nothing else is
//! written to stdout in these formats.

use gate_model::decision::{Decision, OptOut, Verdict};
use gate_model::grant::{Grant, Status};
use gate_model::time::Timestamp;
use gate_model::verification::Verification;

use super::grant::title;
use super::items::{Standing, gate_rule, of, why};
use super::verification::warning;
use super::words::{count, ends, opt_out};
use crate::escape::inert;
use crate::escape::workflow::{azure_message, azure_property, github_message, github_property};

const MAX_OF_A_KIND: usize = 10;

/// How loud an annotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It stops the pipeline.
    Error,
    /// Somebody should act.
    Warning,
    /// It is good to know.
    Notice,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Notice];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// One annotation; text as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Annotation {
    kind: Kind,
    title: String,
    message: String,
    path: Option<String>,
    line: Option<u64>,
}

impl Annotation {
    fn new(kind: Kind, title: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, title: title.into(), message: message.into(), path: None, line: None }
    }
}

/// What blocks, what was accepted, and which opt-outs somebody should look at.
pub(super) fn of_decision(decision: &Decision, now: Timestamp) -> Vec<Annotation> {
    let mut all: Vec<Annotation> =
        of(decision).into_iter().map(|item| of_item(&decision.gate, item)).collect();
    let gate = gate_rule(&decision.gate);
    if matches!(decision.decision, Verdict::Skip | Verdict::Override) {
        all.push(Annotation::new(Kind::Warning, &gate, why(decision)));
    }
    // Where the gate itself is told about, its reasons name the contradiction.
    if all.iter().all(|told| told.title != gate) {
        all.extend(decision.context.contradiction().map(|told| Annotation::new(Kind::Warning, &gate, told)));
    }
    let told = |kind, what: &str, list: &[OptOut]| -> Vec<Annotation> {
        let message = |grant: &OptOut| format!("{} {what} {}", opt_out(grant), ends(grant.expires, now));
        list.iter().map(|grant| Annotation::new(kind, &gate, message(grant))).collect()
    };
    all.extend(decision.notices.iter().map(|notice| Annotation::new(Kind::Warning, &gate, notice)));
    all.extend(told(Kind::Warning, "ends", &decision.ending));
    all.extend(told(Kind::Notice, "was not needed; it ends", &decision.unneeded));
    all
}

fn of_item(gate: &str, item: super::items::Item) -> Annotation {
    let finding = item.finding;
    let title =
        if finding.rule == gate_rule(gate) { finding.rule } else { format!("{gate}: {}", finding.rule) };
    let package = finding.package.map_or_else(String::new, |package| format!(" [{package}]"));
    let text = if finding.message.is_empty() { finding.level.to_string() } else { finding.message };
    let (kind, message) = match item.standing {
        Standing::Blocks => (Kind::Error, format!("{text}{package}")),
        Standing::Observed(until) => (Kind::Warning, format!("{text}{package} ({until})")),
        Standing::Accepted(by) => (Kind::Notice, format!("{text}{package} ({by})")),
    };
    let line = finding.line.filter(|line| *line > 0 && finding.path.is_some());
    Annotation { kind, title, message, path: finding.path, line }
}

/// How a request stands.
pub(super) fn of_grant(grant: &Grant, now: Timestamp) -> Vec<Annotation> {
    let kind = match grant.status {
        Status::Denied => Kind::Error,
        Status::Pending => Kind::Warning,
        Status::Granted | Status::Revoked | Status::Reviewed | Status::Nothing => Kind::Notice,
    };
    vec![Annotation::new(kind, title(grant), super::summary::grant_phrase(grant, now))]
}

/// The first bad entry, what comes out otherwise, and what is odd.
pub(super) fn of_verification(verification: &Verification) -> Vec<Annotation> {
    let title = "ledger";
    let bad = verification
        .first_bad
        .iter()
        .map(|bad| Annotation::new(Kind::Error, title, format!("entry {} is bad: {}", bad.seq, bad.reason)));
    let replay = verification.replay.iter().flat_map(|replay| &replay.disagreements);
    let otherwise = replay.map(|entry| {
        Annotation::new(
            Kind::Error,
            title,
            format!("entry {} should have been another: {}", entry.seq, entry.reason),
        )
    });
    let odd = verification.warnings.iter().map(|odd| Annotation::new(Kind::Warning, title, warning(odd)));
    let mut all: Vec<Annotation> = bad.chain(otherwise).collect();
    if !verification.ok && all.is_empty() {
        all.push(Annotation::new(Kind::Error, title, "the ledger is not ok"));
    }
    if verification.ok {
        let are = if verification.entries == 1 { "is" } else { "are" };
        let entries = format!("{} {are} good", count(verification.entries, "entry"));
        all.push(Annotation::new(Kind::Notice, title, entries));
    }
    all.extend(odd);
    all
}

/// Workflow commands of GitHub Actions, a line each.
pub(super) fn github(annotations: &[Annotation]) -> String {
    limited(annotations).iter().map(github_line).collect()
}

fn github_line(annotation: &Annotation) -> String {
    let mut properties = Vec::new();
    if let Some(path) = &annotation.path {
        properties.push(format!("file={}", github_property(path)));
    }
    if let Some(line) = annotation.line {
        properties.push(format!("line={line}"));
    }
    properties.push(format!("title={}", github_property(&annotation.title)));
    let (kind, message) = (annotation.kind.as_str(), github_message(&annotation.message));
    format!("::{kind} {}::{message}\n", properties.join(","))
}

/// Logging commands of Azure Pipelines, a line each. Azure knows errors and warnings; a notice is a plain line.
pub(super) fn azure(annotations: &[Annotation]) -> String {
    limited(annotations).iter().map(azure_line).collect()
}

fn azure_line(annotation: &Annotation) -> String {
    if annotation.kind == Kind::Notice {
        return format!("notice: {}\n", inert(&format!("{}: {}", annotation.title, annotation.message)));
    }
    let mut properties = format!("type={};", annotation.kind.as_str());
    if let Some(path) = &annotation.path {
        properties.push_str(&format!("sourcepath={};", azure_property(path)));
    }
    if let Some(line) = annotation.line {
        properties.push_str(&format!("linenumber={line};"));
    }
    properties.push_str(&format!("code={};", azure_property(&annotation.title)));
    format!("##vso[task.logissue {properties}]{}\n", azure_message(&annotation.message))
}

/// At most ten of each kind, loudest first.
fn limited(annotations: &[Annotation]) -> Vec<Annotation> {
    Kind::ALL.into_iter().flat_map(|kind| limited_to(kind, annotations)).collect()
}

fn limited_to(kind: Kind, annotations: &[Annotation]) -> Vec<Annotation> {
    let mut all: Vec<Annotation> =
        annotations.iter().filter(|annotation| annotation.kind == kind).cloned().collect();
    if all.len() > MAX_OF_A_KIND {
        let more = all.len() - (MAX_OF_A_KIND - 1);
        all.truncate(MAX_OF_A_KIND - 1);
        let message = format!("{more} more of this kind are not shown here; the JSON document has them all");
        all.push(Annotation::new(kind, "gate", message));
    }
    all
}

#[cfg(test)]
#[path = "annotations_tests.rs"]
mod tests;
