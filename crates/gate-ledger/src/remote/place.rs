//! Where the working copy of a remote ledger lies.

use std::path::PathBuf;

use crate::entry::EntryHash;

/// What the digest of an address is for, so that it equals no other hash.
const CONTEXT: &str = "gate 2026-11-30 the working copy of a remote ledger";

/// The file of the working copy of the ledger with the first entry `genesis` at `address`: in the user's cache, where
/// it outlives the checkout and no change under review reaches it. `env` reads the environment. Where the user has no
/// cache, a folder of their own among the temporary files serves.
///
/// Another address has another file: what one remote says never mixes with what another one said.
pub fn working_copy(env: &dyn Fn(&str) -> Option<String>, genesis: EntryHash, address: &str) -> PathBuf {
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
    folder.join(format!("{}-{}.db", digits(&genesis), digits(&address)))
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
            working_copy(&find, EntryHash::ZERO, address)
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
}
