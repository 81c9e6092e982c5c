//! What other people may do with an opt-out: approve, review, revoke, resume.
//!
//! A person counts once however many groups, names or keys; the requester never counts; a name that stands for
//! many never approves. Where two principals cannot be told apart for sure, they do not count as two.

use gate_model::action::Action;
use gate_model::context::Context;
use gate_model::principal::{Assurance, Principal};
use gate_model::scope::Scope;
use gate_model::text::visible;

use crate::conditions::{known_well, who};
use crate::person::{Likeness, compare, is_wildcard, listed, names, person, shown};
use crate::policy::{Gate, Policy, Who};
use crate::rule::{Approvals, Rule};

/// Where the approvals of a request stand, one more counted.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// How many people have approved, this one included.
    pub standing: u64,
    /// How many must.
    pub needed: u64,
    /// The people, as the policy names them.
    pub people: Vec<String>,
}

impl Approval {
    /// Whether enough people approved. One too many is harmless.
    pub const fn is_complete(&self) -> bool {
        self.standing >= self.needed
    }
}

/// Whether `approver` may approve a request of `requester` under `rule`, beside those who `already` did.
/// `author` is the commit's author, an address.
///
/// # Errors
/// Everything that speaks against it.
pub fn may_approve(
    policy: &Policy,
    rule: &Rule,
    approver: &Principal,
    requester: &Principal,
    author: Option<&str>,
    already: &[Principal],
) -> Result<Approval, Vec<String>> {
    let Some(approvals) = &rule.approvals else {
        return Err(vec![format!("rule {} needs no approval", rule.number)]);
    };
    let mut failed = eligible(policy, approvals, approver, requester, author);
    let standing = counted(policy, approvals, requester, author, already);
    for earlier in &standing {
        failed.extend(not_again(policy, approver, earlier).err());
    }
    if !failed.is_empty() {
        return Err(failed);
    }
    let people = standing.iter().copied().chain([approver]).map(|one| person(policy, one).to_owned());
    let people: Vec<String> = people.collect();
    Ok(Approval { standing: count(&people), needed: approvals.count, people })
}

/// Where the approvals of a request stand, from the principals who approved: those count who may approve under
/// this policy, each person once. For deriving a grant again at its use.
pub fn approvals_standing(
    policy: &Policy,
    rule: &Rule,
    requester: &Principal,
    author: Option<&str>,
    approvers: &[Principal],
) -> Approval {
    let Some(approvals) = &rule.approvals else {
        return Approval { standing: 0, needed: 0, people: Vec::new() };
    };
    let standing = counted(policy, approvals, requester, author, approvers);
    let people: Vec<String> = standing.into_iter().map(|one| person(policy, one).to_owned()).collect();
    Approval { standing: count(&people), needed: approvals.count, people }
}

fn count(people: &[String]) -> u64 {
    u64::try_from(people.len()).unwrap_or(u64::MAX)
}

/// Those of `approvers` who count, in order: each eligible, and surely another person than each before.
fn counted<'a>(
    policy: &Policy,
    approvals: &Approvals,
    requester: &Principal,
    author: Option<&str>,
    approvers: &'a [Principal],
) -> Vec<&'a Principal> {
    let mut counted: Vec<&Principal> = Vec::new();
    for approver in approvers {
        let another = counted.iter().all(|earlier| compare(policy, approver, earlier) == Likeness::Different);
        if another && eligible(policy, approvals, approver, requester, author).is_empty() {
            counted.push(approver);
        }
    }
    counted
}

/// What speaks against an approver, other approvers aside.
fn eligible(
    policy: &Policy,
    approvals: &Approvals,
    approver: &Principal,
    requester: &Principal,
    author: Option<&str>,
) -> Vec<String> {
    let checks = [
        named(policy, &approvals.from, approver),
        known_well(approvals.assurance, approver).map_err(|failed| format!("an approval {failed}")),
        not_requester(policy, approver, requester),
        if approvals.exclude_author { not_author(policy, approver, author) } else { Ok(()) },
    ];
    checks.into_iter().filter_map(Result::err).collect()
}

fn named(policy: &Policy, from: &[Who], approver: &Principal) -> Result<(), String> {
    if is_wildcard(approver) {
        return Err(format!(
            "'{}' stands for many people, and only a person can decide",
            visible(&approver.id)
        ));
    }
    let from: Vec<Who> = from.iter().filter(|who| **who != Who::Anyone).cloned().collect();
    if names(policy, &from, approver) {
        return Ok(());
    }
    Err(format!("this is for {} (you are {})", listed(&from), shown(approver)))
}

fn not_requester(policy: &Policy, other: &Principal, requester: &Principal) -> Result<(), String> {
    match compare(policy, other, requester) {
        Likeness::Different => Ok(()),
        Likeness::Same => {
            Err("the requester cannot decide on their own request; ask somebody else".to_owned())
        }
        Likeness::Unknown if requester.is_nobody() => Err(format!(
            "the CI system names nobody who asked ({}), so it may have been {}; ask again with a signature or a token",
            shown(requester),
            shown(other)
        )),
        Likeness::Unknown if is_wildcard(requester) => Err(format!(
            "the requester's key is listed by a pattern, so that its holder chose the name {} and may be {}; \
             list the key with the name of its holder",
            shown(requester),
            shown(other)
        )),
        Likeness::Unknown => Err(format!(
            "{} and the requester {} are known by different kinds of identity and may be one person; \
             list both in [people]",
            shown(other),
            shown(requester)
        )),
    }
}

