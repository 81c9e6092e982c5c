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

mod succession;

use std::ops::ControlFlow;

use gate_identity::ssh::Namespace;
use gate_ledger::entry::Entry;
use gate_ledger::profile;
use gate_ledger::store::{StoreError, View};
use gate_model::exit::Exit;
use gate_model::payload::{PolicyData, TrustedFile};
use gate_model::time::Timestamp;
use gate_policy::{Policy, Who};
use serde::{Deserialize, Serialize};

use crate::policies::{self, NoPolicy, Recorded};
use crate::policy_source::Loaded;
use crate::signatures::{self, Unproven};

pub use succession::was_admitted;
pub(crate) use succession::{Succession, Word, recorded_word, succession};

/// The value of `schema` in `gate.toml.sig`.
pub const SCHEMA: &str = "gate.policy/1";

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

/// Why a policy's text takes no effect.
#[derive(Debug, thiserror::Error)]
pub enum Unowned {
    /// It has no signature.
    #[error(
        "policy '{name}' has owners ({owners}), and none of them admitted this text of it\n\
         an owner runs: gate-skip approve {name} --sign > {name}.sig, or judge by a revision with --policy-ref"
    )]
    Missing {
        /// The file.
        name: String,
        /// The owners.
        owners: String,
    },
    /// Its signature does not hold.
    #[error(
        "policy '{name}' was changed, and '{name}.sig' does not admit the change: {reason}\nlet an owner sign the policy as it is now"
    )]
    Wrong {
        /// The file.
        name: String,
        /// Why.
        reason: String,
    },
    /// It would bring the ledger's first owners.
    #[error(
        "policy '{0}' has owners, and the ledger knows none yet: a text of the work tree cannot bring the first\n\
         once it is merged, run any gate by its commit, with --policy-ref and the branch's full name: that records them"
    )]
    Unfounded(String),
    /// A policy in the ledger cannot be read, so that nobody can tell whose word counts.
    #[error("cannot tell who guards the policy: {0}\nfind out what happened with: gate-verify --replay")]
    Unreadable(#[from] NoPolicy),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Unowned {
    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Missing { .. } | Self::Wrong { .. } | Self::Unfounded(_) => Exit::Usage,
            Self::Unreadable(_) => Exit::Distrust,
            Self::Store(error) => error.exit(),
        }
    }
}

/// The policy whose owners decide about the next one.
///
/// # Errors
/// [`Unowned::Unreadable`] where a policy cannot be read, since it might be the one; a failure of the store.
pub fn guardian(view: &View<'_>) -> Result<Option<Recorded>, Unowned> {
    let mut found = Ok(None);
    view.policies(&mut |entry: &Entry| {
        let recorded = match policies::recorded(entry) {
            Ok(recorded) => recorded,
            Err(error) => {
                found = Err(error);
                return ControlFlow::Break(());
            }
        };
        match guards(&recorded) {
            Guards::Always => {
                found = Ok(Some(recorded));
                ControlFlow::Break(())
            }
            // From the newest entry to the oldest: the last one seen is the first that there was.
            Guards::Alone => {
                found = Ok(Some(recorded));
                ControlFlow::Continue(())
            }
            Guards::Never => ControlFlow::Continue(()),
        }
    })?;
    Ok(found?)
}

/// When a recorded policy decides about the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guards {
    /// From its entry on.
    Always,
    /// From its entry on where there is no guardian yet.
    Alone,
    /// It has no owners, and no owner admitted it.
    Never,
}

/// Whether `recorded` is a guardian.
pub(crate) fn guards(recorded: &Recorded) -> Guards {
    let source = recorded.data.source.as_str();
    match recorded.policy.owners.is_empty() {
        _ if source.starts_with("owner:") => Guards::Always,
        true => Guards::Never,
        false if source.starts_with("rev:") => Guards::Alone,
        false => Guards::Always,
    }
}

