//! Verdicts on requests: each condition alone, the order of rules, and what a denial says.

use gate_model::action::Action;
use gate_model::context::Context;
use gate_model::level::Level;
use gate_model::principal::Assurance;
use gate_model::request::Ttl;
use gate_policy::{
    Admission, AuthorizationRequest, Earlier, Trial, admit, allows_use, counts_against, derive, permits,
};

use crate::support::{Before, ask, asserted, authorization, here, judge, known, policy, signed, words};

const OPEN: &str =
    "[gates.g]\n[[gates.g.allow]]\nactions = [\"skip\", \"pause\"]\nwho = [\"*\"]\nmax_ttl = \"4h\"\n";

fn with(line: &str) -> gate_policy::Policy {
    policy(&format!("groups.sec = [\"alice@x\", \"bob@x\"]\n{OPEN}{line}\n"))
}

fn waiving(line: &str) -> gate_policy::Policy {
    policy(&format!(
        "[gates.g]\n[[gates.g.allow]]\nactions = [\"waive\"]\nwho = [\"*\"]\nmax_ttl = \"4h\"\n{line}\n"
    ))
}

#[test]
fn a_gate_without_allow_cannot_be_opted_out_of_and_an_unknown_one_neither() {
    let policy = policy("[gates.g]\n");
    for action in Action::ALL {
        let mut ask = ask(action);
        ask.break_glass = true;
        let verdict = words(&judge(&policy, &ask, &signed("alice@x"), &here()));
        assert_eq!(verdict, "gate 'g' has no allow rule: it cannot be opted out of");
    }
    let (ask, by, here) = (ask(Action::Skip), signed("alice@x"), here());
    let mut unknown = authorization(&ask, &by, &here);
    unknown.gate = "h";
    assert_eq!(
        words(&admit(&policy, &unknown, &Before::default())),
        "the policy has no gate 'h'; did you mean 'g'?"
    );
    assert!(permits(&policy, &unknown, None).is_err());
}

#[test]
fn a_commit_asks_only_where_the_rule_or_its_gate_takes_trailers() {
    let (ask, by, here) = (ask(Action::Skip), signed("alice@x"), here());
    let asks = |gate: &str, rule: &str| {
        let rules = OPEN.replacen("[gates.g]\n", &format!("[gates.g]\n{gate}\n"), 1);
        let policy = policy(&format!("{rules}{rule}\n"));
        let verdict = |in_commit| {
            let asked = AuthorizationRequest { in_commit, ..authorization(&ask, &by, &here) };
            words(&admit(&policy, &asked, &Before::default()))
        };
        assert!(!verdict(false).contains("trailer"), "anybody else may ask: {}", verdict(false));
        !verdict(true).contains("takes no request from a commit's trailer")
    };
    let yes = "trailers = true";
    for (gate, rule, taken) in
        [("", "", false), (yes, "", true), ("", yes, true), (yes, "trailers = false", false)]
    {
        assert_eq!(asks(gate, rule), taken, "{gate}/{rule}");
    }
}

#[test]
fn a_grant_lasts_as_long_as_asked_and_by_default_as_long_as_the_rule_allows() {
    let policy = with("");
    let ttl = |seconds| {
        let mut ask = ask(Action::Skip);
        ask.ttl = Ttl::of(seconds);
        match judge(&policy, &ask, &asserted("github:dave"), &here()) {
            Admission::Grant(terms) => terms.ttl.to_string(),
            denied => words(&denied),
        }
    };
    assert_eq!(ttl(0), "14400");
    assert_eq!(ttl(60), "60");
    assert_eq!(ttl(14_400), "14400");
    assert_eq!(ttl(14_401), "rule 1 allows at most --ttl 4h (4h1s was asked for)", "denied, never cut down");
    let endless = ttl(u64::MAX);
    assert!(endless.contains("is not 18446744073709551615 seconds"), "{endless}");
}

#[test]
fn a_time_that_reads_otherwise_than_it_counts_is_denied() {
    let mut ask = ask(Action::Skip);
    ask.ttl = Ttl { text: "5m".into(), seconds: 14_400 };
    let verdict = words(&judge(&with(""), &ask, &asserted("github:dave"), &here()));
    assert_eq!(verdict, "rule 1 needs one time to live, and '5m' is not 14400 seconds");
    ask.ttl = Ttl { text: "240m".into(), seconds: 14_400 };
    assert_eq!(words(&judge(&with(""), &ask, &asserted("github:dave"), &here())), "granted 1");
}

