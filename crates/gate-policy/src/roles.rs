//! What other people may do with an opt-out: approve, review, revoke, resume.
//!
//! A person counts once however many groups, names or keys; the requester never counts; a name that stands for
//! many never approves. Where two principals cannot be told apart for sure, they do not count as two. An act is judged
//! as strictly as a request: not where the facts of the run contradict each other, not from another repository.

mod ending;

use gate_model::context::Context;
use gate_model::payload::Ask;
use gate_model::principal::{Assurance, Principal};
use gate_model::text::visible;

use crate::conditions::known_well;
use crate::person::{Likeness, compare, is_wildcard, is_written, listed, names, person, shown};
use crate::policy::{Policy, Who};
use crate::rule::{Approvals, Rule};

pub use ending::{may_resume, may_revoke};

/// Somebody who does something with an opt-out.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    /// Who.
    pub by: &'a Principal,
    /// Where.
    pub context: &'a Context,
    /// Why; nothing where no reason was given.
    pub reason: Option<&'a str>,
    /// The ticket, for whoever ends an opt-out by a rule that needs one.
    pub ticket: Option<&'a str>,
}

/// The opt-out that somebody acts on.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its gate's name.
    pub gate: &'a str,
    /// What was asked for, as it was granted or waits.
    pub ask: &'a Ask,
    /// Who asked.
    pub requester: &'a Principal,
    /// Who approved so far.
    pub approvers: &'a [Principal],
    /// The commit's author, an address.
    pub author: Option<&'a str>,
}

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

/// Whether `actor` may approve a request under `rule`, beside those who did already; so, too, whether they may reject it.
///
/// # Errors
/// Everything that speaks against it.
pub fn may_approve(
    policy: &Policy,
    rule: &Rule,
    actor: Actor<'_>,
    subject: Subject<'_>,
) -> Result<Approval, Vec<String>> {
    let Some(approvals) = &rule.approvals else {
        return Err(vec![format!("rule {} needs no approval", rule.number)]);
    };
    let Subject { requester, author, .. } = subject;
    let mut failed: Vec<String> = misplaced(actor.context, subject.ask).into_iter().collect();
    failed.extend(eligible(policy, approvals, actor.by, requester, author));
    let standing = counted(policy, approvals, requester, author, subject.approvers);
    for earlier in &standing {
        failed.extend(not_again(policy, actor.by, earlier).err());
    }
    if !failed.is_empty() {
        return Err(failed);
    }
    let people = standing.iter().copied().chain([actor.by]).map(|one| person(policy, one).to_owned());
    let people: Vec<String> = people.collect();
    Ok(Approval { standing: count(&people), needed: approvals.count, people })
}

/// Why nobody can act on an opt-out from where they are: the facts of the run contradict each other, or it is another
/// repository than the one that the opt-out is for.
pub fn misplaced(here: &Context, ask: &Ask) -> Option<String> {
    if !here.conflicts.is_empty() {
        let conflicts =
            here.conflicts.iter().map(|conflict| visible(conflict)).collect::<Vec<_>>().join(", ");
        return Some(format!("the facts of this run contradict each other: {conflicts}"));
    }
    match (&ask.scope.repository, &here.repository) {
        (Some(meant), Some(name)) if !here.is_surely(meant) => Some(format!(
            "it is for repository {} (this is {}); act from a checkout of that one",
            visible(meant),
            visible(name)
        )),
        _ => None,
    }
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
        if approvals.exclude_author { not_author(policy, approver, requester, author) } else { Ok(()) },
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

/// The author is an address that git recorded; it is compared as such. One that nobody knows may be anybody's, the
/// approver's at home for one.
fn not_author(
    policy: &Policy,
    approver: &Principal,
    requester: &Principal,
    author: Option<&str>,
) -> Result<(), String> {
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
    let is_known = is_written(policy, author) || compare(policy, requester, &known_as) == Likeness::Same;
    match compare(policy, approver, &known_as) {
        Likeness::Different if is_known => Ok(()),
        Likeness::Different => Err(format!(
            "nobody knows whose address {} is, which the commit's author has, so it may be anybody's; \
             list it in [people] with its owner's other names",
            visible(author)
        )),
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

/// Whether `actor` may review a break-glass grant of `rule`: whoever the rule's `reviewers` names (left out: the rule's
/// own `who`, and the policy's owners), and never the requester.
///
/// # Errors
/// Everything that speaks against it.
pub fn may_review(
    policy: &Policy,
    rule: &Rule,
    actor: Actor<'_>,
    subject: Subject<'_>,
) -> Result<(), Vec<String>> {
    if !rule.break_glass {
        return Err(vec![format!("rule {} owes no review", rule.number)]);
    }
    let reviewer = actor.by;
    all([
        misplaced(actor.context, subject.ask).map_or(Ok(()), Err),
        named(policy, &reviewers(policy, rule), reviewer),
        known_well(rule.assurance, reviewer).map_err(|failed| format!("a review {failed}")),
        not_requester(policy, reviewer, subject.requester),
    ])
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

fn all<const N: usize>(checks: [Result<(), String>; N]) -> Result<(), Vec<String>> {
    let failed: Vec<String> = checks.into_iter().filter_map(Result::err).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed) }
}
