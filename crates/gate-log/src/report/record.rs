//! The state of the record: the part of the page that says how far the rest can be trusted.

use gate_cli::escape::cell;
use gate_workflow::reading::report::{LedgerPart, Report};
use maud::{Markup, html};

use super::page::name;
use super::parts::Column::{Number, Prose, Text};
use super::parts::{number, table, text};

/// Whether a ledger's entries do not hang together, or gate-verify said no.
pub(super) fn is_wrong(part: &LedgerPart) -> bool {
    let denied = part.verification.as_ref().is_some_and(|given| !given.ok);
    part.broken.is_some() || denied || part.verification_is_of_this == Some(false)
}

/// Each ledger, how far its entries hang together, and what gate-verify said.
pub(super) fn record(report: &Report) -> Markup {
    let columns = [
        Text("ledger"),
        Text("id"),
        Number("entries"),
        Text("newest entry"),
        Prose("chain"),
        Prose("gate-verify"),
    ];
    let rows = report.ledgers.iter().map(|part| {
        let head = html! { (part.head.seq) " " code { (part.head.hash) } };
        vec![
            text(&name(part)),
            html! { code { (part.ledger) } },
            number(part.entries),
            head,
            chain(part),
            verified(part),
        ]
    });
    table(&columns, rows, "No ledger was read.")
}

fn chain(part: &LedgerPart) -> Markup {
    html! {
        @if let Some(broken) = &part.broken { strong.bad { "broken" } " " (cell(broken)) }
        @else if part.missing > 0 {
            span.notable { (part.missing) " missing" } ", archived or left out; the rest hangs together"
        }
        @else { span.good { "whole" } " as read here" }
    }
}

fn verified(part: &LedgerPart) -> Markup {
    let Some(given) = &part.verification else {
        return html! { span.notable { "not given" } ": whether the end was cut off is unknown (--verification FILE)" };
    };
    let anchored = given.anchored.as_ref();
    html! {
        @if part.verification_is_of_this == Some(false) { strong.bad { "of another history" } ": its head is not among these entries" }
        @else if given.ok { span.good { "ok" } ", " (given.entries) " entries" }
        @else { strong.bad { "not ok" } @if let Some(bad) = &given.first_bad { ": entry " (bad.seq) ", " (cell(&bad.reason)) } }
        "; "
        @match anchored {
            Some(anchor) => { "anchored up to " (anchor.size) " by " (cell(&anchor.origin)) }
            None => span.notable { "unanchored" }
        }
        @if let Some(replay) = &given.replay { "; replay: " (replay.disagreements.len()) " disagreements of " (replay.judged) " judged" }
    }
}
