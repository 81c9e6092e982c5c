//! Findings about one rule.

use gate_model::action::Action;
use gate_model::gate::GateName;
use gate_model::level::Severity;
use gate_model::principal::Assurance;
use gate_model::score::FailOn;

use super::{Linter, people};
use crate::pattern::RefGlob;
use crate::person::source;
use crate::policy::{Gate, Policy, Who};
use crate::rule::{Rule, ScopeKind};

pub(super) fn check(linter: &mut Linter<'_>, name: &GateName, gate: &Gate, rule: &Rule) {
    everything(linter, name, rule);
    open_gate(linter, name, gate, rule);
    never_matches(linter, name, gate, rule);
    weak_identity(linter, name, gate, rule);
    approvers(linter, name, rule);
    names(linter, name, rule);
    ticket(linter, name, rule);
}

pub(super) fn at(name: &GateName, rule: &Rule) -> String {
    format!("rule {} of gate '{name}'", rule.number)
}

/// Whether a rule lets everybody past for any ref or any environment.
pub(crate) fn reaches_everything(rule: &Rule) -> bool {
    let passes = rule.actions.iter().any(|action| matches!(action, Action::Skip | Action::Override));
    let any_ref = rule.refs.is_empty() || rule.refs.iter().any(RefGlob::is_everything);
    let any_environment = rule.environments.is_empty();
    let is_wide =
        |scope: &ScopeKind| matches!(scope, ScopeKind::Repository | ScopeKind::Ref | ScopeKind::Environment);
    let wide = rule.scopes.iter().any(is_wide);
    rule.who.contains(&Who::Anyone) && passes && wide && any_ref && any_environment
}

fn everything(linter: &mut Linter<'_>, name: &GateName, rule: &Rule) {
    match (reaches_everything(rule), &rule.i_accept) {
        (true, None) => {
            let message = format!("{} lets everybody past on every ref or environment", at(name, rule));
            let help =
                "name people, refs or environments; or say why with i_accept = \"…\", which decisions repeat";
            linter.refuse(&rule.span, "reaches-everything", message, help);
        }
        (false, Some(_)) => {
            let message = format!("{} says i_accept and does not reach everything", at(name, rule));
            linter.warn(&rule.span, "no-effect", message, "take i_accept out");
        }
        _ => {}
    }
}

fn open_gate(linter: &mut Linter<'_>, name: &GateName, gate: &Gate, rule: &Rule) {
    let passes = rule.actions.iter().any(|action| *action != Action::Pause);
    let grave = gate.severity >= Severity::High;
    if grave && passes && rule.who.contains(&Who::Anyone) && rule.grants_at_once() {
        let message =
            format!("{} lets everybody past, and the gate's severity is {}", at(name, rule), gate.severity);
        linter.warn(&rule.span, "open-gate", message, "name people, or ask for approvals");
    }
}

fn never_matches(linter: &mut Linter<'_>, name: &GateName, gate: &Gate, rule: &Rule) {
    for (reason, help) in obstacles(linter.policy, gate, rule) {
        let message = format!("{} never allows anything: {reason}", at(name, rule));
        linter.warn(&rule.span, "never-matches", message, help);
    }
}

/// Why a rule cannot allow anything, and what would mend it.
fn obstacles(policy: &Policy, gate: &Gate, rule: &Rule) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    let (keys, tokens) = (policy.identity.allowed_signers.is_some(), !policy.identity.oidc.is_empty());
    let provable = match rule.assurance {
        Assurance::Asserted => true,
        Assurance::Oidc => keys || tokens,
        Assurance::Signed => keys,
    };
    if !provable {
        let reason = format!("it needs an identity that is {}, and [identity] proves none", rule.assurance);
        found.push((
            reason,
            "set allowed_signers or [[identity.oidc]], or say assurance = \"asserted\" in the rule",
        ));
    }
    if rule.facts == Some(Assurance::Oidc) && !tokens {
        let reason = "facts = \"oidc\" needs [[identity.oidc]]".to_owned();
        found.push((reason, "add the issuer of your CI's tokens"));
    }
    if people(policy, &rule.who).is_some_and(|people| people.is_empty()) {
        found.push(("its groups are empty".to_owned(), "add somebody to a group"));
    }
    if let FailOn::Level(least) = gate.fail_on
        && rule.max_level.is_some_and(|most| most < least)
    {
        let reason = format!("findings below {} do not block, so there is nothing to waive", gate.fail_on);
        found.push((reason, "raise max_level, or lower fail_on"));
    }
    found
}

/// Ids that can only be asserted in a rule that wants proof, and asserted names on a grave gate.
fn weak_identity(linter: &mut Linter<'_>, name: &GateName, gate: &Gate, rule: &Rule) {
    for who in &rule.who {
        let Who::Id(id) = who else { continue };
        if rule.assurance > Assurance::Asserted && source(id) == Some("os") {
            let message =
                format!("{} names {id}, which can only be asserted, and needs proof", at(name, rule));
            let help = "name the person as their key does, or say assurance = \"asserted\"";
            linter.warn(&rule.span, "never-matches", message, help);
        }
    }
    let named = !rule.who.contains(&Who::Anyone);
    if named && rule.assurance == Assurance::Asserted && gate.severity >= Severity::High {
        let message =
            format!("{} trusts a name in a CI variable, and the gate is {}", at(name, rule), gate.severity);
        linter.warn(
            &rule.span,
            "weak-identity",
            message,
            "take assurance = \"asserted\" out, or say \"signed\"",
        );
    }
}

/// Approvals that can never come: too few people, or none beside the requester.
fn approvers(linter: &mut Linter<'_>, name: &GateName, rule: &Rule) {
    let Some(approvals) = &rule.approvals else { return };
    let Some(approvers) = people(linter.policy, &approvals.from) else { return };
    let count = usize::try_from(approvals.count).unwrap_or(usize::MAX);
    if approvers.len() < count {
        let message =
            format!("{} needs {count} approvals, and {} can give one", at(name, rule), approvers.len());
        linter.warn(&rule.span, "too-few-approvers", message, "add people to 'from', or lower count");
        return;
    }
    let Some(requesters) = people(linter.policy, &rule.who) else { return };
    let is_stuck = |one: &&&str| approvers.len() - usize::from(approvers.contains(**one)) < count;
    let stuck: Vec<&str> = requesters.iter().filter(is_stuck).copied().collect();
    if stuck.is_empty() {
        return;
    }
    let whose =
        if stuck.len() == requesters.len() { String::new() } else { format!(" for {}", stuck.join(", ")) };
    let message =
        format!("{} can never be approved{whose}: nobody approves their own request", at(name, rule));
    linter.warn(&rule.span, "too-few-approvers", message, "add people to 'from'");
}

/// An id that is a group's name was probably meant to be the group.
fn names(linter: &mut Linter<'_>, name: &GateName, rule: &Rule) {
    for who in super::whom(rule) {
        let Who::Id(id) = who else { continue };
        if linter.policy.groups.contains_key(id) {
            let message = format!("{} names a person '{id}', and there is a group '{id}'", at(name, rule));
            linter.warn(&rule.span, "perhaps-a-group", message, format!("did you mean \"group:{id}\"?"));
        }
    }
}

fn ticket(linter: &mut Linter<'_>, name: &GateName, rule: &Rule) {
    let Some(pattern) = &rule.ticket else { return };
    if !pattern.is_anchored() {
        let message =
            format!("the ticket pattern {pattern} of {} matches anywhere in a text", at(name, rule));
        linter.warn(&rule.span, "loose-ticket", message, "bind it with '^' and '$'");
    }
}
