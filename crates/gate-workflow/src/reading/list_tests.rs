//! Lists over real ledgers.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use gate_ledger::chain::Bad;
use gate_ledger::entry::{Draft, Kind};
use gate_ledger::store::{Access, Ledger, StoreError};
use gate_model::action::Action;
use gate_model::time::Timestamp;
use serde_json::{Value, json};

use super::{Selection, list, since};
use crate::reading::{Filter, Period};

/// The time of entry `seq`, one second apart.
fn at(seq: u64) -> Timestamp {
    Timestamp::parse("2026-11-22T16:30:00Z").unwrap().plus(seq).unwrap()
}

fn actor(id: &str) -> Value {
    json!({"id": id, "assurance": "asserted", "via": "os"})
}

fn draft(kind: Kind, gate: Option<&str>, reference: Option<u64>, by: &str, data: Value) -> Draft {
    Draft { kind, gate: gate.map(str::to_owned), reference, actor: actor(by), data }
}

fn ledger(dir: &Path, drafts: &[Draft]) -> Ledger {
    let path = dir.join("ledger.db");
    let mut ledger = Ledger::create(&path, &actor("os:root"), json!({}), at(0)).unwrap();
    let seq = std::cell::Cell::new(0);
    let clock = || at(seq.get());
    ledger
        .append(Duration::from_secs(1), &clock, |transaction| {
            drafts.iter().try_for_each(|draft| {
                seq.set(seq.get() + 1);
                transaction.append(draft).map(drop)
            })
        })
        .unwrap();
    ledger
}

/// Genesis, then the life of an opt-out (1 to 4) among other things.
fn sample(dir: &Path) -> Ledger {
    let grant = json!({"action": "skip", "reason": "x"});
    ledger(
        dir,
        &[
            draft(Kind::Request, Some("lint"), None, "github:dave", grant.clone()),
            draft(Kind::Grant, Some("lint"), Some(1), "github:dave", grant),
            draft(
                Kind::Decision,
                Some("lint"),
                None,
                "github:ci",
                json!({"decision": "skip", "grants": [1]}),
            ),
            draft(Kind::Decision, Some("lint"), None, "github:ci", json!({"decision": "pass", "grants": []})),
            // Somebody else's event may use the same words for other things.
            draft(
                Kind::Note,
                Some("lint"),
                None,
                "os:eve",
                json!({"grants": "all", "action": 7, "decision": {}}),
            ),
            draft(Kind::Decision, Some("scan"), None, "github:ci", json!({"decision": "pass", "waived": 2})),
        ],
    )
}

fn seqs(ledger: &Ledger, selection: &Selection) -> Vec<u64> {
    let mut seqs = Vec::new();
    list(ledger, selection, &mut |record| {
        seqs.push(record.facts.seq);
        Ok(ControlFlow::Continue(()))
    })
    .unwrap();
    seqs
}

fn filtered(ledger: &Ledger, filter: Filter) -> Vec<u64> {
    seqs(ledger, &Selection { filter, ..Selection::default() })
}

#[test]
fn each_filter_narrows_and_the_words_of_one_add_up() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = sample(dir.path());
    let of = |filter: Filter| filtered(&ledger, filter);
    assert_eq!(of(Filter::default()), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(of(Filter { kinds: vec![Kind::Grant, Kind::Note], ..Filter::default() }), [2, 5]);
    assert_eq!(of(Filter { gates: vec!["scan".into()], ..Filter::default() }), [6]);
    assert_eq!(
        of(Filter { actors: vec!["github:dave".into(), "os:eve".into()], ..Filter::default() }),
        [1, 2, 5]
    );
    assert_eq!(of(Filter { actions: vec![Action::Skip], ..Filter::default() }), [1, 2, 3]);
    assert_eq!(of(Filter { actions: vec![Action::Waive], ..Filter::default() }), [6]);
    let both = Filter { gates: vec!["lint".into()], kinds: vec![Kind::Decision], ..Filter::default() };
    assert_eq!(of(both), [3, 4]);
}

#[test]
fn both_ends_of_a_period_belong_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = sample(dir.path());
    let period = |since: Option<u64>, until: Option<u64>| {
        filtered(&ledger, Filter { period: Period::new(since.map(at), until.map(at)), ..Filter::default() })
    };
    assert_eq!(period(Some(2), Some(4)), [2, 3, 4]);
    assert_eq!(period(Some(6), None), [6]);
    assert_eq!(period(None, Some(0)), [0]);
}

