//! A result on its way to becoming a finding, and what it waits for.

use std::borrow::Cow;

use gate_model::finding::{Finding, Identity};
use gate_model::level::Level;

use super::components::Reference;
use super::invocations::index;
use super::package::{self, Speaker};
use super::places::Location;
use super::result::{WireMessage, WireResult};
use crate::json::wire::{Text, Whole};
use crate::wording::Context;
use crate::{identity, limits, wording};

/// What a finding of SARIF still needs from the rest of its run. Small: a report may have many, all waiting.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Its index in the collector.
    pub(super) finding: usize,
    /// The level that the result itself says.
    pub(super) level: Option<Level>,
    rule_index: Option<u32>,
    component_index: Option<u32>,
    pub(super) invocation: Option<u32>,
    pub(super) artifact: Option<u32>,
    /// The number of the base that its path is relative to, from 1; 0 for none.
    pub(super) base: u32,
    /// Whether its path is still as the report writes it.
    pub(super) has_place: bool,
    /// What it is recognised by, where the report gives no fingerprint.
    pub(super) context: Option<Context>,
    /// Who would have to be the tool for the package, which was taken from the message, to stay.
    pub(super) speaker: Option<Speaker>,
    /// Whether the result itself does not speak of a fix: then its rule may.
    pub(super) asks_for_fix: bool,
    pub(super) rare: Option<Box<Rare>>,
}

/// What few reports use.
#[derive(Debug, Default)]
pub(super) struct Rare {
    guid: String,
    component_name: String,
    component_guid: String,
    /// The rule's name and index, where the result has a second one that differs: floors reach it, too.
    pub(super) other_rule: String,
    pub(super) other_index: Option<usize>,
    pub(super) message: String,
    pub(super) arguments: Vec<String>,
}

/// What the result says of itself: a finding that may lack rule, level, tool and base, and what it waits for.
pub(super) fn draft(wire: &WireResult<'_>) -> (Finding, Pending) {
    let outline = wire.outline();
    let mut pending = Pending { level: outline.level, ..Pending::default() };
    pending.refer(wire);
    let message = pending.message(wire.message.as_ref());
    let fingerprints = wire.named();
    if fingerprints.is_empty() {
        pending.context = Some(Context::of(wire.locations.snippet(), &message));
    }
    let mut finding = Finding {
        rule: wording::name(outline.rule),
        level: Level::None,
        package: pending.package(wire, outline.rule, &message),
        message: wording::message(&message),
        path: None,
        line: line(wire),
        fingerprint: wording::of_named(&identity::latest(&fingerprints)),
        around: None,
        identified_by: (!fingerprints.is_empty()).then_some(Identity::Fingerprint),
        fingerprints,
        tool: None,
        fix: None,
        security_severity: wire.properties.as_ref().and_then(|properties| properties.severity),
    };
    let said = package::fix_in(&message);
    pending.asks_for_fix = said.is_none() && !wire.fixes;
    let fix = said.or_else(|| wire.fixes.then_some(wording::FIX)).filter(|version| !version.is_empty());
    finding.fix = fix.map(wording::name);
    (finding, pending)
}

/// Where the result is: its location, and the number of the artifact where it has no URI of its own.
pub(super) fn location(wire: &WireResult<'_>) -> Option<(Location, Option<u32>)> {
    let artifact = wire.locations.physical_location.as_ref()?.artifact_location.as_ref()?;
    let location = Location::of(artifact);
    let number = if location.path.is_empty() { small(artifact.index) } else { None };
    Some((location, number))
}

fn line(wire: &WireResult<'_>) -> Option<u64> {
    let line = wire.locations.physical_location.as_ref()?.region.as_ref()?.start_line?.0;
    // Above 2^53 other readers of the decision would see another number.
    u64::try_from(line).ok().filter(|line| (1..1 << 53).contains(line))
}

fn small(wire: Option<Whole>) -> Option<u32> {
    index(wire).map(|index| u32::try_from(index).unwrap_or(u32::MAX))
}

