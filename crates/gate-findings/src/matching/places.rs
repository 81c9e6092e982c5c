//! Which findings stand where the accepted ones stood.
//!
//! Evidence that was made from a decision knows the line of each accepted finding and what stood around it. Of the findings
//! of one file that it fits, those are the accepted ones that lie with them side by side: both are put in the order of
//! their lines, as two texts are compared, so that as much as possible agrees of what stands around them and of where they
//! would be now ([`Courses`]). What too little says to be an accepted one is another one, and is not offered to the
//! evidence: a new finding does not take the place of an accepted one that is gone.
//!
//! All evidence that fits findings in common is laid beside them at once, so that no two accepted findings choose the same
//! one. A place that several of them know, which differ in nothing but places, is one accepted finding, as often as one of
//! them says: to accept it twice accepts no other.
//!
//! It is done twice. First, findings with the same around, found as often as accepted, are the fixed points of their file;
//! then all that was recognised by these. Last, what is left and has the same around was moved past other code.
//!
//! Invariants: deterministic, and the order of the report does not matter; no more findings than the evidence counts, unless
//! it counts more than it knows places of: then its count alone decides. Work: for evidence with `p` places that fits `f`
//! findings `p * f` steps, as long as [`STEPS`] of them are left for a judgement; after that only the same around is
//! recognised, and of what nothing is known the order, in `p + f` steps. Memory: no finding is in two groups.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use gate_model::finding::{Evidence, Finding};

use super::classes::Class;
use super::course::{Courses, Expected, Pairs};
use crate::around::Around;

/// The comparisons of one judgement: a fraction of a second.
const STEPS: usize = 1 << 25;

/// So much of what stands around a finding says that it is an accepted one, wherever in the file it stands.
const ENOUGH: usize = 3;

/// What one more point weighs, so that lines that are further away decide only between as many points.
const POINT: i64 = 1 << 32;
/// Lines further away than this are equally far.
const FAR: u64 = 1 << 20;

/// The line of a finding without one.
const NOWHERE: u64 = u64::MAX;

/// A line, and what stands around it.
#[derive(Debug, Clone, Copy)]
struct Spot<'a> {
    line: u64,
    /// As it is kept; empty where it is not known.
    text: &'a str,
    around: Option<Around>,
}

impl<'a> Spot<'a> {
    fn of(line: u64, text: &'a str) -> Self {
        Self { line, text, around: Around::parse(text) }
    }
}

/// Evidence that knows places and fits findings in common, and these findings, all of one file.
struct Group<'a> {
    path: Option<&'a str>,
    /// In the order of their lines. What several evidence of the same say of the same place is one accepted finding.
    accepted: Vec<Spot<'a>>,
    /// For each of the accepted the offers that know it, rising.
    known_to: Vec<Vec<usize>>,
    /// In the order of their lines.
    found: Vec<Spot<'a>>,
    /// For each of the found its number, and the offers that fit it, rising.
    fitting: Vec<(usize, &'a [usize])>,
}

