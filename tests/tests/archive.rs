//! Archiving, and verifying what it leaves: the rest alone, the segments alone, and both as one ledger.

#![allow(clippy::unwrap_used, reason = "this is test code: what fails shall stop the test")]

use std::fs;
use std::path::PathBuf;

use gate_ledger::archive::{EntryRef, NamedSegment, Statement};
use gate_ledger::checkpoint::Checkpoint;
use gate_ledger::entry::{Draft, Entry, Kind, Place};
use gate_ledger::note::SignerKey;
use gate_ledger::tree::{CompactRange, leaf_hash};
use gate_tests::{Output, Sandbox};
use serde_json::{Value, json};

const ORIGIN: &str = "example.com/payments";
const LEDGER: &str = ".gate/ledger.db";

/// A ledger with 42 entries, the first 20 archived, so that the statement is entry 42.
struct Archived {
    sandbox: Sandbox,
}

impl Archived {
    fn new() -> Self {
        let this = Self::whole();
        this.archive("20").expect(0);
        this
    }

    /// The same ledger before that, with a key and a checkpoint.
    fn whole() -> Self {
        let sandbox = Sandbox::with_starter();
        let notes = (0..40).map(|n| format!("{{\"n\":{n}}}\n")).collect::<Vec<_>>().concat();
        sandbox.run_with("gate-log", &["append", "--quiet"], notes).expect(0);
        let key =
            sandbox.run("gate-log", &["checkpoint", "--new-key", "log.key", "--origin", ORIGIN]).expect(0);
        sandbox.write("log.pub", key.stdout);
        fs::create_dir(sandbox.path("segments")).unwrap();
        let this = Self { sandbox };
        this.checkpoint("whole");
        this
    }

    fn archive(&self, before: &str) -> Output {
        let args =
            ["archive", "--before", before, "--to", "segments", "--key-file", "log.key", "--origin", ORIGIN];
        self.sandbox.run("gate-log", &args)
    }

    fn checkpoint(&self, name: &str) {
        let args = ["checkpoint", "--key-file", "log.key", "--origin", ORIGIN];
        let note = self.sandbox.run("gate-log", &args).expect(0);
        self.sandbox.write(name, note.stdout);
    }

    /// The segments, by position.
    fn segments(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.sandbox.path("segments")).unwrap();
        let mut found: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        let from = |path: &PathBuf| -> u64 {
            path.file_name().unwrap().to_str().unwrap().split('-').nth(1).unwrap().parse().unwrap()
        };
        found.sort_by_key(from);
        found
    }

    /// Verifies `subject` with all segments and `more` arguments.
    fn together(&self, subject: &str, more: &[&str]) -> Output {
        let segments = self.segments();
        let mut args = vec![subject];
        for path in &segments {
            args.extend(["--archive", path.to_str().unwrap()]);
        }
        args.extend(more);
        self.sandbox.run("gate-verify", &args)
    }

    fn verify(&self, args: &[&str]) -> Output {
        self.sandbox.run("gate-verify", args)
    }

    /// The lines of the first segment.
    fn unpacked(&self) -> Vec<Vec<u8>> {
        let bytes = zstd::decode_all(fs::read(&self.segments()[0]).unwrap().as_slice()).unwrap();
        bytes.strip_suffix(b"\n").unwrap().split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
    }

    /// Writes the first segment anew.
    fn pack(&self, lines: &[Vec<u8>]) {
        let mut text = lines.join(&b'\n');
        text.push(b'\n');
        fs::write(&self.segments()[0], zstd::encode_all(text.as_slice(), 3).unwrap()).unwrap();
    }

    /// The lines of the rest, as it is exported.
    fn rest(&self) -> Vec<Value> {
        self.sandbox.entries()
    }
}

fn bad(output: Output) -> (u64, String) {
    let document = output.expect(1).json();
    assert_eq!(document["ok"], false);
    let bad = &document["first_bad"];
    (bad["seq"].as_u64().unwrap(), bad["code"].as_str().unwrap().to_owned())
}

fn codes(output: &Output) -> Vec<String> {
    let warnings = output.json()["warnings"].as_array().unwrap().clone();
    warnings.iter().map(|warning| warning["code"].as_str().unwrap().to_owned()).collect()
}

fn jsonl(entries: &[Value]) -> String {
    let line = |entry: &Value| {
        let mut body = entry.clone();
        let hash = body.as_object_mut().unwrap().remove("hash").unwrap();
        let body = body.to_string();
        format!("{},\"hash\":{hash}}}\n", body.strip_suffix('}').unwrap())
    };
    entries.iter().map(line).collect()
}

/// Writes the chain of `lines` anew from `index` on, as an attacker can who computes hashes.
fn rechain(entries: &mut [Value], index: usize) {
    for at in index..entries.len() {
        let old = entries[at].clone();
        let prev = entries[at - 1]["hash"].as_str().unwrap().parse().unwrap();
        let draft = Draft {
            kind: Kind::parse(old["kind"].as_str().unwrap()).unwrap(),
            gate: None,
            reference: None,
            actor: old["actor"].clone(),
            data: old["data"].clone(),
        };
        let (ledger, seq) = (old["ledger"].as_str().unwrap(), old["seq"].as_u64().unwrap());
        let time = gate_model::time::Timestamp::parse(old["at"].as_str().unwrap()).unwrap();
        let entry = draft.at(Place { ledger, seq, prev, at: time }).unwrap();
        entries[at] = serde_json::from_str(&entry.line()).unwrap();
    }
}

mod honest {
    use super::*;

