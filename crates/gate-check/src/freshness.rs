//! Whether a report is of this run.
//!
//! A report that was there before the command started, and that nothing was written to since, is another run's. Writing
//! shows in the inode or in the time of modification; a new mode, another link or a name that comes back do not count. A
//! symbolic link is refused: it could be pointed at an older report while the command runs.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gate_ledger::infile;

use crate::named::is_absent;

/// File systems stamp changes with the kernel's tick, not with the finest clock: a change within this time
/// may carry the stamp of the one before.
const TICK: Duration = Duration::from_millis(20);

/// What lay in the places of reports before the command started.
#[derive(Debug, Default)]
pub(crate) struct Before(HashMap<PathBuf, Mark>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    device: u64,
    inode: u64,
    modified: (i64, i64),
}

/// Why there is no report of this run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoReport {
    /// Nothing is there.
    #[error("the command wrote no report to '{0}'")]
    Missing(String),
    /// It cannot be looked for.
    #[error("the reports '{0}' cannot be looked for: {1}")]
    Unlisted(String, Error),
    /// Something else is there.
    #[error("'{0}' is not a regular file; a report must be one, and no symbolic link")]
    NotRegular(String),
    /// It is from before.
    #[error("the report '{0}' is from before this run: the command did not write it")]
    Stale(String),
    /// It cannot be read.
    #[error("the report '{0}' cannot be read: {1}")]
    Unreadable(String, Error),
}

/// Notes what lies at `paths`. Where something changed within the last tick, the tick is waited for, so that a change
/// by the command is sure to show.
///
/// # Errors
/// What keeps anybody from telling what lies there.
pub(crate) fn before(paths: impl IntoIterator<Item = PathBuf>, now: SystemTime) -> std::io::Result<Before> {
    let mut marks = HashMap::new();
    for path in paths {
        match path.symlink_metadata() {
            Ok(metadata) => drop(marks.insert(path, Mark::of(&metadata))),
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(error),
        }
    }
    if let Some(rest) = marks.values().filter_map(|mark| rest_of_tick(*mark, now)).max() {
        std::thread::sleep(rest);
    }
    Ok(Before(marks))
}

fn rest_of_tick(mark: Mark, now: SystemTime) -> Option<Duration> {
    let seconds = u64::try_from(mark.modified.0).ok()?;
    let nanos = u32::try_from(mark.modified.1).ok()?;
    let modified = UNIX_EPOCH.checked_add(Duration::new(seconds, nanos))?;
    // A time in the future comes from a clock that was set back; nothing is gained by waiting for it.
    let age = now.duration_since(modified).ok()?;
    TICK.checked_sub(age)
}

impl Mark {
    fn of(metadata: &Metadata) -> Self {
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        Self { device: metadata.dev(), inode: metadata.ino(), modified }
    }
}

/// Opens the report at `path` if it is of this run.
///
/// # Errors
/// A [`NoReport`].
pub(crate) fn open(path: &Path, before: &Before) -> Result<File, NoReport> {
    let name = || path.display().to_string();
    let file = match infile::open_own(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(NoReport::Missing(name())),
        Err(error) if is_no_file(&error) => return Err(NoReport::NotRegular(name())),
        Err(error) => return Err(NoReport::Unreadable(name(), error)),
    };
    let metadata = file.metadata().map_err(|error| NoReport::Unreadable(name(), error))?;
    if before.0.get(path) == Some(&Mark::of(&metadata)) {
        return Err(NoReport::Stale(name()));
    }
    Ok(file)
}

/// Whether something else lay there, a link among them, before it was opened or by then.
fn is_no_file(error: &Error) -> bool {
    error.kind() == ErrorKind::InvalidInput
        || error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::{NoReport, before, open};
    use std::time::SystemTime;

    fn scratch() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn a_report_written_after_the_start_is_fresh() {
        let dir = scratch();
        let path = dir.path().join("r");
        let mark = before([path.clone()], SystemTime::now()).unwrap();
        std::fs::write(&path, "{}").unwrap();
        assert!(open(&path, &mark).is_ok());
    }

    #[test]
    fn a_report_rewritten_in_place_at_once_is_fresh() {
        let dir = scratch();
        let path = dir.path().join("r");
        std::fs::write(&path, "old").unwrap();
        let mark = before([path.clone()], SystemTime::now()).unwrap();
        std::fs::write(&path, "new").unwrap();
        assert!(open(&path, &mark).is_ok());
    }

    #[test]
    fn a_new_mode_another_link_and_a_name_that_comes_back_write_nothing() {
        let dir = scratch();
        let (path, away) = (dir.path().join("r"), dir.path().join("away"));
        std::fs::write(&path, "old").unwrap();
        let mark = before([path.clone()], SystemTime::now()).unwrap();
        std::thread::sleep(super::TICK);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, mode).unwrap();
        assert!(matches!(open(&path, &mark), Err(NoReport::Stale(_))));
        std::fs::hard_link(&path, &away).unwrap();
        assert!(matches!(open(&path, &mark), Err(NoReport::Stale(_))));
        std::fs::rename(&away, dir.path().join("back")).unwrap();
        std::fs::rename(dir.path().join("back"), &path).unwrap();
        assert!(matches!(open(&path, &mark), Err(NoReport::Stale(_))));
    }

    #[test]
    fn an_untouched_report_is_stale() {
        let dir = scratch();
        let path = dir.path().join("r");
        std::fs::write(&path, "old").unwrap();
        let mark = before([path.clone()], SystemTime::now()).unwrap();
        assert!(matches!(open(&path, &mark), Err(NoReport::Stale(_))));
    }

    #[test]
    fn a_missing_report_a_link_a_directory_and_a_fifo_are_no_reports() {
        let dir = scratch();
        let path = dir.path().join("r");
        let mark = before([path.clone()], SystemTime::now()).unwrap();
        assert!(matches!(open(&path, &mark), Err(NoReport::Missing(_))));
        std::fs::write(dir.path().join("old"), "{}").unwrap();
        std::os::unix::fs::symlink(dir.path().join("old"), &path).unwrap();
        assert!(matches!(open(&path, &mark), Err(NoReport::NotRegular(_))));
        assert!(matches!(open(dir.path(), &mark), Err(NoReport::NotRegular(_))));
        let fifo = dir.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert!(matches!(open(&fifo, &mark), Err(NoReport::NotRegular(_))));
    }
}
