//! From arguments to an exit code.

use std::path::Path;

use gate_cli::clap_errors;
use gate_cli::clock::Clock;
use gate_cli::options::{Format, offer};
use gate_cli::render::{self, View};
use gate_cli::terminal;
use gate_cli::{Env, Failure, Io};
use gate_judge::policy_text::TextError;
use gate_ledger::store::{Access, Ledger};
use gate_model::exit::Exit;
use gate_model::grant::{Grant, Status};
use gate_workflow::policy_source::PolicyError;
use gate_workflow::sealing;
use gate_workflow::signing::Signer;
use gate_workflow::workspace::{Place, Workspace};

use crate::acting::{self, Deed, Words};
use crate::args::{Args, SigningArgs, Verb};
use crate::asking::{self, Asked};
use crate::endorsing;
use crate::error::SkipError;
use crate::habits;
use crate::import::{self, Imported};
use crate::reason::Pen;
use crate::renewing;
use crate::submitting;

/// The tool's name.
pub(crate) const TOOL: &str = "gate-skip";

/// The workspace with what belongs to the process.
pub(crate) struct Session<'a> {
    /// Policy, ledger, facts.
    pub workspace: &'a Workspace<'a>,
    /// The working directory.
    pub cwd: &'a Path,
    /// What a reason is written with.
    pub pen: Pen,
}

