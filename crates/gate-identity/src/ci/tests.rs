//! Recorded variable sets of each provider.

mod changes;
mod hostile;
mod others;

use gate_model::context::Context;

use super::{CiFacts, Event, detect};

/// A commit, and a merge of it.
const OWN: &str = "1111111111111111111111111111111111111111";
const MERGE: &str = "2222222222222222222222222222222222222222";

/// Parses lines `NAME=value` and reads them as an environment; `OWN` and `MERGE` stand for the ids.
fn read(lines: &str) -> Option<CiFacts> {
    let text = lines.replace("$OWN", OWN).replace("$MERGE", MERGE);
    let variables: Vec<(&str, &str)> =
        text.lines().filter_map(|line| line.trim_start().split_once('=')).collect();
    detect(&|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
}

fn facts(lines: &str) -> CiFacts {
    read(lines).expect("a CI run")
}

/// Actor, repository, ref, commit, environment, run and its page, in one line each that is known.
fn summary(facts: &CiFacts) -> String {
    let Context { repository, git_ref, commit, merge, environment, run, .. } = &facts.context;
    let actor = facts.actor.as_ref().map(|actor| actor.id.clone());
    let url = run.as_ref().and_then(|run| run.url.clone());
    let run = run.as_ref().map(|run| run.id.clone());
    let members = [
        ("actor", &actor),
        ("repository", repository),
        ("ref", git_ref),
        ("commit", commit),
        ("merge", merge),
        ("environment", environment),
        ("run", &run),
        ("url", &url),
    ];
    let known =
        members.iter().filter_map(|(name, value)| value.as_ref().map(|value| format!("{name} {value}\n")));
    known.collect::<String>().replace(OWN, "$OWN").replace(MERGE, "$MERGE")
}

fn expect(lines: &str, provider: &str, wanted: &str) -> CiFacts {
    let facts = facts(lines);
    assert_eq!(facts.context.provider.as_deref(), Some(provider));
    assert_eq!(facts.context.conflicts, Vec::<String>::new());
    let wanted: Vec<&str> = wanted.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(summary(&facts).lines().collect::<Vec<_>>(), wanted);
    facts
}

const GITHUB: &str = "CI=true
    GITHUB_ACTIONS=true
    GITHUB_ACTOR=octocat
    GITHUB_TRIGGERING_ACTOR=carol
    GITHUB_REPOSITORY=acme/pay
    GITHUB_SERVER_URL=https://github.com
    GITHUB_RUN_ID=1658821493
    GITHUB_RUN_ATTEMPT=2
    GITHUB_RUN_NUMBER=3
    GITHUB_EVENT_PATH=/home/runner/work/_temp/_github_workflow/event.json
    GITHUB_BASE_REF=
    GITHUB_HEAD_REF=
    ";

#[test]
fn github_push() {
    let facts = expect(
        &format!("{GITHUB}GITHUB_EVENT_NAME=push\nGITHUB_REF=refs/heads/main\nGITHUB_SHA=$OWN"),
        "github",
        "actor github:carol
         repository github.com/acme/pay
         ref refs/heads/main
         commit $OWN
         run 1658821493
         url https://github.com/acme/pay/actions/runs/1658821493",
    );
    assert!(!facts.pull_request && facts.merge.is_none());
}

#[test]
fn github_pull_request_is_built_as_a_merge() {
    let facts = expect(
        &format!("{GITHUB}GITHUB_EVENT_NAME=pull_request\nGITHUB_REF=refs/pull/7/merge\nGITHUB_SHA=$MERGE"),
        "github",
        "actor github:carol
         repository github.com/acme/pay
         ref refs/pull/7/head
         merge $MERGE
         run 1658821493
         url https://github.com/acme/pay/actions/runs/1658821493",
    );
    assert!(facts.pull_request && facts.merge.is_some_and(|merge| merge.named && merge.own == 1));
    assert!(facts.event.is_some());
}

#[test]
fn github_runs_with_the_targets_code_are_never_about_the_target() {
    for event in ["pull_request_target", "workflow_run"] {
        let lines = format!("{GITHUB}GITHUB_EVENT_NAME={event}\nGITHUB_REF=refs/heads/main\nGITHUB_SHA=$OWN");
        let facts = facts(&lines);
        assert!(facts.pull_request && facts.beside && facts.merge.is_none(), "{event}");
        let Context { git_ref, commit, change, .. } = facts.context;
        assert_eq!((git_ref, commit, change), (None, None, None), "{event}");
    }
}

#[test]
fn gitea_and_forgejo_are_told_from_github_and_from_each_other() {
    let lines = "GITHUB_ACTIONS=true
        GITEA_ACTIONS=true
        GITHUB_ACTOR=carol
        GITHUB_SERVER_URL=https://git.example.com:3000/
        GITHUB_REPOSITORY=acme/pay
        GITHUB_REF=refs/pull/7/head
        GITHUB_EVENT_NAME=pull_request
        GITHUB_SHA=$OWN
        GITHUB_RUN_ID=41
        GITHUB_RUN_NUMBER=5";
    let wanted = "repository git.example.com:3000/acme/pay
        ref refs/pull/7/head
        commit $OWN
        run 41
        url https://git.example.com:3000/acme/pay/actions/runs/5";
    let gitea = expect(lines, "gitea", &format!("actor gitea:carol\n{wanted}"));
    assert!(gitea.pull_request && gitea.merge.is_none());
    expect(&format!("{lines}\nFORGEJO_ACTIONS=true"), "forgejo", &format!("actor forgejo:carol\n{wanted}"));
}

const GITLAB: &str = "GITLAB_CI=true
    GITLAB_USER_LOGIN=carol
    CI_PROJECT_URL=https://gitlab.example.com/acme/sub/pay
    CI_PROJECT_PATH=acme/sub/pay
    CI_PIPELINE_ID=981
    CI_PIPELINE_URL=https://gitlab.example.com/acme/sub/pay/-/pipelines/981
    CI_ENVIRONMENT_NAME=production
    ";

#[test]
fn gitlab_branch_and_tag() {
    let rest = "environment production
        run 981
        url https://gitlab.example.com/acme/sub/pay/-/pipelines/981";
    expect(
        &format!(
            "{GITLAB}CI_COMMIT_SHA=$OWN\nCI_COMMIT_BRANCH=main\nCI_COMMIT_REF_NAME=main\nCI_COMMIT_TAG="
        ),
        "gitlab",
        &format!(
            "actor gitlab:carol\nrepository gitlab.example.com/acme/sub/pay\nref refs/heads/main\ncommit $OWN\n{rest}"
        ),
    );
    expect(
        &format!("{GITLAB}CI_COMMIT_SHA=$OWN\nCI_COMMIT_REF_NAME=v1\nCI_COMMIT_TAG=v1"),
        "gitlab",
        &format!(
            "actor gitlab:carol\nrepository gitlab.example.com/acme/sub/pay\nref refs/tags/v1\ncommit $OWN\n{rest}"
        ),
    );
}

#[test]
fn gitlab_merge_request_detached_and_merged() {
    let request = format!(
        "{GITLAB}CI_MERGE_REQUEST_IID=7\nCI_COMMIT_REF_NAME=main\nCI_MERGE_REQUEST_REF_PATH=refs/merge-requests/7/head\n"
    );
    let detached = facts(&format!("{request}CI_COMMIT_SHA=$OWN\nCI_MERGE_REQUEST_SOURCE_BRANCH_SHA="));
    assert_eq!(detached.context.git_ref.as_deref(), Some("refs/merge-requests/7/head"));
    assert_eq!((detached.context.commit.as_deref(), detached.merge), (Some(OWN), None));
    let merged = facts(&format!("{request}CI_COMMIT_SHA=$MERGE\nCI_MERGE_REQUEST_SOURCE_BRANCH_SHA=$OWN"));
    assert_eq!((merged.context.commit.as_deref(), merged.context.merge.as_deref()), (Some(OWN), Some(MERGE)));
    assert!(merged.pull_request && merged.merge.is_some());
}

#[test]
fn jenkins_multibranch_and_freestyle() {
    let common = "JENKINS_URL=https://ci.example.com/
        JOB_NAME=acme/pay/main
        BUILD_NUMBER=12
        BUILD_TAG=jenkins-acme-pay-main-12
        BUILD_URL=https://ci.example.com/job/acme/job/pay/job/main/12/
        BUILD_USER_ID=carol
        GIT_URL=git@git.example.com:acme/pay.git
        GIT_COMMIT=$OWN
        ";
    let wanted = "actor jenkins:carol
        repository git.example.com/acme/pay
        ref refs/heads/main
        commit $OWN
        run acme/pay/main#12
        url https://ci.example.com/job/acme/job/pay/job/main/12/";
    expect(&format!("{common}BRANCH_NAME=main"), "jenkins", wanted);
    expect(&format!("{common}GIT_BRANCH=origin/main"), "jenkins", wanted);
}

#[test]
fn jenkins_change_has_the_ref_of_its_forge_and_no_branch() {
    for (page, name) in [
        ("https://github.com/acme/pay/pull/7", Some("refs/pull/7/head")),
        ("https://gitlab.com/acme/pay/-/merge_requests/7", Some("refs/merge-requests/7/head")),
        (
            "https://bb.example.com/projects/A/repos/pay/pull-requests/7/overview",
            Some("refs/pull-requests/7/from"),
        ),
        ("https://bitbucket.org/acme/pay/pull-requests/7", None),
        ("https://other.example.com/7", None),
    ] {
        let facts = facts(&format!(
            "JENKINS_URL=https://ci/\nCHANGE_ID=7\nCHANGE_URL={page}\nBRANCH_NAME=PR-7\nGIT_COMMIT=$MERGE"
        ));
        assert_eq!(facts.context.git_ref.as_deref(), name, "{page}");
        assert_eq!(facts.head_ref.as_deref(), Some("refs/remotes/origin/PR-7"));
        assert!(facts.pull_request && facts.actor.is_none() && facts.context.commit.is_none());
    }
}

#[test]
fn buildkite_branch_pull_request_and_unresolved_commit() {
    let common = "BUILDKITE=true
        BUILDKITE_BUILD_CREATOR=Carol Example
        BUILDKITE_BUILD_CREATOR_EMAIL=carol@example.com
        BUILDKITE_REPO=git@github.com:acme/pay.git
        BUILDKITE_BRANCH=main
        BUILDKITE_TAG=
        BUILDKITE_BUILD_ID=4735ba57-80d0-46e2-8fa0-b28223a86586
        BUILDKITE_BUILD_URL=https://buildkite.com/acme/pay/builds/1514
        BUILDKITE_PIPELINE_PROVIDER=github
        ";
    expect(
        &format!("{common}BUILDKITE_COMMIT=$OWN\nBUILDKITE_PULL_REQUEST=false"),
        "buildkite",
        "actor buildkite:carol@example.com
         repository github.com/acme/pay
         ref refs/heads/main
         commit $OWN
         run 4735ba57-80d0-46e2-8fa0-b28223a86586
         url https://buildkite.com/acme/pay/builds/1514",
    );
    let pull = facts(&format!("{common}BUILDKITE_COMMIT=$OWN\nBUILDKITE_PULL_REQUEST=7"));
    assert_eq!(pull.context.git_ref.as_deref(), Some("refs/pull/7/head"));
    assert!(pull.pull_request && pull.merge.is_none());
    let merged = facts(&format!(
        "{common}BUILDKITE_COMMIT=$OWN\nBUILDKITE_PULL_REQUEST=7\nBUILDKITE_PULL_REQUEST_USING_MERGE_REFSPEC=true"
    ));
    assert!(merged.merge.is_some_and(|merge| !merge.named));
    let manual = facts(&format!("{common}BUILDKITE_COMMIT=HEAD\nBUILDKITE_PULL_REQUEST=false"));
    assert_eq!((manual.built, manual.context.commit), (None, None));
}

#[test]
fn circleci_branch_fork_and_tag() {
    let common = "CIRCLECI=true
        CIRCLE_USERNAME=carol
        CIRCLE_REPOSITORY_URL=git@github.com:acme/pay.git
        CIRCLE_SHA1=$OWN
        CIRCLE_WORKFLOW_ID=6e2f-41
        CIRCLE_BUILD_NUM=99
        CIRCLE_BUILD_URL=https://circleci.com/gh/acme/pay/99
        ";
    expect(
        &format!("{common}CIRCLE_BRANCH=main"),
        "circleci",
        "actor circleci:carol
         repository github.com/acme/pay
         ref refs/heads/main
         commit $OWN
         run 6e2f-41
         url https://circleci.com/gh/acme/pay/99",
    );
    let fork = facts(&format!("{common}CIRCLE_BRANCH=pull/7\nCIRCLE_PR_NUMBER=7"));
    assert_eq!(fork.context.git_ref.as_deref(), Some("refs/pull/7/head"));
    assert!(fork.pull_request);
    let page = "https://github.com/acme/pay/pull";
    let own = format!("{common}CIRCLE_BRANCH=topic\nCIRCLE_PULL_REQUEST={page}/7\n");
    assert_eq!(facts(&own).context.change.as_deref(), Some("7"));
    let several = facts(&format!("{own}CIRCLE_PULL_REQUESTS={page}/7,{page}/8"));
    assert_eq!((several.context.change, several.pull_request), (None, true), "the branch of two");
    assert_eq!(facts(&format!("{common}CIRCLE_TAG=v1")).context.git_ref.as_deref(), Some("refs/tags/v1"));
}

const AZURE: &str = "TF_BUILD=True
    BUILD_REQUESTEDFOR=Carol Example
    BUILD_REQUESTEDFOREMAIL=carol@example.com
    BUILD_BUILDID=41
    SYSTEM_COLLECTIONURI=https://dev.azure.com/acme/
    SYSTEM_TEAMPROJECT=Pay Ment
    ENVIRONMENT_NAME=production
    ";

#[test]
fn azure_branch() {
    expect(
        &format!(
            "{AZURE}BUILD_REPOSITORY_URI=https://acme@dev.azure.com/acme/Pay/_git/pay
             BUILD_SOURCEBRANCH=refs/heads/main
             BUILD_SOURCEVERSION=$OWN"
        ),
        "azure",
        "actor azure:carol@example.com
         repository dev.azure.com/acme/Pay/_git/pay
         ref refs/heads/main
         commit $OWN
         environment production
         run 41
         url https://dev.azure.com/acme/Pay%20Ment/_build/results?buildId=41",
    );
}

#[test]
fn azure_pull_request_of_azure_repos_and_of_github() {
    let pull = format!(
        "{AZURE}BUILD_SOURCEBRANCH=refs/pull/7/merge
         BUILD_SOURCEVERSION=$MERGE
         BUILD_REASON=PullRequest
         SYSTEM_PULLREQUEST_SOURCECOMMITID=$OWN
         "
    );
    let own = facts(&format!("{pull}BUILD_REPOSITORY_PROVIDER=TfsGit"));
    assert_eq!(own.context.git_ref.as_deref(), Some("refs/pull/7/merge"));
    assert_eq!((own.context.commit.as_deref(), own.context.merge.as_deref()), (Some(OWN), Some(MERGE)));
    let github = facts(&format!("{pull}BUILD_REPOSITORY_PROVIDER=GitHub"));
    assert_eq!(github.context.git_ref.as_deref(), Some("refs/pull/7/head"));
}

#[test]
fn bitbucket_branch_and_pull_request() {
    let common = "BITBUCKET_BUILD_NUMBER=41
        BITBUCKET_COMMIT=$OWN
        BITBUCKET_REPO_FULL_NAME=acme/pay
        BITBUCKET_GIT_HTTP_ORIGIN=http://bitbucket.org/acme/pay
        BITBUCKET_PIPELINE_UUID={f3a9}
        BITBUCKET_STEP_TRIGGERER_UUID={0c2d}
        BITBUCKET_DEPLOYMENT_ENVIRONMENT=production
        BITBUCKET_BRANCH=main
        ";
    expect(
        common,
        "bitbucket",
        "actor bitbucket:{0c2d}
         repository bitbucket.org/acme/pay
         ref refs/heads/main
         commit $OWN
         environment production
         run {f3a9}
         url https://bitbucket.org/acme/pay/pipelines/results/41",
    );
    let pull = facts(&format!("{common}BITBUCKET_PR_ID=7"));
    assert_eq!(pull.context.git_ref, None, "the source branch of a fork may be called main");
    assert!(pull.pull_request && pull.merge.is_some_and(|merge| merge.attached));
}
