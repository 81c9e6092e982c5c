//! gate-skip: requests, approvals, break-glass, reviews, revocations, signatures.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

mod support;

use serde_json::{Value, json};
use support::{House, POLICY, Ran, result, sarif};

const APPROVED: &str = r#"
version = 1

[people]
"alice@example.com" = ["github:alice"]
"bob@example.com" = ["github:bob"]
"carol@example.com" = ["github:carol"]

[groups]
leads = ["alice@example.com", "bob@example.com", "carol@example.com"]

[gates.lint]
[[gates.lint.allow]]
actions = ["override"]
who = ["*"]
max_ttl = "2h"
approvals = { count = 2, from = ["group:leads"], assurance = "asserted" }

[gates.deploy]
[[gates.deploy.allow]]
actions = ["skip"]
who = ["group:leads"]
assurance = "asserted"
break_glass = true
max_ttl = "1h"
review_within = "24h"
"#;

fn ask(house: &House) -> String {
    house.skip_as("dave", &["lint", "--action", "override", "--reason", "x"]).exits(3).id()
}

#[test]
fn two_approvals_of_two_people_grant() {
    let house = House::new(APPROVED);
    let id = ask(&house);
    house.check_as("dave", &["lint", "--", "false"]).exits(1);
    house.skip_as("bob", &["approve", &id]).exits(3);
    house.skip_as("bob", &["approve", &id]).exits(1);
    house.check_as("dave", &["lint", "--", "false"]).exits(1);
    let granted = house.skip_as("carol", &["approve", &id, "--reason", "seen"]).exits(0).json();
    assert_eq!(granted["status"], "granted");
    assert_eq!(granted["id"].to_string(), id);
    house.check_as("dave", &["lint", "--", "false"]).exits(0);
    house.skip_as("alice", &["approve", &id]).exits(2);
}

#[test]
fn the_requester_and_a_stranger_do_not_approve() {
    let house = House::new(APPROVED);
    let id = house.skip_as("alice", &["lint", "--action", "override", "--reason", "x"]).exits(3).id();
    house.skip_as("alice", &["approve", &id]).exits(1);
    house.skip_as("mallory", &["approve", &id]).exits(1);
    house.skip(&["approve", &id]).exits(1);
    assert!(house.of_kind("approval").is_empty());
    assert_eq!(house.of_kind("denial").len(), 3, "each attempt is on record");
}

#[test]
fn a_rejection_ends_a_request_even_after_a_refused_attempt() {
    let house = House::new(APPROVED);
    let id = house.skip_as("alice", &["lint", "--action", "override", "--reason", "x"]).exits(3).id();
    house.skip_as("alice", &["approve", &id]).exits(1);
    house.skip_as("bob", &["reject", &id, "--reason", "no"]).exits(1);
    house.skip_as("bob", &["approve", &id]).exits(2);
    house.skip_as("carol", &["approve", &id]).exits(2);
    assert!(house.of_kind("grant").is_empty());
}

#[test]
fn a_granted_request_is_not_granted_again_after_a_refused_attempt() {
    let house = House::new(APPROVED);
    let id = house.skip_as("alice", &["lint", "--action", "override", "--reason", "x"]).exits(3).id();
    house.skip_as("mallory", &["approve", &id]).exits(1);
    house.skip_as("bob", &["approve", &id]).exits(3);
    house.skip_as("carol", &["approve", &id]).exits(0);
    assert_eq!(house.skip_as("carol", &["approve", &id]).code, 2);
    assert_eq!(house.of_kind("grant").len(), 1);
}

#[test]
fn a_revoked_request_is_not_approved_after_a_refused_attempt() {
    let house = House::new(APPROVED);
    let id = ask(&house);
    house.skip_as("dave", &["approve", &id]).exits(1);
    house.skip_as("dave", &["revoke", &id, "--reason", "not needed"]).exits(0);
    house.skip_as("bob", &["approve", &id]).exits(2);
}

#[test]
fn an_approval_given_by_the_command_itself_does_not_excuse_it() {
    let house = House::new(APPROVED);
    let id = ask(&house);
    house.skip_as("bob", &["approve", &id]).exits(3);
    let script = format!("GITHUB_ACTOR=carol gate-skip approve {id} >&2; exit 1");
    house.check_as("dave", &["lint", "--", "sh", "-c", &script]).exits(1);
    assert_eq!(house.of_kind("grant").len(), 1);
    house.check_as("dave", &["lint", "--", "false"]).exits(0);
}

