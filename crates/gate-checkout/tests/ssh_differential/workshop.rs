//! A temporary directory with keys made by the real `ssh-keygen`, and that tool's own verdicts.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The directory in which keys, certificates and signatures are made.
pub(crate) struct Workshop {
    directory: TempDir,
}

impl Workshop {
    /// A new one; nothing, and a word about it, where there is no `ssh-keygen`.
    pub(crate) fn open() -> Option<Self> {
        if Command::new("ssh-keygen").arg("-?").stderr(Stdio::null()).stdin(Stdio::null()).status().is_err() {
            eprintln!("skipped: ssh-keygen is not installed");
            return None;
        }
        Some(Self { directory: tempfile::tempdir().unwrap() })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Makes a key pair and returns the path of the private half.
    pub(crate) fn key(&self, name: &str, arguments: &[&str]) -> PathBuf {
        let path = self.path(name);
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-N", "", "-C", name, "-f"]).arg(&path).args(arguments);
        expect_success(&command.output().unwrap());
        path
    }

    /// The line of the `.pub` file: type, base64, comment.
    pub(crate) fn public(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(&format!("{name}.pub"))).unwrap().trim_end().to_owned()
    }

    /// Certifies the key `name` by the key `authority` and returns the path of the certificate, named after `id`.
    pub(crate) fn certify(&self, authority: &str, name: &str, id: &str, arguments: &[&str]) -> PathBuf {
        for (from, to) in [(name.to_owned(), id.to_owned()), (format!("{name}.pub"), format!("{id}.pub"))] {
            std::fs::copy(self.path(&from), self.path(&to)).unwrap();
        }
        let mut command = Command::new("ssh-keygen");
        command.arg("-q").arg("-s").arg(self.path(authority)).args(["-I", id, "-z", "7"]).args(arguments);
        expect_success(&command.arg(self.path(&format!("{id}.pub"))).output().unwrap());
        self.path(&format!("{id}-cert.pub"))
    }

    /// Signs with `ssh-keygen -Y sign`.
    pub(crate) fn sign(&self, key: &Path, namespace: &str, message: &[u8], arguments: &[&str]) -> String {
        let mut command = Command::new("ssh-keygen");
        command.current_dir(self.directory.path());
        command.args(["-q", "-Y", "sign", "-n", namespace, "-f"]).arg(key).args(arguments);
        let output = with_input(command, message);
        expect_success(&output);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Whether `ssh-keygen -Y verify` accepts, at the time `YYYYMMDDHHMMSSZ`.
    pub(crate) fn accepts(&self, check: &super::Check) -> bool {
        let (signers, signature) = (self.path("allowed_signers"), self.path("signature"));
        std::fs::write(&signers, &check.signers).unwrap();
        std::fs::write(&signature, &check.signature).unwrap();
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-Y", "verify", "-n", check.namespace.as_str(), "-I", &check.claimed, "-O"]);
        command.arg(format!("verify-time={}", check.time)).arg("-f").arg(signers).arg("-s").arg(signature);
        with_input(command, &check.message).status.success()
    }
}

fn with_input(mut command: Command, input: &[u8]) -> Output {
    use std::io::Write as _;
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may end before it reads; its verdict counts, not the pipe.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn expect_success(output: &Output) {
    assert!(output.status.success(), "ssh-keygen: {}", String::from_utf8_lossy(&output.stderr));
}
