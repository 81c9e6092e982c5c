//! Facts from git, asked of the installed `git` by processes that a repository cannot bend.
//!
//! Invariants: every call clears `GIT_*` from the environment, ignores `git replace`, takes no optional
//! lock, starts no hook, pager, fsmonitor or transport, and reads a bounded amount. What must be exact
//! (`--policy-ref`) is read by object id and hashed again here, so that neither a crafted name nor an
//! edited object file changes what is read.
//!
//! Known limit: `git status` compares files through the `clean` filters that the user's own git
//! configuration defines (git-lfs is one). A repository's `.gitattributes` can only name such a filter,
//! not define it.
//!
//! Non-goals: writing to a repository, fetching, bare repositories (a pipeline runs in a work tree).

mod commit;
mod error;
mod glance;
mod head;
mod inspect;
mod listing;
mod object;
mod process;
mod resolve;
mod tracked;
pub mod tree;

pub use commit::{author, parents};
pub use error::GitError;
pub use glance::{Glance, Glimpse, glance};
pub use head::{is_linked, root};
pub use inspect::{Inspection, inspect, look};
pub use resolve::{exact_ref, resolve};
pub use tracked::is_tracked;

#[cfg(test)]
pub(crate) mod sandbox;
#[cfg(test)]
mod tests;
