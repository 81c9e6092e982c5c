//! What fingers type that know other tools, and what is answered.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and may start programs"
)]

mod support;

use support::{House, POLICY, Ran, bin};

/// How many entries the ledger has.
fn entries(house: &House) -> usize {
    let output = house.plain(bin("gate-log")).arg("export").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().count()
}

#[test]
fn a_rehearsal_answers_as_the_request_would_and_records_nothing() {
    let house = House::new(
        "version = 1\n[gates.lint]\n[[gates.lint.allow]]\nactions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"1h\"\n\
         quota = { max = 1, per = \"7d\" }\n[[gates.lint.allow]]\nactions = [\"override\"]\nwho = [\"*\"]\n\
         max_ttl = \"1h\"\napprovals = { from = [\"bob@example.com\"] }\n[gates.secrets]\n",
    );
    let before = entries(&house);
    for (args, code, status) in [
        (&["lint", "--reason", "x", "--dry-run"][..], 0, "granted"),
        (&["lint", "--action", "override", "--reason", "x", "--dry-run"], 3, "pending"),
        (&["secrets", "--reason", "x", "--dry-run"], 1, "denied"),
        (&["lint", "--reason", "x", "--ttl", "2h", "--dry-run"], 1, "denied"),
    ] {
        let answer = house.skip(args).exits(code).says(&["nothing was asked for or recorded"]).json();
        assert_eq!(answer["status"], status, "{answer}");
        assert!(answer["id"].is_null() && answer["seq"].is_null(), "{answer}");
        assert!(!answer["reasons"].to_string().contains("gate-skip approve"), "{answer}");
    }
    assert_eq!(entries(&house), before);
    house.check(&["lint", "--", "false"]).exits(1);
    // It took no place in the quota.
    house.skip(&["lint", "--reason", "x"]).exits(0);
    house.skip(&["lint", "--reason", "x", "--dry-run"]).exits(1).says(&["quota"]);
}

#[test]
fn words_in_another_order_are_answered_with_the_command() {
    let house = House::new(POLICY);
    house.skip(&["pause", "lint", "--for", "2h"]).exits(2).says(&["gate-skip lint --action pause --ttl 2h"]);
    house.skip(&["41", "approve"]).exits(2).says(&["did you mean: gate-skip approve 41"]);
    house.skip(&["lint", "--for", "2h", "--reason", "x"]).exits(2).says(&["did you mean '--ttl'?"]);
    house.check(&["lint", "make", "test"]).exits(2).says(&["to run a command: gate-check lint -- make test"]);
    for (line, meant) in [
        (&["list"][..], "'gate-log'?"),
        (&["tail"], "'gate-log --follow'?"),
        (&["pending"], "'gate-log due'?"),
        (&["verify"], "'gate-verify'?"),
        (&["--limit", "5"], "'--newest'?"),
        (&["--user", "alice"], "'--actor'?"),
    ] {
        Ran::of(house.tool("gate-log", line).output().unwrap()).exits(2).says(&[meant]);
    }
    house.skip(&["unpause", "lint"]).exits(2).says(&["did you mean: gate-skip resume lint"]);
    house.skip(&["lint", "-m", "x"]).exits(2).says(&["did you mean '--reason'?"]);
    house.check(&["lint", "--json", "--", "true"]).exits(125).says(&["did you mean '--format json'?"]);
    house.check(&["lint", "--dry-run"]).exits(2).says(&["did you mean '--plan'?"]);
    house.check(&["list"]).exits(2).says(&["gate-check --list"]);
    house.skip(&["lint", "--reason", "x", "--ticket", ""]).exits(2).says(&["as in --ticket SEC-12"]);
    house.check(&["lint", "no.sarif"]).exits(2).says(&["cannot read report 'no.sarif'"]);
    assert_eq!(entries(&house), 1);
}

#[test]
fn help_ends_with_examples_and_the_version_is_a_line() {
    let house = House::new(POLICY);
    for tool in ["gate-check", "gate-skip", "gate-log", "gate-verify"] {
        let said =
            |option: &str| String::from_utf8(house.tool(tool, &[option]).output().unwrap().stdout).unwrap();
        let help = said("--help");
        let examples = help.split("Examples:\n").nth(1).unwrap();
        assert!(
            examples.lines().all(|line| line.trim().is_empty() || line.starts_with("  gate-")),
            "{examples}"
        );
        assert_eq!(said("--version").lines().count(), 1);
    }
}

