//! Azure Pipelines.
//!
//! Source: "Use predefined variables". A pull request is built as `refs/pull/N/merge` (target first);
//! `System.PullRequest.SourceCommitId` is its own commit. Azure Repos has no other ref for it; GitHub has
//! `refs/pull/N/head`. `Environment.Name` exists in deployment jobs only.

use gate_model::context::{Context, Run, change_of};

use super::variables::{Variables, run};
use super::{CiFacts, Merge, branch_ref};
use crate::git;

/// Who starts a build where nobody does: schedules, hooks, and every build of a repository on GitHub.
const SERVICES: &[&str] = &[
    "GitHub",
    "Microsoft.VisualStudio.Services.TFS",
    "Microsoft.VisualStudio.Services.ReleaseManagement",
    "Azure Pipelines",
];

pub(super) fn read(v: &Variables<'_>, provider: &'static str) -> CiFacts {
    // A full name, save for some repositories outside Azure.
    let full_name = |name: String| if name.starts_with("refs/") { name } else { branch_ref(&name) };
    let source = v.get("BUILD_SOURCEBRANCH").map(full_name);
    let pull = source.as_deref().and_then(|name| name.strip_prefix("refs/pull/")).is_some();
    let merged = pull && source.as_deref().is_some_and(|name| name.ends_with("/merge"));
    let built = v.commit("BUILD_SOURCEVERSION");
    let head = v.commit("SYSTEM_PULLREQUEST_SOURCECOMMITID").filter(|id| merged && git::is_object_id(id));
    let full = built.clone().filter(|id| git::is_object_id(id));
    CiFacts {
        actor: v.person(provider, &["BUILD_REQUESTEDFOREMAIL", "BUILD_REQUESTEDFOR"], SERVICES),
        context: Context {
            repository: v.repository("BUILD_REPOSITORY_URI"),
            git_ref: source.clone().map(|name| own_ref(v, name)),
            commit: if merged { head.clone() } else { full.clone() },
            merge: full.filter(|_| merged),
            // The id of a pull request on GitHub is another number, which only Azure knows.
            change: source.as_deref().and_then(change_of).map(str::to_owned),
            environment: v.get("ENVIRONMENT_NAME"),
            run: run_of(v),
            ..Context::default()
        },
        pull_request: pull || v.get("BUILD_REASON").is_some_and(|reason| reason == "PullRequest"),
        built,
        head,
        merge: merged.then_some(Merge { own: 1, named: true, attached: false }),
        ..CiFacts::default()
    }
}

fn own_ref(v: &Variables<'_>, name: String) -> String {
    let on_github = v.get("BUILD_REPOSITORY_PROVIDER").is_some_and(|provider| provider.starts_with("GitHub"));
    match name.strip_prefix("refs/pull/").and_then(|rest| rest.strip_suffix("/merge")) {
        Some(number) if on_github => format!("refs/pull/{number}/head"),
        _ => name,
    }
}

fn run_of(v: &Variables<'_>) -> Option<Run> {
    let id = v.get("BUILD_BUILDID")?;
    let collection = v.first(&["SYSTEM_COLLECTIONURI", "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"]);
    let url = match (collection, v.get("SYSTEM_TEAMPROJECT")) {
        (Some(collection), Some(project)) => {
            let project = project.replace(' ', "%20");
            Some(format!("{}/{project}/_build/results?buildId={id}", collection.trim_end_matches('/')))
        }
        _ => None,
    };
    Some(run(id, url))
}
