//! Requests in a commit: found anew at each run, admitted once.
//!
//! A run is about one commit (the change's own, where CI made a merge of it), and its `Gate-Skip` trailers are what its
//! signer asks for ([`gate_judge::trailer`]). What was never admitted is judged as any other request is. What the rules
//! deny is recorded once for the same reasons, not at every run. What is no request (nobody signed it, a key that the policy
//! does not trust, a date that is over) is told and never recorded: anybody can write a commit.
//!
//! Invariants: policy and keys are those in force, which the commit under judgement does not choose; git is asked only where
//! a rule of the gate takes trailers.

use std::path::Path;

use gate_checkout::git;
use gate_identity::git::commit::Commit;
use gate_judge::life::{Life, Over};
use gate_judge::records;
use gate_judge::trailer::{self, Judging, KEY};
use gate_ledger::entry::{Entry, Kind};
use gate_ledger::store::{Transaction, View};
use gate_model::grant::{Grant, Status};
use gate_model::payload::{Ask, GrantData, RequestData};
use gate_model::text::{self, visible};
use gate_model::time::Timestamp;
use gate_policy::{Admission, Trial};

use crate::admission::{self, Asking, TransactError};
use crate::remedy::Remedy;
use crate::standing::Uses;
use crate::workspace::{Workspace, WorkspaceError};

/// The digits of a commit's id that people are shown.
const SHORT: usize = 12;

/// A commit with trailers for a gate.
#[derive(Debug)]
pub(crate) struct Asked {
    object: String,
    /// How people are told of it: `commit 0123456789ab`.
    name: String,
    /// The places of the trailers for the gate.
    numbers: Vec<u64>,
}

/// A trailer that is to be judged.
#[derive(Debug)]
pub(crate) struct Due {
    /// How people are told of it.
    pub(crate) name: String,
    asking: Asking,
}

impl Due {
    /// What it asks for, in a sentence.
    fn hint(&self) -> String {
        let Asking { ask, by, .. } = &self.asking;
        format!(
            "{} asks for a {} by {}, and is yet to be admitted: run the gate",
            self.name,
            ask.action,
            visible(&by.id)
        )
    }
}

/// What there is to say of the trailers for `gate` of the commit of this run, for who only looks: those that a run would
/// admit, and why others give nothing.
///
/// # Errors
/// A [`TransactError`].
pub(crate) fn outlook(
    workspace: &Workspace<'_>,
    view: &View<'_>,
    gate: &str,
) -> Result<Vec<String>, TransactError> {
    let mut told = Vec::new();
    if let Some(asked) = of_this_run(workspace, gate, &mut told)? {
        let due = asked.due(workspace, view, &mut told)?;
        told.extend(due.iter().map(Due::hint));
    }
    Ok(told.iter().map(|why| text::clean(&why.replace('\n', "; ")).into_owned()).collect())
}

/// What the commit of this run asks for past `gate`; what is wrong with its trailers is told in `warnings`.
///
/// # Errors
/// The facts of the run are not known.
pub(crate) fn of_this_run(
    workspace: &Workspace<'_>,
    gate: &str,
    warnings: &mut Vec<String>,
) -> Result<Option<Asked>, WorkspaceError> {
    let facts = workspace.facts()?;
    let Some(id) = &facts.context.commit else { return Ok(None) };
    let name = format!("commit {}", id.get(..SHORT).unwrap_or(id));
    let Some(checkout) = &facts.checkout else {
        warnings.push(format!("the trailers of {name} were not read: there is no checkout with it"));
        return Ok(None);
    };
    let asked = object(&checkout.root, id, &name, warnings).and_then(|object| {
        let numbers = numbers(workspace, gate, &name, &object, warnings);
        (!numbers.is_empty()).then_some(Asked { object, name, numbers })
    });
    match (&asked, facts.context.contradiction()) {
        (Some(asked), Some(why)) => {
            warnings.push(format!("the {KEY} trailers of {} ask for nothing: {why}", asked.name));
            Ok(None)
        }
        _ => Ok(asked),
    }
}

/// The commit `id`, where it has a line that looks like a trailer of ours.
fn object(root: &Path, id: &str, name: &str, warnings: &mut Vec<String>) -> Option<String> {
    let bytes = match git::commit_bytes(root, id) {
        Ok(bytes) => bytes,
        Err(error) => {
            warnings.push(format!("the trailers of {name} were not read: {error}"));
            return None;
        }
    };
    match String::from_utf8(bytes) {
        Ok(object) => mentions(&object).then_some(object),
        Err(error) => {
            if mentions(&String::from_utf8_lossy(error.as_bytes())) {
                warnings.push(format!("the {KEY} trailers of {name} ask for nothing: it is not in UTF-8"));
            }
            None
        }
    }
}

