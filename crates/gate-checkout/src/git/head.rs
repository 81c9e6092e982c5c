//! What can be learned of a repository without starting a process: where it is, and what HEAD is attached to.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

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
    dir.ancestors().find(|dir| dir.join(".git").exists()).map(Path::to_owned)
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

/// A small text file of the administration.
fn pointer(path: &Path) -> Result<String, GitError> {
    let read = |source| GitError::Read { path: path.to_owned(), source };
    // Opening a pipe would wait for a writer that never comes.
    if !std::fs::metadata(path).map_err(read)?.is_file() {
        return Err(read(std::io::Error::new(ErrorKind::InvalidInput, "it is not a regular file")));
    }
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(read)?;
    let length = file.take(MAX_POINTER + 1).read_to_string(&mut text).map_err(read)?;
    if u64::try_from(length).is_ok_and(|length| length > MAX_POINTER) {
        return Err(read(std::io::Error::new(ErrorKind::InvalidData, "it is longer than 8 KiB")));
    }
    Ok(text)
}
