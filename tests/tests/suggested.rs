//! A command that a blocked gate suggests is one that its policy takes, from somebody at another machine.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::Value;
use support::{House, result, sarif};

const FINDING: &str = r#"actions = ["waive"]"#;

/// A policy of one gate with these rules.
fn policy(rules: &[&str]) -> String {
    let rules: Vec<String> = rules
        .iter()
        .map(|rule| format!("[[gates.build.allow]]\nwho = [\"*\"]\nmax_ttl = \"1h\"\n{rule}\n"))
        .collect();
    format!("version = 1\n[groups]\nleads = [\"github:bob\"]\n[gates.build]\n{}", rules.concat())
}

/// What the gate suggests in a run of the pull request 7 on a hosted runner.
fn suggested(house: &House, more: &[(&str, &str)]) -> Value {
    let mut env = house.github("carol");
    let own = [("GITHUB_EVENT_NAME", "push"), ("GITHUB_REF", "refs/heads/main")];
    env.retain(|(name, _)| !own.iter().chain(more).any(|(other, _)| other == name));
    let env = env.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let env: Vec<_> = env.chain(own).chain(more.iter().copied()).collect();
    house.check_with(&["build", "scan.sarif"], &env).exits(1).json()
}

fn argv(suggestion: &Value) -> Vec<String> {
    serde_json::from_value(suggestion["argv"].clone()).unwrap()
}

