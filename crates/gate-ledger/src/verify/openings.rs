//! The openings beside the chain: each must fit its commitment, and an entry must have made that.
//!
//! An opening that is missing is no defect, for it may have been erased; one too many, or a changed one, is. Where
//! the entry that an opening was recorded with was moved to an archive, only the commitment is checked.

use rusqlite::{Connection, OptionalExtension};

use super::tally::Tally;
use crate::chain::Bad;
use crate::store::{KeptOpening, StoreError, walk_openings};

/// Checks every opening.
pub(super) fn check(connection: &Connection, tally: &mut Tally<'_>) -> Result<(), StoreError> {
    let mut origins = connection.prepare(include_str!("../store/sql/opening_origin.sql"))?;
    walk_openings(connection, &mut |found| {
        let kept = match found {
            Ok(kept) => kept,
            Err(StoreError::Opening(commitment)) => {
                tally.bad(&Bad::Opening(commitment, "does not match it"));
                return Ok(());
            }
            Err(StoreError::OpeningTooLong { commitment, seq }) => {
                tally.bad(&Bad::OpeningTooLong(commitment, seq));
                return Ok(());
            }
            Err(StoreError::Private) => {
                tally.bad(&Bad::Private);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let seq = i64::try_from(kept.seq).unwrap_or(i64::MAX);
        let origin =
            origins.query_row([seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        if let Some(defect) = origin.and_then(|origin| contradiction(&kept, &origin)) {
            tally.bad(&Bad::Opening(kept.commitment, defect));
        }
        Ok(())
    })
}

/// How an opening contradicts its entry, of which body, the first of its life, and actor are given.
fn contradiction(kept: &KeptOpening, (body, id, actor): &(String, i64, String)) -> Option<&'static str> {
    if !body.contains(&kept.commitment.to_string()) {
        return Some("belongs to no commitment of its entry");
    }
    let same = u64::try_from(*id) == Ok(kept.id) && *actor == kept.actor;
    (!same).then_some("names another opt-out or another actor than its entry")
}
