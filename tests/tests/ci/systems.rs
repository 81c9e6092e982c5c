//! Systems that have no recipe of their own: their documented variables for a push, a change and a tag, the checkout as
//! their agents make it, the shell functions of scripts/ci, and who, what and where the ledger then says it was.
//!
//! Sources: the references of environment variables of Woodpecker, Drone, Travis CI, `AppVeyor`, `TeamCity`,
//! `CodeBuild`, Buildkite, `CircleCI`, Bitbucket Pipelines and Forgejo; the clone steps of Woodpecker (plugin-git) and
//! Drone (drone-git), the build logs of the others; the task git-clone of Tekton, whose pipeline passes the variables.

use crate::host::{Host, Played};
use crate::platforms::checkout;

/// One event of one system. `$MAIN`, `$CHANGE` and `$MERGE` are the host's commits, `$EVENT` is the file of a change.
struct Event {
    name: &'static str,
    /// What every event of the system has: `NAME=value`, a line each.
    common: &'static str,
    /// What this event adds.
    own: &'static str,
    fetch: &'static str,
    checkout: &'static str,
    /// Actor, commit, ref, change, run, environment, as the decision has them; `-` for what it has not.
    recorded: [&'static str; 6],
}

const MAIN: &str = "+refs/heads/main:refs/remotes/origin/main";
const HEAD: &str = "+refs/pull/7/head:refs/remotes/origin/pull/7";
const MERGED: &str = "+refs/pull/7/merge:refs/remotes/origin/pull/7/merge";
const TAG: &str = "+refs/tags/v1:refs/tags/v1";

const WOODPECKER: &str = "CI=woodpecker\nCI_REPO=acme/pay\nCI_REPO_CLONE_URL=https://github.com/acme/pay.git\n\
    CI_PIPELINE_NUMBER=8\nCI_PIPELINE_AUTHOR=carol\nCI_PIPELINE_URL=https://ci.example.com/repos/7/pipeline/8\n";
const DRONE: &str = "CI=drone\nDRONE=true\nDRONE_REPO=acme/pay\nDRONE_GIT_HTTP_URL=https://github.com/acme/pay.git\n\
    DRONE_BUILD_NUMBER=8\nDRONE_BUILD_LINK=https://ci.example.com/acme/pay/8\nDRONE_COMMIT_BRANCH=main\n\
    DRONE_BRANCH=main\nDRONE_COMMIT_AUTHOR=mallory\n";
const TRAVIS: &str = "CI=true\nTRAVIS=true\nTRAVIS_BUILD_ID=46\nTRAVIS_BRANCH=main\nTRAVIS_REPO_SLUG=acme/pay\n\
    TRAVIS_BUILD_WEB_URL=https://app.travis-ci.com/acme/pay/builds/46\n";
const APPVEYOR: &str = "CI=True\nAPPVEYOR=True\nAPPVEYOR_REPO_PROVIDER=gitHub\nAPPVEYOR_REPO_NAME=acme/pay\n\
    APPVEYOR_REPO_BRANCH=main\nAPPVEYOR_BUILD_ID=46\nAPPVEYOR_URL=https://ci.appveyor.com\n\
    APPVEYOR_ACCOUNT_NAME=acme\nAPPVEYOR_PROJECT_SLUG=pay\nAPPVEYOR_REPO_COMMIT_AUTHOR=Mallory\n";
const TEAMCITY: &str = "TEAMCITY_VERSION=2025.11\nTEAMCITY_PROJECT_NAME=Pay\nTEAMCITY_BUILDCONF_NAME=Test\n\
    BUILD_NUMBER=9\nBUILD_URL=https://tc.example.com/build/512\n";
const CODEBUILD: &str = "CODEBUILD_BUILD_ID=pay:b1e6\nCODEBUILD_BUILD_NUMBER=5\n\
    CODEBUILD_SOURCE_REPO_URL=https://github.com/acme/pay.git\nCODEBUILD_INITIATOR=GitHub-Hookshot/44\n\
    CODEBUILD_WEBHOOK_ACTOR_ACCOUNT_ID=77\n";
const BUILDKITE: &str = "CI=true\nBUILDKITE=true\nBUILDKITE_BUILD_ID=0193\nBUILDKITE_BUILD_CREATOR_EMAIL=carol@example.com\n\
    BUILDKITE_REPO=https://github.com/acme/pay.git\nBUILDKITE_BUILD_URL=https://buildkite.com/acme/pay/builds/8\n";
const CIRCLECI: &str = "CI=true\nCIRCLECI=true\nCIRCLE_WORKFLOW_WORKSPACE_ID=ws-1\nCIRCLE_WORKFLOW_ID=wf-1\n\
    CIRCLE_USERNAME=carol\nCIRCLE_REPOSITORY_URL=https://github.com/acme/pay.git\n\
    CIRCLE_BUILD_URL=https://circleci.com/gh/acme/pay/46\n";
const BITBUCKET: &str = "CI=true\nBITBUCKET_BUILD_NUMBER=8\nBITBUCKET_PIPELINE_UUID={p-1}\nBITBUCKET_REPO_FULL_NAME=acme/pay\n\
    BITBUCKET_GIT_HTTP_ORIGIN=https://bitbucket.org/acme/pay\nBITBUCKET_STEP_TRIGGERER_UUID={u-1}\n";
const FORGEJO: &str = "CI=true\nFORGEJO_ACTIONS=true\nGITEA_ACTIONS=true\nGITHUB_ACTIONS=true\nGITHUB_ACTOR=carol\n\
    GITHUB_SERVER_URL=https://codeberg.org\nGITHUB_REPOSITORY=acme/pay\nGITHUB_RUN_ID=99\nGITHUB_RUN_ATTEMPT=1\n";

/// What Forgejo writes of a change, of what is read.
const CHANGE_EVENT: &str = r#"{"action":"synchronized","number":7,"pull_request":{"number":7,"state":"open","merged":false,
"head":{"sha":"$CHANGE","ref":"feature"},"base":{"sha":"$MAIN","ref":"main"}},"repository":{"default_branch":"main"}}"#;

