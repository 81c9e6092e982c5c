//! Instants and durations.
//!
//! An instant is UTC with microseconds and is written with six digits, `2026-11-22T16:30:35.123456Z`: all
//! writings have one length, so that they sort as text, and no database rounds them. A duration is a whole
//! number of seconds, written as people write it (`4h`, `14d`).

use chrono::{DateTime, Datelike, SubsecRound, TimeDelta, Timelike, Utc};
use serde::{Deserialize, Serialize};

/// The longest duration accepted anywhere, in seconds: ten years of 365.25 days, which is what `10y` is read as.
pub const MAX_SECONDS: u64 = 10 * 31_557_600;

/// An instant in UTC, whole microseconds, years 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(DateTime<Utc>);

/// Why a text is not an instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not RFC 3339 at all.
    #[error("'{0}' is not a time; write it as 2026-11-22T16:30:35Z")]
    Shape(String),
    /// A date alone: which instant of the day, and in which zone?
    #[error("'{0}' is a date without a time; write the instant, as in {0}T00:00:00Z")]
    DateOnly(String),
    /// A date with a year of two digits, or a month or day of one.
    #[error(
        "'{0}' is not a date; write four digits of the year and two of month and day, as in 2026-11-22T00:00:00Z"
    )]
    ShortDate(String),
    /// A time without a zone would mean another instant on another machine.
    #[error("'{0}' has no time zone; add Z for UTC, or an offset such as +01:00")]
    NoZone(String),
    /// A 60th second: UTC's leap seconds are not counted by computers' clocks.
    #[error("'{0}' names a leap second, which clocks do not count; write the second before or after it")]
    LeapSecond(String),
    /// A year outside 1 to 9999.
    #[error("'{0}' is outside the years 0001 to 9999")]
    Year(String),
    /// Quotes that a shell or a file was meant to take off.
    #[error("{0} has quotes in it; write the time without them")]
    Quoted(String),
}

impl Timestamp {
    /// The instant of `time`, cut to whole microseconds. `None` outside the years 1 to 9999.
    pub fn new(time: DateTime<Utc>) -> Option<Self> {
        let cut = time.trunc_subsecs(6);
        ((1..=9999).contains(&cut.year()) && cut.nanosecond() < 1_000_000_000).then_some(Self(cut))
    }

    /// Reads what a person or a document wrote: RFC 3339 with `Z` or an offset.
    ///
    /// # Errors
    /// A [`TimeError`] that says what is missing.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let given = || text.to_owned();
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            if time.nanosecond() >= 1_000_000_000 {
                return Err(TimeError::LeapSecond(given()));
            }
            return Self::new(time.with_timezone(&Utc)).ok_or_else(|| TimeError::Year(given()));
        }
        let year_digits = text.bytes().take_while(u8::is_ascii_digit).count();
        if chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok() {
            // RFC 3339 has four digits of year and two of the others, which is what the advice must have.
            let whole = year_digits == 4 && text.len() == 10;
            return Err(if whole { TimeError::DateOnly(given()) } else { TimeError::ShortDate(given()) });
        }
        let zoneless = text.replacen(' ', "T", 1);
        if DateTime::parse_from_rfc3339(&format!("{zoneless}Z")).is_ok() {
            return Err(TimeError::NoZone(given()));
        }
        if is_quoted(text) {
            return Err(TimeError::Quoted(given()));
        }
        if year_digits > 4 && text.as_bytes().get(year_digits) == Some(&b'-') {
            return Err(TimeError::Year(given()));
        }
        Err(TimeError::Shape(given()))
    }

    /// The instant `seconds` later; `None` past the year 9999.
    #[must_use]
    pub fn plus(self, seconds: u64) -> Option<Self> {
        let delta = TimeDelta::try_seconds(i64::try_from(seconds).ok()?)?;
        Self::new(self.0.checked_add_signed(delta)?)
    }

    /// The instant `seconds` earlier; the first of year 1 where that would be before it.
    #[must_use]
    pub fn minus(self, seconds: u64) -> Self {
        let delta = i64::try_from(seconds).ok().and_then(TimeDelta::try_seconds);
        let earlier = delta.and_then(|delta| self.0.checked_sub_signed(delta)).and_then(Self::new);
        earlier.unwrap_or(Self(DateTime::<Utc>::MIN_UTC.with_year(1).unwrap_or(self.0)))
    }

    /// Whole microseconds since 1970, negative before.
    pub fn micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// Seconds from `earlier` to `self`, rounded down; negative where `earlier` is later.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        (self.0 - earlier.0).num_seconds()
    }

    /// The instant for people, to the second: `2026-11-22T16:30:35Z`.
    pub fn to_second(self) -> String {
        self.0.format("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// The underlying value.
    pub const fn utc(self) -> DateTime<Utc> {
        self.0
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let t = &self.0;
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
            t.year(),
            t.month(),
            t.day(),
            t.hour(),
            t.minute(),
            t.second(),
            t.timestamp_subsec_micros()
        )
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimeError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.to_string()
    }
}

