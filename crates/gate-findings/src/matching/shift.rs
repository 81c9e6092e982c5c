//! How far the lines of a file moved between what was accepted and what is found now.
//!
//! Of findings that are alike the nearest one is the accepted one; but where code was inserted above, another may stand
//! nearer to the old line. Findings of the same file that nobody can confuse with others show how far it moved there.
//!
//! Invariant: this only chooses among findings that the same evidence fits, never how many of them are covered.

use std::collections::HashMap;

/// So many of the nearest pairs are asked; the shift that most of them have counts.
const ASKED: usize = 5;

/// Pairs of lines: what was accepted, and where the same is found now; by file, rising.
#[derive(Debug, Default)]
pub(super) struct Shifts<'a> {
    pairs: HashMap<&'a str, Vec<(u64, u64)>>,
}

impl<'a> Shifts<'a> {
    /// Learns from all the findings of one kind in `path`: as many are found as were accepted, so that their order tells
    /// which is which.
    pub(super) fn learn(&mut self, path: &'a str, accepted: &mut [u64], found: &mut [u64]) {
        accepted.sort_unstable();
        found.sort_unstable();
        self.pairs.entry(path).or_default().extend(accepted.iter().copied().zip(found.iter().copied()));
    }

    /// Puts the pairs in order, once all are known.
    pub(super) fn ready(mut self) -> Self {
        self.pairs.values_mut().for_each(|pairs| pairs.sort_unstable());
        self
    }

    /// Where the line of `path` that was accepted is likely to be now.
    pub(super) fn now(&self, path: &str, line: u64) -> u64 {
        let Some(pairs) = self.pairs.get(path) else { return line };
        let start = pairs.partition_point(|(accepted, _)| *accepted < line);
        let (mut below, mut above) =
            (pairs[..start].iter().rev().peekable(), pairs[start..].iter().peekable());
        let mut votes: Vec<(i64, usize)> = Vec::with_capacity(ASKED);
        for _ in 0..ASKED {
            let is_below = match (below.peek(), above.peek()) {
                (Some((under, _)), Some((over, _))) => line - under <= over - line,
                (under, _) => under.is_some(),
            };
            let Some((accepted, found)) = (if is_below { below.next() } else { above.next() }) else { break };
            let shift = found.cast_signed().wrapping_sub(accepted.cast_signed());
            match votes.iter_mut().find(|(known, _)| *known == shift) {
                Some((_, count)) => *count += 1,
                None => votes.push((shift, 1)),
            }
        }
        // Of shifts that as many have, the one of the nearest.
        let most = votes.iter().rev().max_by_key(|(_, count)| *count);
        most.map_or(line, |(shift, _)| line.saturating_add_signed(*shift))
    }
}

#[cfg(test)]
mod tests {
    use super::Shifts;

    #[test]
    fn a_line_moves_as_far_as_its_neighbours() {
        let mut shifts = Shifts::default();
        shifts.learn("a", &mut [200, 210, 220], &mut [290, 280, 270]);
        shifts.learn("a", &mut [10], &mut [10]);
        shifts.learn("a", &mut [30], &mut [31]);
        let shifts = shifts.ready();
        for (line, expected) in [(215, 285), (12, 82), (400, 470), (u64::MAX, u64::MAX)] {
            assert_eq!(shifts.now("a", line), expected, "{line}");
        }
        assert_eq!(shifts.now("b", 215), 215);
    }

    #[test]
    fn one_that_went_astray_is_outvoted() {
        let mut shifts = Shifts::default();
        shifts.learn("a", &mut [10, 20, 30], &mut [50, 60, 70]);
        shifts.learn("a", &mut [21], &mut [900]);
        assert_eq!(shifts.ready().now("a", 22), 62);
    }

    #[test]
    fn of_two_the_nearer_counts() {
        let mut shifts = Shifts::default();
        shifts.learn("a", &mut [10], &mut [10]);
        shifts.learn("a", &mut [100], &mut [107]);
        let shifts = shifts.ready();
        assert_eq!((shifts.now("a", 20), shifts.now("a", 80)), (20, 87));
    }
}
