//! The one-line summary that each tool writes to stderr unless it is told to be quiet.

use gate_model::decision::{Decision, OptOut, Verdict};
use gate_model::grant::{Grant, Status};
use gate_model::time::Timestamp;
use gate_model::verification::Verification;

use super::grant::status_word;
use super::verification::{anchored, archived, begun, replayed};
use super::words::{count, ends};
use crate::message::line;

/// `gate-check: lint: pass (status 0; entry 42)`, with its newline.
pub fn decision(tool: &str, decision: &Decision, now: Timestamp) -> String {
    let why = decision_phrase(decision, now);
    let mut notes = Vec::new();
    let observed = decision.only_observed();
    notes.extend(observed.map(|until| format!("observed until {}, it stops nobody", ends(until, now))));
    // Nothing is told twice: the phrase may have said it.
    let status = decision.status.map(|status| format!("status {status}"));
    notes.extend(status.filter(|status| !why.ends_with(status.as_str())));
    if !decision.waived.is_empty() {
        notes.push(format!("{} waived", decision.waived.len()));
    }
    if decision.suppressed > 0 {
        notes.push(format!("{} suppressed by the report", decision.suppressed));
    }
    if let Some(notice) = decision.notices.first() {
        notes.push(match decision.notices.len() {
            1 => notice.clone(),
            all => format!("{notice}, and {} more", all - 1),
        });
    }
    if !decision.unneeded.is_empty() {
        notes.push(format!("{} not needed", count(decision.unneeded.len(), "opt-out")));
    }
    notes.extend(soon(decision, now));
    if !decision.context.conflicts.is_empty() {
        notes.push(format!("facts contradict each other: {}", decision.context.conflicts.join(", ")));
    }
    notes.extend(decision.clock_ahead.map(clock_behind));
    notes.extend(judged_again(decision.lost));
    notes.push(super::recorded(decision, "not recorded"));
    let why = if why.is_empty() { why } else { format!(": {why}") };
    let (gate, verdict) = (&decision.gate, decision.decision.as_str());
    line(tool, &format!("{gate}: {verdict}{why} ({})", notes.join("; ")))
}

/// Which opt-outs end soon, and when; nothing of one whose end the verdict names.
fn soon(decision: &Decision, now: Timestamp) -> Option<String> {
    let named = matches!(decision.decision, Verdict::Skip | Verdict::Override | Verdict::Hold);
    let told = |id: u64| named && deciding(decision).is_some_and(|by| by.id == id);
    let ending: Vec<&OptOut> = decision.ending.iter().filter(|opt_out| !told(opt_out.id)).collect();
    let next = ending.iter().min_by_key(|opt_out| opt_out.expires)?;
    let (id, end) = (next.id, ends(next.expires, now));
    Some(match ending.len() {
        1 => format!("opt-out {id} ends {end}"),
        all => format!("{all} opt-outs end soon, the next is {id}: {end}"),
    })
}

/// That this machine's clock is so many seconds behind the newest entry.
pub fn clock_behind(ahead: i64) -> String {
    format!("the newest entry is {ahead} s ahead of this machine's clock, and opt-outs end that much earlier")
}

/// That others wrote to a remote ledger first; nothing where nobody did.
pub fn judged_again(lost: u32) -> Option<String> {
    (lost > 0).then(|| {
        let times = count(usize::try_from(lost).unwrap_or(usize::MAX), "time");
        format!("others wrote to the remote first, {times}, and it was judged again")
    })
}

/// What a verdict rests on, in half a sentence; empty where the verdict says it all.
fn decision_phrase(decision: &Decision, now: Timestamp) -> String {
    let reason =
        || decision.reasons.first().map(|reason| reason.trim_end_matches('.').to_owned()).unwrap_or_default();
    match decision.decision {
        Verdict::Pass => String::new(),
        Verdict::Fail if decision.blocking.is_empty() => reason(),
        Verdict::Fail if decision.blocking.len() == 1 => "1 finding blocks".to_owned(),
        Verdict::Fail => format!("{} findings block", decision.blocking.len()),
        Verdict::Skip | Verdict::Override => match deciding(decision) {
            Some(by) => format!("by opt-out {} of {} until {}", by.id, by.by, ends(by.expires, now)),
            None => reason(),
        },
        Verdict::Hold | Verdict::Run => reason(),
    }
}

/// The opt-out that decided: of several that were used the one whose action it was, not a waiver beside it.
fn deciding(decision: &Decision) -> Option<&OptOut> {
    let word = decision.decision.as_str();
    let did = decision.grants.iter().find(|grant| grant.action.as_str() == word);
    did.or_else(|| decision.grants.first())
}

/// `gate-skip: lint: granted: skip until 2026-11-22T20:30:35Z (in 4h) (opt-out 41)`, with its newline.
pub fn grant(tool: &str, grant: &Grant, now: Timestamp) -> String {
    let gate = grant.gate.as_ref().map_or_else(String::new, |gate| format!("{gate}: "));
    let id = grant.id.map_or_else(String::new, |id| format!(" (opt-out {id})"));
    let phrase = grant_phrase(grant, now);
    let phrase = if phrase.is_empty() { phrase } else { format!(": {phrase}") };
    line(tool, &format!("{gate}{}{phrase}{id}", status_word(grant.status)))
}

/// What somebody who asked wants to know first.
pub(super) fn grant_phrase(grant: &Grant, now: Timestamp) -> String {
    let reason = grant.reasons.first().map(|reason| reason.trim_end_matches('.').to_owned());
    let action = grant.action.map(|action| action.to_string());
    let until = grant.expires.map(|expires| format!("until {}", ends(expires, now)));
    let owes = grant.owes.as_ref().map(|owes| format!("owes a {} by {}", owes.what, ends(owes.by, now)));
    let words = |parts: [Option<String>; 3]| parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    match grant.status {
        Status::Granted => words([action, until, owes]),
        Status::Pending => words([action, Some(awaited(grant)), None]),
        Status::Denied | Status::Revoked | Status::Reviewed | Status::Nothing => reason.unwrap_or_default(),
    }
}

/// How many approvals are missing, and whose.
fn awaited(grant: &Grant) -> String {
    let Some(approvals) = &grant.approvals else { return "needs an approval".to_owned() };
    let given = u64::try_from(approvals.given.len()).unwrap_or(u64::MAX);
    let missing = count(approvals.needed.saturating_sub(given), "approval");
    format!("needs {missing} from {}", approvals.from.join(", "))
}

/// `gate-verify: ok: 42 entries; unanchored; genesis: unpinned`, with its newline.
pub fn verification(tool: &str, verification: &Verification) -> String {
    let mut notes = vec![count(verification.entries, "entry"), anchored(verification)];
    notes.extend(verification.from.as_ref().map(begun));
    notes.extend(archived(verification));
    if !verification.genesis.pinned {
        notes.push("genesis: unpinned".to_owned());
    }
    notes.extend(verification.replay.as_ref().map(replayed));
    let told = ["unanchored", "genesis-unpinned"];
    let codes = verification.warnings.iter().map(|warning| warning.code.as_str());
    notes.extend(codes.filter(|code| !told.contains(code)).map(str::to_owned));
    let verdict = match &verification.first_bad {
        _ if verification.ok => "ok".to_owned(),
        Some(bad) => format!("not ok: entry {}: {}; before it", bad.seq, bad.reason),
        None => "not ok".to_owned(),
    };
    line(tool, &format!("{verdict}: {}", notes.join("; ")))
}

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
