//! `gate-log` as a shell uses it.

#![allow(clippy::unwrap_used, reason = "this is test code: what fails shall stop the test")]

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use gate_tests::{Sandbox, Signal, send, status};
use serde_json::Value;

const LEDGER: &str = ".gate/ledger.db";

fn seqs(lines: &[Value]) -> Vec<u64> {
    lines.iter().map(|line| line["seq"].as_u64().unwrap()).collect()
}

/// Notes with `n` from 0 up.
fn append(sandbox: &Sandbox, count: u64) {
    let events = (0..count).map(|n| format!("{{\"n\":{n}}}\n")).collect::<Vec<_>>().concat();
    sandbox.run_with("gate-log", &["append", "--quiet"], events).expect(0);
}

mod init {
    use super::{LEDGER, Sandbox};

    #[test]
    fn makes_ledger_policy_and_gitignore() {
        let sandbox = Sandbox::repository();
        let output = sandbox.run("gate-log", &["init"]).expect(0);
        let made = output.json();
        assert_eq!(made["schema"], "gate.init/1");
        assert_eq!(made["created_policy"], true);
        let genesis = made["genesis"].as_str().unwrap();
        assert!(output.stderr.contains(&format!("\n  genesis = \"{genesis}\"\n")), "{}", output.stderr);
        let entries = sandbox.entries();
        assert_eq!(entries.len(), 2);
        assert_eq!((&entries[0]["kind"], &entries[1]["kind"]), (&"genesis".into(), &"policy".into()));
        assert_eq!(entries[0]["hash"], genesis);
        assert_eq!(entries[0]["ledger"], made["id"]);
        assert_eq!(entries[1]["data"]["text"], sandbox.read("gate.toml"));
        sandbox.run("gate-verify", &["policy"]).expect(0);
    }

    #[test]
    fn keeps_the_ledger_out_of_commits_and_nothing_else() {
        let sandbox = Sandbox::with_starter();
        sandbox.write(".gate/allowed_signers", "");
        sandbox.run("git", &["add", "--all"]).expect(0);
        let tracked = sandbox.run("git", &["ls-files"]).expect(0).stdout;
        assert_eq!(tracked, ".gate/.gitignore\n.gate/allowed_signers\ngate.toml\n");
        sandbox.run("gate-log", &["-n", "1"]).expect(0);
    }

    #[test]
    fn adds_to_a_gitignore_that_is_there() {
        let sandbox = Sandbox::repository();
        sandbox.write(".gate/.gitignore", "secret");
        sandbox.run("gate-log", &["init"]).expect(0);
        assert!(sandbox.read(".gate/.gitignore").starts_with("secret\n#"));
    }

    /// Whoever makes the repository afterwards would commit the ledger else.
    #[test]
    fn a_folder_of_its_own_is_kept_out_of_commits_also_where_there_is_no_repository_yet() {
        let sandbox = Sandbox::new();
        sandbox.run("gate-log", &["init"]).expect(0);
        assert!(sandbox.has(LEDGER) && sandbox.has(".gate/.gitignore"));
        let elsewhere = Sandbox::new();
        elsewhere.run("gate-log", &["init", "--ledger", "kept/l.db"]).expect(0);
        assert!(elsewhere.has("kept/l.db") && !elsewhere.has("kept/.gitignore"));
    }

    #[test]
    fn leaves_an_existing_ledger_alone() {
        let sandbox = Sandbox::with_starter();
        let before = std::fs::read(sandbox.path(LEDGER)).unwrap();
        let again = sandbox.run("gate-log", &["init"]).expect(0).json();
        assert_eq!(again["created"], false);
        assert_eq!(std::fs::read(sandbox.path(LEDGER)).unwrap(), before);
        // The same where the policy is gone: none is written for a ledger that is not made.
        std::fs::remove_file(sandbox.path("gate.toml")).unwrap();
        sandbox.run("gate-log", &["init"]).expect(2).says("exists already");
        assert!(!sandbox.has("gate.toml"));
    }

