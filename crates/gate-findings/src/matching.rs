//! Which findings the evidence of waivers covers.
//!
//! A waiver names evidence: rule, highest level, count, and at least one of path, package and fingerprint.
//! [`covers`] says whether one evidence fits one finding; [`assign`] distributes findings over evidence so that
//! no evidence covers more than its count and as few findings as possible stay blocked.
//!
//! Waivers overlap, so a greedy order could leave a finding blocked that another order would cover. The
//! assignment is therefore a maximum flow: findings that the same evidence fits form a class, and classes are
//! matched to evidence with augmenting paths (Dinic). Narrow evidence is preferred, since that leaves the wide
//! ones for what only they fit.
//!
//! Evidence that was made from a decision knows where the accepted findings stood. It is offered only to those that stand
//! there now: one that is alike, but stands somewhere else, is another one.
//!
//! Invariants: deterministic (the same findings and waivers give the same assignment); never more findings of
//! one evidence than its `count`; maximal in number among what evidence is offered to. A finding that nothing covers is in
//! nobody's count.

mod classes;
mod course;
mod flow;
mod lapsed;
mod moved;
mod places;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use gate_model::finding::{Evidence, Finding, WaiverTerms};
use gate_model::glob::Steps;
use gate_model::path_glob::PathGlob;

use crate::evidence::{as_finding, at_path};
use crate::identity;
use crate::place::Checkout;

pub use lapsed::{Lapsed, lapsed};

/// A live waiver as it is offered to [`assign`].
#[derive(Debug, Clone, Copy)]
pub struct Waiver<'a> {
    /// The opt-out's ID.
    pub grant: u64,
    /// What it accepts.
    pub evidence: &'a [Evidence],
    /// What its rule says beyond that.
    pub terms: WaiverTerms,
}

impl<'a> Waiver<'a> {
    /// A waiver whose rule says nothing beyond its evidence.
    pub fn of(grant: u64, evidence: &'a [Evidence]) -> Self {
        Self { grant, evidence, terms: WaiverTerms::default() }
    }
}

/// Who covers what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assignment {
    /// For each finding, in order: the ID of the grant that covers it, or `None` where it blocks.
    pub covered_by: Vec<Option<u64>>,
    /// For findings that moved and are covered all the same, by number: the file that they were accepted in.
    pub moved_from: BTreeMap<usize, String>,
    /// The IDs of grants none of whose evidence fits any finding, in the order of the waivers.
    pub unused: Vec<u64>,
    /// The numbers of findings that nothing covers though they are like accepted ones, which stood elsewhere.
    pub elsewhere: BTreeSet<usize>,
}

/// Whether `evidence` fits `finding`, counts aside.
///
/// The rule is literal, `level` is the highest that fits, and every other member that is present must fit too.
/// Evidence that names neither path, package nor fingerprint fits nothing: a rule alone is no evidence.
pub fn covers(evidence: &Evidence, finding: &Finding) -> bool {
    Fit::of(evidence, WaiverTerms::default()).is_some_and(|fit| fit.fits(finding, &Steps::default()))
}

