//! What the claims of a verified token say, in gate's words.
//!
//! GitHub Actions (the reference of its OIDC token's claims) and GitLab CI ("ID token
//! authentication", token payload). The provider follows from the claims' names. Both names may also come
//! from a server of one's own; whoever pins two issuers of one kind shares the names `github:…` or
//! `gitlab:…` among them, and [`gate_model::principal::Principal::issuer`] tells them apart.

use gate_model::principal::{Assurance, Principal};

use super::error::OidcError;
use super::members::Members;
use super::{Claims, inert};

/// GitHub's own host for tokens; repositories of its tokens are on github.com.
const GITHUB_ISSUER_HOST: &str = "token.actions.githubusercontent.com";

/// The provider's part of the claims.
pub(super) fn read(issuer: &str, members: &Members<'_>) -> Result<Claims, OidcError> {
    let has = |name: &str| members.object.contains_key(name);
    if has("project_path") && has("user_login") {
        gitlab(issuer, members)
    } else if has("repository") && has("actor") {
        github(issuer, members)
    } else {
        Err(OidcError::Provider(inert(issuer)))
    }
}

fn github(issuer: &str, members: &Members<'_>) -> Result<Claims, OidcError> {
    let host = match host_of(issuer) {
        GITHUB_ISSUER_HOST => "github.com",
        // GitHub Enterprise Cloud with data residency issues from token.actions.SUBDOMAIN.ghe.com.
        other => other.strip_prefix("token.actions.").unwrap_or(other),
    };
    let actor = members.required_text("actor")?;
    let run = members.id("run_id")?;
    let attempt = members.id("run_attempt")?;
    Ok(Claims {
        principal: principal("github", actor, issuer),
        repository: Some(format!("{host}/{}", members.required_text("repository")?)),
        git_ref: owned(members.text("ref")?),
        commit: owned(members.text("sha")?),
        run: match (run, attempt) {
            (Some(run), Some(attempt)) => Some(format!("{run}.{attempt}")),
            (run, _) => run,
        },
        job: members.id("job_workflow_ref")?,
        event: owned(members.text("event_name")?),
        actor: actor.to_owned(),
        ..common(issuer, members)?
    })
}

fn gitlab(issuer: &str, members: &Members<'_>) -> Result<Claims, OidcError> {
    let actor = members.required_text("user_login")?;
    Ok(Claims {
        principal: principal("gitlab", actor, issuer),
        repository: Some(format!("{}/{}", host_of(issuer), members.required_text("project_path")?)),
        git_ref: gitlab_ref(members)?,
        commit: owned(members.text("sha")?),
        run: members.id("pipeline_id")?,
        job: members.id("job_id")?,
        event: owned(members.text("pipeline_source")?),
        actor: actor.to_owned(),
        ..common(issuer, members)?
    })
}

/// The ref's full name. `ref` is a short name and `ref_type` says of what; newer servers add `ref_path`.
fn gitlab_ref(members: &Members<'_>) -> Result<Option<String>, OidcError> {
    if let Some(path) = members.text("ref_path")? {
        return Ok(Some(path.to_owned()));
    }
    Ok(match (members.text("ref_type")?, members.text("ref")?) {
        (Some("branch"), Some(name)) => Some(format!("refs/heads/{name}")),
        (Some("tag"), Some(name)) => Some(format!("refs/tags/{name}")),
        _ => None,
    })
}

/// What both providers write alike.
fn common(issuer: &str, members: &Members<'_>) -> Result<Claims, OidcError> {
    let issued_at = members.required_instant("iat")?;
    Ok(Claims {
        issuer: issuer.to_owned(),
        subject: members.required_text("sub")?.to_owned(),
        principal: principal("", "", issuer),
        actor: String::new(),
        repository: None,
        git_ref: None,
        commit: None,
        environment: owned(members.text("environment")?),
        run: None,
        job: None,
        event: None,
        token_id: owned(members.text("jti")?),
        issued_at,
        expires: members.required_instant("exp")?,
    })
}

fn principal(via: &str, name: &str, issuer: &str) -> Principal {
    Principal {
        id: format!("{via}:{name}"),
        assurance: Assurance::Oidc,
        via: via.to_owned(),
        key: None,
        issuer: Some(issuer.to_owned()),
    }
}

/// The host (and port) of an issuer's URL.
fn host_of(issuer: &str) -> &str {
    let after = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    after.split('/').next().unwrap_or(after)
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}
