//! A ledger on its way to a remote that has none yet.

use std::ops::ControlFlow;

use gate_ledger::archive::EntryRef;
use gate_ledger::entry::{Entry, Kind};
use gate_ledger::remote::{self, Batch, MAX_LINES, Published, Remote};
use gate_ledger::store::{Ledger, StoreError};

use super::race::Race;
use super::{Connect, RemoteProblem, WAIT, copy, openings};

/// Begins a ledger at the remote behind `address` with all entries of `ledger`, unchanged.
///
/// # Errors
/// [`RemoteProblem::Exists`] where there is one already; another [`RemoteProblem`].
pub fn create(connect: &Connect, address: &str, ledger: &Ledger) -> Result<(), RemoteProblem> {
    let mut remote = connect(address)?;
    send(remote.as_mut(), address, ledger, None)
}

/// The first entry of the ledger that is at the remote behind `address`; nothing where there is none. It says of itself
/// what it is, and nobody vouches for it.
///
/// # Errors
/// A [`RemoteProblem`] where it cannot be had, or is no first entry.
pub fn first(connect: &Connect, address: &str) -> Result<Option<Entry>, RemoteProblem> {
    let mut remote = connect(address)?;
    if remote.hello(None)?.head.is_none() {
        return Ok(None);
    }
    let mut line = Vec::new();
    remote.read(None, 1, &mut |read| {
        line = read.to_vec();
        ControlFlow::Continue(())
    })?;
    let first = Entry::from_line(&line).map_err(|error| RemoteProblem::First(error.to_string()))?;
    if first.kind != Kind::Genesis {
        return Err(RemoteProblem::First(format!("it is a {}", first.kind.as_str())));
    }
    Ok(Some(first))
}

/// As [`create`], going on where the remote has the first entries of this very ledger: an earlier copy was cut short, or is
/// older.
///
/// # Errors
/// [`RemoteProblem::Exists`] where it has another ledger, or entries that this one has not; another
/// [`RemoteProblem`].
pub fn copy_to(connect: &Connect, address: &str, ledger: &Ledger) -> Result<(), RemoteProblem> {
    let mut remote = connect(address)?;
    let there = remote.hello(None)?.head;
    if let Some(there) = there {
        let own = ledger.view().entry(there.seq)?;
        if own.is_none_or(|own| own.hash != there.hash) {
            return Err(RemoteProblem::Exists);
        }
    }
    send(remote.as_mut(), address, ledger, there)
}

/// Sends the entries behind `after`, so many at once as one exchange carries.
fn send(
    remote: &mut dyn Remote,
    address: &str,
    ledger: &Ledger,
    mut after: Option<EntryRef>,
) -> Result<(), RemoteProblem> {
    if ledger.view().archive()?.is_some() {
        return Err(RemoteProblem::Archived);
    }
    let head = ledger.view().head()?;
    while after.is_none_or(|after| after.seq < head.seq) {
        let from = after.map_or(0, |after| after.seq + 1);
        let last = head.seq.min(from + MAX_LINES - 1);
        let lines = copy::lines(&ledger.view(), from, Some(last))?;
        let openings = openings::outgoing(&ledger.view(), &lines)?;
        if !openings.is_empty() && !remote.hello(None)?.can.erase {
            return Err(RemoteProblem::CannotErase(address.to_owned()));
        }
        let batch = Batch { lines, openings, copied: true };
        let mut race = Race::start(WAIT);
        match remote::publish(remote, after, &batch, &mut || race.again().is_ok())? {
            Published::Taken => {}
            Published::Moved => return Err(RemoteProblem::Exists),
            Published::Refused(said) => return Err(RemoteProblem::Refused(said)),
            Published::Unknown(said) => return Err(RemoteProblem::Unknown(said)),
        }
        let sent = ledger.view().entry(last)?.ok_or(StoreError::Replaced)?;
        after = Some(EntryRef::from(&sent));
    }
    Ok(())
}
