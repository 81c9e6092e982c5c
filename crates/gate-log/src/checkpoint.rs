//! Signing a checkpoint.
//!
//! Whoever signs vouches for every entry, so the whole ledger is verified first, and the root comes from the
//! very bytes that were verified.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use gate_cli::Io;
use gate_ledger::checkpoint::{self, Checkpoint, CheckpointError, ledger_origin};
use gate_ledger::entry::EntryHash;
use gate_ledger::note::{self, SignerKey};
use gate_ledger::store::Access;
use gate_ledger::tree::{CompactRange, Hash, leaf_hash};
use gate_ledger::verify::{self, EachEntry, Options, VerifyError};
use gate_model::exit::Exit;

use crate::args::CheckpointArgs;
use crate::desk::{Desk, Found};
use crate::error::LogError;
use crate::signer::{self, SignerError};

/// Why there is no checkpoint.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckpointFailure {
    /// Nobody says what the log is called.
    #[error(
        "this ledger's log has no name\nset [ledger] origin in the policy, such as \"example.com/payments\", or use --origin"
    )]
    NoOrigin,
    /// The key.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The checkpoint cannot be made of these parts, or an old one cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A file cannot be read.
    #[error("cannot read checkpoint '{path}': {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds no checkpoint, or not one of this key.
    #[error("'{path}' is no checkpoint that can be used: {source}")]
    Old {
        /// The file.
        path: String,
        /// Why.
        source: CheckpointError,
    },
    /// The ledger could not be verified.
    #[error("cannot verify the ledger: {0}")]
    Unverified(VerifyError),
    /// The ledger is bad.
    #[error("entry {seq} of the ledger is bad: {reason}\nnothing was signed; gate-verify says more")]
    Bad {
        /// The first bad entry.
        seq: u64,
        /// Why.
        reason: String,
    },
    /// The ledger does not extend the old checkpoint.
    #[error("the ledger does not extend checkpoint '{path}': {why}\nnothing was signed")]
    NotExtended {
        /// The file.
        path: String,
        /// How one can tell.
        why: String,
    },
}

impl CheckpointFailure {
    /// The exit code.
    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::NoOrigin | Self::Checkpoint(_) | Self::Read { .. } | Self::Old { .. } => Exit::Usage,
            Self::Signer(error) => error.exit(),
            Self::Unverified(error) => error.exit(),
            Self::Bad { .. } | Self::NotExtended { .. } => Exit::Distrust,
        }
    }
}

/// Signs a checkpoint, or makes the key that will.
///
/// # Errors
/// A [`LogError`]; then nothing was signed.
pub(crate) fn checkpoint(desk: &Desk<'_>, args: &CheckpointArgs, io: &mut Io<'_>) -> Result<(), LogError> {
    let found = desk.find()?;
    if let Some(path) = &args.new_key {
        let name = log_name(&found, args.origin.as_deref())?;
        let key = signer::generate(&desk.env.cwd.join(path), path, &name).map_err(CheckpointFailure::from)?;
        io.show(&format!("{}\n", key.verifier()));
        desk.summary(
            io,
            &format!("the secret is in '{}'; give the line above to whoever verifies", path.display()),
        );
        return Ok(());
    }
    let Some(path) = &args.key_file else { return Err(LogError::Usage("no key was named".to_owned())) };
    let key = signer::read(&desk.env.cwd.join(path), path).map_err(CheckpointFailure::from)?;
    let signed = sign(desk, &found, &key, args.origin.as_deref(), args.since.as_deref())?;
    io.show(&signed);
    Ok(())
}

/// The name of the log that this ledger belongs to.
fn log_name(found: &Found<'_>, chosen: Option<&str>) -> Result<String, CheckpointFailure> {
    let of_policy = || found.policy().and_then(|policy| policy.ledger.origin.clone());
    chosen.map(str::to_owned).or_else(of_policy).ok_or(CheckpointFailure::NoOrigin)
}

/// A checkpoint of everything that is in the ledger now, signed with `key`. It must extend the one in the
/// file `since`.
///
/// # Errors
/// A [`LogError`]; then nothing was signed.
pub(crate) fn sign(
    desk: &Desk<'_>,
    found: &Found<'_>,
    key: &SignerKey,
    origin: Option<&str>,
    since: Option<&Path>,
) -> Result<String, LogError> {
    let ledger = found.open(Access::Read)?;
    let origin = ledger_origin(&log_name(found, origin)?, ledger.id()).map_err(CheckpointFailure::from)?;
    let old = match since {
        Some(path) => Some((old(desk, path, key, &origin)?, path.display().to_string())),
        None => None,
    };
    let old_size = old.as_ref().map_or(0, |(old, _)| old.size);
    let tree = tree(&found.path()?, ledger.genesis(), old_size)?;
    if let Some((old, path)) = &old {
        extends(&tree, old).map_err(|why| CheckpointFailure::NotExtended { path: path.clone(), why })?;
    }
    let checkpoint =
        Checkpoint { origin, size: tree.range.size(), root: tree.range.root(), extensions: Vec::new() };
    Ok(checkpoint.sign(key).map_err(CheckpointFailure::from)?)
}

/// The tree of a verified ledger, and its root at an earlier size.
struct Tree {
    range: CompactRange,
    earlier: Option<Hash>,
}

fn tree(path: &Path, genesis: EntryHash, earlier_size: u64) -> Result<Tree, CheckpointFailure> {
    let mut tree = Tree { range: CompactRange::default(), earlier: None };
    if earlier_size == 0 {
        tree.earlier = Some(tree.range.root());
    }
    let options = Options { genesis: Some(genesis), quick_check: false };
    let mut observer = EachEntry(|seen: verify::Seen<'_>| {
        tree.range.push(leaf_hash(seen.body));
        if tree.range.size() == earlier_size {
            tree.earlier = Some(tree.range.root());
        }
    });
    let outcome = verify::sqlite(path, &options, &mut observer).map_err(CheckpointFailure::Unverified)?;
    match outcome.first_bad {
        Some(bad) => Err(CheckpointFailure::Bad { seq: bad.seq, reason: bad.reason }),
        None => Ok(tree),
    }
}

fn extends(tree: &Tree, old: &Checkpoint) -> Result<(), String> {
    match tree.earlier {
        None => Err(format!("it has {} entries, the checkpoint covers {}", tree.range.size(), old.size)),
        Some(root) if root == old.root => Ok(()),
        Some(_) => Err(format!("its first {} entries have another root", old.size)),
    }
}

/// The old checkpoint, which `key` must have signed for `origin`.
fn old(desk: &Desk<'_>, path: &Path, key: &SignerKey, origin: &str) -> Result<Checkpoint, CheckpointFailure> {
    let bytes = read(desk, path)?;
    let opened = checkpoint::open_pinned(&bytes, origin, &[key.verifier().clone()]);
    let (checkpoint, _) =
        opened.map_err(|source| CheckpointFailure::Old { path: path.display().to_string(), source })?;
    Ok(checkpoint)
}

/// The bytes of a checkpoint's file.
///
/// # Errors
/// A [`CheckpointFailure`].
pub(crate) fn read(desk: &Desk<'_>, path: &Path) -> Result<Vec<u8>, CheckpointFailure> {
    let fails = |source| CheckpointFailure::Read { path: path.display().to_string(), source };
    let mut bytes = Vec::new();
    let file = File::open(desk.env.cwd.join(path)).map_err(fails)?;
    // One byte more than a note may have, so that a larger file is told from one that just fits.
    file.take(note::MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(fails)?;
    Ok(bytes)
}
