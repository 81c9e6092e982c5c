//! The frame of the four tools: arguments come in, an exit code goes out, and what is alike on the way stands here.
//!
//! A tool stops where something fails, with a [`Stop`]: how it ends, the problem, and the remedy on the lines after it.
//! Errors of the libraries become one by `?`; what fails in the tool itself says it on the spot.

use std::ffi::OsString;

use gate_model::exit::{Ends, Exit, Faults};
use gate_model::time::Timestamp;
use serde::Serialize;

use crate::clap_errors;
use crate::clock::Clock;
use crate::env::Env;
use crate::io::Io;
use crate::message::{self, Failure, Place};
use crate::options::{Format, OutputOptions};
use crate::render::{self, View};
use crate::terminal;

/// Why a tool stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    exit: Exit,
    text: String,
    faults: Option<Faults>,
}

impl Stop {
    /// Stops with `exit`, since `text`: the problem, and on the lines after it the remedy.
    pub fn new(exit: Exit, text: impl std::fmt::Display) -> Self {
        Self { exit, text: text.to_string(), faults: None }
    }

    /// Stops since what was given is no use: nothing was decided.
    pub fn usage(text: impl std::fmt::Display) -> Self {
        Self::new(Exit::Usage, text)
    }

    /// Stops since the arguments of `tool` do not fit together.
    pub fn arguments(tool: &str, text: impl std::fmt::Display) -> Self {
        Self::usage(format_args!("{text}\n'{tool} --help' shows the usage"))
    }

    /// How the tool ends.
    pub const fn exit(&self) -> Exit {
        self.exit
    }
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl<E: Ends> From<E> for Stop {
    fn from(error: E) -> Self {
        Self { exit: error.exit(), text: error.to_string(), faults: error.faults() }
    }
}

/// The arguments of a tool, with what the environment adds to them; `offered` are the formats that it writes.
///
/// # Errors
/// The exit with which the tool ends, once everything was shown.
pub fn arguments<T: clap::FromArgMatches>(
    (tool, command): (&'static str, clap::Command),
    args: &[OsString],
    (io, env): (&mut Io<'_>, &Env),
    output: impl FnOnce(&mut T) -> (&mut OutputOptions, &'static [Format]),
) -> Result<T, Exit> {
    let mut parsed: T = clap_errors::parse_with(tool, command, args, io)?;
    let (options, offered) = output(&mut parsed);
    match options.settle(env, offered) {
        Ok(()) => Ok(parsed),
        Err(problem) => Err(io.fail(&Failure::from_error(tool, Exit::Usage, &problem))),
    }
}

/// What every tool has at hand while it works.
#[derive(Clone, Copy)]
pub struct Session<'a> {
    /// The tool's name.
    pub tool: &'static str,
    /// The environment.
    pub env: &'a Env,
    /// The clock.
    pub clock: Clock<'a>,
    /// How the output is wanted.
    pub output: &'a OutputOptions,
}

impl Session<'_> {
    /// The clock's instant.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The format to write.
    pub fn format(&self, io: &Io<'_>) -> Format {
        self.output.format(io.stdout_terminal)
    }

    /// Whether what goes to a stream, which may be a terminal, is coloured.
    pub fn colour(&self, terminal: bool) -> bool {
        terminal::colour(self.output.color, self.env, terminal)
    }

    /// How somebody looks at the output.
    pub fn view(&self, io: &Io<'_>) -> View {
        View {
            width: terminal::width().filter(|_| io.stdout_terminal),
            colour: self.colour(io.stdout_terminal),
            now: self.now(),
        }
    }

    /// Shows `document` where a program reads.
    pub fn document(&self, document: &impl Serialize, io: &mut Io<'_>) {
        if self.format(io) != Format::Text {
            io.show(&(render::json(document) + "\n"));
        }
    }

    /// Shows `document` where a program reads, and tells `summary` on stderr.
    pub fn report(&self, document: &impl Serialize, summary: &str, io: &mut Io<'_>) {
        self.document(document, io);
        self.summary(io, summary);
    }

    /// Tells `text` on stderr, unless that is not wanted.
    pub fn summary(&self, io: &mut Io<'_>, text: &str) {
        if !self.output.quiet {
            io.tell(&message::line(self.tool, text));
        }
    }

    /// Warns of `text`, whose lines after the first are the remedy.
    pub fn warn(&self, io: &mut Io<'_>, text: &str) {
        io.tell(&Failure::from_error(self.tool, Exit::Proceed, text).as_warning().render());
    }

    /// Tells each fault of a text, with its place and its remedy.
    pub fn faults(&self, io: &mut Io<'_>, faults: &Faults) {
        let colour = self.colour(io.stderr_terminal);
        for (span, problem, help) in &faults.places {
            let place = Place { name: &faults.name, source: &faults.text, span: span.clone() };
            io.tell(&message::diagnostic(self.tool, &place, problem, help.as_deref(), colour));
        }
    }

    /// Tells why the tool stops, and says how it ends.
    pub fn stop(&self, io: &mut Io<'_>, stop: &Stop) -> Exit {
        match &stop.faults {
            Some(faults) => {
                self.faults(io, faults);
                stop.exit
            }
            None => io.fail(&Failure::from_error(self.tool, stop.exit, &stop.text)),
        }
    }
}
