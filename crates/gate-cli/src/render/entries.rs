//! Ledger entries for people. Programs get the exported lines themselves, which gate-log writes.
//!
//! An entry is taken as JSON, so that kinds and members of a newer writer are shown too.

use serde_json::{Map, Value};

use super::View;
use super::text::{page, table};
use super::words::{instant, relative};
use crate::escape::inert;
use crate::render::sheet::{Sheet, Tone};
use gate_model::time::Timestamp;

const COLUMNS: &[&str] = &["seq", "at", "kind", "gate", "actor", "what"];

/// A table of entries. `None` rows make an empty text, which says the same as an empty list in JSON.
pub fn entries(entries: &[Value], view: &View) -> String {
    let rows: Vec<Vec<String>> = entries.iter().map(|entry| row(entry).to_vec()).collect();
    if rows.is_empty() { String::new() } else { table(COLUMNS, &rows, view) }
}

/// One entry on one line, for `--follow`, where no table can know its widths.
pub fn entry_line(entry: &Value) -> String {
    let row = row(entry);
    let words: Vec<&str> = row.iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
    format!("{}\n", inert(&words.join("  ")))
}

/// One entry with every member, `data.reason` and the like on a line each. A text of several lines is shown
/// line by line.
pub fn entry(entry: &Value, view: &View) -> String {
    let [seq, _, kind, ..] = row(entry);
    let mut out = page(&Sheet::new(format!("entry {seq}: {kind}"), Tone::Plain), view);
    let mut members = Vec::new();
    flatten("", entry, &mut members);
    let width = members.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).min(32);
    for (name, value) in members {
        let name = inert(&name);
        match value.as_str() {
            Some(text) if text.contains('\n') => {
                out.push_str(&format!("  {name}\n"));
                text.lines().for_each(|line| out.push_str(&format!("    | {}\n", inert(line))));
            }
            Some(text) if name == "at" => {
                out.push_str(&format!("  {name:width$}  {}{}\n", inert(text), ago(text, view)));
            }
            Some(text) => out.push_str(&format!("  {name:width$}  {}\n", inert(text))),
            None => out.push_str(&format!("  {name:width$}  {}\n", inert(&value.to_string()))),
        }
    }
    out
}

fn ago(text: &str, view: &View) -> String {
    Timestamp::parse(text).map_or_else(|_| String::new(), |time| format!(" ({})", relative(time, view.now)))
}

/// Every scalar member with its dotted name; a list of scalars is one value.
fn flatten<'a>(prefix: &str, value: &'a Value, out: &mut Vec<(String, std::borrow::Cow<'a, Value>)>) {
    use std::borrow::Cow;
    let join = |name: &str| if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().for_each(|(name, value)| flatten(&join(name), value, out));
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            items.iter().enumerate().for_each(|(at, item)| flatten(&join(&at.to_string()), item, out));
        }
        Value::Array(items) => {
            let words: Vec<String> = items.iter().map(scalar).collect();
            out.push((prefix.to_owned(), Cow::Owned(Value::from(words.join(", ")))));
        }
        value => out.push((prefix.to_owned(), Cow::Borrowed(value))),
    }
}

fn scalar(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The cells of an entry under [`COLUMNS`].
fn row(entry: &Value) -> [String; 6] {
    let member = |name: &str| entry.get(name).map(scalar).unwrap_or_default();
    let at = member("at");
    let at = Timestamp::parse(&at).map_or(at, instant);
    let actor = entry.pointer("/actor/id").map(scalar).unwrap_or_default();
    let data = entry.get("data").and_then(Value::as_object);
    [member("seq"), at, member("kind"), member("gate"), actor, data.map(what).unwrap_or_default()]
}

/// What an entry says in short: the verdict or the action, the opt-outs, the reason.
fn what(data: &Map<String, Value>) -> String {
    let first = |names: &[&str]| names.iter().find_map(|name| data.get(*name)).map(scalar);
    let verdict = first(&["decision", "action", "verdict", "source"]);
    let list = |name: &str| data.get(name).and_then(Value::as_array).filter(|items| !items.is_empty());
    let grants = list("grants").map(|items| {
        let ids: Vec<String> = items.iter().map(scalar).collect();
        format!("by {}", ids.join(", "))
    });
    let because = list("reasons").and_then(|items| items.first()).map(scalar);
    let reason = match (first(&["reason"]), because) {
        // What somebody wanted, and why it was refused.
        (Some(asked), Some(refused)) => Some(format!("{asked}; {refused}")),
        (asked, because) => asked.or(because),
    };
    // A sentence that names the opt-out says by which one it was.
    let named = |by: &String| {
        let id = by.trim_start_matches("by ");
        reason.as_ref().is_some_and(|told| told.contains(&format!("(opt-out {id})")))
    };
    let head: Vec<String> = [verdict, grants.filter(|by| !named(by))].into_iter().flatten().collect();
    match (head.join(" "), reason) {
        (head, Some(reason)) if head.is_empty() => reason,
        (head, Some(reason)) => format!("{head}: {reason}"),
        (head, None) if head.is_empty() => first(&["message", "text", "digest"]).unwrap_or_default(),
        (head, None) => head,
    }
}

#[cfg(test)]
#[path = "entries_tests.rs"]
mod tests;
