//! What a remote may try with a working copy, and what must come of it: nothing is taken, and the reason is named.

use gate_ledger::archive::{EntryRef, Statement};
use gate_ledger::entry::{EntryHash, Kind};
use gate_ledger::remote::{Expect, PullError, RemoteError};
use gate_model::exit::Exit;
use gate_tests::remote::{Chain, Fault, Memory};
use serde_json::json;

use crate::copy::{Copy, at, ledger};

/// Pulls into a copy that has the first `known` of nine lines from a remote that has `fault`.
#[track_caller]
fn refused(known: usize, fault: Fault) -> PullError<String> {
    let (lines, expect, _) = ledger(9);
    let mut copy = Copy::of(&lines[..known]);
    let mut remote = Memory::with(lines.clone()).that(fault);
    let error = copy.pull(&mut remote, &expect).expect_err("it misbehaves");
    assert_eq!(copy.lines(), lines[..known], "{fault:?}: something was taken");
    assert_eq!(error.exit(|_| Exit::Failure), Exit::Distrust, "{fault:?}: {error}");
    error
}

#[test]
fn an_honest_remote_brings_a_new_and_an_old_copy_up_to_date() {
    let (lines, expect, _) = ledger(9);
    for known in 0..=9 {
        let mut copy = Copy::of(&lines[..known]);
        let head = copy.pull(&mut Memory::with(lines.clone()), &expect).unwrap();
        assert_eq!((copy.lines(), head), (lines.clone(), at(&lines, 8)));
    }
}

#[test]
fn more_lines_than_one_answer_carries_come_in_several() {
    let (lines, expect, _) = ledger(10_003);
    let mut copy = Copy::default();
    copy.pull(&mut Memory::with(lines.clone()), &expect).unwrap();
    assert_eq!(copy.entries.len(), 10_003);
}

#[test]
fn a_changed_dropped_swapped_or_repeated_line_is_found_at_its_place() {
    for known in [0, 3] {
        for (fault, code, place) in [
            (Fault::Edits(5), "hash", 5),
            (Fault::Drops(5), "gap", 5),
            (Fault::Swaps(5), "gap", 5),
            (Fault::Spaces(5), "not-canonical", 5),
            (Fault::Repeats, "order", 9),
        ] {
            let PullError::Bad { seq, source } = refused(known, fault) else { panic!("{fault:?}") };
            assert_eq!((source.code(), seq), (code, place), "{fault:?}");
        }
    }
}

#[test]
fn a_remote_that_lags_behind_what_was_seen_counts_as_rolled_back() {
    let error = refused(9, Fault::Lags(2));
    assert!(matches!(error, PullError::RolledBack { there: Some(6), seen: 8 }), "{error}");
    let error = refused(9, Fault::Lags(9));
    assert!(matches!(error, PullError::RolledBack { there: None, seen: 8 }), "{error}");
}

#[test]
fn a_head_that_does_not_follow_from_the_lines_is_a_contradiction() {
    let error = refused(4, Fault::Boasts);
    assert!(matches!(error, PullError::Contradiction(_)), "{error}");
    for known in [0, 4, 9] {
        let error = refused(known, Fault::Disguises);
        assert!(matches!(error, PullError::Forked { at: 8, .. }), "{error}");
    }
}

#[test]
fn a_fork_is_found_wherever_it_begins_and_however_long_it_is() {
    let (lines, expect, _) = ledger(6);
    for begins in 1..6 {
        let mut chain = Chain::new(0xc3).behind(at(&lines, begins - 1));
        let mut other = lines[..begins].to_vec();
        other.extend(chain.batch(8, "another history").lines);
        for length in [6, 7, other.len()] {
            let mut copy = Copy::of(&lines);
            let error = copy.pull(&mut Memory::with(other[..length].to_vec()), &expect).unwrap_err();
            assert!(
                matches!(error, PullError::Forked { at: 5, .. }),
                "from {begins}, {length} long: {error}"
            );
        }
        let mut copy = Copy::of(&lines);
        let error = copy.pull(&mut Memory::with(other[..begins].to_vec()), &expect).unwrap_err();
        assert!(matches!(error, PullError::RolledBack { .. }), "{error}");
    }
}

#[test]
fn another_ledger_is_refused_by_its_first_entry_and_by_its_id() {
    let (lines, expect, _) = ledger(3);
    let other = Chain::new(0xd4).batch(9, "other").lines;
    let error = Copy::default().pull(&mut Memory::with(other.clone()), &expect).unwrap_err();
    assert!(matches!(error, PullError::OtherLedger { .. }), "{error}");
    let error = Copy::of(&lines).pull(&mut Memory::with(other), &expect).unwrap_err();
    assert_eq!(error.exit(|_| Exit::Failure), Exit::Distrust, "{error}");
    // The same history under another id, from the first new line on.
    let mut chain = Chain::new(0xd4).behind(at(&lines, 2));
    let mixed = [lines.clone(), chain.batch(1, "other").lines].concat();
    let error = Copy::of(&lines).pull(&mut Memory::with(mixed), &expect).unwrap_err();
    assert!(matches!(&error, PullError::Bad { source, .. } if source.code() == "ledger"), "{error}");
}

#[test]
fn a_remote_without_a_ledger_says_so() {
    let (_, expect, _) = ledger(1);
    let error = Copy::default().pull(&mut Memory::default(), &expect).unwrap_err();
    assert!(matches!(error, PullError::NoLedger), "{error}");
    assert!(error.to_string().contains("\nmake one there with gate-log init --remote"));
}

