//! Ledger entries read as what they record, and opt-outs named by their ID.

use gate_ledger::entry::{Draft, Entry, Kind};
use gate_ledger::store::{StoreError, View};
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

/// The entry's `data` as the type of its kind.
///
/// # Errors
/// [`Malformed`], with serde's reason.
pub fn data<T: DeserializeOwned>(entry: &Entry) -> Result<T, Malformed> {
    T::deserialize(&entry.data).map_err(|source| malformed(entry, source))
}

/// The entry's actor.
///
/// # Errors
/// [`Malformed`], with serde's reason.
pub fn actor(entry: &Entry) -> Result<Principal, Malformed> {
    serde::Deserialize::deserialize(&entry.actor).map_err(|source| malformed(entry, source))
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

/// Why an ID names nothing.
#[derive(Debug, thiserror::Error)]
pub enum IdError {
    /// Not the shape of an ID.
    #[error(
        "'{0}' is not an ID\nan ID is a number (the seq of an entry), or eight or more digits of an entry's hash"
    )]
    Shape(String),
    /// Nothing there.
    #[error("the ledger has no entry '{0}'\nlist the opt-outs with: gate-log --kind grant")]
    None(String),
    /// Several entries start with these digits.
    #[error("'{0}' fits several entries\ngive more digits")]
    Ambiguous(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The entry that `id` names: a seq, or eight or more digits of a hash (with or without `b3:`).
///
/// # Errors
/// An [`IdError`].
pub fn find(view: &View<'_>, id: &str) -> Result<Entry, IdError> {
    let none = || IdError::None(id.to_owned());
    let decimal = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    if decimal && let Some(entry) = id.parse().ok().map(|seq| view.entry(seq)).transpose()?.flatten() {
        return Ok(entry);
    }
    let hex = id.strip_prefix("b3:").unwrap_or(id);
    let is_prefix = (8..=64).contains(&hex.len()) && hex.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_prefix {
        return Err(if decimal { missing(view, id) } else { IdError::Shape(id.to_owned()) });
    }
    let mut found = view.by_hash_prefix(&hex.to_ascii_lowercase())?;
    match found.len() {
        0 => Err(none()),
        1 => Ok(found.remove(0)),
        _ => Err(IdError::Ambiguous(id.to_owned())),
    }
}

/// Why no entry has the number `id`: perhaps it was archived.
fn missing(view: &View<'_>, id: &str) -> IdError {
    let archived = || -> Result<Option<StoreError>, StoreError> {
        let Some((_, statement)) = view.archive()? else { return Ok(None) };
        Ok(id.parse().ok().and_then(|seq| StoreError::archived(&statement, seq)))
    };
    match archived() {
        Ok(Some(archived)) => archived.into(),
        Ok(None) => IdError::None(id.to_owned()),
        Err(error) => error.into(),
    }
}

/// The ID of the opt-out that an entry belongs to: its `ref`, else its own seq.
pub fn id_of(entry: &Entry) -> u64 {
    entry.reference.unwrap_or(entry.seq)
}

/// Whether `entry`, in the life of an opt-out, ends it: a revocation, or a review that does not accept it. Whatever the
/// entry is worth, that is the safe side.
pub fn ends_opt_out(entry: &Entry) -> bool {
    match entry.kind {
        Kind::Revocation => true,
        Kind::Review => entry.data.get("verdict").is_none_or(|verdict| verdict != "accepted"),
        _ => false,
    }
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
