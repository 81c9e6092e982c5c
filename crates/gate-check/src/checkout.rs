//! Where the repository is and what its files hold, for the readers of reports.
//!
//! What is read is bounded, and only regular files inside of the checkout are: each part of a path is opened below the
//! one before, through no symbolic link, so that no report makes this tool read anything else.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use gate_cli::Env;
use gate_findings::place::{Checkout, Lines, Place};
use rustix::fs::{AtFlags, FileType, Mode, OFlags};

/// The largest file that is read, and how much is read of all of them.
const FILE: u64 = 8 << 20;
const ALL: u64 = 512 << 20;

/// More answers than this are not remembered.
const REMEMBERED: usize = 4096;

/// The repository around the working directory; the directory itself where there is none.
#[derive(Debug)]
pub(crate) struct Ground {
    roots: Vec<String>,
    folder: String,
    files: Files,
}

impl Ground {
    /// Looks where `env`'s working directory is.
    pub(crate) fn around(env: &Env) -> Self {
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let here = real(&env.cwd);
        let root = gate_checkout::git::root(&env.cwd).unwrap_or_else(|| here.clone());
        let folder = here.strip_prefix(&root).unwrap_or(Path::new("")).to_owned();
        // The shell's name for the working directory may lead there through a link; tools write it into reports.
        let logical =
            env.get("PWD").map(PathBuf::from).filter(|path| path.is_absolute() && real(path) == here);
        let logical = logical.and_then(|path| {
            path.ends_with(&folder)
                .then(|| path.ancestors().nth(folder.components().count()).map(Path::to_owned))?
        });
        let mut roots: Vec<String> =
            [Some(root.clone()), logical].into_iter().flatten().filter_map(|path| text(&path)).collect();
        roots.dedup();
        Self { roots, folder: text(&folder).unwrap_or_default(), files: Files::below(&root) }
    }

    /// The same, as the readers want it.
    pub(crate) fn place(&self) -> Place<'_> {
        Place { roots: &self.roots, folder: &self.folder, checkout: &self.files }
    }
}

fn text(path: &Path) -> Option<String> {
    path.to_str().map(str::to_owned)
}

/// The files below a directory.
#[derive(Debug)]
struct Files {
    root: Option<OwnedFd>,
    seen: RefCell<Seen>,
}

#[derive(Debug)]
struct Seen {
    there: HashMap<String, bool>,
    /// The file that was read last: findings come file by file.
    last: Option<(String, Vec<String>)>,
    left: u64,
}

impl Files {
    fn below(root: &Path) -> Self {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let root = rustix::fs::open(root, flags, Mode::empty()).ok();
        Self { root, seen: RefCell::new(Seen { there: HashMap::new(), last: None, left: ALL }) }
    }

    /// A regular file, and its size.
    fn open(&self, path: &str) -> Option<(File, u64)> {
        let parts: Vec<&str> = path.split('/').collect();
        if parts.iter().any(|part| matches!(*part, "" | "." | "..")) {
            return None;
        }
        let (name, folders) = parts.split_last()?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut folder = self.root.as_ref()?.try_clone().ok()?;
        for part in folders {
            folder = rustix::fs::openat(&folder, *part, flags | OFlags::DIRECTORY, Mode::empty()).ok()?;
        }
        // What is there is looked at before it is opened: opening a FIFO or a device may wait or do something.
        let looked = rustix::fs::statat(&folder, *name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        if !FileType::from_raw_mode(looked.st_mode).is_file() {
            return None;
        }
        let flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = File::from(rustix::fs::openat(&folder, *name, flags, Mode::empty()).ok()?);
        let metadata = file.metadata().ok()?;
        metadata.is_file().then_some((file, metadata.len()))
    }

    /// The file's lines without their white space; none where it cannot be read.
    fn read(&self, path: &str, left: &mut u64) -> Vec<String> {
        let Some((file, size)) = self.open(path).filter(|(_, size)| *size <= FILE.min(*left)) else {
            return Vec::new();
        };
        *left -= size;
        let mut bytes = Vec::new();
        if file.take(size).read_to_end(&mut bytes).is_err() {
            return Vec::new();
        }
        let text = String::from_utf8_lossy(&bytes);
        text.split('\n').map(|line| line.split_whitespace().collect()).collect()
    }
}

impl Checkout for Files {
    fn has(&self, path: &str) -> bool {
        let mut seen = self.seen.borrow_mut();
        if let Some(there) = seen.there.get(path) {
            return *there;
        }
        let there = self.open(path).is_some();
        if seen.there.len() < REMEMBERED {
            seen.there.insert(path.to_owned(), there);
        }
        there
    }

