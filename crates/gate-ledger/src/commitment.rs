//! Personal text that can be erased: an entry holds a commitment to it, and the text lies beside the chain.
//!
//! # The format
//!
//! A member that is committed to is stored as `<member>_c`, a string: `b3:` and 64 hexadecimal digits of BLAKE3
//! in key-derivation mode with the context `gate v1 commitment` over the canonical form of an array of three
//! strings,
//!
//! ```text
//! [field,salt,value]
//! ```
//!
//! where `field` is `reason` or `name`, `salt` is 256 random bits as 64 lower-case hexadecimal digits, and `value`
//! is the text. An object holds `<member>` or `<member>_c`, never both. The salt is as secret as the text: without
//! it nobody can find the text by trying likely ones. Both are erased together.
//!
//! An *opening* is field, salt and value. Whoever has one can check it against the commitment, and nobody can make
//! a second one that fits.
//!
//! # A worked example
//!
//! ```
//! use gate_ledger::commitment::{Field, Opening};
//!
//! let salt: [u8; 32] = std::array::from_fn(|byte| byte as u8);
//! let opening = Opening { field: Field::Reason, salt, value: "flaky on arm64, fix is in review".to_owned() };
//! let written = "b3:f72e2388d280d529b1bd01270d659fdb88d50f48fb432e30f7e25654b3c91e64";
//! assert_eq!(opening.commitment().unwrap().to_string(), written);
//! ```
//!
//! Purpose: the arithmetic, and drawing a salt; nothing is stored here. Where commitments stand in an entry is told
//! by [`crate::redaction`].

use std::fmt;
use std::str::FromStr;

use gate_model::digest;
pub use gate_model::opening::WrittenOpening;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::profile::{self, ProfileError};

/// What kind of text is committed to. It is part of what is hashed, so that a reason never passes for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// A reason that a person gave.
    Reason,
    /// The id of a principal, or the name of an author.
    Name,
}

impl Field {
    /// The word that is hashed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reason => "reason",
            Self::Name => "name",
        }
    }

    /// The field that `word` names.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Reason, Self::Name].into_iter().find(|field| field.as_str() == word)
    }
}

/// A commitment, as it stands in an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Commitment(pub [u8; 32]);

impl fmt::Display for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&digest::written(&self.0))
    }
}

/// A text that is not the writing of a commitment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a commitment; it is written b3: and 64 digits of 0-9 and a-f")]
pub struct NotACommitment(String);

impl FromStr for Commitment {
    type Err = NotACommitment;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        digest::read(text).map(Self).ok_or_else(|| NotACommitment(gate_model::text::visible(text)))
    }
}

/// What a commitment hides.
#[derive(Clone, PartialEq, Eq)]
pub struct Opening {
    /// What kind of text it is.
    pub field: Field,
    /// 256 random bits.
    pub salt: [u8; 32],
    /// The text.
    pub value: String,
}

/// Shows neither salt nor text, so that no message or log can give away what was to be erasable.
impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").field("field", &self.field).finish_non_exhaustive()
    }
}

impl Opening {
    /// A new opening for `value`, with a salt that nobody can guess.
    ///
    /// # Errors
    /// Where the system gives no random bytes.
    pub fn draw(field: Field, value: &str) -> Result<Self, getrandom::Error> {
        let mut salt = [0; 32];
        getrandom::fill(&mut salt)?;
        Ok(Self { field, salt, value: value.to_owned() })
    }

    /// The commitment to it.
    ///
    /// # Errors
    /// Where the text is outside the ledger's profile.
    pub fn commitment(&self) -> Result<Commitment, ProfileError> {
        let bytes = profile::canonical(&json!([self.field.as_str(), self.salt_digits(), self.value]))?;
        Ok(Commitment(blake3::derive_key(digest::COMMITMENT, bytes.as_bytes())))
    }

    /// The salt as it is hashed and written.
    pub fn salt_digits(&self) -> String {
        blake3::Hash::from_bytes(self.salt).to_hex().to_string()
    }

