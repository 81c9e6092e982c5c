//! XML as a stream of elements and texts, with limits and places.
//!
//! Stricter than the library: well-formed (see [`super::wellformed`]), one root, no document type, of one encoding, at most [`limits::DEPTH`] levels, no event larger than [`limits::RESULT`].

use std::io::{BufRead, Read};

use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::{Error, Reader};

use super::wellformed::{self, Passing};
use crate::encoding;
use crate::error::{Absence, At, ReportError};
use crate::limits;
use crate::source::Source;
use crate::wording;

const REMEDY: &str = "the file is not well-formed XML; have the tool write it again";

/// What comes next in the document.
pub(super) enum Item {
    Start(Element),
    End,
    Text(String),
    Eof,
}

/// A start tag. Attributes have their entities resolved.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    /// The attribute's value, unless it is empty.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }
}

/// Lends the source to the library, and counts what one event takes.
struct Metered<'r> {
    source: Source<'r>,
    left: usize,
    /// What `io::Error` could not say.
    failure: Option<ReportError>,
}

pub(super) struct Xml<'r> {
    reader: Reader<Metered<'r>>,
    buffer: Vec<u8>,
    open: usize,
    has_root: bool,
    /// Whether anything was read: a declaration comes first.
    begun: bool,
    /// The end of an element that was written as one tag.
    pending_end: bool,
}

impl<'r> Xml<'r> {
    pub(super) fn new(source: Source<'r>) -> Self {
        let begun = source.has_passed();
        let reader = Reader::from_reader(Metered { source, left: 0, failure: None });
        Self { reader, buffer: Vec::new(), open: 0, has_root: false, begun, pending_end: false }
    }

