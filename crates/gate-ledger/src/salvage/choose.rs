//! Which of the entries that were found come out, and what is lost.
//!
//! A row that the table leads to comes before a copy that lies about. Of several copies of which none is live,
//! the one comes out that its neighbours are linked to: nothing but the chain can tell them apart.

use std::ops::ControlFlow;

use super::archived;
use super::page::Pages;
use super::record;
use super::search::{Found, Index};
use super::{Loss, Salvage, SalvageError, Why};
use crate::entry::EntryHash;

/// An entry with its bytes.
struct Candidate {
    live: bool,
    prev: EntryHash,
    hash: EntryHash,
    body: Vec<u8>,
}

/// The place in [`Index::ledgers`] of the ledger that comes out; none where there is no entry at all.
pub(super) fn ledger(
    pages: &Pages,
    index: &Index,
    genesis: Option<EntryHash>,
) -> Result<Option<u8>, SalvageError> {
    let mut counts = vec![0_u64; index.ledgers.len()];
    for found in &index.found {
        counts[usize::from(found.ledger)] += 1;
    }
    let most = (0_u8..).zip(counts).max_by_key(|(_, count)| *count).map(|(ledger, _)| ledger);
    let (Some(expected), Some(most)) = (genesis, most) else { return Ok(most) };
    let mut other = None;
    for found in index.found.iter().filter(|found| found.seq == 0) {
        match candidate(pages, *found) {
            Some(first) if first.hash == expected => return Ok(Some(found.ledger)),
            Some(first) if found.ledger == most => other = Some(first.hash),
            _ => {}
        }
    }
    match other {
        Some(found) => Err(SalvageError::OtherGenesis { expected, found }),
        // The first entry is lost: which ledger it was cannot be told, and the rest is as good as ever.
        None => Ok(Some(most)),
    }
}

/// Gives the entries of `ledger` to `take` and tells what is lost.
pub(super) fn write(
    pages: &Pages,
    mut index: Index,
    ledger: u8,
    take: &mut dyn FnMut(&[u8], EntryHash) -> ControlFlow<()>,
) -> Salvage {
    let mut salvage = begin(&mut index, ledger);
    let mut bad = Bad { rows: &index.bad };
    let (mut next, mut previous, mut statement) = (0, None, None);
    let mut groups = index.found.chunk_by(|one, other| one.seq == other.seq).peekable();
    while let Some(group) = groups.next() {
        let Some(seq) = group.first().map(|found| found.seq) else { continue };
        bad.before(next, seq, &mut salvage.lost);
        let defect = bad.at(seq);
        let after = groups.peek().filter(|after| after[0].seq == seq + 1);
        let chosen = choose(pages, group, previous.filter(|_| seq == next), after.copied());
        next = seq + 1;
        salvage.last = seq;
        let Some(chosen) = chosen else {
            previous = None;
            add(&mut salvage.lost, seq, seq, Why::Ambiguous);
            continue;
        };
        if let Some(code) = defect.filter(|_| !chosen.live) {
            add(&mut salvage.mended, seq, seq, Why::Bad(code));
        }
        salvage.entries += 1;
        salvage.loose += u64::from(!chosen.live);
        previous = Some(chosen.hash);
        statement = archived::statement(&chosen.body).or(statement);
        if take(&chosen.body, chosen.hash).is_break() {
            return salvage;
        }
    }
    bad.behind(next, pages.room(), &mut salvage);
    if let Some(reach) = index.reach.filter(|reach| *reach >= next && *reach > salvage.last) {
        add(&mut salvage.lost, salvage.last.max(next.saturating_sub(1)) + 1, reach, Why::Missing);
        salvage.last = reach;
    }
    salvage.archived = statement.map_or(0, |statement| archived::excuse(&statement, &mut salvage.lost));
    salvage
}

/// Sorts what was found, leaves out what is of other ledgers, and says so.
fn begin(index: &mut Index, ledger: u8) -> Salvage {
    let all = index.found.len();
    index.found.retain(|found| found.ledger == ledger);
    index.found.sort_unstable_by_key(|found| (found.seq, !found.live, found.layer, found.page, found.at));
    index.bad.sort_unstable();
    Salvage {
        ledger: index.ledgers.get(usize::from(ledger)).map(ToString::to_string).unwrap_or_default(),
        foreign: (all - index.found.len()) as u64,
        ..Salvage::default()
    }
}

