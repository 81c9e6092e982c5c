//! Findings that the same evidence fits, taken together.
//!
//! A report of 100 thousand findings has few such classes, so the flow stays small. Evidence is looked up by
//! rule, and by fingerprint where it has one, so that exact evidence costs one look-up per finding.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use gate_model::finding::Finding;
use gate_model::glob::Steps;

use super::flow::Network;
use super::nearest::nearest;
use super::shift::Shifts;
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

impl Class {
    /// The one file that all its findings are in.
    fn path<'f>(&self, findings: &'f [Finding]) -> Option<&'f str> {
        let mut paths = self.findings.iter().map(|&finding| findings[finding].path.as_deref());
        let first = paths.next()??;
        paths.all(|path| path == Some(first)).then_some(first)
    }
}

/// What offers cover of a class.
#[derive(Default)]
struct Wanted {
    /// The lines that were accepted, each with its offer.
    lines: Vec<(u64, usize)>,
    /// The offers of what was accepted without a line.
    others: Vec<usize>,
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
        let wanted: Vec<Wanted> =
            self.classes.iter().zip(&arcs).map(|(class, arcs)| self.wanted(class, arcs, &network)).collect();
        let shifts = self.shifts(&wanted, findings);
        for (class, wanted) in self.classes.iter().zip(wanted) {
            for (member, offer) in members(class, wanted, findings, &shifts) {
                covered_by[member] = Some(waivers[self.offers[offer].waiver].grant);
            }
        }
        let unused = self.unused(waivers);
        let exceeded = self.exceeded(waivers, &covered_by);
        Assignment { covered_by, moved_from: BTreeMap::new(), unused, exceeded }
    }

    /// What the offers of a class cover of it: what flows along its `arcs`.
    fn wanted(&self, class: &Class, arcs: &[usize], network: &Network) -> Wanted {
        let mut wanted = Wanted::default();
        for (&offer, &arc) in class.offers.iter().zip(arcs) {
            let flow = usize::try_from(network.flow(arc)).unwrap_or(usize::MAX);
            let lines = self.offers[offer].fit.evidence.lines.iter().take(flow);
            wanted.others.extend(std::iter::repeat_n(offer, flow - lines.len()));
            wanted.lines.extend(lines.map(|line| (*line, offer)));
        }
        wanted
    }

    /// How far the lines of those files moved in which some of alike findings are covered and some are not.
    fn shifts<'f>(&self, wanted: &[Wanted], findings: &'f [Finding]) -> Shifts<'f> {
        let classes = || {
            self.classes
                .iter()
                .zip(wanted)
                .filter_map(|(class, wanted)| Some((class.path(findings)?, class, wanted)))
        };
        let is_open =
            |class: &Class, wanted: &Wanted| wanted.lines.len() + wanted.others.len() < class.findings.len();
        let unsure: HashSet<&str> =
            classes().filter(|(_, class, wanted)| is_open(class, wanted)).map(|(path, ..)| path).collect();
        let mut shifts = Shifts::default();
        for (path, class, wanted) in classes().filter(|(path, ..)| unsure.contains(path)) {
            let mut found: Vec<u64> =
                class.findings.iter().filter_map(|&finding| findings[finding].line).collect();
            if found.len() == class.findings.len() && found.len() == wanted.lines.len() {
                let mut accepted: Vec<u64> = wanted.lines.iter().map(|(line, _)| *line).collect();
                shifts.learn(path, &mut accepted, &mut found);
            }
        }
        shifts.ready()
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

/// Which findings of a class are covered, by which offer: first those nearest to the lines that were accepted, then in the
/// order of the report, so that the excess blocks.
fn members(class: &Class, wanted: Wanted, findings: &[Finding], shifts: &Shifts<'_>) -> Vec<(usize, usize)> {
    let path = class.path(findings);
    let now = |line: u64| path.map_or(line, |path| shifts.now(path, line));
    let mut targets: Vec<(u64, usize)> =
        wanted.lines.iter().map(|(line, offer)| (now(*line), *offer)).collect();
    targets.sort_unstable();
    let lines: Vec<Option<u64>> = class.findings.iter().map(|&finding| findings[finding].line).collect();
    let near = nearest(&lines, &targets.iter().map(|(line, _)| *line).collect::<Vec<_>>());
    let mut open = vec![true; class.findings.len()];
    let mut members = Vec::with_capacity(near.len() + wanted.others.len());
    for (index, (_, offer)) in near.into_iter().zip(&targets) {
        open[index] = false;
        members.push((class.findings[index], *offer));
    }
    let rest = class.findings.iter().zip(open).filter(|(_, open)| *open).map(|(finding, _)| *finding);
    members.extend(rest.zip(wanted.others));
    members
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
