//! A first look at a checkout, cheap enough for a path that a person waits on: HEAD and the remote from the
//! files of the administration. Where the configuration is not plain, one `git config` reads the remote
//! beside whatever the caller does next.
//!
//! It knows only the plain case: a repository of this user's own, with a git to ask, whose HEAD is detached or attached to
//! a branch that has a commit. Everything else (another owner, whom git may not trust, the reftable format, an unborn
//! branch) is for [`super::look`]. It never says whether files differ from the commit.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use gate_identity::git::is_object_id;
use gate_model::repository::remote_name;

use gate_identity::git::place;

use super::error::GitError;
use super::head::{self, Head};
use super::inspect::{read_remotes, start_settings};
use super::process::Running;

/// The largest configuration that is read here, in bytes.
const MAX_CONFIG: u64 = 64 * 1024;
/// The largest `packed-refs` that is read, in bytes.
const MAX_PACKED: u64 = 64 * 1024 * 1024;

/// A checkout at a glance; its remote is still being read.
pub struct Glance {
    root: PathBuf,
    branch: Option<String>,
    head: String,
    remotes: Remotes,
}

/// The remote, or the process that is finding out.
enum Remotes {
    Known(Option<String>),
    Asked(Running),
}

/// What a glance saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glimpse {
    /// The full name of the branch; nothing where HEAD is detached.
    pub branch: Option<String>,
    /// The commit.
    pub head: String,
    /// The remote as `host/path`.
    pub remote: Option<String>,
}

impl Glance {
    /// Waits for the remote.
    ///
    /// # Errors
    /// A [`GitError`].
    pub fn finish(self) -> Result<Glimpse, GitError> {
        let remote = match self.remotes {
            Remotes::Known(remote) => remote,
            Remotes::Asked(running) => read_remotes(&self.root, running)?,
        };
        Ok(Glimpse { branch: self.branch, head: self.head, remote })
    }
}

/// Looks at the checkout around `dir`; `None` where it is not the plain case, or where no folder of `path`, which is
/// written as the variable `PATH` is, has a git.
pub fn glance(dir: &Path, path: &str) -> Option<Glance> {
    let root = place::root(dir)?;
    let git_dir = place::git_dir(&root).ok()?;
    let common = place::common_dir(&git_dir).ok()?;
    if !is_installed(path)
        || ![&root, &root.join(".git"), &git_dir, &common].into_iter().all(|path| is_own(path))
    {
        return None;
    }
    let (branch, head) = match head::head(&git_dir).ok()? {
        Head::Attached(branch) if is_branch(&branch) => {
            let head = loose(&common, &branch).or_else(|| packed(&common, &branch))?;
            (Some(branch), head)
        }
        Head::Detached => (None, object_id(text_of(&git_dir.join("HEAD"), 256)?.trim_end())?),
        Head::Attached(_) | Head::Unclear => return None,
    };
    let remotes = match plain_remote(&common) {
        Some(remote) => Remotes::Known(remote),
        None => Remotes::Asked(start_settings(&root).ok()?),
    };
    Some(Glance { root, branch, head, remotes })
}

fn is_branch(name: &str) -> bool {
    name.starts_with("refs/heads/") && !name.split('/').any(|part| part == ".." || part.is_empty())
}

/// Whether there is a git that could be asked: a plan must not say more than the run that follows it.
fn is_installed(path: &str) -> bool {
    std::env::split_paths(path).any(|dir| dir.join("git").is_file())
}

/// Whether a file or directory is this user's. Of another's git says whether it is trusted.
fn is_own(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.uid() == rustix::process::geteuid().as_raw())
}

/// The remote from the repository's own configuration, read without git; `None` where that is not plain:
/// it includes other files, continues lines, quotes values, or has several remotes and none called origin.
#[allow(clippy::option_option, reason = "unknown, known to be none, and known are three things")]
fn plain_remote(common: &Path) -> Option<Option<String>> {
    let text = text_of(&common.join("config"), MAX_CONFIG + 1)?;
    let lower = text.to_ascii_lowercase();
    let is_plain = text.len() as u64 <= MAX_CONFIG
        && !text.contains(['\\', '\r'])
        && !["[include", "worktreeconfig", "[remote."].iter().any(|word| lower.contains(word));
    is_plain.then(|| sole_url(&text)).flatten()
}

