//! Remotes and working copies that lie.

use gate_ledger::store::{Access, Ledger, StoreError, Transaction};

use crate::support::{Ran, now};
use crate::town::Town;

/// A town in which the runner `a` saw a grant, with the tip that the branch had before it.
fn seen() -> (Town, String) {
    let town = Town::git();
    town.runner("a").check(&["lint", "--", "true"]).exits(0);
    let tip = town.at_host(&["rev-parse", "gate-ledger"]);
    town.runner("laptop").skip(&["lint", "--reason", "seen"]).exits(0);
    town.runner("a").log(&["sync"]).exits(0);
    (town, tip)
}

#[track_caller]
fn is_caught(town: &Town, word: &str) {
    let a = town.runner("a");
    a.check(&["lint", "--", "true"]).exits(125).says(&[word]);
    a.check(&["lint", "--policy-ref", "refs/heads/main", "--", "true"]).exits(125).says(&[word]);
    a.skip(&["lint", "--reason", "x"]).exits(4).says(&[word]);
    a.log(&[]).exits(4).says(&[word]);
    a.log(&["sync"]).exits(4).says(&[word]);
}

#[test]
fn a_remote_that_was_rolled_back_is_caught_by_who_saw_more() {
    let (town, tip) = seen();
    town.at_host(&["update-ref", "refs/heads/gate-ledger", &tip]);
    is_caught(&town, "rolled back");
}

#[test]
fn a_forked_remote_is_caught_by_who_saw_the_other_history() {
    let (town, tip) = seen();
    town.at_host(&["update-ref", "refs/heads/gate-ledger", &tip]);
    town.runner("other").skip(&["lint", "--reason", "another history"]).exits(0);
    town.runner("other").skip(&["lint", "--reason", "and on"]).exits(0);
    is_caught(&town, "forked");
}

#[test]
fn a_fresh_machine_catches_a_rolled_back_remote_by_its_floor() {
    let (town, tip) = seen();
    let newest = town.entries().pop().unwrap();
    let floor = format!("{} {}", newest["seq"], newest["hash"].as_str().unwrap());
    let fresh = |name: &str, floor: &str| {
        let runner = town.runner(name);
        let mut command = runner.command("gate-check", &["lint", "--", "true"]);
        Ran::of(command.env("GATE_LEDGER_AT_LEAST", floor).output().unwrap())
    };
    fresh("f1", &floor).exits(0);
    town.at_host(&["update-ref", "refs/heads/gate-ledger", &tip]);
    fresh("f2", &floor).exits(125).says(&["rolled back"]);
    fresh("f3", "4711").exits(125).says(&["GATE_LEDGER_AT_LEAST is '4711'"]);
    fresh("f4", "").exits(125);
}

#[test]
fn another_ledger_at_the_same_place_is_not_believed() {
    let (town, _) = seen();
    town.at_host(&["update-ref", "-d", "refs/heads/gate-ledger"]);
    let pinned = town.house.read("gate.toml");
    town.house.write("gate.toml", town.policy(""));
    town.runner("thief").log(&["init", "--remote"]).exits(0);
    town.house.write("gate.toml", pinned);
    town.runner("a").skip(&["lint", "--reason", "x"]).exits(4);
    town.runner("fresh").skip(&["lint", "--reason", "x"]).exits(4).says(&["another ledger"]);
}

/// A copy of the file at `copy` in which somebody appended a pause's worth of nonsense, in good order.
fn forged(town: &Town, copy: &std::path::Path) -> std::path::PathBuf {
    let forged = town.house.outside("forged.db");
    std::fs::copy(copy, &forged).unwrap();
    let mut ledger = Ledger::open(&forged, Access::Append).unwrap();
    let again = |transaction: &mut Transaction<'_>| -> Result<(), StoreError> {
        let head = transaction.head().seq;
        let entry = transaction.view().entry(head)?.unwrap();
        let (kind, gate, reference) = (entry.kind, entry.gate, entry.reference);
        let draft = gate_ledger::entry::Draft {
            kind,
            gate,
            reference,
            actor: entry.actor.into_value(),
            data: entry.data.into_value(),
        };
        transaction.append(&draft).map(drop)
    };
    assert!(ledger.append(std::time::Duration::from_secs(10), &now, again).is_ok());
    ledger.close().unwrap();
    forged
}

#[test]
fn a_grant_that_an_earlier_step_forged_into_the_working_copy_does_not_count() {
    let (town, _) = seen();
    let copy = town.runner("a").copy();
    std::fs::copy(forged(&town, &copy), &copy).unwrap();
    town.runner("a").check(&["lint", "--", "false"]).exits(125).says(&["rolled back"]);
}

