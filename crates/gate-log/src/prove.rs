//! Writing proofs. A proof is checked against the checkpoint before it is written, so that nobody is handed
//! one that does not hold.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gate_cli::Io;
use gate_ledger::checkpoint::{Checkpoint, CheckpointError};
use gate_ledger::note;
use gate_ledger::proof::TlogProof;
use gate_ledger::store::{Access, Ledger, StoreError};
use gate_ledger::tree::{self, Hash, ProofError, ProveError};
use gate_model::exit::Exit;
use gate_workflow::records;

use crate::args::ProveArgs;
use crate::checkpoint::{self, CheckpointFailure};
use crate::desk::Desk;
use crate::error::LogError;
use crate::signer;
use crate::tree::Bodies;

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProveFailure {
    /// The checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointFailure),
    /// The proof cannot be made.
    #[error(transparent)]
    Prove(#[from] ProveError<StoreError>),
    /// The checkpoint is of another ledger.
    #[error(
        "checkpoint '{path}' is of '{origin}', and this ledger's id is {id}\nname a checkpoint of this ledger"
    )]
    Other {
        /// The file.
        path: String,
        /// Its origin.
        origin: String,
        /// The ledger's id.
        id: String,
    },
    /// The checkpoint does not reach as far.
    #[error(
        "checkpoint '{path}' covers the entries before {size}, and not entry {seq}\nname a later checkpoint"
    )]
    NotCovered {
        /// The file.
        path: String,
        /// How many it covers.
        size: u64,
        /// The entry.
        seq: u64,
    },
    /// The two checkpoints are of different logs.
    #[error("'{old}' and '{new}' are checkpoints of different ledgers\nname two of the same one")]
    Two {
        /// The older one's file.
        old: String,
        /// The newer one's file.
        new: String,
    },
    /// The ledger and the checkpoint contradict each other.
    #[error(
        "the ledger does not agree with checkpoint '{path}': {source}\ngate-verify --checkpoint says more"
    )]
    Contradiction {
        /// The file.
        path: String,
        /// How one can tell.
        source: ProofError,
    },
}

impl ProveFailure {
    /// The exit code.
    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::Checkpoint(error) => error.exit(),
            Self::Prove(ProveError::Read(error)) => error.exit(),
            Self::Prove(ProveError::WrongCount { .. }) | Self::Contradiction { .. } => Exit::Distrust,
            Self::Prove(_) | Self::Other { .. } | Self::NotCovered { .. } | Self::Two { .. } => Exit::Usage,
        }
    }
}

/// Writes the proof that `args` ask for.
///
/// # Errors
/// A [`LogError`]; then nothing was written.
pub(crate) fn prove(desk: &Desk<'_>, args: &ProveArgs, io: &mut Io<'_>) -> Result<(), LogError> {
    let text = match (args.consistency.as_deref(), &args.id) {
        (Some([old, new]), _) => consistency(desk, old, new)?,
        (None, Some(id)) => inclusion(desk, args, id)?,
        _ => return Err(LogError::Usage("--consistency takes two checkpoints".to_owned())),
    };
    io.show(&text);
    Ok(())
}

fn inclusion(desk: &Desk<'_>, args: &ProveArgs, id: &str) -> Result<String, LogError> {
    let found = desk.find()?;
    let ledger = found.open(Access::Read)?;
    let entry = records::find(&ledger.view(), id)?;
    let statement = match (&args.checkpoint, &args.key_file) {
        (Some(path), _) => Statement::read(desk, path)?,
        (None, Some(path)) => {
            let key = signer::read(&desk.env.cwd.join(path), path).map_err(CheckpointFailure::from)?;
            let signed = checkpoint::sign(desk, &found, &key, args.origin.as_deref(), None)?;
            Statement::parse(signed.as_bytes(), "the new checkpoint".to_owned())?
        }
        (None, None) => return Err(LogError::Usage("a proof needs --checkpoint or --key-file".to_owned())),
    };
    statement.must_be_of(&ledger)?;
    let Checkpoint { size, root, .. } = statement.checkpoint;
    if entry.seq >= size {
        return Err(ProveFailure::NotCovered { path: statement.path, size, seq: entry.seq }.into());
    }
    let hashes =
        tree::inclusion_proof(&Bodies(ledger.view()), entry.seq, size).map_err(ProveFailure::from)?;
    let leaf = tree::leaf_hash(entry.body.as_bytes());
    tree::verify_inclusion(&leaf, entry.seq, size, &hashes, &root)
        .map_err(|source| statement.contradicts(source))?;
    let extra = Some(entry.body.into_bytes());
    Ok(TlogProof { index: entry.seq, extra, hashes, checkpoint: statement.note }.to_string())
}

/// The body of a request to a witness: the older size, the proof, and the newer checkpoint below it.
fn consistency(desk: &Desk<'_>, old: &Path, new: &Path) -> Result<String, LogError> {
    let (old, new) = (Statement::read(desk, old)?, Statement::read(desk, new)?);
    if old.checkpoint.origin != new.checkpoint.origin {
        return Err(ProveFailure::Two { old: old.path, new: new.path }.into());
    }
    let ledger = desk.ledger()?;
    new.must_be_of(&ledger)?;
    let (from, to) = (old.checkpoint.size, new.checkpoint.size);
    let proof = tree::consistency_proof(&Bodies(ledger.view()), from, to).map_err(ProveFailure::from)?;
    tree::verify_consistency(from, to, &old.checkpoint.root, &new.checkpoint.root, &proof).map_err(
        |source| {
            let is_old = source == ProofError::OldRootMismatch;
            if is_old { old.contradicts(source) } else { new.contradicts(source) }
        },
    )?;
    let hashes: String = proof.iter().map(|hash| written(hash) + "\n").collect();
    Ok(format!("old {from}\n{hashes}\n{}", new.note))
}

fn written(hash: &Hash) -> String {
    STANDARD.encode(hash)
}

/// A signed checkpoint. Its signatures are for whoever verifies: here its root is compared with the ledger.
struct Statement {
    checkpoint: Checkpoint,
    note: String,
    path: String,
}

impl Statement {
    fn read(desk: &Desk<'_>, path: &Path) -> Result<Self, ProveFailure> {
        Self::parse(&checkpoint::read(desk, path)?, path.display().to_string())
    }

    fn parse(bytes: &[u8], path: String) -> Result<Self, ProveFailure> {
        let parsed = note::parse(bytes).map_err(CheckpointError::from);
        let parsed = parsed.and_then(|note| Checkpoint::parse(&note.text));
        match parsed {
            // A note that was parsed is UTF-8.
            Ok(checkpoint) => {
                Ok(Self { checkpoint, note: String::from_utf8_lossy(bytes).into_owned(), path })
            }
            Err(source) => Err(CheckpointFailure::Old { path, source }.into()),
        }
    }

    fn must_be_of(&self, ledger: &Ledger) -> Result<(), ProveFailure> {
        let origin = &self.checkpoint.origin;
        if origin.strip_suffix(ledger.id()).is_some_and(|log| log.ends_with('/')) {
            return Ok(());
        }
        let (path, origin, id) = (self.path.clone(), origin.clone(), ledger.id().to_owned());
        Err(ProveFailure::Other { path, origin, id })
    }

    fn contradicts(&self, source: ProofError) -> ProveFailure {
        ProveFailure::Contradiction { path: self.path.clone(), source }
    }
}