    #[test]
    fn refuses_what_is_not_a_ledger_in_its_place() {
        let sandbox = Sandbox::new();
        sandbox.write(LEDGER, "");
        sandbox.run("gate-log", &["init"]).expect(2).says("exists already");
        assert_eq!(sandbox.read(LEDGER), "");
        let leftover = Sandbox::new();
        leftover.write(".gate/ledger.db-wal", "x");
        leftover.run("gate-log", &["init"]).expect(2).says("left over");
        assert!(!leftover.has(LEDGER) && !leftover.has("gate.toml"));
    }

    #[test]
    fn a_failure_half_way_leaves_nothing_that_looks_like_a_ledger() {
        // The second entry cannot hold this file, though the first one was written by then.
        let sandbox = Sandbox::repository();
        sandbox.write("signers", "alice \u{7}");
        sandbox.write("gate.toml", "version = 1\n[identity]\nallowed_signers = \"signers\"\n[gates.lint]\n");
        sandbox.run("gate-log", &["init"]).expect(2).says("control character");
        let left: Vec<_> =
            std::fs::read_dir(sandbox.path(".gate")).map_or_else(|_| Vec::new(), Iterator::collect);
        assert!(left.is_empty(), "{left:?}");
    }

    #[test]
    fn a_place_that_cannot_be_takes_the_starter_back() {
        let sandbox = Sandbox::new();
        sandbox.write("file", "");
        let output = sandbox.run("gate-log", &["init", "--ledger", "file/below/ledger.db"]);
        assert!(matches!(output.status, 2 | 5), "{output:?}");
        assert!(!sandbox.has("gate.toml"));
    }

    #[test]
    fn refuses_a_path_that_git_tracks() {
        let sandbox = Sandbox::repository();
        sandbox.write(LEDGER, "");
        sandbox.run("git", &["add", "--force", LEDGER]).expect(0);
        std::fs::remove_file(sandbox.path(LEDGER)).unwrap();
        sandbox.run("gate-log", &["init"]).expect(4).says("tracked by git");
        assert!(!sandbox.has(LEDGER) && !sandbox.has("gate.toml"));
    }

    #[test]
    fn refuses_an_invalid_policy_with_its_place() {
        let sandbox = Sandbox::new();
        sandbox.write("gate.toml", "version = 1\n[gates.lint]\nsevrity = \"low\"\n");
        sandbox.run("gate-log", &["init"]).expect(2).says("gate-log: gate.toml:3:1: ");
        assert!(!sandbox.has(".gate"));
    }

    #[test]
    fn refuses_a_policy_that_pins_another_ledger() {
        let sandbox = Sandbox::new();
        let pin = format!("version = 1\n[ledger]\ngenesis = \"b3:{}\"\n", "0".repeat(64));
        sandbox.write("gate.toml", pin);
        sandbox.run("gate-log", &["init"]).expect(2).says("pins the ledger");
        assert!(!sandbox.has(".gate/ledger.db"));
    }

    #[test]
    fn of_several_at_once_one_makes_it() {
        let sandbox = Sandbox::new();
        sandbox.write("gate.toml", "version = 1\n");
        let children: Vec<_> = (0..6).map(|_| sandbox.start("gate-log", &["init"])).collect();
        let mut statuses: Vec<i32> =
            children.into_iter().map(|mut child| super::status(child.wait().unwrap())).collect();
        statuses.sort_unstable();
        // Whoever came when it was finished is told that it is there, whoever came meanwhile that its name is taken.
        assert!(statuses[0] == 0 && statuses.iter().all(|status| [0, 2].contains(status)), "{statuses:?}");
        sandbox.run("gate-verify", &[LEDGER]).expect(0);
        let names = std::fs::read_dir(sandbox.path(".gate")).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(names.into_iter().all(|name| !name.to_string_lossy().contains(".new-")));
    }
}

mod list {
    use super::{LEDGER, Sandbox, append, seqs};

