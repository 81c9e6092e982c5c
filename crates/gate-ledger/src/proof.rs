//! Proofs that one entry is in a ledger, as text: `c2sp.org/tlog-proof@v1`.
//!
//! Purpose: whoever holds a proof, the entry, and the ledger's public key can check that the entry was
//! recorded, offline and without seeing any other entry. A proof is public and may be attached to a ticket.
//!
//! # The bytes
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra <base64>                  left out where there is nothing extra
//! index 2                         which entry, counted from 0 (an entry's seq), no leading zeros
//! <base64 of a hash>              the inclusion proof, from the leaf's sibling upward, none to 63 lines
//! ...
//!                                 <- one empty line
//! <the signed checkpoint, byte for byte>
//! ```
//!
//! `extra` is opaque, and by itself authenticated by nothing. Here it holds the entry's canonical bytes, which
//! are then proven as the entry: [`TlogProof::verify`] takes them like any other body.
//!
//! ```
//! use gate_ledger::{checkpoint::Checkpoint, note::SignerKey, proof::{ProveFailure, TlogProof}, tree};
//!
//! let entries = ["a", "b", "c", "d", "e"];
//! let leaves: Vec<tree::Hash> = entries.iter().map(|entry| tree::leaf_hash(entry.as_bytes())).collect();
//! let root = tree::root_of(leaves.as_slice(), 5)?;
//! let signer = SignerKey::generate("example.com/payments", [7; 32])?;
//! let checkpoint = Checkpoint { origin: "example.com/payments".into(), size: 5, root, extensions: vec![] };
//!
//! let proof = TlogProof {
//!     index: 2,
//!     extra: Some(b"c".to_vec()),
//!     hashes: tree::inclusion_proof(leaves.as_slice(), 2, 5)?,
//!     checkpoint: checkpoint.sign(&signer)?,
//! };
//! let text = proof.to_string();
//! assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra Yw==\nindex 2\n"));
//!
//! let read = TlogProof::parse(text.as_bytes())?;
//! let keys = [signer.verifier().clone()];
//! assert_eq!(read.verify(b"c", &keys)?.checkpoint, checkpoint);
//! assert!(matches!(read.verify(b"d", &keys), Err(ProveFailure::Inclusion(_))));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod tip;

pub use tip::{Tip, TipError};

use crate::checkpoint::{self, Checkpoint, CheckpointError};
use crate::note::line::{self, Defect};
use crate::note::{self, VerifiedSignature, VerifierKey};
use crate::tree::{self, Hash, ProofError};

/// The first line.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The longest inclusion proof: a tree of 2^63 − 1 leaves is 63 levels high.
const MAX_HASHES: usize = 63;

/// The largest proof that is read: a note, and an entry of 1 MiB in base64.
pub const MAX_BYTES: usize = 3 << 20;

/// A proof as it was read: nothing in it has been verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Which entry, counted from 0.
    pub index: u64,
    /// Opaque bytes that travel along, never empty: here the entry itself.
    pub extra: Option<Vec<u8>>,
    /// The path from the leaf's sibling to the root's child.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, byte for byte.
    pub checkpoint: String,
}

/// What a proof has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The checkpoint under which the entry lies.
    pub checkpoint: Checkpoint,
    /// Who signed it, witnesses included.
    pub signatures: Vec<VerifiedSignature>,
}

