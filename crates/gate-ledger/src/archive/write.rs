//! Writing a segment.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use zstd::stream::write::Encoder;

use super::digest::Digested;
use super::segment::SegmentFile;
use crate::entry::{EntryHash, write_line};

/// The compression level, that of zstd(1): a higher one saves little, for half of a line are hashes.
const LEVEL: i32 = 3;

/// A segment could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write segment '{}': {source}", path.display())]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// What the system says.
    pub source: io::Error,
}

/// A segment that is being written. It counts for nothing before it was read back and verified.
pub struct Writer {
    path: PathBuf,
    encoder: Encoder<'static, Digested<BufWriter<File>>>,
    line: Vec<u8>,
}

impl Writer {
    /// Begins a new file at `path`, where nothing may be yet.
    ///
    /// # Errors
    /// A [`WriteError`].
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        let fails = |source| WriteError { path: path.to_owned(), source };
        let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(fails)?;
        let encoder = Encoder::new(Digested::new(BufWriter::new(file)), LEVEL).and_then(|mut encoder| {
            // zstd(1) then finds damage by itself.
            encoder.include_checksum(true)?;
            Ok(encoder)
        });
        Ok(Self { path: path.to_owned(), encoder: encoder.map_err(fails)?, line: Vec::new() })
    }

    /// Adds the exported line of an entry.
    ///
    /// # Errors
    /// A [`WriteError`].
    pub fn add(&mut self, body: &[u8], hash: EntryHash) -> Result<(), WriteError> {
        self.line.clear();
        write_line(&mut self.line, body, hash);
        self.line.push(b'\n');
        let written = self.encoder.write_all(&self.line);
        written.map_err(|source| WriteError { path: self.path.clone(), source })
    }

    /// Ends the file and makes it durable.
    ///
    /// # Errors
    /// A [`WriteError`].
    pub fn finish(self) -> Result<SegmentFile, WriteError> {
        let Self { path, encoder, .. } = self;
        let end = || {
            let mut digested = encoder.finish()?;
            digested.flush()?;
            digested.inner.get_ref().sync_all()?;
            Ok(SegmentFile { digest: digested.digest(), bytes: digested.bytes })
        };
        end().map_err(|source| WriteError { path, source })
    }
}
