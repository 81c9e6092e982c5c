//! A report as a page that stands alone: no script, nothing loaded from elsewhere, and only its own style.

use gate_cli::escape::inert;
use gate_cli::render;
use gate_workflow::reading::report::{LedgerPart, Report};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{chart, parts, record};

const STYLE: &str = include_str!("style.css");

/// The sections that follow the first one, with the words of their links.
const SECTIONS: [(&str, &str); 8] = [
    ("time", "Over time"),
    ("gates", "By gate"),
    ("people", "By person"),
    ("live", "Live opt-outs"),
    ("open", "Owed and waiting"),
    ("approvals", "Slowest approvals"),
    ("unneeded", "Waivers that nothing needed"),
    ("record", "The record"),
];

/// The page.
pub(super) fn page(report: &Report) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(content_policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { "Ways past the gates" }
                style { (PreEscaped(STYLE)) }
            }
            body { main {
                (head(report))
                (notes(report))
                (parts::tiles(report))
                nav aria-label="Sections" {
                    @for (id, words) in SECTIONS { a href={"#" (id)} { (words) } " " }
                }
                @for (id, words) in SECTIONS {
                    section aria-labelledby=(id) { h2 id=(id) { (words) } (section(id, report)) }
                }
            } }
        }
    };
    format!("{}\n", markup.into_string())
}

/// Nothing may be loaded or run, whatever the page holds, and no style counts but this one.
fn content_policy() -> String {
    use base64::Engine;
    use sha2::Digest;
    let digest = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'")
}

fn section(id: &str, report: &Report) -> Markup {
    match id {
        "time" => over_time(report),
        "gates" => parts::gates(report),
        "people" => parts::people(report),
        "live" => parts::live(report),
        "open" => html! { (parts::reviews(report)) (parts::waiting(report)) },
        "approvals" => parts::approvals(report),
        "unneeded" => parts::unneeded(report),
        _ => record::record(report),
    }
}

fn head(report: &Report) -> Markup {
    let names: Vec<_> = report.ledgers.iter().map(name).collect();
    let from = report.since.map_or_else(|| "the beginning".to_owned(), date);
    let to = date(report.until.unwrap_or(report.at));
    html! {
        header {
            h1 { "Ways past the gates" }
            p.soft { (inert(&names.join(", "))) " · from " (from) " to " (to) " · as of " (render::instant(report.at)) }
        }
    }
}

/// What a ledger is called.
pub(super) fn name(part: &LedgerPart) -> String {
    part.origin.clone().unwrap_or_else(|| format!("ledger {}", part.ledger.get(..8).unwrap_or(&part.ledger)))
}

fn date(at: gate_model::time::Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

/// What somebody should see first: what is overdue, what ends next, and whether the record holds.
fn notes(report: &Report) -> Markup {
    let overdue = report.reviews.iter().filter(|review| review.overdue).count();
    let wrong = report.ledgers.iter().filter(|part| record::is_wrong(part)).count();
    html! {
        ul.notes {
            @if wrong > 0 {
                li.bad { span { (render::count(wrong, "ledger")) " cannot be trusted as read: see " a href="#record" { "the record" } "." } }
            }
            @if overdue > 0 {
                li.bad { span { (render::count(overdue, "review")) " overdue." } }
            }
            @if let Some(next) = report.live.first() {
                li.notable { span {
                    "Next to end: opt-out " (next.opt_out.id) " at " b { (inert(&next.opt_out.gate)) } ", "
                    (render::relative(next.expires, report.at)) "."
                } }
            }
            @if !report.unreadable.is_empty() {
                li.bad { span { (render::count(report.unreadable.len(), "entry of the record")) " cannot be read and is not counted." } }
            }
            @if wrong == 0 && overdue == 0 { li.good { span { "No review is overdue." } } }
        }
    }
}

fn over_time(report: &Report) -> Markup {
    let line = &report.timeline;
    html! {
        @if line.starts.is_empty() {
            p.soft { "Nothing went past a gate, and no opt-out was granted." }
        } @else {
            figure {
                figcaption { "Opt-outs granted, " (chart::slots(line.days)) " a bar: " (chart::legend()) }
                (chart::stacked(line))
            }
            figure {
                figcaption { "Decisions that went past a gate (skipped, overridden, or with findings waived)" }
                (chart::past(line))
            }
            (parts::as_table(line))
        }
    }
}
