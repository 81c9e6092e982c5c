//! Taking entries, one after the other, and keeping what the report needs of them.

use std::collections::BTreeMap;

use gate_judge::records;
use gate_ledger::chain::{Bad, Chain, Facts};
use gate_ledger::entry::{Entry, EntryHash, Kind};
use gate_model::action::Action;
use gate_model::time::Timestamp;
use gate_model::verification::Verification;
use serde::Deserialize;
use serde_json::Value;

use super::days::{Days, day_of};
use super::document::{Figures, PersonRow, Place};
use super::lives::{AskedFor, Lives, actor};
use crate::reading::filter::Period;

/// One ledger as far as it was read.
pub(super) struct Part {
    pub id: String,
    pub origin: Option<String>,
    pub entries: u64,
    /// The position that is expected next.
    pub next: u64,
    pub missing: u64,
    pub broken: Option<String>,
    pub chain: Chain,
    /// The newest time, in the one written form, which sorts as time does.
    pub newest: [u8; 27],
    /// What gate-verify said, and whether its head was met.
    pub verification: Option<(Verification, bool)>,
}

/// What is kept of a gate.
#[derive(Default)]
pub(super) struct GateSums {
    pub figures: Figures,
    pub granted: Days<4>,
    pub past: Days<1>,
    /// When it was judged, for each ledger.
    pub judged: BTreeMap<usize, Vec<Timestamp>>,
}

/// What is kept of a person.
#[derive(Default)]
pub(super) struct PersonSums {
    /// As it will be shown, but for the name and the course of time.
    pub row: PersonRow,
    pub days: Days<1>,
}

/// A report in the making. Entries of several ledgers may come in turn; those of one come in order.
pub struct Gatherer<'a> {
    pub(super) period: Period,
    /// The person behind a principal's id.
    name: &'a dyn Fn(&str) -> String,
    verifications: Vec<Verification>,
    pub(super) parts: Vec<Part>,
    pub(super) gates: BTreeMap<String, GateSums>,
    pub(super) people: BTreeMap<String, PersonSums>,
    pub(super) lives: Lives,
    pub(super) unreadable: Vec<Place>,
}

/// What a decision's entry says, as far as it counts.
#[derive(Deserialize)]
struct Decided {
    #[serde(default)]
    gate: String,
    data: DecidedData,
}

#[derive(Deserialize)]
struct DecidedData {
    decision: String,
    #[serde(default)]
    waived: u64,
    #[serde(default)]
    grants: Vec<u64>,
    #[serde(default)]
    spends: Vec<u64>,
}

impl<'a> Gatherer<'a> {
    /// Counts entries of `period`; `name` gives the person behind a principal's id, and `verifications` is what
    /// gate-verify said of the ledgers.
    pub fn new(period: Period, name: &'a dyn Fn(&str) -> String, verifications: Vec<Verification>) -> Self {
        let (parts, unreadable) = (Vec::new(), Vec::new());
        let (gates, people, lives) = (BTreeMap::new(), BTreeMap::new(), Lives::default());
        Self { period, name, verifications, parts, gates, people, lives, unreadable }
    }

