//! Which ledger, and whether it may be trusted.
//!
//! The policy pins its ledger by the genesis hash; another ledger in that place is refused, whatever
//! `--ledger` or `GATE_LEDGER` say. A ledger is refused too if git tracks it or any of the files beside it: whoever
//! can push could put a history of their own there, and SQLite plays in what it finds beside its database.

use std::path::{Path, PathBuf};

use gate_checkout::git;
use gate_ledger::redaction::Privacy;
use gate_ledger::store::{self, Access, Ledger, OpenError};
use gate_ledger::verify::{self, Options, VerifyError};
use gate_model::exit::Exit;

use crate::remote::RemoteProblem;
use gate_judge::policy_text::{DEFAULT_LEDGER, Loaded, NoFile};

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
    /// The text under review chose the ledger, and another one lies where one would be without it.
    #[error(
        "two ledgers: the policy's is '{chosen}', and there is '{other}'\n\
         say which one counts with --ledger or GATE_LEDGER, or move the other away"
    )]
    Second {
        /// By what the policy says, or where it lies.
        chosen: PathBuf,
        /// The other.
        other: PathBuf,
    },
    /// Git could not tell whether it tracks it.
    #[error("cannot tell whether git tracks ledger '{path}': {source}")]
    Git {
        /// The file.
        path: PathBuf,
        /// Why.
        source: git::GitError,
    },
    /// The policy wants it verified, and an entry is bad.
    #[error(
        "entry {seq} of ledger '{path}' is bad: {reason}\n\
         the policy has each decision verify the ledger first ([ledger] verify); gate-verify says more"
    )]
    Bad {
        /// The file.
        path: PathBuf,
        /// The first bad entry.
        seq: u64,
        /// Why.
        reason: String,
    },
    /// The policy wants it verified, and that cannot be done.
    #[error(
        "the policy has each decision verify the ledger first ([ledger] verify), and that cannot be done: {0}"
    )]
    Unverified(#[from] VerifyError),
    /// It is no file.
    #[error(transparent)]
    NoFile(#[from] NoFile),
    /// The remote cannot be used, or its working copy.
    #[error(transparent)]
    Remote(#[from] RemoteProblem),
}

impl Unusable {
    /// Whether it is not merely missing or broken: somebody put it there, or something beside it, or it is to be verified
    /// and does not hold. Then no gate is decided without it, as if there were no opt-outs: that may be what they want.
    pub const fn is_suspect(&self) -> bool {
        match self {
            Self::Open(error) => error.is_planted(),
            Self::Tracked(_) | Self::Second { .. } | Self::Bad { .. } | Self::Unverified(_) => true,
            Self::Remote(problem) => !problem.is_out_of_reach(),
            Self::OtherGenesis { .. } | Self::Git { .. } | Self::NoFile(_) => false,
        }
    }

    /// The exit code where the ledger was needed.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Open(error) => error.exit(),
            Self::OtherGenesis { .. } | Self::Tracked(_) | Self::Second { .. } | Self::Bad { .. } => {
                Exit::Distrust
            }
            Self::Unverified(error) => error.exit(),
            Self::Git { .. } => Exit::Failure,
            Self::NoFile(_) => Exit::Usage,
            Self::Remote(problem) => problem.exit(),
        }
    }
}

/// The ledger's path: the caller's choice, else the policy's, else [`DEFAULT_LEDGER`] beside the policy.
///
/// # Errors
/// [`NoFile`] where the policy names a remote.
pub fn locate(chosen: Option<&Path>, cwd: &Path, loaded: &Loaded) -> Result<PathBuf, Unusable> {
    if let Some(path) = chosen {
        return Ok(cwd.join(path));
    }
    Ok(loaded.ledger_path()?)
}

