//! From text to a checked [`Policy`].
//!
//! The whole text is read and every error is reported with its place, not just the first. TOML's own errors come
//! from the `toml` crate, whose parser recovers; what it recovered is still checked, but nothing is then reported
//! that may only be missing because of the broken line.

mod gates;
mod identity;
mod ledger;
mod people;
mod reader;
mod rule;
mod rule_shape;
mod table;
mod tests_table;
mod text;
mod who;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::de::DeTable;

use crate::diagnostic::{Diagnostic, Position};
use crate::policy::{Policy, Who};
use people::Names;
use reader::{Reader, Value};
use table::Table;
pub use text::{MAX_BYTES, decode};

/// The version of the policy's format that this build reads.
const VERSION: u64 = 1;
/// `warn_before` where the policy has none: three days reach over a weekend.
const WARN_BEFORE: u64 = 72 * 3600;

/// Parses the text of a `gate.toml`.
///
/// # Errors
/// Every error that could be found, in the order of their places. Warnings are [`crate::lint`]'s.
pub fn parse(text: &str) -> Result<Policy, Vec<Diagnostic>> {
    text::check(text).map_err(|diagnostic| vec![diagnostic])?;
    let (document, syntax) = DeTable::parse_recoverable(text);
    let syntax: Vec<Diagnostic> =
        syntax.iter().take(reader::MOST).map(|error| text::syntax(text, error)).collect();
    let mut reader = Reader::new(text);
    let policy = document_of(&mut reader, Table::root(&document));
    let diagnostics = in_order(syntax, reader.diagnostics);
    match policy {
        Some(policy) if diagnostics.is_empty() => Ok(policy),
        _ => Err(never_empty(text, diagnostics)),
    }
}

/// [`decode`] and [`parse`] in one.
///
/// # Errors
/// As theirs.
pub fn parse_bytes(bytes: &[u8]) -> Result<Policy, Vec<Diagnostic>> {
    decode(bytes).map_err(|diagnostic| vec![diagnostic]).and_then(parse)
}

/// Syntax errors, and of the others those that do not merely follow from a line that could not be read.
fn in_order(syntax: Vec<Diagnostic>, mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    if !syntax.is_empty() {
        let broken: BTreeSet<usize> =
            syntax.iter().take(reader::MOST).map(|diagnostic| diagnostic.line).collect();
        let absence = |code: &str| code.starts_with("missing-") || code.starts_with("undefined-");
        found.retain(|diagnostic| !absence(diagnostic.code) && !broken.contains(&diagnostic.line));
        found.extend(syntax);
    }
    found.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
    found.dedup();
    found
}

/// A policy that came to nothing must not look like one without errors.
fn never_empty(text: &str, mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    if diagnostics.is_empty() {
        diagnostics.push(Diagnostic::error(text, 0..0, "unreadable", "the policy could not be read"));
    }
    diagnostics
}

fn document_of(reader: &mut Reader<'_>, mut root: Table<'_>) -> Option<Policy> {
    if !version(reader, &mut root) {
        return None;
    }
    let ledger = root.table(reader, "ledger").map(|table| ledger::ledger(reader, table)).unwrap_or_default();
    let aliases = root.table(reader, "repository").map(|table| aliases(reader, table)).unwrap_or_default();
    let identity =
        root.table(reader, "identity").map(|table| identity::settings(reader, table)).unwrap_or_default();
    let people = root.table(reader, "people").map(|table| people::people(reader, &table)).unwrap_or_default();
    let groups = root.table(reader, "groups").map(|table| people::groups(reader, &table)).unwrap_or_default();
    let names = Names { groups: &groups.members };
    let (owners, warn_before) = root
        .table(reader, "policy")
        .map_or((Vec::new(), WARN_BEFORE), |table| settings(reader, table, names));
    let gates = match root.table(reader, "gates") {
        Some(table) => gates::gates(reader, &table, names),
        None => BTreeMap::new(),
    };
    gates::trailers(reader, &gates, &ledger, &identity);
    let tests = root.tables(reader, "test");
    root.finish(reader);
    let tests = tests_table::tests(reader, tests, &gates);
    let text = reader.text.to_owned();
    let (groups, group_spans) = (groups.members, groups.spans);
    Some(Policy {
        ledger,
        owners,
        warn_before,
        aliases,
        identity,
        people,
        groups,
        gates,
        tests,
        text,
        group_spans,
    })
}

/// Whether this build reads the policy's version. Where it does not, no other error would mean anything.
fn version(reader: &mut Reader<'_>, root: &mut Table<'_>) -> bool {
    let Some(value) = root.get("version") else {
        reader
            .error(0..0, "missing-version", "the policy does not say its version")
            .remedy("write 'version = 1' as its first line");
        return true;
    };
    match reader.integer(&value, 1..=9999) {
        Some(newer) if newer > VERSION => {
            let message = format!("policy version {newer} is newer than this build, which reads {VERSION}");
            reader
                .error(value.span(), "newer-version", message)
                .remedy("use a newer gate, or write version = 1");
            false
        }
        _ => true,
    }
}

/// `[repository] aliases`: a repository that several hosts serve.
fn aliases(reader: &mut Reader<'_>, mut table: Table<'_>) -> Vec<String> {
    let names = table.get("aliases").map(|value| reader.each(&value, alias)).unwrap_or_default();
    table.finish(reader);
    names
}

fn alias(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<String> {
    let name = reader.string(value)?;
    let host = name.split('/').next().unwrap_or_default();
    let plain = !name.contains("://") && !name.contains(['@', ' ', '*']) && !name.ends_with(['/']);
    if plain && host.len() < name.len() && host.contains(['.', ':']) {
        return Some(name);
    }
    let message = format!("'{}' is no repository as host/path", value.place);
    reader.error(value.span(), "bad-value", message).remedy("write it as in github.com/acme/payments");
    None
}

fn settings(reader: &mut Reader<'_>, mut table: Table<'_>, names: Names<'_>) -> (Vec<Who>, u64) {
    let owners = table.get("owners").map(|value| who::list(reader, &value, names, who::Wildcard::Refused));
    let warn_before = table.duration(reader, "warn_before").unwrap_or(WARN_BEFORE);
    table.finish(reader);
    (owners.unwrap_or_default(), warn_before)
}

/// The line of a span, from 1.
fn line_of(text: &str, span: &Range<usize>) -> usize {
    Position::of(text, span.start).line
}