#[test]
fn break_glass_grants_at_once_and_owes_a_review_that_the_requester_cannot_give() {
    let house = House::new(APPROVED);
    house.skip_as("alice", &["deploy", "--reason", "fire"]).exits(1);
    let granted = house.skip_as("alice", &["deploy", "--reason", "fire", "--break-glass"]).exits(0).json();
    assert_eq!(granted["owes"]["what"], "review");
    let id = granted["id"].to_string();
    house.check_as("dave", &["deploy", "--", "false"]).exits(0);
    let review = |actor: &str| {
        house.skip_as(actor, &["review", &id, "--verdict", "accepted", "--reason", "was right"])
    };
    review("alice").exits(1);
    review("mallory").exits(1);
    let reviewed = review("bob").exits(0).json();
    assert_eq!(reviewed["status"], "reviewed");
    review("carol").exits(2);
    house.skip_as("bob", &["review", &id, "--verdict", "splendid", "--reason", "x"]).exits(2);
    house.skip_as("bob", &["review", &id, "--verdict", "accepted"]).exits(2);
}

#[test]
fn a_denial_is_recorded_and_names_each_rule() {
    let house = House::new(APPROVED);
    let denied = house.skip_as("mallory", &["deploy", "--reason", "let me"]).exits(1).json();
    assert_eq!(denied["status"], "denied");
    let reasons = denied["reasons"].to_string();
    assert!(
        reasons.contains("rule 1") && reasons.contains("group:leads") && reasons.contains("--break-glass"),
        "{reasons}"
    );
    let entry = &house.of_kind("denial")[0];
    assert_eq!(entry["actor"]["id"], "github:mallory");
    assert_eq!(entry["data"]["reasons"], denied["reasons"]);
    assert_eq!(entry["seq"], denied["seq"]);
}

#[test]
fn scope_options_bind_and_outside_git_a_run_or_an_environment_is_needed() {
    let house = House::new(POLICY);
    let first = house.git(&["rev-parse", "HEAD"]);
    house.commit("second");
    let granted = house.skip(&["lint", "--commit", &first[..10], "--reason", "x"]).exits(0).json();
    assert_eq!(granted["scope"]["commit"], first.as_str());
    house.check(&["lint", "--", "false"]).exits(1);
    house.skip(&["lint", "--commit", "nope", "--reason", "x"]).exits(2);
    house.skip(&["lint", "--ref", "main", "--reason", "x"]).exits(2);
    house.skip(&["lint", "--ref", "refs/heads/*", "--reason", "x"]).exits(1);

    let outside = house.outside("plain");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("gate.toml"), POLICY).unwrap();
    let ledger = house.path(".gate/ledger.db").display().to_string();
    let there = |tool: &str, args: &[&str]| {
        let mut command = house.tool(tool, args);
        Ran::of(command.current_dir(&outside).env("GATE_LEDGER", &ledger).output().unwrap())
    };
    there("gate-skip", &["lint", "--reason", "x"]).exits(2).says(&["--run or --environment"]);
    there("gate-check", &["lint", "--", "true"]).exits(0);
}

#[test]
fn a_decision_is_waived_from_a_file_from_stdin_and_nothing_is_asked_where_nothing_blocks() {
    let house = House::new(POLICY);
    house.write(
        "scan.sarif",
        sarif(&[result("R1", "error", "src/a.py", 1), result("R2", "error", "src/b.py", 1)]),
    );
    house.check(&["scan", "scan.sarif", "--decision", "d.json"]).exits(1);
    let granted =
        house.skip_stdin(&["-", "--reason", "both are fine"], house.read("d.json").as_bytes()).exits(0);
    assert_eq!(granted.json()["action"], "waive");
    let passed = house.check(&["scan", "scan.sarif"]).exits(0);
    assert_eq!(passed.json()["waived"].as_array().unwrap().len(), 2);
    let before = house.entries().len();
    let nothing = house.skip_stdin(&["-", "--reason", "x"], &passed.stdout).exits(0);
    assert_eq!(nothing.json()["status"], "nothing");
    assert_eq!(nothing.json()["seq"], Value::Null);
    assert_eq!(house.entries().len(), before);
}

