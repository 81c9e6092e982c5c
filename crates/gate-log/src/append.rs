//! Recording a stream of events, each as an entry of kind `note`.
//!
//! Events are committed in batches: as many as came by the time that one is full or the stream pauses, so
//! that a fast stream is not held up by one disk write for each event, and a slow one is on disk at once. An
//! error leaves everything before it recorded, and says how much that is.

mod events;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use gate_cli::Io;
use gate_cli::clock::Clock;
use gate_ledger::entry::{Draft, DraftError, Kind};
use gate_ledger::infile;
use gate_ledger::profile::ProfileError;
use gate_ledger::store::{Access, AppendError, Ledger, StoreError, Transaction};
use gate_model::exit::{Ends, Exit};
use gate_policy::UnknownGate;
use gate_workflow::ledger_access::Unusable;
use gate_workflow::workspace::{LOCK_WAIT, Workspace};
use serde::Serialize;
use serde_json::Value;

use crate::session::Log;
use events::{Events, Next};
use gate_cli::Stop;

/// The value of `schema`.
const SCHEMA: &str = "gate.append/1";
/// How many events a batch has at most.
const MAX_EVENTS: usize = 1000;
/// How many bytes of events a batch has at most, about.
const MAX_BYTES: usize = 4 << 20;

/// Why not all events were recorded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppendFailure {
    /// The policy has no such gate.
    #[error(transparent)]
    Gate(#[from] UnknownGate),
    /// The events cannot be opened.
    #[error(
        "cannot read events from '{path}': {source}\nname a file of JSON objects, one a line, or - for standard input"
    )]
    Open {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The events cannot be read any further.
    #[error("line {line}: cannot read the events: {source}\n{}", so_far(*.recorded))]
    Read {
        /// The line, from 1.
        line: u64,
        /// How many were recorded before.
        recorded: u64,
        /// Why.
        source: std::io::Error,
    },
    /// One event cannot be recorded.
    #[error("line {line}: {source}\n{}; write one JSON object a line, as jq -c does", so_far(*.recorded))]
    Event {
        /// The line, from 1.
        line: u64,
        /// How many were recorded before.
        recorded: u64,
        /// Why.
        source: EventError,
    },
    /// The ledger failed.
    #[error("line {line}: {source}\n{}", so_far(*.recorded))]
    Store {
        /// The first line that was not recorded, from 1.
        line: u64,
        /// How many were recorded before.
        recorded: u64,
        /// Why.
        source: StoreError,
    },
    /// The ledger's remote cannot be used.
    #[error("line {line}: {source}\n{}", so_far(*.recorded))]
    Remote {
        /// The first line that was not recorded, from 1.
        line: u64,
        /// How many were recorded before.
        recorded: u64,
        /// Why.
        source: Unusable,
    },
    /// Who acts cannot be written down.
    #[error("cannot write the actor as JSON: {0}")]
    Actor(serde_json::Error),
}

/// Why an event cannot be recorded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EventError {
    /// It is not JSON that a ledger can hold.
    #[error("the event is not JSON that the ledger can hold: {0}")]
    Profile(#[from] ProfileError),
    /// It is a number, a list, …
    #[error("the event is not a JSON object")]
    NotAnObject,
    /// It is longer than an entry can be.
    #[error("the event is longer than {} bytes", gate_ledger::profile::MAX_BYTES)]
    TooLong,
    /// It fits no entry.
    #[error("the event cannot be recorded: {0}")]
    Draft(DraftError),
}

impl Ends for AppendFailure {
    fn exit(&self) -> Exit {
        match self {
            Self::Gate(_) | Self::Open { .. } | Self::Event { .. } => Exit::Usage,
            Self::Read { .. } | Self::Actor(_) => Exit::Failure,
            Self::Store { source, .. } => source.exit(),
            Self::Remote { source, .. } => source.exit(),
        }
    }
}

fn so_far(count: u64) -> String {
    match count {
        0 => "nothing was recorded".to_owned(),
        1 => "1 entry before it was recorded".to_owned(),
        count => format!("{count} entries before it were recorded"),
    }
}

/// What was recorded.
#[derive(Debug, Serialize)]
struct Appended {
    schema: &'static str,
    ledger: String,
    recorded: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<u64>,
}

/// Records the events of `file`, or of standard input.
///
/// # Errors
/// A [`Stop`] that says how many were recorded.
pub(crate) fn append(
    log: &Log<'_>,
    file: Option<&Path>,
    gate: Option<&str>,
    io: &mut Io<'_>,
) -> Result<(), Stop> {
    let found = log.find()?;
    if let (Some(gate), Some(policy)) = (gate, found.policy()) {
        policy.gate(gate).map_err(AppendFailure::from)?;
    }
    let sink = match found.remote() {
        Some(workspace) => Sink::Remote(workspace),
        None => Sink::File(Box::new(found.open(Access::Append)?), log.session.clock),
    };
    let actor = serde_json::to_value(found.principal(log)).map_err(AppendFailure::Actor)?;
    let draft =
        Draft { kind: Kind::Note, gate: gate.map(str::to_owned), reference: None, actor, data: Value::Null };
    let mut recorder = Recorder::new(sink, draft);
    match file.filter(|path| *path != Path::new("-")) {
        Some(path) => {
            let mut opened = open(&log.session.env.cwd.join(path), path)?;
            record(&mut recorder, &mut opened, &|| true)?;
        }
        None => record(&mut recorder, io.stdin, &events::stdin_is_ready)?,
    }
    let appended = recorder.close()?;
    show(log, &appended, io);
    Ok(())
}

fn open(path: &Path, shown: &Path) -> Result<File, AppendFailure> {
    let fails = |source| AppendFailure::Open { path: shown.display().to_string(), source };
    infile::open_named(path).map_err(fails)
}

