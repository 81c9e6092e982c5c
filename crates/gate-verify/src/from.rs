//! Where a verification begins, if not at the first entry: behind a proven one.
//!
//! A proof of the newest entry that a checkpoint covers holds what is needed to go on without the entries
//! before it ([`Tip`]). What it proves is taken on the word of the checkpoint's signer, and said to be so.

use std::path::Path;

use gate_ledger::cosignature::policy::QuorumError;
use gate_ledger::proof::{MAX_BYTES, Tip, TipError, TlogProof, TlogProofError};
use gate_model::exit::{Ends, Exit};

use crate::anchor::GivenCheckpoint;
use crate::input;
use crate::trust::Trust;

/// Why it cannot begin there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FromError {
    /// The proof cannot be read.
    #[error("cannot read proof '{path}': {source}\nname a file that gate-log prove --last wrote")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is something else.
    #[error("'{path}' is no proof: {source}\nname a file that gate-log prove --last wrote")]
    Form {
        /// The file.
        path: String,
        /// Why.
        source: TlogProofError,
    },
    /// It proves nothing, or another entry than the last.
    #[error("nothing can begin at proof '{path}': {source}\nmake it with: gate-log prove --last")]
    Tip {
        /// The file.
        path: String,
        /// Why.
        source: TipError,
    },
    /// Its checkpoint does not count.
    #[error("the checkpoint in proof '{path}' does not count: {source}")]
    Untrusted {
        /// The file.
        path: String,
        /// Why.
        source: QuorumError,
    },
    /// A checkpoint reaches less far than the proof.
    #[error(
        "checkpoint '{checkpoint}' covers {size} entries, fewer than the proof: they would not be read\nleave --from out"
    )]
    Older {
        /// The checkpoint's file.
        checkpoint: String,
        /// How many it covers.
        size: u64,
    },
}

impl Ends for FromError {
    fn exit(&self) -> Exit {
        match self {
            Self::Read { .. }
            | Self::Form { .. }
            | Self::Older { .. }
            | Self::Tip { source: TipError::NotNewest { .. } | TipError::NoEntry, .. } => Exit::Usage,
            Self::Tip { .. } | Self::Untrusted { .. } => Exit::Negative,
        }
    }
}

/// Reads the proof in the file `path`. Returns the proven entry, and adds the checkpoint over it to those
/// that are `given`, with which the ledger is compared.
///
/// # Errors
/// A [`FromError`]; among them a given checkpoint that could not be compared.
pub(crate) fn begin(
    path: &Path,
    trust: &Trust,
    cwd: &Path,
    given: &mut Vec<GivenCheckpoint>,
) -> Result<Tip, FromError> {
    let shown = path.display().to_string();
    let fails = |source| FromError::Read { path: shown.clone(), source };
    let bytes = input::document(&cwd.join(path), MAX_BYTES).map_err(fails)?;
    let proof = TlogProof::parse(&bytes).map_err(|source| FromError::Form { path: shown.clone(), source })?;
    let trusted = trust
        .open(proof.checkpoint.as_bytes())
        .map_err(|source| FromError::Untrusted { path: shown.clone(), source })?;
    let tip = proof.tip(trust.keys()).map_err(|source| FromError::Tip { path: shown.clone(), source })?;
    if let Some(older) = given.iter().find(|one| one.checkpoint.size < tip.size()) {
        return Err(FromError::Older { checkpoint: older.shown.clone(), size: older.checkpoint.size });
    }
    given.push(GivenCheckpoint::new(trusted, shown));
    Ok(tip)
}
