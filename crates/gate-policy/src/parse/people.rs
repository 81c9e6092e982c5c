//! `[people]` and `[groups]`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use gate_model::text::unfit_in_name;

use super::reader::{Reader, Value};
use super::table::Table;
use crate::policy::People;

/// The names that lists of `who` may use.
#[derive(Clone, Copy)]
pub(super) struct Names<'p> {
    pub(super) groups: &'p BTreeMap<String, BTreeSet<String>>,
}

/// What `[groups]` holds.
#[derive(Default)]
pub(super) struct Groups {
    pub(super) members: BTreeMap<String, BTreeSet<String>>,
    pub(super) spans: BTreeMap<String, Range<usize>>,
}

/// What is wrong with an id, and how to mend it.
pub(super) fn id_fault(id: &str) -> Option<(&'static str, &'static str)> {
    if id.trim() != id || id.contains(['\t', '\n']) {
        return Some(("has white space around or in it", "write the id as gate-log shows it"));
    }
    if id.contains(['*', '?']) {
        return Some((
            "is a pattern, and an id is literal",
            "write \"*\" for everybody, \"group:NAME\", or one id such as \"alice@example.com\"",
        ));
    }
    if id.starts_with("group:") {
        return Some(("is a group, and only people can stand here", "list the group's members"));
    }
    if unfit_in_name(id).is_some() {
        return Some(("has characters that nobody can see", "type it again by hand"));
    }
    (id.len() > 256).then_some(("has more than 256 bytes", "write the id as gate-log shows it"))
}

fn id(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<String> {
    let text = reader.string(value)?;
    let Some((wrong, remedy)) = id_fault(&text) else { return Some(text) };
    reader.error(value.span(), "bad-id", format!("'{}' {wrong}", value.place)).remedy(remedy);
    None
}

/// Reads `[people]`: each name belongs to one person.
pub(super) fn people(reader: &mut Reader<'_>, table: &Table<'_>) -> People {
    let mut people = People::default();
    for (person, span, value) in table.entries() {
        if !reader.plain(&value.place, span.clone(), person) {
            continue;
        }
        if let Some((wrong, remedy)) = id_fault(person) {
            reader.error(span.clone(), "bad-id", format!("'{}' {wrong}", value.place)).remedy(remedy);
            continue;
        }
        add(reader, &mut people, person, person, span);
        let mut aliases = Vec::new();
        for alias in reader.list(&value).unwrap_or_default() {
            aliases.extend(id(reader, &alias).map(|name| (name, alias.span())));
        }
        for (name, span) in aliases {
            add(reader, &mut people, &name, person, span);
        }
    }
    people
}

/// Adds a name; two names that differ in the case of their letters only are one name.
fn add(reader: &mut Reader<'_>, people: &mut People, name: &str, person: &str, span: Range<usize>) {
    match people.loosely(name) {
        None => people.insert(name, person),
        Some(other) => {
            let message = if other == person {
                format!("'{name}' is listed twice for '{person}'")
            } else {
                format!("'{name}' belongs to '{other}' already, and a name is one person's")
            };
            reader.error(span, "duplicate-person", message).remedy("take one of them out");
        }
    }
}

/// Reads `[groups]`.
pub(super) fn groups(reader: &mut Reader<'_>, table: &Table<'_>) -> Groups {
    let mut groups = Groups::default();
    for (name, span, value) in table.entries() {
        if !is_group_name(name) {
            let message = format!("'{}' is no name for a group: [A-Za-z0-9][A-Za-z0-9._-]*", value.place);
            reader
                .error(span.clone(), "bad-group-name", message)
                .remedy("use letters, digits, '.', '_' and '-'");
            continue;
        }
        let members = members(reader, &value);
        groups.members.insert(name.to_owned(), members);
        groups.spans.insert(name.to_owned(), span);
    }
    groups
}

fn is_group_name(name: &str) -> bool {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    name.len() <= 64
        && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && name.bytes().all(part)
}

/// An empty group is allowed: a team can be between two people. The linter mentions it.
fn members(reader: &mut Reader<'_>, value: &Value<'_>) -> BTreeSet<String> {
    let mut members = BTreeSet::new();
    for item in reader.list(value).unwrap_or_default() {
        let Some(member) = id(reader, &item) else { continue };
        if !members.insert(member) {
            reader
                .error(item.span(), "duplicate", format!("'{}' stands in the group already", item.place))
                .remedy("take one of them out");
        }
    }
    members
}
