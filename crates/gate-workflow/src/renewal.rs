//! Renewing an opt-out: what a renewal asks for, and how it takes the place of what it renews.
//!
//! What it asks for is judged as any request is; what must be true of the opt-out that it renews says gate-policy. Once
//! it is granted the one before ends in the same transaction, so that they never both cover.

use gate_ledger::entry::{Entry, Kind};
use gate_ledger::store::{StoreError, Transaction, View};
use gate_model::JUDGE;
use gate_model::payload::{Ask, GrantData, RevocationData};
use gate_model::principal::Principal;
use gate_model::request::Ttl;
use gate_model::text;
use gate_policy::Renewable;

use crate::admission::TransactError;
use crate::ids;
use gate_judge::records;

/// What somebody says who renews an opt-out. What is left out is as it was.
#[derive(Debug, Clone)]
pub struct Words {
    /// Why.
    pub reason: String,
    /// The ticket.
    pub ticket: Option<String>,
    /// How long from now on, in seconds.
    pub ttl: Option<u64>,
}

/// The gate of the opt-out that `id` names, and what its renewal asks for.
///
/// # Errors
/// A [`TransactError`]; then nothing is asked for.
pub fn asked(view: &View<'_>, id: &str, words: &Words) -> Result<(String, Ask), TransactError> {
    check(words)?;
    let first = records::id_of(&ids::find(view, id)?);
    let none = |why: &str| {
        TransactError::Subject(format!(
            "{first} is {why}: there is nothing to renew\nlist what is granted with: gate-log --kind grant"
        ))
    };
    let start = view.entry(first)?.ok_or_else(|| none("missing"))?;
    let gate = start.gate.clone().ok_or_else(|| none("no opt-out"))?;
    let renewed = renewable(view, &gate, first)?.ok_or_else(|| none("no opt-out that was granted"))?;
    let renews = Some(renewed.renews(first));
    let ask = Ask {
        reason: words.reason.clone(),
        ticket: words.ticket.clone().or(renewed.ask.ticket),
        ttl: words.ttl.map_or(renewed.ask.ttl, Ttl::of),
        renews,
        ..renewed.ask
    };
    Ok((gate, ask))
}

fn check(words: &Words) -> Result<(), TransactError> {
    for (what, value) in [("reason", Some(&words.reason)), ("ticket", words.ticket.as_ref())] {
        value.map_or(Ok(()), |value| text::check(value)).map_err(|error| {
            TransactError::Subject(format!("the {what} cannot be recorded: {error}\nwrite it as plain text"))
        })?;
    }
    Ok(())
}

/// The opt-out `id` of `gate`, if it was granted and can be read.
///
/// # Errors
/// A failure of the store.
pub(crate) fn renewable(view: &View<'_>, gate: &str, id: u64) -> Result<Option<Renewable>, StoreError> {
    let Some(start) = view.entry(id)?.filter(|start| start.gate.as_deref() == Some(gate)) else {
        return Ok(None);
    };
    let life = view.life(id)?;
    let grant = std::iter::once(&start)
        .chain(&life)
        .find(|entry| entry.kind == Kind::Grant && records::id_of(entry) == id);
    let read = grant.and_then(|grant| {
        Some((grant, records::data::<GrantData>(grant).ok()?, records::actor(grant).ok()?))
    });
    let ended = life.iter().find(|entry| records::ends_opt_out(entry)).map(|entry| entry.seq);
    Ok(read.map(|(grant, data, by)| Renewable {
        grant: grant.hash.to_string(),
        ask: data.ask,
        by,
        expires: data.expires,
        ended,
    }))
}

/// Ends what the grant in `entry` renews, which `by` asked for.
///
/// # Errors
/// A [`TransactError`]; then the transaction must not go on.
pub(crate) fn take_over(
    transaction: &mut Transaction<'_>,
    entry: &Entry,
    granted: &GrantData,
    by: &Principal,
) -> Result<(), TransactError> {
    let Some(renews) = &granted.ask.renews else { return Ok(()) };
    let id = records::id_of(entry);
    let data = RevocationData {
        subject: renews.grant.clone(),
        renewed: Some(id),
        action: granted.ask.action,
        reason: format!("opt-out {id} renews it"),
        ticket: None,
        policy: granted.policy.clone(),
        judge: JUDGE,
        judged_at: granted.not_before,
        context: granted.context.clone(),
        statement: None,
    };
    let gate = entry.gate.as_deref();
    transaction.append(&records::draft(Kind::Revocation, gate, Some(renews.id), by, &data)?)?;
    Ok(())
}
