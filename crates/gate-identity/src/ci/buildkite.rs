//! Buildkite.
//!
//! Source: "Environment variables" of its documentation. `BUILDKITE_COMMIT` is `HEAD` in builds that
//! somebody starts without a commit, and the pull request's own commit otherwise, also where the merge is
//! checked out (`BUILDKITE_PULL_REQUEST_USING_MERGE_REFSPEC`).

use gate_model::context::{Context, is_change_number};

use super::variables::{Variables, run};
use super::{CiFacts, Merge, branch_ref, tag_ref};
use crate::git;

pub(super) fn read(v: &Variables<'_>, provider: &'static str) -> CiFacts {
    let pull = v.get("BUILDKITE_PULL_REQUEST").filter(|number| number != "false");
    let merged = pull.is_some() && v.is_true("BUILDKITE_PULL_REQUEST_USING_MERGE_REFSPEC");
    let built = v.commit("BUILDKITE_COMMIT");
    CiFacts {
        actor: v.actor(provider, &["BUILDKITE_BUILD_CREATOR_EMAIL", "BUILDKITE_BUILD_CREATOR"]),
        context: Context {
            repository: v.repository("BUILDKITE_REPO"),
            git_ref: match &pull {
                Some(number) => pull_ref(v, number),
                None => branch_or_tag(v),
            },
            commit: built.clone().filter(|id| git::is_object_id(id)),
            change: pull.clone().filter(|number| is_change_number(number)),
            // A retry is of one job, not of the build.
            run: v.get("BUILDKITE_BUILD_ID").map(|id| run(id, v.get("BUILDKITE_BUILD_URL"))),
            ..Context::default()
        },
        pull_request: pull.is_some(),
        head: built.clone().filter(|id| merged && git::is_object_id(id)),
        built,
        merge: merged.then_some(Merge { own: 1, named: false, attached: false }),
        ..CiFacts::default()
    }
}

/// The branch of a pull request says nothing (a fork may call it `main`); its own ref depends on the forge.
fn pull_ref(v: &Variables<'_>, number: &str) -> Option<String> {
    match v.get("BUILDKITE_PIPELINE_PROVIDER").filter(|_| is_change_number(number))?.as_str() {
        "github" | "github_enterprise" => Some(format!("refs/pull/{number}/head")),
        "gitlab" | "gitlab_ee" => Some(format!("refs/merge-requests/{number}/head")),
        _ => None,
    }
}

fn branch_or_tag(v: &Variables<'_>) -> Option<String> {
    let tag = v.get("BUILDKITE_TAG").map(|tag| tag_ref(&tag));
    tag.or_else(|| v.get("BUILDKITE_BRANCH").map(|branch| branch_ref(&branch)))
}
