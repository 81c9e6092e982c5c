//! Acts that are signed in one place and submitted in another.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

mod support;

use serde_json::{Value, json};
use support::{House, Ran};

const POLICY: &str = r#"
version = 1
[identity]
allowed_signers = "signers"
[gates.two]
[[gates.two.allow]]
actions = ["override"]
who = ["alice@example.com"]
assurance = "signed"
max_ttl = "1h"
approvals = { count = 1, from = ["bob@example.com"] }
[[gates.two.allow]]
actions = ["skip"]
who = ["alice@example.com", "bob@example.com"]
assurance = "signed"
max_ttl = "1h"
break_glass = true
review_within = "24h"
[gates.scan]
[[gates.scan.allow]]
actions = ["waive"]
who = ["alice@example.com"]
assurance = "signed"
max_ttl = "14d"
approvals = { count = 1, from = ["bob@example.com"] }
[gates.lint]
require_ledger = true
[[gates.lint.allow]]
actions = ["pause", "skip"]
who = ["alice@example.com", "bob@example.com"]
assurance = "signed"
max_ttl = "2h"
"#;

struct Signers {
    house: House,
    alice: String,
    bob: String,
}

fn signers() -> Signers {
    let house = House::without_ledger(POLICY);
    let (alice, alice_public) = house.key("alice");
    let (bob, bob_public) = house.key("bob");
    house.write("signers", format!("alice@example.com {alice_public}\nbob@example.com {bob_public}\n"));
    house.create_ledger(".gate/ledger.db");
    house.commit("keys");
    Signers { house, alice: format!("--sign={alice}"), bob: format!("--sign={bob}") }
}

impl Signers {
    /// Bob states something on his laptop, where the repository is and the ledger is not.
    fn elsewhere(&self, args: &[&str]) -> Ran {
        let laptop = self.house.outside("laptop");
        if !laptop.exists() {
            self.house.sh("git clone -q . ../laptop").exits(0);
        }
        let mut command = self.house.tool("gate-skip", &[args, &[&self.bob, "--detached"]].concat());
        Ran::of(command.current_dir(laptop).output().unwrap())
    }

    /// Bob states something beside the ledger.
    fn states(&self, args: &[&str]) -> Ran {
        self.house.skip(&[args, &[&self.bob, "--detached"]].concat())
    }

    fn submit(&self, statement: &str) -> Ran {
        self.house.skip_stdin(&["submit", "-"], statement.as_bytes())
    }

    fn asks(&self, args: &[&str], code: i32) -> String {
        self.house.skip(&[args, &["--reason", "x", &self.alice]].concat()).exits(code).id()
    }

    fn hash(&self, seq: &str) -> String {
        let entry = &self.house.entries()[seq.parse::<usize>().unwrap()];
        entry["hash"].as_str().unwrap().to_owned()
    }

    fn replays(&self) {
        self.house.sh("gate-verify --replay -q").exits(0);
    }
}

#[test]
fn an_approval_that_was_signed_without_the_ledger_completes_a_request_once() {
    let signers = signers();
    let id = signers.asks(&["two", "--action", "override"], 3);
    let hash = signers.hash(&id);
    signers.elsewhere(&["approve", &id]).exits(2).says(&["whole hash"]);
    signers.elsewhere(&["approve", &hash[..20]]).exits(2);
    let approval = signers.elsewhere(&["approve", &hash]).exits(0).says(&["its hash alone is signed"]).out();
    assert_eq!(signers.house.entries().len(), 3, "--detached records nothing");
    signers.submit(&approval).exits(0);
    signers.house.check(&["two", "--", "false"]).exits(0);
    signers.submit(&approval).exits(2).says(&["waits no longer"]);
    signers.replays();
}

#[test]
fn what_is_approved_is_shown_before_it_is_signed() {
    let signers = signers();
    let id = signers.asks(&["scan", "--waive", "rule=PICKLE,path=src/load.py"], 3);
    for args in [["approve", &id], ["reject", &id]] {
        let args = [&args[..], &["--reason", "looked at it"]].concat();
        signers.states(&args).exits(0).says(&["PICKLE", "src/load.py", "alice@example.com"]);
    }
    let shown = signers.house.sh(&format!("gate-log show {id}")).out();
    std::fs::write(signers.house.outside("entry.json"), &shown).unwrap();
    let approval = signers.elsewhere(&["approve", "../entry.json"]).exits(0).says(&["PICKLE"]).out();
    let other = shown.replace("PICKLE", "HARMLESS");
    std::fs::write(signers.house.outside("entry.json"), other).unwrap();
    signers.elsewhere(&["approve", "../entry.json"]).exits(2).says(&["its hash is not that"]);
    signers.submit(&approval).exits(0);
    signers.replays();
}

#[test]
fn a_rejection_a_revocation_and_a_review_travel_too() {
    let signers = signers();
    let id = signers.asks(&["two", "--action", "override"], 3);
    let rejection = signers.elsewhere(&["reject", &signers.hash(&id), "--reason", "no"]).exits(0).out();
    signers.submit(&rejection).exits(1);
    let id = signers.asks(&["two", "--break-glass"], 0);
    let hash = signers.hash(&id);
    let review = ["review", &hash, "--verdict", "rejected", "--reason", "it was no emergency"];
    let review = signers.elsewhere(&review).exits(0).out();
    signers.house.check(&["two", "--", "false"]).exits(0);
    signers.submit(&review).exits(0);
    signers.house.check(&["two", "--", "false"]).exits(1);
    signers.submit(&review).exits(2).says(&["was reviewed"]);
    let id = signers.asks(&["lint"], 0);
    let revocation =
        signers.elsewhere(&["revoke", &signers.hash(&id), "--reason", "too wide"]).exits(0).out();
    signers.submit(&revocation).exits(0);
    signers.house.check(&["lint", "--", "false"]).exits(1);
    signers.submit(&revocation).exits(2).says(&["ended already"]);
    signers.replays();
}

