//! Keys of notes: the text forms, the key id, and the two kinds of Ed25519 signature.
//!
//! A verifier key (`vkey`) may be published and pinned in a script; a signer key is a secret of one line.
//!
//! ```text
//! verifier key   <name>+<8 hex digits of the id>+base64(<type byte> || <32 bytes public key>)
//! signer key     PRIVATE+KEY+<name>+<8 hex digits of the id>+base64(0x01 || <32 bytes seed>)
//! id             the first 4 bytes of SHA-256(<name> || "\n" || <type byte> || <public key>)
//! ```
//!
//! The id is short and anyone can make a key that collides with it; the reader is safe because the whole
//! public key comes from the reader's own configuration, never from the note.

mod weak;

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use sha2::{Digest, Sha256};

use self::weak::is_weak;
use super::line::{self, Defect, is_key_name};

/// What stands before the 32 bytes of an Ed25519 public key in SSH's form: two lengths and the type.
const SSH_ED25519: &[u8] = b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20";

/// How a key signs: the type byte of C2SP signed-note, section "Signature types".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyKind {
    /// `0x01`: Ed25519 over the text of the note. Logs sign like this.
    Note,
    /// `0x04`: Ed25519 over a time and the text of a checkpoint. Witnesses sign like this; see
    /// [`crate::cosignature`].
    Cosignature,
}

impl KeyKind {
    /// The byte that stands for it.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Note => 0x01,
            Self::Cosignature => 0x04,
        }
    }
}

/// Why a text is not a key. No message repeats the text: it may be a secret in the wrong place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not three parts with `+` between.
    #[error("a verifier key is <name>+<8 hex digits>+<base64>, on one line")]
    VerifierShape,
    /// Not `PRIVATE+KEY+` and three parts with `+` between.
    #[error("a signer key is PRIVATE+KEY+<name>+<8 hex digits>+<base64>, on one line")]
    SignerShape,
    /// A secret where a public key belongs.
    #[error("this is a signer key, which is a secret; give the verifier key that was printed with it")]
    Private,
    /// A public key where the secret belongs.
    #[error("this is a verifier key, which cannot sign; give the signer key, which begins with PRIVATE+KEY+")]
    Public,
    /// The name is empty or holds white space, a plus or a control character.
    #[error("a key's name must not be empty, nor hold white space, '+' or control characters")]
    Name,
    /// The id is not eight lower-case hexadecimal digits.
    #[error("a key's id is 8 lower-case hexadecimal digits")]
    Id,
    /// The last part is not the base64 of a key.
    #[error("the key's last part {0}")]
    Material(#[source] Defect),
    /// A signature type that this program does not know, such as ML-DSA (0x06).
    #[error("keys of signature type 0x{0:02x} are not supported; use Ed25519 (0x01), or 0x04 for a witness")]
    UnsupportedType(u8),
    /// Only Ed25519 note keys sign.
    #[error("a signer key is of type 0x01, not 0x{0:02x}")]
    SignerType(u8),
    /// The id does not belong to this name and key: a part was edited or copied wrongly.
    #[error("the key's id does not belong to its name and public key; copy the whole line again")]
    IdMismatch,
    /// A public key that is no point of the curve, of small order, or not in canonical form. With the former, signatures that nobody made
    /// would verify; with the latter, one key could pass for two.
    #[error(
        "this public key is weak, not in canonical form, or no point of the curve; it must not be trusted"
    )]
    Weak,
}

/// A public key, with the name that it signs under.
///
/// ```
/// use gate_ledger::note::{KeyKind, VerifierKey};
/// let key = VerifierKey::parse("example.org/log+197edac4+ARYnAgGiz7XAfeKJP78EDGWRUFVicgssgMPX06z4DrWB")?;
/// assert_eq!((key.name(), key.kind()), ("example.org/log", KeyKind::Note));
/// assert_eq!(key.id(), 0x197e_dac4);
/// # Ok::<(), gate_ledger::note::KeyError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VerifierKey {
    name: String,
    id: u32,
    kind: KeyKind,
    public: [u8; 32],
}

impl VerifierKey {
    /// A key of that name, kind and public key, for instance of a key that an agent holds.
    ///
    /// # Errors
    /// [`KeyError::Name`], [`KeyError::Weak`].
    pub fn new(name: &str, kind: KeyKind, public: [u8; 32]) -> Result<Self, KeyError> {
        if !is_key_name(name) {
            return Err(KeyError::Name);
        }
        if is_weak(&public) {
            return Err(KeyError::Weak);
        }
        let id = key_id(name, kind.byte(), &public);
        Ok(Self { name: name.to_owned(), id, kind, public })
    }

