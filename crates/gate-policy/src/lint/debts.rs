//! Break-glass rules whose debts nobody could settle.
//!
//! A review needs somebody who is surely another person than the requester. Two ids of one naming system are
//! (`github:carol` and `github:erin`); a CI variable and a key are only where `[people]` lists both. A rule that
//! lets somebody break the glass whom no reviewer can be told apart from closes itself to them for good, at the
//! first debt that falls due.

use gate_model::gate::GateName;
use gate_model::principal::Assurance;

use super::{Linter, ids, rules};
use crate::person::source;
use crate::policy::{Policy, Who};
use crate::roles;
use crate::rule::Rule;

pub(super) fn check(linter: &mut Linter<'_>, name: &GateName, rule: &Rule) {
    if !rule.break_glass {
        return;
    }
    let policy = linter.policy;
    let named = roles::reviewers(policy, rule);
    let reviewers: Vec<&str> = ids(policy, &named).collect();
    let whose = if rule.who.contains(&Who::Anyone) {
        let open = rule.assurance < Assurance::Signed && !reviewers.iter().any(|one| has_source(policy, one));
        open.then(|| "whoever is known by a CI system or the operating system".to_owned())
    } else {
        let stuck: Vec<&str> =
            ids(policy, &rule.who).filter(|one| is_stuck(policy, one, &reviewers)).collect();
        (!stuck.is_empty()).then(|| stuck.join(", "))
    };
    let Some(whose) = whose else { return };
    let message = format!(
        "{}: no debt of {whose} can be reviewed: no reviewer is surely somebody else",
        rules::at(name, rule)
    );
    let help = "list requesters and reviewers in [people], or name reviewers whose ids have the same source";
    linter.warn(&rule.span, "unreviewable-debt", message, help);
}

/// Whether a name of this person comes from a CI system or the operating system.
fn has_source(policy: &Policy, id: &str) -> bool {
    policy.people.names_of(id).any(|name| source(name).is_some())
}

/// Whether none of `reviewers` can be told apart from `requester`.
fn is_stuck(policy: &Policy, requester: &str, reviewers: &[&str]) -> bool {
    !reviewers.iter().any(|reviewer| are_two(policy, requester, reviewer))
}

fn are_two(policy: &Policy, one: &str, other: &str) -> bool {
    match (policy.people.loosely(one), policy.people.loosely(other)) {
        (Some(one), Some(other)) => one != other,
        _ if one.to_lowercase() == other.to_lowercase() => false,
        _ => {
            let kinds = |id| policy.people.names_of(id).map(source).collect::<Vec<_>>();
            let theirs = kinds(other);
            kinds(one).iter().any(|kind| theirs.contains(kind))
        }
    }
}
