//! Decisions that used no opt-out wait until somebody sends them.

use serde_json::Value;

use crate::support::Ran;
use crate::town::{Runner, Town};

/// The entries of decisions that waited.
fn waited(town: &Town) -> Vec<Value> {
    town.entries().into_iter().filter(|entry| entry["data"].get("waited").is_some()).collect()
}

/// A town whose policy is recorded, so that what is plain waits.
fn settled() -> Town {
    let town = Town::batch();
    town.runner("first").check(&["lint", "--", "true"]).exits(0);
    town
}

#[track_caller]
fn replays(town: &Town) {
    let auditor = town.runner("auditor");
    auditor.log(&["sync"]).exits(0);
    let verified = Ran::of(auditor.command("gate-verify", &["--replay"]).output().unwrap()).exits(0).json();
    assert_eq!(verified["replay"]["disagreements"], serde_json::json!([]), "{verified}");
}

#[test]
fn a_plain_decision_waits_and_is_sent_by_sync() {
    let town = settled();
    let (a, before) = (town.runner("a"), town.entries().len());
    let (ran, decision) = a.decide(&["true"]);
    ran.exits(0).says(&["waits to be sent"]);
    assert_eq!((&decision["recorded"], &decision["waiting"]), (&Value::Null, &Value::Bool(true)));
    a.check(&["lint", "--", "false"]).exits(1);
    assert_eq!(town.entries().len(), before);
    assert_eq!(a.log(&["remote"]).exits(0).json()["waiting"], 2);
    assert_eq!(a.log(&["sync"]).exits(0).json()["sent"], 2);
    assert_eq!(a.log(&["sync"]).exits(0).json()["sent"], 0);
    let verdicts: Vec<Value> = waited(&town).iter().map(|entry| entry["data"]["decision"].clone()).collect();
    assert_eq!(verdicts, ["pass", "fail"]);
    assert!(waited(&town).iter().all(|entry| entry["data"]["waited"].get("reported_by").is_none()));
    replays(&town);
}

#[test]
fn what_waits_goes_before_the_next_binding_entry_in_order() {
    let town = settled();
    let a = town.runner("a");
    a.check(&["lint", "--", "false"]).exits(1);
    a.skip(&["lint", "--reason", "it is broken", "--uses", "1"]).exits(0);
    a.check(&["lint", "--", "false"]).exits(0);
    let kinds: Vec<Value> = town.entries().iter().rev().take(3).map(|entry| entry["kind"].clone()).collect();
    assert_eq!(kinds, ["decision", "grant", "decision"]);
    assert_eq!(waited(&town).len(), 1);
    assert_eq!(a.waiting(), Vec::<Value>::new());
    replays(&town);
}

#[test]
fn the_first_decision_by_new_rules_takes_them_along() {
    let town = settled();
    let text = town.house.read("gate.toml") + "\n[gates.new]\n";
    town.house.write("gate.toml", text);
    let (ran, decision) = town.runner("a").decide(&["true"]);
    ran.exits(0);
    assert!(decision["recorded"].is_u64(), "{decision}");
}

/// A fork's run that failed although somebody granted an override.
fn of_a_fork(town: &Town) -> Runner<'_> {
    town.runner("laptop").skip(&["lint", "--reason", "known", "--action", "override"]).exits(0);
    town.close();
    let fork = town.runner("fork");
    let (ran, decision) = fork.decide(&["false"]);
    ran.exits(1);
    assert_eq!((&decision["waiting"], &decision["would_use"][0]["reason"]), (&true.into(), &"known".into()));
    std::fs::remove_file(town.host().join("hooks/pre-receive")).unwrap();
    fork
}

