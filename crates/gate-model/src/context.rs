//! The facts about the run in which somebody acts: from CI variables and git, asserted unless a token says so.

use serde::{Deserialize, Serialize};

/// Where and on what a tool runs. Absent members are unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Context {
    /// The CI system: `github`, `gitlab`, `jenkins`, `buildkite`, `circleci`, `azure`, `bitbucket`,
    /// `forgejo`, `gitea`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The repository as `host/path`, without scheme, user, port of the scheme, or `.git`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The full name of the ref, `refs/heads/main`; a pull request's own ref where there is one.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub git_ref: Option<String>,
    /// The full object id of the commit under test: the pull request's own behind a merge that CI made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The detached merge commit that CI checked out, where `commit` is its second parent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge: Option<String>,
    /// The deployment environment's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The pipeline run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// Whether tracked files differ from the commit. Left out where nothing depended on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dirty: Option<bool>,
    /// Where CI's variables and the checkout, or two providers, disagree. Not empty: no opt-out counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<String>,
    /// How environment, ref and repository are known: `oidc` where a verified token states them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assurance: Option<crate::principal::Assurance>,
}

impl Context {
    /// What contradicts what, as one sentence with its consequence; `None` where nothing does.
    pub fn contradiction(&self) -> Option<String> {
        let told = |conflicts: String| {
            format!("the facts of this run contradict each other, so no opt-out counts: {conflicts}")
        };
        (!self.conflicts.is_empty()).then(|| told(self.conflicts.join("; ")))
    }
}

/// One run of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The id, unique within the provider (with the attempt appended where there is one: `123.2`).
    pub id: String,
    /// A page about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}
