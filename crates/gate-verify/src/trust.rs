//! Whom the caller trusts: keys and a quorum file from the command line, and nothing else.
//!
//! Without a quorum file a checkpoint counts if a key that was given signed it. With one, it must be signed by a
//! log of that file and cosigned by enough of its witnesses (C2SP tlog-policy); keys given beside it then say
//! which of its logs are meant, or who the log is if the file names none.

use std::path::Path;

use gate_ledger::checkpoint::{self, Checkpoint};
use gate_ledger::cosignature::policy::{PolicyError, QuorumError, TrustPolicy, Witnessed};
use gate_ledger::note::{KeyKind, VerifiedSignature, VerifierKey};
use gate_model::exit::{Ends, Exit};
use gate_model::time::Timestamp;
use gate_model::verification::Cosigned;

use crate::input;
use crate::keys::{self, KeysError};

/// The largest quorum file, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// Why it cannot be told whom to trust.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrustError {
    /// A key.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The quorum file cannot be read.
    #[error("cannot read quorum file '{path}': {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is something else.
    #[error("'{path}' is no quorum file: {source}\nits form is that of c2sp.org/tlog-policy")]
    Form {
        /// The file.
        path: String,
        /// Why.
        source: PolicyError,
    },
    /// Nobody says who the log is.
    #[error("quorum file '{0}' names no log\nname the log's verifier key with --key")]
    NoLog(String),
    /// The file and the options name different logs.
    #[error("no key of --key is a log of quorum file '{0}'\nname one of its logs, or leave --key out")]
    OtherLog(String),
}

impl Ends for TrustError {
    fn exit(&self) -> Exit {
        match self {
            Self::Keys(error) => error.exit(),
            Self::Read { .. } | Self::Form { .. } | Self::NoLog(_) | Self::OtherLog(_) => Exit::Usage,
        }
    }
}

/// Who is trusted.
pub(crate) struct Trust {
    /// The keys that speak for logs and, without a quorum file, for witnesses.
    keys: Vec<VerifierKey>,
    quorum: Option<TrustPolicy>,
}

/// A checkpoint that counts.
#[derive(Debug, Clone)]
pub(crate) struct Trusted {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The keys that signed it as logs do.
    pub logs: Vec<VerifierKey>,
    /// Who saw it, and when.
    pub witnesses: Vec<Cosigned>,
}

impl Trust {
    /// Reads the keys in `words`, and the quorum file.
    ///
    /// # Errors
    /// A [`TrustError`].
    pub(crate) fn read(words: &[String], quorum: Option<&Path>, cwd: &Path) -> Result<Self, TrustError> {
        let keys = keys::read(words, cwd)?;
        let Some(path) = quorum else { return Ok(Self { keys, quorum: None }) };
        let shown = path.display().to_string();
        let fails = |source| TrustError::Read { path: shown.clone(), source };
        let bytes = input::document(&cwd.join(path), MAX_BYTES).map_err(fails)?;
        let policy =
            TrustPolicy::parse(&bytes).map_err(|source| TrustError::Form { path: shown.clone(), source })?;
        let given: Vec<VerifierKey> = keys.into_iter().filter(|key| key.kind() == KeyKind::Note).collect();
        let keys = logs(given, policy.logs(), shown)?;
        Ok(Self { keys, quorum: Some(policy) })
    }

    /// Whether nobody is.
    pub(crate) const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys of which one must have signed.
    pub(crate) fn keys(&self) -> &[VerifierKey] {
        &self.keys
    }

    /// Names of witnesses in the quorum file whose keys this program cannot check; they never count.
    pub(crate) fn unsupported(&self) -> Vec<String> {
        self.quorum.as_ref().map_or_else(Vec::new, |quorum| quorum.unsupported().collect())
    }

    /// Opens the signed checkpoint `bytes`, if it counts.
    ///
    /// # Errors
    /// A [`QuorumError`].
    pub(crate) fn open(&self, bytes: &[u8]) -> Result<Trusted, QuorumError> {
        let (checkpoint, signatures, witnesses) = if let Some(quorum) = &self.quorum {
            let Witnessed { checkpoint, signatures, witnesses } = quorum.verify(bytes, &self.keys)?;
            (checkpoint, signatures, witnesses)
        } else {
            let (checkpoint, signatures) = checkpoint::open(bytes, &self.keys)?;
            let witnesses = cosigners(&signatures);
            (checkpoint, signatures, witnesses)
        };
        let logs = signatures.into_iter().map(|one| one.key).filter(|key| key.kind() == KeyKind::Note);
        let cosigned = |(name, time)| Cosigned { name, at: shown_time(time) };
        let witnesses = witnesses.into_iter().map(cosigned).collect();
        Ok(Trusted { checkpoint, logs: logs.collect(), witnesses })
    }
}

/// The logs that both the options and the file name, if both name any.
fn logs(
    given: Vec<VerifierKey>,
    named: &[VerifierKey],
    file: String,
) -> Result<Vec<VerifierKey>, TrustError> {
    match (given.is_empty(), named.is_empty()) {
        (true, true) => Err(TrustError::NoLog(file)),
        (true, false) => Ok(named.to_vec()),
        (false, true) => Ok(given),
        (false, false) => {
            let both: Vec<_> = given.into_iter().filter(|key| named.contains(key)).collect();
            if both.is_empty() { Err(TrustError::OtherLog(file)) } else { Ok(both) }
        }
    }
}

fn cosigners(signatures: &[VerifiedSignature]) -> Vec<(String, u64)> {
    let named = |one: &VerifiedSignature| Some((one.key.name().to_owned(), one.timestamp?));
    signatures.iter().filter_map(named).collect()
}

/// A witness' time as people read it; as seconds since 1970 where no calendar reaches it.
fn shown_time(seconds: u64) -> String {
    let epoch = Timestamp::parse("1970-01-01T00:00:00Z").ok();
    epoch.and_then(|epoch| epoch.plus(seconds)).map_or_else(|| seconds.to_string(), |at| at.to_string())
}

#[cfg(test)]
mod tests;
