//! What is said when something fails.

use gate_ledger::remote::{RemoteError, Why};

/// Something here failed: a program, a file, a disk.
pub(crate) fn failure(problem: &str) -> RemoteError {
    RemoteError::failed(Why::Failure, problem, "the ledger is as it was; mend that and try again")
}

/// What is on the branch is no ledger that this build could read.
pub(crate) fn distrust(problem: impl Into<String>) -> RemoteError {
    RemoteError::failed(Why::Distrust, problem, "look at the branch with git log; nothing was changed")
}

/// The name of the remote, or what a checkout says of it, makes no sense.
pub(crate) fn usage(problem: impl Into<String>, remedy: &str) -> RemoteError {
    RemoteError::failed(Why::Usage, problem, remedy)
}
