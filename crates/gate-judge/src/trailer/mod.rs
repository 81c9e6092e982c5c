//! Requests that stand in a commit: its `Gate-Skip` trailers, signed with the commit.
//!
//! ```text
//! Bring the fixture up to date
//!
//! Gate-Skip: lint --reason 'the linter crashes on the fixture' --ttl 2h --ticket INC-12
//! ```
//!
//! Behind the key stands what would stand behind `gate-skip` on a command line. Each trailer is one request, for the commit
//! that it stands in and no other. Whoever signed the commit with an SSH key (git's `gpgsig`, namespace `git`) asks for it.
//!
//! Invariants: the request document is made from the commit's bytes alone, beside the policy under which it is admitted
//! and its keys, which give the key a name. So it is made again, and compared, whenever something rests on it ([`signer`]),
//! from the bytes that it carries: nobody has to have the repository. Its nonce is the commit's id and the trailer's place,
//! so that a ledger admits each once.
//!
//! Not here: which commit is judged, and what the rules say.

mod wanted;
mod words;

use gate_identity::git::commit::{Commit, CommitError};
use gate_identity::git::trailers;
use gate_identity::ssh::{self, Namespace};
use gate_model::payload::TrustedFile;
use gate_model::principal::Principal;
use gate_model::request::{InCommit, Request, SCHEMA};
use gate_model::time::Timestamp;
use gate_policy::Policy;

use crate::signatures::{self, MAX_WAIT, Unproven};

pub use wanted::Wanted;

/// The key of the trailers, as it is written.
pub const KEY: &str = "Gate-Skip";

/// How the nonce of every request in a commit begins, and of no other.
pub const NONCE: &str = "commit:";

/// The most trailers of ours that a commit may have. Each becomes an entry with the whole commit in it.
const MAX_TRAILERS: usize = 16;

/// A trailer's place among those of its commit, from 1, and what it asks for.
pub type Numbered = (u64, Result<Wanted, TrailerError>);

/// Why a trailer asks for nothing: a sentence of its own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrailerError {
    /// The commit has too many.
    #[error("{0} {KEY} trailers stand in one commit, and at most {MAX_TRAILERS} are read")]
    TooMany(usize),
    /// It names no gate.
    #[error("it names no gate; write it as in {KEY}: lint --reason 'TEXT'")]
    NoGate,
    /// It gives no reason.
    #[error("it gives no reason; add --reason 'TEXT'")]
    NoReason,
    /// A quote is open.
    #[error("its {0} is left open; quote it as for a shell")]
    Quote(char),
    /// Nothing follows an option.
    #[error("its {0} has no value")]
    NoValue(String),
    /// An option stands twice.
    #[error("its {0} stands twice")]
    Twice(String),
    /// A word that is no option of a trailer.
    #[error(
        "'{0}' is none of --reason, --action, --waive, --ttl, --ticket, --uses, --break-glass and --as; a text of several words needs quotes"
    )]
    Unknown(String),
    /// A scope.
    #[error("its {0} names a scope, and a trailer is for its own commit")]
    Scope(String),
    /// A waiver with an action.
    #[error("it has both --action and --waive")]
    TwoActions,
    /// A value that is none.
    #[error("its {name}: {why}")]
    Value {
        /// The option.
        name: String,
        /// Why.
        why: String,
    },
}

/// What the trailers of `commit` ask for.
///
/// # Errors
/// [`TrailerError::TooMany`].
pub fn wanted(commit: &Commit<'_>) -> Result<Vec<Numbered>, TrailerError> {
    let mut ours = trailers(commit.message);
    ours.retain(|trailer| trailer.key.eq_ignore_ascii_case(KEY));
    if ours.len() > MAX_TRAILERS {
        return Err(TrailerError::TooMany(ours.len()));
    }
    Ok((1..).zip(ours.iter().map(|trailer| Wanted::parse(&trailer.value))).collect())
}

