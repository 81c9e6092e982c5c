//! Checkpoints: what a ledger's owner signs about its size and its root, `c2sp.org/tlog-checkpoint`.
//!
//! Purpose: a chain alone cannot see that its tail was cut off or that it was written anew. A checkpoint that
//! is kept elsewhere (a pipeline's log, a commit, a witness) can: the ledger must still have its first `size`
//! entries, with the same root. What a checkpoint covers is *anchored*.
//!
//! # The bytes
//!
//! A signed note ([`crate::note`]) whose text is
//!
//! ```text
//! example.com/payments/9f86d081884c7d659a2feaa0c55ad015     origin: which ledger
//! 5                                                         tree size, without leading zeros
//! /hSlQm+9cMD6c/UjQq/toNoL0Mg4ZizPazuIowcOrZc=              the root in base64
//! ```
//!
//! (the explanations are not part of it). Lines after these are *extensions*: opaque, signed, not empty, and
//! not used here; the checkpoint in a statement about an archive has one ([`crate::archive::Statement::line`]). The origin of a ledger is the policy's origin, `/`, and the ledger's id
//! ([`ledger_origin`]).
//!
//! # Which keys may speak for an origin
//!
//! A key is trusted for the origin that it is named after, and for all below: `example.com/payments` signs for
//! the ledger above, `example.com/pay` and `example.com/wages` do not ([`speaks_for`]). Else whoever holds the
//! key of one ledger could sign for every other one that the same reader checks. A reader that has tied keys
//! to an origin by other means says so with [`open_pinned`].
//!
//! ```
//! use gate_ledger::checkpoint::{self, Checkpoint, CheckpointError, ledger_origin};
//! use gate_ledger::{note::SignerKey, tree};
//!
//! let root = tree::leaf_hash(b"{}");
//! let origin = ledger_origin("example.com/payments", "9f86d081884c7d659a2feaa0c55ad015")?;
//! let checkpoint = Checkpoint { origin, size: 1, root, extensions: vec![] };
//! assert_eq!(checkpoint.to_string(), concat!(
//!     "example.com/payments/9f86d081884c7d659a2feaa0c55ad015\n",
//!     "1\n",
//!     "KKOhj2zWQGsIbp/9ofm4oT289EsPPzLLkDGhH9BTrPk=\n",
//! ));
//!
//! let signer = SignerKey::generate("example.com/payments", [7; 32])?;
//! let signed = checkpoint.sign(&signer)?;
//! let (opened, signatures) = checkpoint::open(signed.as_bytes(), &[signer.verifier().clone()])?;
//! assert_eq!(opened, checkpoint);
//! assert_eq!(signatures[0].key.name(), "example.com/payments");
//!
//! let stranger = SignerKey::generate("example.com/wages", [8; 32])?;
//! assert!(matches!(checkpoint.sign(&stranger), Err(CheckpointError::ForeignKey { .. })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Not here: whether a ledger agrees with a checkpoint ([`crate::tree`] has the arithmetic, the verifier the
//! entries), and the age of a checkpoint, which its text does not say; a cosignature has a time.

use crate::note::line::{self, find_control, is_key_name};
use crate::note::{
    self, Defect, KeyKind, Note, NoteError, SignError, SignerKey, VerifiedSignature, VerifierKey,
};
use crate::tree::{EMPTY_ROOT, Hash};

/// The size and the root of a ledger's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which ledger: one line, not empty.
    pub origin: String,
    /// How many entries, at most [`crate::tree::MAX_SIZE`].
    pub size: u64,
    /// The RFC 6962 root of that many entries.
    pub root: Hash,
    /// Further signed lines, none empty. Of ours only the checkpoint in a statement about an archive has one.
    pub extensions: Vec<String>,
}