#[test]
fn a_decision_that_held_or_failed_without_findings_cannot_be_waived_and_says_what_can_be_done() {
    let house = House::new(POLICY);
    house.check(&["lint", "--decision", "d.json", "--", "false"]).exits(1);
    house.skip(&["./d.json", "--reason", "x"]).exits(2).says(&["--action override"]);
    house.granted(&["lint", "--action", "pause"]);
    house.check(&["lint", "--decision", "d.json", "--", "false"]).exits(75);
    house.skip(&["d.json", "--reason", "x"]).exits(2).says(&["resume lint"]);
}

#[test]
fn the_documented_pipeline_works_as_written() {
    let house = House::new(POLICY);
    house.write("scan.sarif", sarif(&[result("R1", "error", "src/a.py", 1)]));
    let script = "gate-check scan scan.sarif > decision.json || \
                  gate-skip decision.json --reason 'fix is in review' --ticket SEC-12 --ttl 7d";
    house.sh(script).exits(0);
    house.check(&["scan", "scan.sarif"]).exits(0);
}

#[test]
fn a_quota_has_no_more_places_than_it_says() {
    let policy =
        POLICY.replacen("max_ttl = \"24h\"\n", "max_ttl = \"24h\"\nquota = { max = 2, per = \"7d\" }\n", 1);
    let house = House::new(&policy);
    house.granted(&["lint"]);
    house.granted(&["lint", "--action", "override"]);
    let denied = house.skip(&["lint", "--reason", "x"]).exits(1).json();
    assert!(denied["reasons"].to_string().contains("quota"), "{denied}");
    // Neither a revocation nor a comment in the policy gives a place back.
    house.skip(&["revoke", "2", "--reason", "x"]).exits(0);
    house.write("gate.toml", format!("# a comment\n{policy}"));
    house.skip(&["lint", "--reason", "x"]).exits(1);
}

#[test]
fn resume_and_revoke_need_a_reason_and_the_right() {
    let policy = APPROVED.to_owned()
        + "\n[gates.hold]\n[[gates.hold.allow]]\nactions=[\"pause\"]\nwho=[\"group:leads\"]\nassurance=\"asserted\"\nmax_ttl=\"1h\"\n";
    let house = House::new(&policy);
    let id = house.skip_as("alice", &["hold", "--action", "pause", "--reason", "freeze"]).exits(0).id();
    house.skip_as("mallory", &["resume", "hold", "--reason", "x"]).exits(1);
    house.skip_as("mallory", &["revoke", &id, "--reason", "x"]).exits(1);
    house.skip_as("bob", &["resume", "hold"]).exits(2);
    house.check_as("mallory", &["hold", "--", "true"]).exits(75);
    house.skip_as("bob", &["resume", "hold", "--reason", "done"]).exits(0);
    house.check_as("mallory", &["hold", "--", "true"]).exits(0);
    let before = house.entries().len();
    assert_eq!(
        house.skip_as("bob", &["resume", "hold", "--reason", "done"]).exits(0).json()["status"],
        "nothing"
    );
    assert_eq!(house.entries().len(), before);
}

// Signatures.

const SIGNED: &str = r#"
version = 1
[identity]
allowed_signers = "signers"
[gates.lint]
[[gates.lint.allow]]
actions = ["skip", "override", "pause"]
who = ["alice@example.com", "bob@example.com"]
assurance = "signed"
max_ttl = "2h"
max_uses = 5
[gates.scan]
[[gates.scan.allow]]
actions = ["waive"]
who = ["alice@example.com"]
assurance = "signed"
max_level = "warning"
max_ttl = "14d"
[gates.two]
[[gates.two.allow]]
actions = ["skip"]
who = ["alice@example.com"]
assurance = "signed"
max_ttl = "1h"
approvals = { count = 1, from = ["bob@example.com", "alice@example.com"] }
"#;

struct Signed {
    house: House,
    alice: String,
    bob: String,
    mallory: String,
}

fn signed() -> Signed {
    let house = House::without_ledger(SIGNED);
    let (alice, alice_public) = house.key("alice");
    let (bob, bob_public) = house.key("bob");
    let (mallory, _) = house.key("mallory");
    house.write("signers", format!("alice@example.com {alice_public}\nbob@example.com {bob_public}\n"));
    house.create_ledger(".gate/ledger.db");
    house.commit("keys");
    let sign = |path: String| format!("--sign={path}");
    Signed { house, alice: sign(alice), bob: sign(bob), mallory: sign(mallory) }
}

