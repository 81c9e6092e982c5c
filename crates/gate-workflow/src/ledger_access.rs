//! Which ledger, and whether it may be trusted.
//!
//! The policy pins its ledger by the genesis hash; another ledger in that place is refused, whatever
//! `--ledger` or `GATE_LEDGER` say. A ledger that git tracks is refused too: whoever can push could put a
//! history of their own there.

use std::path::{Path, PathBuf};

use gate_checkout::git;
use gate_ledger::store::{Access, Ledger, OpenError};
use gate_ledger::veil::Privacy;
use gate_model::exit::Exit;

use crate::policy_source::Loaded;

/// Where the ledger lies when neither the policy nor the caller says so, relative to the policy.
pub const DEFAULT_PATH: &str = ".gate/ledger.db";

/// Why the ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It cannot be opened or is not one.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It is not the one that the policy pins.
    #[error(
        "ledger '{path}' is not the one that the policy pins: its genesis is {found}, the policy says {pinned}\n\
         use the pinned ledger, or mend [ledger] genesis in the policy"
    )]
    OtherGenesis {
        /// The file.
        path: PathBuf,
        /// Its genesis hash.
        found: String,
        /// The pinned one.
        pinned: String,
    },
    /// Git tracks it.
    #[error(
        "ledger '{0}' is tracked by git, so whoever can push could replace it\n\
         run: git rm --cached -- '{0}', ignore it, and share it by a path outside the checkout"
    )]
    Tracked(PathBuf),
    /// Git could not tell whether it tracks it.
    #[error("cannot tell whether git tracks ledger '{path}': {source}")]
    Git {
        /// The file.
        path: PathBuf,
        /// Why.
        source: git::GitError,
    },
    /// A PostgreSQL ledger, which this build has no store for.
    #[error(
        "the policy's ledger is '{0}', and this build reads SQLite ledgers only\nset [ledger] path instead of url"
    )]
    Url(String),
}

impl Unusable {
    /// The exit code where the ledger was needed.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Open(error) => error.exit(),
            Self::OtherGenesis { .. } | Self::Tracked(_) => Exit::Distrust,
            Self::Git { .. } => Exit::Failure,
            Self::Url(_) => Exit::Usage,
        }
    }
}

/// The ledger's path: the caller's choice, else the policy's, else [`DEFAULT_PATH`] beside the policy.
///
/// # Errors
/// [`Unusable::Url`] where the policy names a server.
pub fn locate(chosen: Option<&Path>, cwd: &Path, loaded: &Loaded) -> Result<PathBuf, Unusable> {
    if let Some(path) = chosen {
        return Ok(cwd.join(path));
    }
    match (&loaded.policy.ledger.path, &loaded.policy.ledger.url) {
        (Some(path), _) => Ok(loaded.dir.join(path)),
        (None, Some(url)) => Err(Unusable::Url(url.clone())),
        (None, None) => Ok(loaded.dir.join(DEFAULT_PATH)),
    }
}

/// What the policy wants its ledger to hold commitments to only.
pub const fn privacy(loaded: &Loaded) -> Privacy {
    let commit = loaded.policy.ledger.commit;
    Privacy { reasons: commit.reasons, names: commit.names }
}

/// Opens the ledger at `path` and checks that it is the policy's.
///
/// # Errors
/// Why it cannot be used; then nothing of it counts.
pub fn open(path: &Path, access: Access, loaded: &Loaded) -> Result<Ledger, Unusable> {
    let mut ledger = Ledger::open(path, access)?;
    ledger.set_privacy(privacy(loaded));
    if git::is_tracked(path).map_err(|source| Unusable::Git { path: path.to_owned(), source })? {
        return Err(Unusable::Tracked(path.to_owned()));
    }
    let found = ledger.genesis().to_string();
    match &loaded.policy.ledger.genesis {
        Some(pinned) if *pinned != found => {
            Err(Unusable::OtherGenesis { path: path.to_owned(), found, pinned: pinned.clone() })
        }
        _ => Ok(ledger),
    }
}
