//! The request document, `gate.request/1`: what somebody asks for, and what a signature covers.

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::finding::Evidence;
use crate::opening::WrittenOpening;
use crate::scope::Scope;
use crate::time::Timestamp;

/// The value of `schema`.
pub const SCHEMA: &str = "gate.request/1";

/// A request that can travel: written on one machine, admitted on another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The gate's name.
    pub gate: String,
    /// What is asked for.
    pub action: Action,
    /// Why. Where the document commits to it, this is what was put back, and is not signed.
    pub reason: String,
    /// The commitment to the reason, which is signed in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_c: Option<String>,
    /// The ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Who asks; the signature's key decides who that is.
    pub by: String,
    /// The commitment to the name, which is signed in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_c: Option<String>,
    /// What it shall be bound to.
    pub scope: Scope,
    /// What a waiver accepts; empty for the other actions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Evidence>,
    /// How long it shall last from its grant on.
    pub ttl: Ttl,
    /// How many decisions may use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u64>,
    /// Whether it invokes a break-glass rule.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub break_glass: bool,
    /// What it renews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews: Option<Renews>,
    /// The id of the ledger it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<String>,
    /// The digest of the policy it was written under.
    pub policy: String,
    /// The newest entry that the requester saw, if a ledger was at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_head: Option<SeenHead>,
    /// When it was written.
    pub requested_at: Timestamp,
    /// Until when it may be submitted: at most seven days later.
    pub submit_by: Timestamp,
    /// 128 random bits in hexadecimal, which a ledger accepts once.
    pub nonce: String,
    /// The armored SSHSIG over the canonical bytes of all other members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// The commit that it stands in, as a trailer, and whose signature is its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<InCommit>,
    /// The openings of what the document commits to: beside the document, neither signed nor recorded in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub openings: Vec<WrittenOpening>,
}

impl Request {
    /// Whether an opt-out rests on a request in a commit.
    pub fn is_in_commit(request: Option<&Self>) -> bool {
        request.is_some_and(|request| request.commit.is_some())
    }
}

/// Where a request in a commit stands. All other members follow from it, and from the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InCommit {
    /// The commit object as git stores it, its signature included.
    pub object: String,
    /// Which of its `Gate-Skip` trailers this is, from 1.
    pub trailer: u64,
}

/// A duration for people and for machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ttl {
    /// As people write it: `14d`.
    pub text: String,
    /// In seconds.
    pub seconds: u64,
}

impl Ttl {
    /// Both writings of `seconds`.
    pub fn of(seconds: u64) -> Self {
        Self { text: crate::time::format_duration(seconds), seconds }
    }
}

/// The opt-out that a request renews, and takes the place of once it is granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renews {
    /// Its ID.
    pub id: u64,
    /// The entry hash of its grant (`b3:…`).
    pub grant: String,
    /// Which renewal in a row this is, from 1.
    pub number: u64,
}

impl Renews {
    /// The renewal of the opt-out `id`, which was granted by the entry with the hash `grant`, and which renewed what
    /// `earlier` says.
    pub fn of(id: u64, grant: String, earlier: Option<&Self>) -> Self {
        Self { id, grant, number: earlier.map_or(0, |earlier| earlier.number).saturating_add(1) }
    }
}

/// An entry that was the ledger's newest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeenHead {
    /// Its position.
    pub seq: u64,
    /// Its hash (`b3:…`).
    pub hash: String,
}
