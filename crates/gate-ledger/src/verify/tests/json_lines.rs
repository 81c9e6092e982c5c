use std::io::{BufReader, Read};

use gate_model::exit::{Ends, Exit};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Options, Outcome, VerifyError, json_lines};
use super::{append, bad, drafts, entries, rechain, warnings, watching};
use crate::entry::{Draft, Entry, EntryHash, Kind};

fn export(entries: &[Entry]) -> Vec<u8> {
    entries.iter().flat_map(|entry| (entry.line() + "\n").into_bytes()).collect()
}

fn lines(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(Entry::line).collect()
}

fn try_verify(bytes: &[u8]) -> Result<Outcome, VerifyError> {
    // A small buffer, so that objects lie across its borders.
    json_lines(&mut BufReader::with_capacity(57, bytes), &Options::default(), &mut ())
}

fn verify(bytes: impl AsRef<[u8]>) -> Outcome {
    try_verify(bytes.as_ref()).unwrap()
}

fn refused(bytes: &[u8]) -> VerifyError {
    let error = try_verify(bytes).unwrap_err();
    assert_eq!(error.exit(), Exit::Distrust, "{error}");
    error
}

#[test]
fn an_export_verifies() {
    let entries = entries();
    let outcome = verify(export(&entries));
    assert!(outcome.is_good());
    assert_eq!(outcome.entries, 9);
    assert_eq!(outcome.head, Some((8, entries[8].hash)));
    assert_eq!(outcome.genesis, Some(entries[0].hash));
    assert_eq!(outcome.ledger.as_deref(), Some("000102030405060708090a0b0c0d0e0f"));
    assert!(!outcome.genesis_pinned && outcome.warnings.is_empty());
}

#[test]
fn an_observer_sees_the_bodies_in_order() {
    let entries = entries();
    for bytes in [export(&entries), pretty(&entries)] {
        let run = |observer: &mut dyn super::super::Observer| {
            json_lines(&mut &bytes[..], &Options::default(), observer)
        };
        let (outcome, seen) = watching(run);
        assert!(outcome.unwrap().is_good());
        let expected: Vec<_> = entries.iter().map(|entry| (entry.seq, entry.body.clone())).collect();
        assert_eq!(seen, expected);
    }
}

#[test]
fn a_pinned_genesis_must_be_the_one() {
    let entries = entries();
    let pinned = |genesis| {
        let options = Options { genesis: Some(genesis), ..Options::default() };
        json_lines(&mut &export(&entries)[..], &options, &mut ())
    };
    assert!(pinned(entries[0].hash).unwrap().genesis_pinned);
    let error = pinned(EntryHash([1; 32])).unwrap_err();
    assert!(matches!(error, VerifyError::OtherGenesis { .. }), "{error}");
    assert_eq!(error.exit(), Exit::Distrust);
}

/// As `jq .` writes it.
fn pretty(entries: &[Entry]) -> Vec<u8> {
    let pretty = |line: String| {
        let value: Value = serde_json::from_str(&line).unwrap();
        serde_json::to_string_pretty(&value).unwrap() + "\n"
    };
    lines(entries).into_iter().flat_map(|line| pretty(line).into_bytes()).collect()
}

#[test]
fn what_a_filter_rewrote_verifies_with_a_warning() {
    let entries = entries();
    let sorted: String = lines(&entries)
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap().to_string() + "\n")
        .collect();
    let joined = sorted.replace('\n', "");
    let spaced = lines(&entries).join("\n\n \t\r\n").replace("\"v\":1", "\"v\" : 1");
    let escaped = String::from_utf8(export(&entries)).unwrap().replace("lint", "\\u006cint");
    for text in [
        sorted.into_bytes(),
        joined.into_bytes(),
        pretty(&entries),
        spaced.into_bytes(),
        escaped.into_bytes(),
    ] {
        let outcome = verify(&text);
        assert_eq!(outcome.first_bad, None, "{}", String::from_utf8_lossy(&text));
        assert_eq!((outcome.entries, outcome.head), (9, Some((8, entries[8].hash))));
        let [("reformatted", Some(count), Some(first))] = warnings(&outcome)[..] else {
            panic!("{outcome:?}")
        };
        assert!((8..=9).contains(&count) && first <= 1);
    }
}

