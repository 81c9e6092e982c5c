//! The narrowest commands that would ask for a way past what blocks.
//!
//! A suggestion is only made where some rule of the gate allows its action at all. It has no reason, and a ticket where
//! the rules ask for one is left empty. `gate-skip` asks for the reason on a terminal, and refuses where it cannot: a
//! pasted command cannot be granted without a word.

use gate_findings::evidence;
use gate_findings::match_syntax::Match;
use gate_model::action::Action;
use gate_model::decision::{Suggestion, Verdict};
use gate_model::quote;
use gate_policy::Gate;

use crate::judgement::Ruling;

/// How many findings get a command each.
pub const MAX_FINDINGS: usize = 1000;
/// How many groups of findings one command names; for more of them it takes the decision's document.
pub const MAX_NAMED: usize = 10;

/// Commands that would ask for a way past.
#[derive(Debug, Default)]
pub struct Ways {
    /// One for each group of identical findings, else one for the gate.
    pub each: Vec<Suggestion>,
    /// One for everything that blocks, where `each` are several.
    pub all: Option<Suggestion>,
}

/// Commands for what blocks in `ruling`.
pub fn ways_past(name: &str, gate: &Gate, ruling: &Ruling) -> Ways {
    let each = each(name, gate, ruling);
    let all = (each.len() > 1).then(|| past_all(name, ruling.blocking.len(), &each));
    Ways { each, all }
}

/// What all of `waivers` ask for, in one command.
fn past_all(name: &str, findings: usize, waivers: &[Suggestion]) -> Suggestion {
    let with_ticket = waivers.iter().any(|waiver| waiver.argv.iter().any(|word| word == "--ticket"));
    if waivers.len() > MAX_NAMED {
        let purpose = format!("accept all {findings} findings, as --decision decision.json names them");
        return suggestion(purpose, vec!["decision.json".to_owned()], with_ticket);
    }
    let mut arguments = vec![name.to_owned()];
    arguments.extend(waivers.iter().flat_map(|waiver| waiver.argv.iter().skip(2).take(2).cloned()));
    suggestion(format!("accept all {findings} findings"), arguments, with_ticket)
}

fn each(name: &str, gate: &Gate, ruling: &Ruling) -> Vec<Suggestion> {
    if ruling.verdict != Verdict::Fail || ruling.did_not_run.is_some() {
        return Vec::new();
    }
    let allowed = |action| gate.allow.iter().any(|rule| rule.actions.contains(&action));
    if !ruling.blocking.is_empty() && allowed(Action::Waive) {
        return waivers(name, ruling, needs_ticket(gate, Action::Waive));
    }
    if allowed(Action::Override) {
        let purpose = "let this commit past, though the gate fails".to_owned();
        let arguments = [name, "--action", "override"].map(str::to_owned).to_vec();
        return vec![suggestion(purpose, arguments, needs_ticket(gate, Action::Override))];
    }
    if ruling.blocking.is_empty() && allowed(Action::Skip) {
        let purpose = "let this commit past without running the gate".to_owned();
        return vec![suggestion(purpose, vec![name.to_owned()], needs_ticket(gate, Action::Skip))];
    }
    Vec::new()
}

/// Whether every rule that allows `action` asks for a ticket: then a command without one is denied.
fn needs_ticket(gate: &Gate, action: Action) -> bool {
    gate.allow.iter().filter(|rule| rule.actions.contains(&action)).all(|rule| rule.ticket.is_some())
}

fn waivers(name: &str, ruling: &Ruling, with_ticket: bool) -> Vec<Suggestion> {
    // Identical findings share a command, so more findings than commands are looked at.
    let looked_at = ruling.blocking.len().min(20 * MAX_FINDINGS);
    let groups = evidence::of(&ruling.blocking[..looked_at]);
    let one = |evidence: &gate_model::finding::Evidence| {
        let wanted = Match::from(evidence).to_string();
        let purpose = match evidence.count {
            1 => format!("accept this finding of {}", evidence.rule),
            count => format!("accept these {count} findings of {}", evidence.rule),
        };
        suggestion(purpose, vec![name.to_owned(), "--waive".to_owned(), wanted], with_ticket)
    };
    groups.iter().take(MAX_FINDINGS).map(one).collect()
}

fn suggestion(purpose: String, arguments: Vec<String>, with_ticket: bool) -> Suggestion {
    let mut argv = vec!["gate-skip".to_owned()];
    argv.extend(arguments);
    if with_ticket {
        argv.extend(["--ticket".to_owned(), String::new()]);
    }
    Suggestion { purpose, command: quote::command(&argv), argv }
}
