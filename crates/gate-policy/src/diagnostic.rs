//! What is wrong with a policy's text, and where.
//!
//! A diagnostic always has a place (byte span, line and column from 1, the column counted in characters) and,
//! wherever one can be named, a remedy. It holds no colour and no layout: rendering is the caller's.

use std::ops::Range;

use gate_model::exit::Faults;
use gate_model::text::visible;

/// How much a diagnostic weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The policy works, but perhaps not as meant.
    Warning,
    /// The policy is refused.
    Error,
}

impl Severity {
    /// The word used in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What is wrong with the text of the policy `name`, as a tool tells it.
pub fn faults(name: &str, text: &str, diagnostics: &[Diagnostic]) -> Faults {
    let places = diagnostics.iter().map(|one| (one.span.clone(), one.message.clone(), one.help.clone()));
    Faults { name: name.to_owned(), text: text.to_owned(), places: places.collect() }
}

/// One thing wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether it is refused or only odd.
    pub severity: Severity,
    /// A short code in kebab-case, stable across releases: `unknown-key`, `missing-max-ttl`, …
    pub code: &'static str,
    /// What is wrong, lower case, naming the key.
    pub message: String,
    /// The bytes of the text it is about.
    pub span: Range<usize>,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// How to mend it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at `span` of `text`.
    pub fn error(text: &str, span: Range<usize>, code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, text, span, code, &message.into())
    }

    /// A warning at `span` of `text`.
    pub fn warning(text: &str, span: Range<usize>, code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, text, span, code, &message.into())
    }

    fn new(severity: Severity, text: &str, span: Range<usize>, code: &'static str, message: &str) -> Self {
        let Position { line, column } = Position::of(text, span.start);
        // A message may quote the policy: nothing in it may move a cursor or reorder a line.
        let message = visible(message);
        Self { severity, code, message, span, line, column, help: None }
    }

    /// The same with a remedy.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(visible(&help.into()));
        self
    }
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}: {}", self.line, self.column, self.severity.as_str(), self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

/// A place in a text as people count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
}

impl Position {
    /// The position of byte `offset`, or of the end where the text is shorter.
    pub fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..text.floor_char_boundary(offset)).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.get(line_start..).map_or(0, |rest| rest.chars().count()) + 1;
        Self { line, column }
    }
}

/// How many words are compared, and how many are listed: a policy may have thousands of groups.
const COMPARED: usize = 200;
const LISTED: usize = 12;

/// The word of `known` that `word` was perhaps meant to be, as a help text; a list of them where none is near.
pub(crate) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let known: Vec<&str> = known.into_iter().take(COMPARED).collect();
    let (nearest, candidate) = known.iter().map(|candidate| (distance(word, candidate), *candidate)).min()?;
    if nearest <= (word.chars().count() / 3).max(1) {
        return Some(format!("did you mean '{candidate}'?"));
    }
    let listed = known.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
    let more = if known.len() > LISTED { ", …" } else { "" };
    Some(format!("known are: {listed}{more}"))
}

/// How many edits apart two words are, a swap of two neighbours being one. Both are cut, since a name may be long.
fn distance(left: &str, right: &str) -> usize {
    let cut = |word: &str| word.chars().take(64).collect::<String>();
    strsim::osa_distance(&cut(left), &cut(right))
}

#[cfg(test)]
mod tests {
    use super::{Position, did_you_mean, distance};

    #[test]
    fn columns_count_characters_and_lines_count_from_one() {
        let text = "a\nüb = 1\n";
        assert_eq!(Position::of(text, 0), Position { line: 1, column: 1 });
        assert_eq!(Position::of(text, text.find('b').unwrap()), Position { line: 2, column: 2 });
        assert_eq!(Position::of(text, 9999), Position { line: 3, column: 1 });
        // An offset inside a character is the character's own place.
        assert_eq!(Position::of(text, 3), Position { line: 2, column: 1 });
    }

    #[test]
    fn suggests_the_nearest_word_or_lists_all() {
        assert_eq!(did_you_mean("max_tll", ["max_ttl", "who"]).unwrap(), "did you mean 'max_ttl'?");
        assert_eq!(did_you_mean("zzzzzz", ["max_ttl", "who"]).unwrap(), "known are: max_ttl, who");
        assert_eq!(did_you_mean("x", []), None);
        assert_eq!(distance("lint", "lnit"), 1);
    }
}
