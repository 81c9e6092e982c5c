//! What a key has signed, kept with the key.
//!
//! A log that signs two histories of one ledger has betrayed everybody who trusts its key (C2SP tlog-checkpoint), and
//! whoever restores an old copy of a ledger restores everything beside it too. So the largest checkpoint of each ledger
//! is remembered where the key is: in `FILE.signed` beside a key's file; for a key that an agent holds, or that comes
//! through a pipe, in the user's state directory (`$XDG_STATE_HOME`, else `~/.local/state`) under `gate/signed`.
//!
//! The file is text: a line `key ` with the public key in hexadecimal, then one line for each ledger: the size, the root
//! in hexadecimal, and the ledger's id.
//!
//! Invariants: it is locked from before a ledger is read until the signature is remembered, so that two signers follow
//! each other; it is durable before anybody sees the signature; one that cannot be read is never taken for none.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use gate_cli::Env;
use gate_ledger::infile;
use gate_ledger::note::VerifierKey;
use gate_ledger::outfile::{Manner, Place, Taken};
use gate_ledger::tree::Hash;
use gate_model::exit::{Ends, Exit};

use super::KeyPlace;

/// The largest memory that is read, in bytes: some ten thousand ledgers.
const MAX_BYTES: u64 = 2 << 20;
/// How long to wait for another signer.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

/// Why a memory cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MemoryError {
    /// The system refuses.
    #[error(
        "cannot use '{path}', which says what the key has signed: {source}\nnothing was signed; a key is kept where its owner can write"
    )]
    Io {
        /// The memory.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Its bytes say nothing.
    #[error(
        "line {line} of '{path}', which says what the key has signed, {defect}\nnothing was signed: restore the file, or move it away and name the newest checkpoint with --since"
    )]
    Damaged {
        /// The memory.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        defect: &'static str,
    },
    /// There is one already.
    #[error("'{0}' says what an earlier key of that name has signed\nmove it away, or name another file")]
    Taken(String),
}

impl Ends for MemoryError {
    fn exit(&self) -> Exit {
        match self {
            Self::Taken(_) => Exit::Usage,
            Self::Io { .. } => Exit::Failure,
            Self::Damaged { .. } => Exit::Distrust,
        }
    }
}

/// What a key signed of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signed {
    /// How many entries.
    pub size: u64,
    /// Their root.
    pub root: Hash,
}

/// The memory of one key, locked.
#[derive(Debug)]
pub(crate) struct Memory {
    key: String,
    path: PathBuf,
    /// None where its directory is not there and cannot be made.
    place: Option<Place>,
    /// None where there is no memory.
    ledgers: Option<BTreeMap<String, Signed>>,
    _lock: Option<File>,
}

impl Memory {
    /// The memory of the key at `place`, whose public half is `key`.
    ///
    /// # Errors
    /// A [`MemoryError`] where there is one that cannot be used.
    pub(crate) fn open(env: &Env, place: KeyPlace<'_>, key: &VerifierKey) -> Result<Self, MemoryError> {
        let key = hex(key.public());
        let Some(path) = path(env, place, &key) else {
            let path = PathBuf::from("$HOME/.local/state/gate/signed").join(&key);
            return Ok(Self { key, path, place: None, ledgers: None, _lock: None });
        };
        let fails = |source| MemoryError::Io { path: path.display().to_string(), source };
        let place = match Place::of(&path) {
            Ok(place) => place,
            // Only where there is no directory there can be no memory. One that cannot be looked into may hold it.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Self { key, path, place: None, ledgers: None, _lock: None });
            }
            Err(source) => return Err(fails(source)),
        };
        let lock = lock(&path).map_err(fails)?;
        let ledgers = read(&path).map_err(fails)?.map(|text| parse(&text, &key)).transpose();
        let ledgers = ledgers.map_err(|(line, defect)| MemoryError::Damaged {
            path: path.display().to_string(),
            line,
            defect,
        })?;
        Ok(Self { key, path, place: Some(place), ledgers, _lock: Some(lock) })
    }

    /// Whether anything is known of what the key has signed.
    pub(crate) const fn is_there(&self) -> bool {
        self.ledgers.is_some()
    }

    /// Where it is, or would be.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What the key signed of `ledger`.
    pub(crate) fn signed(&self, ledger: &str) -> Option<Signed> {
        self.ledgers.as_ref()?.get(ledger).copied()
    }

    /// Remembers that the key signed `signed` of `ledger`.
    ///
    /// # Errors
    /// A [`MemoryError`]; then the signature must not be shown.
    pub(crate) fn keep(mut self, ledger: &str, signed: Signed) -> Result<(), MemoryError> {
        let mut ledgers = self.ledgers.take().unwrap_or_default();
        ledgers.insert(ledger.to_owned(), signed);
        let fails = |source| MemoryError::Io { path: self.path.display().to_string(), source };
        let place = self.place.as_ref().ok_or_else(|| fails(ErrorKind::NotFound.into()))?;
        let text = text(&self.key, &ledgers);
        place.write(Manner::STATE, |out| out.write_all(text.as_bytes())).map_err(fails)
    }
}

