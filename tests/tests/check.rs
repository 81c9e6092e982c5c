//! gate-check as a pipeline uses it: precedence, run mode, reports, plans, decisions.
#![allow(
    clippy::similar_names,
    clippy::manual_assert,
    reason = "tests name things after what they are; a condition may read better than its negation"
)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

mod support;

use gate_tests::{Signal, send};
use serde_json::{Value, json};
use support::{House, POLICY, Ran, result, sarif};

fn decision(house: &House, file: &str) -> Value {
    serde_json::from_str(&house.read(file)).unwrap()
}

#[test]
fn pause_comes_before_skip_before_the_judgement_before_override() {
    let house = House::new(POLICY);
    let over = house.granted(&["lint", "--action", "override"]);
    let run = ["lint", "--decision", "d.json", "--", "sh", "-c", "touch ran; exit 3"];
    house.check(&run).exits(0);
    assert_eq!(decision(&house, "d.json")["decision"], "override");
    assert_eq!(decision(&house, "d.json")["status"], 3);
    assert_eq!(decision(&house, "d.json")["grants"][0]["id"].to_string(), over);
    std::fs::remove_file(house.path("ran")).unwrap();

    let skip = house.granted(&["lint"]);
    house.check(&run).exits(0);
    assert_eq!(decision(&house, "d.json")["decision"], "skip");
    assert_eq!(decision(&house, "d.json")["grants"][0]["id"].to_string(), skip);
    assert!(!house.path("ran").exists(), "a skipped command does not run");

    house.granted(&["lint", "--action", "pause"]);
    house.check(&run).exits(75);
    assert_eq!(decision(&house, "d.json")["decision"], "hold");
    assert_eq!(decision(&house, "d.json")["proceed"], false);

    house.skip(&["resume", "lint", "--reason", "over"]).exits(0);
    house.skip(&["revoke", &skip, "--reason", "over"]).exits(0);
    house.check(&["lint", "--decision", "d.json", "--", "true"]).exits(0);
    assert_eq!(decision(&house, "d.json")["decision"], "pass");
    assert_eq!(
        decision(&house, "d.json")["unneeded"][0]["id"].to_string(),
        over,
        "an override that was not needed is named"
    );
}

#[test]
fn each_way_past_is_one_entry_that_names_its_grants() {
    let house = House::new(POLICY);
    let skip: u64 = house.granted(&["lint"]).parse().unwrap();
    house.check(&["lint", "--", "false"]).exits(0);
    let entry = house.last_decision();
    assert_eq!(entry["data"]["grants"], json!([skip]));
    assert_eq!(entry["data"]["decision"], "skip");
    assert_eq!(entry["gate"], "lint");
    assert_eq!(house.of_kind("decision").len(), 1);
}

#[test]
fn a_skip_for_this_commit_does_not_count_on_the_next() {
    let house = House::new(POLICY);
    house.granted(&["lint"]);
    house.check(&["lint", "--", "false"]).exits(0);
    house.commit("second");
    house.check(&["lint", "--", "false"]).exits(1);
    house.git(&["checkout", "-q", "HEAD~1"]);
    house.check(&["lint", "--", "false"]).exits(0);
}

#[test]
fn a_waiver_covers_its_evidence_and_not_one_finding_more() {
    let house = House::new(POLICY);
    let same = result("R1", "warning", "src/a.py", 3);
    house.write("scan.sarif", sarif(std::slice::from_ref(&same)));
    let blocked = house.check(&["scan", "scan.sarif"]).exits(1);
    house.write("d.json", &blocked.stdout);
    house.skip(&["./d.json", "--reason", "accepted"]).exits(0);
    house.check(&["scan", "scan.sarif"]).exits(0);
    // One more of the same, a higher level, another path, another rule: each blocks.
    house.write("more.sarif", sarif(&[same.clone(), same]));
    let more = house.check(&["scan", "more.sarif"]).exits(1).json();
    assert_eq!(
        (more["blocking"].as_array().unwrap().len(), more["waived"].as_array().unwrap().len()),
        (1, 1)
    );
    for other in [
        result("R1", "error", "src/a.py", 3),
        result("R1", "warning", "src/b.py", 3),
        result("R2", "warning", "src/a.py", 3),
    ] {
        house.write("other.sarif", sarif(std::slice::from_ref(&other)));
        let ran = house.check(&["scan", "other.sarif"]);
        assert_eq!(ran.code, 1, "{other}");
    }
    // The line is not evidence: code above it may move.
    house.write("moved.sarif", sarif(&[result("R1", "warning", "src/a.py", 300)]));
    house.check(&["scan", "moved.sarif"]).exits(0);
}

