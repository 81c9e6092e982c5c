use std::fs;
use std::os::unix::fs::PermissionsExt;

use gate_model::exit::{Ends, Exit};
use serde_json::json;

use super::super::{Access, CreateError, Ledger, OpenError};
use super::{Bench, actor, append, draft, start, tamper};
use crate::entry::Kind;

fn refused(bench: &Bench) -> OpenError {
    let error = Ledger::open(&bench.path(), Access::Append).unwrap_err();
    let reading = Ledger::open(&bench.path(), Access::Read).unwrap_err();
    assert_eq!(error.to_string(), reading.to_string());
    error
}

#[test]
fn a_new_ledger_holds_its_genesis_and_nothing_lies_beside_it() {
    let bench = Bench::new();
    let names: Vec<_> =
        fs::read_dir(bench.directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["ledger.db"]);
    let ledger = bench.open();
    let genesis = ledger.view().entry(0).unwrap().unwrap();
    assert_eq!(
        (genesis.kind, genesis.hash, genesis.ledger.as_str()),
        (Kind::Genesis, ledger.genesis(), ledger.id())
    );
    assert_eq!(genesis.at, start());
}

#[test]
fn two_ledgers_have_two_ids() {
    assert_ne!(Bench::new().open().id(), Bench::new().open().id());
}

#[test]
fn missing_directories_are_made() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a/b/ledger.db");
    Ledger::create(&path, &actor("os:alice"), json!({}), start()).unwrap();
    assert!(path.is_file());
}

#[test]
fn whatever_exists_is_left_alone() {
    let bench = Bench::new();
    let before = fs::read(bench.path()).unwrap();
    let again =
        |path: &std::path::Path| Ledger::create(path, &actor("os:bob"), json!({}), start()).unwrap_err();
    let error = again(&bench.path());
    assert!(matches!(error, CreateError::Exists { .. }), "{error}");
    assert_eq!(error.exit(), Exit::Usage);
    assert!(fs::read(bench.path()).unwrap() == before);

    assert!(matches!(again(bench.directory.path()), CreateError::Exists { .. }));
    let dangling = bench.directory.path().join("dangling");
    std::os::unix::fs::symlink("nowhere", &dangling).unwrap();
    assert!(matches!(again(&dangling), CreateError::Exists { .. }));
    assert!(matches!(again(std::path::Path::new("/")), CreateError::Name { .. }));
}

#[test]
fn the_wal_of_an_earlier_ledger_is_not_mixed_into_a_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.db");
    fs::write(directory.path().join("ledger.db-wal"), "old").unwrap();
    let error = Ledger::create(&path, &actor("os:alice"), json!({}), start()).unwrap_err();
    assert!(matches!(error, CreateError::Leftover { .. }), "{error}");
    assert!(!path.exists());
}

#[test]
fn a_first_entry_outside_the_profile_makes_no_ledger() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.db");
    let error = Ledger::create(&path, &actor("os:alice"), json!({"x": 0.5}), start()).unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn what_is_no_file_is_a_usage_error() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    std::os::unix::fs::symlink("loop", at("loop")).unwrap();
    std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap();
    fs::write(at("file"), "x").unwrap();
    for name in ["nothing", ".", "loop", "pipe", "file/below"] {
        let error = Ledger::open(&at(name), Access::Append).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage, "{name}: {error}");
    }
}

#[test]
fn a_ledger_with_two_names_is_refused_by_both() {
    let bench = Bench::new();
    let other = bench.directory.path().join("other");
    fs::hard_link(bench.path(), &other).unwrap();
    let error = refused(&bench);
    assert!(matches!(error, OpenError::TwoNames { .. }), "{error}");
    assert!(error.is_planted() && error.exit() == Exit::Distrust);
    assert!(matches!(Ledger::open(&other, Access::Read), Err(OpenError::TwoNames { .. })));
    fs::remove_file(other).unwrap();
    bench.open();
}

#[test]
fn other_files_are_no_ledgers() {
    let directory = tempfile::tempdir().unwrap();
    for (name, bytes) in [("empty", &b""[..]), ("text", b"{\"seq\":0}\n"), ("zeros", &[0; 9000])] {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        for access in [Access::Read, Access::Append] {
            let error = Ledger::open(&path, access).unwrap_err();
            assert_eq!(error.exit(), Exit::Distrust, "{name}: {error}");
            assert!(error.to_string().contains("is not a ledger"), "{error}");
        }
        assert!(fs::read(&path).unwrap() == bytes, "{name} was changed");
    }
    let other = directory.path().join("other.db");
    tamper(&other, "CREATE TABLE entry (seq INTEGER PRIMARY KEY, body TEXT, hash BLOB)");
    let error = Ledger::open(&other, Access::Read).unwrap_err();
    assert!(error.to_string().contains("another program"), "{error}");
}

#[test]
fn a_newer_format_says_so() {
    let bench = Bench::new();
    bench.tamper("PRAGMA user_version = 2");
    let error = refused(&bench);
    assert!(matches!(error, OpenError::Newer { found: 2, known: 1, .. }), "{error}");
    assert_eq!(error.exit(), Exit::Distrust);
}

