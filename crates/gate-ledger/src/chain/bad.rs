//! What can be wrong with an entry.

use crate::commitment::Commitment;
use crate::entry::EntryHash;
use crate::profile::ProfileError;

/// Why an entry is bad.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Bad {
    /// Its bytes are not the canonical form of anything.
    #[error("the body is not canonical JSON of the ledger's profile: {0}")]
    Profile(#[from] ProfileError),
    /// It is an array, a string or a number.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// A member that every entry has is not there.
    #[error("the member '{0}' is missing")]
    Missing(&'static str),
    /// A member that no entry of this version has.
    #[error("the member '{0}' is not part of an entry of version 1")]
    Unknown(String),
    /// A member whose value has the wrong type or shape.
    #[error("the member '{member}' {defect}")]
    Member {
        /// The member.
        member: &'static str,
        /// What is wrong with it, as the end of a sentence.
        defect: &'static str,
    },
    /// A version that this build does not know.
    #[error("the version {0} is not known to this build, which reads version 1; use a newer gate-verify")]
    Version(String),
    /// A kind that does not exist.
    #[error("the kind '{0}' is not known to this build")]
    Kind(String),
    /// The time is not a time in the one form that is written.
    #[error("the member 'at' is not a time of the form 2026-11-22T16:30:35.123456Z")]
    Time,
    /// The body is longer than an entry can be.
    #[error("the body is longer than an entry may be")]
    TooLarge,
    /// The body is stored as something else than text.
    #[error("the body is stored as {0}, not as text")]
    NotText(&'static str),
    /// The hash that is stored beside the body has another length or form.
    #[error("the hash stored beside the body is not a hash")]
    HashForm,
    /// A line of an export without its hash.
    #[error("the line has no member 'hash'; export the ledger with its hashes")]
    HashMissing,
    /// The stored hash is not that of the body: one of the two was changed.
    #[error("the body hashes to {computed}, but {recorded} is recorded: body or hash was changed")]
    Hash {
        /// The hash of the bytes.
        computed: EntryHash,
        /// The hash that stands beside them.
        recorded: EntryHash,
    },
    /// The row's number is not the seq within its body.
    #[error("the row is numbered {row}, but its body says seq {seq}")]
    Row {
        /// The row's number.
        row: i64,
        /// The seq within the body.
        seq: u64,
    },
    /// One or more entries are not there.
    #[error("entry {expected} is missing; entry {found} follows entry {}", Before(*expected))]
    Gap {
        /// The seq that should have come.
        expected: u64,
        /// The seq that came.
        found: u64,
    },
    /// An entry that was there before, or should have been.
    #[error(
        "entry {found} stands where entry {expected} should: entries were inserted, repeated or re-ordered"
    )]
    Order {
        /// The seq that should have come.
        expected: u64,
        /// The seq that came.
        found: u64,
    },
    /// It does not name the entry before it.
    #[error(
        "its 'prev' is {found}, but the entry before it hashes to {expected}: one of the two was changed"
    )]
    Prev {
        /// The hash of the entry before it.
        expected: EntryHash,
        /// What it names.
        found: EntryHash,
    },
    /// It belongs to another ledger.
    #[error("it belongs to ledger {found}, not to {expected}")]
    Ledger {
        /// This ledger's id.
        expected: String,
        /// The id that it holds.
        found: String,
    },
    /// The first entry is no genesis, or another one claims to be.
    #[error("{0}")]
    Genesis(&'static str),
    /// What stands between or after the objects of a stream is no JSON object.
    #[error("line {line}: {defect}")]
    Stream {
        /// The line of the stream, from 1.
        line: u64,
        /// What is wrong with it.
        defect: String,
    },
    /// An object of a stream is not JSON of the profile.
    #[error("line {line}, byte {} of the object: {}", source.offset, source.kind)]
    Line {
        /// The line on which the object starts, from 1.
        line: u64,
        /// What is wrong with it.
        source: ProfileError,
    },
    /// The stream ends within an entry.
    #[error("line {line}: the stream ends within an entry; the export was cut off")]
    Truncated {
        /// The line on which the entry starts, from 1.
        line: u64,
    },
    /// The page that holds the row cannot be read.
    #[error("the row cannot be read: {0}")]
    Unreadable(String),
    /// A segment of an archive cannot be unpacked, or is not one.
    #[error("the segment is damaged: {0}")]
    Segment(String),
    /// The statement about moved entries does not account for what is missing, or does not fit the segments.
    #[error("the archive statement in entry {statement} does not fit: {defect}")]
    Archive {
        /// The entry that holds it.
        statement: u64,
        /// How it does not fit.
        defect: String,
    },
    /// An entry that was proven elsewhere is another one here.
    #[error("the entry hashes to {found}, but {expected} was proven here: history was rewritten")]
    Proven {
        /// What was proven.
        expected: EntryHash,
        /// What is here.
        found: EntryHash,
    },
    /// The ledger ends before a position that was proven elsewhere.
    #[error("the ledger ends before entry {0}, which was proven: its end was cut off")]
    CutOff(u64),
    /// An opening beside the chain was changed, or hides nothing that the entry beside it commits to.
    #[error("every entry is good, but the opening of commitment {0} {1}: the table of openings was edited")]
    Opening(Commitment, &'static str),
    /// An opening is longer than any text of an entry.
    #[error(
        "every entry is good, but the opening of commitment {0}, of entry {1}, is too long to be one: the table of openings was edited"
    )]
    OpeningTooLong(Commitment, u64),
    /// A row of the table of openings is none.
    #[error("every entry is good, but the table of openings holds a row that is none")]
    Private,
    /// SQLite finds its pages damaged where no entry shows it.
    #[error(
        "every entry is good, but the database's pages are damaged: {0}; export the ledger and make a new file of it"
    )]
    Structure(String),
    /// An index of the database and the bodies do not agree.
    #[error(
        "the index '{index}' is out of step with the bodies: {defect}; REINDEX mends it once the cause is known"
    )]
    Index {
        /// The index.
        index: &'static str,
        /// How they differ.
        defect: &'static str,
    },
}

