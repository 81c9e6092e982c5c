//! Asking for an opt-out: read the history, judge, append. One transaction, so that two runners cannot both
//! take the last place in a quota.

mod answer;

use gate_judge::repository::Whose;
use gate_ledger::entry::{Entry, Kind};
use gate_ledger::store::{StoreError, Transaction, View};
use gate_model::JUDGE;
use gate_model::context::Context;
use gate_model::exit::{Ends, Exit};
use gate_model::grant::{Approvals, Grant, Owes, Status};
use gate_model::payload::{Ask, DenialData, GrantData, QuotaUsed, RequestData};
use gate_model::principal::Principal;
use gate_model::request::{Request, Ttl};
use gate_model::time::Timestamp;
use gate_policy::{Admission, ApprovalsNeeded, AuthorizationRequest, Failed, Terms, Trial};

pub use answer::{answer, granted, pending, written};

use crate::history::{Counted, StoredPast};
use crate::ids;
use crate::ledger_access::Unusable;
use crate::policies::{self, RecordError};
use crate::renewal;
use crate::workspace::{Workspace, WorkspaceError};
use gate_judge::records;
use gate_judge::submitted::{self, Addressee};

/// What is asked for, by whom, and where.
#[derive(Debug, Clone)]
pub struct Asking {
    /// The gate's name.
    pub gate: String,
    /// What is asked for.
    pub ask: Ask,
    /// Who asks, where there is no signed document; else the document says it.
    pub by: Principal,
    /// Where.
    pub context: Context,
    /// The signed document behind it. It is judged within the transaction.
    pub request: Option<Request>,
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum TransactError {
    /// The policy has no such gate.
    #[error(transparent)]
    UnknownGate(#[from] gate_policy::UnknownGate),
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] Unusable),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The entry could not be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The facts of the run are not known.
    #[error(transparent)]
    Facts(#[from] WorkspaceError),
    /// The ID names nothing that the verb could act on.
    #[error(transparent)]
    Id(#[from] ids::IdError),
    /// An entry cannot be read as what it is.
    #[error(transparent)]
    Malformed(#[from] records::Malformed),
    /// Of several requests one was denied.
    #[error(
        "nothing was asked for, since not all of it is allowed: {0}\ntake out what is denied, or ask those who may"
    )]
    AllOrNothing(String),
    /// The subject is not in a state that the verb fits.
    #[error("{0}")]
    Subject(String),
}

impl Ends for TransactError {
    fn exit(&self) -> Exit {
        match self {
            Self::Ledger(error) => error.exit(),
            Self::Store(error) => error.exit(),
            Self::Record(error) => error.exit(),
            Self::Id(error) => error.exit(),
            Self::Facts(error) => error.exit(),
            Self::Malformed(error) => error.exit(),
            Self::UnknownGate(error) => error.exit(),
            Self::Subject(_) => Exit::Usage,
            Self::AllOrNothing(_) => Exit::Negative,
        }
    }
}

impl From<serde_json::Error> for TransactError {
    fn from(error: serde_json::Error) -> Self {
        Self::Record(RecordError::Json(error))
    }
}

/// Judges what is asked for and records the answer.
///
/// # Errors
/// A [`TransactError`]; then nothing was decided or recorded.
pub fn request(workspace: &Workspace<'_>, asking: &Asking) -> Result<Grant, TransactError> {
    workspace.loaded.policy.gate(&asking.gate)?;
    workspace.transact(|transaction| answered(workspace, transaction, asking))
}

/// What would come of asking: judged as [`request`] judges it, in a transaction that is taken back.
///
/// # Errors
/// A [`TransactError`]; then nobody can tell.
pub fn rehearse(workspace: &Workspace<'_>, asking: &Asking) -> Result<Grant, TransactError> {
    workspace.loaded.policy.gate(&asking.gate)?;
    workspace.rehearse(|transaction| judged(workspace, transaction, asking, Told::Rehearsed))
}

/// What becomes of the entry of an answer.
#[derive(Debug, Clone, Copy)]
enum Told {
    /// It stays, and the answer names it.
    Recorded,
    /// It is taken back: there is no ID, and no command that names one.
    Rehearsed,
}

impl Told {
    const fn entry(self, entry: &Entry) -> Option<&Entry> {
        match self {
            Self::Recorded => Some(entry),
            Self::Rehearsed => None,
        }
    }
}

/// A ledger at the instant that counts as now.
pub(crate) type Instant<'a> = (&'a View<'a>, Timestamp);

/// Judges what is asked for and records the answer, in a transaction of the caller's.
///
/// # Errors
/// A [`TransactError`].
pub(crate) fn answered(
    workspace: &Workspace<'_>,
    transaction: &mut Transaction<'_>,
    asking: &Asking,
) -> Result<Grant, TransactError> {
    judged(workspace, transaction, asking, Told::Recorded)
}

fn judged(
    workspace: &Workspace<'_>,
    transaction: &mut Transaction<'_>,
    asking: &Asking,
    told: Told,
) -> Result<Grant, TransactError> {
    let (asking, objections) = proven(workspace, (&transaction.view(), transaction.now()), asking)?;
    policies::ensure_recorded(transaction, (&workspace.loaded, workspace.repository()?), &asking.by)?;
    let now = transaction.now();
    let (admission, counted) = judge(workspace, (&transaction.view(), now), &asking, objections)?;
    record(workspace, transaction, (&asking, told), admission, &counted)
}

/// Judges several requests in one transaction and records the answers, all of them or none: where one is denied, none was
/// asked for. Each comes with the words for it.
///
/// # Errors
/// A [`TransactError`]; then nothing was decided or recorded.
pub fn request_all(
    workspace: &Workspace<'_>,
    wanted: &[(String, Asking)],
) -> Result<Vec<Grant>, TransactError> {
    workspace.transact(|transaction| {
        let mut answers = Vec::with_capacity(wanted.len());
        let mut denied = Vec::new();
        for (words, asking) in wanted {
            workspace.loaded.policy.gate(&asking.gate)?;
            let answer = answered(workspace, transaction, asking)?;
            if answer.status == Status::Denied {
                denied.push(format!("{words}: {}", answer.reasons.join("; ")));
            }
            answers.push(answer);
        }
        if denied.is_empty() { Ok(answers) } else { Err(TransactError::AllOrNothing(denied.join("; "))) }
    })
}

/// The same with whoever signed the document, where there is one, and what speaks against that whatever the rules say.
pub(crate) fn proven(
    workspace: &Workspace<'_>,
    (view, now): Instant<'_>,
    asking: &Asking,
) -> Result<(Asking, Vec<String>), TransactError> {
    let Some(request) = &asking.request else { return Ok((asking.clone(), Vec::new())) };
    let (trust, digest) = (workspace.loaded.trust(), workspace.loaded.used.digest.as_str());
    let past = StoredPast::new(view, trust, digest, &asking.gate, now);
    let (by, objections) =
        submitted::submitted(&past, Addressee { ledger: view.ledger(), digest }, trust, request);
    past.settled()?;
    Ok((Asking { by, ..asking.clone() }, objections))
}

/// What the rules say of it, after what else speaks against it.
///
/// # Errors
/// A failure of the store.
pub(crate) fn judge(
    workspace: &Workspace<'_>,
    (view, now): Instant<'_>,
    asking: &Asking,
    objections: Vec<String>,
) -> Result<(Admission, Counted), TransactError> {
    if !objections.is_empty() {
        let failed =
            objections.into_iter().map(|why| Failed::new(gate_policy::Kind::Document, why)).collect();
        let trial = Trial { rule: 0, failed };
        return Ok((Admission::Denied(vec![trial]), Counted::default()));
    }
    let policy = &workspace.loaded.policy;
    let digest = &workspace.loaded.used.digest;
    let past = StoredPast::new(view, workspace.loaded.trust(), digest, &asking.gate, now)
        .within(Whose::of(&asking.ask, &asking.context));
    let Asking { gate, ask, by, context, request } = asking;
    let authorization = AuthorizationRequest::new(gate, ask, by, context, request.as_ref());
    let admission = gate_policy::admit(policy, &authorization, &past);
    Ok((admission, past.settled()?))
}

fn record(
    workspace: &Workspace<'_>,
    transaction: &mut Transaction<'_>,
    (asking, told): (&Asking, Told),
    admission: Admission,
    counted: &Counted,
) -> Result<Grant, TransactError> {
    match admission {
        Admission::Grant(terms) => {
            let ask = narrowed(&asking.ask, &terms);
            let start = transaction.now();
            let data = grant_data(workspace, asking, &terms, ask, start, counted.of(terms.rule))?;
            let entry = append(transaction, Kind::Grant, None, asking, &data)?;
            renewal::take_over(transaction, &entry, &data, &asking.by)?;
            Ok(granted(workspace, (&asking.gate, &asking.by), told.entry(&entry), &data, None))
        }
        Admission::Pending(terms, needed) => pend(workspace, transaction, (asking, told), &terms, &needed),
        Admission::Denied(trials) => deny(workspace, transaction, (asking, told), &trials),
    }
}

fn append<T: serde::Serialize>(
    transaction: &mut Transaction<'_>,
    kind: Kind,
    reference: Option<u64>,
    asking: &Asking,
    data: &T,
) -> Result<Entry, TransactError> {
    let draft = records::draft(kind, Some(&asking.gate), reference, &asking.by, data)?;
    Ok(transaction.append(&draft)?)
}

/// What was asked for, within the terms of the rule that grants it.
fn narrowed(ask: &Ask, terms: &Terms) -> Ask {
    Ask {
        scope: terms.scope.clone(),
        findings: terms.findings.clone(),
        max_uses: terms.max_uses,
        ttl: Ttl::of(terms.ttl),
        ..ask.clone()
    }
}

fn grant_data(
    workspace: &Workspace<'_>,
    asking: &Asking,
    terms: &Terms,
    ask: Ask,
    start: Timestamp,
    quota: Option<QuotaUsed>,
) -> Result<GrantData, TransactError> {
    let (expires, owes) = ends_and_owes(start, ask.ttl.seconds, terms.review_within)?;
    Ok(GrantData {
        expires,
        ask,
        not_before: start,
        rule: terms.rule,
        policy: workspace.loaded.used.clone(),
        judge: JUDGE,
        approvals: Vec::new(),
        owes,
        quota,
        context: asking.context.clone(),
        request: asking.request.clone(),
    })
}

/// When a grant from `start` on ends, and the review that it owes; `ttl` and `review_within` are seconds.
///
/// # Errors
/// [`TransactError::Subject`] beyond the calendar.
pub fn ends_and_owes(
    start: Timestamp,
    ttl: u64,
    review_within: Option<u64>,
) -> Result<(Timestamp, Option<Owes>), TransactError> {
    let after = |seconds| {
        let beyond = || TransactError::Subject("the opt-out would end after the year 9999".to_owned());
        start.plus(seconds).ok_or_else(beyond)
    };
    let review = |within| Ok::<_, TransactError>(Owes { what: "review".to_owned(), by: after(within)? });
    Ok((after(ttl)?, review_within.map(review).transpose()?))
}

fn pend(
    workspace: &Workspace<'_>,
    transaction: &mut Transaction<'_>,
    (asking, told): (&Asking, Told),
    terms: &Terms,
    needed: &ApprovalsNeeded,
) -> Result<Grant, TransactError> {
    let beyond = || TransactError::Subject("the request would lapse after the year 9999".to_owned());
    let data = RequestData {
        ask: narrowed(&asking.ask, terms),
        rule: terms.rule,
        lapses: transaction.now().plus(needed.within).ok_or_else(beyond)?,
        policy: workspace.loaded.used.clone(),
        judge: JUDGE,
        judged_at: transaction.now(),
        context: asking.context.clone(),
        request: asking.request.clone(),
    };
    let entry = append(transaction, Kind::Request, None, asking, &data)?;
    let approvals = Approvals { needed: needed.count, given: Vec::new(), from: written(&needed.from) };
    Ok(pending(workspace, (&asking.gate, &asking.by), told.entry(&entry), &data, approvals))
}

fn deny(
    workspace: &Workspace<'_>,
    transaction: &mut Transaction<'_>,
    (asking, told): (&Asking, Told),
    trials: &[Trial],
) -> Result<Grant, TransactError> {
    let reasons: Vec<String> = trials.iter().map(ToString::to_string).collect();
    let data = DenialData {
        ask: asking.ask.clone(),
        reasons: reasons.clone(),
        kinds: trials.iter().map(Trial::kinds).collect(),
        policy: workspace.loaded.used.clone(),
        judge: JUDGE,
        judged_at: transaction.now(),
        context: asking.context.clone(),
        request: asking.request.clone(),
    };
    let entry = append(transaction, Kind::Denial, None, asking, &data)?;
    Ok(Grant {
        action: Some(asking.ask.action),
        by: Some(asking.by.clone()),
        ..answer(Status::Denied, Some(&asking.gate), told.entry(&entry).map(|entry| entry.seq), reasons)
    })
}
