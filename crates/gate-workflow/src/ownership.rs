//! Who guards the policy, as the ledger has it: see [`gate_judge::ownership`].

mod succession;

use std::ops::ControlFlow;
use std::rc::Rc;

use gate_judge::ownership::{Guard, Nameless, Predecessor, holds, may_guard, word_of};
use gate_judge::policy_text::Loaded;
use gate_judge::recorded::{self, NoPolicy, Recorded};
use gate_ledger::entry::Entry;
use gate_ledger::store::{StoreError, View};
use gate_model::exit::{Ends, Exit};
use gate_model::payload::{PolicyData, TrustedFile};
use gate_model::time::Timestamp;
use gate_policy::{Policy, Who};

use crate::workspace::WorkspaceError;

pub(crate) use succession::{Succession, succession};

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
    /// The ledger has policies of several repositories, and nobody can tell which one this is.
    #[error("cannot tell whose policy this is: {0}")]
    Nameless(#[from] Nameless),
    /// What CI and the checkout call the repository cannot be asked.
    #[error("cannot tell whose policy this is: {0}")]
    Facts(#[from] WorkspaceError),
    /// A policy in the ledger cannot be read, so that nobody can tell whose word counts.
    #[error("cannot tell who guards the policy: {0}\nfind out what happened with: gate-verify --replay")]
    Unreadable(#[from] NoPolicy),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Ends for Unowned {
    fn exit(&self) -> Exit {
        match self {
            Self::Missing { .. } | Self::Wrong { .. } | Self::Unfounded(_) | Self::Nameless(_) => Exit::Usage,
            Self::Facts(error) => error.exit(),
            Self::Unreadable(_) => Exit::Distrust,
            Self::Store(error) => error.exit(),
        }
    }
}

/// The policy whose owners decide about the next one in the repository `here`.
///
/// # Errors
/// [`Unowned::Unreadable`] where a policy cannot be read, since it might be the one; [`Unowned::Nameless`]; a failure of
/// the store.
pub fn guardian(view: &View<'_>, here: Option<&str>) -> Result<Option<Rc<Recorded>>, Unowned> {
    Ok(guard(view)?.guardian(here)?.cloned())
}

/// Who guards the policy, derived from each policy that the ledger holds.
///
/// # Errors
/// [`Unowned::Unreadable`], or a failure of the store.
pub fn guard(view: &View<'_>) -> Result<Guard, Unowned> {
    let mut found = Ok(Vec::new());
    view.policies(&mut |entry: &Entry| {
        match (recorded::text(entry), &mut found) {
            (Ok(data), Ok(policies)) if may_guard(&data) => policies.push(entry.clone()),
            (Ok(_), _) => {}
            (Err(error), _) => found = Err(error),
        }
        if found.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let mut guard = Guard::default();
    for entry in found?.iter().rev() {
        // One that takes no effect guards nothing, and replay names it.
        let _named_by_replay = guard.pass(&Rc::new(recorded::recorded(entry)?), entry.at);
    }
    Ok(guard)
}

/// Admits `loaded`: its source becomes `owner:<key>` where a signature admits it. `named` tells the repository whose policy
/// it is, and is asked only where somebody guards one.
///
/// # Errors
/// [`Unowned`]; then the policy takes no effect.
pub fn admit(
    mut loaded: Loaded,
    view: Option<&View<'_>>,
    named: &dyn Fn(&Guard) -> Result<Option<String>, WorkspaceError>,
    now: Timestamp,
) -> Result<Loaded, Unowned> {
    if loaded.is_from_revision() {
        return Ok(loaded);
    }
    let guard = view.map(guard).transpose()?.unwrap_or_default();
    // Without a guardian, and without owners, nobody is asked who we are.
    let is_guarded = !guard.is_empty() || !loaded.policy.owners.is_empty();
    let named = if is_guarded { named(&guard)? } else { None };
    let here = named.as_deref();
    if let Some(own) = guard.in_force(here)?.filter(|own| own.data.digest == loaded.used.digest) {
        return Ok(adopted(loaded, own.data.clone()));
    }
    let guardian = guard.guardian(here)?.cloned();
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
    let key = endorsed(&loaded, owners, trust, (&guard, here, replaced), now)?;
    let word = loaded.signature.as_deref().and_then(word_of);
    if view.is_some() && word.is_none_or(|word| guard.is_spent(&word)) {
        return Err(Unowned::Wrong { name: loaded.name, reason: gate_judge::ownership::SPENT.to_owned() });
    }
    loaded.used.source = format!("owner:{key}");
    Ok(loaded)
}

/// `loaded` with the source under which the ledger holds the same text and files.
fn adopted(mut loaded: Loaded, recorded: PolicyData) -> Loaded {
    loaded.used.source = recorded.source;
    loaded.signature = recorded.signature;
    loaded
}

/// The key of the owner who signed `loaded`.
fn endorsed(
    loaded: &Loaded,
    owners: &[Who],
    trust: (&Policy, &[TrustedFile]),
    place: (&Guard, Option<&str>, Predecessor<'_>),
    now: Timestamp,
) -> Result<String, Unowned> {
    let Some(text) = &loaded.signature else {
        let owners = owners.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Err(Unowned::Missing { name: loaded.name.clone(), owners });
    };
    let wrong = |reason: String| Unowned::Wrong { name: loaded.name.clone(), reason };
    holds(text, &loaded.used.digest, owners, trust, place, now).map_err(wrong)
}