/// Gives the command the words that only a person has, and runs it where no CI system is.
fn pasted(house: &House, suggestion: &Value) -> support::Ran {
    let mut words = argv(suggestion);
    assert_eq!(words.remove(0), "gate-skip");
    words.iter_mut().filter(|word| word.is_empty()).for_each(|word| "SEC-7".clone_into(word));
    words.extend(["--reason", "it is known"].map(str::to_owned));
    house.skip(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn the_revision_of_the_policy_is_said_again_wherever_a_command_is_offered() {
    let house = blocked(&[
        "actions = [\"waive\"]\nassurance = \"asserted\"",
        "actions = [\"override\"]\napprovals = { from = [\"leads\"], assurance = \"asserted\" }",
        "actions = [\"skip\"]\nbreak_glass = true\nreview_within = \"2h\"\nreviewers = [\"leads\"]",
    ]);
    let revision = "refs/heads/main";
    let named = [("GATE_POLICY_REF", revision)];
    let decision = house.check_with(&["build", "scan.sarif"], &named).exits(1).json();
    let all = decision["suggest"].as_array().unwrap().iter().chain([&decision["suggest_all"]]);
    for suggestion in all {
        assert!(
            argv(suggestion).ends_with(&["--policy-ref".to_owned(), revision.to_owned()]),
            "{suggestion}"
        );
        assert!(suggestion["command"].as_str().unwrap().ends_with("--policy-ref refs/heads/main"));
    }
    // What is pasted is judged by that revision, whatever the work tree says by then.
    house.write("gate.toml", "version = 1\n[gates.build]\n");
    pasted(&house, &decision["suggest_all"]).exits(0);
    let asked =
        |more: &[&'static str]| [&["build", "--reason", "x", "--policy-ref", revision][..], more].concat();
    let waits = house.skip(&asked(&["--action", "override"])).exits(3).json();
    let id = &waits["id"];
    let offered = format!("gate-skip approve {id} --policy-ref {revision}");
    assert!(waits["reasons"].to_string().contains(&offered), "{waits}");
    let glass = house.skip(&asked(&["--break-glass"])).exits(0).json();
    let offered = format!("gate-skip review {} --verdict accepted --policy-ref {revision}", glass["id"]);
    assert!(glass["reasons"].to_string().contains(&offered), "{glass}");
    let due =
        house.tool("gate-log", &["due", "--format", "json", "--policy-ref", revision]).output().unwrap();
    let due: Value = serde_json::from_slice(&due.stdout).unwrap();
    for part in ["requests", "reviews", "ending"] {
        let items = due[part].as_array().unwrap();
        assert!(!items.is_empty(), "{part}: {due}");
        assert!(
            items
                .iter()
                .all(|one| one["command"].as_str().unwrap().ends_with(" --policy-ref refs/heads/main")),
            "{items:?}"
        );
    }
    // Where none is named none is told.
    house.sh("git checkout -q gate.toml").exits(0);
    let decision = house.check(&["build", "scan.sarif"]).json();
    assert!(!decision.to_string().contains("--policy-ref"), "{decision}");
}

#[test]
fn whoever_must_sign_is_told_to_wherever_a_command_is_offered() {
    let house = House::new(&policy(&[
        "actions = [\"override\"]\napprovals = { from = [\"leads\"], assurance = \"signed\" }",
    ]));
    let waits = house.skip(&["build", "--action", "override", "--reason", "x"]).exits(3).json();
    let offered = format!("gate-skip approve {} --sign", waits["id"]);
    assert!(waits["reasons"].to_string().contains(&offered), "{waits}");
}

fn blocked(rules: &[&str]) -> House {
    let house = House::new(&policy(rules));
    house.write("scan.sarif", sarif(&[result("R1", "error", "a.py", 1), result("R2", "error", "b.py", 2)]));
    house
}

#[test]
fn whatever_a_rule_wants_is_said_and_the_policy_takes_it() {
    let passes = r#"actions = ["override", "skip"]"#;
    for (terms, option, status) in [
        ("", "--commit", 0),
        ("scopes = [\"ref\"]", "--ref", 0),
        ("scopes = [\"run\"]", "--run", 2),
        ("scopes = [\"repository\"]", "--repository", 0),
        ("environments = [\"production\"]", "--environment", 0),
        ("refs = [\"refs/heads/*\"]", "--ref", 0),
        ("scopes = [\"ref\", \"environment\"]\nenvironments = [\"production\"]", "--environment", 0),
        ("ticket = \"^SEC-\"", "--ticket", 0),
        ("break_glass = true\nreview_within = \"1d\"\nreviewers = [\"group:leads\"]", "--break-glass", 0),
        ("approvals = { from = [\"group:leads\"] }", "--commit", 3),
    ] {
        let house = blocked(&[&format!("{passes}\n{terms}")]);
        let decision = suggested(&house, &[("GATE_ENVIRONMENT", "production")]);
        let one = &decision["suggest"][0];
        assert!(argv(one).iter().any(|word| word == option), "{terms}: {one}");
        let ran = pasted(&house, one);
        // Where no run is known none can be meant: that is said in other words, and nothing is recorded.
        assert_eq!(ran.code, status, "{terms}: {one}: {}", ran.stderr);
    }
}

#[test]
fn one_for_a_pull_request_names_it_and_its_next_run_goes_past() {
    let house = blocked(&["actions = [\"override\"]\nscopes = [\"change\"]"]);
    let own = house.git(&["rev-parse", "HEAD"]);
    let event = format!(
        "{{\"pull_request\":{{\"number\":7,\"head\":{{\"sha\":\"{}\",\"ref\":\"topic\"}},\"base\":{{\"ref\":\"main\"}}}}}}",
        own.trim()
    );
    let event = house.write("event.json", event).display().to_string();
    let pull = [
        ("GITHUB_EVENT_NAME", "pull_request"),
        ("GITHUB_REF", "refs/pull/7/merge"),
        ("GITHUB_EVENT_PATH", event.as_str()),
    ];
    let decision = suggested(&house, &pull);
    assert!(argv(&decision["suggest"][0]).iter().any(|word| word == "--change=7"), "{decision}");
    pasted(&house, &decision["suggest"][0]).exits(0);
}

#[test]
fn a_rule_that_would_refuse_the_findings_is_not_what_is_suggested() {
    let low = format!("{FINDING}\nmax_level = \"warning\"");
    let house = blocked(&[&low]);
    assert_eq!(suggested(&house, &[])["suggest"].as_array().map(Vec::len), Some(0));
    let house = blocked(&[&low, "actions = [\"override\"]"]);
    let decision = suggested(&house, &[]);
    assert!(argv(&decision["suggest"][0]).contains(&"override".to_owned()), "{decision}");
    pasted(&house, &decision["suggest"][0]).exits(0);
    let house = blocked(&["actions = [\"skip\"]"]);
    pasted(&house, &suggested(&house, &[])["suggest"][0]).exits(0);
}

#[test]
fn one_command_waives_all_with_what_the_rule_wants() {
    let terms = "environments = [\"production\"]\nticket = \"^SEC-\"";
    let house = blocked(&[&format!("{FINDING}\n{terms}")]);
    let decision = suggested(&house, &[("GATE_ENVIRONMENT", "production")]);
    for suggestion in [&decision["suggest"][1], &decision["suggest_all"]] {
        pasted(&house, suggestion).exits(0);
    }
    // No rule reaches a run that names no environment.
    assert_eq!(suggested(&house, &[])["suggest"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_rule_for_people_who_sign_is_asked_with_a_signature() {
    let house = blocked(&["actions = [\"override\"]\nassurance = \"signed\""]);
    assert!(argv(&suggested(&house, &[])["suggest"][0]).contains(&"--sign".to_owned()));
}

#[test]
fn a_request_that_waits_names_the_command_that_its_rule_takes() {
    for (assurance, ending) in [("", " --sign"), (", assurance = \"asserted\"", "")] {
        let approvals = format!("approvals = {{ from = [\"group:leads\"]{assurance} }}");
        let house = blocked(&[&format!("actions = [\"override\"]\n{approvals}")]);
        let answer =
            house.skip(&["build", "--action", "override", "--reason", "it is known"]).exits(3).json();
        let reason = answer["reasons"][0].as_str().unwrap();
        let command = format!("gate-skip approve {}{ending}", answer["id"]);
        assert!(reason.ends_with(&command), "{reason}");
        assert!(reason.contains("needs 1 more approval from group:leads"), "{reason}");
    }
}

#[test]
fn a_name_that_looks_like_an_option_stays_a_value() {
    let house = blocked(&["actions = [\"override\"]\nscopes = [\"environment\"]"]);
    let decision = suggested(&house, &[("GATE_ENVIRONMENT", "--break-glass")]);
    assert!(argv(&decision["suggest"][0]).contains(&"--environment=--break-glass".to_owned()), "{decision}");
    pasted(&house, &decision["suggest"][0]).exits(0);
}
