//! Files of a work tree, read as strictly as those of a revision.
//!
//! A change under review can put a link, a pipe or a folder in the place of any file. So a path below an open folder
//! is walked one name after the other by descriptors, and no link is followed: what is read lies in the folder,
//! whatever happens to the names on the way. Only regular files are opened, since to open a pipe is to wait and to open a
//! device is to use it; and nothing of git's own administration is read, where credentials lie.
//!
//! Non-goals: paths that a person names from anywhere; only the last name of such a path may be no link.

use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

/// A folder, opened once.
#[derive(Debug)]
pub struct Folder {
    at: OwnedFd,
}

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is none.
    #[error("there is no such file")]
    Missing,
    /// A name on the way, or the file, is a symbolic link.
    #[error("'{}' is a symbolic link, which is not followed", .0.display())]
    Link(PathBuf),
    /// It leads out of the folder, or into git's administration.
    #[error("the path leads out of its folder or into .git")]
    Outside,
    /// It is a folder, a pipe or a device.
    #[error("it is not a regular file")]
    NotAFile,
    /// It is too large.
    #[error("it is larger than {0} bytes")]
    TooLarge(u64),
    /// The system refuses.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl From<Errno> for FileError {
    fn from(error: Errno) -> Self {
        match error {
            Errno::NOENT => Self::Missing,
            other => Self::Io(other.into()),
        }
    }
}

const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::RDONLY).union(OFlags::CLOEXEC);
/// Between the look at a file and its opening it can become a pipe: then nobody waits.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

impl Folder {
    /// Opens the folder at `path`, which a person named or which was found already: links are followed.
    ///
    /// # Errors
    /// A [`FileError`].
    pub fn open(path: &Path) -> Result<Self, FileError> {
        Ok(Self { at: rustix::fs::openat(CWD, path, FOLDER, Mode::empty())? })
    }

    /// Whether anything has the name `relative`, a link that leads nowhere included.
    ///
    /// # Errors
    /// A [`FileError`], but for [`FileError::Missing`].
    pub fn has(&self, relative: &Path) -> Result<bool, FileError> {
        match self.holder(relative) {
            Ok((_, name, folder)) => {
                match rustix::fs::statat(folder.as_ref().unwrap_or(&self.at), name, AtFlags::SYMLINK_NOFOLLOW)
                {
                    Ok(_) => Ok(true),
                    Err(Errno::NOENT) => Ok(false),
                    Err(error) => Err(error.into()),
                }
            }
            Err(FileError::Missing) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The bytes of the regular file `relative`, at most `limit` of them.
    ///
    /// # Errors
    /// A [`FileError`].
    pub fn read(&self, relative: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
        let (way, name, folder) = self.holder(relative)?;
        let folder = folder.as_ref().unwrap_or(&self.at);
        let seen = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        check_kind(&seen, &way)?;
        let file = rustix::fs::openat(folder, name, FILE, Mode::empty())?;
        check_kind(&rustix::fs::fstat(&file)?, &way)?;
        let mut bytes = Vec::new();
        std::fs::File::from(file).take(limit + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit { Err(FileError::TooLarge(limit)) } else { Ok(bytes) }
    }

    /// The path as it was walked, its last name, and the folder that holds it where that is not this one.
    fn holder<'p>(&self, relative: &'p Path) -> Result<(PathBuf, &'p Path, Option<OwnedFd>), FileError> {
        let mut way = PathBuf::new();
        let mut folder: Option<OwnedFd> = None;
        let mut names = relative.components().filter(|part| *part != Component::CurDir).peekable();
        while let Some(part) = names.next() {
            let Component::Normal(name) = part else { return Err(FileError::Outside) };
            if name.eq_ignore_ascii_case(".git") {
                return Err(FileError::Outside);
            }
            way.push(name);
            if names.peek().is_none() {
                return Ok((way, Path::new(name), folder));
            }
            let at = folder.as_ref().unwrap_or(&self.at);
            if FileType::from_raw_mode(rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode)
                == FileType::Symlink
            {
                return Err(FileError::Link(way));
            }
            folder = Some(rustix::fs::openat(at, name, FOLDER.union(OFlags::NOFOLLOW), Mode::empty())?);
        }
        Err(FileError::NotAFile)
    }
}

fn check_kind(stat: &Stat, way: &Path) -> Result<(), FileError> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(()),
        FileType::Symlink => Err(FileError::Link(way.to_owned())),
        _ => Err(FileError::NotAFile),
    }
}

#[cfg(test)]
mod tests {
    use super::{FileError, Folder};
    use std::os::unix::fs::symlink;
    use std::path::Path;

    fn read(folder: &Path, relative: &str) -> Result<Vec<u8>, FileError> {
        Folder::open(folder).unwrap().read(Path::new(relative), 8)
    }

    #[test]
    fn plain_files_below_the_folder_are_read() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("a")).unwrap();
        std::fs::write(dir.path().join("a/b"), "text").unwrap();
        assert_eq!(read(dir.path(), "a/b").unwrap(), b"text");
        assert_eq!(read(dir.path(), "./a/./b").unwrap(), b"text");
        assert!(matches!(read(dir.path(), "a/c"), Err(FileError::Missing)));
        assert!(matches!(read(dir.path(), "c/b"), Err(FileError::Missing)));
        assert!(matches!(read(dir.path(), "a"), Err(FileError::NotAFile)));
        std::fs::write(dir.path().join("long"), "123456789").unwrap();
        assert!(matches!(read(dir.path(), "long"), Err(FileError::TooLarge(8))));
    }

    #[test]
    fn no_link_is_followed_at_any_place_of_the_path() {
        let dir = tempfile::tempdir().unwrap();
        let work = dir.path().join("work");
        std::fs::create_dir_all(work.join("real")).unwrap();
        std::fs::write(work.join("real/file"), "text").unwrap();
        std::fs::write(dir.path().join("secret"), "secret").unwrap();
        symlink("real", work.join("folder")).unwrap();
        symlink("file", work.join("real/last")).unwrap();
        symlink("../secret", work.join("out")).unwrap();
        symlink("nowhere", work.join("dangling")).unwrap();
        for path in ["folder/file", "real/last", "out", "dangling"] {
            assert!(matches!(read(&work, path), Err(FileError::Link(_))), "{path}");
        }
        assert!(Folder::open(&work).unwrap().has(Path::new("dangling")).unwrap());
    }

    #[test]
    fn nothing_outside_and_nothing_of_git_is_read() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(".git")).unwrap();
        std::fs::write(dir.path().join(".git/config"), "secret").unwrap();
        for path in [".git/config", ".GIT/config", "a/../.git/config", "/etc/passwd", "../x", "a/../b", ".."]
        {
            assert!(read(dir.path(), path).is_err(), "{path}");
        }
        assert!(matches!(read(dir.path(), ".git/config"), Err(FileError::Outside)));
    }

    #[test]
    fn a_pipe_is_refused_before_it_is_opened() {
        let dir = tempfile::tempdir().unwrap();
        let made = std::process::Command::new("mkfifo").arg(dir.path().join("pipe")).status().unwrap();
        assert!(made.success());
        assert!(matches!(read(dir.path(), "pipe"), Err(FileError::NotAFile)));
        assert!(matches!(read(Path::new("/dev"), "null"), Err(FileError::NotAFile)));
    }
}
