//! Which grants of the past count against a quota.
//!
//! The ledger's side ([`crate::Past::used`]) walks the grants of the gate within the window and asks here.

use gate_model::action::Action;
use gate_model::principal::Principal;

use crate::person::{Likeness, compare, is_member};
use crate::policy::{Policy, Who};
use crate::rule::{QuotaBy, Rule};

/// A grant of a gate of that name within the window.
#[derive(Debug, Clone, Copy)]
pub struct Earlier<'a> {
    /// The number of the rule that granted it, within its own policy.
    pub rule: u64,
    /// What it does.
    pub action: Action,
    /// Who asked for it.
    pub by: &'a Principal,
    /// Whether it was admitted under this very policy (the same digest).
    pub same_policy: bool,
    /// Whether it is of another repository that has the same ledger: its gate has the name, and is another one.
    pub elsewhere: bool,
}

/// Whether an earlier grant counts against the quota of `rule` for a request by `by`.
///
/// Under the same policy the grants of the rule itself count. Under another one rules may have moved, so every
/// grant of an action that the rule allows counts: an edit of the policy must not empty a quota. Two principals
/// who may be one person count as one.
pub fn counts_against(policy: &Policy, rule: &Rule, by: &Principal, earlier: Earlier<'_>) -> bool {
    let Some(quota) = rule.quota.as_ref().filter(|_| !earlier.elsewhere) else { return false };
    let of_rule = if earlier.same_policy {
        earlier.rule == rule.number
    } else {
        rule.actions.contains(&earlier.action)
    };
    let same = || compare(policy, by, earlier.by) != Likeness::Different;
    of_rule
        && match quota.by {
            QuotaBy::Gate => true,
            QuotaBy::Principal => same(),
            QuotaBy::Group => same() || share_a_group(policy, rule, by, earlier.by),
        }
}

/// Whether both belong to one of the groups that the rule names. `*` makes everybody one group.
fn share_a_group(policy: &Policy, rule: &Rule, left: &Principal, right: &Principal) -> bool {
    rule.who.iter().any(|who| match who {
        Who::Anyone => true,
        Who::Group(group) => is_member(policy, left, group) && is_member(policy, right, group),
        Who::Id(_) => false,
    })
}
