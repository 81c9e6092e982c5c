//! Requests that stand in a commit, as its `Gate-Skip` trailers.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

mod support;

use serde_json::{Value, json};
use support::{House, Ran};

const POLICY: &str = r#"
version = 1
[identity]
allowed_signers = "signers"
[gates.lint]
trailers = true
[[gates.lint.allow]]
actions = ["skip", "override"]
who = ["alice@example.com"]
assurance = "signed"
max_ttl = "4h"
[[gates.lint.allow]]
actions = ["skip"]
who = ["bob@example.com"]
assurance = "signed"
max_ttl = "4h"
approvals = { count = 1, from = ["alice@example.com"] }
[gates.scan]
[[gates.scan.allow]]
actions = ["waive"]
who = ["alice@example.com"]
assurance = "signed"
max_ttl = "14d"
max_level = "error"
trailers = true
[gates.deploy]
[[gates.deploy.allow]]
actions = ["skip"]
who = ["alice@example.com"]
assurance = "signed"
max_ttl = "4h"
"#;

const LINT: &str = "Gate-Skip: lint --reason 'the linter crashes on the fixture' --ttl 2h --ticket INC-12";

struct Signers(House);

/// Alice, Bob and Carol have keys for commits; the rules name the first two, the file lists all but Mallory.
fn signers() -> Signers {
    signers_with(POLICY, "", &["init", "-q", "-b", "main"])
}

fn signers_with(policy: &str, options: &str, init: &[&str]) -> Signers {
    let house = House::without_ledger(policy);
    if init.contains(&"--object-format=sha256") {
        std::fs::remove_dir_all(house.path(".git")).unwrap();
        house.git(init);
    }
    let keys: Vec<String> = ["alice", "bob", "carol", "mallory"].map(|name| house.key(name).1).to_vec();
    let line = |(name, key): (&str, &String)| format!("{name}@example.com {options}{key}\n");
    house.write("signers", ["alice", "bob", "carol"].into_iter().zip(&keys).map(line).collect::<String>());
    house.create_ledger(".gate/ledger.db");
    house.commit("keys");
    Signers(house)
}

impl Signers {
    /// A commit by `name`, signed with their key; gives its id.
    fn commit(&self, name: &str, message: &str) -> String {
        self.commit_with(name, message, &["-S"])
    }

    fn commit_with(&self, name: &str, message: &str, options: &[&str]) -> String {
        let key = self.0.outside(name).with_extension("pub");
        let mut command = self.0.plain("git");
        command.args(["-c", "gpg.format=ssh", "-c", &format!("user.signingKey={}", key.display())]);
        command.args(["commit", "-q", "--allow-empty", "--cleanup=verbatim", "-m", message]).args(options);
        command.env("GIT_COMMITTER_EMAIL", format!("{name}@example.com"));
        Ran::of(command.output().unwrap()).exits(0);
        self.0.git(&["rev-parse", "HEAD"])
    }

    /// The gate `lint` around a command that fails.
    fn lint(&self) -> Ran {
        self.0.check(&["lint", "--", "false"])
    }

    fn kinds(&self) -> Vec<String> {
        self.0.entries().iter().skip(1).map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect()
    }

    fn replays(&self) {
        self.0.sh("gate-verify --replay -q").exits(0);
    }

    /// Nothing in the message lets the gate pass, nothing but the decision is recorded, and standard error says why.
    #[track_caller]
    fn gives_nothing(&self, says: &[&str]) {
        let before = self.0.entries().len();
        self.lint().exits(1).says(says);
        let new: Vec<Value> = self.0.entries().split_off(before);
        assert!(new.iter().all(|entry| entry["kind"] == "decision" || entry["kind"] == "policy"), "{new:?}");
        self.replays();
    }
}

fn message(trailers: &str) -> String {
    format!("A title\n\nSome words about it.\n\n{trailers}\n")
}

