//! What ledger entries carry in `data`, one type for each kind; `gate-ledger(5)` lists them for readers.
//!
//! Members are only ever added. A reader ignores members that it does not know, since a newer writer may
//! have put them there; a verdict that rests on them carries a `judge` that an old reader does not know.
//!
//! What was judged says at which instant: the clock's when the transaction began, or the newest entry's time where that
//! was later. It is `judged_at`, and for a grant its `not_before`. The entry's own `at` is read when it is appended.

mod flat;

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::context::Context;
use crate::decision::{PolicyUsed, Verdict};
use crate::finding::{Counts, Evidence};
use crate::grant::Owes;
use crate::request::{Renews, Request, SeenHead, Ttl};
use crate::scope::Scope;
use crate::score::FailOn;
use crate::time::Timestamp;

/// What somebody asked for, as requests, grants and denials carry it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The way past that is asked for.
    pub action: Action,
    /// Why.
    pub reason: String,
    /// The ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// What it is bound to.
    pub scope: Scope,
    /// What a waiver accepts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Evidence>,
    /// How long it lasts.
    pub ttl: Ttl,
    /// How many decisions may use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u64>,
    /// Whether it invokes a break-glass rule.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub break_glass: bool,
    /// What it renews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews: Option<Renews>,
}

impl Ask {
    /// What a request document asks for.
    pub fn of(request: &Request) -> Self {
        Self {
            action: request.action,
            reason: request.reason.clone(),
            ticket: request.ticket.clone(),
            scope: request.scope.clone(),
            findings: request.findings.clone(),
            ttl: request.ttl.clone(),
            max_uses: request.max_uses,
            break_glass: request.break_glass,
            renews: request.renews.clone(),
        }
    }
}

/// Kind `grant`. Its `actor` is the requester. `ref` is its own request's ID where there was one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "flat::Grant")]
pub struct GrantData {
    /// What was asked for, and is granted.
    #[serde(flatten)]
    pub ask: Ask,
    /// From when it counts (inclusive): the instant at which it was judged.
    pub not_before: Timestamp,
    /// When it ends (exclusive).
    pub expires: Timestamp,
    /// The number of the gate's `allow` rule that granted it, from 1.
    pub rule: u64,
    /// The policy it was admitted under.
    pub policy: PolicyUsed,
    /// The version of the judging rules.
    pub judge: u32,
    /// The seqs of the approvals it rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<u64>,
    /// The review that must follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owes: Option<Owes>,
    /// How far its rule's quota was used before it, where the rule has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaUsed>,
    /// Where it was asked for.
    pub context: Context,
    /// The signed document behind it, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
}

/// How far a quota was used when a grant took its place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaUsed {
    /// How many grants counted.
    pub used: u64,
    /// The beginning of the window (inclusive).
    pub since: Timestamp,
}

/// Kind `request`: pending. Its seq is the opt-out's ID.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestData {
    /// What is asked for.
    #[serde(flatten)]
    pub ask: Ask,
    /// The number of the rule that would grant it, from 1.
    pub rule: u64,
    /// When it lapses if it is not approved.
    pub lapses: Timestamp,
    /// The policy it was judged under.
    pub policy: PolicyUsed,
    /// The version of the judging rules.
    pub judge: u32,
    /// The instant at which it was judged.
    pub judged_at: Timestamp,
    /// Where it was asked for.
    pub context: Context,
    /// The signed document behind it, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
}

/// Kind `denial` without `ref`: the policy does not allow what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DenialData {
    /// What was asked for.
    #[serde(flatten)]
    pub ask: Ask,
    /// Each rule that was tried and what would have satisfied it.
    pub reasons: Vec<String>,
    /// The same by the kinds of the conditions that failed (`rule 2: quota, who`), for whoever compares denials.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// The policy it was judged under.
    pub policy: PolicyUsed,
    /// The version of the judging rules.
    pub judge: u32,
    /// The instant at which it was judged.
    pub judged_at: Timestamp,
    /// Where it was asked for.
    pub context: Context,
    /// The signed document behind it, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
}

/// What somebody does to an opt-out that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Approves a request.
    Approve,
    /// Rejects it, which ends it.
    Reject,
    /// Ends it.
    Revoke,
    /// Ends a pause.
    Resume,
    /// Gives the review that a break-glass grant owes.
    Review,
}

/// Kind `denial` with `ref` and `subject`: an approver rejected the request, which ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectionData {
    /// The entry hash of the request.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// The same, as denials give their reasons.
    pub reasons: Vec<String>,
    /// The e-mail address of the commit's author, where it was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The policy it was judged under.
    pub policy: PolicyUsed,
    /// The version of the judging rules.
    pub judge: u32,
    /// The instant at which it was judged.
    pub judged_at: Timestamp,
    /// Where it was given.
    pub context: Context,
    /// The signed statement, where it is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<serde_json::Value>,
}

/// Kind `denial` with `ref` and `refused`: somebody may not do what they tried, and the opt-out lives on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalData {
    /// The entry hash of what they tried it on.
    pub refused: String,
    /// What they tried.
    pub act: Verb,
    /// The reason that they gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The ticket that they gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Why they may not.
    pub reasons: Vec<String>,
    /// The e-mail address of the commit's author, where it was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The policy it was judged under.
    pub policy: PolicyUsed,
    /// The version of the judging rules.
    pub judge: u32,
    /// The instant at which it was judged.
    pub judged_at: Timestamp,
    /// Where it was tried.
    pub context: Context,
}