/// The bad rows that were not told of yet, by number.
struct Bad<'b> {
    rows: &'b [(u64, &'static str)],
}

impl Bad<'_> {
    /// Tells of the positions from `first` up to, not including, `end`, none of which has an intact entry.
    fn before(&mut self, first: u64, end: u64, lost: &mut Vec<Loss>) {
        let mut next = first;
        while let Some((row, code)) = self.rows.first().copied().filter(|(row, _)| *row < end) {
            self.rows = &self.rows[1..];
            if row < next {
                continue;
            }
            if row > next {
                add(lost, next, row - 1, Why::Missing);
            }
            add(lost, row, row, Why::Bad(code));
            next = row + 1;
        }
        if next < end {
            add(lost, next, end - 1, Why::Missing);
        }
    }

    /// Tells of the bad rows from position `next` on, behind every intact entry. A row with a number for which
    /// the file has no `room` is told of alone: the number is damaged, and nothing is missing in front of it.
    fn behind(&mut self, next: u64, room: u64, salvage: &mut Salvage) {
        let (near, far) = self.rows.split_at(self.rows.partition_point(|(row, _)| *row < room));
        if let Some((last, _)) = near.last().filter(|(row, _)| *row >= next) {
            self.before(next, last + 1, &mut salvage.lost);
            salvage.last = *last;
        }
        for (row, code) in far {
            add(&mut salvage.lost, *row, *row, Why::Bad(code));
        }
    }

    /// The defect of the row `seq`, if that is bad.
    fn at(&mut self, seq: u64) -> Option<&'static str> {
        let (row, code) = *self.rows.first()?;
        if row != seq {
            return None;
        }
        self.rows = &self.rows[1..];
        Some(code)
    }
}

/// Adds positions, to those before them where they share their fate.
fn add(losses: &mut Vec<Loss>, first: u64, last: u64, why: Why) {
    match losses.last_mut() {
        Some(before) if before.why == why && before.last.checked_add(1) == Some(first) => before.last = last,
        _ => losses.push(Loss { first, last, why }),
    }
}

/// The entry of a position among those that claim it.
fn choose(
    pages: &Pages,
    group: &[Found],
    previous: Option<EntryHash>,
    after: Option<&[Found]>,
) -> Option<Candidate> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for found in group {
        if let Some(candidate) = candidate(pages, *found)
            && candidates.iter().all(|known| known.hash != candidate.hash)
        {
            candidates.push(candidate);
        }
        // Live ones come first, and of a healthy file there is nothing else to read.
        if candidates.first().is_some_and(|first| first.live) {
            return candidates.pop();
        }
    }
    if candidates.len() > 1 {
        keep_linked(pages, &mut candidates, previous, after);
    }
    candidates.pop().filter(|_| candidates.is_empty())
}

/// Keeps the candidates that the neighbours are linked to.
fn keep_linked(
    pages: &Pages,
    candidates: &mut Vec<Candidate>,
    previous: Option<EntryHash>,
    after: Option<&[Found]>,
) {
    let behind = after.into_iter().flatten().filter_map(|found| candidate(pages, *found));
    let named: Vec<EntryHash> = behind.map(|next| next.prev).collect();
    // The entry behind names one of them; the one in front is named by all that were forged after it.
    if candidates.iter().any(|one| named.contains(&one.hash)) {
        candidates.retain(|one| named.contains(&one.hash));
    } else {
        candidates.retain(|one| previous == Some(one.prev));
    }
}

fn candidate(pages: &Pages, found: Found) -> Option<Candidate> {
    let (mut page, mut scratch) = (Vec::new(), Vec::new());
    pages.read(found.page, found.layer, &mut page);
    let intact = record::entry(pages, found.layer, &page, usize::from(found.at), &mut scratch).ok()?;
    let (prev, hash) = (intact.facts.prev, intact.facts.hash);
    let body = intact.body.to_vec();
    Some(Candidate { live: found.live, prev, hash, body })
}
