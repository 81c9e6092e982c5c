//! What `gate-verify policy` says about policies that parse.

use gate_policy::{Severity, Signing, lint, lint_keys, parse};

use crate::support::{policy, shown};

/// The codes of the findings about a gate `g` with these rules.
fn codes(text: &str) -> Vec<String> {
    let found = lint(&policy(text));
    for diagnostic in &found {
        assert!(diagnostic.help.is_some(), "{diagnostic}");
    }
    found.iter().map(|d| format!("{}:{}", d.line, d.code)).collect()
}

fn rule(lines: &str) -> String {
    format!("[[gates.g.allow]]\n{lines}\n")
}

const GATE: &str = "[gates.g]\n";
const SEC: &str = "groups.sec = [\"alice@x\", \"bob@x\"]\n[gates.g]\n";

#[test]
fn a_rule_that_reaches_everything_is_an_error_until_somebody_accepts_it() {
    let all = "actions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"4h\"\n";
    for wide in [
        "refs = [\"**\"]",
        "refs = [\"refs/heads/*\"]",
        "scopes = [\"ref\"]",
        "scopes = [\"repository\"]",
        "scopes = [\"environment\"]",
        "refs = [\"refs/heads/**\", \"refs/tags/v1\"]",
    ] {
        let text = format!("{GATE}{}", rule(&format!("{all}{wide}")));
        let found = lint(&policy(&text));
        assert_eq!((found[0].severity, found[0].code), (Severity::Error, "reaches-everything"), "{wide}");
        assert_eq!(
            codes(&format!("{GATE}{}", rule(&format!("{all}{wide}\ni_accept = \"a sandbox\"")))),
            [""; 0],
            "{wide}"
        );
    }
    for narrow in [
        "",
        "refs = [\"refs/heads/release/*\"]",
        "environments = [\"staging\"]",
        "refs = [\"**\"]\nenvironments = [\"staging\"]",
        "scopes = [\"commit\", \"run\"]",
    ] {
        assert_eq!(codes(&format!("{GATE}{}", rule(&format!("{all}{narrow}")))), [""; 0], "{narrow}");
    }
    let needless = codes(&format!("{GATE}{}", rule(&format!("{all}i_accept = \"why not\""))));
    assert_eq!(needless, ["4:no-effect"]);
}

#[test]
fn an_accepted_risk_is_there_for_decisions_to_repeat() {
    let text = format!(
        "{GATE}{}",
        rule(
            "actions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"4h\"\nrefs = [\"**\"]\ni_accept = \"a sandbox\""
        )
    );
    let policy = policy(&text);
    let risks: Vec<_> =
        policy.accepted_risks().map(|(gate, rule, why)| (gate.as_str(), rule.number, why)).collect();
    assert_eq!(risks, [("g", 1, "a sandbox")]);
}

#[test]
fn rules_that_never_match_are_named() {
    let named =
        |more: &str| rule(&format!("actions = [\"skip\"]\nwho = [\"group:sec\"]\nmax_ttl = \"4h\"\n{more}"));
    assert_eq!(codes(&format!("{SEC}{}", named(""))), [""; 0]);
    let unproven = format!("version = 1\n{SEC}{}", named(""));
    let found = lint(&parse(&unproven).unwrap());
    assert!(
        found[0].message.contains("never allows anything: it needs an identity that is oidc"),
        "{}",
        shown(&found)
    );
    assert_eq!(codes(&format!("{SEC}{}", named("facts = \"oidc\""))), ["5:never-matches"]);
    let waive =
        |more: &str| rule(&format!("actions = [\"waive\"]\nwho = [\"group:sec\"]\nmax_ttl = \"4h\"\n{more}"));
    assert_eq!(codes(&format!("{SEC}{}", waive("lapse_when = [\"fix-available\"]"))), [] as [&str; 0]);
    assert_eq!(codes(&format!("{SEC}{}", waive("max_level = \"note\""))), ["5:never-matches"]);
    let os = rule("actions = [\"skip\"]\nwho = [\"os:alice\"]\nmax_ttl = \"4h\"");
    assert_eq!(codes(&format!("{GATE}{os}")), ["4:never-matches"]);
}

