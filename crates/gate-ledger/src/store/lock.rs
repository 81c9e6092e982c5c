//! The lock that writers wait at.
//!
//! A file of its own beside the database, locked whole. The kernel wakes those who wait, so none starves; and
//! it is freed when its holder dies, however that happens.
//!
//! Whoever takes a [`Turn`] takes it first, and then the ledger's lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::place::beside;
use super::{StoreError, files};

/// The lock file of the database at `path`. It stays: removing it while somebody waits at it would let two
/// writers hold two different files of one name.
fn path_for(path: &Path) -> PathBuf {
    beside(path, "-lock")
}

/// The lock, held until it is dropped.
#[derive(Debug)]
pub(super) struct Held {
    /// Closing it frees the lock.
    file: File,
}

/// One process after the other, for as long as it takes to hand something over: behind the ledger's lock alone two of
/// them could each wait for what the other one has, one of them here and one elsewhere.
#[derive(Debug)]
pub struct Turn {
    held: Held,
}

/// The most bytes of a note that are read.
const MAX_NOTE: usize = 4096;

impl Turn {
    /// Waits, at most `wait`, for the turn of a working copy at `copy`, which need not be there yet. Its folder is its
    /// user's own.
    ///
    /// # Errors
    /// A [`StoreError`] where the time is over, or the file cannot be locked.
    pub fn take(copy: &Path, wait: Duration) -> Result<Self, StoreError> {
        let held = acquire_file(&beside(copy, "-turn"), wait, &|_| Ok(()))?;
        Ok(Self { held })
    }

    /// What the process that had the turn before left for the next one. It came through no check: nothing may rest on
    /// it but manners. Empty where there is none, or it cannot be read.
    pub fn note(&self) -> String {
        let mut bytes = vec![0; MAX_NOTE];
        let read = self.held.file.read_at(&mut bytes, 0).unwrap_or_default();
        String::from_utf8_lossy(&bytes[..read]).into_owned()
    }

    /// Leaves `note` for the next process, which may find none. A file that has another name is not written to: that
    /// would be somebody's.
    pub fn leave(&self, note: &str) {
        let file = &self.held.file;
        if !file.metadata().is_ok_and(|found| found.is_file() && found.nlink() == 1) {
            return;
        }
        drop(file.set_len(0).and_then(|()| file.write_all_at(note.as_bytes(), 0)));
    }
}

/// Waits for the lock of the database at `real`, at most `wait`.
pub(super) fn acquire(real: &Path, wait: Duration) -> Result<Held, StoreError> {
    // For all who may write to the database.
    acquire_file(&path_for(real), wait, &|file| files::follow_database(file, real))
}

/// Waits for a lock on the file at `path`; where it has to be made, `furnish` is done with it.
fn acquire_file(
    path: &Path,
    wait: Duration,
    furnish: &dyn Fn(&File) -> std::io::Result<()>,
) -> Result<Held, StoreError> {
    let fails = |source| StoreError::LockFile { path: path.to_owned(), source };
    let begun = Instant::now();
    loop {
        let file = open(path, furnish).map_err(fails)?;
        let rest = wait.saturating_sub(begun.elapsed());
        let file = match file.try_lock() {
            Ok(()) => file,
            Err(TryLockError::Error(source)) => return Err(fails(source)),
            Err(TryLockError::WouldBlock) => match queue(file, rest) {
                Some(locked) => locked.map_err(fails)?,
                None => return Err(StoreError::LockTimeout(wait)),
            },
        };
        // Where somebody removed it meanwhile, others lock the next file of that name.
        if is_at(&file, path).map_err(fails)? {
            return Ok(Held { file });
        }
        if rest.is_zero() {
            return Err(StoreError::LockTimeout(wait));
        }
    }
}

fn is_at(file: &File, path: &Path) -> std::io::Result<bool> {
    let mine = file.metadata()?;
    match path.symlink_metadata() {
        Ok(there) => Ok((mine.dev(), mine.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Waits in the kernel's queue, on a thread since no portable call waits for a lock with an end. Where nobody
/// waits for the thread any more, the file it sends is dropped at once, and with it the lock.
fn queue(file: File, wait: Duration) -> Option<std::io::Result<File>> {
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let locked = file.lock().map(|()| file);
        // A receiver that is gone leaves the file in the error, which is dropped here.
        drop(sender.send(locked));
    });
    receiver.recv_timeout(wait).ok()
}

/// Opens the lock file, or makes it and does `furnish` with it.
fn open(path: &Path, furnish: &dyn Fn(&File) -> std::io::Result<()>) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    // A link put here by somebody else would let them choose which file is locked, or made; a pipe would hold us up.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    options.read(true).write(true).custom_flags(flags.bits().cast_signed());
    match options.open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        opened => return opened,
    }
    match options.create_new(true).open(path) {
        Ok(file) => furnish(&file).map(|()| file),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => options.create_new(false).open(path),
        Err(error) => Err(error),
    }
}
