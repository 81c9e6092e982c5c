//! Text that a person or a report wrote, made inert for each place where it is shown.
//!
//! One function for each place, and every renderer goes through one of them. All start from
//! [`gate_model::text::visible`]: no control and no bidirectional or invisible character is left. Then:
//!
//! | place | what else must not happen | function |
//! | --- | --- | --- |
//! | terminal, CI log | a line that the CI system takes for a command | [`inert`] |
//! | table cell | a spreadsheet takes it for a formula | [`cell`] |
//! | JSON | the same as in a log, with the value unchanged | [`json::json`] |
//! | workflow command | another property, another command | [`workflow`] |
//! | XML | markup; characters that XML cannot hold | [`xml::text`] |
//! | Markdown | markup, links, mentions | [`markdown::code`] |
//! | HTML | markup | maud escapes; [`inert`] before |
//!
//! GitHub's runner takes a line for a command where it starts with `::` after white space, or has `##[`
//! anywhere (actions/runner, `ActionCommand.cs`); Azure's agent looks for `##vso[` anywhere in a line. Both
//! read every line of a step's output, stdout and stderr alike.

pub mod json;
pub mod markdown;
pub mod workflow;
pub mod xml;

use gate_model::text::visible;

/// `text` for one line of a terminal or a CI log. What was already inert stays as it is.
///
/// ```
/// use gate_cli::escape::inert;
/// assert_eq!(inert("std::vec is fine"), "std::vec is fine");
/// assert_eq!(inert("::error::x\u{1b}[0m"), ":\\u{3a}error::x\\u{1b}[0m");
/// assert_eq!(inert("see ##vso[task.complete]"), "see #\\u{23}vso[task.complete]");
/// ```
pub fn inert(text: &str) -> String {
    let text = break_commands(&visible(text));
    let mut out = String::with_capacity(text.len());
    let mut word_starts = true;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(c);
        if word_starts && c == ':' && chars.next_if_eq(&':').is_some() {
            out.push_str("\\u{3a}");
        }
        word_starts = c.is_whitespace();
    }
    out
}

/// `text` without `##`, the start of a logging command; line ends and colours stay.
pub(crate) fn break_commands(text: &str) -> String {
    text.replace("##", "#\\u{23}")
}

/// `text` for a cell of a table that may be pasted into a spreadsheet: [`inert`], and with an apostrophe in
/// front where a spreadsheet would take it for a formula (OWASP, "CSV Injection").
pub fn cell(text: &str) -> String {
    let text = inert(text);
    if text.trim_start().starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text }
}

/// Whether a reader cannot see `c` for what it is.
pub(crate) fn is_unseen(c: char) -> bool {
    // Only these ranges hold such characters; asking for each letter of a long text would be slow.
    !(' '..'\u{7f}').contains(&c) && visible(c.encode_utf8(&mut [0; 4])).chars().ne([c])
}

#[cfg(test)]
mod tests {
    use super::{cell, inert, is_unseen};
    use proptest::prelude::*;

    #[test]
    fn formulas_are_marked_as_text() {
        for formula in ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", " =1", "\t=1"] {
            let shown = cell(formula);
            assert!(shown.starts_with('\'') || shown.starts_with("\\t"), "{shown}");
        }
        assert_eq!(cell("a=b"), "a=b");
    }

    #[test]
    fn a_command_is_broken_wherever_a_runner_would_look_for_it() {
        assert_eq!(inert("  ::set-output name=x::y"), "  :\\u{3a}set-output name=x::y");
        assert_eq!(inert("a\u{a0}::stop-commands::t"), "a\u{a0}:\\u{3a}stop-commands::t");
        assert_eq!(inert("x ##[set-env name=A]b"), "x #\\u{23}[set-env name=A]b");
        assert_eq!(inert("###[group]"), "#\\u{23}#[group]");
        assert_eq!(inert(":::"), ":\\u{3a}:");
    }

    #[test]
    fn unseen_characters_are_known() {
        for c in ['\0', '\n', '\u{7f}', '\u{9b}', '\u{202e}', '\u{200b}', '\u{e0041}', '\u{feff}'] {
            assert!(is_unseen(c), "{c:?}");
        }
        for c in [' ', 'a', '~', 'é', '修', '\u{a0}'] {
            assert!(!is_unseen(c), "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_alive_is_left(text in any::<String>(), tail in "[:# \\[\n\\x1ba]{0,12}") {
            let shown = inert(&format!("{text}{tail}"));
            prop_assert!(!shown.chars().any(is_unseen));
            prop_assert!(!shown.contains("##"));
            let words_start = shown.trim_start().starts_with("::") || shown.contains(" ::");
            prop_assert!(!words_start);
            prop_assert_eq!(inert(&shown), shown);
        }
    }
}
