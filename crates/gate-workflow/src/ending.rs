//! Ending an opt-out before its time: revoking a grant or a request, resuming a paused gate.

use gate_ledger::entry::{Entry, Kind};
use gate_ledger::store::{Transaction, View};
use gate_model::JUDGE;
use gate_model::action::Action;
use gate_model::context::Context;
use gate_model::grant::{Grant, Status};
use gate_model::payload::{Ask, GrantData, RevocationData, Verb};
use gate_model::principal::Principal;
use gate_model::repository::is_another;
use gate_model::text;
use gate_model::time::Timestamp;
use gate_policy::Subject;

use crate::admission::{TransactError, answer};
use crate::approval::Act;
use crate::ids;
use crate::lifting;
use crate::policies::{self, Policies};
use crate::proving;
use crate::refusal::refuse;
use crate::workspace::Workspace;
use gate_judge::life::Life;
use gate_judge::lifting::counting;
use gate_judge::policy_text::Loaded;
use gate_judge::records;
use gate_judge::repository;
use gate_judge::signatures::Mark;

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
pub fn revoke(workspace: &Workspace<'_>, act: &Act) -> Result<Grant, TransactError> {
    workspace.transact(|transaction| {
        let living = living(transaction, &workspace.loaded, &act.id)?;
        let act =
            &proving::act(&workspace.loaded, transaction, act, &marks(&transaction.view(), &living.entry)?)?;
        workspace.loaded.policy.gate(living.subject().gate)?;
        policies::ensure_recorded(transaction, (&workspace.loaded, workspace.repository()?), &act.by)?;
        match gate_policy::may_revoke(&workspace.loaded.policy, act.actor(), living.subject()) {
            Ok(()) => end(workspace, transaction, &living.entry, living.ask.action, act),
            Err(reasons) => refuse(workspace, transaction, &living.entry, (Verb::Revoke, act), reasons),
        }
    })
}

/// Ends every pause of a gate, if each may be ended. Where none is live nothing is recorded.
///
/// # Errors
/// A [`TransactError`]; then nothing was recorded.
pub fn resume(workspace: &Workspace<'_>, name: &str, act: &Act) -> Result<Grant, TransactError> {
    workspace.loaded.policy.gate(name)?;
    workspace.transact(|transaction| {
        let here = (name, &act.context);
        let pauses = live_pauses(&transaction.view(), &workspace.loaded, here, transaction.now())?;
        if act.context.stated_names().is_empty() {
            one_repositorys(&pauses, name)?;
        }
        if pauses.is_empty() {
            let reasons = vec![format!("gate '{name}' is not paused: nothing to resume, nothing recorded")];
            return Ok(answer(Status::Nothing, Some(name), None, reasons));
        }
        let act = &covering(workspace, transaction, &pauses, act)?;
        policies::ensure_recorded(transaction, (&workspace.loaded, workspace.repository()?), &act.by)?;
        for pause in &pauses {
            if let Err(reasons) = may_resume(workspace, pause, act)? {
                return refuse(workspace, transaction, pause, (Verb::Resume, act), reasons);
            }
        }
        let mut last = None;
        for pause in &pauses {
            last = Some(end(workspace, transaction, pause, Action::Pause, act)?);
        }
        last.ok_or_else(|| TransactError::Subject(format!("gate '{name}' is not paused")))
    })
}

/// `act` with whoever signed it. What was signed to resume a gate is about all of its pauses: one that was made after it
/// is none of them.
fn covering(
    workspace: &Workspace<'_>,
    transaction: &Transaction<'_>,
    pauses: &[Entry],
    act: &Act,
) -> Result<Act, TransactError> {
    let newest: Vec<Mark> = pauses.last().map(Mark::of).into_iter().collect();
    let is_newest = |subject: &str| newest.iter().any(|mark| mark.hash.to_string() == subject);
    if act.statement.as_ref().is_some_and(|statement| !is_newest(&statement.subject)) {
        let again = "the gate was paused or resumed since this was signed\nsee who paused it, and sign again";
        return Err(TransactError::Subject(again.to_owned()));
    }
    proving::act(&workspace.loaded, transaction, act, &newest)
}

/// What a signed statement about an opt-out may name: each entry of its life, of which `entry` is one.
pub(crate) fn marks(view: &View<'_>, entry: &Entry) -> Result<Vec<Mark>, TransactError> {
    let first = records::id_of(entry);
    let start = view.entry(first)?;
    Ok(start.iter().chain(&view.life(first)?).map(Mark::of).collect())
}

fn may_resume(
    workspace: &Workspace<'_>,
    pause: &Entry,
    act: &Act,
) -> Result<Result<(), Vec<String>>, TransactError> {
    let (ask, requester) = (asked(pause)?, records::actor(pause)?);
    let gate = pause.gate.as_deref().unwrap_or_default();
    let subject = Subject { gate, ask: &ask, requester: &requester, approvers: &[], author: None };
    Ok(gate_policy::may_resume(&workspace.loaded.policy, act.actor(), subject))
}

