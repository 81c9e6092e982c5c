//! How far a grant reaches: the scope that was asked for, narrowed to what the rule demands.
//!
//! A skip or an override is bound to a commit or to a run; a rule may allow a ref or an environment in their
//! place (`scopes`, or by naming `refs` or `environments`). A waiver is bound to the repository. A pause reaches
//! the gate. Nothing ever reaches everything.
//!
//! `environments` and `refs` of a rule must be pinned by the grant itself: by the scope that was asked for, else
//! by the run in which it was asked, whose environment or ref then becomes part of the scope. A grant admitted in
//! one environment can so never count in another one, whatever the rule looks like later.

use gate_model::action::Action;
use gate_model::context::Context;
use gate_model::payload::Ask;
use gate_model::scope::Scope;
use gate_model::text::visible;

use crate::pattern::{RefGlob, literal};
use crate::rule::{Rule, ScopeKind};

/// The scope of a grant of `rule`.
///
/// # Errors
/// What would have to be asked for instead.
pub(crate) fn narrow(rule: &Rule, ask: &Ask, context: &Context) -> Result<Scope, Vec<String>> {
    let mut scope = ask.scope.clone();
    let mut failed = Vec::new();
    failed.extend(pin_environment(rule, &mut scope, context).err());
    failed.extend(pin_ref(rule, &mut scope, context).err());
    if ask.action != Action::Pause && scope.repository.is_none() {
        scope.repository.clone_from(&context.repository);
    }
    failed.extend(bind(rule, ask, &mut scope, context).err());
    if failed.is_empty() { Ok(scope) } else { Err(failed) }
}

fn pin_environment(rule: &Rule, scope: &mut Scope, context: &Context) -> Result<(), String> {
    if rule.environments.is_empty() {
        return Ok(());
    }
    let names = rule.environments.join(" or ");
    let allowed = |name: &String| rule.environments.contains(name);
    match (&scope.environment, &context.environment) {
        (Some(asked), _) if allowed(asked) => Ok(()),
        (Some(asked), _) => Err(format!("is for environment {names} ({} was asked for)", visible(asked))),
        (None, Some(here)) if allowed(here) => {
            scope.environment = Some(here.clone());
            Ok(())
        }
        (None, Some(here)) => Err(format!("is for environment {names} (this run is in {})", visible(here))),
        (None, None) => Err(format!("is for environment {names}: give --environment (this run names none)")),
    }
}

fn pin_ref(rule: &Rule, scope: &mut Scope, context: &Context) -> Result<(), String> {
    let asked = match &scope.git_ref {
        Some(asked) => Some(RefGlob::new(asked).map_err(|error| format!("needs another ref: {error}"))?),
        None => None,
    };
    if rule.refs.is_empty() {
        return Ok(());
    }
    let names = rule.refs.iter().map(RefGlob::as_str).collect::<Vec<_>>().join(" or ");
    match (asked, &context.git_ref) {
        (Some(asked), _) if rule.refs.iter().any(|glob| glob.contains(&asked)) => Ok(()),
        (Some(asked), _) => Err(format!("is for ref {names} ({} was asked for)", visible(asked.as_str()))),
        (None, Some(here)) if rule.refs.iter().any(|glob| glob.is_match(here)) => {
            scope.git_ref = Some(gate_model::glob::escape(here));
            Ok(())
        }
        (None, Some(here)) => Err(format!("is for ref {names} (this is {})", visible(here))),
        (None, None) => Err(format!("is for ref {names}: give --ref (the ref of this run is unknown)")),
    }
}

/// Binds the scope to something narrow enough for the action.
fn bind(rule: &Rule, ask: &Ask, scope: &mut Scope, context: &Context) -> Result<(), String> {
    match ask.action {
        Action::Pause => Ok(()),
        Action::Waive => bind_waiver(scope, context),
        Action::Skip | Action::Override => bind_pass(rule, ask, scope, context),
    }
}

/// In a repository without a name (no remote) the waiver stays without one and counts only where the repository
/// has none either; see [`repository_holds`].
fn bind_waiver(scope: &Scope, context: &Context) -> Result<(), String> {
    if scope.repository.is_some() || scope.is_narrow() || context.commit.is_some() {
        return Ok(());
    }
    Err("is for one repository, and this is none: give --commit, --run or --environment".to_owned())
}

fn bind_pass(rule: &Rule, ask: &Ask, scope: &mut Scope, context: &Context) -> Result<(), String> {
    // A request that says nothing of the place is for the commit; one that names the repository alone is for all of it.
    if member(&ask.scope, ScopeKind::Repository).is_some() && rule.scopes.contains(&ScopeKind::Repository) {
        return Ok(());
    }
    if !ask.scope.is_narrow() && rule.scopes.contains(&ScopeKind::Commit) && context.commit.is_some() {
        scope.commit.clone_from(&context.commit);
    }
    let bound: Vec<ScopeKind> =
        ScopeKind::ALL.into_iter().filter(|kind| member(scope, *kind).is_some()).collect();
    let allowed: Vec<ScopeKind> = bound.iter().copied().filter(|kind| rule.scopes.contains(kind)).collect();
    if allowed.is_empty() {
        let wanted =
            rule.scopes.iter().map(|kind| format!("--{}", kind.as_str())).collect::<Vec<_>>().join(" or ");
        let asked = bound.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" and ");
        let asked = if asked.is_empty() { "nothing narrow" } else { &asked };
        return Err(format!("needs to be bound by {wanted} ({asked} was asked for)"));
    }
    let by_ref_alone = allowed == [ScopeKind::Ref];
    match &scope.git_ref {
        Some(glob) if by_ref_alone && rule.refs.is_empty() && literal(glob).is_none() => {
            Err(format!("allows one ref by its full name, not the pattern {}", visible(glob)))
        }
        _ => Ok(()),
    }
}

/// The member of a scope that `kind` stands for. Every opt-out but a pause is for one repository; it is bound by that where
/// it names nothing narrower.
fn member(scope: &Scope, kind: ScopeKind) -> Option<&String> {
    match kind {
        ScopeKind::Repository => scope.repository.as_ref().filter(|_| !scope.is_narrow()),
        ScopeKind::Commit => scope.commit.as_ref(),
        ScopeKind::Ref => scope.git_ref.as_ref(),
        ScopeKind::Change => scope.change.as_ref(),
        ScopeKind::Environment => scope.environment.as_ref(),
        ScopeKind::Run => scope.run.as_ref(),
    }
}

/// Whether a grant that names no repository may count here.
///
/// It was admitted in a repository without a name, whatever else it is bound to: an environment and a run have the same
/// names everywhere. Taking away a clone's remote must not make a grant count in each repository of the ledger.
pub(crate) fn repository_holds(action: Action, scope: &Scope, here: &Context) -> Result<(), String> {
    match &here.repository {
        Some(name) if action != Action::Pause && scope.repository.is_none() => {
            Err(format!("is for a repository without a name, not {}", visible(name)))
        }
        _ => Ok(()),
    }
}
