//! Settings for signing, with whose they are.

use std::path::Path;

use gate_identity::git::place;

use super::error::GitError;
use super::process;

/// How much configuration is read.
const MAX_SETTINGS: u64 = 64 * 1024;

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name, in lower case.
    pub key: String,
    /// Its value.
    pub value: String,
    /// Whether the user or the system set it, and not a repository.
    pub is_the_users: bool,
}

/// What git is set to sign with, in the order in which later ones outrank earlier ones. None where git is not
/// installed.
///
/// # Errors
/// A [`GitError`] where git cannot read its configuration.
pub fn signing_settings(directory: &Path) -> Result<Vec<Setting>, GitError> {
    let root = place::root(directory).unwrap_or_else(|| directory.to_owned());
    let names = r"^(user\.signingkey|gpg\.ssh\.program|gpg\.format)$";
    // A path may begin with `~/`; every other value stays as it is.
    let args = ["-z", "--show-scope", "--type=path", "--get-regexp", names];
    let output = match process::start(&root, "config", args) {
        Err(GitError::NotInstalled { .. }) => return Ok(Vec::new()),
        started => started?.finish(MAX_SETTINGS)?,
    };
    // Status 1 is "no such key".
    if output.status.code() == Some(1) {
        return Ok(Vec::new());
    }
    if output.cut || !output.status.success() {
        return Err(process::explain(&root, "config", &output));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let mut records = text.split_terminator('\0');
    let mut settings = Vec::new();
    while let (Some(scope), Some(record)) = (records.next(), records.next()) {
        let (key, value) = record.split_once('\n').unwrap_or((record, ""));
        let is_the_users = matches!(scope, "system" | "global");
        settings.push(Setting { key: key.to_owned(), value: value.to_owned(), is_the_users });
    }
    Ok(settings)
}
