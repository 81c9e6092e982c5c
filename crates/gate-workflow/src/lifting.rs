//! Whether an opt-out was ended, as the ledger has it: see [`gate_judge::life`], and for pauses [`gate_judge::lifting`].

use gate_judge::repository::{Named, Whose};
use std::ops::ControlFlow;
use std::rc::Rc;

use gate_judge::life::{Life, Turn};
use gate_judge::lifting::{Ended, Pause, Trust, counting, is_resume};
use gate_judge::recorded::Recorded;
use gate_judge::records;
use gate_judge::signatures::Mark;
use gate_ledger::entry::Entry;
use gate_ledger::store::{StoreError, View};
use gate_model::payload::GrantData;
use gate_policy::Subject;

use crate::policies::Policies;

/// What stands in the life of an opt-out as its end.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    /// The entry that ended it.
    pub(crate) by: Option<Turn>,
    /// What would have ended a pause and does not, as sentences.
    pub(crate) doubts: Vec<String>,
}

/// Whether something in the `life` of the opt-out that was `granted` ended it, as `today` has it.
///
/// # Errors
/// A failure of the store.
pub(crate) fn ended(
    view: &View<'_>,
    policies: &mut Policies,
    today: Trust<'_>,
    granted: Pause<'_>,
    life: &[Entry],
) -> Result<Ends, StoreError> {
    let mut doubts = Vec::new();
    let by = Life::of(granted.0, life).ended(|turn| {
        let Some(end) = life.iter().find(|entry| entry.seq == turn.seq) else {
            return Ok::<_, StoreError>(false);
        };
        let derived = derive(view, policies, today, granted, life, end)?;
        doubts.extend(derived.as_ref().err().map(|why| {
            let (id, seq) = (records::id_of(granted.0), end.seq);
            format!("entry {seq} would end the pause of opt-out {id} and does not count: it {why}")
        }));
        Ok(derived.is_ok())
    })?;
    Ok(Ends { by, doubts })
}

fn derive(
    view: &View<'_>,
    policies: &mut Policies,
    today: Trust<'_>,
    (grant, data, by): Pause<'_>,
    life: &[Entry],
    end: &Entry,
) -> Result<Result<(), String>, StoreError> {
    let then = match policy_of(view, policies, end)? {
        Ok(then) => then,
        Err(why) => return Ok(Err(why)),
    };
    let approvers = match policies.get(view, &data.policy.digest)? {
        Ok(admitted) => counting(&admitted, (grant, data, by), life),
        Err(_) => Vec::new(),
    };
    let gate = grant.gate.as_deref().unwrap_or_default();
    let marks = marks(view, (gate, grant), life, end)?;
    let subject = Subject { gate, ask: &data.ask, requester: by, approvers: &approvers, author: None };
    let ended = Ended { id: records::id_of(grant), hash: grant.hash, subject, marks: &marks };
    let trusts = [(then.trust(), "by the policy it was made under"), (today, "by today's policy")];
    Ok(trusts
        .into_iter()
        .try_for_each(|(trust, when)| ended.by(trust, data, end).map_err(|why| format!("{why} ({when})"))))
}

/// The policy that the act in `entry` was made under; the inner error is a sentence's end.
pub(crate) fn policy_of(
    view: &View<'_>,
    policies: &mut Policies,
    entry: &Entry,
) -> Result<Result<Rc<Recorded>, String>, StoreError> {
    let Some(digest) = entry.data.pointer("/policy/digest").and_then(serde_json::Value::as_str) else {
        return Ok(Err("names no policy".to_owned()));
    };
    let then = policies.get(view, digest)?;
    Ok(then.map_err(|reason| format!("cannot be derived again: {reason}")))
}

/// What the signed statement of `end`, which ends the pause in `grant`, may name: an entry of its life, or, for a resume,
/// a pause of the gate that was made after it.
pub(crate) fn marks(
    view: &View<'_>,
    (gate, grant): (&str, &Entry),
    life: &[Entry],
    end: &Entry,
) -> Result<Vec<Mark>, StoreError> {
    let mut marks: Vec<Mark> = life.iter().chain([grant]).map(Mark::of).collect();
    if let Some(id) = grant.reference {
        marks.extend(view.entry(id)?.as_ref().map(Mark::of));
    }
    if !is_resume(end) {
        return Ok(marks);
    }
    // Another repository's gate is another gate.
    let of = |entry: &Entry| {
        let data = records::data::<GrantData>(entry).ok();
        data.map(|data| Named::from(Whose::of_grant(&data))).unwrap_or_default()
    };
    let ours = of(grant);
    let is_of_another = |entry: &Entry| of(entry).whose().is_apart(ours.whose());
    view.granted(gate, &mut |entry: &Entry| {
        if entry.seq <= grant.seq {
            return ControlFlow::Break(());
        }
        if records::is_pause(entry) && !is_of_another(entry) {
            marks.push(Mark::of(entry));
        }
        ControlFlow::Continue(())
    })?;
    Ok(marks)
}
