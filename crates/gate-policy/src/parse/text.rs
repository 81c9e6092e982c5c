//! What can be wrong with a policy before its keys are looked at: encoding, size, control characters, syntax.

use crate::diagnostic::Diagnostic;
use gate_model::text::is_refused;

/// The longest policy, in bytes: it must fit into one entry of the ledger with the files it trusts.
pub const MAX_BYTES: usize = 1 << 20;

/// The text of a policy's bytes: UTF-8, without a byte order mark.
///
/// # Errors
/// The first thing wrong, with its place.
pub fn decode(bytes: &[u8]) -> Result<&str, Diagnostic> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => Err(undecodable(bytes, error.valid_up_to())),
    }
}

fn undecodable(bytes: &[u8], good: usize) -> Diagnostic {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Diagnostic::error("", 0..0, "encoding", "the policy is UTF-16, not UTF-8")
            .help("save it as UTF-8 without a byte order mark");
    }
    let before = bytes.get(..good).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    let message = format!("the policy is not UTF-8: the byte at offset {good} starts no character");
    Diagnostic::error(before, good..good, "encoding", message)
        .help("save it as UTF-8 without a byte order mark")
}

/// Checks what holds for the text as a whole. Its entry in the ledger cannot hold a control character but tab
/// and newline, so none may stand in the policy either, not in a comment, and not as a carriage return.
pub(super) fn check(text: &str) -> Result<(), Diagnostic> {
    if text.len() > MAX_BYTES {
        let message = format!("the policy has {} bytes; at most {MAX_BYTES} are read", text.len());
        return Err(
            Diagnostic::error("", 0..0, "too-large", message).help("move comments and tests elsewhere")
        );
    }
    if text.starts_with('\u{feff}') {
        return Err(Diagnostic::error(
            text,
            0..3,
            "byte-order-mark",
            "the policy starts with a byte order mark",
        )
        .help("save it as UTF-8 without a byte order mark"));
    }
    let Some((at, c)) = text.char_indices().find(|(_, c)| is_refused(*c)) else { return Ok(()) };
    let span = at..at + c.len_utf8();
    if text.get(at..).is_some_and(|rest| rest.starts_with("\r\n")) {
        let message = "the line ends with a carriage return, which the ledger cannot hold";
        return Err(Diagnostic::error(text, span, "carriage-return", message)
            .help("save it with LF line ends; in .gitattributes: gate.toml text eol=lf"));
    }
    let message = format!("the policy holds the control character U+{:04X}", u32::from(c));
    Err(Diagnostic::error(text, span, "control-character", message).help("take it out"))
}

/// An error of TOML itself.
pub(super) fn syntax(text: &str, error: &toml::de::Error) -> Diagnostic {
    let span = error.span().unwrap_or(0..0);
    let message = error.message().lines().collect::<Vec<_>>().join("; ");
    let help = if message.contains("duplicate key") {
        "each name and key may be given once: take one of them out, or put its content into the other"
    } else if message.contains("string") || message.contains("quote") {
        "write text between double quotes on one line, and a backslash in it twice; or between single quotes as it is"
    } else {
        "write KEY = VALUE on a line, text between double quotes; see toml.io for the syntax"
    };
    Diagnostic::error(text, span, "syntax", message).help(help)
}
