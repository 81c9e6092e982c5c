//! How far a grant reaches, and who would like it to reach further.

use gate_model::action::Action;
use gate_model::context::Context;
use gate_model::scope::Scope;
use gate_policy::{Admission, allows_use, glob_matches, scope_holds};

use crate::support::{ask, asserted, authorization, here, judge, policy, words};

fn with(actions: &str, line: &str) -> gate_policy::Policy {
    policy(&format!(
        "[gates.g]\n[[gates.g.allow]]\nactions = [{actions}]\nwho = [\"*\"]\nmax_ttl = \"4h\"\n{line}\n"
    ))
}

/// The scope that is granted, or the denial.
fn granted(
    policy: &gate_policy::Policy,
    action: Action,
    scope: Scope,
    context: &Context,
) -> Result<Scope, String> {
    let mut ask = ask(action);
    ask.scope = scope;
    match judge(policy, &ask, &asserted("os:dave"), context) {
        Admission::Grant(terms) => Ok(terms.scope),
        denied => Err(words(&denied)),
    }
}

fn commit(id: &str) -> Scope {
    Scope { commit: Some(id.into()), ..Scope::default() }
}

fn by_ref(glob: &str) -> Scope {
    Scope { git_ref: Some(glob.into()), ..Scope::default() }
}

fn environment(name: &str) -> Scope {
    Scope { environment: Some(name.into()), ..Scope::default() }
}

fn run(id: &str) -> Scope {
    Scope { run: Some(id.into()), ..Scope::default() }
}

#[test]
fn a_skip_is_bound_to_the_commit_in_the_repository_at_hand() {
    let policy = with("\"skip\"", "");
    let scope = granted(&policy, Action::Skip, commit("c0ffee"), &here()).unwrap();
    assert_eq!(scope, Scope { repository: Some("example.com/app".into()), ..commit("c0ffee") });
    let unsaid = granted(&policy, Action::Skip, Scope::default(), &here()).unwrap();
    assert_eq!(unsaid, scope, "a request that binds itself to nothing is bound to the commit");
}

#[test]
fn a_skip_for_a_ref_or_an_environment_needs_a_rule_that_allows_it() {
    let policy = with("\"skip\"", "");
    let denied = granted(&policy, Action::Skip, by_ref("refs/heads/main"), &here()).unwrap_err();
    assert_eq!(denied, "rule 1 needs to be bound by --commit or --run (ref was asked for)");
    let denied = granted(&policy, Action::Skip, environment("production"), &here()).unwrap_err();
    assert_eq!(denied, "rule 1 needs to be bound by --commit or --run (environment was asked for)");
    assert!(granted(&policy, Action::Skip, run("7.1"), &here()).is_ok());
    assert!(granted(&policy, Action::Skip, run("7"), &here()).is_ok());
    let both = Scope { environment: Some("production".into()), ..commit("c0ffee") };
    assert!(granted(&policy, Action::Skip, both, &here()).is_ok(), "narrower than a commit");
}

#[test]
fn outside_git_a_skip_names_a_run_or_an_environment() {
    let nowhere = Context::default();
    let policy = with("\"skip\"", "");
    let denied = granted(&policy, Action::Skip, Scope::default(), &nowhere).unwrap_err();
    assert_eq!(denied, "rule 1 needs to be bound by --commit or --run (nothing narrow was asked for)");
    assert!(granted(&policy, Action::Skip, run("7"), &nowhere).is_ok());
    let production = with("\"skip\"", "environments = [\"production\"]");
    assert!(granted(&production, Action::Skip, environment("production"), &nowhere).is_ok());
}

#[test]
fn scopes_are_what_is_written_and_a_run() {
    let policy = with("\"skip\"", "scopes = [\"environment\"]");
    assert!(granted(&policy, Action::Skip, environment("any"), &here()).is_ok());
    assert!(granted(&policy, Action::Skip, run("7"), &here()).is_ok());
    assert!(granted(&policy, Action::Skip, commit("c0ffee"), &here()).is_err());
    assert!(granted(&policy, Action::Skip, Scope::default(), &here()).is_err());
}

