//! A temporary repository for tests, made by the real git.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A directory with a repository in it.
pub(crate) struct Sandbox {
    dir: tempfile::TempDir,
    work: PathBuf,
}

impl Sandbox {
    /// An empty directory, no repository.
    pub(crate) fn empty() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        // The real path, as git reports it.
        let work = std::fs::canonicalize(dir.path()).expect("it exists").join("work");
        std::fs::create_dir(&work).expect("a directory");
        Self { dir, work }
    }

    /// A repository on branch `main` without commits.
    pub(crate) fn unborn() -> Self {
        Self::init(&[])
    }

    /// The same, with options for `git init`.
    pub(crate) fn init(options: &[&str]) -> Self {
        let sandbox = Self::empty();
        sandbox.git(&[&["init", "-q", "-b", "main"], options].concat());
        sandbox
    }

    /// A repository with one commit that holds `gate.toml`.
    pub(crate) fn new() -> Self {
        let sandbox = Self::unborn();
        sandbox.commit("gate.toml", "version = 1\n");
        sandbox
    }

    /// The top of the work tree.
    pub(crate) fn root(&self) -> &Path {
        &self.work
    }

    /// A place beside the work tree.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().expect("it exists").join(name)
    }

    /// Runs git in the work tree; what it printed, without the last newline.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let mut command = Command::new("git");
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"GIT_") {
                command.env_remove(name);
            }
        }
        command.env("HOME", self.dir.path()).env("GIT_CONFIG_NOSYSTEM", "1").current_dir(&self.work);
        command.args([
            "-c",
            "user.name=Alice",
            "-c",
            "user.email=alice@example.com",
            "-c",
            "protocol.file.allow=always",
        ]);
        let output = command.args(args).output().expect("git runs");
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8").trim_end_matches('\n').to_owned()
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.work.join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        std::fs::write(path, text).expect("a file");
    }

    /// Writes a file, commits it, and gives the commit's id.
    pub(crate) fn commit(&self, path: &str, text: &str) -> String {
        self.write(path, text);
        self.git(&["add", "--", path]);
        self.git(&["commit", "-q", "-m", "change"]);
        self.head()
    }

    /// The commit that HEAD is at.
    pub(crate) fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    /// A detached merge of a branch `feature` into `main`, as CI makes one; (main, feature, merge).
    pub(crate) fn detached_merge(&self) -> (String, String, String) {
        self.git(&["checkout", "-q", "-b", "feature"]);
        let feature = self.commit("feature.txt", "new\n");
        self.git(&["checkout", "-q", "main"]);
        let main = self.commit("main.txt", "moved on\n");
        self.git(&["checkout", "-q", "--detach"]);
        self.git(&["merge", "-q", "--no-ff", "-m", "merge", "feature"]);
        (main, feature, self.head())
    }
}
