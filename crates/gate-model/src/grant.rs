//! The grant document, `gate.grant/1`, which `gate-skip` prints.

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::finding::Evidence;
use crate::principal::Principal;
use crate::request::Renews;
use crate::scope::Scope;
use crate::time::Timestamp;

/// The value of `schema`.
pub const SCHEMA: &str = "gate.grant/1";

/// How a request ended, or where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The opt-out is live.
    Granted,
    /// It needs an approval.
    Pending,
    /// The policy does not allow it, or an approver rejected it.
    Denied,
    /// It was ended before its time.
    Revoked,
    /// A review was recorded.
    Reviewed,
    /// Nothing blocked, so nothing was asked for.
    Nothing,
}

/// The answer of `gate-skip`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// How the request ended, or where it stands.
    pub status: Status,
    /// The opt-out's ID, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// The gate's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// What it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// The findings that it accepts, where it is a waiver.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Evidence>,
    /// From when it counts (inclusive).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// When it ends (exclusive).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// How many decisions may use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u64>,
    /// What it renews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews: Option<Renews>,
    /// Who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Principal>,
    /// Who approved, and who can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvals: Option<Approvals>,
    /// A review that must follow, where the grant owes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owes: Option<Owes>,
    /// Why, as sentences; a denial names each rule that was tried and what would have satisfied it.
    pub reasons: Vec<String>,
    /// The seq of the entry that recorded this answer, or null.
    pub seq: Option<u64>,
}

/// Where the approvals of a request stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approvals {
    /// How many are needed.
    pub needed: u64,
    /// The people who approved, as the policy names them.
    pub given: Vec<String>,
    /// Who may approve: groups and people, as the rule writes them.
    pub from: Vec<String>,
}

/// A debt: a review by a deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owes {
    /// Always `review`.
    pub what: String,
    /// The deadline.
    pub by: Timestamp,
}
