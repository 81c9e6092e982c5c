//! Text from reports, made fit to be kept: cleaned, bounded, and where a report has no fingerprint, one made.
//!
//! # The fingerprint that stands in
//!
//! ```text
//! "gate1:" + the first 32 hexadecimal digits of
//! BLAKE3-derive-key("gate v1 fingerprint", field(tool) field(rule) field(path) field(package) context)
//! context     = the 32 digits of BLAKE3-derive-key("gate v1 finding context", text), cut likewise
//! field(x)    = length of x in bytes as 8 bytes, least significant first, then x; nothing counts as empty
//! ```
//!
//! `text` is the code that the finding points at where the report quotes it, else the message. The line number
//! is left out, so the fingerprint survives code that is inserted above.

use gate_model::text;

use crate::limits;

/// The digits of a digest that are kept: 128 bits.
const DIGITS: usize = 32;

/// The context of a fingerprint that stands in.
const FINGERPRINT: &str = "gate v1 fingerprint";
/// The context of the text that a finding points at.
const CONTEXT: &str = "gate v1 finding context";
/// The context of names that are too long to keep.
const LONG_NAME: &str = "gate v1 long name";

/// An id, a package, a tool: on one line, without control characters, at most [`limits::NAME`] bytes.
pub(crate) fn name(text: &str) -> String {
    bounded(text, limits::NAME)
}

/// A path, at most [`limits::PATH`] bytes.
pub(crate) fn path(text: &str) -> String {
    bounded(text, limits::PATH)
}

/// Cleans `text`. What is too long is cut and marked with its digest, so that two names stay two.
fn bounded(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return one_line(text);
    }
    let head = cut(text, limit - DIGITS - '…'.len_utf8());
    format!("{}…{}", one_line(head), digits(LONG_NAME, text.as_bytes()))
}

/// Whether `text` is printable ASCII, as nearly all text in reports is: then there is nothing to clean.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

fn one_line(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// A message: control characters replaced, tab and newline kept, at most [`limits::MESSAGE`] bytes, `…` where cut.
pub(crate) fn message(message: &str) -> String {
    let message = message.trim();
    if message.len() <= limits::MESSAGE && is_plain(message) {
        return message.to_owned();
    }
    if message.len() <= limits::MESSAGE {
        return text::clean(message).into_owned();
    }
    // Cleaning replaces one byte by three, so the cut comes after it.
    let cleaned = text::clean(cut(message, limits::MESSAGE));
    format!("{}…", cut(&cleaned, limits::MESSAGE - '…'.len_utf8()))
}

/// The longest head of `text` of at most `limit` bytes that ends between two characters.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// What identifies the code or the words that a finding points at.
pub(crate) fn context(text: &str) -> String {
    digits(CONTEXT, text.trim().as_bytes())
}

/// The fingerprint that stands in, see the module's documentation.
pub(crate) fn fingerprint(
    tool: Option<&str>,
    rule: &str,
    path: Option<&str>,
    package: Option<&str>,
    context: &str,
) -> String {
    let mut bytes = Vec::with_capacity(256);
    for field in [tool.unwrap_or_default(), rule, path.unwrap_or_default(), package.unwrap_or_default()] {
        bytes.extend_from_slice(&(field.len() as u64).to_le_bytes());
        bytes.extend_from_slice(field.as_bytes());
    }
    bytes.extend_from_slice(context.as_bytes());
    format!("gate1:{}", digits(FINGERPRINT, &bytes))
}

fn digits(context: &str, bytes: &[u8]) -> String {
    blake3::Hash::from_bytes(blake3::derive_key(context, bytes)).to_hex()[..DIGITS].to_owned()
}

#[cfg(test)]
mod tests {
    use super::{fingerprint, message, name};
    use crate::limits;

    #[test]
    fn two_long_names_stay_two() {
        let (one, two) = ("x".repeat(600) + "a", "x".repeat(600) + "b");
        assert_ne!(name(&one), name(&two));
        assert!(name(&one).len() <= limits::NAME && name(&"é".repeat(600)).len() <= limits::NAME);
        assert_eq!(name("a\nb\u{1b}c"), "a\u{fffd}b\u{fffd}c");
    }

    #[test]
    fn messages_are_cut_between_characters() {
        let long = message(&"é".repeat(1000));
        assert!(long.len() <= limits::MESSAGE && long.ends_with('…'));
        assert!(message(&"\u{1b}".repeat(1024)).len() <= 3 * limits::MESSAGE);
        assert_eq!(message(" a\tb\u{1b}\n"), "a\tb\u{fffd}");
    }

    #[test]
    fn fields_of_a_fingerprint_cannot_slide_into_one_another() {
        let one = fingerprint(Some("a"), "bc", None, None, "d");
        assert_ne!(one, fingerprint(Some("ab"), "c", None, None, "d"));
        assert_ne!(one, fingerprint(Some("a"), "bc", Some("d"), None, ""));
        assert_eq!(one, fingerprint(Some("a"), "bc", None, None, "d"));
        assert_eq!(one.len(), "gate1:".len() + 32);
    }
}