    #[test]
    fn the_rest_the_segment_and_both_verify() {
        let archived = Archived::new();
        let rest = archived.verify(&[LEDGER, "--key", "log.pub"]).expect(0);
        let document = rest.json();
        assert_eq!(document["entries"], 43);
        assert_eq!(
            document["archived"],
            json!({"entries": 18, "before": 20, "statement": 42, "verified": false})
        );
        assert!(codes(&rest).contains(&"archived".to_owned()));
        let exported = archived.sandbox.shell("gate-log export | gate-verify - --key log.pub").expect(0);
        assert_eq!(exported.json(), document);
        let both = archived.together(LEDGER, &["--key", "log.pub", "--checkpoint", "whole"]).expect(0);
        assert_eq!(both.json()["archived"]["verified"], true);
        assert_eq!(both.json()["anchored"]["size"], 42);
        assert!(!codes(&both).contains(&"archived".to_owned()));
        archived.sandbox.shell("gate-log export > rest.jsonl").expect(0);
        assert_eq!(archived.together("rest.jsonl", &[]).expect(0).json()["archived"]["verified"], true);
        let alone = archived.verify(&[archived.segments()[0].to_str().unwrap()]).expect(0).json();
        assert_eq!((&alone["entries"], &alone["archived"]), (&json!(20), &Value::Null));
    }

    #[test]
    fn every_tool_goes_on_with_what_is_left() {
        let archived = Archived::new();
        let sandbox = &archived.sandbox;
        sandbox.run("gate-check", &["lint", "--", "true"]).expect(0);
        sandbox.run("gate-skip", &["lint", "--reason", "the linter crashes on it"]).expect(0);
        sandbox.run("gate-check", &["lint", "--", "false"]).expect(0);
        assert_eq!(sandbox.run::<&str>("gate-log", &[]).expect(0).lines().len(), 28);
        assert_eq!(sandbox.run("gate-log", &["--reverse"]).expect(0).lines().len(), 28);
        assert_eq!(sandbox.run("gate-log", &["--kind", "archive"]).expect(0).lines().len(), 1);
        assert_eq!(sandbox.run("gate-log", &["stats"]).expect(0).json()["entries"], 28);
        sandbox.run("gate-log", &["due"]).expect(0);
        sandbox.run("gate-log", &["show", "20"]).expect(0);
        sandbox.run("gate-log", &["show", "1"]).expect(0);
        sandbox.run("gate-log", &["show", "17"]).expect(2).says("is in segment '");
        sandbox.run("gate-log", &["show", "900"]).expect(2).says("has no entry");
        sandbox.run("gate-log", &["copy", "copy.db"]).expect(0);
        assert_eq!(
            archived.together("copy.db", &["--replay"]).expect(0).json()["archived"]["verified"],
            true
        );
        archived.checkpoint("later");
        archived.verify(&["--key", "log.pub", "--checkpoint", "later", "--require-anchor"]).expect(0);
        fs::remove_file(sandbox.path(".gate/ledger.db-checkpoint")).unwrap();
        archived.checkpoint("again");
        assert_eq!(sandbox.read("again"), sandbox.read("later"));
    }

    #[test]
    fn proofs_of_what_is_left_hold_and_others_are_refused_with_the_segment() {
        let archived = Archived::new();
        archived.checkpoint("later");
        let sandbox = &archived.sandbox;
        for seq in 20..43 {
            let proof =
                format!("gate-log prove {seq} --checkpoint later | gate-verify proof - --key log.pub");
            sandbox.shell(&proof).expect(0);
        }
        sandbox.run("gate-log", &["prove", "--consistency", "whole", "later"]).expect(0);
        for seq in ["0", "1", "5", "19"] {
            sandbox.run("gate-log", &["prove", seq, "--checkpoint", "later"]).expect(2).says("was archived");
        }
    }

    #[test]
    fn a_second_archive_moves_the_first_statement_too() {
        let archived = Archived::new();
        archived.sandbox.run_with("gate-log", &["append", "--quiet"], "{\"n\":1}\n{\"n\":2}\n").expect(0);
        archived.archive("44").expect(0);
        assert_eq!(archived.segments().len(), 2);
        let rest = archived.verify(&["--key", "log.pub"]).expect(0).json();
        assert_eq!(
            rest["archived"],
            json!({"entries": 42, "before": 44, "statement": 45, "verified": false})
        );
        let both = archived.together(LEDGER, &["--key", "log.pub", "--checkpoint", "whole"]).expect(0).json();
        assert_eq!((&both["archived"]["verified"], &both["anchored"]["size"]), (&json!(true), &json!(42)));
        let first = archived.segments()[0].to_str().unwrap().to_owned();
        let second = archived.segments()[1].to_str().unwrap().to_owned();
        // One of two segments verifies as far as it goes, and says that the other was not looked at.
        let one = archived.verify(&["--archive", &first]).expect(0).json();
        assert_eq!(one["archived"]["verified"], false);
        assert_eq!(bad(archived.verify(&["--archive", &second])), (0, "gap".to_owned()));
        assert_eq!(bad(archived.verify(&[&second])), (0, "gap".to_owned()));
        assert_eq!(archived.verify(&[&second, "--archive", &first]).expect(0).json()["entries"], 44);
    }

    #[test]
    fn the_newest_entry_stays_and_nothing_to_move_is_no_error() {
        let archived = Archived::whole();
        archived.archive("900").expect(1).says("the most that can be: --before 41");
        archived.archive("2").expect(0).says("nothing was archived");
        assert!(archived.segments().is_empty());
        assert_eq!(archived.rest().len(), 42);
        archived.archive("41").expect(0);
        archived.verify(&[]).expect(0);
        archived.archive("30").expect(0).says("nothing was archived");
    }

