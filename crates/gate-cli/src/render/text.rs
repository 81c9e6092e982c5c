//! A sheet for a terminal.
//!
//! Every line starts with characters of ours (a label, a border, a dash), and [`inert`] breaks what could be
//! a command, so that a log of it is as safe as the terminal.

use anstyle::{AnsiColor, Style};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};

use super::View;
use super::sheet::{Body, Sheet, Tone};
use crate::escape::{cell, inert};

/// The sheet as lines of text.
pub(super) fn page(sheet: &Sheet, view: &View) -> String {
    let mut out = format!("{}\n", paint(view, style(sheet.tone), &inert(&sheet.title)));
    let width = sheet.facts.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
    for (label, value) in &sheet.facts {
        out.push_str(&format!("  {label:width$}  {}\n", inert(value)));
    }
    for part in &sheet.parts {
        out.push_str(&format!("\n{}\n", paint(view, Style::new().bold(), &inert(&part.title))));
        out.push_str(&match &part.body {
            Body::Table { columns, rows } => table(columns, rows, view),
            Body::List(items) => lines(items.iter().map(|item| format!("  - {}", inert(item)))),
            Body::Commands(commands) => lines(commands.iter().map(|(purpose, line)| command(purpose, line))),
        });
    }
    out
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
