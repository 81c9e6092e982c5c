//! A ledger is all of its files: the database, and what stands beside it under its name.
//!
//! SQLite believes what it finds there. It rolls a `-journal` back into the database, and plays a `-wal` in, before
//! anybody can look at a row; it opens whatever has the name, and opening a pipe that nobody writes to never ends. So
//! each of the files is looked at before SQLite opens the first: what it is, and whose. Whether git tracks one of them
//! is for the caller to ask ([`names`]).
//!
//! Files belong to the ledger's user, to root, to whoever owns the directory, or to the directory's group where it is
//! shared with that: the group may write in it and others may not, and the file has the directory's group, as files of
//! a set-group-ID directory get it.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access as Mode, AtFlags, CWD, accessat};
use rustix::process::geteuid;

use super::OpenError;
use super::place::beside;

/// What a ledger of write-ahead mode never has. One that was planted, of any length, is not left for SQLite to judge.
const JOURNAL: &str = "-journal";
/// What stands beside the database: SQLite's two files, the lock, and what is known of the last checkpoint.
const BESIDE: [&str; 4] = ["-wal", "-shm", "-lock", "-checkpoint"];
/// Those that whoever appends has to write.
const WRITTEN: [&str; 3] = ["-wal", "-shm", "-lock"];

const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
const GROUP_READS_AND_WRITES: u32 = 0o060;

/// The names of the files that a ledger at `path` has or could have, itself first.
pub fn names(path: &Path) -> Vec<PathBuf> {
    let suffixes = [JOURNAL].into_iter().chain(BESIDE);
    [path.to_owned()].into_iter().chain(suffixes.map(|suffix| beside(path, suffix))).collect()
}

/// Looks at the database at `real`, a path without links, and at what stands beside it.
pub(super) fn inspect(real: &Path) -> Result<(), OpenError> {
    refuse_journal(real)?;
    let directory = directory_of(real)?;
    for path in names(real) {
        let Some(file) = look(&path)? else { continue };
        if !file.is_file() {
            return Err(OpenError::Beside { path });
        }
        if !is_trusted(&directory, &file) {
            return Err(OpenError::Owner { path, owner: file.uid() });
        }
        if file.nlink() > 1 && has_two_names(&path)? {
            return Err(OpenError::TwoNames { path });
        }
    }
    Ok(())
}

/// Whether the file at `path` has another name, for longer than it takes to give it this one where a file system knows
/// no other way. Under each name there would be a log of its own, and what one of them holds is lost to the other.
fn has_two_names(path: &Path) -> Result<bool, OpenError> {
    for _ in 0..10 {
        std::thread::sleep(std::time::Duration::from_millis(10));
        if look(path)?.is_none_or(|file| file.nlink() == 1) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Refuses a rollback journal, whatever it is.
pub(super) fn refuse_journal(real: &Path) -> Result<(), OpenError> {
    let path = beside(real, JOURNAL);
    look(&path)?.map_or(Ok(()), |_| Err(OpenError::Journal { path }))
}

/// What is at `path`, which is not followed; `None` where nothing is.
pub(super) fn look(path: &Path) -> Result<Option<Metadata>, OpenError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(OpenError::Io { path: path.to_owned(), source }),
    }
}

fn directory_of(real: &Path) -> Result<Metadata, OpenError> {
    let directory = real.parent().unwrap_or(real);
    fs::metadata(directory).map_err(|source| OpenError::Io { path: directory.to_owned(), source })
}

fn is_trusted(directory: &Metadata, file: &Metadata) -> bool {
    [geteuid().as_raw(), 0, directory.uid()].contains(&file.uid()) || is_shared(directory, file)
}

/// Whether the directory is its group's to write in, and `file` is that group's.
fn is_shared(directory: &Metadata, file: &Metadata) -> bool {
    let mode = directory.mode();
    mode & GROUP_WRITES != 0 && mode & OTHERS_WRITE == 0 && file.gid() == directory.gid()
}

/// Refuses whoever cannot write all that an append writes, before SQLite falls back to reading and leaves a
/// write-ahead log behind that belongs to the one who was refused, and keeps everybody else out.
pub(super) fn refuse_unwritable(real: &Path) -> Result<(), OpenError> {
    let mut missing = false;
    for path in [real.to_owned()].into_iter().chain(WRITTEN.map(|suffix| beside(real, suffix))) {
        match look(&path)? {
            Some(_) => allows(&path, Mode::READ_OK | Mode::WRITE_OK)?,
            None => missing = true,
        }
    }
    match real.parent().filter(|_| missing) {
        Some(directory) => allows(directory, Mode::WRITE_OK | Mode::EXEC_OK),
        None => Ok(()),
    }
}

fn allows(path: &Path, mode: Mode) -> Result<(), OpenError> {
    accessat(CWD, path, mode, AtFlags::EACCESS)
        .map_err(|errno| OpenError::Denied { path: path.to_owned(), source: errno.into() })
}

/// Gives a new database the mode of its directory: nothing that the directory does not give, and to its group all
/// that the group may do there. SQLite gives its own two files the mode of the database.
pub(super) fn follow_directory(path: &Path) -> io::Result<()> {
    let (file, directory) = (fs::metadata(path)?, fs::metadata(path.parent().unwrap_or(path))?);
    let shared = if is_shared(&directory, &file) { GROUP_READS_AND_WRITES } else { 0 };
    let mode = (file.mode() & directory.mode() & 0o666) | shared;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Gives `file`, which was made just now, the mode of the database; and its owner where root made it, as SQLite does,
/// so that root keeps nobody out.
///
/// # Errors
/// What the system says.
pub fn follow_database(file: &File, database: &Path) -> io::Result<()> {
    let model = fs::metadata(database)?;
    file.set_permissions(fs::Permissions::from_mode(model.mode() & 0o666))?;
    if geteuid().is_root() {
        std::os::unix::fs::fchown(file, Some(model.uid()), Some(model.gid()))?;
    }
    Ok(())
}

/// Which files a connection has open, to notice that one of them was taken away or replaced under it. Whoever goes on
/// with an old one sees another history than whoever opens the new one, and both could spend the same use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity([Option<(u64, u64)>; 3]);

impl Identity {
    /// Of the database at `real`, its write-ahead log and that one's index.
    pub(super) fn of(real: &Path) -> Self {
        let of =
            |path: PathBuf| fs::symlink_metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
        Self([real.to_owned(), beside(real, "-wal"), beside(real, "-shm")].map(of))
    }

    /// Whether what is open now is what was there `before` it was opened. What was not there yet was made by the open.
    pub(super) fn continues(self, before: Self) -> bool {
        self.0.iter().zip(before.0).all(|(now, before)| before.is_none() || *now == before)
    }
}
