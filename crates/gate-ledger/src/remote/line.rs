//! Lines of a stream, one at a time, none longer than allowed.

use std::io::{self, BufRead};

use super::{MAX_LINE, RemoteError};

/// What a line is, told by how it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineKind {
    /// A line of an export.
    Entry,
    /// An opening.
    Opening,
    /// Everything else: a message, or nothing that anybody understands.
    Message,
}

impl LineKind {
    pub(super) fn of(line: &[u8]) -> Self {
        if line.starts_with(b"{\"actor\":") {
            Self::Entry
        } else if line.starts_with(b"{\"commitment\":") {
            Self::Opening
        } else {
            Self::Message
        }
    }
}

/// Reads the next line into `line`, without its newline. False at the end of the stream.
///
/// # Errors
/// What reading says; [`RemoteError::Protocol`] for a line that is longer than [`MAX_LINE`] or has no end.
pub(super) fn next(input: &mut dyn BufRead, line: &mut Vec<u8>) -> Result<bool, RemoteError> {
    line.clear();
    loop {
        let read = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if read.is_empty() {
            return if line.is_empty() {
                Ok(false)
            } else {
                Err(RemoteError::protocol("a line was cut off"))
            };
        }
        let (taken, ended) = match memchr::memchr(b'\n', read) {
            Some(at) => (at, true),
            None => (read.len(), false),
        };
        if line.len() + taken > MAX_LINE {
            return Err(RemoteError::protocol(format!("a line is longer than {MAX_LINE} bytes")));
        }
        line.extend_from_slice(&read[..taken]);
        input.consume(taken + usize::from(ended));
        if ended {
            return Ok(true);
        }
    }
}