#[test]
fn an_action_that_no_rule_names_is_denied() {
    for action in [Action::Override, Action::Waive] {
        let verdict = words(&judge(&with(""), &ask(action), &signed("alice@x"), &here()));
        assert_eq!(verdict, format!("rule 1 does not allow {action} (it allows skip, pause)"));
    }
}

#[test]
fn assurance_is_a_minimum_and_names_need_proof() {
    let named = |assurance: &str| {
        policy(&format!(
            "groups.sec = [\"alice@x\"]\n[gates.g]\n[[gates.g.allow]]\nactions = [\"skip\"]\nwho = [\"group:sec\", \"github:carol\"]\nmax_ttl = \"4h\"\n{assurance}"
        ))
    };
    let verdict = |policy: &str, by| words(&judge(&named(policy), &ask(Action::Skip), &by, &here()));
    assert_eq!(verdict("", signed("alice@x")), "granted 1");
    assert_eq!(verdict("", known("alice@x", Assurance::Oidc, "oidc")), "granted 1");
    assert_eq!(
        verdict("", asserted("github:carol")),
        "rule 1 needs a signature (--sign) or a verified CI token (github:carol is only asserted)"
    );
    assert_eq!(verdict("assurance = \"asserted\"", asserted("github:carol")), "granted 1");
    assert_eq!(
        verdict("assurance = \"signed\"", known("alice@x", Assurance::Oidc, "oidc")),
        "rule 1 needs a signature: --sign (alice@x is only oidc)"
    );
    assert_eq!(
        verdict("", signed("mallory@x")),
        "rule 1 is for group:sec or github:carol (you are mallory@x (signed))"
    );
    assert!(verdict("", signed("Alice@x")).starts_with("rule 1 is for"), "another spelling is a stranger");
}

#[test]
fn everybody_beside_a_name_still_needs_proof() {
    let policy = policy(
        "[gates.g]\n[[gates.g.allow]]\nactions = [\"skip\"]\nwho = [\"*\", \"alice@x\"]\nmax_ttl = \"4h\"\n",
    );
    assert!(
        words(&judge(&policy, &ask(Action::Skip), &asserted("os:eve"), &here()))
            .contains("needs a signature")
    );
}

#[test]
fn every_name_of_a_person_is_named_with_one() {
    let policy = policy(
        "people.\"alice@x\" = [\"github:alice\"]\ngroups.sec = [\"alice@x\"]\n[gates.g]\n[[gates.g.allow]]\nactions = [\"skip\"]\nwho = [\"group:sec\"]\nassurance = \"asserted\"\nmax_ttl = \"4h\"\n",
    );
    assert_eq!(words(&judge(&policy, &ask(Action::Skip), &asserted("github:alice"), &here())), "granted 1");
    assert!(
        words(&judge(&policy, &ask(Action::Skip), &asserted("gitlab:alice"), &here()))
            .contains("is for group:sec")
    );
}

#[test]
fn a_ticket_must_match_to_its_ends() {
    let policy = with("ticket = \"^SEC-[0-9]+$\"");
    let verdict = |ticket: Option<&str>| {
        let mut ask = ask(Action::Skip);
        ask.ticket = ticket.map(str::to_owned);
        words(&judge(&policy, &ask, &asserted("os:dave"), &here()))
    };
    assert_eq!(verdict(Some("SEC-12")), "granted 1");
    assert_eq!(verdict(None), "rule 1 needs a ticket like ^SEC-[0-9]+$ (none was given)");
    assert_eq!(verdict(Some("SEC-12x")), "rule 1 needs a ticket like ^SEC-[0-9]+$ ('SEC-12x' was given)");
    assert_eq!(verdict(Some("SEC-12\n")), "rule 1 needs a ticket like ^SEC-[0-9]+$ ('SEC-12\\n' was given)");
    assert!(verdict(Some("SEC-1\u{1b}[2J")).contains("control character U+001B"));
    assert!(verdict(Some("x\u{202e}")).contains("\\u{202e}"), "shown inert");
}

