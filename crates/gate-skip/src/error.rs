//! Why nothing was decided, and with which exit code.

use gate_checkout::facts::FactsError;
use gate_model::exit::Exit;
use gate_workflow::admission::TransactError;
use gate_workflow::ledger_access::Unusable;
use gate_workflow::ownership::Unowned;
use gate_workflow::policy_source::PolicyError;
use gate_workflow::sealing::CommitError;
use gate_workflow::signing::SigningError;
use gate_workflow::wish::WishError;
use gate_workflow::workspace::WorkspaceError;

/// Why the tool ends without an answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SkipError {
    /// The arguments do not fit together.
    #[error("{0}")]
    Usage(String),
    /// There is no policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The facts of the run, or a token, cannot be used.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// What is wished for cannot be asked for.
    #[error(transparent)]
    Wish(#[from] WishError),
    /// The transaction failed.
    #[error(transparent)]
    Transact(#[from] TransactError),
    /// Nothing was signed.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// A document cannot commit to its texts.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A document cannot be read.
    #[error("cannot read '{path}': {reason}\n{remedy}")]
    Document {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
        /// What would be right.
        remedy: &'static str,
    },
}

impl SkipError {
    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::Document { .. } => Exit::Usage,
            Self::Policy(error) => error.exit(),
            Self::Workspace(error) => error.exit(),
            Self::Wish(error) => error.exit(),
            Self::Transact(error) => error.exit(),
            Self::Signing(error) => error.exit(),
            Self::Commit(error) => error.exit(),
        }
    }
}

impl From<Unusable> for SkipError {
    fn from(error: Unusable) -> Self {
        Self::Transact(error.into())
    }
}

impl From<Unowned> for SkipError {
    fn from(error: Unowned) -> Self {
        Self::Policy(error.into())
    }
}

impl From<FactsError> for SkipError {
    fn from(error: FactsError) -> Self {
        Self::Workspace(error.into())
    }
}

impl From<gate_ledger::store::StoreError> for SkipError {
    fn from(error: gate_ledger::store::StoreError) -> Self {
        Self::Transact(error.into())
    }
}

impl From<gate_policy::UnknownGate> for SkipError {
    fn from(error: gate_policy::UnknownGate) -> Self {
        Self::Transact(error.into())
    }
}