/// The memory of a new key in the file at `path`: it signed nothing yet.
///
/// # Errors
/// A [`MemoryError`]; [`MemoryError::Taken`] where there is one of another key.
pub(crate) fn begin(path: &Path, key: &VerifierKey) -> Result<(), MemoryError> {
    let path = beside(path);
    let text = text(&hex(key.public()), &BTreeMap::new());
    let manner = Manner { taken: Taken::Keep, ..Manner::STATE };
    let written =
        Place::of(&path).and_then(|place| place.write(manner, |out| out.write_all(text.as_bytes())));
    let path = path.display().to_string();
    written.map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => MemoryError::Taken(path),
        _ => MemoryError::Io { path, source },
    })
}

/// Where the memory of a key is, as far as the environment says. The directory of an agent's key is made.
fn path(env: &Env, place: KeyPlace<'_>, key: &str) -> Option<PathBuf> {
    if let KeyPlace::File(file) = place
        // A link to the key is not another key.
        && let Ok(real) = env.cwd.join(file).canonicalize()
        && real.is_file()
    {
        return Some(beside(&real));
    }
    let state = env.path("XDG_STATE_HOME").filter(|path| path.is_absolute());
    // Accounts of services may have /dev/null for a home.
    let home = env.path("HOME").filter(|home| home.metadata().map_or(true, |found| found.is_dir()));
    let state = state.or_else(|| Some(home?.join(".local/state")))?;
    let directory = state.join("gate/signed");
    // Where it cannot be made there is no memory, and the caller says what follows.
    drop(std::fs::create_dir_all(&directory));
    Some(directory.join(key))
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".signed");
    name.into()
}

/// Locks the directory of the memory, which, other than the file, is never replaced.
fn lock(path: &Path) -> io::Result<File> {
    let directory = File::open(path.parent().unwrap_or(Path::new("/")))?;
    let end = Instant::now() + PATIENCE;
    loop {
        match directory.try_lock() {
            Ok(()) => return Ok(directory),
            Err(TryLockError::WouldBlock) if Instant::now() < end => sleep(PAUSE),
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::other("another process has locked its directory for ten seconds"));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        // A link may lead to another key's memory, and a pipe would hold us.
        Ok(found) if !found.is_file() => return Err(io::Error::other("it is not a regular file")),
        Ok(found) if found.len() > MAX_BYTES => return Err(io::Error::other("it is too large to be one")),
        Ok(_) => {}
    }
    let mut text = String::new();
    infile::open_own(path)?.take(MAX_BYTES).read_to_string(&mut text)?;
    Ok(Some(text))
}

fn text(key: &str, ledgers: &BTreeMap<String, Signed>) -> String {
    let mut text = format!("key {key}\n");
    for (ledger, Signed { size, root }) in ledgers {
        text.push_str(&format!("{size} {} {ledger}\n", hex(root)));
    }
    text
}

