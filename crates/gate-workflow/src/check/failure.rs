//! What can go wrong while a gate is decided, and after which failures it is enforced all the same.

use gate_findings::ReportError;
use gate_ledger::entry::DraftError;
use gate_ledger::store::StoreError;
use gate_model::exit::{Ends, Exit};

use super::{Checker, Started};
use crate::ledger_access::Unusable;
use crate::policies::RecordError;
use crate::workspace::WorkspaceError;

/// Why a gate could not be decided.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The policy has no such gate.
    #[error(transparent)]
    UnknownGate(#[from] gate_policy::UnknownGate),
    /// The gate requires its ledger, and that cannot be used.
    #[error("gate '{gate}' requires its ledger (require_ledger): {source}")]
    LedgerRequired {
        /// The gate.
        gate: String,
        /// Why the ledger cannot be used.
        source: Unusable,
    },
    /// The gate requires its ledger, and the store failed.
    #[error("gate '{gate}' requires its ledger (require_ledger): {source}")]
    StoreRequired {
        /// The gate.
        gate: String,
        /// The failure.
        source: StoreError,
    },
    /// There is a ledger in a state that somebody brought about, or that does not hold; what they want may be that it
    /// does not count.
    #[error("the gate is not decided: {0}")]
    Suspect(Unusable),
    /// What was asked of the ledger is not what was once appended.
    #[error("the gate is not decided: {0}")]
    Unsound(StoreError),
    /// The ledger can be used, and no entry can hold what the run is about. Whoever chose such a text must not switch
    /// the ledger off with it, so the run is not decided.
    #[error(
        "the run cannot be decided: {0}\nlook at the names of the run (ref, environment, actor) and at the policy: an entry must be able to hold them"
    )]
    Unrecordable(StoreError),
    /// The ledger changed under the command in a way that only an attack or a mishap explains.
    #[error(
        "the ledger was replaced or cut while the command ran: {0}\n\
         its result does not count; look at the ledger with: gate-verify"
    )]
    Tampered(String),
    /// The newest entry of before the command was archived, so that nothing shows that the ledger goes on from it.
    #[error(
        "entry {0} of the ledger was archived while the command ran, so its result does not count\nrun it again"
    )]
    Archived(u64),
    /// The gate's waivers changed each time before a verdict could be recorded.
    #[error(
        "the gate's waivers changed {0} times while its report was judged, so nothing was decided\nrun it again"
    )]
    Restless(u32),
    /// The facts of the run cannot be gathered.
    #[error(transparent)]
    Facts(#[from] WorkspaceError),
    /// The report cannot be judged.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// What the commit asks for could not be judged.
    #[error("what the commit asks for cannot be judged: {0}")]
    Trailers(crate::admission::TransactError),
    /// A document could not be written.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl Ends for CheckError {
    fn exit(&self) -> Exit {
        match self {
            Self::UnknownGate(_) | Self::Record(RecordError::Replaced) => Exit::Usage,
            Self::LedgerRequired { source, .. } | Self::Suspect(source) => source.exit(),
            Self::StoreRequired { source, .. } | Self::Unrecordable(source) | Self::Unsound(source) => {
                source.exit()
            }
            Self::Tampered(_) => Exit::Distrust,
            Self::Facts(error) => error.exit(),
            Self::Report(error) => error.exit(),
            Self::Trailers(error) => error.exit(),
            Self::Record(RecordError::Guard(error)) => error.exit(),
            Self::Record(_) | Self::Archived(_) | Self::Restless(_) => Exit::Failure,
        }
    }
}

/// A failure inside a transaction: the store's, after which the gate is enforced without opt-outs, or one
/// that ends the check.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Ledger(#[from] Unusable),
    #[error(transparent)]
    Check(#[from] CheckError),
}

impl From<RecordError> for Failed {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Store(error) => Self::Store(error),
            RecordError::Json(_) | RecordError::Replaced | RecordError::Guard(_) => {
                Self::Check(CheckError::Record(error))
            }
        }
    }
}

impl From<serde_json::Error> for Failed {
    fn from(error: serde_json::Error) -> Self {
        RecordError::Json(error).into()
    }
}

