//! Where replay finds the texts that entries only commit to: in the ledger itself, or in a file beside an export.

use std::collections::HashMap;
use std::io::{BufRead, Read};

use gate_ledger::commitment::{Commitment, Opening, OpeningError};
use gate_ledger::entry::Entry;
use gate_ledger::profile;
use gate_ledger::redaction::{self, WrongField};
use gate_model::opening::WrittenOpening;

/// Where the openings of commitments are found.
pub trait Openings {
    /// Puts the personal texts of `entry` back, as far as they are known.
    ///
    /// # Errors
    /// Why they cannot be told, as a sentence's end: one was edited, or the store failed.
    fn reveal(&mut self, entry: &mut Entry) -> Result<(), String>;
}

/// The longest line, in bytes: an opening is hashed as a document of the profile, and commitment and the names of the
/// members stand beside it.
const MAX_LINE: usize = profile::MAX_BYTES + 1024;
/// The most that is kept, in bytes: some 350,000 openings of ordinary length.
const MAX_KEPT: usize = 64 << 20;
/// What an opening takes in memory beside its text.
const EACH: usize = 128;

/// Openings that were read from JSON Lines, as `gate-log export --openings` writes them. All of them are kept in
/// memory, up to 64 MiB.
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
    /// A line is longer than any opening.
    #[error(
        "line {line}: this is no opening: it is longer than {MAX_LINE} bytes\nname what gate-log export --openings wrote"
    )]
    TooLong {
        /// The line, from 1.
        line: usize,
    },
    /// There are more than fit into memory.
    #[error(
        "line {line}: there are more than {} MiB of openings\nverify the ledger's own file, which holds them itself, or take out those of entries that are not looked at",
        MAX_KEPT >> 20
    )]
    TooMany {
        /// The line, from 1.
        line: usize,
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

/// The opening that a line holds, which must be an object: a list of its members would be read as well.
fn object(text: &[u8]) -> Result<WrittenOpening, serde_json::Error> {
    if text.trim_ascii_start().first() == Some(&b'[') {
        return Err(serde::de::Error::custom("it is not a JSON object"));
    }
    serde_json::from_slice(text)
}

impl Listed {
    /// Reads openings, one a line, each checked against its commitment.
    ///
    /// # Errors
    /// A [`ListError`] for the first line that is none, or that is one too many.
    pub fn read(lines: impl BufRead) -> Result<Self, ListError> {
        Self::read_up_to(MAX_KEPT, lines)
    }

    fn read_up_to(most: usize, mut lines: impl BufRead) -> Result<Self, ListError> {
        let (mut listed, mut kept) = (Self::default(), 0);
        let mut text = Vec::new();
        for line in 1.. {
            if !next(&mut lines, line, &mut text)? {
                break;
            }
            let written = object(&text).map_err(|source| ListError::Shape { line, source })?;
            let (commitment, opening) =
                Opening::check(&written).map_err(|source| ListError::Opening { line, source })?;
            kept += opening.value.len() + EACH;
            // One that is listed again takes no more room.
            if let Some(same) = listed.0.insert(commitment, opening) {
                kept -= same.value.len() + EACH;
            }
            if kept > most {
                return Err(ListError::TooMany { line });
            }
        }
        Ok(listed)
    }
}

/// Reads the next line into `text`, without its newline. False where there is none.
fn next(lines: &mut impl BufRead, line: usize, text: &mut Vec<u8>) -> Result<bool, ListError> {
    text.clear();
    let mut bounded = lines.take(MAX_LINE as u64 + 1);
    bounded.read_until(b'\n', text).map_err(|source| ListError::Io { line, source })?;
    let some = !text.is_empty();
    if text.last() == Some(&b'\n') {
        text.pop();
    }
    if text.len() > MAX_LINE { Err(ListError::TooLong { line }) } else { Ok(some) }
}

impl Openings for Listed {
    fn reveal(&mut self, entry: &mut Entry) -> Result<(), String> {
        let open = &mut |commitment: Commitment| Ok::<_, WrongField>(self.0.get(&commitment).cloned());
        let revealed = redaction::reveal(entry.kind, &mut entry.actor, &mut entry.data, open);
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
        assert!(error(format!("{good}\n\n")).starts_with("line 2: this is no opening"));
    }

    #[test]
    fn an_opening_that_is_a_list_of_its_members_is_none() {
        let opening =
            WrittenOpening::from(&Opening { field: Field::Name, salt: [1; 32], value: "os:a".into() });
        let list = serde_json::json!([opening.commitment, opening.field, opening.salt, opening.value]);
        let error = Listed::read(format!(" {list}\n").as_bytes()).err().unwrap().to_string();
        assert!(error.contains("not a JSON object"), "{error}");
    }

    #[test]
    fn a_line_without_an_end_is_not_read_to_its_end() {
        let endless = std::io::BufReader::new(std::io::repeat(0));
        let error = Listed::read(endless).err().unwrap().to_string();
        assert!(error.starts_with("line 1: this is no opening: it is longer than"), "{error}");
    }

    #[test]
    fn more_openings_than_fit_into_memory_are_refused_and_repeated_ones_are_not_counted() {
        let line = |salt: u8| {
            let opening = Opening { field: Field::Reason, salt: [salt; 32], value: "x".repeat(1000) };
            serde_json::to_string(&WrittenOpening::from(&opening)).unwrap() + "\n"
        };
        let read = |text: &str| Listed::read_up_to(10_000, text.as_bytes());
        let many: String = (0..10).map(line).collect();
        let error = read(&many).err().unwrap().to_string();
        assert!(error.starts_with("line 9: there are more than 64 MiB of openings"), "{error}");
        assert_eq!(read(&line(1).repeat(20)).unwrap().0.len(), 1);
    }
}
