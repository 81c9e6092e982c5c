//! Checkpoints as a pipeline signs them again and again, and as an auditor uses them: kept checkpoints, keys in
//! an agent, witnesses, and verification from where the last one ended.

#![allow(clippy::disallowed_methods, reason = "a test may start programs")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, and one that is skipped says so"
)]

use gate_ledger::cosignature::cosign;
use gate_ledger::note::{self, SignerKey};
use gate_tests::{Output, Sandbox};

/// What [`sandbox`] calls its log.
const ORIGIN: &str = "example.com/log";
/// The kept checkpoint.
const KEPT: &str = ".gate/ledger.db-checkpoint";

/// A ledger of four entries whose log has a name and a key.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_starter();
    let policy = sandbox.read("gate.toml").replace("[ledger]", &format!("[ledger]\norigin = \"{ORIGIN}\""));
    sandbox.write("gate.toml", policy);
    append(&sandbox, 2);
    sandbox.shell("gate-log checkpoint --new-key log.key > log.pub").expect(0);
    sandbox
}

fn append(sandbox: &Sandbox, count: usize) {
    sandbox.run_with("gate-log", &["append", "--quiet"], "{\"n\":1}\n".repeat(count)).expect(0);
}

/// Signs into the file `name`.
fn sign(sandbox: &Sandbox, name: &str) -> Output {
    sandbox.shell(&format!("gate-log checkpoint --key-file log.key > {name}")).expect(0)
}

fn verify(sandbox: &Sandbox, line: &str) -> Output {
    sandbox.shell(&format!("gate-verify --quiet {line}"))
}

