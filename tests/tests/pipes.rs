//! A pipe that nobody writes to, in the place of each file that a tool opens by a name: it is refused and not waited for.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

mod support;

use support::{House, POLICY};

/// Runs `line` where `pipe` is a pipe and `file` a file; the harness ends what waits.
#[track_caller]
fn is_refused(house: &House, line: &str) {
    let ran = house.sh(&format!("timeout 60 {line}"));
    assert!(![0, 124, 137].contains(&ran.code), "{line} ended with {}: {}", ran.code, ran.stderr);
}

fn house() -> House {
    let house = House::new(POLICY);
    house.sh("mkfifo pipe; ln -s pipe link; gate-log export > export.jsonl").exits(0);
    house
}

#[test]
fn documents_that_are_pipes_are_not_waited_for() {
    let house = house();
    for place in ["pipe", "link"] {
        is_refused(&house, &format!("gate-skip {place} --reason x"));
        is_refused(&house, &format!("gate-skip submit {place}"));
        is_refused(&house, &format!("gate-check scan {place}"));
        is_refused(&house, &format!("gate-check scan --plan={place}"));
        is_refused(&house, &format!("gate-check lint --policy {place} -- true"));
        is_refused(&house, &format!("gate-check lint --ledger {place} -- true"));
    }
}

#[test]
fn a_ledger_that_is_a_pipe_is_not_waited_for_where_nobody_named_it() {
    let house = house();
    house.sh("rm .gate/ledger.db*; mkfifo .gate/ledger.db").exits(0);
    for line in [
        "gate-verify",
        "gate-verify --replay",
        "env GATE_LEDGER=.gate/ledger.db gate-verify",
        "gate-log",
        "gate-log due",
    ] {
        is_refused(&house, line);
    }
}

#[test]
fn what_an_auditor_names_is_not_waited_for_but_the_stream_itself() {
    let house = house();
    for place in ["pipe", "link"] {
        for option in ["--checkpoint", "--key", "--quorum", "--from", "--archive"] {
            is_refused(&house, &format!("gate-verify export.jsonl {option} {place}"));
        }
        is_refused(&house, &format!("gate-verify policy {place}"));
        is_refused(&house, &format!("gate-log append {place}"));
        is_refused(&house, &format!("gate-log report {place}"));
        is_refused(&house, &format!("gate-log report --verification {place}"));
        is_refused(&house, &format!("gate-log checkpoint --key-file {place}"));
        is_refused(&house, &format!("gate-log checkpoint --since {place} --key-file {place}"));
        is_refused(&house, &format!("gate-log prove --consistency {place} {place} --key-file {place}"));
    }
}

/// What is recorded while a report is waited for counts, and no file of the ledger is open meanwhile.
#[test]
fn a_plan_knows_the_pause_that_was_recorded_while_it_waited_for_the_report() {
    let house = House::new(POLICY);
    house.write("r.sarif", support::sarif(&[]));
    // Whoever appends and closes leaves nothing beside the ledger, since nobody else has it open.
    let line = "{ gate-skip lint --action pause --reason x -q >/dev/null; ls .gate > beside; cat r.sarif; } | \
                { sleep 1; gate-check lint --plan -q -; }";
    let slow = "{ sleep 1; gate-skip lint --action pause --reason x -q >/dev/null; ls .gate > beside; cat r.sarif; } | \
                gate-check lint --plan -q -";
    for line in [slow, line] {
        assert_eq!(house.sh(line).exits(75).json()["decision"], "hold", "{line}");
        let beside = std::fs::read_to_string(house.path("beside")).unwrap();
        assert!(!beside.contains("-wal"), "{beside}");
    }
}
