//! Writing the segment, and making sure of it.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use gate_ledger::archive::{NamedSegment, SegmentFile, Statement, Writer, digest_of, segment_name};
use gate_ledger::chain::LedgerId;
use gate_ledger::entry::EntryHash;
use gate_ledger::store::Ledger;
use gate_ledger::tree::{CompactRange, leaf_hash};
use gate_ledger::verify::{self, EachEntry, Options, Seen, Start};

use super::ArchiveFailure;
use super::plan::Plan;
use gate_ledger::outfile::Staged;

/// A segment that is on disk under its name and was verified.
pub(super) struct Segment {
    /// What the statement says about it.
    pub(super) named: NamedSegment,
    /// Where it is.
    pub(super) path: PathBuf,
    /// The hash of its last entry.
    pub(super) head: EntryHash,
    /// The tree of all entries up to its end.
    pub(super) tree: CompactRange,
}

/// Where the segment goes, and how a person would write that: into the directory `place`, which a person wrote as
/// `shown`, or to the file of that name.
pub(super) fn place(ledger: &Ledger, plan: &Plan, place: &Path, shown: &Path) -> (PathBuf, PathBuf) {
    if place.is_dir() {
        let name = segment_name(ledger.id(), plan.from, plan.before);
        (place.join(&name), shown.join(&name))
    } else {
        (place.to_owned(), shown.to_owned())
    }
}

/// Writes the entries of `plan` to `path`, which a person wrote as `shown`. The same segment, left by a run that came
/// no further, is taken as it is.
///
/// # Errors
/// An [`ArchiveFailure`].
pub(super) fn write(
    ledger: &Ledger,
    plan: &Plan,
    path: &Path,
    shown: &Path,
) -> Result<Segment, ArchiveFailure> {
    is_there(path, shown)?;
    let staged = Staged::passing(path)?;
    let file = pack(ledger, plan, &staged.path)?;
    let (head, tree) = read_back(ledger, plan, &staged.path, file)?;
    publish(staged, path, shown, file)?;
    let (from, to) = (plan.from, plan.before);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_else(|| segment_name(ledger.id(), from, to));
    let named = NamedSegment { name, from, to, digest: file.digest, bytes: file.bytes };
    Ok(Segment { named, path: shown.to_owned(), head, tree })
}

fn pack(ledger: &Ledger, plan: &Plan, path: &Path) -> Result<SegmentFile, ArchiveFailure> {
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
    written: SegmentFile,
) -> Result<(EntryHash, CompactRange), ArchiveFailure> {
    let earlier = plan.earlier.as_ref();
    let mut tree = match earlier.map(Statement::tree) {
        Some(tree) => tree.map_err(|error| ArchiveFailure::Statement(error.into()))?,
        None => CompactRange::default(),
    };
    let genesis = Some(ledger.genesis());
    let start = earlier.map(|earlier| behind(earlier, ledger));
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

/// The place behind what was archived before.
fn behind(earlier: &Statement, ledger: &Ledger) -> Start {
    let id = LedgerId::read(ledger.id().as_bytes());
    Start { next: earlier.before, prev: earlier.head.hash, ledger: id, genesis: Some(ledger.genesis()) }
}

/// Gives the file its name, unless the same one has it already.
fn publish(staged: Staged, path: &Path, shown: &Path, file: SegmentFile) -> Result<(), ArchiveFailure> {
    let fails = |source| ArchiveFailure::Publish { path: shown.display().to_string(), source };
    if !is_there(path, shown)? {
        return staged.publish().map_err(fails);
    }
    if digest_of(path, file.bytes).map_err(fails)? == file {
        // Whoever left it may have died before its name was durable.
        drop(staged);
        return gate_ledger::outfile::sync(path).map_err(fails);
    }
    Err(ArchiveFailure::Taken(shown.display().to_string()))
}

/// Whether a file is there; what is none is refused, for reading a pipe or a device might never end.
fn is_there(path: &Path, shown: &Path) -> Result<bool, ArchiveFailure> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => Ok(true),
        Ok(_) => Err(ArchiveFailure::Taken(shown.display().to_string())),
        // Where it cannot be asked for, writing fails too and says why.
        Err(_) => Ok(false),
    }
}