/// The url of `origin`, or of the only remote.
#[allow(clippy::option_option, reason = "unknown, known to be none, and known are three things")]
fn sole_url(text: &str) -> Option<Option<String>> {
    let mut remote: Option<&str> = None;
    let mut urls: Vec<(&str, &str)> = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            let header = line.strip_suffix(']')?;
            remote = header.strip_prefix("[remote \"").and_then(|name| name.strip_suffix('"'));
            if header.to_ascii_lowercase().starts_with("[remote") && remote.is_none() {
                return None;
            }
        } else if let (Some(name), Some((key, value))) = (remote, line.split_once('='))
            && key.trim().eq_ignore_ascii_case("url")
        {
            urls.push((name, value.trim()));
        }
    }
    if urls.iter().any(|(_, url)| url.contains(['"', '#', ';'])) {
        return None;
    }
    let origin = urls.iter().find(|(name, _)| *name == "origin");
    match (origin, urls.as_slice()) {
        (Some((_, url)), _) | (None, [(_, url)]) => Some(remote_name(url)),
        (None, []) => Some(None),
        (None, _) => None,
    }
}

fn loose(common: &Path, branch: &str) -> Option<String> {
    let path = common.join(branch);
    path.symlink_metadata().ok().filter(std::fs::Metadata::is_file)?;
    let text = text_of(&path, 256)?;
    object_id(text.trim_end())
}

fn packed(common: &Path, branch: &str) -> Option<String> {
    // A loose ref wins over a packed one, so one that is there but unreadable leaves the question open.
    if common.join(branch).symlink_metadata().is_ok() {
        return None;
    }
    let text = text_of(&common.join("packed-refs"), MAX_PACKED)?;
    let found = text.lines().find_map(|line| line.split_once(' ').filter(|(_, name)| *name == branch));
    object_id(found?.0)
}

/// A text that is plainly there; of everything else git knows more.
fn text_of(path: &Path, limit: u64) -> Option<String> {
    String::from_utf8(place::bytes_of(path, limit).ok()?).ok()
}

fn object_id(text: &str) -> Option<String> {
    is_object_id(text).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::glance;
    use crate::git::inspect;
    use crate::git::sandbox::Sandbox;

    fn path() -> String {
        std::env::var("PATH").unwrap()
    }

    #[test]
    fn a_glance_sees_what_git_sees() {
        let sandbox = Sandbox::new();
        sandbox.git(&["remote", "add", "origin", "git@example.com:o/r.git"]);
        let full = inspect(sandbox.root()).unwrap().unwrap();
        let seen = || glance(sandbox.root(), &path()).unwrap().finish().unwrap();
        assert_eq!(Some(seen().head), full.head);
        assert_eq!(seen().branch, full.branch);
        assert_eq!(seen().remote.as_deref(), Some("example.com/o/r"));
        sandbox.git(&["pack-refs", "--all"]);
        assert_eq!(Some(seen().head), full.head);
        sandbox.git(&["checkout", "-q", "--detach"]);
        assert_eq!((Some(seen().head), seen().branch), (full.head, None));
    }

    #[test]
    fn a_plain_configuration_is_read_without_git_and_any_other_by_git() {
        let plain = |text: &str| super::sole_url(text);
        let name = || Some("example.com/o/r".to_owned());
        assert_eq!(plain("[core]\n\tbare = false\n"), Some(None));
        assert_eq!(plain("[remote \"origin\"]\n\turl = https://example.com/o/r.git\n"), Some(name()));
        assert_eq!(plain("[remote \"up\"]\n\turl = git@example.com:o/r\n"), Some(name()));
        assert_eq!(plain("[remote \"a\"]\nurl = x\n[remote \"b\"]\nurl = y\n"), None);
        assert_eq!(plain("[remote \"origin\"]\n\turl = \"quoted\"\n"), None);
        assert_eq!(plain("[remote \"origin\"] url = https://example.com/o/r\n"), None);
        let sandbox = Sandbox::new();
        sandbox.git(&["remote", "add", "origin", "https://user:secret@example.com/o/r.git"]);
        assert_eq!(super::plain_remote(&sandbox.root().join(".git")), Some(name()));
        sandbox.git(&["config", "include.path", "/dev/null"]);
        assert_eq!(super::plain_remote(&sandbox.root().join(".git")), None);
    }

    #[test]
    fn what_is_not_plain_is_left_to_git() {
        let sandbox = Sandbox::new();
        std::fs::write(sandbox.root().join(".git/HEAD"), "ref: refs/remotes/origin/main\n").unwrap();
        assert!(glance(sandbox.root(), &path()).is_none());
        std::fs::write(sandbox.root().join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
        sandbox.git(&["checkout", "-q", "--orphan", "new"]);
        assert!(glance(sandbox.root(), &path()).is_none());
        assert!(glance(std::path::Path::new("/"), &path()).is_none());
    }
}