#[test]
fn a_signed_commit_asks_for_a_skip_of_itself() {
    let signers = signers();
    let id = signers.commit("alice", &message(LINT));
    signers.lint().exits(0);
    let grant = signers.0.of_kind("grant").remove(0);
    assert_eq!(grant["data"]["scope"], json!({"repository": "github.com/acme/payments", "commit": id}));
    assert_eq!(grant["data"]["reason"], "the linter crashes on the fixture");
    assert_eq!((&grant["data"]["ticket"], &grant["data"]["ttl"]["text"]), (&json!("INC-12"), &json!("2h")));
    assert_eq!(grant["actor"]["id"], "alice@example.com");
    assert_eq!(grant["actor"]["assurance"], "signed");
    // Each run of the commit uses the one grant.
    signers.lint().exits(0);
    assert_eq!(signers.kinds(), ["policy", "grant", "decision", "decision"]);
    signers.commit("alice", "The next one");
    signers.lint().exits(1);
    signers.replays();
}

#[test]
fn what_the_ledger_keeps_is_the_commit_as_git_verifies_it() {
    for format in ["--object-format=sha1", "--object-format=sha256"] {
        let signers = signers_with(POLICY, "", &["init", "-q", "-b", "main", format]);
        let id = signers.commit("alice", &message(LINT));
        signers.lint().exits(0);
        let grant = signers.0.of_kind("grant").remove(0);
        let request = &grant["data"]["request"];
        let nonce = request["nonce"].as_str().unwrap();
        assert!(nonce.starts_with("commit:") && nonce.ends_with(":1") && !nonce.contains(&id), "{nonce}");
        let object = signers.0.write("object", request["commit"]["object"].as_str().unwrap());
        let object = object.display();
        let hashed = signers.0.sh(&format!("git hash-object -t commit {object}")).exits(0).out();
        assert_eq!(hashed.trim(), id);
        let verify = format!("git -c gpg.ssh.allowedSignersFile=signers verify-commit {id}");
        signers.0.sh(&verify).exits(0);
        signers.replays();
    }
}

#[test]
fn a_trailer_that_needs_approvals_waits_for_them() {
    let signers = signers();
    signers.commit("bob", &message(LINT));
    signers.lint().exits(1).says(&["trailer 1 of commit", "waits for approvals", "gate-skip approve"]);
    let id = signers.0.of_kind("request").remove(0)["seq"].to_string();
    let approve = format!("waits for approvals as request {id}: gate-skip approve {id} --sign");
    signers.lint().exits(1).says(&[&approve]);
    let key = format!("--sign={}", signers.0.outside("alice").display());
    signers.0.skip(&["approve", &id, &key]).exits(0);
    signers.lint().exits(0);
    assert_eq!(signers.0.of_kind("request").len(), 1);
    signers.replays();
}

#[test]
fn a_person_whom_no_rule_names_is_denied_once() {
    let signers = signers();
    signers.commit("carol", &message(LINT));
    for _ in 0..3 {
        signers.lint().exits(1).says(&["which is denied", "carol@example.com"]);
    }
    assert_eq!(signers.kinds(), ["policy", "denial", "decision", "decision", "decision"]);
    // Another policy may say something else.
    let policy = POLICY.replace("bob@example.com\"]", "bob@example.com\", \"carol@example.com\"]");
    signers.0.write("gate.toml", policy);
    signers.lint().exits(1).says(&["waits for approvals"]);
    signers.replays();
}

/// The sentence of a denial tells where the run is, and the next run may be elsewhere.
#[test]
fn a_trailer_that_is_denied_for_the_same_reason_in_other_words_is_denied_once() {
    let first = "who = [\"alice@example.com\"]\n";
    let policy = POLICY.replacen(first, &format!("{first}environments = [\"production\"]\n"), 1);
    let signers = signers_with(&policy, "", &["init", "-q", "-b", "main"]);
    signers.commit("alice", &message(LINT));
    let run = |place: &str| signers.0.check_with(&["lint", "--", "false"], &[("GATE_ENVIRONMENT", place)]);
    for place in ["staging", "test", "staging"] {
        run(place).exits(1).says(&["which is denied", place]);
    }
    signers.lint().exits(1).says(&["this run names none"]);
    assert_eq!(signers.0.of_kind("denial").len(), 1);
    assert_eq!(signers.0.of_kind("denial")[0]["data"]["kinds"][0], "rule 1: scope");
    run("production").exits(0);
    signers.replays();
}

