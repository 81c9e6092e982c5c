//! What a rule demands of the facts of a run, and which repository a request may be for.

use gate_model::action::Action;
use gate_model::context::Context;
use gate_model::principal::Assurance;
use gate_policy::Policy;

use crate::support::{ask, asserted, here, judge, policy, words};

fn rules(facts: &str) -> Policy {
    policy(&format!(
        "[gates.g]\n[[gates.g.allow]]\nactions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"4h\"\nfacts = \"{facts}\"\n"
    ))
}

/// The verdict on a skip of a commit in a run with a token that does not state `unproven`.
fn with_a_token_without(facts: &str, unproven: &str) -> String {
    let run = Context { assurance: Some(Assurance::Oidc), unproven: vec![unproven.to_owned()], ..here() };
    words(&judge(&rules(facts), &ask(Action::Skip), &asserted("os:dave"), &run))
}

#[test]
fn a_fact_that_the_token_leaves_out_does_not_carry_what_names_it() {
    for fact in ["commit", "repository"] {
        let denied = format!("rule 1 needs the {fact} from the CI token, which does not state it");
        assert_eq!(with_a_token_without("oidc", fact), denied);
    }
    assert_eq!(with_a_token_without("oidc", "environment"), "granted 1", "the opt-out does not name it");
}

#[test]
fn a_rule_that_takes_asserted_facts_asks_for_no_token() {
    assert_eq!(with_a_token_without("asserted", "commit"), "granted 1");
}

#[test]
fn a_request_for_another_repository_is_refused_here() {
    let mut elsewhere = ask(Action::Skip);
    elsewhere.scope.repository = Some("example.com/other".to_owned());
    let verdict = |run: &Context| words(&judge(&rules("asserted"), &elsewhere, &asserted("os:dave"), run));
    assert_eq!(
        verdict(&here()),
        "rule 1 is for repository example.com/other (this is example.com/app): ask from a checkout of that one"
    );
    let other_name = Context { names: vec!["example.com/other".to_owned()], ..here() };
    assert_eq!(verdict(&other_name), "granted 1", "one of the names of this repository");
}
