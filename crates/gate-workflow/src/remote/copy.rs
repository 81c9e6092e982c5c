//! The working copy: its folder, how it is begun, and how it follows.

use std::ops::ControlFlow;
use std::path::Path;

use gate_ledger::archive::EntryRef;
use gate_ledger::entry::{Entry, EntryHash, write_line};
use gate_ledger::remote::{Expect, PullError, Remote, WorkingCopy, pull as pull_from, refuse_link};
use gate_ledger::store::{Access, CreateError, Ledger, OpenError, StoreError, Transaction, View};

use super::{RemoteProblem, openings};

/// Makes the folder of the working copy `copy`, open to its owner alone; refuses one that another user could have
/// put there.
///
/// # Errors
/// [`RemoteProblem::Folder`].
pub(super) fn refuse_foreign(copy: &Path) -> Result<(), RemoteProblem> {
    use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
    let folder = copy.parent().unwrap_or(Path::new("/"));
    let wrong = |defect: &str| RemoteProblem::Folder { folder: folder.to_owned(), defect: defect.to_owned() };
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| wrong(&format!("cannot be made: {error}")))?;
    let found = folder.symlink_metadata().map_err(|error| wrong(&format!("cannot be looked at: {error}")))?;
    let own = rustix::process::geteuid().as_raw();
    match (found.is_dir(), found.uid() == own, found.mode() & 0o022) {
        (true, true, 0) => Ok(()),
        (false, ..) => Err(wrong("is not a folder")),
        (_, false, _) => Err(wrong("belongs to another user")),
        _ => Err(wrong("can be written by others")),
    }
}

/// Opens the working copy at `path`; where there is none it is begun with the first entry of the remote, if that is
/// the pinned one.
pub(super) fn open(path: &Path, remote: &mut dyn Remote, expect: &Expect) -> Result<Ledger, RemoteProblem> {
    match open_made(path, expect) {
        Err(RemoteProblem::Copy(OpenError::Missing { .. })) => {}
        opened => return opened,
    }
    refuse_foreign(path)?;
    let mut first = None;
    remote.read(None, 1, &mut |line| {
        first = first.take().or_else(|| Some(Entry::from_line(line)));
        ControlFlow::Continue(())
    })?;
    let genesis = match first {
        None => return Err(PullError::NoLedger.into()),
        Some(Err(error)) => return Err(PullError::Bad { seq: 0, source: error.0 }.into()),
        Some(Ok(entry)) => entry,
    };
    if genesis.hash != expect.genesis {
        return Err(other(expect, genesis.hash));
    }
    match Ledger::create_copy(path, &genesis) {
        // Another run of this machine was first; what it made is whole.
        Err(CreateError::Exists { .. } | CreateError::Leftover { .. }) if path.exists() => {
            open_made(path, expect)
        }
        created => Ok(created?),
    }
}

/// Opens the working copy at `path`, which somebody made.
fn open_made(path: &Path, expect: &Expect) -> Result<Ledger, RemoteProblem> {
    refuse_link(path)?;
    let ledger = Ledger::open(path, Access::Append)?;
    if ledger.genesis() == expect.genesis { Ok(ledger) } else { Err(other(expect, ledger.genesis())) }
}

fn other(expect: &Expect, found: EntryHash) -> RemoteProblem {
    PullError::OtherLedger { expected: expect.genesis, found }.into()
}

/// Takes over what the remote has beyond the working copy that `transaction` holds; returns its newest entry, and
/// whether texts were erased.
pub(super) fn pull(
    remote: &mut dyn Remote,
    expect: &Expect,
    transaction: &mut Transaction<'_>,
) -> Result<(EntryRef, bool), RemoteProblem> {
    // A copy that was only begun has its first entry without the texts of it.
    let from = if transaction.head().seq == 0 { 0 } else { transaction.head().seq + 1 };
    let mut held = Held { transaction, committing: Vec::new() };
    let newest = match pull_from(remote, expect, &mut held) {
        // What a helper remembers may be from before the lock, and another run of this machine may have taken over more
        // since. Who is asked again looks again.
        Err(PullError::RolledBack { .. }) => pull_from(remote, expect, &mut held)?,
        pulled => pulled?,
    };
    let Held { transaction, committing } = held;
    Ok((newest, openings::incoming(remote, from, &committing, transaction)?))
}

/// The working copy within a transaction, which takes everything back unless all of it was good.
struct Held<'t, 'l> {
    transaction: &'t mut Transaction<'l>,
    /// The new entries that texts may lie beside.
    committing: Vec<Entry>,
}

impl WorkingCopy for Held<'_, '_> {
    type Error = StoreError;

    /// A copy that was only begun has nothing yet: behind its first entry others may have been archived.
    fn head(&self) -> Result<Option<EntryRef>, StoreError> {
        let head = self.transaction.head();
        Ok((head.seq > 0).then(|| head.into()))
    }

    fn hash_at(&self, seq: u64) -> Result<Option<EntryHash>, StoreError> {
        Ok(self.transaction.view().entry(seq)?.map(|entry| entry.hash))
    }

    fn take(&mut self, entry: &Entry) -> Result<(), StoreError> {
        if openings::concerns(entry) {
            self.committing.push(entry.clone());
        }
        let next = self.transaction.head().seq + 1;
        match entry.seq {
            // The first entry is the pinned one here as there.
            0 => Ok(()),
            seq if seq > next => self.transaction.adopt_behind_gap(entry),
            _ => self.transaction.adopt(entry),
        }
    }
}

/// The entries from `seq` on, up to `last` where that is given, as lines of an export.
pub(super) fn lines(view: &View<'_>, seq: u64, last: Option<u64>) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut lines = Vec::new();
    view.scan_lines(seq, last, &mut |body, hash| {
        let mut line = Vec::new();
        write_line(&mut line, body, hash);
        lines.push(line);
        ControlFlow::Continue(())
    })?;
    Ok(lines)
}
