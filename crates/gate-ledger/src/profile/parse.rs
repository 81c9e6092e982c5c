//! Reading the profile strictly, whatever its white space and the order of its members.

use serde_json::{Map, Value};

use super::check::{integer, is_space};
use super::{MAX_BYTES, MAX_DEPTH, ProfileError, ProfileErrorKind as Kind, is_key_byte, shown_key};

/// Reads one value of the profile; white space around tokens and any order of keys are allowed.
///
/// # Errors
/// The first defect, with its offset.
pub fn parse(bytes: &[u8]) -> Result<Value, ProfileError> {
    parse_within(bytes, MAX_BYTES)
}

/// Reads as [`parse`] does, at most `limit` bytes: white space makes a writing longer than its canonical form.
pub(crate) fn parse_within(bytes: &[u8], limit: usize) -> Result<Value, ProfileError> {
    if bytes.len() > limit {
        return Err(Kind::TooLarge(limit).at(limit));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| Kind::NotUtf8.at(error.valid_up_to()))?;
    let mut parser = Parser { text, bytes, at: 0 };
    parser.space();
    let value = parser.value(1)?;
    parser.space();
    if parser.at < bytes.len() {
        return Err(Kind::Trailing.at(parser.at));
    }
    Ok(value)
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
    }

    fn unexpected(&self) -> ProfileError {
        self.peek().map_or(Kind::End, Kind::Unexpected).at(self.at)
    }

    fn expect(&mut self, byte: u8) -> Result<(), ProfileError> {
        if self.peek() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        Err(self.unexpected())
    }

    fn value(&mut self, depth: usize) -> Result<Value, ProfileError> {
        match self.peek() {
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b'{') => Ok(Value::Object(self.object(depth)?)),
            Some(b'[') => Ok(Value::Array(self.array(depth)?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.unexpected()),
        }
    }

    fn open(&mut self, depth: usize) -> Result<(), ProfileError> {
        if depth > MAX_DEPTH {
            return Err(Kind::TooDeep.at(self.at));
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    /// Steps over what follows a member or an element; true where that was the last one.
    fn close(&mut self, bracket: u8) -> Result<bool, ProfileError> {
        self.space();
        let last = match self.peek() {
            Some(b',') => false,
            Some(byte) if byte == bracket => true,
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        if !last {
            self.space();
        }
        Ok(last)
    }

    fn object(&mut self, depth: usize) -> Result<Map<String, Value>, ProfileError> {
        self.open(depth)?;
        let mut members = Map::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(members);
        }
        loop {
            let start = self.at;
            let key = self.key()?;
            self.space();
            self.expect(b':')?;
            self.space();
            let value = self.value(depth + 1)?;
            if members.contains_key(&key) {
                return Err(Kind::DuplicateKey(key).at(start));
            }
            members.insert(key, value);
            if self.close(b'}')? {
                return Ok(members);
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Value>, ProfileError> {
        self.open(depth)?;
        let mut elements = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(elements);
        }
        loop {
            elements.push(self.value(depth + 1)?);
            if self.close(b']')? {
                return Ok(elements);
            }
        }
    }

    fn key(&mut self) -> Result<String, ProfileError> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.unexpected());
        }
        let key = self.string()?;
        if key.is_empty() || !key.bytes().all(is_key_byte) {
            return Err(Kind::Key(shown_key(&key)).at(start));
        }
        Ok(key)
    }

    fn string(&mut self) -> Result<String, ProfileError> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let from = self.at;
            while self.peek().is_some_and(|byte| !matches!(byte, b'"' | b'\\')) {
                self.at += 1;
            }
            // Quote and backslash are ASCII, so both ends are character boundaries.
            push_checked(&mut out, &self.text[from..self.at], from)?;
            match self.peek() {
                None => return Err(Kind::End.at(self.at)),
                Some(b'"') => break,
                Some(_) => out.push(self.escape()?),
            }
        }
        self.at += 1;
        Ok(out)
    }

    /// The character that the escape at the current place stands for.
    fn escape(&mut self) -> Result<char, ProfileError> {
        let start = self.at;
        self.at += 2;
        let c = match self.bytes.get(start + 1) {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(*byte),
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'u') => self.unicode(start)?,
            Some(_) => return Err(Kind::BadEscape.at(start)),
            None => return Err(Kind::End.at(self.bytes.len())),
        };
        if gate_model::text::is_refused(c) {
            return Err(Kind::Control(u32::from(c)).at(start));
        }
        Ok(c)
    }

    /// What `\uXXXX` or a pair of them stands for (RFC 8259 section 7).
    fn unicode(&mut self, start: usize) -> Result<char, ProfileError> {
        let first = self.four_digits()?;
        if let Some(c) = char::from_u32(first) {
            return Ok(c);
        }
        let lone = || Kind::LoneSurrogate.at(start);
        if first >= 0xdc00 || !self.bytes[self.at..].starts_with(b"\\u") {
            return Err(lone());
        }
        self.at += 2;
        let second = self.four_digits()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(lone());
        }
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or_else(lone)
    }

    fn four_digits(&mut self) -> Result<u32, ProfileError> {
        let mut value = 0;
        for _ in 0..4 {
            let Some(byte) = self.peek() else { return Err(Kind::End.at(self.at)) };
            let digit = char::from(byte).to_digit(16).ok_or_else(|| Kind::BadEscape.at(self.at))?;
            value = value * 16 + digit;
            self.at += 1;
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, ProfileError> {
        let (value, length) = integer(&self.bytes[self.at..]).map_err(|kind| kind.at(self.at))?;
        self.at += length;
        Ok(Value::from(value))
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, ProfileError> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(value);
        }
        Err(self.unexpected())
    }
}

/// Appends literal text of a string. JSON allows no literal control character below U+0020 within a string,
/// tab and newline included, so these must come as escapes.
fn push_checked(out: &mut String, text: &str, offset: usize) -> Result<(), ProfileError> {
    let refused = |c: char| gate_model::text::is_refused(c) || c == '\t' || c == '\n';
    if let Some((at, c)) = text.char_indices().find(|(_, c)| refused(*c)) {
        return Err(Kind::Control(u32::from(c)).at(offset + at));
    }
    out.push_str(text);
    Ok(())
}
