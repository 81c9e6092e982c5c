//! Whoever was not first is the next one: the others wait for them, and not for ever.

use std::ops::ControlFlow;
use std::time::Duration;

use gate_ledger::archive::EntryRef;
use gate_ledger::remote::{Outcome, Remote};
use gate_tests::remote::{Chain, read_all};

use super::cluster::Cluster;

/// A ledger, and somebody who has just lost against the second entry of it.
fn lost(cluster: &Cluster) -> (Chain, impl Remote + use<>) {
    let mut chain = Chain::new(0x91);
    assert_eq!(cluster.keeper().create(&chain.batch(1, "begin")).unwrap(), Outcome::Taken);
    let (old, stale) = (chain.head(), chain.clone());
    assert_eq!(cluster.keeper().append(old, &chain.batch(1, "first")).unwrap(), Outcome::Taken);
    let mut loser = cluster.keeper();
    let batch = stale.behind(old).batch(1, "late");
    assert_eq!(loser.append(old, &batch).unwrap(), Outcome::Moved(Some(chain.head())));
    (chain, loser)
}

fn head(remote: &mut impl Remote) -> Option<EntryRef> {
    remote.read(None, 0, &mut |_| ControlFlow::Continue(())).unwrap()
}

#[test]
fn nobody_loses_twice_in_a_row() {
    let Some(cluster) = Cluster::start() else { return eprintln!("skipped: there is no PostgreSQL") };
    let (mut chain, mut loser) = lost(&cluster);
    let after = chain.head();
    let rival = chain.behind(after).batch(1, "rival");
    let mut other = cluster.keeper();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| other.append(after, &rival).unwrap());
        // It comes first, and stands in the server's queue.
        while cluster.owner("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == "0" {
            assert!(!waits.is_finished(), "whoever came later was not kept waiting");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(head(&mut loser), Some(after));
        assert_eq!(loser.append(after, &chain.batch(1, "judged again")).unwrap(), Outcome::Taken);
        assert_eq!(waits.join().unwrap(), Outcome::Moved(Some(chain.head())));
    });
}

#[test]
fn whoever_lost_and_has_nothing_to_add_any_more_keeps_nobody_waiting() {
    let Some(cluster) = Cluster::start() else { return eprintln!("skipped: there is no PostgreSQL") };
    let (mut chain, mut loser) = lost(&cluster);
    assert_eq!(loser.hello(None).unwrap().head, Some(chain.head()));
    cluster.owner("SET lock_timeout = '1s'; SELECT 1 FROM gate_ledger FOR UPDATE");
    // Nor does one that ends.
    let after = chain.head();
    let nowhere = EntryRef { seq: 900, ..after };
    let lost_again = loser.append(nowhere, &chain.behind(nowhere).batch(1, "nowhere")).unwrap();
    assert_eq!(lost_again, Outcome::Moved(Some(after)));
    drop(loser);
    assert_eq!(cluster.keeper().append(after, &chain.batch(1, "free")).unwrap(), Outcome::Taken);
}

#[test]
fn whoever_lost_and_does_not_come_back_is_waited_for_a_moment_and_goes_on_later() {
    let Some(cluster) = Cluster::start() else { return eprintln!("skipped: there is no PostgreSQL") };
    let (mut chain, mut loser) = lost(&cluster);
    let after = chain.head();
    assert_eq!(cluster.keeper().append(after, &chain.batch(1, "others")).unwrap(), Outcome::Taken);
    // The server has ended the session of the one who kept still; what it does next begins anew.
    let batch = chain.behind(after).batch(1, "too late");
    assert_eq!(loser.append(after, &batch).unwrap(), Outcome::Moved(Some(chain.head())));
    let after = chain.head();
    assert_eq!(loser.append(after, &chain.batch(1, "again")).unwrap(), Outcome::Taken);
    assert_eq!(read_all(&mut cluster.keeper(), None).1, Some(chain.head()));
}
