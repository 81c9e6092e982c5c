//! Counts by day, and days as slots of a chart.

use std::collections::BTreeMap;

use gate_model::time::Timestamp;

const SECONDS: i64 = 86_400;
/// More slots than this are too narrow to be seen.
const MAX_SLOTS: u64 = 60;

/// The day of an instant, counted from 1970-01-01 (UTC).
pub(super) fn day_of(at: Timestamp) -> i64 {
    at.micros().div_euclid(1_000_000 * SECONDS)
}

/// How often each of `N` things happened on each day.
pub(super) struct Days<const N: usize>(BTreeMap<i64, [u64; N]>);

impl<const N: usize> Default for Days<N> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<const N: usize> Days<N> {
    /// Counts `thing` once more on `day`.
    pub(super) fn add(&mut self, day: i64, thing: usize) {
        self.0.entry(day).or_insert([0; N])[thing] += 1;
    }

    /// Adds the counts to those of `slots`.
    pub(super) fn pour(&self, slots: &Slots, into: &mut [[u64; N]]) {
        for (day, counts) in &self.0 {
            let Some(slot) = slots.of(*day).and_then(|slot| into.get_mut(slot)) else { continue };
            slot.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
    }

    /// The sums of each slot over all things.
    pub(super) fn sums(&self, slots: &Slots) -> Vec<u64> {
        let mut by_thing = vec![[0; N]; slots.count];
        self.pour(slots, &mut by_thing);
        by_thing.iter().map(|counts| counts.iter().sum()).collect()
    }

    /// The first and the last day that has a count.
    pub(super) fn ends(&self) -> Option<(i64, i64)> {
        Some((*self.0.first_key_value()?.0, *self.0.last_key_value()?.0))
    }
}

/// Stretches of days, of one length each, without a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slots {
    first: i64,
    pub days: u64,
    pub count: usize,
}

impl Slots {
    /// Slots from the day `first` to the day `last`: days, weeks from Monday, or whole numbers of weeks, so that
    /// they can be told apart in a chart.
    pub(super) fn over(first: i64, last: i64) -> Self {
        let span = u64::try_from(last - first).unwrap_or(0) + 1;
        if span <= MAX_SLOTS {
            return Self { first, days: 1, count: usize::try_from(span).unwrap_or(1) };
        }
        // 1970-01-01 was a Thursday.
        let monday = first - (first + 3).rem_euclid(7);
        let span = u64::try_from(last - monday).unwrap_or(0) + 1;
        let weeks = [1, 4, 13, 52].into_iter().find(|weeks| span.div_ceil(weeks * 7) <= MAX_SLOTS);
        let days = weeks.unwrap_or_else(|| span.div_ceil(MAX_SLOTS * 7)) * 7;
        Self { first: monday, days, count: usize::try_from(span.div_ceil(days)).unwrap_or(1) }
    }

    fn of(&self, day: i64) -> Option<usize> {
        let days = u64::try_from(day - self.first).ok()?;
        usize::try_from(days / self.days).ok()
    }

    /// The first day of each, `2026-11-23`.
    pub(super) fn starts(&self) -> Vec<String> {
        let step = i64::try_from(self.days).unwrap_or(i64::MAX);
        let starts = (0..self.count).map(|slot| self.first + i64::try_from(slot).unwrap_or(0) * step);
        starts.map(written).collect()
    }
}

fn written(day: i64) -> String {
    let seconds = day.unsigned_abs().saturating_mul(SECONDS.unsigned_abs());
    let start = Timestamp::parse("1970-01-01T00:00:00Z").ok();
    let start =
        start.and_then(|epoch| if day < 0 { Some(epoch.minus(seconds)) } else { epoch.plus(seconds) });
    start.map_or_else(String::new, |start| start.to_string().chars().take(10).collect())
}

#[cfg(test)]
mod tests {
    use super::{Days, Slots};

    #[test]
    fn slots_are_days_then_weeks_from_monday_then_more() {
        // 2026-11-22 was a Sunday: day 20779.
        let days = Slots::over(20_779, 20_779 + 59);
        assert_eq!((days.days, days.count), (1, 60));
        assert_eq!(days.starts()[..2], ["2026-11-22", "2026-11-23"]);
        let weeks = Slots::over(20_779, 20_779 + 60);
        assert_eq!((weeks.days, weeks.count), (7, 10));
        assert_eq!(weeks.starts()[0], "2026-11-16");
        for years in [2, 5, 10, 100, 8_000] {
            let slots = Slots::over(20_779, 20_779 + years * 365);
            assert!(slots.count <= 60, "{years} years: {}", slots.count);
            assert!(slots.of(20_779 + years * 365).is_some_and(|last| last < slots.count));
        }
    }

    #[test]
    fn counts_are_poured_into_their_slots() {
        let mut days = Days::<2>::default();
        for (day, thing) in [(20_779, 0), (20_779, 1), (20_780, 1), (20_900, 0)] {
            days.add(day, thing);
        }
        assert_eq!(days.ends(), Some((20_779, 20_900)));
        let slots = Slots::over(20_779, 20_780);
        assert_eq!(days.sums(&slots), [2, 1], "what lies outside is not counted");
    }
}
