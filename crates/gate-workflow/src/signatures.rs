//! What people sign, and whether it holds.
//!
//! A signature covers the whole canonical document but its `signature` member (SSHSIG, one namespace for
//! each kind of document). Requests sign the ledger, the policy and the findings; approvals, revocations and
//! reviews are *statements* that sign the entry hash of their subject. Content is signed, not position.
//!
//! A key is judged by the `allowed_signers` text that the policy entry of that position holds, over the
//! interval that the ledger can prove: not before the newest entry that the signer saw (where the document
//! names one), not after the entry that recorded it. The time that the document claims proves nothing.

use gate_identity::ssh::{self, Namespace, allowed_signers};
use gate_ledger::entry::Entry;
use gate_ledger::profile;
use gate_ledger::store::{Ledger, StoreError, View};
use gate_model::payload::{ReviewVerdict, TrustedFile};
use gate_model::principal::{Assurance, Principal};
use gate_model::request::Request;
use gate_model::time::Timestamp;
use gate_policy::Policy;
use serde::{Deserialize, Serialize};

use crate::policy_source::Loaded;
use crate::signing::MAX_WAIT;

/// The value of a statement's `schema`.
pub const STATEMENT_SCHEMA: &str = "gate.statement/1";

/// What an approval, a rejection, a revocation, a resume or a review signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Always [`STATEMENT_SCHEMA`].
    pub schema: String,
    /// The verb: `approve`, `reject`, `revoke`, `resume`, `review`.
    pub act: String,
    /// The ledger's id.
    pub ledger: String,
    /// The entry hash of the subject.
    pub subject: String,
    /// Who states it.
    pub by: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A review's verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<ReviewVerdict>,
    /// The armored SSHSIG over the canonical bytes of all other members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

impl Statement {
    /// The namespace that its act is signed in.
    pub fn namespace(&self) -> Namespace {
        match self.act.as_str() {
            "revoke" | "resume" => Namespace::Revocation,
            "review" => Namespace::Review,
            _ => Namespace::Approval,
        }
    }
}

/// Why a signature does not hold, as a sentence's end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// There is none.
    #[error("there is no signature")]
    Missing,
    /// The policy trusts no keys.
    #[error("the policy names no allowed_signers")]
    NoSigners,
    /// The policy's file of keys cannot be read.
    #[error("the allowed_signers of the policy are malformed: {0}")]
    Signers(String),
    /// The document is not in the profile, so it has no canonical bytes.
    #[error("the signed document cannot be written canonically: {0}")]
    Document(String),
    /// The signature itself.
    #[error("{0}")]
    Signature(String),
    /// The document says something else than the entry.
    #[error("the signed document differs from the entry in its {0}")]
    Differs(&'static str),
    /// The key is another than the entry names.
    #[error("the key is {found}, and the entry names {named}")]
    Key {
        /// The key that signed.
        found: String,
        /// The key in the entry.
        named: String,
    },
}

/// The bytes that a signature over `document` covers.
///
/// # Errors
/// [`Unproven::Document`] where the document is outside the ledger's profile.
pub fn signed_bytes<T: Serialize>(document: &T) -> Result<Vec<u8>, Unproven> {
    let wrap = |error: &dyn std::fmt::Display| Unproven::Document(error.to_string());
    let mut value = serde_json::to_value(document).map_err(|error| wrap(&error))?;
    if let Some(members) = value.as_object_mut() {
        members.remove("signature");
    }
    profile::canonical(&value).map(String::into_bytes).map_err(|error| wrap(&error))
}

