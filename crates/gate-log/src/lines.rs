//! Entries on their way to standard output, as lines or as a table.

use std::ops::ControlFlow;

use gate_cli::Io;
use gate_cli::io::Reader;
use gate_cli::options::Format;
use gate_cli::render::{self, View};
use gate_ledger::store::StoreError;
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
    /// The exact lines of an export.
    Lines,
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

    /// Takes one entry. `Break` means that nobody reads any more.
    ///
    /// # Errors
    /// A [`StoreError`] for an entry that cannot be read.
    pub(crate) fn take(&mut self, record: &Record<'_>) -> Result<ControlFlow<()>, StoreError> {
        match &mut self.style {
            Style::Lines => {
                self.buffer.clear();
                record.write_line(&mut self.buffer);
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

/// The entry as a JSON value, with its hash.
///
/// # Errors
/// A [`StoreError`] for an entry that cannot be read.
pub(crate) fn value(record: &Record<'_>) -> Result<Value, StoreError> {
    Ok(of_entry(&record.entry()?))
}

/// The same of an entry that was parsed.
pub(crate) fn of_entry(entry: &gate_ledger::entry::Entry) -> Value {
    // A line of ours is JSON; were it not, its text would still be shown.
    let line = entry.line();
    serde_json::from_str(&line).unwrap_or(Value::String(line))
}
