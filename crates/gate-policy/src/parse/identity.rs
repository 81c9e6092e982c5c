//! `[identity]` and `[[identity.oidc]]`.

use std::collections::BTreeMap;

use gate_model::issuer::{ClaimMap, Mapping, Preset, binds};

use super::reader::{Reader, Value};
use super::table::Table;
use crate::policy::{IdentitySettings, OidcIssuer};

pub(super) fn settings(reader: &mut Reader<'_>, mut table: Table<'_>) -> IdentitySettings {
    let allowed_signers = table.trusted(reader, "allowed_signers");
    let mut oidc: Vec<OidcIssuer> = Vec::new();
    for entry in table.tables(reader, "oidc") {
        let span = entry.span.clone();
        let Some(found) = issuer(reader, entry) else { continue };
        if oidc.iter().any(|known| known.issuer == found.issuer && known.audience == found.audience) {
            let message = format!("the issuer '{}' is listed twice for one audience", found.issuer);
            reader.error(span, "duplicate-issuer", message).remedy("take one of them out");
        } else {
            oidc.push(found);
        }
    }
    table.finish(reader);
    IdentitySettings { allowed_signers, oidc }
}

/// What is missing where nothing says whose tokens count.
const BIND: &str = "whose tokens count: claims = { repository_owner_id = \"123\" } for GitHub, \
    { project_id = \"123\" } or { namespace_id = \"123\" } for GitLab; gate-policy(5) lists others";

fn issuer(reader: &mut Reader<'_>, mut table: Table<'_>) -> Option<OidcIssuer> {
    let issuer = table.checked(reader, "issuer", is_issuer);
    let audience = table.string(reader, "audience");
    let jwks = table.trusted(reader, "jwks");
    let map = table.get("map").map(|value| mapping(reader, &value));
    let repository = match &map {
        Some(Some(Mapping::Claims(map))) => map.repository.as_deref(),
        _ => None,
    };
    let claims = table.table(reader, "claims").map(|claims| required_claims(reader, &claims, repository));
    for (key, example) in [
        ("issuer", "issuer = \"https://token.actions.githubusercontent.com\""),
        ("audience", "audience = \"gate\""),
        ("jwks", "jwks = \".gate/jwks/github.json\", the issuer's published keys"),
        ("claims", BIND),
    ] {
        if table.get(key).is_none() {
            table.missing(reader, key, "missing-key", format!("write {example}"));
        }
    }
    table.finish(reader);
    let span = table.span.clone();
    Some(OidcIssuer {
        issuer: issuer?,
        audience: audience?,
        jwks: jwks?,
        claims: claims?,
        map: map.unwrap_or_default(),
        span,
    })
}

fn is_issuer(issuer: &str) -> Result<(), (&'static str, &'static str)> {
    let https = issuer.strip_prefix("https://").is_some_and(|rest| !rest.is_empty());
    if https && !issuer.contains(char::is_whitespace) {
        return Ok(());
    }
    Err(("is no issuer", "write it as the token's iss has it, as in https://gitlab.example.com"))
}

/// The claims, each with the values that count. An issuer signs tokens for whoever runs jobs there, so that one
/// of the claims must say whose place a token comes from.
fn required_claims(
    reader: &mut Reader<'_>,
    table: &Table<'_>,
    repository: Option<&str>,
) -> BTreeMap<String, Vec<String>> {
    let mut claims = BTreeMap::new();
    let mut complete = true;
    for (name, _, value) in table.entries() {
        let values = values(reader, &value);
        complete &= !values.is_empty();
        claims.insert(name.to_owned(), values);
    }
    let is_bound = |(claim, values): (&String, &Vec<String>)| {
        repository == Some(claim) || values.iter().all(|value| binds(claim, value))
    };
    if complete && !claims.iter().any(is_bound) {
        let message = format!("'{}' names no repository, owner or project", table.place);
        reader.error(table.span.clone(), "unbound-issuer", message).remedy(format!("say {BIND}"));
    }
    claims
}

/// `map`: the name of a known system, or a table that says which claim is what.
fn mapping(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Mapping> {
    if value.value.get_ref().as_table().is_none() {
        let word = reader.word(value, &Preset::ALL.map(|preset| (preset.as_str(), preset)));
        return word.map(Mapping::Preset);
    }
    let mut table = reader.table(value)?;
    let subject = table.get("subject").map(|value| values(reader, &value)).unwrap_or_default();
    if table.get("subject").is_none() {
        table.missing(reader, "subject", "missing-key", "say which claim names who acts: subject = \"sub\"");
    }
    let map = ClaimMap {
        via: table.checked(reader, "via", is_via).unwrap_or_else(|| "oidc".to_owned()),
        subject,
        repository: table.string(reader, "repository"),
        git_ref: table.string(reader, "ref"),
        commit: table.string(reader, "commit"),
        environment: table.string(reader, "environment"),
        run: table.string(reader, "run"),
    };
    table.finish(reader);
    Some(Mapping::Claims(map))
}

/// What may stand in front of ids: nothing that another kind of identity has.
fn is_via(via: &str) -> Result<(), (&'static str, &'static str)> {
    let plain = via.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if plain && !["os", "ssh", "group", "custom", "ci"].contains(&via) {
        return Ok(());
    }
    Err(("cannot stand in front of ids", "write a word of small letters such as \"acme-ci\""))
}

/// One text, or a list of them.
fn values(reader: &mut Reader<'_>, value: &Value<'_>) -> Vec<String> {
    if value.value.get_ref().as_array().is_some() {
        reader.each(value, literal)
    } else {
        literal(reader, value).into_iter().collect()
    }
}

/// Values are compared as they are. Whoever writes a pattern means something else, and no token would count.
fn literal(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<String> {
    let text = reader.string(value)?;
    if text.contains('*') {
        let message = format!("'{}' is a pattern, and claims are compared literally", value.place);
        reader.error(value.span(), "bad-value", message).remedy("list the values, or bind the owner by id");
        return None;
    }
    Some(text)
}
