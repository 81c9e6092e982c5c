//! Connections that are cut, and a server that is killed: entries are there once or not at all, and the answer says
//! which.

use std::time::{Duration, Instant};

use gate_ledger::remote::{Outcome, Published, Remote, RemoteError, Why, publish};
use gate_tests::remote::{Chain, read_all};

use super::cluster::Cluster;
use super::proxy::{self, Cut};

fn begin(cluster: &Cluster) -> (Chain, Vec<Vec<u8>>) {
    let mut chain = Chain::new(0x71);
    let batch = chain.batch(2, "begin");
    assert_eq!(cluster.keeper().create(&batch).unwrap(), Outcome::Taken);
    (chain, batch.lines)
}

#[test]
fn a_commit_whose_answer_is_lost_is_there_once_whenever_the_connection_was_cut() {
    let Some(mut cluster) = Cluster::start() else { return eprintln!("skipped: there is no PostgreSQL") };
    let (mut chain, mut lines) = begin(&cluster);
    for cut in [Cut::Before, Cut::During, Cut::After] {
        for times in [1, 2] {
            cluster.door = proxy::start(cluster.port, cut, times);
            let (after, batch) = (chain.head(), chain.batch(2, "ours"));
            assert_eq!(cluster.keeper().append(after, &batch).unwrap(), Outcome::Taken, "{cut:?} {times}");
            lines.extend(batch.lines);
            assert_eq!(read_all(&mut cluster.keeper(), None), (lines.clone(), Some(chain.head())), "{cut:?}");
        }
    }
    // The creation of a ledger, too.
    for (seed, cut) in [(1, Cut::Before), (2, Cut::During), (3, Cut::After)] {
        cluster.door = proxy::start(cluster.port, cut, 1);
        let settings = format!("&clock=off&ledger=other{seed}");
        let batch = Chain::new(seed).batch(3, "other");
        assert_eq!(
            cluster.helper("keeper", &settings).start().create(&batch).unwrap(),
            Outcome::Taken,
            "{cut:?}"
        );
        assert_eq!(read_all(&mut cluster.helper("keeper", &settings).start(), None).0, batch.lines);
    }
}

#[test]
fn a_server_that_stays_away_after_commit_leaves_it_unknown_until_it_is_back() {
    let Some(mut cluster) = Cluster::start() else { return eprintln!("skipped: there is no PostgreSQL") };
    let (mut chain, mut lines) = begin(&cluster);
    let server = cluster.port;
    cluster.door = proxy::start(server, Cut::After, u32::MAX);
    let (after, batch) = (chain.head(), chain.batch(1, "ours"));
    let outcome = cluster.keeper().append(after, &batch).unwrap();
    assert!(matches!(outcome, Outcome::Taken | Outcome::Unknown(_)), "{outcome:?}");
    cluster.door = server;
    let published = publish(&mut cluster.keeper(), Some(after), &batch, &mut || true).unwrap();
    // It was committed the first time: whoever sends it again without having asked is told that it moved.
    assert_eq!(published, Published::Moved);
    lines.extend(batch.lines);
    assert_eq!(read_all(&mut cluster.keeper(), None), (lines, Some(chain.head())));
}

#[test]
fn a_server_that_is_killed_and_started_again_has_what_was_taken() {
    let Some(mut cluster) = Cluster::with("fsync=on") else {
        return eprintln!("skipped: there is no PostgreSQL");
    };
    let (mut chain, mut lines) = begin(&cluster);
    let mut remote = cluster.keeper();
    for _ in 0..2 {
        let (after, batch) = (chain.head(), chain.batch(3, "ours"));
        assert_eq!(remote.append(after, &batch).unwrap(), Outcome::Taken);
        lines.extend(batch.lines);
        cluster.kill();
        match after_the_last_answer(&mut remote) {
            RemoteError::Failed(failed) => assert_eq!(failed.why, Why::Unreachable, "{failed}"),
            other => panic!("{other:?}"),
        }
        cluster.serve().unwrap();
        // The connection that was lost is made anew.
        assert_eq!(read_all(&mut remote, None), (lines.clone(), Some(chain.head())));
    }
}

/// What the remote says once nobody answers any more. The process that serves a connection outlives a killed server for a
/// moment, and answers until it notices.
fn after_the_last_answer(remote: &mut impl Remote) -> RemoteError {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(30) {
        if let Err(error) = remote.hello(None) {
            return error;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("a killed server answers still");
}
