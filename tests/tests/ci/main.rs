//! The recipes of scripts/ci, played as their platforms would: the documented variables and event files, the checkout
//! as the platform makes it, the steps as the recipe writes them, and then a look at the ledger.
//!
//! What is played is read from the recipes themselves: the scripts, and which input becomes which variable. The tools
//! are installed by the recipe too, from a release at a file: address, whose programs start those that were built.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a test that cannot go on fails, one that is skipped says so, and modules share their items"
)]

mod host;
mod platforms;
mod recipe;
mod systems;

use std::path::Path;

use host::{Host, Played};
use platforms::{azure, github, gitlab, jenkins};
use serde_json::Value;

/// What every recipe must come to for a change that weakens its own rules: the rules of the base count.
fn judged_by_the_base(host: &Host, played: &Played, expected: &Expected<'_>) {
    let decision = host.only_decision();
    let (data, context) = (&decision["data"], &decision["data"]["context"]);
    assert_eq!(data["decision"], expected.verdict, "{}\n{decision}", played.told());
    assert_eq!(played.status == 0, expected.verdict == "pass", "{}", played.told());
    assert_eq!(data["policy"]["source"], format!("rev:{}", host.main), "the rules of the branch it goes to");
    assert_eq!(decision["actor"]["id"], expected.actor, "{decision}");
    assert_eq!(context["commit"], expected.commit, "{decision}");
    assert_eq!(context["ref"], expected.git_ref, "{decision}");
    let run = context["run"]["id"].as_str().unwrap();
    assert_eq!(run.split('.').next(), Some(expected.run), "{decision}");
    assert_eq!(context.get("conflicts"), None, "{decision}");
}

struct Expected<'a> {
    verdict: &'a str,
    actor: &'a str,
    commit: &'a str,
    git_ref: &'a str,
    run: &'a str,
}

#[test]
fn github_pull_request() {
    let host = Host::new();
    let played = github::pull_request(&host, &[("gate", "lint"), ("run", "exit 3")]);
    let expected = Expected {
        verdict: "fail",
        actor: "github:carol",
        commit: &host.change,
        git_ref: "refs/pull/7/head",
        run: "99",
    };
    judged_by_the_base(&host, &played, &expected);
    assert_eq!(played.status, 3, "the command's own status");
    let table =
        "| gate | decision | blocking | waived |\n| --- | --- | ---: | ---: |\n| lint | fail | 0 | 0 |\n";
    let page = played.summary.strip_prefix(table).unwrap();
    assert!(page.starts_with("\n<h3><code>lint&#58; fail</code></h3>\n"), "{page}");
}

#[test]
fn github_findings_are_annotations_of_the_change() {
    let host = Host::new();
    let run = format!("cp '{}' scan.sarif", host.report().display());
    let played = github::pull_request(&host, &[("gate", "sast"), ("run", &run), ("findings", "scan.sarif")]);
    assert_eq!(played.status, 1, "{}", played.told());
    assert!(played.stderr.contains("::error file=payments.py,line=3"), "{}", played.told());
    assert!(played.summary.contains("<code>R1</code>"), "{}", played.told());
    assert_eq!(
        host.only_decision()["data"]["blocking"],
        1,
        "annotations and the summary are views of one decision"
    );
}

#[test]
fn github_merge_queue() {
    let host = Host::new();
    let played = github::merge_group(&host, &[("gate", "lint"), ("run", "true")]);
    let queue = format!("refs/heads/gh-readonly-queue/main/pr-7-{}", host.main);
    let decision = host.only_decision();
    assert_eq!(played.status, 0, "{}", played.told());
    assert_eq!(decision["data"]["policy"]["source"], format!("rev:{}", host.main));
    assert_eq!(decision["data"]["context"]["commit"], host.merge, "{decision}");
    assert!(
        [&queue, "refs/pull/7/head"].contains(&decision["data"]["context"]["ref"].as_str().unwrap()),
        "{decision}"
    );
}

#[test]
fn github_push() {
    let host = Host::new();
    let played = github::push(&host, &[("gate", "lint"), ("run", "true")]);
    let expected = Expected {
        verdict: "pass",
        actor: "github:carol",
        commit: &host.main,
        git_ref: "refs/heads/main",
        run: "99",
    };
    judged_by_the_base(&host, &played, &expected);
}

#[test]
fn github_schedule_is_judged_by_the_default_branch_though_its_event_names_none_and_is_nobodys() {
    let host = Host::new();
    let played = github::schedule(&host, &[("gate", "lint"), ("run", "true")]);
    let expected = Expected {
        verdict: "pass",
        actor: "github:nobody",
        commit: &host.main,
        git_ref: "refs/heads/main",
        run: "99",
    };
    judged_by_the_base(&host, &played, &expected);
}

#[test]
fn a_release_with_another_digest_is_not_installed() {
    let host = Host::new();
    let wrong = "0".repeat(64);
    let played = github::push(&host, &[("gate", "lint"), ("run", "true"), ("sha256", &wrong)]);
    assert_ne!(played.status, 0);
    assert!(played.stdout.contains("FAILED"), "{}", played.told());
    assert!(host.decisions().is_empty());
}

