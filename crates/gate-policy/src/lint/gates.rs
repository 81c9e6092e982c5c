//! Findings about a gate as a whole.

use gate_model::gate::GateName;

use super::Linter;
use crate::policy::Gate;

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
