//! Arguments, and what they ask for.
#![allow(
    clippy::doc_markdown,
    reason = "these comments are what --help shows, where a backtick is only noise"
)]

use std::ffi::OsString;
use std::path::PathBuf;

use gate_cli::options::Shared;
use gate_model::time::{Timestamp, parse_duration};

/// What `--help` ends with.
const EXAMPLES: &str = "\
Examples:\n\
\x20\x20gate-check lint -- cargo clippy -- -D warnings\n\
\x20\x20gate-check sast --findings scan.sarif -- bandit -q -f sarif -o scan.sarif -r src\n\
\x20\x20gate-check sast scan.sarif --format github,markdown=summary.md\n\
\x20\x20gate-check lint --plan\n\
\x20\x20gate-check --list";

/// Run a gate of a pipeline, or judge its report
///
/// A gate is a step that may stop a pipeline, declared in gate.toml. With a command, gate-check runs it and
/// passes its exit status through; with a report (SARIF, JUnit XML or JSON Lines), it judges that. Opt-outs
/// that the policy allows and the ledger holds are applied, and each decision is one entry of the ledger.
#[derive(Debug, clap::Parser)]
#[command(after_long_help = EXAMPLES)]
#[command(name = "gate-check", version, args_override_self = false)]
#[command(
    override_usage = "gate-check GATE [--findings FILE]... [--decision FILE] [--wait DURATION] -- COMMAND [ARG...]\n       \
    gate-check GATE FILE...|-\n       \
    gate-check GATE --plan [FILE...] [--at TIME]\n       \
    gate-check --list"
)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Args {
    /// The gate's name, as the policy declares it
    #[arg(value_name = "GATE", required_unless_present = "list")]
    pub gate: Option<String>,

    /// The reports to judge together: files, folders, patterns; - reads standard input
    #[arg(value_name = "FILE")]
    pub report: Vec<PathBuf>,

    /// Judge the report that the command writes to FILE: a file, a folder or a pattern; may be repeated
    ///
    /// Each report must be of this run: a regular file that changed since before the command started. The
    /// command's status must be one of the gate's findings_exit (0 and 1 unless the policy says otherwise).
    #[arg(long, value_name = "FILE", requires = "command", conflicts_with = "report")]
    pub findings: Vec<PathBuf>,

    /// Write the decision document, as JSON, to FILE
    #[arg(long, value_name = "FILE")]
    pub decision: Option<PathBuf>,

    /// Leave waived and overridden findings out of SARIF
    ///
    /// For platforms that open an alert for a result whose suppression says that it was accepted.
    #[arg(long, conflicts_with = "list")]
    pub omit_waived: bool,

    /// Wait so long for a paused gate to be resumed, or a pending request to be approved
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub wait: Option<u64>,

    /// Say that this run deploys to the environment NAME, where the CI system has no variable for it
    ///
    /// It is asserted. Where the CI system or its token names another one, no opt-out counts.
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub environment: Option<String>,

    /// Say what would happen, and record nothing
    #[arg(long, conflicts_with_all = ["findings", "wait"])]
    pub plan: bool,

    /// Plan for another instant, such as 2026-11-22T16:30:35Z
    #[arg(long, value_name = "TIME", requires = "plan", value_parser = Timestamp::parse)]
    pub at: Option<Timestamp>,

    /// List the gates, the live opt-outs, and what ends next
    #[arg(long, conflicts_with_all = ["report", "findings", "decision", "wait", "plan", "command"])]
    pub list: bool,

    /// Say where each fact of the run (actor, repository, commit, ref, ...) comes from
    #[arg(short, long, conflicts_with = "quiet", help_heading = "Output")]
    pub verbose: bool,

    /// Options of all tools.
    #[command(flatten)]
    pub shared: Shared,

    /// The command to run
    #[arg(last = true, value_name = "COMMAND", conflicts_with = "report")]
    pub command: Vec<OsString>,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Task {
    /// Show the gates.
    List,
    /// Say what would happen.
    Plan {
        /// The gate.
        gate: String,
        /// Reports to judge.
        reports: Vec<PathBuf>,
        /// The instant.
        at: Option<Timestamp>,
    },
    /// Run a command.
    Run {
        /// The gate.
        gate: String,
        /// The command and its arguments; never empty.
        command: Vec<OsString>,
        /// What names the reports that it writes.
        findings: Vec<PathBuf>,
    },
    /// Judge reports.
    Judge {
        /// The gate.
        gate: String,
        /// What names them, never nothing; `-` is standard input.
        reports: Vec<PathBuf>,
    },
}

impl Args {
    /// The task that the arguments name; `Err` says what is missing.
    ///
    /// # Errors
    /// A sentence for the user.
    pub(crate) fn task(&self) -> Result<Task, &'static str> {
        if self.list {
            return Ok(Task::List);
        }
        let Some(gate) = self.gate.clone() else { return Err("no gate was named") };
        if self.plan {
            return Ok(Task::Plan { gate, reports: self.report.clone(), at: self.at });
        }
        if !self.report.is_empty() {
            return Ok(Task::Judge { gate, reports: self.report.clone() });
        }
        if self.command.is_empty() {
            return Err("there is neither a command to run nor a report to judge");
        }
        Ok(Task::Run { gate, command: self.command.clone(), findings: self.findings.clone() })
    }

    /// The command line that was meant, where what stands in the place of reports looks like a command: its first word
    /// is named like no file.
    pub(crate) fn as_a_command(&self) -> Option<String> {
        let words: Option<Vec<&str>> = self.report.iter().map(|word| word.to_str()).collect();
        let words = words?;
        let is_word = |word: &&&str| !word.contains(['.', '/', '*', '?', '[', '{']);
        words.first().filter(is_word)?;
        let start = ["gate-check", self.gate.as_deref()?, "--"];
        let line: Vec<String> = start.into_iter().chain(words).map(str::to_owned).collect();
        Some(gate_model::quote::command(&line))
    }
}
