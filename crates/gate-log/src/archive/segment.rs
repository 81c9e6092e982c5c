//! Writing the segment, and making sure of it.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use gate_ledger::archive::{Finished, Moved, Writer, digest_of, segment_name};
use gate_ledger::entry::EntryHash;
use gate_ledger::store::Ledger;
use gate_ledger::tree::{CompactRange, leaf_hash};
use gate_ledger::verify::{self, EachEntry, Options, Seen, Start};

use super::ArchiveFailure;
use super::plan::Plan;
use crate::staged::Staged;

/// A segment that is on disk under its name and was verified.
pub(super) struct Segment {
    /// What the statement says about it.
    pub(super) moved: Moved,
    /// Where it is.
    pub(super) path: PathBuf,
    /// The hash of its last entry.
    pub(super) head: EntryHash,
    /// The tree of all entries up to its end.
    pub(super) tree: CompactRange,
}

/// Writes the entries of `plan` into the directory `place`, or to the file of that name; a person wrote it as
/// `shown`. The same segment, left by a run that came no further, is taken as it is.
///
/// # Errors
/// An [`ArchiveFailure`].
pub(super) fn write(
    ledger: &Ledger,
    plan: &Plan,
    place: &Path,
    shown: &Path,
) -> Result<Segment, ArchiveFailure> {
    let name = segment_name(ledger.id(), plan.from, plan.before);
    let (path, shown) = if place.is_dir() {
        (place.join(&name), shown.join(&name))
    } else {
        (place.to_owned(), shown.to_owned())
    };
    let staged = Staged::passing(&path)?;
    let file = pack(ledger, plan, &staged.path)?;
    let (head, tree) = read_back(ledger, plan, &staged.path, file)?;
    publish(staged, &path, &shown, file)?;
    let name = path.file_name().map_or(name, |name| name.to_string_lossy().into_owned());
    let (from, to) = (plan.from, plan.before);
    let moved = Moved { name, from, to, digest: file.digest, bytes: file.bytes };
    Ok(Segment { moved, path: shown, head, tree })
}

fn pack(ledger: &Ledger, plan: &Plan, path: &Path) -> Result<Finished, ArchiveFailure> {
    let mut writer = Writer::create(path)?;
    let mut failed = None;
    ledger.view().scan_lines(
        plan.from,
        Some(plan.before - 1),
        &mut |body, hash| match writer.add(body, hash) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        },
    )?;
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(writer.finish()?),
    }
}

/// Verifies the file as the continuation of what was archived before, up to the position that was meant.
fn read_back(
    ledger: &Ledger,
    plan: &Plan,
    path: &Path,
    written: Finished,
) -> Result<(EntryHash, CompactRange), ArchiveFailure> {
    let earlier = plan.earlier.as_ref();
    let mut tree = match earlier.map(gate_ledger::archive::Statement::tree) {
        Some(tree) => tree.map_err(|error| ArchiveFailure::Statement(error.into()))?,
        None => CompactRange::default(),
    };
    let genesis = Some(ledger.genesis());
    let start = earlier.map(|earlier| Start {
        next: earlier.before,
        prev: earlier.head.hash,
        ledger: gate_ledger::chain::LedgerId::read(ledger.id().as_bytes()),
        genesis,
    });
    let options = Options { genesis, start, ..Options::default() };
    let mut observer = EachEntry(|seen: Seen<'_>| tree.push(leaf_hash(seen.body)));
    let (outcome, read) =
        verify::segment(path, &options, &mut observer).map_err(ArchiveFailure::Unverified)?;
    if let Some(bad) = outcome.first_bad {
        return Err(ArchiveFailure::Bad { seq: bad.seq, reason: bad.reason });
    }
    match outcome.head {
        Some((seq, hash)) if seq + 1 == plan.before && read == Some(written) => Ok((hash, tree)),
        _ => {
            let reason = "what was read back is not what was written".to_owned();
            Err(ArchiveFailure::Bad { seq: outcome.entries, reason })
        }
    }
}

/// Gives the file its name, unless the same one has it already.
fn publish(staged: Staged, path: &Path, shown: &Path, file: Finished) -> Result<(), ArchiveFailure> {
    let fails = |source| ArchiveFailure::Publish { path: shown.display().to_string(), source };
    if fs::symlink_metadata(path).is_err() {
        return staged.publish().map_err(fails);
    }
    if digest_of(path).map_err(fails)? == file {
        // Whoever left it may have died before its name was durable.
        drop(staged);
        return crate::staged::sync(path).map_err(fails);
    }
    Err(ArchiveFailure::Taken(shown.display().to_string()))
}
