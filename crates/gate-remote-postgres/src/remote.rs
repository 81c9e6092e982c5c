//! The ledger in the tables, as the protocol asks for it.

use gate_ledger::archive::EntryRef;
use gate_ledger::chain::LedgerId;
use gate_ledger::commitment::Commitment;
use gate_ledger::entry::{Entry, write_line};
use gate_ledger::remote::{Batch, Can, Each, Hello, MOST_OFF, Outcome, Remote, RemoteError};
use gate_model::time::Timestamp;
use postgres::types::{ToSql, Type};
use postgres::{Client, NoTls};

use crate::error::{self, distrust, failure};
use crate::settings::Settings;
use crate::transaction::{Done, Failed, Newest, has, hash, insert, lock, may_create, once, position};

/// How many entries are asked for at once; one can have a mebibyte.
const PAGE: i64 = 256;
/// How often a transaction that lost against another one is tried again.
const TRIES: u32 = 10;

/// Ledgers in PostgreSQL.
pub(crate) struct Postgres {
    settings: Settings,
    client: Option<Client>,
    /// Whether the connection is in a transaction that has the ledger's row.
    keeps: bool,
}

impl Postgres {
    pub(crate) const fn new(settings: Settings) -> Self {
        Self { settings, client: None, keeps: false }
    }

    fn connect(&self) -> Result<Client, RemoteError> {
        let settings = &self.settings;
        let connected = match &settings.tls {
            None => settings.config.connect(NoTls),
            Some(tls) => settings.config.connect(tls.connector().map_err(failure)?),
        };
        connected.map_err(|error| error::failed(&error))
    }

    /// The connection; a new one where the last was lost. Nothing was asked on it yet.
    fn client(&mut self) -> Result<&mut Client, RemoteError> {
        if self.client.as_ref().is_none_or(Client::is_closed) {
            self.hang_up();
            self.client = Some(self.connect()?);
        }
        self.client.as_mut().ok_or_else(|| failure("there is no connection"))
    }

    /// Gives up the connection, and with it what it was in the middle of.
    fn hang_up(&mut self) {
        (self.client, self.keeps) = (None, false);
    }

    /// Ends a transaction with nothing written, so that others get the ledger's row.
    fn roll_back(&mut self) {
        self.keeps = false;
        if self.client.as_mut().is_some_and(|client| client.batch_execute("ROLLBACK").is_err()) {
            self.hang_up();
        }
    }

    /// Asks something that changes nothing, once more on a new connection where the old one turns out to be gone.
    fn ask<T>(
        &mut self,
        question: impl Fn(&mut Client, &str) -> Result<T, Failed>,
    ) -> Result<T, RemoteError> {
        let ledger = self.settings.ledger.clone();
        let first = question(self.client()?, &ledger);
        let failed = match first {
            Ok(answer) => return Ok(answer),
            Err(failed) => failed,
        };
        // The server may have ended a session that kept others waiting.
        if !self.keeps && !self.client.as_ref().is_none_or(Client::is_closed) {
            return Err(failed.remote());
        }
        self.hang_up();
        question(self.client()?, &ledger).map_err(|failed| failed.remote())
    }

    fn newest(&mut self) -> Result<Option<Newest>, RemoteError> {
        self.ask(|client, ledger| {
            let row = client.query_typed_opt(include_str!("sql/head.sql"), &[(&ledger, Type::TEXT)])?;
            Ok(row.as_ref().map(Newest::read).transpose()?)
        })
    }