/// The keys by which a commit is judged, and when.
#[derive(Debug, Clone, Copy)]
pub struct Judging<'a> {
    /// The policy, and the files that it trusts.
    pub trust: (&'a Policy, &'a [TrustedFile]),
    /// The policy's digest.
    pub digest: &'a str,
    /// Between which instants it can have been signed, as far as the ledger can prove.
    pub interval: (Timestamp, Timestamp),
}

/// The request that the trailer `number` of the commit with the bytes `object` makes, and who signed it.
///
/// # Errors
/// An [`Unproven`].
pub fn request(object: &str, number: u64, judging: Judging<'_>) -> Result<(Request, Principal), Unproven> {
    let commit = Commit::parse(object).map_err(|error| wrong(&error))?;
    let none = |error: TrailerError| Unproven::Commit(format!("has a trailer that is none: {error}"));
    let found = wanted(&commit).map_err(none)?.into_iter().find(|(place, _)| *place == number);
    let (_, wanted) = found.ok_or_else(|| Unproven::Commit(format!("has no trailer {number}")))?;
    let wanted = wanted.map_err(none)?;
    let by = committer(&commit, wanted.by.as_deref(), judging)?;
    let submit_by = commit.committed.plus(MAX_WAIT);
    let submit_by = submit_by.ok_or_else(|| Unproven::Commit("is dated beyond the calendar".to_owned()))?;
    let ask = wanted.ask(&commit.id);
    let request = Request {
        schema: SCHEMA.to_owned(),
        gate: wanted.gate,
        action: ask.action,
        reason: ask.reason,
        reason_c: None,
        ticket: ask.ticket,
        by: by.id.clone(),
        by_c: None,
        scope: ask.scope,
        findings: ask.findings,
        ttl: ask.ttl,
        max_uses: ask.max_uses,
        break_glass: ask.break_glass,
        renews: ask.renews,
        ledger: None,
        policy: judging.digest.to_owned(),
        seen_head: None,
        requested_at: commit.committed,
        submit_by,
        // Whoever writes the signature in other words gets another commit, and no second grant.
        nonce: format!("{NONCE}{}:{number}", commit.unsigned_id),
        signature: None,
        commit: Some(InCommit { object: object.to_owned(), trailer: number }),
        openings: Vec::new(),
    };
    Ok((request, by))
}

/// Who signed `request`, which stands in the commit `standing`: where it is, member by member, what that commit makes.
///
/// # Errors
/// An [`Unproven`].
pub fn signer(request: &Request, standing: &InCommit, judging: Judging<'_>) -> Result<Principal, Unproven> {
    let (made, by) = self::request(&standing.object, standing.trailer, judging)?;
    if made == *request { Ok(by) } else { Err(Unproven::Commit("makes another request".to_owned())) }
}

/// Who signed the commit: the one whom the trailer names, else the committer, else the only one for whom the key stands.
fn committer(commit: &Commit<'_>, named: Option<&str>, judging: Judging<'_>) -> Result<Principal, Unproven> {
    let signature = commit.signature().map_err(|error| wrong(&error))?;
    let Judging { trust, interval, .. } = judging;
    let message = commit.payload.as_bytes();
    let verify =
        |name: &str| signatures::signer(message, Some(signature), Namespace::Git, name, trust, interval);
    if let Some(named) = named {
        return verify(named);
    }
    let signers = signatures::trusted_signers(trust.0, trust.1)?;
    let standing = ssh::principals_of(message, signature, Namespace::Git, &signers, interval)
        .map_err(|error| Unproven::Signature(error.to_string()))?;
    match (commit.committer, &standing.verified[..]) {
        (committer, [only]) if committer.is_none_or(|name| name != only.principal) => verify(&only.principal),
        (Some(committer), _) => verify(committer),
        (None, _) => Err(Unproven::Commit("does not say who committed it".to_owned())),
    }
}

fn wrong(error: &CommitError) -> Unproven {
    Unproven::Commit(error.to_string())
}

#[cfg(test)]
mod tests;
