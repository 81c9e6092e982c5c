//! The store as its callers and its attackers use it.

mod append;
mod at_rest;
mod lookups;
mod open;
mod snapshot;

use std::path::{Path, PathBuf};
use std::time::Duration;

use gate_model::time::Timestamp;
use serde_json::{Value, json};

use super::{Access, Ledger};
use crate::entry::{Draft, Entry, Kind};

const WAIT: Duration = Duration::from_secs(20);

/// A new ledger in a directory of its own.
struct Bench {
    directory: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self { directory: tempfile::tempdir().unwrap() };
        Ledger::create(&bench.path(), &actor("os:alice"), json!({}), start()).unwrap().close().unwrap();
        bench
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("ledger.db")
    }

    fn open(&self) -> Ledger {
        Ledger::open(&self.path(), Access::Append).unwrap()
    }

    /// Does to the file what somebody with a SQLite shell can do, guards switched off.
    fn tamper(&self, sql: &str) {
        tamper(&self.path(), sql);
    }
}

fn tamper(path: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA writable_schema = ON").unwrap();
    connection.execute_batch(sql).unwrap();
}

fn start() -> Timestamp {
    Timestamp::parse("2026-11-22T16:30:35Z").unwrap()
}

fn at(seconds: u64) -> Timestamp {
    start().plus(seconds).unwrap()
}

fn actor(id: &str) -> Value {
    json!({"id": id, "assurance": "asserted", "via": "os"})
}

fn draft(kind: Kind, gate: &str, data: Value) -> Draft {
    Draft { kind, gate: Some(gate.to_owned()), reference: None, actor: actor("os:alice"), data }
}

fn grant(gate: &str, expires: Timestamp) -> Draft {
    draft(Kind::Grant, gate, json!({"expires": expires.to_string()}))
}

/// Appends `drafts` in one transaction that begins at the start, the first entry one second later and so on.
fn append(ledger: &mut Ledger, drafts: &[Draft]) -> Vec<Entry> {
    let clock = std::cell::Cell::new(0);
    let tick = || at(clock.replace(clock.get() + 1));
    ledger
        .append(WAIT, &tick, |transaction| {
            drafts.iter().map(|draft| transaction.append(draft)).collect::<Result<Vec<_>, _>>()
        })
        .unwrap()
}

fn seqs(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.seq).collect()
}
