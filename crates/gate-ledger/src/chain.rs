//! The chain: what makes bytes an entry, and an entry the next one.
//!
//! Purpose: the rules of the format as pure functions over bytes. [`inspect`] looks at one body alone, so
//! that many cores can do it at once; [`Chain`] then links what was found, in order, which costs next to
//! nothing. Everything that verifies, reads or appends goes through these two.
//!
//! Invariants: a body that [`inspect`] accepts is exactly the canonical form of an entry of version 1, and
//! the facts it returns come from those bytes. A [`Chain`] that accepted n entries has seen 0 to n−1 of one
//! ledger, each naming the hash of the one before it.
//!
//! Non-goals: no I/O; nothing about what `data` means; nothing about whether the chain's end was cut off,
//! which no chain can know (see [`crate::checkpoint`]).

mod bad;
mod facts;
mod link;

pub use bad::Bad;
pub use facts::{Facts, LedgerId, inspect};
pub(crate) use facts::{inspect_unhashed, inspect_whole};
pub(crate) use link::check_alone;
pub use link::{Chain, Linked, Start};

#[cfg(test)]
mod tests;
