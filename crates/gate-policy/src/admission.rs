//! The judgement on a request: granted, pending, or denied with the reasons of every rule that was tried.
//!
//! Pure: the facts come in a [`AuthorizationRequest`], what the ledger knows through a [`Past`]. The order is fixed: rules
//! that grant at once; break-glass rules, when the request invokes them; rules that need approvals. Within each
//! kind the policy's own order counts.

use gate_model::context::Context;
use gate_model::finding::Evidence;
use gate_model::payload::{Ask, GrantData, RequestData};
use gate_model::principal::{Assurance, Principal};
use gate_model::request::{Request, SeenHead};
use gate_model::scope::Scope;
use gate_model::time::{Timestamp, format_duration};

use crate::conditions;
use crate::denial::{Failed, Kind, Trial};
use crate::person::listed;
use crate::policy::{Gate, Policy, Who};
use crate::renewal::{self, Renewable};
use crate::rule::Rule;

/// A request as the rules see it.
#[derive(Debug, Clone, Copy)]
pub struct AuthorizationRequest<'a> {
    /// The gate's name.
    pub gate: &'a str,
    /// What is asked for. A `ttl` of 0 seconds asks for what the rule allows, its `max_ttl`.
    pub ask: &'a Ask,
    /// Who asks.
    pub by: &'a Principal,
    /// Where it is asked.
    pub context: &'a Context,
    /// Whether a commit asks, by a trailer.
    pub in_commit: bool,
}

impl<'a> AuthorizationRequest<'a> {
    /// What is asked for by `request`, where somebody signed one.
    pub fn new(
        gate: &'a str,
        ask: &'a Ask,
        by: &'a Principal,
        context: &'a Context,
        request: Option<&Request>,
    ) -> Self {
        Self { gate, ask, by, context, in_commit: Request::is_in_commit(request) }
    }

    /// What a request asks for that waits, or waited.
    pub fn of_request(gate: &'a str, data: &'a RequestData, by: &'a Principal) -> Self {
        Self::new(gate, &data.ask, by, &data.context, data.request.as_ref())
    }

    /// What was asked for with a grant.
    pub fn of_grant(gate: &'a str, data: &'a GrantData, by: &'a Principal) -> Self {
        Self::new(gate, &data.ask, by, &data.context, data.request.as_ref())
    }
}

/// What stands in the ledger before a verdict, as far as a verdict may ask: all of its questions, and nothing else.
///
/// Whoever records a verdict asks it within the transaction that admits, over a store; whoever judges one again asks it over
/// what was folded from the entries so far. Both must answer alike.
pub trait Past {
    /// The instant that counts as now: the clock's or the newest entry's, whichever is later.
    fn now(&self) -> Timestamp;

    /// The entry hash of the ledger's first entry (`b3:…`), where it is there.
    fn genesis(&self) -> Option<String>;

    /// When the entry was written that a signed document saw as the newest; nothing where there is none of this hash.
    fn seen(&self, head: &SeenHead) -> Option<Timestamp>;

    /// Whether a signed request with this nonce was granted, or waits.
    fn took(&self, nonce: &str) -> bool;

    /// How many grants since `since` (inclusive) count against `rule`'s quota for a request by `by`.
    /// [`crate::counts_against`] says which grants do.
    fn used(&self, rule: &Rule, by: &Principal, since: Timestamp) -> u64;

    /// The opt-out `id` of this gate, if it was granted.
    fn granted(&self, id: u64) -> Option<Renewable>;

    /// The ID of a break-glass grant of this gate to the same person whose review is overdue, if there is one.
    fn overdue_review(&self, by: &Principal) -> Option<u64>;
}

/// The verdict on a request.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It is granted on these terms.
    Grant(Terms),
    /// It would be granted on these terms once others approve.
    Pending(Terms, ApprovalsNeeded),
    /// No rule allows it: each that was tried, in the policy's order.
    Denied(Vec<Trial>),
}

