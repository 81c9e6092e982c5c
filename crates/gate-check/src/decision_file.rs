//! The file of `--decision`.
//!
//! It is emptied before anything starts, so that an earlier run's decision is never read as this one's, and
//! a path that cannot be written is known before the gate runs.

use std::io::Write;
use std::path::{Path, PathBuf};

use gate_model::decision::Decision;

/// A place for the decision document.
#[derive(Debug)]
pub struct DecisionFile(PathBuf);

/// Why the decision document could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the decision to '{path}': {source}\nname a file that can be written with --decision")]
pub struct DecisionFileError {
    path: String,
    source: std::io::Error,
}

impl DecisionFile {
    /// Claims `path`: a regular file is emptied, a missing one is made, anything else (a pipe, a terminal)
    /// is left alone until there is something to write.
    ///
    /// # Errors
    /// A [`DecisionFileError`].
    pub fn claim(path: &Path) -> Result<Self, DecisionFileError> {
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
    pub fn write(&self, decision: &Decision) -> Result<(), DecisionFileError> {
        let text = gate_cli::render::json(decision) + "\n";
        let mut file = std::fs::File::create(&self.0).map_err(|source| self.error(source))?;
        file.write_all(text.as_bytes()).map_err(|source| self.error(source))
    }

    fn error(&self, source: std::io::Error) -> DecisionFileError {
        DecisionFileError { path: self.0.display().to_string(), source }
    }
}
