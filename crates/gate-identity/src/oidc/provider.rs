//! What the claims of a verified token say, in gate's words.
//!
//! GitHub Actions (the reference of its OIDC token's claims) and GitLab CI ("ID token authentication", token
//! payload) say more than a table of names can, since the ref of a change has several names; the others are read by a
//! [`ClaimMap`]. Which of them it is follows from the policy, else from the issuer's address, else from the claims'
//! names. Whoever pins two issuers of one kind shares the names `github:…` or `gitlab:…` among them, and
//! [`gate_model::principal::Principal::issuer`] tells them apart.
//!
//! Invariant: no branch is ever taken from a token of a change, since a fork may call its branch `main`.

use gate_model::context::{Run, change_of, is_change_number};
use gate_model::issuer::{self, ClaimMap, Mapping, Preset};
use gate_model::principal::{Assurance, Principal};
use gate_model::repository::remote_name;
use gate_model::text::unfit_in_name;

use super::error::OidcError;
use super::members::Members;
use super::{Claims, Issuer, inert};
use crate::ci::{GITHUB_SERVICES, is_unattended, queued};

/// GitHub's own host for tokens; repositories of its tokens are on github.com.
const GITHUB_ISSUER_HOST: &str = "token.actions.githubusercontent.com";

/// The provider's part of the claims.
pub(super) fn read(issuer: &Issuer<'_>, members: &Members<'_>) -> Result<Claims, OidcError> {
    let known = Preset::of(issuer.issuer).map(Mapping::Preset);
    let has = |name: &str| members.object.contains_key(name);
    match issuer.map.cloned().or(known) {
        Some(Mapping::Preset(Preset::Github)) => github(issuer.issuer, members),
        Some(Mapping::Preset(Preset::Gitlab)) => gitlab(issuer.issuer, members),
        Some(Mapping::Preset(Preset::Circleci)) => circleci(issuer.issuer, members),
        Some(Mapping::Preset(preset)) => mapped(issuer.issuer, &preset.map(), members),
        Some(Mapping::Claims(map)) => mapped(issuer.issuer, &map, members),
        None if has("project_path") && has("user_login") => gitlab(issuer.issuer, members),
        None if has("repository") && has("actor") => github(issuer.issuer, members),
        None => Err(OidcError::Provider(inert(issuer.issuer))),
    }
}

fn github(issuer: &str, members: &Members<'_>) -> Result<Claims, OidcError> {
    let host = match host_of(issuer) {
        GITHUB_ISSUER_HOST => "github.com",
        other => other.strip_prefix("token.actions.").unwrap_or(other),
    };
    let actor = members.required_text("actor")?;
    let event = members.text("event_name")?;
    let attempt = members.id("run_attempt")?.and_then(|attempt| attempt.parse().ok());
    let run = members.id("run_id")?.map(|id| Run { id, attempt, url: None });
    let git_ref = members.text("ref")?;
    // What a change starts with the target's code has the target's ref, and a queue's entry one of its own.
    let beside = matches!(event, Some("pull_request_target" | "workflow_run"));
    let entry = git_ref.filter(|_| event == Some("merge_group"));
    let own = git_ref.and_then(change_of);
    Ok(Claims {
        principal: attended("github", actor, issuer, event)?,
        repository: Some(format!("{host}/{}", members.required_text("repository")?)),
        git_ref: own
            .map(|number| format!("refs/pull/{number}/head"))
            .or_else(|| owned(git_ref))
            .filter(|_| !beside),
        change: owned(entry.and_then(queued).or(own)),
        of_change: beside || entry.is_some() || own.is_some(),
        commit: owned(members.text("sha")?),
        run,
        job: members.id("job_workflow_ref")?,
        event: owned(event),
        actor: actor.to_owned(),
        ..common(issuer, members)?
    })
}

fn gitlab(issuer: &str, members: &Members<'_>) -> Result<Claims, OidcError> {
    let actor = members.required_text("user_login")?;
    // Of a fork's merge request `project_path` is the fork, and the job runs in `job_project_path`.
    let project = match members.text("job_project_path")? {
        Some(project) => project,
        None => members.required_text("project_path")?,
    };
    let event = members.text("pipeline_source")?;
    let named = gitlab_ref(members)?;
    let change = named.as_deref().and_then(change_of).map(str::to_owned);
    let of_change = event == Some("merge_request_event") || change.is_some();
    let source = named.as_deref().filter(|_| of_change).and_then(|name| name.strip_prefix("refs/heads/"));
    Ok(Claims {
        principal: attended("gitlab", actor, issuer, event)?,
        repository: Some(format!("{}/{project}", host_of(issuer))),
        source_branch: owned(source),
        git_ref: match &change {
            Some(number) => Some(format!("refs/merge-requests/{number}/head")),
            None => named.clone().filter(|_| !of_change),
        },
        change,
        of_change,
        commit: owned(members.text("sha")?),
        run: members.id("pipeline_id")?.map(run),
        job: members.id("job_id")?,
        event: owned(event),
        actor: actor.to_owned(),
        ..common(issuer, members)?
    })
}