/// What a grant gives: never more than was asked, nor more than the rule allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The number of the rule, from 1.
    pub rule: u64,
    /// How long it lasts, in seconds.
    pub ttl: u64,
    /// How many decisions may use it.
    pub max_uses: Option<u64>,
    /// What it is bound to: the scope asked for, narrowed to what the rule demands.
    pub scope: Scope,
    /// What a waiver accepts.
    pub findings: Vec<Evidence>,
    /// Whether it is a break-glass grant.
    pub break_glass: bool,
    /// Within how many seconds a review must follow.
    pub review_within: Option<u64>,
    /// The rule's `i_accept`, which each decision repeats.
    pub i_accept: Option<String>,
}

/// The approvals that a pending request waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalsNeeded {
    /// How many.
    pub count: u64,
    /// From whom.
    pub from: Vec<Who>,
    /// How well an approver must be known, at least.
    pub assurance: Assurance,
    /// After how many seconds the request lapses.
    pub within: u64,
}

/// Judges a request.
pub fn admit(policy: &Policy, authorization: &AuthorizationRequest<'_>, past: &dyn Past) -> Admission {
    let gate = match gate_with_rules(policy, authorization.gate) {
        Ok(gate) => gate,
        Err(trial) => return Admission::Denied(vec![trial]),
    };
    let left = match renewal::seconds_left(policy, authorization, past) {
        Ok(left) => left,
        Err(why) => {
            return Admission::Denied(vec![Trial { rule: 0, failed: vec![Failed::new(Kind::Renewed, why)] }]);
        }
    };
    let mut trials = Vec::new();
    for rule in in_order(gate) {
        let verdict = conditions::terms(policy, gate, rule, authorization);
        match verdict.and_then(|terms| place_left(rule, authorization.by, past).map(|()| terms)) {
            Ok(terms) => return admitted(rule, terms, left),
            Err(failed) => trials.push(Trial { rule: rule.number, failed }),
        }
    }
    trials.sort_by_key(|trial| trial.rule);
    Admission::Denied(trials)
}

/// A renewal waits no longer than what it renews lasts: `left` seconds.
fn admitted(rule: &Rule, terms: Terms, left: Option<u64>) -> Admission {
    let Some(approvals) = &rule.approvals else { return Admission::Grant(terms) };
    let needed = ApprovalsNeeded {
        count: approvals.count,
        from: approvals.from.clone(),
        assurance: approvals.assurance,
        within: left.map_or(approvals.within, |left| left.min(approvals.within)),
    };
    Admission::Pending(terms, needed)
}

/// The rules of a gate in the order in which they are tried.
fn in_order(gate: &Gate) -> impl Iterator<Item = &Rule> {
    let turn = |rule: &&Rule| (!rule.grants_at_once(), rule.break_glass, rule.number);
    let mut rules: Vec<&Rule> = gate.allow.iter().collect();
    rules.sort_by_key(turn);
    rules.into_iter()
}

fn gate_with_rules<'p>(policy: &'p Policy, name: &str) -> Result<&'p Gate, Trial> {
    let denied = |reason: String| Trial { rule: 0, failed: vec![Failed::new(Kind::Gate, reason)] };
    let gate = policy.gate(name).map_err(|unknown| denied(unknown.to_string()))?;
    if gate.allow.is_empty() {
        return Err(denied(format!("gate '{name}' has no allow rule: it cannot be opted out of")));
    }
    Ok(gate)
}

/// The conditions that rest on the ledger: places left in the quota, and no debt from an earlier break-glass.
fn place_left(rule: &Rule, by: &Principal, past: &dyn Past) -> Result<(), Vec<Failed>> {
    let mut failed = Vec::new();
    failed.extend(quota_allows(rule, by, past).err().map(|why| Failed::new(Kind::Quota, why)));
    failed.extend(debt_allows(rule, by, past).err().map(|why| Failed::new(Kind::Review, why)));
    if failed.is_empty() { Ok(()) } else { Err(failed) }
}

/// Whether the rule's quota has a place left. Asked at admission, and again when the last approval comes in.
///
/// # Errors
/// The sentence for the denial.
pub fn quota_allows(rule: &Rule, by: &Principal, past: &dyn Past) -> Result<(), String> {
    let Some(quota) = &rule.quota else { return Ok(()) };
    let used = past.used(rule, by, past.now().minus(quota.per));
    if used < quota.max {
        return Ok(());
    }
    let (max, per, whose) = (quota.max, format_duration(quota.per), quota.by.as_str());
    Err(format!(
        "has a quota of {max} in {per} for each {whose}, and {used} are used; wait until one is older"
    ))
}