/// A row of the table: what an event adds to its system's variables, the checkout, what is recorded.
macro_rules! events {
    ($($name:literal: $common:expr, $own:literal, $fetch:expr, $checkout:literal => $recorded:expr;)+) => {
        [$(Event {
            name: $name, common: $common, own: $own, fetch: $fetch, checkout: $checkout, recorded: $recorded,
        }),+]
    };
}

#[test]
fn each_system_says_who_what_and_where() {
    let events = events! {
        "woodpecker push": WOODPECKER,
            "CI_PIPELINE_EVENT=push\nCI_COMMIT_SHA=$MAIN\nCI_COMMIT_REF=refs/heads/main\nCI_COMMIT_BRANCH=main\n",
            MAIN, "-B main $MAIN" => ["woodpecker:carol", "$MAIN", "refs/heads/main", "-", "acme/pay#8", "-"];
        "woodpecker change": WOODPECKER,
            "CI_PIPELINE_EVENT=pull_request\nCI_COMMIT_SHA=$CHANGE\nCI_COMMIT_REF=refs/pull/7/head\nCI_COMMIT_BRANCH=main\n\
             CI_COMMIT_PULL_REQUEST=7\nCI_COMMIT_SOURCE_BRANCH=feature\nCI_COMMIT_TARGET_BRANCH=main\n",
            HEAD, "-B main $CHANGE" => ["woodpecker:carol", "$CHANGE", "refs/pull/7/head", "7", "acme/pay#8", "-"];
        "woodpecker deployment of a tag": WOODPECKER,
            "CI_PIPELINE_EVENT=deployment\nCI_COMMIT_SHA=$MAIN\nCI_COMMIT_REF=refs/tags/v1\nCI_COMMIT_TAG=v1\n\
             CI_PIPELINE_DEPLOY_TARGET=production\n",
            TAG, "--detach $MAIN" => ["woodpecker:carol", "$MAIN", "refs/tags/v1", "-", "acme/pay#8", "production"];
        "drone push": DRONE,
            "DRONE_BUILD_EVENT=push\nDRONE_COMMIT_SHA=$MAIN\nDRONE_COMMIT_REF=refs/heads/main\nDRONE_BUILD_TRIGGER=@hook\n",
            MAIN, "-B main $MAIN" => ["drone:nobody", "$MAIN", "refs/heads/main", "-", "acme/pay#8", "-"];
        "drone change, merged on the branch it goes to": DRONE,
            "DRONE_BUILD_EVENT=pull_request\nDRONE_COMMIT_SHA=$CHANGE\nDRONE_COMMIT_REF=refs/pull/7/head\n\
             DRONE_PULL_REQUEST=7\nDRONE_BUILD_TRIGGER=@hook\n",
            "+refs/heads/main:refs/remotes/origin/main +refs/pull/7/head:refs/heads/change",
            "-B main $MAIN; git merge -q --no-ff -m m $CHANGE"
            => ["drone:nobody", "$CHANGE", "refs/pull/7/head", "7", "acme/pay#8", "-"];
        "drone promotion": DRONE,
            "DRONE_BUILD_EVENT=promote\nDRONE_COMMIT_SHA=$MAIN\nDRONE_COMMIT_REF=refs/heads/main\n\
             DRONE_BUILD_TRIGGER=carol\nDRONE_DEPLOY_TO=production\n",
            MAIN, "-B main $MAIN" => ["drone:carol", "$MAIN", "refs/heads/main", "-", "acme/pay#8", "production"];
        "travis push": TRAVIS,
            "TRAVIS_EVENT_TYPE=push\nTRAVIS_COMMIT=$MAIN\nTRAVIS_PULL_REQUEST=false\n",
            MAIN, "-B main $MAIN" => ["travis:nobody", "$MAIN", "refs/heads/main", "-", "46", "-"];
        "travis change": TRAVIS,
            "TRAVIS_EVENT_TYPE=pull_request\nTRAVIS_COMMIT=$MERGE\nTRAVIS_PULL_REQUEST=7\nTRAVIS_PULL_REQUEST_SHA=$CHANGE\n\
             TRAVIS_PULL_REQUEST_BRANCH=feature\n",
            MERGED, "--detach $MERGE" => ["travis:nobody", "$CHANGE", "-", "7", "46", "-"];
        "travis tag": TRAVIS,
            "TRAVIS_EVENT_TYPE=push\nTRAVIS_COMMIT=$MAIN\nTRAVIS_PULL_REQUEST=false\nTRAVIS_TAG=v1\n",
            TAG, "--detach $MAIN" => ["travis:nobody", "$MAIN", "refs/tags/v1", "-", "46", "-"];
        "appveyor push": APPVEYOR, "APPVEYOR_REPO_COMMIT=$MAIN\n",
            MAIN, "--detach $MAIN" => ["appveyor:nobody", "$MAIN", "refs/heads/main", "-", "46", "-"];
        "appveyor change": APPVEYOR,
            "APPVEYOR_REPO_COMMIT=$MERGE\nAPPVEYOR_PULL_REQUEST_NUMBER=7\nAPPVEYOR_PULL_REQUEST_HEAD_COMMIT=$CHANGE\n\
             APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH=feature\n",
            MERGED, "--detach $MERGE" => ["appveyor:nobody", "$CHANGE", "-", "7", "46", "-"];
        "appveyor tag": APPVEYOR, "APPVEYOR_REPO_COMMIT=$MAIN\nAPPVEYOR_REPO_TAG=true\nAPPVEYOR_REPO_TAG_NAME=v1\n",
            TAG, "--detach $MAIN" => ["appveyor:nobody", "$MAIN", "refs/tags/v1", "-", "46", "-"];
        "teamcity branch": TEAMCITY, "BUILD_VCS_NUMBER=$MAIN\n",
            MAIN, "-B main $MAIN" => ["teamcity:nobody", "$MAIN", "-", "-", "Pay/Test#9", "-"];
        "teamcity change": TEAMCITY, "BUILD_VCS_NUMBER=$CHANGE\n",
            "+refs/pull/7/head:refs/heads/pull/7", "pull/7"
            => ["teamcity:nobody", "$CHANGE", "-", "-", "Pay/Test#9", "-"];
        "codebuild push": CODEBUILD,
            "CODEBUILD_RESOLVED_SOURCE_VERSION=$MAIN\nCODEBUILD_WEBHOOK_TRIGGER=branch/main\nCODEBUILD_WEBHOOK_EVENT=PUSH\n\
             CODEBUILD_WEBHOOK_HEAD_REF=refs/heads/main\nCODEBUILD_SOURCE_VERSION=$MAIN\n",
            MAIN, "--detach $MAIN" => ["codebuild:77", "$MAIN", "refs/heads/main", "-", "pay:b1e6", "-"];
        "codebuild change": CODEBUILD,
            "CODEBUILD_RESOLVED_SOURCE_VERSION=$CHANGE\nCODEBUILD_WEBHOOK_TRIGGER=pr/7\nCODEBUILD_SOURCE_VERSION=pr/7\n\
             CODEBUILD_WEBHOOK_EVENT=PULL_REQUEST_UPDATED\nCODEBUILD_WEBHOOK_HEAD_REF=refs/heads/feature\n\
             CODEBUILD_WEBHOOK_BASE_REF=refs/heads/main\n",
            HEAD, "--detach $CHANGE" => ["codebuild:77", "$CHANGE", "refs/pull/7/head", "7", "pay:b1e6", "-"];
        "codebuild tag": CODEBUILD,
            "CODEBUILD_RESOLVED_SOURCE_VERSION=$MAIN\nCODEBUILD_WEBHOOK_TRIGGER=tag/v1\nCODEBUILD_WEBHOOK_EVENT=PUSH\n",
            TAG, "--detach $MAIN" => ["codebuild:77", "$MAIN", "refs/tags/v1", "-", "pay:b1e6", "-"];
        "tekton, whose pipeline passes what it knows": "CI=true\nGATE_REPOSITORY=https://github.com/acme/pay.git\n",
            "GATE_ACTOR=carol\nGATE_RUN_ID=pay-run-x7k2q\nGATE_REF=refs/heads/main\nGATE_COMMIT=$MAIN\n\
             GATE_ENVIRONMENT=production\n",
            MAIN, "--detach $MAIN"
            => ["custom:carol", "$MAIN", "refs/heads/main", "-", "pay-run-x7k2q", "production"];
        "tekton change": "CI=true\nGATE_REPOSITORY=https://github.com/acme/pay.git\n",
            "GATE_ACTOR=carol\nGATE_RUN_ID=pay-run-x7k2q\nGATE_REF=refs/pull/7/head\nGATE_COMMIT=$CHANGE\n",
            HEAD, "--detach $CHANGE"
            => ["custom:carol", "$CHANGE", "refs/pull/7/head", "7", "pay-run-x7k2q", "-"];
        "buildkite push": BUILDKITE,
            "BUILDKITE_COMMIT=$MAIN\nBUILDKITE_BRANCH=main\nBUILDKITE_PULL_REQUEST=false\nBUILDKITE_TAG=\n\
             BUILDKITE_PIPELINE_PROVIDER=github\n",
            MAIN, "--detach $MAIN" => ["buildkite:carol@example.com", "$MAIN", "refs/heads/main", "-", "0193", "-"];
        "buildkite change": BUILDKITE,
            "BUILDKITE_COMMIT=$CHANGE\nBUILDKITE_BRANCH=feature\nBUILDKITE_PULL_REQUEST=7\n\
             BUILDKITE_PULL_REQUEST_BASE_BRANCH=main\nBUILDKITE_PIPELINE_PROVIDER=github\n",
            HEAD, "--detach $CHANGE"
            => ["buildkite:carol@example.com", "$CHANGE", "refs/pull/7/head", "7", "0193", "-"];
        "circleci push": CIRCLECI, "CIRCLE_SHA1=$MAIN\nCIRCLE_BRANCH=main\n",
            MAIN, "-B main $MAIN" => ["circleci:carol", "$MAIN", "refs/heads/main", "-", "ws-1", "-"];
        "circleci change of a fork": CIRCLECI,
            "CIRCLE_SHA1=$CHANGE\nCIRCLE_BRANCH=pull/7\nCIRCLE_PR_NUMBER=7\nCIRCLE_PR_USERNAME=mallory\n\
             CIRCLE_PULL_REQUEST=https://github.com/acme/pay/pull/7\n",
            "+refs/pull/7/head:refs/remotes/origin/pull/7", "-B pull/7 $CHANGE"
            => ["circleci:carol", "$CHANGE", "refs/pull/7/head", "7", "ws-1", "-"];
        "bitbucket push": BITBUCKET, "BITBUCKET_COMMIT=$MAIN\nBITBUCKET_BRANCH=main\n",
            MAIN, "-B main $MAIN" => ["bitbucket:{u-1}", "$MAIN", "refs/heads/main", "-", "{p-1}", "-"];
        "bitbucket change, merged with the branch it goes to": BITBUCKET,
            "BITBUCKET_COMMIT=$CHANGE\nBITBUCKET_BRANCH=feature\nBITBUCKET_PR_ID=7\nBITBUCKET_PR_DESTINATION_BRANCH=main\n\
             BITBUCKET_DEPLOYMENT_ENVIRONMENT=staging\n",
            "+refs/heads/feature:refs/heads/feature +refs/heads/main:refs/remotes/origin/main",
            "feature; git merge -q --no-ff -m m $MAIN"
            => ["bitbucket:{u-1}", "$CHANGE", "-", "7", "{p-1}", "staging"];
        "forgejo push": FORGEJO,
            "GITHUB_EVENT_NAME=push\nGITHUB_REF=refs/heads/main\nGITHUB_REF_NAME=main\nGITHUB_SHA=$MAIN\n",
            MAIN, "-B main $MAIN" => ["forgejo:carol", "$MAIN", "refs/heads/main", "-", "99", "-"];
    };
    all_are_right(&events);
}

