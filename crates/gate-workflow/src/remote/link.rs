//! A remote with the working copy that follows it.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use gate_ledger::archive::EntryRef;
use gate_ledger::commitment::Commitment;
use gate_ledger::redaction::Privacy;
use gate_ledger::remote::{Can, Expect, Hello, Remote, RemoteError, Why};
use gate_ledger::store::{Access, AppendError, Ledger, OpenError, Transaction};
use gate_ledger::verify::{self, Options};
use gate_ledger::waiting;
use gate_model::time::Timestamp;

use super::{Connect, RemoteProblem, copy, openings};

/// For how long what was read is new: a run that looks twice in a row asks once.
const FRESH: Duration = Duration::from_secs(1);

/// A look at a remote that takes longer had a lot to bring.
const LONGEST_LOOK: Duration = Duration::from_secs(2);

/// A remote with the working copy that follows it.
pub struct Link {
    connect: Connect,
    address: String,
    /// The connection, once there is one. After a failure there is none: nobody knows what would be answered next.
    pub(super) remote: Option<Box<dyn Remote>>,
    expect: Expect,
    pub(super) copy: PathBuf,
    /// Which texts its entries only commit to.
    pub(super) privacy: Privacy,
    /// What it can, once it said so.
    can: Option<Can>,
    /// How long it took to bring the working copy up to date; nothing where it was begun.
    pub(super) look: Duration,
    /// Whether no new connection is made: a command has run since, and could have changed where it leads.
    pub(super) sealed: bool,
    /// When the working copy was last verified to end where the remote does.
    pub(super) current: Option<Instant>,
    /// How many times somebody else was first, in this run.
    pub lost: Rc<Cell<u32>>,
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
            can: None,
            look: Duration::ZERO,
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
    pub(super) fn ask<T, E: From<RemoteError>>(
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
        let (begun, is_first) = (Instant::now(), !self.copy.exists());
        // Asked before anything else: later it would end what a remote does for whoever lost a race.
        self.can()?;
        if self.privacy != Privacy::default() {
            self.refuse_unerasable()?;
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
        if !is_first {
            self.look = begun.elapsed().min(LONGEST_LOOK);
        }
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

    /// What the remote can; it is asked once.
    ///
    /// # Errors
    /// A [`RemoteProblem`].
    pub(super) fn can(&mut self) -> Result<Can, RemoteProblem> {
        let can = match self.can {
            Some(can) => can,
            None => self.hello()?.can,
        };
        self.can = Some(can);
        Ok(can)
    }

    /// Refuses a remote that cannot erase what is to be erasable.
    ///
    /// # Errors
    /// A [`RemoteProblem`].
    pub(super) fn refuse_unerasable(&mut self) -> Result<(), RemoteProblem> {
        if self.can()?.erase { Ok(()) } else { Err(RemoteProblem::CannotErase(self.address.clone())) }
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

    /// Whether decisions wait to be sent.
    pub(super) fn has_waiting(&self) -> Result<bool, RemoteProblem> {
        Ok(!waiting::read(&waiting::beside(&self.copy))?.is_empty())
    }

    /// Takes out of the file what the ledger has.
    pub(super) fn forget(
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
}

fn cut_off() -> RemoteError {
    let remedy = "run it again; the command could have changed where a new connection leads";
    RemoteError::failed(
        Why::Unreachable,
        "the connection to the remote was lost while the command ran",
        remedy,
    )
}
