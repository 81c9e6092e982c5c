//! Each way to get a policy wrong: its code, its exact place, and always a remedy.

use gate_model::principal::Assurance;
use gate_policy::{ScopeKind, Severity, Suppressions, Who, parse, parse_bytes};

use crate::support::shown;

/// The policy of the design document, whole.
const DESIGN: &str = r#"version = 1

[ledger]
path = ".gate/ledger.db"
origin = "example.com/payments"
genesis = "b3:222463478174cc422f7f79087534949ba8bd11f36b41456a206dd35277f96872"

[policy]
owners = ["group:security"]

[identity]
allowed_signers = ".gate/allowed_signers"
[[identity.oidc]]
issuer   = "https://token.actions.githubusercontent.com"
audience = "gate"
jwks     = ".gate/jwks/github.json"
claims   = { repository_owner_id = "123" }

[people]
"alice@example.com" = ["github:alice", "gitlab:alice"]

[groups]
security = ["alice@example.com", "bob@example.com"]
oncall   = ["carol@example.com"]

[gates.lint]
severity = "low"
[[gates.lint.allow]]
actions  = ["skip", "override", "pause"]
who      = ["*"]
max_ttl  = "24h"

[gates.vulnerabilities]
severity = "high"
fail_on  = "warning"
report   = "scan.sarif"
report_suppressions = "honour"
levels   = { "CVE-2021-44228" = "error" }
require_ledger = true
[[gates.vulnerabilities.allow]]
actions   = ["waive"]
who       = ["group:security"]
assurance = "signed"
max_level = "error"
max_ttl   = "14d"
ticket    = "^SEC-[0-9]+$"
approvals = { count = 1, from = ["group:security"] }
quota     = { max = 5, per = "7d" }
lapse_when = ["severity-raised", "fix-available"]
[[gates.vulnerabilities.allow]]
actions      = ["override"]
who          = ["group:oncall"]
environments = ["production"]
break_glass  = true
max_ttl      = "2h"
review_within = "24h"

[gates.secrets]

[[test]]
name    = "a developer cannot skip the secret scan"
request = { gate = "secrets", action = "skip", by = "dave@example.com" }
expect  = "denied"
"#;

#[test]
fn the_design_documents_policy_parses_to_what_it_says() {
    let policy = parse(DESIGN).unwrap_or_else(|errors| panic!("{}", shown(&errors)));
    assert_eq!(policy.owners, [Who::Group("security".into())]);
    assert_eq!(policy.warn_before, 72 * 3600);
    assert_eq!(policy.people.of("gitlab:alice"), Some("alice@example.com"));
    assert_eq!(policy.people.of("alice@example.com"), Some("alice@example.com"));
    let lint = policy.gate("lint").unwrap();
    assert_eq!(lint.findings_exit, [0, 1]);
    assert_eq!(lint.allow[0].assurance, Assurance::Asserted);
    assert_eq!(lint.allow[0].scopes, [ScopeKind::Commit, ScopeKind::Run]);
    let vulnerabilities = policy.gate("vulnerabilities").unwrap();
    assert!(vulnerabilities.require_ledger && vulnerabilities.honours_suppressions());
    let waive = &vulnerabilities.allow[0];
    assert_eq!((waive.number, waive.max_ttl, waive.assurance), (1, 14 * 86_400, Assurance::Signed));
    assert_eq!(waive.approvals.as_ref().unwrap().assurance, Assurance::Signed);
    assert_eq!(waive.quota.as_ref().unwrap().per, 7 * 86_400);
    let glass = &vulnerabilities.allow[1];
    assert_eq!((glass.number, glass.review_within, glass.assurance), (2, Some(86_400), Assurance::Oidc));
    assert_eq!(glass.scopes, [ScopeKind::Commit, ScopeKind::Environment, ScopeKind::Run]);
    let secrets = policy.gate("secrets").unwrap();
    assert_eq!(secrets.report_suppressions, Suppressions::Honour);
    assert!(!secrets.honours_suppressions(), "a gate without allow never honours them");
    assert_eq!(policy.tests[0].line, DESIGN.lines().position(|line| line == "[[test]]").unwrap() + 1);
    assert_eq!(policy.tests[0].request.assurance, Assurance::Signed);
    assert!(gate_policy::run_tests(&policy).iter().all(|test| test.passed));
}

