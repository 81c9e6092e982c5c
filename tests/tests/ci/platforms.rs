//! Runners of the platforms: their variables, their event files, their checkouts, their shells.
//!
//! Sources: "Default environment variables" and actions/checkout of GitHub; "Predefined CI/CD variables" and
//! gitlab-runner's shell of GitLab; "Use predefined variables" of Azure Pipelines; `/env-vars.html` and the git plugin
//! of Jenkins.

use std::path::{Path, PathBuf};

use crate::host::{Host, Played};
use crate::recipe::Recipe;

type Variables = Vec<(String, String)>;

fn variables(of: &[(&str, &str)]) -> Variables {
    of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A fresh checkout in `work`, made by `fetch` and `checkout` after `git init` and `git remote add`.
pub fn checkout(host: &Host, fetch: &str, checkout: &str) -> PathBuf {
    let work = host.path("work");
    std::fs::create_dir(&work).unwrap();
    let script = format!(
        "git init -q; git remote add origin '{}'; git fetch -q --no-tags {fetch}; git checkout -q --force {checkout}",
        host.address()
    );
    let played = host.shell(&work, &script, &[]);
    assert_eq!(played.status, 0, "{}", played.told());
    work
}

pub mod github {
    use super::{Host, Path, Played, Recipe, checkout, variables};

    pub fn pull_request(host: &Host, inputs: &[(&str, &str)]) -> Played {
        let fetch = format!("--depth=1 origin +{}:refs/remotes/pull/7/merge", host.merge);
        let work = checkout(host, &fetch, "refs/remotes/pull/7/merge");
        let event = format!(
            r#"{{"number":7,"pull_request":{{"number":7,"head":{{"sha":"{}","ref":"feature"}},"base":{{"sha":"{}","ref":"main"}}}},"repository":{{"default_branch":"main"}}}}"#,
            host.change, host.main
        );
        let named = [
            ("GITHUB_EVENT_NAME", "pull_request"),
            ("GITHUB_REF", "refs/pull/7/merge"),
            ("GITHUB_REF_NAME", "7/merge"),
            ("GITHUB_SHA", &host.merge),
            ("GITHUB_HEAD_REF", "feature"),
            ("GITHUB_BASE_REF", "main"),
        ];
        play(host, inputs, &work, &event, &named)
    }

    pub fn merge_group(host: &Host, inputs: &[(&str, &str)]) -> Played {
        let branch = format!("gh-readonly-queue/main/pr-7-{}", host.main);
        let fetch = format!("--depth=1 origin +{}:refs/remotes/origin/{branch}", host.merge);
        let work = checkout(host, &fetch, &format!("-B {branch} refs/remotes/origin/{branch}"));
        let event = format!(
            r#"{{"action":"checks_requested","merge_group":{{"head_sha":"{}","head_ref":"refs/heads/{branch}","base_sha":"{}","base_ref":"refs/heads/main"}},"repository":{{"default_branch":"main"}}}}"#,
            host.merge, host.main
        );
        let git_ref = format!("refs/heads/{branch}");
        let named = [
            ("GITHUB_EVENT_NAME", "merge_group"),
            ("GITHUB_REF", git_ref.as_str()),
            ("GITHUB_REF_NAME", branch.as_str()),
            ("GITHUB_SHA", &host.merge),
            ("GITHUB_HEAD_REF", ""),
            ("GITHUB_BASE_REF", ""),
        ];
        play(host, inputs, &work, &event, &named)
    }

    pub fn push(host: &Host, inputs: &[(&str, &str)]) -> Played {
        let event = format!(r#"{{"after":"{}","repository":{{"default_branch":"main"}}}}"#, host.main);
        on_main(host, inputs, "push", &event)
    }

    /// What a timer starts: its event names no repository.
    pub fn schedule(host: &Host, inputs: &[(&str, &str)]) -> Played {
        on_main(host, inputs, "schedule", r#"{"schedule":"17 4 * * 1"}"#)
    }

    fn on_main(host: &Host, inputs: &[(&str, &str)], name: &str, event: &str) -> Played {
        let fetch = format!("--depth=1 origin +{}:refs/remotes/origin/main", host.main);
        let work = checkout(host, &fetch, "-B main refs/remotes/origin/main");
        let named = [
            ("GITHUB_EVENT_NAME", name),
            ("GITHUB_REF", "refs/heads/main"),
            ("GITHUB_REF_NAME", "main"),
            ("GITHUB_SHA", &host.main),
            ("GITHUB_HEAD_REF", ""),
            ("GITHUB_BASE_REF", ""),
        ];
        play(host, inputs, &work, event, &named)
    }

    /// The steps one after the other, each in a shell of its own, until one fails; what a step writes to
    /// `GITHUB_PATH` counts for the next.
    fn play(
        host: &Host,
        inputs: &[(&str, &str)],
        work: &Path,
        event: &str,
        named: &[(&str, &str)],
    ) -> Played {
        let releases = host.releases();
        let recipe = Recipe::read("github/action.yml", &host.inputs(&releases, inputs));
        let file = |name: &str| host.path(name).to_str().unwrap().to_owned();
        std::fs::write(host.path("event.json"), event).unwrap();
        std::fs::create_dir(host.path("temp")).unwrap();
        let mut set = variables(&[
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "acme/pay"),
            ("GITHUB_ACTOR", "carol"),
            ("GITHUB_TRIGGERING_ACTOR", "carol"),
            ("GITHUB_RUN_ID", "99"),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_EVENT_PATH", &file("event.json")),
            ("GITHUB_STEP_SUMMARY", &file("summary.md")),
            ("GITHUB_PATH", &file("path")),
            ("RUNNER_TEMP", &file("temp")),
        ]);
        set.extend(variables(named));
        set.extend(recipe.variables());
        let scripts = recipe.scripts();
        let (last, before) = scripts.split_last().unwrap();
        for script in before {
            let played = host.shell(work, script, &set);
            if played.status != 0 {
                return played;
            }
        }
        let added = std::fs::read_to_string(host.path("path")).unwrap();
        let path = format!("{}:{}", added.trim().replace('\n', ":"), std::env::var("PATH").unwrap());
        set.push(("PATH".to_owned(), path));
        host.shell(work, last, &set)
    }
}

pub mod gitlab {
    use super::{Host, Path, Played, Recipe, checkout, variables};

    pub fn merge_request(host: &Host, inputs: &[(&str, &str)]) -> Played {
        let fetch = "--depth=20 origin +refs/merge-requests/7/head:refs/pipelines/4711".to_owned();
        let work = checkout(host, &fetch, &format!("--detach {}", host.change));
        let named = [
            ("CI_PIPELINE_SOURCE", "merge_request_event"),
            ("CI_COMMIT_SHA", host.change.as_str()),
            ("CI_COMMIT_REF_NAME", "feature"),
            ("CI_MERGE_REQUEST_IID", "7"),
            ("CI_MERGE_REQUEST_EVENT_TYPE", "detached"),
            ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "feature"),
            ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", ""),
            ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
        ];
        play(host, inputs, &work, &named)
    }

    pub fn push(host: &Host, inputs: &[(&str, &str)]) -> Played {
        let fetch = "--depth=20 origin +refs/heads/main:refs/remotes/origin/main".to_owned();
        let work = checkout(host, &fetch, &format!("--detach {}", host.main));
        let named = [
            ("CI_PIPELINE_SOURCE", "push"),
            ("CI_COMMIT_SHA", host.main.as_str()),
            ("CI_COMMIT_REF_NAME", "main"),
            ("CI_COMMIT_BRANCH", "main"),
        ];
        play(host, inputs, &work, &named)
    }

    fn play(host: &Host, inputs: &[(&str, &str)], work: &Path, named: &[(&str, &str)]) -> Played {
        let releases = host.releases();
        let recipe = Recipe::read("gitlab.yml", &host.inputs(&releases, inputs));
        let mut set = variables(&[
            ("CI", "true"),
            ("GITLAB_CI", "true"),
            ("CI_JOB_ID", "1"),
            ("CI_PIPELINE_ID", "4711"),
            ("CI_PIPELINE_URL", "https://gitlab.com/acme/pay/-/pipelines/4711"),
            ("CI_PROJECT_URL", "https://gitlab.com/acme/pay"),
            ("CI_PROJECT_PATH", "acme/pay"),
            ("CI_SERVER_URL", "https://gitlab.com"),
            ("CI_DEFAULT_BRANCH", "main"),
            ("GITLAB_USER_LOGIN", "carol"),
            ("TMPDIR", host.path("").to_str().unwrap()),
        ]);
        set.extend(variables(named));
        // Without the plugin of a token issuer there is none here.
        set.extend(recipe.variables().into_iter().filter(|(name, _)| name != "GATE_ID_TOKEN"));
        host.shell(work, recipe.scripts().first().unwrap(), &set)
    }
}

pub mod azure {
    use super::{Host, Played, Recipe, checkout, variables};

    pub fn pull_request(host: &Host, inputs: &[(&str, &str)]) -> Played {
        let work = checkout(
            host,
            "--depth=1 origin +refs/pull/7/merge:refs/remotes/pull/7/merge",
            &format!("--detach {}", host.merge),
        );
        let releases = host.releases();
        let recipe = Recipe::read("azure.yml", &host.inputs(&releases, inputs));
        let temp = host.path("temp");
        let mut set = variables(&[
            ("TF_BUILD", "True"),
            ("AGENT_TEMPDIRECTORY", temp.to_str().unwrap()),
            ("BUILD_REASON", "PullRequest"),
            ("BUILD_SOURCEBRANCH", "refs/pull/7/merge"),
            ("BUILD_SOURCEVERSION", &host.merge),
            ("BUILD_BUILDID", "512"),
            ("BUILD_REPOSITORY_URI", "https://dev.azure.com/acme/pay/_git/pay"),
            ("BUILD_REPOSITORY_PROVIDER", "TfsGit"),
            ("BUILD_REQUESTEDFOREMAIL", "carol@example.com"),
            ("SYSTEM_COLLECTIONURI", "https://dev.azure.com/acme/"),
            ("SYSTEM_TEAMPROJECT", "pay"),
            ("SYSTEM_PULLREQUEST_SOURCECOMMITID", &host.change),
            ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main"),
        ]);
        set.extend(recipe.variables());
        host.shell(&work, recipe.scripts().first().unwrap(), &set)
    }
}

pub mod jenkins {
    use super::{Host, Played, Recipe, checkout, variables};

    pub fn change(host: &Host, inputs: &[(&str, &str)]) -> Played {
        let fetch =
            "origin +refs/pull/7/head:refs/remotes/origin/PR-7 +refs/heads/main:refs/remotes/origin/main";
        let work = checkout(host, fetch, &format!("--detach {}", host.change));
        let recipe = Recipe::read("jenkins/vars/gate.groovy", &[]);
        let given =
            |name: &str| inputs.iter().find(|(input, _)| *input == name).map_or("", |(_, value)| value);
        let set = variables(&[
            ("GATE", given("name")),
            ("COMMAND", given("run")),
            ("FINDINGS", given("findings")),
            ("GATE_VERSION", "0.1.0"),
            ("GATE_SHA256", &host.digest),
            ("GATE_RELEASES", &host.releases()),
            ("JENKINS_URL", "https://ci.example.com/"),
            ("BUILD_NUMBER", "12"),
            ("BUILD_TAG", "jenkins-payments-PR-7-12"),
            ("BUILD_URL", "https://ci.example.com/job/payments/job/PR-7/12/"),
            ("JOB_NAME", "payments/PR-7"),
            ("BRANCH_NAME", "PR-7"),
            ("CHANGE_ID", "7"),
            ("CHANGE_URL", "https://github.com/acme/pay/pull/7"),
            ("CHANGE_TARGET", "main"),
            ("GIT_COMMIT", &host.change),
            ("GIT_URL", "https://github.com/acme/pay.git"),
            ("WORKSPACE_TMP", host.path("temp").to_str().unwrap()),
        ]);
        host.shell(&work, recipe.scripts().first().unwrap(), &set)
    }
}
