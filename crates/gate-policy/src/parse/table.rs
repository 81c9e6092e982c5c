//! A table of the document, key by key.

use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::reader::{Reader, Value};

/// A table, and which of its keys were asked for.
pub(super) struct Table<'a> {
    pub(super) place: String,
    pub(super) span: Range<usize>,
    content: &'a DeTable<'a>,
    asked: Vec<&'static str>,
}

impl<'a> Table<'a> {
    /// A table that messages call `place`.
    pub(super) const fn new(place: String, span: Range<usize>, content: &'a DeTable<'a>) -> Self {
        Self { place, span, content, asked: Vec::new() }
    }

    /// The document.
    pub(super) fn root(document: &'a Spanned<DeTable<'a>>) -> Self {
        Self::new(String::new(), 0..0, document.get_ref())
    }

    /// The name of a key within the document.
    pub(super) fn place_of(&self, key: &str) -> String {
        let key = gate_model::text::visible(key);
        if self.place.is_empty() { key } else { format!("{}.{key}", self.place) }
    }

    /// The value of `key`, which is known from now on.
    pub(super) fn get(&mut self, key: &'static str) -> Option<Value<'a>> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        let value = self.content.get(key)?;
        Some(Value { place: self.place_of(key), value })
    }

    /// Every key with its place and value, for tables whose keys are names.
    pub(super) fn entries(&self) -> Vec<(&'a str, Range<usize>, Value<'a>)> {
        let entry = |(key, value): (&'a Spanned<DeString<'a>>, &'a Spanned<DeValue<'a>>)| {
            let name: &'a str = key.get_ref().as_ref();
            (name, key.span(), Value { place: self.place_of(name), value })
        };
        self.content.iter().map(entry).collect()
    }

    /// Refuses the keys that nobody asked for.
    pub(super) fn finish(&self, reader: &mut Reader<'_>) {
        for (key, span, value) in self.entries() {
            if !self.asked.contains(&key) {
                let message = format!("unknown key '{}'", value.place);
                let known = self.asked.iter().copied();
                reader.error(span, "unknown-key", message).suggest(key, known, "take it out");
            }
        }
    }

    /// Notes that `key`, which must be there, is not.
    pub(super) fn missing(
        &self,
        reader: &mut Reader<'_>,
        key: &str,
        code: &'static str,
        remedy: impl Into<String>,
    ) {
        let message = format!("'{}' is missing", self.place_of(key));
        reader.error(self.span.clone(), code, message).remedy(remedy);
    }

    pub(super) fn string(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<String> {
        self.get(key).and_then(|value| reader.string(&value))
    }

    /// A path of a file: a text without surrounding space.
    pub(super) fn path(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<String> {
        self.checked(reader, key, |path| {
            if path.trim() != path || path.ends_with('/') {
                return Err((
                    "is no path of a file",
                    "write the path without space around it or '/' at its end",
                ));
            }
            Ok(())
        })
    }

    /// The path of a file that the policy trusts: plain and relative, as a revision has them. What lies outside of the
    /// policy's folder, or in git's own, is no part of what was reviewed.
    pub(super) fn trusted(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<String> {
        self.checked(reader, key, |path| {
            let is_plain = |name: &str| {
                !matches!(name, "" | "..") && !name.eq_ignore_ascii_case(".git") && name.trim() == name
            };
            if path.split('/').all(is_plain) {
                return Ok(());
            }
            Err((
                "is no plain path below the policy's folder",
                "write a relative path without '..', and keep the file beside the policy or below it, not in .git",
            ))
        })
    }

    /// A text that `check` accepts, or says what is wrong with and how to mend it.
    pub(super) fn checked(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        check: impl Fn(&str) -> Result<(), (&'static str, &'static str)>,
    ) -> Option<String> {
        let value = self.get(key)?;
        let text = reader.string(&value)?;
        match check(&text) {
            Ok(()) => Some(text),
            Err((wrong, remedy)) => {
                let message = format!("'{}' {wrong}", value.place);
                reader.error(value.span(), "bad-value", message).remedy(remedy);
                None
            }
        }
    }

    pub(super) fn boolean(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<bool> {
        self.get(key).and_then(|value| reader.boolean(&value))
    }

    pub(super) fn integer(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        range: RangeInclusive<u64>,
    ) -> Option<u64> {
        self.get(key).and_then(|value| reader.integer(&value, range))
    }

    pub(super) fn duration(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<u64> {
        self.get(key).and_then(|value| reader.duration(&value))
    }

    pub(super) fn word<T: Copy>(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        self.get(key).and_then(|value| reader.word(&value, words))
    }

    pub(super) fn table(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<Self> {
        self.get(key).and_then(|value| reader.table(&value))
    }

    /// The tables of a list of tables.
    pub(super) fn tables(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Vec<Self> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let items = reader.list(&value).unwrap_or_default();
        items.iter().filter_map(|item| reader.table(item)).collect()
    }
}
