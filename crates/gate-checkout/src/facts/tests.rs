use gate_model::principal::Principal;

use super::{Facts, gather, without_git};
use crate::git::sandbox::Sandbox;
use gate_identity::os;

fn in_ci(sandbox: &Sandbox, variables: &[(&str, &str)]) -> Facts {
    let env =
        |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    gather(&env, sandbox.root(), &[]).expect("facts")
}

#[test]
fn at_a_desk_git_and_the_user_are_all_there_is() {
    let sandbox = Sandbox::new();
    sandbox.git(&["remote", "add", "origin", "git@github.com:acme/pay.git"]);
    let facts = in_ci(&sandbox, &[]);
    assert_eq!(facts.principal, os::user());
    assert_eq!(facts.context.repository.as_deref(), Some("github.com/acme/pay"));
    assert_eq!(facts.context.git_ref.as_deref(), Some("refs/heads/main"));
    assert_eq!(facts.context.commit, Some(sandbox.head()));
    assert_eq!(facts.context.dirty, Some(false));
    assert_eq!((facts.context.provider, facts.notes), (None, vec![]));
}

#[test]
fn a_pull_request_on_github_is_its_own_commit() {
    let sandbox = Sandbox::new();
    let (_, feature, merge) = sandbox.detached_merge();
    let event = sandbox.beside("event.json");
    std::fs::write(&event, format!(r#"{{"pull_request":{{"head":{{"sha":"{feature}"}}}}}}"#)).unwrap();
    let mut variables = vec![
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_ACTOR", "carol"),
        ("GITHUB_REPOSITORY", "acme/pay"),
        ("GITHUB_REF", "refs/pull/7/merge"),
        ("GITHUB_SHA", merge.as_str()),
    ];
    let unconfirmed = in_ci(&sandbox, &variables);
    variables.push(("GITHUB_EVENT_PATH", event.to_str().unwrap()));
    let confirmed = in_ci(&sandbox, &variables);
    for facts in [unconfirmed, confirmed] {
        assert_eq!(facts.principal, Principal::asserted("github", "carol"));
        assert_eq!(facts.context.commit.as_deref(), Some(feature.as_str()));
        assert_eq!(facts.context.merge.as_deref(), Some(merge.as_str()));
        assert_eq!(facts.context.git_ref.as_deref(), Some("refs/pull/7/head"));
        assert_eq!(facts.context.conflicts, Vec::<String>::new());
    }
    std::fs::write(&event, "not JSON").unwrap();
    let unread = in_ci(&sandbox, &variables);
    assert_eq!((unread.context.commit, unread.notes.len()), (Some(feature), 1));
}

/// `pull_request_target` and `workflow_run` have the target's ref and commit. What they judge is the change's.
#[test]
fn a_run_beside_a_pull_request_is_about_its_commit_and_never_about_the_target() {
    let sandbox = Sandbox::new();
    let (main, feature, _) = sandbox.detached_merge();
    let event = sandbox.beside("event.json");
    let payload =
        format!(r#"{{"workflow_run":{{"head_sha":"{feature}","pull_requests":[{{"number":7}}]}}}}"#);
    std::fs::write(&event, payload).unwrap();
    let mut variables = vec![
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_ACTOR", "carol"),
        ("GITHUB_REPOSITORY", "acme/pay"),
        ("GITHUB_EVENT_NAME", "workflow_run"),
        ("GITHUB_REF", "refs/heads/main"),
        ("GITHUB_SHA", main.as_str()),
    ];
    sandbox.git(&["checkout", "-q", "main"]);
    assert_eq!(sandbox.head(), main);
    let blind = in_ci(&sandbox, &variables).context;
    assert_eq!((blind.git_ref, blind.commit, blind.change), (None, None, None), "without the event");
    variables.push(("GITHUB_EVENT_PATH", event.to_str().unwrap()));
    for place in ["main", feature.as_str()] {
        sandbox.git(&["checkout", "-q", place]);
        let context = in_ci(&sandbox, &variables).context;
        assert_eq!(context.commit.as_deref(), Some(feature.as_str()), "{place}");
        assert_eq!(context.git_ref.as_deref(), Some("refs/pull/7/head"), "{place}");
        assert_eq!((context.change.as_deref(), context.conflicts.len()), (Some("7"), 0), "{place}");
    }
    sandbox.git(&["commit", "-q", "--allow-empty", "-m", "another"]);
    assert_eq!(in_ci(&sandbox, &variables).context.conflicts.len(), 1, "a commit that nobody named");
}

#[test]
fn a_pull_request_on_jenkins_is_told_by_the_ref_that_was_fetched() {
    let sandbox = Sandbox::new();
    let (main, feature, _) = sandbox.detached_merge();
    sandbox.git(&["checkout", "-q", "--detach", &feature]);
    sandbox.git(&["merge", "-q", "--no-ff", "-m", "merge", &main]);
    let merge = sandbox.head();
    let variables = [
        ("JENKINS_URL", "https://ci.example.com/"),
        ("CHANGE_ID", "7"),
        ("BRANCH_NAME", "PR-7"),
        ("GIT_COMMIT", merge.as_str()),
    ];
    let commit = |sandbox: &Sandbox| in_ci(sandbox, &variables).context.commit;
    assert_eq!(commit(&sandbox), Some(merge.clone()), "without the ref nothing tells");
    sandbox.git(&["update-ref", "refs/remotes/origin/PR-7", &feature]);
    assert_eq!(commit(&sandbox), Some(feature));
    sandbox.git(&["update-ref", "refs/remotes/origin/PR-7", &merge]);
    assert_eq!(commit(&sandbox), Some(merge.clone()), "a merge of the author's own");
}

#[test]
fn a_pull_request_on_bitbucket_is_merged_on_its_branch() {
    let sandbox = Sandbox::new();
    let (main, feature, _) = sandbox.detached_merge();
    sandbox.git(&["checkout", "-q", "feature"]);
    sandbox.git(&["merge", "-q", "--no-ff", "-m", "merge", &main]);
    let variables = [
        ("BITBUCKET_BUILD_NUMBER", "41"),
        ("BITBUCKET_COMMIT", &feature[..12]),
        ("BITBUCKET_PR_ID", "7"),
        ("BITBUCKET_BRANCH", "feature"),
    ];
    let facts = in_ci(&sandbox, &variables);
    assert_eq!(facts.context.commit.as_deref(), Some(feature.as_str()));
    assert_eq!(facts.context.merge, Some(sandbox.head()));
    assert_eq!((facts.context.git_ref, facts.context.conflicts), (None, vec![]));
    assert_eq!(facts.principal, Principal::nobody("bitbucket"));
    assert_eq!(facts.notes.len(), 1);
}

#[test]
fn variables_that_name_another_commit_or_repository_conflict() {
    let sandbox = Sandbox::new();
    sandbox.git(&["remote", "add", "origin", "https://gitlab.com/acme/pay.git"]);
    let other = "1".repeat(40);
    let facts = in_ci(
        &sandbox,
        &[
            ("GITLAB_CI", "true"),
            ("CI_COMMIT_SHA", &other),
            ("CI_PROJECT_URL", "https://gitlab.com/evil/pay"),
        ],
    );
    assert_eq!(facts.context.conflicts.len(), 2, "{:?}", facts.context.conflicts);
    assert_eq!(facts.context.commit, Some(sandbox.head()));
}

#[test]
fn outside_a_work_tree_the_variables_stand_alone() {
    let sandbox = Sandbox::empty();
    let commit = "1".repeat(40);
    let facts = in_ci(&sandbox, &[("CIRCLECI", "true"), ("CIRCLE_SHA1", &commit)]);
    assert_eq!((facts.context.commit, facts.context.dirty, facts.checkout), (Some(commit), None, None));
    assert_eq!(in_ci(&sandbox, &[]).context, gate_model::context::Context::default());
}

#[test]
fn without_git_nothing_is_said_of_the_checkout() {
    let sandbox = Sandbox::new();
    let facts = without_git(&|_| None, sandbox.root(), &[]);
    assert_eq!((facts.context.commit, facts.checkout), (None, None));
}