#[test]
fn a_signed_request_is_granted_to_the_keys_principal_and_counts() {
    let Signed { house, alice, .. } = signed();
    house.skip(&["lint", "--reason", "unsigned"]).exits(1);
    let granted = house.skip(&["lint", "--reason", "x", &alice]).exits(0).json();
    assert_eq!(granted["by"]["id"], "alice@example.com");
    assert_eq!(granted["by"]["assurance"], "signed");
    assert!(granted["by"]["key"].as_str().unwrap().starts_with("SHA256:"));
    house.check(&["lint", "--", "false"]).exits(0);
}

#[test]
fn a_signed_waiver_and_a_signed_pause_count() {
    let Signed { house, alice, bob, .. } = signed();
    house.write("scan.sarif", sarif(&[result("R1", "warning", "src/a.py", 1)]));
    house.check(&["scan", "scan.sarif"]).exits(1);
    house.skip(&["scan", "--waive", "rule=R1,path=src/*", "--reason", "x", &alice]).exits(0);
    house.check(&["scan", "scan.sarif"]).exits(0);
    house.skip(&["lint", "--action", "pause", "--reason", "x", &alice]).exits(0);
    house.check(&["lint", "--", "true"]).exits(75);
    house.skip(&["resume", "lint", "--reason", "x"]).exits(1);
    house.check(&["lint", "--", "true"]).exits(75);
    house.skip(&["resume", "lint", "--reason", "x", &bob]).exits(0);
    house.check(&["lint", "--", "true"]).exits(0);
}

#[test]
fn a_key_that_nobody_listed_signs_nothing() {
    let Signed { house, mallory, bob, .. } = signed();
    house.skip(&["lint", "--reason", "x", &mallory]).exits(2);
    house.skip(&["lint", "--reason", "x", &mallory, "--as", "alice@example.com"]).exits(2);
    house.skip(&["lint", "--reason", "x", &bob, "--as", "alice@example.com"]).exits(2);
    assert_eq!(house.entries().len(), 1);
}

#[test]
fn a_signed_approval_completes_a_request_and_the_requesters_own_does_not() {
    let Signed { house, alice, bob, .. } = signed();
    let id = house.skip(&["two", "--reason", "x", &alice]).exits(3).id();
    house.skip(&["approve", &id]).exits(1);
    house.skip(&["approve", &id, &alice]).exits(1);
    house.skip(&["approve", &id, &bob]).exits(0);
    house.check(&["two", "--", "false"]).exits(0);
    house.skip(&["revoke", &id, "--reason", "x"]).exits(1);
    house.skip(&["revoke", &id, "--reason", "x", &bob]).exits(0);
    house.check(&["two", "--", "false"]).exits(1);
}

fn detached(house: &House, sign: &str) -> String {
    house.skip(&["lint", "--reason", "signed elsewhere", "--ttl", "1h", sign, "--detached"]).exits(0).out()
}

#[test]
fn a_detached_request_is_submitted_once() {
    let Signed { house, alice, .. } = signed();
    let request = detached(&house, &alice);
    assert_eq!(house.entries().len(), 1, "--detached records nothing");
    house.write("r.json", &request);
    house.skip(&["submit", "r.json"]).exits(0);
    house.check(&["lint", "--", "false"]).exits(0);
    let replayed = house.skip(&["submit", "r.json"]).exits(1).json();
    assert!(replayed["reasons"].to_string().contains("submitted before"), "{replayed}");
    let Signed { house: other, .. } = signed();
    let ran = other.skip_stdin(&["submit", "-"], request.as_bytes());
    assert_eq!(ran.code, 1, "another ledger: {}", ran.stderr);
}

/// Whoever carries a signed request elsewhere must not be able to burn it.
#[test]
fn a_request_that_was_denied_for_where_it_was_submitted_is_not_spent() {
    let Signed { house, alice, .. } = signed();
    house.write("r.json", detached(&house, &alice));
    house.write("gate.toml", format!("{SIGNED}# another policy\n"));
    house.skip(&["submit", "r.json"]).exits(1).says(&["another policy"]);
    house.write("gate.toml", SIGNED);
    let denied = house.of_kind("denial").pop().unwrap();
    assert_eq!(denied["actor"]["assurance"], "signed", "the signature itself holds");
    house.skip(&["submit", "r.json"]).exits(0);
    house.skip(&["submit", "r.json"]).exits(1).says(&["submitted before"]);
    house.check(&["lint", "--", "false"]).exits(0);
    let replayed = Ran::of(house.tool("gate-verify", &["--replay"]).output().unwrap()).exits(0).json();
    assert_eq!(replayed["replay"]["disagreements"], json!([]));
}

