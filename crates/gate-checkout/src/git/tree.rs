//! Files of one pinned revision: what `--policy-ref` reads.
//!
//! Invariants: the revision is named exactly, by a full object id or a full `refs/…` name, and never falls
//! back to anything else; after that only object ids are asked for, each checked by its hash; a symbolic
//! link or a submodule anywhere on a path is refused, since what it leads to is not of this tree.
//! Directories are read as the tree objects they are, so no path is ever a pattern.

use std::path::{Path, PathBuf};

use gate_identity::git::is_object_id;

use super::error::GitError;
use super::listing::{self, Entry};
use super::object::{Answer, Object, Store};
use super::resolve;

/// The largest file that is read, in bytes.
pub const MAX_FILE: u64 = 1024 * 1024;
/// The largest directory listing that is read, in bytes.
const MAX_TREE: u64 = 16 * 1024 * 1024;
/// The largest tag object that is read, in bytes.
const MAX_TAG: u64 = 1024 * 1024;
/// How many tags may point at each other before the commit.
const MAX_TAGS: usize = 8;

/// A commit whose files can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    root: PathBuf,
    commit: String,
    tree: String,
}

/// Why a revision, or a file in it, cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RevError {
    /// The name is short, or relative.
    #[error(
        "'{rev}' is neither a full object id (40 or 64 hexadecimal digits) nor a full refs/… name\nfor a branch, write refs/heads/NAME or refs/remotes/origin/NAME"
    )]
    Name {
        /// What was asked for, made safe to show.
        rev: String,
    },
    /// There is no such object or ref.
    #[error(
        "'{rev}' does not exist in the repository at '{root}'\nfetch it first; nothing else is tried in its place"
    )]
    Missing {
        /// What was asked for.
        rev: String,
        /// The top of the work tree.
        root: PathBuf,
    },
    /// It names a file or a directory, not a commit.
    #[error("'{rev}' names a {kind}, not a commit")]
    NotCommit {
        /// What was asked for.
        rev: String,
        /// What it is.
        kind: String,
    },
    /// The path is not one within the tree.
    #[error("'{path}' {problem}; write a path relative to the top of the repository")]
    Path {
        /// The path, made safe to show.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A component of the path is a symbolic link, a submodule, or otherwise no plain file or directory.
    #[error("'{path}' cannot be read from commit {commit}: '{component}' is {what}")]
    Refused {
        /// The path, made safe to show.
        path: String,
        /// The commit.
        commit: String,
        /// The component at fault.
        component: String,
        /// What it is.
        what: &'static str,
    },
    /// The file is larger than [`MAX_FILE`].
    #[error("'{path}' in commit {commit} has {size} bytes; at most {MAX_FILE} are read")]
    TooLarge {
        /// The path.
        path: String,
        /// The commit.
        commit: String,
        /// Its size in bytes.
        size: u64,
    },
    /// Git failed, or an object is not what its id stands for.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// Pins the commit that `rev` names: a full object id (of a commit, or of a tag that leads to one), or a
/// full ref name, which is taken exactly.
///
/// # Errors
/// A [`RevError`]; there is no fallback.
pub fn pin(root: &Path, rev: &str) -> Result<Revision, RevError> {
    let shown = || gate_model::text::visible(rev);
    let missing = || RevError::Missing { rev: shown(), root: root.to_owned() };
    let folded = rev.to_ascii_lowercase();
    let id = if is_object_id(&folded) {
        folded
    } else if resolve::is_full_ref(rev) {
        resolve::exact_ref(root, rev)?.ok_or_else(missing)?
    } else {
        return Err(RevError::Name { rev: shown() });
    };
    let mut store = Store::open(root)?;
    let commit = peel(&mut store, id, rev)?.ok_or_else(missing)?;
    let tree = store.commit(&commit)?.tree;
    Ok(Revision { root: root.to_owned(), commit, tree })
}

/// Follows tags to the commit; `None` where an object is missing.
fn peel(store: &mut Store, id: String, rev: &str) -> Result<Option<String>, RevError> {
    let not_commit =
        |kind: &str| RevError::NotCommit { rev: gate_model::text::visible(rev), kind: kind.to_owned() };
    let mut id = id;
    for _ in 0..MAX_TAGS {
        let object = match store.object(&id, MAX_TAG)? {
            Answer::Found(object) => object,
            Answer::Missing => return Ok(None),
            Answer::TooLarge { .. } => return Err(not_commit("large object")),
        };
        match object.kind.as_str() {
            "commit" => return Ok(Some(object.id)),
            "tag" => id = tagged(&object).ok_or_else(|| not_commit("malformed tag"))?,
            other => return Err(not_commit(other)),
        }
    }
    Err(not_commit("long chain of tags"))
}

/// The id in a tag's first line, `object <id>`.
fn tagged(tag: &Object) -> Option<String> {
    let line = tag.bytes.split(|byte| *byte == b'\n').next()?.strip_prefix(b"object ")?;
    std::str::from_utf8(line).ok().filter(|id| is_object_id(id)).map(str::to_owned)
}

impl Revision {
    /// The full commit id.
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// The bytes of the file `path` (relative to the top, `/` between parts) in this revision, or `None`
    /// where it has no such file.
    ///
    /// # Errors
    /// A [`RevError`], also for a symbolic link or submodule on the way, and for more than [`MAX_FILE`].
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, RevError> {
        let parts = parts(path)?;
        let mut store = Store::open(&self.root)?;
        let mut id = self.tree.clone();
        for (depth, part) in parts.iter().enumerate() {
            let last = depth + 1 == parts.len();
            let component = || parts.iter().take(depth + 1).copied().collect::<Vec<_>>().join("/");
            let Some(entry) = self.entry(&mut store, &id, part, path)? else { return Ok(None) };
            match (entry.mode.as_str(), last) {
                ("40000" | "040000", false) | ("100644" | "100755" | "100664", true) => id = entry.id,
                // Below a plain file there is nothing.
                ("100644" | "100755" | "100664", false) => return Ok(None),
                (mode, _) => return Err(self.refused(path, &component(), describe(mode))),
            }
        }
        self.blob(&mut store, &id, path).map(Some)
    }

    /// The entry called `name` in the directory `tree`.
    fn entry(
        &self,
        store: &mut Store,
        tree: &str,
        name: &str,
        path: &str,
    ) -> Result<Option<Entry>, RevError> {
        let object = match store.object(tree, MAX_TREE)? {
            Answer::Found(object) if object.kind == "tree" => object,
            Answer::Found(_) => return Err(self.refused(path, name, "below an object that is no directory")),
            Answer::Missing => return Err(self.absent(tree)),
            Answer::TooLarge { .. } => {
                return Err(self.refused(path, name, "in a directory of more than 16 MiB"));
            }
        };
        listing::find(&object.bytes, name.as_bytes(), tree.len() / 2)
            .map_err(|what| self.refused(path, name, what))
    }

    fn blob(&self, store: &mut Store, id: &str, path: &str) -> Result<Vec<u8>, RevError> {
        match store.object(id, MAX_FILE)? {
            Answer::Found(object) if object.kind == "blob" => Ok(object.bytes),
            Answer::Found(_) => Err(self.refused(path, path, "not stored as a file")),
            Answer::Missing => Err(self.absent(id)),
            Answer::TooLarge { size } => Err(RevError::TooLarge {
                path: gate_model::text::visible(path),
                commit: self.commit.clone(),
                size,
            }),
        }
    }

    fn refused(&self, path: &str, component: &str, what: &'static str) -> RevError {
        let shown = gate_model::text::visible;
        RevError::Refused {
            path: shown(path),
            commit: self.commit.clone(),
            component: shown(component),
            what,
        }
    }

    /// An object of the tree that is not here: the clone is partial, or damaged.
    fn absent(&self, id: &str) -> RevError {
        RevError::Git(GitError::Object {
            id: id.to_owned(),
            root: self.root.clone(),
            problem: "is missing; fetch it first (nothing is fetched here)",
        })
    }
}

/// The components of a path within a tree.
fn parts(path: &str) -> Result<Vec<&str>, RevError> {
    let refuse = |problem| Err(RevError::Path { path: gate_model::text::visible(path), problem });
    if path.starts_with('/') {
        return refuse("is absolute");
    }
    let parts: Vec<&str> = path.split('/').filter(|part| *part != ".").collect();
    if parts.iter().any(|part| part.is_empty()) || parts.is_empty() {
        return refuse("has an empty part");
    }
    if parts.contains(&"..") {
        return refuse("leads out of its directory ('..')");
    }
    if path.contains('\0') {
        return refuse("holds a NUL");
    }
    Ok(parts)
}

/// What a mode that is refused stands for.
fn describe(mode: &str) -> &'static str {
    match mode {
        "120000" => "a symbolic link, which is not followed",
        "160000" => "a submodule, which is another repository",
        "40000" | "040000" => "a directory",
        _ => "neither a file nor a directory",
    }
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn a_path_stays_within_the_tree() {
        assert_eq!(parts("a/b").unwrap(), ["a", "b"]);
        assert_eq!(parts("./a/./b").unwrap(), ["a", "b"]);
        for path in ["", ".", "/a", "a//b", "a/", "../a", "a/../b", "a/..", "a\0b"] {
            assert!(parts(path).is_err(), "{path:?}");
        }
    }
}
