//! The single-pass check of the canonical form.
//!
//! It is written by hand because it runs over every byte of every ledger that is verified: it allocates
//! nothing, looks at several bytes of a string at once, and hands out the members of the outermost
//! object as slices, so that seq, prev and the others need no second reading.

use super::swar::{Key, plain_run, short_key, word};
use super::{
    MAX_BYTES, MAX_DEPTH, MAX_INTEGER, ProfileError, ProfileErrorKind as Kind, is_key_byte, shown_key,
};

/// Whether `bytes` are exactly one value of the profile in its canonical form.
///
/// # Errors
/// The first defect, with its offset.
pub fn check_canonical(bytes: &[u8]) -> Result<(), ProfileError> {
    scan(bytes, |_, _| ())
}

/// Checks as [`check_canonical`] does, and calls `member` with key and value (as written) of each member of
/// the outermost object, in order. What was handed out means something only if the whole check succeeds.
pub(crate) fn scan<'a>(bytes: &'a [u8], member: impl FnMut(Key<'a>, &'a [u8])) -> Result<(), ProfileError> {
    if bytes.len() > MAX_BYTES {
        return Err(Kind::TooLarge(MAX_BYTES).at(MAX_BYTES));
    }
    // Checked once for the whole document: the standard library is fastest on long runs of ASCII.
    std::str::from_utf8(bytes).map_err(|error| Kind::NotUtf8.at(error.valid_up_to()))?;
    let mut check = Check { bytes, at: 0 };
    if check.peek() == Some(b'{') {
        check.object(1, member).map_err(|fault| *fault.0)?;
    } else {
        check.value(1).map_err(|fault| *fault.0)?;
    }
    match check.peek() {
        None => Ok(()),
        Some(byte) if is_space(byte) => Err(Kind::WhiteSpace.at(check.at)),
        Some(_) => Err(Kind::Trailing.at(check.at)),
    }
}

/// An error, boxed so that the good case fits into a register.
struct Fault(Box<ProfileError>);

/// What looking at one token came to.
type Checked<T = ()> = Result<T, Fault>;

#[cold]
fn fails(kind: Kind, offset: usize) -> Fault {
    Fault(Box::new(kind.at(offset)))
}

