//! Findings that moved: the same rule and the same fingerprint, in one other file whose old one is gone.
//!
//! Purpose: [`moves`] says which findings that nothing covers are the accepted ones of another file. Only evidence that
//! names one file and a fingerprint can be followed, and only where its waiver's rule allows that.
//!
//! Invariants: the old file is surely gone from the checkout, and no finding of the report is in it; the evidence fits
//! findings in one new file only, and these fit the evidence of one old file only. Whatever is ambiguous blocks. Where it is
//! known what stood around the accepted ones, the new file is the one in which enough of that stands around a finding.
//!
//! Not here: how many findings of the new file are covered. They are assigned as if they were in the old one.

use std::collections::{BTreeSet, HashMap, HashSet};

use gate_model::finding::{Evidence, Finding, WaiverTerms};

use super::{Waiver, fingerprints, fits_elsewhere};
use crate::around::Around;
use crate::evidence::plain_path;
use crate::identity::what;

/// Evidence that may be followed.
struct Follower<'a> {
    waiver: usize,
    terms: WaiverTerms,
    evidence: &'a Evidence,
    /// The file that is gone.
    old: String,
    /// The findings that it fits elsewhere.
    found: Vec<usize>,
}

impl Follower<'_> {
    /// Leaves what its evidence can tell from the accepted ones by what stands around it. Where a claim stands for that,
    /// because nobody knows any more, the claim does.
    fn narrow<'c>(&mut self, findings: &[Finding], claim: impl Fn(usize) -> Option<&'c str>) {
        if self.evidence.around.is_empty() {
            return;
        }
        // Three parts of what stands around two lines show that they are the same in two files.
        let own = self.evidence.around.iter().filter_map(|own| Around::parse(own));
        let own: HashSet<(usize, [u16; 3])> = own.flat_map(Around::threes).collect();
        let around = |number: usize| findings[number].around.as_deref().and_then(Around::parse);
        let like = |number: usize| {
            around(number).is_some_and(|found| found.threes().any(|three| own.contains(&three)))
        };
        let old = self.old.as_str();
        let alike: HashSet<Option<&str>> = (self.found.iter())
            .filter(|number| claim(**number) == Some(old) || like(**number))
            .map(|number| findings[*number].path.as_deref())
            .collect();
        self.found.retain(|number| alike.contains(&findings[*number].path.as_deref()));
    }
}

/// What moved.
#[derive(Debug, Default)]
pub(super) struct Moves<'a> {
    /// For each finding that moved, its number and its old file, rising.
    pub(super) findings: Vec<(usize, String)>,
    /// The evidence that is followed, and the number of its waiver.
    pub(super) evidence: Vec<(usize, &'a Evidence)>,
}

/// The findings among the `open` ones that moved from a file that `is_gone`. Of some it is known from where they are said to
/// have moved: their `claim`.
pub(super) fn moves<'a, 'c>(
    findings: &[Finding],
    open: impl Fn(usize) -> bool,
    claim: impl Fn(usize) -> Option<&'c str>,
    waivers: &[Waiver<'a>],
    is_gone: impl Fn(&str) -> bool,
) -> Moves<'a> {
    let mut followers = followers(waivers);
    if followers.is_empty() {
        return Moves::default();
    }
    let present: HashSet<&str> = findings.iter().filter_map(|finding| finding.path.as_deref()).collect();
    followers.retain(|follower| !present.contains(follower.old.as_str()) && is_gone(&follower.old));
    look(&mut followers, findings, open);
    for follower in &mut followers {
        follower.narrow(findings, &claim);
    }
    let path = |number: usize| findings[number].path.as_deref();
    let one_place = |found: &[usize]| found.windows(2).all(|pair| path(pair[0]) == path(pair[1]));
    followers.retain(|follower| !follower.found.is_empty());
    let mut origins: HashMap<usize, BTreeSet<&str>> = HashMap::new();
    for follower in &followers {
        for &number in &follower.found {
            origins.entry(number).or_default().insert(&follower.old);
        }
    }
    let mut moves = Moves::default();
    for follower in followers.iter().filter(|follower| one_place(&follower.found)) {
        let of_one_file = follower.found.iter().filter(|number| origins[number].len() == 1);
        moves.findings.extend(of_one_file.map(|number| (*number, follower.old.clone())));
        moves.evidence.push((follower.waiver, follower.evidence));
    }
    moves.findings.sort_unstable();
    moves.findings.dedup();
    moves
}

/// The evidence of waivers that follow, where it names one file and a fingerprint.
fn followers<'a>(waivers: &[Waiver<'a>]) -> Vec<Follower<'a>> {
    let follow = waivers.iter().enumerate().filter(|(_, waiver)| waiver.terms.follow_moves);
    let all =
        follow.flat_map(|(number, waiver)| waiver.evidence.iter().map(move |one| (number, waiver, one)));
    let can = all.filter(|(_, _, evidence)| evidence.fingerprint.is_some() && evidence.count > 0);
    can.filter_map(|(number, waiver, evidence)| {
        let old = plain_path(evidence.path.as_deref()?)?;
        Some(Follower { waiver: number, terms: waiver.terms, evidence, old, found: Vec::new() })
    })
    .collect()
}

/// Finds for each of `followers` the open findings that it fits in another file.
fn look(followers: &mut [Follower<'_>], findings: &[Finding], open: impl Fn(usize) -> bool) {
    let mut known: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
    let open =
        findings.iter().enumerate().filter(|(number, finding)| finding.path.is_some() && open(*number));
    for (number, finding) in open {
        for print in fingerprints(finding) {
            known.entry((&finding.rule, print)).or_default().push(number);
        }
    }
    for Follower { evidence, terms, found, .. } in followers {
        let prints = evidence.fingerprints.values().chain(&evidence.fingerprint).map(|one| what(one));
        let near = prints.filter_map(|print| known.get(&(evidence.rule.as_str(), print)));
        let fits = |number: &usize| fits_elsewhere(evidence, *terms, &findings[*number]);
        found.extend(near.flatten().copied().filter(fits));
        found.sort_unstable();
        found.dedup();
    }
}
