//! From arguments to an exit code.

use clap::CommandFactory;
use std::cell::RefCell;

use gate_cli::clock::Clock;
use gate_cli::options::{Format, OutputOptions, offer};
use gate_cli::session::{self, Session, Stop};
use gate_cli::{Env, Io};
use gate_model::exit::Exit;

use crate::args::{Args, Verb};
use crate::session::Log;
use crate::{
    append, archive, checkpoint, copy, due, erase, export, follow, init, list, prove, report, salvage, stats,
    sync,
};

/// The tool's name.
pub(crate) const TOOL: &str = "gate-log";

/// The tool, from its arguments (without its name) to its exit code.
pub(crate) fn run(args: &[std::ffi::OsString], io: &mut Io<'_>, env: &Env, clock: Clock<'_>) -> Exit {
    let command = offer(Args::command(), &Format::PLAIN);
    let args = match session::arguments::<Args>((TOOL, command), args, (io, env), output) {
        Ok(args) => args,
        Err(exit) => return exit,
    };
    let (lookup, shared) = (|name: &str| env.get(name), &args.shared);
    let session = Session { tool: TOOL, env, clock, output: &shared.output };
    let log = Log { session, lookup: &lookup, shared, notes: RefCell::default() };
    let performed = perform(&log, &args, io);
    for note in log.notes.take() {
        io.tell(&gate_cli::message::warning(TOOL, &note));
    }
    match performed {
        Ok(exit) => exit,
        Err(stop) => session.stop(io, &stop),
    }
}

/// The options of the output, and the formats that there are.
fn output(args: &mut Args) -> (&mut OutputOptions, &'static [Format]) {
    (&mut args.shared.output, &Format::PLAIN)
}

fn perform(log: &Log<'_>, args: &Args, io: &mut Io<'_>) -> Result<Exit, Stop> {
    if args.verb.is_some() && args.lists() {
        let text = "the options of the list stand before a verb, which takes none of them";
        return Err(Stop::arguments(TOOL, text));
    }
    match &args.verb {
        None if args.follow => follow::follow(log, args, io),
        None if !args.from.is_empty() => list::exported(log, args, io),
        None => list::list(log, args, io),
        Some(Verb::Show { ids, reveal }) => list::show(log, ids, *reveal, io),
        Some(Verb::Init { remote }) => init::init(log, *remote, io),
        Some(Verb::Sync { from }) => sync::sync(log, from.as_deref(), io),
        Some(Verb::Remote) => sync::remote(log, io),
        Some(Verb::Append { file, gate }) => append::append(log, file.as_deref(), gate.as_deref(), io),
        Some(Verb::Export { salvage: true, .. }) => salvage::salvage(log, io),
        Some(Verb::Export { salvage: false, openings }) => export::export(log, openings.as_deref(), io),
        Some(Verb::Copy { dest }) => copy::copy(log, dest, io),
        Some(Verb::Stats { exports, span }) => stats::show(log, exports, span, io),
        Some(Verb::Due { within, unneeded_after }) => return due::show(log, *within, *unneeded_after, io),
        Some(Verb::Report(args)) => report::show(log, args, io),
        Some(Verb::Checkpoint(args)) => checkpoint::checkpoint(log, args, io),
        Some(Verb::Archive(args)) => archive::archive(log, args, io),
        Some(Verb::Erase(args)) => erase::erase(log, args, io),
        Some(Verb::Prove(args)) => prove::prove(log, args, io),
    }?;
    Ok(Exit::Proceed)
}
