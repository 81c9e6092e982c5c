//! Findings, and the evidence that a waiver names.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::level::Level;
use crate::score::Score;

/// One result of a scanner or test run. As a line of JSON Lines it may carry `"schema":"gate.finding/1"`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's id; the tool's name where the report has none.
    pub rule: String,
    /// How grave it is, after the policy's floor.
    pub level: Level,
    /// What is wrong, cut to a bounded length.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The file, relative to the repository, `/` between parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What stands around that line in the checkout: five digests of four hexadecimal digits each, of the two lines before
    /// it, the two after it, and the one that it is indented below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub around: Option<String>,
    /// What identifies the finding across runs: the report's own, else computed, see `identified_by`.
    pub fingerprint: String,
    /// All the fingerprints that the report gives, by name. Where there are some, these identify the finding.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fingerprints: BTreeMap<String, String>,
    /// What the fingerprint was made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identified_by: Option<Identity>,
    /// The package a vulnerability is in (a name or a purl).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// The tool that found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// What the report says of a fix: the version that has it, or `available`. Nothing where it knows of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// How grave it is on the scale of CVSS, where the report says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_severity: Option<Score>,
}

/// What identifies a finding, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Identity {
    /// The report's own fingerprints.
    Fingerprint,
    /// Rule, package and path.
    Package,
    /// The code that the finding points at.
    Code,
    /// The message without its numbers, for want of anything better.
    Message,
}

impl Identity {
    /// The word used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fingerprint => "fingerprint",
            Self::Package => "package",
            Self::Code => "code",
            Self::Message => "message",
        }
    }
}

/// How many places of findings that are alike are known at most.
pub const PLACES: usize = 1000;

/// What a waiver accepts. Every member that is present must match; at most `count` findings are covered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Evidence {
    /// The rule's id, literally.
    pub rule: String,
    /// The highest level that is covered.
    pub level: Level,
    /// How many findings are covered, from 1.
    pub count: u64,
    /// A glob over paths whose first segment is literal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The package, literally.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// The fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// All the fingerprints that the report gave, by name. Where a finding has some of these names they decide, not
    /// `fingerprint`. Written as a list: a name like `primaryLocationLineHash/v2` can be no key in the ledger.
    #[serde(default, with = "named", skip_serializing_if = "BTreeMap::is_empty")]
    pub fingerprints: BTreeMap<String, String>,
    /// The tool, literally.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The highest security severity that is covered. Without it any is, unless the waiver's rule says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_severity: Option<Score>,
    /// Whether the report knew of a fix.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fixable: bool,
    /// The lines of the findings that were seen, rising. Of findings that are alike those are covered that stand where
    /// these would be now. At most [`PLACES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<u64>,
    /// What stood around each of these lines, in their order, as in [`Finding::around`]; empty where it is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub around: Vec<String>,
}

/// What a rule says of its waivers beyond what their evidence names. The default adds nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct WaiverTerms {
    /// Findings are covered in another file, too, where their own file is gone.
    pub follow_moves: bool,
    /// A finding is not covered any more once its report knows of a fix.
    pub until_fixed: bool,
    /// A finding with a security severity is not covered by evidence without one: it may have risen.
    pub until_raised: bool,
}

impl WaiverTerms {
    /// Where two rules have to allow a waiver: no further than either of them.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            follow_moves: self.follow_moves && other.follow_moves,
            until_fixed: self.until_fixed || other.until_fixed,
            until_raised: self.until_raised || other.until_raised,
        }
    }

    /// Where either of two rules is enough: as far as one of them.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self {
            follow_moves: self.follow_moves || other.follow_moves,
            until_fixed: self.until_fixed && other.until_fixed,
            until_raised: self.until_raised && other.until_raised,
        }
    }
}

impl std::fmt::Display for Evidence {
    /// What it covers in words: `2 × PICKLE up to warning in src/load.py`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.count != 1 {
            write!(f, "{} × ", self.count)?;
        }
        write!(f, "{} up to {}", self.rule, self.level)?;
        if let Some(severity) = self.security_severity {
            write!(f, " and security severity {severity}")?;
        }
        let members = [
            (" in ", &self.path),
            (" of package ", &self.package),
            (" with fingerprint ", &self.fingerprint),
            (" by ", &self.tool),
        ];
        for (word, value) in members {
            if let Some(value) = value {
                write!(f, "{word}{value}")?;
            }
        }
        Ok(())
    }
}

/// Fingerprints by name as a list of objects with `name` and `value`, in the order of their names.
pub mod named {
    use std::collections::BTreeMap;

    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Named {
        name: String,
        value: String,
    }

    /// Writes the list.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(named: &BTreeMap<String, String>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(named.iter().map(|(name, value)| Named { name: name.clone(), value: value.clone() }))
    }

    /// Reads the list.
    ///
    /// # Errors
    /// Those of the deserializer; also for a name that stands twice.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, String>, D::Error> {
        let mut named = BTreeMap::new();
        for Named { name, value } in Vec::<Named>::deserialize(from)? {
            if named.insert(name, value).is_some() {
                return Err(D::Error::custom("a fingerprint's name stands twice"));
            }
        }
        Ok(named)
    }
}

/// What a report leaves out by itself, and what did not matter: counts, so that nothing is silent.
/// Results of a report = blocking + waived + these three.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Findings below the gate's `fail_on`.
    pub below_threshold: u64,
    /// Those of them that say that nothing is wrong; left out where there are none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub passed: u64,
    /// Findings that the report itself marks as suppressed, where the gate honours that.
    pub suppressed: u64,
    /// Results of an earlier run that this run did not find (`baselineState` is `absent`).
    pub absent: u64,
}

impl Counts {
    /// How many of them can be the reason for which a command failed: not what passed, and not what is no longer there.
    pub const fn may_be_wrong(&self) -> u64 {
        self.below_threshold.saturating_sub(self.passed).saturating_add(self.suppressed)
    }
}

/// A count that is left out.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
pub(crate) const fn is_zero(count: &u64) -> bool {
    *count == 0
}
