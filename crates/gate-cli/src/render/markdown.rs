//! A sheet as Markdown, for a step summary or a comment.
//!
//! A comment on GitHub holds 65,536 characters, and GitLab cuts a long one; a step summary above 1 MiB is dropped whole.
//! So a page stays below 64 KiB, whatever it is for, and says what it left out. What matters most comes first: why, what
//! to do, then the parts; room for the facts, which stand last, is kept free.

use super::sheet::{Body, Group, Part, Sheet, rows_of};
use crate::escape::markdown::{block, code};

/// The most bytes of a page: 64 KiB less room for the last line.
const MAX_BYTES: usize = 64 * 1024 - 256;
/// How many characters of a text in a table or a list are shown.
const MAX_CHARS: usize = 400;
/// How many rows of a group are shown. Groups of more than these rows together are folded.
const MAX_ROWS: usize = 20;

/// The sheet as Markdown.
pub(super) fn page(sheet: &Sheet) -> String {
    let facts = facts(sheet);
    let mut page = Page { room: MAX_BYTES.saturating_sub(facts.len()), ..Page::default() };
    // A heading of Markdown's own would need `##`, which CI systems take for the start of a command.
    page.line(&format!("<h3>{}</h3>", short(&sheet.title)));
    if !sheet.because.is_empty() {
        page.line("");
        page.list(&sheet.because);
    }
    if let Some((title, commands)) = &sheet.todo {
        page.heading(title);
        for (purpose, line) in commands {
            page.command(purpose, line);
        }
    }
    for part in &sheet.parts {
        page.part(part);
    }
    page.finish(&facts)
}

fn facts(sheet: &Sheet) -> String {
    if sheet.facts.is_empty() {
        return String::new();
    }
    let row = |(label, value): &(&str, String)| format!("| {label} | {} |\n", short(value));
    format!("\n| | |\n| --- | --- |\n{}", sheet.facts.iter().map(row).collect::<String>())
}

/// The beginning of `text` as code.
fn short(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => code(&format!("{}…", &text[..end])),
        None => code(text),
    }
}

/// Lines, up to a limit.
#[derive(Default)]
struct Page {
    text: String,
    room: usize,
    left_out: u64,
}

impl Page {
    /// Adds a line, unless it does not fit.
    fn line(&mut self, line: &str) {
        if !self.block(&format!("{line}\n")) {
            self.left_out += 1;
        }
    }

    /// Adds lines that belong together; whether they fit.
    fn block(&mut self, lines: &str) -> bool {
        let fits = self.text.len() + lines.len() <= self.room;
        if fits {
            self.text.push_str(lines);
        }
        fits
    }

    fn heading(&mut self, title: &str) {
        self.line(&format!("\n**{}**\n", short(title)));
    }

    fn list(&mut self, items: &[String]) {
        for item in items {
            self.line(&format!("- {}", short(item)));
        }
    }

    /// A command is there as a whole or not at all: a part of it would ask for something else.
    fn command(&mut self, purpose: &str, line: &str) {
        let line = if line.is_empty() { String::new() } else { format!("\n\n{}\n", block(line)) };
        self.line(&format!("- {}{line}", short(purpose)));
    }

    fn part(&mut self, part: &Part) {
        self.heading(&part.title);
        match &part.body {
            Body::Table { columns, rows } => {
                self.line(&head(columns));
                for row in rows {
                    self.line(&cells(row));
                }
            }
            Body::Groups { key, columns, groups } => self.groups(key, columns, groups),
            Body::List(items) => self.list(items),
        }
    }

    /// Of many rows first how many there are of each group, then each group by itself, folded.
    fn groups(&mut self, key: &str, columns: &[&str], groups: &[Group]) {
        let many = rows_of(groups) > MAX_ROWS;
        if many {
            self.line(&head(&[key, "number"]));
            for group in groups.iter().take(5 * MAX_ROWS) {
                self.line(&cells(&[group.title.clone(), group.rows.len().to_string()]));
            }
            self.rest(groups.len().saturating_sub(5 * MAX_ROWS), "more of these");
        }
        let fitting = groups.iter().take_while(|group| self.block(&one_group(columns, group, many))).count();
        let left_out = groups.get(fitting..).map_or(0, rows_of);
        self.rest(left_out, "more rows do not fit here; the JSON document has them all.");
    }

    fn rest(&mut self, number: usize, what: &str) {
        if number > 0 {
            self.line(&format!("\n{number} {what}"));
        }
    }

    fn finish(mut self, facts: &str) -> String {
        self.text.push_str(facts);
        if self.left_out > 0 {
            let lines = self.left_out;
            self.text.push_str(&format!(
                "\n{lines} more lines do not fit here; the JSON document has them all.\n"
            ));
        }
        self.text
    }
}

/// The first two lines of a table.
fn head(columns: &[&str]) -> String {
    format!("| {} |\n|{}", columns.join(" | "), " --- |".repeat(columns.len()))
}

fn cells(row: &[String]) -> String {
    format!("| {} |", row.iter().map(|text| short(text)).collect::<Vec<_>>().join(" | "))
}

/// A group under its title, folded or open.
fn one_group(columns: &[&str], group: &Group, folded: bool) -> String {
    let rows: Vec<String> = group.rows.iter().take(MAX_ROWS).map(|row| cells(row)).collect();
    let more = match group.rows.len().saturating_sub(MAX_ROWS) {
        0 => String::new(),
        more => format!("\nand {more} more\n"),
    };
    let table = format!("{}\n{}\n{more}", head(columns), rows.join("\n"));
    let title = format!("{} ({})", short(&group.title), group.rows.len());
    if folded {
        format!("\n<details><summary>{title}</summary>\n\n{table}\n</details>\n")
    } else {
        format!("\n{title}\n\n{table}")
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, page};
    use crate::render::sheet::{Group, Sheet, Tone};

    #[test]
    fn a_giant_sheet_stays_below_the_limit_and_says_what_is_missing() {
        let mut sheet = Sheet::new("big", Tone::Bad);
        let row = || vec!["error".to_owned(), "|".repeat(300)];
        sheet.table("blocking", &["level", "message"], (0..1_000).map(|_| row()).collect());
        let text = page(&sheet);
        assert!(text.len() < 64 * 1024 && text.len() > MAX_BYTES - 10_000, "{}", text.len());
        let rows = text.matches("| <code>error</code>").count();
        assert!(text.ends_with(&format!(
            "{} more lines do not fit here; the JSON document has them all.\n",
            1_000 - rows
        )));
    }

    #[test]
    fn groups_that_do_not_fit_are_counted_and_what_follows_is_there() {
        let mut sheet = Sheet::new("big", Tone::Bad);
        sheet.fact("recorded", "entry 1");
        let row = || vec!["|".repeat(2_000)];
        let group = |number| Group { title: format!("R{number}"), rows: (0..100).map(|_| row()).collect() };
        sheet.groups("blocking", "rule", &["message"], (0..50).map(group).collect());
        let text = page(&sheet);
        assert!(text.len() < 64 * 1024, "{}", text.len());
        let shown = text.matches("<details>").count();
        assert_eq!(shown, text.matches("</details>").count());
        assert!(shown > 0 && text.contains(&format!("\n{} more rows do not fit here", 100 * (50 - shown))));
        assert!(text.contains("| <code>R49</code> | <code>100</code> |") && text.contains("entry 1"));
    }

    #[test]
    fn a_long_text_is_cut() {
        let mut sheet = Sheet::new("big", Tone::Bad);
        sheet.fact("value", "x".repeat(2 * 1024 * 1024));
        assert!(page(&sheet).len() < 1_000);
    }
}
