//! Ignore files in TOML.

use serde::Deserialize;
use toml::Spanned;

use super::Entry;
use super::entry::{Found, instant};

#[derive(Deserialize)]
struct Osv {
    #[serde(rename = "IgnoredVulns", default)]
    ignored: Vec<Ignored>,
    #[serde(rename = "PackageOverrides", default)]
    overrides: Vec<Override>,
}

#[derive(Deserialize)]
struct Ignored {
    id: Spanned<String>,
    #[serde(rename = "ignoreUntil")]
    until: Option<toml::value::Datetime>,
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Override {
    name: Option<Spanned<String>>,
    #[serde(default)]
    ignore: bool,
    vulnerability: Option<Vulnerability>,
}

#[derive(Deserialize)]
struct Vulnerability {
    #[serde(default)]
    ignore: bool,
}

/// The configuration of OSV-Scanner.
pub(super) fn osv(text: &str) -> Result<Found, String> {
    let read: Osv = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut found = Found::default();
    for one in read.ignored {
        let line = line(text, &one.id);
        let ends = one.until.map(|until| until.to_string());
        match ends.as_deref().map(instant) {
            Some(None) => found.refuse(line, one.id.into_inner(), "its ignoreUntil is no date"),
            ends => found.entries.push(Entry {
                line,
                rules: vec![one.id.into_inner()],
                reason: one.reason,
                ends: ends.flatten(),
                ..Entry::default()
            }),
        }
    }
    for one in read.overrides {
        if one.ignore || one.vulnerability.is_some_and(|vulnerability| vulnerability.ignore) {
            let line = one.name.as_ref().map_or(0, |name| line(text, name));
            let name = one.name.map(Spanned::into_inner).unwrap_or_default();
            found.refuse(line, name, "it ignores all of a package; a waiver names each vulnerability");
        }
    }
    Ok(found)
}

#[derive(Deserialize)]
struct Checks {
    advisories: Option<Advisories>,
}

#[derive(Deserialize)]
struct Advisories {
    #[serde(default)]
    ignore: Vec<Spanned<Advisory>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Advisory {
    Id(String),
    Explained { id: String, reason: Option<String> },
    Other(toml::Value),
}

/// The configuration of cargo-deny or cargo-audit.
pub(super) fn advisories(text: &str) -> Result<Found, String> {
    let read: Checks = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut found = Found::default();
    for one in read.advisories.into_iter().flat_map(|advisories| advisories.ignore) {
        let line = line(text, &one);
        let (id, reason) = match one.into_inner() {
            Advisory::Id(id) => (id, None),
            Advisory::Explained { id, reason } => (id, reason),
            Advisory::Other(other) => {
                found.refuse(line, other.to_string(), "it names no advisory");
                continue;
            }
        };
        found.entries.push(Entry { line, rules: vec![id], reason, ..Entry::default() });
    }
    Ok(found)
}

/// The line of a value, from 1.
fn line<T>(text: &str, value: &Spanned<T>) -> usize {
    1 + text.bytes().take(value.span().start).filter(|byte| *byte == b'\n').count()
}
