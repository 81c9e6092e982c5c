//! A ledger moves: from a file to a remote, and from one remote to another.

use gate_ledger::entry::{Draft, Kind};
use gate_ledger::store::{Access, Ledger, StoreError, Transaction};

use crate::hosts::{self, Server};
use crate::support::{House, POLICY, Ran, now};
use crate::town::Town;

/// A house with a ledger in a file, some entries, and a checkpoint; gives the key's public half.
fn house() -> House {
    let house = House::new(POLICY);
    house.check(&["lint", "--", "true"]).exits(0);
    house.granted(&["lint"]);
    house.sh("gate-log checkpoint --new-key ../log.key --origin example.com/pay > ../log.pub").exits(0);
    house.sh("gate-log checkpoint --key-file ../log.key --origin example.com/pay > ../checkpoint").exits(0);
    house
}

/// Makes a bare repository beside the house; gives the address of a ledger in it.
fn host(house: &House, name: &str) -> String {
    let path = house.outside(name);
    house.git(&["init", "-q", "--bare", path.to_str().unwrap()]);
    format!("git:{}", path.display())
}

fn log(house: &House, args: &[&str]) -> Ran {
    Ran::of(house.tool("gate-log", args).output().unwrap())
}

/// Has the policy name the remote at `address`, which holds the ledger whose copy `copied` describes.
fn follow(house: &House, address: &str, copied: &serde_json::Value) {
    let ledger = format!("[ledger]\nremote = \"{address}\"\ngenesis = {}\n", copied["genesis"]);
    house.write("gate.toml", POLICY.replace("version = 1\n", &format!("version = 1\n{ledger}")));
}

#[test]
fn a_ledger_in_a_file_becomes_a_shared_one_and_keeps_head_and_checkpoints() {
    let house = house();
    let head = house.entries().pop().unwrap();
    let address = host(&house, "host.git");
    let copied = log(&house, &["copy", &address]).exits(0).says(&["put these lines under [ledger]"]).json();
    assert_eq!(copied["head"]["hash"], head["hash"]);
    follow(&house, &address, &copied);
    // The file that was the ledger would be a second one.
    house.check(&["lint", "--", "true"]).exits(125).says(&["two ledgers"]);
    std::fs::rename(house.path(".gate"), house.outside("old")).unwrap();
    house.check(&["lint", "--", "false"]).exits(0);
    let verify = "gate-verify --checkpoint ../checkpoint --key ../log.pub --replay";
    house.sh(verify).exits(0);
    let second = host(&house, "second.git");
    let moved = log(&house, &["copy", &second]).exits(0).json();
    follow(&house, &second, &moved);
    house.check(&["lint", "--", "true"]).exits(0);
    house.sh(verify).exits(0);
}

/// More entries than one exchange carries, all of them of long ago.
fn of_long_ago(house: &House) -> u64 {
    let mut ledger = Ledger::open(&house.path(".gate/ledger.db"), Access::Append).unwrap();
    let long_ago = || now().minus(30 * 24 * 3600);
    let notes = |transaction: &mut Transaction<'_>| -> Result<u64, StoreError> {
        let data = serde_json::json!({"text": "of long ago"});
        let actor = serde_json::json!({"id": "os:x"});
        let draft = Draft { kind: Kind::Note, gate: None, reference: None, actor, data };
        for _ in 0..gate_ledger::remote::MAX_LINES + 50 {
            transaction.append(&draft)?;
        }
        Ok(transaction.head().seq)
    };
    let Ok(newest) = ledger.append(std::time::Duration::from_secs(10), &long_ago, notes) else {
        panic!("the notes cannot be appended")
    };
    ledger.close().unwrap();
    newest
}

#[test]
fn a_ledger_of_more_than_one_exchange_and_of_another_day_is_copied_to_a_server_with_a_clock() {
    let Some(town) = hosts::postgres("") else { return eprintln!("skipped: there is no PostgreSQL") };
    let Server::Postgres(cluster) = &town.server else { panic!("another server") };
    let house = House::new(POLICY);
    let newest = of_long_ago(&house);
    let address = format!("postgres://127.0.0.1:{}/postgres?ledger=moved", cluster.door);
    let copy = |role: &'static str| {
        let mut command = town.runner("mover").of(role).command("gate-log", &["copy", &address]);
        Ran::of(command.current_dir(&house.root).output().unwrap())
    };
    copy("writer").exits(5).says(&["gate_keeper"]);
    assert_eq!(copy("keeper").exits(0).json()["head"]["seq"], newest);
}

