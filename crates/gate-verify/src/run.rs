//! From arguments to an exit code.

use std::path::Path;

use clap::CommandFactory;
use gate_cli::clock::Clock;
use gate_cli::options::{Format, offer};
use gate_cli::render::{self, View};
use gate_cli::{Env, Failure, Io, clap_errors, message, terminal};
use gate_judge::policy_text::{NoFile, TextError};
use gate_ledger::verify::VerifyError;
use gate_model::exit::Exit;

use crate::anchor::CheckpointError;
use crate::args::{Args, Verb};
use crate::from::FromError;
use crate::input::InputError;
use crate::ledger;
use crate::policy;
use crate::proof::{self, ProofFailure};
use crate::trust::TrustError;

/// The tool's name.
pub(crate) const TOOL: &str = "gate-verify";

/// Why there is no result, good or bad.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyFailure {
    /// The arguments do not fit together.
    #[error("{0}\n'gate-verify --help' shows the usage")]
    Usage(String),
    /// No ledger is named anywhere.
    #[error(
        "no ledger was named, and there is no policy that names one\nname a ledger, an export of one, or - for standard input"
    )]
    NothingNamed,
    /// There is no policy, or a broken one.
    #[error(transparent)]
    Policy(#[from] TextError),
    /// The policy's ledger cannot be read by this build.
    #[error(transparent)]
    Ledger(#[from] NoFile),
    /// There is nothing to read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A key or a quorum file cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// It cannot begin where it should.
    #[error(transparent)]
    From(#[from] FromError),
    /// A checkpoint cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// It is no ledger, or cannot be read to its end.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The openings cannot be read.
    #[error(
        "cannot read the openings in '{path}': {reason}\ngive the file that gate-log export --openings wrote"
    )]
    Openings {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A proof cannot be checked.
    #[error(transparent)]
    Proof(#[from] ProofFailure),
}

impl VerifyFailure {
    fn exit(&self) -> Exit {
        match self {
            Self::Usage(_)
            | Self::Openings { .. }
            | Self::NothingNamed
            | Self::Policy(_)
            | Self::Ledger(_)
            | Self::Verify(VerifyError::Empty) => Exit::Usage,
            Self::Input(error) => error.exit(),
            Self::Trust(error) => error.exit(),
            Self::From(error) => error.exit(),
            Self::Checkpoint(error) => error.exit(),
            Self::Verify(error) => error.exit(),
            Self::Proof(error) => error.exit(),
        }
    }
}

/// The tool, from its arguments (without its name) to its exit code.
pub(crate) fn run(args: &[std::ffi::OsString], io: &mut Io<'_>, env: &Env, clock: Clock<'_>) -> Exit {
    let command = offer(Args::command(), &Format::WITHOUT_FINDINGS);
    let mut args: Args = match clap_errors::parse_with(TOOL, command, args, io) {
        Ok(args) => args,
        Err(exit) => return exit,
    };
    if let Err(problem) = args.output.settle(env, &Format::WITHOUT_FINDINGS) {
        return io.fail(&Failure::from_error(TOOL, Exit::Usage, &problem));
    }
    let session = Session { args: &args, env, clock };
    match session.perform(io) {
        Ok(exit) => exit,
        Err(VerifyFailure::Policy(TextError::Invalid { name, text, diagnostics })) => {
            gate_cli::policy_errors::tell(
                io,
                TOOL,
                &name,
                &text,
                &diagnostics,
                session.colour(io.stderr_terminal),
            );
            Exit::Usage
        }
        Err(error) => io.fail(&Failure::from_error(TOOL, error.exit(), &error.to_string())),
    }
}

/// The arguments with everything they act on.
struct Session<'a> {
    args: &'a Args,
    env: &'a Env,
    clock: Clock<'a>,
}

impl Session<'_> {
    fn perform(&self, io: &mut Io<'_>) -> Result<Exit, VerifyFailure> {
        if self.args.verb.is_some() && self.args.verifies() {
            let text = "a verb takes none of the options of a verification";
            return Err(VerifyFailure::Usage(text.to_owned()));
        }
        match &self.args.verb {
            None => self.ledger(io),
            Some(Verb::Policy { file }) => self.policy(file.as_deref(), io),
            Some(Verb::Proof { file }) => self.proof(file, io),
        }
    }

    fn ledger(&self, io: &mut Io<'_>) -> Result<Exit, VerifyFailure> {
        let found = ledger::verify(self.args, io, self.env, self.clock)?;
        let (format, view) = (self.args.output.format(io.stdout_terminal), self.view(io));
        io.show(&render::verification(&found, format, &view));
        if !self.args.output.quiet || !found.ok {
            io.tell(&render::summary::verification(TOOL, &found));
        }
        Ok(if found.ok { Exit::Proceed } else { Exit::Negative })
    }

    fn policy(&self, file: Option<&Path>, io: &mut Io<'_>) -> Result<Exit, VerifyFailure> {
        let named = self.args.place.policy(self.env);
        let path = file.or(named.as_deref());
        let colour = self.colour(io.stderr_terminal);
        let report = policy::check(&self.env.cwd, path, io, colour, (self.clock)())?;
        io.show(&report.render(self.args.output.format(io.stdout_terminal), &self.view(io)));
        self.summary(io, &report.summary());
        Ok(report.exit())
    }

    fn proof(&self, file: &Path, io: &mut Io<'_>) -> Result<Exit, VerifyFailure> {
        let report = proof::check(file, &self.args.key, self.args.quorum.as_deref(), io, self.env)?;
        io.show(&report.render(self.args.output.format(io.stdout_terminal), &self.view(io)));
        self.summary(io, &report.summary());
        Ok(report.exit())
    }

    fn summary(&self, io: &mut Io<'_>, text: &str) {
        if !self.args.output.quiet {
            io.tell(&message::line(TOOL, text));
        }
    }

    fn colour(&self, terminal: bool) -> bool {
        terminal::colour(self.args.output.color, self.env, terminal)
    }

    fn view(&self, io: &Io<'_>) -> View {
        View {
            width: terminal::width().filter(|_| io.stdout_terminal),
            colour: self.colour(io.stdout_terminal),
            now: (self.clock)(),
        }
    }
}