#[test]
fn a_tag_is_the_ref_of_what_it_starts() {
    let events = events! {
        "woodpecker tag": WOODPECKER,
            "CI_PIPELINE_EVENT=tag\nCI_COMMIT_SHA=$MAIN\nCI_COMMIT_REF=refs/tags/v1\nCI_COMMIT_TAG=v1\n",
            TAG, "--detach $MAIN" => ["woodpecker:carol", "$MAIN", "refs/tags/v1", "-", "acme/pay#8", "-"];
        "drone tag": DRONE,
            "DRONE_BUILD_EVENT=tag\nDRONE_COMMIT_SHA=$MAIN\nDRONE_COMMIT_REF=refs/tags/v1\nDRONE_TAG=v1\n\
             DRONE_BUILD_TRIGGER=@hook\n",
            TAG, "--detach $MAIN" => ["drone:nobody", "$MAIN", "refs/tags/v1", "-", "acme/pay#8", "-"];
        "tekton tag": "CI=true\nGATE_REPOSITORY=https://github.com/acme/pay.git\n",
            "GATE_ACTOR=carol\nGATE_RUN_ID=pay-run-x7k2q\nGATE_REF=refs/tags/v1\nGATE_COMMIT=$MAIN\n",
            TAG, "--detach $MAIN" => ["custom:carol", "$MAIN", "refs/tags/v1", "-", "pay-run-x7k2q", "-"];
        "buildkite tag": BUILDKITE,
            "BUILDKITE_COMMIT=$MAIN\nBUILDKITE_BRANCH=v1\nBUILDKITE_TAG=v1\nBUILDKITE_PULL_REQUEST=false\n",
            TAG, "--detach $MAIN" => ["buildkite:carol@example.com", "$MAIN", "refs/tags/v1", "-", "0193", "-"];
        "circleci tag": CIRCLECI, "CIRCLE_SHA1=$MAIN\nCIRCLE_TAG=v1\n",
            TAG, "--detach $MAIN" => ["circleci:carol", "$MAIN", "refs/tags/v1", "-", "ws-1", "-"];
        "bitbucket tag": BITBUCKET, "BITBUCKET_COMMIT=$MAIN\nBITBUCKET_TAG=v1\n",
            TAG, "--detach $MAIN" => ["bitbucket:{u-1}", "$MAIN", "refs/tags/v1", "-", "{p-1}", "-"];
        "forgejo tag": FORGEJO,
            "GITHUB_EVENT_NAME=push\nGITHUB_REF=refs/tags/v1\nGITHUB_REF_NAME=v1\nGITHUB_SHA=$MAIN\n",
            TAG, "--detach $MAIN" => ["forgejo:carol", "$MAIN", "refs/tags/v1", "-", "99", "-"];
    };
    all_are_right(&events);
}

