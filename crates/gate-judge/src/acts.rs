//! Acts on what is in a ledger: by which rule of today's policy somebody may approve, reject or review.
//!
//! Whether the rule lets them is for gate-policy to say. Reasons are sentences, as a refusal records them.

use gate_model::payload::RequestData;
use gate_model::principal::Principal;
use gate_policy::{AuthorizationRequest, Past, Policy, Rule};

/// The rule that a policy has for a waiting request. Its number may have moved; its terms decide.
///
/// # Errors
/// That it has none.
pub fn rule_of_request<'p>(
    policy: &'p Policy,
    gate: &str,
    asked: &RequestData,
    requester: &Principal,
) -> Result<&'p Rule, Vec<String>> {
    let authorization = AuthorizationRequest::of_request(gate, asked, requester);
    let found = gate_policy::permits(policy, &authorization, Some(asked.rule)).ok();
    found
        .filter(|rule| rule.approvals.is_some())
        .ok_or_else(|| vec!["today's policy no longer has the rule that this request waits under".to_owned()])
}

/// The break-glass rule `number`, by which a policy has its grants reviewed.
///
/// # Errors
/// That it has none.
pub fn rule_of_review<'p>(policy: &'p Policy, gate: &str, number: u64) -> Result<&'p Rule, Vec<String>> {
    let rules = policy.gate(gate).map_err(|error| vec![error.to_string()])?;
    rules
        .rule(number)
        .filter(|rule| rule.break_glass)
        .ok_or_else(|| vec![format!("today's policy has no break-glass rule {number} for gate '{gate}'")])
}

/// Whether the ledger lets a request that waited be granted by `rule`: its quota has room, and what the request renews can
/// be renewed still.
///
/// # Errors
/// Why not.
pub fn room(
    policy: &Policy,
    rule: &Rule,
    authorization: &AuthorizationRequest<'_>,
    past: &dyn Past,
) -> Result<(), Vec<String>> {
    gate_policy::quota_allows(rule, authorization.by, past)
        .map_err(|reason| vec![format!("rule {} {reason}", rule.number)])?;
    gate_policy::renewal_allows(policy, authorization, past).map_err(|reason| vec![reason])
}