/// Refuses the ledger at `path`, which the policy of a work tree chose by its text or by its own place, where another
/// one lies at the default place of a directory from `cwd` up to the top of the work tree: a change that moves the
/// policy, or names another file, would leave behind the ledger that knows the owners.
///
/// # Errors
/// [`Unusable::Second`].
pub fn refuse_second(path: &Path, cwd: &Path) -> Result<(), Unusable> {
    let root = git::root(cwd).unwrap_or_else(|| cwd.to_owned());
    let around = cwd.ancestors().take_while(|dir| dir.starts_with(&root)).map(|dir| dir.join(DEFAULT_LEDGER));
    let mut others = around.filter(|other| other.symlink_metadata().is_ok() && !is_same(other, path));
    match others.next() {
        Some(other) => Err(Unusable::Second { chosen: path.to_owned(), other }),
        None => Ok(()),
    }
}

/// Whether two paths lead to one file.
fn is_same(one: &Path, other: &Path) -> bool {
    one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// Whether nothing at all is at `path`, and no commit can have put a link on the way that leads elsewhere.
///
/// # Errors
/// [`Unusable::Tracked`], or that git cannot tell.
pub fn is_absent(path: &Path) -> Result<bool, Unusable> {
    let missing = path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    if missing {
        refuse_any_tracked(path, [path.to_owned()])?;
    }
    Ok(missing)
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
    refuse_tracked(path)?;
    pinned(path, Ledger::open(path, access)?, loaded)
}

/// Opens it like [`open`] for a short look, as it lies; nothing where somebody may be writing to it.
///
/// # Errors
/// As those of [`open`].
pub fn open_at_rest(path: &Path, loaded: &Loaded) -> Result<Option<Ledger>, Unusable> {
    refuse_tracked(path)?;
    Ledger::open_at_rest(path)?.map(|ledger| pinned(path, ledger, loaded)).transpose()
}

fn pinned(path: &Path, mut ledger: Ledger, loaded: &Loaded) -> Result<Ledger, Unusable> {
    ledger.set_privacy(privacy(loaded));
    let found = ledger.genesis().to_string();
    match &loaded.policy.ledger.genesis {
        Some(pinned) if *pinned != found => {
            Err(Unusable::OtherGenesis { path: path.to_owned(), found, pinned: pinned.clone() })
        }
        _ => Ok(ledger),
    }
}

/// Opens it like [`open`], to decide by what it holds: all of it is verified first, where the policy wants that.
///
/// # Errors
/// Why it cannot be used; then nothing of it counts.
pub fn open_to_judge(path: &Path, access: Access, loaded: &Loaded) -> Result<Ledger, Unusable> {
    let ledger = open(path, access, loaded)?;
    if loaded.policy.ledger.verify {
        let options = Options { genesis: Some(ledger.genesis()), ..Options::default() };
        if let Some(bad) = verify::sqlite(path, &options, &mut ())?.first_bad {
            return Err(Unusable::Bad { path: path.to_owned(), seq: bad.seq, reason: bad.reason });
        }
    }
    Ok(ledger)
}

/// Asks git about each file that is there, before SQLite opens the first of them.
fn refuse_tracked(path: &Path) -> Result<(), Unusable> {
    // What leads nowhere is for the open to name.
    let Ok(real) = path.canonicalize() else { return Ok(()) };
    let through_link = (real != path).then(|| path.to_owned());
    let there = store::names(&real).into_iter().filter(|file| file.symlink_metadata().is_ok());
    refuse_any_tracked(path, through_link.into_iter().chain(there))
}

/// Refuses the ledger at `path` for the first of `files` that git tracks.
///
/// # Errors
/// [`Unusable::Tracked`], or that git cannot tell.
pub fn refuse_any_tracked(path: &Path, files: impl IntoIterator<Item = PathBuf>) -> Result<(), Unusable> {
    match git::first_tracked(files) {
        Ok(None) => Ok(()),
        Ok(Some(file)) => Err(Unusable::Tracked(file)),
        Err(source) => Err(Unusable::Git { path: path.to_owned(), source }),
    }
}
