//! What blocks, as lines: the worst findings first, then how many more; and what to do about it.
//!
//! In run mode stdout and the screen are the command's, so whoever reads the log of a pipeline finds here what the
//! gate says to it, and needs no second look at a report.

use std::path::Path;

use gate_model::decision::{Decision, Suggestion, Verdict};
use gate_model::finding::Finding;
use gate_model::quote;

use super::decision::command;
use super::items::worst_first;
use super::words::{count, location};
use crate::escape::inert;

/// How many findings are named.
const SHOWN: usize = 10;
/// How many characters of a message are shown.
const MESSAGE: usize = 200;

/// The worst findings that block, a line each, and how many more there are; text as it came.
pub(super) fn worst(decision: &Decision) -> Vec<String> {
    let sorted = worst_first(&decision.blocking, |finding| finding);
    let mut lines: Vec<String> = sorted.into_iter().take(SHOWN).map(line).collect();
    let more = decision.blocking.len().saturating_sub(SHOWN);
    lines.extend((more > 0).then(|| format!("and {more} more")));
    lines
}

/// `error B101 src/app.py:12: Use of assert detected.`
fn line(finding: &Finding) -> String {
    let package = finding.package.as_ref().map(|package| format!("[{package}]")).unwrap_or_default();
    let parts = [finding.level.to_string(), finding.rule.clone(), location(finding), package];
    let named = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let text = finding.message.lines().next().unwrap_or_default();
    let message: String = text.chars().take(MESSAGE).collect();
    let cut = if message.len() < finding.message.trim_end().len() { " ..." } else { "" };
    if message.is_empty() { named } else { format!("{named}: {message}{cut}") }
}

/// Why opt-outs gave nothing, so that nobody asks for the same once more.
fn uncounted(decision: &Decision) -> impl Iterator<Item = String> {
    let more = decision.uncounted().count().saturating_sub(SHOWN);
    let told = decision.uncounted().take(SHOWN).map(str::to_owned);
    told.chain((more > 0).then(|| format!("and {more} more that did not count")))
}

/// What blocks, which opt-outs did not count, and how to ask for a way past, for stderr; nothing where the pipeline proceeds. The decision's document
/// is kept in `kept`, where somebody asked for that; where `shown` already, findings are not told again.
pub fn told(decision: &Decision, kept: Option<&Path>, shown: bool) -> String {
    if decision.decision != Verdict::Fail {
        return String::new();
    }
    let mut lines =
        if shown { Vec::new() } else { worst(decision).into_iter().chain(uncounted(decision)).collect() };
    // Where nobody is stopped there is no way past to ask for: the decision suggests none.
    let all = all_at_once(decision, kept);
    let one = decision.suggest.first();
    match (all, one) {
        (Some(all), Some(one)) => {
            lines.push(format!("to ask for a way past {}:", count(decision.blocking.len(), "finding")));
            lines.push(shown_command(&all));
            lines.push("or past one of them alone:".to_owned());
            lines.push(shown_command(one));
        }
        (None, Some(one)) => {
            let which = if decision.suggest.len() > 1 { " one of them alone" } else { "" };
            lines.push(format!("to ask for a way past{which}:"));
            lines.push(shown_command(one));
        }
        (_, None) => {}
    }
    lines.iter().fold(String::new(), |text, line| text + "  " + &inert(line) + "\n")
}

/// The one command for all that blocks. A document that was kept names it best, whatever it is.
fn all_at_once(decision: &Decision, kept: Option<&Path>) -> Option<Suggestion> {
    let all = decision.suggest_all.clone()?;
    let Some(kept) = kept.and_then(Path::to_str) else { return Some(all) };
    // A first word without a dot or a slash is a gate, and one with a dash in front an option.
    let is_file = kept.contains(['.', '/']) && !kept.starts_with('-');
    let file = if is_file { kept.to_owned() } else { format!("./{kept}") };
    let mut words = all.argv.iter().skip(2);
    let mut argv = vec!["gate-skip".to_owned(), file];
    while let Some(word) = words.next() {
        match word.as_str() {
            "--waive" => drop(words.next()),
            _ => argv.push(word.clone()),
        }
    }
    Some(Suggestion { command: quote::command(&argv), argv, ..all })
}

/// The command, or why it is left out.
fn shown_command(suggestion: &Suggestion) -> String {
    let (purpose, line) = command(suggestion);
    format!("  {}", if line.is_empty() { purpose } else { line })
}

#[cfg(test)]
mod tests {
    use super::{Path, Verdict, told};
    use crate::render::samples;
    use crate::render::tests::assert_inert;
    use gate_model::level::Level;

    #[test]
    fn the_ten_worst_are_named_and_one_command_is_for_all() {
        let mut decision = samples::decision(Verdict::Fail);
        let mut minor = decision.blocking[0].clone();
        (minor.level, minor.rule) = (Level::Warning, "W1".into());
        decision.blocking = std::iter::repeat_n(minor, 30).chain(decision.blocking).collect();
        decision.suggest_all = Some(decision.suggest[0].clone());
        let text = told(&decision, None, false);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "  error B101 src/app.py:12: Use of assert detected.");
        assert_eq!(lines[10], "  and 21 more");
        assert_eq!(lines[11], "  to ask for a way past 31 findings:");
        let kept = told(&decision, Some(Path::new("kept file")), true);
        assert!(kept.contains("    gate-skip './kept file' --reason WHY\n"), "{kept}");
        assert!(!kept.contains("B101 src"), "{kept}");
    }

    #[test]
    fn an_opt_out_that_gave_nothing_is_told_with_why() {
        let mut decision = samples::decision(Verdict::Fail);
        let why = "a skip (opt-out 5) did not count: it is for another commit";
        decision.reasons.extend(std::iter::repeat_n(why.to_owned(), 12));
        let text = told(&decision, None, false);
        assert_eq!(text.matches(why).count(), 10, "{text}");
        assert!(text.contains("  and 2 more that did not count\n"), "{text}");
        assert!(!told(&decision, None, true).contains(why), "it is in what was shown");
    }

    #[test]
    fn hostile_findings_are_inert_and_a_pass_says_nothing() {
        assert_inert(&told(&samples::hostile_decision(Verdict::Fail), None, false));
        for verdict in [Verdict::Pass, Verdict::Skip, Verdict::Override, Verdict::Hold] {
            assert_eq!(told(&samples::decision(verdict), None, false), "");
        }
    }
}
