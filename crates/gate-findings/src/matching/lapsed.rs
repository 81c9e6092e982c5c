//! What ends a waiver for a finding before its time: the report says that there is a fix, or that it is graver.

use std::collections::{BTreeMap, HashMap};

use gate_model::finding::{Evidence, Finding, WaiverTerms};
use gate_model::glob::Steps;

use super::{Assignment, Fit, Waiver, is_about};
use crate::identity;

/// Why a waiver covers a finding no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lapsed {
    /// There is a fix.
    Fixed,
    /// Its security severity is higher than what was accepted, or was not known then.
    Raised,
}

impl Lapsed {
    /// The half of a sentence.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "there is a fix",
            Self::Raised => "the security severity is higher than what was accepted, or was not known then",
        }
    }
}

/// Why evidence like this covers `finding` no longer, if what the report says ended that.
pub(super) fn why(evidence: &Evidence, terms: WaiverTerms, finding: &Finding) -> Option<Lapsed> {
    let raised = match (evidence.security_severity, finding.security_severity) {
        (Some(accepted), Some(now)) => now > accepted,
        (None, Some(_)) => terms.until_raised,
        (_, None) => false,
    };
    if raised {
        return Some(Lapsed::Raised);
    }
    (terms.until_fixed && finding.fix.is_some()).then_some(Lapsed::Fixed)
}

/// More findings than this are not looked at, and no globs that make more work: this only explains.
const LOOKED_AT: usize = 1000;
const STEPS: u64 = 1 << 20;

/// For each grant how many of the findings that nothing covers it covered until it lapsed for them, and why.
pub fn lapsed(
    findings: &[Finding],
    waivers: &[Waiver<'_>],
    assignment: &Assignment,
) -> BTreeMap<(u64, Lapsed), u64> {
    let mut by_rule: HashMap<&str, Vec<(u64, Fit<'_>)>> = HashMap::new();
    for waiver in waivers {
        for fit in waiver.evidence.iter().filter_map(|evidence| Fit::of(evidence, waiver.terms)) {
            by_rule.entry(&fit.evidence.rule).or_default().push((waiver.grant, fit));
        }
    }
    let open = findings.iter().zip(&assignment.covered_by).filter(|(_, by)| by.is_none());
    let tells = open.map(|(finding, _)| finding).filter(|f| f.fix.is_some() || f.security_severity.is_some());
    let mut found = BTreeMap::new();
    let steps = Steps::new(STEPS);
    for finding in tells.take(LOOKED_AT) {
        for (grant, fit) in by_rule.get(finding.rule.as_str()).into_iter().flatten() {
            if let Some(why) = why(fit.evidence, fit.terms, finding)
                && finding.level <= fit.evidence.level
                && is_about(fit.evidence, finding, identity::meet)
                && fit.fits_path(finding, &steps)
            {
                *found.entry((*grant, why)).or_default() += 1;
            }
        }
    }
    found
}