/// Kind `approval`; `ref` is the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalData {
    /// The entry hash of the request.
    pub subject: String,
    /// Why, where one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The e-mail address of the commit's author, where it was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The policy it was judged under.
    pub policy: PolicyUsed,
    /// The version of the judging rules.
    pub judge: u32,
    /// The instant at which it was judged.
    pub judged_at: Timestamp,
    /// Where it was given.
    pub context: Context,
    /// The signed statement, where the approval is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<serde_json::Value>,
}

/// Kind `revocation`: an opt-out ends before its time; a pause that is resumed ends the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationData {
    /// The entry hash of what is revoked.
    pub subject: String,
    /// The ID of the opt-out that renews it, where that is why it ends. The entry before is its grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewed: Option<u64>,
    /// What the ended opt-out did: `pause` makes this a resume.
    pub action: Action,
    /// Why.
    pub reason: String,
    /// The ticket, where one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// The policy it was judged under.
    pub policy: PolicyUsed,
    /// The version of the judging rules.
    pub judge: u32,
    /// The instant at which it was judged.
    pub judged_at: Timestamp,
    /// Where it was asked for.
    pub context: Context,
    /// The signed statement, where it is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<serde_json::Value>,
}

/// A reviewer's word on a break-glass grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReviewVerdict {
    /// It was justified.
    Accepted,
    /// It was not.
    Rejected,
}

/// Kind `review`; `ref` is the grant's ID.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewData {
    /// The entry hash of the grant.
    pub subject: String,
    /// The reviewer's word.
    pub verdict: ReviewVerdict,
    /// Why.
    pub reason: String,
    /// The policy it was judged under.
    pub policy: PolicyUsed,
    /// The version of the judging rules.
    pub judge: u32,
    /// The instant at which it was judged.
    pub judged_at: Timestamp,
    /// Where it was given.
    pub context: Context,
    /// The signed statement, where it is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<serde_json::Value>,
}

/// Kind `policy`: a text of the policy that the ledger had not seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyData {
    /// The digest over text and files, which verdicts name.
    pub digest: String,
    /// Where it came from: `worktree`, `rev:<commit>`, `owner:<key>`.
    pub source: String,
    /// The text of `gate.toml`.
    pub text: String,
    /// The files that the text names and trusts (allowed signers, JWKS), in the order of their paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<TrustedFile>,
    /// The owner's signature, where that admitted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// The repository that it is the policy of, as the run named it; left out where that was not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
}

/// A file that a policy trusts, as it was when the policy was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedFile {
    /// Its path as the policy writes it.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// How a decision came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A command was run and its status counted.
    Run,
    /// A command was run and the report it wrote was judged.
    Findings,
    /// A report was judged.
    Judge,
}

/// Kind `decision`. A use is a decision that names its grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionData {
    /// What was decided.
    pub decision: Verdict,
    /// Whether the pipeline proceeds.
    pub proceed: bool,
    /// How it came about.
    pub mode: Mode,
    /// The program that was run. Not its arguments: they may hold secrets, and an entry cannot be unwritten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// The command's exit status as the shell would see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u8>,
    /// Why the gate did not run, where it did not: no override rescues such a gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub did_not_run: Option<String>,
    /// The digest of the report's bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// The level or the security severity from which findings block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_on: Option<FailOn>,
    /// How many findings block.
    pub blocking: u64,
    /// How many findings are waived.
    pub waived: u64,
    /// What the report left out, and what did not matter.
    #[serde(flatten)]
    pub counts: Counts,
    /// The findings at or above `fail_on`, identical ones together, as many as fit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Judged>,
    /// How many findings did not fit into `findings`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub omitted: u64,
    /// The IDs of the opt-outs that were used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<u64>,
    /// Those of `grants` whose number of uses is limited: this decision is one use of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spends: Option<Vec<u64>>,
    /// 128 random bits in hexadecimal, where it spends a use in a ledger that a remote keeps: of two writers whose
    /// entries are the same but for it, each can tell whether its own was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// Why, as sentences.
    pub reasons: Vec<String>,
    /// The policy that judged.
    pub policy: PolicyUsed,
    /// The version of the judging rules.
    pub judge: u32,
    /// The instant at which it was judged.
    pub judged_at: Timestamp,
    /// Where and on what it ran.
    pub context: Context,
    /// The newest entry when the gate's run began, before its command or its report: no pause and no skip was in
    /// force then. Asserted grants after it did not count where a command ran. Left out of a skip and a hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_head: Option<SeenHead>,
    /// The instant of that begin; there where `seen_head` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_at: Option<Timestamp>,
    /// Seconds by which the clock moved against the time that really passed, where more than five minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_jump: Option<i64>,
}

/// Identical findings of a decision, with the grant that covers them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Judged {
    /// What was found: the same members as a waiver's evidence, each exact.
    #[serde(flatten)]
    pub finding: Evidence,
    /// The ID of the waiver that covers them; left out where they block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<u64>,
    /// The file that they were accepted in, where they have moved from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if passes a reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}
