//! From what was gathered to the document.

use std::cmp::Reverse;

use gate_model::action::Action;
use gate_model::request::SeenHead;
use gate_model::time::Timestamp;

use super::days::Slots;
use super::document::{
    Approvals, Figures, GateRow, LedgerPart, Live, Owed, PersonRow, Report, SCHEMA, Slow, Timeline, Unneeded,
    Waiting,
};
use super::gather::{GateSums, Gatherer, Part, PersonSums, instant};
use super::lives::Course;

/// How many of the slowest approvals are named.
const SLOWEST: usize = 20;

impl Gatherer<'_> {
    /// The document as of `clock`. `period` is what entries were counted of, for the reader.
    pub fn finish(self, clock: Timestamp, period: (Option<Timestamp>, Option<Timestamp>)) -> Report {
        let now = self.parts.iter().filter_map(|part| instant(&part.newest)).fold(clock, Ord::max);
        let slots = self.slots();
        let lives = || self.lives.0.values();
        let (live, reviews, waiting) = (live(lives(), now), reviews(lives(), now), waiting(lives(), now));
        let (approvals, unneeded) = (approvals(lives(), now), self.unneeded(now));
        let (total, timeline) = (self.total(), self.timeline(slots.as_ref()));
        let (gates, people) = (self.gate_rows(slots.as_ref()), self.person_rows(slots.as_ref()));
        let (ledgers, unreadable) = (self.parts.into_iter().map(Part::conclude).collect(), self.unreadable);
        let (since, until) = period;
        Report {
            schema: SCHEMA,
            at: now,
            since,
            until,
            ledgers,
            total,
            timeline,
            gates,
            people,
            live,
            reviews,
            waiting,
            approvals,
            unneeded,
            unreadable,
        }
    }

    fn slots(&self) -> Option<Slots> {
        let ends = |gate: &GateSums| [gate.granted.ends(), gate.past.ends()];
        let ends: Vec<_> = self.gates.values().flat_map(ends).flatten().collect();
        let first = ends.iter().map(|ends| ends.0).min()?;
        Some(Slots::over(first, ends.iter().map(|ends| ends.1).max()?))
    }

    fn total(&self) -> Figures {
        self.gates.values().fold(Figures::default(), |sum, gate| sum.plus(&gate.figures))
    }

    fn timeline(&self, slots: Option<&Slots>) -> Timeline {
        let Some(slots) = slots else { return Timeline::default() };
        let (mut granted, mut past) = (vec![[0; 4]; slots.count], vec![[0; 1]; slots.count]);
        for gate in self.gates.values() {
            gate.granted.pour(slots, &mut granted);
            gate.past.pour(slots, &mut past);
        }
        let past = past.into_iter().map(|[count]| count).collect();
        Timeline { days: slots.days, starts: slots.starts(), granted, past }
    }

    fn gate_rows(&self, slots: Option<&Slots>) -> Vec<GateRow> {
        let row = |(gate, sums): (&String, &GateSums)| GateRow {
            gate: gate.clone(),
            figures: sums.figures,
            over_time: slots.map_or_else(Vec::new, |slots| sums.granted.sums(slots)),
        };
        let mut rows: Vec<_> = self.gates.iter().map(row).collect();
        rows.retain(|row| row.figures != Figures::default());
        rows.sort_by_key(|row| Reverse((row.figures.past, row.figures.granted, row.figures.decisions)));
        rows
    }

    fn person_rows(&self, slots: Option<&Slots>) -> Vec<PersonRow> {
        let row = |(person, sums): (&String, &PersonSums)| PersonRow {
            person: person.clone(),
            over_time: slots.map_or_else(Vec::new, |slots| sums.days.sums(slots)),
            ..sums.row.clone()
        };
        let mut rows: Vec<_> = self.people.iter().map(row).collect();
        rows.retain(|row| row.asked + row.denied + row.past + row.approved + row.reviewed > 0);
        rows.sort_by_key(|row| Reverse((row.asked, row.past, row.approved)));
        rows
    }

    /// Waivers whose gate was judged while they lived, and never by them.
    fn unneeded(&self, now: Timestamp) -> Vec<Unneeded> {
        let mut unneeded: Vec<_> = self.lives.0.values().filter_map(|life| self.idle(life, now)).collect();
        unneeded.sort_by_key(|one| (Reverse(one.to.seconds_since(one.from)), one.opt_out.id));
        unneeded
    }

    fn idle(&self, life: &Course, now: Timestamp) -> Option<Unneeded> {
        let grant = life.grant.as_ref()?;
        if life.what.action != Action::Waive || life.uses > 0 {
            return None;
        }
        let to = life.ended().map_or(grant.expires, |ended| ended.min(grant.expires));
        let judged = self.gates.get(&life.what.gate)?.judged.get(&life.what.ledger)?;
        let judged = judged.iter().filter(|at| **at >= grant.at && **at < to.min(now)).count() as u64;
        (judged > 0).then(|| Unneeded { opt_out: life.what.clone(), from: grant.at, to, judged })
    }
}