/// A pattern trusts an authority here, and the authority's certificate says who it is.
#[test]
fn a_certificate_names_its_holder_who_may_approve() {
    let Signed { house, alice, .. } = signed();
    let (_, authority) = house.key("ca");
    let (holder, _) = house.key("holder");
    let ca = house.outside("ca").display().to_string();
    house.sh(&format!("ssh-keygen -q -s {ca} -I bob -n bob@example.com -V -1d:+1d {holder}.pub")).exits(0);
    let alices = house.read("signers").lines().next().unwrap().to_owned();
    house.write("signers", format!("{alices}\n*@example.com cert-authority {authority}\n"));
    house.commit("authority");
    let bob = format!("--sign={holder}-cert.pub");
    let linted = Ran::of(house.tool("gate-verify", &["policy"]).output().unwrap()).exits(0).json();
    assert!(!linted["warnings"].to_string().contains("nobody-can-sign"), "{linted}");
    let id = house.skip(&["two", "--reason", "x", &alice]).exits(3).id();
    house.skip(&["approve", &id, &bob, "--as", "alice@example.com"]).exits(2);
    house.skip(&["approve", &id, &bob]).exits(0);
    let approval = house.of_kind("approval").pop().unwrap();
    assert_eq!(
        (&approval["actor"]["via"], &approval["actor"]["id"]),
        (&json!("ssh"), &json!("bob@example.com"))
    );
    house.check(&["two", "--", "false"]).exits(0);
}

/// A key that a pattern names may ask as anybody, and is taken for nobody in particular.
#[test]
fn a_key_that_a_pattern_names_neither_approves_its_own_request_nor_revokes_anothers() {
    let Signed { house, alice, bob, mallory } = signed();
    let people =
        "[people]\n\"alice@example.com\" = [\"github:alice\"]\n\"bob@example.com\" = [\"github:bob\"]\n";
    house.write("gate.toml", format!("{SIGNED}\n{people}"));
    let public = std::fs::read_to_string(house.outside("mallory.pub")).unwrap();
    house.write("signers", format!("{}*@example.com {public}", house.read("signers")));
    house.commit("a pattern");
    let as_alice = [mallory.as_str(), "--as", "alice@example.com"];
    // Bob holds that key, asks as Alice, and would approve as himself.
    let asked = house.skip(&[&["two", "--reason", "x"], &as_alice[..]].concat()).exits(3).id();
    house.skip(&["approve", &asked, &bob]).exits(1).says(&["by a pattern"]);
    house.skip(&[&["revoke", asked.as_str(), "--reason", "x"], &as_alice[..]].concat()).exits(0);
    let id = house.skip(&["two", "--reason", "x", &alice]).exits(3).id();
    house.skip(&["approve", &id, &bob]).exits(0);
    house.write(
        "gate.toml",
        format!("{SIGNED}\n{people}").replace(
            "who = [\"alice@example.com\"]\nassurance = \"signed\"\nmax_ttl = \"1h\"",
            "who = [\"carol@example.com\"]\nassurance = \"signed\"\nmax_ttl = \"1h\"",
        ),
    );
    house.skip(&[&["revoke", id.as_str(), "--reason", "x"], &as_alice[..]].concat()).exits(1);
    house.skip(&["revoke", &id, "--reason", "x", &alice]).exits(0);
}

