//! Errors in a text file, shown with the lines they are about.
//!
//! The file may be hostile: a policy comes from the change under review. So just the lines that matter are
//! shown, each character of them inert; the marks are moved along with what they mark.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use gate_model::text::visible;

use crate::escape::{break_commands, inert};

/// A place in a text file.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    /// The file's name as the user knows it.
    pub name: &'a str,
    /// The whole text of the file.
    pub source: &'a str,
    /// The bytes concerned. What lies outside of the text, or within a character, is moved to its border.
    pub span: Range<usize>,
}

/// At most this many lines are shown of a span, and this many bytes before and after it on its lines.
const MAX_LINES: usize = 6;
const MAX_BYTES: usize = 200;

impl<'a> Place<'a> {
    /// The place at a `line` and `column`, both from 1, the column counted in characters.
    pub fn at(name: &'a str, source: &'a str, line: usize, column: usize) -> Self {
        let before: usize = source.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let rest = source.get(before..).unwrap_or_default();
        let offset = rest.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum::<usize>();
        Self { name, source, span: before + offset..before + offset }
    }

    /// Line and column of the start, both from 1, the column counted in characters.
    pub fn line_and_column(&self) -> (usize, usize) {
        let before = &self.source[..self.start()];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    fn start(&self) -> usize {
        floor(self.source, self.span.start)
    }

    fn end(&self) -> usize {
        floor(self.source, self.span.end).max(self.start())
    }

    /// The lines of the span, inert, and the span within them.
    fn excerpt(&self) -> (String, Range<usize>) {
        let (start, end) = (self.start(), self.end());
        let line_start = self.source[..start].rfind('\n').map_or(0, |at| at + 1);
        let from = floor(self.source, line_start.max(start.saturating_sub(MAX_BYTES)));
        let end = floor(self.source, end.min(start + MAX_LINES * MAX_BYTES));
        let line_end = self.source[end..].find('\n').map_or(self.source.len(), |at| end + at);
        let to = floor(self.source, line_end.min(end + MAX_BYTES));
        let shown = |range: Range<usize>| shown_lines(&self.source[range]);
        let marked = shown(start..end);
        let marked = marked.split_inclusive('\n').take(MAX_LINES).collect::<String>();
        let before = shown(from..start);
        let span = before.len()..before.len() + marked.len();
        (format!("{before}{marked}{}", shown(end..to)), span)
    }
}

/// Tells of `problem` at `place`, with the lines concerned and the way to mend it.
///
/// The first line is `TOOL: NAME:LINE:COLUMN: PROBLEM`.
pub fn diagnostic(tool: &str, place: &Place<'_>, problem: &str, help: Option<&str>, colour: bool) -> String {
    let (line, column) = place.line_and_column();
    let title = inert(&format!("{}:{line}:{column}: {problem}", place.name));
    let (text, span) = place.excerpt();
    let snippet = Snippet::source(text).line_start(line).annotation(AnnotationKind::Primary.span(span));
    let mut group = Level::ERROR.with_name(tool.to_owned()).primary_title(title).element(snippet);
    if let Some(help) = help {
        group = group.element(Level::HELP.message(inert(help)));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let report = renderer.decor_style(DecorStyle::Ascii).render(&[group]);
    format!("{}\n", break_commands(&report))
}

/// `text` with each line inert; line ends stay, as `\n`.
fn shown_lines(text: &str) -> String {
    text.split('\n').map(|line| visible(line.trim_end_matches('\r'))).collect::<Vec<_>>().join("\n")
}

/// The largest border between characters of `text` that is not above `at`.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

#[cfg(test)]
mod tests {
    use super::{Place, diagnostic};

    #[test]
    fn an_error_names_line_and_column_and_shows_the_line() {
        let source = "version = 1\n[gates.lint]\nsevrity = \"low\"\n";
        let place = Place { name: "gate.toml", source, span: 25..32 };
        let text = diagnostic(
            "gate-check",
            &place,
            "unknown key 'sevrity'",
            Some("did you mean 'severity'?"),
            false,
        );
        let expected = "\
gate-check: gate.toml:3:1: unknown key 'sevrity'
  |
3 | sevrity = \"low\"
  | ^^^^^^^
  |
  = help: did you mean 'severity'?
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_hostile_line_is_inert_and_the_marks_stay_under_what_they_mark() {
        let source = "\u{202e}\u{1b}[31m##vso[x]\u{200b} = 1\n";
        let place = Place::at("gate.toml", source, 1, 17);
        let text = diagnostic("gate-check", &place, "no", None, false);
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}') && !text.contains("##"), "{text}");
        assert!(text.contains(r"1 | \u{202e}\u{1b}[31m#\u{23}vso[x]\u{200b} = 1"), "{text}");
    }

    #[test]
    fn a_place_outside_of_the_text_or_within_a_character_is_moved() {
        for (start, end) in [(0, 0), (1, 2), (5, 900), (900, 901), (3, 1), (usize::MAX, usize::MAX)] {
            let place = Place { name: "f", source: "é\nü", span: start..end };
            assert!(diagnostic("t", &place, "p", None, false).starts_with("t: f:"));
        }
        assert_eq!(Place::at("f", "é\nüx", 2, 2).line_and_column(), (2, 2));
        assert_eq!(Place::at("f", "", 9, 9).line_and_column(), (1, 1));
    }

    #[test]
    fn a_giant_line_is_cut() {
        let source = format!("{}!{}", "a".repeat(100_000), "b".repeat(100_000));
        let place = Place { name: "f", source: &source, span: 100_000..100_001 };
        let text = diagnostic("t", &place, "p", None, false);
        assert!(text.len() < 2_000 && text.contains('!'), "{}", text.len());
    }

    #[test]
    fn a_span_of_many_lines_is_cut() {
        let source = "x\n".repeat(10_000);
        let place = Place { name: "f", source: &source, span: 0..20_000 };
        assert!(diagnostic("t", &place, "p", None, false).lines().count() < 20);
    }
}
