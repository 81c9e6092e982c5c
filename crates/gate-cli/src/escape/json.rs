//! JSON that is safe to print: the same value, with escapes where a reader would not see a character for
//! what it is, or where a CI system would see a command.

use std::io::Write;

use serde::Serialize;

use super::is_unseen;

/// `document` as one line of JSON without its newline: what `jq` reads from it is exactly the document.
///
/// A document that cannot be serialised (no document of the tools is such) becomes one of schema
/// `gate.error/1` that says why, so that whoever reads it sees neither a verdict nor half a line.
///
/// ```
/// let line = gate_cli::escape::json::json(&["\u{202e}##vso[x]\u{7f}"]);
/// assert_eq!(line, r###"["\u202e\u0023#vso[x]\u007f"]"###);
/// ```
pub fn json(document: &impl Serialize) -> String {
    match serde_json::to_string(document) {
        Ok(text) => inert_json(&text),
        Err(error) => {
            let error = serde_json::Value::from(error.to_string());
            inert_json(&format!(r#"{{"error":{error},"schema":"gate.error/1"}}"#))
        }
    }
}

/// Writes what [`json`] gives to `out` piece by piece, for documents that may be large.
///
/// # Errors
/// What `out` reports, or why the document cannot be serialised; then `out` holds a part of it.
pub fn write_json(out: &mut dyn Write, document: &impl Serialize) -> std::io::Result<()> {
    serde_json::to_writer(Inert(out), document).map_err(std::io::Error::from)
}

/// Makes the pieces that `serde_json` writes inert. Each is whole text: strings are only cut at escapes.
struct Inert<'a>(&'a mut dyn Write);

impl Write for Inert<'_> {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        let is_inert = |byte: &u8| byte.is_ascii() && !matches!(*byte, b'#' | b':' | 0x7f);
        if piece.iter().all(is_inert) {
            self.0.write_all(piece)?;
        } else {
            let text = std::str::from_utf8(piece).map_err(std::io::Error::other)?;
            self.0.write_all(inert_json(text).as_bytes())?;
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// `text`, which is JSON, with the same value and inert. For lines that must keep their order of members.
///
/// Outside of strings JSON has neither `#` nor `::` nor a character above U+007E, so every character that is replaced
/// here stands within a string, where `\uXXXX` means the same (RFC 8259, section 7). A `::` within a word is a path
/// of some language, and stays.
pub fn inert_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_word = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if (c == '#' && chars.peek() == Some(&'#')) || (c >= '\u{7f}' && is_unseen(c)) {
            escape(c, &mut out);
        } else {
            out.push(c);
        }
        match c {
            // What is an escape already stays one, and no word goes on behind it.
            '\\' => {
                let kind = chars.next();
                out.extend(kind);
                out.extend(chars.by_ref().take(if kind == Some('u') { 4 } else { 0 }));
            }
            ':' if !in_word && chars.next_if_eq(&':').is_some() => escape(':', &mut out),
            _ => {}
        }
        in_word = c.is_alphanumeric() || matches!(c, '_' | '>' | ')');
    }
    out
}

fn escape(c: char, out: &mut String) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        out.push_str(&format!("\\u{unit:04x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::{inert_json, is_unseen, json};
    use proptest::prelude::*;

    #[test]
    fn characters_beyond_the_basic_plane_become_a_pair() {
        assert_eq!(json(&"\u{e0041}"), r#""\udb40\udc41""#);
        assert_eq!(serde_json::from_str::<String>(r#""\udb40\udc41""#).unwrap(), "\u{e0041}");
    }

    #[test]
    fn what_people_write_stays_readable() {
        assert_eq!(json(&"déjà vu, 修正 #12"), "\"déjà vu, 修正 #12\"");
    }

    #[test]
    fn a_document_that_cannot_be_written_says_so() {
        let bad = std::collections::BTreeMap::from([((1, 2), 3)]);
        let value: serde_json::Value = serde_json::from_str(&json(&bad)).unwrap();
        assert_eq!(value["schema"], "gate.error/1");
    }

    #[test]
    fn a_command_at_the_start_of_a_word_is_broken_and_a_path_is_not() {
        assert_eq!(json(&"::error::x std::vec"), r#"":\u003aerror::x std::vec""#);
        assert_eq!(json(&"a\n::warning::y"), r#""a\n:\u003awarning::y""#);
        assert_eq!(json(&"a\u{1}::stop"), r#""a\u0001:\u003astop""#);
    }

    proptest! {
        #[test]
        fn the_value_is_unchanged_and_the_line_is_inert(text in any::<String>(), tail in "[#:n\\n\\[\\\\\"\\x7f\u{202e}]{0,9}") {
            let value = format!("{text}{tail}");
            let line = json(&value);
            let mut written = Vec::new();
            super::write_json(&mut written, &value).unwrap();
            prop_assert_eq!(&String::from_utf8(written).unwrap(), &line);
            prop_assert_eq!(serde_json::from_str::<String>(&line).unwrap(), value);
            prop_assert!(!line.contains("##") && !line.chars().any(is_unseen));
            prop_assert_eq!(inert_json(&line), line);
        }
    }
}