/// Every member of a signed request, changed in turn.
#[test]
fn no_edited_request_is_granted() {
    let Signed { house, alice, .. } = signed();
    let request: Value = serde_json::from_str(&detached(&house, &alice)).unwrap();
    let edits = [
        ("reason", json!("another reason")),
        ("gate", json!("two")),
        ("action", json!("override")),
        ("ttl", json!({"text": "2h", "seconds": 7200})),
        ("max_uses", json!(5)),
        ("by", json!("bob@example.com")),
        ("nonce", json!("00000000000000000000000000000000")),
        ("submit_by", json!("2099-01-01T00:00:00.000000Z")),
        ("scope", json!({})),
        ("ledger", json!("b3:00")),
        ("policy", json!("b3:00")),
        ("ticket", json!("T-1")),
        ("break_glass", json!(true)),
        ("seen_head", json!({"seq": 0, "hash": "b3:00"})),
    ];
    for (name, value) in edits {
        let mut edited = request.clone();
        edited[name] = value;
        let ran = house.skip_stdin(&["submit", "-"], edited.to_string().as_bytes());
        assert!(matches!(ran.code, 1 | 2), "{name}: {} {}", ran.code, ran.stderr);
    }
    let mut unsigned = request.clone();
    unsigned.as_object_mut().unwrap().remove("signature");
    house.skip_stdin(&["submit", "-"], unsigned.to_string().as_bytes()).exits(1);
    assert!(house.of_kind("grant").is_empty());
    assert!(house.of_kind("denial").iter().all(|entry| entry["actor"]["assurance"] == "asserted"));
    // None of them has spent the real one.
    house.skip_stdin(&["submit", "-"], request.to_string().as_bytes()).exits(0);
    house.skip_stdin(&["submit", "-"], request.to_string().as_bytes()).exits(1);
}

#[test]
fn a_request_dated_ahead_does_not_outlive_its_seven_days() {
    let Signed { house, alice, .. } = signed();
    let args = ["lint", "--reason", "x", alice.as_str(), "--detached"];
    let mut ahead = house.plain("faketime");
    ahead.args(["-f", "+30d"]).arg(support::bin("gate-skip")).args(args);
    let request = Ran::of(ahead.output().unwrap()).exits(0).out();
    let dated: Value = serde_json::from_str(&request).unwrap();
    assert!(
        dated["requested_at"].as_str().unwrap() > support::now().plus(86_400).unwrap().to_string().as_str(),
        "faketime does not move this binary's clock"
    );
    house.skip_stdin(&["submit", "-"], request.as_bytes()).exits(1);
    let mut late = house.plain("faketime");
    house.write("r.json", detached(&house, &alice));
    late.args(["-f", "+8d"]).arg(support::bin("gate-skip")).args(["submit", "r.json"]);
    Ran::of(late.output().unwrap()).exits(1);
}

#[test]
fn hostile_requests_are_errors_with_a_place() {
    let Signed { house, alice, .. } = signed();
    let request = detached(&house, &alice);
    let doubled = request.replacen('{', "{\"reason\":\"first\",", 1);
    let unknown = request.replacen('{', "{\"surprise\":1,", 1);
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let float = request.replacen("\"seconds\":3600", "\"seconds\":3600.0", 1);
    let cut = &request[..request.len() / 2];
    let members: Value = serde_json::from_str(&request).unwrap();
    let list = Value::from(members.as_object().unwrap().values().cloned().collect::<Vec<_>>()).to_string();
    house.skip_stdin(&["submit", "-"], list.as_bytes()).exits(2).says(&["not a JSON object"]);
    house.write("list.json", "[\"gate.decision/1\"]");
    house.skip(&["list.json", "--reason", "x"]).exits(2).says(&["not a JSON object"]);
    for (what, text) in [
        ("doubled", doubled.as_bytes()),
        ("unknown", unknown.as_bytes()),
        ("deep", deep.as_bytes()),
        ("float", float.as_bytes()),
        ("cut", cut.as_bytes()),
        ("empty", b""),
        ("nul", b"\0\0\0"),
        ("latin-1", b"{\"reason\":\"\xe9\"}"),
        ("a list", b"[]"),
        ("a decision", b"{\"schema\":\"gate.decision/1\"}"),
    ] {
        let ran = house.skip_stdin(&["submit", "-"], text);
        assert_eq!(ran.code, 2, "{what}: {} {}", ran.out(), ran.stderr);
        assert!(ran.stderr.starts_with("gate-skip: "), "{what}: {}", ran.stderr);
    }
    assert_eq!(house.entries().len(), 1);
}

#[test]
fn a_key_that_was_taken_away_counts_no_more() {
    let Signed { house, alice, .. } = signed();
    house.skip(&["lint", "--reason", "x", &alice]).exits(0);
    house.check(&["lint", "--", "false"]).exits(0);
    let without =
        house.read("signers").lines().filter(|line| !line.starts_with("alice")).collect::<String>() + "\n";
    house.write("signers", without);
    house.check(&["lint", "--", "false"]).exits(1);
}
