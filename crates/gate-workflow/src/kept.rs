//! A ledger that stays open between the steps of one run.
//!
//! Opening SQLite is a good part of what a decision costs, so the connection that read the ledger before a
//! command also records the decision after it. It is only used while the file at the path is still the one
//! that was opened: a ledger that was replaced meanwhile is opened, and refused, by its path. SQLite's
//! descriptors are closed in the command by exec, and between transactions no lock keeps anybody waiting.

use std::path::Path;

use gate_ledger::store::{Access, Ledger};

use crate::ledger_access::{self, Unusable};
use crate::policy_source::Loaded;

/// An open ledger with what it was opened for, and which file it is.
#[derive(Debug)]
pub struct Kept {
    /// The ledger.
    pub ledger: Ledger,
    access: Access,
    file: Option<FileId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileId(u64, u64);

impl FileId {
    #[cfg(unix)]
    fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        path.metadata().ok().map(|metadata| Self(metadata.dev(), metadata.ino()))
    }

    #[cfg(not(unix))]
    fn of(_path: &Path) -> Option<Self> {
        None
    }
}

impl Kept {
    /// Opens the ledger at `path`.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn open(path: &Path, access: Access, loaded: &Loaded) -> Result<Self, Unusable> {
        let before = FileId::of(path);
        let ledger = ledger_access::open(path, access, loaded)?;
        // A file that changed its identity while it was opened is not kept.
        let file = before.filter(|before| FileId::of(path) == Some(*before));
        Ok(Self { ledger, access, file })
    }

    /// Opens for appending where `access` asks for it and the file allows it, else for reading.
    ///
    /// # Errors
    /// Why it cannot be used at all.
    pub fn open_for(path: &Path, access: Access, loaded: &Loaded) -> Result<Self, Unusable> {
        match Self::open(path, access, loaded) {
            Err(_) if access == Access::Append => Self::open(path, Access::Read, loaded),
            other => other,
        }
    }

    /// Whether it may be used for `access` to what lies at `path` now.
    pub fn serves(&self, path: &Path, access: Access) -> bool {
        let enough = self.access == Access::Append || access == Access::Read;
        enough && self.file.is_some() && FileId::of(path) == self.file
    }
}
