//! A place to try the tools as a shell uses them.
//!
//! Purpose: a [`Sandbox`] is a fresh folder in which the built tools run, and nothing of the machine around
//! shows: no variable of a CI system, none of gate's, no git configuration, another home. So a test says the
//! same at a desk and in any pipeline.
//!
//! The tools must have been built (`cargo build`) with the profile of the tests; they are looked for beside
//! the test that runs. Tools of others (`git`, `jq`, `sqlite3`) come from the `PATH`.
//!
//! Not here: anything that a tool should do itself. Tests know its command line, files and exit codes only.

#![allow(clippy::disallowed_methods, reason = "a test may start programs")]
#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::return_self_not_must_use,
    reason = "this is test code: what fails shall stop the test"
)]

pub mod fuzz;
pub mod remote;
pub mod tokens;

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder of its own, removed at the end.
#[derive(Debug)]
pub struct Sandbox {
    /// The folder, in which every command runs.
    pub dir: TempDir,
}

/// How a command ended, and what it wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The exit status as a shell would tell it: 128+n for a signal.
    pub status: i32,
    /// Standard output. Bytes that are no UTF-8 are replaced.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Sandbox {
    /// An empty folder.
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a temporary directory") }
    }

    /// A git work tree with one commit and nothing in it.
    pub fn repository() -> Self {
        let sandbox = Self::new();
        sandbox.init_repository();
        sandbox
    }

    /// A git work tree with a ledger made from `policy`.
    pub fn with_policy(policy: &str) -> Self {
        let sandbox = Self::repository();
        sandbox.write("gate.toml", policy);
        sandbox.run("gate-log", &["init", "--quiet"]).expect(0);
        sandbox
    }

    /// A git work tree with a ledger made from the starter policy.
    pub fn with_starter() -> Self {
        let sandbox = Self::repository();
        sandbox.run("gate-log", &["init", "--quiet"]).expect(0);
        sandbox
    }

    /// Makes the folder a git work tree with one empty commit.
    pub fn init_repository(&self) {
        self.run("git", &["init", "--quiet", "--initial-branch=main", "."]).expect(0);
        self.run("git", &["config", "user.name", "Sandbox"]).expect(0);
        self.run("git", &["config", "user.email", "sandbox@example.com"]).expect(0);
        self.run("git", &["commit", "--quiet", "--allow-empty", "--message", "begin"]).expect(0);
    }

    /// A path in the folder.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file, with the folders it needs.
    pub fn write(&self, name: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).expect("a folder");
        }
        std::fs::write(path, text).expect("a file");
    }

    /// The text of a file.
    pub fn read(&self, name: impl AsRef<Path>) -> String {
        let path = self.path(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Whether there is a file of that name.
    pub fn has(&self, name: impl AsRef<Path>) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }

    /// A command in the folder, with nothing of the machine's environment but the `PATH`, and nothing on
    /// standard input.
    pub fn command(&self, tool: &str) -> Command {
        let mut command = Command::new(program(tool));
        command
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dir.path())
            .env("LC_ALL", "C.UTF-8")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run<A: AsRef<OsStr>>(&self, tool: &str, args: &[A]) -> Output {
        finish(self.command(tool).args(args).stdout(Stdio::piped()).stderr(Stdio::piped()), tool, b"")
    }

    /// The same with `input` on standard input.
    pub fn run_with<A: AsRef<OsStr>>(&self, tool: &str, args: &[A], input: impl AsRef<[u8]>) -> Output {
        let mut command = self.command(tool);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        finish(&mut command, tool, input.as_ref())
    }

    /// Runs a line of POSIX shell, in which the tools are on the `PATH`.
    pub fn shell(&self, line: &str) -> Output {
        let mut paths = vec![tools()];
        paths.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        let mut command = self.command("sh");
        command.env("PATH", std::env::join_paths(paths).expect("a PATH"));
        command.args(["-c", line]).stdout(Stdio::piped()).stderr(Stdio::piped());
        finish(&mut command, "sh", b"")
    }

    /// Starts a command with pipes on all its streams.
    pub fn start<A: AsRef<OsStr>>(&self, tool: &str, args: &[A]) -> Child {
        let mut command = self.command(tool);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap_or_else(|error| panic!("cannot start {tool}: {error}"))
    }

    /// The entries of the ledger, as `gate-log export` writes them.
    pub fn entries(&self) -> Vec<Value> {
        self.run("gate-log", &["export"]).expect(0).lines()
    }
}

impl Output {
    /// The same, if the status is `status`.
    ///
    /// # Panics
    /// With everything that was written, if it is another one.
    #[track_caller]
    pub fn expect(self, status: i32) -> Self {
        assert_eq!(self.status, status, "\nstdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Standard output as one JSON document.
    ///
    /// # Panics
    /// Where it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("no JSON: {error}\nstdout: {}\nstderr: {}", self.stdout, self.stderr)
        })
    }

    /// Standard output as one JSON document a line.
    ///
    /// # Panics
    /// Where a line is none.
    #[track_caller]
    pub fn lines(&self) -> Vec<Value> {
        let line =
            |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("no JSON: {error}\n{line}"));
        self.stdout.lines().map(line).collect()
    }

    /// Checks that stderr names the tool, says `words`, and shows no control character.
    ///
    /// # Panics
    /// Where it does not.
    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(self.stderr.contains(words), "'{words}' is not in: {}", self.stderr);
        assert!(!self.stderr.contains(|c: char| c.is_control() && c != '\n'), "{:?}", self.stderr);
        self
    }
}

/// Where the built tools are: beside the folder of the test's own executable.
fn tools() -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let deps = test.parent().expect("a folder");
    if deps.ends_with("deps") { deps.parent().expect("a folder").to_owned() } else { deps.to_owned() }
}

/// Where a program is: one of ours among those that cargo built, another one on the `PATH`.
///
/// # Panics
/// Where one of ours was not built.
pub fn program(tool: &str) -> PathBuf {
    if !tool.starts_with("gate-") {
        return tool.into();
    }
    let path = tools().join(tool);
    assert!(path.is_file(), "{} is missing; run `cargo build` with the same profile first", path.display());
    path
}

fn finish(command: &mut Command, tool: &str, input: &[u8]) -> Output {
    let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {tool}: {error}"));
    let writer = child.stdin.take().map(|mut stdin| {
        let input = input.to_vec();
        // On a thread, so that a tool that writes before it has read everything cannot stall; one that does
        // not read to the end closes the pipe, which is its right.
        std::thread::spawn(move || drop(stdin.write_all(&input)))
    });
    let output = child.wait_with_output().unwrap_or_else(|error| panic!("cannot wait for {tool}: {error}"));
    if let Some(writer) = writer {
        writer.join().expect("the input was written");
    }
    Output {
        status: status(output.status),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The status as a shell tells it.
#[cfg(unix)]
pub fn status(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

/// The status as a shell tells it.
#[cfg(not(unix))]
pub fn status(status: std::process::ExitStatus) -> i32 {
    status.code().unwrap_or(-1)
}

pub use rustix::process::Signal;

/// Sends `signal` to a process that was started here: a minimal system has no kill(1).
///
/// # Panics
/// Where the system refuses.
pub fn send(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(pid.expect("a process"), signal).expect("the signal is sent");
}
