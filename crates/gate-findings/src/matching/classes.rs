//! Findings that the same evidence fits, taken together.
//!
//! A report of 100 thousand findings has few such classes, so the flow stays small. Evidence is looked up by
//! rule, and by fingerprint where it has one, so that exact evidence costs one look-up per finding.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use gate_model::finding::{Evidence, Finding};
use gate_model::glob::Steps;

use super::flow::Network;
use super::{Assignment, Fit, Waiver, fingerprints, places};
use crate::identity::what;

/// The work that all waivers may make in one judgement: a second or two. What they do not get to blocks.
const STEPS: u64 = 1 << 29;

/// What an evidence that fits a finding costs beside its globs: it is kept, and asked for again where classes are made and
/// laid side by side. With [`STEPS`], no more than 16 million are kept.
const OFFERED: u64 = 32;

/// One evidence of one waiver.
struct Offer<'a> {
    waiver: usize,
    fit: Fit<'a>,
}

/// The offers for one rule.
#[derive(Default)]
struct OfRule<'a> {
    by_fingerprint: HashMap<&'a str, Vec<usize>>,
    others: Vec<usize>,
}

/// Findings (by index) that the same offers (by index, rising and so narrowest first) fit.
pub(super) struct Class {
    pub(super) offers: Vec<usize>,
    pub(super) findings: Vec<usize>,
}

/// Classes while they are found.
#[derive(Default)]
struct Found {
    known: HashMap<Vec<usize>, usize>,
    classes: Vec<Class>,
}

impl Found {
    /// Adds a finding that `offers` fit; one that none fits is in no class.
    fn add(&mut self, number: usize, offers: Vec<usize>) {
        if offers.is_empty() {
            return;
        }
        if let Some(&class) = self.known.get(&offers) {
            self.classes[class].findings.push(number);
        } else {
            self.known.insert(offers.clone(), self.classes.len());
            self.classes.push(Class { offers, findings: vec![number] });
        }
    }

    /// Those with the fewest choices first: the greedy start is then seldom in need of mending.
    fn sorted(self) -> Vec<Class> {
        let mut classes = self.classes;
        for class in &mut classes {
            class.findings.sort_unstable();
        }
        classes.sort_by_key(|class| (class.offers.len(), class.findings[0]));
        classes
    }
}

pub(super) struct Classes<'a> {
    /// Narrowest first; of the same narrowness in the order of the waivers.
    offers: Vec<Offer<'a>>,
    classes: Vec<Class>,
}

