//! What each role may do, and what is said when something is not there.

use gate_ledger::commitment::{Field, Opening, WrittenOpening};
use gate_ledger::entry::Kind;
use gate_ledger::remote::{Batch, Outcome, Remote, RemoteError, Why};
use gate_tests::remote::{Chain, read_all};
use serde_json::json;

use super::cluster::Cluster;

#[track_caller]
fn failed<T: std::fmt::Debug>(answer: Result<T, RemoteError>) -> (Why, String) {
    match answer.expect_err("it fails") {
        RemoteError::Failed(failed) => (failed.why, failed.to_string()),
        other => panic!("{other}"),
    }
}

#[test]
fn a_writer_appends_a_reader_reads_and_the_keeper_makes_drops_and_erases() {
    let Some(cluster) = Cluster::start() else { return eprintln!("skipped: there is no PostgreSQL") };
    let mut chain = Chain::new(0x81);
    let begin = chain.batch(3, "begin");
    let as_user = |user: &str| cluster.helper(user, "&clock=off").start();
    for user in ["reader", "writer"] {
        assert_eq!(failed(as_user(user).create(&begin)).0, Why::Denied, "{user}");
    }
    assert_eq!(as_user("keeper").create(&begin).unwrap(), Outcome::Taken);
    let opening = Opening { field: Field::Name, salt: [3; 32], value: "alice".to_owned() };
    let commitment = opening.commitment().unwrap();
    let after = chain.head();
    let entry = chain.entry(Kind::Grant, json!({"author_c": commitment.to_string()}));
    let line = serde_json::to_vec(&WrittenOpening::from(&opening)).unwrap();
    let batch = Batch { lines: vec![entry.line().into_bytes()], openings: vec![line.clone()], copied: false };
    // An opening that belongs to nothing is not passed over: all of a batch is added, or nothing.
    let bob = Opening { value: "bob".to_owned(), ..opening.clone() };
    let stray = vec![serde_json::to_vec(&WrittenOpening::from(&bob)).unwrap()];
    let stray = Batch { lines: batch.lines.clone(), openings: stray, copied: false };
    assert_eq!(failed(as_user("writer").append(after, &stray)).0, Why::Usage);
    assert_eq!(failed(as_user("reader").append(after, &batch)).0, Why::Denied);
    assert_eq!(as_user("writer").append(after, &batch).unwrap(), Outcome::Taken);
    let openings = |user: &str| {
        let mut lines = Vec::new();
        as_user(user)
            .openings(0, 9, &mut |line| {
                lines.push(line.to_vec());
                std::ops::ControlFlow::Continue(())
            })
            .unwrap();
        lines
    };
    assert_eq!(openings("reader"), [line]);
    for user in ["reader", "writer"] {
        assert_eq!(failed(as_user(user).erase(&[commitment])).0, Why::Denied, "{user}");
        assert_eq!(failed(as_user(user).forget(2, &[0])).0, Why::Denied, "{user}");
    }
    // Nor can a writer touch what is there by any other way.
    for sql in [
        "UPDATE gate_entry SET body = body",
        "DELETE FROM gate_entry",
        "DELETE FROM gate_ledger",
        "UPDATE gate_ledger SET id = id",
    ] {
        let tried = format!(
            "SET ROLE writer; DO $$ BEGIN {sql}; RAISE 'it may'; EXCEPTION WHEN insufficient_privilege THEN NULL; END $$"
        );
        cluster.owner(&tried);
    }
    assert_eq!(as_user("keeper").erase(&[commitment]).unwrap(), 1);
    assert!(openings("writer").is_empty());
    as_user("keeper").forget(2, &[0]).unwrap();
    let kept = [&begin.lines[..1], &begin.lines[2..], &batch.lines].concat();
    assert_eq!(read_all(&mut as_user("reader"), None), (kept, Some(chain.head())));
}

#[test]
fn wrong_passwords_missing_tables_and_servers_that_are_not_there_are_told_apart() {
    let Some(cluster) = Cluster::start() else { return eprintln!("skipped: there is no PostgreSQL") };
    let hello = |user: &str, settings: &str, password: &str| {
        failed(cluster.helper(user, settings).with("PGPASSWORD", password).start().hello(None))
    };
    let (why, said) = hello("writer", "", "hunter2");
    assert_eq!(why, Why::Denied, "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    let (why, said) = hello("nobody", "", "nobody");
    assert_eq!(why, Why::Denied, "{said}");
    assert!(said.contains("grant the role"), "{said}");
    let (why, said) = hello("owner", "&dbname=template1", "owner");
    assert_eq!(why, Why::Usage, "{said}");
    assert!(said.contains("gate-remote-postgres --tables | psql"), "{said}");
    let (why, said) = hello("owner", "&dbname=none", "owner");
    assert_eq!(why, Why::Usage, "{said}");
    let (why, said) = hello("writer", "&port=9", "writer");
    assert_eq!(why, Why::Unreachable, "{said}");
    cluster.owner("ALTER USER writer SET default_transaction_read_only = on");
    let mut chain = Chain::new(4);
    let batch = chain.batch(1, "x");
    assert_eq!(cluster.keeper().create(&batch).unwrap(), Outcome::Taken);
    let after = chain.head();
    let mut writer = cluster.helper("writer", "&clock=off").start();
    assert_eq!(failed(writer.append(after, &chain.batch(1, "y"))).0, Why::Denied);
}

#[test]
fn a_time_that_is_off_is_refused_by_the_clock_of_the_server() {
    let Some(cluster) = Cluster::start() else { return eprintln!("skipped: there is no PostgreSQL") };
    let mut chain = Chain::new(5);
    assert_eq!(cluster.keeper().create(&chain.batch(1, "begin")).unwrap(), Outcome::Taken);
    let mut writer = cluster.helper("writer", "").start();
    let hello = writer.hello(None).unwrap();
    assert!(hello.can.clock && hello.now.is_some());
    let head = chain.head();
    let outcome = writer.append(head, &chain.batch(1, "of another day")).unwrap();
    assert!(
        matches!(&outcome, Outcome::Refused(said) if said.contains("off the server's clock")),
        "{outcome:?}"
    );
    assert_eq!(cluster.owner("SELECT count(*) FROM gate_entry"), "1");
}

#[test]
fn a_copy_goes_on_with_the_times_that_it_has_and_only_the_keeper_makes_one() {
    let Some(cluster) = Cluster::start() else { return eprintln!("skipped: there is no PostgreSQL") };
    let mut chain = Chain::new(6);
    let (mut keeper, mut writer) =
        (cluster.helper("keeper", "").start(), cluster.helper("writer", "").start());
    assert_eq!(keeper.create(&chain.batch(2, "begin")).unwrap(), Outcome::Taken);
    let head = chain.head();
    let more = Batch { copied: true, ..chain.batch(2, "of another day") };
    assert!(matches!(writer.append(head, &more).unwrap(), Outcome::Refused(_)));
    let plain = Batch { copied: false, ..more.clone() };
    assert!(matches!(keeper.append(head, &plain).unwrap(), Outcome::Refused(_)));
    assert_eq!(keeper.append(head, &more).unwrap(), Outcome::Taken);
    assert_eq!(read_all(&mut writer, None).1, Some(chain.head()));
}
