//! Why a policy cannot be used, each reason with its remedy.

use std::path::PathBuf;

use gate_checkout::git;
use gate_judge::policy_text::{FILE_NAME, TextError};
use gate_model::exit::{Ends, Exit, Faults};

use crate::ledger_access::Unusable;
use crate::ownership::Unowned;

/// Why the policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Its text cannot.
    #[error(transparent)]
    Text(#[from] TextError),
    /// `--policy` names a file of a nested repository that took the place of one of the outer repository.
    #[error(
        "policy '{path}' is in a nested repository, and {revision} has that file in the repository around it\nrun it in the outer work tree, or undo what put a repository there"
    )]
    Displaced {
        /// The file.
        path: PathBuf,
        /// The revision, as it was given.
        revision: String,
    },
    /// The working directory was reached through a link that git tracks.
    #[error(
        "the working directory was reached through '{0}', which is a link where the repository has a file or folder of its own\n\
         go to the folder itself, or undo the change that put a link there"
    )]
    Detour(PathBuf),
    /// Git cannot tell whether the way to the working directory is the repository's.
    #[error(transparent)]
    Git(#[from] git::GitError),
    /// The ledger that knows who guards the policy cannot be asked.
    #[error("cannot tell who guards policy '{name}': {source}")]
    Unguarded {
        /// The file as messages name it.
        name: String,
        /// Why.
        source: Unusable,
    },
    /// Owners guard the policy, and none admitted this text.
    #[error(transparent)]
    Unowned(#[from] Unowned),
    /// The revision cannot be used.
    #[error("cannot read the policy from --policy-ref: {0}")]
    Revision(#[from] git::tree::RevError),
    /// The revision has no policy.
    #[error(
        "revision {commit} has no {FILE_NAME} in '{dir}' or above it\nname a revision that has one, or its path with --policy"
    )]
    NotInRevision {
        /// The commit.
        commit: String,
        /// The directory, relative to the repository's root.
        dir: String,
    },
    /// `--policy-ref` outside a repository, or a path outside it.
    #[error(
        "--policy-ref needs a policy inside a git repository; '{0}' is not in one\nrun it in the checkout"
    )]
    OutsideRepository(PathBuf),
}

impl Ends for PolicyError {
    // Most are errors of what was given: nothing was decided. A guard that cannot be asked is not trusted.
    fn exit(&self) -> Exit {
        match self {
            Self::Unguarded { .. } => Exit::Distrust,
            Self::Unowned(error) => error.exit(),
            _ => Exit::Usage,
        }
    }

    fn faults(&self) -> Option<Faults> {
        match self {
            Self::Text(error) => error.faults(),
            _ => None,
        }
    }
}
