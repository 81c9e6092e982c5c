//! The kinds of entries.

use std::fmt;

/// What an entry records. The ledger knows the names; what they carry is its users' business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The first entry, which holds the ledger's id. Nothing else is one.
    Genesis,
    /// A text of the policy that the ledger had not seen.
    Policy,
    /// One judgement of a gate.
    Decision,
    /// An opt-out that waits for approvals.
    Request,
    /// An approval of a request.
    Approval,
    /// An opt-out that is granted.
    Grant,
    /// An opt-out that is denied or rejected.
    Denial,
    /// The end of an opt-out before its time; a resume.
    Revocation,
    /// A reviewer's word on a break-glass grant.
    Review,
    /// Something taken over from another system.
    Import,
    /// A statement about entries that were moved to a segment.
    Archive,
    /// An event of somebody else's.
    Note,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::Genesis,
        Self::Policy,
        Self::Decision,
        Self::Request,
        Self::Approval,
        Self::Grant,
        Self::Denial,
        Self::Revocation,
        Self::Review,
        Self::Import,
        Self::Archive,
        Self::Note,
    ];

    /// The word in an entry's `kind`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Genesis => "genesis",
            Self::Policy => "policy",
            Self::Decision => "decision",
            Self::Request => "request",
            Self::Approval => "approval",
            Self::Grant => "grant",
            Self::Denial => "denial",
            Self::Revocation => "revocation",
            Self::Review => "review",
            Self::Import => "import",
            Self::Archive => "archive",
            Self::Note => "note",
        }
    }

    /// The kind that `word` names, if it names one.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
