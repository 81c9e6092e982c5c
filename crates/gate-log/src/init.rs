//! Making a ledger.
//!
//! The ledger is built with both of its first entries under a passing name and gets its own when it is
//! finished, so that an interruption leaves nothing that looks like a ledger. A starter policy that was
//! written for it is taken back where no ledger came of it.

mod gitignore;
mod starter;

use std::path::Path;

use gate_cli::Io;
use gate_cli::message;
use gate_cli::options::Format;
use gate_cli::render::sheet::Tone;
use gate_cli::render::{self, Sheet};
use gate_judge::policy_text::TextError;
use gate_ledger::entry::Entry;
use gate_ledger::store::{Access, AppendError, CreateError, Ledger, StoreError};
use gate_model::exit::{Ends, Exit};
use gate_model::text::visible;
use gate_workflow::ledger_access;
use gate_workflow::policies::{self, RecordError};
use gate_workflow::policy_source::PolicyError;
use gate_workflow::workspace::{LOCK_WAIT, Workspace, WorkspaceError};
use serde::Serialize;
use serde_json::json;

use crate::run::TOOL;
use crate::session::Log;
use gate_cli::Stop;
use gate_ledger::outfile::{NameError, Staged};
use starter::Starter;

/// The value of `schema`.
const SCHEMA: &str = "gate.init/1";

