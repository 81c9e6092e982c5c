//! Deriving a grant again: from its request, its approvals, its signatures and the rule that it names.
//!
//! The same derivation serves each use of a grant (under the policy of its moment and today's) and replay
//! (under the policy of its moment alone).

use gate_model::action::Action;
use gate_model::context::Context;
use gate_model::finding::WaiverTerms;
use gate_model::grant::Owes;
use gate_model::payload::{GrantData, RequestData};
use gate_model::principal::Principal;
use gate_policy::{Approvals, AuthorizationRequest, Past, Policy, Rule, Trial};

use crate::approvals::Given;
use crate::lifting::Trust;
use crate::moment::Moment;
use crate::recorded::NoPolicy;
use crate::signatures::Unproven;

/// A grant that was derived again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Derived {
    /// The risk that the rule accepts in so many words.
    pub accepted_risk: Option<String>,
    /// What the rules say of a waiver beyond its evidence.
    pub terms: WaiverTerms,
}

/// Why a grant could not be derived again, as a sentence's end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Underivable {
    /// Its policy is missing or damaged.
    #[error("cannot be derived again: {0}")]
    Policy(#[from] NoPolicy),
    /// The policy that it names did not allow it.
    #[error("was not allowed by the policy it was admitted under: {0}")]
    Then(String),
    /// Today's policy does not allow it.
    #[error("is not allowed by today's policy: {0}")]
    Today(String),
    /// Its own terms do not fit what was asked for.
    #[error("has terms that do not fit what was asked for: {0}")]
    Terms(String),
    /// Its signed request was admitted before.
    #[error("rests on a signed request that entry {0} has used up")]
    Reused(u64),
    /// A signature does not hold.
    #[error("has a signature that does not hold: {0}")]
    Unproven(#[from] Unproven),
    /// Approvals are missing.
    #[error("lacks approvals: {0}")]
    Approvals(String),
}

/// Whether the grant begins when it was made, and ends a time to live later.
///
/// # Errors
/// Why not.
pub fn in_time(moment: Moment, data: &GrantData) -> Result<(), String> {
    moment.includes(data.not_before)?;
    if data.not_before.plus(data.ask.ttl.seconds) != Some(data.expires) {
        return Err("does not end a time to live after its start".to_owned());
    }
    Ok(())
}

/// Whether a request waits from when it was made, as long as its rule says; a renewal may wait for less.
///
/// # Errors
/// Why not.
pub fn waits(moment: Moment, data: &RequestData, approvals: &Approvals) -> Result<(), String> {
    moment.includes(data.judged_at)?;
    let longest = data.judged_at.plus(approvals.within);
    let is_less = || data.ask.renews.is_some() && longest.is_some_and(|longest| data.lapses < longest);
    if longest == Some(data.lapses) || is_less() {
        return Ok(());
    }
    Err(format!("lapses at {}, not as rule {} says", data.lapses, data.rule))
}

/// Whether the grant owes the review that its rule asks for.
///
/// # Errors
/// Why not.
pub fn owes(data: &GrantData, rule: &Rule) -> Result<(), String> {
    let due = rule.review_within.and_then(|within| data.not_before.plus(within));
    let due = due.map(|by| Owes { what: "review".to_owned(), by });
    if due == data.owes {
        return Ok(());
    }
    Err(match due {
        Some(owes) => format!("owes a review by {}, and does not say so", owes.by),
        None => "says that it owes a review, and its rule asks for none".to_owned(),
    })
}

/// Whether the rule that the grant names allowed these very terms; and what it says of a waiver beyond its evidence.
///
/// # Errors
/// Why not.
pub fn terms(
    then: &Policy,
    gate: &str,
    data: &GrantData,
    by: &Principal,
    here: &Context,
) -> Result<WaiverTerms, Underivable> {
    let rule =
        permitted(then, gate, data, by, Some(data.rule), here, &|_| Ok(())).map_err(Underivable::Then)?;
    owes(data, rule).and_then(|()| uses(data, rule)).map_err(Underivable::Terms)?;
    Ok(rule.waiver_terms())
}

/// What [`terms`] and [`allowed_today`] come to where both ask one policy, in one go; nothing where it does not hold, or an
/// earlier rule than the grant's own allows it too: then they tell.
pub fn at_once(
    policy: &Policy,
    gate: &str,
    data: &GrantData,
    by: &Principal,
    here: &Context,
) -> Option<Derived> {
    let rule = permitted(policy, gate, data, by, None, here, &|_| Ok(())).ok()?;
    let holds = rule.number == data.rule && owes(data, rule).is_ok() && uses(data, rule).is_ok();
    holds.then(|| Derived { accepted_risk: rule.i_accept.clone(), terms: rule.waiver_terms() })
}

/// Whether the grant is used up as its rule asks.
fn uses(data: &GrantData, rule: &Rule) -> Result<(), String> {
    match (rule.max_uses, data.ask.max_uses) {
        (Some(max), Some(uses)) if uses > max => Err(format!("{uses} uses, and the rule allows {max}")),
        // A pause ends by its time and is not used up, so a rule's limit of uses does not reach it.
        (Some(_), None) if data.ask.action == Action::Pause => Ok(()),
        (Some(max), None) => Err(format!("no limit of uses, and the rule allows {max}")),
        _ => Ok(()),
    }
}

/// What stands for a grant beside its own entry, as a policy that came after its own asks for it.
pub struct Backing<'a> {
    /// The approvals that it rests on.
    pub given: Given<'a>,
    /// What stood before it, at its own instant.
    pub past: &'a dyn Past,
}

