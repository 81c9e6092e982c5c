//! Findings that the same evidence fits, taken together.
//!
//! A report of 100 thousand findings has few such classes, so the flow stays small. Evidence is looked up by
//! rule, and by fingerprint where it has one, so that exact evidence costs one look-up per finding.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use gate_model::finding::Finding;
use gate_model::glob::Steps;

use super::flow::Network;
use super::nearest::nearest;
use super::{Assignment, Exceeded, Fit, Waiver, fingerprints};
use crate::identity::sides;

/// The work that the globs of all waivers may make in one judgement: a second or two. What they do not get to blocks.
const STEPS: u64 = 1 << 29;

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

/// Findings (by index) that the same offers (by index, narrowest first) fit.
struct Class {
    offers: Vec<usize>,
    findings: Vec<usize>,
}

pub(super) struct Classes<'a> {
    /// Narrowest first; of the same narrowness in the order of the waivers.
    offers: Vec<Offer<'a>>,
    classes: Vec<Class>,
}

impl<'a> Classes<'a> {
    pub(super) fn of(findings: &[Finding], waivers: &[Waiver<'a>]) -> Self {
        let offers = offers(waivers);
        let index = index(&offers);
        let mut known: HashMap<Vec<usize>, usize> = HashMap::new();
        let mut classes: Vec<Class> = Vec::new();
        let mut fitting = Vec::new();
        let steps = Steps::new(STEPS);
        for (number, finding) in findings.iter().enumerate() {
            find_fitting(&offers, &index, (finding, &steps), &mut fitting);
            if fitting.is_empty() {
                continue;
            }
            if let Some(&class) = known.get(&fitting) {
                classes[class].findings.push(number);
            } else {
                known.insert(fitting.clone(), classes.len());
                classes.push(Class { offers: fitting.clone(), findings: vec![number] });
            }
        }
        // Those with the fewest choices first: the greedy start is then seldom in need of mending.
        classes.sort_by_key(|class| (class.offers.len(), class.findings[0]));
        Self { offers, classes }
    }

    pub(super) fn assign(self, findings: &[Finding], waivers: &[Waiver<'_>]) -> Assignment {
        let sizes: Vec<u64> = self.classes.iter().map(|class| class.findings.len() as u64).collect();
        let counts: Vec<u64> =
            self.offers.iter().map(|offer| offer.fit.evidence.count.min(findings.len() as u64)).collect();
        let mut network = Network::new(&sizes, &counts);
        let arcs: Vec<Vec<usize>> = (self.classes.iter().enumerate())
            .map(|(number, class)| class.offers.iter().map(|&offer| network.offer(number, offer)).collect())
            .collect();
        network.maximise();

        let mut covered_by = vec![None; findings.len()];
        for (class, arcs) in self.classes.iter().zip(&arcs) {
            let flows = class.offers.iter().zip(arcs).map(|(&offer, &arc)| (offer, network.flow(arc)));
            for (member, offer) in self.members(class, flows, findings) {
                covered_by[member] = Some(waivers[self.offers[offer].waiver].grant);
            }
        }
        let unused = self.unused(waivers);
        let exceeded = self.exceeded(waivers, &covered_by);
        Assignment { covered_by, moved_from: BTreeMap::new(), unused, exceeded }
    }

    /// Which findings of a class the offers cover, given how many each does: first those nearest to the lines that it
    /// names, then in the order of the report, so that the excess blocks.
    fn members(
        &self,
        class: &Class,
        flows: impl Iterator<Item = (usize, u64)>,
        findings: &[Finding],
    ) -> Vec<(usize, usize)> {
        let (mut targets, mut others) = (Vec::new(), Vec::new());
        for (offer, flow) in flows {
            let flow = usize::try_from(flow).unwrap_or(usize::MAX);
            let lines = self.offers[offer].fit.evidence.lines.iter().take(flow);
            targets.extend(lines.clone().map(|line| (*line, offer)));
            others.extend(std::iter::repeat_n(offer, flow - lines.count()));
        }
        targets.sort_unstable();
        let lines: Vec<Option<u64>> = class.findings.iter().map(|&finding| findings[finding].line).collect();
        let wanted: Vec<u64> = targets.iter().map(|(line, _)| *line).collect();
        let near = nearest(&lines, &wanted);
        let mut open = vec![true; class.findings.len()];
        let mut members = Vec::with_capacity(near.len() + others.len());
        for (index, (_, offer)) in near.into_iter().zip(&targets) {
            open[index] = false;
            members.push((class.findings[index], *offer));
        }
        let rest = class.findings.iter().zip(open).filter(|(_, open)| *open).map(|(finding, _)| *finding);
        members.extend(rest.zip(others));
        members
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

    fn exceeded(&self, waivers: &[Waiver<'_>], covered_by: &[Option<u64>]) -> Vec<Exceeded> {
        let (mut fits, mut blocked) = (vec![0; self.offers.len()], vec![0; self.offers.len()]);
        for class in &self.classes {
            let open = class.findings.iter().filter(|&&finding| covered_by[finding].is_none()).count() as u64;
            for &offer in &class.offers {
                fits[offer] += class.findings.len() as u64;
                blocked[offer] += open;
            }
        }
        let mut exceeded: Vec<(usize, Exceeded)> = (self.offers.iter().zip(fits).zip(blocked))
            .filter(|(_, blocked)| *blocked > 0)
            .map(|((offer, fits), blocked)| {
                let grant = waivers[offer.waiver].grant;
                (offer.waiver, Exceeded { grant, evidence: offer.fit.evidence.clone(), fits, blocked })
            })
            .collect();
        exceeded.sort_by_key(|(waiver, _)| *waiver);
        exceeded.into_iter().map(|(_, exceeded)| exceeded).collect()
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
                let all: BTreeSet<&str> = all.flat_map(|one| sides(one)).collect();
                for key in all {
                    of_rule.by_fingerprint.entry(key).or_default().push(number);
                }
            }
            None => of_rule.others.push(number),
        }
    }
    index
}

/// Fills `fitting` with the offers that fit `finding`, narrowest first.
fn find_fitting(
    offers: &[Offer<'_>],
    index: &HashMap<&str, OfRule<'_>>,
    (finding, steps): (&Finding, &Steps),
    fitting: &mut Vec<usize>,
) {
    fitting.clear();
    let Some(of_rule) = index.get(finding.rule.as_str()) else { return };
    let exact = fingerprints(finding).filter_map(|key| of_rule.by_fingerprint.get(key)).flatten();
    let mut candidates: Vec<usize> = exact.copied().collect();
    candidates.sort_unstable();
    candidates.dedup();
    // Evidence with a fingerprint is narrower than any other, so both parts together are in order.
    let all = candidates.iter().chain(&of_rule.others).copied();
    fitting.extend(all.filter(|&number| offers[number].fit.fits(finding, steps)));
}
