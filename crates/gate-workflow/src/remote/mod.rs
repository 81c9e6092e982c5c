//! A ledger whose order a remote keeps: the working copy follows it, and what is binding reaches it first.
//!
//! One transaction is: bring the working copy up to date, verify it whole, judge, append, hand the new lines over with
//! the entry that they follow, commit when they were taken. Whoever was not first begins again and **judges again**:
//! nothing is rebased, reconciled or forced.
//!
//! Invariants: what comes from a remote counts only as the continuation of a chain that begins with the pinned first
//! entry. The working copy that a verdict rests on was verified in this very run, and what follows it was accepted as
//! the continuation of its newest entry, so that it ends where the remote does. An entry that the remote did not take
//! is not in the working copy, and nothing rests on it. Each wait is bounded.
//!
//! Not here: the protocol ([`gate_ledger::remote`]) and the helpers that speak it (the caller connects).

mod copy;
mod crowd;
mod export;
mod helper;
mod link;
mod openings;
mod problem;
mod race;
mod session;
mod state;
mod transaction;
mod waiting;

use std::rc::Rc;
use std::time::Duration;

use gate_ledger::remote::{Remote, RemoteError};

pub use export::{copy_to, create, first};
pub use helper::through_helper;
pub use link::Link;
pub use problem::RemoteProblem;
pub(crate) use race::{jittered, mark};
pub use session::AT_LEAST_VARIABLE;
pub(crate) use session::Away;
pub use state::{State, Synced};

/// How long a transaction may lose races, or wait for an answer, before it gives up.
pub const WAIT: Duration = Duration::from_mins(1);

/// Connects to the helper for an address.
pub type Connect = Rc<dyn Fn(&str) -> Result<Box<dyn Remote>, RemoteError>>;
