//! Files that tools write: each under the name that was claimed for it, and never through a link.
//!
//! A file is written under a passing name in the directory of its own, `.<name>.new-<random>`, which nobody reads, and
//! gets its name when it is finished: only where that is free, or in place of what has it, which is then gone at once.
//! Whatever fails on the way removes it; a crash leaves a file of that name, which no tool takes for anything.
//!
//! Invariant: the directory is opened once, when the place is claimed, and every name is looked up in it. What somebody
//! puts in the file's place meanwhile, or in the directory's, is never written to.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

/// What SQLite and the store put beside a database.
const BESIDE: [&str; 4] = ["-wal", "-shm", "-journal", "-lock"];

/// Why a name cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    /// Something is there already.
    #[error("'{}' exists already and was left alone\nname a place where nothing is", .0.display())]
    Exists(PathBuf),
    /// The write-ahead log of an earlier database is there; SQLite would mix it into the new one.
    #[error("'{}' is left over from an earlier database\nmove it away first", .0.display())]
    Leftover(PathBuf),
    /// No passing name can be made of it.
    #[error("'{}' cannot be written: {source}\nname a file", path.display())]
    Place {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl gate_model::exit::Ends for NameError {
    // How a tool ends on it.
    fn exit(&self) -> gate_model::exit::Exit {
        gate_model::exit::Exit::Usage
    }
}

/// A name in a directory that is held open.
#[derive(Debug)]
pub struct Place {
    directory: File,
    name: OsString,
    path: PathBuf,
}

/// What becomes of a file that has the name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It stays, and nothing is written.
    Keep,
    /// It is replaced, whatever it is but a directory. A file's mode stays.
    Replace,
}

/// How a file is written.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// What becomes of a file that has the name already.
    pub taken: Taken,
    /// The mode of a new file, less the umask.
    pub mode: u32,
    /// Whether it must survive a crash of the machine.
    pub durable: bool,
}

impl Manner {
    /// A new file for its owner only, such as a secret.
    pub const SECRET: Self = Self { taken: Taken::Keep, mode: 0o600, durable: true };
    /// The newest state of something, for its owner only.
    pub const STATE: Self = Self { taken: Taken::Replace, mode: 0o600, durable: true };
    /// A result that takes the place of an earlier one.
    pub const RESULT: Self = Self { taken: Taken::Replace, mode: 0o666, durable: false };
}

impl Place {
    /// The place that `path` names. Links on the way to its directory are followed, now and never again.
    ///
    /// # Errors
    /// What the system says of the directory, or that `path` names no file.
    pub fn of(path: &Path) -> io::Result<Self> {
        let name = name_of(path)?.to_owned();
        let directory = File::open(directory_of(path))?;
        Ok(Self { directory, name, path: path.to_owned() })
    }

