//! The lock that writers wait at.
//!
//! A file of its own beside the database, locked whole. The kernel wakes those who wait, so none starves; and
//! it is freed when its holder dies, however that happens.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use super::StoreError;
use super::place::beside;

/// The lock file of the database at `path`. It stays: removing it while somebody waits at it would let two
/// writers hold two different files of one name.
pub(super) fn path_for(path: &Path) -> PathBuf {
    beside(path, "-lock")
}

/// The lock, held until it is dropped.
#[derive(Debug)]
pub(super) struct Held {
    /// Closing it frees the lock.
    _file: File,
}

/// Waits for the lock, at most `wait`.
pub(super) fn acquire(path: &Path, wait: Duration) -> Result<Held, StoreError> {
    let fails = |source| StoreError::LockFile { path: path.to_owned(), source };
    let file = open(path).map_err(fails)?;
    match file.try_lock() {
        Ok(()) => Ok(Held { _file: file }),
        Err(TryLockError::Error(source)) => Err(fails(source)),
        Err(TryLockError::WouldBlock) => queue(file, wait).map_or_else(
            || Err(StoreError::LockTimeout(wait)),
            |locked| locked.map(|file| Held { _file: file }).map_err(fails),
        ),
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

fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // A link put here by somebody else would let them choose which file is locked, or made.
        options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    options.open(path)
}