fn show(log: &Log<'_>, appended: &Appended, io: &mut Io<'_>) {
    let range = match (appended.first, appended.last) {
        (Some(first), Some(last)) if first < last => format!(" ({first} to {last})"),
        (Some(first), _) => format!(" ({first})"),
        _ => String::new(),
    };
    let noun = if appended.recorded == 1 { "event" } else { "events" };
    log.session.report(appended, &format!("{} {noun} recorded{range}", appended.recorded), io);
}

/// Records every event of `input`. `ready` tells whether more can be read without waiting for long.
fn record(
    recorder: &mut Recorder<'_>,
    input: &mut dyn Read,
    ready: &dyn Fn() -> bool,
) -> Result<(), AppendFailure> {
    let mut events = Events::new(input, ready);
    loop {
        let next = events.next(!recorder.batch.is_empty());
        let line = events.line();
        match next {
            Ok(Next::Event(event, length)) => recorder.take(line, event, length)?,
            Ok(Next::Pause) => recorder.commit()?,
            Ok(Next::End) => return recorder.commit(),
            Err(error) => {
                // What came before it is good, so it is kept.
                recorder.commit()?;
                return Err(error.at(line, recorder.recorded));
            }
        }
    }
}

/// The batch under way, and what was recorded.
struct Recorder<'a> {
    sink: Sink<'a>,
    /// Everything of an entry but its data.
    draft: Draft,
    /// Events with their lines.
    batch: Vec<(u64, Value)>,
    bytes: usize,
    recorded: u64,
    first: Option<u64>,
    last: Option<u64>,
}

impl<'a> Recorder<'a> {
    const fn new(sink: Sink<'a>, draft: Draft) -> Self {
        Self { sink, draft, batch: Vec::new(), bytes: 0, recorded: 0, first: None, last: None }
    }

    fn take(&mut self, line: u64, event: Value, length: usize) -> Result<(), AppendFailure> {
        self.batch.push((line, event));
        self.bytes += length;
        if self.batch.len() >= MAX_EVENTS || self.bytes >= MAX_BYTES { self.commit() } else { Ok(()) }
    }

    /// Records the batch; of one with an event that cannot be, what stands before that.
    fn commit(&mut self) -> Result<(), AppendFailure> {
        let batch = std::mem::take(&mut self.batch);
        self.bytes = 0;
        let Err(refused) = self.transact(&batch) else { return Ok(()) };
        let line = batch.get(refused.place).map_or(0, |(line, _)| *line);
        let Trouble::Store(StoreError::Draft(source)) = refused.trouble else {
            return Err(refused.trouble.at(line, self.recorded));
        };
        // Nothing of a transaction with a refused entry is kept, so the good ones before it go again.
        self.transact(batch.get(..refused.place).unwrap_or_default())
            .map_err(|refused| refused.trouble.at(line, self.recorded))?;
        Err(AppendFailure::Event { line, recorded: self.recorded, source: EventError::Draft(source) })
    }

    /// Records `events` in one transaction. An error comes with the place of the event it is about.
    fn transact(&mut self, events: &[(u64, Value)]) -> Result<(), Refused> {
        if events.is_empty() {
            return Ok(());
        }
        let draft = &mut self.draft;
        let seqs = self.sink.append(|transaction| {
            let mut seqs = Vec::with_capacity(events.len());
            for (place, (_, event)) in events.iter().enumerate() {
                draft.data.clone_from(event);
                let appended = transaction.append(draft);
                seqs.push(appended.map_err(|error| Refused { place, trouble: Trouble::Store(error) })?.seq);
            }
            Ok(seqs)
        })?;
        self.recorded += seqs.len() as u64;
        self.first = self.first.or(seqs.first().copied());
        self.last = seqs.last().copied();
        Ok(())
    }

    fn close(self) -> Result<Appended, Stop> {
        let ledger = self.sink.close()?;
        Ok(Appended { schema: SCHEMA, ledger, recorded: self.recorded, first: self.first, last: self.last })
    }
}

/// Where events go.
enum Sink<'a> {
    /// Into the ledger's own file.
    File(Box<Ledger>, Clock<'a>),
    /// To the policy's remote.
    Remote(&'a Workspace<'a>),
}

impl Sink<'_> {
    fn append<T>(
        &mut self,
        work: impl FnMut(&mut Transaction<'_>) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        match self {
            Self::Remote(workspace) => workspace.transact(work),
            Self::File(ledger, clock) => ledger.append(LOCK_WAIT, clock, work).map_err(AppendError::flatten),
        }
    }

    /// Closes it; returns the ledger's id.
    fn close(self) -> Result<String, Stop> {
        match self {
            Self::Remote(workspace) => Ok(workspace.open(Access::Read)?.id().to_owned()),
            Self::File(ledger, _) => {
                let id = ledger.id().to_owned();
                ledger.close()?;
                Ok(id)
            }
        }
    }
}

/// A batch that was not recorded, with the place of the event that it is about.
struct Refused {
    place: usize,
    trouble: Trouble,
}

/// Why it was not.
enum Trouble {
    Store(StoreError),
    Remote(Unusable),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self { place: 0, trouble: Trouble::Store(error) }
    }
}

impl From<Unusable> for Refused {
    fn from(error: Unusable) -> Self {
        Self { place: 0, trouble: Trouble::Remote(error) }
    }
}

impl Trouble {
    fn at(self, line: u64, recorded: u64) -> AppendFailure {
        match self {
            Self::Store(source) => AppendFailure::Store { line, recorded, source },
            Self::Remote(source) => AppendFailure::Remote { line, recorded, source },
        }
    }
}

#[cfg(test)]
mod tests;
