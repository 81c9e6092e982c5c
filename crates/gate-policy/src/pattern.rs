//! The two kinds of pattern in a policy: a regular expression for tickets, a glob for refs.
//!
//! Both are checked when the policy is parsed. A leading `!`, which elsewhere turns a pattern into "all
//! but this", is refused everywhere: a grant that names what it is *not* for reaches further than anybody reads.

use gate_model::glob::{Glob, GlobError};

/// A regular expression as a policy writes it; it matches anywhere in the text unless it has `^` and `$`.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    regex: regex_lite::Regex,
}

/// Why a text is not a usable pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing: it would match every ticket, and none.
    #[error("an empty pattern matches anything")]
    Empty,
    /// Not a regular expression, or one that grows too large.
    #[error("it is not a regular expression: {0}")]
    Regex(String),
}

/// The most memory that one compiled pattern may take, in bytes: matching time is bounded by it too.
const SIZE_LIMIT: usize = 1 << 18;

impl Pattern {
    /// Compiles `text`.
    ///
    /// # Errors
    /// A [`PatternError`].
    pub fn new(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        let built = regex_lite::RegexBuilder::new(text).size_limit(SIZE_LIMIT).build();
        let regex = built.map_err(|error| PatternError::Regex(error.to_string()))?;
        Ok(Self { text: text.to_owned(), regex })
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `text` matches.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// Whether it is bound to the text's start and end, as a ticket's pattern nearly always should be.
    pub fn is_anchored(&self) -> bool {
        let bound = self.text.starts_with('^') && self.text.ends_with('$') && !self.text.ends_with("\\$");
        bound && !has_open_choice(&self.text)
    }
}

/// Whether a regular expression has a `|` outside of parentheses: `^a|b$` binds neither of its halves wholly.
fn has_open_choice(pattern: &str) -> bool {
    let (mut depth, mut in_class) = (0_usize, false);
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => depth += 1,
            ')' if !in_class => depth = depth.saturating_sub(1),
            '|' if !in_class && depth == 0 => return true,
            _ => {}
        }
    }
    false
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// A glob over full ref names: `*` does not cross `/`, `**` does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefGlob(String);

/// Why a text is not a usable glob over refs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefGlobError {
    /// Refs are compared by their full names, so a short one would never match.
    #[error("'{0}' is not a full ref name; write refs/heads/{0}, or refs/tags/{0}")]
    Short(String),
    /// `!` at the start means everything else.
    #[error("'{0}' starts with '!', which would mean every other ref; name the refs that are meant")]
    Negated(String),
    /// It is no glob, or one that makes too much work.
    #[error("'{0}' is not a usable glob: {1}")]
    Glob(String, GlobError),
}

impl RefGlob {
    /// Checks `text`.
    ///
    /// # Errors
    /// A [`RefGlobError`].
    pub fn new(text: &str) -> Result<Self, RefGlobError> {
        if text.starts_with('!') {
            return Err(RefGlobError::Negated(text.to_owned()));
        }
        if !text.starts_with("refs/") && text != "**" {
            return Err(RefGlobError::Short(text.to_owned()));
        }
        match Glob::parse(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(error) => Err(RefGlobError::Glob(text.to_owned(), error)),
        }
    }

    /// The glob as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `name`, a full ref name, matches.
    pub fn is_match(&self, name: &str) -> bool {
        glob_matches(&self.0, name)
    }

    /// Whether it matches branches of any name: one that matches a name that nobody gave a branch matches all.
    pub fn is_everything(&self) -> bool {
        ["refs/heads/qzv-7x", "refs/heads/qzv/7x", "refs/heads/QZV-7x"]
            .iter()
            .any(|probe| self.is_match(probe))
    }

    /// Whether each ref that `inner`, itself a glob, can match is matched by this one.
    ///
    /// Sound, not complete: what cannot be shown is `false`. Shown are equality, a literal name, and a tail
    /// `**` or `*` after a literal start that `inner` has too.
    pub fn contains(&self, inner: &Self) -> bool {
        if self == inner || self.0 == "**" {
            return true;
        }
        if let Some(name) = literal(&inner.0) {
            return self.is_match(&name);
        }
        let start = literal_start(&self.0);
        let (Some(tail), Some(rest)) = (self.0.get(start.len()..), inner.0.strip_prefix(start)) else {
            return false;
        };
        // Only what `start` shares literally counts: a special character would have ended `inner`'s start too.
        match tail {
            "**" => start.ends_with('/'),
            "*" => !rest.contains(['/', '{', '[', '\\']) && !rest.contains("**"),
            _ => false,
        }
    }
}

impl std::fmt::Display for RefGlob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Characters that mean something in a glob.
const SPECIAL: &[char] = &['*', '?', '[', ']', '{', '}', '!', '\\', ','];

/// The part of a glob before its first special character.
fn literal_start(glob: &str) -> &str {
    glob.find(SPECIAL).and_then(|end| glob.get(..end)).unwrap_or(glob)
}

/// The one text that `glob` matches, where it has no wildcard: escapes are taken away.
pub(crate) fn literal(glob: &str) -> Option<String> {
    let mut out = String::with_capacity(glob.len());
    let mut chars = glob.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push(chars.next()?),
            '*' | '?' | '[' | '{' | '!' => return None,
            c => out.push(c),
        }
    }
    Some(out)
}

/// Whether the ref `name` matches `glob`. A pattern that is not one, or a negated one, matches nothing.
pub fn glob_matches(glob: &str, name: &str) -> bool {
    !glob.starts_with('!') && Glob::parse(glob).is_ok_and(|glob| glob.is_match(name))
}
