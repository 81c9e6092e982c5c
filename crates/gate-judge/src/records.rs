//! Ledger entries read as what they record.

use gate_ledger::entry::{Draft, Entry, Kind};
use gate_model::exit::{Ends, Exit};
use gate_model::principal::Principal;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An entry whose chain is whole but whose content is not what its kind promises.
#[derive(Debug, thiserror::Error)]
#[error("entry {seq} ({kind}) is not a well-formed one: {source}")]
pub struct Malformed {
    /// The entry.
    pub seq: u64,
    /// Its kind.
    pub kind: &'static str,
    /// What is wrong.
    pub source: serde_json::Error,
}

impl Ends for Malformed {
    fn exit(&self) -> Exit {
        Exit::Distrust
    }
}

/// The entry's `data` as the type of its kind.
///
/// # Errors
/// [`Malformed`], with serde's reason.
pub fn data<T: DeserializeOwned>(entry: &Entry) -> Result<T, Malformed> {
    entry.data.read().map_err(|source| malformed(entry, source))
}

/// The entry's actor.
///
/// # Errors
/// [`Malformed`], with serde's reason.
pub fn actor(entry: &Entry) -> Result<Principal, Malformed> {
    entry.actor.read().map_err(|source| malformed(entry, source))
}

const fn malformed(entry: &Entry, source: serde_json::Error) -> Malformed {
    Malformed { seq: entry.seq, kind: entry.kind.as_str(), source }
}

/// A draft of an entry about `gate`.
///
/// # Errors
/// Never for the types of gate-model; a failure of serialisation is passed on all the same.
pub fn draft<T: Serialize>(
    kind: Kind,
    gate: Option<&str>,
    reference: Option<u64>,
    actor: &Principal,
    data: &T,
) -> Result<Draft, serde_json::Error> {
    Ok(Draft {
        kind,
        gate: gate.map(str::to_owned),
        reference,
        actor: serde_json::to_value(actor)?,
        data: serde_json::to_value(data)?,
    })
}

/// The ID of the opt-out that an entry belongs to: its `ref`, else its own seq.
pub fn id_of(entry: &Entry) -> u64 {
    entry.reference.unwrap_or(entry.seq)
}

/// Whether `entry` grants a pause.
pub fn is_pause(entry: &Entry) -> bool {
    entry.kind == Kind::Grant && entry.data.get("action").is_some_and(|action| action == "pause")
}

/// Whether the request that `entry` carries has used up its nonce: it was granted, or it waits. A denial gave nothing
/// away. Whoever submits a copy, edited, or under another policy or with a wrong clock, must not be able to spend the
/// real one.
pub const fn takes_nonce(entry: &Entry) -> bool {
    matches!(entry.kind, Kind::Request | Kind::Grant)
}

/// The nonce of the signed request that `entry` carries.
pub fn nonce_of(entry: &Entry) -> Option<&str> {
    entry.data.get("request")?.get("nonce")?.as_str()
}

/// Whether `entry` is a denial that leaves its opt-out as it was: somebody may not do what they tried. Every other denial
/// with a `ref` ends a request.
pub fn is_refused_act(entry: &Entry) -> bool {
    entry.kind == Kind::Denial && entry.data.get("refused").is_some()
}
