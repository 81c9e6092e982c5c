//! `[gates.NAME]`.

use std::collections::BTreeMap;
use std::ops::Range;

use gate_model::gate::{GateName, GateNameError};
use gate_model::level::{Level, Severity};
use gate_model::score::FailOn;
use gate_model::time::Timestamp;

use super::people::Names;
use super::reader::{Reader, Value};
use super::rule;
use super::table::Table;
use crate::policy::{Gate, IdentitySettings, LedgerSettings, Suppressions};

/// The words for levels.
pub(super) fn levels() -> Vec<(&'static str, Level)> {
    Level::ALL.into_iter().map(|level| (level.as_str(), level)).collect()
}

pub(super) fn gates(
    reader: &mut Reader<'_>,
    table: &Table<'_>,
    names: Names<'_>,
) -> BTreeMap<GateName, Gate> {
    let mut gates = BTreeMap::new();
    for (word, span, value) in table.entries() {
        let name = gate_name(reader, word, span.clone());
        let gate = reader.table(&value).map(|table| gate(reader, table, span, names));
        if let (Some(name), Some(gate)) = (name, gate) {
            gates.insert(name, gate);
        }
    }
    gates
}

fn gate_name(reader: &mut Reader<'_>, word: &str, span: Range<usize>) -> Option<GateName> {
    let error = match GateName::parse(word) {
        Ok(name) => return Some(name),
        Err(error) => error,
    };
    let message = format!("'{}' cannot name a gate: {error}", gate_model::text::visible(word));
    let (code, help) = match error {
        GateNameError::Shape => ("bad-gate-name", "write it as in [gates.unit-tests]".to_owned()),
        GateNameError::Reserved(word) => {
            ("reserved-gate-name", format!("call it {word}-gate, or what it checks"))
        }
    };
    reader.error(span, code, message).remedy(help);
    None
}

fn gate(reader: &mut Reader<'_>, mut table: Table<'_>, span: Range<usize>, names: Names<'_>) -> Gate {
    let severities = Severity::ALL.map(|severity| (severity.as_str(), severity));
    let suppressions = [("honour", Suppressions::Honour), ("block", Suppressions::Block)];
    let severity = table.word(reader, "severity", &severities).unwrap_or(Severity::Medium);
    let fail_on = table.get("fail_on").and_then(|value| threshold(reader, &value));
    let report = table.path(reader, "report");
    let report_suppressions = table.word(reader, "report_suppressions", &suppressions).unwrap_or_default();
    let accept_errors =
        table.word(reader, "report_errors", &[("block", false), ("accept", true)]).unwrap_or(false);
    let accept_empty = table.word(reader, "empty", &[("block", false), ("pass", true)]).unwrap_or(false);
    let floors =
        table.table(reader, "levels").map(|floors| level_floors(reader, &floors)).unwrap_or_default();
    let require_ledger = table.boolean(reader, "require_ledger").unwrap_or(false);
    let findings_exit = match table.get("findings_exit") {
        Some(value) => reader.each(&value, exit_status),
        None => vec![0, 1],
    };
    let observed_until = observed(reader, &mut table);
    let trailers = table.boolean(reader, "trailers").unwrap_or(false);
    let rules = rules(reader, &mut table);
    if let (Some(value), true) = (table.get("trailers"), rules.is_empty()) {
        let message = format!("'{}' lets rules grant, and this gate has none", value.place);
        reader.error(value.span(), "no-effect", message).remedy("take it out, or add an allow rule");
    }
    table.finish(reader);
    let rules = (1..).zip(rules);
    let allow =
        rules.filter_map(|(number, rule)| rule::rule(reader, rule, number, names, trailers)).collect();
    Gate {
        severity,
        fail_on: fail_on.unwrap_or(FailOn::Level(Level::Warning)),
        report,
        report_suppressions,
        accept_errors,
        accept_empty,
        levels: floors,
        require_ledger,
        findings_exit,
        observed_until,
        allow,
        span,
    }
}

