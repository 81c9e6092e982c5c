//! Text from reports, made fit to be kept: cleaned, bounded, and where a report has no fingerprint, one made.
//!
//! # The fingerprint that stands in
//!
//! ```text
//! "gate2:" + the first 32 digits of what + "@" + the first 16 digits of where
//! what     = hexadecimal of BLAKE3-derive-key("gate v2 fingerprint", field(kind) field(tool) field(rule) field(package) field(text))
//! where    = the same of field("place") field(path); left out, with its "@", where there is no path
//! field(x) = length of x in bytes as 8 bytes, least significant first, then x; nothing counts as empty
//! ```
//!
//! Two findings are the same where both halves agree. Where the first alone does, the finding may have moved to another
//! file, which only a rule with `follow_moves` allows.
//!
//! By `kind`, the first that is known: `package`, with no text; `code`, with the code that the report quotes, else with
//! the flagged line of the checkout, where that has a letter or a digit; and `message`, with the message. White space is
//! taken out of code, and runs of digits count as one `#` in messages. The line number is left out, so the fingerprint
//! survives code that is inserted above; the message is left out where there is anything better, so that it survives
//! other words for the same. Neither is what stands around the line in it ([`crate::around`]): that tells findings apart which are alike.

use std::collections::BTreeMap;

use gate_model::finding::{Finding, Identity};
use gate_model::text;

use crate::around;
use crate::limits;
use crate::place::Checkout;

/// The digits of a digest that are kept: 128 bits.
const DIGITS: usize = 32;

/// What stands for a fix of which the report does not say in which version it is.
pub(crate) const FIX: &str = "available";

/// The context of a fingerprint that stands in.
const FINGERPRINT: &str = "gate v2 fingerprint";
/// How a fingerprint of gate's own starts.
pub(crate) const OWN: &str = "gate2:";
/// What stands before the place.
pub(crate) const PLACE: char = '@';
/// The digits of the place.
const PLACE_DIGITS: usize = 16;
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

/// Cleans `text`. What has control characters or is too long is marked with its digest, so that two names stay two.
fn bounded(text: &str, limit: usize) -> String {
    if text.len() <= limit && (is_plain(text) || !text.contains(char::is_control)) {
        return text.to_owned();
    }
    // Cleaning replaces one byte by three, so the cut comes after it, too.
    let head = one_line(cut(text, limit));
    format!("{}…{}", cut(&head, limit - DIGITS - '…'.len_utf8()), digits(LONG_NAME, text.as_bytes()))
}

/// Whether `text` is printable ASCII, as nearly all text in reports is: then there is nothing to clean.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

fn one_line(text: &str) -> String {
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

/// Whether code says anything of what was found there. A brace says nothing: tools that report a whole file name its
/// first line, whatever they found in it.
fn is_telling(code: &str) -> bool {
    code.chars().any(char::is_alphanumeric)
}

/// Code without its white space.
pub(crate) fn code(text: &str) -> String {
    text.split_whitespace().collect()
}

/// What the fingerprint that stands in is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) tool: Option<&'a str>,
    pub(crate) rule: &'a str,
    pub(crate) path: Option<&'a str>,
    pub(crate) package: Option<&'a str>,
}

impl Subject<'_> {
    /// Of a finding in a known package.
    pub(crate) fn of_package(self) -> String {
        self.whole("package", &[])
    }

    /// Of code that is quoted, see [`code`].
    pub(crate) fn of_code(self, code: &str) -> String {
        self.whole("code", &[code])
    }

    /// Of a message, see [`without_numbers`].
    pub(crate) fn of_message(self, message: &str) -> String {
        self.whole("message", &[message])
    }

    fn whole(self, kind: &str, texts: &[&str]) -> String {
        placed(format!("{OWN}{}", self.digest(kind, texts)), self.path)
    }

    fn digest(self, kind: &str, texts: &[&str]) -> String {
        let text = |text: Option<&'_ str>| text.unwrap_or_default().to_owned();
        let own = [text(Some(kind)), text(self.tool), text(Some(self.rule)), text(self.package)];
        all(own.iter().map(String::as_str).chain(texts.iter().copied()))
    }
}

/// The fingerprint of what was found, in the file `path`.
pub(crate) fn placed(what: String, path: Option<&str>) -> String {
    match path {
        Some(path) => format!("{what}{PLACE}{}", &all(["place", path].into_iter())[..PLACE_DIGITS]),
        None => what,
    }
}

/// What a finding without a fingerprint is recognised by where it is in no known package.
#[derive(Debug, Clone)]
pub(crate) enum Context {
    /// Code that the report quotes, as [`code`] writes it.
    Code(String),
    /// Its message, as [`without_numbers`] writes it.
    Message(String),
}

impl Default for Context {
    fn default() -> Self {
        Self::Message(String::new())
    }
}

