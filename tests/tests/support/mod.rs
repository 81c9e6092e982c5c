//! A house for end-to-end tests: a git repository with a policy and a ledger, and the tools as a shell runs
//! them, with no CI variables and no terminal.

#![allow(clippy::disallowed_methods, reason = "a test may start programs")]
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    clippy::missing_panics_doc,
    reason = "tests stop at the first surprise"
)]

use std::ffi::OsStr;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gate_ledger::entry::Draft;
use gate_ledger::store::{Access, Ledger, StoreError, Transaction};
use gate_model::time::Timestamp;
use serde_json::{Value, json};

/// A policy with one gate of each temper.
pub const POLICY: &str = r#"
version = 1

[gates.lint]
[[gates.lint.allow]]
actions = ["skip", "override", "pause"]
who = ["*"]
max_ttl = "24h"

[gates.scan]
severity = "high"
[[gates.scan.allow]]
actions = ["waive"]
who = ["*"]
max_ttl = "14d"
[[gates.scan.allow]]
actions = ["override", "pause", "skip"]
who = ["*"]
max_ttl = "2h"

[gates.secrets]

[gates.deploy]
require_ledger = true
[[gates.deploy.allow]]
actions = ["pause", "override"]
who = ["*"]
max_ttl = "2h"
"#;

/// What a tool left behind.
pub struct Ran {
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Ran {
    pub fn of(output: Output) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let code = output.status.code().unwrap_or_else(|| -output.status.signal().unwrap_or(0));
        Self { code, stdout: output.stdout, stderr: String::from_utf8_lossy(&output.stderr).into_owned() }
    }

    /// Fails unless the exit code is `code`.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.out(), self.stderr);
        self
    }

    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Fails unless stderr has all of `parts`.
    #[track_caller]
    pub fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "no '{part}' in: {}", self.stderr);
        }
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: stdout '{}' stderr '{}'", self.out(), self.stderr))
    }

    /// The ID of the opt-out that was granted or asked for.
    #[track_caller]
    pub fn id(&self) -> String {
        self.json()["id"]
            .as_u64()
            .unwrap_or_else(|| panic!("no id: {} {}", self.out(), self.stderr))
            .to_string()
    }
}

/// The directory in which cargo put the tools.
pub fn bin(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join(name);
    assert!(path.is_file(), "'{}' is missing; build the tools first: cargo build", path.display());
    path
}

/// A repository with one commit, `gate.toml`, and a ledger outside the checkout's index.
pub struct House {
    dir: tempfile::TempDir,
    pub root: PathBuf,
}

impl House {
    /// With `policy` and a ledger.
    pub fn new(policy: &str) -> Self {
        let house = Self::without_ledger(policy);
        house.create_ledger(".gate/ledger.db");
        house
    }

    pub fn without_ledger(policy: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("gate-house").tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("repo");
        std::fs::create_dir(&root).unwrap();
        let house = Self { dir, root };
        house.git(&["init", "-q", "-b", "main"]);
        house.git(&["remote", "add", "origin", "https://github.com/acme/payments.git"]);
        house.write("gate.toml", policy);
        house.write(".gitignore", "/.gate/\n");
        house.commit("first");
        house
    }

