//! Decisions that wait beside a working copy, on their way into the ledger.
//!
//! Only what used no opt-out waits: whoever can write such a file can write what a machine of theirs decided, and
//! nobody gets past a gate by it. Each is recorded once, however often its line is offered.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;

use gate_judge::replay::Replayer;
use gate_ledger::entry::Kind;
use gate_ledger::store::{StoreError, Transaction, View};
use gate_ledger::waiting::{self, Waited, Waiting, WaitingError};
use gate_model::decision::{PolicyUsed, Verdict};
use gate_model::payload::DecisionData;
use gate_model::principal::{Assurance, Principal};
use gate_model::text::unfit_in_name;
use gate_model::verification::Replay;
use serde::Deserialize as _;
use serde_json::Value;

use super::RemoteProblem;

/// The most that one transaction takes in: what it has to say beside them must fit into the same exchange.
pub(super) const AT_ONCE: usize = 5000;

/// What one transaction took in.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// The ids of all that are in the ledger now.
    pub(super) ids: Vec<String>,
    /// Those that are new in it: the entry that each became, and its line in the file.
    pub(super) new: Vec<(u64, usize)>,
}

/// Appends the decisions that wait in `file`, each of them once: [`AT_ONCE`] of those behind the first `done`. `by`
/// sends them, and is named where somebody else decided.
///
/// # Errors
/// A [`RemoteProblem`] that names the line which is none, or could not have been decided behind this ledger.
pub(super) fn take(
    file: &Path,
    done: usize,
    by: &Principal,
    transaction: &mut Transaction<'_>,
) -> Result<Taken, RemoteProblem> {
    take_as(reported, file, done, by, transaction)
}

/// Whom the entry of a decision names, and who reports it, where that is said; the inner error is a sentence's end.
type Named = fn(&Waiting, &Principal) -> Result<(Value, Option<Value>), String>;

fn take_as(
    named: Named,
    file: &Path,
    done: usize,
    by: &Principal,
    transaction: &mut Transaction<'_>,
) -> Result<Taken, RemoteProblem> {
    let waiting: Vec<Waiting> = waiting::read(file)?.into_iter().skip(done).take(AT_ONCE).collect();
    if waiting.is_empty() {
        return Ok(Taken::default());
    }
    let mut known = known_ids(&transaction.view())?;
    let rules = rules(&transaction.view())?;
    let mut taken = Taken::default();
    for (index, one) in waiting.into_iter().enumerate() {
        let refused =
            |reason: String| WaitingError::Line { path: file.to_owned(), line: done + index + 1, reason };
        check(&one, &rules, &transaction.view())?.map_err(refused)?;
        if known.insert(one.id.clone()) {
            let (actor, reported_by) = named(&one, by).map_err(refused)?;
            let entry = transaction.append(&Waiting { actor, ..one.clone() }.draft(reported_by)?)?;
            taken.new.push((entry.seq, done + index + 1));
        }
        taken.ids.push(one.id);
    }
    Ok(taken)
}

/// The same for a file that came from a machine which may not write here itself: what it says is judged again before
/// it is sent, for whoever wrote it could have every later audit of the ledger fail.
///
/// # Errors
/// As [`take`]; also the line whose decision comes out otherwise, or cannot be judged here.
pub(super) fn take_foreign(
    file: &Path,
    done: usize,
    by: &Principal,
    transaction: &mut Transaction<'_>,
) -> Result<Taken, RemoteProblem> {
    let taken = take_as(foreign, file, done, by, transaction)?;
    let replay = judged_again(&transaction.view())?;
    let wrong = replay.disagreements.into_iter().map(|wrong| (wrong.seq, wrong.reason));
    let doubtful = replay.not_judged.into_iter().map(|doubtful| (doubtful.seq, doubtful.reason));
    for (seq, reason) in wrong.chain(doubtful) {
        if let Some((_, line)) = taken.new.iter().find(|(new, _)| *new == seq) {
            let reason = format!("judged again, it {reason}");
            return Err(WaitingError::Line { path: file.to_owned(), line: *line, reason }.into());
        }
    }
    Ok(taken)
}

