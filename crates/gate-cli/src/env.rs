//! The environment of a process: its variables and its working directory, read at the edge only.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The variables that these tools read for themselves.
const VARIABLES: [&str; 12] = [
    "GATE_LEDGER",
    "GATE_POLICY",
    "GATE_POLICY_REF",
    "GATE_FORMAT",
    "GATE_ID_TOKEN",
    "GATE_ACTOR",
    "GATE_REPOSITORY",
    "GATE_REF",
    "GATE_COMMIT",
    "GATE_ENVIRONMENT",
    "GATE_RUN_ID",
    "GATE_RUN_URL",
];

type Lookup = dyn Fn(&str) -> Option<OsString>;

/// Variables and working directory, as the process has them or as a test states them.
pub struct Env {
    lookup: Box<Lookup>,
    /// The working directory, absolute.
    pub cwd: PathBuf,
    /// Which directory that was.
    pinned: Option<(u64, u64)>,
}

/// Which directory is at `path`, by device and inode; nothing where none can be looked at.
fn identity(path: &Path) -> Option<(u64, u64)> {
    path.metadata().ok().map(|found| (found.dev(), found.ino()))
}

impl Env {
    /// The environment of this process.
    ///
    /// # Errors
    /// Where the working directory cannot be told (it was removed, or a parent cannot be read).
    pub fn of_process() -> std::io::Result<Self> {
        Ok(Self::at(Box::new(|name| std::env::var_os(name)), std::env::current_dir()?))
    }

    /// An environment with just these variables.
    pub fn of<K: Into<String>, V: Into<OsString>>(
        variables: impl IntoIterator<Item = (K, V)>,
        cwd: impl Into<PathBuf>,
    ) -> Self {
        let map: BTreeMap<String, OsString> =
            variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self::at(Box::new(move |name| map.get(name).cloned()), cwd.into())
    }

    fn at(lookup: Box<Lookup>, cwd: PathBuf) -> Self {
        let pinned = identity(&cwd);
        Self { lookup, cwd, pinned }
    }

    /// Whether the path of the working directory still leads where it led at the start. What is named relatively is
    /// looked up by that path, so that whoever moves the directory away and puts another in its place would choose what
    /// is read.
    pub fn is_here(&self) -> bool {
        self.pinned.is_some() && identity(&self.cwd) == self.pinned
    }

    /// The first variable of these tools that is set but empty. Somebody meant to say something with it, and what it
    /// would fall back to is not what they meant.
    pub fn empty_variable(&self) -> Option<&'static str> {
        VARIABLES.into_iter().find(|name| (self.lookup)(name).is_some_and(|value| value.is_empty()))
    }

    /// The variable `name` as text; bytes that are not UTF-8 become U+FFFD, so that such a value never
    /// equals one that somebody could have meant.
    pub fn get(&self, name: &str) -> Option<String> {
        (self.lookup)(name).map(|value| value.to_string_lossy().into_owned())
    }

    /// The variable `name` as the system has it, for paths. An empty one counts as not set.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        (self.lookup)(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    }
}

impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The variables may hold secrets, so they are not shown.
        f.debug_struct("Env").field("cwd", &self.cwd).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Env;

    #[test]
    fn an_empty_path_variable_counts_as_not_set() {
        let env = Env::of([("GATE_LEDGER", ""), ("GATE_POLICY", "p.toml")], "/");
        assert_eq!(env.path("GATE_LEDGER"), None);
        assert_eq!(env.path("GATE_POLICY"), Some("p.toml".into()));
        assert_eq!(env.get("GATE_LEDGER"), Some(String::new()));
        assert_eq!(env.get("OTHER"), None);
    }

    #[test]
    fn a_working_directory_that_was_replaced_is_another_one() {
        let dir = std::env::temp_dir().join(format!("gate-env-{}", std::process::id()));
        let at = |name: &str| dir.join(name);
        std::fs::create_dir_all(at("work")).unwrap();
        let env = Env::of([("A", "a")], at("work"));
        assert!(env.is_here());
        std::fs::rename(at("work"), at("moved")).unwrap();
        assert!(!env.is_here());
        std::fs::create_dir(at("work")).unwrap();
        assert!(!env.is_here());
        assert!(!Env::of([("A", "a")], at("nowhere")).is_here());
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_utf_8_is_kept_as_a_path_and_marked_as_text() {
        use std::os::unix::ffi::OsStringExt;
        let odd = std::ffi::OsString::from_vec(vec![b'a', 0xff]);
        let env = Env::of([("X", odd.clone())], "/");
        assert_eq!(env.path("X"), Some(odd.into()));
        assert_eq!(env.get("X"), Some("a\u{fffd}".into()));
    }
}
