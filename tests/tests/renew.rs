//! gate-skip renew: the same again, through the rule again.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

mod support;

use serde_json::json;
use support::{House, Ran};

const POLICY: &str = r#"
version = 1

[identity]
allowed_signers = "allowed_signers"

[groups]
leads = ["bob@example.com"]

[gates.lint]
[[gates.lint.allow]]
actions = ["override", "pause"]
who = ["*"]
max_ttl = "4h"
max_renewals = 1

[gates.scan]
[[gates.scan.allow]]
actions = ["waive"]
who = ["*"]
max_ttl = "4h"

[gates.signed]
[[gates.signed.allow]]
actions = ["override"]
who = ["alice@example.com", "bob@example.com"]
assurance = "signed"
max_ttl = "4h"
max_renewals = 2
approvals = { count = 1, from = ["group:leads"] }
"#;

fn house() -> House {
    let house = House::without_ledger(POLICY);
    let line = |name: &str| format!("{name}@example.com {}\n", house.key(name).1);
    house.write("allowed_signers", line("alice") + &line("bob"));
    house.create_ledger(".gate/ledger.db");
    house
}

fn log(house: &House, args: &[&str]) -> Ran {
    Ran::of(house.tool("gate-log", args).output().unwrap())
}

fn verify(house: &House) {
    Ran::of(house.tool("gate-verify", &["--replay"]).output().unwrap()).exits(0);
}

const WHY: &[&str] = &["--reason", "it takes longer"];

fn renew<'a>(id: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["renew", id], WHY, more].concat()
}

#[test]
fn a_renewal_goes_through_the_rule_again_and_takes_over() {
    let house = house();
    let first =
        house.skip_as("dave", &["lint", "--action", "override", "--ttl", "1h", "--reason", "x"]).exits(0);
    let second = house.skip_as("dave", &renew(&first.id(), &["--ttl", "3h"])).exits(0);
    let (first, renewed) = (first.json(), second.json());
    assert_eq!(renewed["renews"]["id"], first["id"]);
    assert_eq!(renewed["renews"]["number"], 1);
    assert_eq!(renewed["scope"], first["scope"]);
    house.check_as("dave", &["lint", "--", "false"]).exits(0);
    assert_eq!(house.of_kind("decision")[0]["data"]["grants"], json!([renewed["id"]]));
    let list = house.check(&["--list", "--format", "json"]).exits(0).json();
    assert_eq!(list["gates"][0]["opt_outs"].as_array().unwrap().len(), 1, "{list}");
    house
        .skip_as("dave", &renew(&second.id(), &[]))
        .exits(1)
        .says(&["rule 1 allows 1 renewal in a row (this would be number 2): ask anew instead"]);
    house
        .skip_as("dave", &renew(&first["id"].to_string(), &[]))
        .exits(1)
        .says(&["ended it; ask anew instead"]);
    let stats = log(&house, &["stats"]).exits(0).json();
    assert_eq!((&stats["total"]["opt_outs"], &stats["total"]["renewals"]), (&json!(2), &json!(1)));
    assert_eq!(stats["total"]["revocations"], 0, "an end that a renewal brought is nobody's revocation");
    let report = log(&house, &["report", "--format", "json"]).exits(0).json();
    assert_eq!((&report["total"]["granted"], &report["total"]["renewed"]), (&json!(2), &json!(1)));
    assert_eq!(report["live"].as_array().unwrap().len(), 1, "{report}");
    verify(&house);
}

#[test]
fn what_a_rule_does_not_let_be_renewed_is_asked_for_anew() {
    let house = house();
    let waive = ["scan", "--waive", "rule=R,path=src/a", "--reason", "x"];
    let first = house.skip_as("dave", &waive).exits(0).id();
    house.skip_as("dave", &renew(&first, &[])).exits(1).says(&["has no max_renewals"]);
    let pause = house.skip_as("dave", &["lint", "--action", "pause", "--reason", "x"]).exits(0).id();
    house.skip_as("dave", &renew(&pause, &[])).exits(1).says(&["cannot renew a pause: pause the gate again"]);
    house.skip_as("dave", &renew("99", &[])).exits(2).says(&["the ledger has no entry '99'"]);
    house.skip_as("dave", &renew("0", &[])).exits(2).says(&["there is nothing to renew"]);
}

#[test]
fn somebody_elses_opt_out_is_theirs_to_renew() {
    let house = house();
    let first = house.skip_as("dave", &["lint", "--action", "override", "--reason", "x"]).exits(0).id();
    house
        .skip_as("mallory", &renew(&first, &["--ttl", "1m"]))
        .exits(1)
        .says(&["it is github:dave's, and only they can"]);
    house.check_as("dave", &["lint", "--", "false"]).exits(0);
    verify(&house);
}

