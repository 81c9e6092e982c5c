//! Where a verification may begin: the newest entry of a signed checkpoint, proven.
//!
//! Purpose: a proof of the last leaf under a checkpoint holds all that is needed to go on from there without
//! the entries before it. The entry's BLAKE3 hash is what the next entry must name as `prev`; its inclusion
//! path is the frontier of the tree before it, from which every later root can be computed.
//!
//! Invariant: a [`Tip`] exists only where a key of the reader signed the checkpoint, the path leads from the
//! entry to its root, and the entry says the same place and the same ledger as the checkpoint.
//!
//! [`crate::verify::Start::behind`] goes on from one.
//!
//! Not here: whether what lies before the tip was good. The checkpoint's signer vouched for that.

use super::{ProveFailure, TlogProof};
use crate::checkpoint::Checkpoint;
use crate::entry::{Entry, EntryError};
use crate::note::{VerifiedSignature, VerifierKey};
use crate::tree::{CompactRange, CompactRangeError, leaf_hash};

/// The newest entry of a checkpoint, and the tree up to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tip {
    /// The checkpoint; its size is the entry's seq and one.
    pub checkpoint: Checkpoint,
    /// Who signed it, witnesses included.
    pub signatures: Vec<VerifiedSignature>,
    /// The entry.
    pub entry: Entry,
    /// The tree of all entries before it.
    pub before: CompactRange,
}

