//! The policy's own guard: a pull request that changes the rules by which it would be judged profits from nothing.
//!
//! Each attack is tried against both guards: `--policy-ref` with the base, which reads the rules from a commit that
//! was reviewed, and `[policy] owners`, which asks for an owner's signature over each new text. Mallory can write
//! to the branch and run the tools, has a key of her own, and does not have the owner's.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

mod support;

use std::path::Path;

use serde_json::Value;
use support::{House, Ran, result, sarif};

/// A pull request against a guarded repository.
struct Change {
    house: House,
    /// The reviewed commit.
    base: String,
    /// Alice's key, the owner's.
    owner: String,
    /// Mallory's key and its public half.
    mallory: (String, String),
}

const RULES: &str = r#"
version = 1

[ledger]
genesis = "GENESIS"

[policy]
owners = ["alice@example.com"]

[identity]
allowed_signers = "allowed_signers"

[[identity.oidc]]
issuer   = "https://token.actions.githubusercontent.com"
audience = "gate"
jwks     = "jwks.json"
claims   = { repository_owner_id = "123" }

[gates.scan]
fail_on = "warning"
require_ledger = true
[[gates.scan.allow]]
actions = ["skip", "override"]
who = ["alice@example.com"]
assurance = "signed"
max_ttl = "1h"

[gates.secrets]
require_ledger = true
"#;

const OPEN: &str = "\n[[gates.secrets.allow]]\nactions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"1h\"\n";

impl Change {
    fn new() -> Self {
        let house = House::without_ledger("version = 1\n[gates.none]\n");
        let genesis = house.create_ledger(".gate/ledger.db");
        let (owner, alice) = house.key("alice");
        let mallory = house.key("mallory");
        house.write("allowed_signers", format!("alice@example.com {alice}\n"));
        house.write("jwks.json", KEY_SET);
        house.write("gate.toml", RULES.replace("GENESIS", &genesis));
        let change = Self { house, base: String::new(), owner, mallory };
        change.endorse(&change.owner).exits(0);
        let base = change.house.commit("rules");
        // Owners come into a ledger from a revision, once.
        change.house.check(&["secrets", "--policy-ref", &base, "--", "true"]).exits(0);
        change.house.git(&["checkout", "-q", "-b", "feature"]);
        Self { base, ..change }
    }

    /// Writes `gate.toml.sig` with a key, if the tool is willing.
    fn endorse(&self, key: &str) -> Ran {
        let sign = format!("--sign={key}");
        let ran = self.house.skip(&["approve", "./gate.toml", &sign]);
        if ran.code == 0 {
            self.house.write("gate.toml.sig", &ran.stdout);
        }
        ran
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.house.read(file);
        assert!(text.contains(from), "'{from}' is not in {file}");
        self.house.write(file, text.replace(from, to));
    }

    /// Neither guard lets the change profit: by the base the secrets gate cannot be passed, and without an owner's
    /// word nothing is decided at all.
    #[track_caller]
    fn profits_from_nothing(&self) {
        self.denied_by_the_base();
        self.refused_without_the_owner();
    }

    #[track_caller]
    fn denied_by_the_base(&self) {
        for base in [self.base.as_str(), "refs/heads/main"] {
            let by = ["--policy-ref", base];
            let denied = self.house.skip(&[&["secrets", "--reason", "x"], &by[..]].concat());
            assert_eq!(denied.code, 1, "{} {}", denied.out(), denied.stderr);
            self.house.check(&[&["secrets"], &by[..], &["--", "false"]].concat()).exits(1);
            let source = self.house.last_decision()["data"]["policy"]["source"].clone();
            assert_eq!(source, format!("rev:{}", self.base));
        }
    }

