//! A remote with the working copy that follows it.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use gate_ledger::archive::EntryRef;
use gate_ledger::commitment::Commitment;
use gate_ledger::redaction::Privacy;
use gate_ledger::remote::{self, Batch, Expect, Hello, Published, Remote, RemoteError, Why};
use gate_ledger::store::{Access, AppendError, Ledger, OpenError, StoreError, Transaction};
use gate_ledger::verify::{self, Options};
use gate_ledger::waiting;
use gate_model::principal::Principal;
use gate_model::time::Timestamp;

use super::race::Race;
use super::waiting::Taken;
use super::{Connect, RemoteProblem, WAIT, copy, openings};

/// For how long what was read is new: a run that looks twice in a row asks once.
const FRESH: Duration = Duration::from_secs(1);

/// A remote with the working copy that follows it.
pub struct Link {
    connect: Connect,
    address: String,
    /// The connection, once there is one. After a failure there is none: nobody knows what would be answered next.
    remote: Option<Box<dyn Remote>>,
    expect: Expect,
    copy: PathBuf,
    /// Which texts its entries only commit to.
    privacy: Privacy,
    /// Whether no new connection is made: a command has run since, and could have changed where it leads.
    sealed: bool,
    /// When the working copy was last verified to end where the remote does.
    current: Option<Instant>,
    /// How many times somebody else was first, in this run.
    pub lost: Rc<Cell<u32>>,
}

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
    Problem(RemoteProblem),
    Work(E),
}

impl<E> From<RemoteProblem> for Stop<E> {
    fn from(problem: RemoteProblem) -> Self {
        Self::Problem(problem)
    }
}

impl Link {
    /// A link to the remote at `address`, which the working copy at `copy` follows. Nobody is asked yet.
    pub fn new(
        connect: Connect,
        address: String,
        (expect, privacy): (Expect, Privacy),
        copy: PathBuf,
    ) -> Self {
        Self {
            connect,
            address,
            remote: None,
            expect,
            copy,
            privacy,
            sealed: false,
            current: None,
            lost: Rc::default(),
        }
    }

    /// The working copy's place.
    pub fn copy(&self) -> &Path {
        &self.copy
    }

    /// Keeps to the connection that there is: whoever runs from now on could have another one lead elsewhere.
    pub(super) const fn seal(&mut self) {
        self.sealed = true;
    }

    /// Asks the remote; a connection that fails is given up.
    fn ask<T, E: From<RemoteError>>(
        &mut self,
        question: impl FnOnce(&mut dyn Remote, &Expect, &Path) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut remote = match self.remote.take() {
            Some(remote) => remote,
            None if self.sealed => return Err(cut_off().into()),
            None => (self.connect)(&self.address)?,
        };
        let answer = question(remote.as_mut(), &self.expect, &self.copy)?;
        self.remote = Some(remote);
        Ok(answer)
    }

    /// Brings the working copy up to date, unless that was done a moment ago.
    ///
    /// # Errors
    /// As [`Link::bring_up`].
    pub fn refresh(&mut self, wait: Duration, clock: &dyn Fn() -> Timestamp) -> Result<(), RemoteProblem> {
        match self.current {
            Some(current) if current.elapsed() < FRESH => Ok(()),
            _ => self.bring_up(wait, clock).map(drop),
        }
    }

    /// Takes over what is new, and verifies the working copy as a whole: it is the chain that ends in the remote's
    /// newest entry, whatever an earlier step did to the file. Returns that entry.
    ///
    /// # Errors
    /// A [`RemoteProblem`]; then nothing of it counts.
    pub fn bring_up(
        &mut self,
        wait: Duration,
        clock: &dyn Fn() -> Timestamp,
    ) -> Result<EntryRef, RemoteProblem> {
        self.current = None;
        if self.privacy != Privacy::default() && !self.hello()?.can.erase {
            return Err(RemoteProblem::CannotErase(self.address.clone()));
        }
        let head = self.ask(|remote, expect, path| {
            let mut ledger = copy::open(path, remote, expect)?;
            let pulled = ledger.append(wait, clock, |transaction| copy::pull(remote, expect, transaction));
            let (head, has_erased) = pulled.map_err(AppendError::flatten)?;
            if has_erased {
                ledger.fold(wait)?;
            }
            ledger.close()?;
            Ok::<_, RemoteProblem>(head)
        })?;
        let newest = self.verify()?;
        // Another process of this machine may have taken over more since.
        if newest != head && newest.seq <= head.seq {
            return Err(self.altered(head.seq, "it does not end in the remote's newest entry".to_owned()));
        }
        self.current = Some(Instant::now());
        Ok(head)
    }

    /// Verifies all of the working copy; returns its newest entry.
    ///
    /// # Errors
    /// A [`RemoteProblem`].
    pub fn verify(&self) -> Result<EntryRef, RemoteProblem> {
        let options = Options { genesis: Some(self.expect.genesis), ..Options::default() };
        let outcome = verify::sqlite(&self.copy, &options, &mut ())?;
        match (outcome.first_bad, outcome.head) {
            (Some(bad), _) => Err(self.altered(bad.seq, bad.reason)),
            (None, Some((seq, hash))) => Ok(EntryRef { seq, hash }),
            (None, None) => Err(self.altered(0, "there is none".to_owned())),
        }
    }

    fn altered(&self, seq: u64, reason: String) -> RemoteProblem {
        RemoteProblem::Altered { copy: self.copy.clone(), seq, reason }
    }

