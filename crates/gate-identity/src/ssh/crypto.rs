//! Does this signature by this key cover these bytes?
//!
//! Invariants: the signature's format must be the one that its key type makes; SHA-1, DSA and RSA below 2048
//! bits never verify; Ed25519 is verified strictly (RFC 8032 section 5.1.7 with keys and nonces of small
//! order refused), so that nobody can craft one signature for two messages. Presence at a security key is
//! read here and judged by the caller, who knows what the trusted key's line asks for.
//!
//! Libraries: `ed25519-dalek` for its strict verification; `ring` for RSA (the `rsa` crate has an open timing
//! advisory, RUSTSEC-2023-0071) and for ECDSA on P-256 and P-384, where it is several times as fast as any
//! other; `p521` for P-521, which `ring` does not have.

use p521::ecdsa::signature::Verifier as _;
use ring::digest::{SHA256, digest};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};

use super::key::{Fields, KeyError, KeyType, PublicKey, shown};
use super::wire::{Wire, WireError};

/// The shortest RSA modulus that is accepted, in bits.
pub(super) const MIN_RSA_BITS: usize = 2048;

/// The longest RSA modulus that `ring` verifies, in bits.
const MAX_RSA_BITS: usize = 8192;

/// What a security key states beside its signature (`PROTOCOL.u2f`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Presence {
    /// Bit 0x01: somebody touched the key.
    pub(super) present: bool,
    /// Bit 0x04: the key checked a PIN or a fingerprint.
    pub(super) verified: bool,
}

/// Why a signature does not count as one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// The encoding.
    #[error("the signature's bytes are malformed: {0}")]
    Wire(#[from] WireError),
    /// The key's numbers.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A format that this type of key does not make, or that is not supported.
    #[error("a key of type {key} cannot make a signature of the format '{format}'")]
    Format {
        /// The key's type.
        key: &'static str,
        /// The format that the signature names, shown inert.
        format: String,
    },
    /// SHA-1.
    #[error(
        "it is an RSA signature with SHA-1, which can be forged; sign with a current ssh-keygen (rsa-sha2-512)"
    )]
    Sha1,
    /// DSA.
    #[error("DSA keys are not accepted; make an ed25519 key with `ssh-keygen -t ed25519`")]
    Dsa,
    /// A short RSA key.
    #[error(
        "the RSA key has {0} bits and at least 2048 are needed; make an ed25519 key with `ssh-keygen -t ed25519`"
    )]
    ShortRsa(usize),
    /// An RSA key longer than can be verified.
    #[error("the RSA key has {0} bits; cannot verify more than 8192")]
    LongRsa(usize),
    /// The mathematics: another key, another message, or an edited signature.
    #[error(
        "the signature does not match: the document was edited after it was signed, or another key signed it"
    )]
    Mismatch,
}

/// A signature in wire form: `string format, string bytes`, and for security keys `byte flags, uint32 counter`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignatureBlob {
    format: String,
    bytes: Vec<u8>,
    trailer: Option<[u8; 5]>,
}

impl SignatureBlob {
    /// Reads the wire form; security keys' formats alone have a trailer. What follows in a format that is not
    /// known (`webauthn-…`) is left unread, so that [`verify`] can refuse the format by its name.
    pub(super) fn from_blob(blob: &[u8]) -> Result<Self, WireError> {
        let mut wire = Wire::new(blob);
        let format = wire.text("signature format")?.to_owned();
        let bytes = wire.string("signature")?.to_vec();
        let trailer = if KeyType::named(&format).is_some_and(KeyType::is_security_key) {
            let mut trailer = [0; 5];
            trailer.copy_from_slice(wire.bytes(5, "security key's flags and counter")?);
            Some(trailer)
        } else {
            None
        };
        if KeyType::named(&format).is_some() || format.starts_with("rsa-sha2-") {
            wire.finish()?;
        }
        Ok(Self { format, bytes, trailer })
    }
}

/// Checks that `signature` is by `key` over exactly `message`. `None` where no security key made it.
pub(super) fn verify(
    key: &PublicKey,
    message: &[u8],
    signature: &SignatureBlob,
) -> Result<Option<Presence>, CryptoError> {
    match (key.kind, key.fields()?) {
        (KeyType::Dsa, _) | (_, Fields::Dsa) => Err(CryptoError::Dsa),
        (_, Fields::Rsa { exponent, modulus }) => {
            verify_rsa(exponent, modulus, message, signature).map(|()| None)
        }
        (kind, Fields::Ed25519 { point, application }) => {
            let (signed, presence) = signed_bytes(kind, application, message, signature)?;
            verify_ed25519(point, &signed, &signature.bytes).map(|()| presence)
        }
        (kind, Fields::Ecdsa { point, application }) => {
            let (signed, presence) = signed_bytes(kind, application, message, signature)?;
            verify_ecdsa(kind, point, &signed, &signature.bytes).map(|()| presence)
        }
    }
}

