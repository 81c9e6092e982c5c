//! A sheet for a terminal.
//!
//! Every line starts with characters of ours (a label, a border, a dash), and [`inert`] breaks what could be
//! a command, so that a log of it is as safe as the terminal.

use anstyle::{AnsiColor, Style};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width};

use super::View;
use super::sheet::{Body, Group, Sheet, Tone, rows_of};
use crate::escape::{cell, inert};

/// The sheet as lines of text.
pub(super) fn page(sheet: &Sheet, view: &View) -> String {
    let mut out = format!("{}\n", paint(view, style(sheet.tone), &inert(&sheet.title)));
    let width = sheet.facts.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
    for (label, value) in &sheet.facts {
        out.push_str(&labelled(label, width, &inert(value), view.width));
    }
    let mut part = |title: &str, body: String| {
        out.push_str(&format!("\n{}\n{body}", paint(view, Style::new().bold(), &inert(title))));
    };
    if !sheet.because.is_empty() {
        part("because", list(&sheet.because));
    }
    for one in &sheet.parts {
        part(&one.title, body(&one.body, view));
    }
    if let Some((title, commands)) = &sheet.todo {
        part(title, lines(commands.iter().map(|(purpose, line)| command(purpose, line))));
    }
    out
}

fn body(body: &Body, view: &View) -> String {
    match body {
        Body::Table { columns, rows } => table(columns, rows, view),
        Body::Groups { key, columns, groups } => grouped(key, columns, groups, view),
        Body::List(items) => list(items),
    }
}

fn list(items: &[String]) -> String {
    lines(items.iter().map(|item| format!("  - {}", inert(item))))
}

/// How many rows of groups are shown, of many.
const SHOWN: usize = 20;

/// All rows in one table. Of many, how many there are of each group, and the gravest of them: a thousand rows on a
/// terminal are read by nobody, and other formats have them.
fn grouped(key: &'static str, columns: &[&'static str], groups: &[Group], view: &View) -> String {
    let row = |group: &Group, row: &Vec<String>| {
        std::iter::once(group.title.clone()).chain(row.iter().cloned()).collect::<Vec<_>>()
    };
    let rows = groups.iter().flat_map(|group| group.rows.iter().map(move |one| row(group, one)));
    let columns: Vec<&str> = std::iter::once(key).chain(columns.iter().copied()).collect();
    let all = rows_of(groups);
    if all <= SHOWN {
        return table(&columns, &rows.collect::<Vec<_>>(), view);
    }
    let counts: Vec<Vec<String>> = groups
        .iter()
        .take(SHOWN)
        .map(|group| vec![group.title.clone(), group.rows.len().to_string()])
        .collect();
    let counted = table(&[key, "number"], &counts, view);
    let more = match groups.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!("  and {more} more of these\n"),
    };
    let shown = table(&columns, &rows.take(SHOWN).collect::<Vec<_>>(), view);
    format!("{counted}{more}{shown}  and {} more; --format json or html has them all\n", all - SHOWN)
}

/// Below this width a table is written as blocks, one for each row.
const NARROW: usize = 60;
/// Columns of running text, whose longest words may be broken where there is no room for them.
const RUNNING: [&str; 7] = ["message", "reason", "note", "where", "what", "remedy", "counts here"];
/// The room that a column of running text needs at least.
const WORD: usize = 20;
/// What is left between columns without borders.
const GAP: usize = 2;

/// A table of text from people and reports, at most as wide as the view. No time, number, name or heading is broken:
/// where they have no room beside each other, running text stands below its row, and where that is not enough each row is
/// a block of lines. Columns without a word in them are left out.
pub(super) fn table(columns: &[&str], rows: &[Vec<String>], view: &View) -> String {
    let told = |column: &usize| rows.iter().any(|row| row.get(*column).is_some_and(|text| !text.is_empty()));
    let kept: Vec<usize> = (0..columns.len()).filter(told).collect();
    let columns: Vec<&str> = kept.iter().filter_map(|column| columns.get(*column).copied()).collect();
    let shown =
        |row: &Vec<String>| kept.iter().zip(&columns).map(|(at, heading)| shown(row, *at, heading)).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(shown).collect();
    fitted(&columns, &rows, view.width).replace(JOINED, " ")
}

/// What joins words that stay on one line, until all lines are drawn.
const JOINED: char = '\u{a0}';
/// Columns of times with how far they are.
const TIMES: [&str; 4] = ["ends", "until", "lapses", "deadline"];

/// The text of a cell, made inert; how far a time is, `(in 3h 59m)`, stays whole.
fn shown(row: &[String], at: usize, heading: &str) -> String {
    let text = row.get(at).map_or_else(String::new, |text| cell(text));
    match text.split_once('(').filter(|_| TIMES.contains(&heading)) {
        Some((time, far)) => format!("{time}({}", far.replace(' ', JOINED.encode_utf8(&mut [0; 4]))),
        None => text,
    }
}

fn fitted(columns: &[&str], rows: &[Vec<String>], width: Option<usize>) -> String {
    let Some(width) = width else { return drawn(columns, rows, None) };
    let least: Vec<usize> = (0..columns.len()).map(|column| least_width(columns, rows, column)).collect();
    // Each column has a space on both sides and a border.
    let needed = least.iter().sum::<usize>() + 3 * least.len() + 1;
    if width >= NARROW && needed <= width {
        return drawn(columns, rows, Some((width, &least)));
    }
    let hung = if width < NARROW { None } else { hanging(columns, rows, width) };
    hung.unwrap_or_else(|| blocks(columns, rows, width))
}