    #[test]
    fn an_old_checkpoint_needs_the_segments() {
        let archived = Archived::whole();
        archived.sandbox.run_with("gate-log", &["append", "--quiet"], "{\"n\":1}\n{\"n\":2}\n").expect(0);
        archived.archive("43").expect(0);
        let alone = archived.verify(&["--key", "log.pub", "--checkpoint", "whole"]).expect(1);
        assert!(codes(&alone).contains(&"checkpoint-archived".to_owned()));
        archived.together(LEDGER, &["--key", "log.pub", "--checkpoint", "whole"]).expect(0);
    }

    #[test]
    fn times_choose_the_position_too() {
        let archived = Archived::whole();
        archived.archive("2020-01-01T00:00:00Z").expect(0).says("nothing was archived");
        archived.archive("2099-01-01T00:00:00Z").expect(1);
        let far = ["archive", "--before", "2099-01-01T00:00:00Z", "--as-far-as-possible", "--to", "segments"];
        let key = ["--key-file", "log.key", "--origin", ORIGIN];
        archived.sandbox.run("gate-log", &[far.as_slice(), &key].concat()).expect(0);
        assert_eq!(archived.verify(&[]).expect(0).json()["archived"]["before"], 41);
    }
}

mod needed {
    use super::*;

    #[test]
    fn a_live_opt_out_stays() {
        let archived = Archived::whole();
        archived.sandbox.run("gate-skip", &["lint", "--reason", "the linter crashes on it"]).expect(0);
        archived.sandbox.run_with("gate-log", &["append", "--quiet"], "{\"n\":1}\n{\"n\":2}\n").expect(0);
        archived.archive("44").expect(1).says("entry 42 begins an opt-out that is live").says("--before 42");
        assert!(archived.segments().is_empty(), "nothing is written before that is known");
        archived.archive("42").expect(0);
        archived.sandbox.run("gate-check", &["lint", "--", "false"]).expect(0);
        let replay = archived.together(LEDGER, &["--replay"]).expect(0).json()["replay"].clone();
        assert_eq!(replay["disagreements"], json!([]));
    }

    #[test]
    fn a_revoked_one_may_go_and_replay_says_what_it_cannot_judge() {
        let archived = Archived::whole();
        let sandbox = &archived.sandbox;
        sandbox.run("gate-skip", &["lint", "--reason", "the linter crashes on it"]).expect(0);
        sandbox.run("gate-check", &["lint", "--", "false"]).expect(0);
        sandbox.run("gate-skip", &["revoke", "42", "--reason", "it is mended"]).expect(0);
        sandbox.run("gate-check", &["lint", "--", "true"]).expect(0);
        archived.archive("43").expect(0);
        let alone = archived.verify(&["--replay"]).expect(0).json()["replay"].clone();
        assert_eq!(alone["disagreements"], json!([]));
        assert!(alone["not_judged"][0]["reason"].as_str().unwrap().contains("archived"), "{alone}");
        let both = archived.together(LEDGER, &["--replay"]).expect(0).json()["replay"].clone();
        assert_eq!((&both["disagreements"], &both["not_judged"]), (&json!([]), &json!([])));
    }

    #[test]
    fn a_grant_that_a_quota_counts_stays() {
        let policy = "version = 1\n[gates.lint]\nseverity = \"low\"\n[[gates.lint.allow]]\n\
                      actions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"24h\"\nquota = { max = 5, per = \"7d\" }\n";
        let sandbox = Sandbox::with_policy(policy);
        let key = ["checkpoint", "--new-key", "log.key", "--origin", ORIGIN];
        sandbox.run("gate-log", &key).expect(0);
        fs::create_dir(sandbox.path("segments")).unwrap();
        sandbox.run("gate-skip", &["lint", "--reason", "the linter crashes on it"]).expect(0);
        sandbox.run("gate-skip", &["revoke", "2", "--reason", "it is mended"]).expect(0);
        sandbox.run_with("gate-log", &["append", "--quiet"], "{\"n\":1}\n").expect(0);
        Archived { sandbox }.archive("4").expect(1).says("entry 2 is a grant of").says("a quota may count");
    }
}

mod crash {
    use super::*;

    #[test]
    fn a_last_checkpoint_from_before_the_archive_never_makes_the_signer_leave_entries_out() {
        let sandbox = Sandbox::with_starter();
        let key = ["checkpoint", "--new-key", "log.key", "--origin", ORIGIN];
        sandbox.run("gate-log", &key).expect(0);
        fs::create_dir(sandbox.path("segments")).unwrap();
        let (kept, old) = (sandbox.path(".gate/ledger.db-checkpoint"), sandbox.path("old"));
        let archived = Archived { sandbox };
        // The newest entry is a policy, which stays however much of what follows is moved.
        archived.checkpoint("policy");
        fs::copy(&kept, &old).unwrap();
        let notes = (0..40).map(|n| format!("{{\"n\":{n}}}\n")).collect::<Vec<_>>().concat();
        archived.sandbox.run_with("gate-log", &["append", "--quiet"], notes).expect(0);
        archived.archive("20").expect(0);
        archived.checkpoint("good");
        fs::copy(&old, &kept).unwrap();
        archived.checkpoint("again");
        let text = |name: &str| fs::read_to_string(archived.sandbox.path(name)).unwrap();
        assert_eq!(text("again"), text("good"));
    }

