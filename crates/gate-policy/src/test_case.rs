//! `[[test]]`: the policy's own examples, which `gate-verify policy` runs.

use gate_model::action::Action;
use gate_model::level::Level;
use gate_model::principal::Assurance;

use crate::rule::ScopeKind;

/// How a test's request shall end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// A rule grants it at once.
    Granted,
    /// A rule would grant it after approvals.
    Pending,
    /// No rule allows it.
    Denied,
}

impl Expect {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Granted, Self::Pending, Self::Denied];

    /// The word used in the policy.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Pending => "pending",
            Self::Denied => "denied",
        }
    }
}

impl std::fmt::Display for Expect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One `[[test]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestCase {
    /// What it shows.
    pub name: String,
    /// What is asked.
    pub request: TestRequest,
    /// How it shall end.
    pub expect: Expect,
    /// Its line in the policy, from 1.
    pub line: usize,
}

/// The `request` of a `[[test]]`; see the crate's documentation for the defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestRequest {
    /// The gate.
    pub gate: String,
    /// The action.
    pub action: Action,
    /// The requester's id.
    pub by: String,
    /// How the requester is known.
    pub assurance: Assurance,
    /// The environment of the run.
    pub environment: Option<String>,
    /// The number of the change that the run is for.
    pub change: Option<String>,
    /// The full ref of the run.
    pub git_ref: Option<String>,
    /// The commit of the run.
    pub commit: String,
    /// The run's id.
    pub run: Option<String>,
    /// The repository of the run.
    pub repository: String,
    /// What the request binds itself to.
    pub scope: Option<ScopeKind>,
    /// How the facts of the run are known.
    pub facts: Option<Assurance>,
    /// The level of a waiver's finding; nothing: the gate's `fail_on`.
    pub level: Option<Level>,
    /// The time asked for, in seconds; 0: what the rule allows.
    pub ttl: u64,
    /// The ticket.
    pub ticket: Option<String>,
    /// The reason; nothing: one that is long enough.
    pub reason: Option<String>,
    /// The number of uses asked for.
    pub max_uses: Option<u64>,
    /// Whether it invokes break-glass.
    pub break_glass: bool,
    /// How many grants count against a quota already.
    pub used: u64,
    /// Whether a review by the requester's earlier break-glass is overdue.
    pub overdue_review: bool,
}

/// How a test came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestResult {
    /// The test's name.
    pub name: String,
    /// Whether it ended as it should.
    pub passed: bool,
    /// How it should end.
    pub expected: Expect,
    /// How it ended, with the rules that were tried.
    pub got: String,
    /// The test's line in the policy, from 1.
    pub line: usize,
}