#[test]
fn a_reason_has_a_length_and_no_control_characters() {
    let policy = with("min_reason = 10");
    let verdict = |reason: &str| {
        let mut ask = ask(Action::Skip);
        ask.reason = reason.into();
        words(&judge(&policy, &ask, &asserted("os:dave"), &here()))
    };
    assert_eq!(verdict("déjà vu ça"), "granted 1", "characters, not bytes");
    assert_eq!(verdict("short   \n    "), "rule 1 needs a reason of at least 10 characters (it has 5)");
    assert_eq!(verdict("  "), "rule 1 needs another reason: it is empty");
    assert!(verdict("0123456789\u{9b}").contains("U+009B"));
}

#[test]
fn uses_are_denied_above_the_rules_number_and_default_to_it() {
    let policy = with("max_uses = 2");
    let uses = |asked, action| {
        let mut ask = ask(action);
        ask.max_uses = asked;
        match judge(&policy, &ask, &asserted("os:dave"), &here()) {
            Admission::Grant(terms) => format!("{:?}", terms.max_uses),
            denied => words(&denied),
        }
    };
    assert_eq!(uses(None, Action::Skip), "Some(2)");
    assert_eq!(uses(Some(1), Action::Skip), "Some(1)");
    assert_eq!(uses(Some(3), Action::Skip), "rule 1 allows at most --uses 2 (3 were asked for)");
    assert_eq!(uses(Some(0), Action::Skip), "rule 1 needs at least one use (--uses 0 was asked for)");
    assert_eq!(uses(None, Action::Pause), "None", "a pause is not used up");
    assert!(uses(Some(1), Action::Pause).contains("cannot limit the uses of a pause"));
}

#[test]
fn a_quota_counts_what_the_history_says_and_the_last_place_is_the_last() {
    let policy = with("quota = { max = 5, per = \"7d\" }");
    let (ask, by, here) = (ask(Action::Skip), asserted("os:dave"), here());
    let verdict = |used| {
        words(&admit(&policy, &authorization(&ask, &by, &here), &Before { used, ..Before::default() }))
    };
    assert_eq!(verdict(4), "granted 1");
    assert_eq!(
        verdict(5),
        "rule 1 has a quota of 5 in 7d for each gate, and 5 are used; wait until one is older"
    );
    assert!(verdict(u64::MAX).contains("has a quota"));
    assert!(permits(&policy, &authorization(&ask, &by, &here), None).is_ok(), "a use does not need a place");
}

#[test]
fn a_quota_counts_the_right_grants() {
    let quota = |by: &str| {
        policy(&format!(
            "people.\"alice@x\" = [\"github:alice\"]\ngroups.sec = [\"alice@x\", \"bob@x\"]\ngroups.ops = [\"carol@x\"]\n[gates.g]\n[[gates.g.allow]]\nactions = [\"skip\"]\nwho = [\"group:sec\", \"group:ops\"]\nmax_ttl = \"4h\"\nquota = {{ max = 1, per = \"1d\", by = \"{by}\" }}"
        ))
    };
    let counts = |by: &str, other: &gate_model::principal::Principal| {
        let policy = quota(by);
        let rule = &policy.gate("g").unwrap().allow[0];
        let earlier =
            Earlier { rule: 1, action: Action::Skip, by: other, same_policy: true, elsewhere: false };
        let of_another = Earlier { elsewhere: true, ..earlier };
        assert!(
            !counts_against(&policy, rule, &signed("alice@x"), of_another),
            "of another repository's gate"
        );
        counts_against(&policy, rule, &signed("alice@x"), earlier)
    };
    let (alice, bob, carol) = (asserted("github:alice"), signed("bob@x"), signed("carol@x"));
    assert_eq!([counts("gate", &alice), counts("gate", &bob), counts("gate", &carol)], [true, true, true]);
    assert_eq!(
        [counts("principal", &alice), counts("principal", &bob)],
        [true, false],
        "one person, two names"
    );
    assert_eq!(
        [counts("group", &alice), counts("group", &bob), counts("group", &carol)],
        [true, true, false]
    );
}

