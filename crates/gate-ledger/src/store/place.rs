//! Where a ledger is: the file itself, and whether the file system it is on can be used.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::OpenError;

/// The regular file that `path` leads to, symbolic links resolved, so that the files which SQLite and we put
/// beside it are the same ones for everybody.
pub(super) fn locate(path: &Path) -> Result<PathBuf, OpenError> {
    let real = regular_file(path)?;
    refuse_network(&real)?;
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
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let inner = mounts.lines().filter_map(|line| {
        let (front, back) = line.split_once(" - ")?;
        Some((front.split(' ').nth(4)?, back.split(' ').next()?))
    });
    // The longest mount point that holds the path is the one that serves it.
    let serving = inner.filter(|(point, _)| path.starts_with(point)).max_by_key(|(point, _)| point.len());
    serving.map(|(_, name)| name.to_owned()).filter(|name| REMOTE.contains(&name.as_str()))
}