    #[test]
    fn lines_are_those_of_the_export_and_hash_as_documented() {
        let sandbox = Sandbox::with_starter();
        append(&sandbox, 3);
        let export = sandbox.run("gate-log", &["export"]).expect(0).stdout;
        assert_eq!(sandbox.run::<&str>("gate-log", &[]).expect(0).stdout, export);
        let recipe =
            "gate-log -n 1 | jq -cSj 'del(.hash)' | b3sum --no-names --derive-key 'gate-ledger v1 entry'";
        let digest = sandbox.shell(recipe).expect(0).stdout;
        let last = &sandbox.entries()[4];
        assert_eq!(last["hash"], format!("b3:{}", digest.trim()));
        assert!(export.lines().all(|line| line.ends_with("\"}")), "the hash is the last member");
    }

    #[test]
    fn filters_and_orders() {
        let sandbox = Sandbox::with_starter();
        append(&sandbox, 4);
        sandbox.run_with("gate-log", &["append", "--gate", "lint"], "{\"n\":9}\n").expect(0);
        let list = |args: &[&str]| seqs(&sandbox.run("gate-log", args).expect(0).lines());
        assert_eq!(list(&[]), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(list(&["--kind", "note", "-n", "2"]), [5, 6]);
        assert_eq!(list(&["--kind", "genesis,policy"]), [0, 1]);
        assert_eq!(list(&["--reverse", "-n", "3"]), [6, 5, 4]);
        assert_eq!(list(&["--gate", "lint"]), [6]);
        assert_eq!(list(&["--gate", "none-of-ours"]), [0_u64; 0]);
        assert_eq!(list(&["--actor", "os:nobody-of-that-name"]), [0_u64; 0]);
        assert_eq!(list(&["--since", "1h"]), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(list(&["--until", "1h"]), [0_u64; 0]);
        let at = sandbox.entries()[3]["at"].as_str().unwrap().to_owned();
        assert_eq!(list(&["--since", &at]), [3, 4, 5, 6]);
        assert_eq!(list(&["--until", &at]), [0, 1, 2, 3]);
    }

    #[test]
    fn an_id_is_a_number_or_the_beginning_of_a_hash() {
        let sandbox = Sandbox::with_starter();
        append(&sandbox, 2);
        let hash = sandbox.entries()[2]["hash"].as_str().unwrap().to_owned();
        let show = |id: &str| sandbox.run("gate-log", &["show", id]);
        let by_number = show("2").expect(0).stdout;
        assert_eq!(show(&hash).expect(0).stdout, by_number);
        assert_eq!(show(&hash[3..11]).expect(0).stdout, by_number);
        // Not a slice of the hash: by chance it could be a number.
        show("abcdef").expect(2).says("not an ID");
        show("99").expect(2).says("no entry '99'");
        show("../x").expect(2).says("not an ID");
        assert_eq!(seqs(&sandbox.run("gate-log", &["show", "1", "0"]).expect(0).lines()), [1, 0]);
    }

    #[test]
    fn the_life_of_an_opt_out_is_followed() {
        let sandbox = Sandbox::with_starter();
        append(&sandbox, 1);
        let asked = sandbox.run("gate-skip", &["lint", "--reason", "flaky on this runner"]).expect(0);
        let id = asked.json()["id"].to_string();
        sandbox.run("gate-check", &["lint", "--", "false"]).expect(0);
        sandbox.run("gate-check", &["tests", "--", "true"]).expect(0);
        sandbox.run("gate-skip", &["revoke", &id, "--reason", "mended"]).expect(0);
        let life = sandbox.run("gate-log", &["--id", &id]).expect(0).lines();
        let kinds: Vec<&str> = life.iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["grant", "decision", "revocation"]);
    }

    #[test]
    fn text_of_people_is_inert_for_people_and_unchanged_for_programs() {
        let sandbox = Sandbox::with_starter();
        let event = "{\"message\":\"\u{202e} ::error::x ##vso[x]\"}\n";
        sandbox.run_with("gate-log", &["append"], event).expect(0);
        let text = sandbox.run("gate-log", &["-n", "1", "--format", "text"]).expect(0).stdout;
        assert!(!text.contains('\u{202e}') && !text.contains(" ::error") && !text.contains("##"), "{text}");
        let line = &sandbox.run("gate-log", &["-n", "1"]).expect(0).lines()[0];
        assert_eq!(line["data"]["message"], "\u{202e} ::error::x ##vso[x]");
    }

    #[test]
    fn usage_errors_say_what_there_is() {
        let sandbox = Sandbox::with_starter();
        let wrong = |args: &[&str], words: &str| drop(sandbox.run("gate-log", args).expect(2).says(words));
        wrong(&["--kind", "grants"], "did you mean 'grant'");
        wrong(&["--kind", "x"], "it is one of: genesis, ");
        wrong(&["--since", "2026-01-01"], "a date without a time");
        wrong(&["--since", "30"], "has no unit");
        wrong(&["--kind", "note", "show", "1"], "before a verb");
        wrong(&["--format", "sarif"], "json, text");
        wrong(&["frobnicate"], "unknown verb 'frobnicate'");
        wrong(&["--follow", "--reverse"], "cannot be used with");
    }

    #[test]
    fn an_auditor_needs_the_file_alone() {
        let sandbox = Sandbox::with_starter();
        append(&sandbox, 2);
        let elsewhere = Sandbox::new();
        let ledger = sandbox.path(LEDGER).display().to_string();
        for verb in ["stats", "due", "export"] {
            elsewhere.run("gate-log", &[verb, "--ledger", &ledger]).expect(0);
        }
        assert_eq!(seqs(&elsewhere.run("gate-log", &["--ledger", &ledger]).expect(0).lines()), [0, 1, 2, 3]);
        elsewhere.run::<&str>("gate-log", &[]).expect(2).says("no policy");
    }

    #[test]
    fn a_policy_that_pins_another_ledger_is_obeyed() {
        let sandbox = Sandbox::with_starter();
        let pin = format!("[ledger]\ngenesis = \"b3:{}\"", "0".repeat(64));
        let policy = sandbox.read("gate.toml").replace("[ledger]", &pin);
        sandbox.write("gate.toml", policy);
        for args in [&["export"][..], &[], &["stats"], &["append"]] {
            sandbox.run("gate-log", args).expect(4).says("not the one that the policy pins");
        }
    }

    #[test]
    fn what_is_no_ledger_is_told_apart() {
        let sandbox = Sandbox::with_starter();
        sandbox.write(
            "text",
            "no ledger at all, and longer than a header of SQLite would be, so that it is read",
        );
        sandbox.write("empty", "");
        std::fs::create_dir(sandbox.path("folder")).unwrap();
        let open = |name: &str| sandbox.run("gate-log", &["--ledger", name]);
        open("none").expect(2).says("there is no ledger");
        open("folder").expect(2).says("a directory");
        open("text").expect(4).says("not a ledger");
        open("empty").expect(4).says("empty");
        let mut cut = std::fs::read(sandbox.path(LEDGER)).unwrap();
        cut.truncate(cut.len() / 2);
        sandbox.write("cut", cut);
        open("cut").expect(4);
    }

    #[test]
    fn a_reader_that_goes_away_is_no_failure() {
        let sandbox = Sandbox::with_starter();
        append(&sandbox, 2_000);
        let output =
            sandbox.shell("gate-log | head -n 1 | wc -l; gate-log export | head -n 1 | wc -l").expect(0);
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("1\n1\n", ""));
    }

