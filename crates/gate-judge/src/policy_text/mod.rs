//! The policy's text, found in a work tree or given, and what belongs to it.
//!
//! One file, `gate.toml`, found in one way: the path that was named, else the nearest one upward, no further
//! than the git root (outside git, only the working directory: a file that a stranger left in `/tmp` must
//! not become somebody's policy). A second one on the way, or around a nested repository, is refused, since a
//! nested file could quietly replace the rules. A work tree is read as strictly as a revision: see
//! `worktree`. Reading from a revision takes git, and stands in gate-workflow.
//!
//! Text and trusted files together make the policy's digest, so that a change of the keys that a policy
//! trusts is a change of the policy. All of it can be recorded in one entry, or nothing is loaded.

mod around;
mod error;
mod recordable;
mod worktree;

use crate::lifting::Trust;
use std::path::{Path, PathBuf};

use gate_model::decision::PolicyUsed;
use gate_model::exit::{Ends, Exit};
use gate_model::payload::TrustedFile;
use gate_policy::Policy;

pub use around::{Outer, around};
pub use error::TextError;
pub use recordable::Unrecordable;
pub use worktree::load;

/// The file's name.
pub const FILE_NAME: &str = "gate.toml";

/// The largest policy or trusted file, in bytes: each must fit into one ledger entry.
pub const MAX_BYTES: u64 = 512 * 1024;

/// Where the ledger lies when neither the policy nor the caller says so, relative to the policy.
pub const DEFAULT_LEDGER: &str = ".gate/ledger.db";

/// A ledger that a remote keeps, where its file is needed.
#[derive(Debug, thiserror::Error)]
#[error(
    "the policy's ledger is kept at the remote '{0}', and this needs the ledger's own file\n\
     do it where the ledger lies, or name a copy of it (gate-log copy) with --ledger"
)]
pub struct NoFile(pub String);

impl Ends for NoFile {
    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// A policy that was read, with what it was read from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The rules.
    pub policy: Policy,
    /// The text they were parsed from.
    pub text: String,
    /// The files that the text names and trusts, in the order of their paths.
    pub files: Vec<TrustedFile>,
    /// The digest, and where the text came from.
    pub used: PolicyUsed,
    /// The file as messages name it.
    pub name: String,
    /// The directory that relative paths of the policy start from.
    pub dir: PathBuf,
    /// The content of `gate.toml.sig`, where there is one.
    pub signature: Option<String>,
    /// The revision that the caller named, as they named it.
    pub revision: Option<String>,
}

impl Loaded {
    /// Whether the text comes from a revision, which the caller vouches for by naming it.
    pub fn is_from_revision(&self) -> bool {
        self.used.source.starts_with("rev:")
    }

    /// The rules, and the keys that they trust.
    pub fn trust(&self) -> Trust<'_> {
        (&self.policy, &self.files)
    }

    /// Where the policy says that its ledger is.
    ///
    /// # Errors
    /// [`NoFile`] where that is no file.
    pub fn ledger_path(&self) -> Result<PathBuf, NoFile> {
        match (&self.policy.ledger.path, &self.policy.ledger.remote) {
            (Some(path), _) => Ok(self.dir.join(path)),
            (None, Some(remote)) => Err(NoFile(remote.address.clone())),
            (None, None) => Ok(self.dir.join(DEFAULT_LEDGER)),
        }
    }

    /// The owner's signature, where that is what admitted this text.
    pub fn admitted_by_signature(&self) -> Option<String> {
        self.signature.clone().filter(|_| self.used.source.starts_with("owner:"))
    }
}

/// An entry of the ledger must be able to hold the text.
fn refuse_unrecordable(path: String, text: &str) -> Result<(), TextError> {
    recordable::check(text).map_err(|source| TextError::Unrecordable { path, source })
}

/// The text that `bytes` of the file `path` are.
///
/// # Errors
/// [`TextError::Encoding`].
pub fn text_of(path: &Path, bytes: Vec<u8>) -> Result<String, TextError> {
    String::from_utf8(bytes).map_err(|error| TextError::Encoding {
        path: path.to_owned(),
        offset: error.utf8_error().valid_up_to(),
    })
}

/// Parses `text`, reads the files it trusts through `read`, and computes the digest over all of it.
///
/// # Errors
/// A [`TextError`] that names what is wrong with it, or with a file that it trusts.
pub fn assemble(
    text: String,
    name: String,
    dir: PathBuf,
    source: String,
    signature: Option<String>,
    read: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Loaded, TextError> {
    let policy = match gate_policy::parse(&text) {
        Ok(policy) => policy,
        Err(diagnostics) => return Err(TextError::Invalid { name, text, diagnostics }),
    };
    let files = trusted_files(&policy, &name, read)?;
    let length = recordable::recorded_length(&text, &files, signature.as_deref());
    if length > recordable::MAX_RECORDED {
        return Err(TextError::TooMuch { name, length });
    }
    let digest = digest_of(&text, &files);
    let used = PolicyUsed { digest, source };
    Ok(Loaded { policy, text, files, used, name, dir, signature, revision: None })
}

/// The digest of a policy's text and the files it trusts.
pub fn digest_of(text: &str, files: &[TrustedFile]) -> String {
    let files: Vec<_> = files.iter().map(|file| (file.path.clone(), file.text.clone())).collect();
    gate_policy::digest::of(text, &files)
}

fn trusted_files(
    policy: &Policy,
    name: &str,
    read: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Vec<TrustedFile>, TextError> {
    let signers = policy.identity.allowed_signers.iter().map(|path| ("identity.allowed_signers", path));
    let issuers = policy.identity.oidc.iter().map(|issuer| ("identity.oidc.jwks", &issuer.jwks));
    let mut files = Vec::new();
    for (key, path) in signers.chain(issuers) {
        let wrap = |reason| TextError::Trusted { name: name.to_owned(), key, path: path.clone(), reason };
        let text = read(path).map_err(wrap)?;
        refuse_unrecordable(path.clone(), &text)?;
        files.push(TrustedFile { path: path.clone(), text });
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup();
    Ok(files)
}
