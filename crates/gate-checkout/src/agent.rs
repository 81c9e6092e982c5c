//! Signing with a key that an ssh-agent holds, over the agent's socket.
//!
//! Purpose: whoever keeps the key of a ledger's checkpoints in an agent (or behind one: a token, a vault) need
//! not write it to a file. A C2SP note signature is plain Ed25519 over the note's text, and that is what an
//! agent makes with an `ssh-ed25519` key; `ssh-keygen -Y sign` wraps it into an SSHSIG, so it cannot be used.
//! Two messages of draft-miller-ssh-agent are spoken: the list of keys (section 3.5) and a signature (3.6).
//!
//! Invariants: the agent is not trusted. Each answer is bounded in length and in time, nothing is allocated by
//! a number that it claims, and a signature that does not hold for the key and the message is an error.
//!
//! Non-goals: adding, removing or locking keys; keys other than Ed25519, whose signatures no note can carry.

mod protocol;

use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gate_identity::ssh::note_key::{self, ChoiceError, KeyChoice};
use gate_identity::ssh::wire::WireError;
use ring::signature::{ED25519, UnparsedPublicKey};

use protocol::{Identity, MAX_REPLY};

/// Why the agent signed nothing.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// `SSH_AUTH_SOCK` is not set.
    #[error("there is no ssh-agent: SSH_AUTH_SOCK is not set\nstart one, and add the key with ssh-add")]
    NoAgent,
    /// Nobody answers at the socket.
    #[error("cannot reach the ssh-agent at '{}': {source}", path.display())]
    Connect {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The conversation broke off.
    #[error("the ssh-agent does not answer as it should: {0}")]
    Io(#[source] io::Error),
    /// No answer in time.
    #[error("the ssh-agent did not answer within {0} seconds\ndoes it wait for a confirmation or a touch?")]
    Timeout(u64),
    /// A reply that is larger than any that makes sense, or empty.
    #[error("the ssh-agent sent a reply of {0} bytes; 1 to {MAX_REPLY} are read")]
    Length(u32),
    /// A reply that cannot be read.
    #[error("the ssh-agent sent a reply that cannot be read: {0}")]
    Malformed(#[from] WireError),
    /// A reply to something else.
    #[error("the ssh-agent sent a reply of type {found} where {expected} belongs")]
    Unexpected {
        /// What came.
        found: u8,
        /// What belongs there.
        expected: u8,
    },
    /// The agent refuses to list its keys, or to sign.
    #[error("the ssh-agent refused {0}\nis it locked, or was the confirmation declined?")]
    Refused(&'static str),
    /// More keys than any agent holds.
    #[error("the ssh-agent claims to hold {0} keys")]
    TooManyKeys(u32),
    /// The key is not there.
    #[error("the ssh-agent does not hold the key {wanted}; it holds {held}\nadd the key with ssh-add")]
    NotHeld {
        /// Its fingerprint.
        wanted: String,
        /// The fingerprints of those that it holds.
        held: String,
    },
    /// It is there and cannot sign a note.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// The signature is of another form than Ed25519's.
    #[error("the ssh-agent made a signature that is not an Ed25519 one")]
    Form,
    /// The signature does not hold.
    #[error("the ssh-agent made a signature that does not hold for the key {0}")]
    Wrong(String),
}

/// An Ed25519 key that the agent holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentKey {
    /// The 32 bytes of the public key (RFC 8032).
    pub public: [u8; 32],
    blob: Vec<u8>,
    fingerprint: String,
}

/// A connection to an agent.
#[derive(Debug)]
pub struct Agent {
    stream: UnixStream,
    patience: Duration,
}

impl Agent {
    /// Connects to the agent at `socket`, the value of `SSH_AUTH_SOCK`. Each answer may take as long as
    /// `patience`, which should leave a person the time to confirm.
    ///
    /// # Errors
    /// [`AgentError::NoAgent`] where there is none, [`AgentError::Connect`] where nobody answers.
    pub fn connect(socket: Option<&Path>, patience: Duration) -> Result<Self, AgentError> {
        let path = socket.filter(|path| !path.as_os_str().is_empty()).ok_or(AgentError::NoAgent)?;
        let connected = UnixStream::connect(path);
        let stream = connected.map_err(|source| AgentError::Connect { path: path.to_owned(), source })?;
        Ok(Self { stream, patience })
    }

    /// The key that `choice` names.
    ///
    /// # Errors
    /// An [`AgentError`]; among them that the agent does not hold it, or that it is not an Ed25519 key.
    pub fn find(&mut self, choice: &KeyChoice) -> Result<AgentKey, AgentError> {
        let reply = self.ask(&protocol::request_identities())?;
        let held = protocol::identities(&reply)?;
        let Some(found) = held.iter().find(|identity| choice.names(&identity.blob)) else {
            return Err(AgentError::NotHeld { wanted: choice.fingerprint().to_owned(), held: list(&held) });
        };
        let public = note_key::point(&found.blob)?;
        let fingerprint = choice.fingerprint().to_owned();
        Ok(AgentKey { public, blob: found.blob.clone(), fingerprint })
    }

    /// The plain Ed25519 signature of `key` over `message`, which was verified.
    ///
    /// # Errors
    /// An [`AgentError`].
    pub fn sign(&mut self, key: &AgentKey, message: &[u8]) -> Result<[u8; 64], AgentError> {
        let reply = self.ask(&protocol::sign_request(&key.blob, message))?;
        let signature = protocol::signature(&reply)?;
        let holds = UnparsedPublicKey::new(&ED25519, &key.public).verify(message, &signature).is_ok();
        if holds { Ok(signature) } else { Err(AgentError::Wrong(key.fingerprint.clone())) }
    }

    /// Sends a request and reads the whole reply, within the patience.
    fn ask(&mut self, request: &[u8]) -> Result<Vec<u8>, AgentError> {
        let mut timed = Timed { stream: &self.stream, end: Instant::now() + self.patience };
        protocol::exchange(&mut timed, request).map_err(|error| match error {
            AgentError::Io(source) if is_timeout(&source) => AgentError::Timeout(self.patience.as_secs()),
            other => other,
        })
    }
}

/// A read that timed out says either, by system (`UnixStream::set_read_timeout`).
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// The fingerprints, for a message.
fn list(held: &[Identity]) -> String {
    let mut words: Vec<String> = held.iter().take(8).map(|one| note_key::fingerprint(&one.blob)).collect();
    if held.len() > words.len() {
        words.push(format!("{} more", held.len() - words.len()));
    }
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

/// A stream that ends at an instant: an agent that sends a byte a minute must not hold us for ever.
struct Timed<'a> {
    stream: &'a UnixStream,
    end: Instant,
}

impl Timed<'_> {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl io::Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        io::Read::read(&mut self.stream, buffer)
    }
}

impl io::Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        io::Write::write(&mut self.stream, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::Write::flush(&mut self.stream)
    }
}

#[cfg(test)]
mod tests;
