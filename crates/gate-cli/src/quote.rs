//! Command lines that a person may paste into a POSIX shell.
//!
//! A printed command holds words from reports, so it is where an attacker would hide a second command. Inside
//! single quotes a POSIX shell treats every character literally (XCU 2.2.2), which leaves three dangers: the
//! single quote itself, characters that a terminal acts upon before the shell sees them, and CI systems that
//! read commands out of logs. POSIX has no escape for a control character (`$'…'` came with Issue 8 and is
//! missing from dash), so such a word is shown with visible escapes: inert, but another word. [`is_exact`]
//! tells; a caller percent-encodes first, or leaves the command out and says so.

use gate_model::text::visible;

/// `word` as one word for a POSIX shell.
///
/// ```
/// use gate_cli::quote::shell;
/// assert_eq!(shell("src/main.rs"), "src/main.rs");
/// assert_eq!(shell("it's"), r"'it'\''s'");
/// assert_eq!(shell("$(reboot)"), "'$(reboot)'");
/// assert_eq!(shell(""), "''");
/// ```
pub fn shell(word: &str) -> String {
    if is_plain(word) {
        return word.to_owned();
    }
    let inside = without_commands(&visible(word).replace('\'', r"'\''"));
    format!("'{inside}'")
}

/// The inside of a quoted word, the same to a shell, in which nobody who reads a log finds a command: an empty
/// pair of quotes parts `##`, and `::` where it follows white space. `'a#''#b'` is the word `a##b`.
fn without_commands(inside: &str) -> String {
    let mut out = String::with_capacity(inside.len());
    let mut chars = inside.chars().peekable();
    let mut after_space = false;
    while let Some(c) = chars.next() {
        out.push(c);
        let next_is = chars.peek() == Some(&c);
        if next_is && (c == '#' || (c == ':' && after_space)) {
            out.push_str("''");
        }
        after_space = c.is_whitespace();
    }
    out
}

/// The words of a command, quoted and joined.
///
/// ```
/// let argv = ["gate-skip", "lint", "--reason", "flaky; rm -rf /"].map(String::from);
/// assert_eq!(gate_cli::quote::command(&argv), "gate-skip lint --reason 'flaky; rm -rf /'");
/// ```
pub fn command(argv: &[String]) -> String {
    let mut words: Vec<String> = argv.iter().map(|word| shell(word)).collect();
    if let Some(first) = words.first_mut()
        && first.contains('=')
        && !first.starts_with('\'')
    {
        // An unquoted `NAME=value` in front would be an assignment.
        *first = format!("'{first}'");
    }
    words.join(" ")
}

/// Whether [`command`] writes just these words: whether a shell would read them back unchanged.
pub fn is_exact(argv: &[String]) -> bool {
    argv.iter().all(|word| visible(word) == *word)
}

/// Whether `word` needs no quotes in any POSIX shell, in zsh, and in no place of a command but the first.
fn is_plain(word: &str) -> bool {
    let safe = |b: u8| b.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&b);
    !word.is_empty() && word.bytes().all(safe) && !word.starts_with(['=', ':'])
}

#[cfg(test)]
mod tests {
    use super::{command, is_exact, shell};
    use crate::escape::inert;
    use proptest::prelude::*;

    /// What `sh` makes of a command line: its words.
    fn words(line: &str) -> Vec<String> {
        let script = format!("for w in {line}; do printf '%s\\0' \"$w\"; done");
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        assert!(output.status.success(), "{line}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_terminator('\0').map(str::to_owned).collect()
    }

    #[test]
    fn hostile_words_come_back_from_a_real_shell_as_they_were() {
        let hostile = [
            "",
            "a b",
            "it's",
            "'",
            "''",
            "$(id)",
            "`id`",
            "a;b",
            "a&&b",
            "|",
            ">x",
            "<x",
            "*",
            "?",
            "[a]",
            "~",
            "~root",
            "#c",
            "!!",
            "\\",
            "a\\",
            "\"",
            "-n",
            "--",
            "{a,b}",
            "=ls",
            "A=b",
            "%1",
            "::error::x",
            "a ::error::x",
            "a\u{a0}:::",
            "##vso[x]y",
            "###[group]",
            "####",
            "é修",
            "rule=B101,path=src/a b.py",
        ];
        let argv: Vec<String> = hostile.iter().map(|&word| word.to_owned()).collect();
        assert!(is_exact(&argv));
        assert_eq!(words(&command(&argv)), argv);
    }

    #[test]
    fn a_control_character_is_never_printed_and_never_called_exact() {
        for word in ["a\u{1b}[2J", "a\nb", "a\tb", "\u{202e}x", "\u{9b}", "a\u{200b}", "\0", "\r"] {
            let line = shell(word);
            assert_eq!(inert(&line), line, "{word:?}");
            assert!(!is_exact(&[word.to_owned()]), "{word:?}");
        }
    }

    #[test]
    fn a_first_word_cannot_be_an_assignment() {
        assert_eq!(command(&["PATH=/tmp".into(), "x=y".into()]), "'PATH=/tmp' x=y");
    }

    proptest! {
        #[test]
        fn whatever_the_word_the_printed_line_is_inert(argv in prop::collection::vec("\\PC*|[#: \\['\\x1b\n]{0,9}", 1..4)) {
            let line = command(&argv);
            prop_assert_eq!(inert(&line), line);
        }

        #[test]
        fn exact_words_survive_a_shell(argv in prop::collection::vec("[ -~é]{0,12}", 1..4)) {
            prop_assert!(is_exact(&argv));
            prop_assert_eq!(words(&command(&argv)), argv);
        }
    }
}