/// The author is an address that git recorded; it is compared as such.
fn not_author(policy: &Policy, approver: &Principal, author: Option<&str>) -> Result<(), String> {
    let Some(author) = author else {
        return Err(
            "the commit's author may not approve, and the author is unknown; bind the request to a commit"
                .to_owned(),
        );
    };
    let known_as = Principal {
        id: author.to_owned(),
        assurance: Assurance::Asserted,
        // An address that a signature names is of the same kind as one that git names.
        via: "ssh".to_owned(),
        key: None,
        issuer: None,
    };
    match compare(policy, approver, &known_as) {
        Likeness::Different => Ok(()),
        Likeness::Same => Err("the commit's author may not approve it; ask somebody else".to_owned()),
        Likeness::Unknown => Err(format!(
            "{} may be the commit's author {}; list both in [people]",
            shown(approver),
            visible(author)
        )),
    }
}

fn not_again(policy: &Policy, approver: &Principal, earlier: &Principal) -> Result<(), String> {
    match compare(policy, approver, earlier) {
        Likeness::Different => Ok(()),
        Likeness::Same => {
            Err(format!("{} has approved already, and a person counts once", person(policy, earlier)))
        }
        Likeness::Unknown => Err(format!(
            "{} and {}, who approved already, are known by different kinds of identity and may be one person; \
             list both in [people]",
            shown(approver),
            shown(earlier)
        )),
    }
}

/// Whether `reviewer` may review a break-glass grant of `rule` to `requester`: whoever the rule's `reviewers`
/// names (left out: the rule's own `who`, and the policy's owners), and never the requester.
///
/// # Errors
/// Everything that speaks against it.
pub fn may_review(
    policy: &Policy,
    rule: &Rule,
    reviewer: &Principal,
    requester: &Principal,
) -> Result<(), Vec<String>> {
    if !rule.break_glass {
        return Err(vec![format!("rule {} owes no review", rule.number)]);
    }
    let checks = [
        named(policy, &reviewers(policy, rule), reviewer),
        known_well(rule.assurance, reviewer).map_err(|failed| format!("a review {failed}")),
        not_requester(policy, reviewer, requester),
    ];
    all(checks)
}

/// Who may review the break-glass grants of `rule`.
pub fn reviewers(policy: &Policy, rule: &Rule) -> Vec<Who> {
    if !rule.reviewers.is_empty() {
        return rule.reviewers.clone();
    }
    let mut who: Vec<Who> =
        rule.who.iter().chain(&policy.owners).filter(|who| **who != Who::Anyone).cloned().collect();
    who.sort();
    who.dedup();
    who
}

/// Whether `by` may resume a paused gate: whoever may pause it.
///
/// # Errors
/// Each rule that allows a pause, and why it does not name `by`.
pub fn may_resume(
    policy: &Policy,
    gate: &Gate,
    by: &Principal,
    context: &Context,
) -> Result<(), Vec<String>> {
    if !context.conflicts.is_empty() {
        // To resume is to let the pipeline past, so it is refused where the facts of the run disagree.
        let conflicts =
            context.conflicts.iter().map(|conflict| visible(conflict)).collect::<Vec<_>>().join(", ");
        return Err(vec![format!("the facts of this run disagree: {conflicts}")]);
    }
    allowed(policy, gate, by, context, Action::Pause)
}

/// Whether `by` may revoke an opt-out of `requester`: the requester, an approver, or whoever a rule of the gate
/// allows the same action. A pause that is revoked is resumed, so the rule of [`may_resume`] holds for it.
///
/// # Errors
/// Everything that speaks against it.
pub fn may_revoke(
    policy: &Policy,
    gate: &Gate,
    by: &Principal,
    context: &Context,
    requester: &Principal,
    approvers: &[Principal],
    action: Action,
) -> Result<(), Vec<String>> {
    // Known no less well than then: a name in a CI variable does not end what a key began.
    let is_one_of = |other: &Principal| {
        // Whoever chose the name is who holds the key, and nobody else.
        let is_somebody = !is_wildcard(by) || (by.key.is_some() && by.key == other.key);
        is_somebody && compare(policy, by, other) == Likeness::Same && by.assurance >= other.assurance
    };
    if is_one_of(requester) || approvers.iter().any(is_one_of) {
        return Ok(());
    }
    let by_rule = match action {
        Action::Pause => may_resume(policy, gate, by, context),
        _ => allowed(policy, gate, by, context, action),
    };
    by_rule.map_err(|mut failed| {
        failed.insert(0, format!("{} neither requested nor approved it", shown(by)));
        failed
    })
}

/// Whether some rule of the gate allows `action` to `by`, as far as person and facts go.
fn allowed(
    policy: &Policy,
    gate: &Gate,
    by: &Principal,
    context: &Context,
    action: Action,
) -> Result<(), Vec<String>> {
    let mut failed = Vec::new();
    for rule in gate.allow.iter().filter(|rule| rule.actions.contains(&action)) {
        let checks = [
            who(policy, rule, by),
            known_well(rule.assurance, by),
            crate::conditions::facts(rule.facts, &Scope::default(), context),
        ];
        match all(checks) {
            Ok(()) => return Ok(()),
            Err(reasons) => failed.push(format!("rule {} {}", rule.number, reasons.join("; "))),
        }
    }
    if failed.is_empty() {
        failed.push(format!("no rule of the gate allows {action}"));
    }
    Err(failed)
}

fn all<const N: usize>(checks: [Result<(), String>; N]) -> Result<(), Vec<String>> {
    let failed: Vec<String> = checks.into_iter().filter_map(Result::err).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed) }
}
