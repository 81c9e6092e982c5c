//! The starter policy.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use gate_judge::policy_text::FILE_NAME;

use super::InitError;

/// A `gate.toml` that was just written, and is taken back unless it is kept.
#[derive(Debug)]
pub(super) struct Starter {
    path: PathBuf,
    kept: bool,
}

impl Starter {
    /// Writes the starter policy into `dir`, where nothing of that name may be.
    pub(super) fn write(dir: &Path) -> Result<Self, InitError> {
        let path = dir.join(FILE_NAME);
        let fails = |source| InitError::Write { path: FILE_NAME.to_owned(), source };
        let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(fails)?;
        let starter = Self { path, kept: false };
        let written = file.write_all(gate_policy::STARTER.as_bytes()).and_then(|()| file.sync_all());
        written.map_err(fails)?;
        Ok(starter)
    }

    /// Leaves the file where it is.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Starter {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed is a policy that denies nearly everything: harmless.
            drop(fs::remove_file(&self.path));
        }
    }
}
