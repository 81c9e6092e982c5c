//! Writing proofs. A proof is checked against the checkpoint before it is written, so that nobody is handed
//! one that does not hold.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gate_cli::Io;

use crate::run::TOOL;
use gate_ledger::checkpoint::{Checkpoint, CheckpointError};
use gate_ledger::entry::Entry;
use gate_ledger::note;
use gate_ledger::proof::TlogProof;
use gate_ledger::store::{Access, Ledger, StoreError};
use gate_ledger::tree::{self, Hash, ProofError, ProveError};
use gate_model::exit::{Ends, Exit};
use gate_workflow::ids;

use crate::args::ProveArgs;
use crate::checkpoint::{self, CheckpointFailure, Order, Signed};
use crate::session::Log;
use crate::signer::KeyPlace;
use crate::tree::Bodies;
use gate_cli::Stop;

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
    /// The checkpoint is of an empty tree.
    #[error("checkpoint '{0}' covers no entry\nname a later checkpoint")]
    CoversNothing(String),
    /// The ledger has fewer entries than the checkpoint.
    #[error(
        "checkpoint '{path}' covers {}, and the ledger lacks the last of them\n\
         gate-verify --checkpoint says more",
        gate_model::text::count(*.size, "entry")
    )]
    Beyond {
        /// The file.
        path: String,
        /// How many it covers.
        size: u64,
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

impl Ends for ProveFailure {
    fn exit(&self) -> Exit {
        match self {
            Self::Checkpoint(error) => error.exit(),
            Self::Prove(ProveError::Read(error)) => error.exit(),
            Self::Prove(ProveError::WrongCount { .. }) | Self::Contradiction { .. } | Self::Beyond { .. } => {
                Exit::Distrust
            }
            Self::Prove(_)
            | Self::Other { .. }
            | Self::NotCovered { .. }
            | Self::CoversNothing(_)
            | Self::Two { .. } => Exit::Usage,
        }
    }
}

/// Writes the proof that `args` ask for.
///
/// # Errors
/// A [`Stop`]; then nothing was written.
pub(crate) fn prove(log: &Log<'_>, args: &ProveArgs, io: &mut Io<'_>) -> Result<(), Stop> {
    let text = match args.consistency.as_deref() {
        Some([old, new]) => consistency(log, old, new)?,
        Some(_) => return Err(Stop::arguments(TOOL, "--consistency takes two checkpoints")),
        None => inclusion(log, args, io)?,
    };
    io.show(&text);
    Ok(())
}

fn inclusion(log: &Log<'_>, args: &ProveArgs, io: &mut Io<'_>) -> Result<String, Stop> {
    let found = log.find()?;
    let ledger = found.open(Access::Read)?;
    // An ID that names nothing is told before anything is signed.
    let named = args.id.as_deref().map(|id| ids::find(&ledger.view(), id)).transpose()?;
    let signed = match (&args.checkpoint, KeyPlace::of(args.key_file.as_deref(), args.agent.as_deref())) {
        (Some(path), _) => SignedCheckpoint::read(log, path)?,
        (None, Some(key)) => {
            let order = Order { key, origin: args.origin.as_deref(), since: None, first: false };
            let Signed { note, tip } = checkpoint::sign(log, &found, &order, io)?;
            if named.is_none() {
                return Ok(tip.to_string());
            }
            SignedCheckpoint::parse(note.as_bytes(), "the new checkpoint".to_owned())?
        }
        (None, None) => {
            return Err(Stop::arguments(TOOL, "a proof needs --checkpoint, --key-file or --agent"));
        }
    };
    signed.must_be_of(&ledger)?;
    let entry = match named {
        Some(entry) => entry,
        None => signed.last(&ledger)?,
    };
    Ok(signed.prove(&ledger, entry)?)
}

/// The body of a request to a witness: the older size, the proof, and the newer checkpoint below it.
fn consistency(log: &Log<'_>, old: &Path, new: &Path) -> Result<String, Stop> {
    let (old, new) = (SignedCheckpoint::read(log, old)?, SignedCheckpoint::read(log, new)?);
    if old.checkpoint.origin != new.checkpoint.origin {
        return Err(ProveFailure::Two { old: old.path, new: new.path }.into());
    }
    let ledger = log.ledger()?;
    new.must_be_of(&ledger)?;
    let (from, to) = (old.checkpoint.size, new.checkpoint.size);
    let proof = tree::consistency_proof(&Bodies::of(ledger.view())?, from, to).map_err(ProveFailure::from)?;
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

/// A checkpoint in its signed form. Its signatures are for whoever verifies: here its root is compared with the ledger.
struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: String,
    path: String,
}

impl SignedCheckpoint {
    fn read(log: &Log<'_>, path: &Path) -> Result<Self, ProveFailure> {
        Self::parse(&checkpoint::read(log, path)?, path.display().to_string())
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

    /// The last entry that it covers.
    fn last(&self, ledger: &Ledger) -> Result<Entry, Stop> {
        let size = self.checkpoint.size;
        let newest = size.checked_sub(1).ok_or_else(|| ProveFailure::CoversNothing(self.path.clone()))?;
        if let Some(entry) = ledger.view().entry(newest)? {
            return Ok(entry);
        }
        let archived = ledger.view().archive()?;
        if let Some(archived) = archived.and_then(|(_, statement)| StoreError::archived(&statement, newest)) {
            return Err(archived.into());
        }
        Err(ProveFailure::Beyond { path: self.path.clone(), size }.into())
    }

    /// The proof that `entry` is among those that it covers.
    fn prove(self, ledger: &Ledger, entry: Entry) -> Result<String, ProveFailure> {
        let Checkpoint { size, root, .. } = self.checkpoint;
        if entry.seq >= size {
            return Err(ProveFailure::NotCovered { path: self.path, size, seq: entry.seq });
        }
        let hashes =
            tree::inclusion_proof(&Bodies::of(ledger.view()).map_err(ProveError::Read)?, entry.seq, size)?;
        let leaf = tree::leaf_hash(entry.body.as_bytes());
        tree::verify_inclusion(&leaf, entry.seq, size, &hashes, &root)
            .map_err(|source| self.contradicts(source))?;
        let extra = Some(entry.body.into_bytes());
        Ok(TlogProof { index: entry.seq, extra, hashes, checkpoint: self.note }.to_string())
    }

    fn must_be_of(&self, ledger: &Ledger) -> Result<(), ProveFailure> {
        if self.checkpoint.is_of_ledger(ledger.id()) {
            return Ok(());
        }
        let (path, origin) = (self.path.clone(), self.checkpoint.origin.clone());
        let id = ledger.id().to_owned();
        Err(ProveFailure::Other { path, origin, id })
    }

    fn contradicts(&self, source: ProofError) -> ProveFailure {
        ProveFailure::Contradiction { path: self.path.clone(), source }
    }
}
