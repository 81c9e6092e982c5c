//! Standard output, buffered, with a memory of what went wrong.

use std::io::{self, BufWriter, Write};

use crate::io::is_reader_gone;

/// A buffered stream that swallows writes once its reader went away, and remembers any other failure until
/// [`Stdout::finish`], however the writer in between treated it.
pub(super) struct Stdout<W: Write> {
    inner: BufWriter<W>,
    reader_gone: bool,
    failure: Option<io::Error>,
}

impl<W: Write> Stdout<W> {
    pub(super) fn new(stream: W) -> Self {
        Self { inner: BufWriter::with_capacity(64 * 1024, stream), reader_gone: false, failure: None }
    }

    /// Delivers what is left.
    ///
    /// # Errors
    /// The first failure of any write, but for a reader that went away.
    pub(super) fn finish(mut self) -> io::Result<()> {
        if self.failure.is_none()
            && !self.reader_gone
            && let Err(error) = self.inner.flush()
        {
            self.remember(error);
        }
        // The rest of the buffer is dropped without another attempt: it would fail, or arrive in part.
        let (_stream, _rest) = self.inner.into_parts();
        self.failure.map_or(Ok(()), Err)
    }

    /// Remembers `error`, and returns what the writer shall see of it: nothing where the reader went away.
    fn remember(&mut self, error: io::Error) -> Option<io::Error> {
        if is_reader_gone(&error) {
            self.reader_gone = true;
            return None;
        }
        if error.kind() == io::ErrorKind::Interrupted {
            return Some(error);
        }
        let copy = io::Error::new(error.kind(), error.to_string());
        self.failure.get_or_insert(error);
        Some(copy)
    }
}

impl<W: Write> Write for Stdout<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.reader_gone {
            return Ok(bytes.len());
        }
        self.inner.write(bytes).or_else(|error| self.remember(error).map_or(Ok(bytes.len()), Err))
    }

    /// Says `BrokenPipe` once the reader went away, so that an endless writer can end.
    fn flush(&mut self) -> io::Result<()> {
        if self.reader_gone {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.inner.flush().map_err(|error| {
            let gone = io::ErrorKind::BrokenPipe.into();
            self.remember(error).unwrap_or(gone)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Stdout, Write, io};

    /// A stream that takes nothing and says why.
    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_seen_even_if_the_writer_ignored_it() {
        let mut stdout = Stdout::new(Broken(io::ErrorKind::StorageFull));
        assert!(stdout.write_all(&vec![b'x'; 100_000]).is_err());
        assert_eq!(stdout.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn a_full_disk_is_seen_at_the_last_flush() {
        let mut stdout = Stdout::new(Broken(io::ErrorKind::StorageFull));
        stdout.write_all(b"short").unwrap();
        assert_eq!(stdout.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure_but_ends_an_endless_writer() {
        let mut stdout = Stdout::new(Broken(io::ErrorKind::BrokenPipe));
        stdout.write_all(&vec![b'x'; 100_000]).unwrap();
        assert_eq!(stdout.flush().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        stdout.write_all(b"more").unwrap();
        stdout.finish().unwrap();
    }

    #[test]
    fn what_is_written_arrives_once() {
        let mut sink = Vec::new();
        let mut stdout = Stdout::new(&mut sink);
        stdout.write_all(b"a").unwrap();
        stdout.flush().unwrap();
        stdout.write_all(b"b").unwrap();
        stdout.finish().unwrap();
        assert_eq!(sink, b"ab");
    }
}