    pub fn create_ledger(&self, path: &str) -> String {
        let actor = json!({"id": "os:test", "assurance": "asserted", "via": "os"});
        let ledger = Ledger::create(&self.path(path), &actor, json!({}), now()).unwrap();
        let genesis = ledger.genesis().to_string();
        ledger.close().unwrap();
        genesis
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A place beside the repository.
    pub fn outside(&self, name: &str) -> PathBuf {
        self.root.parent().unwrap().join(name)
    }

    pub fn write(&self, relative: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn read(&self, relative: &str) -> String {
        std::fs::read_to_string(self.path(relative)).unwrap()
    }

    #[track_caller]
    pub fn git(&self, args: &[&str]) -> String {
        let output = self.plain("git").args(args).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Commits everything and gives the commit's id.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// A command in the repository with a bare environment.
    pub fn plain(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        let mut path = bin("gate-check").parent().unwrap().as_os_str().to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap());
        command
            .env_clear()
            .current_dir(&self.root)
            .env("PATH", path)
            .env("HOME", self.root.parent().unwrap());
        for (name, value) in [("AUTHOR", "dev@example.com"), ("COMMITTER", "dev@example.com")] {
            command.env(format!("GIT_{name}_NAME"), "Dev").env(format!("GIT_{name}_EMAIL"), value);
        }
        command.env("GIT_CONFIG_NOSYSTEM", "1").stdin(Stdio::null());
        command
    }

    pub fn tool(&self, name: &str, args: &[&str]) -> Command {
        let mut command = self.plain(bin(name));
        command.args(args);
        command
    }

    pub fn check(&self, args: &[&str]) -> Ran {
        Ran::of(self.tool("gate-check", args).output().unwrap())
    }

    pub fn skip(&self, args: &[&str]) -> Ran {
        Ran::of(self.tool("gate-skip", args).output().unwrap())
    }

    pub fn check_with(&self, args: &[&str], env: &[(&str, &str)]) -> Ran {
        Ran::of(self.tool("gate-check", args).envs(env.iter().copied()).output().unwrap())
    }

    pub fn skip_with(&self, args: &[&str], env: &[(&str, &str)]) -> Ran {
        Ran::of(self.tool("gate-skip", args).envs(env.iter().copied()).output().unwrap())
    }

    pub fn check_stdin(&self, args: &[&str], input: &[u8]) -> Ran {
        feed(self.tool("gate-check", args), input)
    }

    pub fn skip_stdin(&self, args: &[&str], input: &[u8]) -> Ran {
        feed(self.tool("gate-skip", args), input)
    }

    /// A line of `sh`, with the tools on the path.
    pub fn sh(&self, script: &str) -> Ran {
        Ran::of(self.plain("sh").args(["-c", script]).output().unwrap())
    }

    /// A grant for `reason`.
    #[track_caller]
    pub fn granted(&self, args: &[&str]) -> String {
        let args: Vec<&str> = args.iter().copied().chain(["--reason", "a test needs it"]).collect();
        self.skip(&args).exits(0).id()
    }

    /// The variables of a run on GitHub by `actor`.
    pub fn github(&self, actor: &str) -> Vec<(String, String)> {
        let pairs = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_ACTOR", actor),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "acme/payments"),
            ("GITHUB_REF", "refs/heads/main"),
            ("GITHUB_RUN_ID", "77"),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_SHA", &self.git(&["rev-parse", "HEAD"])),
            ("GITHUB_EVENT_NAME", "push"),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    pub fn skip_as(&self, actor: &str, args: &[&str]) -> Ran {
        Ran::of(self.tool("gate-skip", args).envs(self.github(actor)).output().unwrap())
    }

    pub fn check_as(&self, actor: &str, args: &[&str]) -> Ran {
        Ran::of(self.tool("gate-check", args).envs(self.github(actor)).output().unwrap())
    }

    /// Every entry of the ledger, read by the library.
    pub fn entries(&self) -> Vec<Value> {
        entries_of(&self.path(".gate/ledger.db"))
    }

    /// The entries of one kind.
    pub fn of_kind(&self, kind: &str) -> Vec<Value> {
        self.entries().into_iter().filter(|entry| entry["kind"] == kind).collect()
    }

    /// The newest decision's entry.
    #[track_caller]
    pub fn last_decision(&self) -> Value {
        self.of_kind("decision").pop().unwrap_or_else(|| panic!("no decision"))
    }

    /// An SSH key that the policy may trust; gives the path and the public half.
    /// Appends a copy of the entry `seq`, in good order: what somebody can who writes the database.
    pub fn append_copy(&self, seq: u64) {
        let mut ledger = Ledger::open(&self.path(".gate/ledger.db"), Access::Append).unwrap();
        let copy = |transaction: &mut Transaction<'_>| -> Result<(), StoreError> {
            let entry = transaction.view().entry(seq)?.unwrap();
            let (kind, gate, reference) = (entry.kind, entry.gate, entry.reference);
            let draft = Draft {
                kind,
                gate,
                reference,
                actor: entry.actor.into_value(),
                data: entry.data.into_value(),
            };
            transaction.append(&draft).map(drop)
        };
        assert!(ledger.append(Duration::from_secs(10), &now, copy).is_ok());
        ledger.close().unwrap();
    }

    pub fn key(&self, name: &str) -> (String, String) {
        let path = self.outside(name);
        let made = self
            .plain("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"])
            .arg(&path)
            .output()
            .unwrap();
        assert!(made.status.success());
        let public = std::fs::read_to_string(path.with_extension("pub")).unwrap();
        (path.display().to_string(), public.trim().to_owned())
    }
}

pub fn entries_of(path: &Path) -> Vec<Value> {
    let ledger = Ledger::open(path, Access::Read).unwrap();
    let mut all = Vec::new();
    ledger
        .view()
        .scan(0, None, false, &mut |entry| {
            all.push(serde_json::from_str(&entry.line()).unwrap());
            ControlFlow::Continue(())
        })
        .unwrap();
    all
}

pub fn feed(mut command: Command, input: &[u8]) -> Ran {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A tool that refuses early closes the pipe; that is its right.
        drop(stdin.write_all(&input));
    });
    let ran = Ran::of(child.wait_with_output().unwrap());
    writer.join().unwrap();
    ran
}

pub fn now() -> Timestamp {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Timestamp::parse("1970-01-01T00:00:00Z").unwrap().plus(seconds).unwrap()
}

/// A SARIF report of `results` by a tool called `scan`.
pub fn sarif(results: &[Value]) -> String {
    json!({
        "version": "2.1.0",
        "runs": [{"tool": {"driver": {"name": "scan"}}, "results": results}],
    })
    .to_string()
}

/// A result of `rule` at `level` in `path`, line `line`, with its own fingerprint.
pub fn result(rule: &str, level: &str, path: &str, line: u64) -> Value {
    json!({
        "ruleId": rule,
        "level": level,
        "message": {"text": format!("{rule} in {path}")},
        "partialFingerprints": {"primary": format!("{rule}:{path}")},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": path},
            "region": {"startLine": line},
        }}],
    })
}