struct Check<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Check<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The error for whatever stands at the current place and should not.
    #[cold]
    fn unexpected(&self) -> Fault {
        match self.peek() {
            None => fails(Kind::End, self.at),
            Some(byte) if is_space(byte) => fails(Kind::WhiteSpace, self.at),
            Some(byte) => fails(Kind::Unexpected(byte), self.at),
        }
    }

    fn expect(&mut self, byte: u8) -> Checked {
        if self.peek() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        Err(self.unexpected())
    }

    /// One value; `depth` is the number of containers that would be open within it if it is one.
    fn value(&mut self, depth: usize) -> Checked {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{') => self.object(depth, |_, _| ()),
            Some(b'[') => self.array(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => Err(self.unexpected()),
        }
    }

    fn object(&mut self, depth: usize, mut member: impl FnMut(Key<'a>, &'a [u8])) -> Checked {
        self.open(depth)?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        // The empty key does not exist, so that the first key is above it.
        let mut last = Key { bytes: b"", word: 0 };
        loop {
            let start = self.at;
            let key = self.key()?;
            if !key.follows(last) {
                return Err(out_of_order(key.bytes, last.bytes, start));
            }
            last = key;
            self.expect(b':')?;
            let from = self.at;
            self.value(depth + 1)?;
            member(key, &self.bytes[from..self.at]);
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.unexpected()),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Checked {
        self.open(depth)?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.unexpected()),
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Steps over the bracket that opens a container.
    fn open(&mut self, depth: usize) -> Checked {
        if depth > MAX_DEPTH {
            return Err(fails(Kind::TooDeep, self.at));
        }
        self.at += 1;
        Ok(())
    }

    fn key(&mut self) -> Checked<Key<'a>> {
        self.expect(b'"')?;
        let from = self.at;
        if let Some(ahead) = self.bytes[from..].first_chunk()
            && let Some(length) = short_key(*ahead)
        {
            let bytes = &self.bytes[from..from + length as usize];
            self.at += bytes.len() + 1;
            // What lies behind the key is cut off.
            let word = u64::from_be_bytes(*ahead) & (u64::MAX << (64 - 8 * length));
            return Ok(Key { bytes, word: u128::from(word) << 64 });
        }
        while self.peek().is_some_and(is_key_byte) {
            self.at += 1;
        }
        if self.at > from && self.peek() == Some(b'"') {
            let bytes = &self.bytes[from..self.at];
            self.at += 1;
            return Ok(Key { bytes, word: word(bytes) });
        }
        Err(self.bad_key(from))
    }

    #[cold]
    fn bad_key(&self, from: usize) -> Fault {
        let rest = self.bytes.get(from..).unwrap_or_default();
        let Some(end) = rest.iter().position(|byte| *byte == b'"') else {
            return fails(Kind::End, self.bytes.len());
        };
        if self.peek() == Some(b'\\') {
            return fails(Kind::Escape, self.at);
        }
        fails(Kind::Key(shown_key(&String::from_utf8_lossy(&rest[..end]))), from)
    }

    fn string(&mut self) -> Checked {
        self.at += 1;
        loop {
            self.at += plain_run(&self.bytes[self.at..]);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(0xc2) => self.two_bytes()?,
                // Whether it is UTF-8 is known already.
                Some(0x80..) => self.at += 1,
                Some(byte) => return Err(fails(Kind::Control(u32::from(byte)), self.at)),
                None => return Err(fails(Kind::End, self.at)),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn escape(&mut self) -> Checked {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'n' | b't') => {
                self.at += 2;
                Ok(())
            }
            // The profile has no character for which the canonical form would use these.
            Some(b'/' | b'b' | b'f' | b'r' | b'u') => Err(fails(Kind::Escape, self.at)),
            Some(_) => Err(fails(Kind::BadEscape, self.at)),
            None => Err(fails(Kind::End, self.bytes.len())),
        }
    }

    /// U+0080–U+00BF, of which the first half are control characters.
    fn two_bytes(&mut self) -> Checked {
        if let Some(second @ 0x80..=0x9f) = self.bytes.get(self.at + 1) {
            return Err(fails(Kind::Control(u32::from(*second)), self.at));
        }
        self.at += 2;
        Ok(())
    }

    fn number(&mut self) -> Checked {
        let (_, length) = integer(&self.bytes[self.at..]).map_err(|kind| fails(kind, self.at))?;
        self.at += length;
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Checked {
        if self.bytes[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        Err(self.unexpected())
    }
}

#[cold]
fn out_of_order(key: &[u8], last: &[u8], offset: usize) -> Fault {
    let shown = shown_key(&String::from_utf8_lossy(key));
    if key == last {
        fails(Kind::DuplicateKey(shown), offset)
    } else {
        fails(Kind::UnsortedKey(shown), offset)
    }
}

/// Reads the integer that `bytes` start with: its value and how many bytes it takes.
pub(super) fn integer(bytes: &[u8]) -> Result<(i64, usize), Kind> {
    let negative = bytes.first() == Some(&b'-');
    let digits = &bytes[usize::from(negative)..];
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match (digits.first(), count) {
        (None, _) => return Err(Kind::End),
        (Some(byte), 0) => return Err(Kind::Unexpected(*byte)),
        (Some(b'0'), 2..) => return Err(Kind::LeadingZero),
        _ => {}
    }
    if matches!(digits.get(count), Some(b'.' | b'e' | b'E')) {
        return Err(Kind::Float);
    }
    if negative && digits[0] == b'0' {
        return Err(Kind::NegativeZero);
    }
    let mut value: u64 = 0;
    for digit in &digits[..count] {
        value = value * 10 + u64::from(digit - b'0');
        // Checked at each step, so that no number of digits can overflow.
        if value > MAX_INTEGER {
            return Err(Kind::Integer);
        }
    }
    let value = value.cast_signed();
    Ok((if negative { -value } else { value }, count + usize::from(negative)))
}

/// White space of JSON (RFC 8259 section 2).
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
