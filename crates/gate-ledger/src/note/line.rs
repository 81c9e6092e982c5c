//! The values that stand alone on a line of a note, a checkpoint, or a proof: decimals, base64, key names.
//!
//! Each value has exactly one accepted spelling, so that no two different texts mean the same statement and
//! every changed byte is noticed. All readers take the line without its newline.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::tree::{Hash, MAX_SIZE};

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// Nothing where something belongs.
    #[error("is empty")]
    Empty,
    /// White space before or after the value.
    #[error("begins or ends with white space; remove it")]
    OuterSpace,
    /// `007`; zero itself is `0`.
    #[error("has a leading zero; write the number without it")]
    LeadingZero,
    /// A sign, a point, letters, or digits of another script.
    #[error("is not a decimal number; use the digits 0 to 9 only")]
    NotDecimal,
    /// Above 2^63 − 1.
    #[error("is larger than 9223372036854775807")]
    Overflow,
    /// Not the standard alphabet with padding (RFC 4648, section 4), or its unused bits are not zero.
    #[error("is not padded standard base64")]
    NotBase64,
    /// Decoded, it has the wrong number of bytes.
    #[error("is {found} bytes of base64, not {expected}")]
    Length {
        /// Bytes that were found.
        found: usize,
        /// Bytes that belong there.
        expected: usize,
    },
}

/// A number from 0 to 2^63 − 1 in ASCII digits without leading zeros.
pub(crate) fn decimal(text: &str) -> Result<u64, Defect> {
    check_edges(text)?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Defect::NotDecimal);
    }
    if text.len() > 1 && text.starts_with('0') {
        return Err(Defect::LeadingZero);
    }
    // All digits: the one thing left to go wrong is the size.
    text.parse().ok().filter(|number| *number <= MAX_SIZE).ok_or(Defect::Overflow)
}

/// Bytes in standard base64 with padding.
pub(crate) fn base64(text: &str) -> Result<Vec<u8>, Defect> {
    check_edges(text)?;
    // The engine refuses missing padding and unused bits that are not zero: one spelling for each value.
    STANDARD.decode(text).map_err(|_| Defect::NotBase64)
}

/// A SHA-256 digest in base64.
pub(crate) fn hash(text: &str) -> Result<Hash, Defect> {
    let bytes = base64(text)?;
    Hash::try_from(bytes.as_slice()).map_err(|_| Defect::Length { found: bytes.len(), expected: 32 })
}

/// The base64 of `bytes`.
pub(crate) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Whether `text` may name a key: not empty, no Unicode white space, no `+`, no ASCII control character.
pub(crate) fn is_key_name(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|c| c == '+' || c.is_whitespace() || c < ' ')
}

/// The first byte that a note may not hold: an ASCII control character other than newline.
pub(crate) fn find_control(text: &str) -> Option<(usize, u8)> {
    text.bytes().enumerate().find(|(_, byte)| *byte < b' ' && *byte != b'\n')
}

/// Refuses nothing, and white space at either end.
fn check_edges(text: &str) -> Result<(), Defect> {
    if text.is_empty() {
        return Err(Defect::Empty);
    }
    if text.trim() == text { Ok(()) } else { Err(Defect::OuterSpace) }
}

#[cfg(test)]
mod tests {
    use super::{Defect, base64, decimal, hash, is_key_name};

    #[test]
    fn a_number_has_one_spelling() {
        assert_eq!(decimal("0"), Ok(0));
        assert_eq!(decimal("9223372036854775807"), Ok(9_223_372_036_854_775_807));
        let cases = [
            ("", Defect::Empty),
            (" 1", Defect::OuterSpace),
            ("1\u{a0}", Defect::OuterSpace),
            ("1\r", Defect::OuterSpace),
            ("01", Defect::LeadingZero),
            ("00", Defect::LeadingZero),
            ("+1", Defect::NotDecimal),
            ("-1", Defect::NotDecimal),
            ("1e3", Defect::NotDecimal),
            ("1 2", Defect::NotDecimal),
            ("٣", Defect::NotDecimal),
            ("9223372036854775808", Defect::Overflow),
            ("18446744073709551616", Defect::Overflow),
            ("99999999999999999999999999", Defect::Overflow),
        ];
        for (text, defect) in cases {
            assert_eq!(decimal(text), Err(defect), "{text:?}");
        }
    }

    #[test]
    fn base64_has_one_spelling() {
        assert_eq!(base64("YQ=="), Ok(b"a".to_vec()));
        for (name, text) in [
            ("missing padding", "YQ"),
            ("unused bits set", "YR=="),
            ("url alphabet", "_-8="),
            ("inner space", "Y Q="),
            ("too much padding", "YWE=="),
            ("bytes after padding", "YQ==YQ=="),
        ] {
            assert_eq!(base64(text), Err(Defect::NotBase64), "{name}");
        }
        assert_eq!(base64("YQ== "), Err(Defect::OuterSpace));
        assert_eq!(hash("YQ=="), Err(Defect::Length { found: 1, expected: 32 }));
    }

    #[test]
    fn key_names_hold_no_space_plus_or_control() {
        assert!(is_key_name("example.com/log42") && is_key_name("høst.example/修"));
        for text in ["", "a b", "a+b", "a\u{a0}b", "a\u{2003}b", "a\nb", "a\tb", "a\u{85}b", "a\0"] {
            assert!(!is_key_name(text), "{text:?}");
        }
    }
}
