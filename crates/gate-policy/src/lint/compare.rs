//! Rules of one gate beside each other: those that are never reached, and those that undo what another demands.
//!
//! "Covers" is sound, not complete: where it cannot be shown that one rule reaches as far as another, nothing is
//! said.

use gate_model::action::Action;

use super::Linter;
use crate::policy::{Gate, Policy, Who};
use crate::rule::Rule;

pub(super) fn check(linter: &mut Linter<'_>, gate: &Gate) {
    for later in &gate.allow {
        for other in gate.allow.iter().filter(|other| other.number != later.number) {
            compare(linter, other, later);
        }
    }
}

/// Looks whether `wide` makes `strict` pointless, wholly or for one action.
fn compare(linter: &mut Linter<'_>, wide: &Rule, strict: &Rule) {
    let (number, by) = (strict.number, wide.number);
    if wide.break_glass || !tried_before(wide, strict) {
        return;
    }
    let Some(shared) = strict.actions.iter().find(|action| wide.actions.contains(action)) else { return };
    if !covers_people(linter.policy, wide, strict) || !covers_reach(wide, strict, *shared) {
        return;
    }
    let lacking = lacking(wide, strict);
    let whole = strict.actions.iter().all(|action| wide.actions.contains(action));
    let no_harder = wide.quota.is_none() && (wide.approvals.is_none() || wide.approvals == strict.approvals);
    if whole && no_harder {
        let message = format!("rule {number} is never reached: rule {by} allows the same people as much");
        linter.warn(&strict.span, "shadowed-rule", message, "take it out, or make the other one narrower");
    }
    if !lacking.is_empty() {
        let lacking = lacking.join(", ");
        let message =
            format!("rule {by} reaches further than rule {number} for {shared}: it needs no {lacking}");
        let help = format!("demand the same of rule {by}, or take rule {number} out");
        linter.warn(&wide.span, "reaches-further", message, help);
    }
}

/// Whether `one` is tried before `other`, as [`crate::admit`] orders them.
fn tried_before(one: &Rule, other: &Rule) -> bool {
    let turn = |rule: &Rule| (!rule.grants_at_once(), rule.break_glass, rule.number);
    turn(one) < turn(other)
}

/// Whether each person whom `strict` names may use `wide`.
fn covers_people(policy: &Policy, wide: &Rule, strict: &Rule) -> bool {
    wide.assurance <= strict.assurance && strict.who.iter().all(|who| covers_one(policy, &wide.who, who))
}

fn covers_one(policy: &Policy, wide: &[Who], who: &Who) -> bool {
    let names = |id: &String| {
        wide.iter().any(|who| match who {
            Who::Anyone => true,
            Who::Id(other) => other == id,
            Who::Group(group) => policy.groups.get(group).is_some_and(|members| members.contains(id)),
        })
    };
    match who {
        _ if wide.contains(who) || wide.contains(&Who::Anyone) => true,
        Who::Anyone => false,
        Who::Id(id) => names(id),
        Who::Group(group) => policy.groups.get(group).is_some_and(|members| members.iter().all(names)),
    }
}

/// Whether a grant of `wide` can be as long and reach as far as one of `strict`.
fn covers_reach(wide: &Rule, strict: &Rule, action: Action) -> bool {
    let environments = wide.environments.is_empty()
        || !strict.environments.is_empty()
            && strict.environments.iter().all(|name| wide.environments.contains(name));
    let refs = wide.refs.is_empty()
        || !strict.refs.is_empty()
            && strict.refs.iter().all(|inner| wide.refs.iter().any(|glob| glob.contains(inner)));
    let passes = matches!(action, Action::Skip | Action::Override);
    let scopes = !passes || strict.scopes.iter().all(|kind| wide.scopes.contains(kind));
    let level = wide.max_level.is_none_or(|most| strict.max_level.is_some_and(|other| other <= most));
    let uses = wide.max_uses.is_none_or(|most| strict.max_uses.is_some_and(|other| other <= most));
    let renewals =
        strict.max_renewals.is_none_or(|most| wide.max_renewals.is_some_and(|other| other >= most));
    let asks_more = wide.min_reason > strict.min_reason
        || strict.waiver_terms().and(wide.waiver_terms()) != strict.waiver_terms()
        || wide.facts > strict.facts
        || wide.ticket.is_some() && wide.ticket != strict.ticket;
    environments
        && refs
        && scopes
        && level
        && uses
        && renewals
        && !asks_more
        && wide.max_ttl >= strict.max_ttl
}

/// What `strict` demands and `wide` does not.
fn lacking(wide: &Rule, strict: &Rule) -> Vec<&'static str> {
    [
        ("approvals", strict.approvals.is_some() && wide.approvals.is_none()),
        ("ticket", strict.ticket.is_some() && wide.ticket.is_none()),
        ("quota", strict.quota.is_some() && wide.quota.is_none()),
        ("review", strict.break_glass),
        ("environment", !strict.environments.is_empty() && wide.environments.is_empty()),
        ("ref", !strict.refs.is_empty() && wide.refs.is_empty()),
        ("facts from a token", strict.facts > wide.facts),
    ]
    .into_iter()
    .filter_map(|(what, lacks)| lacks.then_some(what))
    .collect()
}
