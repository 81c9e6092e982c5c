//! Why a signature proves nothing.

use super::certificate::CertificateError;
use super::crypto::CryptoError;
use super::key::KeyError;
use super::sshsig::MAX_ARMOR;
use super::wire::WireError;

/// Why a signature is refused. The first part of the enum is about its form, the second about its key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SshError {
    /// Longer than [`MAX_ARMOR`].
    #[error("the signature is {0} bytes long; at most {MAX_ARMOR} are read")]
    TooLong(usize),
    /// The armor around it.
    #[error(
        "the signature is not an armored SSH signature: {0}; paste it whole, as `ssh-keygen -Y sign` wrote it"
    )]
    Armor(&'static str),
    /// Another format within the armor.
    #[error("the signature's preamble is not SSHSIG")]
    Preamble,
    /// Another version of the format.
    #[error("the signature has the format version {0}; only version 1 is known")]
    Version(u32),
    /// The fields of the envelope.
    #[error("the signature's envelope is malformed: {0}")]
    Envelope(WireError),
    /// Bytes that nobody signed.
    #[error("the signature's reserved field holds {0} bytes, which are not signed; it must be empty")]
    Reserved(usize),
    /// The hash algorithm.
    #[error("the signature uses the hash '{0}'; only sha256 and sha512 are accepted")]
    Hash(String),
    /// Signed for another purpose.
    #[error("the signature was made for '{found}', not for '{wanted}'")]
    Namespace {
        /// The signature's namespace, shown inert.
        found: String,
        /// The namespace that this kind of document is signed in.
        wanted: &'static str,
    },
    /// The public key in it.
    #[error("the signature's key: {0}")]
    Key(KeyError),
    /// The signature itself.
    #[error("the signature is refused: {0}")]
    Signature(CryptoError),
    /// The certificate in it.
    #[error("{0}")]
    Certificate(#[from] CertificateError),

    /// No line lists the key, or the certificate's authority.
    #[error("the key {key} is not listed in allowed_signers; whoever owns the policy can add it")]
    UnknownKey {
        /// The key's fingerprint, or the authority's.
        key: String,
    },
    /// The name holds what may not stand in one.
    #[error("the signer's name holds U+{0:04X}, which may not stand in a name")]
    Name(u32),
    /// The key is listed, for somebody else.
    #[error("the key {key} does not stand for '{principal}'; say who you are as allowed_signers names you")]
    OtherPrincipal {
        /// The key's fingerprint.
        key: String,
        /// Who the document says it is, shown inert.
        principal: String,
    },
    /// The line does not list the namespace.
    #[error("line {line} of allowed_signers does not trust the key for '{namespace}'")]
    KeyNamespace {
        /// The line, from 1.
        line: usize,
        /// The namespace.
        namespace: &'static str,
    },
    /// Not valid at the start of the interval.
    #[error(
        "line {line} of allowed_signers trusts the key from {valid_after} on, and the signature may be older"
    )]
    NotYet {
        /// The line, from 1.
        line: usize,
        /// The instant.
        valid_after: String,
    },
    /// Not valid at the end of the interval.
    #[error(
        "line {line} of allowed_signers trusts the key until {valid_before}, and the signature may be newer"
    )]
    Expired {
        /// The line, from 1.
        line: usize,
        /// The instant.
        valid_before: String,
    },
    /// A security key that nobody touched.
    #[error(
        "nobody touched the security key for this signature; line {line} of allowed_signers lacks no-touch-required"
    )]
    Presence {
        /// The line, from 1.
        line: usize,
    },
    /// The interval ends before it starts, so nothing can be proven about it.
    #[error("the time of the signature is bounded by {start} and {end}, which is no interval")]
    Interval {
        /// Its start.
        start: String,
        /// Its end.
        end: String,
    },
}