/// Why a checkpoint cannot be read, written, or believed. Lines are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note around it.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Fewer than three lines.
    #[error("a checkpoint has at least three lines: origin, size and root; this text has {0}")]
    TooFewLines(usize),
    /// The last line has no newline.
    #[error("the last line of the checkpoint does not end with a newline")]
    Unterminated,
    /// A control character other than newline.
    #[error("the checkpoint holds the control character 0x{0:02x}")]
    Control(u8),
    /// The first line is empty.
    #[error("line 1 of the checkpoint, its origin, is empty")]
    EmptyOrigin,
    /// The second line.
    #[error("line 2 of the checkpoint, the tree size, {0}")]
    Size(#[source] Defect),
    /// The third line.
    #[error("line 3 of the checkpoint, the root hash, {0}")]
    Root(#[source] Defect),
    /// An extension line is empty.
    #[error("line {line} of the checkpoint is empty")]
    EmptyExtension {
        /// Its number.
        line: usize,
    },
    /// Size 0 with a root of something.
    #[error("the checkpoint's size is 0, but its root is not that of an empty tree")]
    EmptyTreeRoot,
    /// An origin for a ledger cannot be made of these parts.
    #[error("the origin {0:?} must not be empty, nor hold white space, '+' or control characters")]
    Origin(String),
    /// The members cannot be written so that they are read back the same: a line break in the origin.
    #[error("this checkpoint cannot be written: a line of it is empty or holds a line break")]
    Unwritable,
    /// Only witnesses have signed.
    #[error("no log key has signed the checkpoint; cosignatures of witnesses alone do not make one")]
    OnlyWitnesses,
    /// A key for another origin.
    #[error(
        "key {key:?} does not speak for origin {origin:?}; it must be named after the origin or above it"
    )]
    ForeignKey {
        /// The key's name.
        key: String,
        /// The checkpoint's origin.
        origin: String,
    },
    /// A checkpoint of another ledger.
    #[error("the checkpoint is of origin {found:?}, not of {expected:?}")]
    OtherOrigin {
        /// What it says.
        found: String,
        /// What the reader pinned.
        expected: String,
    },
    /// The signature could not be made.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl Checkpoint {
    /// Reads the text of a checkpoint, without signatures.
    ///
    /// # Errors
    /// The first defect, with its line.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        if let Some((_, byte)) = find_control(text) {
            return Err(CheckpointError::Control(byte));
        }
        let body = text.strip_suffix('\n').ok_or(CheckpointError::Unterminated)?;
        let lines: Vec<&str> = body.split('\n').collect();
        let [origin, size, root, extensions @ ..] = lines.as_slice() else {
            return Err(CheckpointError::TooFewLines(lines.len()));
        };
        if origin.is_empty() {
            return Err(CheckpointError::EmptyOrigin);
        }
        let size = line::decimal(size).map_err(CheckpointError::Size)?;
        let root = line::hash(root).map_err(CheckpointError::Root)?;
        if size == 0 && root != EMPTY_ROOT {
            return Err(CheckpointError::EmptyTreeRoot);
        }
        if let Some(n) = extensions.iter().position(|line| line.is_empty()) {
            return Err(CheckpointError::EmptyExtension { line: n + 4 });
        }
        let extensions = extensions.iter().map(|line| (*line).to_owned()).collect();
        Ok(Self { origin: (*origin).to_owned(), size, root, extensions })
    }

    /// The signed note of this checkpoint, by a key that speaks for its origin.
    ///
    /// # Errors
    /// [`CheckpointError::ForeignKey`], [`CheckpointError::Unwritable`], or what signing gives.
    pub fn sign(&self, key: &SignerKey) -> Result<String, CheckpointError> {
        let text = self.to_text()?;
        self.require_voice(key.verifier())?;
        Ok(note::sign(&text, key)?)
    }

    /// The signed note from 64 bytes that an agent signed over [`Checkpoint::to_text`].
    ///
    /// # Errors
    /// As for [`Checkpoint::sign`]; the signature is verified.
    pub fn sign_with(&self, key: &VerifierKey, signature: &[u8]) -> Result<String, CheckpointError> {
        let text = self.to_text()?;
        self.require_voice(key)?;
        let signature = note::attach(&text, key, signature)?;
        Ok(Note { text, signatures: vec![signature] }.to_string())
    }

    /// The text to sign, which reads back as this checkpoint and nothing else.
    ///
    /// # Errors
    /// [`CheckpointError::Unwritable`] where a member holds a line break, is empty, or is out of range.
    pub fn to_text(&self) -> Result<String, CheckpointError> {
        let text = self.to_string();
        match Self::parse(&text) {
            Ok(again) if again == *self => Ok(text),
            _ => Err(CheckpointError::Unwritable),
        }
    }

    /// Whether it is of the ledger with that id, whatever the log is called ([`ledger_origin`]).
    pub fn is_of_ledger(&self, id: &str) -> bool {
        !id.is_empty() && self.origin.strip_suffix(id).is_some_and(|log| log.ends_with('/'))
    }

    /// Refuses a key that does not speak for this origin, or that is a witness's.
    fn require_voice(&self, key: &VerifierKey) -> Result<(), CheckpointError> {
        if key.kind() != KeyKind::Note {
            return Err(CheckpointError::OnlyWitnesses);
        }
        if speaks_for(key.name(), &self.origin) {
            return Ok(());
        }
        Err(CheckpointError::ForeignKey { key: key.name().to_owned(), origin: self.origin.clone() })
    }
}

