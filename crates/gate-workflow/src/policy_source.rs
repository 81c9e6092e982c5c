//! Where the policy's text comes from.
//!
//! One file, `gate.toml`, found in one way: the path that was named, else the nearest one upward, no further
//! than the git root (outside git, only the working directory: a file that a stranger left in `/tmp` must
//! not become somebody's policy). A second one on the way, or around a nested repository, is refused, since a
//! nested file could quietly replace the rules. A work tree is read as strictly as a revision: see `worktree`. With a revision, the text and every file that it names come from that one tree, and
//! what does not resolve never falls back to the work tree.
//!
//! Text and trusted files together make the policy's digest, so that a change of the keys that a policy
//! trusts is a change of the policy. All of it can be recorded in one entry, or nothing is loaded.

mod error;
mod nesting;
mod recordable;
mod worktree;

use std::path::{Path, PathBuf};

use gate_checkout::git;
use gate_model::decision::PolicyUsed;
use gate_model::payload::TrustedFile;
use gate_policy::Policy;

pub use error::PolicyError;
pub use recordable::Unrecordable;

/// The file's name.
pub const FILE_NAME: &str = "gate.toml";

/// The largest policy or trusted file, in bytes: each must fit into one ledger entry.
pub const MAX_BYTES: u64 = 512 * 1024;

/// How the caller chose a policy.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    /// The working directory.
    pub cwd: &'a Path,
    /// The path from `--policy` or `GATE_POLICY`.
    pub path: Option<&'a Path>,
    /// The revision from `--policy-ref`.
    pub revision: Option<&'a str>,
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
}

impl Loaded {
    /// Whether the text comes from a revision, which the caller vouches for by naming it.
    pub fn is_from_revision(&self) -> bool {
        self.used.source.starts_with("rev:")
    }

    /// The owner's signature, where that is what admitted this text.
    pub fn admitted_by_signature(&self) -> Option<String> {
        self.signature.clone().filter(|_| self.used.source.starts_with("owner:"))
    }
}

/// Finds, reads and parses the policy.
///
/// # Errors
/// A [`PolicyError`] that names the file and a remedy.
pub fn load(choice: &Choice<'_>) -> Result<Loaded, PolicyError> {
    match choice.revision {
        Some(revision) => from_revision(choice, revision),
        None => worktree::load(choice),
    }
}

/// An entry of the ledger must be able to hold the text.
fn refuse_unrecordable(path: String, text: &str) -> Result<(), PolicyError> {
    recordable::check(text).map_err(|source| PolicyError::Unrecordable { path, source })
}

fn text_of(path: &Path, bytes: Vec<u8>) -> Result<String, PolicyError> {
    String::from_utf8(bytes).map_err(|error| PolicyError::Encoding {
        path: path.to_owned(),
        offset: error.utf8_error().valid_up_to(),
    })
}

fn from_revision(choice: &Choice<'_>, revision: &str) -> Result<Loaded, PolicyError> {
    let outside = || PolicyError::OutsideRepository(choice.cwd.to_owned());
    let root = git::root(choice.cwd).ok_or_else(outside)?;
    let pinned = git::tree::pin(&root, revision)?;
    let (path, bytes) = match choice.path {
        Some(path) => named_in_tree(choice, &root, path, &pinned)?,
        None => nearest_in_tree(choice, &root, &pinned)?,
    };
    let name = format!("{path} of {}", pinned.commit());
    let text = text_of(Path::new(&name), bytes)?;
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent).to_owned();
    let source = format!("rev:{}", pinned.commit());
    let read = |relative: &str| read_from_tree(&pinned, &joined(&parent, relative));
    assemble(text, name, root.join(&parent), source, None, &read)
}

fn joined(parent: &str, relative: &str) -> String {
    let relative = relative.strip_prefix("./").unwrap_or(relative);
    if parent.is_empty() { relative.to_owned() } else { format!("{parent}/{relative}") }
}

