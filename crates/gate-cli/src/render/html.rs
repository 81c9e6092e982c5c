//! A sheet as a page that stands alone: no script, nothing loaded from elsewhere.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::sheet::{Body, Sheet, Tone, rows_of};
use crate::escape::{cell, inert};

/// On a narrow screen a row becomes a block with its labels. Spreadsheets open HTML tables; the last rule makes them take
/// every cell as text.
const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#222;background:#fff}\
h1,h2,summary,li,p{overflow-wrap:anywhere}\
h1.good{color:#176d2c}h1.notable{color:#8a5a00}h1.bad{color:#b3261e}\
table{border-collapse:collapse}th,td{text-align:left;vertical-align:top;border:1px solid #ccc;padding:.2em .6em}\
td,pre,li{overflow-wrap:anywhere}pre{white-space:pre-wrap;background:#f4f4f4;padding:.5em}\
details{margin:.5em 0}summary{cursor:pointer;font-weight:600}\
@media(max-width:40em){body{margin:1em auto}thead{display:none}table,tbody,tr,th,td{display:block;border:0;padding:0}\
tr{border-top:1px solid #888;padding:.4em 0}td:empty{display:none}td[data-label]::before{content:attr(data-label)': ';opacity:.75}}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}pre{background:#262626}th,td{border-color:#555}\
h1.good{color:#7fd494}h1.notable{color:#e5b567}h1.bad{color:#ff8a80}}\
td{mso-number-format:\"\\@\"}";

/// Nothing may be loaded or run, whatever the page holds.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The sheet as an HTML document.
pub(super) fn page(sheet: &Sheet) -> String {
    let title = inert(&sheet.title);
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(CONTENT_POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 class=(class(sheet.tone)) { (title) }
                @if !sheet.because.is_empty() { (list(&sheet.because)) }
                @if let Some((title, commands)) = &sheet.todo {
                    h2 { (title) }
                    @for (purpose, line) in commands {
                        p { (inert(purpose)) }
                        @if !line.is_empty() { pre { (inert(line)) } }
                    }
                }
                @for part in &sheet.parts {
                    h2 { (inert(&part.title)) }
                    (body(&part.body))
                }
                @if !sheet.facts.is_empty() { (facts(sheet)) }
            }
        }
    };
    format!("{}\n", markup.into_string())
}

/// What is known besides, folded where a page has more to say than that.
fn facts(sheet: &Sheet) -> Markup {
    html! {
        details open[sheet.parts.is_empty()] {
            summary { "details" }
            table {
                @for (label, value) in &sheet.facts {
                    tr { th scope="row" { (label) } td { (cell(value)) } }
                }
            }
        }
    }
}

/// How many rows of groups stand open; more of them are folded, a group each.
const OPEN: usize = 20;

fn body(body: &Body) -> Markup {
    match body {
        Body::Table { columns, rows } => table(columns, rows),
        Body::List(items) => list(items),
        Body::Groups { columns, groups, .. } => html! {
            @for group in groups {
                details open[rows_of(groups) <= OPEN] {
                    summary { (inert(&group.title)) " (" (group.rows.len()) ")" }
                    (table(columns, &group.rows))
                }
            }
        },
    }
}

fn list(items: &[String]) -> Markup {
    html! { ul { @for item in items { li { (inert(item)) } } } }
}

fn table(columns: &[&str], rows: &[Vec<String>]) -> Markup {
    html! {
        table {
            thead { tr { @for column in columns { th scope="col" { (column) } } } }
            tbody {
                @for row in rows {
                    tr { @for (column, text) in columns.iter().zip(row) { td data-label=(column) { (cell(text)) } } }
                }
            }
        }
    }
}

const fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Notable => "notable",
        Tone::Bad => "bad",
        Tone::Plain => "plain",
    }
}
