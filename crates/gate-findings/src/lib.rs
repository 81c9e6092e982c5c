//! Reports of scanners and test runs, read as findings; and which findings a waiver covers.
//!
//! Purpose: [`read`] turns SARIF 2.1.0, `JUnit` XML or JSON Lines into [`Report`], and [`Reader`] several files into one; [`matching`] assigns findings
//! to the evidence that waivers name; [`match_syntax`] is how a person writes such evidence; [`evidence`]
//! is how a decision names exactly what it saw.
//!
//! Invariants:
//! - A report is read once, from the first byte to the last, and hashed on the way: the bytes judged are the
//!   bytes whose digest is recorded. The format is told from the content, never from the file's name.
//! - A report that cannot be read whole is an error. Nothing is dropped in silence: every result is a finding
//!   or is counted, and `total` is their sum.
//! - Memory is bounded whatever the input: one result is at most [`limits::RESULT`] bytes, nesting stays below
//!   [`limits::DEPTH`], and findings are kept up to [`limits::FINDINGS_MEMORY`] bytes of memory.
//! - Text from a report is data. Control characters are replaced; ids that are too long are cut and marked with
//!   their digest, so that two different ids never become one.
//!
//! Not here: deciding whether a gate passes (gate-workflow), which opt-outs exist (gate-policy, gate-ledger).

mod around;
mod collector;
mod encoding;
mod error;
pub mod evidence;
mod identity;
mod json;
mod jsonlines;
mod junit;
pub mod limits;
pub mod match_syntax;
pub mod matching;
mod path;
pub mod place;
mod reading;
mod sarif;
mod source;
mod wording;

pub use error::{Absence, At, Place, ReportError};
pub use reading::{Format, Options, Part, Reader, Report, read};
