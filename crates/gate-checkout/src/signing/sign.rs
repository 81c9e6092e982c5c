//! Signing, through `ssh-keygen -Y sign`, as git signs commits: so agents, security keys, encrypted keys and
//! certificates work as people have them, and no private key is ever read here.
//!
//! The message goes to ssh-keygen's standard input. Its standard error and the terminal stay those of the
//! caller: that is where it asks for a passphrase or a touch. Another program (`gpg.ssh.program`) is called
//! exactly as git calls it, with a file beside which it writes the signature, because that is all such
//! programs are known to support.
//!
//! Invariant: a signature that is returned holds for the message and the namespace, whatever the program did.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use gate_identity::ssh::{self, Namespace, SshError};

use super::git_config::GitSigning;

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// Neither an option nor git's configuration names a key.
    #[error("there is no key to sign with; say --sign=PATH, or set git's user.signingKey to an SSH key")]
    NoKey,
    /// git signs with another format than SSH, and its key is no file.
    #[error(
        "git's user.signingKey '{key}' is not an SSH key (gpg.format is '{format}'); say --sign=PATH, or set gpg.format to ssh"
    )]
    NotSsh {
        /// The setting, made inert.
        key: String,
        /// `gpg.format`, made inert.
        format: String,
    },
    /// The key's file does not exist.
    #[error("the key '{0}' does not exist; say --sign=PATH with the path of a private key or its .pub file")]
    MissingKey(String),
    /// A file for the program could not be written or read.
    #[error("cannot exchange files with the signing program: {0}")]
    Files(#[source] std::io::Error),
    /// The program did not start.
    #[error("cannot run '{program}': {source}; install OpenSSH, or set git's gpg.ssh.program")]
    Start {
        /// The program.
        program: String,
        /// The reason.
        source: std::io::Error,
    },
    /// The program failed; what it said stands on standard error.
    #[error("'{program}' did not sign ({status}); its message stands above")]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// The program's output is no signature of the message.
    #[error("'{program}' made a signature that cannot be used: {source}")]
    Unusable {
        /// The program.
        program: String,
        /// What is wrong with it.
        source: SshError,
    },
}

/// Signs `message`. `key` is the path of a private key or of a `.pub` file whose private half an agent holds,
/// or a literal `key::TYPE BASE64`; without it git's `user.signingKey` is used.
///
/// The answer is the armored signature, ending in a newline.
///
/// # Errors
/// A [`SignError`]; nothing is left behind.
pub fn sign(
    message: &[u8],
    namespace: Namespace,
    key: Option<&Path>,
    git_config: &GitSigning,
) -> Result<String, SignError> {
    let program = git_config.program.as_deref().unwrap_or("ssh-keygen");
    // Private to this user (mode 0700) and removed when it goes out of scope.
    let directory = tempfile::Builder::new().prefix("gate-sign-").tempdir().map_err(SignError::Files)?;
    let arguments = arguments(&chosen_key(key, git_config)?, namespace, directory.path())?;
    let mut command = Command::new(program);
    command.args(&arguments);
    let output = if is_ssh_keygen(program) {
        by_stdin(command, program, message)?
    } else {
        by_file(command, program, message, directory.path())?
    };
    let unusable = |source| SignError::Unusable { program: program.to_owned(), source };
    let armor = String::from_utf8(output).map_err(|_| unusable(SshError::Armor("it is not text")))?;
    ssh::holds(message, &armor, namespace).map_err(unusable)?;
    Ok(armor)
}

/// A key as the program will be told of it.
#[derive(Debug, PartialEq, Eq)]
enum Key {
    /// A file.
    Path(PathBuf),
    /// The text of a public key, whose private half an agent holds.
    Literal(String),
}

fn chosen_key(key: Option<&Path>, git: &GitSigning) -> Result<Key, SignError> {
    let inert = gate_model::text::visible;
    let (text, asked) = match (key, &git.signing_key) {
        (Some(path), _) => (path.to_path_buf(), true),
        (None, Some(setting)) => (PathBuf::from(setting), false),
        (None, None) => return Err(SignError::NoKey),
    };
    if let Some(literal) = text.to_str().and_then(literal) {
        return Ok(Key::Literal(literal.to_owned()));
    }
    if text.exists() {
        return Ok(Key::Path(text));
    }
    let shown = inert(&text.to_string_lossy());
    match git.format.as_deref() {
        format @ (None | Some("openpgp" | "x509")) if !asked => {
            Err(SignError::NotSsh { key: shown, format: inert(format.unwrap_or("openpgp")) })
        }
        _ => Err(SignError::MissingKey(shown)),
    }
}

