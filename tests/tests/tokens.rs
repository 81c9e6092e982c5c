//! CI tokens at the tools: a token counts for the place that it is bound to, and one that does not count changes
//! nothing but what people are told.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

mod support;

use ed25519_dalek::SigningKey;
use gate_tests::tokens::{jwks, key, signed};
use serde_json::{Value, json};
use support::{House, now};

const GITHUB: &str = "https://token.actions.githubusercontent.com";

const RULES: &str = r#"
version = 1

[[identity.oidc]]
issuer   = "https://token.actions.githubusercontent.com"
audience = "gate"
jwks     = "jwks.json"
claims   = { repository_id = "1" }

[gates.lint]
[[gates.lint.allow]]
actions = ["skip"]
who = ["*"]
max_ttl = "4h"

[gates.deploy]
[[gates.deploy.allow]]
actions = ["override"]
who = ["github:alice"]
max_ttl = "4h"
"#;

/// A house whose policy trusts the tokens of one repository, and the issuer's key.
struct Trusting {
    house: House,
    key: SigningKey,
}

impl Trusting {
    fn new() -> Self {
        let key = key(7);
        let house = House::without_ledger(RULES);
        house.write("jwks.json", jwks("k1", &key));
        house.create_ledger(".gate/ledger.db");
        house.commit("base");
        Self { house, key }
    }