#[test]
fn gitlab_merge_request() {
    let host = Host::new();
    let run = format!("cp '{}' scan.sarif", host.report().display());
    let played = gitlab::merge_request(&host, &[("gate", "sast"), ("run", &run), ("findings", "scan.sarif")]);
    let expected = Expected {
        verdict: "fail",
        actor: "gitlab:carol",
        commit: &host.change,
        git_ref: "refs/merge-requests/7/head",
        run: "4711",
    };
    judged_by_the_base(&host, &played, &expected);
    let quality: Value = serde_json::from_str(&played.file("codequality.json")).unwrap();
    assert_eq!(quality[0]["location"]["path"], "payments.py", "{quality}");
}

#[test]
fn gitlab_push() {
    let host = Host::new();
    let played = gitlab::push(&host, &[("gate", "lint"), ("run", "true")]);
    let expected = Expected {
        verdict: "pass",
        actor: "gitlab:carol",
        commit: &host.main,
        git_ref: "refs/heads/main",
        run: "4711",
    };
    judged_by_the_base(&host, &played, &expected);
}

#[test]
fn azure_pull_request() {
    let host = Host::new();
    let played = azure::pull_request(&host, &[("gate", "lint"), ("run", "false")]);
    let decision = host.only_decision();
    assert_eq!(played.status, 1, "{}", played.told());
    assert_eq!(decision["data"]["policy"]["source"], format!("rev:{}", host.main));
    assert_eq!(decision["data"]["context"]["commit"], host.change, "{decision}");
    assert!(played.stdout.contains("##vso[task.uploadsummary]"), "{}", played.told());
}

#[test]
fn jenkins_change_of_a_multibranch_pipeline() {
    let host = Host::new();
    let played = jenkins::change(&host, &[("name", "lint"), ("run", "true")]);
    let decision = host.only_decision();
    assert_eq!(played.status, 0, "{}", played.told());
    assert_eq!(decision["data"]["policy"]["source"], format!("rev:{}", host.main));
    assert_eq!(decision["data"]["context"]["commit"], host.change, "{decision}");
    assert_eq!(decision["data"]["context"]["run"]["id"], "payments/PR-7#12", "{decision}");
}

#[test]
fn pre_commit_runs_the_gate_before_a_commit() {
    let Some(pre_commit) = host::partner("pre-commit") else { return };
    let host = Host::new();
    let clone = host.clone_whole();
    std::fs::copy(recipe::path("pre-commit.yml"), clone.join(".pre-commit-config.yaml")).unwrap();
    std::fs::write(clone.join("ruff"), "#!/bin/sh\nexit 1\n").unwrap();
    let script = format!("chmod +x ruff; git add -A; PATH=$PWD:$PATH '{pre_commit}' run lint");
    let played = host.shell(&clone, &script, &[]);
    assert_ne!(played.status, 0, "{}", played.told());
    assert_eq!(host.only_decision()["data"]["decision"], "fail");
}

#[test]
fn recipes_are_valid_to_their_platforms_schemas() {
    let Some(check) = host::partner("check-jsonschema") else { return };
    let room = tempfile::tempdir().unwrap();
    // Of two documents the first says what inputs there are; the schema is that of the second.
    let gitlab = std::fs::read_to_string(recipe::path("gitlab.yml")).unwrap();
    let body = room.path().join("gitlab.yml");
    std::fs::write(&body, gitlab.split_once("\n---\n").unwrap().1).unwrap();
    let gitlab_options = ["--data-transform", "gitlab-ci"];
    let recipes: [(&str, &Path, &[&str]); 3] = [
        ("vendor.github-actions", &recipe::path("github/action.yml"), &[]),
        ("vendor.azure-pipelines", &recipe::path("azure.yml"), &[]),
        ("vendor.gitlab-ci", &body, &gitlab_options),
    ];
    for (schema, file, more) in recipes {
        let output = std::process::Command::new(&check)
            .args(["--builtin-schema", schema])
            .args(more)
            .arg(file)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn the_pre_commit_recipe_is_valid_to_pre_commit() {
    let Some(check) = host::partner("pre-commit") else { return };
    let output = std::process::Command::new(&check)
        .arg("validate-config")
        .arg(recipe::path("pre-commit.yml"))
        .output()
        .unwrap();
    let told = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&told));
}

/// Its warnings are about style; what does not parse is an error.
#[test]
fn the_jenkins_recipe_is_valid_to_the_groovy_linter() {
    let Some(lint) = host::partner("npm-groovy-lint") else { return };
    if !Path::new("/usr/bin/java").exists() {
        eprintln!("skipped: npm-groovy-lint asks a linter in Java, which is not installed");
        return;
    }
    let room = tempfile::tempdir().unwrap();
    let recipe = std::fs::read_to_string(recipe::path("jenkins/vars/gate.groovy")).unwrap();
    let verdict = |text: &str| {
        std::fs::write(room.path().join("gate.groovy"), text).unwrap();
        let output = std::process::Command::new(&lint)
            .args(["--noserver", "--failon", "error", "--output", "txt", "--files", "*.groovy", "--path"])
            .arg(room.path())
            .env("HOME", room.path())
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (valid, told) = verdict(&recipe);
    assert!(valid, "{told}");
    assert!(!verdict(&recipe.replacen("withEnv([", "withEnv(", 1)).0, "a linter that finds nothing wrong");
}
