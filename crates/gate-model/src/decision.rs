//! The decision document, `gate.decision/1`, which `gate-check` prints and records.

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::context::Context;
use crate::finding::Finding;
use crate::time::Timestamp;

/// The value of `schema`.
pub const SCHEMA: &str = "gate.decision/1";

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The gate passed by itself, or all blocking findings are waived.
    Pass,
    /// The gate blocks.
    Fail,
    /// A skip let the pipeline past; nothing was run.
    Skip,
    /// The gate failed and an override lets the pipeline proceed.
    Override,
    /// The gate is paused.
    Hold,
    /// A plan: the command would run, and its result would count.
    Run,
}

impl Verdict {
    /// The word used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Skip => "skip",
            Self::Override => "override",
            Self::Hold => "hold",
            Self::Run => "run",
        }
    }

    /// Whether the pipeline proceeds; `None` where only a run would tell.
    pub const fn proceeds(self) -> Option<bool> {
        match self {
            Self::Pass | Self::Skip | Self::Override => Some(true),
            Self::Fail | Self::Hold => Some(false),
            Self::Run => None,
        }
    }
}

/// A decision of `gate-check`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// What was decided.
    pub decision: Verdict,
    /// Whether the pipeline proceeds; left out for `run`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proceed: Option<bool>,
    /// Until when the gate is observed: it stops nobody by what it came to, so that `fail` may proceed. Left out of a
    /// gate that enforces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_until: Option<Timestamp>,
    /// The gate's name.
    pub gate: String,
    /// The findings that block.
    pub blocking: Vec<Finding>,
    /// The findings that a waiver covers, each with the grant's ID.
    pub waived: Vec<Waived>,
    /// Findings below the gate's `fail_on`.
    pub below_threshold: u64,
    /// Those of them that say that nothing is wrong; left out where there are none.
    #[serde(default, skip_serializing_if = "crate::finding::is_zero")]
    pub passed: u64,
    /// Findings that the report itself marks as suppressed.
    pub suppressed: u64,
    /// Results of an earlier run that this run did not find.
    pub absent: u64,
    /// The opt-outs that were used.
    pub grants: Vec<OptOut>,
    /// The opt-outs that would have counted, where nothing could be recorded: they were not used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub would_use: Vec<OptOut>,
    /// Live opt-outs of this scope that were not needed, or that matched nothing.
    pub unneeded: Vec<OptOut>,
    /// Live opt-outs of this gate that end within the warning time.
    pub ending: Vec<OptOut>,
    /// Why, as sentences.
    pub reasons: Vec<String>,
    /// What the tools of the report say about themselves: their own errors and warnings. They stand in `reasons`, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
    /// Commands that would ask for a way past, narrowest first.
    pub suggest: Vec<Suggestion>,
    /// The one command that would ask for a way past everything that blocks, where `suggest` holds several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggest_all: Option<Suggestion>,
    /// The policy that judged.
    pub policy: PolicyUsed,
    /// The digest of the report's bytes, or that of the digests of several reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// Where several reports were judged together: each of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<ReportPart>,
    /// The command's exit status, as the shell would see it (128+n for a signal).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u8>,
    /// Where and on what it ran.
    pub context: Context,
    /// When it was judged.
    pub at: Timestamp,
    /// The version of the judging rules.
    pub judge: u32,
    /// The seq of the ledger entry, or null where nothing was recorded.
    pub recorded: Option<u64>,
    /// Whether it waits beside the working copy of a remote ledger, to be recorded there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waiting: bool,
    /// How many times somebody else wrote to the remote ledger first, so that it was judged again.
    #[serde(default, skip_serializing_if = "is_never")]
    pub lost: u32,
    /// By how many seconds the ledger's newest entry is ahead of this machine's clock, where that is notable: opt-outs
    /// end so much earlier here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_ahead: Option<i64>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes what it asks about by reference")]
const fn is_never(times: &u32) -> bool {
    *times == 0
}

/// One of several reports that were judged together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportPart {
    /// Its path, as it was given or found.
    pub name: String,
    /// The digest of its bytes.
    pub digest: String,
}

/// What joins an opt-out and why it gave nothing, in a reason.
pub const DID_NOT_COUNT: &str = " did not count: ";

impl Decision {
    /// The reasons that say why an opt-out which somebody was given gave nothing here.
    pub fn uncounted(&self) -> impl Iterator<Item = &str> {
        self.reasons.iter().map(String::as_str).filter(|reason| reason.contains(DID_NOT_COUNT))
    }

    /// Until when the gate is observed, where it would block but for that.
    pub fn only_observed(&self) -> Option<Timestamp> {
        self.observed_until.filter(|_| self.decision == Verdict::Fail && self.proceed == Some(true))
    }
}

/// A waived finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waived {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// The ID of the grant that covers it.
    pub grant: u64,
    /// The file that it was accepted in, where it has moved from there and its waiver follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
}

/// An opt-out as a decision mentions it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptOut {
    /// The opt-out's ID.
    pub id: u64,
    /// What it does.
    pub action: Action,
    /// Who asked for it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it ends.
    pub expires: Timestamp,
    /// Why it is mentioned, where that is not plain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A command that would ask for a way past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// What it would do, in words.
    pub purpose: String,
    /// The command quoted for a POSIX shell; ready to paste once the reason is written.
    pub command: String,
    /// The same as a list of arguments.
    pub argv: Vec<String>,
}

/// The policy that a verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PolicyUsed {
    /// The digest of its text (`b3:…`).
    pub digest: String,
    /// Where the text came from: `worktree`, `rev:<commit>`, `owner:<key>`.
    pub source: String,
}
