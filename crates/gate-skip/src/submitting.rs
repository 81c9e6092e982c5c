//! Documents that were signed elsewhere. They are judged as what is signed here is, with the facts of this place.

use std::path::Path;

use gate_cli::Io;
use gate_judge::statement::Statement;
use gate_ledger::entry::Entry;
use gate_ledger::store::Access;
use gate_model::grant::Grant;
use gate_model::payload::{Ask, Verb};
use gate_model::request::Request;
use gate_workflow::admission::{self, Asking, TransactError};
use gate_workflow::approval::{self, Act};
use gate_workflow::sealing::Signed;
use gate_workflow::{ending, ids, ledger_access, review};

use crate::acting::{self, Words};
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
    let subject = subject(desk, &statement.subject)?;
    let act = Act {
        author: acting::author(desk, &subject)?,
        statement: Some(statement.clone()),
        ..acting::plain(desk, &statement.subject, &words)?
    };
    Ok(match (statement.act, statement.verdict) {
        (Verb::Approve, _) => approval::approve(desk.setting, &act)?,
        (Verb::Reject, _) => approval::reject(desk.setting, &act)?,
        (Verb::Revoke, _) => ending::revoke(desk.setting, &act)?,
        (Verb::Resume, _) => ending::resume(desk.setting, subject.gate.as_deref().unwrap_or_default(), &act)?,
        (Verb::Review, Some(verdict)) => review::review(desk.setting, &act, verdict)?,
        (Verb::Review, None) => {
            return Err(documents::wrong_signed(path, &"it is a review without a verdict"));
        }
    })
}

fn subject(desk: &Desk<'_>, hash: &str) -> Result<Entry, SkipError> {
    let ledger = desk.setting.open(Access::Read)?;
    Ok(ids::find(&ledger.view(), hash).map_err(TransactError::from)?)
}
