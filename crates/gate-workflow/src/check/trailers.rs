//! What the commit under test asks for past a gate, admitted before the gate begins.

use gate_judge::standing::EffectiveOptOuts;
use gate_model::time::Timestamp;

use super::failure::{Failed, warn_once};
use super::{CheckError, Checker};
use crate::admission::TransactError;
use crate::policies::RecordError;
use crate::trailers::{self, Due};

/// What a gate's opt-outs are at an instant.
type Foreseen = (EffectiveOptOuts, Timestamp);

impl From<TransactError> for Failed {
    fn from(error: TransactError) -> Self {
        match error {
            TransactError::Ledger(error) => Self::Ledger(error),
            TransactError::Store(error) | TransactError::Record(RecordError::Store(error)) => {
                Self::Store(error)
            }
            other => Self::Check(CheckError::Trailers(other)),
        }
    }
}

impl Checker<'_> {
    /// Admits what was not admitted before. Where that cannot be recorded it gives nothing, and the gate goes on without.
    pub(super) fn admit_trailers(&self, warnings: &mut Vec<String>) -> Result<(), CheckError> {
        let due = self.trailers_due(warnings)?;
        if due.is_empty() {
            return Ok(());
        }
        let admitted = self
            .workspace
            .transact(|transaction| Ok::<_, Failed>(trailers::admit(self.workspace, transaction, &due)?));
        match admitted {
            Ok(told) => tell(told, warnings),
            Err(failed) => {
                not_admitted(&due, warnings);
                self.without::<()>(failed, warnings)?;
            }
        }
        Ok(())
    }

    /// What would stand at `at` if the trailers of the commit were admitted now; `None` where there are none to admit.
    pub(super) fn foresee_trailers(
        &self,
        at: Option<Timestamp>,
        warnings: &mut Vec<String>,
    ) -> Result<Option<Foreseen>, CheckError> {
        let due = self.trailers_due(warnings)?;
        if due.is_empty() {
            return Ok(None);
        }
        let mut told = Vec::new();
        let seen = self.workspace.rehearse(|transaction| {
            told = trailers::admit(self.workspace, transaction, &due)?;
            let at = at.unwrap_or(transaction.now());
            Ok::<_, Failed>((self.standing_at(&transaction.view(), at)?, at))
        });
        match seen {
            Ok(seen) => {
                let planned = due
                    .iter()
                    .map(|due| format!("a plan records nothing: {} is yet to be admitted", due.name));
                tell(told.into_iter().chain(planned), warnings);
                Ok(Some(seen))
            }
            Err(failed) => {
                not_admitted(&due, warnings);
                self.without(failed, warnings)
            }
        }
    }

    /// The trailers of the commit of this run that have to be judged.
    fn trailers_due(&self, warnings: &mut Vec<String>) -> Result<Vec<Due>, CheckError> {
        if !self.gate.takes_trailers() {
            return Ok(Vec::new());
        }
        let mut told = Vec::new();
        let asked = trailers::of_this_run(self.workspace, self.name, &mut told)?;
        let due = match asked {
            Some(asked) => self.read(warnings, |view| Ok(asked.due(self.workspace, view, &mut told)?))?,
            None => None,
        };
        tell(told, warnings);
        Ok(due.unwrap_or_default())
    }
}

fn not_admitted(due: &[Due], warnings: &mut Vec<String>) {
    tell(due.iter().map(|due| format!("{} could not be admitted, and gives nothing", due.name)), warnings);
}

fn tell(told: impl IntoIterator<Item = String>, warnings: &mut Vec<String>) {
    for why in told {
        warn_once(warnings, why);
    }
}