/// The public key in `key::TYPE BASE64`, or in git's older form `ssh-TYPE BASE64` (git-config(1), user.signingKey).
fn literal(text: &str) -> Option<&str> {
    text.strip_prefix("key::").or_else(|| text.starts_with("ssh-").then_some(text))
}

fn arguments(
    key: &Key,
    namespace: Namespace,
    directory: &Path,
) -> Result<Vec<std::ffi::OsString>, SignError> {
    let mut arguments: Vec<std::ffi::OsString> =
        ["-Y", "sign", "-n", namespace.as_str(), "-f"].map(Into::into).into();
    match key {
        Key::Path(path) => arguments.push(path.into()),
        Key::Literal(text) => {
            let file = directory.join("key.pub");
            std::fs::write(&file, format!("{text}\n")).map_err(SignError::Files)?;
            arguments.extend([file.into(), "-U".into()]);
        }
    }
    Ok(arguments)
}

fn is_ssh_keygen(program: &str) -> bool {
    Path::new(program).file_stem().is_some_and(|name| name == "ssh-keygen")
}

fn by_stdin(mut command: Command, program: &str, message: &[u8]) -> Result<Vec<u8>, SignError> {
    // -q: nothing but questions and errors on standard error.
    command.arg("-q").stdin(Stdio::piped()).stdout(Stdio::piped());
    let start = |source| SignError::Start { program: program.to_owned(), source };
    let mut child = command.spawn().map_err(start)?;
    if let Some(mut stdin) = child.stdin.take() {
        match stdin.write_all(message) {
            // It ended before it read everything; its status says more than a broken pipe.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                let _gone_already = child.kill();
                child.wait().map_err(SignError::Files)?;
                return Err(SignError::Files(error));
            }
            _ => {}
        }
    }
    let output = child.wait_with_output().map_err(SignError::Files)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(SignError::Failed { program: program.to_owned(), status: output.status })
}

fn by_file(
    mut command: Command,
    program: &str,
    message: &[u8],
    directory: &Path,
) -> Result<Vec<u8>, SignError> {
    let file = directory.join("message");
    std::fs::write(&file, message).map_err(SignError::Files)?;
    // Standard output carries our data, so nothing that the program prints may reach it.
    command.arg(&file).stdin(Stdio::null()).stdout(Stdio::null());
    let start = |source| SignError::Start { program: program.to_owned(), source };
    let status = command.status().map_err(start)?;
    if !status.success() {
        return Err(SignError::Failed { program: program.to_owned(), status });
    }
    std::fs::read(directory.join("message.sig")).map_err(SignError::Files)
}

#[cfg(test)]
mod tests {
    use super::{GitSigning, Key, SignError, chosen_key, is_ssh_keygen};
    use std::path::Path;

    fn git(key: &str, format: Option<&str>) -> GitSigning {
        GitSigning { signing_key: Some(key.into()), program: None, format: format.map(Into::into) }
    }

    #[test]
    fn a_literal_key_needs_no_file() {
        let literal = |text: &str| chosen_key(None, &git(text, Some("ssh"))).unwrap();
        assert_eq!(literal("key::ssh-ed25519 AAAA"), Key::Literal("ssh-ed25519 AAAA".into()));
        assert_eq!(literal("ssh-ed25519 AAAA"), Key::Literal("ssh-ed25519 AAAA".into()));
        assert_eq!(
            literal("key::sk-ssh-ed25519@openssh.com A"),
            Key::Literal("sk-ssh-ed25519@openssh.com A".into())
        );
    }

    #[test]
    fn a_key_on_the_command_line_comes_first() {
        let chosen = chosen_key(Some(Path::new("/")), &git("key::ssh-ed25519 A", None)).unwrap();
        assert_eq!(chosen, Key::Path("/".into()));
    }

    #[test]
    fn an_openpgp_key_id_is_told_apart_from_a_missing_file() {
        let wrong = |key: &str, format| chosen_key(None, &git(key, format)).unwrap_err();
        assert!(matches!(wrong("0xABCD1234", None), SignError::NotSsh { .. }));
        assert!(matches!(wrong("/no/such/key", Some("ssh")), SignError::MissingKey(_)));
        let asked = chosen_key(Some(Path::new("/no/such/key")), &GitSigning::default());
        assert!(matches!(asked, Err(SignError::MissingKey(_))));
        assert!(matches!(chosen_key(None, &GitSigning::default()), Err(SignError::NoKey)));
    }

    #[test]
    fn only_ssh_keygen_reads_the_message_from_its_standard_input() {
        assert!(is_ssh_keygen("/usr/bin/ssh-keygen") && is_ssh_keygen("ssh-keygen.exe"));
        assert!(!is_ssh_keygen("/opt/1Password/op-ssh-sign"));
    }
}