#[test]
fn a_commit_that_nobody_signed_asks_for_nothing() {
    let signers = signers();
    signers.commit_with("alice", &message(LINT), &[]);
    signers.gives_nothing(&["trailer 1 of commit", "is not signed", "git commit --amend -S"]);
}

#[test]
fn a_commit_signed_with_a_key_that_is_not_listed_asks_for_nothing() {
    let signers = signers();
    signers.commit("mallory", &message(LINT));
    signers.gives_nothing(&["asks for nothing", "SHA256:"]);
    // The name of somebody who may, beside one's own key.
    signers.commit("mallory", &message(&format!("{LINT} --as alice@example.com")));
    signers.gives_nothing(&["asks for nothing"]);
}

#[test]
fn a_key_that_is_for_other_purposes_or_over_signs_no_commit() {
    for options in ["namespaces=\"gate-*\" ", "valid-before=\"20200101Z\" ", "valid-after=\"20990101Z\" "] {
        let signers = signers_with(POLICY, options, &[]);
        signers.commit("alice", &message(LINT));
        signers.gives_nothing(&["asks for nothing"]);
    }
}

#[test]
fn a_copy_of_a_signed_commit_is_another_commit() {
    let signers = signers();
    let id = signers.commit("alice", &message(LINT));
    let raw = signers.0.sh(&format!("git cat-file commit {id}")).out();
    // Cherry-picked by somebody without the key.
    signers.0.git(&["checkout", "-q", "-b", "other", "HEAD~"]);
    signers.0.git(&["commit", "-q", "--allow-empty", "-m", "between"]);
    signers.0.git(&["cherry-pick", "--allow-empty", &id]);
    signers.gives_nothing(&["is not signed"]);
    // With the signature of the first one behind other words, another time, another tree.
    let readme = signers.0.write("README", "x");
    signers.0.git(&["add", "-f", &readme.display().to_string()]);
    let tree = signers.0.git(&["write-tree"]);
    let (first, rest) = raw.split_once('\n').unwrap();
    for forged in [
        raw.replace("--ttl 2h", "--ttl 4h"),
        raw.replace("lint --reason", "lint --action override --reason"),
        raw.replace("author Dev", "author Eve"),
        format!("tree {tree}\n{rest}"),
        format!("{first}\n{}", rest.replace("gpgsig", "gpgsig-sha256")),
    ] {
        assert_ne!(forged, raw);
        signers.0.write(".gate/forged", forged);
        let id = signers.0.sh("git hash-object -t commit -w --literally .gate/forged").exits(0).out();
        signers.0.git(&["checkout", "-q", "-f", "--detach", id.trim()]);
        signers.gives_nothing(&["ask", "nothing"]);
    }
}

#[test]
fn words_that_are_no_trailer_are_none_and_are_said_to_be() {
    let signers = signers();
    for text in [
        format!("A title\n\n{LINT}\n\nThe end.\n"),
        format!("A title\n\nSome words\n{LINT}\n"),
        format!("{LINT}\n"),
        format!("A title\n\n{LINT}\n(cherry picked from commit 1234)\n"),
    ] {
        signers.commit("alice", &text);
        signers.gives_nothing(&["has a line 'Gate-Skip:' that is no trailer"]);
    }
    signers.commit("alice", "A title\n\nIt says > Gate-Skip: lint --reason x\n");
    signers.gives_nothing(&[]);
    for (trailer, why) in [
        ("Gate-Skip: lint because it is flaky", "'because' is none of"),
        ("Gate-Skip: lint", "gives no reason"),
        ("Gate-Skip: lint --reason x --ref refs/heads/main", "a trailer is for its own commit"),
        ("Gate-Skip: lnit --reason x", "no gate 'lnit'"),
        ("Gate-Skip: lint --reason \"x", "left open"),
    ] {
        signers.commit("alice", &message(trailer));
        signers.gives_nothing(&["trailer 1 of commit", why]);
    }
}

