//! What a ledger can hold of a policy: its text, the files that it trusts and its signature become one entry.
//!
//! Invariant: whatever is loaded can be recorded. A policy that no entry can hold would switch the ledger off for
//! every gate, and with it each pause and each count, so it is refused where it is read. Not here: the control
//! characters of the policy's own text, which its parser refuses with the rest of its errors.

use gate_model::payload::TrustedFile;
use gate_model::text::is_refused;

/// The most that all of it may take, in bytes of JSON: an entry's 1 MiB without room for the entry's other members
/// (the actor, the source of the text, the hashes).
pub(super) const MAX_RECORDED: usize = gate_ledger::profile::MAX_BYTES - 16 * 1024;

/// A character that no entry can hold, and its place in a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {what}\n{remedy}")]
pub struct Unrecordable {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
    /// What stands there.
    pub what: String,
    /// How to mend it.
    pub remedy: &'static str,
}

/// Checks that an entry can hold each character of `text`.
pub(super) fn check(text: &str) -> Result<(), Unrecordable> {
    let Some((at, c)) = text.char_indices().find(|(_, c)| is_refused(*c)) else { return Ok(()) };
    let (before, rest) = text.split_at(at);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let (what, remedy) = if rest.starts_with("\r\n") {
        let what = "the line ends with a carriage return, which the ledger cannot hold".to_owned();
        (what, "convert it to LF line ends, and write 'eol=lf' for it into .gitattributes")
    } else {
        let what =
            format!("the control character U+{:04X} stands here, which the ledger cannot hold", u32::from(c));
        (what, "take it out")
    };
    Err(Unrecordable { line, column, what, remedy })
}

/// How many bytes of an entry a policy takes.
pub(super) fn recorded_length(text: &str, files: &[TrustedFile], signature: Option<&str>) -> usize {
    let of_files = files.iter().map(|file| written_length(&file.path) + written_length(&file.text) + 32);
    written_length(text) + signature.map_or(0, written_length) + of_files.sum::<usize>()
}

/// The bytes of `text` as a text of JSON: RFC 8785 escapes these four, and the profile has no other control.
fn written_length(text: &str) -> usize {
    text.len() + text.bytes().filter(|byte| matches!(byte, b'"' | b'\\' | b'\n' | b'\t')).count()
}

#[cfg(test)]
mod tests {
    use super::{check, recorded_length};
    use gate_model::payload::TrustedFile;
    use proptest::prelude::*;

    #[test]
    fn a_control_character_is_named_with_its_place() {
        let found = check("# é\n# é\u{1b}[2J\n").unwrap_err();
        assert_eq!((found.line, found.column), (2, 4));
        assert!(found.what.contains("U+001B"), "{found}");
        assert!(check("a\u{9b}").unwrap_err().what.contains("U+009B"));
        assert_eq!(check("tab\there\n\u{feff}\u{200b}"), Ok(()));
    }

    #[test]
    fn carriage_returns_have_a_remedy_of_their_own() {
        let found = check("alice\r\nbob\r\n").unwrap_err();
        assert_eq!((found.line, found.column), (1, 6));
        assert!(found.remedy.starts_with("convert it to LF line ends"));
        assert_eq!(check("a\rb").unwrap_err().remedy, "take it out");
    }

    proptest! {
        #[test]
        fn what_passes_can_be_written_in_the_length_that_was_said(text in any::<String>()) {
            let written = gate_ledger::profile::canonical(&serde_json::json!(text));
            prop_assert_eq!(check(&text).is_ok(), written.is_ok());
            if let Ok(written) = written {
                prop_assert_eq!(recorded_length(&text, &[], None) + 2, written.len());
                let file = TrustedFile { path: "a".to_owned(), text: text.clone() };
                let object = serde_json::to_value(&file).unwrap();
                let object = gate_ledger::profile::canonical(&object).unwrap();
                prop_assert!(recorded_length("", &[file], None) >= object.len());
            }
        }
    }
}
