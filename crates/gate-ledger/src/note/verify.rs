//! Whose signatures on a note are right: C2SP signed-note, section "Signatures".

use super::key::{KeyKind, VerifierKey};
use super::{Note, NoteError, Signature};
use crate::cosignature;

/// A signature that was checked and is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedSignature {
    /// Whose it is: one of the keys that the reader gave.
    pub key: VerifierKey,
    /// For a cosignature, when the witness made it, in seconds since 1970.
    pub timestamp: Option<u64>,
}

impl Note {
    /// The keys among `keys` that signed this note, each once, in the order of the note. A witness that
    /// cosigned more than once counts once, with its latest time.
    ///
    /// # Errors
    /// [`NoteError::BadSignature`] where any signature that claims to be of one of `keys` is wrong, even
    /// beside a right one; [`NoteError::NoKnownSignature`]; [`NoteError::AmbiguousKey`].
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<Vec<VerifiedSignature>, NoteError> {
        refuse_ambiguity(keys)?;
        let mut verified: Vec<VerifiedSignature> = Vec::new();
        for signature in &self.signatures {
            let Some(key) = keys.iter().find(|key| signature.claims(key)) else {
                continue;
            };
            let found = self.check(signature, key)?;
            match verified.iter_mut().find(|earlier| earlier.key == found.key) {
                Some(earlier) => earlier.timestamp = earlier.timestamp.max(found.timestamp),
                None => verified.push(found),
            }
        }
        if verified.is_empty() {
            let unknown = self.signatures.iter().map(|signature| (signature.name.clone(), signature.id));
            return Err(NoteError::NoKnownSignature { unknown: unknown.collect() });
        }
        Ok(verified)
    }

    /// The signatures that claim to be of none of `keys`, and so say nothing.
    pub fn unknown<'a>(&'a self, keys: &'a [VerifierKey]) -> impl Iterator<Item = &'a Signature> {
        self.signatures.iter().filter(|signature| !keys.iter().any(|key| signature.claims(key)))
    }

    /// Checks one signature against the key that it claims.
    fn check(&self, signature: &Signature, key: &VerifierKey) -> Result<VerifiedSignature, NoteError> {
        let timestamp = match key.kind() {
            KeyKind::Note => key.accepts(self.text.as_bytes(), &signature.bytes).then_some(None),
            KeyKind::Cosignature => cosignature::verify(&self.text, &signature.bytes, key).map(Some),
        };
        let bad = || NoteError::BadSignature { name: key.name().to_owned(), id: key.id() };
        Ok(VerifiedSignature { key: key.clone(), timestamp: timestamp.ok_or_else(bad)? })
    }
}

impl Signature {
    /// Whether this claims to be a signature of `key`: name and id together name a key.
    fn claims(&self, key: &VerifierKey) -> bool {
        self.id == key.id() && self.name == key.name()
    }
}

/// Two keys of one name and id would leave it to chance which one a signature is held against.
fn refuse_ambiguity(keys: &[VerifierKey]) -> Result<(), NoteError> {
    for (n, key) in keys.iter().enumerate() {
        let collides = |other: &&VerifierKey| other.id() == key.id() && other.name() == key.name();
        if keys[n + 1..].iter().filter(collides).any(|other| other != key) {
            return Err(NoteError::AmbiguousKey { name: key.name().to_owned(), id: key.id() });
        }
    }
    Ok(())
}
