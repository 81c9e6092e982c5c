//! Segments in front of what is left of their ledger: verified as one chain.
//!
//! A segment has to be exact: one line for each entry, canonical, each with its newline. Kept entries stand in
//! the segments and in the rest, and must be the same there. At the end of each segment the tree, the last
//! entry and the file's digest are remembered; the newest statement must say the same.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::batch::Batch;
use super::tally::Tally;
use super::{Observer, Options, Outcome, VerifyError};
use crate::archive::{
    EntryRef, LineError, Lines, MAX_KEPT, NamedSegment, SegmentFile, Statement, digest_of, is_always_kept,
};
use crate::chain::{Bad, Facts, inspect_unhashed};
use crate::entry::{EntryHash, cut_line};
use crate::infile;
use crate::tree::{CompactRange, leaf_hash};

/// What the segments hold.
#[derive(Default)]
pub(super) struct Segments {
    ends: Vec<End>,
    /// Entries that may stand in the rest again.
    twice: Vec<EntryRef>,
    tree: CompactRange,
}

/// Where a segment ends.
struct End {
    file: SegmentFile,
    from: u64,
    to: u64,
    head: EntryHash,
    tree: CompactRange,
}

impl End {
    /// Whether the file at `path` is this segment, byte for byte.
    fn is_file(&self, path: &Path) -> bool {
        digest_of(path, self.file.bytes).is_ok_and(|file| file == self.file)
    }
}

/// Verifies segments alone, from the first entry on.
///
/// # Errors
/// A [`VerifyError`] where one cannot be read.
pub fn segments(options: &Options, observer: &mut dyn Observer) -> Result<Outcome, VerifyError> {
    let mut tally = Tally::new(options, observer);
    read(&options.segments, &mut tally)?;
    Ok(tally.finish())
}

