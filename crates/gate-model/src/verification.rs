//! The verification document, `gate.verification/1`, which `gate-verify` prints.

use serde::{Deserialize, Serialize};

use crate::request::SeenHead;

/// The value of `schema`.
pub const SCHEMA: &str = "gate.verification/1";

/// What an offline check of a ledger found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Whether everything that was checked holds.
    pub ok: bool,
    /// How many entries were good, up to the first bad one.
    pub entries: u64,
    /// The newest good entry, or null where there is none.
    pub head: Option<SeenHead>,
    /// The ledger's id, or null where no genesis could be read.
    pub ledger: Option<String>,
    /// The first entry.
    pub genesis: Genesis,
    /// Where the verification began, if not at the first entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Begun>,
    /// What is not in the ledger any more because it was archived; left out where all of it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<Archived>,
    /// What a checkpoint covers, or null.
    pub anchored: Option<Anchored>,
    /// The first bad entry, or null.
    pub first_bad: Option<FirstBad>,
    /// What is odd but not wrong: `reformatted`, `unanchored`, `genesis: unpinned`, clocks that went back.
    pub warnings: Vec<Warning>,
    /// What judging again found, or null where it was not asked for.
    pub replay: Option<Replay>,
}

/// The ledger's first entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Genesis {
    /// Its hash, or null.
    pub hash: Option<String>,
    /// Whether something outside the ledger names this hash.
    pub pinned: bool,
}

/// Where a verification began: behind entries that were not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// How many entries, from the first, were taken on the word of the checkpoint's signer.
    pub size: u64,
    /// That checkpoint's origin line.
    pub origin: String,
}

/// Entries that were moved to an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archived {
    /// How many.
    pub entries: u64,
    /// They stood before this position.
    pub before: u64,
    /// The entry that holds the statement about them.
    pub statement: u64,
    /// Whether all of them were verified too, in their segments.
    pub verified: bool,
}

/// What a checkpoint covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchored {
    /// How many entries, from the first.
    pub size: u64,
    /// The checkpoint's origin line.
    pub origin: String,
    /// The witnesses that cosigned it and are trusted, in the order of the note.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub witnesses: Vec<Cosigned>,
}

/// When a witness saw a checkpoint, as it claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cosigned {
    /// The witness: its name in the quorum file, or its key's.
    pub name: String,
    /// The time of its cosignature, RFC 3339 UTC; seconds since 1970 where a calendar does not reach it.
    pub at: String,
}

/// The first bad entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstBad {
    /// Its position: the seq it should have.
    pub seq: u64,
    /// Why it is bad: a short code in kebab-case, then words.
    pub reason: String,
    /// The code alone.
    pub code: String,
}

/// Something odd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// A short code in kebab-case.
    pub code: String,
    /// The same in words.
    pub message: String,
    /// How many entries it concerns, where it concerns entries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
}

impl Warning {
    /// One that concerns no entry in particular.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), count: None, seq: None }
    }

    /// The same about so many entries, the first of which is at `seq`, as far as that is known.
    #[must_use]
    pub const fn about(mut self, count: Option<u64>, seq: Option<u64>) -> Self {
        self.count = count;
        self.seq = seq;
        self
    }
}

/// What judging every admission and decision again found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// How many were judged again.
    pub judged: u64,
    /// How many could not be judged since a name or a reason that they rest on was erased; `not_judged` holds them
    /// too.
    #[serde(default)]
    pub erased: u64,
    /// How many were decided by a judge that this build does not know, or rest on what such a one decided; `not_judged`
    /// holds them too, and a ledger with one is not ok: whoever forges an entry may write any number.
    #[serde(default)]
    pub unknown: u64,
    /// Those that come out otherwise.
    pub disagreements: Vec<Disagreement>,
    /// How many could not be judged, and why.
    pub not_judged: Vec<NotJudged>,
}

/// An entry that should not have come out as it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disagreement {
    /// The entry.
    pub seq: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// An entry that this build cannot judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotJudged {
    /// The entry.
    pub seq: u64,
    /// Why not.
    pub reason: String,
}
