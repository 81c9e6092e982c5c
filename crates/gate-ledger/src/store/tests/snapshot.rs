//! Reading without writing, and files that change under somebody who has them open.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::super::{Access, Ledger, OpenError, Snapshot, StoreError};
use super::{Bench, append, draft, start};
use crate::entry::Kind;
use crate::verify::{self, Options};

fn note(ledger: &mut Ledger) {
    append(ledger, &[draft(Kind::Note, "lint", json!({}))]);
}

fn contents(bench: &Bench) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = fs::read_dir(bench.directory.path()).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.is_file()).map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

fn entries(snapshot: &Snapshot) -> u64 {
    let outcome = verify::snapshot(snapshot, &Options::default(), &mut ()).unwrap();
    assert!(outcome.is_good(), "{outcome:?}");
    outcome.entries
}

#[test]
fn a_snapshot_holds_what_the_log_holds_and_changes_no_byte() {
    let bench = Bench::new();
    let mut writer = bench.open();
    note(&mut writer);
    let before = contents(&bench);
    assert!(before.keys().any(|path| path.ends_with("ledger.db-wal")));
    let snapshot = Snapshot::take(&bench.path()).unwrap();
    // What comes later is not in it.
    assert_eq!(entries(&snapshot), 2);
    assert!(contents(&bench) == before, "reading changed what is there");
    note(&mut writer);
    assert_eq!((entries(&snapshot), snapshot.is_still()), (2, true));
    let copy = snapshot.file().to_owned();
    drop(snapshot);
    assert!(!copy.exists() && !copy.parent().unwrap().exists());
}

#[test]
fn a_file_that_is_read_in_place_shows_that_it_was_written_to() {
    let bench = Bench::new();
    let snapshot = Snapshot::take(&bench.path()).unwrap();
    let mut writer = bench.open();
    note(&mut writer);
    // What is appended stays in the log.
    assert_eq!((entries(&snapshot), snapshot.is_still()), (1, true));
    writer.fold(super::WAIT).unwrap();
    assert!(!snapshot.is_still());
    assert_eq!(entries(&Snapshot::take(&bench.path()).unwrap()), 2);
}

#[test]
fn a_log_without_its_index_is_read_from_a_copy_and_leaves_none_behind() {
    let bench = Bench::new();
    let mut writer = bench.open();
    note(&mut writer);
    let elsewhere = tempfile::tempdir().unwrap();
    for name in ["ledger.db", "ledger.db-wal"] {
        fs::copy(bench.directory.path().join(name), elsewhere.path().join(name)).unwrap();
    }
    let ledger = Ledger::open(&elsewhere.path().join("ledger.db"), Access::Read).unwrap();
    assert_eq!(ledger.view().head().unwrap().seq, 1);
    drop(ledger);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 2);
}

#[test]
fn a_journal_of_any_length_is_refused_by_everybody() {
    for text in ["", "played back"] {
        let bench = Bench::new();
        fs::write(bench.directory.path().join("ledger.db-journal"), text).unwrap();
        for refused in [
            Ledger::open(&bench.path(), Access::Read).map(drop),
            Ledger::open(&bench.path(), Access::Append).map(drop),
            Snapshot::take(&bench.path()).map(drop),
        ] {
            assert!(matches!(refused, Err(OpenError::Journal { .. })), "{refused:?}");
        }
    }
}

#[test]
fn a_writer_whose_files_were_taken_away_records_nothing() {
    for suffix in ["", "-wal", "-shm"] {
        let bench = Bench::new();
        let mut old = bench.open();
        note(&mut old);
        fs::remove_file(bench.directory.path().join(format!("ledger.db{suffix}"))).unwrap();
        let refused = old.append(super::WAIT, &start, |transaction| {
            transaction.append(&draft(Kind::Note, "lint", json!({}))).map(drop)
        });
        let refused = refused.unwrap_err();
        assert!(
            matches!(refused, super::super::AppendError::Store(StoreError::Replaced)),
            "{suffix}: {refused}"
        );
        assert!(matches!(old.close(), Err(StoreError::Replaced)));
    }
}

#[test]
fn an_index_that_was_removed_loses_no_entry_when_the_one_who_had_it_open_closes() {
    let bench = Bench::new();
    let old = Ledger::open(&bench.path(), Access::Read).unwrap();
    old.view().head().unwrap();
    fs::remove_file(bench.directory.path().join("ledger.db-shm")).unwrap();
    let mut new = bench.open();
    note(&mut new);
    new.close().unwrap();
    // It is the last to close, and its index knows nothing of the entry.
    drop(old);
    assert_eq!(bench.open().view().head().unwrap().seq, 1);
}

#[test]
fn a_lock_that_was_removed_and_made_anew_is_taken_where_it_is() {
    let bench = Bench::new();
    let mut ledger = bench.open();
    note(&mut ledger);
    fs::remove_file(bench.directory.path().join("ledger.db-lock")).unwrap();
    note(&mut ledger);
    assert!(bench.directory.path().join("ledger.db-lock").exists());
    ledger.close().unwrap();
}
