//! One entry of the ledger: the format, and reading and writing it.
//!
//! # The format, version 1
//!
//! An entry is one JSON object in the profile of [`crate::profile`]. Its *body* is the canonical form of
//! this object: members sorted by key, no white space, minimal escapes. Members:
//!
//! | member | type | meaning |
//! | --- | --- | --- |
//! | `actor` | object | who acts; for people a principal with `id` and `assurance` |
//! | `at` | string | when, as the writer's clock claims: `YYYY-MM-DDTHH:MM:SS.ffffffZ`, UTC, six digits |
//! | `data` | object | what the kind carries |
//! | `gate` | string | the gate it concerns; left out where there is none |
//! | `kind` | string | one of [`Kind::ALL`] |
//! | `ledger` | string | the ledger's id: 128 random bits, 32 lower-case hexadecimal digits |
//! | `prev` | string | the hash of the entry before it; `b3:` and 64 zeros in the first one |
//! | `ref` | integer | the ID of the opt-out it belongs to: a seq that is not above its own; left out where there is none |
//! | `seq` | integer | its position: 0, 1, 2, … without a gap |
//! | `v` | integer | the version of this format: 1 |
//!
//! No other member exists. One that is absent is left out, never null. In particular no body holds a member
//! `hash`.
//!
//! The *hash* of an entry is BLAKE3 in its key-derivation mode, with the context string
//! `gate-ledger v1 entry`, over the bytes of the body. Since `ledger`, `seq` and `prev` are within the body,
//! a hash binds an entry to its ledger, to its position and to everything before it.
//!
//! The first entry, *genesis*, has seq 0, kind `genesis`, a zero `prev`, and neither `gate` nor `ref`. No
//! other entry is of that kind.
//!
//! An *export* has one line for each entry: the body with `,"hash":"b3:…"` put before its closing brace. That
//! key sorts before `kind`, so a line is not itself canonical; this is on purpose, for it shows where the
//! body ends: a reader cuts the last member off and has the hashed bytes again.
//!
//! Each `v` has exactly one algorithm. `v` can rise only by an entry of the old `v` that says so; a reader
//! refuses a `v` that it does not know.
//!
//! # A worked example
//!
//! ```
//! use gate_ledger::entry::{Entry, EntryHash, Kind, hash};
//!
//! let body = concat!(
//!     r#"{"actor":{"assurance":"asserted","id":"os:alice","via":"os"},"at":"2026-11-22T16:30:35.123456Z","#,
//!     r#""data":{},"kind":"genesis","ledger":"000102030405060708090a0b0c0d0e0f","#,
//!     r#""prev":"b3:0000000000000000000000000000000000000000000000000000000000000000","seq":0,"v":1}"#,
//! );
//! let written = "b3:1ace896a888dfd695392149e0c65cd521659378e09dbf9f8555bce2464f77260";
//! assert_eq!(hash(body.as_bytes()).to_string(), written);
//!
//! let entry = Entry::from_body(body.as_bytes()).unwrap();
//! assert_eq!((entry.seq, entry.kind, entry.prev), (0, Kind::Genesis, EntryHash::ZERO));
//! assert!(entry.line().ends_with(&format!(r#""seq":0,"v":1,"hash":"{written}"}}"#)));
//! ```
//!
//! The same without any tool of ours, from a line of an export:
//!
//! ```sh
//! jq -cSj 'del(.hash)' line.json | b3sum --derive-key 'gate-ledger v1 entry'
//! ```
//!
//! The profile is what makes this exact: `jq -cS` writes its canonical form.

mod draft;
mod hash;
mod kind;
mod many;
mod part;

use crate::chain::{self, Bad};
use gate_model::exit::{Ends, Exit};
use gate_model::time::Timestamp;

pub use draft::{Draft, DraftError, Place};
pub use hash::{CONTEXT, EntryHash, HashError, hash};
pub use kind::Kind;
pub(crate) use many::ManyHasher;
pub use part::Part;

/// The version of the format that this build writes, and the only one that it reads.
pub const VERSION: u64 = 1;

/// One entry, with the bytes it was read from.
///
/// Whoever holds one knows that its fields come from its body and that `hash` was computed from it. Whether
/// it is in the chain is another question, which [`crate::chain`] and [`crate::store`] answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The position.
    pub seq: u64,
    /// The hash, computed from `body`.
    pub hash: EntryHash,
    /// The hash of the entry before it.
    pub prev: EntryHash,
    /// When, as the writer's clock claimed.
    pub at: Timestamp,
    /// What it records.
    pub kind: Kind,
    /// The gate it concerns.
    pub gate: Option<String>,
    /// The ID of the opt-out it belongs to (`ref`).
    pub reference: Option<u64>,
    /// Who acted; an object.
    pub actor: Part,
    /// What the kind carries; an object.
    pub data: Part,
    /// The ledger's id, 32 hexadecimal digits.
    pub ledger: String,
    /// The canonical bytes that are hashed.
    pub body: String,
}

