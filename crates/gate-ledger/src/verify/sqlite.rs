//! A ledger in a SQLite file.

use std::path::Path;

use rayon::prelude::*;
use rusqlite::Connection;

use super::openings;
use super::parallel::{Counts, NAMES, STRETCH, STRETCH_KEPT, Source, Worker};
use super::segments;
use super::tally::Tally;
use super::{Observer, Options, Outcome, VerifyError};
use crate::chain::Bad;
use crate::store::{OpenError, Snapshot, StoreError};

/// The most workers of a crew; each has a connection with a page cache, and memory is to stay the same on any machine.
const MAX_WORKERS: usize = 4;
/// Up to this size, in bytes, SQLite's own check of its pages runs too.
const QUICK_CHECK_UP_TO: i64 = 16 << 20;

/// Verifies the ledger in the SQLite file at `path`, as one of its users: schema, every row, and every index against
/// the bodies.
///
/// Entries that are appended meanwhile are left for the next time.
///
/// # Errors
/// A [`VerifyError`] where the file is missing, is no ledger, or cannot be read.
pub fn sqlite(path: &Path, options: &Options, observer: &mut dyn Observer) -> Result<Outcome, VerifyError> {
    source(Source::Live(path), options, observer)
}

/// The same of the moment at which `snapshot` was taken, without writing anything beside the file.
///
/// # Errors
/// As [`sqlite`]. Neither an error nor an outcome counts where the snapshot is not still afterwards
/// ([`Snapshot::is_still`]).
pub fn snapshot(
    snapshot: &Snapshot,
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<Outcome, VerifyError> {
    source(Source::Still(snapshot), options, observer)
}

fn source(
    source: Source<'_>,
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<Outcome, VerifyError> {
    let mut tally = Tally::new(options, observer);
    file(source, options, &mut tally).map_err(|error| match error {
        Failure::Store(failed) => VerifyError::Store { path: source.path().to_owned(), source: failed },
        Failure::Verify(error) => error,
    })?;
    Ok(tally.finish())
}

/// What ends a verification before there is a result.
#[derive(thiserror::Error, Debug)]
enum Failure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Segments first, then the rows, and then what can be judged only once all of them are good.
fn file(source: Source<'_>, options: &Options, tally: &mut Tally<'_>) -> Result<(), Failure> {
    let open = |tally: &Tally<'_>| Worker::open(source, tally.wants_entries()).map_err(VerifyError::from);
    let mut workers = vec![open(tally)?];
    let Some((lowest, highest)) = bounds(&workers[0].database().connection)? else {
        return Err(VerifyError::from(OpenError::NoEntries { path: source.path().to_owned() }).into());
    };
    segments::read(&options.segments, tally)?;
    tally.begin_rest();
    let lowest = match tally.start() {
        Some(next) => skip(&mut workers[0], next, lowest, tally)?,
        None => lowest,
    };
    let crew = workers_for(lowest, highest, width(tally));
    while workers.len() < 2 * crew {
        workers.push(open(tally)?);
    }
    let (now, ahead) = workers.split_at_mut(crew);
    let indexed = rows([now, ahead], lowest, highest, tally)?;
    tally.settle();
    if tally.is_good() {
        let connection = &workers[0].database().connection;
        // How many entries an index should have in all is known only where all of them were read.
        if options.start.is_none() {
            indexes(connection, highest, &indexed, tally)?;
        }
        openings::check(connection, tally)?;
        structure(connection, options.quick_check, tally)?;
    }
    Ok(())
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
        worker.inspect(seq, seq)?;
        for (found, body) in worker.found() {
            tally.take(found, body)?;
        }
    }
    Ok(lowest.max(next))
}

/// How many workers a crew has.
fn workers_for(lowest: i64, highest: i64, width: i64) -> usize {
    let stretches = usize::try_from(highest.saturating_sub(lowest) / width).unwrap_or(usize::MAX);
    rayon::current_num_threads().min(MAX_WORKERS).min(stretches.saturating_add(1))
}

/// Runs over all rows in waves, each worker of a crew taking one stretch of a wave. While what one crew found is
/// linked, which one thread does in order, the other crew inspects the next wave. Returns how many entries each
/// index should have.
fn rows(
    [crew, other]: [&mut [Worker]; 2],
    lowest: i64,
    highest: i64,
    tally: &mut Tally<'_>,
) -> Result<Counts, Failure> {
    let total = u64::try_from(highest).ok().map(|highest| highest + 1);
    let (mut now, mut ahead) = (crew, other);
    let mut indexed = Counts::default();
    let mut wave = Wave { from: lowest, highest, width: width(tally) };
    inspect(now, wave)?;
    loop {
        let next = wave.next(now.len());
        let (linked, inspected) = std::thread::scope(|scope| {
            let inspecting = scope.spawn(|| inspect(ahead, next));
            let linked = link(now, tally, &mut indexed);
            (linked, inspecting.join())
        });
        let (stopped, nothing) = linked?;
        tally.progress(total);
        let mut from = stopped.unwrap_or(next.from);
        if from > highest || from == i64::MAX {
            return Ok(indexed);
        }
        if nothing {
            // Behind a gap of any width the next row is asked for, not searched.
            from = now[0].next_row(from)?.unwrap_or(highest);
        }
        wave = Wave { from, ..next };
        match inspected {
            Ok(inspected) if from == next.from => inspected?,
            // What was inspected ahead is not what comes next; or it could not be, which is for this thread to find.
            _ => inspect(ahead, wave)?,
        }
        std::mem::swap(&mut now, &mut ahead);
    }
}

/// How many positions a worker takes at once: fewer where their bodies are kept for somebody who looks at them, so
/// that they fit.
const fn width(tally: &Tally<'_>) -> i64 {
    if tally.wants_entries() { STRETCH_KEPT } else { STRETCH }
}

/// The positions that a crew inspects at once: one stretch for each of its workers, up to the highest row.
#[derive(Debug, Clone, Copy)]
struct Wave {
    from: i64,
    highest: i64,
    width: i64,
}

impl Wave {
    /// The stretch of the worker at `place`; an empty one beyond the last row.
    fn stretch(self, place: usize) -> (i64, i64) {
        let before = self.width.saturating_mul(i64::try_from(place).unwrap_or(i64::MAX));
        let start = self.from.saturating_add(before);
        (start, start.saturating_add(self.width - 1).min(self.highest))
    }

    /// The wave after this one of so many workers.
    fn next(self, workers: usize) -> Self {
        Self { from: self.stretch(workers).0, ..self }
    }
}

fn inspect(crew: &mut [Worker], wave: Wave) -> Result<(), StoreError> {
    let inspected = crew.par_iter_mut().enumerate().map(|(place, worker)| {
        let (start, end) = wave.stretch(place);
        worker.inspect(start, end)
    });
    inspected.collect()
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