/// Admits `loaded`: its source becomes `owner:<key>` where a signature admits it.
///
/// # Errors
/// [`Unowned`]; then the policy takes no effect.
pub fn admit(mut loaded: Loaded, view: Option<&View<'_>>, now: Timestamp) -> Result<Loaded, Unowned> {
    if loaded.is_from_revision() {
        return Ok(loaded);
    }
    if let Some(newest) = view.map(newest).transpose()?.flatten()
        && newest.digest == loaded.used.digest
        && !newest.source.starts_with("rev:")
    {
        // It was admitted when it was recorded, and nothing has replaced it since.
        return Ok(adopted(loaded, newest));
    }
    let guardian = match view {
        Some(view) => guardian(view)?,
        None => None,
    };
    if let Some(guardian) = &guardian
        && guardian.data.digest == loaded.used.digest
    {
        return Ok(adopted(loaded, guardian.data.clone()));
    }
    let (owners, trust) = match &guardian {
        Some(guardian) => (&guardian.policy.owners, (&guardian.policy, guardian.data.files.as_slice())),
        None => (&loaded.policy.owners, (&loaded.policy, loaded.files.as_slice())),
    };
    if owners.is_empty() {
        return Ok(loaded);
    }
    if view.is_some() && guardian.is_none() {
        return Err(Unowned::Unfounded(loaded.name));
    }
    let replaced = match (view, &guardian) {
        (None, _) => Predecessor::Unknown,
        (Some(_), guardian) => {
            Predecessor::Known(guardian.as_ref().map(|guardian| guardian.data.digest.as_str()))
        }
    };
    let key = endorsed(&loaded, owners, trust, replaced, now)?;
    if let (Some(view), Predecessor::Known(replaces)) = (view, replaced)
        && was_admitted(view, &loaded.used.digest, replaces)?
    {
        return Err(Unowned::Wrong { name: loaded.name, reason: SPENT.to_owned() });
    }
    loaded.used.source = format!("owner:{key}");
    Ok(loaded)
}

/// The policy entry that was recorded last.
fn newest(view: &View<'_>) -> Result<Option<PolicyData>, Unowned> {
    let mut found = None;
    view.policies(&mut |entry: &Entry| {
        found = Some(policies::recorded(entry));
        ControlFlow::Break(())
    })?;
    Ok(found.transpose()?.map(|recorded| recorded.data))
}

/// `loaded` with the source under which the ledger holds the same text and files.
fn adopted(mut loaded: Loaded, recorded: PolicyData) -> Loaded {
    loaded.used.source = recorded.source;
    loaded.signature = recorded.signature;
    loaded
}

/// The policy that a new one replaces.
#[derive(Debug, Clone, Copy)]
enum Predecessor<'a> {
    /// There is no ledger to tell.
    Unknown,
    /// The one with this digest, or none.
    Known(Option<&'a str>),
}

/// The key of the owner who signed `loaded`.
fn endorsed(
    loaded: &Loaded,
    owners: &[Who],
    trust: (&Policy, &[TrustedFile]),
    replaced: Predecessor<'_>,
    now: Timestamp,
) -> Result<String, Unowned> {
    let Some(text) = &loaded.signature else {
        let owners = owners.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Err(Unowned::Missing { name: loaded.name.clone(), owners });
    };
    let wrong = |reason: String| Unowned::Wrong { name: loaded.name.clone(), reason };
    holds(text, &loaded.used.digest, owners, trust, replaced, now).map_err(wrong)
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
fn holds(
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

/// Whether the recorded signature of a policy entry holds under the guardian before it; for replay.
///
/// # Errors
/// Why not.
pub fn recorded_endorsement(
    data: &PolicyData,
    guardian: Option<&Recorded>,
    own: &Policy,
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
    let Some(text) = &data.signature else { return Err("no owner admitted it".to_owned()) };
    let replaced = guardian.map(|guardian| guardian.data.digest.as_str());
    let key = holds(text, &data.digest, owners, trust, Predecessor::Known(replaced), at)?;
    if data.source == format!("owner:{key}") {
        Ok(())
    } else {
        Err("another key signed it than it names".to_owned())
    }
}
