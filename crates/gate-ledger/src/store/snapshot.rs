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

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, UNIX_EPOCH};

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
/// Within how long two writings may bear one time: two ticks of the kernel's clock, of which there are at least a hundred in
/// a second.
const TICK: Duration = Duration::from_millis(20);
/// The same where a file system keeps no fractions of a second.
const COARSE_TICK: Duration = Duration::from_secs(3);
/// The length of the header of a write-ahead log, in bytes (<https://www.sqlite.org/fileformat2.html>, section 4.1).
const WAL_HEADER: usize = 32;
/// How it begins, by the order of bytes of its checksums.
const WAL_MAGIC: [&[u8]; 2] = [&[0x37, 0x7f, 0x06, 0x82], &[0x37, 0x7f, 0x06, 0x83]];
/// The length of the header of each frame in it, in bytes.
const FRAME_HEADER: usize = 24;
/// The largest page that SQLite knows, in bytes.
const MAX_PAGE: usize = 1 << 16;

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

    /// The file at `real`, a path without links, as it lies: nothing where its log holds something, or where it was written
    /// to so lately that its times might not show the next writing.
    ///
    /// # Errors
    /// An [`OpenError`].
    pub(super) fn at_rest(path: &Path, real: &Path) -> Result<Option<Self>, OpenError> {
        let held = hold(path, real)?;
        // Before the log: what is moved out of it afterwards shows.
        let found = metadata(real)?;
        if age(&found).is_none_or(|age| age < tick_of(&found)) || log_header(real)?.is_some() {
            return Ok(None);
        }
        let kept = Kept::InPlace { seen: Stamp::of(&found), _held: held };
        Ok(Some(Self { path: path.to_owned(), file: real.to_owned(), kept }))
    }

    /// Whether it is the newest moment of the ledger still: nobody wrote to the file, and nothing to a log beside it.
    pub(super) fn is_newest(&self) -> bool {
        self.is_in_place() && self.is_still() && log_header(&self.file).is_ok_and(|log| log.is_none())
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
            copy_file(&held, &copy)?;
            let wal = beside(&copy, "-wal");
            match before.as_ref().map(|_| File::open(beside(real, "-wal"))) {
                Some(Ok(log)) => copy_log(&log, &wal)?,
                // It was folded in between.
                Some(Err(error)) if error.kind() == ErrorKind::NotFound => continue,
                Some(Err(source)) => return Err(OpenError::Copy { to: wal, source }),
                None => remove(&wal)?,
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

    /// Whether the ledger's own file is read.
    pub(super) const fn is_in_place(&self) -> bool {
        matches!(self.kept, Kept::InPlace { .. })
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
    file.take(WAL_HEADER as u64).read_to_end(&mut header).map_err(fails)?;
    Ok((!header.is_empty()).then_some((header, inode)))
}

/// Within how long two writings to the file may bear one time. Where its times are whole seconds, its file system may know
/// no finer ones, and some know every other second alone.
fn tick_of(file: &Metadata) -> Duration {
    if file.ctime_nsec() == 0 && file.mtime_nsec() == 0 { COARSE_TICK } else { TICK }
}

/// How long ago a file was changed, by the time that nobody can set; nothing where that is yet to come.
fn age(file: &Metadata) -> Option<Duration> {
    let (seconds, part) = (u64::try_from(file.ctime()).ok()?, u32::try_from(file.ctime_nsec()).ok()?);
    UNIX_EPOCH.checked_add(Duration::new(seconds, part))?.elapsed().ok()
}

fn metadata(path: &Path) -> Result<Metadata, OpenError> {
    fs::metadata(path).map_err(|source| OpenError::Io { path: path.to_owned(), source })
}

/// All of a file, from its descriptor: to open the ledger a second time and close it would free the lock on it. The
/// copy is its owner's to write, whatever the mode of what is copied.
fn copy_file(mut from: &File, to: &Path) -> Result<(), OpenError> {
    let mut copy = || -> io::Result<()> {
        from.rewind()?;
        io::copy(&mut from, &mut private(to)?).map(drop)
    };
    copy().map_err(|source| OpenError::Copy { to: to.to_owned(), source })
}

/// What a write-ahead log holds: its header and the frames behind it that bear its salts (section 4.1 of the format). What
/// follows is left over from an earlier log, or stands there for nothing, and SQLite reads no further either: a file of
/// any length costs no more than what is in it.
fn copy_log(from: &File, to: &Path) -> Result<(), OpenError> {
    let copy = || -> io::Result<()> {
        let mut log = BufReader::with_capacity(1 << 16, from);
        let mut out = BufWriter::new(private(to)?);
        let mut header = [0; WAL_HEADER];
        if !is_filled(&mut log, &mut header)? || !WAL_MAGIC.iter().any(|magic| header.starts_with(magic)) {
            return Ok(());
        }
        out.write_all(&header)?;
        let page_size = u32::from_be_bytes([header[8], header[9], header[10], header[11]]);
        let mut frame = vec![0; FRAME_HEADER + (page_size as usize).min(MAX_PAGE)];
        // No frame is of page 0.
        while is_filled(&mut log, &mut frame)? && frame[8..16] == header[16..24] && frame[..4] != [0; 4] {
            out.write_all(&frame)?;
        }
        out.flush()
    };
    copy().map_err(|source| OpenError::Copy { to: to.to_owned(), source })
}

/// Reads all of `buffer`; whether there was as much.
fn is_filled(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(buffer) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

/// A new file of this user's alone, or the emptied one of an earlier try.
fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
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
