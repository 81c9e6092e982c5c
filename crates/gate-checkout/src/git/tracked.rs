//! Whether git tracks a file: a ledger that a commit can put in place is no ledger.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use super::error::GitError;
use super::{head, process};

/// The most links on one way, as Linux has it (`path_resolution(7)`).
const MAX_LINKS: usize = 40;

/// Whether git tracks `file`, or a symbolic link on the way to it: either would let a commit choose what
/// is found there. The file need not exist. `false` outside a work tree.
///
/// # Errors
/// A [`GitError`] where there is a repository and git cannot tell, or is not installed.
pub fn is_tracked(file: &Path) -> Result<bool, GitError> {
    for candidate in candidates(file)? {
        if is_in_index(&candidate)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The first symbolic link on the way along `path` that stands where git tracks a file or a folder: a change under
/// review can put one there, and then whoever enters the folder is elsewhere without knowing it.
///
/// # Errors
/// A [`GitError`] where there is a repository and git cannot tell, or is not installed; a path that leads nowhere.
pub fn tracked_link(path: &Path) -> Result<Option<PathBuf>, GitError> {
    let read = |source| GitError::Read { path: path.to_owned(), source };
    let (mut at, mut left) = (PathBuf::new(), MAX_LINKS);
    let mut rest: Vec<OsString> = names(path);
    while let Some(name) = rest.pop() {
        if name == ".." {
            at.pop();
            continue;
        }
        let next = at.join(&name);
        if !next.is_symlink() {
            at = next;
            continue;
        }
        if is_in_index(&next)? {
            return Ok(Some(next));
        }
        left = left.checked_sub(1).ok_or_else(|| read(ErrorKind::InvalidInput.into()))?;
        let target = std::fs::read_link(&next).map_err(read)?;
        if target.is_absolute() {
            at = PathBuf::new();
        }
        rest.extend(names(&target));
    }
    Ok(None)
}

/// The names of a path, the last one first.
fn names(path: &Path) -> Vec<OsString> {
    path.components()
        .rev()
        .filter(|part| *part != Component::CurDir)
        .map(|part| part.as_os_str().to_owned())
        .collect()
}

/// The real place of `file`, and each symbolic link on the way.
fn candidates(file: &Path) -> Result<Vec<PathBuf>, GitError> {
    let read = |source| GitError::Read { path: file.to_owned(), source };
    let absolute = std::path::absolute(file).map_err(read)?;
    let mut found = vec![real(&absolute)];
    found.extend(absolute.ancestors().filter(|path| path.is_symlink()).map(Path::to_owned));
    Ok(found)
}

/// The place behind symbolic links; of what does not exist yet, below the nearest parent that does.
fn real(path: &Path) -> PathBuf {
    for parent in path.ancestors() {
        if let (Ok(parent_real), Ok(rest)) = (std::fs::canonicalize(parent), path.strip_prefix(parent)) {
            return if rest.as_os_str().is_empty() { parent_real } else { parent_real.join(rest) };
        }
    }
    path.to_owned()
}

/// Whether the index file itself shows that it cannot have this entry, without asking git.
///
/// Versions 2 and 3 write each path out in full (gitformat-index(5)), so a path whose bytes occur nowhere is
/// not there. Version 4, a split index and a sparse one do not write every path; then git is asked, and so
/// it is where the bytes do occur, since they may be part of another path.
fn is_surely_untracked(root: &Path, relative: &Path) -> bool {
    let Ok(git_dir) = head::git_dir(root) else { return false };
    let index = match head::bytes_of(&git_dir.join("index"), u64::MAX) {
        Ok(index) => index,
        Err(GitError::Read { source, .. }) => return source.kind() == ErrorKind::NotFound,
        Err(_) => return false,
    };
    let plain = matches!(index.get(..8), Some(b"DIRC\0\0\0\x02" | b"DIRC\0\0\0\x03"));
    let found = |needle: &[u8]| memchr::memmem::find(&index, needle).is_some();
    plain && !found(b"link") && !found(b"sdir") && !found(relative.as_os_str().as_encoded_bytes())
}

/// Whether the index of the work tree around `path` (not followed) has exactly this entry.
fn is_in_index(path: &Path) -> Result<bool, GitError> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(false) };
    let parent = real(parent);
    // The parent itself may not exist; its work tree is then that of the nearest directory that does.
    let Some(root) = parent.ancestors().find(|dir| dir.is_dir()).and_then(head::root) else {
        return Ok(false);
    };
    let path = parent.join(name);
    let Ok(relative) = path.strip_prefix(&root) else { return Ok(false) };
    if is_surely_untracked(&root, relative) {
        return Ok(false);
    }
    // Paths are literal (--literal-pathspecs): a file called `*` is only that.
    let args = ["--error-unmatch".as_ref(), "-z".as_ref(), "--".as_ref(), relative.as_os_str()];
    // The answer is in the status; a directory of tracked files may print more than is read.
    let output = process::start(&root, "ls-files", args)?.finish(64 * 1024)?;
    match output.status.code() {
        _ if output.cut => Ok(true),
        Some(0) => Ok(true),
        Some(1) if output.stderr.contains("did not match any file") => Ok(false),
        _ => Err(process::explain(&root, "ls-files", &output)),
    }
}
