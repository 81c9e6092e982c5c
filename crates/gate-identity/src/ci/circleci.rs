//! CircleCI.
//!
//! Source: "Built-in environment variables". The branch of a pull request from a fork is `pull/N`; that of
//! one within the repository is a branch of the repository, and counts as one. `CIRCLE_SHA1` is always the
//! pull request's own commit.

use gate_model::context::{Context, Run, is_change_number};

use super::variables::{Variables, run};
use super::{CiFacts, branch_ref, tag_ref};
use crate::git;

pub(super) fn read(v: &Variables<'_>, provider: &'static str) -> CiFacts {
    let built = v.commit("CIRCLE_SHA1");
    CiFacts {
        actor: v.actor(provider, &["CIRCLE_USERNAME"]),
        context: Context {
            repository: v.repository("CIRCLE_REPOSITORY_URL"),
            git_ref: git_ref(v),
            commit: built.clone().filter(|id| git::is_object_id(id)),
            change: change(v),
            run: run_of(v),
            ..Context::default()
        },
        pull_request: forked(v).is_some()
            || v.first(&["CIRCLE_PULL_REQUEST", "CIRCLE_PULL_REQUESTS"]).is_some(),
        built,
        ..CiFacts::default()
    }
}

/// The number of a pull request from a fork.
fn forked(v: &Variables<'_>) -> Option<String> {
    let branch = v.get("CIRCLE_BRANCH");
    let named = branch
        .as_deref()
        .and_then(|branch| branch.strip_prefix("pull/"))
        .and_then(|rest| rest.split('/').next());
    let number = v.get("CIRCLE_PR_NUMBER").or_else(|| named.map(str::to_owned))?;
    is_change_number(&number).then_some(number)
}

/// The number of the pull request; that of one within the repository ends its page's address. A branch of several names
/// none.
fn change(v: &Variables<'_>) -> Option<String> {
    let several = v.get("CIRCLE_PULL_REQUESTS").is_some_and(|pages| pages.contains(','));
    let page = v.get("CIRCLE_PULL_REQUEST").filter(|_| !several);
    let of_page = || page.as_deref().and_then(|page| page.trim_end_matches('/').rsplit('/').next());
    forked(v).or_else(|| of_page().filter(|number| is_change_number(number)).map(str::to_owned))
}

fn git_ref(v: &Variables<'_>) -> Option<String> {
    if let Some(tag) = v.get("CIRCLE_TAG") {
        return Some(tag_ref(&tag));
    }
    match forked(v) {
        Some(number) => Some(format!("refs/pull/{number}/head")),
        None => v.get("CIRCLE_BRANCH").map(|branch| branch_ref(&branch)),
    }
}

/// The workflow. It has a new id when it is run again, and goes on in the same workspace. In old set-ups without
/// workflows the job.
fn run_of(v: &Variables<'_>) -> Option<Run> {
    let job = || Some(format!("{}#{}", v.repository("CIRCLE_REPOSITORY_URL")?, v.get("CIRCLE_BUILD_NUM")?));
    let id = v.first(&["CIRCLE_WORKFLOW_WORKSPACE_ID", "CIRCLE_WORKFLOW_ID"]).or_else(job)?;
    Some(run(id, v.get("CIRCLE_BUILD_URL")))
}
