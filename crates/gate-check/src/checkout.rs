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
use gate_findings::place::{self, Checkout, Lines, Place};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use unicode_normalization::UnicodeNormalization;

/// The largest file that is read, and how much is read of all of them.
const FILE: u64 = 8 << 20;
const ALL: u64 = 512 << 20;

/// More lines than this on either side of a finding are not looked at.
const LOOKED_AT: usize = 1000;

/// In a folder with more entries no name is looked for that reads the same, and after so many of all folders in none.
const ENTRIES: usize = 10_000;
const ALL_ENTRIES: usize = 1 << 18;

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
    /// By a path that is not there, what it is named.
    named: HashMap<String, Option<String>>,
    /// By a folder's path, what is in it.
    folders: HashMap<String, Names>,
    /// How many entries of folders may still be looked at.
    entries: usize,
    /// The file that was read last: findings come file by file.
    last: Option<(String, Vec<Line>)>,
    left: u64,
}

/// By what a name reads as, the one entry that does; `None` where there are more.
type Names = HashMap<String, Option<String>>;

/// A line as [`place::kept`] has it, and how much white space stood in front of it.
#[derive(Debug)]
struct Line {
    indent: usize,
    text: String,
}

impl Line {
    fn of(line: &str) -> Self {
        Self { indent: line.len() - line.trim_start().len(), text: place::kept(line) }
    }

    const fn is_blank(&self) -> bool {
        self.text.is_empty()
    }
}

impl Files {
    fn below(root: &Path) -> Self {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let root = rustix::fs::open(root, flags, Mode::empty()).ok();
        let seen = Seen {
            there: HashMap::new(),
            named: HashMap::new(),
            folders: HashMap::new(),
            entries: ALL_ENTRIES,
            last: None,
            left: ALL,
        };
        Self { root, seen: RefCell::new(seen) }
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

    /// The one file whose path reads the same, see [`folded`].
    fn look_up(&self, path: &str) -> Option<String> {
        let mut folder = self.root.as_ref()?.try_clone().ok()?;
        let mut found: Vec<String> = Vec::new();
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let name = self.one_named(&folder, &found.join("/"), part)?;
            if parts.peek().is_some() {
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::DIRECTORY;
                folder = rustix::fs::openat(&folder, name.as_str(), flags, Mode::empty()).ok()?;
            }
            found.push(name);
        }
        Some(found.join("/")).filter(|path| self.open(path).is_some())
    }

    /// The name that is `part`, else the one entry that reads the same, of `folder`, whose path is `at`. A folder is read
    /// once, however many names are looked for in it.
    fn one_named(&self, folder: &OwnedFd, at: &str, part: &str) -> Option<String> {
        if matches!(part, "" | "." | "..") {
            return None;
        }
        if rustix::fs::statat(folder, part, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
            return Some(part.to_owned());
        }
        let mut seen = self.seen.borrow_mut();
        if !seen.folders.contains_key(at) {
            // What cannot be read as a whole does not say which is the only one.
            let names = names_in(folder, &mut seen.entries).unwrap_or_default();
            seen.folders.insert(at.to_owned(), names);
        }
        seen.folders.get(at)?.get(&folded(part))?.clone()
    }

    /// The file's lines; none where it cannot be read.
    fn read(&self, path: &str, left: &mut u64) -> Vec<Line> {
        let Some((file, size)) = self.open(path).filter(|(_, size)| *size <= FILE.min(*left)) else {
            return Vec::new();
        };
        *left -= size;
        let mut bytes = Vec::new();
        if file.take(size).read_to_end(&mut bytes).is_err() {
            return Vec::new();
        }
        let text = String::from_utf8_lossy(&bytes);
        text.split('\n').map(Line::of).collect()
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

    fn named(&self, path: &str) -> Option<String> {
        if let Some(named) = self.seen.borrow().named.get(path) {
            return named.clone();
        }
        let named = self.look_up(path);
        let mut seen = self.seen.borrow_mut();
        if seen.named.len() < REMEMBERED {
            seen.named.insert(path.to_owned(), named.clone());
        }
        named
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
        let line = lines.get(at).filter(|line| !line.is_blank())?;
        Some(Lines {
            line: line.text.clone(),
            before: nearest(lines[..at].iter().rev()),
            after: nearest(lines[at + 1..].iter()),
            above: above(&lines[..at], line.indent),
        })
    }
}

/// What is in `folder`; `None` where it has more than [`ENTRIES`], or than are `left`.
fn names_in(folder: &OwnedFd, left: &mut usize) -> Option<Names> {
    let most = ENTRIES.min(*left);
    let mut names = Names::new();
    for (number, entry) in Dir::read_from(folder).ok()?.enumerate() {
        if number == most {
            return None;
        }
        *left -= 1;
        let entry = entry.ok()?;
        if let Ok(name) = entry.file_name().to_str() {
            let same = names.entry(folded(name));
            same.and_modify(|one| *one = None).or_insert_with(|| Some(name.to_owned()));
        }
    }
    Some(names)
}

/// A name without the difference of upper and lower case, its characters put together.
fn folded(name: &str) -> String {
    if name.is_ascii() { name.to_ascii_lowercase() } else { name.nfc().collect::<String>().to_lowercase() }
}

/// The first two of `lines` that are not blank.
fn nearest<'l>(lines: impl Iterator<Item = &'l Line>) -> [String; 2] {
    let mut found = lines.take(LOOKED_AT).filter(|line| !line.is_blank()).map(|line| line.text.clone());
    std::array::from_fn(|_| found.next().unwrap_or_default())
}

