//! A file that a decision is written to, by `--decision` or by `--format`.
//!
//! It is emptied before anything else is read, so that an earlier run's decision is never taken for this
//! one's, whatever ends the tool; and a path that cannot be written is known before the gate runs. One that
//! is an input (report, policy, ledger), or another output, is refused, since emptying it would destroy it.
//!
//! It goes where it was claimed: the directory is held from then on, a link is refused at the start and replaced at
//! the end, and nothing is written through one, whoever plants it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use gate_ledger::outfile::{Manner, Place};
use gate_model::exit::{Ends, Exit};

use crate::places::same_place;

/// How a SQLite database begins (<https://www.sqlite.org/fileformat.html>, section 1.3).
const DATABASE: &[u8] = b"SQLite format 3\0";

/// A place for a document of the decision.
#[derive(Debug)]
pub(crate) struct OutputFile {
    shown: String,
    claim: Claim,
}

#[derive(Debug)]
enum Claim {
    /// A file by its name.
    File(Place),
    /// A pipe, a terminal, or a descriptor of the caller's below `/dev`, which was opened when it was claimed.
    Stream(File),
}

/// Why a document could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputFileError {
    /// It cannot be written.
    #[error(
        "cannot write the decision to '{path}': {source}\nname a file that can be written with --decision or --format"
    )]
    Write {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A link leads there.
    #[error(
        "'{0}' is a symbolic link, or lies behind one in the working directory, and nothing is written through links\nname the file itself with --decision or --format"
    )]
    Link(String),
    /// The directory is another one than at the start.
    #[error(
        "the directory of '{0}' was moved or replaced meanwhile, so the decision is not where it was asked for\nname a place with --decision or --format that the command leaves alone"
    )]
    Moved(String),
    /// It is the report, the policy, a ledger, or the place of another document.
    #[error(
        "'{0}' is an input or another output, and writing the decision there would destroy it\nname another file with --decision or --format"
    )]
    Input(String),
    /// It is what other tools call standard output.
    #[error(
        "'-' is no file\nfor standard output give --format a format alone, as in --format json; a file of that name is ./-"
    )]
    Dash,
    /// It is the name of a file that belongs to a ledger.
    #[error(
        "'{0}' is a name for files that belong to the ledger beside it, and writing there could destroy it\nname another file with --decision or --format"
    )]
    Reserved(String),
}

impl Ends for OutputFileError {
    fn exit(&self) -> Exit {
        match self {
            Self::Write { .. } | Self::Moved(_) => Exit::Failure,
            Self::Link(_) | Self::Input(_) | Self::Reserved(_) | Self::Dash => Exit::Usage,
        }
    }
}

impl OutputFile {
    /// Whether `path`, which a person wrote relative to `cwd`, may be written: it is none of `inputs`, and nothing that
    /// belongs to a ledger. Nothing is touched.
    ///
    /// # Errors
    /// An [`OutputFileError`].
    pub(crate) fn check(path: &Path, cwd: &Path, inputs: &[PathBuf]) -> Result<(), OutputFileError> {
        let shown = path.display().to_string();
        if inputs.iter().any(|input| same_place(path, input)) || is_database(path) {
            return Err(OutputFileError::Input(shown));
        }
        if is_beside_database(path) {
            return Err(OutputFileError::Reserved(shown));
        }
        if leads_through_a_link(path, cwd) {
            return Err(OutputFileError::Link(shown));
        }
        Ok(())
    }

    /// Claims `path` as [`OutputFile::check`] lets it: a file is emptied or made, a pipe or a terminal is opened.
    ///
    /// # Errors
    /// An [`OutputFileError`].
    pub(crate) fn claim(path: &Path, cwd: &Path, inputs: &[PathBuf]) -> Result<Self, OutputFileError> {
        Self::check(path, cwd, inputs)?;
        let shown = path.display().to_string();
        let claim = if is_stream(path) { open_stream(path) } else { empty(path) };
        match claim {
            Ok(claim) => Ok(Self { shown, claim }),
            Err(source) => Err(OutputFileError::Write { path: shown, source }),
        }
    }

    /// Writes what `document` writes.
    ///
    /// # Errors
    /// An [`OutputFileError`].
    pub(crate) fn write(
        &self,
        document: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    ) -> Result<(), OutputFileError> {
        let written = match &self.claim {
            Claim::File(place) => place.write(Manner::RESULT, document).and_then(|()| place.is_still_there()),
            Claim::Stream(file) => {
                let mut out = std::io::BufWriter::new(file);
                document(&mut out).and_then(|()| out.flush()).map(|()| true)
            }
        };
        match written {
            Ok(true) => Ok(()),
            Ok(false) => Err(OutputFileError::Moved(self.shown.clone())),
            Err(source) => Err(OutputFileError::Write { path: self.shown.clone(), source }),
        }
    }
}

/// An empty file, whose directory is held.
fn empty(path: &Path) -> std::io::Result<Claim> {
    let place = Place::of(path)?;
    if path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
        return Err(std::io::ErrorKind::IsADirectory.into());
    }
    place.write(Manner::RESULT, |_| Ok(()))?;
    Ok(Claim::File(place))
}

/// What is open already is never emptied: something else may have been written there.
fn open_stream(path: &Path) -> std::io::Result<Claim> {
    File::options().append(true).open(path).map(Claim::Stream)
}

/// Whether `path` is no file by its own name: something below `/dev` (`/dev/stdout`, `/dev/fd/63`), where a link is the
/// system's own, or a pipe or a device elsewhere.
fn is_stream(path: &Path) -> bool {
    is_of_the_system(path)
        || path.symlink_metadata().is_ok_and(|found| {
            let kind = found.file_type();
            kind.is_fifo() || kind.is_char_device()
        })
}

fn is_of_the_system(path: &Path) -> bool {
    let directory = path.parent().and_then(|parent| parent.canonicalize().ok());
    directory.is_some_and(|directory| {
        let is_memory = directory.starts_with("/dev/shm");
        !is_memory && (directory.starts_with("/dev") || directory.starts_with("/proc"))
    })
}

/// Whether `path` itself is a link, or a directory on the way to it from `cwd` is: whoever wrote the checkout chose
/// where these lead.
fn leads_through_a_link(path: &Path, cwd: &Path) -> bool {
    let is_link = |path: &Path| path.symlink_metadata().is_ok_and(|found| found.is_symlink());
    let inside =
        path.ancestors().skip(1).take_while(|directory| *directory != cwd && directory.starts_with(cwd));
    (is_link(path) && !is_of_the_system(path)) || inside.into_iter().any(is_link)
}

/// Whether `path`, or what it leads to, is named after a database in the same directory, as its write-ahead log is.
fn is_beside_database(path: &Path) -> bool {
    let named_after = |path: &Path| {
        let name = path.file_name().unwrap_or_default().as_bytes();
        let mut ends = (0..name.len()).filter(|end| name[*end] == b'-');
        ends.any(|end| is_database(&path.with_file_name(OsStr::from_bytes(&name[..end]))))
    };
    named_after(path) || path.canonicalize().is_ok_and(|real| named_after(&real))
}

/// Whether a regular file holds a database: which ledger the policy names is not known yet.
fn is_database(path: &Path) -> bool {
    use std::io::Read;
    let mut start = [0; DATABASE.len()];
    let read = gate_ledger::infile::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == DATABASE
}
