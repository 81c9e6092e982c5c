//! Damage of many kinds: what is intact comes out, and nothing else.

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use gate_model::exit::{Ends, Exit};
use gate_model::time::Timestamp;
use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::json;

use super::{Loss, Salvage, SalvageError, Why, salvage};
use crate::entry::{Draft, EntryHash, Kind};
use crate::store::{Access, Ledger};

type Bodies = Vec<String>;

/// A ledger of many pages, some entries of which need several.
struct Wreck {
    directory: tempfile::TempDir,
    honest: Bodies,
}

const COUNT: u64 = 240;

impl Wreck {
    fn new() -> Self {
        let mut wreck = Self { directory: tempfile::tempdir().unwrap(), honest: Vec::new() };
        let actor = json!({"id": "os:alice"});
        let now = Timestamp::parse("2026-11-22T16:30:35Z").unwrap();
        let mut ledger = Ledger::create(&wreck.path(), &actor, json!({}), now).unwrap();
        append(&mut ledger, 1..COUNT);
        ledger.close().unwrap();
        wreck.honest = wreck.saved().0;
        wreck
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("ledger.db")
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        self.directory.path().join(format!("ledger.db{suffix}"))
    }

    fn try_save(&self, genesis: Option<EntryHash>) -> Result<(Bodies, Salvage), SalvageError> {
        let mut bodies = Vec::new();
        let take = &mut |body: &[u8], hash| {
            assert_eq!(crate::entry::hash(body), hash);
            bodies.push(String::from_utf8(body.to_vec()).unwrap());
            ControlFlow::Continue(())
        };
        let salvage = salvage(&self.path(), genesis, take)?;
        Ok((bodies, salvage))
    }

    fn saved(&self) -> (Bodies, Salvage) {
        self.try_save(None).unwrap()
    }

    /// Everything that comes out is an honest entry, in order, and what is missing up to the end is told.
    fn check(&self) -> Salvage {
        let (bodies, salvage) = self.saved();
        let lost = |seq: &u64| salvage.lost.iter().any(|loss| (loss.first..=loss.last).contains(seq));
        let expected: Vec<&String> = (0..=salvage.last.min(COUNT - 1))
            .filter(|seq| !lost(seq))
            .map(|seq| &self.honest[usize::try_from(seq).unwrap()])
            .collect();
        assert!(bodies.iter().eq(expected), "{salvage:?}");
        assert_eq!(salvage.entries, bodies.len() as u64);
        salvage
    }

    fn whole(&self) -> Salvage {
        let salvage = self.check();
        assert_eq!((salvage.is_whole(), salvage.entries), (true, COUNT), "{salvage:?}");
        salvage
    }

    fn sql(&self, sql: &str) {
        let connection = Connection::open(self.path()).unwrap();
        let triggers = "DROP TRIGGER IF EXISTS entry_append; DROP TRIGGER IF EXISTS entry_update;
                        DROP TRIGGER IF EXISTS entry_delete; PRAGMA writable_schema = ON;";
        connection.execute_batch(triggers).unwrap();
        connection.execute_batch(sql).unwrap();
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    fn damage(&self, edit: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = self.bytes();
        edit(&mut bytes);
        fs::write(self.path(), bytes).unwrap();
    }
}

/// Appends a note for each number; every fiftieth needs overflow pages.
fn append(ledger: &mut Ledger, numbers: std::ops::Range<u64>) {
    let at = || Timestamp::parse("2026-11-22T16:30:36Z").unwrap();
    let of = |n: u64| Draft {
        kind: Kind::Note,
        gate: None,
        reference: None,
        actor: json!({"id": "os:alice"}),
        data: json!({"n": n, "pad": "x".repeat(if n % 50 == 7 { 30_000 } else { 300 })}),
    };
    let batch = |transaction: &mut crate::store::Transaction<'_>| {
        numbers.clone().try_for_each(|n| transaction.append(&of(n)).map(drop))
    };
    ledger.append(Duration::from_secs(20), &at, batch).unwrap();
}

