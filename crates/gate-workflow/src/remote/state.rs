//! What can be said of a remote and its working copy.

use gate_model::request::SeenHead;
use serde::Serialize;

/// What a synchronisation did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Synced {
    /// Always `gate.sync/1`.
    pub schema: &'static str,
    /// The newest entry, here as there.
    pub head: SeenHead,
    /// How many entries came.
    pub received: u64,
    /// How many decisions that waited were recorded.
    pub sent: usize,
    /// How many times somebody else was first.
    pub lost: u32,
}

/// Where a remote and its working copy stand.
#[derive(Debug, Clone, Serialize)]
pub struct State {
    /// Always `gate.remote-state/1`.
    pub schema: &'static str,
    /// The remote as the policy names it.
    pub address: String,
    /// Where that is, as its helper says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Why it cannot be reached, where it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<String>,
    /// Its newest entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<SeenHead>,
    /// What it can beyond keeping order.
    pub can: Vec<&'static str>,
    /// The working copy's file.
    pub copy: String,
    /// Its newest entry, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copied: Option<SeenHead>,
    /// How many decisions wait to be sent.
    pub waiting: usize,
}
