//! From arguments to an exit code.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use gate_cli::clap_errors;
use gate_cli::clock::Clock;
use gate_cli::options::Format;
use gate_cli::render::{self, View};
use gate_cli::terminal;
use gate_cli::{Env, Failure, Io};
use gate_judge::judgement::{self, Outcome};
use gate_judge::policy_text::TextError;
use gate_model::decision::{Decision, ReportPart, Verdict};
use gate_model::exit::Exit;
use gate_model::payload::Mode;
use gate_model::time::Timestamp;
use gate_workflow::check::{Begun, CheckError, Checker, Finished, Started};
use gate_workflow::policy_source::PolicyError;
use gate_workflow::workspace::{Place, Workspace};

use crate::args::{Args, Task};
use crate::checkout::Ground;
use crate::child::{self, Ended};
use crate::error::RunError;
use crate::list;
use crate::outputs::{self, Files};
use crate::places::same_place;
use crate::reports::{self, Written, is_stdin};

/// The tool's name.
pub(crate) const TOOL: &str = "gate-check";

/// The tool, from its arguments (without its name) to its exit code.
pub(crate) fn run(args: &[OsString], io: &mut Io<'_>, env: &Env, clock: Clock<'_>) -> Exit {
    let mut args: Args = match clap_errors::parse(TOOL, args, io) {
        Ok(args) => args,
        Err(exit) => return exit,
    };
    let run_mode = !args.command.is_empty() && !args.plan;
    if let Err(problem) =
        args.shared.output.settle(env, if args.list { &list::FORMATS } else { &Format::ALL })
    {
        let exit = if run_mode { Exit::RunFailed } else { Exit::Usage };
        return io.fail(&Failure::from_error(TOOL, exit, &problem));
    }
    let mut warnings = Vec::new();
    let done = perform(&args, io, env, clock, &mut warnings);
    for warning in &warnings {
        io.tell(&Failure::from_error(TOOL, Exit::Proceed, warning).as_warning().render());
    }
    match done {
        Ok(Shown::Decision(decision)) => {
            tell(&args, &decision, run_mode, io, clock());
            exit_of(&decision, run_mode, args.plan)
        }
        Ok(Shown::List) => Exit::Proceed,
        Err(RunError::Policy(PolicyError::Text(TextError::Invalid { name, text, diagnostics }))) => {
            let colour = terminal::colour(args.shared.output.color, env, io.stderr_terminal);
            gate_cli::policy_errors::tell(io, TOOL, &name, &text, &diagnostics, colour);
            if run_mode { Exit::RunFailed } else { Exit::Usage }
        }
        Err(error) => {
            let error = error.unless_a_command(args.as_a_command());
            let exit = if run_mode { error.exit().in_run_mode() } else { error.exit() };
            io.fail(&Failure::from_error(TOOL, exit, &error.to_string()))
        }
    }
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

enum Shown {
    Decision(Box<Decision>),
    List,
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

fn perform(
    args: &Args,
    io: &mut Io<'_>,
    env: &Env,
    clock: Clock<'_>,
    warnings: &mut Vec<String>,
) -> Result<Shown, RunError> {
    if args.list {
        list::check_format(&args.shared.output)?;
    }
    let files = outputs::claim(args, env)?;
    let task = args
        .task()
        .map_err(|missing| RunError::Usage(format!("{missing}\n\
                 to run one: {TOOL} GATE -- COMMAND; to judge one: {TOOL} GATE FILE; to see all gates: {TOOL} --list")))?;
    // The option stands for the variable.
    let environment = args.environment.as_ref();
    let lookup =
        |name: &str| environment.filter(|_| name == "GATE_ENVIRONMENT").cloned().or_else(|| env.get(name));
    let workspace = Workspace::read(Place {
        cwd: &env.cwd,
        env: &lookup,
        clock,
        policy: args.shared.store.policy(env),
        policy_ref: args.shared.store.policy_ref(env),
        ledger: args.shared.store.ledger(env),
        connect: gate_workflow::remote::through_helper(),
    })?;
    if args.verbose {
        for origin in workspace.origins().map_err(CheckError::from)? {
            io.tell(&gate_cli::message::line(TOOL, &origin));
        }
    }
    let session = Session { args, env, workspace: &workspace, files };
    let shown = session.perform(task, io, warnings);
    warnings.extend(workspace.notes().iter().cloned());
    shown
}

/// The arguments with everything they act on.
struct Session<'a> {
    args: &'a Args,
    env: &'a Env,
    workspace: &'a Workspace<'a>,
    files: Files,
}

impl Session<'_> {
    fn perform(&self, task: Task, io: &mut Io<'_>, warnings: &mut Vec<String>) -> Result<Shown, RunError> {
        match task {
            Task::List => {
                let stale = list::show(
                    self.workspace,
                    io,
                    &self.view(io),
                    self.args.shared.output.format(io.stdout_terminal),
                )?;
                warnings.extend(stale);
                Ok(Shown::List)
            }
            Task::Plan { gate, reports, at } => {
                let decision = self.plan(&gate, &reports, at, io, warnings)?;
                self.show(&decision, io)?;
                Ok(Shown::Decision(Box::new(decision)))
            }
            Task::Judge { gate, reports } => {
                let decision = self.judge(&gate, &reports, io, warnings)?;
                self.show(&decision, io)?;
                Ok(Shown::Decision(Box::new(decision)))
            }
            Task::Run { gate, command, findings } => {
                let decision = self.run(&gate, &command, &findings, warnings)?;
                self.write_files(&decision)?;
                Ok(Shown::Decision(Box::new(decision)))
            }
        }
    }

    fn view(&self, io: &Io<'_>) -> View {
        View {
            width: terminal::width().filter(|_| io.stdout_terminal),
            colour: terminal::colour(self.args.shared.output.color, self.env, io.stdout_terminal),
            now: self.workspace.now(),
        }
    }

    fn show(&self, decision: &Decision, io: &mut Io<'_>) -> Result<(), RunError> {
        self.write_files(decision)?;
        let format = self.args.shared.output.format(io.stdout_terminal);
        // A write that fails is remembered and becomes exit 5 at the end.
        match format {
            Format::Json => match render::write_json(io.stdout, decision) {
                Ok(()) | Err(_) => io.show("\n"),
            },
            other => io.show(&outputs::rendered(decision, other, &self.view(io), self.args.omit_waived)),
        };
        Ok(())
    }

    fn write_files(&self, decision: &Decision) -> Result<(), RunError> {
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
    ) -> Result<Decision, RunError> {
        let checker = Checker::new(self.workspace, gate)?;
        let reads = !reports.is_empty();
        let ground = Ground::around(self.env);
        let finished = reads.then(|| self.read_reports(&checker, reports, &ground, io)).transpose()?;
        Ok(checker.plan(finished, ground.place().checkout, at, warnings)?)
    }

    fn judge(
        &self,
        gate: &str,
        reports: &[PathBuf],
        io: &mut Io<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Decision, RunError> {
        let checker = Checker::new(self.workspace, gate)?;
        match checker.begin(false, self.patience(), warnings)? {
            Begun::Settled(decision) => {
                if reports.iter().any(|path| is_stdin(path)) && decision.decision == Verdict::Skip {
                    drain(io)?;
                }
                Ok(*decision)
            }
            Begun::Go(started) => {
                let ground = Ground::around(self.env);
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
    ) -> Result<Finished, RunError> {
        let options = reports::options(checker, ground.place());
        Ok(finished(reports::read(named, &self.env.cwd, io.stdin, &options)?, Mode::Judge))
    }

    fn run(
        &self,
        gate: &str,
        command: &[OsString],
        findings: &[PathBuf],
        warnings: &mut Vec<String>,
    ) -> Result<Decision, RunError> {
        let checker = Checker::new(self.workspace, gate)?;
        self.expect_report(&checker, findings)?;
        let started = match checker.begin(true, self.patience(), warnings)? {
            Begun::Settled(decision) => return Ok(*decision),
            Begun::Go(started) => started,
        };
        let written = Written::before(findings, &self.env.cwd, SystemTime::now())?;
        let ended = child::run(command).map_err(RunError::Child)?;
        if !self.env.is_here() {
            return Err(RunError::Moved(self.env.cwd.display().to_string()));
        }
        let program = command.first().map(|program| program.to_string_lossy().into_owned());
        let ground = Ground::around(self.env);
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
    ) -> Result<Decision, RunError> {
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
                Err(RunError::Usage(format!("gate '{}' did not run: {why}", checker.name)))
            }
            None => Ok(decision),
        }
    }

    /// The reports that the run writes must be named by `--findings`, the gate's `report` among them where it has one.
    fn expect_report(&self, checker: &Checker<'_>, findings: &[PathBuf]) -> Result<(), RunError> {
        let Some(report) = &checker.gate.report else { return Ok(()) };
        let expected = self.workspace.loaded.dir.join(report);
        if findings.iter().any(|path| same_place(&self.env.cwd.join(path), &expected)) {
            return Ok(());
        }
        let names: Vec<String> = findings.iter().map(|path| format!("'{}'", path.display())).collect();
        let shown =
            if names.is_empty() { "was not given".to_owned() } else { format!("names {}", names.join(", ")) };
        Err(RunError::Usage(format!(
            "gate '{}' is judged by its report '{report}', and --findings {shown}\n\
             run: {TOOL} {} --findings {} -- COMMAND",
            checker.name,
            checker.name,
            gate_model::quote::shell(report),
        )))
    }
}

fn judge_written(checker: &Checker<'_>, written: &Written<'_>, ground: &Ground, ended: &Ended) -> Finished {
    if let Some(why) = ended.did_not_run.clone() {
        return did_not_run(why, ended.status);
    }
    if let Some(why) = checker.gate.did_not_run(ended.status, true) {
        return did_not_run(why, ended.status);
    }
    match written.read(&reports::options(checker, ground.place())) {
        Ok(report) => {
            match judgement::unexplained(ended.status, report.findings.len() as u64, &report.counts) {
                Some(why) => did_not_run(why, ended.status),
                None => Finished { status: Some(ended.status), ..finished(report, Mode::Findings) },
            }
        }
        Err(why) => did_not_run(why.replace('\n', "; "), ended.status),
    }
}

fn by_status(checker: &Checker<'_>, ended: &Ended) -> Finished {
    let why = ended.did_not_run.clone();
    let outcome = match why.or_else(|| checker.gate.did_not_run(ended.status, false)) {
        Some(why) => Outcome::DidNotRun(why),
        None => Outcome::Ran(ended.status),
    };
    Finished { outcome, status: Some(ended.status), ..nothing(Mode::Run) }
}

fn did_not_run(why: String, status: u8) -> Finished {
    Finished { outcome: Outcome::DidNotRun(why), status: Some(status), ..nothing(Mode::Findings) }
}

fn finished(report: gate_findings::Report, mode: Mode) -> Finished {
    let outcome = Outcome::Report { findings: report.findings, counts: report.counts };
    Finished {
        outcome,
        report: Some(report.digest),
        parts: parts(report.parts),
        notes: report.notes,
        notices: report.notices,
        ..nothing(mode)
    }
}

/// The files of a report in more than one.
fn parts(parts: Vec<gate_findings::Part>) -> Vec<ReportPart> {
    if parts.len() < 2 {
        return Vec::new();
    }
    let clean = |name: &str| gate_model::text::clean(name).into_owned();
    parts.into_iter().map(|part| ReportPart { name: clean(&part.name), digest: part.digest }).collect()
}

fn nothing(mode: Mode) -> Finished {
    Finished {
        outcome: Outcome::DidNotRun(String::new()),
        mode,
        program: None,
        status: None,
        report: None,
        parts: Vec::new(),
        notes: Vec::new(),
        notices: Vec::new(),
    }
}

/// Reads standard input to its end, so that the program before us in a pipeline is not cut off.
fn drain(io: &mut Io<'_>) -> Result<(), RunError> {
    let read = std::io::copy(io.stdin, &mut std::io::sink());
    read.map(drop).map_err(|source| RunError::Open { path: "standard input".to_owned(), source })
}
