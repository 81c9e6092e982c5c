//! The policies that the ledger's verdicts name, read back from its entries.
//!
//! A verdict names its policy by digest. The text is taken from the ledger, hashed again and parsed, so that
//! a grant can be derived again from the rules of its moment.

use std::collections::BTreeMap;
use std::rc::Rc;

use gate_ledger::entry::Kind;
use gate_ledger::store::{StoreError, Transaction, View};
use gate_model::payload::PolicyData;
use gate_model::principal::Principal;
use gate_policy::Policy;

use crate::policy_source::{self, Loaded};
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

/// Recorded policies, each read and parsed once.
#[derive(Debug, Default)]
pub struct Policies {
    known: BTreeMap<String, Result<Rc<Recorded>, NoPolicy>>,
}

impl Policies {
    /// The policy with `digest`.
    ///
    /// # Errors
    /// A failure of the store; the inner result says why the policy itself cannot be used.
    pub fn get(
        &mut self,
        view: &View<'_>,
        digest: &str,
    ) -> Result<Result<Rc<Recorded>, NoPolicy>, StoreError> {
        if let Some(known) = self.known.get(digest) {
            return Ok(known.clone());
        }
        let read = match view.policy(digest)? {
            Some(entry) => recorded(&entry).map(Rc::new),
            None => Err(NoPolicy::Missing(digest.to_owned())),
        };
        self.known.insert(digest.to_owned(), read.clone());
        Ok(read)
    }
}

/// The policy that `entry` holds, with its digest checked.
///
/// # Errors
/// A [`NoPolicy`].
pub fn recorded(entry: &gate_ledger::entry::Entry) -> Result<Recorded, NoPolicy> {
    let malformed = |reason: String| NoPolicy::Malformed { seq: entry.seq, reason };
    let data: PolicyData = records::data(entry).map_err(|error| malformed(error.to_string()))?;
    if policy_source::digest_of(&data.text, &data.files) != data.digest {
        return Err(NoPolicy::Digest(entry.seq));
    }
    let first =
        |errors: Vec<gate_policy::Diagnostic>| errors.first().map_or(String::new(), |e| e.message.clone());
    let policy = gate_policy::parse(&data.text).map_err(|errors| malformed(first(errors)))?;
    Ok(Recorded { policy, data, seq: entry.seq })
}

/// Why an entry could not be written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A document could not be written as JSON.
    #[error("cannot write the entry as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Records the policy in force where the ledger does not hold its digest from the same source yet.
///
/// # Errors
/// A [`RecordError`].
pub fn ensure_recorded(
    transaction: &mut Transaction<'_>,
    loaded: &Loaded,
    by: &Principal,
) -> Result<(), RecordError> {
    if let Some(entry) = transaction.view().policy(&loaded.used.digest)?
        && entry.data.get("source").and_then(serde_json::Value::as_str) == Some(loaded.used.source.as_str())
    {
        return Ok(());
    }
    let data = PolicyData {
        digest: loaded.used.digest.clone(),
        source: loaded.used.source.clone(),
        text: loaded.text.clone(),
        files: loaded.files.clone(),
        signature: loaded.admitted_by_signature(),
    };
    transaction.append(&records::draft(Kind::Policy, None, None, by, &data)?)?;
    Ok(())
}