#[test]
fn a_waived_and_a_blocking_finding_block_and_the_counts_add_up() {
    let house = House::new(POLICY);
    let suppressed = {
        let mut one = result("R9", "error", "src/s.py", 1);
        one["suppressions"] = json!([{"kind": "inSource"}]);
        one
    };
    let absent = {
        let mut one = result("R8", "error", "src/s.py", 1);
        one["baselineState"] = json!("absent");
        one
    };
    let all = [
        result("R1", "error", "src/a.py", 3),
        result("R2", "error", "src/a.py", 4),
        result("R3", "note", "src/a.py", 5),
        suppressed,
        absent,
    ];
    house.write("scan.sarif", sarif(&all));
    house.granted(&["scan", "--waive", "rule=R1,path=src/a.py"]);
    let ran = house.check(&["scan", "scan.sarif"]).exits(1).json();
    let counted = [&ran["below_threshold"], &ran["suppressed"], &ran["absent"]].map(|n| n.as_u64().unwrap());
    assert_eq!(counted, [1, 1, 1]);
    assert_eq!(ran["blocking"][0]["rule"], "R2");
    assert_eq!(ran["waived"][0]["rule"], "R1");
}

#[test]
fn an_override_rescues_a_failing_command_and_blocking_findings() {
    let house = House::new(POLICY);
    house.granted(&["scan", "--action", "override"]);
    house.write("scan.sarif", sarif(&[result("R1", "error", "src/a.py", 3)]));
    house.check(&["scan", "scan.sarif"]).exits(0);
    house.check(&["scan", "--", "sh", "-c", "exit 9"]).exits(0);
    house
        .check(&["scan", "--findings", "o.sarif", "--", "sh", "-c", "cp scan.sarif o.sarif; exit 1"])
        .exits(0);
}

