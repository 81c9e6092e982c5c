//! `gate-verify` as an auditor uses it. What attackers may try is in `tampering`.

#![allow(clippy::unwrap_used, reason = "this is test code: what fails shall stop the test")]

use gate_tests::{Output, Sandbox};

const LEDGER: &str = ".gate/ledger.db";

/// A ledger with six entries, 0 to 5.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_starter();
    sandbox
        .run_with("gate-log", &["append", "--quiet"], "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n")
        .expect(0);
    sandbox
}

fn codes(output: &Output) -> Vec<String> {
    let warnings = output.json()["warnings"].as_array().unwrap().clone();
    warnings.iter().map(|warning| warning["code"].as_str().unwrap().to_owned()).collect()
}

mod whole {
    use super::{LEDGER, codes, sandbox};

    #[test]
    fn a_file_and_its_export_are_the_same() {
        let sandbox = sandbox();
        let file = sandbox.run::<&str>("gate-verify", &[]).expect(0);
        let document = file.json();
        assert_eq!(document["schema"], "gate.verification/1");
        assert_eq!((&document["ok"], &document["entries"]), (&true.into(), &6.into()));
        assert_eq!(document["head"]["hash"], sandbox.entries()[5]["hash"]);
        assert_eq!(document["genesis"]["pinned"], false);
        assert!(
            document["anchored"].is_null() && document["first_bad"].is_null() && document["replay"].is_null()
        );
        assert_eq!(codes(&file), ["unanchored", "genesis-unpinned"]);
        sandbox.shell("gate-log export > export.jsonl").expect(0);
        assert_eq!(sandbox.run("gate-verify", &["export.jsonl"]).expect(0).json(), document);
        assert_eq!(sandbox.shell("gate-log export | gate-verify -").expect(0).json(), document);
        assert_eq!(sandbox.run("gate-verify", &["--ledger", LEDGER]).expect(0).json(), document);
        let mut by_variable = sandbox.command("gate-verify");
        assert!(by_variable.env("GATE_LEDGER", LEDGER).output().unwrap().status.success());
    }

    #[test]
    fn a_filter_changes_the_writing_and_not_the_verdict() {
        let sandbox = sandbox();
        for (filter, reformatted) in
            [("cat", false), ("jq -c .", false), ("jq -cS .", true), ("jq .", true), ("jq -S .", true)]
        {
            let output = sandbox.shell(&format!("gate-log export | {filter} | gate-verify -")).expect(0);
            assert_eq!(output.json()["entries"], 6, "{filter}");
            assert_eq!(codes(&output).contains(&"reformatted".to_owned()), reformatted, "{filter}");
        }
    }

    #[test]
    fn the_summary_says_what_is_not_known() {
        let sandbox = sandbox();
        let output = sandbox.run::<&str>("gate-verify", &[]).expect(0);
        output.says("gate-verify: ok: 6 entries; unanchored; genesis: unpinned");
        assert_eq!(sandbox.run("gate-verify", &["--quiet"]).expect(0).stderr, "");
    }

    #[test]
    fn every_format_says_ok() {
        let sandbox = sandbox();
        for format in ["text", "markdown", "html", "github", "azure"] {
            let output = sandbox.run("gate-verify", &["--format", format]).expect(0);
            assert!(!output.stdout.is_empty() || format == "github" || format == "azure", "{format}");
        }
        sandbox.run("gate-verify", &["--format", "sarif"]).expect(2);
    }

    #[test]
    fn no_other_program_is_needed() {
        let sandbox = sandbox();
        let output = sandbox.command("gate-verify").env("PATH", "").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let policy = sandbox.command("gate-verify").env("PATH", "").arg("policy").output().unwrap();
        assert!(policy.status.success(), "{}", String::from_utf8_lossy(&policy.stderr));
    }