#[test]
fn an_edited_policy_does_not_empty_a_quota() {
    let policy = with("quota = { max = 1, per = \"1d\" }");
    let rule = &policy.gate("g").unwrap().allow[0];
    let by = asserted("os:dave");
    let counts = |number, action, same_policy| {
        counts_against(
            &policy,
            rule,
            &by,
            Earlier { rule: number, action, by: &by, same_policy, elsewhere: false },
        )
    };
    assert!(counts(1, Action::Skip, true));
    assert!(!counts(2, Action::Skip, true), "another rule of the same policy");
    assert!(counts(2, Action::Skip, false), "the rule may have had another number");
    assert!(!counts(1, Action::Waive, false), "an action that the rule does not allow");
}

#[test]
fn at_once_before_break_glass_before_approvals() {
    let text = r#"
groups.sec = ["alice@x", "bob@x"]
[gates.g]
[[gates.g.allow]]
actions = ["skip", "override"]
who = ["group:sec"]
max_ttl = "8h"
approvals = { from = ["group:sec"] }
[[gates.g.allow]]
actions = ["skip", "override"]
who = ["group:sec"]
max_ttl = "8h"
break_glass = true
review_within = "1d"
[[gates.g.allow]]
actions = ["skip"]
who = ["group:sec"]
max_ttl = "1h"
"#;
    let policy = policy(text);
    let verdict = |action, seconds, break_glass| {
        let mut ask = ask(action);
        ask.ttl = Ttl::of(seconds);
        ask.break_glass = break_glass;
        words(&judge(&policy, &ask, &signed("alice@x"), &here()))
    };
    assert_eq!(verdict(Action::Skip, 0, false), "granted 3");
    assert_eq!(verdict(Action::Skip, 0, true), "granted 3", "no debt where none is needed");
    assert_eq!(verdict(Action::Skip, 7200, false), "pending 1");
    assert_eq!(verdict(Action::Skip, 7200, true), "granted 2");
    assert_eq!(verdict(Action::Override, 0, false), "pending 1");
    assert_eq!(verdict(Action::Override, 0, true), "granted 2");
}

#[test]
fn break_glass_owes_a_review_and_is_closed_to_debtors() {
    let policy = with("break_glass = true\nreview_within = \"24h\"\nreviewers = [\"group:sec\"]");
    let (mut ask, by, here) = (ask(Action::Skip), asserted("os:dave"), here());
    let plain = words(&judge(&policy, &ask, &by, &here));
    assert_eq!(plain, "rule 1 is for emergencies and needs --break-glass; a review must follow");
    ask.break_glass = true;
    let Admission::Grant(terms) = judge(&policy, &ask, &by, &here) else { panic!("granted at once") };
    assert!(terms.break_glass);
    assert_eq!(terms.review_within, Some(86_400));
    let indebted =
        admit(&policy, &authorization(&ask, &by, &here), &Before { overdue: Some(40), ..Before::default() });
    assert_eq!(
        words(&indebted),
        "rule 1 is closed to you until the overdue review of 40 is done: gate-skip review 40 --verdict accepted"
    );
}

#[test]
fn a_debt_does_not_close_the_other_rules() {
    let (ask, by, here) = (ask(Action::Skip), asserted("os:dave"), here());
    let verdict = admit(
        &with(""),
        &authorization(&ask, &by, &here),
        &Before { overdue: Some(40), ..Before::default() },
    );
    assert_eq!(words(&verdict), "granted 1");
}

#[test]
fn facts_from_a_token_are_demanded_at_admission_and_at_use() {
    let policy = with("facts = \"oidc\"");
    let (ask, by) = (ask(Action::Skip), asserted("os:dave"));
    let token = Context { assurance: Some(Assurance::Oidc), ..here() };
    assert_eq!(
        words(&judge(&policy, &ask, &by, &here())),
        "rule 1 needs the facts of the run (environment, ref, repository) from a CI token (they are asserted)"
    );
    assert_eq!(words(&judge(&policy, &ask, &by, &token)), "granted 1");
    let granted = authorization(&ask, &by, &token);
    assert!(allows_use(&policy, &granted, Some(1), &token, &|_| Ok(())).is_ok());
    assert!(
        allows_use(&policy, &granted, Some(1), &here(), &|_| Ok(())).is_err(),
        "used where CI variables say so"
    );
}