/// What a change that is over starts belongs to it no longer, a schedule is nobody's, and a branch that only the person
/// who started a build named is not its ref.
#[test]
fn what_is_over_belongs_to_no_change_and_what_nobody_started_is_nobodys() {
    let events = events! {
        "forgejo change": FORGEJO,
            "GITHUB_EVENT_NAME=pull_request\nGITHUB_REF=refs/pull/7/head\nGITHUB_SHA=$CHANGE\nGITHUB_HEAD_REF=feature\n\
             GITHUB_BASE_REF=main\nGITHUB_EVENT_PATH=$EVENT\n",
            HEAD, "--detach $CHANGE" => ["forgejo:carol", "$CHANGE", "refs/pull/7/head", "7", "99", "-"];
        "woodpecker change that was closed": WOODPECKER,
            "CI_PIPELINE_EVENT=pull_request_closed\nCI_COMMIT_SHA=$CHANGE\nCI_COMMIT_REF=refs/pull/7/head\n\
             CI_COMMIT_BRANCH=main\nCI_COMMIT_PULL_REQUEST=7\n",
            HEAD, "-B main $CHANGE" => ["woodpecker:carol", "$CHANGE", "refs/pull/7/head", "-", "acme/pay#8", "-"];
        "codebuild change that was merged": CODEBUILD,
            "CODEBUILD_RESOLVED_SOURCE_VERSION=$CHANGE\nCODEBUILD_WEBHOOK_TRIGGER=pr/7\n\
             CODEBUILD_WEBHOOK_EVENT=PULL_REQUEST_MERGED\nCODEBUILD_WEBHOOK_HEAD_REF=refs/heads/feature\n",
            HEAD, "--detach $CHANGE" => ["codebuild:77", "$CHANGE", "refs/pull/7/head", "-", "pay:b1e6", "-"];
        "codebuild change that was given up": CODEBUILD,
            "CODEBUILD_RESOLVED_SOURCE_VERSION=$CHANGE\nCODEBUILD_WEBHOOK_TRIGGER=pr/7\n\
             CODEBUILD_WEBHOOK_EVENT=PULL_REQUEST_CLOSED\n",
            HEAD, "--detach $CHANGE" => ["codebuild:77", "$CHANGE", "refs/pull/7/head", "-", "pay:b1e6", "-"];
        "codebuild by hand": CODEBUILD,
            "CODEBUILD_RESOLVED_SOURCE_VERSION=$MAIN\nCODEBUILD_SOURCE_VERSION=main\nCODEBUILD_INITIATOR=mallory\n\
             CODEBUILD_WEBHOOK_ACTOR_ACCOUNT_ID=\n",
            MAIN, "--detach $MAIN" => ["codebuild:nobody", "$MAIN", "-", "-", "pay:b1e6", "-"];
        "woodpecker schedule": WOODPECKER,
            "CI_PIPELINE_EVENT=cron\nCI_COMMIT_SHA=$MAIN\nCI_COMMIT_REF=refs/heads/main\nCI_COMMIT_BRANCH=main\n",
            MAIN, "-B main $MAIN" => ["woodpecker:nobody", "$MAIN", "refs/heads/main", "-", "acme/pay#8", "-"];
        "drone schedule": DRONE,
            "DRONE_BUILD_EVENT=cron\nDRONE_COMMIT_SHA=$MAIN\nDRONE_COMMIT_REF=refs/heads/main\nDRONE_BUILD_TRIGGER=@cron\n",
            MAIN, "-B main $MAIN" => ["drone:nobody", "$MAIN", "refs/heads/main", "-", "acme/pay#8", "-"];
    };
    all_are_right(&events);
}

