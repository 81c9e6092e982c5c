//! The text under judgement neither hides nor chooses its judge, and git runs nothing of the repository's.
//!
//! Alice owns the policy of a repository whose ledger lies in its usual place. Mallory can change every file of the work
//! tree, `.git/config` included, and cannot sign for Alice.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

mod support;

use std::os::unix::fs::symlink;
use std::path::Path;

use support::{House, POLICY, Ran};

const OWNED: &str = r#"version = 1
[policy]
owners = ["alice@example.com"]
[identity]
allowed_signers = "signers"
[gates.scan]
fail_on = "note"
"#;

/// What a change would like to be judged by.
const LENIENT: &str = "version = 1\n[gates.scan]\nfail_on = \"error\"\n";

const REPORT: &str = "{\"rule\":\"C1\",\"level\":\"warning\",\"path\":\"a.c\",\"message\":\"m\"}\n\
                      {\"schema\":\"gate.end/1\",\"count\":1}\n";

/// A repository with an owned policy and its ledger, and the lenient text in the work tree.
fn guarded() -> House {
    let house = House::without_ledger(OWNED);
    let (key, alice) = house.key("alice");
    house.write("signers", format!("alice@example.com {alice}\n"));
    let signed = house.skip(&["approve", "./gate.toml", &format!("--sign={key}")]).exits(0);
    house.write("gate.toml.sig", &signed.stdout);
    house.sh("gate-log init").exits(0);
    house.commit("rules");
    house.write("r.jsonl", REPORT);
    house.check(&["scan", "r.jsonl"]).exits(1);
    house.write("gate.toml", LENIENT);
    house.sh("rm gate.toml.sig").exits(0);
    house.check(&["scan", "r.jsonl"]).exits(2).says(&["none of them admitted"]);
    house
}

/// Neither a report nor a command is judged by the lenient text.
#[track_caller]
fn stops(house: &House, code: i32) {
    house.check(&["scan", "r.jsonl"]).exits(code);
    house.check(&["scan", "--", "touch", "ran"]).exits(125);
    assert!(!house.path("ran").exists());
}

#[test]
fn a_false_genesis_does_not_take_the_guard_away() {
    let house = guarded();
    let pin = format!("[ledger]\ngenesis = \"b3:{}\"\n[gates", "0".repeat(64));
    house.write("gate.toml", LENIENT.replacen("[gates", &pin, 1));
    stops(&house, 4);
}

#[test]
fn what_lies_in_the_way_of_the_ledger_does_not_take_the_guard_away() {
    for script in [
        "rm -f .gate/ledger.db-wal; mkdir .gate/ledger.db-wal",
        "rm -f .gate/ledger.db-wal; ln -s ../r.jsonl .gate/ledger.db-wal",
        "sqlite3 .gate/ledger.db 'CREATE TABLE more (x)'",
        "git add -f .gate/ledger.db",
        "mv .gate/ledger.db .gate/other; ln -s nowhere .gate/ledger.db",
        "rm .gate/ledger.db*; mkdir .gate/ledger.db",
        ": > .gate/ledger.db",
        "rm -r .gate; touch .gate",
        "rm -r .gate; ln -s nowhere .gate; git add -f .gate",
    ] {
        let house = guarded();
        house.sh(script).exits(0);
        let judged = house.check(&["scan", "r.jsonl"]);
        assert_eq!(judged.code, 4, "{script}: {}", judged.stderr);
        stops(&house, 4);
    }
}

#[test]
fn a_ledger_that_was_named_and_is_not_there_stops() {
    let house = guarded();
    let named = [("GATE_LEDGER", "/nonexistent/ledger.db")];
    house.check_with(&["scan", "r.jsonl"], &named).exits(4).says(&["who guards"]);
    house.check(&["scan", "r.jsonl", "--ledger", "none.db"]).exits(4);
    // What nobody named and nobody made guards nothing.
    let bare = House::without_ledger(LENIENT);
    bare.write("r.jsonl", REPORT);
    bare.check(&["scan", "r.jsonl"]).exits(0);
}