    #[test]
    fn a_full_disk_behind_the_output_is_exit_5() {
        let sandbox = Sandbox::with_starter();
        sandbox.shell("gate-log export > /dev/full").expect(5).says("cannot write to standard output");
    }
}

mod append {
    use super::{Duration, Instant, Sandbox, Write, append, seqs, status};

    #[test]
    fn says_what_was_recorded() {
        let sandbox = Sandbox::with_starter();
        let output =
            sandbox.run_with("gate-log", &["append", "-"], "{\"a\":1}\n{\"a\":[true,null,-5]}\n").expect(0);
        let document = output.says("2 events recorded (2 to 3)").json();
        assert_eq!(document["schema"], "gate.append/1");
        assert_eq!(
            (&document["recorded"], &document["first"], &document["last"]),
            (&2.into(), &2.into(), &3.into())
        );
        let entries = sandbox.entries();
        assert_eq!(
            (&entries[2]["kind"], &entries[3]["data"]),
            (&"note".into(), &serde_json::json!({"a":[true,null,-5]}))
        );
    }

    #[test]
    fn reads_a_file_and_names_the_gate() {
        let sandbox = Sandbox::with_starter();
        sandbox.write("events", "{\"a\":1}");
        sandbox.run("gate-log", &["append", "events", "--gate", "lint"]).expect(0);
        assert_eq!(sandbox.entries()[2]["gate"], "lint");
        sandbox
            .run("gate-log", &["append", "events", "--gate", "lnit"])
            .expect(2)
            .says("did you mean 'lint'");
        sandbox.run("gate-log", &["append", "none"]).expect(2).says("cannot read events from 'none'");
        sandbox.run("gate-log", &["append", "."]).expect(2);
        assert_eq!(sandbox.entries().len(), 3);
    }

