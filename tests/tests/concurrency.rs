//! Many processes at once: no use and no place in a quota is given twice, and nothing acknowledged is lost.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

mod support;

use std::collections::HashSet;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use gate_ledger::store::{Access, Ledger};
use support::{House, POLICY, Ran};

fn at_once(house: &House, count: usize, tool: &str, args: &[&str]) -> Vec<Ran> {
    let spawn = |_| house.tool(tool, args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let children: Vec<Child> = (0..count).map(spawn).collect();
    children.into_iter().map(|child| Ran::of(child.wait_with_output().unwrap())).collect()
}

fn codes(ran: &[Ran], code: i32) -> usize {
    ran.iter().filter(|ran| ran.code == code).count()
}

#[test]
fn sixteen_runs_share_one_use_and_one_gets_it() {
    let house = House::new(POLICY);
    house.granted(&["lint", "--uses", "1"]);
    let ran = at_once(&house, 16, "gate-check", &["lint", "--", "false"]);
    assert_eq!((codes(&ran, 0), codes(&ran, 1)), (1, 15));
    let decisions = house.of_kind("decision");
    assert_eq!(decisions.len(), 16);
    assert_eq!(decisions.iter().filter(|entry| entry["data"].get("spends").is_some()).count(), 1);
}

/// What a run has seen is of one moment: it cannot have seen the ledger before another run spent the last use, and that
/// nothing was left of it.
#[test]
fn what_many_runs_decide_at_once_is_judged_the_same_again() {
    let house = House::new(POLICY);
    for _ in 0..6 {
        house.granted(&["lint", "--uses", "1"]);
        let ran = at_once(&house, 4, "gate-check", &["lint", "--", "false"]);
        assert_eq!((codes(&ran, 0), codes(&ran, 1)), (1, 3));
    }
    Ran::of(house.tool("gate-verify", &["--replay"]).output().unwrap()).exits(0);
}

#[test]
fn sixteen_verdicts_share_one_override_and_one_gets_it() {
    let house = House::new(POLICY);
    house.granted(&["lint", "--action", "override", "--uses", "1"]);
    let ran = at_once(&house, 16, "gate-check", &["lint", "--", "sh", "-c", "sleep 0.2; exit 3"]);
    assert_eq!((codes(&ran, 0), codes(&ran, 3)), (1, 15));
}

#[test]
fn sixteen_requests_share_three_places_of_a_quota() {
    let policy =
        POLICY.replacen("max_ttl = \"24h\"\n", "max_ttl = \"24h\"\nquota = { max = 3, per = \"7d\" }\n", 1);
    let house = House::new(&policy);
    let ran = at_once(&house, 16, "gate-skip", &["lint", "--reason", "mine"]);
    assert_eq!((codes(&ran, 0), codes(&ran, 1)), (3, 13));
    assert_eq!(house.of_kind("policy").len(), 1, "the policy is recorded once");
}

#[test]
fn sixteen_runs_record_sixteen_decisions_in_one_chain() {
    let house = House::new(POLICY);
    let ran = at_once(&house, 16, "gate-check", &["lint", "--", "true"]);
    assert_eq!(codes(&ran, 0), 16, "{:?}", ran.iter().map(|ran| &ran.stderr).collect::<Vec<_>>());
    let entries = house.entries();
    assert_eq!(entries.len(), 18);
    for pair in entries.windows(2) {
        assert_eq!(pair[1]["prev"], pair[0]["hash"]);
    }
}

#[test]
fn processes_killed_in_the_middle_lose_nothing_that_was_acknowledged() {
    let house = House::new(POLICY);
    house.check(&["lint", "--", "true"]).exits(0);
    let mut acknowledged: HashSet<u64> = HashSet::new();
    for round in 0..40_u64 {
        let mut children: Vec<Child> = (0..4)
            .map(|_| {
                let mut command = house.tool("gate-skip", &["lint", "--reason", "hammer", "--ttl", "1h"]);
                command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
            })
            .collect();
        std::thread::sleep(Duration::from_micros(500 * round));
        for child in &mut children {
            child.kill().unwrap();
        }
        for child in children {
            let ran = Ran::of(child.wait_with_output().unwrap());
            if let Ok(answer) = serde_json::from_slice::<serde_json::Value>(&ran.stdout) {
                acknowledged.insert(answer["seq"].as_u64().unwrap());
            }
        }
    }
    // The next run works at once, the chain is whole, and what was told is there.
    house.check(&["lint", "--plan"]).exits(0);
    let last = house.skip(&["lint", "--reason", "after"]).exits(0).json()["seq"].as_u64().unwrap();
    acknowledged.insert(last);
    let entries = house.entries();
    for (seq, pair) in entries.windows(2).enumerate() {
        assert_eq!(pair[1]["prev"], pair[0]["hash"], "after entry {seq}");
    }
    let known: HashSet<u64> = entries.iter().map(|entry| entry["seq"].as_u64().unwrap()).collect();
    assert!(acknowledged.is_subset(&known));
    assert!(acknowledged.len() > 1 || entries.len() > 3, "nothing was ever written: the test proves nothing");
}

/// Another process sits in a transaction.
#[test]
fn a_held_lock_is_waited_for_a_bounded_time_then_the_gate_is_enforced() {
    let house = House::new(POLICY);
    house.granted(&["lint"]);
    let path = house.path(".gate/ledger.db");
    let (enter, entered) = std::sync::mpsc::channel();
    let (leave, left) = std::sync::mpsc::channel::<()>();
    let holder = std::thread::spawn(move || {
        let mut ledger = Ledger::open(&path, Access::Append).unwrap();
        let held = ledger.append(Duration::from_secs(5), &support::now, |_| -> Result<(), std::fmt::Error> {
            enter.send(()).unwrap();
            // Held until the test is done with it.
            left.recv().unwrap();
            Err(std::fmt::Error)
        });
        assert!(held.is_err());
    });
    entered.recv().unwrap();
    let started = Instant::now();
    // The skip cannot be recorded, so it is not used: the command runs and its status counts.
    let ran = house.check(&["lint", "--decision", "d.json", "--", "sh", "-c", "touch ran; exit 4"]);
    assert!(started.elapsed() < Duration::from_mins(1));
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(house.path("ran").exists());
    assert!(house.read("d.json").contains("\"recorded\":null"));
    house.check(&["lint", "--plan"]).exits(0);
    house.skip(&["lint", "--reason", "x"]).exits(5);
    leave.send(()).unwrap();
    holder.join().unwrap();
    house.check(&["lint", "--", "false"]).exits(0);
}
