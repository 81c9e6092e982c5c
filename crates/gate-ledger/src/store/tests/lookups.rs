use std::ops::ControlFlow;

use serde_json::json;

use super::super::{StoreError, View};
use super::{Bench, actor, append, at, draft, grant, seqs};
use crate::entry::{Draft, Entry, Kind};

/// What a walk hands out, cut after `limit` entries.
fn walked(
    limit: usize,
    walk: impl FnOnce(&mut dyn FnMut(&Entry) -> ControlFlow<()>) -> Result<(), StoreError>,
) -> Vec<u64> {
    let mut found = Vec::new();
    walk(&mut |entry| {
        found.push(entry.seq);
        if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })
    .unwrap();
    found
}

#[test]
fn live_grants_are_those_that_end_later() {
    let bench = Bench::new();
    let mut ledger = bench.open();
    append(
        &mut ledger,
        &[
            grant("lint", at(100)),
            grant("lint", at(200)),
            grant("scan", at(300)),
            draft(Kind::Note, "lint", json!({"expires": at(900).to_string()})),
        ],
    );
    let view = ledger.view();
    let live = |gate, now| {
        let found = seqs(&view.live_grants(gate, at(now)).unwrap());
        assert_eq!(view.live_positions(gate, at(now)).unwrap(), found);
        found
    };
    assert_eq!(live("lint", 99), [1, 2]);
    // A grant ends at the instant that it names.
    assert_eq!(live("lint", 100), [2]);
    assert_eq!(live("lint", 200), [0_u64; 0]);
    assert_eq!(live("lin", 0), [0_u64; 0]);
    let everywhere = |now| seqs(&view.all_grants_live(at(now)).unwrap());
    assert_eq!(
        (everywhere(0), everywhere(100), everywhere(299), everywhere(300)),
        (vec![1, 2, 3], vec![2, 3], vec![3], vec![])
    );
}

#[test]
fn live_grants_come_one_by_one_with_their_lives_and_nothing_else_does() {
    let bench = Bench::new();
    let mut ledger = bench.open();
    let referring = |kind, reference| Draft { reference: Some(reference), ..draft(kind, "lint", json!({})) };
    let asked = Draft { reference: Some(1), ..grant("lint", at(200)) };
    append(
        &mut ledger,
        &[
            draft(Kind::Request, "lint", json!({})),
            grant("lint", at(200)),
            asked,
            referring(Kind::Revocation, 2),
            grant("scan", at(200)),
        ],
    );
    let view = ledger.view();
    let read = |positions: &[u64], now| {
        let mut found = Vec::new();
        let mut each = |entry: Entry, life: Vec<Entry>| {
            found.push((entry.seq, seqs(&life)));
            Ok::<_, StoreError>(())
        };
        view.each_live(("lint", at(now)), positions, &mut each).map(|()| found)
    };
    assert_eq!(read(&view.live_positions("lint", at(0)).unwrap(), 0).unwrap(), [(2, vec![4]), (3, vec![3])]);
    for (position, now) in [(1, 0), (2, 200), (5, 0), (9, 0), (u64::MAX, 0)] {
        let index = "entry_live";
        assert!(
            matches!(read(&[position], now), Err(StoreError::OutOfStep { index: found, seq }) if (found, seq) == (index, position)),
            "{position} at {now}"
        );
    }
}

