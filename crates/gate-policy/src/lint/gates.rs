//! Findings about a gate as a whole.

use gate_model::gate::GateName;
use gate_model::text::count;
use gate_model::time::Timestamp;

use super::Linter;
use crate::policy::Gate;

/// How many seconds a day has.
const DAY: u64 = 86_400;

/// How much of a trial is left at `now`: a gate that stops nobody should not be taken for one that does, and one that
/// began to in silence surprises.
pub(super) fn trial(linter: &mut Linter<'_>, name: &GateName, gate: &Gate, now: Timestamp) {
    let Some(until) = gate.observed_until else { return };
    let left = until.seconds_since(now);
    let until = until.to_second();
    let (message, help) = if left > 0 {
        let days = count(left.unsigned_abs().div_ceil(DAY), "more day");
        (
            format!("gate '{name}' is observed and stops nobody for {days}, until {until}"),
            "enforce it as soon as it is quiet",
        )
    } else {
        (format!("gate '{name}' enforces since {until}"), "take mode and until out")
    };
    linter.warn(&gate.span, "observed", message, help);
}

pub(super) fn check(linter: &mut Linter<'_>, name: &GateName, gate: &Gate) {
    if gate.can_be_paused() && !gate.require_ledger {
        let message = format!("gate '{name}' can be paused, and a pause vanishes with the ledger");
        linter.warn(&gate.span, "pause-without-ledger", message, "add require_ledger = true to the gate");
    }
    if gate.accept_errors {
        let message = format!("gate '{name}' passes scans whose tool reports errors of its own");
        let help = "mend what the tool complains about, and take report_errors = \"accept\" out";
        linter.warn(&gate.span, "accepts-errors", message, help);
    }
}
