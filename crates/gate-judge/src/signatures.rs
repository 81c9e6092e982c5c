//! What people sign, and whether it holds.
//!
//! A signature covers the whole canonical document but its `signature` member (SSHSIG, one namespace for
//! each kind of document). Requests sign the ledger, the policy and the findings; approvals, revocations and
//! reviews are [`crate::statement`]s. Content is signed, not position.
//!
//! A key is judged by the `allowed_signers` text that the policy entry of that position holds, over the
//! interval that the ledger can prove: not before the newest entry that the signer saw (where the document
//! names one), not after the entry that recorded it. The time that the document claims proves nothing.

use std::cell::RefCell;
use std::rc::Rc;

use gate_identity::ssh::allowed_signers::{self, AllowedSigners};
use gate_identity::ssh::{self, Namespace};
use gate_ledger::entry::{Entry, EntryHash};
use gate_ledger::profile;
use gate_model::payload::TrustedFile;
use gate_model::principal::{Assurance, Principal};
use gate_model::request::Request;
use gate_model::time::Timestamp;
use gate_policy::{Past, Policy};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::trailer::{self, Judging};

/// How long a signed request can be submitted, in seconds: seven days.
pub const MAX_WAIT: u64 = 7 * 86_400;

/// The members that a document can commit to, and the member with the commitment.
const SEALED: [(&str, &str); 2] = [("reason", "reason_c"), ("by", "by_c")];

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
    /// A pattern names the signer, where only a person can decide.
    #[error("allowed_signers names its signer by a pattern, so that whoever holds the key chose the name")]
    Chosen,
    /// The document is not in the profile, so it has no canonical bytes.
    #[error("the signed document cannot be written canonically: {0}")]
    Document(String),
    /// The signature itself.
    #[error("{0}")]
    Signature(String),
    /// It came too late, or is dated wrongly.
    #[error("{0}")]
    Late(String),
    /// The commit that it stands in does not make it.
    #[error("the commit that it stands in {0}")]
    Commit(String),
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
        signed_members(members);
    }
    profile::canonical(&value).map(String::into_bytes).map_err(|error| wrap(&error))
}

/// The members of `document` that a signature covers: all but the signature, the openings, and the texts that the
/// document commits to.
pub fn signed_members(document: &mut Map<String, Value>) {
    document.remove("signature");
    document.remove("openings");
    for (member, sealed) in SEALED {
        if document.contains_key(sealed) {
            document.remove(member);
        }
    }
}

thread_local! {
    /// The file of keys that was read last, and its text. Replay asks for the keys of the same policy at each signed
    /// entry; reading them again would take as long as a signature for every few keys.
    static LAST_READ: RefCell<Option<(String, Rc<AllowedSigners>)>> = const { RefCell::new(None) };
}