#[test]
fn below_its_floor_a_remote_was_rolled_back_and_beside_it_forked() {
    let (lines, expect, _) = ledger(9);
    let with = |at_least: EntryRef| Expect { at_least: Some(at_least), ..expect };
    for known in [0, 5, 9] {
        let short = Memory::with(lines[..7].to_vec());
        for floor in 0..9 {
            let mut copy = Copy::of(&lines[..known.min(7)]);
            let pulled = copy.pull(&mut short.clone(), &with(at(&lines, floor)));
            match pulled {
                Ok(_) => assert!(floor < 7, "{floor}"),
                Err(PullError::RolledBack { there: Some(6), seen }) => assert_eq!(seen, floor as u64),
                Err(error) => panic!("{floor}: {error}"),
            }
        }
        let beside = EntryRef { seq: 4, hash: EntryHash([1; 32]) };
        let error =
            Copy::of(&lines[..known]).pull(&mut Memory::with(lines.clone()), &with(beside)).unwrap_err();
        assert!(matches!(error, PullError::Forked { at: 4, .. }), "{error}");
    }
}

#[test]
fn an_entry_of_a_later_format_asks_for_a_newer_gate() {
    let (lines, expect, mut chain) = ledger(2);
    let entry = chain.entry(Kind::Note, json!({}));
    let body = entry.body.replace("\"v\":1}", "\"v\":2}");
    let hash = gate_ledger::entry::hash(body.as_bytes());
    let mut line = Vec::new();
    gate_ledger::entry::write_line(&mut line, body.as_bytes(), hash);
    let remote = Memory::default();
    remote.replace(lines.clone());
    let mut newer = Later { remote, line };
    let error = Copy::of(&lines).pull(&mut newer, &expect).unwrap_err();
    assert!(matches!(error, PullError::Newer { seq: 2, .. }), "{error}");
    assert!(error.to_string().ends_with("\ninstall a newer gate"), "{error}");
}

/// A remote that sends one more line than the one in memory could read.
struct Later {
    remote: Memory,
    line: Vec<u8>,
}

impl gate_ledger::remote::Remote for Later {
    fn hello(
        &mut self,
        ledger: Option<gate_ledger::chain::LedgerId>,
    ) -> Result<gate_ledger::remote::Hello, RemoteError> {
        self.remote.hello(ledger)
    }
    fn read(
        &mut self,
        after: Option<u64>,
        most: u64,
        each: gate_ledger::remote::Each<'_>,
    ) -> Result<Option<EntryRef>, RemoteError> {
        self.remote.read(after, most, each)?;
        if each(&self.line).is_break() { Err(RemoteError::Stopped) } else { Ok(None) }
    }
    fn append(
        &mut self,
        after: EntryRef,
        batch: &gate_ledger::remote::Batch,
    ) -> Result<gate_ledger::remote::Outcome, RemoteError> {
        self.remote.append(after, batch)
    }
    fn create(
        &mut self,
        batch: &gate_ledger::remote::Batch,
    ) -> Result<gate_ledger::remote::Outcome, RemoteError> {
        self.remote.create(batch)
    }
}

#[test]
fn a_copy_that_fails_on_the_way_takes_nothing_and_says_what_failed() {
    let (lines, expect, _) = ledger(5);
    let mut copy = Copy { full_at: Some(3), ..Copy::of(&lines[..2]) };
    let error = copy.pull(&mut Memory::with(lines.clone()), &expect).unwrap_err();
    assert!(matches!(&error, PullError::Copy(said) if said == "the disk is full"), "{error}");
    assert_eq!(copy.lines(), lines[..2]);
}

/// Fifteen lines of which those from 2 to 9 were archived, and the statement that says so.
fn archived() -> (Vec<Vec<u8>>, Expect) {
    let mut chain = Chain::new(0xc3);
    let mut lines = vec![chain.line("first"), chain.entry(Kind::Policy, json!({})).line().into_bytes()];
    lines.extend(chain.batch(10, "old").lines);
    let statement = Statement {
        before: 10,
        head: at(&lines, 9),
        checkpoint: String::new(),
        range: Vec::new(),
        kept: vec![at(&lines, 0), at(&lines, 1)],
        segments: Vec::new(),
    };
    let mut data = serde_json::to_value(&statement).unwrap();
    data["checkpoint"] = json!("none");
    lines.push(chain.entry(Kind::Archive, data).line().into_bytes());
    let genesis = at(&lines, 0).hash;
    (lines, Expect { genesis, ledger: None, at_least: None })
}

#[test]
fn lines_that_are_missing_are_not_excused_by_a_statement_that_nobody_signed() {
    let (lines, expect) = archived();
    let rest = [&lines[..2], &lines[10..]].concat();
    let error = Copy::default().pull(&mut Memory::with(rest.clone()), &expect).unwrap_err();
    assert!(matches!(&error, PullError::Bad { source, .. } if source.code() == "archive"), "{error}");
    // And without any statement they are just missing.
    let error = Copy::default().pull(&mut Memory::with(rest[..3].to_vec()), &expect).unwrap_err();
    assert!(matches!(&error, PullError::Bad { seq: 9, source } if source.code() == "gap"), "{error}");
    // A copy that has something already cannot cross a gap at all.
    let error = Copy::of(&lines[..4]).pull(&mut Memory::with(rest), &expect).unwrap_err();
    assert!(matches!(error, PullError::Behind { own: 3, found: 10 }), "{error}");
    assert_eq!(error.exit(|_| Exit::Failure), Exit::Distrust, "{error}");
}
