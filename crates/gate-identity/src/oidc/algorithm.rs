//! The signature algorithms of tokens (RFC 7518 section 3.1, RFC 8037): an allow-list.
//!
//! Invariant: the pinned key decides what the algorithm may be; the token's header only has to agree. So a
//! public key can never serve as an HMAC secret, and `none` is no algorithm.

use ring::signature::{
    self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};

use super::error::OidcError;
use super::jwks::{Curve, Jwk, Material};
use crate::oidc::inert;

/// An algorithm that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

impl Algorithm {
    const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    /// The value of `alg`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm that a header names.
    pub(super) fn named(name: &str) -> Result<Self, OidcError> {
        if let Some(algorithm) = Self::ALL.into_iter().find(|algorithm| algorithm.name() == name) {
            return Ok(algorithm);
        }
        if name.eq_ignore_ascii_case("none") {
            return Err(OidcError::Unsigned);
        }
        if name.to_ascii_uppercase().starts_with("HS") {
            return Err(OidcError::Symmetric);
        }
        Err(OidcError::Algorithm(inert(name)))
    }

    /// Checks `signature` over `message` by a key of the right kind.
    pub(super) fn verify(self, key: &Jwk, message: &[u8], signature: &[u8]) -> Result<(), OidcError> {
        key.permits(self.name())?;
        let wrong_kind = || OidcError::KeyKind { algorithm: self.name(), key: inert(&key.kid) };
        let held = match (&key.material, self.rsa(), self.curve()) {
            (Material::Rsa { modulus, exponent }, Some(parameters), _) => {
                RsaPublicKeyComponents { n: modulus, e: exponent }.verify(parameters, message, signature)
            }
            (Material::Point { curve, point }, _, Some((wanted, algorithm))) if *curve == wanted => {
                UnparsedPublicKey::new(algorithm, point).verify(message, signature)
            }
            (Material::Point { curve: Curve::Ed25519, point }, ..) if self == Self::EdDsa => {
                return verify_ed25519(point, message, signature).ok_or(OidcError::Signature);
            }
            _ => return Err(wrong_kind()),
        };
        held.map_err(|_| OidcError::Signature)
    }

    fn rsa(self) -> Option<&'static RsaParameters> {
        match self {
            Self::Rs256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
            Self::Ps256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
            Self::Ps384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
            Self::Ps512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
            Self::Es256 | Self::Es384 | Self::EdDsa => None,
        }
    }

    fn curve(self) -> Option<(Curve, &'static dyn VerificationAlgorithm)> {
        match self {
            Self::Es256 => Some((Curve::P256, &signature::ECDSA_P256_SHA256_FIXED)),
            Self::Es384 => Some((Curve::P384, &signature::ECDSA_P384_SHA384_FIXED)),
            _ => None,
        }
    }
}

/// Strictly, as SSH signatures and checkpoints are: `ring` takes keys and nonces of small order, under which one
/// signature holds for many messages.
fn verify_ed25519(point: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    let key = ed25519_dalek::VerifyingKey::try_from(point).ok()?;
    let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
    key.verify_strict(message, &signature).ok()
}
