//! Systems whose variables need no rules beyond a table: Woodpecker, Drone, Travis CI, `AppVeyor`, `TeamCity`, AWS
//! `CodeBuild`.
//!
//! Source: the reference of environment variables of each. None has a variable that proves anything, and only
//! Woodpecker, Drone and `CodeBuild` may name whoever started a build. Tekton sets no variables at all: its tasks
//! pass `GATE_*` from `$(context.pipelineRun.name)` and their parameters.

use gate_model::context::{Context, change_of, is_change_number};
use gate_model::repository::remote_name;

use super::variables::{Variables, run};
use super::{CiFacts, Merge, branch_ref, tag_ref};
use crate::git;

/// Facts with what all of them have: commit, ref, change.
///
/// A change has its own ref where the forge's is known, and never the name of a branch.
fn facts(
    built: Option<String>,
    git_ref: Option<String>,
    change: Option<String>,
    context: Context,
) -> CiFacts {
    let change = change.or_else(|| git_ref.as_deref().and_then(change_of).map(str::to_owned));
    let own = git_ref.filter(|name| change.is_none() || change_of(name).is_some());
    let own = own.map(|name| match (change_of(&name), name.strip_prefix("refs/pull/")) {
        (Some(number), Some(_)) => format!("refs/pull/{number}/head"),
        _ => name,
    });
    let commit = built.clone().filter(|id| git::is_object_id(id));
    CiFacts {
        pull_request: change.is_some(),
        context: Context { git_ref: own, commit, change, ..context },
        built,
        ..CiFacts::default()
    }
}

/// Like [`facts`], where CI builds a merge that it made, and `head` may be the change's own commit.
fn merged(facts: CiFacts, head: Option<String>) -> CiFacts {
    if !facts.pull_request {
        return facts;
    }
    let merge = facts.context.commit.clone();
    let context = Context { commit: head.clone().filter(|id| git::is_object_id(id)), merge, ..facts.context };
    let made = Merge { own: 1, named: true, attached: false };
    CiFacts { context, head, merge: Some(made), ..facts }
}

/// The facts of a run for a change that was merged or given up: what is said of a change ends with it.
fn over(facts: CiFacts) -> CiFacts {
    CiFacts { context: Context { change: None, ..facts.context }, ..facts }
}

fn number(v: &Variables<'_>, name: &str) -> Option<String> {
    v.get(name).filter(|number| is_change_number(number))
}

pub(super) fn woodpecker(v: &Variables<'_>, provider: &'static str) -> CiFacts {
    let context = Context {
        repository: v.repository("CI_REPO_CLONE_URL").or_else(|| v.repository("CI_REPO_URL")),
        environment: v.get("CI_PIPELINE_DEPLOY_TARGET"),
        run: numbered(v, "CI_REPO", "CI_PIPELINE_NUMBER", "CI_PIPELINE_URL"),
        ..Context::default()
    };
    let git_ref = v.get("CI_COMMIT_REF").filter(|name| name.starts_with("refs/"));
    let facts = facts(v.commit("CI_COMMIT_SHA"), git_ref, number(v, "CI_COMMIT_PULL_REQUEST"), context);
    let facts = if v.get("CI_PIPELINE_EVENT").as_deref() == Some("pull_request_closed") {
        over(facts)
    } else {
        facts
    };
    CiFacts { actor: v.actor(provider, &["CI_PIPELINE_AUTHOR"]), ..facts }
}

/// The clone step merges a change into the target's branch, on that branch, or fast-forwards it.
pub(super) fn drone(v: &Variables<'_>, provider: &'static str) -> CiFacts {
    let context = Context {
        repository: v.repository("DRONE_GIT_HTTP_URL").or_else(|| v.repository("DRONE_REPO_LINK")),
        environment: v.get("DRONE_DEPLOY_TO"),
        run: numbered(v, "DRONE_REPO", "DRONE_BUILD_NUMBER", "DRONE_BUILD_LINK"),
        ..Context::default()
    };
    let git_ref = v.get("DRONE_COMMIT_REF").filter(|name| name.starts_with("refs/"));
    let facts = facts(v.commit("DRONE_COMMIT_SHA"), git_ref, number(v, "DRONE_PULL_REQUEST"), context);
    let around = Merge { own: 1, named: false, attached: true };
    CiFacts {
        // A hook and a schedule are written @hook and @cron.
        actor: v.person(provider, &["DRONE_BUILD_TRIGGER"], &["@hook", "@cron"]),
        head: facts.built.clone().filter(|_| facts.pull_request),
        merge: facts.pull_request.then_some(around),
        ..facts
    }
}

/// `TRAVIS_BRANCH` of a pull request is the target.
pub(super) fn travis(v: &Variables<'_>, _: &'static str) -> CiFacts {
    let context = Context {
        run: v.get("TRAVIS_BUILD_ID").map(|id| run(id, v.get("TRAVIS_BUILD_WEB_URL"))),
        ..Context::default()
    };
    let git_ref = branch_or_tag(v, "TRAVIS_BRANCH", "TRAVIS_TAG");
    let facts = facts(v.commit("TRAVIS_COMMIT"), git_ref, number(v, "TRAVIS_PULL_REQUEST"), context);
    merged(facts, v.commit("TRAVIS_PULL_REQUEST_SHA"))
}

