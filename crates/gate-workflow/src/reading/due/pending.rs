//! Requests that wait.

use gate_ledger::entry::{Entry, Kind};
use gate_ledger::store::StoreError;
use gate_model::payload::RequestData;
use gate_model::principal::Principal;
use gate_policy::{AuthorizationRequest, Policy, Rule};

use super::{Agenda, Remedy, Waiting};
use crate::admission::written;
use crate::renewal;
use gate_judge::life::Life;
use gate_judge::records::{self, Malformed};
use gate_judge::repository;

pub(super) fn read(agenda: &mut Agenda<'_>) -> Result<Vec<Waiting>, StoreError> {
    let mut waiting = Vec::new();
    for entry in agenda.view.waiting(None, agenda.now)? {
        let read = records::data::<RequestData>(&entry).and_then(|data| Ok((data, records::actor(&entry)?)));
        match read {
            Ok((data, by)) => waiting.extend(examine(agenda, &entry, data, &by)?),
            Err(error) => agenda.unreadable(&entry, &error),
        }
    }
    waiting.sort_by_key(|request| (request.lapses, request.id));
    Ok(waiting)
}

/// The request as it waits, unless its life went on.
fn examine(
    agenda: &mut Agenda<'_>,
    entry: &Entry,
    data: RequestData,
    by: &Principal,
) -> Result<Option<Waiting>, StoreError> {
    let life = agenda.view.life(entry.seq)?;
    if Life::of(entry, &life).waits(agenda.now).is_err() {
        return Ok(None);
    }
    if is_dead(agenda, entry, &data)? {
        return Ok(None);
    }
    let repository = repository::of_request(&data).map(str::to_owned);
    let rules = agenda.rules(repository.as_deref(), &data.policy.digest)?;
    let standing = match rules.policy() {
        Some(policy) => standing(policy, entry, &data, by, &life),
        None => Ok(Err("the policy that it was judged under is not in the ledger".to_owned())),
    };
    let standing = match standing {
        Ok(standing) => standing,
        Err(error) => {
            agenda.unreadable(entry, &error);
            return Ok(None);
        }
    };
    let (standing, note) =
        standing.map_or_else(|why| (Progress::default(), Some(why)), |found| (found, None));
    let gate = entry.gate.clone().unwrap_or_default();
    let remedy = Remedy::approve(rules.policy(), &gate, entry.seq, data.rule);
    let remedy = agenda.remedy(remedy, repository.as_deref());
    Ok(Some(Waiting {
        id: entry.seq,
        gate,
        repository,
        action: data.ask.action,
        by: by.id.clone(),
        reason: data.ask.reason,
        ticket: data.ask.ticket,
        findings: data.ask.findings,
        requested_at: entry.at,
        lapses: data.lapses,
        needed: standing.needed,
        missing: standing.needed.saturating_sub(standing.given.len() as u64),
        given: standing.given,
        from: standing.from,
        note,
        remedy,
    }))
}

/// Whether what the request renews is over, so that nobody can approve it any more.
fn is_dead(agenda: &mut Agenda<'_>, entry: &Entry, data: &RequestData) -> Result<bool, StoreError> {
    let (Some(renews), Some(gate)) = (&data.ask.renews, &entry.gate) else { return Ok(false) };
    let rules = agenda.rules(repository::of_request(data), &data.policy.digest)?;
    let Some(trust) = rules.trust() else { return Ok(false) };
    let renewed = renewal::renewable(&agenda.view, trust, gate, renews.id)?;
    Ok(renewed.is_none_or(|renewed| renewed.ended.is_some() || renewed.expires <= agenda.now))
}

#[derive(Default)]
struct Progress {
    needed: u64,
    given: Vec<String>,
    from: Vec<String>,
}

/// Where the approvals stand; the inner error says why nobody can approve.
fn standing(
    policy: &Policy,
    entry: &Entry,
    data: &RequestData,
    by: &Principal,
    life: &[Entry],
) -> Result<Result<Progress, String>, Malformed> {
    let approvals = life.iter().filter(|later| later.kind == Kind::Approval);
    let approvers = approvals.clone().map(records::actor).collect::<Result<Vec<_>, _>>()?;
    let author =
        approvals.clone().find_map(|later| later.data.get("author").and_then(serde_json::Value::as_str));
    let Some((rule, needed)) = rule_of(policy, entry, data, by) else {
        return Ok(Err("the policy no longer has the rule that this request waits under".to_owned()));
    };
    let standing = gate_policy::approvals_standing(policy, rule, by, author, &approvers);
    let from = written(&needed.from);
    Ok(Ok(Progress { needed: standing.needed, given: standing.people, from }))
}

fn rule_of<'p>(
    policy: &'p Policy,
    entry: &Entry,
    data: &RequestData,
    by: &Principal,
) -> Option<(&'p Rule, &'p gate_policy::Approvals)> {
    let gate = entry.gate.as_deref().unwrap_or_default();
    let authorization = AuthorizationRequest::of_request(gate, data, by);
    let rule = gate_policy::permits(policy, &authorization, Some(data.rule)).ok()?;
    Some((rule, rule.approvals.as_ref()?))
}
