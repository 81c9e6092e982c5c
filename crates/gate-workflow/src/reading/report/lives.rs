//! The lives of opt-outs, from the entries that tell of them.

use std::collections::BTreeMap;
use std::convert::Infallible;

use gate_ledger::entry::Entry;
use gate_model::action::Action;
use gate_model::grant::Owes;
use gate_model::time::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::document::OptOut;
use gate_judge::life::Life;
use gate_judge::records::id_of;

/// What identifies an opt-out among several ledgers: the ledger's place, and the opt-out's ID.
pub(super) type Key = (usize, u64);

/// One opt-out.
#[derive(Debug)]
pub(super) struct Course {
    pub what: OptOut,
    pub begun: Timestamp,
    /// When the request lapses, where it began with one.
    pub lapses: Option<Timestamp>,
    pub grant: Option<Granted>,
    /// How its life stands.
    pub stands: Life,
    pub reviewed: bool,
    /// How many decisions used it.
    pub uses: u64,
}

/// Its grant.
#[derive(Debug)]
pub(super) struct Granted {
    pub at: Timestamp,
    pub not_before: Timestamp,
    pub expires: Timestamp,
    pub max_uses: Option<u64>,
    /// The deadline of the review that it owes.
    pub review_by: Option<Timestamp>,
}

/// What an entry that begins or grants an opt-out says of it.
#[derive(Debug, Deserialize)]
pub(super) struct AskedFor {
    pub action: Action,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    pub lapses: Option<Timestamp>,
    #[serde(default)]
    not_before: Option<Timestamp>,
    #[serde(default)]
    expires: Option<Timestamp>,
    #[serde(default)]
    max_uses: Option<u64>,
    #[serde(default)]
    pub break_glass: bool,
    #[serde(default)]
    owes: Option<Owes>,
}

impl AskedFor {
    pub(super) fn read(entry: &Entry) -> Option<Self> {
        entry.data.read().ok()
    }

    /// The grant that an entry at `at` gives; none where it does not say from when to when.
    pub(super) fn granted(&self, at: Timestamp) -> Option<Granted> {
        let (not_before, expires) = (self.not_before?, self.expires?);
        let review_by = self.owes.as_ref().map(|owes| owes.by);
        Some(Granted { at, not_before, expires, max_uses: self.max_uses, review_by })
    }
}

/// The actor's id; empty where the entry names none.
pub(super) fn actor(entry: &Entry) -> &str {
    entry.actor.get("id").or_else(|| entry.actor.get("id_c")).and_then(Value::as_str).unwrap_or_default()
}

/// Every opt-out that was met.
#[derive(Debug, Default)]
pub(super) struct Lives(pub BTreeMap<Key, Course>);

impl Lives {
    /// An opt-out begins with `entry`, asked for by `by`.
    pub(super) fn begin(
        &mut self,
        ledger: usize,
        entry: &Entry,
        asked: &AskedFor,
        by: String,
    ) -> &mut Course {
        let what = OptOut {
            ledger,
            id: id_of(entry),
            gate: entry.gate.clone().unwrap_or_default(),
            action: asked.action,
            by,
            reason: asked.reason.clone(),
        };
        let lapses = asked.lapses;
        let life = Course {
            begun: entry.at,
            lapses,
            grant: None,
            stands: Life::default(),
            reviewed: false,
            uses: 0,
            what,
        };
        self.0.entry((ledger, id_of(entry))).insert_entry(life).into_mut()
    }

    /// The opt-out that `entry` is about.
    pub(super) fn of(&mut self, ledger: usize, entry: &Entry) -> Option<&mut Course> {
        self.0.get_mut(&(ledger, id_of(entry)))
    }
}

impl Course {
    pub(super) fn is_limited(&self) -> bool {
        self.grant.as_ref().is_some_and(|grant| grant.max_uses.is_some())
    }

    /// How many uses are left, where they are limited.
    pub(super) fn uses_left(&self) -> Option<u64> {
        let max = self.grant.as_ref()?.max_uses?;
        Some(max.saturating_sub(self.uses))
    }

    /// Its grant, if it counts at `now`.
    pub(super) fn live(&self, now: Timestamp) -> Option<&Granted> {
        let within = |grant: &&Granted| grant.not_before <= now && now < grant.expires;
        let open = self.ended().is_none() && self.uses_left() != Some(0);
        self.grant.as_ref().filter(within).filter(|_| open)
    }

    /// When it was revoked, resumed or rejected. What ends a pause is taken as it stands: a report tells what was done.
    pub(super) fn ended(&self) -> Option<Timestamp> {
        let Ok(ended) = self.stands.ended(|_| Ok::<_, Infallible>(true));
        ended.map(|turn| turn.at)
    }

    /// The deadline of a review that was not given.
    pub(super) fn owes(&self) -> Option<Timestamp> {
        self.grant.as_ref()?.review_by.filter(|_| !self.reviewed)
    }

    /// When its request lapses, where it is neither granted nor ended.
    pub(super) fn open_request(&self) -> Option<Timestamp> {
        self.lapses.filter(|_| self.stands.answered().is_none())
    }
}