#[test]
fn groups_without_members_or_without_use_are_named() {
    let text = "[groups]\nempty = []\nunused = [\"a@x\"]\n[gates.g]\n".to_owned()
        + &rule("actions = [\"skip\"]\nwho = [\"group:empty\"]\nmax_ttl = \"4h\"");
    assert_eq!(codes(&text), ["4:empty-group", "5:unused-group", "7:never-matches"]);
}

#[test]
fn a_shadowed_rule_and_one_that_undoes_anothers_demand_are_named() {
    let strict = "actions = [\"skip\"]\nwho = [\"group:sec\"]\nmax_ttl = \"1h\"\nticket = \"^X$\"\n";
    let wide = "actions = [\"skip\", \"override\"]\nwho = [\"*\"]\nmax_ttl = \"4h\"\n";
    assert_eq!(
        codes(&format!("{SEC}{}{}", rule(strict), rule(wide))),
        [""; 0],
        "the strict one is tried first"
    );
    let found = lint(&policy(&format!("{SEC}{}{}", rule(wide), rule(strict))));
    let found: Vec<String> = found.iter().map(|d| d.message.clone()).collect();
    assert_eq!(
        found,
        [
            "rule 1 reaches further than rule 2 for skip: it needs no ticket",
            "rule 2 is never reached: rule 1 allows the same people as much"
        ]
    );
    let approved = format!("{strict}approvals = {{ from = [\"group:sec\"] }}\n");
    let order = lint(&policy(&format!("{SEC}{}{}", rule(&approved), rule(wide))));
    assert!(
        order.iter().any(|d| d.message.contains("it needs no approvals, ticket")),
        "rules at once go first"
    );
}

#[test]
fn rules_that_each_have_their_use_are_left_alone() {
    let short = "actions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"1h\"\n";
    let long = "actions = [\"skip\"]\nwho = [\"group:sec\"]\nmax_ttl = \"8h\"\nticket = \"^X$\"\n";
    let scoped =
        "actions = [\"skip\"]\nwho = [\"group:sec\"]\nmax_ttl = \"1h\"\nenvironments = [\"staging\"]\n";
    assert_eq!(codes(&format!("{SEC}{}{}{}", rule(short), rule(long), rule(scoped))), [""; 0]);
}

#[test]
fn a_pause_that_vanishes_with_the_ledger_is_named() {
    let pause = rule("actions = [\"pause\"]\nwho = [\"*\"]\nmax_ttl = \"4h\"");
    assert_eq!(codes(&format!("{GATE}{pause}")), ["3:pause-without-ledger"]);
    assert_eq!(codes(&format!("{GATE}require_ledger = true\n{pause}")), [""; 0]);
}

#[test]
fn approvals_that_can_never_come_are_named() {
    let approved = |who: &str, count: u32, from: &str| {
        format!(
            "groups.one = [\"alice@x\"]\n[people]\n\"alice@x\" = [\"github:alice\"]\n[gates.g]\n{}",
            rule(&format!(
                "actions = [\"skip\"]\nwho = [{who}]\nmax_ttl = \"1h\"\napprovals = {{ count = {count}, from = [\"group:one\", {from}] }}"
            ))
        )
    };
    assert_eq!(codes(&approved("\"bob@x\"", 1, "\"github:alice\"")), [""; 0]);
    assert_eq!(
        codes(&approved("\"bob@x\"", 2, "\"github:alice\"")),
        ["7:too-few-approvers"],
        "one person with two names"
    );
    assert_eq!(
        codes(&approved("\"alice@x\"", 1, "\"github:alice\"")),
        ["7:too-few-approvers"],
        "only the requester"
    );
}

#[test]
fn weak_or_open_doors_of_grave_gates_are_named() {
    let high = "[gates.g]\nseverity = \"high\"\n";
    let open = rule("actions = [\"override\"]\nwho = [\"*\"]\nmax_ttl = \"4h\"");
    assert_eq!(codes(&format!("{high}{open}")), ["5:open-gate"]);
    let weak = rule(
        "actions = [\"override\"]\nwho = [\"github:carol\"]\nassurance = \"asserted\"\nmax_ttl = \"4h\"",
    );
    assert_eq!(codes(&format!("{high}{weak}")), ["5:weak-identity"]);
}

