//! The parts of the page: tiles and tables.

use gate_cli::escape::cell;
use gate_cli::render;
use gate_model::principal::shown;
use gate_model::time::{Timestamp, format_duration};
use gate_workflow::reading::report::{OptOut, Report, Timeline};
use maud::{Markup, html};

use super::chart;
use super::page::name;

/// More rows than this nobody reads on a page; the JSON document has them all.
const MAX_ROWS: usize = 50;
/// A longer reason is cut.
const MAX_REASON: usize = 240;

/// What a column holds, which decides how it is set.
#[derive(Clone, Copy)]
pub(super) enum Column {
    /// Never broken: a number that names something, a word.
    Word(&'static str),
    /// A name of any length.
    Text(&'static str),
    /// Sentences.
    Prose(&'static str),
    Number(&'static str),
    Time(&'static str),
    Spark(&'static str),
}
use Column::{Number, Prose, Spark, Text, Time, Word};

impl Column {
    const fn class(self) -> &'static str {
        match self {
            Word(_) => "word",
            Text(_) => "text",
            Prose(_) => "prose",
            Number(_) => "number",
            Time(_) => "time",
            Spark(_) => "spark",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Word(words) | Text(words) | Prose(words) | Number(words) | Time(words) | Spark(words) => words,
        }
    }
}

/// A table whose first column names the row. Where the page is narrow a row becomes a card, whose cells repeat the
/// words of their columns.
pub(super) fn table(
    columns: &[Column],
    rows: impl ExactSizeIterator<Item = Vec<Markup>>,
    none: &str,
) -> Markup {
    let left_out = rows.len().saturating_sub(MAX_ROWS);
    html! {
        @if rows.len() == 0 {
            p.soft { (none) }
        } @else {
            table {
                thead { tr { @for column in columns { th scope="col" class=(column.class()) { (column.words()) } } } }
                tbody { @for row in rows.take(MAX_ROWS) { (self::row(columns, &row)) } }
            }
            @if left_out > 0 { p.soft { (left_out) " more; gate-log report --format json has them all." } }
        }
    }
}

fn row(columns: &[Column], cells: &[Markup]) -> Markup {
    html! {
        tr {
            @for (place, (column, text)) in columns.iter().zip(cells).enumerate() {
                @if place == 0 { th scope="row" class=(column.class()) { (text) } }
                @else { td class=(column.class()) data-label=(column.words()) { (text) } }
            }
        }
    }
}

pub(super) fn text(value: &str) -> Markup {
    html! { (cell(value)) }
}

pub(super) fn number(value: u64) -> Markup {
    html! { (value) }
}

/// `part` of `whole` in per cent, as far as a person cares.
fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let tenths = (u128::from(part) * 1_000 + u128::from(whole) / 2) / u128::from(whole);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

fn share(part: u64, whole: u64) -> Markup {
    html! { (percent(part, whole)) }
}

fn when(at: Timestamp) -> Markup {
    let instant = render::instant(at);
    html! { time datetime=(instant) { (instant.replace('T', " ").trim_end_matches(":00Z").trim_end_matches('Z')) } }
}

fn when_from(at: Timestamp, now: Timestamp) -> Markup {
    html! { (when(at)) " " span.soft.word { "(" (render::relative(at, now)) ")" } }
}

fn reason(text: &str) -> Markup {
    let mut chars = text.chars();
    let start: String = chars.by_ref().take(MAX_REASON).collect();
    html! { (cell(&start)) @if chars.next().is_some() { "…" } }
}

/// What an opt-out is called: its ID, and its ledger where there are several.
fn called(report: &Report, what: &OptOut) -> Markup {
    let ledger = report.ledgers.get(what.ledger).filter(|_| report.ledgers.len() > 1);
    html! { (what.id) @if let Some(part) = ledger { " " span.soft { (cell(&name(part))) } } }
}

/// The cells that every list of opt-outs begins with.
fn opt_out(report: &Report, what: &OptOut) -> Vec<Markup> {
    vec![called(report, what), text(&what.gate), html! { (what.action.as_str()) }, text(shown(&what.by))]
}

fn with(mut cells: Vec<Markup>, more: impl IntoIterator<Item = Markup>) -> Vec<Markup> {
    cells.extend(more);
    cells
}

/// The figures in large.
pub(super) fn tiles(report: &Report) -> Markup {
    let total = &report.total;
    let overdue = report.reviews.iter().filter(|review| review.overdue).count();
    let tiles = [
        ("Decisions", total.decisions, format!("{} failed, {} held", total.failed, total.held)),
        ("Went past", total.past, format!("{} of decisions", percent(total.past, total.decisions))),
        (
            "Overrides",
            total.overridden,
            format!("{} of decisions", percent(total.overridden, total.decisions)),
        ),
        ("Asked for", total.asked, format!("{} granted, {} of them renewed", total.granted, total.renewed)),
        ("Denied", total.denied, format!("{} of those asked for", percent(total.denied, total.asked))),
        (
            "Break-glass",
            total.break_glass,
            format!("{} of those granted", percent(total.break_glass, total.granted)),
        ),
        (
            "Live now",
            report.live.len() as u64,
            format!("{} waiting", render::count(report.waiting.len(), "request")),
        ),
        ("Reviews owed", report.reviews.len() as u64, format!("{overdue} overdue")),
    ];
    html! {
        dl.tiles { @for (words, number, more) in tiles { div { dt { (words) } dd { (number) } dd { (more) } } } }
    }
}

/// The charts' numbers, for whoever cannot see them.
pub(super) fn as_table(line: &Timeline) -> Markup {
    let columns = [
        Word("from"),
        Number("skip"),
        Number("override"),
        Number("waive"),
        Number("pause"),
        Number("went past"),
    ];
    let any = |slot: usize| line.granted[slot].iter().sum::<u64>() + line.past[slot] > 0;
    let slots: Vec<usize> = (0..line.starts.len()).filter(|slot| any(*slot)).collect();
    let rows = slots.into_iter().map(|slot| {
        let mut cells = vec![text(&line.starts[slot])];
        cells.extend(line.granted[slot].iter().map(|count| number(*count)));
        with(cells, [number(line.past[slot])])
    });
    html! { details { summary { "The same in numbers" } (table(&columns, rows, "")) } }
}

pub(super) fn gates(report: &Report) -> Markup {
    let columns = [
        Text("gate"),
        Number("decisions"),
        Number("failed"),
        Number("went past"),
        Number("past, of decisions"),
        Number("overridden, of decisions"),
        Number("asked for"),
        Number("denied"),
        Number("denied, of asked for"),
        Spark("granted over time"),
    ];
    let rows = report.gates.iter().map(|row| {
        let figures = &row.figures;
        vec![
            text(&row.gate),
            number(figures.decisions),
            number(figures.failed),
            number(figures.past),
            share(figures.past, figures.decisions),
            share(figures.overridden, figures.decisions),
            number(figures.asked),
            number(figures.denied),
            share(figures.denied, figures.asked),
            chart::spark(&row.over_time),
        ]
    });
    table(&columns, rows, "No gate decided anything.")
}

pub(super) fn people(report: &Report) -> Markup {
    let columns = [
        Text("person"),
        Number("asked for"),
        Number("granted"),
        Number("denied"),
        Number("went past by them"),
        Number("overrides"),
        Number("approvals given"),
        Number("reviews given"),
        Spark("granted over time"),
    ];
    let rows = report.people.iter().map(|row| {
        vec![
            text(shown(&row.person)),
            number(row.asked),
            number(row.granted),
            number(row.denied),
            number(row.past),
            number(row.overridden),
            number(row.approved),
            number(row.reviewed),
            chart::spark(&row.over_time),
        ]
    });
    table(&columns, rows, "Nobody asked for an opt-out.")
}

pub(super) fn live(report: &Report) -> Markup {
    let columns = [
        Word("opt-out"),
        Text("gate"),
        Word("action"),
        Text("by"),
        Time("ends"),
        Number("uses"),
        Prose("reason"),
    ];
    let rows = report.live.iter().map(|one| {
        let uses = html! { (one.uses) @if let Some(left) = one.uses_left { " (" (left) " left)" } };
        let rest = [when_from(one.expires, report.at), uses, reason(&one.opt_out.reason)];
        with(opt_out(report, &one.opt_out), rest)
    });
    html! {
        (table(&columns, rows, "None is live."))
        p.soft { "Live by its grant; whether it counts at a gate is decided there, by the policy of that moment." }
    }
}

pub(super) fn reviews(report: &Report) -> Markup {
    let columns = [Word("opt-out"), Text("gate"), Word("action"), Text("by"), Time("due"), Prose("reason")];
    let rows = report.reviews.iter().map(|one| {
        let due =
            html! { @if one.overdue { strong.bad { "overdue " } } (when_from(one.deadline, report.at)) };
        with(opt_out(report, &one.opt_out), [due, reason(&one.opt_out.reason)])
    });
    html! { h3 { "Reviews" } (table(&columns, rows, "None is owed.")) }
}

pub(super) fn waiting(report: &Report) -> Markup {
    let columns = [
        Word("request"),
        Text("gate"),
        Word("action"),
        Text("by"),
        Time("since"),
        Time("lapses"),
        Prose("reason"),
    ];
    let rows = report.waiting.iter().map(|one| {
        let rest = [when(one.since), when_from(one.lapses, report.at), reason(&one.opt_out.reason)];
        with(opt_out(report, &one.opt_out), rest)
    });
    html! { h3 { "Requests" } (table(&columns, rows, "None waits for an approval.")) }
}

pub(super) fn approvals(report: &Report) -> Markup {
    let columns = [
        Word("request"),
        Text("gate"),
        Word("action"),
        Text("by"),
        Time("granted"),
        Number("waited"),
        Prose("reason"),
    ];
    let approvals = &report.approvals;
    let rows = approvals.slowest.iter().map(|one| {
        let rest = [when(one.granted_at), html! { (length(one.seconds)) }, reason(&one.opt_out.reason)];
        with(opt_out(report, &one.opt_out), rest)
    });
    html! {
        @if let (Some(median), Some(ninety)) = (approvals.median, approvals.ninety) {
            p {
                (render::count(approvals.count, "request")) " approved: half within " b { (length(median)) }
                ", nine of ten within " b { (length(ninety)) } ". "
                (render::count(approvals.lapsed, "request")) " lapsed unanswered."
            }
        }
        (table(&columns, rows, "No request had to be approved."))
    }
}

pub(super) fn unneeded(report: &Report) -> Markup {
    let columns = [
        Word("waiver"),
        Text("gate"),
        Text("by"),
        Time("from"),
        Time("to"),
        Number("judged without it"),
        Prose("reason"),
    ];
    let rows = report.unneeded.iter().map(|one| {
        let what = &one.opt_out;
        let begin = vec![called(report, what), text(&what.gate), text(shown(&what.by))];
        let rest = [when(one.from), when_from(one.to, report.at), number(one.judged), reason(&what.reason)];
        with(begin, rest)
    });
    table(&columns, rows, "Each waiver was used, or its gate was not judged meanwhile.")
}

/// A length of time, without seconds where they do not matter.
fn length(seconds: u64) -> String {
    format_duration(if seconds < 3_600 { seconds } else { seconds - seconds % 60 })
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn a_share_of_nothing_is_no_number() {
        assert_eq!(percent(1, 0), "–");
        assert_eq!((percent(1, 3).as_str(), percent(3, 3).as_str()), ("33.3 %", "100.0 %"));
    }
}
