//! From arguments to an exit code.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::CommandFactory;
use gate_cli::clock::Clock;
use gate_cli::options::{Format, OutputOptions};
use gate_cli::render::{self, View};
use gate_cli::session::{self, Session, Stop};
use gate_cli::{Env, Io};
use gate_judge::judgement::Outcome;
use gate_model::decision::{Decision, Verdict};
use gate_model::exit::Exit;
use gate_model::payload::Mode;
use gate_model::time::Timestamp;
use gate_workflow::check::{Begun, Checker, Finished, Started};
use gate_workflow::workspace::{Place, Workspace};

use crate::args::{Args, Task};
use crate::checkout::Ground;
use crate::child::{self, child_error};
use crate::finished::{by_status, finished, judge_written};
use crate::list;
use crate::outputs::{self, Files};
use crate::places::same_place;
use crate::reports::{self, Written, is_stdin};

/// The tool's name.
pub(crate) const TOOL: &str = "gate-check";

/// The tool, from its arguments (without its name) to its exit code. In run mode `main` tells our malfunctions from the
/// command's status.
pub(crate) fn run(args: &[OsString], io: &mut Io<'_>, env: &Env, clock: Clock<'_>) -> Exit {
    let args = match session::arguments::<Args>((TOOL, Args::command()), args, (io, env), output) {
        Ok(args) => args,
        Err(exit) => return exit,
    };
    let session = Session { tool: TOOL, env, clock, output: &args.shared.output };
    let mut warnings = Vec::new();
    let done = perform(session, &args, io, &mut warnings);
    for warning in &warnings {
        session.warn(io, warning);
    }
    match done {
        Ok(Some(decision)) => {
            let run_mode = !args.command.is_empty() && !args.plan;
            tell(&args, &decision, run_mode, io, clock());
            exit_of(&decision, run_mode, args.plan)
        }
        Ok(None) => Exit::Proceed,
        Err(stop) => session.stop(io, &stop),
    }
}

/// The options of the output, and the formats that there are.
fn output(args: &mut Args) -> (&mut OutputOptions, &'static [Format]) {
    let offered: &[Format] = if args.list { &list::FORMATS } else { &Format::ALL };
    (&mut args.shared.output, offered)
}

/// What goes to stderr once everything else is written: the summary, and in run mode, where stdout is the command's, what
/// blocks. Annotations stand there, too: GitHub and Azure read both.
fn tell(args: &Args, decision: &Decision, run_mode: bool, io: &mut Io<'_>, now: Timestamp) {
    let output = &args.shared.output;
    let annotations =
        output.asked().filter(|format| run_mode && matches!(format, Format::Github | Format::Azure));
    if let Some(format) = annotations {
        io.tell(&render::decision(decision, format, &View { width: None, colour: false, now }));
    }
    // It explains an empty output, so it is said even to who wants no summary.
    if output.asks_for(Format::Openvex) && !render::has_statements(decision) {
        io.tell(&format!(
            "{TOOL}: {}: no finding names a package or a vulnerability, so there is no OpenVEX document\n",
            decision.gate
        ));
    }
    if output.quiet {
        return;
    }
    io.tell(&render::summary::decision(TOOL, decision, now));
    if run_mode {
        io.tell(&render::what_blocks(decision, args.decision.as_deref(), annotations.is_some()));
    }
}

/// The exit code of a decision.
fn exit_of(decision: &Decision, run_mode: bool, plan: bool) -> Exit {
    match decision.decision {
        // A plan that was made is a success, whatever it foresees; only a pause shows.
        Verdict::Fail if plan || decision.only_observed().is_some() => Exit::Proceed,
        Verdict::Pass | Verdict::Skip | Verdict::Override | Verdict::Run => Exit::Proceed,
        Verdict::Hold => Exit::Held,
        // The command's own status passes through. One that succeeded although its gate blocks (findings,
        // or no usable report) must not look like success.
        Verdict::Fail => match decision.status {
            Some(status) if run_mode && status != 0 => Exit::Command(status),
            _ => Exit::Negative,
        },
    }
}

