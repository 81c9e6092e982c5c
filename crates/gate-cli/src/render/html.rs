//! A sheet as a page that stands alone: no script, nothing loaded from elsewhere.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::sheet::{Body, Sheet, Tone};
use crate::escape::{cell, inert};

/// Spreadsheets open HTML tables; the last rule makes them take every cell as text.
const STYLE: &str = "\
body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#222;background:#fff}\
h1.good{color:#176d2c}h1.notable{color:#8a5a00}h1.bad{color:#b3261e}\
table{border-collapse:collapse}th,td{text-align:left;vertical-align:top;border:1px solid #ccc;padding:.2em .6em}\
td,pre,li{overflow-wrap:anywhere}pre{white-space:pre-wrap;background:#f4f4f4;padding:.5em}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}pre{background:#262626}\
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
                meta name="viewport" content="width=device-width";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 class=(class(sheet.tone)) { (title) }
                table {
                    @for (label, value) in &sheet.facts {
                        tr { th scope="row" { (label) } td { (cell(value)) } }
                    }
                }
                @for part in &sheet.parts {
                    h2 { (inert(&part.title)) }
                    (body(&part.body))
                }
            }
        }
    };
    format!("{}\n", markup.into_string())
}

fn body(body: &Body) -> Markup {
    html! {
        @match body {
            Body::Table { columns, rows } => table {
                thead { tr { @for column in *columns { th scope="col" { (column) } } } }
                tbody { @for row in rows { tr { @for text in row { td { (cell(text)) } } } } }
            },
            Body::List(items) => ul { @for item in items { li { (inert(item)) } } },
            Body::Commands(commands) => @for (purpose, line) in commands {
                p { (inert(purpose)) }
                @if !line.is_empty() { pre { (inert(line)) } }
            },
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