#[test]
fn what_came_out_of_a_forks_run_is_reported_once_by_who_may_write() {
    let town = settled();
    let fork = of_a_fork(&town);
    let mut file = fork.copy().into_os_string();
    file.push("-waiting");
    let file = file.into_string().unwrap();
    let sender = |name: &str| {
        let runner = town.runner(name);
        let mut command = runner.command("gate-log", &["sync", "--from", &file]);
        Ran::of(command.env("GATE_ACTOR", "maintainer").output().unwrap()).exits(0).json()["sent"].clone()
    };
    assert_eq!((sender("m1"), sender("m2")), (1.into(), 0.into()));
    let sent = waited(&town);
    assert_eq!(sent.len(), 1);
    assert!(sent[0]["data"]["waited"]["reported_by"]["id"].as_str().unwrap().contains("maintainer"));
    // The fork's own file is offered later, too.
    assert_eq!(fork.log(&["sync"]).exits(0).json()["sent"], 0);
    replays(&town);
}

#[test]
fn a_run_that_reaches_nobody_lets_its_decision_wait() {
    let town = settled();
    let a = town.runner("a");
    a.log(&["sync"]).exits(0);
    let away = town.house.outside("away.git");
    std::fs::rename(town.host(), &away).unwrap();
    let (ran, decision) = a.decide(&["true"]);
    ran.exits(0);
    assert_eq!(decision["waiting"], true);
    std::fs::rename(&away, town.host()).unwrap();
    assert_eq!(a.log(&["sync"]).exits(0).json()["sent"], 1);
    replays(&town);
}

/// What is refused of a line that `forge` made of an honest one.
#[track_caller]
fn is_refused(forge: impl Fn(&mut Value), word: &str) {
    let town = settled();
    let a = town.runner("a");
    a.check(&["lint", "--", "false"]).exits(1);
    let mut line = a.waiting().remove(0);
    forge(&mut line);
    let file = town.house.write("forged", format!("{line}\n"));
    let before = town.entries().len();
    let sent = town.runner("m").log(&["sync", "--from", file.to_str().unwrap()]);
    sent.exits(4).says(&["line 1 of", word]);
    assert_eq!(town.entries().len(), before);
}

#[test]
fn a_line_that_uses_an_opt_out_is_refused() {
    is_refused(|line| line["data"]["grants"] = serde_json::json!([3]), "uses an opt-out");
    is_refused(|line| line["data"]["decision"] = "override".into(), "uses an opt-out");
    is_refused(|line| line["data"]["decision"] = "skip".into(), "uses an opt-out");
}

#[test]
fn a_line_that_no_audit_would_agree_with_is_refused() {
    is_refused(|line| line["data"]["decision"] = "pass".into(), "judged again");
    is_refused(|line| line["data"]["judge"] = 99.into(), "judge 99");
    is_refused(|line| line["gate"] = "deploi".into(), "judged again");
    is_refused(|line| line["data"]["judged_at"] = "2020-01-01T00:00:00Z".into(), "judged again");
}

#[test]
fn a_line_that_passes_over_a_pause_is_refused() {
    let town = settled();
    let freeze = ["lint", "--action", "pause", "--reason", "freeze", "--ttl", "1h"];
    town.runner("laptop").skip(&freeze).exits(0);
    let a = town.runner("a");
    a.check(&["deploy", "--", "true"]).exits(0);
    let mut line = a.waiting().remove(0);
    line["gate"] = "lint".into();
    let file = town.house.write("forged", format!("{line}\n"));
    let sent = town.runner("m").log(&["sync", "--from", file.to_str().unwrap()]);
    sent.exits(4).says(&["judged again", "paus"]);
}

#[test]
fn a_line_of_another_ledger_or_of_other_rules_is_refused() {
    is_refused(|line| line["ledger"] = "0".repeat(32).into(), "another ledger");
    is_refused(|line| line["head"]["seq"] = 99.into(), "not in the ledger");
    let other = format!("b3:{}", "0".repeat(64));
    is_refused(|line| line["head"]["hash"] = other.clone().into(), "not in the ledger");
    is_refused(|line| line["data"]["policy"]["digest"] = other.clone().into(), "policy that is not");
    is_refused(|line| line["data"]["policy"]["source"] = "rev:main".into(), "policy that is not");
}

#[test]
fn a_line_with_another_id_is_another_decision_and_one_with_more_in_it_none() {
    is_refused(|line| line["kind"] = "grant".into(), "unknown field");
    is_refused(|line| line["id"] = "1".into(), "32 digits");
}
