//! The openings beside the chain: each must fit its commitment, and an entry must have made that.
//!
//! An opening that is missing is no defect, for it may have been erased; one too many, or a changed one, is. Where
//! the entry that an opening was recorded with was moved to an archive, only the commitment is checked. Where it is not
//! there at all the end was cut off, or somebody added a row: text without a chain is told of, and proves nothing.
//!
//! Both indexes must lead to every row and hold no more: whoever erases or reveals text by them would miss it.

use rusqlite::{Connection, OptionalExtension};

use super::tally::Tally;
use crate::chain::Bad;
use crate::store::{KeptOpening, StoreError, scan_openings};

/// Checks every opening, and the indexes of their table.
pub(super) fn check(connection: &Connection, tally: &mut Tally<'_>) -> Result<(), StoreError> {
    rows(connection, tally)?;
    // What a row of any size holds is read only once each is known to be an opening.
    if tally.is_good() {
        indexes(connection, tally)?;
    }
    Ok(())
}

fn indexes(connection: &Connection, tally: &mut Tally<'_>) -> Result<(), StoreError> {
    let sql = include_str!("../store/sql/opening_indexes.sql");
    let found: [bool; 4] =
        connection.query_row(sql, [], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))?;
    let places = ["private_commitment", "private_commitment", "private_name", "private_name"];
    let defects = ["it does not lead to every opening", "it holds openings that no row accounts for"];
    for ((is_good, index), defect) in found.into_iter().zip(places).zip(defects.into_iter().cycle()) {
        if !is_good {
            tally.bad(&Bad::Index { index, defect });
        }
    }
    Ok(())
}

fn rows(connection: &Connection, tally: &mut Tally<'_>) -> Result<(), StoreError> {
    let mut origins = connection.prepare(include_str!("../store/sql/opening_origin.sql"))?;
    scan_openings(connection, &mut |found| {
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
        match origin {
            None => tally.opening_alone(kept.seq),
            Some(origin) => {
                if let Some(defect) = contradiction(&kept, &origin) {
                    tally.bad(&Bad::Opening(kept.commitment, defect));
                }
            }
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
