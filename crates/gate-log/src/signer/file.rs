//! Keys in files: reading them, and making new ones.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use gate_ledger::note::SignerKey;

use super::{MAX_BYTES, SignerError};

/// The key in the file at `path`, which a person wrote as `shown`.
///
/// # Errors
/// A [`SignerError`].
pub(crate) fn read(path: &Path, shown: &Path) -> Result<SignerKey, SignerError> {
    let name = || shown.display().to_string();
    let fails = |source| SignerError::Read { path: name(), source };
    let file = File::open(path).map_err(fails)?;
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

/// A new key of that name, written to a new file that only its owner can read.
///
/// # Errors
/// A [`SignerError`].
pub(crate) fn generate(path: &Path, shown: &Path, name: &str) -> Result<SignerKey, SignerError> {
    let mut seed = [0_u8; 32];
    getrandom::fill(&mut seed).map_err(SignerError::Random)?;
    let key = SignerKey::generate(name, seed)
        .map_err(|source| SignerError::Name { name: name.to_owned(), source })?;
    let fails = |source| SignerError::Write { path: shown.display().to_string(), source };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(fails)?;
    let text = key.to_secret_text() + "\n";
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(fails)?;
    Ok(key)
}