/// Whether some rule of today's policy allows the grant to be used in the context `here`, and the grant `has` what that
/// rule asks for ([`earned`]). `then` is what the rule of its admission said of a waiver: it reaches as far as both that
/// and some rule of today allow.
///
/// # Errors
/// Why not.
pub fn allowed_today(
    today: &Policy,
    gate: &str,
    data: &GrantData,
    by: &Principal,
    here: &Context,
    then: WaiverTerms,
    has: &dyn Fn(&Rule) -> Result<(), String>,
) -> Result<Derived, Underivable> {
    let rule = permitted(today, gate, data, by, None, here, has).map_err(Underivable::Today)?;
    let mut terms = rule.waiver_terms();
    if data.ask.action == Action::Waive && terms.and(then) != then {
        let rules = today.gate(gate).into_iter().flat_map(|gate| &gate.allow);
        let others = rules.filter_map(|r| permitted(today, gate, data, by, Some(r.number), here, has).ok());
        terms = others.fold(terms, |terms, rule| terms.or(rule.waiver_terms()));
    }
    Ok(Derived { accepted_risk: rule.i_accept.clone(), terms: terms.and(then) })
}

/// Whether the grant has what `rule` of today's policy asks for before it grants: approvals, a limit of uses, a debt, a
/// place in the quota.
///
/// Whoever asks chooses the policy that admits them, and it may be one of their own. Where that was today's, admission has
/// seen to all of it.
///
/// # Errors
/// What the grant lacks, as a sentence that begins with the rule.
pub fn earned(
    today: Trust<'_>,
    rule: &Rule,
    data: &GrantData,
    by: &Principal,
    backing: &Backing<'_>,
) -> Result<(), String> {
    uses(data, rule).map_err(|why| format!("asks for fewer uses: it has {why}"))?;
    let due = rule.review_within.and_then(|within| data.not_before.plus(within));
    if let Some(due) = due
        && data.owes.as_ref().is_none_or(|owes| owes.by > due)
    {
        return Err(format!("asks for a review by {due}, and the grant owes none until then"));
    }
    if rule.approvals.is_some() {
        backing.given.suffice(today, rule).map_err(|why| format!("needs approvals: {why}"))?;
    }
    gate_policy::quota_allows(rule, by, backing.past)
}

fn permitted<'p>(
    policy: &'p Policy,
    gate: &str,
    data: &GrantData,
    by: &Principal,
    rule: Option<u64>,
    here: &Context,
    given: &dyn Fn(&Rule) -> Result<(), String>,
) -> Result<&'p Rule, String> {
    let authorization = AuthorizationRequest::of_grant(gate, data, by);
    let found = gate_policy::allows_use(policy, &authorization, rule, here, given);
    found.map(|(rule, _)| rule).map_err(|trials| in_words(&trials))
}

/// Trials as one clause.
pub fn in_words(trials: &[Trial]) -> String {
    trials.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
