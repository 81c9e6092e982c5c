//! What fingers type that know other tools, and what is answered.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and may start programs"
)]

mod support;

use support::{House, POLICY, bin};

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
