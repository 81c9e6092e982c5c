//! The opening of a commitment, as it travels: a line of `gate-log export --openings`, or beside a signed request.

use serde::{Deserialize, Serialize};

/// What a commitment in an entry hides; `gate-ledger(5)` gives the arithmetic.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenOpening {
    /// The commitment, `b3:…`.
    pub commitment: String,
    /// The kind of text: `reason` or `name`.
    pub field: String,
    /// The salt, 64 hexadecimal digits.
    pub salt: String,
    /// The text.
    pub value: String,
}

/// Shows only what the chain shows anyway, so that no message can give away what was to be erasable.
impl std::fmt::Debug for WrittenOpening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WrittenOpening").field("commitment", &self.commitment).finish_non_exhaustive()
    }
}
