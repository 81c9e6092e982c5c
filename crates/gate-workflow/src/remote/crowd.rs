//! How many others write to a remote just now, as the newest entries of the ledger show.
//!
//! Where only the order of pushes decides who is first, whoever comes anew and tries at once is first again and again,
//! while those who lost pause longer and longer. So everybody draws their pause from one measure that all of them see:
//! how often the others recorded something a moment ago. Whoever comes anew waits the longer, the more they had their turn
//! themselves; whoever writes alone finds nothing of others, and never pauses.

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
/// The span for each time that others wrote, in looks; and how many times as long it is for whoever comes anew.
const SHARE: u32 = 2;
const NEWCOMER: u32 = 2;
/// The longest span: so long, or so many looks where that is longer.
const LONGEST_SPAN: Duration = Duration::from_secs(8);
const LONGEST_LOOKS: u32 = 8;
/// Whoever has been trying for so long draws from a quarter of the span.
const OLD: Duration = Duration::from_secs(15);

/// Those who write at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Crowd {
    /// How long a look at the remote takes.
    look: Duration,
    /// How often others wrote a moment ago, and how often this machine did.
    others: u32,
    own: u32,
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
        let mut newest = Vec::with_capacity(NEWEST);
        view.scan(0, None, true, &mut |entry: Entry| {
            newest.push((entry.at.micros(), own.0.contains(&entry.seq)));
            if newest.len() < NEWEST { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(Self::of(&newest, look, now.micros()))
    }

    /// The same of the entries' times in microseconds, the newest first, and whether they are our own.
    fn of(newest: &[(i64, bool)], look: Duration, now: i64) -> Self {
        let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        let moment = micros((look * LOOKS).clamp(SHORTEST, LONGEST));
        let mut crowd = Self { look, others: 0, own: 0 };
        let mut last = None;
        for (at, is_own) in newest.iter().filter(|(at, _)| now.abs_diff(*at) <= moment.unsigned_abs()) {
            // What was sent at once was recorded at once: it is one turn, however many entries it has.
            let is_same_turn =
                last.is_some_and(|last: i64| last.abs_diff(*at) < micros(look / 4).unsigned_abs());
            last = Some(*at);
            match (is_same_turn, is_own) {
                (true, _) => {}
                (false, true) => crowd.own += 1,
                (false, false) => crowd.others += 1,
            }
        }
        crowd
    }

    /// Whether anybody else wrote a moment ago.
    pub(super) const fn is_there(self) -> bool {
        self.others > 0
    }

    /// What the pause of whoever comes anew is drawn from: those who have been trying go first.
    pub(super) fn newcomer(self) -> Duration {
        let span = self.look * SHARE * self.others * NEWCOMER * (1 + self.own);
        span.clamp(self.look * 2, self.longest() * NEWCOMER)
    }

    /// What the next pause is drawn from, for whoever has been trying for `age`: who came first waits less.
    pub(super) fn span(self, age: Duration) -> Duration {
        let span = (self.look * SHARE * self.others).clamp(self.look * 2, self.longest());
        span.mul_f64(1.0 - 0.75 * (age.as_secs_f64() / OLD.as_secs_f64()).min(1.0))
    }

    fn longest(self) -> Duration {
        LONGEST_SPAN.max(self.look * LONGEST_LOOKS)
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

    const LOOK: Duration = Duration::from_millis(50);

    fn crowd(others: u32, own: u32) -> Crowd {
        Crowd { look: LOOK, others, own }
    }

    #[test]
    fn turns_of_the_last_moment_are_counted_and_a_batch_is_one() {
        let now = 100_000_000;
        let at = |millis_ago: i64| now - millis_ago * 1000;
        assert_eq!(Crowd::of(&[], LOOK, now), crowd(0, 0));
        let alone = [(at(100), true), (at(200), true)];
        assert_eq!(Crowd::of(&alone, LOOK, now), crowd(0, 2));
        let batch: Vec<_> = (0..60).map(|n| (at(500) - n, false)).chain([(at(900), true)]).collect();
        assert_eq!(Crowd::of(&batch, LOOK, now), crowd(1, 1));
        let others = [(at(100), false), (at(300), false), (at(1900), false), (at(2100), false)];
        assert_eq!(Crowd::of(&others, LOOK, now), crowd(3, 0), "two seconds are a moment");
        // A clock that is far off says nothing.
        assert_eq!(Crowd::of(&[(at(-60_000), false)], LOOK, now), crowd(0, 0));
    }

    #[test]
    fn the_span_follows_how_many_others_there_are_and_shrinks_with_age() {
        let young = |crowd: Crowd| crowd.span(Duration::ZERO);
        assert_eq!(young(crowd(0, 0)), LOOK * 2, "at least what an attempt takes");
        assert_eq!(young(crowd(4, 0)), Duration::from_millis(400));
        assert_eq!(crowd(4, 0).newcomer(), Duration::from_millis(800));
        assert_eq!(crowd(4, 2).newcomer(), Duration::from_millis(2400), "who had two turns of late");
        let slow = Crowd { look: Duration::from_secs(2), others: 60, own: 60 };
        assert_eq!((young(slow), slow.newcomer()), (LONGEST_SPAN * 2, LONGEST_SPAN * 4));
        assert_eq!(crowd(4, 0).span(Duration::from_millis(7500)), Duration::from_millis(250));
        assert_eq!(crowd(4, 0).span(Duration::from_mins(1)), Duration::from_millis(100));
    }
}
