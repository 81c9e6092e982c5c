//! A git repository of its own for each test, and the built tools in it.

#![allow(dead_code, reason = "each test file that has this module uses its part of it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A repository with a policy.
pub struct Workshop {
    folder: TempDir,
}

/// How a command ended.
pub struct Ran {
    pub status: u8,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// The JSON document on stdout.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }
}

impl Workshop {
    pub fn new(policy: &str) -> Self {
        let shop = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        std::fs::create_dir(shop.path("home")).expect("a home");
        std::fs::create_dir(shop.path("repository")).expect("a repository");
        shop.write("gate.toml", policy);
        shop.write(".gitignore", ".gate/\n*.sarif\n*.json\n*.jsonl\n");
        assert_eq!(shop.run(&["git", "init", "-q", "-b", "main", "."]).status, 0);
        shop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file in the repository.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path("repository").join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.file(name), text).expect("the repository is writable");
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Copies a file, or what is in a folder, into the repository.
    pub fn copy(&self, from: &Path) {
        let from = if from.is_dir() { from.join(".") } else { from.to_owned() };
        let done = Command::new("cp").arg("-R").arg(from).arg(self.file(".")).status().expect("cp runs");
        assert!(done.success());
    }

    pub fn commit(&self) {
        assert_eq!(self.run(&["git", "add", "."]).status, 0);
        assert_eq!(self.run(&["git", "commit", "-q", "-m", "a commit"]).status, 0);
    }

    pub fn run(&self, argv: &[&str]) -> Ran {
        let (program, arguments) = argv.split_first().expect("a program");
        let mut command = self.command(program);
        command.args(arguments);
        let output = command.output().unwrap_or_else(|error| panic!("{program}: {error}"));
        Ran {
            status: output.status.code().and_then(|code| u8::try_from(code).ok()).expect("no signal"),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// A command in the repository, with nothing of the caller's but what finds programs and toolchains.
    fn command(&self, program: &str) -> Command {
        let path = search_path();
        let found = find(program, &path);
        let mut command = Command::new(found.unwrap_or_else(|| program.into()));
        command.env_clear().current_dir(self.file(".")).stdin(Stdio::null()).env("PATH", path);
        for name in ["RUSTUP_HOME", "CARGO_HOME", "RUSTUP_TOOLCHAIN", "TMPDIR"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if let Some(home) = std::env::home_dir() {
            // Where these folders are by default: the commands get another home.
            for (name, folder) in [("RUSTUP_HOME", ".rustup"), ("CARGO_HOME", ".cargo")] {
                if std::env::var_os(name).is_none() {
                    command.env(name, home.join(folder));
                }
            }
        }
        let identity = [("AUTHOR", "NAME", "Dave"), ("AUTHOR", "EMAIL", "dave@example.com")];
        for (_, what, value) in identity {
            command.env(format!("GIT_AUTHOR_{what}"), value).env(format!("GIT_COMMITTER_{what}"), value);
        }
        command.env("HOME", self.path("home")).env("GIT_CONFIG_NOSYSTEM", "1").env("LANG", "C.UTF-8");
        command
    }
}

/// A file or folder of testdata.
pub fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

/// The checkout.
pub fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// A tool of another project, by its full path; says so where it is not installed.
pub fn partner(name: &str) -> Option<String> {
    let found = find(name, &search_path());
    if found.is_none() {
        eprintln!("skipped: {name} is neither in .partners nor on PATH (scripts/partners installs it)");
    }
    found.and_then(|path| path.to_str().map(str::to_owned))
}

/// The tools that cargo built, the installed partners, and the caller's PATH.
fn search_path() -> std::ffi::OsString {
    let mut folders = vec![built(), checkout().join(".partners/venv/bin")];
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    std::env::join_paths(folders).expect("no folder has a colon in its name")
}

/// The folder of the built tools: tests are in `deps` below it.
fn built() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let folder = test.parent().and_then(Path::parent).expect("a test is in target/debug/deps").to_owned();
    assert!(folder.join("gate-check").is_file(), "build the tools first: cargo build --workspace --bins");
    folder
}

fn find(program: &str, path: &std::ffi::OsStr) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
