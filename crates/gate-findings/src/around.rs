//! What stands around a finding's line: how it is kept, and how much of it two findings have in common.
//!
//! ```text
//! around  = part(before) part(the one before that) part(after) part(the one after that) part(above)
//! part(x) = the first 4 hexadecimal digits of BLAKE3-derive-key("gate v1 around", x)
//! ```
//!
//! A part is a line without its white space; one that is not there is `0000`. That two lines have nothing above them does
//! not make them the same; that both stand at the beginning or the end of the file says something only where another part
//! is the same as well. Digests this short prove nothing and need not: they only choose among findings that are alike in
//! rule, file and code.

use crate::place::Lines;

const CONTEXT: &str = "gate v1 around";
/// The hexadecimal digits of a part.
const DIGITS: usize = 4;
const PARTS: usize = 5;
/// The place of the line above among the parts.
const ABOVE: usize = 4;
/// A part that is not there.
const ABSENT: &str = "0000";

/// What stands around a line, as it is kept.
pub(crate) fn of(lines: &Lines) -> String {
    let parts = lines.before.iter().chain(&lines.after).chain([&lines.above]);
    parts.map(|part| digest(part)).collect()
}

fn digest(part: &str) -> String {
    if part.is_empty() {
        return ABSENT.to_owned();
    }
    blake3::Hash::from_bytes(blake3::derive_key(CONTEXT, part.as_bytes())).to_hex()[..DIGITS].to_owned()
}

/// What stands around a line, ready to be compared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around([u16; PARTS]);

impl Around {
    /// `None` where it is not known.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = [0; PARTS];
        if text.len() != PARTS * DIGITS || !text.is_ascii() {
            return None;
        }
        for (number, part) in parts.iter_mut().enumerate() {
            *part = u16::from_str_radix(&text[number * DIGITS..(number + 1) * DIGITS], 16).ok()?;
        }
        Some(Self(parts))
    }

    /// Each three of the parts that count together, with their places: two lines have one in common where
    /// [`Self::likeness`] is three or more, so that many can be compared with many without comparing each with each.
    pub(crate) fn threes(self) -> impl Iterator<Item = (usize, [u16; 3])> {
        let places =
            (0..PARTS).flat_map(|a| (a + 1..PARTS).flat_map(move |b| (b + 1..PARTS).map(move |c| [a, b, c])));
        let threes = places.map(move |three| (three, three.map(|place| self.0[place])));
        let counts = move |three: &[usize; 3], parts: &[u16; 3]| {
            parts.iter().any(|part| *part != 0) && !(three.contains(&ABOVE) && self.0[ABOVE] == 0)
        };
        threes
            .enumerate()
            .filter(move |(_, (three, parts))| counts(three, parts))
            .map(|(n, (_, parts))| (n, parts))
    }

    /// How many parts are the same in two: the ends of the file count where anything else is the same.
    pub(crate) fn likeness(self, other: Self) -> usize {
        let same = |there: bool, parts: usize| {
            (0..parts).filter(|part| self.0[*part] == other.0[*part] && (self.0[*part] != 0) == there).count()
        };
        match same(true, PARTS) {
            0 => 0,
            lines => lines + same(false, ABOVE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Around, of};
    use crate::place::Lines;

    fn lines(before: [&str; 2], after: [&str; 2], above: &str) -> Lines {
        let owned = |pair: [&str; 2]| pair.map(str::to_owned);
        Lines { line: "x".into(), before: owned(before), after: owned(after), above: above.into() }
    }

    #[test]
    fn parts_that_are_the_same_are_counted_in_their_places() {
        let one = of(&lines(["a", "b"], ["c", "d"], "deff():"));
        assert_eq!(one.len(), 20);
        for (other, expected) in [
            (lines(["a", "b"], ["c", "d"], "deff():"), 5),
            (lines(["new", "a"], ["c", "d"], "deff():"), 3),
            (lines(["b", "a"], ["d", "c"], "defg():"), 0),
            (lines(["", ""], ["", ""], "deff():"), 1),
            (lines(["", ""], ["", ""], ""), 0),
        ] {
            let [one, other] = [&one, &of(&other)].map(|text| Around::parse(text).unwrap());
            assert_eq!(one.likeness(other), expected);
            let common = one.threes().filter(|three| other.threes().any(|other| other == *three)).count();
            assert_eq!(common, [0, 0, 0, 1, 4, 10][expected], "{expected}");
        }
    }

    #[test]
    fn a_part_that_is_not_there_makes_nothing_the_same_alone() {
        let likeness = |one: &Lines, other: &Lines| {
            let [one, other] = [one, other].map(|lines| Around::parse(&of(lines)).unwrap());
            one.likeness(other)
        };
        // Top-level code, and the ends of a file.
        assert_eq!(likeness(&lines(["a", "b"], ["c", "d"], ""), &lines(["w", "x"], ["y", "z"], "")), 0);
        assert_eq!(likeness(&lines(["a", ""], ["c", ""], ""), &lines(["x", ""], ["y", ""], "")), 0);
        assert_eq!(likeness(&lines(["a", ""], ["c", ""], ""), &lines(["a", ""], ["c", ""], "")), 4);
        assert_eq!(likeness(&lines(["a", ""], ["", ""], ""), &lines(["a", "new"], ["", ""], "")), 3);
    }

    #[test]
    fn what_is_no_such_text_is_not_known() {
        for unknown in ["", "0", "000000000000000000000", "éééééééééé", "0000000000000000000g"] {
            assert!(Around::parse(unknown).is_none(), "{unknown}");
        }
    }
}
