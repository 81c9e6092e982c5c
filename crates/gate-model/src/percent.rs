//! Percent-encoding (RFC 3986, section 2.1), strictly.

/// The bytes that `%XX` and all other bytes of `text` stand for. `None` where `%` is not followed by two hexadecimal
/// digits.
///
/// ```
/// use gate_model::percent::decode;
/// assert_eq!(decode(b"a%2Cb"), Some(b"a,b".to_vec()));
/// assert_eq!((decode(b"100%"), decode(b"%+f"), decode(b"%g0")), (None, None, None));
/// ```
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(&byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || rest.next().and_then(|&b| char::from(b).to_digit(16));
            let (high, low) = (digit()?, digit()?);
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn percent_decoding_wants_two_digits() {
        assert_eq!(decode(b"a%2Cb").as_deref(), Some(&b"a,b"[..]));
        assert_eq!(decode(b"%"), None);
        assert_eq!(decode(b"%4"), None);
        assert_eq!(decode(b"%+1"), None);
    }
}
