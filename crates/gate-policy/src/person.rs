//! Who is who: principals, the people behind them, and whether a rule names them.
//!
//! Two questions are kept apart on purpose, because their safe answers differ.
//! *Does a rule name this principal?* compares exactly: a spelling that the policy does not list is a stranger.
//! *Are these two one person?* compares loosely (letter case, `[people]`, keys), and where it cannot be known
//! says so: two doubtful names must never fill two places.

use gate_model::principal::Principal;

use crate::policy::{Policy, Who};
use crate::rule::Rule;

/// The person behind `principal`: the name that `[people]` gives, else the principal's own id.
pub fn person<'a>(policy: &'a Policy, principal: &'a Principal) -> &'a str {
    policy.people.of(&principal.id).unwrap_or(&principal.id)
}

/// Whether a list of `who` names `principal`.
pub fn names(policy: &Policy, who: &[Who], principal: &Principal) -> bool {
    who.iter().any(|who| names_one(policy, who, principal))
}

fn names_one(policy: &Policy, who: &Who, principal: &Principal) -> bool {
    match who {
        Who::Anyone => true,
        // A name that stands for nobody in particular is nobody whom a policy can mean.
        Who::Id(_) | Who::Group(_) if principal.is_nobody() => false,
        Who::Id(id) => is_called(policy, principal, id),
        Who::Group(group) => is_member(policy, principal, group),
    }
}

/// Whether `principal` belongs to the group called `group`.
pub(crate) fn is_member(policy: &Policy, principal: &Principal, group: &str) -> bool {
    let members = policy.groups.get(group);
    members.is_some_and(|members| members.iter().any(|id| is_called(policy, principal, id)))
}

/// Whether `id` is the principal's own, or another name of the same person.
fn is_called(policy: &Policy, principal: &Principal, id: &str) -> bool {
    let listed = policy.people.of(&principal.id);
    principal.id == id || (listed.is_some() && listed == policy.people.of(id))
}

/// The `via` of a signature whose `allowed_signers` line names the signer by a pattern only: whoever holds the key
/// chose the name.
pub const WILDCARD_VIA: &str = "ssh-wildcard";

/// Whether a name stands for many: a pattern, a name that the signer chose within a pattern, or nobody's.
pub(crate) fn is_wildcard(principal: &Principal) -> bool {
    principal.via == WILDCARD_VIA || principal.id.contains(['*', '?']) || principal.is_nobody()
}

/// Whether the policy has `name` anywhere: in `[people]`, in a group, or in a list of who, without regard to the case of
/// its letters.
pub(crate) fn is_written(policy: &Policy, name: &str) -> bool {
    let is_it = |who: &Who| matches!(who, Who::Id(id) if same_spelling(id, name));
    let in_rule = |rule: &Rule| {
        let from = rule.approvals.iter().flat_map(|approvals| &approvals.from);
        rule.who.iter().chain(&rule.reviewers).chain(from).any(is_it)
    };
    policy.people.loosely(name).is_some()
        || policy.groups.values().flatten().any(|id| same_spelling(id, name))
        || policy.owners.iter().any(is_it)
        || policy.gates.values().flat_map(|gate| &gate.allow).any(in_rule)
}

/// What is known of two principals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// One person.
    Same,
    /// Two people.
    Different,
    /// They are known by different kinds of identity, and `[people]` does not list both; or one of them chose the
    /// name.
    Unknown,
}

/// Whether `left` and `right` are one person. One key is one person, whatever names it signs for.
pub(crate) fn compare(policy: &Policy, left: &Principal, right: &Principal) -> Likeness {
    let one_key = left.key.is_some() && left.key == right.key;
    let (left_person, right_person) = (policy.people.loosely(&left.id), policy.people.loosely(&right.id));
    let left_name = left_person.unwrap_or(&left.id);
    let right_name = right_person.unwrap_or(&right.id);
    if left.is_nobody() || right.is_nobody() {
        // A schedule, a hook, a shared account: anybody may be behind it.
        Likeness::Unknown
    } else if one_key || same_spelling(left_name, right_name) {
        Likeness::Same
    } else if is_wildcard(left) || is_wildcard(right) {
        // Whoever holds such a key chose the name, and may be anybody: the name tells them apart from nobody.
        Likeness::Unknown
    } else if left_person.is_some() && right_person.is_some() {
        Likeness::Different
    } else if left.is_erased() || right.is_erased() {
        // An erased name may have been anybody's. Somebody who knows can list its pseudonym in [people].
        Likeness::Unknown
    } else if one_kind(left, right) {
        Likeness::Different
    } else {
        Likeness::Unknown
    }
}

/// Whether two principals are surely one person: by key, by `[people]`, or by a name that differs in the case of
/// its letters only. For rights (a requester who revokes).
pub fn is_same_person(policy: &Policy, left: &Principal, right: &Principal) -> bool {
    compare(policy, left, right) == Likeness::Same
}

/// Whether two principals are one person, or may be. For debts (an overdue review): whoever cannot be told apart from
/// the debtor is taken for the debtor, as quotas do.
pub fn may_be_one_person(policy: &Policy, left: &Principal, right: &Principal) -> bool {
    compare(policy, left, right) != Likeness::Different
}

/// Whether two names differ in nothing but the case of their letters.
fn same_spelling(left: &str, right: &str) -> bool {
    left == right || left.to_lowercase() == right.to_lowercase()
}

/// Whether two ids come from one naming system, so that different ids mean different accounts.
fn one_kind(left: &Principal, right: &Principal) -> bool {
    let issuers_agree = left.issuer.is_none() || right.issuer.is_none() || left.issuer == right.issuer;
    issuers_agree
        && match (source(&left.id), source(&right.id)) {
            (Some(left), Some(right)) => left == right,
            (None, None) => left.via == right.via,
            _ => false,
        }
}

/// The source that an id is written with: `github` of `github:carol`, nothing of an address.
pub(crate) fn source(id: &str) -> Option<&str> {
    let (source, rest) = id.split_once(':')?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    (!source.is_empty() && !rest.is_empty() && source.bytes().all(plain)).then_some(source)
}

/// How messages call a principal: the id shown inert, with its assurance.
pub(crate) fn shown(principal: &Principal) -> String {
    format!("{} ({})", gate_model::text::visible(&principal.id), principal.assurance)
}

/// How messages list `who`.
pub(crate) fn listed(who: &[Who]) -> String {
    who.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}
