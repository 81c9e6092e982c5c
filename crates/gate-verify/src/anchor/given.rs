//! The checkpoints that are given on the command line, and whose they are.

use std::path::{Path, PathBuf};

use gate_ledger::checkpoint::{self, Checkpoint};
use gate_ledger::cosignature::policy::QuorumError;
use gate_ledger::note::{self, NoteError, VerifierKey};
use gate_model::exit::{Ends, Exit};
use gate_model::verification::{Anchored, Cosigned, Warning};

use crate::input;
use crate::trust::{Trust, Trusted};

/// A checkpoint that a trusted key signed.
#[derive(Debug, Clone)]
pub(crate) struct GivenCheckpoint {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The keys of the logs that signed it.
    pub keys: Vec<VerifierKey>,
    /// Who saw it, and when.
    witnesses: Vec<Cosigned>,
    /// The file, as a person wrote it.
    pub shown: String,
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

impl Ends for CheckpointError {
    fn exit(&self) -> Exit {
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
    trust: &Trust,
    cwd: &Path,
) -> Result<(Vec<GivenCheckpoint>, Vec<Warning>), CheckpointError> {
    let (mut given, mut refused) = (Vec::new(), Vec::new());
    for path in paths {
        let shown = path.display().to_string();
        let fails = |source| CheckpointError::Read { path: shown.clone(), source };
        let bytes = input::document(&cwd.join(path), note::MAX_BYTES).map_err(fails)?;
        match trust.open(&bytes) {
            Ok(trusted) => given.push(GivenCheckpoint::new(trusted, shown)),
            Err(error) => refused.push(refusal(error, shown)?),
        }
    }
    Ok((given, refused))
}

/// The warning about a checkpoint that does not count.
fn refusal(error: QuorumError, shown: String) -> Result<Warning, CheckpointError> {
    match (distrust(&error), error) {
        (Some(code), error) => Ok(Warning::new(code, format!("checkpoint '{shown}': {error}"))),
        (None, QuorumError::Checkpoint(source)) => Err(CheckpointError::Form { path: shown, source }),
        (None, error) => Ok(Warning::new("checkpoint-quorum", format!("checkpoint '{shown}': {error}"))),
    }
}

/// The code of a defect that is about trust; the others are about form.
const fn distrust(error: &QuorumError) -> Option<&'static str> {
    use checkpoint::CheckpointError as Defect;
    match error {
        QuorumError::NotReached { .. } => Some("checkpoint-quorum"),
        QuorumError::Checkpoint(Defect::Note(NoteError::BadSignature { .. })) => Some("checkpoint-signature"),
        QuorumError::Checkpoint(
            Defect::Note(NoteError::NoKnownSignature { .. })
            | Defect::OnlyWitnesses
            | Defect::ForeignKey { .. },
        ) => Some("checkpoint-key"),
        QuorumError::Checkpoint(_) => None,
    }
}

impl GivenCheckpoint {
    /// The checkpoint that counts, from the file that a person wrote as `shown`.
    pub(crate) fn new(trusted: Trusted, shown: String) -> Self {
        let Trusted { checkpoint, logs, witnesses } = trusted;
        Self { checkpoint, keys: logs, witnesses, shown }
    }

    /// Whether that key signed it, under whatever name.
    pub(super) fn is_signed_by(&self, key: &VerifierKey) -> bool {
        self.keys.iter().any(|signer| signer.public() == key.public())
    }

    /// What a verification says about it.
    pub(crate) fn anchored(&self) -> Anchored {
        Anchored {
            size: self.checkpoint.size,
            origin: self.checkpoint.origin.clone(),
            witnesses: self.witnesses.clone(),
        }
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
        match ledger {
            Some(id) if self.checkpoint.is_of_ledger(id) => Ok(()),
            Some(id) => Err(self.says(&format!("is of '{origin}', and this ledger's id is {id}"))),
            None => Err(self.says(&format!("is of '{origin}', and this ledger's id cannot be read"))),
        }
    }
}
