//! Telling the format from the content, and reading a report from its first byte to its last.
//!
//! A tool may write its report in many files. They are read as if they were one: the bounds are those of one report,
//! and a `JUnit` file without a test case is fine beside one that has some.

use std::collections::BTreeMap;
use std::io::Read;

use gate_model::digest;
use gate_model::finding::{Counts, Finding};
use gate_model::level::Level;
use gate_model::score::FailOn;

use crate::collector::Collector;
use crate::error::{Absence, At, ReportError};
use crate::json::detect::{self, Shape};
use crate::place::Place;
use crate::source::Source;
use crate::{jsonlines, junit, sarif};

/// A format of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// SARIF 2.1.0 (OASIS).
    Sarif,
    /// `JUnit` XML, as test runners write it.
    JUnit,
    /// One `gate.finding/1` after another.
    JsonLines,
}

impl Format {
    /// The name in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sarif => "SARIF",
            Self::JUnit => "JUnit XML",
            Self::JsonLines => "JSON Lines",
        }
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a gate wants to know of a report.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// From where on findings are kept; lower ones are counted.
    pub fail_on: FailOn,
    /// By rule id, the level that a report cannot go below.
    pub floors: &'a BTreeMap<String, Level>,
    /// Whether results that the report marks as suppressed are only counted.
    pub honour_suppressions: bool,
    /// Whether a tool may report errors of its own beside its results.
    pub accept_errors: bool,
    /// Whether a `JUnit` report may be without any test case.
    pub accept_empty: bool,
    /// Where the repository is.
    pub place: Place<'a>,
}

/// A file that was read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The word for it in messages.
    pub name: String,
    /// What it was.
    pub format: Format,
    /// The digest of its bytes, `b3:…`, in the context [`gate_model::digest::REPORT`].
    pub digest: String,
}

/// What one decision is about: a file that was read whole, or several of one run of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The files, in the order in which they were read; at least one.
    pub parts: Vec<Part>,
    /// The digest of the one file, or that of all their digests ([`gate_model::digest::of_reports`]).
    pub digest: String,
    /// The findings that reach `fail_on`, after the floor, in the order of the report.
    pub findings: Vec<Finding>,
    /// The results that are no such findings.
    pub counts: Counts,
    /// All results: `findings` and `counts` together.
    pub total: u64,
    /// The tools that wrote it, each once, in the order of the report.
    pub tools: Vec<String>,
    /// What a reader of the decision should know: levels that were mapped, suppressions that were not honoured.
    pub notes: Vec<String>,
    /// What the tools say about themselves: their own errors and warnings, as sentences.
    pub notices: Vec<String>,
}

/// Reads the report called `name` (a word for messages) from `input`, to its end.
///
/// The input is read once and forwards only, so a pipe will do.
///
/// # Errors
/// A [`ReportError`] with place, field, defect and remedy. Nothing of a report that fails is returned.
pub fn read(input: &mut dyn Read, name: &str, options: &Options<'_>) -> Result<Report, ReportError> {
    let mut reader = Reader::new(options);
    reader.read(input, name)?;
    reader.finish()
}

/// Reads one file after another into one report, within the bounds of one.
pub struct Reader<'o> {
    collector: Collector<'o>,
    parts: Vec<Part>,
    /// Why the first `JUnit` file without a test case did not run, unless another one has some.
    untested: Option<ReportError>,
    /// Whether a `JUnit` file has a test case.
    tested: bool,
}

impl<'o> Reader<'o> {
    /// A reader for a gate that wants to know this.
    pub fn new(options: &Options<'o>) -> Self {
        Self { collector: Collector::new(*options), parts: Vec::new(), untested: None, tested: false }
    }

    /// Reads the file called `name` from `input`, to its end.
    ///
    /// # Errors
    /// A [`ReportError`]; then there is no report.
    pub fn read(&mut self, input: &mut dyn Read, name: &str) -> Result<(), ReportError> {
        let (format, digest) = self.read_unnamed(input, name).map_err(|error| error.about(name))?;
        self.parts.push(Part { name: name.to_owned(), format, digest });
        Ok(())
    }

    fn read_unnamed(&mut self, input: &mut dyn Read, name: &str) -> Result<(Format, String), ReportError> {
        let mut source = Source::open(input)?;
        let collector = &mut self.collector;
        let (format, source) = match source.first_byte()? {
            None => {
                let at = At::new(source.place(0), String::new());
                return Err(ReportError::DidNotRun { at, absence: Absence::Empty });
            }
            Some(b'<') => {
                let (source, untested) = junit::read(source, collector)?;
                self.tested |= untested.is_none();
                self.untested = self.untested.take().or(untested.map(|error| error.about(name)));
                (Format::JUnit, source)
            }
            Some(_) => match detect::shape(&mut source)? {
                Shape::Sarif => (Format::Sarif, sarif::read(source, collector)?),
                Shape::Findings => (Format::JsonLines, jsonlines::read(source, collector)?),
            },
        };
        Ok((format, source.digest()))
    }

    /// What was read.
    ///
    /// # Errors
    /// [`ReportError::DidNotRun`] where nothing was read, or no test case where tests were to run.
    pub fn finish(mut self) -> Result<Report, ReportError> {
        let digests: Vec<&str> = self.parts.iter().map(|part| part.digest.as_str()).collect();
        let digest = match digests.as_slice() {
            [] => return Err(ReportError::DidNotRun { at: Box::default(), absence: Absence::NoReports }),
            [one] => (*one).to_owned(),
            many => digest::of_reports(many),
        };
        match self.untested {
            Some(untested) if !self.tested && !self.collector.options.accept_empty => return Err(untested),
            Some(_) if !self.tested => {
                self.collector.note("no test case ran, which this gate accepts".to_owned());
            }
            _ => {}
        }
        Ok(self.collector.finish(self.parts, digest))
    }
}

/// Reads `text` as the tests of the readers do: suppressions honoured, no floors, the root at `/ci/repo`.
#[cfg(test)]
pub(crate) fn read_text(text: &str, fail_on: Level) -> Result<Report, ReportError> {
    let (floors, roots) = (BTreeMap::new(), ["/ci/repo".to_owned()]);
    let place = Place { roots: &roots, ..Place::NOWHERE };
    let options = Options {
        fail_on: fail_on.into(),
        floors: &floors,
        honour_suppressions: true,
        accept_errors: false,
        accept_empty: false,
        place,
    };
    read(&mut text.as_bytes(), "test", &options)
}
