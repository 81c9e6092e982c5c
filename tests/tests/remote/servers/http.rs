//! git-http-backend(1) behind a small server in Python.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Serves the repositories of a folder.
pub(crate) struct GitServer {
    child: Child,
    folder: PathBuf,
    pub(crate) port: u16,
}

/// What a client has to show.
pub(crate) const TOKEN: &str = "s3cret-t0ken";

impl GitServer {
    /// Serves `folder`; none where there is no Python.
    pub(crate) fn start(folder: &Path) -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("remote/git_server.py");
        let mut command = Command::new("python3");
        command.arg(script).arg(folder).arg(TOKEN).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().ok()?;
        let mut port = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut port).unwrap();
        Some(Self { child, folder: folder.to_owned(), port: port.trim().parse().unwrap() })
    }

    /// Turns a fault on or off: `cut` or `read-only`.
    pub(crate) fn set(&self, fault: &str, on: bool) {
        let path = self.folder.join(fault);
        if on { std::fs::write(path, "").unwrap() } else { std::fs::remove_file(path).unwrap() }
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