#[test]
fn keys_are_compared_as_git_compares_them_and_folded_lines_go_on() {
    let signers = signers();
    for trailer in [
        "gate-skip: lint --reason x".to_owned(),
        "GATE-SKIP : lint --reason x".to_owned(),
        "Gate-Skip: lint\n --reason\n  'two words'\nReviewed-by: Bob".to_owned(),
    ] {
        signers.commit("alice", &message(&trailer));
        signers.lint().exits(0);
    }
    assert_eq!(signers.0.of_kind("grant").len(), 3);
    signers.replays();
}

#[test]
fn two_trailers_are_two_requests_each_for_its_gate() {
    let signers = signers();
    let waive = "Gate-Skip: scan --reason 'not reachable' --waive rule=B1,path=src/a.py";
    signers.commit("alice", &message(&format!("{LINT}\n{waive}")));
    let report = |rules: &[&str]| {
        let results: Vec<Value> =
            rules.iter().map(|rule| support::result(rule, "error", "src/a.py", 3)).collect();
        support::sarif(&results)
    };
    signers.0.check_stdin(&["scan", "-"], report(&["B1"]).as_bytes()).exits(0);
    assert_eq!(signers.0.of_kind("grant").len(), 1, "the other gate was not asked for yet");
    signers.0.check_stdin(&["scan", "-"], report(&["B1", "B2"]).as_bytes()).exits(1);
    signers.lint().exits(0);
    let nonces: Vec<Value> =
        signers.0.of_kind("grant").iter().map(|grant| grant["data"]["request"]["nonce"].clone()).collect();
    assert!(nonces[0].as_str().unwrap().ends_with(":2") && nonces[1].as_str().unwrap().ends_with(":1"));
    signers.replays();
}

#[test]
fn a_gate_whose_policy_takes_no_trailers_reads_none() {
    let signers = signers();
    signers.commit("alice", &message("Gate-Skip: deploy --reason x"));
    let ran = signers.0.check(&["deploy", "--", "false"]).exits(1);
    assert!(!ran.stderr.contains("trailer"), "{}", ran.stderr);
    assert_eq!(signers.0.of_kind("denial").len(), 0);
    // What was granted does not outlive the policy's word for it.
    signers.commit("alice", &message(LINT));
    signers.lint().exits(0);
    signers.0.write("gate.toml", POLICY.replacen("trailers = true", "trailers = false", 1));
    signers.lint().exits(1);
    signers.replays();
}

#[test]
fn the_checkout_under_judgement_chooses_neither_policy_nor_keys() {
    let signers = signers();
    let base = signers.0.git(&["rev-parse", "HEAD"]);
    let mallory = std::fs::read_to_string(signers.0.outside("mallory.pub")).unwrap();
    signers.0.write("signers", format!("alice@example.com {mallory}"));
    signers.0.git(&["add", "-A"]);
    signers.commit("mallory", &message(LINT));
    let ran = signers.0.check(&["lint", "--policy-ref", &base, "--", "false"]);
    ran.exits(1).says(&["asks for nothing"]);
    assert_eq!(signers.0.of_kind("grant").len(), 0);
}

