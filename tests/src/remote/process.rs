//! Helpers as processes.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use gate_ledger::remote::{Client, Remote};

use super::Site;

/// How a helper is started.
#[derive(Debug, Clone, Default)]
pub struct Helper {
    /// Program and arguments.
    pub command: Vec<OsString>,
    /// Variables; of the tests' own only `PATH` is passed on.
    pub variables: Vec<(OsString, OsString)>,
    /// The working directory.
    pub directory: PathBuf,
}

/// A client whose helper is ended when it is dropped.
pub type Speaking = Client<Output, ChildStdin>;

impl Helper {
    /// `program` in `directory`, with `arguments`.
    pub fn new<A: Into<OsString>>(
        program: impl Into<OsString>,
        arguments: impl IntoIterator<Item = A>,
        directory: impl Into<PathBuf>,
    ) -> Self {
        let command = [program.into()].into_iter().chain(arguments.into_iter().map(Into::into)).collect();
        Self { command, variables: Vec::new(), directory: directory.into() }
    }

    /// The same with a variable.
    #[must_use]
    pub fn with(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// The command, ready to be started.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).current_dir(&self.directory).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(self.variables.iter().cloned());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command
    }

    /// Starts it; what it says on standard error is shown.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub fn start(&self) -> Speaking {
        let mut child = self.command().spawn().expect("the helper starts");
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let output = Output { stdout: BufReader::new(stdout.expect("a pipe")), child };
        Client::new(output, stdin.expect("a pipe"))
    }
}

impl Site for Helper {
    fn connect(&self) -> Box<dyn Remote> {
        Box::new(self.start())
    }
}

/// What a helper answers.
#[derive(Debug)]
pub struct Output {
    stdout: BufReader<ChildStdout>,
    child: Child,
}

impl Read for Output {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.stdout.read(buffer)
    }
}

impl BufRead for Output {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.stdout.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.stdout.consume(amount);
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing of it is left.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
