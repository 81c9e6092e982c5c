//! Attacks on an export, as lines of bytes.

use gate_ledger::entry::{hash, write_line};

use super::{first_bad, ledger};

/// An attack: what is done to the lines of an export, and what is found.
pub(super) struct Attack {
    pub(super) name: &'static str,
    pub(super) edit: fn(&mut Lines),
    seq: u64,
    code: &'static str,
}

/// The lines of an export, without their newlines.
pub(super) type Lines = Vec<Vec<u8>>;

macro_rules! attacks {
    ($($name:ident: $edit:expr => $seq:literal, $code:literal;)+) => {
        /// All of them, for another verifier to judge.
        pub(super) const ALL: &[Attack] =
            &[$(Attack { name: stringify!($name), edit: $edit, seq: $seq, code: $code }),+];
        $(#[test] fn $name() { found(stringify!($name)); })+
    };
}

#[track_caller]
fn found(name: &str) {
    let attack = ALL.iter().find(|attack| attack.name == name).unwrap();
    let sandbox = ledger();
    let mut lines = lines(&sandbox);
    (attack.edit)(&mut lines);
    let output = sandbox.run_with("gate-verify", &["-"], joined(&lines)).expect(1);
    assert_eq!(first_bad(&output), (attack.seq, attack.code.to_owned()), "{}", output.stderr);
}

pub(super) fn lines(sandbox: &gate_tests::Sandbox) -> Lines {
    let export = sandbox.run("gate-log", &["export"]).expect(0).stdout;
    export.lines().map(|line| line.as_bytes().to_vec()).collect()
}

pub(super) fn joined(lines: &Lines) -> Vec<u8> {
    lines.iter().flat_map(|line| line.iter().copied().chain([b'\n'])).collect()
}

/// Replaces text in a line, hash untouched.
fn replace(line: &mut Vec<u8>, from: &str, to: &[u8]) {
    let at = line.windows(from.len()).position(|window| window == from.as_bytes()).expect(from);
    line.splice(at..at + from.len(), to.iter().copied());
}

/// Replaces text in the attacked entry.
fn edit(lines: &mut Lines, from: &str, to: &[u8]) {
    replace(&mut lines[2], from, to);
}

/// The body of a line.
fn body(line: &[u8]) -> Vec<u8> {
    [&line[..line.len() - gate_ledger::entry::LINE_EXTRA - 1], b"}"].concat()
}

/// Replaces text in the attacked entry and gives it a fresh hash, as somebody does who knows how it is made.
fn forge(lines: &mut Lines, from: &str, to: &str) {
    edit(lines, from, to.as_bytes());
    let body = body(&lines[2]);
    lines[2].clear();
    write_line(&mut lines[2], &body, hash(&body));
}

/// The member `name` of the attacked entry, which stands in front of `next`, is replaced by `text`, with a fresh
/// hash.
fn forge_member(lines: &mut Lines, name: &str, next: &str, text: &str) {
    let line = String::from_utf8(lines[2].clone()).unwrap();
    let start = line.find(&format!("\"{name}\":")).unwrap();
    let end = start + line[start..].find(&format!(",\"{next}\":")).unwrap();
    forge(lines, &line[start..end], &format!("\"{name}\":{text}"));
}

fn forge_data(lines: &mut Lines, data: &str) {
    forge_member(lines, "data", "gate", data);
}

attacks! {
    edited_field: |lines| edit(lines, "crashes", b"sleeps") => 2, "hash";
    hash_alone_changed: |lines| edit(lines, "\"hash\":\"b3:", b"\"hash\":\"b3:00000000") => 2, "hash-form";
    hash_of_another_entry: |lines| {
        let text = String::from_utf8(lines[2].clone()).unwrap();
        let other = String::from_utf8(lines[3].clone()).unwrap();
        let of = |text: &str| text[text.rfind("b3:").unwrap()..].to_owned();
        edit(lines, &of(&text), of(&other).as_bytes());
    } => 2, "hash";
    hash_missing: |lines| lines[2] = body(&lines[2]) => 2, "hash-missing";
    duplicate_key: |lines| edit(lines, "\"kind\":", b"\"kind\":\"note\",\"kind\":") => 2, "duplicate-key";
    duplicate_key_written_with_escapes: |lines|
        edit(lines, "\"kind\":", b"\"k\\u0069nd\":\"note\",\"kind\":") => 2, "duplicate-key";
    duplicate_key_with_a_fresh_hash: |lines|
        forge(lines, "\"kind\":", "\"kind\":\"note\",\"kind\":") => 2, "duplicate-key";
    invalid_utf8: |lines| edit(lines, "crashes", b"\xff\xfe") => 2, "not-utf8";
    overlong_utf8: |lines| edit(lines, "crashes", b"\xc0\xaf") => 2, "not-utf8";
    nul_in_a_body: |lines| edit(lines, "crashes", b"cra\0shes") => 2, "control-character";
    nul_written_as_an_escape: |lines| forge(lines, "crashes", "cra\\u0000shes") => 2, "control-character";
    lone_surrogate: |lines| forge(lines, "crashes", "\\ud800") => 2, "lone-surrogate";
    depth_over_the_limit: |lines| {
        forge_data(lines, &format!("{{\"x\":{}{}}}", "[".repeat(40), "]".repeat(40)));
    } => 2, "too-deep";
    depth_beyond_any_stack: |lines| {
        forge_data(lines, &format!("{{\"x\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000)));
    } => 2, "too-deep";
    size_over_the_limit: |lines| forge_data(lines, &format!("{{\"x\":\"{}\"}}", "x".repeat(1 << 20))) => 2, "too-large";
    fraction: |lines| forge_data(lines, "{\"x\":1.5}") => 2, "number";
    exponent: |lines| forge_data(lines, "{\"x\":1e3}") => 2, "number";
    negative_zero: |lines| forge_data(lines, "{\"x\":-0}") => 2, "number";
    number_that_a_double_cannot_hold: |lines| forge_data(lines, "{\"x\":9007199254740993}") => 2, "number";
    key_in_capitals: |lines| forge_data(lines, "{\"X\":1}") => 2, "key";
    data_that_is_no_object: |lines| forge_data(lines, "[]") => 2, "member";
    member_that_no_entry_has: |lines| forge(lines, ",\"v\":1", ",\"v\":1,\"x\":1") => 2, "unknown-member";
    member_missing: |lines| forge(lines, ",\"kind\":\"grant\"", "") => 2, "missing-member";
    gate_without_a_name: |lines| forge_member(lines, "gate", "kind", "\"\"") => 2, "member";
    version_of_the_future: |lines| forge(lines, "\"v\":1", "\"v\":2") => 2, "version";
    kind_that_does_not_exist: |lines| forge(lines, "\"kind\":\"grant\"", "\"kind\":\"grunt\"") => 2, "kind";
    time_that_does_not_exist: |lines| {
        forge_member(lines, "at", "data", "\"2026-02-30T00:00:00.000000Z\"");
    } => 2, "time";
    leap_second: |lines| forge_member(lines, "at", "data", "\"2016-12-31T23:59:60.000000Z\"") => 2, "time";
    year_zero: |lines| forge_member(lines, "at", "data", "\"0000-12-31T23:59:59.000000Z\"") => 2, "time";
    reference_to_what_comes_later: |lines| forge(lines, ",\"seq\":2", ",\"ref\":3,\"seq\":2") => 2, "member";
    second_genesis: |lines| forge(lines, "\"kind\":\"grant\"", "\"kind\":\"genesis\"") => 2, "genesis";
    deleted: |lines| drop(lines.remove(2)) => 2, "gap";
    truncated_head: |lines| drop(lines.drain(..2)) => 0, "gap";
    cut_within_an_entry: |lines| { let half = lines[6].len() / 2; lines[6].truncate(half); } => 6, "not-json";
    swapped: |lines| lines.swap(2, 3) => 2, "gap";
    duplicated: |lines| lines.insert(3, lines[2].clone()) => 3, "order";
    inserted: |lines| {
        let mut forged = lines[3].clone();
        replace(&mut forged, "\"n\":1", b"\"n\":9");
        lines.insert(3, forged);
        let body = body(&lines[3]);
        lines[3].clear();
        write_line(&mut lines[3], &body, hash(&body));
    } => 4, "order";
    inserted_garbage: |lines| lines.insert(2, b"hello".to_vec()) => 2, "stream";
    inserted_object: |lines| lines.insert(2, b"{}".to_vec()) => 2, "hash-missing";
    rewritten_with_a_fresh_hash: |lines| forge(lines, "crashes", "sleeps") => 3, "prev";
    entry_of_another_ledger: |lines| {
        let value: serde_json::Value = serde_json::from_slice(&lines[2]).unwrap();
        let from = format!("\"ledger\":{}", value["ledger"]);
        forge(lines, &from, &format!("\"ledger\":\"{}\"", "0".repeat(32)));
    } => 2, "ledger";
    ledger_id_that_is_none: |lines| forge(lines, "\"ledger\":\"", "\"ledger\":\"x") => 2, "member";
}

/// What the chain cannot show: see `checkpoints`.
#[test]
fn truncated_tail_alone_is_not_seen_and_said_to_be_unanchored() {
    let sandbox = ledger();
    let mut lines = lines(&sandbox);
    lines.truncate(5);
    let output = sandbox.run_with("gate-verify", &["-"], joined(&lines)).expect(0);
    assert_eq!(output.json()["entries"], 5);
    output.says("unanchored");
}