    #[test]
    fn a_segment_that_nobody_states_is_taken_up_by_the_next_run() {
        let archived = Archived::whole();
        fs::copy(archived.sandbox.path(LEDGER), archived.sandbox.path("before.db")).unwrap();
        archived.archive("20").expect(0);
        // As after a crash between the segment's name and the commit.
        fs::copy(archived.sandbox.path("before.db"), archived.sandbox.path(LEDGER)).unwrap();
        archived.verify(&[]).expect(0);
        let before = fs::read(&archived.segments()[0]).unwrap();
        archived.archive("20").expect(0);
        assert_eq!(fs::read(&archived.segments()[0]).unwrap(), before);
        archived.together(LEDGER, &["--key", "log.pub"]).expect(0);
        assert_eq!(archived.segments().len(), 1, "no passing name is left");
    }

    #[test]
    fn something_else_under_the_segments_name_is_left_alone() {
        let archived = Archived::whole();
        archived.sandbox.write("segments/mine", "kept");
        let args = [
            "archive",
            "--before",
            "20",
            "--to",
            "segments/mine",
            "--key-file",
            "log.key",
            "--origin",
            ORIGIN,
        ];
        archived.sandbox.run("gate-log", &args).expect(2).says("holds something else");
        assert_eq!(archived.sandbox.read("segments/mine"), "kept");
        assert_eq!(archived.rest().len(), 42);
    }

    #[test]
    fn a_directory_that_is_not_there_moves_nothing() {
        let archived = Archived::whole();
        let args =
            ["archive", "--before", "20", "--to", "no/where", "--key-file", "log.key", "--origin", ORIGIN];
        archived.sandbox.run("gate-log", &args).expect(5);
        assert_eq!(archived.rest().len(), 42);
    }

    #[test]
    fn the_guards_of_the_schema_are_back() {
        let archived = Archived::new();
        let delete = format!("sqlite3 {LEDGER} 'DELETE FROM entry WHERE seq = 30'");
        archived.sandbox.shell(&delete).says("only appended to");
    }
}

mod segment_attacks {
    use super::*;

    /// Checks what is found where `change` alters the lines of the segment: alone, and with the rest.
    fn attack(change: impl Fn(&mut Vec<Vec<u8>>), expected: (u64, &str)) {
        let archived = Archived::new();
        let mut lines = archived.unpacked();
        change(&mut lines);
        archived.pack(&lines);
        let expected = (expected.0, expected.1.to_owned());
        assert_eq!(bad(archived.verify(&[archived.segments()[0].to_str().unwrap()])), expected);
        let both = bad(archived.together(LEDGER, &[]));
        assert_eq!(both, expected, "together with the rest");
    }

    fn replace(line: &mut Vec<u8>, from: &str, to: &str) {
        let text = String::from_utf8(line.clone()).unwrap();
        assert!(text.contains(from), "{text}");
        *line = text.replacen(from, to, 1).into_bytes();
    }

    #[test]
    fn edited_field() {
        attack(|lines| replace(&mut lines[7], "\"n\":5", "\"n\":6"), (7, "hash"));
    }

    #[test]
    fn edited_white_space() {
        attack(|lines| replace(&mut lines[7], "\"n\":5", "\"n\": 5"), (7, "not-canonical"));
    }

    #[test]
    fn duplicate_key_also_when_escaped() {
        attack(|lines| replace(&mut lines[7], "{\"n\":5}", "{\"n\":5,\"n\":5}"), (7, "duplicate-key"));
        attack(|lines| replace(&mut lines[7], "{\"n\":5}", "{\"n\":5,\"\\u006e\":5}"), (7, "not-canonical"));
    }

    #[test]
    fn bytes_that_are_no_text() {
        attack(|lines| lines[7][30] = 0xff, (7, "not-utf8"));
        attack(|lines| lines[7][30] = 0, (7, "control-character"));
    }

    #[test]
    fn deleted_inserted_swapped_and_repeated() {
        attack(|lines| drop(lines.remove(7)), (7, "gap"));
        attack(|lines| lines.insert(7, lines[6].clone()), (7, "order"));
        attack(|lines| lines.swap(7, 8), (7, "gap"));
        attack(|lines| drop(lines.remove(0)), (0, "gap"));
    }

    #[test]
    fn blank_lines_and_other_texts() {
        attack(|lines| lines.insert(7, Vec::new()), (7, "hash-missing"));
        attack(|lines| lines[7].push(b'\r'), (7, "hash-missing"));
        attack(|lines| lines[7] = vec![b'['; 200], (7, "hash-missing"));
        attack(|lines| lines[7] = vec![b' '; 3 << 20], (7, "too-large"));
    }

    #[test]
    fn truncated_tail_is_found_with_the_rest() {
        let archived = Archived::new();
        let mut lines = archived.unpacked();
        lines.truncate(15);
        archived.pack(&lines);
        let (seq, code) = bad(archived.together(LEDGER, &[]));
        assert!(code == "archive" && seq <= 42, "{seq} {code}");
    }

    #[test]
    fn rewritten_with_fresh_hashes() {
        let archived = Archived::new();
        let mut entries: Vec<Value> =
            archived.unpacked().iter().map(|line| serde_json::from_slice(line).unwrap()).collect();
        entries[7]["data"]["n"] = json!(99);
        rechain(&mut entries, 7);
        let lines: Vec<Vec<u8>> = entries
            .iter()
            .map(|entry| {
                let mut body = entry.clone();
                body.as_object_mut().unwrap().remove("hash");
                let body = serde_json::to_string(&body).unwrap();
                Entry::from_body(body.as_bytes()).unwrap().line().into_bytes()
            })
            .collect();
        archived.pack(&lines);
        archived.verify(&[archived.segments()[0].to_str().unwrap()]).expect(0);
        assert_eq!(bad(archived.together(LEDGER, &[])), (20, "prev".to_owned()));
        let args = ["--checkpoint", "whole", "--key", "log.pub"];
        archived.verify(&[&[archived.segments()[0].to_str().unwrap()], args.as_slice()].concat()).expect(1);
    }