    /// Reads the text form, without a newline.
    ///
    /// # Errors
    /// The [`KeyError`] that was met.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let (name, type_byte, material) = parse_material(text)?;
        let kind = match type_byte {
            0x01 => KeyKind::Note,
            0x04 => KeyKind::Cosignature,
            other => return Err(KeyError::UnsupportedType(other)),
        };
        let public = <[u8; 32]>::try_from(material.as_slice())
            .map_err(|_| KeyError::Material(Defect::Length { found: material.len() + 1, expected: 33 }))?;
        Self::new(&name, kind, public)
    }

    /// The name; for a log, its origin or a path above it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id that signatures carry.
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// How it signs.
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The Ed25519 public key (RFC 8032).
    pub const fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The key as `allowed_signers` and `.pub` files write it: the base64 of its SSH form (RFC 8709, section
    /// 4). With 32 bytes of key the form has 51, so that the text has no padding and is the same everywhere.
    #[must_use]
    pub fn to_ssh_base64(&self) -> String {
        line::to_base64(&[SSH_ED25519, self.public.as_slice()].concat())
    }

    /// The same name and public key as a witness, which has another id.
    #[must_use]
    pub fn as_cosigner(&self) -> Self {
        let kind = KeyKind::Cosignature;
        Self { id: key_id(&self.name, kind.byte(), &self.public), kind, ..self.clone() }
    }

    /// Whether `signature` (64 bytes) is this key's over `message`.
    ///
    /// Ring refuses an `s` that is not reduced and compares the encoded `R`, so that nobody but the signer
    /// can make a second signature over the same message; [`KeyError::Weak`] keeps out the keys for which
    /// anybody could.
    pub(crate) fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.public).verify(message, signature).is_ok()
    }
}

impl std::fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let material = [&[self.kind.byte()], self.public.as_slice()].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.id, line::to_base64(&material))
    }
}

impl std::str::FromStr for VerifierKey {
    type Err = KeyError;
    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::parse(text)
    }
}

/// A secret key. It has no `Display`: only [`SignerKey::to_secret_text`] gives the secret away.
pub struct SignerKey {
    verifier: VerifierKey,
    seed: [u8; 32],
    pair: Ed25519KeyPair,
}

impl SignerKey {
    /// A new key of that name. `random` must come from the operating system's source and be used once.
    ///
    /// # Errors
    /// [`KeyError::Name`]; [`KeyError::Weak`] never comes from a seed in practice.
    pub fn generate(name: &str, random: [u8; 32]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&random)
            .map_err(|_| KeyError::Material(Defect::Length { found: random.len(), expected: 32 }))?;
        let public = <[u8; 32]>::try_from(pair.public_key().as_ref()).map_err(|_| KeyError::Weak)?;
        let verifier = VerifierKey::new(name, KeyKind::Note, public)?;
        Ok(Self { verifier, seed: random, pair })
    }

    /// Reads the text form, without a newline.
    ///
    /// # Errors
    /// The [`KeyError`] that was met.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let rest = text.strip_prefix("PRIVATE+KEY+").ok_or_else(|| match VerifierKey::parse(text) {
            Ok(_) => KeyError::Public,
            Err(_) => KeyError::SignerShape,
        })?;
        let (name, id, material) = split(rest).ok_or(KeyError::SignerShape)?;
        let material = line::base64(material).map_err(KeyError::Material)?;
        let Some((0x01, seed)) = material.split_first().map(|(byte, seed)| (*byte, seed)) else {
            return Err(KeyError::SignerType(material.first().copied().unwrap_or_default()));
        };
        let seed = <[u8; 32]>::try_from(seed)
            .map_err(|_| KeyError::Material(Defect::Length { found: material.len(), expected: 33 }))?;
        let key = Self::generate(name, seed)?;
        if read_id(id)? == key.verifier.id { Ok(key) } else { Err(KeyError::IdMismatch) }
    }

    /// The public half.
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The secret in its text form, to be written to a file that only its owner can read.
    #[must_use]
    pub fn to_secret_text(&self) -> String {
        let material = [&[KeyKind::Note.byte()], self.seed.as_slice()].concat();
        let VerifierKey { name, id, .. } = &self.verifier;
        format!("PRIVATE+KEY+{name}+{id:08x}+{}", line::to_base64(&material))
    }

    /// The 64 bytes of an Ed25519 signature over `message`.
    pub(crate) fn sign_bytes(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }
}

impl std::fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignerKey").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

/// The name, the type byte and the rest of a verifier key of any type, its id checked: what a trust policy
/// needs of a key whose signatures this program cannot check.
pub(crate) fn parse_material(text: &str) -> Result<(String, u8, Vec<u8>), KeyError> {
    if text.starts_with("PRIVATE+KEY+") {
        return Err(KeyError::Private);
    }
    let (name, id, material) = split(text).ok_or(KeyError::VerifierShape)?;
    if !is_key_name(name) {
        return Err(KeyError::Name);
    }
    let id = read_id(id)?;
    let material = line::base64(material).map_err(KeyError::Material)?;
    let Some((type_byte, public)) = material.split_first() else {
        return Err(KeyError::Material(Defect::Empty));
    };
    if key_id(name, *type_byte, public) != id {
        return Err(KeyError::IdMismatch);
    }
    Ok((name.to_owned(), *type_byte, public.to_vec()))
}

/// Name, id and material. Base64 may hold `+` too, so only the first two part the text.
fn split(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.split_once('+')?;
    let (id, material) = rest.split_once('+')?;
    Some((name, id, material))
}

/// Eight lower-case hexadecimal digits.
fn read_id(text: &str) -> Result<u32, KeyError> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 8 || !text.bytes().all(is_digit) {
        return Err(KeyError::Id);
    }
    u32::from_str_radix(text, 16).map_err(|_| KeyError::Id)
}

/// `SHA-256(name || "\n" || type || public key)[:4]` (C2SP signed-note, section "Signatures").
fn key_id(name: &str, type_byte: u8, public: &[u8]) -> u32 {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', type_byte])
        .chain_update(public)
        .finalize()
        .into();
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}

#[cfg(test)]
mod tests;
