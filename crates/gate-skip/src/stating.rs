//! Acts that are signed here, to be submitted elsewhere.
//!
//! Whoever signs sees what it is about: the entry is shown before the key is used. Where neither the ledger nor a file
//! with the entry is at hand its hash alone is signed, and a warning says so.

use std::path::Path;

use gate_cli::render::{self, View};
use gate_cli::{Failure, Io};
use gate_judge::signatures::MAX_WAIT;
use gate_judge::statement::Statement;
use gate_ledger::entry::{Entry, EntryHash};
use gate_ledger::store::Ledger;
use gate_model::exit::Exit;
use gate_model::payload::Verb;
use gate_workflow::admission::TransactError;
use gate_workflow::signing::SigningError;
use gate_workflow::{ledger_access, sealing};

use crate::acting::{self, Words};
use crate::args::SigningArgs;
use crate::asking::is_file;
use crate::documents;
use crate::run::{Skip, TOOL};
use gate_cli::Stop;

/// Signs `verb` on the entry that `id` names.
///
/// # Errors
/// A [`Stop`]; then nothing was signed.
pub(crate) fn state(
    skip: &Skip<'_>,
    verb: Verb,
    id: &str,
    words: &Words,
    signing: &SigningArgs,
    io: &mut Io<'_>,
) -> Result<Statement, Stop> {
    let ledger = skip.at_hand()?;
    let view = ledger.as_ref().map(Ledger::view);
    let (subject, entry) = match (verb, &view) {
        (Verb::Resume, Some(view)) if skip.workspace.loaded.policy.gate(id).is_ok() => {
            let none =
                || Stop::usage(format!("gate '{id}' is not paused: nothing to resume, nothing signed"));
            named(acting::newest_pause(skip, view, id)?.ok_or_else(none)?)
        }
        _ if is_file(id) => named(documents::entry(Path::new(id), skip.cwd, io)?),
        (_, Some(view)) => named(acting::find(view, id)?),
        (_, None) => (whole_hash(id)?, None),
    };
    show(skip, entry.as_ref(), &subject, io)?;
    let signer = skip.signer(signing);
    let now = skip.workspace.now();
    let mut statement = Statement {
        ledger: entry.map(|entry| entry.ledger),
        subject: subject.to_string(),
        stated_at: Some(now),
        submit_by: Some(now.plus(MAX_WAIT).ok_or(SigningError::Time)?),
        ..words.statement(verb)
    };
    statement.by = signer.claimed(statement.namespace())?;
    sealing::statement(&mut statement, ledger_access::privacy(&skip.workspace.loaded), view.as_ref())?;
    Ok(signer.statement(statement)?.0)
}

fn named(entry: Entry) -> (EntryHash, Option<Entry>) {
    (entry.hash, Some(entry))
}

fn whole_hash(id: &str) -> Result<EntryHash, Stop> {
    let written = if id.starts_with("b3:") { id.to_owned() } else { format!("b3:{id}") };
    written.parse().map_err(|_| {
        Stop::usage(format!(
            "there is no ledger here in which to look for '{id}'\n\
             name the entry by its whole hash, b3: and 64 digits, or by a file with what gate-log show prints of it"
        ))
    })
}

fn show(skip: &Skip<'_>, entry: Option<&Entry>, subject: &EntryHash, io: &mut Io<'_>) -> Result<(), Stop> {
    let Some(entry) = entry else {
        let text = format!(
            "entry {subject} is not at hand: its hash alone is signed, and what it stands for is not shown\n\
             to see it first, name a file with what gate-log show prints of it"
        );
        io.tell(&Failure::from_error(TOOL, Exit::Proceed, &text).as_warning().render());
        return Ok(());
    };
    io.tell(&text(skip, entry)?);
    Ok(())
}

/// An entry as people read it.
///
/// # Errors
/// A [`Stop`] where its line is no JSON.
pub(crate) fn text(skip: &Skip<'_>, entry: &Entry) -> Result<String, Stop> {
    let value = serde_json::from_str(&entry.line()).map_err(TransactError::from)?;
    let view = View { width: None, colour: false, now: skip.workspace.now() };
    Ok(render::entry(&value, &view))
}