fn read_from_tree(pinned: &git::tree::Revision, path: &str) -> Result<String, String> {
    let bytes = pinned.read(path).map_err(|error| error.to_string())?;
    let bytes = bytes.ok_or_else(|| format!("revision {} does not have it", pinned.commit()))?;
    String::from_utf8(bytes)
        .map_err(|error| format!("byte {} is not UTF-8", error.utf8_error().valid_up_to()))
}

fn named_in_tree(
    choice: &Choice<'_>,
    root: &Path,
    path: &Path,
    pinned: &git::tree::Revision,
) -> Result<(String, Vec<u8>), PolicyError> {
    let absolute = choice.cwd.join(path);
    let relative =
        absolute.strip_prefix(root).map_err(|_| PolicyError::OutsideRepository(absolute.clone()))?;
    if let Some(revision) = choice.revision
        && nesting::displaces(root, &absolute, revision)?
    {
        return Err(PolicyError::Displaced { path: absolute, revision: revision.to_owned() });
    }
    let relative = relative.to_string_lossy().into_owned();
    let found = pinned.read(&relative)?;
    let missing = || PolicyError::NotInRevision { commit: pinned.commit().to_owned(), dir: relative.clone() };
    let bytes = found.ok_or_else(missing)?;
    Ok((relative, bytes))
}

fn nearest_in_tree(
    choice: &Choice<'_>,
    root: &Path,
    pinned: &git::tree::Revision,
) -> Result<(String, Vec<u8>), PolicyError> {
    let below = choice.cwd.strip_prefix(root).unwrap_or(Path::new(""));
    let mut first: Option<(String, Vec<u8>)> = None;
    for dir in below.ancestors() {
        let path = dir.join(FILE_NAME).to_string_lossy().into_owned();
        let Some(bytes) = pinned.read(&path)? else { continue };
        if let Some((earlier, _)) = first {
            return Err(PolicyError::Second(earlier.into(), path.into()));
        }
        first = Some((path, bytes));
    }
    let dir = below.display().to_string();
    let missing = || PolicyError::NotInRevision { commit: pinned.commit().to_owned(), dir };
    let (path, bytes) = first.ok_or_else(missing)?;
    match choice.revision.map(|name| nesting::in_revision(root, name)).transpose()?.flatten() {
        Some(outer) => Err(PolicyError::Nested { inner: root.join(path), outer }),
        None => Ok((path, bytes)),
    }
}

/// Parses `text`, reads the files it trusts through `read`, and computes the digest over all of it.
fn assemble(
    text: String,
    name: String,
    dir: PathBuf,
    source: String,
    signature: Option<String>,
    read: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Loaded, PolicyError> {
    let policy = match gate_policy::parse(&text) {
        Ok(policy) => policy,
        Err(diagnostics) => return Err(PolicyError::Invalid { name, text, diagnostics }),
    };
    let files = trusted_files(&policy, &name, read)?;
    let length = recordable::recorded_length(&text, &files, signature.as_deref());
    if length > recordable::MAX_RECORDED {
        return Err(PolicyError::TooMuch { name, length });
    }
    let digest = digest_of(&text, &files);
    Ok(Loaded { policy, text, files, used: PolicyUsed { digest, source }, name, dir, signature })
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
) -> Result<Vec<TrustedFile>, PolicyError> {
    let signers = policy.identity.allowed_signers.iter().map(|path| ("identity.allowed_signers", path));
    let issuers = policy.identity.oidc.iter().map(|issuer| ("identity.oidc.jwks", &issuer.jwks));
    let mut files = Vec::new();
    for (key, path) in signers.chain(issuers) {
        let wrap = |reason| PolicyError::Trusted { name: name.to_owned(), key, path: path.clone(), reason };
        let text = read(path).map_err(wrap)?;
        refuse_unrecordable(path.clone(), &text)?;
        files.push(TrustedFile { path: path.clone(), text });
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup();
    Ok(files)
}
