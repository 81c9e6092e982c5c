//! Which of an agent's keys is meant, and whether it can sign a note.
//!
//! A C2SP note signature is plain Ed25519; other keys, and those that sign more than the message, cannot make one.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ring::digest::{SHA256, digest};

use super::key::{Fields, KeyError, KeyType, PublicKey, shown};
use super::wire::Wire;

/// Why a key cannot be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// The text is neither of the two forms.
    #[error("it is no public key, which is one line: ssh-ed25519 BASE64 [COMMENT]")]
    Shape,
    /// A secret where the public half belongs.
    #[error("it is a private key, which stays in the agent; name its .pub file or its SHA256 fingerprint")]
    Private,
    /// A fingerprint that is not SHA256 in base64.
    #[error("a fingerprint is SHA256: and 43 characters of base64, as ssh-add -l prints it")]
    Fingerprint,
    /// Another type of key.
    #[error("the key is of type {0}, and a note is signed with plain Ed25519; use an ssh-ed25519 key")]
    NotEd25519(String),
    /// A security key.
    #[error(
        "the key is of type {0}: a security key signs a counter too, which a note cannot carry; use an ssh-ed25519 key"
    )]
    SecurityKey(String),
    /// It cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// A key, by its fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyChoice {
    fingerprint: String,
}

impl KeyChoice {
    /// The key with that fingerprint, as `ssh-add -l` prints it: `SHA256:` and base64 without padding.
    ///
    /// # Errors
    /// [`ChoiceError::Fingerprint`].
    pub fn by_fingerprint(text: &str) -> Result<Self, ChoiceError> {
        let encoded = text.strip_prefix("SHA256:").ok_or(ChoiceError::Fingerprint)?;
        match STANDARD_NO_PAD.decode(encoded) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self { fingerprint: text.to_owned() }),
            _ => Err(ChoiceError::Fingerprint),
        }
    }

    /// The key in the text of a public key's file. A key that cannot sign a note is refused here already.
    ///
    /// # Errors
    /// A [`ChoiceError`].
    pub fn by_public_key(text: &str) -> Result<Self, ChoiceError> {
        if text.contains("PRIVATE KEY-----") {
            return Err(ChoiceError::Private);
        }
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let (Some(line), None) = (lines.next(), lines.next()) else { return Err(ChoiceError::Shape) };
        let mut words = line.split_ascii_whitespace();
        let (Some(name), Some(encoded)) = (words.next(), words.next()) else {
            return Err(ChoiceError::Shape);
        };
        let blob = STANDARD.decode(encoded).map_err(|_| ChoiceError::Shape)?;
        if Wire::new(&blob).string("key type").ok() != Some(name.as_bytes()) {
            return Err(ChoiceError::Shape);
        }
        point(&blob)?;
        Ok(Self { fingerprint: fingerprint(&blob) })
    }

    /// The fingerprint, as `ssh-add -l` prints it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Whether it is the key with that wire form.
    pub fn names(&self, blob: &[u8]) -> bool {
        self.fingerprint == fingerprint(blob)
    }
}

/// The fingerprint of a key's wire form.
pub fn fingerprint(blob: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(digest(&SHA256, blob)))
}

/// The public bytes of a key that can sign a note, from its wire form.
///
/// # Errors
/// A [`ChoiceError`].
pub fn point(blob: &[u8]) -> Result<[u8; 32], ChoiceError> {
    let key = PublicKey::from_blob(blob)?;
    let name = || shown(key.type_name());
    match (key.kind, key.fields()?) {
        (KeyType::Ed25519, Fields::Ed25519 { point, .. }) => {
            point.try_into().map_err(|_| ChoiceError::NotEd25519(name()))
        }
        (kind, _) if kind.is_security_key() => Err(ChoiceError::SecurityKey(name())),
        _ => Err(ChoiceError::NotEd25519(name())),
    }
}