    /// Only where each folder on the way is one and says that there is nothing: a link, a folder that may not be read, and
    /// a failure of the disk do not.
    fn is_gone(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        let (Some(root), false) = (&self.root, parts.iter().any(|part| matches!(*part, "" | "." | "..")))
        else {
            return false;
        };
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::DIRECTORY;
        let Ok(mut folder) = root.try_clone() else { return false };
        for (number, part) in parts.iter().enumerate() {
            match rustix::fs::statat(&folder, *part, AtFlags::SYMLINK_NOFOLLOW) {
                Err(rustix::io::Errno::NOENT) => return true,
                Ok(_) if number + 1 < parts.len() => {}
                Ok(_) | Err(_) => return false,
            }
            match rustix::fs::openat(&folder, *part, flags, Mode::empty()) {
                Ok(next) => folder = next,
                Err(_) => return false,
            }
        }
        false
    }

    fn lines(&self, path: &str, number: u64) -> Option<Lines> {
        let mut seen = self.seen.borrow_mut();
        if seen.last.as_ref().is_none_or(|(last, _)| last != path) {
            let lines = self.read(path, &mut seen.left);
            seen.last = Some((path.to_owned(), lines));
        }
        let (_, lines) = seen.last.as_ref()?;
        let at = usize::try_from(number.checked_sub(1)?).ok()?;
        let line = lines.get(at).filter(|line| !line.is_empty())?;
        Some(Lines {
            before: near(lines[..at].iter().rev()),
            line: line.clone(),
            after: near(lines[at + 1..].iter()),
        })
    }
}

/// The first of `lines` that says anything.
fn near<'l>(mut lines: impl Iterator<Item = &'l String>) -> String {
    lines.find(|line| !line.is_empty()).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Checkout, Files};

    #[test]
    fn only_regular_files_inside_are_read_and_through_no_link() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir_all(at("repo/src")).unwrap();
        std::fs::write(at("secret"), "key\n").unwrap();
        std::fs::write(at("repo/src/a.py"), "a = 1\n\n  b = eval( x )\r\n").unwrap();
        std::os::unix::fs::symlink(at("secret"), at("repo/link")).unwrap();
        std::os::unix::fs::symlink(at("repo/src"), at("repo/folder")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, at("repo/fifo"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
            .unwrap();
        let files = Files::below(&at("repo"));
        let lines = files.lines("src/a.py", 3).unwrap();
        assert_eq!(
            (lines.before.as_str(), lines.line.as_str(), lines.after.as_str()),
            ("a=1", "b=eval(x)", "")
        );
        assert!(
            files.has("src/a.py")
                && files.lines("src/a.py", 2).is_none()
                && files.lines("src/a.py", 9).is_none()
        );
        for path in
            ["link", "folder/a.py", "fifo", "src", "../secret", "src/../../secret", "/etc/passwd", "", "gone"]
        {
            assert!(!files.has(path) && files.lines(path, 1).is_none(), "{path}");
        }
    }

    #[test]
    fn only_what_is_surely_not_there_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir_all(at("src")).unwrap();
        std::fs::write(at("src/a.py"), "").unwrap();
        std::os::unix::fs::symlink(at("nowhere"), at("link")).unwrap();
        let files = Files::below(dir.path());
        assert!(["src/b.py", "lib/b.py", "b.py"].into_iter().all(|path| files.is_gone(path)));
        for path in
            ["src/a.py", "src", "src/a.py/b", "link", "link/a.py", "", "/b.py", "../b.py", "src/../b.py"]
        {
            assert!(!files.is_gone(path), "{path}");
        }
        assert!(!Files::below(&at("nowhere")).is_gone("b.py"), "nothing is known without a checkout");
    }

    #[test]
    fn a_file_above_the_bound_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("big"), "x\n".repeat(5 << 20)).unwrap();
        assert!(Files::below(dir.path()).lines("big", 1).is_none());
    }
}
