//! Counts, as a document or as tables.

use std::ops::ControlFlow;
use std::path::PathBuf;

use gate_cli::Io;
use gate_cli::options::Format;
use gate_cli::render::sheet::Tone;
use gate_cli::render::{self, Sheet};
use gate_workflow::reading::stats::{self, Archived, Counting, Counts, Stats};

use crate::args::SpanArgs;
use crate::exports;
use crate::session::Log;
use gate_cli::Stop;

/// The columns of both tables, of gates and of principals.
const GATES: ([&str; 7], [&str; 5]) = columns("gate");
const PRINCIPALS: ([&str; 7], [&str; 5]) = columns("principal");

/// What is counted of decisions and of opt-outs, by `whose`: in two tables, since the counts of one have no room beside
/// each other on most terminals.
const fn columns(whose: &'static str) -> ([&'static str; 7], [&'static str; 5]) {
    (
        [whose, "decisions", "passed", "failed", "held", "went past", "share past"],
        [whose, "opt-outs", "renewed", "denials", "pending"],
    )
}

/// Counts the entries of `span`, in the ledger or in `exports`.
///
/// # Errors
/// A [`Stop`].
pub(crate) fn show(log: &Log<'_>, exports: &[PathBuf], span: &SpanArgs, io: &mut Io<'_>) -> Result<(), Stop> {
    let now = log.session.now();
    let stats = if exports.is_empty() {
        stats::read(&log.ledger()?, span.ends(now), now)?
    } else {
        let mut counting = Counting::new(span.ends(now));
        exports::records(&log.session.env.cwd, exports, &mut *io.stdin, &mut |record| {
            counting.take(record)?;
            Ok(ControlFlow::Continue(()))
        })?;
        counting.finish(now)
    };
    let text = match log.session.format(io) {
        Format::Text => render::page(&sheet(&stats), Format::Text, &log.session.view(io)),
        _ => render::json(&stats) + "\n",
    };
    io.show(&text);
    Ok(())
}

fn sheet(stats: &Stats) -> Sheet {
    let mut sheet = Sheet::new(render::count(stats.entries, "entry"), Tone::Plain);
    sheet.maybe("ledger", stats.ledger.clone());
    sheet.maybe("ledgers", (!stats.ledgers.is_empty()).then(|| stats.ledgers.join(", ")));
    sheet.maybe("since", stats.since.map(render::instant));
    sheet.maybe("until", stats.until.map(render::instant));
    sheet.maybe("archived", stats.archived.map(archived));
    sheet.fact("decisions", stats.total.decisions.to_string());
    sheet.fact("opt-outs", stats.total.opt_outs.to_string());
    sheet.maybe("share past", stats.total.rate.map(percent));
    let gates = stats.gates.iter().map(|gate| (gate.gate.as_str(), &gate.counts)).collect::<Vec<_>>();
    tables(&mut sheet, ("Gates", &GATES), &gates);
    let people = stats.principals.iter().map(|one| (one.principal.as_str(), &one.counts)).collect::<Vec<_>>();
    tables(&mut sheet, ("Principals", &PRINCIPALS), &people);
    sheet
}

fn tables(
    sheet: &mut Sheet,
    (title, columns): (&str, &'static ([&str; 7], [&str; 5])),
    counted: &[(&str, &Counts)],
) {
    let rows = |cells: fn(&Counts) -> Vec<String>| {
        counted.iter().map(|(name, counts)| [vec![(*name).to_owned()], cells(counts)].concat()).collect()
    };
    sheet.table(title, &columns.0, rows(decisions));
    sheet.table(&format!("{title}: opt-outs"), &columns.1, rows(opt_outs));
}

/// What is in an archive, in half a sentence.
pub(crate) fn archived(archived: Archived) -> String {
    let Archived { entries, before } = archived;
    let verb = if entries == 1 { "is" } else { "are" };
    format!("{} before {before} {verb} in an archive", render::count(entries, "entry"))
}

fn decisions(counts: &Counts) -> Vec<String> {
    let verdict = |word: &str| counts.verdicts.get(word).copied().unwrap_or_default();
    let numbers = [counts.decisions, verdict("pass"), verdict("fail"), verdict("hold"), counts.uses];
    let share = counts.rate.map_or_else(String::new, percent);
    numbers.iter().map(ToString::to_string).chain([share]).collect()
}

fn opt_outs(counts: &Counts) -> Vec<String> {
    let numbers = [counts.opt_outs, counts.renewals, counts.denials, counts.requests];
    numbers.iter().map(ToString::to_string).collect()
}

fn percent(rate: f64) -> String {
    format!("{:.2} %", rate * 100.0)
}

#[cfg(test)]
mod tests {
    use super::{GATES, PRINCIPALS};

    #[test]
    fn each_table_has_room_on_a_terminal_of_eighty_columns() {
        for (decisions, opt_outs) in [GATES, PRINCIPALS] {
            for columns in [&decisions[..], &opt_outs[..]] {
                // A space on both sides of each column, its border, and a name of a dozen letters.
                let width =
                    columns.iter().skip(1).map(|heading| heading.len() + 3).sum::<usize>() + 12 + 3 + 1;
                assert!(width <= 80, "{width}: {columns:?}");
            }
        }
    }
}
