//! The hash of an entry.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use blake3::hazmat::{ContextKey, HasherExt, hash_derive_key_context};
use serde::{Deserialize, Serialize};

/// The context string of BLAKE3's key-derivation mode for entries of version 1.
pub const CONTEXT: &str = "gate-ledger v1 entry";

/// The hash of an entry's body; written `b3:` and 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EntryHash(pub [u8; 32]);

/// A text that is not the writing of an entry hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an entry hash; it is written b3: and 64 digits of 0-9 and a-f")]
pub struct HashError(String);

impl EntryHash {
    /// The `prev` of the first entry: 32 zero bytes.
    pub const ZERO: Self = Self([0; 32]);

    /// Reads 64 lower-case hexadecimal digits behind `b3:`, as they stand in a body.
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        let digits: &[u8; 64] = text.strip_prefix(b"b3:")?.try_into().ok()?;
        // No branch for each digit: two hashes are read for every entry that is verified.
        let mut bytes = [0; 32];
        let mut seen = 0;
        for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
            let (high, low) = (DIGITS[usize::from(pair[0])], DIGITS[usize::from(pair[1])]);
            seen |= high | low;
            *byte = high << 4 | low;
        }
        (seen < 16).then_some(Self(bytes))
    }
}

/// The value of each lower-case hexadecimal digit; 255 for every other byte.
const DIGITS: [u8; 256] = {
    let mut values = [255; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value as usize] as usize] = value;
        value += 1;
    }
    values
};

impl fmt::Display for EntryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("b3:")?;
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl FromStr for EntryHash {
    type Err = HashError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::read(text.as_bytes()).ok_or_else(|| HashError(gate_model::text::visible(text)))
    }
}

impl TryFrom<String> for EntryHash {
    type Error = HashError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<EntryHash> for String {
    fn from(hash: EntryHash) -> Self {
        hash.to_string()
    }
}

/// The hash of `body`: BLAKE3 in key-derivation mode with [`CONTEXT`] over exactly these bytes.
pub fn hash(body: &[u8]) -> EntryHash {
    // Hashing the context string costs as much as hashing 64 bytes of body, so it is done once.
    static KEY: OnceLock<ContextKey> = OnceLock::new();
    let key = KEY.get_or_init(|| hash_derive_key_context(CONTEXT));
    let mut hasher = blake3::Hasher::new_from_context_key(key);
    hasher.update(body);
    EntryHash(*hasher.finalize().as_bytes())
}
