//! `who`, `from`, `owners`, `reviewers`: lists of `*`, `group:NAME` and ids.

use super::people::{Names, id_fault};
use super::reader::{Reader, Value};
use crate::policy::Who;

/// Whether `*` may stand in a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wildcard {
    /// It may.
    Allowed,
    /// Only people count there: everybody is nobody.
    Refused,
}

/// Reads a list of `who`.
pub(super) fn list(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    names: Names<'_>,
    wildcard: Wildcard,
) -> Vec<Who> {
    reader.each(value, |reader, item| one(reader, item, names, wildcard))
}

fn one(reader: &mut Reader<'_>, value: &Value<'_>, names: Names<'_>, wildcard: Wildcard) -> Option<Who> {
    let text = reader.string(value)?;
    if text == "*" {
        return everybody(reader, value, wildcard);
    }
    if let Some(group) = text.strip_prefix("group:") {
        return a_group(reader, value, names, group);
    }
    if let Some((wrong, remedy)) = id_fault(&text) {
        reader.error(value.span(), "bad-id", format!("'{}' {wrong}", value.place)).remedy(remedy);
        return None;
    }
    Some(Who::Id(text))
}

fn everybody(reader: &mut Reader<'_>, value: &Value<'_>, wildcard: Wildcard) -> Option<Who> {
    if wildcard == Wildcard::Allowed {
        return Some(Who::Anyone);
    }
    let message = format!("'{}' cannot be '*': what everybody may do, nobody checks", value.place);
    reader
        .error(value.span(), "wildcard", message)
        .remedy("name people or a group, as in \"group:security\"");
    None
}

fn a_group(reader: &mut Reader<'_>, value: &Value<'_>, names: Names<'_>, group: &str) -> Option<Who> {
    if names.groups.contains_key(group) {
        return Some(Who::Group(group.to_owned()));
    }
    let shown = gate_model::text::visible(group);
    let message = format!("'{}' names the group '{shown}', which [groups] does not have", value.place);
    let otherwise = format!("add it: [groups] {shown} = [\"alice@example.com\"]");
    let known = names.groups.keys().map(String::as_str);
    reader.error(value.span(), "undefined-group", message).suggest(group, known, &otherwise);
    None
}
