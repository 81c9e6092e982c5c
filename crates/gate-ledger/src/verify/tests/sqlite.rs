use std::fs;
use std::time::Duration;

use gate_model::exit::{Ends, Exit};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::super::{Observer, Options, VerifyError, sqlite};
use super::{File, at, bad, drafts, watching};
use crate::entry::{EntryHash, hash};
use crate::store::{Access, Ledger};

#[test]
fn a_ledger_verifies_and_is_left_as_it_was() {
    let file = File::new();
    let before = fs::read(file.path()).unwrap();
    let outcome = file.verify();
    assert_eq!((outcome.first_bad.as_ref(), outcome.entries, outcome.warnings.len()), (None, 9, 0));
    let entries = file.entries();
    assert_eq!(outcome.head, Some((8, entries[8].hash)));
    assert_eq!(outcome.genesis, Some(entries[0].hash));
    assert!(fs::read(file.path()).unwrap() == before, "verification changed the file");
}

#[test]
fn every_row_of_many_stretches_is_seen_once_and_in_order() {
    let file = File::new();
    let mut ledger = Ledger::open(&file.path(), Access::Append).unwrap();
    let note = drafts().remove(7);
    for _ in 0..4 {
        let batch = |transaction: &mut crate::store::Transaction<'_>| {
            (0..5000).try_for_each(|_| transaction.append(&note).map(drop))
        };
        ledger.append(Duration::from_secs(20), &|| at(2), batch).unwrap();
    }
    let run = |observer: &mut dyn Observer| sqlite(&file.path(), &Options::default(), observer).unwrap();
    let (outcome, seen) = watching(run);
    assert_eq!((outcome.first_bad, outcome.entries), (None, 20_009));
    assert!(seen.iter().map(|(seq, _)| *seq).eq(0..20_009));
    drop(ledger);
    file.tamper("DELETE FROM entry WHERE seq BETWEEN 9000 AND 19000");
    let outcome = file.verify();
    assert_eq!((bad(&outcome), outcome.good_after), ((9000, "gap"), 1008));
    file.tamper("DELETE FROM entry WHERE seq < 9000");
    assert!(matches!(
        sqlite(&file.path(), &Options::default(), &mut ()).map(|outcome| bad(&outcome)),
        Ok((0, "gap"))
    ));
}

#[test]
fn large_bodies_for_an_observer_stay_within_bounds() {
    struct Count(u64, u64);
    impl Observer for Count {
        fn wants_entries(&self) -> bool {
            true
        }
        fn entry(&mut self, seen: super::Seen<'_>) {
            assert_eq!(seen.seq, self.0);
            self.0 += 1;
        }
        fn progress(&mut self, done: u64, total: Option<u64>) {
            assert!(total.is_some() && done >= self.1);
            self.1 = done;
        }
    }
    let file = File::new();
    let mut ledger = Ledger::open(&file.path(), Access::Append).unwrap();
    let mut large = drafts().remove(7);
    large.data = serde_json::json!({"x": "x".repeat(900_000)});
    let batch = |transaction: &mut crate::store::Transaction<'_>| {
        (0..12).try_for_each(|_| transaction.append(&large).map(drop))
    };
    ledger.append(Duration::from_secs(20), &|| at(2), batch).unwrap();
    let mut count = Count(0, 0);
    let outcome = sqlite(&file.path(), &Options::default(), &mut count).unwrap();
    assert_eq!((outcome.entries, count.0, count.1), (21, 21, 21));
}

#[test]
fn edited_rows_are_named() {
    for (sql, expected) in [
        ("UPDATE entry SET body = replace(body, 'os:alice', 'os:mallory') WHERE seq = 4", (4, "hash")),
        ("UPDATE entry SET hash = zeroblob(32) WHERE seq = 4", (4, "hash")),
        ("UPDATE entry SET hash = zeroblob(31) WHERE seq = 4", (4, "hash-form")),
        ("UPDATE entry SET hash = zeroblob(33) WHERE seq = 4", (4, "hash-form")),
        ("UPDATE entry SET body = replace(body, ',', ', ') WHERE seq = 4", (4, "not-canonical")),
        ("UPDATE entry SET body = body || ' ' WHERE seq = 4", (4, "not-canonical")),
        ("UPDATE entry SET body = body || x'00' WHERE seq = 4", (4, "not-json")),
        (
            "UPDATE entry SET body = replace(body, '\"v\":1', '\"v\":1,\"v\":1') WHERE seq = 4",
            (4, "duplicate-key"),
        ),
        (
            "UPDATE entry SET body = CAST(replace(body, 'alice', x'ff') AS TEXT) WHERE seq = 4",
            (4, "not-utf8"),
        ),
        ("UPDATE entry SET body = '[]' WHERE seq = 4", (4, "not-an-object")),
        ("UPDATE entry SET body = '{}' WHERE seq = 0", (0, "missing-member")),
        ("DELETE FROM entry WHERE seq = 4", (4, "gap")),
        ("DELETE FROM entry WHERE seq = 0", (0, "gap")),
        ("UPDATE entry SET seq = -5 WHERE seq = 0", (0, "row")),
        ("UPDATE entry SET seq = 100 WHERE seq = 8", (8, "row")),
        ("UPDATE entry SET seq = 9223372036854775807 WHERE seq = 8", (8, "row")),
        (
            "UPDATE entry SET seq = 100 WHERE seq = 4; UPDATE entry SET seq = 4 WHERE seq = 5; UPDATE entry SET seq = 5 WHERE seq = 100",
            (4, "row"),
        ),
        ("INSERT INTO entry (seq, body, hash) SELECT 9, body, hash FROM entry WHERE seq = 8", (9, "row")),
        ("INSERT INTO entry (seq, body, hash) SELECT -1, body, hash FROM entry WHERE seq = 8", (0, "row")),
    ] {
        let file = File::new();
        file.tamper(sql);
        let outcome = file.verify();
        assert_eq!(bad(&outcome), expected, "{sql}: {outcome:?}");
        assert_eq!(outcome.entries, expected.0);
    }
}

