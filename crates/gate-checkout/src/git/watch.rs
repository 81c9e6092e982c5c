//! A limit on the time that a process may take.
//!
//! A repository can make git wait for ever: an object, a ref or a file of the configuration may be a pipe. So each
//! process has a group of its own, and a thread that ends the group when its time is over. A process that came to its end
//! before is never signalled: its number may belong to another by then, so the end is noted before it is reaped.

use std::io::Error;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

/// How long git may take for one answer. What hangs shall be told before a pipeline gives up.
pub(super) const LIMIT: Duration = Duration::from_secs(15);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Ended,
    Expired,
}

/// A process group under watch.
#[derive(Debug)]
pub(super) struct Watch {
    state: Arc<(Mutex<State>, Condvar)>,
    group: Option<Pid>,
}

fn locked(state: &(Mutex<State>, Condvar)) -> MutexGuard<'_, State> {
    // Nobody panics while holding it, and a state is whole at any time.
    state.0.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watch {
    /// Watches the group of `child`, of which it is the leader.
    pub(super) fn over(child: &Child, limit: Duration) -> Self {
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let state = Arc::new((Mutex::new(State::Running), Condvar::new()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            let still = |state: &mut State| *state == State::Running;
            let waited = shared.1.wait_timeout_while(locked(&shared), limit, still);
            let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if *state == State::Running {
                *state = State::Expired;
                end(group);
            }
        });
        Self { state, group }
    }

    /// Waits for the end of `child`; `None` where its time was over before.
    pub(super) fn wait(&self, child: &mut Child) -> Result<Option<ExitStatus>, Error> {
        if let Some(pid) = self.group {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(error) = rustix::process::waitid(WaitId::Pid(pid), options) {
                match error {
                    Errno::INTR => {}
                    // It was reaped already.
                    Errno::CHILD => break,
                    other => return Err(other.into()),
                }
            }
        }
        let expired = self.close() == State::Expired;
        let status = child.wait()?;
        Ok((!expired).then_some(status))
    }

    /// Ends the group, if it still runs.
    pub(super) fn end(&self) {
        if *locked(&self.state) == State::Running {
            end(self.group);
        }
    }

    /// No signal is sent from here on. What the state was.
    fn close(&self) -> State {
        let mut state = locked(&self.state);
        let before = *state;
        if before == State::Running {
            *state = State::Ended;
        }
        self.state.1.notify_all();
        before
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.close();
    }
}

fn end(group: Option<Pid>) {
    if let Some(group) = group {
        // That it is gone already is as good.
        let _gone = rustix::process::kill_process_group(group, Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::Watch;
    use std::os::unix::process::CommandExt as _;
    use std::process::{Child, Command, Stdio};
    use std::time::Duration;

    fn start(script: &str) -> Child {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(Stdio::piped()).process_group(0).spawn().unwrap()
    }

    #[test]
    fn what_hangs_is_ended_with_all_that_it_started() {
        use std::io::Read as _;
        let mut child = start("sleep 1000 & sleep 1000");
        let watch = Watch::over(&child, Duration::from_millis(10));
        // The pipe ends only when the background process is gone, too.
        child.stdout.take().unwrap().read_to_end(&mut Vec::new()).unwrap();
        assert_eq!(watch.wait(&mut child).unwrap(), None);
    }

    #[test]
    fn what_ends_in_time_has_its_status() {
        let mut child = start("exit 3");
        let watch = Watch::over(&child, Duration::from_secs(1000));
        assert_eq!(watch.wait(&mut child).unwrap().and_then(|status| status.code()), Some(3));
    }
}
