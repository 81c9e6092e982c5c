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
//! repository a text is the policy of is what CI and the checkout say, without the aliases of that very text; those of a
//! guardian count, once nobody guards the name itself. Where they do not say, or say several names that lead to no one
//! guardian, and several repositories have one, no text is in force: see [`Nameless`].

use std::collections::HashSet;
use std::rc::Rc;

use gate_identity::ssh::Namespace;
use gate_ledger::profile;
use gate_model::payload::{PolicyData, TrustedFile};
use gate_model::repository::{canonical, is_another, is_elsewhere, is_same};
use gate_model::text::visible;
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
    (guard, here, replaced): (&Guard, Option<&str>, Predecessor<'_>),
    now: Timestamp,
) -> Result<String, String> {
    let endorsement = read(text)?;
    if endorsement.digest != digest {
        return Err("it was made for another text, or for other trusted files".to_owned());
    }
    if let Some(named) = endorsement.repository.as_deref().filter(|named| !guard.is_one(named, here)) {
        let here = here.map_or_else(|| "one without a name".to_owned(), visible);
        return Err(format!("it was made for another repository, {}, and this is {here}", visible(named)));
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

/// Why nobody can tell whose policy a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this repository has no name that leads to one policy, and the ledger holds those of several repositories\n\
     give the checkout a remote 'origin', or set GATE_REPOSITORY to host/path; one that goes by several names lists them \
     as aliases in the policy in force"
)]
pub struct Nameless;

/// Who guards the policies of a ledger, one policy after another from its first: what replay names guards nothing live
/// either, so that whoever can write the ledger's file does not become an owner by writing so.
#[derive(Debug, Default)]
pub struct Guard {
    /// One for each repository that has one; the first guards those that have none.
    guardians: Vec<Guardian>,
    /// What the owners' signatures said: each counts once, whatever repository it was shown in.
    words: HashSet<Word>,
}

/// The policy whose owners decide about the next one of a repository.
#[derive(Debug)]
struct Guardian {
    /// The repository; nothing where the ledger was founded without its name.
    repository: Option<String>,
    policy: Rc<Recorded>,
}

impl Guardian {
    fn is_surely_of(&self, here: &str) -> bool {
        self.repository.as_deref().is_some_and(|own| is_same(own, here))
    }

    /// By its own aliases too, which its owners admitted.
    fn may_be_of(&self, here: &str) -> bool {
        let aliases = &self.policy.policy.aliases;
        let is_one = |own: &str| !is_another(&canonical(own, aliases), &canonical(here, aliases));
        self.repository.as_deref().is_some_and(is_one)
    }

    fn has_owners(&self) -> bool {
        !self.policy.policy.owners.is_empty()
    }
}

/// Whose policy the one of a repository follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follows {
    /// That of the guardian with this number.
    Own(usize),
    /// None of its own.
    None,
}

impl Guard {
    /// Whether nobody guards anything.
    pub const fn is_empty(&self) -> bool {
        self.guardians.is_empty()
    }

    /// The policy whose owners decide about the next one in the repository `here`.
    ///
    /// # Errors
    /// [`Nameless`].
    pub fn guardian(&self, here: Option<&str>) -> Result<Option<&Rc<Recorded>>, Nameless> {
        let own = match self.follows(here)? {
            Follows::Own(number) => self.guardians.get(number).filter(|own| own.has_owners()),
            Follows::None => None,
        };
        Ok(own.or_else(|| self.first()).map(|guardian| &guardian.policy))
    }

    /// Who guards what has no owners: a ledger that was founded without a name is the first repository's that has one.
    fn first(&self) -> Option<&Guardian> {
        let named = self.guardians.iter().find(|guardian| guardian.repository.is_some());
        named.or_else(|| self.guardians.first())
    }

    /// The policy that owners let be in force in the repository `here`: its own, else its guardian.
    ///
    /// # Errors
    /// [`Nameless`].
    pub fn in_force(&self, here: Option<&str>) -> Result<Option<&Rc<Recorded>>, Nameless> {
        match self.follows(here)? {
            Follows::Own(number) => Ok(self.guardians.get(number).map(|own| &own.policy)),
            Follows::None => self.guardian(here),
        }
    }