#[test]
fn lines_with_carriage_returns_and_a_mark_verify() {
    let text = String::from_utf8(export(&entries())).unwrap();
    assert!(verify(text.replace('\n', "\r\n")).is_good());
    let marked = verify(format!("\u{feff}{text}"));
    assert_eq!((marked.first_bad.as_ref(), warnings(&marked)), (None, vec![("byte-order-mark", None, None)]));
}

#[test]
fn a_complete_last_line_without_newline_is_only_a_warning() {
    let bytes = export(&entries());
    let outcome = verify(&bytes[..bytes.len() - 1]);
    assert_eq!((outcome.entries, warnings(&outcome)), (9, vec![("unterminated", None, None)]));
}

#[test]
fn a_line_cut_short_is_found_at_every_length() {
    let entries = entries();
    let bytes = export(&entries);
    let start = bytes.len() - entries[8].line().len() - 1;
    assert_eq!(verify(&bytes[..start]).entries, 8);
    for end in start + 1..bytes.len() - 1 {
        assert_eq!(bad(&verify(&bytes[..end])), (8, "truncated"), "cut at {end}");
    }
}

#[test]
fn edited_entries_are_named() {
    let edit = |seq: usize, from: &str, to: &str| {
        let mut lines = lines(&entries());
        assert!(lines[seq].contains(from));
        lines[seq] = lines[seq].replace(from, to);
        verify(lines.join("\n") + "\n")
    };
    assert_eq!(bad(&edit(5, "os:alice", "os:mallory")), (5, "hash"));
    assert_eq!(bad(&edit(5, "\"v\":1", "\"v\":2")), (5, "version"));
    assert_eq!(bad(&edit(5, "\"v\":1", "\"v\":1,\"w\":1")), (5, "unknown-member"));
    assert_eq!(bad(&edit(5, "\"v\":1", "\"x\":1")), (5, "missing-member"));
    assert_eq!(bad(&edit(5, "\"kind\":\"grant\"", "\"kind\":\"gift\"")), (5, "kind"));
    assert_eq!(bad(&edit(5, "\"ref\":3", "\"ref\":3.0")), (5, "number"));
    assert_eq!(bad(&edit(5, "\"v\":1", "\"v\":1,\"v\":1")), (5, "duplicate-key"));
    assert_eq!(bad(&edit(5, "\"v\":1", "\"v\":1,\"\\u0076\":1")), (5, "duplicate-key"));
    assert_eq!(bad(&edit(5, "lint", "li\u{7f}nt")), (5, "control-character"));
    assert_eq!(bad(&edit(5, "lint", "li\0nt")), (5, "control-character"));
    assert_eq!(bad(&edit(5, "lint", "\\ud800")), (5, "lone-surrogate"));
    assert_eq!(bad(&edit(5, "\"hash\":\"b3:", "\"hash\":\"b3:0")), (5, "hash-form"));
    assert_eq!(bad(&edit(0, "genesis", "note")), (0, "hash"));
    let outcome = edit(5, "os:alice", "os:mallory");
    assert_eq!((outcome.entries, outcome.good_after, outcome.head.unwrap().0), (5, 3, 4));
}

#[test]
fn entries_without_their_hash_are_refused_by_name() {
    let entries = entries();
    let mut lines = lines(&entries);
    lines[4] = entries[4].body.clone();
    let outcome = verify(lines.join("\n") + "\n");
    assert_eq!(bad(&outcome), (4, "hash-missing"));
    assert!(outcome.first_bad.unwrap().reason.contains("'hash'"));
    let bodies: Vec<_> = entries.iter().map(|entry| entry.body.as_str()).collect();
    assert_eq!(bad(&verify(bodies.join("\n"))), (0, "hash-missing"));
}