    #[track_caller]
    fn refused_without_the_owner(&self) {
        let before = self.house.entries().len();
        let said = ["gate.toml.sig' does not admit", "none of them admitted"];
        for ran in [
            self.house.skip(&["secrets", "--reason", "x"]),
            self.house.check(&["secrets", "scan.sarif"]),
            self.house.check(&["secrets", "--plan"]),
        ] {
            assert_eq!(ran.code, 2, "{} {}", ran.out(), ran.stderr);
            assert!(said.iter().any(|words| ran.stderr.contains(words)), "{}", ran.stderr);
        }
        self.house.check(&["secrets", "--", "touch", "ran"]).exits(125);
        assert!(!self.house.path("ran").exists());
        assert_eq!(
            self.house.entries().len(),
            before,
            "something was recorded under a policy without an owner"
        );
    }
}

/// A key of `OpenID` Connect that signs nothing here.
const KEY_SET: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

#[test]
fn an_edited_policy_opens_no_gate() {
    let change = Change::new();
    change.edit("gate.toml", "[gates.secrets]\nrequire_ledger = true\n", &format!("[gates.secrets]\n{OPEN}"));
    change.house.commit("let me through");
    change.profits_from_nothing();
}

#[test]
fn a_raised_fail_on_hides_no_finding() {
    let change = Change::new();
    change.house.write("scan.sarif", sarif(&[result("R1", "warning", "src/a.py", 1)]));
    change.edit("gate.toml", "fail_on = \"warning\"", "fail_on = \"error\"");
    change.house.commit("be lenient");
    change.house.check(&["scan", "scan.sarif", "--policy-ref", &change.base]).exits(1);
    change.house.check(&["scan", "scan.sarif"]).exits(2).says(&["does not admit"]);
}

#[test]
fn a_key_of_ones_own_in_allowed_signers_counts_for_nobody() {
    let change = Change::new();
    let (key, public) = &change.mallory;
    change.house.write("allowed_signers", format!("alice@example.com {public}\n"));
    change.house.commit("rotate keys");
    change.profits_from_nothing();
    let sign = format!("--sign={key}");
    let args = ["scan", "--reason", "x", &sign, "--policy-ref", &change.base];
    change.house.skip(&args).exits(2).says(&["the signature does not count"]);
    assert_eq!(change.endorse(key).code, 2, "her key endorses nothing while the guardian does not list it");
}

#[test]
fn a_key_set_of_ones_own_changes_the_policys_digest_and_needs_the_owner() {
    let change = Change::new();
    change.edit("jwks.json", "11qYAYKxCrfVS", "21qYAYKxCrfVS");
    change.house.commit("new issuer keys");
    change.profits_from_nothing();
}

#[test]
fn owners_taken_out_or_exchanged_do_not_admit_themselves() {
    for owners in ["", "[policy]\nowners = [\"mallory@example.com\"]\n"] {
        let change = Change::new();
        let (key, public) = &change.mallory;
        let alice = change.house.read("allowed_signers");
        change.house.write("allowed_signers", format!("{alice}mallory@example.com {public}\n"));
        change.edit("gate.toml", "[policy]\nowners = [\"alice@example.com\"]\n", owners);
        change.edit(
            "gate.toml",
            "[gates.secrets]\nrequire_ledger = true\n",
            &format!("[gates.secrets]\n{OPEN}"),
        );
        change.house.commit("new owners");
        let ran = change.endorse(key);
        assert_ne!(ran.code, 0, "{}", ran.out());
        change.profits_from_nothing();
    }
}

/// Whoever can run the tools can name any commit in `--policy-ref`: what that records must not become the policy
/// whose owners decide about the next one.
#[test]
fn a_policy_recorded_from_ones_own_commit_does_not_become_the_guardian() {
    let change = Change::new();
    let (key, public) = &change.mallory;
    let alice = change.house.read("allowed_signers");
    change.house.write("allowed_signers", format!("{alice}mallory@example.com {public}\n"));
    change.edit("gate.toml", "owners = [\"alice@example.com\"]", "owners = [\"mallory@example.com\"]");
    change.edit("gate.toml", "[gates.secrets]\nrequire_ledger = true\n", &format!("[gates.secrets]\n{OPEN}"));
    let own = change.house.commit("my own rules");
    // By her own commit she may ask, and what she gets counts by her own commit only.
    change.house.skip(&["secrets", "--reason", "x", "--policy-ref", &own]).exits(0);
    change.refused_without_the_owner();
    assert_ne!(change.endorse(key).code, 0, "her key speaks for the guardian");
    change.profits_from_nothing();
}

