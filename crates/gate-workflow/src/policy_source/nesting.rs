//! Policies outside of the work tree at hand.
//!
//! A change under review can turn a directory into a submodule, or bring a repository along, and a `gate.toml` in
//! it would then replace the rules of everything around it: the search ends at the root of the nearest work tree,
//! and a revision is looked up in that repository. So where a work tree lies inside another, a policy of the outer
//! one counts as a second policy. The ancestors are looked at and no more; only where there is an outer work tree
//! is git asked, for the same revision of that.

use std::path::{Path, PathBuf};

use gate_checkout::git;
use gate_checkout::git::tree::{RevError, Revision};

use gate_judge::policy_text::{Outer, around};

use super::PolicyError;

/// The same in the revision `name`, where the outer repository has it; else as it lies there.
///
/// # Errors
/// What git says of the outer repository.
pub(super) fn in_revision(root: &Path, name: &str) -> Result<Option<PathBuf>, PolicyError> {
    for outer in around(root) {
        let found = match git::tree::pin(&outer.root, name) {
            Ok(pinned) => in_tree(&outer, &pinned)?,
            // The commit of a nested repository need not be one of the outer repository.
            Err(RevError::Missing { .. }) => outer.on_disk(),
            Err(error) => return Err(error.into()),
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Whether a repository around the one at `root` has the file `path` itself in the revision `name`: then the inner
/// repository took its place.
///
/// # Errors
/// What git says of the outer repository.
pub(super) fn displaces(root: &Path, path: &Path, name: &str) -> Result<bool, PolicyError> {
    for outer in around(root) {
        let pinned = match git::tree::pin(&outer.root, name) {
            Ok(pinned) => pinned,
            Err(RevError::Missing { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        match pinned.read(&within(&outer.root, path)) {
            Ok(None) | Err(RevError::Refused { .. }) => {}
            Ok(Some(_)) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

fn in_tree(outer: &Outer, pinned: &Revision) -> Result<Option<PathBuf>, PolicyError> {
    for path in &outer.policies {
        if pinned.read(&within(&outer.root, path))?.is_some() {
            return Ok(Some(path.clone()));
        }
    }
    Ok(None)
}

fn within(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}