#[test]
fn a_ref_without_refs_is_one_ref_and_no_pattern() {
    let policy = with("\"skip\"", "scopes = [\"ref\"]");
    assert!(granted(&policy, Action::Skip, by_ref("refs/heads/main"), &here()).is_ok());
    for glob in ["**", "refs/**", "refs/heads/*", "refs/heads/{main,dev}", "refs/heads/mai?"] {
        let denied = granted(&policy, Action::Skip, by_ref(glob), &here()).unwrap_err();
        assert!(denied.contains("one ref by its full name"), "{glob}: {denied}");
    }
    assert!(
        granted(&policy, Action::Skip, by_ref("main"), &here()).unwrap_err().contains("not a full ref name")
    );
    assert!(
        granted(&policy, Action::Skip, by_ref("!refs/heads/x"), &here())
            .unwrap_err()
            .contains("starts with '!'")
    );
}

#[test]
fn an_environment_is_pinned_by_the_scope_or_by_the_run() {
    let policy = with("\"skip\", \"waive\", \"pause\"", "environments = [\"staging\", \"production\"]");
    let mut production = here();
    production.environment = Some("production".into());
    let mut test = here();
    test.environment = Some("test".into());
    for action in [Action::Skip, Action::Waive, Action::Pause] {
        let base = || ask(action).scope;
        let pinned = granted(&policy, action, base(), &production).unwrap();
        assert_eq!(pinned.environment.as_deref(), Some("production"), "{action}");
        let asked = Scope { environment: Some("staging".into()), ..base() };
        assert_eq!(granted(&policy, action, asked, &test).unwrap().environment.as_deref(), Some("staging"));
        let wrong = Scope { environment: Some("test".into()), ..base() };
        assert!(granted(&policy, action, wrong, &production).unwrap_err().contains("(test was asked for)"));
        assert!(granted(&policy, action, base(), &test).unwrap_err().contains("(this run is in test)"));
        assert!(granted(&policy, action, base(), &here()).unwrap_err().contains("give --environment"));
    }
}

#[test]
fn a_grant_admitted_in_one_environment_is_not_used_in_another() {
    let policy = with("\"skip\"", "environments = [\"staging\", \"production\"]");
    let (mut ask, by) = (ask(Action::Skip), asserted("os:dave"));
    let mut staging = here();
    staging.environment = Some("staging".into());
    let mut production = here();
    production.environment = Some("production".into());
    let Admission::Grant(terms) = judge(&policy, &ask, &by, &staging) else { panic!("granted") };
    ask.scope = terms.scope;
    let authorization = authorization(&ask, &by, &staging);
    assert!(allows_use(&policy, &authorization, Some(1), &staging, &|_| Ok(())).is_ok());
    assert!(allows_use(&policy, &authorization, Some(1), &production, &|_| Ok(())).is_err());
    assert!(
        allows_use(&policy, &authorization, Some(1), &here(), &|_| Ok(())).is_err(),
        "an unknown environment satisfies nothing"
    );
}

#[test]
fn a_rule_that_was_narrowed_since_narrows_the_grants_it_gave() {
    let (ask, by) = (ask(Action::Skip), asserted("os:dave"));
    let mut staging = here();
    staging.environment = Some("staging".into());
    let authorization = authorization(&ask, &by, &staging);
    let today = with("\"skip\"", "environments = [\"staging\"]");
    assert!(allows_use(&today, &authorization, Some(1), &staging, &|_| Ok(())).is_ok());
    assert!(allows_use(&today, &authorization, Some(1), &here(), &|_| Ok(())).is_err());
}

