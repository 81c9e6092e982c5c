//! `[identity]` and `[[identity.oidc]]`.

use std::collections::BTreeMap;

use super::reader::Reader;
use super::table::Table;
use crate::policy::{IdentitySettings, OidcIssuer};

pub(super) fn settings(reader: &mut Reader<'_>, mut table: Table<'_>) -> IdentitySettings {
    let allowed_signers = table.path(reader, "allowed_signers");
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

fn issuer(reader: &mut Reader<'_>, mut table: Table<'_>) -> Option<OidcIssuer> {
    let issuer = table.checked(reader, "issuer", is_issuer);
    let audience = table.string(reader, "audience");
    let jwks = table.path(reader, "jwks");
    let claims =
        table.table(reader, "claims").map(|claims| required_claims(reader, &claims)).unwrap_or_default();
    for (key, example) in [
        ("issuer", "issuer = \"https://token.actions.githubusercontent.com\""),
        ("audience", "audience = \"gate\""),
        ("jwks", "jwks = \".gate/jwks/github.json\", the issuer's published keys"),
    ] {
        if table.get(key).is_none() {
            table.missing(reader, key, "missing-key", format!("write {example}"));
        }
    }
    table.finish(reader);
    Some(OidcIssuer { issuer: issuer?, audience: audience?, jwks: jwks?, claims })
}

fn is_issuer(issuer: &str) -> Result<(), (&'static str, &'static str)> {
    let https = issuer.strip_prefix("https://").is_some_and(|rest| !rest.is_empty());
    if https && !issuer.contains(char::is_whitespace) {
        return Ok(());
    }
    Err(("is no issuer", "write it as the token's iss has it, as in https://gitlab.example.com"))
}

fn required_claims(reader: &mut Reader<'_>, table: &Table<'_>) -> BTreeMap<String, String> {
    let mut claims = BTreeMap::new();
    for (name, _, value) in table.entries() {
        if let Some(text) = reader.string(&value) {
            claims.insert(name.to_owned(), text);
        }
    }
    claims
}