    /// The name by which the repository is known that CI and the checkout call by each of `names`; none where nobody
    /// can tell that they mean one.
    pub fn name_of<'n>(&self, names: &[&'n str]) -> Option<&'n str> {
        let first = names.first()?;
        names.iter().all(|name| !is_another(first, name) || self.is_one(first, Some(name))).then_some(*first)
    }

    /// Whether what is named by `named` is the repository `here`: for sure, or since one guardian guards both.
    fn is_one(&self, named: &str, here: Option<&str>) -> bool {
        if self.is_empty() {
            // There is nothing of another's to be had yet.
            return !is_elsewhere(Some(named), here);
        }
        let own = |here| self.follows(here).ok().filter(|follows| *follows != Follows::None);
        here.is_some_and(|here| is_same(named, here))
            || own(Some(named)).is_some_and(|follows| own(here) == Some(follows))
    }

    /// The guardian of `here` itself: the one of just that name, else the only one that may have it.
    fn follows(&self, here: Option<&str>) -> Result<Follows, Nameless> {
        let only = |is_of: &dyn Fn(&Guardian) -> bool| {
            let mut found = (0..).zip(&self.guardians).filter(|(_, guardian)| is_of(guardian));
            match (found.next(), found.next()) {
                (None, _) => Ok(Follows::None),
                (Some((number, _)), None) => Ok(Follows::Own(number)),
                (Some(_), Some(_)) => Err(Nameless),
            }
        };
        let Some(here) = here else {
            let is_named = |guardian: &Guardian| guardian.repository.is_some();
            return if self.guardians.iter().any(is_named) { only(&is_named) } else { only(&|_| true) };
        };
        match only(&|guardian| guardian.is_surely_of(here))? {
            Follows::None => only(&|guardian| guardian.may_be_of(here)),
            own @ Follows::Own(_) => Ok(own),
        }
    }

    /// Whether an owner's word on a policy was given before.
    pub fn is_spent(&self, word: &Word) -> bool {
        self.words.contains(word)
    }

    fn set(&mut self, follows: Follows, policy: &Rc<Recorded>) {
        let (repository, policy) = (policy.data.repository.clone(), Rc::clone(policy));
        let own = match follows {
            Follows::Own(number) => self.guardians.get_mut(number),
            Follows::None => None,
        };
        match own {
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
        let one_line = |error: Nameless| error.to_string().replace('\n', "; ");
        let follows = self.follows(here);
        if recorded.data.source.starts_with("rev:") && follows.is_err() {
            // It takes nobody's place, and is no text of a work tree, whose repository would have to be known.
            return Ok(());
        }
        let follows = follows.map_err(one_line)?;
        let guardian = self.guardian(here).map_err(one_line)?.cloned();
        let in_force = self.in_force(here).map_err(one_line)?.map(|own| &own.data.digest);
        let is_in_force = in_force == Some(&recorded.data.digest);
        let mut admitted =
            if is_in_force { Ok(()) } else { self.recorded_endorsement(recorded, guardian.as_deref(), at) };
        let is_first = recorded_word(&recorded.data).is_none_or(|word| self.words.insert(word));
        if !is_first && !is_in_force {
            admitted = admitted.and(Err(SPENT.to_owned()));
        }
        admitted?;
        match guards(recorded) {
            Guards::Always => self.set(follows, recorded),
            Guards::Alone if guardian.is_none() => self.set(follows, recorded),
            Guards::Alone | Guards::Never => {}
        }
        Ok(())
    }

    /// Whether a recorded policy takes effect by the guardian before it.
    ///
    /// # Errors
    /// Why not.
    fn recorded_endorsement(
        &self,
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
        let here = (self, data.repository.as_deref(), Predecessor::Known(replaced));
        let key = holds(text, &data.digest, owners, trust, here, at)?;
        if data.source == format!("owner:{key}") {
            Ok(())
        } else {
            Err("another key signed it than it names".to_owned())
        }
    }
}

/// Whether a policy can have a say in who guards the next one, as far as its text tells without being parsed: a ledger
/// may hold a thousand of them, and none with owners. A backslash may hide the key's name.
pub fn may_guard(data: &PolicyData) -> bool {
    data.source.starts_with("owner:") || data.text.contains("owners") || data.text.contains('\\')
}

/// What an owner's word says: the digest of the policy that it admits, that of the one that it replaces, and the repository
/// that it is for, where it names one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Word {
    /// The digest of the policy that it admits.
    pub digest: String,
    /// The digest of the policy that it replaces.
    pub replaces: Option<String>,
    /// The repository, as it is written.
    pub repository: Option<String>,
}

/// What the text of a `gate.toml.sig` says; nothing where it is none.
pub fn word_of(text: &str) -> Option<Word> {
    let Endorsement { digest, replaces, repository, .. } = read(text).ok()?;
    Some(Word { digest, replaces, repository })
}

/// What the signature of a policy entry says, if it has one.
pub fn recorded_word(data: &PolicyData) -> Option<Word> {
    data.signature.as_deref().and_then(word_of)
}
