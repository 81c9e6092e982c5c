//! The bytes of a report: read once, forwards, hashed and checked to be UTF-8 on the way.
//!
//! [`Source`] is a window that slides over the input. Readers look at [`Source::window`], ask for [`Source::more`]
//! where it is too short, and [`Source::advance`] past what they are done with. Every byte is hashed when it is
//! read and counted for line numbers when it is dropped, so both cost one pass. The window holds no more than
//! the caller insists on keeping.

use std::io::{ErrorKind, Read};

use gate_model::digest;

use crate::error::{At, Place, ReportError};

/// How much is read at once: little at first, since most reports are small, then more.
const CHUNKS: std::ops::RangeInclusive<usize> = 16 << 10..=256 << 10;

pub(crate) struct Source<'r> {
    input: &'r mut dyn Read,
    hasher: blake3::Hasher,
    buffer: Vec<u8>,
    /// `buffer[start..checked]` is the window; `buffer[checked..]` may begin a character that is not complete.
    start: usize,
    checked: usize,
    ended: bool,
    /// The place of `buffer[0]`.
    origin: Place,
    /// The bytes of the mark at the beginning.
    mark: u64,
}

impl<'r> Source<'r> {
    /// Opens `input`, and passes over a UTF-8 byte order mark (RFC 8259 §8.1 allows a reader to).
    pub(crate) fn open(input: &'r mut dyn Read) -> Result<Self, ReportError> {
        let mut source = Self {
            input,
            hasher: blake3::Hasher::new_derive_key(digest::REPORT),
            buffer: Vec::new(),
            start: 0,
            checked: 0,
            ended: false,
            origin: Place { offset: 0, line: 1, column: 1 },
            mark: 0,
        };
        while source.window().len() < 4 && source.more()? {}
        if source.window().starts_with(b"\xEF\xBB\xBF") {
            source.advance(3);
            source.mark = 3;
        }
        Ok(source)
    }

    /// What was read and not yet passed: whole UTF-8 characters.
    pub(crate) fn window(&self) -> &[u8] {
        &self.buffer[self.start..self.checked]
    }

    /// Passes `count` bytes of the window.
    pub(crate) fn advance(&mut self, count: usize) {
        self.start = (self.start + count).min(self.checked);
    }