    /// Runs `work` in a transaction until it neither loses against another one nor loses its connection unheard.
    /// `is_there` tells, with the ledger's row in hand, whether an earlier try was committed after all.
    fn transact(
        &mut self,
        work: &dyn Fn(&mut Client, &str) -> Result<Outcome, Failed>,
        is_there: &dyn Fn(&mut Client, &str) -> Result<bool, Failed>,
    ) -> Result<Outcome, RemoteError> {
        let ledger = self.settings.ledger.clone();
        let mut lost: Option<String> = None;
        for _ in 0..TRIES {
            let goes_on = std::mem::take(&mut self.keeps);
            let client = match self.client() {
                Ok(client) => client,
                Err(error) => return lost.map_or(Err(error), |said| Ok(Outcome::Unknown(said))),
            };
            let asked = lost.is_some();
            let done = once(client, goes_on, |transaction| {
                if asked && is_there(transaction, &ledger)? {
                    return Ok(Outcome::Taken);
                }
                work(transaction, &ledger)
            });
            match done {
                Ok(Done::Outcome(outcome)) => return Ok(outcome),
                Ok(Done::Kept(outcome)) => {
                    self.keeps = true;
                    return Ok(outcome);
                }
                Ok(Done::Lost(said)) => lost = Some(said),
                Err(Failed::Postgres(error)) if goes_on || error::is_race(&error) => self.roll_back(),
                Err(failed) => {
                    self.roll_back();
                    return lost.map_or_else(|| Err(failed.remote()), |said| Ok(Outcome::Unknown(said)));
                }
            }
        }
        match lost {
            Some(said) => Ok(Outcome::Unknown(said)),
            None => Err(failure("others were faster, again and again")),
        }
    }
}

/// Says so if the newest time of a batch is not that of the server.
fn off(entries: &[Entry], now: Timestamp) -> Option<String> {
    let off = entries.last()?.at.seconds_since(now);
    (off.unsigned_abs() > MOST_OFF)
        .then(|| format!("the time of the newest entry is {off} seconds off the server's clock; set yours"))
}

impl Remote for Postgres {
    fn hello(&mut self, _: Option<LedgerId>) -> Result<Hello, RemoteError> {
        if self.keeps {
            self.roll_back();
        }
        let newest = self.newest()?;
        let settings = &self.settings;
        let can = Can { erase: true, forget: true, clock: settings.clock, queue: true };
        let now = newest.as_ref().map(|newest| newest.now);
        Ok(Hello {
            can,
            ledger: newest.as_ref().and_then(|newest| LedgerId::read(newest.id.as_bytes())),
            head: newest.map(|newest| newest.head),
            now,
            place: Some(settings.place.clone()),
        })
    }