impl Pending {
    fn refer(&mut self, wire: &WireResult<'_>) {
        let rule = wire.rule.as_ref();
        let component = rule.and_then(|rule| rule.tool_component.as_ref());
        self.rule_index = small(wire.rule_index).or_else(|| small(rule.and_then(|rule| rule.index)));
        self.component_index = component.and_then(|component| small(component.index));
        let other_index =
            small(rule.and_then(|rule| rule.index)).filter(|index| self.rule_index != Some(*index));
        let other_rule = wire.outline().other_rule;
        if other_index.is_some() || !other_rule.is_empty() {
            let rare = self.rare.get_or_insert_default();
            rare.other_rule = wording::name(other_rule);
            rare.other_index = other_index.map(|index| index as usize);
        }
        self.invocation = wire.provenance.as_ref().and_then(|provenance| small(provenance.invocation_index));
        let rare = [
            (rule.and_then(|rule| rule.guid.as_ref()), 0),
            (component.and_then(|component| component.name.as_ref()), 1),
            (component.and_then(|component| component.guid.as_ref()), 2),
        ];
        for (text, which) in rare {
            let Some(Text(text)) = text.filter(|text| text.0.len() <= limits::NAME) else { continue };
            let rare = self.rare.get_or_insert_default();
            *[&mut rare.guid, &mut rare.component_name, &mut rare.component_guid][which] = text.to_string();
        }
    }

    /// The reference to the rule; `id` is the result's own.
    pub(super) fn reference<'a>(&'a self, id: &'a str) -> Reference<'a> {
        let rare = self.rare.as_deref();
        Reference {
            id,
            index: self.rule_index.map(|index| index as usize),
            guid: rare.map_or("", |rare| &rare.guid),
            component_index: self.component_index.map(|index| index as usize),
            component_name: rare.map_or("", |rare| &rare.component_name),
            component_guid: rare.map_or("", |rare| &rare.component_guid),
        }
    }

    pub(super) const fn rule_index(&self) -> Option<u32> {
        self.rule_index
    }

    /// The message's text where the result has it. Where it has an id, the id and the arguments stand for the
    /// text until the rules are known.
    fn message<'w>(&mut self, wire: Option<&'w WireMessage<'_>>) -> Cow<'w, str> {
        let Some(wire) = wire else { return Cow::Borrowed("") };
        if let Some(Text(text)) = wire.text.as_ref().or(wire.markdown.as_ref()) {
            let is_whole = wire.arguments.is_empty();
            return if is_whole { Cow::Borrowed(text) } else { filled(text, &wire.arguments).into() };
        }
        let Some(Text(id)) = &wire.id else { return Cow::Borrowed("") };
        let rare = self.rare.get_or_insert_default();
        rare.message = wording::name(id);
        rare.arguments = wire.arguments.iter().map(|argument| wording::name(argument)).collect();
        format!("{id} {}", wire.arguments.join(" ")).into()
    }

    fn package(&mut self, wire: &WireResult<'_>, rule: &str, message: &str) -> Option<String> {
        let named = wire.properties.as_ref().and_then(|properties| properties.package.name());
        if let Some(name) = named.or_else(|| wire.locations.logical_locations.name()) {
            return Some(wording::name(name));
        }
        let (speaker, name) = package::in_message(message)?;
        // Its message follows a pattern so closely that no other tool writes it by chance.
        if !package::is_whole(message, rule) {
            self.speaker = Some(speaker);
        }
        Some(wording::name(name))
    }
}

/// `template` with its placeholders `{0}` filled; `{{` and `}}` are braces (§3.11.5).
pub(super) fn filled(template: &str, arguments: &[impl AsRef<str>]) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let (text, length) = placeholder(from, arguments);
        out.push_str(text);
        rest = &from[length..];
    }
    out + rest
}

/// What the brace at the start of `from` stands for, and the length of what it replaces.
fn placeholder<'a>(from: &'a str, arguments: &'a [impl AsRef<str>]) -> (&'a str, usize) {
    if from.starts_with("{{") || from.starts_with("}}") {
        return (&from[..1], 2);
    }
    let number = from.find('}').filter(|_| from.starts_with('{')).map(|end| (&from[1..end], end + 1));
    let argument =
        number.and_then(|(digits, length)| Some((arguments.get(digits.parse::<usize>().ok()?)?, length)));
    argument.map_or((&from[..1], 1), |(argument, length)| (argument.as_ref(), length))
}

#[cfg(test)]
mod tests {
    use super::filled;

    #[test]
    fn placeholders_are_filled() {
        assert_eq!(filled("'{0}' in {1}: {{0}} {2} {x} {", &["a", "b"]), "'a' in b: {0} {2} {x} {");
        assert_eq!(filled("}} é{0}", &["{0}"]), "} é{0}");
    }
}
