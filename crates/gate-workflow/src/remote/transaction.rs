//! One transaction of a ledger whose order a remote keeps: judged here, taken there, and only then committed.
//!
//! Whoever was not first reads what is new and judges again. Writers of one machine come one after the other. A remote may
//! keep the others waiting for whoever lost; where it leaves the order to chance, all pause by what they see of each
//! other. So nobody loses for ever.

use std::time::{Duration, Instant};

use gate_ledger::archive::EntryRef;
use gate_ledger::remote::{self, Batch, Published};
use gate_ledger::store::{Access, AppendError, Ledger, StoreError, Transaction, Turn};
use gate_ledger::waiting;
use gate_model::principal::Principal;
use gate_model::time::Timestamp;

use super::crowd::{Crowd, Own};
use super::race::Race;
use super::waiting::Taken;
use super::{Link, RemoteProblem, WAIT, copy, openings};

/// Why a transaction recorded nothing, unless the problem says that nobody knows.
pub(crate) enum Stopped<E> {
    Problem(RemoteProblem),
    Store(StoreError),
    Work(E),
}

impl<E> From<RemoteProblem> for Stopped<E> {
    fn from(problem: RemoteProblem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Stopped<Self>> for RemoteProblem {
    fn from(stopped: Stopped<Self>) -> Self {
        match stopped {
            Stopped::Problem(problem) | Stopped::Work(problem) => problem,
            Stopped::Store(source) => source.into(),
        }
    }
}

/// How one attempt ended without an entry.
enum Stop<E> {
    /// Somebody else was first.
    Again,
    /// What came out rests on a working copy that nobody compared with the remote just now.
    Unsure,
    /// Entries go to the remote, and decisions wait that go before them.
    Due,
    /// Entries go to the remote, to which others write just now: they go first, for a part of so long.
    Crowded(Duration),
    Problem(RemoteProblem),
    Work(E),
}

impl<E> From<RemoteProblem> for Stop<E> {
    fn from(problem: RemoteProblem) -> Self {
        Self::Problem(problem)
    }
}

impl Link {
    /// Runs `work` in one transaction whose entries the remote takes before it is committed. `work` is run again
    /// whenever somebody else was first. What waits goes before its entries, in order; `by` sends it.
    ///
    /// Where the working copy was brought up in this run, the first attempt goes without asking what is new: the remote
    /// takes its entries only behind the very entry that they were judged behind. What comes to nothing is tried again
    /// with what is new.
    ///
    /// # Errors
    /// A [`Stopped`].
    pub(crate) fn transact<T, E>(
        &mut self,
        wait: Duration,
        clock: &dyn Fn() -> Timestamp,
        by: &Principal,
        work: impl FnMut(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, Stopped<E>> {
        let (value, taken) = self.run(wait, clock, (by, false), work)?;
        // What stays in the file is known for taken when it is offered again.
        drop(self.forget(&taken.ids, wait, clock));
        Ok(value)
    }

    /// Sends what waits beside the working copy; returns how much of it is new in the ledger.
    ///
    /// # Errors
    /// A [`RemoteProblem`].
    pub(super) fn send_waiting(
        &mut self,
        wait: Duration,
        clock: &dyn Fn() -> Timestamp,
        by: &Principal,
    ) -> Result<usize, RemoteProblem> {
        let mut sent = 0;
        while self.has_waiting()? {
            let ((), taken) = self.run(wait, clock, (by, true), |_| Ok::<_, RemoteProblem>(()))?;
            self.forget(&taken.ids, wait, clock)?;
            sent += taken.new.len();
        }
        Ok(sent)
    }

    fn run<T, E>(
        &mut self,
        wait: Duration,
        clock: &dyn Fn() -> Timestamp,
        (by, mut takes_waiting): (&Principal, bool),
        mut work: impl FnMut(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<(T, Taken), Stopped<E>> {
        let mut race = Race::start(WAIT);
        copy::refuse_foreign(&self.copy)?;
        let turn = Turn::take(&self.copy, wait).map_err(Stopped::Store)?;
        let own = Own::read(&turn);
        let mut is_new = self.current.is_none();
        let mut is_newcomer = true;
        let mut taken = Taken::default();
        loop {
            let head = if is_new { self.bring_up(wait, clock)? } else { self.verify()? };
            let mut ledger = Ledger::open(&self.copy, Access::Append).map_err(RemoteProblem::from)?;
            let crowd = if is_newcomer { self.crowd(&ledger, &own, clock)? } else { None };
            let before = crowd.map(Crowd::newcomer).filter(|span| !span.is_zero());
            ledger.set_privacy(self.privacy);
            let done = ledger.append(wait, clock, |transaction| {
                let base = transaction.head();
                if (base.seq, base.hash) != (head.seq, head.hash) {
                    return Err(Stop::Again);
                }
                if takes_waiting {
                    taken = super::waiting::take(&waiting::beside(&self.copy), 0, by, transaction)?;
                    transaction.renew();
                }
                self.attempt((head, before), (is_new, takes_waiting), transaction, &mut work)
            });
            match done {
                Ok((value, was_sent)) => {
                    let newest = ledger.view().head().map_err(RemoteProblem::from)?.seq;
                    ledger.close().map_err(Stopped::Store)?;
                    if was_sent {
                        own.add(head.seq + 1..=newest, &turn);
                    } else if race.was_lost() {
                        self.let_go();
                    }
                    return Ok((value, taken));
                }
                Err(AppendError::Work(Stop::Again)) => {
                    self.lost.set(self.lost.get() + 1);
                    match self.crowd(&ledger, &own, clock)? {
                        Some(crowd) => race.lost_to(crowd.span(race.age()))?,
                        None => race.again()?,
                    }
                    (is_new, is_newcomer) = (true, false);
                }
                Err(AppendError::Work(Stop::Crowded(span))) => {
                    race.pause(span);
                    (is_new, is_newcomer) = (true, false);
                }
                Err(AppendError::Work(Stop::Unsure)) => is_new = true,
                Err(AppendError::Work(Stop::Due)) => (is_new, takes_waiting) = (false, true),
                Err(AppendError::Work(Stop::Problem(problem))) => return Err(problem.into()),
                Err(AppendError::Work(Stop::Work(failed))) => return Err(Stopped::Work(failed)),
                Err(AppendError::Store(source)) => return Err(Stopped::Store(source)),
            }
        }
    }

    /// Those who write at the same time, where there are any and the remote leaves the order to chance.
    fn crowd(
        &mut self,
        ledger: &Ledger,
        own: &Own,
        clock: &dyn Fn() -> Timestamp,
    ) -> Result<Option<Crowd>, RemoteProblem> {
        let crowd = Crowd::seen(&ledger.view(), own, self.look, clock())?;
        Ok(if crowd.is_there() && !self.can()?.queue { Some(crowd) } else { None })
    }

    /// Says something that only ends what a remote does for whoever lost. A failure is the next asker's to see.
    fn let_go(&mut self) {
        drop(self.hello());
    }

    /// One attempt: `work`, then the remote, unless others go `before`. Returns whether there was something for it.
    fn attempt<T, E>(
        &mut self,
        (head, before): (EntryRef, Option<Duration>),
        (is_new, takes_waiting): (bool, bool),
        transaction: &mut Transaction<'_>,
        work: &mut impl FnMut(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<(T, bool), Stop<E>> {
        let value = match work(transaction) {
            Err(_) if !is_new => return Err(Stop::Unsure),
            done => done.map_err(Stop::Work)?,
        };
        let view = transaction.view();
        let lines = copy::lines(&view, head.seq + 1, None).map_err(RemoteProblem::from)?;
        if !transaction.is_whole() {
            return Ok((value, false));
        }
        match lines.is_empty() {
            true if is_new => Ok((value, false)),
            true => Err(Stop::Unsure),
            false if !takes_waiting && self.has_waiting()? => Err(Stop::Due),
            false => {
                if let Some(span) = before {
                    return Err(Stop::Crowded(span));
                }
                let openings = openings::outgoing(&view, &lines)?;
                self.publish(head, &Batch { lines, openings, copied: false }).map(|()| (value, true))
            }
        }
    }

    fn publish<E>(&mut self, after: EntryRef, batch: &Batch) -> Result<(), Stop<E>> {
        if !batch.openings.is_empty() {
            self.refuse_unerasable()?;
        }
        let mut race = Race::start(WAIT);
        let mut patience = || race.again().is_ok();
        let mut published =
            self.ask(|remote, _, _| remote::publish(remote, Some(after), batch, &mut patience));
        // The connection may be what was lost, so the next one tells.
        while let Ok(Published::Unknown(said)) = &published {
            let said = said.clone();
            self.remote = None;
            if self.sealed || !patience() {
                return Err(RemoteProblem::Unknown(said).into());
            }
            published =
                match self.ask(|remote, _, _| remote::settle(remote, Some(after), batch, &mut patience)) {
                    Err(_) => Ok(Published::Unknown(said)),
                    settled => settled,
                };
        }
        match published.map_err(RemoteProblem::from)? {
            Published::Taken => {
                self.current = Some(Instant::now());
                Ok(())
            }
            Published::Moved => Err(Stop::Again),
            Published::Refused(said) => Err(RemoteProblem::Refused(said).into()),
            Published::Unknown(said) => Err(RemoteProblem::Unknown(said).into()),
        }
    }
}
