//! Reading rows on several cores.
//!
//! The ledger is cut into stretches of positions; each worker has a connection of its own and inspects one
//! stretch at a time, within one short read transaction, so that no writer's WAL has to be kept for long.
//! What the bodies say comes back in order and is linked by one thread, which costs next to nothing.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::chain::{Bad, Facts, inspect};
use crate::entry::Kind;
use crate::store::{Access, Database, OpenError, RawRow, StoreError};

/// How many positions a stretch has.
pub(super) const STRETCH: i64 = 8192;
/// How many bytes of bodies a worker keeps for an observer before it stops early.
const MAX_KEPT: usize = 2 << 20;
/// How many indexes there are.
const INDEXES: usize = NAMES.len();
/// The indexes, in the order of the columns of `probe.sql` and `index_counts.sql`.
pub(super) const NAMES: [&str; 9] = [
    "entry_live",
    "entry_admitted",
    "entry_admitted_by",
    "entry_owing",
    "entry_requested",
    "entry_life",
    "entry_policy",
    "entry_spent",
    "entry_nonce",
];

/// For each index, how many entries.
pub(super) type Counts = [u64; INDEXES];

/// One connection, and what it found in its last stretch.
pub(super) struct Worker {
    database: Database,
    keep_bodies: bool,
    pub(super) found: Vec<Result<Facts, Bad>>,
    bodies: Vec<u8>,
    ends: Vec<usize>,
    /// How many entries each index should have for this stretch, from the bodies.
    pub(super) indexed: Counts,
    /// The first position after a stretch that was left early.
    pub(super) stopped: Option<i64>,
}

impl Worker {
    pub(super) fn open(path: &Path, keep_bodies: bool) -> Result<Self, OpenError> {
        let database = Database::open(path, Access::Read)?;
        let (found, bodies, ends) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { database, keep_bodies, found, bodies, ends, indexed: [0; INDEXES], stopped: None })
    }

    pub(super) const fn database(&self) -> &Database {
        &self.database
    }

    /// The body behind `found[index]`; empty where none was kept.
    pub(super) fn body(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends.get(index - 1).copied().unwrap_or_default() };
        let end = self.ends.get(index).copied().unwrap_or(start);
        self.bodies.get(start..end).unwrap_or_default()
    }

    /// Inspects the rows from `from` to `to`, inclusive. Damage is a finding, not an error.
    pub(super) fn inspect(&mut self, from: i64, to: i64) -> Result<(), StoreError> {
        self.found.clear();
        self.bodies.clear();
        self.ends.clear();
        self.indexed = [0; INDEXES];
        self.stopped = None;
        match self.read(from, to).map_err(|error| (error.sqlite_error_code(), error)) {
            Ok(()) => Ok(()),
            Err((Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::OutOfMemory
                | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked), error)) => Err(error.into()),
            Err((_, error)) => {
                self.found.push(Err(Bad::Unreadable(error.to_string())));
                self.ends.push(self.bodies.len());
                Ok(())
            }
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
        while let Some(row) = rows.next()? {
            let raw = RawRow::read(row)?;
            if self.keep_bodies && self.bodies.len() > MAX_KEPT {
                self.stopped = Some(raw.seq);
                break;
            }
            let mut found = raw.facts();
            if let (Ok(facts), Ok(body)) = (&found, &raw.body)
                && may_be_indexed(facts, body)
            {
                let probed = probe.query_row([raw.seq], probed)?;
                if let Err(bad) = count(probed, &mut self.indexed) {
                    found = Err(bad);
                }
            }
            if self.keep_bodies {
                self.bodies.extend_from_slice(raw.body.as_ref().map_or(&[], |body| *body));
                self.ends.push(self.bodies.len());
            }
            self.found.push(found);
        }
        Ok(())
    }
}

impl RawRow<'_> {
    /// What the body says, if it is canonical, has the stored hash and says the row's own number.
    fn facts(&self) -> Result<Facts, Bad> {
        let facts = inspect(self.body.clone()?)?;
        let recorded = self.hash.ok_or(Bad::HashForm)?;
        if facts.hash != recorded {
            return Err(Bad::Hash { computed: facts.hash, recorded });
        }
        if i64::try_from(facts.seq) != Ok(self.seq) {
            return Err(Bad::Row { row: self.seq, seq: facts.seq });
        }
        Ok(facts)
    }
}

/// Whether some index might hold the entry. A body that is canonical writes its keys literally, so that one
/// without these words cannot have these members; one with them is probed, which decides.
fn may_be_indexed(facts: &Facts, body: &[u8]) -> bool {
    matches!(facts.kind, Kind::Grant | Kind::Request | Kind::Policy)
        || facts.reference.is_some()
        || memchr::memmem::find(body, b"\"nonce\":").is_some()
        || (facts.kind == Kind::Decision && memchr::memmem::find(body, b"\"spends\":").is_some())
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