/// Distributes `findings` over the evidence of `waivers`. What then blocks and has moved from a file that is gone from
/// the `checkout` is distributed as it was before, over the waivers that follow.
pub fn assign(findings: &[Finding], waivers: &[Waiver<'_>], checkout: &dyn Checkout) -> Assignment {
    let mut assignment = classes::Classes::of(findings, waivers).assign(findings, waivers);
    let open = |number: usize| assignment.covered_by[number].is_none();
    let unclaimed = |_| None;
    let moves = moved::moves(findings, open, unclaimed, waivers, |path| checkout.is_gone(path));
    let before: Vec<Finding> =
        moves.findings.iter().map(|(number, old)| moved_back(&findings[*number], old)).collect();
    let one =
        |(waiver, one): &(usize, _)| Waiver { evidence: std::slice::from_ref(*one), ..waivers[*waiver] };
    let offered: Vec<Waiver<'_>> = moves.evidence.iter().map(one).collect();
    let covered = classes::Classes::of(&before, &offered).assign(&before, &offered).covered_by;
    for ((number, old), grant) in moves.findings.into_iter().zip(covered) {
        if grant.is_some() {
            assignment.covered_by[number] = grant;
            assignment.elsewhere.remove(&number);
            assignment.moved_from.insert(number, old);
        }
    }
    assignment
}

/// The finding as it was in the file `old`.
fn moved_back(finding: &Finding, old: &str) -> Finding {
    let fingerprint = identity::moved(&finding.fingerprint, old);
    Finding { path: Some(old.to_owned()), fingerprint, ..finding.clone() }
}

/// Whether `waiver` follows the findings of each of `groups` that says so from the file it names, and covers as many of
/// all of them as there are. `blocking` are the groups that nothing covers: one that may have moved as well makes a move
/// ambiguous. It asks what [`assign`] asks, but for the checkout, of which nothing is left to be asked: neither which file
/// is gone, nor what stands around a line. Evidence that knows the latter was told by it which finding moved.
///
/// # Errors
/// How many it covers at most; or the first group that it does not follow.
pub fn covers_all(
    waiver: &Waiver<'_>,
    groups: &[(Evidence, Option<String>)],
    blocking: &[Evidence],
) -> Result<(), Uncovered> {
    let one = std::array::from_ref(waiver);
    let followed = followed(one, groups, blocking);
    let before = |(number, (group, old)): (usize, &(Evidence, Option<String>))| match old {
        None => Ok(group.clone()),
        Some(old) if followed.contains(&(number, old.clone())) => Ok(at_path(group, old)),
        Some(old) => Err(Uncovered::NotFollowed { rule: group.rule.clone(), old: old.clone() }),
    };
    let before: Vec<Evidence> = groups.iter().enumerate().map(before).collect::<Result<_, _>>()?;
    let wanted = groups.iter().map(|(group, _)| group.count).fold(0, u64::saturating_add);
    let covered = coverable(&before, one);
    if covered < wanted { Err(Uncovered::TooMany { wanted, covered }) } else { Ok(()) }
}

/// Which of `groups`, by number, `waiver` follows from which file.
fn followed(
    waiver: &[Waiver<'_>; 1],
    groups: &[(Evidence, Option<String>)],
    blocking: &[Evidence],
) -> HashSet<(usize, String)> {
    let gone: HashSet<&str> = groups.iter().filter_map(|(_, old)| old.as_deref()).collect();
    if gone.is_empty() {
        return HashSet::new();
    }
    let as_found = groups.iter().map(|(group, _)| group).chain(blocking);
    let findings: Vec<Finding> = as_found.map(as_finding).collect();
    let claim = |number: usize| groups.get(number).and_then(|(_, old)| old.as_deref());
    let open = |number: usize| number >= groups.len() || claim(number).is_some();
    let moves = moved::moves(&findings, open, claim, waiver, |path| gone.contains(path));
    moves.findings.into_iter().collect()
}

/// Why a waiver does not cover what it is said to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Uncovered {
    /// It covers fewer findings.
    TooMany {
        /// How many it is said to cover.
        wanted: u64,
        /// How many it covers at most.
        covered: u64,
    },
    /// It does not follow a finding from there.
    NotFollowed {
        /// The finding's rule.
        rule: String,
        /// The file that it is said to have moved from.
        old: String,
    },
}

/// How many findings the evidence of `waivers` can cover at most, where each of `groups` stands for `count`
/// findings that are alike: exact evidence, as [`crate::evidence::group`] writes it into a decision's entry.
///
/// Nothing is made for each single finding, so a count may be as large as somebody cares to write.
pub fn coverable(groups: &[Evidence], waivers: &[Waiver<'_>]) -> u64 {
    let findings: Vec<Finding> = groups.iter().map(as_finding).collect();
    let weights: Vec<u64> = groups.iter().map(|group| group.count).collect();
    classes::Classes::of(&findings, waivers).capacity(&weights)
}

/// How many findings the evidence of `waivers` covers at least, whatever the checkout holds: [`coverable`], but for evidence
/// that knows where the accepted findings stood. That covers fewer where these stand elsewhere.
pub fn surely_covered(groups: &[Evidence], waivers: &[Waiver<'_>]) -> u64 {
    let mut sure = Vec::new();
    for waiver in waivers {
        let known = waiver.evidence.iter().filter(|evidence| evidence.lines.is_empty());
        sure.extend(known.map(|one| Waiver { evidence: std::slice::from_ref(one), ..*waiver }));
    }
    coverable(groups, &sure)
}

/// Evidence made ready for many comparisons.
struct Fit<'a> {
    evidence: &'a Evidence,
    terms: WaiverTerms,
    path: Option<PathGlob<'a>>,
}

impl<'a> Fit<'a> {
    /// `None` where the evidence can fit nothing.
    fn of(evidence: &'a Evidence, terms: WaiverTerms) -> Option<Self> {
        let names_something =
            evidence.path.is_some() || evidence.package.is_some() || evidence.fingerprint.is_some();
        if !names_something || evidence.count == 0 {
            return None;
        }
        let path = match &evidence.path {
            Some(glob) => Some(PathGlob::parse(glob).ok()?),
            None => None,
        };
        Some(Self { evidence, terms, path })
    }

    /// The cheap comparisons come first.
    fn fits(&self, finding: &Finding, steps: &Steps) -> bool {
        fits_but_path(self.evidence, self.terms, finding, identity::meet) && self.fits_path(finding, steps)
    }

    fn fits_path(&self, finding: &Finding, steps: &Steps) -> bool {
        let fits =
            |pattern: &PathGlob<'_>| finding.path.as_ref().is_some_and(|path| pattern.fits(path, steps));
        self.path.as_ref().is_none_or(fits)
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

/// Whether `evidence` fits `finding` but for the file that it is in.
fn fits_elsewhere(evidence: &Evidence, terms: WaiverTerms, finding: &Finding) -> bool {
    fits_but_path(evidence, terms, finding, identity::meet_elsewhere)
}

/// Whether all but the path of `evidence` fits `finding`; `meet` compares two fingerprints.
fn fits_but_path(
    evidence: &Evidence,
    terms: WaiverTerms,
    finding: &Finding,
    meet: fn(&str, &str) -> bool,
) -> bool {
    finding.level <= evidence.level
        && lapsed::why(evidence, terms, finding).is_none()
        && is_about(evidence, finding, meet)
}

/// Whether `evidence` is about `finding`, however grave it is, but for the path.
fn is_about(evidence: &Evidence, finding: &Finding, meet: fn(&str, &str) -> bool) -> bool {
    identifies(evidence, finding, meet)
        && evidence.package.as_ref().is_none_or(|package| finding.package.as_ref() == Some(package))
        && evidence.tool.as_ref().is_none_or(|tool| finding.tool.as_ref() == Some(tool))
        && evidence.rule == finding.rule
}

/// Whether the fingerprints of `evidence` are those of `finding`: names that both have decide; else the fingerprint may
/// be any that the finding has.
fn identifies(evidence: &Evidence, finding: &Finding, meet: fn(&str, &str) -> bool) -> bool {
    let Some(wanted) = &evidence.fingerprint else { return true };
    let own = || std::iter::once(&finding.fingerprint).chain(finding.fingerprints.values());
    identity::agree(&evidence.fingerprints, &finding.fingerprints)
        .unwrap_or_else(|| own().any(|own| meet(wanted, own)))
}

/// All that may be given as a finding's fingerprint, without the file.
fn fingerprints(finding: &Finding) -> impl Iterator<Item = &str> {
    let own = std::iter::once(&finding.fingerprint).chain(finding.fingerprints.values());
    own.map(|own| identity::what(own))
}

#[cfg(test)]
mod tests;
