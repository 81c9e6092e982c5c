//! One way past a gate: a rule, its conditions, and what they are made of.
//!
//! Like the rest of a policy these are effective values; the crate's documentation has each key with its default.

use std::ops::Range;

use gate_model::action::Action;
use gate_model::finding::WaiverTerms;
use gate_model::level::Level;
use gate_model::principal::Assurance;

use crate::pattern::{Pattern, RefGlob};
use crate::policy::Who;

/// What a skip or an override may be bound to instead of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScopeKind {
    /// One repository, whatever is built in it.
    Repository,
    /// One commit.
    Commit,
    /// A ref, or a glob over refs.
    Ref,
    /// One pull request, merge request or change.
    Change,
    /// A deployment environment.
    Environment,
    /// One pipeline run.
    Run,
}

impl ScopeKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Repository, Self::Commit, Self::Ref, Self::Change, Self::Environment, Self::Run];

    /// The word used in the policy, and as the option's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Repository => "repository",
            Self::Commit => "commit",
            Self::Ref => "ref",
            Self::Change => "change",
            Self::Environment => "environment",
            Self::Run => "run",
        }
    }

    /// The kind that `word` names, if it names one.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// `[[gates.NAME.allow]]`: one way past a gate. Every condition must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its place among the gate's rules, from 1.
    pub number: u64,
    /// What it allows.
    pub actions: Vec<Action>,
    /// To whom.
    pub who: Vec<Who>,
    /// How well the requester must be known, at least.
    pub assurance: Assurance,
    /// The longest an opt-out may last, in seconds.
    pub max_ttl: u64,
    /// The fewest characters that a reason may have.
    pub min_reason: u64,
    /// What the ticket must match; nothing: no ticket is needed.
    pub ticket: Option<Pattern>,
    /// The environments to which it is confined. Empty: it is not.
    pub environments: Vec<String>,
    /// The refs to which it is confined. Empty: it is not.
    pub refs: Vec<RefGlob>,
    /// What a skip or an override may be bound to.
    pub scopes: Vec<ScopeKind>,
    /// The highest level that a waiver may name.
    pub max_level: Option<Level>,
    /// The most decisions that may use one opt-out.
    pub max_uses: Option<u64>,
    /// How many times in a row one opt-out may be renewed; nothing: not at all.
    pub max_renewals: Option<u64>,
    /// Who must approve.
    pub approvals: Option<Approvals>,
    /// How many it grants over a window.
    pub quota: Option<Quota>,
    /// Whether it is for emergencies: grants at once, and owes a review.
    pub break_glass: bool,
    /// Within how many seconds the review must follow.
    pub review_within: Option<u64>,
    /// Who may review; see [`crate::may_review`].
    pub reviewers: Vec<Who>,
    /// What ends a waiver before its time.
    pub lapse_when: Vec<Lapse>,
    /// Whether its waivers follow findings into another file where theirs is gone.
    pub follow_moves: bool,
    /// Whether it grants what the trailer of a signed commit asks for.
    pub trailers: bool,
    /// How well environment, ref and repository must be known, at least.
    pub facts: Option<Assurance>,
    /// Why a rule that reaches everything is accepted.
    pub i_accept: Option<String>,
    pub(crate) span: Range<usize>,
}

impl Rule {
    /// Whether the rule grants without another person.
    pub const fn grants_at_once(&self) -> bool {
        self.approvals.is_none()
    }

    /// What it says of its waivers beyond what their evidence names.
    pub fn waiver_terms(&self) -> WaiverTerms {
        WaiverTerms {
            follow_moves: self.follow_moves,
            until_fixed: self.lapse_when.contains(&Lapse::FixAvailable),
            until_raised: self.lapse_when.contains(&Lapse::SeverityRaised),
        }
    }
}

/// `approvals`: other people who must agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approvals {
    /// How many, from 1.
    pub count: u64,
    /// From whom; never `*`.
    pub from: Vec<Who>,
    /// How well an approver must be known, at least.
    pub assurance: Assurance,
    /// Whether the commit's author does not count.
    pub exclude_author: bool,
    /// After how many seconds a pending request lapses.
    pub within: u64,
}

/// `quota`: at most `max` grants within any `per` seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// How many, from 1.
    pub max: u64,
    /// The window's length in seconds.
    pub per: u64,
    /// Whose grants are counted together.
    pub by: QuotaBy,
}

/// Whose grants a quota counts together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum QuotaBy {
    /// Everybody's.
    #[default]
    Gate,
    /// One person's, whatever names they use.
    Principal,
    /// Those of everybody who is in a group of the rule's `who` with the requester.
    Group,
}

impl QuotaBy {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Gate, Self::Principal, Self::Group];

    /// The word used in the policy.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Principal => "principal",
            Self::Group => "group",
        }
    }
}

/// What ends a waiver before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lapse {
    /// The finding's level or security severity rose. For every waiver a higher one than it names is never covered; with
    /// this, neither is one where it names none.
    SeverityRaised,
    /// The report knows of a fix.
    FixAvailable,
}

impl Lapse {
    /// Every condition.
    pub const ALL: [Self; 2] = [Self::SeverityRaised, Self::FixAvailable];

    /// The word used in the policy.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SeverityRaised => "severity-raised",
            Self::FixAvailable => "fix-available",
        }
    }
}
