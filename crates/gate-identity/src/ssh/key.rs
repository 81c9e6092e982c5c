//! Public keys: one blob, one key.
//!
//! A key is compared and fingerprinted by its wire bytes, so the bytes must be the only ones that write it:
//! integers in shortest form, curve points uncompressed, nothing after the last field. A key that could be
//! written in two ways would be one person with two fingerprints.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::digest::{SHA256, digest};

use super::wire::{Wire, WireError};

/// The kinds of keys that are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyType {
    Ed25519,
    EcdsaP256,
    EcdsaP384,
    EcdsaP521,
    Rsa,
    SkEd25519,
    SkEcdsaP256,
    /// Understood so that a file may list it; no signature by it is ever accepted.
    Dsa,
}

impl KeyType {
    const ALL: [Self; 8] = [
        Self::Ed25519,
        Self::EcdsaP256,
        Self::EcdsaP384,
        Self::EcdsaP521,
        Self::Rsa,
        Self::SkEd25519,
        Self::SkEcdsaP256,
        Self::Dsa,
    ];

    /// The name on the wire and in `allowed_signers` (RFC 4253, 5656, 8709; `PROTOCOL.u2f`).
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ssh-ed25519",
            Self::EcdsaP256 => "ecdsa-sha2-nistp256",
            Self::EcdsaP384 => "ecdsa-sha2-nistp384",
            Self::EcdsaP521 => "ecdsa-sha2-nistp521",
            Self::Rsa => "ssh-rsa",
            Self::SkEd25519 => "sk-ssh-ed25519@openssh.com",
            Self::SkEcdsaP256 => "sk-ecdsa-sha2-nistp256@openssh.com",
            Self::Dsa => "ssh-dss",
        }
    }

    /// The name of a certificate of such a key (`PROTOCOL.certkeys`).
    pub(super) const fn certificate_name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ssh-ed25519-cert-v01@openssh.com",
            Self::EcdsaP256 => "ecdsa-sha2-nistp256-cert-v01@openssh.com",
            Self::EcdsaP384 => "ecdsa-sha2-nistp384-cert-v01@openssh.com",
            Self::EcdsaP521 => "ecdsa-sha2-nistp521-cert-v01@openssh.com",
            Self::Rsa => "ssh-rsa-cert-v01@openssh.com",
            Self::SkEd25519 => "sk-ssh-ed25519-cert-v01@openssh.com",
            Self::SkEcdsaP256 => "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
            Self::Dsa => "ssh-dss-cert-v01@openssh.com",
        }
    }

    /// The type that `name` names.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The type whose certificates `name` names.
    pub(super) fn of_certificate(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.certificate_name() == name)
    }

    /// Whether a security key (FIDO) makes the signatures.
    pub(super) const fn is_security_key(self) -> bool {
        matches!(self, Self::SkEd25519 | Self::SkEcdsaP256)
    }

    const fn curve(self) -> Option<(&'static str, usize)> {
        match self {
            Self::EcdsaP256 | Self::SkEcdsaP256 => Some(("nistp256", 65)),
            Self::EcdsaP384 => Some(("nistp384", 97)),
            Self::EcdsaP521 => Some(("nistp521", 133)),
            _ => None,
        }
    }
}

/// Why bytes are not a public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The encoding.
    #[error("the public key is malformed: {0}")]
    Wire(#[from] WireError),
    /// A type that is not known; its name is shown inert.
    #[error("the key type '{0}' is not supported; use ed25519, ecdsa, rsa or a security key")]
    Type(String),
    /// A certificate where a plain key belongs.
    #[error("a certificate stands where a plain key belongs")]
    Certificate,
    /// A curve's name or point that does not fit the type.
    #[error("the public key's curve or point does not fit its type {0}")]
    Point(&'static str),
}

/// A public key and its only writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PublicKey {
    pub(super) kind: KeyType,
    pub(super) blob: Vec<u8>,
}

/// The numbers of a key, borrowed from its blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fields<'a> {
    /// 32 bytes of Ed25519.
    Ed25519 { point: &'a [u8], application: Option<&'a [u8]> },
    /// An uncompressed point (SEC 1).
    Ecdsa { point: &'a [u8], application: Option<&'a [u8]> },
    /// Exponent and modulus, without leading zeros.
    Rsa { exponent: &'a [u8], modulus: &'a [u8] },
    /// Nothing that is ever used.
    Dsa,
}

impl PublicKey {
    /// Reads a plain public key from its wire bytes.
    pub(super) fn from_blob(blob: &[u8]) -> Result<Self, KeyError> {
        let mut wire = Wire::new(blob);
        let name = wire.text("key type")?;
        if KeyType::of_certificate(name).is_some() {
            return Err(KeyError::Certificate);
        }
        let kind = KeyType::named(name).ok_or_else(|| KeyError::Type(shown(name)))?;
        read_fields(kind, &mut wire)?;
        wire.finish()?;
        Ok(Self { kind, blob: blob.to_vec() })
    }

    /// The numbers of the key.
    pub(super) fn fields(&self) -> Result<Fields<'_>, KeyError> {
        let mut wire = Wire::new(&self.blob);
        wire.text("key type")?;
        read_fields(self.kind, &mut wire)
    }

    /// The fingerprint as ssh-keygen writes it: `SHA256:` and unpadded base64.
    pub(super) fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(digest(&SHA256, &self.blob)))
    }

    /// The type's name on the wire, such as `ssh-ed25519`.
    pub(super) const fn type_name(&self) -> &'static str {
        self.kind.name()
    }
}

/// Reads the fields that follow the type's name. In a certificate the same fields stand after the nonce.
pub(super) fn read_fields<'a>(kind: KeyType, wire: &mut Wire<'a>) -> Result<Fields<'a>, KeyError> {
    match kind {
        KeyType::Ed25519 | KeyType::SkEd25519 => {
            let point = wire.string("point")?;
            if point.len() != 32 {
                return Err(KeyError::Point(kind.name()));
            }
            Ok(Fields::Ed25519 { point, application: application(kind, wire)? })
        }
        KeyType::Rsa => {
            let exponent = wire.integer("exponent")?;
            Ok(Fields::Rsa { exponent, modulus: wire.integer("modulus")? })
        }
        KeyType::Dsa => {
            for field in ["prime p", "order q", "base g", "value y"] {
                wire.integer(field)?;
            }
            Ok(Fields::Dsa)
        }
        _ => {
            let point = read_point(kind, wire)?;
            Ok(Fields::Ecdsa { point, application: application(kind, wire)? })
        }
    }
}

/// A curve's name and an uncompressed point; OpenSSH reads no other form.
fn read_point<'a>(kind: KeyType, wire: &mut Wire<'a>) -> Result<&'a [u8], KeyError> {
    let curve = wire.string("curve")?;
    let point = wire.string("point")?;
    let fits = kind.curve().is_some_and(|(name, length)| {
        curve == name.as_bytes() && point.len() == length && point.first() == Some(&4)
    });
    if fits { Ok(point) } else { Err(KeyError::Point(kind.name())) }
}

fn application<'a>(kind: KeyType, wire: &mut Wire<'a>) -> Result<Option<&'a [u8]>, KeyError> {
    if kind.is_security_key() { Ok(Some(wire.string("application")?)) } else { Ok(None) }
}

/// Text from a document of unknown origin: cut to 64 characters and inert on a terminal.
pub(super) fn shown(text: &str) -> String {
    gate_model::text::visible(&text.chars().take(64).collect::<String>())
}
