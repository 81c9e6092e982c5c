//! Whether what an index found belongs there: the bodies say, and an index that somebody edited is an error.

use std::ops::ControlFlow;

use super::Each;
use crate::entry::{Entry, Kind};
use crate::store::StoreError;

/// Whether `entry` is of `kind` and, where one is given, of `gate`.
pub(super) fn is(entry: &Entry, kind: Kind, gate: Option<&str>) -> bool {
    entry.kind == kind && gate.is_none_or(|gate| entry.gate.as_deref() == Some(gate))
}

/// Whether the time that `member` of the entry's data says is after `now`. One that is not a text cannot be compared; it
/// sorts somewhere in the index, and nothing that anybody may use has it.
pub(super) fn later(entry: &Entry, member: &str, now: &str) -> bool {
    entry.data[member].as_str().is_some_and(|time| time > now)
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
