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
use crate::error::SkipError;
use crate::run::{Session, TOOL};

/// Signs `verb` on the entry that `id` names.
///
/// # Errors
/// A [`SkipError`]; then nothing was signed.
pub(crate) fn state(
    session: &Session<'_>,
    verb: Verb,
    id: &str,
    words: &Words,
    signing: &SigningArgs,
    io: &mut Io<'_>,
) -> Result<Statement, SkipError> {
    let ledger = session.at_hand()?;
    let view = ledger.as_ref().map(Ledger::view);
    let (subject, entry) = match (verb, &view) {
        (Verb::Resume, Some(view)) if session.workspace.loaded.policy.gate(id).is_ok() => {
            let none =
                || SkipError::Usage(format!("gate '{id}' is not paused: nothing to resume, nothing signed"));
            named(acting::newest_pause(session, view, id)?.ok_or_else(none)?)
        }
        _ if is_file(id) => named(documents::entry(Path::new(id), session.cwd, io)?),
        (_, Some(view)) => named(acting::find(view, id)?),
        (_, None) => (whole_hash(id)?, None),
    };
    show(session, entry.as_ref(), &subject, io)?;
    let signer = session.signer(signing);
    let now = session.workspace.now();
    let mut statement = Statement {
        ledger: entry.map(|entry| entry.ledger),
        subject: subject.to_string(),
        stated_at: Some(now),
        submit_by: Some(now.plus(MAX_WAIT).ok_or(SigningError::Time)?),
        ..words.statement(verb)
    };
    statement.by = signer.claimed(statement.namespace())?;
    sealing::statement(&mut statement, ledger_access::privacy(&session.workspace.loaded), view.as_ref())?;
    Ok(signer.statement(statement)?.0)
}

fn named(entry: Entry) -> (EntryHash, Option<Entry>) {
    (entry.hash, Some(entry))
}

fn whole_hash(id: &str) -> Result<EntryHash, SkipError> {
    let written = if id.starts_with("b3:") { id.to_owned() } else { format!("b3:{id}") };
    written.parse().map_err(|_| {
        SkipError::Usage(format!(
            "there is no ledger here in which to look for '{id}'\n\
             name the entry by its whole hash, b3: and 64 digits, or by a file with what gate-log show prints of it"
        ))
    })
}

fn show(
    session: &Session<'_>,
    entry: Option<&Entry>,
    subject: &EntryHash,
    io: &mut Io<'_>,
) -> Result<(), SkipError> {
    let Some(entry) = entry else {
        let text = format!(
            "entry {subject} is not at hand: its hash alone is signed, and what it stands for is not shown\n\
             to see it first, name a file with what gate-log show prints of it"
        );
        io.tell(&Failure::from_error(TOOL, Exit::Proceed, &text).as_warning().render());
        return Ok(());
    };
    io.tell(&text(session, entry)?);
    Ok(())
}

/// An entry as people read it.
///
/// # Errors
/// A [`SkipError`] where its line is no JSON.
pub(crate) fn text(session: &Session<'_>, entry: &Entry) -> Result<String, SkipError> {
    let value = serde_json::from_str(&entry.line()).map_err(TransactError::from)?;
    let view = View { width: None, colour: false, now: session.workspace.now() };
    Ok(render::entry(&value, &view))
}
