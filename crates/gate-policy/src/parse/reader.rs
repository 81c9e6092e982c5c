//! Typed access to a TOML document that reports every wrong type, value and unknown key with its place.
//!
//! A [`Table`] notes which keys were asked for, and [`Table::finish`] refuses the others. So a key is known exactly
//! where code reads it, and no list of keys can fall behind.

use std::ops::{Range, RangeInclusive};

use gate_model::text::is_refused;
use gate_model::time::{Timestamp, parse_duration};
use toml::Spanned;
use toml::de::{DeInteger, DeValue};

use super::table::Table;

use crate::diagnostic::{Diagnostic, did_you_mean};

/// The most errors that are reported at once, and the most values that a list of words or people may have. A
/// hostile text could otherwise make the work grow with the square of its size.
pub(super) const MOST: usize = 100;
const LONGEST_LIST: usize = 1000;

/// Collects what is wrong.
pub(super) struct Reader<'t> {
    /// The policy's text.
    pub(super) text: &'t str,
    /// What was found so far.
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// An error that was just noted, to which a remedy can be added.
pub(super) struct Noted<'r>(Option<&'r mut Diagnostic>);

impl Noted<'_> {
    /// Suggests the nearest of `known`, or says `otherwise`. Looked for only where the error is kept.
    pub(super) fn suggest<'a>(self, word: &str, known: impl IntoIterator<Item = &'a str>, otherwise: &str) {
        if self.0.is_some() {
            self.remedy(did_you_mean(word, known).unwrap_or_else(|| otherwise.to_owned()));
        }
    }

    /// Says how to mend it.
    pub(super) fn remedy(self, help: impl Into<String>) {
        if let Some(diagnostic) = self.0 {
            diagnostic.help = Some(gate_model::text::visible(&help.into()));
        }
    }
}

/// A value with the name under which messages speak of it: `gates.lint.severity`.
#[derive(Clone)]
pub(super) struct Value<'a> {
    pub(super) place: String,
    pub(super) value: &'a Spanned<DeValue<'a>>,
}

impl Value<'_> {
    /// Where it stands in the text.
    pub(super) fn span(&self) -> Range<usize> {
        self.value.span()
    }
}

