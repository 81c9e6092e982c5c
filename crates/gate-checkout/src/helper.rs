//! Helpers of remotes: programs that speak for whoever keeps a ledger's order.
//!
//! A helper is found beside the tool itself, or in `../libexec/gate` from there, and nowhere else: a program of that
//! name on PATH, or in the checkout, could be anybody's. It gets the address as its only argument and speaks on its
//! standard input and output; its standard error is ours.
//!
//! Every wait for it is bounded. One that hangs is ended when its time is over, one that is not needed any more when
//! its input ends.
//!
//! Not here: what is said (that is the protocol `gate.remote/1` of the ledger).

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How long a helper may be silent, or not listen, before it counts as hanging.
pub const PATIENCE: Duration = Duration::from_mins(1);
/// How long a helper that was told to end may take.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A helper that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HelperError {
    /// There is none.
    #[error(
        "there is no helper '{name}' for the remote, neither beside the tool ({}) nor in libexec/gate\n\
         install it with the tools, or mend the scheme of [ledger] remote",
        beside.display()
    )]
    Missing {
        /// Its name.
        name: String,
        /// Where it was looked for.
        beside: PathBuf,
    },
    /// It cannot be started.
    #[error("cannot start the helper '{}': {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// A helper that runs. It is ended when it is dropped.
#[derive(Debug)]
struct Helper {
    child: Child,
}

/// The stream on which a helper is asked. When it is dropped it ends, and then so does the helper.
#[derive(Debug)]
pub struct Questions {
    // The stream is closed before the helper is waited for: fields are dropped in their order.
    pipe: Patient,
    _helper: Helper,
}

/// One end of a pipe to a helper, whose every wait has an end.
#[derive(Debug)]
pub struct Patient {
    pipe: File,
    patience: Duration,
}

/// Starts the helper for addresses of `scheme` with `address` in the folder `cwd`. Returns the stream of its answers and
/// the one for what is asked.
///
/// # Errors
/// A [`HelperError`].
pub fn start(scheme: &str, address: &str, cwd: &Path) -> Result<(Patient, Questions), HelperError> {
    let program = find(&format!("gate-remote-{scheme}"))?;
    let fails = |source| HelperError::Start { program: program.clone(), source };
    let mut command = Command::new(&program);
    command.arg(address).current_dir(cwd).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(fails)?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let helper = Helper { child };
    let missing = || fails(io::Error::other("it has no streams"));
    let answers = Patient::new(OwnedFd::from(stdout.ok_or_else(missing)?)).map_err(fails)?;
    let pipe = Patient::new(OwnedFd::from(stdin.ok_or_else(missing)?)).map_err(fails)?;
    Ok((answers, Questions { pipe, _helper: helper }))
}

impl Drop for Helper {
    fn drop(&mut self) {
        let told = Instant::now();
        let mut pause = Duration::from_micros(200);
        while told.elapsed() < LAST_WORDS {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(pause),
                Ok(Some(_)) | Err(_) => return,
            }
            pause = (pause * 2).min(Duration::from_millis(20));
        }
        // It hangs; what it was asked has an answer or none by now.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Patient {
    fn new(pipe: OwnedFd) -> io::Result<Self> {
        let flags = rustix::fs::fcntl_getfl(&pipe)?;
        rustix::fs::fcntl_setfl(&pipe, flags | rustix::fs::OFlags::NONBLOCK)?;
        Ok(Self { pipe: File::from(pipe), patience: PATIENCE })
    }

    /// Does `work` as soon as the pipe is ready for it.
    fn when_ready<T>(
        &mut self,
        ready: PollFlags,
        mut work: impl FnMut(&mut File) -> io::Result<T>,
    ) -> io::Result<T> {
        let begun = Instant::now();
        loop {
            match work(&mut self.pipe) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
            let Some(left) = self.patience.checked_sub(begun.elapsed()) else {
                let said = format!("the helper did not answer for {} s", self.patience.as_secs());
                return Err(io::Error::new(io::ErrorKind::TimedOut, said));
            };
            let left = Timespec::try_from(left).map_err(io::Error::other)?;
            match poll(&mut [PollFd::from_borrowed_fd(self.pipe.as_fd(), ready)], Some(&left)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.when_ready(PollFlags::IN, |pipe| pipe.read(buffer))
    }
}

impl Write for Patient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.when_ready(PollFlags::OUT, |pipe| pipe.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pipe.flush()
    }
}

impl Write for Questions {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pipe.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pipe.flush()
    }
}

/// The helper called `name`: beside this program, or where packages put programs that nobody calls by hand.
fn find(name: &str) -> Result<PathBuf, HelperError> {
    let own = std::env::current_exe().unwrap_or_default();
    let beside = own.parent().unwrap_or(Path::new("/")).to_owned();
    let places = [beside.join(name), beside.join("../libexec/gate").join(name)];
    let found = places.into_iter().find(|program| program.is_file());
    found.ok_or_else(|| HelperError::Missing { name: name.to_owned(), beside })
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read as _, Write as _};
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use super::{HelperError, Patient, start};

    #[test]
    fn a_helper_is_not_looked_for_on_the_path() {
        let started = start("no-such-scheme", "no-such-scheme:x", std::path::Path::new("/"));
        assert!(matches!(started, Err(HelperError::Missing { .. })), "{started:?}");
    }

    #[test]
    fn a_helper_that_says_nothing_is_not_waited_for_without_end() {
        let (read, write) = io::pipe().unwrap();
        let mut patient =
            Patient { patience: Duration::from_millis(30), ..Patient::new(OwnedFd::from(read)).unwrap() };
        let error = patient.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(write);
        assert_eq!(patient.read(&mut [0]).unwrap(), 0);
    }

    #[test]
    fn a_helper_that_does_not_listen_is_not_waited_for_without_end() {
        let (_read, write) = io::pipe().unwrap();
        let mut patient =
            Patient { patience: Duration::from_millis(30), ..Patient::new(OwnedFd::from(write)).unwrap() };
        let much = vec![b'x'; 4 << 20];
        assert_eq!(patient.write_all(&much).unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