/// `APPVEYOR_REPO_BRANCH` of a pull request is the target.
pub(super) fn appveyor(v: &Variables<'_>, _: &'static str) -> CiFacts {
    let host = match v.get("APPVEYOR_REPO_PROVIDER").as_deref() {
        Some("gitHub") => Some("github.com"),
        Some("gitLab") => Some("gitlab.com"),
        Some("bitBucket") => Some("bitbucket.org"),
        _ => None,
    };
    let named = v.get("APPVEYOR_REPO_NAME").zip(host);
    let page = ["APPVEYOR_URL", "APPVEYOR_ACCOUNT_NAME", "APPVEYOR_PROJECT_SLUG"].map(|name| v.get(name));
    let id = v.get("APPVEYOR_BUILD_ID");
    let url = match (page, &id) {
        ([Some(server), Some(account), Some(slug)], Some(id)) => {
            Some(format!("{}/project/{account}/{slug}/builds/{id}", server.trim_end_matches('/')))
        }
        _ => None,
    };
    let context = Context {
        repository: named.and_then(|(name, host)| remote_name(&format!("https://{host}/{name}"))),
        run: id.map(|id| run(id, url)),
        ..Context::default()
    };
    let git_ref = branch_or_tag(v, "APPVEYOR_REPO_BRANCH", "APPVEYOR_REPO_TAG_NAME");
    let change = number(v, "APPVEYOR_PULL_REQUEST_NUMBER");
    merged(
        facts(v.commit("APPVEYOR_REPO_COMMIT"), git_ref, change, context),
        v.commit("APPVEYOR_PULL_REQUEST_HEAD_COMMIT"),
    )
}

/// It names commit and build only: whether a build is of a change is not known, so no branch is its ref.
pub(super) fn teamcity(v: &Variables<'_>, _: &'static str) -> CiFacts {
    let names = [v.get("TEAMCITY_PROJECT_NAME"), v.get("TEAMCITY_BUILDCONF_NAME"), v.get("BUILD_NUMBER")];
    let id = match names {
        [Some(project), Some(configuration), Some(number)] => {
            Some(format!("{project}/{configuration}#{number}"))
        }
        _ => None,
    };
    let context = Context { run: id.map(|id| run(id, v.get("BUILD_URL"))), ..Context::default() };
    CiFacts { pull_request: true, ..facts(v.commit("BUILD_VCS_NUMBER"), None, None, context) }
}

/// `CODEBUILD_WEBHOOK_HEAD_REF` of a pull request is its source branch, so the trigger alone tells what is built.
/// Without a webhook nothing tells, and no branch is the build's ref.
pub(super) fn codebuild(v: &Variables<'_>, provider: &'static str) -> CiFacts {
    let trigger = v.first(&["CODEBUILD_WEBHOOK_TRIGGER"]).unwrap_or_default();
    let repository = v.repository("CODEBUILD_SOURCE_REPO_URL");
    let on_github = repository.as_deref().is_some_and(|name| name.starts_with("github."));
    let (git_ref, change) = match trigger.split_once('/') {
        Some(("pr", pull)) if is_change_number(pull) => {
            (on_github.then(|| format!("refs/pull/{pull}/head")), Some(pull.to_owned()))
        }
        Some(("branch", name)) => (Some(branch_ref(name)), None),
        Some(("tag", name)) => (Some(tag_ref(name)), None),
        _ => (None, None),
    };
    let context = Context {
        repository,
        run: v.get("CODEBUILD_BUILD_ID").map(|id| run(id, v.get("CODEBUILD_PUBLIC_BUILD_URL"))),
        ..Context::default()
    };
    let unnamed = git_ref.is_none();
    let facts = facts(v.commit("CODEBUILD_RESOLVED_SOURCE_VERSION"), git_ref, change, context);
    let event = v.get("CODEBUILD_WEBHOOK_EVENT");
    let is_over = matches!(event.as_deref(), Some("PULL_REQUEST_MERGED" | "PULL_REQUEST_CLOSED"));
    let facts = if is_over { over(facts) } else { facts };
    CiFacts {
        actor: v.actor(provider, &["CODEBUILD_WEBHOOK_ACTOR_ACCOUNT_ID"]),
        pull_request: facts.pull_request || unnamed,
        ..facts
    }
}

fn branch_or_tag(v: &Variables<'_>, branch: &str, tag: &str) -> Option<String> {
    v.get(tag).map(|tag| tag_ref(&tag)).or_else(|| v.get(branch).map(|branch| branch_ref(&branch)))
}

/// A run that is numbered within its repository.
fn numbered(v: &Variables<'_>, place: &str, number: &str, url: &str) -> Option<gate_model::context::Run> {
    let id = format!("{}#{}", v.get(place)?, v.get(number)?);
    Some(run(id, v.get(url)))
}
