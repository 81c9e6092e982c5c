//! The policy's own guard: with `[policy] owners`, a changed policy takes effect only with an owner's
//! signature, or from a revision that vouches for it.
//!
//! The *guardian* is the newest policy in the ledger that has owners, or that an owner admitted. Its owners
//! and its keys decide about the next text, so that a change cannot bring the owners that admit it. A
//! signature names the policy that it replaces: an older text, signed in its day, cannot be put back.
//! Whoever runs a tool can name any revision, one of their own too: what a revision brought is a guardian only
//! where there was none before it, and never takes the place of one. The first owners come with the ledger itself
//! or from a revision: a work tree's text that a build meets first, a pull request's, makes nobody an owner.
//!
//! `gate.toml.sig` beside the policy is one JSON document:
//!
//! ```text
//! {"by":"alice@example.com","digest":"b3:…","replaces":"b3:…","schema":"gate.policy/1","signature":"-----BEGIN SSH SIGNATURE-----…"}
//! ```
//!
//! `signature` is an SSHSIG in the namespace `gate-policy` over the canonical bytes of the other members.
//! `replaces` is left out where there is no guardian yet. What a signature says counts once: see `succession`.

use std::collections::HashSet;
use std::rc::Rc;

use gate_identity::ssh::Namespace;
use gate_ledger::profile;
use gate_model::payload::{PolicyData, TrustedFile};
use gate_model::time::Timestamp;
use gate_policy::{Policy, Who};
use serde::{Deserialize, Serialize};

use crate::recorded::Recorded;
use crate::signatures::{self, Unproven};

/// The value of `schema` in `gate.toml.sig`.
pub const SCHEMA: &str = "gate.policy/1";

/// Where a ledger's first policy stands, which may bring owners by their own word.
pub const FOUNDED: u64 = 1;

/// Why a word that says what an earlier one said admits nothing.
pub const SPENT: &str = "it replaced the same policy by the same text before, and counts once; change the text, \
                         a comment will do";

/// An owner's word on a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endorsement {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The digest of the text and the files that it trusts.
    pub digest: String,
    /// The digest of the policy that it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// The owner.
    pub by: String,
    /// The armored SSHSIG over the canonical bytes of all other members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// When a recorded policy decides about the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guards {
    /// From its entry on.
    Always,
    /// From its entry on where there is no guardian yet.
    Alone,
    /// It has no owners, and no owner admitted it.
    Never,
}

/// Whether `recorded` is a guardian.
fn guards(recorded: &Recorded) -> Guards {
    let source = recorded.data.source.as_str();
    match recorded.policy.owners.is_empty() {
        _ if source.starts_with("owner:") => Guards::Always,
        true => Guards::Never,
        false if source.starts_with("rev:") => Guards::Alone,
        false => Guards::Always,
    }
}

/// The policy that a new one replaces.
#[derive(Debug, Clone, Copy)]
pub enum Predecessor<'a> {
    /// There is no ledger to tell.
    Unknown,
    /// The one with this digest, or none.
    Known(Option<&'a str>),
}

/// The endorsement that `text` holds.
fn read(text: &str) -> Result<Endorsement, String> {
    let value = profile::parse(text.trim().as_bytes()).map_err(|error| error.to_string())?;
    // A list of the members in their order would be read as well.
    if !value.is_object() {
        return Err("it is not a JSON object".to_owned());
    }
    let endorsement: Endorsement = serde_json::from_value(value).map_err(|error| error.to_string())?;
    if endorsement.schema != SCHEMA {
        return Err(format!("its schema is not '{SCHEMA}'"));
    }
    Ok(endorsement)
}

/// The key behind an endorsement that holds: the right digest, the right predecessor, an owner's key.
///
/// # Errors
/// Why it does not hold.
pub fn holds(
    text: &str,
    digest: &str,
    owners: &[Who],
    trust: (&Policy, &[TrustedFile]),
    replaced: Predecessor<'_>,
    now: Timestamp,
) -> Result<String, String> {
    let endorsement = read(text)?;
    if endorsement.digest != digest {
        return Err("it was made for another text, or for other trusted files".to_owned());
    }
    // Without a ledger nobody can say which policy came before.
    if let Predecessor::Known(replaced) = replaced
        && endorsement.replaces.as_deref() != replaced
    {
        return Err("it replaces another policy than the one in force".to_owned());
    }
    let message = signatures::signed_bytes(&endorsement).map_err(|error| error.to_string())?;
    let signature = endorsement.signature.as_deref();
    let signer =
        signatures::signer(&message, signature, Namespace::Policy, &endorsement.by, trust, (now, now))
            .map_err(|error| error.to_string())?;
    if signer.via == gate_policy::WILDCARD_VIA {
        return Err(Unproven::Chosen.to_string());
    }
    if !gate_policy::names(trust.0, owners, &signer) {
        return Err(format!("{} is no owner of the policy", gate_model::text::visible(&signer.id)));
    }
    signer.key.ok_or_else(|| Unproven::Missing.to_string())
}

