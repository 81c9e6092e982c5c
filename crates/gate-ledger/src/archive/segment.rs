//! Reading a segment: strictly, and in bounded memory whatever it unpacks to.

use std::io::{self, BufRead, BufReader, Read};

use zstd::stream::read::Decoder;

use super::SegmentDigest;
use super::digest::Digested;
use crate::chain::Bad;
use crate::entry::LINE_EXTRA;
use crate::profile::MAX_BYTES;

/// The magic number of a Zstandard frame (RFC 8878, section 3.1.1), as it is stored.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The largest window that a frame may ask for, as a power of two in bytes: what its decoder needs of memory.
/// That of `zstd -19`; `--ultra` and `--long` go beyond.
const MAX_WINDOW_LOG: u32 = 23;
/// The longest line, in bytes, without its newline.
const MAX_LINE: usize = MAX_BYTES + LINE_EXTRA;
/// How much is unpacked at once.
const BUFFER: usize = 128 << 10;

/// Whether `head`, the first bytes of a file, is that of a segment.
pub fn is_segment(head: &[u8]) -> bool {
    head.starts_with(&MAGIC)
}

/// The lines of a segment, unpacked one at a time.
pub(crate) struct Lines<R: Read> {
    unpacked: BufReader<Decoder<'static, BufReader<Digested<R>>>>,
    line: Vec<u8>,
}

/// Why there is no further line.
pub(crate) enum LineError {
    /// The segment is damaged or is none.
    Bad(Bad),
    /// Reading the file failed.
    Io(io::Error),
}

/// The file of a segment that was read or written to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentFile {
    /// The digest of its bytes.
    pub digest: SegmentDigest,
    /// How many there are.
    pub bytes: u64,
}

impl<R: Read> Lines<R> {
    /// The lines of the segment that `packed` holds.
    ///
    /// # Errors
    /// Where no decoder can be made.
    pub(crate) fn new(packed: R) -> io::Result<Self> {
        let mut decoder = Decoder::new(Digested::new(packed))?.single_frame();
        decoder.window_log_max(MAX_WINDOW_LOG)?;
        Ok(Self { unpacked: BufReader::with_capacity(BUFFER, decoder), line: Vec::new() })
    }

    /// The next line, without its newline; it may be written over. None at the end.
    ///
    /// # Errors
    /// A [`LineError`]; nothing more can be read then.
    pub(crate) fn next(&mut self) -> Result<Option<&mut [u8]>, LineError> {
        self.line.clear();
        loop {
            let unpacked = match self.unpacked.fill_buf() {
                Ok(unpacked) => unpacked,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.damage(error)),
            };
            if unpacked.is_empty() {
                return if self.line.is_empty() {
                    Ok(None)
                } else {
                    Err(damaged("its last line has no newline"))
                };
            }
            let (taken, ended) = match memchr::memchr(b'\n', unpacked) {
                Some(at) => (at, true),
                None => (unpacked.len(), false),
            };
            if self.line.len() + taken > MAX_LINE {
                return Err(LineError::Bad(Bad::TooLarge));
            }
            self.line.extend_from_slice(&unpacked[..taken]);
            self.unpacked.consume(taken + usize::from(ended));
            if ended {
                return Ok(Some(&mut self.line));
            }
        }
    }

    /// Ends the reading once [`Lines::next`] gave nothing more: nothing may stand behind the frame.
    ///
    /// # Errors
    /// A [`LineError`].
    pub(crate) fn finish(self) -> Result<SegmentFile, LineError> {
        let mut packed = self.unpacked.into_inner().finish();
        if !packed.fill_buf().map_err(LineError::Io)?.is_empty() {
            return Err(damaged("bytes follow its one Zstandard frame"));
        }
        let packed = packed.into_inner();
        Ok(SegmentFile { digest: packed.digest(), bytes: packed.bytes })
    }

    /// Whether the file or what is in it is at fault.
    fn damage(&self, error: io::Error) -> LineError {
        if self.unpacked.get_ref().get_ref().get_ref().failed {
            return LineError::Io(error);
        }
        damaged(&gate_model::text::visible(&error.to_string()))
    }
}

fn damaged(defect: &str) -> LineError {
    LineError::Bad(Bad::Segment(defect.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{Bad, LineError, Lines, is_segment};

    fn packed(text: &[u8]) -> Vec<u8> {
        zstd::encode_all(text, 3).unwrap()
    }

    /// The lines, and the defect that ended them.
    fn read(bytes: &[u8]) -> (usize, Option<Bad>) {
        let mut lines = Lines::new(bytes).unwrap();
        let mut count = 0;
        loop {
            match lines.next() {
                Ok(Some(_)) => count += 1,
                Ok(None) => break,
                Err(LineError::Bad(bad)) => return (count, Some(bad)),
                Err(LineError::Io(error)) => panic!("{error}"),
            }
        }
        match lines.finish() {
            Err(LineError::Bad(bad)) => (count, Some(bad)),
            _ => (count, None),
        }
    }

    #[test]
    fn lines_come_one_by_one_and_a_missing_newline_is_damage() {
        assert!(is_segment(&packed(b"")));
        assert_eq!(read(&packed(b"")), (0, None));
        assert_eq!(read(&packed(b"a\n\nb\n")), (3, None));
        assert!(matches!(read(&packed(b"a\nb")), (1, Some(Bad::Segment(_)))));
    }

    #[test]
    fn a_line_that_unpacks_to_a_gigabyte_is_refused_early() {
        let zeros = std::io::Read::take(std::io::repeat(b'0'), 1 << 30);
        let mut bomb = Vec::new();
        zstd::stream::copy_encode(zeros, &mut bomb, 1).unwrap();
        assert!(bomb.len() < 1 << 20);
        assert_eq!(read(&bomb), (0, Some(Bad::TooLarge)));
    }

    #[test]
    fn a_second_frame_and_a_cut_one_are_damage() {
        let whole = packed(b"a\n");
        assert!(matches!(read(&[whole.clone(), whole.clone()].concat()), (1, Some(Bad::Segment(_)))));
        assert!(matches!(read(&[whole.as_slice(), b"x"].concat()), (1, Some(Bad::Segment(_)))));
        assert!(matches!(read(&whole[..whole.len() - 1]), (_, Some(Bad::Segment(_)))));
        assert!(matches!(read(b"{}\n"), (0, Some(Bad::Segment(_)))));
    }

    #[test]
    fn a_window_beyond_the_limit_is_refused() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(27).unwrap();
        let noise: Vec<u8> = (0..40_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        std::io::Write::write_all(&mut encoder, &noise).unwrap();
        assert!(matches!(read(&encoder.finish().unwrap()), (_, Some(Bad::Segment(_)))));
    }
}
