//! Running git.
//!
//! Invariants: of the variables that steer git only those that lead to a server reach it; it never asks a person
//! anything that it was not told to ask; hooks are off everywhere; only transports that start nothing but ssh are
//! allowed.

#![expect(clippy::disallowed_methods, reason = "this helper drives git")]

use std::ffi::OsString;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use gate_ledger::remote::{RemoteError, Why};

use crate::cache::Cache;
use crate::error::{failure, usage};
use crate::settings::Settings;

/// How much of what git says to people is kept, in bytes.
const MAX_SAID: u64 = 16 << 10;

/// Variables of git that are passed on: where credentials, proxies and ssh come from.
const PASSED: [&str; 15] = [
    "GIT_ASKPASS",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_SYSTEM",
    "GIT_HTTP_LOW_SPEED_LIMIT",
    "GIT_HTTP_LOW_SPEED_TIME",
    "GIT_HTTP_PROXY_AUTHMETHOD",
    "GIT_PROXY_SSL_CAINFO",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_SSL_NO_VERIFY",
    "GIT_TERMINAL_PROMPT",
];

/// Settings that outrank all others in our own repository.
const FIXED: [(&str, &str); 10] = [
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.logAllRefUpdates", "false"),
    ("fetch.writeCommitGraph", "false"),
    ("gc.auto", "0"),
    ("gc.autoDetach", "false"),
    ("maintenance.auto", "false"),
    ("push.pushOption", ""),
    ("push.gpgSign", "false"),
    ("submodule.recurse", "false"),
];

/// How git is started.
#[derive(Debug, Clone)]
pub(crate) struct Git {
    directory: PathBuf,
    repository: Option<PathBuf>,
    settings: Vec<(String, String)>,
}

/// How git ended, and what it wrote.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub(crate) success: bool,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Git {
    /// Git in the directory in which the helper was started.
    pub(crate) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), repository: None, settings: Vec::new() }
    }

    /// Git in the repository of `cache`, with what `here` says about servers.
    pub(crate) fn within(mut self, cache: &Cache, here: Settings) -> Result<Self, RemoteError> {
        self.repository = Some(cache.repository());
        cache.make(&self)?;
        let here = here.leading();
        if !here.pairs().is_empty() {
            let known = Settings::read(&self)?;
            self.settings = here.beyond(&known).pairs().to_vec();
        }
        Ok(self)
    }

    /// `git` with `args`, ready to be started. Relative paths in settings and URLs mean what they mean in the checkout.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_dropped(name)) {
            // What somebody set for their own git, in their own repository.
            if self.repository.is_some() || !is_config(&name) {
                command.env_remove(name);
            }
        }
        command.current_dir(&self.directory).args(["--no-pager", "--no-replace-objects"]).args(args);
        command.env("LC_ALL", "C").env("GIT_ALLOW_PROTOCOL", "file:git:http:https:ssh");
        if std::env::var_os("GIT_TERMINAL_PROMPT").is_none() {
            command.env("GIT_TERMINAL_PROMPT", "0");
        }
        let Some(repository) = &self.repository else { return command };
        command.env("GIT_DIR", repository);
        let fixed = FIXED.iter().map(|(key, value)| (*key, *value));
        let settings = self.settings.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let mut count = 0_u32;
        for (key, value) in settings.chain(fixed) {
            command
                .env(format!("GIT_CONFIG_KEY_{count}"), key)
                .env(format!("GIT_CONFIG_VALUE_{count}"), value);
            count += 1;
        }
        command.env("GIT_CONFIG_COUNT", count.to_string());
        command
    }

    /// Runs git to its end with `input`.
    pub(crate) fn run(&self, args: &[&str], input: &[u8]) -> Result<Output, RemoteError> {
        let mut talk = self.start(args)?;
        // What git does not read it does not need; how it ends tells.
        drop(talk.stdin.write_all(input));
        talk.finish()
    }

    /// Starts git with pipes to it.
    pub(crate) fn start(&self, args: &[&str]) -> Result<Talk, RemoteError> {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                usage("git is not installed", "install it, or keep the ledger elsewhere")
            }
            _ => failure(&format!("git cannot be started: {error}")),
        })?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(mut stderr)) = (stdin, stdout, stderr) else {
            return Err(failure("git was started without its streams"));
        };
        let said = std::thread::spawn(move || {
            let mut said = Vec::new();
            // Diagnostics only: what cannot be read is not shown. The rest is read so that git does not stall.
            if (&mut stderr).take(MAX_SAID).read_to_end(&mut said).is_ok() {
                let _rest = std::io::copy(&mut stderr, &mut std::io::sink());
            }
            String::from_utf8_lossy(&said).into_owned()
        });
        Ok(Talk { child, stdin, stdout: BufReader::new(stdout), said })
    }
}

