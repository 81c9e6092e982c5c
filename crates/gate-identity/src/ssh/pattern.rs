//! Pattern lists as OpenSSH matches them (`ssh_config(5)`, PATTERNS): `*` is any run of bytes, `?` one byte,
//! a leading `!` negates, and a match of a negated pattern outweighs every other.

/// A list of patterns separated by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PatternList {
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    negated: bool,
    text: String,
}

/// How a list matched a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    /// A pattern without wildcards says exactly this name.
    Exact,
    /// Only patterns with wildcards match.
    Wildcard,
}

/// Why a text is no list of patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListError {
    /// Two commas side by side, or one at an end.
    EmptyPattern,
    /// Only negated patterns: the list can never match.
    OnlyNegated,
}

impl PatternList {
    /// Reads patterns separated by commas.
    pub(super) fn parse(text: &str) -> Result<Self, ListError> {
        let patterns: Vec<Pattern> = text.split(',').map(Pattern::parse).collect();
        if patterns.iter().any(|pattern| pattern.text.is_empty()) {
            return Err(ListError::EmptyPattern);
        }
        if patterns.iter().all(|pattern| pattern.negated) {
            return Err(ListError::OnlyNegated);
        }
        Ok(Self { patterns })
    }

    /// Whether, and how, the list matches `name`.
    pub(super) fn matches(&self, name: &str) -> Option<Match> {
        let mut found = None;
        for pattern in self.patterns.iter().filter(|pattern| glob(pattern.text.as_bytes(), name.as_bytes())) {
            if pattern.negated {
                return None;
            }
            if !pattern.has_wildcard() {
                found = Some(Match::Exact);
            }
            found = found.or(Some(Match::Wildcard));
        }
        found
    }

    /// The names that the list says literally and does not negate.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let literal = self.patterns.iter().filter(|pattern| !pattern.negated && !pattern.has_wildcard());
        literal.map(|pattern| pattern.text.as_str()).filter(|name| self.matches(name).is_some())
    }

    /// The patterns with wildcards that are not negated.
    pub(super) fn wildcards(&self) -> impl Iterator<Item = &str> {
        let wild = self.patterns.iter().filter(|pattern| !pattern.negated && pattern.has_wildcard());
        wild.map(|pattern| pattern.text.as_str())
    }
}

impl Pattern {
    fn parse(text: &str) -> Self {
        match text.strip_prefix('!') {
            Some(rest) => Self { negated: true, text: rest.to_owned() },
            None => Self { negated: false, text: text.to_owned() },
        }
    }

    fn has_wildcard(&self) -> bool {
        self.text.contains(['*', '?'])
    }
}

/// Whether `pattern` matches all of `name`. Linear in memory and at worst quadratic in time: only the
/// newest `*` is ever tried again, which is enough because an earlier one could not do better.
fn glob(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p + 1, n));
                p += 1;
            }
            Some(byte) if *byte == b'?' || *byte == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((after, from)) = retry else { return false };
                retry = Some((after, from + 1));
                (p, n) = (after, from + 1);
            }
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::{ListError, Match, PatternList};
    use proptest::prelude::*;

    fn matches(list: &str, name: &str) -> Option<Match> {
        PatternList::parse(list).unwrap().matches(name)
    }

    #[test]
    fn a_negated_pattern_outweighs_every_other() {
        assert_eq!(matches("*@example.com,!bob@example.com", "bob@example.com"), None);
        assert_eq!(matches("!bob@*,*", "bob@example.com"), None);
        assert_eq!(matches("*@example.com,!bob@example.com", "alice@example.com"), Some(Match::Wildcard));
    }

    #[test]
    fn a_literal_name_beside_a_wildcard_is_exact() {
        assert_eq!(matches("*,alice", "alice"), Some(Match::Exact));
        assert_eq!(matches("alice,*", "alice"), Some(Match::Exact));
        assert_eq!(matches("alice", "Alice"), None);
        assert_eq!(matches("ali?e", "alice"), Some(Match::Wildcard));
    }

    #[test]
    fn lists_that_could_never_match_are_refused() {
        assert_eq!(PatternList::parse(""), Err(ListError::EmptyPattern));
        assert_eq!(PatternList::parse("a,,b"), Err(ListError::EmptyPattern));
        assert_eq!(PatternList::parse("!"), Err(ListError::EmptyPattern));
        assert_eq!(PatternList::parse("!a,!b"), Err(ListError::OnlyNegated));
    }

    #[test]
    fn names_that_the_list_negates_are_not_offered() {
        let list = PatternList::parse("alice,bob,*@x,!b*").unwrap();
        assert_eq!(list.names().collect::<Vec<_>>(), ["alice"]);
        assert_eq!(list.wildcards().collect::<Vec<_>>(), ["*@x"]);
    }

    #[test]
    fn many_stars_do_not_take_exponential_time() {
        assert_eq!(matches(&format!("{}b", "*a".repeat(500)), &"a".repeat(5000)), None);
    }

    /// The textbook definition, exponential and plain.
    fn slow(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, rest) => rest.is_none(),
            (Some((b'*', tail)), rest) => {
                slow(tail, name) || rest.is_some_and(|(_, after)| slow(pattern, after))
            }
            (Some((byte, tail)), Some((first, after))) => {
                (*byte == b'?' || byte == first) && slow(tail, after)
            }
            (Some(_), None) => false,
        }
    }

    proptest! {
        #[test]
        fn the_fast_matcher_equals_the_definition(pattern in "[ab*?]{0,8}", name in "[ab]{0,8}") {
            prop_assert_eq!(super::glob(pattern.as_bytes(), name.as_bytes()), slow(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