/// The keys that a policy trusts.
///
/// # Errors
/// [`Unproven::NoSigners`] or [`Unproven::Signers`].
pub fn trusted_signers(
    policy: &Policy,
    files: &[TrustedFile],
) -> Result<allowed_signers::AllowedSigners, Unproven> {
    let path = policy.identity.allowed_signers.as_ref().ok_or(Unproven::NoSigners)?;
    let file = files.iter().find(|file| file.path == *path).ok_or(Unproven::NoSigners)?;
    allowed_signers::parse(&file.text).map_err(|errors| {
        Unproven::Signers(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    })
}

/// Who signed `message`, where the signature and the key hold over `interval`.
///
/// # Errors
/// An [`Unproven`].
pub fn signer(
    message: &[u8],
    signature: Option<&str>,
    namespace: Namespace,
    claimed: &str,
    trust: (&Policy, &[TrustedFile]),
    interval: (Timestamp, Timestamp),
) -> Result<Principal, Unproven> {
    let signers = trusted_signers(trust.0, trust.1)?;
    let armored = signature.ok_or(Unproven::Missing)?;
    let verified = ssh::verify(message, armored, namespace, claimed, &signers, interval)
        .map_err(|error| Unproven::Signature(error.to_string()))?;
    Ok(Principal {
        id: verified.principal,
        assurance: Assurance::Signed,
        via: if verified.wildcard { "ssh-wildcard".to_owned() } else { "ssh".to_owned() },
        key: Some(verified.key),
        issuer: None,
    })
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
    if by.assurance != Assurance::Signed {
        return Ok(Ok(()));
    }
    let Some(request) = request else { return Ok(Err(Unproven::Missing)) };
    let interval = (earliest(view, request, entry.at)?, entry.at);
    let genesis = view.entry(0)?;
    Ok(holds((policy, files), entry, genesis.as_ref(), request, by, interval))
}

/// The instant from which a request can have been signed: that of the newest entry it had seen.
///
/// # Errors
/// A failure of the store.
pub fn earliest(view: &View<'_>, request: &Request, admitted: Timestamp) -> Result<Timestamp, StoreError> {
    let Some(seen) = &request.seen_head else { return Ok(admitted) };
    let entry = view.entry(seen.seq)?;
    let is_seen = |entry: &Entry| entry.hash.to_string() == seen.hash;
    Ok(entry.filter(is_seen).map_or(admitted, |entry| entry.at.min(admitted)))
}

fn holds(
    trust: (&Policy, &[TrustedFile]),
    entry: &Entry,
    genesis: Option<&Entry>,
    request: &Request,
    by: &Principal,
    interval: (Timestamp, Timestamp),
) -> Result<(), Unproven> {
    same_content(entry, genesis, request)?;
    let message = signed_bytes(request)?;
    let signature = request.signature.as_deref();
    let found = signer(&message, signature, Namespace::Request, &by.id, trust, interval)?;
    same_key(&found, by)
}

fn same_key(found: &Principal, named: &Principal) -> Result<(), Unproven> {
    if found.key == named.key {
        return Ok(());
    }
    let written = |key: &Option<String>| key.clone().unwrap_or_else(|| "none".to_owned());
    Err(Unproven::Key { found: written(&found.key), named: written(&named.key) })
}

/// Whether the entry grants what was signed, no more: only the scope may be narrower.
fn same_content(entry: &Entry, genesis: Option<&Entry>, request: &Request) -> Result<(), Unproven> {
    let member = |name: &str| entry.data.get(name).cloned();
    let equal = [
        ("gate", entry.gate.as_deref() == Some(request.gate.as_str())),
        ("ledger", is_ledger(request, &entry.ledger, genesis.map(|genesis| genesis.hash.to_string()).as_deref())),
        ("action", member("action") == json_of(&request.action)),
        ("reason", member("reason") == json_of(&request.reason)),
        ("ticket", member("ticket") == request.ticket.as_ref().and_then(json_of)),
        ("ttl", member("ttl") == json_of(&request.ttl)),
        ("findings", member("findings").unwrap_or_else(|| serde_json::json!([])) == serde_json::json!(request.findings)),
        ("max_uses", uses_within(member("max_uses").as_ref(), request.max_uses)),
        ("break_glass", member("break_glass").is_some_and(|value| value == true) == request.break_glass),
        ("scope", scope_within(member("scope").as_ref(), &request.scope)),
    ];
    match equal.iter().find(|(_, equal)| !equal) {
        Some((name, _)) => Err(Unproven::Differs(name)),
        None => Ok(()),
    }
}

/// Whether a request is for this ledger: it names the ledger's id, or its genesis where it was written
/// without the ledger at hand.
fn is_ledger(request: &Request, id: &str, genesis: Option<&str>) -> bool {
    let named = request.ledger.as_deref();
    named.is_some() && (named == Some(id) || named == genesis)
}

/// A request from elsewhere, checked before it is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// Who asks: the signer, or the name that the document claims where the signature does not hold.
    pub by: Principal,
    /// What speaks against it.
    pub objections: Vec<String>,
}

