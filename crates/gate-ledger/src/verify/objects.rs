//! A stream of JSON objects, one at a time, in bounded memory.
//!
//! The stream is text with objects in it and nothing but white space between them. Mostly an object is a line;
//! after `jq .` it is many. Which of the two is for the caller to try: [`Objects::line`] is quick,
//! [`Objects::object`] finds the matching brace wherever it is.

use std::io::{self, BufRead};
use std::ops::Range;

/// The longest object that is read, in bytes, whatever its white space.
pub(super) const MAX_RAW: usize = 8 << 20;
/// The byte order mark that some editors put in front of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Where an object ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With its brace; the length in bytes.
    At(usize),
    /// A string is still open at the end of a line, which JSON does not allow; the length up to there.
    BrokenString(usize),
    /// Not within [`MAX_RAW`].
    TooLarge,
    /// Not within the stream.
    Missing,
}

pub(super) struct Objects<'r> {
    input: &'r mut dyn BufRead,
    buffer: Vec<u8>,
    start: usize,
    line: u64,
    ended: bool,
}

impl<'r> Objects<'r> {
    pub(super) fn new(input: &'r mut dyn BufRead) -> Self {
        Self { input, buffer: Vec::new(), start: 0, line: 1, ended: false }
    }

    /// The line of the current place, from 1.
    pub(super) const fn line_number(&self) -> u64 {
        self.line
    }

    /// Steps over a byte order mark, if the stream starts with one.
    pub(super) fn skip_mark(&mut self) -> io::Result<bool> {
        while self.rest().len() < MARK.len() && self.fill()? {}
        let marked = self.rest().starts_with(MARK);
        if marked {
            self.start += MARK.len();
        }
        Ok(marked)
    }

    /// Steps over white space and returns the byte that follows, if one does.
    pub(super) fn next_byte(&mut self) -> io::Result<Option<u8>> {
        loop {
            while let Some(byte) = self.buffer.get(self.start) {
                match byte {
                    b'\n' => self.line += 1,
                    b' ' | b'\t' | b'\r' => {}
                    other => return Ok(Some(*other)),
                }
                self.start += 1;
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// The rest of the current line without white space at its end, at most [`MAX_RAW`] bytes of it, and
    /// whether a newline ends it.
    pub(super) fn line(&mut self) -> io::Result<(Range<usize>, bool)> {
        let mut searched = 0;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.rest()[searched..]) {
                return Ok((self.trimmed(searched + at), true));
            }
            searched = self.rest().len();
            if searched > MAX_RAW || !self.fill()? {
                return Ok((self.trimmed(searched), false));
            }
        }
    }

    fn trimmed(&self, length: usize) -> Range<usize> {
        self.start..self.start + self.rest()[..length].trim_ascii_end().len()
    }

    /// Where the object that begins at the current place ends.
    pub(super) fn object(&mut self) -> io::Result<End> {
        let mut matcher = Matcher::default();
        let mut looked = 0;
        loop {
            if let Some(end) = matcher.run(&self.rest()[looked..], looked) {
                return Ok(end);
            }
            looked = self.rest().len();
            if looked > MAX_RAW {
                return Ok(End::TooLarge);
            }
            if !self.fill()? {
                return Ok(End::Missing);
            }
        }
    }

    /// The bytes of `range`, as [`Objects::line`] gave it. They may be written over.
    pub(super) fn bytes(&mut self, range: Range<usize>) -> &mut [u8] {
        self.buffer.get_mut(range).unwrap_or_default()
    }

    /// The next `length` bytes from the current place.
    pub(super) fn ahead(&self, length: usize) -> &[u8] {
        let rest = self.rest();
        &rest[..length.min(rest.len())]
    }

    /// Steps over `length` bytes.
    pub(super) fn consume(&mut self, length: usize) {
        let taken = length.min(self.rest().len());
        self.line += memchr::memchr_iter(b'\n', &self.rest()[..taken]).count() as u64;
        self.start += taken;
    }

    /// Steps over what is left of the current line, however long.
    pub(super) fn skip_line(&mut self) -> io::Result<()> {
        loop {
            if let Some(at) = memchr::memchr(b'\n', self.rest()) {
                self.consume(at + 1);
                return Ok(());
            }
            self.start = self.buffer.len();
            if !self.fill()? {
                return Ok(());
            }
        }
    }

    fn rest(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Reads more; false at the end of the stream. What was stepped over is forgotten.
    fn fill(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        loop {
            match self.input.fill_buf() {
                Ok([]) => {
                    self.ended = true;
                    return Ok(false);
                }
                Ok(bytes) => {
                    let length = bytes.len();
                    self.buffer.extend_from_slice(bytes);
                    self.input.consume(length);
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Finds the bracket that closes the first one. It checks no grammar: what it finds is parsed afterwards.
#[derive(Default)]
struct Matcher {
    open: usize,
    in_string: bool,
    escaped: bool,
}

impl Matcher {
    fn run(&mut self, bytes: &[u8], offset: usize) -> Option<End> {
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'\n' if self.in_string => return Some(End::BrokenString(offset + at)),
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => self.open += 1,
                b'}' | b']' => {
                    self.open = self.open.saturating_sub(1);
                    if self.open == 0 {
                        return Some(End::At(offset + at + 1));
                    }
                }
                _ => {}
            }
        }
        None
    }
}
