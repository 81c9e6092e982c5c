//! Running the gate's command: its stdin, stdout and stderr are ours, untouched; signals that somebody sends
//! us are passed on; its status is told as a shell tells it.
//!
//! A Ctrl-C at the terminal reaches the command by itself, since it is in the same process group; only what
//! did not come from the terminal is forwarded, or the command would be interrupted twice. Signals that were
//! ignored when we started (as under nohup(1)) stay ignored.

use std::ffi::{OsStr, OsString};
use std::io::{Error, ErrorKind};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gate_cli::Stop;
use gate_model::exit::Exit;
use gate_workflow::workspace::TOKEN_VARIABLE;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use signal_hook::consts::signal::{
    SIGALRM, SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH,
};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::low_level::siginfo::{Cause, Origin};

/// What is forwarded when somebody sends it to us.
const FORWARDED: [i32; 8] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH];

/// What asks a command to stop, whether it was forwarded or came from the terminal.
const INTERRUPTING: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    /// The status as a shell tells it: 126 and 127 as env(1) has them, 128+n for a signal.
    pub status: u8,
    /// Why the gate did not run, where more than the status says so.
    pub did_not_run: Option<String>,
}

/// Runs `command` (never empty) to its end.
///
/// # Errors
/// Where the process cannot be watched or signals cannot be handled; what cannot be *started* is an
/// [`Ended`] with 126 or 127.
pub(crate) fn run(command: &[OsString]) -> Result<Ended, Error> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(Error::new(ErrorKind::InvalidInput, "there is no command"));
    };
    let ignored = ignored_signals();
    let handled = FORWARDED.into_iter().filter(|signal| !ignored.contains(signal));
    // SIGCHLD among them: where it was ignored, the kernel would reap the command and lose its status.
    let mut signals = SignalsInfo::<WithOrigin>::new(handled.chain([SIGCHLD]))?;
    // The token says who started the run; a command that has it can ask for opt-outs in that person's name.
    let _closed = std::env::var_os(TOKEN_VARIABLE).map(|_| Closed::new());
    #[expect(clippy::disallowed_methods, reason = "the gated command itself")]
    let mut child = match Command::new(program).args(arguments).env_remove(TOKEN_VARIABLE).spawn() {
        Ok(child) => child,
        Err(error) => return not_started(program, error),
    };
    let target = Arc::new(Mutex::new(i32::try_from(child.id()).ok().and_then(Pid::from_raw)));
    let interrupted = Arc::new(AtomicBool::new(false));
    let handle = signals.handle();
    let forwarder = std::thread::spawn({
        let (target, interrupted) = (Arc::clone(&target), Arc::clone(&interrupted));
        move || {
            for origin in signals.forever() {
                note(&interrupted, &origin);
                forward(&target, &origin);
            }
            // A Ctrl-C may end the command before this thread has heard of it.
            signals.pending().for_each(|origin| note(&interrupted, &origin));
        }
    });
    let status = wait(&mut child, &target);
    handle.close();
    // The thread ends once the handle is closed; its panic would be a fault of ours, not of the command.
    forwarder.join().map_err(|_| Error::other("the signal forwarder failed"))?;
    Ok(unless_interrupted(ended(status?), interrupted.load(Ordering::SeqCst)))
}

/// While this lives, processes of the same user cannot read this one's memory and environment (proc(5)): the command
/// would find the token there that it does not get.
struct Closed;

impl Closed {
    fn new() -> Self {
        dumpable(false);
        Self
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        dumpable(true);
    }
}

#[cfg(target_os = "linux")]
fn dumpable(is: bool) {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    let behavior = if is { DumpableBehavior::Dumpable } else { DumpableBehavior::NotDumpable };
    // The kernel takes both values from everybody. It is one wall more and not what the token's safety rests on.
    let _taken = set_dumpable_behavior(behavior);
}

/// Elsewhere there is nothing to close.
#[cfg(not(target_os = "linux"))]
const fn dumpable(_: bool) {}

fn note(interrupted: &AtomicBool, origin: &Origin) {
    if INTERRUPTING.contains(&origin.signal) {
        interrupted.store(true, Ordering::SeqCst);
    }
}

