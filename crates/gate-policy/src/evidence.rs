//! What a waiver may name: exact evidence, so that no text from a report makes it reach further.

use gate_model::action::Action;
use gate_model::finding::Evidence;
use gate_model::payload::Ask;
use gate_model::text;

use crate::policy::Gate;
use crate::rule::Rule;

/// What is wrong with the findings of a request under `rule`.
pub(crate) fn failures(gate: &Gate, rule: &Rule, ask: &Ask) -> Vec<String> {
    if ask.action != Action::Waive {
        let none = ask.findings.is_empty();
        return if none {
            Vec::new()
        } else {
            vec![format!("cannot {} single findings; use --waive", ask.action)]
        };
    }
    if ask.findings.is_empty() {
        return vec!["needs the findings that are waived: --waive rule=ID,path=GLOB".to_owned()];
    }
    ask.findings.iter().filter_map(|finding| check(gate, rule, finding).err()).collect()
}

fn check(gate: &Gate, rule: &Rule, finding: &Evidence) -> Result<(), String> {
    let name = text::visible(&finding.rule);
    let members = [&finding.path, &finding.package, &finding.fingerprint, &finding.tool];
    let texts = members.into_iter().flatten().chain([&finding.rule]);
    if texts.into_iter().any(|member| text::check(member).is_err()) {
        return Err(format!("needs plain text in each member of the finding '{name}'"));
    }
    if finding.path.is_none() && finding.package.is_none() && finding.fingerprint.is_none() {
        return Err(format!("needs a path, package or fingerprint beside the rule '{name}'"));
    }
    if finding.count == 0 {
        return Err(format!("needs a count of at least 1 for the finding '{name}'"));
    }
    level(gate, rule, finding)?;
    finding.path.as_deref().map_or(Ok(()), path)
}

/// The level that counts is the policy's floor where the evidence claims a lower one.
fn level(gate: &Gate, rule: &Rule, finding: &Evidence) -> Result<(), String> {
    let level = gate.level_of(&finding.rule, finding.level);
    match rule.max_level {
        Some(most) if level > most => {
            Err(format!("waives findings up to {most} ('{}' has {level})", text::visible(&finding.rule)))
        }
        _ => Ok(()),
    }
}

/// A glob over paths starts with a literal segment and has no `..`; a leading `!` would turn it round.
fn path(glob: &str) -> Result<(), String> {
    let shown = text::visible(glob);
    let first = glob.split('/').next().unwrap_or_default();
    if first.is_empty() || has_wildcard(first) {
        return Err(format!("needs a path that starts with a literal folder or file ('{shown}' does not)"));
    }
    if glob.split('/').any(|segment| segment == ".." || segment == ".") {
        return Err(format!("needs a path without '.' and '..' segments ('{shown}' has one)"));
    }
    fast_glob::validate(glob).map_err(|error| format!("needs a path that is a glob ('{shown}': {error})"))
}

/// Whether a segment has a special character that is not escaped.
fn has_wildcard(segment: &str) -> bool {
    let mut chars = segment.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '*' | '?' | '[' | '{' | '!' => return true,
            _ => {}
        }
    }
    false
}