/// What a request or a grant asks for.
fn asked(entry: &Entry) -> Result<Ask, records::Malformed> {
    let malformed = |source| records::Malformed { seq: entry.seq, kind: entry.kind.as_str(), source };
    entry.data.read().map_err(malformed)
}

/// Refuses pauses of several repositories: whoever resumes a gate resumes that of their own, and has to say which it is.
fn one_repositorys(pauses: &[Entry], gate: &str) -> Result<(), TransactError> {
    let data: Vec<GrantData> = pauses.iter().filter_map(|pause| records::data(pause).ok()).collect();
    let names: Vec<&str> = data.iter().filter_map(repository::of_grant).collect();
    let Some(other) = names.iter().find(|name| is_another(names[0], name)) else { return Ok(()) };
    let (one, other) = (text::visible(names[0]), text::visible(other));
    Err(TransactError::Subject(format!(
        "gate '{gate}' is paused in {one} and in {other}, and nobody can tell which of them this is\n\
         act from a checkout with its remote 'origin', or set GATE_REPOSITORY to host/path"
    )))
}

/// The pauses of a gate that hold in the repository of `here` and that nobody ended yet, as `today` has it, oldest first.
///
/// # Errors
/// A [`TransactError`].
pub fn live_pauses(
    view: &View<'_>,
    today: &Loaded,
    (gate, here): (&str, &Context),
    now: Timestamp,
) -> Result<Vec<Entry>, TransactError> {
    let (mut pauses, mut policies) = (Vec::new(), Policies::default());
    let is_here = |entry: &Entry| {
        // One that cannot be read is everybody's.
        records::data(entry).map_or(true, |data| repository::pauses_here(&data, here))
    };
    for entry in view.live_grants(gate, now)?.into_iter().filter(records::is_pause).filter(is_here) {
        let life = view.life(records::id_of(&entry))?;
        if !is_ended(view, &mut policies, today, &entry, &life)? {
            pauses.push(entry);
        }
    }
    pauses.sort_by_key(|entry| entry.seq);
    Ok(pauses)
}

/// Whether the pause in `grant` was ended, as `today` has it. One that cannot be read holds, unless something would end it.
fn is_ended(
    view: &View<'_>,
    policies: &mut Policies,
    today: &Loaded,
    grant: &Entry,
    life: &[Entry],
) -> Result<bool, TransactError> {
    if Life::of(grant, life).has_no_end() {
        return Ok(false);
    }
    let (data, by) = (records::data(grant)?, records::actor(grant)?);
    Ok(lifting::ended(view, policies, today.trust(), (grant, &data, &by), life)?.by.is_some())
}

fn living(transaction: &Transaction<'_>, today: &Loaded, id: &str) -> Result<Living, TransactError> {
    let view = transaction.view();
    let named = ids::find(&view, id)?;
    let first = records::id_of(&named);
    let subject = |text: String| Err(TransactError::Subject(text));
    let Some(start) = view.entry(first)? else { return subject(format!("entry {first} is missing")) };
    if !matches!(start.kind, Kind::Grant | Kind::Request) {
        return subject(format!("entry {first} is a {}, not an opt-out", start.kind.as_str()));
    }
    let life = view.life(first)?;
    let requester = records::actor(&start)?;
    let Some(grant) = life.iter().chain([&start]).find(|entry| entry.kind == Kind::Grant).cloned() else {
        return waiting(first, start, &life, requester);
    };
    let data: GrantData = records::data(&grant)?;
    if data.expires <= transaction.now() {
        return subject(format!("opt-out {first} ended already, at {}", data.expires.to_second()));
    }
    let mut policies = Policies::default();
    let granted = (&grant, &data, &requester);
    if let Some(end) = lifting::ended(&view, &mut policies, today.trust(), granted, &life)?.by {
        return subject(format!("opt-out {first} ended already, with entry {}", end.seq));
    }
    let approvers = policies.get(&view, &data.policy.digest)?;
    let approvers = approvers.map_or_else(|_| Vec::new(), |then| counting(&then, granted, &life));
    Ok(Living { ask: data.ask, entry: grant, requester, approvers })
}

/// A request that waits, whose life is `life`.
fn waiting(id: u64, request: Entry, life: &[Entry], requester: Principal) -> Result<Living, TransactError> {
    if let Some(end) = Life::of(&request, life).answered() {
        let (kind, at) = (end.kind.as_str(), end.at.to_second());
        return Err(TransactError::Subject(format!("opt-out {id} ended already, with a {kind} at {at}")));
    }
    let approvers = life.iter().filter(|entry| entry.kind == Kind::Approval).map(records::actor);
    let approvers = approvers.collect::<Result<Vec<_>, _>>()?;
    Ok(Living { ask: asked(&request)?, entry: request, requester, approvers })
}

fn end(
    workspace: &Workspace<'_>,
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
        renewed: None,
        action,
        reason: reason.clone(),
        ticket: act.ticket.clone(),
        policy: workspace.loaded.used.clone(),
        judge: JUDGE,
        judged_at: transaction.now(),
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