    #[test]
    fn nothing_is_no_error() {
        let sandbox = Sandbox::with_starter();
        assert_eq!(sandbox.run("gate-log", &["append"]).expect(0).json()["recorded"], 0);
    }

    #[test]
    fn an_error_names_the_line_and_how_many_were_recorded() {
        let sandbox = Sandbox::with_starter();
        let good = (0..1_500).map(|n| format!("{{\"n\":{n}}}\n")).collect::<Vec<_>>().concat();
        let output = sandbox
            .run_with("gate-log", &["append"], format!("{good}{{\"x\":1.5}}\n{{\"n\":0}}\n"))
            .expect(2);
        output.says("line 1501: ").says("1500 entries before it were recorded");
        assert_eq!(sandbox.entries().len(), 1_502);
        sandbox.run_with("gate-log", &["append"], "{\"a\":1,\"a\":2}").expect(2).says("nothing was recorded");
        sandbox.run("gate-verify", &["--quiet"]).expect(0);
    }

    #[test]
    fn a_slow_stream_is_recorded_before_it_ends() {
        let sandbox = Sandbox::with_starter();
        let mut child = sandbox.start("gate-log", &["append"]);
        let mut stdin = child.stdin.take().unwrap();
        for wanted in 3..5 {
            stdin.write_all(b"{\"slow\":true}\n{\"half\":").unwrap();
            let begun = Instant::now();
            while sandbox.entries().len() < wanted {
                assert!(
                    begun.elapsed() < Duration::from_secs(20),
                    "the event was not recorded while the stream paused"
                );
                std::thread::sleep(Duration::from_millis(50));
            }
            stdin.write_all(b"1}\n").unwrap();
        }
        drop(stdin);
        assert_eq!(status(child.wait().unwrap()), 0);
        assert_eq!(sandbox.entries().len(), 6);
    }

    #[test]
    fn many_writers_lose_nothing() {
        let sandbox = Sandbox::with_starter();
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| (0..5).for_each(|_| append(&sandbox, 3)));
            }
        });
        assert_eq!(sandbox.entries().len(), 2 + 6 * 5 * 3);
        sandbox.run("gate-verify", &["--quiet"]).expect(0);
    }

    #[test]
    fn a_killed_writer_leaves_a_ledger_that_works() {
        let sandbox = Sandbox::with_starter();
        for _ in 0..5 {
            let mut child = sandbox.start("gate-log", &["append"]);
            let mut stdin = child.stdin.take().unwrap();
            let writer = std::thread::spawn(move || while stdin.write_all(b"{\"k\":1}\n").is_ok() {});
            std::thread::sleep(Duration::from_millis(60));
            child.kill().unwrap();
            child.wait().unwrap();
            writer.join().unwrap();
            sandbox.run("gate-verify", &["--quiet"]).expect(0);
        }
        append(&sandbox, 1);
        let entries = sandbox.entries();
        let expected: Vec<u64> = (0..entries.len() as u64).collect();
        assert_eq!(seqs(&entries), expected);
    }

    #[test]
    fn the_output_of_an_auditor_can_be_appended() {
        let sandbox = Sandbox::with_starter();
        let line = "gate-verify | jq -c '{verified: .entries}' | gate-log append";
        sandbox.shell(line).expect(0);
        assert_eq!(sandbox.entries()[2]["data"]["verified"], 2);
    }

    #[test]
    fn a_hostile_name_of_a_file_cannot_forge_a_message() {
        let sandbox = Sandbox::with_starter();
        let output = sandbox.run("gate-log", &["append", "x\n::error::forged"]).expect(2);
        assert!(!output.stderr.contains("\n::error"), "{}", output.stderr);
    }
}

