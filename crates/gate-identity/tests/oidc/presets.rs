//! A token of each system whose claims are known, as its maker documents them, and what it says in gate's words.
//!
//! Sources: Azure `DevOps`, "`OpenID` Connect in Azure Pipelines"; Buildkite, "OIDC with Buildkite"; `CircleCI`, "Using
//! `OpenID` Connect tokens in jobs"; Atlassian, "Integrate Pipelines with resource servers using OIDC"; the page of
//! Jenkins' plugin oidc-provider; Google, "Verifying the identity of instances"; AWS, "Outbound identity federation". GitHub and GitLab
//! stand in `main.rs`.

use std::collections::BTreeMap;

use gate_identity::oidc::{Claims, Issuer, OidcError, verify};
use gate_model::issuer::{Mapping, Preset};
use serde_json::{Value, json};

use crate::issuer::{Signer, jwks};
use crate::{ES256, NOW, now};

const COMMIT: &str = "0123456789012345678901234567890123456789";

/// What the token of `issuer` with these claims says; `preset` where the address does not tell whose it is.
fn said(issuer: &str, preset: Option<Preset>, mut claims: Value) -> Result<Claims, OidcError> {
    let signer = Signer::p256();
    let (set, none) = (jwks(&[signer.jwk("k1")]), BTreeMap::new());
    for (name, value) in [("iss", json!(issuer)), ("aud", json!("gate")), ("jti", json!("b0e"))] {
        claims[name] = value;
    }
    for (name, at) in [("nbf", NOW - 10), ("iat", NOW - 10), ("exp", NOW + 600)] {
        claims[name] = json!(at);
    }
    let map = preset.map(Mapping::Preset);
    let pin = Issuer { issuer, audience: "gate", jwks_text: &set, claims: &none, map: map.as_ref() };
    verify(&signer.token(ES256, &claims.to_string()), &[pin], now())
}

/// Who, repository, ref, commit, run and environment; `-` for what is not said.
fn in_words(claims: &Claims) -> [&str; 6] {
    fn or(text: Option<&String>) -> &str {
        text.map_or("-", String::as_str)
    }
    let run = claims.run.as_ref().map(|run| &run.id);
    let [repository, git_ref, commit, environment] =
        [&claims.repository, &claims.git_ref, &claims.commit, &claims.environment]
            .map(Option::as_ref)
            .map(or);
    [&claims.principal.id, repository, git_ref, commit, or(run), environment]
}

#[test]
fn azure_names_the_pipeline_the_repository_and_the_run() {
    let claims = json!({
        "sub": "p://acme/pay/deploy", "org_id": "5f", "prj_id": "9c", "def_id": "17", "run_id": "512", "job_id": "a1",
        "rpo_id": "4b", "rpo_uri": "https://dev.azure.com/acme/pay/_git/pay", "rpo_ver": COMMIT,
        "rpo_ref": "refs/heads/main",
    });
    let claims = said("https://vstoken.dev.azure.com/5f", None, claims).unwrap();
    let expected = [
        "azure:p://acme/pay/deploy",
        "dev.azure.com/acme/pay/_git/pay",
        "refs/heads/main",
        COMMIT,
        "512",
        "-",
    ];
    assert_eq!(in_words(&claims), expected);
}

#[test]
fn buildkite_names_the_pipeline_and_the_commit_and_no_branch() {
    let claims = json!({
        "sub": "organization:acme:pipeline:pay:ref:refs/heads/main:commit:0123:step:lint", "organization_slug": "acme",
        "pipeline_slug": "pay", "build_number": 8, "build_branch": "main", "build_tag": null, "build_commit": COMMIT,
        "step_key": "lint", "job_id": "0184990a", "agent_id": "0184990b", "organization_id": "0184990c",
    });
    let claims = said("https://agent.buildkite.com", None, claims).unwrap();
    assert_eq!(in_words(&claims), ["buildkite:acme/pay", "-", "-", COMMIT, "-", "-"]);
}