/// Whether a quote stands at either end.
fn is_quoted(text: &str) -> bool {
    let is_quote = |c: char| matches!(c, '"' | '\'' | '`' | '\u{2018}'..='\u{201f}');
    text.starts_with(is_quote) || text.ends_with(is_quote)
}

/// Whether it starts as a date does, `2026-11-22`.
fn is_date(text: &str) -> bool {
    text.get(..10).is_some_and(|day| chrono::NaiveDate::parse_from_str(day, "%Y-%m-%d").is_ok())
}

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not a duration.
    #[error("'{0}' is not a duration; write it as 30m, 4h or 14d")]
    Shape(String),
    /// A number without a unit.
    #[error("'{0}' has no unit; write {0}s, {0}m, {0}h or {0}d")]
    NoUnit(String),
    /// Below zero.
    #[error("'{0}' is negative; a duration is at least one second")]
    Negative(String),
    /// Nothing, or a fraction of a second.
    #[error("'{0}' is not a whole number of seconds above zero")]
    NotSeconds(String),
    /// Above [`MAX_SECONDS`].
    #[error("'{0}' is longer than ten years")]
    TooLong(String),
    /// An instant where a length of time is wanted.
    #[error("'{0}' is a date, not a duration; write how long, such as 30m, 4h or 14d")]
    Date(String),
    /// `M`, which is a month to some and is mostly meant as a minute.
    #[error("'{0}' could mean minutes or months; write m for minutes, or days")]
    Month(String),
}

/// Whether `unit`, alone, stands behind a number.
fn has_unit(text: &str, unit: &str) -> bool {
    text.split(|c: char| !c.is_alphabetic()).any(|word| word == unit)
}

/// Reads a duration as people write it (`90s`, `4h`, `14d`, `1d 12h`), in seconds above zero.
///
/// # Errors
/// A [`DurationError`] that names what is wrong.
pub fn parse_duration(text: &str) -> Result<u64, DurationError> {
    let given = || text.to_owned();
    if text.trim_start().strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    {
        return Err(DurationError::Negative(given()));
    }
    if is_date(text) {
        return Err(DurationError::Date(given()));
    }
    if has_unit(text, "M") {
        return Err(DurationError::Month(given()));
    }
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DurationError::NoUnit(given()));
    }
    let duration = match humantime::parse_duration(text) {
        Ok(duration) => duration,
        Err(humantime::DurationError::NumberOverflow) => return Err(DurationError::TooLong(given())),
        Err(_) => return Err(DurationError::Shape(given())),
    };
    if duration.subsec_nanos() != 0 || duration.is_zero() {
        return Err(DurationError::NotSeconds(given()));
    }
    if duration.as_secs() > MAX_SECONDS {
        return Err(DurationError::TooLong(given()));
    }
    Ok(duration.as_secs())
}

