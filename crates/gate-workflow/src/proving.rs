//! Signatures of requests and of acts, proven with what the ledger knows.

use gate_judge::policy_text::Loaded;
use gate_judge::signatures::{self, Known, Mark, Unproven, objections, request_signer};
use gate_judge::statement;
use gate_ledger::entry::Entry;
use gate_ledger::store::{StoreError, Transaction, View};
use gate_model::payload::TrustedFile;
use gate_model::principal::{Assurance, Principal};
use gate_model::request::Request;
use gate_model::text::visible;
use gate_model::time::Timestamp;
use gate_policy::Policy;

use crate::admission::TransactError;
use crate::approval::Act;

/// What the ledger knows that the signature of `request` is judged by.
///
/// # Errors
/// A failure of the store.
pub fn known(view: &View<'_>, request: &Request) -> Result<Known, StoreError> {
    let seen = request.seen_head.as_ref().map(|seen| view.entry(seen.seq)).transpose()?.flatten();
    let genesis = view.entry(0)?.map(|genesis| genesis.hash);
    Ok(Known { seen: seen.as_ref().map(Mark::of), genesis })
}

/// Whether the requester of `entry` holds: a `signed` one by the signature of its request.
///
/// # Errors
/// A failure of the store; the inner result says why it does not hold.
pub fn requester(
    view: &View<'_>,
    policy: &Policy,
    files: &[TrustedFile],
    entry: &Entry,
    request: Option<&Request>,
    by: &Principal,
) -> Result<Result<(), Unproven>, StoreError> {
    let known = match request {
        Some(request) if by.assurance == Assurance::Signed => known(view, request)?,
        _ => Known::default(),
    };
    Ok(signatures::requester(&known, (policy, files), entry, request, by))
}

/// A signed request, checked before it is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// Who asks: the signer, or the name that the document claims where the signature does not hold.
    pub by: Principal,
    /// What speaks against it.
    pub objections: Vec<String>,
}

/// Checks a signed request at the instant `now` of its admission: its ledger, its policy, its times and its signature.
///
/// # Errors
/// A failure of the store.
pub fn submitted(
    view: &View<'_>,
    loaded: &Loaded,
    request: &Request,
    now: Timestamp,
) -> Result<Submitted, StoreError> {
    let known = known(view, request)?;
    let mut objections = objections(request, view.ledger(), &known, &loaded.used.digest, now);
    let interval = (known.earliest(request, now), now);
    let trust = (&loaded.policy, loaded.files.as_slice());
    let by = request_signer(request, &request.by, trust, interval).unwrap_or_else(|error| {
        objections.push(format!("the signature of this request does not hold: {error}"));
        Principal::claimed(&visible(&request.by))
    });
    Ok(Submitted { by, objections })
}

/// `act` as whoever signed its statement, wherever that was. One without a statement is as the facts of the run have it.
/// A statement that does not hold does nothing and is not recorded: anybody could have written it.
///
/// # Errors
/// [`TransactError::Subject`] where the statement does not hold, or is about none of `subjects`.
pub fn act(
    loaded: &Loaded,
    transaction: &Transaction<'_>,
    act: &Act,
    subjects: &[Mark],
) -> Result<Act, TransactError> {
    let Some(stated) = &act.statement else { return Ok(act.clone()) };
    let trust = (&loaded.policy, loaded.files.as_slice());
    let ledger = transaction.view().ledger().to_owned();
    let by = statement::stated_by(stated, trust, &ledger, subjects, transaction.now())
        .map_err(|error| TransactError::Subject(format!("the signed statement does not hold: {error}")))?;
    Ok(Act { by, ..act.clone() })
}