#[track_caller]
fn all_are_right(events: &[Event]) {
    let wrong: Vec<String> = events.iter().filter_map(|event| played_wrongly(event).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Plays `event`; what is recorded otherwise than it should be is the error.
fn played_wrongly(event: &Event) -> Result<(), String> {
    let host = Host::new();
    let played = play(&host, event);
    let decisions = host.decisions();
    let [decision] = decisions.as_slice() else {
        return Err(format!("{}: {} decisions: {}", event.name, decisions.len(), played.told()));
    };
    let (data, context) = (&decision["data"], &decision["data"]["context"]);
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    let run = text(&context["run"]["id"]);
    let recorded = [
        text(&decision["actor"]["id"]),
        text(&context["commit"]),
        text(&context["ref"]),
        text(&context["change"]),
        run.split('.').next().unwrap_or_default().to_owned(),
        text(&context["environment"]),
    ];
    let right = played.status == 0
        && recorded == event.recorded.map(|value| host.filled(value))
        && context.get("conflicts").is_none()
        // Without a change that its system names, the rules are those of the default branch.
        && text(&data["policy"]["source"]) == format!("rev:{}", host.main);
    if right { Ok(()) } else { Err(format!("{}: {recorded:?}\n{decision}\n{}", event.name, played.told())) }
}

/// The gate with the shell functions of scripts/ci, in a checkout of the system's own.
fn play(host: &Host, event: &Event) -> Played {
    let work = checkout(host, &format!("origin {}", event.fetch), &host.filled(event.checkout));
    let payload = host.path("event.json");
    std::fs::write(&payload, host.filled(CHANGE_EVENT)).unwrap();
    let given = host.filled(&format!("{}{}", event.common, event.own));
    let given = given.replace("$EVENT", payload.to_str().unwrap());
    let variables: Vec<(String, String)> = given
        .lines()
        .map(|line| line.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let functions = crate::recipe::path("ci.sh");
    let script = format!(". '{}'; gate_begin; gate_run lint -- true; gate_end", functions.display());
    host.shell(&work, &script, &variables)
}
