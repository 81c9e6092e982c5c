//! Whether what an index found belongs there: the bodies say, and an index that somebody edited is an error.

use std::ops::ControlFlow;

use super::Each;
use crate::entry::{Entry, Kind};
use crate::store::StoreError;

/// Whether `entry` is of `kind` and, where one is given, of `gate`.
pub(super) fn is(entry: &Entry, kind: Kind, gate: Option<&str>) -> bool {
    entry.kind == kind && gate.is_none_or(|gate| entry.gate.as_deref() == Some(gate))
}

/// Whether a grant ends after `now`. A time that is not a text has no end that could be compared; it sorts
/// somewhere in the index, and is no grant that anybody may use.
pub(super) fn ends_after(grant: &Entry, now: &str) -> bool {
    grant.data["expires"].as_str().is_some_and(|expires| expires > now)
}

/// `found`, if all of it belongs to the index that found it.
pub(super) fn confirm(
    found: Vec<Entry>,
    index: &'static str,
    belongs: impl Fn(&Entry) -> bool,
) -> Result<Vec<Entry>, StoreError> {
    match found.iter().find(|entry| !belongs(entry)) {
        Some(entry) => Err(StoreError::OutOfStep { index, seq: entry.seq }),
        None => Ok(found),
    }
}

/// The same for a walk.
pub(super) fn confirming<'e>(
    index: &'static str,
    belongs: impl Fn(&Entry) -> bool + 'e,
    each: Each<'e>,
) -> impl FnMut(Entry) -> Result<ControlFlow<()>, StoreError> + 'e {
    move |entry| {
        if belongs(&entry) { Ok(each(&entry)) } else { Err(StoreError::OutOfStep { index, seq: entry.seq }) }
    }
}
