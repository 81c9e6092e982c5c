//! What a decision says about single findings, for the formats that list findings.
//!
//! A gate can stop without any finding: its command failed, it is paused. Formats that only list findings
//! would then look like a pass to whoever reads them, another gate included. So such a decision has one item
//! that stands for the gate itself.

use std::collections::BTreeMap;

use gate_model::decision::{Decision, Verdict, Waived};
use gate_model::finding::Finding;
use gate_model::level::Level;

use super::words::{grant_of, instant, opt_out};

/// A finding and what became of it.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// The finding, or the gate itself.
    pub(super) finding: Finding,
    /// What became of it.
    pub(super) standing: Standing,
}

/// What became of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It stops the pipeline.
    Blocks,
    /// It would stop the pipeline if the gate were not observed: until when, in half a sentence.
    Observed(String),
    /// It is accepted: by what, in half a sentence.
    Accepted(String),
}

/// `all` by the level of their findings, the highest first; the report's order within a level.
pub(super) fn worst_first<T>(all: &[T], finding: impl Fn(&T) -> &Finding) -> Vec<&T> {
    let mut sorted: Vec<&T> = all.iter().collect();
    sorted.sort_by_key(|one| std::cmp::Reverse(finding(one).level));
    sorted
}

/// Every item of `decision`, those that block first, the worst of them first.
pub(super) fn of(decision: &Decision) -> Vec<Item> {
    let standing = standing_of_blocking(decision);
    let blocking = worst_first(&decision.blocking, |finding| finding)
        .into_iter()
        .map(|finding| Item { finding: finding.clone(), standing: standing.clone() });
    let waived = decision.waived.iter().map(|waived| Item {
        finding: waived.finding.clone(),
        standing: Standing::Accepted(waived_by(decision, waived)),
    });
    stop_without_finding(decision).into_iter().chain(blocking).chain(waived).collect()
}

fn waived_by(decision: &Decision, waived: &Waived) -> String {
    let moved = waived.moved_from.as_ref().map(|old| format!(", moved from {old}")).unwrap_or_default();
    format!("waived by {}{moved}", grant_of(decision, waived.grant))
}

/// Findings at or above `fail_on` do not block where an override lets the pipeline proceed, or the gate is observed.
fn standing_of_blocking(decision: &Decision) -> Standing {
    if let Some(until) = decision.only_observed() {
        return Standing::Observed(format!("observed until {}", instant(until)));
    }
    if decision.decision != Verdict::Override || decision.proceed != Some(true) {
        return Standing::Blocks;
    }
    let grants = decision.grants.iter().map(opt_out).collect::<Vec<_>>().join(", ");
    Standing::Accepted(if grants.is_empty() {
        "overridden".to_owned()
    } else {
        format!("overridden by {grants}")
    })
}

/// The rule id of the item that stands for a gate.
pub(super) fn gate_rule(gate: &str) -> String {
    format!("gate/{gate}")
}

fn stop_without_finding(decision: &Decision) -> Option<Item> {
    let stops = matches!(decision.decision, Verdict::Fail | Verdict::Hold) || decision.proceed == Some(false);
    // A pause stops the pipeline whatever was found, so it is an item beside any findings.
    if !stops || (decision.decision == Verdict::Fail && !decision.blocking.is_empty()) {
        return None;
    }
    let item = about_gate(gate_rule(&decision.gate), Level::Error, why(decision));
    Some(Item { standing: standing_of_blocking(decision), ..item })
}

/// An item that says something about the gate itself and stops nothing.
pub(super) fn noted(rule: String, message: String) -> Item {
    about_gate(rule, Level::Note, message)
}

fn about_gate(rule: String, level: Level, message: String) -> Item {
    let finding = Finding {
        fingerprint: rule.clone(),
        fingerprints: BTreeMap::new(),
        around: None,
        identified_by: None,
        rule,
        level,
        message,
        path: None,
        line: None,
        package: None,
        tool: None,
        fix: None,
        security_severity: None,
    };
    Item { finding, standing: Standing::Blocks }
}

/// The verdict with its reasons.
pub(super) fn why(decision: &Decision) -> String {
    let verdict = decision.decision.as_str();
    if decision.reasons.is_empty() {
        verdict.to_owned()
    } else {
        format!("{verdict}: {}", decision.reasons.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::{Standing, Verdict, of};
    use crate::render::samples;

    #[test]
    fn a_gate_that_stops_without_a_finding_is_an_item_itself() {
        for verdict in [Verdict::Fail, Verdict::Hold] {
            let mut decision = samples::decision(verdict);
            decision.blocking.clear();
            decision.waived.clear();
            let items = of(&decision);
            assert_eq!(items.len(), 1, "{verdict:?}");
            assert_eq!(
                (items[0].finding.rule.as_str(), &items[0].standing),
                ("gate/lint", &Standing::Blocks)
            );
        }
    }

    #[test]
    fn a_gate_that_proceeds_has_no_item_that_blocks() {
        for verdict in [Verdict::Pass, Verdict::Skip, Verdict::Override] {
            let mut decision = samples::decision(verdict);
            if verdict != Verdict::Override {
                decision.blocking.clear();
            }
            assert!(of(&decision).iter().all(|item| item.standing != Standing::Blocks), "{verdict:?}");
        }
    }
}