#[test]
fn an_old_signature_does_not_bring_an_old_policy_back() {
    let change = Change::new();
    let (old, signature) = (change.house.read("gate.toml"), change.house.read("gate.toml.sig"));
    change.edit("gate.toml", "max_ttl = \"1h\"", "max_ttl = \"30m\"");
    change.endorse(&change.owner).exits(0);
    change.house.check(&["secrets", "--", "true"]).exits(0);
    change.house.write("gate.toml", old);
    change.house.write("gate.toml.sig", signature);
    change.refused_without_the_owner();
}

#[test]
fn a_replaced_commit_is_not_the_base() {
    let change = Change::new();
    change.edit("gate.toml", "[gates.secrets]\nrequire_ledger = true\n", &format!("[gates.secrets]\n{OPEN}"));
    let own = change.house.commit("let me through");
    change.house.git(&["replace", &change.base, &own]);
    assert!(
        change.house.git(&["show", &format!("{}:gate.toml", change.base)]).contains("gates.secrets.allow")
    );
    change.denied_by_the_base();
}

#[test]
fn a_replaced_file_in_the_base_is_not_read() {
    let change = Change::new();
    let blob = change.house.git(&["rev-parse", &format!("{}:gate.toml", change.base)]);
    change.edit("gate.toml", "[gates.secrets]\nrequire_ledger = true\n", &format!("[gates.secrets]\n{OPEN}"));
    let own = change.house.git(&["hash-object", "-w", "gate.toml"]);
    change.house.git(&["replace", &blob, &own]);
    change.house.git(&["checkout", "-q", "--force", "main"]);
    change.denied_by_the_base();
}

#[test]
fn a_tag_that_shadows_the_branch_is_not_the_branch() {
    let change = Change::new();
    change.edit("gate.toml", "[gates.secrets]\nrequire_ledger = true\n", &format!("[gates.secrets]\n{OPEN}"));
    change.house.commit("let me through");
    for tag in ["main", "refs/heads/main", "heads/main"] {
        change.house.git(&["tag", tag]);
    }
    change.denied_by_the_base();
    // The short name, which could be either, is refused.
    change.house.check(&["secrets", "--policy-ref", "main", "--", "true"]).exits(125);
}

#[test]
fn a_nested_policy_is_a_second_one_and_not_the_nearest() {
    let change = Change::new();
    change.house.write("sub/gate.toml", format!("version = 1\n[gates.secrets]{OPEN}"));
    let own = change.house.commit("a policy of my own");
    for args in [&["secrets", "--", "true"][..], &["secrets", "--policy-ref", &own, "--", "true"]] {
        let mut command = change.house.tool("gate-check", args);
        let ran = Ran::of(command.current_dir(change.house.path("sub")).output().unwrap());
        assert_eq!(ran.code, 125, "{args:?}: {}", ran.stderr);
    }
    change.denied_by_the_base();
}

#[test]
fn another_ledger_in_the_variable_is_not_the_one_that_the_policy_pins() {
    let change = Change::new();
    change.house.create_ledger("evil.db");
    let evil = change.house.path("evil.db").display().to_string();
    let env = [("GATE_LEDGER", evil.as_str())];
    change.house.skip_with(&["scan", "--reason", "x"], &env).exits(4).says(&["genesis"]);
    change.house.check_with(&["secrets", "--", "true"], &env).exits(125).says(&["genesis"]);
    let by = ["secrets", "--policy-ref", &change.base, "--", "true"];
    change.house.check_with(&by, &env).exits(125).says(&["genesis"]);
    assert_eq!(support::entries_of(Path::new(&evil)).len(), 1, "nothing was written there");
}

