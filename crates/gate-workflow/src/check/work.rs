//! An outcome while it is judged and recorded.

use gate_findings::place::Checkout;
use gate_judge::judgement::{self, Matched, Outcome, Ruling};
use gate_judge::standing::EffectiveOptOuts;

/// An outcome on its way through a transaction that may fail. A large report is never held twice: judging moves it
/// into the ruling, and what could not be recorded is taken out of that again.
///
/// Which waiver covers which finding is found out before a transaction, since that may take long and everybody waits for
/// the lock; within it, the waivers must be those that were matched.
pub(super) struct Work<'a> {
    matched: Matched,
    state: State,
    pub(super) checkout: &'a dyn Checkout,
}

enum State {
    Waiting(Outcome),
    Judged(Ruling),
}

impl<'a> Work<'a> {
    pub(super) fn waiting(outcome: Outcome, checkout: &'a dyn Checkout) -> Self {
        Self { matched: Matched::default(), state: State::Waiting(outcome), checkout }
    }

    /// Takes back what was judged behind an entry that is not the newest any more: it is judged again.
    pub(super) fn reopen(&mut self, status: Option<u8>) {
        if let State::Judged(ruling) = &mut self.state {
            let ruling = std::mem::replace(ruling, judgement::would_run(&EffectiveOptOuts::default()));
            *self = Self::waiting(ruling.into_outcome(status), self.checkout);
        }
    }

    /// Judges it and lets `record` look at the ruling; nothing where its findings have to be matched again first.
    pub(super) fn judged<T>(
        &mut self,
        standing: &EffectiveOptOuts,
        record: impl FnOnce(&Ruling) -> T,
    ) -> Option<T> {
        if let State::Waiting(Outcome::Report { findings, .. }) = &self.state
            && !findings.is_empty()
            && !self.matched.is_of(standing)
        {
            return None;
        }
        // What stands here meanwhile did not run, so that nothing could pass by it.
        let meanwhile = State::Waiting(Outcome::DidNotRun("it is being judged".to_owned()));
        let ruling = match std::mem::replace(&mut self.state, meanwhile) {
            State::Waiting(outcome) => judgement::judge(standing, outcome, &self.matched),
            State::Judged(ruling) => ruling,
        };
        let done = record(&ruling);
        self.state = State::Judged(ruling);
        Some(done)
    }

    /// Finds out which waivers of `standing` cover which findings.
    pub(super) fn match_waivers(&mut self, standing: &EffectiveOptOuts) {
        if let State::Waiting(outcome) = &self.state {
            self.matched = Matched::of(standing, outcome, self.checkout);
        }
    }

    pub(super) fn into_ruling(self, standing: &EffectiveOptOuts) -> Ruling {
        match self.state {
            State::Waiting(outcome) => judgement::judge(standing, outcome, &self.matched),
            State::Judged(ruling) => ruling,
        }
    }

    pub(super) fn into_outcome(self, status: Option<u8>) -> Outcome {
        match self.state {
            State::Waiting(outcome) => outcome,
            State::Judged(ruling) => ruling.into_outcome(status),
        }
    }
}
