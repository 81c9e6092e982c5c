//! Walking over entries in batches, forward or backward.
//!
//! A batch is read in one short read transaction and checked; then the transaction is over and the entries
//! are handed out. Rows are asked for by position, so a batch that brings fewer has a gap.

use std::ops::ControlFlow;

use gate_ledger::chain::{self, Bad, Facts, LedgerId};
use gate_ledger::entry::EntryHash;
use gate_ledger::store::{Ledger, StoreError};

use super::record::Record;

/// How many positions one batch spans at most.
const WIDTH: u64 = 2048;
/// How many bytes of bodies a batch holds before it is cut short.
const MAX_BYTES: usize = 4 << 20;

/// Hands every entry from `first` to `last` to `each`, oldest first, until it breaks off.
///
/// # Errors
/// A [`StoreError`]; [`StoreError::Bad`] names the first entry that is missing or not what was appended.
pub(super) fn forward(
    ledger: &Ledger,
    first: u64,
    last: u64,
    each: &mut dyn FnMut(&Record<'_>) -> Result<ControlFlow<()>, StoreError>,
) -> Result<(), StoreError> {
    let mut batch = Batch::new(ledger);
    let mut from = first;
    while from <= last {
        let to = last.min(from.saturating_add(WIDTH - 1));
        let end = batch.read(ledger, from, to)?;
        for record in batch.records() {
            if each(&record)?.is_break() {
                return Ok(());
            }
        }
        from = end;
    }
    Ok(())
}

/// The same, newest first.
pub(super) fn backward(
    ledger: &Ledger,
    first: u64,
    last: u64,
    each: &mut dyn FnMut(&Record<'_>) -> Result<ControlFlow<()>, StoreError>,
) -> Result<(), StoreError> {
    let mut batch = Batch::new(ledger);
    // Most backward walks want a handful of entries, so they begin with small steps.
    let mut width = 64;
    let mut next = last.checked_add(1).filter(|_| last >= first);
    while let Some(end) = next {
        let from = end.saturating_sub(width).max(first);
        if batch.read(ledger, from, end - 1)? < end {
            // Too many bytes for one batch: the newest would be missing, so a shorter stretch is read.
            width = (width / 2).max(1);
            continue;
        }
        for record in batch.records().rev() {
            if each(&record)?.is_break() {
                return Ok(());
            }
        }
        width = (width * 2).min(WIDTH);
        next = (from > first).then_some(from);
    }
    Ok(())
}

/// Checked entries, side by side.
struct Batch {
    ledger: Option<LedgerId>,
    bytes: Vec<u8>,
    entries: Vec<(Facts, std::ops::Range<usize>)>,
}

impl Batch {
    fn new(ledger: &Ledger) -> Self {
        Self { ledger: LedgerId::read(ledger.id().as_bytes()), bytes: Vec::new(), entries: Vec::new() }
    }

    /// Reads the entries from `from` to `to`, as many as fit. Returns the position after the last one read.
    fn read(&mut self, ledger: &Ledger, from: u64, to: u64) -> Result<u64, StoreError> {
        self.bytes.clear();
        self.entries.clear();
        let mut next = from;
        let mut failure = None;
        ledger.view().scan_lines(from, Some(to), &mut |body, hash| {
            if self.bytes.len() > MAX_BYTES {
                return ControlFlow::Break(());
            }
            match self.take(next, body, hash) {
                Ok(()) => {
                    next += 1;
                    ControlFlow::Continue(())
                }
                Err(bad) => {
                    failure = Some(bad);
                    ControlFlow::Break(())
                }
            }
        })?;
        if failure.is_none() && next <= to && self.bytes.len() <= MAX_BYTES {
            failure = Some(Bad::Gap { expected: next, found: to + 1 });
        }
        let seq = i64::try_from(next).unwrap_or(i64::MAX);
        failure.map_or(Ok(next), |source| Err(StoreError::Bad { seq, source }))
    }

    /// Takes the body that stands at position `expected`, if it is that entry.
    fn take(&mut self, expected: u64, body: &[u8], hash: EntryHash) -> Result<(), Bad> {
        let facts = chain::inspect(body)?;
        if facts.hash != hash {
            return Err(Bad::Hash { computed: facts.hash, recorded: hash });
        }
        if facts.seq != expected {
            let found = facts.seq;
            return Err(if found > expected {
                Bad::Gap { expected, found }
            } else {
                Bad::Order { expected, found }
            });
        }
        if self.ledger != Some(facts.ledger) {
            let expected = self.ledger.map_or_else(String::new, |ledger| ledger.to_string());
            return Err(Bad::Ledger { expected, found: facts.ledger.to_string() });
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(body);
        self.entries.push((facts, start..self.bytes.len()));
        Ok(())
    }

    fn records(&self) -> impl DoubleEndedIterator<Item = Record<'_>> {
        self.entries.iter().map(|(facts, range)| Record {
            facts: *facts,
            body: self.bytes.get(range.clone()).unwrap_or_default(),
        })
    }
}
