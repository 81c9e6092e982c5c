//! Events into a real ledger.

use std::io::Read;

use gate_ledger::entry::{Draft, Entry, Kind};
use gate_ledger::store::Ledger;
use gate_model::exit::{Ends, Exit};
use gate_model::time::Timestamp;
use serde_json::{Value, json};

use super::events::{Events, Next};
use super::{AppendFailure, EventError, Recorder, Sink, record};

fn now() -> Timestamp {
    Timestamp::parse("2026-11-22T16:30:35Z").unwrap()
}

/// Records `input` and returns how that ended, with all notes of the ledger.
fn recorded(input: &mut dyn Read, ready: &dyn Fn() -> bool) -> (Result<(), AppendFailure>, Vec<Entry>) {
    let dir = tempfile::tempdir().unwrap();
    let actor = json!({"id": "os:alice", "assurance": "asserted", "via": "os"});
    let ledger = Ledger::create(&dir.path().join("l.db"), &actor, json!({}), now()).unwrap();
    let draft = Draft { kind: Kind::Note, gate: None, reference: None, actor, data: Value::Null };
    let clock = now;
    let mut recorder = Recorder::new(Sink::File(Box::new(ledger), &clock), draft);
    let result = record(&mut recorder, input, ready);
    let mut notes = Vec::new();
    let Sink::File(ledger, _) = &recorder.sink else { unreachable!("it was made of a file") };
    ledger
        .view()
        .scan(1, None, false, &mut |entry| {
            notes.push(entry);
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(notes.len() as u64, recorder.recorded, "what is told is what is there");
    (result, notes)
}

fn failed(input: &str) -> (AppendFailure, usize) {
    let (result, notes) = recorded(&mut input.as_bytes(), &|| true);
    (result.unwrap_err(), notes.len())
}

#[test]
fn blank_lines_and_a_missing_last_newline_are_fine() {
    let (result, notes) = recorded(&mut &b"{\"a\":1}\n\n \r\n{\"a\":2}\r\n{\"a\":3}"[..], &|| true);
    result.unwrap();
    let data: Vec<Value> = notes.iter().map(|note| note.data["a"].clone()).collect();
    assert_eq!(data, [1, 2, 3]);
}

#[test]
fn more_than_one_batch_arrives_in_order() {
    let input = (0..2_500).map(|n| format!("{{\"n\":{n}}}\n")).collect::<Vec<_>>().concat();
    let (result, notes) = recorded(&mut input.as_bytes(), &|| true);
    result.unwrap();
    assert!(notes.iter().zip(0_u64..).all(|(note, n)| note.data["n"] == n));
    assert_eq!(notes.len(), 2_500);
}

#[test]
fn an_error_names_its_line_and_keeps_what_came_before() {
    let cases = [
        ("{\"a\":1}\n\n{\"a\":1.5}\n{\"a\":2}\n", 3, 1),
        ("{\"a\":1}\n{\"a\":1,\"a\":2}\n", 2, 1),
        ("{\"a\":1,\"\\u0061\":2}\n", 1, 0),
        ("{\"a\":1}\n{\"a\":2}\n[3]\n", 3, 2),
        ("{\"A\":1}\n", 1, 0),
        ("{\"a\":9007199254740992}\n", 1, 0),
        ("{\"a\":\"\\u0007\"}\n", 1, 0),
        ("{\"a\":\"\\ud800\"}\n", 1, 0),
        ("{\n\"a\":1}\n", 1, 0),
        ("not json", 1, 0),
    ];
    for (input, line, before) in cases {
        let (failure, kept) = failed(input);
        assert_eq!(kept, before, "{input:?}");
        assert_eq!(failure.exit(), Exit::Usage, "{input:?}");
        assert!(failure.to_string().starts_with(&format!("line {line}: ")), "{input:?}: {failure}");
    }
}

#[test]
fn an_event_that_fits_no_entry_is_found_although_it_is_fine_json() {
    // Within an entry it is two levels further down than by itself.
    let deep =
        |levels: usize| format!("{}{}\n", "{\"a\":".repeat(levels), "1".to_owned() + &"}".repeat(levels));
    let (failure, kept) = failed(&format!("{}{}", deep(5), deep(32)));
    assert!(
        matches!(failure, AppendFailure::Event { line: 2, recorded: 1, source: EventError::Draft(_) }),
        "{failure}"
    );
    assert_eq!(kept, 1);
}

#[test]
fn a_line_without_an_end_takes_bounded_memory() {
    struct Endless;
    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            buffer.fill(b'x');
            Ok(buffer.len())
        }
    }
    let (result, _) = recorded(&mut Endless, &|| true);
    let failure = result.unwrap_err();
    assert!(
        matches!(failure, AppendFailure::Event { line: 1, source: EventError::TooLong, .. }),
        "{failure}"
    );
}

#[test]
fn a_failing_stream_keeps_what_came_before() {
    struct Breaks(bool);
    impl Read for Breaks {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(std::io::ErrorKind::Other.into());
            }
            buffer[..8].copy_from_slice(b"{\"a\":1}\n");
            Ok(8)
        }
    }
    let (result, notes) = recorded(&mut Breaks(false), &|| true);
    assert!(matches!(result, Err(AppendFailure::Read { line: 2, recorded: 1, .. })), "{result:?}");
    assert_eq!(notes.len(), 1);
}

#[test]
fn a_pause_is_told_only_between_whole_lines() {
    let mut input: &[u8] = b"{\"a\":1}\n{\"a\"";
    let mut events = Events::new(&mut input, &|| false);
    assert!(matches!(events.next(false), Ok(Next::Event(..))));
    // Half a line is there, so more is worth waiting for only after the first event is recorded.
    assert!(matches!(events.next(true), Ok(Next::Pause)));
    assert!(events.next(false).is_err());
}