impl Context {
    pub(crate) fn of(quoted: Option<&str>, message: &str) -> Self {
        match quoted.filter(|code| is_telling(code)) {
            Some(text) => Self::Code(short(code(text))),
            None => Self::Message(short(without_numbers(message.trim()))),
        }
    }
}

/// `text`, or its digest where it is too long to keep.
pub(crate) fn short(text: String) -> String {
    if text.len() > limits::NAME { digits(LONG_NAME, text.as_bytes()) } else { text }
}

/// Gives a finding that is complete but for them the fingerprint that stands in, and what stands around its line.
pub(crate) fn identify(finding: &mut Finding, context: &Context, checkout: &dyn Checkout) {
    let subject = Subject {
        tool: finding.tool.as_deref(),
        rule: &finding.rule,
        path: finding.path.as_deref(),
        package: finding.package.as_deref(),
    };
    let lines = || checkout.lines(subject.path?, finding.line?);
    let lines = if subject.package.is_some() { None } else { lines() };
    let (fingerprint, identity) = match (subject.package, context, &lines) {
        (Some(_), _, _) => (subject.of_package(), Identity::Package),
        (None, Context::Code(code), _) => (subject.of_code(code), Identity::Code),
        (None, Context::Message(_), Some(lines)) if is_telling(&lines.line) => {
            (subject.of_code(&lines.line), Identity::Code)
        }
        (None, Context::Message(message), _) => (subject.of_message(message), Identity::Message),
    };
    finding.around = lines.as_ref().map(around::of);
    finding.fingerprint = fingerprint;
    finding.identified_by = Some(identity);
}

/// One fingerprint for several of a report's own: the only one where there is one, else a digest of all.
pub(crate) fn of_named(named: &BTreeMap<&str, &str>) -> String {
    let mut one = named.iter();
    if let (Some((_, value)), None) = (one.next(), one.next()) {
        return (*value).to_owned();
    }
    let fields = named.iter().flat_map(|(name, value)| [*name, *value]);
    format!("{OWN}{}", all(std::iter::once("named").chain(fields)))
}

fn all<'a>(fields: impl Iterator<Item = &'a str>) -> String {
    let mut bytes = Vec::with_capacity(256);
    for field in fields {
        bytes.extend_from_slice(&(field.len() as u64).to_le_bytes());
        bytes.extend_from_slice(field.as_bytes());
    }
    digits(FINGERPRINT, &bytes)
}

/// `text` with each run of digits as `#`: messages hold line numbers, versions, thread ids, addresses and durations,
/// which would make the same finding another one in each run.
pub(crate) fn without_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let hexadecimal =
            word.strip_prefix("0x").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_hexdigit()));
        if hexadecimal {
            out.push('#');
            out.extend(word.chars().next_back().filter(|c| !c.is_ascii_alphanumeric()));
            continue;
        }
        for c in word.chars() {
            if !c.is_ascii_digit() {
                out.push(c);
            } else if !out.ends_with('#') {
                out.push('#');
            }
        }
    }
    out
}

fn digits(context: &str, bytes: &[u8]) -> String {
    blake3::Hash::from_bytes(blake3::derive_key(context, bytes)).to_hex()[..DIGITS].to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Subject, message, name};
    use crate::identity;
    use crate::limits;

    #[test]
    fn two_long_names_stay_two() {
        let (one, two) = ("x".repeat(600) + "a", "x".repeat(600) + "b");
        assert_ne!(name(&one), name(&two));
        assert!(name(&one).len() <= limits::NAME && name(&"é".repeat(600)).len() <= limits::NAME);
        let [one, two] = ["a\nb\u{1b}c", "a\rb\u{7f}c"].map(name);
        assert!(
            one != two && one.starts_with("a\u{fffd}b\u{fffd}c…") && two.starts_with("a\u{fffd}b\u{fffd}c…")
        );
        assert_ne!(name("a\u{fffd}b"), name("a\u{0}b"));
        assert!(name(&"\u{1b}".repeat(500)).len() <= limits::NAME);
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
        let subject = |tool, rule, path| Subject { tool: Some(tool), rule, path, package: None };
        let one = subject("a", "bc", None).of_code("d");
        assert_ne!(one, subject("ab", "c", None).of_code("d"));
        assert_ne!(one, subject("a", "bc", Some("d")).of_code(""));
        assert_ne!(one, subject("a", "bc", None).of_message("d"));
        assert_eq!(one, subject("a", "bc", None).of_code("d"));
        assert_eq!(one.len(), "gate2:".len() + 32);
        let placed = subject("a", "bc", Some("x")).of_code("d");
        assert_eq!(placed.len(), one.len() + 1 + 16);
        assert!(identity::meet_elsewhere(&one, &placed) && !identity::meet(&one, &placed));
        assert_eq!(identity::moved(&placed, "y"), subject("a", "bc", Some("y")).of_code("d"));
    }
}
