//! Where the policy's text comes from: the work tree ([`gate_judge::policy_text`]), or a revision. With a revision, the
//! text and every file that it names come from that one tree, and what does not resolve never falls back to the work
//! tree.

mod error;
mod nesting;

use std::path::Path;

use gate_checkout::git;
use gate_judge::policy_text::{self, FILE_NAME, Loaded, TextError, assemble, text_of};

pub use error::PolicyError;

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

/// Finds, reads and parses the policy.
///
/// # Errors
/// A [`PolicyError`] that names the file and a remedy.
pub fn load(choice: &Choice<'_>) -> Result<Loaded, PolicyError> {
    match choice.revision {
        Some(revision) => from_revision(choice, revision),
        None => Ok(policy_text::load(choice.cwd, choice.path)?),
    }
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
    let loaded = assemble(text, name, root.join(&parent), source, None, &read)?;
    Ok(Loaded { revision: Some(revision.to_owned()), ..loaded })
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
            return Err(TextError::Second(earlier.into(), path.into()).into());
        }
        first = Some((path, bytes));
    }
    let dir = below.display().to_string();
    let missing = || PolicyError::NotInRevision { commit: pinned.commit().to_owned(), dir };
    let (path, bytes) = first.ok_or_else(missing)?;
    match choice.revision.map(|name| nesting::in_revision(root, name)).transpose()?.flatten() {
        Some(outer) => Err(TextError::Nested { inner: root.join(path), outer }.into()),
        None => Ok((path, bytes)),
    }
}
