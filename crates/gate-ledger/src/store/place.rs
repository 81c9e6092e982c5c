//! Where a ledger is: the file itself, and whether the file system it is on can be used.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::{OpenError, files};

/// The regular file that `path` leads to, symbolic links resolved, so that the files which SQLite and we put
/// beside it are the same ones for everybody. All of the ledger's files were looked at ([`files`]).
pub(super) fn locate(path: &Path) -> Result<PathBuf, OpenError> {
    let real = regular_file(path)?;
    refuse_network(&real)?;
    files::inspect(&real)?;
    Ok(real)
}

/// The same wherever it is: for whoever only reads bytes, and takes no lock.
pub(crate) fn regular_file(path: &Path) -> Result<PathBuf, OpenError> {
    let given = || path.to_owned();
    let real = fs::canonicalize(path).map_err(|source| unreachable(path, source))?;
    let kind = fs::metadata(&real).map_err(|source| unreachable(path, source))?.file_type();
    if kind.is_dir() {
        return Err(OpenError::NotAFile { path: given(), what: "a directory" });
    }
    if !kind.is_file() {
        return Err(OpenError::NotAFile { path: given(), what: "a pipe, a socket or a device" });
    }
    Ok(real)
}

fn unreachable(path: &Path, source: io::Error) -> OpenError {
    let path = path.to_owned();
    if source.kind() == ErrorKind::NotFound {
        return OpenError::Missing { path };
    }
    let no_path = [rustix::io::Errno::LOOP, rustix::io::Errno::NOTDIR, rustix::io::Errno::NAMETOOLONG];
    if no_path.iter().any(|errno| source.raw_os_error() == Some(errno.raw_os_error())) {
        return OpenError::NoPath { path, source };
    }
    OpenError::Io { path, source }
}

/// Whether `target` has the name of a file that belongs to the ledger at `ledger`: in the same directory, and
/// beginning with its name and `-`. SQLite plays back or deletes what it finds under such names, and the tools
/// keep files there too. Symbolic links are resolved as far as they lead anywhere.
pub fn is_reserved(ledger: &Path, target: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).ok();
    let ledgers =
        [Some(ledger.to_owned()), real(ledger)].into_iter().flatten().filter_map(|path| place(&path));
    let targets =
        [Some(target.to_owned()), real(target)].into_iter().flatten().filter_map(|path| place(&path));
    let targets: Vec<_> = targets.collect();
    let belongs = |(directory, name): &(PathBuf, OsString)| {
        targets.iter().filter(|(other, _)| other == directory).any(|(_, target)| {
            let rest = target.as_encoded_bytes().strip_prefix(name.as_encoded_bytes());
            rest.is_some_and(|rest| rest.starts_with(b"-"))
        })
    };
    ledgers.into_iter().any(|ledger| belongs(&ledger))
}

/// The directory of `path`, which must be there, and the name in it.
fn place(path: &Path) -> Option<(PathBuf, OsString)> {
    let parent =
        path.parent().map(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent })?;
    Some((fs::canonicalize(parent).ok()?, path.file_name()?.to_owned()))
}

/// `path` with `suffix` added to its last component.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Refuses file systems on which two machines do not see each other's locks or shared memory.
#[cfg(target_os = "linux")]
pub(super) fn refuse_network(path: &Path) -> Result<(), OpenError> {
    let stat = rustix::fs::statfs(path)
        .map_err(|errno| OpenError::Io { path: path.to_owned(), source: errno.into() })?;
    let magic = stat.f_type.cast_unsigned() & 0xffff_ffff;
    let found = match NETWORK.iter().find(|(known, _)| *known == magic) {
        Some((_, name)) => Some((*name).to_owned()),
        None if magic == FUSE => network_fuse(path),
        None => None,
    };
    match found {
        Some(filesystem) => Err(OpenError::Network { path: path.to_owned(), filesystem }),
        None => Ok(()),
    }
}

/// Elsewhere there is no portable way to ask.
#[cfg(not(target_os = "linux"))]
pub(super) fn refuse_network(_path: &Path) -> Result<(), OpenError> {
    Ok(())
}

/// `f_type` of network file systems; statfs(2) and the kernel's `include/uapi/linux/magic.h`. 9P is not among
/// them: sandboxes and WSL use it for local disks.
#[cfg(target_os = "linux")]
const NETWORK: [(u64, &str); 10] = [
    (0x6969, "nfs"),
    (0x517b, "smb"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb2"),
    (0x5346_414f, "afs"),
    (0x6b41_4653, "afs"),
    (0x7375_7245, "coda"),
    (0x564c, "ncp"),
    (0x00c3_6400, "ceph"),
    (0x0bd0_0bd0, "lustre"),
];

#[cfg(target_os = "linux")]
const FUSE: u64 = 0x6573_5546;

/// What FUSE serves under `path`, if that is known to come over a network. FUSE has one magic number for all
/// its file systems; mountinfo (proc(5)) tells them apart.
#[cfg(target_os = "linux")]
fn network_fuse(path: &Path) -> Option<String> {
    const REMOTE: [&str; 7] = [
        "fuse.sshfs",
        "fuse.s3fs",
        "fuse.rclone",
        "fuse.glusterfs",
        "fuse.ceph-fuse",
        "fuse.gcsfuse",
        "fuse.curlftpfs",
    ];
    // Some of them corrupt a ledger, so that one of an unknown kind is none that can be used.
    let Ok(mounts) = fs::read_to_string("/proc/self/mountinfo") else {
        return Some("fuse, of a kind that cannot be told without /proc/self/mountinfo".to_owned());
    };
    let inner = mounts.lines().filter_map(|line| {
        let (front, back) = line.split_once(" - ")?;
        Some((front.split(' ').nth(4)?, back.split(' ').next()?))
    });
    // The longest mount point that holds the path is the one that serves it.
    let serving = inner.filter(|(point, _)| path.starts_with(point)).max_by_key(|(point, _)| point.len());
    serving.map(|(_, name)| name.to_owned()).filter(|name| REMOTE.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::is_reserved;

    #[test]
    fn names_beside_the_ledger_are_reserved_through_links_and_detours() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir(at("sub")).unwrap();
        std::fs::write(at("l.db"), "").unwrap();
        std::os::unix::fs::symlink(at("l.db"), at("sub/link.db")).unwrap();
        std::os::unix::fs::symlink(dir.path(), at("sub/up")).unwrap();
        std::fs::write(at("l.db-wal"), "").unwrap();
        std::os::unix::fs::symlink(at("l.db-wal"), at("sub/other")).unwrap();
        for (ledger, target, reserved) in [
            ("l.db", "l.db-journal", true),
            ("l.db", "l.db-anything", true),
            ("l.db", "sub/../l.db-journal", true),
            ("l.db", "sub/up/l.db-journal", true),
            ("l.db", "sub/other", true),
            ("sub/link.db", "l.db-journal", true),
            ("sub/link.db", "sub/link.db-wal", true),
            ("none.db", "none.db-wal", true),
            ("l.db", "l.db", false),
            ("l.db", "l.dbx", false),
            ("l.db", "l.db.zst", false),
            ("l.db", "sub/l.db-journal", false),
            ("l.db", "none/l.db-journal", false),
        ] {
            assert_eq!(is_reserved(&at(ledger), &at(target)), reserved, "{ledger} {target}");
        }
    }
}
