//! Which findings stand where the accepted ones stood.
//!
//! Evidence that was made from a decision knows the line of each accepted finding and what stood around it. Of the findings
//! of one file that it fits, those are the accepted ones that lie with them side by side: both are put in the order of
//! their lines, as two texts are compared, so that as much as possible agrees of what stands around them and of where they
//! would be now ([`Courses`]). What too little says to be an accepted one is another one, and is not offered to the
//! evidence: a new finding does not take the place of an accepted one that is gone.
//!
//! It is done twice. First, findings with the same around, found as often as accepted, are the fixed points of their file;
//! then all that was recognised by these. Last, what is left and has the same around was moved past other code.
//!
//! Invariants: deterministic, and the order of the report does not matter; no more findings than the evidence counts, unless
//! it counts more than it knows places of. Work: for evidence with `p` places that fits `f` findings `p * f` steps, as long
//! as [`STEPS`] of them are left for a judgement; after that only the same around is recognised, in `p + f` steps.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use gate_model::finding::{Evidence, Finding};

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

/// Evidence that knows places, and the findings of one file that it fits.
pub(super) struct Group<'a> {
    path: Option<&'a str>,
    /// In the order of their lines.
    accepted: Vec<Spot<'a>>,
    found: Vec<Spot<'a>>,
    /// The number of each of the found.
    numbers: Vec<usize>,
    /// Whether the evidence counts more than it knows places of.
    more: bool,
}

impl<'a> Group<'a> {
    /// `None` where the evidence knows no places, or fits findings in several files: then its count alone decides.
    pub(super) fn of(
        evidence: &'a Evidence,
        mut numbers: Vec<usize>,
        findings: &'a [Finding],
    ) -> Option<Self> {
        let path = findings[*numbers.first()?].path.as_deref();
        let elsewhere = |number: &usize| findings[*number].path.as_deref() != path;
        if evidence.lines.is_empty() || numbers.iter().any(elsewhere) {
            return None;
        }
        let spot = |number: usize| {
            let finding = &findings[number];
            Spot::of(finding.line.unwrap_or(NOWHERE), finding.around.as_deref().unwrap_or_default())
        };
        numbers.sort_by_key(|number| (findings[*number].line.unwrap_or(NOWHERE), &findings[*number].around));
        let around = evidence.around.iter().map(String::as_str).chain(std::iter::repeat(""));
        let most = usize::try_from(evidence.count).unwrap_or(usize::MAX);
        let places = evidence.lines.iter().zip(around).take(most);
        let mut accepted: Vec<Spot<'a>> = places.map(|(line, around)| Spot::of(*line, around)).collect();
        accepted.sort_by_key(|spot| (spot.line, spot.text));
        let found = numbers.iter().map(|number| spot(*number)).collect();
        let more = most > accepted.len();
        Some(Self { path, accepted, found, numbers, more })
    }

    /// What is found as often as it was accepted, with the same around; also where nothing is known of that.
    fn again(&self) -> Vec<(usize, usize)> {
        let found = by_around(&self.found);
        let mut pairs = Vec::new();
        for (around, before) in by_around(&self.accepted) {
            let now = found.get(around).filter(|now| now.len() == before.len());
            pairs.extend(now.into_iter().flat_map(|now| before.iter().copied().zip(now.iter().copied())));
        }
        pairs
    }

    /// Makes fixed points of `pairs`.
    fn fix(&self, pairs: &[(usize, usize)], fixed: &mut Pairs<'a>) {
        let Some(path) = self.path else { return };
        let lines = pairs.iter().map(|(before, now)| (self.accepted[*before].line, self.found[*now].line));
        fixed.entry(path).or_default().extend(lines.filter(|(_, now)| *now != NOWHERE));
    }

    /// The pairs that agree, none where that would take too many of the `steps` that are left.
    fn agreeing(&self, courses: &Courses<'_>, steps: &mut usize) -> Vec<(usize, usize)> {
        if self.more {
            return self.again();
        }
        let cost = self.accepted.len().saturating_mul(self.found.len());
        if cost > *steps {
            return Vec::new();
        }
        *steps -= cost;
        self.side_by_side(courses)
    }

    /// The numbers of the findings that stand where the accepted ones stood.
    fn standing(&self, mut pairs: Vec<(usize, usize)>) -> HashSet<usize> {
        if self.more {
            return self.numbers.iter().copied().collect();
        }
        self.join(&mut pairs);
        pairs.into_iter().map(|(_, found)| self.numbers[found]).collect()
    }

    /// Pairs what is left of both sides and has the same around, in the order of the lines.
    fn join(&self, pairs: &mut Vec<(usize, usize)>) {
        let (taken, given): (HashSet<usize>, HashSet<usize>) = pairs.iter().copied().unzip();
        let mut found = by_around(&self.found);
        for same in found.values_mut() {
            same.retain(|index| !given.contains(index));
        }
        for (index, spot) in self.accepted.iter().enumerate().filter(|(index, _)| !taken.contains(index)) {
            pairs.extend(found.get_mut(spot.text).and_then(VecDeque::pop_front).map(|next| (index, next)));
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

/// For each group, by its key, the numbers of the findings that stand where the accepted ones stood.
pub(super) fn standing(groups: &BTreeMap<usize, Group<'_>>) -> HashMap<usize, HashSet<usize>> {
    let mut pairs: BTreeMap<usize, Vec<(usize, usize)>> =
        groups.iter().map(|(key, group)| (*key, group.again())).collect();
    let mut steps = STEPS;
    for _ in 0..2 {
        let mut fixed = Pairs::new();
        for (key, group) in groups {
            group.fix(&pairs[key], &mut fixed);
        }
        let courses = Courses::of(fixed);
        pairs = groups.iter().map(|(key, group)| (*key, group.agreeing(&courses, &mut steps))).collect();
    }
    groups
        .iter()
        .zip(pairs.into_values())
        .map(|((key, group), pairs)| (*key, group.standing(pairs)))
        .collect()
}
