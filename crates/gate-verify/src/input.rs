//! The bytes to verify: a SQLite file, or a stream of JSON objects, told apart by how they begin.

use std::fs::File;
use std::io::{self, BufReader, Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};

use gate_ledger::archive::is_segment;
use gate_ledger::infile;
use gate_ledger::store::{OpenError, Snapshot};
use gate_model::exit::{Ends, Exit};

/// How every SQLite database begins (<https://www.sqlite.org/fileformat2.html>, section 1.3).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// How much of a stream is read at once.
const BUFFER: usize = 256 * 1024;

/// What there is to verify.
pub(crate) enum Input<'a> {
    /// A SQLite file, as it stood at one moment.
    Sqlite(Snapshot),
    /// A segment of an archive.
    Segment(PathBuf),
    /// Anything else, as a stream.
    Stream(BufReader<Box<dyn Read + 'a>>),
}

/// Why there is nothing to verify.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    /// It is not there.
    #[error(
        "there is no file '{0}'\n\
         name a ledger or an export of one, or nothing for the policy's own; a policy is checked by: gate-verify policy"
    )]
    Missing(String),
    /// It is a directory.
    #[error("'{0}' is a directory\nname the ledger's file in it")]
    Directory(String),
    /// Nothing is in it.
    #[error("'{0}' is empty\na ledger has at least one entry; gate-log export writes at least one line")]
    Empty(String),
    /// A segment is read from its start twice.
    #[error(
        "'{0}' is a segment of an archive, which must be a file\nname the file itself, or unpack it with: zstd -dc"
    )]
    PackedPipe(String),
    /// A segment that is named does not look like one.
    #[error(
        "'{0}' is no segment of an archive\nname a file that gate-log archive wrote, or its ledger without --archive"
    )]
    NoSegment(String),
    /// A database cannot be read from a pipe.
    #[error(
        "'{0}' is a SQLite database, which must be a file that can be read anywhere\nname the file itself"
    )]
    Pipe(String),
    /// There is no moment of it to be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The system refuses.
    #[error("cannot read '{path}': {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
}

impl Ends for InputError {
    fn exit(&self) -> Exit {
        match self {
            Self::Missing(_)
            | Self::Directory(_)
            | Self::Empty(_)
            | Self::PackedPipe(_)
            | Self::NoSegment(_)
            | Self::Pipe(_) => Exit::Usage,
            Self::Open(error) => error.exit(),
            Self::Io { .. } => Exit::Failure,
        }
    }
}

/// Opens the file at `path`, which a person wrote as `shown`.
///
/// # Errors
/// An [`InputError`].
pub(crate) fn file<'a>(path: &Path, shown: &str) -> Result<Input<'a>, InputError> {
    let fails = |source: io::Error| match source.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => InputError::Missing(shown.to_owned()),
        _ => InputError::Io { path: shown.to_owned(), source },
    };
    if path.metadata().map_err(fails)?.is_dir() {
        return Err(InputError::Directory(shown.to_owned()));
    }
    let mut file = File::open(path).map_err(fails)?;
    let metadata = file.metadata().map_err(fails)?;
    let head = head(&mut file, shown)?;
    if is_segment(&head) {
        return if metadata.is_file() {
            Ok(Input::Segment(path.to_owned()))
        } else {
            Err(InputError::PackedPipe(shown.to_owned()))
        };
    }
    if head != MAGIC {
        return Ok(stream(head, Box::new(file)));
    }
    // Closed before SQLite opens it: closing it later would drop SQLite's own locks on it.
    drop(file);
    if metadata.is_file() {
        Ok(Input::Sqlite(Snapshot::take(path)?))
    } else {
        Err(InputError::Pipe(shown.to_owned()))
    }
}

/// The file at `path`, which must be a segment of an archive.
///
/// # Errors
/// An [`InputError`].
pub(crate) fn segment(path: &Path, shown: &str) -> Result<PathBuf, InputError> {
    let is_odd = |error: io::Error| error.kind() == ErrorKind::InvalidInput && !path.is_dir();
    if infile::open(path).is_err_and(is_odd) {
        return Err(InputError::NoSegment(shown.to_owned()));
    }
    match file(path, shown)? {
        Input::Segment(path) => Ok(path),
        Input::Sqlite(_) | Input::Stream(_) => Err(InputError::NoSegment(shown.to_owned())),
    }
}

/// The bytes of the file at `path`: all of them, or one more than `most`, so that whoever parses them tells a larger
/// file from one that just fits.
///
/// # Errors
/// What the system says.
pub(crate) fn document(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    document_of(&mut infile::open_named(path)?, most)
}

/// The same of what is open already.
///
/// # Errors
/// What the system says.
pub(crate) fn document_of(input: &mut dyn Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Takes standard input.
///
/// # Errors
/// An [`InputError`].
pub(crate) fn stdin(stdin: &mut dyn Read) -> Result<Input<'_>, InputError> {
    let shown = "standard input";
    let head = head(stdin, shown)?;
    if is_segment(&head) {
        return Err(InputError::PackedPipe(shown.to_owned()));
    }
    if head == MAGIC { Err(InputError::Pipe(shown.to_owned())) } else { Ok(stream(head, Box::new(stdin))) }
}

/// The first bytes, as many as the magic has; fewer only where there are fewer.
fn head(input: &mut dyn Read, shown: &str) -> Result<Vec<u8>, InputError> {
    let mut head = Vec::new();
    let read = input.take(MAGIC.len() as u64).read_to_end(&mut head);
    read.map_err(|source| InputError::Io { path: shown.to_owned(), source })?;
    if head.is_empty() { Err(InputError::Empty(shown.to_owned())) } else { Ok(head) }
}

fn stream<'a>(head: Vec<u8>, rest: Box<dyn Read + 'a>) -> Input<'a> {
    Input::Stream(BufReader::with_capacity(BUFFER, Box::new(Cursor::new(head).chain(rest))))
}

#[cfg(test)]
mod tests {
    use super::{Input, InputError, Read, file, stdin};

    #[test]
    fn a_stream_is_read_from_its_first_byte() {
        let mut bytes: &[u8] = b"{}\n{}\n and what follows";
        let Ok(Input::Stream(mut stream)) = stdin(&mut bytes) else { panic!("a stream") };
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert_eq!(text, "{}\n{}\n and what follows");
    }

    #[test]
    fn each_way_to_have_nothing_has_its_own_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("empty"), "").unwrap();
        std::fs::write(path("db"), b"SQLite format 3\0rest").unwrap();
        assert!(matches!(file(dir.path(), "d"), Err(InputError::Directory(_))));
        assert!(matches!(file(&path("none"), "n"), Err(InputError::Missing(_))));
        assert!(matches!(file(&path("empty/below"), "n"), Err(InputError::Missing(_))));
        assert!(matches!(file(&path("empty"), "e"), Err(InputError::Empty(_))));
        assert!(matches!(file(&path("db"), "db"), Ok(Input::Sqlite(_))));
        let mut database: &[u8] = b"SQLite format 3\0rest";
        assert!(matches!(stdin(&mut database), Err(InputError::Pipe(_))));
        let mut nothing: &[u8] = b"";
        assert!(matches!(stdin(&mut nothing), Err(InputError::Empty(_))));
    }
}
