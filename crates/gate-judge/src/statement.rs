//! Acts as people sign them: what is done, to which entry, by whom and why.
//!
//! An approval, a rejection, a revocation, a resume and a review sign the entry hash of their subject, so that a statement
//! means one act on one opt-out, wherever it is submitted. One that is to travel says until when it may be; how often
//! needs no number used once, since each act changes the state that it needs. What a statement must fulfil stands
//! here once: [`stated_by`] is asked when an act is admitted, and again, by way of [`holds`], whenever something rests on it.

use gate_identity::ssh::Namespace;
use gate_ledger::entry::{Entry, Kind};
use gate_model::opening::WrittenOpening;
use gate_model::payload::{ReviewVerdict, TrustedFile, Verb};
use gate_model::principal::{Assurance, Principal};
use gate_model::time::Timestamp;
use gate_policy::Policy;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::signatures::{Mark, Unproven, json_of, same_signer, signed_bytes, signer, wrong_times};

/// The value of `schema`.
pub const SCHEMA: &str = "gate.statement/1";

/// What an approval, a rejection, a revocation, a resume or a review signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// What is done.
    pub act: Verb,
    /// The ledger's id. Left out where the ledger was not at hand: the hash of its entry names it, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<String>,
    /// The entry hash of the subject.
    pub subject: String,
    /// Who states it.
    pub by: String,
    /// The commitment to that name, which is signed in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_c: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The commitment to the reason, which is signed in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_c: Option<String>,
    /// The ticket of a revocation or a resume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// A review's verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<ReviewVerdict>,
    /// When it was written, where it is to travel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated_at: Option<Timestamp>,
    /// Before when it must be submitted, where it is to travel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submit_by: Option<Timestamp>,
    /// The armored SSHSIG over the canonical bytes of all other members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// The openings of what it commits to: neither signed nor recorded with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub openings: Vec<WrittenOpening>,
}

impl Statement {
    /// One that says no more than what is done to the entry with this hash.
    pub fn of(act: Verb, subject: String) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            act,
            ledger: None,
            subject,
            by: String::new(),
            by_c: None,
            reason: None,
            reason_c: None,
            ticket: None,
            verdict: None,
            stated_at: None,
            submit_by: None,
            signature: None,
            openings: Vec::new(),
        }
    }

    /// The namespace that its act is signed in.
    pub fn namespace(&self) -> Namespace {
        match self.act {
            Verb::Approve | Verb::Reject => Namespace::Approval,
            Verb::Revoke | Verb::Resume => Namespace::Revocation,
            Verb::Review => Namespace::Review,
        }
    }
}

/// Who signed `statement`, if it can be admitted at `now` to the ledger with the id `ledger`, on one of `subjects`.
///
/// # Errors
/// An [`Unproven`].
pub fn stated_by(
    statement: &Statement,
    trust: (&Policy, &[TrustedFile]),
    ledger: &str,
    subjects: &[Mark],
    now: Timestamp,
) -> Result<Principal, Unproven> {
    let subject = subjects.iter().find(|subject| statement.subject == subject.hash.to_string());
    let subject = subject.ok_or(Unproven::Differs("subject"))?;
    if statement.ledger.as_deref().is_some_and(|named| named != ledger) {
        return Err(Unproven::Differs("ledger"));
    }
    match (statement.stated_at, statement.submit_by) {
        (None, None) => {}
        (Some(from), Some(until)) => {
            wrong_times("statement", (from, until), now).map_or(Ok(()), |why| Err(Unproven::Late(why)))?;
        }
        _ => return Err(Unproven::Late("one of its two times is missing".to_owned())),
    }
    let message = signed_bytes(statement)?;
    let interval = (subject.at.min(now), now);
    let signature = statement.signature.as_deref();
    signer(&message, signature, statement.namespace(), &statement.by, trust, interval)
}

/// Whether the statement in `entry` holds for the entry's actor, and is about one of `subjects`: whoever revokes an
/// opt-out may have named its request or its grant. An actor who did not sign needs none.
///
/// # Errors
/// An [`Unproven`].
pub fn holds(
    trust: (&Policy, &[TrustedFile]),
    entry: &Entry,
    by: &Principal,
    subjects: &[Mark],
) -> Result<(), Unproven> {
    if by.assurance != Assurance::Signed {
        return Ok(());
    }
    let value = entry.data.get("statement").ok_or(Unproven::Missing)?;
    let statement = Statement::deserialize(value).map_err(|error| Unproven::Document(error.to_string()))?;
    let text = |name: &str| entry.data.get(name).and_then(Value::as_str);
    let about = [
        // One signature means one act: a rejection must not pass for an approval.
        ("act", is_act_of(statement.act, entry.kind)),
        ("by", statement.by == by.id),
        ("reason", statement.reason.as_deref() == text("reason")),
        ("ticket", statement.ticket.as_deref() == text("ticket")),
        ("verdict", statement.verdict.as_ref().and_then(json_of).as_ref() == entry.data.get("verdict")),
    ];
    if let Some((name, _)) = about.iter().find(|(_, equal)| !equal) {
        return Err(Unproven::Differs(name));
    }
    same_signer(&stated_by(&statement, trust, &entry.ledger, subjects, entry.at)?, by)
}

/// Whether an entry of `kind` records the act.
fn is_act_of(act: Verb, kind: Kind) -> bool {
    kind == match act {
        Verb::Approve => Kind::Approval,
        Verb::Reject => Kind::Denial,
        Verb::Revoke | Verb::Resume => Kind::Revocation,
        Verb::Review => Kind::Review,
    }
}