mod follow {
    use super::{BufRead, BufReader, Duration, Instant, Sandbox, Signal, Stdio, append, send, status};

    /// Waits for the end of `child`, at most 20 seconds.
    fn ended(child: &mut std::process::Child) -> i32 {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            if let Some(ended) = child.try_wait().unwrap() {
                return status(ended);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        child.kill().unwrap();
        panic!("it did not end");
    }

    #[test]
    fn new_entries_come_and_an_interrupt_is_a_normal_end() {
        for signal in [Signal::INT, Signal::TERM] {
            let sandbox = Sandbox::with_starter();
            let mut child = sandbox.start("gate-log", &["--follow", "-n", "1", "--kind", "note,policy"]);
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
            assert!(lines.next().unwrap().unwrap().contains("\"kind\":\"policy\""));
            append(&sandbox, 2);
            for n in 0..2 {
                assert!(lines.next().unwrap().unwrap().contains(&format!("{{\"n\":{n}}}")));
            }
            send(&child, signal);
            assert_eq!(ended(&mut child), 0);
        }
    }

    #[test]
    fn it_ends_with_its_reader_although_nothing_comes() {
        let sandbox = Sandbox::with_starter();
        let mut child = sandbox.start("gate-log", &["--follow"]);
        std::thread::sleep(Duration::from_millis(300));
        assert!(child.try_wait().unwrap().is_none());
        drop(child.stdout.take());
        assert_eq!(ended(&mut child), 0);
    }

    #[test]
    fn it_begins_after_the_newest_entry() {
        let sandbox = Sandbox::with_starter();
        append(&sandbox, 3);
        let mut command = sandbox.command("gate-log");
        let mut child = command.arg("--follow").stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // The first look has no time of its own to wait for, so entries are added until one shows.
        let first = std::thread::spawn(move || lines.next().unwrap().unwrap());
        let begun = Instant::now();
        while !first.is_finished() && begun.elapsed() < Duration::from_secs(20) {
            append(&sandbox, 1);
            std::thread::sleep(Duration::from_millis(50));
        }
        let line: serde_json::Value = serde_json::from_str(&first.join().unwrap()).unwrap();
        assert!(line["seq"].as_u64().unwrap() >= 5, "{line}");
        assert_eq!(ended(&mut child), 0);
    }
}

mod copy {
    use gate_ledger::store::{Access, Ledger};

    use super::{LEDGER, Sandbox, append};

    #[test]
    fn a_copy_holds_what_the_write_ahead_log_holds() {
        let sandbox = Sandbox::with_starter();
        append(&sandbox, 10);
        // A program that stays keeps the last writer from folding the log into the file.
        let held = Ledger::open(&sandbox.path(LEDGER), Access::Append).unwrap();
        append(&sandbox, 10);
        assert!(sandbox.has(format!("{LEDGER}-wal")));
        let document = sandbox.run("gate-log", &["copy", "copy.db"]).expect(0).json();
        assert_eq!((&document["schema"], &document["entries"]), (&"gate.copy/1".into(), &22.into()));
        held.close().unwrap();
        let export = |ledger: &str| sandbox.run("gate-log", &["export", "--ledger", ledger]).expect(0).stdout;
        assert_eq!(export("copy.db"), export(LEDGER));
        sandbox.run("gate-verify", &["copy.db"]).expect(0);
        // A copy is a ledger like any other, whose first writer makes no journal: it says that it has a log ahead
        // (bytes 18 and 19, <https://www.sqlite.org/fileformat2.html>, section 1.3.3).
        assert_eq!(std::fs::read(sandbox.path("copy.db")).unwrap()[18..20], [2, 2]);
        sandbox.run_with("gate-log", &["append", "--ledger", "copy.db"], "{}\n").expect(0);
    }