/// Edits entries behind the tools' backs.
fn tamper(sandbox: &Sandbox, sql: &str) {
    let script = format!(
        "import sqlite3
db=sqlite3.connect('.gate/ledger.db')
names=[r for r in db.execute(\"SELECT name,sql FROM sqlite_schema WHERE type='trigger'\")]
for n,_ in names: db.execute('DROP TRIGGER '+n)
db.execute('''{sql}''')
for _,s in names: db.execute(s)
db.commit()
"
    );
    sandbox.run("python3", &["-c", &script]).expect(0);
}

fn codes(output: &Output) -> Vec<String> {
    let warnings = output.json()["warnings"].as_array().unwrap().clone();
    warnings.iter().map(|warning| warning["code"].as_str().unwrap().to_owned()).collect()
}

/// What was said besides that the key lies in the work tree, where these tests have it.
fn odd(output: &Output) -> String {
    let (warned, remedy) = ("the key in 'log.key' lies in the work tree", "  keep it elsewhere");
    let others = output.stderr.lines().filter(|line| !line.contains(warned) && !line.starts_with(remedy));
    others.collect()
}

mod kept {
    use std::os::unix::fs::PermissionsExt;

    use super::{KEPT, append, odd, sandbox, sign, tamper, verify};

    #[test]
    fn the_next_checkpoint_is_the_one_that_reading_everything_gives() {
        let sandbox = sandbox();
        for count in [1, 2, 5, 1] {
            sign(&sandbox, "before");
            append(&sandbox, count);
            let quick = sandbox.run("gate-log", &["checkpoint", "--key-file", "log.key"]).expect(0);
            assert_eq!(odd(&quick), "");
            std::fs::remove_file(sandbox.path(KEPT)).unwrap();
            let whole = sandbox.run("gate-log", &["checkpoint", "--key-file", "log.key"]).expect(0);
            assert_eq!(quick.stdout, whole.stdout);
            sandbox.write("cp", quick.stdout);
            verify(&sandbox, "--checkpoint cp --key log.pub --require-anchor").expect(0);
        }
    }

    #[test]
    fn it_is_for_those_who_share_the_ledger_and_git_does_not_see_it() {
        let sandbox = sandbox();
        sign(&sandbox, "cp");
        let mode = |path: &str| std::fs::metadata(sandbox.path(path)).unwrap().permissions().mode();
        assert_eq!(mode(KEPT), mode(".gate/ledger.db"));
        let status = sandbox.shell("git status --short --untracked-files=all").expect(0);
        assert!(!status.stdout.contains("ledger.db"), "{}", status.stdout);
        sandbox.run("gate-log", &["copy", "copy.db"]).expect(0);
        assert!(!sandbox.has("copy.db-checkpoint"));
    }

    #[test]
    fn only_what_is_new_is_read() {
        let sandbox = sandbox();
        sign(&sandbox, "cp");
        // This shows in no other way: an old entry that was edited since is not read again. gate-verify finds it.
        tamper(&sandbox, "UPDATE entry SET body=replace(body,'\"n\":1','\"n\":9') WHERE seq=2");
        append(&sandbox, 1);
        sign(&sandbox, "cp");
        verify(&sandbox, "--checkpoint cp --key log.pub").expect(1);
        std::fs::remove_file(sandbox.path(KEPT)).unwrap();
        sandbox.run("gate-log", &["checkpoint", "--key-file", "log.key"]).expect(4).says("entry 2");
    }

    #[test]
    fn a_poisoned_one_is_told_and_not_used() {
        let sandbox = sandbox();
        sign(&sandbox, "cp");
        let good = sandbox.read(KEPT);
        append(&sandbox, 3);
        let expected = {
            std::fs::remove_file(sandbox.path(KEPT)).unwrap();
            sandbox.run("gate-log", &["checkpoint", "--key-file", "log.key"]).expect(0).stdout
        };
        let path = good.lines().nth(3).unwrap();
        let poisons = [
            String::new(),
            "hello\n".to_owned(),
            good.replace("index 3", "index 2"),
            good.replace(path, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
            good.replacen("extra ", "extra AAAA", 1),
            good.replace("\n4\n", "\n3\n"),
            good[..good.len() - 20].to_owned(),
        ];
        for poison in poisons {
            sandbox.write(KEPT, &poison);
            let signed = sandbox.run("gate-log", &["checkpoint", "--key-file", "log.key"]).expect(0);
            assert_eq!(signed.stdout, expected, "{poison}");
            assert!(signed.stderr.contains("every entry is read"), "{poison}: {}", signed.stderr);
            assert_ne!(sandbox.read(KEPT), poison, "it is made anew");
        }
    }

    #[test]
    fn one_of_another_key_or_log_says_nothing() {
        let sandbox = sandbox();
        sandbox.shell("gate-log checkpoint --new-key other.key > other.pub").expect(0);
        sandbox.shell("gate-log checkpoint --key-file other.key").expect(0);
        let signed = sandbox.run("gate-log", &["checkpoint", "--key-file", "log.key"]).expect(0);
        assert_eq!(odd(&signed), "");
        sandbox.write("cp", signed.stdout);
        verify(&sandbox, "--checkpoint cp --key log.pub --require-anchor").expect(0);
    }

    #[test]
    fn what_somebody_put_in_its_place_stops_the_signing() {
        let sandbox = sandbox();
        std::fs::create_dir(sandbox.path(KEPT)).unwrap();
        std::fs::write(sandbox.path(KEPT).join("x"), "").unwrap();
        let refused = sandbox.run("gate-log", &["checkpoint", "--key-file", "log.key"]).expect(4);
        assert!(refused.stderr.contains("is not a regular file"), "{}", refused.stderr);
        assert_eq!(refused.stdout, "");
    }
}

mod two_histories {
    use super::{KEPT, Sandbox, append, sandbox, sign, tamper};

    /// What happens when it is asked to extend the checkpoint in `since`, with nothing kept.
    fn since(sandbox: &Sandbox, since: &str, status: i32) -> String {
        drop(std::fs::remove_file(sandbox.path(KEPT)));
        let line = format!("gate-log checkpoint --key-file log.key --since {since}");
        let output = sandbox.shell(&line).expect(status);
        assert_eq!(output.stdout.is_empty(), status != 0);
        output.stderr
    }

    #[test]
    fn a_history_that_goes_on_is_signed() {
        let sandbox = sandbox();
        sign(&sandbox, "old");
        since(&sandbox, "old", 0);
        append(&sandbox, 3);
        since(&sandbox, "old", 0);
    }

    #[test]
    fn a_smaller_ledger_is_refused() {
        let sandbox = sandbox();
        append(&sandbox, 1);
        sign(&sandbox, "old");
        tamper(&sandbox, "DELETE FROM entry WHERE seq=4");
        assert!(since(&sandbox, "old", 4).contains("has 4 entries, the checkpoint covers 5"));
        append(&sandbox, 1);
        assert!(since(&sandbox, "old", 4).contains("its first 5 entries have another root"), "equal size");
        append(&sandbox, 1);
        assert!(since(&sandbox, "old", 4).contains("its first 5 entries have another root"), "larger");
    }

    #[test]
    fn a_checkpoint_of_another_origin_or_key_is_refused() {
        let sandbox = sandbox();
        sandbox
            .shell("gate-log checkpoint --key-file log.key --origin example.com/log/below > below")
            .expect(0);
        assert!(since(&sandbox, "below", 2).contains("is of origin"));
        sandbox.shell("gate-log checkpoint --new-key other.key > other.pub").expect(0);
        sandbox.shell("gate-log checkpoint --key-file other.key > other").expect(0);
        assert!(since(&sandbox, "other", 2).contains("no known key has signed"));
        assert!(since(&sandbox, "gate.toml", 2).contains("is no checkpoint"));
        assert!(since(&sandbox, "none", 2).contains("cannot read"));
    }

    #[test]
    fn what_was_signed_last_is_extended_also_where_nobody_asks_for_it() {
        let sandbox = sandbox();
        append(&sandbox, 1);
        sign(&sandbox, "old");
        let kept = sandbox.read(KEPT);
        tamper(&sandbox, "DELETE FROM entry WHERE seq=4");
        append(&sandbox, 2);
        for text in [kept.clone(), kept.replace("index 4", "index 3")] {
            sandbox.write(KEPT, &text);
            let refused = sandbox.run("gate-log", &["checkpoint", "--key-file", "log.key"]).expect(4);
            assert!(refused.stderr.contains("does not extend"), "{}", refused.stderr);
            assert_eq!((refused.stdout.as_str(), sandbox.read(KEPT)), ("", text), "the evidence stays");
        }
    }
}

mod key_memory {
    use super::{KEPT, Sandbox, append, sandbox, sign};

    fn refused(sandbox: &Sandbox, line: &str, status: i32, words: &str) {
        let refused = sandbox.shell(line).expect(status);
        assert!(refused.stderr.contains(words), "{line}: {}", refused.stderr);
        assert_eq!(refused.stdout, "", "{line}");
    }

    /// The ledger as it was, with everything that lay beside it.
    fn restore(sandbox: &Sandbox) {
        sandbox.shell("rm -rf .gate && cp -a saved .gate && gate-check lint -q -- true").expect(0);
    }

    #[test]
    fn a_restored_ledger_is_not_signed_again_by_any_way_to_the_key() {
        let sandbox = sandbox();
        sign(&sandbox, "cp");
        sandbox.shell("cp -a .gate saved").expect(0);
        append(&sandbox, 1);
        sign(&sandbox, "later");
        restore(&sandbox);
        sandbox.shell("ln -s log.key link.key; mkdir segments").expect(0);
        for line in [
            "gate-log checkpoint --key-file log.key",
            "gate-log checkpoint --key-file link.key --since cp",
            "gate-log checkpoint --key-file log.key --origin example.com/log/below",
            "gate-log prove 1 --key-file log.key",
            "gate-log archive --before 3 --as-far-as-possible --to segments --key-file log.key",
        ] {
            refused(&sandbox, line, 4, "does not extend");
        }
        sandbox.shell("rm -f .gate/ledger.db-checkpoint").expect(0);
        refused(&sandbox, "gate-log checkpoint --key-file log.key", 4, "log.key.signed");
    }

    #[test]
    fn a_key_without_its_memory_signs_only_what_extends_a_named_checkpoint() {
        let sandbox = sandbox();
        sign(&sandbox, "cp");
        std::fs::remove_file(sandbox.path("log.key.signed")).unwrap();
        let sign = "gate-log checkpoint --key-file log.key";
        refused(&sandbox, sign, 2, "--since");
        std::fs::remove_file(sandbox.path(KEPT)).unwrap();
        refused(&sandbox, sign, 2, "--since");
        append(&sandbox, 1);
        sandbox.shell(&format!("{sign} --since cp")).expect(0);
        sandbox.shell(sign).expect(0);
        refused(&sandbox, &format!("{sign} --first"), 2, "leave --first out");
    }

    #[test]
    fn a_memory_that_was_edited_is_not_taken_for_none() {
        let sandbox = sandbox();
        sign(&sandbox, "cp");
        let good = sandbox.read("log.key.signed");
        for bad in [String::new(), good.replace("key ", "key 0"), good.trim_end().to_owned(), good + "x\n"] {
            sandbox.write("log.key.signed", &bad);
            refused(&sandbox, "gate-log checkpoint --key-file log.key --since cp", 4, "log.key.signed");
        }
    }

    #[test]
    fn a_new_key_does_not_take_over_the_memory_of_an_old_one() {
        let sandbox = sandbox();
        std::fs::remove_file(sandbox.path("log.key")).unwrap();
        refused(&sandbox, "gate-log checkpoint --new-key log.key", 2, "log.key.signed");
        assert!(!sandbox.has("log.key"));
    }
}

mod agent {
    use std::process::{Child, Command, Stdio};

    use super::{ORIGIN, Output, Sandbox, sandbox, verify};

    /// An agent that ends with the test.
    struct Agent(Child);

    impl Agent {
        /// Starts one at `agent.sock`, if the machine has any.
        fn start(sandbox: &Sandbox) -> Option<Self> {
            let socket = sandbox.path("agent.sock");
            let mut command = Command::new("ssh-agent");
            command.arg("-D").arg("-a").arg(&socket).stdout(Stdio::null());
            let Ok(child) = command.spawn() else {
                eprintln!("skipped: ssh-agent is not installed");
                return None;
            };
            let agent = Self(child);
            while !socket.exists() {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            Some(agent)
        }
    }

    impl Drop for Agent {
        fn drop(&mut self) {
            self.0.kill().unwrap();
            self.0.wait().unwrap();
        }
    }

    fn shell(sandbox: &Sandbox, line: &str) -> Output {
        sandbox.shell(&format!("export SSH_AUTH_SOCK=\"$PWD/agent.sock\"; {line}"))
    }

    fn add(sandbox: &Sandbox, name: &str, kind: &str) {
        shell(sandbox, &format!("ssh-keygen -q -t {kind} -N '' -f {name} && ssh-add -q {name}")).expect(0);
    }

    #[test]
    fn a_memory_that_cannot_be_looked_into_is_not_taken_for_none() {
        let sandbox = sandbox();
        let Some(_agent) = Agent::start(&sandbox) else { return };
        add(&sandbox, "id", "ed25519");
        let sign = "export XDG_STATE_HOME=\"$PWD/state\"; gate-log checkpoint --agent id.pub";
        shell(&sandbox, &format!("{sign} --first > cp")).expect(0);
        sandbox.shell("mv state/gate away").expect(0);
        for odd in [
            "echo x > state/gate",
            "ln -s gate state/gate",
            "mkdir -p state/gate; echo x > state/gate/signed",
        ] {
            sandbox.shell(odd).expect(0);
            shell(&sandbox, &format!("{sign} --since cp")).expect(5).says("what the key has signed");
            sandbox.shell("rm -rf state/gate").expect(0);
        }
        sandbox.shell("mv away state/gate").expect(0);
        shell(&sandbox, &format!("{sign} --since cp")).expect(0);
    }

    #[test]
    fn a_key_that_never_leaves_the_agent_anchors() {
        let sandbox = sandbox();
        let Some(_agent) = Agent::start(&sandbox) else { return };
        add(&sandbox, "other", "ed25519");
        add(&sandbox, "id", "ed25519");
        shell(&sandbox, "gate-log checkpoint --agent id.pub").expect(2).says("--first");
        let signed = shell(&sandbox, "gate-log checkpoint --agent id.pub --first > cp").expect(0);
        let public = shell(&sandbox, "gate-log checkpoint --agent id.pub --public-key").expect(0).stdout;
        assert!(public.starts_with(&format!("{ORIGIN}+")), "{public}");
        assert!(signed.stderr.contains(public.trim()), "{}", signed.stderr);
        sandbox.write("agent.pub", &public);
        verify(&sandbox, "--checkpoint cp --key agent.pub --require-anchor").expect(0);
        // The fingerprint names the same key, and a proof can be made with it.
        let fingerprint = "$(ssh-keygen -lf id.pub | cut -d' ' -f2)";
        shell(&sandbox, &format!("gate-log checkpoint --agent {fingerprint} --since cp -q > again"))
            .expect(0);
        assert_eq!(sandbox.read("cp"), sandbox.read("again"));
        shell(&sandbox, "gate-log prove 2 --agent id.pub > proof").expect(0);
        verify(&sandbox, "proof proof --key agent.pub").expect(0);
    }

    #[test]
    fn keys_that_cannot_sign_a_note_are_refused_with_the_reason() {
        let sandbox = sandbox();
        let Some(_agent) = Agent::start(&sandbox) else { return };
        add(&sandbox, "ec", "ecdsa");
        shell(&sandbox, "ssh-keygen -q -t ed25519 -N '' -f away").expect(0);
        let refused = |key: &str| {
            let output = shell(&sandbox, &format!("gate-log checkpoint --agent {key}")).expect(2);
            assert_eq!(output.stdout, "");
            output.stderr
        };
        assert!(refused("ec.pub").contains("use an ssh-ed25519 key"));
        assert!(refused("$(ssh-keygen -lf ec.pub | cut -d' ' -f2)").contains("use an ssh-ed25519 key"));
        assert!(refused("away.pub").contains("does not hold the key"));
        assert!(refused("away").contains("private key"));
        assert!(refused("SHA256:nonsense").contains("fingerprint"));
        assert!(refused("none.pub").contains("cannot read public key"));
        sandbox.run("gate-log", &["checkpoint", "--agent", "away.pub"]).expect(2).says("SSH_AUTH_SOCK");
        let nobody = sandbox.shell("SSH_AUTH_SOCK=gate.toml gate-log checkpoint --agent away.pub").expect(5);
        assert!(nobody.stderr.contains("cannot reach the ssh-agent"), "{}", nobody.stderr);
    }

    #[test]
    fn a_key_with_which_people_sign_requests_signs_no_checkpoint() {
        let sandbox = sandbox();
        let Some(_agent) = Agent::start(&sandbox) else { return };
        add(&sandbox, "id", "ed25519");
        shell(&sandbox, "echo \"alice@example.com $(cat id.pub)\" > allowed").expect(0);
        let policy = sandbox.read("gate.toml") + "\n[identity]\nallowed_signers = \"allowed\"\n";
        sandbox.write("gate.toml", policy);
        // The policy is recorded with the next decision.
        sandbox.run("gate-check", &["lint", "--", "true"]).expect(0);
        let refused = shell(&sandbox, "gate-log checkpoint --agent id.pub").expect(2);
        assert!(refused.stderr.contains("trusts for requests"), "{}", refused.stderr);
        assert_eq!(refused.stdout, "");
    }
}

mod quorum {
    use super::{Sandbox, SignerKey, codes, cosign, note, sandbox, sign, verify};

    fn witness(n: u8) -> SignerKey {
        SignerKey::generate(&format!("witness.example/{n}"), [100 + n; 32]).unwrap()
    }

    /// The checkpoint of all entries in `cp`, cosigned by these witnesses, and a quorum file that asks for two
    /// of three.
    fn cosigned(sandbox: &Sandbox, witnesses: &[u8]) {
        sign(sandbox, "cp");
        let mut note = note::parse(sandbox.read("cp").as_bytes()).unwrap();
        for n in witnesses {
            note = note.clone().with(cosign(&note.text, 1_700_000_000, &witness(*n)).unwrap()).unwrap();
        }
        sandbox.write("cp", note.to_string());
        let line = |n: u8| format!("witness w{n} {}\n", witness(n).verifier().as_cosigner());
        let parties = format!("{}{}{}group two 2 w1 w2 w3\nquorum two\n", line(1), line(2), line(3));
        sandbox.write("parties", &parties);
        sandbox.write("quorum", format!("log {}{parties}", sandbox.read("log.pub")));
    }

    #[test]
    fn enough_witnesses_anchor_and_are_shown_with_their_times() {
        let sandbox = sandbox();
        cosigned(&sandbox, &[3, 1]);
        for line in ["--quorum quorum", "--quorum parties --key log.pub", "--quorum quorum --key log.pub"] {
            let found =
                verify(&sandbox, &format!("--checkpoint cp --require-anchor {line}")).expect(0).json();
            let witnesses = found["anchored"]["witnesses"].as_array().unwrap();
            assert_eq!(witnesses.len(), 2, "{line}");
            assert_eq!(witnesses[0]["name"], "w3");
            assert_eq!(witnesses[0]["at"], "2023-11-14T22:13:20.000000Z");
        }
        let text = verify(&sandbox, "--checkpoint cp --quorum quorum --format text").expect(0);
        assert!(text.stdout.contains("w1 at 2023-11-14T22:13:20"), "{}", text.stdout);
    }

    #[test]
    fn fewer_do_not_and_who_is_missing_is_named() {
        let sandbox = sandbox();
        cosigned(&sandbox, &[2]);
        let fewer = verify(&sandbox, "--checkpoint cp --quorum quorum").expect(1);
        assert!(fewer.json()["anchored"].is_null() && codes(&fewer).contains(&"checkpoint-quorum".into()));
        assert!(fewer.stdout.contains("w1") && fewer.stdout.contains("w3"), "{}", fewer.stdout);
        // The same checkpoint counts where no quorum is asked for.
        verify(&sandbox, "--checkpoint cp --key log.pub --require-anchor").expect(0);
    }

    #[test]
    fn the_log_itself_must_have_signed() {
        let sandbox = sandbox();
        cosigned(&sandbox, &[1, 2, 3]);
        sandbox.shell("sed '/example.com.log /d' cp > without").expect(0);
        let found = verify(&sandbox, "--checkpoint without --quorum quorum").expect(1);
        assert!(codes(&found).contains(&"checkpoint-key".into()), "{:?}", codes(&found));
        // A key that the quorum file does not name is no second way in.
        sandbox.shell("gate-log checkpoint --new-key other.key > other.pub").expect(0);
        verify(&sandbox, "--checkpoint cp --quorum quorum --key other.pub").expect(2);
        verify(&sandbox, "--checkpoint cp --quorum parties").expect(2);
        verify(&sandbox, "--checkpoint cp --quorum gate.toml").expect(2);
        verify(&sandbox, "--checkpoint cp --quorum none").expect(2);
    }

    #[test]
    fn a_proof_needs_the_quorum_too() {
        let sandbox = sandbox();
        cosigned(&sandbox, &[1, 2]);
        sandbox.shell("gate-log prove 2 --checkpoint cp > proof").expect(0);
        let proven = verify(&sandbox, "proof proof --quorum quorum").expect(0).json();
        assert_eq!(proven["witnesses"].as_array().unwrap().len(), 2);
        cosigned(&sandbox, &[1]);
        sandbox.shell("gate-log prove 2 --checkpoint cp > proof").expect(0);
        let refused = verify(&sandbox, "proof proof --quorum quorum").expect(1).json();
        assert!(refused["reason"].as_str().unwrap().contains("missing"), "{refused}");
        assert!(refused.get("entry").is_none(), "what is not proven is not shown as if it were");
        verify(&sandbox, "proof proof --key log.pub").expect(0);
    }
}

mod from {
    use super::{Output, Sandbox, append, codes, sandbox, sign, tamper, verify};

    /// Four entries proven in `tip`, and three more.
    fn seen() -> Sandbox {
        let sandbox = sandbox();
        sign(&sandbox, "old");
        sandbox.shell("gate-log prove --last --checkpoint old > tip").expect(0);
        append(&sandbox, 3);
        sandbox
    }

    fn from(sandbox: &Sandbox, more: &str) -> Output {
        verify(sandbox, &format!("--from tip --key log.pub {more}"))
    }

    #[test]
    fn only_what_is_new_is_read_and_that_is_said() {
        let sandbox = seen();
        for more in ["", "export.jsonl"] {
            sandbox.shell("gate-log export > export.jsonl").expect(0);
            let found = from(&sandbox, more).expect(0);
            let document = found.json();
            assert_eq!((&document["from"]["size"], &document["entries"]), (&4.into(), &7.into()), "{more}");
            assert_eq!(document["anchored"]["size"], 4);
            assert!(codes(&found).contains(&"not-looked-at".into()));
        }
        tamper(&sandbox, "UPDATE entry SET body=replace(body,'\"n\":1','\"n\":9') WHERE seq=2");
        from(&sandbox, "").expect(0);
        verify(&sandbox, "").expect(1);
    }

    #[test]
    fn the_next_checkpoint_is_compared_without_the_past() {
        let sandbox = seen();
        sign(&sandbox, "new");
        let found = from(&sandbox, "--checkpoint new --require-anchor").expect(0).json();
        assert_eq!(found["anchored"]["size"], 7);
        sandbox.shell("gate-log export | gate-verify - --from tip --key log.pub --checkpoint new").expect(0);
        // One that reaches less far cannot be compared.
        sandbox.shell("gate-log prove --last --checkpoint new > tip").expect(0);
        from(&sandbox, "--checkpoint old").expect(2);
        from(&sandbox, "").expect(0);
    }

    #[test]
    fn what_is_new_and_bad_is_found() {
        let edits = [
            "UPDATE entry SET body=replace(body,'\"n\":1','\"n\":9') WHERE seq=5",
            "DELETE FROM entry WHERE seq=4",
            "DELETE FROM entry WHERE seq=5",
        ];
        for sql in edits {
            let sandbox = seen();
            tamper(&sandbox, sql);
            let found = from(&sandbox, "").expect(1).json();
            assert_eq!(found["ok"], false, "{sql}");
        }
    }

    #[test]
    fn the_proven_entry_must_still_be_there() {
        let sandbox = seen();
        tamper(&sandbox, "UPDATE entry SET body=replace(body,'\"n\":1','\"n\":9') WHERE seq=3");
        from(&sandbox, "").expect(1);
        let sandbox = seen();
        tamper(&sandbox, "DELETE FROM entry WHERE seq>=3");
        let cut = from(&sandbox, "").expect(1).json();
        assert_eq!(cut["ok"], false);
        let sandbox = seen();
        tamper(&sandbox, "DELETE FROM entry WHERE seq>=4");
        from(&sandbox, "").expect(0);
    }

    #[test]
    fn a_proof_of_something_else_is_no_place_to_begin() {
        let sandbox = seen();
        sandbox.shell("gate-log prove 2 --checkpoint old > early").expect(0);
        verify(&sandbox, "--from early --key log.pub").expect(2);
        verify(&sandbox, "--from gate.toml --key log.pub").expect(2);
        verify(&sandbox, "--from none --key log.pub").expect(2);
        verify(&sandbox, "--from tip").expect(2);
        sandbox.shell("gate-log checkpoint --new-key other.key > other.pub").expect(0);
        verify(&sandbox, "--from tip --key other.pub").expect(1);
        sandbox.shell("sed 's/^4$/5/' tip > forged").expect(0);
        verify(&sandbox, "--from forged --key log.pub").expect(1);
        // Another ledger than the proof's.
        let other = self::sandbox();
        std::fs::copy(other.path(".gate/ledger.db"), sandbox.path("other.db")).unwrap();
        let found = verify(&sandbox, "other.db --from tip --key log.pub");
        assert_ne!(found.status, 0, "{}", found.stdout);
        verify(&sandbox, "--from tip --key log.pub --replay").expect(2);
    }
}
