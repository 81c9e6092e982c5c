//! Approve, review, revoke, resume: who counts, and who only looks like somebody else.

use gate_model::action::Action;
use gate_model::context::Context;
use gate_model::payload::Ask;
use gate_model::principal::{Assurance, Principal};
use gate_model::request::Ttl;
use gate_model::scope::Scope;
use gate_policy::{
    Actor, Policy, Subject, approvals_standing, is_same_person, may_approve, may_be_one_person, may_resume,
    may_review, may_revoke, person,
};

use crate::support::{asserted, here, known, policy, signed};

fn asked(action: Action) -> Ask {
    let bound = action != Action::Pause;
    let scope = Scope {
        repository: here().repository.filter(|_| bound),
        commit: here().commit.filter(|_| bound),
        ..Scope::default()
    };
    Ask {
        action,
        reason: "because".to_owned(),
        ticket: None,
        scope,
        findings: Vec::new(),
        ttl: Ttl::of(3_600),
        max_uses: None,
        break_glass: false,
        renews: None,
    }
}

/// Somebody who acts in `context`, for a reason and without a ticket.
fn who<'a>(by: &'a Principal, context: &'a Context) -> Actor<'a> {
    Actor { by, context, reason: Some("done"), ticket: None }
}

fn of<'a>(ask: &'a Ask, requester: &'a Principal) -> Subject<'a> {
    Subject { gate: "g", ask, requester, approvers: &[], author: None }
}

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
    let ask = asked(Action::Skip);
    let subject = Subject { approvers: already, ..of(&ask, requester) };
    may_approve(policy, rule, who(approver, &here()), subject)
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
    let (ask, already) = (asked(Action::Skip), [signed("alice@x"), signed("bob@x")]);
    let subject = Subject { approvers: &already, ..of(&ask, &requester) };
    let third = may_approve(&policy, rule, who(&signed("carol@x"), &here()), subject);
    assert!(third.unwrap().is_complete(), "overshooting is harmless");
    let subject = Subject { approvers: &[], ..of(&ask, &requester) };
    let first = may_approve(&policy, rule, who(&signed("alice@x"), &here()), subject);
    assert!(!first.unwrap().is_complete(), "one of two is not enough");
}