    /// What the remote says of itself.
    ///
    /// # Errors
    /// A [`RemoteProblem`].
    pub fn hello(&mut self) -> Result<Hello, RemoteProblem> {
        self.ask(|remote, expect, _| Ok(remote.hello(expect.ledger)?))
    }

    /// Has the remote drop the entries before `before` but for those at `keep`, which an entry of kind `archive` that it
    /// has accounts for.
    ///
    /// # Errors
    /// A [`RemoteProblem`].
    pub(super) fn drop_archived(&mut self, before: u64, keep: &[u64]) -> Result<(), RemoteProblem> {
        self.ask(|remote, _, _| Ok(remote.forget(before, keep)?))
    }

    /// Erases the openings of `commitments`, which an entry that the remote has names: there, then here.
    ///
    /// # Errors
    /// A [`RemoteProblem`]; then it can be done again.
    pub(super) fn erase(
        &mut self,
        commitments: &[Commitment],
        wait: Duration,
        clock: &dyn Fn() -> Timestamp,
    ) -> Result<(), RemoteProblem> {
        self.ask(|remote, _, _| Ok::<_, RemoteProblem>(openings::erase(remote, commitments)?))?;
        self.alone(wait, clock, |transaction| Ok(transaction.erase(commitments)?))?;
        Ok(Ledger::open(&self.copy, Access::Append)?.fold(wait)?)
    }

    /// The newest entry of the working copy, where there is one.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn copied(&self) -> Result<Option<EntryRef>, RemoteProblem> {
        match Ledger::open(&self.copy, Access::Read) {
            Err(OpenError::Missing { .. }) => Ok(None),
            opened => Ok(Some(opened?.view().head()?.into())),
        }
    }

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
        let mut is_new = self.current.is_none();
        let mut taken = Taken::default();
        loop {
            let head = if is_new { self.bring_up(wait, clock)? } else { self.verify()? };
            let mut ledger = Ledger::open(&self.copy, Access::Append).map_err(RemoteProblem::from)?;
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
                self.attempt(head, (is_new, takes_waiting), transaction, &mut work)
            });
            match done {
                Ok(value) => {
                    ledger.close().map_err(Stopped::Store)?;
                    return Ok((value, taken));
                }
                Err(AppendError::Work(Stop::Again)) => {
                    self.lost.set(self.lost.get() + 1);
                    race.lost()?;
                    is_new = true;
                }
                Err(AppendError::Work(Stop::Unsure)) => is_new = true,
                Err(AppendError::Work(Stop::Due)) => (is_new, takes_waiting) = (false, true),
                Err(AppendError::Work(Stop::Problem(problem))) => return Err(problem.into()),
                Err(AppendError::Work(Stop::Work(failed))) => return Err(Stopped::Work(failed)),
                Err(AppendError::Store(source)) => return Err(Stopped::Store(source)),
            }
        }
    }

    /// One attempt: `work`, then the remote.
    fn attempt<T, E>(
        &mut self,
        head: EntryRef,
        (is_new, takes_waiting): (bool, bool),
        transaction: &mut Transaction<'_>,
        work: &mut impl FnMut(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, Stop<E>> {
        let value = match work(transaction) {
            Err(_) if !is_new => return Err(Stop::Unsure),
            done => done.map_err(Stop::Work)?,
        };
        let view = transaction.view();
        let lines = copy::lines(&view, head.seq + 1, None).map_err(RemoteProblem::from)?;
        if !transaction.is_whole() {
            return Ok(value);
        }
        match lines.is_empty() {
            true if is_new => Ok(value),
            true => Err(Stop::Unsure),
            false if !takes_waiting && self.has_waiting()? => Err(Stop::Due),
            false => {
                let openings = openings::outgoing(&view, &lines)?;
                self.publish(head, &Batch { lines, openings }).map(|()| value)
            }
        }
    }

    /// Whether decisions wait to be sent.
    fn has_waiting(&self) -> Result<bool, RemoteProblem> {
        Ok(!waiting::read(&waiting::beside(&self.copy))?.is_empty())
    }

    /// Takes out of the file what the ledger has.
    fn forget(
        &self,
        ids: &[String],
        wait: Duration,
        clock: &dyn Fn() -> Timestamp,
    ) -> Result<(), RemoteProblem> {
        if ids.is_empty() {
            return Ok(());
        }
        self.alone(wait, clock, |_| Ok(waiting::remove(&waiting::beside(&self.copy), ids)?))
    }

    /// Does `work` while no other process changes the working copy, or what waits beside it. It appends nothing.
    ///
    /// # Errors
    /// A [`RemoteProblem`].
    pub(super) fn alone<T>(
        &self,
        wait: Duration,
        clock: &dyn Fn() -> Timestamp,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, RemoteProblem>,
    ) -> Result<T, RemoteProblem> {
        let mut ledger = Ledger::open(&self.copy, Access::Append)?;
        ledger.append(wait, clock, work).map_err(AppendError::flatten)
    }

    fn publish<E>(&mut self, after: EntryRef, batch: &Batch) -> Result<(), Stop<E>> {
        if !batch.openings.is_empty() && !self.hello()?.can.erase {
            return Err(RemoteProblem::CannotErase(self.address.clone()).into());
        }
        let mut race = Race::start(WAIT);
        let mut patience = || race.lost().is_ok();
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

fn cut_off() -> RemoteError {
    let remedy = "run it again; the command could have changed where a new connection leads";
    RemoteError::failed(
        Why::Unreachable,
        "the connection to the remote was lost while the command ran",
        remedy,
    )
}