#[test]
fn a_committed_database_is_no_ledger() {
    let change = Change::new();
    let genesis = change.house.entries()[0]["hash"].as_str().unwrap().to_owned();
    change.house.git(&["add", "-f", ".gate/ledger.db"]);
    change.house.git(&["commit", "-q", "-m", "my history"]);
    change.house.skip(&["scan", "--reason", "x"]).exits(4).says(&["tracked by git"]);
    change.house.check(&["secrets", "--", "true"]).exits(125).says(&["tracked by git"]);
    // Another one, with a genesis of its own that the change pins, is a changed policy.
    let own = change.house.create_ledger("own.db");
    change.edit("gate.toml", &genesis, &own);
    let own = change.house.path("own.db").display().to_string();
    let env = [("GATE_LEDGER", own.as_str())];
    change.house.check_with(&["secrets", "--policy-ref", &change.base, "--", "true"], &env).exits(125);
    let ran = change.house.check_with(&["secrets", "--", "true"], &env).exits(125);
    ran.says(&["the ledger knows none yet"]);
}

#[test]
fn a_link_in_the_base_tree_is_not_followed() {
    let change = Change::new();
    change.house.git(&["checkout", "-q", "main"]);
    change.house.git(&["mv", "allowed_signers", "signers"]);
    std::os::unix::fs::symlink("signers", change.house.path("allowed_signers")).unwrap();
    let linked = change.house.commit("a link");
    let ran = change.house.check(&["secrets", "--policy-ref", &linked, "--", "true"]).exits(125);
    ran.says(&["allowed_signers"]);
}

