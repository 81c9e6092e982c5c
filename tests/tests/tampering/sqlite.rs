//! Attacks on the file, with SQL and with files beside it.

use super::{LEDGER, REASON, Sandbox, TARGET, first_bad, ledger, tamper};

/// Attacks with SQL: each leaves the schema as it was, is named by `gate-verify` as entry and defect, and gets
/// nobody past the gate.
macro_rules! attacks {
    ($($(#[$what:meta])* $name:ident: $sql:expr => $seq:expr, $code:literal;)+) => {
        $($(#[$what])* #[test] fn $name() { found_and_not_used(&$sql, $seq, $code); })+
    };
}

#[track_caller]
fn found_and_not_used(sql: &str, seq: u64, code: &str) {
    let sandbox = ledger();
    tamper(&sandbox, sql);
    let document = sandbox.run::<&str>("gate-verify", &[]).expect(1);
    assert_eq!(first_bad(&document), (seq, code.to_owned()), "{}", document.stderr);
    // The grant was good before; now the gate stands, or is not decided where what it asks for is bad.
    assert_stands(&sandbox);
}

/// The gate is enforced, or not decided where what the decision asks for is bad; nobody gets past it.
#[track_caller]
fn assert_stands(sandbox: &Sandbox) {
    let stands = sandbox.run("gate-check", &["lint", "--", "false"]);
    assert!([1, 125].contains(&stands.status), "{}", stands.stderr);
}

/// SQL that edits the body of the attacked entry.
fn edit(from: &str, to: &str) -> String {
    format!("UPDATE entry SET body = CAST(replace(body, {from}, {to}) AS TEXT) WHERE seq = {TARGET}")
}

/// SQL that gives one entry the row of another.
fn renumber(from: i64, to: i64) -> String {
    format!("UPDATE entry SET seq = {to} WHERE seq = {from}")
}

attacks! {
    edited_field: edit("'crashes'", "'sleeps'") => 2, "hash";
    edited_white_space: edit("',\"kind\"'", "', \"kind\"'") => 2, "not-canonical";
    white_space_behind_the_body: edit("'\"v\":1}'", "'\"v\":1} '") => 2, "not-canonical";
    duplicate_key: edit("'\"kind\":'", "'\"kind\":\"note\",\"kind\":'") => 2, "duplicate-key";
    duplicate_key_written_with_escapes:
        edit("'\"kind\":'", "'\"k\\u0069nd\":\"note\",\"kind\":'") => 2, "not-canonical";
    invalid_utf8: edit("'crashes'", "x'ff'") => 2, "not-utf8";
    nul_behind_a_body: edit("'\"v\":1}'", "'\"v\":1}' || x'00'") => 2, "not-json";
    size_over_the_limit: edit("'crashes'", "hex(zeroblob(600000))") => 2, "too-large";
    body_of_another_type: edit("body", "'[]'") => 2, "not-an-object";
    deleted: format!("DELETE FROM entry WHERE seq = {TARGET}") => 2, "gap";
    truncated_head: format!("DELETE FROM entry WHERE seq < {TARGET}") => 0, "gap";
    inserted: format!("INSERT INTO entry (seq, body, hash) SELECT 7, body, hash FROM entry WHERE seq = {TARGET}")
        => 7, "row";
    inserted_in_front: format!("INSERT INTO entry (seq, body, hash) SELECT -1, body, hash FROM entry WHERE seq = {TARGET}")
        => 0, "row";
    swapped: [renumber(2, 99), renumber(3, 2), renumber(99, 3)].join(";") => 2, "row";
    duplicated: "UPDATE entry SET (body, hash) = (SELECT body, hash FROM entry WHERE seq = 2) WHERE seq = 3" => 3, "row";
    renumbered_to_the_end: renumber(2, i64::MAX) => 2, "gap";
    hash_column_alone_changed: format!("UPDATE entry SET hash = zeroblob(32) WHERE seq = {TARGET}") => 2, "hash";
    hash_column_cut_short: format!("UPDATE entry SET hash = substr(hash, 1, 31) WHERE seq = {TARGET}") => 2, "hash-form";
}

/// Attacks on the bytes of the file, which SQL refuses: text is replaced by other text of the same length.
#[track_caller]
fn bytes_found_and_not_used(from: &[u8], to: &[u8], code: &str) {
    assert_eq!(from.len(), to.len());
    let sandbox = ledger();
    let mut bytes = std::fs::read(sandbox.path(LEDGER)).unwrap();
    let places: Vec<usize> =
        (0..bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    std::fs::write(sandbox.path(LEDGER), bytes).unwrap();
    let output = sandbox.run::<&str>("gate-verify", &[]).expect(1);
    assert_eq!(first_bad(&output), (TARGET, code.to_owned()), "{}", output.stderr);
    assert_stands(&sandbox);
}

#[test]
fn nul_in_a_body() {
    bytes_found_and_not_used(b"crashes", b"cra\0hes", "control-character");
}

#[test]
fn depth_over_the_limit() {
    let text = format!("\"{REASON}\"");
    let half = text.len() / 2;
    let mut deep = "[".repeat(half) + &"]".repeat(half);
    if deep.len() < text.len() {
        deep.insert(half, '0');
    }
    bytes_found_and_not_used(text.as_bytes(), deep.as_bytes(), "too-deep");
}

/// A grant that was put at the end by `INSERT OR REPLACE`, which goes around a trigger against deletion.
#[test]
fn insert_or_replace() {
    let sandbox = ledger();
    let sql = "INSERT OR REPLACE INTO entry (seq, body, hash) VALUES (2, '{}', zeroblob(32))";
    let refused = sandbox.run("sqlite3", &["-bail", LEDGER, sql]);
    assert_ne!(refused.status, 0);
    assert!(refused.stderr.contains("only appended to"), "{}", refused.stderr);
    sandbox.run::<&str>("gate-verify", &[]).expect(0);
    found_and_not_used(sql, 2, "missing-member");
}

/// An entry of another ledger at the same place, with its right hash.
#[test]
fn entry_of_another_ledger() {
    let (here, there) = (ledger(), ledger());
    let other = there.path(LEDGER);
    let sql = format!(
        "ATTACH '{}' AS other;
         UPDATE entry SET (body, hash) = (SELECT body, hash FROM other.entry WHERE seq = 2) WHERE seq = 2",
        other.display()
    );
    tamper(&here, &sql);
    let (seq, code) = first_bad(&here.run::<&str>("gate-verify", &[]).expect(1));
    assert!(seq == 2 && (code == "ledger" || code == "prev"), "{seq} {code}");
    assert_stands(&here);
}

#[test]
fn how_many_good_entries_follow_the_first_bad_one_is_told() {
    let sandbox = ledger();
    tamper(&sandbox, &format!("UPDATE entry SET hash = zeroblob(32) WHERE seq = {TARGET}"));
    let document = sandbox.run::<&str>("gate-verify", &[]).expect(1).json();
    assert_eq!(document["entries"], TARGET);
    let warnings = document["warnings"].as_array().unwrap();
    let after = warnings.iter().find(|warning| warning["code"] == "good-after").unwrap();
    assert_eq!(after["count"], 4);
}

/// An index that no longer leads to the grant, as somebody would hide a pause.
#[test]
fn index_out_of_step() {
    let sandbox = ledger();
    let hide = "PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, 'kind = ''grant''', 'kind = ''grunt''') WHERE name = 'entry_live';
        PRAGMA writable_schema = RESET; REINDEX entry_live; PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, 'grunt', 'grant') WHERE name = 'entry_live';
        PRAGMA writable_schema = RESET;";
    sandbox.run("sqlite3", &["-bail", LEDGER, hide]).expect(0);
    assert_eq!(first_bad(&sandbox.run::<&str>("gate-verify", &[]).expect(1)), (2, "index".to_owned()));
}

/// A schema that is not ours is refused at the door, and says how to read what is there.
#[track_caller]
fn schema_refused(sql: &str) {
    let sandbox = ledger();
    sandbox.run("sqlite3", &["-bail", LEDGER, &format!("PRAGMA writable_schema = ON; {sql}")]).expect(0);
    sandbox.run::<&str>("gate-verify", &[]).expect(4).says("schema").says("gate-log export --salvage");
    sandbox.run("gate-log", &["export"]).expect(4);
    sandbox.run("gate-check", &["lint", "--", "false"]).expect(125);
    let saved = sandbox.run("gate-log", &["export", "--salvage"]).expect(0);
    assert_eq!(saved.lines().len(), 7);
    sandbox.run_with("gate-verify", &["-"], saved.stdout).expect(0);
}

#[test]
fn schema_with_an_extra_trigger() {
    schema_refused("CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM entry WHERE seq = NEW.seq; END");
}

#[test]
fn schema_with_an_extra_view() {
    schema_refused("CREATE VIEW grants AS SELECT * FROM entry WHERE kind = 'grant'");
}

#[test]
fn schema_without_a_trigger() {
    schema_refused("DROP TRIGGER entry_delete");
}

#[test]
fn schema_with_a_trigger_that_does_nothing() {
    schema_refused(
        "DROP TRIGGER entry_delete; CREATE TRIGGER entry_delete BEFORE DELETE ON entry BEGIN SELECT 1; END",
    );
}

#[test]
fn generated_column_out_of_step() {
    schema_refused(
        "UPDATE sqlite_schema SET sql = replace(sql, '''$.data.expires''', '''$.data.ends''') WHERE name = 'entry'",
    );
}

/// A copy of the file alone, while its newest entries are still in the write-ahead log beside it.
#[test]
fn wal_file_missing() {
    let sandbox = ledger();
    let held = hold_open(&sandbox);
    assert!(std::fs::metadata(sandbox.path(".gate/ledger.db-wal")).unwrap().len() > 0);
    std::fs::copy(sandbox.path(LEDGER), sandbox.path("copy.db")).unwrap();
    let copy = sandbox.run("gate-verify", &["copy.db"]).expect(0).json();
    let whole = sandbox.run::<&str>("gate-verify", &[]).expect(0).json();
    // The chain cannot tell; that nothing covers the end is said. A checkpoint tells: see `checkpoints`.
    assert!(copy["entries"].as_u64() < whole["entries"].as_u64());
    assert!(copy["warnings"].as_array().unwrap().iter().any(|warning| warning["code"] == "unanchored"));
    drop(held);
}

#[test]
fn wal_of_another_database() {
    let (here, there) = (ledger(), ledger());
    let held = hold_open(&there);
    let genesis = here.entries()[0]["hash"].as_str().unwrap().to_owned();
    std::fs::copy(there.path(".gate/ledger.db-wal"), here.path(".gate/ledger.db-wal")).unwrap();
    let output = here.run("gate-verify", &["--genesis", &genesis]);
    assert!(matches!(output.status, 1 | 4), "{} {}", output.status, output.stderr);
    // What belongs to this ledger is still in its file.
    let saved = here.run("gate-log", &["export", "--salvage"]);
    assert!(matches!(saved.status, 0 | 1), "{}", saved.stderr);
    drop(held);
}

/// Appends an entry and keeps the database open, so that its write-ahead log stays.
pub(super) fn hold_open(sandbox: &Sandbox) -> gate_ledger::store::Ledger {
    use gate_ledger::store::{Access, Ledger};
    let mut held = Ledger::open(&sandbox.path(LEDGER), Access::Append).unwrap();
    let now = gate_model::time::Timestamp::parse("2026-11-22T16:30:35Z").unwrap();
    let note = gate_ledger::entry::Draft {
        kind: gate_ledger::entry::Kind::Note,
        gate: None,
        reference: None,
        actor: serde_json::json!({"id": "os:test", "assurance": "asserted", "via": "os"}),
        data: serde_json::json!({"n": 5}),
    };
    held.append(std::time::Duration::from_secs(10), &|| now, |transaction| {
        transaction.append(&note).map(drop)
    })
    .unwrap();
    held
}

#[test]
fn a_pipe_or_a_link_beside_the_file_stops_every_tool_and_hangs_none() {
    for suffix in ["journal", "wal", "shm"] {
        for made_by in ["mkfifo", "ln -s nowhere", "mkdir"] {
            let sandbox = ledger();
            let beside = format!("{LEDGER}-{suffix}");
            sandbox.shell(&format!("rm -f {beside}; {made_by} {beside}")).expect(0);
            let limited = |line: &str| sandbox.shell(&format!("timeout 20 {line}"));
            for tool in ["gate-log", "gate-verify", "gate-skip lint --reason x", "gate-log copy copy.db"] {
                let refused = limited(tool);
                // A rollback journal and an index of the log are nothing that gate-verify would read.
                let verified = tool == "gate-verify" && suffix != "wal" && refused.status == 0;
                assert!(verified || refused.status == 4, "{tool}, {made_by}: {}", refused.stderr);
                assert!(verified || refused.stderr.contains(&beside), "{}", refused.stderr);
            }
            // Whoever put it there may want that no pause counts.
            limited("gate-check lint -- true").expect(125);
            limited("gate-check lint -- false").expect(125);
            let saved = limited("gate-log export --salvage").expect(0);
            assert_eq!(saved.lines().len(), 7, "{saved:?}");
        }
    }
}
