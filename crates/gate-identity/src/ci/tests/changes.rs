//! Pull requests, merge requests and their queues: which change a run is for, and what it never is.

use super::{Event, MERGE, OWN, facts};

fn change(lines: &str) -> Option<String> {
    facts(lines).context.change
}

#[test]
fn a_deployments_event_names_the_environment_and_nothing_else_does() {
    let run = |event: &str, more: &str| {
        facts(&format!("GITHUB_ACTIONS=true\nGITHUB_REF=refs/heads/main\nGITHUB_EVENT_NAME={event}\n{more}"))
    };
    let told = || Event {
        environment: Some("production".to_owned()),
        change: Some("7".to_owned()),
        ..Event::default()
    };
    for event in ["deployment", "deployment_status"] {
        let informed = run(event, "").informed(told()).context;
        assert_eq!(informed.environment.as_deref(), Some("production"), "{event}");
        assert_eq!((informed.change, informed.git_ref.as_deref()), (None, Some("refs/heads/main")));
        // Who says something else is not believed, and neither is the event.
        let other = run(event, "GATE_ENVIRONMENT=staging").informed(told()).context;
        assert_eq!(other.conflicts.len(), 1, "{other:?}");
        assert_eq!(run(event, "GATE_ENVIRONMENT=production").informed(told()).context.conflicts.len(), 0);
    }
    for event in ["push", "workflow_run"] {
        assert!(!run(event, "").deploys);
        assert_eq!(run(event, "").informed(told()).context.environment, None, "{event}");
    }
}

#[test]
fn each_system_names_the_change_of_a_run() {
    let github = "GITHUB_ACTIONS=true\nGITHUB_REF=refs/pull/7/merge\nGITHUB_EVENT_NAME=pull_request\n";
    for lines in [
        github,
        "GITLAB_CI=true\nCI_MERGE_REQUEST_IID=7\nCI_PIPELINE_SOURCE=merge_request_event",
        "TF_BUILD=True\nBUILD_SOURCEBRANCH=refs/pull/7/merge",
        "BUILDKITE=true\nBUILDKITE_PULL_REQUEST=7",
        "CIRCLECI=true\nCIRCLE_BRANCH=f\nCIRCLE_PULL_REQUEST=https://github.com/acme/pay/pull/7",
        "CIRCLECI=true\nCIRCLE_BRANCH=pull/7",
        "BITBUCKET_BUILD_NUMBER=1\nBITBUCKET_PR_ID=7",
        "JENKINS_URL=https://j\nBUILD_ID=1\nCHANGE_ID=7",
        "CI=woodpecker\nCI_COMMIT_PULL_REQUEST=7",
        "DRONE=true\nDRONE_PULL_REQUEST=7",
        "TRAVIS=true\nTRAVIS_PULL_REQUEST=7",
        "APPVEYOR=True\nAPPVEYOR_PULL_REQUEST_NUMBER=7",
        "CODEBUILD_BUILD_ID=p:1\nCODEBUILD_WEBHOOK_TRIGGER=pr/7",
        "GATE_REF=refs/pull/7/head",
    ] {
        assert_eq!(change(lines).as_deref(), Some("7"), "{lines}");
        assert!(facts(lines).pull_request, "{lines}");
    }
}

#[test]
fn a_change_never_has_the_name_of_a_branch() {
    for lines in [
        "CI=woodpecker\nCI_COMMIT_PULL_REQUEST=7\nCI_COMMIT_REF=refs/heads/main\nCI_COMMIT_BRANCH=main",
        "DRONE=true\nDRONE_PULL_REQUEST=7\nDRONE_COMMIT_REF=refs/heads/main",
        "TRAVIS=true\nTRAVIS_PULL_REQUEST=7\nTRAVIS_BRANCH=main",
        "APPVEYOR=True\nAPPVEYOR_PULL_REQUEST_NUMBER=7\nAPPVEYOR_REPO_BRANCH=main",
        "CODEBUILD_BUILD_ID=p:1\nCODEBUILD_WEBHOOK_TRIGGER=pr/7\nCODEBUILD_WEBHOOK_HEAD_REF=refs/heads/main",
        "GITLAB_CI=true\nCI_MERGE_REQUEST_IID=7\nCI_COMMIT_REF_NAME=main\nGATE_REF=refs/heads/main",
    ] {
        let found = facts(lines).context.git_ref.unwrap_or_default();
        assert!(!found.starts_with("refs/heads/"), "{lines}: {found}");
    }
}

