//! Writing notes.
//!
//! Whoever signs must never put a name to bytes that a reader would take apart in another way, so the text is
//! checked first, and what another program signed (an agent, a security module) is verified before it counts.

use super::key::{KeyKind, SignerKey, VerifierKey};
use super::line::find_control;
use super::{MAX_BYTES, MAX_SIGNATURES, Note, Signature};
use crate::cosignature;

/// Why nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The text of a note ends with a newline.
    #[error("the text to sign is empty or does not end with a newline")]
    Unterminated,
    /// A control character.
    #[error("the text to sign holds the control character 0x{byte:02x} at byte {offset}")]
    Control {
        /// Where it stands, counted from 0.
        offset: usize,
        /// What it is.
        byte: u8,
    },
    /// With its signatures, the note would be larger than readers accept.
    #[error("the note would be larger than {MAX_BYTES} bytes or have more than {MAX_SIGNATURES} signatures")]
    TooLarge,
    /// What the agent returned is no signature of that key over that text.
    #[error("the signature that came back is not of key {name:?}; is another key loaded in the agent?")]
    WrongSignature {
        /// The key that was asked.
        name: String,
    },
}

/// The note of `text` with one Ed25519 signature (type 0x01). `text` ends with a newline.
///
/// # Errors
/// A [`SignError`] where `text` cannot be the text of a note.
pub fn sign(text: &str, key: &SignerKey) -> Result<String, SignError> {
    check_text(text)?;
    let bytes = key.sign_bytes(text.as_bytes());
    let verifier = key.verifier();
    let signature = Signature { name: verifier.name().to_owned(), id: verifier.id(), bytes };
    write(&Note { text: text.to_owned(), signatures: vec![signature] })
}

/// A signature line from bytes that someone else signed: 64 bytes over `text` for a note key; for a witness,
/// 8 bytes of time and 64 bytes over [`cosignature::message`].
///
/// # Errors
/// [`SignError::WrongSignature`] where they do not verify; the errors of [`sign`].
pub fn attach(text: &str, key: &VerifierKey, bytes: &[u8]) -> Result<Signature, SignError> {
    check_text(text)?;
    let is_right = match key.kind() {
        KeyKind::Note => key.accepts(text.as_bytes(), bytes),
        KeyKind::Cosignature => cosignature::verify(text, bytes, key).is_some(),
    };
    if is_right {
        Ok(Signature { name: key.name().to_owned(), id: key.id(), bytes: bytes.to_vec() })
    } else {
        Err(SignError::WrongSignature { name: key.name().to_owned() })
    }
}

impl Note {
    /// This note with `signature` at the end, in place of an earlier one of the same key.
    ///
    /// # Errors
    /// [`SignError::TooLarge`].
    pub fn with(mut self, signature: Signature) -> Result<Self, SignError> {
        self.signatures.retain(|old| old.id != signature.id || old.name != signature.name);
        self.signatures.push(signature);
        write(&self).map(|_| self)
    }
}

/// Refuses what [`super::parse`] would refuse.
fn check_text(text: &str) -> Result<(), SignError> {
    if let Some((offset, byte)) = find_control(text) {
        return Err(SignError::Control { offset, byte });
    }
    if text.ends_with('\n') { Ok(()) } else { Err(SignError::Unterminated) }
}

/// The bytes of a note, if readers take it.
fn write(note: &Note) -> Result<String, SignError> {
    let written = note.to_string();
    if written.len() > MAX_BYTES || note.signatures.len() > MAX_SIGNATURES {
        return Err(SignError::TooLarge);
    }
    Ok(written)
}
