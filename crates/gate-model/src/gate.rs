//! Names of gates.

use serde::{Deserialize, Serialize};

/// The verbs of the tools. A gate with such a name could not be told from the verb on a command line.
pub const RESERVED: &[&str] = &[
    "append",
    "approve",
    "archive",
    "checkpoint",
    "copy",
    "due",
    "export",
    "help",
    "import",
    "init",
    "list",
    "policy",
    "proof",
    "prove",
    "reject",
    "report",
    "resume",
    "review",
    "revoke",
    "show",
    "stats",
    "submit",
];

/// A gate's name: `[a-z0-9][a-z0-9_-]*`, at most 64 characters, and none of [`RESERVED`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GateName(String);

/// Why a word is not a gate's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GateNameError {
    /// A character that a gate name cannot have, or none at all.
    #[error("a gate name matches [a-z0-9][a-z0-9_-]* and has at most 64 characters")]
    Shape,
    /// A verb of one of the tools.
    #[error("'{0}' is a verb of the gate tools and cannot name a gate")]
    Reserved(String),
}

impl GateName {
    /// Checks `word` and makes it a name.
    ///
    /// # Errors
    /// [`GateNameError::Shape`] or [`GateNameError::Reserved`].
    pub fn parse(word: &str) -> Result<Self, GateNameError> {
        let mut bytes = word.bytes();
        let first = bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let rest = bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
        if !first || !rest || word.len() > 64 {
            return Err(GateNameError::Shape);
        }
        if RESERVED.contains(&word) {
            return Err(GateNameError::Reserved(word.to_owned()));
        }
        Ok(Self(word.to_owned()))
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for GateName {
    type Error = GateNameError;
    fn try_from(word: String) -> Result<Self, Self::Error> {
        Self::parse(&word)
    }
}

impl From<GateName> for String {
    fn from(name: GateName) -> Self {
        name.0
    }
}

impl std::fmt::Display for GateName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for GateName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{GateName, GateNameError};

    #[test]
    fn accepts_what_the_grammar_says() {
        for name in ["lint", "0", "a-b_c", "unit-tests2"] {
            assert_eq!(GateName::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn refuses_everything_else() {
        for name in ["", "-lint", "Lint", "a.b", "a/b", "a b", "ünit", &"x".repeat(65)] {
            assert_eq!(GateName::parse(name), Err(GateNameError::Shape), "{name:?}");
        }
        assert_eq!(GateName::parse("approve"), Err(GateNameError::Reserved("approve".into())));
    }
}
