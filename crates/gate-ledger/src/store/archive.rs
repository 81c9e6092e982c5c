//! What an archive leaves in a ledger, and taking out what it moved.
//!
//! Rows can only be deleted without the trigger that forbids it. It is dropped and made again, letter by letter,
//! within the transaction that appends the statement: nobody ever sees a ledger without it, and a crash leaves
//! either everything or a proper archive.

use std::ops::ControlFlow;

use memchr::memmem::Finder;
use rusqlite::Connection;

use super::row::RawRow;
use super::{StoreError, View, schema};
use crate::archive::{EntryRef, Statement, is_always_kept};
use crate::chain::Bad;
use crate::entry::{Entry, Kind};

/// The entries in front, as far as archives can have left them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Front {
    /// Where the last gap ends: entries before it were moved, but for `kept`. 0 where nothing is missing.
    pub before: u64,
    /// The entries before it that are there.
    pub kept: Vec<EntryRef>,
}

/// Finds the last gap. Only genesis and policies stand before one, so that few rows are read.
pub(super) fn front(view: &View<'_>) -> Result<Front, StoreError> {
    let (mut seen, mut next, mut before) = (Vec::new(), 0, 0);
    let mut count = 0;
    view.scan(0, None, false, &mut |entry: Entry| {
        if entry.seq > next {
            (before, count) = (entry.seq, seen.len());
        }
        next = entry.seq + 1;
        seen.push(EntryRef::from(&entry));
        if is_always_kept(entry.kind) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    seen.truncate(count);
    Ok(Front { before, kept: seen })
}

/// The newest statement, where entries are missing.
pub(super) fn newest(view: &View<'_>) -> Result<Option<(Entry, Statement)>, StoreError> {
    let front = front(view)?;
    if front.before == 0 {
        return Ok(None);
    }
    let entry = search(view, front.before)?;
    let statement = Statement::of(&entry).map_err(|error| contradiction(&entry, error.to_string()))?;
    if statement.before != front.before || statement.kept != front.kept {
        let defect = "the entries in front of the ledger are not those that it names".to_owned();
        return Err(contradiction(&entry, defect));
    }
    Ok(Some((entry, statement)))
}

fn contradiction(entry: &Entry, defect: String) -> StoreError {
    StoreError::bad(entry.seq, Bad::Archive { statement: entry.seq, defect })
}

/// The newest entry of kind `archive` at or behind `from`, from the end: no index holds these few.
fn search(view: &View<'_>, from: u64) -> Result<Entry, StoreError> {
    let sign = Finder::new("\"kind\":\"archive\"");
    let mut statement = view.connection().prepare_cached(include_str!("sql/scan_reverse.sql"))?;
    let mut rows = statement.query([from.cast_signed(), i64::MAX])?;
    while let Some(row) = rows.next()? {
        let raw = RawRow::read(row)?;
        if !raw.body.as_ref().is_ok_and(|body| sign.find(body).is_some()) {
            continue;
        }
        let entry = view.read(row)?;
        if entry.kind == Kind::Archive {
            return Ok(entry);
        }
    }
    Err(StoreError::bad(0, Bad::Gap { expected: 0, found: from }))
}

/// Deletes what `statement` says was moved, and returns how many entries that were.
pub(super) fn remove(
    connection: &Connection,
    view: &View<'_>,
    statement: &Statement,
) -> Result<u64, StoreError> {
    let head = view.entry(statement.head.seq)?;
    if head.map(|entry| entry.hash) != Some(statement.head.hash) {
        return Err(StoreError::Moved(statement.head.seq));
    }
    schema::without(connection, "CREATE TRIGGER entry_delete", || {
        let mut delete = connection.prepare(include_str!("sql/archive_delete.sql"))?;
        let mut removed = 0;
        let ends = statement.kept.iter().skip(1).map(|kept| kept.seq).chain([statement.before]);
        for (kept, end) in statement.kept.iter().zip(ends) {
            removed += delete.execute([kept.seq.cast_signed() + 1, end.cast_signed()])?;
        }
        Ok(removed as u64)
    })
}
