//! Erasing personal text: the openings of commitments are deleted, the chain stays as it is.
//!
//! What is erased is found, recorded as a note that names the commitments only, and deleted in one transaction;
//! afterwards the write-ahead log is folded, so that the bytes are gone from the files. All of it can be done again:
//! what is not there any more is not recorded a second time, and the log is folded all the same.
//!
//! The texts of archived entries are erased like all others: their openings are here, and say whose they are and to
//! which opt-out they belong.
//!
//! Done is what the files say: afterwards the salts of what was erased must stand in none of them. What cannot be erased
//! (a name in the policy's text, in events of others, or in entries that were written before the policy said `commit`)
//! is named, and the exit status says that something is left.
//!
//! Not here: copies and backups, and segments of archives.

mod remains;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use gate_cli::Io;
use gate_cli::render;
use gate_judge::records;
use gate_ledger::commitment::{Commitment, Field};
use gate_ledger::entry::{Draft, Entry, Kind};
use gate_ledger::redaction::{self, ERASURE_SCHEMA, Privacy};
use gate_ledger::store::{Access, AppendError, StoreError, Transaction, View};
use gate_model::exit::{Ends, Exit};
use gate_model::principal::Principal;
use gate_model::text::{self, TextError};
use gate_workflow::ids::{self, IdError};
use gate_workflow::ledger_access::Unusable;
use gate_workflow::workspace::LOCK_WAIT;
use serde::Serialize;
use serde_json::{Value, json};

use crate::args::EraseArgs;
use crate::session::{Found, Log};
use gate_cli::Stop;

/// How many commitments one note names; an entry holds at most 1 MiB.
const MAX_NAMED: usize = 5_000;

/// Why nothing was erased.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EraseFailure {
    /// The reason cannot be recorded.
    #[error(
        "the reason cannot be recorded: {0}\nwrite it as plain text, without the name that is to be erased"
    )]
    Reason(TextError),
    /// The reason repeats what is to be erased.
    #[error("the reason repeats the name that is to be erased\nwrite it without the name")]
    Repeats,
    /// An ID names nothing.
    #[error(transparent)]
    Id(#[from] IdError),
    /// The ledger failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The ledger's remote cannot be used, or does not let this run erase.
    #[error(transparent)]
    Ledger(#[from] Unusable),
    /// What was erased is still in a file.
    #[error(
        "the openings were deleted, but '{0}' still holds what they said\nlet every other process end that uses the ledger, and erase again"
    )]
    StillThere(String),
    /// The files cannot be looked through.
    #[error("cannot look through '{path}' for what was erased: {source}")]
    Look {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Text stands where nothing can be erased.
    #[error(
        "{summary}\nnot erased: {left}\nthese are part of the chain, which would break; archive them, or keep their copies from others"
    )]
    Remains {
        /// What was done.
        summary: String,
        /// What was not.
        left: String,
    },
    /// A document could not be written.
    #[error("cannot write the entry as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Ends for EraseFailure {
    fn exit(&self) -> Exit {
        match self {
            Self::Ledger(error) => error.exit(),
            Self::Store(error) | Self::Id(IdError::Store(error)) => error.exit(),
            Self::Reason(_) | Self::Repeats | Self::Id(_) => Exit::Usage,
            Self::Remains { .. } => Exit::Negative,
            Self::StillThere(_) | Self::Look { .. } | Self::Json(_) => Exit::Failure,
        }
    }
}

/// What was erased.
#[derive(Debug, Default, Serialize)]
struct Erased {
    schema: &'static str,
    ledger: String,
    names: u64,
    reasons: u64,
    /// The notes that record it.
    seqs: Vec<u64>,
    /// Entries whose own text holds what was to be erased.
    remaining: Vec<u64>,
}

