//! The list of gates and live opt-outs.

use gate_cli::Io;
use gate_cli::options::{Format, OutputOptions};
use gate_cli::render::sheet::Tone;
use gate_cli::render::{self, Sheet, View};
use gate_workflow::overview::{self, GateView, OptOutView, Overview};
use gate_workflow::workspace::Workspace;

use gate_cli::Stop;

/// Shows the gates. Returns how old what is shown is, where the ledger's remote could not be reached.
///
/// # Errors
/// A [`Stop`].
pub(crate) fn show(
    workspace: &Workspace<'_>,
    io: &mut Io<'_>,
    view: &View,
    format: Format,
) -> Result<Option<String>, Stop> {
    let overview = overview::read(workspace)?;
    let stale = workspace.stale()?;
    let text = match format {
        Format::Text | Format::Markdown | Format::Html => render::page(&sheet(&overview, view), format, view),
        _ => render::json(&overview) + "\n",
    };
    io.show(&text);
    Ok(stale)
}

/// The formats of a list.
pub(crate) const FORMATS: [Format; 4] = [Format::Json, Format::Text, Format::Markdown, Format::Html];

/// A list is no set of findings, so the formats of CI systems do not fit it; and it goes to one place.
///
/// # Errors
/// A [`Stop`].
pub(crate) fn check_format(output: &OutputOptions) -> Result<(), Stop> {
    if output.format.iter().any(|outputs| !outputs.files.is_empty()) {
        return Err(Stop::usage(
            "--list has one result, for standard output\nleave =FILE out of --format, or redirect it",
        ));
    }
    match output.asked() {
        None => Ok(()),
        Some(format) if FORMATS.contains(&format) => Ok(()),
        Some(other) => Err(Stop::usage(format!(
            "--list cannot be written as {}\nuse --format json, text, markdown or html",
            other.as_str()
        ))),
    }
}

fn sheet(overview: &Overview, view: &View) -> Sheet {
    let mut sheet = Sheet::new(render::count(overview.gates.len(), "gate"), Tone::Plain);
    sheet.fact("policy", format!("{} ({})", overview.policy.digest, overview.policy.source));
    let rows = overview.gates.iter().map(|gate| gate_row(gate, view)).collect();
    sheet.table("Gates", &["gate", "severity", "blocks from", "ways past", "live", "mode"], rows);
    let opt_outs =
        overview.gates.iter().flat_map(|gate| gate.opt_outs.iter().map(move |opt_out| (gate, opt_out)));
    let mut opt_outs: Vec<_> = opt_outs.collect();
    opt_outs.sort_by_key(|(_, opt_out)| (opt_out.expires.is_none(), opt_out.expires));
    let rows = opt_outs.iter().map(|(gate, opt_out)| opt_out_row(gate, opt_out, view)).collect();
    sheet.table(
        "Live opt-outs, the next to end first",
        &["id", "gate", "action", "by", "ends", "counts here", "reason"],
        rows,
    );
    sheet.list(
        "What the commit asks for",
        overview.gates.iter().flat_map(|gate| gate.trailers.clone()).collect(),
    );
    sheet
}

fn gate_row(gate: &GateView, view: &View) -> Vec<String> {
    let allows: Vec<&str> = gate.allows.iter().map(|action| action.as_str()).collect();
    let allows = if allows.is_empty() { "nothing".to_owned() } else { allows.join(", ") };
    let live = gate.opt_outs.len().to_string();
    let enforced = || "enforced".to_owned();
    let mode = gate
        .observed_until
        .map_or_else(enforced, |until| format!("observed until {}", render::ends(until, view.now)));
    vec![gate.gate.clone(), gate.severity.to_string(), gate.fail_on.to_string(), allows, live, mode]
}

fn opt_out_row(gate: &GateView, opt_out: &OptOutView, view: &View) -> Vec<String> {
    let unknown = || "?".to_owned();
    vec![
        opt_out.id.to_string(),
        gate.gate.clone(),
        opt_out.action.map_or_else(unknown, |action| action.to_string()),
        opt_out.by.clone().unwrap_or_else(unknown),
        opt_out.expires.map_or_else(unknown, |expires| render::ends(expires, view.now)),
        opt_out.note.clone().map_or_else(|| "yes".to_owned(), |note| format!("no: {note}")),
        opt_out.reason.clone().unwrap_or_else(unknown),
    ]
}
