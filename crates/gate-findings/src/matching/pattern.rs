//! Globs over paths, as evidence writes them.
//!
//! Stricter than the glob library, because a waiver must not reach further than it reads:
//! - the first segment is literal, so that a glob stays below one directory or names one file;
//! - `..` fits nothing, in the glob or in a finding's path;
//! - a leading `!` would negate the whole glob and is refused;
//! - `*` and `?` do not cross `/`; `**` does, as a whole segment.
//!
//! A backslash makes the next character literal; [`escape`] writes any path as a glob that fits just it.

use std::borrow::Cow;

/// Why a glob over paths is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathPatternError {
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
    /// The first segment has a wildcard, or the glob is negated.
    #[error("its first segment '{0}' must be literal, such as 'src' in 'src/**'")]
    FirstSegment(String),
    /// A segment `..`.
    #[error("a segment '..' never matches")]
    Parent,
    /// Not a glob: an unclosed bracket or brace, or a backslash with nothing to escape.
    #[error("it is not a valid glob at character {0}")]
    Syntax(usize),
}

const WILD: &[u8] = b"*?[]{}!\\";

/// A glob that passed the rules above.
pub(crate) struct PathPattern<'a> {
    glob: &'a str,
    /// The text before the first wildcard, unescaped; all of it where there is none.
    prefix: Cow<'a, str>,
    literal: bool,
}

impl<'a> PathPattern<'a> {
    pub(crate) fn parse(glob: &'a str) -> Result<Self, PathPatternError> {
        if glob.is_empty() {
            return Err(PathPatternError::Empty);
        }
        if !is_matchable(glob) {
            return Err(PathPatternError::Parent);
        }
        let (prefix, literal) = literal_prefix(glob)?;
        if !literal && !prefix.trim_start_matches('/').contains('/') {
            let first = glob.trim_start_matches('/').split('/').next().unwrap_or_default();
            return Err(PathPatternError::FirstSegment(first.to_owned()));
        }
        if !literal && let Err(error) = fast_glob::validate(glob) {
            return Err(PathPatternError::Syntax(error.index));
        }
        Ok(Self { glob, prefix, literal })
    }

    pub(crate) fn is_literal(&self) -> bool {
        self.literal
    }

    pub(crate) fn literal_length(&self) -> usize {
        self.prefix.len()
    }

    /// Whether it fits the path of a finding.
    pub(crate) fn fits(&self, path: &str) -> bool {
        if self.literal {
            return path == self.prefix && is_matchable(path);
        }
        path.starts_with(self.prefix.as_ref()) && is_matchable(path) && fast_glob::glob_match(self.glob, path)
    }
}

/// Whether a path or glob has no segment `..`.
pub(crate) fn is_matchable(path: &str) -> bool {
    !path.contains("..") || path.split('/').all(|segment| segment != "..")
}

/// The text up to the first wildcard without its escapes, and whether that is all.
fn literal_prefix(glob: &str) -> Result<(Cow<'_, str>, bool), PathPatternError> {
    if !glob.bytes().any(|b| WILD.contains(&b)) {
        return Ok((glob.into(), true));
    }
    let mut prefix = String::new();
    let mut chars = glob.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '*' | '?' | '[' | '{' => return Ok((prefix.into(), false)),
            '!' if at == 0 => return Ok((prefix.into(), false)),
            // An escaped slash would hide a border between segments.
            '\\' => match chars.next() {
                Some((_, escaped)) if escaped != '/' => prefix.push(escaped),
                _ => return Err(PathPatternError::Syntax(at)),
            },
            c => prefix.push(c),
        }
    }
    Ok((prefix.into(), true))
}

/// `path` as a glob that fits just this path.
pub(crate) fn escape(path: &str) -> String {
    let mut glob = String::with_capacity(path.len());
    for c in path.chars() {
        if u8::try_from(c).is_ok_and(|byte| WILD.contains(&byte)) {
            glob.push('\\');
        }
        glob.push(c);
    }
    glob
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{PathPattern, PathPatternError, escape};

    fn fits(glob: &str, path: &str) -> bool {
        PathPattern::parse(glob).is_ok_and(|pattern| pattern.fits(path))
    }

    #[test]
    fn a_star_stays_within_its_segment() {
        assert!(fits("src/*.py", "src/a.py"));
        assert!(!fits("src/*.py", "src/sub/a.py"));
        assert!(fits("src/**", "src/sub/a.py"));
        assert!(fits("src/**/a.py", "src/a.py"));
        assert!(!fits("src/*", "srcs/a.py"));
        assert!(fits("Makefile", "Makefile"));
    }

    #[test]
    fn a_glob_that_could_reach_everything_is_refused() {
        for glob in [
            "*",
            "**",
            "*.py",
            "**/a.py",
            "{src,lib}/a",
            "s?c/a",
            "[s]rc/a",
            "/**",
            "//*",
            "!src/**",
            "src*/a",
        ] {
            let error = PathPattern::parse(glob).err();
            assert!(matches!(error, Some(PathPatternError::FirstSegment(_))), "{glob}: {error:?}");
        }
        // Brackets that are closed only after the slash are wild in the first segment too.
        assert!(PathPattern::parse("{a/b,c}/d").is_err());
        assert_eq!(PathPattern::parse("").err(), Some(PathPatternError::Empty));
    }

    #[test]
    fn parent_segments_match_nothing() {
        assert_eq!(PathPattern::parse("src/../etc/*").err(), Some(PathPatternError::Parent));
        assert!(!fits("src/**", "src/../secrets/key.pem"));
        assert!(!fits("src/*/x", "src/../x"));
        assert!(fits("src/**", "src/a..b/c"));
    }

    #[test]
    fn broken_globs_are_refused() {
        for glob in ["src/[a", "src/{a", "src/a\\", "a\\/b/*"] {
            assert!(matches!(PathPattern::parse(glob).err(), Some(PathPatternError::Syntax(_))), "{glob}");
        }
    }

    #[test]
    fn an_escaped_path_fits_only_itself() {
        let glob = escape("app/[id]/{x}/page*.tsx");
        assert!(fits(&glob, "app/[id]/{x}/page*.tsx"));
        assert!(!fits(&glob, "app/i/{x}/page*.tsx"));
        assert!(!fits(&glob, "app/[id]/{x}/page1.tsx"));
        assert!(fits(&escape("!important/x"), "!important/x"));
        assert!(fits("app/\\[id\\]/*.tsx", "app/[id]/page.tsx"));
    }

    proptest! {
        #[test]
        fn any_path_without_parents_fits_its_own_escape(path in "[a-z!*?\\[\\]{}\\\\,./ é-]{1,20}", other in "[a-z!*?\\[\\]{}\\\\,./ é-]{1,20}") {
            prop_assume!(path.split('/').all(|s| s != ".."));
            let glob = escape(&path);
            prop_assert!(fits(&glob, &path), "{glob}");
            prop_assert!(path == other || !fits(&glob, &other));
        }

        #[test]
        fn a_glob_never_leaves_its_first_segment(glob in "[a-b*?\\[\\]{}\\\\,./!]{1,12}", path in "[a-b/.!]{1,12}") {
            if fits(&glob, &path) {
                let first = |text: &str| text.trim_start_matches('/').split('/').next().unwrap_or("").to_owned();
                prop_assert_eq!(first(&glob).replace('\\', ""), first(&path).replace('\\', ""));
            }
        }
    }
}
