//! Why a policy's text cannot be used, each reason with its remedy.

use std::path::PathBuf;

use gate_identity::folder::FileError;
use gate_model::exit::{Ends, Exit, Faults};
use gate_policy::Diagnostic;

use super::recordable::{MAX_RECORDED, Unrecordable};
use super::{FILE_NAME, MAX_BYTES};

/// Why a policy's text cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// None was found.
    #[error("no policy: there is no {FILE_NAME} in '{0}' or above it\nwrite one with: gate-log init")]
    NotFound(PathBuf),
    /// Two were found on the way up.
    #[error("two policies: '{0}' and '{1}'\nkeep one, or name the one you mean with --policy")]
    Second(PathBuf, PathBuf),
    /// One was found in a repository that lies inside another, and the outer one has its own.
    #[error(
        "two policies: '{inner}' is in a repository within another, and '{outer}' is around it\nrun it in the outer work tree, or name the one you mean with --policy"
    )]
    Nested {
        /// The policy of the nearest repository.
        inner: PathBuf,
        /// The other.
        outer: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read policy '{path}': {source}\n{}", unread(source))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not a regular file.
    #[error("cannot read policy '{0}': it is not a regular file\nname the policy's file with --policy")]
    NotAFile(PathBuf),
    /// A link stands in its place or on the way, or it lies where no policy does.
    #[error(
        "cannot read policy '{path}': {source}\nput the file itself there: what a link leads to is no part of what was reviewed"
    )]
    NotPlain {
        /// The file.
        path: PathBuf,
        /// What is wrong with the path.
        source: FileError,
    },
    /// The file is larger than [`MAX_BYTES`].
    #[error(
        "cannot read policy '{0}': it is larger than {MAX_BYTES} bytes\nmake it smaller: it must fit into one ledger entry"
    )]
    TooLarge(PathBuf),
    /// The bytes are not UTF-8 text.
    #[error("cannot read policy '{path}': byte {offset} is not UTF-8\nsave the file as UTF-8")]
    Encoding {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: usize,
    },
    /// A file beside the policy holds what no entry can hold.
    #[error("cannot use '{path}': {source}")]
    Unrecordable {
        /// The file.
        path: String,
        /// Where and what.
        source: Unrecordable,
    },
    /// Policy, trusted files and signature together are larger than an entry.
    #[error(
        "policy '{name}' takes {length} bytes in the ledger with the files that it trusts, and an entry holds {} of them\nmake the files smaller: one cert-authority in allowed_signers stands for many keys",
        MAX_RECORDED
    )]
    TooMuch {
        /// The policy.
        name: String,
        /// Its length as JSON, in bytes.
        length: usize,
    },
    /// The text breaks the rules of policies.
    #[error("policy '{name}' has {}", gate_model::text::count(.diagnostics.len() as u64, "error"))]
    Invalid {
        /// The file as messages name it.
        name: String,
        /// Its text.
        text: String,
        /// What is wrong, with places.
        diagnostics: Vec<Diagnostic>,
    },
    /// A file that the policy names cannot be read.
    #[error(
        "cannot read '{path}', which policy '{name}' trusts: {reason}\nmend the file, or {key} in the policy"
    )]
    Trusted {
        /// The policy.
        name: String,
        /// The key that names the file.
        key: &'static str,
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
}

impl Ends for TextError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn faults(&self) -> Option<Faults> {
        let Self::Invalid { name, text, diagnostics } = self else { return None };
        Some(gate_policy::faults(name, text, diagnostics))
    }
}

/// What helps where a policy cannot be read.
fn unread(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => "let this user read it",
        std::io::ErrorKind::NotFound => "name the policy with --policy, or write one with: gate-log init",
        _ => "look what is wrong with the file, or name another with --policy",
    }
}
