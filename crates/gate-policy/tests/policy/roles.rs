//! Approve, review, revoke, resume: who counts, and who only looks like somebody else.

use gate_model::action::Action;
use gate_model::principal::{Assurance, Principal};
use gate_policy::{
    Policy, approvals_standing, is_same_person, may_approve, may_be_one_person, may_resume, may_review,
    may_revoke, person,
};

use crate::support::{asserted, here, known, policy, signed};

const PEOPLE: &str = r#"
groups.sec = ["alice@x", "bob@x", "carol@x", "github:dan"]
groups.leads = ["alice@x", "bob@x"]
[people]
"alice@x" = ["github:alice", "alice@home"]
"bob@x" = ["github:bob"]
[gates.g]
[[gates.g.allow]]
actions = ["skip"]
who = ["*"]
max_ttl = "4h"
"#;

fn approving(approvals: &str) -> Policy {
    policy(&format!("{PEOPLE}approvals = {{ {approvals} }}\n"))
}

fn oidc(id: &str) -> Principal {
    known(id, Assurance::Oidc, "oidc")
}

/// How many approvals stand, or why this one does not count.
fn approve(
    policy: &Policy,
    approver: &Principal,
    requester: &Principal,
    already: &[Principal],
) -> Result<u64, String> {
    let rule = &policy.gate("g").unwrap().allow[0];
    may_approve(policy, rule, approver, requester, None, already)
        .map(|approval| approval.standing)
        .map_err(|failed| failed.join("; "))
}

#[test]
fn a_member_approves_and_two_are_two() {
    let policy = approving("count = 2, from = [\"group:sec\", \"group:leads\"]");
    let requester = signed("dave@x");
    assert_eq!(approve(&policy, &signed("alice@x"), &requester, &[]), Ok(1));
    assert_eq!(approve(&policy, &signed("bob@x"), &requester, &[signed("alice@x")]), Ok(2));
    let rule = &policy.gate("g").unwrap().allow[0];
    let third = may_approve(
        &policy,
        rule,
        &signed("carol@x"),
        &requester,
        None,
        &[signed("alice@x"), signed("bob@x")],
    );
    assert!(third.unwrap().is_complete(), "overshooting is harmless");
}

#[test]
fn a_stranger_and_a_weak_identity_do_not_approve() {
    let policy = approving("from = [\"group:sec\"]");
    let requester = signed("dave@x");
    let stranger = approve(&policy, &signed("eve@x"), &requester, &[]).unwrap_err();
    assert_eq!(stranger, "this is for group:sec (you are eve@x (signed))");
    let weak = approve(&policy, &asserted("github:bob"), &signed("dave@x"), &[]).unwrap_err();
    assert!(weak.contains("an approval needs a signature (--sign) or a verified CI token"), "{weak}");
    let strict = approving("from = [\"group:sec\"], assurance = \"signed\"");
    assert!(
        approve(&strict, &oidc("bob@x"), &requester, &[])
            .unwrap_err()
            .contains("an approval needs a signature: --sign")
    );
}

#[test]
fn the_requester_never_approves_by_any_name_key_or_spelling() {
    let policy = approving("from = [\"group:sec\"]");
    for (requester, approver) in [
        (signed("alice@x"), signed("alice@x")),
        (asserted("github:alice"), signed("alice@x")),
        (signed("alice@home"), signed("alice@x")),
        (signed("ALICE@X"), signed("alice@x")),
        (signed("Carol@X"), signed("carol@x")),
        (asserted("github:Alice"), signed("alice@x")),
        (
            Principal { key: Some("SHA256:k".into()), ..signed("eve@x") },
            Principal { key: Some("SHA256:k".into()), ..signed("bob@x") },
        ),
    ] {
        let refused = approve(&policy, &approver, &requester, &[]).unwrap_err();
        assert_eq!(
            refused, "the requester cannot decide on their own request; ask somebody else",
            "{requester:?}"
        );
    }
}

#[test]
fn different_kinds_of_identity_count_as_two_people_only_where_both_are_listed() {
    let policy = approving("from = [\"group:sec\"]");
    assert_eq!(approve(&policy, &signed("bob@x"), &asserted("github:alice"), &[]), Ok(1), "both are listed");
    let doubtful = approve(&policy, &signed("carol@x"), &asserted("github:alice"), &[]).unwrap_err();
    assert!(doubtful.contains("may be one person; list both in [people]"), "{doubtful}");
    let doubtful = approve(&policy, &signed("bob@x"), &asserted("os:dave"), &[]).unwrap_err();
    assert!(doubtful.contains("may be one person"), "{doubtful}");
    assert_eq!(
        approve(&policy, &oidc("github:dan"), &asserted("github:dave"), &[]),
        Ok(1),
        "one naming system"
    );
    let mut here_gitlab = oidc("github:dan");
    here_gitlab.issuer = Some("https://a".into());
    let mut other = oidc("github:dave");
    other.issuer = Some("https://b".into());
    assert!(
        approve(&policy, &here_gitlab, &other, &[]).is_err(),
        "two issuers may call one person differently"
    );
}