    #[test]
    fn a_segment_of_another_ledger() {
        let (archived, other) = (Archived::new(), Archived::new());
        fs::copy(&other.segments()[0], &archived.segments()[0]).unwrap();
        let (seq, code) = bad(archived.together(LEDGER, &[]));
        assert!(seq <= 20 && ["order", "ledger"].contains(&code.as_str()), "{seq} {code}");
    }

    #[test]
    fn the_same_entries_packed_otherwise_are_another_file() {
        let archived = Archived::new();
        let lines = archived.unpacked();
        let mut text = lines.join(&b'\n');
        text.push(b'\n');
        fs::write(&archived.segments()[0], zstd::encode_all(text.as_slice(), 9).unwrap()).unwrap();
        assert_eq!(bad(archived.together(LEDGER, &[])), (42, "archive".to_owned()));
    }

    #[test]
    fn a_segment_that_is_missing_empty_or_something_else_is_an_error_of_usage() {
        let archived = Archived::new();
        archived.sandbox.write("text", "{}\n");
        archived.sandbox.write("empty", "");
        for name in ["none", "text", "empty", ".", LEDGER] {
            archived.verify(&["--archive", name]).expect(2);
        }
    }

    #[test]
    fn flipped_bytes_are_never_ok_and_never_a_crash() {
        let archived = Archived::new();
        let path = archived.segments()[0].clone();
        let whole = fs::read(&path).unwrap();
        let lines = archived.unpacked();
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for seed in 0..300 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = usize::try_from(state >> 33).unwrap() % whole.len();
            let flip = 1 << ((state >> 20) & 7);
            let mut bytes = whole.clone();
            bytes[at] ^= flip;
            fs::write(&path, &bytes).unwrap();
            let output = archived.together(LEDGER, &["--quiet"]);
            assert!([1, 2].contains(&output.status), "seed {seed}, byte {at}: {output:?}");
            let alone = archived.verify(&[path.to_str().unwrap(), "--quiet"]);
            let same = zstd::decode_all(bytes.as_slice())
                .is_ok_and(|text| text.strip_suffix(b"\n").is_some_and(|text| text == lines.join(&b'\n')));
            assert!(alone.status != 0 || same, "seed {seed}, byte {at}: {alone:?}");
            assert!([0, 1, 2, 4].contains(&alone.status), "seed {seed}, byte {at}: {alone:?}");
        }
    }
}

mod rest_attacks {
    use super::*;

    /// What is found where `change` alters the exported rest.
    fn attack(change: impl Fn(&mut Vec<Value>)) -> (u64, String) {
        let archived = Archived::new();
        let mut entries = archived.rest();
        change(&mut entries);
        archived.sandbox.write("rest.jsonl", jsonl(&entries));
        archived.together("rest.jsonl", &[]).expect(1);
        bad(archived.verify(&["rest.jsonl"]))
    }

    fn is(seq: u64, code: &str) -> (u64, String) {
        (seq, code.to_owned())
    }

    #[test]
    fn a_missing_entry_beside_the_archived_ones() {
        assert_eq!(attack(|entries| drop(entries.remove(5))), is(23, "gap"));
        assert_eq!(attack(|entries| drop(entries.remove(2))), is(2, "archive"));
    }

    #[test]
    fn a_removed_statement_or_one_that_comes_to_nothing() {
        assert_eq!(attack(|entries| drop(entries.pop())), is(2, "gap"));
        assert_eq!(attack(|entries| entries.last_mut().unwrap()["data"]["before"] = json!(19)), is(2, "gap"));
    }

    #[test]
    fn a_kept_entry_that_was_edited_removed_or_written_anew() {
        assert_eq!(attack(|entries| entries[1]["data"]["source"] = json!("x")), is(1, "hash"));
        assert_eq!(attack(|entries| drop(entries.remove(1))), is(1, "archive"));
        let rewritten = attack(|entries| {
            entries[1]["data"]["source"] = json!("x");
            let (kept, _) = entries.split_at_mut(2);
            rechain(kept, 1);
        });
        assert_eq!(rewritten, is(1, "archive"));
    }

    /// Forges the statement, with a hash that fits: it is the newest entry, so that nothing follows it.
    fn forged(change: impl Fn(&mut Value)) -> (u64, String) {
        attack(|entries| {
            let last = entries.len() - 1;
            change(&mut entries[last]["data"]);
            rechain(entries, last);
        })
    }

    #[test]
    fn a_forged_statement_contradicts_itself_or_the_rest() {
        assert_eq!(forged(|data| data["before"] = json!(21)), is(2, "archive"));
        assert_eq!(forged(|data| data["head"]["seq"] = json!(18)), is(2, "archive"));
        let zeros = format!("b3:{}", "0".repeat(64));
        assert_eq!(forged(|data| data["head"]["hash"] = json!(zeros)), is(2, "archive"));
        assert_eq!(forged(|data| data["kept"] = json!([])), is(2, "archive"));
        assert_eq!(forged(|data| data["kept"][1]["hash"] = json!(zeros)), is(2, "archive"));
        assert_eq!(forged(|data| data["range"] = json!(["0".repeat(64), "1".repeat(64)])), is(2, "archive"));
        assert_eq!(forged(|data| data["segments"] = json!([])), is(2, "archive"));
        assert_eq!(forged(|data| data["segments"][0]["to"] = json!(19)), is(2, "archive"));
        assert_eq!(forged(|data| data["checkpoint"] = json!("x")), is(2, "archive"));
        assert_eq!(forged(|data| *data = json!({})), is(2, "archive"));
    }

