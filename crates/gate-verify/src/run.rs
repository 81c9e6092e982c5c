//! From arguments to an exit code.

use std::path::Path;

use clap::CommandFactory;
use gate_cli::clock::Clock;
use gate_cli::options::{Format, OutputOptions, offer};
use gate_cli::render;
use gate_cli::session::{self, Session, Stop};
use gate_cli::{Env, Io};
use gate_model::exit::Exit;

use crate::args::{Args, Verb};
use crate::ledger;
use crate::policy;
use crate::proof;

/// The tool's name.
pub(crate) const TOOL: &str = "gate-verify";

/// The tool, from its arguments (without its name) to its exit code.
pub(crate) fn run(args: &[std::ffi::OsString], io: &mut Io<'_>, env: &Env, clock: Clock<'_>) -> Exit {
    let command = offer(Args::command(), &Format::WITHOUT_FINDINGS);
    let args = match session::arguments::<Args>((TOOL, command), args, (io, env), output) {
        Ok(args) => args,
        Err(exit) => return exit,
    };
    let session = Session { tool: TOOL, env, clock, output: &args.output };
    match (Verify { session, args: &args }).perform(io) {
        Ok(exit) => exit,
        Err(stop) => session.stop(io, &stop),
    }
}

/// The options of the output, and the formats that there are.
fn output(args: &mut Args) -> (&mut OutputOptions, &'static [Format]) {
    (&mut args.output, &Format::WITHOUT_FINDINGS)
}

/// The arguments with everything they act on.
struct Verify<'a> {
    session: Session<'a>,
    args: &'a Args,
}

impl Verify<'_> {
    fn perform(&self, io: &mut Io<'_>) -> Result<Exit, Stop> {
        if self.args.verb.is_some() && self.args.verifies() {
            let text = "a verb takes none of the options of a verification";
            return Err(Stop::arguments(TOOL, text));
        }
        match &self.args.verb {
            None => self.ledger(io),
            Some(Verb::Policy { file }) => self.policy(file.as_deref(), io),
            Some(Verb::Proof { file }) => self.proof(file, io),
        }
    }

    fn ledger(&self, io: &mut Io<'_>) -> Result<Exit, Stop> {
        let Self { session, args } = self;
        let found = ledger::verify(args, io, session.env, session.clock)?;
        io.show(&render::verification(&found, session.format(io), &session.view(io)));
        if !session.output.quiet || !found.ok {
            io.tell(&render::summary::verification(TOOL, &found));
        }
        Ok(if found.ok { Exit::Proceed } else { Exit::Negative })
    }

    fn policy(&self, file: Option<&Path>, io: &mut Io<'_>) -> Result<Exit, Stop> {
        let Self { session, args } = self;
        let named = args.place.policy(session.env);
        let report = policy::check(session, file.or(named.as_deref()), io)?;
        io.show(&report.render(session.format(io), &session.view(io)));
        session.summary(io, &report.summary());
        Ok(report.exit())
    }

    fn proof(&self, file: &Path, io: &mut Io<'_>) -> Result<Exit, Stop> {
        let Self { session, args } = self;
        let report = proof::check(file, &args.key, args.quorum.as_deref(), io, session.env)?;
        io.show(&report.render(session.format(io), &session.view(io)));
        session.summary(io, &report.summary());
        Ok(report.exit())
    }
}
