//! Commands that settle what is open, for whoever may: with the options without which they would not do it.
//!
//! A reason that is needed is left out: it is asked for on a terminal, and nobody shall paste one.

use gate_judge::policy_text::Loaded;
use gate_model::decision::Suggestion;
use gate_model::principal::Assurance;
use gate_model::quote;
use gate_policy::{Policy, Rule};
use serde::Serialize;

/// The command that settles an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remedy {
    /// Quoted for a POSIX shell.
    pub command: String,
    /// The same as a list of arguments.
    pub argv: Vec<String>,
}

impl Remedy {
    pub(crate) fn new(argv: Vec<String>) -> Self {
        Self { command: quote::command(&argv), argv }
    }

    /// What approves the request `id`, which waits under the rule with this number.
    pub(crate) fn approve(policy: Option<&Policy>, gate: &str, id: u64, rule: u64) -> Self {
        let approvals = rule_of(policy, gate, rule).and_then(|rule| rule.approvals.as_ref());
        Self::acting("approve", id, &[], approvals.map(|approvals| approvals.assurance))
    }

    /// What reviews the opt-out `id`, which break-glass granted by the rule with this number.
    pub(crate) fn review(policy: Option<&Policy>, gate: &str, id: u64, rule: Option<u64>) -> Self {
        let rule = rule.and_then(|rule| rule_of(policy, gate, rule)).filter(|rule| rule.break_glass);
        Self::acting("review", id, &["--verdict", "accepted"], rule.map(|rule| rule.assurance))
    }

    /// What does `verb` to `id`, signed where more than a name is asked for; a token of a CI system would do as well.
    pub(crate) fn acting(verb: &str, id: u64, options: &[&str], known: Option<Assurance>) -> Self {
        let id = id.to_string();
        let sign = known.filter(|assurance| *assurance != Assurance::Asserted).map(|_| "--sign");
        let words = ["gate-skip", verb, &id].into_iter().chain(options.iter().copied()).chain(sign);
        Self::new(words.map(str::to_owned).collect())
    }

    /// The same under the revision of the policy that was named here, if one was: pasted without it, the command would be
    /// judged by whatever lies in the work tree.
    #[must_use]
    pub(crate) fn under(mut self, today: &Loaded) -> Self {
        repeat(&mut self.argv, &mut self.command, today);
        self
    }
}

/// The suggestion under the revision of the policy that was named here, as [`Remedy::under`].
pub(crate) fn suggested(mut suggestion: Suggestion, today: &Loaded) -> Suggestion {
    repeat(&mut suggestion.argv, &mut suggestion.command, today);
    suggestion
}

fn repeat(argv: &mut Vec<String>, command: &mut String, today: &Loaded) {
    if let Some(revision) = &today.revision {
        argv.extend(["--policy-ref".to_owned(), revision.clone()]);
        *command = quote::command(argv);
    }
}

fn rule_of<'p>(policy: Option<&'p Policy>, gate: &str, number: u64) -> Option<&'p Rule> {
    policy?.gate(gate).ok()?.rule(number)
}