    #[test]
    fn a_statement_that_somebody_else_signed_does_not_count() {
        let archived = Archived::new();
        let key = ["checkpoint", "--new-key", "other.key", "--origin", ORIGIN];
        let other = archived.sandbox.run("gate-log", &key).expect(0);
        archived.sandbox.write("other.pub", other.stdout);
        let output = archived.verify(&["--key", "other.pub"]).expect(1);
        assert!(codes(&output).contains(&"archive-key".to_owned()));
        let unasked = archived.verify(&[]).expect(0);
        assert!(codes(&unasked).contains(&"archive-unverified".to_owned()));
    }

    #[test]
    fn rows_deleted_by_hand_are_not_excused() {
        let archived = Archived::new();
        let trigger = "CREATE TRIGGER entry_delete BEFORE DELETE ON entry\n\
                       BEGIN SELECT raise(ABORT, '\\''a ledger is only appended to'\\''); END;";
        for rows in ["seq = 1", "seq BETWEEN 20 AND 25", "seq = 30"] {
            fs::copy(archived.sandbox.path(LEDGER), archived.sandbox.path("t.db")).unwrap();
            let sql = format!("DROP TRIGGER entry_delete; DELETE FROM entry WHERE {rows}; {trigger}");
            archived.sandbox.shell(&format!("sqlite3 t.db '{sql}'")).expect(0);
            archived.verify(&["t.db"]).expect(1);
            archived.together("t.db", &[]).expect(1);
            archived.sandbox.run("gate-log", &["--ledger", "t.db"]).expect(4);
        }
    }

    #[test]
    fn a_whole_old_copy_does_not_fit_the_segments() {
        let archived = Archived::whole();
        archived.sandbox.shell("gate-log export > whole.jsonl").expect(0);
        archived.archive("20").expect(0);
        assert_eq!(bad(archived.together("whole.jsonl", &[])), is(20, "order"));
    }
}

mod signing {
    use super::*;

    /// A ledger of 44 entries, and a statement that says 42 of them were archived, with all that is public: the
    /// entries and an ordinary checkpoint.
    fn planted() -> (Archived, Vec<Value>, Statement) {
        let archived = Archived::whole();
        archived.sandbox.run_with("gate-log", &["append", "--quiet"], "{\"n\":1}\n{\"n\":2}\n").expect(0);
        let entries = archived.rest();
        let hash = |seq: usize| entries[seq]["hash"].as_str().unwrap().parse().unwrap();
        let mut tree = CompactRange::default();
        for entry in &entries[..42] {
            let mut body = entry.clone();
            body.as_object_mut().unwrap().remove("hash");
            tree.push(leaf_hash(body.to_string().as_bytes()));
        }
        let digest = format!("b3:{}", "0".repeat(64)).parse().unwrap();
        let segment =
            NamedSegment { name: "gone.jsonl.zst".to_owned(), from: 0, to: 42, digest, bytes: 1234 };
        let statement = Statement {
            before: 42,
            head: EntryRef { seq: 41, hash: hash(41) },
            checkpoint: archived.sandbox.read("whole"),
            range: tree.roots(),
            kept: vec![EntryRef { seq: 0, hash: hash(0) }, EntryRef { seq: 1, hash: hash(1) }],
            segments: vec![segment],
        };
        let checkpoint = statement.checkpoint().unwrap();
        assert_eq!(
            (checkpoint.size, checkpoint.root),
            (42, tree.root()),
            "the forgery is right but for one thing"
        );
        (archived, entries, statement)
    }

    /// Writes what `statement` leaves of `entries`, with the statement behind it, to `rest.jsonl`.
    fn write(archived: &Archived, entries: &[Value], statement: &Statement) {
        let (first, last) = (&entries[0], &entries[43]);
        let draft = Draft {
            kind: Kind::Archive,
            gate: None,
            reference: None,
            actor: last["actor"].clone(),
            data: statement.to_data().unwrap(),
        };
        let prev = last["hash"].as_str().unwrap().parse().unwrap();
        let at = gate_model::time::Timestamp::parse(last["at"].as_str().unwrap()).unwrap();
        let entry = draft.at(Place { ledger: first["ledger"].as_str().unwrap(), seq: 44, prev, at }).unwrap();
        let left = jsonl(&[&entries[..2], &entries[42..]].concat());
        archived.sandbox.write("rest.jsonl", format!("{left}{}\n", entry.line()));
    }

    #[test]
    fn an_ordinary_checkpoint_never_speaks_for_an_archive() {
        let (archived, entries, statement) = planted();
        write(&archived, &entries, &statement);
        let found = bad(archived.verify(&["rest.jsonl", "--key", "log.pub", "--checkpoint", "whole"]));
        assert_eq!(found, (2, "archive".to_owned()));
        archived.verify(&["rest.jsonl"]).expect(1).says("an ordinary one does not count");
    }