#[test]
fn deleted_inserted_swapped_and_repeated_entries_are_named() {
    let original = lines(&entries());
    let changed = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = original.clone();
        change(&mut lines);
        verify(lines.join("\n") + "\n")
    };
    let deleted = changed(&|lines| drop(lines.remove(3)));
    assert_eq!((bad(&deleted), deleted.good_after), ((3, "gap"), 5));
    assert_eq!(bad(&changed(&|lines| lines.swap(3, 4))), (3, "gap"));
    assert_eq!(bad(&changed(&|lines| lines.insert(3, lines[2].clone()))), (3, "order"));
    assert_eq!(bad(&changed(&|lines| drop(lines.drain(..2)))), (0, "gap"));
    assert_eq!(bad(&changed(&|lines| lines.reverse())), (0, "gap"));
}

#[test]
fn an_entry_written_anew_with_a_fresh_hash_breaks_the_next_one() {
    let mut entries = entries();
    entries[5].data = json!({"expires": "9999-01-01T00:00:00.000000Z"}).into();
    let mut alone = entries.clone();
    rechain(&mut alone[..6], 5);
    assert_eq!(bad(&verify(export(&alone))), (6, "prev"));
    // With everything after it written anew the chain alone cannot tell: only an anchor can.
    rechain(&mut entries, 5);
    assert!(verify(export(&entries)).is_good());
}

#[test]
fn an_entry_of_another_ledger_is_named() {
    let mut mixed = entries();
    let draft = drafts().remove(1);
    let place = crate::entry::Place {
        ledger: "ffffffffffffffffffffffffffffffff",
        seq: 9,
        prev: mixed[8].hash,
        at: super::at(9),
    };
    mixed.push(draft.at(place).unwrap());
    assert_eq!(bad(&verify(export(&mixed))), (9, "ledger"));
}

#[test]
fn a_second_genesis_is_named() {
    let mut twice = entries();
    append(
        &mut twice,
        &Draft { kind: Kind::Genesis, gate: None, reference: None, actor: super::actor(), data: json!({}) },
    );
    assert_eq!(bad(&verify(export(&twice))), (9, "genesis"));
}

#[test]
fn garbage_between_entries_is_named_with_its_line() {
    for garbage in ["x", "null", "]", "\0", "\u{fffd}", "[{}]", "}"] {
        let mut lines = lines(&entries());
        lines.insert(4, garbage.to_owned());
        let outcome = verify(lines.join("\n") + "\n");
        assert_eq!(bad(&outcome), (4, "stream"), "{garbage:?}");
        assert!(outcome.first_bad.unwrap().reason.starts_with("line 5:"), "{garbage:?}");
        assert_eq!(outcome.good_after, 5);
    }
    let mut bytes = export(&entries());
    bytes.extend_from_slice(b"\xff\xfe");
    assert_eq!(bad(&verify(bytes)), (9, "stream"));
}

#[test]
fn a_broken_object_does_not_swallow_the_entries_behind_it() {
    for (from, to, code) in [
        ("\"v\":1", "\"v\":1{", "not-json"),
        ("{\"actor\":{", "{\"actor\":{{", "not-json"),
        ("\"lint\"", "\"lint", "control-character"),
        ("\"lint\"", "\"li\\", "control-character"),
        ("\"lint\"", "[", "not-json"),
    ] {
        let mut lines = lines(&entries());
        lines[4] = lines[4].replacen(from, to, 1);
        let outcome = verify(lines.join("\n") + "\n");
        let (seq, found) = bad(&outcome);
        assert_eq!(seq, 4, "{to}");
        assert!([code, "not-json", "control-character", "key"].contains(&found), "{to}: {found}");
        assert_eq!(outcome.good_after, 4, "{to}");
    }
}

