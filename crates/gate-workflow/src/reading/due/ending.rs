//! Live opt-outs that end soon, each with the command that asks for the same again: a renewal where the rules let it be
//! renewed once more.

use gate_findings::match_syntax::Match;
use gate_ledger::entry::Entry;
use gate_ledger::store::StoreError;
use gate_model::action::Action;
use gate_model::payload::{Ask, GrantData};
use gate_model::principal::{Assurance, Principal};

use super::{Agenda, Ending, Remedy};
use crate::renewal;
use crate::standing::Uses;
use gate_judge::{records, repository};
use gate_policy::AuthorizationRequest;

pub(super) fn read(agenda: &mut Agenda<'_>) -> Result<Vec<Ending>, StoreError> {
    let soon = agenda.soon;
    let mut ending = Vec::new();
    for entry in agenda.view.all_grants_live(agenda.now)? {
        match records::data::<GrantData>(&entry).and_then(|data| Ok((data, records::actor(&entry)?))) {
            Ok((data, _)) if soon.is_some_and(|soon| data.expires > soon) => {}
            Ok((data, by)) => ending.extend(examine(agenda, &entry, data, by)?),
            Err(error) => agenda.unreadable(&entry, &error),
        }
    }
    ending.sort_by_key(|opt_out| (opt_out.expires, opt_out.id));
    Ok(ending)
}

/// The opt-out, unless it was revoked or spent.
fn examine(
    agenda: &mut Agenda<'_>,
    entry: &Entry,
    data: GrantData,
    by: Principal,
) -> Result<Option<Ending>, StoreError> {
    let id = records::id_of(entry);
    if agenda.is_ended((entry, &data, &by))? {
        return Ok(None);
    }
    let gate = entry.gate.clone().unwrap_or_default();
    let uses_left = Uses::default().left(&agenda.view, &gate, (id, entry.seq), &data)?;
    if uses_left == Some(0) {
        return Ok(None);
    }
    let signed = by.assurance == Assurance::Signed;
    let repository = repository::of_grant(&data).map(str::to_owned);
    let remedy = if renewable(agenda, entry, &gate, &data, &by)? {
        Remedy::acting("renew", id, &[], signed.then_some(Assurance::Signed))
    } else {
        Remedy::new(again(&gate, &data.ask, signed))
    };
    let remedy = agenda.remedy(remedy, repository.as_deref());
    Ok(Some(Ending {
        id,
        remedy,
        gate,
        repository,
        action: data.ask.action,
        by: by.id,
        reason: data.ask.reason,
        expires: data.expires,
        uses_left,
    }))
}

/// Whether some rule lets it be renewed once more by whoever asked for it.
fn renewable(
    agenda: &mut Agenda<'_>,
    entry: &Entry,
    gate: &str,
    data: &GrantData,
    by: &Principal,
) -> Result<bool, StoreError> {
    let id = records::id_of(entry);
    let Some(granted) = renewal::granted(&agenda.view, gate, id)? else { return Ok(false) };
    let rules = agenda.rules_to_come(repository::of_grant(data))?;
    let ask = Ask { renews: Some(granted.renews(id)), ..data.ask.clone() };
    // It would be asked for with gate-skip, whoever asked for the one before.
    let authorization =
        AuthorizationRequest { gate, ask: &ask, by, context: &data.context, in_commit: false };
    Ok(rules.policy().is_some_and(|policy| gate_policy::permits(policy, &authorization, None).is_ok()))
}

/// The command that asks for the same once more, with a reason yet to be written.
fn again(gate: &str, ask: &Ask, signed: bool) -> Vec<String> {
    let mut argv = vec!["gate-skip".to_owned(), gate.to_owned()];
    let mut option = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            argv.extend([name.to_owned(), value.to_owned()]);
        }
    };
    match ask.action {
        Action::Waive => {
            for evidence in &ask.findings {
                option("--waive", Some(&Match::from(evidence).to_string()));
            }
        }
        action => option("--action", Some(action.as_str())),
    }
    option("--commit", ask.scope.commit.as_deref());
    option("--ref", ask.scope.git_ref.as_deref());
    option("--environment", ask.scope.environment.as_deref());
    option("--run", ask.scope.run.as_deref());
    option("--uses", ask.max_uses.map(|uses| uses.to_string()).as_deref());
    option("--ttl", Some(&ask.ttl.text));
    option("--ticket", ask.ticket.as_deref());
    argv.extend(ask.scope.change.as_ref().map(|change| format!("--change={change}")));
    let switch = |on: bool, name: &str| on.then(|| name.to_owned());
    let of_repository =
        ask.action != Action::Waive && ask.scope.repository.is_some() && !ask.scope.is_narrow();
    argv.extend(switch(of_repository, "--repository"));
    argv.extend([switch(ask.break_glass, "--break-glass"), switch(signed, "--sign")].into_iter().flatten());
    argv
}