    #[test]
    fn the_file_is_not_touched() {
        let sandbox = sandbox();
        let before = std::fs::read(sandbox.path(LEDGER)).unwrap();
        sandbox.run::<&str>("gate-verify", &[]).expect(0);
        assert_eq!(std::fs::read(sandbox.path(LEDGER)).unwrap(), before);
        let names: Vec<_> = std::fs::read_dir(sandbox.path(".gate"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert!(!names.iter().any(|name| name.to_string_lossy().ends_with("-wal")), "{names:?}");
    }

    #[test]
    fn a_pipe_can_be_named() {
        let sandbox = sandbox();
        sandbox.run("mkfifo", &["pipe"]).expect(0);
        sandbox.shell("gate-log export > pipe & gate-verify pipe").expect(0);
    }
}

mod replay {
    use super::Sandbox;

    #[test]
    fn what_was_decided_is_judged_again_from_file_and_export_alike() {
        let sandbox = Sandbox::with_starter();
        sandbox.run("gate-check", &["lint", "--", "false"]).expect(1);
        sandbox.run("gate-skip", &["lint", "--reason", "the linter crashes on it"]).expect(0);
        sandbox.run("gate-check", &["lint", "--", "false"]).expect(0);
        sandbox.run("gate-skip", &["lint", "--reason", "for a whole week", "--ttl", "7d"]).expect(1);
        let document = sandbox.run("gate-verify", &["--replay"]).expect(0).json();
        let replay = &document["replay"];
        assert!(replay["judged"].as_u64().unwrap() >= 4, "{replay}");
        assert_eq!(
            (&replay["disagreements"], &replay["not_judged"]),
            (&Vec::<u64>::new().into(), &Vec::<u64>::new().into())
        );
        let exported = sandbox.shell("gate-log export | gate-verify --replay -").expect(0).json();
        assert_eq!(exported, document);
    }

    /// A ledger whose newest entry is a grant that `change` has changed. Whoever can write the file can rewrite it with
    /// fresh hashes: the chain is whole, the grant is not.
    fn forged(change: &str) -> serde_json::Value {
        let sandbox = Sandbox::with_starter();
        sandbox.run("gate-skip", &["lint", "--reason", "the linter crashes on it"]).expect(0);
        let forge = r#"gate-log export | jq -c 'if .kind == "grant" then CHANGE else . end | del(.hash)' |
            while read -r body; do
                hash=$(printf %s "$body" | jq -cSj . | b3sum --derive-key 'gate-ledger v1 entry' | cut -d' ' -f1)
                printf '%s\n' "$body" | jq -c --arg hash "b3:$hash" '. + {hash: $hash}'
            done | gate-verify --replay -"#;
        let document = sandbox.shell(&forge.replace("CHANGE", change)).expect(1).json();
        assert!(document["first_bad"].is_null(), "{document}");
        document
    }

    #[test]
    fn a_forged_grant_in_a_whole_chain_is_a_disagreement() {
        let document = forged(".data.rule = 7");
        assert_eq!(document["replay"]["disagreements"][0]["seq"], 2, "{document}");
    }

    #[test]
    fn a_forged_grant_of_a_judge_to_come_is_not_ok() {
        let document = forged(".data.rule = 7 | .data.judge = 99");
        assert_eq!(
            (&document["ok"], &document["replay"]["unknown"]),
            (&false.into(), &1.into()),
            "{document}"
        );
        assert_eq!(document["replay"]["not_judged"][0]["seq"], 2, "{document}");
        let codes = document["warnings"].as_array().unwrap().iter().map(|warning| &warning["code"]);
        assert!(codes.into_iter().any(|code| code == "unknown-judge"), "{document}");
    }
}

mod genesis {
    use super::{codes, sandbox};

    #[test]
    fn a_pin_on_the_command_line_or_in_the_policy_counts() {
        let sandbox = sandbox();
        let genesis = sandbox.entries()[0]["hash"].as_str().unwrap().to_owned();
        let pinned = sandbox.run("gate-verify", &["--genesis", &genesis]).expect(0);
        assert_eq!(pinned.json()["genesis"]["pinned"], true);
        assert!(!codes(&pinned).contains(&"genesis-unpinned".to_owned()));
        let policy =
            sandbox.read("gate.toml").replace("[ledger]", &format!("[ledger]\ngenesis = \"{genesis}\""));
        sandbox.write("gate.toml", policy);
        assert_eq!(sandbox.run::<&str>("gate-verify", &[]).expect(0).json()["genesis"]["pinned"], true);
        assert_eq!(
            sandbox.shell("gate-log export | gate-verify -").expect(0).json()["genesis"]["pinned"],
            true
        );
    }

    #[test]
    fn another_ledger_is_refused() {
        let (one, other) = (sandbox(), sandbox());
        let genesis = other.entries()[0]["hash"].as_str().unwrap().to_owned();
        one.run("gate-verify", &["--genesis", &genesis]).expect(4).says("another ledger");
        one.shell(&format!("gate-log export | gate-verify - --genesis {genesis}"))
            .expect(4)
            .says("another ledger");
        let policy = one.read("gate.toml").replace("[ledger]", &format!("[ledger]\ngenesis = \"{genesis}\""));
        one.write("gate.toml", policy);
        one.run::<&str>("gate-verify", &[]).expect(4).says("another ledger");
        one.run("gate-verify", &["--genesis", "b3:12"]).expect(2).says("not an entry hash");
    }

    #[test]
    fn a_broken_policy_does_not_take_the_pin_away() {
        let sandbox = sandbox();
        sandbox.write("gate.toml", "version = 1\n[ledger\n");
        sandbox.run("gate-verify", &[super::LEDGER]).expect(2).says("gate-verify: gate.toml:2:");
    }
}

mod bad_input {
    use super::{LEDGER, Sandbox, sandbox};

    #[test]
    fn what_is_not_there_or_nothing_is_exit_2() {
        let sandbox = sandbox();
        sandbox.write("empty", "");
        std::fs::create_dir(sandbox.path("folder")).unwrap();
        let verify = |args: &[&str]| sandbox.run("gate-verify", args);
        verify(&["none"]).expect(2).says("there is no file 'none'");
        verify(&["folder"]).expect(2).says("is a directory");
        verify(&["empty"]).expect(2).says("is empty");
        verify(&["-"]).expect(2).says("is empty");
        verify(&["a", "--ledger", "b"]).expect(2).says("two ledgers");
        Sandbox::new().run::<&str>("gate-verify", &[]).expect(2).says("no ledger was named");
        sandbox.shell(&format!("gate-verify - < {LEDGER}")).expect(2).says("SQLite database");
    }

    #[test]
    fn what_is_something_else_is_exit_4() {
        let sandbox = sandbox();
        sandbox.write("text", "hello\nworld\n");
        sandbox.write("json", "{\"some\":\"thing\"}\n");
        sandbox.write("array", "[1,2,3]\n");
        sandbox.write("bytes", [0xff, 0xfe, 0, 1, 2, 3, 0x80]);
        for name in ["text", "json", "array", "bytes"] {
            sandbox.run("gate-verify", &[name]).expect(4);
        }
        sandbox.run("sqlite3", &["other.db", "CREATE TABLE t (x)"]).expect(0);
        sandbox.run("gate-verify", &["other.db"]).expect(4).says("not a ledger");
        sandbox.run("sqlite3", &[LEDGER, "PRAGMA user_version = 2"]).expect(0);
        sandbox.run::<&str>("gate-verify", &[]).expect(4).says("newer gate");
    }

    #[test]
    fn an_altered_schema_is_exit_4() {
        for sql in ["DROP TRIGGER entry_delete", "CREATE VIEW v AS SELECT 1", "CREATE INDEX i ON entry (at)"]
        {
            let sandbox = sandbox();
            sandbox.run("sqlite3", &[LEDGER, sql]).expect(0);
            sandbox.run::<&str>("gate-verify", &[]).expect(4).says("schema");
        }
    }
}

mod anchors {
    use super::{LEDGER, Sandbox, codes, sandbox};

    /// A ledger whose log has a name, a key and a checkpoint `cp` of its six entries.
    fn anchored() -> (Sandbox, String) {
        let sandbox = sandbox();
        let policy = sandbox.read("gate.toml").replace("[ledger]", "[ledger]\norigin = \"example.com/log\"");
        sandbox.write("gate.toml", policy);
        let key = sandbox
            .run("gate-log", &["checkpoint", "--new-key", "log.key"])
            .expect(0)
            .stdout
            .trim()
            .to_owned();
        sandbox.shell("gate-log checkpoint --key-file log.key > cp").expect(0);
        (sandbox, key)
    }

    #[test]
    fn the_three_commands_of_an_auditor() {
        let (sandbox, key) = anchored();
        let whole =
            sandbox.run("gate-verify", &["--checkpoint", "cp", "--key", &key, "--require-anchor"]).expect(0);
        let size = &whole.json()["anchored"]["size"];
        assert_eq!(*size, 6);
        sandbox.shell("gate-log prove 3 --checkpoint cp > proof").expect(0);
        let proven = sandbox.run("gate-verify", &["proof", "proof", "--key", &key]).expect(0).json();
        assert_eq!((&proven["seq"], &proven["entry"]["data"]["n"]), (&3.into(), &2.into()));
        sandbox
            .shell(&format!("gate-log export | gate-verify - --checkpoint cp --key {key} --require-anchor"))
            .expect(0);
    }

    #[test]
    fn what_is_no_checkpoint_or_no_key_is_exit_2() {
        let (sandbox, key) = anchored();
        sandbox
            .run("gate-verify", &["--checkpoint", "gate.toml", "--key", &key])
            .expect(2)
            .says("is no checkpoint");
        sandbox
            .run("gate-verify", &["--checkpoint", "cp", "--key", "nonsense"])
            .expect(2)
            .says("no verifier key");
        sandbox.run("gate-verify", &["--checkpoint", "cp"]).expect(2).says("--key");
    }

    #[test]
    fn what_is_not_covered_fails_where_it_must_be() {
        let (sandbox, key) = anchored();
        sandbox.run_with("gate-log", &["append"], "{}\n").expect(0);
        let verify = |more: &[&str]| {
            sandbox.run("gate-verify", &[&["--checkpoint", "cp", "--key", key.as_str()], more].concat())
        };
        verify(&[]).expect(0);
        let open = verify(&["--require-anchor"]).expect(1);
        assert!(codes(&open).contains(&"anchor-required".to_owned()));
        verify(&["--require-anchor=1h"]).expect(0);
        verify(&["--require-anchor", LEDGER]).expect(1);
        sandbox.run("gate-verify", &["--require-anchor"]).expect(1);
    }

    #[test]
    fn a_proof_of_something_else_proves_nothing() {
        let (sandbox, key) = anchored();
        sandbox.shell("gate-log prove 3 --checkpoint cp > proof").expect(0);
        let check =
            |script: &str| sandbox.shell(&format!("sed '{script}' proof | gate-verify proof - --key {key}"));
        check("").expect(0);
        check("s/^index 3/index 2/").expect(1).says("not proven");
        check("/^extra/d").expect(2).says("does not hold the entry");
        check("4d").expect(1);
        check("1d").expect(2);
        let (other, _) = anchored();
        let extra = other.shell("gate-log prove 3 --checkpoint cp | sed -n 2p").expect(0).stdout;
        check(&format!("2c {}", extra.trim())).expect(1);
        sandbox.run("gate-verify", &["proof", "proof"]).expect(2).says("--key");
    }

    #[test]
    fn keys_are_kept_secret() {
        use std::os::unix::fs::PermissionsExt;
        let (sandbox, _) = anchored();
        let path = sandbox.path("log.key");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        sandbox
            .run("gate-log", &["checkpoint", "--new-key", "log.key"])
            .expect(2)
            .says("cannot write key file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        sandbox.run("gate-log", &["checkpoint", "--key-file", "log.key"]).expect(2).says("chmod 600");
    }

    #[test]
    fn one_checkpoint_extends_another() {
        let (sandbox, _) = anchored();
        sandbox.run_with("gate-log", &["append"], "{}\n{}\n{}\n").expect(0);
        sandbox.shell("gate-log checkpoint --key-file log.key > new").expect(0);
        let proof = sandbox.run("gate-log", &["prove", "--consistency", "cp", "new"]).expect(0).stdout;
        assert!(proof.starts_with("old 6\n") && proof.ends_with(&sandbox.read("new")), "{proof}");
        sandbox.run("gate-log", &["prove", "--consistency", "new", "cp"]).expect(2);
        sandbox.run("gate-log", &["prove", "7", "--checkpoint", "cp"]).expect(2).says("not entry 7");
    }
}

mod policy {
    use super::Sandbox;

    fn check(policy: &str) -> super::Output {
        let sandbox = Sandbox::new();
        sandbox.write("gate.toml", policy);
        sandbox.run("gate-verify", &["policy"])
    }

    #[test]
    fn a_good_one_runs_its_tests() {
        let sandbox = Sandbox::with_starter();
        let report = sandbox.run("gate-verify", &["policy", "gate.toml"]).expect(0).json();
        assert_eq!((&report["schema"], &report["ok"]), (&"gate.policy-report/1".into(), &true.into()));
        assert_eq!(report["digest"], sandbox.entries()[1]["data"]["digest"]);
        assert!(report["tests"].as_array().unwrap().iter().all(|test| test["passed"] == true));
    }

    #[test]
    fn an_invalid_one_is_shown_with_its_place() {
        let output = check("version = 1\n[gates.lint]\nsevrity = \"low\"\n").expect(2);
        let report = output.json();
        assert_eq!((&report["ok"], &report["digest"]), (&false.into(), &serde_json::Value::Null));
        let error = &report["errors"][0];
        assert_eq!(
            (&error["line"], &error["column"], &error["code"]),
            (&3.into(), &1.into(), &"unknown-key".into())
        );
        output.says("gate-verify: gate.toml:3:1: ").says("did you mean 'severity'?");
    }

    #[test]
    fn a_failing_test_is_exit_1() {
        let policy = "version = 1\n[gates.lint]\n[[test]]\nname = \"t\"\n\
                      request = { gate = \"lint\", action = \"skip\", by = \"github:a\" }\nexpect = \"granted\"\n";
        let output = check(policy).expect(1);
        let test = &output.json()["tests"][0];
        assert_eq!(
            (&test["passed"], &test["expected"], &test["line"]),
            (&false.into(), &"granted".into(), &3.into())
        );
        output.says("gate.toml:3: test 't' failed: expected granted, got denied");
    }

    #[test]
    fn a_missing_one_is_exit_2() {
        let sandbox = Sandbox::new();
        sandbox.run("gate-verify", &["policy"]).expect(2).says("no policy");
        sandbox.run("gate-verify", &["policy", "none.toml"]).expect(2).says("cannot read policy");
        sandbox.run("gate-verify", &["policy", "."]).expect(2);
        sandbox
            .run("gate-verify", &["--genesis", &format!("b3:{}", "0".repeat(64)), "policy"])
            .expect(2)
            .says("verb");
    }
}