#[test]
fn circleci_names_a_person_who_is_the_same_on_every_branch() {
    let person = "org/5f0/project/9c1/user/4b2";
    let token = |sub: &str, git_ref: &str| {
        let claims = json!({
            "sub": sub, "oidc.circleci.com/project-id": "9c1", "oidc.circleci.com/context-ids": ["a7"],
            "oidc.circleci.com/vcs-origin": "github.com/acme/pay", "oidc.circleci.com/vcs-ref": git_ref,
            "oidc.circleci.com/ssh-rerun": false,
        });
        said("https://oidc.circleci.com/org/5f0", None, claims).unwrap()
    };
    let id = format!("circleci:{person}");
    let one = token(person, "refs/heads/main");
    assert_eq!(in_words(&one), [&*id, "github.com/acme/pay", "refs/heads/main", "-", "-", "-"]);
    // The second kind of token says in its subject what it is for, too.
    for branch in ["main", "feature", "x/vcs-origin/y/user/4b3"] {
        let git_ref = format!("refs/heads/{branch}");
        let sub = format!("{person}/vcs-origin/github.com/acme/pay/vcs-ref/{git_ref}");
        let claims = token(&sub, &git_ref);
        assert_eq!(in_words(&claims), [&*id, "github.com/acme/pay", &git_ref, "-", "-", "-"]);
        assert_eq!(claims.actor, person);
    }
    let fork = token(person, "refs/heads/pull/7");
    assert_eq!((fork.git_ref.as_deref(), fork.of_change), (Some("refs/pull/7/head"), true));
}

#[test]
fn bitbucket_names_the_repository_by_its_id_and_no_branch() {
    let claims = json!({
        "sub": "{9c1}:{4b2}", "repositoryUuid": "{9c1}", "stepUuid": "{4b2}", "pipelineUuid": "{77a}",
        "workspaceUuid": "{5f0}", "branchName": "main", "deploymentEnvironmentUuid": "{e1}",
        "pullRequestId": null,
    });
    let issuer = "https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc";
    assert_eq!(in_words(&said(issuer, None, claims).unwrap()), ["bitbucket:{9c1}", "-", "-", "-", "-", "-"]);
}

#[test]
fn jenkins_names_its_job() {
    let job = "https://ci.example.com/job/payments/job/main/";
    let claims = json!({ "sub": job, "build_number": 12 });
    let claims = said("https://ci.example.com/oidc", Some(Preset::Jenkins), claims).unwrap();
    assert_eq!(claims.principal.id, format!("jenkins:{job}"));
}

#[test]
fn google_and_aws_name_a_service_account_and_a_role() {
    let claims = json!({
        "sub": "107517467455664443765", "azp": "107517467455664443765", "email": "ci@acme.iam.gserviceaccount.com",
        "email_verified": true, "google": {"compute_engine": {"project_id": "acme", "instance_name": "runner-1"}},
    });
    let claims = said("https://accounts.google.com", None, claims).unwrap();
    assert_eq!(claims.principal.id, "google:ci@acme.iam.gserviceaccount.com");

    let role = "arn:aws:iam::123456789012:role/pipeline";
    let claims = json!({
        "sub": role, "https://sts.amazonaws.com/": {"aws_account": "123456789012", "principal_id": role},
    });
    let claims = said("https://a1b2c3.tokens.sts.global.api.aws", None, claims).unwrap();
    assert_eq!(claims.principal.id, format!("aws:{role}"));
}

#[test]
fn a_token_that_lacks_what_names_somebody_is_refused() {
    let issuers = [
        ("https://agent.buildkite.com", json!({"sub": "x", "organization_slug": "acme"})),
        ("https://accounts.google.com", json!({"sub": "x"})),
        ("https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc", json!({"sub": "x"})),
    ];
    for (issuer, claims) in issuers {
        assert!(said(issuer, None, claims).is_err(), "{issuer}");
    }
}