/// Erases what `args` name.
///
/// # Errors
/// A [`Stop`].
pub(crate) fn erase(log: &Log<'_>, args: &EraseArgs, io: &mut Io<'_>) -> Result<(), Stop> {
    text::check(&args.reason).map_err(EraseFailure::Reason)?;
    let found = log.find()?;
    let names = names(&found, args);
    if names.iter().any(|name| args.reason.contains(name.as_str())) {
        return Err(EraseFailure::Repeats.into());
    }
    let actor = serde_json::to_value(found.principal(log)).map_err(EraseFailure::from)?;
    let choose = |transaction: &mut Transaction<'_>| {
        let chosen = chosen(&transaction.view(), &names, &args.ids)?;
        Ok((record(transaction, &chosen, &actor, &args.reason)?, chosen))
    };
    let (erased, chosen) = match found.remote() {
        // The note is there before anything is gone, and what is gone here last can be asked for again.
        Some(workspace) => {
            let (erased, chosen) = workspace.transact(choose)?;
            if !chosen.is_empty() {
                workspace.erase(&commitments(&chosen))?;
            }
            (erased, chosen)
        }
        None => here(&found, log, choose)?,
    };
    let ledger = found.open(Access::Read)?;
    let id = ledger.id().to_owned();
    let remaining = remains::in_entries(&ledger.view(), &names, &args.ids)?;
    let archived = ledger.view().front().map_err(EraseFailure::from)?.before;
    ledger.close()?;
    let salts: Vec<_> = chosen.into_values().collect();
    remains::in_files(&found.path()?, &salts)?;
    let left = remains::sentence(&remaining);
    let remaining = remaining.into_keys().collect();
    let erased = Erased { schema: ERASURE_SCHEMA, ledger: id, remaining, ..erased };
    let summary = summary(&erased, archived);
    let Some(left) = left else {
        log.session.report(&erased, &summary, io);
        return Ok(());
    };
    log.session.document(&erased, io);
    Err(EraseFailure::Remains { summary, left }.into())
}

