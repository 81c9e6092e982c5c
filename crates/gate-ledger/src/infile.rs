//! Files that tools read, by a name that somebody gave.
//!
//! Whoever can write to a checkout can put a pipe or a device where a file is expected, and a pipe that nobody writes to
//! holds its reader for ever. So what is there is looked at before it is opened, and opened without waiting for anybody,
//! since it may have become something else meanwhile.
//!
//! Not here: files of a work tree under review, where no link may lead anywhere either (gate-identity's `folder`), and
//! files of a ledger, whose owners matter too ([`crate::store`]).

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// Opens the regular file at `path`, or what a link there leads to.
///
/// # Errors
/// The system's reason; [`io::ErrorKind::InvalidInput`] where something else is there, which is not opened.
pub fn open(path: &Path) -> io::Result<File> {
    regular(path.metadata()?.is_file())?;
    open_at_once(path, OFlags::empty())
}

/// The same for a file that a person names to be read as a stream. What lies below `/dev` is taken as it is: there a
/// shell names a descriptor that is open already (`/dev/stdin`, `/dev/fd/63`), and whoever writes such a name means it.
///
/// # Errors
/// As of [`open`].
pub fn open_named(path: &Path) -> io::Result<File> {
    if path.starts_with("/dev") { File::open(path) } else { open(path) }
}

/// The same for a file of the tools' own, where a link could lead to another one.
///
/// # Errors
/// As of [`open`], and for a link.
pub fn open_own(path: &Path) -> io::Result<File> {
    regular(path.symlink_metadata()?.is_file())?;
    open_at_once(path, OFlags::NOFOLLOW)
}

/// The bytes of the file at `path`, which a person names: all of them, or one more than `most`, so that whoever parses
/// them tells a larger file from one that just fits.
///
/// # Errors
/// As of [`open_named`].
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    all(open_named(path)?, most)
}

/// The same of a file of the tools' own.
///
/// # Errors
/// As of [`open_own`].
pub fn read_own(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    all(open_own(path)?, most)
}

fn all(file: File, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn open_at_once(path: &Path, more: OFlags) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | more;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    regular(file.metadata()?.is_file())?;
    Ok(file)
}

fn regular(is_file: bool) -> io::Result<()> {
    if is_file {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::os::unix::fs::symlink;

    use super::{open, open_named, open_own, read, read_own};

    #[test]
    fn a_pipe_a_device_and_a_folder_are_refused_before_they_are_opened() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), fifo, 0o600.into(), 0).unwrap();
        symlink("pipe", at("to-pipe")).unwrap();
        symlink("/dev/zero", at("to-device")).unwrap();
        for name in ["pipe", "to-pipe", "to-device", "."] {
            assert_eq!(open(&at(name)).unwrap_err().kind(), ErrorKind::InvalidInput, "{name}");
            assert!(open_own(&at(name)).is_err(), "{name}");
        }
    }

    #[test]
    fn a_file_is_read_and_a_link_to_one_where_it_is_not_our_own() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("file"), "12345").unwrap();
        symlink("file", at("link")).unwrap();
        assert_eq!(read(&at("link"), 9).unwrap(), b"12345");
        assert_eq!(read(&at("file"), 3).unwrap(), b"1234", "one more tells that there is more");
        assert_eq!(read_own(&at("file"), 9).unwrap(), b"12345");
        assert_eq!(read_own(&at("link"), 9).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(open(&at("none")).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_descriptor_of_the_callers_is_taken_as_it_is() {
        let null = std::path::Path::new("/dev/null");
        assert!(open_named(null).is_ok() && open(null).is_err());
    }
}