    /// What has the name: a link is not followed.
    ///
    /// # Errors
    /// What the system says.
    pub fn found(&self) -> io::Result<Option<Stat>> {
        match statat(&self.directory, &self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the path still leads into the directory that was claimed.
    ///
    /// # Errors
    /// What the system says.
    pub fn is_still_there(&self) -> io::Result<bool> {
        let (held, now) = (self.directory.metadata()?, fs::metadata(directory_of(&self.path))?);
        Ok((held.dev(), held.ino()) == (now.dev(), now.ino()))
    }

    /// Writes the file as a whole, or not at all.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::AlreadyExists`] where the name is taken and that is to stay.
    pub fn write(
        &self,
        manner: Manner,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let passing = passing(&self.name)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(manner.mode);
        let file = File::from(openat(&self.directory, &passing, flags, mode)?);
        let written = self.keep_mode(manner.taken, &file).and_then(|()| {
            let mut out = io::BufWriter::new(file);
            write(&mut out)?;
            let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
            if manner.durable {
                file.sync_all()?;
            }
            self.give_name(&passing, manner)
        });
        if written.is_err() {
            // Nobody reads what is left under a passing name; the failure that led here is the one to tell.
            let _ = unlinkat(&self.directory, &passing, AtFlags::empty());
        }
        written
    }

    fn keep_mode(&self, taken: Taken, file: &File) -> io::Result<()> {
        let found = if taken == Taken::Replace { self.found()? } else { None };
        match found.filter(|stat| FileType::from_raw_mode(stat.st_mode).is_file()) {
            Some(stat) => Ok(rustix::fs::fchmod(file, Mode::from_raw_mode(stat.st_mode))?),
            None => Ok(()),
        }
    }

    /// Gives the file of that passing name its own.
    fn give_name(&self, passing: &OsStr, manner: Manner) -> io::Result<()> {
        match manner.taken {
            Taken::Replace => renameat(&self.directory, passing, &self.directory, &self.name)?,
            Taken::Keep => self.give_free_name(passing)?,
        }
        if manner.durable { self.directory.sync_all() } else { Ok(()) }
    }

    /// In one system call where there is one.
    #[cfg(target_os = "linux")]
    fn give_free_name(&self, passing: &OsStr) -> io::Result<()> {
        use rustix::fs::{RenameFlags, renameat_with};
        let flags = RenameFlags::NOREPLACE;
        match renameat_with(&self.directory, passing, &self.directory, &self.name, flags) {
            // Some file systems cannot do this but can link.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => self.link_free_name(passing),
            result => result.map_err(io::Error::from),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn give_free_name(&self, passing: &OsStr) -> io::Result<()> {
        self.link_free_name(passing)
    }

    /// A hard link fails where its name is taken.
    fn link_free_name(&self, passing: &OsStr) -> io::Result<()> {
        rustix::fs::linkat(&self.directory, passing, &self.directory, &self.name, AtFlags::empty())?;
        Ok(unlinkat(&self.directory, passing, AtFlags::empty())?)
    }
}

/// A file that another writer makes under a passing name, and that is removed unless it was published.
#[derive(Debug)]
pub struct Staged {
    /// The passing name.
    pub path: PathBuf,
    target: PathBuf,
}

impl Staged {
    /// A free passing name beside `target`, whose own name must be free too.
    ///
    /// # Errors
    /// A [`NameError`].
    pub fn beside(target: &Path) -> Result<Self, NameError> {
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
    pub fn passing(target: &Path) -> Result<Self, NameError> {
        let name = name_of(target).and_then(passing);
        let name = name.map_err(|source| NameError::Place { path: target.to_owned(), source })?;
        Ok(Self { path: target.with_file_name(name), target: target.to_owned() })
    }

    /// Makes the file durable and gives it its name.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::AlreadyExists`] where the name was taken meanwhile. That a log is left
    /// beside it: SQLite tells nobody that it could not move what a log holds into the file when it closed that.
    pub fn publish(self) -> io::Result<()> {
        let holds = |suffix: &&str| fs::metadata(beside(&self.path, suffix)).is_ok_and(|log| log.len() > 0);
        if let Some(log) = ["-wal", "-journal"].into_iter().find(holds) {
            return Err(io::Error::other(format!("what its {log} holds could not be moved into it")));
        }
        File::open(&self.path)?.sync_all()?;
        Place::of(&self.target)?.give_name(self.path.file_name().unwrap_or_default(), Manner::SECRET)
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

/// Makes the file at `path` and its name durable.
///
/// # Errors
/// What the system says.
pub fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()?;
    File::open(directory_of(path))?.sync_all()
}

/// A passing name for a file called `name`. It begins as all passing names beside a ledger do, so that git ignores it.
fn passing(name: &OsStr) -> io::Result<OsString> {
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let mut passing = OsString::from(".");
    passing.push(name);
    passing.push(format!(".new-{:016x}", u64::from_be_bytes(random)));
    Ok(passing)
}

fn name_of(path: &Path) -> io::Result<&OsStr> {
    path.file_name().ok_or_else(|| io::Error::other("it is not the name of a file"))
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// `path` with `suffix` added to its last component.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::{Manner, NameError, Place, Staged};

    #[test]
    fn what_is_there_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("ledger.db");
        let staged = Staged::beside(&target).unwrap();
        std::fs::write(&staged.path, "new").unwrap();
        std::fs::write(&target, "old").unwrap();
        assert_eq!(staged.publish().unwrap_err().kind(), ErrorKind::AlreadyExists);
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

    #[test]
    fn what_a_log_still_holds_is_not_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        for suffix in ["-wal", "-journal"] {
            let staged = Staged::beside(&dir.path().join("ledger.db")).unwrap();
            std::fs::write(&staged.path, "new").unwrap();
            std::fs::write(super::beside(&staged.path, suffix), "more").unwrap();
            assert!(staged.publish().is_err());
            assert_eq!(
                std::fs::read_dir(dir.path()).unwrap().count(),
                0,
                "nothing is there, and nothing is left"
            );
        }
        let staged = Staged::beside(&dir.path().join("ledger.db")).unwrap();
        std::fs::write(&staged.path, "new").unwrap();
        std::fs::write(super::beside(&staged.path, "-wal"), "").unwrap();
        staged.publish().unwrap();
    }

    #[test]
    fn a_link_is_replaced_and_not_followed_and_a_mode_stays() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("host"), "host").unwrap();
        let place = Place::of(&at("out")).unwrap();
        let put = |manner, text: &'static str| place.write(manner, |out| out.write_all(text.as_bytes()));
        put(Manner::SECRET, "one").unwrap();
        assert_eq!(std::fs::metadata(at("out")).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(put(Manner::SECRET, "two").unwrap_err().kind(), ErrorKind::AlreadyExists);
        std::fs::set_permissions(at("out"), PermissionsExt::from_mode(0o640)).unwrap();
        put(Manner::STATE, "three").unwrap();
        assert_eq!(std::fs::metadata(at("out")).unwrap().permissions().mode() & 0o777, 0o640);
        std::fs::remove_file(at("out")).unwrap();
        symlink(at("host"), at("out")).unwrap();
        assert_eq!(put(Manner::SECRET, "four").unwrap_err().kind(), ErrorKind::AlreadyExists);
        put(Manner::STATE, "five").unwrap();
        assert_eq!(std::fs::read_to_string(at("host")).unwrap(), "host");
        assert_eq!(std::fs::read_to_string(at("out")).unwrap(), "five");
        assert!(place.write(Manner::STATE, |_| Err(std::io::Error::other("no"))).is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "a failure leaves nothing");
    }

    #[test]
    fn a_directory_that_was_swapped_for_a_link_is_not_written_to() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir(at("claimed")).unwrap();
        std::fs::create_dir(at("elsewhere")).unwrap();
        let place = Place::of(&at("claimed/out")).unwrap();
        assert!(place.is_still_there().unwrap());
        std::fs::rename(at("claimed"), at("moved")).unwrap();
        symlink(at("elsewhere"), at("claimed")).unwrap();
        place.write(Manner::RESULT, |out| out.write_all(b"x")).unwrap();
        assert!(!place.is_still_there().unwrap());
        assert!(at("moved/out").exists() && !at("elsewhere/out").exists());
    }
}
