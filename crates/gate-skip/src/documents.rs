//! Documents that come in: decisions of gate-check, and requests that were signed elsewhere.
//!
//! They may be hostile. Duplicate keys, floats and control characters are refused by the ledger's profile
//! (a request) or cannot matter (a decision, of which only gate and blocking findings are used).

use std::io::Read;
use std::path::Path;

use gate_cli::Io;
use gate_ledger::infile;
use gate_ledger::veil::Privacy;
use gate_model::decision::{self, Decision, Verdict};
use gate_model::request::Request;
use gate_workflow::sealing;

use crate::error::SkipError;

/// The largest decision that is read, in bytes.
const MAX_DECISION: u64 = 256 * 1024 * 1024;
/// The largest request that is read, in bytes.
const MAX_REQUEST: u64 = 1024 * 1024;

const DECISION_REMEDY: &str =
    "give the JSON document that gate-check prints, or that it writes with --decision";
const REQUEST_REMEDY: &str = "give the JSON document that gate-skip --detached prints";

/// Reads a decision from `path`, `-` being standard input.
///
/// # Errors
/// [`SkipError::Document`], with what is wrong.
pub(crate) fn decision(path: &Path, cwd: &Path, io: &mut Io<'_>) -> Result<Decision, SkipError> {
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

/// Reads a signed request from `path`, `-` being standard input, with the openings that the policy asks for.
///
/// # Errors
/// [`SkipError::Document`], with what is wrong.
pub(crate) fn request(
    path: &Path,
    privacy: Privacy,
    cwd: &Path,
    io: &mut Io<'_>,
) -> Result<Request, SkipError> {
    let bytes = read(path, cwd, io, MAX_REQUEST, REQUEST_REMEDY)?;
    let wrong = |reason: String| wrong(path, reason, REQUEST_REMEDY);
    let value = gate_ledger::profile::parse(&bytes).map_err(|error| wrong(error.to_string()))?;
    sealing::unpack(value, privacy).map_err(|error| wrong(error.to_string()))
}

fn wrong(path: &Path, reason: String, remedy: &'static str) -> SkipError {
    let path = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
    SkipError::Document { path, reason, remedy }
}

fn read(
    path: &Path,
    cwd: &Path,
    io: &mut Io<'_>,
    limit: u64,
    remedy: &'static str,
) -> Result<Vec<u8>, SkipError> {
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