impl std::fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, line::to_base64(&self.root))?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// Opens a signed checkpoint: reads it, verifies the signatures of `keys`, and requires one by a log's key
/// (not a witness's) that [`speaks_for`] its origin. Gives all verified signatures, witnesses' included.
///
/// # Errors
/// A [`CheckpointError`]; a wrong signature of any of `keys` is one.
pub fn open(
    bytes: &[u8],
    keys: &[VerifierKey],
) -> Result<(Checkpoint, Vec<VerifiedSignature>), CheckpointError> {
    let (checkpoint, verified) = open_any(bytes, keys)?;
    let first = log_keys(&verified).next().ok_or(CheckpointError::OnlyWitnesses)?;
    if !log_keys(&verified).any(|key| speaks_for(key.name(), &checkpoint.origin)) {
        let key = first.name().to_owned();
        return Err(CheckpointError::ForeignKey { key, origin: checkpoint.origin });
    }
    Ok((checkpoint, verified))
}

/// As [`open`], for a reader that has tied `keys` to `origin` by other means: the origin must be that one, and
/// a log's key of any name counts.
///
/// # Errors
/// A [`CheckpointError`].
pub fn open_pinned(
    bytes: &[u8],
    origin: &str,
    keys: &[VerifierKey],
) -> Result<(Checkpoint, Vec<VerifiedSignature>), CheckpointError> {
    let (checkpoint, verified) = open_any(bytes, keys)?;
    if checkpoint.origin != origin {
        let expected = origin.to_owned();
        return Err(CheckpointError::OtherOrigin { found: checkpoint.origin, expected });
    }
    if log_keys(&verified).next().is_none() {
        return Err(CheckpointError::OnlyWitnesses);
    }
    Ok((checkpoint, verified))
}

/// Signatures first: the text of a note says nothing before they are verified.
fn open_any(
    bytes: &[u8],
    keys: &[VerifierKey],
) -> Result<(Checkpoint, Vec<VerifiedSignature>), CheckpointError> {
    let note = note::parse(bytes)?;
    let verified = note.verify(keys)?;
    Ok((Checkpoint::parse(&note.text)?, verified))
}

/// The keys that signed as logs do.
fn log_keys(verified: &[VerifiedSignature]) -> impl Iterator<Item = &VerifierKey> {
    verified.iter().map(|signature| &signature.key).filter(|key| key.kind() == KeyKind::Note)
}

/// Whether a key of that name speaks for `origin`: it is the origin, or a path above it.
pub fn speaks_for(key_name: &str, origin: &str) -> bool {
    origin.strip_prefix(key_name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The origin of a ledger: `policy_origin/ledger_id`, such that a key can be named after it.
///
/// # Errors
/// [`CheckpointError::Origin`] where a part is empty or holds white space, `+` or a control character; the id
/// holds no `/` either, so that no two ledgers get one origin.
pub fn ledger_origin(policy_origin: &str, ledger_id: &str) -> Result<String, CheckpointError> {
    let origin = format!("{policy_origin}/{ledger_id}");
    let is_sound = is_key_name(policy_origin) && is_key_name(ledger_id) && !ledger_id.contains('/');
    if is_sound { Ok(origin) } else { Err(CheckpointError::Origin(origin)) }
}

#[cfg(test)]
mod tests;
