use super::super::{Options, Outcome, Start, json_lines, sqlite};
use super::{File, bad, entries, watching};
use crate::entry::{Entry, EntryHash};

fn lines(entries: &[Entry]) -> String {
    entries.iter().map(|entry| entry.line() + "\n").collect::<Vec<_>>().concat()
}

fn options(entries: &[Entry], next: usize) -> Options {
    let prev = entries[next - 1].hash;
    let start = Start { next: next as u64, prev, ledger: None, genesis: Some(entries[0].hash) };
    Options { start: Some(start), ..Options::default() }
}

fn stream(entries: &[Entry], options: &Options) -> Outcome {
    json_lines(&mut lines(entries).as_bytes(), options, &mut ()).unwrap()
}

#[test]
fn every_start_comes_to_the_same_end_and_reads_what_is_new() {
    let file = File::new();
    let entries = file.entries();
    for next in 1..=entries.len() {
        let options = options(&entries, next);
        let (from_file, seen) = watching(|observer| sqlite(&file.path(), &options, observer).unwrap());
        assert_eq!((from_file.first_bad.as_ref(), from_file.entries), (None, 9), "{next}");
        assert_eq!((from_file.head, from_file.proven), (Some((8, entries[8].hash)), next as u64));
        assert_eq!(seen.len(), entries.len() - next);
        assert_eq!(stream(&entries, &options), from_file);
        if next < entries.len() {
            assert_eq!(
                stream(&entries[next..], &options).first_bad,
                None,
                "the rest without what was proven"
            );
        }
    }
}

#[test]
fn history_that_was_rewritten_or_cut_before_the_start_is_found() {
    let entries = entries();
    let mut other = options(&entries, 5);
    other.start.as_mut().unwrap().prev = EntryHash([7; 32]);
    assert_eq!(bad(&stream(&entries, &other)), (4, "proven"));
    assert_eq!(bad(&stream(&entries[5..], &other)), (5, "prev"));
    assert_eq!(bad(&stream(&entries[..3], &options(&entries, 5))), (4, "cut-off"));
    assert_eq!(bad(&stream(&[&entries[..5], &entries[6..]].concat(), &options(&entries, 5))), (5, "gap"));
}

#[test]
fn a_pin_that_no_first_entry_was_compared_with_is_not_said_to_hold() {
    let entries = entries();
    let pinned = Options { genesis: Some(entries[0].hash), ..options(&entries, 5) };
    assert!(stream(&entries, &pinned).genesis_pinned);
    let rest = stream(&entries[5..], &pinned);
    assert_eq!((rest.first_bad, rest.genesis, rest.genesis_pinned), (None, None, false));
}
