//! CI tokens: real claims of GitHub Actions and GitLab CI, keys made at test time, and every attack by name.

#![allow(clippy::disallowed_methods, reason = "a test may start programs")]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a failing test explains itself by panicking")]

mod issuer;
mod presets;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use std::collections::BTreeMap;

use gate_identity::oidc::{Claims, Issuer, OidcError, verify};
use gate_model::principal::Assurance;
use gate_model::time::Timestamp;
use issuer::{Signer, github, gitlab, jwks, with};
use ring::signature::{
    ECDSA_P384_SHA384_FIXED_SIGNING, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding,
};
use serde_json::{Value, json};

const GITHUB: &str = "https://token.actions.githubusercontent.com";
const GITLAB: &str = "https://gitlab.example.com";

/// 2026-06-01T12:00:00Z.
const NOW: i64 = 1_780_315_200;

fn now() -> Timestamp {
    Timestamp::parse("2026-06-01T12:00:00Z").unwrap()
}

const ES256: &str = r#"{"alg":"ES256","typ":"JWT","kid":"k1"}"#;

fn judge(token: &str, jwks_text: &str, required: &[(&str, &str)]) -> Result<Claims, OidcError> {
    let claims: BTreeMap<String, Vec<String>> = required
        .iter()
        .map(|(name, values)| ((*name).to_owned(), values.split('|').map(str::to_owned).collect()))
        .collect();
    let pin = |issuer| Issuer { issuer, audience: "gate", jwks_text, claims: &claims, map: None };
    let result = verify(token, &[pin(GITLAB), pin(GITHUB)], now());
    if let Err(error) = &result {
        assert_does_not_leak(token, &format!("{error}\n{error:?}"));
    }
    result
}

fn run_of(claims: &Claims) -> Option<(&str, Option<u64>)> {
    claims.run.as_ref().map(|run| (run.id.as_str(), run.attempt))
}

/// No part of the token may stand in a message.
fn assert_does_not_leak(token: &str, message: &str) {
    for part in token.split('.').filter(|part| part.len() > 20) {
        assert!(!message.contains(part) && !message.contains(&part[..20]), "{message}");
    }
}

fn refused(token: &str, jwks_text: &str) -> String {
    judge(token, jwks_text, &[]).unwrap_err().to_string()
}

#[test]
fn a_token_of_github_actions_becomes_a_principal_and_a_context() {
    let signer = Signer::p256();
    let required =
        [("repository", "example/payments"), ("environment", "production"), ("ref", "refs/heads/main")];
    let claims =
        judge(&signer.token(ES256, &github().to_string()), &jwks(&[signer.jwk("k1")]), &required).unwrap();
    assert_eq!((claims.principal.id.as_str(), claims.principal.assurance), ("github:carol", Assurance::Oidc));
    assert_eq!((claims.principal.via.as_str(), claims.principal.issuer.as_deref()), ("github", Some(GITHUB)));
    assert_eq!(claims.repository.as_deref(), Some("github.com/example/payments"));
    assert_eq!((run_of(&claims), claims.event.as_deref()), (Some(("987654", Some(2))), Some("push")));
    let context = claims.context();
    assert_eq!(context.git_ref.as_deref(), Some("refs/heads/main"));
    assert_eq!(
        (context.environment.as_deref(), context.assurance),
        (Some("production"), Some(Assurance::Oidc))
    );
    assert_eq!(claims.expires.to_string(), "2026-06-01T12:04:50.000000Z");
}

#[test]
fn a_token_of_gitlab_becomes_a_principal_and_a_context() {
    let signer = Signer::p256();
    let claims = judge(&signer.token(ES256, &gitlab().to_string()), &jwks(&[signer.jwk("k1")]), &[]).unwrap();
    assert_eq!(claims.principal.id, "gitlab:dave");
    assert_eq!(claims.repository.as_deref(), Some("gitlab.example.com/group/sub/app"));
    assert_eq!((claims.git_ref.as_deref(), claims.environment.as_deref()), (Some("refs/tags/v1"), None));
    assert_eq!((run_of(&claims), claims.job.as_deref()), (Some(("574", None)), Some("302")));
    let merge = with(gitlab(), &json!({"ref_path": "refs/merge-requests/1/head", "pipeline_id": 575}));
    let claims = judge(&signer.token(ES256, &merge), &jwks(&[signer.jwk("k1")]), &[]).unwrap();
    assert_eq!(claims.git_ref.as_deref(), Some("refs/merge-requests/1/head"));
    assert_eq!(run_of(&claims), Some(("575", None)));
    assert_eq!(claims.change.as_deref(), Some("1"));
}

