//! Keys in files: reading them, and making new ones.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use gate_ledger::infile;
use gate_ledger::note::SignerKey;
use gate_ledger::outfile::{Manner, Place};

use super::{MAX_BYTES, SignerError, memory};

/// The key in the file at `path`, which a person wrote as `shown`.
///
/// # Errors
/// A [`SignerError`].
pub(crate) fn read(path: &Path, shown: &Path) -> Result<SignerKey, SignerError> {
    let name = || shown.display().to_string();
    let fails = |source| SignerError::Read { path: name(), source };
    let file = infile::open_named(path).map_err(fails)?;
    if is_open_to_others(&file).map_err(fails)? {
        return Err(SignerError::Open(name()));
    }
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text).map_err(fails)?;
    SignerKey::parse(text.trim_end_matches(['\n', '\r']))
        .map_err(|source| SignerError::Key { path: name(), source })
}

/// Whether group or others may read the file; what is no regular file (a pipe from a vault) has no such bits.
#[cfg(unix)]
fn is_open_to_others(file: &File) -> std::io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = file.metadata()?;
    Ok(metadata.is_file() && metadata.permissions().mode() & 0o077 != 0)
}

/// Elsewhere permissions are not bits.
#[cfg(not(unix))]
fn is_open_to_others(_file: &File) -> std::io::Result<bool> {
    Ok(false)
}

/// A new key of that name, written to a new file that only its owner can read, and beside it the memory of what it
/// signs.
///
/// # Errors
/// A [`SignerError`].
pub(crate) fn generate(path: &Path, shown: &Path, name: &str) -> Result<SignerKey, SignerError> {
    let mut seed = [0_u8; 32];
    getrandom::fill(&mut seed).map_err(SignerError::Random)?;
    let key = SignerKey::generate(name, seed)
        .map_err(|source| SignerError::Name { name: name.to_owned(), source })?;
    let fails = |source| SignerError::Write { path: shown.display().to_string(), source };
    let text = key.to_secret_text() + "\n";
    let place = Place::of(path).map_err(fails)?;
    place.write(Manner::SECRET, |out| out.write_all(text.as_bytes())).map_err(fails)?;
    if let Err(error) = memory::begin(path, key.verifier()) {
        // A key without its memory could sign nothing; what cannot be removed was never handed out.
        drop(std::fs::remove_file(path));
        return Err(error.into());
    }
    Ok(key)
}
