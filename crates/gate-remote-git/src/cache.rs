//! The helper's own repository: what was fetched once, and nothing that anybody has to keep.
//!
//! It may come from a CI system's cache, and so from whoever wrote that. Nothing in it steers git: its configuration is
//! written anew each time, and anything beside the few files that it needs makes it be thrown away. What is read from
//! it is hashed again ([`crate::objects`]).

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gate_cli::Env;
use gate_ledger::remote::RemoteError;
use gate_model::digest;

use crate::error::failure;
use crate::git::Git;

/// Its whole configuration.
const CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n";
/// All that belongs at its top.
const FILES: [&str; 7] = ["HEAD", "config", "objects", "refs", "shallow", "packed-refs", "FETCH_HEAD"];
/// The ref, and the file in it, that holds what the server has.
pub(crate) const TIP: &str = "refs/gate/tip";
/// So much later than a look at the server little can have come to it.
const RECENT: Duration = Duration::from_mins(5);
/// The context of the name of its folder.
const CONTEXT: &str = "gate v1 git cache";

/// The folder.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    folder: PathBuf,
}

/// The cache to itself, until this is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Cache {
    /// The cache for `what`, which may hold a secret and is hashed.
    pub(crate) fn open(env: &Env, what: &str) -> Result<Self, RemoteError> {
        let name = digest::of(CONTEXT, what.as_bytes()).replace("b3:", "");
        let root = root(env);
        let folder = root.join(&name[..32]);
        // Where several users share the folder around it, another one may have put a link there.
        for own in root.parent().into_iter().chain([root.as_path(), folder.as_path()]) {
            make_own(own)?;
        }
        Ok(Self { folder })
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.folder.join("repository.git")
    }

    /// Waits for whoever else uses it.
    pub(crate) fn lock(&self) -> Result<Lock, RemoteError> {
        let path = self.folder.join("lock");
        let fails = |error: io::Error| failure(&format!("cannot lock '{}': {error}", path.display()));
        let mut options = File::options();
        // A pipe in its place would hold us up, and a link would have us lock something else.
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.create(true).truncate(false).read(true).write(true).custom_flags(flags.bits().cast_signed());
        let file = options.open(&path).map_err(fails)?;
        if !file.metadata().map_err(fails)?.is_file() {
            return Err(fails(io::Error::other("it is no regular file")));
        }
        rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)
            .map_err(|error| fails(error.into()))?;
        Ok(Lock { _file: file })
    }

    /// Makes the repository, or makes sure that it is as we make it.
    pub(crate) fn make(&self, git: &Git) -> Result<(), RemoteError> {
        let _lock = self.lock()?;
        let path = self.repository();
        if is_clean(&path) {
            return write_config(&path);
        }
        self.renew(git)
    }

    /// Whether what the server had was written down a few minutes ago at most.
    pub(crate) fn is_recent(&self) -> bool {
        let written = fs::metadata(self.repository().join(TIP)).and_then(|found| found.modified());
        written.is_ok_and(|written| written.elapsed().is_ok_and(|age| age < RECENT))
    }

    /// Writes down that the server has `commit`, which was made here; as git does it, so that no link is followed and
    /// half of it is never seen. The caller holds the lock. Where it cannot be written the next fetch brings it.
    pub(crate) fn keep(&self, commit: &str) {
        let (tip, lock) = (self.repository().join(TIP), self.repository().join(format!("{TIP}.lock")));
        let written = File::create_new(&lock).and_then(|mut file| writeln!(file, "{commit}"));
        drop(written.and_then(|()| fs::rename(&lock, &tip)));
    }

    /// Whether so many loose objects are there that they should be packed; as git itself guesses, from one folder of
    /// the 256 that they are spread over.
    pub(crate) fn is_littered(&self) -> bool {
        fs::read_dir(self.repository().join("objects/17")).is_ok_and(|objects| objects.count() > 27)
    }

    /// Throws the repository away and makes an empty one. The caller holds the lock, or nobody knows of it yet.
    pub(crate) fn renew(&self, git: &Git) -> Result<(), RemoteError> {
        let path = self.repository();
        let fails =
            |error: io::Error| failure(&format!("cannot renew the cache '{}': {error}", path.display()));
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => fs::remove_dir_all(&path).map_err(fails)?,
            Ok(_) => fs::remove_file(&path).map_err(fails)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(fails(error)),
        }
        let output = git.run(&["init", "--bare", "--quiet", "--template=", "--object-format=sha1"], b"")?;
        if !output.success {
            return Err(output.failure("git cannot make a repository in the cache"));
        }
        write_config(&path)
    }
}

/// Makes the folder where it is missing; refuses one that is not this user's alone.
fn make_own(folder: &Path) -> Result<(), RemoteError> {
    let fails = |error: io::Error| failure(&format!("cannot make the cache '{}': {error}", folder.display()));
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(fails)?;
    let found = fs::symlink_metadata(folder).map_err(fails)?;
    let is_own = found.is_dir() && found.uid() == rustix::process::geteuid().as_raw();
    if is_own && found.mode() & 0o022 == 0 {
        return Ok(());
    }
    Err(failure(&format!("the cache '{}' is not a folder of this user alone", folder.display())))
}

