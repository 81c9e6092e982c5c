//! Bitbucket Pipelines (Cloud).
//!
//! Source: "Variables and secrets". It names people by UUID only. Before a pull request's pipeline the
//! target is merged into the source branch in place, so the pull request's own commit, which
//! `BITBUCKET_COMMIT` names (sometimes in twelve digits), is HEAD or its first parent, and HEAD stays on the
//! branch. Pull requests have no refs of their own.

use gate_model::context::{Context, Run, is_change_number};
use gate_model::repository::remote_name;

use super::variables::{Variables, run};
use super::{CiFacts, Merge, branch_ref, tag_ref};
use crate::git;

/// There is no marker but the number itself.
pub(super) fn claims(v: &Variables<'_>) -> bool {
    v.get("BITBUCKET_BUILD_NUMBER").is_some()
}

pub(super) fn read(v: &Variables<'_>, provider: &'static str) -> CiFacts {
    let pull_request = v.get("BITBUCKET_PR_ID").is_some();
    let built = v.commit("BITBUCKET_COMMIT");
    let full = built.clone().filter(|id| git::is_object_id(id));
    CiFacts {
        actor: v.actor(provider, &["BITBUCKET_STEP_TRIGGERER_UUID"]),
        context: Context {
            repository: repository(v),
            git_ref: if pull_request { None } else { branch_or_tag(v) },
            commit: full,
            change: v.get("BITBUCKET_PR_ID").filter(|number| is_change_number(number)),
            environment: v.get("BITBUCKET_DEPLOYMENT_ENVIRONMENT"),
            run: run_of(v),
            ..Context::default()
        },
        pull_request,
        head: built.clone().filter(|_| pull_request),
        built,
        merge: pull_request.then_some(Merge { own: 0, named: false, attached: true }),
        ..CiFacts::default()
    }
}

fn repository(v: &Variables<'_>) -> Option<String> {
    let from_name = || remote_name(&format!("https://bitbucket.org/{}", v.get("BITBUCKET_REPO_FULL_NAME")?));
    v.repository("BITBUCKET_GIT_HTTP_ORIGIN").or_else(from_name)
}

fn branch_or_tag(v: &Variables<'_>) -> Option<String> {
    let tag = v.get("BITBUCKET_TAG").map(|tag| tag_ref(&tag));
    tag.or_else(|| v.get("BITBUCKET_BRANCH").map(|branch| branch_ref(&branch)))
}

/// The build number is unique within one repository.
fn run_of(v: &Variables<'_>) -> Option<Run> {
    let number = v.get("BITBUCKET_BUILD_NUMBER")?;
    let name = v.get("BITBUCKET_REPO_FULL_NAME");
    let url = name.as_ref().map(|name| format!("https://bitbucket.org/{name}/pipelines/results/{number}"));
    let id = v
        .get("BITBUCKET_PIPELINE_UUID")
        .or_else(|| name.map(|name| format!("{name}#{number}")))
        .unwrap_or(number);
    Some(run(id, url))
}