impl<'a> Group<'a> {
    fn of(members: &Members<'a>, evidence: &[&'a Evidence], findings: &'a [Finding]) -> Self {
        let mut places: BTreeMap<(u64, &str, usize, usize), Vec<usize>> = BTreeMap::new();
        let mut kinds: HashMap<Evidence, usize> = HashMap::new();
        for &offer in &members.offers {
            let next = kinds.len();
            let kind = *kinds.entry(without_places(evidence[offer])).or_insert(next);
            let mut times: HashMap<(u64, &str), usize> = HashMap::new();
            for (line, around) in places_of(evidence[offer]) {
                let time = times.entry((line, around)).or_default();
                places.entry((line, around, kind, *time)).or_default().push(offer);
                *time += 1;
            }
        }
        let of_class = |class: &&'a Class| {
            let offers = class.offers.as_slice();
            class.findings.iter().map(move |number| (*number, offers))
        };
        let mut fitting: Vec<(usize, &[usize])> = members.classes.iter().flat_map(of_class).collect();
        fitting.sort_by_key(|(number, _)| {
            let finding = &findings[*number];
            (finding.line.unwrap_or(NOWHERE), &finding.around, *number)
        });
        let spot = |(number, _): &(usize, &[usize])| {
            let finding = &findings[*number];
            Spot::of(finding.line.unwrap_or(NOWHERE), finding.around.as_deref().unwrap_or_default())
        };
        Self {
            path: fitting.first().and_then(|(number, _)| findings[*number].path.as_deref()),
            accepted: places.keys().map(|(line, around, ..)| Spot::of(*line, around)).collect(),
            known_to: places.into_values().collect(),
            found: fitting.iter().map(spot).collect(),
            fitting,
        }
    }

    /// The offers that know the accepted and fit the found of a pair.
    fn offers(&self, (accepted, found): (usize, usize)) -> impl Iterator<Item = usize> {
        let fitting = self.fitting[found].1;
        self.known_to[accepted].iter().copied().filter(|offer| fitting.binary_search(offer).is_ok())
    }

    fn fits(&self, pair: (usize, usize)) -> bool {
        self.offers(pair).next().is_some()
    }

    /// What is found as often as it was accepted, with the same around; also where nothing is known of that.
    fn again(&self) -> Vec<(usize, usize)> {
        let found = by_around(&self.found);
        let mut pairs = Vec::new();
        for (around, before) in by_around(&self.accepted) {
            let now = found.get(around).filter(|now| now.len() == before.len());
            pairs.extend(now.into_iter().flat_map(|now| before.iter().copied().zip(now.iter().copied())));
        }
        pairs.retain(|pair| self.fits(*pair));
        pairs
    }

    /// Makes fixed points of `pairs`.
    fn fix(&self, pairs: &[(usize, usize)], fixed: &mut Pairs<'a>) {
        let Some(path) = self.path else { return };
        let lines = pairs.iter().map(|(before, now)| (self.accepted[*before].line, self.found[*now].line));
        fixed.entry(path).or_default().extend(lines.filter(|(_, now)| *now != NOWHERE));
    }

    /// The pairs that agree; `None` where that would take too many of the `steps` that are left.
    fn agreeing(&self, courses: &Courses<'_>, steps: &mut usize) -> Option<Vec<(usize, usize)>> {
        let known = self.known_to.iter().map(Vec::len).sum::<usize>();
        *steps = steps.checked_sub(known.checked_mul(self.found.len())?)?;
        Some(self.side_by_side(courses))
    }

    /// Pairs what is left of both sides and has the same around, in the order of the lines. Where the sides were not
    /// `compared`, a spot of which nothing is known pairs with any, as it does there.
    fn join(&self, pairs: &mut Vec<(usize, usize)>, compared: bool) {
        let unknown = |spot: &Spot<'a>| spot.around.is_none().then_some("");
        self.join_by(pairs, |spot| Some(spot.text), |spot| Some(spot.text));
        if !compared {
            self.join_by(pairs, unknown, |_| Some(""));
            self.join_by(pairs, |_| Some(""), unknown);
        }
    }

    /// Pairs what is left of both sides and has the same key, in the order of the lines.
    fn join_by(
        &self,
        pairs: &mut Vec<(usize, usize)>,
        of_accepted: impl Fn(&Spot<'a>) -> Option<&'a str>,
        of_found: impl Fn(&Spot<'a>) -> Option<&'a str>,
    ) {
        let (taken, given): (HashSet<usize>, HashSet<usize>) = pairs.iter().copied().unzip();
        let mut left: HashMap<&str, VecDeque<usize>> = HashMap::new();
        for (index, spot) in self.found.iter().enumerate().filter(|(index, _)| !given.contains(index)) {
            if let Some(key) = of_found(spot) {
                left.entry(key).or_default().push_back(index);
            }
        }
        for (index, spot) in self.accepted.iter().enumerate().filter(|(index, _)| !taken.contains(index)) {
            let same = of_accepted(spot).and_then(|key| left.get_mut(key));
            if let Some(same) = same
                && let Some(&next) = same.front()
                && self.fits((index, next))
            {
                same.pop_front();
                pairs.push((index, next));
            }
        }
    }

    /// The pairs of accepted and found that agree most, none of which crosses another.
    fn side_by_side(&self, courses: &Courses<'_>) -> Vec<(usize, usize)> {
        let width = self.found.len() + 1;
        let mut steps = vec![Step::Found; (self.accepted.len() + 1) * width];
        let mut above = vec![0_i64; width];
        for (row, accepted) in self.accepted.iter().enumerate() {
            let expected = courses.expected(self.path, accepted.line);
            let mut current = vec![0_i64; width];
            for (column, found) in self.found.iter().enumerate() {
                let mut best = (above[column + 1], Step::Accepted);
                if current[column] > best.0 {
                    best = (current[column], Step::Found);
                }
                if let Some(worth) = agreement(accepted, expected, found)
                    && above[column] + worth > best.0
                    && self.fits((row, column))
                {
                    best = (above[column] + worth, Step::Both);
                }
                (current[column + 1], steps[(row + 1) * width + column + 1]) = best;
            }
            above = current;
        }
        trace(&steps, width, self.accepted.len())
    }
}

/// What a step of the comparison leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// A pair.
    Both,
    /// An accepted one that is gone.
    Accepted,
    /// A found one that is new.
    Found,
}

