//! Facts from git, asked of the installed `git` by processes that a repository cannot bend.
//!
//! Invariants: every call clears `GIT_*` from the environment, ignores `git replace`, takes no optional
//! lock, starts no filter, hook, pager, fsmonitor or transport, and reads a bounded amount in a bounded time. What must be exact
//! (`--policy-ref`) is read by object id and hashed again here, so that neither a crafted name nor an
//! edited object file changes what is read.
//!
//! Known limit: without its filters (git-lfs is one) git compares what lies in the work tree with what was
//! committed as it is. A file that goes through a filter counts as changed where its size or time differs from
//! what git remembers, even if its content does not.
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
mod settings;
mod tracked;
pub mod tree;
mod watch;

pub use commit::{author, bytes as commit_bytes, parents};
pub use error::GitError;
pub use gate_identity::git::place::root;
pub use glance::{Glance, Glimpse, glance};
pub use inspect::{Inspection, inspect, look};
pub use resolve::{exact_ref, resolve};
pub use settings::{Setting, signing_settings};
pub use tracked::{first_tracked, tracked_link};

#[cfg(test)]
pub(crate) mod sandbox;
#[cfg(test)]
mod tests;
