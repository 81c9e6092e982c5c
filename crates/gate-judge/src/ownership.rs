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
//! `replaces` is left out where there is no guardian yet. What a signature says counts once: see `succession`. Where the
//! document has a `repository` it admits nothing in another one.
//!
//! A ledger may be that of several repositories, and each policy guards its own: there is one guardian for each
//! repository that has owners. The others are guarded by the first one, so that the name of another repository, or one
//! that nobody knows yet, is no way around the owners; who wants owners for another repository has them admitted. Which
//! repository a text is the policy of is what the run says, without the aliases of that very text. Where the run does not
//! say, the newest guardian of all decides.

use std::collections::HashSet;
use std::rc::Rc;

use gate_identity::git;
use gate_identity::ssh::Namespace;
use gate_ledger::profile;
use gate_model::payload::{PolicyData, TrustedFile};
use gate_model::text::visible;
use gate_model::time::Timestamp;
use gate_policy::{Policy, Who};
use serde::{Deserialize, Serialize};

use crate::recorded::Recorded;
use crate::repository::is_elsewhere;
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
    /// The repository whose policy it is; every one where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
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
    (here, replaced): (Option<&str>, Predecessor<'_>),
    now: Timestamp,
) -> Result<String, String> {
    let endorsement = read(text)?;
    if endorsement.digest != digest {
        return Err("it was made for another text, or for other trusted files".to_owned());
    }
    if !is_named(endorsement.repository.as_deref(), here, trust.0) {
        let named = visible(endorsement.repository.as_deref().unwrap_or_default());
        return Err(format!("it was made for another repository, {named}"));
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
        return Err(format!("{} is no owner of the policy", visible(&signer.id)));
    }
    signer.key.ok_or_else(|| Unproven::Missing.to_string())
}

/// Whether `named` and `here` can be one repository, which has the aliases of `policy`.
fn is_named(named: Option<&str>, here: Option<&str>, policy: &Policy) -> bool {
    let canonical = |name: &str| git::canonical(name, &policy.aliases);
    !is_elsewhere(named.map(canonical).as_deref(), here.map(canonical).as_deref())
}

/// Who guards the policies of a ledger, one policy after another from its first: what replay names guards nothing live
/// either, so that whoever can write the ledger's file does not become an owner by writing so.
#[derive(Debug, Default)]
pub struct Guard {
    /// One for each repository that has one; the first guards those that have none.
    guardians: Vec<Guardian>,
    /// What the owners' signatures say of the policy of the guardian with this number: each counts once.
    words: HashSet<(usize, Word)>,
}

/// The policy whose owners decide about the next one of a repository.
#[derive(Debug)]
struct Guardian {
    /// The repository; nothing where the ledger was founded without its name.
    repository: Option<String>,
    policy: Rc<Recorded>,
}

impl Guardian {
    fn is_of(&self, here: Option<&str>) -> bool {
        self.repository.is_some() && is_named(self.repository.as_deref(), here, &self.policy.policy)
    }

    fn has_owners(&self) -> bool {
        !self.policy.policy.owners.is_empty()
    }
}

impl Guard {
    /// The policy whose owners decide about the next one in the repository `here`.
    pub fn guardian(&self, here: Option<&str>) -> Option<&Rc<Recorded>> {
        let own = self.guardians.get(self.number(here)).filter(|own| own.has_owners());
        own.or_else(|| self.first()).map(|guardian| &guardian.policy)
    }

    /// Who guards what has no owners: a ledger that was founded without a name is the first repository's that has one.
    fn first(&self) -> Option<&Guardian> {
        let named = self.guardians.iter().find(|guardian| guardian.repository.is_some());
        named.or_else(|| self.guardians.first())
    }

    /// The policy that owners let be in force in the repository `here`: its own, else its guardian.
    pub fn in_force(&self, here: Option<&str>) -> Option<&Rc<Recorded>> {
        self.guardians.get(self.number(here)).map(|own| &own.policy).or_else(|| self.guardian(here))
    }

    /// The number of the guardian of `here` itself; the next one where there is none.
    fn number(&self, here: Option<&str>) -> usize {
        let mut guardians = self.guardians.iter().enumerate();
        let found = match here {
            Some(_) => guardians.find(|(_, guardian)| guardian.is_of(here)),
            None => guardians.max_by_key(|(_, guardian)| guardian.policy.seq),
        };
        found.map_or(self.guardians.len(), |(number, _)| number)
    }

    /// Whether an owner's word on the policy of `here` was given before.
    pub fn is_spent(&self, here: Option<&str>, word: &Word) -> bool {
        self.words.contains(&(self.number(here), word.clone()))
    }

    fn set(&mut self, number: usize, policy: &Rc<Recorded>) {
        let (repository, policy) = (policy.data.repository.clone(), Rc::clone(policy));
        match self.guardians.get_mut(number) {
            Some(guardian) => guardian.policy = policy,
            None => self.guardians.push(Guardian { repository, policy }),
        }
    }

    /// Takes the next policy, which was recorded at `at`.
    ///
    /// # Errors
    /// Why it takes no effect.
    pub fn pass(&mut self, recorded: &Rc<Recorded>, at: Timestamp) -> Result<(), String> {
        let here = recorded.data.repository.as_deref();
        let (number, guardian) = (self.number(here), self.guardian(here).cloned());
        let guardian = guardian.as_deref();
        let in_force = self.in_force(here).is_some_and(|own| own.data.digest == recorded.data.digest);
        let mut admitted = if in_force { Ok(()) } else { recorded_endorsement(recorded, guardian, at) };
        let is_first = recorded_word(&recorded.data).is_none_or(|word| self.words.insert((number, word)));
        if !is_first && !in_force {
            admitted = admitted.and(Err(SPENT.to_owned()));
        }
        admitted?;
        match guards(recorded) {
            Guards::Always => self.set(number, recorded),
            Guards::Alone if guardian.is_none() => self.set(number, recorded),
            Guards::Alone | Guards::Never => {}
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
    if guardian.is_none() && *seq > FOUNDED {
        return Err("it brings the ledger's first owners, and no revision vouches for it".to_owned());
    }
    let Some(text) = &data.signature else { return Err("no owner admitted it".to_owned()) };
    let replaced = guardian.map(|guardian| guardian.data.digest.as_str());
    let here = (data.repository.as_deref(), Predecessor::Known(replaced));
    let key = holds(text, &data.digest, owners, trust, here, at)?;
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
