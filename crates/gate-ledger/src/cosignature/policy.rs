//! Which logs are trusted and which witnesses are enough: the file of `c2sp.org/tlog-policy` (a *quorum file*).
//!
//! ```text
//! # comments and empty lines are ignored; words are separated by spaces and tabs
//! log <verifier key> [<url>]                 any number; the key is of type 0x01
//! witness <name> <verifier key> [<url>]      any number; the key is of type 0x04
//! group <name> all|any|<k> <member>...       members are names of earlier lines
//! quorum <name>|none                         exactly once
//! ```
//!
//! A witness has witnessed a checkpoint that it cosigned; a group, one that at least `k` of its members have
//! (`any` is 1, `all` is every one). The checkpoint is accepted if the quorum has witnessed it. Names are
//! bytes without meaning outside the file; witnesses and groups share them, and `none` is taken.
//!
//! What the format forbids, so that no witness counts twice: one name defined twice, one public key under two
//! names, one name in two groups. A line that is cut could turn `quorum nonesuch` into `quorum none`, so the
//! last line must end with a newline.
//!
//! ```
//! use gate_ledger::{checkpoint::Checkpoint, cosignature::{self, policy::{QuorumError, TrustPolicy}}};
//! use gate_ledger::{note::{self, SignerKey}, tree::EMPTY_ROOT};
//!
//! let log = SignerKey::generate("example.org/log", [1; 32])?;
//! let [w1, w2, w3] = [2, 3, 4].map(|seed| SignerKey::generate("witness.example", [seed; 32]).unwrap());
//! let vkey = |key: &SignerKey| key.verifier().as_cosigner();
//! let policy = TrustPolicy::parse(format!(
//!     "log {}\nwitness one {}\nwitness two {}\nwitness three {}\ngroup most 2 one two three\nquorum most\n",
//!     log.verifier(), vkey(&w1), vkey(&w2), vkey(&w3),
//! ).as_bytes())?;
//!
//! let checkpoint = Checkpoint { origin: "example.org/log".into(), size: 0, root: EMPTY_ROOT, extensions: vec![] };
//! let text = checkpoint.to_text()?;
//! let one = note::parse(checkpoint.sign(&log)?.as_bytes())?.with(cosignature::cosign(&text, 60, &w3)?)?;
//! let result = policy.verify(one.to_string().as_bytes(), policy.logs());
//! assert!(matches!(result, Err(QuorumError::NotReached { .. })));
//!
//! let two = one.with(cosignature::cosign(&text, 90, &w1)?)?;
//! let witnessed = policy.verify(two.to_string().as_bytes(), policy.logs())?;
//! assert_eq!(witnessed.witnesses, [("three".to_owned(), 60), ("one".to_owned(), 90)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A witness with a key of a type that this program cannot check (ML-DSA) is kept: it counts as one that has
//! not cosigned, which can only make the quorum harder to reach. [`TrustPolicy::unsupported`] lists them.

mod parse;

pub use parse::{PolicyError, PolicyProblem};

use crate::checkpoint::{self, Checkpoint, CheckpointError};
use crate::note::{VerifiedSignature, VerifierKey};

/// A quorum file, read and sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustPolicy {
    logs: Vec<VerifierKey>,
    /// Witnesses and groups in the order of the file: a group refers to what stands before it only.
    parties: Vec<Party>,
    quorum: Quorum,
}

/// A witness or a group, under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Party {
    name: Vec<u8>,
    role: Role,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Role {
    /// A witness; without a key where its type is not supported.
    Witness(Option<VerifierKey>),
    /// At least `needed` of `members`, which are indexes of earlier parties.
    Group { needed: usize, members: Vec<usize> },
}

/// Who must have witnessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quorum {
    /// `quorum none`: no witness is asked for.
    Nobody,
    /// The party of that index.
    Party(usize),
}

/// A checkpoint that enough witnesses have seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnessed {
    /// What they saw.
    pub checkpoint: Checkpoint,
    /// All verified signatures, the log's included.
    pub signatures: Vec<VerifiedSignature>,
    /// Name in the file and time of each witness that cosigned, in the order of the note.
    pub witnesses: Vec<(String, u64)>,
}

/// Why a checkpoint is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuorumError {
    /// It cannot be read, or is not signed by a trusted log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Too few witnesses have cosigned it.
    #[error(
        "the quorum {quorum:?} has not witnessed the checkpoint; cosigned by {witnesses:?}, missing {missing:?}"
    )]
    NotReached {
        /// The name of the quorum.
        quorum: String,
        /// The witnesses that did cosign.
        witnesses: Vec<String>,
        /// The witnesses of the quorum that did not, in the order of the file; some of them may be enough.
        missing: Vec<String>,
    },
}