impl Figures {
    fn plus(self, other: &Self) -> Self {
        Self {
            decisions: self.decisions + other.decisions,
            failed: self.failed + other.failed,
            held: self.held + other.held,
            past: self.past + other.past,
            overridden: self.overridden + other.overridden,
            asked: self.asked + other.asked,
            granted: self.granted + other.granted,
            renewed: self.renewed + other.renewed,
            denied: self.denied + other.denied,
            break_glass: self.break_glass + other.break_glass,
        }
    }
}

impl Part {
    fn conclude(self) -> LedgerPart {
        let (seq, hash) =
            self.chain.newest().map_or((0, String::new()), |(seq, hash)| (seq, hash.to_string()));
        let (verification, met) = self.verification.unzip();
        LedgerPart {
            ledger: self.id,
            origin: self.origin,
            entries: self.entries,
            missing: self.missing,
            head: SeenHead { seq, hash },
            newest: instant(&self.newest),
            broken: self.broken,
            verification,
            verification_is_of_this: met,
        }
    }
}

fn live<'a>(lives: impl Iterator<Item = &'a Course>, now: Timestamp) -> Vec<Live> {
    let live = |life: &Course| {
        let expires = life.live(now)?.expires;
        Some(Live { opt_out: life.what.clone(), expires, uses: life.uses, uses_left: life.uses_left() })
    };
    let mut found: Vec<_> = lives.filter_map(live).collect();
    found.sort_by_key(|one| (one.expires, one.opt_out.id));
    found
}

fn reviews<'a>(lives: impl Iterator<Item = &'a Course>, now: Timestamp) -> Vec<Owed> {
    let owed = |life: &Course| {
        let deadline = life.owes()?;
        Some(Owed { opt_out: life.what.clone(), deadline, overdue: deadline <= now })
    };
    let mut found: Vec<_> = lives.filter_map(owed).collect();
    found.sort_by_key(|one| (one.deadline, one.opt_out.id));
    found
}

fn waiting<'a>(lives: impl Iterator<Item = &'a Course>, now: Timestamp) -> Vec<Waiting> {
    let waiting = |life: &Course| {
        let lapses = life.open_request().filter(|lapses| *lapses > now)?;
        Some(Waiting { opt_out: life.what.clone(), since: life.begun, lapses })
    };
    let mut found: Vec<_> = lives.filter_map(waiting).collect();
    found.sort_by_key(|one| (one.lapses, one.opt_out.id));
    found
}

fn approvals<'a>(lives: impl Iterator<Item = &'a Course> + Clone, now: Timestamp) -> Approvals {
    let waited = |life: &Course| {
        let granted_at = life.lapses.and(life.grant.as_ref())?.at;
        let seconds = u64::try_from(granted_at.seconds_since(life.begun)).unwrap_or(0);
        Some(Slow { opt_out: life.what.clone(), granted_at, seconds })
    };
    let mut waits: Vec<_> = lives.clone().filter_map(waited).collect();
    waits.sort_by_key(|wait| (Reverse(wait.seconds), wait.opt_out.id));
    // Sorted from the slowest: the share that took no longer is what comes behind.
    let behind = |part: usize| waits.get(waits.len() * part / 10).map(|wait| wait.seconds);
    let (median, ninety) = (behind(5), behind(1));
    let lapsed = lives.filter(|life| life.open_request().is_some_and(|lapses| lapses <= now)).count() as u64;
    let count = waits.len() as u64;
    waits.truncate(SLOWEST);
    Approvals { count, median, ninety, lapsed, slowest: waits }
}
