//! What can be learned of a repository without starting a process: where it is, and what HEAD is attached to.

use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::error::GitError;

/// The longest `.git` file or `HEAD` that is read, in bytes.
const MAX_POINTER: u64 = 8 * 1024;

/// What the file `HEAD` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Head {
    /// Attached to the ref of this full name.
    Attached(String),
    /// Detached: it holds an object id.
    Detached,
    /// It does not say (the reftable format, an old symbolic link): git must be asked.
    Unclear,
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
pub(super) fn git_dir(root: &Path) -> Result<PathBuf, GitError> {
    let dot_git = root.join(".git");
    if dot_git.is_dir() {
        return Ok(dot_git);
    }
    let text = pointer(&dot_git)?;
    let Some(target) = text.strip_prefix("gitdir:") else {
        return Err(GitError::Broken {
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

/// Reads `HEAD` in an administrative directory.
pub(super) fn head(git_dir: &Path) -> Result<Head, GitError> {
    let path = git_dir.join("HEAD");
    if path.is_symlink() {
        return Ok(Head::Unclear);
    }
    let text = pointer(&path)?;
    Ok(match text.strip_prefix("ref:").map(str::trim) {
        // Placeholder of the reftable format, see gitrepository-layout(5) and Documentation/technical.
        Some("refs/heads/.invalid") => Head::Unclear,
        Some(name) => Head::Attached(name.to_owned()),
        None => Head::Detached,
    })
}

/// Files that git opens without looking at what they are.
const ADMINISTRATION: [&str; 14] = [
    "HEAD",
    "commondir",
    "config",
    "config.worktree",
    "gitdir",
    "index",
    "info/attributes",
    "info/exclude",
    "info/grafts",
    "info/sparse-checkout",
    "objects/info/alternates",
    "objects/info/commit-graph",
    "packed-refs",
    "shallow",
];

/// Refuses a repository in whose administration, or at the top of whose work tree, a pipe or a device stands in the
/// place of a file: git would open it, and wait for ever.
///
/// # Errors
/// [`GitError::Read`].
pub(super) fn refuse_pipes(root: &Path) -> Result<(), GitError> {
    let mut files: Vec<PathBuf> =
        [".git", ".gitattributes", ".gitignore", ".gitmodules"].map(|name| root.join(name)).into();
    if has_repository(root) {
        let own = git_dir(root)?;
        let common = common_dir(&own)?;
        files.extend(ADMINISTRATION.iter().flat_map(|name| [own.join(name), common.join(name)]));
        if let Ok(Head::Attached(branch)) = head(&own) {
            files.push(common.join(branch));
        }
    }
    for path in files {
        // What is not there, or cannot be looked at, is for git to complain about.
        if path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            return Err(not_a_file(path));
        }
    }
    Ok(())
}

/// The directory that linked work trees share: its refs are the branches.
pub(super) fn common_dir(git_dir: &Path) -> Result<PathBuf, GitError> {
    match pointer(&git_dir.join("commondir")) {
        Ok(text) => Ok(git_dir.join(text.trim_end())),
        Err(GitError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(git_dir.to_owned()),
        Err(error) => Err(error),
    }
}

fn not_a_file(path: PathBuf) -> GitError {
    GitError::Read { path, source: std::io::Error::new(ErrorKind::InvalidInput, "it is not a regular file") }
}

/// At most `limit` bytes of a regular file. Another kind is never opened: to open a pipe is to wait for a writer.
pub(super) fn bytes_of(path: &Path, limit: u64) -> Result<Vec<u8>, GitError> {
    let read = |source| GitError::Read { path: path.to_owned(), source };
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
fn pointer(path: &Path) -> Result<String, GitError> {
    let odd = |problem| GitError::Read {
        path: path.to_owned(),
        source: std::io::Error::new(ErrorKind::InvalidData, problem),
    };
    let bytes = bytes_of(path, MAX_POINTER + 1)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_POINTER) {
        return Err(odd("it is longer than 8 KiB"));
    }
    String::from_utf8(bytes).map_err(|_| odd("it is not UTF-8"))
}
