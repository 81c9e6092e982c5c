//! Documents that were signed elsewhere. They are judged as what is signed here is, with the facts of this place.

use std::path::Path;

use gate_cli::Io;
use gate_judge::statement::Statement;
use gate_model::grant::Grant;
use gate_model::payload::{Ask, Verb};
use gate_model::request::Request;
use gate_workflow::admission::{self, Asking};
use gate_workflow::approval::Act;
use gate_workflow::ledger_access;
use gate_workflow::sealing::Signed;

use crate::acting::{self, Deed, Words};
use crate::documents;
use crate::error::SkipError;
use crate::run::Desk;

/// Submits a request or an act that was signed elsewhere.
///
/// # Errors
/// A [`SkipError`]; then nothing was decided.
pub(crate) fn submit(desk: &Desk<'_>, path: &Path, io: &mut Io<'_>) -> Result<Grant, SkipError> {
    let privacy = ledger_access::privacy(&desk.setting.loaded);
    match documents::signed(path, privacy, desk.cwd, io)? {
        Signed::Request(request) => ask(desk, *request),
        Signed::Statement(statement) => act(desk, path, &statement),
    }
}

fn ask(desk: &Desk<'_>, request: Request) -> Result<Grant, SkipError> {
    desk.setting.loaded.policy.gate(&request.gate)?;
    let facts = desk.setting.facts()?;
    let asking = Asking {
        gate: request.gate.clone(),
        ask: Ask::of(&request),
        by: facts.principal.clone(),
        context: facts.context.clone(),
        request: Some(request),
    };
    Ok(admission::request(desk.setting, &asking)?)
}

fn act(desk: &Desk<'_>, path: &Path, statement: &Statement) -> Result<Grant, SkipError> {
    // One that was not meant to travel was recorded where it was signed.
    if statement.submit_by.is_none() {
        return Err(documents::wrong_signed(path, &"it does not say until when it may be submitted"));
    }
    acting::check_reason(statement.reason.as_deref(), statement.act != Verb::Approve)?;
    let words = Words {
        reason: statement.reason.clone(),
        ticket: statement.ticket.clone(),
        verdict: statement.verdict,
    };
    let subject = acting::subject(desk, &statement.subject)?;
    let deed = Deed::of(statement, subject.gate.as_deref().unwrap_or_default())
        .ok_or_else(|| documents::wrong_signed(path, &"it is a review without a verdict"))?;
    let act = acting::about(desk, &statement.subject, &subject, &words)?;
    deed.record(desk, &Act { statement: Some(statement.clone()), ..act })
}
