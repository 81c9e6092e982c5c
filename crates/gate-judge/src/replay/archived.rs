//! What cannot be judged because entries before it are in an archive.
//!
//! An entry that names an archived one cannot be judged. Neither can one that stands so close behind the archive
//! that something in there could have counted for it without being named: a grant that was still live, a
//! quota's window, a request that waited. How long that can be, the policies say, and these are kept. A review
//! may be owed for longer, and then denials follow from it; so a denial that cannot be explained is not called
//! wrong either.

use gate_ledger::entry::Kind;
use gate_model::time::Timestamp;
use gate_policy::Policy;

use super::report::{Doubt, Judged};
use crate::signatures::MAX_WAIT;

/// The place behind the archived entries.
#[derive(Debug, Clone, Copy)]
pub(super) struct Archived {
    /// Entries before it are not seen, but for policies.
    before: u64,
    /// Until when archived entries can count.
    until: Option<Timestamp>,
}

impl Archived {
    pub(super) const fn behind(before: u64) -> Self {
        Self { before, until: None }
    }

    /// What became of the judgement on an entry of `kind` at `at` that names entries down to `named`. `longest` is
    /// how long anything of an archive can count, in seconds.
    pub(super) fn excuse(
        &mut self,
        (kind, at): (Kind, Timestamp),
        named: Option<u64>,
        longest: impl FnOnce() -> u64,
        judged: Judged,
    ) -> Judged {
        if kind == Kind::Policy {
            return judged;
        }
        let until = *self.until.get_or_insert_with(|| {
            let far = Timestamp::parse("9999-12-31T23:59:59Z").unwrap_or(at);
            // A signed request may have waited in there, whatever the policies say.
            at.plus(longest().max(MAX_WAIT)).unwrap_or(far)
        });
        let rests_on_it = named.is_some_and(|seq| seq < self.before);
        let unexplained = kind == Kind::Denial && matches!(judged, Err(Doubt::Wrong(_)));
        match judged {
            // What an unknown judge decided is never ok, wherever it stands.
            Err(Doubt::Unjudged(_)) => judged,
            _ if rests_on_it || at < until || unexplained => Err(Doubt::Archived),
            judged => judged,
        }
    }
}

/// How long, in seconds, anything can count that was admitted under `policy`.
pub(super) fn longest_effect(policy: &Policy) -> u64 {
    let rules = policy.gates.values().flat_map(|gate| &gate.allow);
    rules
        .map(|rule| {
            let quota = rule.quota.as_ref().map_or(0, |quota| quota.per);
            rule.max_ttl.max(quota).max(rule.review_within.unwrap_or(0))
        })
        .max()
        .unwrap_or(0)
}
