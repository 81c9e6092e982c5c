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

/// What a checkpoint covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchored {
    /// How many entries, from the first.
    pub size: u64,
    /// The checkpoint's origin line.
    pub origin: String,
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

/// What judging every admission and decision again found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// How many were judged again.
    pub judged: u64,
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