/// What rules that grant what a commit asks for need beside them: keys that tell who signed it, and a ledger that keeps
/// what it says, since it holds the commit's whole text.
pub(super) fn trailers(
    reader: &mut Reader<'_>,
    gates: &BTreeMap<GateName, Gate>,
    ledger: &LedgerSettings,
    identity: &IdentitySettings,
) {
    for rule in gates.values().flat_map(|gate| &gate.allow).filter(|rule| rule.trailers) {
        if identity.allowed_signers.is_none() {
            let message = "trailers = true needs keys, and the policy names no allowed_signers";
            let remedy = "add [identity] allowed_signers, or take trailers out";
            reader.error(rule.span.clone(), "trailers-without-keys", message).remedy(remedy);
        }
        if ledger.commit.any() {
            let message =
                "trailers = true records commits as they are, and [ledger] commit hides what they say";
            let remedy = "take trailers out, or take commit out";
            reader.error(rule.span.clone(), "trailers-hide-nothing", message).remedy(remedy);
        }
    }
}

/// `mode` and `until`, which go together: a trial without an end would be a gate that never stops anybody.
fn observed(reader: &mut Reader<'_>, table: &mut Table<'_>) -> Option<Timestamp> {
    let observes = table.word(reader, "mode", &[("enforce", false), ("observe", true)]).unwrap_or(false);
    let until = table.get("until");
    match (observes, until) {
        (true, Some(until)) => reader.instant(&until),
        (true, None) => {
            let help = "say when the gate begins to enforce, as in until = \"2026-12-24T00:00:00Z\"";
            table.missing(reader, "until", "missing-key", help);
            None
        }
        (false, Some(until)) => {
            let message = format!("'{}' goes with mode = \"observe\"", until.place);
            reader.error(until.span(), "lone-until", message).remedy("add the mode, or take it out");
            None
        }
        (false, None) => None,
    }
}

/// A level, or a security severity.
fn threshold(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<FailOn> {
    match value.value.get_ref().as_str().map(str::parse) {
        Some(Ok(threshold)) => Some(threshold),
        Some(Err(_)) if value.value.get_ref().as_str().is_some_and(|text| text.starts_with("security")) => {
            let message = format!("'{}' has no number from 0 to 10", value.place);
            let remedy = "write it as in fail_on = \"security-severity >= 7\"";
            reader.error(value.span(), "bad-threshold", message).remedy(remedy);
            None
        }
        _ => reader.word(value, &levels()).map(FailOn::Level),
    }
}

fn rules<'a>(reader: &mut Reader<'_>, table: &mut Table<'a>) -> Vec<Table<'a>> {
    let rules = table.tables(reader, "allow");
    match table.get("allow") {
        Some(value) if !reader.short_enough(&value, rules.len()) => Vec::new(),
        _ => rules,
    }
}

fn level_floors(reader: &mut Reader<'_>, table: &Table<'_>) -> BTreeMap<String, Level> {
    let mut floors = BTreeMap::new();
    for (rule, span, value) in table.entries() {
        let plain = reader.plain(&value.place, span, rule);
        if let (true, Some(level)) = (plain, reader.word(&value, &levels())) {
            floors.insert(rule.to_owned(), level);
        }
    }
    floors
}

/// A status that says the scan did its work. One that [`gate_model::exit::cut_off`] knows is of a command that did not
/// come to its end: such a gate did not run, whatever the policy says.
fn exit_status(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<u8> {
    let status = u8::try_from(reader.integer(value, 0..=255)?).ok()?;
    if let Some(why) = gate_model::exit::cut_off(status) {
        let message = format!("'{}': status {status} is no end of a scan: {why}", value.place);
        reader
            .error(value.span(), "did-not-run", message)
            .remedy("name only statuses with which the scan is complete");
        return None;
    }
    Some(status)
}