#[test]
fn what_is_no_export_is_refused_as_such() {
    assert!(matches!(refused(b""), VerifyError::Empty));
    assert!(matches!(refused(b" \n\n"), VerifyError::Empty));
    assert!(matches!(refused(b"\xef\xbb\xbf"), VerifyError::Empty));
    for bytes in [
        &b"hello"[..],
        b"[1,2]",
        b"\0\0\0",
        b"{}",
        b"{\"a\":1}\n{\"a\":2}\n",
        b"{hello",
        b"SQLite format 3\0",
        b"\xff\xfe{\0}\0",
        b"<?xml version=\"1.0\"?>",
        b"{\"version\":\"2.1.0\",\"runs\":[1.5]}",
    ] {
        let error = refused(bytes);
        assert!(matches!(error, VerifyError::NotALedger { line: 1, .. }), "{error}");
    }
}

/// A stream without end.
struct Endless(&'static [u8]);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        for (place, byte) in buffer.iter_mut().zip(self.0.iter().cycle()) {
            *place = *byte;
        }
        Ok(buffer.len())
    }
}

#[test]
fn an_object_without_end_is_given_up_in_bounded_memory() {
    let start = export(&entries());
    let limited = |tail: &'static [u8]| {
        let mut input = BufReader::new(start.chain(Endless(tail).take(64 << 20)));
        json_lines(&mut input, &Options::default(), &mut ()).unwrap()
    };
    assert_eq!(bad(&limited(b"{\"a\":[")), (9, "stream"));
    assert_eq!(bad(&limited(b"{ \n")), (9, "stream"));
    assert_eq!(bad(&limited(b"xxxx")), (9, "stream"));
}

#[test]
fn a_large_entry_verifies_and_a_larger_one_does_not() {
    let of = |length: usize| {
        let mut line = entries()[8].line();
        line = line.replace("\"blocking\":2", &format!("\"blocking\":\"{}\"", "x".repeat(length)));
        let mut bytes = export(&entries()[..8]);
        bytes.extend_from_slice(line.as_bytes());
        verify(&bytes)
    };
    // The hash is wrong, which can be known only if the entry was read.
    assert_eq!(bad(&of(1_000_000)), (8, "hash"));
    assert_eq!(bad(&of(1 << 20)), (8, "too-large"));
    assert_eq!(bad(&of(9 << 20)), (8, "stream"));
}

#[test]
fn a_clock_that_goes_back_is_a_warning_with_count_and_place() {
    let mut entries = entries();
    for seq in [4, 7] {
        entries[seq].at = super::at(0);
    }
    rechain(&mut entries, 1);
    let outcome = verify(export(&entries));
    assert_eq!(
        (outcome.first_bad.as_ref(), warnings(&outcome)),
        (None, vec![("clock-back", Some(2), Some(4))])
    );
}

#[test]
fn a_reader_that_fails_is_a_failure() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("unplugged"))
        }
    }
    let start = export(&entries());
    let mut input = BufReader::new(start.chain(Failing));
    let error = json_lines(&mut input, &Options::default(), &mut ()).unwrap_err();
    assert_eq!(error.exit(), Exit::Failure);
}

proptest! {
    #[test]
    fn any_changed_byte_is_found(at in any::<prop::sample::Index>(), change in 1..=255_u8) {
        let entries = entries();
        let mut bytes = export(&entries);
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        match try_verify(&bytes) {
            Ok(outcome) if outcome.is_good() => {
                // White space for white space, or an escape for what it stands for, means the same.
                prop_assert_eq!(outcome.head, Some((8, entries[8].hash)));
                prop_assert_eq!(outcome.entries, 9);
            }
            Ok(outcome) => prop_assert_eq!(outcome.entries, outcome.first_bad.unwrap().seq),
            Err(error) => prop_assert_eq!(error.exit(), Exit::Distrust),
        }
    }

    #[test]
    fn any_stream_ends_without_a_panic(bytes in proptest::collection::vec(
        prop_oneof![Just(b'{'), Just(b'}'), Just(b'"'), Just(b'\\'), Just(b'\n'), Just(b':'), any::<u8>()], 0..200)) {
        let mut all = export(&entries()[..2]);
        all.extend_from_slice(&bytes);
        let outcome = verify(&all);
        prop_assert!(outcome.entries == 2);
    }
}
