//! Running the examples of a page: each page in a sandbox of its own, its blocks in order.
//!
//! A block whose first line is `# NAME.toml` is written to that file. In every other block
//!
//! - `$ ` begins a command and `> ` continues it;
//! - `# exit N` below it says how it ends; without that line it ends with 0;
//! - other lines are what the command writes, to both streams; `...` stands for anything. A command without
//!   such lines may write what it likes.
//!
//! Blocks without a command are not run.

use std::path::Path;
use std::process::Command;

use crate::page::Page;

/// A command with what the page says of it.
#[derive(Debug, Default)]
struct Step {
    command: String,
    exit: i32,
    output: Option<String>,
}

/// Runs the examples of `page` up to the first that does not do what the page says; returns how many commands ran.
pub(crate) fn run(page: &Page) -> Result<usize, String> {
    let sandbox = Sandbox::new();
    let mut ran = 0;
    for block in page.blocks(Some("EXAMPLES")) {
        if let Some(name) = file_name(&block) {
            std::fs::write(sandbox.path().join(name), &block).unwrap();
            continue;
        }
        for step in steps(&block) {
            sandbox.check(&step).map_err(|fault| format!("{}: $ {}\n{fault}", page.name, step.command))?;
            ran += 1;
        }
    }
    Ok(ran)
}

fn file_name(block: &str) -> Option<&str> {
    block
        .lines()
        .next()?
        .strip_prefix("# ")
        .filter(|name| Path::new(name).extension().is_some_and(|end| end == "toml"))
}

fn steps(block: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in block.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.to_owned(), ..Step::default() });
            continue;
        }
        let Some(step) = steps.last_mut() else { break };
        if let Some(more) = line.strip_prefix("> ") {
            step.command.push('\n');
            step.command.push_str(more);
        } else if let Some(exit) = line.strip_prefix("# exit ") {
            step.exit = exit.parse().unwrap();
        } else {
            let output = step.output.get_or_insert_default();
            output.push_str(line);
            output.push('\n');
        }
    }
    steps
}

/// A fresh git repository with one commit, and an environment in which the four tools are found and no CI system is.
pub(crate) struct Sandbox {
    dir: tempfile::TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let sandbox = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::create_dir(sandbox.path()).unwrap();
        let setup = "git init -q -b main . && git config user.name Alice && git config user.email alice@example.com \
                     && git remote add origin https://git.example.com/payments.git \
                     && git commit -q --allow-empty -m first";
        let (exit, output) = sandbox.shell(setup);
        assert_eq!(exit, 0, "{output}");
        sandbox
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.dir.path().join("payments")
    }

    /// Runs `command` in a shell; its exit status, and what it wrote to both streams.
    pub(crate) fn shell(&self, command: &str) -> (i32, String) {
        let path = format!("{}:{}", tools().display(), std::env::var("PATH").unwrap_or_default());
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec 2>&1\n{command}")]).current_dir(self.path()).env_clear();
        shell.env("PATH", path).env("HOME", self.dir.path()).env("LANG", "C.UTF-8").env("TZ", "UTC");
        shell.env("GIT_CONFIG_NOSYSTEM", "1").stdin(std::process::Stdio::null());
        let output = shell.output().unwrap();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn check(&self, step: &Step) -> Result<(), String> {
        let (exit, output) = self.shell(&step.command);
        if exit != step.exit {
            return Err(format!("exit status {exit}, and the page says {}\n{output}", step.exit));
        }
        match &step.output {
            Some(expected) if !fits(expected, &output) => {
                Err(format!("the page says:\n{expected}it says:\n{output}"))
            }
            _ => Ok(()),
        }
    }
}

/// Whether `output` is `expected`, in which `...` stands for anything.
fn fits(expected: &str, output: &str) -> bool {
    let pieces: Vec<&str> = expected.split("...").map(|piece| piece.trim_matches('\n')).collect();
    let [first, middle @ ..] = pieces.as_slice() else { return false };
    let Some(mut rest) = output.trim_matches('\n').strip_prefix(first) else { return false };
    let Some((last, middle)) = middle.split_last() else { return rest.is_empty() };
    for piece in middle {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

/// Where cargo puts the tools: beside this test's own folder.
pub(crate) fn tools() -> std::path::PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap();
    assert!(folder.join("gate-check").is_file(), "build the tools first: cargo build --workspace --bins");
    folder.to_owned()
}