/// Bytes that are not the body of an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct EntryError(#[from] pub Bad);

impl Ends for EntryError {
    // A body that cannot be read cannot be trusted.
    fn exit(&self) -> Exit {
        Exit::Distrust
    }
}

impl Entry {
    /// Reads an entry from the bytes of its body.
    ///
    /// # Errors
    /// The first reason why `body` is not exactly the canonical form of an entry of version 1.
    pub fn from_body(body: &[u8]) -> Result<Self, EntryError> {
        let (facts, written) = chain::inspect_whole(body)?;
        let text = |part| std::str::from_utf8(part).map_err(|_| Bad::member("entry", "is not UTF-8"));
        // The body was found canonical: where no key stands twice and no number is rounded, every reader of JSON reads the
        // same, and the fastest one serves.
        let gate = written.gate.map(serde_json::from_slice).transpose();
        Ok(Self {
            seq: facts.seq,
            hash: facts.hash,
            prev: facts.prev,
            at: facts.instant()?,
            kind: facts.kind,
            gate: gate.map_err(|_| Bad::member("gate", "is not a string"))?,
            reference: facts.reference,
            actor: Part::unread(text(written.actor)?),
            data: Part::unread(text(written.data)?),
            ledger: facts.ledger.to_string(),
            body: text(body)?.to_owned(),
        })
    }

    /// Whether its data says that it ends (`expires`) after `now`, an instant as it is written. What is not a text cannot be
    /// compared, and nothing that anybody may use has it.
    pub fn ends_after(&self, now: &str) -> bool {
        #[derive(serde::Deserialize)]
        struct Ends {
            expires: String,
        }
        self.data.read::<Ends>().is_ok_and(|ends| ends.expires.as_str() > now)
    }

    /// Reads the body of an entry that comes without those before it, as a proof has it: the first is genesis as it must
    /// be, and no other is.
    ///
    /// # Errors
    /// As [`Entry::from_body`], and [`Bad::Genesis`].
    pub fn from_proof(body: &[u8]) -> Result<Self, EntryError> {
        chain::check_alone(&chain::inspect(body)?)?;
        Self::from_body(body)
    }

    /// Reads an entry from its line of an export, without a newline: exactly what [`Entry::line`] writes.
    ///
    /// # Errors
    /// The first reason why `line` is none, or why its hash is not that of its body.
    pub fn from_line(line: &[u8]) -> Result<Self, EntryError> {
        Self::from_body(&read_line(line)?.0)
    }

    /// The line of an export, without its newline: the body with the hash as an additional last member.
    pub fn line(&self) -> String {
        let mut line = Vec::with_capacity(self.body.len() + LINE_EXTRA);
        write_line(&mut line, self.body.as_bytes(), self.hash);
        // The body came from a string and only ASCII was added.
        String::from_utf8(line).unwrap_or_default()
    }
}

/// How many bytes an exported line has beyond the body: `,"hash":"b3:<64>"`.
pub const LINE_EXTRA: usize = 77;

/// Appends to `out` the exported line of `body`, without a newline. `hash` is written as it is given: an
/// export of a damaged ledger shows the damage.
pub fn write_line(out: &mut Vec<u8>, body: &[u8], hash: EntryHash) {
    let open = body.strip_suffix(b"}").unwrap_or(body);
    out.extend_from_slice(open);
    out.extend_from_slice(b",\"hash\":\"b3:");
    out.extend_from_slice(blake3::Hash::from_bytes(hash.0).to_hex().as_bytes());
    out.extend_from_slice(b"\"}");
}

/// The body of an exported line without its newline, and what it says about its place.
///
/// # Errors
/// The first reason why `line` is none, or why its hash is not that of its body.
pub fn read_line(line: &[u8]) -> Result<(Vec<u8>, chain::Facts), EntryError> {
    let (comma, recorded) = cut_line(line).ok_or(Bad::HashMissing)?;
    let mut body = line[..=comma].to_vec();
    body[comma] = b'}';
    let facts = chain::inspect(&body)?;
    let computed = facts.hash;
    if computed == recorded { Ok((body, facts)) } else { Err(Bad::Hash { computed, recorded }.into()) }
}

/// Where the comma before the hash of an exported line is, and the hash. A brace in its place closes the body.
pub(crate) fn cut_line(line: &[u8]) -> Option<(usize, EntryHash)> {
    const BEFORE: &[u8] = b",\"hash\":\"";
    let comma = line.len().checked_sub(LINE_EXTRA + 1)?;
    let hash = line[comma..].strip_prefix(BEFORE)?.strip_suffix(b"\"}")?;
    Some((comma, EntryHash::read(hash)?))
}

#[cfg(test)]
mod tests;