/// The signature does not cover its own bytes, so anybody can write it in other words: then it is another commit, as git
/// verifies it, with the same message.
#[test]
fn a_signature_in_other_words_is_no_second_request() {
    let signers = signers();
    signers.commit("alice", &message(&format!("{LINT} --uses 1")));
    signers.lint().exits(0);
    signers.lint().exits(1);
    let object = signers.0.git(&["cat-file", "commit", "HEAD"]);
    let (head, body) = object.split_once("\n\n").unwrap();
    let (begin, end) = ("-----BEGIN SSH SIGNATURE-----\n", "\n -----END");
    let (before, armor) = head.split_once(begin).unwrap();
    let (armor, after) = armor.split_once(end).unwrap();
    let joined: String = armor.split_whitespace().collect();
    let object = format!("{before}{begin} {joined}{end}{after}\n\n{body}\n");
    signers.0.write("object", object);
    let again = signers.0.git(&["hash-object", "-w", "-t", "commit", "object"]);
    signers.0.git(&["checkout", "-q", "--detach", &again]);
    signers.lint().exits(1);
    assert_eq!(signers.0.of_kind("grant").len(), 1);
    signers.replays();
}

/// What is asked for second is judged after the answer to the first.
#[test]
fn a_trailer_that_is_denied_takes_nothing_from_the_one_behind_it() {
    let signers = signers();
    let denied = LINT.replace("--ttl 2h", "--ttl 900d");
    signers.commit("alice", &message(&format!("{denied}\n{LINT}")));
    signers.lint().exits(0).says(&["which is denied"]);
    assert_eq!(signers.kinds(), ["policy", "denial", "grant", "decision"]);
    signers.replays();
}

#[test]
fn a_plan_shows_what_would_come_of_it_and_records_nothing() {
    let signers = signers();
    signers.commit("alice", &message(LINT));
    let plan = signers.0.check(&["lint", "--plan"]).exits(0).says(&["yet to be admitted"]);
    assert_eq!(plan.json()["decision"], "skip");
    assert_eq!(signers.0.entries().len(), 1);
    signers.commit("carol", &message(LINT));
    let plan = signers.0.check(&["lint", "--plan"]).exits(0).says(&["which is denied"]);
    assert_eq!(plan.json()["decision"], "run");
    assert_eq!(signers.0.entries().len(), 1);
}

#[test]
fn a_commit_that_another_repository_ran_first_says_that_it_asked_there() {
    let signers = signers();
    signers.commit("alice", &message(LINT));
    signers.lint().exits(0);
    signers.0.git(&["remote", "set-url", "origin", "https://github.com/acme/web.git"]);
    let told = ["trailer 1 of commit", "was granted once, as opt-out 2", "github.com/acme/payments"];
    let ran = signers.0.check(&["lint", "--decision", "../d.json", "--", "false"]).exits(1).says(&told);
    let decision: Value =
        serde_json::from_slice(&std::fs::read(signers.0.outside("d.json")).unwrap()).unwrap();
    let reasons = decision["reasons"].to_string();
    assert!(told.iter().all(|part| reasons.contains(part)), "{reasons} {}", ran.stderr);
    signers.0.check(&["lint", "--plan"]).exits(0).says(&told);
    signers.gives_nothing(&told);
}

#[test]
fn what_a_trailer_was_given_and_is_over_is_told() {
    let signers = signers();
    let key = format!("--sign={}", signers.0.outside("alice").display());
    signers.commit("alice", &message(LINT));
    signers.lint().exits(0);
    signers.0.skip(&["revoke", "2", "--reason", "no more", &key]).exits(0);
    signers.gives_nothing(&["was granted once, as opt-out 2, which entry 4 ended"]);
    signers.commit("alice", &message(&format!("{LINT} --uses 1")));
    signers.lint().exits(0);
    signers.gives_nothing(&["which has no use left"]);
    signers.commit("bob", &message(LINT));
    signers.lint().exits(1);
    let id = signers.0.of_kind("request").remove(0)["seq"].to_string();
    signers.0.skip(&["reject", &id, "--reason", "no", &key]).exits(1);
    signers.gives_nothing(&[&format!("was asked once, as request {id}, which the denial")]);
}