    /// Whether it is the opening of `commitment`.
    pub fn opens(&self, commitment: Commitment) -> bool {
        self.commitment() == Ok(commitment)
    }
}

/// A written opening that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpeningError {
    /// It names no commitment.
    #[error(transparent)]
    Commitment(#[from] NotACommitment),
    /// Its salt is not one.
    #[error("the salt of the opening of {0} is not 64 digits of 0-9 and a-f")]
    Salt(Commitment),
    /// It opens something else.
    #[error("the opening does not match its commitment {0}: field, salt or value was changed")]
    Mismatch(Commitment),
}

impl From<&Opening> for WrittenOpening {
    fn from(opening: &Opening) -> Self {
        // A text outside the profile has no commitment, and an empty one is refused by whoever reads it.
        let commitment = opening.commitment().map(|commitment| commitment.to_string()).unwrap_or_default();
        let (field, salt) = (opening.field.as_str().to_owned(), opening.salt_digits());
        Self { commitment, field, salt, value: opening.value.clone() }
    }
}

impl Opening {
    /// A written opening, checked against the commitment that it names.
    ///
    /// # Errors
    /// An [`OpeningError`].
    pub fn check(written: &WrittenOpening) -> Result<(Commitment, Self), OpeningError> {
        let commitment: Commitment = written.commitment.parse()?;
        let salt = digest::read(&format!("b3:{}", written.salt)).ok_or(OpeningError::Salt(commitment))?;
        let field = Field::parse(&written.field).ok_or(OpeningError::Mismatch(commitment))?;
        let opening = Self { field, salt, value: written.value.clone() };
        if opening.opens(commitment) {
            Ok((commitment, opening))
        } else {
            Err(OpeningError::Mismatch(commitment))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Commitment, Field, Opening, OpeningError, WrittenOpening};

    fn opening(field: Field, value: &str) -> Opening {
        Opening { field, salt: [7; 32], value: value.to_owned() }
    }

    #[test]
    fn field_salt_and_value_are_all_bound() {
        let commitment = opening(Field::Reason, "x").commitment().unwrap();
        assert!(opening(Field::Reason, "x").opens(commitment));
        assert!(!opening(Field::Name, "x").opens(commitment));
        assert!(!opening(Field::Reason, "y").opens(commitment));
        assert!(!Opening { salt: [8; 32], ..opening(Field::Reason, "x") }.opens(commitment));
    }

    #[test]
    fn a_text_outside_the_profile_has_no_commitment() {
        assert!(opening(Field::Reason, "\u{1b}[0m").commitment().is_err());
        assert!(!opening(Field::Reason, "\u{1b}[0m").opens(Commitment([0; 32])));
    }

    #[test]
    fn a_changed_opening_is_refused_and_a_good_one_travels() {
        let good = opening(Field::Name, "alice@example.com");
        let written = WrittenOpening::from(&good);
        let json = serde_json::to_string(&written).unwrap();
        let (commitment, read) = Opening::check(&serde_json::from_str(&json).unwrap()).unwrap();
        assert_eq!((commitment, read), (good.commitment().unwrap(), good));
        let changed = WrittenOpening { value: "bob@example.com".into(), ..written.clone() };
        assert_eq!(Opening::check(&changed), Err(OpeningError::Mismatch(commitment)));
        let salt = WrittenOpening { salt: "0G".into(), ..written.clone() };
        assert_eq!(Opening::check(&salt), Err(OpeningError::Salt(commitment)));
        let none = WrittenOpening { commitment: "b3:00".into(), ..written };
        assert!(matches!(Opening::check(&none), Err(OpeningError::Commitment(_))));
    }

    #[test]
    fn what_is_to_be_erasable_is_not_shown_by_debug() {
        let secret = opening(Field::Reason, "the secret");
        let shown = format!("{secret:?} {:?}", WrittenOpening::from(&secret));
        assert!(!shown.contains("secret") && !shown.contains("0707"), "{shown}");
    }
}