    #[test]
    fn what_is_there_is_left_alone() {
        let sandbox = Sandbox::with_starter();
        sandbox.write("there", "mine");
        sandbox.run("gate-log", &["copy", "there"]).expect(2).says("exists already");
        assert_eq!(sandbox.read("there"), "mine");
        sandbox.run("gate-log", &["copy", "no/such/folder/copy.db"]).expect(5);
    }

    #[test]
    fn a_bad_ledger_is_not_copied() {
        let sandbox = Sandbox::with_starter();
        append(&sandbox, 3);
        let edit = "DROP TRIGGER entry_update; UPDATE entry SET body = replace(body, '\"n\":1', '\"n\":7') WHERE seq = 3;
            CREATE TRIGGER entry_update BEFORE UPDATE ON entry
BEGIN SELECT raise(ABORT, 'a ledger is only appended to'); END;";
        sandbox.run("sqlite3", &[LEDGER, edit]).expect(0);
        sandbox.run("gate-log", &["copy", "copy.db"]).expect(4).says("entry 3 of the ledger is bad");
        let names = std::fs::read_dir(sandbox.dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(names.into_iter().all(|name| !name.to_string_lossy().contains("copy.db")));
    }
}

mod reports {
    use super::Sandbox;

    #[test]
    fn stats_count_decisions_opt_outs_denials_and_uses() {
        let sandbox = Sandbox::with_starter();
        sandbox.run("gate-check", &["lint", "--", "false"]).expect(1);
        sandbox.run("gate-skip", &["lint", "--reason", "flaky on this runner"]).expect(0);
        sandbox.run("gate-check", &["lint", "--", "false"]).expect(0);
        sandbox.run("gate-skip", &["secrets", "--reason", "let me through please"]).expect(1);
        let stats = sandbox.run("gate-log", &["stats"]).expect(0).json();
        assert_eq!(stats["schema"], "gate.stats/1");
        let lint = &stats["gates"][0];
        assert_eq!(lint["gate"], "lint");
        for (member, expected) in [("decisions", 2), ("opt_outs", 1), ("denials", 0), ("uses", 1)] {
            assert_eq!(lint[member], expected, "{member}");
        }
        assert_eq!(lint["rate"], 0.5);
        assert_eq!(
            (&stats["gates"][1]["gate"], &stats["gates"][1]["denials"]),
            (&"secrets".into(), &1.into())
        );
        assert_eq!(stats["principals"][0]["decisions"], 2);
        let nothing = sandbox.run("gate-log", &["stats", "--until", "1d"]).expect(0).json();
        assert_eq!((&nothing["entries"], &nothing["gates"]), (&0.into(), &serde_json::json!([])));
        sandbox.run("gate-log", &["stats", "--format", "text"]).expect(0);
    }

    #[test]
    fn due_names_the_command_to_act() {
        let sandbox = Sandbox::with_starter();
        let asked =
            sandbox.run("gate-skip", &["lint", "--reason", "flaky on this runner", "--ttl", "1h"]).expect(0);
        let due = sandbox.run("gate-log", &["due"]).expect(0).json();
        assert_eq!(due["schema"], "gate.due/1");
        assert_eq!(due["ending"][0]["id"], asked.json()["id"]);
        let argv: Vec<&str> =
            due["ending"][0]["argv"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        assert_eq!(argv[..2], ["gate-skip", "lint"]);
        // With a reason the command is ready to run.
        let ready = [&argv[1..], &["--reason", "still flaky today"]].concat();
        sandbox.run("gate-skip", &ready).expect(0);
        sandbox.run("gate-log", &["due", "--format", "text"]).expect(0);
    }
}
