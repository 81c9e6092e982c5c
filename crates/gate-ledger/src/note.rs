//! Signed notes: a text that people can read, and below it the signatures over it.
//!
//! Purpose: the outer format of checkpoints, `c2sp.org/signed-note`, with Ed25519. This module reads and
//! writes notes and keys, and says whose signatures verify. What the text means is for its owner
//! ([`crate::checkpoint`]).
//!
//! # The bytes
//!
//! ```text
//! text, one line or many, each ending in a newline
//!                                      <- one empty line
//! — <key name> base64(key id || signature)
//! — <another name> base64(...)
//! ```
//!
//! - The whole is UTF-8 without ASCII control characters, newline excepted: a carriage return is refused.
//! - The text ends with its newline, which is signed. It may hold empty lines: the signatures begin after
//!   the *last* empty line.
//! - A signature line is an em dash (U+2014), a space, the key's name, a space, the base64 of four bytes of
//!   key id (big-endian) and the signature, and a newline. Nothing else may stand there.
//! - At most [`MAX_SIGNATURES`] signatures and [`MAX_BYTES`] bytes.
//!
//! # What verifies
//!
//! The reader brings the keys. A signature whose name *and* id belong to none of them is ignored, whoever it
//! claims to be from ([`Note::unknown`] lists it). One that belongs to a key of the reader must be right, or
//! the whole note is refused: a wrong signature of a trusted key is an attack or damage, never a detail. A
//! note on which no key of the reader has signed is refused too. Until then the text says nothing.
//!
//! ```
//! use gate_ledger::note::{self, NoteError, SignerKey};
//!
//! // The seed is fixed so that the example can be checked; a real one comes from the operating system.
//! let signer = SignerKey::generate("example.org/log", *b"an example, never a secret: 32 b")?;
//! let key = signer.verifier().clone();
//! assert_eq!(key.to_string(), "example.org/log+197edac4+ARYnAgGiz7XAfeKJP78EDGWRUFVicgssgMPX06z4DrWB");
//!
//! let signed = note::sign("all quiet\n", &signer)?;
//! assert_eq!(signed, concat!(
//!     "all quiet\n",
//!     "\n",
//!     "— example.org/log GX7axBcGernSiw3ZOWthJ41988S9FFvML2tJTYqEhFARkEJRb5h0",
//!     "Pu2kjQaoDfNb7Gk0B3MCld62ECXTNX1/hKBvPAw=\n",
//! ));
//!
//! let note = note::parse(signed.as_bytes())?;
//! assert_eq!(note.text, "all quiet\n");
//! assert_eq!(note.verify(&[key.clone()])?[0].key, key);
//!
//! // One byte of the text, and the signature is wrong; no key, and nothing is verified.
//! let edited = note::parse(signed.replace("quiet", "quite").as_bytes())?;
//! assert!(matches!(edited.verify(&[key]), Err(NoteError::BadSignature { .. })));
//! assert!(matches!(note.verify(&[]), Err(NoteError::NoKnownSignature { .. })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod key;
pub(crate) mod line;
mod read;
mod sign;
mod verify;

pub(crate) use key::parse_material;
pub use key::{KeyError, KeyKind, SignerKey, VerifierKey};
pub use line::Defect;
pub use read::parse;
pub use sign::{SignError, attach, sign};
pub use verify::VerifiedSignature;

/// The largest note that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// The most signatures that a note may carry. The format asks readers to take at least 16.
pub const MAX_SIGNATURES: usize = 100;

/// A note as it was read: nothing in it has been verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What is signed, its last newline included.
    pub text: String,
    /// The signature lines, in order.
    pub signatures: Vec<Signature>,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The name that it claims.
    pub name: String,
    /// The id of the key that it claims.
    pub id: u32,
    /// What follows the id: 64 bytes for Ed25519, after 8 bytes of time for a cosignature.
    pub bytes: Vec<u8>,
}

impl std::fmt::Display for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = [self.id.to_be_bytes().as_slice(), &self.bytes].concat();
        write!(f, "— {} {}", self.name, line::to_base64(&bytes))
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

/// Why a note cannot be read, or must not be believed. Lines are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Larger than [`MAX_BYTES`].
    #[error("the note is {0} bytes long; at most {MAX_BYTES} are read")]
    TooLarge(usize),
    /// Not UTF-8 from this byte on.
    #[error("the note is not UTF-8 from byte {0} on")]
    NotUtf8(usize),
    /// A control character, a carriage return for instance.
    #[error("byte {offset} of the note is the control character 0x{byte:02x}; save it with plain newlines")]
    Control {
        /// Where it stands, counted from 0.
        offset: usize,
        /// What it is.
        byte: u8,
    },
    /// No empty line, or nothing after the last one: the note was cut, or never signed.
    #[error("the note has no signatures; they follow an empty line below the text")]
    Unsigned,
    /// The last line has no newline: the note was cut.
    #[error("the last line of the note does not end with a newline; copy the whole note")]
    Unterminated,
    /// A line below the last empty line that is no signature.
    #[error("line {line} of the note is not a signature; one begins with an em dash and a space")]
    NotASignature {
        /// Its number.
        line: usize,
    },
    /// The name on a signature line is missing or not allowed.
    #[error("the key name on line {line} of the note is empty or holds white space, '+' or nothing after it")]
    Name {
        /// Its number.
        line: usize,
    },
    /// The base64 on a signature line.
    #[error("the signature on line {line} of the note {defect}")]
    Signature {
        /// Its number.
        line: usize,
        /// What is wrong with it.
        #[source]
        defect: Defect,
    },
    /// No byte of signature after the key id.
    #[error("the signature on line {line} of the note is too short")]
    ShortSignature {
        /// Its number.
        line: usize,
    },
    /// More than [`MAX_SIGNATURES`].
    #[error("the note has more than {MAX_SIGNATURES} signatures")]
    TooManySignatures,
    /// The reader's keys hold two different ones of the same name and id: one of them is made to collide.
    #[error("two different keys {name:?} have the id {id:08x}; remove the one that is not trusted")]
    AmbiguousKey {
        /// Their name.
        name: String,
        /// Their id.
        id: u32,
    },
    /// A signature of a key that the reader trusts is wrong.
    #[error("the signature of key {name:?} ({id:08x}) is wrong: the note was changed, or never signed by it")]
    BadSignature {
        /// The key's name.
        name: String,
        /// The key's id.
        id: u32,
    },
    /// Nobody whom the reader knows has signed.
    #[error("no known key has signed the note; it names {}", NoteError::list(.unknown))]
    NoKnownSignature {
        /// Name and id of each signature on it.
        unknown: Vec<(String, u32)>,
    },
}

impl NoteError {
    /// Names and ids for a message; quoted, since they come from a stranger.
    fn list(unknown: &[(String, u32)]) -> String {
        let shown = unknown.iter().take(4).map(|(name, id)| format!("{name:?} ({id:08x})"));
        let mut words: Vec<String> = shown.collect();
        if unknown.len() > words.len() {
            words.push(format!("{} more", unknown.len() - words.len()));
        }
        words.join(", ")
    }
}

#[cfg(test)]
mod tests;