/// Why a text is not a proof. Lines are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlogProofError {
    /// Larger than [`MAX_BYTES`].
    #[error("the proof is {0} bytes long; at most {MAX_BYTES} are read")]
    TooLarge(usize),
    /// Not UTF-8 from this byte on.
    #[error("the proof is not UTF-8 from byte {0} on")]
    NotUtf8(usize),
    /// Something else, or another version.
    #[error("the first line is not '{HEADER}'; this is no proof, or one of another version")]
    Header,
    /// The line of extra data.
    #[error("line 2 of the proof, the extra data, {0}")]
    Extra(#[source] Defect),
    /// The line of the index is missing.
    #[error("line {line} of the proof does not begin with 'index '")]
    NoIndex {
        /// Its number.
        line: usize,
    },
    /// The line of the index.
    #[error("line {line} of the proof, the index, {defect}")]
    Index {
        /// Its number.
        line: usize,
        /// What is wrong with it.
        #[source]
        defect: Defect,
    },
    /// A line of the path.
    #[error("line {line} of the proof, a hash, {defect}")]
    Hash {
        /// Its number.
        line: usize,
        /// What is wrong with it.
        #[source]
        defect: Defect,
    },
    /// More hashes than any tree needs.
    #[error("the proof has more than {MAX_HASHES} hashes")]
    TooManyHashes,
    /// No empty line, or nothing below it.
    #[error("the proof ends before its checkpoint, which follows an empty line; copy the whole proof")]
    NoCheckpoint,
    /// The checkpoint is no signed checkpoint.
    #[error("in the proof's checkpoint: {0}")]
    Checkpoint(#[source] CheckpointError),
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProveFailure {
    /// The checkpoint cannot be read, is not signed by a trusted key, or is of another ledger.
    #[error("in the proof's checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The path does not lead from the entry to the root.
    #[error("the entry is not proven: {0}")]
    Inclusion(#[from] ProofError),
}

impl TlogProof {
    /// Reads a proof. Its shape is checked, its checkpoint's too; nothing is verified.
    ///
    /// # Errors
    /// The first defect, with its line.
    pub fn parse(bytes: &[u8]) -> Result<Self, TlogProofError> {
        if bytes.len() > MAX_BYTES {
            return Err(TlogProofError::TooLarge(bytes.len()));
        }
        let text =
            std::str::from_utf8(bytes).map_err(|error| TlogProofError::NotUtf8(error.valid_up_to()))?;
        let (head, checkpoint) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = (1_usize..).zip(head.split('\n')).peekable();
        if lines.next().is_none_or(|(_, first)| first != HEADER) {
            return Err(TlogProofError::Header);
        }
        let extra = match lines.next_if(|(_, line)| line.starts_with("extra ")) {
            Some((_, line)) => Some(line::base64(&line["extra ".len()..]).map_err(TlogProofError::Extra)?),
            None => None,
        };
        let index = parse_index(lines.next())?;
        let hashes = parse_hashes(lines)?;
        check_note(checkpoint)?;
        Ok(Self { index, extra, hashes, checkpoint: checkpoint.to_owned() })
    }

    /// Checks that `body` is entry [`TlogProof::index`] of a ledger whose checkpoint one of `keys` signed that
    /// speaks for its origin ([`checkpoint::open`]).
    ///
    /// # Errors
    /// A [`ProveFailure`].
    pub fn verify(&self, body: &[u8], keys: &[VerifierKey]) -> Result<Proven, ProveFailure> {
        self.follow(body, checkpoint::open(self.checkpoint.as_bytes(), keys)?)
    }

    /// As [`TlogProof::verify`], for a reader that has tied `keys` to `origin` by other means
    /// ([`checkpoint::open_pinned`]).
    ///
    /// # Errors
    /// A [`ProveFailure`].
    pub fn verify_pinned(
        &self,
        body: &[u8],
        origin: &str,
        keys: &[VerifierKey],
    ) -> Result<Proven, ProveFailure> {
        self.follow(body, checkpoint::open_pinned(self.checkpoint.as_bytes(), origin, keys)?)
    }

    /// Follows the path from `body` to the root of a checkpoint whose signatures were verified.
    fn follow(
        &self,
        body: &[u8],
        (checkpoint, signatures): (Checkpoint, Vec<VerifiedSignature>),
    ) -> Result<Proven, ProveFailure> {
        let leaf = tree::leaf_hash(body);
        tree::verify_inclusion(&leaf, self.index, checkpoint.size, &self.hashes, &checkpoint.root)?;
        Ok(Proven { checkpoint, signatures })
    }
}

impl std::fmt::Display for TlogProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = self.extra.as_ref().filter(|extra| !extra.is_empty()) {
            writeln!(f, "extra {}", line::to_base64(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{}", line::to_base64(hash)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// The line of the index, with its number.
fn parse_index(numbered: Option<(usize, &str)>) -> Result<u64, TlogProofError> {
    let (line, text) = numbered.ok_or(TlogProofError::NoCheckpoint)?;
    let number = text.strip_prefix("index ").ok_or(TlogProofError::NoIndex { line })?;
    line::decimal(number).map_err(|defect| TlogProofError::Index { line, defect })
}

/// The lines of the path. The end of a proof without a checkpoint looks like an empty hash: that is told by
/// [`check_note`] below, so it must not hide as another defect here.
fn parse_hashes<'a>(lines: impl Iterator<Item = (usize, &'a str)>) -> Result<Vec<Hash>, TlogProofError> {
    let mut hashes = Vec::new();
    for (line, text) in lines {
        if hashes.len() == MAX_HASHES {
            return Err(TlogProofError::TooManyHashes);
        }
        match line::hash(text) {
            Ok(hash) => hashes.push(hash),
            Err(Defect::Empty) => return Err(TlogProofError::NoCheckpoint),
            Err(defect) => return Err(TlogProofError::Hash { line, defect }),
        }
    }
    Ok(hashes)
}

/// Whether `text` has the shape of a signed checkpoint.
fn check_note(text: &str) -> Result<(), TlogProofError> {
    if text.is_empty() {
        return Err(TlogProofError::NoCheckpoint);
    }
    let note = note::parse(text.as_bytes()).map_err(|error| TlogProofError::Checkpoint(error.into()))?;
    Checkpoint::parse(&note.text).map(|_| ()).map_err(TlogProofError::Checkpoint)
}

#[cfg(test)]
mod tests;
