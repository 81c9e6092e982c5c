//! What can be learned of a repository without starting a process: where it is, and what HEAD is attached to.

use std::path::{Path, PathBuf};

use gate_identity::git::place::{common_dir, git_dir, has_repository, not_a_file, pointer};

use super::error::GitError;

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
            return Err(not_a_file(path).into());
        }
    }
    Ok(())
}
