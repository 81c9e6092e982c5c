//! What the variables of a CI system say about the run. All of it is asserted: whoever can set variables
//! in a job can set these.
//!
//! Invariants: an empty variable is an unset one; a value with control characters is refused with a
//! conflict, never passed on; two providers that claim one run are a conflict; a pull request never gets
//! the name of a branch, since a fork may call its branch `main`.
//!
//! What cannot be read from variables alone (which commit is checked out, whether it is a merge that CI
//! made) is settled in [`reconcile`] against the checkout.

mod azure;
mod bitbucket;
mod buildkite;
mod circleci;
mod custom;
mod event;
mod github;
mod gitlab;
mod jenkins;
mod plain;
mod reconcile;
mod variables;

use std::path::PathBuf;

use gate_model::context::Context;
use gate_model::principal::Principal;

pub use event::{Event, EventError};
pub(crate) use github::{SERVICES as GITHUB_SERVICES, queued};
pub use reconcile::{Evidence, reconcile};
use variables::Variables;

/// The facts that a CI system's variables state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CiFacts {
    /// Who started this run; `None` where the provider does not say.
    pub actor: Option<Principal>,
    /// Provider, repository, ref, commit, environment and run. `commit` is the pull request's own where
    /// that is known, and left out where the variables only name a merge that CI made.
    pub context: Context,
    /// Whether the run is for a pull request (merge request, change).
    pub pull_request: bool,
    /// The commit that the variables call the one built, full or abbreviated (seven digits and more).
    pub built: Option<String>,
    /// The pull request's own commit, where the variables name it.
    pub head: Option<String>,
    /// The local ref that holds the pull request's own commit, where the provider's checkout leaves one.
    pub head_ref: Option<String>,
    /// How this provider merges a pull request before it builds, if it may have.
    pub merge: Option<Merge>,
    /// The file that describes the event behind the run (GitHub, Gitea, Forgejo).
    pub event: Option<PathBuf>,
    /// Whether the run is for a change and yet of another commit, [`CiFacts::built`], which is the target's: what
    /// it is for is known from the event alone.
    pub beside: bool,
    /// Whether the run is for a deployment whose environment the event names.
    pub deploys: bool,
    /// The branch that a merge request wants to merge. Only ever compared: a fork may call its branch `main`.
    pub source_branch: Option<String>,
}

/// A merge that a CI system makes of a pull request and its target before it builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merge {
    /// The parent that is the pull request's own commit: 0 where the target is merged into it
    /// (Jenkins, Bitbucket), 1 where it is merged into the target.
    pub own: usize,
    /// Whether [`CiFacts::built`] names the merge, not the pull request's own commit.
    pub named: bool,
    /// Whether HEAD stays attached to a branch (Bitbucket merges on the source branch).
    pub attached: bool,
}

