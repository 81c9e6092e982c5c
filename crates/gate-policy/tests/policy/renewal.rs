//! Renewing an opt-out: what the rules and the one that is renewed say.

use gate_model::action::Action;
use gate_model::payload::Ask;
use gate_model::request::{Renews, Ttl};
use gate_policy::{Admission, Renewable, admit, renewal_allows};

use crate::support::{Before, ask, asserted, authorization, here, policy, words};

const RULES: &str = r#"
groups.sec = ["github:carol"]
[gates.g]
[[gates.g.allow]]
actions = ["skip", "override", "pause"]
who = ["*"]
max_ttl = "4h"
max_renewals = 2
[[gates.g.allow]]
actions = ["waive"]
who = ["*"]
max_ttl = "8h"
max_renewals = 1
approvals = { from = ["group:sec"], within = "7d" }
[[gates.g.allow]]
actions = ["override"]
who = ["*"]
max_ttl = "8h"
"#;

/// The opt-out 42 of dave, an override of this commit that ends in an hour, and the request to renew it.
fn renewal(number: u64) -> (Renewable, Ask) {
    let earlier = number.checked_sub(1).filter(|earlier| *earlier > 0);
    let before = |number| Renews { id: 40, grant: "b3:40".to_owned(), number };
    let renewed = Renewable {
        grant: "b3:42".to_owned(),
        ask: Ask { renews: earlier.map(before), ..ask(Action::Override) },
        by: asserted("os:dave"),
        expires: "2026-11-22T13:00:00Z".to_owned().try_into().unwrap(),
        ended: None,
    };
    let renews = Some(renewed.renews(42));
    let asked = Ask { renews, ..renewed.ask.clone() };
    (renewed, asked)
}

fn verdict_of(who: &str, renewed: Renewable, asked: &Ask) -> String {
    let past = Before { granted: Some(renewed), ..Before::default() };
    words(&admit(&policy(RULES), &authorization(asked, &asserted(who), &here()), &past))
}

fn verdict(change: impl FnOnce(&mut Renewable, &mut Ask)) -> String {
    let (mut renewed, mut asked) = renewal(1);
    change(&mut renewed, &mut asked);
    verdict_of("os:dave", renewed, &asked)
}

#[test]
fn each_renewal_is_counted_and_each_rule_says_how_many() {
    let nth = |number| {
        let (renewed, asked) = renewal(number);
        assert_eq!(asked.renews.as_ref().unwrap().number, number);
        verdict_of("os:dave", renewed, &asked)
    };
    assert_eq!([nth(1), nth(2)], ["granted 1", "granted 1"]);
    let third = nth(3);
    assert!(third.contains("rule 1 allows 2 renewals in a row (this would be number 3)"), "{third}");
    assert!(third.contains("rule 3 has no max_renewals"), "{third}");
}

#[test]
fn a_renewal_is_judged_as_any_request_is() {
    let long = verdict(|_, asked| asked.ttl = Ttl::of(5 * 3600));
    assert!(long.contains("rule 1 allows at most --ttl 4h (5h was asked for)"), "{long}");
    let (renewed, asked) = renewal(1);
    let others = verdict_of("os:mallory", renewed, &asked);
    assert!(others.contains("it is os:dave's, and only they can"), "{others}");
}

#[test]
fn what_has_ended_is_not_renewed() {
    let revoked = verdict(|renewed, _| renewed.ended = Some(50));
    assert_eq!(revoked, "opt-out 42 cannot be renewed: entry 50 ended it; ask anew instead");
    let now = "2026-11-22T12:00:00Z";
    let expired = verdict(|renewed, _| renewed.expires = now.to_owned().try_into().unwrap());
    assert!(expired.contains("it ended at 2026-11-22T12:00:00"), "{expired}");
    let (_, asked) = renewal(1);
    let (by, here) = (asserted("os:dave"), here());
    let none = words(&admit(&policy(RULES), &authorization(&asked, &by, &here), &Before::default()));
    assert!(none.contains("gate 'g' has granted none of that ID"), "{none}");
}

#[test]
fn a_forged_predecessor_is_refused() {
    let set = |asked: &mut Ask, change: fn(&mut Renews)| change(asked.renews.as_mut().unwrap());
    let other = verdict(|_, asked| set(asked, |renews| renews.grant = "b3:41".to_owned()));
    assert!(other.contains("the request means another grant"), "{other}");
    let (renewed, mut asked) = renewal(2);
    asked.renews.as_mut().unwrap().number = 1;
    let counted = verdict_of("os:dave", renewed, &asked);
    assert!(counted.contains("this would be renewal 2 in a row, not 1"), "{counted}");
}

#[test]
fn a_renewal_asks_for_nothing_else() {
    let else_asked = [
        verdict(|_, asked| asked.scope.commit = Some("beef".to_owned())),
        verdict(|_, asked| asked.action = Action::Skip),
        verdict(|_, asked| asked.findings = ask(Action::Waive).findings),
        verdict(|_, asked| asked.break_glass = true),
        verdict(|_, asked| asked.max_uses = Some(9)),
    ];
    for verdict in else_asked {
        assert!(verdict.contains("a renewal keeps action, scope, findings and uses"), "{verdict}");
    }
    let pause = verdict(|renewed, asked| {
        (renewed.ask.action, asked.action) = (Action::Pause, Action::Pause);
        renewed.ask.scope.commit = None;
        asked.scope.commit = None;
    });
    assert!(pause.contains("cannot renew a pause"), "{pause}");
}

#[test]
fn a_renewal_waits_no_longer_than_what_it_renews_lasts() {
    let (mut renewed, _) = renewal(1);
    renewed.ask = ask(Action::Waive);
    let asked = Ask { renews: Some(renewed.renews(42)), ..renewed.ask.clone() };
    let past = Before { granted: Some(renewed), ..Before::default() };
    let (by, here) = (asserted("os:dave"), here());
    match admit(&policy(RULES), &authorization(&asked, &by, &here), &past) {
        Admission::Pending(terms, needed) => {
            assert_eq!((terms.rule, needed.within), (2, 3600));
            assert_eq!(needed.to_string(), "1 approval from group:sec within 1h");
            let two = gate_policy::ApprovalsNeeded { count: 2, ..needed };
            assert_eq!(two.to_string(), "2 approvals from group:sec within 1h");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_ended_while_its_renewal_waited_is_not_renewed_by_the_last_approval() {
    let last_approval = |ended| {
        let (mut renewed, asked) = renewal(1);
        renewed.ended = ended;
        let past = Before { granted: Some(renewed), ..Before::default() };
        renewal_allows(&policy(RULES), &authorization(&asked, &asserted("os:dave"), &here()), &past)
    };
    assert_eq!(last_approval(None), Ok(()));
    let revoked = "opt-out 42 cannot be renewed: entry 50 ended it; ask anew instead";
    assert_eq!(last_approval(Some(50)), Err(revoked.to_owned()));
}
