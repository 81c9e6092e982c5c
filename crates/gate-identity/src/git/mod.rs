//! What git knows of a run, as facts that others may weigh: the checkout, and what a commit says.
//!
//! Nothing here asks git: gate-checkout does.

pub mod commit;
mod object_id;
pub mod place;
mod trailer;

use std::path::PathBuf;

pub use object_id::{hexadecimal, is_object_id, object_id};
pub use trailer::{Trailer, trailers};

/// What git knows of the work tree that a directory is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The top of the work tree, symbolic links resolved.
    pub root: PathBuf,
    /// Its administrative directory (`.git`, or where the `.git` file of a linked work tree points).
    pub git_dir: PathBuf,
    /// The full object id of HEAD; none on a branch without commits.
    pub head: Option<String>,
    /// The full name of the branch that HEAD is attached to; none where it is detached.
    pub branch: Option<String>,
    /// The parents of a detached HEAD, in order, as the commit itself names them (a shallow clone still
    /// does). Empty on a branch, where nothing rests on them.
    pub parents: Vec<String>,
    /// The remote `origin`, else the only one there is, as `host/path`; none for local paths.
    pub remote: Option<String>,
    /// Whether tracked files (or the commits that submodules are at) differ from HEAD; unknown where nobody asked, or git
    /// took too long to tell.
    pub dirty: Option<bool>,
}
