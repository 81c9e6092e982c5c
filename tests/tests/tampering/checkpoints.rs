//! What a chain alone cannot see, and a checkpoint that is kept elsewhere can; and false checkpoints and proofs.

use super::json_lines::{joined, lines};
use super::{LEDGER, Output, Sandbox, append, first_bad, ledger, sqlite, tamper};

/// A ledger whose log has a name, its key, and a checkpoint `cp` of its seven entries.
fn anchored() -> (Sandbox, String) {
    let sandbox = ledger();
    let policy = sandbox.read("gate.toml").replace("[ledger]", "[ledger]\norigin = \"example.com/log\"");
    sandbox.write("gate.toml", policy);
    let key =
        sandbox.run("gate-log", &["checkpoint", "--new-key", "log.key"]).expect(0).stdout.trim().to_owned();
    sign(&sandbox, "cp");
    (sandbox, key)
}

fn sign(sandbox: &Sandbox, to: &str) {
    sandbox.shell(&format!("gate-log checkpoint --key-file log.key > {to}")).expect(0);
}

fn verify(sandbox: &Sandbox, checkpoint: &str, key: &str) -> Output {
    sandbox.run("gate-verify", &["--checkpoint", checkpoint, "--key", key])
}

fn says(output: &Output, code: &str) -> bool {
    output.json()["warnings"].as_array().unwrap().iter().any(|warning| warning["code"] == code)
}

#[track_caller]
fn found(output: &Output, code: &str) {
    assert_eq!(first_bad(output).1, code, "{}", output.stderr);
}

#[test]
fn truncated_tail_of_the_file() {
    let (sandbox, key) = anchored();
    tamper(&sandbox, "DELETE FROM entry WHERE seq > 4");
    let alone = sandbox.run::<&str>("gate-verify", &[]).expect(0);
    assert!(says(&alone, "unanchored"));
    found(&verify(&sandbox, "cp", &key).expect(1), "checkpoint-larger");
}

#[test]
fn truncated_tail_of_an_export() {
    let (sandbox, key) = anchored();
    let mut lines = lines(&sandbox);
    lines.truncate(5);
    let args = ["-", "--checkpoint", "cp", "--key", &key];
    found(&sandbox.run_with("gate-verify", &args, joined(&lines)).expect(1), "checkpoint-larger");
}

/// All of it written anew with fresh hashes, the ledger's id kept: the chain is whole.
#[test]
fn rewritten_with_fresh_hashes() {
    let (sandbox, key) = anchored();
    let mut rows = Vec::new();
    let mut prev = format!("b3:{}", "0".repeat(64));
    for mut entry in sandbox.entries() {
        let members = entry.as_object_mut().unwrap();
        members.remove("hash");
        members.insert("prev".to_owned(), prev.into());
        if members["seq"] == 3 {
            members.insert("data".to_owned(), serde_json::json!({"n": 7}));
        }
        let body = entry.to_string();
        let hash = gate_ledger::entry::hash(body.as_bytes());
        prev = hash.to_string();
        rows.push((body, hash));
    }
    let update = |(seq, (body, hash)): (usize, &(String, gate_ledger::entry::EntryHash))| {
        let (body, hash) = (body.replace('\'', "''"), &hash.to_string()[3..]);
        format!("UPDATE entry SET body = '{body}', hash = x'{hash}' WHERE seq = {seq};")
    };
    tamper(&sandbox, &rows.iter().enumerate().map(update).collect::<String>());
    sandbox.run::<&str>("gate-verify", &[]).expect(0);
    found(&verify(&sandbox, "cp", &key).expect(1), "checkpoint-root");
    let export = sandbox.run("gate-log", &["export"]).expect(0).stdout;
    let args = ["-", "--checkpoint", "cp", "--key", &key];
    found(&sandbox.run_with("gate-verify", &args, export).expect(1), "checkpoint-root");
}

#[test]
fn restored_old_copy() {
    let (sandbox, key) = anchored();
    sandbox.run("gate-log", &["copy", "old.db"]).expect(0);
    append(&sandbox, &[5]);
    sandbox.shell("gate-log checkpoint --key-file log.key --since cp > new").expect(0);
    std::fs::copy(sandbox.path("old.db"), sandbox.path(LEDGER)).unwrap();
    found(&verify(&sandbox, "new", &key).expect(1), "checkpoint-larger");
    // Nothing that does not extend what was signed is signed again.
    let sign = ["checkpoint", "--key-file", "log.key", "--since", "new"];
    sandbox.run("gate-log", &sign).expect(4).says("does not extend");
}

#[test]
fn copy_without_the_write_ahead_log() {
    let (sandbox, key) = anchored();
    let held = sqlite::hold_open(&sandbox);
    sign(&sandbox, "new");
    std::fs::copy(sandbox.path(LEDGER), sandbox.path("copy.db")).unwrap();
    let args = ["copy.db", "--checkpoint", "new", "--key", &key];
    found(&sandbox.run("gate-verify", &args).expect(1), "checkpoint-larger");
    drop(held);
}