/// A command that was asked to stop and then failed did not do its work, whatever status it chose. One that
/// succeeded all the same says so itself.
fn unless_interrupted(ended: Ended, interrupted: bool) -> Ended {
    match ended {
        Ended { status: 1.., did_not_run: None } if interrupted => {
            Ended { did_not_run: Some("the command was interrupted".to_owned()), ..ended }
        }
        _ => ended,
    }
}

/// Waits without reaping first, so that no signal is ever sent to a process id that was given away again.
fn wait(child: &mut std::process::Child, target: &Mutex<Option<Pid>>) -> Result<ExitStatus, Error> {
    let pid = *target.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pid) = pid {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(error) = rustix::process::waitid(WaitId::Pid(pid), options) {
            if error != rustix::io::Errno::INTR {
                break;
            }
        }
    }
    *target.lock().unwrap_or_else(PoisonError::into_inner) = None;
    child.wait()
}

fn forward(target: &Mutex<Option<Pid>>, origin: &Origin) {
    if origin.signal == SIGCHLD || came_from_terminal(origin) {
        return;
    }
    let guard = target.lock().unwrap_or_else(PoisonError::into_inner);
    if let (Some(pid), Some(signal)) = (*guard, Signal::from_named_raw(origin.signal)) {
        // It fails only where the command is no longer ours to signal (it changed its user): then nobody
        // but its user may stop it, and waiting for it is all that is left.
        match rustix::process::kill_process(pid, signal) {
            Ok(()) | Err(_) => {}
        }
    }
}

/// The kernel itself sends what a terminal's keys and its hang-up cause.
const fn came_from_terminal(origin: &Origin) -> bool {
    matches!(origin.cause, Cause::Kernel)
}

fn not_started(program: &OsStr, error: Error) -> Result<Ended, Error> {
    let name = gate_model::text::visible(&program.to_string_lossy());
    let ended =
        |status, what: &str| Ok(Ended { status, did_not_run: Some(format!("the command '{name}' {what}")) });
    match error.kind() {
        ErrorKind::NotFound => ended(127, "was not found"),
        ErrorKind::OutOfMemory | ErrorKind::WouldBlock => Err(error),
        _ => ended(126, "could not be executed"),
    }
}

fn ended(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended { status: u8::try_from(code).unwrap_or(u8::MAX), did_not_run: None },
        (None, Some(signal)) => {
            let status =
                u8::try_from(signal).ok().and_then(|signal| signal.checked_add(128)).unwrap_or(u8::MAX);
            Ended { status, did_not_run: Some("the command was ended by a signal".to_owned()) }
        }
        (None, None) => {
            Ended { status: u8::MAX, did_not_run: Some("the command's end is unknown".to_owned()) }
        }
    }
}

/// The signals that were ignored when this process started, as the kernel lists them. Where there is no
/// such list none is known to be.
fn ignored_signals() -> Vec<i32> {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = text.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    FORWARDED.into_iter().filter(|signal| mask & (1 << (signal - 1)) != 0).collect()
}

/// Nobody can tell how the command went.
pub(crate) fn child_error(error: &Error) -> Stop {
    Stop::new(Exit::Failure, format_args!("cannot run the command: {error}"))
}

#[cfg(test)]
mod tests {
    use super::run;

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_that_holds_a_token_is_closed_to_the_command_and_open_afterwards() {
        use rustix::process::{DumpableBehavior, dumpable_behavior};
        let closed = super::Closed::new();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        drop(closed);
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::Dumpable);
    }

    fn status(script: &str) -> (u8, bool) {
        let ended = run(&["sh".into(), "-c".into(), script.into()]).unwrap();
        (ended.status, ended.did_not_run.is_some())
    }

    #[test]
    fn statuses_are_those_of_a_shell() {
        assert_eq!(status("exit 0"), (0, false));
        assert_eq!(status("exit 3"), (3, false));
        assert_eq!(status("exit 139"), (139, false));
        assert_eq!(status("kill -TERM $$"), (143, true));
        assert_eq!(status("kill -KILL $$"), (137, true));
    }

    #[test]
    fn what_cannot_be_started_is_126_or_127() {
        let missing = run(&["/nonexistent/tool".into()]).unwrap();
        assert_eq!((missing.status, missing.did_not_run.is_some()), (127, true));
        let directory = run(&["/".into()]).unwrap();
        assert_eq!((directory.status, directory.did_not_run.is_some()), (126, true));
    }
}
