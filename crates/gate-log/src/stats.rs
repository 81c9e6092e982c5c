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

const GATES: [&str; 11] = columns("gate");
const PRINCIPALS: [&str; 11] = columns("principal");

/// What is counted, by `whose`.
const fn columns(whose: &'static str) -> [&'static str; 11] {
    [
        whose,
        "decisions",
        "passed",
        "failed",
        "held",
        "went past",
        "share past",
        "opt-outs",
        "renewed",
        "denials",
        "pending",
    ]
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
    let gates = stats.gates.iter().map(|gate| row(&gate.gate, &gate.counts)).collect();
    sheet.table("Gates", &GATES, gates);
    let principals = stats.principals.iter().map(|one| row(&one.principal, &one.counts)).collect();
    sheet.table("Principals", &PRINCIPALS, principals);
    sheet
}

/// What is in an archive, in half a sentence.
pub(crate) fn archived(archived: Archived) -> String {
    let Archived { entries, before } = archived;
    let verb = if entries == 1 { "is" } else { "are" };
    format!("{} before {before} {verb} in an archive", render::count(entries, "entry"))
}

fn row(name: &str, counts: &Counts) -> Vec<String> {
    let verdict = |word: &str| counts.verdicts.get(word).copied().unwrap_or_default();
    let numbers = [counts.decisions, verdict("pass"), verdict("fail"), verdict("hold"), counts.uses];
    let rest = [counts.opt_outs, counts.renewals, counts.denials, counts.requests];
    let mut row = vec![name.to_owned()];
    row.extend(numbers.map(|number| number.to_string()));
    row.push(counts.rate.map_or_else(String::new, percent));
    row.extend(rest.map(|number| number.to_string()));
    row
}

fn percent(rate: f64) -> String {
    format!("{:.2} %", rate * 100.0)
}