/// Does what the arguments ask for; the decision, where one was made.
fn perform(
    session: Session<'_>,
    args: &Args,
    io: &mut Io<'_>,
    warnings: &mut Vec<String>,
) -> Result<Option<Box<Decision>>, Stop> {
    let env = session.env;
    if args.list {
        list::check_format(&args.shared.output)?;
    }
    let files = outputs::claim(args, env)?;
    let task = args
        .task()
        .map_err(|missing| Stop::usage(format!("{missing}\n\
                 to run one: {TOOL} GATE -- COMMAND; to judge one: {TOOL} GATE FILE; to see all gates: {TOOL} --list")))?;
    // The option stands for the variable.
    let environment = args.environment.as_ref();
    let lookup =
        |name: &str| environment.filter(|_| name == "GATE_ENVIRONMENT").cloned().or_else(|| env.get(name));
    let workspace = Workspace::read(Place {
        cwd: &env.cwd,
        env: &lookup,
        clock: session.clock,
        policy: args.shared.store.policy(env),
        policy_ref: args.shared.store.policy_ref(env),
        ledger: args.shared.store.ledger(env),
        connect: gate_workflow::remote::through_helper(),
    })?;
    if args.verbose {
        for origin in workspace.origins()? {
            io.tell(&gate_cli::message::line(TOOL, &origin));
        }
    }
    let decided = Check { session, args, workspace: &workspace, files }.perform(task, io, warnings);
    warnings.extend(workspace.notes().iter().cloned());
    decided
}

/// The arguments with everything they act on.
struct Check<'a> {
    session: Session<'a>,
    args: &'a Args,
    workspace: &'a Workspace<'a>,
    files: Files,
}

