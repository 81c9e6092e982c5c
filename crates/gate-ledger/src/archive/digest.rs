//! The digest of a segment's file.

use std::fmt;
use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::SegmentFile;
use crate::entry::{EntryHash, HashError};
use crate::infile;

/// The context string of BLAKE3's key-derivation mode for the bytes of a segment.
pub const SEGMENT_CONTEXT: &str = "gate v1 segment";

/// The digest of a segment's file, written as entry hashes are: `b3:` and 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SegmentDigest(EntryHash);

impl fmt::Display for SegmentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for SegmentDigest {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        text.parse().map(Self)
    }
}

/// The digest and the size of the file at `path`, or of as much of it as shows that it is longer than `limit`.
///
/// # Errors
/// What the system says.
pub fn digest_of(path: &Path, limit: u64) -> io::Result<SegmentFile> {
    let mut file = Digested::new(infile::open(path)?.take(limit.saturating_add(1)));
    io::copy(&mut file, &mut io::sink())?;
    Ok(SegmentFile { digest: file.digest(), bytes: file.bytes })
}

/// Bytes that are read, or written elsewhere, with their digest and their number.
pub(super) struct Digested<T> {
    pub(super) inner: T,
    hasher: blake3::Hasher,
    pub(super) bytes: u64,
    /// Whether reading or writing itself failed.
    pub(super) failed: bool,
}

impl<T> Digested<T> {
    pub(super) fn new(inner: T) -> Self {
        Self { inner, hasher: blake3::Hasher::new_derive_key(SEGMENT_CONTEXT), bytes: 0, failed: false }
    }

    pub(super) fn digest(&self) -> SegmentDigest {
        SegmentDigest(EntryHash(*self.hasher.finalize().as_bytes()))
    }

    fn add(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
    }
}

impl<T: Read> Read for Digested<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match self.inner.read(buffer) {
            Ok(read) => read,
            Err(error) => {
                self.failed = error.kind() != io::ErrorKind::Interrupted;
                return Err(error);
            }
        };
        self.add(&buffer[..read]);
        Ok(read)
    }
}

impl<T: io::Write> io::Write for Digested<T> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.add(&buffer[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
