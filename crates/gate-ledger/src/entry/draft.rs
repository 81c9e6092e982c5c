//! Entries that are not in a ledger yet.

use gate_model::exit::{Ends, Exit};
use gate_model::time::Timestamp;
use serde_json::Value;

use super::{Entry, EntryHash, Kind, VERSION};
use crate::chain::{self, Bad};
use crate::profile::{MAX_INTEGER, ProfileError, Writer};

/// What a writer decides about an entry; the ledger adds position, time and chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What it records.
    pub kind: Kind,
    /// The gate it concerns.
    pub gate: Option<String>,
    /// The ID of the opt-out it belongs to.
    pub reference: Option<u64>,
    /// Who acts; an object.
    pub actor: Value,
    /// What the kind carries; an object.
    pub data: Value,
}

/// Where an entry stands: what the ledger decides about it.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The ledger's id.
    pub ledger: &'a str,
    /// The position.
    pub seq: u64,
    /// The hash of the entry before it.
    pub prev: EntryHash,
    /// The time.
    pub at: Timestamp,
}

/// A draft that cannot become an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// A member holds what the profile excludes.
    #[error("its '{member}' cannot be recorded: {source}")]
    Profile {
        /// The member.
        member: &'static str,
        /// What is wrong; the offset counts from the start of the entry that would have been written.
        source: ProfileError,
    },
    /// What would have been written is no entry.
    #[error("it would not be a valid entry: {0}")]
    Invalid(#[from] Bad),
    /// The ledger is full: no further position can be written.
    #[error("no position after {MAX_INTEGER} can be written")]
    Full,
}

impl Ends for DraftError {
    // The input was wrong; nothing was recorded.
    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl Draft {
    /// The entry that this draft becomes at `place`.
    ///
    /// # Errors
    /// What the format excludes: what cannot be verified is never written.
    pub fn at(&self, place: Place<'_>) -> Result<Entry, DraftError> {
        if place.seq > MAX_INTEGER {
            return Err(DraftError::Full);
        }
        let body = self.body(place)?;
        // The same inspection that verification uses, so that no defect of the writer can reach the ledger.
        let facts = chain::inspect(body.as_bytes())?;
        Ok(Entry {
            seq: facts.seq,
            hash: facts.hash,
            prev: facts.prev,
            at: place.at,
            kind: facts.kind,
            gate: self.gate.clone(),
            reference: facts.reference,
            actor: self.actor.clone().into(),
            data: self.data.clone().into(),
            ledger: place.ledger.to_owned(),
            body,
        })
    }

    /// Writes the members in the order of their keys.
    fn body(&self, place: Place<'_>) -> Result<String, DraftError> {
        let within = |member| move |source| DraftError::Profile { member, source };
        let mut out = Writer::default();
        out.raw("{\"actor\":");
        out.value(&self.actor, 2).map_err(within("actor"))?;
        out.raw(&format!(",\"at\":\"{}\",\"data\":", place.at));
        out.value(&self.data, 2).map_err(within("data"))?;
        if let Some(gate) = &self.gate {
            out.raw(",\"gate\":");
            out.string(gate).map_err(within("gate"))?;
        }
        out.raw(&format!(",\"kind\":\"{}\",\"ledger\":", self.kind));
        out.string(place.ledger).map_err(within("ledger"))?;
        out.raw(&format!(",\"prev\":\"{}\"", place.prev));
        if let Some(reference) = self.reference {
            out.raw(&format!(",\"ref\":{reference}"));
        }
        out.raw(&format!(",\"seq\":{},\"v\":{VERSION}}}", place.seq));
        out.finish().map_err(within("data"))
    }
}