    #[test]
    fn what_the_key_signed_for_one_archiving_does_not_speak_for_another() {
        let (archived, entries, mut statement) = planted();
        let key = SignerKey::parse(archived.sandbox.read("log.key").trim_end()).unwrap();
        let ordinary = statement.checkpoint().unwrap();
        let extensions = vec![statement.line().unwrap()];
        statement.checkpoint = Checkpoint { extensions, ..ordinary.clone() }.sign(&key).unwrap();
        write(&archived, &entries, &statement);
        archived.verify(&["rest.jsonl", "--key", "log.pub"]).expect(0);
        let signed = statement.clone();
        statement.segments[0].bytes += 1;
        write(&archived, &entries, &statement);
        assert_eq!(bad(archived.verify(&["rest.jsonl", "--key", "log.pub"])), (2, "archive".to_owned()));
        // A second line, or the right one behind another, is not the line alone.
        let extensions = vec!["more".to_owned(), signed.line().unwrap()];
        let checkpoint = Checkpoint { extensions, ..ordinary }.sign(&key).unwrap();
        write(&archived, &entries, &Statement { checkpoint, ..signed });
        assert_eq!(bad(archived.verify(&["rest.jsonl", "--key", "log.pub"])), (2, "archive".to_owned()));
    }

    #[test]
    fn a_member_that_nobody_reads_is_signed_too() {
        let archived = Archived::new();
        let mut entries = archived.rest();
        let last = entries.len() - 1;
        entries[last]["data"]["more"] = json!("of the forger's");
        rechain(&mut entries, last);
        archived.sandbox.write("rest.jsonl", jsonl(&entries));
        assert_eq!(bad(archived.verify(&["rest.jsonl"])), (2, "archive".to_owned()));
    }

    #[test]
    fn a_statement_serves_as_a_checkpoint_of_what_it_covers() {
        let archived = Archived::new();
        let statement = archived.rest().pop().unwrap();
        archived.sandbox.write("statement", statement["data"]["checkpoint"].as_str().unwrap());
        let both = archived.together(LEDGER, &["--key", "log.pub", "--checkpoint", "statement"]).expect(0);
        assert_eq!(both.json()["anchored"]["size"], 20);
        let more = ["--key", "log.pub", "--checkpoint", "statement", "--require-anchor"];
        archived.together(LEDGER, &more).expect(1);
    }

    #[test]
    fn nobody_signs_on_top_of_an_archive_that_another_key_signed() {
        let archived = Archived::whole();
        let key = ["checkpoint", "--new-key", "other.key", "--origin", ORIGIN];
        archived.sandbox.run("gate-log", &key).expect(0);
        let key = ["--to", "segments", "--key-file", "other.key", "--origin", ORIGIN];
        archived
            .sandbox
            .run("gate-log", &[["archive", "--before", "20"].as_slice(), &key].concat())
            .expect(0);
        let args = ["checkpoint", "--key-file", "log.key", "--origin", ORIGIN];
        archived.sandbox.run("gate-log", &args).expect(4).says("entry 42");
    }

    #[test]
    fn nobody_signs_on_top_of_such_an_archive_from_their_last_checkpoint_either() {
        let archived = Archived::whole();
        let place = archived.sandbox.path(".gate/ledger.db-checkpoint");
        let kept = fs::read(&place).unwrap();
        let key = ["checkpoint", "--new-key", "other.key", "--origin", ORIGIN];
        archived.sandbox.run("gate-log", &key).expect(0);
        let key = ["--to", "segments", "--key-file", "other.key", "--origin", ORIGIN];
        archived
            .sandbox
            .run("gate-log", &[["archive", "--before", "20"].as_slice(), &key].concat())
            .expect(0);
        fs::write(&place, kept).unwrap();
        let args = ["checkpoint", "--key-file", "log.key", "--origin", ORIGIN];
        archived.sandbox.run("gate-log", &args).expect(4).says("entry 42");
    }

    #[test]
    fn the_summary_and_the_text_say_that_nobody_is_asked() {
        let archived = Archived::new();
        let words = "not looked at, whoever says so (no --key)";
        let output = archived.verify(&["--format", "text"]).expect(0);
        assert!(output.stdout.contains(words), "{output:?}");
        archived.verify(&[]).expect(0).says(words).says("archive-unverified");
        let asked = archived.verify(&["--key", "log.pub"]).expect(0);
        assert!(!asked.stderr.contains(words) && asked.stderr.contains("not looked at"), "{asked:?}");
    }
}

mod hostile_input {
    use super::*;

    /// Within this many KiB of address space: what is bounded fits well, what grows with the input does not.
    const LIMIT: &str = "ulimit -v 800000";

    #[test]
    fn a_segment_of_newlines_or_of_empty_objects_takes_no_memory() {
        let archived = Archived::new();
        for text in ["\n", "{}\n"] {
            let path = archived.sandbox.path("bomb.zst");
            let text = text.repeat(1 << 20);
            let mut encoder = zstd::Encoder::new(fs::File::create(&path).unwrap(), 3).unwrap();
            for _ in 0..64 {
                std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
            }
            encoder.finish().unwrap();
            let alone = archived.sandbox.shell(&format!("{LIMIT}; gate-verify bomb.zst"));
            assert_eq!(bad(alone), (0, "hash-missing".to_owned()));
            archived.sandbox.shell(&format!("{LIMIT}; gate-verify {LEDGER} --archive bomb.zst")).expect(1);
        }
    }

    #[test]
    fn an_export_of_newlines_or_of_empty_objects_takes_no_memory() {
        let archived = Archived::new();
        let newlines = "head -c 100000000 /dev/zero | tr '\\0' '\\n'";
        archived.sandbox.shell(&format!("{LIMIT}; {newlines} | gate-verify -")).expect(2);
        let objects = "(gate-log export --quiet; yes '{}' | head -n 1000000)";
        archived.sandbox.shell(&format!("{LIMIT}; {objects} | gate-verify -")).expect(1);
    }

