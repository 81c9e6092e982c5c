//! Globs over the paths of findings, as evidence writes them.
//!
//! Stricter than other globs, because a waiver must not reach further than it reads:
//! - the first segment is literal and not empty, so that a glob stays below one folder of the repository or names
//!   one file in it;
//! - a segment `.` or `..` fits nothing, in the glob or in a finding's path;
//! - a leading `!` looks like a negation and is refused.

use std::borrow::Cow;

use crate::glob::{Glob, GlobError, Steps, is_wild};

/// Why a glob over paths is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathGlobError {
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
    /// The first segment has a wildcard, or looks negated.
    #[error("its first segment '{0}' must be literal, such as 'src' in 'src/**'")]
    FirstSegment(String),
    /// A segment `.` or `..`.
    #[error("a segment '.' or '..' never matches")]
    Dots,
    /// Not a glob, or one that makes too much work.
    #[error(transparent)]
    Glob(#[from] GlobError),
}

/// A glob that passed the rules above.
#[derive(Debug, Clone)]
pub struct PathGlob<'a> {
    /// The text before the first wildcard, unescaped; all of it where there is none.
    prefix: Cow<'a, str>,
    /// `None` where the prefix is all.
    glob: Option<Glob>,
}

impl<'a> PathGlob<'a> {
    /// Reads `text`.
    ///
    /// # Errors
    /// A [`PathGlobError`].
    pub fn parse(text: &'a str) -> Result<Self, PathGlobError> {
        if text.is_empty() {
            return Err(PathGlobError::Empty);
        }
        if !is_matchable(text) {
            return Err(PathGlobError::Dots);
        }
        if text.starts_with('/') {
            return Err(PathGlobError::FirstSegment(String::new()));
        }
        let (prefix, literal) = literal_prefix(text)?;
        if literal {
            return Ok(Self { prefix, glob: None });
        }
        if !prefix.contains('/') {
            let first = text.split('/').next().unwrap_or_default();
            return Err(PathGlobError::FirstSegment(first.to_owned()));
        }
        Ok(Self { prefix, glob: Some(Glob::parse(text)?) })
    }

    /// Whether it names one path.
    pub const fn is_literal(&self) -> bool {
        self.glob.is_none()
    }

    /// The length in bytes of what comes before the first wildcard.
    pub fn literal_length(&self) -> usize {
        self.prefix.len()
    }

    /// Whether it fits the path of a finding.
    pub fn fits(&self, path: &str, steps: &Steps) -> bool {
        match &self.glob {
            None => path == self.prefix && is_matchable(path),
            Some(glob) => {
                path.starts_with(self.prefix.as_ref()) && is_matchable(path) && glob.matches(path, steps)
            }
        }
    }
}

/// Whether a path or glob has no segment `.` and none `..`.
pub fn is_matchable(path: &str) -> bool {
    path.split('/').all(|segment| !matches!(segment, "." | ".."))
}

/// The text up to the first wildcard without its escapes, and whether that is all.
fn literal_prefix(glob: &str) -> Result<(Cow<'_, str>, bool), PathGlobError> {
    if !is_wild(glob) {
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
                _ => return Err(GlobError::Syntax(at).into()),
            },
            c => prefix.push(c),
        }
    }
    // An escaped dot is a dot all the same.
    if is_matchable(&prefix) { Ok((prefix.into(), true)) } else { Err(PathGlobError::Dots) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{PathGlob, PathGlobError};
    use crate::glob::{GlobError, Steps, escape};

    fn fits(glob: &str, path: &str) -> bool {
        PathGlob::parse(glob).is_ok_and(|pattern| pattern.fits(path, &Steps::default()))
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
            let error = PathGlob::parse(glob).err();
            assert!(matches!(error, Some(PathGlobError::FirstSegment(_))), "{glob}: {error:?}");
        }
        // Brackets that are closed only after the slash are wild in the first segment too.
        assert!(PathGlob::parse("{a/b,c}/d").is_err());
        assert_eq!(PathGlob::parse("").err(), Some(PathGlobError::Empty));
    }

    #[test]
    fn parent_segments_match_nothing() {
        assert_eq!(PathGlob::parse("src/../etc/*").err(), Some(PathGlobError::Dots));
        assert!(!fits("src/**", "src/../secrets/key.pem"));
        assert!(!fits("src/*/x", "src/../x"));
        assert!(fits("src/**", "src/a..b/c"));
    }

    #[test]
    fn a_glob_that_makes_too_much_work_is_refused() {
        let wide = format!("src/{}", format!("{{{}}}", ",".repeat(9)).repeat(10));
        assert_eq!(PathGlob::parse(&wide).err(), Some(GlobError::Alternatives.into()));
        assert_eq!(PathGlob::parse("src/{a{b{c,d}}}").err(), Some(GlobError::Nesting.into()));
    }

    #[test]
    fn broken_globs_are_refused() {
        for glob in ["src/[a", "src/{a", "src/a\\", "a\\/b/*"] {
            assert!(
                matches!(PathGlob::parse(glob).err(), Some(PathGlobError::Glob(GlobError::Syntax(_)))),
                "{glob}"
            );
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
            prop_assume!(super::is_matchable(&path) && !path.starts_with('/'));
            let glob = escape(&path);
            prop_assert!(fits(&glob, &path), "{glob}");
            prop_assert!(path == other || !fits(&glob, &other));
        }

        #[test]
        fn a_glob_never_leaves_its_first_segment(glob in "[a-b*?\\[\\]{}\\\\,./!]{1,12}", path in "[a-b/.!]{1,12}") {
            if fits(&glob, &path) {
                let first = |text: &str| text.split('/').next().unwrap_or("").to_owned();
                prop_assert_eq!(first(&glob).replace('\\', ""), first(&path).replace('\\', ""));
            }
        }
    }
}
