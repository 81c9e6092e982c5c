//! A sheet for a terminal.
//!
//! Every line starts with characters of ours (a label, a border, a dash), and [`inert`] breaks what could be
//! a command, so that a log of it is as safe as the terminal.

use anstyle::{AnsiColor, Style};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};

use super::View;
use super::sheet::{Body, Group, Sheet, Tone, rows_of};
use crate::escape::{cell, inert};

/// The sheet as lines of text.
pub(super) fn page(sheet: &Sheet, view: &View) -> String {
    let mut out = format!("{}\n", paint(view, style(sheet.tone), &inert(&sheet.title)));
    let width = sheet.facts.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
    for (label, value) in &sheet.facts {
        out.push_str(&format!("  {label:width$}  {}\n", inert(value)));
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

/// A table of text from people and reports, at most as wide as the view.
pub(super) fn table(columns: &[&str], rows: &[Vec<String>], view: &View) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    match view.width.and_then(|width| u16::try_from(width).ok()) {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table.set_header(columns.iter().copied());
    for row in rows {
        table.add_row(row.iter().map(|text| cell(text)));
    }
    lines(table.lines().map(|line| line.trim_end().to_owned()))
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
