//! Handing lines over while answers are lost, come late, or lie.

use gate_ledger::remote::{Published, Remote, RemoteError, publish, settle};
use gate_model::exit::Exit;
use gate_tests::remote::{Chain, Fault, Memory};

use crate::copy::{Copy, at, ledger};

/// Publishes one line behind two to a remote that has `fault`; also the remote, and whether the line is there.
fn published(fault: Fault, patience: u32) -> (Result<Published, RemoteError>, Memory, usize) {
    let (lines, _, mut chain) = ledger(2);
    let memory = Memory::with(lines.clone());
    let batch = chain.batch(1, "ours");
    let mut left = patience;
    let mut wait = || {
        left = left.saturating_sub(1);
        left > 0
    };
    let outcome = publish(&mut memory.that(fault), Some(at(&lines, 1)), &batch, &mut wait);
    let times = memory.lines().iter().filter(|line| **line == batch.lines[0]).count();
    (outcome, memory, times)
}

#[test]
fn what_was_taken_although_the_answer_was_lost_counts_and_is_there_once() {
    for lost in [1, 2] {
        let (outcome, memory, times) = published(Fault::LosesAnswer(lost), 5);
        assert_eq!((outcome.unwrap(), times, memory.appends()), (Published::Taken, 1, 1));
    }
}

#[test]
fn what_was_lost_on_its_way_is_sent_again_and_is_there_once() {
    let (outcome, memory, times) = published(Fault::LosesBatch(2), 9);
    assert_eq!((outcome.unwrap(), times, memory.appends()), (Published::Taken, 1, 3));
}

#[test]
fn what_arrives_late_is_not_added_a_second_time() {
    let (outcome, memory, times) = published(Fault::Dawdles, 9);
    assert_eq!((outcome.unwrap(), times), (Published::Taken, 1));
    assert_eq!(memory.lines().len(), 3);
}

#[test]
fn without_patience_nothing_is_said_to_be_there_that_may_not_be() {
    let (outcome, _, times) = published(Fault::LosesBatch(9), 1);
    assert!(matches!(outcome.unwrap(), Published::Unknown(said) if said == "the connection was lost"));
    assert_eq!(times, 0);
}

#[test]
fn who_loses_a_race_is_told_to_judge_again() {
    let (lines, _, mut chain) = ledger(2);
    let memory = Memory::with(lines.clone());
    let after = at(&lines, 1);
    let (first, second) = (chain.clone().batch(1, "first"), chain.batch(1, "second"));
    let publish = |batch| publish(&mut memory.clone(), Some(after), batch, &mut || false).unwrap();
    assert_eq!(publish(&first), Published::Taken);
    assert_eq!(publish(&second), Published::Moved);
    // Lines that are the same to the last byte are not taken for ours unless an answer was lost.
    assert_eq!(publish(&first), Published::Moved);
    assert_eq!(memory.lines().len(), 3);
}

#[test]
fn the_creation_of_a_ledger_is_settled_like_any_other_entry() {
    let mut chain = Chain::new(0xe5);
    let batch = chain.batch(2, "first");
    let memory = Memory::default();
    let outcome = publish(&mut memory.that(Fault::LosesAnswer(1)), None, &batch, &mut || true).unwrap();
    assert_eq!((outcome, memory.lines()), (Published::Taken, batch.lines.clone()));
    let other = Chain::new(0xf6).batch(1, "second");
    let outcome = publish(&mut memory.clone(), None, &other, &mut || true).unwrap();
    assert_eq!((outcome, memory.lines()), (Published::Moved, batch.lines));
}

#[test]
fn a_helper_that_dies_after_it_was_sent_to_leaves_it_open_until_another_is_asked() {
    let (lines, _, mut chain) = ledger(2);
    let memory = Memory::with(lines.clone());
    let (after, batch) = (Some(at(&lines, 1)), chain.batch(1, "ours"));
    let outcome = publish(&mut memory.that(Fault::DiesAfter), after, &batch, &mut || true).unwrap();
    assert!(matches!(outcome, Published::Unknown(_)), "{outcome:?}");
    let again = Memory::with(memory.lines());
    assert_eq!(settle(&mut again.clone(), after, &batch, &mut || true).unwrap(), Published::Taken);
    let before = Memory::with(lines);
    assert_eq!(settle(&mut before.clone(), after, &batch, &mut || true).unwrap(), Published::Taken);
    assert_eq!(before.lines().len(), 3);
    let rest = settle(&mut memory.clone(), after, &batch, &mut || true).unwrap_err();
    assert!(matches!(rest, RemoteError::Ended), "{rest}");
}

#[test]
fn a_remote_that_only_pretends_to_take_lines_is_found_at_the_next_pull() {
    let (lines, expect, mut chain) = ledger(2);
    let memory = Memory::with(lines.clone());
    let batch = chain.batch(1, "ours");
    let mut liar = memory.that(Fault::Pretends);
    let outcome = publish(&mut liar, Some(at(&lines, 1)), &batch, &mut || true).unwrap();
    assert_eq!(outcome, Published::Taken);
    let mut copy = Copy::of(&[lines, batch.lines].concat());
    let error = copy.pull(&mut liar, &expect).unwrap_err();
    assert_eq!(error.exit(|_| Exit::Failure), Exit::Distrust);
    assert!(error.to_string().starts_with("the remote was rolled back"), "{error}");
}

#[test]
fn a_remote_cannot_be_asked_in_the_name_of_another_entry() {
    let (lines, _, mut chain) = ledger(2);
    let mut memory = Memory::with(lines.clone());
    let batch = chain.batch(1, "ours");
    let outcome = memory.append(at(&lines, 0), &batch).unwrap();
    assert!(!outcome.is_taken());
}
