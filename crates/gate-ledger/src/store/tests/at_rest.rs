//! A ledger that is read as it lies.

use std::fs;

use serde_json::json;

use super::super::{Access, Ledger, OpenError};
use super::{Bench, append, draft};
use crate::entry::Kind;

/// The ledger as it lies, once it was not written to for a while.
fn lying(bench: &Bench) -> Ledger {
    loop {
        if let Some(ledger) = Ledger::open_at_rest(&bench.path()).unwrap() {
            return ledger;
        }
        std::thread::yield_now();
    }
}

fn beside(bench: &Bench) -> Vec<String> {
    let names = fs::read_dir(bench.directory.path()).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_short_look_makes_nothing_beside_the_ledger() {
    let bench = Bench::new();
    append(&mut bench.open(), &[draft(Kind::Note, "lint", json!({}))]);
    let before = beside(&bench);
    let ledger = lying(&bench);
    assert_eq!(ledger.view().head().unwrap().seq, 1);
    assert_eq!(beside(&bench), before);
    assert!(ledger.is_at_rest() && ledger.is_still());
    drop(ledger);
    let ordinary = Ledger::open(&bench.path(), Access::Read).unwrap();
    assert!(!ordinary.is_at_rest() && ordinary.is_still());
}

#[test]
fn what_was_read_while_somebody_wrote_does_not_count() {
    let bench = Bench::new();
    let ledger = lying(&bench);
    assert!(ledger.is_newest());
    let mut writer = bench.open();
    append(&mut writer, &[draft(Kind::Note, "lint", json!({}))]);
    assert!(!ledger.is_newest(), "somebody appended since");
    assert!(ledger.is_still(), "what is in the log alone is not read here, and does no harm");
    writer.close().unwrap();
    assert!(!ledger.is_still(), "now it was moved into the file");
}

#[test]
fn a_log_that_holds_something_is_not_passed_over() {
    let bench = Bench::new();
    drop(lying(&bench));
    let mut writer = bench.open();
    append(&mut writer, &[draft(Kind::Note, "lint", json!({}))]);
    assert!(Ledger::open_at_rest(&bench.path()).unwrap().is_none());
}

#[test]
fn what_was_written_just_now_may_be_written_to_once_more_unnoticed() {
    let bench = Bench::new();
    drop(lying(&bench));
    let all = fs::read(bench.path()).unwrap();
    // A time in the past is easily set, and tells nothing.
    fs::write(bench.path(), all).unwrap();
    let file = fs::OpenOptions::new().write(true).open(bench.path()).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    assert!(Ledger::open_at_rest(&bench.path()).unwrap().is_none());
}

#[test]
fn what_lies_beside_it_is_looked_at_as_at_every_open() {
    let bench = Bench::new();
    drop(lying(&bench));
    fs::write(bench.path().with_extension("db-journal"), "").unwrap();
    assert!(matches!(Ledger::open_at_rest(&bench.path()), Err(OpenError::Journal { .. })));
}
