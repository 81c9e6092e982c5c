//! A decision as a sheet.

use std::collections::HashMap;

use gate_model::decision::{Decision, OptOut, Suggestion, Verdict};
use gate_model::finding::Finding;
use gate_model::time::Timestamp;

use super::items::worst_first;
use super::sheet::{Group, Sheet, Tone};
use super::words::{context, ends, instant, location};
use crate::escape::inert;

const FINDING: &[&str] = &["level", "where", "package", "message"];
const WAIVED: &[&str] = &["level", "where", "package", "opt-out", "message"];
const OPT_OUT: &[&str] = &["opt-out", "action", "by", "until", "reason", "note"];

/// The mood of a verdict.
pub(super) const fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Pass => Tone::Good,
        Verdict::Fail => Tone::Bad,
        Verdict::Skip | Verdict::Override | Verdict::Hold => Tone::Notable,
        Verdict::Run => Tone::Plain,
    }
}

/// What `decision` says to a person at `now`.
pub(super) fn sheet(decision: &Decision, now: Timestamp) -> Sheet {
    let observed = decision.only_observed();
    let trial = if observed.is_some() { ", observed" } else { "" };
    let title = format!("{}: {}{trial}", decision.gate, decision.decision.as_str());
    let tone = if observed.is_some() { Tone::Notable } else { tone(decision.decision) };
    let mut sheet = Sheet::new(title, tone);
    facts(&mut sheet, decision);
    sheet.because.clone_from(&decision.reasons);
    findings(&mut sheet, decision);
    let opt_outs = |list: &[OptOut]| list.iter().map(|opt_out| opt_out_row(opt_out, now)).collect();
    sheet.table("used", OPT_OUT, opt_outs(&decision.grants));
    sheet.table("not needed", OPT_OUT, opt_outs(&decision.unneeded));
    sheet.table("ending soon", OPT_OUT, opt_outs(&decision.ending));
    sheet.commands("to ask for a way past", ways_past(decision));
    sheet
}

fn facts(sheet: &mut Sheet, decision: &Decision) {
    sheet.maybe("status", decision.status.map(|status| status.to_string()));
    for (label, value) in context(&decision.context) {
        sheet.fact(label, value);
    }
    sheet.maybe("report", decision.report.clone());
    sheet.fact("policy", format!("{} ({})", decision.policy.digest, decision.policy.source));
    let counts = [
        ("below threshold", decision.below_threshold),
        ("suppressed", decision.suppressed),
        ("absent", decision.absent),
    ];
    for (label, number) in counts {
        sheet.maybe(label, (number > 0).then(|| number.to_string()));
    }
    sheet.fact("at", instant(decision.at));
    sheet.fact("recorded", super::recorded(decision, "no"));
}

fn findings(sheet: &mut Sheet, decision: &Decision) {
    let row = |finding: &Finding, opt_out: Option<u64>| {
        let mut row =
            vec![finding.level.to_string(), location(finding), finding.package.clone().unwrap_or_default()];
        row.extend(opt_out.map(|id| id.to_string()));
        row.push(finding.message.clone());
        row
    };
    let title = match decision.decision {
        Verdict::Override => "overridden",
        _ if decision.only_observed().is_some() => "would block",
        _ => "blocking",
    };
    let blocking = worst_first(&decision.blocking, |finding| finding);
    let blocking = by_rule(blocking.into_iter().map(|finding| (finding, row(finding, None))));
    sheet.groups(title, "rule", FINDING, blocking);
    let waived = worst_first(&decision.waived, |waived| &waived.finding);
    let waived = waived.into_iter().map(|waived| (&waived.finding, row(&waived.finding, Some(waived.grant))));
    sheet.groups("waived", "rule", WAIVED, by_rule(waived));
}

/// Rows under their rules, both in the order in which they come.
fn by_rule<'a>(rows: impl Iterator<Item = (&'a Finding, Vec<String>)>) -> Vec<Group> {
    let mut place = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for (finding, row) in rows {
        let at = *place.entry(&finding.rule).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.rows.push(row),
            None => groups.push(Group { title: finding.rule.clone(), rows: vec![row] }),
        }
    }
    groups
}

/// How many commands for single groups of findings are shown, of many.
const SHOWN: usize = 3;

/// The one command for all that blocks, then those for a part of it.
fn ways_past(decision: &Decision) -> Vec<(String, String)> {
    let each = decision.suggest.iter().take(SHOWN);
    let mut commands: Vec<_> = decision.suggest_all.iter().chain(each).map(command).collect();
    let more = decision.suggest.len().saturating_sub(SHOWN);
    let told =
        || (format!("and {more} more, each for a part of it: suggest in --format json"), String::new());
    commands.extend((more > 0).then(told));
    commands
}

fn opt_out_row(opt_out: &OptOut, now: Timestamp) -> Vec<String> {
    vec![
        opt_out.id.to_string(),
        opt_out.action.to_string(),
        opt_out.by.clone(),
        ends(opt_out.expires, now),
        opt_out.reason.clone(),
        opt_out.note.clone().unwrap_or_default(),
    ]
}

/// A command is printed only where it stays the same once it is inert: one that was changed would ask for
/// something else than its purpose says.
pub(super) fn command(suggestion: &Suggestion) -> (String, String) {
    if inert(&suggestion.command) == suggestion.command {
        return (suggestion.purpose.clone(), suggestion.command.clone());
    }
    let left_out = "left out: it holds characters that cannot be pasted; see suggest.argv in --format json";
    (format!("{} ({left_out})", suggestion.purpose), String::new())
}
