//! The checkout: root, commit, branch, parents, remote and whether it is clean.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use gate_identity::git::{Checkout, is_object_id};
use gate_model::repository::remote_name;

use gate_identity::git::place;

use super::error::GitError;
use super::head::{self, Head};
use super::process::{self, Output, Running};
use super::{object, resolve};

/// How much of `git status` is read: the headers come first, and one changed file is enough to be dirty.
const MAX_STATUS: u64 = 64 * 1024;
/// How much configuration of remotes and filters is read.
const MAX_SETTINGS: u64 = 256 * 1024;

/// What was found where a checkout was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inspection {
    /// A work tree.
    Checkout(Box<Checkout>),
    /// There is no `.git` from here upward.
    NoRepository,
    /// There is a `.git`, but no `git` to ask.
    NoGit {
        /// The top of the work tree.
        root: PathBuf,
    },
}

/// The checkout that `dir` is in, or `None` outside a work tree and where git is not installed;
/// [`look`] tells these two apart.
///
/// # Errors
/// A [`GitError`] where there is a repository that cannot be read.
pub fn inspect(dir: &Path) -> Result<Option<Checkout>, GitError> {
    Ok(match look(dir)? {
        Inspection::Checkout(checkout) => Some(*checkout),
        Inspection::NoRepository | Inspection::NoGit { .. } => None,
    })
}

/// Looks for a checkout around `dir`. Starts two processes one after the other, a third for a detached HEAD.
///
/// # Errors
/// A [`GitError`] where there is a repository that cannot be read.
pub fn look(dir: &Path) -> Result<Inspection, GitError> {
    let Some(root) = place::root(dir) else { return Ok(Inspection::NoRepository) };
    match read(&root) {
        Ok(checkout) => Ok(Inspection::Checkout(Box::new(checkout))),
        Err(GitError::NotInstalled { root }) => Ok(Inspection::NoGit { root }),
        Err(other) => Err(other),
    }
}

fn read(root: &Path) -> Result<Checkout, GitError> {
    let settings = start_settings(root)?.finish(MAX_SETTINGS)?;
    let status = start_status(root, &without_filters(root, &settings)?)?;
    // After git was started: a missing git counts before a broken repository, and this overlaps with it.
    let git_dir = place::git_dir(root);
    let attached = git_dir.as_ref().ok().map(|dir| head::head(dir));
    let commit = match attached {
        Some(Ok(Head::Detached)) => Some(object::Store::open(root)?),
        _ => None,
    };
    // Git's own word on the repository comes first: it knows best why it is unusable.
    let status = told(root, status.finish(MAX_STATUS))?;
    let (git_dir, attached) = (git_dir?, attached.transpose()?.unwrap_or(Head::Unclear));
    let branch = branch(root, attached, &status)?;
    let parents = match (&branch, &status.head) {
        (None, Some(id)) => parents(root, commit, id)?,
        _ => Vec::new(),
    };
    let remote = remote_of(root, &settings)?;
    Ok(Checkout {
        root: root.to_owned(),
        git_dir,
        head: status.head,
        branch,
        parents,
        remote,
        dirty: status.dirty,
    })
}

fn start_status(root: &Path, settings: &[String]) -> Result<Running, GitError> {
    // Submodules count by the commit they are at; looking into them would start git there, with their
    // configuration.
    let args = [
        "--porcelain=v2",
        "--branch",
        "-z",
        "--untracked-files=no",
        "--ignore-submodules=dirty",
        "--no-renames",
        "--no-ahead-behind",
    ];
    process::start_with(root, settings, "status", args)
}

/// What `git status` says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) head: Option<String>,
    /// The branch without `refs/heads/`, or `(detached)`, which a branch may be called too.
    label: String,
    /// Unknown where the work tree is too large for git to tell in time.
    pub(super) dirty: Option<bool>,
}

/// What `git status` said. Whether something was changed is read of every file, which a large tree on a cold disk takes
/// long for; where it took too long the commit is asked for alone.
pub(super) fn told(root: &Path, answer: Result<Output, GitError>) -> Result<Status, GitError> {
    match answer {
        Ok(output) => parse_status(root, &output),
        Err(GitError::TooSlow { .. }) => {
            Ok(Status { head: resolve::head_commit(root)?, label: String::new(), dirty: None })
        }
        Err(other) => Err(other),
    }
}

