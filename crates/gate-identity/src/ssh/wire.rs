//! The SSH wire encoding (RFC 4251 section 5), read strictly.
//!
//! Invariants: nothing is read past the end, every length is checked against what is there, nothing is
//! allocated by a length that a peer claims, and [`Wire::finish`] refuses bytes that nobody read.

/// Why bytes are not the value that was expected at this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes end within a value.
    #[error("it is cut short in its {0}")]
    Short(&'static str),
    /// Bytes follow the last value.
    #[error("{0} bytes follow its end")]
    Trailing(usize),
    /// Text that is not UTF-8.
    #[error("its {0} is not UTF-8 text")]
    Text(&'static str),
    /// An integer that is negative or not written in its shortest form.
    #[error("its {0} is not a positive integer in shortest form")]
    Integer(&'static str),
}

/// A cursor over bytes in wire encoding. Each reader names the field, for the error.
#[derive(Debug, Clone)]
pub struct Wire<'a> {
    rest: &'a [u8],
}

impl<'a> Wire<'a> {
    /// A cursor at the start of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Exactly `count` bytes.
    ///
    /// # Errors
    /// A [`WireError`] that names the field.
    pub fn bytes(&mut self, count: usize, field: &'static str) -> Result<&'a [u8], WireError> {
        let (head, tail) = self.rest.split_at_checked(count).ok_or(WireError::Short(field))?;
        self.rest = tail;
        Ok(head)
    }

    /// A `uint32`.
    ///
    /// # Errors
    /// A [`WireError`] that names the field.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, WireError> {
        let (head, tail) = self.rest.split_first_chunk().ok_or(WireError::Short(field))?;
        self.rest = tail;
        Ok(u32::from_be_bytes(*head))
    }

    /// A `uint64`.
    ///
    /// # Errors
    /// A [`WireError`] that names the field.
    pub fn u64(&mut self, field: &'static str) -> Result<u64, WireError> {
        let (head, tail) = self.rest.split_first_chunk().ok_or(WireError::Short(field))?;
        self.rest = tail;
        Ok(u64::from_be_bytes(*head))
    }

    /// A `string`: a length and that many bytes.
    ///
    /// # Errors
    /// A [`WireError`] that names the field.
    pub fn string(&mut self, field: &'static str) -> Result<&'a [u8], WireError> {
        let length = self.u32(field)?;
        self.bytes(usize::try_from(length).map_err(|_| WireError::Short(field))?, field)
    }

    /// A `string` of UTF-8 text.
    ///
    /// # Errors
    /// A [`WireError`] that names the field.
    pub fn text(&mut self, field: &'static str) -> Result<&'a str, WireError> {
        std::str::from_utf8(self.string(field)?).map_err(|_| WireError::Text(field))
    }

    /// A positive `mpint`, without the zero byte that may stand before its first digit.
    ///
    /// # Errors
    /// A [`WireError`] that names the field.
    pub fn integer(&mut self, field: &'static str) -> Result<&'a [u8], WireError> {
        match self.string(field)? {
            [0, digits @ ..] if digits.first().is_some_and(|first| *first >= 0x80) => Ok(digits),
            digits @ [1..=0x7f, ..] => Ok(digits),
            _ => Err(WireError::Integer(field)),
        }
    }

    /// Whether everything was read.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes are left.
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`WireError::Trailing`] where something was not read.
    pub const fn finish(self) -> Result<(), WireError> {
        if self.rest.is_empty() { Ok(()) } else { Err(WireError::Trailing(self.rest.len())) }
    }
}

/// Appends a `string` to `out`. A value of 4 GiB or more does not occur: every input here is bounded.
pub fn put_string(out: &mut Vec<u8>, value: &[u8]) {
    let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::{Wire, WireError, put_string};

    #[test]
    fn a_length_beyond_the_end_is_refused() {
        let mut wire = Wire::new(&[0xff, 0xff, 0xff, 0xff, 1]);
        assert_eq!(wire.string("key"), Err(WireError::Short("key")));
        assert_eq!(Wire::new(&[0, 0]).u32("version"), Err(WireError::Short("version")));
    }

    #[test]
    fn integers_in_a_longer_form_or_negative_are_refused() {
        let integer = |digits: &[u8]| {
            let mut bytes = Vec::new();
            put_string(&mut bytes, digits);
            Wire::new(&bytes).integer("r").map(<[u8]>::to_vec)
        };
        assert_eq!(integer(&[0, 0x80]), Ok(vec![0x80]));
        assert_eq!(integer(&[5]), Ok(vec![5]));
        for wrong in [&[][..], &[0], &[0, 5], &[0x80], &[0, 0, 0x80]] {
            assert_eq!(integer(wrong), Err(WireError::Integer("r")), "{wrong:?}");
        }
    }

    #[test]
    fn unread_bytes_are_refused() {
        let mut wire = Wire::new(&[1, 2, 3]);
        assert_eq!(wire.bytes(1, "flags"), Ok(&[1][..]));
        assert_eq!(wire.finish(), Err(WireError::Trailing(2)));
    }
}