/// Checks a request that was signed elsewhere: its ledger, its policy, its times and its signature.
///
/// # Errors
/// A failure of the store.
pub fn submitted(
    ledger: &Ledger,
    loaded: &Loaded,
    request: &Request,
    clock: Timestamp,
) -> Result<Submitted, StoreError> {
    let view = ledger.view();
    let now = clock.max(view.head()?.at);
    let mut objections = Vec::new();
    if !is_ledger(request, ledger.id(), Some(&ledger.genesis().to_string())) {
        objections.push("this request was signed for another ledger".to_owned());
    }
    if request.policy != loaded.used.digest {
        objections.push("this request was signed under another policy than the one in force; sign a new one".to_owned());
    }
    objections.extend(wrong_times(request, now));
    if let Some(seen) = &request.seen_head
        && view.entry(seen.seq)?.is_none_or(|entry| entry.hash.to_string() != seen.hash)
    {
        objections.push(format!("this request saw entry {} with another hash than this ledger has", seen.seq));
    }
    let interval = (earliest(&view, request, now)?, now);
    let proven = signed_bytes(request).and_then(|message| {
        let trust = (&loaded.policy, loaded.files.as_slice());
        signer(&message, request.signature.as_deref(), Namespace::Request, &request.by, trust, interval)
    });
    let by = proven.unwrap_or_else(|error| {
        objections.push(format!("the signature of this request does not hold: {error}"));
        Principal::asserted("claimed", &request.by)
    });
    Ok(Submitted { by, objections })
}

fn wrong_times(request: &Request, now: Timestamp) -> Option<String> {
    if request.submit_by.seconds_since(request.requested_at) > i64::try_from(MAX_WAIT).unwrap_or(i64::MAX) {
        return Some("this request could be submitted for longer than seven days; sign a new one".to_owned());
    }
    (now >= request.submit_by)
        .then(|| format!("this request could be submitted until {}; sign a new one", request.submit_by))
}

/// A rule may limit the uses further than was asked for.
fn uses_within(granted: Option<&serde_json::Value>, asked: Option<u64>) -> bool {
    match (granted.and_then(serde_json::Value::as_u64), asked) {
        (Some(granted), Some(asked)) => granted <= asked,
        (None, Some(_)) => false,
        (_, None) => true,
    }
}

/// Each member that was signed must stand in the grant's scope; a rule may add members.
fn scope_within(granted: Option<&serde_json::Value>, asked: &gate_model::scope::Scope) -> bool {
    let Ok(asked) = serde_json::to_value(asked) else { return false };
    let Some(members) = asked.as_object() else { return false };
    members.iter().all(|(name, value)| granted.and_then(|granted| granted.get(name)) == Some(value))
}

fn json_of<T: Serialize>(value: &T) -> Option<serde_json::Value> {
    serde_json::to_value(value).ok()
}

/// Whether a statement in `entry` holds for the entry's actor and is about `subject`.
///
/// # Errors
/// An [`Unproven`].
pub fn statement(
    policy: &Policy,
    files: &[TrustedFile],
    entry: &Entry,
    by: &Principal,
    subject: &Entry,
) -> Result<(), Unproven> {
    if by.assurance != Assurance::Signed {
        return Ok(());
    }
    let value = entry.data.get("statement").ok_or(Unproven::Missing)?;
    let statement = Statement::deserialize(value).map_err(|error| Unproven::Document(error.to_string()))?;
    let about = [
        ("subject", statement.subject == subject.hash.to_string()),
        ("ledger", statement.ledger == entry.ledger),
        ("reason", statement.reason.as_deref() == entry.data.get("reason").and_then(serde_json::Value::as_str)),
    ];
    if let Some((name, _)) = about.iter().find(|(_, equal)| !equal) {
        return Err(Unproven::Differs(name));
    }
    let interval = (subject.at.min(entry.at), entry.at);
    let message = signed_bytes(&statement)?;
    let signature = statement.signature.as_deref();
    let found = signer(&message, signature, statement.namespace(), &by.id, (policy, files), interval)?;
    same_key(&found, by)
}
