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
use crate::reason;
use crate::run::Skip;
use gate_cli::Stop;

/// Submits a request or an act that was signed elsewhere.
///
/// # Errors
/// A [`Stop`]; then nothing was decided.
pub(crate) fn submit(skip: &Skip<'_>, path: &Path, io: &mut Io<'_>) -> Result<Grant, Stop> {
    let privacy = ledger_access::privacy(&skip.workspace.loaded);
    match documents::signed(path, privacy, skip.cwd, io)? {
        // What it holds is a commit's text, and who reads that from the checkout is gate-check.
        Signed::Request(request) if request.commit.is_some() => {
            Err(documents::wrong_signed(path, &"it stands in a commit, whose trailers gate-check admits"))
        }
        Signed::Request(request) => ask(skip, *request),
        Signed::Statement(statement) => act(skip, path, &statement),
    }
}

fn ask(skip: &Skip<'_>, request: Request) -> Result<Grant, Stop> {
    skip.workspace.loaded.policy.gate(&request.gate)?;
    let facts = skip.workspace.facts()?;
    let asking = Asking {
        gate: request.gate.clone(),
        ask: Ask::of(&request),
        by: facts.principal.clone(),
        context: facts.context.clone(),
        request: Some(request),
    };
    Ok(admission::request(skip.workspace, &asking)?)
}

fn act(skip: &Skip<'_>, path: &Path, statement: &Statement) -> Result<Grant, Stop> {
    // One that was not meant to travel was recorded where it was signed.
    if statement.submit_by.is_none() {
        return Err(documents::wrong_signed(path, &"it does not say until when it may be submitted"));
    }
    match &statement.reason {
        Some(reason) => reason::check(reason)?,
        None if statement.act == Verb::Approve => {}
        None => return Err(documents::wrong_signed(path, &"it gives no reason")),
    }
    let words = Words {
        reason: statement.reason.clone(),
        ticket: statement.ticket.clone(),
        verdict: statement.verdict,
    };
    let subject = acting::subject(skip, &statement.subject)?;
    let deed = Deed::of(statement, subject.gate.as_deref().unwrap_or_default())
        .ok_or_else(|| documents::wrong_signed(path, &"it is a review without a verdict"))?;
    let act = acting::about(skip, &statement.subject, &subject, &words)?;
    deed.record(skip, &Act { statement: Some(statement.clone()), ..act })
}
