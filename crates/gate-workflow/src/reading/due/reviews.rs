//! Reviews that are owed.

use gate_ledger::entry::Entry;
use gate_ledger::store::StoreError;
use gate_model::payload::GrantData;

use super::{Agenda, Owed, Remedy};
use crate::admission::written;
use crate::debts;
use gate_judge::{records, repository};

pub(super) fn read(agenda: &mut Agenda<'_>) -> Result<Vec<Owed>, StoreError> {
    let mut owed = Vec::new();
    for debt in
        debts::open(&agenda.view, &mut agenda.policies, agenda.today.map(|today| today.policy.trust()))?
    {
        match debt.read {
            Ok((data, by)) => owed.extend(examine(agenda, &debt.grant, data, by.id, debt.doubts)?),
            Err(error) => agenda.unreadable(&debt.grant, &error),
        }
    }
    owed.sort_by_key(|review| (review.deadline, review.id));
    Ok(owed)
}

fn examine(
    agenda: &mut Agenda<'_>,
    entry: &Entry,
    data: GrantData,
    by: String,
    doubts: Vec<String>,
) -> Result<Option<Owed>, StoreError> {
    let Some(owes) = data.owes else {
        agenda.unreadable(entry, &"it owes something that this build does not know");
        return Ok(None);
    };
    let id = records::id_of(entry);
    let gate = entry.gate.clone().unwrap_or_default();
    let repository = repository::of(&data.ask, &data.context).map(str::to_owned);
    let rules = agenda.rules(repository.as_deref(), &data.policy.digest)?;
    let from = rules.policy().and_then(|policy| {
        let rule = policy.gate(&gate).ok()?.rule(data.rule).filter(|rule| rule.break_glass)?;
        Some(written(&gate_policy::reviewers(policy, rule)))
    });
    let remedy = Remedy::review(rules.policy(), &gate, id, Some(data.rule));
    let remedy = agenda.remedy(remedy, repository.as_deref());
    let gone =
        from.is_none().then(|| "the policy no longer has the break-glass rule that granted it".to_owned());
    let notes: Vec<String> = gone.into_iter().chain(doubts).collect();
    let note = (!notes.is_empty()).then(|| notes.join("; "));
    Ok(Some(Owed {
        id,
        gate,
        repository,
        action: data.ask.action,
        by,
        reason: data.ask.reason,
        granted_at: entry.at,
        deadline: owes.by,
        overdue: owes.by <= agenda.now,
        from: from.unwrap_or_default(),
        note,
        remedy,
    }))
}