/// A provider: how it is recognised, and how its variables are read.
struct Provider {
    name: &'static str,
    claims: fn(&Variables<'_>) -> bool,
    read: fn(&Variables<'_>, &'static str) -> CiFacts,
}

/// What started a run that nobody did: a schedule, or a token that stands for one. The person whom the variables name
/// then is whoever wrote the schedule or made the token, and not at the keyboard.
const UNATTENDED: [(&str, &[&str]); 6] = [
    ("GITHUB_EVENT_NAME", &["schedule"]),
    ("CI_PIPELINE_SOURCE", &["schedule", "trigger"]),
    ("BUILD_REASON", &["Schedule"]),
    ("BUILDKITE_SOURCE", &["schedule"]),
    ("CI_PIPELINE_EVENT", &["cron"]),
    ("DRONE_BUILD_EVENT", &["cron"]),
];

/// Whether an event, by its provider's name for it, is one that nobody started.
pub(crate) fn is_unattended(event: &str) -> bool {
    UNATTENDED.iter().any(|(_, events)| events.contains(&event))
}

/// Forgejo sets Gitea's marker too, and both set GitHub's, so that actions written for GitHub run there:
/// the three count as one claim, of the most particular of them.
const FAMILY: [Provider; 3] = [
    Provider { name: "forgejo", claims: |v| v.is_true("FORGEJO_ACTIONS"), read: github::read },
    Provider { name: "gitea", claims: |v| v.is_true("GITEA_ACTIONS"), read: github::read },
    Provider { name: "github", claims: |v| v.is_true("GITHUB_ACTIONS"), read: github::read },
];

const OTHERS: [Provider; 12] = [
    Provider { name: "gitlab", claims: |v| v.is_true("GITLAB_CI"), read: gitlab::read },
    Provider { name: "jenkins", claims: jenkins::claims, read: jenkins::read },
    Provider { name: "buildkite", claims: |v| v.is_true("BUILDKITE"), read: buildkite::read },
    Provider { name: "circleci", claims: |v| v.is_true("CIRCLECI"), read: circleci::read },
    Provider { name: "azure", claims: |v| v.is_true("TF_BUILD"), read: azure::read },
    Provider { name: "bitbucket", claims: bitbucket::claims, read: bitbucket::read },
    Provider {
        name: "woodpecker",
        claims: |v| v.get("CI").as_deref() == Some("woodpecker"),
        read: plain::woodpecker,
    },
    Provider { name: "drone", claims: |v| v.is_true("DRONE"), read: plain::drone },
    Provider { name: "travis", claims: |v| v.is_true("TRAVIS"), read: plain::travis },
    Provider { name: "appveyor", claims: |v| v.is_true("APPVEYOR"), read: plain::appveyor },
    Provider { name: "teamcity", claims: |v| v.get("TEAMCITY_VERSION").is_some(), read: plain::teamcity },
    Provider { name: "codebuild", claims: |v| v.get("CODEBUILD_BUILD_ID").is_some(), read: plain::codebuild },
];

/// What the variables say, or `None` outside CI. Where two providers claim the run, the facts are those of
/// the first and [`Context::conflicts`] says so: no opt-out counts then.
pub fn detect(env: &dyn Fn(&str) -> Option<String>) -> Option<CiFacts> {
    let variables = Variables::new(env);
    let family = FAMILY.iter().find(|provider| (provider.claims)(&variables));
    let others = OTHERS.iter().filter(|provider| (provider.claims)(&variables));
    let claimants: Vec<&Provider> = family.into_iter().chain(others).collect();
    let known = claimants.first().map(|provider| {
        let mut facts = (provider.read)(&variables, provider.name);
        facts.context.provider = Some(provider.name.to_owned());
        let events = UNATTENDED.iter().filter_map(|(name, _)| variables.get(name));
        if events.into_iter().any(|event| is_unattended(&event)) {
            facts.actor = None;
        }
        facts
    });
    let mut facts = custom::complete(&variables, known)?;
    if claimants.len() > 1 {
        let names: Vec<&str> = claimants.iter().map(|provider| provider.name).collect();
        facts
            .context
            .conflicts
            .push(format!("more than one CI provider claims this run: {}", names.join(", ")));
    }
    facts.context.conflicts.extend(variables.refused());
    Some(facts)
}

/// Whether something says that this is CI although no known system claims the run: `CI`, which nearly all of them
/// set.
pub fn is_unknown(env: &dyn Fn(&str) -> Option<String>) -> bool {
    let value = env("CI").unwrap_or_default();
    !matches!(value.trim().to_ascii_lowercase().as_str(), "" | "false" | "0" | "no")
}

/// The full name of a branch. A branch may itself be called `refs/heads/main`, so nothing is ever taken for
/// a full name here.
fn branch_ref(branch: &str) -> String {
    format!("refs/heads/{branch}")
}

/// The full name of a tag.
fn tag_ref(tag: &str) -> String {
    format!("refs/tags/{tag}")
}

#[cfg(test)]
mod tests;
