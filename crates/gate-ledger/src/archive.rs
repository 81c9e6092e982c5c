//! Archives: entries that were moved out of a ledger, and the statement that lets the rest verify without them.
//!
//! Purpose: a ledger grows for ever, and old entries are rarely read. They are moved to *segments*, one file
//! for each time that somebody archived; what stays behind verifies alone as far as it can, and with the
//! segments as one ledger from its first entry to its last.
//!
//! # What stays
//!
//! Entries before a position N are moved but for genesis and every entry of kind `policy`, which are few and
//! are needed to judge what comes later. An entry of kind `archive` is appended in the transaction that
//! deletes the others; its `data` is the [`Statement`]. It is cumulative: the newest one describes all that
//! was ever moved, so that earlier ones may be moved themselves. N follows a moved entry: where the entry
//! before a position is kept, the position before that does just as well.
//!
//! # A segment
//!
//! A file `<ledger id>-<from>-<to>.jsonl.zst`: one Zstandard frame (RFC 8878) with the exported lines of the
//! entries from `from` up to but not including `to`, each exactly as `gate-log export` writes it. Kept entries
//! are in it too, so that a segment alone continues the chain of the one before it. Its digest is BLAKE3 in
//! key-derivation mode over the bytes of the file, with the context [`SEGMENT_CONTEXT`].
//!
//! # What can be believed
//!
//! The rest alone shows that the writer of the newest statement vouches for what is missing: the entry at N
//! names the hash of the last moved one, and the statement holds the tree over all of them, so that later
//! checkpoints still have their roots. What is signed is the statement as a whole: its checkpoint has an extension
//! line with the digest of everything else in it. It cannot show that the moved entries were good: the segments can.
//!
//! Not here: which entries may be moved (whoever knows what they mean decides), and where segments are kept.

use crate::entry::Kind;

mod digest;
mod segment;
mod statement;
mod write;

pub use digest::{SEGMENT_CONTEXT, SegmentDigest, digest_of};
pub(crate) use segment::{LineError, Lines};
pub use segment::{SegmentFile, is_segment};
pub use statement::{
    EntryRef, MAX_KEPT, NamedSegment, STATEMENT_CONTEXT, Statement, StatementError, segment_name,
};
pub use write::{WriteError, Writer};

/// Whether an entry of `kind` stays in its ledger whatever is archived.
pub const fn is_always_kept(kind: Kind) -> bool {
    matches!(kind, Kind::Genesis | Kind::Policy)
}
