//! Which opt-outs of a gate count, here and now, as the ledger has them: see [`gate_judge::standing`].

mod grants;
mod uses;
mod weigh;

use gate_judge::derivation::Derived;
use gate_judge::life::Life;
use gate_judge::policy_text::Loaded;
use gate_judge::records;
use gate_judge::repository::Whose;
use gate_judge::standing::{EffectiveOptOuts, Live, Seen, SetAside};
use gate_ledger::entry::Entry;
use gate_ledger::store::{StoreError, View};
use gate_model::context::Context;
use gate_model::finding::WaiverTerms;
use gate_model::payload::{GrantData, RequestData};
use gate_model::principal::Principal;
use gate_model::time::Timestamp;

use crate::debts;
use crate::lifting;
use crate::policies::Policies;
use crate::remedy::Remedy;
pub use grants::{Grants, Witness};
pub(crate) use uses::Uses;
use weigh::{Objection, weigh};

/// What the standing of a gate is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The gate.
    pub gate: &'a str,
    /// The policy in force.
    pub today: &'a Loaded,
    /// Where the gate runs.
    pub context: &'a Context,
    /// The instant.
    pub now: Timestamp,
    /// The newest entry before a command started: what was made after it counts only where somebody signed it
    /// meanwhile, so that a command cannot excuse itself.
    pub seen: Option<Seen>,
}

/// Sorts the live grants of a gate.
///
/// # Errors
/// A failure of the store. A grant that cannot be read is set aside, not an error.
pub fn read(
    view: &View<'_>,
    policies: &mut Policies,
    question: &Question<'_>,
) -> Result<EffectiveOptOuts, StoreError> {
    let grants = Grants::find(view, question.gate, question.now)?;
    sort(view, policies, question, &grants, &mut |_, _| Ok(()))
}

/// Sorts those of `grants` that are live: the gate's, as they were found in this view. `witness` sees all of them.
///
/// # Errors
/// As those of [`read`]; what the witness returns.
pub fn sort(
    view: &View<'_>,
    policies: &mut Policies,
    question: &Question<'_>,
    grants: &Grants,
    witness: Witness<'_>,
) -> Result<EffectiveOptOuts, StoreError> {
    let (mut standing, mut uses) = (EffectiveOptOuts::default(), Uses::default());
    let now = question.now.to_string();
    grants.each(view, &mut |entry, life| {
        policies.note(&entry);
        witness(&entry, &life)?;
        if !entry.ends_after(&now) {
            return Ok(());
        }
        match examine(view, policies, question, &mut uses, (&entry, &life))? {
            Examined::Counts(live) => standing.live.push(*live),
            Examined::Aside(aside) => standing.set_aside.push(aside),
            Examined::Over => {}
        }
        Ok(())
    })?;
    standing.overdue = overdue(view, policies, question)?;
    standing.live.sort_by_key(|live| live.seq);
    standing.set_aside.sort_by_key(|aside| aside.id);
    Ok(standing)
}

/// Whether a review is overdue for a gate of this name, in whatever repository.
///
/// # Errors
/// A failure of the store.
pub fn owes(
    view: &View<'_>,
    policies: &mut Policies,
    today: &Loaded,
    gate: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(!debts::overdue(view, policies, Some(today.trust()), gate, now)?.is_empty())
}

/// The reviews of the gate, and of its repository, that are overdue, which every decision of the gate repeats.
fn overdue(
    view: &View<'_>,
    policies: &mut Policies,
    question: &Question<'_>,
) -> Result<Vec<String>, StoreError> {
    let Question { gate, today, context, now, .. } = question;
    let mut debts = debts::overdue(view, policies, Some(today.trust()), gate, *now)?;
    debts.retain(|debt| debt.is_of(Whose::here(context)));
    let mut sentences = Vec::new();
    for debt in debts {
        let (id, rule) = (debt.id(), debt.read.as_ref().ok().map(|(data, _)| data.rule));
        let whose = match (&debt.read, debt.deadline()) {
            (Ok((_, by)), Some(deadline)) => {
                format!("by {} is overdue since {}", by.id, deadline.to_second())
            }
            (Err(error), _) => format!("is overdue, since nobody can tell until when it had time: {error}"),
            (Ok(_), None) => "is overdue, since its grant says no time for it".to_owned(),
        };
        let remedy = Remedy::review(Some(&today.policy), gate, id, rule).under(today).command;
        sentences.push(format!("the review of break-glass opt-out {id} {whose}: {remedy}"));
        sentences.extend(debt.doubts);
    }
    Ok(sentences)
}

