//! Checking a proof that an entry is in a ledger.
//!
//! A proof needs nothing but itself and a key: the entry, its path to the root, and a signed checkpoint are
//! in it. It shows that whoever holds the key vouched for a ledger that has this entry at this place.

use std::path::Path;

use gate_cli::options::Format;
use gate_cli::render::sheet::Tone;
use gate_cli::render::{self, Sheet, View};
use gate_cli::{Env, Io};
use gate_ledger::cosignature::policy::QuorumError;
use gate_ledger::entry::{Entry, EntryError};
use gate_ledger::note::VerifierKey;
use gate_ledger::proof::{MAX_BYTES, ProveFailure, TlogProof, TlogProofError};
use gate_model::exit::{Ends, Exit};
use gate_model::verification::Cosigned;
use serde::Serialize;
use serde_json::Value;

use crate::input;
use crate::trust::{Trust, TrustError, Trusted};

/// The value of `schema`.
const SCHEMA: &str = "gate.proof/1";

/// Why a proof was not checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProofFailure {
    /// No key is trusted.
    #[error(
        "a proof says nothing without a key that is trusted\nname the log's verifier key with --key, or --quorum FILE"
    )]
    NoKey,
    /// A key or a quorum file cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The proof cannot be read.
    #[error(
        "cannot read proof '{path}': {source}\nname a file that gate-log prove wrote, or - for standard input"
    )]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is something else.
    #[error("'{path}' is no proof: {source}\nname a file that gate-log prove wrote")]
    Form {
        /// The file.
        path: String,
        /// Why.
        source: TlogProofError,
    },
    /// It proves something, but not an entry that is at hand.
    #[error("proof '{0}' does not hold the entry that it proves\nmake it anew with: gate-log prove ID")]
    NoEntry(String),
}

impl Ends for ProofFailure {
    fn exit(&self) -> Exit {
        match self {
            Self::Trust(error) => error.exit(),
            Self::NoKey | Self::Read { .. } | Self::Form { .. } | Self::NoEntry(_) => Exit::Usage,
        }
    }
}

/// What a proof shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ProofReport {
    schema: &'static str,
    ok: bool,
    /// The place that it claims for the entry.
    seq: u64,
    /// Why it proves nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What it proves; left out where it proves nothing.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    proven: Option<Proven>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Proven {
    ledger: String,
    hash: String,
    checkpoint: Covering,
    /// The names of the keys that signed.
    signed_by: Vec<String>,
    /// The witnesses that cosigned and are trusted, and when.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    witnesses: Vec<Cosigned>,
    entry: Value,
}

/// The checkpoint that covers the entry, as a report names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Covering {
    size: u64,
    origin: String,
}

