//! The security severity of a finding, and the threshold from which findings block.
//!
//! Some tools write every result at one level and say how grave it is in a property `security-severity` instead: a
//! number from 0.0 to 10.0, as CVSS scores are (the convention of GitHub's code scanning). It is kept in tenths, rounded
//! up: no finding is graver than its score says.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::level::Level;

/// A security severity, in tenths from 0 to 100. In documents a text with one decimal, `"7.5"`: the ledger holds no
/// fractions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(u8);

/// A text that is no security severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a number from 0 to 10")]
pub struct NoScore;

impl FromStr for Score {
    type Err = NoScore;

    fn from_str(text: &str) -> Result<Self, NoScore> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return Err(NoScore);
        }
        let tenth = fraction.as_bytes()[0] - b'0';
        let rest = fraction.bytes().skip(1).any(|byte| byte != b'0');
        let whole: u16 = whole.parse().map_err(|_| NoScore)?;
        let tenths = whole.saturating_mul(10).saturating_add(u16::from(tenth) + u16::from(rest));
        u8::try_from(tenths).ok().filter(|tenths| *tenths <= 100).map(Self).ok_or(NoScore)
    }
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

/// From which level, or from which security severity, a finding blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailOn {
    /// A level.
    Level(Level),
    /// A security severity. A finding that has none blocks from [`Level::Warning`] on: what a tool does not say is not
    /// harmless.
    Severity(Score),
}

/// What stands before the number of a threshold.
const PROPERTY: &str = "security-severity";

impl FailOn {
    /// Whether a finding of this level and security severity blocks.
    pub fn blocks(self, level: Level, severity: Option<Score>) -> bool {
        match (self, severity) {
            (Self::Level(least), _) => level >= least,
            (Self::Severity(least), Some(severity)) => severity >= least,
            (Self::Severity(_), None) => level >= Level::Warning,
        }
    }

    /// The level from which a finding blocks that has no security severity.
    pub const fn level(self) -> Level {
        match self {
            Self::Level(level) => level,
            Self::Severity(_) => Level::Warning,
        }
    }
}

impl From<Level> for FailOn {
    fn from(level: Level) -> Self {
        Self::Level(level)
    }
}

impl FromStr for FailOn {
    type Err = NoScore;

    /// Reads a level, or `security-severity >= 7`.
    fn from_str(text: &str) -> Result<Self, NoScore> {
        if let Some(level) = Level::parse(text) {
            return Ok(Self::Level(level));
        }
        let rest = text.strip_prefix(PROPERTY).and_then(|rest| rest.trim_start().strip_prefix(">="));
        rest.ok_or(NoScore)?.trim().parse().map(Self::Severity)
    }
}

impl std::fmt::Display for FailOn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Level(level) => level.fmt(f),
            Self::Severity(least) => write!(f, "{PROPERTY} >= {least}"),
        }
    }
}

/// Both are written as text and read back from it.
macro_rules! as_text {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

as_text!(Score);
as_text!(FailOn);

#[cfg(test)]
mod tests {
    use super::{FailOn, Score};
    use crate::level::Level;

    #[test]
    fn a_score_is_read_as_people_write_it_and_never_rounded_down() {
        for (text, expected) in [
            ("7", "7.0"),
            ("7.5", "7.5"),
            ("0.0", "0.0"),
            ("10.00", "10.0"),
            ("7.51", "7.6"),
            ("9.91", "10.0"),
        ] {
            assert_eq!(text.parse::<Score>().unwrap().to_string(), expected, "{text}");
        }
        for text in
            ["", "7.", ".5", "10.1", "11", "-1", "+7", "1e1", "high", "7.5.1", "99999999", "NaN", " 7"]
        {
            assert!(text.parse::<Score>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_threshold_is_a_level_or_a_score() {
        let threshold = |text: &str| text.parse::<FailOn>();
        assert_eq!(threshold("error"), Ok(FailOn::Level(Level::Error)));
        let seven = threshold("security-severity >= 7").unwrap();
        assert_eq!(threshold("security-severity>=7.0"), Ok(seven));
        assert_eq!(threshold(&seven.to_string()), Ok(seven));
        for text in ["security-severity > 7", "security-severity", "security-severity >= 70", "severity >= 7"]
        {
            assert!(threshold(text).is_err(), "{text}");
        }
        let blocks =
            |level, score: Option<&str>| seven.blocks(level, score.map(|text| text.parse().unwrap()));
        assert!(blocks(Level::Note, Some("7")) && !blocks(Level::Error, Some("6.9")));
        assert!(
            blocks(Level::Warning, None) && !blocks(Level::Note, None),
            "what is not said is not harmless"
        );
    }
}
