//! A ledger in a SQLite file.

use std::path::Path;

use rayon::prelude::*;
use rusqlite::Connection;

use super::openings;
use super::segments;
use super::tally::Tally;
use super::wave::{Counts, NAMES, STRETCH, Worker};
use super::{Observer, Options, Outcome, VerifyError};
use crate::chain::Bad;
use crate::store::{OpenError, StoreError};

/// The most connections at once; each has a page cache, and memory is to stay the same on any machine.
const MAX_WORKERS: usize = 4;
/// Up to this size, in bytes, SQLite's own check of its pages runs too.
const QUICK_CHECK_UP_TO: i64 = 16 << 20;

/// Verifies the ledger in the SQLite file at `path`: schema, every row, and every index against the bodies.
///
/// Entries that are appended meanwhile are left for the next time.
///
/// # Errors
/// A [`VerifyError`] where the file is missing, is no ledger, or cannot be read.
pub fn sqlite(path: &Path, options: &Options, observer: &mut dyn Observer) -> Result<Outcome, VerifyError> {
    let fails = |source: StoreError| VerifyError::Store { path: path.to_owned(), source };
    let report = |error| match error {
        Failure::Store(source) => fails(source),
        Failure::Verify(error) => error,
    };
    let mut tally = Tally::new(options, observer);
    let first = Worker::open(path, tally.wants_entries())?;
    let Some((lowest, highest)) =
        bounds(&first.database().connection).map_err(|error| fails(error.into()))?
    else {
        return Err(OpenError::NoEntries { path: path.to_owned() }.into());
    };
    segments::read(&options.segments, &mut tally)?;
    tally.begin_rest();
    let mut workers = vec![first];
    let lowest = match tally.start() {
        Some(next) => skip(&mut workers[0], next, lowest, &mut tally).map_err(report)?,
        None => lowest,
    };
    let wanted = workers_for(lowest, highest);
    while workers.len() < wanted {
        workers.push(Worker::open(path, tally.wants_entries())?);
    }
    let indexed = rows(&mut workers, lowest, highest, &mut tally).map_err(report)?;
    tally.settle();
    if tally.is_good() {
        let connection = &workers[0].database().connection;
        // How many entries an index should have in all is known only where all of them were read.
        if options.start.is_none() {
            indexes(connection, highest, &indexed, &mut tally).map_err(|error| fails(error.into()))?;
        }
        openings::check(connection, &mut tally).map_err(fails)?;
        structure(connection, options.quick_check, &mut tally).map_err(|error| fails(error.into()))?;
    }
    Ok(tally.finish())
}

enum Failure {
    Store(StoreError),
    Verify(VerifyError),
}

/// The lowest and the highest row, if there is any.
fn bounds(connection: &Connection) -> rusqlite::Result<Option<(i64, i64)>> {
    let lowest_and_highest = include_str!("../store/sql/bounds.sql");
    let (lowest, highest) =
        connection.query_row(lowest_and_highest, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Option::zip(lowest, highest))
}

/// Looks at the two rows before `next` that say whether it is the right ledger: the first, and the one before
/// it. Returns where to begin.
fn skip(worker: &mut Worker, next: u64, lowest: i64, tally: &mut Tally<'_>) -> Result<i64, Failure> {
    let next = i64::try_from(next).unwrap_or(i64::MAX);
    for seq in [0, next - 1] {
        worker.inspect(seq, seq).map_err(Failure::Store)?;
        for (found, body) in worker.found() {
            tally.take(found, body).map_err(Failure::Verify)?;
        }
    }
    Ok(lowest.max(next))
}

fn workers_for(lowest: i64, highest: i64) -> usize {
    let stretches = usize::try_from(highest.saturating_sub(lowest) / STRETCH).unwrap_or(usize::MAX);
    rayon::current_num_threads().min(MAX_WORKERS).min(stretches.saturating_add(1))
}

/// Runs over all rows in waves, each worker taking one stretch of a wave. Returns how many entries each index
/// should have.
fn rows(workers: &mut [Worker], lowest: i64, highest: i64, tally: &mut Tally<'_>) -> Result<Counts, Failure> {
    let total = u64::try_from(highest).ok().map(|highest| highest + 1);
    let mut indexed = Counts::default();
    let mut from = lowest;
    loop {
        let inspected: Result<Vec<()>, StoreError> = workers
            .par_iter_mut()
            .enumerate()
            .map(|(place, worker)| {
                let (start, end) = stretch(from, place, highest);
                worker.inspect(start, end)
            })
            .collect();
        inspected.map_err(Failure::Store)?;
        let (stopped, nothing) = link(workers, tally, &mut indexed).map_err(Failure::Verify)?;
        tally.progress(total);
        let width = STRETCH.saturating_mul(i64::try_from(workers.len()).unwrap_or(1));
        from = stopped.unwrap_or(from.saturating_add(width));
        if from > highest || from == i64::MAX {
            return Ok(indexed);
        }
        if nothing {
            // Behind a gap of any width the next row is asked for, not searched.
            from =
                workers[0].next_row(from).map_err(|error| Failure::Store(error.into()))?.unwrap_or(highest);
        }
    }
}

/// The stretch of the worker at `place` in a wave that begins at `from`; an empty one beyond the last row.
fn stretch(from: i64, place: usize, highest: i64) -> (i64, i64) {
    let before = STRETCH.saturating_mul(i64::try_from(place).unwrap_or(i64::MAX));
    let start = from.saturating_add(before);
    let end = start.saturating_add(STRETCH - 1).min(highest);
    (start, end)
}

/// Links what a wave found, in order. Returns where to go on if a worker stopped early, and whether there was
/// nothing at all.
fn link(
    workers: &[Worker],
    tally: &mut Tally<'_>,
    indexed: &mut Counts,
) -> Result<(Option<i64>, bool), VerifyError> {
    let mut nothing = true;
    for worker in workers {
        for (found, body) in worker.found() {
            nothing = false;
            tally.take(found, body)?;
        }
        for (sum, count) in indexed.iter_mut().zip(worker.indexed) {
            *sum += count;
        }
        // What the workers after it found is read again, since an observer must see entries in order.
        if worker.stopped.is_some() {
            return Ok((worker.stopped, nothing));
        }
    }
    Ok((None, nothing))
}

/// Compares how many entries each index has with how many it should have. Each that it should have was found
/// through it, so that equal numbers mean equal sets.
fn indexes(
    connection: &Connection,
    highest: i64,
    expected: &Counts,
    tally: &mut Tally<'_>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(include_str!("../store/sql/index_counts.sql"))?;
    let mut found = Counts::default();
    statement.query_row([highest], |row| {
        for (count, index) in found.iter_mut().zip(0..) {
            *count = u64::try_from(row.get::<_, i64>(index)?).unwrap_or_default();
        }
        Ok(())
    })?;
    for ((found, expected), index) in found.iter().zip(expected).zip(NAMES) {
        if found != expected {
            tally.bad(&Bad::Index { index, defect: "it holds entries that no body accounts for" });
        }
    }
    Ok(())
}

/// Lets SQLite check its pages, where that is asked for or takes no time.
fn structure(connection: &Connection, always: bool, tally: &mut Tally<'_>) -> rusqlite::Result<()> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    if !always && number("page_count")?.saturating_mul(number("page_size")?) > QUICK_CHECK_UP_TO {
        return Ok(());
    }
    let verdict: String =
        connection.query_row(include_str!("../store/sql/quick_check.sql"), [], |row| row.get(0))?;
    if verdict != "ok" {
        tally.bad(&Bad::Structure(gate_model::text::visible(verdict.trim())));
    }
    Ok(())
}
