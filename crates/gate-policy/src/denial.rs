//! What a denial says: which rules were tried, and which conditions failed, in words and by their kinds.

use std::collections::BTreeSet;

/// A rule that was tried, and what would have satisfied it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// The rule's number; 0 where the reason lies with the gate and not with a rule.
    pub rule: u64,
    /// Each condition that failed.
    pub failed: Vec<Failed>,
}

impl Trial {
    /// The kinds of the conditions that failed, as a ledger has them: `rule 2: who, quota`. Sentences tell of numbers and
    /// places that change; whoever asks whether something was denied for the same reasons compares these.
    pub fn kinds(&self) -> String {
        let kinds: BTreeSet<&str> = self.failed.iter().map(|failed| failed.kind.as_str()).collect();
        format!("rule {}: {}", self.rule, kinds.into_iter().collect::<Vec<_>>().join(", "))
    }
}

/// A condition that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// Which one.
    pub kind: Kind,
    /// What would have satisfied it, as the rest of a sentence that begins "rule 2".
    pub why: String,
}

impl Failed {
    /// The condition `kind`, which failed for this reason.
    pub const fn new(kind: Kind, why: String) -> Self {
        Self { kind, why }
    }

    pub(crate) fn each(kind: Kind, reasons: Vec<String>) -> Vec<Self> {
        reasons.into_iter().map(|why| Self { kind, why }).collect()
    }
}

/// What a condition is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The gate has no rule for it.
    Gate,
    /// The signed document behind the request.
    Document,
    /// The rule's actions.
    Action,
    /// Whom the rule is for.
    Who,
    /// Whether a commit may ask.
    Trailer,
    /// How well the principal is known.
    Assurance,
    /// A rule for emergencies.
    BreakGlass,
    /// How long it lasts.
    Time,
    /// How often it is used.
    Uses,
    /// Renewals in a row.
    Renewals,
    /// What it would renew.
    Renewed,
    /// Why it is asked for.
    Reason,
    /// The ticket.
    Ticket,
    /// Facts that contradict each other.
    Conflict,
    /// The repository.
    Repository,
    /// The findings.
    Findings,
    /// Its scope.
    Scope,
    /// How the facts of the run are known.
    Facts,
    /// Places in the quota.
    Quota,
    /// A review that is owed.
    Review,
    /// Where it is used.
    Place,
    /// What the grant must have beside its request.
    Backing,
}

impl Kind {
    /// The word in the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Document => "document",
            Self::Action => "action",
            Self::Who => "who",
            Self::Trailer => "trailer",
            Self::Assurance => "assurance",
            Self::BreakGlass => "break-glass",
            Self::Time => "time",
            Self::Uses => "uses",
            Self::Renewals => "renewals",
            Self::Renewed => "renewed",
            Self::Reason => "reason",
            Self::Ticket => "ticket",
            Self::Conflict => "conflict",
            Self::Repository => "repository",
            Self::Findings => "findings",
            Self::Scope => "scope",
            Self::Facts => "facts",
            Self::Quota => "quota",
            Self::Review => "review",
            Self::Place => "place",
            Self::Backing => "backing",
        }
    }
}

impl std::fmt::Display for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let failed = self.failed.iter().map(|failed| failed.why.as_str()).collect::<Vec<_>>().join("; ");
        if self.rule == 0 { f.write_str(&failed) } else { write!(f, "rule {} {failed}", self.rule) }
    }
}
