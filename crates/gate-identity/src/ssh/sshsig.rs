//! The SSHSIG format (OpenSSH's `PROTOCOL.sshsig`): armor, envelope, and the bytes that are signed.
//!
//! ```text
//! -----BEGIN SSH SIGNATURE-----        byte[6] "SSHSIG"        what is signed:
//! base64, lines of any length          uint32  1               byte[6] "SSHSIG"
//! -----END SSH SIGNATURE-----          string  public key      string  namespace
//!                                      string  namespace       string  reserved (empty)
//!                                      string  reserved        string  hash algorithm
//!                                      string  hash algorithm  string  H(message)
//!                                      string  signature
//! ```
//!
//! Invariants: one signature has one writing, but for where the base64 lines break: whatever stands before or
//! after the armor, in `reserved`, or after the last field is refused, so that nothing unsigned can ride along.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, SHA512, digest};

use super::Namespace;
use super::certificate::Certificate;
use super::crypto::{self, Presence, SignatureBlob};
use super::error::SshError;
use super::key::{KeyType, PublicKey, shown};
use super::wire::{Wire, WireError, put_string};

/// The longest armored signature that is read, in bytes. One with a certificate of the longest RSA keys has 12 KiB.
pub const MAX_ARMOR: usize = 64 * 1024;

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----\n";
const END: &str = "\n-----END SSH SIGNATURE-----";
const MAGIC: &[u8] = b"SSHSIG";

/// An envelope whose fields are well-formed; nothing in it is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Envelope {
    pub(super) signer: Signer,
    namespace: String,
    hash: Hash,
    signature: SignatureBlob,
}

/// Whose key the envelope names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Signer {
    /// The key itself.
    Key(PublicKey),
    /// A key with a certificate.
    Certificate(Box<Certificate>),
}

impl Signer {
    /// The key that signed.
    pub(super) fn key(&self) -> &PublicKey {
        match self {
            Self::Key(key) => key,
            Self::Certificate(certificate) => &certificate.key,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha512,
}

impl Hash {
    const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }
}

impl Envelope {
    /// Reads an armored signature.
    pub(super) fn from_armor(armor: &str) -> Result<Self, SshError> {
        Self::from_blob(&dearmor(armor)?)
    }

    fn from_blob(blob: &[u8]) -> Result<Self, SshError> {
        let mut wire = Wire::new(blob);
        if wire.bytes(MAGIC.len(), "preamble").map_err(SshError::Envelope)? != MAGIC {
            return Err(SshError::Preamble);
        }
        match wire.u32("version").map_err(SshError::Envelope)? {
            1 => {}
            other => return Err(SshError::Version(other)),
        }
        let fields = Fields::read(wire).map_err(SshError::Envelope)?;
        Ok(Self {
            signer: read_signer(fields.key)?,
            namespace: fields.namespace.to_owned(),
            hash: fields.hash()?,
            signature: SignatureBlob::from_blob(fields.signature)
                .map_err(|error| SshError::Signature(error.into()))?,
        })
    }

    /// Checks namespace and signature over `message`; trust in the key is another question.
    pub(super) fn check(&self, message: &[u8], namespace: Namespace) -> Result<Option<Presence>, SshError> {
        if self.namespace != namespace.as_str() {
            return Err(SshError::Namespace { found: shown(&self.namespace), wanted: namespace.as_str() });
        }
        let signed = self.signed_bytes(message);
        crypto::verify(self.signer.key(), &signed, &self.signature).map_err(SshError::Signature)
    }

    fn signed_bytes(&self, message: &[u8]) -> Vec<u8> {
        let hashed = match self.hash {
            Hash::Sha256 => digest(&SHA256, message),
            Hash::Sha512 => digest(&SHA512, message),
        };
        let mut out = MAGIC.to_vec();
        for field in [self.namespace.as_bytes(), b"", self.hash.name().as_bytes(), hashed.as_ref()] {
            put_string(&mut out, field);
        }
        out
    }
}

/// Whether `armor` is a signature that holds for the message and the namespace, whoever made it.
///
/// # Errors
/// A [`SshError`]: it is none, or it does not hold.
pub fn holds(message: &[u8], armor: &str, namespace: Namespace) -> Result<(), SshError> {
    Envelope::from_armor(armor)?.check(message, namespace).map(drop)
}

/// The fields after the version, in their order.
struct Fields<'a> {
    key: &'a [u8],
    namespace: &'a str,
    reserved: &'a [u8],
    hash: &'a str,
    signature: &'a [u8],
}

impl<'a> Fields<'a> {
    fn read(mut wire: Wire<'a>) -> Result<Self, WireError> {
        let fields = Self {
            key: wire.string("public key")?,
            namespace: wire.text("namespace")?,
            reserved: wire.string("reserved field")?,
            hash: wire.text("hash algorithm")?,
            signature: wire.string("signature")?,
        };
        wire.finish()?;
        Ok(fields)
    }

