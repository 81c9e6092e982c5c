//! The bytes of a report: read once, forwards, hashed, decoded where they are not UTF-8 ([`crate::encoding`]), and checked
//! to be UTF-8 on the way. Places count the bytes of the decoded text.
//!
//! [`Source`] is a window that slides over the input. Readers look at [`Source::window`], ask for [`Source::more`]
//! where it is too short, and [`Source::advance`] past what they are done with. Every byte is hashed when it is
//! read and counted for line numbers when it is dropped, so both cost one pass. The window holds no more than
//! the caller insists on keeping.

use std::io::{Chain, Cursor, ErrorKind, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};
use gate_model::digest;

use crate::encoding;
use crate::error::{At, Place, ReportError};

/// How much is read at once: little at first, since most reports are small, then more.
const CHUNKS: std::ops::RangeInclusive<usize> = 16 << 10..=256 << 10;

/// The place of the first byte.
const START: Place = Place { offset: 0, line: 1, column: 1 };

pub(crate) struct Source<'r> {
    /// What was looked at to tell the encoding, and the rest.
    input: Chain<Cursor<Vec<u8>>, &'r mut dyn Read>,
    encoding: &'static Encoding,
    /// Nothing for UTF-8.
    decoder: Option<Decoder>,
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
        let head = head(input)?;
        let unknown = |label: String| {
            let label = gate_model::text::visible(crate::wording::cut(&label, 40));
            let found = "it declares an encoding that is not known";
            ReportError::Encoding { at: At::new(START, format!("encoding '{label}'")), found }
        };
        let encoding = encoding::of(&head).map_err(unknown)?;
        let mut source = Self {
            input: Cursor::new(head).chain(input),
            encoding,
            decoder: (encoding != UTF_8).then(|| encoding.new_decoder_with_bom_removal()),
            hasher: blake3::Hasher::new_derive_key(digest::REPORT),
            buffer: Vec::new(),
            start: 0,
            checked: 0,
            ended: false,
            origin: START,
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
        let count = match read(&mut self.input, &mut self.buffer[old..]) {
            Ok(count) => count.min(self.buffer.len() - old),
            Err(source) => {
                self.buffer.truncate(old);
                return Err(ReportError::Io { at: At::new(self.place(0), String::new()), source });
            }
        };
        self.buffer.truncate(old + count);
        self.hasher.update(&self.buffer[old..]);
        self.ended = count == 0;
        self.decode(old)?;
        self.check()?;
        Ok(!self.ended)
    }

    /// Puts UTF-8 in the place of what was read, which is in the buffer from `from` on.
    fn decode(&mut self, from: usize) -> Result<(), ReportError> {
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        let raw = self.buffer.split_off(from);
        let room = decoder.max_utf8_buffer_length_without_replacement(raw.len()).unwrap_or(usize::MAX);
        self.buffer.resize(from.saturating_add(room), 0);
        let (result, _, written) =
            decoder.decode_to_utf8_without_replacement(&raw, &mut self.buffer[from..], self.ended);
        self.buffer.truncate(from + written);
        if result == DecoderResult::InputEmpty {
            return Ok(());
        }
        let at = At::new(self.place_in_buffer(from + written), String::new());
        Err(ReportError::Encoding { at, found: "a byte that is none of its encoding" })
    }

    /// What the report is written in.
    pub(crate) const fn encoding(&self) -> &'static Encoding {
        self.encoding
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
        // UTF-32 of plain text is valid UTF-8 with NUL bytes, where it has no mark.
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
            "it is UTF-32, or no text, not UTF-8"
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

/// As many of the first bytes as tell the encoding.
fn head(input: &mut dyn Read) -> Result<Vec<u8>, ReportError> {
    let mut head = Vec::new();
    while encoding::wants_more(&head) {
        let mut more = [0; encoding::HEAD];
        let count = read(input, &mut more)
            .map_err(|source| ReportError::Io { at: At::new(START, String::new()), source })?;
        if count == 0 {
            break;
        }
        head.extend_from_slice(&more[..count]);
    }
    Ok(head)
}

fn read(input: &mut dyn Read, into: &mut [u8]) -> std::io::Result<usize> {
    loop {
        match input.read(into) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
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

    fn decoded(bytes: &[u8]) -> String {
        let mut input = Slow(bytes);
        let mut source = Source::open(&mut input).unwrap();
        while source.more().unwrap() {}
        assert_eq!(source.digest(), digest::of(digest::REPORT, bytes), "the bytes are hashed as they came");
        String::from_utf8(source.window().to_vec()).unwrap()
    }

    #[test]
    fn other_encodings_are_decoded_however_they_arrive() {
        let text = "{\"ä\":\"𝄞\"}";
        let units = |swap: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(swap).collect::<Vec<u8>>();
        for (mark, bytes) in [
            (&b"\xFF\xFE"[..], units(u16::to_le_bytes)),
            (b"\xFE\xFF", units(u16::to_be_bytes)),
            (b"", units(u16::to_le_bytes)),
        ] {
            if !mark.is_empty() {
                assert_eq!(decoded(&[mark, &bytes].concat()), text);
            }
        }
        let latin = b"<?xml version='1.0' encoding='latin1'?><a b='\xE4'/>";
        assert_eq!(decoded(latin), "<?xml version='1.0' encoding='latin1'?><a b='ä'/>");
        let plain = b"<\0a\0/\0>\0";
        assert_eq!(decoded(plain), "<a/>");
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
        let utf32: Vec<u8> = "{\"a\":1}".chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        assert!(encoding_error(&utf32).unwrap().1.contains("UTF-32"));
        assert!(encoding_error(&[&b"\xFF\xFE\0\0"[..], &utf32].concat()).unwrap().1.contains("UTF-32"));
        // Half a character, and a lone surrogate.
        assert_eq!(encoding_error(b"\xFE\xFF\0{\0"), Some((1, "a byte that is none of its encoding")));
        assert_eq!(encoding_error(b"\xFE\xFF\0{\xD8\0\0{"), Some((1, "a byte that is none of its encoding")));
        assert!(encoding_error(b"<?xml version='1.0' encoding='UTF-7'?>").unwrap().1.contains("not known"));
        assert_eq!(encoding_error(b"{\"a\":\"\xE9\"}"), Some((6, "a byte that is not UTF-8")));
        // A character cut in the middle by the end of the input.
        assert_eq!(encoding_error(b"{\"a\":\"\xC3"), Some((6, "a byte that is not UTF-8")));
        assert_eq!(encoding_error("{\"a\":\"é\"}".as_bytes()), None);
    }
}