#[test]
fn loose_tickets_and_forgotten_group_prefixes_are_named() {
    let loose = |pattern: &str| {
        format!(
            "{GATE}{}",
            rule(&format!("actions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"4h\"\nticket = '{pattern}'"))
        )
    };
    for pattern in ["SEC-[0-9]+", "^SEC-1", "^a|b$"] {
        assert_eq!(codes(&loose(pattern)), ["4:loose-ticket"], "{pattern}");
    }
    for pattern in ["^SEC-[0-9]+$", "^(SEC|OPS)-[0-9]+$"] {
        assert_eq!(codes(&loose(pattern)), [""; 0], "{pattern}");
    }
    let forgotten = format!("{SEC}{}", rule("actions = [\"skip\"]\nwho = [\"sec\"]\nmax_ttl = \"4h\""));
    assert_eq!(codes(&forgotten), ["3:unused-group", "5:perhaps-a-group"]);
}

/// A break-glass rule for `who`, with `more`.
fn break_glass(who: &str, more: &str) -> String {
    let rule = rule(&format!(
        "actions = [\"skip\"]\nwho = [{who}]\nmax_ttl = \"1h\"\nbreak_glass = true\nreview_within = \"1d\"\n{more}"
    ));
    format!(
        "groups.sec = [\"alice@x\", \"bob@x\"]\n[people]\n\"alice@x\" = [\"github:alice\"]\n\"dave@x\" = []\n[gates.g]\n{rule}"
    )
}

#[test]
fn debts_that_nobody_can_review_are_named() {
    let stuck = ["8:unreviewable-debt"];
    let debts = |text: &str| -> Vec<String> {
        codes(text).into_iter().filter(|code| !code.ends_with("unused-group")).collect()
    };
    // Everybody may break the glass, known by a CI variable; a key cannot be told apart from that.
    assert_eq!(debts(&break_glass("\"*\"", "reviewers = [\"bob@x\"]")), stuck);
    assert_eq!(debts(&break_glass("\"*\"", "assurance = \"oidc\"\nreviewers = [\"dave@x\"]")), stuck);
    // Where a reviewer has a name of that kind too, or all sign, the debts can be settled.
    assert_eq!(debts(&break_glass("\"*\"", "reviewers = [\"group:sec\"]")), [""; 0]);
    assert_eq!(debts(&break_glass("\"*\"", "reviewers = [\"github:erin\"]")), [""; 0]);
    assert_eq!(debts(&break_glass("\"*\"", "assurance = \"signed\"\nreviewers = [\"bob@x\"]")), [""; 0]);
    // One of the requesters is known by another kind of identity than every reviewer, or is the only reviewer.
    let weak = "assurance = \"asserted\"\n";
    assert_eq!(debts(&break_glass("\"github:carol\"", &format!("{weak}reviewers = [\"bob@x\"]"))), stuck);
    assert_eq!(debts(&break_glass("\"github:carol\"", weak)), stuck);
    assert_eq!(debts(&break_glass("\"github:carol\"", &format!("{weak}reviewers = [\"alice@x\"]"))), [""; 0]);
    assert_eq!(debts(&break_glass("\"group:sec\"", "assurance = \"signed\"")), [""; 0]);
    assert_eq!(
        debts(&break_glass("\"alice@x\"", "assurance = \"signed\"\nreviewers = [\"github:Alice\"]")),
        stuck
    );
}

#[test]
fn a_requester_who_is_the_only_approver_is_named() {
    let text = |from: &str, count: u32| {
        let approvals = format!("approvals = {{ count = {count}, from = [{from}] }}");
        format!(
            "{SEC}{}",
            rule(&format!("actions = [\"skip\"]\nwho = [\"group:sec\"]\nmax_ttl = \"1h\"\n{approvals}"))
        )
    };
    let found = lint(&policy(&text("\"alice@x\"", 1)));
    assert_eq!(
        found[0].message,
        "rule 1 of gate 'g' can never be approved for alice@x: nobody approves their own request"
    );
    assert_eq!(codes(&text("\"alice@x\", \"carol@x\"", 2)), ["5:too-few-approvers"]);
    assert_eq!(codes(&text("\"group:sec\"", 1)), [""; 0]);
}

