//! Refused acts: somebody tried something with an opt-out that they may not. It is recorded, and the opt-out
//! lives on.

use gate_ledger::entry::{Entry, Kind};
use gate_ledger::store::Transaction;
use gate_model::JUDGE;
use gate_model::grant::{Grant, Status};
use gate_model::payload::{RefusalData, Verb};

use crate::admission::{TransactError, answer};
use crate::approval::Act;
use crate::workspace::Workspace;
use gate_judge::records;

/// Records that somebody may not do what they tried with `subject`.
///
/// # Errors
/// A [`TransactError`].
pub fn refuse(
    workspace: &Workspace<'_>,
    transaction: &mut Transaction<'_>,
    subject: &Entry,
    (verb, act): (Verb, &Act),
    reasons: Vec<String>,
) -> Result<Grant, TransactError> {
    let data = RefusalData {
        refused: subject.hash.to_string(),
        act: verb,
        reason: act.reason.clone(),
        ticket: act.ticket.clone(),
        reasons: reasons.clone(),
        author: act.author.clone(),
        policy: workspace.loaded.used.clone(),
        judge: JUDGE,
        judged_at: transaction.now(),
        context: act.context.clone(),
    };
    let (id, gate) = (records::id_of(subject), subject.gate.as_deref().unwrap_or_default());
    let entry = transaction.append(&records::draft(Kind::Denial, Some(gate), Some(id), &act.by, &data)?)?;
    Ok(Grant {
        id: Some(id),
        by: Some(act.by.clone()),
        ..answer(Status::Denied, Some(gate), Some(entry.seq), reasons)
    })
}
