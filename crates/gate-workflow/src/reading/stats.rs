//! Counts: how often each gate decided, how often somebody went past it, and who did.
//!
//! An entry counts for its gate and for its actor. The rate is the share of decisions that an opt-out let
//! past: `uses / decisions`, of a gate or of a principal.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use gate_ledger::chain::LedgerId;
use gate_ledger::entry::Kind;
use gate_ledger::store::{Front, Ledger, StoreError};
use gate_model::time::Timestamp;
use serde::Serialize;

use super::filter::Period;
use super::record::{Brief, Record};
use super::scan;

/// The value of `schema`.
pub const SCHEMA: &str = "gate.stats/1";

/// The document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stats {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// The ledger's id; left out where exports of several were read, or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<String>,
    /// The ids of several ledgers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ledgers: Vec<String>,
    /// When it was made.
    pub at: Timestamp,
    /// From when entries count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Until when entries count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The entries that are in an archive and were not counted; left out where none are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archived: Option<Archived>,
    /// How many entries were counted, of every kind.
    pub entries: u64,
    /// All gates together.
    pub total: Counts,
    /// Each gate, by name.
    pub gates: Vec<GateCounts>,
    /// Each principal, by id.
    pub principals: Vec<PrincipalCounts>,
}

/// Entries that were moved to an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Archived {
    /// How many.
    pub entries: u64,
    /// They stood before this position.
    pub before: u64,
}

impl Archived {
    /// What is missing in front of `ledger`, if anything is. Whether a statement accounts for it is for whoever walks
    /// over the entries.
    pub(super) fn read(ledger: &Ledger) -> Result<Option<Self>, StoreError> {
        let Front { before, kept } = ledger.view().front()?;
        let entries = before.saturating_sub(u64::try_from(kept.len()).unwrap_or(u64::MAX));
        Ok((before > 0).then_some(Self { entries, before }))
    }
}

/// The counts of one gate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateCounts {
    /// The gate's name.
    pub gate: String,
    /// Its counts.
    #[serde(flatten)]
    pub counts: Counts,
}

/// The counts of one principal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PrincipalCounts {
    /// The principal's id.
    pub principal: String,
    /// Its counts.
    #[serde(flatten)]
    pub counts: Counts,
}

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Counts {
    /// Decisions: every run and judgement of a gate.
    pub decisions: u64,
    /// Decisions by verdict; verdicts that never came are left out.
    pub verdicts: BTreeMap<String, u64>,
    /// Requests that had to wait for an approval.
    pub requests: u64,
    /// Opt-outs that were granted.
    pub opt_outs: u64,
    /// Granted opt-outs by action; actions that never came are left out.
    pub actions: BTreeMap<&'static str, u64>,
    /// Denials and rejections.
    pub denials: u64,
    /// Revocations and resumes.
    pub revocations: u64,
    /// Approvals given.
    pub approvals: u64,
    /// Reviews given.
    pub reviews: u64,
    /// Decisions that an opt-out let past: neither those that held at a pause, nor those that blocked all the same.
    pub uses: u64,
    /// The share of decisions that an opt-out let past, from 0 to 1 with four digits; left out without decisions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
}

