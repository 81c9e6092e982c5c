//! Handing over what was judged: taken, or not, and nothing in between.

use std::ops::ControlFlow;

use super::{Batch, Outcome, Remote, RemoteError};
use crate::archive::EntryRef;

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// The remote has it.
    Taken,
    /// Somebody else was first: read what is new and judge again.
    Moved,
    /// The other side does not want it, and says why.
    Refused(String),
    /// Nobody could be asked in time. It may be there, or come to be; so nothing may rest on it. [`settle`] with a new
    /// connection can still tell.
    Unknown(String),
}

/// Appends `batch` behind `after`, or begins a ledger with it, and finds out what became of it.
///
/// `patience` is asked before a lost answer is asked for again; it waits, and says whether there is time.
///
/// # Errors
/// A [`RemoteError`]; then nothing was added.
pub fn publish(
    remote: &mut dyn Remote,
    after: Option<EntryRef>,
    batch: &Batch,
    patience: &mut dyn FnMut() -> bool,
) -> Result<Published, RemoteError> {
    match send(remote, after, batch)? {
        Outcome::Taken => Ok(Published::Taken),
        Outcome::Moved(_) => Ok(Published::Moved),
        Outcome::Refused(said) => Ok(Published::Refused(said)),
        Outcome::Unknown(said) => match find_out(remote, after, batch, patience, said.clone()) {
            // Whatever keeps it from being asked, what became of the batch is as unknown as it was.
            Err(_) => Ok(Published::Unknown(said)),
            settled => settled,
        },
    }
}

/// Finds out what became of a batch that was sent once, and sends the very same lines again where they are not there.
///
/// The first sending may still be on its way. Since the remote compares and sets, the lines can come to be there
/// once only, whichever of the two arrives. Two writers whose lines are the same to the last byte would both take them
/// for theirs: an entry that spends something holds a random number.
///
/// # Errors
/// A [`RemoteError`] where the remote cannot be asked. What became of the batch is then still unknown.
pub fn settle(
    remote: &mut dyn Remote,
    after: Option<EntryRef>,
    batch: &Batch,
    patience: &mut dyn FnMut() -> bool,
) -> Result<Published, RemoteError> {
    find_out(remote, after, batch, patience, "no answer came".to_owned())
}

/// The same; `said` is why it is not known yet.
fn find_out(
    remote: &mut dyn Remote,
    after: Option<EntryRef>,
    batch: &Batch,
    patience: &mut dyn FnMut() -> bool,
    mut said: String,
) -> Result<Published, RemoteError> {
    loop {
        match look(remote, after, batch)? {
            Seen::Ours => return Ok(Published::Taken),
            Seen::Others => return Ok(Published::Moved),
            Seen::Nothing => {}
        }
        if !patience() {
            return Ok(Published::Unknown(said));
        }
        match send(remote, after, batch)? {
            Outcome::Taken => return Ok(Published::Taken),
            Outcome::Refused(said) => {
                let seen = look(remote, after, batch)?;
                return Ok(if seen == Seen::Ours { Published::Taken } else { Published::Refused(said) });
            }
            // Perhaps it was our first sending that was first: the next look tells.
            Outcome::Moved(_) => {}
            Outcome::Unknown(now) => said = now,
        }
    }
}

fn send(remote: &mut dyn Remote, after: Option<EntryRef>, batch: &Batch) -> Result<Outcome, RemoteError> {
    match after {
        Some(after) => remote.append(after, batch),
        None => remote.create(batch),
    }
}

/// What stands behind an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Ours,
    Others,
    Nothing,
}

/// Whether the lines of `batch` stand behind `after`. What else the remote says is for the next pull to judge.
fn look(remote: &mut dyn Remote, after: Option<EntryRef>, batch: &Batch) -> Result<Seen, RemoteError> {
    let mut expected = batch.lines.iter();
    let (mut seen, mut same) = (0_u64, true);
    let head = remote.read(after.map(|after| after.seq), batch.lines.len() as u64, &mut |line| {
        seen += 1;
        same &= expected.next().is_some_and(|expected| expected == line);
        ControlFlow::Continue(())
    })?;
    Ok(match (seen, same) {
        (0, _) if head == after => Seen::Nothing,
        (_, true) if seen == batch.lines.len() as u64 => Seen::Ours,
        _ => Seen::Others,
    })
}