/// Git goes on from a commit whose headers are out of order, and so does whoever judges it.
#[test]
fn a_commit_whose_headers_are_out_of_order_asks_for_nothing_and_stops_nobody() {
    let signers = signers();
    signers.commit("alice", &message(LINT));
    let object = signers.0.git(&["cat-file", "commit", "HEAD"]);
    let (head, text) = object.split_once("\n\n").unwrap();
    let (author, rest) = head.split_once("\nauthor ").unwrap();
    let (line, rest) = rest.split_once('\n').unwrap();
    for odd in [
        format!("{author}\n{rest}\nauthor {line}\n\n{text}\n"),
        format!("{author}\nx-odd y\nauthor {line}\n{rest}\n\n{text}\n"),
    ] {
        signers.0.write("../odd", odd);
        let id = signers.0.git(&["hash-object", "-t", "commit", "-w", "--literally", "../odd"]);
        for detach in [&["checkout", "-q", "--detach"][..], &["checkout", "-q", "-B", "odd"]] {
            signers.0.git(&[detach, &[&id]].concat());
            signers.gives_nothing(&["ask for nothing", "is not laid out as a commit"]);
            signers.0.check(&["lint", "--", "true"]).exits(0);
        }
    }
}

#[test]
fn a_list_names_what_the_commit_asks_for() {
    let signers = signers();
    signers.commit("alice", &message(LINT));
    let trailers = || signers.0.check(&["--list"]).exits(0).json()["gates"][1]["trailers"].to_string();
    assert!(trailers().contains("asks for a skip by alice@example.com, and is yet to be admitted"));
    assert_eq!(signers.0.entries().len(), 1);
    let table = signers.0.check(&["--list", "--format", "text"]).exits(0).out();
    assert!(table.contains("yet to be admitted"), "{table}");
    signers.lint().exits(0);
    assert_eq!(trailers(), "null");
    signers.commit("mallory", &message(LINT));
    assert!(trailers().contains("asks for nothing"));
}

/// Signers whose ledger is kept at a bare repository that declines every push from now on.
fn forked() -> Signers {
    let house = House::without_ledger(POLICY);
    let host = house.outside("host.git");
    house.git(&["init", "-q", "--bare", host.to_str().unwrap()]);
    let keys = ["alice", "bob", "carol", "mallory"]
        .map(|name| format!("{name}@example.com {}\n", house.key(name).1));
    house.write("signers", keys[..3].concat());
    let ledger = |pin: &str| {
        let remote = format!("[ledger]\nremote = \"git:{}#gate-ledger\"\n{pin}[identity]", host.display());
        house.write("gate.toml", POLICY.replace("[identity]", &remote));
    };
    ledger("");
    let made = house.sh("gate-log init --remote").exits(0).json();
    ledger(&format!("genesis = \"{}\"\n", made["genesis"].as_str().unwrap()));
    house.commit("the ledger is pinned");
    house.check(&["lint", "--", "true"]).exits(0);
    let hook = host.join("hooks/pre-receive");
    std::fs::write(&hook, "#!/bin/sh\necho 'forks may not write' >&2\nexit 1\n").unwrap();
    house.sh(&format!("chmod +x {}", hook.display())).exits(0);
    Signers(house)
}

#[test]
fn a_run_that_may_not_write_names_what_a_trailer_would_have_given() {
    let signers = forked();
    for (trailer, action) in [(LINT.to_owned(), "skip"), (format!("{LINT} --action override"), "override")] {
        signers.commit("alice", &message(&trailer));
        let run = ["lint", "--decision", "../d.json", "--", "false"];
        signers.0.check(&run).exits(1).says(&["forks may not write", "could not be admitted"]);
        let decision: Value =
            serde_json::from_slice(&std::fs::read(signers.0.outside("d.json")).unwrap()).unwrap();
        let would = &decision["would_use"][0];
        assert_eq!(
            (&would["action"], &would["by"]),
            (&json!(action), &json!("alice@example.com")),
            "{decision}"
        );
        assert!(would["note"].as_str().unwrap().contains("yet to be admitted"), "{would}");
        assert_eq!(decision["grants"], json!([]));
        // A plan needs no right to write.
        let plan = signers.0.check(&["lint", "--plan"]).exits(0).says(&["yet to be admitted"]);
        assert!(!plan.stderr.contains("forks may not write"), "{}", plan.stderr);
    }
    signers.commit("carol", &message(LINT));
    signers.0.check(&["lint", "--decision", "../d.json", "--", "false"]).exits(1);
    let decision: Value =
        serde_json::from_slice(&std::fs::read(signers.0.outside("d.json")).unwrap()).unwrap();
    assert_eq!(decision["would_use"], Value::Null, "whom no rule names gets nothing");
}