/// Two people are shown two histories that begin alike: each is whole, and together they are not.
#[test]
fn two_histories() {
    let (sandbox, key) = anchored();
    sandbox.run("gate-log", &["copy", "other.db"]).expect(0);
    append(&sandbox, &[5, 6]);
    sign(&sandbox, "mine");
    let note = "{\"n\":50}\n{\"n\":60}\n{\"n\":70}\n";
    sandbox.run_with("gate-log", &["append", "--quiet", "--ledger", "other.db"], note).expect(0);
    // A log of two faces signs both: it lies about the key, in a place where nothing is remembered.
    sandbox.run("mkdir", &["elsewhere"]).expect(0);
    sandbox.shell("cp log.key elsewhere/ && chmod 600 elsewhere/log.key").expect(0);
    sandbox
        .shell("gate-log checkpoint --key-file elsewhere/log.key --first --ledger other.db > theirs")
        .expect(0);
    let other = |checkpoint: &str| {
        sandbox.run("gate-verify", &["other.db", "--checkpoint", checkpoint, "--key", &key])
    };
    verify(&sandbox, "mine", &key).expect(0);
    other("theirs").expect(0);
    found(&other("mine").expect(1), "checkpoint-root");
    found(&verify(&sandbox, "theirs", &key).expect(1), "checkpoint-larger");
    // Neither can be proven to extend the other, from whichever ledger.
    for ledger in [LEDGER, "other.db"] {
        let consistent =
            sandbox.run("gate-log", &["prove", "--consistency", "mine", "theirs", "--ledger", ledger]);
        assert!(matches!(consistent.status, 1 | 2 | 4), "{} {}", consistent.status, consistent.stdout);
        assert!(consistent.stdout.is_empty());
    }
}

#[test]
fn checkpoint_of_another_origin() {
    let (sandbox, _) = anchored();
    let new = ["checkpoint", "--new-key", "evil.key", "--origin", "example.com/other"];
    let key = sandbox.run("gate-log", &new).expect(0).stdout.trim().to_owned();
    sandbox.shell("gate-log checkpoint --key-file evil.key --origin example.com/other > evil").expect(0);
    let (stranger, strange_key) = anchored();
    sandbox.write("strange", stranger.read("cp"));
    let foreign = verify(&sandbox, "strange", &strange_key).expect(1);
    assert!(says(&foreign, "checkpoint-origin"), "{}", foreign.stderr);
    // A key that was trusted for another name does not speak for this one.
    let other = verify(&sandbox, "evil", &key);
    assert!(other.status == 0 || says(&other, "checkpoint-origin"), "{}", other.stderr);
    assert!(
        other.status != 0
            || other.json()["anchored"]["origin"].as_str().unwrap().starts_with("example.com/other")
    );
}

#[test]
fn known_key_with_a_bad_signature() {
    let (sandbox, key) = anchored();
    sandbox.shell("sed 's/^7$/6/' cp > edited").expect(0);
    let output = verify(&sandbox, "edited", &key).expect(1);
    assert!(says(&output, "checkpoint-signature"), "{}", output.stderr);
    assert!(output.json()["anchored"].is_null());
}

#[test]
fn unknown_key() {
    let (sandbox, _) = anchored();
    let (_, stranger) = anchored();
    let output = verify(&sandbox, "cp", &stranger).expect(1);
    assert!(says(&output, "checkpoint-key"), "{}", output.stderr);
    assert!(output.json()["anchored"].is_null());
}

#[test]
fn proof_of_another_tree() {
    let (sandbox, key) = anchored();
    let (other, _) = anchored();
    for one in [&sandbox, &other] {
        one.shell("gate-log prove 3 --checkpoint cp > proof").expect(0);
    }
    let check = |proof: String| sandbox.run_with("gate-verify", &["proof", "-", "--key", &key], proof);
    let (mine, theirs) = (sandbox.read("proof"), other.read("proof"));
    check(mine.clone()).expect(0);
    // The other tree's path, or its entry, under this one's checkpoint.
    let (path, signed) = mine.split_once("\n\n").unwrap();
    let (other_path, other_signed) = theirs.split_once("\n\n").unwrap();
    check(format!("{other_path}\n\n{signed}")).expect(1).says("not proven");
    assert_eq!(check(format!("{path}\n\n{other_signed}")).status, 1);
    let swapped = |from: &str, to: &str, line: usize| {
        let mut lines: Vec<&str> = from.lines().collect();
        lines[line] = to.lines().nth(line).unwrap();
        lines.join("\n") + "\n"
    };
    check(swapped(&mine, &theirs, 1)).expect(1).says("not proven");
    check(mine.replacen("index 3", "index 2", 1)).expect(1).says("not proven");
}
