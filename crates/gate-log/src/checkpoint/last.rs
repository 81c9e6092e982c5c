//! The last checkpoint, kept beside the ledger so that the next one costs only what is new.
//!
//! The file `<ledger>-checkpoint` holds a `c2sp.org/tlog-proof` of the newest entry that the last checkpoint
//! covers. It is a cache and trusted by nobody: it is used only where this very key signed its checkpoint, its
//! path proves its entry, and the ledger still has that entry. So whoever can write the file cannot make the
//! signer sign a history that it did not read. Verification never looks at it, and it may be deleted.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use gate_ledger::checkpoint::{self, Checkpoint, CheckpointError};
use gate_ledger::infile;
use gate_ledger::note::{NoteError, VerifierKey};
use gate_ledger::outfile::{Manner, Place};
use gate_ledger::proof::{MAX_BYTES, Tip, TlogProof};
use gate_ledger::store::follow_database;

/// What the file of the last checkpoint says.
#[derive(Debug)]
pub(super) enum Last {
    /// There is none.
    Absent,
    /// Another key signed it, or it is of another log. It says nothing about this one.
    Foreign,
    /// It can be used.
    Good(Box<Tip>),
    /// Somebody changed it, or a disk did.
    Damaged {
        /// How one can tell.
        why: String,
        /// The checkpoint in it, where this key did sign that.
        signed: Option<Checkpoint>,
    },
}

impl Last {
    fn damaged(why: &impl ToString) -> Self {
        Self::Damaged { why: why.to_string(), signed: None }
    }

    /// What this key signed before, and what a history that it signs now must extend.
    pub(super) fn signed(&self) -> Option<&Checkpoint> {
        match self {
            Self::Good(tip) => Some(&tip.checkpoint),
            Self::Damaged { signed, .. } => signed.as_ref(),
            Self::Absent | Self::Foreign => None,
        }
    }
}

/// The file's path: beside the ledger's own file, whatever links lead to it.
pub(super) fn place(ledger: &Path) -> PathBuf {
    let real = fs::canonicalize(ledger).unwrap_or_else(|_| ledger.to_owned());
    let mut name = real.into_os_string();
    name.push("-checkpoint");
    name.into()
}

/// Reads the file at `path` for the signer with the key `own`, who signs for `origin`.
pub(super) fn read(path: &Path, own: &VerifierKey, origin: &str) -> Last {
    match bytes(path) {
        Ok(Some(bytes)) => parse(&bytes, own, origin),
        Ok(None) => Last::Absent,
        Err(error) => Last::damaged(&error),
    }
}

fn bytes(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match infile::read_own(path, MAX_BYTES as u64) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn parse(bytes: &[u8], own: &VerifierKey, origin: &str) -> Last {
    let proof = match TlogProof::parse(bytes) {
        Ok(proof) => proof,
        Err(error) => return Last::damaged(&error),
    };
    let keys = std::slice::from_ref(own);
    let signed = match checkpoint::open(proof.checkpoint.as_bytes(), keys) {
        Ok((checkpoint, _)) if checkpoint.origin == origin => checkpoint,
        Ok(_)
        | Err(
            CheckpointError::Note(NoteError::NoKnownSignature { .. }) | CheckpointError::ForeignKey { .. },
        ) => return Last::Foreign,
        Err(error) => return Last::damaged(&error),
    };
    match proof.tip(keys) {
        Ok(tip) => Last::Good(Box::new(tip)),
        Err(error) => Last::Damaged { why: error.to_string(), signed: Some(signed) },
    }
}

/// Puts `text` into the file, at once and for its owner only.
///
/// # Errors
/// What the system says; then the file is as it was before.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    Place::of(path)?.write(Manner::STATE, |out| out.write_all(text.as_bytes()))?;
    // Whoever may write to the ledger may continue from it.
    let ledger = path.to_str().and_then(|path| path.strip_suffix("-checkpoint")).map(Path::new);
    match ledger.filter(|ledger| ledger.is_file()) {
        Some(ledger) => follow_database(&infile::open_own(path)?, ledger),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use gate_ledger::note::SignerKey;

    use super::{Last, place, read, write};

    #[test]
    fn the_file_is_for_its_owner_and_replaced_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = place(&dir.path().join("l.db"));
        assert!(path.ends_with("l.db-checkpoint"));
        write(&path, "old\n").unwrap();
        write(&path, "new\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no passing name is left");
        std::fs::create_dir(dir.path().join("taken")).unwrap();
        std::fs::write(dir.path().join("taken/x"), "").unwrap();
        assert!(write(&dir.path().join("taken"), "x").is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "a failure leaves nothing");
    }

    #[test]
    fn what_is_no_file_or_no_proof_is_damage_and_what_is_not_there_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let key = SignerKey::generate("example.com", [1; 32]).unwrap();
        let of = |name: &str| read(&dir.path().join(name), key.verifier(), "example.com/1");
        assert!(matches!(of("none"), Last::Absent));
        std::fs::create_dir(dir.path().join("directory")).unwrap();
        assert!(matches!(of("directory"), Last::Damaged { .. }));
        std::os::unix::fs::symlink("/dev/zero", dir.path().join("link")).unwrap();
        assert!(matches!(of("link"), Last::Damaged { .. }));
        std::fs::write(dir.path().join("text"), "hello\n").unwrap();
        assert!(matches!(of("text"), Last::Damaged { signed: None, .. }));
        std::fs::write(dir.path().join("empty"), "").unwrap();
        assert!(matches!(of("empty"), Last::Damaged { .. }));
    }
}
