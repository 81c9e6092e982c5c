//! The events of a stream, line by line, with a word when the stream pauses.

use std::io::{ErrorKind, Read};
use std::ops::Range;

use gate_ledger::profile;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::Value;

use super::{AppendFailure, EventError};

/// After so many milliseconds without input what has come is recorded.
const PAUSE_MILLIS: i64 = 100;
/// How much is read at once. At least as much as the standard library buffers of standard input, so that it
/// keeps nothing back that [`stdin_is_ready`] could not see.
const CHUNK: usize = 64 * 1024;

/// What comes next.
pub(super) enum Next {
    /// An event, and how long its line was in bytes.
    Event(Value, usize),
    /// Nothing for a while.
    Pause,
    /// The end of the stream.
    End,
}

/// Why nothing comes.
#[derive(Debug)]
pub(super) enum Unread {
    Read(std::io::Error),
    Event(EventError),
}

impl Unread {
    /// The failure at `line`, once `recorded` events are in the ledger.
    pub(super) fn at(self, line: u64, recorded: u64) -> AppendFailure {
        match self {
            Self::Read(source) => AppendFailure::Read { line, recorded, source },
            Self::Event(source) => AppendFailure::Event { line, recorded, source },
        }
    }
}

/// A stream of JSON objects, one a line. Lines of white space are passed over.
pub(super) struct Events<'a> {
    input: &'a mut dyn Read,
    ready: &'a dyn Fn() -> bool,
    /// What was read; what lies before `start` was handed out.
    buffer: Vec<u8>,
    start: usize,
    /// How far `buffer` was searched for the end of a line.
    searched: usize,
    ended: bool,
    line: u64,
}

impl<'a> Events<'a> {
    pub(super) fn new(input: &'a mut dyn Read, ready: &'a dyn Fn() -> bool) -> Self {
        Self { input, ready, buffer: Vec::new(), start: 0, searched: 0, ended: false, line: 0 }
    }

    /// The line that [`Events::next`] last looked at, from 1.
    pub(super) const fn line(&self) -> u64 {
        self.line
    }

    /// The next event. `may_pause`: say so where none comes for a while, rather than wait.
    pub(super) fn next(&mut self, may_pause: bool) -> Result<Next, Unread> {
        loop {
            if let Some(line) = self.take_line() {
                self.line += 1;
                let line = self.buffer.get(line).unwrap_or_default();
                if !line.iter().all(u8::is_ascii_whitespace) {
                    return read(line).map(|event| Next::Event(event, line.len())).map_err(Unread::Event);
                }
            } else if self.ended {
                return Ok(Next::End);
            } else if self.buffer.len() - self.start > profile::MAX_BYTES {
                self.line += 1;
                return Err(Unread::Event(EventError::TooLong));
            } else if may_pause && !(self.ready)() {
                return Ok(Next::Pause);
            } else if let Err(error) = self.fill() {
                self.line += 1;
                return Err(Unread::Read(error));
            }
        }
    }

    /// Where the next whole line is; at the end of the stream, what is left without a newline.
    fn take_line(&mut self) -> Option<Range<usize>> {
        let newline = self.buffer.iter().skip(self.searched).position(|byte| *byte == b'\n');
        let end = match newline {
            Some(at) => self.searched + at + 1,
            None => self.buffer.len(),
        };
        self.searched = end;
        if newline.is_none() && !(self.ended && self.start < end) {
            return None;
        }
        let line = self.start..end;
        self.start = end;
        Some(line)
    }

    fn fill(&mut self) -> std::io::Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let before = self.buffer.len();
        self.searched = before;
        self.buffer.resize(before + CHUNK, 0);
        let read = loop {
            match self.input.read(&mut self.buffer[before..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        self.buffer.truncate(before + read.as_ref().copied().unwrap_or_default());
        self.ended = matches!(read, Ok(0));
        read.map(drop)
    }
}

fn read(line: &[u8]) -> Result<Value, EventError> {
    match profile::parse(line)? {
        event @ Value::Object(_) => Ok(event),
        _ => Err(EventError::NotAnObject),
    }
}

/// Whether standard input has something, or its end, within the pause.
pub(super) fn stdin_is_ready() -> bool {
    let stdin = std::io::stdin();
    let mut watched = [PollFd::new(&stdin, PollFlags::IN)];
    let pause = Timespec { tv_sec: 0, tv_nsec: PAUSE_MILLIS * 1_000_000 };
    // What cannot be watched is read, which then waits as long as it takes.
    poll(&mut watched, Some(&pause)).map_or(true, |ready| ready > 0)
}
