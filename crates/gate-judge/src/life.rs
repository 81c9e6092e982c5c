//! How the life of an opt-out stands: whether its request waits, whether it was granted, whether it is over.
//!
//! Made from the entries of its life, in their order, wherever they are read from: out of a store, or one after another
//! by replay and by reports. What an entry is worth is not judged here. For a request, a skip, an override and a waiver the
//! safe side is that it ends, so that whatever stands in its life as an end is one. A pause that was granted ends only by
//! what may end it ([`crate::lifting`]), and whoever asks says which entries may.

use std::convert::Infallible;

use gate_ledger::entry::{Entry, Kind};
use gate_model::time::Timestamp;
use serde_json::Value;

use crate::records;

/// An entry in the life of an opt-out, as far as it says that something is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Its position.
    pub seq: u64,
    /// Its kind.
    pub kind: Kind,
    /// Its time.
    pub at: Timestamp,
}

/// Why an opt-out, or a request, is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// An entry ended it, or granted what waited.
    By(Turn),
    /// Its time was over at that instant.
    Since(Timestamp),
}

/// The life of an opt-out so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Life {
    /// When its request lapses, where it began with one.
    lapses: Option<Timestamp>,
    grant: Option<Grant>,
    /// What stands in it as an end, in order.
    ends: Vec<Turn>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Grant {
    turn: Turn,
    /// Nothing where it cannot be read; whoever acts on the grant reads it, and fails.
    expires: Option<Timestamp>,
    is_pause: bool,
}

impl Turn {
    const fn of(entry: &Entry) -> Self {
        Self { seq: entry.seq, kind: entry.kind, at: entry.at }
    }
}

impl Life {
    /// The life that `entry` began, or of which it is the grant, and to which `others` belong. It is read in its order: what
    /// stood before the grant ended nothing that was granted.
    pub fn of(entry: &Entry, others: &[Entry]) -> Self {
        let mut life = Self::default();
        let (before, after) = others.split_at(others.partition_point(|other| other.seq < entry.seq));
        for entry in before.iter().chain([entry]).chain(after.iter().filter(|other| other.seq != entry.seq)) {
            life.pass(entry);
        }
        life
    }

    /// Takes its next entry, and says whether that stands in it as an end. Of several grants the first one stands.
    pub fn pass(&mut self, entry: &Entry) -> bool {
        let time = |name: &str| {
            entry.data.get(name).and_then(Value::as_str).and_then(|at| Timestamp::parse(at).ok())
        };
        let ends = self.is_ended_by(entry);
        match entry.kind {
            Kind::Request => self.lapses = time("lapses"),
            Kind::Grant if self.grant.is_none() => {
                let is_pause = records::is_pause(entry);
                self.grant = Some(Grant { turn: Turn::of(entry), expires: time("expires"), is_pause });
            }
            _ if ends => self.ends.push(Turn::of(entry)),
            _ => {}
        }
        ends
    }

    /// A denial ends what waits, unless it only refuses an act; a review that does not accept ends what was granted; a
    /// revocation ends both.
    fn is_ended_by(&self, entry: &Entry) -> bool {
        match entry.kind {
            Kind::Revocation => true,
            Kind::Denial => self.grant.is_none() && !records::is_refused_act(entry),
            Kind::Review => {
                self.grant.is_some() && entry.data.get("verdict").is_none_or(|verdict| verdict != "accepted")
            }
            _ => false,
        }
    }

    /// Whether its request waits at `now`.
    ///
    /// # Errors
    /// What became of it.
    pub fn waits(&self, now: Timestamp) -> Result<(), Over> {
        if let Some(turn) = self.answered() {
            return Err(Over::By(turn));
        }
        match self.lapses {
            Some(lapses) if now < lapses => Ok(()),
            Some(lapses) => Err(Over::Since(lapses)),
            None => Err(Over::Since(now)),
        }
    }

    /// The entry since which its request waits no longer, whatever the time.
    pub fn answered(&self) -> Option<Turn> {
        let granted = self.grant.map(|grant| grant.turn);
        granted.into_iter().chain(self.ends.first().copied()).min_by_key(|turn| turn.seq)
    }

    /// The entry that ended it before its time; of a granted pause the first one that `lifts`.
    ///
    /// # Errors
    /// Those of `lifts`.
    pub fn ended<E>(&self, mut lifts: impl FnMut(Turn) -> Result<bool, E>) -> Result<Option<Turn>, E> {
        let is_pause = self.grant.is_some_and(|grant| grant.is_pause);
        for end in &self.ends {
            if !is_pause || lifts(*end)? {
                return Ok(Some(*end));
            }
        }
        Ok(None)
    }

    /// The entry that ended it whoever asks: that of a pause depends on who does.
    pub fn ended_for_all(&self) -> Option<Turn> {
        let Ok(ended) = self.ended(|_| Ok::<_, Infallible>(false));
        ended
    }

    /// Whether nothing stands in it as an end, so that nobody has to judge one.
    pub const fn has_no_end(&self) -> bool {
        self.ends.is_empty()
    }

    /// Whether it is over at `now`: ended, or, where it was granted, at the end of its time.
    ///
    /// # Errors
    /// Those of `lifts`.
    pub fn over<E>(
        &self,
        now: Timestamp,
        lifts: impl FnMut(Turn) -> Result<bool, E>,
    ) -> Result<Option<Over>, E> {
        let expired = self.grant.and_then(|grant| grant.expires).filter(|expires| *expires <= now);
        Ok(expired.map(Over::Since).or(self.ended(lifts)?.map(Over::By)))
    }