#[test]
fn a_policy_that_moves_or_names_another_ledger_does_not_leave_its_guard_behind() {
    let house = guarded();
    house.write("gate.toml", LENIENT.replacen("[gates", "[ledger]\npath = \"own.db\"\n[gates", 1));
    stops(&house, 4);
    house.sh("mkdir sub; git mv gate.toml sub/gate.toml").exits(0);
    house.write("sub/gate.toml", LENIENT);
    let mut command = house.tool("gate-check", &["scan", "../r.jsonl"]);
    Ran::of(command.current_dir(house.path("sub")).output().unwrap()).exits(4).says(&["two ledgers"]);
}

#[test]
fn an_empty_variable_is_an_error_and_no_fallback() {
    let house = House::new(POLICY);
    for name in ["GATE_LEDGER", "GATE_POLICY", "GATE_ID_TOKEN", "GATE_ACTOR", "GATE_ENVIRONMENT"] {
        let empty = [(name, "")];
        house.check_with(&["lint", "--", "touch", "ran"], &empty).exits(125).says(&[name, "unset it"]);
        house.check_with(&["lint", "--plan"], &empty).exits(2);
        house.skip_with(&["lint", "--reason", "x"], &empty).exits(2);
    }
    assert!(!house.path("ran").exists());
}

/// Mallory's build is the first that shows the ledger a policy with owners.
#[test]
fn the_first_owner_does_not_come_from_a_build() {
    let house = House::new(POLICY);
    house.check(&["lint", "--", "true"]).exits(0);
    let (key, mallory) = house.key("mallory");
    house.git(&["checkout", "-q", "-b", "feature"]);
    house.write("keys", format!("mallory@example.com {mallory}\n"));
    let owned = "[policy]\nowners = [\"mallory@example.com\"]\n[identity]\nallowed_signers = \"keys\"\n";
    house.write("gate.toml", format!("{POLICY}{owned}"));
    let signed = house.skip(&["approve", "./gate.toml", &format!("--sign={key}")]).exits(0);
    house.write("gate.toml.sig", &signed.stdout);
    let merged = house.commit("owners");
    let build = house.check(&["lint", "--", "touch", "ran"]).exits(125);
    build.says(&["cannot bring the first", "--policy-ref"]);
    house.skip(&["lint", "--reason", "x"]).exits(2);
    house.git(&["checkout", "-q", "main"]);
    house.check(&["lint", "--", "true"]).exits(0);
    // Whoever keeps the ledger brings them in, from what was merged.
    house.git(&["checkout", "-q", "feature"]);
    house.check(&["lint", "--policy-ref", &merged, "--", "true"]).exits(0);
    house.check(&["lint", "--", "true"]).exits(0);
    house.git(&["checkout", "-q", "main"]);
    house.check(&["lint", "--", "true"]).exits(125).says(&["none of them admitted"]);
}

#[test]
fn a_link_in_place_of_the_policy_or_a_file_of_it_shows_nothing_of_what_it_leads_to() {
    let secret = "AUTHORIZATION: basic bm90LWEtc2VjcmV0";
    let house = House::new(POLICY);
    house.git(&["config", "http.extraheader", secret]);
    let shows_nothing = |args: &[&str]| {
        let ran = house.check(args);
        assert_ne!(ran.code, 0, "{}", ran.stderr);
        assert!(!ran.stderr.contains("bm90") && !ran.out().contains("bm90"), "{}", ran.stderr);
        assert!(!house.entries().iter().any(|entry| entry.to_string().contains("bm90")));
    };
    house.sh("rm gate.toml; ln -s .git/config gate.toml").exits(0);
    shows_nothing(&["lint", "--", "true"]);
    shows_nothing(&["lint", "--policy", "gate.toml", "--", "true"]);
    shows_nothing(&["lint", "--policy", ".git/config", "--", "true"]);
    house.sh("rm gate.toml; ln -s .git folder").exits(0);
    shows_nothing(&["lint", "--policy", "folder/config", "--", "true"]);
    std::fs::write(house.outside("elsewhere"), secret).unwrap();
    let with = |path: &str| format!("{POLICY}[identity]\nallowed_signers = \"{path}\"\n");
    for path in [
        "../elsewhere",
        ".git/config",
        "a/../.git/config",
        "folder/config",
        &house.outside("elsewhere").display().to_string(),
    ] {
        house.write("gate.toml", with(path));
        shows_nothing(&["lint", "--", "true"]);
    }
    house.write("gate.toml", with("signers"));
    house.sh("ln -s ../elsewhere signers").exits(0);
    shows_nothing(&["lint", "--", "true"]);
    house.write("gate.toml", POLICY);
    house.sh("ln -s ../elsewhere gate.toml.sig").exits(0);
    shows_nothing(&["lint", "--", "true"]);
    house.sh("rm gate.toml.sig gate.toml; mkfifo gate.toml").exits(0);
    shows_nothing(&["lint", "--", "true"]);
}