#[test]
fn whoever_wrote_a_schedule_did_not_start_its_runs() {
    let signer = Signer::p256();
    for (claims, changes, somebody) in [
        (github(), json!({"event_name": "schedule"}), "github:carol"),
        (github(), json!({"actor": "github-actions[bot]"}), "github:carol"),
        (gitlab(), json!({"pipeline_source": "schedule"}), "gitlab:dave"),
        (gitlab(), json!({"pipeline_source": "trigger"}), "gitlab:dave"),
    ] {
        let principal = |claims: String| {
            judge(&signer.token(ES256, &claims), &jwks(&[signer.jwk("k1")]), &[]).unwrap().principal
        };
        assert_eq!(principal(claims.to_string()).id, somebody);
        let nobody = principal(with(claims, &changes));
        assert!(nobody.is_nobody() && nobody.assurance == Assurance::Asserted, "{nobody:?}");
    }
}

#[test]
fn every_listed_algorithm_verifies_with_its_own_kind_of_key_only() {
    let mut signers = vec![
        ("ES256", Signer::p256(), &RSA_PKCS1_SHA256 as &'static dyn RsaEncoding),
        ("ES384", Signer::ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"), &RSA_PKCS1_SHA256),
        ("EdDSA", Signer::ed25519(), &RSA_PKCS1_SHA256),
    ];
    for (name, encoding) in [
        ("RS256", &RSA_PKCS1_SHA256 as &'static dyn RsaEncoding),
        ("RS512", &RSA_PKCS1_SHA512),
        ("PS256", &RSA_PSS_SHA256),
    ] {
        signers.extend(Signer::rsa().map(|signer| (name, signer, encoding)));
    }
    for (name, signer, encoding) in &signers {
        let set = jwks(&[signer.jwk("k1")]);
        for (other, _, _) in &signers {
            let header = json!({"alg": other, "kid": "k1"}).to_string();
            let result = judge(&signer.token_with(&header, &github().to_string(), *encoding), &set, &[]);
            assert_eq!(result.is_ok(), name == other, "{name} under the name {other}: {result:?}");
        }
    }
}

#[test]
fn algorithms_off_the_list_are_refused_before_any_key_is_asked() {
    let signer = Signer::p256();
    let set = jwks(&[signer.jwk("k1")]);
    let with_alg = |alg: &str| {
        refused(&signer.token(&json!({"alg": alg, "kid": "k1"}).to_string(), &github().to_string()), &set)
    };
    for none in ["none", "None", "nOnE"] {
        assert!(with_alg(none).contains("is not signed"));
    }
    for hmac in ["HS256", "HS384", "hs512"] {
        assert!(with_alg(hmac).contains("shared secret"));
    }
    for other in ["ES512", "RS1", "RSA-OAEP", "es256", "ES256K"] {
        assert!(with_alg(other).contains("is not accepted"), "{other}");
    }
    assert!(with_alg("\u{1b}[31m").contains("'alg' is not text on one line"));
}

/// The public key as an HMAC secret (the oldest trick), and no signature at all.
#[test]
fn unsigned_and_edited_tokens_are_refused() {
    let signer = Signer::p256();
    let set = jwks(&[signer.jwk("k1")]);
    let token = signer.token(ES256, &github().to_string());
    let (body, _) = token.rsplit_once('.').unwrap();
    assert!(refused(&format!("{body}."), &set).contains("signature does not match"));
    let edited = signer.token(ES256, &with(github(), &json!({"actor": "mallory"})));
    let swapped = format!("{}.{}", edited.rsplit_once('.').unwrap().0, token.rsplit_once('.').unwrap().1);
    assert!(refused(&swapped, &set).contains("signature does not match"));
    let stranger = Signer::p256().token(ES256, &github().to_string());
    assert!(refused(&stranger, &set).contains("signature does not match"));
}

#[test]
fn each_malformed_token_has_its_own_message() {
    let signer = Signer::p256();
    let set = jwks(&[signer.jwk("k1")]);
    let good = github().to_string();
    let header = |text: &str| refused(&signer.token(text, &good), &set);
    let claims = |changes: Value| refused(&signer.token(ES256, &with(github(), &changes)), &set);
    assert!(refused("", &set).contains("three parts") && refused("a.b", &set).contains("three parts"));
    assert!(refused("a.b.c.d", &set).contains("three parts"));
    assert!(refused(&"x".repeat(20_000), &set).contains("20000 bytes long"));
    assert!(refused("e30=.e30.e30", &set).contains("header is not base64url"));
    assert!(header("[]").contains("not a JSON object") && header("{").contains("header: it is not JSON"));
    assert!(header(r#"{"alg":"none","alg":"ES256","kid":"k1"}"#).contains("stands twice"));
    assert!(header(r#"{"alg":"ES256"}"#).contains("header lacks 'kid'"));
    assert!(header(r#"{"kid":"k1"}"#).contains("header lacks 'alg'"));
    assert!(header(r#"{"alg":"ES256","kid":["k1"]}"#).contains("'kid' is not text"));
    assert!(header(r#"{"alg":"ES256","kid":"k1","crit":["exp"]}"#).contains("'crit'"));
    assert!(header(r#"{"alg":"ES256","kid":"k1","b64":false}"#).contains("'b64'"));
    assert!(
        header(r#"{"alg":"ES256","kid":"k9"}"#).contains("'k9'")
            && header(ES256.replace("k1", "").as_str()).contains("kid")
    );
    let twice = good.replacen('{', r#"{"actor":"mallory","#, 1);
    assert!(refused(&signer.token(ES256, &twice), &set).contains("stands twice"));
    for name in ["iss", "sub", "aud", "iat", "exp"] {
        assert!(claims(json!({ name: null })).contains(&format!("claims lacks '{name}'")), "{name}");
    }
    assert!(claims(json!({"iss": 7})).contains("'iss' is not text"));
    assert!(claims(json!({"aud": {"gate": 1}})).contains("'aud' is not text or a list"));
    assert!(claims(json!({"exp": "soon"})).contains("'exp' is not a time"));
    assert!(claims(json!({"exp": 1.5})).contains("'exp' is not a time"));
    assert!(claims(json!({"exp": 9_999_999_999_999_i64})).contains("'exp' is not a time"));
    assert!(claims(json!({"actor": "carol\u{1b}[2J"})).contains("'actor' is not text on one line"));
    assert!(claims(json!({"actor": "carol\nmallory"})).contains("'actor' is not text on one line"));
    for (name, words) in [("actor", "name for its holder holds U+202E"), ("sub", "sub holds U+202E")] {
        assert!(claims(json!({name: "\u{202e}lorac"})).contains(words), "{name}");
    }
    assert!(claims(json!({"actor": ""})).contains("lacks 'actor'"));
    assert!(claims(json!({"actor": null})).contains("lacks 'actor'"));
}

#[test]
fn issuer_and_audience_are_compared_byte_for_byte() {
    let signer = Signer::p256();
    let set = jwks(&[signer.jwk("k1")]);
    let claims = |changes: Value| refused(&signer.token(ES256, &with(github(), &changes)), &set);
    for issuer in [format!("{GITHUB}/"), GITHUB.to_uppercase(), GITHUB.replace("https", "http"), "x".into()] {
        assert!(claims(json!({ "iss": issuer })).contains("is not one that the policy pins"));
    }
    for audience in [json!("Gate"), json!("gate2"), json!([]), json!(["vault", "gate "])] {
        assert!(claims(json!({ "aud": audience })).contains("another audience than 'gate'"));
    }
}

#[test]
fn times_are_judged_at_the_second_with_a_minute_of_skew() {
    let signer = Signer::p256();
    let set = jwks(&[signer.jwk("k1")]);
    let verdict = |iat: i64, nbf: i64, exp: i64| {
        let changes = json!({"iat": NOW + iat, "nbf": NOW + nbf, "exp": NOW + exp});
        judge(&signer.token(ES256, &with(github(), &changes)), &set, &[])
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(verdict(-100, -100, -59), Ok(()));
    assert!(verdict(-100, -100, -60).unwrap_err().contains("expired at 2026-06-01T11:59:00"));
    assert_eq!(verdict(60, 60, 100), Ok(()));
    assert!(verdict(61, 0, 100).unwrap_err().contains("'iat' is 2026-06-01T12:01:01"));
    assert!(verdict(0, 61, 100).unwrap_err().contains("'nbf' is"));
    assert_eq!(verdict(0, 0, 86_400), Ok(()));
    assert!(verdict(0, 0, 86_401).unwrap_err().contains("made to live 86401 s"));
    assert!(verdict(50, 0, 50).unwrap_err().contains("made to live 0 s"));
    assert!(verdict(50, 0, -10).unwrap_err().contains("made to live -60 s"));
}

#[test]
fn required_claims_must_have_exactly_the_value() {
    let signer = Signer::p256();
    let set = jwks(&[signer.jwk("k1")]);
    let token =
        signer.token(ES256, &with(github(), &json!({"run_number": 10, "protected": true, "teams": ["a"]})));
    let verdict =
        |claim, value| judge(&token, &set, &[(claim, value)]).map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(verdict("run_number", "10"), Ok(()));
    assert_eq!(verdict("protected", "true"), Ok(()));
    assert!(
        verdict("repository", "example/*")
            .unwrap_err()
            .contains("'example/payments', and the policy requires")
    );
    assert!(verdict("repository", "Example/payments").is_err() && verdict("teams", "a").is_err());
    assert!(verdict("workflow", "ci").unwrap_err().contains("'workflow' is absent"));
    assert_eq!(verdict("run_number", "9|10"), Ok(()));
    assert!(verdict("run_number", "9|11").unwrap_err().contains("requires '9' or '11'"));
}

#[test]
fn a_claim_within_a_claim_is_named_by_a_pointer() {
    let signer = Signer::p256();
    let set = jwks(&[signer.jwk("k1")]);
    let nested =
        json!({"google": {"compute_engine": {"project_id": "pay"}}, "a/b": {"~": "x"}, "list": ["y"]});
    let token = signer.token(ES256, &with(github(), &nested));
    let holds = |claim, value| judge(&token, &set, &[(claim, value)]).is_ok();
    assert!(holds("/google/compute_engine/project_id", "pay") && holds("/a~1b/~0", "x"));
    for absent in
        ["/google/compute_engine", "/google/project_id", "/google.compute_engine.project_id", "/", "/list/0"]
    {
        assert!(!holds(absent, "pay") && !holds(absent, "y"), "{absent}");
    }
}

/// Under a key of small order one signature holds for every message that hashes to the right residue; with the neutral
/// element as key and nonce for every message at all.
#[test]
fn a_key_and_a_nonce_of_small_order_sign_nothing() {
    let neutral = [&[1], [0; 31].as_slice()].concat();
    let key = json!({"kty": "OKP", "crv": "Ed25519", "x": BASE64.encode(&neutral), "kid": "k1"});
    let signature = BASE64.encode([neutral.as_slice(), &[0; 32]].concat());
    for actor in ["alice", "mallory"] {
        let claims = BASE64.encode(with(github(), &json!({"actor": actor})));
        let token = format!("{}.{claims}.{signature}", BASE64.encode(r#"{"alg":"EdDSA","kid":"k1"}"#));
        assert!(refused(&token, &jwks(std::slice::from_ref(&key))).contains("signature does not match"));
    }
}

#[test]
fn key_sets_that_cannot_be_trusted_are_refused() {
    let (signer, other) = (Signer::p256(), Signer::p256());
    let token = signer.token(ES256, &github().to_string());
    let set = |change: Value| {
        let mut key = signer.jwk("k1");
        for (name, value) in change.as_object().unwrap() {
            key[name] = value.clone();
        }
        refused(&token, &jwks(&[key]))
    };
    assert!(
        refused(&token, &jwks(&[other.jwk("k1"), signer.jwk("k1")])).contains("two keys have the id 'k1'")
    );
    assert!(set(json!({"use": "enc"})).contains("is not for ES256"));
    assert!(set(json!({"alg": "ES384"})).contains("is not for ES256"));
    assert!(set(json!({"key_ops": ["sign"]})).contains("is not for ES256"));
    assert!(set(json!({"crv": "P-521"})).contains("is not among the pinned ones"));
    assert!(set(json!({"x": "AA"})).contains("key 1: its 'x'") && set(json!({"x": "!"})).contains("its 'x'"));
    assert!(set(json!({"d": "AA"})).contains("private or symmetric"));
    assert!(set(json!({"kty": "oct", "k": "AA"})).contains("private or symmetric"));
    assert!(set(json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"})).contains("RSA with 17 bits"));
    assert!(set(json!({"kid": 1})).contains("its 'kid'"));
    for text in ["", "[]", "{}", r#"{"keys":1}"#, r#"{"keys":[1]}"#, r#"{"keys":[],"keys":[]}"#] {
        assert!(refused(&token, text).contains("pinned keys of"), "{text}");
    }
    assert!(refused(&token, &" ".repeat(2_000_000)).contains("at most"));
    let with_unknown_kind = jwks(&[json!({"kty": "AKP", "kid": "pq", "alg": "ML-DSA-44"}), signer.jwk("k1")]);
    assert!(judge(&token, &with_unknown_kind, &[]).is_ok());
}

#[test]
fn one_of_several_entries_for_an_issuer_is_enough() {
    let signer = Signer::p256();
    let (set, none) = (jwks(&[signer.jwk("k1")]), BTreeMap::new());
    let pin = |audience| Issuer { issuer: GITHUB, audience, jwks_text: &set, claims: &none, map: None };
    let token = format!("{}\n", signer.token(ES256, &github().to_string()));
    assert!(verify(&token, &[pin("other"), pin("gate")], now()).is_ok());
    let first = verify(&token, &[pin("other"), pin("third")], now()).unwrap_err();
    assert!(matches!(first, OidcError::Audience(audience) if audience == "other"));
    assert!(matches!(verify(&token, &[], now()), Err(OidcError::Issuer(_))));
}