/// Who guards the policy of a ledger, one policy after another from its first: what replay names guards nothing live
/// either, so that whoever can write the ledger's file does not become an owner by writing so.
#[derive(Debug, Default)]
pub struct Guard {
    guardian: Option<Rc<Recorded>>,
    /// What the owners' signatures say: each counts once.
    words: HashSet<Word>,
}

impl Guard {
    /// The policy whose owners decide about the next one.
    pub const fn guardian(&self) -> Option<&Rc<Recorded>> {
        self.guardian.as_ref()
    }

    /// Whether an owner's word was given before.
    pub fn is_spent(&self, word: &Word) -> bool {
        self.words.contains(word)
    }

    /// Takes the next policy, which was recorded at `at`.
    ///
    /// # Errors
    /// Why it takes no effect.
    pub fn pass(&mut self, recorded: &Rc<Recorded>, at: Timestamp) -> Result<(), String> {
        let guardian = self.guardian.as_deref();
        let mut admitted = recorded_endorsement(recorded, guardian, at);
        let in_force = guardian.is_some_and(|guardian| guardian.data.digest == recorded.data.digest);
        let is_first = recorded_word(&recorded.data).is_none_or(|word| self.words.insert(word));
        if !is_first && !in_force {
            admitted = admitted.and(Err(SPENT.to_owned()));
        }
        admitted?;
        match guards(recorded) {
            Guards::Always => self.guardian = Some(Rc::clone(recorded)),
            Guards::Alone => drop(self.guardian.get_or_insert_with(|| Rc::clone(recorded))),
            Guards::Never => {}
        }
        Ok(())
    }
}

/// Whether a policy can have a say in who guards the next one, as far as its text tells without being parsed: a ledger
/// may hold a thousand of them, and none with owners. A backslash may hide the key's name.
pub fn may_guard(data: &PolicyData) -> bool {
    data.source.starts_with("owner:") || data.text.contains("owners") || data.text.contains('\\')
}

/// Whether a recorded policy takes effect by the guardian before it.
///
/// # Errors
/// Why not.
fn recorded_endorsement(
    Recorded { policy: own, data, seq }: &Recorded,
    guardian: Option<&Recorded>,
    at: Timestamp,
) -> Result<(), String> {
    let (owners, trust) = match guardian {
        Some(guardian) => (&guardian.policy.owners, (&guardian.policy, guardian.data.files.as_slice())),
        None => (&own.owners, (own, data.files.as_slice())),
    };
    if owners.is_empty() || data.source.starts_with("rev:") {
        return Ok(());
    }
    if guardian.is_some_and(|guardian| guardian.data.digest == data.digest) {
        return Ok(());
    }
    if guardian.is_none() && *seq > FOUNDED {
        return Err("it brings the ledger's first owners, and no revision vouches for it".to_owned());
    }
    let Some(text) = &data.signature else { return Err("no owner admitted it".to_owned()) };
    let replaced = guardian.map(|guardian| guardian.data.digest.as_str());
    let key = holds(text, &data.digest, owners, trust, Predecessor::Known(replaced), at)?;
    if data.source == format!("owner:{key}") {
        Ok(())
    } else {
        Err("another key signed it than it names".to_owned())
    }
}

/// What a word says of two policies: the digest of the one that it admits, and of the one that it replaces.
pub type Word = (String, Option<String>);

/// What the text of a `gate.toml.sig` says; nothing where it is none.
pub fn word_of(text: &str) -> Option<Word> {
    read(text).ok().map(|Endorsement { digest, replaces, .. }| (digest, replaces))
}

/// What the signature of a policy entry says, if it has one.
pub fn recorded_word(data: &PolicyData) -> Option<Word> {
    data.signature.as_deref().and_then(word_of)
}