/// The ref's full name. `ref` is a short name and `ref_type` says of what; newer servers add `ref_path`. In the
/// pipelines of a merge request it is the source branch.
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

/// Who acts, unless nobody started the run: then the token's name is that of whoever wrote the schedule.
fn attended(via: &str, actor: &str, issuer: &str, event: Option<&str>) -> Result<Principal, OidcError> {
    let somebody = principal(via, actor, issuer)?;
    let is_service = GITHUB_SERVICES.contains(&actor) || event.is_some_and(is_unattended);
    Ok(if is_service { Principal::nobody(via) } else { somebody })
}

fn mapped(issuer: &str, map: &ClaimMap, members: &Members<'_>) -> Result<Claims, OidcError> {
    let optional = |name: &Option<String>| match name {
        Some(name) => members.id(name),
        None => Ok(None),
    };
    let parts: Vec<&str> =
        map.subject.iter().map(|name| members.required_text(name)).collect::<Result<_, _>>()?;
    let subject = parts.join("/");
    let git_ref =
        optional(&map.git_ref)?.filter(|name| name.starts_with("refs/")).map(|name| whole_ref(&name));
    let change = git_ref.as_deref().and_then(change_of).map(str::to_owned);
    Ok(Claims {
        principal: principal(&map.via, &subject, issuer)?,
        repository: optional(&map.repository)?.and_then(|place| repository(&place)),
        of_change: change.is_some(),
        git_ref,
        change,
        commit: optional(&map.commit)?,
        environment: optional(&map.environment)?,
        run: optional(&map.run)?.map(run),
        actor: subject,
        ..common(issuer, members)?
    })
}

/// The second kind of its tokens goes on in `sub` with what the run is for: somebody would be another one on each branch.
fn circleci(issuer: &str, members: &Members<'_>) -> Result<Claims, OidcError> {
    let claims = mapped(issuer, &Preset::Circleci.map(), members)?;
    let person = claims.actor.split("/vcs-origin/").next().unwrap_or_default().to_owned();
    Ok(Claims { principal: principal("circleci", &person, issuer)?, actor: person, ..claims })
}

/// `CircleCI` calls the branch of a fork's pull request `pull/7`.
fn whole_ref(name: &str) -> String {
    let number = name.strip_prefix("refs/heads/pull/").filter(|number| is_change_number(number));
    number.map_or_else(|| name.to_owned(), |number| format!("refs/pull/{number}/head"))
}

/// An address, or `host/path`.
fn repository(place: &str) -> Option<String> {
    let address = place.contains("://") || place.contains('@');
    if address { remote_name(place) } else { remote_name(&format!("https://{place}")) }
}

const fn run(id: String) -> Run {
    Run { id, attempt: None, url: None }
}

/// What all write alike.
fn common(issuer: &str, members: &Members<'_>) -> Result<Claims, OidcError> {
    let issued_at = members.required_instant("iat")?;
    Ok(Claims {
        issuer: issuer.to_owned(),
        subject: name("sub", members.required_text("sub")?)?.to_owned(),
        principal: principal("", "", issuer)?,
        actor: String::new(),
        repository: None,
        git_ref: None,
        change: None,
        of_change: false,
        source_branch: None,
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

fn principal(via: &str, called: &str, issuer: &str) -> Result<Principal, OidcError> {
    Ok(Principal {
        id: format!("{via}:{}", name("name for its holder", called)?),
        assurance: Assurance::Oidc,
        via: via.to_owned(),
        key: None,
        issuer: Some(issuer.to_owned()),
    })
}

/// What somebody is called, if all of it can be seen.
fn name<'a>(claim: &'static str, name: &'a str) -> Result<&'a str, OidcError> {
    match unfit_in_name(name) {
        Some(c) => Err(OidcError::Name { claim, point: u32::from(c) }),
        None => Ok(name),
    }
}

/// The host (and port) of an issuer's address.
fn host_of(issuer: &str) -> &str {
    issuer::split(issuer).0
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}