#[test]
fn a_policy_may_be_named_from_anywhere_as_a_file_itself() {
    let house = House::new(POLICY);
    let outside = house.outside("rules.toml");
    std::fs::write(&outside, POLICY).unwrap();
    let ledger = house.path(".gate/ledger.db").display().to_string();
    let check = |path: &Path| {
        house.check(&["lint", "--policy", &path.display().to_string(), "--ledger", &ledger, "--", "true"])
    };
    check(&outside).exits(0);
    check(Path::new("../rules.toml")).exits(0);
    symlink("rules.toml", house.outside("link.toml")).unwrap();
    check(&house.outside("link.toml")).exits(125).says(&["symbolic link", "put the file itself there"]);
}

#[test]
fn a_folder_that_became_a_link_brings_no_other_policy_and_a_workspace_behind_a_link_works() {
    let house = House::new(POLICY);
    house.write("services/pay/x", "x");
    house.commit("a service");
    let outside = house.outside("elsewhere");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("gate.toml"), LENIENT.replace("scan", "lint")).unwrap();
    house.sh("rm -r services/pay; ln -s ../../elsewhere services/pay").exits(0);
    house.sh("cd services/pay && gate-check lint -- true").exits(125).says(&["was reached through"]);
    house.commit("innocent");
    house.sh("cd services/pay && gate-check lint -- true").exits(125).says(&["was reached through"]);
    symlink(&house.root, house.outside("workspace")).unwrap();
    house.sh("cd ../workspace/services && gate-check lint -- true").exits(0);
    house.sh("cd ../workspace/services/pay && gate-check lint -- true").exits(125);
}

#[test]
fn a_filter_of_the_repository_does_not_run_and_its_file_counts_as_changed() {
    let house = House::new(POLICY);
    house.write("f.txt", "hello");
    house.write(".gitattributes", "f.txt filter=x\n");
    house.commit("a filter");
    let trap = house.outside("trap");
    house.git(&["config", "filter.x.clean", &format!("sh -c 'touch {}; cat'", trap.display())]);
    house.git(&["config", "filter.x.required", "true"]);
    house.write("f.txt", "hellO");
    house.skip(&["lint", "--reason", "x"]).exits(0);
    assert!(!trap.exists(), "a program of the repository's configuration ran");
    assert_eq!(house.of_kind("grant").pop().unwrap()["data"]["context"]["dirty"], true);
}

#[test]
fn a_signing_program_of_the_repository_does_not_run() {
    let house = House::new(POLICY);
    let (key, public) = house.key("alice");
    house.write("signers", format!("alice@example.com {public}\n"));
    house.write("gate.toml", format!("{POLICY}[identity]\nallowed_signers = \"signers\"\n"));
    let trap = house.outside("trap");
    let program = house.outside("program");
    std::fs::write(&program, format!("#!/bin/sh\ntouch '{}'\n", trap.display())).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    house.git(&["config", "gpg.ssh.program", &program.display().to_string()]);
    house.skip(&["lint", "--reason", "x", &format!("--sign={key}")]).exits(0);
    assert!(!trap.exists(), "a program of the repository's configuration ran");
}

#[test]
fn a_pipe_in_gits_administration_does_not_hang_a_gate() {
    for file in ["packed-refs", "HEAD", "config", "index", "refs/heads/main"] {
        let house = House::new(POLICY);
        house.granted(&["lint"]);
        house.sh(&format!("rm -f .git/{file}; mkfifo .git/{file}")).exits(0);
        // It answers at all; a gate whose facts are known passes by its opt-out, or does not.
        let ran = house.check(&["lint", "--", "false"]);
        assert!(matches!(ran.code, 0 | 1 | 125), "{file}: {}", ran.stderr);
    }
}
