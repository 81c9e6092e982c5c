//! What the files of a repository say of where it is, without asking git.

use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// The longest `.git` file or `HEAD` that is read, in bytes.
const MAX_POINTER: u64 = 8 * 1024;

/// Why a repository's files do not say where it is.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// A file cannot be read.
    #[error("cannot read '{path}'")]
    Read {
        /// What could not be read.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A `.git` that says nothing.
    #[error("'{root}' has a .git, but no valid repository is there: {message}")]
    Broken {
        /// The top of the work tree.
        root: PathBuf,
        /// What is wrong with it.
        message: String,
    },
}

/// The top of the work tree that `dir` is in: the nearest directory upward with a `.git`, be it a directory
/// or the file that linked work trees and submodules have. Starts no process.
pub fn root(dir: &Path) -> Option<PathBuf> {
    // Symbolic links are resolved first, as git does: the parent of a link is not where git looks.
    let dir = std::fs::canonicalize(dir).ok()?;
    dir.ancestors().find(|dir| has_repository(dir)).map(Path::to_owned)
}

/// Whether `dir` has a `.git` of whatever kind. One that cannot be looked at, or that leads nowhere, is one that
/// cannot be read, and not none: whoever breaks it must not be judged as if there were no repository.
pub fn has_repository(dir: &Path) -> bool {
    !dir.join(".git").symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// The administrative directory of the work tree at `root`.
///
/// # Errors
/// A [`PlaceError`].
pub fn git_dir(root: &Path) -> Result<PathBuf, PlaceError> {
    let dot_git = root.join(".git");
    if dot_git.is_dir() {
        return Ok(dot_git);
    }
    let text = pointer(&dot_git)?;
    let Some(target) = text.strip_prefix("gitdir:") else {
        return Err(PlaceError::Broken {
            root: root.to_owned(),
            message: "its .git is a file that does not begin with 'gitdir:'".to_owned(),
        });
    };
    Ok(root.join(target.trim()))
}

/// Whether the work tree at `root` is one that `git worktree add` linked to the repository whose main work tree is at
/// `main`. What cannot be read is none.
pub fn is_linked(root: &Path, main: &Path) -> bool {
    let (Ok(own), Ok(common)) = (git_dir(root), git_dir(main)) else { return false };
    match (std::fs::canonicalize(own), std::fs::canonicalize(common.join("worktrees"))) {
        (Ok(own), Ok(linked)) => own.parent() == Some(linked.as_path()),
        _ => false,
    }
}

/// The directory that linked work trees share: its refs are the branches.
///
/// # Errors
/// A [`PlaceError`].
pub fn common_dir(git_dir: &Path) -> Result<PathBuf, PlaceError> {
    match pointer(&git_dir.join("commondir")) {
        Ok(text) => Ok(git_dir.join(text.trim_end())),
        Err(PlaceError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {
            Ok(git_dir.to_owned())
        }
        Err(error) => Err(error),
    }
}

/// The error for what is not a regular file.
pub fn not_a_file(path: PathBuf) -> PlaceError {
    PlaceError::Read {
        path,
        source: std::io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"),
    }
}

/// At most `limit` bytes of a regular file. Another kind is never opened: to open a pipe is to wait for a writer.
///
/// # Errors
/// A [`PlaceError`].
pub fn bytes_of(path: &Path, limit: u64) -> Result<Vec<u8>, PlaceError> {
    let read = |source| PlaceError::Read { path: path.to_owned(), source };
    if !std::fs::metadata(path).map_err(read)?.is_file() {
        return Err(not_a_file(path.to_owned()));
    }
    let mut options = std::fs::OpenOptions::new();
    // It may have become a pipe since.
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = options.read(true).custom_flags(nonblocking).open(path).map_err(read)?;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).map_err(read)?;
    Ok(bytes)
}

/// A small text file of the administration.
///
/// # Errors
/// [`PlaceError::Read`].
pub fn pointer(path: &Path) -> Result<String, PlaceError> {
    let odd = |problem| PlaceError::Read {
        path: path.to_owned(),
        source: std::io::Error::new(ErrorKind::InvalidData, problem),
    };
    let bytes = bytes_of(path, MAX_POINTER + 1)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_POINTER) {
        return Err(odd("it is longer than 8 KiB"));
    }
    String::from_utf8(bytes).map_err(|_| odd("it is not UTF-8"))
}
