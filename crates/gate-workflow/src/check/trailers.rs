//! What the commit under test asks for past a gate, admitted before the gate begins.

use gate_judge::standing::EffectiveOptOuts;
use gate_ledger::store::View;
use gate_model::text;
use gate_model::time::Timestamp;

use super::failure::{Failed, warn_once};
use super::{CheckError, Checker};
use crate::admission::TransactError;
use crate::policies::RecordError;
use crate::trailers::{self, Asked, Due};

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
            Ok(told) => self.tell(told, warnings),
            Err(failed) => {
                self.not_admitted(&due, warnings);
                self.without::<()>(failed, warnings)?;
                *self.unadmitted.borrow_mut() = due;
            }
        }
        Ok(())
    }

    /// What would stand if the trailers counted that this run could not have recorded; nothing where there are none, or
    /// where there is no working copy to try it in.
    pub(super) fn hoped_for(
        &self,
        warnings: &mut Vec<String>,
    ) -> Result<Option<EffectiveOptOuts>, CheckError> {
        let due = self.unadmitted.borrow();
        if due.is_empty() {
            return Ok(None);
        }
        let seen = self.workspace.rehearse_in_copy(|transaction| {
            trailers::admit(self.workspace, transaction, &due)?;
            self.standing_within(transaction)
        });
        match seen {
            Ok(standing) => Ok(standing),
            Err(Failed::Check(error)) => Err(error),
            Err(failed) => {
                warn_once(
                    warnings,
                    format!("what the commit's trailers would give cannot be told: {failed}"),
                );
                Ok(None)
            }
        }
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
            Ok::<_, Failed>((self.standing_at(&transaction.view(), at, &mut |_, _| Ok(()))?, at))
        });
        match seen {
            Ok(seen) => {
                let planned = due
                    .iter()
                    .map(|due| format!("a plan records nothing: {} is yet to be admitted", due.name));
                self.tell(told.into_iter().chain(planned), warnings);
                Ok(Some(seen))
            }
            Err(failed) => {
                self.not_admitted(&due, warnings);
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
        let due = |asked: &Asked, view: &View<'_>| {
            let mut told = Vec::new();
            Ok((asked.due(self.workspace, view, &mut told)?, told))
        };
        let found = match &asked {
            Some(asked) => self.read(warnings, |view| due(asked, view))?,
            None => None,
        };
        let (due, more) = found.unwrap_or_default();
        self.tell(told.into_iter().chain(more), warnings);
        Ok(due)
    }

    fn not_admitted(&self, due: &[Due], warnings: &mut Vec<String>) {
        let nothing = |due: &Due| format!("{} could not be admitted, and gives nothing", due.name);
        self.tell(due.iter().map(nothing), warnings);
    }

    /// Tells what has become of trailers: at once, and in the decision.
    fn tell(&self, told: impl IntoIterator<Item = String>, warnings: &mut Vec<String>) {
        for why in told {
            warn_once(&mut self.told.borrow_mut(), text::clean(&why.replace('\n', "; ")).into_owned());
            warn_once(warnings, why);
        }
    }
}