/// Whether a line of a commit looks like a trailer of ours.
fn mentions(object: &str) -> bool {
    object.lines().any(looks_like_one)
}

fn looks_like_one(line: &str) -> bool {
    line.split_once(':').is_some_and(|(key, _)| key.trim().eq_ignore_ascii_case(KEY))
}

/// The places of the trailers that are for `gate`.
fn numbers(
    workspace: &Workspace<'_>,
    gate: &str,
    name: &str,
    object: &str,
    warnings: &mut Vec<String>,
) -> Vec<u64> {
    let read = Commit::parse(object).map_err(|error| format!("it {error}"));
    let read = read.and_then(|commit| {
        let wanted = trailer::wanted(&commit).map_err(|error| error.to_string())?;
        Ok((commit.message, wanted))
    });
    let (message, wanted) = match read {
        Ok(read) => read,
        Err(why) => {
            warnings.push(format!("the {KEY} trailers of {name} ask for nothing: {why}"));
            return Vec::new();
        }
    };
    let lines = message.lines().filter(|line| looks_like_one(line)).count();
    if lines > wanted.len() {
        warnings.push(format!(
            "{name} has a line '{KEY}:' that is no trailer\n\
             trailers stand in the last paragraph of the message, behind a blank line, among nothing but trailers"
        ));
    }
    let mut numbers = Vec::new();
    for (number, wanted) in wanted {
        match wanted {
            Ok(wanted) if wanted.gate == gate => numbers.push(number),
            Ok(wanted) => {
                let unknown = workspace.loaded.policy.gate(&wanted.gate).err();
                warnings.extend(unknown.map(|error| format!("trailer {number} of {name}: {error}")));
            }
            Err(error) => {
                warnings.push(format!("trailer {number} of {name} asks for nothing: {error}"));
            }
        }
    }
    numbers
}

