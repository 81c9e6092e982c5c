//! Which policy may follow the one in force, as the transaction that records it sees the ledger.
//!
//! A tool reads and admits its policy before it takes the ledger's lock, and a command may run for an hour in
//! between. What was admitted then may have been replaced since, and must not come back into force by being
//! recorded late. So the question is asked again within the transaction.
//!
//! Invariant: an owner's word on a text counts once. When A was replaced by B, and B by A, the word that put B in
//! place of A fits again; whoever kept it could undo the owner's return to A. Words are compared by what they say
//! and not by their signatures, since one key can sign the same words in several ways.
//!
//! Not here: whether the signature holds, which [`super::admit`] and replay find out.

use gate_judge::ownership::{FOUNDED, word_of};
use gate_judge::policy_text::Loaded;
use gate_ledger::store::View;

use super::{Unowned, guard};

/// What recording a policy does to the one in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Succession {
    /// Nothing: it is in force, or no owners guard it.
    None,
    /// It takes the place of the one in force, by an owner's word.
    Follows,
    /// It may not.
    Refused,
}

/// What recording `loaded` as the policy of the repository `here` would do now.
///
/// # Errors
/// Who guards the policy cannot be told, or the store failed.
pub(crate) fn succession(
    view: &View<'_>,
    loaded: &Loaded,
    here: Option<&str>,
) -> Result<Succession, Unowned> {
    let guard = guard(view)?;
    let Some(guardian) = guard.guardian(here)? else {
        // Owners found a ledger, with its first policy, or come from a revision.
        let founds = loaded.policy.owners.is_empty() || view.head()?.seq < FOUNDED;
        return Ok(if founds { Succession::None } else { Succession::Refused });
    };
    if guard.in_force(here)?.is_some_and(|own| own.data.digest == loaded.used.digest) {
        return Ok(Succession::None);
    }
    let word = loaded.admitted_by_signature().as_deref().and_then(word_of);
    match word.filter(|word| word.digest == loaded.used.digest) {
        Some(word) if word.replaces.as_ref() == Some(&guardian.data.digest) && !guard.is_spent(&word) => {
            Ok(Succession::Follows)
        }
        _ => Ok(Succession::Refused),
    }
}