#[test]
fn a_healthy_ledger_comes_out_whole_and_untouched() {
    let wreck = Wreck::new();
    let before = wreck.bytes();
    let salvage = wreck.whole();
    assert_eq!((salvage.loose, salvage.foreign, salvage.changed), (0, 0, false));
    assert!(salvage.mended.is_empty());
    let ledger = Ledger::open(&wreck.path(), Access::Read).unwrap();
    let mut stored = Vec::new();
    let collect = &mut |body: &[u8], _| {
        stored.push(String::from_utf8(body.to_vec()).unwrap());
        ControlFlow::Continue(())
    };
    ledger.view().scan_lines(0, None, collect).unwrap();
    assert_eq!(stored, wreck.honest);
    drop(ledger);
    assert!(wreck.bytes() == before, "the file was changed");
    assert_eq!(fs::read_dir(wreck.directory.path()).unwrap().count(), 2, "the file and the writers' lock");
}

#[test]
fn what_only_the_write_ahead_log_holds_comes_out() {
    let wreck = Wreck::new();
    let mut ledger = Ledger::open(&wreck.path(), Access::Append).unwrap();
    append(&mut ledger, COUNT..COUNT + 60);
    let (bodies, salvage) = wreck.saved();
    assert_eq!((bodies.len() as u64, salvage.is_whole(), salvage.loose), (COUNT + 60, true, 0));
    // A log that was cut still shows the entries in the pages that are whole, and says that there may be more.
    let log = fs::read(wreck.beside("-wal")).unwrap();
    std::mem::forget(ledger);
    for (length, least, most, whole) in [
        (log.len(), COUNT + 60, COUNT + 60, true),
        (log.len() - 1, COUNT, COUNT + 60, false),
        (31, COUNT, COUNT, true),
        (0, COUNT, COUNT, true),
    ] {
        fs::write(wreck.beside("-wal"), &log[..length]).unwrap();
        let (bodies, salvage) = wreck.saved();
        assert!((least..=most).contains(&(bodies.len() as u64)), "a log of {length} bytes: {salvage:?}");
        assert_eq!(salvage.is_whole(), whole, "a log of {length} bytes: {salvage:?}");
        assert!(bodies.starts_with(&wreck.honest), "a log of {length} bytes");
    }
}

/// A ledger with a log of many transactions, and the log.
fn with_log() -> (Wreck, Vec<u8>, Bodies) {
    let wreck = Wreck::new();
    let mut ledger = Ledger::open(&wreck.path(), Access::Append).unwrap();
    for n in COUNT..COUNT + 60 {
        append(&mut ledger, n..n + 1);
    }
    let log = fs::read(wreck.beside("-wal")).unwrap();
    let all = wreck.saved().0;
    assert_eq!(all.len() as u64, COUNT + 60);
    std::mem::forget(ledger);
    (wreck, log, all)
}

/// Bytes of a frame with its header.
const FRAME: usize = 24 + 8192;

#[test]
fn a_bad_frame_in_the_middle_of_the_log_costs_nothing_that_other_frames_hold() {
    let (wreck, log, all) = with_log();
    let frames = (log.len() - 32) / FRAME;
    for at in [0, 1, frames / 3, frames / 2, frames - 2] {
        // The page itself, its number, the salt, the checksum.
        for byte in [24 + 4000, 3, 9, 17] {
            let mut damaged = log.clone();
            damaged[32 + at * FRAME + byte] ^= 0x55;
            fs::write(wreck.beside("-wal"), damaged).unwrap();
            let (bodies, salvage) = wreck.saved();
            let lost: u64 = salvage.lost.iter().map(|loss| loss.last - loss.first + 1).sum();
            assert_eq!(bodies.len() as u64 + lost, COUNT + 60, "frame {at}, byte {byte}: {salvage:?}");
            assert!(lost < 30 && bodies.iter().all(|body| all.contains(body)), "frame {at}: {salvage:?}");
            assert!(salvage.log.frames > 0, "frame {at}, byte {byte}: {salvage:?}");
        }
    }
}

