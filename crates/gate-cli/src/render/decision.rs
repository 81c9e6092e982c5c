//! A decision as a sheet.

use gate_model::decision::{Decision, OptOut, Suggestion, Verdict};
use gate_model::time::Timestamp;

use super::sheet::{Sheet, Tone};
use super::words::{context, ends, instant, location};
use crate::escape::inert;

const FINDING: &[&str] = &["level", "rule", "where", "package", "message"];
const WAIVED: &[&str] = &["level", "rule", "where", "package", "opt-out", "message"];
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
    let title = format!("{}: {}", decision.gate, decision.decision.as_str());
    let mut sheet = Sheet::new(title, tone(decision.decision));
    facts(&mut sheet, decision);
    sheet.list("because", decision.reasons.clone());
    findings(&mut sheet, decision);
    let opt_outs = |list: &[OptOut]| list.iter().map(|opt_out| opt_out_row(opt_out, now)).collect();
    sheet.table("used", OPT_OUT, opt_outs(&decision.grants));
    sheet.table("not needed", OPT_OUT, opt_outs(&decision.unneeded));
    sheet.table("ending soon", OPT_OUT, opt_outs(&decision.ending));
    sheet.commands("to ask for a way past", decision.suggest.iter().map(command).collect());
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
    let blocking = decision.blocking.iter().map(|finding| {
        let package = finding.package.clone().unwrap_or_default();
        let level = finding.level.to_string();
        vec![level, finding.rule.clone(), location(finding), package, finding.message.clone()]
    });
    let title = if decision.decision == Verdict::Override { "overridden" } else { "blocking" };
    sheet.table(title, FINDING, blocking.collect());
    let waived = decision.waived.iter().map(|waived| {
        let finding = &waived.finding;
        let package = finding.package.clone().unwrap_or_default();
        let (level, grant) = (finding.level.to_string(), waived.grant.to_string());
        vec![level, finding.rule.clone(), location(finding), package, grant, finding.message.clone()]
    });
    sheet.table("waived", WAIVED, waived.collect());
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
fn command(suggestion: &Suggestion) -> (String, String) {
    if inert(&suggestion.command) == suggestion.command {
        return (suggestion.purpose.clone(), suggestion.command.clone());
    }
    let left_out = "left out: it holds characters that cannot be pasted; see suggest.argv in --format json";
    (format!("{} ({left_out})", suggestion.purpose), String::new())
}
