//! The facts about the run in which somebody acts: from CI variables and git, asserted unless a token says so.

use serde::{Deserialize, Serialize};

use crate::repository::{is_another, is_same};

/// Where and on what a tool runs. Absent members are unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Context {
    /// The CI system, such as `github`, `gitlab`, `jenkins`; `custom` where only `GATE_*` variables state the facts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The repository as `host/path`, without scheme, user, port of the scheme, or `.git`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// What CI and the checkout call the repository, where that is another name than `repository`, which the policy's
    /// aliases chose, or more than one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// The full name of the ref, `refs/heads/main`; a pull request's own ref where there is one.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub git_ref: Option<String>,
    /// The full object id of the commit under test: the pull request's own behind a merge that CI made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The detached merge commit that CI checked out, where `commit` is its second parent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge: Option<String>,
    /// The number of the pull request (merge request, change) that the run is for: its own runs, those of its entry
    /// in a merge queue, and those that a finished run of it started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
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
    /// How environment, ref, repository and change are known: `oidc` where a verified token states them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assurance: Option<crate::principal::Assurance>,
    /// Which of these are only asserted all the same, since the token does not state them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unproven: Vec<String>,
}

impl Context {
    /// What contradicts what, as one sentence with its consequence; `None` where nothing does.
    pub fn contradiction(&self) -> Option<String> {
        let told = |conflicts: String| {
            format!("the facts of this run contradict each other, so no opt-out counts: {conflicts}")
        };
        (!self.conflicts.is_empty()).then(|| told(self.conflicts.join("; ")))
    }

    /// What CI and the checkout call the repository: no policy has a say in it.
    pub fn stated_names(&self) -> Vec<&str> {
        let names = if self.names.is_empty() { self.repository.as_slice() } else { &self.names };
        names.iter().map(String::as_str).collect()
    }

    /// Whether `meant` is the run's repository for sure, by one of its names.
    pub fn is_surely(&self, meant: &str) -> bool {
        self.repository.iter().chain(&self.names).any(|name| is_same(meant, name))
    }

    /// Whether `theirs` is another repository than the run's for sure: than every name of it. Not where one is unknown, so
    /// that nobody gets rid of what holds them back by taking a name away, or by adding an alias.
    pub fn is_elsewhere(&self, theirs: Option<&str>) -> bool {
        let mut ours = self.repository.iter().chain(&self.names).peekable();
        let is_known = ours.peek().is_some();
        theirs.is_some_and(|theirs| is_known && ours.all(|name| is_another(theirs, name)))
    }
}

/// The number of the change whose own ref `git_ref` is: `7` for `refs/pull/7/merge`, `refs/merge-requests/7/head` and
/// `refs/pull-requests/7/from`.
///
/// ```
/// use gate_model::context::change_of;
/// assert_eq!(change_of("refs/pull/7/merge"), Some("7"));
/// assert_eq!(change_of("refs/heads/pull/7/head"), None);
/// ```
pub fn change_of(git_ref: &str) -> Option<&str> {
    let rest = git_ref.strip_prefix("refs/")?;
    let (kind, rest) = rest.split_once('/')?;
    let (number, side) = rest.split_once('/')?;
    let known = match kind {
        "pull" => matches!(side, "head" | "merge"),
        "merge-requests" => matches!(side, "head" | "merge" | "train"),
        "pull-requests" => matches!(side, "from" | "merge"),
        _ => false,
    };
    (known && is_change_number(number)).then_some(number)
}

/// Whether `text` is the number of a pull or merge request: decimal digits, the first of them not 0, fewer than 20.
pub fn is_change_number(text: &str) -> bool {
    (1..20).contains(&text.len()) && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit())
}

/// One run of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The id, unique within the provider. A run that is started again is the same run.
    pub id: String,
    /// Which attempt at the run this is, where the provider counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u64>,
    /// A page about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Run {
    /// Whether `id` names an attempt at this run, `123.2`.
    pub fn is_attempt(&self, id: &str) -> bool {
        let attempt = id.strip_prefix(self.id.as_str()).and_then(|rest| rest.strip_prefix('.'));
        self.attempt.is_some() && attempt.is_some_and(|number| number.parse::<u64>().is_ok())
    }
}