#[test]
fn a_log_whose_last_frame_is_bad_is_not_whole() {
    let (wreck, mut log, _) = with_log();
    let at = log.len() - 8192 + 100;
    log[at] ^= 1;
    fs::write(wreck.beside("-wal"), log).unwrap();
    let salvage = wreck.saved().1;
    assert!(salvage.log.is_open && !salvage.is_whole(), "{salvage:?}");
}

#[test]
fn a_log_with_a_damaged_header_is_read_all_the_same() {
    let (wreck, log, all) = with_log();
    // Magic number, order of bytes, size of pages, salt, checksum.
    for byte in [0, 3, 10, 11, 17, 25] {
        let mut damaged = log.clone();
        damaged[byte] ^= 0x21;
        fs::write(wreck.beside("-wal"), damaged).unwrap();
        let (bodies, salvage) = wreck.saved();
        assert!(bodies == all && salvage.is_whole() && salvage.log.header, "byte {byte}: {salvage:?}");
    }
}

#[test]
fn a_file_shorter_than_its_header_says_is_not_whole() {
    let wreck = Wreck::new();
    let whole = wreck.bytes();
    for length in [whole.len() - 1, whole.len() - 8192, whole.len() / 2] {
        fs::write(wreck.path(), &whole[..length]).unwrap();
        let salvage = wreck.check();
        assert!(salvage.cut.is_some() && !salvage.is_whole(), "{length} bytes: {salvage:?}");
    }
    fs::write(wreck.path(), &whole[..whole.len() / 2]).unwrap();
    assert!(wreck.check().last > COUNT / 2, "pages that lead to others name what is gone");
}

#[test]
fn a_wrong_byte_about_reserved_space_hides_no_long_entry() {
    let wreck = Wreck::new();
    for reserved in [1, 32, 255] {
        wreck.damage(|bytes| bytes[20] = reserved);
        wreck.whole();
    }
}

#[test]
fn an_altered_schema_does_not_matter() {
    for sql in [
        "",
        "CREATE VIEW v AS SELECT 1; CREATE TRIGGER t AFTER INSERT ON entry BEGIN SELECT 1; END",
        "DROP INDEX entry_live; PRAGMA user_version = 9; PRAGMA application_id = 1",
        "ALTER TABLE entry RENAME TO entries",
        "UPDATE sqlite_schema SET sql = 'CREATE TABLE entry (nonsense' WHERE name = 'entry'",
        "UPDATE sqlite_schema SET rootpage = 1 WHERE name = 'entry'",
        "UPDATE sqlite_schema SET rootpage = 99999999 WHERE name = 'entry'",
        "DELETE FROM sqlite_schema",
        "DROP TABLE entry",
        "PRAGMA journal_mode = DELETE; PRAGMA page_size = 1024; VACUUM",
        "PRAGMA journal_mode = DELETE; PRAGMA page_size = 65536; VACUUM",
    ] {
        let wreck = Wreck::new();
        wreck.sql(sql);
        let (bodies, salvage) = wreck.saved();
        assert!(bodies == wreck.honest && salvage.is_whole(), "{sql}: {salvage:?}");
        // Where the header is gone too, the pages still are where they were.
        wreck.damage(|bytes| bytes[..100].fill(0));
        let (bodies, salvage) = wreck.saved();
        assert!(bodies == wreck.honest && salvage.is_whole(), "{sql}, without header: {salvage:?}");
    }
}

