use std::cell::Cell;
use std::convert::Infallible;
use std::fs;
use std::time::{Duration, Instant};

use gate_model::exit::{Ends, Exit};
use serde_json::json;

use super::super::{Access, AppendError, Ledger, StoreError, lock};
use super::{Bench, WAIT, append, at, draft, seqs, start, tamper};
use crate::entry::{Entry, Kind};
use crate::verify;

fn note() -> crate::entry::Draft {
    draft(Kind::Note, "lint", json!({"text": "x"}))
}

#[test]
fn what_is_appended_is_there_and_chained() {
    let bench = Bench::new();
    let appended = append(&mut bench.open(), &[note(), note(), note()]);
    assert_eq!(seqs(&appended), [1, 2, 3]);
    let ledger = bench.open();
    for pair in appended.windows(2) {
        assert_eq!(pair[1].prev, pair[0].hash);
    }
    assert_eq!(ledger.view().entry(2).unwrap().as_ref(), Some(&appended[1]));
    assert_eq!(ledger.view().entry(4).unwrap(), None);
    assert_eq!(ledger.view().entry(u64::MAX).unwrap(), None);
    assert_eq!(ledger.view().head().unwrap().hash, appended[2].hash);
}

#[test]
fn work_that_fails_leaves_nothing() {
    let bench = Bench::new();
    let mut ledger = bench.open();
    let result = ledger.append(WAIT, &start, |transaction| {
        transaction.append(&note()).unwrap();
        assert_eq!(transaction.view().head().unwrap().seq, 1);
        Err::<(), _>("denied")
    });
    assert!(matches!(result, Err(AppendError::Work("denied"))));
    assert_eq!(ledger.view().head().unwrap().seq, 0);
    assert_eq!(seqs(&append(&mut ledger, &[note()])), [1]);
}