#[test]
fn an_altered_schema_is_refused() {
    for sql in [
        "CREATE TRIGGER extra AFTER INSERT ON entry BEGIN SELECT 1; END",
        "CREATE VIEW extra AS SELECT 1",
        "CREATE TABLE extra (x)",
        "CREATE INDEX extra ON entry (hash)",
        "ANALYZE",
        "DROP TRIGGER entry_delete",
        "DROP INDEX entry_nonce",
        "DROP TRIGGER entry_update; CREATE TRIGGER entry_update BEFORE UPDATE ON entry BEGIN SELECT 1; END",
        "DROP INDEX entry_live; CREATE INDEX entry_live ON entry (gate, expires) WHERE kind = 'grant' AND seq > 9",
        "UPDATE sqlite_schema SET sql = replace(sql, '$.data.expires', '$.data.not_before') WHERE name = 'entry'",
    ] {
        let bench = Bench::new();
        bench.tamper(sql);
        let error = refused(&bench);
        assert!(matches!(error, OpenError::Altered { .. }), "{sql}: {error}");
        assert_eq!(error.exit(), Exit::Distrust);
    }
}

#[test]
fn a_ledger_whose_first_entry_was_changed_is_refused() {
    let update = |sql: &str| format!("DROP TRIGGER entry_update; {sql}; {}", trigger("entry_update"));
    let delete = |sql: &str| format!("DROP TRIGGER entry_delete; {sql}; {}", trigger("entry_delete"));
    for sql in [
        update("UPDATE entry SET body = replace(body, 'os:alice', 'os:mallory')"),
        update("UPDATE entry SET hash = zeroblob(32)"),
        update("UPDATE entry SET hash = x'00'"),
        update("UPDATE entry SET seq = 1"),
        delete("DELETE FROM entry"),
    ] {
        let bench = Bench::new();
        bench.tamper(&sql);
        let error = refused(&bench);
        assert_eq!(error.exit(), Exit::Distrust, "{sql}: {error}");
        assert!(matches!(error, OpenError::Genesis { .. } | OpenError::NoEntries { .. }), "{sql}: {error}");
    }
}

/// The statement that makes the trigger `name`, so that an attack can put it back and hide.
fn trigger(name: &str) -> String {
    let schema = include_str!("../sql/schema.sql");
    let block = schema.split("\n\n").find(|block| block.contains(&format!("TRIGGER {name} ")));
    block.unwrap().to_owned()
}

#[test]
fn reading_works_where_nothing_can_be_written() {
    let bench = Bench::new();
    append(&mut bench.open(), &[draft(Kind::Note, "lint", json!({}))]);
    let read_only =
        |mode| fs::set_permissions(bench.directory.path(), fs::Permissions::from_mode(mode)).unwrap();
    read_only(0o555);
    let immutable = super::super::database::connect_immutable(&bench.path()).unwrap();
    let count: i64 = immutable.query_row("SELECT count(*) FROM entry", [], |row| row.get(0)).unwrap();
    let ledger = Ledger::open(&bench.path(), Access::Read).unwrap();
    let head = ledger.view().head().unwrap();
    drop(ledger);
    read_only(0o755);
    assert_eq!((count, head.seq), (2, 1));
}

#[test]
fn an_unusual_path_reaches_the_same_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a b?c#d%41é").join("l&e=d.db");
    Ledger::create(&path, &actor("os:alice"), json!({}), start()).unwrap();
    let path = fs::canonicalize(path).unwrap();
    let connection = super::super::database::connect_immutable(&path).unwrap();
    let count: i64 = connection.query_row("SELECT count(*) FROM entry", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 1);
}

#[test]
fn a_reader_leaves_the_directory_as_it_was() {
    let bench = Bench::new();
    append(&mut bench.open(), &[draft(Kind::Note, "lint", json!({}))]);
    let names = || {
        let mut names: Vec<_> =
            fs::read_dir(bench.directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let read = || {
        let before = (names(), fs::read(bench.path()).unwrap());
        let ledger = Ledger::open(&bench.path(), Access::Read).unwrap();
        let seq = ledger.view().head().unwrap().seq;
        ledger.close().unwrap();
        assert!((names(), fs::read(bench.path()).unwrap()) == before, "reading changed what is there");
        seq
    };
    assert_eq!(read(), 1);
    // A writer that was killed leaves its WAL; it is read, and stays where it is.
    let killed = bench.directory.path().join("killed");
    fs::create_dir(&killed).unwrap();
    let mut ledger = bench.open();
    append(&mut ledger, &[draft(Kind::Note, "lint", json!({}))]);
    for name in ["ledger.db", "ledger.db-wal"] {
        fs::copy(bench.directory.path().join(name), killed.join(name)).unwrap();
    }
    drop(ledger);
    fs::remove_file(bench.path()).unwrap();
    for name in ["ledger.db", "ledger.db-wal"] {
        fs::rename(killed.join(name), bench.directory.path().join(name)).unwrap();
    }
    fs::remove_dir(killed).unwrap();
    let database = fs::read(bench.path()).unwrap();
    let ledger = Ledger::open(&bench.path(), Access::Read).unwrap();
    assert_eq!(ledger.view().head().unwrap().seq, 2);
    ledger.close().unwrap();
    assert!(fs::read(bench.path()).unwrap() == database && names().contains(&"ledger.db-wal".into()));
}

#[test]
fn a_symbolic_link_leads_to_one_lock_and_one_wal() {
    let bench = Bench::new();
    let link = bench.directory.path().join("link.db");
    std::os::unix::fs::symlink("ledger.db", &link).unwrap();
    let mut ledger = Ledger::open(&link, Access::Append).unwrap();
    append(&mut ledger, &[draft(Kind::Note, "lint", json!({}))]);
    assert!(bench.directory.path().join("ledger.db-lock").exists());
    assert!(!bench.directory.path().join("link.db-lock").exists());
    assert_eq!(bench.open().view().head().unwrap().seq, 1);
}