/// The pairs on the way back from the last step.
fn trace(steps: &[Step], width: usize, rows: usize) -> Vec<(usize, usize)> {
    let (mut row, mut column) = (rows, width - 1);
    let mut pairs = Vec::new();
    while row > 0 && column > 0 {
        match steps[row * width + column] {
            Step::Both => {
                row -= 1;
                column -= 1;
                pairs.push((row, column));
            }
            Step::Accepted => row -= 1,
            Step::Found => column -= 1,
        }
    }
    pairs
}

/// So much around a finding has to be the same where it stands between the right fixed points, or where there are none.
const fn least(expected: Expected) -> usize {
    if expected.is_bounded() { 1 } else { 2 }
}

/// How much speaks for two spots being the same; `None` where too little does: neither the very line, nor the place and
/// something around, nor enough around.
fn agreement(accepted: &Spot<'_>, expected: Expected, found: &Spot<'_>) -> Option<i64> {
    let away = found.line.abs_diff(expected.line);
    let likeness = accepted.around.zip(found.around).map(|(one, other)| one.likeness(other));
    let points = match likeness {
        None => ENOUGH,
        Some(parts) if away == 0 || expected.allows(found.line) && parts >= least(expected) => parts + 2,
        Some(parts @ ENOUGH..) => parts + 1,
        Some(_) => return None,
    };
    let points = i64::try_from(points).unwrap_or_default();
    let away = i64::try_from(away.min(FAR)).unwrap_or_default();
    Some(points * POINT - away)
}

/// The spots with each around, in their order.
fn by_around<'a>(spots: &[Spot<'a>]) -> BTreeMap<&'a str, VecDeque<usize>> {
    let mut by_around: BTreeMap<&str, VecDeque<usize>> = BTreeMap::new();
    for (index, spot) in spots.iter().enumerate() {
        by_around.entry(spot.text).or_default().push_back(index);
    }
    by_around
}

/// What evidence says beside where and how often.
fn without_places(evidence: &Evidence) -> Evidence {
    Evidence { count: 0, lines: Vec::new(), around: Vec::new(), ..evidence.clone() }
}

/// The lines that evidence knows, with what stood around each: no more than it counts.
fn places_of(evidence: &Evidence) -> impl Iterator<Item = (u64, &str)> {
    let around = evidence.around.iter().map(String::as_str).chain(std::iter::repeat(""));
    let most = usize::try_from(evidence.count).unwrap_or(usize::MAX);
    evidence.lines.iter().copied().zip(around).take(most)
}

/// What belongs together: offers that know places and, directly or through others, fit findings in common.
#[derive(Default)]
struct Members<'a> {
    offers: BTreeSet<usize>,
    classes: Vec<&'a Class>,
}

/// Which findings stand where accepted ones stood.
pub(super) struct Standing {
    /// For each offer whether it is for those alone.
    placed: Vec<bool>,
    /// For each of those, by number, the offers that accepted it, rising.
    accepted_by: HashMap<usize, Vec<usize>>,
}

