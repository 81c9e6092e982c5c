//! The narrowest commands that would ask for a way past what blocks.
//!
//! A suggestion is only made where some rule of the gate takes it, with all that the rule wants to hear: what binds it,
//! a signature, break-glass. It has no reason, and a ticket where the rule asks for one is left empty. `gate-skip` asks
//! for the reason on a terminal, and refuses where it cannot: a pasted command cannot be granted without a word.

use gate_findings::evidence;
use gate_findings::match_syntax::Match;
use gate_model::action::Action;
use gate_model::context::Context;
use gate_model::decision::{Suggestion, Verdict};
use gate_model::finding::Evidence;
use gate_model::quote;
use gate_policy::{Gate, Wanted};

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

/// Commands for what blocks in `ruling`, in a run with the facts of `context`.
pub fn ways_past(name: &str, gate: &Gate, ruling: &Ruling, context: &Context) -> Ways {
    if ruling.verdict != Verdict::Fail || ruling.did_not_run.is_some() {
        return Ways::default();
    }
    let asking = Asking { name, gate, run: context, here: here(context) };
    let waivers = asking.waivers(ruling);
    if waivers.is_whole {
        return Ways { all: asking.past_all(ruling.blocking.len(), &waivers), each: waivers.commands() };
    }
    match asking.past_gate() {
        Some(one) => Ways { each: vec![one], all: None },
        None => Ways { each: waivers.commands(), all: None },
    }
}

/// What is known where a suggested command is pasted: the place itself, or, of a pipeline's run, only the repository.
fn here(run: &Context) -> Context {
    match run.provider {
        Some(_) => Context { repository: run.repository.clone(), ..Context::default() },
        None => run.clone(),
    }
}

/// About what is asked, and where.
struct Asking<'a> {
    name: &'a str,
    gate: &'a Gate,
    run: &'a Context,
    here: Context,
}

/// Waivers for what blocks.
#[derive(Default)]
struct Waivers {
    /// For each group of identical findings that some rule lets waive: its command, the finding as it names it, and what
    /// the rule wants to hear.
    each: Vec<(Suggestion, String, Wanted)>,
    /// Whether they are for everything that blocks.
    is_whole: bool,
}

impl Waivers {
    fn commands(self) -> Vec<Suggestion> {
        self.each.into_iter().map(|(suggestion, ..)| suggestion).collect()
    }
}

impl Asking<'_> {
    /// One command past the gate itself, the one that runs it first.
    fn past_gate(&self) -> Option<Suggestion> {
        let ways = [
            (Action::Override, ", though the gate fails", &["--action", "override"][..]),
            (Action::Skip, " without running the gate", &[]),
        ];
        ways.into_iter().find_map(|(action, how, options)| {
            let wanted = gate_policy::wanted(self.gate, action, &[], self.run, &self.here)?;
            let arguments = std::iter::once(self.name).chain(options.iter().copied()).map(str::to_owned);
            let purpose = format!("let {} past{how}", reach(&wanted));
            Some(suggestion(purpose, arguments.collect(), &wanted))
        })
    }

    fn waivers(&self, ruling: &Ruling) -> Waivers {
        // Identical findings share a command, so more findings than commands are looked at.
        let looked_at = ruling.blocking.len().min(20 * MAX_FINDINGS);
        let groups = evidence::of(&ruling.blocking[..looked_at]);
        let each: Vec<_> = groups.iter().take(MAX_FINDINGS).filter_map(|group| self.waiver(group)).collect();
        let is_whole = !each.is_empty() && each.len() == groups.len().min(MAX_FINDINGS);
        Waivers { each, is_whole }
    }

    fn waiver(&self, evidence: &Evidence) -> Option<(Suggestion, String, Wanted)> {
        let findings = std::slice::from_ref(evidence);
        let wanted = gate_policy::wanted(self.gate, Action::Waive, findings, self.run, &self.here)?;
        let named = Match::from(evidence).to_string();
        let purpose = match evidence.count {
            1 => format!("accept this finding of {}", evidence.rule),
            count => format!("accept these {count} findings of {}", evidence.rule),
        };
        let arguments = vec![self.name.to_owned(), "--waive".to_owned(), named.clone()];
        Some((suggestion(purpose, arguments, &wanted), named, wanted))
    }

    /// What all of several waivers ask for, in one command, where one rule takes them all.
    fn past_all(&self, findings: usize, waivers: &Waivers) -> Option<Suggestion> {
        let [(_, _, wanted), _, ..] = waivers.each.as_slice() else { return None };
        if waivers.each.iter().any(|(_, _, other)| other != wanted) {
            return None;
        }
        if waivers.each.len() > MAX_NAMED {
            let purpose = format!("accept all {findings} findings, as --decision decision.json names them");
            return Some(suggestion(purpose, vec!["decision.json".to_owned()], wanted));
        }
        let named = waivers.each.iter().flat_map(|(_, named, _)| ["--waive".to_owned(), named.clone()]);
        let arguments = std::iter::once(self.name.to_owned()).chain(named).collect();
        Some(suggestion(format!("accept all {findings} findings"), arguments, wanted))
    }
}

/// What a request is bound to, in words; the commit where it says nothing of it.
fn reach(wanted: &Wanted) -> &'static str {
    let scope = &wanted.scope;
    let kinds = [
        (scope.commit.is_some(), "this commit"),
        (scope.change.is_some(), "this change"),
        (scope.run.is_some(), "this run"),
        (scope.git_ref.is_some(), "this ref"),
        (scope.environment.is_some(), "this environment"),
        (scope.repository.is_some(), "this repository"),
    ];
    kinds.into_iter().find(|(is_bound, _)| *is_bound).map_or("this commit", |(_, words)| words)
}

fn suggestion(purpose: String, arguments: Vec<String>, wanted: &Wanted) -> Suggestion {
    let mut argv = vec!["gate-skip".to_owned()];
    argv.extend(arguments);
    let scope = &wanted.scope;
    let valued = [
        ("--commit", &scope.commit),
        ("--ref", &scope.git_ref),
        ("--environment", &scope.environment),
        ("--run", &scope.run),
    ];
    for (option, value) in valued {
        match value {
            // Behind a space it would be taken for an option.
            Some(value) if value.starts_with('-') => argv.push(format!("{option}={value}")),
            Some(value) => argv.extend([option.to_owned(), value.clone()]),
            None => {}
        }
    }
    argv.extend(scope.change.as_ref().map(|change| format!("--change={change}")));
    let switches = [
        (scope.repository.is_some(), "--repository"),
        (wanted.break_glass, "--break-glass"),
        (wanted.signed, "--sign"),
    ];
    argv.extend(switches.into_iter().filter(|(on, _)| *on).map(|(_, option)| option.to_owned()));
    if wanted.ticket {
        argv.extend(["--ticket".to_owned(), String::new()]);
    }
    Suggestion { purpose, command: quote::command(&argv), argv }
}
