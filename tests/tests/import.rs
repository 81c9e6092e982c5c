//! Ignore files that exist already come in as requests; and waivers that nothing needs are named.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

mod support;

use support::{House, POLICY};

/// A house whose newest decision blocks on three vulnerabilities.
fn house() -> House {
    let house = House::new(POLICY);
    let line = |rule: &str, package: &str| {
        format!(
            "{{\"rule\":\"{rule}\",\"level\":\"error\",\"package\":\"{package}\",\"path\":\"Cargo.lock\"}}\n"
        )
    };
    house.write(
        "r.jsonl",
        [line("CVE-1", "libfoo"), line("CVE-2", "libbar"), line("CVE-2", "libfoo")].concat(),
    );
    house.check(&["scan", "r.jsonl"]).exits(1);
    house
}

fn blocking(house: &House) -> usize {
    house.check(&["scan", "r.jsonl"]).json()["blocking"].as_array().unwrap().len()
}

#[test]
fn each_entry_becomes_a_request_with_its_own_end() {
    let house = house();
    house.write(".trivyignore", "# never reached\nCVE-1 exp:2099-01-01\nCVE-9\nCVE-2 exp:2001-01-01\n");
    // The end is beyond what the rule allows, and is never clamped.
    house
        .skip(&["import", ".trivyignore"])
        .exits(1)
        .says(&[".trivyignore:2: CVE-1", "nothing was asked for"]);
    assert_eq!(blocking(&house), 3);
    let plan = house.skip(&["import", ".trivyignore", "--ttl", "14d", "--dry-run"]).exits(0);
    let rows: Vec<serde_json::Value> =
        plan.out().lines().map(|row| serde_json::from_str(row).unwrap()).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!((&rows[0]["entry"], &rows[0]["findings"]), (&"CVE-1".into(), &1.into()));
    assert_eq!(
        (&rows[1]["note"], &rows[2]["note"]),
        (&"fits nothing that blocks".into(), &"has ended".into())
    );
    assert_eq!(blocking(&house), 3, "a dry run asks for nothing");
    let ran = house.skip(&["import", ".trivyignore", "--ttl", "14d"]).exits(0);
    assert!(ran.out().contains("granted") && ran.out().contains("CVE-1"), "{}", ran.out());
    assert_eq!(blocking(&house), 2);
    house.sh("gate-verify --replay").exits(0);
}

#[test]
fn a_statement_that_something_does_not_matter_is_a_reason_and_no_grant() {
    let house = house();
    let vex = r#"{"@context":"https://openvex.dev/ns/v0.2.0","statements":[
        {"vulnerability":{"name":"CVE-2"},"products":[{"@id":"pkg:oci/app","subcomponents":[{"@id":"pkg:cargo/libbar@1"}]}],
         "status":"not_affected","justification":"component_not_present"}]}"#;
    house.write("app.openvex.json", vex);
    house.skip(&["import", "app.openvex.json"]).exits(0);
    let grant = house.of_kind("grant").pop().unwrap();
    let reason = grant["data"]["reason"].as_str().unwrap();
    assert!(reason.contains("component_not_present (imported from app.openvex.json:2)"), "{reason}");
    assert_eq!(blocking(&house), 2, "the other package's finding of the same rule blocks");
    let strict =
        House::new(&POLICY.replace("[\"waive\"]\nwho = [\"*\"]", "[\"waive\"]\nwho = [\"a@example.com\"]"));
    strict.write("r.jsonl", "{\"rule\":\"CVE-2\",\"package\":\"libbar\"}\n");
    strict.check(&["scan", "r.jsonl"]).exits(1);
    strict.write("app.openvex.json", vex);
    strict.skip(&["import", "app.openvex.json"]).exits(1).says(&["is for a@example.com"]);
    strict.check(&["scan", "r.jsonl"]).exits(1);
}

#[test]
fn one_entry_that_cannot_be_taken_leaves_nothing_in_the_ledger() {
    let house = house();
    let before = house.sh("gate-log --kind grant").out();
    let toml = "[[IgnoredVulns]]\nid = \"CVE-1\"\nreason = \"x\"\n[[PackageOverrides]]\nname = \"libbar\"\nignore = true\n";
    house.write("osv-scanner.toml", toml);
    house.skip(&["import", "osv-scanner.toml"]).exits(2).says(&["osv-scanner.toml:5: libbar"]);
    house.write(".snyk", "ignore:\n  CVE-1:\n    - '*':\n        expires: 2099-01-01T00:00:00Z\n");
    house.skip(&["import", ".snyk"]).exits(2).says(&[".snyk:3: CVE-1: it gives no reason", "--reason"]);
    house.write("baseline.json", "{\"results\":[{\"test_id\":\"CVE-2\",\"filename\":\"Cargo.lock\"}]}");
    house
        .skip(&["import", "baseline.json", "--reason", "x"])
        .exits(2)
        .says(&["more findings of it block now"]);
    house.skip(&["import", "gate.toml"]).exits(2).says(&["no ignore file that is known"]);
    assert_eq!(house.sh("gate-log --kind grant").out(), before);
}

#[test]
fn a_waiver_that_the_last_decisions_did_not_need_is_named_once() {
    let house = house();
    house.skip(&["scan", "--waive", "rule=CVE-1,package=libfoo", "--reason", "accepted"]).exits(0);
    house.check(&["scan", "r.jsonl"]).exits(1);
    let due =
        || house.sh("gate-log due --unneeded-after 3 --format json").exits(0).json()["unneeded"].clone();
    assert_eq!(due().as_array().unwrap().len(), 0, "the newest decision needed it");
    house.write("r.jsonl", "{\"rule\":\"CVE-2\",\"level\":\"error\",\"package\":\"libbar\"}\n");
    for _ in 0..4 {
        house.check(&["scan", "r.jsonl"]).exits(1);
    }
    let named = due();
    assert_eq!(named.as_array().unwrap().len(), 1);
    assert_eq!(named[0]["decisions"], 3);
    let command = format!("{} --reason 'not needed'", named[0]["command"].as_str().unwrap());
    house.sh(&command).exits(0);
    assert_eq!(due().as_array().unwrap().len(), 0);
}
