//! Reading checkpoints, and whose they are.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use gate_ledger::checkpoint::{self, Checkpoint};
use gate_ledger::note::{self, KeyKind, NoteError, VerifierKey};
use gate_model::exit::Exit;
use gate_model::verification::{Anchored, Warning};

use super::signers;

/// A checkpoint that a trusted key signed.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The public keys of the logs that signed it.
    pub keys: Vec<[u8; 32]>,
    /// The file, as a person wrote it.
    shown: String,
}

/// A checkpoint that cannot be read as one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckpointError {
    /// The file cannot be read.
    #[error("cannot read checkpoint '{path}': {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is something else.
    #[error("'{path}' is no checkpoint: {source}\nname a file that gate-log checkpoint wrote")]
    Form {
        /// The file.
        path: String,
        /// Why.
        source: checkpoint::CheckpointError,
    },
}

impl CheckpointError {
    /// The exit code.
    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::Read { .. } | Self::Form { .. } => Exit::Usage,
        }
    }
}

/// Reads the checkpoints in `paths`. One whose signature does not hold, or is nobody's that is trusted, becomes
/// a warning with which no verification is ok.
///
/// # Errors
/// A [`CheckpointError`] for what is no checkpoint at all.
pub(crate) fn read(
    paths: &[PathBuf],
    keys: &[VerifierKey],
    cwd: &Path,
) -> Result<(Vec<Statement>, Vec<Warning>), CheckpointError> {
    let (mut statements, mut refused) = (Vec::new(), Vec::new());
    for path in paths {
        let shown = path.display().to_string();
        let bytes = bytes(&cwd.join(path), &shown)?;
        match checkpoint::open(&bytes, keys) {
            Ok((checkpoint, signatures)) => {
                let logs = signatures.iter().filter(|one| one.key.kind() == KeyKind::Note);
                let keys = logs.map(|one| signers::public(&one.key)).collect();
                statements.push(Statement { checkpoint, keys, shown });
            }
            Err(source) => match distrust(&source) {
                Some(code) => refused.push(warning(code, format!("checkpoint '{shown}': {source}"))),
                None => return Err(CheckpointError::Form { path: shown, source }),
            },
        }
    }
    Ok((statements, refused))
}

/// The code of a defect that is about trust; the others are about form.
const fn distrust(error: &checkpoint::CheckpointError) -> Option<&'static str> {
    match error {
        checkpoint::CheckpointError::Note(NoteError::BadSignature { .. }) => Some("checkpoint-signature"),
        checkpoint::CheckpointError::Note(NoteError::NoKnownSignature { .. })
        | checkpoint::CheckpointError::OnlyWitnesses
        | checkpoint::CheckpointError::ForeignKey { .. } => Some("checkpoint-key"),
        _ => None,
    }
}

fn warning(code: &str, message: String) -> Warning {
    Warning { code: code.to_owned(), message, count: None, seq: None }
}

fn bytes(path: &Path, shown: &str) -> Result<Vec<u8>, CheckpointError> {
    let fails = |source| CheckpointError::Read { path: shown.to_owned(), source };
    let mut bytes = Vec::new();
    // One byte more than a note may have, so that a larger file is told from one that just fits.
    let file = File::open(path).map_err(fails)?;
    file.take(note::MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(fails)?;
    Ok(bytes)
}

impl Statement {
    /// What a verification says about it.
    pub(crate) fn anchored(&self) -> Anchored {
        Anchored { size: self.checkpoint.size, origin: self.checkpoint.origin.clone() }
    }

    /// A sentence about it.
    pub(crate) fn says(&self, words: &str) -> String {
        format!("checkpoint '{}' {words}", self.shown)
    }

    /// Whether it is of the ledger with that id.
    ///
    /// # Errors
    /// A sentence that says of which it is.
    pub(crate) fn must_be_of(&self, ledger: Option<&str>) -> Result<(), String> {
        let origin = &self.checkpoint.origin;
        let is_of = |id| origin.strip_suffix(id).is_some_and(|log: &str| log.ends_with('/'));
        match ledger {
            Some(id) if is_of(id) => Ok(()),
            Some(id) => Err(self.says(&format!("is of '{origin}', and this ledger's id is {id}"))),
            None => Err(self.says(&format!("is of '{origin}', and this ledger's id cannot be read"))),
        }
    }
}