#[test]
fn a_ref_is_pinned_and_a_pattern_must_lie_within_the_rules() {
    let policy =
        with("\"skip\"", "refs = [\"refs/heads/release/**\", \"refs/heads/main\", \"refs/tags/v*\"]");
    let asked = |glob: &str| granted(&policy, Action::Skip, by_ref(glob), &here());
    for inside in [
        "refs/heads/main",
        "refs/heads/release/**",
        "refs/heads/release/1/*",
        "refs/tags/v1.*",
        "refs/tags/v?",
    ] {
        assert_eq!(asked(inside).unwrap().git_ref.as_deref(), Some(inside));
    }
    for outside in [
        "**",
        "refs/heads/*",
        "refs/heads/release*",
        "refs/heads/{release/1,dev}",
        "refs/tags/**",
        "refs/tags/v**",
        "refs/tags/v*/x",
        "refs/tags/[v-z]*",
    ] {
        assert!(asked(outside).unwrap_err().contains("is for ref"), "{outside}");
    }
    let pinned = granted(&policy, Action::Skip, commit("c0ffee"), &here()).unwrap();
    assert_eq!(pinned.git_ref.as_deref(), Some("refs/heads/main"));
    let mut feature = here();
    feature.git_ref = Some("refs/heads/feature".into());
    assert!(
        granted(&policy, Action::Skip, commit("c0ffee"), &feature)
            .unwrap_err()
            .contains("(this is refs/heads/feature)")
    );
    feature.git_ref = None;
    assert!(granted(&policy, Action::Skip, commit("c0ffee"), &feature).unwrap_err().contains("give --ref"));
}

#[test]
fn a_branch_named_like_a_pattern_does_not_reach_other_branches() {
    let policy = with("\"skip\"", "refs = [\"refs/heads/**\"]");
    let mut hostile = here();
    hostile.git_ref = Some("refs/heads/{x,main}".into());
    let scope = granted(&policy, Action::Skip, commit("c0ffee"), &hostile).unwrap();
    let mut main = here();
    main.git_ref = Some("refs/heads/main".into());
    assert!(scope_holds(Action::Skip, &scope, &hostile).is_ok());
    assert!(scope_holds(Action::Skip, &scope, &main).is_err());
    for name in ["refs/heads/{x,main}", "refs/heads/a!b", "refs/heads/a]b", "refs/heads/a,b", "refs/heads/**"]
    {
        assert!(glob_matches(&gate_model::glob::escape(name), name), "{name}");
        assert!(!glob_matches(&gate_model::glob::escape(name), "refs/heads/main"), "{name}");
    }
}

#[test]
fn a_waiver_is_bound_to_its_repository() {
    let policy = with("\"waive\"", "");
    let scope = granted(&policy, Action::Waive, Scope::default(), &here()).unwrap();
    assert_eq!(scope.repository.as_deref(), Some("example.com/app"));
    let nowhere = granted(&policy, Action::Waive, Scope::default(), &Context::default()).unwrap_err();
    assert_eq!(
        nowhere,
        "rule 1 is for one repository, and this is none: give --commit, --run or --environment"
    );
}

#[test]
fn a_clone_without_its_remote_gets_no_waiver_for_every_repository() {
    let policy = with("\"waive\"", "");
    let nameless = Context { repository: None, ..here() };
    let scope = granted(&policy, Action::Waive, Scope::default(), &nameless).unwrap();
    assert_eq!(scope, Scope::default());
    let (ask, by) = (ask(Action::Waive), asserted("os:dave"));
    let authorization = authorization(&ask, &by, &nameless);
    assert!(allows_use(&policy, &authorization, Some(1), &nameless, &|_| Ok(())).is_ok());
    let denied = allows_use(&policy, &authorization, Some(1), &here(), &|_| Ok(())).unwrap_err();
    assert_eq!(denied[0].to_string(), "rule 1 is for a repository without a name, not example.com/app");
}