#[test]
fn times_are_those_of_the_entries() {
    let bench = Bench::new();
    let mut ledger = bench.open();
    append(&mut ledger, &[grant("lint", at(9)), draft(Kind::Note, "lint", json!({}))]);
    let (view, mut times, mut entries) = (ledger.view(), Vec::new(), Vec::new());
    view.times(0, 9, &mut |seq, kind, at| times.push((seq, kind, at))).unwrap();
    view.scan(0, None, false, &mut |entry| {
        entries.push((entry.seq, entry.kind, entry.at));
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(times, entries);
}

#[test]
fn admitted_grants_come_newest_first_from_an_instant_on() {
    let bench = Bench::new();
    let mut ledger = bench.open();
    let by_bob = Draft { actor: actor("os:bob"), ..grant("scan", at(9)) };
    append(&mut ledger, &[grant("lint", at(9)), by_bob, grant("lint", at(9)), grant("lint", at(9))]);
    let view = ledger.view();
    let admitted = |since, until: Option<u64>, limit| {
        walked(limit, |each| view.admitted("lint", at(since), until.map(at), each))
    };
    assert_eq!(admitted(0, None, 9), [4, 3, 1]);
    assert_eq!(admitted(3, None, 9), [4, 3]);
    assert_eq!(admitted(0, None, 1), [4]);
    // An entry is at `until` no longer, and at `since` already.
    assert_eq!((admitted(1, Some(4), 9), admitted(0, Some(1), 9)), (vec![3, 1], vec![]));
    assert_eq!(walked(2, |each| view.granted("lint", each)), [4, 3]);
    assert_eq!(walked(9, |each| view.granted("scan", each)), [2]);
}

#[test]
fn the_other_lookups_find_what_they_name() {
    let bench = Bench::new();
    let mut ledger = bench.open();
    let referring = |kind, reference| Draft { reference: Some(reference), ..draft(kind, "lint", json!({})) };
    append(
        &mut ledger,
        &[
            draft(Kind::Policy, "x", json!({"digest": "b3:1", "source": "worktree"})),
            draft(Kind::Request, "lint", json!({"request": {"nonce": "n1"}, "lapses": at(100).to_string()})),
            draft(Kind::Request, "scan", json!({"lapses": at(200).to_string()})),
            referring(Kind::Approval, 2),
            draft(Kind::Policy, "x", json!({"digest": "b3:1", "source": "rev:1"})),
            draft(Kind::Decision, "lint", json!({"spends": [2]})),
            draft(Kind::Decision, "lint", json!({"grants": [2]})),
            draft(Kind::Grant, "lint", json!({"owes": {"review": true}, "expires": "x"})),
            referring(Kind::Revocation, 2),
        ],
    );
    let view = ledger.view();
    assert_eq!(seqs(&view.life(2).unwrap()), [4, 9]);
    assert_eq!(walked(9, |each| view.policy("b3:1", each)), [5, 1]);
    assert_eq!(walked(9, |each| view.policy("b3:2", each)), [0_u64; 0]);
    let waiting = |gate, now| seqs(&view.waiting(gate, at(now)).unwrap());
    assert_eq!(waiting(None, 0), [3, 2]);
    assert_eq!(waiting(None, 100), [3], "what lapsed is not met again");
    assert_eq!(waiting(Some("lint"), 99), [2]);
    assert_eq!(waiting(Some("lint"), 100), [0_u64; 0]);
    assert_eq!(seqs(&view.with_nonce("n1").unwrap()), [2]);
    assert_eq!(seqs(&view.with_nonce("n2").unwrap()), [0_u64; 0]);
    assert_eq!(seqs(&view.owing(None).unwrap()), [8]);
    assert_eq!(seqs(&view.owing(Some("scan")).unwrap()), [0_u64; 0]);
}

#[test]
fn uses_are_counted_alone_and_together() {
    let bench = Bench::new();
    let mut ledger = bench.open();
    let spends = |gate, spends| draft(Kind::Decision, gate, json!({"spends": spends}));
    append(
        &mut ledger,
        &[
            spends("lint", json!([8])),
            spends("lint", json!([8])),
            spends("scan", json!([8])),
            spends("lint", json!([8, 9])),
            spends("lint", json!([9])),
            draft(Kind::Note, "lint", json!({"spends": [8]})),
        ],
    );
    let view = ledger.view();
    let alone = |id, since, last| view.spent_alone("lint", id, since, last).unwrap();
    assert_eq!(
        [alone(8, 0, 9), alone(8, 1, 9), alone(8, 0, 1), alone(9, 0, 9), alone(1, 0, 9)],
        [2, 1, 1, 1, 0]
    );
    let together = |since| {
        let mut found = Vec::new();
        view.spent_together("lint", since, &mut |seq, spends| found.push((seq, spends.to_owned()))).unwrap();
        found
    };
    assert_eq!((together(0), together(4)), (vec![(4, "[8,9]".to_owned())], vec![]));
}

#[test]
fn a_scan_goes_both_ways_and_stops_when_told() {
    let bench = Bench::new();
    let mut ledger = bench.open();
    append(&mut ledger, &vec![draft(Kind::Note, "lint", json!({})); 5]);
    let view = ledger.view();
    let scan = |from, to, reverse, limit| {
        let mut found = Vec::new();
        view.scan(from, to, reverse, &mut |entry| {
            found.push(entry.seq);
            if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
        .unwrap();
        found
    };
    assert_eq!(scan(0, None, false, 9), [0, 1, 2, 3, 4, 5]);
    assert_eq!(scan(2, Some(4), true, 9), [4, 3, 2]);
    assert_eq!(scan(0, None, true, 2), [5, 4]);
    assert_eq!(scan(6, None, false, 9), [0_u64; 0]);
}

#[test]
fn raw_lines_are_the_bodies_and_stored_hashes() {
    let bench = Bench::new();
    let mut ledger = bench.open();
    let appended = append(&mut ledger, &[draft(Kind::Note, "lint", json!({"t": "ü\n"}))]);
    let mut lines = Vec::new();
    ledger
        .view()
        .scan_lines(1, None, &mut |body, hash| {
            crate::entry::write_line(&mut lines, body, hash);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(String::from_utf8(lines).unwrap(), appended[0].line());
}

#[test]
fn an_entry_is_found_by_the_beginning_of_its_hash() {
    let bench = Bench::new();
    let mut ledger = bench.open();
    let appended = append(&mut ledger, &vec![draft(Kind::Note, "lint", json!({})); 3]);
    let view = ledger.view();
    let digits = appended[1].hash.to_string()[3..].to_owned();
    for length in [8, 9, 33, 64] {
        assert_eq!(seqs(&view.by_hash_prefix(&digits[..length]).unwrap()), [2], "{length}");
    }
    assert!(view.by_hash_prefix("00000000").unwrap().is_empty());
    for wrong in [&digits[..7], "", "b3:00000000", "xxxxxxxx", "ABCDEF01", &format!("{digits}0")] {
        let error = view.by_hash_prefix(wrong).unwrap_err();
        assert!(matches!(error, StoreError::HashPrefix(_)), "{error}");
    }
}

#[test]
fn odd_types_in_somebody_elses_events_disturb_nothing() {
    let bench = Bench::new();
    let mut ledger = bench.open();
    let events = [
        json!({"request": {"nonce": 5}}),
        json!({"request": {"nonce": {"a": [1]}}}),
        json!({"request": {"nonce": null}}),
        json!({"request": "text"}),
        json!({"request": [{"nonce": true}]}),
        json!({"expires": 1, "owes": false, "spends": null, "digest": []}),
    ];
    append(&mut ledger, &events.map(|event| draft(Kind::Note, "lint", event)));
    assert_eq!(ledger.view().with_nonce("5").unwrap().len(), 1);
    let outcome = crate::verify::sqlite(&bench.path(), &crate::verify::Options::default(), &mut ()).unwrap();
    assert_eq!(outcome.first_bad, None);
}

/// Moves an index to a table that looks like the ledger but has other rows, as somebody could who edits pages.
fn with_index_of(bench: &Bench, index: &str, edit: &str) {
    bench.tamper(&format!(
        "CREATE TABLE other AS SELECT rootpage FROM sqlite_schema WHERE name = '{index}';
         PRAGMA writable_schema = ON;
         {edit}
         DROP TABLE other;"
    ));
}

#[test]
fn a_row_that_an_index_misplaces_is_refused() {
    let bench = Bench::new();
    append(&mut bench.open(), &[grant("lint", at(100)), grant("scan", at(100))]);
    // The index over other members under the name of the right one: its rows claim what the bodies do not.
    let wrong = "CREATE INDEX entry_live ON entry (at, expires) WHERE kind = 'grant'";
    let right = "CREATE INDEX entry_live ON entry (gate, expires) WHERE kind = 'grant'";
    with_index_of(
        &bench,
        "entry_live",
        &format!(
            "DROP INDEX entry_live; {wrong}; UPDATE sqlite_schema SET sql = \"{right}\" WHERE name = 'entry_live';"
        ),
    );
    let ledger = bench.open();
    // Such an index hides grants from a look-up, and verification tells.
    assert!(ledger.view().live_grants("lint", at(0)).unwrap().is_empty());
    let outcome = crate::verify::sqlite(&bench.path(), &crate::verify::Options::default(), &mut ()).unwrap();
    let bad = outcome.first_bad.unwrap();
    assert_eq!((bad.seq, bad.code), (1, "index"), "{}", bad.reason);
}

#[test]
fn every_lookup_of_judging_is_answered_from_its_index() {
    let bench = Bench::new();
    let ledger = bench.open();
    let plan = |sql: &str, parameters: usize| {
        let connection = &ledger.database.connection;
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let given = rusqlite::params_from_iter(std::iter::repeat_n("x", parameters));
        let steps = statement.query_map(given, |row| row.get::<_, String>(3)).unwrap();
        steps.collect::<Result<Vec<_>, _>>().unwrap().join("; ")
    };
    for (sql, parameters, expected) in [
        (include_str!("../sql/live.sql"), 2, "INDEX entry_live (gate=? AND expires>?)"),
        (include_str!("../sql/live_everywhere.sql"), 1, "INDEX entry_live (gate=? AND expires>?)"),
        (include_str!("../sql/admitted.sql"), 3, "INDEX entry_admitted (gate=? AND at>? AND at<?)"),
        (include_str!("../sql/granted.sql"), 1, "INDEX entry_granted (gate=?)"),
        (include_str!("../sql/waiting.sql"), 2, "INDEX entry_waiting (gate=? AND lapses>?)"),
        (include_str!("../sql/waiting_everywhere.sql"), 1, "INDEX entry_waiting (gate=? AND lapses>?)"),
        (include_str!("../sql/life.sql"), 1, "INDEX entry_life (ref=?)"),
        (include_str!("../sql/policy.sql"), 1, "INDEX entry_policy (digest=?)"),
        (
            include_str!("../sql/spent.sql"),
            4,
            "INDEX entry_spent (gate=? AND spends=? AND rowid>? AND rowid<?)",
        ),
        (include_str!("../sql/spent_together.sql"), 2, "INDEX entry_spent_together (gate=? AND seq>?)"),
        (include_str!("../sql/nonce.sql"), 1, "INDEX entry_nonce (nonce=?)"),
        (include_str!("../sql/owing.sql"), 1, "INDEX entry_owing"),
    ] {
        let plan = plan(sql, parameters);
        assert!(plan.contains(expected), "{sql}\n{plan}");
    }
}

#[test]
fn a_changed_row_is_never_handed_out() {
    let bench = Bench::new();
    append(&mut bench.open(), &[grant("lint", at(100)), draft(Kind::Note, "lint", json!({}))]);
    let trigger =
        include_str!("../sql/schema.sql").split("\n\n").find(|block| block.contains("entry_update")).unwrap();
    bench.tamper(&format!(
        "DROP TRIGGER entry_update; UPDATE entry SET body = replace(body, '\"lint\"', '\"lint \"') WHERE seq = 1; {trigger}"));
    let ledger = bench.open();
    let refused =
        |result: Result<Vec<Entry>, StoreError>| matches!(result, Err(StoreError::Bad { seq: 1, .. }));
    let view: View<'_> = ledger.view();
    assert!(refused(view.live_grants("lint ", at(0))));
    assert!(refused(view.all_grants_live(at(0))));
    assert!(matches!(view.entry(1), Err(StoreError::Bad { .. })));
    assert_eq!(view.head().unwrap().seq, 2);
}
