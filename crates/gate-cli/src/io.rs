//! The standard streams as `run` receives them.
//!
//! stdout carries data, stderr carries what people are told. A write to stdout that fails is remembered by
//! [`crate::main`] and becomes exit 5 with a message there, so a tool that sees an error from
//! [`Io::stdout`] only has to stop. A reader that went away (`gate-log | head`) is no failure: writes then
//! go nowhere without an error, and a flush says [`std::io::ErrorKind::BrokenPipe`], which ends `--follow`.

use std::io::{ErrorKind, Read, Write};

use crate::message::Failure;
use gate_model::exit::Exit;

/// What a tool reads from and writes to.
pub struct Io<'a> {
    /// Standard input.
    pub stdin: &'a mut dyn Read,
    /// Standard output: data only.
    pub stdout: &'a mut dyn Write,
    /// Standard error: diagnostics and the summary.
    pub stderr: &'a mut dyn Write,
    /// Whether standard input is a terminal.
    pub stdin_terminal: bool,
    /// Whether standard output is a terminal.
    pub stdout_terminal: bool,
    /// Whether standard error is a terminal.
    pub stderr_terminal: bool,
}

/// Whether anybody still reads what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// The text went out.
    Present,
    /// The pipe's other end is closed, or stdout failed; writing more is useless.
    Gone,
}

impl Io<'_> {
    /// Writes `text` to stdout as it is. Failures surface at the end of the process, see the module's text.
    pub fn show(&mut self, text: &str) -> Reader {
        match self.stdout.write_all(text.as_bytes()) {
            Ok(()) => Reader::Present,
            Err(_) => Reader::Gone,
        }
    }

    /// Hands what was written to stdout to its reader now, as `--follow` does after each batch.
    pub fn deliver(&mut self) -> Reader {
        match self.stdout.flush() {
            Ok(()) => Reader::Present,
            Err(_) => Reader::Gone,
        }
    }

    /// Writes `text` to stderr in one piece, after whatever is still on its way to stdout: both may lead to
    /// one place.
    ///
    /// Where stderr itself is closed nobody can be told anything, and the exit code still says it all.
    pub fn tell(&mut self, text: &str) {
        self.deliver();
        match self.stderr.write_all(text.as_bytes()).and_then(|()| self.stderr.flush()) {
            Ok(()) | Err(_) => {}
        }
    }

    /// Tells of `failure` and returns its exit, so that a caller can end with `return io.fail(&failure)`.
    pub fn fail(&mut self, failure: &Failure) -> Exit {
        self.tell(&failure.render());
        failure.exit
    }
}

/// Whether `error` only says that the reader went away.
pub fn is_reader_gone(error: &std::io::Error) -> bool {
    error.kind() == ErrorKind::BrokenPipe
}

/// Streams of a test or of a caller without a terminal: input from bytes, output into two buffers.
#[derive(Debug, Default)]
pub struct Buffers {
    /// What stdin holds.
    pub stdin: std::io::Cursor<Vec<u8>>,
    /// What was written to stdout.
    pub stdout: Vec<u8>,
    /// What was written to stderr.
    pub stderr: Vec<u8>,
}

impl Buffers {
    /// Buffers whose stdin holds `input`.
    pub fn with_input(input: impl Into<Vec<u8>>) -> Self {
        Self { stdin: std::io::Cursor::new(input.into()), ..Self::default() }
    }

    /// The buffers as [`Io`], none of them a terminal.
    pub fn io(&mut self) -> Io<'_> {
        Io {
            stdin: &mut self.stdin,
            stdout: &mut self.stdout,
            stderr: &mut self.stderr,
            stdin_terminal: false,
            stdout_terminal: false,
            stderr_terminal: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Buffers, Exit, Failure, Reader};

    #[test]
    fn data_and_diagnostics_do_not_mix() {
        let mut buffers = Buffers::with_input("in");
        let mut io = buffers.io();
        assert_eq!(io.show("data\n"), Reader::Present);
        let exit = io.fail(&Failure::new("gate-log", Exit::Usage, "no"));
        assert_eq!(exit, Exit::Usage);
        assert_eq!(buffers.stdout, b"data\n");
        assert_eq!(buffers.stderr, b"gate-log: no\n");
    }

    #[test]
    fn a_full_disk_behind_stdout_ends_a_stream() {
        let mut full = std::io::Cursor::new([0_u8; 2]);
        let mut buffers = Buffers::default();
        let mut io = super::Io { stdout: &mut full, ..buffers.io() };
        assert_eq!(io.show("more than two bytes"), Reader::Gone);
    }
}
