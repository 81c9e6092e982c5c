//! Systems read by a table, systems that are not known, and names that are no person.

use super::{expect, facts, read};
use crate::ci::is_unknown;

#[test]
fn woodpecker_and_drone() {
    expect(
        "CI=woodpecker\nCI_REPO=acme/pay\nCI_REPO_CLONE_URL=https://git.example.com/acme/pay.git\n\
         CI_COMMIT_SHA=$OWN\nCI_COMMIT_REF=refs/heads/main\nCI_PIPELINE_NUMBER=8\nCI_PIPELINE_AUTHOR=carol\n\
         CI_PIPELINE_URL=https://ci.example.com/repos/7/pipeline/8\nCI_PIPELINE_DEPLOY_TARGET=production",
        "woodpecker",
        "actor woodpecker:carol
         repository git.example.com/acme/pay
         ref refs/heads/main
         commit $OWN
         environment production
         run acme/pay#8
         url https://ci.example.com/repos/7/pipeline/8",
    );
    let drone = expect(
        "CI=drone\nDRONE=true\nDRONE_REPO=acme/pay\nDRONE_GIT_HTTP_URL=https://github.com/acme/pay.git\n\
         DRONE_COMMIT_SHA=$OWN\nDRONE_COMMIT_REF=refs/pull/7/head\nDRONE_PULL_REQUEST=7\nDRONE_BUILD_NUMBER=8\n\
         DRONE_BUILD_TRIGGER=@hook\nDRONE_COMMIT_AUTHOR=octocat",
        "drone",
        "repository github.com/acme/pay
         ref refs/pull/7/head
         commit $OWN
         run acme/pay#8",
    );
    assert!(drone.merge.is_some_and(|merge| merge.attached && !merge.named));
}

#[test]
fn travis_and_appveyor_build_a_merge_of_the_change() {
    let travis = expect(
        "TRAVIS=true\nTRAVIS_COMMIT=$MERGE\nTRAVIS_PULL_REQUEST=7\nTRAVIS_PULL_REQUEST_SHA=$OWN\n\
         TRAVIS_BRANCH=main\nTRAVIS_BUILD_ID=46\nTRAVIS_BUILD_WEB_URL=https://app.travis-ci.com/acme/pay/builds/46",
        "travis",
        "commit $OWN
         merge $MERGE
         run 46
         url https://app.travis-ci.com/acme/pay/builds/46",
    );
    assert!(travis.pull_request);
    expect(
        "APPVEYOR=True\nAPPVEYOR_REPO_PROVIDER=gitHub\nAPPVEYOR_REPO_NAME=acme/pay\nAPPVEYOR_REPO_BRANCH=main\n\
         APPVEYOR_REPO_COMMIT=$OWN\nAPPVEYOR_BUILD_ID=46\nAPPVEYOR_URL=https://ci.appveyor.com\n\
         APPVEYOR_ACCOUNT_NAME=acme\nAPPVEYOR_PROJECT_SLUG=pay",
        "appveyor",
        "repository github.com/acme/pay
         ref refs/heads/main
         commit $OWN
         run 46
         url https://ci.appveyor.com/project/acme/pay/builds/46",
    );
}

#[test]
fn teamcity_and_codebuild_have_a_ref_only_where_something_tells() {
    let teamcity = expect(
        "TEAMCITY_VERSION=2025.11\nTEAMCITY_PROJECT_NAME=Pay\nTEAMCITY_BUILDCONF_NAME=Test\nBUILD_NUMBER=9\n\
         BUILD_VCS_NUMBER=$OWN",
        "teamcity",
        "commit $OWN
         run Pay/Test#9",
    );
    assert!(teamcity.pull_request, "the checkout's branch may be a fork's");
    let built = "CODEBUILD_BUILD_ID=pay:1\nCODEBUILD_RESOLVED_SOURCE_VERSION=$OWN\n\
                 CODEBUILD_SOURCE_REPO_URL=https://github.com/acme/pay\nCODEBUILD_INITIATOR=GitHub-Hookshot/1";
    assert!(facts(built).actor.is_none() && facts(built).pull_request);
    expect(
        &format!("{built}\nCODEBUILD_WEBHOOK_TRIGGER=branch/main\nCODEBUILD_WEBHOOK_ACTOR_ACCOUNT_ID=77"),
        "codebuild",
        "actor codebuild:77
         repository github.com/acme/pay
         ref refs/heads/main
         commit $OWN
         run pay:1",
    );
}

