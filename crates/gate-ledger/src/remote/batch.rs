//! What is sent together, as whoever takes it in reads it.

use std::collections::HashMap;

use super::{Batch, RemoteError, Why};
use crate::commitment::{Commitment, Opening, WrittenOpening};
use crate::entry::Entry;
use crate::redaction;

/// An opening of a batch with the entry that it came with.
#[derive(Debug)]
pub struct Kept<'b> {
    /// The entry.
    pub entry: &'b Entry,
    /// What that commits to.
    pub commitment: Commitment,
    /// What it hides.
    pub opening: Opening,
    /// The same as a line.
    pub line: &'b [u8],
}

impl Batch {
    /// The entries, in their order. Whether they follow each other is another question.
    ///
    /// # Errors
    /// [`Why::Usage`] where a line is no entry.
    pub fn entries(&self) -> Result<Vec<Entry>, RemoteError> {
        let read = self.lines.iter().map(|line| Entry::from_line(line));
        read.collect::<Result<_, _>>().map_err(|error| refused(&error.to_string()))
    }

    /// The openings, each with the one of `entries` that commits to it.
    ///
    /// # Errors
    /// [`Why::Usage`] where a line is none, or belongs to none of them.
    pub fn kept<'b>(&'b self, entries: &'b [Entry]) -> Result<Vec<Kept<'b>>, RemoteError> {
        let mut owners = HashMap::new();
        for entry in entries {
            for (_, commitment) in redaction::commitments(entry.kind, &entry.actor, &entry.data) {
                owners.entry(commitment).or_insert(entry);
            }
        }
        let pair = |line: &'b Vec<u8>| {
            let read = serde_json::from_slice::<WrittenOpening>(line).map_err(|error| error.to_string());
            let checked =
                read.and_then(|written| Opening::check(&written).map_err(|error| error.to_string()));
            let (commitment, opening) = checked.map_err(|defect| refused(&defect))?;
            let entry =
                *owners.get(&commitment).ok_or_else(|| refused("an opening belongs to none of them"))?;
            Ok(Kept { entry, commitment, opening, line })
        };
        self.openings.iter().map(pair).collect()
    }
}

/// That lines cannot be added.
pub(super) fn refused(defect: &str) -> RemoteError {
    let remedy = "this is a defect of whoever sent them; the ledger is as it was";
    RemoteError::failed(Why::Usage, format!("the lines cannot be added: {defect}"), remedy)
}

#[cfg(test)]
mod tests {
    use gate_model::time::Timestamp;
    use serde_json::json;

    use super::Batch;
    use crate::commitment::{Field, Opening, WrittenOpening};
    use crate::entry::{Draft, EntryHash, Kind, Place};

    #[test]
    fn an_opening_goes_with_the_entry_that_commits_to_it_and_one_of_none_is_refused() {
        let opening = |value: &str| Opening { field: Field::Name, salt: [3; 32], value: value.to_owned() };
        let entry = |seq, data| {
            let draft = Draft { kind: Kind::Grant, gate: None, reference: None, actor: json!({}), data };
            let at = Timestamp::parse("2026-11-22T16:30:35Z").unwrap();
            draft.at(Place { ledger: &"1".repeat(32), seq, prev: EntryHash([7; 32]), at }).unwrap()
        };
        let alice = opening("alice");
        let commitment = alice.commitment().unwrap();
        let entries = [entry(1, json!({})), entry(2, json!({"author_c": commitment.to_string()}))];
        let batch = |value: &str| Batch {
            copied: false,
            lines: entries.iter().map(|entry| entry.line().into_bytes()).collect(),
            openings: vec![serde_json::to_vec(&WrittenOpening::from(&opening(value))).unwrap()],
        };
        assert_eq!(batch("alice").entries().unwrap(), entries);
        let good = batch("alice");
        let kept = good.kept(&entries).unwrap();
        assert_eq!((kept[0].entry.seq, kept[0].commitment), (2, commitment));
        assert!(batch("bob").kept(&entries).unwrap_err().to_string().contains("belongs to none of them"));
        let rubbish = Batch { openings: vec![b"{}".to_vec()], ..Batch::default() };
        assert!(rubbish.kept(&entries).unwrap_err().to_string().contains("cannot be added"));
    }
}