#[test]
fn every_page_lost_alone_loses_what_was_in_it() {
    let wreck = Wreck::new();
    let whole = wreck.bytes();
    let mut lost = 0;
    for page in 0..whole.len() / 8192 {
        for fill in [0, 0xff, 0x0d] {
            wreck.damage(|bytes| {
                bytes.clone_from(&whole);
                bytes[page * 8192..(page + 1) * 8192].fill(fill);
            });
            let salvage = wreck.check();
            let seqs: u64 = salvage.lost.iter().map(|loss| loss.last - loss.first + 1).sum();
            assert!(seqs + COUNT - 1 - salvage.last < 40, "page {page}: {salvage:?}");
            lost += seqs;
        }
    }
    assert!(lost > COUNT, "every row was lost in its turn, but for those at the end");
}

#[test]
fn a_file_cut_anywhere_gives_what_is_left() {
    let wreck = Wreck::new();
    let whole = wreck.bytes();
    for length in (9000..whole.len()).step_by(7919) {
        fs::write(wreck.path(), &whole[..length]).unwrap();
        match wreck.try_save(None) {
            Ok(_) => drop(wreck.check()),
            Err(error) => assert!(matches!(error, SalvageError::Nothing { .. }), "{error}"),
        }
    }
}

#[test]
fn bad_rows_are_named_with_their_defect() {
    for (sql, first, last, why) in [
        (
            "UPDATE entry SET body = replace(body, 'alice', 'mallory') WHERE seq BETWEEN 4 AND 5",
            4,
            5,
            Why::Bad("hash"),
        ),
        ("UPDATE entry SET hash = zeroblob(32) WHERE seq = 7", 7, 7, Why::Bad("hash")),
        ("UPDATE entry SET hash = zeroblob(31) WHERE seq = 239", 239, 239, Why::Bad("hash-form")),
        ("UPDATE entry SET body = '{}' WHERE seq = 0", 0, 0, Why::Bad("missing-member")),
        ("UPDATE entry SET body = body || ' ' WHERE seq = 4", 4, 4, Why::Bad("not-canonical")),
        ("DELETE FROM entry WHERE seq BETWEEN 9 AND 12", 9, 12, Why::Missing),
    ] {
        let wreck = Wreck::new();
        // VACUUM leaves no copies of what was there.
        wreck.sql(&format!("{sql}; PRAGMA writable_schema = OFF; VACUUM"));
        assert_eq!(wreck.check().lost, [Loss { first, last, why }], "{sql}");
    }
}

#[test]
fn deleted_rows_come_out_as_long_as_their_bytes_are_there() {
    let wreck = Wreck::new();
    wreck.sql("PRAGMA secure_delete = OFF; DELETE FROM entry WHERE seq = 20 OR seq >= 100");
    let salvage = wreck.check();
    assert!(salvage.loose > 100, "{salvage:?}");
    assert!(!salvage.lost.iter().any(|loss| loss.first <= 20 && loss.last >= 20), "{salvage:?}");
}

#[test]
fn an_edited_row_is_replaced_by_its_copy_if_there_is_one() {
    let wreck = Wreck::new();
    let path = wreck.path();
    let old = fs::read(&path).unwrap();
    wreck.sql("UPDATE entry SET hash = zeroblob(32) WHERE seq = 100; PRAGMA writable_schema = OFF; VACUUM");
    // What stands behind the last page that the header counts is not used by anybody, and still there.
    wreck.damage(|bytes| bytes.extend_from_slice(&old));
    let salvage = wreck.whole();
    assert_eq!(salvage.mended, [Loss { first: 100, last: 100, why: Why::Bad("hash") }]);
}

#[test]
fn a_row_under_another_number_is_the_entry_that_it_says() {
    let wreck = Wreck::new();
    wreck.sql("UPDATE entry SET seq = 9000 WHERE seq = 30; UPDATE entry SET seq = -5 WHERE seq = 31");
    wreck.whole();
}

