//! The keys that somebody trusts: those on the command line, and no others.

use std::io::Read;
use std::path::Path;

use gate_ledger::infile;
use gate_ledger::note::{KeyError, VerifierKey};
use gate_model::exit::{Ends, Exit};

/// The largest key file, in bytes.
const MAX_BYTES: u64 = 4096;

/// Why a key cannot be used. No message repeats what was given: it may be a secret in the wrong place.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeysError {
    /// The text is no key, and no file of that name holds one.
    #[error(
        "the value of --key number {number} is no verifier key, and no file that is there: {source}\nname a key, or a file that holds one"
    )]
    Key {
        /// Which one, from 1.
        number: usize,
        /// Why.
        source: KeyError,
    },
}

impl Ends for KeysError {
    fn exit(&self) -> Exit {
        match self {
            Self::Key { .. } => Exit::Usage,
        }
    }
}

/// Reads the keys: each a verifier key itself, or the path of a file with one on its first line.
///
/// # Errors
/// A [`KeysError`] for the first that is neither.
pub(crate) fn read(words: &[String], cwd: &Path) -> Result<Vec<VerifierKey>, KeysError> {
    let one = |(number, word): (usize, &String)| {
        VerifierKey::parse(word)
            .or_else(|not_a_key| match in_file(&cwd.join(word)) {
                Some(text) => VerifierKey::parse(text.lines().next().unwrap_or_default()),
                None => Err(not_a_key),
            })
            .map_err(|source| KeysError::Key { number, source })
    };
    let mut keys: Vec<VerifierKey> = (1..).zip(words).map(one).collect::<Result<_, _>>()?;
    // The same key given twice is no ambiguity.
    let mut seen = std::collections::HashSet::new();
    keys.retain(|key| seen.insert(key.clone()));
    Ok(keys)
}

fn in_file(path: &Path) -> Option<String> {
    let mut text = String::new();
    infile::open_named(path).ok()?.take(MAX_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::{KeysError, read};

    const KEY: &str = "example.org/log+197edac4+ARYnAgGiz7XAfeKJP78EDGWRUFVicgssgMPX06z4DrWB";

    #[test]
    fn a_key_is_given_as_text_or_as_a_file() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("log.pub"), format!("{KEY}\n")).unwrap();
        let keys = read(&[KEY.to_owned(), "log.pub".to_owned()], dir.path()).unwrap();
        assert_eq!(keys.len(), 1);
        assert_eq!(keys[0].to_string(), KEY);
    }

    #[test]
    fn a_secret_in_the_wrong_place_is_not_repeated() {
        let secret = "PRIVATE+KEY+example.org/log+197edac4+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
        let error = read(&[secret.to_owned()], "/".as_ref()).unwrap_err();
        assert!(matches!(error, KeysError::Key { number: 1, .. }));
        assert!(!error.to_string().contains("AYEK"), "{error}");
    }
}