impl Standing {
    /// `evidence` is that of each offer.
    pub(super) fn of(classes: &[Class], evidence: &[&Evidence], findings: &[Finding]) -> Self {
        let placed = placed(classes, evidence, findings);
        let groups: Vec<Group<'_>> =
            together(classes, &placed).iter().map(|members| Group::of(members, evidence, findings)).collect();
        let mut accepted_by = HashMap::new();
        for (group, pairs) in groups.iter().zip(paired(&groups)) {
            let one = |pair: (usize, usize)| (group.fitting[pair.1].0, group.offers(pair).collect());
            accepted_by.extend(pairs.into_iter().map(one));
        }
        Self { placed, accepted_by }
    }

    /// Whether `offer`, which fits the finding `number`, is for it.
    pub(super) fn is_for(&self, offer: usize, number: usize) -> bool {
        let accepted = |offers: &Vec<usize>| offers.binary_search(&offer).is_ok();
        !self.placed[offer] || self.accepted_by.get(&number).is_some_and(accepted)
    }
}

/// For each offer whether it knows the places of all that it counts, and fits findings of one file: else its count alone
/// decides.
fn placed(classes: &[Class], evidence: &[&Evidence], findings: &[Finding]) -> Vec<bool> {
    let knows = |evidence: &&Evidence| places_of(evidence).count() as u64 == evidence.count;
    let mut placed: Vec<bool> = evidence.iter().map(knows).collect();
    let mut files: HashMap<usize, Option<&str>> = HashMap::new();
    for class in classes {
        let path = |number: usize| findings[number].path.as_deref();
        let file = path(class.findings[0]);
        let is_one = class.findings.iter().all(|number| path(*number) == file);
        for &offer in &class.offers {
            placed[offer] &= is_one && *files.entry(offer).or_insert(file) == file;
        }
    }
    placed
}

/// The `placed` offers and the classes that they fit, taken together.
fn together<'a>(classes: &'a [Class], placed: &[bool]) -> Vec<Members<'a>> {
    let own = |class: &'a Class| class.offers.iter().copied().filter(|offer| placed[*offer]);
    let mut first: Vec<usize> = (0..placed.len()).collect();
    for class in classes {
        let mut own = own(class);
        if let Some(one) = own.next() {
            for other in own {
                let (one, other) = (first_of(&mut first, one), first_of(&mut first, other));
                first[one.max(other)] = one.min(other);
            }
        }
    }
    let mut members: BTreeMap<usize, Members<'_>> = BTreeMap::new();
    for class in classes {
        if let Some(one) = own(class).next() {
            let members = members.entry(first_of(&mut first, one)).or_default();
            members.offers.extend(own(class));
            members.classes.push(class);
        }
    }
    members.into_values().collect()
}

/// The first of those that `offer` belongs to, remembered on the way.
fn first_of(first: &mut [usize], mut offer: usize) -> usize {
    while first[offer] != offer {
        first[offer] = first[first[offer]];
        offer = first[offer];
    }
    offer
}

/// For each group its pairs of accepted and found.
fn paired(groups: &[Group<'_>]) -> Vec<Vec<(usize, usize)>> {
    let mut pairs: Vec<Option<Vec<(usize, usize)>>> =
        groups.iter().map(|group| Some(group.again())).collect();
    let mut steps = STEPS;
    for _ in 0..2 {
        let mut fixed = Pairs::new();
        for (group, pairs) in groups.iter().zip(&pairs) {
            group.fix(pairs.as_deref().unwrap_or_default(), &mut fixed);
        }
        let courses = Courses::of(fixed);
        pairs = groups.iter().map(|group| group.agreeing(&courses, &mut steps)).collect();
    }
    let joined = |(group, pairs): (&Group<'_>, Option<Vec<_>>)| {
        let compared = pairs.is_some();
        let mut pairs = pairs.unwrap_or_default();
        group.join(&mut pairs, compared);
        pairs
    };
    groups.iter().zip(pairs).map(joined).collect()
}
