//! A walk through a JSON document of any size.

use std::collections::BTreeSet;

use serde::de::{Deserialize, DeserializeOwned, IgnoredAny};

use super::field;
use super::scan::{Scan, Step};
use crate::error::{Absence, At, ReportError};
use crate::limits;
use crate::source::Source;

/// A value of at most this size is skipped in one piece; a larger one member by member.
const PIECE: usize = 256 << 10;

/// The most members of an object whose members must be unique.
const MEMBERS: usize = 4096;

pub(crate) const SYNTAX_REMEDY: &str = "the file is not well-formed JSON; have the tool write it again";

enum Frame {
    Object { first: bool, key: String, seen: Option<BTreeSet<String>> },
    Array { first: bool, index: u64 },
}

/// Stands before a value, or within the objects and arrays that were entered.
pub(crate) struct Cursor<'r> {
    source: Source<'r>,
    open: Vec<Frame>,
}

impl<'r> Cursor<'r> {
    pub(crate) const fn new(source: Source<'r>) -> Self {
        Self { source, open: Vec::new() }
    }

    /// The place and the member that the cursor stands at.
    #[allow(clippy::unnecessary_box_returns, reason = "every error carries its place boxed, to stay small")]
    pub(crate) fn at(&self) -> Box<At> {
        At::new(self.source.place(0), self.field())
    }

    fn field(&self) -> String {
        let parts = self.open.iter().map(|frame| match frame {
            Frame::Object { key, .. } => field::member(key),
            Frame::Array { index, .. } => field::element(*index),
        });
        parts.collect::<String>().trim_start_matches('.').to_owned()
    }

    pub(crate) fn did_not_run(&self, absence: Absence) -> ReportError {
        ReportError::DidNotRun { at: self.at(), absence }
    }

    pub(crate) fn malformed(&self, defect: impl Into<String>, remedy: &'static str) -> ReportError {
        ReportError::Malformed { at: self.at(), defect: defect.into(), remedy }
    }

    /// The first byte of what comes next; the end of the input is a truncated report.
    fn byte(&mut self) -> Result<u8, ReportError> {
        match self.source.first_byte()? {
            Some(byte) => Ok(byte),
            None => Err(self.did_not_run(Absence::Truncated)),
        }
    }

    fn expect(&mut self, wanted: u8, what: &str) -> Result<(), ReportError> {
        let found = self.byte()?;
        if found == wanted {
            self.source.advance(1);
            return Ok(());
        }
        Err(self.malformed(format!("{} instead of {what}", shown(found)), SYNTAX_REMEDY))
    }

    fn push(&mut self, frame: Frame) -> Result<(), ReportError> {
        if self.open.len() + 1 >= limits::DEPTH {
            return Err(ReportError::TooDeep { at: self.at() });
        }
        self.open.push(frame);
        Ok(())
    }

    /// Whether an array comes next. Null, and only null, is no array.
    pub(crate) fn enter_array_or_null(&mut self) -> Result<bool, ReportError> {
        if self.byte()? == b'n' {
            self.take::<()>()?;
            return Ok(false);
        }
        self.enter_array()?;
        Ok(true)
    }

    pub(crate) fn enter_array(&mut self) -> Result<(), ReportError> {
        self.expect(b'[', "an array")?;
        self.push(Frame::Array { first: true, index: 0 })
    }

    /// Enters an object whose members must be unique.
    pub(crate) fn enter_object(&mut self) -> Result<(), ReportError> {
        self.expect(b'{', "an object")?;
        self.push(Frame::Object { first: true, key: String::new(), seen: Some(BTreeSet::new()) })
    }

    /// Goes to the next element of the array; `false` (and out of the array) where there is none.
    pub(crate) fn element(&mut self) -> Result<bool, ReportError> {
        let byte = self.byte()?;
        let Some(Frame::Array { first, index }) = self.open.last_mut() else { return Ok(false) };
        let was_first = std::mem::take(first);
        if byte == b']' {
            self.source.advance(1);
            self.open.pop();
            return Ok(false);
        }
        if !was_first {
            *index += 1;
            self.expect(b',', "',' or ']'")?;
        }
        Ok(true)
    }