/// Counts the entries of `period`.
///
/// # Errors
/// A [`StoreError`].
pub fn read(
    ledger: &Ledger,
    period: (Option<Timestamp>, Option<Timestamp>),
    now: Timestamp,
) -> Result<Stats, StoreError> {
    let head = ledger.view().head()?.seq;
    let mut counting = Counting::new(period);
    scan::forward(ledger, 0, head, &mut |record| {
        counting.take(record)?;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(Stats { archived: Archived::read(ledger)?, ..counting.finish(now) })
}

/// Counting entries one after the other, of one ledger or several.
#[derive(Debug, Default)]
pub struct Counting {
    ends: (Option<Timestamp>, Option<Timestamp>),
    period: Period,
    ledgers: BTreeSet<String>,
    /// The ledger of the entry before.
    last: Option<LedgerId>,
    entries: u64,
    total: Counts,
    gates: BTreeMap<String, Counts>,
    principals: BTreeMap<String, Counts>,
}

impl Counting {
    /// Nothing so far, of a span with these ends.
    pub fn new(ends: (Option<Timestamp>, Option<Timestamp>)) -> Self {
        Self { ends, period: Period::new(ends.0, ends.1), ..Self::default() }
    }

    /// Counts an entry, if it is of the span.
    ///
    /// # Errors
    /// A [`StoreError`] where it cannot be read.
    pub fn take(&mut self, record: &Record<'_>) -> Result<(), StoreError> {
        let facts = &record.facts;
        if self.last != Some(facts.ledger) {
            self.last = Some(facts.ledger);
            self.ledgers.insert(facts.ledger.to_string());
        }
        if !self.period.holds(facts) {
            return Ok(());
        }
        self.entries += 1;
        if !is_counted(facts.kind) {
            return Ok(());
        }
        let (brief, kind) = (record.brief()?, facts.kind);
        self.total.add(kind, &brief);
        let gate = brief.gate().unwrap_or_default().to_owned();
        self.gates.entry(gate).or_default().add(kind, &brief);
        self.principals.entry(brief.actor().to_owned()).or_default().add(kind, &brief);
        Ok(())
    }

    /// The document, made at `now`.
    pub fn finish(self, now: Timestamp) -> Stats {
        let gates = self.gates.into_iter().map(|(gate, counts)| GateCounts { gate, counts: counts.finish() });
        let principals = self.principals.into_iter();
        let principals =
            principals.map(|(principal, counts)| PrincipalCounts { principal, counts: counts.finish() });
        let mut ledgers: Vec<String> = self.ledgers.into_iter().collect();
        let ledger = if ledgers.len() == 1 { ledgers.pop() } else { None };
        Stats {
            schema: SCHEMA,
            ledger,
            ledgers,
            at: now,
            since: self.ends.0,
            until: self.ends.1,
            archived: None,
            entries: self.entries,
            total: self.total.finish(),
            gates: gates.collect(),
            principals: principals.collect(),
        }
    }
}

/// What is not about going past a gate is in no row: genesis, policies, notes and archives.
const fn is_counted(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Decision
            | Kind::Request
            | Kind::Grant
            | Kind::Denial
            | Kind::Revocation
            | Kind::Approval
            | Kind::Review
    )
}

impl Counts {
    fn add(&mut self, kind: Kind, brief: &Brief<'_>) {
        match kind {
            Kind::Decision => self.decide(brief),
            Kind::Request => self.requests += 1,
            Kind::Grant => {
                self.opt_outs += 1;
                if let Some(action) = brief.action() {
                    *self.actions.entry(action.as_str()).or_default() += 1;
                }
            }
            Kind::Denial => self.denials += 1,
            Kind::Revocation => self.revocations += 1,
            Kind::Approval => self.approvals += 1,
            Kind::Review => self.reviews += 1,
            Kind::Genesis | Kind::Policy | Kind::Import | Kind::Archive | Kind::Note => {}
        }
    }

    fn decide(&mut self, brief: &Brief<'_>) {
        self.decisions += 1;
        let verdict = brief.verdict().unwrap_or("unknown");
        // What holds or blocks took nobody past the gate, whatever opt-out it names.
        let went_past = matches!(verdict, "pass" | "skip" | "override");
        self.uses += u64::from(went_past && brief.grants().next().is_some());
        match self.verdicts.get_mut(verdict) {
            Some(count) => *count += 1,
            None => drop(self.verdicts.insert(verdict.to_owned(), 1)),
        }
    }

    fn finish(mut self) -> Self {
        self.rate = rate(self.uses, self.decisions);
        self
    }
}

/// `part / whole` with four digits.
fn rate(part: u64, whole: u64) -> Option<f64> {
    let ten_thousandths = part.checked_mul(10_000)?.checked_add(whole / 2)?.checked_div(whole)?;
    u32::try_from(ten_thousandths).ok().map(|share| f64::from(share) / 10_000.0)
}

#[cfg(test)]
mod tests {
    use super::rate;

    #[test]
    fn a_rate_has_four_digits_and_needs_decisions() {
        assert_eq!(rate(1, 3), Some(0.3333));
        assert_eq!(rate(2, 3), Some(0.6667));
        assert_eq!(rate(0, 7), Some(0.0));
        assert_eq!(rate(7, 7), Some(1.0));
        assert_eq!(rate(0, 0), None);
    }
}