/// Records and erases in the ledger's own file.
fn here(
    found: &Found<'_>,
    log: &Log<'_>,
    choose: impl FnOnce(&mut Transaction<'_>) -> Result<(Erased, Chosen), EraseFailure>,
) -> Result<(Erased, Chosen), Stop> {
    let mut ledger = found.open(Access::Append)?;
    if matches!(found, Found::Alone(_)) {
        // Without its policy a ledger does not say what it commits to; committing to all is the safe side.
        ledger.set_privacy(Privacy { reasons: true, names: true });
    }
    let done = ledger.append(LOCK_WAIT, log.session.clock, |transaction| -> Result<_, EraseFailure> {
        let (erased, chosen) = choose(transaction)?;
        transaction.erase(&commitments(&chosen))?;
        Ok((erased, chosen))
    });
    let done = done.map_err(AppendError::flatten)?;
    ledger.fold(LOCK_WAIT)?;
    ledger.close()?;
    Ok(done)
}

fn commitments(chosen: &Chosen) -> Vec<Commitment> {
    chosen.keys().map(|(_, commitment)| *commitment).collect()
}

/// The names of the person, as far as the policy knows them.
fn names(found: &Found<'_>, args: &EraseArgs) -> BTreeSet<String> {
    let Some(person) = &args.person else { return BTreeSet::new() };
    let names: BTreeSet<String> = match found.policy() {
        Some(policy) => policy.people.names_of(person).map(str::to_owned).collect(),
        None => BTreeSet::from([person.clone()]),
    };
    // Whoever could not prove a name is written as who claimed it.
    let claimed: Vec<String> = names.iter().map(|name| Principal::claimed(name).id).collect();
    names.into_iter().chain(claimed).collect()
}

/// What is to go, with the salt by which its bytes are known in the files.
type Chosen = BTreeMap<(Field, Commitment), [u8; 32]>;

/// The commitments whose openings are to go: the person's names and the reasons that they gave, and the reasons in
/// the lives of the opt-outs `ids`.
fn chosen(view: &View<'_>, names: &BTreeSet<String>, ids: &[String]) -> Result<Chosen, EraseFailure> {
    let mut wanted = BTreeSet::new();
    if !names.is_empty() {
        of_person(view, names, &mut wanted)?;
    }
    if !ids.is_empty() {
        of_lives(view, &firsts(view, ids)?, &mut wanted)?;
    }
    // The rows say what is there: an index that somebody edited could hide one.
    let mut there = Chosen::new();
    view.openings(&mut |kept| {
        let kept = kept?;
        let key = (kept.opening.field, kept.commitment);
        if wanted.contains(&key) {
            there.insert(key, kept.opening.salt);
        }
        Ok(())
    })?;
    Ok(there)
}

type Wanted = BTreeSet<(Field, Commitment)>;

fn of_person(view: &View<'_>, names: &BTreeSet<String>, chosen: &mut Wanted) -> Result<(), EraseFailure> {
    let mut known_as = names.clone();
    view.openings(&mut |kept| {
        let kept = kept?;
        if kept.opening.field == Field::Name && names.contains(&kept.opening.value) {
            known_as.insert(kept.commitment.to_string());
            chosen.insert((Field::Name, kept.commitment));
        }
        Ok(())
    })?;
    // Entries say what they commit to. The opening may have come with another one, whoever wrote that: with a refused
    // copy of the same signed request, say.
    view.scan(0, None, false, &mut |entry| {
        if known_as.contains(entry.actor.get("id").and_then(Value::as_str).unwrap_or_default()) {
            chosen.extend(reasons(&entry));
        }
        ControlFlow::Continue(())
    })?;
    // Of archived entries only their openings are here.
    view.openings(&mut |kept| {
        let kept = kept?;
        if kept.opening.field == Field::Reason && known_as.contains(&kept.actor) {
            chosen.insert((Field::Reason, kept.commitment));
        }
        Ok(())
    })?;
    Ok(())
}

/// The first entries of the lives that `ids` are of. Where an entry was archived its openings tell.
fn firsts(view: &View<'_>, ids: &[String]) -> Result<BTreeSet<u64>, EraseFailure> {
    let (mut firsts, mut archived) = (BTreeSet::new(), BTreeSet::new());
    for id in ids {
        match ids::find(view, id) {
            Ok(entry) => firsts.insert(records::id_of(&entry)),
            Err(IdError::Store(StoreError::Archived { seq, .. })) => archived.insert(seq),
            Err(error) => return Err(error.into()),
        };
    }
    if !archived.is_empty() {
        view.openings(&mut |kept| {
            let kept = kept?;
            firsts.extend(archived.contains(&kept.seq).then_some(kept.id));
            Ok(())
        })?;
    }
    // An ID whose own entry committed to nothing still begins a life.
    firsts.append(&mut archived);
    Ok(firsts)
}

/// The reasons in the lives that begin with `firsts`: those of the entries that are there, and of those that were.
fn of_lives(view: &View<'_>, firsts: &BTreeSet<u64>, chosen: &mut Wanted) -> Result<(), EraseFailure> {
    for first in firsts {
        let life = view.entry(*first)?.into_iter().chain(view.life(*first)?);
        chosen.extend(life.flat_map(|entry| reasons(&entry)));
    }
    view.openings(&mut |kept| {
        let kept = kept?;
        if kept.opening.field == Field::Reason && firsts.contains(&kept.id) {
            chosen.insert((Field::Reason, kept.commitment));
        }
        Ok(())
    })?;
    Ok(())
}

fn reasons(entry: &Entry) -> Vec<(Field, Commitment)> {
    let committed = redaction::commitments(entry.kind, &entry.actor, &entry.data);
    committed.into_iter().filter(|(field, _)| *field == Field::Reason).collect()
}

/// Records the erasure, before it is done: where a person erases themselves, the note goes with the rest.
fn record(
    transaction: &mut Transaction<'_>,
    chosen: &Chosen,
    actor: &Value,
    reason: &str,
) -> Result<Erased, EraseFailure> {
    let count = |wanted: Field| chosen.keys().filter(|(field, _)| *field == wanted).count() as u64;
    let mut erased = Erased { names: count(Field::Name), reasons: count(Field::Reason), ..Erased::default() };
    for part in commitments(chosen).chunks(MAX_NAMED) {
        let named: Vec<String> = part.iter().map(ToString::to_string).collect();
        let data = json!({"schema": ERASURE_SCHEMA, "reason": reason, "erased": named});
        let draft = Draft { kind: Kind::Note, gate: None, reference: None, actor: actor.clone(), data };
        erased.seqs.push(transaction.append(&draft)?.seq);
    }
    Ok(erased)
}

/// What was done; with what nobody looked at, where entries up to `archived` were moved to segments.
fn summary(erased: &Erased, archived: u64) -> String {
    let done = done(erased);
    if archived == 0 {
        return done;
    }
    format!(
        "{done}; segments of the archive, with entries before {archived}, were not looked at: \
         what stands there in the clear stays"
    )
}

fn done(erased: &Erased) -> String {
    let number = |count: u64, noun: &str| render::count(usize::try_from(count).unwrap_or(usize::MAX), noun);
    if erased.seqs.is_empty() {
        "nothing to erase: no name or reason that was meant is known here".to_owned()
    } else {
        format!("{} and {} erased", number(erased.names, "name"), number(erased.reasons, "reason"))
    }
}
