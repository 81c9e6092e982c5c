//! The document: what a report says, before anybody draws it.

use gate_model::action::Action;
use gate_model::request::SeenHead;
use gate_model::time::Timestamp;
use gate_model::verification::Verification;
use serde::Serialize;

/// The value of `schema`.
pub const SCHEMA: &str = "gate.report/1";

/// What happened at the gates, and what is open.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// The instant that "live" and "overdue" mean: the clock, or the newest entry's time where that is later.
    pub at: Timestamp,
    /// From when entries are counted. What is open is told whenever it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Until when entries are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Each ledger that was read, in the order of their first entries.
    pub ledgers: Vec<LedgerPart>,
    /// All gates together.
    pub total: Figures,
    /// The same over time.
    pub timeline: Timeline,
    /// Each gate, the one that was passed by most often first.
    pub gates: Vec<GateRow>,
    /// Each person, whoever asked most often first.
    pub people: Vec<PersonRow>,
    /// Opt-outs that are live, the next to end first.
    pub live: Vec<Live>,
    /// Reviews that are owed, the most urgent first.
    pub reviews: Vec<Owed>,
    /// Requests that wait, the next to lapse first.
    pub waiting: Vec<Waiting>,
    /// How long approvals took.
    pub approvals: Approvals,
    /// Waivers that no decision used although their gate was judged meanwhile, the longest first.
    pub unneeded: Vec<Unneeded>,
    /// Entries whose content is not what their kind promises: they are counted nowhere.
    pub unreadable: Vec<Place>,
}

/// An entry of one of several ledgers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The ledger's place in [`Report::ledgers`], from 0.
    pub ledger: usize,
    /// The entry.
    pub seq: u64,
}

/// One ledger.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LedgerPart {
    /// Its id.
    pub ledger: String,
    /// The name that its newest policy gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// How many entries were read.
    pub entries: u64,
    /// How many are missing in between: archived, or left out by a filter.
    pub missing: u64,
    /// The newest entry that was read.
    pub head: SeenHead,
    /// The latest time that an entry claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<Timestamp>,
    /// The first entry that does not follow the one before it, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
    /// What gate-verify said of it, where that was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verification>,
    /// Whether the entry that gate-verify calls the head is among those that were read, with the same hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification_is_of_this: Option<bool>,
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Decisions: every run and judgement.
    pub decisions: u64,
    /// Those that blocked.
    pub failed: u64,
    /// Those that a pause held.
    pub held: u64,
    /// Those that went past the gate: skipped, overridden, or passed with findings waived.
    pub past: u64,
    /// Those of `past` that overrode a failure.
    pub overridden: u64,
    /// Opt-outs that were asked for.
    pub asked: u64,
    /// Opt-outs that were granted.
    pub granted: u64,
    /// Those of `granted` that renewed another.
    pub renewed: u64,
    /// Opt-outs that the policy or an approver denied.
    pub denied: u64,
    /// Granted opt-outs that went through break-glass.
    pub break_glass: u64,
}

/// Opt-outs and what went past, by slots of time without a gap.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Timeline {
    /// How many days a slot has.
    pub days: u64,
    /// The first day of each slot.
    pub starts: Vec<String>,
    /// Opt-outs granted in each slot, by action, in the order of [`Action::ALL`].
    pub granted: Vec<[u64; 4]>,
    /// Decisions that went past a gate in each slot.
    pub past: Vec<u64>,
}

/// One gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GateRow {
    /// Its name.
    pub gate: String,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
    /// Opt-outs granted in each slot.
    pub over_time: Vec<u64>,
}

/// One person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PersonRow {
    /// The person's name in the policy, else the principal's id.
    pub person: String,
    /// Opt-outs asked for.
    pub asked: u64,
    /// Opt-outs granted.
    pub granted: u64,
    /// Opt-outs denied.
    pub denied: u64,
    /// Decisions that went past a gate by an opt-out of this person's.
    pub past: u64,
    /// Those of `past` that overrode a failure.
    pub overridden: u64,
    /// Approvals given.
    pub approved: u64,
    /// Reviews given.
    pub reviewed: u64,
    /// Opt-outs granted in each slot.
    pub over_time: Vec<u64>,
}

/// An opt-out, as each list of them names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OptOut {
    /// The ledger's place in [`Report::ledgers`], from 0.
    pub ledger: usize,
    /// Its ID.
    pub id: u64,
    /// The gate.
    pub gate: String,
    /// What it does.
    pub action: Action,
    /// Who asked for it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// An opt-out that is live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Live {
    /// Which.
    #[serde(flatten)]
    pub opt_out: OptOut,
    /// When it ends.
    pub expires: Timestamp,
    /// How many decisions used it.
    pub uses: u64,
    /// How many uses are left, where they are limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uses_left: Option<u64>,
}

/// A review that is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Owed {
    /// For which.
    #[serde(flatten)]
    pub opt_out: OptOut,
    /// By when.
    pub deadline: Timestamp,
    /// Whether that has passed.
    pub overdue: bool,
}

/// A request that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Which.
    #[serde(flatten)]
    pub opt_out: OptOut,
    /// Since when.
    pub since: Timestamp,
    /// When it lapses.
    pub lapses: Timestamp,
}

/// How long people waited for approvals, in seconds from the request to the grant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Approvals {
    /// How many requests were granted.
    pub count: u64,
    /// Half of them took no longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median: Option<u64>,
    /// Nine of ten took no longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ninety: Option<u64>,
    /// How many requests lapsed unanswered.
    pub lapsed: u64,
    /// The slowest.
    pub slowest: Vec<Slow>,
}

/// An approval that took long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Slow {
    /// Which.
    #[serde(flatten)]
    pub opt_out: OptOut,
    /// When it was granted.
    pub granted_at: Timestamp,
    /// How many seconds it had waited.
    pub seconds: u64,
}

/// A waiver that nothing needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unneeded {
    /// Which.
    #[serde(flatten)]
    pub opt_out: OptOut,
    /// When it began.
    pub from: Timestamp,
    /// When it ended, or will.
    pub to: Timestamp,
    /// How often its gate was judged meanwhile without it.
    pub judged: u64,
}
