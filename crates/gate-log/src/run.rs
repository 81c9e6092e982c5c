//! From arguments to an exit code.

use clap::CommandFactory;
use std::cell::RefCell;

use gate_cli::clock::Clock;
use gate_cli::options::{Format, offer};
use gate_cli::{Env, Failure, Io, clap_errors, terminal};
use gate_judge::policy_text::TextError;
use gate_model::exit::Exit;
use gate_workflow::policy_source::PolicyError;

use crate::args::{Args, Verb};
use crate::error::LogError;
use crate::session::Session;
use crate::{
    append, archive, checkpoint, copy, due, erase, export, follow, init, list, prove, report, salvage, stats,
    sync,
};

/// The tool's name.
pub(crate) const TOOL: &str = "gate-log";

/// The tool, from its arguments (without its name) to its exit code.
pub(crate) fn run(args: &[std::ffi::OsString], io: &mut Io<'_>, env: &Env, clock: Clock<'_>) -> Exit {
    let command = offer(Args::command(), &Format::PLAIN);
    let mut args: Args = match clap_errors::parse_with(TOOL, command, args, io) {
        Ok(args) => args,
        Err(exit) => return exit,
    };
    if let Err(problem) = args.shared.output.settle(env, &Format::PLAIN) {
        return io.fail(&Failure::from_error(TOOL, Exit::Usage, &problem));
    }
    let lookup = |name: &str| env.get(name);
    let session = Session { env, lookup: &lookup, clock, shared: &args.shared, notes: RefCell::default() };
    let performed = perform(&session, &args, io);
    for note in session.notes.take() {
        io.tell(&gate_cli::message::warning(TOOL, &note));
    }
    match performed {
        Ok(()) => Exit::Proceed,
        Err(LogError::Policy(PolicyError::Text(TextError::Invalid { name, text, diagnostics }))) => {
            let colour = terminal::colour(args.shared.output.color, env, io.stderr_terminal);
            gate_cli::policy_errors::tell(io, TOOL, &name, &text, &diagnostics, colour);
            Exit::Usage
        }
        Err(LogError::Due(summary)) => {
            session.summary(io, &summary);
            Exit::Negative
        }
        Err(error) => io.fail(&Failure::from_error(TOOL, error.exit(), &error.to_string())),
    }
}

fn perform(session: &Session<'_>, args: &Args, io: &mut Io<'_>) -> Result<(), LogError> {
    if args.verb.is_some() && args.lists() {
        let text = "the options of the list stand before a verb, which takes none of them";
        return Err(LogError::Usage(text.to_owned()));
    }
    match &args.verb {
        None if args.follow => follow::follow(session, args, io),
        None if !args.from.is_empty() => list::exported(session, args, io),
        None => list::list(session, args, io),
        Some(Verb::Show { ids, reveal }) => list::show(session, ids, *reveal, io),
        Some(Verb::Init { remote }) => init::init(session, *remote, io),
        Some(Verb::Sync { from }) => sync::sync(session, from.as_deref(), io),
        Some(Verb::Remote) => sync::remote(session, io),
        Some(Verb::Append { file, gate }) => append::append(session, file.as_deref(), gate.as_deref(), io),
        Some(Verb::Export { salvage: true, .. }) => salvage::salvage(session, io),
        Some(Verb::Export { salvage: false, openings }) => export::export(session, openings.as_deref(), io),
        Some(Verb::Copy { dest }) => copy::copy(session, dest, io),
        Some(Verb::Stats { exports, span }) => stats::show(session, exports, span, io),
        Some(Verb::Due { within, unneeded_after }) => due::show(session, *within, *unneeded_after, io),
        Some(Verb::Report(args)) => report::show(session, args, io),
        Some(Verb::Checkpoint(args)) => checkpoint::checkpoint(session, args, io),
        Some(Verb::Archive(args)) => archive::archive(session, args, io),
        Some(Verb::Erase(args)) => erase::erase(session, args, io),
        Some(Verb::Prove(args)) => prove::prove(session, args, io),
    }
}
