//! Pages of the file that point where they should not.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use gate_model::exit::{Ends, Exit};
use serde_json::json;

use super::super::{EachEntry, Options, Outcome, VerifyError, snapshot, sqlite};
use super::{actor, at};
use crate::entry::{Draft, Kind};
use crate::store::{Access, Ledger, Snapshot, StoreError};

/// How many entries there are: enough for an interior page over many leaves.
const ENTRIES: usize = 3000;

/// The file of a ledger, in a directory of its own.
fn large() -> (tempfile::TempDir, Vec<u8>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.db");
    let mut ledger = Ledger::create(&path, &actor(), json!({}), at(0)).unwrap();
    let note = |text: String| Draft {
        kind: Kind::Note,
        gate: None,
        reference: None,
        actor: actor(),
        data: json!({ "text": text }),
    };
    ledger
        .append(Duration::from_secs(20), &|| at(1), |transaction| {
            (0..ENTRIES).try_for_each(|_| transaction.append(&note("x".repeat(300))).map(drop))?;
            // Longer than a page, so that it goes on in pages of its own.
            transaction.append(&note("y".repeat(50_000))).map(drop)
        })
        .unwrap();
    ledger.close().unwrap();
    let bytes = fs::read(&path).unwrap();
    (directory, bytes)
}

fn number(bytes: &[u8], place: usize, length: usize) -> usize {
    bytes[place..place + length].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
}

/// Where the root page of the table begins, its number, and where its pointers to children stand, the right-most last.
fn pointers(path: &Path, bytes: &[u8]) -> (usize, Vec<usize>) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'entry'";
    let root: usize = connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap().try_into().unwrap();
    let start = (root - 1) * number(bytes, 16, 2);
    assert_eq!(bytes[start], 5, "the table needs an interior page");
    let cells = number(bytes, start + 3, 2);
    let mut found: Vec<_> = (0..cells).map(|cell| start + number(bytes, start + 12 + 2 * cell, 2)).collect();
    found.push(start + 8);
    (root, found)
}

/// Everybody who walks over all rows comes to an end, and says that something is wrong.
fn assert_found(path: &Path) {
    let is_bad = |found: Result<Outcome, VerifyError>| found.map_or(true, |outcome| !outcome.is_good());
    assert!(is_bad(sqlite(path, &Options::default(), &mut ())));
    assert!(is_bad(sqlite(path, &Options::default(), &mut EachEntry(|_: super::Seen<'_>| {}))));
    let taken = Snapshot::take(path).unwrap();
    assert!(is_bad(snapshot(&taken, &Options::default(), &mut EachEntry(|_: super::Seen<'_>| {}))));
    let ledger = match Ledger::open(path, Access::Read) {
        Ok(ledger) => ledger,
        // Where the way to the first row is damaged it does not even open.
        Err(refused) => return assert_eq!(refused.exit(), Exit::Distrust, "{refused}"),
    };
    // Nothing is hashed here, so that a damaged row comes out as it is; but none comes twice.
    let mut count = 0;
    let lines = ledger.view().scan_lines(0, None, &mut |_, _| {
        count += 1;
        ControlFlow::Continue(())
    });
    assert!(count <= ENTRIES + 2, "{count} rows of {ENTRIES}");
    if let Err(refused) = lines {
        assert!(matches!(refused, StoreError::Again(_) | StoreError::Corrupt(_)), "{refused}");
    }
    for reverse in [false, true] {
        let found = ledger.view().scan(0, None, reverse, &mut |_| ControlFlow::Continue(()));
        assert!(found.is_err(), "reverse: {reverse}");
    }
}

#[test]
fn a_page_that_points_back_at_its_parent_comes_to_an_end() {
    let (directory, good) = large();
    let path = directory.path().join("ledger.db");
    let (root, pointers) = pointers(&path, &good);
    for place in [0, 2, pointers.len() / 2, pointers.len() - 2, pointers.len() - 1] {
        let mut bytes = good.clone();
        let place = pointers[place];
        bytes[place..place + 4].copy_from_slice(&u32::try_from(root).unwrap().to_be_bytes());
        fs::write(&path, bytes).unwrap();
        assert_found(&path);
    }
}

#[test]
fn two_leaves_that_are_one_come_to_an_end() {
    let (directory, mut bytes) = large();
    let path = directory.path().join("ledger.db");
    let (_, pointers) = pointers(&path, &bytes);
    let (from, to) = (pointers[3], pointers[7]);
    bytes.copy_within(from..from + 4, to);
    fs::write(&path, bytes).unwrap();
    assert_found(&path);
}

#[test]
fn a_long_row_whose_pages_lead_in_a_circle_comes_to_an_end() {
    let (directory, mut bytes) = large();
    let path = directory.path().join("ledger.db");
    let size = number(&bytes, 16, 2);
    // The pages of the long text are the only ones full of it; each begins with the number of the next.
    let pages: Vec<_> = (0..bytes.len() / size)
        .filter(|page| bytes[page * size + 4..(page + 1) * size].iter().all(|byte| *byte == b'y'))
        .collect();
    assert!(pages.len() > 2, "{pages:?}");
    let itself = u32::try_from(pages[1] + 1).unwrap().to_be_bytes();
    bytes[pages[1] * size..pages[1] * size + 4].copy_from_slice(&itself);
    fs::write(&path, bytes).unwrap();
    assert_found(&path);
}