    /// Goes to the next member of the object and returns its key; `None` (and out of the object) where there
    /// is none.
    pub(crate) fn key(&mut self) -> Result<Option<String>, ReportError> {
        let byte = self.byte()?;
        let Some(Frame::Object { first, .. }) = self.open.last_mut() else { return Ok(None) };
        let was_first = std::mem::take(first);
        if byte == b'}' {
            self.source.advance(1);
            self.open.pop();
            return Ok(None);
        }
        if !was_first {
            self.expect(b',', "',' or '}'")?;
        }
        if self.byte()? != b'"' {
            return Err(self.malformed("a member without a quoted name", SYNTAX_REMEDY));
        }
        let name: String = self.take()?;
        self.remember(&name)?;
        self.expect(b':', "':'")?;
        Ok(Some(name))
    }

    fn remember(&mut self, name: &str) -> Result<(), ReportError> {
        let Some(Frame::Object { key, seen, .. }) = self.open.last_mut() else { return Ok(()) };
        name.clone_into(key);
        let Some(seen) = seen else { return Ok(()) };
        if name.len() > limits::PATH {
            return Err(self.malformed("the name of this member is too long", SYNTAX_REMEDY));
        }
        if !seen.insert(name.to_owned()) {
            return Err(self.malformed("this member is there twice", "keep one; two readers could take two"));
        }
        if seen.len() > MEMBERS {
            return Err(self.malformed(format!("more than {MEMBERS} members"), SYNTAX_REMEDY));
        }
        Ok(())
    }

    /// The length of the value that comes next, all of which is in the window then; `None` where it is longer
    /// than `limit`.
    fn extent_within(&mut self, limit: usize) -> Result<Option<usize>, ReportError> {
        self.byte()?;
        let room = limits::DEPTH - 1 - self.open.len();
        let mut scan = Scan::default();
        loop {
            match scan.step(self.source.window(), room) {
                Step::End(length) if length > limit => return Ok(None),
                Step::End(length) => return Ok(Some(length)),
                Step::Deep(index) => {
                    return Err(ReportError::TooDeep { at: At::new(self.source.place(index), self.field()) });
                }
                Step::Short if self.source.window().len() > limit => return Ok(None),
                Step::Short if self.source.more()? => {}
                // A number may end with the input, but only outside of all brackets.
                Step::Short if scan.is_word() && self.open.is_empty() => return Ok(Some(scan.done)),
                Step::Short => {
                    let end = self.source.place(self.source.window().len());
                    let at = At::new(end, self.field());
                    return Err(ReportError::DidNotRun { at, absence: Absence::Truncated });
                }
            }
        }
    }

    /// The length of the value that comes next, for [`Self::parsed`] and [`Self::pass`].
    pub(crate) fn extent(&mut self) -> Result<usize, ReportError> {
        self.extent_within(limits::RESULT)?.ok_or_else(|| self.too_large())
    }

    fn too_large(&self) -> ReportError {
        ReportError::TooLarge {
            at: self.at(),
            what: "this value has".to_owned(),
            limit: limits::RESULT,
            remedy: "have the tool leave out embedded files and long texts",
        }
    }

    /// Parses the value that comes next and stays before it, so that it can lend from the window.
    pub(crate) fn parsed<'a, T: Deserialize<'a>>(&'a self, length: usize) -> Result<T, ReportError> {
        let json = &self.source.window()[..length];
        serde_json::from_slice(json).map_err(|error| self.unparsed(json, &error))
    }

    fn unparsed(&self, json: &[u8], error: &serde_json::Error) -> ReportError {
        let offset = offset_of(json, error.line(), error.column());
        let mut field = self.field() + &field::path_at(json, offset);
        if field.starts_with('.') {
            field.remove(0);
        }
        let words = error.to_string();
        let defect = words.rfind(" at line ").map_or(words.as_str(), |end| &words[..end]);
        let remedy = if error.is_data() {
            "correct the member, or have the tool write it as the format defines it"
        } else {
            SYNTAX_REMEDY
        };
        let defect = gate_model::text::visible(crate::wording::cut(defect, 300));
        ReportError::Malformed { at: At::new(self.source.place(offset), field), defect, remedy }
    }

