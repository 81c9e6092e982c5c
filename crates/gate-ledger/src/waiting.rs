//! Decisions that wait beside a working copy until the remote takes them.
//!
//! Purpose: a decision that used no opt-out need not cost a round trip of its own. Its draft is durable here, and
//! becomes an entry with the next transaction that reaches the remote, in order.
//!
//! # The format
//!
//! One canonical JSON object ([`crate::profile`]) a line, members `actor`, `at` (the instant it was written),
//! `data`, `gate`, `head` (seq and hash of the newest entry that its judgement saw), `id` (128 random bits in
//! hexadecimal), `ledger` (the ledger's id) and `schema`, which is `gate.waiting/1`. Each becomes an entry of kind
//! `decision` and of no other. The file can be carried to another machine as it is.
//!
//! Invariants: a line that was acknowledged is on disk; a draft becomes an entry once, however often its line is
//! offered, since the entry names the line's `id` in `data.waited` ([`Waited`]); a last line without its newline
//! was never acknowledged and is dropped. A line that says more, less or something else is refused by its number.
//!
//! Not here: who may send what, and the judgement of it. Whoever can write this file can write what a machine of
//! theirs decided; it binds nobody, and no opt-out is used by it.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};

use gate_model::request::SeenHead;
use gate_model::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::entry::{Draft, Kind};
use crate::profile::{self, ProfileError};

/// The value of `schema`.
pub const SCHEMA: &str = "gate.waiting/1";
/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 256 << 20;
/// The longest line, in bytes: an entry's, with room for the members that only a line has.
const MAX_LINE: u64 = 2 << 20;

/// A draft that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The ledger's id.
    pub ledger: String,
    /// What makes it this draft and no other.
    pub id: String,
    /// When it was written.
    pub at: Timestamp,
    /// The newest entry that its judgement saw.
    pub head: SeenHead,
    /// The gate it concerns.
    pub gate: String,
    /// Who acted.
    pub actor: Value,
    /// What it carries.
    pub data: Map<String, Value>,
}

/// `data.waited` of the entry that a draft became.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waited {
    /// The draft's id.
    pub id: String,
    /// When it was written.
    pub at: Timestamp,
    /// The newest entry that its judgement saw.
    pub head: SeenHead,
    /// Who reported it, where that was not the machine that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_by: Option<Value>,
}

/// Drafts that cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum WaitingError {
    /// The system refused.
    #[error("cannot use '{}', where decisions wait to be sent: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A line is none.
    #[error(
        "line {line} of '{}' is no decision that waits: {reason}\n\
         find out who wrote it, and move the file away", path.display()
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The draft cannot be written in the ledger's profile.
    #[error("it cannot be recorded: {0}")]
    Profile(#[from] ProfileError),
    /// The draft is no JSON.
    #[error("it cannot be written: {0}")]
    Json(#[from] serde_json::Error),
    /// There is no randomness to be had for an id.
    #[error("the system gave no random bytes: {0}")]
    Random(getrandom::Error),
}

impl Waiting {
    /// A decision on `gate`, which the ledger with the id `ledger` shall take in, as judged at `at` behind `head`.
    ///
    /// # Errors
    /// Where the system gives no random bytes, or `data` is no object.
    pub fn new(
        (gate, actor, data): (&str, Value, Value),
        ledger: &str,
        head: SeenHead,
        at: Timestamp,
    ) -> Result<Self, WaitingError> {
        let mut bytes = [0_u8; 16];
        getrandom::fill(&mut bytes).map_err(WaitingError::Random)?;
        let id = format!("{:032x}", u128::from_be_bytes(bytes));
        let data = serde_json::from_value(data)?;
        let (schema, ledger) = (SCHEMA.to_owned(), ledger.to_owned());
        Ok(Self { schema, ledger, id, at, head, gate: gate.to_owned(), actor, data })
    }

    /// The draft of the entry that it becomes, `reported_by` whoever brought it from elsewhere.
    ///
    /// # Errors
    /// Where that is no JSON.
    pub fn draft(&self, reported_by: Option<Value>) -> Result<Draft, WaitingError> {
        let (id, head) = (self.id.clone(), self.head.clone());
        let waited = serde_json::to_value(Waited { id, at: self.at, head, reported_by })?;
        let mut data = self.data.clone();
        data.insert("waited".to_owned(), waited);
        Ok(Draft {
            kind: Kind::Decision,
            gate: Some(self.gate.clone()),
            reference: None,
            actor: self.actor.clone(),
            data: Value::Object(data),
        })
    }
}

/// The file beside the working copy at `ledger` where drafts wait.
pub fn beside(ledger: &Path) -> PathBuf {
    crate::store::beside(ledger, "-waiting")
}

/// Adds a line to the file at `path`, durably. The caller holds the ledger to itself.
///
/// # Errors
/// A [`WaitingError`]; then the line may be there in part, which is no line.
pub fn add(path: &Path, waiting: &Waiting) -> Result<(), WaitingError> {
    let fails = |source| WaitingError::Io { path: path.to_owned(), source };
    let mut line = profile::canonical(&serde_json::to_value(waiting)?)?.into_bytes();
    line.push(b'\n');
    let mut file = open(path, true).map_err(fails)?;
    cut_torn_line(&mut file).map_err(fails)?;
    file.write_all(&line).and_then(|()| file.sync_data()).map_err(fails)
}

/// The drafts in the file at `path`, in order; none where there is no file.
///
/// # Errors
/// A [`WaitingError`].
pub fn read(path: &Path) -> Result<Vec<Waiting>, WaitingError> {
    let fails = |source| WaitingError::Io { path: path.to_owned(), source };
    let file = match open(path, false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened.map_err(fails)?,
    };
    let mut lines = BufReader::new(file.take(MAX_FILE));
    let mut found = Vec::new();
    loop {
        let mut line = Vec::new();
        lines.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).map_err(fails)?;
        let Some(whole) = line.strip_suffix(b"\n") else {
            // The end of the file, or a line that nobody was told of.
            return if line.len() as u64 == MAX_LINE {
                Err(refused(path, found.len(), "it is longer than 2 MiB".to_owned()))
            } else {
                Ok(found)
            };
        };
        found.push(parse(whole).map_err(|reason| refused(path, found.len(), reason))?);
    }
}

