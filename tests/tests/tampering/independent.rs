//! `tests/independent/verify.py`, which was written from gate-ledger(5) alone, judges as gate-verify does.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::json_lines::{ALL, Lines, joined, lines};
use super::{Sandbox, append, ledger};

/// A Python that has BLAKE3: the system's, or the one that `scripts/partners` set up.
fn python() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let candidates = [PathBuf::from("python3"), root.join(".partners/venv/bin/python3")];
    let has = |python: &PathBuf| {
        Command::new(python)
            .args(["-c", "import blake3"])
            .output()
            .is_ok_and(|output| output.status.success())
    };
    let found = candidates.into_iter().find(has);
    if found.is_none() {
        eprintln!(
            "skipped: there is no python3 with the module blake3 (scripts/partners blake3 installs it)"
        );
    }
    found
}

/// What a verifier says: whether all is well, how many entries are, and which is the first bad one.
type Verdict = (bool, u64, Option<u64>);

fn verdict(document: &serde_json::Value) -> Verdict {
    let number = |value: &serde_json::Value| value.as_u64();
    (
        document["ok"].as_bool().unwrap(),
        number(&document["entries"]).unwrap(),
        number(&document["first_bad"]["seq"]),
    )
}

/// Has both judge `lines` and returns what they say.
fn both(sandbox: &Sandbox, python: &Path, lines: &Lines) -> (Verdict, Verdict) {
    sandbox.write("export.jsonl", joined(lines));
    let ours = sandbox.run("gate-verify", &["export.jsonl"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("independent/verify.py");
    let output =
        Command::new(python).arg("-B").arg(script).arg(sandbox.path("export.jsonl")).output().unwrap();
    let theirs: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(output.status.code(), Some(i32::from(theirs["ok"] != true)));
    (verdict(&ours.json()), verdict(&theirs))
}

#[test]
fn good_ledgers_are_good_to_both() {
    let Some(python) = python() else { return };
    let sandbox = ledger();
    sandbox.run("gate-check", &["lint", "--", "false"]).expect(0);
    sandbox
        .run("gate-skip", &["lint", "--reason", "ü € \u{1f511} \"quoted\"\n\ttab", "--ttl", "7d"])
        .expect(1);
    append(&sandbox, &(0..40).collect::<Vec<_>>());
    let lines = lines(&sandbox);
    for count in [1, 2, 3, 7, lines.len()] {
        let (ours, theirs) = both(&sandbox, &python, &lines[..count].to_vec());
        assert_eq!((ours, theirs), ((true, count as u64, None), ours));
    }
}

#[test]
fn every_attack_is_judged_alike() {
    let Some(python) = python() else { return };
    let sandbox = ledger();
    let honest = lines(&sandbox);
    for attack in ALL {
        let mut lines = honest.clone();
        (attack.edit)(&mut lines);
        let (ours, theirs) = both(&sandbox, &python, &lines);
        assert_eq!(ours, theirs, "{}", attack.name);
        assert!(!ours.0, "{} was not found", attack.name);
    }
}

/// The root that the Python verifier computes is the one that a checkpoint holds.
#[test]
fn the_root_is_that_of_the_checkpoint() {
    let Some(python) = python() else { return };
    let sandbox = ledger();
    sandbox.shell("gate-log checkpoint --new-key log.key --origin example.com/log").expect(0);
    sandbox.shell("gate-log checkpoint --key-file log.key --origin example.com/log > cp").expect(0);
    sandbox.shell("gate-log export > export.jsonl").expect(0);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("independent/verify.py");
    let check = "import json,sys,base64; print(base64.b64encode(bytes.fromhex(json.load(sys.stdin)['root'])).decode())";
    let root = sandbox.shell(&format!(
        "'{python}' -B '{script}' export.jsonl | '{python}' -c \"{check}\"",
        python = python.display(),
        script = script.display()
    ));
    assert_eq!(root.expect(0).stdout.trim(), sandbox.read("cp").lines().nth(2).unwrap());
}