impl Check<'_> {
    fn perform(
        &self,
        task: Task,
        io: &mut Io<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Option<Box<Decision>>, Stop> {
        let decision = match task {
            Task::List => {
                let (view, format) = (self.session.view(io), self.session.format(io));
                warnings.extend(list::show(self.workspace, io, &view, format)?);
                return Ok(None);
            }
            Task::Run { gate, command, findings } => {
                let decision = self.run(&gate, &command, &findings, warnings)?;
                self.write_files(&decision)?;
                decision
            }
            Task::Plan { gate, reports, at } => {
                self.shown(self.plan(&gate, &reports, at, io, warnings)?, io)?
            }
            Task::Judge { gate, reports } => self.shown(self.judge(&gate, &reports, io, warnings)?, io)?,
        };
        Ok(Some(Box::new(decision)))
    }

    /// Writes the decision to its files and to stdout.
    fn shown(&self, decision: Decision, io: &mut Io<'_>) -> Result<Decision, Stop> {
        self.write_files(&decision)?;
        // A write that fails is remembered and becomes exit 5 at the end.
        match self.session.format(io) {
            Format::Json => match render::write_json(io.stdout, &decision) {
                Ok(()) | Err(_) => io.show("\n"),
            },
            other => {
                io.show(&outputs::rendered(&decision, other, &self.session.view(io), self.args.omit_waived))
            }
        };
        Ok(decision)
    }

    fn write_files(&self, decision: &Decision) -> Result<(), Stop> {
        Ok(self.files.write(decision, self.workspace.now())?)
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(self.args.wait.unwrap_or(0))
    }

    fn plan(
        &self,
        gate: &str,
        reports: &[PathBuf],
        at: Option<Timestamp>,
        io: &mut Io<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Decision, Stop> {
        let checker = Checker::new(self.workspace, gate)?;
        let reads = !reports.is_empty();
        let ground = Ground::around(self.session.env);
        let finished = reads.then(|| self.read_reports(&checker, reports, &ground, io)).transpose()?;
        Ok(checker.plan(finished, ground.place().checkout, at, warnings)?)
    }

    fn judge(
        &self,
        gate: &str,
        reports: &[PathBuf],
        io: &mut Io<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Decision, Stop> {
        let checker = Checker::new(self.workspace, gate)?;
        match checker.begin(false, self.patience(), warnings)? {
            Begun::Settled(decision) => {
                if reports.iter().any(|path| is_stdin(path)) && decision.decision == Verdict::Skip {
                    drain(io)?;
                }
                Ok(*decision)
            }
            Begun::Go(started) => {
                let ground = Ground::around(self.session.env);
                let finished = self.read_reports(&checker, reports, &ground, io)?;
                Ok(checker.conclude(&started, finished, ground.place().checkout, warnings)?)
            }
        }
    }

    fn read_reports(
        &self,
        checker: &Checker<'_>,
        named: &[PathBuf],
        ground: &Ground,
        io: &mut Io<'_>,
    ) -> Result<Finished, Stop> {
        self.workspace.let_go();
        let options = reports::options(checker, ground.place());
        Ok(finished(
            reports::read(named, &self.session.env.cwd, (io.stdin, self.args.as_a_command()), &options)?,
            Mode::Judge,
        ))
    }

    fn run(
        &self,
        gate: &str,
        command: &[OsString],
        findings: &[PathBuf],
        warnings: &mut Vec<String>,
    ) -> Result<Decision, Stop> {
        let checker = Checker::new(self.workspace, gate)?;
        self.expect_report(&checker, findings)?;
        let started = match checker.begin(true, self.patience(), warnings)? {
            Begun::Settled(decision) => return Ok(*decision),
            Begun::Go(started) => started,
        };
        let written = Written::before(findings, &self.session.env.cwd, SystemTime::now())?;
        let ended = child::run(command).map_err(|error| child_error(&error))?;
        if !self.session.env.is_here() {
            return Err(Stop::new(
                Exit::Distrust,
                format_args!(
                    "the working directory '{}' was moved or replaced while the command ran, so its result does not \
                     count\nlet the command work in a directory of its own",
                    self.session.env.cwd.display()
                ),
            ));
        }
        let program = command.first().map(|program| program.to_string_lossy().into_owned());
        let ground = Ground::around(self.session.env);
        let finished = if findings.is_empty() {
            by_status(&checker, &ended)
        } else {
            judge_written(&checker, &written, &ground, &ended)
        };
        let finished =
            Finished { program: program.map(|text| gate_model::text::clean(&text).into_owned()), ..finished };
        self.conclude(&checker, &started, (finished, &ground), warnings)
    }

    /// A report that is missing or invalid although the command says it did its work is our malfunction to
    /// tell, not the command's status to pass on: the run is recorded, then reported.
    fn conclude(
        &self,
        checker: &Checker<'_>,
        started: &Started,
        (finished, ground): (Finished, &Ground),
        warnings: &mut Vec<String>,
    ) -> Result<Decision, Stop> {
        let unusable = match (&finished.outcome, finished.status) {
            (Outcome::DidNotRun(why), Some(0)) => Some(why.clone()),
            (Outcome::DidNotRun(why), Some(status)) if checker.gate.findings_exit.contains(&status) => {
                (finished.mode == Mode::Findings).then(|| why.clone())
            }
            _ => None,
        };
        let decision = checker.conclude(started, finished, ground.place().checkout, warnings)?;
        match unusable.filter(|_| decision.only_observed().is_none()) {
            Some(why) => {
                self.write_files(&decision)?;
                Err(Stop::usage(format!("gate '{}' did not run: {why}", checker.name)))
            }
            None => Ok(decision),
        }
    }

    /// The reports that the run writes must be named by `--findings`, the gate's `report` among them where it has one.
    fn expect_report(&self, checker: &Checker<'_>, findings: &[PathBuf]) -> Result<(), Stop> {
        let Some(report) = &checker.gate.report else { return Ok(()) };
        let expected = self.workspace.loaded.dir.join(report);
        if findings.iter().any(|path| same_place(&self.session.env.cwd.join(path), &expected)) {
            return Ok(());
        }
        let names: Vec<String> = findings.iter().map(|path| format!("'{}'", path.display())).collect();
        let shown =
            if names.is_empty() { "was not given".to_owned() } else { format!("names {}", names.join(", ")) };
        Err(Stop::usage(format!(
            "gate '{}' is judged by its report '{report}', and --findings {shown}\n\
             run: {TOOL} {} --findings {} -- COMMAND",
            checker.name,
            checker.name,
            gate_model::quote::shell(report),
        )))
    }
}

/// Reads standard input to its end, so that the program before us in a pipeline is not cut off.
fn drain(io: &mut Io<'_>) -> Result<(), Stop> {
    let read = std::io::copy(io.stdin, &mut std::io::sink());
    read.map(drop).map_err(|source| reports::open_error(Path::new("standard input"), &source, None))
}
