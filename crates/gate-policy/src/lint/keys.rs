//! People who would have to sign, and have no key that counts.
//!
//! The policy names the file of keys and does not hold it: whoever has read it says which name could sign what.
//! The dates of keys are not looked at, since a policy is judged without a clock.

use std::collections::BTreeSet;

use gate_model::gate::GateName;
use gate_model::principal::Assurance;

use super::{Linter, people, rules};
use crate::diagnostic::Diagnostic;
use crate::policy::Policy;
use crate::roles;
use crate::rule::Rule;

/// What a signature would be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signing {
    /// A request.
    Request,
    /// An approval.
    Approval,
    /// A review.
    Review,
    /// A changed policy.
    Policy,
}

/// The findings about keys, in the order of their places: rules that wait for signatures which nobody can make.
///
/// `could` says whether the policy's file of keys lets a name make a signature of that purpose.
pub fn lint_keys(policy: &Policy, could: &dyn Fn(&str, Signing) -> bool) -> Vec<Diagnostic> {
    let mut keys = Keys { linter: Linter { policy, found: Vec::new() }, could };
    keys.owners();
    for (name, gate) in &policy.gates {
        for rule in &gate.allow {
            keys.requesters(name, rule);
            keys.approvers(name, rule);
            keys.reviewers(name, rule);
        }
    }
    keys.linter.found.sort_by_key(|diagnostic| diagnostic.span.start);
    keys.linter.found
}

struct Keys<'p> {
    linter: Linter<'p>,
    could: &'p dyn Fn(&str, Signing) -> bool,
}

impl<'p> Keys<'p> {
    fn policy(&self) -> &'p Policy {
        self.linter.policy
    }

    /// Whether one of the person's names could sign.
    fn has_key(&self, person: &str, signing: Signing) -> bool {
        self.policy().people.names_of(person).any(|name| (self.could)(name, signing))
    }

    /// Those of `people` who have no key.
    fn without<'a>(&self, people: &BTreeSet<&'a str>, signing: Signing) -> Vec<&'a str> {
        people.iter().filter(|one| !self.has_key(one, signing)).copied().collect()
    }

    fn owners(&mut self) {
        let Some(owners) = people(self.policy(), &self.policy().owners) else { return };
        let without = self.without(&owners, Signing::Policy);
        if !owners.is_empty() && without.len() == owners.len() {
            let message =
                format!("no owner of the policy has a key ({}): nobody can change it", without.join(", "));
            self.linter.warn(
                &(0..0),
                "nobody-can-sign",
                message,
                "list the key of an owner in allowed_signers",
            );
        }
    }

    fn requesters(&mut self, name: &GateName, rule: &Rule) {
        let Some(who) = people(self.policy(), &rule.who).filter(|_| rule.assurance == Assurance::Signed)
        else {
            return;
        };
        let without = self.without(&who, Signing::Request);
        if !who.is_empty() && without.len() == who.len() {
            let who = format!("{} never allows anything: no requester has a key", rules::at(name, rule));
            self.tell(rule, who, &without);
        }
    }

    fn approvers(&mut self, name: &GateName, rule: &Rule) {
        let Some(approvals) = rule.approvals.as_ref().filter(|one| one.assurance == Assurance::Signed) else {
            return;
        };
        let Some(from) = people(self.policy(), &approvals.from) else { return };
        let without = self.without(&from, Signing::Approval);
        let able = u64::try_from(from.len() - without.len()).unwrap_or(u64::MAX);
        if !without.is_empty() && able < approvals.count {
            let message = format!(
                "{} can never be approved: it needs {} signed approvals, and {able} of its approvers have a key",
                rules::at(name, rule),
                approvals.count
            );
            self.tell(rule, message, &without);
        }
    }

    fn reviewers(&mut self, name: &GateName, rule: &Rule) {
        if !rule.break_glass || rule.assurance < Assurance::Signed {
            return;
        }
        let named = roles::reviewers(self.policy(), rule);
        let Some(reviewers) = people(self.policy(), &named) else { return };
        let without = self.without(&reviewers, Signing::Review);
        if !without.is_empty() && without.len() == reviewers.len() {
            let message =
                format!("no debt of {} can be reviewed: no reviewer has a key", rules::at(name, rule));
            self.tell(rule, message, &without);
        }
    }

    fn tell(&mut self, rule: &Rule, message: String, without: &[&str]) {
        let help = format!("list their keys in allowed_signers: {}", without.join(", "));
        self.linter.warn(&rule.span, "nobody-can-sign", message, help);
    }
}
