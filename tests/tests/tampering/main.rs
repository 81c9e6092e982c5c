//! What somebody may do to a ledger who can write its file, its export or what is shown to an auditor: each
//! attack is a test of its name, run against the tools themselves.
//!
//! `sqlite` and `json_lines` are tables: what is done, and which entry is named with which defect. `checkpoints`
//! holds what a chain alone cannot see. `pages` damages bytes at random; `salvage` saves what damage leaves.
//! `independent` has a verifier that shares no line with ours judge the same attacks.

#![allow(clippy::disallowed_methods, reason = "a test may start programs")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "this is test code: what fails shall stop the test"
)]

mod checkpoints;
mod independent;
mod json_lines;
mod pages;
mod salvage;
mod sqlite;

use gate_tests::{Output, Sandbox};

/// Where the tools keep the ledger.
const LEDGER: &str = ".gate/ledger.db";
/// The entry that is attacked: a grant that lets the gate `lint` be skipped. Before it stand genesis and the
/// policy, behind it four notes, 3 to 6.
const TARGET: u64 = 2;

/// The reason of the attacked grant; long, so that much can be written in its place.
const REASON: &str =
    "the linter crashes on generated code; the mend waits for its next release, see its issue 1234 for both";

/// A ledger of seven entries, with the grant of [`TARGET`].
fn ledger() -> Sandbox {
    let sandbox = Sandbox::with_starter();
    sandbox.run("gate-skip", &["lint", "--reason", REASON]).expect(0);
    append(&sandbox, &[1, 2, 3, 4]);
    sandbox
}

/// Appends a note for each number.
fn append(sandbox: &Sandbox, numbers: &[u64]) {
    let notes = numbers.iter().fold(String::new(), |notes, n| notes + &format!("{{\"n\":{n}}}\n"));
    sandbox.run_with("gate-log", &["append", "--quiet"], notes).expect(0);
}

/// Seq and code of the first bad entry.
#[track_caller]
fn first_bad(output: &Output) -> (u64, String) {
    let document = output.json();
    assert_eq!(document["ok"], false);
    let bad = &document["first_bad"];
    assert!(output.stderr.contains("not ok: entry"), "{}", output.stderr);
    assert!(!bad["reason"].as_str().unwrap().is_empty());
    (bad["seq"].as_u64().unwrap(), bad["code"].as_str().unwrap().to_owned())
}

/// Runs SQL on the ledger with the guards taken away and put back, so that the schema looks untouched.
fn tamper(sandbox: &Sandbox, sql: &str) {
    let script = format!(
        "PRAGMA writable_schema = ON;
         CREATE TEMP TABLE kept AS SELECT * FROM sqlite_schema WHERE type = 'trigger';
         DELETE FROM sqlite_schema WHERE type = 'trigger';
         PRAGMA writable_schema = RESET;
         {sql};
         PRAGMA writable_schema = ON;
         INSERT INTO sqlite_schema SELECT * FROM kept;
         PRAGMA writable_schema = RESET;"
    );
    sandbox.run("sqlite3", &["-bail", LEDGER, &script]).expect(0);
}