/// A git under way.
pub(crate) struct Talk {
    child: Child,
    pub(crate) stdin: ChildStdin,
    pub(crate) stdout: BufReader<ChildStdout>,
    said: std::thread::JoinHandle<String>,
}

impl Talk {
    /// Closes its input, reads what it still writes, and waits.
    pub(crate) fn finish(self) -> Result<Output, RemoteError> {
        let Self { mut child, stdin, mut stdout, said } = self;
        drop(stdin);
        let mut written = Vec::new();
        let read = stdout.read_to_end(&mut written).and_then(|_| child.wait());
        let status = read.map_err(|error| failure(&format!("git cannot be waited for: {error}")))?;
        let stderr = said.join().unwrap_or_default();
        Ok(Output { success: status.success(), code: status.code(), stdout: written, stderr })
    }
}

impl Output {
    /// What git, and whoever it spoke to, said: on one line, the words of the other side first.
    pub(crate) fn said(&self) -> String {
        let of = |prefix: &str| {
            let lines = self.stderr.lines().filter_map(|line| line.strip_prefix(prefix));
            lines.map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
        };
        let said = [of("remote: "), of("fatal: "), of("error: ")];
        let said = said.iter().filter(|said| !said.is_empty()).cloned().collect::<Vec<_>>().join("; ");
        let said =
            if said.is_empty() { self.stderr.split_whitespace().collect::<Vec<_>>().join(" ") } else { said };
        if said.is_empty() { "git gave no reason".to_owned() } else { said }
    }

    /// That something of ours failed.
    pub(crate) fn failure(&self, problem: &str) -> RemoteError {
        failure(&format!("{problem}: {}", self.said()))
    }

    /// That nobody was reached, or would not let us in.
    pub(crate) fn unreached(&self, place: &str, said: &str) -> RemoteError {
        const DENIED: [&str; 7] = [
            "Authentication failed",
            "could not read Username",
            "could not read Password",
            "Permission denied",
            "error: 401",
            "error: 403",
            "Host key verification failed",
        ];
        // The class is for people and changes nothing: neither lets an opt-out be used.
        if DENIED.iter().any(|words| self.stderr.contains(words)) {
            let remedy = "git must be able to read it with the credentials that this checkout uses";
            return RemoteError::failed(Why::Denied, format!("{place} does not let us in: {said}"), remedy);
        }
        let remedy = "see that git ls-remote reaches it from here";
        RemoteError::failed(Why::Unreachable, format!("{place} cannot be reached: {said}"), remedy)
    }
}

fn is_dropped(name: &OsString) -> bool {
    let is_git = name.as_encoded_bytes().starts_with(b"GIT_");
    is_git && !PASSED.iter().any(|passed| name == *passed)
}

/// Whether a variable carries settings, as CI systems use them.
fn is_config(name: &OsString) -> bool {
    let name = name.as_encoded_bytes();
    let starts = |prefix: &str| name.starts_with(prefix.as_bytes());
    starts("GIT_CONFIG_KEY_")
        || starts("GIT_CONFIG_VALUE_")
        || name == b"GIT_CONFIG_COUNT"
        || name == b"GIT_CONFIG_PARAMETERS"
}