    /// Takes the entry with the canonical bytes `body`, from which `facts` were taken. `reveal` puts back what the
    /// entry only commits to, where somebody knows it.
    ///
    /// # Errors
    /// What `reveal` gives.
    pub fn take<E>(
        &mut self,
        facts: &Facts,
        body: &[u8],
        reveal: &mut dyn FnMut(&mut Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        let ledger = self.part(facts);
        // An export that is given twice, or overlaps another, is counted once.
        if !self.parts[ledger].follow(facts) {
            return Ok(());
        }
        let taken = match facts.kind {
            Kind::Decision => self.decision(ledger, facts, body),
            Kind::Genesis | Kind::Import | Kind::Archive | Kind::Note => Some(()),
            _ => match Entry::from_body(body) {
                Ok(mut entry) => {
                    reveal(&mut entry)?;
                    self.act(ledger, facts, &entry)
                }
                Err(_) => None,
            },
        };
        if taken.is_none() {
            self.unreadable.push(Place { ledger, seq: facts.seq });
        }
        Ok(())
    }

    /// The place of the entry's ledger.
    fn part(&mut self, facts: &Facts) -> usize {
        let id = facts.ledger.to_string();
        let known = self.parts.iter().position(|part| part.id == id);
        let place = known.unwrap_or(self.parts.len());
        if known.is_none() {
            let given = self.verifications.iter().find(|given| given.ledger.as_ref() == Some(&id)).cloned();
            let verification = given.map(|given| (given, false));
            self.parts.push(Part::new(id, verification));
        }
        place
    }

    fn decision(&mut self, ledger: usize, facts: &Facts, body: &[u8]) -> Option<()> {
        let decided: Decided = serde_json::from_slice(body).ok()?;
        let at = instant(&facts.at)?;
        let verdict = decided.data.decision.as_str();
        let overridden = verdict == "override";
        let past = overridden || verdict == "skip" || (verdict == "pass" && decided.data.waived > 0);
        let counts = self.period.holds(facts);
        for id in decided.data.grants {
            let Some(life) = self.lives.0.get_mut(&(ledger, id)) else { continue };
            // Where the number of uses is limited, the decision says which of them it spends.
            life.uses += u64::from(!life.is_limited() || decided.data.spends.contains(&id));
            if counts && past {
                let person = person(&mut self.people, &life.what.by);
                person.row.past += 1;
                person.row.overridden += u64::from(overridden);
            }
        }
        let gate = self.gates.entry(decided.gate).or_default();
        if matches!(verdict, "pass" | "fail" | "override") {
            gate.judged.entry(ledger).or_default().push(at);
        }
        if counts {
            gate.figures.decisions += 1;
            gate.figures.failed += u64::from(verdict == "fail");
            gate.figures.held += u64::from(verdict == "hold");
            gate.figures.past += u64::from(past);
            gate.figures.overridden += u64::from(overridden);
            if past {
                gate.past.add(day_of(at), 0);
            }
        }
        Some(())
    }

    /// An entry by which somebody does something about an opt-out, or a policy.
    fn act(&mut self, ledger: usize, facts: &Facts, entry: &Entry) -> Option<()> {
        let counts = self.period.holds(facts);
        match entry.kind {
            Kind::Request | Kind::Grant => self.asked(ledger, entry, counts)?,
            Kind::Denial => self.denied(ledger, entry, counts),
            Kind::Approval if counts => self.actor(entry).row.approved += 1,
            Kind::Review => {
                if let Some(life) = self.lives.of(ledger, entry) {
                    life.reviewed = true;
                }
                self.actor(entry).row.reviewed += u64::from(counts);
            }
            Kind::Policy => self.parts[ledger].read_origin(entry),
            _ => {}
        }
        if let Some(life) = self.lives.of(ledger, entry) {
            life.stands.pass(entry);
        }
        Some(())
    }

    fn asked(&mut self, ledger: usize, entry: &Entry, counts: bool) -> Option<()> {
        let asked = AskedFor::read(entry)?;
        let granted = (entry.kind == Kind::Grant).then(|| asked.granted(entry.at));
        let name = (self.name)(actor(entry));
        let begins = entry.reference.is_none() || self.lives.of(ledger, entry).is_none();
        if begins {
            self.lives.begin(ledger, entry, &asked, name.clone());
        }
        if begins && counts && entry.reference.is_none() {
            self.figures(entry).asked += 1;
            person(&mut self.people, &name).row.asked += 1;
        }
        let Some(granted) = granted else { return Some(()) };
        let granted = granted?;
        self.lives.of(ledger, entry)?.grant = Some(granted);
        if counts {
            let day = day_of(entry.at);
            let figures = self.figures(entry);
            figures.granted += 1;
            figures.renewed += u64::from(entry.data.get("renews").is_some());
            figures.break_glass += u64::from(asked.break_glass);
            let place = Action::ALL.iter().position(|action| *action == asked.action)?;
            self.gates.entry(entry.gate.clone().unwrap_or_default()).or_default().granted.add(day, place);
            let person = person(&mut self.people, &name);
            person.row.granted += 1;
            person.days.add(day, 0);
        }
        Some(())
    }

    /// A denial by the policy, or a rejection of a request; a refusal of an act is neither.
    fn denied(&mut self, ledger: usize, entry: &Entry, counts: bool) {
        let by = match entry.reference {
            None => (self.name)(actor(entry)),
            Some(_) if !records::is_refused_act(entry) => {
                let Some(life) = self.lives.of(ledger, entry) else { return };
                life.what.by.clone()
            }
            Some(_) => return,
        };
        if counts {
            let figures = self.figures(entry);
            figures.denied += 1;
            figures.asked += u64::from(entry.reference.is_none());
            let person = person(&mut self.people, &by);
            person.row.denied += 1;
            person.row.asked += u64::from(entry.reference.is_none());
        }
    }

    fn figures(&mut self, entry: &Entry) -> &mut Figures {
        &mut self.gates.entry(entry.gate.clone().unwrap_or_default()).or_default().figures
    }

    fn actor(&mut self, entry: &Entry) -> &mut PersonSums {
        person(&mut self.people, &(self.name)(actor(entry)))
    }
}

fn person<'p>(people: &'p mut BTreeMap<String, PersonSums>, name: &str) -> &'p mut PersonSums {
    people.entry(name.to_owned()).or_default()
}

/// The time that an entry claims.
pub(super) fn instant(at: &[u8; 27]) -> Option<Timestamp> {
    Timestamp::parse(std::str::from_utf8(at).ok()?).ok()
}

impl Part {
    fn new(id: String, verification: Option<(Verification, bool)>) -> Self {
        let (origin, broken, chain) = (None, None, Chain::new());
        Self { id, origin, entries: 0, next: 0, missing: 0, broken, chain, newest: [0; 27], verification }
    }

    /// Links the entry to those before it; whether it is none that was there before.
    fn follow(&mut self, facts: &Facts) -> bool {
        let is_new = self.next <= facts.seq;
        self.entries += u64::from(is_new);
        self.next = self.next.max(facts.seq + 1);
        self.newest = self.newest.max(facts.at);
        if let Some((given, met)) = &mut self.verification {
            *met |= given.head.as_ref().is_some_and(|head| is_head(head.seq, &head.hash, facts));
        }
        if self.broken.is_some() {
            return is_new;
        }
        let linked = match self.chain.link(*facts) {
            Err(Bad::Gap { expected, found }) => {
                self.missing += found - expected;
                self.chain.leap(*facts)
            }
            linked => linked,
        };
        self.broken = linked.err().map(|bad| format!("entry {}: {bad}", facts.seq));
        is_new
    }

    fn read_origin(&mut self, entry: &Entry) {
        let text = entry.data.get("text").and_then(Value::as_str).unwrap_or_default();
        // A text that this build cannot read names the ledger no better than its id does.
        if let Ok(policy) = gate_policy::parse(text) {
            self.origin = policy.ledger.origin.clone().or(self.origin.take());
        }
    }
}

fn is_head(seq: u64, hash: &str, facts: &Facts) -> bool {
    seq == facts.seq && hash.parse::<EntryHash>().is_ok_and(|hash| hash == facts.hash)
}
