//! Entries on their way to standard output, as lines or as a table.

use std::ops::ControlFlow;

use gate_cli::Io;
use gate_cli::io::Reader;
use gate_cli::options::Format;
use gate_cli::render::{self, View};
use gate_ledger::commitment::Commitment;
use gate_ledger::store::StoreError;
use gate_model::text::ERASED;
use gate_workflow::reading::Record;
use serde_json::Value;

/// After so many bytes somebody is asked whether they still read.
const DELIVER_EVERY: usize = 1 << 20;

/// A writer of entries.
pub(crate) struct Entries<'i, 'io> {
    io: &'i mut Io<'io>,
    style: Style,
    buffer: Vec<u8>,
    undelivered: usize,
}

/// How entries look.
enum Style {
    /// The lines of an export with their text inert: a JSON parser reads the same entry.
    Lines,
    /// The same with the texts put back that entries only commit to.
    Revealed,
    /// One line for people each.
    Brief,
    /// A table, drawn at the end when all widths are known.
    Table(Vec<Value>, View),
}

impl<'i, 'io> Entries<'i, 'io> {
    /// A list in `format`.
    pub(crate) fn list(io: &'i mut Io<'io>, format: Format, view: View) -> Self {
        let style = if format == Format::Text { Style::Table(Vec::new(), view) } else { Style::Lines };
        Self { io, style, buffer: Vec::new(), undelivered: 0 }
    }

    /// A list in `format` that has no end, so that no table can be drawn.
    pub(crate) fn stream(io: &'i mut Io<'io>, format: Format) -> Self {
        let style = if format == Format::Text { Style::Brief } else { Style::Lines };
        Self { io, style, buffer: Vec::new(), undelivered: 0 }
    }

    /// Lines with the texts put back that entries only commit to, if `reveal` says so.
    #[must_use]
    pub(crate) fn revealing(mut self, reveal: bool) -> Self {
        if reveal && matches!(self.style, Style::Lines) {
            self.style = Style::Revealed;
        }
        self
    }

    /// Takes one entry. `Break` means that nobody reads any more.
    ///
    /// # Errors
    /// A [`StoreError`] for an entry that cannot be read.
    pub(crate) fn take(&mut self, record: &Record<'_>) -> Result<ControlFlow<()>, StoreError> {
        match &mut self.style {
            Style::Lines => {
                let mut line = Vec::new();
                record.write_line(&mut line);
                self.buffer = inert(&line);
            }
            Style::Revealed => {
                self.buffer = (render::json(&revealed(&record.entry()?)) + "\n").into_bytes();
            }
            Style::Brief => {
                self.buffer = render::entry_line(&value(record)?).into_bytes();
            }
            Style::Table(rows, _) => {
                rows.push(value(record)?);
                return Ok(ControlFlow::Continue(()));
            }
        }
        Ok(self.write())
    }

    fn write(&mut self) -> ControlFlow<()> {
        // A failed write is remembered by `main`; here it only says that more of them are useless.
        if self.io.stdout.write_all(&self.buffer).is_err() {
            return ControlFlow::Break(());
        }
        self.undelivered += self.buffer.len();
        if self.undelivered > DELIVER_EVERY { self.deliver() } else { ControlFlow::Continue(()) }
    }

    /// Hands over what was written so far.
    pub(crate) fn deliver(&mut self) -> ControlFlow<()> {
        self.undelivered = 0;
        match self.io.deliver() {
            Reader::Present => ControlFlow::Continue(()),
            Reader::Gone => ControlFlow::Break(()),
        }
    }

    /// Draws what had to wait for the end.
    pub(crate) fn finish(self) {
        if let Style::Table(rows, view) = self.style {
            self.io.show(&render::entries(&rows, &view));
        }
    }
}

/// A line without anything that a terminal or a CI system would take for a command. What is no text is damage, and is
/// shown as such: `export` alone hands over the bytes.
fn inert(line: &[u8]) -> Vec<u8> {
    render::inert_json(&String::from_utf8_lossy(line)).into_bytes()
}

/// The entry as a JSON value, with its hash.
///
/// # Errors
/// A [`StoreError`] for an entry that cannot be read.
pub(crate) fn value(record: &Record<'_>) -> Result<Value, StoreError> {
    Ok(of_entry(&record.entry()?))
}

/// The same of an entry that was parsed: as a person reads it, with texts in place of commitments to them.
pub(crate) fn of_entry(entry: &gate_ledger::entry::Entry) -> Value {
    let mut value = revealed(entry);
    tidy(&mut value);
    value
}

/// The entry with its hash and with the texts beside what it commits to, as far as they are known.
pub(crate) fn revealed(entry: &gate_ledger::entry::Entry) -> Value {
    // A line of ours is JSON; were it not, its text would still be shown.
    let line = entry.line();
    let mut value = serde_json::from_str(&line).unwrap_or(Value::String(line));
    if let Some(members) = value.as_object_mut() {
        members.insert("actor".to_owned(), entry.actor.clone().into_value());
        members.insert("data".to_owned(), entry.data.clone().into_value());
    }
    value
}

/// Drops the commitments that stand beside their texts, and calls what was erased so.
fn tidy(value: &mut Value) {
    let is_commitment = |text: &str| text.parse::<Commitment>().is_ok();
    let Some(members) = value.as_object_mut() else { return };
    for name in ["reason", "by", "author"] {
        members.remove(&format!("{name}_c"));
    }
    for name in ["id", "by", "author"] {
        if members.get(name).and_then(Value::as_str).is_some_and(is_commitment) {
            members.insert(name.to_owned(), Value::String(ERASED.to_owned()));
        }
    }
    for name in ["actor", "data", "request", "statement"] {
        members.get_mut(name).into_iter().for_each(tidy);
    }
}