#[test]
fn the_life_of_an_opt_out_holds_its_uses() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = sample(dir.path());
    assert_eq!(filtered(&ledger, Filter { id: Some(1), ..Filter::default() }), [1, 2, 3]);
    let narrowed = Filter { id: Some(1), kinds: vec![Kind::Decision], ..Filter::default() };
    assert_eq!(filtered(&ledger, narrowed), [3]);
}

#[test]
fn the_newest_are_the_same_ones_in_both_orders() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = sample(dir.path());
    let newest =
        |count, reverse| seqs(&ledger, &Selection { newest: Some(count), reverse, ..Selection::default() });
    assert_eq!(newest(2, false), [5, 6]);
    assert_eq!(newest(2, true), [6, 5]);
    assert_eq!(newest(0, false), [0_u64; 0]);
    assert_eq!(newest(0, true), [0_u64; 0]);
    assert_eq!(newest(u64::MAX, false), [0, 1, 2, 3, 4, 5, 6]);
    let filter = Filter { kinds: vec![Kind::Decision], ..Filter::default() };
    assert_eq!(seqs(&ledger, &Selection { filter, newest: Some(2), reverse: false }), [4, 6]);
}

#[test]
fn many_and_large_entries_come_in_order_in_both_directions() {
    let dir = tempfile::tempdir().unwrap();
    let large = json!({"text": "x".repeat(700_000)});
    let mut drafts: Vec<Draft> =
        (0..3_000).map(|n| draft(Kind::Note, None, None, "os:a", json!({"n": n}))).collect();
    drafts.extend((0..20).map(|_| draft(Kind::Note, None, None, "os:a", large.clone())));
    let ledger = ledger(dir.path(), &drafts);
    let forward = seqs(&ledger, &Selection::default());
    assert_eq!(forward, (0..=3_020).collect::<Vec<_>>());
    let mut backward = seqs(&ledger, &Selection { reverse: true, ..Selection::default() });
    backward.reverse();
    assert_eq!(backward, forward);
}

#[test]
fn new_entries_come_once() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = sample(dir.path());
    let mut seen = Vec::new();
    let mut each = |record: &crate::reading::Record<'_>| {
        seen.push(record.facts.seq);
        Ok(ControlFlow::Continue(()))
    };
    let next = since(&ledger, &Filter::default(), 5, &mut each).unwrap();
    assert_eq!(next, 7);
    assert_eq!(since(&ledger, &Filter::default(), next, &mut each).unwrap(), 7);
    assert_eq!(seen, [5, 6]);
}

/// Does to the file what somebody with a SQLite shell can do.
fn tampered(sql: &str) -> Result<u64, StoreError> {
    let dir = tempfile::tempdir().unwrap();
    drop(sample(dir.path()));
    let path = dir.path().join("ledger.db");
    let shell = std::process::Command::new("sqlite3").arg(&path).arg(sql).output();
    let shell = shell.expect("sqlite3 is installed");
    assert!(shell.status.success(), "{}", String::from_utf8_lossy(&shell.stderr));
    let ledger = Ledger::open(&path, Access::Read).unwrap();
    let count = &mut 0;
    list(&ledger, &Selection { reverse: true, ..Selection::default() }, &mut |_| {
        *count += 1;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(*count)
}

/// Drops the guards, does `sql`, and puts them back, so that the schema looks untouched.
fn unguarded(sql: &str) -> String {
    format!(
        "CREATE TEMP TABLE kept AS SELECT sql FROM sqlite_schema WHERE type = 'trigger';
         PRAGMA writable_schema = ON;
         CREATE TEMP TABLE rows AS SELECT * FROM sqlite_schema WHERE type = 'trigger';
         DELETE FROM sqlite_schema WHERE type = 'trigger';
         PRAGMA writable_schema = RESET;
         {sql};
         PRAGMA writable_schema = ON;
         INSERT INTO sqlite_schema SELECT * FROM rows;
         PRAGMA writable_schema = RESET;"
    )
}

#[test]
fn a_deleted_entry_ends_the_list_with_an_error() {
    let result = tampered(&unguarded("DELETE FROM entry WHERE seq = 3"));
    assert!(matches!(result, Err(StoreError::Bad { seq: 3, source: Bad::Gap { .. } })), "{result:?}");
}

#[test]
fn an_edited_entry_ends_the_list_with_an_error() {
    let edit = "UPDATE entry SET body = replace(body, 'github:ci', 'github:me') WHERE seq = 4";
    let result = tampered(&unguarded(edit));
    assert!(matches!(result, Err(StoreError::Bad { seq: 4, source: Bad::Hash { .. } })), "{result:?}");
}
