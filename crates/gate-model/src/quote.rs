//! Command lines that a person may paste into a POSIX shell.
//!
//! A printed command holds words from reports, so it is where an attacker would hide a second command. Inside
//! single quotes a POSIX shell treats every character literally (XCU 2.2.2), which leaves three dangers: the
//! single quote itself, characters that a terminal acts upon before the shell sees them, and CI systems that
//! read commands out of logs. POSIX has no escape for a control character (`$'…'` came with Issue 8 and is
//! missing from dash), so such a word is shown with visible escapes: inert, but another word. [`is_exact`]
//! tells; a caller percent-encodes first, or leaves the command out and says so.

use crate::text::visible;

/// `word` as one word for a POSIX shell.
///
/// ```
/// use gate_model::quote::shell;
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
/// assert_eq!(gate_model::quote::command(&argv), "gate-skip lint --reason 'flaky; rm -rf /'");
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
