//! Levels of findings (SARIF 2.1.0 §3.27.10) and severities of gates.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How grave a finding is. Ordered: `none < note < warning < error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Not a problem (a pass, or an informational result).
    None,
    /// A minor remark.
    Note,
    /// A problem. SARIF's default where neither result nor rule has a level.
    Warning,
    /// A serious problem.
    Error,
}

impl Level {
    /// Every level, lowest first.
    pub const ALL: [Self; 4] = [Self::None, Self::Note, Self::Warning, Self::Error];

    /// The word used in documents and in the policy.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// The level that `word` names, if it names one (exact, lower case).
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A rule's id and those of its parents: `a/b/c`, `a/b`, `a` (SARIF 2.1.0 §3.27.5).
pub fn lineage(rule: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(rule), |id| id.rsplit_once('/').map(|(parent, _)| parent))
}

/// `level`, raised to the floors that the policy sets for `rule` and for its parents.
pub fn floored(floors: &BTreeMap<String, Level>, rule: &str, level: Level) -> Level {
    if floors.is_empty() {
        return level;
    }
    lineage(rule).filter_map(|id| floors.get(id)).copied().fold(level, Level::max)
}

/// How much a gate matters. Ordered: `low < medium < high < critical`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Style and convenience.
    Low,
    /// The default.
    Medium,
    /// Security or correctness.
    High,
    /// Never without a second look.
    Critical,
}

impl Severity {
    /// Every severity, lowest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word used in the policy.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity that `word` names, if it names one.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == word)
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{Level, Severity};

    #[test]
    fn levels_are_ordered_and_round_trip() {
        assert!(Level::None < Level::Note && Level::Note < Level::Warning && Level::Warning < Level::Error);
        for level in Level::ALL {
            assert_eq!(Level::parse(level.as_str()), Some(level));
        }
        assert_eq!(Level::parse("Error"), None);
    }

    #[test]
    fn severities_are_ordered() {
        assert!(Severity::ALL.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
