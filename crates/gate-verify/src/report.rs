//! The verification document, from what was found.
//!
//! Pure: what is ok is decided here and nowhere else, and only a warning that [`Comparison::refused`] holds speaks
//! against it; any other tells what was not looked at.

use gate_ledger::verify::{self, Outcome};
use gate_model::request::SeenHead;
use gate_model::verification::{Archived, Begun, FirstBad, Genesis, Replay, SCHEMA, Verification, Warning};

use gate_judge::replay::Replayed;

use crate::anchor::Comparison;

/// The document. It is ok where no entry is bad, no checkpoint contradicts or does not count, and nothing is
/// uncovered that must be covered; and, where it was judged again, no judgement comes out otherwise or was made by a judge
/// that this build does not know.
pub(crate) fn verification(
    outcome: Outcome,
    comparison: Comparison,
    replayed: Option<Replayed>,
) -> Verification {
    let chain = outcome.first_bad.as_ref().map(first_bad);
    let bad = [chain, comparison.first_bad].into_iter().flatten().min_by_key(|bad| bad.seq);
    let agrees = replayed
        .as_ref()
        .is_none_or(|replayed| replayed.replay.disagreements.is_empty() && replayed.replay.unknown == 0);
    let ok = bad.is_none() && comparison.refused.is_empty() && agrees;
    let mut warnings = comparison.refused;
    warnings.extend(comparison.unanchored);
    warnings.extend((!outcome.genesis_pinned).then(unpinned));
    warnings.extend(outcome.archived.filter(|archived| !archived.verified).map(not_given));
    warnings.extend(good_after(&outcome));
    warnings.extend(outcome.warnings.into_iter().map(warning));
    let genesis =
        Genesis { hash: outcome.genesis.map(|hash| hash.to_string()), pinned: outcome.genesis_pinned };
    let (replay, odd) =
        replayed.map_or((None, Vec::new()), |replayed| (Some(replayed.replay), replayed.warnings));
    warnings.extend(odd);
    warnings.extend(replay.as_ref().and_then(unknown_judge));
    Verification {
        schema: SCHEMA.to_owned(),
        ok,
        entries: outcome.entries,
        head: outcome.head.map(|(seq, hash)| SeenHead { seq, hash: hash.to_string() }),
        ledger: outcome.ledger,
        genesis,
        from: None,
        archived: outcome.archived.map(archived),
        anchored: comparison.anchored,
        first_bad: bad,
        warnings,
        replay,
    }
}

fn archived(found: verify::Archived) -> Archived {
    let verify::Archived { moved, before, statement, verified } = found;
    Archived { entries: moved, before, statement, verified }
}

fn first_bad(bad: &verify::FirstBad) -> FirstBad {
    FirstBad { seq: bad.seq, reason: format!("{}: {}", bad.code, bad.reason), code: bad.code.to_owned() }
}

/// Segments alone are no ledger: what came behind them was not looked at.
pub(crate) fn segments_only() -> Warning {
    let message = "only segments of an archive were read, not the ledger that they belong to; \
                   name the ledger, and the segments with --archive";
    Warning::new("segments-only", message)
}

/// That entries were decided by a judge that this build does not know.
fn unknown_judge(replay: &Replay) -> Option<Warning> {
    let message = "entries say that a newer judge decided them, so nobody can tell here whether they are right; \
                   verify with a gate-verify of that version";
    (replay.unknown > 0).then(|| Warning::new("unknown-judge", message).about(Some(replay.unknown), None))
}

fn unpinned() -> Warning {
    let message = "nothing outside the ledger says which one this is \
                   (--genesis, or [ledger] genesis in the policy)";
    Warning::new("genesis-unpinned", message).about(None, Some(0))
}

/// That archived entries were not looked at.
fn not_given(archived: verify::Archived) -> Warning {
    let message = "entries are in an archive and were not looked at; give its segments with --archive";
    Warning::new("archived", message).about(Some(archived.moved), None)
}

/// That the entries before the place where the verification began were not looked at.
pub(crate) fn not_looked_at(begun: Option<&Begun>) -> Option<Warning> {
    let begun = begun?;
    let message =
        "entries before the proven one were not looked at; whoever signed its checkpoint vouches for them";
    Some(Warning::new("not-looked-at", message).about(Some(begun.size), Some(0)))
}

/// That witnesses of the quorum file cannot be heard.
pub(crate) fn unsupported(witnesses: &[String]) -> Option<Warning> {
    let message = format!(
        "the keys of these witnesses are of a type that cannot be checked here, so they never count: {}",
        witnesses.join(", ")
    );
    let count = u64::try_from(witnesses.len()).ok();
    (!witnesses.is_empty()).then(|| Warning::new("witness-unsupported", message).about(count, None))
}

/// How much behind the first bad entry is intact in itself.
fn good_after(outcome: &Outcome) -> Option<Warning> {
    let message = "entries behind the first bad one are intact in themselves; the chain does not reach them";
    let count = outcome.good_after;
    (count > 0).then(|| Warning::new("good-after", message).about(Some(count), None))
}

fn warning(warning: verify::Warning) -> Warning {
    let verify::Warning { code, message, count, seq } = warning;
    Warning { code: code.to_owned(), message, count, seq }
}
