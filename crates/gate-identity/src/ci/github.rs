//! GitHub Actions, and Gitea and Forgejo, whose runners set the same variables.
//!
//! Source: "Default environment variables" of each. `GITHUB_SHA` of a pull request is a merge that GitHub
//! made (`refs/pull/N/merge`: the target first, the pull request's own commit second); Gitea and Forgejo
//! build `refs/pull/N/head` itself. The ref is given as `refs/pull/N/head` in each case, since the commit
//! is the pull request's own. `pull_request_target` runs for the target branch, and is none here.
//! No variable names a deployment environment; none is invented.

use gate_model::context::{Context, Run};

use super::variables::{Variables, run};
use super::{CiFacts, Merge, is_number};
use crate::git;

pub(super) fn read(v: &Variables<'_>, provider: &'static str) -> CiFacts {
    let git_ref = v.get("GITHUB_REF").filter(|name| name.starts_with("refs/"));
    let pull = git_ref.as_deref().and_then(pull_of);
    let event = v.get("GITHUB_EVENT_NAME");
    // Without a ref, the event alone tells; `closed` runs for the target branch, and its ref says so.
    let unnamed = git_ref.is_none() && event.as_deref() == Some("pull_request");
    let merged = pull.is_some_and(|(_, side)| side == "merge") || (unnamed && provider == "github");
    let built = v.commit("GITHUB_SHA");
    CiFacts {
        // A run that somebody starts again is his, not that of whoever pushed.
        actor: v.actor(provider, &["GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR"]),
        context: Context {
            repository: repository(v, provider),
            git_ref: pull.map(|(number, _)| format!("refs/pull/{number}/head")).or(git_ref.clone()),
            commit: built.clone().filter(|id| !merged && git::is_object_id(id)),
            merge: built.clone().filter(|id| merged && git::is_object_id(id)),
            run: run_of(v, provider),
            ..Context::default()
        },
        pull_request: pull.is_some() || unnamed,
        built,
        head: None,
        head_ref: None,
        merge: merged.then_some(Merge { own: 1, named: true, attached: false }),
        event: v.get("GITHUB_EVENT_PATH").map(Into::into),
    }
}

/// Number and side (`head`, `merge`) of `refs/pull/N/side`.
fn pull_of(git_ref: &str) -> Option<(&str, &str)> {
    let (number, side) = git_ref.strip_prefix("refs/pull/")?.split_once('/')?;
    (is_number(number) && matches!(side, "head" | "merge")).then_some((number, side))
}

fn repository(v: &Variables<'_>, provider: &str) -> Option<String> {
    let default = || (provider == "github").then(|| "https://github.com".to_owned());
    let server = v.get("GITHUB_SERVER_URL").or_else(default)?;
    git::remote_name(&format!("{}/{}", server.trim_end_matches('/'), v.get("GITHUB_REPOSITORY")?))
}

/// The run with its attempt. Gitea and Forgejo number their pages by `GITHUB_RUN_NUMBER`.
fn run_of(v: &Variables<'_>, provider: &str) -> Option<Run> {
    let id = v.get("GITHUB_RUN_ID")?;
    let attempt = v.get("GITHUB_RUN_ATTEMPT");
    let page = if provider == "github" { Some(id.clone()) } else { v.get("GITHUB_RUN_NUMBER") };
    let url = match (v.get("GITHUB_SERVER_URL"), v.get("GITHUB_REPOSITORY"), page) {
        (Some(server), Some(repository), Some(page)) => {
            Some(format!("{}/{repository}/actions/runs/{page}", server.trim_end_matches('/')))
        }
        _ => None,
    };
    Some(run(attempt.map_or_else(|| id.clone(), |attempt| format!("{id}.{attempt}")), url))
}