impl<'a> Classes<'a> {
    pub(super) fn of(findings: &[Finding], waivers: &[Waiver<'a>]) -> Self {
        Self::within(findings, waivers, &Steps::new(STEPS))
    }

    /// As far as the `steps` go.
    fn within(findings: &[Finding], waivers: &[Waiver<'a>], steps: &Steps) -> Self {
        let offers = offers(waivers);
        let index = index(&offers);
        let mut found = Found::default();
        for (number, finding) in findings.iter().enumerate() {
            found.add(number, fitting(&offers, &index, finding, steps));
        }
        Self { offers, classes: found.sorted() }
    }

    pub(super) fn assign(self, findings: &[Finding], waivers: &[Waiver<'_>]) -> Assignment {
        let standing = self.standing(findings);
        let sizes: Vec<u64> = standing.iter().map(|class| class.findings.len() as u64).collect();
        let counts: Vec<u64> =
            self.offers.iter().map(|offer| offer.fit.evidence.count.min(findings.len() as u64)).collect();
        let mut network = Network::new(&sizes, &counts);
        let arcs: Vec<Vec<usize>> = (standing.iter().enumerate())
            .map(|(number, class)| class.offers.iter().map(|&offer| network.offer(number, offer)).collect())
            .collect();
        network.maximise();

        let mut covered_by = vec![None; findings.len()];
        for (class, arcs) in standing.iter().zip(&arcs) {
            // In the order of the report, so that the excess blocks.
            let mut members = class.findings.iter();
            for (&offer, &arc) in class.offers.iter().zip(arcs) {
                let flow = usize::try_from(network.flow(arc)).unwrap_or(usize::MAX);
                let grant = waivers[self.offers[offer].waiver].grant;
                members.by_ref().take(flow).for_each(|&member| covered_by[member] = Some(grant));
            }
        }
        let unused = self.unused(waivers);
        let elsewhere = self.elsewhere(&covered_by);
        Assignment { covered_by, moved_from: BTreeMap::new(), unused, elsewhere }
    }

    /// Whether an offer knows where the accepted findings stood.
    fn knows_places(&self, offer: usize) -> bool {
        !self.offers[offer].fit.evidence.lines.is_empty()
    }

    /// What is like accepted findings whose places are known, and is not covered.
    fn elsewhere(&self, covered_by: &[Option<u64>]) -> BTreeSet<usize> {
        let knowing = |class: &&Class| class.offers.iter().any(|offer| self.knows_places(*offer));
        let alike = self.classes.iter().filter(knowing).flat_map(|class| &class.findings);
        alike.copied().filter(|number| covered_by[*number].is_none()).collect()
    }

    /// The classes of what stands where the accepted findings stood, see [`places`].
    fn standing(&self, findings: &[Finding]) -> Vec<Class> {
        let evidence: Vec<&Evidence> = self.offers.iter().map(|offer| offer.fit.evidence).collect();
        let standing = places::Standing::of(&self.classes, &evidence, findings);
        let mut found = Found::default();
        for class in &self.classes {
            for &number in &class.findings {
                let is_for = |offer: &usize| standing.is_for(*offer, number);
                found.add(number, class.offers.iter().copied().filter(is_for).collect());
            }
        }
        found.sorted()
    }

    /// How many findings can be covered at most, where finding number `n` stands for `weights[n]` of its kind.
    pub(super) fn capacity(&self, weights: &[u64]) -> u64 {
        let weight = |&finding: &usize| weights.get(finding).copied().unwrap_or(0);
        let size = |class: &Class| class.findings.iter().map(weight).fold(0, u64::saturating_add);
        let sizes: Vec<u64> = self.classes.iter().map(size).collect();
        let counts: Vec<u64> = self.offers.iter().map(|offer| offer.fit.evidence.count).collect();
        let mut network = Network::new(&sizes, &counts);
        let mut arcs = Vec::new();
        for (number, class) in self.classes.iter().enumerate() {
            arcs.extend(class.offers.iter().map(|&offer| network.offer(number, offer)));
        }
        network.maximise();
        arcs.into_iter().map(|arc| network.flow(arc)).fold(0, u64::saturating_add)
    }

    fn unused(&self, waivers: &[Waiver<'_>]) -> Vec<u64> {
        let mut used = vec![false; waivers.len()];
        for offer in self.classes.iter().flat_map(|class| &class.offers) {
            used[self.offers[*offer].waiver] = true;
        }
        waivers.iter().zip(used).filter(|(_, used)| !used).map(|(waiver, _)| waiver.grant).collect()
    }
}

fn offers<'a>(waivers: &[Waiver<'a>]) -> Vec<Offer<'a>> {
    let mut offers: Vec<Offer<'a>> = Vec::new();
    for (number, waiver) in waivers.iter().enumerate() {
        let fits = waiver.evidence.iter().filter_map(|evidence| Fit::of(evidence, waiver.terms));
        offers.extend(fits.map(|fit| Offer { waiver: number, fit }));
    }
    offers.sort_by_key(|offer| std::cmp::Reverse(offer.fit.narrowness()));
    offers
}

fn index<'a>(offers: &[Offer<'a>]) -> HashMap<&'a str, OfRule<'a>> {
    let mut index: HashMap<&str, OfRule<'_>> = HashMap::new();
    for (number, offer) in offers.iter().enumerate() {
        let evidence = offer.fit.evidence;
        let of_rule = index.entry(&evidence.rule).or_default();
        match &evidence.fingerprint {
            Some(fingerprint) => {
                let all = evidence.fingerprints.values().chain([fingerprint]);
                let all: BTreeSet<&str> = all.map(|one| what(one)).collect();
                for key in all {
                    of_rule.by_fingerprint.entry(key).or_default().push(number);
                }
            }
            None => of_rule.others.push(number),
        }
    }
    index
}

/// The offers that fit `finding`, narrowest first.
fn fitting(
    offers: &[Offer<'_>],
    index: &HashMap<&str, OfRule<'_>>,
    finding: &Finding,
    steps: &Steps,
) -> Vec<usize> {
    let Some(of_rule) = index.get(finding.rule.as_str()) else { return Vec::new() };
    let exact = fingerprints(finding).filter_map(|key| of_rule.by_fingerprint.get(key)).flatten();
    let mut candidates: Vec<usize> = exact.copied().collect();
    candidates.sort_unstable();
    candidates.dedup();
    // Evidence with a fingerprint is narrower than any other, so both parts together are in order.
    let all = candidates.into_iter().chain(of_rule.others.iter().copied());
    let fits =
        |number: &usize| steps.spend(1) && offers[*number].fit.fits(finding, steps) && steps.spend(OFFERED);
    all.filter(fits).collect()
}

#[cfg(test)]
mod tests {
    use gate_model::glob::Steps;

    use super::{Classes, OFFERED};
    use crate::evidence::{as_finding, of};
    use crate::matching::Waiver;

    /// Any number of waivers may accept the same findings: each with each would be kept.
    #[test]
    fn what_is_kept_for_all_waivers_together_is_bounded_and_the_rest_blocks() {
        let one = serde_json::json!({ "rule": "R", "level": "error", "count": 1, "fingerprint": "f" });
        let findings = vec![as_finding(&serde_json::from_value(one).unwrap()); 300];
        let evidence = of(&findings);
        let waivers: Vec<Waiver<'_>> = (0..300).map(|grant| Waiver::of(grant, &evidence)).collect();
        let kept = |steps: u64| {
            let classes = Classes::within(&findings, &waivers, &Steps::new(steps)).classes;
            classes.iter().map(|class| class.offers.len() * class.findings.len()).sum::<usize>() as u64
        };
        assert_eq!(kept(1 << 40), 300 * 300);
        for steps in [OFFERED * 100, OFFERED * 1000] {
            assert!((1..=steps / OFFERED).contains(&kept(steps)), "{} for {steps}", kept(steps));
        }
    }
}
