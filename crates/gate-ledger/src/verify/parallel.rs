//! Reading rows on several cores.
//!
//! The ledger is cut into stretches of positions; each worker has a connection of its own and inspects one
//! stretch at a time, within one short read transaction, so that no writer's WAL has to be kept for long.
//! What the bodies say comes back in order and is linked by one thread, which costs next to nothing.

use std::path::Path;

use memchr::memmem::Finder;
use rusqlite::{CachedStatement, ErrorCode};

use super::batch::Batch;
use crate::chain::{Bad, Facts, inspect_unhashed};
use crate::entry::{EntryHash, Kind};
use crate::store::{Access, Database, OpenError, RawRow, Snapshot, StoreError};

/// How many positions a stretch has.
pub(super) const STRETCH: i64 = 4096;
/// How many it has where the bodies are kept.
pub(super) const STRETCH_KEPT: i64 = 1024;
/// How much of the file a connection keeps, in KiB. Each page is needed once, and the way to it at each stretch.
const PAGE_CACHE: i64 = 512;
/// How many bytes of bodies a worker holds before it stops early, for an observer or on its way to be hashed.
const MAX_KEPT: usize = 2 << 20;
/// How many indexes there are.
const INDEXES: usize = NAMES.len();
/// The indexes, in the order of the columns of `probe.sql` and `index_counts.sql`.
pub(super) const NAMES: [&str; 10] = [
    "entry_live",
    "entry_admitted",
    "entry_granted",
    "entry_owing",
    "entry_waiting",
    "entry_life",
    "entry_policy",
    "entry_spent",
    "entry_spent_together",
    "entry_nonce",
];

/// What is said of rows that a stretch does not have, or has twice.
const OUT_OF_ORDER: &str =
    "the pages of the file lead to rows that do not belong there, or to some of them twice";

/// For each index, how many entries.
pub(super) type Counts = [u64; INDEXES];

/// Where the rows are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    /// In a ledger that is in use.
    Live(&'a Path),
    /// In one as it stood at one moment.
    Still(&'a Snapshot),
}

impl Source<'_> {
    /// The ledger, as it was named.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Live(path) => path,
            Self::Still(snapshot) => snapshot.path(),
        }
    }
}

/// One connection, and what it found in its last stretch.
pub(super) struct Worker {
    database: Database,
    keep_bodies: bool,
    batch: Batch,
    signs: Signs,
    /// How many entries each index should have for this stretch, from the bodies.
    pub(super) indexed: Counts,
    /// The first position after a stretch that was left early.
    pub(super) stopped: Option<i64>,
}

impl Worker {
    pub(super) fn open(source: Source<'_>, keep_bodies: bool) -> Result<Self, OpenError> {
        let database = match source {
            Source::Live(path) => Database::open(path, Access::Read)?,
            Source::Still(snapshot) => Database::open_snapshot(snapshot)?,
        };
        let database = database.keeping(PAGE_CACHE)?;
        let (batch, signs) = (Batch::default(), Signs::new());
        Ok(Self { database, keep_bodies, batch, signs, indexed: [0; INDEXES], stopped: None })
    }

    pub(super) const fn database(&self) -> &Database {
        &self.database
    }

    /// What was found in the last stretch, in order, with the bodies where they are kept.
    pub(super) fn found(&self) -> impl Iterator<Item = (&Result<Facts, Bad>, &[u8])> {
        self.batch.found()
    }

