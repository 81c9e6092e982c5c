//! Names and reasons that entries only commit to, in a ledger that machines share.

use crate::hosts;
use crate::support::Ran;
use crate::town::{Runner, Town};

const COMMIT: &str = "commit = [\"reason\", \"names\"]\n";

/// Whether `word` stands in any file of the working copy of `runner`.
fn knows(runner: &Runner<'_>, word: &str) -> bool {
    let copy = runner.copy();
    let name = copy.file_name().unwrap().to_str().unwrap();
    let beside = std::fs::read_dir(copy.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let mut files = beside.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(name));
    files.any(|path| std::fs::read(path).unwrap().windows(word.len()).any(|part| part == word.as_bytes()))
}

/// `gate-skip` by somebody with a name.
fn asks(runner: &Runner<'_>, who: &str, reason: &str) -> Ran {
    let mut command = runner.command("gate-skip", &["lint", "--reason", reason, "--action", "override"]);
    Ran::of(command.env("GATE_ACTOR", who).output().unwrap())
}

#[track_caller]
fn replays(town: &Town) {
    let auditor = town.runner("auditor");
    auditor.log(&["sync"]).exits(0);
    let verified = Ran::of(auditor.command("gate-verify", &["--replay"]).output().unwrap()).exits(0).json();
    assert_eq!(verified["replay"]["disagreements"], serde_json::json!([]), "{verified}");
}

#[test]
fn what_entries_commit_to_is_known_on_every_machine_and_in_no_entry() {
    hosts::each(COMMIT, |town| {
        asks(&town.runner("laptop"), "mallory", "word-one").exits(0);
        let (ran, decision) = town.runner("a").decide(&["false"]);
        ran.exits(0);
        assert_eq!(decision["grants"][0]["reason"], "word-one");
        let export = town.runner("fresh").log(&["export"]).exits(0);
        assert!(!export.out().contains("word-one") && !export.out().contains("mallory"));
        let shown = town.runner("fresh").log(&["--kind", "grant", "--reveal"]).exits(0);
        assert!(shown.out().contains("word-one") && shown.out().contains("mallory"), "{}", shown.out());
        replays(&town);
    });
}

#[test]
fn what_one_machine_erases_is_gone_at_the_server_and_from_every_working_copy() {
    hosts::each(COMMIT, |town| {
        asks(&town.runner("laptop"), "mallory", "word-two").exits(0);
        asks(&town.runner("laptop"), "alice", "word-three").exits(0);
        let other = town.runner("other");
        other.log(&["sync"]).exits(0);
        assert!(knows(&other, "word-two"));
        let keeper = town.runner("keeper").of("keeper");
        let person = ["erase", "--person", "custom:mallory", "--reason", "has left"];
        let erased = keeper.log(&person).exits(0).json();
        assert_eq!((&erased["names"], &erased["reasons"]), (&1.into(), &1.into()));
        assert!(!knows(&keeper, "word-two"));
        other.log(&["sync"]).exits(0);
        let fresh = town.runner("fresh");
        fresh.log(&["sync"]).exits(0);
        for runner in [&other, &fresh] {
            assert!(!knows(runner, "word-two") && !knows(runner, "mallory") && knows(runner, "word-three"));
        }
        // Where there is nothing left, nothing more is recorded.
        assert_eq!(keeper.log(&person).exits(0).json()["seqs"], serde_json::json!([]));
        replays(&town);
    });
}

#[test]
fn whoever_may_not_erase_at_the_server_erases_nowhere_and_a_note_alone_erases_nothing() {
    let Some(town) = hosts::postgres(COMMIT) else { return eprintln!("skipped: there is no PostgreSQL") };
    asks(&town.runner("laptop"), "mallory", "word-four").exits(0);
    let writer = town.runner("writer");
    let person = ["erase", "--person", "custom:mallory", "--reason", "has left"];
    writer.log(&person).exits(5).says(&["grant the role"]);
    let other = town.runner("other");
    other.log(&["sync"]).exits(0);
    assert!(knows(&other, "word-four") && knows(&writer, "word-four"));
    // Somebody who may does the same again.
    town.runner("keeper").of("keeper").log(&person).exits(0);
    other.log(&["sync"]).exits(0);
    assert!(!knows(&other, "word-four"));
}

#[test]
fn texts_that_must_be_erasable_never_go_to_a_remote_that_cannot_erase() {
    let town = Town::shell(&crate::helpers::toy(""));
    let policy = town.house.read("gate.toml").replace("[ledger]\n", &format!("[ledger]\n{COMMIT}"));
    town.house.write("gate.toml", policy);
    let before = town.lines();
    town.runner("a")
        .skip(&["lint", "--reason", "word-five"])
        .exits(4)
        .says(&["cannot erase", "take commit out"]);
    town.runner("a").check(&["lint", "--", "true"]).exits(125).says(&["cannot erase"]);
    assert_eq!(town.lines(), before);
}

#[test]
fn a_ledger_with_hidden_texts_is_not_copied_to_a_repository() {
    let Some(town) = hosts::ssh(COMMIT) else { return eprintln!("skipped: there is no sshd") };
    asks(&town.runner("laptop"), "mallory", "word-six").exits(0);
    let host = town.house.outside("host.git");
    town.house.git(&["init", "-q", "--bare", host.to_str().unwrap()]);
    let address = format!("git:{}", host.display());
    town.runner("a").log(&["copy", &address]).exits(2).says(&["cannot erase"]);
    assert_eq!(town.at_host(&["for-each-ref"]), "");
}
