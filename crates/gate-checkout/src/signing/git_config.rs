//! What git's configuration says about signing, so that people sign here with what they sign commits with.
//!
//! `user.signingKey` and `gpg.ssh.program` are defaults only; a key on the command line comes first. The key may be
//! named by the repository's own configuration; the program that is run may not.

use std::path::Path;

use crate::git::{self, GitError};

/// The settings of git-config(1) that signing looks at; nothing where a setting is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitSigning {
    /// `user.signingKey`: the path of a key or of its `.pub` file, or a key as a literal (`key::ssh-ed25519 …`).
    pub signing_key: Option<String>,
    /// `gpg.ssh.program` of the user or the system: what to run in place of `ssh-keygen`.
    pub program: Option<String>,
    /// `gpg.format`: unless it is `ssh`, `user.signingKey` may well name a key of another kind.
    pub format: Option<String>,
}

impl GitSigning {
    /// Asks git, in `directory`, so that a repository's own settings count. Where git is not installed there
    /// are no settings.
    ///
    /// # Errors
    /// A [`GitError`] where git is there and its configuration cannot be read.
    pub fn read(directory: &Path) -> Result<Self, GitError> {
        let mut signing = Self::default();
        for setting in git::signing_settings(directory)? {
            let value = Some(setting.value).filter(|value| !value.is_empty());
            match setting.key.as_str() {
                "user.signingkey" => signing.signing_key = value,
                "gpg.format" => signing.format = value,
                "gpg.ssh.program" if setting.is_the_users => signing.program = value,
                _ => {}
            }
        }
        Ok(signing)
    }
}