/// What the curve's signature covers: the message itself, or what a security key wraps around it
/// (`PROTOCOL.u2f`, "SSH U2F signatures": the hash of the application, flags, counter, hash of the message).
fn signed_bytes<'a>(
    kind: KeyType,
    application: Option<&[u8]>,
    message: &'a [u8],
    signature: &SignatureBlob,
) -> Result<(std::borrow::Cow<'a, [u8]>, Option<Presence>), CryptoError> {
    if signature.format != kind.name() {
        return Err(CryptoError::Format { key: kind.name(), format: shown(&signature.format) });
    }
    let (Some(application), Some(trailer)) = (application, signature.trailer) else {
        return Ok((message.into(), None));
    };
    let mut wrapped = digest(&SHA256, application).as_ref().to_vec();
    wrapped.extend_from_slice(&trailer);
    wrapped.extend_from_slice(digest(&SHA256, message).as_ref());
    let flags = trailer[0];
    let presence = Presence { present: flags & 0x01 != 0, verified: flags & 0x04 != 0 };
    Ok((wrapped.into(), Some(presence)))
}

fn verify_ed25519(point: &[u8], message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
    let key = ed25519_dalek::VerifyingKey::try_from(point).map_err(|_| KeyError::Point("ssh-ed25519"))?;
    let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| CryptoError::Mismatch)?;
    key.verify_strict(message, &signature).map_err(|_| CryptoError::Mismatch)
}

/// `r` and `s`, each in its only writing (RFC 5656 section 3.1.2), on the curve of `kind`.
fn verify_ecdsa(kind: KeyType, point: &[u8], message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
    let mut wire = Wire::new(signature);
    let scalars = [wire.integer("r")?, wire.integer("s")?];
    wire.finish()?;
    let length = match kind {
        KeyType::EcdsaP521 => 66,
        KeyType::EcdsaP384 => 48,
        _ => 32,
    };
    let mut fixed = Vec::with_capacity(2 * length);
    for scalar in scalars {
        fixed.extend(pad(scalar, length).ok_or(CryptoError::Mismatch)?);
    }
    let algorithm = match kind {
        KeyType::EcdsaP521 => return verify_p521(point, message, &fixed),
        KeyType::EcdsaP384 => &ECDSA_P384_SHA384_FIXED,
        _ => &ECDSA_P256_SHA256_FIXED,
    };
    UnparsedPublicKey::new(algorithm, point).verify(message, &fixed).map_err(|_| CryptoError::Mismatch)
}

fn verify_p521(point: &[u8], message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
    let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(point)
        .map_err(|_| KeyError::Point("ecdsa-sha2-nistp521"))?;
    let signature = p521::ecdsa::Signature::from_slice(signature).map_err(|_| CryptoError::Mismatch)?;
    key.verify(message, &signature).map_err(|_| CryptoError::Mismatch)
}

fn verify_rsa(
    exponent: &[u8],
    modulus: &[u8],
    message: &[u8],
    signature: &SignatureBlob,
) -> Result<(), CryptoError> {
    let parameters: &RsaParameters = match signature.format.as_str() {
        "rsa-sha2-256" => &RSA_PKCS1_2048_8192_SHA256,
        "rsa-sha2-512" => &RSA_PKCS1_2048_8192_SHA512,
        "ssh-rsa" => return Err(CryptoError::Sha1),
        other => return Err(CryptoError::Format { key: "ssh-rsa", format: shown(other) }),
    };
    check_rsa_length(modulus)?;
    let padded = pad(&signature.bytes, modulus.len()).ok_or(CryptoError::Mismatch)?;
    let key = RsaPublicKeyComponents { n: modulus, e: exponent };
    key.verify(parameters, message, &padded).map_err(|_| CryptoError::Mismatch)
}

fn check_rsa_length(modulus: &[u8]) -> Result<(), CryptoError> {
    let unused = modulus.first().map_or(0, |first| first.leading_zeros() as usize);
    match (modulus.len() * 8).saturating_sub(unused) {
        bits if bits < MIN_RSA_BITS => Err(CryptoError::ShortRsa(bits)),
        bits if bits > MAX_RSA_BITS => Err(CryptoError::LongRsa(bits)),
        _ => Ok(()),
    }
}

/// A number with leading zeros up to `length` bytes. For RSA: some agents drop a signature's leading zeros,
/// and OpenSSH puts them back (`ssh_rsa_verify`); so do we.
fn pad(number: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut padded = vec![0; length.checked_sub(number.len())?];
    padded.extend_from_slice(number);
    Some(padded)
}
