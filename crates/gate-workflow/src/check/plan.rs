//! What would happen to a gate, now or at another instant. Nothing is recorded.

use gate_findings::place::Checkout;
use gate_model::decision::{Decision, Verdict};
use gate_model::payload::Mode;
use gate_model::time::Timestamp;

use super::{CheckError, Checker, Finished};
use gate_judge::judgement::{self, Before, Matched, Ruling};
use gate_judge::standing::EffectiveOptOuts;
use gate_judge::verdict::Circumstances;

impl Checker<'_> {
    /// What would happen at `at` (now, where it is left out). Records nothing. `checkout` is what the report is about.
    ///
    /// # Errors
    /// A [`CheckError`].
    pub fn plan(
        &self,
        finished: Option<Finished>,
        checkout: &dyn Checkout,
        at: Option<Timestamp>,
        warnings: &mut Vec<String>,
    ) -> Result<Decision, CheckError> {
        // Trailers are read from the checkout.
        if !self.gate.takes_trailers() {
            self.workspace.only_glance();
        }
        let looked = self.foresee(at, warnings)?;
        let (standing, now) = if let Some(looked) = looked {
            looked
        } else {
            warnings.extend(self.workspace.stale().map_err(CheckError::Suspect)?);
            (self.without_opt_outs()?, at.unwrap_or_else(|| self.workspace.now()))
        };
        let quick = self.workspace.quick_facts();
        let bare = Circumstances::bare(Mode::Judge, quick.context, quick.principal);
        let mut facts = Circumstances { notes: quick.notes, ..bare };
        if let Some(finished) = &finished {
            facts.report.clone_from(&finished.report);
            facts.notes.extend(finished.notes.iter().cloned());
        }
        let ruling = planned(&standing, finished, checkout);
        let decision = self.compose(&standing, ruling, &facts, now);
        // An instant that somebody asks about is no clock's.
        Ok(if at.is_some() { Decision { clock_ahead: None, ..decision } } else { decision })
    }

    /// What counts where the ledger is out of reach: nothing but a pause that the working copy knows.
    fn without_opt_outs(&self) -> Result<EffectiveOptOuts, CheckError> {
        let known = self.known()?.standing;
        let holds = matches!(judgement::before(&known), Before::Hold(_));
        Ok(if holds { known } else { EffectiveOptOuts::default() })
    }

    /// The standing at `at`, even where newer entries exist; `None` where no ledger can be used and none is
    /// required.
    fn foresee(
        &self,
        at: Option<Timestamp>,
        warnings: &mut Vec<String>,
    ) -> Result<Option<(EffectiveOptOuts, Timestamp)>, CheckError> {
        if let Some(foreseen) = self.foresee_trailers(at, warnings)? {
            return Ok(Some(foreseen));
        }
        self.read(warnings, |view| {
            let now = match at {
                Some(at) => at,
                None => self.workspace.now().max(view.head()?.at),
            };
            Ok((self.standing_at(view, now, &mut |_, _| Ok(()))?, now))
        })
    }
}

fn planned(standing: &EffectiveOptOuts, finished: Option<Finished>, checkout: &dyn Checkout) -> Ruling {
    match (judgement::before(standing), finished) {
        (Before::Hold(live), _) => judgement::by_opt_out(Verdict::Hold, live),
        (Before::Skip(live), _) => judgement::by_opt_out(Verdict::Skip, live),
        (Before::Run, Some(finished)) => {
            let matched = Matched::of(standing, &finished.outcome, checkout);
            judgement::judge(standing, finished.outcome, &matched)
        }
        (Before::Run, None) => judgement::would_run(standing),
    }
}
