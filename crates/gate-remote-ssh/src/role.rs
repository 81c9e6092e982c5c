//! What a key may do.

/// The roles, each of which may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Read lines and openings.
    Reader,
    /// Append, too.
    Writer,
    /// Make a ledger, drop what was archived, erase texts, too.
    Keeper,
}

impl Role {
    const ALL: [Self; 3] = [Self::Reader, Self::Writer, Self::Keeper];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Writer => "writer",
            Self::Keeper => "keeper",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}