#[test]
fn a_longer_renewal_than_the_rule_allows_is_denied() {
    let house = house();
    let first = house.skip_as("dave", &["lint", "--action", "override", "--reason", "x"]).exits(0).id();
    house.skip_as("dave", &renew(&first, &["--ttl", "5h"])).exits(1).says(&["allows at most --ttl 4h"]);
}

#[test]
fn a_signed_renewal_is_approved_anew_and_travels() {
    let house = house();
    let key = |name: &str| format!("--sign={}", house.outside(name).display());
    let (alice, bob) = (key("alice"), key("bob"));
    let ask = ["signed", "--action", "override", "--reason", "x", &alice];
    let first = house.skip(&ask).exits(3).id();
    house.skip(&["approve", &first, &bob]).exits(0);
    let packed = house.skip(&renew(&first, &[&alice, "--detached"])).exits(0);
    assert_eq!(packed.json()["renews"]["number"], 1);
    let path = house.write("renewal.json", &packed.stdout);
    let path = path.to_str().unwrap();
    let second = house.skip(&["submit", path]).exits(3).id();
    house.skip(&["submit", path]).exits(1).says(&["this request was submitted before"]);
    house.skip(&["approve", &second, &bob]).exits(0).says(&["granted"]);
    house.skip(&renew(&first, &[&alice])).exits(1).says(&["ended it"]);
    house.check(&["signed", "--", "false"]).exits(0);
    verify(&house);
    // What was signed says which renewal in a row it is.
    let more = house.skip(&renew(&second, &[&alice, "--detached"])).exits(0).json();
    assert_eq!(more["renews"]["number"], 2);
    let mut less = more;
    less["renews"]["number"] = json!(1);
    let path = house.write("less.json", less.to_string());
    house.skip(&["submit", path.to_str().unwrap()]).exits(1);
}

#[test]
fn a_rehearsal_of_a_renewal_records_nothing() {
    let house = house();
    let first = house.skip_as("dave", &["lint", "--action", "override", "--reason", "x"]).exits(0).id();
    let before = log(&house, &[]).out();
    house.skip_as("dave", &renew(&first, &["--dry-run"])).exits(0).says(&["this was a rehearsal"]);
    assert_eq!(log(&house, &[]).out(), before);
}

/// What is due, for who has nothing but the ledger.
fn due(house: &House) -> serde_json::Value {
    let mut command = house.tool("gate-log", &["due"]);
    command.current_dir(house.outside("")).env("GATE_LEDGER", house.path(".gate/ledger.db"));
    Ran::of(command.output().unwrap()).exits(0).json()
}

#[test]
fn a_renewal_is_offered_by_the_newest_rules_and_not_by_those_of_the_grant() {
    let house = house();
    let first = house.skip_as("dave", &["lint", "--action", "override", "--reason", "x"]).exits(0).id();
    let command = || due(&house)["ending"][0]["command"].to_string();
    assert!(command().contains(&format!("gate-skip renew {first}")), "{}", command());
    house.write("gate.toml", POLICY.replacen("max_renewals = 1\n", "", 1));
    house.check(&["lint", "--", "true"]).exits(0);
    assert!(command().contains("gate-skip lint --action override"), "{}", command());
}

#[test]
fn what_is_due_is_told_where_git_cannot_read_the_checkout() {
    let house = house();
    let first = house.skip_as("dave", &["lint", "--action", "override", "--reason", "x"]).exits(0).id();
    house.write(".git/config", "[broken");
    let due = log(&house, &["due"]).exits(0);
    let told = due.says(&["warning: goes by the policies that the ledger holds", "bad config"]).json();
    assert_eq!(told["ending"][0]["command"], format!("gate-skip renew {first}"));
    log(&house, &["due", "--within", "1d"]).exits(1);
}

#[test]
fn a_renewal_of_what_has_ended_waits_for_nobody() {
    let house = house();
    let [alice, bob] = ["alice", "bob"].map(|name| format!("--sign={}", house.outside(name).display()));
    let ask = ["signed", "--action", "override", "--reason", "x", &alice];
    let first = house.skip(&ask).exits(3).id();
    house.skip(&["approve", &first, &bob]).exits(0);
    house.skip(&renew(&first, &[&alice])).exits(3);
    assert_eq!(due(&house)["requests"].as_array().unwrap().len(), 1);
    house.skip(&["revoke", &first, "--reason", "done", &alice]).exits(0);
    assert_eq!(due(&house)["requests"], json!([]));
    verify(&house);
}
