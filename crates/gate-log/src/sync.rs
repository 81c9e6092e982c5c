//! Bringing a working copy up to date, and sending what waits in it; saying where a remote stands.

use std::path::Path;

use gate_cli::Io;
use gate_cli::options::Format;
use gate_cli::render::sheet::Tone;
use gate_cli::render::{self, Sheet};
use gate_workflow::remote::{State, Synced};
use gate_workflow::workspace::Workspace;

use crate::session::Log;
use gate_cli::Stop;

/// Takes over what the remote has, and sends the decisions that wait: those of the working copy, and those in the
/// file `from`.
///
/// # Errors
/// A [`Stop`]; then whatever was not sent still waits.
pub(crate) fn sync(log: &Log<'_>, from: Option<&Path>, io: &mut Io<'_>) -> Result<(), Stop> {
    let from = from.map(|path| log.session.env.cwd.join(path));
    // Whose policy it is does not matter: the chain is what is checked.
    let synced = Workspace::unguarded(log.place())?.sync(from.as_deref())?;
    log.session.report(&synced, &summary(&synced), io);
    Ok(())
}

fn summary(synced: &Synced) -> String {
    let sent = render::count(synced.sent, "decision");
    format!("up to date at entry {}: {} new, {sent} sent", synced.head.seq, synced.received)
}

/// Shows where the remote is, how far it and the working copy are, and what it can.
///
/// # Errors
/// A [`Stop`]; a remote that cannot be reached is none, it is shown.
pub(crate) fn remote(log: &Log<'_>, io: &mut Io<'_>) -> Result<(), Stop> {
    let state = Workspace::unguarded(log.place())?.remote_state()?;
    let text = match log.session.format(io) {
        Format::Text => render::page(&sheet(&state), Format::Text, &log.session.view(io)),
        _ => render::json(&state) + "\n",
    };
    io.show(&text);
    let reached = if state.unreachable.is_none() { "reached" } else { "out of reach" };
    log.session.summary(
        io,
        &format!("the remote is {reached}; {} to be sent", render::count(state.waiting, "decision")),
    );
    Ok(())
}

fn sheet(state: &State) -> Sheet {
    let tone = if state.unreachable.is_none() { Tone::Good } else { Tone::Notable };
    let mut sheet = Sheet::new("remote ledger", tone);
    sheet.fact("address", state.address.clone());
    if let Some(place) = &state.place {
        sheet.fact("place", place.clone());
    }
    match (&state.unreachable, &state.head) {
        (Some(why), _) => sheet.fact("out of reach", why.clone()),
        (None, Some(head)) => sheet.fact("newest entry", head.seq.to_string()),
        (None, None) => sheet.fact("newest entry", "there is no ledger yet".to_owned()),
    }
    sheet.fact("can", if state.can.is_empty() { "keep order".to_owned() } else { state.can.join(", ") });
    sheet.fact("working copy", state.copy.clone());
    sheet.fact(
        "as far as",
        state.copied.as_ref().map_or("nothing yet".to_owned(), |head| head.seq.to_string()),
    );
    sheet.fact("waiting", state.waiting.to_string());
    sheet
}