    /// Reads on. `false` at the end of the input.
    pub(crate) fn more(&mut self) -> Result<bool, ReportError> {
        if self.ended {
            return Ok(false);
        }
        self.drop_passed();
        let old = self.buffer.len();
        let known = usize::try_from(self.origin.offset).unwrap_or(usize::MAX).saturating_add(old);
        self.buffer.resize(old + known.clamp(*CHUNKS.start(), *CHUNKS.end()).max(old), 0);
        let read = loop {
            match self.input.read(&mut self.buffer[old..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        let count = match read {
            Ok(count) => count.min(self.buffer.len() - old),
            Err(source) => {
                self.buffer.truncate(old);
                return Err(ReportError::Io { at: At::new(self.place(0), String::new()), source });
            }
        };
        self.buffer.truncate(old + count);
        self.hasher.update(&self.buffer[old..]);
        self.ended = count == 0;
        self.check()?;
        Ok(!self.ended)
    }

    fn drop_passed(&mut self) {
        self.origin = self.place_in_buffer(self.start);
        self.buffer.drain(..self.start);
        self.checked -= self.start;
        self.start = 0;
    }

    /// Extends the window over what is valid UTF-8.
    fn check(&mut self) -> Result<(), ReportError> {
        match std::str::from_utf8(&self.buffer[self.checked..]) {
            Ok(text) => self.checked += text.len(),
            Err(error) => {
                self.checked += error.valid_up_to();
                if self.ended || error.error_len().is_some() {
                    return Err(self.encoding_error());
                }
            }
        }
        // UTF-16 and UTF-32 of plain text are valid UTF-8 with NUL bytes, where they have no mark.
        if self.origin.offset == 0 && self.buffer[..self.buffer.len().min(4)].contains(&0) {
            self.checked = 0;
            return Err(self.encoding_error());
        }
        Ok(())
    }

    fn encoding_error(&self) -> ReportError {
        let head = &self.buffer[..self.buffer.len().min(4)];
        let marked = head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") || head.contains(&0);
        let found = if self.origin.offset == 0 && marked {
            "it is UTF-16 or UTF-32, not UTF-8"
        } else {
            "a byte that is not UTF-8"
        };
        ReportError::Encoding { at: At::new(self.place_in_buffer(self.checked), String::new()), found }
    }

    fn place_in_buffer(&self, index: usize) -> Place {
        let passed = &self.buffer[..index];
        let lines = memchr::memchr_iter(b'\n', passed).count() as u64;
        let column = match memchr::memrchr(b'\n', passed) {
            Some(newline) => (index - newline) as u64,
            None => self.origin.column + index as u64,
        };
        Place { offset: self.origin.offset + index as u64, line: self.origin.line + lines, column }
    }

    /// The place of the window's byte `index`.
    pub(crate) fn place(&self, index: usize) -> Place {
        self.place_in_buffer((self.start + index).min(self.buffer.len()))
    }

    /// The first byte that is no white space, left in the window; what is before it is passed.
    pub(crate) fn first_byte(&mut self) -> Result<Option<u8>, ReportError> {
        loop {
            let blank = self.window().iter().take_while(|byte| b" \t\r\n".contains(byte)).count();
            self.advance(blank);
            if let Some(&byte) = self.window().first() {
                return Ok(Some(byte));
            }
            if !self.more()? {
                return Ok(None);
            }
        }
    }

    /// Whether anything was passed but a byte order mark.
    pub(crate) fn has_passed(&self) -> bool {
        self.place(0).offset > self.mark
    }

    /// Whether all of the input was read and passed.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.ended && self.window().is_empty()
    }

    /// The digest of all bytes read. Readers read to the end.
    pub(crate) fn digest(&self) -> String {
        digest::written(self.hasher.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use gate_model::digest;

    use super::Source;
    use crate::error::ReportError;

    /// One byte at a time, as a slow pipe gives them.
    struct Slow<'a>(&'a [u8]);

    impl std::io::Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            (out[0], self.0) = (*first, rest);
            Ok(1)
        }
    }

    #[test]
    fn the_digest_is_of_all_bytes_however_they_arrive() {
        let text = "\u{feff} {\"é\":1}\n";
        let mut input = Slow(text.as_bytes());
        let mut source = Source::open(&mut input).unwrap();
        assert_eq!(source.first_byte().unwrap(), Some(b'{'));
        while source.more().unwrap() {}
        assert_eq!(source.window(), "{\"é\":1}\n".as_bytes());
        assert_eq!(source.digest(), digest::of(digest::REPORT, text.as_bytes()));
    }

    #[test]
    fn places_count_lines_and_bytes() {
        let mut input = Slow(b"ab\ncd\n\nef");
        let mut source = Source::open(&mut input).unwrap();
        while source.more().unwrap() {}
        source.advance(4);
        source.drop_passed();
        let place = source.place(1);
        assert_eq!((place.offset, place.line, place.column), (5, 2, 3));
        let place = source.place(4);
        assert_eq!((place.offset, place.line, place.column), (8, 4, 2));
    }

    fn encoding_error(bytes: &[u8]) -> Option<(u64, &'static str)> {
        let mut input = bytes;
        let result = Source::open(&mut input).and_then(|mut source| {
            while source.more()? {}
            Ok(())
        });
        match result {
            Err(ReportError::Encoding { at, found }) => Some((at.place.unwrap().offset, found)),
            _ => None,
        }
    }

    #[test]
    fn other_encodings_are_named() {
        let utf16: Vec<u8> = "{\"a\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(encoding_error(&utf16).unwrap().1.contains("UTF-16"));
        assert!(encoding_error(&[&b"\xFF\xFE"[..], &utf16].concat()).unwrap().1.contains("UTF-16"));
        assert!(encoding_error(b"\xFE\xFF\0{").unwrap().1.contains("UTF-16"));
        assert_eq!(encoding_error(b"{\"a\":\"\xE9\"}"), Some((6, "a byte that is not UTF-8")));
        // A character cut in the middle by the end of the input.
        assert_eq!(encoding_error(b"{\"a\":\"\xC3"), Some((6, "a byte that is not UTF-8")));
        assert_eq!(encoding_error("{\"a\":\"é\"}".as_bytes()), None);
    }
}