    pub(super) fn into_source(self) -> Source<'r> {
        self.reader.into_inner().source
    }

    /// The place behind the tag that was read last.
    #[allow(clippy::unnecessary_box_returns, reason = "every error carries its place boxed, to stay small")]
    pub(super) fn at(&self, field: String) -> Box<At> {
        At::new(self.reader.get_ref().source.place(0), field)
    }

    pub(super) fn malformed(
        &self,
        field: String,
        defect: impl Into<String>,
        remedy: &'static str,
    ) -> ReportError {
        ReportError::Malformed { at: self.at(field), defect: defect.into(), remedy }
    }

    pub(super) fn did_not_run(&self, absence: Absence, field: String) -> ReportError {
        ReportError::DidNotRun { at: self.at(field), absence }
    }

    /// The next element or, where `wants_text`, text.
    pub(super) fn next(&mut self, wants_text: bool) -> Result<Item, ReportError> {
        if std::mem::take(&mut self.pending_end) {
            self.open -= 1;
            return Ok(Item::End);
        }
        loop {
            self.reader.get_mut().left = limits::RESULT;
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.clear();
            let item = match self.reader.read_event_into(&mut buffer) {
                Ok(event) => self.item(&event, wants_text),
                Err(error) => Err(self.failed(&error)),
            };
            self.begun = true;
            // One huge event must not keep its memory.
            buffer.shrink_to(1 << 16);
            self.buffer = buffer;
            if let Some(item) = item? {
                return Ok(item);
            }
        }
    }

    fn item(&mut self, event: &Event<'_>, wants_text: bool) -> Result<Option<Item>, ReportError> {
        match event {
            Event::Start(tag) => self.start(tag).map(Some),
            Event::Empty(tag) => {
                self.pending_end = true;
                self.start(tag).map(Some)
            }
            Event::End(_) => {
                self.open = self.open.saturating_sub(1);
                Ok(Some(Item::End))
            }
            Event::Text(text) => {
                self.well_formed(wellformed::text(text))?;
                self.text(&text.xml10_content(), wants_text)
            }
            Event::CData(_) | Event::GeneralRef(_) if self.open == 0 => Err(self.text_outside()),
            Event::CData(text) => {
                self.well_formed(wellformed::characters(text))?;
                self.text(&text.xml10_content(), wants_text)
            }
            Event::GeneralRef(reference) => {
                let text = self.resolved(reference)?;
                self.text(&text, wants_text)
            }
            Event::Decl(_) if self.begun => {
                Err(self.malformed(String::new(), "a declaration that is not at the start", REMEDY))
            }
            Event::Decl(declaration) => self.check_declaration(declaration).map(|()| None),
            Event::DocType(_) => {
                let remedy = "JUnit XML needs none; have the tool leave out '<!DOCTYPE …>'";
                Err(self.malformed(String::new(), "a document type declaration", remedy))
            }
            Event::Comment(text) => self.well_formed(wellformed::comment(text)).map(|()| None),
            Event::PI(text) => self.well_formed(wellformed::instruction(text)).map(|()| None),
            Event::Eof if self.open > 0 || !self.has_root => {
                Err(self.did_not_run(Absence::Truncated, String::new()))
            }
            Event::Eof => Ok(Some(Item::Eof)),
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Result<Item, ReportError> {
        let name = tag.local_name().as_ref().to_owned();
        if self.open == 0 && std::mem::replace(&mut self.has_root, true) {
            return Err(self.malformed(shown(&name), "a second root element", REMEDY));
        }
        self.open += 1;
        if self.open >= limits::DEPTH {
            return Err(ReportError::TooDeep { at: self.at(shown(&name)) });
        }
        let (_, attributes) =
            wellformed::tag(tag).map_err(|what| self.malformed(shown(&name), what, REMEDY))?;
        let attributes = attributes.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        Ok(Item::Start(Element { name, attributes }))
    }

    fn text(&self, text: &str, wants_text: bool) -> Result<Option<Item>, ReportError> {
        if self.open == 0 && !text.trim().is_empty() {
            return Err(self.text_outside());
        }
        Ok(wants_text.then(|| Item::Text(text.to_owned())))
    }

    fn text_outside(&self) -> ReportError {
        self.malformed(String::new(), "text outside of the root element", REMEDY)
    }

    fn well_formed(&self, checked: Result<(), String>) -> Result<(), ReportError> {
        checked.map_err(|what| self.malformed(String::new(), what, REMEDY))
    }

    fn resolved(&self, reference: &BytesRef<'_>) -> Result<String, ReportError> {
        let name: &str = reference;
        wellformed::referred(name).map(String::from).ok_or_else(|| {
            let defect = format!("unknown entity '{}'", shown(name));
            self.malformed(String::new(), defect, "only &lt; &gt; &amp; &apos; &quot; and numbers are known")
        })
    }

    /// What the bytes are was found out when they were read, by the same label; this is about what they claim. Where a
    /// byte order mark said it, the label does not matter.
    fn check_declaration(&self, declaration: &BytesDecl<'_>) -> Result<(), ReportError> {
        self.well_formed(wellformed::declaration(declaration))?;
        let Some(encoding) = declaration.encoding() else { return Ok(()) };
        let encoding = encoding.map_err(|error| self.malformed(String::new(), error.to_string(), REMEDY))?;
        let actual = self.reader.get_ref().source.encoding();
        if actual.is_ascii_compatible() && encoding::named(&encoding) != Ok(actual) {
            let found = "it declares an encoding other than the one that it begins in";
            return Err(ReportError::Encoding {
                at: self.at(format!("encoding '{}'", shown(&encoding))),
                found,
            });
        }
        Ok(())
    }

    fn failed(&mut self, error: &Error) -> ReportError {
        let metered = self.reader.get_mut();
        if let Some(failure) = metered.failure.take() {
            return failure;
        }
        let is_exhausted = metered.source.is_exhausted();
        match error {
            Error::Syntax(_) | Error::IllFormed(quick_xml::errors::IllFormedError::UnclosedReference)
                if is_exhausted =>
            {
                self.did_not_run(Absence::Truncated, String::new())
            }
            _ => self.malformed(String::new(), words(error), REMEDY),
        }
    }

    /// Passes the text and character data that follow, however long they are: captured output may be longer than
    /// any limit, and says nothing. Stops before the next tag.
    pub(super) fn skip_text(&mut self) -> Result<(), ReportError> {
        const CDATA: &[u8] = b"<![CDATA[";
        if self.pending_end {
            return Ok(());
        }
        let source = &mut self.reader.get_mut().source;
        let mut passing = Passing::default();
        loop {
            skip_to(source, b"<", &mut passing)?;
            while source.window().len() < CDATA.len() && source.more()? {}
            if !source.window().starts_with(CDATA) {
                return Ok(());
            }
            source.advance(CDATA.len());
            skip_to(source, b"]]>", &mut passing)?;
            source.advance(b"]]>".len());
        }
    }
}

/// Passes what is before `mark`, or all there is, and looks at it.
fn skip_to(source: &mut Source<'_>, mark: &[u8], passing: &mut Passing) -> Result<(), ReportError> {
    let in_cdata = mark.len() > 1;
    let mut pass = |source: &mut Source<'_>, count: usize, is_end: bool| {
        let looked = passing.look(&source.window()[..count], in_cdata);
        source.advance(count);
        looked.and_then(|()| if is_end { passing.interrupted() } else { Ok(()) }).map_err(|what| {
            let at = At::new(source.place(0), String::new());
            ReportError::Malformed { at, defect: what.to_owned(), remedy: REMEDY }
        })
    };
    loop {
        if let Some(found) = memchr::memmem::find(source.window(), mark) {
            return pass(source, found, true);
        }
        // The window may end within the mark.
        pass(source, source.window().len().saturating_sub(mark.len() - 1), false)?;
        if !source.more()? {
            source.advance(source.window().len());
            return Ok(());
        }
    }
}

fn shown(name: &str) -> String {
    gate_model::text::visible(wording::cut(name, 80))
}

fn words(error: &Error) -> String {
    gate_model::text::visible(wording::cut(&error.to_string(), 300))
}

impl Read for Metered<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = self.fill_buf()?.read(out)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Metered<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        let refused = || std::io::Error::other("the failure is kept beside");
        if self.left == 0 {
            self.failure = Some(ReportError::TooLarge {
                at: At::new(self.source.place(0), String::new()),
                what: "this tag or text has".to_owned(),
                limit: limits::RESULT,
                remedy: "have the tool cut long messages",
            });
            return Err(refused());
        }
        while self.source.window().is_empty() {
            match self.source.more() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    self.failure = Some(error);
                    return Err(refused());
                }
            }
        }
        let window = self.source.window();
        Ok(&window[..window.len().min(self.left)])
    }

    fn consume(&mut self, count: usize) {
        self.source.advance(count);
        self.left -= count.min(self.left);
    }
}