#[test]
fn of_two_claims_to_a_place_the_linked_one_comes_out() {
    let wreck = Wreck::new();
    // A forger's entry with a fresh hash, in a table of its own, and the real one no longer live.
    let forged = wreck.honest[5].replace("\"n\":5", "\"n\":6");
    let hash = crate::entry::hash(forged.as_bytes()).0;
    let connection = Connection::open(wreck.path()).unwrap();
    connection.execute_batch("CREATE TABLE decoy (seq INTEGER PRIMARY KEY, body TEXT, hash BLOB)").unwrap();
    connection.execute("INSERT INTO decoy VALUES (5, ?1, ?2)", (&forged, &hash[..])).unwrap();
    drop(connection);
    assert_eq!(wreck.whole().loose, 0, "a live row comes first");
    wreck.sql("PRAGMA secure_delete = OFF; DROP TABLE entry");
    wreck.whole();
}

#[test]
fn lists_of_pages_that_lead_back_into_themselves_end() {
    let wreck = Wreck::new();
    wreck.damage(|bytes| {
        let pages = bytes.len() / 8192;
        for page in 0..pages {
            let start = page * 8192 + if page == 0 { 100 } else { 0 };
            match bytes[start] {
                // The right-most child of every interior page is itself; every overflow page is its own next.
                0x05 => bytes[start + 8..start + 12]
                    .copy_from_slice(&u32::try_from(page + 1).unwrap().to_be_bytes()),
                0x00 => {
                    bytes[start..start + 4].copy_from_slice(&u32::try_from(page + 1).unwrap().to_be_bytes());
                }
                _ => {}
            }
        }
    });
    wreck.check();
}

#[test]
fn the_log_of_another_ledger_does_not_mix_in() {
    let (one, other) = (Wreck::new(), Wreck::new());
    let mut open = Ledger::open(&other.path(), Access::Append).unwrap();
    append(&mut open, COUNT..COUNT + 3);
    fs::copy(other.beside("-wal"), one.beside("-wal")).unwrap();
    let genesis = crate::entry::hash(one.honest[0].as_bytes());
    let (bodies, salvage) = one.try_save(Some(genesis)).unwrap();
    assert_eq!(bodies, one.honest);
    assert!(salvage.foreign > 0 && salvage.is_whole(), "{salvage:?}");
}

#[test]
fn another_genesis_than_the_pinned_one_is_refused() {
    let wreck = Wreck::new();
    let error = wreck.try_save(Some(EntryHash([7; 32]))).unwrap_err();
    assert!(matches!(error, SalvageError::OtherGenesis { .. }) && error.exit() == Exit::Distrust, "{error}");
}

#[test]
fn what_is_no_ledger_is_refused() {
    let wreck = Wreck::new();
    for bytes in [Vec::new(), b"hello\n".repeat(4000), vec![0; 100_000]] {
        fs::write(wreck.path(), bytes).unwrap();
        let error = wreck.try_save(None).unwrap_err();
        assert!(matches!(error, SalvageError::Nothing { .. }) && error.exit() == Exit::Distrust, "{error}");
    }
    fs::remove_file(wreck.path()).unwrap();
    assert_eq!(wreck.try_save(None).unwrap_err().exit(), Exit::Usage);
}

#[test]
fn no_damage_is_a_panic_or_a_lie() {
    let wreck = Wreck::new();
    let whole = wreck.bytes();
    let place = any::<prop::sample::Index>();
    let damage = prop::collection::vec((place, any::<u8>(), 1..2000_usize), 1..6);
    let config = ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = prop::test_runner::TestRunner::new(config);
    runner
        .run(&damage, |damage| {
            wreck.damage(|bytes| {
                bytes.clone_from(&whole);
                for (at, byte, length) in damage {
                    let at = at.index(bytes.len());
                    let end = bytes.len().min(at + length);
                    bytes[at..end].fill(byte);
                }
            });
            wreck.check();
            Ok(())
        })
        .unwrap();
}
