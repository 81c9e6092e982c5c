//! Introducing a gate gently, as a pipeline sees it.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and may start programs"
)]

mod support;

use support::{House, bin};

fn policy(until: &str) -> String {
    format!(
        "version = 1\n[gates.lint]\nmode = \"observe\"\nuntil = {until}\n\
         [gates.scan]\nmode = \"observe\"\nuntil = {until}\n[[gates.scan.allow]]\nactions = [\"waive\"]\n\
         who = [\"*\"]\nmax_ttl = \"1d\"\n"
    )
}

#[test]
fn an_observed_gate_is_judged_recorded_and_shown_and_stops_nobody() {
    for until in ["\"2999-01-01\"", "\"2999-01-01T00:00:00+01:00\"", "2999-01-01", "2999-01-01T00:00:00Z"] {
        let house = House::new(&policy(until));
        house
            .check(&["lint", "--", "sh", "-c", "exit 3"])
            .exits(0)
            .says(&["lint: fail", "observed until 299"]);
        house.check(&["lint", "--", "/no/such/program"]).exits(0);
        // The report is missing: nobody is stopped by that either, and it is no pass.
        house.check(&["scan", "--findings", "none.sarif", "--", "true"]).exits(0).says(&["scan: fail"]);
        house.write("scan.jsonl", "{\"rule\":\"A\",\"message\":\"m\",\"level\":\"error\"}\n{\"schema\":\"gate.end/1\",\"count\":1}\n");
        let decision = house.check(&["scan", "scan.jsonl"]).exits(0).json();
        assert_eq!(
            (decision["decision"].as_str(), decision["proceed"].as_bool()),
            (Some("fail"), Some(true))
        );
        assert_eq!(decision["blocking"][0]["rule"], "A");
        let shown = house.check(&["scan", "scan.jsonl", "--format", "github"]).exits(0).out();
        assert!(shown.starts_with("::warning ") && !shown.contains("::error"), "{shown}");
        let junit = house.check(&["scan", "scan.jsonl", "--format", "junit"]).exits(0).out();
        assert!(junit.contains("failures=\"0\"") && junit.contains("<skipped"), "{junit}");
        let list = house.check(&["--list"]).exits(0).json();
        assert!(list["gates"][0]["observed_until"].is_string(), "{list}");
        let replayed = house.plain(bin("gate-verify")).args(["--replay"]).output().unwrap();
        assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
    }
}

#[test]
fn a_trial_that_is_over_enforces_and_the_linter_counts_the_days() {
    let house = House::new(&policy("\"2026-01-01T00:00:00Z\""));
    house.check(&["lint", "--", "sh", "-c", "exit 3"]).exits(3);
    let lint = |house: &House| {
        let output = house.plain(bin("gate-verify")).arg("policy").output().unwrap();
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(lint(&house).contains("gate 'lint' enforces since 2026-01-01T00:00:00"), "{}", lint(&house));
    let house = House::new(&policy("\"2999-01-01\""));
    assert!(lint(&house).contains("more days, until 2999-01-01T00:00:00"), "{}", lint(&house));
}

#[test]
fn a_change_cannot_put_its_gate_on_trial() {
    let house = House::new("version = 1\n[gates.lint]\n");
    house.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    house.write("gate.toml", policy("\"2999-01-01\""));
    house.commit("a trial of its own");
    let base = ["lint", "--policy-ref", "refs/remotes/origin/main", "--", "false"];
    house.check(&base).exits(1);
}

#[test]
fn a_trial_without_an_end_is_refused() {
    for (keys, code) in [
        ("mode = \"observe\"", "until"),
        ("until = \"2999-01-01\"", "observe"),
        ("mode = \"observe\"\nuntil = \"soon\"", "2026-12-24"),
        ("mode = \"observe\"\nuntil = \"2999-01-01T00:00:00\"", "zone"),
        ("mode = \"observe\"\nuntil = 2999-01-01T00:00:00", "zone"),
        ("mode = \"watch\"\nuntil = \"2999-01-01\"", "enforce, observe"),
    ] {
        let house = House::new(&format!("version = 1\n[gates.lint]\n{keys}\n"));
        house.check(&["lint", "--", "true"]).exits(125).says(&[code]);
    }
}