/// The last of `lines` that starts left of `indent` and has a word.
fn above(lines: &[Line], indent: usize) -> String {
    let has_word = |line: &Line| line.text.contains(char::is_alphanumeric);
    let mut near = lines.iter().rev().take(if indent == 0 { 0 } else { LOOKED_AT });
    near.find(|line| line.indent < indent && has_word(line)).map(|line| line.text.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Checkout, Files, Lines};

    #[test]
    fn only_regular_files_inside_are_read_and_through_no_link() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir_all(at("repo/src")).unwrap();
        std::fs::write(at("secret"), "key\n").unwrap();
        std::fs::write(at("repo/src/a.py"), "def f():\n  }\n  a = 1\n\n    b = eval( x )\r\n").unwrap();
        std::os::unix::fs::symlink(at("secret"), at("repo/link")).unwrap();
        std::os::unix::fs::symlink(at("repo/src"), at("repo/folder")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, at("repo/fifo"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
            .unwrap();
        let files = Files::below(&at("repo"));
        let lines = files.lines("src/a.py", 5).unwrap();
        let expected = Lines {
            line: "b=eval(x)".into(),
            before: ["a=1".into(), "}".into()],
            after: Default::default(),
            above: "a=1".into(),
        };
        assert_eq!(lines, expected);
        assert_eq!(files.lines("src/a.py", 3).unwrap().above, "deff():");
        assert!(
            files.has("src/a.py")
                && files.lines("src/a.py", 4).is_none()
                && files.lines("src/a.py", 9).is_none()
        );
        for path in
            ["link", "folder/a.py", "fifo", "src", "../secret", "src/../../secret", "/etc/passwd", "", "gone"]
        {
            assert!(!files.has(path) && files.lines(path, 1).is_none(), "{path}");
        }
    }

    #[test]
    fn a_name_that_reads_the_same_is_the_one_file_of_that_name() {
        let dir = tempfile::tempdir().unwrap();
        let (composed, apart) = ("caf\u{e9}.py", "cafe\u{301}.py");
        for name in [&format!("Src/{composed}"), "Src/One.py", "two/A.py", "two/a.py"] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x\n").unwrap();
        }
        std::os::unix::fs::symlink(dir.path().join("two"), dir.path().join("Link")).unwrap();
        let files = Files::below(dir.path());
        for (path, expected) in [
            (format!("src/{apart}"), Some(format!("Src/{composed}"))),
            ("SRC/one.PY".to_owned(), Some("Src/One.py".to_owned())),
            ("Two/a.py".to_owned(), Some("two/a.py".to_owned())),
            ("two/A.PY".to_owned(), None),
            ("link/a.py".to_owned(), None),
            ("src/../src/one.py".to_owned(), None),
            ("src".to_owned(), None),
            ("none.py".to_owned(), None),
        ] {
            assert_eq!(files.named(&path), expected, "{path}");
            assert_eq!(files.named(&path), expected, "{path}, asked again");
        }
    }

    #[test]
    fn a_folder_is_read_once_and_as_a_whole_or_names_nothing() {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["few", "many"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
            std::fs::write(dir.path().join(folder).join("One.py"), "x\n").unwrap();
        }
        for number in 0..super::ENTRIES {
            std::fs::write(dir.path().join(format!("many/{number}")), "").unwrap();
        }
        let files = Files::below(dir.path());
        assert_eq!(files.named("many/one.py"), None, "another one may be among what was not looked at");
        assert_eq!(files.named("few/one.py").as_deref(), Some("few/One.py"));
        let left = files.seen.borrow().entries;
        assert!((0..10_000).all(|number| files.named(&format!("few/{number}")).is_none()));
        assert_eq!(files.seen.borrow().entries, left, "each missing name read the folder again");
        let files = Files::below(dir.path());
        files.seen.borrow_mut().entries = 2;
        assert_eq!(files.named("few/one.py"), None, "more was looked at than may be");
    }

    #[test]
    fn a_line_costs_each_of_its_findings_little_however_long_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let [one, other] = ["a", "b"].map(|end| "x+".repeat(1 << 20) + end);
        std::fs::write(dir.path().join("min.js"), format!("{one}\n{other}\n")).unwrap();
        let files = Files::below(dir.path());
        let [one, other] = [1, 2].map(|number| files.lines("min.js", number).unwrap());
        for text in [&one.line, &other.line, &one.after[0], &other.before[0]] {
            assert!(text.len() <= 512, "{}", text.len());
        }
        assert!(one.line != other.line && one.line == other.before[0], "long lines are told apart");
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
