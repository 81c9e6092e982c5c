//! What whoever asked is told.

use gate_judge::records;
use gate_ledger::entry::Entry;
use gate_model::grant::{Approvals, Grant, SCHEMA, Status};
use gate_model::payload::{GrantData, RequestData};
use gate_model::principal::Principal;
use gate_model::text::count;

use crate::remedy::Remedy;
use crate::workspace::Workspace;

/// The answer for a grant; `entry` is left out where none stays.
pub fn granted(
    workspace: &Workspace<'_>,
    (gate, by): (&str, &Principal),
    entry: Option<&Entry>,
    data: &GrantData,
    approvals: Option<Approvals>,
) -> Grant {
    let mut reasons = vec![format!("rule {} of gate '{gate}' allows it", data.rule)];
    if let Some(owes) = &data.owes {
        let remedy = entry.map_or_else(String::new, |entry| {
            let policy = Some(&workspace.loaded.policy);
            let remedy = Remedy::review(policy, gate, records::id_of(entry), Some(data.rule));
            format!(": {}", remedy.under(&workspace.loaded).command)
        });
        reasons.push(format!("this owes a review by {}{remedy}", owes.by.to_second()));
    }
    if let Some(renews) = &data.ask.renews {
        reasons
            .push(format!("it takes the place of opt-out {}: renewal {} in a row", renews.id, renews.number));
    }
    Grant {
        schema: SCHEMA.to_owned(),
        status: Status::Granted,
        id: entry.map(records::id_of),
        gate: Some(gate.to_owned()),
        action: Some(data.ask.action),
        scope: Some(data.ask.scope.clone()),
        findings: data.ask.findings.clone(),
        not_before: Some(data.not_before),
        expires: Some(data.expires),
        max_uses: data.ask.max_uses,
        by: Some(by.clone()),
        approvals,
        owes: data.owes.clone(),
        renews: data.ask.renews.clone(),
        reasons,
        seq: entry.map(|entry| entry.seq),
    }
}

/// Groups and people as the policy writes them.
pub fn written(who: &[gate_policy::Who]) -> Vec<String> {
    who.iter().map(ToString::to_string).collect()
}

/// The answer for a request that waits for `approvals`; `entry` is left out where none stays.
pub fn pending(
    workspace: &Workspace<'_>,
    (gate, by): (&str, &Principal),
    entry: Option<&Entry>,
    data: &RequestData,
    approvals: Approvals,
) -> Grant {
    let remedy = entry.map_or_else(String::new, |entry| {
        let remedy = Remedy::approve(Some(&workspace.loaded.policy), gate, entry.seq, data.rule);
        format!(": {}", remedy.under(&workspace.loaded).command)
    });
    let missing = approvals.needed.saturating_sub(approvals.given.len() as u64);
    let reasons = vec![format!(
        "rule {} of gate '{gate}' needs {} from {} by {}{remedy}",
        data.rule,
        count(missing, "more approval"),
        approvals.from.join(", "),
        data.lapses.to_second(),
    )];
    Grant {
        schema: SCHEMA.to_owned(),
        status: Status::Pending,
        id: entry.map(|entry| entry.seq),
        gate: Some(gate.to_owned()),
        action: Some(data.ask.action),
        scope: Some(data.ask.scope.clone()),
        findings: data.ask.findings.clone(),
        not_before: None,
        expires: None,
        max_uses: data.ask.max_uses,
        by: Some(by.clone()),
        approvals: Some(approvals),
        owes: None,
        renews: data.ask.renews.clone(),
        reasons,
        seq: entry.map(|entry| entry.seq),
    }
}

/// An answer with nothing but a status, reasons and the entry that recorded it.
pub fn answer(status: Status, gate: Option<&str>, seq: Option<u64>, reasons: Vec<String>) -> Grant {
    Grant {
        schema: SCHEMA.to_owned(),
        status,
        id: None,
        gate: gate.map(str::to_owned),
        action: None,
        scope: None,
        findings: Vec::new(),
        not_before: None,
        expires: None,
        max_uses: None,
        by: None,
        approvals: None,
        owes: None,
        renews: None,
        reasons,
        seq,
    }
}