#[test]
fn a_grant_that_the_command_forges_into_the_working_copy_does_not_count() {
    let town = Town::git();
    town.runner("a").check(&["lint", "--", "true"]).exits(0);
    let copy = town.runner("a").copy();
    let copy = copy.to_str().unwrap();
    // The command grants itself an override in the file that the verdict will rest on.
    let grant = town.runner("b");
    std::fs::create_dir_all(town.house.outside("cache-b")).unwrap();
    let line = "gate-skip lint --reason mine --action override >/dev/null 2>&1; cp \"$1\" \"$2\"; false";
    let mine = grant.copy();
    let script = ["lint", "--", "sh", "-c", line, "sh", mine.to_str().unwrap(), copy];
    let ran = town.runner("a").check(&script);
    assert_ne!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn bytes_changed_in_the_working_copy_are_found_before_anything_rests_on_them() {
    let (town, _) = seen();
    let copy = town.runner("a").copy();
    let mut bytes = std::fs::read(&copy).unwrap();
    // An entry before the newest one, which is read anyway.
    let place = bytes.windows(10).position(|window| window == b"\"decision\"").unwrap();
    bytes[place..place + 10].copy_from_slice(b"\"DECISION\"");
    std::fs::write(&copy, bytes).unwrap();
    town.runner("a").check(&["lint", "--", "false"]).exits(125).says(&["is bad", "remove the file"]);
    std::fs::remove_file(&copy).unwrap();
    town.runner("a").check(&["lint", "--", "false"]).exits(0);
}

/// Whoever may write where it leads could choose what it holds, and when.
#[test]
fn a_working_copy_that_became_a_link_is_refused_by_each_tool() {
    let (town, _) = seen();
    let a = town.runner("a");
    let (copy, elsewhere) = (a.copy(), town.house.outside("elsewhere.db"));
    for is_dangling in [false, true] {
        if is_dangling {
            std::fs::remove_file(&elsewhere).unwrap();
        } else {
            std::fs::rename(&copy, &elsewhere).unwrap();
            std::os::unix::fs::symlink(&elsewhere, &copy).unwrap();
        }
        let word = "is not a regular file";
        is_caught(&town, word);
        Ran::of(a.command("gate-verify", &[]).output().unwrap()).exits(4).says(&[word]);
    }
    std::fs::remove_file(&copy).unwrap();
    a.check(&["lint", "--", "true"]).exits(0);
}

#[test]
fn a_file_that_is_named_beside_a_remote_is_not_judged_by() {
    let (town, _) = seen();
    town.house.create_ledger("../named.db");
    let named = town.house.outside("named.db");
    let a = town.runner("a");
    let run = |tool: &str, args: &[&str]| {
        let mut command = a.command(tool, args);
        Ran::of(command.env("GATE_LEDGER", &named).output().unwrap())
    };
    run("gate-check", &["lint", "--", "true"]).exits(125).says(&["another one was named"]);
    run("gate-skip", &["lint", "--reason", "x"]).exits(4).says(&["another one was named"]);
}

#[test]
fn a_command_that_ends_the_helper_does_not_choose_the_next_one() {
    let town = Town::git();
    town.runner("laptop").skip(&["lint", "--reason", "once", "--uses", "1", "--action", "override"]).exits(0);
    // Whatever else the tool started is a brother of the command.
    let line = "for status in $(grep -l \"^PPid:[[:space:]]*$PPID$\" /proc/[0-9]*/status); do
        pid=${status#/proc/} pid=${pid%/status}; [ \"$pid\" = $$ ] || kill -9 \"$pid\"; done; false";
    let a = town.runner("a");
    let (ran, decision) = a.decide(&["sh", "-c", line]);
    ran.exits(1).says(&["nobody knows whether"]);
    assert_eq!(decision["would_use"][0]["reason"], "once");
    town.runner("b").check(&["lint", "--", "false"]).exits(0);
}

/// Whoever is asked learns what the job may log in with, so that a pull request must not say who is asked.
#[test]
fn a_remote_that_only_the_text_of_a_pull_request_names_is_not_asked() {
    let town = Town::git();
    let runner = town.runner("ci");
    let pull = |args: &[&str]| {
        let mut command = runner.command("gate-check", args);
        for (name, value) in [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", "pull_request"),
            ("GITHUB_REF", "refs/pull/7/merge"),
        ] {
            command.env(name, value);
        }
        Ran::of(command.output().unwrap())
    };
    pull(&["lint", "--", "true"]).exits(125).says(&["a pull request's own text names", "--policy-ref"]);
    assert!(!runner.copy().exists(), "nothing was asked there");
    let gitlab = Ran::of(
        runner
            .command("gate-check", &["lint", "--", "true"])
            .env("GITLAB_CI", "true")
            .env("CI_MERGE_REQUEST_IID", "7")
            .output()
            .unwrap(),
    );
    gitlab.exits(125).says(&["a pull request's own text names"]);
    // By the rules of the branch that it goes to it is.
    let base = town.house.git(&["rev-parse", "HEAD"]);
    pull(&["lint", "--policy-ref", base.trim(), "--", "true"]).exits(0);
}

#[test]
fn a_newest_entry_that_is_ahead_of_the_clock_is_named() {
    let house = crate::support::House::new(crate::support::POLICY);
    let mut ledger = Ledger::open(&house.path(".gate/ledger.db"), Access::Append).unwrap();
    let ahead = || now().plus(600).unwrap();
    let note = |transaction: &mut Transaction<'_>| -> Result<(), StoreError> {
        let (kind, actor) = (gate_ledger::entry::Kind::Note, serde_json::json!({"id": "os:x"}));
        let data = serde_json::json!({});
        let draft = gate_ledger::entry::Draft { kind, gate: None, reference: None, actor, data };
        transaction.append(&draft).map(drop)
    };
    assert!(ledger.append(std::time::Duration::from_secs(10), &ahead, note).is_ok());
    ledger.close().unwrap();
    house
        .check(&["lint", "--decision", "../d.json", "--", "true"])
        .exits(0)
        .says(&["ahead of this machine's clock"]);
    let decision: serde_json::Value =
        serde_json::from_slice(&std::fs::read(house.outside("d.json")).unwrap()).unwrap();
    assert!(decision["clock_ahead"].as_i64().unwrap() > 500, "{decision}");
}
