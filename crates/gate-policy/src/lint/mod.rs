//! What is legal in a policy and yet perhaps not meant.
//!
//! Everything here is a warning but one: a rule by which everybody may go past a gate for every ref or every
//! environment is an error unless it says `i_accept = "reason"`.

mod compare;
mod debts;
mod gates;
mod keys;
mod rules;

use std::ops::Range;

use gate_model::issuer;
use gate_model::time::Timestamp;

use crate::diagnostic::Diagnostic;
use crate::policy::{Policy, Who};
use crate::rule::Rule;

pub use keys::{Signing, lint_keys};

/// The findings about a policy, in the order of their places.
pub fn lint(policy: &Policy) -> Vec<Diagnostic> {
    let mut linter = Linter { policy, found: Vec::new() };
    groups(&mut linter);
    issuers(&mut linter);
    remote(&mut linter);
    for (name, gate) in &policy.gates {
        gates::check(&mut linter, name, gate);
        for rule in &gate.allow {
            rules::check(&mut linter, name, gate, rule);
            debts::check(&mut linter, name, rule);
        }
        compare::check(&mut linter, gate);
    }
    linter.found.sort_by_key(|diagnostic| diagnostic.span.start);
    linter.found
}

/// How long gates are observed yet, as it stands at `now`.
pub fn lint_trials(policy: &Policy, now: Timestamp) -> Vec<Diagnostic> {
    let mut linter = Linter { policy, found: Vec::new() };
    for (name, gate) in &policy.gates {
        gates::trial(&mut linter, name, gate, now);
    }
    linter.found
}

struct Linter<'p> {
    policy: &'p Policy,
    found: Vec<Diagnostic>,
}

impl Linter<'_> {
    fn warn(&mut self, span: &Range<usize>, code: &'static str, message: String, help: impl Into<String>) {
        let diagnostic = Diagnostic::warning(&self.policy.text, span.clone(), code, message);
        self.found.push(diagnostic.help(help));
    }

    fn refuse(&mut self, span: &Range<usize>, code: &'static str, message: String, help: impl Into<String>) {
        let diagnostic = Diagnostic::error(&self.policy.text, span.clone(), code, message);
        self.found.push(diagnostic.help(help));
    }
}

/// Groups that nothing names, and groups without members that something names.
fn groups(linter: &mut Linter<'_>) {
    let policy = linter.policy;
    for (name, members) in &policy.groups {
        let Some(span) = policy.group_spans.get(name) else { continue };
        let used = policy.owners.iter().chain(rules_of(policy).flat_map(whom)).any(|who| is_group(who, name));
        if !used {
            linter.warn(
                span,
                "unused-group",
                format!("no rule names the group '{name}'"),
                "use it, or take it out",
            );
        } else if members.is_empty() {
            let message = format!("the group '{name}' has no members");
            linter.warn(span, "empty-group", message, "add somebody: until then nobody can act for it");
        }
    }
}

/// Issuers that are bound by nothing but names: whoever takes a name over that was given up is trusted.
fn issuers(linter: &mut Linter<'_>) {
    let policy = linter.policy;
    for issuer in &policy.identity.oidc {
        let lasting = |claim: &String| issuer::lasting(claim);
        let Some((name, id)) = issuer.claims.keys().find_map(|claim| Some((claim, lasting(claim)?))) else {
            continue;
        };
        let is_lasting = |(claim, values): (&String, &Vec<String>)| {
            lasting(claim).is_none() && values.iter().all(|value| issuer::binds(claim, value))
        };
        if !issuer.claims.iter().any(is_lasting) {
            let message =
                format!("tokens of '{}' are bound by a name ({name}), which can change hands", issuer.issuer);
            linter.warn(
                &issuer.span,
                "bound-by-name",
                message,
                format!("bind them by {id}, which a token has, too"),
            );
        }
    }
}

/// The kinds of remote whose helpers come with the tools.
const SCHEMES: [&str; 3] = ["git", "postgres", "ssh"];

/// A kind of remote for which somebody has to bring the helper.
fn remote(linter: &mut Linter<'_>) {
    let policy = linter.policy;
    let unknown = policy.ledger.remote.as_ref().filter(|remote| !SCHEMES.contains(&remote.scheme()));
    let Some(remote) = unknown else { return };
    let scheme = remote.scheme();
    let start = policy.text.find(&remote.address).unwrap_or_default();
    let near = SCHEMES.iter().find(|known| scheme.starts_with(**known) || known.starts_with(scheme));
    let help = near.map_or_else(
        || format!("install gate-remote-{scheme} beside the tools, or use git:, postgres: or ssh:"),
        |known| format!("did you mean {known}:? else install gate-remote-{scheme} beside the tools"),
    );
    let message = format!("no helper for remotes of the kind '{scheme}:' comes with the tools");
    linter.warn(&(start..start + remote.address.len()), "unknown-remote", message, help);
}

fn rules_of(policy: &Policy) -> impl Iterator<Item = &Rule> {
    policy.gates.values().flat_map(|gate| &gate.allow)
}

/// Everybody whom a rule names in one place or another.
fn whom(rule: &Rule) -> impl Iterator<Item = &Who> {
    let from = rule.approvals.iter().flat_map(|approvals| &approvals.from);
    rule.who.iter().chain(&rule.reviewers).chain(from)
}

fn is_group(who: &Who, name: &str) -> bool {
    matches!(who, Who::Group(group) if group == name)
}

/// The ids that a list names, those of its groups' members among them.
fn ids<'p>(policy: &'p Policy, who: &'p [Who]) -> impl Iterator<Item = &'p str> {
    who.iter().flat_map(move |one| {
        let (id, group) = match one {
            Who::Anyone => (None, None),
            Who::Id(id) => (Some(id), None),
            Who::Group(group) => (None, policy.groups.get(group)),
        };
        id.into_iter().chain(group.into_iter().flatten()).map(String::as_str)
    })
}

/// The people whom a list names, each once; nothing where it names everybody.
fn people<'p>(policy: &'p Policy, who: &'p [Who]) -> Option<std::collections::BTreeSet<&'p str>> {
    let mut people = std::collections::BTreeSet::new();
    for one in who {
        match one {
            Who::Anyone => return None,
            Who::Id(id) => drop(people.insert(policy.people.of(id).unwrap_or(id))),
            Who::Group(group) => {
                let members = policy.groups.get(group).into_iter().flatten();
                people.extend(members.map(|id| policy.people.of(id).unwrap_or(id)));
            }
        }
    }
    Some(people)
}