    fn hash(&self) -> Result<Hash, SshError> {
        if !self.reserved.is_empty() {
            return Err(SshError::Reserved(self.reserved.len()));
        }
        match self.hash {
            "sha256" => Ok(Hash::Sha256),
            "sha512" => Ok(Hash::Sha512),
            other => Err(SshError::Hash(shown(other))),
        }
    }
}

fn read_signer(blob: &[u8]) -> Result<Signer, SshError> {
    let name = Wire::new(blob).text("key type").map_err(SshError::Envelope)?;
    if KeyType::of_certificate(name).is_some() {
        return Ok(Signer::Certificate(Box::new(Certificate::from_blob(blob)?)));
    }
    PublicKey::from_blob(blob).map(Signer::Key).map_err(SshError::Key)
}

/// The bytes within the armor.
fn dearmor(armor: &str) -> Result<Vec<u8>, SshError> {
    if armor.len() > MAX_ARMOR {
        return Err(SshError::TooLong(armor.len()));
    }
    let inner =
        armor.strip_prefix(BEGIN).ok_or(SshError::Armor("its first line is not BEGIN SSH SIGNATURE"))?;
    let (base64, after) =
        inner.split_once(END).ok_or(SshError::Armor("its END SSH SIGNATURE line is missing"))?;
    if !matches!(after, "" | "\n") {
        return Err(SshError::Armor("something follows its END SSH SIGNATURE line"));
    }
    let joined: String = base64.split('\n').collect();
    STANDARD.decode(joined).map_err(|_| SshError::Armor("its lines are not base64"))
}

#[cfg(test)]
mod tests {
    use super::{Envelope, SshError, dearmor};
    use crate::ssh::wire::{WireError, put_string};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    fn armored(blob: &[u8]) -> String {
        format!("{}{}{}\n", super::BEGIN, STANDARD.encode(blob), super::END)
    }

    /// An envelope around an ed25519 key of zeros and a signature of zeros.
    fn envelope(reserved: &[u8], hash: &[u8], after: &[u8]) -> Vec<u8> {
        let (mut key, mut signature) = (Vec::new(), Vec::new());
        for (out, length) in [(&mut key, 32), (&mut signature, 64)] {
            put_string(out, b"ssh-ed25519");
            put_string(out, &vec![0; length]);
        }
        let mut blob = b"SSHSIG\0\0\0\x01".to_vec();
        for field in [&key[..], b"gate-request", reserved, hash, &signature] {
            put_string(&mut blob, field);
        }
        blob.extend_from_slice(after);
        blob
    }

    #[test]
    fn what_surrounds_the_armor_is_refused() {
        let good = armored(&envelope(b"", b"sha512", b""));
        assert!(Envelope::from_armor(&good).is_ok());
        assert!(Envelope::from_armor(good.trim_end()).is_ok());
        for wrong in [
            format!("\n{good}"),
            format!("{good}\n"),
            format!("{good}x"),
            format!(" {good}"),
            good.replace('\n', "\r\n"),
            good.replace("END SSH", "END PGP"),
            good.replace("U1NI", "U1N!"),
            String::new(),
        ] {
            assert!(matches!(Envelope::from_armor(&wrong), Err(SshError::Armor(_))), "{wrong:?}");
        }
        assert!(matches!(dearmor(&"A".repeat(70_000)), Err(SshError::TooLong(70_000))));
    }

    #[test]
    fn unsigned_bytes_within_the_envelope_are_refused() {
        let parse = |reserved: &[u8], hash: &[u8], after: &[u8]| {
            Envelope::from_armor(&armored(&envelope(reserved, hash, after))).unwrap_err()
        };
        assert_eq!(parse(b"x", b"sha512", b""), SshError::Reserved(1));
        assert_eq!(parse(b"", b"sha1", b""), SshError::Hash("sha1".into()));
        assert_eq!(parse(b"", b"md5\x1b", b""), SshError::Hash("md5\\u{1b}".into()));
        assert_eq!(parse(b"", b"sha512", b"\0"), SshError::Envelope(WireError::Trailing(1)));
    }

    #[test]
    fn every_cut_of_an_envelope_is_refused() {
        let blob = envelope(b"", b"sha512", b"");
        for length in 0..blob.len() {
            assert!(Envelope::from_armor(&armored(&blob[..length])).is_err(), "{length}");
        }
    }

    proptest! {
        #[test]
        fn no_envelope_panics(position in 10_usize..200, bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let mut blob = envelope(b"", b"sha512", b"");
            blob.truncate(position);
            blob.extend(bytes);
            let _ = Envelope::from_armor(&armored(&blob));
        }
    }

    #[test]
    fn other_versions_and_preambles_are_refused() {
        let mut blob = envelope(b"", b"sha512", b"");
        blob[9] = 2;
        assert_eq!(Envelope::from_armor(&armored(&blob)), Err(SshError::Version(2)));
        blob[9] = 0;
        assert_eq!(Envelope::from_armor(&armored(&blob)), Err(SshError::Version(0)));
        blob[0] = b's';
        assert_eq!(Envelope::from_armor(&armored(&blob)), Err(SshError::Preamble));
    }
}
