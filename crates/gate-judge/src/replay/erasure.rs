//! Verdicts that rest on text which was erased: what comes out otherwise without it is not wrong, it is not judged.
//!
//! Whatever needs no erased text is judged as ever. Where one is missing a name reads as its pseudonym and a reason
//! as the word `erased`, and a verdict that still comes out as recorded needed neither.

use gate_ledger::entry::{Entry, Kind};
use gate_ledger::redaction;

use super::State;
use super::report::{Doubt, Judged};

impl State {
    /// Takes note of an entry in an opt-out's life of which something was erased.
    pub(super) fn note_erased(&mut self, entry: &Entry) {
        let in_a_life = matches!(entry.kind, Kind::Request | Kind::Grant | Kind::Approval);
        if in_a_life && self.has_erased(entry) {
            self.erased.insert(crate::records::id_of(entry));
        }
    }

    /// Whether something in the life of the opt-out `id` was erased.
    pub(super) fn is_erased(&self, id: u64) -> bool {
        self.erased.contains(&id)
    }

    /// The judgement on `entry`, where what was erased may have decided it.
    pub(super) fn excuse(&self, entry: &Entry, judged: Judged) -> Judged {
        let gate = entry.gate.as_deref().and_then(|gate| self.opt_outs.of_gate(gate));
        let unsure = gate.is_some_and(|gate| gate.admissions.was_unsure());
        let own = self.has_erased(entry);
        match judged {
            Err(Doubt::Wrong(_)) if own || unsure || self.is_erased(crate::records::id_of(entry)) => {
                Err(Doubt::Erased)
            }
            // A denial of somebody unknown comes out whatever the rules say of the person whom it denied.
            Ok(()) if own && entry.kind == Kind::Denial => Err(Doubt::Erased),
            judged => judged,
        }
    }

    /// Whether something of `entry` was erased. Under a policy that commits to nothing it is a forgery that looks so.
    fn has_erased(&self, entry: &Entry) -> bool {
        redaction::has_erased(entry.kind, &entry.actor, &entry.data) && self.policy_log.may_commit(entry)
    }

    /// What to say where the opt-out `id` is what speaks against a verdict, because of `reason`.
    pub(super) fn against(&self, id: u64, reason: String) -> Doubt {
        if self.is_erased(id) { Doubt::Erased } else { Doubt::Wrong(reason) }
    }
}
