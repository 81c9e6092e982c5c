//! Messages: what is written is read again, and what is no message is refused with its place.

use gate_model::exit::{Ends, Exit};

use super::{Answer, Ask, Can, Failed, Hello, MAX_MESSAGE, MAX_SENTENCE, Outcome, RemoteError, Why};
use crate::archive::EntryRef;
use crate::chain::LedgerId;
use crate::commitment::Commitment;
use crate::entry::EntryHash;

fn entry(seq: u64) -> EntryRef {
    EntryRef { seq, hash: EntryHash([7; 32]) }
}

fn id() -> LedgerId {
    LedgerId::read(b"000102030405060708090a0b0c0d0e0f").unwrap()
}

#[test]
fn what_is_asked_is_read_as_it_was_written() {
    for ask in [
        Ask::Hello { ledger: None },
        Ask::Hello { ledger: Some(id()) },
        Ask::Read { after: None, most: 10_000 },
        Ask::Read { after: Some(41), most: 1 },
        Ask::Append { after: entry(41), lines: 2, openings: 1, copied: false },
        Ask::Append { after: entry(41), lines: 2, openings: 1, copied: true },
        Ask::Create { lines: 2, openings: 0 },
        Ask::Forget { before: 200, keep: vec![0, 1, 57] },
        Ask::Openings { from: 3, to: 9 },
        Ask::Erase { commitments: vec![Commitment([1; 32])] },
    ] {
        let written = ask.write();
        assert!(!written.contains('\n') && crate::profile::check_canonical(written.as_bytes()).is_ok());
        assert_eq!(Ask::read(written.as_bytes()).unwrap(), ask, "{written}");
    }
}

#[test]
fn what_is_answered_is_read_as_it_was_written() {
    let can = Can { erase: true, forget: true, clock: false, queue: true };
    let failed = Failed { why: Why::Denied, problem: "no".into(), remedy: None };
    for answer in [
        Answer::Hello(Hello::default()),
        Answer::Hello(Hello {
            can,
            ledger: Some(id()),
            head: Some(entry(4)),
            now: Some(gate_model::time::Timestamp::parse("2026-11-22T16:30:35.123456Z").unwrap()),
            place: Some("here".into()),
        }),
        Answer::Read { lines: 3, head: Some(entry(4)) },
        Answer::Read { lines: 0, head: None },
        Answer::Append(Outcome::Taken),
        Answer::Append(Outcome::Moved(Some(entry(5)))),
        Answer::Append(Outcome::Refused("no, thanks".into())),
        Answer::Append(Outcome::Unknown("cut".into())),
        Answer::Create(Outcome::Taken),
        Answer::Create(Outcome::Moved(None)),
        Answer::Forgotten,
        Answer::Openings { lines: 1 },
        Answer::Erased { count: 2 },
        Answer::Failed(failed),
    ] {
        let written = answer.write();
        assert_eq!(Answer::read(written.as_bytes()).unwrap(), answer, "{written}");
    }
}

#[test]
fn what_is_no_message_is_refused_with_the_member_that_is_wrong() {
    let whole = r#"{"answer":"read","head":{"hash":"b3:0","seq":1},"lines":0,"schema":"gate.remote/1"}"#;
    for (line, words) in [
        ("rubbish", "'rubbish' is no message"),
        ("\u{1b}[2J", "'\\u{1b}[2J' is no message"),
        ("[]", "is no object"),
        (r#"{"answer":"read"}"#, "member 'schema'"),
        (r#"{"answer":"read","answer":"moved","schema":"gate.remote/1"}"#, "twice"),
        (r#"{"answer":1,"schema":"gate.remote/1"}"#, "member 'answer'"),
        (r#"{"answer":"yes","schema":"gate.remote/1"}"#, "answer 'yes' is not known"),
        (r#"{"answer":"read","lines":-1,"schema":"gate.remote/1"}"#, "member 'lines' of answer 'read'"),
        (r#"{"answer":"read","lines":10001,"schema":"gate.remote/1"}"#, "is more than 10000"),
        (r#"{"answer":"hello","can":"all","schema":"gate.remote/1"}"#, "member 'can'"),
        (whole, "member 'head' of answer 'read' is not an object of seq and hash"),
    ] {
        let error = Answer::read(line.as_bytes()).unwrap_err();
        assert!(matches!(error, RemoteError::Protocol(_)), "{line}: {error}");
        assert!(error.to_string().contains(words), "{line}: {error}");
        assert_eq!(error.exit(), Exit::Failure);
    }
    let long = format!(
        r#"{{"answer":"unknown","sentence":"{}","schema":"gate.remote/1"}}"#,
        "x".repeat(MAX_MESSAGE)
    );
    assert!(Answer::read(long.as_bytes()).is_err());
}

#[test]
fn a_later_version_is_told_from_rubbish() {
    let error = Answer::read(br#"{"answer":"read","schema":"gate.remote/2"}"#).unwrap_err();
    assert!(matches!(&error, RemoteError::Newer(schema) if schema == "gate.remote/2"), "{error}");
    let error = Ask::read(br#"{"ask":"read","schema":"gate.decision/1"}"#).unwrap_err();
    assert!(matches!(error, RemoteError::Protocol(_)), "{error}");
}

#[test]
fn members_and_classes_of_a_later_helper_do_no_harm() {
    let line = r#"{"answer":"failed","more":[1],"problem":"p","schema":"gate.remote/1","why":"asleep"}"#;
    let Answer::Failed(failed) = Answer::read(line.as_bytes()).unwrap() else { panic!("{line}") };
    assert_eq!((failed.why, failed.remedy), (Why::Failure, None));
    let line = r#"{"answer":"hello","can":["dance","erase"],"schema":"gate.remote/1"}"#;
    let Answer::Hello(hello) = Answer::read(line.as_bytes()).unwrap() else { panic!("{line}") };
    assert_eq!(hello.can, Can { erase: true, ..Can::default() });
}

#[test]
fn a_sentence_of_the_other_side_is_short_and_without_controls() {
    let said = Outcome::Refused(format!("\u{1b}[2J no\u{7f}{}", "é".repeat(MAX_SENTENCE)));
    let Answer::Append(Outcome::Refused(read)) =
        Answer::read(Answer::Append(said).write().as_bytes()).unwrap()
    else {
        panic!("it was refused")
    };
    assert!(read.starts_with("\u{fffd}[2J no\u{fffd}é") && read.ends_with('…'), "{read}");
    assert!(read.len() <= MAX_SENTENCE);
}