impl<'t> Reader<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text, diagnostics: Vec::new() }
    }

    /// Notes an error, as long as there are not too many: each costs a walk through the text.
    pub(super) fn error(
        &mut self,
        span: Range<usize>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Noted<'_> {
        if self.diagnostics.len() >= MOST {
            return Noted(None);
        }
        self.diagnostics.push(Diagnostic::error(self.text, span, code, message));
        Noted(self.diagnostics.last_mut())
    }

    fn wrong_type(&mut self, value: &Value<'_>, wanted: &str, example: &str) {
        let (place, span) = (&value.place, value.span());
        let found = described(value.value.get_ref());
        let message = format!("'{place}' must be {wanted}, not {found}");
        self.error(span, "wrong-type", message).remedy(format!("write it as {example}"));
    }

    /// A text: not empty, and without control characters.
    pub(super) fn string(&mut self, value: &Value<'_>) -> Option<String> {
        self.text_like(value, "a text", "\"…\"")
    }

    fn text_like(&mut self, value: &Value<'_>, wanted: &str, example: &str) -> Option<String> {
        let Some(text) = value.value.get_ref().as_str() else {
            self.wrong_type(value, wanted, example);
            return None;
        };
        self.plain(&value.place, value.span(), text).then(|| text.to_owned())
    }

    /// Whether a name or a text may stand in a policy.
    pub(super) fn plain(&mut self, place: &str, span: Range<usize>, text: &str) -> bool {
        if text.trim().is_empty() {
            self.error(span, "empty", format!("'{place}' is empty"))
                .remedy("write something there, or take it out");
            return false;
        }
        if let Some(c) = text.chars().find(|c| is_refused(*c)) {
            let message = format!("'{place}' holds the control character U+{:04X}", u32::from(c));
            self.error(span, "control-character", message).remedy("take it out");
            return false;
        }
        true
    }

    pub(super) fn boolean(&mut self, value: &Value<'_>) -> Option<bool> {
        let found = value.value.get_ref().as_bool();
        if found.is_none() {
            self.wrong_type(value, "true or false", "true, without quotes");
        }
        found
    }

    /// Whether a whole number is written in decimal digits and nothing else. TOML knows other ways, which say the same
    /// to a machine and something else to a person who reads a limit.
    fn is_decimal(&mut self, value: &Value<'_>, found: &DeInteger<'_>) -> bool {
        let written = self.text.get(value.span()).unwrap_or_default();
        let is_decimal =
            written.strip_prefix('-').unwrap_or(written).bytes().all(|byte| byte.is_ascii_digit());
        if !is_decimal {
            let number = i128::from_str_radix(found.as_str(), found.radix());
            let remedy =
                number.map_or("write it in decimal digits".to_owned(), |number| format!("write {number}"));
            let message = format!("'{}' must be written in decimal digits, not as {written}", value.place);
            self.error(value.span(), "not-decimal", message).remedy(remedy);
        }
        is_decimal
    }

    /// A whole number within `range`.
    pub(super) fn integer(&mut self, value: &Value<'_>, range: RangeInclusive<u64>) -> Option<u64> {
        let Some(found) = value.value.get_ref().as_integer() else {
            self.wrong_type(value, "a whole number", &range.start().to_string());
            return None;
        };
        if !self.is_decimal(value, found) {
            return None;
        }
        let number = found.as_str().parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            let limits = format!("from {} to {}", range.start(), range.end());
            let message = format!("'{}' must be a whole number {limits}, not {found}", value.place);
            self.error(value.span(), "out-of-range", message).remedy(format!("write a number {limits}"));
        }
        number
    }

    /// A duration, in seconds.
    pub(super) fn duration(&mut self, value: &Value<'_>) -> Option<u64> {
        if let Some(number) = value.value.get_ref().as_integer() {
            if !self.is_decimal(value, number) {
                return None;
            }
            let message =
                format!("'{}' must be a duration with its unit, not the number {number}", value.place);
            let help =
                format!("write \"{number}d\" for days, \"{number}h\" for hours, \"{number}m\" for minutes");
            self.error(value.span(), "wrong-type", message).remedy(help);
            return None;
        }
        let text = self.text_like(value, "a duration", "\"30m\", \"4h\" or \"14d\"")?;
        match parse_duration(&text) {
            Ok(seconds) => Some(seconds),
            Err(error) => {
                self.error(value.span(), "bad-duration", format!("'{}': {error}", value.place))
                    .remedy("write a duration such as \"30m\", \"4h\" or \"14d\"");
                None
            }
        }
    }

    /// An instant: RFC 3339 with a zone, as a text or as TOML's own, or a date, which begins at midnight UTC.
    pub(super) fn instant(&mut self, value: &Value<'_>) -> Option<Timestamp> {
        let text = match value.value.get_ref() {
            DeValue::Datetime(time) => time.to_string(),
            _ => self.text_like(value, "a time", "\"2026-12-24T00:00:00Z\"")?,
        };
        let is_date = text.len() == "2026-12-24".len();
        match Timestamp::parse(&if is_date { format!("{text}T00:00:00Z") } else { text }) {
            Ok(instant) => Some(instant),
            Err(error) => {
                self.error(value.span(), "bad-time", format!("'{}': {error}", value.place))
                    .remedy("write a date, or a time with its zone, such as \"2026-12-24T00:00:00Z\"");
                None
            }
        }
    }

    /// One word of a fixed set.
    pub(super) fn word<T: Copy>(&mut self, value: &Value<'_>, words: &[(&'static str, T)]) -> Option<T> {
        let known = || words.iter().map(|(word, _)| *word);
        let list = known().collect::<Vec<_>>().join(", ");
        let Some(text) = value.value.get_ref().as_str() else {
            self.wrong_type(
                value,
                &format!("one of {list}"),
                &format!("\"{}\"", known().next().unwrap_or_default()),
            );
            return None;
        };
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let shown = quoted(text);
            let message = format!("'{}' must be one of {list}, not '{shown}'", value.place);
            self.error(value.span(), "unknown-word", message).suggest(text, known(), "take it out");
        }
        found
    }

    /// The values of a list, each called by its number from 1, as rules are.
    pub(super) fn list<'a>(&mut self, value: &Value<'a>) -> Option<Vec<Value<'a>>> {
        let Some(array) = value.value.get_ref().as_array() else {
            self.wrong_type(value, "a list", "[…], also for a single value");
            return None;
        };
        let at = |(index, item)| Value { place: format!("{}#{}", value.place, index + 1), value: item };
        Some(array.iter().enumerate().map(at).collect())
    }

    /// A list that must not be empty, each value read by `read`; no value may stand twice.
    pub(super) fn each<T: PartialEq>(
        &mut self,
        value: &Value<'_>,
        mut read: impl FnMut(&mut Self, &Value<'_>) -> Option<T>,
    ) -> Vec<T> {
        let Some(items) = self.list(value) else { return Vec::new() };
        if items.is_empty() {
            let message = format!("'{}' is an empty list", value.place);
            self.error(value.span(), "empty-list", message).remedy("name at least one, or take the key out");
        }
        if !self.short_enough(value, items.len()) {
            return Vec::new();
        }
        let mut out = Vec::with_capacity(items.len());
        for item in &items {
            match read(self, item) {
                Some(read) if out.contains(&read) => {
                    let message = format!("'{}' stands in the list already", item.place);
                    self.error(item.span(), "duplicate", message).remedy("take one of them out");
                }
                Some(read) => out.push(read),
                None => {}
            }
        }
        out
    }

    /// Whether a list of `length` values is short enough to be compared each with each.
    pub(super) fn short_enough(&mut self, value: &Value<'_>, length: usize) -> bool {
        if length > LONGEST_LIST {
            let message = format!("'{}' has {length} values; at most {LONGEST_LIST} are read", value.place);
            self.error(value.span(), "too-many", message).remedy("use a group, or a pattern");
        }
        length <= LONGEST_LIST
    }

    pub(super) fn table<'a>(&mut self, value: &Value<'a>) -> Option<Table<'a>> {
        let Some(table) = value.value.get_ref().as_table() else {
            self.wrong_type(value, "a table", "{ key = value }, or under a header in brackets");
            return None;
        };
        Some(Table::new(value.place.clone(), value.span(), table))
    }
}

/// The start of a text, for messages.
fn quoted(text: &str) -> String {
    let start: String = text.chars().take(60).collect();
    let more = if start.len() < text.len() { "…" } else { "" };
    format!("{}{more}", gate_model::text::visible(&start))
}

/// What a value is, for messages.
fn described(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text '{}'", quoted(text)),
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(value) => format!("{value}"),
        DeValue::Datetime(time) => format!("the date {time}"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