#[test]
fn a_resume_ends_no_pause_that_its_signer_had_not_seen() {
    let signers = signers();
    let pause = ["lint", "--action", "pause"];
    signers.asks(&pause, 0);
    let early = signers.states(&["resume", "lint", "--reason", "released"]).exits(0).out();
    let newest = signers.asks(&pause, 0);
    signers.submit(&early).exits(2).says(&["since this was signed"]);
    signers.house.check(&["lint", "--", "true"]).exits(75);
    let by_hash = ["resume", &signers.hash(&newest), "--reason", "released"];
    signers.submit(&signers.elsewhere(&by_hash).exits(0).out()).exits(0);
    signers.house.check(&["lint", "--", "true"]).exits(0);
    signers.submit(&early).exits(0);
    signers.asks(&pause, 0);
    signers.submit(&early).exits(2);
    signers.replays();
}

#[test]
fn an_edited_a_moved_and_an_unsigned_statement_do_nothing() {
    let signers = signers();
    let id = signers.asks(&["two", "--action", "override"], 3);
    let other = signers.asks(&["two", "--action", "override"], 3);
    let approval = signers.states(&["approve", &id, "--reason", "fine"]).exits(0).out();
    let approval: Value = serde_json::from_str(&approval).unwrap();
    let before = signers.house.entries().len();
    for (member, value) in [
        ("act", json!("reject")),
        ("subject", json!(signers.hash(&other))),
        ("subject", json!(&signers.hash(&id)[..20])),
        ("by", json!("alice@example.com")),
        ("reason", json!("another reason")),
        ("ledger", json!("00000000000000000000000000000000")),
        ("submit_by", json!("2099-01-01T00:00:00.000000Z")),
        ("stated_at", Value::Null),
        ("submit_by", Value::Null),
        ("signature", Value::Null),
        ("surprise", json!(1)),
    ] {
        let mut edited = approval.clone();
        match value {
            Value::Null => drop(edited.as_object_mut().unwrap().remove(member)),
            value => edited[member] = value,
        }
        let ran = signers.submit(&edited.to_string());
        assert_eq!(ran.code, 2, "{member}: {} {}", ran.out(), ran.stderr);
    }
    assert_eq!(signers.house.entries().len(), before, "anybody could have written them");
    // Whoever may not, may not from afar: it is refused, and the refusal is recorded.
    let own = signers.house.skip(&["approve", &id, &signers.alice, "--detached"]).exits(0).out();
    signers.submit(&own).exits(1);
    signers.submit(&approval.to_string()).exits(0);
    signers.replays();
}

#[test]
fn a_statement_is_submitted_within_its_seven_days() {
    let signers = signers();
    let id = signers.asks(&["two", "--action", "override"], 3);
    let mut ahead = signers.house.plain("faketime");
    let args = ["approve", &id, &signers.bob, "--detached"];
    ahead.args(["-f", "+30d"]).arg(support::bin("gate-skip")).args(args);
    let dated = Ran::of(ahead.output().unwrap()).exits(0).out();
    signers.submit(&dated).exits(2).says(&["still to come"]);
    let id = signers.asks(&["two", "--break-glass"], 0);
    let review = ["review", &id, "--verdict", "accepted", "--reason", "fine"];
    signers.house.write("review.json", signers.states(&review).exits(0).out());
    let mut late = signers.house.plain("faketime");
    late.args(["-f", "+8d"]).arg(support::bin("gate-skip")).args(["submit", "review.json"]);
    Ran::of(late.output().unwrap()).exits(2).says(&["could be submitted until"]);
    signers.house.skip(&["submit", "review.json"]).exits(0);
}

#[test]
fn a_statement_is_judged_with_the_facts_of_where_it_is_submitted() {
    let signers = signers();
    let id = signers.asks(&["two", "--action", "override"], 3);
    let approval = signers.states(&["approve", &id]).exits(0).out();
    signers.house.write("approval.json", approval);
    let mut torn = signers.house.tool("gate-skip", &["submit", "approval.json"]);
    let torn = torn.env("GITHUB_ACTIONS", "true").env("GITHUB_REPOSITORY", "acme/other");
    let torn = torn.env("GITHUB_SERVER_URL", "https://github.com").env("GITHUB_ACTOR", "carol");
    Ran::of(torn.output().unwrap()).exits(1);
    signers.house.check(&["two", "--", "false"]).exits(1);
    signers.house.skip(&["submit", "approval.json"]).exits(0);
    signers.replays();
}

#[test]
fn a_statement_commits_to_its_texts_where_the_policy_says_so() {
    let signers = signers();
    signers.house.write(
        "gate.toml",
        POLICY.replace("version = 1", "version = 1\n[ledger]\ncommit = [\"reason\", \"names\"]"),
    );
    std::fs::remove_dir_all(signers.house.path(".gate")).unwrap();
    signers.house.sh("gate-log init -q").exits(0);
    let id = signers.asks(&["two", "--action", "override"], 3);
    let approval = signers.states(&["approve", &id, "--reason", "word-fine"]).exits(0).json();
    assert_eq!(approval["schema"], "gate.sealed/1");
    assert!(!approval["statement"].to_string().contains("word-fine"), "{approval}");
    signers.submit(&approval["statement"].to_string()).exits(2).says(&["without the opening"]);
    signers.submit(&approval.to_string()).exits(0);
    assert!(!signers.house.sh("gate-log export -q").out().contains("word-fine"));
    signers.replays();
}