impl Session<'_> {
    /// The signer that the arguments name.
    pub(crate) fn signer<'s>(&'s self, args: &'s SigningArgs) -> Signer<'s> {
        Signer {
            cwd: self.cwd,
            key: args.sign.as_ref().and_then(|key| key.as_deref()),
            name: args.name.as_deref(),
            trust: (&self.workspace.loaded.policy, &self.workspace.loaded.files),
            now: self.workspace.now(),
        }
    }

    /// The ledger, where there is one, for what is signed here and submitted elsewhere. One that is there and cannot be
    /// used is an error; a remote that is out of reach is not here.
    pub(crate) fn at_hand(&self) -> Result<Option<Ledger>, SkipError> {
        let has_remote = self.workspace.loaded.policy.ledger.remote.is_some();
        match self.workspace.open(Access::Read) {
            Ok(ledger) => Ok(Some(ledger)),
            Err(error) if error.exit() == Exit::Usage => Ok(None),
            Err(error) if has_remote && error.exit() == Exit::Failure => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn perform(&self, args: &Args, io: &mut Io<'_>) -> Result<Asked, SkipError> {
        match &args.verb {
            None => asking::ask(self, args, args.target.as_deref().unwrap_or_default(), io),
            Some(Verb::Approve(act)) => acting::act(self, Deed::Approve, act, None, io),
            Some(Verb::Reject(act)) => acting::act(self, Deed::Reject, act, None, io),
            Some(Verb::Revoke { act, ticket }) => acting::act(self, Deed::Revoke, act, ticket.as_deref(), io),
            Some(Verb::Review { verdict, act }) => acting::act(self, Deed::Review(*verdict), act, None, io),
            Some(Verb::Resume { gate, reason, ticket, signing }) => {
                let about = || Ok(format!("resume gate {gate}"));
                let reason = self.pen.reason(reason.as_deref(), about)?;
                let words = Words { reason: Some(reason), ticket: ticket.clone(), verdict: None };
                acting::resume(self, gate, &words, signing, io)
            }
            Some(Verb::Renew(args)) => renewing::renew(self, args),
            Some(Verb::Import(args)) => import::import(self, args, io).map(Asked::Imported),
            Some(Verb::Submit { file }) => submitting::submit(self, file, io).map(Asked::answer),
        }
    }
}

/// The tool, from its arguments (without its name) to its exit code.
pub(crate) fn run(args: &[std::ffi::OsString], io: &mut Io<'_>, env: &Env, clock: Clock<'_>) -> Exit {
    if let Some(meant) = habits::meant(args) {
        let problem = "the words stand in another order here";
        return io
            .fail(&Failure::new(TOOL, Exit::Usage, problem).with_remedy(format!("did you mean: {meant}")));
    }
    let command = offer(<Args as clap::CommandFactory>::command(), &Format::WITHOUT_FINDINGS);
    let mut args: Args = match clap_errors::parse_with(TOOL, command, args, io) {
        Ok(args) => args,
        Err(exit) => return exit,
    };
    if let Err(problem) = args.shared.output.settle(env, &Format::WITHOUT_FINDINGS) {
        return io.fail(&Failure::from_error(TOOL, Exit::Usage, &problem));
    }
    match perform(&args, io, env, clock) {
        Ok(Asked::Answer(grant)) => answer(&args, &grant, io, env, clock),
        Ok(Asked::Detached(request)) => detached(io, sealing::pack("request", &request)),
        Ok(Asked::Stated(statement)) => detached(io, sealing::pack("statement", &statement)),
        Ok(Asked::Imported(Imported::Answers(grants))) => {
            let each = grants.iter().map(|grant| answer(&args, grant, io, env, clock));
            // One that waits is what the caller has to know of.
            let all: Vec<Exit> = each.collect();
            all.into_iter().find(|exit| *exit != Exit::Proceed).unwrap_or(Exit::Proceed)
        }
        Ok(Asked::Imported(Imported::Plan(rows))) => plan(&args, &rows, io, env, clock),
        Ok(Asked::Trailer(line)) => {
            io.show(&(line + "\n"));
            Exit::Proceed
        }
        Ok(Asked::Endorsed(endorsement)) => {
            io.show(&(render::json(&endorsement) + "\n"));
            Exit::Proceed
        }
        Err(SkipError::Policy(PolicyError::Text(TextError::Invalid { name, text, diagnostics }))) => {
            let colour = terminal::colour(args.shared.output.color, env, io.stderr_terminal);
            gate_cli::policy_errors::tell(io, TOOL, &name, &text, &diagnostics, colour);
            Exit::Usage
        }
        Err(error) => io.fail(&Failure::from_error(TOOL, error.exit(), &error.to_string())),
    }
}

fn perform(args: &Args, io: &mut Io<'_>, env: &Env, clock: Clock<'_>) -> Result<Asked, SkipError> {
    let lookup = |name: &str| env.get(name);
    let place = Place {
        cwd: &env.cwd,
        env: &lookup,
        clock,
        policy: args.shared.store.policy(env),
        policy_ref: args.shared.store.policy_ref(env),
        ledger: args.shared.store.ledger(env),
        connect: gate_workflow::remote::through_helper(),
    };
    if let Some(Verb::Approve(act)) = &args.verb
        && asking::is_file(&act.id)
        && !act.signing.detached
    {
        return endorsing::endorse(act, place).map(Asked::Endorsed);
    }
    let workspace = Workspace::read(place)?;
    let session = Session { workspace: &workspace, cwd: &env.cwd, pen: Pen::of(env, io) };
    if args.verbose {
        for origin in workspace.origins()? {
            io.tell(&gate_cli::message::line(TOOL, &origin));
        }
    }
    let asked = session.perform(args, io);
    let behind = workspace.clock_ahead().map(render::summary::clock_behind);
    let told = render::summary::judged_again(workspace.lost()).into_iter().chain(behind);
    for told in told.filter(|_| !args.shared.output.quiet) {
        io.tell(&gate_cli::message::line(TOOL, &told));
    }
    for note in workspace.notes() {
        io.tell(&Failure::from_error(TOOL, Exit::Proceed, note).as_warning().render());
    }
    asked
}

fn detached(io: &mut Io<'_>, packed: serde_json::Result<serde_json::Value>) -> Exit {
    match packed {
        Ok(packed) => {
            io.show(&(render::json(&packed) + "\n"));
            Exit::Proceed
        }
        Err(error) => io.fail(&Failure::from_error(TOOL, Exit::Failure, &error.to_string())),
    }
}

fn plan(args: &Args, rows: &[import::Row], io: &mut Io<'_>, env: &Env, clock: Clock<'_>) -> Exit {
    let view = view(args, io, env, clock);
    match args.shared.output.format(io.stdout_terminal) {
        Format::Text | Format::Markdown | Format::Html => {
            io.show(&render::page(
                &import::sheet(rows),
                args.shared.output.format(io.stdout_terminal),
                &view,
            ));
        }
        _ => {
            let lines: String = rows.iter().map(|row| render::json(row) + "\n").collect();
            io.show(&lines);
        }
    }
    Exit::Proceed
}

fn view(args: &Args, io: &Io<'_>, env: &Env, clock: Clock<'_>) -> View {
    View {
        width: terminal::width().filter(|_| io.stdout_terminal),
        colour: terminal::colour(args.shared.output.color, env, io.stdout_terminal),
        now: clock(),
    }
}

fn answer(args: &Args, grant: &Grant, io: &mut Io<'_>, env: &Env, clock: Clock<'_>) -> Exit {
    let format = args.shared.output.format(io.stdout_terminal);
    let view = view(args, io, env, clock);
    io.show(&render::grant(grant, format, &view));
    if !args.shared.output.quiet {
        io.tell(&render::summary::grant(TOOL, grant, clock()));
        if args.is_rehearsal() {
            io.tell(&gate_cli::message::line(
                TOOL,
                "this was a rehearsal: nothing was asked for or recorded",
            ));
        }
    }
    match grant.status {
        Status::Granted | Status::Revoked | Status::Reviewed | Status::Nothing => Exit::Proceed,
        Status::Pending => Exit::Pending,
        Status::Denied => Exit::Negative,
    }
}