#[test]
fn signatures_that_nobody_can_make_are_named() {
    let keyed = |text: &str, keys: &[(&str, Signing)]| {
        let found = lint_keys(&policy(text), &|name, signing| keys.contains(&(name, signing)));
        found.iter().map(|one| format!("{}:{}", one.line, one.code)).collect::<Vec<_>>()
    };
    let approved = "approvals = { count = 2, from = [\"group:sec\", \"carol@x\"], assurance = \"signed\" }";
    let text = format!(
        "{SEC}{}",
        rule(&format!("actions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"1h\"\n{approved}"))
    );
    assert_eq!(keyed(&text, &[]), ["5:nobody-can-sign"]);
    assert_eq!(
        keyed(&text, &[("alice@x", Signing::Approval), ("bob@x", Signing::Request)]),
        ["5:nobody-can-sign"]
    );
    assert_eq!(keyed(&text, &[("alice@x", Signing::Approval), ("carol@x", Signing::Approval)]), [""; 0]);
    let text = format!(
        "{SEC}{}",
        rule("actions = [\"skip\"]\nwho = [\"group:sec\"]\nmax_ttl = \"1h\"\nassurance = \"signed\"")
    );
    assert_eq!(keyed(&text, &[("alice@x", Signing::Approval)]), ["5:nobody-can-sign"]);
    assert_eq!(keyed(&text, &[("bob@x", Signing::Request)]), [""; 0]);
    // Another name of the same person will do.
    let glass = break_glass("\"*\"", "assurance = \"signed\"\nreviewers = [\"alice@x\"]");
    assert_eq!(keyed(&glass, &[("bob@x", Signing::Review)]), ["8:nobody-can-sign"]);
    assert_eq!(keyed(&glass, &[("github:alice", Signing::Review)]), [""; 0]);
    let owned = format!("groups.sec = [\"alice@x\"]\npolicy.owners = [\"group:sec\"]\n{GATE}");
    assert_eq!(keyed(&owned, &[]), ["1:nobody-can-sign"], "owners have no place of their own");
    assert_eq!(keyed(&owned, &[("alice@x", Signing::Policy)]), [""; 0]);
}

#[test]
fn an_issuer_that_is_bound_by_nothing_but_names_is_told() {
    let issuer = |claims: &str| {
        let keys = "issuer = \"https://x\"\naudience = \"g\"\njwks = \"j\"";
        codes(&format!("[[identity.oidc]]\n{keys}\nclaims = {{ {claims} }}\n"))
    };
    assert_eq!(issuer("repository = \"acme/pay\""), ["3:bound-by-name"]);
    assert_eq!(issuer("namespace_path = \"acme\", ref_protected = \"true\""), ["3:bound-by-name"]);
    assert_eq!(issuer("repository = \"acme/pay\", repository_owner_id = \"7\""), [""; 0]);
    assert_eq!(issuer("project_id = [\"7\", \"8\"]"), [""; 0]);
}

#[test]
fn a_remote_that_no_helper_here_is_for_is_named() {
    let pin = format!("genesis = \"b3:{}\"", "0".repeat(64));
    let remote = |address: &str| {
        let text = format!("[ledger]\nremote = \"{address}\"\n{pin}\n[gates.g]\n");
        lint(&policy(&text)).into_iter().map(|found| (found.code, found.help.unwrap())).collect::<Vec<_>>()
    };
    let found = remote("postgresql://host/db");
    assert_eq!(found[0].0, "unknown-remote");
    assert!(found[0].1.contains("did you mean postgres:?"), "{found:?}");
    assert!(remote("s3:bucket")[0].1.contains("install gate-remote-s3 beside the tools"));
    for known in ["git:origin#gate-ledger", "ssh://host/srv/l.db", "postgres://host/db?ledger=x"] {
        assert_eq!(remote(known), [], "{known}");
    }
}
