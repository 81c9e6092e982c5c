//! Why the tool stops, and how it exits.

use gate_checkout::facts::FactsError;
use gate_ledger::salvage::SalvageError;
use gate_ledger::store::{OpenError, StoreError};
use gate_model::exit::Exit;
use gate_workflow::ids::IdError;
use gate_workflow::ledger_access::Unusable;
use gate_workflow::policy_source::PolicyError;
use gate_workflow::workspace::WorkspaceError;

use crate::append::AppendFailure;
use crate::archive::ArchiveFailure;
use crate::checkpoint::CheckpointFailure;
use crate::copy::CopyError;
use crate::erase::EraseFailure;
use crate::exports::ExportError;
use crate::init::InitError;
use crate::prove::ProveFailure;
use crate::report::ReportError;

/// Why the tool stops.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    /// The arguments do not fit together.
    #[error("{0}\n'gate-log --help' shows the usage")]
    Usage(String),
    /// There is no policy, or a broken one.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The policy's ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] Unusable),
    /// The ledger that was named cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Reading the ledger failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An ID names nothing.
    #[error(transparent)]
    Id(#[from] IdError),
    /// Who acts cannot be told.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// The facts of the run are not known.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// Signals cannot be handled.
    #[error("cannot handle signals: {0}")]
    Signals(std::io::Error),
    /// `init`.
    #[error(transparent)]
    Init(#[from] InitError),
    /// `append`.
    #[error(transparent)]
    Append(#[from] AppendFailure),
    /// `copy`.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// `checkpoint`.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointFailure),
    /// `archive`.
    #[error(transparent)]
    Archive(#[from] ArchiveFailure),
    /// `erase`.
    #[error(transparent)]
    Erase(#[from] EraseFailure),
    /// `export --openings`.
    #[error("cannot write the openings to '{path}': {source}\nname a file that does not exist yet")]
    Openings {
        /// Where.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file would get the name of one that belongs to the ledger.
    #[error(
        "'{0}' is a name for files that belong to the ledger, and SQLite deletes what it finds there\nname another place"
    )]
    Reserved(String),
    /// `prove`.
    #[error(transparent)]
    Prove(#[from] ProveFailure),
    /// `due --within`: something is.
    #[error("{0}")]
    Due(String),
    /// What is read in place of a ledger.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// `report`.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// `export --salvage` found nothing to save.
    #[error(transparent)]
    Salvage(#[from] SalvageError),
    /// `export --salvage` wrote what is left, and that is not all.
    #[error("{0}")]
    Lost(String),
}

impl LogError {
    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_)
            | Self::Reserved(_)
            | Self::Id(IdError::Shape(_) | IdError::None(_) | IdError::Ambiguous(_)) => Exit::Usage,
            Self::Policy(error) => error.exit(),
            Self::Workspace(error) => error.exit(),
            Self::Ledger(error) => error.exit(),
            Self::Open(error) => error.exit(),
            Self::Store(error) | Self::Id(IdError::Store(error)) => error.exit(),
            Self::Init(error) => error.exit(),
            Self::Append(error) => error.exit(),
            Self::Copy(error) => error.exit(),
            Self::Checkpoint(error) => error.exit(),
            Self::Archive(error) => error.exit(),
            Self::Erase(error) => error.exit(),
            Self::Openings { source, .. } if source.kind() == std::io::ErrorKind::AlreadyExists => {
                Exit::Usage
            }
            Self::Openings { .. } | Self::Facts(_) | Self::Signals(_) => Exit::Failure,
            Self::Prove(error) => error.exit(),
            Self::Export(error) => error.exit(),
            Self::Report(error) => error.exit(),
            Self::Salvage(error) => error.exit(),
            Self::Lost(_) | Self::Due(_) => Exit::Negative,
        }
    }
}
