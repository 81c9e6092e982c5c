//! Ending an opt-out before its time: revoking a grant or a request, resuming a paused gate.

use gate_ledger::entry::{Entry, Kind};
use gate_ledger::store::{Transaction, View};
use gate_model::JUDGE;
use gate_model::action::Action;
use gate_model::grant::{Grant, Status};
use gate_model::payload::{Ask, GrantData, RevocationData, Verb};
use gate_model::principal::Principal;
use gate_policy::Subject;
use serde::Deserialize;

use crate::admission::{TransactError, answer};
use crate::approval::Act;
use crate::ids;
use crate::policies;
use crate::refusal::refuse;
use crate::setting::Setting;
use gate_judge::records;

/// An opt-out that has not ended yet.
struct Living {
    /// Its grant, else its request.
    entry: Entry,
    ask: Ask,
    requester: Principal,
    approvers: Vec<Principal>,
}

impl Living {
    fn subject(&self) -> Subject<'_> {
        let (gate, approvers) = (self.entry.gate.as_deref().unwrap_or_default(), self.approvers.as_slice());
        Subject { gate, ask: &self.ask, requester: &self.requester, approvers, author: None }
    }
}

/// Ends the opt-out that `act` names.
///
/// # Errors
/// A [`TransactError`]; then nothing was recorded.
pub fn revoke(setting: &Setting<'_>, act: &Act) -> Result<Grant, TransactError> {
    setting.transact(|transaction| {
        let living = living(transaction, &act.id)?;
        setting.loaded.policy.gate(living.subject().gate)?;
        policies::ensure_recorded(transaction, &setting.loaded, &act.by)?;
        match gate_policy::may_revoke(&setting.loaded.policy, act.actor(), living.subject()) {
            Ok(()) => end(setting, transaction, &living.entry, living.ask.action, act),
            Err(reasons) => refuse(setting, transaction, &living.entry, (Verb::Revoke, act), reasons),
        }
    })
}

/// Ends every pause of a gate, if each may be ended. Where none is live nothing is recorded.
///
/// # Errors
/// A [`TransactError`]; then nothing was recorded.
pub fn resume(setting: &Setting<'_>, name: &str, act: &Act) -> Result<Grant, TransactError> {
    setting.loaded.policy.gate(name)?;
    setting.transact(|transaction| {
        let pauses = live_pauses(&transaction.view(), name, transaction.now())?;
        if pauses.is_empty() {
            let reasons = vec![format!("gate '{name}' is not paused: nothing to resume, nothing recorded")];
            return Ok(answer(Status::Nothing, Some(name), None, reasons));
        }
        policies::ensure_recorded(transaction, &setting.loaded, &act.by)?;
        for pause in &pauses {
            if let Err(reasons) = may_resume(setting, pause, act)? {
                return refuse(setting, transaction, pause, (Verb::Resume, act), reasons);
            }
        }
        let mut last = None;
        for pause in &pauses {
            last = Some(end(setting, transaction, pause, Action::Pause, act)?);
        }
        last.ok_or_else(|| TransactError::Subject(format!("gate '{name}' is not paused")))
    })
}

fn may_resume(
    setting: &Setting<'_>,
    pause: &Entry,
    act: &Act,
) -> Result<Result<(), Vec<String>>, TransactError> {
    let (ask, requester) = (asked(pause)?, records::actor(pause)?);
    let gate = pause.gate.as_deref().unwrap_or_default();
    let subject = Subject { gate, ask: &ask, requester: &requester, approvers: &[], author: None };
    Ok(gate_policy::may_resume(&setting.loaded.policy, act.actor(), subject))
}

/// What a request or a grant asks for.
fn asked(entry: &Entry) -> Result<Ask, records::Malformed> {
    let malformed = |source| records::Malformed { seq: entry.seq, kind: entry.kind.as_str(), source };
    Ask::deserialize(&entry.data).map_err(malformed)
}

/// The pauses of a gate that nobody ended yet, oldest first.
///
/// # Errors
/// A [`TransactError`].
pub fn live_pauses(
    view: &View<'_>,
    gate: &str,
    now: gate_model::time::Timestamp,
) -> Result<Vec<Entry>, TransactError> {
    let mut pauses = Vec::new();
    for entry in view.live_grants(gate, now)? {
        let is_pause = records::data::<GrantData>(&entry).is_ok_and(|data| data.ask.action == Action::Pause);
        let ended = view.life(records::id_of(&entry))?.iter().any(records::ends_opt_out);
        if is_pause && !ended {
            pauses.push(entry);
        }
    }
    pauses.sort_by_key(|entry| entry.seq);
    Ok(pauses)
}

fn living(transaction: &Transaction<'_>, id: &str) -> Result<Living, TransactError> {
    let view = transaction.view();
    let named = ids::find(&view, id)?;
    let first = records::id_of(&named);
    let subject = |text: String| Err(TransactError::Subject(text));
    let Some(start) = view.entry(first)? else { return subject(format!("entry {first} is missing")) };
    if !matches!(start.kind, Kind::Grant | Kind::Request) {
        return subject(format!("entry {first} is a {}, not an opt-out", start.kind.as_str()));
    }
    let life = view.life(first)?;
    let is_end = |entry: &&Entry| {
        records::ends_opt_out(entry) || (entry.kind == Kind::Denial && !records::is_refused_act(entry))
    };
    if let Some(end) = life.iter().find(is_end) {
        return subject(format!("opt-out {first} ended already, with a {} at {}", end.kind.as_str(), end.at));
    }
    let approvers = life.iter().filter(|entry| entry.kind == Kind::Approval).map(records::actor);
    let approvers = approvers.collect::<Result<Vec<_>, _>>()?;
    let requester = records::actor(&start)?;
    let entry = life.into_iter().find(|entry| entry.kind == Kind::Grant).unwrap_or(start);
    if let Ok(data) = records::data::<GrantData>(&entry)
        && entry.kind == Kind::Grant
        && data.expires <= transaction.now()
    {
        return subject(format!("opt-out {first} ended already, at {}", data.expires));
    }
    Ok(Living { ask: asked(&entry)?, entry, requester, approvers })
}

fn end(
    setting: &Setting<'_>,
    transaction: &mut Transaction<'_>,
    subject: &Entry,
    action: Action,
    act: &Act,
) -> Result<Grant, TransactError> {
    let gate = subject.gate.clone().unwrap_or_default();
    let reason = act.reason.clone().unwrap_or_default();
    let id = records::id_of(subject);
    let data = RevocationData {
        subject: subject.hash.to_string(),
        action,
        reason: reason.clone(),
        ticket: act.ticket.clone(),
        policy: setting.loaded.used.clone(),
        judge: JUDGE,
        context: act.context.clone(),
        statement: act.statement_value()?,
    };
    let entry =
        transaction.append(&records::draft(Kind::Revocation, Some(&gate), Some(id), &act.by, &data)?)?;
    let what = if action == Action::Pause { "resumed" } else { "revoked" };
    Ok(Grant {
        id: Some(id),
        action: Some(action),
        by: Some(act.by.clone()),
        ..answer(
            Status::Revoked,
            Some(&gate),
            Some(entry.seq),
            vec![format!("{what} by {}: {reason}", act.by.id)],
        )
    })
}
