//! Entries from exports, of one ledger or several, in files or on standard input.
//!
//! Each line is hashed, as when it comes from a ledger; whether a chain is whole, and whether its end was cut off, only
//! gate-verify can say.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use gate_ledger::chain::{Facts, LedgerId};
use gate_ledger::entry::{EntryError, read_line};
use gate_ledger::infile;
use gate_model::exit::{Ends, Exit};
use gate_workflow::reading::Record;

use gate_cli::Stop;

/// A line longer than this holds no entry.
const MAX_LINE: u64 = 2 << 20;

/// Who is handed what each line says of its place, and its body; `Break` ends the reading.
pub(crate) type EachLine<'e> = &'e mut dyn FnMut(&Facts, &[u8]) -> Result<ControlFlow<()>, Stop>;

/// Why an export cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    /// A file cannot be read.
    #[error("cannot read '{path}': {source}")]
    Io {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A line is no entry.
    #[error("'{path}', line {line}: {source}\nit must be as gate-log export writes it")]
    Line {
        /// Which file.
        path: String,
        /// The line, from 1.
        line: u64,
        /// Why not.
        source: EntryError,
    },
}

impl Ends for ExportError {
    fn exit(&self) -> Exit {
        match self {
            Self::Io { .. } => Exit::Failure,
            Self::Line { .. } => Exit::Distrust,
        }
    }
}

/// Hands every line of the exports at `paths` to `each`, until it breaks off; `-` is standard input.
///
/// # Errors
/// An [`ExportError`], or that of `each`.
pub(crate) fn lines(
    cwd: &Path,
    paths: &[PathBuf],
    stdin: &mut dyn Read,
    each: EachLine<'_>,
) -> Result<(), Stop> {
    for path in paths {
        let shown = path.display().to_string();
        let went = if path.as_os_str() == "-" {
            scan(BufReader::new(&mut *stdin), &shown, each)?
        } else {
            let file = infile::open_named(&cwd.join(path));
            let file = file.map_err(|source| ExportError::Io { path: shown.clone(), source })?;
            scan(BufReader::new(file), &shown, each)?
        };
        if went.is_break() {
            break;
        }
    }
    Ok(())
}

/// The same as records, each entry once: an export that is given twice, or overlaps another, adds nothing.
///
/// # Errors
/// As [`lines`].
pub(crate) fn records(
    cwd: &Path,
    paths: &[PathBuf],
    stdin: &mut dyn Read,
    each: &mut dyn FnMut(&Record<'_>) -> Result<ControlFlow<()>, Stop>,
) -> Result<(), Stop> {
    let mut newest: HashMap<LedgerId, u64> = HashMap::new();
    lines(cwd, paths, stdin, &mut |facts, body| {
        if newest.get(&facts.ledger).is_some_and(|newest| facts.seq <= *newest) {
            return Ok(ControlFlow::Continue(()));
        }
        newest.insert(facts.ledger, facts.seq);
        each(&Record { facts: *facts, body, view: None })
    })
}

fn scan(mut input: impl BufRead, shown: &str, each: EachLine<'_>) -> Result<ControlFlow<()>, Stop> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line);
        if read.map_err(|source| ExportError::Io { path: shown.to_owned(), source })? == 0 {
            break;
        }
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let (body, facts) = read_line(line).map_err(|source| {
            let path = shown.to_owned();
            ExportError::Line { path, line: number, source }
        })?;
        if each(&facts, &body)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}
