//! `gate-log export --salvage`: what damage leaves, by the tools alone.

use super::{LEDGER, Sandbox, append, first_bad, ledger, tamper};

/// A ledger of several pages.
fn large() -> Sandbox {
    let sandbox = ledger();
    append(&sandbox, &(5..120).collect::<Vec<_>>());
    sandbox
}

/// Writes `count` bytes of zeros at `at` over the ledger's file.
fn zeros(sandbox: &Sandbox, at: usize, count: usize) {
    let path = sandbox.path(LEDGER);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[at..at + count].fill(0);
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_healthy_ledger_is_salvaged_byte_by_byte() {
    let sandbox = large();
    let export = sandbox.run("gate-log", &["export"]).expect(0);
    let before = std::fs::read(sandbox.path(LEDGER)).unwrap();
    let saved = sandbox.run("gate-log", &["export", "--salvage"]).expect(0).says("saved 122 entries");
    assert_eq!(saved.stdout, export.stdout);
    assert!(std::fs::read(sandbox.path(LEDGER)).unwrap() == before, "the file was changed");
    assert_eq!(sandbox.run("gate-log", &["export", "--salvage", "--quiet"]).expect(0).stderr, "");
}

#[test]
fn a_ledger_without_its_header_is_salvaged_whole() {
    let sandbox = large();
    let export = sandbox.run("gate-log", &["export"]).expect(0);
    zeros(&sandbox, 0, 8192);
    sandbox.run("gate-log", &["export"]).expect(4);
    let saved = sandbox.run("gate-log", &["export", "--salvage"]).expect(0);
    assert_eq!(saved.stdout, export.stdout);
    saved.says("space that its table does not lead to");
}

#[test]
fn a_lost_page_is_named_and_gate_verify_names_the_first_gap() {
    let sandbox = large();
    // A copy has no row twice, so that what is gone is gone.
    sandbox.run("sqlite3", &[LEDGER, "VACUUM"]).expect(0);
    let whole = std::fs::read(sandbox.path(LEDGER)).unwrap();
    let sign = b"{\"n\":60}";
    let at = whole.windows(sign.len()).position(|window| window == sign).unwrap();
    zeros(&sandbox, at / 8192 * 8192, 8192);
    let saved = sandbox.run("gate-log", &["export", "--salvage"]).expect(1).says("are lost: no row is left");
    let verified = sandbox.run_with("gate-verify", &["-"], saved.stdout.clone()).expect(1);
    let (seq, code) = first_bad(&verified);
    assert_eq!(code, "gap");
    saved.says(&format!("gate-log: entries {seq} to "));
    assert_eq!(verified.json()["entries"], seq);
}

#[test]
fn an_edited_entry_is_left_out_by_name() {
    let sandbox = ledger();
    tamper(&sandbox, "UPDATE entry SET body = replace(body, 'crashes', 'sleeps') WHERE seq = 2");
    sandbox.run("sqlite3", &[LEDGER, "VACUUM"]).expect(0);
    let saved = sandbox.run("gate-log", &["export", "--salvage"]).expect(1);
    assert_eq!(saved.lines().len(), 6);
    saved.says("entry 2 is lost: the row is damaged (hash)").says("1 are lost");
}

#[test]
fn what_is_no_ledger_is_exit_4_and_what_is_not_there_exit_2() {
    let sandbox = ledger();
    let salvage = |path: &str| sandbox.run("gate-log", &["export", "--salvage", "--ledger", path]);
    sandbox.write("text", "hello\n".repeat(4000));
    sandbox
        .run(
            "sqlite3",
            &["other.db", "CREATE TABLE entry (seq, body, hash); INSERT INTO entry VALUES (0, '{}', 1)"],
        )
        .expect(0);
    salvage("text").expect(4).says("not a ledger");
    salvage("other.db").expect(4).says("not a ledger");
    salvage("none").expect(2);
    salvage(".").expect(2);
}

#[test]
fn another_ledger_than_the_pinned_one_is_refused() {
    let (sandbox, other) = (ledger(), ledger());
    let genesis = other.entries()[0]["hash"].as_str().unwrap().to_owned();
    let policy = sandbox.read("gate.toml").replace("[ledger]", &format!("[ledger]\ngenesis = \"{genesis}\""));
    sandbox.write("gate.toml", policy);
    sandbox.run("gate-log", &["export", "--salvage"]).expect(4).says("another ledger");
}