/// The keys that a policy trusts.
///
/// # Errors
/// [`Unproven::NoSigners`] or [`Unproven::Signers`].
pub fn trusted_signers(policy: &Policy, files: &[TrustedFile]) -> Result<Rc<AllowedSigners>, Unproven> {
    let path = policy.identity.allowed_signers.as_ref().ok_or(Unproven::NoSigners)?;
    let file = files.iter().find(|file| file.path == *path).ok_or(Unproven::NoSigners)?;
    LAST_READ.with_borrow_mut(|last| {
        if let Some((text, signers)) = last
            && *text == file.text
        {
            return Ok(Rc::clone(signers));
        }
        let signers = Rc::new(allowed_signers::parse(&file.text).map_err(|errors| {
            Unproven::Signers(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        })?);
        *last = Some((file.text.clone(), Rc::clone(&signers)));
        Ok(signers)
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
    let via = if verified.is_named() { "ssh" } else { gate_policy::WILDCARD_VIA };
    Ok(Principal {
        id: verified.principal,
        assurance: Assurance::Signed,
        via: via.to_owned(),
        key: Some(verified.key),
        issuer: None,
    })
}

/// An entry as signatures refer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Its hash.
    pub hash: EntryHash,
    /// Its time.
    pub at: Timestamp,
}

impl Mark {
    /// The mark of `entry`.
    pub const fn of(entry: &Entry) -> Self {
        Self { hash: entry.hash, at: entry.at }
    }
}

/// What a ledger knows that a request's signature is judged by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// When the entry was written that the request says it saw.
    pub(crate) seen: Option<Timestamp>,
    /// The hash of the first entry.
    pub(crate) genesis: Option<String>,
}

impl Known {
    /// What `past` knows of `request`.
    pub fn of(past: &dyn Past, request: &Request) -> Self {
        let seen = request.seen_head.as_ref().and_then(|head| past.seen(head));
        Self { seen, genesis: past.genesis() }
    }

    /// From when to when `request` can have been signed: the newest entry that it had seen was there, and the one that
    /// recorded it, at `admitted`, was not.
    pub fn interval(&self, admitted: Timestamp) -> (Timestamp, Timestamp) {
        (self.seen.map_or(admitted, |seen| seen.min(admitted)), admitted)
    }
}

/// Whether the requester of `entry` holds: a `signed` one by the signature of its request.
///
/// # Errors
/// Why it does not hold.
pub fn requester(
    known: &Known,
    trust: (&Policy, &[TrustedFile]),
    entry: &Entry,
    request: Option<&Request>,
    by: &Principal,
) -> Result<(), Unproven> {
    if by.assurance != Assurance::Signed {
        return Ok(());
    }
    let request = request.ok_or(Unproven::Missing)?;
    if request.by != by.id {
        return Err(Unproven::Differs("by"));
    }
    same_content(entry, known, request)?;
    let found = request_signer(request, &by.id, trust, known.interval(entry.at))?;
    same_signer(&found, by)
}

/// Who signed `request`, which claims to be from `claimed`.
///
/// # Errors
/// An [`Unproven`].
pub fn request_signer(
    request: &Request,
    claimed: &str,
    trust: (&Policy, &[TrustedFile]),
    interval: (Timestamp, Timestamp),
) -> Result<Principal, Unproven> {
    if let Some(standing) = &request.commit {
        return trailer::signer(request, standing, Judging { trust, digest: &request.policy, interval });
    }
    let message = signed_bytes(request)?;
    signer(&message, request.signature.as_deref(), Namespace::Request, claimed, trust, interval)
}

pub(crate) fn same_signer(found: &Principal, named: &Principal) -> Result<(), Unproven> {
    if found.key != named.key {
        let written = |key: &Option<String>| key.clone().unwrap_or_else(|| "none".to_owned());
        return Err(Unproven::Key { found: written(&found.key), named: written(&named.key) });
    }
    // Whether a line named the signer or a pattern did decides what they may do.
    if found.via == named.via { Ok(()) } else { Err(Unproven::Differs("via")) }
}

/// Whether the entry grants what was signed, no more: only the scope may be narrower.
fn same_content(entry: &Entry, known: &Known, request: &Request) -> Result<(), Unproven> {
    let member = |name: &str| entry.data.get(name).cloned();
    let equal = [
        ("gate", entry.gate.as_deref() == Some(request.gate.as_str())),
        ("ledger", is_ledger(request, &entry.ledger, known)),
        ("action", member("action") == json_of(&request.action)),
        ("reason", member("reason") == json_of(&request.reason)),
        ("ticket", member("ticket") == request.ticket.as_ref().and_then(json_of)),
        // Nothing signed about the time asks for what the rule allows.
        ("ttl", request.ttl.seconds == 0 || member("ttl") == json_of(&request.ttl)),
        (
            "findings",
            member("findings").unwrap_or_else(|| serde_json::json!([]))
                == serde_json::json!(request.findings),
        ),
        ("max_uses", uses_within(member("max_uses").as_ref(), request.max_uses)),
        ("break_glass", member("break_glass").is_some_and(|value| value == true) == request.break_glass),
        ("renews", member("renews") == request.renews.as_ref().and_then(json_of)),
        ("scope", scope_within(member("scope").as_ref(), &request.scope)),
    ];
    match equal.iter().find(|(_, equal)| !equal) {
        Some((name, _)) => Err(Unproven::Differs(name)),
        None => Ok(()),
    }
}

/// Whether a request is for this ledger: it names the ledger's id, or its genesis where it was written
/// without the ledger at hand. One in a commit names none: it is for that commit, wherever it is judged.
fn is_ledger(request: &Request, id: &str, known: &Known) -> bool {
    if request.commit.is_some() {
        return true;
    }
    let Some(named) = request.ledger.as_deref() else { return false };
    named == id || known.genesis.as_deref() == Some(named)
}

/// What speaks against a request from elsewhere, its signature aside: another ledger, another policy, its
/// times, an entry that it cannot have seen.
pub fn objections(
    request: &Request,
    ledger: &str,
    known: &Known,
    digest: &str,
    now: Timestamp,
) -> Vec<String> {
    let mut objections = Vec::new();
    if !is_ledger(request, ledger, known) {
        objections.push("this request was signed for another ledger".to_owned());
    }
    if request.policy != digest {
        objections.push(
            "this request was signed under another policy than the one in force; sign a new one".to_owned(),
        );
    }
    // Nobody takes the place of a commit's trailer with a number of their own choice.
    if request.commit.is_none() && request.nonce.starts_with(trailer::NONCE) {
        objections.push("this request has the nonce of one in a commit; sign a new one".to_owned());
    }
    objections.extend(wrong_times("request", (request.requested_at, request.submit_by), now));
    if let (Some(seen), None) = (&request.seen_head, known.seen) {
        objections
            .push(format!("this request saw entry {} with another hash than this ledger has", seen.seq));
    }
    objections
}

/// How far the signer's clock may be ahead of the ledger's, in seconds.
const CLOCK_TOLERANCE: u64 = 300;

/// What is wrong with the times of a signed document, `what`: written at the first, to be submitted before the second.
pub(crate) fn wrong_times(
    what: &str,
    (from, until): (Timestamp, Timestamp),
    now: Timestamp,
) -> Option<String> {
    // One dated ahead would outlive its seven days.
    if now.plus(CLOCK_TOLERANCE).is_some_and(|latest| from > latest) {
        return Some(format!("this {what} is dated {from}, which is still to come; sign a new one"));
    }
    if until.seconds_since(from) > i64::try_from(MAX_WAIT).unwrap_or(i64::MAX) {
        return Some(format!("this {what} could be submitted for longer than seven days; sign a new one"));
    }
    (now >= until)
        .then(|| format!("this {what} could be submitted until {}; sign a new one", until.to_second()))
}

/// A rule may limit the uses further than was asked for.
fn uses_within(granted: Option<&Value>, asked: Option<u64>) -> bool {
    match (granted.and_then(Value::as_u64), asked) {
        (Some(granted), Some(asked)) => granted <= asked,
        (None, Some(_)) => false,
        (_, None) => true,
    }
}

/// Each member that was signed must stand in the grant's scope; a rule may add members.
fn scope_within(granted: Option<&Value>, asked: &gate_model::scope::Scope) -> bool {
    let Ok(asked) = serde_json::to_value(asked) else { return false };
    let Some(members) = asked.as_object() else { return false };
    members.iter().all(|(name, value)| granted.and_then(|granted| granted.get(name)) == Some(value))
}

pub(crate) fn json_of<T: Serialize>(value: &T) -> Option<Value> {
    serde_json::to_value(value).ok()
}
