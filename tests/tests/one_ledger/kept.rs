//! A ledger that a server keeps: sshd and PostgreSQL.

use crate::hosts::{self, Server};
use crate::sharing::{at_once, only_one_machine_gets_the_single_use};
use crate::support::Ran;
use crate::town::Town;

#[test]
fn only_one_machine_gets_a_single_use_from_a_server() {
    hosts::each("", |town| only_one_machine_gets_the_single_use(&town));
}

#[test]
fn whoever_was_not_first_at_a_server_judges_again() {
    hosts::each("", |town| {
        let names: Vec<String> = (0..6).map(|number| format!("m{number}")).collect();
        let runners: Vec<_> = names.iter().map(|name| town.runner(name)).collect();
        let codes = at_once(&runners, "gate-skip", &["lint", "--reason", "all at once"]);
        assert_eq!((codes, town.count("grant")), (vec![0; 6], 6));
        let auditor = town.runner("auditor");
        let replayed = Ran::of(auditor.command("gate-verify", &["--replay"]).output().unwrap()).exits(0);
        assert_eq!(replayed.json()["replay"]["disagreements"], serde_json::json!([]));
    });
}

/// Has the server end.
fn stop(town: &mut Town) {
    match std::mem::replace(&mut town.server, Server::None) {
        Server::Postgres(mut cluster) => {
            cluster.kill();
            town.server = Server::Postgres(cluster);
        }
        // Its command still names the port at which nobody answers any more.
        Server::Ssh(sshd, command) => {
            drop(sshd);
            town.house.write("reach", &command);
        }
        Server::None => {}
    }
}

#[test]
fn a_gate_whose_server_does_not_answer_is_enforced_without_opt_outs() {
    hosts::each("", |mut town| {
        town.runner("laptop").skip(&["lint", "--reason", "known", "--action", "override"]).exits(0);
        town.runner("a").log(&["sync"]).exits(0);
        stop(&mut town);
        let (ran, decision) = town.runner("a").decide(&["false"]);
        ran.exits(1).says(&["as if there were no opt-outs"]);
        assert_eq!(decision["would_use"][0]["reason"], "known");
        town.runner("a").check(&["deploy", "--", "true"]).exits(125).says(&["require_ledger"]);
        town.runner("a").skip(&["lint", "--reason", "x"]).exits(5);
        town.runner("fresh").check(&["lint", "--", "true"]).exits(125).says(&["cannot tell who guards"]);
    });
}

#[track_caller]
fn may_read_only(town: &Town, reader: &'static str) {
    let run = || town.runner("a").of(reader);
    let before = town.entries().len();
    let (ran, decision) = run().decide(&["false"]);
    ran.exits(1).says(&["as if there were no opt-outs"]);
    assert_eq!(decision["would_use"][0]["reason"], "not for the fork");
    run().check(&["deploy", "--", "true"]).exits(125);
    run().skip(&["lint", "--reason", "x"]).exits(5);
    assert_eq!(town.entries().len(), before);
}

#[test]
fn a_run_that_a_server_does_not_let_write_uses_no_opt_out() {
    hosts::each("", |town| {
        let reason = ["lint", "--reason", "not for the fork", "--action", "override"];
        town.runner("laptop").skip(&reason).exits(0);
        if matches!(town.server, Server::Ssh(..)) {
            hosts::forces(&town, "", "reader");
        }
        may_read_only(&town, "reader");
    });
}

#[test]
fn a_wrong_password_passes_nothing_and_is_not_shown() {
    let Some(town) = hosts::postgres("") else { return eprintln!("skipped: there is no PostgreSQL") };
    let run = |tool: &str, args: &[&str]| {
        let a = town.runner("a");
        Ran::of(a.command(tool, args).env("PGPASSWORD", "hunter2").output().unwrap())
    };
    for ran in [
        run("gate-check", &["lint", "--policy-ref", "refs/heads/main", "--", "false"]).exits(1),
        run("gate-check", &["deploy", "--policy-ref", "refs/heads/main", "--", "true"]).exits(125),
        run("gate-skip", &["lint", "--policy-ref", "refs/heads/main", "--reason", "x"]).exits(5),
    ] {
        let ran = ran.says(&["password authentication failed"]);
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    }
}

/// Takes the newest entry back, as somebody who owns the server can.
fn roll_back(town: &Town, older: &[u8]) {
    match &town.server {
        Server::Postgres(cluster) => drop(cluster.owner(
            "DELETE FROM gate_entry WHERE seq = (SELECT max(seq) FROM gate_entry); \
             UPDATE gate_ledger SET (seq, hash) = (SELECT seq, hash FROM gate_entry ORDER BY seq DESC LIMIT 1)",
        )),
        _ => std::fs::write(town.house.outside("sshd/ledger.db"), older).unwrap(),
    }
}

#[test]
fn a_server_that_was_rolled_back_is_caught() {
    hosts::each("", |town| {
        town.runner("a").check(&["lint", "--", "true"]).exits(0);
        let older = std::fs::read(town.house.outside("sshd/ledger.db")).unwrap_or_default();
        town.runner("laptop").skip(&["lint", "--reason", "seen"]).exits(0);
        town.runner("a").log(&["sync"]).exits(0);
        roll_back(&town, &older);
        let a = town.runner("a");
        a.check(&["lint", "--", "true"]).exits(125).says(&["rolled back"]);
        a.skip(&["lint", "--reason", "x"]).exits(4).says(&["rolled back"]);
    });
}
