//! An export, or any stream of JSON objects that a filter has made of one.
//!
//! Lines as `gate-log export` writes them take the quick way: the hash is cut off, the rest must be canonical,
//! and that is all. Whatever does not fit is read as JSON, written anew in its canonical form, and judged by
//! the same rules, with the warning `reformatted`.

use std::io::BufRead;

use serde_json::Value;

use super::batch::Batch;
use super::objects::{End, MAX_RAW, Objects};
use super::segments;
use super::tally::Tally;
use super::{Observer, Options, Outcome, VerifyError};
use crate::chain::{Bad, Facts, inspect, inspect_unhashed};
use crate::entry::{EntryHash, cut_line};
use crate::profile::{self, ProfileErrorKind};

/// Verifies a stream of entries, each a JSON object with its `hash`.
///
/// # Errors
/// A [`VerifyError`] where the stream cannot be read or is no export at all.
pub fn json_lines(
    input: &mut dyn BufRead,
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<Outcome, VerifyError> {
    let (objects, mut tally, batch) = (Objects::new(input), Tally::new(options, observer), Batch::default());
    segments::read(&options.segments, &mut tally)?;
    tally.begin_rest();
    let mut stream = Stream { objects, tally, batch, seen: 0 };
    if stream.objects.skip_mark()? {
        stream.tally.warn("byte-order-mark", "the stream starts with a byte order mark, which was skipped");
    }
    while let Some(byte) = stream.objects.next_byte()? {
        stream.step(byte)?;
    }
    if stream.seen == 0 {
        return Err(VerifyError::Empty);
    }
    stream.settle()?;
    Ok(stream.tally.finish())
}

struct Stream<'r, 'o> {
    objects: Objects<'r>,
    tally: Tally<'o>,
    /// Lines that wait for their hashes; nothing else is taken before them.
    batch: Batch,
    /// How many objects, or pieces of something else, there were.
    seen: u64,
}

impl Stream<'_, '_> {
    /// Takes what begins with `byte`: one object, or a line of something else.
    fn step(&mut self, byte: u8) -> Result<(), VerifyError> {
        self.seen += 1;
        if byte != b'{' {
            self.settle()?;
            return self.garbage();
        }
        let (line, terminated) = self.objects.line()?;
        let length = line.len();
        let bytes = self.objects.bytes(line);
        if self.tally.is_proven(bytes) {
            self.objects.consume(length);
            return Ok(());
        }
        let Some((body, found, recorded)) = exported(bytes) else {
            self.settle()?;
            return self.reformatted(length, terminated);
        };
        self.batch.push(body, found, recorded);
        self.objects.consume(length);
        if !terminated {
            self.tally.warn("unterminated", "the last line has no newline; the entry on it is complete");
        }
        if self.batch.is_ready() { self.settle() } else { Ok(()) }
    }

    /// Takes the lines that wait.
    fn settle(&mut self) -> Result<(), VerifyError> {
        self.batch.hash();
        for (found, body) in self.batch.found() {
            self.tally.take(found, body)?;
        }
        self.batch.clear();
        self.tally.progress(None);
        Ok(())
    }

    /// Takes an object that is not written as an export writes it, or no valid object.
    fn reformatted(&mut self, line: usize, terminated: bool) -> Result<(), VerifyError> {
        // Behind a bad entry only whole lines are counted: looking for the end of a broken object again and
        // again would take time without end.
        if !self.tally.is_good() {
            return Ok(self.objects.skip_line()?);
        }
        let end = self.objects.object()?;
        let number = self.objects.line_number();
        let End::At(length) = end else {
            let bad = self.broken(end, number, line, terminated);
            return self.give_up(&bad, line);
        };
        match read(self.objects.ahead(length), number) {
            Ok((body, found)) => {
                self.tally.reformatted();
                self.tally.take(&found, &body)?;
                self.objects.consume(length);
                Ok(())
            }
            Err(bad) => self.give_up(&bad, line),
        }
    }

    /// Why an object has no end.
    fn broken(&self, end: End, number: u64, line: usize, terminated: bool) -> Bad {
        let stream = |defect: &str| Bad::Stream { line: number, defect: defect.to_owned() };
        match end {
            End::TooLarge => stream("the object is longer than 8 MiB, which no entry is"),
            // The parser names what went wrong on the line better than the search for a brace can.
            End::Missing | End::BrokenString(_) | End::At(_) if terminated => {
                match profile::parse_within(self.objects.ahead(line), MAX_RAW) {
                    Err(source) => Bad::Line { line: number, source },
                    Ok(_) => stream("the line cannot be read"),
                }
            }
            _ => Bad::Truncated { line: number },
        }
    }

    /// Records a defect and goes on with the next line.
    fn give_up(&mut self, bad: &Bad, line: usize) -> Result<(), VerifyError> {
        let number = self.objects.line_number();
        if self.tally.next() == 0
            && self.tally.is_good()
            && !is_like_an_entry(self.objects.ahead(line.max(MAX_LOOK)))
        {
            let reason = format!("the first object is no entry ({bad})");
            return Err(VerifyError::NotALedger { line: number, reason });
        }
        self.tally.bad(bad);
        Ok(self.objects.skip_line()?)
    }

    /// Something that is no object.
    fn garbage(&mut self) -> Result<(), VerifyError> {
        let line = self.objects.line_number();
        if self.seen == 1 {
            let reason = "it does not start with a JSON object".to_owned();
            return Err(VerifyError::NotALedger { line, reason });
        }
        let defect = "this is no JSON object; an export holds nothing else".to_owned();
        self.tally.bad(&Bad::Stream { line, defect });
        Ok(self.objects.skip_line()?)
    }
}

/// How far into a first object to look for signs that it was an entry.
const MAX_LOOK: usize = 4096;

/// Whether `bytes` seem to have been an entry before something happened to them.
fn is_like_an_entry(bytes: &[u8]) -> bool {
    let signs: [&[u8]; 4] = [b"\"ledger\"", b"\"prev\"", b"\"kind\"", b"\"hash\""];
    signs.iter().filter(|sign| memchr::memmem::find(bytes, sign).is_some()).count() >= 2
}

/// The body, what it says but for its hash, and the hash that stands beside it, if `line` is exactly a line of
/// an export. The comma before the hash is written over by the brace that closes the body, so that nothing
/// needs to be copied.
fn exported(line: &mut [u8]) -> Option<(&[u8], Result<Facts, Bad>, EntryHash)> {
    let (cut, recorded) = cut_line(line)?;
    line[cut] = b'}';
    match inspect_unhashed(&line[..=cut]) {
        // Perhaps it can be mended by writing it anew; then the line must be what it was.
        Err(Bad::Profile(_)) => {
            line[cut] = b',';
            None
        }
        found => Some((&line[..=cut], found, recorded)),
    }
}

/// Reads `raw` as JSON and writes its canonical form; returns that and what it says. The error is for
/// something that is no object of the profile at all.
fn read(raw: &[u8], line: u64) -> Result<(Vec<u8>, Result<Facts, Bad>), Bad> {
    let on_line = |source| Bad::Line { line, source };
    let Value::Object(mut members) = profile::parse_within(raw, MAX_RAW).map_err(on_line)? else {
        return Err(Bad::NotAnObject);
    };
    let recorded = match members.remove("hash") {
        None => return Err(Bad::HashMissing),
        Some(Value::String(text)) => EntryHash::read(text.as_bytes()).ok_or(Bad::HashForm)?,
        Some(_) => return Err(Bad::HashForm),
    };
    let body = profile::canonical(&Value::Object(members)).map_err(|error| match error.kind {
        ProfileErrorKind::TooLarge(_) => Bad::TooLarge,
        _ => on_line(error),
    })?;
    let found = inspect(body.as_bytes()).and_then(|facts| {
        let computed = facts.hash;
        if computed == recorded { Ok(facts) } else { Err(Bad::Hash { computed, recorded }) }
    });
    Ok((body.into_bytes(), found))
}
