//! A bare repository, a checkout that has it as `origin`, and the helper that is started there.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use gate_ledger::remote::Remote;
use gate_tests::remote::{Helper, Site, Speaking};

use crate::servers::{GitServer, Sshd, TOKEN};

/// The branch that the helper uses.
pub(crate) const BRANCH: &str = "refs/heads/gate-ledger";

/// Where it all is.
pub(crate) struct Place {
    /// What servers need is ended before the folder goes.
    pub(crate) http: Option<GitServer>,
    ssh: Option<Sshd>,
    dir: tempfile::TempDir,
    /// How many homes there were, if each connection has its own.
    homes: Option<AtomicU32>,
}

impl Place {
    /// With an empty bare repository.
    pub(crate) fn new() -> Self {
        let place = Self { http: None, ssh: None, dir: tempfile::tempdir().unwrap(), homes: None };
        std::fs::create_dir(place.path("home")).unwrap();
        place.git(".", &["init", "-q", "--bare", "server.git"]);
        place.git(".", &["init", "-q", "-b", "main", "checkout"]);
        place.git("checkout", &["commit", "-q", "--allow-empty", "-m", "first"]);
        let url = place.path("server.git");
        place.git("checkout", &["remote", "add", "origin", url.to_str().unwrap()]);
        place
    }

    pub(crate) fn with_a_cache_each(mut self) -> Self {
        self.homes = Some(AtomicU32::new(0));
        self
    }

    pub(crate) fn over_http(mut self) -> Option<Self> {
        let server = GitServer::start(self.dir.path())?;
        let url = format!("http://127.0.0.1:{}/server.git", server.port);
        self.git("server.git", &["config", "http.receivepack", "true"]);
        self.git("checkout", &["remote", "set-url", "origin", &url]);
        let header = format!("Authorization: Bearer {TOKEN}");
        self.git("checkout", &["config", &format!("http.{url}.extraheader"), &header]);
        self.http = Some(server);
        Some(self)
    }

    pub(crate) fn over_ssh(mut self) -> Option<Self> {
        let folder = self.path("ssh");
        std::fs::create_dir(&folder).unwrap();
        let server = Sshd::start(&folder, "", &std::env::var("PATH").unwrap())?;
        let url = format!("ssh://127.0.0.1{}", self.path("server.git").display());
        self.git("checkout", &["remote", "set-url", "origin", &url]);
        self.git("checkout", &["config", "core.sshCommand", &server.command()]);
        self.ssh = Some(server);
        Some(self)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A command in `folder`, with an environment of its own.
    pub(crate) fn command(&self, folder: &str, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.path(folder)).env_clear().stdin(Stdio::null());
        for (name, value) in self.variables() {
            command.env(name, value);
        }
        command.env("PATH", std::env::var_os("PATH").unwrap());
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "Dev")
                .env(format!("GIT_{role}_EMAIL"), "dev@example.com");
        }
        command
    }

    fn variables(&self) -> [(OsString, OsString); 2] {
        [("HOME".into(), self.path("home").into()), ("GIT_CONFIG_NOSYSTEM".into(), "1".into())]
    }

    /// Runs git in `folder`; what it writes.
    #[track_caller]
    pub(crate) fn git(&self, folder: &str, args: &[&str]) -> String {
        let output: Output = self.command(folder, "git").args(args).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Writes an executable file below the bare repository's hooks.
    pub(crate) fn hook(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path("server.git/hooks").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The helper, started in `folder` with the remote `name`.
    pub(crate) fn helper(&self, folder: &str, name: &str) -> Helper {
        let program = gate_tests::program("gate-remote-git");
        let mut helper = Helper::new(program, [name], self.path(folder));
        helper.variables = self.variables().to_vec();
        if let Some(homes) = &self.homes {
            let home = self.path(&format!("home-{}", homes.fetch_add(1, Ordering::Relaxed)));
            std::fs::create_dir(&home).unwrap();
            helper.variables[0].1 = home.into();
        }
        helper
    }

    pub(crate) fn start(&self) -> Speaking {
        self.helper("checkout", "git:origin").start()
    }
}

impl Site for Place {
    fn connect(&self) -> Box<dyn Remote> {
        Box::new(self.start())
    }

    fn writers(&self) -> usize {
        if self.http.is_some() || self.ssh.is_some() { 4 } else { 16 }
    }
}