#[test]
fn a_missing_reason_is_written_with_the_editor_of_whoever_sits_there() {
    let house = House::new(POLICY);
    house.write("scan.jsonl", "{\"rule\":\"CVE-1\",\"level\":\"error\",\"path\":\"src/a\"}\n");
    let decision = house.check(&["scan", "scan.jsonl"]).exits(1).stdout;
    house.write("d.json", decision);
    // What is written stands above what blocks; the editor sees both.
    house.write("editor", "#!/bin/sh\ngrep -q '^# .*CVE-1' \"$1\" && echo 'in review' > \"$1\"\n");
    house.sh("chmod +x editor").exits(0);
    let at_terminal = |editor: &str, line: &str| {
        let mut script = house.plain("script");
        script.args(["-qec", line, "/dev/null"]).env("EDITOR", editor);
        script.output().unwrap()
    };
    let asked = at_terminal("./editor", "gate-skip ./d.json --format json");
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stdout));
    assert_eq!(house.of_kind("grant")[0]["data"]["reason"], "in review");
    let before = entries(&house);
    let left_empty = at_terminal("true", "gate-skip lint");
    assert_eq!(left_empty.status.code(), Some(2));
    let said = String::from_utf8_lossy(&left_empty.stdout).into_owned();
    assert!(said.contains("no reason was written: nothing was asked for"), "{said}");
    let failed = at_terminal("false", "gate-skip revoke 1");
    assert_eq!(failed.status.code(), Some(2), "{}", String::from_utf8_lossy(&failed.stdout));
    // Ctrl-C is the editor's own, as in git: it must not be left behind without the tool that reads its text.
    house.write("stubborn", "#!/bin/sh\ntrap '' INT\nkill -INT 0\necho 'after all' > \"$1\"\n");
    house.sh("chmod +x stubborn").exits(0);
    let interrupted = at_terminal("./stubborn", "exec gate-skip lint");
    assert!(interrupted.status.success(), "{}", String::from_utf8_lossy(&interrupted.stdout));
    assert_eq!(house.of_kind("grant")[1]["data"]["reason"], "after all");
    let before = before + 1;
    // In a pipeline nobody sits there.
    let env = [("EDITOR", "./editor")];
    house.skip_with(&["./d.json"], &env).exits(2).says(&["--reason is missing"]);
    house.skip_with(&["resume", "lint"], &env).exits(2).says(&["--reason is missing"]);
    assert_eq!(entries(&house), before);
}

#[test]
fn a_key_after_a_space_is_explained() {
    let house = House::new(POLICY);
    for line in [
        &["lint", "--reason", "x", "--sign", "id_ed25519"][..],
        &["approve", "41", "--sign", "id_ed25519"],
        &["--sign", "id_ed25519", "lint", "--reason", "x"],
    ] {
        house.skip(line).exits(2).says(&["write --sign=id_ed25519, with '='"]);
    }
    house.skip(&["lint", "--reason", "x", "--change", "7"]).exits(2).says(&["write --change=7, with '='"]);
    house.skip(&["lint", "--sign", "--nonsense"]).exits(2).says(&["unexpected argument '--nonsense'"]);
}

#[test]
fn verbose_says_where_each_fact_comes_from() {
    let house = House::new(POLICY);
    let env = house.github("carol");
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    house.check_with(&["lint", "--verbose", "--", "true"], &env).exits(0).says(&[
        "actor is github:carol, from GITHUB_ACTOR",
        "repository is github.com/acme/payments, from ",
        "ref is refs/heads/main, from ",
        "run is 77, from GITHUB_RUN_ID",
        "environment is unknown",
    ]);
    let here = house.skip(&["lint", "--reason", "x", "-v"]).exits(0);
    here.says(&["commit is ", "from the checkout", "from the operating system"]);
}

#[test]
fn before_the_first_commit_the_answer_is_to_commit() {
    let house = House::new(POLICY);
    house.sh("git checkout -q --orphan empty").exits(0);
    house.skip(&["lint", "--reason", "x"]).exits(2).says(&["the branch has no commit yet", "commit first"]);
}
