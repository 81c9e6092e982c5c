//! A database that gets its name when it is finished, and only if the name is free.
//!
//! Until then it is called `.<name>.new-<random>` and nobody reads it. Whatever fails on the way removes it; a
//! crash leaves a file of that name, which no tool takes for a ledger.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// What SQLite and the store put beside a database.
const BESIDE: [&str; 4] = ["-wal", "-shm", "-journal", "-lock"];

/// Why a name cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NameError {
    /// Something is there already.
    #[error("'{}' exists already and was left alone\nname a place where nothing is", .0.display())]
    Exists(PathBuf),
    /// The write-ahead log of an earlier database is there; SQLite would mix it into the new one.
    #[error("'{}' is left over from an earlier database\nmove it away first", .0.display())]
    Leftover(PathBuf),
    /// It is not the name of a file.
    #[error("'{}' is not the name of a file\nname a file", .0.display())]
    NoName(PathBuf),
    /// The system gave no random bytes for the passing name.
    #[error("the system gave no random bytes: {0}")]
    Random(getrandom::Error),
}

impl NameError {
    /// How a tool ends on it.
    pub(crate) const fn exit(&self) -> gate_model::exit::Exit {
        match self {
            Self::Random(_) => gate_model::exit::Exit::Failure,
            _ => gate_model::exit::Exit::Usage,
        }
    }
}

/// The random part of a passing name.
///
/// # Errors
/// Where the system gives no random bytes.
pub(crate) fn random_word() -> Result<String, getrandom::Error> {
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random)?;
    Ok(format!("{:016x}", u64::from_be_bytes(random)))
}

/// A file that is removed unless it was published.
#[derive(Debug)]
pub(crate) struct Staged {
    /// The passing name.
    pub path: PathBuf,
    target: PathBuf,
}

impl Staged {
    /// A free passing name beside `target`, whose own name must be free too.
    ///
    /// # Errors
    /// A [`NameError`].
    pub(crate) fn beside(target: &Path) -> Result<Self, NameError> {
        let staged = Self::passing(target)?;
        // A link that leads nowhere exists too.
        if fs::symlink_metadata(target).is_ok() {
            return Err(NameError::Exists(target.to_owned()));
        }
        let left = BESIDE.into_iter().take(3).map(|suffix| beside(target, suffix));
        if let Some(leftover) = left.into_iter().find(|path| fs::symlink_metadata(path).is_ok()) {
            return Err(NameError::Leftover(leftover));
        }
        Ok(staged)
    }

    /// A free passing name beside `target`, whatever is there.
    ///
    /// # Errors
    /// A [`NameError`].
    pub(crate) fn passing(target: &Path) -> Result<Self, NameError> {
        let Some(name) = target.file_name() else { return Err(NameError::NoName(target.to_owned())) };
        let random = random_word().map_err(NameError::Random)?;
        let mut passing = std::ffi::OsString::from(".");
        passing.push(name);
        passing.push(format!(".new-{random}"));
        Ok(Self { path: target.with_file_name(passing), target: target.to_owned() })
    }

    /// Makes the file durable and gives it its name.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::AlreadyExists`] where the name was taken meanwhile.
    pub(crate) fn publish(self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()?;
        rename_new(&self.path, &self.target)?;
        sync(&self.target)
    }
}

/// Makes the file at `path` and its name durable.
///
/// # Errors
/// What the system says.
pub(crate) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()?;
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(directory) => File::open(directory)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // Gone by now where it was published; what cannot be removed is no ledger and does no harm.
        drop(fs::remove_file(&self.path));
        for suffix in BESIDE {
            drop(fs::remove_file(beside(&self.path, suffix)));
        }
    }
}

/// `path` with `suffix` added to its last component.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Renames where the new name is free, in one system call where there is one.
#[cfg(target_os = "linux")]
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some file systems cannot do this but can link.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => fs::hard_link(from, to),
        result => result.map_err(io::Error::from),
    }
}

/// A hard link fails where its name is taken; the first name goes away with its [`Staged`].
#[cfg(not(target_os = "linux"))]
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to)
}

#[cfg(test)]
mod tests {
    use super::{NameError, Staged};

    #[test]
    fn what_is_there_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("ledger.db");
        let staged = Staged::beside(&target).unwrap();
        std::fs::write(&staged.path, "new").unwrap();
        std::fs::write(&target, "old").unwrap();
        assert_eq!(staged.publish().unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "old");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "the staged file is gone");
        assert!(matches!(Staged::beside(&target), Err(NameError::Exists(_))));
    }

    #[test]
    fn a_leftover_write_ahead_log_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ledger.db-wal"), "x").unwrap();
        assert!(matches!(Staged::beside(&dir.path().join("ledger.db")), Err(NameError::Leftover(_))));
    }
}
