//! Approvals that were given: whether they hold, and whether they were enough.
//!
//! A grant is never used on trust, so each approval is proven again from its own entry under the policy that admitted
//! the grant. Here nothing is recorded.

use gate_ledger::entry::{Entry, Kind};
use gate_model::context::Context;
use gate_model::payload::{GrantData, RequestData};
use gate_model::principal::Principal;
use gate_policy::{Policy, Rule};
use serde::Deserialize;

use crate::life::Life;
use crate::lifting::Trust;
use crate::recorded::Recorded;
use crate::records;
use crate::signatures::Mark;
use crate::statement;

/// Whether the approvals before `grant` suffice under the policy of its admission, `then`. `request` is the entry that it
/// names, and `life` what came after that.
///
/// # Errors
/// What is missing, as a sentence's end.
pub fn suffice(
    then: &Recorded,
    grant: &Entry,
    data: &GrantData,
    requester: &Principal,
    request: Option<&Entry>,
    life: &[Entry],
) -> Result<(), String> {
    let gate = grant.gate.as_deref().unwrap_or_default();
    let rule = then.policy.gate(gate).ok().and_then(|gate| gate.rule(data.rule));
    let rule = rule.ok_or_else(|| format!("its policy has no rule {}", data.rule))?;
    if rule.approvals.is_none() {
        let rests_on_some = grant.reference.is_some() || !data.approvals.is_empty();
        return if rests_on_some { Err(format!("rule {} needs none", data.rule)) } else { Ok(()) };
    }
    let request = request.ok_or("it names no request")?;
    same_request(request, data, requester)?;
    waited(request, grant, data, life)?;
    let given = Given { requester, request: Some(request), life, granted: grant.seq };
    given.suffice(then.trust(), rule)
}

/// Whether the request still waited when it was granted, and its approvals are those that were given.
fn waited(request: &Entry, grant: &Entry, data: &GrantData, life: &[Entry]) -> Result<(), String> {
    let asked: RequestData = records::data(request).map_err(|error| error.to_string())?;
    if data.not_before >= asked.lapses {
        return Err(format!("its request lapsed at {}", asked.lapses.to_second()));
    }
    let before = || life.iter().filter(|entry| entry.seq < grant.seq);
    let mut waiting = Life::of(request, &[]);
    for entry in before() {
        waiting.pass(entry);
    }
    if let Some(end) = waiting.answered() {
        return Err(format!("its request waited no longer, since entry {}", end.seq));
    }
    let given: Vec<u64> = before().filter(|entry| entry.kind == Kind::Approval).map(|one| one.seq).collect();
    if given == data.approvals { Ok(()) } else { Err("it names other approvals than were given".to_owned()) }
}

/// Whether the grant gives just what `request` asked for, to whoever asked.
fn same_request(request: &Entry, data: &GrantData, requester: &Principal) -> Result<(), String> {
    let asked: RequestData = records::data(request).map_err(|error| error.to_string())?;
    let by = records::actor(request).map_err(|error| error.to_string())?;
    let same = asked.ask == data.ask
        && by == *requester
        && asked.context == data.context
        && asked.request == data.request
        && asked.rule == data.rule;
    if !same || request.kind != Kind::Request {
        return Err("it grants something else than was requested".to_owned());
    }
    Ok(())
}

/// The approvals that a grant rests on.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// Who asked.
    pub requester: &'a Principal,
    /// What they asked for, where the grant came of a request that waited.
    pub request: Option<&'a Entry>,
    /// What came after the request; only approvals before the grant count.
    pub life: &'a [Entry],
    /// The position of the grant.
    pub granted: u64,
}

impl Given<'_> {
    /// Whether they hold and are enough for `rule` of a policy.
    ///
    /// # Errors
    /// What is missing, as a sentence's end.
    pub fn suffice(self, trust: Trust<'_>, rule: &Rule) -> Result<(), String> {
        let (mut approvers, mut author) = (Vec::new(), None);
        if let Some(request) = self.request {
            let asked: RequestData = records::data(request).map_err(|error| error.to_string())?;
            let is_earlier = |entry: &&Entry| entry.kind == Kind::Approval && entry.seq < self.granted;
            for entry in self.life.iter().filter(is_earlier) {
                approvers.push(approver(trust, entry, &asked, request)?);
                let named = entry.data.get("author").and_then(serde_json::Value::as_str);
                author = author.or(named);
            }
        }
        let standing = gate_policy::approvals_standing(trust.0, rule, self.requester, author, &approvers);
        if standing.is_complete() {
            return Ok(());
        }
        Err(format!("{} of {} are there", standing.standing, standing.needed))
    }
}

/// Who gave the approval in `entry`, which must hold.
fn approver(
    trust: Trust<'_>,
    entry: &Entry,
    asked: &RequestData,
    request: &Entry,
) -> Result<Principal, String> {
    let by = records::actor(entry).map_err(|error| error.to_string())?;
    statement::holds(trust, entry, &by, &[Mark::of(request)])
        .map_err(|error| format!("approval {} does not hold: {error}", entry.seq))?;
    let context = entry.data.get("context").cloned().unwrap_or_default();
    let context = Context::deserialize(context).map_err(|error| error.to_string())?;
    match gate_policy::misplaced(&context, &asked.ask) {
        Some(why) => Err(format!("approval {} does not count: {why}", entry.seq)),
        None => Ok(by),
    }
}

/// Who gave the approval in `entry`, if it counts where nobody else approves.
pub(crate) fn counts_alone(
    policy: &Policy,
    rule: &Rule,
    requester: &Principal,
    entry: &Entry,
) -> Option<Principal> {
    let by = records::actor(entry).ok()?;
    let author = entry.data.get("author").and_then(serde_json::Value::as_str);
    let standing =
        gate_policy::approvals_standing(policy, rule, requester, author, std::slice::from_ref(&by)).standing;
    (standing == 1).then_some(by)
}
