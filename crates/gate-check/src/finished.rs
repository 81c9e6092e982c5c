//! What a run, or a report, came to, as the gate is judged by it.

use gate_judge::judgement::{self, Outcome};
use gate_model::decision::ReportPart;
use gate_model::payload::Mode;
use gate_workflow::check::{Checker, Finished};

use crate::checkout::Ground;
use crate::child::Ended;
use crate::reports::{self, Written};

/// What came of a command whose reports were `written`.
pub(crate) fn judge_written(
    checker: &Checker<'_>,
    written: &Written<'_>,
    ground: &Ground,
    ended: &Ended,
) -> Finished {
    if let Some(why) = ended.did_not_run.clone() {
        return did_not_run(why, ended.status);
    }
    if let Some(why) = checker.gate.did_not_run(ended.status, true) {
        return did_not_run(why, ended.status);
    }
    match written.read(&reports::options(checker, ground.place())) {
        Ok(report) => {
            match judgement::unexplained(ended.status, report.findings.len() as u64, &report.counts) {
                Some(why) => did_not_run(why, ended.status),
                None => Finished { status: Some(ended.status), ..finished(report, Mode::Findings) },
            }
        }
        Err(why) => did_not_run(why.replace('\n', "; "), ended.status),
    }
}

/// What came of a command that leaves no report.
pub(crate) fn by_status(checker: &Checker<'_>, ended: &Ended) -> Finished {
    let why = ended.did_not_run.clone();
    let outcome = match why.or_else(|| checker.gate.did_not_run(ended.status, false)) {
        Some(why) => Outcome::DidNotRun(why),
        None => Outcome::Ran(ended.status),
    };
    Finished { status: Some(ended.status), ..Finished::new(Mode::Run, outcome) }
}

fn did_not_run(why: String, status: u8) -> Finished {
    Finished { status: Some(status), ..Finished::new(Mode::Findings, Outcome::DidNotRun(why)) }
}

/// What a report comes to.
pub(crate) fn finished(report: gate_findings::Report, mode: Mode) -> Finished {
    let outcome = Outcome::Report { findings: report.findings, counts: report.counts };
    Finished {
        report: Some(report.digest),
        parts: parts(report.parts),
        notes: report.notes,
        notices: report.notices,
        ..Finished::new(mode, outcome)
    }
}

/// The files of a report in more than one.
fn parts(parts: Vec<gate_findings::Part>) -> Vec<ReportPart> {
    if parts.len() < 2 {
        return Vec::new();
    }
    let clean = |name: &str| gate_model::text::clean(name).into_owned();
    parts.into_iter().map(|part| ReportPart { name: clean(&part.name), digest: part.digest }).collect()
}
