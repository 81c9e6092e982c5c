//! What a report is written in.
//!
//! UTF-8, but where its first bytes say otherwise: a byte order mark, characters of two bytes (PowerShell writes files
//! so), or the declaration of XML (test runners of older platforms write `ISO-8859-1`). Labels mean what they mean on
//! the web (<https://encoding.spec.whatwg.org/#names-and-labels>), so that `ISO-8859-1` is windows-1252.

use encoding_rs::{Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE};

/// Where a declaration must have ended.
pub(crate) const HEAD: usize = 1024;

/// How a declaration begins and ends.
const DECLARATION: (&[u8], &[u8]) = (b"<?xml", b"?>");

/// Whether more than `head` must be seen before [`of`] can tell.
pub(crate) fn wants_more(head: &[u8]) -> bool {
    head.len() < 5
        || head.starts_with(DECLARATION.0)
            && head.len() < HEAD
            && memchr::memmem::find(head, DECLARATION.1).is_none()
}

/// What a report that begins with `head` is written in.
///
/// # Errors
/// The label that nobody knows.
pub(crate) fn of(head: &[u8]) -> Result<&'static Encoding, String> {
    match head {
        // UTF-32 is no encoding that is read: its zeros are refused when they are met.
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, ..] => Ok(UTF_8),
        [0xFF, 0xFE, ..] | [1..=255, 0, 1..=255, 0, ..] => Ok(UTF_16LE),
        [0xFE, 0xFF, ..] | [0, 1..=255, 0, 1..=255, ..] => Ok(UTF_16BE),
        _ => declared(head).map_or(Ok(UTF_8), |label| named(&label)),
    }
}

/// The encoding with this label.
///
/// # Errors
/// The label, where nobody knows it.
pub(crate) fn named(label: &str) -> Result<&'static Encoding, String> {
    // On the web these stand for windows-1252, and what is not ASCII would be read as that.
    if ["us-ascii", "ascii"].iter().any(|ascii| label.eq_ignore_ascii_case(ascii)) {
        return Ok(UTF_8);
    }
    match Encoding::for_label(label.as_bytes()) {
        // Its bytes are of one byte each, or the label could not have been read: a text that was declared before it
        // was written to a file as UTF-8, as .NET does it.
        Some(utf16) if utf16 == UTF_16LE || utf16 == UTF_16BE => Ok(UTF_8),
        Some(encoding) if encoding != REPLACEMENT => Ok(encoding),
        _ => Err(label.to_owned()),
    }
}

/// The encoding that a declaration at the very beginning names.
fn declared(head: &[u8]) -> Option<String> {
    let inside = head.strip_prefix(DECLARATION.0)?;
    let inside = std::str::from_utf8(&inside[..memchr::memmem::find(inside, DECLARATION.1)?]).ok()?;
    let (_, rest) = inside.split_once("encoding")?;
    let quoted = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = quoted.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (label, _) = quoted[1..].split_once(quote)?;
    Some(label.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{of, wants_more};

    #[test]
    fn the_first_bytes_say_what_a_report_is_written_in() {
        for (head, expected) in [
            (&b"{\"a\":1}"[..], Ok("UTF-8")),
            (b"\xEF\xBB\xBF<a/>", Ok("UTF-8")),
            (b"\xFF\xFE{\0}\0", Ok("UTF-16LE")),
            (b"\xFE\xFF\0{", Ok("UTF-16BE")),
            (b"<\0?\0x\0", Ok("UTF-16LE")),
            (b"\0<\0a\0/", Ok("UTF-16BE")),
            (b"<\0\0\0?\0\0\0", Ok("UTF-8")),
            (b"\xFF\xFE\0\0<\0\0\0", Ok("UTF-8")),
            (b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>", Ok("windows-1252")),
            (b"<?xml version=\"1.0\" encoding = \"Shift_JIS\" ?>", Ok("Shift_JIS")),
            (b"<?xml version=\"1.0\" encoding=\"utf-16\"?><a/>", Ok("UTF-8")),
            (b"<?xml version=\"1.0\" encoding=\"US-ASCII\"?><a/>", Ok("UTF-8")),
            (b"<?xml version=\"1.0\" encoding=\"UTF-7\"?><a/>", Err("UTF-7")),
            (b"<?xml version=\"1.0\" encoding=\"iso-2022-kr\"?><a/>", Err("iso-2022-kr")),
            (b"<!-- encoding='latin1' ?>", Ok("UTF-8")),
            (b"", Ok("UTF-8")),
        ] {
            let found = of(head);
            let found = found.as_ref().map(|encoding| encoding.name()).map_err(String::as_str);
            assert_eq!(found, expected, "{:?}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn a_declaration_is_waited_for_within_bounds() {
        assert!(wants_more(b"<?xml") && wants_more(b"<?xml version='1.0'") && wants_more(b"<?"));
        assert!(
            !wants_more(b"<?xml ?>")
                && !wants_more(b"<testsuites")
                && !wants_more(&[b"<?xml", &[b' '; 2000][..]].concat())
        );
    }
}
