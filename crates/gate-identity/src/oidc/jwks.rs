//! The pinned keys of an issuer: a JSON Web Key Set (RFC 7517), as the issuer publishes it.
//!
//! Invariants: two keys of one id, a key that is malformed, and a file with private or symmetric keys are
//! errors; a key of a kind that is not known is passed over, since issuers publish new kinds before they use
//! them. Nothing is ever fetched.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::error::OidcError;
use super::inert;
use super::json::{self, Object};

/// The longest key set that is read, in bytes.
pub(super) const MAX_JWKS: usize = 1024 * 1024;

/// Why a key set cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JwksError {
    /// Longer than 1 MiB.
    #[error("it is {0} bytes long; at most {MAX_JWKS} are read")]
    TooLong(usize),
    /// Not JSON, or with duplicate members.
    #[error("{0}")]
    Json(String),
    /// No list of keys.
    #[error("it has no list 'keys'; save the issuer's JWKS document as it is published")]
    NoKeys,
    /// A key without one of its members, or with one that cannot be read.
    #[error("key {index}: its '{member}' is missing or malformed")]
    Member {
        /// Which key, from 1.
        index: usize,
        /// The member's name.
        member: &'static str,
    },
    /// Two keys of one id.
    #[error("two keys have the id '{0}'; keep the one that the issuer publishes")]
    Duplicate(String),
    /// A key that must not be public.
    #[error(
        "key {0} is private or symmetric; a key set that is pinned in a repository holds public keys only"
    )]
    Secret(usize),
    /// A short RSA key.
    #[error("key {index} is RSA with {bits} bits; at least 2048 are needed")]
    ShortRsa {
        /// Which key, from 1.
        index: usize,
        /// Its length.
        bits: usize,
    },
}

/// The keys that can verify tokens.
#[derive(Debug)]
pub(super) struct KeySet {
    keys: Vec<Jwk>,
}

/// One public key with an id.
#[derive(Debug)]
pub(super) struct Jwk {
    pub(super) kid: String,
    pub(super) material: Material,
    algorithm: Option<String>,
    purpose: Option<String>,
    operations: Option<Vec<String>>,
}

/// The numbers of a key.
#[derive(Debug)]
pub(super) enum Material {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    Point { curve: Curve, point: Vec<u8> },
}

/// The curves that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    Ed25519,
}

impl KeySet {
    /// Reads a key set.
    pub(super) fn parse(text: &str) -> Result<Self, JwksError> {
        if text.len() > MAX_JWKS {
            return Err(JwksError::TooLong(text.len()));
        }
        let document = json::object(text.as_bytes()).map_err(|error| JwksError::Json(error.to_string()))?;
        let listed = document.get("keys").and_then(Value::as_array).ok_or(JwksError::NoKeys)?;
        let mut keys: Vec<Jwk> = Vec::new();
        for (place, value) in listed.iter().enumerate() {
            let members = value.as_object().ok_or(JwksError::NoKeys)?;
            let Some(key) = (Entry { index: place + 1, members }).read()? else { continue };
            if keys.iter().any(|known| known.kid == key.kid) {
                return Err(JwksError::Duplicate(inert(&key.kid)));
            }
            keys.push(key);
        }
        Ok(Self { keys })
    }

    /// How many keys it has that a token can name.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The key that a token's header names.
    pub(super) fn find(&self, kid: &str) -> Option<&Jwk> {
        self.keys.iter().find(|key| key.kid == kid)
    }
}

impl Jwk {
    /// Whether the key says that it is for signatures of `algorithm` (RFC 7517 sections 4.2 to 4.4).
    pub(super) fn permits(&self, algorithm: &'static str) -> Result<(), OidcError> {
        let wrong_use = || OidcError::KeyUse { key: inert(&self.kid), algorithm };
        if self.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
            return Err(wrong_use());
        }
        if self.operations.as_ref().is_some_and(|operations| !operations.iter().any(|word| word == "verify"))
        {
            return Err(wrong_use());
        }
        if self.algorithm.as_deref().is_some_and(|own| own != algorithm) {
            return Err(wrong_use());
        }
        Ok(())
    }
}