fn debt_allows(rule: &Rule, by: &Principal, past: &dyn Past) -> Result<(), String> {
    if !rule.break_glass {
        return Ok(());
    }
    match past.overdue_review(by) {
        Some(id) => {
            let sign = if rule.assurance == Assurance::Asserted { "" } else { " --sign" };
            let remedy = format!("gate-skip review {id} --verdict accepted{sign}");
            Err(format!("is closed to you until the overdue review of {id} is done: {remedy}"))
        }
        None => Ok(()),
    }
}

/// Whether some rule of the gate (or the numbered one) allows this request as far as the request alone can tell:
/// everything but quota, debts and approvals. A grant is derived again with it at each use, under the policy of
/// its admission and under today's.
///
/// # Errors
/// The rules that were tried.
pub fn permits<'p>(
    policy: &'p Policy,
    authorization: &AuthorizationRequest<'_>,
    rule: Option<u64>,
) -> Result<&'p Rule, Vec<Trial>> {
    derive(policy, authorization, rule).map(|(rule, _)| rule)
}

/// [`permits`] with the terms that the rule gives.
///
/// # Errors
/// The rules that were tried.
pub fn derive<'p>(
    policy: &'p Policy,
    authorization: &AuthorizationRequest<'_>,
    number: Option<u64>,
) -> Result<(&'p Rule, Terms), Vec<Trial>> {
    first(policy, authorization, number, &|_, _| Ok(()))
}

/// What else a rule and its terms must satisfy, or each condition that failed.
type Check<'a> = &'a dyn Fn(&Rule, &Terms) -> Result<(), Vec<Failed>>;

/// The first rule (or the numbered one) that permits the authorization on terms that `check` accepts.
fn first<'p>(
    policy: &'p Policy,
    authorization: &AuthorizationRequest<'_>,
    number: Option<u64>,
    check: Check<'_>,
) -> Result<(&'p Rule, Terms), Vec<Trial>> {
    let gate = gate_with_rules(policy, authorization.gate).map_err(|trial| vec![trial])?;
    let mut trials = Vec::new();
    for rule in in_order(gate).filter(|rule| number.is_none_or(|number| rule.number == number)) {
        let terms = conditions::terms(policy, gate, rule, authorization);
        match terms.and_then(|terms| check(rule, &terms).map(|()| terms)) {
            Ok(terms) => return Ok((rule, terms)),
            Err(failed) => trials.push(Trial { rule: rule.number, failed }),
        }
    }
    if let (true, Some(number)) = (trials.is_empty(), number) {
        let reason = format!("gate '{}' has no rule {number}", authorization.gate);
        trials.push(Trial { rule: 0, failed: vec![Failed::new(Kind::Gate, reason)] });
    }
    trials.sort_by_key(|trial| trial.rule);
    Err(trials)
}

/// Whether a grant may be used `here`: some rule (or the numbered one) still permits it, what the rule demands of the
/// place holds where it is used, too, and the grant has what `given` asks for by that rule, which the request alone
/// cannot tell. `authorization` is the grant's own request with the scope and the time that were granted.
///
/// # Errors
/// The rules that were tried.
pub fn allows_use<'p>(
    policy: &'p Policy,
    authorization: &AuthorizationRequest<'_>,
    number: Option<u64>,
    here: &Context,
    given: &dyn Fn(&Rule) -> Result<(), String>,
) -> Result<(&'p Rule, Terms), Vec<Trial>> {
    first(policy, authorization, number, &|rule, terms| {
        conditions::hold_here(rule, authorization.ask.action, &terms.scope, here)
            .map_err(|failed| Failed::each(Kind::Place, failed))?;
        given(rule).map_err(|failed| vec![Failed::new(Kind::Backing, failed)])
    })
}

impl std::fmt::Display for ApprovalsNeeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let noun = if self.count == 1 { "approval" } else { "approvals" };
        write!(f, "{} {noun} from {} within {}", self.count, listed(&self.from), format_duration(self.within))
    }
}
