//! One hardened git process.
//!
//! Invariants: no `GIT_*` variable of ours reaches git, save `safe.directory` of `GIT_CONFIG_COUNT`;
//! nothing in a repository's configuration makes git
//! start another program or use the network; stdin is nothing unless asked for; what is read is bounded, and so
//! is the time; pipes and devices in the administration are refused before git opens them; a process never
//! outlives its [`Running`]. This is the only door to git.

use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Read};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;

use super::error::GitError;
use super::head;
use super::watch::{LIMIT, Watch};

/// How much of git's diagnostics is kept.
const MAX_DIAGNOSTICS: u64 = 8 * 1024;

/// Settings that outrank those of the repository. `protocol.allow` and `GIT_ALLOW_PROTOCOL` keep a partial
/// clone from fetching missing objects; `safe.bareRepository` keeps a directory that merely looks like a
/// repository (checked in by somebody) from being taken for one. The warning about ambiguous names is what
/// [`super::resolve()`] goes by.
const SETTINGS: [&str; 9] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.quotePath=false",
    "core.warnAmbiguousRefs=true",
    "protocol.allow=never",
    "safe.bareRepository=explicit",
    "submodule.recurse=false",
    "status.submoduleSummary=false",
];

/// The most settings of the environment that are looked through.
const MAX_CONFIG: usize = 1_000;

/// The directories that whoever made this container trusts, of `GIT_CONFIG_COUNT` and its like: `safe.directory` says
/// of whom a repository may be, and nothing else of these variables is taken.
fn trusted_directories(env: &dyn Fn(&str) -> Option<OsString>) -> Vec<OsString> {
    let count = env("GIT_CONFIG_COUNT").and_then(|count| count.to_str()?.parse::<usize>().ok()).unwrap_or(0);
    let is_trust = |index: &usize| {
        let key = env(&format!("GIT_CONFIG_KEY_{index}"));
        key.is_some_and(|key| key.eq_ignore_ascii_case("safe.directory"))
    };
    let places = (0..count.min(MAX_CONFIG)).filter(is_trust);
    places.filter_map(|index| env(&format!("GIT_CONFIG_VALUE_{index}"))).collect()
}

/// What a finished process left.
#[derive(Debug)]
pub(super) struct Output {
    /// Its standard output, at most as long as asked for.
    pub stdout: Vec<u8>,
    /// Whether there was more, and the process was ended for it.
    pub cut: bool,
    /// How it ended.
    pub status: ExitStatus,
    /// The beginning of its standard error.
    pub stderr: String,
}

/// A git process under way. Dropping it ends the process.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    watch: Watch,
    diagnostics: Option<JoinHandle<Vec<u8>>>,
    verb: &'static str,
    root: PathBuf,
}

/// Starts `git <verb> <args>` at the top of a work tree, or in a directory outside of any.
pub(super) fn start<I, S>(root: &Path, verb: &'static str, args: I) -> Result<Running, GitError>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    spawn(root, &[], verb, args, Stdio::null())
}

/// The same with further settings, each `name=value`, that outrank all others.
pub(super) fn start_with<I, S>(
    root: &Path,
    settings: &[String],
    verb: &'static str,
    args: I,
) -> Result<Running, GitError>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    spawn(root, settings, verb, args, Stdio::null())
}

/// The same, with a pipe to its standard input.
pub(super) fn converse<I, S>(root: &Path, verb: &'static str, args: I) -> Result<Running, GitError>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    spawn(root, &[], verb, args, Stdio::piped())
}

fn spawn<I, S>(
    root: &Path,
    settings: &[String],
    verb: &'static str,
    args: I,
    stdin: Stdio,
) -> Result<Running, GitError>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    head::refuse_pipes(root)?;
    let mut command = hardened(root);
    for setting in settings {
        command.args(["-c", setting]);
    }
    command.process_group(0);
    command.arg(verb).args(args).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|source| match source.kind() {
        // A missing working directory gives the same error as a missing program.
        ErrorKind::NotFound if root.is_dir() => GitError::NotInstalled { root: root.to_owned() },
        _ => GitError::Run { verb, root: root.to_owned(), source },
    })?;
    // Read beside stdout, so that a chatty git cannot fill this pipe and stall.
    let diagnostics = child.stderr.take().map(|pipe| std::thread::spawn(move || beginning_of(pipe)));
    let watch = Watch::over(&child, LIMIT);
    Ok(Running { child, watch, diagnostics, verb, root: root.to_owned() })
}

/// `git` with every door closed, before its subcommand.
fn hardened(root: &Path) -> Command {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"GIT_") {
            command.env_remove(name);
        }
    }
    let trusted = trusted_directories(&|name| std::env::var_os(name));
    command.env("GIT_CONFIG_COUNT", trusted.len().to_string());
    for (index, directory) in trusted.into_iter().enumerate() {
        command.env(format!("GIT_CONFIG_KEY_{index}"), "safe.directory");
        command.env(format!("GIT_CONFIG_VALUE_{index}"), directory);
    }
    // A broken .git must not make git go on to a repository further up.
    if let Some(above) = root.parent() {
        command.env("GIT_CEILING_DIRECTORIES", above);
    }
    command
        .current_dir(root)
        .env("LC_ALL", "C")
        .env("GIT_ALLOW_PROTOCOL", "none")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .args(["--no-pager", "--no-replace-objects", "--no-optional-locks", "--literal-pathspecs"]);
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    command
}