#[test]
fn an_unknown_gate_is_named_with_the_nearest() {
    let policy = parse(DESIGN).unwrap();
    let message = |name: &str| policy.gate(name).unwrap_err().to_string();
    assert_eq!(message("lnit"), "the policy has no gate 'lnit'; did you mean 'lint'?");
    assert_eq!(message("zzz"), "the policy has no gate 'zzz'; known are: lint, secrets, vulnerabilities");
    assert_eq!(
        message("\u{1b}[0m"),
        "the policy has no gate '\\u{1b}[0m'; known are: lint, secrets, vulnerabilities"
    );
}

/// A rule around one line under test, which stands on line 5.
fn rule(line: &str) -> String {
    format!("version = 1\ngroups.sec = [\"a@x\"]\n[gates.g]\n[[gates.g.allow]]\n{line}\n")
}

/// An issuer with these claims, which stand on line 6.
fn issuer(claims: &str) -> String {
    let keys = "issuer = \"https://x\"\naudience = \"g\"\njwks = \"j\"";
    format!("version = 1\n[[identity.oidc]]\n{keys}\nclaims = {{ {claims} }}\n")
}

/// A complete rule with one more line, which stands on line 8.
fn whole(line: &str) -> String {
    rule(&format!("actions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"4h\"\n{line}"))
}