#[test]
fn a_policy_that_nobody_could_sign_is_named_by_the_linter() {
    let change = Change::new();
    let examine = || {
        let ran = Ran::of(change.house.tool("gate-verify", &["policy"]).output().unwrap());
        let codes = |list: &str| {
            let found = ran.json()[list].as_array().cloned().unwrap_or_default();
            found.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        (ran.code, codes("errors"), codes("warnings"))
    };
    assert_eq!(examine(), (0, vec![], vec![]));
    change.house.write("allowed_signers", format!("mallory@example.com {}\n", change.mallory.1));
    let nobody = "nobody-can-sign".to_owned();
    assert_eq!(examine(), (0, vec![], vec![nobody.clone(), nobody]), "the owner, and whom the rule names");
    change.house.write("allowed_signers", "mallory@example.com\n");
    assert_eq!(examine(), (1, vec!["malformed-signers".to_owned()], vec![]));
}

#[test]
fn the_owners_own_change_takes_effect() {
    let change = Change::new();
    change.edit("gate.toml", "[gates.secrets]\nrequire_ledger = true\n", &format!("[gates.secrets]\n{OPEN}"));
    change.refused_without_the_owner();
    change.endorse(&change.owner).exits(0);
    change.house.skip(&["secrets", "--reason", "the owner said so"]).exits(0);
    change.house.check(&["secrets", "--", "false"]).exits(0);
    let policy = change.house.of_kind("policy").pop().unwrap();
    let source = policy["data"]["source"].as_str().unwrap();
    assert!(source.starts_with("owner:SHA256:"), "{source}");
    let signature: Value = serde_json::from_str(policy["data"]["signature"].as_str().unwrap()).unwrap();
    assert_eq!(signature["by"], "alice@example.com");
    let verified = Ran::of(change.house.tool("gate-verify", &["--replay"]).output().unwrap()).exits(0);
    assert_eq!(verified.json()["replay"]["disagreements"], serde_json::json!([]));
}

impl Change {
    /// The policy with the secrets gate open, in the work tree.
    fn open_the_secrets(&self) {
        self.edit(
            "gate.toml",
            "[gates.secrets]\nrequire_ledger = true\n",
            &format!("[gates.secrets]\nrequire_ledger = true\n{OPEN}"),
        );
    }

    fn both(&self) -> (String, String) {
        (self.house.read("gate.toml"), self.house.read("gate.toml.sig"))
    }

    fn put(&self, (policy, signature): &(String, String)) {
        self.house.write("gate.toml", policy);
        self.house.write("gate.toml.sig", signature);
    }

    #[track_caller]
    fn replays(&self) {
        let verified = Ran::of(self.house.tool("gate-verify", &["--replay"]).output().unwrap()).exits(0);
        assert_eq!(verified.json()["replay"]["disagreements"], serde_json::json!([]));
    }
}

/// Strict, then lenient, then strict again, each by the owner's word: what was lenient stays in the past.
#[test]
fn an_owners_return_to_an_older_policy_takes_effect_and_stays() {
    let change = Change::new();
    let strict = change.both();
    change.open_the_secrets();
    change.endorse(&change.owner).exits(0);
    change.house.check(&["secrets", "--", "true"]).exits(0);
    let lenient = change.both();
    change.put(&strict);
    change.refused_without_the_owner();
    change.endorse(&change.owner).exits(0);
    change.house.check(&["secrets", "--", "true"]).exits(0);
    let returned = change.both();
    assert_eq!(change.house.of_kind("policy").len(), 3, "the return is an entry of its own");
    change.house.write("gate.toml", &lenient.0);
    change.house.sh("rm gate.toml.sig").exits(0);
    change.refused_without_the_owner();
    // The word that put it in the strict one's place fits again, and counts once.
    change.put(&lenient);
    change.refused_without_the_owner();
    change.endorse(&change.owner).exits(2).says(&["counts once", "comment"]);
    change.put(&returned);
    change.house.check(&["secrets", "--", "true"]).exits(0);
    change.house.write("gate.toml", format!("{}# once more\n", lenient.0));
    change.endorse(&change.owner).exits(0);
    change.house.skip(&["secrets", "--reason", "the owner said so"]).exits(0);
    change.replays();
}

/// Whoever can write the database puts the entry of the lenient policy there once more.
#[test]
fn a_copied_entry_of_an_older_policy_is_found_by_replay() {
    let change = Change::new();
    let strict = change.house.read("gate.toml");
    change.open_the_secrets();
    change.endorse(&change.owner).exits(0);
    change.house.check(&["secrets", "--", "true"]).exits(0);
    change.house.write("gate.toml", strict);
    change.endorse(&change.owner).exits(0);
    change.house.check(&["secrets", "--", "true"]).exits(0);
    change.replays();
    let lenient = &change.house.of_kind("policy")[1];
    change.house.append_copy(lenient["seq"].as_u64().unwrap());
    let verified = Ran::of(change.house.tool("gate-verify", &["--replay"]).output().unwrap()).exits(1);
    assert!(
        verified.json()["replay"]["disagreements"].to_string().contains("counts once"),
        "{}",
        verified.out()
    );
}

#[test]
fn a_check_that_ends_late_does_not_put_its_policy_back_in_force() {
    let change = Change::new();
    let lenient = change.both();
    change.edit("gate.toml", "max_ttl = \"1h\"", "max_ttl = \"30m\"");
    change.endorse(&change.owner).exits(0);
    let strict = change.both();
    change.house.write("strict.toml", &strict.0);
    change.house.write("strict.toml.sig", &strict.1);
    change.put(&lenient);
    let script =
        "cp strict.toml gate.toml && cp strict.toml.sig gate.toml.sig && gate-check secrets -- true >&2";
    change.house.check(&["secrets", "--", "sh", "-c", script]).exits(0);
    assert_eq!(change.house.of_kind("policy").len(), 2);
    change.put(&lenient);
    change.refused_without_the_owner();
    change.put(&strict);
    change.house.check(&["secrets", "--", "true"]).exits(0);
    change.replays();
}

/// Where no ledger is found nobody can say who guards the policy; what was read then is not recorded as admitted.
#[test]
fn a_policy_that_was_read_while_the_ledger_was_away_does_not_come_into_force() {
    let change = Change::new();
    change.house.write("gate.toml", format!("version = 1\n[gates.secrets]\n{OPEN}"));
    change.house.sh("rm gate.toml.sig; mkdir away; mv .gate/ledger.db* away").exits(0);
    let ran = change.house.check(&["secrets", "--", "sh", "-c", "mv away/ledger.db* .gate"]);
    assert_ne!(ran.code, 2, "{}", ran.stderr);
    assert_eq!(change.house.of_kind("policy").len(), 1);
    change.refused_without_the_owner();
}

#[test]
fn revisions_that_take_turns_are_recorded_once_each() {
    let change = Change::new();
    change.house.git(&["commit", "-q", "--allow-empty", "-m", "the same rules"]);
    let next = change.house.git(&["rev-parse", "HEAD"]).trim().to_owned();
    for _ in 0..3 {
        for revision in [&change.base, &next] {
            change.house.check(&["secrets", "--policy-ref", revision, "--", "true"]).exits(0);
        }
    }
    assert_eq!(
        change.house.of_kind("policy").len(),
        2,
        "two revisions, the first of which brought the owners"
    );
    change.replays();
}

#[test]
fn a_key_that_a_pattern_names_signs_no_policy() {
    let change = Change::new();
    let (key, public) = &change.mallory;
    let alice = change.house.read("allowed_signers");
    change.house.write("allowed_signers", format!("{alice}*@example.com {public}\n"));
    change.endorse(&change.owner).exits(0);
    change.house.check(&["secrets", "--", "true"]).exits(0);
    change.open_the_secrets();
    let sign = format!("--sign={key}");
    let args = ["approve", "./gate.toml", &sign, "--as", "alice@example.com"];
    change.house.skip(&args).exits(2).says(&["by a pattern"]);
    // With ssh-keygen alone she gets a signature, and it does not count.
    change.endorse(&change.owner).exits(0);
    let mut word: Value = serde_json::from_str(&change.house.read("gate.toml.sig")).unwrap();
    let mut signed = word.clone();
    signed.as_object_mut().unwrap().remove("signature");
    change.house.write("word", signed.to_string());
    change.house.sh(&format!("ssh-keygen -q -Y sign -n gate-policy -f {key} word")).exits(0);
    word["signature"] = change.house.read("word.sig").into();
    change.house.write("gate.toml.sig", word.to_string());
    change.refused_without_the_owner();
    let ran = change.house.check(&["secrets", "--", "true"]).exits(125);
    ran.says(&["by a pattern"]);
}

#[test]
fn a_signature_that_is_a_list_is_none() {
    let change = Change::new();
    change.open_the_secrets();
    change.endorse(&change.owner).exits(0);
    let word: Value = serde_json::from_str(&change.house.read("gate.toml.sig")).unwrap();
    let members: Vec<_> =
        ["schema", "digest", "replaces", "by", "signature"].map(|name| word[name].clone()).into();
    change.house.write("gate.toml.sig", Value::from(members).to_string());
    change.refused_without_the_owner();
    change.house.check(&["secrets", "--", "true"]).exits(125).says(&["not a JSON object"]);
}

#[test]
fn what_is_due_is_told_where_nobody_can_tell_whose_policy_it_is() {
    let change = Change::new();
    change.house.write("gate.toml", change.house.read("gate.toml") + OPEN);
    change.house.write(".git/config", "[broken");
    let due = Ran::of(change.house.tool("gate-log", &["due"]).output().unwrap()).exits(0);
    let told = due.says(&["warning: goes by the policies that the ledger holds", "bad config"]).json();
    assert_eq!(told["unreadable"], serde_json::json!([]));
    change.house.check(&["secrets", "--", "true"]).exits(125);
}
