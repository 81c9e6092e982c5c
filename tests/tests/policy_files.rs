//! The files that a policy is read from, and where it is looked for: what must not switch the ledger off or put other
//! rules in place without a word.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

mod support;

use std::path::Path;

use support::{House, Ran};

const KEY_SET: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

const TRUSTING: &str = r#"
version = 1

[identity]
allowed_signers = "signers"

[[identity.oidc]]
issuer   = "https://token.actions.githubusercontent.com"
audience = "gate"
jwks     = "jwks.json"
claims   = { repository_owner_id = "123" }

[gates.lint]
"#;

/// A house whose policy trusts a key and an issuer.
fn trusting() -> House {
    let house = House::new(TRUSTING);
    let (_, alice) = house.key("alice");
    house.write("signers", format!("# keys\nalice@example.com {alice}\n"));
    house.write("jwks.json", KEY_SET);
    house
}

fn examine(house: &House) -> Ran {
    Ran::of(house.tool("gate-verify", &["policy"]).output().unwrap())
}

fn codes(ran: &Ran) -> Vec<String> {
    let errors = ran.json()["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
}

/// Runs a tool in a folder below the house.
fn run_in(house: &House, dir: &str, args: &[&str]) -> Ran {
    Ran::of(house.tool("gate-check", args).current_dir(house.path(dir)).output().unwrap())
}

#[test]
fn a_trusted_file_that_no_entry_can_hold_does_not_switch_the_ledger_off() {
    for (file, tail, place, remedy) in [
        ("signers", "# \u{1b}\n", "'signers': line 3, column 3: ", "take it out"),
        ("signers", "# \u{9b}\n", "U+009B", "take it out"),
        ("jwks.json", "\r\n", "'jwks.json': line 1, column 101: ", "convert it to LF line ends"),
        ("gate.toml.sig", "{}\r\n", "'gate.toml.sig': line 1, column 3: ", "convert it to LF line ends"),
        ("gate.toml", "# \u{1b}\n", "gate.toml:", "take it out"),
    ] {
        let house = trusting();
        let before = std::fs::read_to_string(house.path(file)).unwrap_or_default();
        house.write(file, before + tail);
        house.check(&["lint", "--", "touch", "ran"]).exits(125).says(&[place, remedy]);
        assert!(!house.path("ran").exists(), "{file}");
        house.check(&["lint", "--plan"]).exits(2).says(&[place, remedy]);
        examine(&house).exits(2).says(&[place, remedy]);
        let base = house.commit("odd");
        if file != "gate.toml.sig" {
            house.check(&["lint", "--policy-ref", &base, "--", "true"]).exits(125).says(&[remedy]);
        }
        assert_eq!(house.entries().len(), 1, "{file}");
    }
}

#[test]
fn files_that_are_together_larger_than_an_entry_do_not_switch_the_ledger_off() {
    let house = trusting();
    let signers = house.read("signers");
    // Each newline takes two bytes in an entry.
    house.write("signers", signers + &"#\n".repeat(200_000));
    house.check(&["lint", "--", "true"]).exits(0);
    assert_eq!(house.of_kind("decision").len(), 1);
    house.write("jwks.json", KEY_SET.to_owned() + &"\n".repeat(300_000));
    house.check(&["lint", "--", "true"]).exits(125).says(&["an entry holds", "make the files smaller"]);
    examine(&house).exits(2).says(&["an entry holds"]);
}

#[test]
fn a_key_set_that_verifies_no_token_is_an_error_of_the_policy() {
    let house = trusting();
    assert_eq!(examine(&house).exits(0).json()["ok"], true);
    let key = &KEY_SET[9..KEY_SET.len() - 2];
    for malformed in [
        String::new(),
        "[]".to_owned(),
        r#"{"keys":{}}"#.to_owned(),
        r#"{"keys":[]}"#.to_owned(),
        r#"{"keys":[{"kty":"oct","k":"AAAA","kid":"1"}]}"#.to_owned(),
        format!(r#"{{"keys":[{key}],"keys":[]}}"#),
        format!(r#"{{"keys":[{key},{key}]}}"#),
        r#"{"keys":[{"kty":"RSA","kid":"1","n":"AQAB","e":"AQAB"}]}"#.to_owned(),
    ] {
        house.write("jwks.json", &malformed);
        let ran = examine(&house);
        assert_eq!((ran.code, codes(&ran)), (1, vec!["malformed-key-set".to_owned()]), "{malformed}");
        assert_eq!(ran.json()["errors"][0]["line"], 10, "{malformed}");
        ran.says(&["'jwks.json' cannot be used", "gate.toml:10:"]);
    }
}

/// A repository with a policy of its own at `services/api` of the house, as a submodule or brought along.
fn plant(house: &House, as_submodule: bool) {
    let other = house.outside("other");
    std::fs::create_dir(&other).unwrap();
    let git = |args: &[&str]| {
        let ran = house.plain("git").current_dir(&other).args(args).output().unwrap();
        assert!(ran.status.success(), "{args:?}: {}", String::from_utf8_lossy(&ran.stderr));
    };
    git(&["init", "-q", "-b", "main"]);
    std::fs::write(other.join("gate.toml"), "version = 1\n[gates.lint]\n[gates.deploy]\n").unwrap();
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "mine"]);
    if as_submodule {
        let url = other.display().to_string();
        let allow = ["-c", "protocol.file.allow=always"];
        house.git(&[&allow[..], &["submodule", "add", "-q", &url, "services/api"]].concat());
        house.commit("a submodule");
    } else {
        std::fs::create_dir_all(house.path("services")).unwrap();
        std::fs::rename(&other, house.path("services/api")).unwrap();
    }
}

#[test]
fn a_policy_in_a_nested_repository_does_not_replace_the_one_around_it() {
    for as_submodule in [true, false] {
        let house = House::new("version = 1\n[gates.lint]\n");
        plant(&house, as_submodule);
        let by_ref = ["lint", "--policy-ref", "refs/heads/main", "--", "true"];
        for args in [&["lint", "--", "true"][..], &by_ref] {
            let ran = run_in(&house, "services/api", args).exits(125);
            ran.says(&["two policies", "services/api/gate.toml", "run it in the outer work tree"]);
        }
        // Its own is used where it is named, and the outer work tree has no doubt.
        run_in(&house, "services/api", &["lint", "--policy", "gate.toml", "--", "true"]).exits(0);
        house.check(&["lint", "--", "true"]).exits(0);
        // Taken out of the work tree, the outer policy still stands in the revision.
        std::fs::remove_file(house.path("gate.toml")).unwrap();
        run_in(&house, "services/api", &["lint", "--", "true"]).exits(0);
        run_in(&house, "services/api", &by_ref).exits(125).says(&["two policies"]);
    }
}

#[test]
fn a_nested_repository_does_not_take_the_place_of_a_policy_that_is_named() {
    let house = House::new("version = 1\n[gates.none]\n");
    house.git(&["rm", "-q", "gate.toml"]);
    house.write("services/api/gate.toml", "version = 1\n[gates.lint]\n");
    house.commit("the policy of a part");
    let named = ["lint", "--policy", "gate.toml", "--policy-ref", "refs/heads/main", "--", "true"];
    run_in(&house, "services/api", &named).exits(0);
    std::fs::remove_dir_all(house.path("services")).unwrap();
    plant(&house, false);
    run_in(&house, "services/api", &named).exits(125).says(&["in a nested repository"]);
}

#[test]
fn a_linked_work_tree_below_its_repository_has_its_own_policy() {
    let house = House::new("version = 1\n[gates.lint]\n");
    house.git(&["worktree", "add", "-q", "trees/feature"]);
    run_in(&house, "trees/feature", &["lint", "--", "true"]).exits(0);
    run_in(&house, "trees/feature", &["lint", "--policy-ref", "refs/heads/main", "--", "true"]).exits(0);
}

#[test]
fn a_text_that_names_another_ledger_does_not_dodge_the_owners_of_the_one_that_the_pipeline_names() {
    let house = House::without_ledger("version = 1\n[gates.none]\n");
    house.create_ledger(".gate/ledger.db");
    let (key, alice) = house.key("alice");
    house.write("signers", format!("alice@example.com {alice}\n"));
    let owned = "version = 1\n[policy]\nowners = [\"alice@example.com\"]\n[identity]\nallowed_signers = \"signers\"\n[gates.lint]\n";
    house.write("gate.toml", owned);
    let signed = house.skip(&["approve", "./gate.toml", &format!("--sign={key}")]).exits(0);
    house.write("gate.toml.sig", &signed.stdout);
    house.commit("owners");
    // Owners come in by a revision, never by a text of the work tree.
    house.check(&["lint", "--", "true"]).exits(125).says(&["the ledger knows none yet"]);
    house.check(&["lint", "--policy-ref", "refs/heads/main", "--", "true"]).exits(0);
    let open = "[gates.lint]\n[[gates.lint.allow]]\nactions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"1h\"\n";
    house.write("gate.toml", format!("version = 1\n[ledger]\npath = \"elsewhere.db\"\n{open}"));
    let truth = house.path(".gate/ledger.db").display().to_string();
    let pipeline = [("GATE_LEDGER", truth.as_str())];
    house.skip_with(&["lint", "--reason", "x"], &pipeline).exits(2).says(&["does not admit"]);
    house.check_with(&["lint", "--", "true"], &pipeline).exits(125).says(&["does not admit"]);
    assert!(!Path::new(&house.path("elsewhere.db")).exists());
}

#[test]
fn a_branch_whose_name_no_entry_can_hold_does_not_switch_the_ledger_off() {
    let house = House::new("version = 1\n[gates.lint]\n");
    house.git(&["checkout", "-q", "-b", "x\u{85}y"]);
    house.check(&["lint", "--", "true"]).exits(0);
    let decision = house.last_decision();
    let conflicts = decision["data"]["context"]["conflicts"].to_string();
    assert!(conflicts.contains("control character"), "{decision}");
}