/// Reads `--porcelain=v2 --branch -z`: headers begin with `# `, every other record is a change.
fn parse_status(root: &Path, output: &Output) -> Result<Status, GitError> {
    if !output.cut && !output.status.success() {
        return Err(process::explain(root, "status", output));
    }
    let unexpected = |problem| GitError::Answer { verb: "status", root: root.to_owned(), problem };
    let mut status = Status { head: None, label: String::new(), dirty: Some(false) };
    let mut seen_oid = false;
    for record in output.stdout.split(|byte| *byte == 0).filter(|record| !record.is_empty()) {
        let Some(header) = record.strip_prefix(b"# ") else {
            status.dirty = Some(true);
            break;
        };
        let header = std::str::from_utf8(header).map_err(|_| unexpected("a header is not UTF-8"))?;
        if let Some(id) = header.strip_prefix("branch.oid ") {
            seen_oid = true;
            status.head = (id != "(initial)").then(|| id.to_owned());
        } else if let Some(label) = header.strip_prefix("branch.head ") {
            label.clone_into(&mut status.label);
        }
    }
    if !seen_oid || status.head.as_deref().is_some_and(|id| !is_object_id(id)) {
        return Err(unexpected("it names no commit"));
    }
    Ok(status)
}

/// The full name of the branch. The file decides, since `branch.head (detached)` may also be a branch of
/// that name; where file and status differ git is asked again.
fn branch(root: &Path, attached: Head, status: &Status) -> Result<Option<String>, GitError> {
    match attached {
        Head::Detached => Ok(None),
        Head::Attached(name) if name.strip_prefix("refs/heads/") == Some(&status.label) => Ok(Some(name)),
        Head::Attached(_) | Head::Unclear => resolve::symbolic_head(root),
    }
}

/// The parents of the commit `id`, which HEAD must still be.
fn parents(root: &Path, store: Option<object::Store>, id: &str) -> Result<Vec<String>, GitError> {
    let mut store = match store {
        Some(store) => store,
        None => object::Store::open(root)?,
    };
    Ok(store.commit(id)?.parents)
}

/// Starts reading what git is set to: the urls of the remotes, and the filters.
pub(super) fn start_settings(root: &Path) -> Result<Running, GitError> {
    process::start(root, "config", ["-z", "--get-regexp", r"^(remote\..*\.url|filter\..*)$"])
}

/// The remote, once the process of [`start_settings`] has ended.
pub(super) fn read_remotes(root: &Path, running: Running) -> Result<Option<String>, GitError> {
    remote_of(root, &running.finish(MAX_SETTINGS)?)
}

fn remote_of(root: &Path, settings: &Output) -> Result<Option<String>, GitError> {
    Ok(choose_remote(&records_of(root, settings)?).and_then(remote_name))
}

/// The records `name\nvalue\0` of the settings.
fn records_of<'o>(root: &Path, settings: &'o Output) -> Result<Cow<'o, str>, GitError> {
    // Status 1 is "no such key".
    if settings.status.code() == Some(1) {
        return Ok(Cow::Borrowed(""));
    }
    if settings.cut || !settings.status.success() {
        return Err(process::explain(root, "config", settings));
    }
    Ok(String::from_utf8_lossy(&settings.stdout))
}

/// Settings that switch off each filter that is defined anywhere: `git status` would run it over changed files, and
/// whoever writes to `.git/config` chooses the program. An empty command is no filter (git's `convert.c`).
fn without_filters(root: &Path, settings: &Output) -> Result<Vec<String>, GitError> {
    let records = records_of(root, settings)?;
    let keys = records.split('\0').map(|record| record.split_once('\n').map_or(record, |(key, _)| key));
    let names: BTreeSet<&str> =
        keys.filter_map(|key| key.strip_prefix("filter.")?.rsplit_once('.')).map(|(name, _)| name).collect();
    // The first '=' of an option ends the name of the setting; bytes that were not UTF-8 would name another.
    if let Some(name) = names.iter().find(|name| name.contains(['=', char::REPLACEMENT_CHARACTER])) {
        return Err(GitError::Filter { name: gate_model::text::visible(name), root: root.to_owned() });
    }
    let off = |name: &&str| {
        ["clean=", "smudge=", "process=", "required=false"].map(|end| format!("filter.{name}.{end}"))
    };
    Ok(names.iter().flat_map(off).collect())
}

/// The url of `origin`, else of the only remote, among records `remote.<name>.url\n<url>\0` and those of other settings.
fn choose_remote(records: &str) -> Option<&str> {
    let records = records.split('\0').filter(|record| record.starts_with("remote."));
    let urls: Vec<(&str, &str)> = records.filter_map(|record| record.split_once('\n')).collect();
    let origin = urls.iter().find(|(key, _)| *key == "remote.origin.url");
    let only = urls.first().filter(|(first, _)| urls.iter().all(|(key, _)| key == first));
    origin.or(only).map(|(_, url)| *url)
}