#[test]
fn a_person_counts_once_whatever_group_name_or_key() {
    let policy = approving("count = 2, from = [\"group:sec\", \"group:leads\"]");
    let requester = signed("dave@x");
    let alice = signed("alice@x");
    let other_key = Principal { key: Some("SHA256:other".into()), ..signed("alice@x") };
    let borrowed = Principal { key: alice.key.clone(), ..signed("bob@x") };
    for again in [alice.clone(), other_key, signed("alice@home"), borrowed] {
        let refused = approve(&policy, &again, &requester, std::slice::from_ref(&alice)).unwrap_err();
        assert_eq!(refused, "alice@x has approved already, and a person counts once", "{again:?}");
    }
    let rule = &policy.gate("g").unwrap().allow[0];
    let all =
        [alice.clone(), signed("alice@home"), alice, requester.clone(), signed("eve@x"), signed("bob@x")];
    let standing = approvals_standing(&policy, rule, &requester, None, &all);
    assert_eq!((standing.standing, standing.needed), (2, 2));
    assert_eq!(standing.people, ["alice@x", "bob@x"]);
}

#[test]
fn an_earlier_approval_that_does_not_count_today_is_not_counted() {
    let policy = approving("count = 2, from = [\"group:sec\"], assurance = \"signed\"");
    let earlier = [oidc("alice@x"), signed("eve@x")];
    assert_eq!(approve(&policy, &signed("bob@x"), &signed("dave@x"), &earlier), Ok(1));
}

#[test]
fn a_name_that_stands_for_many_never_approves() {
    let policy = approving("from = [\"group:sec\"]");
    let refused = approve(&policy, &signed("*@x"), &signed("dave@x"), &[]).unwrap_err();
    assert!(refused.contains("'*@x' stands for many people"), "{refused}");
    let chosen = Principal { via: gate_policy::WILDCARD_VIA.into(), ..signed("bob@x") };
    let refused = approve(&policy, &chosen, &signed("dave@x"), &[]).unwrap_err();
    assert!(refused.contains("'bob@x' stands for many people"), "{refused}");
    let asked =
        approve(&policy, &signed("carol@x"), &Principal { id: "eve@x".into(), ..chosen }, &[]).unwrap_err();
    assert!(asked.contains("chose the name"), "who chose a name may be anybody: {asked}");
}

#[test]
fn people_do_not_tell_apart_who_chose_the_name() {
    let text = "[people]\n\"alice@x\" = [\"github:alice\"]\n\"bob@x\" = [\"github:bob\"]\n";
    let policy = policy(&format!("{text}[gates.g]\n"));
    let chosen = Principal { via: gate_policy::WILDCARD_VIA.into(), ..signed("alice@x") };
    assert!(
        may_be_one_person(&policy, &signed("bob@x"), &chosen)
            && !is_same_person(&policy, &signed("bob@x"), &chosen)
    );
    assert!(!may_be_one_person(&policy, &signed("bob@x"), &signed("alice@x")), "both are listed");
    assert!(may_be_one_person(&policy, &asserted("os:eve"), &signed("alice@x")), "nobody knows who that is");
}

#[test]
fn who_chose_the_name_revokes_nothing_as_the_requester() {
    let policy = pausing();
    let gate = policy.gate("g").unwrap();
    let revoke = |by: &Principal, requester: &Principal| {
        may_revoke(&policy, gate, by, &here(), requester, &[], Action::Pause)
    };
    let chosen = |key: &str| Principal {
        via: gate_policy::WILDCARD_VIA.into(),
        key: Some(key.to_owned()),
        ..signed("dave@x")
    };
    assert!(revoke(&chosen("SHA256:a"), &signed("dave@x")).is_err());
    assert!(revoke(&chosen("SHA256:a"), &chosen("SHA256:b")).is_err());
    assert_eq!(revoke(&chosen("SHA256:a"), &chosen("SHA256:a")), Ok(()), "it is the same key");
}

#[test]
fn everybody_never_approves_even_if_a_rule_came_to_say_so() {
    let mut policy = approving("from = [\"group:sec\"]");
    let gate = policy.gates.values_mut().next().unwrap();
    gate.allow[0].approvals.as_mut().unwrap().from = vec![gate_policy::Who::Anyone];
    assert!(approve(&policy, &signed("eve@x"), &signed("dave@x"), &[]).is_err());
}

#[test]
fn the_commits_author_does_not_count_where_the_rule_says_so() {
    let policy = approving("from = [\"group:sec\"], exclude_author = true");
    let rule = &policy.gate("g").unwrap().allow[0];
    let approve = |approver: &Principal, author| {
        may_approve(&policy, rule, approver, &signed("dave@x"), author, &[])
            .map(|a| a.standing)
            .map_err(|f| f.join("; "))
    };
    assert_eq!(approve(&signed("bob@x"), Some("alice@home")), Ok(1));
    assert!(
        approve(&signed("alice@x"), Some("Alice@Home")).unwrap_err().contains("author may not approve it")
    );
    assert!(approve(&signed("bob@x"), None).unwrap_err().contains("the author is unknown"));
    assert!(
        approve(&oidc("github:dan"), Some("someone@x")).unwrap_err().contains("may be the commit's author")
    );
}