    /// A token of a push to main by `actor`, with these claims beside.
    fn token(&self, actor: &str, changes: &Value) -> String {
        let at = now().micros() / 1_000_000;
        let mut claims = json!({
            "iss": GITHUB, "aud": "gate", "sub": "repo:acme/payments:ref:refs/heads/main", "actor": actor,
            "repository": "acme/payments", "repository_id": "1", "ref": "refs/heads/main",
            "sha": self.house.git(&["rev-parse", "HEAD"]), "run_id": "77", "run_attempt": "1",
            "event_name": "push", "iat": at, "nbf": at, "exp": at + 300,
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        signed(r#"{"alg":"EdDSA","kid":"k1"}"#, &claims, &self.key)
    }

    /// A tool in a run of `actor` that has `token`.
    fn run(&self, tool: &str, args: &[&str], actor: &str, token: &str) -> support::Ran {
        let mut command = self.house.tool(tool, args);
        command.envs(self.house.github(actor)).env("GATE_ID_TOKEN", token);
        support::Ran::of(command.output().unwrap())
    }
}

#[test]
fn a_token_of_another_repository_proves_nothing() {
    let trusting = Trusting::new();
    let ask = ["deploy", "--action", "override", "--reason", "ship it", "--ttl", "1h"];
    let evil =
        json!({"repository": "evil/x", "repository_id": "2", "sub": "repo:evil/x:ref:refs/heads/main"});
    let denied = trusting.run("gate-skip", &ask, "alice", &trusting.token("alice", &evil));
    denied.exits(1).says(&["does not count", "'repository_id' is '2'", "github:alice is only asserted"]);
    let same_name = json!({"repository_id": "2"});
    trusting.run("gate-skip", &ask, "alice", &trusting.token("alice", &same_name)).exits(1);
    let own = trusting.token("alice", &json!({}));
    trusting.run("gate-skip", &ask, "alice", &own).exits(0);
}

#[test]
fn an_issuer_that_is_bound_to_no_place_is_refused_from_the_start() {
    for claims in [
        "",
        "claims = { actor = \"alice\" }",
        "claims = { event_name = \"push\", environment = \"production\" }",
    ] {
        let rules = RULES.replace("claims   = { repository_id = \"1\" }", claims);
        let house = House::without_ledger(&rules);
        house.write("jwks.json", jwks("k1", &key(7)));
        let init = support::Ran::of(house.tool("gate-log", &["init"]).output().unwrap());
        init.exits(2).says(&["claims", "repository_owner_id"]);
        assert!(!house.path(".gate/ledger.db").exists(), "{claims}");
    }
}

/// Every way not to count, each with a word of what the note says.
fn that_do_not_count(trusting: &Trusting) -> Vec<(String, &'static str)> {
    let at = now().micros() / 1_000_000;
    let claims = json!({"iss": GITHUB, "aud": "gate", "actor": "alice", "iat": at, "exp": at + 300});
    let rotated = key(8);
    let with = |changes: Value| trusting.token("alice", &changes);
    vec![
        ("garbage.token.here".to_owned(), "header"),
        (signed(r#"{"alg":"none","kid":"k1"}"#, &claims, &rotated), "not signed"),
        (signed(r#"{"alg":"EdDSA","kid":"k2"}"#, &claims, &rotated), "not among the pinned ones"),
        (signed(r#"{"alg":"EdDSA","kid":"k1"}"#, &claims, &rotated), "signature does not match"),
        (with(json!({"aud": "vault"})), "another audience"),
        (with(json!({"iss": "https://gitlab.com"})), "issuer"),
        (with(json!({"iat": at - 7200, "nbf": at - 7200, "exp": at - 3600})), "expired"),
        (with(json!({"repository_id": "2"})), "repository_id"),
    ]
}

#[test]
fn a_token_that_does_not_count_never_fails_a_command_that_passes() {
    let trusting = Trusting::new();
    for (token, word) in that_do_not_count(&trusting) {
        let check = |command| {
            trusting.run("gate-check", &["lint", "--decision", "d.json", "--", command], "alice", &token)
        };
        check("true").exits(0).says(&["GATE_ID_TOKEN", "does not count", word]);
        let decision: Value = serde_json::from_str(&trusting.house.read("d.json")).unwrap();
        assert!(decision["reasons"].to_string().contains("does not count"), "{word}: {decision}");
        assert_eq!(decision["context"].get("assurance"), None, "{word}");
        check("false").exits(1);
    }
    // A policy that trusts no issuer at all.
    let plain = House::new(support::POLICY);
    plain
        .check_with(&["lint", "--", "true"], &[("GATE_ID_TOKEN", "x.y.z")])
        .exits(0)
        .says(&["names no issuer"]);
}

#[test]
fn a_token_that_does_not_count_gives_no_more_than_none() {
    let trusting = Trusting::new();
    let ask = ["deploy", "--action", "override", "--reason", "ship it", "--ttl", "1h"];
    for (token, word) in that_do_not_count(&trusting) {
        trusting.run("gate-skip", &ask, "alice", &token).exits(1).says(&["is only asserted", word]);
        // What asks for no proof is granted as it is without a token, to whom the variables name.
        let granted =
            trusting.run("gate-skip", &["lint", "--reason", "flaky"], "carol", &token).exits(0).json();
        assert_eq!(granted["by"]["id"], "github:carol", "{word}");
        assert_eq!(granted["by"]["assurance"], "asserted", "{word}");
    }
}

#[test]
fn facts_that_contradict_each_other_are_told_in_every_format() {
    let trusting = Trusting::new();
    let house = &trusting.house;
    let elsewhere = trusting.token("alice", &json!({"sha": "1".repeat(40)}));
    let findings = |level: &str| support::sarif(&[support::result("R1", level, "a.py", 1)]);
    for level in ["error", "note"] {
        house.write("r.sarif", findings(level));
        for format in ["json", "text", "markdown", "html", "github", "azure", "gitlab", "junit", "sarif"] {
            let told =
                trusting.run("gate-check", &["lint", "r.sarif", "--format", format], "alice", &elsewhere);
            assert_eq!(told.code, i32::from(level == "error"), "{format}");
            let out = told.out();
            assert!(out.contains("contradict each other"), "{format} {level}: {out}");
            assert!(told.stderr.contains("contradict each other"), "{format} {level}: {}", told.stderr);
        }
    }
}
