//! When a verdict can have been made, as far as the entries around it show.
//!
//! A verdict says at which instant it was made, and is judged again at that instant. Here is what speaks against it.
//!
//! A transaction reads the clock when it begins, and takes the newest entry's time where that is later; this
//! is its *now*. The `at` of an entry is read again when it is appended. So the now of a verdict lies in an
//! interval: not before the entry that was newest when its transaction began, not after its own `at` (unless
//! the newest entry's time was later), and no longer before that `at` than a transaction takes.
//!
//! Entries of one transaction follow each other: a policy entry before the verdict that needs it, an approval
//! before the grant that it completes, a grant before the end of what it renews, revocations in a row, requests that were
//! imported together with their answers. Which of them share one cannot be seen, so the interval is wide enough for both.

use gate_ledger::entry::Kind;
use gate_model::time::Timestamp;

/// The longest that a transaction takes from its now to its last entry, in seconds.
const LONGEST: u64 = 10;

/// The interval in which the now of a verdict lies, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The earliest instant.
    pub earliest: Timestamp,
    /// The latest instant.
    pub latest: Timestamp,
}

impl Moment {
    /// Whether `now` can have been the instant.
    ///
    /// # Errors
    /// Why not, as a sentence's end.
    pub fn includes(&self, now: Timestamp) -> Result<(), String> {
        let Self { earliest, latest } = self;
        if (earliest..=latest).contains(&&now) {
            return Ok(());
        }
        Err(format!(
            "says that it was judged at {now}, and stands where that was from {earliest} to {latest}"
        ))
    }
}

/// The times of the entries so far.
#[derive(Debug, Default)]
pub struct Clock {
    previous: Option<(Kind, Timestamp, Moment)>,
}

impl Clock {
    /// When the verdict in an entry of `kind`, appended at `at`, was made.
    pub fn moment(&self, kind: Kind, at: Timestamp) -> Moment {
        // Behind an archive nothing shows what was newest then; a transaction still takes no longer than that.
        let Some((before, head, moment)) = self.previous else {
            return Moment { earliest: at.minus(LONGEST), latest: at };
        };
        let (mut earliest, mut latest) = (head, at.max(head));
        if may_share(before, kind) {
            earliest = earliest.min(moment.earliest);
            latest = latest.max(moment.latest);
        }
        Moment { earliest: earliest.max(at.minus(LONGEST)).min(latest), latest }
    }

    /// Takes note of the entry that `moment` belongs to.
    pub fn pass(&mut self, kind: Kind, at: Timestamp, moment: Moment) {
        self.previous = Some((kind, at, moment));
    }
}

/// Whether one transaction can have written an entry of kind `before` and then one of `kind`.
fn may_share(before: Kind, kind: Kind) -> bool {
    match before {
        Kind::Policy => true,
        Kind::Approval => matches!(kind, Kind::Grant | Kind::Denial),
        Kind::Revocation => kind == Kind::Revocation,
        Kind::Grant => matches!(kind, Kind::Grant | Kind::Request | Kind::Revocation),
        Kind::Request => matches!(kind, Kind::Grant | Kind::Request),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use gate_ledger::entry::Kind;
    use gate_model::time::Timestamp;

    use super::{Clock, Moment};

    fn at(second: u64) -> Timestamp {
        Timestamp::parse("2026-11-22T10:00:00Z").unwrap().plus(second).unwrap()
    }

    fn after(entries: &[(Kind, u64)], kind: Kind, second: u64) -> Moment {
        let mut clock = Clock::default();
        for (kind, second) in entries {
            let moment = clock.moment(*kind, at(*second));
            clock.pass(*kind, at(*second), moment);
        }
        clock.moment(kind, at(second))
    }

    #[test]
    fn a_transaction_does_not_reach_back_for_days() {
        let moment = after(&[(Kind::Note, 0)], Kind::Decision, 5_000);
        assert_eq!(moment, Moment { earliest: at(4_990), latest: at(5_000) });
    }

    #[test]
    fn the_newest_entry_bounds_the_instant_from_below() {
        let moment = after(&[(Kind::Note, 4_997)], Kind::Decision, 5_000);
        assert_eq!(moment, Moment { earliest: at(4_997), latest: at(5_000) });
    }

    #[test]
    fn a_clock_that_went_back_is_overruled_by_the_newest_entry() {
        let moment = after(&[(Kind::Note, 9_000)], Kind::Decision, 5_000);
        assert_eq!(moment, Moment { earliest: at(9_000), latest: at(9_000) });
        let next = after(&[(Kind::Note, 9_000), (Kind::Decision, 5_000)], Kind::Grant, 5_001);
        assert_eq!(next, Moment { earliest: at(5_000), latest: at(5_001) });
    }

    #[test]
    fn a_policy_entry_of_the_same_transaction_does_not_hide_the_head_before_it() {
        let entries = [(Kind::Note, 9_000), (Kind::Policy, 5_000)];
        assert_eq!(after(&entries, Kind::Grant, 5_000).includes(at(9_000)), Ok(()));
        assert!(after(&entries[..1], Kind::Grant, 5_000).includes(at(5_000)).is_err());
    }

    #[test]
    fn requests_that_were_answered_together_share_their_instant() {
        let together = [(Kind::Note, 4_990), (Kind::Grant, 4_999), (Kind::Request, 5_000)];
        assert_eq!(after(&together, Kind::Grant, 5_001).includes(at(4_995)), Ok(()));
        assert!(after(&together, Kind::Decision, 5_001).includes(at(4_995)).is_err());
    }
}
