use gate_model::time::Timestamp;
use serde_json::json;

use super::{Bad, Chain, Facts, inspect};
use crate::entry::{Draft, Entry, EntryHash, Kind, Place};

const LEDGER: &str = "000102030405060708090a0b0c0d0e0f";

fn at(seconds: u64) -> Timestamp {
    Timestamp::parse("2026-11-22T16:30:35Z").unwrap().plus(seconds).unwrap()
}

fn entry(kind: Kind, seq: u64, prev: EntryHash, gate: Option<&str>) -> Entry {
    let gate = gate.map(str::to_owned);
    let draft = Draft { kind, gate, reference: None, actor: json!({"id": "os:alice"}), data: json!({}) };
    draft.at(Place { ledger: LEDGER, seq, prev, at: at(seq) }).unwrap()
}

fn genesis() -> Entry {
    entry(Kind::Genesis, 0, EntryHash::ZERO, None)
}

#[test]
fn a_chain_knows_where_it_is() {
    let mut chain = Chain::new();
    assert_eq!((chain.entries(), chain.head(), chain.genesis(), chain.ledger()), (0, None, None, None));
    let first = genesis();
    let linked = chain.push(first.body.as_bytes(), Some(first.hash)).unwrap();
    assert_eq!((linked.facts, linked.clock_back), (inspect(first.body.as_bytes()).unwrap(), false));
    let second = entry(Kind::Note, 1, first.hash, Some("lint"));
    chain.push(second.body.as_bytes(), None).unwrap();
    assert_eq!((chain.entries(), chain.genesis()), (2, Some(first.hash)));
    assert_eq!(chain.head().map(|head| head.hash), Some(second.hash));
    assert_eq!(chain.ledger().unwrap().to_string(), LEDGER);
}

#[test]
fn a_refused_entry_leaves_the_chain_as_it_was() {
    let mut chain = Chain::new();
    let first = genesis();
    chain.push(first.body.as_bytes(), None).unwrap();
    let orphan = entry(Kind::Note, 1, EntryHash([9; 32]), None);
    assert!(matches!(chain.push(orphan.body.as_bytes(), None), Err(Bad::Prev { .. })));
    let late = entry(Kind::Note, 2, first.hash, None);
    assert!(matches!(chain.push(late.body.as_bytes(), None), Err(Bad::Gap { expected: 1, found: 2 })));
    assert!(matches!(chain.push(first.body.as_bytes(), None), Err(Bad::Order { expected: 1, found: 0 })));
    let second = entry(Kind::Note, 1, first.hash, None);
    let wrong = Some(EntryHash([1; 32]));
    assert!(matches!(chain.push(second.body.as_bytes(), wrong), Err(Bad::Hash { .. })));
    assert!(chain.push(second.body.as_bytes(), Some(second.hash)).is_ok());
}

#[test]
fn a_first_entry_that_is_no_genesis_is_refused() {
    for (kind, prev, gate) in [
        (Kind::Note, EntryHash::ZERO, None),
        (Kind::Genesis, EntryHash([1; 32]), None),
        (Kind::Genesis, EntryHash::ZERO, Some("lint")),
    ] {
        let first = entry(kind, 0, prev, gate);
        assert!(matches!(Chain::new().push(first.body.as_bytes(), None), Err(Bad::Genesis(_))));
    }
}

#[test]
fn facts_are_small_enough_to_hold_thousands() {
    assert!(size_of::<Facts>() <= 192);
}
