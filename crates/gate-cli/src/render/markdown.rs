//! A sheet as Markdown, for a step summary or a comment.
//!
//! GitHub drops a step summary above 1 MiB whole (1024 KiB, "Adding a job summary"), so the page stays below
//! that and says how many lines it left out.

use super::sheet::{Body, Part, Sheet};
use crate::escape::markdown::{block, code};

/// The most bytes of a page: 1 MiB less room for the last line.
const MAX_BYTES: usize = 1024 * 1024 - 256;

/// The sheet as Markdown.
pub(super) fn page(sheet: &Sheet) -> String {
    let mut page = Page::default();
    // A heading of Markdown's own would need `##`, which CI systems take for the start of a command.
    page.line(&format!("<h3>{}</h3>\n", code(&sheet.title)));
    if !sheet.facts.is_empty() {
        page.line("| | |");
        page.line("| --- | --- |");
    }
    for (label, value) in &sheet.facts {
        page.line(&format!("| {label} | {} |", code(value)));
    }
    for part in &sheet.parts {
        page.part(part);
    }
    page.finish()
}

/// Lines, up to a limit.
#[derive(Default)]
struct Page {
    text: String,
    left_out: u64,
}

impl Page {
    /// Adds a line, unless one was left out already or this one does not fit.
    fn line(&mut self, line: &str) {
        if self.left_out > 0 || self.text.len() + line.len() + 1 > MAX_BYTES {
            self.left_out += 1;
        } else {
            self.text.push_str(line);
            self.text.push('\n');
        }
    }

    fn part(&mut self, part: &Part) {
        self.line("");
        self.line(&format!("**{}**", code(&part.title)));
        self.line("");
        match &part.body {
            Body::Table { columns, rows } => self.table(columns, rows),
            Body::List(items) => items.iter().for_each(|item| self.line(&format!("- {}", code(item)))),
            Body::Commands(commands) => {
                for (purpose, line) in commands {
                    self.line(&format!("- {}", code(purpose)));
                    if !line.is_empty() {
                        self.line(&format!("\n{}\n", block(line)));
                    }
                }
            }
        }
    }

    fn table(&mut self, columns: &[&str], rows: &[Vec<String>]) {
        self.line(&format!("| {} |", columns.join(" | ")));
        self.line(&format!("|{}", " --- |".repeat(columns.len())));
        for row in rows {
            let cells = row.iter().map(|text| code(text)).collect::<Vec<_>>().join(" | ");
            self.line(&format!("| {cells} |"));
        }
    }

    fn finish(mut self) -> String {
        if self.left_out > 0 {
            let lines = self.left_out;
            self.text.push_str(&format!(
                "\n{lines} more lines do not fit here; the JSON document has them all.\n"
            ));
        }
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, page};
    use crate::render::sheet::{Sheet, Tone};

    #[test]
    fn a_giant_sheet_stays_below_the_limit_and_says_what_is_missing() {
        let mut sheet = Sheet::new("big", Tone::Bad);
        let row = || vec!["error".to_owned(), "|".repeat(1_000)];
        sheet.table("blocking", &["level", "message"], (0..1_000).map(|_| row()).collect());
        let text = page(&sheet);
        assert!(text.len() < 1024 * 1024 && text.len() > MAX_BYTES - 10_000, "{}", text.len());
        let rows = text.matches("| <code>error</code>").count();
        assert!(text.ends_with(&format!(
            "{} more lines do not fit here; the JSON document has them all.\n",
            1_000 - rows
        )));
    }

    #[test]
    fn one_row_above_the_limit_is_left_out() {
        let mut sheet = Sheet::new("big", Tone::Bad);
        sheet.fact("value", "x".repeat(2 * 1024 * 1024));
        assert!(page(&sheet).len() < 1_000);
    }
}