#[test]
fn where_the_facts_disagree_no_opt_out_counts_but_a_pause_does() {
    let mut torn = here();
    torn.conflicts = vec!["GITHUB_SHA is not the checkout\u{1b}".into()];
    let verdict = |action| words(&judge(&with(""), &ask(action), &asserted("os:dave"), &torn));
    assert_eq!(
        verdict(Action::Skip),
        "rule 1 cannot apply: the facts of this run contradict each other: GITHUB_SHA is not the checkout\\u{1b}"
    );
    assert_eq!(verdict(Action::Pause), "granted 1");
    let (ask, by, here) = (ask(Action::Skip), asserted("os:dave"), here());
    assert!(allows_use(&with(""), &authorization(&ask, &by, &here), Some(1), &torn, &|_| Ok(())).is_err());
}

#[test]
fn what_has_a_fix_is_not_waived_until_there_is_one() {
    let until_fixed = waiving("lapse_when = [\"severity-raised\", \"fix-available\"]");
    let verdict = |policy: &gate_policy::Policy, ask: &gate_model::payload::Ask| {
        words(&judge(policy, ask, &asserted("os:dave"), &here()))
    };
    let mut ask = ask(Action::Waive);
    assert_eq!(verdict(&until_fixed, &ask), "granted 1");
    ask.findings[0].fixable = true;
    assert_eq!(verdict(&until_fixed, &ask), "rule 1 waives what has no fix yet, and there is one for 'R1'");
    assert_eq!(verdict(&waiving(""), &ask), "granted 1");
}

#[test]
fn who_takes_the_name_of_a_checkout_away_asks_for_no_repository_that_has_one() {
    let rules = with("");
    let nameless = Context { repository: None, ..here() };
    let verdict = |action: Action, repository: Option<&str>| {
        let mut ask = ask(action);
        ask.scope.repository = repository.map(str::to_owned);
        words(&judge(&rules, &ask, &asserted("os:dave"), &nameless))
    };
    let named = Some("example.com/app");
    assert_eq!(verdict(Action::Skip, None), "granted 1");
    assert!(
        verdict(Action::Skip, named)
            .contains("is for repository example.com/app (this is one without a name)")
    );
    assert_eq!(verdict(Action::Pause, named), "granted 1", "a pause only adds a block");
}

#[test]
fn a_waiver_needs_exact_evidence() {
    type Evidence = gate_model::finding::Evidence;
    let verdict = |change: &dyn Fn(&mut Evidence)| {
        let mut ask = ask(Action::Waive);
        change(&mut ask.findings[0]);
        words(&judge(&waiving(""), &ask, &asserted("os:dave"), &here()))
    };
    let path = |path: &'static str| move |evidence: &mut Evidence| evidence.path = Some(path.into());
    assert_eq!(verdict(&|_| ()), "granted 1");
    assert_eq!(verdict(&path("src/**")), "granted 1");
    assert_eq!(verdict(&path("app/[id]/page.ts")), "granted 1");
    assert_eq!(verdict(&path("\\[id\\]/page.ts")), "granted 1", "an escaped segment is literal");
    assert!(
        verdict(&|e| e.path = None).contains("needs a path, package or fingerprint beside the rule 'R1'")
    );
    for glob in ["**", "*.py", "/etc/passwd", "{a,b}/c", "!src/a.py", "[a-z]*/x", ""] {
        let denied = verdict(&|e| e.path = Some(glob.into()));
        assert!(denied.starts_with("rule 1 needs"), "{glob}: {denied}");
    }
    let wide = format!("src/{}", "{,,,,,,,,,}".repeat(10));
    for glob in ["src/../../x", "src/.", "src/{a", "src/{{{a}}}", &wide] {
        assert!(verdict(&|e| e.path = Some(glob.into())).starts_with("rule 1 needs a path other"), "{glob}");
    }
    assert!(verdict(&|e| e.rule = String::new()).contains("needs plain text"));
    assert!(verdict(&|e| e.package = Some("a\u{1b}".into())).contains("needs plain text"));
    assert!(verdict(&|e| e.count = 0).contains("needs a count of at least 1"));
    assert_eq!(verdict(&|e| e.lines = vec![1; 1000]), "granted 1");
    assert!(verdict(&|e| e.lines = vec![1; 1001]).contains("needs at most 1000 lines"));
    assert!(verdict(&|e| e.around = vec![String::new(); 1001]).contains("needs at most 1000 lines"));
    let mut none = ask(Action::Waive);
    none.findings.clear();
    assert!(words(&judge(&waiving(""), &none, &asserted("os:dave"), &here())).contains("needs the findings"));
}

