//! One line of `allowed_signers`: `principals [options] keytype base64 [comment]`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use gate_model::text;

use super::{Options, SignerLine, options};
use crate::ssh::key::{KeyError, KeyType, PublicKey, shown};
use crate::ssh::pattern::{ListError, PatternList};

/// What is wrong with a line, where, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}; {help}")]
pub struct LineError {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: String,
}

impl LineError {
    pub(super) fn new(
        line: usize,
        column: usize,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { line, column, message: message.into(), help: help.into() }
    }
}

/// A line that is being read: the whole of it and what is left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    number: usize,
    whole: &'a str,
    pub(super) rest: &'a str,
}

impl<'a> Cursor<'a> {
    /// An error at the cursor's place.
    pub(super) fn error(&self, message: impl Into<String>, help: impl Into<String>) -> LineError {
        let before = self.whole.get(..self.whole.len() - self.rest.len()).unwrap_or_default();
        LineError::new(self.number, before.chars().count() + 1, message, help)
    }

    /// The same cursor, `count` bytes further.
    pub(super) fn advance(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    /// The text up to the next blank.
    fn word(&self) -> &'a str {
        self.rest.split([' ', '\t']).next().unwrap_or_default()
    }
}

/// Reads a line; nothing where it is blank or a comment.
pub(super) fn parse(number: usize, whole: &str) -> Result<Option<SignerLine>, LineError> {
    let mut cursor = Cursor { number, whole, rest: whole };
    cursor.skip_blanks();
    if cursor.rest.is_empty() || cursor.rest.starts_with('#') {
        return Ok(None);
    }
    refuse_invisible(cursor)?;
    let principals = read_principals(&mut cursor)?;
    let options = read_options(&mut cursor)?;
    let key = read_key(cursor)?;
    Ok(Some(SignerLine { number, principals, options, key }))
}

/// A name with an invisible character in it looks like another name, so none may stand in a line that counts.
fn refuse_invisible(mut cursor: Cursor<'_>) -> Result<(), LineError> {
    let mut words = cursor.rest.split('\t');
    let Some(c) = words.find_map(text::unfit_in_name) else { return Ok(()) };
    let at = cursor.rest.find(c).unwrap_or_default();
    cursor.advance(at);
    let message = format!("the invisible character U+{:04X} stands here", u32::from(c));
    Err(cursor.error(
        message,
        if c == '\r' {
            "convert the file to LF line ends"
        } else {
            "remove it; the file is plain text without a byte order mark"
        },
    ))
}

fn read_principals(cursor: &mut Cursor<'_>) -> Result<PatternList, LineError> {
    let start = *cursor;
    let list = match cursor.rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').map(|(inner, _)| (inner, inner.len() + 2)),
        None => Some((cursor.word(), cursor.word().len())),
    };
    let (list, length) = list.ok_or_else(|| start.error("the quote is never closed", "write a second \""))?;
    cursor.advance(length);
    if list.contains('"') || !cursor.rest.starts_with([' ', '\t']) && !cursor.rest.is_empty() {
        return Err(
            start.error("a quote stands within the principals", "quote the whole list or nothing of it")
        );
    }
    cursor.skip_blanks();
    PatternList::parse(list).map_err(|error| match error {
        ListError::EmptyPattern => {
            start.error("a principal is empty", "write names with one comma between two")
        }
        ListError::OnlyNegated => start.error(
            "only negated principals: the line matches nobody",
            "add a pattern that matches, such as *",
        ),
    })
}

/// The options, which are absent where the next word is a key's type.
fn read_options(cursor: &mut Cursor<'_>) -> Result<Options, LineError> {
    if names_key(cursor.word()) {
        return Ok(Options::default());
    }
    if cursor.rest.is_empty() {
        return Err(
            cursor.error("the line ends before its key", "write: principals [options] keytype base64")
        );
    }
    let options = options::parse(cursor)?;
    cursor.skip_blanks();
    Ok(options)
}

fn names_key(word: &str) -> bool {
    KeyType::named(word).is_some() || KeyType::of_certificate(word).is_some()
}

fn read_key(mut cursor: Cursor<'_>) -> Result<PublicKey, LineError> {
    const HELP: &str = "paste the line of the .pub file after the principals and options";
    let start = cursor;
    let name = cursor.word();
    let Some(kind) = KeyType::named(name) else { return Err(not_a_key(start, name)) };
    cursor.advance(name.len());
    cursor.skip_blanks();
    let base64 = cursor.word();
    let blob =
        STANDARD.decode(base64).map_err(|_| cursor.error("the key is not base64, or is cut short", HELP))?;
    let key = PublicKey::from_blob(&blob).map_err(|error| match error {
        KeyError::Certificate => certificate_instead(start),
        other => cursor.error(other.to_string(), HELP),
    })?;
    if key.kind != kind {
        let message = format!("the type says {name}, and the key in it is of type {}", key.type_name());
        return Err(start.error(message, HELP));
    }
    Ok(key)
}

fn not_a_key(place: Cursor<'_>, name: &str) -> LineError {
    if name.is_empty() {
        return place.error("the line ends before its key", "write: principals [options] keytype base64");
    }
    if KeyType::of_certificate(name).is_some() {
        return certificate_instead(place);
    }
    place.error(
        format!("'{}' is not a key type", shown(name)),
        "write a type such as ssh-ed25519; options stand before it, with commas and no blanks between them",
    )
}

fn certificate_instead(place: Cursor<'_>) -> LineError {
    place.error(
        "a certificate is listed where a key belongs",
        "list the key itself, or the authority's key with the option cert-authority",
    )
}