#[test]
fn a_body_stored_as_a_blob_is_named() {
    let file = File::new();
    // STRICT would refuse it, so the schema is made lax for a moment, as an attacker can.
    let connection = rusqlite::Connection::open(file.path()).unwrap();
    let lax = |from: &str, to: &str| {
        let sql =
            format!("UPDATE sqlite_schema SET sql = replace(sql, '{from}', '{to}') WHERE name = 'entry'");
        let version: i64 = connection.pragma_query_value(None, "schema_version", |row| row.get(0)).unwrap();
        connection.execute_batch("PRAGMA writable_schema = ON").unwrap();
        connection.execute_batch(&sql).unwrap();
        connection.pragma_update(None, "schema_version", version + 1).unwrap();
    };
    connection.execute_batch("DROP TRIGGER entry_update").unwrap();
    lax("STRICT", "");
    drop(connection);
    let connection = rusqlite::Connection::open(file.path()).unwrap();
    connection.execute_batch("UPDATE entry SET body = CAST(body AS BLOB) WHERE seq = 7").unwrap();
    drop(connection);
    let connection = rusqlite::Connection::open(file.path()).unwrap();
    connection.execute_batch("PRAGMA writable_schema = ON").unwrap();
    connection.execute_batch("UPDATE sqlite_schema SET sql = sql || ' STRICT' WHERE name = 'entry'").unwrap();
    let schema = include_str!("../../store/sql/schema.sql");
    let trigger = schema.split("\n\n").find(|block| block.contains("TRIGGER entry_update")).unwrap();
    connection.execute_batch(trigger).unwrap();
    connection
        .execute_batch(
            "UPDATE sqlite_schema SET sql = replace(sql, ')  STRICT', ') STRICT') WHERE name = 'entry'",
        )
        .unwrap();
    drop(connection);
    match sqlite(&file.path(), &Options::default(), &mut ()) {
        Ok(outcome) => assert_eq!(bad(&outcome), (7, "not-text")),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn an_entry_too_many_or_too_few_in_an_index_is_named() {
    for (index, wrong, seq) in [
        ("entry_live", "ON entry (gate, expires) WHERE kind = 'grant' AND seq > 100", 5),
        ("entry_admitted", "ON entry (at, gate) WHERE kind = 'grant'", 5),
        ("entry_owing", "ON entry (gate) WHERE kind = 'request'", 5),
        ("entry_life", "ON entry (ref) WHERE ref IS NOT NULL AND kind = 'grant'", 4),
        ("entry_policy", "ON entry (gate) WHERE kind = 'policy'", 1),
        ("entry_spent", "ON entry (gate, spends) WHERE kind = 'note'", 6),
        ("entry_spent", "ON entry (gate, actor) WHERE kind = 'decision' AND spends IS NOT NULL", 6),
        ("entry_spent_together", "ON entry (gate, seq, spends) WHERE kind = 'note'", 6),
        (
            "entry_spent_together",
            "ON entry (gate, seq, kind) WHERE kind = 'decision' AND spends IS NOT NULL",
            6,
        ),
        ("entry_nonce", "ON entry (at) WHERE nonce IS NOT NULL", 3),
        ("entry_waiting", "ON entry (gate, lapses) WHERE kind = 'request' OR kind = 'decision'", 9),
    ] {
        let file = File::new();
        let schema = include_str!("../../store/sql/schema.sql");
        let right = schema.split("\n\n").find(|block| block.contains(&format!("INDEX {index} "))).unwrap();
        let right = right.trim_end_matches(';');
        file.tamper(&format!(
            "DROP INDEX {index}; CREATE INDEX {index} {wrong};
             PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = \"{right}\" WHERE name = '{index}'"
        ));
        let outcome = file.verify();
        let found = outcome.first_bad.as_ref().unwrap_or_else(|| panic!("{index} was not found"));
        assert!(found.code == "index" || found.code == "structure", "{found:?}");
        assert_eq!(found.seq, seq, "{found:?}");
    }
}

#[test]
fn what_is_no_ledger_ends_as_opening_it_does() {
    let directory = tempfile::tempdir().unwrap();
    let exit = |path: &std::path::Path| sqlite(path, &Options::default(), &mut ()).unwrap_err().exit();
    assert_eq!(exit(directory.path()), Exit::Usage);
    assert_eq!(exit(&directory.path().join("missing")), Exit::Usage);
    fs::write(directory.path().join("text"), "hello").unwrap();
    assert_eq!(exit(&directory.path().join("text")), Exit::Distrust);
    let file = File::new();
    file.tamper("DELETE FROM entry");
    let error = sqlite(&file.path(), &Options::default(), &mut ()).unwrap_err();
    assert!(error.to_string().contains("no entries"), "{error}");
}

#[test]
fn a_pinned_genesis_must_be_the_one() {
    let file = File::new();
    let pinned =
        |genesis| sqlite(&file.path(), &Options { genesis: Some(genesis), ..Options::default() }, &mut ());
    assert!(pinned(file.entries()[0].hash).unwrap().genesis_pinned);
    assert!(matches!(pinned(EntryHash([7; 32])), Err(VerifyError::OtherGenesis { .. })));
}

#[test]
fn a_file_cut_anywhere_is_never_good_beyond_what_is_left() {
    let file = File::new();
    let whole = fs::read(file.path()).unwrap();
    let good = file.verify();
    for length in (0..whole.len()).step_by(1013) {
        fs::write(file.path(), &whole[..length]).unwrap();
        if let Ok(outcome) = sqlite(&file.path(), &Options::default(), &mut ()) {
            assert!(outcome.first_bad.is_some() || outcome == good, "cut at {length}");
        }
    }
}

/// One small ledger, damaged again and again: what was damaged is found, or makes no difference.
#[test]
fn no_damage_to_a_page_is_a_panic_or_a_lie() {
    let file = File::new();
    let whole = fs::read(file.path()).unwrap();
    let honest: Vec<_> = file.entries().iter().map(|entry| (entry.seq, entry.body.clone())).collect();
    let damage = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4);
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&damage, |damage| {
            let mut bytes = whole.clone();
            for (at, byte) in damage {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            fs::write(file.path(), &bytes).unwrap();
            for suffix in ["-wal", "-shm"] {
                drop(fs::remove_file(file.directory.path().join(format!("ledger.db{suffix}"))));
            }
            let run = |observer: &mut dyn Observer| sqlite(&file.path(), &Options::default(), observer);
            let (outcome, seen) = watching(run);
            prop_assert!(honest.starts_with(&seen), "an entry that differs was called good");
            if outcome.is_ok_and(|outcome| outcome.is_good()) {
                prop_assert_eq!(&seen, &honest);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn the_wal_of_another_ledger_is_found() {
    let append = |file: &File, count: usize| {
        let mut ledger = Ledger::open(&file.path(), Access::Append).unwrap();
        let batch = |transaction: &mut crate::store::Transaction<'_>| {
            (0..count).try_for_each(|_| transaction.append(&drafts()[1]).map(drop))
        };
        ledger.append(Duration::from_secs(20), &|| at(2), batch).unwrap();
        ledger
    };
    for before in [1, 300] {
        let (one, other) = (File::new(), File::new());
        append(&one, before).close().unwrap();
        append(&other, before).close().unwrap();
        let genesis = one.entries()[0].hash;
        let _open = append(&other, 1);
        fs::copy(other.directory.path().join("ledger.db-wal"), one.directory.path().join("ledger.db-wal"))
            .unwrap();
        let pinned = sqlite(&one.path(), &Options { genesis: Some(genesis), ..Options::default() }, &mut ());
        assert!(
            !pinned.is_ok_and(|outcome| outcome.is_good()),
            "another ledger's pages were taken for this one's"
        );
        // Where all rows are on one page the file has become the other ledger; else the two are mixed.
        let unpinned = sqlite(&one.path(), &Options::default(), &mut ());
        assert_eq!(unpinned.is_ok_and(|outcome| outcome.is_good()), before == 1);
    }
}

#[test]
fn the_hash_recipe_of_the_format_holds_for_every_row() {
    let file = File::new();
    let connection = rusqlite::Connection::open(file.path()).unwrap();
    let mut statement = connection.prepare("SELECT body, hash FROM entry").unwrap();
    let rows =
        statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?))).unwrap();
    for row in rows {
        let (body, stored) = row.unwrap();
        assert_eq!(hash(body.as_bytes()).0[..], stored[..]);
        assert_eq!(blake3::derive_key("gate-ledger v1 entry", body.as_bytes())[..], stored[..]);
    }
}
