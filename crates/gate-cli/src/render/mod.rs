//! The documents of the tools in every format.
//!
//! Invariants: pure functions; each result ends with a newline and leaves nothing out without saying so; JSON
//! holds the document unchanged; every other format passes all text through [`crate::escape`].
//!
//! Three shapes stand between documents and formats, so that no format knows a document:
//! a [`Sheet`] (text, Markdown, HTML), annotations (GitHub, Azure), and items (SARIF, JUnit, GitLab; `OpenVEX` and in-toto beside them), which
//! exist for decisions only. A tool offers just the formats that fit ([`crate::options::offer`]); asked for
//! another one all the same, a document is written as JSON, which every document has.

mod annotations;
mod blocking;
mod decision;
mod entries;
mod gitlab;
mod grant;
mod html;
mod in_toto;
mod items;
mod junit;
mod markdown;
mod openvex;
mod sarif;
pub mod sheet;
pub mod summary;
mod text;
mod verification;
mod words;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use gate_model::decision::Decision;
use gate_model::grant::Grant;
use gate_model::time::Timestamp;
use gate_model::verification::Verification;

pub use crate::escape::json::{inert_json, json, write_json};
use crate::options::Format;
pub use blocking::told as what_blocks;
pub use entries::{entries, entry, entry_line};
pub use sheet::Sheet;
pub use words::{count, ends, instant, relative};

/// How, and when, somebody looks at a document.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// The terminal's width in columns; `None` where lines may have any length.
    pub width: Option<usize>,
    /// Whether to use colour in text.
    pub colour: bool,
    /// The time, from which relative times count.
    pub now: Timestamp,
}

/// Where a decision is recorded; `nowhere` where it is not.
fn recorded(decision: &Decision, nowhere: &str) -> String {
    match (decision.recorded, decision.waiting) {
        (Some(seq), _) => format!("entry {seq}"),
        (None, true) => "waits to be sent".to_owned(),
        (None, false) => nowhere.to_owned(),
    }
}

/// A decision in `format`. Every format fits; only of `OpenVEX` there may be no document, see [`has_statements`].
pub fn decision(decision: &Decision, format: Format, view: &View) -> String {
    match format {
        Format::Json => format!("{}\n", json(decision)),
        Format::Sarif => format!("{}\n", json(&sarif::log(decision, false))),
        Format::Openvex => {
            openvex::document(decision).map_or_else(String::new, |one| format!("{}\n", json(&one)))
        }
        Format::InToto => format!("{}\n", json(&in_toto::verification_result(decision))),
        Format::Vsa => format!("{}\n", json(&in_toto::verification_summary(decision))),
        Format::Gitlab => format!("{}\n", json(&gitlab::report(decision))),
        Format::Junit => junit::report(decision),
        Format::Github => annotations::github(&annotations::of_decision(decision, view.now)),
        Format::Azure => annotations::azure(&annotations::of_decision(decision, view.now)),
        Format::Text | Format::Markdown | Format::Html => {
            page(&decision::sheet(decision, view.now), format, view)
        }
    }
}

/// Whether `OpenVEX` has a statement to make of `decision`: it asks for at least one in a document.
pub fn has_statements(decision: &Decision) -> bool {
    openvex::document(decision).is_some()
}

/// A decision as SARIF without what was accepted, for platforms that open an alert for a suppressed result.
pub fn sarif_without_waived(decision: &Decision) -> String {
    format!("{}\n", json(&sarif::log(decision, true)))
}

/// An answer of `gate-skip` in `format`: one of [`Format::WITHOUT_FINDINGS`].
pub fn grant(grant: &Grant, format: Format, view: &View) -> String {
    match format {
        Format::Github => annotations::github(&annotations::of_grant(grant, view.now)),
        Format::Azure => annotations::azure(&annotations::of_grant(grant, view.now)),
        Format::Text | Format::Markdown | Format::Html => page(&grant::sheet(grant, view.now), format, view),
        _ => format!("{}\n", json(grant)),
    }
}

/// A verification in `format`: one of [`Format::WITHOUT_FINDINGS`].
pub fn verification(verification: &Verification, format: Format, view: &View) -> String {
    match format {
        Format::Github => annotations::github(&annotations::of_verification(verification)),
        Format::Azure => annotations::azure(&annotations::of_verification(verification)),
        Format::Text | Format::Markdown | Format::Html => {
            page(&verification::sheet(verification), format, view)
        }
        _ => format!("{}\n", json(verification)),
    }
}

/// A sheet as text, Markdown or HTML; as text for every other format, since a sheet is no document.
pub fn page(sheet: &Sheet, format: Format, view: &View) -> String {
    match format {
        Format::Markdown => markdown::page(sheet),
        Format::Html => html::page(sheet),
        _ => text::page(sheet, view),
    }
}