/// The requests for this gate and this place that still wait for approvals, newest first.
///
/// # Errors
/// A failure of the store.
pub fn pending(view: &View<'_>, question: &Question<'_>) -> Result<Vec<u64>, StoreError> {
    let is_here = |entry: &Entry| {
        let data = records::data::<RequestData>(entry);
        data.is_ok_and(|data| {
            gate_policy::scope_holds(data.ask.action, &data.ask.scope, question.context).is_ok()
                && !Whose::of_request(&data).is_apart(Whose::here(question.context))
        })
    };
    let mut open = Vec::new();
    for entry in view.waiting(Some(question.gate), question.now)?.iter().filter(|entry| is_here(entry)) {
        if Life::of(entry, &view.life(entry.seq)?).waits(question.now).is_ok() {
            open.push(entry.seq);
        }
    }
    Ok(open)
}

enum Examined {
    Counts(Box<Live>),
    Aside(SetAside),
    /// Revoked, rejected by its reviewer, or spent: its life is over.
    Over,
}

fn examine(
    view: &View<'_>,
    policies: &mut Policies,
    question: &Question<'_>,
    uses: &mut Uses,
    (entry, life): (&Entry, &[Entry]),
) -> Result<Examined, StoreError> {
    let id = records::id_of(entry);
    let read = records::data::<GrantData>(entry).and_then(|data| Ok((data, records::actor(entry)?)));
    let (data, by) = match read {
        Ok(read) => read,
        Err(error) => return Ok(Examined::Aside(unreadable(id, error.to_string()))),
    };
    let ends = lifting::ended(view, policies, question.today.trust(), (entry, &data, &by), life)?;
    if ends.by.is_some() {
        return Ok(Examined::Over);
    }
    let uses_left = uses.left(view, question.gate, (id, entry.seq), &data)?;
    if uses_left == Some(0) {
        return Ok(Examined::Over);
    }
    let Derived { accepted_risk, terms } = match weigh(view, policies, question, (entry, &data, &by), life)? {
        Ok(derived) => derived,
        Err(objection) => return Ok(Examined::Aside(aside(id, data, by, objection))),
    };
    let counts = live(id, entry.seq, data, by);
    Ok(Examined::Counts(Box::new(Live { uses_left, accepted_risk, doubts: ends.doubts, terms, ..counts })))
}

/// An opt-out that counts, with what its grant says.
fn live(id: u64, seq: u64, data: GrantData, by: Principal) -> Live {
    let GrantData { ask, expires, .. } = data;
    Live {
        id,
        seq,
        action: ask.action,
        by,
        reason: ask.reason,
        expires,
        scope: ask.scope,
        findings: ask.findings,
        terms: WaiverTerms::default(),
        uses_left: None,
        accepted_risk: None,
        doubts: Vec::new(),
    }
}

/// A grant that does not count, with what it says.
fn aside(id: u64, data: GrantData, by: Principal, objection: Objection) -> SetAside {
    SetAside {
        id,
        action: Some(data.ask.action),
        by: Some(by.id),
        reason: Some(data.ask.reason),
        expires: Some(data.expires),
        why: objection.why,
        elsewhere: objection.elsewhere,
    }
}

/// A grant that does not count, since it cannot be read.
const fn unreadable(id: u64, why: String) -> SetAside {
    SetAside { id, action: None, by: None, reason: None, expires: None, why, elsewhere: false }
}
