//! Texts that entries only commit to, between a working copy and a remote that can erase them.
//!
//! They travel beside the entries that commit to them first. An erasure reaches a working copy with the note that tells
//! of it: what the note names and the remote does not hand out any more is erased here, too. A note alone erases
//! nothing, since whoever may append could write one.
//!
//! A remote that keeps a text back makes it count as erased: what rests on it opens nothing.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use gate_ledger::commitment::{Commitment, Opening, WrittenOpening};
use gate_ledger::entry::{Entry, Kind};
use gate_ledger::redaction::{self, ERASURE_SCHEMA};
use gate_ledger::remote::{PullError, Remote, RemoteError, Why};
use gate_ledger::store::{Transaction, View};
use serde_json::Value;

use super::RemoteProblem;

/// How many positions are asked for at once: no entry commits to more than seven texts, and an answer has at most
/// [`gate_ledger::remote::MAX_LINES`] lines.
const WINDOW: usize = 1000;
/// How many commitments one message names; its length is bounded.
const AT_ONCE: usize = 1000;

/// The openings that came into the ledger with the entries of `lines`, as lines.
///
/// # Errors
/// Where one cannot be read.
pub(super) fn outgoing(view: &View<'_>, lines: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, RemoteProblem> {
    let unwritten = |error: &dyn std::fmt::Display| RemoteProblem::Opening(error.to_string());
    let (mut seen, mut written) = (HashSet::new(), Vec::new());
    for line in lines {
        let entry = Entry::from_line(line).map_err(|error| unwritten(&error))?;
        for (_, commitment) in redaction::commitments(entry.kind, &entry.actor, &entry.data) {
            let kept = view.kept_opening(commitment)?.filter(|kept| kept.seq == entry.seq);
            if let Some(kept) = kept.filter(|_| seen.insert(commitment)) {
                let line = serde_json::to_vec(&WrittenOpening::from(&kept.opening));
                written.push(line.map_err(|error| unwritten(&error))?);
            }
        }
    }
    Ok(written)
}

/// Whether `entry` is one that texts may lie beside, or tells of an erasure.
pub(super) fn concerns(entry: &Entry) -> bool {
    redaction::may_hold(&entry.body) || is_erasure(entry)
}

/// Takes in the texts of `entries`, which are new here and as they were written, and erases those that `remote` has
/// erased since. Returns whether there were any of these. `from` is the first position that is new here: a text may
/// have come with an entry that was archived since.
///
/// # Errors
/// A [`RemoteProblem`].
pub(super) fn incoming(
    remote: &mut dyn Remote,
    from: u64,
    entries: &[Entry],
    transaction: &mut Transaction<'_>,
) -> Result<bool, RemoteProblem> {
    let mut owners = HashMap::new();
    for entry in entries {
        for (_, commitment) in redaction::commitments(entry.kind, &entry.actor, &entry.data) {
            owners.entry(commitment).or_insert(entry);
        }
    }
    if let Some(last) = entries.last().filter(|_| !owners.is_empty()) {
        for (commitment, opening) in handed_out(remote, from, last.seq)? {
            // That of an entry which was archived belongs to nothing that is here.
            if let Some(entry) = owners.get(&commitment) {
                transaction.keep(entry, commitment, opening)?;
            }
        }
    }
    follow_erasures(remote, entries, transaction)
}

/// Erases what the notes among `entries` name, as far as `remote` does not have it any more.
fn follow_erasures(
    remote: &mut dyn Remote,
    entries: &[Entry],
    transaction: &mut Transaction<'_>,
) -> Result<bool, RemoteProblem> {
    let named: HashSet<Commitment> =
        entries.iter().filter(|entry| is_erasure(entry)).flat_map(erased).collect();
    if named.is_empty() {
        return Ok(false);
    }
    let there = handed_out(remote, 0, transaction.head().seq)?;
    let there: HashSet<Commitment> = there.into_iter().map(|(commitment, _)| commitment).collect();
    let gone: Vec<Commitment> = named.difference(&there).copied().collect();
    Ok(!transaction.erase(&gone)?.is_empty())
}

/// Has `remote` erase the openings of `commitments`.
///
/// # Errors
/// A [`RemoteError`].
pub(super) fn erase(remote: &mut dyn Remote, commitments: &[Commitment]) -> Result<(), RemoteError> {
    for part in commitments.chunks(AT_ONCE) {
        remote.erase(part)?;
    }
    Ok(())
}

fn is_erasure(entry: &Entry) -> bool {
    entry.kind == Kind::Note && entry.data.get("schema").is_some_and(|schema| schema == ERASURE_SCHEMA)
}

fn erased(note: &Entry) -> Vec<Commitment> {
    let named = note.data.get("erased").and_then(Value::as_array);
    named.into_iter().flatten().filter_map(|one| one.as_str()?.parse().ok()).collect()
}

/// What `remote` hands out for the entries from `from` to `to`, each checked against what it claims to open; nothing
/// where it keeps no texts.
fn handed_out(
    remote: &mut dyn Remote,
    from: u64,
    to: u64,
) -> Result<Vec<(Commitment, Opening)>, RemoteProblem> {
    let (mut found, mut wrong) = (Vec::new(), None);
    for begin in (from..=to).step_by(WINDOW) {
        let end = to.min(begin + WINDOW as u64 - 1);
        let asked = remote.openings(begin, end, &mut |line| match read(line) {
            Ok(opening) => {
                found.push(opening);
                ControlFlow::Continue(())
            }
            Err(defect) => {
                wrong = Some(defect);
                ControlFlow::Break(())
            }
        });
        if let Some(defect) = wrong {
            return Err(PullError::Contradiction(defect).into());
        }
        match asked {
            Err(RemoteError::Failed(failed)) if failed.why == Why::Unsupported => return Ok(Vec::new()),
            asked => asked?,
        }
    }
    Ok(found)
}

fn read(line: &[u8]) -> Result<(Commitment, Opening), String> {
    let written = serde_json::from_slice::<WrittenOpening>(line).map_err(|error| error.to_string())?;
    Opening::check(&written).map_err(|error| error.to_string())
}