impl Checker<'_> {
    /// Goes on as if there were no opt-outs, where the gate's policy lets it.
    pub(super) fn without_ledger<T>(
        &self,
        source: Unusable,
        warnings: &mut Vec<String>,
    ) -> Result<Option<T>, CheckError> {
        if source.is_suspect() {
            return Err(CheckError::Suspect(source));
        }
        if self.gate.require_ledger {
            return Err(CheckError::LedgerRequired { gate: self.name.to_owned(), source });
        }
        warn_once(warnings, without_opt_outs(&source.to_string()));
        Ok(None)
    }

    fn without_store<T>(
        &self,
        source: StoreError,
        warnings: &mut Vec<String>,
    ) -> Result<Option<T>, CheckError> {
        let source = of_the_store(source)?;
        // A pause could stand where nothing can be read any more.
        if source.exit() == Exit::Distrust {
            return Err(CheckError::Unsound(source));
        }
        if self.gate.require_ledger {
            return Err(CheckError::StoreRequired { gate: self.name.to_owned(), source });
        }
        warn_once(warnings, without_opt_outs(&source.to_string()));
        Ok(None)
    }

    /// The same after a failure that may be either's.
    pub(super) fn without<T>(
        &self,
        failed: Failed,
        warnings: &mut Vec<String>,
    ) -> Result<Option<T>, CheckError> {
        match failed {
            Failed::Store(source) => self.without_store(source, warnings),
            Failed::Ledger(source) => self.without_ledger(source, warnings),
            Failed::Check(error) => Err(error),
        }
    }

    /// Whether a failure to record is one after which the gate is enforced without opt-outs.
    pub(super) fn excuse(
        &self,
        failed: Failed,
        started: &Started,
        warnings: &mut Vec<String>,
    ) -> Result<(), CheckError> {
        match failed {
            Failed::Check(error) => Err(error),
            // Good before the command and broken after it: whoever did that did it while the command ran.
            Failed::Store(source) if started.commanded && source.exit() == Exit::Distrust => {
                Err(CheckError::Tampered(source.to_string()))
            }
            Failed::Store(source) => self.without_store::<()>(source, warnings).map(drop),
            Failed::Ledger(source) if started.commanded && was_taken_away(&source) => {
                Err(CheckError::Tampered(source.to_string()))
            }
            Failed::Ledger(source) => self.without_ledger::<()>(source, warnings).map(drop),
        }
    }
}

/// The failure, where it is the store's own and not one of what should have been recorded.
fn of_the_store(source: StoreError) -> Result<StoreError, CheckError> {
    match source {
        StoreError::Draft(DraftError::Profile { .. } | DraftError::Invalid(_)) => {
            Err(CheckError::Unrecordable(source))
        }
        _ => Ok(source),
    }
}

/// Whether a ledger that was usable before the command is missing or not trustworthy after it.
fn was_taken_away(unusable: &Unusable) -> bool {
    matches!(unusable.exit(), Exit::Usage | Exit::Distrust)
}

fn without_opt_outs(why: &str) -> String {
    format!("{why}\nthe gate is enforced as if there were no opt-outs, and nothing is recorded")
}

pub(super) fn warn_once(warnings: &mut Vec<String>, warning: String) {
    if !warnings.contains(&warning) {
        warnings.push(warning);
    }
}

#[cfg(test)]
mod tests {
    use super::{CheckError, of_the_store};
    use gate_ledger::entry::DraftError;
    use gate_ledger::store::StoreError;
    use gate_model::exit::{Ends, Exit};

    #[test]
    fn a_text_that_no_entry_can_hold_does_not_let_a_run_go_on_without_its_ledger() {
        let source = gate_ledger::profile::canonical(&serde_json::json!("\u{1b}")).unwrap_err();
        let refused = of_the_store(DraftError::Profile { member: "data", source }.into()).unwrap_err();
        assert!(matches!(refused, CheckError::Unrecordable(_)));
        assert_eq!(refused.exit(), Exit::Usage);
        assert!(of_the_store(StoreError::Full).is_ok());
    }
}
