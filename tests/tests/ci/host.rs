//! A host of repositories, a place of releases, and a ledger that outlives the jobs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gate_tests::status;
use serde_json::Value;

/// The rules of the main branch: nobody may go past anything.
const POLICY: &str = "version = 1\n[gates.lint]\n[gates.sast]\nfindings_exit = [0, 1]\n[gates.tests]\n";
/// The rules that the change would like to have.
const WEAKER: &str = "version = 1\n[gates.lint]\n[[gates.lint.allow]]\nactions = ['skip']\nwho = ['*']\nmax_ttl = '1d'\n\
    [gates.sast]\nfail_on = 'error'\n[gates.tests]\n";
const REPORT: &str = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"t"}},"results":[{"ruleId":"R1","level":"warning",
"message":{"text":"found"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"payments.py"},"region":{"startLine":3}}}]}]}]}"#;

/// The host, with one open change.
pub struct Host {
    room: tempfile::TempDir,
    /// The tip of the main branch.
    pub main: String,
    /// The change's own commit.
    pub change: String,
    /// The change merged into main, as the platform makes it.
    pub merge: String,
    /// The digest of the release's tarball.
    pub digest: String,
}

/// What a run left behind.
pub struct Played {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
    pub summary: String,
    pub dir: PathBuf,
}

impl Played {
    pub fn told(&self) -> String {
        format!("status {}\nstdout: {}\nstderr: {}", self.status, self.stdout, self.stderr)
    }

    pub fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.join(name))
            .unwrap_or_else(|error| panic!("{error}: {}", self.told()))
    }
}

/// A tool that scripts/partners installs; where it is missing, says so.
pub fn partner(name: &str) -> Option<String> {
    let partners = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(".partners");
    let places = ["venv/bin", "node/node_modules/.bin"].map(|place| partners.join(place).join(name));
    let found = places.iter().find(|path| path.is_file()).map(|path| path.to_str().unwrap().to_owned());
    if found.is_none() {
        eprintln!("skipped: {name} is not in .partners (scripts/partners installs it)");
    }
    found
}

impl Host {
    pub fn new() -> Self {
        let room = tempfile::Builder::new().prefix("gate-ci").tempdir().unwrap();
        let nothing = String::new;
        let mut host = Self { room, main: nothing(), change: nothing(), merge: nothing(), digest: nothing() };
        host.script(
            r#"git init -q -b main seed; cd seed
            printf '%s' "$POLICY" > gate.toml; printf 'a\nb\nc\n' > payments.py
            git add -A; git commit -q -m first; gate-log init -q
            git checkout -q -b feature; printf '%s' "$WEAKER" > gate.toml; git commit -q -am 'weaker rules'
            git checkout -q -B merge main; git merge -q --no-ff -m 'merge' feature
            git clone -q --bare . ../pay.git; cd ../pay.git
            git update-ref refs/pull/7/head feature; git update-ref refs/pull/7/merge merge
            git update-ref refs/merge-requests/7/head feature; git tag v1 main
            git update-ref "refs/heads/gh-readonly-queue/main/pr-7-$(git rev-parse main)" merge
            git symbolic-ref HEAD refs/heads/main; git branch -q -D merge; git config uploadpack.allowAnySHA1InWant true"#,
        );
        let id = |name: &str| host.script(&format!("git -C pay.git rev-parse {name}")).trim().to_owned();
        let ids = (id("refs/heads/main"), id("refs/pull/7/head"), id("refs/pull/7/merge"));
        (host.main, host.change, host.merge) = ids;
        host.digest = host.release();
        std::fs::write(host.report(), REPORT).unwrap();
        host
    }

    /// A release: programs that start the built ones, and the shell functions of the recipes.
    fn release(&self) -> String {
        let ci = super::recipe::path("ci.sh");
        self.script(&format!(
            r#"name=gate-0.1.0-$(uname -m)-unknown-linux-musl; mkdir -p v0.1.0 "$name/bin" "$name/share/gate"
            for tool in gate-check gate-skip gate-log gate-verify; do
              printf '#!/bin/sh\nexec "%s" "$@"\n' "$(command -v $tool)" > "$name/bin/$tool"; chmod +x "$name/bin/$tool"
            done
            cp '{}' "$name/share/gate/"; tar -czf "v0.1.0/$name.tar.gz" "$name"
            sha256sum "v0.1.0/$name.tar.gz" | cut -d' ' -f1"#,
            ci.display()
        ))
        .trim()
        .to_owned()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.room.path().join(name)
    }

    /// `text` with the commits in place of their names.
    pub fn filled(&self, text: &str) -> String {
        text.replace("$MAIN", &self.main).replace("$CHANGE", &self.change).replace("$MERGE", &self.merge)
    }

    /// A report with one finding.
    pub fn report(&self) -> PathBuf {
        self.path("report.sarif")
    }

    /// The address of the repository.
    pub fn address(&self) -> String {
        format!("file://{}", self.path("pay.git").display())
    }

    /// The inputs that every recipe has, with `more`.
    pub fn inputs<'a>(&'a self, releases: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let own = [("version", "0.1.0"), ("sha256", &*self.digest), ("releases", releases), ("image", "any")];
        own.into_iter().chain(more.iter().copied()).collect()
    }

    pub fn releases(&self) -> String {
        format!("file://{}", self.room.path().display())
    }

    /// A clone as a developer has it.
    pub fn clone_whole(&self) -> PathBuf {
        self.script(&format!("git clone -q '{}' laptop", self.address()));
        self.path("laptop")
    }

    /// Runs `script` in `dir` as bash does in a pipeline, with nothing of this machine but PATH, and `variables`.
    pub fn shell(&self, dir: &Path, script: &str, variables: &[(String, String)]) -> Played {
        let output = self
            .command("bash", dir)
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        let summary = std::fs::read_to_string(self.path("summary.md")).unwrap_or_default();
        Played { status: status(output.status), stdout, stderr, summary, dir: dir.to_owned() }
    }

    fn script(&self, script: &str) -> String {
        let variables =
            [("POLICY", POLICY), ("WEAKER", WEAKER)].map(|(name, text)| (name.to_owned(), text.to_owned()));
        let played = self.shell(self.room.path(), script, &variables);
        assert_eq!(played.status, 0, "{script}\n{}", played.told());
        played.stdout
    }

    fn command(&self, program: &str, dir: &Path) -> Command {
        let tools = std::env::current_exe().unwrap().parent().and_then(Path::parent).unwrap().to_owned();
        let inherited = std::env::var_os("PATH").unwrap();
        let path =
            std::env::join_paths(std::iter::once(tools).chain(std::env::split_paths(&inherited))).unwrap();
        let mut command = Command::new(program);
        command
            .current_dir(dir)
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.room.path())
            .stdin(Stdio::null());
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "Dev")
                .env(format!("GIT_{role}_EMAIL"), "dev@example.com");
        }
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GATE_LEDGER", self.path("ledger.db"));
        command
    }

    /// The decisions in the ledger.
    pub fn decisions(&self) -> Vec<Value> {
        let log = self.command("gate-log", &self.path("seed")).args(["--kind", "decision"]).output().unwrap();
        assert!(log.status.success(), "{}", String::from_utf8_lossy(&log.stderr));
        let lines = String::from_utf8(log.stdout).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The one decision in the ledger.
    pub fn only_decision(&self) -> Value {
        let mut decisions = self.decisions();
        assert_eq!(decisions.len(), 1, "{decisions:?}");
        decisions.remove(0)
    }
}
