//! A ledger's file as it stood at one moment, read without writing anything to it or beside it.
//!
//! SQLite cannot read a file of write-ahead mode without making, or writing to, the index beside it. So where there
//! is no write-ahead log, or an empty one, the file is read as one that nobody changes; and where there is one, both
//! are copied to a private directory and folded there. That directory is made below `TMPDIR`, for this user only.
//!
//! Whoever appends meanwhile goes on. While a snapshot is held so is SQLite's own shared lock on the file, as any of
//! its readers holds it: a writer that closes then leaves the log where it is, instead of moving it into the pages
//! that are read here. What remains, a log that grew so long that it is moved all the same, shows in the file's times:
//! then what was read does not count ([`Snapshot::is_still`]).
//!
//! A copy is whole although the file was written to while it was made: the pages are copied first and the log
//! afterwards, so that each page which changed in between is in the log; unless that began anew, which its header
//! tells.

use std::fs::{self, DirBuilder, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;

use super::database::fold_copy;
use super::place::{beside, regular_file};
use super::{OpenError, files};
use crate::infile;

/// How often a copy is begun again.
const TRIES: usize = 8;
/// How long to wait for somebody who is just moving the log, and how long between two looks.
const WAIT: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// The length of the header of a write-ahead log, in bytes (<https://www.sqlite.org/fileformat2.html>, section 4.1).
const WAL_HEADER: u64 = 32;

/// A file that stays as it is, or that shows when it did not.
#[derive(Debug)]
pub struct Snapshot {
    /// The file as a person named it.
    path: PathBuf,
    /// The file to read.
    file: PathBuf,
    /// What keeps it as it is.
    kept: Kept,
}

#[derive(Debug)]
enum Kept {
    /// It is the ledger's own file, which looked like this; the open file holds the lock.
    InPlace { seen: Stamp, _held: File },
    /// It is a copy.
    Copied(#[allow(dead_code, reason = "it removes the copy when it goes")] PrivateDirectory),
}

impl Snapshot {
    /// Takes one of the ledger at `path`: the file itself where it has no write-ahead log, else a copy.
    ///
    /// # Errors
    /// An [`OpenError`].
    pub fn take(path: &Path) -> Result<Self, OpenError> {
        let real = inspected(path)?;
        let held = hold(path, &real)?;
        if log_header(&real)?.is_some() {
            return Self::copy_of(path, &real, held);
        }
        let seen = Stamp::of(&metadata(&real)?);
        Ok(Self { path: path.to_owned(), file: real, kept: Kept::InPlace { seen, _held: held } })
    }

    /// Takes a copy in any case.
    ///
    /// # Errors
    /// An [`OpenError`].
    pub fn copy(path: &Path) -> Result<Self, OpenError> {
        let real = inspected(path)?;
        let held = hold(path, &real)?;
        Self::copy_of(path, &real, held)
    }

    fn copy_of(path: &Path, real: &Path, held: File) -> Result<Self, OpenError> {
        let directory = PrivateDirectory::new()?;
        let copy = directory.0.join("ledger.db");
        for _ in 0..TRIES {
            let before = log_header(real)?;
            copy_file(real, &copy)?;
            match before {
                Some(_) => copy_file(&beside(real, "-wal"), &beside(&copy, "-wal"))?,
                None => remove(&beside(&copy, "-wal"))?,
            }
            if log_header(real)? == before {
                // Closing the file would drop the locks of a connection that this process opens later.
                drop(held);
                fold_copy(&copy)
                    .map_err(|source| OpenError::Store { path: path.to_owned(), source: source.into() })?;
                return Ok(Self { path: path.to_owned(), file: copy, kept: Kept::Copied(directory) });
            }
        }
        Err(OpenError::Restless { path: path.to_owned() })
    }

    /// Whether what was read is one moment of the ledger. Asked when all was read.
    pub fn is_still(&self) -> bool {
        match &self.kept {
            Kept::InPlace { seen, .. } => metadata(&self.file).is_ok_and(|now| Stamp::of(&now) == *seen),
            Kept::Copied(_) => true,
        }
    }

    /// The ledger, as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file to read.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }
}

/// The file that `path` leads to. Who owns it does not matter to somebody who verifies all of it; that nothing odd lies
/// beside it does.
fn inspected(path: &Path) -> Result<PathBuf, OpenError> {
    let real = regular_file(path)?;
    files::refuse_journal(&real)?;
    let wal = beside(&real, "-wal");
    match files::look(&wal)? {
        Some(found) if !found.is_file() => Err(OpenError::Beside { path: wal }),
        Some(_) | None => Ok(real),
    }
}

/// Takes the lock that readers share, on the whole file: SQLite's range of it lies within. Where a file system knows no
/// locks nobody can be kept away, and only the file's times tell.
fn hold(path: &Path, real: &Path) -> Result<File, OpenError> {
    let file = infile::open(real).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
    let until = Instant::now() + WAIT;
    loop {
        match fcntl_lock(&file, FlockOperation::NonBlockingLockShared) {
            Err(Errno::AGAIN | Errno::ACCESS) if Instant::now() < until => std::thread::sleep(LOOK_AGAIN),
            Err(Errno::AGAIN | Errno::ACCESS) => return Err(OpenError::Restless { path: path.to_owned() }),
            Ok(()) | Err(_) => return Ok(file),
        }
    }
}

/// How the write-ahead log begins and which file it is; `None` where there is none, or an empty one. It changes when the
/// log begins anew, and only then.
fn log_header(real: &Path) -> Result<Option<(Vec<u8>, u64)>, OpenError> {
    let path = beside(real, "-wal");
    let fails = |source| OpenError::Io { path: path.clone(), source };
    let file = match infile::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(fails(source)),
    };
    let inode = file.metadata().map_err(fails)?.ino();
    let mut header = Vec::new();
    file.take(WAL_HEADER).read_to_end(&mut header).map_err(fails)?;
    Ok((!header.is_empty()).then_some((header, inode)))
}

fn metadata(path: &Path) -> Result<Metadata, OpenError> {
    fs::metadata(path).map_err(|source| OpenError::Io { path: path.to_owned(), source })
}

/// The kernel does it, without a copy where the file system can share blocks, and never through our memory.
fn copy_file(from: &Path, to: &Path) -> Result<(), OpenError> {
    fs::copy(from, to).map(drop).map_err(|source| OpenError::Copy { to: to.to_owned(), source })
}

fn remove(path: &Path) -> Result<(), OpenError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != ErrorKind::NotFound => {
            Err(OpenError::Copy { to: path.to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// What changes whenever somebody writes to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            file: (metadata.dev(), metadata.ino()),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// A directory that only this user can look into, removed with all that is in it.
#[derive(Debug)]
struct PrivateDirectory(PathBuf);

impl PrivateDirectory {
    fn new() -> Result<Self, OpenError> {
        let mut random = [0_u8; 16];
        let to = std::env::temp_dir();
        let fails = |to: PathBuf, source| OpenError::Copy { to, source };
        getrandom::fill(&mut random)
            .map_err(|error| fails(to.clone(), io::Error::other(error.to_string())))?;
        let path = to.join(format!("gate-{:032x}", u128::from_be_bytes(random)));
        // Refused where the name is taken, by a link too.
        DirBuilder::new().mode(0o700).create(&path).map_err(|source| fails(path.clone(), source))?;
        Ok(Self(path))
    }
}

impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        // What cannot be removed is a copy that only this user can read.
        drop(fs::remove_dir_all(&self.0));
    }
}
