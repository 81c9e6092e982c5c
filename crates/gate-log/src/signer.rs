//! What signs checkpoints: a key in a file, or one that an ssh-agent holds.
//!
//! Invariants: a key file that others can read is refused; what an agent signed was verified before it is used.
//!
//! Not here: what may be signed; see [`crate::checkpoint`].

mod file;
mod memory;

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use crate::run::TOOL;
use gate_checkout::agent::{Agent, AgentError, AgentKey};
use gate_identity::ssh::note_key::{ChoiceError, KeyChoice};
use gate_ledger::checkpoint::{Checkpoint, CheckpointError};
use gate_ledger::infile;
use gate_ledger::note::{KeyError, KeyKind, SignerKey, VerifierKey};
use gate_model::exit::{Ends, Exit};

use crate::session::Log;
use gate_cli::Stop;

pub(crate) use file::{generate, read};
pub(crate) use memory::{Memory, MemoryError, Signed};

/// The largest key file, in bytes: one line with a name and a key in base64.
const MAX_BYTES: u64 = 16 << 10;
/// How long an agent may take for one answer: time enough to confirm or to touch a token.
const PATIENCE: Duration = Duration::from_mins(1);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignerError {
    /// The file cannot be read.
    #[error("cannot read key file '{path}': {source}\nmake one with: gate-log checkpoint --new-key '{path}'")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Others can read it.
    #[error("others can read key file '{0}', so whoever they are could sign too\nrun: chmod 600 '{0}'")]
    Open(String),
    /// It holds no key.
    #[error(
        "key file '{path}' holds no signer key: {source}\nmake one with: gate-log checkpoint --new-key FILE"
    )]
    Key {
        /// The file.
        path: String,
        /// Why.
        source: KeyError,
    },
    /// A new file cannot be written.
    #[error("cannot write key file '{path}': {source}\nname a place where nothing is")]
    Write {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A key cannot have this name.
    #[error(
        "no key can be named '{name}': {source}\nmend [ledger] origin in the policy, or name another with --origin"
    )]
    Name {
        /// The name.
        name: String,
        /// Why.
        source: KeyError,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes for a key: {0}")]
    Random(getrandom::Error),
    /// The file with the public half of an agent's key cannot be read.
    #[error(
        "cannot read public key '{path}': {source}\nname a .pub file, or a fingerprint as ssh-add -l prints it"
    )]
    Public {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It names no key that could sign.
    #[error("the value of --agent, '{word}', names no key that can sign: {source}")]
    Choice {
        /// The value.
        word: String,
        /// Why.
        source: ChoiceError,
    },
    /// The agent.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// What a new key has signed cannot be remembered.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

impl Ends for SignerError {
    fn exit(&self) -> Exit {
        match self {
            Self::Read { .. }
            | Self::Open(_)
            | Self::Key { .. }
            | Self::Name { .. }
            | Self::Public { .. }
            | Self::Choice { .. }
            | Self::Agent(AgentError::NoAgent | AgentError::NotHeld { .. } | AgentError::Choice(_)) => {
                Exit::Usage
            }
            Self::Memory(error) => error.exit(),
            Self::Write { source, .. } if source.kind() == std::io::ErrorKind::AlreadyExists => Exit::Usage,
            Self::Write { .. } | Self::Random(_) | Self::Agent(_) => Exit::Failure,
        }
    }
}

/// Why a signer did not sign.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SigningError {
    /// The checkpoint cannot be signed with this key.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The agent.
    #[error(transparent)]
    Agent(#[from] AgentError),
}

/// Where the key is, as the options say.
#[derive(Debug, Clone, Copy)]
pub(crate) enum KeyPlace<'a> {
    /// In this file.
    File(&'a Path),
    /// With the agent: the path of the public half, or a fingerprint.
    Agent(&'a str),
}

impl<'a> KeyPlace<'a> {
    /// The place that the options name, if they name one.
    pub(crate) fn of(file: Option<&'a Path>, agent: Option<&'a str>) -> Option<Self> {
        file.map(Self::File).or(agent.map(Self::Agent))
    }

    /// The same where one must be named.
    ///
    /// # Errors
    /// A [`Stop`] where none is.
    pub(crate) fn required(file: Option<&'a Path>, agent: Option<&'a str>) -> Result<Self, Stop> {
        Self::of(file, agent).ok_or_else(|| Stop::arguments(TOOL, "no key was named"))
    }
}

/// A key that signs.
pub(crate) enum Signer {
    /// Read from a file.
    File(Box<SignerKey>),
    /// Held by an agent.
    Agent {
        /// The connection.
        agent: Agent,
        /// The key.
        key: AgentKey,
        /// Its public half under the log's name.
        verifier: VerifierKey,
    },
}

impl Signer {
    /// The key at `place`. One that an agent holds has no name of its own: it signs as `name`.
    ///
    /// # Errors
    /// A [`SignerError`].
    pub(crate) fn open(log: &Log<'_>, place: KeyPlace<'_>, name: &str) -> Result<Self, SignerError> {
        match place {
            KeyPlace::File(path) => Ok(Self::File(Box::new(read(&log.session.env.cwd.join(path), path)?))),
            KeyPlace::Agent(word) => {
                let choice = choice(log, word)?;
                let mut agent = Agent::connect(log.session.env.path("SSH_AUTH_SOCK").as_deref(), PATIENCE)?;
                let key = agent.find(&choice)?;
                let verifier = VerifierKey::new(name, KeyKind::Note, key.public)
                    .map_err(|source| SignerError::Name { name: name.to_owned(), source })?;
                Ok(Self::Agent { agent, key, verifier })
            }
        }
    }

    /// The public half.
    pub(crate) fn verifier(&self) -> &VerifierKey {
        match self {
            Self::File(key) => key.verifier(),
            Self::Agent { verifier, .. } => verifier,
        }
    }

    /// The signed note of `checkpoint`.
    ///
    /// # Errors
    /// A [`SigningError`]; then nothing was signed.
    pub(crate) fn sign(&mut self, checkpoint: &Checkpoint) -> Result<String, SigningError> {
        match self {
            Self::File(key) => Ok(checkpoint.sign(key)?),
            Self::Agent { agent, key, verifier } => {
                let signature = agent.sign(key, checkpoint.to_text()?.as_bytes())?;
                Ok(checkpoint.sign_with(verifier, &signature)?)
            }
        }
    }
}

/// The agent's key that `word` names: a fingerprint, or the path of a file with the public half.
fn choice(log: &Log<'_>, word: &str) -> Result<KeyChoice, SignerError> {
    let fails = |source| SignerError::Choice { word: word.to_owned(), source };
    if word.starts_with("SHA256:") {
        return KeyChoice::by_fingerprint(word).map_err(fails);
    }
    let unreadable = |source| SignerError::Public { path: word.to_owned(), source };
    let mut text = String::new();
    let file = infile::open_named(&log.session.env.cwd.join(word)).map_err(unreadable)?;
    file.take(MAX_BYTES).read_to_string(&mut text).map_err(unreadable)?;
    KeyChoice::by_public_key(&text).map_err(fails)
}