#[test]
fn a_pause_reaches_the_gate() {
    let policy = with("\"pause\"", "");
    assert_eq!(granted(&policy, Action::Pause, Scope::default(), &here()), Ok(Scope::default()));
    assert!(granted(&policy, Action::Pause, environment("production"), &here()).is_ok());
}

/// For every other opt-out an unknown fact satisfies nothing.
#[test]
fn a_run_that_keeps_its_facts_to_itself_passes_no_pause() {
    let policy =
        with("\"pause\", \"skip\"", "scopes = [\"ref\", \"environment\", \"commit\"]\nfacts = \"oidc\"");
    let (main, production) = (by_ref("refs/heads/main"), environment("production"));
    let unknown = Context { git_ref: None, environment: None, ..here() };
    let other = Context { git_ref: Some("refs/heads/x".into()), environment: Some("test".into()), ..here() };
    let torn = Context { conflicts: vec!["two systems".into()], ..other.clone() };
    for scope in [&main, &production] {
        for (context, holds) in [(&unknown, true), (&torn, true), (&other, false)] {
            assert_eq!(scope_holds(Action::Pause, scope, context).is_ok(), holds, "{scope:?} {context:?}");
            assert!(scope_holds(Action::Skip, scope, context).is_err(), "{scope:?} {context:?}");
        }
        // The token that the rule asks for is asked of whoever pauses, and not of the run that is held.
        let by = asserted("os:dave");
        let proven = Context { assurance: Some(gate_model::principal::Assurance::Oidc), ..here() };
        let ask = gate_model::payload::Ask { scope: scope.clone(), ..ask(Action::Pause) };
        assert!(
            allows_use(&policy, &authorization(&ask, &by, &proven), Some(1), &unknown, &|_| Ok(())).is_ok()
        );
    }
}

#[test]
fn a_negated_or_broken_pattern_holds_nowhere() {
    for glob in ["!refs/heads/other", "!!refs/heads/main", "refs/heads/{main", "refs/heads/main\\"] {
        assert!(scope_holds(Action::Skip, &by_ref(glob), &here()).is_err(), "{glob}");
    }
    assert!(scope_holds(Action::Skip, &by_ref("refs/heads/*"), &here()).is_ok());
    let mut nested = here();
    nested.git_ref = Some("refs/heads/a/b".into());
    assert!(scope_holds(Action::Skip, &by_ref("refs/heads/*"), &nested).is_err(), "'*' does not cross '/'");
    assert!(scope_holds(Action::Skip, &by_ref("refs/heads/**"), &nested).is_ok());
}

#[test]
fn a_skip_for_all_of_a_repository_needs_a_rule_that_allows_it() {
    let here = here();
    let whole = || Scope { repository: Some("example.com/app".into()), ..Scope::default() };
    let skip = |policy: &gate_policy::Policy, scope: Scope| granted(policy, Action::Skip, scope, &here);
    let denied = skip(&with("\"skip\"", "scopes = [\"ref\"]"), whole()).unwrap_err();
    assert!(denied.contains("needs to be bound by --ref or --run (repository was asked for)"), "{denied}");
    let policy = with("\"skip\"", "scopes = [\"repository\", \"commit\"]");
    assert_eq!(skip(&policy, whole()).unwrap(), whole());
    // Whoever says nothing of the place means the commit, and what is narrower is for what the rule names.
    assert_eq!(skip(&policy, Scope::default()).unwrap().commit.as_deref(), Some("c0ffee"));
    assert!(skip(&policy, by_ref("refs/heads/main")).is_err());
    let pinned = with("\"skip\"", "scopes = [\"repository\"]\nrefs = [\"refs/heads/*\"]");
    assert_eq!(skip(&pinned, whole()).unwrap().git_ref.as_deref(), Some("refs/heads/main"));
    let elsewhere = Context { repository: Some("example.com/other".into()), ..here.clone() };
    assert!(scope_holds(Action::Skip, &whole(), &elsewhere).is_err(), "it counts in no other");
}
