//! Signatures of acts, proven with what the ledger knows.

use gate_judge::policy_text::Loaded;
use gate_judge::signatures::Mark;
use gate_judge::statement;
use gate_ledger::store::Transaction;

use crate::admission::TransactError;
use crate::approval::Act;

/// `act` as whoever signed its statement, wherever that was. One without a statement is as the facts of the run have it.
/// A statement that does not hold does nothing and is not recorded: anybody could have written it.
///
/// # Errors
/// [`TransactError::Subject`] where the statement does not hold, or is about none of `subjects`.
pub fn act(
    loaded: &Loaded,
    transaction: &Transaction<'_>,
    act: &Act,
    subjects: &[Mark],
) -> Result<Act, TransactError> {
    let Some(stated) = &act.statement else { return Ok(act.clone()) };
    let trust = (&loaded.policy, loaded.files.as_slice());
    let ledger = transaction.view().ledger().to_owned();
    let by = statement::stated_by(stated, trust, &ledger, subjects, transaction.now())
        .map_err(|error| TransactError::Subject(format!("the signed statement does not hold: {error}")))?;
    Ok(Act { by, ..act.clone() })
}
