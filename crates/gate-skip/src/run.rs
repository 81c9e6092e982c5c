//! From arguments to an exit code.

use std::path::Path;

use gate_cli::clock::Clock;
use gate_cli::options::{Format, OutputOptions, offer};
use gate_cli::render;
use gate_cli::session::{self, Session, Stop};
use gate_cli::{Env, Failure, Io};
use gate_ledger::store::{Access, Ledger};
use gate_model::exit::{Ends, Exit};
use gate_model::grant::{Grant, Status};
use gate_workflow::sealing;
use gate_workflow::signing::Signer;
use gate_workflow::workspace::{Place, Workspace};

use crate::acting::{self, Deed, Words};
use crate::args::{Args, SigningArgs, Verb};
use crate::asking::{self, Asked};
use crate::endorsing;
use crate::habits;
use crate::import::{self, Imported};
use crate::reason::Pen;
use crate::renewing;
use crate::submitting;

/// The tool's name.
pub(crate) const TOOL: &str = "gate-skip";

/// The workspace with what belongs to the process.
pub(crate) struct Skip<'a> {
    /// Policy, ledger, facts.
    pub workspace: &'a Workspace<'a>,
    /// The working directory.
    pub cwd: &'a Path,
    /// What a reason is written with.
    pub pen: Pen,
}

impl Skip<'_> {
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
    pub(crate) fn at_hand(&self) -> Result<Option<Ledger>, Stop> {
        let has_remote = self.workspace.loaded.policy.ledger.remote.is_some();
        match self.workspace.open(Access::Read) {
            Ok(ledger) => Ok(Some(ledger)),
            Err(error) if error.exit() == Exit::Usage => Ok(None),
            Err(error) if has_remote && error.exit() == Exit::Failure => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn perform(&self, args: &Args, io: &mut Io<'_>) -> Result<Asked, Stop> {
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
    let args = match session::arguments::<Args>((TOOL, command), args, (io, env), output) {
        Ok(args) => args,
        Err(exit) => return exit,
    };
    let session = Session { tool: TOOL, env, clock, output: &args.shared.output };
    match perform(session, &args, io).and_then(|asked| shown(session, &args, asked, io)) {
        Ok(exit) => exit,
        Err(stop) => session.stop(io, &stop),
    }
}

/// The options of the output, and the formats that there are.
fn output(args: &mut Args) -> (&mut OutputOptions, &'static [Format]) {
    (&mut args.shared.output, &Format::WITHOUT_FINDINGS)
}

/// Shows what came of it.
fn shown(session: Session<'_>, args: &Args, asked: Asked, io: &mut Io<'_>) -> Result<Exit, Stop> {
    match asked {
        Asked::Answer(grant) => return Ok(answer(session, args, &grant, io)),
        Asked::Imported(Imported::Answers(grants)) => {
            let each = grants.iter().map(|grant| answer(session, args, grant, io));
            // One that waits is what the caller has to know of.
            let all: Vec<Exit> = each.collect();
            return Ok(all.into_iter().find(|exit| *exit != Exit::Proceed).unwrap_or(Exit::Proceed));
        }
        Asked::Detached(request) => detached(io, sealing::pack("request", &request))?,
        Asked::Stated(statement) => detached(io, sealing::pack("statement", &statement))?,
        Asked::Imported(Imported::Plan(rows)) => plan(session, &rows, io),
        Asked::Trailer(line) => {
            io.show(&(line + "\n"));
        }
        Asked::Endorsed(endorsement) => {
            io.show(&(render::json(&endorsement) + "\n"));
        }
    }
    Ok(Exit::Proceed)
}

fn perform(session: Session<'_>, args: &Args, io: &mut Io<'_>) -> Result<Asked, Stop> {
    let env = session.env;
    let lookup = |name: &str| env.get(name);
    let place = Place {
        cwd: &env.cwd,
        env: &lookup,
        clock: session.clock,
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
    // Somebody may write a reason now, or a document comes through a pipe.
    workspace.let_go();
    let skip = Skip { workspace: &workspace, cwd: &env.cwd, pen: Pen::of(env, io) };
    if args.verbose {
        for origin in workspace.origins()? {
            io.tell(&gate_cli::message::line(TOOL, &origin));
        }
    }
    let asked = skip.perform(args, io);
    let behind = workspace.clock_ahead().map(render::summary::clock_behind);
    for told in render::summary::judged_again(workspace.lost()).into_iter().chain(behind) {
        session.summary(io, &told);
    }
    for note in workspace.notes() {
        session.warn(io, note);
    }
    asked
}

fn detached(io: &mut Io<'_>, packed: serde_json::Result<serde_json::Value>) -> Result<(), Stop> {
    let packed = packed.map_err(|error| Stop::new(Exit::Failure, error))?;
    io.show(&(render::json(&packed) + "\n"));
    Ok(())
}

fn plan(session: Session<'_>, rows: &[import::Row], io: &mut Io<'_>) {
    let text = match session.format(io) {
        format @ (Format::Text | Format::Markdown | Format::Html) => {
            render::page(&import::sheet(rows), format, &session.view(io))
        }
        _ => rows.iter().map(|row| render::json(row) + "\n").collect(),
    };
    io.show(&text);
}

fn answer(session: Session<'_>, args: &Args, grant: &Grant, io: &mut Io<'_>) -> Exit {
    io.show(&render::grant(grant, session.format(io), &session.view(io)));
    if !session.output.quiet {
        io.tell(&render::summary::grant(TOOL, grant, session.now()));
    }
    if args.is_rehearsal() {
        session.summary(io, "this was a rehearsal: nothing was asked for or recorded");
    }
    match grant.status {
        Status::Granted | Status::Revoked | Status::Reviewed | Status::Nothing => Exit::Proceed,
        Status::Pending => Exit::Pending,
        Status::Denied => Exit::Negative,
    }
}