fn judged_again(view: &View<'_>) -> Result<Replay, StoreError> {
    let (mut replayer, mut next) = (Replayer::new(), 0);
    view.scan(0, None, false, &mut |entry| {
        if entry.seq > next {
            replayer.gap(entry.seq);
        }
        next = entry.seq + 1;
        replayer.entry(&entry);
        ControlFlow::Continue(())
    })?;
    Ok(replayer.finish().replay)
}

/// Whether a decision that waits can be taken in: it uses nobody's opt-out, answers for no person, and was decided
/// behind an entry of this ledger by rules that are in it.
fn check(
    one: &Waiting,
    rules: &HashSet<PolicyUsed>,
    view: &View<'_>,
) -> Result<Result<(), String>, StoreError> {
    let Ok(data) = DecisionData::deserialize(Value::Object(one.data.clone())) else {
        return Ok(Err("its data is no decision's".to_owned()));
    };
    let is_plain = matches!(data.decision, Verdict::Pass | Verdict::Fail)
        && data.grants.is_empty()
        && data.spends.is_none()
        && data.waived == 0;
    if !is_plain {
        return Ok(Err("it uses an opt-out, and only what used none may wait".to_owned()));
    }
    if one.ledger != view.ledger() {
        return Ok(Err("it was decided by another ledger".to_owned()));
    }
    // An entry that was archived cannot be compared; the decision is no better and no worse for it.
    let seen = view.entry(one.head.seq)?.map(|entry| entry.hash.to_string());
    if seen.as_ref().is_some_and(|seen| *seen != one.head.hash) || view.head()?.seq < one.head.seq {
        return Ok(Err("it was decided behind an entry that is not in the ledger".to_owned()));
    }
    if !rules.contains(&data.policy) {
        return Ok(Err("it was decided by a policy that is not in the ledger".to_owned()));
    }
    Ok(Ok(()))
}

/// A decision of this machine, which another one than `by` made where somebody else's run left it.
fn reported(one: &Waiting, by: &Principal) -> Result<(Value, Option<Value>), String> {
    let actor = actor(one)?;
    let reported_by = (actor != *by).then(|| written(by)).transpose()?;
    Ok((written(&actor)?, reported_by))
}

/// A decision out of a file. Nobody here saw what proved who made it, so that they are who the file says they are and no
/// more, and who sends it is always named.
fn foreign(one: &Waiting, by: &Principal) -> Result<(Value, Option<Value>), String> {
    let actor = Principal { assurance: Assurance::Asserted, key: None, issuer: None, ..actor(one)? };
    Ok((written(&actor)?, Some(written(by)?)))
}

/// Who made the decision, by a name that can be seen whole.
fn actor(one: &Waiting) -> Result<Principal, String> {
    let actor =
        Principal::deserialize(&one.actor).map_err(|error| format!("its actor is nobody: {error}"))?;
    match unfit_in_name(&actor.id) {
        Some(c) => {
            Err(format!("its actor's name holds U+{:04X}, which may not stand in a name", u32::from(c)))
        }
        None if actor.id.trim().is_empty() => Err("its actor has no name".to_owned()),
        None => Ok(actor),
    }
}

fn written(principal: &Principal) -> Result<Value, String> {
    serde_json::to_value(principal).map_err(|error| error.to_string())
}

/// The policies that the ledger holds, with where they came from.
fn rules(view: &View<'_>) -> Result<HashSet<PolicyUsed>, StoreError> {
    let mut rules = HashSet::new();
    view.policies(&mut |entry| {
        if let Ok(used) = entry.data.read::<PolicyUsed>() {
            rules.insert(used);
        }
        ControlFlow::Continue(())
    })?;
    Ok(rules)
}

/// The ids of the waiting decisions that the ledger took in. All of it is looked at: where a decision says that it was
/// judged is a claim.
fn known_ids(view: &View<'_>) -> Result<HashSet<String>, StoreError> {
    let mut ids = HashSet::new();
    view.scan(0, None, false, &mut |entry| {
        if entry.kind == Kind::Decision
            && let Ok(waited) = Waited::deserialize(&entry.data["waited"])
        {
            ids.insert(waited.id);
        }
        ControlFlow::Continue(())
    })?;
    Ok(ids)
}
