//! Several bytes at a time in one register ("SIMD within a register"), for the check of the canonical form.
//!
//! These are the two loops in which a verification spends its time: over the bytes of a string, and over the
//! bytes of a key. They decide nothing that the plain rules in [`super`] do not say, and the tests compare
//! them with a parser that goes byte by byte.

/// A key, and a number that stands for it.
#[derive(Clone, Copy)]
pub(crate) struct Key<'a> {
    /// The key as it is written, without quotes.
    pub(crate) bytes: &'a [u8],
    /// [`word`] of it; keys longer than 16 bytes share the value 0.
    pub(crate) word: u128,
}

impl Key<'_> {
    /// Whether this key sorts after `last`, which may be the empty key that does not exist.
    pub(super) fn follows(self, last: Key<'_>) -> bool {
        let short = self.word > 0 && (last.word > 0 || last.bytes.is_empty());
        if short { self.word > last.word } else { self.bytes > last.bytes }
    }
}

/// At most 16 bytes as one number, which sorts as the bytes do and is compared at once. 0 for more bytes, which
/// is the number of no key.
pub(crate) const fn word(bytes: &[u8]) -> u128 {
    if bytes.len() > 16 {
        return 0;
    }
    let (mut word, mut at) = (0, 0);
    while at < bytes.len() {
        word |= (bytes[at] as u128) << (120 - 8 * at);
        at += 1;
    }
    word
}

/// Bytes of a string that need no closer look, as far as they are certain to be: eight are looked at together,
/// and one below 0x20 or from 0x7f on, a quote or a backslash ends the run. The sums are those of "Bit
/// Twiddling Hacks", sections "Determine if a word has a zero byte" and "… a byte less than n". A borrow can
/// raise a false flag only above a true one, so the lowest flag is exact.
pub(super) fn plain_run(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const FLAGS: u64 = ONES * 0x80;
    let mut run = 0;
    while let Some(eight) = bytes.get(run..).and_then(|rest| rest.first_chunk()) {
        let eight = u64::from_le_bytes(*eight);
        let zero = |word: u64| word.wrapping_sub(ONES);
        let special = eight.wrapping_sub(ONES * 0x20)
            | zero(eight ^ (ONES * u64::from(b'"')))
            | zero(eight ^ (ONES * u64::from(b'\\')))
            | eight.wrapping_add(ONES)
            | eight;
        if special & FLAGS != 0 {
            return run + (special & FLAGS).trailing_zeros() as usize / 8;
        }
        run += 8;
    }
    // The last bytes of a document come here, one by one.
    let rest = bytes.get(run..).unwrap_or_default();
    run + rest.iter().take_while(|byte| matches!(byte, 0x20..0x7f) && !matches!(byte, b'"' | b'\\')).count()
}

/// The length of the key that `ahead` starts with, if a quote ends it within these bytes and all of it is made
/// of `[a-z0-9_]`. All eight bytes are looked at together: a loop with its unforeseeable end takes twice as
/// long, and keys are a third of what an entry is made of.
pub(super) const fn short_key(ahead: [u8; 8]) -> Option<u32> {
    const ONES: u64 = u64::MAX / 255;
    const FLAGS: u64 = ONES * 0x80;
    let bytes = u64::from_le_bytes(ahead);
    let quotes = (bytes ^ (ONES * b'"' as u64)).wrapping_sub(ONES) & !bytes & FLAGS;
    if quotes == 0 {
        return None;
    }
    let length = quotes.trailing_zeros() / 8;
    // Bytes from 0x80 on are made smaller here, so that no sum carries into the next byte, and dropped below.
    let ascii = bytes & !FLAGS;
    let letters = (ascii + ONES * (0x80 - b'a' as u64)) & !(ascii + ONES * (0x7f - b'z' as u64));
    let digits = (ascii + ONES * (0x80 - b'0' as u64)) & !(ascii + ONES * (0x7f - b'9' as u64));
    let underscores = (ascii + ONES * (0x80 - b'_' as u64)) & !(ascii + ONES * (0x7f - b'_' as u64));
    let good = (letters | digits | underscores) & !bytes & FLAGS;
    let wanted = FLAGS & ((1 << (8 * length)) - 1);
    if length > 0 && good & wanted == wanted { Some(length) } else { None }
}
