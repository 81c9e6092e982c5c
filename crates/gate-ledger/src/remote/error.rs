//! What keeps a remote from answering.

use std::io;

use gate_model::exit::{Ends, Exit};
use gate_model::text;

use super::MAX_SENTENCE;

/// Why an answer cannot be given, as the other side classes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nobody was reached: no network, no such host, no answer in time.
    Unreachable,
    /// Somebody was reached and does not let us in: no permission, a wrong password, a certificate that does not fit.
    Denied,
    /// What is there is no ledger, is damaged, or is of a format that is not known.
    Distrust,
    /// The remote's name, or what was asked, makes no sense.
    Usage,
    /// This remote cannot do what was asked.
    Unsupported,
    /// Anything else: a full disk, a program that is missing.
    Failure,
}

impl Why {
    /// Each of them.
    pub const ALL: [Self; 6] =
        [Self::Unreachable, Self::Denied, Self::Distrust, Self::Usage, Self::Unsupported, Self::Failure];

    /// The word that is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Denied => "denied",
            Self::Distrust => "distrust",
            Self::Usage => "usage",
            Self::Unsupported => "unsupported",
            Self::Failure => "failure",
        }
    }

    /// How a tool ends on it.
    pub const fn exit(self) -> Exit {
        match self {
            Self::Distrust => Exit::Distrust,
            Self::Usage | Self::Unsupported => Exit::Usage,
            Self::Unreachable | Self::Denied | Self::Failure => Exit::Failure,
        }
    }
}

/// The answer of somebody who cannot answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}{}", Remedy(remedy.as_deref()))]
pub struct Failed {
    /// Its class.
    pub why: Why,
    /// What is wrong, lower case, one sentence without a full stop.
    pub problem: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// The remedy on a line of its own.
struct Remedy<'r>(Option<&'r str>);

impl std::fmt::Display for Remedy<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.map_or(Ok(()), |remedy| write!(f, "\n{remedy}"))
    }
}

/// Something that was asked of a remote and not answered.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The other side says that it cannot.
    #[error(transparent)]
    Failed(#[from] Failed),
    /// What it says is not the protocol.
    #[error("the remote's helper does not keep to gate.remote/1: {0}\nsee gate-remote(7)")]
    Protocol(String),
    /// It speaks a later version.
    #[error(
        "the remote's helper speaks '{0}', this build speaks gate.remote/1\ninstall tools and helper of one version"
    )]
    Newer(String),
    /// It went away in the middle.
    #[error("the remote's helper ended without an answer\nwhat it wrote to standard error says why")]
    Ended,
    /// The streams failed.
    #[error("cannot speak to the remote's helper: {0}")]
    Io(#[from] io::Error),
    /// Whoever was handed the lines had enough of them.
    #[error("the answer was not read to its end")]
    Stopped,
}

impl RemoteError {
    /// A failure of class `why`: problem and remedy.
    pub fn failed(why: Why, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Failed { why, problem: problem.into(), remedy: Some(remedy.into()) }.into()
    }

    /// That this remote cannot do `what`.
    pub fn unsupported(what: &str) -> Self {
        let remedy =
            "keep the ledger where that is possible, such as a PostgreSQL server, or one reached by ssh";
        Self::failed(Why::Unsupported, format!("this remote cannot {what}"), remedy)
    }

    pub(super) fn protocol(defect: impl Into<String>) -> Self {
        Self::Protocol(defect.into())
    }

    /// The same as an answer, for whoever asked.
    pub fn as_failed(&self) -> Failed {
        if let Self::Failed(failed) = self {
            return failed.clone();
        }
        let text = self.to_string();
        let (problem, remedy) = text.split_once('\n').unwrap_or((&text, ""));
        let remedy = (!remedy.is_empty()).then(|| remedy.to_owned());
        Failed { why: Why::Failure, problem: problem.to_owned(), remedy }
    }
}

impl Ends for RemoteError {
    // How a tool ends on it.
    fn exit(&self) -> Exit {
        match self {
            Self::Failed(failed) => failed.why.exit(),
            Self::Protocol(_) | Self::Newer(_) | Self::Ended | Self::Io(_) | Self::Stopped => Exit::Failure,
        }
    }
}

/// A sentence of somebody else: short, and without what the profile excludes.
pub(super) fn sentence(text: &str) -> String {
    let text = text::clean(text.trim());
    if text.len() <= MAX_SENTENCE {
        return text.into_owned();
    }
    let end = (0..=MAX_SENTENCE - 3).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", &text[..end])
}
