//! sshd(8) on loopback, for the user who runs the tests.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that lets one key in.
pub(crate) struct Sshd {
    child: Child,
    folder: PathBuf,
    port: u16,
}

fn run(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|ran| ran.success())
}

impl Sshd {
    /// Starts one with its files in `folder`; `options` stand before the key in `authorized_keys`, and `path` is the
    /// `PATH` of commands. None where there is no sshd, or where it does not come up.
    pub(crate) fn start(folder: &Path, options: &str, path: &str) -> Option<Self> {
        let sshd = Path::new("/usr/sbin/sshd");
        if !sshd.exists() {
            return None;
        }
        for key in ["host", "user"] {
            let mut keygen = Command::new("ssh-keygen");
            assert!(run(keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(folder.join(key))));
        }
        let public = std::fs::read_to_string(folder.join("user.pub")).unwrap();
        std::fs::write(folder.join("authorized_keys"), format!("{options} {public}")).unwrap();
        // Separation of privileges wants this folder, and only root can make it.
        drop(std::fs::create_dir_all("/run/sshd"));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized_keys\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nPidFile none\nPermitRootLogin yes\n\
             PermitUserEnvironment no\nSetEnv PATH={path}\nMaxStartups 100\nMaxSessions 100\n",
            folder = folder.display()
        );
        std::fs::write(folder.join("sshd_config"), config).unwrap();
        let log = std::fs::File::create(folder.join("sshd.log")).unwrap();
        let mut command = Command::new(sshd);
        command.args(["-D", "-e", "-f"]).arg(folder.join("sshd_config"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().ok()?;
        let server = Self { child, folder: folder.to_owned(), port };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if begun.elapsed() > Duration::from_secs(20) {
                // Somebody who may not run one here: the tests say that they were skipped.
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    /// The command that reaches it, as `GIT_SSH_COMMAND` has it.
    pub(crate) fn command(&self) -> String {
        let folder = self.folder.display();
        format!(
            "ssh -p {} -i {folder}/user -F none -o IdentitiesOnly=yes -o StrictHostKeyChecking=accept-new \
             -o UserKnownHostsFile={folder}/known_hosts -o BatchMode=yes",
            self.port
        )
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