/// The first error of `text` as `line:column code`; every error must have a remedy.
fn first(text: &str) -> String {
    let errors = parse(text).expect_err("an error");
    for error in &errors {
        assert_eq!(error.severity, Severity::Error);
        assert!(error.help.as_ref().is_some_and(|help| !help.is_empty()), "no remedy: {error}");
        assert!(!error.message.contains(char::is_control), "{error:?}");
    }
    let error = &errors[0];
    format!("{}:{} {}", error.line, error.column, error.code)
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn each_defect_has_its_code_and_its_place() {
    let v1 = |rest: &str| format!("version = 1\n{rest}");
    let waive = |line: &str| whole(line).replace("\"skip\"", "\"waive\"");
    let cases = [
        ("empty file", String::new(), "1:1 missing-version"),
        ("no version", "[gates.g]".into(), "1:1 missing-version"),
        ("newer version", "version = 2\n[what]\n".into(), "1:11 newer-version"),
        ("version as text", "version = \"1\"".into(), "1:11 wrong-type"),
        ("version 0", "version = 0".into(), "1:11 out-of-range"),
        ("negative version", "version = -1".into(), "1:11 out-of-range"),
        ("byte order mark", "\u{feff}version = 1".into(), "1:1 byte-order-mark"),
        ("NUL", "version = 1\n# \0".into(), "2:3 control-character"),
        ("carriage returns", "version = 1\r\n".into(), "1:12 carriage-return"),
        ("C1 control in a comment", "version = 1 # \u{9b}31m".into(), "1:15 control-character"),
        ("escaped control in a value", v1("ledger.path = \"a\\u001bb\""), "2:15 control-character"),
        ("top-level typo", v1("[gate.lint]"), "2:2 unknown-key"),
        ("typo in [ledger]", v1("[ledger]\npaht = \"x\""), "3:1 unknown-key"),
        ("typo in [policy]", v1("[policy]\nowner = [\"a@x\"]"), "3:1 unknown-key"),
        ("typo in [identity]", v1("[identity]\nallowed_signer = \"x\""), "3:1 unknown-key"),
        ("typo in a gate", v1("[gates.g]\nseverty = \"low\""), "3:1 unknown-key"),
        ("typo in a rule", whole("max_tll = \"4h\""), "8:1 unknown-key"),
        ("typo in approvals", whole("approvals = { from = [\"a@x\"], cuont = 1 }"), "8:31 unknown-key"),
        ("typo in quota", whole("quota = { max = 1, per = \"1d\", bye = \"gate\" }"), "8:32 unknown-key"),
        ("typo in a test", v1("[[test]]\nnmae = \"x\""), "2:1 missing-key"),
        ("not TOML", v1("this is not TOML"), "2:6 syntax"),
        ("duplicate gate", v1("[gates.g]\n[gates.g]\n"), "3:8 syntax"),
        ("duplicate group", v1("[groups]\na = []\na = []\n"), "4:1 syntax"),
        ("both path and remote", v1("[ledger]\npath = \"x\"\nremote = \"git:origin\""), "4:10 two-ledgers"),
        ("remote without a scheme", v1("[ledger]\nremote = \"origin\""), "3:10 bad-value"),
        ("remote whose scheme is a path", v1("[ledger]\nremote = \"../x:origin\""), "3:10 bad-value"),
        ("remote without an address", v1("[ledger]\nremote = \"git:\""), "3:10 bad-value"),
        (
            "password in a remote",
            v1("[ledger]\nremote = \"postgres://gate:secret@db/gate\""),
            "3:10 bad-value",
        ),
        (
            "password as a parameter",
            v1("[ledger]\nremote = \"postgres://db/gate?password=x\""),
            "3:10 bad-value",
        ),
        ("floor without a hash", v1("[ledger]\nremote = \"git:x\"\nat_least = \"4711\""), "4:12 bad-value"),
        (
            "floor without a remote",
            v1(&format!("[ledger]\nat_least = \"1 b3:{}\"", "1".repeat(64))),
            "3:12 needs-remote",
        ),
        ("publishing without a remote", v1("[ledger]\npublish = \"each\""), "3:11 needs-remote"),
        (
            "a remote cannot erase",
            v1("[ledger]\nremote = \"git:x\"\ncommit = [\"names\"]"),
            "4:10 cannot-erase",
        ),
        ("genesis cut short", v1("[ledger]\ngenesis = \"b3:12\""), "3:11 bad-value"),
        ("origin with a space", v1("[ledger]\norigin = \"a b\""), "3:10 bad-value"),
        ("commit of an unknown text", v1("[ledger]\ncommit = [\"names\", \"reasons\"]"), "3:20 unknown-word"),
        ("commit that is no list", v1("[ledger]\ncommit = \"names\""), "3:10 wrong-type"),
        ("everybody owns the policy", v1("[policy]\nowners = [\"*\"]"), "3:11 wildcard"),
        (
            "issuer without jwks",
            v1("[[identity.oidc]]\nissuer = \"https://x\"\naudience = \"gate\""),
            "2:1 missing-key",
        ),
        (
            "issuer over http",
            v1(
                "[[identity.oidc]]\nissuer = \"http://x\"\naudience = \"g\"\njwks = \"j\"\nclaims = { sub = \"repo:x\" }",
            ),
            "3:10 bad-value",
        ),
        (
            "issuer that nothing binds",
            v1("[[identity.oidc]]\nissuer = \"https://x\"\naudience = \"g\"\njwks = \"j\""),
            "2:1 missing-key",
        ),
        ("issuer bound by the event", issuer("event_name = \"push\""), "6:10 unbound-issuer"),
        ("issuer bound by the actor", issuer("actor = \"alice\""), "6:10 unbound-issuer"),
        (
            "issuer bound by a run",
            issuer("ref_protected = \"true\", pipeline_id = \"7\""),
            "6:10 unbound-issuer",
        ),
        ("subject of the owner's choice", issuer("sub = \"environment:production\""), "6:10 unbound-issuer"),
        ("one subject of two", issuer("sub = [\"repo:a/b:ref:x\", \"ref:x\"]"), "6:10 unbound-issuer"),
        ("issuer bound by nothing", issuer(""), "6:10 unbound-issuer"),
        ("claim as a pattern", issuer("repository = \"acme/*\""), "6:25 bad-value"),
        ("claim without values", issuer("repository_id = []"), "6:28 empty-list"),
        ("claim as a number", issuer("repository_id = 7"), "6:28 wrong-type"),
        (
            "alias of two people",
            v1("[people]\n\"a@x\" = [\"github:a\"]\n\"b@x\" = [\"github:A\"]"),
            "4:10 duplicate-person",
        ),
        (
            "alias that is a person",
            v1("[people]\n\"a@x\" = []\n\"b@x\" = [\"a@x\"]"),
            "4:10 duplicate-person",
        ),
        ("pattern as an alias", v1("[people]\n\"a@x\" = [\"*@x\"]"), "3:10 bad-id"),
        ("nested group", v1("[groups]\na = [\"b@x\"]\nc = [\"group:a\"]"), "4:6 bad-id"),
        ("everybody in a group", v1("[groups]\na = [\"*\"]"), "3:6 bad-id"),
        ("member twice", v1("[groups]\na = [\"b@x\", \"b@x\"]"), "3:13 duplicate"),
        ("invisible character in an id", v1("[groups]\na = [\"b\u{200b}@x\"]"), "3:6 bad-id"),
        ("group with a space", v1("[groups]\n\"a b\" = []"), "3:1 bad-group-name"),
        ("gate in capitals", v1("[gates.Lint]"), "2:8 bad-gate-name"),
        ("gate named as a verb", v1("[gates.approve]"), "2:8 reserved-gate-name"),
        ("unknown severity", v1("[gates.g]\nseverity = \"urgent\""), "3:12 unknown-word"),
        ("level in capitals", v1("[gates.g]\nfail_on = \"Error\""), "3:11 unknown-word"),
        ("boolean as text", v1("[gates.g]\nrequire_ledger = \"true\""), "3:18 wrong-type"),
        ("status over 255", v1("[gates.g]\nfindings_exit = [0, 256]"), "3:21 out-of-range"),
        ("status of a killed scan", v1("[gates.g]\nfindings_exit = [0, 137]"), "3:21 did-not-run"),
        ("status in hexadecimal", v1("[gates.g]\nfindings_exit = [0, 0x1]"), "3:21 not-decimal"),
        ("status in octal", v1("[gates.g]\nfindings_exit = [0o7]"), "3:18 not-decimal"),
        (
            "duration in binary",
            rule("actions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = 0b1111"),
            "7:11 not-decimal",
        ),
        (
            "number in groups",
            rule("actions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"4h\"\nmax_uses = 1_000"),
            "8:12 not-decimal",
        ),
        (
            "number with a plus",
            rule("actions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"4h\"\nmax_uses = +5"),
            "8:12 not-decimal",
        ),
        ("no status at all", v1("[gates.g]\nfindings_exit = []"), "3:17 empty-list"),
        ("allow is not a list", v1("[gates.g]\nallow = true"), "3:9 wrong-type"),
        ("rule without max_ttl", rule("actions = [\"skip\"]\nwho = [\"*\"]"), "4:1 missing-max-ttl"),
        ("rule without who", rule("actions = [\"skip\"]\nmax_ttl = \"4h\""), "4:1 missing-who"),
        ("rule without actions", rule("who = [\"*\"]\nmax_ttl = \"4h\""), "4:1 missing-actions"),
        ("no actions", rule("actions = []\nwho = [\"*\"]\nmax_ttl = \"4h\""), "5:11 empty-list"),
        (
            "unknown action",
            rule("actions = [\"bypass\"]\nwho = [\"*\"]\nmax_ttl = \"4h\""),
            "5:12 unknown-word",
        ),
        (
            "action twice",
            rule("actions = [\"skip\", \"skip\"]\nwho = [\"*\"]\nmax_ttl = \"4h\""),
            "5:20 duplicate",
        ),
        ("who is a text", rule("actions = [\"skip\"]\nwho = \"*\"\nmax_ttl = \"4h\""), "6:7 wrong-type"),
        (
            "unknown group",
            rule("actions = [\"skip\"]\nwho = [\"group:ops\"]\nmax_ttl = \"4h\""),
            "6:8 undefined-group",
        ),
        ("pattern as an id", rule("actions = [\"skip\"]\nwho = [\"*@x\"]\nmax_ttl = \"4h\""), "6:8 bad-id"),
        (
            "duration without unit",
            rule("actions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = 14"),
            "7:11 wrong-type",
        ),
        (
            "duration without unit, quoted",
            rule("actions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"14\""),
            "7:11 bad-duration",
        ),
        (
            "negative duration",
            rule("actions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"-4h\""),
            "7:11 bad-duration",
        ),
        (
            "no time at all",
            rule("actions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"0s\""),
            "7:11 bad-duration",
        ),
        (
            "overflowing duration",
            rule("actions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"99999999999999999999d\""),
            "7:11 bad-duration",
        ),
        ("for ever", rule("actions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"forever\""), "7:11 bad-duration"),
        ("a date", rule("actions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = 2026-12-31"), "7:11 wrong-type"),
        ("broken pattern", whole("ticket = \"SEC-[0-9\""), "8:10 bad-pattern"),
        ("empty pattern", whole("ticket = \"\""), "8:10 empty"),
        ("exploding pattern", whole("ticket = \"((a{1000}){1000}){1000}\""), "8:10 bad-pattern"),
        ("short ref", whole("refs = [\"main\"]"), "8:9 bad-ref"),
        ("negated ref", whole("refs = [\"!refs/heads/main\"]"), "8:9 bad-ref"),
        ("broken glob", whole("refs = [\"refs/heads/{a\"]"), "8:9 bad-ref"),
        ("no refs", whole("refs = []"), "8:8 empty-list"),
        ("unknown scope", whole("scopes = [\"everything\"]"), "8:11 unknown-word"),
        ("scopes of a waiver", waive("scopes = [\"ref\"]"), "8:10 no-effect"),
        ("max_level beside skip", whole("max_level = \"error\""), "8:13 no-effect"),
        ("lapse_when beside skip", whole("lapse_when = [\"fix-available\"]"), "8:14 no-effect"),
        ("no threshold", v1("[gates.g]\nfail_on = \"security-severity >= 11\""), "3:11 bad-threshold"),
        ("follow_moves beside skip", whole("follow_moves = true"), "8:16 no-effect"),
        ("trailers without rules", v1("[gates.g]\ntrailers = true"), "3:12 no-effect"),
        ("trailers without keys", whole("trailers = true"), "4:1 trailers-without-keys"),
        (
            "trailers where names are hidden",
            v1(
                "[ledger]\ncommit = [\"names\"]\n[identity]\nallowed_signers = \"s\"\n[gates.g]\ntrailers = true\n\
                [[gates.g.allow]]\nactions = [\"skip\"]\nwho = [\"a@x\"]\nmax_ttl = \"1h\"",
            ),
            "8:1 trailers-hide-nothing",
        ),
        ("unknown lapse", waive("lapse_when = [\"monday\"]"), "8:15 unknown-word"),
        ("no uses", whole("max_uses = 0"), "8:12 out-of-range"),
        ("float of uses", whole("max_uses = 1.5"), "8:12 wrong-type"),
        ("a reason longer than any may be", whole("min_reason = 5000"), "8:14 out-of-range"),
        ("approvals as a number", whole("approvals = 2"), "8:13 wrong-type"),
        ("no approvals", whole("approvals = { count = 0, from = [\"a@x\"] }"), "8:23 out-of-range"),
        ("approvals from nobody", whole("approvals = { count = 1 }"), "8:13 missing-key"),
        ("approvals from everybody", whole("approvals = { from = [\"*\"] }"), "8:23 wildcard"),
        ("quota without a window", whole("quota = { max = 1 }"), "8:9 missing-key"),
        ("quota of nothing", whole("quota = { max = 0, per = \"1d\" }"), "8:17 out-of-range"),
        ("unknown quota", whole("quota = { max = 1, per = \"1d\", by = \"team\" }"), "8:37 unknown-word"),
        ("review without break-glass", whole("review_within = \"24h\""), "8:17 no-effect"),
        (
            "break-glass without review",
            whole("break_glass = true\nreviewers = [\"a@x\"]"),
            "4:1 missing-review-within",
        ),
        (
            "break-glass for everybody, reviewed by nobody",
            whole("break_glass = true\nreview_within = \"1d\""),
            "4:1 missing-reviewers",
        ),
        (
            "break-glass that waits",
            whole(
                "break_glass = true\nreview_within = \"1d\"\nreviewers = [\"a@x\"]\napprovals = { from = [\"a@x\"] }",
            ),
            "11:13 no-effect",
        ),
        ("facts by signature", whole("facts = \"signed\""), "8:9 unknown-word"),
        ("silent acceptance", whole("i_accept = \" \""), "8:12 empty"),
        (
            "test of an unknown gate",
            v1(
                "[gates.lint]\n[[test]]\nname = \"n\"\nexpect = \"denied\"\nrequest = { gate = \"lnit\", action = \"skip\", by = \"a@x\" }",
            ),
            "6:20 undefined-gate",
        ),
        (
            "two tests of one name",
            v1(
                "[gates.g]\n[[test]]\nname = \"n\"\nexpect = \"denied\"\nrequest = { gate = \"g\", action = \"skip\", by = \"a@x\" }\n[[test]]\nname = \"n\"\nexpect = \"denied\"\nrequest = { gate = \"g\", action = \"skip\", by = \"a@x\" }",
            ),
            "8:8 duplicate-test",
        ),
        (
            "test bound by a ref that it has not",
            v1(
                "[gates.g]\n[[test]]\nname = \"n\"\nexpect = \"denied\"\nrequest = { gate = \"g\", action = \"skip\", by = \"a@x\", scope = \"ref\" }",
            ),
            "6:11 missing-key",
        ),
    ];
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(name, text, expected)| {
            let found = first(text);
            (found != *expected).then(|| {
                format!("{name}: expected {expected}, found {found}: {}", shown(&parse(text).unwrap_err()))
            })
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn messages_say_what_was_meant() {
    let help = |text: &str| parse(text).unwrap_err()[0].to_string();
    assert_eq!(
        help(&whole("max_tll = \"4h\"")),
        "8:1: error: unknown key 'gates.g.allow#1.max_tll'\n  help: did you mean 'max_ttl'?"
    );
    assert_eq!(
        help(&rule("actions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = 14")),
        "7:11: error: 'gates.g.allow#1.max_ttl' must be a duration with its unit, not the number 14\n  \
         help: write \"14d\" for days, \"14h\" for hours, \"14m\" for minutes"
    );
    assert_eq!(
        help(&rule("actions = [\"skip\"]\nwho = [\"group:secs\"]\nmax_ttl = \"4h\"")),
        "6:8: error: 'gates.g.allow#1.who#1' names the group 'secs', which [groups] does not have\n  \
         help: did you mean 'sec'?"
    );
}

#[test]
fn all_errors_are_found_at_once_in_their_order() {
    let text = "version = 1\n[ledger]\npaht = \"x\"\n[gates.Lint]\n[gates.g]\nseverity = 3\n[[gates.g.allow]]\nwho = [\"*\"]\n";
    let errors = parse(text).unwrap_err();
    let found: Vec<(usize, &str)> = errors.iter().map(|error| (error.line, error.code)).collect();
    assert_eq!(
        found,
        [
            (3, "unknown-key"),
            (4, "bad-gate-name"),
            (6, "wrong-type"),
            (7, "missing-actions"),
            (7, "missing-max-ttl")
        ]
    );
}

#[test]
fn a_broken_line_does_not_hide_other_errors_nor_invent_any() {
    let text = "version = 1\n[gates.g]\nseverity = \nfail_no = \"note\"\n[[gates.g.allow]]\nactions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl \"4h\"\n";
    let errors = parse(text).unwrap_err();
    let found: Vec<(usize, &str)> = errors.iter().map(|error| (error.line, error.code)).collect();
    assert_eq!(found, [(3, "syntax"), (4, "unknown-key"), (8, "syntax")], "{}", shown(&errors));
}

#[test]
fn bytes_that_are_not_utf8_are_refused_at_their_place() {
    let errors = parse_bytes(b"version = 1\n# caf\xe9\n").unwrap_err();
    assert_eq!((errors[0].code, errors[0].line, errors[0].column), ("encoding", 2, 6));
    let utf16: Vec<u8> = "\u{feff}version = 1".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(parse_bytes(&utf16).unwrap_err()[0].message.contains("UTF-16"));
    assert!(parse_bytes(b"version = 1\n").is_ok());
}

#[test]
fn a_policy_over_a_mebibyte_is_refused() {
    let text = format!("version = 1\n# {}\n", "x".repeat(gate_policy::MAX_BYTES));
    assert_eq!(parse(&text).unwrap_err()[0].code, "too-large");
}

#[test]
fn a_hostile_text_gets_a_bounded_number_of_errors() {
    let mut keys = "version = 1\n".to_owned();
    for number in 0..60_000 {
        keys.push_str(&format!("k{number} = 1\n"));
    }
    assert!(parse(&keys).unwrap_err().len() <= 200);
    let garbage = format!("version = 1\n{}", "= \n".repeat(100_000));
    assert!(parse(&garbage).unwrap_err().len() <= 200);
    let nested = format!("version = 1\nx = {}1{}", "[".repeat(5_000), "]".repeat(5_000));
    assert!(!parse(&nested).unwrap_err().is_empty());
    let groups: String = (0..20_000).map(|number| format!("g{number} = []\n")).collect::<Vec<_>>().concat();
    let who: String = (0..900).map(|number| format!("\"group:x{number}\",")).collect::<Vec<_>>().concat();
    let many = format!("version = 1\n[gates.g]\n[[gates.g.allow]]\nwho = [{who}]\n[groups]\n{groups}");
    assert!(parse(&many).unwrap_err().len() <= 200);
    let who = "\"a\",".repeat(2_000);
    let long = whole(&format!("environments = [{who}]"));
    assert_eq!(parse(&long).unwrap_err()[0].code, "too-many");
}

#[test]
fn the_starter_parses_lints_clean_and_passes_its_tests() {
    let policy = parse(gate_policy::STARTER).unwrap_or_else(|errors| panic!("{}", shown(&errors)));
    let lint = gate_policy::lint(&policy);
    assert!(lint.is_empty(), "{}", shown(&lint));
    let results = gate_policy::run_tests(&policy);
    assert_eq!(results.len(), 4);
    for result in results {
        assert!(result.passed, "{}: {}", result.name, result.got);
    }
    let open: Vec<&str> = policy
        .gates
        .iter()
        .filter(|(_, gate)| !gate.allow.is_empty())
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(open, ["lint"], "only lint may be gone past");
}

#[test]
fn what_the_starter_shows_as_comments_is_a_policy_too() {
    let uncommented: String = gate_policy::STARTER
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.starts_with('[') || rest.contains(" = ") => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .filter(|line| !line.starts_with("genesis"))
        .collect();
    let policy = parse(&uncommented).unwrap_or_else(|errors| panic!("{}\n{uncommented}", shown(&errors)));
    assert_eq!(policy.gate("vulnerabilities").unwrap().allow.len(), 1);
    assert!(gate_policy::lint(&policy).is_empty(), "{}", shown(&gate_policy::lint(&policy)));
}

#[test]
fn a_remote_has_an_address_a_floor_and_a_way_to_publish() {
    let hash = "1".repeat(64);
    let policy = parse(&format!(
        "version = 1\n[ledger]\nremote = \"git:ssh://git@host/team/ledger.git#payments\"\nat_least = \"4711 b3:{hash}\""
    ))
    .unwrap();
    let remote = policy.ledger.remote.unwrap();
    assert_eq!((remote.scheme(), remote.publish), ("git", gate_policy::Publish::Batch));
    assert_eq!(remote.at_least, Some(gate_policy::Floor { seq: 4711, hash: format!("b3:{hash}") }));
    let text = "version = 1\n[ledger]\nremote = \"postgres://writer@db/gate?ledger=pay\"\n";
    let publish = |text: &str| parse(text).unwrap().ledger.remote.unwrap().publish;
    assert_eq!(publish(text), gate_policy::Publish::Each);
    assert_eq!(publish(&format!("{text}publish = \"batch\"")), gate_policy::Publish::Batch);
}

#[test]
fn a_floor_is_a_plain_number_and_a_whole_hash() {
    let hash = "1".repeat(64);
    for wrong in
        ["", "1", "b3:11", &format!("+1 b3:{hash}"), &format!("1  b3:{hash}"), &format!("1 b3:{hash}0")]
    {
        assert_eq!(gate_policy::Floor::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn a_number_in_another_notation_is_refused_with_the_number_to_write() {
    let text = "version = 1\n[gates.g]\nfindings_exit = [0, 0x10]\n";
    let errors = parse(text).unwrap_err();
    let found = errors.iter().find(|error| error.code == "not-decimal").unwrap();
    assert!(
        found.message.contains("'gates.g.findings_exit#2' must be written in decimal digits, not as 0x10"),
        "{found:?}"
    );
    assert_eq!(found.help.as_deref(), Some("write 16"));
}
