//! The list, and single entries.

use std::ops::ControlFlow;

use gate_cli::Io;
use gate_cli::options::Format;
use gate_cli::render;
use gate_judge::records;
use gate_ledger::store::Ledger;
use gate_workflow::ids;
use gate_workflow::reading::{Record, list};

use crate::args::Args;
use crate::exports;
use crate::lines::{self, Entries};
use crate::session::Log;
use crate::stats;
use gate_cli::Stop;

/// Shows the entries that `args` select.
///
/// # Errors
/// A [`Stop`].
pub(crate) fn list(log: &Log<'_>, args: &Args, io: &mut Io<'_>) -> Result<(), Stop> {
    let ledger = log.ledger()?;
    let id = opt_out(&ledger, args)?;
    let (format, view) = (log.session.format(io), log.session.view(io));
    let mut entries = Entries::list(io, format, view).revealing(args.reveal);
    let (selection, mut shown) = (args.selection(log.session.now(), id), 0);
    list::list(&ledger, &selection, &mut |record| {
        shown += 1;
        entries.take(record)
    })?;
    entries.finish();
    if let Some(archived) = list::archived(&ledger, &selection, shown)? {
        log.session.summary(io, &format!("{}, not in this list", stats::archived(archived)));
    }
    Ok(())
}

/// Shows those of the entries in exports that `args` select.
///
/// # Errors
/// A [`Stop`].
pub(crate) fn exported(log: &Log<'_>, args: &Args, io: &mut Io<'_>) -> Result<(), Stop> {
    let (format, view) = (log.session.format(io), log.session.view(io));
    let filter = args.selection(log.session.now(), None).filter;
    let (stdin, mut shown) = (&mut *io.stdin, Vec::new());
    exports::records(&log.session.env.cwd, &args.from, stdin, &mut |record| {
        if filter.admits(record)? {
            shown.push((record.facts, record.body.to_vec()));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let mut entries = Entries::list(io, format, view);
    for (facts, body) in shown {
        if entries.take(&Record { facts, body: &body, view: None })?.is_break() {
            break;
        }
    }
    entries.finish();
    Ok(())
}

/// The opt-out that `--id` names: an entry of its life is enough.
///
/// # Errors
/// A [`Stop`] where it names nothing.
pub(crate) fn opt_out(ledger: &Ledger, args: &Args) -> Result<Option<u64>, Stop> {
    match &args.filter.id {
        Some(id) => Ok(Some(records::id_of(&ids::find(&ledger.view(), id)?))),
        None => Ok(None),
    }
}

/// Shows the entries that `ids` name, all of them or none.
///
/// # Errors
/// A [`Stop`].
pub(crate) fn show(log: &Log<'_>, ids: &[String], reveal: bool, io: &mut Io<'_>) -> Result<(), Stop> {
    let ledger = log.ledger()?;
    let (format, view) = (log.session.format(io), log.session.view(io));
    let mut texts = Vec::new();
    for id in ids {
        let entry = ids::find(&ledger.view(), id)?;
        texts.push(match format {
            Format::Text => render::entry(&lines::of_entry(&entry), &view),
            _ if reveal => render::json(&lines::revealed(&entry)) + "\n",
            _ => render::inert_json(&entry.line()) + "\n",
        });
    }
    io.show(&texts.join(if format == Format::Text { "\n" } else { "" }));
    Ok(())
}