#[test]
fn work_that_panics_leaves_nothing_and_frees_the_lock() {
    let bench = Bench::new();
    let mut ledger = bench.open();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        ledger.append(WAIT, &start, |transaction| -> Result<(), Infallible> {
            transaction.append(&note()).unwrap();
            panic!("a defect of the caller")
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(seqs(&append(&mut bench.open(), &[note()])), [1]);
}

#[test]
fn a_refused_entry_takes_the_others_of_its_transaction_with_it() {
    let bench = Bench::new();
    let mut ledger = bench.open();
    let result = ledger.append(WAIT, &start, |transaction| -> Result<(), Infallible> {
        transaction.append(&note()).unwrap();
        // A caller that overlooks an error must not be told that all went well.
        let refused = transaction.append(&draft(Kind::Note, "lint", json!({"x": 0.5})));
        assert_eq!(refused.unwrap_err().exit(), Exit::Usage);
        Ok(())
    });
    assert!(matches!(result, Err(AppendError::Store(StoreError::Abandoned))));
    assert_eq!(ledger.view().head().unwrap().seq, 0);
}

#[test]
fn a_clock_that_goes_back_is_recorded_but_judges_nothing() {
    let bench = Bench::new();
    let mut ledger = bench.open();
    append(&mut ledger, &[note()]);
    let (earlier, times) = (start().minus(3600), Cell::new(None));
    let entry = ledger.append(WAIT, &|| earlier, |transaction| {
        times.set(Some(transaction.now()));
        transaction.append(&note())
    });
    assert_eq!(entry.unwrap().at, earlier);
    assert_eq!(times.get(), Some(at(1)));
}

#[test]
fn a_reader_cannot_append() {
    let bench = Bench::new();
    let mut ledger = Ledger::open(&bench.path(), Access::Read).unwrap();
    let result = ledger.append(WAIT, &start, |transaction| transaction.append(&note()));
    assert!(matches!(result, Err(AppendError::Store(StoreError::ReadOnly))));
}

#[test]
fn nothing_is_appended_behind_a_damaged_head() {
    let bench = Bench::new();
    append(&mut bench.open(), &[note()]);
    let trigger =
        include_str!("../sql/schema.sql").split("\n\n").find(|block| block.contains("entry_update")).unwrap();
    bench.tamper(&format!(
        "DROP TRIGGER entry_update; UPDATE entry SET hash = zeroblob(32) WHERE seq = 1; {trigger}"
    ));
    let mut ledger = bench.open();
    let result = ledger.append(WAIT, &start, |transaction| transaction.append(&note()));
    let Err(AppendError::Store(error)) = result else { panic!("appended") };
    assert!(matches!(error, StoreError::Bad { seq: 1, .. }), "{error}");
    assert_eq!(error.exit(), Exit::Distrust);
}

#[test]
fn sql_cannot_change_replace_or_remove_an_entry() {
    let bench = Bench::new();
    append(&mut bench.open(), &[note()]);
    let connection = rusqlite::Connection::open(bench.path()).unwrap();
    for sql in [
        "UPDATE entry SET body = '{}'",
        "DELETE FROM entry",
        "INSERT OR REPLACE INTO entry (seq, body, hash) VALUES (1, '{}', x'00')",
        "REPLACE INTO entry (seq, body, hash) SELECT seq, body, hash FROM entry",
        "INSERT INTO entry (seq, body, hash) VALUES (5, '{}', x'00')",
        "INSERT INTO entry (body, hash) VALUES ('{}', x'00') ON CONFLICT DO UPDATE SET body = '{}'",
    ] {
        let error = connection.execute_batch(sql).unwrap_err();
        assert!(error.to_string().contains("a ledger is only appended to"), "{sql}: {error}");
    }
    assert!(
        connection.execute_batch("INSERT INTO entry (seq, body, hash) VALUES (2, x'00', x'00')").is_err()
    );
}

#[test]
fn our_own_connections_cannot_edit_the_schema() {
    let bench = Bench::new();
    let ledger = bench.open();
    let connection = &ledger.database.connection;
    connection.execute_batch("PRAGMA writable_schema = ON").unwrap();
    assert!(connection.execute_batch("DELETE FROM sqlite_schema").is_err());
}

#[test]
fn the_wait_for_the_lock_is_bounded_and_whoever_gave_up_lets_go() {
    let bench = Bench::new();
    let mut ledger = bench.open();
    let held = lock::acquire(&fs::canonicalize(bench.path()).unwrap(), WAIT).unwrap();
    let result = ledger.append(Duration::from_millis(50), &start, |transaction| transaction.append(&note()));
    let Err(AppendError::Store(error)) = result else { panic!("appended") };
    assert!(matches!(error, StoreError::LockTimeout(_)), "{error}");
    assert_eq!(error.exit(), Exit::Failure);
    drop(held);
    // The thread that still waits gets the lock now, and frees it since nobody listens any more.
    assert_eq!(seqs(&append(&mut ledger, &[note()])), [1]);
}

#[test]
fn a_shell_that_holds_the_database_is_waited_for_and_named() {
    let bench = Bench::new();
    let mut ledger = bench.open();
    let shell = rusqlite::Connection::open(bench.path()).unwrap();
    shell.execute_batch("BEGIN IMMEDIATE").unwrap();
    let begun = Instant::now();
    let result = ledger.append(Duration::from_millis(80), &start, |transaction| transaction.append(&note()));
    assert!(begun.elapsed() >= Duration::from_millis(50));
    assert!(matches!(result, Err(AppendError::Store(StoreError::Busy))));
    shell.execute_batch("ROLLBACK").unwrap();
    append(&mut ledger, &[note()]);
}

#[test]
fn the_lock_file_is_never_a_link() {
    let bench = Bench::new();
    let mut ledger = bench.open();
    std::os::unix::fs::symlink("elsewhere", bench.directory.path().join("ledger.db-lock")).unwrap();
    let result = ledger.append(WAIT, &start, |transaction| transaction.append(&note()));
    assert!(matches!(result, Err(AppendError::Store(StoreError::LockFile { .. }))));
    assert!(!bench.directory.path().join("elsewhere").exists());
}

#[test]
fn many_writers_are_all_served_and_the_chain_holds() {
    const WRITERS: usize = 8;
    const EACH: usize = 12;
    let bench = Bench::new();
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                for _ in 0..EACH {
                    // As one-shot processes do it: open, append, close.
                    let mut ledger = bench.open();
                    append(&mut ledger, &[note()]);
                    ledger.close().unwrap();
                }
            });
        }
    });
    let outcome = verify::sqlite(&bench.path(), &verify::Options::default(), &mut ()).unwrap();
    assert_eq!((outcome.first_bad, outcome.entries), (None, (WRITERS * EACH + 1) as u64));
}

#[test]
fn an_admission_sees_every_earlier_one() {
    // Each takes the last place if there is one: with stale reads more than five would get it.
    let bench = Bench::new();
    let admit = || {
        bench.open().append(WAIT, &start, |transaction| {
            let mut taken = 0;
            transaction.view().scan(1, None, false, &mut |_| {
                taken += 1;
                std::ops::ControlFlow::Continue(())
            })?;
            if taken < 5 {
                transaction.append(&note()).map(Some)
            } else {
                Ok::<Option<Entry>, StoreError>(None)
            }
        })
    };
    let admitted = std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..8).map(|_| scope.spawn(|| (0..3).filter(|_| admit().unwrap().is_some()).count())).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum::<usize>()
    });
    assert_eq!(admitted, 5);
}