/// Rows of what is short, without borders, with the running text of each below it and a name that is too long for its
/// column above it; nothing where that has no room either.
fn hanging(columns: &[&str], rows: &[Vec<String>], width: usize) -> Option<String> {
    let is_running = |column: &usize| columns.get(*column).is_some_and(|heading| RUNNING.contains(heading));
    let (running, short): (Vec<usize>, Vec<usize>) = (0..columns.len()).partition(is_running);
    let text = |row: &[String], column: usize| row.get(column).cloned().unwrap_or_default();
    let heading = |column: usize| columns.get(column).copied().unwrap_or_default().to_owned();
    let widest = |column: &usize| {
        let cells = rows.iter().map(|row| text(row, *column).chars().count());
        cells.chain([heading(*column).chars().count()]).max().unwrap_or(0)
    };
    let mut widths: Vec<usize> = short.iter().map(widest).collect();
    let first = widths.first_mut()?;
    let others = short.iter().skip(1).map(|column| widest(column) + GAP).sum::<usize>() + GAP;
    *first = (*first).min(width.checked_sub(others)?);
    if *first < heading(*short.first()?).chars().count() {
        return None;
    }
    let first = *first;
    let line = |cells: &dyn Fn(usize) -> String| {
        let padded = short.iter().zip(&widths).map(|(column, width)| {
            let cell = Some(cells(*column)).filter(|cell| cell.chars().count() <= *width).unwrap_or_default();
            format!("  {cell:width$}")
        });
        padded.collect::<String>().trim_end().to_owned() + "\n"
    };
    let labels = running.iter().map(|column| heading(*column).len()).max().unwrap_or(0);
    let mut out = line(&heading);
    for row in rows {
        let long = short.first().map(|column| text(row, *column)).filter(|name| name.chars().count() > first);
        out.extend(long.map(|name| format!("  {name}\n")));
        out.push_str(&line(&|column| text(row, column)));
        for column in running.iter().filter(|column| !text(row, **column).is_empty()) {
            // One sort of text needs no label on each line.
            let label = if running.len() > 1 { heading(*column) } else { String::new() };
            let labels = if running.len() > 1 { labels } else { 0 };
            out.push_str(&labelled(&format!("  {label}"), labels + 2, &text(row, *column), Some(width)));
        }
    }
    Some(out)
}

/// The width of a column's heading, or of the longest word below it.
fn least_width(columns: &[&str], rows: &[Vec<String>], column: usize) -> usize {
    let heading = columns.get(column).copied().unwrap_or_default();
    let most = if RUNNING.contains(&heading) { WORD } else { usize::MAX };
    let longest = |text: &str| text.split(' ').map(|word| word.chars().count()).max().unwrap_or(0);
    let cells = rows.iter().filter_map(|row| row.get(column)).map(|text| longest(text).min(most));
    cells.chain([heading.chars().count()]).max().unwrap_or(0)
}

fn drawn(columns: &[&str], rows: &[Vec<String>], fitted: Option<(usize, &[usize])>) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(columns.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    match fitted.and_then(|(width, least)| Some((u16::try_from(width).ok()?, least))) {
        Some((width, least)) => {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
            for (column, least) in table.column_iter_mut().zip(least) {
                let least = Width::Fixed(u16::try_from(least + 2).unwrap_or(u16::MAX));
                column.set_constraint(ColumnConstraint::LowerBoundary(least));
            }
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    lines(table.lines().map(|line| line.trim_end().to_owned()))
}

/// Each row as lines of a heading and a value; what is empty is left out.
fn blocks(columns: &[&str], rows: &[Vec<String>], width: usize) -> String {
    let labels = columns.iter().map(|label| label.len()).max().unwrap_or(0);
    let block = |row: &Vec<String>| {
        let named = columns.iter().zip(row).filter(|(_, value)| !value.is_empty());
        named.map(|(label, value)| labelled(label, labels, value, Some(width))).collect::<String>()
    };
    rows.iter().map(block).collect::<Vec<_>>().join("\n")
}

/// `  label  value`, further lines of the value below its first. Only a word that is longer than a line is broken, and that
/// by the terminal.
fn labelled(label: &str, labels: usize, value: &str, width: Option<usize>) -> String {
    let mut out = String::new();
    let start = labels + 4;
    let mut line = format!("  {label:labels$}  ");
    let mut is_empty = true;
    for word in value.split(' ') {
        let fits = width.is_none_or(|width| line.chars().count() + 1 + word.chars().count() <= width);
        if !is_empty && !fits {
            out.push_str(line.trim_end());
            out.push('\n');
            line = " ".repeat(start);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    out.push_str(line.trim_end());
    out.push('\n');
    out
}

fn command(purpose: &str, line: &str) -> String {
    let line = if line.is_empty() { String::new() } else { format!("\n      {}", inert(line)) };
    format!("  - {}{line}", inert(purpose))
}

/// Each line with its newline.
fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.fold(String::new(), |text, line| text + &line + "\n")
}

fn style(tone: Tone) -> Style {
    let colour = match tone {
        Tone::Good => AnsiColor::Green,
        Tone::Notable => AnsiColor::Yellow,
        Tone::Bad => AnsiColor::Red,
        Tone::Plain => return Style::new().bold(),
    };
    colour.on_default().bold()
}

fn paint(view: &View, style: Style, text: &str) -> String {
    if view.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
}