/// The first bytes of a stream; the rest is read and dropped, so that the writer never blocks.
fn beginning_of(mut pipe: impl Read) -> Vec<u8> {
    let mut kept = Vec::new();
    // Diagnostics only: what cannot be read is simply not shown.
    if (&mut pipe).take(MAX_DIAGNOSTICS).read_to_end(&mut kept).is_ok() {
        let _rest = std::io::copy(&mut pipe, &mut std::io::sink());
    }
    kept
}

impl Running {
    /// The two ends of a conversation; each is `None` once taken.
    pub(super) fn pipes(&mut self) -> (Option<ChildStdin>, Option<ChildStdout>) {
        (self.child.stdin.take(), self.child.stdout.take())
    }

    /// Waits for the end and reads at most `limit` bytes. A process with more to say is ended.
    pub(super) fn finish(mut self, limit: u64) -> Result<Output, GitError> {
        drop(self.child.stdin.take());
        let mut stdout = Vec::new();
        if let Some(pipe) = self.child.stdout.take() {
            pipe.take(limit + 1).read_to_end(&mut stdout).map_err(|source| self.failure(source))?;
        }
        let cut = u64::try_from(stdout.len()).is_ok_and(|len| len > limit);
        if cut {
            stdout.pop();
            self.watch.end();
        }
        let status = self.end()?;
        Ok(Output { stdout, cut, status, stderr: self.diagnostics() })
    }

    /// How the process ended, once it has.
    fn end(&mut self) -> Result<ExitStatus, GitError> {
        let ended = self.watch.wait(&mut self.child).map_err(|source| self.failure(source))?;
        ended.ok_or_else(|| GitError::TooSlow {
            verb: self.verb,
            root: self.root.clone(),
            seconds: LIMIT.as_secs(),
        })
    }

    fn diagnostics(&mut self) -> String {
        let bytes = self.diagnostics.take().and_then(|reader| reader.join().ok()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Why a conversation broke off.
    pub(super) fn conclude(&mut self) -> GitError {
        drop(self.child.stdin.take());
        match self.end() {
            Ok(status) => {
                let output = Output { stdout: Vec::new(), cut: false, status, stderr: self.diagnostics() };
                explain(&self.root, self.verb, &output)
            }
            Err(error) => error,
        }
    }

    /// An input or output error of this process.
    pub(super) fn failure(&self, source: std::io::Error) -> GitError {
        GitError::Run { verb: self.verb, root: self.root.clone(), source }
    }

    /// An answer that is not as documented.
    pub(super) fn unexpected(&self, problem: &'static str) -> GitError {
        GitError::Answer { verb: self.verb, root: self.root.clone(), problem }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After a normal end both do nothing; on an early return they leave no process behind.
        self.watch.end();
        let _reaped = self.watch.wait(&mut self.child);
    }
}

/// What an unsuccessful end means.
pub(super) fn explain(root: &Path, verb: &'static str, output: &Output) -> GitError {
    let root = root.to_owned();
    let said = output.stderr.as_str();
    if said.contains("dubious ownership") {
        return GitError::Ownership { root };
    }
    let line = said.lines().find(|line| line.starts_with("fatal:")).or_else(|| said.lines().next());
    let message = gate_model::text::visible(line.unwrap_or("it gave no reason"));
    if said.contains("not a git repository") || said.contains("cannot use bare repository") {
        return GitError::Broken { root, message };
    }
    GitError::Failed { verb, root, status: output.status.to_string(), message }
}

#[cfg(test)]
mod tests {
    use super::trusted_directories;

    #[test]
    fn of_the_settings_of_the_environment_only_trust_is_taken() {
        let set = [
            ("GIT_CONFIG_COUNT", "4"),
            ("GIT_CONFIG_KEY_0", "core.fsmonitor"),
            ("GIT_CONFIG_VALUE_0", "/bin/evil"),
            ("GIT_CONFIG_KEY_1", "safe.directory"),
            ("GIT_CONFIG_VALUE_1", "/work"),
            ("GIT_CONFIG_KEY_2", "Safe.Directory"),
            ("GIT_CONFIG_VALUE_2", "*"),
            ("GIT_CONFIG_KEY_4", "safe.directory"),
            ("GIT_CONFIG_VALUE_4", "/beyond"),
        ];
        let env = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
        assert_eq!(trusted_directories(&env), ["/work", "*"]);
        let broken = |name: &str| (name == "GIT_CONFIG_COUNT").then(|| "many".into());
        assert!(trusted_directories(&broken).is_empty() && trusted_directories(&|_| None).is_empty());
    }
}
