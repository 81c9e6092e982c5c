//! Why a run ends without a verdict, and with which exit code.

use gate_findings::ReportError;
use gate_model::exit::Exit;
use gate_workflow::check::CheckError;
use gate_workflow::policy_source::PolicyError;

use crate::list;
use crate::output_file::OutputFileError;

/// Why the tool ends without a verdict.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// The arguments do not fit together, or not to the policy.
    #[error("{0}")]
    Usage(String),
    /// There is no policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The gate could not be decided.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The report cannot be opened.
    #[error(
        "cannot read report '{path}': {source}\nname SARIF, JUnit or JSON Lines files, or - for standard input; a command to run comes after --"
    )]
    Open {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A folder or a pattern stands for nothing.
    #[error(
        "there is no report at '{0}'\nname files, folders that hold reports (.sarif, .xml, .json, .jsonl, .ndjson), or patterns such as 'build/**/TEST-*.xml'"
    )]
    NoReport(String),
    /// The decision cannot be written.
    #[error(transparent)]
    Output(#[from] OutputFileError),
    /// The working directory is another one than when the command started.
    #[error(
        "the working directory '{0}' was moved or replaced while the command ran, so its result does not count\n\
         let the command work in a directory of its own"
    )]
    Moved(String),
    /// The command cannot be watched.
    #[error("cannot run the command: {0}")]
    Child(std::io::Error),
    /// The ledger cannot be listed.
    #[error(transparent)]
    List(#[from] list::ListError),
}

impl From<ReportError> for RunError {
    fn from(error: ReportError) -> Self {
        Self::Check(error.into())
    }
}

impl RunError {
    /// The same, or that the command `line` was meant where no file has such a name.
    pub(crate) fn unless_a_command(self, line: Option<String>) -> Self {
        match (self, line) {
            (Self::Open { source, .. }, Some(line)) if source.kind() == std::io::ErrorKind::NotFound => {
                Self::Usage(format!("these words name no reports\nto run a command: {line}"))
            }
            (error, _) => error,
        }
    }

    /// The exit code outside run mode.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::Open { .. } | Self::NoReport(_) => Exit::Usage,
            Self::Policy(error) => error.exit(),
            Self::Check(error) => error.exit(),
            Self::Output(error) => error.exit(),
            Self::Moved(_) => Exit::Distrust,
            Self::Child(_) => Exit::Failure,
            Self::List(error) => error.exit(),
        }
    }
}
