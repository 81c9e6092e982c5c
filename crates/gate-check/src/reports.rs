//! Reading the reports that a gate is judged by: those that are there, or those of a run.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use gate_findings::place::Place;
use gate_findings::{Options, Reader, Report};
use gate_workflow::check::Checker;

use crate::child::child_error;
use crate::freshness::{self, Before, NoReport};
use crate::named;
use gate_cli::Stop;

/// What the gate of `checker` wants to know of its reports.
pub(crate) fn options<'a>(checker: &Checker<'a>, place: Place<'a>) -> Options<'a> {
    let gate = checker.gate;
    Options {
        fail_on: gate.fail_on,
        floors: &gate.levels,
        honour_suppressions: gate.honours_suppressions(),
        accept_errors: gate.accept_errors,
        accept_empty: gate.accept_empty,
        place,
    }
}

/// Whether standard input is meant.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// Reads what `named`, relative to `cwd`, stands for; `-` is `stdin`. Perhaps the command line `meant` was.
///
/// # Errors
/// A [`Stop`] where one of them stands for nothing, or cannot be read or judged.
pub(crate) fn read(
    named: &[PathBuf],
    cwd: &Path,
    (stdin, meant): (&mut dyn Read, Option<String>),
    options: &Options<'_>,
) -> Result<Report, Stop> {
    let unread = |path: &Path, source: &std::io::Error| open_error(path, source, meant.clone());
    let mut reader = Once::new(options);
    for name in named {
        if is_stdin(name) {
            reader.stdin(stdin)?;
            continue;
        }
        let files = named::files(name, cwd).map_err(|source| unread(name, &source))?;
        if files.is_empty() {
            return Err(Stop::usage(format_args!(
                "there is no report at '{}'\n\
                 name files, folders that hold reports (.sarif, .xml, .json, .jsonl, .ndjson), or patterns such as \
                 'build/**/TEST-*.xml'",
                name.display()
            )));
        }
        for path in files {
            let file =
                gate_ledger::infile::open(&cwd.join(&path)).map_err(|source| unread(&path, &source))?;
            reader.file(file, &path)?;
        }
    }
    Ok(reader.finish()?)
}

/// Why the report at `path` cannot be opened. Where no file has that name the command line `meant` was, if there is one.
pub(crate) fn open_error(path: &Path, source: &std::io::Error, meant: Option<String>) -> Stop {
    if let (std::io::ErrorKind::NotFound, Some(line)) = (source.kind(), meant) {
        return Stop::usage(format_args!("these words name no reports\nto run a command: {line}"));
    }
    Stop::usage(format_args!(
        "cannot read report '{}': {source}\n\
         name SARIF, JUnit or JSON Lines files, or - for standard input; a command to run comes after --",
        path.display()
    ))
}

/// The reports of a run that is to begin.
#[derive(Debug)]
pub(crate) struct Written<'a> {
    named: &'a [PathBuf],
    cwd: &'a Path,
    before: Before,
}

impl<'a> Written<'a> {
    /// Notes what lies in the places of the reports that `named`, relative to `cwd`, stands for.
    ///
    /// # Errors
    /// A [`Stop`] where nobody can tell what lies there: it could not be told from a report of the run.
    pub(crate) fn before(named: &'a [PathBuf], cwd: &'a Path, now: SystemTime) -> Result<Self, Stop> {
        let mut paths = Vec::new();
        for name in named {
            let files = named::files(name, cwd).map_err(|source| open_error(name, &source, None))?;
            paths.extend(files.into_iter().map(|path| cwd.join(path)));
        }
        let before = freshness::before(paths, now).map_err(|error| child_error(&error))?;
        Ok(Self { named, cwd, before })
    }

    /// Reads what the run wrote: for each name at least one report, and none that is from before.
    ///
    /// # Errors
    /// A sentence that says why there is no report of this run.
    pub(crate) fn read(&self, options: &Options<'_>) -> Result<Report, String> {
        let mut reader = Once::new(options);
        for name in self.named {
            let shown = || name.display().to_string();
            let files = named::files(name, self.cwd)
                .map_err(|error| NoReport::Unlisted(shown(), error).to_string())?;
            if files.is_empty() {
                return Err(NoReport::Missing(shown()).to_string());
            }
            for path in files {
                let opened = freshness::open(&self.cwd.join(&path), &self.before);
                let file = opened.map_err(|error| error.to_string())?;
                reader.file(file, &path).map_err(|error| error.to_string())?;
            }
        }
        reader.finish().map_err(|error| error.to_string())
    }
}

/// A reader that reads a file once, however often it is named.
struct Once<'o> {
    reader: Reader<'o>,
    seen: HashSet<(u64, u64)>,
    stdin: bool,
}

impl<'o> Once<'o> {
    fn new(options: &Options<'o>) -> Self {
        Self { reader: Reader::new(options), seen: HashSet::new(), stdin: false }
    }

    fn file(&mut self, mut file: File, path: &Path) -> Result<(), Stop> {
        let identity = file.metadata().map(|metadata| (metadata.dev(), metadata.ino()));
        if self.seen.insert(identity.map_err(|source| open_error(path, &source, None))?) {
            self.reader.read(&mut file, &path.display().to_string())?;
        }
        Ok(())
    }

    fn stdin(&mut self, stdin: &mut dyn Read) -> Result<(), Stop> {
        if !std::mem::replace(&mut self.stdin, true) {
            self.reader.read(stdin, "standard input")?;
        }
        Ok(())
    }

    fn finish(self) -> Result<Report, gate_findings::ReportError> {
        self.reader.finish()
    }
}
