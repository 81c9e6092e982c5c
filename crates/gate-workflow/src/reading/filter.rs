//! Which entries somebody wants to see.

use gate_ledger::chain::Facts;
use gate_ledger::entry::Kind;
use gate_ledger::store::StoreError;
use gate_model::action::Action;
use gate_model::time::{DurationError, TimeError, Timestamp, parse_duration};

use super::record::Record;

/// A span of time, both ends included. A missing end is open.
///
/// Entries claim their times, and a clock may have gone back, so a span is compared with every entry and
/// never searched for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Period {
    /// The earliest time, in the one written form of an entry's `at`, which sorts as time does.
    since: Option<String>,
    /// The latest time.
    until: Option<String>,
}

impl Period {
    /// The span from `since` to `until`.
    pub fn new(since: Option<Timestamp>, until: Option<Timestamp>) -> Self {
        Self { since: since.map(|time| time.to_string()), until: until.map(|time| time.to_string()) }
    }

    /// Whether the entry's time lies within it.
    pub fn holds(&self, facts: &Facts) -> bool {
        let at = facts.at.as_slice();
        self.since.as_ref().is_none_or(|since| at >= since.as_bytes())
            && self.until.as_ref().is_none_or(|until| at <= until.as_bytes())
    }
}

/// A time as people write it on a command line: an instant, or how long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// An instant.
    At(Timestamp),
    /// So many seconds before now.
    Ago(u64),
}

/// A text that is neither an instant nor a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhenError {
    /// It starts like an instant.
    #[error("{0}")]
    Time(TimeError),
    /// It does not.
    #[error("{0}, meaning so long ago, or an instant such as 2026-11-22T16:30:35Z")]
    Duration(DurationError),
}

impl When {
    /// Reads `2026-11-22T16:30:35Z`, or `30d` for thirty days ago.
    ///
    /// # Errors
    /// A [`WhenError`] that says what is missing.
    pub fn parse(text: &str) -> Result<Self, WhenError> {
        match parse_duration(text) {
            Ok(seconds) => Ok(Self::Ago(seconds)),
            Err(not_a_duration) => Timestamp::parse(text).map(Self::At).map_err(|error| match error {
                TimeError::Shape(_) if !text.contains('-') || text.starts_with('-') => {
                    WhenError::Duration(not_a_duration)
                }
                error => WhenError::Time(error),
            }),
        }
    }

    /// The instant, seen from `now`.
    #[must_use]
    pub fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Ago(seconds) => now.minus(seconds),
        }
    }
}

/// What an entry must be to be shown: every condition holds, and of a list any one word fits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Its gate.
    pub gates: Vec<String>,
    /// Its kind.
    pub kinds: Vec<Kind>,
    /// Its actor's id, literally.
    pub actors: Vec<String>,
    /// What it asks for, ends or rests on; see [`super::record::Brief::concerns`].
    pub actions: Vec<Action>,
    /// Its time.
    pub period: Period,
    /// The opt-out in whose life it is: the entry itself, those whose `ref` it is, and the decisions that
    /// used it.
    pub id: Option<u64>,
}

impl Filter {
    /// Whether `record` is to be shown.
    ///
    /// # Errors
    /// A [`StoreError`] for an entry that cannot be read.
    pub fn admits(&self, record: &Record<'_>) -> Result<bool, StoreError> {
        let facts = &record.facts;
        let by_facts = self.period.holds(facts)
            && (self.kinds.is_empty() || self.kinds.contains(&facts.kind))
            && (self.gates.is_empty() || facts.has_gate);
        let by_life = self.id.is_none_or(|id| facts.seq == id || facts.reference == Some(id));
        let may_use = !by_life && facts.kind == Kind::Decision;
        if !by_facts || !(by_life || may_use) {
            return Ok(false);
        }
        if by_life && self.gates.is_empty() && self.actors.is_empty() && self.actions.is_empty() {
            return Ok(true);
        }
        let brief = record.brief()?;
        let any = |words: &[String], word: Option<&str>| {
            words.is_empty() || word.is_some_and(|word| words.iter().any(|wanted| wanted == word))
        };
        Ok((by_life || brief.grants().any(|id| Some(id) == self.id))
            && any(&self.gates, brief.gate())
            && any(&self.actors, Some(brief.actor()))
            && (self.actions.is_empty() || self.actions.iter().any(|action| brief.concerns(*action))))
    }

    /// The first position at which an entry can fit: nothing in an opt-out's life comes before it.
    pub fn first(&self) -> u64 {
        self.id.unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::{When, WhenError};
    use gate_model::time::Timestamp;

    #[test]
    fn a_time_is_an_instant_or_how_long_ago() {
        let now = Timestamp::parse("2026-11-22T16:30:35Z").unwrap();
        let at = |text: &str| When::parse(text).unwrap().from(now).to_string();
        assert_eq!(at("1d"), "2026-11-21T16:30:35.000000Z");
        assert_eq!(at("2026-01-02T03:04:05+01:00"), "2026-01-02T02:04:05.000000Z");
    }

    #[test]
    fn each_way_to_get_a_time_wrong_says_what_is_missing() {
        let wrong = |text: &str| When::parse(text).unwrap_err();
        assert!(matches!(wrong("2026-01-02"), WhenError::Time(_)));
        assert!(matches!(wrong("2026-01-02 03:04:05"), WhenError::Time(_)));
        assert!(matches!(wrong("30"), WhenError::Duration(_)));
        assert!(matches!(wrong("-1d"), WhenError::Duration(_)));
        assert!(wrong("yesterday").to_string().contains("so long ago, or an instant"));
    }
}