#[test]
fn a_copy_that_was_cut_short_is_gone_on_with() {
    let house = house();
    let address = host(&house, "host.git");
    let first = log(&house, &["copy", &address]).exits(0).json();
    house.check(&["lint", "--", "true"]).exits(0);
    let second = log(&house, &["copy", &address]).exits(0).json();
    assert_eq!(second["entries"].as_u64(), first["entries"].as_u64().map(|entries| entries + 1));
    log(&house, &["copy", &address]).exits(0);
}

#[test]
fn a_copy_does_not_write_over_another_ledger_or_another_history() {
    let (one, other) = (house(), house());
    let address = host(&one, "host.git");
    log(&one, &["copy", &address]).exits(0);
    log(&other, &["copy", &address]).exits(2).says(&["holds a ledger already"]);
    let older = std::fs::read(one.path(".gate/ledger.db")).unwrap();
    one.check(&["lint", "--", "true"]).exits(0);
    log(&one, &["copy", &address]).exits(0);
    one.write(".gate/ledger.db", older);
    log(&one, &["copy", &address]).exits(2).says(&["holds a ledger already"]);
}

#[test]
fn a_view_that_may_be_old_says_how_old_it_is() {
    let town = Town::git();
    let a = town.runner("a");
    a.check(&["lint", "--", "true"]).exits(0);
    std::fs::rename(town.host(), town.house.outside("away.git")).unwrap();
    for args in [&[][..], &["due"], &["stats"]] {
        a.log(args).exits(0).says(&["what is known is as old as entry 3 of "]);
    }
    a.check(&["--list"]).exits(0).says(&["what is known is as old as entry 3 of "]);
    a.check(&["lint", "--plan"]).exits(0).says(&["as if there were no opt-outs"]);
}

#[test]
fn somebody_elsewhere_asks_for_a_run_that_is_known_on_another_machine_only() {
    let town = Town::git();
    town.runner("laptop").skip(&["lint", "--reason", "that run", "--run", "77"]).exits(0);
    let ran =
        town.runner("a").command("gate-check", &["lint", "--", "false"]).env("GATE_RUN_ID", "77").output();
    Ran::of(ran.unwrap()).exits(0);
    town.runner("b").check(&["lint", "--", "false"]).exits(1);
}

#[test]
fn what_was_archived_through_a_remote_is_gone_there_and_every_machine_goes_on() {
    let town = Town::git();
    let (keeper, old) = (town.runner("keeper"), town.runner("old"));
    for _ in 0..4 {
        old.check(&["lint", "--", "true"]).exits(0);
    }
    town.house
        .sh("mkdir ../segments && gate-log checkpoint --new-key ../log.key --origin example.com/pay")
        .exits(0);
    let key = ["--key-file", "../log.key", "--origin", "example.com/pay"];
    let archive = [&["archive", "--before", "5", "--to", "../segments"][..], &key].concat();
    let before = town.entries().len();
    let moved = keeper.log(&archive).exits(0).json()["moved"].as_u64().unwrap();
    assert!(moved > 0);
    // Genesis, policies, what came later and the statement are left.
    let tree = town.at_host(&["ls-tree", "-r", "--name-only", "gate-ledger"]);
    assert!(!tree.is_empty());
    let fresh = town.runner("fresh");
    assert_eq!(fresh.log(&["sync"]).exits(0).json()["head"]["seq"], before as u64);
    for runner in [&fresh, &old, &keeper] {
        runner.check(&["lint", "--", "true"]).exits(0);
        Ran::of(runner.command("gate-verify", &[]).output().unwrap()).exits(0);
    }
    let lines = |name: &str| town.runner(name).log(&["export"]).exits(0).out().lines().count() as u64;
    assert_eq!(lines("fresh") + moved, lines("old"));
}