#[test]
fn a_stranger_and_a_weak_identity_do_not_approve() {
    let policy = approving("from = [\"group:sec\"]");
    let requester = signed("dave@x");
    let stranger = approve(&policy, &signed("eve@x"), &requester, &[]).unwrap_err();
    assert_eq!(stranger, "this is for group:sec (you are eve@x (signed))");
    let weak = approve(&policy, &asserted("github:bob"), &signed("dave@x"), &[]).unwrap_err();
    assert!(weak.contains("an approval needs a signature: --sign"), "{weak}");
    let token = approve(&policy, &oidc("bob@x"), &requester, &[]).unwrap_err();
    assert!(token.contains("an approval needs a signature: --sign"), "whoever runs a job has its token");
    let lenient = approving("from = [\"group:sec\"], assurance = \"oidc\"");
    assert_eq!(approve(&lenient, &oidc("bob@x"), &asserted("github:alice"), &[]), Ok(1), "the rule says so");
    let weak = approve(&lenient, &asserted("github:bob"), &signed("dave@x"), &[]).unwrap_err();
    assert!(weak.contains("an approval needs a signature (--sign) or a verified CI token"), "{weak}");
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
    let policy = approving("from = [\"group:sec\"], assurance = \"oidc\"");
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
    let revoke = |by: &Principal, requester: &Principal| {
        may_revoke(&policy, who(by, &here()), of(&asked(Action::Pause), requester))
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
    let policy = approving("from = [\"group:sec\"], exclude_author = true, assurance = \"oidc\"");
    let rule = &policy.gate("g").unwrap().allow[0];
    let approve = |approver: &Principal, author| {
        let (ask, requester) = (asked(Action::Skip), signed("dave@x"));
        let subject = Subject { author, ..of(&ask, &requester) };
        may_approve(&policy, rule, who(approver, &here()), subject)
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

/// An address at home that nobody listed may be the approver's own.
#[test]
fn an_authors_address_that_nobody_knows_is_not_somebody_elses() {
    let approve = |people: &str, author: &str| {
        let policy = policy(&format!(
            "groups.sec = [\"bob@x\", \"carol@x\"]\n[people]\n{people}\n[gates.g]\n[[gates.g.allow]]\n\
             actions = [\"skip\"]\nwho = [\"dave@x\"]\nmax_ttl = \"4h\"\n\
             approvals = {{ from = [\"group:sec\"], exclude_author = true }}\n"
        ));
        let (rule, ask, requester) =
            (&policy.gate("g").unwrap().allow[0], asked(Action::Skip), signed("dave@x"));
        let subject = Subject { author: Some(author), ..of(&ask, &requester) };
        may_approve(&policy, rule, who(&signed("bob@x"), &here()), subject)
            .map(|approval| approval.standing)
            .map_err(|failed| failed.join("; "))
    };
    let refused = approve("", "someone@home.example").unwrap_err();
    assert!(refused.contains("nobody knows whose address someone@home.example is"), "{refused}");
    assert!(refused.contains("list it in [people]"), "{refused}");
    assert_eq!(approve("\"eve@x\" = [\"someone@home.example\"]", "someone@home.example"), Ok(1));
    assert!(approve("\"bob@x\" = [\"someone@home.example\"]", "someone@home.example").is_err());
    assert_eq!(approve("", "carol@x"), Ok(1), "the policy names her");
    assert_eq!(approve("", "Dave@x"), Ok(1), "it is the requester");
    assert!(approve("", "bob@x").is_err());
}

#[test]
fn an_approval_takes_a_signature_whatever_the_rule_says_of_its_requester() {
    for assurance in ["asserted", "oidc"] {
        let text = format!("{PEOPLE}assurance = \"{assurance}\"\napprovals = {{ from = [\"group:leads\"] }}");
        let refused = approve(&policy(&text), &oidc("github:bob"), &signed("dave@x"), &[]).unwrap_err();
        assert!(refused.contains("an approval needs a signature"), "{refused}");
    }
}

/// Each act is refused where a request would be: the facts contradict each other, or it is another repository.
#[test]
fn nobody_acts_on_an_opt_out_from_a_place_that_is_not_its_own() {
    let mut torn = here();
    torn.conflicts.push("two providers".into());
    let mut elsewhere = here();
    elsewhere.repository = Some("github.com/evil/x".into());
    let (approving, glass) = (approving("from = [\"group:sec\"]"), glass(""));
    for place in [torn, elsewhere] {
        let (ask, requester) = (asked(Action::Override), signed("dave@x"));
        let subject = of(&ask, &requester);
        let rule = |policy: &Policy| policy.gate("g").unwrap().allow[0].clone();
        assert!(may_approve(&approving, &rule(&approving), who(&signed("bob@x"), &place), subject).is_err());
        assert!(may_review(&glass, &rule(&glass), who(&signed("bob@x"), &place), subject).is_err());
        assert!(may_revoke(&approving, who(&requester, &place), subject).is_err());
        assert!(may_resume(&pausing(), who(&signed("bob@x"), &place), of(&ask, &requester)).is_err());
    }
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
        let (ask, requester) = (asked(Action::Override), signed("carol@x"));
        may_review(&policy, rule, who(reviewer, &here()), of(&ask, &requester)).map_err(|f| f.join("; "))
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
    let (ask, requester) = (asked(Action::Override), signed("carol@x"));
    let may =
        |reviewer: &str| may_review(&named, rule, who(&signed(reviewer), &here()), of(&ask, &requester));
    assert!(may("dan@x").is_ok());
    assert!(may("olga@x").is_err());
}

fn pausing() -> Policy {
    policy(
        "groups.ops = [\"olga@x\", \"bob@x\"]\n[gates.g]\n[[gates.g.allow]]\nactions = [\"pause\"]\nwho = [\"group:ops\"]\nmax_ttl = \"2h\"\n[[gates.g.allow]]\nactions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"2h\"\n",
    )
}

fn resume(policy: &Policy, by: &Principal, ask: &Ask, paused_by: &Principal) -> Result<(), String> {
    may_resume(policy, who(by, &here()), of(ask, paused_by)).map_err(|failed| failed.join("; "))
}

#[test]
fn whoever_may_pause_may_resume_and_nobody_else() {
    let (policy, pause, olga) = (pausing(), asked(Action::Pause), signed("olga@x"));
    assert_eq!(resume(&policy, &signed("bob@x"), &pause, &olga), Ok(()));
    let refused = resume(&policy, &signed("eve@x"), &pause, &olga).unwrap_err();
    assert_eq!(refused, "rule 1 is for group:ops (you are eve@x (signed))");
    let refused = resume(&policy_without_pause(), &signed("bob@x"), &pause, &olga).unwrap_err();
    assert_eq!(refused, "no rule of the gate allows pause");
}

#[test]
fn whoever_is_known_less_well_than_who_paused_does_not_resume() {
    let open =
        policy("[gates.g]\n[[gates.g.allow]]\nactions = [\"pause\"]\nwho = [\"*\"]\nmax_ttl = \"2h\"\n");
    let (pause, mallory) = (asked(Action::Pause), asserted("github:mallory"));
    assert_eq!(resume(&open, &mallory, &pause, &asserted("github:alice")), Ok(()));
    for paused_by in [signed("alice@x"), oidc("github:alice")] {
        let refused = resume(&open, &mallory, &pause, &paused_by).unwrap_err();
        assert!(refused.contains("mallory is only asserted"), "{refused}");
    }
}

/// Each of these rules would not grant this person a pause here, now and at once.
#[test]
fn a_rule_that_would_not_grant_the_pause_at_once_does_not_resume_it() {
    let (olga, bob) = (signed("olga@x"), signed("bob@x"));
    let ruled = |condition: &str| {
        policy(&format!(
            "[gates.g]\n[[gates.g.allow]]\nactions = [\"pause\"]\nwho = [\"bob@x\"]\nmax_ttl = \"2h\"\n{condition}\n"
        ))
    };
    let pause = asked(Action::Pause);
    assert_eq!(resume(&ruled(""), &bob, &pause, &olga), Ok(()));
    for (condition, words) in [
        ("approvals = { from = [\"olga@x\"] }", "without approvals"),
        ("ticket = \"^INC-[0-9]+$\"", "needs a ticket"),
        ("environments = [\"moon\"]", "is for environment moon"),
        ("refs = [\"refs/heads/moon\"]", "is for ref"),
        ("facts = \"oidc\"", "from a CI token"),
        ("min_reason = 40", "at least 40 characters"),
        ("break_glass = true\nreview_within = \"1d\"\nreviewers = [\"olga@x\"]", "--break-glass"),
    ] {
        let refused = resume(&ruled(condition), &bob, &pause, &olga).unwrap_err();
        assert!(refused.contains(words), "{condition}: {refused}");
    }
    let (ticketed, context) = (ruled("ticket = \"^INC-[0-9]+$\""), here());
    let actor = Actor { ticket: Some("INC-7"), ..who(&bob, &context) };
    assert_eq!(may_resume(&ticketed, actor, of(&pause, &olga)), Ok(()));
}

/// Who may pause one environment does not lift a pause of all of them.
#[test]
fn a_rule_for_one_place_does_not_end_a_pause_that_reaches_further() {
    let policy = policy(
        "[gates.g]\n[[gates.g.allow]]\nactions = [\"pause\"]\nwho = [\"bob@x\"]\nmax_ttl = \"2h\"\nenvironments = [\"staging\"]\n",
    );
    let (olga, bob) = (signed("olga@x"), signed("bob@x"));
    let context = Context { environment: Some("staging".into()), ..here() };
    let everywhere = asked(Action::Pause);
    let refused = may_resume(&policy, who(&bob, &context), of(&everywhere, &olga)).unwrap_err();
    assert!(refused.concat().contains("less than the opt-out reaches"), "{refused:?}");
    let scope = Scope { environment: Some("staging".into()), ..Scope::default() };
    let of_staging = Ask { scope, ..everywhere };
    assert_eq!(may_resume(&policy, who(&bob, &context), of(&of_staging, &olga)), Ok(()));
}

fn policy_without_pause() -> Policy {
    policy(PEOPLE)
}

#[test]
fn a_revocation_is_the_requesters_an_approvers_or_the_rules() {
    let policy = pausing();
    let revoke = |by: &Principal, action| {
        let (ask, requester, approvers) = (asked(action), signed("dave@x"), [signed("ann@x")]);
        may_revoke(&policy, who(by, &here()), Subject { approvers: &approvers, ..of(&ask, &requester) })
    };
    assert_eq!(revoke(&signed("dave@x"), Action::Pause), Ok(()));
    assert_eq!(revoke(&signed("ann@x"), Action::Pause), Ok(()));
    assert_eq!(revoke(&signed("bob@x"), Action::Pause), Ok(()));
    assert_eq!(revoke(&signed("eve@x"), Action::Skip), Ok(()), "the rule allows it to everybody");
    assert!(revoke(&asserted("os:anybody"), Action::Skip).is_err(), "a name does not end what a key began");
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