/// What the memory of `key` says.
///
/// # Errors
/// The line, and what is wrong with it.
fn parse(text: &str, key: &str) -> Result<BTreeMap<String, Signed>, (usize, &'static str)> {
    let mut lines = (1..).zip(text.lines());
    match lines.next().and_then(|(_, line)| line.strip_prefix("key ")) {
        Some(found) if found == key => {}
        Some(_) => return Err((1, "names another key")),
        None => return Err((1, "names no key")),
    }
    if !text.ends_with('\n') {
        return Err((text.lines().count(), "was cut off"));
    }
    let mut ledgers = BTreeMap::new();
    for (number, line) in lines {
        let (ledger, signed) = entry(line).ok_or((number, "holds no size, root and ledger"))?;
        if ledgers.insert(ledger.to_owned(), signed).is_some() {
            return Err((number, "repeats a ledger"));
        }
    }
    Ok(ledgers)
}

fn entry(line: &str) -> Option<(&str, Signed)> {
    let (size, rest) = line.split_once(' ')?;
    let (root, ledger) = rest.split_once(' ')?;
    let size: u64 = size.parse().ok().filter(|number: &u64| number.to_string() == size)?;
    let root = unhex(root)?;
    (!ledger.is_empty()).then_some((ledger, Signed { size, root }))
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn unhex(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    let pairs = text.as_bytes().chunks_exact(2);
    if text.len() != 2 * hash.len() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    (hex(&hash) == text).then_some(hash)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use gate_cli::Env;
    use gate_ledger::note::SignerKey;

    use super::{KeyPlace, Memory, MemoryError, Signed, begin, parse, text};

    fn signer(n: u8) -> SignerKey {
        SignerKey::generate("example.com/log", [n; 32]).unwrap()
    }

    #[test]
    fn a_new_key_signed_nothing_and_what_it_signs_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let env = Env::of([("HOME", dir.path().join("home"))], dir.path());
        let (file, key) = (dir.path().join("k"), signer(1));
        std::fs::write(&file, "").unwrap();
        let open = || Memory::open(&env, KeyPlace::File(&file), key.verifier());
        assert!(!open().unwrap().is_there());
        begin(&file, key.verifier()).unwrap();
        assert!(matches!(begin(&file, key.verifier()), Err(MemoryError::Taken(_))));
        let memory = open().unwrap();
        assert!(memory.is_there() && memory.signed("one").is_none());
        let signed = Signed { size: 7, root: [9; 32] };
        memory.keep("one", signed).unwrap();
        assert_eq!(open().unwrap().signed("one"), Some(signed));
        assert_eq!(open().unwrap().signed("two"), None);
        std::fs::write(dir.path().join("k.signed"), "key \n").unwrap();
        assert!(matches!(open(), Err(MemoryError::Damaged { .. })));
    }

    #[test]
    fn an_agents_key_is_known_by_its_public_half() {
        let dir = tempfile::tempdir().unwrap();
        let env = Env::of([("HOME", dir.path())], dir.path());
        let open = |n| Memory::open(&env, KeyPlace::Agent("SHA256:x"), signer(n).verifier()).unwrap();
        open(1).keep("one", Signed { size: 1, root: [0; 32] }).unwrap();
        assert!(open(1).is_there() && !open(2).is_there());
        let nowhere = Env::of([("HOME", "/dev/null")], dir.path());
        let memory = Memory::open(&nowhere, KeyPlace::Agent("SHA256:x"), signer(1).verifier()).unwrap();
        assert!(!memory.is_there());
        assert!(memory.keep("one", Signed { size: 1, root: [0; 32] }).is_err());
    }

    #[test]
    fn what_is_not_exactly_a_memory_is_damage() {
        let key = "ab";
        let ledgers = BTreeMap::from([("one".to_owned(), Signed { size: 3, root: [0xa5; 32] })]);
        let good = text(key, &ledgers);
        assert_eq!(parse(&good, key), Ok(ledgers));
        for bad in [
            String::new(),
            good.trim_end().to_owned(),
            good.replace("key ab", "key ac"),
            good.replace("3 ", "03 "),
            good.replace("a5", "A5"),
            good.clone() + good.lines().nth(1).unwrap() + "\n",
            good.clone() + "\n",
        ] {
            assert!(parse(&bad, key).is_err(), "{bad}");
        }
    }
}
