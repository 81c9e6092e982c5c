//! Whether git tracks a file: a ledger that a commit can put in place is no ledger.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use gate_identity::git::place::{self, PlaceError};

use super::error::GitError;
use super::process;

/// The most links on one way, as Linux has it (`path_resolution(7)`).
const MAX_LINKS: usize = 40;

/// The first of `files` that git tracks, or that has a tracked symbolic link on the way to it: either would let a commit
/// choose what is found there. They need not exist. None outside a work tree. The index of a work tree is read once for
/// all of them.
///
/// # Errors
/// A [`GitError`] where there is a repository and git cannot tell, or is not installed.
pub fn first_tracked(files: impl IntoIterator<Item = PathBuf>) -> Result<Option<PathBuf>, GitError> {
    let mut indexes = Indexes::default();
    for file in files {
        for candidate in candidates(&file)? {
            if indexes.have(&candidate)? {
                return Ok(Some(file));
            }
        }
    }
    Ok(None)
}

/// The first symbolic link on the way along `path` that stands where git tracks a file or a folder: a change under
/// review can put one there, and then whoever enters the folder is elsewhere without knowing it.
///
/// # Errors
/// A [`GitError`] where there is a repository and git cannot tell, or is not installed; a path that leads nowhere.
pub fn tracked_link(path: &Path) -> Result<Option<PathBuf>, GitError> {
    let read = |source| GitError::Read { path: path.to_owned(), source };
    let (mut at, mut left) = (PathBuf::new(), MAX_LINKS);
    let mut indexes = Indexes::default();
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
        if indexes.have(&next)? {
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

/// The index of each work tree that was asked about, as far as its bytes tell anything.
#[derive(Default)]
struct Indexes(HashMap<PathBuf, Index>);

/// What the bytes of an index file tell without asking git.
///
/// Versions 2 and 3 write each path out in full (gitformat-index(5)), so a path whose bytes occur nowhere is
/// not there. Version 4, a split index and a sparse one do not write every path; then git is asked, and so
/// it is where the bytes do occur, since they may be part of another path.
enum Index {
    /// There is none, so that it has no entry.
    Missing,
    /// It writes each path out.
    Plain(Vec<u8>),
    /// Only git can tell.
    Opaque,
}

impl Index {
    fn read(root: &Path) -> Self {
        let Ok(git_dir) = place::git_dir(root) else { return Self::Opaque };
        let index = match place::bytes_of(&git_dir.join("index"), u64::MAX) {
            Ok(index) => index,
            Err(PlaceError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {
                return Self::Missing;
            }
            Err(_) => return Self::Opaque,
        };
        let version = matches!(index.get(..8), Some(b"DIRC\0\0\0\x02" | b"DIRC\0\0\0\x03"));
        let has = |extension: &[u8]| memchr::memmem::find(&index, extension).is_some();
        if version && !has(b"link") && !has(b"sdir") { Self::Plain(index) } else { Self::Opaque }
    }

    fn surely_lacks(&self, relative: &Path) -> bool {
        match self {
            Self::Missing => true,
            Self::Plain(index) => {
                memchr::memmem::find(index, relative.as_os_str().as_encoded_bytes()).is_none()
            }
            Self::Opaque => false,
        }
    }
}

impl Indexes {
    /// Whether the index of the work tree around `path` (not followed) has exactly this entry.
    fn have(&mut self, path: &Path) -> Result<bool, GitError> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(false) };
        let parent = real(parent);
        // The parent itself may not exist; its work tree is then that of the nearest directory that does.
        let Some(root) = parent.ancestors().find(|dir| dir.is_dir()).and_then(place::root) else {
            return Ok(false);
        };
        let path = parent.join(name);
        let Ok(relative) = path.strip_prefix(&root) else { return Ok(false) };
        let index = self.0.entry(root.clone()).or_insert_with(|| Index::read(&root));
        if index.surely_lacks(relative) { Ok(false) } else { ask(&root, relative) }
    }
}

/// Asks git whether the index has this entry.
fn ask(root: &Path, relative: &Path) -> Result<bool, GitError> {
    // Paths are literal (--literal-pathspecs): a file called `*` is only that.
    let args = ["--error-unmatch".as_ref(), "-z".as_ref(), "--".as_ref(), relative.as_os_str()];
    // The answer is in the status; a directory of tracked files may print more than is read.
    let output = process::start(root, "ls-files", args)?.finish(64 * 1024)?;
    match output.status.code() {
        _ if output.cut => Ok(true),
        Some(0) => Ok(true),
        Some(1) if output.stderr.contains("did not match any file") => Ok(false),
        _ => Err(process::explain(root, "ls-files", &output)),
    }
}
