//! The findings of a decision, judged again: levels, sums, and whether waivers cover what is waived.

use std::collections::BTreeMap;

use gate_findings::matching::{self, Uncovered, Waiver};
use gate_model::action::Action;
use gate_model::finding::Evidence;
use gate_model::score::FailOn;
use gate_model::text;
use gate_policy::Gate;

use super::State;
use super::report::{Doubt, Judged};
use super::uses::{Here, InForce};
use super::wire::{Facts, Group};

/// Whether levels and numbers are what the gate's rules allow, and add up.
pub(super) fn add_up(gate: &Gate, facts: &Facts<'_>) -> Judged {
    let wrong = |why: String| Err(Doubt::Wrong(why));
    let fail_on = facts.report.as_ref().map(|_| gate.fail_on);
    if facts.fail_on != fail_on {
        let named = |threshold: Option<FailOn>| threshold.map_or("nothing".to_owned(), |on| on.to_string());
        return wrong(format!("fails on {}, and its policy on {}", named(facts.fail_on), named(fail_on)));
    }
    if facts.suppressed > 0 && !gate.honours_suppressions() {
        return wrong(format!(
            "leaves out {} suppressed findings, which this gate does not honour",
            facts.suppressed
        ));
    }
    let (mut blocking, mut waived) = (0_u64, 0_u64);
    for group in &facts.findings {
        level_holds(gate, group)?;
        let sum = if group.grant.is_some() { &mut waived } else { &mut blocking };
        *sum = sum.saturating_add(group.count);
    }
    let listed = blocking.saturating_add(waived).saturating_add(facts.omitted);
    let adds_up = blocking <= facts.blocking
        && waived <= facts.waived
        && listed == facts.blocking.saturating_add(facts.waived);
    if adds_up {
        return Ok(());
    }
    let (b, w, omitted) = (facts.blocking, facts.waived, facts.omitted);
    wrong(format!(
        "counts {b} blocking and {w} waived, and lists {blocking} and {waived}, {omitted} left out"
    ))
}

fn level_holds(gate: &Gate, group: &Group<'_>) -> Judged {
    let rule = text::visible(group.rule.as_str());
    if group.count == 0 {
        return Err(Doubt::Wrong(format!("lists no finding of {rule}")));
    }
    if !gate.fail_on.blocks(group.level, group.security_severity) {
        return Err(Doubt::Wrong(format!(
            "lists a finding of {rule} at {}, which does not block",
            group.level
        )));
    }
    let floor = gate.level_of(group.rule.as_str(), group.level);
    if group.level == floor {
        return Ok(());
    }
    Err(Doubt::Wrong(format!("has {rule} at {}, and the policy's floor is {floor}", group.level)))
}

/// What is wrong with a decision that waives by the opt-out `id`.
fn uncovered(id: u64, why: &Uncovered) -> Doubt {
    Doubt::Wrong(match why {
        Uncovered::TooMany { wanted, covered } => {
            format!("waives {wanted} findings by opt-out {id}, which covers {covered} of them")
        }
        Uncovered::NotFollowed { rule, old } => {
            let (rule, old) = (text::visible(rule), text::visible(old));
            format!("waives {rule} by opt-out {id} as moved from '{old}', which it does not follow")
        }
    })
}

impl State {
    /// Whether the waivers that a decision names cover what it says they do, none beyond its counts.
    pub(super) fn covered(facts: &Facts<'_>, used: &[InForce<'_>]) -> Judged {
        let mut waived: BTreeMap<u64, Vec<(Evidence, Option<String>)>> = BTreeMap::new();
        let mut blocking = Vec::new();
        for group in &facts.findings {
            match (group.grant, group.moved_from()) {
                (Some(grant), old) => waived.entry(grant).or_default().push((group.evidence(), old)),
                (None, None) => blocking.push(group.evidence()),
                (None, Some(_)) => return Err(Doubt::wrong("follows a finding that blocks")),
            }
        }
        for (id, groups) in &waived {
            let live = used.iter().find(|live| live.id == *id && live.action() == Action::Waive);
            let Some(live) = live else {
                return Err(Doubt::Wrong(format!(
                    "waives findings by opt-out {id}, which is no waiver that it used"
                )));
            };
            matching::covers_all(&live.waiver(), groups, &blocking).map_err(|why| uncovered(*id, &why))?;
        }
        let idle = used.iter().find(|live| live.action() == Action::Waive && !waived.contains_key(&live.id));
        match idle {
            Some(live) if facts.omitted == 0 => {
                Err(Doubt::Wrong(format!("uses opt-out {}, and waives nothing by it", live.id)))
            }
            _ => Ok(()),
        }
    }

    /// Whether waivers that were surely in force would have covered more than was waived. Where a finding stands is not
    /// in the ledger, so that evidence which asks for it need not have covered anything.
    pub(super) fn as_few_as_possible(&self, here: Here<'_>, facts: &Facts<'_>) -> Judged {
        if facts.blocking == 0 || facts.omitted > 0 {
            return Ok(());
        }
        let waivers: Vec<InForce<'_>> = self.in_force(here, Action::Waive).collect();
        if waivers.is_empty() {
            return Ok(());
        }
        let offered: Vec<Waiver<'_>> = waivers.iter().map(InForce::waiver).collect();
        let groups: Vec<Evidence> = facts.findings.iter().map(Group::evidence).collect();
        let covered = matching::surely_covered(&groups, &offered);
        if covered <= facts.waived {
            return Ok(());
        }
        if waivers.iter().any(|live| self.is_erased(live.id)) {
            return Err(Doubt::Erased);
        }
        Err(Doubt::Wrong(format!(
            "waives {} findings, and the waivers in force cover {covered}",
            facts.waived
        )))
    }
}
