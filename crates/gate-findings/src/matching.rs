//! Which findings the evidence of waivers covers.
//!
//! A waiver names evidence: rule, highest level, count, and at least one of path, package and fingerprint.
//! [`covers`] says whether one evidence fits one finding; [`assign`] distributes findings over evidence so that
//! no evidence covers more than its count and as few findings as possible stay blocked.
//!
//! Waivers overlap, so a greedy order could leave a finding blocked that another order would cover. The
//! assignment is therefore a maximum flow: findings that the same evidence fits form a class, and classes are
//! matched to evidence with augmenting paths (Dinic). Narrow evidence is preferred, since that leaves the wide
//! ones for what only they fit. Of findings that are alike, those nearest to the lines that were accepted are covered.
//!
//! Invariants: deterministic (the same findings and waivers give the same assignment); never more findings of
//! one evidence than its `count`; maximal in number. A finding that nothing covers is in nobody's count.

mod classes;
mod flow;
mod nearest;

use gate_model::finding::{Evidence, Finding};
use gate_model::glob::Steps;
use gate_model::path_glob::PathGlob;

use crate::identity;

/// A live waiver as it is offered to [`assign`].
#[derive(Debug, Clone, Copy)]
pub struct Waiver<'a> {
    /// The opt-out's ID.
    pub grant: u64,
    /// What it accepts.
    pub evidence: &'a [Evidence],
}

/// Evidence that fits more findings than its count covers, so that some of them block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exceeded {
    /// The opt-out's ID.
    pub grant: u64,
    /// The evidence.
    pub evidence: Evidence,
    /// How many findings it fits.
    pub fits: u64,
    /// How many of these nothing covers.
    pub blocked: u64,
}

/// Who covers what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assignment {
    /// For each finding, in order: the ID of the grant that covers it, or `None` where it blocks.
    pub covered_by: Vec<Option<u64>>,
    /// The IDs of grants none of whose evidence fits any finding, in the order of the waivers.
    pub unused: Vec<u64>,
    /// Evidence whose count was exceeded, in the order of the waivers.
    pub exceeded: Vec<Exceeded>,
}

/// Whether `evidence` fits `finding`, counts aside.
///
/// The rule is literal, `level` is the highest that fits, and every other member that is present must fit too.
/// Evidence that names neither path, package nor fingerprint fits nothing: a rule alone is no evidence.
pub fn covers(evidence: &Evidence, finding: &Finding) -> bool {
    Fit::of(evidence).is_some_and(|fit| fit.fits(finding, &Steps::default()))
}

/// Distributes `findings` over the evidence of `waivers`.
pub fn assign(findings: &[Finding], waivers: &[Waiver<'_>]) -> Assignment {
    classes::Classes::of(findings, waivers).assign(findings, waivers)
}

/// How many findings the evidence of `waivers` can cover at most, where each of `groups` stands for `count`
/// findings that are alike: exact evidence, as [`crate::evidence::group`] writes it into a decision's entry.
///
/// Nothing is made for each single finding, so a count may be as large as somebody cares to write.
pub fn coverable(groups: &[Evidence], waivers: &[Waiver<'_>]) -> u64 {
    let findings: Vec<Finding> = groups.iter().map(crate::evidence::as_finding).collect();
    let weights: Vec<u64> = groups.iter().map(|group| group.count).collect();
    classes::Classes::of(&findings, waivers).capacity(&weights)
}

/// Evidence made ready for many comparisons.
struct Fit<'a> {
    evidence: &'a Evidence,
    path: Option<PathGlob<'a>>,
}

impl<'a> Fit<'a> {
    /// `None` where the evidence can fit nothing.
    fn of(evidence: &'a Evidence) -> Option<Self> {
        let names_something =
            evidence.path.is_some() || evidence.package.is_some() || evidence.fingerprint.is_some();
        if !names_something || evidence.count == 0 {
            return None;
        }
        let path = match &evidence.path {
            Some(glob) => Some(PathGlob::parse(glob).ok()?),
            None => None,
        };
        Some(Self { evidence, path })
    }

    /// The cheap comparisons come first.
    fn fits(&self, finding: &Finding, steps: &Steps) -> bool {
        let evidence = self.evidence;
        finding.level <= evidence.level
            && identifies(evidence, finding)
            && evidence.package.as_ref().is_none_or(|package| finding.package.as_ref() == Some(package))
            && evidence.tool.as_ref().is_none_or(|tool| finding.tool.as_ref() == Some(tool))
            && evidence.rule == finding.rule
            && self
                .path
                .as_ref()
                .is_none_or(|pattern| finding.path.as_ref().is_some_and(|path| pattern.fits(path, steps)))
    }

    /// How narrow the evidence is; greater is narrower.
    fn narrowness(&self) -> (bool, bool, bool, bool, usize) {
        let literal = self.path.as_ref().is_some_and(PathGlob::is_literal);
        let prefix = self.path.as_ref().map_or(0, PathGlob::literal_length);
        (
            self.evidence.fingerprint.is_some(),
            literal,
            self.evidence.package.is_some(),
            self.evidence.tool.is_some(),
            prefix,
        )
    }
}

/// Whether the fingerprints of `evidence` are those of `finding`: names that both have decide; else any part of the
/// fingerprint may be any that the finding has.
fn identifies(evidence: &Evidence, finding: &Finding) -> bool {
    let Some(wanted) = &evidence.fingerprint else { return true };
    identity::agree(&evidence.fingerprints, &finding.fingerprints)
        .unwrap_or_else(|| identity::sides(wanted).any(|side| fingerprints(finding).any(|own| own == side)))
}

/// All that may be given as a finding's fingerprint.
fn fingerprints(finding: &Finding) -> impl Iterator<Item = &str> {
    let whole = std::iter::once(finding.fingerprint.as_str());
    whole
        .chain(identity::sides(&finding.fingerprint))
        .chain(finding.fingerprints.values().map(String::as_str))
}

#[cfg(test)]
mod tests;
