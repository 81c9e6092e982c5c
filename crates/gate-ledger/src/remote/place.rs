//! Where the working copy of a remote ledger lies.

use std::path::{Path, PathBuf};

use crate::entry::EntryHash;
use crate::store::OpenError;

/// What the digest of an address is for, so that it equals no other hash.
const CONTEXT: &str = "gate 2026-11-30 the working copy of a remote ledger";

/// The file of the working copy of the ledger with the first entry `genesis` at `address`: in the user's cache, where
/// it outlives the checkout and no change under review reaches it. `env` reads the environment. Where the user has no
/// cache, a folder of their own among the temporary files serves.
///
/// Another address has another file: what one remote says never mixes with what another one said.
///
/// # Errors
/// As [`refuse_link`].
pub fn working_copy(
    env: &dyn Fn(&str) -> Option<String>,
    genesis: EntryHash,
    address: &str,
) -> Result<PathBuf, OpenError> {
    let absolute = |name: &str| env(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = match (absolute("XDG_CACHE_HOME"), absolute("HOME")) {
        (Some(cache), _) => cache.join("gate"),
        (None, Some(home)) => home.join(".cache/gate"),
        (None, None) => {
            let temporary = absolute("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"));
            temporary.join(format!("gate-{}", rustix::process::geteuid().as_raw()))
        }
    };
    let (genesis, address) = (genesis.to_string(), gate_model::digest::of(CONTEXT, address.as_bytes()));
    let digits = |text: &str| text.trim_start_matches("b3:")[..16].to_owned();
    let copy = folder.join(format!("{}-{}.db", digits(&genesis), digits(&address)));
    refuse_link(&copy)?;
    Ok(copy)
}

/// Refuses a working copy that is a symbolic link, wherever it leads: no tool ever makes one, and what it leads to is
/// somebody's who may write there.
///
/// # Errors
/// [`OpenError::Beside`].
pub fn refuse_link(copy: &Path) -> Result<(), OpenError> {
    match copy.symlink_metadata() {
        Ok(found) if found.is_symlink() => Err(OpenError::Beside { path: copy.to_owned() }),
        // What cannot be looked at cannot be opened either, and says why there.
        Ok(_) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::working_copy;
    use crate::entry::EntryHash;

    #[test]
    fn a_working_copy_lies_in_the_users_cache_and_belongs_to_one_address() {
        let place = |variables: &[(&str, &str)], address: &str| {
            let find =
                |name: &str| variables.iter().find(|(own, _)| *own == name).map(|(_, v)| (*v).to_owned());
            working_copy(&find, EntryHash::ZERO, address).unwrap()
        };
        let home = [("HOME", "/home/dev"), ("XDG_CACHE_HOME", "relative")];
        let one = place(&home, "git:origin#gate-ledger");
        assert_eq!(one.parent(), Some(Path::new("/home/dev/.cache/gate")));
        assert_ne!(one, place(&home, "git:elsewhere#gate-ledger"));
        assert_eq!(
            place(&[("XDG_CACHE_HOME", "/c"), ("HOME", "/h")], "x:y").parent(),
            Some(Path::new("/c/gate"))
        );
        assert!(place(&[("TMPDIR", "/var/tmp")], "x:y").starts_with("/var/tmp"));
    }
    #[test]
    fn a_working_copy_that_is_a_link_is_refused_wherever_it_leads() {
        let dir = tempfile::tempdir().unwrap();
        let find = |name: &str| (name == "XDG_CACHE_HOME").then(|| dir.path().to_str().unwrap().to_owned());
        let place = || working_copy(&find, EntryHash::ZERO, "git:origin#gate-ledger");
        let copy = place().unwrap();
        std::fs::create_dir(dir.path().join("gate")).unwrap();
        let target = dir.path().join("elsewhere.db");
        for is_dangling in [true, false] {
            std::os::unix::fs::symlink(&target, &copy).unwrap();
            assert!(place().unwrap_err().to_string().contains("is not a regular file"), "{is_dangling}");
            std::fs::remove_file(&copy).unwrap();
            std::fs::write(&target, "").unwrap();
        }
        std::fs::write(&copy, "").unwrap();
        assert_eq!(place().unwrap(), copy);
    }
}