/// `$XDG_CACHE_HOME`, else `~/.cache`, else the user's own folder beside the temporary files.
fn root(env: &Env) -> PathBuf {
    let home = || env.path("HOME").map(|home| home.join(".cache"));
    if let Some(base) = env.path("XDG_CACHE_HOME").filter(|base| base.is_absolute()).or_else(home) {
        return base.join("gate/git");
    }
    let temporary = env.path("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"));
    let folder = temporary.join(format!("gate-{}", rustix::process::geteuid().as_raw()));
    folder.join("git")
}

/// Whether nothing is there that we did not make, and no lock: nobody else is at work, so whoever made one was killed.
fn is_clean(repository: &Path) -> bool {
    let Ok(entries) = fs::read_dir(repository) else { return false };
    let is_foreign = |entry: io::Result<fs::DirEntry>| {
        let is_lock = |path: &Path| path.extension().is_some_and(|end| end == "lock");
        entry.is_ok_and(|entry| is_lock(&entry.path()) || !is_own(&entry))
    };
    let refs = repository.join("refs/gate");
    if refs.is_symlink() || fs::read_dir(refs).is_ok_and(|mut refs| refs.any(is_foreign)) {
        return false;
    }
    let known = |entry: io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| FILES.iter().any(|name| entry.file_name() == *name) && is_own(&entry))
    };
    let whole = ["HEAD", "objects", "refs"].iter().all(|name| repository.join(name).exists());
    whole && !repository.join("objects/info/alternates").exists() && entries.into_iter().all(known)
}

/// A folder, or a file that has no other name elsewhere: whatever is written there stays there, and nothing holds us up.
fn is_own(entry: &fs::DirEntry) -> bool {
    entry.metadata().is_ok_and(|found| found.is_dir() || found.is_file() && found.nlink() == 1)
}

fn write_config(repository: &Path) -> Result<(), RemoteError> {
    let path = repository.join("config");
    if fs::read(&path).is_ok_and(|text| text == CONFIG.as_bytes()) {
        return Ok(());
    }
    fs::write(&path, CONFIG).map_err(|error| failure(&format!("cannot write '{}': {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::{Cache, TIP, is_clean, make_own};

    /// A repository as git would make it, as far as it is looked at.
    fn repository(cache: &Cache) {
        for folder in ["objects", "refs/gate"] {
            fs::create_dir_all(cache.repository().join(folder)).unwrap();
        }
        fs::write(cache.repository().join("HEAD"), "ref: refs/heads/main\n").unwrap();
    }

    #[test]
    fn a_link_among_the_refs_is_not_written_through() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache { folder: directory.path().to_owned() };
        let outside = directory.path().join("outside");
        repository(&cache);
        cache.keep("abc");
        assert_eq!(fs::read_to_string(cache.repository().join(TIP)).unwrap(), "abc\n");
        assert!(cache.is_recent() && is_clean(&cache.repository()));
        fs::write(&outside, "precious").unwrap();
        fs::remove_file(cache.repository().join(TIP)).unwrap();
        symlink(&outside, cache.repository().join(TIP)).unwrap();
        assert!(!is_clean(&cache.repository()));
        cache.keep("def");
        assert_eq!(fs::read_to_string(&outside).unwrap(), "precious");
        fs::remove_dir_all(cache.repository().join("refs/gate")).unwrap();
        symlink(directory.path(), cache.repository().join("refs/gate")).unwrap();
        assert!(!is_clean(&cache.repository()));
    }

    #[test]
    fn a_pipe_or_a_file_with_another_name_in_the_cache_holds_nobody_up() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache { folder: directory.path().to_owned() };
        let pipe = |name: &str| {
            let path = directory.path().join(name);
            rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        };
        pipe("lock");
        assert!(cache.lock().unwrap_err().to_string().contains("no regular file"));
        for name in ["repository.git/config", "repository.git/refs/gate/tip", "repository.git/shallow"] {
            repository(&cache);
            assert!(is_clean(&cache.repository()), "{name}");
            pipe(name);
            assert!(!is_clean(&cache.repository()), "{name}");
            fs::remove_dir_all(cache.repository()).unwrap();
        }
        repository(&cache);
        fs::write(directory.path().join("outside"), "precious").unwrap();
        fs::hard_link(directory.path().join("outside"), cache.repository().join("config")).unwrap();
        assert!(!is_clean(&cache.repository()));
    }

    #[test]
    fn a_link_or_a_folder_that_others_can_write_is_no_folder_of_ones_own() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        make_own(&at("new/own")).unwrap();
        fs::create_dir(at("elsewhere")).unwrap();
        symlink(at("elsewhere"), at("link")).unwrap();
        assert!(make_own(&at("link")).unwrap_err().to_string().contains("not a folder of this user alone"));
        fs::set_permissions(at("elsewhere"), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(make_own(&at("elsewhere")).is_err());
        assert!(fs::read_dir(at("elsewhere")).unwrap().next().is_none(), "nothing was made there");
    }
}
