//! Honest ledgers verify; each attack is named.

mod json_lines;
mod pages;
mod sqlite;
mod start;

use std::path::{Path, PathBuf};
use std::time::Duration;

use gate_model::time::Timestamp;
use serde_json::{Value, json};

use super::{EachEntry, FirstBad, Options, Outcome, Seen};
use crate::entry::{Draft, Entry, Kind, Place};
use crate::store::{Access, Ledger};

fn at(seconds: u64) -> Timestamp {
    Timestamp::parse("2026-11-22T16:30:35Z").unwrap().plus(seconds).unwrap()
}

fn actor() -> Value {
    json!({"id": "os:alice", "assurance": "asserted", "via": "os"})
}

/// One draft of each sort that matters to an index, and ordinary ones between them.
fn drafts() -> Vec<Draft> {
    let of = |kind, reference, data| Draft {
        kind,
        gate: Some("lint".to_owned()),
        reference,
        actor: actor(),
        data,
    };
    vec![
        of(Kind::Policy, None, json!({"digest": "b3:1", "text": "version = 1\n"})),
        of(Kind::Decision, None, json!({"decision": "pass", "reasons": ["it \"passed\"", "ü\t€"]})),
        of(Kind::Request, None, json!({"request": {"nonce": "n1"}})),
        of(Kind::Approval, Some(3), json!({"subject": "b3:2"})),
        of(
            Kind::Grant,
            Some(3),
            json!({"expires": at(100).to_string(), "owes": {"review": at(50).to_string()}}),
        ),
        of(Kind::Decision, None, json!({"decision": "skip", "grants": [3, 4], "spends": [3, 4]})),
        of(Kind::Note, None, json!({"request": {"nonce": "n2"}, "list": [1, -2, [], {}, true, null]})),
        of(Kind::Decision, None, json!({"decision": "fail", "blocking": 2})),
    ]
}

/// The entries of a ledger that holds [`drafts`].
fn entries() -> Vec<Entry> {
    let ledger = "000102030405060708090a0b0c0d0e0f";
    let genesis = Draft { kind: Kind::Genesis, gate: None, reference: None, actor: actor(), data: json!({}) };
    let mut entries =
        vec![genesis.at(Place { ledger, seq: 0, prev: crate::entry::EntryHash::ZERO, at: at(0) }).unwrap()];
    for draft in drafts() {
        append(&mut entries, &draft);
    }
    entries
}

/// Continues the chain of `entries`.
fn append(entries: &mut Vec<Entry>, draft: &Draft) {
    let last = entries.last().unwrap();
    let place = Place { ledger: &last.ledger, seq: last.seq + 1, prev: last.hash, at: at(last.seq + 1) };
    let entry = draft.at(place).unwrap();
    entries.push(entry);
}

/// Writes the chain of `entries` anew from `seq` on, as an attacker can who computes hashes.
fn rechain(entries: &mut [Entry], seq: usize) {
    for index in seq..entries.len() {
        let entry = &entries[index];
        let (gate, reference) = (entry.gate.clone(), entry.reference);
        let draft = Draft {
            kind: entry.kind,
            gate,
            reference,
            actor: entry.actor.clone().into_value(),
            data: entry.data.clone().into_value(),
        };
        let place =
            Place { ledger: &entry.ledger, seq: entry.seq, prev: entries[index - 1].hash, at: entry.at };
        entries[index] = draft.at(place).unwrap();
    }
}

/// A SQLite file with the same sorts of entries.
struct File {
    directory: tempfile::TempDir,
}

impl File {
    fn new() -> Self {
        let file = Self { directory: tempfile::tempdir().unwrap() };
        let mut ledger = Ledger::create(&file.path(), &actor(), json!({}), at(0)).unwrap();
        ledger
            .append(Duration::from_secs(20), &|| at(1), |transaction| {
                drafts().iter().try_for_each(|draft| transaction.append(draft).map(drop))
            })
            .unwrap();
        ledger.close().unwrap();
        file
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("ledger.db")
    }

    /// Switches the guards off, runs `sql`, and puts the guards back.
    fn tamper(&self, sql: &str) {
        let connection = rusqlite::Connection::open(self.path()).unwrap();
        let schema = include_str!("../store/sql/schema.sql");
        let triggers: Vec<_> =
            schema.split("\n\n").filter(|block| block.contains("CREATE TRIGGER")).collect();
        connection
            .execute_batch("DROP TRIGGER entry_append; DROP TRIGGER entry_update; DROP TRIGGER entry_delete")
            .unwrap();
        connection.execute_batch(sql).unwrap();
        connection.execute_batch(&triggers.join("\n")).unwrap();
    }

    fn verify(&self) -> Outcome {
        super::sqlite(&self.path(), &Options::default(), &mut ()).unwrap()
    }

    fn entries(&self) -> Vec<Entry> {
        entries_of(&self.path())
    }
}

fn entries_of(path: &Path) -> Vec<Entry> {
    let ledger = Ledger::open(path, Access::Read).unwrap();
    let mut entries = Vec::new();
    let collect = &mut |entry| {
        entries.push(entry);
        std::ops::ControlFlow::Continue(())
    };
    ledger.view().scan(0, None, false, collect).unwrap();
    entries
}

/// Position and code of the first bad entry.
fn bad(outcome: &Outcome) -> (u64, &'static str) {
    let FirstBad { seq, code, .. } = outcome.first_bad.as_ref().expect("the attack was not found");
    (*seq, code)
}

fn warnings(outcome: &Outcome) -> Vec<(&'static str, Option<u64>, Option<u64>)> {
    outcome.warnings.iter().map(|warning| (warning.code, warning.count, warning.seq)).collect()
}

/// An observer that keeps what it sees, and what it saw.
fn watching<T>(verify: impl FnOnce(&mut dyn super::Observer) -> T) -> (T, Vec<(u64, String)>) {
    let mut seen = Vec::new();
    let mut observer = EachEntry(|entry: Seen<'_>| {
        assert_eq!(crate::entry::hash(entry.body), entry.hash);
        seen.push((entry.seq, String::from_utf8(entry.body.to_vec()).unwrap()));
    });
    let result = verify(&mut observer);
    (result, seen)
}