/// Takes the drafts with these ids out of the file at `path`. The caller holds the ledger to itself.
///
/// # Errors
/// A [`WaitingError`]; then all of them are there still.
pub fn remove(path: &Path, ids: &[String]) -> Result<(), WaitingError> {
    let fails = |source| WaitingError::Io { path: path.to_owned(), source };
    let left: Vec<_> = read(path)?.into_iter().filter(|waiting| !ids.contains(&waiting.id)).collect();
    if left.is_empty() {
        return match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fails(error)),
            _ => Ok(()),
        };
    }
    let mut text = String::new();
    for waiting in &left {
        text.push_str(&profile::canonical(&serde_json::to_value(waiting)?)?);
        text.push('\n');
    }
    let scratch = crate::store::beside(path, "-new");
    let mut file = open(&scratch, true).map_err(fails)?;
    file.set_len(0).map_err(fails)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(fails)?;
    std::fs::rename(&scratch, path).map_err(fails)
}

fn refused(path: &Path, before: usize, reason: String) -> WaitingError {
    WaitingError::Line { path: path.to_owned(), line: before + 1, reason }
}

fn parse(line: &[u8]) -> Result<Waiting, String> {
    let value = profile::parse(line).map_err(|error| error.to_string())?;
    let waiting: Waiting = serde_json::from_value(value).map_err(|error| error.to_string())?;
    if waiting.schema != SCHEMA {
        return Err(format!("its schema is not '{SCHEMA}'"));
    }
    if waiting.id.len() != 32 || !waiting.id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err("its id is not 32 digits of 0-9 and a-f".to_owned());
    }
    Ok(waiting)
}

/// Opens the file, never through a link: what stands in its place could be anybody's.
fn open(path: &Path, write: bool) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.read(true).append(write).create(write).mode(0o600).custom_flags(flags.bits().cast_signed());
    let file = options.open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
}

/// Cuts off what a crash left of a last line, so that the next one stands alone.
fn cut_torn_line(file: &mut File) -> io::Result<()> {
    use std::io::{Seek as _, SeekFrom};
    let length = file.seek(SeekFrom::End(0))?;
    let from = length.saturating_sub(MAX_LINE);
    file.seek(SeekFrom::Start(from))?;
    let mut end = Vec::new();
    (&*file).take(MAX_LINE).read_to_end(&mut end)?;
    match end.iter().rposition(|byte| *byte == b'\n') {
        Some(newline) => file.set_len(from + newline as u64 + 1),
        None if from == 0 => file.set_len(0),
        None => Err(io::Error::other("its last line is longer than 2 MiB")),
    }
}

#[cfg(test)]
mod tests;