#[test]
fn a_plan_out_of_reach_says_how_old_its_view_is() {
    let signers = forked();
    let host = signers.0.outside("host.git");
    std::fs::rename(&host, signers.0.outside("gone.git")).unwrap();
    for look in [&["lint", "--plan"][..], &["lint", "--plan", "--at", "2030-01-01T00:00:00Z"], &["--list"]] {
        signers.0.check(look).exits(0).says(&["what is known is as old as entry"]);
    }
    for look in ["due", "stats"] {
        signers.0.sh(&format!("gate-log {look}")).exits(0).says(&["what is known is as old as entry"]);
    }
}

#[test]
fn behind_a_merge_that_ci_made_the_commit_of_the_change_asks() {
    let signers = signers();
    signers.0.git(&["checkout", "-q", "-b", "feature"]);
    let change = signers.commit("alice", &message(LINT));
    signers.0.git(&["checkout", "-q", "main"]);
    signers.0.commit("meanwhile");
    signers.0.git(&["checkout", "-q", "--detach"]);
    signers.0.git(&["merge", "-q", "--no-ff", "-m", "merge", "feature"]);
    let mut run = signers.0.github("dave");
    for (name, value) in [("GITHUB_REF", "refs/pull/7/merge"), ("GITHUB_EVENT_NAME", "pull_request")] {
        run.push((name.to_owned(), value.to_owned()));
    }
    let gate = |run: Vec<(String, String)>| {
        Ran::of(signers.0.tool("gate-check", &["lint", "--", "false"]).envs(run).output().unwrap())
    };
    gate(run).exits(0);
    assert_eq!(signers.0.of_kind("grant").remove(0)["data"]["scope"]["commit"], change);
    // Where the variables name another commit than the checkout is at, nobody asks.
    signers.0.git(&["checkout", "-q", "main"]);
    let elsewhere = signers.0.github("dave");
    signers.commit("alice", &message(LINT));
    gate(elsewhere).exits(1).says(&["ask for nothing", "contradict each other"]);
    signers.replays();
}

#[test]
fn the_line_that_gate_skip_prints_is_what_a_commit_asks_with() {
    let signers = signers();
    let wish = ["lint", "--trailer", "--reason", "it's the linter; not us", "--ttl", "2h", "--uses", "1"];
    let line = signers.0.skip(&wish).exits(0).out();
    assert_eq!(line, "Gate-Skip: lint --reason 'it'\\''s the linter; not us' --ttl 2h --uses 1\n");
    assert_eq!(signers.0.entries().len(), 1, "nothing was asked for");
    signers.commit("alice", &message(&line));
    signers.lint().exits(0);
    assert_eq!(signers.0.of_kind("grant").remove(0)["data"]["reason"], "it's the linter; not us");
    signers.0.skip(&["lint", "--trailer", "--reason", "two\nlines"]).exits(2).says(&["one line"]);
    signers.0.skip(&["deploy", "--trailer", "--reason", "x"]).exits(2).says(&["trailers = true"]);
    signers.0.skip(&["lint", "--trailer", "--reason", "x", "--run", "7"]).exits(2);
}

#[test]
fn a_huge_message_is_not_read() {
    let signers = signers();
    let words = "many words ".repeat(8_000);
    signers.commit("alice", &format!("A title\n\n{words}\n\n{LINT}\n"));
    signers.gives_nothing(&["at most 65536 are read"]);
}