    fn read(
        &mut self,
        after: Option<u64>,
        most: u64,
        each: Each<'_>,
    ) -> Result<Option<EntryRef>, RemoteError> {
        let Some(newest) = self.newest()? else { return Ok(None) };
        let to = position(newest.head.seq);
        let (mut from, mut left) = (after.map_or(-1, position), position(most));
        let mut line = Vec::new();
        while left > 0 {
            let page = left.min(PAGE);
            let rows = self.ask(|client, ledger| {
                let parameters: [(&(dyn ToSql + Sync), Type); 4] =
                    [(&ledger, Type::TEXT), (&from, Type::INT8), (&to, Type::INT8), (&page, Type::INT8)];
                Ok(client.query_typed(include_str!("sql/read.sql"), &parameters)?)
            })?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                line.clear();
                write_line(&mut line, row.get(0), hash(row.get(1))?);
                (from, left) = (row.get(2), left - 1);
                if each(&line).is_break() {
                    return Err(RemoteError::Stopped);
                }
            }
        }
        Ok(Some(newest.head))
    }

    fn append(&mut self, after: EntryRef, batch: &Batch) -> Result<Outcome, RemoteError> {
        let entries = batch.entries()?;
        let clock = self.settings.clock;
        let kept = batch.kept(&entries)?;
        let Some(last) = entries.last() else { return Err(failure("there is nothing to add")) };
        self.transact(
            &|transaction, ledger| {
                let Some(newest) = lock(transaction, ledger)? else { return Ok(Outcome::Moved(None)) };
                if newest.head != after {
                    return Ok(Outcome::Moved(Some(newest.head)));
                }
                let any_time = !clock || batch.copied && may_create(transaction)?;
                if let Some(off) = off(&entries, newest.now).filter(|_| !any_time) {
                    return Ok(Outcome::Refused(off));
                }
                insert(transaction, ledger, &entries, &kept)?;
                let (seq, new, from, old) =
                    (position(last.seq), &last.hash.0[..], position(after.seq), &after.hash.0[..]);
                let moved = transaction.execute_typed(
                    include_str!("sql/move.sql"),
                    &[
                        (&ledger, Type::TEXT),
                        (&seq, Type::INT8),
                        (&new, Type::BYTEA),
                        (&from, Type::INT8),
                        (&old, Type::BYTEA),
                    ],
                )?;
                if moved == 1 {
                    Ok(Outcome::Taken)
                } else {
                    Err(distrust("the ledger's row cannot be moved").into())
                }
            },
            &|transaction, ledger| {
                // Whoever still commits has this row: when it is ours, they are done.
                lock(transaction, ledger)?;
                has(transaction, ledger, &entries[0])
            },
        )
    }

    fn create(&mut self, batch: &Batch) -> Result<Outcome, RemoteError> {
        let entries = batch.entries()?;
        let kept = batch.kept(&entries)?;
        let Some(last) = entries.last() else { return Err(failure("there is nothing to add")) };
        let outcome = self.transact(
            &|transaction, ledger| {
                if let Some(newest) = lock(transaction, ledger)? {
                    return Ok(Outcome::Moved(Some(newest.head)));
                }
                let (seq, new) = (position(last.seq), &last.hash.0[..]);
                transaction.execute_typed(
                    include_str!("sql/create.sql"),
                    &[
                        (&ledger, Type::TEXT),
                        (&last.ledger, Type::TEXT),
                        (&seq, Type::INT8),
                        (&new, Type::BYTEA),
                    ],
                )?;
                insert(transaction, ledger, &entries, &kept)?;
                Ok(Outcome::Taken)
            },
            &|transaction, ledger| {
                lock(transaction, ledger)?;
                has(transaction, ledger, &entries[0])
            },
        )?;
        // Whoever finds that there is one already does not come back.
        if self.keeps {
            self.roll_back();
        }
        Ok(outcome)
    }

    fn forget(&mut self, before: u64, keep: &[u64]) -> Result<(), RemoteError> {
        let (before, keep) = (position(before), keep.iter().map(|seq| position(*seq)).collect::<Vec<i64>>());
        let outcome = self.transact(
            &|transaction, ledger| {
                transaction.execute_typed(
                    include_str!("sql/forget.sql"),
                    &[(&ledger, Type::TEXT), (&before, Type::INT8), (&keep, Type::INT8_ARRAY)],
                )?;
                Ok(Outcome::Taken)
            },
            // Dropped twice is dropped.
            &|_, _| Ok(false),
        )?;
        if outcome.is_taken() {
            Ok(())
        } else {
            Err(failure("nobody knows whether the entries were dropped; ask again"))
        }
    }

    fn openings(&mut self, from: u64, to: u64, each: Each<'_>) -> Result<(), RemoteError> {
        let (from, to) = (position(from), position(to));
        let rows = self.ask(|client, ledger| {
            let parameters: [(&(dyn ToSql + Sync), Type); 3] =
                [(&ledger, Type::TEXT), (&from, Type::INT8), (&to, Type::INT8)];
            Ok(client.query_typed(include_str!("sql/openings.sql"), &parameters)?)
        })?;
        for row in rows {
            if each(row.get(0)).is_break() {
                return Err(RemoteError::Stopped);
            }
        }
        Ok(())
    }

    fn erase(&mut self, commitments: &[Commitment]) -> Result<u64, RemoteError> {
        let erased = std::cell::Cell::new(0);
        let wanted: Vec<&[u8]> = commitments.iter().map(|commitment| &commitment.0[..]).collect();
        let outcome = self.transact(
            &|transaction, ledger| {
                let parameters: [(&(dyn ToSql + Sync), Type); 2] =
                    [(&ledger, Type::TEXT), (&wanted, Type::BYTEA_ARRAY)];
                erased.set(transaction.execute_typed(include_str!("sql/erase.sql"), &parameters)?);
                Ok(Outcome::Taken)
            },
            &|_, _| Ok(false),
        )?;
        if outcome.is_taken() {
            Ok(erased.get())
        } else {
            Err(failure("nobody knows whether the texts were erased; ask again"))
        }
    }
}