/// Why a proof is not one of a tip.
#[derive(Debug, thiserror::Error)]
pub enum TipError {
    /// It proves nothing.
    #[error(transparent)]
    Proof(#[from] ProveFailure),
    /// It proves something that is not at hand.
    #[error("the proof does not hold the entry that it proves")]
    NoEntry,
    /// It proves something else than an entry.
    #[error("what the proof proves is no entry: {0}")]
    Entry(#[from] EntryError),
    /// It proves an earlier entry.
    #[error("the proof is of entry {index}, and the newest that its checkpoint covers is {newest}")]
    NotNewest {
        /// The entry that it proves.
        index: u64,
        /// The one that it should.
        newest: u64,
    },
    /// The entry says another place.
    #[error("the proof is of entry {index}, and the entry in it says seq {seq}")]
    Seq {
        /// Its place in the tree.
        index: u64,
        /// What it says.
        seq: u64,
    },
    /// The entry is of another ledger than the checkpoint.
    #[error("the proof's checkpoint is of '{origin}', and the entry in it is of ledger {ledger}")]
    Origin {
        /// The checkpoint's origin line.
        origin: String,
        /// The entry's ledger id.
        ledger: String,
    },
    /// The path has another length than the last leaf's, which a proof that holds cannot have.
    #[error("the proof's path is not that of the last entry: {0}")]
    Path(#[from] CompactRangeError),
}

impl Tip {
    /// How many entries lie up to and with it.
    pub const fn size(&self) -> u64 {
        self.checkpoint.size
    }

    /// The tree of all entries up to and with it.
    #[must_use]
    pub fn range(&self) -> CompactRange {
        let mut range = self.before.clone();
        range.push(leaf_hash(self.entry.body.as_bytes()));
        range
    }
}

impl TlogProof {
    /// Takes this as the proof of the newest entry that its checkpoint covers, with the entry as extra data.
    /// One of `keys` that speaks for the checkpoint's origin must have signed it.
    ///
    /// # Errors
    /// A [`TipError`].
    pub fn tip(&self, keys: &[VerifierKey]) -> Result<Tip, TipError> {
        let body = self.extra.as_deref().ok_or(TipError::NoEntry)?;
        let super::Proven { checkpoint, signatures } = self.verify(body, keys)?;
        let newest = checkpoint.size.saturating_sub(1);
        if self.index != newest {
            return Err(TipError::NotNewest { index: self.index, newest });
        }
        let entry = Entry::from_proof(body)?;
        if entry.seq != self.index {
            return Err(TipError::Seq { index: self.index, seq: entry.seq });
        }
        if !checkpoint.is_of_ledger(&entry.ledger) {
            return Err(TipError::Origin { origin: checkpoint.origin, ledger: entry.ledger });
        }
        let before = CompactRange::before_last(self.index, &self.hashes)?;
        Ok(Tip { checkpoint, signatures, entry, before })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Tip, TipError};
    use crate::checkpoint::Checkpoint;
    use crate::entry::{Draft, EntryHash, Kind, Place};
    use crate::note::{SignerKey, VerifierKey};
    use crate::proof::TlogProof;
    use crate::tree::{Hash, inclusion_proof, leaf_hash, root_of};

    const ID: &str = "00000000000000000000000000000001";

    fn signer() -> SignerKey {
        SignerKey::generate("example.com/payments", [7; 32]).unwrap()
    }

    fn keys() -> [VerifierKey; 1] {
        [signer().verifier().clone()]
    }

    /// The body of the entry that claims to be the one at `seq`.
    fn body(seq: u64) -> Vec<u8> {
        let place = Place {
            ledger: ID,
            seq,
            prev: EntryHash::ZERO,
            at: gate_model::time::Timestamp::parse("2026-11-22T16:00:00Z").unwrap(),
        };
        let draft = Draft {
            kind: if seq == 0 { Kind::Genesis } else { Kind::Note },
            gate: None,
            reference: None,
            actor: json!({"id": "os:a"}),
            data: json!({}),
        };
        draft.at(place).unwrap().body.into_bytes()
    }

    /// The proof of entry `index` under a checkpoint of `size` entries.
    fn proof(index: u64, size: u64, origin: &str) -> TlogProof {
        let leaves: Vec<Hash> = (0..size).map(|seq| leaf_hash(&body(seq))).collect();
        let root = root_of(leaves.as_slice(), size).unwrap();
        let checkpoint = Checkpoint { origin: origin.to_owned(), size, root, extensions: vec![] };
        TlogProof {
            index,
            extra: Some(body(index)),
            hashes: inclusion_proof(leaves.as_slice(), index, size).unwrap(),
            checkpoint: checkpoint.sign(&signer()).unwrap(),
        }
    }

    fn origin() -> String {
        format!("example.com/payments/{ID}")
    }

    #[test]
    fn the_tree_goes_on_from_a_tip_as_if_all_had_been_read() {
        for size in 1..40 {
            let Tip { checkpoint, entry, before, .. } =
                proof(size - 1, size, &origin()).tip(&keys()).unwrap();
            assert_eq!((entry.seq, before.size()), (size - 1, size - 1));
            let mut range = before;
            range.push(leaf_hash(entry.body.as_bytes()));
            assert_eq!(range.root(), checkpoint.root);
            range.push(leaf_hash(&body(size)));
            let leaves: Vec<Hash> = (0..=size).map(|seq| leaf_hash(&body(seq))).collect();
            assert_eq!(range.root(), root_of(leaves.as_slice(), size + 1).unwrap());
        }
    }

    #[test]
    fn an_earlier_entry_is_no_place_to_begin() {
        let refused = proof(2, 5, &origin()).tip(&keys());
        assert!(matches!(refused, Err(TipError::NotNewest { index: 2, newest: 4 })));
    }

    #[test]
    fn a_proof_without_its_entry_or_of_something_else_is_refused() {
        let without = TlogProof { extra: None, ..proof(4, 5, &origin()) };
        assert!(matches!(without.tip(&keys()), Err(TipError::NoEntry)));
        let other = TlogProof { extra: Some(body(3)), ..proof(4, 5, &origin()) };
        assert!(matches!(other.tip(&keys()), Err(TipError::Proof(_))));
        let checkpoint =
            Checkpoint { origin: origin(), size: 1, root: leaf_hash(b"hello"), extensions: vec![] };
        let no_entry = TlogProof {
            index: 0,
            extra: Some(b"hello".to_vec()),
            hashes: vec![],
            checkpoint: checkpoint.sign(&signer()).unwrap(),
        };
        assert!(matches!(no_entry.tip(&keys()), Err(TipError::Entry(_))));
    }

    #[test]
    fn a_second_genesis_and_one_with_a_wrong_prev_are_refused() {
        let first = String::from_utf8(body(0)).unwrap();
        let wrong = first.replace(&"0".repeat(64), &"1".repeat(64));
        let with_gate = first.replace("\"kind\"", "\"gate\":\"lint\",\"kind\"");
        let note = String::from_utf8(body(0)).unwrap().replace("\"genesis\"", "\"note\"");
        let second = first.replace("\"seq\":0", "\"seq\":1");
        for (body, index) in [(wrong, 0), (with_gate, 0), (note, 0), (second, 1)] {
            let leaves: Vec<Hash> =
                (0..index).map(|_| leaf_hash(b"before")).chain([leaf_hash(body.as_bytes())]).collect();
            let size = index + 1;
            let root = root_of(leaves.as_slice(), size).unwrap();
            let checkpoint = Checkpoint { origin: origin(), size, root, extensions: vec![] };
            let proof = TlogProof {
                index,
                hashes: inclusion_proof(leaves.as_slice(), index, size).unwrap(),
                checkpoint: checkpoint.sign(&signer()).unwrap(),
                extra: Some(body.clone().into_bytes()),
            };
            let refused = proof.tip(&keys());
            assert!(matches!(refused, Err(TipError::Entry(_))), "{body}: {refused:?}");
        }
    }

    #[test]
    fn a_tip_of_another_ledger_or_at_another_place_is_refused() {
        let other = format!("example.com/payments/{}", "2".repeat(32));
        assert!(matches!(proof(4, 5, &other).tip(&keys()), Err(TipError::Origin { .. })));
        let leaf = leaf_hash(&body(9));
        let checkpoint = Checkpoint { origin: origin(), size: 1, root: leaf, extensions: vec![] };
        let moved = TlogProof {
            index: 0,
            extra: Some(body(9)),
            hashes: vec![],
            checkpoint: checkpoint.sign(&signer()).unwrap(),
        };
        assert!(matches!(moved.tip(&keys()), Err(TipError::Seq { index: 0, seq: 9 })));
    }

    #[test]
    fn a_tip_that_nobody_trusted_signed_is_refused() {
        let stranger = SignerKey::generate("example.com/payments", [8; 32]).unwrap();
        let refused = proof(4, 5, &origin()).tip(&[stranger.verifier().clone()]);
        assert!(matches!(refused, Err(TipError::Proof(_))));
    }
}
