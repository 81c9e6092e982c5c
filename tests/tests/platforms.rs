//! The tools where pipelines run: pull requests and merge requests with their tokens, changes and their queues, runs
//! and their re-runs, environments, and systems that are not known.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

mod support;

use gate_tests::tokens::{jwks, key, signed};
use serde_json::{Value, json};
use support::{House, Ran, now};

const RULES: &str = r#"
version = 1

[[identity.oidc]]
issuer   = "https://token.actions.githubusercontent.com"
audience = "gate"
jwks     = "jwks.json"
claims   = { repository_id = "1" }

[[identity.oidc]]
issuer   = "https://gitlab.com"
audience = "gate"
jwks     = "jwks.json"
claims   = { project_id = "1" }

[[identity.oidc]]
issuer   = "https://ci.example.com"
audience = "gate"
jwks     = "jwks.json"
claims   = { project = "acme.example/pay" }
map      = { via = "acme", subject = ["team", "project"], repository = "project", ref = "/git/ref" }

[gates.lint]
[[gates.lint.allow]]
actions = ["skip", "override"]
who = ["*"]
scopes = ["commit", "change", "run"]
max_ttl = "4h"

[gates.deploy]
[[gates.deploy.allow]]
actions = ["skip"]
who = ["*"]
environments = ["production"]
scopes = ["environment"]
max_ttl = "4h"

[gates.proven]
[[gates.proven.allow]]
actions = ["skip"]
who = ["*"]
refs = ["refs/heads/main"]
scopes = ["ref"]
facts = "oidc"
max_ttl = "4h"
"#;

fn trusting() -> House {
    let house = House::without_ledger(RULES);
    house.write("jwks.json", jwks("k1", &key(7)));
    house.create_ledger(".gate/ledger.db");
    house.commit("base");
    house
}

