//! Renewing an opt-out: what a renewal asks for, and how it takes the place of what it renews.
//!
//! What it asks for is judged as any request is; what must be true of the opt-out that it renews says gate-policy. Once
//! it is granted the one before ends in the same transaction, so that they never both cover.

use gate_ledger::entry::{Entry, Kind};
use gate_ledger::store::{StoreError, Transaction, View};
use gate_model::JUDGE;
use gate_model::payload::{Ask, GrantData, RevocationData};
use gate_model::principal::Principal;
use gate_model::request::{Renews, Ttl};
use gate_model::text;
use gate_policy::Renewable;

use crate::admission::TransactError;
use crate::ids;
use crate::lifting;
use crate::policies::Policies;
use gate_judge::lifting::Trust;
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
    let granted = granted(view, &gate, first)?.ok_or_else(|| none("no opt-out that was granted"))?;
    let renews = Some(granted.renews(first));
    let before = granted.data.ask;
    let ask = Ask {
        reason: words.reason.clone(),
        ticket: words.ticket.clone().or(before.ticket),
        ttl: words.ttl.map_or(before.ttl, Ttl::of),
        renews,
        ..before
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

/// An opt-out that was granted.
pub(crate) struct Renewed {
    grant: Entry,
    data: GrantData,
    by: Principal,
    life: Vec<Entry>,
}

impl Renewed {
    /// What a request says that renews it; `id` is its ID.
    pub(crate) fn renews(&self, id: u64) -> Renews {
        Renews::of(id, self.grant.hash.to_string(), self.data.ask.renews.as_ref())
    }
}

/// The opt-out `id` of `gate`, if it was granted and can be read.
///
/// # Errors
/// A failure of the store.
pub(crate) fn granted(view: &View<'_>, gate: &str, id: u64) -> Result<Option<Renewed>, StoreError> {
    let Some(start) = view.entry(id)?.filter(|start| start.gate.as_deref() == Some(gate)) else {
        return Ok(None);
    };
    let life = view.life(id)?;
    let is_grant = |entry: &&Entry| entry.kind == Kind::Grant && records::id_of(entry) == id;
    let Some(grant) = std::iter::once(&start).chain(&life).find(is_grant).cloned() else { return Ok(None) };
    let read = records::data::<GrantData>(&grant).and_then(|data| Ok((data, records::actor(&grant)?)));
    Ok(read.ok().map(|(data, by)| Renewed { grant, data, by, life }))
}

/// The same as a renewal asks about it, as `today` has it.
///
/// # Errors
/// A failure of the store.
pub(crate) fn renewable(
    view: &View<'_>,
    today: Trust<'_>,
    gate: &str,
    id: u64,
) -> Result<Option<Renewable>, StoreError> {
    let Some(Renewed { grant, data, by, life }) = granted(view, gate, id)? else { return Ok(None) };
    let ends = lifting::ended(view, &mut Policies::default(), today, (&grant, &data, &by), &life)?;
    Ok(Some(Renewable {
        grant: grant.hash.to_string(),
        ask: data.ask,
        by,
        expires: data.expires,
        ended: ends.by.map(|end| end.seq),
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