/// Why no ledger was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InitError {
    /// The place is taken.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The policy pins another ledger.
    #[error(
        "the policy '{policy}' pins the ledger whose genesis is {genesis}, so a new one would be refused\n\
         restore that ledger, or take [ledger] genesis out of the policy first"
    )]
    Pinned {
        /// The policy.
        policy: String,
        /// What it pins.
        genesis: String,
    },
    /// The ledger could not be made.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// Nobody can tell whose policy it is.
    #[error(transparent)]
    Facts(#[from] WorkspaceError),
    /// The policy's entry could not be written.
    #[error("cannot record the policy: {0}")]
    Record(RecordError),
    /// The ledger could not be closed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The finished ledger did not get its name.
    #[error("cannot make a ledger at '{path}': {source}")]
    Publish {
        /// Where.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// There is no remote to make it at.
    #[error("the policy '{0}' names no remote\nwrite [ledger] remote into it, or leave --remote out")]
    NoRemote(String),
    /// It has a ledger that the policy does not pin.
    #[error(
        "the remote holds a ledger already, made at {at} by {by}, and it was left alone\n\
         if it is yours, put this line under [ledger] in '{policy}': genesis = \"{genesis}\""
    )]
    There {
        /// When.
        at: String,
        /// By whom.
        by: String,
        /// The policy.
        policy: String,
        /// What would pin it.
        genesis: String,
    },
    /// The policy names one, and a local ledger would not be it.
    #[error(
        "the ledger of the policy '{policy}' is kept at the remote '{address}'\nrun: gate-log init --remote"
    )]
    Elsewhere {
        /// The policy.
        policy: String,
        /// The remote.
        address: String,
    },
    /// A file beside it could not be written.
    #[error("cannot write '{path}': {source}")]
    Write {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

impl Ends for InitError {
    fn exit(&self) -> Exit {
        match self {
            Self::Name(error) => error.exit(),
            Self::Pinned { .. }
            | Self::NoRemote(_)
            | Self::There { .. }
            | Self::Elsewhere { .. }
            | Self::Record(RecordError::Replaced) => Exit::Usage,
            Self::Facts(error) => error.exit(),
            Self::Create(error) => error.exit(),
            Self::Record(RecordError::Store(error)) | Self::Store(error) => error.exit(),
            Self::Record(RecordError::Guard(error)) => error.exit(),
            Self::Record(RecordError::Json(_)) | Self::Publish { .. } | Self::Write { .. } => Exit::Failure,
        }
    }
}

/// What was made.
#[derive(Debug, Serialize)]
struct Made {
    schema: &'static str,
    ledger: String,
    id: String,
    genesis: String,
    policy: String,
    digest: String,
    created_policy: bool,
    /// Whether the ledger was made now; else it was there, and was left as it is.
    created: bool,
    /// Whether the policy pins it, so that there is nothing left to write.
    #[serde(skip)]
    pinned: bool,
}

/// Makes the ledger, and a policy where there is none.
///
/// # Errors
/// A [`Stop`]; then neither is there.
pub(crate) fn init(log: &Log<'_>, remote: bool, io: &mut Io<'_>) -> Result<(), Stop> {
    let (workspace, starter) = match Workspace::founding(log.place()) {
        Err(PolicyError::Text(TextError::NotFound(_))) => {
            let starter = Starter::write(&log.session.env.cwd)?;
            (Workspace::founding(log.place())?, Some(starter))
        }
        workspace => (workspace?, None),
    };
    let made = match (workspace.remote(), remote) {
        (None, false) => match there_already(&workspace, starter.is_some())? {
            Some(there) => there,
            None => make(&workspace, starter.is_some(), io)?,
        },
        (Some(there), true) => make_there(&workspace, &there.address)?,
        (None, true) => return Err(InitError::NoRemote(workspace.loaded.name.clone()).into()),
        (Some(there), false) => {
            let (policy, address) = (workspace.loaded.name.clone(), there.address.clone());
            return Err(InitError::Elsewhere { policy, address }.into());
        }
    };
    starter.into_iter().for_each(Starter::keep);
    show(log, &made, io);
    Ok(())
}

/// The ledger of a policy that has one. Whatever else stands in its place, or is not the one that the policy pins, is left
/// to be refused.
fn there_already(workspace: &Workspace<'_>, created_policy: bool) -> Result<Option<Made>, Stop> {
    let path = workspace.ledger_path()?;
    if created_policy
        || !gate_ledger::infile::open(&path)
            .is_ok_and(|file| file.metadata().is_ok_and(|found| found.len() > 0))
    {
        return Ok(None);
    }
    ledger_access::refuse_any_tracked(&path, [path.clone()])?;
    // What is no ledger is refused by its name's being taken.
    let Ok(ledger) = Ledger::open(&path, Access::Read) else { return Ok(None) };
    let (id, genesis) = (ledger.id().to_owned(), ledger.genesis().to_string());
    if workspace.loaded.policy.ledger.genesis.as_ref().is_some_and(|pinned| *pinned != genesis) {
        return Ok(None);
    }
    Ok(Some(made(workspace, path.display().to_string(), (id, genesis), false)))
}

fn made(workspace: &Workspace<'_>, ledger: String, (id, genesis): (String, String), created: bool) -> Made {
    Made {
        schema: SCHEMA,
        ledger,
        id,
        genesis,
        policy: workspace.loaded.name.clone(),
        digest: workspace.loaded.used.digest.clone(),
        created_policy: false,
        created,
        pinned: workspace.loaded.policy.ledger.genesis.is_some(),
    }
}

fn make(workspace: &Workspace<'_>, created_policy: bool, io: &mut Io<'_>) -> Result<Made, Stop> {
    let path = workspace.ledger_path()?;
    let staged = Staged::beside(&path).map_err(InitError::from)?;
    ledger_access::refuse_any_tracked(&path, [path.clone()])?;
    refuse_pinned(workspace)?;
    let (id, genesis) = build(workspace, &staged, &path)?;
    if let Some(note) = gitignore::protect(&path)? {
        io.tell(&message::warning(TOOL, &note));
    }
    let shown = path.display().to_string();
    staged.publish().map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => InitError::Name(NameError::Exists(path)),
        _ => InitError::Publish { path: shown.clone(), source },
    })?;
    Ok(Made { created_policy, ..made(workspace, shown, (id, genesis), true) })
}

