//! Where replay finds the texts that entries only commit to: in the ledger itself, or in a file beside an export.

use std::collections::HashMap;
use std::io::BufRead;

use gate_ledger::commitment::{Commitment, Opening, OpeningError};
use gate_ledger::entry::Entry;
use gate_ledger::store::Ledger;
use gate_ledger::veil::{self, WrongField};

/// Where the openings of commitments are found.
pub trait Openings {
    /// Puts the personal texts of `entry` back, as far as they are known.
    ///
    /// # Errors
    /// Why they cannot be told, as a sentence's end: one was edited, or the store failed.
    fn reveal(&mut self, entry: &mut Entry) -> Result<(), String>;
}

impl Openings for Ledger {
    fn reveal(&mut self, entry: &mut Entry) -> Result<(), String> {
        self.view().reveal(entry).map_err(|error| format!("cannot be read: {error}"))
    }
}

/// Openings that were read from JSON Lines, as `gate-log export --openings` writes them. All of them are kept in
/// memory.
#[derive(Default)]
pub struct Listed(HashMap<Commitment, Opening>);

/// Lines that are no openings.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// They cannot be read.
    #[error("line {line}: {source}")]
    Io {
        /// The line, from 1.
        line: usize,
        /// Why.
        source: std::io::Error,
    },
    /// A line is something else.
    #[error("line {line}: this is no opening: {source}")]
    Shape {
        /// The line, from 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
    /// An opening does not fit its commitment.
    #[error("line {line}: {source}")]
    Opening {
        /// The line, from 1.
        line: usize,
        /// Why.
        source: OpeningError,
    },
}

impl Listed {
    /// Reads openings, one a line, each checked against its commitment.
    ///
    /// # Errors
    /// A [`ListError`] for the first line that is none.
    pub fn read(lines: impl BufRead) -> Result<Self, ListError> {
        let mut listed = Self::default();
        for (line, text) in (1..).zip(lines.lines()) {
            let text = text.map_err(|source| ListError::Io { line, source })?;
            let written = serde_json::from_str(&text).map_err(|source| ListError::Shape { line, source })?;
            let (commitment, opening) =
                Opening::check(&written).map_err(|source| ListError::Opening { line, source })?;
            listed.0.insert(commitment, opening);
        }
        Ok(listed)
    }
}

impl Openings for Listed {
    fn reveal(&mut self, entry: &mut Entry) -> Result<(), String> {
        let open = &mut |commitment: Commitment| Ok::<_, WrongField>(self.0.get(&commitment).cloned());
        let revealed = veil::reveal(entry.kind, &mut entry.actor, &mut entry.data, open);
        revealed.map_err(|error| format!("cannot be read: {error}"))
    }
}

/// Nothing is known: everything that is committed to counts as erased.
impl Openings for () {
    fn reveal(&mut self, entry: &mut Entry) -> Result<(), String> {
        Listed::default().reveal(entry)
    }
}

#[cfg(test)]
mod tests {
    use gate_ledger::commitment::{Field, Opening, WrittenOpening};

    use super::Listed;

    #[test]
    fn a_line_that_is_no_opening_is_named() {
        let opening = Opening { field: Field::Name, salt: [1; 32], value: "os:a".into() };
        let good = serde_json::to_string(&WrittenOpening::from(&opening)).unwrap();
        assert_eq!(Listed::read(format!("{good}\n").as_bytes()).unwrap().0.len(), 1);
        let changed = good.replace("os:a", "os:b");
        let error = |text: String| Listed::read(text.as_bytes()).err().unwrap().to_string();
        assert!(error(format!("{good}\n{changed}\n")).starts_with("line 2: the opening does not match"));
        assert!(error("{}".to_owned()).starts_with("line 1: this is no opening"));
    }
}
