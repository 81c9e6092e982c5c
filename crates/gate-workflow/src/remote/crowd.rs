//! How many others write to a remote just now, as the newest entries of the ledger show.
//!
//! Where only the order of pushes decides who is first, whoever comes anew and tries at once is first again and again,
//! while those who lost pause longer and longer. So everybody draws their pause from one measure that all of them see:
//! how much the others recorded a moment ago. Whoever writes alone finds nothing of others, and never pauses.

use std::ops::ControlFlow;
use std::time::Duration;

use gate_ledger::entry::Entry;
use gate_ledger::store::{StoreError, Turn, View};
use gate_model::time::Timestamp;

/// A moment ago: so many times what a look at the remote takes, within these bounds.
const LOOKS: u32 = 40;
const SHORTEST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_mins(1);
/// How many of the newest entries are looked at, and how many of our own are known again.
const NEWEST: usize = 64;
/// The span for each entry of others, in looks; how many times as long it is for whoever comes anew; and the longest
/// span.
const SHARE: u32 = 2;
const NEWCOMER: u32 = 4;
const LONGEST_SPAN: Duration = Duration::from_secs(8);

/// Those who write at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Crowd {
    /// How long a look at the remote takes.
    look: Duration,
    /// Entries that others recorded a moment ago.
    others: u32,
}

impl Crowd {
    /// What `view` shows at `now`, where a look at the remote takes `look`; `own` are the positions of this machine's
    /// newest entries.
    ///
    /// # Errors
    /// A [`StoreError`].
    pub(super) fn seen(
        view: &View<'_>,
        own: &Own,
        look: Duration,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let span = (look * LOOKS).clamp(SHORTEST, LONGEST).as_micros();
        let (mut others, mut left) = (0, NEWEST);
        view.scan(0, None, true, &mut |entry: Entry| {
            left -= 1;
            let age = u128::from(now.micros().abs_diff(entry.at.micros()));
            others += u32::from(age <= span && !own.0.contains(&entry.seq));
            if left == 0 || age > span { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(Self { look, others })
    }

    /// Whether anybody else wrote a moment ago.
    pub(super) const fn is_there(self) -> bool {
        self.others > 0
    }

    /// What the pause of whoever comes anew is drawn from: those who have been trying go first.
    pub(super) fn newcomer(self) -> Duration {
        self.span(Duration::ZERO) * NEWCOMER
    }

    /// What the next pause is drawn from, for whoever has been trying for `age`: who came first waits less.
    pub(super) fn span(self, age: Duration) -> Duration {
        const OLD: f64 = 20.0;
        let span = (self.look * SHARE * self.others).clamp(self.look * 2, LONGEST_SPAN.max(self.look * 2));
        span.mul_f64((1.0 - age.as_secs_f64() / OLD).max(0.25))
    }
}

/// The positions of the newest entries that processes of this machine recorded, which they tell each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Own(Vec<u64>);

impl Own {
    pub(super) fn read(turn: &Turn) -> Self {
        Self(turn.note().split_whitespace().filter_map(|word| word.parse().ok()).collect())
    }

    /// Adds `new`, and tells whoever comes next.
    pub(super) fn add(mut self, new: impl IntoIterator<Item = u64>, turn: &Turn) {
        self.0.extend(new);
        let first = self.0.len().saturating_sub(NEWEST);
        let words: Vec<_> = self.0[first..].iter().map(u64::to_string).collect();
        turn.leave(&words.join(" "));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Crowd, LONGEST_SPAN};

    #[test]
    fn the_span_follows_how_many_others_there_are_and_shrinks_with_age() {
        let crowd = |millis, others| Crowd { look: Duration::from_millis(millis), others };
        let young = |crowd: Crowd| crowd.span(Duration::ZERO);
        assert_eq!(young(crowd(50, 0)), Duration::from_millis(100), "at least what an attempt takes");
        assert_eq!(young(crowd(50, 4)), Duration::from_millis(400));
        assert_eq!(crowd(50, 4).newcomer(), Duration::from_millis(1600));
        assert_eq!(young(crowd(500, 60)), LONGEST_SPAN);
        assert_eq!(young(crowd(5_000, 1)), Duration::from_secs(10), "a slow remote");
        assert_eq!(crowd(50, 4).span(Duration::from_secs(10)), Duration::from_millis(200));
        assert_eq!(crowd(50, 4).span(Duration::from_mins(1)), Duration::from_millis(100));
    }
}