/// Makes the ledger at the remote: it is built here under a passing name, and what the remote took is the ledger. One that
/// is there and is the one that the policy pins is left as it is; whether another one is to be pinned is for a person.
fn make_there(workspace: &Workspace<'_>, address: &str) -> Result<Made, Stop> {
    if let Some(first) = workspace.first_of_remote()? {
        let genesis = first.hash.to_string();
        return match &workspace.loaded.policy.ledger.genesis {
            Some(pinned) if *pinned == genesis => {
                Ok(made(workspace, address.to_owned(), (first.ledger, genesis), false))
            }
            _ => refuse_pinned(workspace).map_err(Stop::from).and_then(|()| Err(there(&first, workspace))),
        };
    }
    refuse_pinned(workspace)?;
    let place = workspace.copy_folder()?.join("new.db");
    let staged = Staged::passing(&place).map_err(InitError::from)?;
    let (id, genesis) = build(workspace, &staged, &place)?;
    workspace.create_remote(&Ledger::open(&staged.path, Access::Read)?)?;
    Ok(made(workspace, address.to_owned(), (id, genesis), true))
}

/// That somebody made a ledger, who and when as it says, and what would pin it.
fn there(first: &Entry, workspace: &Workspace<'_>) -> Stop {
    let by = first.actor.get("id").and_then(serde_json::Value::as_str).unwrap_or_default();
    let error = InitError::There {
        at: first.at.to_second(),
        by: visible(by),
        policy: workspace.loaded.name.clone(),
        genesis: first.hash.to_string(),
    };
    error.into()
}

fn refuse_pinned(workspace: &Workspace<'_>) -> Result<(), InitError> {
    match workspace.loaded.policy.ledger.genesis.clone() {
        Some(genesis) => Err(InitError::Pinned { policy: workspace.loaded.name.clone(), genesis }),
        None => Ok(()),
    }
}

/// Writes both entries. Returns the ledger's id and the hash of its genesis.
fn build(workspace: &Workspace<'_>, staged: &Staged, path: &Path) -> Result<(String, String), InitError> {
    let (by, here) = (workspace.quick_facts().principal, workspace.repository()?);
    let actor = serde_json::to_value(&by).map_err(|error| InitError::Record(error.into()))?;
    let data = json!({"tool": TOOL, "version": env!("CARGO_PKG_VERSION")});
    let privacy = ledger_access::privacy(&workspace.loaded);
    let created = Ledger::create_private(&staged.path, &actor, data, workspace.now(), privacy);
    let mut ledger = created.map_err(|error| named(error, path))?;
    let recorded = ledger.append(LOCK_WAIT, workspace.place.clock, |transaction| {
        policies::ensure_recorded(transaction, (&workspace.loaded, here), &by)
    });
    recorded.map_err(|error| match error {
        AppendError::Store(error) => InitError::Store(error),
        AppendError::Work(error) => InitError::Record(error),
    })?;
    let made = (ledger.id().to_owned(), ledger.genesis().to_string());
    // Closing folds the write-ahead log into the file, which then is all there is to publish.
    ledger.close()?;
    Ok(made)
}

/// The error with the ledger's own name in it instead of the passing one.
fn named(error: CreateError, path: &Path) -> CreateError {
    let path = path.to_owned();
    match error {
        CreateError::Io { source, .. } => CreateError::Io { path, source },
        CreateError::Store { source, .. } => CreateError::Store { path, source },
        other => other,
    }
}

fn show(log: &Log<'_>, made: &Made, io: &mut Io<'_>) {
    let text = match log.session.format(io) {
        Format::Text => {
            let title = if made.created { "ledger made" } else { "the ledger is there already" };
            let mut sheet = Sheet::new(title, Tone::Good);
            sheet.fact("ledger", made.ledger.clone());
            sheet.fact("id", made.id.clone());
            sheet.fact("genesis", made.genesis.clone());
            let created = if made.created_policy { " (written now, with comments)" } else { "" };
            sheet.fact("policy", format!("{}{created}", made.policy));
            render::page(&sheet, Format::Text, &log.session.view(io))
        }
        _ => render::json(made) + "\n",
    };
    io.show(&text);
    if !log.session.output.quiet && !made.pinned {
        let what = format!("pin the ledger: put this line under [ledger] in '{}'", made.policy);
        io.tell(&format!("{}  genesis = \"{}\"\n", message::line(TOOL, &what), made.genesis));
    }
}
