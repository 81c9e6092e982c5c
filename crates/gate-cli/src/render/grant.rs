//! An answer of `gate-skip` as a sheet.

use gate_model::action::Action;
use gate_model::grant::{Approvals, Grant, Status};
use gate_model::time::Timestamp;

use super::sheet::{Sheet, Tone};
use super::words::{ends, instant, principal, scope};

/// The word for a status.
pub(super) const fn status_word(status: Status) -> &'static str {
    match status {
        Status::Granted => "granted",
        Status::Pending => "pending",
        Status::Denied => "denied",
        Status::Revoked => "revoked",
        Status::Reviewed => "reviewed",
        Status::Nothing => "nothing",
    }
}

const fn tone(status: Status) -> Tone {
    match status {
        Status::Granted => Tone::Good,
        Status::Pending => Tone::Notable,
        Status::Denied => Tone::Bad,
        Status::Revoked | Status::Reviewed | Status::Nothing => Tone::Plain,
    }
}

/// The gate and how the request stands: `lint: granted`.
pub(super) fn title(grant: &Grant) -> String {
    let word = status_word(grant.status);
    grant.gate.as_ref().map_or_else(|| word.to_owned(), |gate| format!("{gate}: {word}"))
}

/// What `grant` says to a person at `now`.
pub(super) fn sheet(grant: &Grant, now: Timestamp) -> Sheet {
    let mut sheet = Sheet::new(title(grant), tone(grant.status));
    sheet.maybe("id", grant.id.map(|id| id.to_string()));
    sheet.maybe("action", grant.action.map(Action::as_str));
    sheet.maybe("scope", grant.scope.as_ref().map(scope));
    sheet.maybe("from", grant.not_before.map(instant));
    sheet.maybe("until", grant.expires.map(|time| ends(time, now)));
    sheet.maybe("uses", grant.max_uses.map(|uses| format!("at most {uses}")));
    sheet.maybe("by", grant.by.as_ref().map(principal));
    sheet.maybe("approvals", grant.approvals.as_ref().map(approvals));
    sheet.maybe("owes", grant.owes.as_ref().map(|owes| format!("{} by {}", owes.what, ends(owes.by, now))));
    sheet.fact("recorded", grant.seq.map_or_else(|| "no".to_owned(), |seq| format!("entry {seq}")));
    sheet.list("accepts", grant.findings.iter().map(ToString::to_string).collect());
    sheet.because.clone_from(&grant.reasons);
    sheet
}

/// `1 of 2, by bob@example.com; from group:security`.
fn approvals(approvals: &Approvals) -> String {
    let mut text = format!("{} of {}", approvals.given.len(), approvals.needed);
    if !approvals.given.is_empty() {
        text.push_str(&format!(", by {}", approvals.given.join(", ")));
    }
    if !approvals.from.is_empty() {
        text.push_str(&format!("; from {}", approvals.from.join(", ")));
    }
    text
}
