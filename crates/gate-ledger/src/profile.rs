//! The JSON that the ledger is written in: a profile of RFC 8259 in which every value has exactly one
//! writing, so that a hash of the bytes is a hash of the meaning.
//!
//! The profile:
//!
//! - UTF-8 without a byte order mark; strings are not normalised;
//! - no floats (no `.`, no exponent); integers within ±(2^53−1), no `-0`, no leading zero: every JSON reader
//!   keeps such numbers exactly, those that read doubles too;
//! - keys are `[a-z0-9_]`, at least one character, none twice in an object (compared after unescaping);
//! - no lone surrogates; no control characters (U+0000–U+001F, U+007F–U+009F) but tab and newline, because
//!   terminals obey some of them and because jq 1.6 writes U+007F as an escape;
//! - at most [`MAX_DEPTH`] containers within each other and [`MAX_BYTES`] bytes.
//!
//! Within it RFC 8785 (JSON Canonicalization Scheme) is short: members sorted by key, no white space, and
//! `\"`, `\\`, `\t`, `\n` as the only escapes. All keys are ASCII, so the order of bytes is the order of
//! UTF-16 units that RFC 8785 section 3.2.3 asks for.
//!
//! Three doors: [`parse`] reads the profile with any white space and order, [`canonical`] writes a value
//! down, [`check_canonical`] says in one pass, without allocating, whether bytes are exactly canonical.
//! `serde_json` reads only what was found canonical before: it keeps the last of two equal keys in silence and would
//! make a float of a large integer.

mod check;
mod parse;
mod swar;
mod write;

pub use check::check_canonical;
pub(crate) use check::scan;
pub use parse::parse;
pub(crate) use parse::parse_within;
pub(crate) use swar::{Key, word};
pub(crate) use write::Writer;
pub use write::canonical;

/// The largest canonical document, in bytes: 1 MiB.
pub const MAX_BYTES: usize = 1 << 20;
/// How many arrays and objects may be open at once.
pub const MAX_DEPTH: usize = 32;
/// The largest integer, 2^53 − 1; its negative is the smallest.
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

/// A defect, and the byte at which it was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at byte {offset}: {kind}")]
pub struct ProfileError {
    /// The offset of the defect from the first byte of the document, in bytes. For [`canonical`], which has
    /// no input bytes, the offset in what would have been written.
    pub offset: usize,
    /// What is wrong there.
    pub kind: ProfileErrorKind,
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileErrorKind {
    /// Bytes that are not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// The document ends within a value.
    #[error("the document ends here, within a value")]
    End,
    /// A byte that JSON does not allow at this place.
    #[error("unexpected {}", shown_byte(*.0))]
    Unexpected(u8),
    /// Something follows the document's only value.
    #[error("something follows the end of the document")]
    Trailing,
    /// White space, which the canonical form has none of.
    #[error("white space, which the canonical form has none of")]
    WhiteSpace,
    /// A key that should stand before the one in front of it.
    #[error("the key '{0}' is out of order; members are sorted by key")]
    UnsortedKey(String),
    /// A key that this object already has.
    #[error("the key '{0}' is there twice")]
    DuplicateKey(String),
    /// A key with other characters than `[a-z0-9_]`, or an empty one.
    #[error("the key '{0}' is not made of a-z, 0-9 and _")]
    Key(String),
    /// An escape where the canonical form writes the character itself, or another escape.
    #[error("an escape that the canonical form does not use")]
    Escape,
    /// A backslash followed by something that JSON does not know.
    #[error("not an escape of JSON")]
    BadEscape,
    /// Half of a surrogate pair.
    #[error("half of a surrogate pair")]
    LoneSurrogate,
    /// A control character other than tab and newline.
    #[error("the control character U+{0:04X}; only tab and newline are allowed, written \\t and \\n")]
    Control(u32),
    /// A number with a fraction or an exponent.
    #[error("a number with a fraction or an exponent; only whole numbers are allowed")]
    Float,
    /// A whole number outside ±(2^53−1).
    #[error("a whole number outside ±9007199254740991")]
    Integer,
    /// `-0`.
    #[error("-0; write 0")]
    NegativeZero,
    /// A number that starts with a needless zero.
    #[error("a number with a leading zero")]
    LeadingZero,
    /// More than [`MAX_DEPTH`] open containers.
    #[error("more than {MAX_DEPTH} arrays and objects within each other")]
    TooDeep,
    /// More bytes than allowed.
    #[error("more than {0} bytes")]
    TooLarge(usize),
}

impl ProfileErrorKind {
    /// A short name in kebab-case for verification reports.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotUtf8 => "not-utf8",
            Self::End | Self::Unexpected(_) | Self::Trailing | Self::BadEscape | Self::LeadingZero => {
                "not-json"
            }
            Self::WhiteSpace | Self::UnsortedKey(_) | Self::Escape => "not-canonical",
            Self::DuplicateKey(_) => "duplicate-key",
            Self::Key(_) => "key",
            Self::LoneSurrogate => "lone-surrogate",
            Self::Control(_) => "control-character",
            Self::Float | Self::Integer | Self::NegativeZero => "number",
            Self::TooDeep => "too-deep",
            Self::TooLarge(_) => "too-large",
        }
    }

    const fn at(self, offset: usize) -> ProfileError {
        ProfileError { offset, kind: self }
    }
}

/// A key for a message: bounded, and harmless to a terminal.
fn shown_key(key: &str) -> String {
    const KEPT: usize = 60;
    let mut kept: String = key.chars().take(KEPT).collect();
    if kept.len() < key.len() {
        kept.push('…');
    }
    gate_model::text::visible(&kept)
}

fn shown_byte(byte: u8) -> String {
    if byte.is_ascii_graphic() { format!("'{}'", char::from(byte)) } else { format!("byte 0x{byte:02x}") }
}

/// Whether `byte` may stand in a key.
const fn is_key_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')
}

#[cfg(test)]
mod tests;