/// Writes the entry before a position.
struct Before(u64);

impl std::fmt::Display for Before {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.checked_sub(1) {
            Some(seq) => write!(f, "{seq}"),
            None => f.write_str("nothing"),
        }
    }
}

impl Bad {
    pub(crate) const fn member(member: &'static str, defect: &'static str) -> Self {
        Self::Member { member, defect }
    }

    /// A short name in kebab-case for verification reports.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Profile(error) => error.kind.code(),
            Self::NotAnObject => "not-an-object",
            Self::Missing(_) => "missing-member",
            Self::Unknown(_) => "unknown-member",
            Self::Member { .. } => "member",
            Self::Version(_) => "version",
            Self::Kind(_) => "kind",
            Self::Time => "time",
            Self::TooLarge => "too-large",
            Self::NotText(_) => "not-text",
            Self::HashForm => "hash-form",
            Self::HashMissing => "hash-missing",
            Self::Hash { .. } => "hash",
            Self::Row { .. } => "row",
            Self::Gap { .. } => "gap",
            Self::Order { .. } => "order",
            Self::Prev { .. } => "prev",
            Self::Ledger { .. } => "ledger",
            Self::Genesis(_) => "genesis",
            Self::Stream { .. } => "stream",
            Self::Line { source, .. } => source.kind.code(),
            Self::Truncated { .. } => "truncated",
            Self::Unreadable(_) => "unreadable",
            Self::Segment(_) => "segment",
            Self::Archive { .. } => "archive",
            Self::Proven { .. } => "proven",
            Self::CutOff(_) => "cut-off",
            Self::Opening(..) | Self::OpeningTooLong(..) | Self::Private => "opening",
            Self::Structure(_) => "structure",
            Self::Index { .. } => "index",
        }
    }
}
