//! Documents that come in: decisions of gate-check, entries, and what was signed elsewhere.
//!
//! They may be hostile. Duplicate keys, floats and control characters are refused by the ledger's profile
//! (all but a decision) or cannot matter (a decision, of which only gate and blocking findings are used).

use std::io::Read;
use std::path::Path;

use gate_cli::Io;
use gate_ledger::entry::Entry;
use gate_ledger::infile;
use gate_ledger::profile;
use gate_ledger::redaction::Privacy;
use gate_model::decision::{self, Decision, Verdict};
use gate_workflow::sealing::{self, Signed};

use gate_cli::Stop;

/// The largest decision that is read, in bytes.
const MAX_DECISION: u64 = 256 * 1024 * 1024;
/// The largest ignore file that is read, in bytes.
const MAX_IGNORE: u64 = 16 * 1024 * 1024;
/// The largest signed document or entry that is read, in bytes.
const MAX_SIGNED: u64 = 1024 * 1024;

const DECISION_REMEDY: &str =
    "give the JSON document that gate-check prints, or that it writes with --decision";
const SIGNED_REMEDY: &str = "give the JSON document that gate-skip --detached prints";
const ENTRY_REMEDY: &str = "give the line that gate-log show ID or gate-log export prints of the entry";

/// Reads a decision from `path`, `-` being standard input.
///
/// # Errors
/// A [`Stop`], with what is wrong.
pub(crate) fn decision(path: &Path, cwd: &Path, io: &mut Io<'_>) -> Result<Decision, Stop> {
    let bytes = read(path, cwd, io, MAX_DECISION, DECISION_REMEDY)?;
    let wrong = |reason: String| wrong(path, reason, DECISION_REMEDY);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(wrong("it is empty; gate-check decided nothing".to_owned()));
    }
    // A list of the members in their order would be read as well.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(wrong("it is not a JSON object".to_owned()));
    }
    let decision: Decision = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    if decision.schema != decision::SCHEMA {
        return Err(wrong(format!("its schema is '{}', not '{}'", decision.schema, decision::SCHEMA)));
    }
    Ok(decision)
}

/// Why a decision without blocking findings cannot be turned into a waiver, where it is not simply fine.
pub(crate) fn nothing_to_waive(decision: &Decision) -> Option<String> {
    match decision.decision {
        Verdict::Fail => Some(format!(
            "gate '{}' failed without findings, so there is nothing to waive\n\
             ask for an override: gate-skip {} --action override --reason TEXT",
            decision.gate, decision.gate
        )),
        Verdict::Hold => Some(format!(
            "gate '{}' is paused, and a waiver does not end a pause\nresume it: gate-skip resume {} --reason TEXT",
            decision.gate, decision.gate
        )),
        Verdict::Pass | Verdict::Skip | Verdict::Override | Verdict::Run => None,
    }
}

/// Reads a signed document from `path`, `-` being standard input, with the openings that the policy asks for.
///
/// # Errors
/// A [`Stop`], with what is wrong.
pub(crate) fn signed(path: &Path, privacy: Privacy, cwd: &Path, io: &mut Io<'_>) -> Result<Signed, Stop> {
    let bytes = read(path, cwd, io, MAX_SIGNED, SIGNED_REMEDY)?;
    let value = profile::parse(&bytes).map_err(|error| wrong_signed(path, &error))?;
    sealing::unpack(value, privacy).map_err(|error| wrong_signed(path, &error))
}

/// Reads an ignore file from `path`.
///
/// # Errors
/// A [`Stop`], with what is wrong.
pub(crate) fn ignore_file(path: &Path, cwd: &Path, io: &mut Io<'_>) -> Result<Vec<u8>, Stop> {
    read(path, cwd, io, MAX_IGNORE, "give an ignore file as its tool reads it")
}

/// What is wrong with a signed document.
pub(crate) fn wrong_signed(path: &Path, reason: &impl std::fmt::Display) -> Stop {
    wrong(path, reason.to_string(), SIGNED_REMEDY)
}

/// Reads an entry as it is exported from `path`, `-` being standard input. Its hash is that of what it says.
///
/// # Errors
/// A [`Stop`], with what is wrong.
pub(crate) fn entry(path: &Path, cwd: &Path, io: &mut Io<'_>) -> Result<Entry, Stop> {
    let bytes = read(path, cwd, io, MAX_SIGNED, ENTRY_REMEDY)?;
    let wrong = |reason: String| wrong(path, reason, ENTRY_REMEDY);
    let mut value = profile::parse(&bytes).map_err(|error| wrong(error.to_string()))?;
    let named = value.as_object_mut().and_then(|members| members.remove("hash"));
    let body = profile::canonical(&value).map_err(|error| wrong(error.to_string()))?;
    let entry = Entry::from_body(body.as_bytes()).map_err(|error| wrong(error.to_string()))?;
    if named.as_ref().and_then(serde_json::Value::as_str) == Some(entry.hash.to_string().as_str()) {
        return Ok(entry);
    }
    Err(wrong("its hash is not that of what it says".to_owned()))
}

fn wrong(path: &Path, reason: impl std::fmt::Display, remedy: &'static str) -> Stop {
    let path = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
    Stop::usage(format_args!("cannot read '{path}': {reason}\n{remedy}"))
}

fn read(path: &Path, cwd: &Path, io: &mut Io<'_>, limit: u64, remedy: &'static str) -> Result<Vec<u8>, Stop> {
    let fail = |error: std::io::Error| wrong(path, error.to_string(), remedy);
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        io.stdin.take(limit + 1).read_to_end(&mut bytes).map_err(fail)?;
        bytes
    } else {
        infile::read(&cwd.join(path), limit).map_err(fail)?
    };
    if bytes.len() as u64 > limit {
        return Err(wrong(path, format!("it is larger than {limit} bytes"), remedy));
    }
    Ok(bytes)
}
