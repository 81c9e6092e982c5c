//! The openings beside the chain: each must fit its commitment, and an entry must have made that.
//!
//! An opening that is missing is no defect, for it may have been erased; one too many, or a changed one, is. Where
//! the entry that an opening was recorded with was moved to an archive, only the commitment is checked.

use rusqlite::{Connection, OptionalExtension};

use super::tally::Tally;
use crate::chain::Bad;
use crate::store::{StoreError, walk_openings};

/// Checks every opening.
pub(super) fn check(connection: &Connection, tally: &mut Tally<'_>) -> Result<(), StoreError> {
    let mut bodies = connection.prepare(include_str!("../store/sql/entry.sql"))?;
    walk_openings(connection, &mut |found| {
        let kept = match found {
            Ok(kept) => kept,
            Err(StoreError::Opening(commitment)) => {
                tally.bad(&Bad::Opening(commitment, "does not match it"));
                return Ok(());
            }
            Err(StoreError::Private) => {
                tally.bad(&Bad::Private);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let seq = i64::try_from(kept.seq).unwrap_or(i64::MAX);
        let body: Option<String> = bodies.query_row([seq], |row| row.get(1)).optional()?;
        if body.is_some_and(|body| !body.contains(&kept.commitment.to_string())) {
            tally.bad(&Bad::Opening(kept.commitment, "belongs to no commitment of its entry"));
        }
        Ok(())
    })
}
