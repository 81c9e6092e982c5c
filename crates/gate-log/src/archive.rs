//! Archiving: moving old entries to a segment.
//!
//! Nothing is deleted before the segment is on disk under its name, was read back, and verified as the
//! continuation of what was archived before. The statement is signed before the ledger's lock is taken; what it
//! says is compared with the ledger again within the transaction that appends it and deletes the entries. So a
//! crash leaves everything as it was, at most with a segment that nobody needs, or a proper archive.

mod failure;
mod plan;
mod segment;

use std::path::Path;

use gate_cli::Io;
use gate_ledger::archive::{EntryRef, Statement};
use gate_ledger::checkpoint::{Checkpoint, ledger_origin};
use gate_ledger::entry::{Draft, Entry, Kind};
use gate_ledger::store::{Access, AppendError, Ledger, Transaction};
use gate_workflow::archiving;
use gate_workflow::workspace::LOCK_WAIT;
use serde_json::{Value, json};

use crate::args::ArchiveArgs;
use crate::checkpoint::{self, CheckpointFailure, Order};
use crate::session::{Found, Log};
use crate::signer::{KeyPlace, Signer};
use gate_cli::Stop;

pub(crate) use failure::ArchiveFailure;
use plan::Plan;
use segment::Segment;

/// The value of `schema`.
const SCHEMA: &str = "gate.archive/1";

/// Archives what `args` name.
///
/// # Errors
/// A [`Stop`]; then no entry was moved.
pub(crate) fn archive(log: &Log<'_>, args: &ArchiveArgs, io: &mut Io<'_>) -> Result<(), Stop> {
    let found = log.find()?;
    let access = if found.remote().is_some() { Access::Read } else { Access::Append };
    let ledger = found.open(access)?;
    let Some(plan) = Plan::make(&ledger, found.trust(), args, log.session.now())? else {
        log.session.report(&nothing(&ledger), "nothing was archived: no entry before that can be moved", io);
        return Ok(());
    };
    let (path, shown) = segment::place(&ledger, &plan, &log.session.env.cwd.join(&args.to), &args.to);
    found.refuse_reserved(&path, &shown)?;
    let key = KeyPlace::required(args.key_file.as_deref(), args.agent.as_deref())?;
    // The signer vouches for the ledger as it is, and must not do so for one that lost what it signed before.
    let order = Order { key, origin: args.origin.as_deref(), since: None, first: false };
    checkpoint::sign(log, &found, &order, io)?;
    let segment = segment::write(&ledger, &plan, &path, &shown)?;
    let statement = state(log, &found, &ledger, &order, &plan, &segment)?;
    let id = ledger.id().to_owned();
    let (entry, moved) = commit(log, &found, ledger, &statement, &plan)?;
    let document = document(&id, &statement, &entry, moved, &segment.path);
    let (moved, path) = (gate_cli::render::count(moved, "entry"), segment.path.display());
    log.session.report(&document, &format!("{moved} before {} moved to '{path}'", statement.before), io);
    Ok(())
}

/// The signed statement about everything that was ever moved, this time included.
fn state(
    log: &Log<'_>,
    found: &Found<'_>,
    ledger: &Ledger,
    order: &Order<'_>,
    plan: &Plan,
    segment: &Segment,
) -> Result<Statement, Stop> {
    let name = checkpoint::log_name(found, order.origin)?;
    let origin = ledger_origin(&name, ledger.id()).map_err(CheckpointFailure::from)?;
    let mut segments = plan.earlier.as_ref().map_or_else(Vec::new, |earlier| earlier.segments.clone());
    segments.push(segment.named.clone());
    let mut statement = Statement {
        before: plan.before,
        head: EntryRef { seq: plan.before - 1, hash: segment.head },
        checkpoint: String::new(),
        range: segment.tree.roots(),
        kept: plan.kept.clone(),
        segments,
    };
    // The digest of all that is in the signed text: the key signs that it was archived, not only that it was there.
    let extensions = vec![statement.line().map_err(ArchiveFailure::Statement)?];
    let (size, root) = (segment.tree.size(), segment.tree.root());
    let checkpoint = Checkpoint { origin, size, root, extensions };
    let mut signer = Signer::open(log, order.key, &name).map_err(CheckpointFailure::from)?;
    statement.checkpoint = signer.sign(&checkpoint).map_err(CheckpointFailure::from)?;
    statement.check(ledger.id()).map_err(ArchiveFailure::Statement)?;
    Ok(statement)
}

/// Appends the statement and deletes what it says was moved, if that is still not needed.
fn commit(
    log: &Log<'_>,
    found: &Found<'_>,
    mut ledger: Ledger,
    statement: &Statement,
    plan: &Plan,
) -> Result<(Entry, u64), Stop> {
    let actor = serde_json::to_value(found.principal(log)).map_err(ArchiveFailure::Json)?;
    let data = statement.to_data().map_err(ArchiveFailure::Json)?;
    let draft = Draft { kind: Kind::Archive, gate: None, reference: None, actor, data };
    let work = |transaction: &mut Transaction<'_>| -> Result<_, ArchiveFailure> {
        let (view, now) = (transaction.view(), transaction.now());
        if view.front()?.before != plan.from {
            return Err(ArchiveFailure::Meanwhile);
        }
        if let Some(needed) = archiving::needed(&view, found.trust(), plan.before, now)? {
            return Err(ArchiveFailure::needed(plan.before, needed));
        }
        let entry = transaction.append(&draft)?;
        Ok((entry, transaction.remove(statement)?))
    };
    if let Some(workspace) = found.remote() {
        drop(ledger);
        let moved = workspace.transact(work)?;
        // The statement is there; what it accounts for can go.
        workspace.drop_archived(statement)?;
        return Ok(moved);
    }
    let appended = ledger.append(LOCK_WAIT, log.session.clock, work);
    let moved = appended.map_err(|error| match error {
        AppendError::Store(error) => Stop::from(error),
        AppendError::Work(failure) => failure.into(),
    })?;
    ledger.close()?;
    Ok(moved)
}

fn document(ledger: &str, statement: &Statement, entry: &Entry, moved: u64, path: &Path) -> Value {
    json!({
        "schema": SCHEMA,
        "ledger": ledger,
        "before": statement.before,
        "moved": moved,
        "segment": statement.segments.last(),
        "path": path.display().to_string(),
        "seq": entry.seq,
    })
}

fn nothing(ledger: &Ledger) -> Value {
    json!({"schema": SCHEMA, "ledger": ledger.id(), "moved": 0, "segment": null})
}
