//! Answering from an ordinary ledger in a file.
//!
//! Lines are taken in by the store as every entry is: hashed, linked, durable. Whoever reads them elsewhere checks all
//! of it again.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use gate_cli::clock::Clock;
use gate_ledger::archive::{EntryRef, Statement};
use gate_ledger::chain::LedgerId;
use gate_ledger::commitment::{Commitment, WrittenOpening};
use gate_ledger::entry::{Entry, Kind, write_line};
use gate_ledger::remote::{Batch, Can, Each, Hello, Kept, MOST_OFF, Outcome, Remote, RemoteError, Why};
use gate_ledger::store::{Access, AppendError, CreateError, Ledger, OpenError, StoreError, Transaction};
use gate_model::exit::{Ends, Exit};

use crate::role::Role;

/// How long others are waited for.
const WAIT: Duration = Duration::from_secs(10);

/// A ledger that is served.
pub(crate) struct Served<'c> {
    path: PathBuf,
    role: Role,
    any_time: bool,
    clock: Clock<'c>,
    ledger: Option<Ledger>,
}

/// Why lines were not taken in.
enum Refusal {
    Moved(EntryRef),
    Store(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// An error of the store in the classes of the protocol.
fn failed(exit: Exit, text: &str) -> RemoteError {
    let why = match exit {
        Exit::Distrust => Why::Distrust,
        Exit::Usage => Why::Usage,
        _ => Why::Failure,
    };
    let (problem, remedy) =
        text.split_once('\n').unwrap_or((text, "look at it on the host where the ledger is"));
    RemoteError::failed(why, problem, remedy)
}

fn store(error: &StoreError) -> RemoteError {
    failed(error.exit(), &error.to_string())
}

impl<'c> Served<'c> {
    pub(crate) const fn new(path: PathBuf, role: Role, any_time: bool, clock: Clock<'c>) -> Self {
        Self { path, role, any_time, clock, ledger: None }
    }

    fn needs(&self, role: Role, what: &str) -> Result<(), RemoteError> {
        if self.role >= role {
            return Ok(());
        }
        let problem = format!("this key may not {what}: it is served as {}", self.role.as_str());
        Err(RemoteError::failed(Why::Denied, problem, format!("use the key of a {}", role.as_str())))
    }

    /// The ledger, if there is one by now.
    fn open(&mut self) -> Result<Option<&mut Ledger>, RemoteError> {
        if self.ledger.is_none() {
            let access = if self.role == Role::Reader { Access::Read } else { Access::Append };
            match Ledger::open(&self.path, access) {
                Ok(ledger) => self.ledger = Some(ledger),
                Err(OpenError::Missing { .. }) => {}
                Err(error) => return Err(failed(error.exit(), &error.to_string())),
            }
        }
        Ok(self.ledger.as_mut())
    }

    fn there(&mut self) -> Result<&mut Ledger, RemoteError> {
        self.open()?.ok_or_else(|| {
            RemoteError::failed(Why::Usage, "there is no ledger", "make one with gate-log init")
        })
    }

    /// Says so if the newest time of a batch is not the time here.
    fn off(&self, entries: &[Entry]) -> Option<String> {
        let off = entries.last()?.at.seconds_since((self.clock)());
        let is_off = !self.any_time && off.unsigned_abs() > MOST_OFF;
        is_off.then(|| {
            format!("the time of the newest entry is {off} seconds off the clock of this host; set yours")
        })
    }

    /// Runs `work` with the ledger to itself. What fails once the work is done may have been written all the same.
    fn write(
        &mut self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<(), Refusal>,
    ) -> Result<Outcome, RemoteError> {
        let clock = self.clock;
        let done = Cell::new(false);
        let written = self.there()?.append(WAIT, clock, |transaction| {
            work(transaction)?;
            done.set(true);
            Ok(())
        });
        match written {
            Ok(()) => Ok(Outcome::Taken),
            Err(AppendError::Work(Refusal::Moved(head))) => Ok(Outcome::Moved(Some(head))),
            Err(AppendError::Store(error)) if done.get() => Ok(Outcome::Unknown(error.to_string())),
            Err(AppendError::Work(Refusal::Store(error)) | AppendError::Store(error)) => Err(store(&error)),
        }
    }
}

/// Takes in entries.
fn adopt(transaction: &mut Transaction<'_>, entries: &[Entry]) -> Result<(), StoreError> {
    entries.iter().try_for_each(|entry| transaction.adopt(entry))
}

/// Keeps the openings that came with them.
fn keep(transaction: &mut Transaction<'_>, kept: Vec<Kept<'_>>) -> Result<(), StoreError> {
    kept.into_iter().try_for_each(|one| transaction.keep(one.entry, one.commitment, one.opening))
}

impl Remote for Served<'_> {
    fn hello(&mut self, _: Option<LedgerId>) -> Result<Hello, RemoteError> {
        let now = Some((self.clock)());
        let can = Can { erase: true, forget: true, clock: !self.any_time, queue: false };
        let Some(ledger) = self.open()? else { return Ok(Hello { can, now, ..Hello::default() }) };
        let head = ledger.view().head().map_err(|error| store(&error))?;
        let id = LedgerId::read(ledger.id().as_bytes());
        Ok(Hello { can, ledger: id, head: Some(head.into()), now, place: None })
    }

    fn read(
        &mut self,
        after: Option<u64>,
        most: u64,
        each: Each<'_>,
    ) -> Result<Option<EntryRef>, RemoteError> {
        let Some(ledger) = self.open()? else { return Ok(None) };
        let view = ledger.view();
        let head: EntryRef = view.head().map_err(|error| store(&error))?.into();
        let (mut left, mut stopped) = (most, false);
        let mut line = Vec::new();
        let from = after.map_or(0, |after| after.saturating_add(1));
        let scanned = view.scan_lines(from, Some(head.seq), &mut |body, hash| {
            if left == 0 {
                return ControlFlow::Break(());
            }
            left -= 1;
            line.clear();
            write_line(&mut line, body, hash);
            stopped = each(&line).is_break();
            if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        scanned.map_err(|error| store(&error))?;
        if stopped { Err(RemoteError::Stopped) } else { Ok(Some(head)) }
    }

    fn append(&mut self, after: EntryRef, batch: &Batch) -> Result<Outcome, RemoteError> {
        self.needs(Role::Writer, "append")?;
        let entries = batch.entries()?;
        let kept = batch.kept(&entries)?;
        if self.open()?.is_none() {
            return Ok(Outcome::Moved(None));
        }
        if batch.copied {
            self.needs(Role::Keeper, "copy a ledger here")?;
        } else if let Some(off) = self.off(&entries) {
            return Ok(Outcome::Refused(off));
        }
        self.write(|transaction| {
            let head: EntryRef = transaction.head().into();
            if head != after {
                return Err(Refusal::Moved(head));
            }
            adopt(transaction, &entries)?;
            Ok(keep(transaction, kept)?)
        })
    }

    /// The first entry is made with the file, the others follow in one transaction. Where a crash came between, the
    /// same lines go on where it was.
    fn create(&mut self, batch: &Batch) -> Result<Outcome, RemoteError> {
        self.needs(Role::Keeper, "make a ledger")?;
        let entries = batch.entries()?;
        let kept = batch.kept(&entries)?;
        if self.open()?.is_none() {
            match Ledger::create_copy(&self.path, &entries[0]) {
                Ok(ledger) => self.ledger = Some(ledger),
                Err(CreateError::Exists { .. }) => {}
                Err(error) => return Err(failed(error.exit(), &error.to_string())),
            }
        }
        self.write(|transaction| {
            let head: EntryRef = transaction.head().into();
            if head.seq != 0 || head.hash != entries[0].hash {
                return Err(Refusal::Moved(head));
            }
            adopt(transaction, &entries[1..])?;
            Ok(keep(transaction, kept)?)
        })
    }

    fn forget(&mut self, before: u64, keep: &[u64]) -> Result<(), RemoteError> {
        self.needs(Role::Keeper, "drop entries")?;
        let view = self.there()?.view();
        if view.front().map_err(|error| store(&error))?.before >= before {
            return Ok(());
        }
        let mut newest = None;
        let scanned = view.scan(0, None, true, &mut |entry| {
            if entry.kind == Kind::Archive {
                newest = Some(entry);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        scanned.map_err(|error| store(&error))?;
        let statement = newest.and_then(|entry| Statement::of(&entry).ok());
        let named =
            |statement: &Statement| statement.kept.iter().map(|kept| kept.seq).eq(keep.iter().copied());
        let Some(statement) = statement.filter(|found| found.before == before && named(found)) else {
            let problem = format!("no entry says that those before {before} were archived");
            return Err(RemoteError::failed(Why::Usage, problem, "append the archive's statement first"));
        };
        let outcome = self.write(|transaction| {
            transaction.remove(&statement)?;
            Ok(())
        })?;
        if outcome.is_taken() { Ok(()) } else { Err(failed(Exit::Failure, "the entries were not dropped")) }
    }

    fn openings(&mut self, from: u64, to: u64, each: Each<'_>) -> Result<(), RemoteError> {
        let Some(ledger) = self.open()? else { return Ok(()) };
        let mut lines = Vec::new();
        let walked = ledger.view().openings(&mut |kept| {
            let kept = kept?;
            if (from..=to).contains(&kept.seq) {
                lines.push((kept.seq, WrittenOpening::from(&kept.opening)));
            }
            Ok(())
        });
        walked.map_err(|error| store(&error))?;
        lines.sort_by_key(|(seq, _)| *seq);
        for (_, written) in &lines {
            let line =
                serde_json::to_vec(written).map_err(|error| failed(Exit::Failure, &error.to_string()))?;
            if each(&line).is_break() {
                return Err(RemoteError::Stopped);
            }
        }
        Ok(())
    }

    fn erase(&mut self, commitments: &[Commitment]) -> Result<u64, RemoteError> {
        self.needs(Role::Keeper, "erase texts")?;
        let count = Cell::new(0);
        let outcome = self.write(|transaction| {
            count.set(transaction.erase(commitments)?.len() as u64);
            Ok(())
        })?;
        if !outcome.is_taken() {
            return Err(failed(Exit::Failure, "the texts may not have been erased; ask again"));
        }
        self.there()?.fold(WAIT).map_err(|error| store(&error))?;
        Ok(count.get())
    }
}