/// Verifies the one segment at `path`, which begins at `options.start` or with genesis, and says what its file
/// is. [`Options::segments`] does not count here.
///
/// # Errors
/// A [`VerifyError`] where it cannot be read.
pub fn segment(
    path: &Path,
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<(Outcome, Option<SegmentFile>), VerifyError> {
    let mut tally = Tally::new(options, observer);
    let finished = read_one(path, &mut tally, &mut Segments::default())?;
    Ok((tally.finish(), finished))
}

/// Takes the entries of the segments at `paths`, in whatever order these are named.
pub(super) fn read(paths: &[PathBuf], tally: &mut Tally<'_>) -> Result<(), VerifyError> {
    if paths.is_empty() {
        return Ok(());
    }
    tally.begin_segments();
    let mut ordered = Vec::new();
    for path in paths {
        ordered.push((first_seq(path)?, path));
    }
    ordered.sort();
    let mut found = Segments::default();
    for (first, path) in ordered {
        if !tally.is_good() {
            break;
        }
        // Whoever names a file twice, or a copy of it, has said nothing about the ledger.
        if found.ends.iter().any(|end| end.from == first && end.is_file(path)) {
            continue;
        }
        let from = tally.next();
        let finished = read_one(path, tally, &mut found)?;
        if let (Some(file), Some((_, head))) = (finished, tally.newest()) {
            found.ends.push(End { file, from, to: tally.next(), head, tree: found.tree.clone() });
        }
    }
    tally.read_segments(found);
    Ok(())
}

fn fails(path: &Path) -> impl Fn(io::Error) -> VerifyError {
    move |source| VerifyError::Segment { path: path.to_owned(), source }
}

fn open(path: &Path) -> Result<Lines<File>, VerifyError> {
    infile::open(path).and_then(Lines::new).map_err(fails(path))
}

/// The seq of the first entry, for sorting; what cannot be read comes first and is named soon.
fn first_seq(path: &Path) -> Result<u64, VerifyError> {
    let mut lines = open(path)?;
    Ok(match lines.next() {
        Ok(Some(line)) => strict(line).1.map_or(0, |facts| facts.seq),
        _ => 0,
    })
}

/// Takes the entries of one segment. Nothing comes back where it is damaged or an entry is bad.
fn read_one(
    path: &Path,
    tally: &mut Tally<'_>,
    found: &mut Segments,
) -> Result<Option<SegmentFile>, VerifyError> {
    let mut lines = open(path)?;
    let (count, end) = take_lines(&mut lines, tally, found)?;
    let end = match end {
        Ok(()) if !tally.is_good() => return Ok(None),
        Ok(()) => lines.finish(),
        Err(error) => Err(error),
    };
    match end {
        Err(LineError::Io(source)) => return Err(fails(path)(source)),
        Err(LineError::Bad(bad)) => tally.bad(&bad),
        Ok(_) if count == 0 => tally.bad(&Bad::Segment("it holds no entry".to_owned())),
        Ok(file) => return Ok(Some(file)),
    }
    Ok(None)
}

/// Takes lines up to the last or to the first bad one: nothing behind that counts, and how much of it a file unpacks
/// to is up to whoever wrote it. Says how many there were, and why there are no more.
fn take_lines(
    lines: &mut Lines<File>,
    tally: &mut Tally<'_>,
    found: &mut Segments,
) -> Result<(u64, Result<(), LineError>), VerifyError> {
    let (mut batch, mut count) = (Batch::default(), 0);
    let end = loop {
        let is_bad = match lines.next() {
            Ok(Some(line)) => {
                let (body, facts, recorded) = strict(line);
                let is_bad = facts.is_err();
                batch.push(body, facts, recorded);
                is_bad
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        };
        count += 1;
        if is_bad || batch.is_ready() {
            settle(&mut batch, tally, found)?;
        }
        if !tally.is_good() {
            break Ok(());
        }
    };
    settle(&mut batch, tally, found)?;
    Ok((count, end))
}

/// What a line says, which must be exactly as it was exported.
fn strict(line: &mut [u8]) -> (&[u8], Result<Facts, Bad>, EntryHash) {
    match cut_line(line) {
        Some((end, recorded)) => {
            line[end] = b'}';
            let body = &line[..=end];
            (body, inspect_unhashed(body), recorded)
        }
        None => (&[], Err(Bad::HashMissing), EntryHash::ZERO),
    }
}

fn settle(batch: &mut Batch, tally: &mut Tally<'_>, found: &mut Segments) -> Result<(), VerifyError> {
    batch.hash();
    for (facts, body) in batch.found() {
        tally.take(facts, body)?;
        if let Ok(facts) = facts
            && tally.is_good()
        {
            found.add(facts, body);
        }
    }
    batch.clear();
    tally.progress(None);
    Ok(())
}

impl End {
    /// Whether it is the end of the segment that a statement names.
    fn must_be(&self, named: &NamedSegment) -> Result<(), String> {
        let name = gate_model::text::visible(&named.name);
        if (named.from, named.to) != (self.from, self.to) {
            return Err(format!(
                "its segment '{name}' holds entries {} to {}, the given one {} to {}",
                named.from,
                named.to - 1,
                self.from,
                self.to - 1
            ));
        }
        if (named.digest, named.bytes) != (self.file.digest, self.file.bytes) {
            let (found, expected) = (self.file.digest, named.digest);
            return Err(format!("the file of segment '{name}' has the digest {found}, not {expected}"));
        }
        Ok(())
    }
}

impl Segments {
    fn add(&mut self, facts: &Facts, body: &[u8]) {
        self.tree.push(leaf_hash(body));
        if is_always_kept(facts.kind) && self.twice.len() < MAX_KEPT {
            self.twice.push(EntryRef { seq: facts.seq, hash: facts.hash });
        }
    }

    /// Whether the rest may hold `facts` although a segment does.
    pub(super) fn repeats(&self, facts: &Facts) -> bool {
        let found = self.twice.binary_search_by_key(&facts.seq, |kept| kept.seq);
        found.is_ok_and(|index| self.twice[index].hash == facts.hash)
    }

    /// Where the last segment ends.
    pub(super) fn end(&self) -> u64 {
        self.ends.last().map_or(0, |end| end.to)
    }

    /// Compares `statement` with what the segments hold, as far as they go.
    pub(super) fn judge(&self, statement: &Statement) -> Result<(), String> {
        for (named, end) in statement.segments.iter().zip(&self.ends) {
            end.must_be(named)?;
        }
        let Some(end) = self.ends.iter().find(|end| end.to == statement.before) else { return Ok(()) };
        if statement.head.hash != end.head {
            return Err("the last entry of its segments has another hash than its 'head'".to_owned());
        }
        match statement.tree() {
            Ok(tree) if tree == end.tree => Ok(()),
            _ => Err("the tree over its segments is another one than its 'range'".to_owned()),
        }
    }
}