/// One member of `keys`, and its place.
struct Entry<'a> {
    index: usize,
    members: &'a Object,
}

impl Entry<'_> {
    /// The key; nothing where its kind is not known or it has no id, since no token can name it.
    fn read(&self) -> Result<Option<Jwk>, JwksError> {
        let kind = self.text("kty")?.ok_or_else(|| self.malformed("kty"))?;
        if kind == "oct" || self.members.contains_key("d") {
            return Err(JwksError::Secret(self.index));
        }
        let (Some(material), Some(id)) = (self.material(kind)?, self.text("kid")?) else { return Ok(None) };
        Ok(Some(Jwk {
            kid: id.to_owned(),
            material,
            algorithm: self.text("alg")?.map(str::to_owned),
            purpose: self.text("use")?.map(str::to_owned),
            operations: self.words("key_ops")?,
        }))
    }

    fn material(&self, kind: &str) -> Result<Option<Material>, JwksError> {
        match kind {
            "RSA" => self.rsa().map(Some),
            "EC" => match self.text("crv")? {
                Some("P-256") => self.point(Curve::P256, 32).map(Some),
                Some("P-384") => self.point(Curve::P384, 48).map(Some),
                Some(_) => Ok(None),
                None => Err(self.malformed("crv")),
            },
            "OKP" if self.text("crv")? == Some("Ed25519") => {
                Ok(Some(Material::Point { curve: Curve::Ed25519, point: self.number("x", 32)? }))
            }
            _ => Ok(None),
        }
    }

    fn rsa(&self) -> Result<Material, JwksError> {
        // RFC 7518 section 2 wants no leading zeros; some publishers write one, and ring refuses it.
        let number = |member| {
            let bytes = self.bytes(member)?;
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            Ok(bytes.get(zeros..).unwrap_or_default().to_vec())
        };
        let (modulus, exponent) = (number("n")?, number("e")?);
        let unused = modulus.first().map_or(0, |first| first.leading_zeros() as usize);
        let bits = (modulus.len() * 8).saturating_sub(unused);
        if bits < 2048 {
            return Err(JwksError::ShortRsa { index: self.index, bits });
        }
        Ok(Material::Rsa { modulus, exponent })
    }

    /// An uncompressed point (SEC 1): 4, x, y.
    fn point(&self, curve: Curve, length: usize) -> Result<Material, JwksError> {
        let mut point = vec![4];
        point.extend(self.number("x", length)?);
        point.extend(self.number("y", length)?);
        Ok(Material::Point { curve, point })
    }

    fn number(&self, member: &'static str, length: usize) -> Result<Vec<u8>, JwksError> {
        self.bytes(member)
            .and_then(|bytes| if bytes.len() == length { Ok(bytes) } else { Err(self.malformed(member)) })
    }

    fn bytes(&self, member: &'static str) -> Result<Vec<u8>, JwksError> {
        let text = self.text(member)?.ok_or_else(|| self.malformed(member))?;
        URL_SAFE_NO_PAD.decode(text).map_err(|_| self.malformed(member))
    }

    fn text(&self, member: &'static str) -> Result<Option<&str>, JwksError> {
        match self.members.get(member) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.malformed(member)),
        }
    }

    fn words(&self, member: &'static str) -> Result<Option<Vec<String>>, JwksError> {
        let Some(value) = self.members.get(member) else { return Ok(None) };
        let words = value
            .as_array()
            .and_then(|words| words.iter().map(|word| word.as_str().map(str::to_owned)).collect());
        words.map(Some).ok_or_else(|| self.malformed(member))
    }

    const fn malformed(&self, member: &'static str) -> JwksError {
        JwksError::Member { index: self.index, member }
    }
}
