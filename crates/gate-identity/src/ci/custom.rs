//! What somebody says in words of ours, where the CI system is not known or does not say it: `GATE_ACTOR`,
//! `GATE_REPOSITORY`, `GATE_REF`, `GATE_COMMIT`, `GATE_ENVIRONMENT`, `GATE_RUN_ID`, `GATE_RUN_URL`.
//!
//! Invariants: as asserted as every other variable. They fill what is unknown; a repository, commit, environment or ref
//! that a known system says otherwise is a conflict, and its person and run go before those that are named here. Whoever
//! sets one of them can so never change what a run is taken for unnoticed.

use gate_model::context::{Context, change_of};
use gate_model::repository::{is_another, remote_name};

use super::variables::{Variables, run};
use super::{CiFacts, reconcile};
use crate::git;

/// The name of the provider where only these variables speak.
const VIA: &str = "custom";

/// The facts of `known`, or of no known system, with what the variables add.
pub(super) fn complete(v: &Variables<'_>, known: Option<CiFacts>) -> Option<CiFacts> {
    let stated = read(v);
    match known {
        Some(known) => Some(joined(known, stated)),
        None if stated == CiFacts::default() => None,
        None => Some(named(stated)),
    }
}

fn read(v: &Variables<'_>) -> CiFacts {
    let mut refused = Vec::new();
    let mut full = |name: &str, value: Option<String>, is_good: fn(&str) -> bool, wanted: &str| {
        let (good, bad): (Vec<String>, Vec<String>) = value.into_iter().partition(|value| is_good(value));
        refused.extend(bad.iter().map(|_| format!("the variable {name} is not {wanted}, so it is not used")));
        good.into_iter().next()
    };
    let is_ref = |text: &str| text.starts_with("refs/");
    let git_ref = full("GATE_REF", v.get("GATE_REF"), is_ref, "a full name such as refs/heads/main");
    let built = full("GATE_COMMIT", v.get("GATE_COMMIT"), git::is_object_id, "a full object id");
    let is_repository = |text: &str| repository(text).is_some();
    let place = full("GATE_REPOSITORY", v.get("GATE_REPOSITORY"), is_repository, "host/path, or its url");
    let change = git_ref.as_deref().and_then(change_of).map(str::to_owned);
    CiFacts {
        actor: v.actor(VIA, &["GATE_ACTOR"]),
        pull_request: change.is_some(),
        context: Context {
            repository: place.as_deref().and_then(repository),
            git_ref,
            change,
            commit: built.clone(),
            environment: v.get("GATE_ENVIRONMENT"),
            run: v.get("GATE_RUN_ID").map(|id| run(id, v.get("GATE_RUN_URL"))),
            conflicts: refused,
            ..Context::default()
        },
        built,
        ..CiFacts::default()
    }
}

fn repository(text: &str) -> Option<String> {
    if text.contains("://") || text.contains('@') {
        return remote_name(text);
    }
    let host = text.split('/').next().unwrap_or_default();
    host.contains(['.', ':']).then(|| remote_name(&format!("https://{text}"))).flatten()
}

/// Where nothing but an environment is stated, no system is.
fn named(stated: CiFacts) -> CiFacts {
    let environment = Context { environment: stated.context.environment.clone(), ..Context::default() };
    let only_environment = stated == CiFacts { context: environment, ..CiFacts::default() };
    let provider = (!only_environment).then(|| VIA.to_owned());
    CiFacts { context: Context { provider, ..stated.context.clone() }, ..stated }
}

fn joined(known: CiFacts, stated: CiFacts) -> CiFacts {
    let CiFacts { mut context, .. } = known.clone();
    let said = stated.context;
    context.conflicts.extend(said.conflicts);
    let mut conflicts = Vec::new();
    let mut settle = |what: &str,
                      slot: &mut Option<String>,
                      said: Option<String>,
                      same: fn(&str, &str) -> bool| match (slot.as_deref(), said) {
        (Some(known), Some(said)) if !same(known, &said) => conflicts
            .push(format!("CI says that the {what} is {known}, and the variable of gate says {said}")),
        (None, said) => *slot = said,
        _ => {}
    };
    let stated_names = [context.repository.clone(), said.repository.clone()];
    settle("repository", &mut context.repository, said.repository, |one, other| !is_another(one, other));
    settle("environment", &mut context.environment, said.environment, |one, other| one == other);
    // A change never gets the name of a branch.
    let mut change = context.change.clone();
    settle("change", &mut change, said.change.clone(), |one, other| one == other);
    if !known.pull_request {
        settle("ref", &mut context.git_ref, said.git_ref, |one, other| one == other);
    } else if context.git_ref.is_none() && said.change.is_some() {
        context.git_ref = said.git_ref;
    }
    context.change = change;
    if let [Some(of_ci), Some(of_gate)] = stated_names {
        context.names = vec![of_ci, of_gate];
    }
    let mut built = known.built.clone();
    settle("commit", &mut built, stated.built, reconcile::matches);
    context.conflicts.extend(conflicts);
    context.run = context.run.or(said.run);
    CiFacts { actor: known.actor.clone().or(stated.actor), context, built, ..known }
}