/// What an override never rescues, with the exit code of each.
#[test]
fn an_override_never_rescues_a_gate_that_did_not_run() {
    let house = House::new(POLICY);
    house.granted(&["scan", "--action", "override"]);
    house.write("stale.sarif", sarif(&[]));
    house.write("cut.sarif", &sarif(&[result("R1", "error", "a", 1)])[..60]);
    house.write("zero.sarif", "");
    let run = |findings: Option<&str>, script: &str| -> Ran {
        let mut args = vec!["scan", "--decision", "d.json"];
        args.extend(findings.map(|file| ["--findings", file]).into_iter().flatten());
        args.extend(["--", "sh", "-c", script]);
        house.check(&args)
    };
    for (what, findings, script, code) in [
        ("126", None, "exit 126", 126),
        ("127", None, "exit 127", 127),
        ("a signal", None, "kill -TERM $$", 143),
        ("a crash", None, "kill -SEGV $$", 139),
        ("a crash behind a shell", None, "sh -c 'kill -SEGV $$'; exit $?", 139),
        ("no report, status 0", Some("out.sarif"), "true", 125),
        ("no report, status 1", Some("out.sarif"), "exit 1", 125),
        ("a stale report", Some("stale.sarif"), "true", 125),
        ("a stale report, status 1", Some("stale.sarif"), "exit 1", 125),
        ("a truncated report", Some("out.sarif"), "cp cut.sarif out.sarif", 125),
        ("an empty report", Some("out.sarif"), "cp zero.sarif out.sarif", 125),
        ("no runs", Some("out.sarif"), r#"echo '{"version":"2.1.0","runs":[]}' > out.sarif"#, 125),
        ("not a report", Some("out.sarif"), "echo hello > out.sarif", 125),
        ("a link", Some("out.sarif"), "ln -sf stale.sarif out.sarif", 125),
        ("a FIFO", Some("out.sarif"), "rm -f out.sarif; mkfifo out.sarif", 125),
        ("a directory", Some("out.sarif"), "rm -f out.sarif; mkdir out.sarif", 125),
        ("a status that is no work done", Some("out.sarif"), "cp stale.sarif out.sarif; exit 2", 2),
    ] {
        drop(std::fs::remove_file(house.path("out.sarif")));
        drop(std::fs::remove_dir(house.path("out.sarif")));
        let ran = run(findings, script);
        assert_eq!(ran.code, code, "{what}: {}", ran.stderr);
        let decision = decision(&house, "d.json");
        assert_eq!(decision["decision"], "fail", "{what}");
        assert_eq!(decision["grants"], json!([]), "{what}");
        assert!(house.last_decision()["data"]["did_not_run"].is_string(), "{what}");
    }
}

#[test]
fn findings_exit_says_which_statuses_mean_that_the_scanner_did_its_work() {
    let house = House::new(&POLICY.replace("[gates.scan]\n", "[gates.scan]\nfindings_exit = [0, 8]\n"));
    // With something below the level that blocks: a status beside a report of nothing would contradict it.
    house.write("clean.sarif", sarif(&[result("R", "note", "a.c", 1)]));
    let run = |status: u8| {
        let script = format!("cp clean.sarif out.sarif; exit {status}");
        house.check(&["scan", "--findings", "out.sarif", "--", "sh", "-c", &script]).code
    };
    assert_eq!((run(0), run(8), run(1), run(2)), (0, 0, 1, 2));
}

#[test]
fn a_gate_with_a_report_cannot_be_run_without_it() {
    let house = House::new(&POLICY.replace("[gates.scan]\n", "[gates.scan]\nreport = \"out/scan.sarif\"\n"));
    house.write("clean.sarif", sarif(&[]));
    std::fs::create_dir(house.path("out")).unwrap();
    house.check(&["scan", "--", "touch", "ran"]).exits(125).says(&["--findings out/scan.sarif"]);
    house.check(&["scan", "--findings", "other.sarif", "--", "touch", "ran"]).exits(125);
    assert!(!house.path("ran").exists());
    house
        .check(&[
            "scan",
            "--findings",
            "./out/../out/scan.sarif",
            "--",
            "cp",
            "clean.sarif",
            "out/scan.sarif",
        ])
        .exits(0);
    std::fs::create_dir(house.path("sub")).unwrap();
    let mut below = house.tool(
        "gate-check",
        &["scan", "--findings", "../out/scan.sarif", "--", "cp", "../clean.sarif", "../out/scan.sarif"],
    );
    Ran::of(below.current_dir(house.path("sub")).output().unwrap()).exits(0);
}

#[test]
fn the_commands_streams_are_untouched_to_the_byte() {
    let house = House::new(POLICY);
    let bytes: Vec<u8> = (0..=255_u8).cycle().take(300_000).collect();
    let ran = house.check_stdin(&["lint", "--quiet", "--", "cat"], &bytes).exits(0);
    assert!(ran.stdout == bytes, "stdout differs");
    let ran = house
        .check_stdin(&["lint", "--quiet", "--", "sh", "-c", "cat >&2"], b"on stderr \x1b[31m\n")
        .exits(0);
    assert_eq!((ran.stdout.len(), ran.stderr.as_str()), (0, "on stderr \u{1b}[31m\n"));
    // What the command does not read stays for whoever comes next.
    house.sh("printf 'one\\ntwo\\n' > in; { gate-check lint -q -- true; cat; } < in").exits(0);
    let ran = house.sh("printf 'one\\ntwo\\n' > in; { gate-check lint -q -- true; cat; } < in");
    assert_eq!(ran.out(), "one\ntwo\n");
}

#[test]
fn words_after_the_dashes_belong_to_the_command() {
    let house = House::new(POLICY);
    let ran = house
        .check(&["lint", "-q", "--", "printf", "%s|", "--plan", "--", "-q", "--decision", "x", ""])
        .exits(0);
    assert_eq!(ran.out(), "--plan|--|-q|--decision|x||");
    house.check(&["lint", "echo", "hello"]).exits(2);
    house.check(&["lint", "--"]).exits(125);
}

#[test]
fn no_ledger_means_enforced_and_recorded_null() {
    let house = House::without_ledger(POLICY);
    let ran = house.check(&["lint", "--decision", "d.json", "--", "sh", "-c", "touch ran; exit 7"]).exits(7);
    ran.says(&["as if there were no opt-outs", "nothing is recorded"]);
    assert!(house.path("ran").exists());
    assert_eq!(decision(&house, "d.json")["recorded"], Value::Null);
    house.check(&["lint", "--decision", "d.json", "--", "true"]).exits(0);
    assert_eq!(decision(&house, "d.json")["proceed"], true);
    assert!(!house.path(".gate").exists(), "gate-check never creates a ledger");
    house.write("scan.sarif", sarif(&[result("R1", "error", "src/a.py", 3)]));
    let judged = house.check(&["scan", "scan.sarif"]).exits(1).json();
    assert!(judged.as_object().unwrap().contains_key("recorded"));
    assert_eq!(judged["recorded"], Value::Null);
}

#[test]
fn a_decision_file_of_an_earlier_run_is_never_left_behind() {
    let house = House::new(POLICY);
    let old = r#"{"decision":"pass","proceed":true}"#;
    // While the command runs it is empty already.
    house.write("d.json", old);
    let ran =
        house.check(&["lint", "-q", "--decision", "d.json", "--", "sh", "-c", "wc -c < d.json"]).exits(0);
    assert_eq!(ran.out().trim(), "0");
    // Whatever ends the tool, the old decision is gone.
    for args in [
        &["nope", "--decision", "d.json", "--", "true"][..],
        &["scan", "--decision", "d.json", "missing.sarif"][..],
        &["scan", "--decision", "d.json", "--policy", "missing.toml", "--", "true"][..],
        &["lint", "--decision", "d.json"][..],
    ] {
        house.write("d.json", old);
        house.check(args);
        assert_eq!(house.read("d.json"), "", "{args:?}");
    }
}

#[test]
fn a_decision_file_that_is_an_input_is_refused_before_it_is_emptied() {
    let house = House::new(POLICY);
    let report = sarif(&[]);
    house.write("scan.sarif", &report);
    house.check(&["scan", "scan.sarif", "--decision", "scan.sarif"]).exits(2).says(&["--decision"]);
    house.check(&["scan", "scan.sarif", "--decision", "./scan.sarif"]).exits(2);
    house
        .check(&[
            "scan",
            "--findings",
            "o.sarif",
            "--decision",
            "o.sarif",
            "--",
            "cp",
            "scan.sarif",
            "o.sarif",
        ])
        .exits(125);
    house.check(&["lint", "--decision", "gate.toml", "--", "true"]).exits(125);
    house.check(&["lint", "--decision", ".gate/ledger.db", "--", "true"]).exits(125);
    assert_eq!(house.read("scan.sarif"), report);
    assert_eq!(house.read("gate.toml"), POLICY);
    assert_eq!(house.entries().len(), 1);
}

#[test]
fn a_plan_records_nothing_and_can_look_at_another_time() {
    let house = House::new(POLICY);
    let skip = house.skip(&["lint", "--ttl", "1h", "--reason", "planned"]).exits(0).json();
    let before = house.entries().len();
    let expires = skip["expires"].as_str().unwrap();
    let starts = skip["not_before"].as_str().unwrap();
    let plan = |at: &str| house.check(&["lint", "--plan", "--at", at]).exits(0).json()["decision"].clone();
    assert_eq!(plan(starts), "skip");
    assert_eq!(plan(expires), "run", "an opt-out ends at its instant, exclusively");
    let last = a_microsecond_before(expires);
    assert_eq!(plan(&last), "skip");
    assert_eq!(plan("2020-01-01T00:00:00Z"), "run");
    assert_eq!(plan("2099-01-01T00:00:00+02:00"), "run");
    assert_eq!(house.check(&["lint", "--plan"]).exits(0).json()["decision"], "skip");
    assert_eq!(house.entries().len(), before);
    house.check(&["lint", "--plan", "--at", "2026-01-01"]).exits(2).says(&["time"]);
}

fn a_microsecond_before(time: &str) -> String {
    let time = gate_model::time::Timestamp::parse(time).unwrap();
    let digits = time.to_string();
    let micros: u64 = digits[20..26].parse().unwrap();
    if micros > 0 {
        format!("{}{:06}Z", &digits[..20], micros - 1)
    } else {
        let earlier = time.minus(1).to_string();
        format!("{}999999Z", &earlier[..20])
    }
}

#[test]
fn a_plan_leaves_proceed_out_and_does_not_run_the_command() {
    let house = House::new(POLICY);
    let plan = house.check(&["lint", "--plan", "--", "touch", "ran"]).exits(0).json();
    assert_eq!(plan["decision"], "run");
    assert!(plan.get("proceed").is_none());
    assert_eq!(plan["recorded"], Value::Null);
    assert!(!house.path("ran").exists());
}

#[test]
fn an_opt_out_ends_at_its_instant_for_a_real_run() {
    let house = House::new(POLICY);
    let skip = house.skip(&["lint", "--ttl", "1h", "--reason", "short"]).exits(0).json();
    let expires = skip["expires"].as_str().unwrap().replace('T', " ");
    let at = |offset: &str| {
        let mut command = house.plain("faketime");
        command
            .args(["-f", offset])
            .arg(support::bin("gate-check"))
            .args(["lint", "--", "false"])
            .env("TZ", "UTC");
        Ran::of(command.output().unwrap())
    };
    // faketime must reach the tool at all, or this would prove nothing.
    let end = &expires[..19];
    let shifted = at(&format!("@{end}"));
    let seen = house.last_decision()["at"].as_str().unwrap().to_owned();
    if !seen.starts_with(&end[..16].replace(' ', "T")) {
        panic!("faketime does not move this binary's clock ({seen}, not {end}); exit {}", shifted.code);
    }
    assert_eq!(at("+2h").code, 1, "after its end it does not count");
}

#[test]
fn the_list_shows_gates_and_what_is_live() {
    let house = House::new(POLICY);
    let skip = house.granted(&["lint", "--ttl", "1h"]);
    let list = house.check(&["--list"]).exits(0).json();
    let gates = list["gates"].as_array().unwrap();
    assert_eq!(gates.len(), 4);
    let lint = gates.iter().find(|gate| gate["gate"] == "lint").unwrap();
    assert_eq!(lint["opt_outs"][0]["id"].to_string(), skip);
    assert_eq!(lint["opt_outs"][0]["counts"], true);
    let before = house.entries().len();
    house.commit("second");
    let list = house.check(&["--list"]).exits(0).json();
    let lint = list["gates"].as_array().unwrap().iter().find(|gate| gate["gate"] == "lint").unwrap().clone();
    assert_eq!(lint["opt_outs"][0]["counts"], false);
    assert_eq!(house.entries().len(), before);
}

#[test]
fn a_wait_ends_when_the_gate_is_resumed_and_is_bounded_when_it_is_not() {
    let house = House::new(POLICY);
    house.granted(&["lint", "--action", "pause"]);
    house.check(&["lint", "--wait", "1s", "--", "touch", "ran"]).exits(75);
    assert!(!house.path("ran").exists());
    let child = house
        .tool("gate-check", &["lint", "--wait", "60s", "--", "touch", "ran"])
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    house.skip(&["resume", "lint", "--reason", "the freeze is over"]).exits(0);
    Ran::of(child.wait_with_output().unwrap()).exits(0);
    assert!(house.path("ran").exists());
    house.check(&["lint", "--wait", "3000d", "--", "true"]).exits(0);
}

#[test]
fn a_skip_drains_standard_input_and_passes_whatever_the_report_says() {
    let house = House::new(POLICY);
    house.granted(&["scan", "--action", "skip"]);
    let ran = house.sh("{ yes | head -c 3000000; echo done >&2; } | gate-check -q scan -");
    assert!(ran.stderr.contains("done"), "the writer was cut off: {}", ran.stderr);
    ran.exits(0);
    house.check(&["scan", "not-there.sarif"]).exits(0);
}

#[test]
fn a_report_from_standard_input_is_judged_and_its_digest_is_that_of_its_bytes() {
    let house = House::new(POLICY);
    let report = sarif(&[result("R1", "error", "src/a.py", 3)]);
    house.write("scan.sarif", &report);
    let piped = house.check_stdin(&["scan", "-"], report.as_bytes()).exits(1).json();
    let named = house.check(&["scan", "scan.sarif"]).exits(1).json();
    assert_eq!(piped["report"], named["report"]);
    let recipe = house.sh("b3sum --derive-key 'gate v1 report' --no-names scan.sarif").exits(0);
    assert_eq!(named["report"], format!("b3:{}", recipe.out().trim()));
}

#[test]
fn a_signal_is_forwarded_and_the_status_is_the_commands() {
    let house = House::new(POLICY);
    for (signal, name) in
        [(Signal::TERM, "TERM"), (Signal::INT, "INT"), (Signal::HUP, "HUP"), (Signal::USR1, "USR1")]
    {
        let script = format!("trap 'echo got; exit 9' {name}; echo ready; while :; do sleep 0.05; done");
        let mut child = house
            .tool("gate-check", &["lint", "-q", "--", "sh", "-c", &script])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = child.stdout.take().unwrap();
        wait_for(&mut out, "ready\n");
        send(&child, signal);
        wait_for(&mut out, "got\n");
        assert_eq!(child.wait().unwrap().code(), Some(9), "{name}");
    }
}

fn wait_for(from: &mut impl std::io::Read, text: &str) {
    let mut seen = vec![0; text.len()];
    from.read_exact(&mut seen).unwrap();
    assert_eq!(String::from_utf8_lossy(&seen), text);
}

#[test]
fn an_interrupted_gate_did_not_run_and_no_override_rescues_it() {
    let house = House::new(POLICY);
    house.granted(&["lint", "--action", "override"]);
    let script = "trap 'exit 2' TERM; echo ready; while :; do sleep 0.05; done";
    let mut child = house
        .tool("gate-check", &["lint", "-q", "--", "sh", "-c", script])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    wait_for(&mut child.stdout.take().unwrap(), "ready\n");
    send(&child, Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(2));
    assert!(house.last_decision()["data"]["did_not_run"].is_string());
}

#[test]
fn a_background_process_that_keeps_the_pipe_open_does_not_hold_us_up() {
    let house = House::new(POLICY);
    house.write("clean.sarif", sarif(&[]));
    let started = std::time::Instant::now();
    let script =
        "cp clean.sarif out.sarif; (sleep 60 > /dev/null & echo $! > pid) ; sleep 60 & echo $! > pid2";
    let mut child = house
        .tool("gate-check", &["scan", "--findings", "out.sarif", "--", "sh", "-c", script])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    house.sh("kill $(cat pid) $(cat pid2)");
    assert!(started.elapsed().as_secs() < 45, "it waited for the background process");
}

#[test]
fn no_descriptor_of_ours_crosses_into_the_command() {
    let house = House::new(POLICY);
    let ran = house
        .check(&["lint", "-q", "--decision", "d.json", "--", "sh", "-c", "ls -l /proc/self/fd"])
        .exits(0);
    assert!(!ran.out().contains("ledger") && !ran.out().contains("d.json"), "{}", ran.out());
}

#[test]
fn the_facts_are_those_from_before_the_command() {
    // A command that moves HEAD must not make its run count for another commit.
    let house = House::new(POLICY);
    let first = house.git(&["rev-parse", "HEAD"]);
    let second = house.commit("second");
    house.check(&["lint", "--", "git", "checkout", "-q", &first]).exits(0);
    assert_eq!(house.last_decision()["data"]["context"]["commit"], second.as_str());
    house.git(&["checkout", "-q", "main"]);
    house
        .check(&["lint", "--", "git", "remote", "set-url", "origin", "https://github.com/evil/other.git"])
        .exits(0);
    assert_eq!(house.last_decision()["data"]["context"]["repository"], "github.com/acme/payments");
}

#[test]
fn a_rule_that_limits_uses_does_not_disarm_a_pause() {
    let policy = POLICY.replacen(
        "actions = [\"skip\", \"override\", \"pause\"]\n",
        "actions = [\"skip\", \"override\", \"pause\"]\nmax_uses = 1\n",
        1,
    );
    let house = House::new(&policy);
    house.granted(&["lint", "--action", "pause"]);
    for _ in 0..3 {
        house.check(&["lint", "--", "touch", "ran"]).exits(75);
    }
    assert!(!house.path("ran").exists());
}

#[test]
fn a_hundred_thousand_findings_are_judged_and_recorded() {
    let house = House::new(POLICY);
    let results: Vec<Value> =
        (0..100_000).map(|n| result(&format!("R{}", n % 7), "error", &format!("src/f{n}.py"), n)).collect();
    house.write("big.sarif", sarif(&results));
    let ran = house.check(&["scan", "big.sarif", "--decision", "d.json"]).exits(1);
    let decision = ran.json();
    assert_eq!(decision["blocking"].as_array().unwrap().len(), 100_000);
    let entry = house.last_decision();
    assert_eq!(entry["data"]["blocking"], 100_000);
    let kept: u64 =
        entry["data"]["findings"].as_array().unwrap().iter().map(|f| f["count"].as_u64().unwrap()).sum();
    assert_eq!(kept + entry["data"]["omitted"].as_u64().unwrap(), 100_000);
    assert!(entry.to_string().len() < 1 << 20);
    // To waive them all in one request does not fit into an entry: an error, and nothing is recorded.
    let before = house.entries().len();
    let asked = house.skip(&["./d.json", "--reason", "all of them"]).exits(2);
    assert!(!asked.stderr.is_empty());
    assert_eq!(house.entries().len(), before);
}

/// What was cut off has no result, so nothing can excuse it: its own status passes through.
#[test]
fn a_command_that_was_cut_off_did_not_run() {
    let house = House::new(POLICY);
    house.granted(&["lint", "--action", "override"]);
    for status in [124, 125, 126, 127, 137, 160, 192] {
        let ran = house.check(&["lint", "--", "sh", "-c", &format!("exit {status}")]).exits(status);
        ran.says(&["did not run"]);
    }
    house.check(&["lint", "--", "sh", "-c", "exit 3"]).exits(0);
}

/// A runner that fails, and whose report shows nothing but tests that passed, failed for something else.
#[test]
fn a_command_that_failed_beside_a_report_that_shows_nothing_did_not_pass() {
    let house = House::new(POLICY);
    let green = r#"<testsuite tests="1" failures="0"><testcase classname="a" name="b"/></testsuite>"#;
    house.write("green.xml", green);
    house.write("empty.sarif", sarif(&[]));
    house.write("note.sarif", sarif(&[result("R1", "note", "src/a.py", 1)]));
    let run = |report: &str, status: u8| {
        let script = format!("cp {report} out; exit {status}");
        house.check(&["scan", "--findings", "out", "--", "sh", "-c", &script])
    };
    for report in ["green.xml", "empty.sarif"] {
        run(report, 1).exits(125).says(&["its report shows nothing that explains it"]);
        run(report, 0).exits(0);
    }
    run("note.sarif", 1).exits(0);
}
