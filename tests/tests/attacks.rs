//! What an attacker may try against gate-check and gate-skip, each named by the attack; design's table.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

mod support;

use std::process::Stdio;

use serde_json::{Value, json};
use support::{House, POLICY, Ran, entries_of, result, sarif};

// Who controls the gated command.

#[test]
fn a_command_that_plants_a_link_for_the_decision_reaches_no_other_file() {
    let house = House::new(POLICY);
    let host = house.outside("host.txt");
    for plant in
        ["rm d.json; ln -s ../host.txt d.json", "ln -f ../host.txt d.json", "rm d.json; mkfifo d.json"]
    {
        std::fs::write(&host, "host").unwrap();
        house.check(&["lint", "--decision", "d.json", "-q", "--", "sh", "-c", plant]).exits(0);
        assert_eq!(std::fs::read_to_string(&host).unwrap(), "host", "{plant}");
        assert!(house.path("d.json").symlink_metadata().unwrap().is_file(), "{plant}");
        assert_eq!(
            serde_json::from_str::<Value>(&house.read("d.json")).unwrap()["decision"],
            "pass",
            "{plant}"
        );
    }
}

#[test]
fn a_command_that_swaps_the_decisions_directory_for_a_link_does_not_pass() {
    let house = House::new(POLICY);
    let elsewhere = house.outside("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::write(elsewhere.join("d.json"), "host").unwrap();
    std::fs::create_dir(house.path("out")).unwrap();
    let swap = "mv out moved; ln -s ../elsewhere out";
    let ran = house.check(&["lint", "--decision", "out/d.json", "-q", "--", "sh", "-c", swap]);
    ran.exits(125).says(&["moved or replaced"]);
    assert_eq!(std::fs::read_to_string(elsewhere.join("d.json")).unwrap(), "host");
}

#[test]
fn a_checkout_with_a_link_for_the_decision_is_not_followed() {
    let house = House::new(POLICY);
    let host = house.outside("host.txt");
    std::fs::write(&host, "host").unwrap();
    house.sh("ln -s ../host.txt d.json; ln -s .. up; ln -s ../fresh.txt dangling").exits(0);
    for place in ["d.json", "up/host.txt", "dangling"] {
        house.check(&["lint", "--decision", place, "--", "true"]).exits(125).says(&["symbolic link"]);
    }
    assert_eq!(std::fs::read_to_string(&host).unwrap(), "host");
    assert!(!house.outside("fresh.txt").exists());
    // A descriptor of the caller's is a link too, but the system's own.
    let ran = house.sh("gate-check lint -q --decision /dev/stdout -- true | cat").exits(0);
    assert_eq!(ran.json()["decision"], "pass");
}

/// Reports and a ledger that are named relatively would be read in the directory that the command put there.
#[test]
fn a_command_that_swaps_the_working_directory_does_not_pass() {
    for swap in [
        "cd .. && mv repo moved && cp -r moved repo",
        "cd .. && cp -r repo copy && mv repo moved && ln -s copy repo",
        "cd .. && mv repo moved",
    ] {
        let house = House::new(POLICY);
        house.granted(&["lint", "--action", "override", "--uses", "1"]);
        let ran = house.check(&["lint", "--", "sh", "-c", &format!("{swap}; exit 1")]);
        ran.exits(125).says(&["moved or replaced while the command ran"]);
    }
}

#[test]
fn a_command_that_grants_itself_an_override_is_not_excused() {
    let house = House::new(POLICY);
    let script = "gate-skip lint --action override --reason 'I excuse myself' >&2; exit 1";
    house.check(&["lint", "--", "sh", "-c", script]).exits(1);
    let entry = house.last_decision();
    assert_eq!(entry["data"]["decision"], "fail");
    assert_eq!(house.of_kind("grant").len(), 1, "the grant itself is on record");
    // It counts from the next run on, and says who made it.
    house.check(&["lint", "--", "false"]).exits(0);
}

#[test]
fn a_command_that_waives_its_own_findings_is_not_excused() {
    let house = House::new(POLICY);
    house.write("new.sarif", sarif(&[result("R1", "error", "src/a.py", 1)]));
    let script = "gate-skip scan --waive rule=R1,path=src/a.py --reason x >&2; cp new.sarif o.sarif; exit 1";
    house.check(&["scan", "--findings", "o.sarif", "--", "sh", "-c", script]).exits(1);
}

#[test]
fn a_command_that_edits_the_policy_is_judged_by_the_one_before() {
    let house = House::new(POLICY);
    house.write("new.sarif", sarif(&[result("R1", "warning", "src/a.py", 1)]));
    let script = "sed -i 's/severity = \"high\"/fail_on = \"error\"/' gate.toml; cp new.sarif o.sarif";
    let digest = house.check(&["scan", "--plan"]).json()["policy"]["digest"].clone();
    house
        .check(&["scan", "--findings", "o.sarif", "--decision", "d.json", "--", "sh", "-c", script])
        .exits(1);
    assert_ne!(house.read("gate.toml"), POLICY);
    assert_eq!(house.last_decision()["data"]["policy"]["digest"], digest);
}

#[test]
fn a_command_that_deletes_or_replaces_the_ledger_does_not_pass() {
    for script in [
        "rm -rf .gate",
        "rm -f .gate/ledger.db*; echo nothing > .gate/ledger.db",
        "rm -f .gate/ledger.db*; mkdir .gate/ledger.db",
        "rm -f .gate/ledger.db*; cp other.db .gate/ledger.db",
        "rm -f .gate/ledger.db*; : > .gate/ledger.db",
        "rm -f .gate/ledger.db*; ln -s ../other.db .gate/ledger.db",
    ] {
        let house = House::new(POLICY);
        house.create_ledger("other.db");
        house.granted(&["lint", "--action", "override"]);
        let ran = house.check(&["lint", "--decision", "d.json", "--", "sh", "-c", script]);
        assert_eq!(ran.code, 125, "{script}: {}", ran.stderr);
        assert_eq!(house.read("d.json"), "", "{script}");
    }
}

#[test]
fn a_command_that_restores_an_old_copy_of_the_ledger_does_not_pass() {
    let house = House::new(POLICY);
    house.sh("cp .gate/ledger.db old.db").exits(0);
    house.check(&["lint", "--", "true"]).exits(0);
    let ran = house.check(&["lint", "--", "sh", "-c", "rm .gate/ledger.db*; cp old.db .gate/ledger.db"]);
    ran.exits(125).says(&["replaced or cut"]);
}

#[test]
fn a_command_that_edits_an_entry_does_not_pass() {
    let house = House::new(POLICY);
    house.check(&["lint", "--", "true"]).exits(0);
    // The trigger against updates is taken away and put back, so that the schema looks untouched.
    let script = r#"
        db=.gate/ledger.db
        sqlite3 $db "SELECT group_concat('DROP TRIGGER ' || name, ';') FROM sqlite_schema WHERE type = 'trigger'" > drop
        sqlite3 $db "SELECT group_concat(sql, ';' || char(10)) || ';' FROM sqlite_schema WHERE type = 'trigger'" > again
        echo "UPDATE entry SET body = replace(body, '\"pass\"', '\"skip\"') WHERE seq = (SELECT max(seq) FROM entry);" > edit
        for step in drop edit again; do sqlite3 -bail $db < $step || exit 99; done
    "#;
    let ran = house.check(&["lint", "--decision", "d.json", "--", "sh", "-c", script]);
    ran.exits(125);
    assert_eq!(house.read("d.json"), "");
}

#[test]
fn a_command_that_holds_the_lock_waits_a_bounded_time_and_nothing_is_excused() {
    let house = House::new(POLICY);
    house.granted(&["lint", "--action", "override"]);
    let lock = lock_file(&house);
    let script = format!("flock -x {} sleep 300 & echo $! > pid; sleep 0.5; exit 1", lock.display());
    let started = std::time::Instant::now();
    let mut child = house.tool("gate-check", &["lint", "--decision", "d.json", "--", "sh", "-c", &script]);
    let ran = Ran::of(child.stdout(Stdio::null()).stderr(Stdio::null()).output().unwrap());
    let waited = started.elapsed().as_secs();
    house.sh("pkill -P $(cat pid); kill $(cat pid)");
    assert!(waited < 60, "the wait for the lock is bounded");
    assert_eq!(ran.code, 1, "an opt-out that cannot be recorded is not used");
    let decision: Value = serde_json::from_str(&house.read("d.json")).unwrap();
    assert_eq!((&decision["recorded"], &decision["decision"]), (&Value::Null, &json!("fail")));
}

/// The lock file beside the ledger.
fn lock_file(house: &House) -> std::path::PathBuf {
    house.check(&["lint", "--", "true"]).exits(0);
    let names = std::fs::read_dir(house.path(".gate")).unwrap().map(|entry| entry.unwrap().path());
    names.into_iter().find(|path| path.to_string_lossy().contains("lock")).unwrap()
}

#[test]
fn a_report_from_before_the_run_is_no_report_of_this_run() {
    let house = House::new(POLICY);
    house.write("o.sarif", sarif(&[]));
    house.check(&["scan", "--findings", "o.sarif", "--", "true"]).exits(125).says(&["from before this run"]);
    // Touching its times does not help: the change time is the kernel's.
    let back = "touch -d 2020-01-01 o.sarif";
    house.check(&["scan", "--findings", "o.sarif", "--", "sh", "-c", "cat o.sarif > /dev/null"]).exits(125);
    house
        .check(&[
            "scan",
            "--findings",
            "o.sarif",
            "--",
            "sh",
            "-c",
            &format!("cp o.sarif n; mv n o.sarif; {back}"),
        ])
        .exits(0);
}

#[test]
fn a_report_that_is_a_link_to_an_older_clean_one_is_refused() {
    let house = House::new(POLICY);
    house.write("clean.sarif", sarif(&[]));
    let ran = house.check(&["scan", "--findings", "o.sarif", "--", "ln", "-s", "clean.sarif", "o.sarif"]);
    ran.exits(125).says(&["not a regular file"]);
}

#[test]
fn a_fifo_in_place_of_the_report_does_not_hang_us() {
    let house = House::new(POLICY);
    house.check(&["scan", "--findings", "o.sarif", "--", "mkfifo", "o.sarif"]).exits(125);
}

#[test]
fn a_command_that_leaves_the_file_of_the_decision_to_itself_is_overruled() {
    let house = House::new(POLICY);
    let script = r#"echo '{"schema":"gate.decision/1","decision":"pass","proceed":true}' > d.json; exit 1"#;
    house.check(&["lint", "--decision", "d.json", "--", "sh", "-c", script]).exits(1);
    let decision: Value = serde_json::from_str(&house.read("d.json")).unwrap();
    assert_eq!(decision["decision"], "fail");
}

#[test]
fn a_command_that_kills_its_parent_leaves_no_passing_decision() {
    let house = House::new(POLICY);
    house.write("d.json", r#"{"decision":"pass","proceed":true}"#);
    let ran = house.check(&["lint", "--decision", "d.json", "--", "sh", "-c", "kill -KILL $PPID"]);
    assert_eq!(ran.code, -9);
    assert_eq!(house.read("d.json"), "");
    assert!(house.of_kind("decision").is_empty());
    house.check(&["lint", "--", "true"]).exits(0);
}

#[test]
fn a_pause_set_while_the_command_runs_holds_the_next_run() {
    let house = House::new(POLICY);
    house.check(&["lint", "--", "sh", "-c", "gate-skip lint --action pause --reason x >&2"]).exits(0);
    house.check(&["lint", "--", "true"]).exits(75);
}

// Who controls the branch.

#[test]
fn a_change_that_loosens_the_policy_is_judged_by_the_base() {
    let house = House::new(POLICY);
    let base = house.git(&["rev-parse", "HEAD"]);
    house.git(&["checkout", "-q", "-b", "feature"]);
    let loose = POLICY.replace(
        "[gates.secrets]",
        "[gates.secrets]\n[[gates.secrets.allow]]\nactions=[\"skip\"]\nwho=[\"*\"]\nmax_ttl=\"1h\"",
    );
    house.write("gate.toml", loose);
    house.commit("let me through");
    for revision in [base.as_str(), "refs/heads/main"] {
        let denied = house.skip(&["secrets", "--reason", "x", "--policy-ref", revision]).exits(1);
        assert_eq!(denied.json()["status"], "denied");
        let plan = house.check(&["secrets", "--plan", "--policy-ref", revision]).exits(0).json();
        assert_eq!(plan["policy"]["source"], format!("rev:{base}"));
    }
    // What was granted under the branch's own rules does not count under the base's.
    house.skip(&["secrets", "--reason", "x"]).exits(0);
    house.check(&["secrets", "--", "false"]).exits(0);
    house.check(&["secrets", "--policy-ref", "refs/heads/main", "--", "false"]).exits(1);
}

#[test]
fn a_policy_ref_that_can_be_moved_or_does_not_resolve_never_falls_back() {
    let house = House::new(POLICY);
    let short = house.git(&["rev-parse", "--short", "HEAD"]);
    let none = "0".repeat(40);
    for revision in [
        "HEAD",
        "main",
        "origin/main",
        &short,
        "refs/heads/nope",
        &none,
        "",
        "refs/heads/main^",
        "-x",
        "FETCH_HEAD",
        "refs/heads/../heads/main",
        ":/first",
        "HEAD:gate.toml",
    ] {
        let ran = house.check(&["lint", &format!("--policy-ref={revision}"), "--", "touch", "ran"]);
        assert_eq!(ran.code, 125, "{revision}: {}", ran.stderr);
    }
    assert!(!house.path("ran").exists());
    assert_eq!(house.entries().len(), 1);
}

#[test]
fn a_nested_policy_is_refused_in_the_checkout_and_in_the_tree() {
    let house = House::new(POLICY);
    house.write(
        "sub/gate.toml",
        "version = 1\n[gates.lint]\n[[gates.lint.allow]]\nactions=[\"skip\"]\nwho=[\"*\"]\nmax_ttl=\"1h\"\n",
    );
    let commit = house.commit("nested");
    let below = |args: &[&str]| {
        let mut command = house.tool("gate-check", args);
        Ran::of(command.current_dir(house.path("sub")).output().unwrap())
    };
    below(&["lint", "--", "true"]).exits(125).says(&["two policies"]);
    below(&["lint", "--policy-ref", &commit, "--", "true"]).exits(125).says(&["two policies"]);
    below(&["lint", "--plan"]).exits(2);
}

#[test]
fn variables_of_git_do_not_move_the_run_to_another_repository() {
    let house = House::new(POLICY);
    let other = House::new(POLICY);
    other.granted(&["lint"]);
    let git_dir = other.path(".git").display().to_string();
    let tree = other.root.display().to_string();
    let head = house.git(&["rev-parse", "HEAD"]);
    let env =
        [("GIT_DIR", git_dir.as_str()), ("GIT_WORK_TREE", tree.as_str()), ("GIT_INDEX_FILE", "/nonexistent")];
    house.check_with(&["lint", "--", "false"], &env).exits(1);
    assert_eq!(house.last_decision()["data"]["context"]["commit"], head.as_str());
}

// Who controls the variables of the run.

#[test]
fn another_ledger_in_place_of_the_pinned_one_counts_for_nothing() {
    let house = House::new(POLICY);
    let genesis = house.entries()[0]["hash"].as_str().unwrap().to_owned();
    house.write(
        "gate.toml",
        POLICY.replacen("version = 1\n", &format!("version = 1\n[ledger]\ngenesis = \"{genesis}\"\n"), 1),
    );
    house.commit("pin");
    house.check(&["lint", "--", "true"]).exits(0);
    house.create_ledger("evil.db");
    let evil = house.path("evil.db").display().to_string();
    let env = [("GATE_LEDGER", evil.as_str())];
    house.skip_with(&["lint", "--reason", "x"], &env).exits(4).says(&["genesis"]);
    house.skip(&["lint", "--reason", "x", "--ledger", &evil]).exits(4);
    house.check_with(&["lint", "--", "sh", "-c", "exit 6"], &env).exits(125).says(&["genesis"]);
    house.check_with(&["deploy", "--", "true"], &env).exits(125);
    assert_eq!(entries_of(&house.path("evil.db")).len(), 1, "nothing was written there");
}

#[test]
fn a_grant_that_was_made_in_another_ledger_does_not_count_here() {
    let house = House::new(POLICY);
    house.create_ledger("evil.db");
    house.skip(&["lint", "--reason", "x", "--ledger", "evil.db"]).exits(0);
    house.check(&["lint", "--", "false"]).exits(1);
}

#[test]
fn a_ledger_that_git_tracks_is_no_ledger() {
    let house = House::new(POLICY);
    house.granted(&["lint"]);
    house.git(&["add", "-f", ".gate/ledger.db"]);
    house.git(&["commit", "-q", "-m", "here is my history"]);
    house.skip(&["lint", "--reason", "x"]).exits(4).says(&["tracked by git"]);
    house.check(&["lint", "--", "true"]).exits(125).says(&["tracked by git"]);
    house.check(&["deploy", "--", "true"]).exits(125);
}

#[test]
fn a_ledger_behind_a_tracked_link_is_no_ledger() {
    let house = House::without_ledger(POLICY);
    house.create_ledger("elsewhere/ledger.db");
    house.write(".gitignore", "elsewhere\n");
    std::os::unix::fs::symlink("elsewhere", house.path(".gate")).unwrap();
    house.commit("a link");
    house.skip(&["lint", "--reason", "x"]).exits(4);
}

#[test]
fn variables_that_contradict_the_checkout_or_each_other_let_no_opt_out_count() {
    let house = House::new(POLICY);
    house.skip_as("carol", &["lint", "--reason", "x"]).exits(0);
    house.check_as("carol", &["lint", "--", "false"]).exits(0);
    let lie = |name: &str, value: &str| {
        let mut env = house.github("carol");
        env.retain(|(known, _)| known != name);
        env.push((name.to_owned(), value.to_owned()));
        env
    };
    let other = "1234567890123456789012345678901234567890";
    for env in [
        lie("GITHUB_SHA", other),
        lie("GITHUB_REPOSITORY", "acme/other"),
        lie("GITLAB_CI", "true")
            .into_iter()
            .chain([("CI_COMMIT_SHA".to_owned(), other.to_owned())])
            .collect(),
    ] {
        let env: Vec<(String, String)> = env;
        let ran =
            Ran::of(house.tool("gate-check", &["lint", "--", "false"]).envs(env.clone()).output().unwrap());
        assert_eq!(ran.code, 1, "{env:?}: {}", ran.stderr);
        let ran =
            Ran::of(house.tool("gate-skip", &["lint", "--reason", "x"]).envs(env.clone()).output().unwrap());
        assert_eq!(ran.code, 1, "{env:?}: {}", ran.stderr);
    }
}

/// The variables name the excused commit, and nothing can tell that the checkout is at another.
#[test]
fn a_checkout_without_a_git_to_ask_lets_no_opt_out_count() {
    let house = House::new(POLICY);
    house.granted(&["lint", "--action", "override"]);
    let excused = house.github("mallory");
    house.write("new.txt", "more");
    house.commit("not excused");
    let bare = house.outside("bare");
    std::fs::create_dir_all(&bare).unwrap();
    let run = |env: &[(String, String)]| {
        let mut command = house.tool("gate-check", &["lint", "--", "/bin/false"]);
        Ran::of(command.envs(env.iter().cloned()).env("PATH", &bare).output().unwrap())
    };
    run(&excused).exits(1).says(&["contradict each other", "no git on PATH"]);
    run(&[]).exits(1);
}

#[test]
fn contradicting_facts_do_not_open_a_paused_gate() {
    let house = House::new(POLICY);
    house.skip_as("carol", &["lint", "--action", "pause", "--reason", "x"]).exits(0);
    let mut env = house.github("carol");
    env.push(("GITHUB_SHA".to_owned(), "1234567890123456789012345678901234567890".to_owned()));
    let ran = Ran::of(house.tool("gate-check", &["lint", "--", "true"]).envs(env.clone()).output().unwrap());
    assert_eq!(ran.code, 75, "{}", ran.stderr);
    let ran =
        Ran::of(house.tool("gate-skip", &["resume", "lint", "--reason", "x"]).envs(env).output().unwrap());
    assert_eq!(ran.code, 1, "{}", ran.stderr);
}

// Replays and reuse.

#[test]
fn a_single_use_is_used_once() {
    let house = House::new(POLICY);
    house.granted(&["lint", "--uses", "1"]);
    house.check(&["lint", "--", "false"]).exits(0);
    house.check(&["lint", "--", "false"]).exits(1);
    house.granted(&["lint", "--action", "override", "--uses", "2"]);
    for code in [0, 0, 1] {
        house.check(&["lint", "--", "false"]).exits(code);
    }
}

#[test]
fn a_plan_a_pass_and_a_blocked_run_do_not_spend_a_use() {
    let house = House::new(POLICY);
    house.granted(&["lint", "--action", "override", "--uses", "1"]);
    house.check(&["lint", "--plan"]).exits(0);
    house.check(&["lint", "--", "true"]).exits(0);
    house.check(&["lint", "--", "sh", "-c", "exit 127"]).exits(127);
    house.check(&["lint", "--", "false"]).exits(0);
    house.check(&["lint", "--", "false"]).exits(1);
}

#[test]
fn a_run_that_blocks_all_the_same_does_not_spend_a_waiver() {
    let house = House::new(POLICY);
    let (first, second) = (result("R1", "error", "src/a.py", 1), result("R2", "error", "src/b.py", 1));
    house.granted(&["scan", "--waive", "rule=R1,path=src/a.py", "--uses", "1"]);
    house.write("both.sarif", sarif(&[first.clone(), second]));
    house.check(&["scan", "both.sarif"]).exits(1);
    house.write("one.sarif", sarif(&[first]));
    house.check(&["scan", "one.sarif"]).exits(0);
}

/// Whoever can write the database appends the grant once more, in good order. The copy has a signature that holds, so
/// that only its nonce tells.
#[test]
fn a_copy_of_a_signed_grant_does_not_count_again() {
    for ended in [false, true] {
        let house = House::without_ledger(
            "version = 1\n[identity]\nallowed_signers = \"signers\"\n[gates.lint]\n[[gates.lint.allow]]\n\
             actions = [\"override\"]\nwho = [\"alice@example.com\"]\nassurance = \"signed\"\nmax_ttl = \"1h\"\n\
             max_uses = 1\n",
        );
        let (key, public) = house.key("alice");
        house.write("signers", format!("alice@example.com {public}\n"));
        house.create_ledger(".gate/ledger.db");
        house.commit("keys");
        let sign = format!("--sign={key}");
        let id = house.skip(&["lint", "--action", "override", "--reason", "x", &sign]).exits(0).id();
        if ended {
            house.skip(&["revoke", &id, "--reason", "x", &sign]).exits(0);
        } else {
            house.check(&["lint", "--", "false"]).exits(0);
        }
        house.check(&["lint", "--", "false"]).exits(1);
        house.append_copy(id.parse().unwrap());
        house.check(&["lint", "--decision", "d.json", "--", "false"]).exits(1);
        let reasons = house.read("d.json");
        assert!(reasons.contains("did not count"), "{reasons}");
        Ran::of(house.tool("gate-verify", &["--replay"]).output().unwrap()).exits(1);
    }
}

#[test]
fn a_revoked_opt_out_does_not_count() {
    let house = House::new(POLICY);
    let id = house.granted(&["lint"]);
    house.skip(&["revoke", &id, "--reason", "changed my mind"]).exits(0);
    house.check(&["lint", "--", "false"]).exits(1);
    house.skip(&["revoke", &id, "--reason", "again"]).exits(2).says(&["ended already"]);
}

#[test]
fn a_grant_ends_with_the_rule_that_allowed_it() {
    let house = House::new(POLICY);
    house.granted(&["lint"]);
    house.check(&["lint", "--", "false"]).exits(0);
    let strict = POLICY.replacen("actions = [\"skip\", \"override\", \"pause\"]", "actions = [\"pause\"]", 1);
    house.write("gate.toml", strict);
    let ran = house.check(&["lint", "--decision", "d.json", "--", "false"]).exits(1);
    drop(ran);
    assert!(house.read("d.json").contains("today's policy"), "{}", house.read("d.json"));
}

// Time.

#[test]
fn a_clock_that_stands_before_1970_is_a_clock_that_was_set_back() {
    let house = House::new(POLICY);
    house.skip(&["lint", "--ttl", "1h", "--reason", "x"]).exits(0);
    let faked = |tool: &str, args: &[&str]| {
        let mut command = house.plain("faketime");
        command.arg("1960-01-01T00:00:00Z").arg(support::bin(tool)).args(args);
        Ran::of(command.output().unwrap())
    };
    faked("gate-check", &["lint", "--", "true"]).exits(0);
    faked("gate-log", &["due"]).exits(0);
    faked("gate-verify", &[]).exits(0);
    faked("gate-skip", &["lint", "--reason", "x"]).exits(0);
}

#[test]
fn a_clock_that_was_set_back_does_not_bring_an_opt_out_back() {
    let house = House::new(POLICY);
    let granted = house.skip(&["lint", "--ttl", "1h", "--reason", "x"]).exits(0).json();
    let faked = |offset: &str, args: &[&str]| {
        let mut command = house.plain("faketime");
        command.args(["-f", offset]).arg(support::bin("gate-check")).args(args);
        Ran::of(command.output().unwrap())
    };
    faked("+90m", &["lint", "--", "false"]).exits(1);
    let at = house.last_decision()["at"].as_str().unwrap().to_owned();
    assert!(at.as_str() > granted["expires"].as_str().unwrap(), "faketime does not move this binary's clock");
    // The newest entry's time is later than the clock, and it is the later that counts.
    faked("-10m", &["lint", "--", "false"]).exits(1);
    faked("-10m", &["lint", "--plan"]).exits(0);
    // Who asks or acts while it is behind reads that, too: what they are given ends that much earlier.
    for line in [
        &["lint", "--ttl", "1h", "--reason", "x"][..],
        &["lint", "--ttl", "1h", "--reason", "x", "--dry-run"],
        &["revoke", "2", "--reason", "x"],
    ] {
        faked("+90m", &["lint", "--", "false"]);
        let mut command = house.plain("faketime");
        command.args(["-f", "-10m"]).arg(support::bin("gate-skip")).args(line);
        let told = Ran::of(command.output().unwrap());
        assert!(told.stderr.contains("s ahead of this machine's clock"), "{line:?}: {}", told.stderr);
    }
}

#[test]
fn no_opt_out_and_no_pause_is_for_ever() {
    let house = House::new(POLICY);
    for action in ["skip", "override", "pause"] {
        let denied =
            house.skip(&["lint", "--action", action, "--ttl", "25h", "--reason", "x"]).exits(1).json();
        assert!(denied["reasons"].to_string().contains("at most --ttl 1d"), "{denied}");
        house.skip(&["lint", "--action", action, "--ttl", "3653d", "--reason", "x"]).exits(2);
    }
    let longest = house.skip(&["lint", "--reason", "x"]).exits(0).json();
    let time = |name: &str| gate_model::time::Timestamp::parse(longest[name].as_str().unwrap()).unwrap();
    assert_eq!(time("expires").seconds_since(time("not_before")), 86_400);
}

// Text that reaches further than it should.

/// Rule ids and paths that would do something in a shell, in a MATCH or in a terminal.
const HOSTILE: [&str; 12] = [
    "$(touch pwned)",
    "`touch pwned`",
    "'; touch pwned; '",
    "\"; touch pwned; \"",
    "a,path=**",
    "rule=x,level=error",
    "%2C%25",
    "-rf",
    "\\",
    "a b\tc",
    "é\u{202e}修",
    "*",
];

#[test]
fn a_printed_command_pasted_into_a_shell_waives_just_what_blocked() {
    for hostile in HOSTILE {
        let house = House::new(POLICY);
        let finding = |path: &str| {
            json!({"rule": hostile, "level": "error", "message": "m", "path": path}).to_string() + "\n"
        };
        let path = format!("src/{hostile}/f.py");
        house.write("r.jsonl", finding(&path));
        let blocked = house.check(&["scan", "r.jsonl"]).exits(1).json();
        let command = blocked["suggest"][0]["command"].as_str().unwrap().to_owned();
        assert_eq!(house.sh(&command).code, 2, "without a reason, and nobody at a terminal, it is refused");
        let with_reason = format!("{command} --reason 'pasted'");
        let granted = house.sh(&with_reason);
        assert_eq!(granted.code, 0, "{with_reason}: {}", granted.stderr);
        assert!(!house.path("pwned").exists(), "{with_reason}");
        house.check(&["scan", "r.jsonl"]).exits(0);
        // Neither another path, nor one finding more.
        house.write("other.jsonl", finding("src/other.py"));
        house.check(&["scan", "other.jsonl"]).exits(1);
        house.write("two.jsonl", finding(&path).repeat(2));
        house.check(&["scan", "two.jsonl"]).exits(1);
        // The argument list says the same as the quoted command.
        let argv: Vec<String> = serde_json::from_value(blocked["suggest"][0]["argv"].clone()).unwrap();
        let echoed = house.sh(&format!("set -- {command}; for a; do printf '%s\\0' \"$a\"; done"));
        let words: Vec<String> = echoed.out().split_terminator('\0').map(str::to_owned).collect();
        assert_eq!(words, argv);
    }
}

#[test]
fn control_characters_in_a_report_are_shown_inert_everywhere() {
    let house = House::new(POLICY);
    let rule = "R\u{1b}]0;owned\u{7}\u{9b}31m";
    let mut one = result("R1", "error", "src/a.py", 1);
    one["ruleId"] = json!(rule);
    one["message"]["text"] = json!("line\r\n::error::forged\u{1b}[2J\u{202e}");
    house.write("scan.sarif", sarif(&[one]));
    for format in ["json", "text", "github", "gitlab", "azure", "markdown", "html", "junit", "sarif"] {
        let ran = house.check(&["scan", "scan.sarif", "--format", format]).exits(1);
        let all = ran.out() + &ran.stderr;
        assert!(!all.contains(['\u{1b}', '\u{7}', '\u{9b}']), "{format}: {all:?}");
        let forged = all.lines().any(|line| line.starts_with("::error::forged"));
        assert!(!forged, "{format}: {all}");
    }
    let line = serde_json::to_string(&house.last_decision()).unwrap();
    assert!(!line.chars().any(char::is_control), "{line}");
}

#[test]
fn a_waiver_without_a_second_member_or_with_a_glob_that_starts_wide_is_refused() {
    let house = House::new(POLICY);
    for wanted in [
        "rule=R1",
        "path=src/**",
        "rule=*,path=src/a.py",
        "rule=R1,path=**",
        "rule=R1,path=*/a",
        "rule=R1,path=!src/a",
        "rule=R1,path=src/../b",
        "rule=R1,path=/etc/*",
        "rule=R1,path=",
        "rule=R1,path=src/a.py,path=src/b.py",
        "rule=R1,path=src/a.py,count=0",
        "rule=R1,fingerprint=\u{1b}",
    ] {
        // A MATCH that cannot be read is an error of usage, one that the policy refuses a denial.
        let ran = house.skip(&["scan", "--waive", wanted, "--reason", "x"]);
        assert!(matches!(ran.code, 1 | 2), "{wanted}: {} {} {}", ran.code, ran.out(), ran.stderr);
    }
    assert!(house.of_kind("grant").is_empty());
}

#[test]
fn a_reason_with_control_characters_is_refused_and_bidi_is_shown_as_an_escape() {
    let house = House::new(POLICY);
    for reason in ["a\u{1b}[31mred", "bell\u{7}", "cr\rlf", "\u{9b}0m", "del\u{7f}", " ", "\n\t", ""] {
        house.skip(&["lint", "--reason", reason]).exits(2);
        house.skip(&["lint", "--ticket", "T\u{1b}", "--reason", "fine"]).exits(2);
    }
    house.skip(&["lint", "--reason", &"x".repeat(4097)]).exits(2);
    assert_eq!(house.entries().len(), 1);
    let reason = "ok \u{202e}dednuof\u{202c} <script>alert(1)</script> ::error::x";
    house.skip(&["lint", "--reason", reason]).exits(0);
    for format in ["text", "github", "azure", "markdown", "html"] {
        let ran = house.check(&["lint", "--plan", "--format", format]).exits(0);
        assert!(!ran.out().contains('\u{202e}'), "{format}: {}", ran.out());
        let marks_up = matches!(format, "html" | "markdown");
        assert!(!marks_up || !ran.out().contains("<script>"), "{format}: {}", ran.out());
        assert!(!ran.out().lines().any(|line| line.starts_with("::error::x")), "{format}");
    }
    // What was said is kept as it was said.
    assert_eq!(house.of_kind("grant")[0]["data"]["reason"], reason);
}

#[test]
fn a_hostile_gate_name_ends_as_an_error_and_not_in_a_terminal() {
    let house = House::new(POLICY);
    for gate in ["\u{1b}[31m", "lint\n", "LINT", "lint ", "a'b", "é"] {
        let ran = house.check(&[gate, "x.sarif"]);
        assert_eq!(ran.code, 2, "{gate:?}");
        assert!(!ran.stderr.contains('\u{1b}'), "{:?}", ran.stderr);
        let ran = house.skip(&[gate, "--reason", "x"]);
        assert_eq!(ran.code, 2, "{gate:?}");
        assert!(!ran.stderr.contains('\u{1b}'), "{:?}", ran.stderr);
    }
}

#[test]
fn workflow_commands_and_bidi_controls_in_a_reason_are_inert_in_the_log() {
    let house = House::new(POLICY);
    let reason = "x ##vso[task.setvariable variable=A]b ##[add-mask]c \u{202e} ::error::y";
    house.skip(&["lint", "--reason", reason]).exits(0);
    for line in
        ["gate-log", "gate-log show 1 2", "gate-log --reveal", "gate-log --format text", "gate-log due"]
    {
        let shown = house.sh(line).exits(0);
        for live in ["##vso[", "##[", "::error::", "\u{202e}"] {
            assert!(!shown.out().contains(live), "{line}: {live}");
        }
    }
    let grant = house.sh("gate-log --kind grant").exits(0).json();
    assert_eq!(grant["data"]["reason"], reason, "a JSON parser reads the same text");
    // An export is what is hashed, byte for byte.
    assert!(house.sh("gate-log export").exits(0).out().contains("##vso["));
    house.sh("gate-log export | gate-verify -").exits(0);
}
