//! The file of `--decision`.
//!
//! It is emptied before anything else is read, so that an earlier run's decision is never taken for this
//! one's, whatever ends the tool; and a path that cannot be written is known before the gate runs. One that
//! is an input (report, policy, ledger) is refused, since emptying it would destroy it.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use gate_model::decision::Decision;
use gate_model::exit::Exit;

use crate::places::same_place;

/// How a SQLite database begins (<https://www.sqlite.org/fileformat.html>, section 1.3).
const DATABASE: &[u8] = b"SQLite format 3\0";

/// A place for the decision document.
#[derive(Debug)]
pub(crate) struct DecisionFile(PathBuf);

/// Why the decision document could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecisionFileError {
    /// It cannot be written.
    #[error(
        "cannot write the decision to '{path}': {source}\nname a file that can be written with --decision"
    )]
    Write {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is the report, the policy or a ledger.
    #[error(
        "'{0}' is an input, and writing the decision there would destroy it\nname another file with --decision"
    )]
    Input(String),
    /// It is the name of a file that belongs to a ledger.
    #[error(
        "'{0}' is a name for files that belong to the ledger beside it, and writing there could destroy it\nname another file with --decision"
    )]
    Reserved(String),
}

impl DecisionFileError {
    /// The exit code outside run mode.
    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::Write { .. } => Exit::Failure,
            Self::Input(_) | Self::Reserved(_) => Exit::Usage,
        }
    }
}

impl DecisionFile {
    /// Claims `path`, which must be none of `inputs`: a regular file is emptied, a missing one is made,
    /// anything else (a pipe, a terminal) is left alone until there is something to write.
    ///
    /// # Errors
    /// A [`DecisionFileError`].
    pub(crate) fn claim(path: &Path, inputs: &[PathBuf]) -> Result<Self, DecisionFileError> {
        if inputs.iter().any(|input| same_place(path, input)) || is_database(path) {
            return Err(DecisionFileError::Input(path.display().to_string()));
        }
        if is_beside_database(path) {
            return Err(DecisionFileError::Reserved(path.display().to_string()));
        }
        let claimed = Self(path.to_owned());
        let is_special = path.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
        if !is_special {
            std::fs::File::create(path).map_err(|source| claimed.error(source))?;
        }
        Ok(claimed)
    }

    /// Writes the document as one line of JSON.
    ///
    /// # Errors
    /// A [`DecisionFileError`].
    pub(crate) fn write(&self, decision: &Decision) -> Result<(), DecisionFileError> {
        let file = std::fs::File::create(&self.0).map_err(|source| self.error(source))?;
        let mut out = std::io::BufWriter::new(file);
        let written = gate_cli::render::write_json(&mut out, decision).and_then(|()| out.write_all(b"\n"));
        written.and_then(|()| out.flush()).map_err(|source| self.error(source))
    }

    fn error(&self, source: std::io::Error) -> DecisionFileError {
        DecisionFileError::Write { path: self.0.display().to_string(), source }
    }
}

/// Whether `path`, or what it leads to, is named after a database in the same directory, as its write-ahead log is.
fn is_beside_database(path: &Path) -> bool {
    let named_after = |path: &Path| {
        let name = path.file_name().unwrap_or_default().as_bytes();
        let mut ends = (0..name.len()).filter(|end| name[*end] == b'-');
        ends.any(|end| is_database(&path.with_file_name(OsStr::from_bytes(&name[..end]))))
    };
    named_after(path) || path.canonicalize().is_ok_and(|real| named_after(&real))
}

/// Whether a regular file holds a database: which ledger the policy names is not known yet.
fn is_database(path: &Path) -> bool {
    use std::io::Read;
    let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file());
    let mut start = [0; DATABASE.len()];
    let read = is_file.then(|| std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start)));
    read.is_some_and(|read| read.is_ok()) && start == DATABASE
}
