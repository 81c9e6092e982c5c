//! Segments that are verified with their ledger, and who signed the statement about them.
//!
//! Whether the statement is true of the entries is for gate-ledger. Who vouches for it only the caller's keys can tell:
//! without any, a verification says so and no more.

use std::path::{Path, PathBuf};

use gate_ledger::archive::Statement;
use gate_ledger::checkpoint;
use gate_ledger::note::NoteError;
use gate_model::verification::Warning;

use crate::input::{self, InputError};
use crate::trust::Trust;

/// The segments that were named.
///
/// # Errors
/// An [`InputError`] for a file that is none.
pub(crate) fn segments(named: &[PathBuf], cwd: &Path) -> Result<Vec<PathBuf>, InputError> {
    let segment = |path: &PathBuf| input::segment(&cwd.join(path), &path.display().to_string());
    named.iter().map(segment).collect()
}

/// Judges who signed the newest statement about an archive. One that a trusted key did not sign, or whose
/// signature does not hold, is added to `refused`; where nobody is trusted at all a warning comes back.
pub(crate) fn judge(
    statement: Option<&Statement>,
    trust: &Trust,
    refused: &mut Vec<Warning>,
) -> Option<Warning> {
    let statement = statement?;
    if trust.is_empty() {
        let message = "nobody asked who signed the statement about archived entries; name the key with --key";
        return Some(Warning::new("archive-unverified", message));
    }
    // A quorum of witnesses is asked of checkpoints that are given: a statement never leaves its ledger.
    if let Err(error) = checkpoint::open(statement.checkpoint.as_bytes(), trust.keys()) {
        let code = match error {
            checkpoint::CheckpointError::Note(NoteError::BadSignature { .. }) => "archive-signature",
            _ => "archive-key",
        };
        refused.push(Warning::new(code, format!("the statement about archived entries: {error}")));
    }
    None
}