    /// The object that comes next, where it is whole in the window, in order, and parses at once; with its length.
    /// `None` says nothing: [`Self::extent`] and [`Self::parsed`] then tell what is the matter. This spares nearly all
    /// objects the scan for their end.
    pub(crate) fn glimpse<'a, T: Deserialize<'a>>(&'a self) -> Option<(T, usize)> {
        let window = self.source.window();
        if window.first() != Some(&b'{') {
            return None;
        }
        let mut values = serde_json::Deserializer::from_slice(window).into_iter::<T>();
        let value = values.next()?.ok()?;
        let length = values.byte_offset();
        // `serde_json` does not count the depth of what it skips; few brackets cannot nest too deeply.
        let room = limits::DEPTH - 1 - self.open.len();
        (length <= limits::RESULT && brackets(&window[..length]) <= room).then_some((value, length))
    }

    /// Passes a value of this length.
    pub(crate) fn pass(&mut self, length: usize) {
        self.source.advance(length);
    }

    /// Takes the value that comes next.
    pub(crate) fn take<T: DeserializeOwned>(&mut self) -> Result<T, ReportError> {
        let length = self.extent()?;
        let value = self.parsed(length)?;
        self.pass(length);
        Ok(value)
    }

    /// Passes the value that comes next, which must be well-formed, however large it is.
    pub(crate) fn skip(&mut self) -> Result<(), ReportError> {
        if let Some(length) = self.extent_within(PIECE)? {
            self.parsed::<IgnoredAny>(length)?;
            self.pass(length);
            return Ok(());
        }
        match self.byte()? {
            b'[' => {
                self.enter_array()?;
                while self.element()? {
                    self.skip()?;
                }
            }
            b'{' => {
                self.source.advance(1);
                self.push(Frame::Object { first: true, key: String::new(), seen: None })?;
                while self.key()?.is_some() {
                    self.skip()?;
                }
            }
            _ => drop(self.take::<IgnoredAny>()?),
        }
        Ok(())
    }

    /// Whether the value that comes next, whose extent is known, is an object.
    pub(crate) fn next_is_object(&self) -> bool {
        self.source.window().first() == Some(&b'{')
    }

    /// Whether another value follows, outside of all brackets.
    pub(crate) fn another(&mut self) -> Result<bool, ReportError> {
        Ok(self.source.first_byte()?.is_some())
    }

    /// The source, after nothing but white space was left.
    pub(crate) fn finish(mut self) -> Result<Source<'r>, ReportError> {
        match self.source.first_byte()? {
            None => Ok(self.source),
            Some(_) => Err(self.malformed(
                "more text after the end of the document",
                "a report is one document; judge several reports one by one",
            )),
        }
    }
}

/// How many brackets open in `json`, those within strings included: `[` and `{` differ in one bit. Chunks whose
/// count fits into a byte are counted many bytes at once.
fn brackets(json: &[u8]) -> usize {
    let in_chunk = |chunk: &[u8]| chunk.iter().map(|byte| u8::from(byte | 0x20 == b'{')).sum::<u8>();
    json.chunks(usize::from(u8::MAX)).map(|chunk| usize::from(in_chunk(chunk))).sum()
}

/// The offset of a line and column (from 1) as `serde_json` counts them.
fn offset_of(json: &[u8], line: usize, column: usize) -> usize {
    let start = match line.checked_sub(2) {
        Some(newlines) => memchr::memchr_iter(b'\n', json).nth(newlines).map_or(0, |at| at + 1),
        None => 0,
    };
    (start + column.saturating_sub(1)).min(json.len().saturating_sub(1))
}

/// A byte as a message shows it.
pub(crate) fn shown(byte: u8) -> String {
    if byte.is_ascii_graphic() { format!("'{}'", char::from(byte)) } else { format!("the byte 0x{byte:02X}") }
}
