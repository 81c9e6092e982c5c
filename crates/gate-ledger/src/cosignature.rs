//! Cosignatures: witnesses say when they saw a checkpoint, and that it extended all they had seen before.
//!
//! Purpose: two people who compare nothing can still not be shown two histories, if each insists on the
//! signatures of witnesses that they both trust. This module reads and writes the Ed25519 kind of
//! `c2sp.org/tlog-cosignature` (type 0x04), and [`policy`] says which witnesses are enough.
//!
//! # The bytes
//!
//! A cosignature is a signature line below the checkpoint. After the key id it holds 72 bytes: the time in
//! seconds since 1970 as 8 bytes, big-endian, at most 2^63 − 1, and the Ed25519 signature over
//!
//! ```text
//! cosignature/v1
//! time 1679315147
//! <the whole text of the checkpoint, its last newline included>
//! ```
//!
//! The first line keeps a cosignature from passing for anything else that the key might sign. Names are not
//! signed, so a key must serve one witness only; [`policy`] refuses the same key under two names.
//!
//! The time is what the witness claims. Whether it is too old, or in the future, is for the caller, who
//! has a clock.
//!
//! ```
//! use gate_ledger::{cosignature, note::{self, SignerKey}};
//!
//! let text = "example.org/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
//! assert_eq!(cosignature::message(text, 7), format!("cosignature/v1\ntime 7\n{text}"));
//!
//! let log = SignerKey::generate("example.org/log", [1; 32])?;
//! let witness = SignerKey::generate("witness.example/w1", [2; 32])?;
//! let signed = note::parse(note::sign(text, &log)?.as_bytes())?;
//! let signed = signed.with(cosignature::cosign(text, 1_679_315_147, &witness)?)?;
//!
//! let known = witness.verifier().as_cosigner();
//! let verified = signed.verify(&[log.verifier().clone(), known])?;
//! assert_eq!(verified[1].timestamp, Some(1_679_315_147));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Not here: the newer kind with ML-DSA (type 0x06), for which no maintained implementation is at hand. Its
//! lines are signatures of unknown keys, which are ignored.

pub mod policy;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::note::{Signature, SignerKey, VerifierKey};

/// The latest time that a cosignature may carry.
pub const MAX_TIME: u64 = i64::MAX as u64;

/// Why a checkpoint was not cosigned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CosignError {
    /// Only checkpoints are cosigned.
    #[error("only a checkpoint can be cosigned: {0}")]
    NotACheckpoint(#[from] CheckpointError),
    /// Later than [`MAX_TIME`].
    #[error("the time {0} is later than a cosignature can say")]
    Time(u64),
}

/// What a witness signs at `timestamp` (seconds since 1970) for a checkpoint's `text`.
#[must_use]
pub fn message(text: &str, timestamp: u64) -> String {
    format!("cosignature/v1\ntime {timestamp}\n{text}")
}

/// The cosignature of `key` under a checkpoint's `text`. The witness must have checked before that the
/// checkpoint extends the last one it saw of that origin ([`crate::tree::verify_consistency`]).
///
/// # Errors
/// A [`CosignError`].
pub fn cosign(text: &str, timestamp: u64, key: &SignerKey) -> Result<Signature, CosignError> {
    Checkpoint::parse(text)?;
    if timestamp > MAX_TIME {
        return Err(CosignError::Time(timestamp));
    }
    let signature = key.sign_bytes(message(text, timestamp).as_bytes());
    let bytes = [timestamp.to_be_bytes().as_slice(), &signature].concat();
    let cosigner = key.verifier().as_cosigner();
    Ok(Signature { name: cosigner.name().to_owned(), id: cosigner.id(), bytes })
}

/// When `key` cosigned `text`, if `bytes` (time and signature) say so.
pub(crate) fn verify(text: &str, bytes: &[u8], key: &VerifierKey) -> Option<u64> {
    let (time, signature) = bytes.split_first_chunk::<8>()?;
    let timestamp = u64::from_be_bytes(*time);
    let is_right = timestamp <= MAX_TIME && key.accepts(message(text, timestamp).as_bytes(), signature);
    is_right.then_some(timestamp)
}

#[cfg(test)]
mod tests {
    use super::{CosignError, MAX_TIME, cosign};
    use crate::note::{self, Note, NoteError, SignerKey};

    const TEXT: &str = "example.org/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";

    fn key(name: &str, seed: u8) -> SignerKey {
        SignerKey::generate(name, [seed; 32]).unwrap()
    }

    fn signed() -> Note {
        note::parse(note::sign(TEXT, &key("example.org/log", 1)).unwrap().as_bytes()).unwrap()
    }

    #[test]
    fn a_note_signature_does_not_pass_for_a_cosignature_nor_the_other_way() {
        let witness = key("w", 2);
        let mut as_note = cosign(TEXT, 5, &witness).unwrap();
        as_note.id = witness.verifier().id();
        let note = signed().with(as_note).unwrap();
        assert!(matches!(note.verify(&[witness.verifier().clone()]), Err(NoteError::BadSignature { .. })));

        let mut as_cosignature = signed().signatures.remove(0);
        let log = key("example.org/log", 1).verifier().as_cosigner();
        as_cosignature.id = log.id();
        let note = Note { text: TEXT.to_owned(), signatures: vec![as_cosignature] };
        assert!(matches!(note.verify(&[log]), Err(NoteError::BadSignature { .. })));
    }

    #[test]
    fn another_time_than_the_signed_one_is_found() {
        let witness = key("w", 2);
        for byte in 0..8 {
            let mut signature = cosign(TEXT, 1_679_315_147, &witness).unwrap();
            signature.bytes[byte] ^= 1;
            let note = signed().with(signature).unwrap();
            let verified = note.verify(&[witness.verifier().as_cosigner()]);
            assert!(matches!(verified, Err(NoteError::BadSignature { .. })), "byte {byte}");
        }
    }

    #[test]
    fn a_time_beyond_the_format_is_refused_even_if_it_was_signed() {
        let witness = key("w", 2);
        assert_eq!(cosign(TEXT, MAX_TIME + 1, &witness), Err(CosignError::Time(MAX_TIME + 1)));
        let mut signature = cosign(TEXT, MAX_TIME, &witness).unwrap();
        let late = super::message(TEXT, MAX_TIME + 1);
        signature.bytes =
            [(MAX_TIME + 1).to_be_bytes().as_slice(), &witness.sign_bytes(late.as_bytes())].concat();
        let note = signed().with(signature).unwrap();
        assert!(note.verify(&[witness.verifier().as_cosigner()]).is_err());
    }

    #[test]
    fn a_witness_that_signed_twice_counts_once_with_its_latest_time() {
        let witness = key("w", 2);
        let mut note = signed();
        for time in [30, 50, 40] {
            note.signatures.push(cosign(TEXT, time, &witness).unwrap());
        }
        let verified = note.verify(&[witness.verifier().as_cosigner()]).unwrap();
        assert_eq!((verified.len(), verified[0].timestamp), (1, Some(50)));
    }

    #[test]
    fn only_checkpoints_are_cosigned() {
        assert!(matches!(cosign("a letter\n", 5, &key("w", 2)), Err(CosignError::NotACheckpoint(_))));
    }
}
