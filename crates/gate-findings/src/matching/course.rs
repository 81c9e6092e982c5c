//! Where the lines of a file are by now.
//!
//! Some accepted findings are surely found again: they are fixed points, each with its line of then and its line of now. As
//! code is rarely moved past other code, what stood between two of them stands between them still. Fixed points that cross
//! others are what was moved itself, so that only the longest row of them counts that rises in both lines.
//!
//! Invariant: this only chooses among findings that the same evidence fits, never how many of them are covered at most.

use std::collections::{BTreeMap, HashMap};

/// Pairs of lines, then and now, by file.
pub(super) type Pairs<'a> = BTreeMap<&'a str, Vec<(u64, u64)>>;

/// Where a line is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expected {
    /// The line, if nothing changed since the nearest fixed point.
    pub(super) line: u64,
    /// The fixed points around it: it stands behind the first and before the second.
    between: (u64, u64),
}

impl Expected {
    /// Whether `line` lies between the same fixed points.
    pub(super) const fn allows(&self, line: u64) -> bool {
        self.between.0 < line && line < self.between.1
    }

    /// Whether there are any in the file.
    pub(super) const fn is_bounded(&self) -> bool {
        self.between.0 > 0 || self.between.1 < u64::MAX
    }
}

/// The fixed points of each file, rising in both lines.
#[derive(Debug)]
pub(super) struct Courses<'a> {
    fixed: HashMap<&'a str, Vec<(u64, u64)>>,
}

impl<'a> Courses<'a> {
    pub(super) fn of(pairs: Pairs<'a>) -> Self {
        Self { fixed: pairs.into_iter().map(|(path, pairs)| (path, rising(pairs))).collect() }
    }

    /// Where the line of `path` that was accepted is by now.
    pub(super) fn expected(&self, path: Option<&str>, line: u64) -> Expected {
        let fixed = path.and_then(|path| self.fixed.get(path)).map_or(&[][..], Vec::as_slice);
        let at = fixed.partition_point(|(then, _)| *then < line);
        let before = at.checked_sub(1).map_or((0, 0), |at| fixed[at]);
        let Some(&after) = fixed.get(at) else {
            return Expected { line: moved(line, before), between: (before.1, u64::MAX) };
        };
        if after.0 == line {
            return Expected {
                line: after.1,
                between: (after.1.saturating_sub(1), after.1.saturating_add(1)),
            };
        }
        let nearest = if line - before.0 <= after.0 - line { before } else { after };
        Expected { line: moved(line, nearest), between: (before.1, after.1) }
    }
}

/// `line` moved as far as a fixed point.
const fn moved(line: u64, (then, now): (u64, u64)) -> u64 {
    line.saturating_add_signed(now.cast_signed().wrapping_sub(then.cast_signed()))
}

/// The longest row of pairs that rises in both.
fn rising(mut pairs: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    // Of several with one line of then, at most one can be in a row that rises.
    pairs.sort_by_key(|(then, now)| (*then, std::cmp::Reverse(*now)));
    // ends[n]: the pair with the smallest line of now in which a row of n + 1 pairs ends; before: the one in front of each.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (index, (_, now)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < *now);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        if length == ends.len() {
            ends.push(index);
        } else {
            ends[length] = index;
        }
    }
    let mut row: Vec<(u64, u64)> = std::iter::successors(ends.last().copied(), |index| before[*index])
        .map(|index| pairs[index])
        .collect();
    row.reverse();
    row
}

#[cfg(test)]
mod tests {
    use super::{Courses, Pairs, rising};

    fn courses(pairs: &[(u64, u64)]) -> Courses<'static> {
        Courses::of(Pairs::from([("a", pairs.to_vec())]))
    }

    #[test]
    fn the_longest_row_that_rises_is_what_did_not_move() {
        for (pairs, expected) in [
            (vec![], vec![]),
            (vec![(3, 3), (1, 1), (2, 2)], vec![(1, 1), (2, 2), (3, 3)]),
            (vec![(10, 100), (20, 30), (30, 40), (40, 50)], vec![(20, 30), (30, 40), (40, 50)]),
            (vec![(10, 10), (10, 11), (20, 11), (20, 10)], vec![(10, 10), (20, 11)]),
            (vec![(1, 5), (1, 5), (2, 6)], vec![(1, 5), (2, 6)]),
        ] {
            assert_eq!(rising(pairs.clone()), expected, "{pairs:?}");
        }
    }

    #[test]
    fn a_line_stays_between_its_fixed_points_and_moves_with_the_nearer_one() {
        let courses = courses(&[(10, 15), (100, 140)]);
        for (line, expected, low, high) in [
            (5, 5, 0, 15),
            (12, 17, 15, 140),
            (90, 130, 15, 140),
            (100, 140, 139, 141),
            (200, 240, 140, u64::MAX),
        ] {
            let found = courses.expected(Some("a"), line);
            assert_eq!(found.line, expected, "{line}");
            assert!(!found.allows(low) && found.allows(low + 1), "{line}");
            assert!(!found.allows(high) && found.allows(high - 1), "{line}");
        }
        let elsewhere = courses.expected(Some("b"), 12);
        assert!(elsewhere.line == 12 && elsewhere.allows(1) && elsewhere.allows(1_000_000));
        assert_eq!(courses.expected(None, 12), elsewhere);
        assert!(!elsewhere.is_bounded() && courses.expected(Some("a"), 200).is_bounded());
        assert_eq!(courses.expected(Some("a"), u64::MAX).line, u64::MAX);
    }
}
