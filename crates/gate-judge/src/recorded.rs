//! Policies as ledger entries hold them: hashed again and parsed.

use gate_ledger::entry::Entry;
use gate_model::payload::PolicyData;
use gate_policy::Policy;

use crate::lifting::Trust;
use crate::policy_text;
use crate::records;

/// A policy as the ledger holds it.
#[derive(Debug)]
pub struct Recorded {
    /// The rules.
    pub policy: Policy,
    /// Text, trusted files, source.
    pub data: PolicyData,
    /// The entry that holds it.
    pub seq: u64,
}

impl Recorded {
    /// The rules, and the keys that they trust.
    pub fn trust(&self) -> Trust<'_> {
        (&self.policy, &self.data.files)
    }
}

/// Why a recorded policy cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPolicy {
    /// No entry holds it.
    #[error("the ledger does not hold the policy {0}")]
    Missing(String),
    /// The entry's text does not have the digest that it claims.
    #[error("the policy entry {0} does not have the digest that it claims")]
    Digest(u64),
    /// The entry cannot be read.
    #[error("the policy entry {seq} cannot be read: {reason}")]
    Malformed {
        /// The entry.
        seq: u64,
        /// Why.
        reason: String,
    },
}

impl NoPolicy {
    /// The entry that cannot be used; nothing where there is none.
    pub const fn seq(&self) -> Option<u64> {
        match self {
            Self::Missing(_) => None,
            Self::Digest(seq) | Self::Malformed { seq, .. } => Some(*seq),
        }
    }
}

/// The text that `entry` holds, with its digest checked and not read any further.
///
/// # Errors
/// A [`NoPolicy`].
pub fn text(entry: &Entry) -> Result<PolicyData, NoPolicy> {
    let malformed = |reason: String| NoPolicy::Malformed { seq: entry.seq, reason };
    let data: PolicyData = records::data(entry).map_err(|error| malformed(error.to_string()))?;
    if policy_text::digest_of(&data.text, &data.files) != data.digest {
        return Err(NoPolicy::Digest(entry.seq));
    }
    Ok(data)
}

/// The policy that `entry` holds, with its digest checked.
///
/// # Errors
/// A [`NoPolicy`].
pub fn recorded(entry: &Entry) -> Result<Recorded, NoPolicy> {
    let data = text(entry)?;
    let malformed = |reason: String| NoPolicy::Malformed { seq: entry.seq, reason };
    let first =
        |errors: Vec<gate_policy::Diagnostic>| errors.first().map_or(String::new(), |e| e.message.clone());
    let policy = gate_policy::parse(&data.text).map_err(|errors| malformed(first(errors)))?;
    Ok(Recorded { policy, data, seq: entry.seq })
}