#[test]
fn a_commit_with_more_trailers_than_are_read_asks_for_nothing() {
    let signers = signers();
    let many = vec!["Gate-Skip: lint --reason x"; 17].join("\n");
    signers.commit("alice", &message(&many));
    signers.gives_nothing(&["17 Gate-Skip trailers", "at most 16"]);
}

#[test]
fn a_request_in_a_commit_is_not_submitted_by_hand() {
    let signers = signers();
    signers.commit("alice", &message(LINT));
    signers.lint().exits(0);
    let request = signers.0.of_kind("grant").remove(0)["data"]["request"].to_string();
    signers.0.skip_stdin(&["submit", "-"], request.as_bytes()).exits(2).says(&["stands in a commit"]);
}

#[test]
fn a_commit_of_long_ago_asks_for_nothing() {
    let signers = signers();
    let key = signers.0.outside("alice.pub");
    let command = format!(
        "GIT_COMMITTER_DATE='@1600000000 +0000' GIT_COMMITTER_EMAIL=alice@example.com \
         git -c gpg.format=ssh -c user.signingKey={} commit -q -S --allow-empty -m 'T' -m \"{LINT}\"",
        key.display()
    );
    signers.0.sh(&command).exits(0);
    signers.gives_nothing(&["could be submitted until"]);
}

#[test]
fn many_runs_of_one_commit_at_once_admit_it_once() {
    let signers = signers();
    signers.commit("alice", &message(&format!("{LINT} --uses 2")));
    let runs: Vec<_> = (0..6)
        .map(|_| signers.0.tool("gate-check", &["lint", "-q", "--", "false"]).spawn().unwrap())
        .collect();
    let passed =
        runs.into_iter().map(|mut run| run.wait().unwrap()).filter(std::process::ExitStatus::success);
    assert_eq!(passed.count(), 2);
    assert_eq!((signers.0.of_kind("grant").len(), signers.0.of_kind("denial").len()), (1, 0));
    signers.replays();
}

#[test]
fn altered_bytes_of_the_commit_in_the_ledger_are_found() {
    let signers = signers();
    signers.commit("alice", &message(LINT));
    signers.lint().exits(0);
    let other = signers.commit("alice", "Another commit");
    for (from, to) in
        [("fixture", "project"), ("author Dev", "author Eve"), ("\"trailer\":1", "\"trailer\":2")]
    {
        let forged = signers.rewritten(|body| body.replace(from, to));
        assert!(forged.contains("has a signature that does not hold"), "{from}: {forged}");
    }
    // The grant for another commit than the one that was signed.
    let grant = signers.0.of_kind("grant").remove(0);
    let id = grant["data"]["scope"]["commit"].as_str().unwrap().to_owned();
    let forged = signers.rewritten(|body| body.replace(&id, &other));
    assert!(forged.contains("has a signature that does not hold"), "{forged}");
}

impl Signers {
    /// What replay says of an export whose grant was changed and whose chain was made whole again.
    fn rewritten(&self, change: impl Fn(&str) -> String) -> String {
        let lines = self.0.sh("gate-log export").exits(0).out();
        let mut prev = String::new();
        let mut out = String::new();
        for line in lines.lines() {
            let mut entry: Value = serde_json::from_str(line).unwrap();
            let members = entry.as_object_mut().unwrap();
            members.remove("hash");
            if !prev.is_empty() {
                members.insert("prev".into(), json!(prev));
            }
            let is_grant = members["kind"] == "grant";
            let body = serde_json::to_string(&entry).unwrap();
            let body = if is_grant { change(&body) } else { body };
            let entry = gate_ledger::entry::Entry::from_body(body.as_bytes()).unwrap();
            prev = entry.hash.to_string();
            out.push_str(&entry.line());
            out.push('\n');
        }
        let file = self.0.outside("forged.jsonl");
        std::fs::write(&file, out).unwrap();
        let ran = self.0.sh(&format!("gate-verify --replay {}", file.display())).exits(1);
        ran.out() + &ran.stderr
    }
}
