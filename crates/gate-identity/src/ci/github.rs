//! GitHub Actions, and Gitea and Forgejo, whose runners set the same variables.
//!
//! Source: "Default environment variables" of each. `GITHUB_SHA` of a pull request is a merge that GitHub
//! made (`refs/pull/N/merge`: the target first, the pull request's own commit second); Gitea and Forgejo
//! build `refs/pull/N/head` itself. The ref is given as `refs/pull/N/head` in each case, since the commit
//! is the pull request's own. `pull_request_target` and `workflow_run` have ref and commit of the target branch,
//! and are about what the event names: never about that branch. A merge queue's entry has a branch of its own.
//! No variable names a deployment environment; a `deployment` event does, and none is invented.

use gate_model::context::{Context, Run, change_of, is_change_number};
use gate_model::repository::remote_name;

use super::variables::{Variables, run};
use super::{CiFacts, Event, Merge};
use crate::git;

/// Whom a job's own token starts runs as: any job of the repository can.
pub(crate) const SERVICES: &[&str] = &["github-actions[bot]", "gitea-actions", "forgejo-actions"];

pub(super) fn read(v: &Variables<'_>, provider: &'static str) -> CiFacts {
    let git_ref = v.get("GITHUB_REF").filter(|name| name.starts_with("refs/"));
    let event = v.get("GITHUB_EVENT_NAME");
    let kind = Kind::of(event.as_deref(), git_ref.as_deref());
    let own = git_ref.as_deref().and_then(change_of).filter(|_| kind == Kind::Change);
    let side = git_ref.as_deref().is_none_or(|name| name.ends_with("/merge"));
    let merged = kind == Kind::Change && side && (git_ref.is_some() || provider == "github");
    let built = v.commit("GITHUB_SHA");
    let full = built.clone().filter(|id| git::is_object_id(id) && kind != Kind::Beside);
    CiFacts {
        // A run that somebody starts again is his, not that of whoever pushed.
        actor: v.person(provider, &["GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR"], SERVICES),
        context: Context {
            repository: repository(v, provider),
            git_ref: match kind {
                Kind::Change => own.map(|number| format!("refs/pull/{number}/head")),
                Kind::Queue | Kind::Plain => git_ref.clone(),
                Kind::Beside => None,
            },
            commit: full.clone().filter(|_| !merged),
            merge: full.filter(|_| merged),
            change: match kind {
                Kind::Queue => git_ref.as_deref().and_then(queued).map(str::to_owned),
                _ => own.map(str::to_owned),
            },
            run: run_of(v, provider),
            ..Context::default()
        },
        pull_request: kind != Kind::Plain,
        built,
        merge: merged.then_some(Merge { own: 1, named: true, attached: false }),
        event: v.get("GITHUB_EVENT_PATH").map(Into::into),
        beside: kind == Kind::Beside,
        deploys: kind == Kind::Plain && matches!(event.as_deref(), Some("deployment" | "deployment_status")),
        ..CiFacts::default()
    }
}

/// What a run is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A branch, a tag, a schedule.
    Plain,
    /// A pull request.
    Change,
    /// A pull request's entry in a merge queue.
    Queue,
    /// A pull request, or a finished run, with the target branch's own code.
    Beside,
}

impl Kind {
    fn of(event: Option<&str>, git_ref: Option<&str>) -> Self {
        match event {
            Some("pull_request_target" | "workflow_run") => Self::Beside,
            Some("merge_group") => Self::Queue,
            // Without a ref, the event alone tells; `closed` runs for the target branch, and its ref says so.
            Some("pull_request") if git_ref.is_none() => Self::Change,
            _ if git_ref.and_then(change_of).is_some() => Self::Change,
            _ => Self::Plain,
        }
    }
}

/// The pull request whose entry a merge queue's branch is: 7 of `refs/heads/gh-readonly-queue/main/pr-7-ID`.
pub(crate) fn queued(git_ref: &str) -> Option<&str> {
    let entry = git_ref.strip_prefix("refs/heads/gh-readonly-queue/")?.rsplit('/').next()?;
    let (number, id) = entry.strip_prefix("pr-")?.split_once('-')?;
    (is_change_number(number) && git::is_object_id(id)).then_some(number)
}

impl CiFacts {
    /// The facts with what the event's payload says.
    #[must_use]
    pub fn informed(mut self, event: Event) -> Self {
        if let (Some(said), Some(entry)) = (&self.built, event.queued_head.as_ref())
            && said != entry
        {
            let sentence = format!("CI says that the queue's entry is at {said}, and its event at {entry}");
            self.context.conflicts.push(sentence);
        }
        if self.deploys {
            // What else such a payload tells is of the run that deployed, not of this one.
            return self.deploying(event.environment);
        }
        if event.is_closed {
            // What is said of a change ends with it, merged or not.
            self.context.change = None;
            return self;
        }
        match (&self.context.change, event.change) {
            (Some(said), Some(told)) if *said != told => self
                .context
                .conflicts
                .push(format!("CI says that the change is {said}, and its event says {told}")),
            (None, Some(told)) if self.pull_request => {
                self.context.git_ref = Some(format!("refs/pull/{told}/head"));
                self.context.change = Some(told);
            }
            _ => {}
        }
        self
    }
}

impl CiFacts {
    fn deploying(mut self, told: Option<String>) -> Self {
        match (&self.context.environment, told) {
            (Some(said), Some(told)) if *said != told => self
                .context
                .conflicts
                .push(format!("CI says that the environment is {said}, and its event says {told}")),
            (None, Some(told)) => self.context.environment = Some(told),
            _ => {}
        }
        self
    }
}

fn repository(v: &Variables<'_>, provider: &str) -> Option<String> {
    let default = || (provider == "github").then(|| "https://github.com".to_owned());
    let server = v.get("GITHUB_SERVER_URL").or_else(default)?;
    remote_name(&format!("{}/{}", server.trim_end_matches('/'), v.get("GITHUB_REPOSITORY")?))
}

/// The run. Gitea and Forgejo number their pages by `GITHUB_RUN_NUMBER`.
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
    let attempt = attempt.and_then(|attempt| attempt.parse().ok());
    Some(Run { attempt, ..run(id, url) })
}
