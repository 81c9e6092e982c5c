//! Why a remote ledger cannot be used.

use std::path::PathBuf;
use std::time::Duration;

use gate_ledger::remote::{PullError, RemoteError, Why};
use gate_ledger::store::{CreateError, OpenError, StoreError};
use gate_ledger::verify::VerifyError;
use gate_ledger::waiting::WaitingError;
use gate_model::exit::{Ends, Exit};

use crate::workspace::WorkspaceError;

/// A remote ledger that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RemoteProblem {
    /// Nothing says which ledger it has to be.
    #[error(
        "a remote ledger is used only where the policy pins it\n\
         make it with gate-log init --remote, and write [ledger] genesis into the policy"
    )]
    Unpinned,
    /// A pull request's own text names it: whoever wrote that would get what this job may log in with.
    #[error(
        "'{0}' is what a pull request's own text names as the ledger's remote, so nothing was asked there\n\
         judge by the rules of the branch that it goes to: --policy-ref, see gate(7)"
    )]
    UnderReview(String),
    /// The policy names none.
    #[error(
        "the policy names no remote, so there is nothing to bring up to date\nwrite [ledger] remote into it, see gate-remote(7)"
    )]
    NoRemote,
    /// The floor in the environment is none.
    #[error(
        "GATE_LEDGER_AT_LEAST is '{}', not a position and an entry's hash\nwrite it like '4711 b3:…', or unset it",
        gate_model::text::visible(.0)
    )]
    Floor(String),
    /// Who keeps it cannot be reached, or does not answer.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// What it has is not what it must have, or the working copy cannot take it.
    #[error(transparent)]
    Pull(PullError<StoreError>),
    /// There is a ledger already.
    #[error(
        "the remote holds a ledger already, and it was left alone\ngate-log init --remote shows the line that pins it"
    )]
    Exists,
    /// What is there does not begin as a ledger does.
    #[error(
        "what the remote holds does not begin as a ledger does: {0}\nname another place in [ledger] remote"
    )]
    First(String),
    /// Entries are missing that a remote would have to have.
    #[error(
        "entries of the ledger were archived, and a remote is begun with all of them\n\
         put a copy of the file (gate-log copy) where it shall be kept, and name it by ssh://"
    )]
    Archived,
    /// What is to be erasable cannot be erased there.
    #[error(
        "the remote '{0}' cannot erase, and the policy's commit, or a signed document, wants texts that can be\n\
         take commit out of [ledger], or keep the ledger in a file or at a remote that can erase (postgres, ssh)"
    )]
    CannotErase(String),
    /// A text that goes beside an entry cannot be written.
    #[error("the opening of a text cannot be written: {0}")]
    Opening(String),
    /// The other side does not take what was decided.
    #[error("the remote does not take entries from here: {}", gate_model::text::visible(.0))]
    Refused(String),
    /// The answer was lost.
    #[error(
        "nobody knows whether the remote took what was decided ({}), so that nothing rests on it\n\
         run it again when the remote can be reached",
        gate_model::text::visible(.0)
    )]
    Unknown(String),
    /// Others were first until the time was over.
    #[error(
        "others wrote to the remote first, {lost} times in {} s; nothing was recorded\ntry again when fewer pipelines run",
        wait.as_secs()
    )]
    Races {
        /// How often.
        lost: u32,
        /// For how long it was tried.
        wait: Duration,
    },
    /// The working copy is not the ledger that it was.
    #[error(
        "entry {seq} of the working copy '{}' is bad: {reason}\n\
         an earlier step of this pipeline may have changed it; remove the file, it is made anew", copy.display()
    )]
    Altered {
        /// The file.
        copy: PathBuf,
        /// The first bad entry.
        seq: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The working copy cannot be opened.
    #[error(transparent)]
    Copy(#[from] OpenError),
    /// The working copy cannot be made.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// The folder for it belongs to somebody else, or is a link.
    #[error("the folder '{}' for working copies {defect}\nset XDG_CACHE_HOME to a folder of your own", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        defect: String,
    },
    /// What waits to be sent cannot be read or kept.
    #[error(transparent)]
    Waiting(#[from] WaitingError),
    /// The working copy's file failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The working copy cannot be verified.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// It was out of reach a moment ago, and is not asked again for a while.
    #[error("{said}")]
    Away {
        /// Why.
        said: String,
        /// The exit code that it had.
        exit: Exit,
    },
    /// The ledger was named beside a policy whose ledger is elsewhere.
    #[error(
        "the ledger of the policy is kept at the remote '{0}', and another one was named\n\
         leave --ledger and GATE_LEDGER out, or use a policy without [ledger] remote"
    )]
    Named(String),
    /// The facts of the run are not known.
    #[error(transparent)]
    Facts(#[from] WorkspaceError),
    /// The system gave no random bytes.
    #[error("the system gave no random bytes: {0}")]
    Random(String),
}

impl From<PullError<StoreError>> for RemoteProblem {
    fn from(error: PullError<StoreError>) -> Self {
        match error {
            PullError::Remote(error) => Self::Remote(error),
            PullError::Copy(error) => Self::Store(error),
            other => Self::Pull(other),
        }
    }
}

impl RemoteProblem {
    /// Whether it is only that nobody could be reached, or that this run may not write: the gate is enforced without
    /// opt-outs then. Everything else casts doubt on what is there.
    pub const fn is_out_of_reach(&self) -> bool {
        match self {
            Self::Remote(RemoteError::Failed(failed)) => {
                matches!(failed.why, Why::Unreachable | Why::Denied | Why::Failure)
            }
            Self::Remote(RemoteError::Io(_) | RemoteError::Ended | RemoteError::Protocol(_))
            | Self::Away { .. }
            | Self::Refused(_)
            | Self::Unknown(_)
            | Self::Races { .. } => true,
            _ => false,
        }
    }
}

impl Ends for RemoteProblem {
    fn exit(&self) -> Exit {
        match self {
            Self::Unpinned
            | Self::NoRemote
            | Self::Floor(_)
            | Self::Exists
            | Self::Archived
            | Self::CannotErase(_)
            | Self::Named(_) => Exit::Usage,
            Self::Away { exit, .. } => *exit,
            Self::Remote(error) => error.exit(),
            Self::Pull(error) => error.exit(StoreError::exit),
            Self::UnderReview(_)
            | Self::Altered { .. }
            | Self::First(_)
            | Self::Waiting(WaitingError::Line { .. }) => Exit::Distrust,
            Self::Facts(error) => error.exit(),
            Self::Copy(error) => error.exit(),
            Self::Create(error) => error.exit(),
            Self::Store(error) => error.exit(),
            Self::Verify(error) => error.exit(),
            Self::Waiting(_)
            | Self::Refused(_)
            | Self::Unknown(_)
            | Self::Races { .. }
            | Self::Folder { .. }
            | Self::Opening(_)
            | Self::Random(_) => Exit::Failure,
        }
    }
}