#[test]
fn an_unknown_system_says_who_and_where_in_our_words() {
    expect(
        "CI=true\nGATE_ACTOR=carol\nGATE_REPOSITORY=git.example.com/acme/pay\nGATE_REF=refs/heads/main\n\
         GATE_COMMIT=$OWN\nGATE_ENVIRONMENT=production\nGATE_RUN_ID=17\nGATE_RUN_URL=https://ci.example.com/17",
        "custom",
        "actor custom:carol
         repository git.example.com/acme/pay
         ref refs/heads/main
         commit $OWN
         environment production
         run 17
         url https://ci.example.com/17",
    );
    assert_eq!(read("CI=true"), None);
    let only_environment = facts("GATE_ENVIRONMENT=production").context;
    assert_eq!(
        (only_environment.provider, only_environment.environment.as_deref()),
        (None, Some("production"))
    );
    for odd in ["GATE_REF=main", "GATE_COMMIT=1234567", "GATE_REPOSITORY=acme/pay"] {
        assert_eq!(facts(odd).context.conflicts.len(), 1, "{odd}");
    }
    let set = |value: &'static str| is_unknown(&move |name| (name == "CI").then(|| value.to_owned()));
    assert!(set("true") && set("1") && set("yes") && !set("false") && !set("") && !is_unknown(&|_| None));
}

#[test]
fn what_we_are_told_fills_gaps_of_a_known_system_and_contradicts_the_rest() {
    let github =
        "GITHUB_ACTIONS=true\nGITHUB_REPOSITORY=acme/pay\nGITHUB_ACTOR=carol\nGITHUB_REF=refs/heads/main";
    let filled = facts(&format!("{github}\nGATE_ENVIRONMENT=production\nGATE_ACTOR=mallory"));
    assert_eq!(filled.actor.map(|actor| actor.id).as_deref(), Some("github:carol"));
    assert_eq!(filled.context.environment.as_deref(), Some("production"));
    assert_eq!(filled.context.conflicts, Vec::<String>::new());
    for other in ["GATE_REF=refs/heads/dev", "GATE_REPOSITORY=github.com/acme/other"] {
        assert_eq!(facts(&format!("{github}\n{other}")).context.conflicts.len(), 1, "{other}");
    }
    let gitlab = facts("GITLAB_CI=true\nCI_ENVIRONMENT_NAME=staging\nGATE_ENVIRONMENT=production");
    assert_eq!(gitlab.context.conflicts.len(), 1);
}

#[test]
fn a_service_that_starts_builds_is_nobody() {
    for lines in [
        "TF_BUILD=True\nBUILD_REQUESTEDFOR=GitHub",
        "TF_BUILD=True\nBUILD_REQUESTEDFOR=Microsoft.VisualStudio.Services.TFS",
        "JENKINS_URL=https://j\nBUILD_ID=1\nBUILD_USER_ID=timer",
        "DRONE=true\nDRONE_BUILD_TRIGGER=@cron",
    ] {
        assert_eq!(facts(lines).actor, None, "{lines}");
    }
    let named = facts("TF_BUILD=True\nBUILD_REQUESTEDFOREMAIL=carol@example.com\nBUILD_REQUESTEDFOR=GitHub");
    assert_eq!(named.actor.map(|actor| actor.id).as_deref(), Some("azure:carol@example.com"));
}

#[test]
fn whoever_wrote_a_schedule_did_not_start_its_runs() {
    for (lines, event) in [
        ("GITHUB_ACTIONS=true\nGITHUB_ACTOR=carol", "GITHUB_EVENT_NAME=schedule"),
        ("GITEA_ACTIONS=true\nGITHUB_ACTIONS=true\nGITHUB_ACTOR=carol", "GITHUB_EVENT_NAME=schedule"),
        ("GITLAB_CI=true\nGITLAB_USER_LOGIN=carol", "CI_PIPELINE_SOURCE=schedule"),
        ("GITLAB_CI=true\nGITLAB_USER_LOGIN=carol", "CI_PIPELINE_SOURCE=trigger"),
        ("TF_BUILD=True\nBUILD_REQUESTEDFOREMAIL=carol@example.com", "BUILD_REASON=Schedule"),
        ("BUILDKITE=true\nBUILDKITE_BUILD_CREATOR=carol", "BUILDKITE_SOURCE=schedule"),
        ("CI=woodpecker\nCI_PIPELINE_AUTHOR=carol", "CI_PIPELINE_EVENT=cron"),
        ("DRONE=true\nDRONE_BUILD_TRIGGER=carol", "DRONE_BUILD_EVENT=cron"),
    ] {
        assert!(facts(lines).actor.is_some(), "{lines}");
        assert_eq!(facts(&format!("{lines}\n{event}")).actor, None, "{event}");
    }
    for service in ["github-actions[bot]", "gitea-actions", "forgejo-actions"] {
        assert_eq!(facts(&format!("GITHUB_ACTIONS=true\nGITHUB_ACTOR={service}")).actor, None, "{service}");
    }
}
