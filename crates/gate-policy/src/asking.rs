//! What would have to be asked for, so that a rule takes it: for the commands that the tools suggest.
//!
//! Invariant: judged by the functions that judge a request, so nothing is suggested that the policy would not take from
//! whoever its `who` names.

use gate_model::action::Action;
use gate_model::context::Context;
use gate_model::finding::Evidence;
use gate_model::glob;
use gate_model::payload::Ask;
use gate_model::principal::Assurance;
use gate_model::request::Ttl;
use gate_model::scope::Scope;

use crate::policy::Gate;
use crate::rule::{Rule, ScopeKind};
use crate::{conditions, evidence, reach};

/// What a request has to say beside its gate, its action, its findings and a reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// What it is bound to by words of its own; what it is bound to in any case is not in it.
    pub scope: Scope,
    /// Whether a ticket is needed.
    pub ticket: bool,
    /// Whether it has to invoke a break-glass rule.
    pub break_glass: bool,
    /// Whether it has to be signed by somebody who has no token.
    pub signed: bool,
}

/// What may bind an opt-out, the narrowest first. A run comes last: it is over by the time somebody asks, and only its
/// re-run is left to go past.
const NARROWEST: [ScopeKind; 6] = [
    ScopeKind::Commit,
    ScopeKind::Change,
    ScopeKind::Ref,
    ScopeKind::Environment,
    ScopeKind::Repository,
    ScopeKind::Run,
];

/// The least that some rule of `gate` wants to hear for `action` on `findings`, about a run with the facts of `run`. It
/// is asked where the facts are those of `here`. Nothing where no rule would take it, whatever it says.
pub fn wanted(
    gate: &Gate,
    action: Action,
    findings: &[Evidence],
    run: &Context,
    here: &Context,
) -> Option<Wanted> {
    // An opt-out does not count in a run whose facts contradict each other.
    if !run.conflicts.is_empty() {
        return None;
    }
    let mut rules: Vec<&Rule> = gate.allow.iter().filter(|rule| rule.actions.contains(&action)).collect();
    rules.sort_by_key(|rule| {
        (rule.break_glass, !rule.grants_at_once(), rule.ticket.is_some(), rule.assurance)
    });
    rules.into_iter().find_map(|rule| of_rule(gate, rule, action, findings, run, here))
}

fn of_rule(
    gate: &Gate,
    rule: &Rule,
    action: Action,
    findings: &[Evidence],
    run: &Context,
    here: &Context,
) -> Option<Wanted> {
    let mut ask = Ask {
        action,
        reason: String::new(),
        ticket: None,
        scope: Scope::default(),
        findings: findings.to_vec(),
        ttl: Ttl::of(0),
        max_uses: None,
        break_glass: rule.break_glass,
        renews: None,
    };
    if !evidence::failures(gate, rule, &ask).is_empty() {
        return None;
    }
    let passes = matches!(action, Action::Skip | Action::Override);
    let scope = scopes(rule, run).into_iter().find(|scope| {
        ask.scope.clone_from(scope);
        // A way past the whole gate that says nothing of where is asked for as one for the commit at hand.
        if passes && *scope == Scope::default() {
            if here.commit.is_none() {
                return false;
            }
            ask.scope.commit.clone_from(&here.commit);
        }
        let reached = reach::narrow(rule, &ask, here);
        reached.is_ok_and(|scope| conditions::facts(rule.facts, &scope, run).is_ok())
    })?;
    Some(Wanted {
        scope,
        ticket: rule.ticket.is_some(),
        break_glass: rule.break_glass,
        signed: rule.assurance > Assurance::Asserted,
    })
}

/// The scopes that may be asked for: those that say the least first, then the narrowest.
fn scopes(rule: &Rule, run: &Context) -> Vec<Scope> {
    let environment = (!rule.environments.is_empty()).then_some(ScopeKind::Environment);
    let git_ref = (!rule.refs.is_empty()).then_some(ScopeKind::Ref);
    let mut pins = environment.into_iter().chain(git_ref);
    let Some(pinned) = pins.try_fold(Scope::default(), |scope, kind| bound(scope, kind, run)) else {
        return Vec::new();
    };
    let narrow = NARROWEST.into_iter().filter_map(|kind| bound(pinned.clone(), kind, run));
    [Scope::default(), pinned.clone()].into_iter().chain(narrow).collect()
}

/// `scope`, bound to what `kind` is in `run`; nothing where that is unknown.
fn bound(scope: Scope, kind: ScopeKind, run: &Context) -> Option<Scope> {
    Some(match kind {
        ScopeKind::Repository => Scope { repository: Some(run.repository.clone()?), ..scope },
        ScopeKind::Commit => Scope { commit: Some(run.commit.clone()?), ..scope },
        ScopeKind::Ref => Scope { git_ref: Some(glob::escape(run.git_ref.as_deref()?)), ..scope },
        ScopeKind::Change => Scope { change: Some(run.change.clone()?), ..scope },
        ScopeKind::Environment => Scope { environment: Some(run.environment.clone()?), ..scope },
        ScopeKind::Run => Scope { run: Some(run.run.as_ref()?.id.clone()), ..scope },
    })
}
