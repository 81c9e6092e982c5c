//! The policies that the ledger's verdicts name, read back from its entries.
//!
//! A verdict names its policy by digest. The text is taken from the ledger, hashed again and parsed, so that
//! a grant can be derived again from the rules of its moment. When the entries before it were written is kept beside
//! them, since thousands of grants in a row ask for the same few.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::rc::Rc;

use gate_ledger::entry::{Entry, Kind};
use gate_ledger::store::{StoreError, Transaction, View};
use gate_model::payload::PolicyData;
use gate_model::principal::Principal;
use gate_model::time::Timestamp;

use crate::ownership::{self, Succession, Unowned};
use gate_judge::policy_text::{self, Loaded};
use gate_judge::recorded::{NoPolicy, Recorded, recorded};
use gate_judge::records;
use gate_judge::repository::is_elsewhere;

/// Recorded policies, and when entries were written, each read once from the same snapshot of a ledger.
#[derive(Debug, Default)]
pub struct Policies {
    known: BTreeMap<String, Result<Rc<Recorded>, NoPolicy>>,
    times: BTreeMap<u64, (Kind, Timestamp)>,
}

impl Policies {
    /// The policy with `digest`.
    ///
    /// # Errors
    /// A failure of the store; the inner result says why the policy itself cannot be used.
    pub fn get(
        &mut self,
        view: &View<'_>,
        digest: &str,
    ) -> Result<Result<Rc<Recorded>, NoPolicy>, StoreError> {
        if let Some(known) = self.known.get(digest) {
            return Ok(known.clone());
        }
        // What claims a digest that it does not have must not take the text away from what was judged by it.
        let mut read = Err(NoPolicy::Missing(digest.to_owned()));
        view.policy(digest, &mut |entry: &Entry| {
            read = recorded(entry).map(Rc::new);
            if read.is_ok() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        self.known.insert(digest.to_owned(), read.clone());
        Ok(read)
    }

    /// Takes note of when an entry that is read already was written.
    pub fn note(&mut self, entry: &Entry) {
        self.times.insert(entry.seq, (entry.kind, entry.at));
    }

    /// Kind and time of the entries from position `first` to `last`, as far as the ledger has them, in order.
    ///
    /// # Errors
    /// A failure of the store.
    pub fn times(
        &mut self,
        view: &View<'_>,
        first: u64,
        last: u64,
    ) -> Result<impl Iterator<Item = (Kind, Timestamp)>, StoreError> {
        if !(first..=last).all(|seq| self.times.contains_key(&seq)) {
            view.times(first, last, &mut |seq, kind, at| {
                self.times.insert(seq, (kind, at));
            })?;
        }
        Ok(self.times.range(first..=last).map(|(_, time)| *time))
    }
}

/// Why an entry could not be written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A document could not be written as JSON.
    #[error("cannot write the entry as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Nobody can tell who guards the policy.
    #[error(transparent)]
    Guard(Unowned),
    /// Owners guard the ledger's policy, and this one does not follow the one in force.
    #[error(
        "the policy in force was replaced in the meantime, and no owner admitted this one in its place\nrun it again"
    )]
    Replaced,
}

impl From<Unowned> for RecordError {
    fn from(error: Unowned) -> Self {
        match error {
            Unowned::Store(error) => Self::Store(error),
            other => Self::Guard(other),
        }
    }
}

/// Records the policy in force where the ledger does not hold its digest from the same source yet, and where an
/// owner returns to a text that was replaced in the meantime: only an entry of its own puts it in force again.
///
/// A revision that the ledger holds needs no second entry, since it never takes the place of a guardian. One text that is
/// the policy of two repositories has an entry for each: `here` is the repository, where it is known.
///
/// # Errors
/// A [`RecordError`].
pub fn ensure_recorded(
    transaction: &mut Transaction<'_>,
    (loaded, here): (&Loaded, Option<&str>),
    by: &Principal,
) -> Result<(), RecordError> {
    let view = transaction.view();
    let mut newest = None;
    view.policies(&mut |entry: &Entry| {
        newest = Some(holds(entry, loaded, here));
        ControlFlow::Break(())
    })?;
    if newest == Some(true) {
        return Ok(());
    }
    let known = is_recorded(&view, loaded, here)?;
    let succession = if loaded.is_from_revision() {
        Succession::None
    } else {
        ownership::succession(&view, loaded, here)?
    };
    match succession {
        // What was replaced while it was in use stays recorded where it was.
        Succession::None | Succession::Refused if known => return Ok(()),
        Succession::Refused => return Err(RecordError::Replaced),
        Succession::None | Succession::Follows => (),
    }
    let data = PolicyData {
        digest: loaded.used.digest.clone(),
        source: loaded.used.source.clone(),
        text: loaded.text.clone(),
        files: loaded.files.clone(),
        signature: loaded.admitted_by_signature(),
        repository: here.map(str::to_owned),
    };
    transaction.append(&records::draft(Kind::Policy, None, None, by, &data)?)?;
    Ok(())
}

/// Whether some entry holds the policy from the same source.
pub(crate) fn is_recorded(view: &View<'_>, loaded: &Loaded, here: Option<&str>) -> Result<bool, StoreError> {
    let mut found = false;
    view.policy(&loaded.used.digest, &mut |entry: &Entry| {
        found = holds(entry, loaded, here);
        if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(found)
}

/// Whether `entry` holds the policy from the same source, and not for another repository.
fn holds(entry: &Entry, loaded: &Loaded, here: Option<&str>) -> bool {
    let of = |member: &str| entry.data.get(member).and_then(|held| held.as_str());
    let is = |member: &str, value: &str| of(member) == Some(value);
    let is_whole = |data: PolicyData| policy_text::digest_of(&data.text, &data.files) == loaded.used.digest;
    is("digest", &loaded.used.digest)
        && is("source", &loaded.used.source)
        && !is_elsewhere(of("repository"), here)
        && records::data(entry).is_ok_and(is_whole)
}