    #[test]
    fn rows_that_hold_nothing_take_no_memory() {
        let archived = Archived::new();
        let rows = "WITH RECURSIVE n(i) AS (SELECT 43 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) \
                    INSERT INTO entry(seq, body, hash) SELECT i, '{}', zeroblob(32) FROM n";
        archived.sandbox.shell(&format!("sqlite3 {LEDGER} \"{rows}\"")).expect(0);
        let found = archived.sandbox.shell(&format!("{LIMIT}; gate-verify"));
        assert_eq!(bad(found).0, 43);
    }
}

mod places {
    use super::*;

    fn archive_to(archived: &Archived, place: &str) -> Output {
        let args = ["archive", "--before", "20", "--to", place, "--key-file", "log.key", "--origin", ORIGIN];
        archived.sandbox.run("gate-log", &args)
    }

    #[test]
    fn nothing_is_written_under_a_name_that_belongs_to_the_ledger() {
        let archived = Archived::whole();
        let sandbox = &archived.sandbox;
        let before = fs::read_dir(sandbox.path(".gate")).unwrap().count();
        for name in ["journal", "wal", "shm", "mj0123456789", "lock", "checkpoint"] {
            for place in [format!("{LEDGER}-{name}"), format!("segments/../.gate/ledger.db-{name}")] {
                let words = "is a name for files that belong to the ledger";
                archive_to(&archived, &place).expect(2).says(words);
                sandbox.run("gate-log", &["copy", &place]).expect(2).says(words);
                sandbox.run("gate-log", &["export", "--openings", &place]).expect(2).says(words);
                let key = ["checkpoint", "--origin", ORIGIN, "--new-key", &place];
                sandbox.run("gate-log", &key).expect(2).says(words);
                let decision = ["lint", "--decision", &place, "--", "true"];
                sandbox.run("gate-check", &decision).expect(125).says(words);
            }
        }
        assert_eq!(fs::read_dir(sandbox.path(".gate")).unwrap().count(), before);
        assert_eq!(archived.rest().len(), 42);
        archive_to(&archived, ".gate/old.jsonl.zst").expect(0);
    }

    #[test]
    fn a_pipe_or_a_device_is_no_place_for_a_segment() {
        let archived = Archived::whole();
        archived.sandbox.shell("mkfifo pipe; ln -s /dev/full link").expect(0);
        for place in ["pipe", "/dev/full", "link"] {
            archive_to(&archived, place).expect(2).says("exists already");
        }
        assert_eq!(archived.rest().len(), 42);
    }

    #[test]
    fn a_long_file_under_the_segments_name_is_not_read_to_its_end() {
        let archived = Archived::whole();
        let file = fs::File::create(archived.sandbox.path("segments/mine")).unwrap();
        file.set_len(1 << 42).unwrap();
        archive_to(&archived, "segments/mine").expect(2).says("holds something else");
    }
}

mod words {
    use super::*;

    #[test]
    fn the_proof_of_an_archived_entry_names_its_segment() {
        let archived = Archived::whole();
        archived.sandbox.run_with("gate-log", &["append", "--quiet"], "{\"n\":1}\n{\"n\":2}\n").expect(0);
        archived.archive("43").expect(0);
        let last = ["prove", "--last", "--checkpoint", "whole"];
        archived.sandbox.run("gate-log", &last).expect(2).says("entry 41 was archived; it is in segment '");
    }

    #[test]
    fn a_run_during_which_its_place_was_archived_does_not_count_and_suspects_nobody() {
        let archived = Archived::whole();
        let key = format!("--to segments --key-file log.key --origin {ORIGIN}");
        let script = format!(
            "printf '{{\"n\":1}}\\n{{\"n\":2}}\\n' | gate-log append --quiet; gate-log archive --before 43 {key}"
        );
        archived.sandbox.write("meanwhile", script);
        let output = archived.sandbox.shell("gate-check lint -- sh meanwhile").expect(125);
        assert!(!output.stderr.contains("replaced or cut"), "{output:?}");
        output.says("was archived while the command ran").says("run it again");
        archived.sandbox.run("gate-check", &["lint", "--", "true"]).expect(0);
    }

    #[test]
    fn lists_and_statistics_say_what_they_lack() {
        let archived = Archived::new();
        let sandbox = &archived.sandbox;
        let words = "18 entries before 20 are in an archive";
        let stats = sandbox.run("gate-log", &["stats"]).expect(0).json();
        assert_eq!(stats["archived"], json!({"entries": 18, "before": 20}));
        let text = sandbox.run("gate-log", &["stats", "--format", "text"]).expect(0);
        assert!(text.stdout.contains(words), "{text:?}");
        sandbox.run::<&str>("gate-log", &[]).expect(0).says(words);
        sandbox.run("gate-log", &["--kind", "note", "--reverse"]).expect(0).says(words);
        for complete in [&["--quiet"][..], &["-n", "3"], &["--id", "42"]] {
            let output = sandbox.run("gate-log", complete).expect(0);
            assert!(!output.stderr.contains("archive"), "{output:?}");
        }
        let whole = Archived::whole();
        assert_eq!(whole.sandbox.run("gate-log", &["stats"]).expect(0).json()["archived"], Value::Null);
        assert!(!whole.sandbox.run::<&str>("gate-log", &[]).expect(0).stderr.contains("archive"));
    }
}
