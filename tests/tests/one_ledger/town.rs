//! A repository with its ledger at a remote, and runners that each have their own working copy.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::servers::Sshd;
use crate::support::{House, Ran, bin};

/// The gates, behind `[ledger]`.
const GATES: &str = r#"
[gates.lint]
[[gates.lint.allow]]
actions = ["skip", "override", "pause"]
who = ["*"]
max_ttl = "24h"

[gates.deploy]
require_ledger = true
[[gates.deploy.allow]]
actions = ["pause", "override"]
who = ["*"]
max_ttl = "2h"
"#;

/// The tools as they were installed, the checkout, and who keeps the ledger.
pub(crate) struct Town {
    pub(crate) house: House,
    /// Where the tools are.
    tools: PathBuf,
    address: String,
    /// What `[ledger]` says of publishing.
    publish: &'static str,
    /// How ssh reaches the host, where it does.
    server: Option<(Sshd, String)>,
}

/// A machine: it has a working copy of its own.
pub(crate) struct Runner<'t> {
    town: &'t Town,
    cache: PathBuf,
}

impl Town {
    /// Over a bare repository; every decision is sent at once.
    pub(crate) fn git() -> Self {
        Self::over_git("publish = \"each\"\n")
    }

    /// Over a bare repository; decisions that use no opt-out wait.
    pub(crate) fn batch() -> Self {
        Self::over_git("")
    }

    fn over_git(publish: &'static str) -> Self {
        let house = House::without_ledger("version = 1\n");
        let host = house.outside("host.git");
        house.git(&["init", "-q", "--bare", host.to_str().unwrap()]);
        let address = format!("git:{}#gate-ledger", host.display());
        Self::found(house, bin("gate-check").parent().unwrap().to_owned(), address, publish)
    }

    /// Over the helper in shell whose text is `script`; it is given the folder of its lines as `$1`.
    pub(crate) fn shell(script: &str) -> Self {
        let house = House::without_ledger("version = 1\n");
        let tools = install(&house.outside("usr"), script);
        let address = format!("shell:{}", house.outside("lines").display());
        Self::found(house, tools, address, "")
    }

    fn found(house: House, tools: PathBuf, address: String, publish: &'static str) -> Self {
        Self { house, tools, address, publish, server: None }.founded()
    }

    /// Over sshd on loopback; none where that cannot be had.
    pub(crate) fn ssh() -> Option<Self> {
        let house = House::without_ledger("version = 1\n");
        let (tools, folder) = (bin("gate-check").parent().unwrap().to_owned(), house.outside("sshd"));
        std::fs::create_dir_all(&folder).unwrap();
        let serve = format!("{}/gate-remote-ssh --serve {}/ledger.db", tools.display(), folder.display());
        let server = Sshd::start(&folder, &format!("restrict,command=\"{serve}\""), "/usr/bin:/bin")?;
        let command = server.command();
        let (address, server) = ("ssh://127.0.0.1/any/path".to_owned(), Some((server, command)));
        Some(Self { house, tools, address, publish: "", server }.founded())
    }

    fn founded(self) -> Self {
        let town = self;
        town.house.write("gate.toml", town.policy(""));
        let made = town.runner("founder").log(&["init", "--remote"]).exits(0).json();
        let pin = format!("genesis = \"{}\"\n", made["genesis"].as_str().unwrap());
        town.house.write("gate.toml", town.policy(&pin));
        town.house.commit("the ledger is pinned");
        town
    }

    /// The policy with further lines under `[ledger]`.
    pub(crate) fn policy(&self, ledger: &str) -> String {
        format!("version = 1\n[ledger]\nremote = \"{}\"\n{}{ledger}{GATES}", self.address, self.publish)
    }

    /// A machine.
    pub(crate) fn runner(&self, name: &str) -> Runner<'_> {
        Runner { town: self, cache: self.house.outside(&format!("cache-{name}")) }
    }

    /// The bare repository.
    pub(crate) fn host(&self) -> PathBuf {
        self.house.outside("host.git")
    }

    /// What git says in the bare repository.
    pub(crate) fn at_host(&self, args: &[&str]) -> String {
        let host = self.host();
        let all: Vec<&str> = ["-C", host.to_str().unwrap()].into_iter().chain(args.iter().copied()).collect();
        self.house.git(&all)
    }

    /// Has the host decline every push.
    pub(crate) fn close(&self) {
        let hook = self.host().join("hooks/pre-receive");
        std::fs::write(&hook, "#!/bin/sh\necho 'forks may not write' >&2\nexit 1\n").unwrap();
        make_executable(&hook);
    }

    /// Every entry, as the remote has it.
    pub(crate) fn entries(&self) -> Vec<Value> {
        let exported = self.runner("auditor").log(&["export"]).exits(0);
        exported.out().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// How many entries the remote has of `kind`.
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.entries().iter().filter(|entry| entry["kind"] == kind).count()
    }
}

impl Runner<'_> {
    pub(crate) fn command(&self, tool: &str, args: &[&str]) -> Command {
        let mut command = self.town.house.plain(self.town.tools.join(tool));
        command.args(args).env("XDG_CACHE_HOME", &self.cache);
        if let Some((_, reach)) = &self.town.server {
            command.env("GATE_SSH_COMMAND", reach);
        }
        command
    }

    pub(crate) fn check(&self, args: &[&str]) -> Ran {
        Ran::of(self.command("gate-check", args).output().unwrap())
    }

    pub(crate) fn skip(&self, args: &[&str]) -> Ran {
        Ran::of(self.command("gate-skip", args).output().unwrap())
    }

    pub(crate) fn log(&self, args: &[&str]) -> Ran {
        Ran::of(self.command("gate-log", args).output().unwrap())
    }

    /// Starts it beside others.
    pub(crate) fn start(&self, tool: &str, args: &[&str]) -> Child {
        self.command(tool, args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Gates `command` by lint; gives the exit code and the decision.
    pub(crate) fn decide(&self, command: &[&str]) -> (Ran, Value) {
        let file = self.cache.with_extension("decision");
        let head = ["lint", "--decision", file.to_str().unwrap(), "--"];
        let args: Vec<&str> = head.into_iter().chain(command.iter().copied()).collect();
        let ran = self.check(&args);
        let decision =
            std::fs::read(&file).map_or(Value::Null, |text| serde_json::from_slice(&text).unwrap());
        (ran, decision)
    }

    /// What waits to be sent from here.
    pub(crate) fn waiting(&self) -> Vec<Value> {
        let mut file = self.copy().into_os_string();
        file.push("-waiting");
        let text = std::fs::read_to_string(file).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The file of the working copy.
    pub(crate) fn copy(&self) -> PathBuf {
        let state = self.log(&["remote"]).exits(0).json();
        state["copy"].as_str().unwrap().into()
    }
}

/// Puts the tools below `prefix`, with a helper for `shell:` beside them.
fn install(prefix: &Path, script: &str) -> PathBuf {
    let (tools, helpers) = (prefix.join("bin"), prefix.join("libexec/gate"));
    std::fs::create_dir_all(&tools).unwrap();
    std::fs::create_dir_all(&helpers).unwrap();
    for tool in ["gate-check", "gate-skip", "gate-log", "gate-verify"] {
        std::fs::copy(bin(tool), tools.join(tool)).unwrap();
    }
    let helper = helpers.join("gate-remote-shell");
    std::fs::write(&helper, script).unwrap();
    make_executable(&helper);
    tools
}

fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
