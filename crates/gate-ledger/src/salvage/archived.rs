//! What is missing because it was archived.
//!
//! The newest statement that was saved is believed as every other saved entry is: salvage proves nothing, and whoever
//! verifies what it wrote judges the statement too.

use memchr::memmem;

use super::{Loss, Why};
use crate::archive::Statement;
use crate::entry::Entry;

/// The statement in `body`, if it is an entry that holds one.
pub(super) fn statement(body: &[u8]) -> Option<Statement> {
    memmem::find(body, b"\"kind\":\"archive\"")?;
    Statement::of(&Entry::from_body(body).ok()?).ok()
}

/// Takes the positions that `statement` accounts for out of `lost` and returns how many they are.
pub(super) fn excuse(statement: &Statement, lost: &mut Vec<Loss>) -> u64 {
    let mut archived = 0;
    let mut left = Vec::new();
    for loss in lost.drain(..) {
        if loss.why != Why::Missing || loss.first >= statement.before {
            left.push(loss);
            continue;
        }
        let end = statement.before.min(loss.last + 1);
        let kept = statement.kept.iter().map(|kept| kept.seq).filter(|seq| (loss.first..end).contains(seq));
        let before = left.len();
        left.extend(kept.map(|seq| Loss { first: seq, last: seq, why: Why::Missing }));
        archived += end - loss.first - (left.len() - before) as u64;
        if loss.last >= end {
            left.push(Loss { first: end, ..loss });
        }
    }
    *lost = left;
    archived
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Loss, Why, excuse};
    use crate::archive::Statement;

    fn statement(before: u64, kept: &[u64]) -> Statement {
        let hash = format!("b3:{}", "0".repeat(64));
        let kept: Vec<_> = kept.iter().map(|seq| json!({"seq": seq, "hash": hash})).collect();
        let head = json!({"seq": before - 1, "hash": hash});
        let data = json!({
            "before": before, "head": head, "checkpoint": "", "range": [], "kept": kept, "segments": [],
        });
        serde_json::from_value(data).unwrap()
    }

    const fn missing(first: u64, last: u64) -> Loss {
        Loss { first, last, why: Why::Missing }
    }

    #[test]
    fn what_an_archive_holds_is_not_lost() {
        let mut lost = vec![missing(2, 9)];
        assert_eq!((excuse(&statement(10, &[0, 1]), &mut lost), lost), (8, vec![]));
    }

    #[test]
    fn what_was_kept_and_what_came_later_is_lost_all_the_same() {
        let damaged = Loss { first: 3, last: 3, why: Why::Bad("hash") };
        let mut lost = vec![missing(1, 2), damaged, missing(8, 12)];
        assert_eq!(excuse(&statement(10, &[0, 1]), &mut lost), 3);
        assert_eq!(lost, [missing(1, 1), damaged, missing(10, 12)]);
    }
}
