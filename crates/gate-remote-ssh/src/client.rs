//! Asking the helper on the other host.

#![expect(clippy::disallowed_methods, reason = "this helper drives ssh")]

use std::io::{BufReader, Read};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use gate_ledger::archive::EntryRef;
use gate_ledger::chain::LedgerId;
use gate_ledger::commitment::Commitment;
use gate_ledger::remote::{Batch, Client, Each, Hello, Outcome, Remote, RemoteError, Why};

use crate::address::Address;

/// How much of what ssh says is kept, in bytes.
const MAX_SAID: u64 = 8 << 10;

/// A ledger behind ssh. The connection is made when something is asked for the first time.
pub(crate) struct Ssh {
    address: Address,
    /// What is run in place of `ssh`, by a shell.
    command: Option<String>,
    link: Option<Link>,
}

/// A connection.
struct Link {
    client: Client<BufReader<ChildStdout>, ChildStdin>,
    child: Child,
    said: Option<JoinHandle<String>>,
    /// Whether the other side has answered once.
    answered: bool,
}

impl Ssh {
    pub(crate) const fn new(address: Address, command: Option<String>) -> Self {
        Self { address, command, link: None }
    }

    /// Asks, and says in the words of ssh why nobody answers.
    fn ask<T>(
        &mut self,
        question: impl FnOnce(&mut dyn Remote) -> Result<T, RemoteError>,
    ) -> Result<T, RemoteError> {
        if self.link.is_none() {
            let link = connect(&self.address, self.command.as_deref())?;
            self.link = Some(link);
        }
        let Some(link) = &mut self.link else { return Err(RemoteError::Ended) };
        let answer = question(&mut link.client);
        match &answer {
            Ok(_) | Err(RemoteError::Failed(_) | RemoteError::Stopped) => link.answered = true,
            Err(_) if !link.answered => return Err(link.unreached()),
            Err(_) => {}
        }
        answer
    }
}

fn connect(address: &Address, command: Option<&str>) -> Result<Link, RemoteError> {
    let mut ssh = match command {
        // As git does with GIT_SSH_COMMAND: words of a shell, and the arguments behind them.
        Some(command) => {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("exec {command} \"$@\""), "ssh"]);
            shell
        }
        None => Command::new("ssh"),
    };
    ssh.arg("-T");
    if let Some(port) = address.port {
        ssh.args(["-p", &port.to_string()]);
    }
    let there = format!("gate-remote-ssh --serve {}", gate_model::quote::shell(&address.path));
    ssh.args(["--", &address.host, &there]);
    ssh.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = ssh.spawn().map_err(|error| {
        RemoteError::failed(Why::Failure, format!("ssh cannot be started: {error}"), "install an ssh client")
    })?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(stdin), Some(stdout), Some(mut stderr)) = (stdin, stdout, stderr) else {
        return Err(RemoteError::Ended);
    };
    let said = std::thread::spawn(move || {
        let mut said = Vec::new();
        if (&mut stderr).take(MAX_SAID).read_to_end(&mut said).is_ok() {
            let _rest = std::io::copy(&mut stderr, &mut std::io::sink());
        }
        String::from_utf8_lossy(&said).split_whitespace().collect::<Vec<_>>().join(" ")
    });
    let client = Client::new(BufReader::new(stdout), stdin);
    Ok(Link { client, child, said: Some(said), answered: false })
}

impl Link {
    /// Nobody answered: ssh says why, and it ends with 255 where it was ssh that failed.
    fn unreached(&mut self) -> RemoteError {
        let status = self.ended();
        let said = self.said.take().and_then(|said| said.join().ok()).unwrap_or_default();
        let said = if said.is_empty() { "it said nothing".to_owned() } else { said };
        if status == Some(127) {
            let problem = format!("the host has no gate-remote-ssh: {said}");
            return RemoteError::failed(
                Why::Failure,
                problem,
                "install it there, where a command of ssh finds it",
            );
        }
        if said.contains("Permission denied") || said.contains("Host key verification failed") {
            let remedy = "ssh must be able to log in there without asking anybody";
            return RemoteError::failed(Why::Denied, format!("the host does not let us in: {said}"), remedy);
        }
        let remedy = "see that ssh reaches the host from here";
        RemoteError::failed(Why::Unreachable, format!("the host cannot be reached: {said}"), remedy)
    }
}

impl Link {
    /// The status with which ssh ended; it is given a moment for that, since its streams are closed already.
    fn ended(&mut self) -> Option<i32> {
        for _ in 0..100 {
            match self.child.try_wait() {
                Ok(Some(status)) => return status.code(),
                Ok(None) => std::thread::sleep(Duration::from_millis(20)),
                Err(_) => break,
            }
        }
        drop(self.child.kill());
        None
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // The other side ends when its input does; this one must not outlive who asked.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Remote for Ssh {
    fn hello(&mut self, ledger: Option<LedgerId>) -> Result<Hello, RemoteError> {
        let mut hello = self.ask(|remote| remote.hello(ledger))?;
        hello.place = Some(format!("{} on {}", self.address.path, self.address.host));
        Ok(hello)
    }

    fn read(
        &mut self,
        after: Option<u64>,
        most: u64,
        each: Each<'_>,
    ) -> Result<Option<EntryRef>, RemoteError> {
        self.ask(|remote| remote.read(after, most, each))
    }

    fn append(&mut self, after: EntryRef, batch: &Batch) -> Result<Outcome, RemoteError> {
        self.ask(|remote| remote.append(after, batch))
    }

    fn create(&mut self, batch: &Batch) -> Result<Outcome, RemoteError> {
        self.ask(|remote| remote.create(batch))
    }

    fn forget(&mut self, before: u64, keep: &[u64]) -> Result<(), RemoteError> {
        self.ask(|remote| remote.forget(before, keep))
    }

    fn openings(&mut self, from: u64, to: u64, each: Each<'_>) -> Result<(), RemoteError> {
        self.ask(|remote| remote.openings(from, to, each))
    }

    fn erase(&mut self, commitments: &[Commitment]) -> Result<u64, RemoteError> {
        self.ask(|remote| remote.erase(commitments))
    }
}