/// A token with these claims, good for five minutes.
fn token(mut claims: Value) -> String {
    let at = now().micros() / 1_000_000;
    for (name, value) in
        [("aud", json!("gate")), ("iat", json!(at)), ("nbf", json!(at)), ("exp", json!(at + 300))]
    {
        claims[name] = value;
    }
    signed(r#"{"alg":"EdDSA","kid":"k1"}"#, &claims, &key(7))
}

type Variables = Vec<(String, String)>;

/// The variables of a run on GitHub with some changed.
fn github(house: &House, changed: &[(&str, &str)]) -> Variables {
    let mut all = house.github("carol");
    all.extend(changed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    all
}

fn run(house: &House, tool: &str, args: &[&str], variables: &Variables) -> Ran {
    Ran::of(house.tool(tool, args).envs(variables.iter().cloned()).output().unwrap())
}

fn pull_request(house: &House) -> Variables {
    github(house, &[("GITHUB_EVENT_NAME", "pull_request"), ("GITHUB_REF", "refs/pull/7/merge")])
}

fn github_claims(house: &House) -> Value {
    json!({
        "iss": "https://token.actions.githubusercontent.com", "sub": "repo:acme/payments:pull_request",
        "actor": "carol", "repository": "acme/payments", "repository_id": "1", "ref": "refs/pull/7/merge",
        "sha": house.git(&["rev-parse", "HEAD"]), "run_id": "77", "run_attempt": "1", "event_name": "pull_request",
    })
}

fn gitlab(house: &House) -> (Variables, Value) {
    let sha = house.git(&["rev-parse", "HEAD"]);
    let pairs = [
        ("GITLAB_CI", "true"),
        ("CI_PROJECT_URL", "https://gitlab.com/acme/pay"),
        ("CI_PIPELINE_ID", "42"),
        ("CI_PIPELINE_SOURCE", "merge_request_event"),
        ("CI_COMMIT_SHA", &sha),
        ("GITLAB_USER_LOGIN", "carol"),
        ("CI_MERGE_REQUEST_IID", "7"),
        ("CI_MERGE_REQUEST_EVENT_TYPE", "detached"),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "main"),
    ];
    let claims = json!({
        "iss": "https://gitlab.com", "sub": "project_path:acme/pay:ref_type:branch:ref:main", "project_id": "1",
        "project_path": "fork/pay", "job_project_path": "acme/pay", "user_login": "carol", "ref": "main",
        "ref_type": "branch", "ref_path": "refs/heads/main", "sha": sha, "pipeline_id": "42",
        "pipeline_source": "merge_request_event",
    });
    (pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(), claims)
}

fn with_token(mut variables: Variables, claims: Value) -> Variables {
    variables.push(("GATE_ID_TOKEN".to_owned(), token(claims)));
    variables
}

fn last_context(house: &House) -> Value {
    house.last_decision()["data"]["context"].clone()
}

#[test]
fn a_token_does_not_switch_opt_outs_off_in_pull_and_merge_requests() {
    let house = trusting();
    house.granted(&["lint"]);
    let plain = pull_request(&house);
    run(&house, "gate-check", &["lint", "--", "false"], &plain).exits(0);
    run(&house, "gate-check", &["lint", "--", "false"], &with_token(plain, github_claims(&house))).exits(0);
    let context = last_context(&house);
    assert_eq!((&context["change"], &context["ref"]), (&json!("7"), &json!("refs/pull/7/head")));
    assert_eq!((&context["assurance"], context.get("unproven")), (&json!("oidc"), None));

    house.git(&["remote", "set-url", "origin", "https://gitlab.com/acme/pay.git"]);
    house.skip(&["lint", "--reason", "again"]).exits(0);
    let (plain, claims) = gitlab(&house);
    run(&house, "gate-check", &["lint", "--", "false"], &plain).exits(0);
    run(&house, "gate-check", &["lint", "--", "false"], &with_token(plain, claims)).exits(0);
    let context = last_context(&house);
    // GitLab's token does not say of which merge request it is, and a branch of a fork may be called main.
    assert_eq!((&context["ref"], &context["change"]), (&json!("refs/merge-requests/7/head"), &json!("7")));
    assert_eq!(context["unproven"], json!(["ref", "change"]));
}

/// The tests of a pull request could else ask for opt-outs in the name of whoever started the job.
#[test]
fn the_gated_command_does_not_get_the_token() {
    let house = trusting();
    let variables = with_token(pull_request(&house), github_claims(&house));
    let script = r#"[ -z "${GATE_ID_TOKEN+x}" ] && [ "$GITHUB_ACTIONS" = true ]"#;
    run(&house, "gate-check", &["lint", "--", "sh", "-c", script], &variables).exits(0);
}

#[test]
fn a_token_of_another_change_branch_or_run_contradicts_the_variables() {
    let house = trusting();
    house.granted(&["lint"]);
    let refused = |variables: Variables, claims: Value| {
        let ran = run(&house, "gate-check", &["lint", "--", "false"], &with_token(variables, claims));
        ran.exits(1).says(&["contradict each other"]);
    };
    for (claim, value) in [
        ("ref", "refs/pull/8/merge"),
        ("ref", "refs/heads/main"),
        ("run_id", "78"),
        ("sha", &"1".repeat(40)),
        ("repository", "acme/other"),
        ("event_name", "pull_request_target"),
    ] {
        let mut claims = github_claims(&house);
        claims[claim] = json!(value);
        let told_otherwise = claim != "event_name";
        if told_otherwise {
            refused(pull_request(&house), claims);
        } else {
            // The variables make a branch of what the token says is for a change.
            refused(github(&house, &[]), claims);
        }
    }
    house.git(&["remote", "set-url", "origin", "https://gitlab.com/acme/pay.git"]);
    house.skip(&["lint", "--reason", "again"]).exits(0);
    let (variables, mut claims) = gitlab(&house);
    claims["ref_path"] = json!("refs/heads/other");
    refused(variables, claims);
}

#[test]
fn the_ref_of_a_fork_is_never_proven_to_be_main() {
    let house = trusting();
    house.git(&["remote", "set-url", "origin", "https://gitlab.com/acme/pay.git"]);
    let (variables, claims) = gitlab(&house);
    let without_change: Variables = variables
        .into_iter()
        .filter(|(name, _)| !name.starts_with("CI_MERGE_REQUEST") && name != "CI_PIPELINE_SOURCE")
        .collect();
    let mut disguised = without_change;
    disguised.push(("CI_COMMIT_BRANCH".to_owned(), "main".to_owned()));
    let ask = ["proven", "--ref", "refs/heads/main", "--reason", "x"];
    run(&house, "gate-skip", &ask, &with_token(disguised, claims))
        .exits(1)
        .says(&["the token is for a change"]);
}

#[test]
fn facts_that_only_a_variable_states_do_not_satisfy_a_rule_that_wants_them_proven() {
    let house = trusting();
    house.git(&["remote", "remove", "origin"]);
    let variables = github(
        &house,
        &[("GITHUB_REPOSITORY", "pay"), ("GITHUB_SERVER_URL", "https://acme.example"), ("GITHUB_RUN_ID", "")],
    );
    let ask = |git: Value| {
        let claims = json!({
            "iss": "https://ci.example.com", "sub": "x", "team": "core", "project": "acme.example/pay", "git": git,
        });
        let args = ["proven", "--ref", "refs/heads/main", "--reason", "x"];
        run(&house, "gate-skip", &args, &with_token(variables.clone(), claims))
    };
    ask(json!({})).exits(1).says(&["needs the ref from the CI token"]);
    // A short name may be a fork's branch.
    ask(json!({"ref": "main"})).exits(1).says(&["needs the ref from the CI token"]);
    let granted = ask(json!({"ref": "refs/heads/main"})).exits(0).json();
    assert_eq!(granted["by"]["id"], "acme:core/acme.example/pay");
}

#[test]
fn an_opt_out_for_a_change_counts_in_its_runs_and_its_queue_and_nowhere_else() {
    let house = trusting();
    let mine = pull_request(&house);
    run(&house, "gate-skip", &["lint", "--change", "--reason", "flaky"], &mine).exits(0);
    // More commits, another attempt, the merge queue.
    house.write("more.txt", "more");
    house.commit("more");
    let check = |changed: &[(&str, &str)]| {
        run(&house, "gate-check", &["lint", "--", "false"], &github(&house, changed)).code
    };
    let pull = [("GITHUB_EVENT_NAME", "pull_request"), ("GITHUB_REF", "refs/pull/7/merge")];
    assert_eq!(check(&pull), 0);
    assert_eq!(check(&[pull[0], pull[1], ("GITHUB_RUN_ATTEMPT", "2")]), 0);
    let entry = format!("refs/heads/gh-readonly-queue/main/pr-7-{}", "1".repeat(40));
    assert_eq!(check(&[("GITHUB_EVENT_NAME", "merge_group"), ("GITHUB_REF", &entry)]), 0);
    assert_ne!(check(&[pull[0], ("GITHUB_REF", "refs/pull/8/merge")]), 0, "another change");
    assert_ne!(check(&[]), 0, "after the merge");
    assert_ne!(check(&[("GITHUB_REF", &entry)]), 0, "a branch of that name");
    house.skip(&["lint", "--change", "--reason", "x"]).exits(2).says(&["--change=NUMBER"]);
    for odd in ["--change=", "--change=007", "--change=7x", "--change=-7"] {
        house.skip(&["lint", odd, "--reason", "x"]).exits(2);
    }
    house.skip(&["deploy", "--change=7", "--reason", "x"]).exits(1);
}

#[test]
fn a_run_and_its_re_run_are_one_and_an_unknown_run_is_refused() {
    let house = trusting();
    let again = github(&house, &[("GITHUB_RUN_ATTEMPT", "2")]);
    for (asked, then) in [("77", 0), ("77.1", 0)] {
        let id = run(
            &house,
            "gate-skip",
            &["lint", "--run", asked, "--uses", "1", "--reason", "x"],
            &github(&house, &[]),
        );
        id.exits(0);
        assert_eq!(run(&house, "gate-check", &["lint", "--", "false"], &again).code, then, "{asked}");
        assert_ne!(run(&house, "gate-check", &["lint", "--", "false"], &again).code, 0, "{asked} is used up");
    }
    let other = run(&house, "gate-skip", &["lint", "--run", "78", "--reason", "x"], &again);
    other.exits(0).says(&["this is run 77"]);
    house
        .skip(&["lint", "--run", "17", "--reason", "x"])
        .exits(2)
        .says(&["would never count", "GATE_RUN_ID"]);
}

#[test]
fn an_environment_can_be_said_where_the_system_has_no_variable() {
    let house = trusting();
    let here = github(&house, &[]);
    run(&house, "gate-skip", &["deploy", "--environment", "production", "--reason", "x"], &here).exits(0);
    let check = |args: &[&str], variables: &Variables| {
        let args: Vec<&str> = [&["deploy"], args, &["--", "false"]].concat();
        run(&house, "gate-check", &args, variables).code
    };
    assert_ne!(check(&[], &here), 0);
    assert_ne!(check(&["--environment", "staging"], &here), 0);
    assert_eq!(check(&["--environment", "production"], &here), 0);
    assert_eq!(check(&[], &github(&house, &[("GATE_ENVIRONMENT", "production")])), 0);
    assert_eq!(run(&house, "gate-check", &["deploy", "--environment", "", "--", "true"], &here).code, 125);
    let (gitlab, _) = gitlab(&house);
    let mut staging = gitlab;
    staging.push(("CI_ENVIRONMENT_NAME".to_owned(), "staging".to_owned()));
    let ran = run(&house, "gate-check", &["deploy", "--environment", "production", "--", "false"], &staging);
    ran.exits(1).says(&["contradict each other", "staging"]);
}

#[test]
fn a_plan_reads_the_environment_of_a_deployments_event_as_a_run_does() {
    let house = trusting();
    for (told, code) in [("production", 0), ("staging", 1)] {
        house.write("event.json", format!(r#"{{"deployment":{{"environment":"{told}"}}}}"#));
        let event = house.path("event.json").display().to_string();
        let here = github(&house, &[("GITHUB_EVENT_NAME", "deployment"), ("GITHUB_EVENT_PATH", &event)]);
        let ask = ["deploy", "--environment", "production", "--reason", "x"];
        run(&house, "gate-skip", &ask, &github(&house, &[])).exits(0);
        let plan = run(&house, "gate-check", &["deploy", "--plan"], &here);
        let verdict = if code == 0 { "skip" } else { "run" };
        assert_eq!(plan.json()["decision"], verdict, "{told}");
        assert_eq!(run(&house, "gate-check", &["deploy", "--", "false"], &here).code, code, "{told}");
        assert_eq!(last_context(&house)["environment"], told);
    }
}

#[test]
fn an_unknown_system_is_named_and_nobody_in_particular_starts_its_runs() {
    let house = trusting();
    let ci = vec![("CI".to_owned(), "true".to_owned())];
    let ran =
        run(&house, "gate-check", &["lint", "--", "true"], &ci).exits(0).says(&["not known", "GATE_ACTOR"]);
    assert_eq!(ran.stderr.matches("GATE_ACTOR").count(), 1);
    assert_eq!(house.last_decision()["actor"]["id"], "ci:nobody");
    run(&house, "gate-skip", &["lint", "--reason", "x"], &ci).exits(0);
    let mut known = ci;
    known.push(("GATE_ACTOR".to_owned(), "carol".to_owned()));
    let ran = run(&house, "gate-check", &["lint", "--", "true"], &known).exits(0);
    assert!(!ran.stderr.contains("not known"), "{}", ran.stderr);
    assert_eq!(house.last_decision()["actor"]["id"], "custom:carol");
}

#[test]
fn variables_stand_for_the_options_of_policy_and_format() {
    let house = trusting();
    let base = house.git(&["rev-parse", "HEAD"]);
    house.write("gate.toml", RULES.replace("[gates.lint]\n", "[gates.other]\n[gates.lint]\n"));
    house.check_with(&["other", "--", "true"], &[("GATE_POLICY_REF", &base)]).exits(125);
    house.check_with(&["other", "--", "true"], &[]).exits(0);
    house.write("r.sarif", support::sarif(&[support::result("R1", "error", "a.py", 1)]));
    let github = house.check_with(&["other", "r.sarif"], &[("GATE_FORMAT", "github")]).exits(1);
    assert!(github.out().starts_with("::error"), "{}", github.out());
    house.check_with(&["other", "r.sarif", "--format", "json"], &[("GATE_FORMAT", "github")]).exits(1).json();
    house
        .check_with(&["other", "--", "touch", "ran"], &[("GATE_FORMAT", "githb")])
        .exits(125)
        .says(&["GATE_FORMAT"]);
    assert!(!house.path("ran").exists());
    // Where a tool does not have the format its own default holds.
    house.skip_with(&["lint", "--reason", "x"], &[("GATE_FORMAT", "junit")]).exits(0).json();
}

#[test]
fn one_repository_that_two_hosts_serve_is_one() {
    let house = trusting();
    house.git(&["remote", "set-url", "origin", "https://mirror.example.com/acme/payments.git"]);
    let here = github(&house, &[]);
    let check = || run(&house, "gate-check", &["lint", "--", "false"], &here);
    run(&house, "gate-skip", &["lint", "--reason", "x"], &Vec::new()).exits(0);
    check().exits(1).says(&["contradict each other"]);
    let aliases =
        "[repository]\naliases = [\"github.com/acme/payments\", \"mirror.example.com/acme/payments\"]\n";
    house.write("gate.toml", RULES.replace("version = 1\n", &format!("version = 1\n{aliases}")));
    run(&house, "gate-skip", &["lint", "--reason", "x"], &Vec::new()).exits(0);
    check().exits(0);
    assert_eq!(last_context(&house)["repository"], "github.com/acme/payments");
    house.write(
        "gate.toml",
        RULES.replace("version = 1\n", "version = 1\n[repository]\naliases = [\"payments\"]\n"),
    );
    check().exits(125).says(&["repository.aliases", "github.com/acme/payments"]);
}
