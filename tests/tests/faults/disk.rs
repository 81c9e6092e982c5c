//! A disk in memory that repeats what was traced and knows what of it is sure.
//!
//! It is as forgetful as POSIX allows: a name is sure only when its directory was synced, bytes only when their file was.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What is written at once or not at all.
const SECTOR: usize = 512;

/// A call as the trace has it: every string in it is hexadecimal.
pub(crate) struct Call {
    name: String,
    /// The file of each descriptor or path.
    paths: Vec<PathBuf>,
    descriptor: String,
    flags: String,
    bytes: Vec<u8>,
    numbers: Vec<usize>,
    result: String,
}

fn unhex(text: &str) -> Vec<u8> {
    text.split("\\x").skip(1).map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

fn path_of(text: &str) -> PathBuf {
    PathBuf::from(String::from_utf8(unhex(text)).unwrap())
}

impl Call {
    /// Nothing where the call failed or the line is of a signal.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let (name, rest) = line.split_once('(')?;
        let (args, result) = rest.rsplit_once(") = ")?;
        if result.starts_with(['-', '?']) {
            return None;
        }
        let args: Vec<&str> = args.split(", ").collect();
        let mut call = Self {
            name: name.to_owned(),
            paths: Vec::new(),
            descriptor: args[0].split('<').next()?.to_owned(),
            flags: args.iter().filter(|arg| arg.contains("O_")).copied().collect(),
            bytes: Vec::new(),
            numbers: args.iter().filter_map(|arg| arg.parse().ok()).collect(),
            result: result.to_owned(),
        };
        for arg in args {
            call.take(arg);
        }
        Some(call)
    }

    /// A path is beside the directory of the descriptor before it.
    fn take(&mut self, arg: &str) {
        let is_name = ["open", "rename", "link", "unlink"].iter().any(|one| self.name.starts_with(one));
        if let Some((_, path)) = arg.split_once('<') {
            self.paths.push(path_of(path.split('>').next().unwrap_or_default()));
        } else if let Some((_, text)) = arg.split_once('"') {
            let text = text.split('"').next().unwrap_or_default();
            if is_name && self.name.contains("at") {
                let directory = self.paths.pop().unwrap();
                self.paths.push(directory.join(path_of(text)));
            } else if is_name {
                self.paths.push(path_of(text));
            } else {
                self.bytes.extend(unhex(text));
            }
        }
    }
}

/// What a file's bytes go through.
#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, new) => {
                bytes.resize(bytes.len().max(at + new.len()), 0);
                bytes[*at..at + new.len()].copy_from_slice(new);
            }
            Self::Length(length) => bytes.resize(*length, 0),
        }
    }
}

#[derive(Clone, Default)]
struct Inode {
    kept: Vec<u8>,
    pending: Vec<Change>,
}

/// A change of names: one is gone, or leads to an inode, or both at once.
#[derive(Clone)]
struct Naming {
    gone: Option<PathBuf>,
    new: Option<(PathBuf, usize)>,
}

impl Naming {
    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        if let Some(gone) = &self.gone {
            names.remove(gone);
        }
        if let Some((path, inode)) = &self.new {
            names.insert(path.clone(), *inode);
        }
    }

    fn is_in(&self, directory: &Path) -> bool {
        let paths = self.gone.iter().chain(self.new.iter().map(|(path, _)| path));
        paths.into_iter().any(|path| path.parent() == Some(directory))
    }
}

/// A disk that knows what of it is sure.
pub(crate) struct Disk {
    root: PathBuf,
    kept: BTreeMap<PathBuf, usize>,
    pending: Vec<Naming>,
    inodes: Vec<Inode>,
    /// Where the next write of each descriptor goes, and to what.
    open: BTreeMap<String, (usize, usize)>,
    pub(crate) stdout: Vec<u8>,
}

impl Disk {
    /// The house's files as they are, all of them sure; git's are another matter.
    pub(crate) fn of(root: &Path) -> Self {
        let mut disk = Self {
            root: root.to_owned(),
            kept: BTreeMap::new(),
            pending: Vec::new(),
            inodes: Vec::new(),
            open: BTreeMap::new(),
            stdout: Vec::new(),
        };
        for path in files_below(root) {
            let kept = std::fs::read(&path).unwrap();
            disk.kept.insert(path, disk.inodes.len());
            disk.inodes.push(Inode { kept, pending: Vec::new() });
        }
        disk
    }

    fn names(&self) -> BTreeMap<PathBuf, usize> {
        let mut names = self.kept.clone();
        self.pending.iter().for_each(|naming| naming.apply(&mut names));
        names
    }

    /// What somebody reads who looks while the power is there.
    pub(crate) fn read(&self, path: &Path) -> Option<Vec<u8>> {
        let inode = &self.inodes[*self.names().get(path)?];
        let mut bytes = inode.kept.clone();
        inode.pending.iter().for_each(|change| change.apply(&mut bytes));
        Some(bytes)
    }

    /// An index in shared memory is made anew by whoever opens the ledger, and what is elsewhere is not ours.
    fn is_of_it(&self, path: &Path) -> bool {
        path.starts_with(&self.root)
            && !path.starts_with(self.root.join(".git"))
            && !path.to_string_lossy().ends_with("-shm")
    }

