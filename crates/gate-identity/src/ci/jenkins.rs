//! Jenkins, with the git plugin and multibranch pipelines.
//!
//! Source: `/env-vars.html` of a controller; the Build User Vars plugin for the actor. Jenkins names no
//! person without that plugin. A pull request with the "merge" strategy is built as a merge of the target
//! *into* the pull request's own commit, which is therefore the first parent, and `GIT_COMMIT` is the merge
//! (JENKINS-56341). With the "head" strategy nothing is merged, though the pull request's own commit may be
//! a merge itself; the two cannot be told apart by variables, but the ref that the checkout fetched can:
//! `refs/remotes/origin/PR-12` holds the pull request's own commit.

use gate_model::context::{Context, is_change_number};
use gate_model::repository::remote_name;

use super::variables::{Variables, run};
use super::{CiFacts, Merge, branch_ref, tag_ref};
use crate::git;

/// Jenkins sets no marker of its own. `JENKINS_URL` is missing where the administrator has not set it, and
/// stands alone where somebody only uses Jenkins' command line.
pub(super) fn claims(v: &Variables<'_>) -> bool {
    let of_a_build = ["BUILD_NUMBER", "BUILD_ID", "BUILD_URL", "JOB_NAME", "CHANGE_ID"];
    v.get("BUILD_TAG").is_some_and(|tag| tag.starts_with("jenkins-"))
        || (v.get("JENKINS_URL").is_some() && v.first(&of_a_build).is_some())
}

/// What the Build User Vars plugin calls causes that are nobody.
const SERVICES: &[&str] = &["timer", "scmChange", "anonymous", "SYSTEM", "remoteRequest"];

pub(super) fn read(v: &Variables<'_>, provider: &'static str) -> CiFacts {
    let change = v.get("CHANGE_ID");
    let built = v.commit("GIT_COMMIT");
    let branch = v.get("BRANCH_NAME");
    CiFacts {
        actor: v.person(provider, &["BUILD_USER_ID"], SERVICES),
        context: Context {
            repository: v.first(&["GIT_URL", "GIT_URL_1"]).and_then(|url| remote_name(&url)),
            git_ref: match &change {
                Some(number) => change_ref(v, number),
                None => branch_or_tag(v),
            },
            // What was built of a change may be a merge that Jenkins made: only the checkout tells.
            commit: built.clone().filter(|id| change.is_none() && git::is_object_id(id)),
            change: change.clone().filter(|number| is_change_number(number)),
            run: run_id(v).map(|id| run(id, v.get("BUILD_URL"))),
            ..Context::default()
        },
        pull_request: change.is_some(),
        built,
        head_ref: branch.filter(|_| change.is_some()).map(|branch| format!("refs/remotes/origin/{branch}")),
        merge: change.map(|_| Merge { own: 0, named: false, attached: false }),
        ..CiFacts::default()
    }
}

/// A change's own ref, which depends on the forge; its page tells which one it is.
fn change_ref(v: &Variables<'_>, number: &str) -> Option<String> {
    let page = v.get("CHANGE_URL").filter(|_| is_change_number(number))?;
    let page = page.trim_end_matches('/');
    let on = |forge: &str| page.ends_with(&format!("/{forge}/{number}"));
    if on("pull") || on("pulls") {
        Some(format!("refs/pull/{number}/head"))
    } else if on("merge_requests") {
        Some(format!("refs/merge-requests/{number}/head"))
    } else if page.contains(&format!("/pull-requests/{number}")) && !page.contains("bitbucket.org/") {
        // Bitbucket Data Center; Bitbucket Cloud has no such refs.
        Some(format!("refs/pull-requests/{number}/from"))
    } else {
        None
    }
}

/// `BRANCH_NAME` of a multibranch pipeline, else the git plugin's `GIT_BRANCH`, `origin/main`.
fn branch_or_tag(v: &Variables<'_>) -> Option<String> {
    if let Some(tag) = v.get("TAG_NAME") {
        return Some(tag_ref(&tag));
    }
    if let Some(branch) = v.get("BRANCH_NAME") {
        return Some(branch_ref(&branch));
    }
    let branch = v.get("GIT_BRANCH").filter(|branch| branch != "detached")?;
    let branch = branch.strip_prefix("refs/remotes/").unwrap_or(&branch);
    Some(branch_ref(branch.strip_prefix("origin/").unwrap_or(branch)))
}

/// `folder/job#12`: `BUILD_TAG` joins folders with dashes, so two jobs can share one.
fn run_id(v: &Variables<'_>) -> Option<String> {
    match (v.get("JOB_NAME"), v.get("BUILD_NUMBER")) {
        (Some(job), Some(number)) => Some(format!("{job}#{number}")),
        _ => v.get("BUILD_TAG"),
    }
}
