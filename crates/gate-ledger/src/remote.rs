//! A ledger whose order is kept elsewhere: the protocol `gate.remote/1`, and what a working copy believes of it.
//!
//! Purpose: many machines write one ledger. A *remote* keeps the lines in order and says no to whoever was not
//! first; a *helper* speaks for it on two streams; a *working copy* is a ledger of [`crate::store`] that follows it.
//!
//! # The protocol
//!
//! One asks, the other answers, each message one line of JSON in the profile of [`crate::profile`]. What is asked is
//! written in canonical form, so that a helper in shell can look for `"ask":"read"`. Entries travel as the lines of
//! an export, unchanged; they begin with `{"actor":`, openings with `{"commitment":`, and no message begins like
//! either. `gate-remote(7)` specifies all of it, [`Ask`] and [`Answer`] are its messages.
//!
//! ```text
//! > {"ask":"hello","schema":"gate.remote/1"}
//! < {"answer":"hello","can":[],"head":{"hash":"b3:…","seq":41},"ledger":"…","schema":"gate.remote/1"}
//! > {"after":41,"ask":"read","most":10000,"schema":"gate.remote/1"}
//! < {"answer":"read","head":{"hash":"b3:…","seq":41},"lines":0,"schema":"gate.remote/1"}
//! > {"after":{"hash":"b3:…","seq":41},"ask":"append","lines":1,"openings":0,"schema":"gate.remote/1"}
//! > {"actor":…,"seq":42,"v":1,"hash":"b3:…"}
//! < {"answer":"appended","schema":"gate.remote/1"}
//! ```
//!
//! # What is believed
//!
//! Nothing but order. [`pull`] checks every line against the pinned first entry and the chain before it counts;
//! a remote that was rolled back, was forked, or is another ledger is found there. `appended` is believed, since
//! who lies about that is found at the next pull. `unknown` is never taken for either: [`settle`] asks whether our
//! lines are there, and sends the very same ones again where they are not. They can count once at most, because the
//! remote compares and sets.
//!
//! Bounds: [`MAX_LINES`] in one exchange, [`MAX_LINE`] bytes a line, [`MAX_MESSAGE`] bytes a message. Time is bounded
//! by whoever holds the streams.
//!
//! Not here: starting helpers, waiting, and any transport.

mod answer;
mod ask;
mod batch;
mod client;
mod error;
mod fallback;
mod front;
mod line;
mod message;
mod place;
mod publish;
mod pull;
mod serve;

use std::ops::ControlFlow;

use crate::archive::EntryRef;
use crate::chain::LedgerId;
use crate::commitment::Commitment;
use crate::entry::LINE_EXTRA;
use crate::profile::MAX_BYTES;

pub use answer::{Answer, Can, Hello};
pub use ask::Ask;
pub use batch::Kept;
pub use client::Client;
pub use error::{Failed, RemoteError, Why};
pub use place::{refuse_link, working_copy};
pub use publish::{Published, publish, settle};
pub use pull::{Expect, PullError, WorkingCopy, pull};
pub use serve::serve;

/// The schema of every message.
pub const SCHEMA: &str = "gate.remote/1";
/// The most lines that one exchange carries.
pub const MAX_LINES: u64 = 10_000;
/// How far the time of what is appended may be off the clock of a remote that has one, in seconds.
pub const MOST_OFF: u64 = 5 * 60;
/// The longest line of an entry, in bytes without its newline.
pub const MAX_LINE: usize = MAX_BYTES + LINE_EXTRA;
/// The longest message, in bytes without its newline.
pub const MAX_MESSAGE: usize = 256 << 10;
/// The longest sentence of the other side that is kept, in bytes.
pub const MAX_SENTENCE: usize = 4096;

/// What is sent together: all of it is taken, or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Entries as lines of an export, without newlines, in their order.
    pub lines: Vec<Vec<u8>>,
    /// The openings of what they commit to, as `gate-log export --openings` writes them; only where the remote can
    /// erase them.
    pub openings: Vec<Vec<u8>>,
    /// Whether they go on with a copy of a ledger that was made elsewhere: they have the times that they have. Only
    /// whoever may make ledgers there may say so.
    pub copied: bool,
}

/// What became of lines that were to be appended, or with which a ledger was to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// They are there.
    Taken,
    /// Somebody was first: `head` is the newest entry now, where the remote says so. Nothing was added.
    Moved(Option<EntryRef>),
    /// The other side does not want them, and says why. Nothing was added.
    Refused(String),
    /// Nobody knows: the answer was lost. They may be there, now or in a moment.
    Unknown(String),
}

/// Who is handed each line of an answer, without its newline; `Break` ends the answer early.
pub type Each<'e> = &'e mut dyn FnMut(&[u8]) -> ControlFlow<()>;

/// Something that keeps the lines of one ledger in order.
///
/// Implemented by whatever stores them, and by [`Client`], which asks somebody else.
pub trait Remote {
    /// What there is. `ledger` is the id of the ledger that is meant, where it is known.
    ///
    /// # Errors
    /// A [`RemoteError`] where it cannot be told.
    fn hello(&mut self, ledger: Option<LedgerId>) -> Result<Hello, RemoteError>;

    /// Hands the lines behind the position `after`, or all of them, to `each`: the first `most` of them (at most
    /// [`MAX_LINES`]). Returns the newest entry that the remote has, which may be further on; none where there is no
    /// ledger.
    ///
    /// # Errors
    /// [`RemoteError::Stopped`] where `each` broke off; another [`RemoteError`].
    fn read(
        &mut self,
        after: Option<u64>,
        most: u64,
        each: Each<'_>,
    ) -> Result<Option<EntryRef>, RemoteError>;

    /// Adds lines behind the entry `after`, which must be the newest one.
    ///
    /// # Errors
    /// A [`RemoteError`]; then nothing was added.
    fn append(&mut self, after: EntryRef, batch: &Batch) -> Result<Outcome, RemoteError>;

    /// Begins a ledger with lines, the first of which is its first entry. Where there is one already that is
    /// [`Outcome::Moved`].
    ///
    /// # Errors
    /// As [`Remote::append`].
    fn create(&mut self, batch: &Batch) -> Result<Outcome, RemoteError>;

    /// Drops the lines before the position `before`, but for those at `keep`; an entry of kind `archive` that is
    /// already there accounts for them.
    ///
    /// # Errors
    /// A [`RemoteError`]: [`Why::Unsupported`] unless it is overridden.
    fn forget(&mut self, before: u64, keep: &[u64]) -> Result<(), RemoteError> {
        let _ = (before, keep);
        Err(RemoteError::unsupported("drop lines that were archived"))
    }

    /// Hands the openings that came with the entries from `from` to `to` (inclusive) to `each`.
    ///
    /// # Errors
    /// As [`Remote::forget`].
    fn openings(&mut self, from: u64, to: u64, each: Each<'_>) -> Result<(), RemoteError> {
        let _ = (from, to, each);
        Err(RemoteError::unsupported("keep texts that can be erased"))
    }

    /// Erases the openings of `commitments`; returns how many there were.
    ///
    /// # Errors
    /// As [`Remote::forget`].
    fn erase(&mut self, commitments: &[Commitment]) -> Result<u64, RemoteError> {
        let _ = commitments;
        Err(RemoteError::unsupported("keep texts that can be erased"))
    }
}

#[cfg(test)]
mod tests;
