//! What a waiver may name: exact evidence, so that no text from a report makes it reach further.

use gate_model::action::Action;
use gate_model::finding::{Evidence, PLACES};
use gate_model::path_glob::PathGlob;
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
    let named = finding.fingerprints.iter().flat_map(|(name, value)| [name, value]);
    let texts = members.into_iter().flatten().chain([&finding.rule]).chain(named);
    if texts.into_iter().any(|member| text::check(member).is_err()) {
        return Err(format!("needs plain text in each member of the finding '{name}'"));
    }
    if finding.path.is_none() && finding.package.is_none() && finding.fingerprint.is_none() {
        return Err(format!("needs a path, package or fingerprint beside the rule '{name}'"));
    }
    if finding.count == 0 {
        return Err(format!("needs a count of at least 1 for the finding '{name}'"));
    }
    if finding.lines.len().max(finding.around.len()) > PLACES {
        return Err(format!("needs at most {PLACES} lines for the finding '{name}'"));
    }
    if rule.waiver_terms().until_fixed && finding.fixable {
        return Err(format!("waives what has no fix yet, and there is one for '{name}'"));
    }
    level(gate, rule, finding)?;
    finding.path.as_deref().map_or(Ok(()), |glob| match PathGlob::parse(glob) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("needs a path other than '{}': {error}", text::visible(glob))),
    })
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