#[test]
fn the_entry_of_a_merge_queue_belongs_to_its_pull_request() {
    let queue = |name: &str, event: &str| {
        let lines =
            format!("GITHUB_ACTIONS=true\nGITHUB_REF={name}\nGITHUB_EVENT_NAME={event}\nGITHUB_SHA=$OWN");
        facts(&lines)
    };
    let name = format!("refs/heads/gh-readonly-queue/release/1.0/pr-7-{MERGE}");
    let entry = queue(&name, "merge_group");
    assert_eq!(entry.context.change.as_deref(), Some("7"));
    assert_eq!(
        (entry.context.git_ref.as_deref(), entry.context.commit.as_deref()),
        (Some(name.as_str()), Some(OWN))
    );
    // A branch that only looks like an entry is none.
    assert_eq!(queue(&name, "push").context.change, None);
    assert_eq!(queue("refs/heads/gh-readonly-queue/main/pr-7-x", "merge_group").context.change, None);
    let other = entry.informed(Event { queued_head: Some(MERGE.to_owned()), ..Event::default() });
    assert_eq!(other.context.conflicts.len(), 1);
}

#[test]
fn the_event_names_the_change_that_the_variables_do_not() {
    let beside = || facts("GITHUB_ACTIONS=true\nGITHUB_REF=refs/heads/main\nGITHUB_EVENT_NAME=workflow_run");
    let event = |change: Option<&str>| Event { change: change.map(str::to_owned), ..Event::default() };
    let known = beside().informed(event(Some("7")));
    assert_eq!(known.context.change.as_deref(), Some("7"));
    assert_eq!(known.context.git_ref.as_deref(), Some("refs/pull/7/head"));
    let unknown = beside().informed(event(None));
    assert_eq!((unknown.context.change, unknown.context.git_ref), (None, None));
    let pull = facts("GITHUB_ACTIONS=true\nGITHUB_REF=refs/pull/8/merge\nGITHUB_EVENT_NAME=pull_request");
    assert_eq!(pull.informed(event(Some("7"))).context.conflicts.len(), 1);
}

#[test]
fn a_change_that_was_merged_or_given_up_is_none_any_more() {
    for (lines, event) in [
        (
            "CODEBUILD_BUILD_ID=p:1\nCODEBUILD_WEBHOOK_TRIGGER=pr/7",
            "CODEBUILD_WEBHOOK_EVENT=PULL_REQUEST_MERGED",
        ),
        (
            "CODEBUILD_BUILD_ID=p:1\nCODEBUILD_WEBHOOK_TRIGGER=pr/7",
            "CODEBUILD_WEBHOOK_EVENT=PULL_REQUEST_CLOSED",
        ),
        ("CI=woodpecker\nCI_COMMIT_PULL_REQUEST=7", "CI_PIPELINE_EVENT=pull_request_closed"),
    ] {
        let over = facts(&format!("{lines}\n{event}"));
        assert_eq!((over.context.change, over.pull_request), (None, true), "{event}");
    }
    let closed = Event { change: Some("7".to_owned()), is_closed: true, ..Event::default() };
    for (git_ref, name) in [("refs/heads/main", "pull_request_target"), ("refs/pull/7/merge", "pull_request")]
    {
        let lines = format!("GITHUB_ACTIONS=true\nGITHUB_REF={git_ref}\nGITHUB_EVENT_NAME={name}");
        let over = facts(&lines).informed(closed.clone());
        assert_eq!((over.context.change, over.context.conflicts.len()), (None, 0), "{name}");
    }
}
