//! The verification document, from what was found.

use gate_ledger::verify::{self, Outcome};
use gate_model::request::SeenHead;
use gate_model::verification::{FirstBad, Genesis, SCHEMA, Verification, Warning};

use gate_workflow::replay::Replayed;

use crate::anchor::Comparison;

/// The document. It is ok where no entry is bad, no checkpoint contradicts or does not count, and nothing is
/// uncovered that must be covered; and, where it was judged again, no judgement comes out otherwise.
pub(crate) fn verification(
    outcome: Outcome,
    comparison: Comparison,
    replayed: Option<Replayed>,
) -> Verification {
    let chain = outcome.first_bad.as_ref().map(first_bad);
    let bad = [chain, comparison.first_bad].into_iter().flatten().min_by_key(|bad| bad.seq);
    let agrees = replayed.as_ref().is_none_or(|replayed| replayed.replay.disagreements.is_empty());
    let ok = bad.is_none() && comparison.refused.is_empty() && agrees;
    let mut warnings = comparison.refused;
    warnings.extend(comparison.unanchored);
    warnings.extend((!outcome.genesis_pinned).then(unpinned));
    warnings.extend(good_after(&outcome));
    warnings.extend(outcome.warnings.into_iter().map(warning));
    let (replay, odd) =
        replayed.map_or((None, Vec::new()), |replayed| (Some(replayed.replay), replayed.warnings));
    warnings.extend(odd);
    Verification {
        schema: SCHEMA.to_owned(),
        ok,
        entries: outcome.entries,
        head: outcome.head.map(|(seq, hash)| SeenHead { seq, hash: hash.to_string() }),
        ledger: outcome.ledger,
        genesis: Genesis {
            hash: outcome.genesis.map(|hash| hash.to_string()),
            pinned: outcome.genesis_pinned,
        },
        anchored: comparison.anchored,
        first_bad: bad,
        warnings,
        replay,
    }
}

fn first_bad(bad: &verify::FirstBad) -> FirstBad {
    FirstBad { seq: bad.seq, reason: format!("{}: {}", bad.code, bad.reason), code: bad.code.to_owned() }
}

fn unpinned() -> Warning {
    let message = "genesis: unpinned; nothing outside the ledger says which one this is \
                   (--genesis, or [ledger] genesis in the policy)";
    Warning { code: "genesis-unpinned".to_owned(), message: message.to_owned(), count: None, seq: Some(0) }
}

/// How much behind the first bad entry is intact in itself.
fn good_after(outcome: &Outcome) -> Option<Warning> {
    let message = "entries behind the first bad one are intact in themselves; the chain does not reach them";
    (outcome.good_after > 0).then(|| Warning {
        code: "good-after".to_owned(),
        message: message.to_owned(),
        count: Some(outcome.good_after),
        seq: None,
    })
}

fn warning(warning: verify::Warning) -> Warning {
    let verify::Warning { code, message, count, seq } = warning;
    Warning { code: code.to_owned(), message, count, seq }
}