impl TrustPolicy {
    /// Reads a quorum file.
    ///
    /// # Errors
    /// The first problem, with its line.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        parse::parse(bytes)
    }

    /// The logs that the file trusts; it may name none where the log is known from elsewhere.
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// Names of witnesses whose keys are of a type that cannot be checked here: they never count.
    pub fn unsupported(&self) -> impl Iterator<Item = String> {
        self.parties.iter().filter(|party| party.role == Role::Witness(None)).map(Party::shown)
    }

    /// Opens a checkpoint signed by one of `logs` ([`TrustPolicy::logs`], or keys known from elsewhere) that
    /// speaks for its origin, and requires that the quorum has witnessed it.
    ///
    /// # Errors
    /// A [`QuorumError`]. A wrong signature of a known witness refuses the checkpoint, quorum or not.
    pub fn verify(&self, bytes: &[u8], logs: &[VerifierKey]) -> Result<Witnessed, QuorumError> {
        let keys: Vec<VerifierKey> =
            logs.iter().chain(self.parties.iter().filter_map(Party::key)).cloned().collect();
        let (checkpoint, signatures) = checkpoint::open(bytes, &keys)?;
        let witnesses = self.witnesses(&signatures);
        if let Some(quorum) = self.unreached(&signatures) {
            let witnesses = witnesses.into_iter().map(|(name, _)| name).collect();
            let missing = self.missing(quorum, &signatures);
            return Err(QuorumError::NotReached { quorum: self.parties[quorum].shown(), witnesses, missing });
        }
        Ok(Witnessed { checkpoint, signatures, witnesses })
    }

    /// The file's names for those who cosigned.
    fn witnesses(&self, signatures: &[VerifiedSignature]) -> Vec<(String, u64)> {
        let named = |signature: &VerifiedSignature| {
            let party = self.parties.iter().find(|party| party.key() == Some(&signature.key))?;
            Some((party.shown(), signature.timestamp?))
        };
        signatures.iter().filter_map(named).collect()
    }

    /// The quorum's place among the parties, unless it has witnessed. Parties are counted from the first line to the last, so that a
    /// group finds its members counted already.
    fn unreached(&self, signatures: &[VerifiedSignature]) -> Option<usize> {
        let Quorum::Party(quorum) = self.quorum else {
            return None;
        };
        let mut witnessed: Vec<bool> = Vec::with_capacity(self.parties.len());
        for party in &self.parties {
            let has = match &party.role {
                Role::Witness(_) => party.has_signed(signatures),
                Role::Group { needed, members } => {
                    members.iter().filter(|member| witnessed[**member]).count() >= *needed
                }
            };
            witnessed.push(has);
        }
        (!witnessed[quorum]).then_some(quorum)
    }

    /// The witnesses below party `quorum` that have not signed. A group refers to earlier parties only, so that
    /// one walk from it to the first line meets every member after its group.
    fn missing(&self, quorum: usize, signatures: &[VerifiedSignature]) -> Vec<String> {
        let mut below = vec![false; self.parties.len()];
        below[quorum] = true;
        for (at, party) in self.parties.iter().enumerate().rev() {
            if let (true, Role::Group { members, .. }) = (below[at], &party.role) {
                for member in members {
                    below[*member] = true;
                }
            }
        }
        let is_missing =
            |party: &Party| matches!(party.role, Role::Witness(_)) && !party.has_signed(signatures);
        let parties = self.parties.iter().zip(below).filter(|(party, below)| *below && is_missing(party));
        parties.map(|(party, _)| party.shown()).collect()
    }
}

impl Party {
    /// The key of a witness, if it is of a supported type.
    fn key(&self) -> Option<&VerifierKey> {
        match &self.role {
            Role::Witness(key) => key.as_ref(),
            Role::Group { .. } => None,
        }
    }

    /// Whether this witness is among those who signed; one whose key cannot be checked never is.
    fn has_signed(&self, signatures: &[VerifiedSignature]) -> bool {
        self.key().is_some_and(|key| signatures.iter().any(|signature| signature.key == *key))
    }

    /// The name for a message; names are bytes, and mostly UTF-8.
    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }
}

#[cfg(test)]
mod tests;