#[test]
fn findings_on_a_skip_are_denied() {
    let mut skip = ask(Action::Skip);
    skip.findings = ask(Action::Waive).findings;
    let verdict = words(&judge(&with(""), &skip, &asserted("os:dave"), &here()));
    assert_eq!(verdict, "rule 1 cannot skip single findings; use --waive");
}

#[test]
fn a_level_above_the_rules_is_denied_also_where_only_the_policys_floor_raises_it() {
    let floor = policy(
        "[gates.g]\nlevels = { R1 = \"error\" }\n[[gates.g.allow]]\nactions = [\"waive\"]\nwho = [\"*\"]\nmax_ttl = \"4h\"\nmax_level = \"warning\"\n",
    );
    let verdict = words(&judge(&floor, &ask(Action::Waive), &asserted("os:dave"), &here()));
    assert_eq!(verdict, "rule 1 waives findings up to warning ('R1' has error)");
    let plain = waiving("max_level = \"warning\"");
    let mut ask = ask(Action::Waive);
    assert_eq!(words(&judge(&plain, &ask, &asserted("os:dave"), &here())), "granted 1");
    ask.findings[0].level = Level::Error;
    assert!(words(&judge(&plain, &ask, &asserted("os:dave"), &here())).contains("('R1' has error)"));
}

#[test]
fn a_denial_names_every_rule_and_everything_that_was_missing_in_the_policys_order() {
    let text = r#"
groups.sec = ["alice@x"]
[gates.g]
[[gates.g.allow]]
actions = ["skip"]
who = ["group:sec"]
max_ttl = "1h"
ticket = "^SEC-[0-9]+$"
approvals = { from = ["group:sec"] }
[[gates.g.allow]]
actions = ["waive"]
who = ["group:sec"]
max_ttl = "1h"
"#;
    let mut ask = ask(Action::Skip);
    ask.ttl = Ttl::of(7200);
    let Admission::Denied(trials) = judge(&policy(text), &ask, &asserted("github:dave"), &here()) else {
        panic!()
    };
    let words: Vec<String> = trials.iter().map(ToString::to_string).collect();
    let failed = [
        "is for group:sec (you are github:dave (asserted))",
        "needs a signature (--sign) or a verified CI token (github:dave is only asserted)",
        "allows at most --ttl 1h (2h was asked for)",
        "needs a ticket like ^SEC-[0-9]+$ (none was given)",
    ];
    let second = "rule 2 does not allow skip (it allows waive)".to_owned();
    assert_eq!(words, [format!("rule 1 {}", failed.join("; ")), second]);
    let kinds: Vec<String> = trials.iter().map(Trial::kinds).collect();
    assert_eq!(kinds, ["rule 1: assurance, ticket, time, who", "rule 2: action"]);
}

#[test]
fn a_use_is_derived_by_the_numbered_rule_alone() {
    let policy =
        policy(&format!("{OPEN}[[gates.g.allow]]\nactions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"1h\"\n"));
    let (mut ask, by, here) = (ask(Action::Skip), asserted("os:dave"), here());
    ask.ttl = Ttl::of(7200);
    let authorization = authorization(&ask, &by, &here);
    assert_eq!(permits(&policy, &authorization, None).unwrap().number, 1);
    assert_eq!(permits(&policy, &authorization, Some(1)).unwrap().number, 1);
    assert!(permits(&policy, &authorization, Some(2)).is_err());
    let missing = permits(&policy, &authorization, Some(3)).unwrap_err();
    assert_eq!(missing[0].to_string(), "gate 'g' has no rule 3");
}

#[test]
fn a_grant_derives_to_itself() {
    let policy = with("environments = [\"production\"]\nrefs = [\"refs/heads/*\"]\nmax_uses = 3");
    let (mut ask, by, mut here) = (ask(Action::Skip), asserted("os:dave"), here());
    here.environment = Some("production".into());
    let (_, first) = derive(&policy, &authorization(&ask, &by, &here), None).unwrap();
    ask.scope = first.scope.clone();
    ask.ttl = Ttl::of(first.ttl);
    ask.max_uses = first.max_uses;
    let (_, again) = derive(&policy, &authorization(&ask, &by, &here), Some(first.rule)).unwrap();
    assert_eq!(first, again);
}