    /// How it stood once the entry `seq` was there.
    #[must_use]
    pub fn up_to(&self, seq: u64) -> Self {
        let grant = self.grant.filter(|grant| grant.turn.seq <= seq);
        Self {
            lapses: self.lapses,
            grant,
            ends: self.ends.iter().copied().filter(|end| end.seq <= seq).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use gate_ledger::entry::{Draft, Entry, EntryHash, Kind, Place};
    use gate_model::time::Timestamp;
    use serde_json::{Value, json};

    use super::{Life, Over};

    fn at(seconds: u64) -> Timestamp {
        Timestamp::parse("2026-11-22T10:00:00Z").unwrap().plus(seconds).unwrap()
    }

    fn life(written: &[(Kind, Value)]) -> Life {
        let mut life = Life::default();
        for entry in entries(written) {
            life.pass(&entry);
        }
        life
    }

    /// The entries of a life, each a second after the one before.
    fn entries(written: &[(Kind, Value)]) -> Vec<Entry> {
        let made = |(seq, (kind, data)): (u64, &(Kind, Value))| {
            let (gate, reference) = (Some("g".to_owned()), (seq > 1).then_some(1));
            let actor = json!({"id": "a", "assurance": "asserted", "via": "os"});
            let draft = Draft { kind: *kind, gate, reference, actor, data: data.clone() };
            let place = Place { ledger: &"0".repeat(32), seq, at: at(seq), prev: EntryHash([0; 32]) };
            draft.at(place).unwrap()
        };
        (1..).zip(written).map(made).collect()
    }

    fn request() -> (Kind, Value) {
        (Kind::Request, json!({"action": "skip", "lapses": at(100)}))
    }

    fn grant(action: &str) -> (Kind, Value) {
        (Kind::Grant, json!({"action": action, "expires": at(200)}))
    }

    fn over(life: &Life, now: u64, lifts: bool) -> Option<Over> {
        life.over(at(now), |_| Ok::<_, ()>(lifts)).unwrap()
    }

    fn by(over: Option<Over>) -> Option<u64> {
        match over? {
            Over::By(turn) => Some(turn.seq),
            Over::Since(_) => None,
        }
    }

    #[test]
    fn a_request_waits_until_it_is_answered_ended_or_lapsed() {
        let revoked = (Kind::Revocation, json!({}));
        assert_eq!(life(&[request()]).waits(at(99)), Ok(()));
        assert_eq!(life(&[request()]).waits(at(100)), Err(Over::Since(at(100))));
        for answer in [grant("skip"), revoked, (Kind::Denial, json!({"subject": "b3:1"}))] {
            assert_eq!(by(life(&[request(), answer]).waits(at(9)).err()), Some(2));
        }
        // Nobody can tell until when it would wait.
        assert!(life(&[(Kind::Request, json!({}))]).waits(at(0)).is_err());
    }

    #[test]
    fn refusals_approvals_and_reviews_leave_a_request_as_it_is() {
        let refusal = (Kind::Denial, json!({"refused": "b3:1"}));
        let others = [(Kind::Approval, json!({})), (Kind::Review, json!({"verdict": "rejected"})), refusal];
        for other in others {
            assert_eq!(life(&[request(), other]).waits(at(9)), Ok(()));
        }
    }

    #[test]
    fn a_grant_lasts_until_it_is_ended_or_its_time_is_over() {
        let rejected = (Kind::Review, json!({"verdict": "rejected"}));
        let unread = (Kind::Review, json!({}));
        let accepted = (Kind::Review, json!({"verdict": "accepted"}));
        assert_eq!(over(&life(&[grant("skip")]), 199, false), None);
        assert_eq!(over(&life(&[grant("skip"), accepted]), 199, false), None);
        assert_eq!(over(&life(&[grant("skip")]), 200, false), Some(Over::Since(at(200))));
        for end in [rejected, unread, (Kind::Revocation, json!({}))] {
            assert_eq!(by(over(&life(&[grant("waive"), end]), 9, false)), Some(2));
        }
        // A denial is the end of a request, and there is none any more.
        assert_eq!(over(&life(&[grant("skip"), (Kind::Denial, json!({"subject": "b3:1"}))]), 9, false), None);
    }

    #[test]
    fn a_pause_ends_by_what_may_end_it_and_by_its_time() {
        let paused = life(&[grant("pause"), (Kind::Revocation, json!({}))]);
        assert_eq!(over(&paused, 9, false), None);
        assert_eq!(by(over(&paused, 9, true)), Some(2));
        assert_eq!(over(&paused, 200, false), Some(Over::Since(at(200))));
        assert_eq!(paused.ended_for_all(), None);
    }

    #[test]
    fn a_life_is_as_it_was_at_an_earlier_entry() {
        let whole = life(&[request(), grant("skip"), (Kind::Revocation, json!({}))]);
        assert_eq!(by(over(&whole, 9, false)), Some(3));
        assert_eq!(over(&whole.up_to(2), 9, false), None);
        assert_eq!(whole.up_to(1).waits(at(9)), Ok(()));
    }

    #[test]
    fn what_stood_before_the_grant_ended_nothing_that_was_granted() {
        let rejected = || (Kind::Review, json!({"verdict": "rejected"}));
        let entries = entries(&[request(), rejected(), grant("skip"), rejected()]);
        let of = |until: usize| Life::of(&entries[2], &entries[1..until]);
        assert_eq!(over(&of(3), 9, false), None);
        assert_eq!(by(over(&of(4), 9, false)), Some(4));
    }

    #[test]
    fn a_second_grant_makes_nothing_longer() {
        let second = (Kind::Grant, json!({"action": "skip", "expires": at(900)}));
        assert_eq!(over(&life(&[request(), grant("skip"), second]), 300, false), Some(Over::Since(at(200))));
    }
}