/// Why a proof proves nothing.
#[derive(Debug, thiserror::Error)]
enum NotProven {
    #[error("in the proof's checkpoint: {0}")]
    Checkpoint(#[from] QuorumError),
    #[error(transparent)]
    Proof(#[from] ProveFailure),
    #[error("what it proves is no entry: {0}")]
    Entry(#[from] EntryError),
    #[error("it proves entry {index}, and the entry in it says seq {seq}")]
    Seq { index: u64, seq: u64 },
    #[error("its checkpoint is of '{origin}', and the entry in it is of ledger {ledger}")]
    Origin { origin: String, ledger: String },
}

/// Checks the proof in `file` with the keys in `words` and the quorum file.
///
/// # Errors
/// A [`ProofFailure`] where there is no result.
pub(crate) fn check(
    file: &Path,
    words: &[String],
    quorum: Option<&Path>,
    io: &mut Io<'_>,
    env: &Env,
) -> Result<ProofReport, ProofFailure> {
    let trust = Trust::read(words, quorum, &env.cwd)?;
    if trust.is_empty() {
        return Err(ProofFailure::NoKey);
    }
    let shown = file.display().to_string();
    let fails = |source| ProofFailure::Read { path: shown.clone(), source };
    let bytes = if file == Path::new("-") {
        input::document_of(io.stdin, MAX_BYTES)
    } else {
        input::document(&env.cwd.join(file), MAX_BYTES)
    };
    let parsed = TlogProof::parse(&bytes.map_err(fails)?);
    let proof = parsed.map_err(|source| ProofFailure::Form { path: shown.clone(), source })?;
    let Some(body) = proof.extra.as_deref() else { return Err(ProofFailure::NoEntry(shown)) };
    let (reason, proven) = match prove(&proof, body, &trust) {
        Ok(proven) => (None, Some(proven)),
        Err(not_proven) => (Some(not_proven.to_string()), None),
    };
    Ok(ProofReport { schema: SCHEMA, ok: reason.is_none(), seq: proof.index, reason, proven })
}

fn prove(proof: &TlogProof, body: &[u8], trust: &Trust) -> Result<Proven, NotProven> {
    let Trusted { witnesses, logs, .. } = trust.open(proof.checkpoint.as_bytes())?;
    let proven = proof.verify(body, trust.keys())?;
    let entry = Entry::from_proof(body)?;
    if entry.seq != proof.index {
        return Err(NotProven::Seq { index: proof.index, seq: entry.seq });
    }
    let is_of_ledger = proven.checkpoint.is_of_ledger(&entry.ledger);
    let origin = proven.checkpoint.origin;
    if !is_of_ledger {
        return Err(NotProven::Origin { origin, ledger: entry.ledger });
    }
    Ok(Proven {
        // A line of ours is JSON; were it not, its text would still be shown.
        entry: serde_json::from_str(&entry.line()).unwrap_or_else(|_| Value::String(entry.line())),
        hash: entry.hash.to_string(),
        checkpoint: Covering { size: proven.checkpoint.size, origin },
        signed_by: signed_by(&logs, &witnesses),
        witnesses,
        ledger: entry.ledger,
    })
}

/// Logs first, then witnesses.
fn signed_by(logs: &[VerifierKey], witnesses: &[Cosigned]) -> Vec<String> {
    let logs = logs.iter().map(|key| key.name().to_owned());
    logs.chain(witnesses.iter().map(|one| one.name.clone())).collect()
}

impl ProofReport {
    /// How the tool ends.
    pub(crate) const fn exit(&self) -> Exit {
        if self.ok { Exit::Proceed } else { Exit::Negative }
    }

    /// The document in `format`.
    pub(crate) fn render(&self, format: Format, view: &View) -> String {
        match format {
            Format::Text | Format::Markdown | Format::Html => render::page(&self.sheet(), format, view),
            _ => render::json(self) + "\n",
        }
    }

    /// One line for stderr.
    pub(crate) fn summary(&self) -> String {
        match (&self.reason, &self.proven) {
            (Some(reason), _) => format!("not ok: entry {}: {reason}", self.seq),
            (None, Some(proven)) => {
                format!(
                    "ok: entry {} is in ledger {} ({})",
                    self.seq, proven.ledger, proven.checkpoint.origin
                )
            }
            (None, None) => "not ok".to_owned(),
        }
    }

    fn sheet(&self) -> Sheet {
        let (title, tone) = if self.ok { ("proven", Tone::Good) } else { ("not proven", Tone::Bad) };
        let mut sheet = Sheet::new(title, tone);
        sheet.fact("entry", self.seq.to_string());
        sheet.maybe("reason", self.reason.clone());
        if let Some(proven) = &self.proven {
            sheet.fact("hash", proven.hash.clone());
            sheet.fact("ledger", proven.ledger.clone());
            sheet.fact(
                "checkpoint",
                format!("{} entries of {}", proven.checkpoint.size, proven.checkpoint.origin),
            );
            sheet.fact("signed by", proven.signed_by.join(", "));
            let seen = proven.witnesses.iter().map(|one| format!("{} at {}", one.name, one.at));
            sheet.list("witnessed by", seen.collect());
            sheet.fact("body", proven.entry.to_string());
        }
        sheet
    }
}