    pub(crate) fn repeat(&mut self, call: &Call) {
        if call.name == "write" && call.descriptor == "1" {
            self.stdout.extend(&call.bytes);
        }
        if !call.paths.iter().any(|path| self.is_of_it(path)) {
            self.open.remove(&call.descriptor);
            return;
        }
        match call.name.as_str() {
            "open" | "openat" => self.opened(call),
            "write" | "writev" | "pwrite64" | "pwritev" => self.written(call),
            "ftruncate" => self.change(&call.descriptor, Change::Length(call.numbers[0])),
            "fsync" | "fdatasync" => self.synced(call),
            "rename" | "renameat" | "renameat2" => self.named(&call.paths[0], &call.paths[1], true),
            "link" | "linkat" => self.named(&call.paths[0], &call.paths[1], false),
            "unlink" | "unlinkat" => {
                self.pending.push(Naming { gone: Some(call.paths[0].clone()), new: None });
            }
            other => panic!("the disk cannot repeat {other}"),
        }
    }

    fn opened(&mut self, call: &Call) {
        let path = &call.paths[0];
        let (descriptor, _) = call.result.split_once('<').unwrap();
        let inode = self.names().get(path).copied().or_else(|| {
            call.flags.contains("O_CREAT").then(|| {
                self.inodes.push(Inode::default());
                let inode = self.inodes.len() - 1;
                self.pending.push(Naming { gone: None, new: Some((path.clone(), inode)) });
                inode
            })
        });
        // A directory has no inode here.
        let Some(inode) = inode else { return };
        let end = || self.read(path).map_or(0, |bytes| bytes.len());
        let place = if call.flags.contains("O_APPEND") { end() } else { 0 };
        self.open.insert(descriptor.to_owned(), (inode, place));
        if call.flags.contains("O_TRUNC") {
            self.inodes[inode].pending.push(Change::Length(0));
        }
    }

    fn written(&mut self, call: &Call) {
        let length: usize = call.result.parse().unwrap();
        let bytes = call.bytes[..length].to_vec();
        let (_, place) = self.open.get_mut(&call.descriptor).unwrap();
        let at = if call.name.starts_with('p') { *call.numbers.last().unwrap() } else { *place };
        if !call.name.starts_with('p') {
            *place += length;
        }
        self.change(&call.descriptor, Change::Write(at, bytes));
    }

    fn change(&mut self, descriptor: &str, change: Change) {
        let (inode, _) = self.open[descriptor];
        self.inodes[inode].pending.push(change);
    }

    fn synced(&mut self, call: &Call) {
        let path = &call.paths[0];
        if path.is_dir() || self.pending.iter().any(|naming| naming.is_in(path)) {
            let (sure, pending) = self.pending.drain(..).partition(|naming| naming.is_in(path));
            self.pending = pending;
            let sure: Vec<Naming> = sure;
            for naming in &sure {
                naming.apply(&mut self.kept);
            }
        } else {
            let (inode, _) = self.open[&call.descriptor];
            let Inode { kept, pending } = &mut self.inodes[inode];
            pending.drain(..).for_each(|change| change.apply(kept));
        }
    }

    fn named(&mut self, from: &Path, to: &Path, is_moved: bool) {
        let inode = self.names()[from];
        let gone = is_moved.then(|| from.to_owned());
        self.pending.push(Naming { gone, new: Some((to.to_owned(), inode)) });
    }

    /// What is left: without `chance` only what is sure, with it whatever of the rest it throws.
    pub(crate) fn lose(&self, mut chance: Option<Chance>) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut names = self.kept.clone();
        // A directory is changed in order, so that some first changes are there.
        let first = chance.as_mut().map_or(0, |chance| chance.below(self.pending.len() + 1));
        self.pending[..first].iter().for_each(|naming| naming.apply(&mut names));
        names.into_iter().map(|(path, inode)| (path, self.inodes[inode].left(chance.as_mut()))).collect()
    }
}

impl Inode {
    /// Any sector of what was written since the last sync may be there without any other.
    fn left(&self, chance: Option<&mut Chance>) -> Vec<u8> {
        let mut bytes = self.kept.clone();
        let Some(chance) = chance else { return bytes };
        for change in &self.pending {
            match change {
                Change::Write(at, new) => {
                    for (nth, sector) in new.chunks(SECTOR).enumerate().filter(|_| chance.below(2) == 0) {
                        Change::Write(at + nth * SECTOR, sector.to_vec()).apply(&mut bytes);
                    }
                }
                Change::Length(_) if chance.below(2) == 0 => change.apply(&mut bytes),
                Change::Length(_) => {}
            }
        }
        bytes
    }
}

/// Numbers that look thrown and are the same in every run (xorshift).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn of(nth: usize, throw: usize) -> Self {
        Self(0x9e37_79b9_7f4a_7c15 ^ u64::try_from(nth * 64 + throw).unwrap())
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

pub(crate) fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            all.push(path);
        } else if !path.ends_with(".git") {
            all.extend(files_below(&path));
        }
    }
    all
}