#[test]
fn a_ledger_written_by_another_program_in_another_journal_mode_is_used_as_one() {
    let bench = Bench::new();
    tamper(&bench.path(), "PRAGMA journal_mode = DELETE");
    append(&mut bench.open(), &[note()]);
    let mode: String = rusqlite::Connection::open(bench.path())
        .unwrap()
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn ordinary_decisions_cost_little_more_than_their_bodies() {
    const COUNT: usize = 4000;
    let bench = Bench::new();
    let decision = draft(Kind::Decision, "lint", json!({"decision": "pass", "text": "x".repeat(210)}));
    let entries = append(&mut bench.open(), &vec![decision; COUNT]);
    let bodies: usize = entries.iter().map(|entry| entry.body.len()).sum();
    assert!((470..520).contains(&(bodies / COUNT)), "{}", bodies / COUNT);
    // The schema's own pages, which do not grow, are left out.
    let pages = fs::metadata(bench.path()).unwrap().len() - fs::metadata(Bench::new().path()).unwrap().len();
    assert!(pages * 100 <= bodies as u64 * 115, "{pages} bytes for {bodies} bytes of bodies");
}

/// A second ledger of the same chain, as far as its first entry.
fn copy_of(bench: &Bench) -> (tempfile::TempDir, Ledger) {
    let directory = tempfile::tempdir().unwrap();
    let genesis = bench.open().view().entry(0).unwrap().unwrap();
    let copy = Ledger::create_copy(&directory.path().join("copy.db"), &genesis).unwrap();
    (directory, copy)
}

fn adopt(ledger: &mut Ledger, entries: &[Entry]) -> Result<(), AppendError<StoreError>> {
    ledger.append(WAIT, &start, |transaction| entries.iter().try_for_each(|entry| transaction.adopt(entry)))
}

#[test]
fn entries_made_elsewhere_are_taken_in_as_they_are() {
    let bench = Bench::new();
    let made = append(&mut bench.open(), &[note(), note()]);
    let (directory, mut copy) = copy_of(&bench);
    let read: Vec<_> = made.iter().map(|entry| Entry::from_line(entry.line().as_bytes()).unwrap()).collect();
    assert_eq!(read, made);
    adopt(&mut copy, &read).unwrap();
    assert_eq!(copy.view().head().unwrap(), bench.open().view().head().unwrap());
    // And the chain goes on from there.
    assert_eq!(append(&mut copy, &[note()])[0].prev, made[1].hash);
    copy.close().unwrap();
    let path = directory.path().join("copy.db");
    let outcome = verify::sqlite(&path, &verify::Options::default(), &mut ()).unwrap();
    assert!(outcome.is_good());
}

#[test]
fn an_entry_that_does_not_follow_is_not_taken_in_nor_anything_beside_it() {
    let bench = Bench::new();
    let made = append(&mut bench.open(), &[note(), note()]);
    let other = append(&mut Bench::new().open(), &[note()]);
    let mut forged = made[0].clone();
    forged.body = forged.body.replace("\"x\"", "\"y\"");
    let wrong: [&[Entry]; 5] = [
        &made[1..],
        &[made[0].clone(), made[0].clone()],
        &other,
        &[forged],
        &[copy_of(&bench).1.view().entry(0).unwrap().unwrap()],
    ];
    for entries in wrong {
        let (_directory, mut copy) = copy_of(&bench);
        let refused = adopt(&mut copy, entries).unwrap_err();
        assert!(matches!(refused, AppendError::Work(StoreError::Bad { .. })), "{refused}");
        assert_eq!(copy.view().head().unwrap().seq, 0);
    }
}

#[test]
fn a_copy_begins_with_a_first_entry_only() {
    let bench = Bench::new();
    let second = append(&mut bench.open(), &[note()]).remove(0);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("copy.db");
    assert_eq!(Ledger::create_copy(&path, &second).unwrap_err().exit(), Exit::Distrust);
    assert!(!path.exists());
}

/// The first entry of a ledger and one that stands further on, as an archive leaves them.
fn archived() -> (Entry, Entry) {
    let bench = Bench::new();
    let appended = append(&mut bench.open(), &[note(), note(), note()]);
    (bench.open().view().entry(0).unwrap().unwrap(), appended[2].clone())
}

#[test]
fn an_entry_behind_what_was_archived_elsewhere_is_taken_in_and_the_next_one_must_follow() {
    let (genesis, behind) = archived();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("copy.db");
    let mut copy = Ledger::create_copy(&path, &genesis).unwrap();
    let refused = copy.append(WAIT, &start, |transaction| transaction.adopt(&behind));
    assert!(matches!(refused, Err(AppendError::Work(StoreError::Bad { seq: 3, .. }))), "{refused:?}");
    copy.append(WAIT, &start, |transaction| transaction.adopt_behind_gap(&behind)).unwrap();
    assert_eq!(seqs(&append(&mut copy, &[note()])), [4]);
    copy.close().unwrap();
    // The guard of the table is there again: nothing else can be put behind a gap.
    let connection = rusqlite::Connection::open(&path).unwrap();
    let planted = connection.execute("INSERT INTO entry (seq, body, hash) VALUES (9, '{}', x'')", ());
    assert!(planted.unwrap_err().to_string().contains("only appended to"));
    assert_eq!(Ledger::open(&path, Access::Read).unwrap().view().head().unwrap().seq, 4);
}
