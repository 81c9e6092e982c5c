//! Text from people and from reports.
//!
//! Control characters (U+0000–U+001F except tab and newline, U+007F–U+009F) are refused from people and
//! replaced from reports, so that terminals stay safe and so that `jq | b3sum` over a ledger line is exact
//! (jq 1.6 escapes U+007F). Bidirectional and zero-width controls are legal text but can make a line read
//! as another one; [`visible`] shows them as escapes wherever a person reads.

/// The longest reason or ticket that a person may write, in bytes.
pub const MAX_TEXT: usize = 4096;

/// What stands in place of a personal text that was erased. Where texts are kept so that they can be erased, nobody
/// can give it as a reason.
pub const ERASED: &str = "erased";

/// Why a text from a person is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// It holds a control character.
    #[error("it holds the control character U+{0:04X}")]
    Control(u32),
    /// It is longer than [`MAX_TEXT`] bytes.
    #[error("it is {0} bytes long; at most {MAX_TEXT} are kept")]
    TooLong(usize),
    /// It is empty or only white space.
    #[error("it is empty")]
    Empty,
}

/// Whether the ledger's profile refuses `c`.
pub const fn is_refused(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}')
}

/// The first character of `name` that may not stand in what a person or a workload is called: a control character, or
/// one that nobody sees, so that two names would look alike. It holds whatever vouches for the name.
///
/// ```
/// assert_eq!(gate_model::text::unfit_in_name("al\u{200b}ice"), Some('\u{200b}'));
/// assert_eq!(gate_model::text::unfit_in_name("élise@example.com"), None);
/// ```
pub fn unfit_in_name(name: &str) -> Option<char> {
    name.chars().find(|c| c.is_control() || is_deceptive(*c))
}

/// Checks a text that a person wrote (a reason, a ticket, a name).
///
/// # Errors
/// The first thing wrong with it.
pub fn check(text: &str) -> Result<(), TextError> {
    if text.trim().is_empty() {
        return Err(TextError::Empty);
    }
    if text.len() > MAX_TEXT {
        return Err(TextError::TooLong(text.len()));
    }
    match text.chars().find(|c| is_refused(*c)) {
        Some(c) => Err(TextError::Control(u32::from(c))),
        None => Ok(()),
    }
}

/// `text` from a report, with each refused control character replaced by U+FFFD.
pub fn clean(text: &str) -> std::borrow::Cow<'_, str> {
    if text.chars().any(is_refused) {
        text.chars().map(|c| if is_refused(c) { '\u{fffd}' } else { c }).collect::<String>().into()
    } else {
        text.into()
    }
}

/// `text` for a person's eyes on one line: whatever could move a cursor, start an escape sequence, reorder
/// or hide text is written as `\u{…}`; tab and newline as `\t` and `\n`; a backslash stays.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c if is_refused(c) || is_deceptive(c) => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// Whether `c` is a bidirectional control, a line separator, or has no width (UAX #9, UTR #36).
pub const fn is_deceptive(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// How many there are of something, in words: `1 entry`, `2 entries`, `0 findings`.
///
/// ```
/// use gate_model::text::count;
/// assert_eq!((count(1, "entry"), count(2, "entry"), count(0, "day")), ("1 entry".into(), "2 entries".into(), "0 days".into()));
/// ```
pub fn count(number: u64, noun: &str) -> String {
    if number == 1 {
        return format!("1 {noun}");
    }
    let stem = noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u']));
    stem.map_or_else(|| format!("{number} {noun}s"), |stem| format!("{number} {stem}ies"))
}

#[cfg(test)]
mod tests {
    use super::{TextError, check, clean, visible};

    #[test]
    fn people_may_write_tab_newline_and_any_script() {
        assert_eq!(check("füx\tit\nnow, déjà vu, 修正"), Ok(()));
    }

    #[test]
    fn control_characters_from_people_are_refused() {
        for (text, point) in
            [("a\u{1b}[31m", 0x1b), ("a\0b", 0), ("a\rb", 13), ("\u{7f}", 0x7f), ("x\u{9b}", 0x9b)]
        {
            assert_eq!(check(text), Err(TextError::Control(point)));
        }
        assert_eq!(check(" \n"), Err(TextError::Empty));
        assert_eq!(check(&"x".repeat(4097)), Err(TextError::TooLong(4097)));
    }

    #[test]
    fn control_characters_from_reports_are_replaced() {
        assert_eq!(clean("a\u{1b}[0mb"), "a\u{fffd}[0mb");
        assert_eq!(clean("tab\tok"), "tab\tok");
    }

    #[test]
    fn what_a_person_reads_cannot_move_the_cursor_or_reorder() {
        assert_eq!(visible("a\u{1b}]0;x\u{7}\u{202e}b\n"), "a\\u{1b}]0;x\\u{7}\\u{202e}b\\n");
    }
}