#[test]
fn a_rule_that_says_asserted_says_so_for_its_approvals_too() {
    let policy =
        policy(&format!("{PEOPLE}assurance = \"asserted\"\napprovals = {{ from = [\"group:leads\"] }}"));
    assert_eq!(approve(&policy, &asserted("github:bob"), &asserted("github:alice"), &[]), Ok(1));
}

#[test]
fn a_rule_without_approvals_takes_none() {
    let policy = policy(PEOPLE);
    assert_eq!(
        approve(&policy, &signed("alice@x"), &signed("dave@x"), &[]),
        Err("rule 1 needs no approval".into())
    );
}

fn glass(reviewers: &str) -> Policy {
    policy(&format!(
        "policy.owners = [\"group:owners\"]\n[groups]\nowners = [\"olga@x\"]\noncall = [\"carol@x\", \"bob@x\"]\n[gates.g]\n[[gates.g.allow]]\nactions = [\"override\"]\nwho = [\"group:oncall\"]\nmax_ttl = \"2h\"\nbreak_glass = true\nreview_within = \"1d\"\n{reviewers}"
    ))
}

#[test]
fn a_review_is_a_colleagues_or_an_owners_and_never_the_requesters() {
    let policy = glass("");
    let rule = &policy.gate("g").unwrap().allow[0];
    let review = |reviewer: &Principal| {
        may_review(&policy, rule, reviewer, &signed("carol@x")).map_err(|f| f.join("; "))
    };
    assert_eq!(review(&signed("bob@x")), Ok(()));
    assert_eq!(review(&signed("olga@x")), Ok(()));
    assert_eq!(
        review(&signed("carol@x")),
        Err("the requester cannot decide on their own request; ask somebody else".into())
    );
    assert!(review(&signed("eve@x")).unwrap_err().contains("this is for group:oncall or group:owners"));
    let named = glass("reviewers = [\"dan@x\"]");
    let rule = &named.gate("g").unwrap().allow[0];
    assert!(may_review(&named, rule, &signed("dan@x"), &signed("carol@x")).is_ok());
    assert!(may_review(&named, rule, &signed("olga@x"), &signed("carol@x")).is_err());
}

fn pausing() -> Policy {
    policy(
        "groups.ops = [\"olga@x\", \"bob@x\"]\n[gates.g]\n[[gates.g.allow]]\nactions = [\"pause\"]\nwho = [\"group:ops\"]\nmax_ttl = \"2h\"\n[[gates.g.allow]]\nactions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"2h\"\n",
    )
}

#[test]
fn whoever_may_pause_may_resume_and_nobody_else() {
    let policy = pausing();
    let gate = policy.gate("g").unwrap();
    assert_eq!(may_resume(&policy, gate, &signed("bob@x"), &here()), Ok(()));
    let refused = may_resume(&policy, gate, &signed("eve@x"), &here()).unwrap_err();
    assert_eq!(refused, ["rule 1 is for group:ops (you are eve@x (signed))"]);
    let mut torn = here();
    torn.conflicts.push("two providers".into());
    assert!(may_resume(&policy, gate, &signed("bob@x"), &torn).is_err());
    let closed = policy_without_pause();
    let refused = may_resume(&closed, closed.gate("g").unwrap(), &signed("bob@x"), &here()).unwrap_err();
    assert_eq!(refused, ["no rule of the gate allows pause"]);
}

fn policy_without_pause() -> Policy {
    policy(PEOPLE)
}

#[test]
fn a_revocation_is_the_requesters_an_approvers_or_the_rules() {
    let policy = pausing();
    let gate = policy.gate("g").unwrap();
    let revoke = |by: &Principal, action| {
        may_revoke(&policy, gate, by, &here(), &signed("dave@x"), &[signed("ann@x")], action)
    };
    assert_eq!(revoke(&signed("dave@x"), Action::Pause), Ok(()));
    assert_eq!(revoke(&signed("ann@x"), Action::Pause), Ok(()));
    assert_eq!(revoke(&signed("bob@x"), Action::Pause), Ok(()));
    assert_eq!(revoke(&asserted("os:anybody"), Action::Skip), Ok(()), "the rule allows it to everybody");
    let refused = revoke(&signed("eve@x"), Action::Pause).unwrap_err();
    assert_eq!(refused[0], "eve@x (signed) neither requested nor approved it");
    assert!(
        revoke(&known("dave@x", Assurance::Asserted, "os"), Action::Pause).is_err(),
        "a name does not end what a key began"
    );
}

#[test]
fn a_person_is_called_by_the_name_that_the_policy_gives() {
    let policy = policy(PEOPLE);
    assert_eq!(person(&policy, &asserted("github:alice")), "alice@x");
    assert_eq!(person(&policy, &signed("carol@x")), "carol@x");
    assert!(
        is_same_person(&policy, &asserted("github:Alice"), &signed("alice@home")),
        "a debt follows the person"
    );
    assert!(!is_same_person(&policy, &asserted("github:bob"), &signed("alice@x")));
}
