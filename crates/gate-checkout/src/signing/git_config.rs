//! What git's configuration says about signing, so that people sign here with what they sign commits with.
//!
//! `user.signingKey` and `gpg.ssh.program` are defaults only; a key on the command line comes first.

use std::path::Path;
use std::process::{Command, Stdio};

/// The settings of git-config(1) that signing looks at; nothing where a setting is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitSigning {
    /// `user.signingKey`: the path of a key or of its `.pub` file, or a key as a literal (`key::ssh-ed25519 …`).
    pub signing_key: Option<String>,
    /// `gpg.ssh.program`: what to run in place of `ssh-keygen`.
    pub program: Option<String>,
    /// `gpg.format`: unless it is `ssh`, `user.signingKey` may well name a key of another kind.
    pub format: Option<String>,
}

/// Why git's configuration could not be read.
#[derive(Debug, thiserror::Error)]
pub enum GitConfigError {
    /// git did not start, for another reason than not being installed.
    #[error("cannot run git to read its configuration: {0}")]
    Start(#[source] std::io::Error),
    /// git refused its own configuration.
    #[error("git cannot read its configuration ('git config --get {setting}'): {message}")]
    Refused {
        /// The setting that was asked for.
        setting: &'static str,
        /// What git said, made inert.
        message: String,
    },
}

impl GitSigning {
    /// Asks git, in `directory`, so that a repository's own settings count. Where git is not installed there
    /// are no settings.
    ///
    /// # Errors
    /// A [`GitConfigError`] where git is there and its configuration cannot be read.
    pub fn read(directory: &Path) -> Result<Self, GitConfigError> {
        Ok(Self {
            signing_key: setting(directory, "user.signingKey")?,
            program: setting(directory, "gpg.ssh.program")?,
            format: setting(directory, "gpg.format")?,
        })
    }
}

/// One setting. `--type=path` expands `~/`, and leaves everything else as it is.
fn setting(directory: &Path, name: &'static str) -> Result<Option<String>, GitConfigError> {
    let mut git = Command::new("git");
    git.arg("-C").arg(directory).args(["config", "--type=path", "--get", name]).stdin(Stdio::null());
    let output = match git.output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(GitConfigError::Start(error)),
    };
    // git-config(1): 1 is "the section or key is invalid", which for a valid name means that it is not set.
    match output.status.code() {
        Some(0) => {
            let value = String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned();
            Ok((!value.is_empty()).then_some(value))
        }
        Some(1) => Ok(None),
        _ => {
            let message = gate_model::text::visible(String::from_utf8_lossy(&output.stderr).trim());
            Err(GitConfigError::Refused { setting: name, message })
        }
    }
}
