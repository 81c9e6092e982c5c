//! New entries as they come.
//!
//! The ledger is opened and asked for its newest entry five times a second, a remote one every five seconds. The end comes when
//! nobody reads any more (standard output is watched, since a ledger may be quiet for long), or by an
//! interrupt, which is the normal way to end it: exit status 0.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gate_cli::Io;
use gate_ledger::store::{Access, Ledger, StoreError};
use gate_workflow::reading::list;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::args::Args;
use crate::lines::Entries;
use crate::list::opt_out;
use crate::session::Log;
use gate_cli::Stop;
use gate_model::exit::Exit;

/// How often the ledger is asked.
const INTERVAL: Duration = Duration::from_millis(200);
/// How often where it has to be fetched.
const INTERVAL_REMOTE: Duration = Duration::from_secs(5);

/// Shows what `args` select, then every new entry that fits.
///
/// # Errors
/// A [`Stop`].
pub(crate) fn follow(log: &Log<'_>, args: &Args, io: &mut Io<'_>) -> Result<(), Stop> {
    let stop = stop_flag()?;
    let found = log.find()?;
    let interval = if found.remote().is_some() { INTERVAL_REMOTE } else { INTERVAL };
    let mut wait = || wait(&stop, interval);
    run(&|| found.open(Access::Read), log, args, io, &mut wait)
}

/// The same with the pause between two looks passed in. The ledger is opened for each look, and kept over no pause.
fn run(
    open: &dyn Fn() -> Result<Ledger, Stop>,
    log: &Log<'_>,
    args: &Args,
    io: &mut Io<'_>,
    wait: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<(), Stop> {
    let ledger = open()?;
    let genesis = ledger.genesis();
    let selection = args.selection(log.session.now(), opt_out(&ledger, args)?);
    let format = log.session.format(io);
    let mut entries = Entries::stream(io, format).revealing(args.reveal);
    let mut gone = false;
    let mut take = |record: &gate_workflow::reading::Record<'_>| {
        let flow = entries.take(record)?;
        gone = flow.is_break();
        Ok(flow)
    };
    let from_before = args.newest.is_some() || args.filter.span.since.is_some();
    let mut next =
        if from_before { list::list(&ledger, &selection, &mut take)? } else { ledger.view().head()?.seq + 1 };
    drop(ledger);
    loop {
        if gone || entries.deliver().is_break() || wait().is_break() {
            return Ok(());
        }
        let mut take = |record: &gate_workflow::reading::Record<'_>| {
            let flow = entries.take(record)?;
            gone = flow.is_break();
            Ok(flow)
        };
        let ledger = open()?;
        if ledger.genesis() != genesis {
            return Err(StoreError::Replaced.into());
        }
        next = list::since(&ledger, &selection.filter, next, &mut take)?;
    }
}

/// A flag that an interrupt raises.
fn stop_flag() -> Result<Arc<AtomicBool>, Stop> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&flag))
            .map_err(|error| Stop::new(Exit::Failure, format_args!("cannot handle signals: {error}")))?;
    }
    Ok(flag)
}

/// Waits for the next look. `Break` where somebody interrupts or nobody reads any more.
fn wait(stop: &AtomicBool, interval: Duration) -> ControlFlow<()> {
    let stdout = std::io::stdout();
    // No event is asked for, since an error and a closed pipe are always reported.
    let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
    let span =
        Timespec { tv_sec: interval.as_secs().cast_signed(), tv_nsec: i64::from(interval.subsec_nanos()) };
    let ended = match poll(&mut watched, Some(&span)) {
        Ok(_) => watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL),
        Err(Errno::INTR) => false,
        Err(_) => {
            // What cannot be watched is simply written to; the pause must still be one.
            std::thread::sleep(interval);
            false
        }
    };
    if ended || stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}