impl Asked {
    /// The trailers that have to be judged in a transaction; what came of the others, where somebody should know it, is
    /// told in `warnings`.
    ///
    /// # Errors
    /// A [`TransactError`].
    pub(crate) fn due(
        &self,
        workspace: &Workspace<'_>,
        view: &View<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<Due>, TransactError> {
        let now = workspace.now().max(view.head()?.at);
        let mut all = Vec::new();
        for number in &self.numbers {
            let name = format!("trailer {number} of {}", self.name);
            match self.asking(workspace, *number, now) {
                Err(why) => warnings.push(format!("{name} asks for nothing: {why}")),
                Ok(asking) => all.push(Due { name, asking }),
            }
        }
        let mut due = Vec::new();
        for trailer in all {
            match weigh(workspace, view, now, &trailer.asking)? {
                Weighed::Due => due.push(trailer),
                Weighed::Told(why) => warnings.push(format!("{} {why}", trailer.name)),
                Weighed::Done => {}
            }
        }
        Ok(due)
    }

    fn asking(&self, workspace: &Workspace<'_>, number: u64, now: Timestamp) -> Result<Asking, String> {
        let loaded = &workspace.loaded;
        let judging = Judging { trust: loaded.trust(), digest: &loaded.used.digest, interval: (now, now) };
        let (request, by) =
            trailer::request(&self.object, number, judging).map_err(|error| error.to_string())?;
        let context = workspace.facts().map_err(|error| error.to_string())?.context.clone();
        Ok(Asking { gate: request.gate.clone(), ask: Ask::of(&request), by, context, request: Some(request) })
    }
}

/// What has become of a request that is found anew at each run.
enum Weighed {
    /// It was admitted, and what came of it counts.
    Done,
    /// It gives nothing, and nothing is recorded: the rest of a sentence.
    Told(String),
    /// It is to be judged and recorded.
    Due,
}

fn weigh(
    workspace: &Workspace<'_>,
    view: &View<'_>,
    now: Timestamp,
    asking: &Asking,
) -> Result<Weighed, TransactError> {
    let nonce = asking.request.as_ref().map_or("", |request| request.nonce.as_str());
    let before = view.with_nonce(nonce)?;
    if let Some(entry) = before.iter().find(|entry| records::takes_nonce(entry)) {
        return Ok(why_nothing(workspace, (view, now), entry, asking)?.map_or(Weighed::Done, Weighed::Told));
    }
    let (asking, objections) = admission::proven(workspace, (view, now), asking)?;
    if !objections.is_empty() {
        return Ok(Weighed::Told(format!("asks for nothing: {}", objections.join("; "))));
    }
    let Admission::Denied(trials) = admission::judge(workspace, (view, now), &asking, objections)?.0 else {
        return Ok(Weighed::Due);
    };
    let was_denied = before.iter().any(|entry| is_same_denial(entry, &trials));
    Ok(if was_denied { Weighed::Told(denied(&asking, &in_sentences(&trials))) } else { Weighed::Due })
}

/// Why what was admitted with `entry` gives this run nothing: a commit asks once in a ledger, and whoever finds it again
/// must not be left to guess. Nothing where it does give something.
fn why_nothing(
    workspace: &Workspace<'_>,
    (view, now): (&View<'_>, Timestamp),
    entry: &Entry,
    asking: &Asking,
) -> Result<Option<String>, TransactError> {
    let id = records::id_of(entry);
    let life = view.life(id)?;
    let grant = std::iter::once(entry).chain(&life).find(|entry| entry.kind == Kind::Grant);
    let Some(grant) = grant else { return unanswered(workspace, (entry, &life), asking, now).map(Some) };
    let data: GrantData = records::data(grant)?;
    let gate = grant.gate.as_deref().unwrap_or_default();
    let is_spent = Uses::default().left(view, gate, (id, grant.seq), &data)? == Some(0);
    // Of a pause the decision says whether it was ended.
    let ended = Life::of(entry, &life).ended_for_all();
    let elsewhere = gate_policy::scope_holds(data.ask.action, &data.ask.scope, &asking.context).err();
    let why = match (elsewhere, ended) {
        (Some(out), _) => format!("{}\nask for this one with gate-skip", out.0),
        (None, Some(end)) => format!("entry {} ended", end.seq),
        _ if data.expires <= now => format!("ended at {}", data.expires.to_second()),
        _ if is_spent => "has no use left".to_owned(),
        _ => return Ok(None),
    };
    Ok(Some(format!("was granted once, as opt-out {id}, which {why}")))
}

/// What has become of a request that was not granted.
fn unanswered(
    workspace: &Workspace<'_>,
    (entry, life): (&Entry, &[Entry]),
    asking: &Asking,
    now: Timestamp,
) -> Result<String, TransactError> {
    let (id, data) = (entry.seq, records::data::<RequestData>(entry)?);
    let elsewhere = gate_policy::scope_holds(data.ask.action, &data.ask.scope, &asking.context).err();
    Ok(match (elsewhere, Life::of(entry, life).waits(now)) {
        (Some(out), _) => format!("was asked once, as request {id}, which {}", out.0),
        (None, Err(Over::By(end))) => {
            format!("was asked once, as request {id}, which the {} {} ended", end.kind.as_str(), end.seq)
        }
        (None, Err(Over::Since(at))) => {
            format!("was asked once, as request {id}, which lapsed at {}", at.to_second())
        }
        (None, Ok(())) => {
            let remedy = Remedy::approve(Some(&workspace.loaded.policy), &asking.gate, id, data.rule);
            format!("waits for approvals as request {id}: {}", remedy.under(&workspace.loaded).command)
        }
    })
}

/// Whether `entry` denied it for the same reasons, whatever numbers and places their sentences tell of.
fn is_same_denial(entry: &Entry, trials: &[Trial]) -> bool {
    let kinds: Vec<String> = trials.iter().map(Trial::kinds).collect();
    entry.kind == Kind::Denial && entry.data.get("kinds") == Some(&serde_json::json!(kinds))
}

fn in_sentences(trials: &[Trial]) -> Vec<String> {
    trials.iter().map(ToString::to_string).collect()
}

fn denied(asking: &Asking, reasons: &[String]) -> String {
    let (action, gate) = (asking.ask.action, &asking.gate);
    format!("asks for a {action} of gate '{gate}', which is denied: {}", reasons.join("; "))
}

/// Judges `due` and records the answers: what somebody should know of them, as sentences.
///
/// # Errors
/// A [`TransactError`]; then nothing was recorded.
pub(crate) fn admit(
    workspace: &Workspace<'_>,
    transaction: &mut Transaction<'_>,
    due: &[Due],
) -> Result<Vec<String>, TransactError> {
    let mut told = Vec::new();
    for Due { name, asking } in due {
        // Each is judged after the answer to the one before, which took its time.
        transaction.renew();
        // Meanwhile another run of the same commit may have been first.
        match weigh(workspace, &transaction.view(), transaction.now(), asking)? {
            Weighed::Due => {
                let answer = admission::answered(workspace, transaction, asking)?;
                told.extend(worth_telling(asking, &answer).map(|why| format!("{name} {why}")));
            }
            Weighed::Told(why) => told.push(format!("{name} {why}")),
            Weighed::Done => {}
        }
    }
    Ok(told)
}

/// A grant shows in the decision that uses it.
fn worth_telling(asking: &Asking, answer: &Grant) -> Option<String> {
    match answer.status {
        Status::Denied => Some(denied(asking, &answer.reasons)),
        Status::Pending => Some(format!("waits for approvals: {}", answer.reasons.join("; "))),
        _ => None,
    }
}