/// Writes a duration of `seconds` in days, hours, minutes and seconds: `14d`, `1d12h`, `90m` is `1h30m`.
pub fn format_duration(seconds: u64) -> String {
    let mut out = String::new();
    let mut rest = seconds;
    for (unit, size) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        let count = rest / size;
        if count > 0 {
            out.push_str(&format!("{count}{unit}"));
            rest %= size;
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::{DurationError, TimeError, Timestamp, format_duration, parse_duration};

    #[test]
    fn instants_are_written_with_six_digits() {
        let time = Timestamp::parse("2026-11-22T17:30:35.1234567+01:00").unwrap();
        assert_eq!(time.to_string(), "2026-11-22T16:30:35.123456Z");
        assert_eq!(
            Timestamp::parse("0001-01-01T00:00:00Z").unwrap().to_string(),
            "0001-01-01T00:00:00.000000Z"
        );
        assert_eq!(time.minus(u64::MAX).to_string(), "0001-01-01T00:00:00.000000Z");
    }

    #[test]
    fn each_way_to_get_a_time_wrong_has_its_own_error() {
        let shape = |text: &str| Timestamp::parse(text).unwrap_err();
        assert!(matches!(shape("2026-11-22"), TimeError::DateOnly(_)));
        assert!(matches!(shape("2026-11-22T10:00:00"), TimeError::NoZone(_)));
        assert!(matches!(shape("2026-11-22 10:00:00"), TimeError::NoZone(_)));
        assert!(matches!(shape("2016-12-31T23:59:60Z"), TimeError::LeapSecond(_)));
        assert!(matches!(shape("0000-01-01T00:00:00Z"), TimeError::Year(_)));
        assert!(matches!(shape("10000-01-01T00:00:00Z"), TimeError::Year(_)));
        assert!(matches!(shape("tomorrow"), TimeError::Shape(_)));
        assert!(matches!(shape("2026-02-30T00:00:00Z"), TimeError::Shape(_)));
        for quoted in
            ["\"2026-11-22\"", "'2026-11-22T10:00:00Z'", "2026-11-22\"", "\u{201c}2026-11-22\u{201d}"]
        {
            assert!(matches!(shape(quoted), TimeError::Quoted(_)), "{quoted}");
        }
    }

    #[test]
    fn each_way_to_get_a_duration_wrong_has_its_own_error() {
        let wrong = |text: &str| parse_duration(text).unwrap_err();
        assert!(matches!(wrong("-4h"), DurationError::Negative(_)));
        assert!(matches!(wrong("30"), DurationError::NoUnit(_)));
        assert!(matches!(wrong("0s"), DurationError::NotSeconds(_)));
        assert!(matches!(wrong("500ms"), DurationError::NotSeconds(_)));
        assert!(matches!(wrong("99999999999999999999d"), DurationError::TooLong(_)));
        assert!(matches!(wrong("20y"), DurationError::TooLong(_)));
        assert!(matches!(wrong("soon"), DurationError::Shape(_)));
        assert!(matches!(wrong("--reason"), DurationError::Shape(_)));
        assert!(matches!(wrong("2026-11-22"), DurationError::Date(_)));
        assert!(matches!(wrong("2026-11-22T10:00:00Z"), DurationError::Date(_)));
        assert!(matches!(wrong("30M"), DurationError::Month(_)));
        assert!(matches!(wrong("1d 30M"), DurationError::Month(_)));
        assert!(matches!(wrong(""), DurationError::Shape(_)));
    }

    #[test]
    fn ten_years_are_not_longer_than_ten_years() {
        assert_eq!(parse_duration("10y"), Ok(super::MAX_SECONDS));
        assert!(matches!(parse_duration("10y 1s"), Err(DurationError::TooLong(_))));
        assert!(matches!(parse_duration("3653d"), Err(DurationError::TooLong(_))));
    }

    #[test]
    fn the_time_that_a_date_is_advised_to_be_written_as_is_one() {
        for date in ["2026-11-22", "26-11-22", "2026-1-2", "1-1-1"] {
            let said = Timestamp::parse(date).unwrap_err().to_string();
            let advised = said.rsplit(' ').next().unwrap();
            assert!(Timestamp::parse(advised).is_ok(), "{said}");
        }
        assert!(Timestamp::parse("26-11-22").unwrap_err().to_string().contains("four digits of the year"));
    }

    #[test]
    fn durations_round_trip() {
        for (text, seconds) in [("4h", 14_400), ("14d", 1_209_600), ("1h30m", 5_400), ("1s", 1)] {
            assert_eq!(parse_duration(text), Ok(seconds));
            assert_eq!(format_duration(seconds), text);
        }
    }
}