    /// Inspects the rows from `from` to `to`, inclusive. Damage is a finding, not an error.
    pub(super) fn inspect(&mut self, from: i64, to: i64) -> Result<(), StoreError> {
        self.batch.clear();
        self.indexed = [0; INDEXES];
        self.stopped = None;
        let read = self.read(from, to);
        self.batch.hash();
        match read {
            Err(error) if is_failure(&error) => Err(error.into()),
            Err(error) => {
                self.batch.push(&[], Err(Bad::Unreadable(error.to_string())), EntryHash::ZERO);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// The first row at or after `from`.
    pub(super) fn next_row(&self, from: i64) -> rusqlite::Result<Option<i64>> {
        let sql = include_str!("../store/sql/next_row.sql");
        self.database.connection.query_row(sql, [from], |row| row.get(0))
    }

    fn read(&mut self, from: i64, to: i64) -> rusqlite::Result<()> {
        let connection = &self.database.connection;
        let mut statement = connection.prepare_cached(include_str!("../store/sql/scan.sql"))?;
        let mut probe = connection.prepare_cached(include_str!("../store/sql/probe.sql"))?;
        let mut rows = statement.query([from, to])?;
        let mut next = from;
        while let Some(row) = rows.next()? {
            let raw = RawRow::read(row)?;
            // A page that points back at its parent brings the rows before it again, and again.
            if raw.seq < next || raw.seq > to {
                self.batch.push(&[], Err(Bad::Unreadable(OUT_OF_ORDER.to_owned())), EntryHash::ZERO);
                break;
            }
            next = raw.seq.saturating_add(1);
            if self.batch.held() > MAX_KEPT {
                self.stopped = Some(raw.seq);
                break;
            }
            let found = self.signs.judge(&raw, &mut probe, &mut self.indexed)?;
            let body = raw.body.as_ref().map_or(&[][..], |body| *body);
            self.batch.push(body, found, raw.hash.unwrap_or(EntryHash::ZERO));
            if self.batch.is_ready() {
                self.batch.hash();
                if !self.keep_bodies {
                    self.batch.forget_bodies();
                }
            }
        }
        Ok(())
    }
}

/// Whether reading failed for another reason than damage to the file.
fn is_failure(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::OutOfMemory
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
        )
    )
}

impl RawRow<'_> {
    /// What the body says but for its hash, if it is canonical and says the row's own number.
    fn facts(&self) -> Result<Facts, Bad> {
        let facts = inspect_unhashed(self.body.clone()?)?;
        if self.hash.is_none() {
            return Err(Bad::HashForm);
        }
        if i64::try_from(facts.seq) != Ok(self.seq) {
            return Err(Bad::Row { row: self.seq, seq: facts.seq });
        }
        Ok(facts)
    }
}

/// Words that show where an index might hold an entry.
struct Signs {
    nonce: Finder<'static>,
    spends: Finder<'static>,
}

impl Signs {
    fn new() -> Self {
        Self { nonce: Finder::new("\"nonce\":"), spends: Finder::new("\"spends\":") }
    }

    /// What the row says but for its hash, and whether every index that should hold it does; `counts` then says
    /// which these are.
    fn judge(
        &self,
        raw: &RawRow<'_>,
        probe: &mut CachedStatement<'_>,
        counts: &mut Counts,
    ) -> rusqlite::Result<Result<Facts, Bad>> {
        let (facts, body) = match (raw.facts(), &raw.body) {
            (Ok(facts), Ok(body)) => (facts, body),
            (found, _) => return Ok(found),
        };
        if !self.may_be_indexed(&facts, body) {
            return Ok(Ok(facts));
        }
        let probed = probe.query_row([raw.seq], probed)?;
        Ok(count(probed, counts).map(|()| facts))
    }

    /// Whether some index might hold the entry. A body that is canonical writes its keys literally, so that one
    /// without these words cannot have these members; one with them is probed, which decides.
    fn may_be_indexed(&self, facts: &Facts, body: &[u8]) -> bool {
        matches!(facts.kind, Kind::Grant | Kind::Request | Kind::Policy)
            || facts.reference.is_some()
            || self.nonce.find(body).is_some()
            || (facts.kind == Kind::Decision && self.spends.find(body).is_some())
    }
}

/// For each index: whether it should hold the row, and if so whether it does.
type Probed = [Option<bool>; INDEXES];

fn probed(row: &rusqlite::Row<'_>) -> rusqlite::Result<Probed> {
    let mut probed = Probed::default();
    for (place, index) in probed.iter_mut().zip(0..) {
        *place = row.get(index)?;
    }
    Ok(probed)
}

fn count(probed: Probed, counts: &mut Counts) -> Result<(), Bad> {
    for ((held, count), index) in probed.into_iter().zip(counts).zip(NAMES) {
        match held {
            None => {}
            Some(true) => *count += 1,
            Some(false) => return Err(Bad::Index { index, defect: "it does not lead to this entry" }),
        }
    }
    Ok(())
}
