//! Variables that mean harm, and runs that are none.

use super::{GITHUB, facts, read};
use crate::ci::detect;

#[test]
fn outside_ci_there_are_no_facts() {
    assert_eq!(read(""), None);
    assert_eq!(read("JENKINS_URL=https://ci/"), None, "a user of the command line");
    assert_eq!(read("CI=true\nGITHUB_ACTOR=carol\nGITHUB_REPOSITORY=acme/pay"), None);
    assert_eq!(read("GITHUB_ACTIONS=false\nGITLAB_CI=\nBUILDKITE=0"), None);
}

#[test]
fn two_providers_conflict() {
    let both = facts(&format!("{GITHUB}GITLAB_CI=true\nGITHUB_SHA=$OWN"));
    assert_eq!(both.context.provider.as_deref(), Some("github"));
    assert_eq!(both.context.conflicts, ["more than one CI provider claims this run: github, gitlab"]);
    let three = facts("JENKINS_URL=https://ci/\nBUILD_NUMBER=1\nTF_BUILD=True\nCIRCLECI=true");
    assert_eq!(
        three.context.conflicts,
        ["more than one CI provider claims this run: jenkins, circleci, azure"]
    );
}

#[test]
fn control_characters_are_refused_and_named() {
    let lines =
        format!("{GITHUB}GITHUB_SHA=$OWN\nGITHUB_REF=refs/heads/main").replace("carol", "car\u{1b}[31mol");
    let facts = facts(&lines);
    assert_eq!(
        facts.actor.map(|actor| actor.id),
        Some("github:octocat".to_owned()),
        "the next variable stands in"
    );
    let [conflict] = &facts.context.conflicts[..] else { panic!("one conflict") };
    assert!(conflict.contains("GITHUB_TRIGGERING_ACTOR") && !conflict.contains('\u{1b}'), "{conflict}");
}

/// One that nobody sees makes a name look like another one. A branch may be called so, a person may not.
#[test]
fn a_name_with_a_character_that_nobody_sees_is_refused_and_named() {
    for (lines, variable) in [
        ("GITHUB_ACTIONS=true\nGITHUB_ACTOR=car\u{200b}ol", "GITHUB_ACTOR"),
        ("GITLAB_CI=true\nGITLAB_USER_LOGIN=\u{202e}lorac", "GITLAB_USER_LOGIN"),
        ("TF_BUILD=True\nBUILD_REQUESTEDFOREMAIL=carol\u{ad}@example.com", "BUILD_REQUESTEDFOREMAIL"),
    ] {
        let facts = facts(lines);
        assert_eq!(facts.actor, None, "{lines:?}");
        let named = facts.context.conflicts.iter().any(|conflict| conflict.contains(variable));
        assert!(named, "{:?}", facts.context.conflicts);
    }
    let env = |name: &str| match name {
        "GITLAB_CI" => Some("true".to_owned()),
        "CI_COMMIT_BRANCH" => Some("fix/\u{1f469}\u{200d}\u{1f4bb}".to_owned()),
        _ => None,
    };
    assert!(detect(&env).unwrap().context.git_ref.is_some());
}

#[test]
fn a_newline_in_a_ref_and_a_huge_value_are_refused() {
    let env = |name: &str| match name {
        "GITLAB_CI" => Some("true".to_owned()),
        "CI_COMMIT_BRANCH" => Some("main\nrefs/heads/prod".to_owned()),
        "CI_ENVIRONMENT_NAME" => Some("x".repeat(5000)),
        _ => None,
    };
    let facts = detect(&env).expect("a CI run");
    assert_eq!((facts.context.git_ref, facts.context.environment), (None, None));
    assert_eq!(facts.context.conflicts.len(), 2);
}

#[test]
fn a_page_with_a_password_is_left_out() {
    let facts = facts("BUILDKITE=true\nBUILDKITE_BUILD_ID=1\nBUILDKITE_BUILD_URL=https://user:secret@host/x");
    assert_eq!(facts.context.run.and_then(|run| run.url), None);
}

#[test]
fn nonsense_for_a_commit_is_no_commit() {
    for value in ["main", "12345", "zzzzzzzz", &"1".repeat(65)] {
        let facts = facts(&format!("CIRCLECI=true\nCIRCLE_SHA1={value}"));
        assert_eq!((facts.built, facts.context.commit), (None, None), "{value}");
    }
}

#[test]
fn a_branch_cannot_pass_for_another_by_a_full_name() {
    for (lines, name) in [
        ("GITLAB_CI=true\nCI_COMMIT_BRANCH=refs/heads/main", Some("refs/heads/refs/heads/main")),
        ("GITLAB_CI=true\nCI_COMMIT_TAG=refs/heads/main", Some("refs/tags/refs/heads/main")),
        ("BUILDKITE=true\nBUILDKITE_BRANCH=refs/heads/main", Some("refs/heads/refs/heads/main")),
        ("CIRCLECI=true\nCIRCLE_BRANCH=refs/heads/main", Some("refs/heads/refs/heads/main")),
        ("GITHUB_ACTIONS=true\nGITHUB_REF=main", None),
    ] {
        assert_eq!(facts(lines).context.git_ref.as_deref(), name, "{lines}");
    }
}

#[test]
fn a_pull_request_never_gets_the_name_of_a_branch() {
    for lines in [
        "GITLAB_CI=true\nCI_PIPELINE_SOURCE=merge_request_event\nCI_COMMIT_REF_NAME=main",
        "GITLAB_CI=true\nCI_MERGE_REQUEST_IID=x/../y\nCI_COMMIT_BRANCH=main",
        "BUILDKITE=true\nBUILDKITE_PULL_REQUEST=x\nBUILDKITE_BRANCH=main\nBUILDKITE_PIPELINE_PROVIDER=github",
        "BUILDKITE=true\nBUILDKITE_PULL_REQUEST=7\nBUILDKITE_BRANCH=main\nBUILDKITE_PIPELINE_PROVIDER=bitbucket",
        "BITBUCKET_BUILD_NUMBER=1\nBITBUCKET_PR_ID=7\nBITBUCKET_BRANCH=main",
        "JENKINS_URL=https://ci/\nCHANGE_ID=7\nBRANCH_NAME=main",
    ] {
        let found = facts(lines);
        assert!(found.pull_request, "{lines}");
        assert_eq!(found.context.git_ref, None, "{lines}");
    }
}
