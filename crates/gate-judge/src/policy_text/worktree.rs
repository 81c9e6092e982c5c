//! The policy as it lies in a work tree.
//!
//! A change under review decides what lies there, so it is read as strictly as a revision: below the top of the work
//! tree no link is followed, and only regular files outside of `.git` are read ([`Folder`]). What is quoted in an error
//! comes from such a file only. A path that a person named may lead anywhere, but its file may be no link.

use std::path::{Component, Path, PathBuf};

use gate_identity::folder::{FileError, Folder};
use gate_identity::git::place;

use super::{FILE_NAME, Loaded, MAX_BYTES, TextError, around, assemble, refuse_unrecordable, text_of};

/// Where a policy was found.
struct Found {
    /// The folder below which no link is followed, opened once: everything is read from it.
    top: Folder,
    /// The policy's file, below `top`.
    below: PathBuf,
    /// The same as one path.
    path: PathBuf,
}

/// Finds, reads and parses the policy: the one at `path`, else the nearest from `cwd` upward.
///
/// # Errors
/// A [`TextError`].
pub fn load(cwd: &Path, path: Option<&Path>) -> Result<Loaded, TextError> {
    let found = match path {
        Some(path) => named(cwd, path)?,
        None => nearest(cwd)?,
    };
    let chosen = path;
    let Found { top, below, path } = &found;
    let name = chosen.map_or_else(|| shortened(path, cwd), |path| path.display().to_string());
    let bytes = top.read(below, MAX_BYTES).map_err(|error| refused(path, error))?;
    let text = text_of(path, bytes)?;
    let signature = signature(&found, cwd)?;
    let folder = below.parent().unwrap_or(Path::new(""));
    let read = |relative: &str| trusted(top, &folder.join(relative));
    let dir = path.parent().unwrap_or(cwd).to_owned();
    assemble(text, name, dir, "worktree".to_owned(), signature, &read)
}

/// The path as a person in `cwd` would write it.
fn shortened(path: &Path, cwd: &Path) -> String {
    path.strip_prefix(cwd).unwrap_or(path).display().to_string()
}

/// The nearest `gate.toml` from `start` upward, no further than the git root.
fn nearest(start: &Path) -> Result<Found, TextError> {
    let root = place::root(start).unwrap_or_else(|| start.to_owned());
    let top = Folder::open(&root).map_err(|error| refused(&root, error))?;
    let mut first: Option<PathBuf> = None;
    for dir in start.strip_prefix(&root).unwrap_or(Path::new("")).ancestors() {
        let below = dir.join(FILE_NAME);
        if !top.has(&below).map_err(|error| refused(&root.join(&below), error))? {
            continue;
        }
        if let Some(first) = first {
            return Err(TextError::Second(root.join(first), root.join(below)));
        }
        first = Some(below);
    }
    let Some(below) = first else { return Err(TextError::NotFound(start.to_owned())) };
    let path = root.join(&below);
    match around::in_worktree(&root) {
        Some(outer) => Err(TextError::Nested { inner: path, outer }),
        None => Ok(Found { top, below, path }),
    }
}

/// The file that a person named. Below the top of the work tree it is found as strictly as any other.
fn named(cwd: &Path, path: &Path) -> Result<Found, TextError> {
    let path = plain(&cwd.join(path));
    let root = place::root(cwd);
    // The work tree may itself be reached through a link.
    let is_root = |dir: &&Path| root.is_some() && dir.canonicalize().ok() == root;
    let parent = path.parent().unwrap_or(Path::new("/"));
    let folder = path.ancestors().skip(1).find(is_root).unwrap_or(parent);
    let top = Folder::open(folder).map_err(|error| refused(&path, error))?;
    let below = path.strip_prefix(folder).unwrap_or(&path).to_owned();
    Ok(Found { top, below, path })
}

/// An absolute path without `.` and `..`, by its text: what a link on the way leads to does not count.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            other => plain.push(other),
        }
    }
    plain
}

/// The owner's signature beside a policy, where there is one.
fn signature(found: &Found, cwd: &Path) -> Result<Option<String>, TextError> {
    let beside = |path: &Path| {
        let name = path.file_name().unwrap_or(FILE_NAME.as_ref()).to_string_lossy();
        path.with_file_name(format!("{name}.sig"))
    };
    let path = beside(&found.path);
    match found.top.read(&beside(&found.below), MAX_BYTES) {
        Err(FileError::Missing) => Ok(None),
        Err(error) => Err(refused(&path, error)),
        Ok(bytes) => {
            let text = text_of(&path, bytes)?;
            refuse_unrecordable(shortened(&path, cwd), &text)?;
            Ok(Some(text))
        }
    }
}

fn trusted(top: &Folder, below: &Path) -> Result<String, String> {
    let bytes = top.read(below, MAX_BYTES).map_err(|error| error.to_string())?;
    String::from_utf8(bytes)
        .map_err(|error| format!("byte {} is not UTF-8", error.utf8_error().valid_up_to()))
}

fn refused(path: &Path, error: FileError) -> TextError {
    let path = path.to_owned();
    match error {
        FileError::Missing => TextError::Read { path, source: std::io::ErrorKind::NotFound.into() },
        FileError::Io(source) => TextError::Read { path, source },
        FileError::NotAFile => TextError::NotAFile(path),
        FileError::TooLarge(_) => TextError::TooLarge(path),
        error @ (FileError::Link(_) | FileError::Outside) => TextError::NotPlain { path, source: error },
    }
}
