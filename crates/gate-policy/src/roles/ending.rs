//! Who may end an opt-out before its time: revoke it, or resume the gate that it pauses.

use gate_model::action::Action;
use gate_model::payload::Ask;
use gate_model::principal::Principal;
use gate_model::request::Ttl;
use gate_model::scope::Scope;

use crate::admission::AuthorizationRequest;
use crate::conditions::{self, known_well};
use crate::denial::{Failed, Kind, Trial};
use crate::person::{Likeness, compare, is_wildcard, shown};
use crate::policy::{Gate, Policy};
use crate::rule::Rule;

use super::{Actor, Subject, misplaced};

/// Whether `actor` may resume a gate that `subject` pauses: whoever is known no less well than whoever paused it, and
/// whom a rule would grant the same pause here, now and at once.
///
/// # Errors
/// Everything that speaks against it.
pub fn may_resume(policy: &Policy, actor: Actor<'_>, subject: Subject<'_>) -> Result<(), Vec<String>> {
    if let Some(why) = misplaced(actor.context, subject.ask) {
        return Err(vec![why]);
    }
    by_rule(policy, actor, subject)
}

/// Whether `actor` may revoke an opt-out: the requester, an approver, or whoever is known no less well than the requester
/// and whom a rule would grant the same, here, now and at once. A pause that is revoked is resumed.
///
/// # Errors
/// Everything that speaks against it.
pub fn may_revoke(policy: &Policy, actor: Actor<'_>, subject: Subject<'_>) -> Result<(), Vec<String>> {
    if let Some(why) = misplaced(actor.context, subject.ask) {
        return Err(vec![why]);
    }
    let by = actor.by;
    // Known no less well than then: a name in a CI variable does not end what a key began.
    let is_one_of = |other: &Principal| {
        // Whoever chose the name is who holds the key, and nobody else.
        let is_somebody = !is_wildcard(by) || (by.key.is_some() && by.key == other.key);
        is_somebody && compare(policy, by, other) == Likeness::Same && by.assurance >= other.assurance
    };
    if is_one_of(subject.requester) || subject.approvers.iter().any(is_one_of) {
        return Ok(());
    }
    by_rule(policy, actor, subject).map_err(|mut failed| {
        failed.insert(0, format!("{} neither requested nor approved it", shown(by)));
        failed
    })
}

/// Whether some rule gives `actor` the right to end `subject`, as one that grants them the same at once.
fn by_rule(policy: &Policy, actor: Actor<'_>, subject: Subject<'_>) -> Result<(), Vec<String>> {
    let gate = policy.gate(subject.gate).map_err(|unknown| vec![unknown.to_string()])?;
    if let Err(failed) = known_well(subject.requester.assurance, actor.by) {
        return Err(vec![format!("to end what somebody {} began {failed}", subject.requester.assurance)]);
    }
    let mut failed = Vec::new();
    for rule in gate.allow.iter().filter(|rule| rule.actions.contains(&subject.ask.action)) {
        match would_grant(policy, gate, rule, actor, subject) {
            Ok(()) => return Ok(()),
            Err(failures) => failed.push(Trial { rule: rule.number, failed: failures }.to_string()),
        }
    }
    if failed.is_empty() {
        failed.push(format!("no rule of the gate allows {}", subject.ask.action));
    }
    Err(failed)
}

/// Whether `rule` would grant `actor` here, and at once, what `subject` is. Its quota has no say: to end an opt-out takes
/// no place.
fn would_grant(
    policy: &Policy,
    gate: &Gate,
    rule: &Rule,
    actor: Actor<'_>,
    subject: Subject<'_>,
) -> Result<(), Vec<Failed>> {
    let no = |why: &str| Err(vec![Failed::new(Kind::Scope, why.to_owned())]);
    if !rule.grants_at_once() {
        return no("grants nothing without approvals");
    }
    let asked = |scope: &Scope| {
        let ask = Ask {
            reason: actor.reason.unwrap_or_default().to_owned(),
            ticket: actor.ticket.map(str::to_owned),
            scope: scope.clone(),
            ttl: Ttl::of(0),
            max_uses: None,
            break_glass: false,
            ..subject.ask.clone()
        };
        let authorization = AuthorizationRequest {
            gate: subject.gate,
            ask: &ask,
            by: actor.by,
            context: actor.context,
            in_commit: false,
        };
        conditions::terms(policy, gate, rule, &authorization)
    };
    if subject.ask.action == Action::Pause {
        // A pause that names no place is for where it is asked; who may pause here need not be allowed to elsewhere.
        asked(&Scope::default())?;
    }
    let terms = asked(&subject.ask.scope)?;
    if terms.scope == subject.ask.scope {
        return Ok(());
    }
    no("would grant less than the opt-out reaches")
}
