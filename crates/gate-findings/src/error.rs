//! Why a report cannot be judged.
//!
//! Two families matter to the caller: the scan *did not run* (an empty, truncated or failed report: no opt-out
//! but a skip gets past that) and a report that is *malformed*. Both end with exit code 2; only a failing read
//! ends with 5. Each message names the report, the place, the field and the defect; a second line says what
//! to do about it.

use gate_model::exit::{Ends, Exit};
use gate_model::text;

use crate::limits;

/// A position in a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Bytes before it.
    pub offset: u64,
    /// The line, from 1.
    pub line: u64,
    /// The byte within the line, from 1.
    pub column: u64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {} (byte {})", self.line, self.column, self.offset)
    }
}

/// Where an error is: the report, the position in it, and the member.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct At {
    /// The report's name as the user gave it.
    pub report: String,
    /// The position, where there is one.
    pub place: Option<Place>,
    /// The member, such as `runs[0].results[17].level`; empty where the whole report is meant.
    pub field: String,
}

impl At {
    #[allow(clippy::unnecessary_box_returns, reason = "every error carries its place boxed, to stay small")]
    pub(crate) fn new(place: Place, field: String) -> Box<Self> {
        Box::new(Self { report: String::new(), place: Some(place), field })
    }
}

impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "report '{}'", text::visible(&self.report))?;
        if let Some(place) = &self.place {
            write!(f, ": {place}")?;
        }
        if !self.field.is_empty() {
            write!(f, ": {}", text::visible(&self.field))?;
        }
        Ok(())
    }
}

/// What shows that the scan did not run, or did not run to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Absence {
    /// Zero bytes, or only white space.
    #[error("the report is empty")]
    Empty,
    /// The report ends before its last bracket or tag.
    #[error("the report is truncated: it ends before it is complete")]
    Truncated,
    /// SARIF: `runs` is absent, null or empty.
    #[error("it has no runs")]
    NoRuns,
    /// SARIF: a run whose `results` are absent or null (§3.14.23: the run produced none).
    #[error("this run has no 'results': the tool did not get as far as looking")]
    NoResults,
    /// SARIF: an invocation says so itself.
    #[error("the tool says that it failed: {how}")]
    Failed {
        /// The member that says so.
        how: String,
    },
    /// SARIF: a notification of level error, where the gate does not accept these.
    #[error(
        "the tool reports an error of its own: {error} (report_errors = \"accept\" on the gate lives with that)"
    )]
    Complained {
        /// The first such error.
        error: String,
    },
    /// SARIF: a part of a run that matters stands outside of it.
    #[error(
        "'{part}' is kept outside of the run ('externalPropertyFileReferences' or 'inlineExternalProperties')"
    )]
    Elsewhere {
        /// Which part.
        part: &'static str,
    },
    /// No file at all.
    #[error("there is no report")]
    NoReports,
    /// `JUnit`: no test case at all.
    #[error("it holds no test case (empty = \"pass\" on the gate lives with that)")]
    NoTests,
    /// `JUnit`: a suite declares more failures than it shows.
    #[error("it declares {declared} failures and errors but shows {seen}")]
    FewerThanDeclared {
        /// `failures` + `errors` of the suite.
        declared: u64,
        /// The elements seen within it.
        seen: u64,
    },
    /// JSON Lines: the end marker counts other than what was read.
    #[error("its end marker counts {declared} findings but {seen} were read")]
    Miscounted {
        /// `count` of the end marker.
        declared: u64,
        /// The findings read.
        seen: u64,
    },
}

/// Why a report cannot be judged. Nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The scan did not run, or not to its end.
    #[error(
        "{at}: the scan did not run: {absence}\nrun the tool again and check its own messages; \
         no waiver or override makes up for a scan that did not run"
    )]
    DidNotRun {
        /// Where it shows.
        at: Box<At>,
        /// What shows it.
        absence: Absence,
    },
    /// It is not the format that it begins as, or says something impossible.
    #[error("{at}: {defect}\n{remedy}")]
    Malformed {
        /// Where.
        at: Box<At>,
        /// What is wrong.
        defect: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// Nested too deeply.
    #[error(
        "{at}: nested {} levels deep or more\nno known tool nests so deep; have the tool write a flatter report",
        limits::DEPTH
    )]
    TooDeep {
        /// Where.
        at: Box<At>,
    },
    /// One part of it, or all findings together, are larger than what is accepted.
    #[error("{at}: {what} more than {limit} bytes\n{remedy}")]
    TooLarge {
        /// Where.
        at: Box<At>,
        /// What is too large, with its verb.
        what: String,
        /// The limit in bytes.
        limit: usize,
        /// What to do about it.
        remedy: &'static str,
    },
    /// It is not UTF-8.
    #[error("{at}: {found}\nwrite the report as UTF-8, or convert it first: iconv -f FROM -t UTF-8")]
    Encoding {
        /// Where.
        at: Box<At>,
        /// What it is instead.
        found: &'static str,
    },
    /// It cannot be read.
    #[error("{at}: cannot read it: {source}\ncheck that the file exists, is a regular file and may be read")]
    Io {
        /// Which report.
        at: Box<At>,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl ReportError {
    /// Whether the scan did not run (as opposed to: ran, and wrote something that cannot be read).
    pub const fn did_not_run(&self) -> bool {
        matches!(self, Self::DidNotRun { .. })
    }

    /// Where the error is.
    pub fn at(&self) -> &At {
        match self {
            Self::DidNotRun { at, .. }
            | Self::Malformed { at, .. }
            | Self::TooDeep { at }
            | Self::TooLarge { at, .. }
            | Self::Encoding { at, .. }
            | Self::Io { at, .. } => at,
        }
    }

    /// The same error about the report called `name`. The readers do not know the name.
    #[must_use]
    pub(crate) fn about(mut self, name: &str) -> Self {
        match &mut self {
            Self::DidNotRun { at, .. }
            | Self::Malformed { at, .. }
            | Self::TooDeep { at }
            | Self::TooLarge { at, .. }
            | Self::Encoding { at, .. }
            | Self::Io { at, .. } => name.clone_into(&mut at.report),
        }
        self
    }
}

impl Ends for ReportError {
    fn exit(&self) -> Exit {
        match self {
            Self::Io { .. } => Exit::Failure,
            _ => Exit::Usage,
        }
    }
}
