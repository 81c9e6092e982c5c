//! What can go wrong when git is asked.

use std::path::PathBuf;

use gate_identity::git::place::PlaceError;

/// Why git gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no `git` on the search path.
    #[error("git is not installed, or not on PATH, and the repository at '{root}' needs it")]
    NotInstalled {
        /// The top of the work tree.
        root: PathBuf,
    },
    /// Git could not be started, or its output could not be read.
    #[error("cannot run git {verb} in '{root}'")]
    Run {
        /// The subcommand.
        verb: &'static str,
        /// The top of the work tree.
        root: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The directory, or a file of the repository's administration, cannot be read.
    #[error("cannot read '{path}'")]
    Read {
        /// What could not be read.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Git refuses a repository that belongs to somebody else.
    #[error(
        "git does not trust the repository at '{root}', since another user owns it\n\
         if you trust it: git config --global --add safe.directory '{root}'"
    )]
    Ownership {
        /// The top of the work tree.
        root: PathBuf,
    },
    /// There is a `.git`, but git does not take it for a repository.
    #[error("'{root}' has a .git, but git finds no valid repository there: {message}")]
    Broken {
        /// The top of the work tree.
        root: PathBuf,
        /// What git, or our own reading, said.
        message: String,
    },
    /// Git failed.
    #[error("git {verb} failed in '{root}' ({status}): {message}")]
    Failed {
        /// The subcommand.
        verb: &'static str,
        /// The top of the work tree.
        root: PathBuf,
        /// How it ended.
        status: String,
        /// The first line of its diagnostics, made safe to show.
        message: String,
    },
    /// Git did not come to an end.
    #[error(
        "git {verb} in '{root}' did not answer within {seconds} s, and was ended\nlook for a pipe where git expects a file"
    )]
    TooSlow {
        /// The subcommand.
        verb: &'static str,
        /// The top of the work tree.
        root: PathBuf,
        /// How long it had.
        seconds: u64,
    },
    /// A filter has a name that no option can carry, so that it cannot be switched off.
    #[error(
        "the filter '{name}' of the repository at '{root}' cannot be switched off: there is '=' in its name\ntake it out of git's configuration"
    )]
    Filter {
        /// Its name, made safe to show.
        name: String,
        /// The top of the work tree.
        root: PathBuf,
    },
    /// Git answered something that this program does not understand.
    #[error("git {verb} in '{root}' answered unexpectedly: {problem}")]
    Answer {
        /// The subcommand.
        verb: &'static str,
        /// The top of the work tree.
        root: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A revision is not one, or names more than one thing.
    #[error("'{rev}' does not name a commit in '{root}': {problem}")]
    Revision {
        /// What was asked for, made safe to show.
        rev: String,
        /// The top of the work tree.
        root: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An object could not be read as what it should be.
    #[error("object {id} of the repository at '{root}' {problem}")]
    Object {
        /// The object's id or name.
        id: String,
        /// The top of the work tree.
        root: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl From<PlaceError> for GitError {
    fn from(error: PlaceError) -> Self {
        match error {
            PlaceError::Read { path, source } => Self::Read { path, source },
            PlaceError::Broken { root, message } => Self::Broken { root, message },
        }
    }
}
