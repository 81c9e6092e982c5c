//! A report for people who were not there: a page that stands alone, or the document behind it.
//!
//! It is made from the ledger, or from exports of one ledger or several, in files or on standard input. Of those, each
//! entry is hashed and linked to the one before it; whether an end was cut off only gate-verify can say, whose
//! document is taken with `--verification` and compared with what was read.

mod chart;
mod page;
mod parts;
mod record;

use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

use crate::run::TOOL;
use gate_cli::options::Format;
use gate_cli::{Io, render};
use gate_ledger::entry::Entry;
use gate_ledger::infile;
use gate_ledger::store::Access;
use gate_model::exit::{Ends, Exit};
use gate_model::verification::{SCHEMA, Verification};
use gate_workflow::reading::Period;
use gate_workflow::reading::report::{self, Gatherer};

use crate::args::ReportArgs;
use crate::exports;
use crate::session::Log;
use gate_cli::Stop;

/// A document of gate-verify is not longer.
const MAX_DOCUMENT: u64 = 64 << 20;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    /// A file cannot be read.
    #[error("cannot read '{path}': {source}")]
    Io {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// There was no entry.
    #[error("there is no entry to report on\nexports are made with: gate-log export")]
    Empty,
    /// No document of gate-verify.
    #[error("'{path}' is no verification: {reason}\nmake one with: gate-verify --format json")]
    Verification {
        /// Which file.
        path: String,
        /// Why not.
        reason: String,
    },
}

impl Ends for ReportError {
    fn exit(&self) -> Exit {
        match self {
            Self::Io { .. } => Exit::Failure,
            Self::Empty => Exit::Distrust,
            Self::Verification { .. } => Exit::Usage,
        }
    }
}

/// Writes the report.
///
/// # Errors
/// A [`Stop`].
pub(crate) fn show(log: &Log<'_>, args: &ReportArgs, io: &mut Io<'_>) -> Result<(), Stop> {
    let json = match log.session.output.asked() {
        None => false,
        Some(Format::Json) => true,
        Some(_) => {
            return Err(Stop::arguments(TOOL, "a report is a page, or with --format json a document"));
        }
    };
    let now = log.session.now();
    let period = args.span.ends(now);
    let verifications = args.verification.iter().map(|path| verification(&log.session.env.cwd, path));
    let verifications = verifications.collect::<Result<Vec<_>, _>>()?;
    let counted = Period::new(period.0, period.1);
    let report = if args.exports.is_empty() {
        let found = log.find()?;
        let name = |id: &str| {
            found
                .policy()
                .and_then(|policy| policy.people.of(id))
                .map_or_else(|| id.to_owned(), str::to_owned)
        };
        let mut gatherer = Gatherer::new(counted, &name, verifications);
        report::read(&found.open(Access::Read)?, &mut gatherer)?;
        gatherer.finish(now, period)
    } else {
        let mut gatherer = Gatherer::new(counted, &str::to_owned, verifications);
        exports::lines(&log.session.env.cwd, &args.exports, &mut *io.stdin, &mut |facts, body| {
            // What an export only commits to nobody here can put back.
            let as_it_is = &mut |_: &mut Entry| Ok::<(), std::convert::Infallible>(());
            let Ok(()) = gatherer.take(facts, body, as_it_is);
            Ok(ControlFlow::Continue(()))
        })?;
        gatherer.finish(now, period)
    };
    if report.ledgers.is_empty() {
        return Err(ReportError::Empty.into());
    }
    io.show(&if json { render::json(&report) + "\n" } else { page::page(&report) });
    Ok(())
}

fn verification(cwd: &Path, path: &Path) -> Result<Verification, ReportError> {
    let shown = || path.display().to_string();
    let mut text = String::new();
    let file = infile::open_named(&cwd.join(path));
    file.and_then(|file| file.take(MAX_DOCUMENT).read_to_string(&mut text))
        .map_err(|source| ReportError::Io { path: shown(), source })?;
    let fails = |reason: String| ReportError::Verification { path: shown(), reason };
    let given: Verification = serde_json::from_str(&text).map_err(|error| fails(error.to_string()))?;
    if given.schema != SCHEMA {
        return Err(fails(format!("its schema is '{}', not '{SCHEMA}'", given.schema)));
    }
    Ok(given)
}
